//! What can happen: the domain events, each complete in itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bus::{EntityKey, EventId, Leasing};
use crate::music::{HandEdits, Percent, Pitch};
use crate::practice::{PracticeSettings, Verdict};
use crate::time::{Micros, Rate, Ticks, WallMillis};

use super::{ConnectionChoice, FolderChoice, Found, OutputUse, ResultSummary, Setting};

/// Names a take: the wall clock of its start and a random part, so that names sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TakeId(pub u64);

impl TakeId {
    /// A name from the wall clock and some entropy.
    pub fn new(at: WallMillis, entropy: u16) -> Self {
        Self(((at.0.max(0) as u64) << 16) | u64::from(entropy))
    }

    /// From the form that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        u64::from_str_radix(text, 16).ok().map(Self)
    }

    /// The take itself.
    pub fn entity(self) -> EntityKey {
        EntityKey::new(&format!("take/{self}"))
    }

    /// What came out of it.
    pub fn result_entity(self) -> EntityKey {
        EntityKey::new(&format!("result/{self}"))
    }
}

impl fmt::Display for TakeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015x}", self.0)
    }
}

/// Names a piece: `builtin-…` or the digest of the file's content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceId(pub Box<str>);

impl PieceId {
    /// A piece that comes with the program.
    pub fn builtin(id: &str) -> Self {
        Self(format!("builtin-{id}").into())
    }

    /// The id of a built-in piece.
    pub fn as_builtin(&self) -> Option<&str> {
        self.0.strip_prefix("builtin-")
    }

    /// The piece in the library.
    pub fn entity(&self) -> EntityKey {
        EntityKey::new(&format!("piece/{}", self.0))
    }

    /// The content of its file.
    pub fn score_entity(&self) -> EntityKey {
        EntityKey::new(&format!("score/{}", self.0))
    }
}

/// The entity that says which take is being recorded.
pub fn recorder_entity() -> EntityKey {
    EntityKey::new("recorder/current")
}

/// The entity that lists the last conflicts.
pub fn conflicts_entity() -> EntityKey {
    EntityKey::new("conflicts/recent")
}

/// The entity of a device, by the identity that survives a replug.
pub fn device_entity(identity: &str) -> EntityKey {
    let name: String = identity.chars().take(200).collect();
    EntityKey::new(&format!("device/{name}"))
}

/// A short MIDI message as it came in: what a take consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Which input it came from, counted within the run of the program.
    pub source: u16,
    /// Status and data bytes, unused ones 0.
    pub data: [u8; 3],
}

impl Played {
    /// Key and velocity of a key-down; velocity 0 is a release.
    pub fn note_on(self) -> Option<(Pitch, u8)> {
        (self.data[0] & 0xf0 == 0x90 && self.data[2] > 0).then(|| (Pitch::from_data_byte(self.data[1]), self.data[2]))
    }

    /// Controller and value of a control change.
    pub fn control(self) -> Option<(u8, u8)> {
        (self.data[0] & 0xf0 == 0xb0).then(|| (self.data[1], self.data[2]))
    }

    /// The key of a release.
    pub fn note_off(self) -> Option<Pitch> {
        let status = self.data[0] & 0xf0;
        (status == 0x80 || status == 0x90 && self.data[2] == 0).then(|| Pitch::from_data_byte(self.data[1]))
    }
}

/// What the transport did, with the frame of the event's stamp as its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportChange {
    /// From here on it runs.
    Runs {
        /// The place at that moment, in microseconds at the written tempo times the resolution of the score; before
        /// the start during a count-in.
        place: i64,
        /// The playback speed.
        speed: Percent,
    },
    /// It passed a bar line, still on its course: keeps the clocks in step where played notes have no frame.
    Bar,
    /// It was moved by hand; `Runs` follows if it plays.
    Sought {
        /// Where to.
        tick: Ticks,
    },
    /// It went back to the start of the loop; `Runs` follows.
    Looped {
        /// Passes completed.
        pass: u32,
    },
    /// It waits for the person.
    Waits {
        /// Where.
        tick: Ticks,
    },
    /// It was stopped.
    Stopped,
    /// It came to the end of the piece.
    Ended,
}

/// A change of the transport: enough to map every later frame to a place in the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportMoved {
    /// What happened.
    pub change: TransportChange,
    /// Frames per second of the stream that the stamp counts in.
    pub rate: Rate,
}

/// Why a take ended. Of two reasons the greater one stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TakeEnd {
    /// The program ended without saying so.
    Interrupted,
    /// The person stopped, or began something else.
    Stopped,
    /// The piece or range was finished.
    Completed,
}

/// Where a take comes from, and with it what its moment is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TakeOrigin {
    /// Logs that do not say: its moment is that of its start.
    #[default]
    Unsaid,
    /// It is recorded while it is played: its moment is that of its first key.
    Played,
    /// It was copied from what was played before, to be kept: its start is the moment of its first key.
    Kept,
}

/// How a take began.
#[derive(Clone, Debug, PartialEq)]
pub struct TakeStart {
    /// The wall clock.
    pub at: WallMillis,
    /// The piece, unless it is free play.
    pub piece: Option<PieceId>,
    /// How it is practised, unless it is free play.
    pub practice: Option<PracticeSettings>,
    /// How much later than the music a key that is struck in time is stamped: taken off before it is judged, until
    /// [`Event::LatencyChanged`] says otherwise.
    pub latency: Micros,
    /// Where the take comes from.
    pub origin: TakeOrigin,
    /// What had been said about the hands: what is judged again is judged by the hands that were played.
    pub hands: HandEdits,
}

impl TakeStart {
    /// Free play that is recorded from a moment on.
    pub fn free(at: WallMillis) -> Self {
        let (latency, hands) = (Micros::ZERO, HandEdits::default());
        Self { at, piece: None, practice: None, latency, origin: TakeOrigin::Played, hands }
    }
}

/// How late a sound device is at one rate and period, as far as it was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    /// The device's name.
    pub name: String,
    /// From the frame to the ear, by sound that came back through a cable or a microphone.
    pub loopback: Option<Micros>,
    /// From the frame of a click to the stamp of the key that was tapped with it, person and keyboard included.
    pub tapped: Option<Micros>,
}

impl Calibration {
    /// From the frame to the ear; `reported` is what the driver says.
    pub fn heard(&self, reported: Micros) -> Micros {
        self.loopback.unwrap_or(reported)
    }

    /// How much later than the music a key that is struck in time is stamped.
    pub fn judged(&self, reported: Micros) -> Micros {
        self.tapped.unwrap_or(self.heard(reported))
    }
}

/// How a measurement of latency stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CalibrationStand {
    /// None was made since the device was opened.
    #[default]
    Idle,
    /// So many taps of so many.
    Tapping {
        /// So many so far.
        done: usize,
        /// In all.
        of: usize,
    },
    /// Chirps go out and come back, so many hundredths of them.
    Listening(u8),
    /// This was measured by tapping.
    Done(Micros),
    /// This was measured by loop-back.
    Heard(Micros),
    /// Why loop-back measured nothing.
    Failed(String),
    /// It was uneven.
    Scattered,
    /// Nobody tapped.
    Nobody,
}

/// A piece as the library shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PieceInfo {
    /// The title, from the file or its name.
    pub title: String,
    /// The composer, perhaps empty.
    pub composer: String,
    /// Where the file was, for opened files.
    pub path: Option<String>,
    /// When it was opened last.
    pub opened: WallMillis,
}

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A setting was chosen (`settings/<name>`).
    SettingChanged(Setting),
    /// A piece was opened (`piece/<id>`).
    PieceOpened(PieceInfo),
    /// A piece was taken off the list of recent ones (`piece/<id>`).
    PieceForgotten,
    /// The way a piece is practised was chosen (`piece/<id>`).
    PracticeChosen(PracticeSettings),
    /// Whose hands play what was chosen; nothing said means as it was found (`piece/<id>`).
    HandsChosen(HandEdits),
    /// A piece got a tag (`piece/<id>`).
    PieceTagged(String),
    /// A piece lost what these events tagged it with (`piece/<id>`).
    PieceUntagged(Vec<EventId>),
    /// So long was the piece practised on this machine, in milliseconds, all takes together (`piece/<id>`).
    PractiseCounted(u64),
    /// A file of music was found, or found somewhere else (`piece/<id>`).
    PieceFound(Box<Found>),
    /// A person chose that a folder is looked through for pieces, or no longer (`folder/<hash of its path>`).
    FolderChosen(FolderChoice),
    /// The content of an opened file (`score/<id>`).
    ScoreStored(Vec<u8>),
    /// Another take is being recorded, or none (`recorder/current`).
    RecorderPointed(Option<TakeId>),
    /// A take began (`take/<id>`).
    TakeStarted(TakeStart),
    /// Something was played (`take/<id>`).
    NotePlayed(Played),
    /// So many messages were lost before they could be recorded (`take/<id>`).
    NotesLost(u64),
    /// The sound stopped short so many times while the take was played, so that it could not be heard right
    /// (`take/<id>`).
    SoundInterrupted(u64),
    /// So much later than the music a key that is struck in time is stamped from the event's own stamp on: another device
    /// sounds, or it was measured (`take/<id>`).
    LatencyChanged(Micros),
    /// The transport moved (`take/<id>`).
    TransportMoved(TransportMoved),
    /// A played or written note was judged (`take/<id>`).
    VerdictGiven(Verdict),
    /// A take ended (`take/<id>`).
    TakeEnded(TakeEnd),
    /// A take was named, in place of the names that these events gave it (`take/<id>`).
    TakeNamed {
        /// The name; an empty one takes the others away.
        name: String,
        /// Those that the person saw.
        seen: Vec<EventId>,
    },
    /// A take was taken off the list, or put back (`take/<id>`); its notes stay in the log.
    TakeDiscarded(bool),
    /// A take was judged as a whole (`result/<take>`).
    ResultRecorded(Box<ResultSummary>),
    /// A device is there (`device/<identity>`).
    DeviceConnected(String),
    /// A device is gone (`device/<identity>`).
    DeviceLost,
    /// A person switched a device on or off (`device/<identity>`).
    DeviceChosen {
        /// Its name.
        name: String,
        /// Whether it is to be used when it is there.
        enabled: bool,
    },
    /// How late a sound device is was measured (`device/<identity>`).
    DeviceCalibrated(Calibration),
    /// A person chose what a MIDI output is used for (`device/<identity>`).
    OutputChosen {
        /// Its name.
        name: String,
        /// What for.
        usage: OutputUse,
    },
    /// A person joined a port of the program on a sound server to another one, or undid it (`connection/<hash of both
    /// names>`).
    ConnectionChosen(ConnectionChoice),
    /// This is deleted for ever: what it consisted of is erased (`take/<id>`, `result/<take>`).
    Erased,
    /// Two edits were made by authors that had not seen each other's (`conflicts/recent`).
    EditsMet(Met),
    /// Somebody edits something for a while, or no longer (`lease/<entity>`).
    Leasing(Leasing),
}

/// Two edits of one entity, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// The entity.
    pub entity: String,
    /// The topic of the second.
    pub topic: String,
    /// The strategy that decided, by its name.
    pub strategy: String,
    /// The edit that stays; of two that both stay, the one that came second here.
    pub winner: EventId,
    /// The other.
    pub loser: EventId,
}
