//! Repeats: from the order written to the order played.

use super::body::{HandMusic, Sign};
use crate::music::notation::SpanKind;
use crate::music::{Hand, PedalChange, WrittenNote};
use crate::time::Ticks;

/// The notes in the order played. A note that a tie holds beyond a jump ends at the jump.
pub(super) fn unfold(music: &HandMusic, hand: Hand) -> Vec<WrittenNote> {
    let mut played = Vec::new();
    let mut now = 0;
    let mut spans = spans(music).into_iter().peekable();
    while let Some((from, to)) = spans.next() {
        let jumps = spans.peek().is_some_and(|next| next.0 != to);
        let first = music.notes.partition_point(|n| n.onset < from);
        for note in music.notes[first..].iter().take_while(|n| n.onset < to) {
            let end = if jumps { note.end.min(to) } else { note.end };
            played.push(WrittenNote {
                onset: Ticks(note.onset - from + now),
                end: Ticks(end - from + now),
                pitch: note.pitch,
                hand,
                velocity: note.velocity,
            });
        }
        now += to - from;
    }
    played
}

/// The pedal in the order played: down and up in each pass.
pub(super) fn pedals(music: &HandMusic) -> Vec<PedalChange> {
    let mut changes = Vec::new();
    let mut now = 0;
    for (from, to) in spans(music) {
        for (_, _, (down, up)) in music.spans.iter().filter(|(kind, ..)| *kind == SpanKind::Pedal) {
            // What is held at a jump is let go there.
            let (down, up) = (*down.max(&from), *up.min(&to));
            if down < up {
                let change = |tick: i64, value| PedalChange { tick: Ticks(tick - from + now), value };
                changes.extend([change(down, 127), change(up, 0)]);
            }
        }
        now += to - from;
    }
    changes
}

/// The stretches of written time in the order played.
pub(super) fn spans(music: &HandMusic) -> Vec<(i64, i64)> {
    let mut spans = Vec::new();
    let (mut section, mut done) = (0, 0);
    let mut ending = None;
    for &(tick, sign) in &music.signs {
        match sign {
            Sign::Begin => {
                spans.push((done, tick));
                (section, done) = (tick, tick);
            }
            Sign::First => ending = Some(tick),
            Sign::Back => {
                spans.push((done, tick));
                spans.push((section, ending.take().unwrap_or(tick)));
                (section, done) = (tick, tick);
            }
        }
    }
    spans.push((done, music.end));
    spans.retain(|(from, to)| to > from);
    spans
}
