//! MIDI out: what the program plays goes to instruments outside at its time, what is played at one keyboard may be sent on
//! to another, and keys that light up show what comes next.
//!
//! ```text
//! engine ──── Music ─────────┐                       control thread: MidiOutputs ─ PortTable ─ OutputSource
//! inputs ──── through rings ─┼─► Dispatcher ─► Sink     │ orders            ▲ told
//! session ─── lights ────────┘   (its own thread) ◄─────┘ ──────────────────┘
//! ```
//!
//! Limits: keys that come by the general port of the audio driver, to which anyone may be joined, are not sent on (a
//! patch bay does that better); what is sent to the driver's port besides the music leaves with the first frame of the
//! next block; an instrument that sounds the notes of its lights does so softly.
//!
//! Nothing that is sent hangs: notes and pedals of every output are known, and let go when the output is left.

mod dispatcher;
mod echo;
mod outputs;
mod thread;

pub use dispatcher::{Dispatcher, Order, Told};
pub use outputs::{DRIVER_OUTPUT, MidiOutputs, OutputChange, OutputReport, OutputSource};
pub use thread::OutputThread;

use super::message::Message;
use crate::time::Micros;

/// Who makes the sound of the keys of an instrument that the program can play on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeySound {
    /// Both, as it comes: the instrument's local control is on.
    #[default]
    Both,
    /// The instrument by itself (its local control is on); the program does not sound its keys.
    Instrument,
    /// The program alone: the instrument's local control is switched off while it is connected.
    Program,
}

/// What an output is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputPlan {
    /// The hands that are heard.
    pub accompaniment: bool,
    /// Whether the accompaniment sounds there alone, and not in the program too.
    pub alone: bool,
    /// The metronome, as General MIDI percussion on channel 10.
    pub clicks: bool,
    /// What is played at other keyboards.
    pub through: bool,
    /// Keys that come next light up on this channel, 0 to 15: note-ons of velocity 1.
    pub lights: Option<u8>,
    /// Who sounds its own keys.
    pub keys: KeySound,
}

/// Which part of what the program plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MusicPart {
    /// Notes and pedal.
    Accompaniment,
    /// The metronome.
    Click,
}

/// Something that the program plays, and when it sounds on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Micros,
    /// Of what.
    pub part: MusicPart,
    /// What.
    pub message: Message,
}

/// Where what the program plays comes from, in the order of its time; asked on the output thread.
pub trait Music: Send {
    /// The next, if it is known already.
    fn next(&mut self) -> Option<Due>;
}

/// An open output, used on the output thread.
pub trait Sink: Send {
    /// Sends one whole message; it may wait for the driver.
    ///
    /// # Errors
    /// Why it does not work; the output is not used again.
    fn send(&mut self, bytes: &[u8]) -> Result<(), String>;

    /// Whether the music reaches this output on a way of its own, exact to the frame.
    fn has_music(&self) -> bool {
        false
    }
}
