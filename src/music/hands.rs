//! What a person says about the hands of a piece, where what was found by itself is wrong. Plain values, and the one
//! place that applies them.

use serde::{Deserialize, Serialize};

use super::{Hand, NoteId, Pitch, Score};

/// Bars by index, both included; `None` is the whole piece.
pub type EditedBars = Option<(u32, u32)>;

/// One thing that a person says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandEdit {
    /// A part belongs to a hand, or to neither: the program plays it.
    Part {
        /// Which part: see [`Score::parts`].
        part: u16,
        /// In these bars.
        bars: EditedBars,
        /// Whose it is.
        hand: Hand,
    },
    /// From a key up all is the right hand's, below it the left hand's; what is nobody's stays so.
    Split {
        /// The lowest key of the right hand.
        at: Pitch,
        /// In these bars.
        bars: EditedBars,
    },
    /// These notes belong to a hand, or to neither.
    Notes {
        /// Which, ascending.
        notes: Vec<NoteId>,
        /// Whose they are.
        hand: Hand,
    },
}

impl HandEdit {
    fn bars(&self) -> EditedBars {
        match self {
            Self::Part { bars, .. } | Self::Split { bars, .. } => *bars,
            Self::Notes { .. } => None,
        }
    }

    /// Whether nothing is left of an edit before when this one is applied.
    fn covers(&self, before: &Self) -> bool {
        let whole = |inner: EditedBars| match (self.bars(), inner) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(outer), Some(inner)) => outer.0 <= inner.0 && inner.1 <= outer.1,
        };
        match (self, before) {
            (Self::Part { part, .. }, Self::Part { part: same, bars, .. }) => part == same && whole(*bars),
            (Self::Split { .. }, Self::Split { bars, .. }) => whole(*bars),
            (Self::Notes { notes, .. }, Self::Notes { notes: inner, .. }) => {
                inner.iter().all(|id| notes.binary_search(id).is_ok())
            }
            _ => false,
        }
    }
}

/// Everything that a person said about a piece, in order; nothing means as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandEdits(Vec<HandEdit>);

impl HandEdits {
    /// Edits of one piece at most. Each covers any number of bars, and those that later ones cover are dropped.
    pub const EDITS_MAX: usize = 256;
    /// Single notes in all edits of a piece at most: more are better said by bars.
    pub const NOTES_MAX: usize = 4_096;

    /// These, in order, without those that later ones cover.
    pub fn new(edits: impl IntoIterator<Item = HandEdit>) -> Self {
        edits.into_iter().fold(Self::default(), |all, edit| all.with(edit))
    }

    /// One more.
    pub fn with(&self, mut edit: HandEdit) -> Self {
        if let HandEdit::Notes { notes, .. } = &mut edit {
            notes.sort_unstable();
            notes.dedup();
        }
        let kept = self.0.iter().filter(|before| !edit.covers(before)).cloned();
        Self(kept.chain([edit.clone()]).collect())
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &HandEdit> {
        self.0.iter()
    }

    /// Refuses more than is kept.
    ///
    /// # Errors
    /// More than [`Self::EDITS_MAX`] edits, or [`Self::NOTES_MAX`] single notes.
    pub fn check(&self) -> Result<(), &'static str> {
        let notes: usize =
            self.0.iter().map(|edit| if let HandEdit::Notes { notes, .. } = edit { notes.len() } else { 0 }).sum();
        if self.0.len() > Self::EDITS_MAX {
            return Err("the hands of a piece can be changed in 256 places");
        }
        if notes > Self::NOTES_MAX {
            Err("4096 single notes can be given to another hand; choose bars instead")
        } else {
            Ok(())
        }
    }

    /// Whose each note is. What is said about parts or notes that the score does not have changes nothing.
    pub fn hands(&self, score: &Score) -> Vec<Hand> {
        let mut hands: Vec<Hand> = score.notes().iter().map(|note| note.hand).collect();
        for edit in &self.0 {
            self::apply(edit, score, &mut hands);
        }
        hands
    }
}

fn apply(edit: &HandEdit, score: &Score, hands: &mut [Hand]) {
    let inside = |bars: EditedBars, index: usize| {
        let bar = || score.bars().index_at(score.notes()[index].onset) as u32;
        bars.is_none_or(|(first, last)| (first..=last).contains(&bar()))
    };
    match edit {
        HandEdit::Part { part, bars, hand } => {
            for index in (0..hands.len()).filter(|index| score.part_of(NoteId(*index as u32)) == *part) {
                if inside(*bars, index) {
                    hands[index] = *hand;
                }
            }
        }
        HandEdit::Split { at, bars } => {
            for (index, note) in score.notes().iter().enumerate() {
                if hands[index] != Hand::Neither && inside(*bars, index) {
                    hands[index] = if note.pitch >= *at { Hand::Right } else { Hand::Left };
                }
            }
        }
        HandEdit::Notes { notes, hand } => {
            for id in notes {
                if let Some(of) = hands.get_mut(id.0 as usize) {
                    *of = *hand;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{ScoreParts, WrittenNote};
    use crate::time::Ticks;

    /// Two bars of four quarters; keys and the part of each.
    fn score(keys: &[(u8, u16)]) -> Score {
        let note = |(at, (key, _)): (usize, &(u8, u16))| WrittenNote {
            onset: Ticks(at as i64 * 480),
            end: Ticks(at as i64 * 480 + 480),
            pitch: Pitch::from_data_byte(*key),
            hand: Hand::Right,
            velocity: 80,
        };
        Score::new(ScoreParts {
            resolution: 480,
            notes: keys.iter().enumerate().map(note).collect(),
            part_names: vec!["flute".to_owned(), "piano".to_owned()],
            note_parts: keys.iter().map(|(_, part)| *part).collect(),
            ..Default::default()
        })
    }

    fn check(edits: &[HandEdit], expected: &str) {
        let score = score(&[(60, 0), (62, 1), (64, 0), (65, 1), (48, 1), (50, 1), (72, 0), (74, 0)]);
        let letter = |hand| match hand {
            Hand::Right => 'R',
            Hand::Left => 'L',
            Hand::Neither => '-',
        };
        let hands: String = HandEdits::new(edits.to_vec()).hands(&score).into_iter().map(letter).collect();
        assert_eq!(hands, expected, "{edits:?}");
    }

    #[test]
    fn parts_splits_and_notes_are_given_to_hands_in_the_order_said() {
        let part = |part, bars, hand| HandEdit::Part { part, bars, hand };
        let split = |key, bars| HandEdit::Split { at: Pitch::from_data_byte(key), bars };
        let notes = |ids: &[u32], hand| HandEdit::Notes { notes: ids.iter().copied().map(NoteId).collect(), hand };
        check(&[], "RRRRRRRR");
        check(&[split(64, None)], "LLRRLLRR");
        check(&[split(64, Some((1, 1)))], "RRRRLLRR");
        check(&[part(0, None, Hand::Neither)], "-R-RRR--");
        check(&[part(0, None, Hand::Neither), split(63, None)], "-L-RLL--");
        check(&[part(1, Some((0, 0)), Hand::Left), notes(&[3, 7, 99], Hand::Right)], "RLRRRRRR");
        check(&[notes(&[0], Hand::Left), split(60, None)], "RRRRLLRR");
        check(&[part(9, None, Hand::Left)], "RRRRRRRR");
    }

    #[test]
    fn what_is_covered_by_a_later_edit_is_dropped() {
        let split = |key, bars| HandEdit::Split { at: Pitch::from_data_byte(key), bars };
        let mut edits = HandEdits::default();
        for key in 40..80 {
            edits = edits.with(split(key, Some((2, 4))));
        }
        assert_eq!(edits.iter().count(), 1, "one movement of a slider");
        edits = edits.with(split(60, Some((3, 3))));
        assert_eq!(edits.iter().count(), 2);
        assert_eq!(edits.with(split(55, None)).iter().count(), 1);
        let notes = |ids: std::ops::Range<u32>| HandEdit::Notes { notes: ids.map(NoteId).collect(), hand: Hand::Left };
        assert_eq!(edits.with(notes(0..3)).with(notes(0..9)).iter().count(), 3);
        assert_eq!(edits.with(notes(0..4_097)).check().map_err(|e| e.len() > 10), Err(true));
        assert_eq!(edits.check(), Ok(()));
    }
}
