//! Takes and scores as MIDI files: a take in one track, at one tempo, with fifty ticks to the millisecond; a score in
//! its own ticks.

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};

use super::performance::{PedalMove, PlayedNote};
use crate::music::{Bar, Hand, Meter, Pitch, Score};
use crate::time::{Micros, div_round};

/// Ticks to the quarter note of the files written.
pub const WRITE_RESOLUTION: u16 = 25_000;
/// Microseconds of a quarter note in the files written: 120 quarters a minute, so that other programs show the usual.
const QUARTER: u32 = 500_000;

/// A take as a MIDI file of type 0. Times are kept to within 10 µs (half a tick); notes before 0 begin at 0.
/// At most [`super::super::NOTES_MAX`] notes are written, so that what is written can be read.
pub fn write(name: &str, notes: &[PlayedNote], pedals: &[PedalMove]) -> Vec<u8> {
    let mut events = Vec::with_capacity(notes.len() * 2 + pedals.len());
    for note in notes.iter().take(super::super::NOTES_MAX) {
        let off = tick(Micros(note.at.0.saturating_add(note.duration.0)));
        push_note(&mut events, tick(note.at), off, note.pitch, note.velocity);
    }
    events.extend(pedals.iter().map(|p| pedal(tick(p.at), p.value)));
    events.push(meta(0, MetaMessage::Tempo(u24::new(QUARTER))));
    finish(Format::SingleTrack, WRITE_RESOLUTION, vec![track(name, events)])
}

/// A score as a MIDI file of type 1 in the score's own ticks: a track for title, tempo, metre and key, then one for
/// each hand that plays, named after it.
pub fn write_score(score: &Score) -> Vec<u8> {
    let mut conductor: Vec<Timed<'_>> = Vec::new();
    for change in score.tempo().changes() {
        let quarter = u24::new(change.micros_per_quarter.min((1 << 24) - 1));
        conductor.push(meta(change.tick.0, MetaMessage::Tempo(quarter)));
    }
    let mut former = None;
    for bar in score.bars().as_slice() {
        // A short first bar gets a metre of its own, as notation programs write a pick-up.
        let (beats, unit) = bar_meter(bar, score.resolution());
        if former.replace((beats, unit)) != Some((beats, unit)) {
            let power = unit.trailing_zeros() as u8;
            conductor.push(meta(bar.start.0, MetaMessage::TimeSignature(beats, power, 24, 8)));
        }
    }
    for key in score.keys() {
        conductor.push(meta(key.tick.0, MetaMessage::KeySignature(key.fifths, key.minor)));
    }
    let mut tracks = vec![track(score.title(), conductor)];
    for (hand, name) in [(Hand::Right, "Right hand"), (Hand::Left, "Left hand"), (Hand::Neither, "Accompaniment")] {
        let mut events = Vec::new();
        for note in score.notes().iter().filter(|n| n.hand == hand) {
            push_note(&mut events, note.onset.0, note.end.0, note.pitch, note.velocity);
        }
        if events.is_empty() {
            continue;
        }
        if tracks.len() == 1 {
            events.extend(score.pedals().iter().map(|p| pedal(p.tick.0, p.value)));
        }
        tracks.push(track(name, events));
    }
    finish(Format::Parallel, score.resolution().min((1 << 15) - 1), tracks)
}

/// Tick, rank among the events of one tick (releases come first), and event.
type Timed<'a> = (i64, u8, TrackEventKind<'a>);

fn push_note(events: &mut Vec<Timed<'_>>, on: i64, off: i64, pitch: Pitch, velocity: u8) {
    let (key, vel) = (u7::new(pitch.key()), u7::new(velocity.clamp(1, 127)));
    events.push((on, 3, midi(MidiMessage::NoteOn { key, vel })));
    events.push((off.max(on + 1), 0, midi(MidiMessage::NoteOff { key, vel: u7::new(64) })));
}

fn pedal(tick: i64, value: u8) -> Timed<'static> {
    (tick, 2, midi(MidiMessage::Controller { controller: u7::new(64), value: u7::new(value.min(127)) }))
}

fn meta(tick: i64, message: MetaMessage<'_>) -> Timed<'_> {
    (tick, 1, TrackEventKind::Meta(message))
}

fn midi(message: MidiMessage) -> TrackEventKind<'static> {
    TrackEventKind::Midi { channel: u4::new(0), message }
}

/// The metre of a bar; of a short one, as many of its shortest fitting beats as it holds.
fn bar_meter(bar: &Bar, resolution: u16) -> (u8, u8) {
    let length = bar.end.0 - bar.start.0;
    if length == bar.meter.bar_ticks(resolution) {
        return (bar.meter.beats, bar.meter.unit);
    }
    for unit in [bar.meter.unit, 8, 16, 32] {
        let beat = Meter { unit, ..bar.meter }.beat_ticks(resolution);
        if let (0, Ok(beats @ 1..)) = (length % beat, u8::try_from(length / beat)) {
            return (beats, unit);
        }
    }
    (bar.meter.beats, bar.meter.unit)
}

fn track<'a>(name: &'a str, mut events: Vec<Timed<'a>>) -> Vec<TrackEvent<'a>> {
    events.sort_by_key(|(tick, rank, _)| (*tick, *rank));
    let plain = |m| TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(m) };
    let mut track = vec![plain(MetaMessage::TrackName(name.as_bytes()))];
    let mut now = 0;
    for (tick, _, kind) in events {
        let tick = tick.max(now);
        push_gap(&mut track, tick - now);
        let delta = u28::new(((tick - now) % GAP_MAX) as u32);
        track.push(TrackEvent { delta, kind });
        now = tick;
    }
    track.push(plain(MetaMessage::EndOfTrack));
    track
}

fn finish(format: Format, resolution: u16, tracks: Vec<Vec<TrackEvent<'_>>>) -> Vec<u8> {
    let header = Header::new(format, Timing::Metrical(u15::new(resolution)));
    let mut bytes = Vec::new();
    // Writing to memory fails only above four gigabytes, which the limit of notes excludes.
    let _ = Smf { header, tracks }.write_std(&mut bytes);
    bytes
}

/// One more than the longest wait an event can have.
const GAP_MAX: i64 = 1 << 28;

/// Waits longer than one event can express are filled with empty texts.
fn push_gap(track: &mut Vec<TrackEvent<'_>>, gap: i64) {
    for _ in 0..gap / GAP_MAX {
        let kind = TrackEventKind::Meta(MetaMessage::Text(b""));
        track.push(TrackEvent { delta: u28::new((GAP_MAX - 1) as u32), kind });
        track.push(TrackEvent { delta: u28::new(1), kind });
    }
}

/// The tick nearest to a time, within what is read again.
fn tick(at: Micros) -> i64 {
    let tick = div_round(i128::from(at.0.max(0)) * i128::from(WRITE_RESOLUTION), i128::from(QUARTER));
    tick.clamp(0, super::TICKS_MAX - 1)
}
