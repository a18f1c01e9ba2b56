//! What the control side tells the callback, and what comes home from it.

use super::emission::Emission;
use super::instrument::Instrument;
use super::live::{LiveSource, Played, SourceId};
use super::outlet::PortUse;
use super::schedule::Schedule;
use super::transport::LoopRange;
use crate::music::{ClickStyle, Hands, Percent, Pitch};
use crate::time::{Frames, Micros, Ticks};

/// What a volume belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    /// What the person plays.
    Live,
    /// What the program plays.
    Accompaniment,
    /// The clicks.
    Metronome,
    /// Everything.
    Master,
}

/// The receiving end of a live source on its way.
pub struct SourceRing(pub(super) Box<dyn LiveSource>);

/// From the control side to the callback; taken at the beginning of the next block.
pub enum Command {
    /// Starts where the music stands, after so many bars of count-in.
    Play {
        /// Bars counted in, 0 for none.
        count_in: u8,
    },
    /// The same on a frame of the stream to come, so that the beat of before goes on; at once if it has passed, or is
    /// more than [`LEAD_MAX`](super::LEAD_MAX) away.
    PlayAt {
        /// Bars counted in, 0 for none.
        count_in: u8,
        /// The frame of the first beat.
        frame: Frames,
    },
    /// Stops and releases what sounds of the accompaniment.
    Stop,
    /// Goes to a tick, playing or not.
    Seek(Ticks),
    /// Changes the playback speed and keeps the place.
    SetSpeed(Percent),
    /// Sets or lifts the loop.
    SetLoop(Option<LoopRange>),
    /// *Wait for me*: the music runs up to this tick and waits there; `None` lets it run on.
    Hold(Option<Ticks>),
    /// *Wait for me*: the person has played what belongs to `tick`. The music goes there if it has not come so far
    /// (what only the program plays and is passed over does not sound), and runs on to `hold`.
    AdvanceTo {
        /// Where the person is.
        tick: Ticks,
        /// The next place to wait at; one that does not lie ahead is none.
        hold: Option<Ticks>,
    },
    /// Which hands of the score are heard; notes of a hand that no longer is are released.
    SetHands(Hands),
    /// Which keys, one bit each, are played for which hands though those are not heard: the keyboard of the person has none.
    Fill(Hands, u128),
    /// Strikes a note now on the accompaniment's instrument, whichever hands are heard, and releases it after a while: one
    /// that the person missed.
    Prompt {
        /// Which key.
        pitch: Pitch,
        /// How hard, 1 to 127.
        velocity: u8,
        /// How long it is held.
        hold: Micros,
    },
    /// Whether the metronome is heard. The count-in always is.
    SetMetronome(bool),
    /// What the metronome sounds like, and where.
    SetClicks(ClickStyle),
    /// A volume, linear, 0 to 4; 1 is as it comes.
    SetVolume(Bus, f32),
    /// Whether the accompaniment sounds on instruments outside alone, at its volume, and not in the program.
    SetAlone(bool),
    /// Puts a piece in place, stopped at its start; loop and hold are lifted.
    Load(Box<Schedule>),
    /// Exchanges the instrument; the old one fades out within 10 ms.
    SetInstrument(Box<dyn Instrument>),
    /// Chooses another sound of the instrument, 0 to 127, for notes that begin from now on.
    SetProgram(u8),
    /// Adds a live source; see [`super::Engine::add_source`].
    AddSource(SourceId, SourceRing),
    /// Removes a live source and releases what it holds.
    RemoveSource(SourceId),
    /// Sounds something at once, without a source and without publishing it: a key tried in the settings.
    Audition(Played),
    /// What of the music the driver's own MIDI port sends, where it has one.
    SetPort(PortUse),
    /// Plays something that was laid out, from the next block on; one before it is broken off.
    Emit(Box<Emission>),
    /// Silences everything and forgets every key and pedal held. The music stops.
    Panic,
}

impl Command {
    /// Whether memory goes down with it that must come home one day.
    pub(super) fn carries_memory(&self) -> bool {
        matches!(self, Self::Load(_) | Self::SetInstrument(_) | Self::AddSource(..) | Self::Emit(_))
    }
}

/// Memory on its way home, to be freed on the control side, where most of it is read no more.
#[allow(dead_code)]
pub(super) enum Return {
    Schedule(Box<Schedule>),
    Instrument(Box<dyn Instrument>),
    /// One that panicked, with none to take its place.
    Broken(Box<dyn Instrument>),
    Source(SourceRing),
    Emission(Box<Emission>),
}
