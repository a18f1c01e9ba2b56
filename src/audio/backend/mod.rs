//! Backends: what calls the processor. One trait; which one runs is the supervisor's business.

mod carrier;
#[cfg(feature = "sound")]
mod cpal;
#[cfg(feature = "jack")]
mod jack;
mod null;
pub mod stepped;

use std::sync::Arc;

use thiserror::Error;

#[cfg(feature = "sound")]
pub use self::cpal::CpalBackend;
#[cfg(feature = "jack")]
pub use self::jack::JackBackend;
pub use self::null::NullBackend;

use super::capture::{Input, Tap};
use super::processor::Processor;
use crate::time::{Clock, Rate, Stamp, StreamId};

/// The backends there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Audio and MIDI of a JACK server, exact to the frame.
    Jack,
    /// The system's sound: ALSA, CoreAudio, WASAPI.
    Cpal,
    /// No sound, paced by a timer; the program still runs.
    Null,
    /// Driven by a test, block by block.
    Stepped,
}

impl Kind {
    /// The word for it on the command line and in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jack => "jack",
            Self::Cpal => "cpal",
            Self::Null => "null",
            Self::Stepped => "stepped",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a backend does not run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
    /// There is no server, no host, no device at all.
    #[error("{kind}: {reason}")]
    Unavailable {
        /// Whose.
        kind: Kind,
        /// In the driver's words.
        reason: String,
    },
    /// The chosen device is not there.
    #[error("{kind}: no device {device}")]
    NoDevice {
        /// Whose.
        kind: Kind,
        /// The id looked for.
        device: String,
    },
    /// Another program has the device; worth another try.
    #[error("{kind}: {device} is in use by another program")]
    Busy {
        /// Whose.
        kind: Kind,
        /// Which.
        device: String,
    },
    /// The device is there and does not work.
    #[error("{kind}: {device}: {reason}")]
    Failed {
        /// Whose.
        kind: Kind,
        /// Which.
        device: String,
        /// In the driver's words.
        reason: String,
    },
}

/// What is wanted of a stream; the device decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// The id of an output device as in [`Device::id`]; `None` for the default.
    pub device: Option<String>,
    /// Frames per block, a power of two from 64 to 2048 as a rule.
    pub period: u32,
    /// Frames per second, if the device can.
    pub rate: Rate,
    /// The number that the stream will have.
    pub stream: StreamId,
    /// Whether to connect to the speakers and to MIDI sources without being asked (JACK).
    pub connect: bool,
    /// What a person chose instead, the latest last (JACK).
    pub connections: Vec<Connection>,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            device: None,
            period: 256,
            rate: Rate::DEFAULT,
            stream: StreamId(1),
            connect: true,
            connections: Vec::new(),
        }
    }
}

/// A stream that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Whose.
    pub kind: Kind,
    /// The device's name for people.
    pub device: String,
    /// Frames per second.
    pub rate: Rate,
    /// The nominal block size.
    pub period: u32,
    /// Frames from the callback to the socket, as far as the driver says.
    pub output_latency: u32,
    /// Whether it goes through the air: some 200 ms that no driver tells of.
    pub bluetooth: bool,
    /// Whether it stands in for the chosen device, which is not there.
    pub stand_in: bool,
    /// Its number.
    pub stream: StreamId,
}

/// A device, for sound that goes out or comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whose.
    pub kind: Kind,
    /// Keeps its meaning over restarts; what to write into the settings.
    pub id: String,
    /// For people.
    pub name: String,
    /// Whether it is the default one.
    pub default: bool,
    /// Its channels that way.
    pub channels: u16,
    /// Frames per second as it would run.
    pub rate: Rate,
}

/// What a running stream says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// So many times since last asked the sound did not come in time.
    Xruns(u32),
    /// The stream goes on, on another device or with other latencies: calibration no longer holds.
    Changed(String),
    /// So many MIDI messages since last asked the driver's ports had no room for, or brought too many of at once.
    MidiLost(u32),
    /// Something a person may want to know; the stream goes on.
    Warning(String),
    /// The stream is dead; stop it and try again later.
    Lost(String),
}

/// MIDI sources of a driver that are heard at one time, each by a port of its own: more than stand in a room.
pub const SOURCES_HEARD_MAX: usize = 16;

/// Takes what a MIDI source of the driver delivers. Called in the audio callback: wait-free, and allocates nothing.
pub trait MidiSink: Send {
    /// Bytes that came in one piece, and the frame and moment at which they did.
    fn receive(&mut self, stamp: Stamp, bytes: &[u8]);
}

/// A MIDI source that the driver itself can hear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MidiSource {
    /// Its name.
    pub name: String,
    /// What it is called too.
    pub aliases: Vec<String>,
}

impl MidiSource {
    /// One that has no other name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), aliases: Vec::new() }
    }

    /// Everything that it is called.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }
}

/// Who hears a MIDI source of the driver from now on.
pub struct Patch {
    /// By its name as in [`Stream::midi_sources`].
    pub source: String,
    /// `None`: nobody. Whoever heard it before is dropped, on the control thread.
    pub sink: Option<Box<dyn MidiSink>>,
}

/// The driver's own MIDI input that anyone may be joined to (JACK), without the name of the client.
pub const MIDI_IN: &str = "midi_in";

/// Connections that a person chose and that are kept in mind: more than the ports of the program have in any studio. Of
/// more the latest count.
pub const CONNECTIONS_MAX: usize = 64;

/// A port of the program on a sound server that a person joined to another one in a patch bay, or parted from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The program's port, without the name of its client.
    pub own: String,
    /// The other port by its full name.
    pub other: String,
    /// Whether they are to be joined whenever both are there; if not, they are not joined without being asked either.
    pub joined: bool,
}

/// A stream could not be started; the processor comes back.
#[derive(Debug)]
pub struct StartError {
    /// For the next backend; `None` only if the driver kept it.
    pub processor: Option<Box<Processor>>,
    /// Why.
    pub error: BackendError,
}

impl StartError {
    /// The processor was not used.
    pub fn new(processor: Processor, error: BackendError) -> Self {
        Self { processor: Some(Box::new(processor)), error }
    }
}

/// What a start would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The chosen device, or the default one if none was chosen.
    Wanted,
    /// Another device than the chosen one.
    StandIn,
}

/// Starts streams. Used on one control thread.
pub trait Backend: Send {
    /// Which one it is.
    fn kind(&self) -> Kind;
    /// The output devices there are now.
    fn devices(&mut self) -> Result<Vec<Device>, BackendError>;
    /// The input devices there are now, by the ids that [`Stream::listen`] knows.
    fn inputs(&mut self) -> Result<Vec<Device>, BackendError> {
        Ok(Vec::new())
    }
    /// The keyboards that the driver itself knows, without those of the system: see [`Stream::midi_sources`].
    fn midi_sources(&mut self) -> Result<Vec<String>, BackendError> {
        Ok(Vec::new())
    }
    /// Whether a start is worth a try, and with which device; cheap, and disturbs nobody.
    fn available(&mut self, config: &StreamConfig) -> Result<Presence, BackendError>;
    /// Something happened after which what was not there may be: what was learnt of its absence is forgotten.
    fn forget_absence(&mut self) {}
    /// Takes the processor, tells it about the stream and calls it from then on.
    fn start(&mut self, processor: Processor, config: &StreamConfig) -> Result<Box<dyn Stream>, StartError>;
}

/// A stream that runs. Used on one control thread.
pub trait Stream: Send {
    /// What it is.
    fn info(&self) -> &StreamInfo;
    /// The MIDI sources that the driver itself can hear, as of the last poll. One that went and came back between two
    /// polls is left out once.
    fn midi_sources(&self) -> &[MidiSource] {
        &[]
    }
    /// Who is joined to the MIDI input of the driver's own that anyone may be joined to, by their names, as of the last
    /// poll; `None` where there is no such input.
    fn midi_joined(&self) -> Option<&[String]> {
        None
    }
    /// What a person joined and parted since last asked. It is joined again while the stream lives; the next one has to
    /// be told of it ([`StreamConfig::connections`]).
    fn take_connections(&mut self) -> Vec<Connection> {
        Vec::new()
    }
    /// Lets a source be heard, at most [`SOURCES_HEARD_MAX`] at one time; a sink that finds no place is dropped.
    fn patch(&mut self, patch: Patch) {
        drop(patch);
    }
    /// What happened since last asked, the most important thing last.
    fn poll(&mut self, each: &mut dyn FnMut(Status));
    /// How often its callback was called, to notice when it no longer is; `None` where nobody counts.
    fn calls(&self) -> Option<u32>;
    /// Sends what comes in to `tap`: from the input device of this id, or from the default one. A tap given before is
    /// dropped. `None` ends it.
    ///
    /// # Errors
    /// There is no input, or it does not work; the tap is dropped.
    fn listen(&mut self, device: Option<&str>, tap: Option<Tap>) -> Result<Option<Input>, BackendError>;
    /// Stops and gives the processor back; `None` only if the driver never returned it.
    fn stop(self: Box<Self>) -> Option<Processor>;
}

/// What a person chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// JACK if a server runs, else the system's sound, else none.
    #[default]
    Auto,
    /// This one, and no sound if it does not run.
    Only(Kind),
}

impl std::str::FromStr for Choice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "jack" => Ok(Self::Only(Kind::Jack)),
            "cpal" => Ok(Self::Only(Kind::Cpal)),
            "null" => Ok(Self::Only(Kind::Null)),
            other => Err(format!("unknown backend {other}; there are auto, cpal, jack and null")),
        }
    }
}

/// The backends of a choice in the order in which they are tried; the last is always the null backend. Those that this
/// program was built without are named with the reason.
pub fn select(choice: Choice, clock: &Arc<dyn Clock>) -> (Vec<Box<dyn Backend>>, Vec<BackendError>) {
    let mut backends: Vec<Box<dyn Backend>> = Vec::new();
    let mut missing = Vec::new();
    let wanted: &[Kind] = match choice {
        Choice::Auto => &[Kind::Jack, Kind::Cpal],
        Choice::Only(Kind::Jack) => &[Kind::Jack],
        Choice::Only(Kind::Cpal) => &[Kind::Cpal],
        Choice::Only(Kind::Null | Kind::Stepped) => &[],
    };
    for kind in wanted {
        match make(*kind, clock) {
            Some(backend) => backends.push(backend),
            None => {
                missing.push(BackendError::Unavailable { kind: *kind, reason: "not part of this build".to_owned() });
            }
        }
    }
    backends.push(Box::new(NullBackend::new(clock.clone())));
    (backends, missing)
}

fn make(kind: Kind, clock: &Arc<dyn Clock>) -> Option<Box<dyn Backend>> {
    match kind {
        #[cfg(feature = "jack")]
        Kind::Jack => Some(Box::new(JackBackend::new(clock.clone()))),
        #[cfg(feature = "sound")]
        Kind::Cpal => Some(Box::new(CpalBackend::new(clock.clone()))),
        Kind::Null => Some(Box::new(NullBackend::new(clock.clone()))),
        _ => None,
    }
}
