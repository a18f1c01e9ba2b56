//! Standard MIDI Files, types 0, 1 and 2: reading as a score or as a take, and writing both.
//!
//! Ticks are the file's own; where they are too coarse for a page, that is written at a finer resolution
//! ([`notate::finer`](super::notate::finer)). In a file timed by SMPTE frames a "quarter" is one second and tempo events
//! have no meaning. In type 2 the sequences are put one after another, each with its own tempo.
//! Lyric events and the texts of karaoke files become words under the notes of the page.
//! What is damaged is left out with a warning; what is whole stays.

mod chunks;
mod grid;
mod lyrics;
mod performance;
mod score;
mod take;
mod track;
mod write;

pub use grid::Run;
pub use performance::{PedalMove, Performance, PlayedNote, read_performance};
pub use score::read;
pub use take::{TakeGrid, TakeNote, TakeTrack, WRITE_RESOLUTION, write_take};
pub use write::write_score;

/// The last tick that is read: twelve days at 120 quarters a minute and 960 ticks to the quarter. Keeps all later
/// arithmetic far from overflow.
pub const TICKS_MAX: i64 = 1 << 31;

/// The longest music that is read, in microseconds at the written tempo: one day. What begins later is left out.
pub const DURATION_MICROS_MAX: i64 = 24 * 3_600 * 1_000_000;

/// The most tracks that are read; orchestral scores have a tenth of it.
pub const TRACKS_MAX: usize = 1_024;
