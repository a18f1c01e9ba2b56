//! The place in the score for every key-down: the cheapest path through the onset groups, found by dynamic
//! programming over key-downs (Viterbi). A state is a group and how many of its notes have been heard. Costs are in
//! nats: about minus the logarithm of how likely a thing is.

use std::collections::VecDeque;
use std::ops::Range;

use super::{OTHER_HAND, Piece, copies};
use crate::practice::types::PlayedNote;
use crate::time::Micros;

/// How many groups around the best one are kept in mind at each key-down: a dozen bars to both sides.
const NEAR_WINDOW: usize = 96;
/// The same around a place that was found before.
const REFINE_WINDOW: usize = 32;
/// Whoever has struck so many keys of so many that are not written where they seem to be is elsewhere.
const ASTRAY: usize = 12;
/// See [`ASTRAY`].
const ASTRAY_OF: usize = 24;
/// So many key-downs in a row, the latest, must all fit elsewhere.
const CERTAIN: usize = 6;
/// After looking everywhere in vain, so many key-downs pass before it is done again.
const PATIENCE: usize = 12;

/// A key-down whose pitch the group does not have.
const FOREIGN: f32 = 5.0;
/// The same when the group before or after has it: hands are seldom exactly together.
const NEAR: f32 = 4.0;
/// A key of the hand that is not practised.
const OTHER: f32 = 1.0;
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
        missed(self.heard_max(state.group), state.heard)
    }
}

/// What going on costs after so many of the notes of a group.
fn missed(heard_max: usize, heard: usize) -> f32 {
    let cost = MISS * (heard_max - heard) as f32;
    if heard == 0 { cost.min(SKIP_MAX) } else { cost }
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
    /// Where the player is thought to begin; `None` if that may be anywhere.
    start: Option<usize>,
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
        self.column.clear(middle.saturating_sub(self.width / 2).min(groups - self.width));
        self.entries.clear();
        match self.last {
            // A take may begin anywhere; later than at the start costs what is passed over, earlier a jump.
            None => self.entries.extend((self.column.base..self.column.base + self.width).map(|group| {
                let passed = |start| group.checked_sub(start).map_or(JUMP, |passed| (passed as f32 * MISS).min(JUMP));
                (self.start.map_or(0.0, passed), JUMPED)
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
        let keys = piece.keys_of(note);
        let states = self.layout.first[column.base + self.width] - self.layout.first[column.base];
        column.costs.reserve(states);
        column.entered.reserve(states);
        column.steps.reserve(states);
        let mut best = f32::INFINITY;
        for (group, &entry) in (column.base..).zip(&self.entries) {
            let copies_here = copies(keys[group]);
            let around = keys[group.saturating_sub(1)] | keys.get(group + 1).copied().unwrap_or(0);
            let stray = match copies_here {
                0 if (keys[group] | around) & OTHER_HAND != 0 => OTHER,
                0 if copies(around) > 0 => NEAR,
                _ => FOREIGN,
            };
            let old = self.layout.states(before, group);
            let (costs, entered) = (&before.costs[old.clone()], &before.entered[old]);
            let mut leave = (f32::INFINITY, 0);
            let heard_max = self.layout.heard_max(group);
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
                column.costs.push(cost);
                column.entered.push(since);
                column.steps.push(step);
                let left = cost + missed(heard_max, heard);
                if left < leave.0 {
                    leave = (left, heard as u8);
                }
                if cost < best {
                    (best, column.best) = (cost, State { group, heard });
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
/// Looks nearby, and everywhere for whoever is not found there.
pub(super) fn find(piece: &Piece, take: &[PlayedNote]) -> Vec<usize> {
    let mut path = Vec::with_capacity(take.len());
    let (mut start, mut goes_on) = (0, true);
    while path.len() < take.len() {
        let (part, elsewhere) = go_on(piece, &take[path.len()..], start, goes_on);
        goes_on = !part.is_empty();
        path.extend(part);
        start = elsewhere.unwrap_or(start);
    }
    path
}

/// The path of somebody who goes on from a group, up to where they are found elsewhere; that can be at once only if
/// `may_leave`.
fn go_on(piece: &Piece, take: &[PlayedNote], start: usize, may_leave: bool) -> (Vec<usize>, Option<usize>) {
    let mut walk = Walk::near(piece, start);
    let mut trail = Trail::default();
    let mut whereabouts = Whereabouts::default();
    for (index, note) in take.iter().enumerate() {
        let Some(state) = walk.push(piece, note) else { return (vec![0; take.len()], None) };
        trail.push(&walk.column);
        let elsewhere = whereabouts.push(piece, note, state.group);
        if let Some(found) = elsewhere.filter(|found| may_leave || found.notes.len() <= index) {
            return (trail.path(&walk.layout, index + 1 - found.notes.len()), Some(found.first));
        }
    }
    (trail.path(&walk.layout, take.len()), None)
}

/// Whether somebody is where they seem to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Whereabouts {
    /// The latest key-downs, and whether each is foreign to where it seemed to be.
    recent: VecDeque<(PlayedNote, bool)>,
    /// Key-downs to pass before it is looked everywhere again.
    patience: usize,
}

/// Another place where somebody is.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// The latest key-downs, which fit there.
    pub(super) notes: Vec<PlayedNote>,
    /// The group of the first of them.
    pub(super) first: usize,
}

impl Whereabouts {
    /// Takes in a key-down that seems to be in a group; where the person is instead, when much is foreign there.
    pub(super) fn push(&mut self, piece: &Piece, note: &PlayedNote, group: usize) -> Option<Elsewhere> {
        if self.recent.len() == ASTRAY_OF {
            self.recent.pop_front();
        }
        self.recent.push_back((*note, !piece.is_written(group, note) && !piece.is_other_hand(group, note)));
        self.patience = self.patience.saturating_sub(1);
        let foreign = self.recent.iter().filter(|(_, foreign)| *foreign).count();
        if piece.groups.len() <= NEAR_WINDOW || self.patience > 0 || foreign < ASTRAY {
            return None;
        }
        let notes: Vec<PlayedNote> = self.recent.iter().map(|(note, _)| *note).collect();
        let found = fitting(piece, &notes);
        match &found {
            Some(_) => self.recent.clear(),
            None => self.patience = PATIENCE,
        }
        found
    }
}

/// Where the latest of some key-downs fit in one go, if that is certain. Looks at all groups.
fn fitting(piece: &Piece, notes: &[PlayedNote]) -> Option<Elsewhere> {
    let mut walk = Walk::new(piece, None, usize::MAX);
    let mut trail = Trail::default();
    for note in notes {
        walk.push(piece, note)?;
        trail.push(&walk.column);
    }
    let path = trail.path(&walk.layout, notes.len());
    let goes_on = |i: usize| (path[i - 1]..=path[i - 1] + FORWARD_MAX).contains(&path[i]);
    let mut begin = (1..path.len()).rev().find(|i| !goes_on(*i)).unwrap_or(0);
    let fits = |i: &usize| piece.is_written(path[*i], &notes[*i]);
    begin = (begin..path.len()).find(fits)?;
    let is_certain = path.len() - begin >= CERTAIN && (path.len() - CERTAIN..path.len()).all(|i| fits(&i));
    is_certain.then(|| Elsewhere { notes: notes[begin..].to_vec(), first: path[begin] })
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
