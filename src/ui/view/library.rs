//! What the library shows: pieces, the folders they come from, and how an import goes.

use std::path::PathBuf;
use std::sync::Arc;

use super::LocalTime;
use crate::music::{Hand, KeySignature};
use crate::practice::{BarRange, Mode};
use crate::time::{Micros, WallMillis};
use crate::ui::query::Selection;

/// Pieces to choose from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Library<'a> {
    /// Every piece, in no order that means anything.
    pub rows: &'a [Arc<PieceRow>],
    /// What the person's query selects of them, in order; `None` until it was looked up the first time.
    pub list: Option<&'a Selection>,
    /// The folders that are watched.
    pub folders: &'a [FolderRow],
    /// An import that runs.
    pub import: Option<&'a Import>,
    /// What came of the imports so far.
    pub tally: Tally,
    /// Files that are no music or cannot be read, and why.
    pub refused: &'a [(String, String)],
}

/// What came of the imports since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pieces that became known.
    pub found: usize,
    /// Files whose pieces were known already.
    pub known: usize,
    /// Files that were refused, those that are not listed included.
    pub refused: usize,
    /// Files that were left unread because a person broke it off.
    pub left: usize,
}

/// A folder that is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderRow {
    /// Its path.
    pub path: String,
    /// Files in it that may hold a piece.
    pub files: usize,
    /// Why it cannot be looked at now.
    pub away: Option<String>,
    /// Pieces whose files were in it and are not there now.
    pub missing: usize,
    /// Whether it holds more than is looked at.
    pub cut: bool,
}

/// An import that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Files read.
    pub done: usize,
    /// Files to read.
    pub of: usize,
    /// The file at hand.
    pub file: String,
}

/// A piece in the library.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PieceRow {
    /// The id, for [`Command::OpenPiece`](crate::ui::Command::OpenPiece).
    pub id: String,
    /// The title.
    pub title: String,
    /// The composer, perhaps empty.
    pub composer: String,
    /// The grade, where known.
    pub grade: Option<u8>,
    /// The grade as it is estimated from the notes, where they are known.
    pub estimate: Option<u8>,
    /// The first key signature.
    pub key: Option<KeySignature>,
    /// The first time signature: beats and unit.
    pub meter: Option<(u8, u8)>,
    /// How many bars; 0 while it is not known.
    pub bars: u32,
    /// The length at full speed.
    pub duration: Micros,
    /// Where the file is; `None` for a built-in piece.
    pub path: Option<PathBuf>,
    /// Whether its file is no longer there.
    pub missing: bool,
    /// Whether it comes with the program.
    pub builtin: bool,
    /// When it was opened last, for files.
    pub opened: WallMillis,
    /// Whether it is a favourite.
    pub favourite: bool,
    /// The words by which a person finds it again, sorted, the favourites' own left out.
    pub tags: Vec<String>,
    /// How long it was practised, on all machines.
    pub practised: Micros,
    /// The newest result.
    pub last: Option<LastResult>,
    /// The best result of the whole piece, of the most telling kind that there is.
    pub best: Option<LastResult>,
    /// The best results of its other kinds.
    pub other_bests: Vec<LastResult>,
    /// When it was practised last.
    pub last_at: WallMillis,
    /// Shares right of the last results that can be compared with each other, 0 to 1, oldest first.
    pub curve: Vec<f32>,
    /// What those are results of.
    pub curve_of: Option<Series>,
    /// Passes through it or a part of it, all takes together.
    pub passes: u32,
    /// The greatest tempo, in percent, that a person kept through the whole piece with nearly all right.
    pub tempo: Option<u16>,
    /// What is searched: everything one may remember of it, folded.
    pub search: String,
    /// What it is sorted by: the title and the composer, folded.
    pub sort: (String, String),
}

impl PieceRow {
    /// The grade, or what is estimated.
    pub fn any_grade(&self) -> Option<u8> {
        self.grade.or(self.estimate)
    }

    /// Whether it was ever practised.
    pub fn is_practised(&self) -> bool {
        self.last.is_some() || self.practised > Micros::ZERO
    }
}

/// What a result measures: of two results the better can be told within one only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Notes that come in their time or are missed.
    #[default]
    Timed,
    /// Notes that were waited for.
    Untimed,
    /// Any key in time.
    Rhythm,
}

/// What was practised in the same way, so that one result can be compared with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// How it was played.
    pub mode: Mode,
    /// The hand that was practised alone.
    pub hand: Option<Hand>,
    /// These bars over and over; the whole piece without.
    pub bars: Option<BarRange>,
}

/// A result of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LastResult {
    /// When.
    pub at: LocalTime,
    /// What it measures.
    pub measure: Measure,
    /// The hand that was practised alone.
    pub hand: Option<Hand>,
    /// Notes right.
    pub right: u32,
    /// Notes due or wrongly played.
    pub of: u32,
    /// How many bars were reached, where it was not the whole piece.
    pub part: Option<u32>,
}

impl LastResult {
    /// The share of notes that were right, 0 to 1.
    pub fn share(&self) -> f32 {
        if self.of == 0 { 0.0 } else { self.right as f32 / self.of as f32 }
    }
}
