//! Where onsets are written: in each beat the coarsest division that explains them.
//!
//! Each division of a beat has a price, and so has each onset that lies away from its nearest line, by the square of its
//! distance in spreads; the cheapest wins. That is the least-squares reading of a beat with a prior for simple divisions
//! (Cemgil, Desain and Kappen, *Rhythm quantization for transcription*, Computer Music Journal 24:2, 2000). What was
//! played and not written is read twice: the second time the divisions of the beats around have a say, for music that
//! goes in triplets goes on in triplets.

use super::{Placed, gcd, window};
use crate::music::{Bar, Score};
use crate::time::Ticks;

/// How exactly the notes of a score keep to the beat.
pub(super) struct Timing<'a> {
    score: &'a Score,
    pub(super) resolution: i64,
    /// The ticks that notes are away from their lines, in a file that was written and not played.
    exact: Option<f64>,
}

/// The spread of played onsets, in microseconds: within ±50 ms of the beat are some 95 in 100 of those who play with a
/// metronome.
const SPREAD_MICROS: f64 = 24_000.0;
/// A grace note is not longer, in microseconds...
const GRACE_MICROS: f64 = 90_000.0;
/// ... and there are no more in a row; more are a run.
const GRACES_MAX: usize = 3;

impl<'a> Timing<'a> {
    /// Looks how many onsets lie on lines of sixteenths' quarters, triplets and quintuplets, against how many would by
    /// chance.
    pub(super) fn of(score: &'a Score) -> Self {
        let resolution = i64::from(score.resolution());
        let tick = score.notes().iter().fold(resolution, |g, note| gcd(note.onset.0, g)).max(1);
        let off = |at: i64| {
            let lines = [resolution / 16, resolution / 12, resolution / 5];
            lines.iter().map(|line| (at + line / 2).rem_euclid(*line) - line / 2).map(i64::abs).min().unwrap_or(0)
        };
        let on_line = |at: i64| off(at) * 2 <= tick;
        let ticks = resolution / tick;
        let chance = (0..ticks).filter(|i| on_line(i * tick)).count() as f64 / ticks as f64;
        let found = score.notes().iter().filter(|n| on_line(n.onset.0)).count() as f64;
        let share = found / score.notes().len().max(1) as f64;
        let is_exact = share >= chance + (1.0 - chance) * 0.6;
        // Ticks of a coarse file are rounded by half of one.
        let spread = (tick.min(resolution / 48) as f64 / 2.0).max(resolution as f64 / 200.0);
        Self { score, resolution, exact: is_exact.then_some(spread) }
    }

    pub(super) fn is_exact(&self) -> bool {
        self.exact.is_some()
    }

    /// The spread around a tick, in ticks.
    pub(super) fn spread(&self, at: i64) -> f64 {
        self.exact.unwrap_or_else(|| SPREAD_MICROS / self.micros_per_tick(at))
    }

    fn micros_per_tick(&self, at: i64) -> f64 {
        f64::from(self.score.tempo().micros_per_quarter(Ticks(at))).max(1.0) / self.resolution as f64
    }
}

/// A beat that has onsets, and its division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) start: i64,
    pub(super) length: i64,
    pub(super) step: i64,
    pub(super) parts: i64,
    /// Whether nothing of the beat is cut off.
    whole: bool,
}

impl Cell {
    /// The nearest line; the last is the end of the beat, however short it is.
    pub(super) fn snap(&self, tick: i64) -> i64 {
        self.line((tick - self.start + self.step / 2).div_euclid(self.step))
    }

    /// The line of an index.
    fn line(&self, index: i64) -> i64 {
        if index >= self.parts { self.start + self.length } else { self.start + index.max(0) * self.step }
    }

    /// The divisions whose lines ends may lie on beside the cell's own, from coarse to fine. Where the beat has one
    /// onset at most there is nothing that a third could not stand beside.
    pub(super) fn for_ends(self, resolution: i64) -> [Self; 4] {
        let most = if self.whole { self.length * 16 / resolution } else { 0 };
        let parts = match self.parts {
            _ if !self.whole => [self.parts; 4],
            1 => [1, 2, 4, 3].map(|parts| if parts <= most.min(4) && (parts != 3 || most >= 4) { parts } else { 1 }),
            5 => [1, 5, 5, 5],
            own if own % 3 == 0 => [1, 3, own, own],
            own => [1, 2, most.min(4), own],
        };
        parts.map(|parts| Self { parts, step: if self.whole { self.length / parts } else { self.step }, ..self })
    }

    /// The first line after a tick.
    pub(super) fn after(&self, tick: i64) -> i64 {
        self.line((tick - self.start).div_euclid(self.step) + 1)
    }
}

/// The beats of a staff that have onsets, in order.
pub(super) struct Grid<'a> {
    cells: Vec<Cell>,
    bars: &'a [Bar],
    resolution: i64,
}

impl Grid<'_> {
    /// The cell of a tick, with its own division if it has onsets, else undivided.
    pub(super) fn cell(&self, tick: i64) -> Cell {
        let cell = cell_at(self.bars, tick, self.resolution);
        self.cells.binary_search_by_key(&cell.start, |c| c.start).map_or(cell, |at| self.cells[at])
    }

    /// The last tick of the page.
    pub(super) fn end(&self) -> i64 {
        self.bars.last().map_or(0, |bar| bar.end.0)
    }
}

/// The beat that holds a tick, undivided.
fn cell_at(bars: &[Bar], tick: i64, resolution: i64) -> Cell {
    let index = bars.partition_point(|b| b.start.0 <= tick).max(1) - 1;
    let bar = &bars[index];
    let width = window(bar.meter, resolution);
    let shortest = resolution / 32;
    let mut start = bar.start.0 + (tick.min(bar.end.0 - 1) - bar.start.0).max(0) / width * width;
    if bar.end.0 - start < shortest && start > bar.start.0 {
        // A rest that no value is short enough for belongs to the beat before.
        start -= width;
    }
    let length = bar.end.0 - start;
    let length = if length < width + shortest && length > width { length } else { length.min(width) };
    if length == width {
        Cell { start, length, step: length, parts: 1, whole: true }
    } else if length >= shortest {
        // What a change of metre cut off is counted in hundred-twenty-eighths.
        Cell { start, length, step: shortest, parts: length / shortest, whole: false }
    } else {
        Cell { start, length, step: length, parts: 1, whole: false }
    }
}

/// The divisions of a beat of so many sixty-fourths, and their prices in squared spreads.
fn divisions(sixty_fourths: i64) -> impl Iterator<Item = (i64, f64)> {
    const ALL: [(i64, i64, f64); 9] = [
        (1, 0, 0.0),
        (2, 2, 1.0),
        (4, 4, 2.5),
        (3, 4, 3.0),
        (8, 8, 7.0),
        (6, 8, 6.5),
        (5, 8, 10.0),
        (16, 16, 13.0),
        (12, 16, 13.0),
    ];
    ALL.into_iter().filter(move |(_, least, _)| *least <= sixty_fourths).map(|(parts, _, price)| (parts, price))
}

/// Two onsets on one line that are further apart than so many spreads are no chord...
const CHORD_SPREADS: f64 = 2.5;
/// ... and cost this.
const COLLISION: f64 = 8.0;

/// Writes each note that is no grace note at a line of its beat, and grace notes at the note that they lead to. Notes are
/// in the order of onset and key, before and after.
pub(super) fn place<'a>(notes: &mut [Placed], bars: &'a [Bar], timing: &Timing<'_>) -> Grid<'a> {
    let resolution = timing.resolution;
    let mut grid = Grid { cells: Vec::new(), bars, resolution };
    let mut beats: Vec<Beat> = Vec::new();
    let mut from = 0;
    while from < notes.len() {
        let empty = cell_at(bars, notes[from].onset, resolution);
        let to = from + notes[from..].partition_point(|n| n.onset < empty.start + empty.length);
        let mut onsets: Vec<i64> = notes[from..to].iter().filter(|n| !n.grace).map(|n| n.onset).collect();
        onsets.dedup();
        let to = to.max(from + 1);
        let cell = divide(empty, &onsets, resolution, timing.spread(empty.start), &|_| 0.0);
        beats.push(Beat { notes: (from, to), onsets, cell });
        from = to;
    }
    if !timing.is_exact() {
        read_again(&mut beats, timing);
    }
    for Beat { notes: (from, to), onsets, cell } in beats {
        for note in &mut notes[from..to] {
            note.at = cell.snap(note.onset);
            if note.at >= grid.end() {
                note.at = cell.line(cell.parts - 1);
            }
        }
        if !onsets.is_empty() {
            grid.cells.push(cell);
        }
    }
    let mut next = None;
    for note in notes.iter_mut().rev() {
        match (note.grace, next) {
            (true, Some(at)) => note.at = at,
            // What leads nowhere is a note of its own.
            _ => note.grace = false,
        }
        next = Some(note.at);
    }
    notes.sort_by_key(|n| (n.at, !n.grace, n.key, n.onset));
    // A key that is struck twice at one place: the first is a grace note of the second.
    for index in 1..notes.len() {
        let (one, two) = (notes[index - 1], notes[index]);
        if !one.grace && !two.grace && one.at == two.at && one.key == two.key {
            notes[index - 1].grace = true;
        }
    }
    notes.sort_by_key(|n| (n.at, !n.grace, if n.grace { n.onset } else { i64::from(n.key) }));
    grid
}

/// A beat with its notes, from one index to another.
struct Beat {
    notes: (usize, usize),
    onsets: Vec<i64>,
    cell: Cell,
}

impl Beat {
    /// Whether it says how beats are divided here: in thirds, fifths or halves. One onset says nothing.
    fn family(&self) -> Option<i64> {
        (self.cell.whole && self.cell.parts > 1 && self.onsets.len() > 1).then(|| family(self.cell.parts))
    }
}

/// Halves, thirds or fifths, by their prime.
fn family(parts: i64) -> i64 {
    [3, 5].into_iter().find(|prime| parts % prime == 0).unwrap_or(2)
}

/// So many beats before and after one have a say, at least so many of them...
const AROUND: usize = 8;
const AROUND_LEAST: usize = 3;
/// ... and what is against all of them costs this, what is against seven of ten nothing.
const HABIT: f64 = 12.0;
const AGAINST_LEAST: f64 = 0.7;

/// Divides each beat again, by its onsets and by what the beats around were divided into.
fn read_again(beats: &mut [Beat], timing: &Timing<'_>) {
    let families: Vec<Option<i64>> = beats.iter().map(Beat::family).collect();
    for (index, beat) in beats.iter_mut().enumerate().filter(|(_, beat)| beat.onsets.len() > 1) {
        let around = families[index.saturating_sub(AROUND)..index].iter();
        let after = families.iter().skip(index + 1).take(AROUND);
        let said: Vec<i64> = around.chain(after).filter_map(|family| *family).collect();
        if said.len() < AROUND_LEAST {
            continue;
        }
        let against = |parts: i64| {
            let others = said.iter().filter(|other| **other != family(parts)).count();
            let share = others as f64 / said.len() as f64;
            if parts == 1 { 0.0 } else { HABIT * (share - AGAINST_LEAST).max(0.0) / (1.0 - AGAINST_LEAST) }
        };
        let empty = Cell { parts: 1, step: beat.cell.length, ..beat.cell };
        if beat.cell.whole {
            let spread = timing.spread(empty.start);
            beat.cell = divide(empty, &beat.onsets, timing.resolution, spread, &against);
        }
    }
}

/// The cheapest division of a beat for its onsets, ascending; `extra` is what a division costs besides.
fn divide(empty: Cell, onsets: &[i64], resolution: i64, spread: f64, extra: &dyn Fn(i64) -> f64) -> Cell {
    if !empty.whole {
        return empty;
    }
    let divided = divisions(empty.length * 16 / resolution).filter(|(parts, _)| empty.length % parts == 0);
    let cells = divided.map(|(parts, price)| {
        let cell = Cell { parts, step: empty.length / parts, ..empty };
        let mut cost = price + extra(parts);
        let mut last: Option<(i64, i64)> = None;
        for onset in onsets {
            let at = cell.snap(*onset);
            cost += ((at - onset) as f64 / spread).powi(2);
            if let Some((before, line)) = last
                && line == at
                && (onset - before) as f64 > CHORD_SPREADS * spread
            {
                cost += COLLISION;
            }
            last = Some((*onset, at));
        }
        (cost, cell)
    });
    cells.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(empty, |(_, cell)| cell)
}

/// Marks short notes that lead to a longer one and are no run.
pub(super) fn mark_graces(notes: &mut [Placed], timing: &Timing<'_>) {
    let is_short = |n: &Placed| {
        let length = (n.end - n.onset) as f64;
        let thirty_second = timing.resolution / 8;
        let is_written =
            timing.is_exact() && n.onset % thirty_second == 0 && (n.end - n.onset) * 5 >= thirty_second * 4;
        length * timing.micros_per_tick(n.onset) <= GRACE_MICROS
            && (n.end - n.onset) * 6 <= timing.resolution
            && !is_written
    };
    let mut index = 0;
    while index < notes.len() {
        let mut run = index;
        while run + 1 < notes.len() && is_short(&notes[run]) && leads_on(&notes[run], &notes[run + 1]) {
            run += 1;
        }
        let count = run - index;
        // What they lead to is much longer than they are, and so is what comes before.
        if (1..=GRACES_MAX).contains(&count) {
            let length = notes[index].end - notes[index].onset;
            let main = notes[run].end - notes[run].onset;
            let before = index.checked_sub(1).map_or(i64::MAX, |i| notes[index].onset - notes[i].onset);
            if main >= 3 * length && before >= 2 * length {
                notes[index..run].iter_mut().for_each(|n| n.grace = true);
            }
        }
        index = run + 1;
    }
}

/// Whether the second note follows when the first ends.
fn leads_on(one: &Placed, two: &Placed) -> bool {
    let length = one.end - one.onset;
    two.onset > one.onset && (two.onset - one.onset) * 5 <= length * 7 && one.end <= two.onset + length / 2 + 1
}
