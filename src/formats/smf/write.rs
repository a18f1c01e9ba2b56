//! A score as a MIDI file in its own ticks, and what all files that are written have in common.

use midly::num::{u4, u7, u14, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, PitchBend, Smf, Timing, TrackEvent, TrackEventKind};

use crate::music::{Bar, Hand, Meter, Score};

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
        let meter = bar_meter(bar, score.resolution());
        if former.replace(meter) != Some(meter) {
            conductor.push(time_signature(bar.start.0, meter));
        }
    }
    for key in score.keys() {
        conductor.push(meta(key.tick.0, MetaMessage::KeySignature(key.fifths, key.minor)));
    }
    let mut tracks = vec![track(score.title(), conductor)];
    for (hand, name) in [(Hand::Right, "Right hand"), (Hand::Left, "Left hand"), (Hand::Neither, "Accompaniment")] {
        let mut events = Vec::new();
        for note in score.notes().iter().filter(|n| n.hand == hand) {
            let struck = Struck { channel: 0, key: note.pitch.key(), velocity: note.velocity, release: 64 };
            push_note(&mut events, note.onset.0, note.end.0, struck);
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
pub(super) type Timed<'a> = (i64, u8, TrackEventKind<'a>);

/// How a key is struck and let go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Struck {
    pub(super) channel: u8,
    pub(super) key: u8,
    pub(super) velocity: u8,
    pub(super) release: u8,
}

pub(super) fn push_note(events: &mut Vec<Timed<'_>>, on: i64, off: i64, struck: Struck) {
    let (key, vel) = (u7::new(struck.key.min(127)), u7::new(struck.velocity.clamp(1, 127)));
    let released = u7::new(struck.release.min(127));
    events.push((on, 3, midi(struck.channel, MidiMessage::NoteOn { key, vel })));
    events.push((off.max(on + 1), 0, midi(struck.channel, MidiMessage::NoteOff { key, vel: released })));
}

/// A message of a channel that is no note; `None` for anything else.
pub(super) fn channel_message(tick: i64, [status, first, second]: [u8; 3]) -> Option<Timed<'static>> {
    let (one, two) = (u7::new(first & 0x7f), u7::new(second & 0x7f));
    let message = match status & 0xf0 {
        0xa0 => MidiMessage::Aftertouch { key: one, vel: two },
        0xb0 => MidiMessage::Controller { controller: one, value: two },
        0xc0 => MidiMessage::ProgramChange { program: one },
        0xd0 => MidiMessage::ChannelAftertouch { vel: one },
        0xe0 => {
            let bend = u16::from(second & 0x7f) << 7 | u16::from(first & 0x7f);
            MidiMessage::PitchBend { bend: PitchBend(u14::new(bend)) }
        }
        _ => return None,
    };
    Some((tick, 2, midi(status & 0x0f, message)))
}

fn pedal(tick: i64, value: u8) -> Timed<'static> {
    (tick, 2, midi(0, MidiMessage::Controller { controller: u7::new(64), value: u7::new(value.min(127)) }))
}

pub(super) fn meta(tick: i64, message: MetaMessage<'_>) -> Timed<'_> {
    (tick, 1, TrackEventKind::Meta(message))
}

/// Beats and unit of a bar, as [`bar_meter`] tells them.
pub(super) fn time_signature(tick: i64, (beats, unit): (u8, u8)) -> Timed<'static> {
    meta(tick, MetaMessage::TimeSignature(beats, unit.trailing_zeros() as u8, 24, 8))
}

fn midi(channel: u8, message: MidiMessage) -> TrackEventKind<'static> {
    TrackEventKind::Midi { channel: u4::new(channel & 0x0f), message }
}

/// The metre of a bar; of a short one, as many of its shortest fitting beats as it holds.
pub(super) fn bar_meter(bar: &Bar, resolution: u16) -> (u8, u8) {
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

pub(super) fn track<'a>(name: &'a str, mut events: Vec<Timed<'a>>) -> Vec<TrackEvent<'a>> {
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

pub(super) fn finish(format: Format, resolution: u16, tracks: Vec<Vec<TrackEvent<'_>>>) -> Vec<u8> {
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
