//! A MIDI file as a take: what was played, in time rather than in ticks.

use super::super::FormatError;
use super::chunks::{Chunks, split};
use super::score::{notices, tempo_map, tracks};
use crate::music::{Percent, Pitch, TempoMap};
use crate::time::{Micros, Ticks};

/// A played note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayedNote {
    /// The onset from the file's start.
    pub at: Micros,
    /// From onset to release.
    pub duration: Micros,
    /// The key.
    pub pitch: Pitch,
    /// How hard, 1 to 127.
    pub velocity: u8,
}

/// A move of the sustain pedal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PedalMove {
    /// When, from the file's start.
    pub at: Micros,
    /// How far down, 0 to 127; 64 and above is down.
    pub value: u8,
}

/// A take as a MIDI file holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Performance {
    /// The notes, by onset, then pitch.
    pub notes: Vec<PlayedNote>,
    /// The sustain pedal, in order.
    pub pedals: Vec<PedalMove>,
    /// What was left out or mended.
    pub warnings: Vec<String>,
}

/// A pianist does not strike one key twice within this; two channels that have it so are two sounds of one key.
const LAYER: Micros = Micros::from_millis(5);

/// Reads a take: all tracks together, each event at its time to the microsecond. Drums are left out, unless there is
/// nothing else: then the piano plays on their channel. What a piano sends on several channels at once counts once. A take
/// without notes is empty, not an error.
///
/// # Errors
/// Those of the header, and [`FormatError::TooManyNotes`].
pub fn read_performance(bytes: &[u8]) -> Result<Performance, FormatError> {
    let Chunks { format, division, tracks: raw, warnings } = split(bytes)?;
    let mut tracks = tracks(&raw, format)?;
    if tracks.iter().all(|track| track.notes.is_empty()) {
        for track in &mut tracks {
            track.notes = std::mem::take(&mut track.drum_notes);
            track.drums = 0;
        }
    }
    let map: TempoMap = tempo_map(division, &tracks);
    let time = |tick: i64| map.micros(Ticks(tick), Percent::FULL);
    let mut take = Performance { warnings: notices(warnings, &tracks, format), ..Performance::default() };
    let mut notes = Vec::new();
    for track in &tracks {
        notes.extend(track.notes.iter().map(|n| {
            let (at, duration) = (time(n.onset), time(n.end) - time(n.onset));
            (PlayedNote { at, duration, pitch: n.pitch, velocity: n.velocity }, n.channel)
        }));
        take.pedals.extend(track.pedals.iter().map(|p| PedalMove { at: time(p.tick.0), value: p.value }));
    }
    notes.sort_by_key(|(note, channel)| (note.at, note.pitch, *channel));
    single_layer(&mut notes, &mut take.warnings);
    take.notes = notes.into_iter().map(|(note, _)| note).collect();
    take.pedals.sort_by_key(|p| p.at);
    super::score::drop_late(&mut take);
    Ok(take)
}

/// Leaves out what is on another channel once more; notes are by time.
fn single_layer(notes: &mut Vec<(PlayedNote, u8)>, warnings: &mut Vec<String>) {
    let before = notes.len();
    let mut last: [Option<(Micros, u8)>; 128] = [None; 128];
    notes.retain(|(note, channel)| {
        let last = &mut last[usize::from(note.pitch.key())];
        let again = last.is_some_and(|(at, other)| other != *channel && note.at - at <= LAYER);
        if !again {
            *last = Some((note.at, *channel));
        }
        !again
    });
    match before - notes.len() {
        0 => {}
        1 => warnings.push("one note that is on another channel too counts once".into()),
        n => warnings.push(format!("{n} notes that are on another channel too count once")),
    }
}
