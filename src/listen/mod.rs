//! Listening: what a microphone's samples say. Samples in, values out.
//!
//! ```text
//!  samples ─► Listener ─┬ PitchFinder   one voice, every hop          ┐
//!                       ├ OnsetFinder   where notes begin             ├─ Look ─┬ Tracker ─► NoteEvent
//!                       └ level                                       ┘        └ Tuner ───► Reading
//!  samples around an onset, and what is written ─► Verifier ─► Verdict per note, partial by partial
//!  a recording of chirps ─► RoundTrip ─► input_delay
//! ```
//!
//! A known limit: what the program plays through a speaker is heard like anything else. One voice is one voice: chords
//! want the verifier.
//!
//! Absent here: devices, threads, clocks, files. Everything that works hop by hop allocates when it is made and never
//! after.

mod chirp;
mod listener;
mod onset;
mod pitch;
mod tracker;
mod tuner;
mod verify;

pub use chirp::{CHIRPS, CalibrationError, ROUND_TRIP_MAX, RoundTrip, SPREAD_MAX, chirp, emissions};
pub use listener::{Listener, Look};
pub use onset::{Onset, OnsetFinder};
pub use pitch::{Heard, PitchFinder, nearest_key};
pub use tracker::{NoteEvent, Tracker};
pub use tuner::{Reading, Tone, Tuner};
pub use verify::{Answer, NOTES_MAX, PARTIALS, Partial, Verdict, Verifier};

use crate::time::Frames;

#[cfg(test)]
mod tests;

/// Frames from one look to the next: 5.3 ms at 48 kHz.
pub const HOP: usize = 256;

/// How long sound takes from the microphone to the callback, in frames: what a round trip takes beyond the way out.
/// A note heard at a frame was played so many frames earlier.
pub fn input_delay(round_trip: &RoundTrip, output_latency: u32) -> Frames {
    Frames((round_trip.delay.round() as i64 - i64::from(output_latency)).max(0))
}
