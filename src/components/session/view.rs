//! What the window shows of the session.

use std::sync::Arc;

use super::super::marks::NoteMark;
use super::OnStand;
use crate::listen::Awaited;
use crate::model::{TakeId, TakeStart};
use crate::music::{NoteId, Pitch};
use crate::practice::PracticeSettings;
use crate::practice::ladder::Ladder;
use crate::practice::result::TakeResult;
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
    /// *Wait for me*: the written notes that are needed now and not yet played.
    pub needed: Vec<NoteId>,
    /// A mark for each written note of the present pass.
    pub marks: Vec<Option<NoteMark>>,
    /// Keys that are not written, and where the music stood.
    pub extras: Vec<(Pitch, Ticks)>,
    /// The latest wrong key, and when.
    pub wrong: Option<(Pitch, Micros)>,
    /// The result so far, or of the last take.
    pub result: Option<Arc<TakeResult>>,
    /// The last take that was judged, once it has ended.
    pub finished: Option<Finished>,
    /// Where the person stands on the tempo ladder.
    pub ladder: Option<Ladder>,
}

impl SessionView {
    /// *Wait for me*: the keys of the whole onset that is waited for, one bit each, until the last of them was played.
    pub fn awaited_keys(&self) -> u128 {
        let Some(notes) = self.piece.as_ref().map(|piece| piece.score.notes()) else { return 0 };
        let next = self.needed.first().and_then(|id| notes.get(id.0 as usize));
        let Some(onset) = next.map(|note| note.onset) else { return 0 };
        let awaited = notes.iter().filter(|note| note.onset == onset && self.settings.is_mine(note));
        awaited.fold(0, |keys, note| keys | 1 << note.pitch.key())
    }

    /// The same keys, and which of them have not been played yet.
    pub fn awaited(&self) -> Awaited {
        let notes = self.piece.as_ref().map_or(&[][..], |piece| piece.score.notes());
        let needed = self.needed.iter().filter_map(|id| notes.get(id.0 as usize));
        Awaited { keys: self.awaited_keys(), needed: needed.fold(0, |keys, note| keys | 1 << note.pitch.key()) }
    }
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
