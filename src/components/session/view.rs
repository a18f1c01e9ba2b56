//! What the window shows of the session.

use std::sync::Arc;

use super::super::marks::NoteMark;
use super::OnStand;
use crate::listen::Awaited;
use crate::model::{TakeId, TakeStart};
use crate::music::{NoteId, Pitch};
use crate::practice::PracticeSettings;
use crate::practice::ladder::Ladder;
use crate::practice::result::{BarResult, TakeResult};
use crate::time::{Micros, Ticks};

/// What the window shows of the session. Rebuilt when something changes.
#[derive(Clone, Default)]
pub struct SessionView {
    /// The piece.
    pub piece: Option<OnStand>,
    /// How it is practised.
    pub settings: PracticeSettings,
    /// Whether a take of the piece is being judged.
    pub judging: bool,
    /// Whether the transport was started and has not come to its end.
    pub playing: bool,
    /// Whether it waits for the first key of the practice.
    pub armed: bool,
    /// Where the music was begun: before, it is counted in.
    pub begins: Ticks,
    /// *Wait for me*: the written notes that are needed now and not yet played.
    pub needed: Vec<NoteId>,
    /// *Wait for me*: the keys of the whole group that is waited for, until the last of them was played, and those that
    /// have not been played yet.
    pub awaited: Awaited,
    /// A mark for each written note of the present pass.
    pub marks: Vec<Option<NoteMark>>,
    /// Keys that are not written, and where the music stood.
    pub extras: Vec<(Pitch, Ticks)>,
    /// The latest wrong key, and when.
    pub wrong: Option<(Pitch, Micros)>,
    /// The bars as they were played so far, or in the last take.
    pub bars: Arc<[BarResult]>,
    /// The result of the last take.
    pub result: Option<Arc<TakeResult>>,
    /// The last take that was judged, once it has ended.
    pub finished: Option<Finished>,
    /// Where the person stands on the tempo ladder.
    pub ladder: Option<Ladder>,
}

/// A take that was judged and has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its name.
    pub take: TakeId,
    /// How it began.
    pub start: TakeStart,
    /// Whether it came to the end of its range.
    pub completed: bool,
}
