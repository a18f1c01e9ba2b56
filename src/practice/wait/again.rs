//! Whether a player who is waited for plays a bar again from its beginning. One key could be any wrong key; of three
//! onsets in their order from the beginning of a bar nobody would say so.

use super::ahead::Ahead;
use super::groups::Group;
use crate::music::Pitch;
use crate::practice::types::Verdict;

/// So many onsets in a row are a bar begun again.
const ONSETS: usize = 3;
/// It is this bar, or so many before it.
const BARS_BACK: usize = 4;

/// What a key is to a bar that is played again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Nothing.
    None,
    /// It may begin one, or go on with what may be one.
    Maybe,
    /// It goes on with one.
    Sure,
}

/// The bars that may be played again, and the wrong keys that would be none then.
#[derive(Clone, Debug, Default)]
pub(super) struct Again {
    /// For each its first group, and where the player is in it.
    bars: Vec<(usize, Ahead)>,
    pub(super) pending: Vec<Verdict>,
}

impl Again {
    /// No bar is played again.
    pub(super) fn forget(&mut self) {
        self.bars.clear();
    }

    /// A key was struck while a group was waited for.
    pub(super) fn strike(&mut self, groups: &[Group], at: usize, pitch: Pitch) -> Fit {
        self.bars.retain_mut(|(_, place)| place.goes_on(groups, pitch));
        if self.bars.is_empty() {
            let bars = begins(groups, at).map(|group| (group, Ahead::new(groups, group)));
            self.bars
                .extend(bars.filter_map(|(group, mut place)| place.goes_on(groups, pitch).then_some((group, place))));
        }
        match self.bars.iter().map(|(first, place)| place.onsets_since(*first)).max() {
            None => Fit::None,
            Some(onsets) if onsets < ONSETS => Fit::Maybe,
            Some(_) => Fit::Sure,
        }
    }
}

/// The first groups of the bar of a group and of those before it, the nearest first, as far as they lie before it.
fn begins(groups: &[Group], at: usize) -> impl Iterator<Item = usize> + '_ {
    let here = groups.get(at).map_or(0, |group| group.bar);
    let begins =
        move |group: &usize| group.checked_sub(1).is_none_or(|before| groups[before].bar != groups[*group].bar);
    let near = (0..at.min(groups.len())).rev().take_while(move |group| groups[*group].bar + BARS_BACK >= here);
    near.filter(begins)
}
