//! Where a player is who has left something out and gone on: what they play there is right, though the page waits.

use super::groups::Group;
use crate::music::Pitch;

/// A place in the groups after the one that is waited for, and what was struck of it.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    pub(super) group: usize,
    struck: Vec<bool>,
}

impl Ahead {
    /// Before a group.
    pub(super) fn new(groups: &[Group], group: usize) -> Self {
        Self { group, struck: vec![false; groups.get(group).map_or(0, |g| g.keys.len())] }
    }

    /// Whether a key goes on from here: it belongs to the group, or to the next one once this one was begun. If so, it
    /// does.
    pub(super) fn goes_on(&mut self, groups: &[Group], pitch: Pitch) -> bool {
        if self.strike(groups, pitch) {
            return true;
        }
        let begun = self.struck.contains(&true);
        let mut next = Self::new(groups, self.group + 1);
        if begun && next.strike(groups, pitch) {
            *self = next;
            return true;
        }
        false
    }

    /// How many groups were begun since a group, that one included.
    pub(super) fn onsets_since(&self, first: usize) -> usize {
        self.group - first + usize::from(self.struck.contains(&true))
    }

    fn strike(&mut self, groups: &[Group], pitch: Pitch) -> bool {
        let Some(group) = groups.get(self.group) else { return false };
        let open = |&(index, key): &(usize, &super::groups::Key)| key.pitch == pitch && !self.struck[index];
        let Some((index, _)) = group.keys.iter().enumerate().find(open) else { return false };
        self.struck[index] = true;
        if self.struck.iter().zip(&group.keys).all(|(struck, key)| *struck || key.optional) {
            *self = Self::new(groups, self.group + 1);
        }
        true
    }
}
