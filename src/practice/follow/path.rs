//! The place in the score for every key-down: the cheapest path through the onset groups, found by dynamic
//! programming over key-downs (Viterbi). A state is a group and how many of its notes have been heard. Costs are in
//! nats: about minus the logarithm of how likely a thing is.

use std::ops::Range;

use super::whereabouts::Whereabouts;
use super::{OTHER_HAND, Piece, copies};
use crate::practice::types::PlayedNote;
use crate::time::Micros;

/// How many groups around the best one are kept in mind at each key-down: a dozen bars to both sides.
const NEAR_WINDOW: usize = 96;
/// Of a whole take as many more as make so many groups, all key-downs together: of most pieces all.
const TAKE_WINDOW: usize = 1_000_000;
/// The same around a place that was found before.
const REFINE_WINDOW: usize = 32;

/// A key-down whose pitch the group does not have.
const FOREIGN: f32 = 5.0;
/// The same when the group before or after has it: hands are seldom exactly together.
const NEAR: f32 = 4.0;
/// A key of the hand that is not practised.
const OTHER: f32 = 1.0;
/// For each note of a group that was not heard when the player went on.
const MISS: f32 = 3.0;
/// The most that a group costs of which a part was heard: what is left out of a chord is left out for one reason, and be
/// it that the other hand rests.
const PART_MAX: f32 = 5.0;
/// The most that a group which was passed over altogether costs.
const SKIP_MAX: f32 = 8.0;
/// The most groups gone forward in one step that is no jump.
pub(super) const FORWARD_MAX: usize = 7;
/// Going anywhere: a repeated bar, a restart. What costs so much more than the best state is forgotten: it can be gone to
/// again.
const JUMP: f32 = 25.0;
/// The most that beginning elsewhere costs.
const START_MAX: f32 = 15.0;
/// Staying in a group costs this much a second since the key-down before, and at most [`LINGER_MAX`]: chords may be
/// rolled, slowly at the end of a piece.
const LINGER: f32 = 8.0;
const LINGER_MAX: f32 = 2.5;
/// Going on this soon after the key-down before (in seconds) is unlikely.
const RUSH_SECONDS: f32 = 0.05;
const RUSH: f32 = 3.0;

/// Where the tempo is known, going on costs [`RHYTHM`] for each time the moment is off by the tolerance: a share of the
/// time expected, and a constant in seconds. At most [`RHYTHM_MAX`].
const RHYTHM: f32 = 1.0;
const RHYTHM_MAX: f32 = 4.0;
const RHYTHM_SHARE: f32 = 0.15;
const RHYTHM_SECONDS: f32 = 0.06;

/// How a state was entered: one more note of the group heard, a foreign note in it, so many groups forward (plus
/// [`FORWARD`]), or a jump.
const HEARD: u8 = 0;
const STRAY: u8 = 1;
const FORWARD: u8 = 1;
const JUMPED: u8 = 255;

/// A group and how many of its notes have been heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) group: usize,
    pub(super) heard: usize,
}

/// What is known after a key-down, of the groups from `base` on.
#[derive(Clone, Debug, Default)]
struct Column {
    base: usize,
    /// For each state what it costs, when its group was entered, and by which step.
    costs: Vec<f32>,
    entered: Vec<Micros>,
    steps: Vec<u8>,
    /// For each group how many of its notes are heard in the state that is best to leave it from.
    leave: Vec<u8>,
    /// For each group the cost of its best state; infinite if it was forgotten.
    least: Vec<f32>,
    best: State,
    best_cost: f32,
}

impl Column {
    /// Nothing is known of so many groups with so many states.
    fn clear(&mut self, base: usize, groups: usize, states: usize) {
        self.base = base;
        (self.best, self.best_cost) = (State::default(), f32::INFINITY);
        fill(&mut self.costs, states, f32::INFINITY);
        fill(&mut self.entered, states, Micros::ZERO);
        fill(&mut self.steps, states, STRAY);
        fill(&mut self.leave, groups, 0);
        fill(&mut self.least, groups, f32::INFINITY);
    }
}

fn fill<T: Clone>(values: &mut Vec<T>, len: usize, value: T) {
    values.clear();
    values.resize(len, value);
}

/// The states in order: for each group those from nothing heard to everything heard.
#[derive(Clone, Debug)]
struct Layout {
    first: Vec<usize>,
}

impl Layout {
    fn new(piece: &Piece) -> Self {
        let mut first = vec![0];
        for group in 0..piece.groups.len() {
            // So many notes of a group are counted; a chord has ten.
            first.push(first[group] + piece.group_notes(group).len().min(32) + 1);
        }
        Self { first }
    }

    /// How many notes of a group are counted.
    fn heard_max(&self, group: usize) -> usize {
        self.first[group + 1] - self.first[group] - 1
    }

    /// Where the states of a group lie in a column, if they do.
    fn states(&self, column: &Column, group: usize) -> Range<usize> {
        let is_within = (column.base..column.base + column.leave.len()).contains(&group);
        let at = |group: usize| self.first[group] - self.first[column.base];
        if is_within { at(group)..at(group + 1) } else { 0..0 }
    }

    /// What going on from a state costs for the notes not heard.
    fn missed(&self, state: State) -> f32 {
        missed(self.heard_max(state.group), state.heard)
    }
}

/// What going on costs after so many of the notes of a group.
fn missed(heard_max: usize, heard: usize) -> f32 {
    let most = if heard == 0 { SKIP_MAX } else { PART_MAX };
    (MISS * (heard_max - heard) as f32).min(most)
}

/// A way out of a group: what it costs to have come there and to leave, and the seconds since it was entered.
#[derive(Clone, Copy, Debug)]
struct Exit {
    group: usize,
    cost: f32,
    since: f32,
}

/// The search, a key-down at a time. Allocates for the first few only.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    layout: Layout,
    /// Groups that are kept in mind at one time.
    width: usize,
    /// Where the player is thought to begin; `None` if that may be anywhere.
    start: Option<usize>,
    column: Column,
    before: Column,
    last: Option<PlayedNote>,
    /// For the groups of the column before, and for each of this one: working memory of a step.
    exits: Vec<Exit>,
    entries: Vec<(f32, u8)>,
}

impl Walk {
    /// Before the first key-down of somebody who begins at group `start` and goes on from there.
    pub(super) fn near(piece: &Piece, start: usize) -> Self {
        Self::new(piece, Some(start), NEAR_WINDOW)
    }

    fn new(piece: &Piece, start: Option<usize>, window: usize) -> Self {
        Self {
            layout: Layout::new(piece),
            width: piece.groups.len().min(window),
            start,
            column: Column::default(),
            before: Column::default(),
            last: None,
            exits: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// The next key-down, none earlier than the one before; where the player is now, as it seems. `None` in a piece
    /// without notes.
    pub(super) fn push(&mut self, piece: &Piece, note: &PlayedNote) -> Option<State> {
        self.step(piece, note, None, self.middle()).then_some(self.column.best)
    }

    /// Whether no group is ever out of sight.
    pub(super) fn sees_all(&self, piece: &Piece) -> bool {
        self.width >= piece.groups.len()
    }

    /// Around which group to look.
    fn middle(&self) -> usize {
        self.last.map_or(self.start.unwrap_or(0), |_| self.column.best.group)
    }

    /// Takes in a key-down of somebody who is around group `middle`; `false` in a piece without notes.
    fn step(&mut self, piece: &Piece, note: &PlayedNote, tempos: Option<&[f64]>, middle: usize) -> bool {
        let groups = piece.groups.len();
        if groups == 0 {
            return false;
        }
        std::mem::swap(&mut self.column, &mut self.before);
        let base = middle.saturating_sub(self.width / 2).min(groups - self.width);
        let end = base + self.width;
        self.column.clear(base, self.width, self.layout.first[end] - self.layout.first[base]);
        self.entries.clear();
        match self.last {
            // A take may begin anywhere.
            None => self.entries.extend((base..end).map(|group| {
                let passed = |start| group.checked_sub(start).map_or(START_MAX, |passed| passed as f32 * MISS);
                (self.start.map_or(0.0, |start| passed(start).min(START_MAX)), JUMPED)
            })),
            Some(last) => {
                let jump = self.before.best_cost + JUMP;
                let keys = &piece.keys_of(note)[base..end];
                let entry = |&key: &u8| (if copies(key) > 0 { jump } else { f32::INFINITY }, JUMPED);
                self.entries.extend(keys.iter().map(entry));
                // There is always a way on.
                self.entries[middle - base].0 = jump;
                self.leave(&last, note);
                self.enter(piece, tempos);
            }
        }
        self.advance(piece, note);
        self.last = Some(*note);
        true
    }

    /// The ways out of the groups of the column before.
    fn leave(&mut self, last: &PlayedNote, note: &PlayedNote) {
        let before = &self.before;
        let limit = before.best_cost + JUMP;
        let rush = RUSH * (1.0 - seconds(note.at - last.at) / RUSH_SECONDS).max(0.0);
        self.exits.clear();
        for (index, (&heard, &least)) in before.leave.iter().zip(&before.least).enumerate() {
            if least > limit {
                continue;
            }
            let state = State { group: before.base + index, heard: usize::from(heard) };
            let index = self.layout.states(before, state.group).start + state.heard;
            let cost = before.costs[index] + self.layout.missed(state) + rush;
            self.exits.push(Exit { group: state.group, cost, since: seconds(note.at - before.entered[index]) });
        }
    }

    /// The cheapest way into each group of the column from another one, and how it is marked.
    fn enter(&mut self, piece: &Piece, tempos: Option<&[f64]>) {
        let limit = self.before.best_cost + JUMP;
        // Of ways that cost the same the shortest is taken.
        for exit in self.exits.iter().rev() {
            let mut cost = exit.cost;
            for forward in 1..=FORWARD_MAX {
                let group = exit.group + forward;
                if cost > limit || group >= self.column.base + self.width {
                    break;
                }
                let entry = group.checked_sub(self.column.base).map(|index| &mut self.entries[index]);
                // The rhythm only adds to the cost, so most places need no look at it.
                if let Some(entry) = entry.filter(|entry| cost < entry.0) {
                    let written = piece.groups[group].seconds - piece.groups[exit.group].seconds;
                    let rhythm = tempos.map_or(0.0, |t| rhythm(exit.since, (written * t[group]) as f32));
                    if cost + rhythm < entry.0 {
                        *entry = (cost + rhythm, FORWARD + forward as u8);
                    }
                }
                cost += self.layout.missed(State { group, heard: 0 });
            }
        }
    }

    /// The costs of all states after a key-down, how each was entered, and which is best.
    fn advance(&mut self, piece: &Piece, note: &PlayedNote) {
        let linger = self.last.map_or(0.0, |last| (LINGER * seconds(note.at - last.at)).min(LINGER_MAX));
        let again = self.last.is_some_and(|last| last.pitch == note.pitch);
        let limit = self.before.best_cost + JUMP;
        let (before, column) = (&self.before, &mut self.column);
        let keys = piece.keys_of(note);
        for (index, &entry) in self.entries.iter().enumerate() {
            let group = column.base + index;
            let old = match group.checked_sub(before.base).and_then(|index| before.least.get(index)) {
                Some(least) if *least <= limit => self.layout.states(before, group),
                _ if entry.0 == f32::INFINITY => continue,
                _ => 0..0,
            };
            let copies_here = copies(keys[group]);
            let around = keys[group.saturating_sub(1)] | keys.get(group + 1).copied().unwrap_or(0);
            let stray = match copies_here {
                0 if (keys[group] | around) & OTHER_HAND != 0 => OTHER,
                0 if copies(around) > 0 => NEAR,
                _ => FOREIGN,
            };
            let (costs, entered) = (&before.costs[old.clone()], &before.entered[old]);
            let (mut leave, mut least) = (f32::INFINITY, f32::INFINITY);
            let heard_max = self.layout.heard_max(group);
            let first = self.layout.first[group] - self.layout.first[column.base];
            for heard in 0..=heard_max {
                let mut cheapest = (f32::INFINITY, STRAY, note.at);
                if let Some(cost) = costs.get(heard) {
                    cheapest = (cost + linger + stray, STRAY, entered[heard]);
                }
                if heard > 0 && copies_here > usize::from(again) && heard <= costs.len() {
                    let cost = costs[heard - 1] + linger;
                    if cost < cheapest.0 {
                        cheapest = (cost, HEARD, if heard > 1 { entered[heard - 1] } else { note.at });
                    }
                }
                let entry = match heard {
                    0 if copies_here == 0 => (entry.0 + stray, entry.1),
                    1 if copies_here > 0 => entry,
                    _ => (f32::INFINITY, STRAY),
                };
                if entry.0 < cheapest.0 {
                    cheapest = (entry.0, entry.1, note.at);
                }
                let (cost, step, since) = cheapest;
                (column.costs[first + heard], column.entered[first + heard]) = (cost, since);
                column.steps[first + heard] = step;
                least = least.min(cost);
                let left = cost + missed(heard_max, heard);
                if left < leave {
                    (leave, column.leave[index]) = (left, heard as u8);
                }
                if cost < column.best_cost {
                    (column.best_cost, column.best) = (cost, State { group, heard });
                }
            }
            column.least[index] = least;
        }
    }
}

fn seconds(span: Micros) -> f32 {
    span.0 as f32 / 1e6
}

/// The group in which each key-down was found, of somebody who begins at the beginning. Key-downs are in order of time.
/// Looks nearby, and everywhere for whoever is not found there.
pub(super) fn find(piece: &Piece, take: &[PlayedNote]) -> Vec<usize> {
    let mut path = Vec::with_capacity(take.len());
    let (mut start, mut goes_on) = (0, true);
    let window = NEAR_WINDOW.max(TAKE_WINDOW / take.len().max(1));
    while path.len() < take.len() {
        let walk = Walk::new(piece, Some(start), window);
        let (part, elsewhere) = go_on(piece, &take[path.len()..], walk, goes_on);
        goes_on = !part.is_empty();
        path.extend(part);
        start = elsewhere.unwrap_or(start);
    }
    path
}

/// The path of somebody who begins a walk, up to where they are found elsewhere; that can be at once only if `may_leave`.
fn go_on(piece: &Piece, take: &[PlayedNote], mut walk: Walk, may_leave: bool) -> (Vec<usize>, Option<usize>) {
    let mut trail = Trail::default();
    let mut whereabouts = Whereabouts::default();
    for (index, note) in take.iter().enumerate() {
        let Some(state) = walk.push(piece, note) else { return (vec![0; take.len()], None) };
        trail.push(&walk.column);
        let elsewhere = if walk.sees_all(piece) { None } else { whereabouts.push(piece, note, state.group) };
        if let Some(found) = elsewhere.filter(|found| may_leave || found.notes.len() <= index) {
            return (trail.path(&walk.layout, index + 1 - found.notes.len()), Some(found.first));
        }
    }
    (trail.path(&walk.layout, take.len()), None)
}

/// The path of some key-downs among the groups around one.
pub(super) fn around(piece: &Piece, notes: &[PlayedNote], group: usize) -> Option<Vec<usize>> {
    let mut walk = Walk::new(piece, None, NEAR_WINDOW);
    let mut trail = Trail::default();
    for note in notes {
        if !walk.step(piece, note, None, group) {
            return None;
        }
        trail.push(&walk.column);
    }
    Some(trail.path(&walk.layout, notes.len()))
}

/// The group of each key-down, near a path that was found without the rhythm. `tempos` says for each group how many
/// seconds are played for a written one.
pub(super) fn refine(piece: &Piece, take: &[PlayedNote], tempos: &[f64], path: &[usize]) -> Vec<usize> {
    let mut walk = Walk::new(piece, Some(0), REFINE_WINDOW);
    let mut trail = Trail::default();
    for (note, group) in take.iter().zip(path) {
        if !walk.step(piece, note, Some(tempos), *group) {
            return path.to_vec();
        }
        trail.push(&walk.column);
    }
    trail.path(&walk.layout, take.len())
}

/// The way back through a search: for each key-down the best state, and where its steps and leaves begin.
#[derive(Default)]
struct Trail {
    heads: Vec<(usize, State, usize, usize)>,
    steps: Vec<u8>,
    leave: Vec<u8>,
}

impl Trail {
    fn push(&mut self, column: &Column) {
        self.heads.push((column.base, column.best, self.steps.len(), self.leave.len()));
        self.steps.extend_from_slice(&column.steps);
        self.leave.extend_from_slice(&column.leave);
    }

    /// Follows the steps back from the best state after so many key-downs.
    fn path(&self, layout: &Layout, upto: usize) -> Vec<usize> {
        let mut path = vec![0; upto];
        let Some(&(_, mut state, ..)) = self.heads[..upto].last() else { return path };
        for (index, &(base, _, steps, _)) in self.heads[..upto].iter().enumerate().rev() {
            path[index] = state.group;
            let Some(&(base_before, best_before, _, leave)) = index.checked_sub(1).map(|i| &self.heads[i]) else {
                break;
            };
            let here = layout.first[state.group] - layout.first[base] + state.heard;
            state = match self.steps[steps + here] {
                HEARD => State { heard: state.heard - 1, ..state },
                STRAY => state,
                JUMPED => best_before,
                forward => {
                    let group = state.group - usize::from(forward - FORWARD);
                    State { group, heard: usize::from(self.leave[leave + group - base_before]) }
                }
            };
        }
        path
    }
}

/// What a duration costs that should have been another one, both in seconds.
fn rhythm(played: f32, expected: f32) -> f32 {
    let off = (played - expected).abs() / (RHYTHM_SHARE * expected + RHYTHM_SECONDS);
    (RHYTHM * off).min(RHYTHM_MAX)
}
