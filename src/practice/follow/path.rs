//! The place in the score for every key-down: the cheapest path through the onset groups, found by dynamic
//! programming over key-downs (Viterbi). A state is a group and how many of its notes have been heard. Costs are in
//! nats: about minus the logarithm of how likely a thing is.

use super::Piece;
use crate::practice::types::PlayedNote;
use crate::time::Micros;

/// How many groups around the best one are kept in mind at each key-down, for somebody who may be anywhere. Bounds time
/// and memory; a piece of fewer groups is searched whole.
const WINDOW: usize = 1_024;
/// The same for somebody who goes on: a dozen bars to both sides.
const NEAR_WINDOW: usize = 96;
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

/// One key-down: for each state in the window how it was entered, and for each group the best state to leave it from.
#[derive(Clone, Debug)]
struct Column {
    base: usize,
    steps: Vec<u8>,
    leave: Vec<u8>,
    best: State,
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
            first.push(first[group] + heard_max(piece, group) + 1);
        }
        Self { first }
    }

    /// Where a state lies in a window that begins with group `base`.
    fn index(&self, base: usize, state: State) -> usize {
        self.first[state.group] - self.first[base] + state.heard
    }
}

/// So many notes of a group are counted; a chord has ten.
fn heard_max(piece: &Piece, group: usize) -> usize {
    piece.group_notes(group).len().min(32)
}

/// The costs of all states of a window.
#[derive(Clone, Debug)]
struct Front {
    base: usize,
    costs: Vec<f32>,
    /// When the group of each state was entered.
    entered: Vec<Micros>,
}

/// The search, a key-down at a time.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    layout: Layout,
    /// Groups that are kept in mind at one time.
    width: usize,
    /// Where the player is thought to begin.
    start: usize,
    front: Front,
    last: Option<(Column, PlayedNote)>,
}

impl Walk {
    /// Before the first key-down of somebody who begins at group `start` and goes on from there.
    pub(super) fn near(piece: &Piece, start: usize) -> Self {
        Self::new(piece, start, NEAR_WINDOW)
    }

    fn new(piece: &Piece, start: usize, window: usize) -> Self {
        let front = Front { base: 0, costs: Vec::new(), entered: Vec::new() };
        Self { layout: Layout::new(piece), width: piece.groups.len().min(window), start, front, last: None }
    }

    /// The next key-down, none earlier than the one before; where the player is now, as it seems. `None` in a piece
    /// without notes.
    pub(super) fn push(&mut self, piece: &Piece, note: &PlayedNote, tempos: Option<&[f64]>) -> Option<State> {
        let _before = self.step(piece, note, tempos)?;
        self.last.as_ref().map(|(column, _)| column.best)
    }

    /// The same; gives back what was known of the key-down before.
    fn step(&mut self, piece: &Piece, note: &PlayedNote, tempos: Option<&[f64]>) -> Option<Option<Column>> {
        let groups = piece.groups.len();
        if groups == 0 {
            return None;
        }
        let before = self.last.take();
        let (column, last) = before.as_ref().map(|(column, last)| (column, last)).unzip();
        let middle = column.map_or(self.start, |column| column.best.group);
        let base = middle.saturating_sub(self.width / 2).min(groups - self.width);
        let notes = (last.zip(Some(note)), tempos);
        let window = base..base + self.width;
        let entries = entries(piece, &self.layout, &self.front, (column, self.start), window, notes);
        let (costs, entered, steps) = step(piece, &self.layout, &self.front, (base, &entries), (last, note));
        self.front = Front { base, costs, entered };
        let (leave, best) = leaving(piece, &self.layout, &self.front, self.width);
        self.last = Some((Column { base, steps, leave, best }, *note));
        Some(before.map(|(column, _)| column))
    }
}

/// The group in which each key-down was found. Key-downs are in order of time. `tempos`, if known, says for each group
/// how many seconds are played for a written one. Looks nearby first, and everywhere for whoever is not found there.
pub(super) fn find(piece: &Piece, take: &[PlayedNote], tempos: Option<&[f64]>) -> Vec<usize> {
    let path = find_within(piece, take, tempos, NEAR_WINDOW);
    if is_astray(piece, take, &path) { find_anywhere(piece, take, tempos) } else { path }
}

/// The same, everywhere at once.
pub(super) fn find_anywhere(piece: &Piece, take: &[PlayedNote], tempos: Option<&[f64]>) -> Vec<usize> {
    find_within(piece, take, tempos, WINDOW)
}

/// Whether many keys in a row are not written where the path puts them.
pub(super) fn is_astray(piece: &Piece, take: &[PlayedNote], path: &[usize]) -> bool {
    if piece.groups.len() <= NEAR_WINDOW {
        return false;
    }
    let is_foreign = |(note, group): (&PlayedNote, &usize)| copies(piece, *group, note) == 0;
    let foreign: Vec<bool> = take.iter().zip(path).map(is_foreign).collect();
    foreign.windows(ASTRAY_OF.min(foreign.len().max(1))).any(|few| few.iter().filter(|f| **f).count() >= ASTRAY)
}

/// Whether a key-down is written in a group.
pub(super) fn is_written(piece: &Piece, group: usize, note: &PlayedNote) -> bool {
    copies(piece, group, note) > 0
}

fn find_within(piece: &Piece, take: &[PlayedNote], tempos: Option<&[f64]>, window: usize) -> Vec<usize> {
    let mut walk = Walk::new(piece, 0, window);
    let mut columns: Vec<Column> = Vec::with_capacity(take.len());
    for note in take {
        match walk.step(piece, note, tempos) {
            Some(before) => columns.extend(before),
            None => return vec![0; take.len()],
        }
    }
    columns.extend(walk.last.map(|(column, _)| column));
    trace(&walk.layout, &columns)
}

/// Follows the steps back from the best state at the end.
fn trace(layout: &Layout, columns: &[Column]) -> Vec<usize> {
    let mut path = vec![0; columns.len()];
    let Some(mut state) = columns.last().map(|c| c.best) else { return path };
    for (index, column) in columns.iter().enumerate().rev() {
        path[index] = state.group;
        let Some(before) = index.checked_sub(1).map(|i| &columns[i]) else { break };
        state = match column.steps[layout.index(column.base, state)] {
            HEARD => State { heard: state.heard - 1, ..state },
            STRAY => state,
            JUMPED => before.best,
            forward => {
                let group = state.group - usize::from(forward - FORWARD);
                State { group, heard: usize::from(before.leave[group - before.base]) }
            }
        };
    }
    path
}

/// For each group the state that is best to leave it from, and the best state of all.
fn leaving(piece: &Piece, layout: &Layout, front: &Front, width: usize) -> (Vec<u8>, State) {
    let mut leave = Vec::with_capacity(width);
    let mut best = (f32::INFINITY, State::default());
    for group in front.base..front.base + width {
        let mut cheapest = (f32::INFINITY, 0);
        for heard in 0..=heard_max(piece, group) {
            let state = State { group, heard };
            let cost = front.costs[layout.index(front.base, state)];
            let missed = missed_cost(piece, state);
            if cost + missed < cheapest.0 {
                cheapest = (cost + missed, heard as u8);
            }
            if cost < best.0 {
                best = (cost, state);
            }
        }
        leave.push(cheapest.1);
    }
    (leave, best.1)
}

/// What going on from a state costs for the notes not heard.
fn missed_cost(piece: &Piece, state: State) -> f32 {
    let missed = heard_max(piece, state.group) - state.heard;
    let cost = MISS * missed as f32;
    if state.heard == 0 { cost.min(SKIP_MAX) } else { cost }
}

/// The cheapest way into each group of a window from another one, and how it is marked.
fn entries(
    piece: &Piece,
    layout: &Layout,
    front: &Front,
    (column, start): (Option<&Column>, usize),
    window: std::ops::Range<usize>,
    (notes, tempos): (Option<(&PlayedNote, &PlayedNote)>, Option<&[f64]>),
) -> Vec<(f32, u8)> {
    let (Some(column), Some((before, note))) = (column, notes) else {
        // A take may begin anywhere; later than at the start costs what is passed over, earlier a jump.
        let cost = |group: usize| group.checked_sub(start).map_or(JUMP, |passed| (passed as f32 * MISS).min(JUMP));
        return window.map(|group| (cost(group), JUMPED)).collect();
    };
    let seconds = (note.at - before.at).0 as f32 / 1e6;
    let rush = RUSH * (1.0 - seconds / RUSH_SECONDS).max(0.0);
    let cost = |state: State| front.costs[layout.index(front.base, state)];
    let jump = cost(column.best) + JUMP;
    let leave: Vec<(f32, f32)> = (column.leave.iter().enumerate())
        .map(|(i, &heard)| State { group: front.base + i, heard: usize::from(heard) })
        .map(|state| {
            let since = (note.at - front.entered[layout.index(front.base, state)]).0 as f32 / 1e6;
            (cost(state) + missed_cost(piece, state) + rush, since)
        })
        .collect();
    let mut entries = Vec::with_capacity(window.len());
    for group in window {
        let mut cheapest = (jump, JUMPED);
        let mut skipped = 0.0;
        for forward in 1..=FORWARD_MAX.min(group) {
            let from = group - forward;
            let reached = from.checked_sub(front.base).and_then(|i| leave.get(i));
            // The rhythm only adds to the cost, so most places need no look at it.
            if let Some((cost, since)) = reached.filter(|(cost, _)| cost + skipped < cheapest.0) {
                let written = piece.groups[group].seconds - piece.groups[from].seconds;
                let rhythm = tempos.map_or(0.0, |t| rhythm(*since, (written * t[group]) as f32));
                if cost + skipped + rhythm < cheapest.0 {
                    cheapest = (cost + skipped + rhythm, FORWARD + forward as u8);
                }
            }
            skipped += missed_cost(piece, State { group: from, heard: 0 });
        }
        entries.push(cheapest);
    }
    entries
}

/// What a duration costs that should have been another one, both in seconds.
fn rhythm(played: f32, expected: f32) -> f32 {
    let off = (played - expected).abs() / (RHYTHM_SHARE * expected + RHYTHM_SECONDS);
    (RHYTHM * off).min(RHYTHM_MAX)
}

/// The costs of all states after a key-down, and how each was entered.
fn step(
    piece: &Piece,
    layout: &Layout,
    front: &Front,
    (base, entries): (usize, &[(f32, u8)]),
    (before, note): (Option<&PlayedNote>, &PlayedNote),
) -> (Vec<f32>, Vec<Micros>, Vec<u8>) {
    let seconds = before.map_or(0.0, |b| (note.at - b.at).0 as f32 / 1e6);
    let linger = (LINGER * seconds).min(LINGER_MAX);
    let again = before.is_some_and(|b| b.pitch == note.pitch);
    let (mut costs, mut entered, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for (group, &entry) in (base..).zip(entries) {
        let copies = copies(piece, group, note);
        let stray = match copies {
            0 if near(piece, group, note) => NEAR,
            _ => FOREIGN,
        };
        let index = |heard: usize| {
            let index = layout.index(front.base, State { group: group.max(front.base), heard });
            (group >= front.base && index < front.costs.len()).then_some(index)
        };
        let old = |heard: usize| index(heard).map_or(f32::INFINITY, |i| front.costs[i]);
        for heard in 0..=heard_max(piece, group) {
            let mut cheapest = (old(heard) + linger + stray, STRAY);
            let mut consider = |cost: f32, step: u8| {
                if cost < cheapest.0 {
                    cheapest = (cost, step);
                }
            };
            if heard > 0 && copies > usize::from(again) {
                consider(old(heard - 1) + linger, HEARD);
            }
            if heard == 1 && copies > 0 {
                consider(entry.0, entry.1);
            } else if heard == 0 && copies == 0 {
                consider(entry.0 + stray, entry.1);
            }
            let since = match cheapest.1 {
                STRAY => index(heard),
                HEARD if heard > 1 => index(heard - 1),
                _ => None,
            };
            costs.push(cheapest.0);
            entered.push(since.map_or(note.at, |i| front.entered[i]));
            steps.push(cheapest.1);
        }
    }
    (costs, entered, steps)
}

/// How many notes of a pitch a group has.
fn copies(piece: &Piece, group: usize, note: &PlayedNote) -> usize {
    usize::from(piece.copies[usize::from(note.pitch.key()) * piece.groups.len() + group])
}

fn near(piece: &Piece, group: usize, note: &PlayedNote) -> bool {
    let before = group.checked_sub(1).is_some_and(|g| copies(piece, g, note) > 0);
    before || (group + 1 < piece.groups.len() && copies(piece, group + 1, note) > 0)
}
