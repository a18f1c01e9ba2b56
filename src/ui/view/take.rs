//! A take in full, as its screen and the screen of results show it.

use super::LocalTime;
use crate::music::{Hand, Pitch};
use crate::practice::expression::Expression;
use crate::practice::story::Story;
use crate::practice::{Mode, VerdictKind};
use crate::time::Micros;

/// What was played in a take, and what became of it. All times count from its first message.
#[derive(Clone, Debug, PartialEq)]
pub struct TakeView {
    /// The take's id.
    pub id: String,
    /// When it began.
    pub at: LocalTime,
    /// The piece's title; `None` is free play.
    pub piece: Option<String>,
    /// How it was played; `None` is free play.
    pub mode: Option<Mode>,
    /// From the first message to the last.
    pub length: Micros,
    /// What was played, by onset.
    pub notes: Vec<RollNote>,
    /// What was written, by time.
    pub written: Vec<RollWritten>,
    /// Why each note was judged so, by time; empty in free play.
    pub stories: Vec<Story>,
    /// How it was played beyond right and wrong.
    pub expression: Option<Expression>,
    /// Right notes and written ones of the result that is kept, where today's rules find something else.
    pub kept_result: Option<(u32, u32)>,
}

/// A played note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollNote {
    /// When.
    pub at: Micros,
    /// How long the key was down.
    pub duration: Micros,
    /// The key.
    pub pitch: Pitch,
    /// How hard, 1 to 127.
    pub velocity: u8,
    /// The hand, where a written note tells.
    pub hand: Option<Hand>,
    /// What was found of it.
    pub kind: Option<VerdictKind>,
}

/// A written note, where it belonged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollWritten {
    /// When it was due.
    pub at: Micros,
    /// Until when.
    pub end: Micros,
    /// The key.
    pub pitch: Pitch,
    /// The hand.
    pub hand: Hand,
    /// What became of it.
    pub kind: VerdictKind,
}

/// The take that is played now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listening<'a> {
    /// Its id.
    pub take: &'a str,
    /// The place, from its first message on.
    pub at: Micros,
}
