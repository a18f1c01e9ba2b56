//! The way back through a search: which group each key-down was found in, and where the player leapt.

use super::path::{Column, FORWARD, HEARD, JUMPED, Layout, STRAY, State};

/// Where key-downs were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    /// The group of each.
    pub(super) groups: Vec<usize>,
    /// Whether the player leapt there.
    pub(super) leaps: Vec<bool>,
}

impl Path {
    /// So many key-downs in the first group, as nothing is known of them.
    pub(super) fn unknown(len: usize) -> Self {
        Self { groups: vec![0; len], leaps: vec![false; len] }
    }

    /// One goes on with another one.
    pub(super) fn extend(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.leaps.extend(other.leaps);
    }
}

/// What a key-down left in a trail: the first group, the best state, and where its steps and leaves begin.
#[derive(Clone, Copy, Debug)]
struct Head {
    base: usize,
    best: State,
    steps: usize,
    leave: usize,
}

/// For each key-down the best state, and for all states the step by which each was entered.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    heads: Vec<Head>,
    steps: Vec<u8>,
    leave: Vec<u8>,
}

impl Trail {
    pub(super) fn push(&mut self, column: &Column) {
        let (steps, leave) = (self.steps.len(), self.leave.len());
        self.heads.push(Head { base: column.base, best: column.best, steps, leave });
        self.steps.extend_from_slice(&column.steps);
        self.leave.extend_from_slice(&column.leave);
    }

    /// Nothing is known of what was played.
    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.steps.clear();
        self.leave.clear();
    }

    /// Forgets all but the latest key-downs when there are twice as many; whether it did.
    pub(super) fn keep(&mut self, latest: usize) -> bool {
        if self.heads.len() < 2 * latest {
            return false;
        }
        let old = self.heads.len() - latest;
        let Head { steps, leave, .. } = self.heads[old];
        self.heads.drain(..old);
        self.steps.drain(..steps);
        self.leave.drain(..leave);
        for head in &mut self.heads {
            head.steps -= steps;
            head.leave -= leave;
        }
        true
    }

    /// Follows the steps back from the best state after so many key-downs.
    pub(super) fn path(&self, layout: &Layout, upto: usize) -> Path {
        let mut path = Path::unknown(upto);
        self.back(layout, upto, |index, group, leapt| {
            (path.groups[index], path.leaps[index]) = (group, leapt);
            true
        });
        path
    }

    /// Tells each key-down's index, group, and whether the player leapt there, from the last of so many back to the first,
    /// as long as it is asked for.
    pub(super) fn back(&self, layout: &Layout, upto: usize, mut tell: impl FnMut(usize, usize, bool) -> bool) {
        let Some(&Head { best: mut state, .. }) = self.heads[..upto].last() else { return };
        for (index, head) in self.heads[..upto].iter().enumerate().rev() {
            let step = self.steps[head.steps + layout.first[state.group] - layout.first[head.base] + state.heard];
            let goes_on = tell(index, state.group, step == JUMPED);
            let Some(before) = index.checked_sub(1).map(|i| &self.heads[i]).filter(|_| goes_on) else { return };
            state = match step {
                HEARD => State { heard: state.heard - 1, ..state },
                STRAY => state,
                JUMPED => before.best,
                forward => {
                    let group = state.group - usize::from(forward - FORWARD);
                    State { group, heard: usize::from(self.leave[before.leave + group - before.base]) }
                }
            };
        }
    }

    /// How many key-downs are known.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }
}
