//! What one frame of the window is drawn from: plain values, borrowed, made by the program for each frame.
//! Nothing here reads a clock or formats a text; see `text` for words.

use std::path::Path;

use crate::bus::inspect::Report;
pub use crate::bus::inspect::{Failure, Lab};
use crate::practice::recital::Voice;
use crate::time::WallMillis;

pub use crate::model::{CalibrationStand, NoteNames, PlayView, Settings, StaffLayout, ThemeChoice};

use super::command::Command;

mod devices;
mod inspector;
mod library;
mod play;
mod rescue;
mod take;

pub use devices::*;
pub use inspector::*;
pub use library::*;
pub use play::*;
pub use rescue::*;
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
    /// Ways out, the first one the best: a button's words and what it does.
    pub actions: Vec<(String, Command)>,
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
