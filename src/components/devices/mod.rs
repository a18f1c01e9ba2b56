//! The devices: the sound device with its instrument, the MIDI inputs with the keys of the window, and MIDI outputs. Runs on the
//! control thread; what comes and goes is told to the bus.

mod driver_input;
mod driver_ports;
mod guarded;
mod loopback;
mod midi;
mod outputs;
mod pulse;
mod sound;
mod tapping;

pub use driver_input::{DriverInput, DriverInputReport};
pub use guarded::{GuardedBackend, GuardedOutputs, GuardedPorts};
pub use loopback::{Loopback, LoopbackStand};
pub use midi::{MidiDesk, Plugged, chosen};
pub use outputs::{chosen_output, usage_of};
pub use sound::{SoundDesk, SoundReport, calibration_entity};
pub use tapping::{BEAT, TAPS, Tapped, Tapping};
