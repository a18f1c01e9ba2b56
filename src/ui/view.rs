//! What one frame of the window is drawn from: plain values, borrowed, made by the program for each frame.
//! Nothing here reads a clock or formats a text; see `text` for words.

use std::path::Path;
use std::sync::Arc;

use crate::bus::inspect::{EventView, Report, Round};
pub use crate::bus::inspect::{Failure, Lab};
use crate::model::OutputUse;
use crate::music::{NoteId, Pitch, Score};
use crate::practice::ladder::Ladder;
use crate::practice::recital::Voice;
use crate::practice::result::{BarResult, TakeResult};
use crate::practice::{Mode, PracticeSettings, VerdictKind};
use crate::time::{Micros, Ticks, WallMillis};

pub use crate::model::{CalibrationStand, NoteNames, PlayView, Settings, StaffLayout, ThemeChoice};

use super::command::Command;

mod library;
mod take;

pub use library::*;
pub use take::*;

/// Everything that a frame shows.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Whether something moves on its own (the transport plays, a key sounds, a meter falls): then, and only then, the
    /// window asks for the next frame.
    pub moving: bool,
    /// The piece, the transport and the keys.
    pub play: Play<'a>,
    /// Pieces to choose from.
    pub library: Library<'a>,
    /// What was played, newest first.
    pub takes: &'a [TakeRow],
    /// The result last asked for with [`Command::ShowResult`], or of the practice just finished.
    pub result: Option<&'a ResultView>,
    /// The take last asked for with [`Command::ShowTake`], or that of the result, once it is read.
    pub take: Option<&'a TakeView>,
    /// What is heard of a take when it is played.
    pub voice: Voice,
    /// The take that is played now.
    pub listening: Option<Listening<'a>>,
    /// Sound and MIDI.
    pub devices: &'a Devices,
    /// Settings in force.
    pub settings: &'a Settings,
    /// A SoundFont that the system has, if any.
    pub system_soundfont: Option<&'a Path>,
    /// The bus from within; `None` when it is not running.
    pub bus: Option<&'a Report>,
    /// What goes wrong on purpose.
    pub lab: Option<&'a Lab>,
    /// The events, for the inspector.
    pub events: Events<'a>,
    /// Values held by the bus, for the inspector, sorted by name.
    pub entities: &'a [EntityRow],
    /// After which event the entities are shown, and when that was, once it is known; `None` is now.
    pub past: Option<(u64, Option<LocalTime>)>,
    /// The last conflicts, newest first.
    pub conflicts: &'a [ConflictRow],
    /// The entity that the inspector was asked about, and how it came to be what it is, newest first.
    pub history: Option<(&'a str, &'a [HistoryRow])>,
    /// What a person must know, most important first.
    pub banners: &'a [Banner],
    /// A damaged data folder, and what can be done for it.
    pub rescue: Option<&'a Rescue>,
    /// What undo would take back, in words; `None` when there is nothing.
    pub undo: Option<&'a str>,
    /// What redo would do again, in words.
    pub redo: Option<&'a str>,
}

impl<'a> View<'a> {
    /// With nothing in it yet.
    pub fn new(devices: &'a Devices, settings: &'a Settings) -> Self {
        Self {
            moving: false,
            play: Play { piece: None, transport: Transport::default(), keys: Keys::default() },
            library: Library::default(),
            takes: &[],
            result: None,
            take: None,
            voice: Voice::Mine,
            listening: None,
            devices,
            settings,
            system_soundfont: None,
            bus: None,
            lab: None,
            events: Events::default(),
            entities: &[],
            past: None,
            conflicts: &[],
            history: None,
            banners: &[],
            rescue: None,
            undo: None,
            redo: None,
        }
    }
}

/// A damaged data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescue {
    /// Its path.
    pub folder: String,
    /// The first place that cannot be read, and why.
    pub damage: String,
    /// How many places.
    pub damages: usize,
    /// Whether what is played now is kept.
    pub saving: bool,
    /// The ways out, that with the least loss first.
    pub offers: Vec<Offer>,
}

/// A way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The way.
    pub way: Way,
    /// Events kept.
    pub keeps: u64,
    /// Events lost; none if that cannot be told.
    pub loses: Option<u64>,
    /// When the last event kept was made.
    pub until: LocalTime,
}

/// What is done with a damaged data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Make everything anew from a log that is whole.
    Rebuild,
    /// Leave out what cannot be read.
    Bridge,
    /// Keep what was before the damage.
    Cut,
    /// Go back to a backup.
    Backup,
    /// Begin with nothing.
    Afresh,
}

/// The play screen.
#[derive(Clone, Copy, Debug)]
pub struct Play<'a> {
    /// The open piece; `None` is free play.
    pub piece: Option<Piece<'a>>,
    /// Where the music is and how it goes on.
    pub transport: Transport,
    /// Keys that are down.
    pub keys: Keys,
}

/// The open piece and what was judged so far in this practice.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The id in the library; changes when another piece is opened.
    pub id: &'a str,
    /// The notes.
    pub score: &'a Score,
    /// The title to show.
    pub title: &'a str,
    /// The composer, perhaps empty.
    pub composer: &'a str,
    /// The grade, where known.
    pub grade: Option<u8>,
    /// What became of each written note, by [`NoteId`]; may be shorter than the score.
    pub marks: &'a [Option<Mark>],
    /// Keys that were not written, in order of time.
    pub extras: &'a [Extra],
    /// The notes to press next.
    pub next: &'a [NoteId],
    /// The bars as they were played so far, or the last time through.
    pub bars: &'a [BarResult],
}

/// The verdict on a written note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Which.
    pub kind: VerdictKind,
    /// How far from its moment; negative is early. `None` where time is not judged.
    pub deviation: Option<Micros>,
}

/// A key that was not written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extra {
    /// Where in the piece, in ticks.
    pub tick: f64,
    /// Which key.
    pub pitch: Pitch,
}

/// Where the music is and how it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transport {
    /// What the person chose: mode, hands, tempo, loop, metronome, count-in.
    pub chosen: PracticeSettings,
    /// Whether time runs, or the music waits for keys.
    pub playing: bool,
    /// The place in score ticks; negative during a count-in.
    pub position: f64,
    /// Where the music was begun: before, it is counted in.
    pub begins: Ticks,
    /// Where the person stands on the tempo ladder, in a practice under way or of the last one.
    pub ladder: Option<Ladder>,
    /// Whether something was said about the hands of the piece.
    pub hands_edited: bool,
}

/// Keys that are down, one bit for each of 128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// By the person, from any device.
    pub live: u128,
    /// Of those, pressed wrongly.
    pub wrong: u128,
    /// By the program, right hand.
    pub right: u128,
    /// By the program, left hand.
    pub left: u128,
}

impl Keys {
    /// The bit of a key.
    pub const fn bit(pitch: Pitch) -> u128 {
        1 << pitch.key()
    }
}

/// A moment on the wall, as people say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalTime {
    /// Whole days before today; 0 is today, 1 yesterday.
    pub days_ago: i64,
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl LocalTime {
    /// The local date and time of `at`, seen from `now`, `offset` minutes east of Greenwich.
    pub fn new(at: WallMillis, now: WallMillis, offset: i32) -> Self {
        let shift = i64::from(offset) * 60_000;
        let (local, today) = (at.0 + shift, now.0 + shift);
        const DAY: i64 = 86_400_000;
        let days = local.div_euclid(DAY);
        let second = local.rem_euclid(DAY) / 1_000;
        // Days to a civil date, after Howard Hinnant's "chrono-compatible low-level date algorithms".
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Self {
            days_ago: today.div_euclid(DAY) - days,
            year: yoe + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (doy - (153 * mp + 2) / 5 + 1) as u8,
            hour: (second / 3_600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        }
    }
}

/// A take in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct TakeRow {
    /// The id, for commands.
    pub id: String,
    /// When it began.
    pub at: LocalTime,
    /// The piece's title; `None` is free play.
    pub piece: Option<String>,
    /// What the person calls it; empty if nothing.
    pub name: String,
    /// How it was played; `None` is free play.
    pub mode: Option<Mode>,
    /// Played notes.
    pub notes: u64,
    /// From the first to the last note.
    pub duration: Micros,
    /// How it stands.
    pub state: TakeState,
    /// Notes right of all that were due or wrongly played, where there is a result.
    pub result: Option<(u32, u32)>,
}

/// How a take stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeState {
    /// Being played now.
    Recording,
    /// To its end; free play has none and is always whole.
    Complete,
    /// Until the person stopped.
    Stopped,
    /// Until the program broke off.
    Interrupted,
    /// So many notes were lost on the way; it is not graded.
    Incomplete {
        /// How many.
        lost: u64,
    },
}

/// A practice in numbers, and what it was.
#[derive(Clone, Debug)]
pub struct ResultView {
    /// The take's id.
    pub take: String,
    /// The piece's id.
    pub piece: String,
    /// Its title.
    pub title: String,
    /// When.
    pub at: LocalTime,
    /// What the person chose.
    pub chosen: PracticeSettings,
    /// The numbers.
    pub result: Arc<TakeResult>,
    /// The tempo held, where the player set it.
    pub tempo: Option<Held>,
}

/// A tempo that a person held, in units of the metre a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// The tempo.
    pub held: f64,
    /// What was asked for.
    pub asked: f64,
    /// The unit: 4 is a quarter.
    pub unit: u8,
}

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

/// A value held by the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityRow {
    /// `kind/id`.
    pub key: String,
    /// Events accepted.
    pub version: u64,
    /// The value as text, one line.
    pub value: String,
}

/// One of two edits that met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The machine.
    pub device: u64,
    /// The event's number there.
    pub number: u64,
    /// When, if it is still in the log.
    pub at: Option<LocalTime>,
    /// Who did it.
    pub actor: String,
    /// What it said.
    pub payload: String,
}

/// Two edits whose authors had not seen each other's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictRow {
    /// What both edited.
    pub entity: String,
    /// The topic of the second.
    pub topic: String,
    /// What decided.
    pub strategy: String,
    /// Whether both edits stay.
    pub both: bool,
    /// The edit that stays.
    pub winner: Side,
    /// The other.
    pub loser: Side,
}

/// A version of an entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number.
    pub version: u64,
    /// The event that made it.
    pub seq: u64,
    /// When.
    pub at: LocalTime,
    /// The event's topic.
    pub topic: String,
    /// Who did it.
    pub actor: String,
    /// What it said.
    pub payload: String,
    /// The value after it, one line.
    pub value: String,
}

/// The event table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events<'a> {
    /// Those at hand that fit the filter, newest first.
    pub rows: &'a [Arc<dyn EventView>],
    /// Down to which event the log was searched for them.
    pub low: u64,
    /// The last event there is.
    pub end: u64,
    /// Minutes east of Greenwich, for times of day.
    pub offset: i32,
    /// Whether more are being looked for.
    pub searching: bool,
    /// The one that was chosen, as far as it is known already.
    pub chosen: Option<Chosen<'a>>,
}

/// The chosen event.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// The event.
    pub event: &'a Arc<dyn EventView>,
    /// When it got where.
    pub hops: Hops,
    /// What the log tells of it; `None` until it was read, and while the event is not durable.
    pub detail: Option<&'a EventDetail>,
}

/// When an event got where, on the program's monotonic clock; `None` where nothing is known, as of another run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hops {
    /// Played.
    pub played: Option<Micros>,
    /// Taken from its lane or from the commands, applied, visible to all.
    pub round: Option<Round>,
    /// Drawn in a frame.
    pub painted: Option<Micros>,
    /// On disk.
    pub durable: Option<Micros>,
}

/// What the log tells of an event.
#[derive(Clone, Debug)]
pub struct EventDetail {
    /// Its position.
    pub seq: u64,
    /// The event.
    pub event: Arc<dyn EventView>,
    /// When, by the clock on the wall.
    pub at: LocalTime,
    /// What it changed of its entity.
    pub changes: Vec<FieldChange>,
    /// What led to it, nearest first.
    pub causes: Vec<EventLink>,
    /// Whether `causes` goes back to where it all began.
    pub root_found: bool,
    /// What it led to.
    pub effects: Vec<EventLink>,
}

/// A field that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldChange {
    /// Where, such as `practice.tempo`; empty for the whole value.
    pub path: String,
    /// What it was; `None` if it was not there.
    pub before: Option<String>,
    /// What it is; `None` if it is gone.
    pub after: Option<String>,
}

/// Another event, by its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventLink {
    /// Its position.
    pub seq: u64,
    /// Its topic.
    pub topic: String,
    /// Its entity.
    pub entity: String,
    /// Who did it.
    pub actor: String,
}

/// How much a banner matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is missing.
    Warn,
    /// Something failed.
    Bad,
}

/// A calm line across the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Banner {
    /// For [`Command::DismissBanner`].
    pub id: u64,
    /// How much it matters.
    pub level: Level,
    /// What to know.
    pub text: String,
    /// A way out: the button's words and what it does.
    pub action: Option<(String, Command)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_become_local_dates() {
        let check = |at: i64, offset: i32, expected: (i64, u8, u8, u8, u8, i64)| {
            let t = LocalTime::new(WallMillis(at), WallMillis(1_709_251_200_000), offset);
            assert_eq!((t.year, t.month, t.day, t.hour, t.minute, t.days_ago), expected);
        };
        check(1_709_251_200_000, 0, (2024, 3, 1, 0, 0, 0));
        check(1_709_251_199_000, 0, (2024, 2, 29, 23, 59, 1));
        check(1_709_251_199_000, 60, (2024, 3, 1, 0, 59, 0));
        check(0, 0, (1970, 1, 1, 0, 0, 19_783));
    }
}
