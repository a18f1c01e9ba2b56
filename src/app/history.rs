//! Undo and redo of what a person did on purpose: settings, and how a piece is practised. Pure.

use crate::model::{OutputUse, PieceId, Setting, TakeId};
use crate::practice::PracticeSettings;

/// Changes that are remembered; nobody goes further back.
const KEPT: usize = 100;

/// A piece that gets a tag, or loses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagEdit {
    /// Which piece.
    pub piece: PieceId,
    /// Which tag.
    pub tag: String,
    /// Whether it has it afterwards.
    pub on: bool,
}

/// A change that can be taken back.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A setting.
    Setting {
        /// Before.
        from: Setting,
        /// After.
        to: Setting,
    },
    /// How a piece is practised.
    Practice {
        /// Which piece.
        piece: PieceId,
        /// Before.
        from: PracticeSettings,
        /// After.
        to: PracticeSettings,
    },
    /// A take taken off the list, or put back.
    Discard {
        /// Which.
        take: TakeId,
        /// Whether it is off the list afterwards.
        discarded: bool,
    },
    /// A take named.
    Name {
        /// Which.
        take: TakeId,
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// Tags that pieces got or lost, favourites among them.
    Tags(Vec<TagEdit>),
    /// A folder that is looked through for pieces, or no longer.
    Folder {
        /// Its path.
        path: String,
        /// Whether it is afterwards.
        watched: bool,
    },
    /// A MIDI input switched on or off.
    Midi {
        /// Its identity.
        input: String,
        /// Whether it is used afterwards.
        enabled: bool,
    },
    /// What a MIDI output is used for.
    Output {
        /// Its identity.
        output: String,
        /// Before.
        from: OutputUse,
        /// After.
        to: OutputUse,
    },
}

impl Change {
    /// The way back.
    pub fn inverse(&self) -> Self {
        match self.clone() {
            Self::Setting { from, to } => Self::Setting { from: to, to: from },
            Self::Practice { piece, from, to } => Self::Practice { piece, from: to, to: from },
            Self::Discard { take, discarded } => Self::Discard { take, discarded: !discarded },
            Self::Midi { input, enabled } => Self::Midi { input, enabled: !enabled },
            Self::Output { output, from, to } => Self::Output { output, from: to, to: from },
            Self::Name { take, from, to } => Self::Name { take, from: to, to: from },
            Self::Tags(edits) => {
                Self::Tags(edits.into_iter().rev().map(|edit| TagEdit { on: !edit.on, ..edit }).collect())
            }
            Self::Folder { path, watched } => Self::Folder { path, watched: !watched },
        }
    }

    /// Joins a change to the one before when both are steps of one movement of a slider.
    fn absorbs(&mut self, next: &Self) -> bool {
        match (self, next) {
            (Self::Setting { to, .. }, Self::Setting { from, to: last }) if to == from && to.is_gradual() => {
                *to = last.clone();
                true
            }
            (Self::Practice { piece, from: first, to }, Self::Practice { piece: same, from, to: last })
                if piece == same && to == from && only_tempo(first, to) && only_tempo(from, last) =>
            {
                *to = *last;
                true
            }
            _ => false,
        }
    }
}

fn only_tempo(a: &PracticeSettings, b: &PracticeSettings) -> bool {
    PracticeSettings { tempo: b.tempo, ..*a } == *b
}

impl Change {
    fn is_of(&self, of: TakeId) -> bool {
        matches!(self, Self::Discard { take, .. } | Self::Name { take, .. } if *take == of)
    }
}

/// What was done, and what was taken back.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: Vec<Change>,
    undone: Vec<Change>,
}

impl History {
    /// Remembers a change; what was taken back can then no longer be done again.
    pub fn push(&mut self, change: Change) {
        self.undone.clear();
        if self.done.last_mut().is_some_and(|last| last.absorbs(&change)) {
            return;
        }
        self.done.push(change);
        if self.done.len() > KEPT {
            self.done.remove(0);
        }
    }

    /// What was done to a take that is gone for ever cannot be taken back.
    pub fn forget(&mut self, take: TakeId) {
        self.done.retain(|change| !change.is_of(take));
        self.undone.retain(|change| !change.is_of(take));
    }

    /// The change to apply to take the last one back.
    pub fn undo(&mut self) -> Option<Change> {
        let change = self.done.pop()?;
        let back = change.inverse();
        self.undone.push(change);
        Some(back)
    }

    /// The change to apply to do it again.
    pub fn redo(&mut self) -> Option<Change> {
        let change = self.undone.pop()?;
        self.done.push(change.clone());
        Some(change)
    }

    /// What undo would take back.
    pub fn next_undo(&self) -> Option<&Change> {
        self.done.last()
    }

    /// What redo would do again.
    pub fn next_redo(&self) -> Option<&Change> {
        self.undone.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ThemeChoice;

    fn theme(from: ThemeChoice, to: ThemeChoice) -> Change {
        Change::Setting { from: Setting::Theme(from), to: Setting::Theme(to) }
    }

    fn volume(from: u8, to: u8) -> Change {
        Change::Setting { from: Setting::VolumePiano(from), to: Setting::VolumePiano(to) }
    }

    #[test]
    fn what_is_undone_can_be_redone_until_something_else_is_done() {
        let mut history = History::default();
        let change = theme(ThemeChoice::Dark, ThemeChoice::Light);
        history.push(change.clone());
        assert_eq!(history.undo(), Some(change.inverse()));
        assert_eq!(history.redo(), Some(change.clone()));
        assert_eq!(history.undo(), Some(change.inverse()));
        history.push(volume(80, 70));
        assert_eq!(history.redo(), None);
    }

    #[test]
    fn a_tag_that_was_renamed_gets_its_name_back_in_the_other_order() {
        let edit = |tag: &str, on| TagEdit { piece: PieceId("a".into()), tag: tag.to_owned(), on };
        let mut history = History::default();
        history.push(Change::Tags(vec![edit("old", false), edit("new", true)]));
        assert_eq!(history.undo(), Some(Change::Tags(vec![edit("new", false), edit("old", true)])));
        assert_eq!(history.redo(), Some(Change::Tags(vec![edit("old", false), edit("new", true)])));
        history.push(Change::Folder { path: "/a".to_owned(), watched: true });
        assert_eq!(history.undo(), Some(Change::Folder { path: "/a".to_owned(), watched: false }));
    }

    #[test]
    fn one_movement_of_a_slider_is_one_change() {
        let mut history = History::default();
        for step in [(80, 79), (79, 75), (75, 60)] {
            history.push(volume(step.0, step.1));
        }
        assert_eq!(history.undo(), Some(volume(60, 80)));
        assert_eq!(history.undo(), None);
        history.push(theme(ThemeChoice::Dark, ThemeChoice::Light));
        history.push(theme(ThemeChoice::Light, ThemeChoice::Dark));
        assert_eq!(history.undo(), Some(theme(ThemeChoice::Dark, ThemeChoice::Light)), "choices stay apart");
    }
}
