//! MIDI: messages and their bytes, several inputs at once with hot-plug, the computer keyboard as an instrument.
//! The only user of midir. Nothing here makes sound or decides what a note means.
//!
//! ```text
//! driver's callback ── Lease ── Route ──┬─ engine ring   (LiveMidi, sound at once)
//! window's keys ─ VirtualInput ─ Route ─┼─ bus lane      (Played, becomes events)
//!                                       ├─ through       (to the output thread, if it is sent on to another instrument)
//!                                       └─ monitor       (what the Devices screen shows; may drop, counted)
//! control thread: MidiInputs::poll ─ PortTable (lists in, actions out) ─ PortSource (midir, the audio driver, or a fake)
//! ```
//!
//! A route belongs to one thread at a time: the callback's while the port is open, the control thread's otherwise, which
//! then releases whatever was still held.

#[cfg(all(feature = "sound", target_os = "linux"))]
mod announce;
pub mod bridge;
mod decoder;
mod driver_clock;
mod input;
mod keyboard;
mod keys;
mod message;
pub mod monitor;
pub mod output;
mod owed;
pub mod ports;
mod route;
#[cfg(feature = "sound")]
mod system;
pub mod watch;

#[cfg(all(feature = "sound", target_os = "linux"))]
pub use announce::SequencerAnnouncer;
pub use decoder::Decoder;
pub use driver_clock::{DriverClock, SPREAD_MAX, WINDOW};
pub use input::{Change, DeviceReport, Lease, MidiInputs, PortSource, RingMaker};
pub use keyboard::{CAUSES_MAX, Cause, VirtualInput};
pub use keys::KeySet;
pub use message::{Encoded, Message, controller, decode};
pub use route::{ENGINE_SLOTS, LANE_SLOTS, RingEnds, Rings, rings};
#[cfg(feature = "sound")]
pub use system::{SystemConnection, SystemOutputs, SystemPorts};

use crate::time::Stamp;

/// Which device or keyboard a message came from, within this run of the program. A device that comes back keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u16);

impl SourceId {
    /// The computer keyboard and the keys on the screen.
    pub const VIRTUAL: Self = Self(0);
    /// The MIDI input of the JACK backend that anyone may be joined to.
    pub const JACK: Self = Self(1);
    /// What the microphone hears.
    pub const MICROPHONE: Self = Self(2);
    /// A take that is played again.
    pub const PLAYER: Self = Self(3);
    /// The first that ports of the system get.
    pub const FIRST_PORT: Self = Self(16);
    /// The first that sources of the audio driver (JACK) get.
    pub const FIRST_DRIVER_PORT: Self = Self(Self::FIRST_PORT.0 + ports::DEVICES_MAX as u16);
}

/// What the engine's ring carries: a message, where from and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveMidi {
    /// When it arrived, taken first thing in the driver's callback.
    pub stamp: Stamp,
    /// Which device it came from.
    pub source: SourceId,
    /// What it says.
    pub message: Message,
}

/// What the bus lane carries; the lane adds the stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Which device it came from.
    pub source: SourceId,
    /// What it says.
    pub message: Message,
}

impl LiveMidi {
    /// The same without its stamp, for the bus lane.
    pub fn played(self) -> Played {
        Played { source: self.source, message: self.message }
    }
}

// A lane item is at most 64 bytes, a cache line: the stamp takes 40 of them.
const _: () = assert!(size_of::<LiveMidi>() <= 64 && size_of::<Played>() <= 8);
