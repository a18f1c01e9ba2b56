//! What the Play screen shows: the piece, what became of its notes, the transport, and the keys that are down.

use crate::music::{NoteId, Pitch, Score};
use crate::practice::ladder::Ladder;
use crate::practice::result::BarResult;
use crate::practice::{PracticeSettings, VerdictKind};
use crate::time::{Micros, Ticks};

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
    /// Whether the music waits for the first key of all: that begins it, and nothing else need be pressed.
    pub armed: bool,
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
