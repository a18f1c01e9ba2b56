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

/// Reads a take: all tracks together, drums left out, each event at its time to the microsecond. A take without notes
/// is empty, not an error.
///
/// # Errors
/// Those of the header, and [`FormatError::TooManyNotes`].
pub fn read_performance(bytes: &[u8]) -> Result<Performance, FormatError> {
    let Chunks { format, division, tracks: raw, warnings } = split(bytes)?;
    let tracks = tracks(&raw, format)?;
    let map: TempoMap = tempo_map(division, &tracks);
    let time = |tick: i64| map.micros(Ticks(tick), Percent::FULL);
    let mut take = Performance { warnings: notices(warnings, &tracks, format), ..Performance::default() };
    for track in &tracks {
        take.notes.extend(track.notes.iter().map(|n| PlayedNote {
            at: time(n.onset),
            duration: time(n.end) - time(n.onset),
            pitch: n.pitch,
            velocity: n.velocity,
        }));
        take.pedals.extend(track.pedals.iter().map(|p| PedalMove { at: time(p.tick.0), value: p.value }));
    }
    take.notes.sort_by_key(|n| (n.at, n.pitch));
    take.pedals.sort_by_key(|p| p.at);
    super::score::drop_late(&mut take);
    Ok(take)
}
