//! What the window asks of the program: one closed list. The program applies each in one `match`.

use std::path::PathBuf;

use crate::music::{Hand, HandEdit, Hands, Percent, Pitch};
use crate::practice::ladder::LadderPlan;
use crate::practice::recital::Voice;
use crate::practice::{BarRange, ChordWindow, Heard, Mode};
use crate::time::Micros;
use crate::ui::view::Failure;

use crate::model::OutputUse;
pub use crate::model::Setting;

/// What a take is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TakeFile {
    /// How it sounds: WAV.
    Sound,
    /// What was played, for other music programs: a MIDI file.
    Midi,
    /// Each note with its verdict, for spreadsheets: CSV.
    Table,
}

impl TakeFile {
    /// In the order of the menu.
    pub const ALL: [Self; 3] = [Self::Sound, Self::Midi, Self::Table];
}

/// A wish of the person at the window.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start, or go on.
    Play,
    /// Stop, keep the place.
    Pause,
    /// Back to the start of the piece, or of the loop.
    Restart,
    /// To the first tick of a bar, by index.
    SeekBar(usize),
    /// How to play.
    SetMode(Mode),
    /// What I play.
    SetPractised(Hands),
    /// When the program sounds a hand.
    SetHeard(Hand, Heard),
    /// The speed.
    SetTempo(Percent),
    /// Repeat these bars, or none.
    SetLoop(Option<BarRange>),
    /// The metronome on or off.
    SetMetronome(bool),
    /// The count-in on or off.
    SetCountIn(bool),
    /// How the tempo changes from pass to pass.
    SetLadder(LadderPlan),
    /// *Wait for me*: how far apart the notes of a chord may come.
    SetChordWindow(ChordWindow),
    /// *Wait for me*: whether any key counts as what is written.
    SetAnyNote(bool),
    /// *Wait for me*: whether a wrong key counts as the note.
    SetGoOn(bool),
    /// Say something about the hands of the open piece.
    EditHands(HandEdit),
    /// Forget what was said about them.
    ForgetHands,
    /// Open a piece of the library by id.
    OpenPiece(String),
    /// Open a file.
    OpenFile(PathBuf),
    /// Wait no longer for the piece that is being read.
    StopOpening,
    /// Close the piece: free play.
    ClosePiece,
    /// A key went down, on the screen or on the computer keyboard, with a velocity of 1 to 127.
    KeyDown(Pitch, u8),
    /// That key went up.
    KeyUp(Pitch),
    /// All sound off, at once.
    Panic,
    /// Take back the last change.
    Undo,
    /// Do it again.
    Redo,
    /// Change a setting.
    Set(Setting),
    /// Load the result of a take, by id; the window shows the screen of results.
    ShowResult(String),
    /// Load a take, by id; the window shows its screen.
    ShowTake(String),
    /// Play a take from a time on, by id.
    PlayTake(String, Micros),
    /// Play a part of a take, by id, in a voice.
    PlayPart {
        /// The take.
        take: String,
        /// What is heard.
        voice: Voice,
        /// From there.
        from: Micros,
        /// To there.
        until: Micros,
    },
    /// Hear this of takes from now on; what is played goes on in it.
    SetVoice(Voice),
    /// Stop playing it.
    StopTake,
    /// Keep what was played in the last five minutes as a take of its own.
    KeepLast,
    /// Show a take on its screen, by id.
    OpenTake(String),
    /// In the take that is shown, look how things stood at a time.
    LookBack(Micros),
    /// So many events on from there, or back.
    LookBackBy(i64),
    /// Look no further.
    LookBackEnd,
    /// Show the bus as it was after an event, in the inspector.
    ShowBusAt(u64),
    /// Keep what today's rules find of the take that is shown, in place of the result that is kept.
    KeepResult(String),
    /// Write a take into the music folder, by id.
    ExportTake(String, TakeFile),
    /// Delete a take, by id; it can be brought back.
    DeleteTake(String),
    /// Bring a take that was deleted back, by id.
    BringTakeBack(String),
    /// Delete a take for ever, by id.
    EraseTake(String),
    /// Name a take, by id.
    NameTake(String, String),
    /// Make a piece a favourite or not, by id.
    Favour(String, bool),
    /// Look through a folder for pieces from now on, or no longer.
    WatchFolder(PathBuf, bool),
    /// Look through the folders now.
    LookThroughFolders,
    /// Break the import off; what was found stays.
    CancelImport,
    /// Give pieces a tag, or take it from them, by id.
    Tag {
        /// Which pieces.
        pieces: Vec<String>,
        /// Which tag.
        tag: String,
        /// Whether they have it afterwards.
        on: bool,
    },
    /// Call a tag otherwise on every piece; by an empty name it goes from them.
    RenameTag {
        /// How it is called.
        from: String,
        /// How it is to be called.
        to: String,
    },
    /// Practise some bars of a piece: open it, loop them.
    PractiseBars {
        /// The piece's id.
        piece: String,
        /// Which bars.
        bars: BarRange,
        /// How fast.
        speed: Percent,
    },
    /// Play a piece again, whole, at a speed.
    PlayAgain {
        /// The piece's id.
        piece: String,
        /// How fast.
        speed: Percent,
    },
    /// Use a backend, by name.
    SetBackend(String),
    /// Use a MIDI input or not, by identity.
    EnableMidi(String, bool),
    /// Use a MIDI output like this, by identity.
    UseOutput(String, OutputUse),
    /// Open again what was left out because the program once ended while it opened it.
    OpenLeftOut,
    /// A second of sound through the whole chain.
    TestTone,
    /// Measure by tapping how late the devices are, or stop it.
    TapAlong(bool),
    /// Measure by chirps that come back how late the sound is, or stop it.
    LoopBack(bool),
    /// Forget what was measured of the sound device.
    ForgetCalibration,
    /// Look which sound devices there are.
    LookForDevices,
    /// Listen to the microphone, or no more.
    Listen(bool),
    /// Bring the damaged data folder back by the way at this place of those offered.
    Recover(usize),
    /// Ask again what to do for it.
    ShowRescue,
    /// Make something go wrong, or not any more.
    Break(Failure, bool),
    /// Nothing goes wrong on purpose any more.
    Heal,
    /// Let the component that handles the next event panic.
    PanicComponent,
    /// Push more into the lane of the window's keys than it holds.
    FillLane,
    /// Show the entities as they were after an event, or as they are.
    ShowAt(Option<u64>),
    /// Load how an entity came to be what it is, for the inspector.
    ShowHistory(String),
    /// Do again what lost a conflict.
    BringBack {
        /// The entity.
        entity: String,
        /// The machine of the event.
        device: u64,
        /// Its number there.
        number: u64,
    },
    /// Deliver a dead letter again.
    ReplayLetter {
        /// Whose it is.
        subscriber: String,
        /// The event.
        seq: u64,
    },
    /// Forget a dead letter.
    DropLetter {
        /// Whose it is.
        subscriber: String,
        /// The event.
        seq: u64,
    },
    /// Show a folder in the system's program for files.
    ShowFolder(PathBuf),
    /// The banner was read.
    DismissBanner(u64),
}
