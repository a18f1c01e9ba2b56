//! Takes as MIDI files: one track, one tempo, fifty ticks to the millisecond.

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};

use super::performance::{PedalMove, PlayedNote};
use crate::time::{Micros, div_round};

/// Ticks to the quarter note of the files written.
pub const WRITE_RESOLUTION: u16 = 25_000;
/// Microseconds of a quarter note in the files written: 120 quarters a minute, so that other programs show the usual.
const QUARTER: u32 = 500_000;

/// A take as a MIDI file of type 0. Times are kept to within 10 µs (half a tick); notes before 0 begin at 0.
/// At most [`super::super::NOTES_MAX`] notes are written, so that what is written can be read.
pub fn write(name: &str, notes: &[PlayedNote], pedals: &[PedalMove]) -> Vec<u8> {
    let mut timed: Vec<(i64, u8, TrackEventKind<'_>)> = Vec::with_capacity(notes.len() * 2 + pedals.len());
    let midi = |message| TrackEventKind::Midi { channel: u4::new(0), message };
    for note in notes.iter().take(super::super::NOTES_MAX) {
        let (key, vel) = (u7::new(note.pitch.key()), u7::new(note.velocity.clamp(1, 127)));
        let (on, off) = (tick(note.at), tick(Micros(note.at.0.saturating_add(note.duration.0))));
        timed.push((on, 2, midi(MidiMessage::NoteOn { key, vel })));
        timed.push((off.max(on + 1), 0, midi(MidiMessage::NoteOff { key, vel: u7::new(64) })));
    }
    for pedal in pedals {
        let value = u7::new(pedal.value.min(127));
        timed.push((tick(pedal.at), 1, midi(MidiMessage::Controller { controller: u7::new(64), value })));
    }
    timed.sort_by_key(|(tick, rank, _)| (*tick, *rank));
    let meta = |m| TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(m) };
    let mut track = vec![meta(MetaMessage::TrackName(name.as_bytes())), meta(MetaMessage::Tempo(u24::new(QUARTER)))];
    let mut now = 0;
    for (tick, _, kind) in timed {
        push_gap(&mut track, tick - now);
        let delta = u28::new(((tick - now) % GAP_MAX) as u32);
        track.push(TrackEvent { delta, kind });
        now = tick;
    }
    track.push(meta(MetaMessage::EndOfTrack));
    let header = Header::new(Format::SingleTrack, Timing::Metrical(u15::new(WRITE_RESOLUTION)));
    let mut bytes = Vec::new();
    // Writing to memory fails only above four gigabytes, which the limit of notes excludes.
    let _ = Smf { header, tracks: vec![track] }.write_std(&mut bytes);
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
