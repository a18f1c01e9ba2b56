//! The place in the score for every key-down: the cheapest path through the onset groups, found by dynamic
//! programming over key-downs (Viterbi). A state is a group and how many of its notes have been heard. Costs are in
//! nats: about minus the logarithm of how likely a thing is.

use std::ops::Range;

use super::Piece;
use crate::practice::types::PlayedNote;
use crate::time::Micros;

/// How many groups around the best one are kept in mind at each key-down, for somebody who may be anywhere. Bounds time
/// and memory; a piece of fewer groups is searched whole.
const WINDOW: usize = 1_024;
/// The same for somebody who goes on: a dozen bars to both sides.
const NEAR_WINDOW: usize = 96;
/// The same around a place that was found before.
const REFINE_WINDOW: usize = 32;
/// Whoever has struck so many keys of so many that are not written where they seem to be is elsewhere.
const ASTRAY: usize = 12;
/// See [`ASTRAY`].
pub(super) const ASTRAY_OF: usize = 24;

/// A key-down whose pitch the group does not have.
const FOREIGN: f32 = 5.0;
/// The same when the group before or after has it: hands are seldom exactly together.
const NEAR: f32 = 4.0;
/// For each note of a group that was not heard when the player went on.
const MISS: f32 = 3.0;
/// The most that a group which was passed over altogether costs.
const SKIP_MAX: f32 = 8.0;
/// The most groups gone forward in one step that is no jump.
pub(super) const FORWARD_MAX: usize = 7;
/// Going anywhere: a repeated bar, a restart.
const JUMP: f32 = 25.0;
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
    best: State,
}

impl Column {
    fn clear(&mut self, base: usize) {
        self.base = base;
        self.best = State::default();
        self.costs.clear();
        self.entered.clear();
        self.steps.clear();
        self.leave.clear();
    }
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
        let cost = MISS * (self.heard_max(state.group) - state.heard) as f32;
        if state.heard == 0 { cost.min(SKIP_MAX) } else { cost }
    }
}

/// A way out of a group: what it costs to have come there and to leave, and the seconds since it was entered.
#[derive(Clone, Copy, Debug)]
struct Exit {
    cost: f32,
    since: f32,
}

/// The search, a key-down at a time. Allocates for the first few only.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    layout: Layout,
    /// Groups that are kept in mind at one time.
    width: usize,
    /// Where the player is thought to begin.
    start: usize,
    column: Column,
    before: Column,
    last: Option<PlayedNote>,
    /// For each group of the column before, and of this one: working memory of a step.
    exits: Vec<Exit>,
    entries: Vec<(f32, u8)>,
}

impl Walk {
    /// Before the first key-down of somebody who begins at group `start` and goes on from there.
    pub(super) fn near(piece: &Piece, start: usize) -> Self {
        Self::new(piece, start, NEAR_WINDOW)
    }

    fn new(piece: &Piece, start: usize, window: usize) -> Self {
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
        let middle = self.last.map_or(self.start, |_| self.column.best.group);
        self.step(piece, note, None, middle).then_some(self.column.best)
    }

    /// Takes in a key-down of somebody who is around group `middle`; `false` in a piece without notes.
    fn step(&mut self, piece: &Piece, note: &PlayedNote, tempos: Option<&[f64]>, middle: usize) -> bool {
        let groups = piece.groups.len();
        if groups == 0 {
            return false;
        }
        std::mem::swap(&mut self.column, &mut self.before);
        self.column.clear(middle.saturating_sub(self.width / 2).min(groups - self.width));
        self.entries.clear();
        match self.last {
            // A take may begin anywhere; later than at the start costs what is passed over, earlier a jump.
            None => self.entries.extend((self.column.base..self.column.base + self.width).map(|group| {
                let passed = group.checked_sub(self.start);
                (passed.map_or(JUMP, |passed| (passed as f32 * MISS).min(JUMP)), JUMPED)
            })),
            Some(last) => {
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
        let rush = RUSH * (1.0 - seconds(note.at - last.at) / RUSH_SECONDS).max(0.0);
        self.exits.clear();
        self.exits.extend((before.base..).zip(&before.leave).map(|(group, &heard)| {
            let state = State { group, heard: usize::from(heard) };
            let index = self.layout.states(before, group).start + state.heard;
            let cost = before.costs[index] + self.layout.missed(state) + rush;
            Exit { cost, since: seconds(note.at - before.entered[index]) }
        }));
    }

    /// The cheapest way into each group of the column from another one, and how it is marked.
    fn enter(&mut self, piece: &Piece, tempos: Option<&[f64]>) {
        let best = self.layout.states(&self.before, self.before.best.group).start + self.before.best.heard;
        let jump = self.before.costs[best] + JUMP;
        for group in self.column.base..self.column.base + self.width {
            let mut cheapest = (jump, JUMPED);
            let mut skipped = 0.0;
            for forward in 1..=FORWARD_MAX.min(group) {
                let from = group - forward;
                let exit = from.checked_sub(self.before.base).and_then(|i| self.exits.get(i));
                // The rhythm only adds to the cost, so most places need no look at it.
                if let Some(exit) = exit.filter(|exit| exit.cost + skipped < cheapest.0) {
                    let written = piece.groups[group].seconds - piece.groups[from].seconds;
                    let rhythm = tempos.map_or(0.0, |t| rhythm(exit.since, (written * t[group]) as f32));
                    if exit.cost + skipped + rhythm < cheapest.0 {
                        cheapest = (exit.cost + skipped + rhythm, FORWARD + forward as u8);
                    }
                }
                skipped += self.layout.missed(State { group: from, heard: 0 });
            }
            self.entries.push(cheapest);
        }
    }

    /// The costs of all states after a key-down, how each was entered, and which is best.
    fn advance(&mut self, piece: &Piece, note: &PlayedNote) {
        let linger = self.last.map_or(0.0, |last| (LINGER * seconds(note.at - last.at)).min(LINGER_MAX));
        let again = self.last.is_some_and(|last| last.pitch == note.pitch);
        let (before, column) = (&self.before, &mut self.column);
        let copies = piece.copies_of(note);
        let mut best = f32::INFINITY;
        for (group, &entry) in (column.base..).zip(&self.entries) {
            let copies_here = usize::from(copies[group]);
            let is_near = || copies[group.saturating_sub(1)] > 0 || copies.get(group + 1).is_some_and(|c| *c > 0);
            let stray = if copies_here == 0 && is_near() { NEAR } else { FOREIGN };
            let old = self.layout.states(before, group);
            let (costs, entered) = (&before.costs[old.clone()], &before.entered[old]);
            let mut leave = (f32::INFINITY, 0);
            for heard in 0..=self.layout.heard_max(group) {
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
                column.costs.push(cost);
                column.entered.push(since);
                column.steps.push(step);
                let state = State { group, heard };
                if cost + self.layout.missed(state) < leave.0 {
                    leave = (cost + self.layout.missed(state), heard as u8);
                }
                if cost < best {
                    (best, column.best) = (cost, state);
                }
            }
            column.leave.push(leave.1);
        }
    }
}

fn seconds(span: Micros) -> f32 {
    span.0 as f32 / 1e6
}

/// The group in which each key-down was found, of somebody who begins at the beginning. Key-downs are in order of time.
/// Looks nearby first, and everywhere for whoever is not found there.
pub(super) fn find(piece: &Piece, take: &[PlayedNote]) -> Vec<usize> {
    let path = find_within(piece, take, NEAR_WINDOW);
    if is_astray(piece, take, &path) { find_anywhere(piece, take) } else { path }
}

/// The same, everywhere at once.
pub(super) fn find_anywhere(piece: &Piece, take: &[PlayedNote]) -> Vec<usize> {
    find_within(piece, take, WINDOW)
}

fn find_within(piece: &Piece, take: &[PlayedNote], window: usize) -> Vec<usize> {
    search(piece, take, None, window, |walk, _| walk.last.map_or(walk.start, |_| walk.column.best.group))
}

/// The group of each key-down, near a path that was found without the rhythm. `tempos` says for each group how many
/// seconds are played for a written one.
pub(super) fn refine(piece: &Piece, take: &[PlayedNote], tempos: &[f64], path: &[usize]) -> Vec<usize> {
    search(piece, take, Some(tempos), REFINE_WINDOW, |_, index| path[index])
}

/// Whether many keys in a row are not written where the path puts them.
pub(super) fn is_astray(piece: &Piece, take: &[PlayedNote], path: &[usize]) -> bool {
    if piece.groups.len() <= NEAR_WINDOW {
        return false;
    }
    let is_foreign = |(note, group): (&PlayedNote, &usize)| !is_written(piece, *group, note);
    let foreign: Vec<bool> = take.iter().zip(path).map(is_foreign).collect();
    foreign.windows(ASTRAY_OF.min(foreign.len().max(1))).any(|few| few.iter().filter(|f| **f).count() >= ASTRAY)
}

/// Whether a key-down is written in a group.
pub(super) fn is_written(piece: &Piece, group: usize, note: &PlayedNote) -> bool {
    piece.copies_of(note)[group] > 0
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

    /// Follows the steps back from the best state at the end.
    fn path(&self, layout: &Layout) -> Vec<usize> {
        let mut path = vec![0; self.heads.len()];
        let Some(&(_, mut state, ..)) = self.heads.last() else { return path };
        for (index, &(base, _, steps, _)) in self.heads.iter().enumerate().rev() {
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

/// `middle` says around which group to search for a key-down, given its index.
fn search(
    piece: &Piece,
    take: &[PlayedNote],
    tempos: Option<&[f64]>,
    window: usize,
    middle: impl Fn(&Walk, usize) -> usize,
) -> Vec<usize> {
    let mut walk = Walk::new(piece, 0, window);
    let mut trail = Trail::default();
    for (index, note) in take.iter().enumerate() {
        let middle = middle(&walk, index);
        if !walk.step(piece, note, tempos, middle) {
            return vec![0; take.len()];
        }
        trail.push(&walk.column);
    }
    trail.path(&walk.layout)
}

/// What a duration costs that should have been another one, both in seconds.
fn rhythm(played: f32, expected: f32) -> f32 {
    let off = (played - expected).abs() / (RHYTHM_SHARE * expected + RHYTHM_SECONDS);
    (RHYTHM * off).min(RHYTHM_MAX)
}
