//! The devices: the sound device with its instrument, and the MIDI inputs with the keys of the window. Runs on the
//! control thread; what comes and goes is told to the bus.

mod midi;
mod sound;
mod tapping;

pub use midi::{MidiDesk, chosen};
pub use sound::{SoundDesk, SoundReport, calibration_entity};
pub use tapping::{BEAT, TAPS, Tapped, Tapping};
