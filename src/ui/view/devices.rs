//! What the screen of devices shows: sound, MIDI, the microphone, and how late it all is.

use std::sync::Arc;

use crate::model::{CalibrationStand, OutputUse};
use crate::music::Pitch;
use crate::time::Micros;

/// Sound and MIDI.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices {
    /// The sound card.
    pub audio: AudioView,
    /// MIDI inputs, those seen earlier included.
    pub midi: Vec<MidiPort>,
    /// The input of the audio driver that anyone may be joined to, where it has one (JACK).
    pub midi_in: Option<JoinedPort>,
    /// MIDI outputs, those seen earlier included.
    pub midi_out: Vec<OutputPort>,
    /// What was not opened because the program once ended while it opened it.
    pub left_out: Vec<String>,
    /// The last MIDI messages, newest first.
    pub monitor: Vec<MonitorRow>,
    /// The microphone.
    pub microphone: Microphone,
}

impl Devices {
    /// The keyboards that play now: names and messages since the start.
    pub fn keyboards(&self) -> impl Iterator<Item = (&str, u64)> {
        let ports = self.midi.iter().filter(|port| port.connected && port.enabled);
        let joined = self.midi_in.iter().filter(|port| !port.sources.is_empty());
        let joined = joined.flat_map(|port| port.sources.iter().map(|source| (source.as_str(), port.messages)));
        ports.map(|port| (port.name.as_str(), port.messages)).chain(joined)
    }
}

/// The microphone and what it hears.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Microphone {
    /// Whether the person wants it.
    pub on: bool,
    /// The input's name, while it is listened to.
    pub device: Option<String>,
    /// Why it is not, in a line.
    pub fault: Option<String>,
    /// The level in dBFS.
    pub level: f32,
    /// The note that is heard; `None` in silence and noise.
    pub tuner: Option<Tuner>,
    /// Awaited keys of which the sound does not tell whether they were struck.
    pub unsure: Vec<Pitch>,
    /// What can be listened to.
    pub inputs: Vec<OutputRow>,
    /// Frames that were missed.
    pub lost: u64,
    /// Heard notes that were missed.
    pub lost_notes: u64,
}

/// A note and how well it is in tune.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuner {
    /// The nearest key.
    pub pitch: Pitch,
    /// Above it, −50 to 50.
    pub cents: f64,
    /// Whether it holds still, so that the cents mean something.
    pub steady: bool,
}

/// The sound card in use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioView {
    /// Whether sound comes out.
    pub state: AudioState,
    /// The device's name.
    pub device: String,
    /// The backend's name: `cpal`, `jack`, `null`.
    pub backend: String,
    /// Frames a second.
    pub rate: u32,
    /// Frames a block.
    pub period: u32,
    /// Frames a second by the program's own clock, where it ran long enough to tell.
    pub measured_rate: Option<f64>,
    /// From key to sound, all included; `None` when not known.
    pub latency: Option<Micros>,
    /// Where that comes from.
    pub parts: LatencyParts,
    /// Whether the sound goes through the air.
    pub bluetooth: bool,
    /// The part of a block's time that its computation takes, 0 to 1.
    pub load: f32,
    /// Blocks that came too late since the stream began.
    pub xruns: u64,
    /// Whether the SoundFont that was chosen cannot be played.
    pub font_refused: bool,
    /// MIDI messages that found no room on their way through the driver, in or out.
    pub midi_lost: u64,
    /// How the callback keeps its deadline.
    pub callback: Callback,
    /// Backends one can choose, with the one in use among them.
    pub backends: Vec<String>,
    /// Output devices one can choose, as of the last look.
    pub outputs: Vec<OutputRow>,
    /// Whether it is being looked for them.
    pub looking: bool,
    /// What was measured of the device in use.
    pub calibration: CalibrationView,
    /// The share of a SoundFont that is read, while one is loaded.
    pub loading: Option<f32>,
    /// The sounds of the SoundFont in use: number and name.
    pub presets: Arc<[(u8, String)]>,
}

/// What the delay from key to sound consists of, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencyParts {
    /// From the key's stamp to the callback that saw it: how many, mean, longest.
    pub input: Option<(u32, f32, f32)>,
    /// The constant delay by which every key sounds at the same distance.
    pub engine: f32,
    /// From the callback to the socket, as the driver says, or to the ear, as it was measured.
    pub output: f32,
    /// What the driver says.
    pub reported: f32,
    /// How late callbacks come: root mean square and the latest.
    pub jitter: (f32, f32),
}

/// An output device, or an input device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputRow {
    /// For [`Setting::OutputDevice`](crate::model::Setting::OutputDevice), or
    /// [`Setting::InputDevice`](crate::model::Setting::InputDevice).
    pub id: String,
    /// For people.
    pub name: String,
    /// Whether the system uses it by default.
    pub default: bool,
    /// Whether it is the chosen one.
    pub chosen: bool,
}

/// How late a device was measured to be, and how a measurement stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalibrationView {
    /// From the frame to the ear, by sound that came back.
    pub loopback: Option<Micros>,
    /// From a click to the key that was tapped with it.
    pub tapped: Option<Micros>,
    /// A measurement under way, or its outcome.
    pub stand: CalibrationStand,
}

/// How the audio callback keeps its deadline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Callback {
    /// Blocks by the share of their time that computing them took: twenty buckets of a twentieth each, then those that
    /// took longer than there was time, by how much. Counted since the stream began.
    pub loads: Vec<u32>,
    /// The largest share.
    pub worst: f32,
    /// The stream's number.
    pub stream: u32,
    /// Notes that came too late for their frame, since the start.
    pub late: u32,
    /// Messages for instruments outside that found no room on their way, since the start.
    pub unsent: u32,
    /// Commands that the callback did not take for too long, since the start.
    pub refused: u64,
    /// Panics caught and samples that were no numbers, since the start.
    pub faults: u32,
}

/// Whether sound comes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AudioState {
    /// It does.
    Running,
    /// There is no device; everything else works.
    #[default]
    Silent,
    /// The device went and is being tried again.
    Retrying,
}

/// A MIDI input.
#[derive(Clone, Debug, PartialEq)]
pub struct MidiPort {
    /// The stable identity.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// Whether it is there now.
    pub connected: bool,
    /// Whether the person wants it.
    pub enabled: bool,
    /// Messages since the start.
    pub messages: u64,
}

/// The MIDI input of the audio driver that anyone may be joined to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinedPort {
    /// Whoever is joined to it, by their full names.
    pub sources: Vec<String>,
    /// Whoever is joined again as soon as it is back, because a person had joined it.
    pub awaited: Vec<String>,
    /// Messages since the start.
    pub messages: u64,
}

/// A MIDI output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputPort {
    /// The stable identity.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// Whether it is there now.
    pub connected: bool,
    /// What it is used for.
    pub usage: OutputUse,
    /// Messages sent since the start.
    pub messages: u64,
}

/// A MIDI message in the monitor.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorRow {
    /// When, since the program's start.
    pub at: Micros,
    /// The port's name.
    pub port: String,
    /// What came.
    pub message: MidiView,
    /// Whether the program sent it.
    pub sent: bool,
}

/// A MIDI message as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MidiView {
    /// A key went down.
    On(Pitch, u8),
    /// A key went up.
    Off(Pitch),
    /// A controller moved: number and value.
    Control(u8, u8),
    /// Anything else, as bytes.
    Other(Vec<u8>),
}
