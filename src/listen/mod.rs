//! Listening: what a microphone's samples say. Samples in, values out.
//!
//! Absent here: devices, threads, clocks, files. Everything that works frame by frame allocates when it is made and
//! never after.

mod chirp;

pub use chirp::{CHIRPS, CalibrationError, ROUND_TRIP_MAX, RoundTrip, SPREAD_MAX, chirp, emissions};
