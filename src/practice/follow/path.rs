//! The place in the score for every key-down: the cheapest path through the onset groups, found by dynamic
//! programming over key-downs (Viterbi). A state is a group and how many of its notes have been heard. Costs are in
//! nats: about minus the logarithm of how likely a thing is.

use std::ops::Range;

use super::assign::{STOP_SECONDS, STOP_SHARE};
use super::leap::{self, LEAP, Moment, Prior};
use super::presence::{Away, Presence};
use super::trail::Trail;
use super::{OTHER_HAND, Piece, Written, copies};
use crate::practice::types::PlayedNote;
use crate::time::Micros;

/// How many groups around the best one are kept in mind at each key-down: a dozen bars to both sides.
pub(super) const NEAR_WINDOW: usize = 96;
/// The same while it is played: of most pieces all.
const LIVE_WINDOW: usize = 1_024;
/// Of a whole take as many more as make so many groups, all key-downs together: of most pieces all.
pub(super) const TAKE_WINDOW: usize = 1_000_000;
/// The same around a place that was found before.
pub(super) const REFINE_WINDOW: usize = 32;

/// A key-down whose pitch the group does not have.
const FOREIGN: f32 = 5.0;
/// The same when the group before or after has it: hands are seldom exactly together.
const NEAR: f32 = 4.0;
/// A further one together with the key before: a wrong chord is one mistake.
const TOGETHER: f32 = 3.0;
/// A key of the hand that is not practised.
const OTHER: f32 = 1.0;
/// For each note of a group that was not heard when the player went on.
const MISS: f32 = 3.0;
/// The most that a group costs of which a part was heard: what is left out of a chord is left out for one reason, and be
/// it that the other hand rests.
const PART_MAX: f32 = 5.0;
/// The most that a group which was passed over altogether costs.
const SKIP_MAX: f32 = 8.0;
/// The most groups gone forward in one step that is no jump; those in which nothing is asked do not count, up to
/// [`FURTHEST`] altogether.
pub(super) const FORWARD_MAX: usize = 7;
const FURTHEST: usize = 64;
/// The notes of a group that are told apart.
const GROUP_NOTES_MAX: usize = 32;
/// The most that beginning elsewhere costs, at a bar and amid one.
const START_BAR: f32 = 15.0;
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

/// A further stroke of a trill: a key that was struck so short a time before, and one so many semitones beside it since.
const TRILL: f32 = 0.7;
const TRILL_SECONDS: f32 = 0.45;
const TRILL_STEP: u8 = 2;
/// Key-downs that are remembered for it: a few of the other hand may come in between.
const RECENT: usize = 6;

/// How much a single step says about the tempo, and the seconds that may be played for a written one.
const PACE_SHARE: f32 = 0.25;
const PACE: (f32, f32) = (0.2, 5.0);

/// How a state was entered: one more note of the group heard, a foreign note in it, so many groups forward (plus
/// [`FORWARD`]), or a jump.
pub(super) const HEARD: u8 = 0;
pub(super) const STRAY: u8 = 1;
pub(super) const FORWARD: u8 = 1;
pub(super) const JUMPED: u8 = 255;

/// A group and how many of its notes have been heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) group: usize,
    pub(super) heard: usize,
}

/// What is known after a key-down, of the groups from `base` on.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) base: usize,
    /// For each state what it costs, when its group was entered, and by which step.
    costs: Vec<f32>,
    entered: Vec<Micros>,
    pub(super) steps: Vec<u8>,
    /// For each group how many of its notes are heard in the state that is best to leave it from.
    pub(super) leave: Vec<u8>,
    /// For each group the cost of its best state; infinite if it was forgotten.
    least: Vec<f32>,
    pub(super) best: State,
    best_cost: f32,
    /// The step by which the best state was entered.
    best_step: u8,
}

impl Column {
    /// Nothing is known of so many groups with so many states.
    fn clear(&mut self, base: usize, groups: usize, states: usize) {
        self.base = base;
        (self.best, self.best_cost, self.best_step) = (State::default(), f32::INFINITY, STRAY);
        fill(&mut self.costs, states, f32::INFINITY);
        fill(&mut self.least, groups, f32::INFINITY);
        // What costs infinitely much is not looked at.
        self.entered.resize(states, Micros::ZERO);
        self.steps.resize(states, STRAY);
        self.leave.resize(groups, 0);
    }
}

fn fill<T: Clone>(values: &mut Vec<T>, len: usize, value: T) {
    values.clear();
    values.resize(len, value);
}

/// The states in order: for each group those from nothing heard to everything heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) first: Vec<usize>,
    /// For each group how many of its notes are asked of the hands that are there, by [`Away`].
    asked: [Vec<u8>; 3],
}

impl Layout {
    pub(super) fn new(piece: &Piece) -> Self {
        let mut first = vec![0];
        for group in 0..piece.groups.len() {
            // So many notes of a group are counted; a chord has ten.
            first.push(first[group] + piece.group_notes(group).len().min(GROUP_NOTES_MAX) + 1);
        }
        let asked = Away::ALL.map(|away| {
            let count = |group| piece.group_notes(group).iter().filter(|note| away.asks(note)).count();
            (0..piece.groups.len()).map(|group| count(group).min(GROUP_NOTES_MAX) as u8).collect()
        });
        Self { first, asked }
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

    /// How many notes of a group are asked of the hands that are there.
    fn asked(&self, group: usize, away: Away) -> usize {
        self.asked[away as usize][group].into()
    }
}

/// What going on costs after so many of the notes of a group that are asked.
fn missed(asked: usize, heard: usize) -> f32 {
    let most = if heard == 0 { SKIP_MAX } else { PART_MAX };
    (MISS * asked.saturating_sub(heard) as f32).min(most)
}

/// A way out of a group: what it costs to have come there and to leave, and the seconds since it was entered.
#[derive(Clone, Copy, Debug)]
struct Exit {
    group: usize,
    cost: f32,
    since: f32,
}

/// What is known beforehand of a key-down.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known<'a> {
    /// How many seconds are played for a written one, for each group.
    pub(super) tempos: Option<&'a [f64]>,
    /// Which hand is not there.
    pub(super) away: Option<Away>,
}

/// The search, a key-down at a time. Allocates for the first few only.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// Groups that are kept in mind at one time.
    width: usize,
    /// Where the player is thought to begin; `None` if that may be anywhere.
    start: Option<usize>,
    column: Column,
    before: Column,
    last: Option<PlayedNote>,
    /// The latest key-downs, the latest first.
    recent: [Option<PlayedNote>; RECENT],
    pub(super) presence: Presence,
    away: Away,
    /// Where the player went last that did not follow from where they were, as it seems.
    begun: usize,
    /// Seconds played for a written one.
    pace: f32,
    /// For the groups of the column before, and for each of this one: working memory of a step.
    exits: Vec<Exit>,
    entries: Vec<(f32, u8)>,
}

impl Walk {
    /// Before the first key-down of somebody who begins at group `start` and goes on from there.
    pub(super) fn near(piece: &Piece, start: usize) -> Self {
        Self::new(piece, Some(start), LIVE_WINDOW)
    }

    pub(super) fn new(piece: &Piece, start: Option<usize>, window: usize) -> Self {
        Self {
            width: piece.groups.len().min(window),
            start,
            column: Column::default(),
            before: Column::default(),
            last: None,
            recent: [None; RECENT],
            presence: Presence::default(),
            away: Away::default(),
            begun: start.unwrap_or(0),
            pace: 1.0,
            exits: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// The next key-down, none earlier than the one before; where the player is now, as it seems. `None` in a piece
    /// without notes.
    pub(super) fn push(&mut self, piece: &Piece, note: &PlayedNote) -> Option<State> {
        self.step(piece, note, Known::default(), self.middle()).then_some(self.column.best)
    }

    /// Whether no group is ever out of sight.
    pub(super) fn sees_all(&self, piece: &Piece) -> bool {
        self.width >= piece.groups.len()
    }

    /// What is known after the latest key-down.
    pub(super) fn column(&self) -> &Column {
        &self.column
    }

    /// See [`Trail::back`], of all key-downs of a trail of this walk.
    pub(super) fn back(&self, piece: &Piece, trail: &Trail, tell: impl FnMut(usize, usize, bool) -> bool) {
        trail.back(&piece.layout, trail.len(), tell);
    }

    /// What being in the likeliest of some groups costs.
    pub(super) fn least_within(&self, groups: Range<usize>) -> f32 {
        let known = self.column.base..self.column.base + self.column.least.len();
        let (from, to) = (groups.start.clamp(known.start, known.end), groups.end.clamp(known.start, known.end));
        let least = &self.column.least[from - known.start..to.max(from) - known.start];
        least.iter().copied().fold(f32::INFINITY, f32::min)
    }

    /// What being in the likeliest of all other groups costs.
    pub(super) fn least_outside(&self, groups: Range<usize>) -> f32 {
        self.least_within(0..groups.start).min(self.least_within(groups.end..usize::MAX))
    }

    /// The furthest group that one goes on to from another one.
    pub(super) fn furthest(&self, piece: &Piece, group: usize) -> usize {
        let (mut at, mut passed) = (group, 0);
        while passed < FORWARD_MAX && at < group + FURTHEST && at + 2 < piece.layout.first.len() {
            at += 1;
            passed += usize::from(piece.layout.asked(at, self.away) > 0);
        }
        at
    }

    /// The next group after one in which anything is asked of the hands that are there.
    pub(super) fn next_asked(&self, piece: &Piece, group: usize) -> usize {
        let groups = piece.layout.first.len() - 1;
        (group + 1..groups).find(|group| piece.layout.asked(*group, self.presence.away()) > 0).unwrap_or(groups)
    }

    /// Whether a note is asked of the hands that are there.
    pub(super) fn asks(&self, written: &Written) -> bool {
        self.presence.away().asks(written)
    }

    /// In how many groups between two something is asked of them.
    pub(super) fn asked_between(&self, piece: &Piece, from: usize, to: usize) -> usize {
        (from + 1..to).filter(|group| piece.layout.asked(*group, self.away) > 0).count()
    }

    /// Around which group to look.
    pub(super) fn middle(&self) -> usize {
        self.last.map_or(self.start.unwrap_or(0), |_| self.column.best.group)
    }

    /// Takes in a key-down of somebody who is around group `middle`; `false` in a piece without notes.
    pub(super) fn step(&mut self, piece: &Piece, note: &PlayedNote, known: Known<'_>, middle: usize) -> bool {
        let groups = piece.groups.len();
        if groups == 0 {
            return false;
        }
        std::mem::swap(&mut self.column, &mut self.before);
        self.away = known.away.unwrap_or(self.presence.away());
        let base = middle.saturating_sub(self.width / 2).min(groups - self.width);
        let end = base + self.width;
        self.column.clear(base, self.width, piece.layout.first[end] - piece.layout.first[base]);
        self.entries.clear();
        match self.last {
            // A take may begin anywhere.
            None => self.entries.extend((base..end).map(|group| {
                let passed = |start| group.checked_sub(start).map_or(START_MAX, |passed| passed as f32 * MISS);
                let most = if leap::begins(piece, group) { START_BAR } else { START_MAX };
                (self.start.map_or(0.0, |start| passed(start).min(most)), JUMPED)
            })),
            Some(last) => {
                let best = self.before.best_cost;
                let prior = Prior::new(
                    piece,
                    self.moment(piece, note, &last, known.tempos),
                    self.before.best.group,
                    self.begun,
                );
                let keys = &piece.keys_of(note)[base..end];
                let cost = |(index, &key): (usize, &u8)| match copies(key) {
                    0 => f32::INFINITY,
                    _ => best + prior.cost(piece, base + index),
                };
                self.entries.extend(keys.iter().enumerate().map(|entry| (cost(entry), JUMPED)));
                // There is always a way on.
                let on = &mut self.entries[middle - base].0;
                *on = on.min(best + LEAP);
                self.leave(piece, &last, note);
                self.enter(piece, known.tempos);
            }
        }
        self.advance(piece, note);
        self.measure(piece);
        self.notice_hands(piece, note);
        self.last = Some(*note);
        self.recent.rotate_right(1);
        self.recent[0] = self.last;
        true
    }

    /// Takes in which hand struck a key, and what was gone past with it.
    fn notice_hands(&mut self, piece: &Piece, note: &PlayedNote) {
        let (before, now) = (self.before.best.group, self.column.best.group);
        if self.last.is_some() && (before + 1..=before + FURTHEST).contains(&now) {
            self.presence.pass(&piece.written[piece.groups[before].first..piece.groups[now].first]);
        }
        let written = piece.group_notes(now).iter().find(|written| written.pitch == note.pitch);
        self.presence.strike(written.map_or(0, |written| written.hands));
    }

    /// Whether a key was struck before and one beside it since: a trill, a mordent, a turn.
    fn goes_on_with_trill(&self, note: &PlayedNote) -> bool {
        let recent = self.recent.iter().flatten().take_while(|before| seconds(note.at - before.at) <= TRILL_SECONDS);
        let mut beside = false;
        for before in recent {
            let off = before.pitch.key().abs_diff(note.pitch.key());
            if off == 0 {
                return beside;
            }
            beside |= off <= TRILL_STEP;
        }
        false
    }

    /// What somebody had just done when a key went down.
    fn moment(&self, piece: &Piece, note: &PlayedNote, last: &PlayedNote, tempos: Option<&[f64]>) -> Moment {
        let State { group, heard } = self.before.best;
        let Some(next) = piece.groups.get(group + 1) else {
            return if heard > 0 { Moment::Stopped } else { Moment::Flowing };
        };
        let pace = tempos.map_or(self.pace, |tempos| tempos[group] as f32);
        let expected = pace * (next.seconds - piece.groups[group].seconds) as f32;
        match () {
            () if seconds(note.at - last.at) > STOP_SHARE as f32 * expected + STOP_SECONDS as f32 => Moment::Stopped,
            () if self.before.best_step == STRAY => Moment::Wrong,
            () => Moment::Flowing,
        }
    }

    /// Takes in how long the step to the best group took, and whether it was one.
    fn measure(&mut self, piece: &Piece) {
        let (before, now) = (&self.before, &self.column);
        if now.best_step == JUMPED {
            self.begun = now.best.group;
            return;
        }
        if self.last.is_none() || now.best_step < FORWARD || now.best.group <= before.best.group {
            return;
        }
        let entered =
            |column: &Column| column.entered[piece.layout.states(column, column.best.group).start + column.best.heard];
        let written = piece.groups[now.best.group].seconds - piece.groups[before.best.group].seconds;
        let slope = seconds(entered(now) - entered(before)) / written as f32;
        if slope < (STOP_SHARE as f32 * self.pace) {
            self.pace = (self.pace + PACE_SHARE * (slope - self.pace)).clamp(PACE.0, PACE.1);
        }
    }

    /// The ways out of the groups of the column before.
    fn leave(&mut self, piece: &Piece, last: &PlayedNote, note: &PlayedNote) {
        let before = &self.before;
        let limit = before.best_cost + LEAP;
        let rush = RUSH * (1.0 - seconds(note.at - last.at) / RUSH_SECONDS).max(0.0);
        self.exits.clear();
        for (index, (&heard, &least)) in before.leave.iter().zip(&before.least).enumerate() {
            if least > limit {
                continue;
            }
            let state = State { group: before.base + index, heard: usize::from(heard) };
            let index = piece.layout.states(before, state.group).start + state.heard;
            let asked = piece.layout.asked(state.group, self.away);
            let cost = before.costs[index] + missed(asked, state.heard) + rush;
            self.exits.push(Exit { group: state.group, cost, since: seconds(note.at - before.entered[index]) });
        }
    }

    /// The cheapest way into each group of the column from another one, and how it is marked.
    fn enter(&mut self, piece: &Piece, tempos: Option<&[f64]>) {
        let (limit, away) = (self.before.best_cost + LEAP, self.away);
        // Of ways that cost the same the shortest is taken.
        for exit in self.exits.iter().rev() {
            let (mut cost, mut passed) = (exit.cost, 0);
            for forward in 1..=FURTHEST {
                let group = exit.group + forward;
                if cost > limit || passed == FORWARD_MAX || group >= self.column.base + self.width {
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
                let asked = piece.layout.asked(group, away);
                cost += missed(asked, 0);
                passed += usize::from(asked > 0);
            }
        }
    }

    /// The costs of all states after a key-down, how each was entered, and which is best.
    fn advance(&mut self, piece: &Piece, note: &PlayedNote) {
        let linger = self.last.map_or(0.0, |last| (LINGER * seconds(note.at - last.at)).min(LINGER_MAX));
        let again = self.last.is_some_and(|last| last.pitch == note.pitch);
        let is_together = self.last.is_some_and(|last| seconds(note.at - last.at) < RUSH_SECONDS);
        let most = match () {
            () if self.goes_on_with_trill(note) => TRILL,
            () if is_together => TOGETHER,
            () => FOREIGN,
        };
        let (limit, away) = (self.before.best_cost + LEAP, self.away);
        let (before, column) = (&self.before, &mut self.column);
        let keys = piece.keys_of(note);
        for (index, &entry) in self.entries.iter().enumerate() {
            let group = column.base + index;
            let old = match group.checked_sub(before.base).and_then(|index| before.least.get(index)) {
                Some(least) if *least <= limit => piece.layout.states(before, group),
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
            let stray = stray.min(most);
            let (costs, entered) = (&before.costs[old.clone()], &before.entered[old]);
            let (mut leave, mut least) = (f32::INFINITY, f32::INFINITY);
            let (heard_max, asked) = (piece.layout.heard_max(group), piece.layout.asked(group, away));
            let first = piece.layout.first[group] - piece.layout.first[column.base];
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
                let left = cost + missed(asked, heard);
                if left < leave {
                    (leave, column.leave[index]) = (left, heard as u8);
                }
                if cost < column.best_cost {
                    (column.best_cost, column.best) = (cost, State { group, heard });
                    column.best_step = step;
                }
            }
            column.least[index] = least;
        }
    }
}

fn seconds(span: Micros) -> f32 {
    span.0 as f32 / 1e6
}

/// What a duration costs that should have been another one, both in seconds.
fn rhythm(played: f32, expected: f32) -> f32 {
    let off = (played - expected).abs() / (RHYTHM_SHARE * expected + RHYTHM_SECONDS);
    (RHYTHM * off).min(RHYTHM_MAX)
}
