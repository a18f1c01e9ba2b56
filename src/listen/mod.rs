//! Listening: what a microphone's samples say. Samples in, values out.
//!
//! ```text
//!  samples ─► Listener ─┬ PitchFinder   one voice, every hop          ┐
//!                       ├ OnsetFinder   where notes begin             ├─ Look ─┬ Tracker ─► NoteEvent
//!                       └ level                                       ┘        └ Tuner ───► Reading
//!  samples around an onset, and what is written ─► Verifier ─► Verdict per note, partial by partial
//!  Hearing: a Listener and a Verifier, what is awaited ─► NoteEvent, each onset once
//!  a recording of chirps ─► RoundTrip
//! ```
//!
//! A known limit: what the program plays through a speaker is heard like anything else; [`Echo`] tells its notes from a
//! person's by when they were struck. One voice is one voice: chords want the verifier.
//!
//! Absent here: devices, threads, clocks, files. Everything that works hop by hop allocates when it is made and never
//! after.

mod chirp;
mod echo;
mod hearing;
mod listener;
mod onset;
mod pitch;
mod ringing;
mod tracker;
mod tuner;
mod verify;

pub use chirp::{CHIRPS, CalibrationError, ROUND_TRIP_MAX, RoundTrip, SPREAD_MAX, chirp, emissions};
pub use echo::{Echo, Written};
pub use hearing::{Awaited, Hearing};
pub use listener::{Listener, Look};
pub use onset::{Onset, OnsetFinder};
pub use pitch::{Heard, PitchFinder, nearest_key};
pub use tracker::{NoteEvent, Tracker};
pub use tuner::{Reading, Tone, Tuner};
pub use verify::{Answer, NOTES_MAX, PARTIALS, Partial, Verdict, Verifier};

#[cfg(test)]
mod tests;

/// Frames from one look to the next: 5.3 ms at 48 kHz.
pub const HOP: usize = 256;
