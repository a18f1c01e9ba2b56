//! How a measure divides: which values may stand where, and what is divided by three or five.
//!
//! A value may reach over a division of its measure only from, or up to, one that is as strong; a note may also stand
//! across a weaker one with both halves alike (a syncopation), but not across the middle of the measure unless it is of
//! two beats. Rests are stricter: they begin where they are strong (Gould, *Behind Bars*, pp. 161-170).

use super::{window, written_end};
use crate::music::notation::{Base, NoteValue, Ratio};
use crate::music::{Bar, Meter};
use crate::time::Ticks;

/// How strong places of a measure are.
const BAR: i32 = 100;
const MIDDLE: i32 = 50;
const BEAT: i32 = 40;
const UNIT: i32 = 30;

/// A measure with its divisions.
pub(super) struct Layout {
    /// What values can fill.
    pub(super) length: i64,
    /// Before its first tick, where it is the end of a longer one.
    offset: i64,
    /// Whether it is shorter than its metre says.
    pub(super) is_short: bool,
    /// Distances of places, and how strong they are, from strong to weak.
    levels: Vec<(i64, i32)>,
    /// Whether beats are dotted.
    compound: bool,
    /// The window that onsets are placed in.
    window: i64,
    /// Whether windows may be joined in pairs.
    pairs: bool,
    resolution: u16,
}

impl Layout {
    pub(super) fn of(bar: &Bar, resolution: u16, first: bool) -> Self {
        let quarter = i64::from(resolution);
        let length = written_end(bar, quarter) - bar.start.0;
        let Meter { beats, unit, .. } = bar.meter;
        let (full, unit_ticks) = (bar.meter.bar_ticks(resolution), bar.meter.beat_ticks(resolution));
        let compound = unit >= 8 && beats % 3 == 0 && beats > 3;
        let (beat, count) =
            if compound { (3 * unit_ticks, i64::from(beats / 3)) } else { (unit_ticks, i64::from(beats)) };
        let mut levels = Vec::new();
        if count % 2 == 0 && count > 2 || compound && count == 2 {
            levels.push((count / 2 * beat, MIDDLE));
        }
        levels.push((beat, BEAT));
        let (mut step, mut strength) = (unit_ticks, UNIT);
        while step * 32 >= quarter && strength > 0 {
            levels.push((step, strength));
            (step, strength) = (step / 2, strength - 1);
        }
        Self {
            length,
            offset: if first && length < full { full - length } else { 0 },
            is_short: bar.end.0 - bar.start.0 < full,
            levels,
            compound,
            window: window(bar.meter, quarter),
            pairs: !compound && beats % 2 == 0,
            resolution,
        }
    }

    /// How strong a place is.
    fn strength(&self, at: i64) -> i32 {
        if at == 0 || at == self.length {
            return BAR;
        }
        self.levels.iter().find(|(step, _)| (at + self.offset) % step == 0).map_or(0, |(_, strength)| *strength)
    }

    /// The strongest places between two: the first, how far apart they are, and how strong.
    fn strongest_within(&self, from: i64, to: i64) -> Option<(i64, i64, i32)> {
        self.levels.iter().find_map(|(step, strength)| {
            let next = ((from + self.offset).div_euclid(*step) + 1) * step - self.offset;
            (next < to).then_some((next, *step, *strength))
        })
    }

    /// The one value for a stretch, if it may stand there.
    fn single(&self, from: i64, to: i64, rest: bool) -> Option<NoteValue> {
        let value = NoteValue::of_ticks(Ticks(to - from), self.resolution)?;
        let Some((middle, step, inner)) = self.strongest_within(from, to) else { return Some(value) };
        let (start, end) = (self.strength(from), self.strength(to));
        if rest {
            let is_plain = value.dots == 0 || self.compound && value.dots == 1;
            return (inner < start && is_plain).then_some(value);
        }
        if inner <= start.max(end) {
            return Some(value);
        }
        let beat = self.levels.iter().find(|l| l.1 == BEAT).map_or(step, |l| l.0);
        // Halves of at least half a step: what is shorter shows where the stronger place is.
        let is_even = middle - from == to - middle && value.dots == 0 && 2 * (middle - from) >= step;
        (is_even && (inner < MIDDLE || to - from >= 2 * beat)).then_some(value)
    }

    /// The values that fill a stretch, with their places.
    pub(super) fn values(&self, from: i64, to: i64, rest: bool) -> Vec<(i64, i64, NoteValue)> {
        let mut found = Vec::new();
        let mut from = from;
        while from < to {
            let (end, value) = self.first_value(from, to, rest);
            if end <= from {
                break;
            }
            found.push((from, end, value));
            from = end;
        }
        found
    }

    /// The first value of a stretch and its end.
    fn first_value(&self, from: i64, mut to: i64, rest: bool) -> (i64, NoteValue) {
        loop {
            if let Some(value) = self.single(from, to, rest) {
                return (to, value);
            }
            let Some((first, step, _)) = self.strongest_within(from, to) else { break };
            // The last of the strongest places that one value reaches, else what lies before the first.
            let last = first + (to - 1 - first) / step * step;
            let reached = (0..=(last - first) / step)
                .map(|i| last - i * step)
                .find(|end| *end < to && self.single(from, *end, rest).is_some());
            match reached.and_then(|end| Some((end, self.single(from, end, rest)?))) {
                Some(found) => return found,
                None => to = first,
            }
        }
        // What no place divides: the longest value that fits.
        let values = Base::ALL.into_iter().map(NoteValue::plain);
        let longest = values.map(|v| (v.ticks(self.resolution).0, v)).find(|(ticks, _)| *ticks <= to - from);
        longest.map_or((from, NoteValue::plain(Base::HundredTwentyEighth)), |(ticks, value)| (from + ticks, value))
    }

    /// The windows, or pairs of them, that a voice divides by three or five, from where its notes and rests meet.
    pub(super) fn tuplets(&self, cuts: &[i64]) -> Vec<Tuplet> {
        let mut found: Vec<Tuplet> = Vec::new();
        let windows = cuts.chunk_by(|a, b| a.div_euclid(self.window) == b.div_euclid(self.window));
        for cuts in windows {
            let from = cuts[0].div_euclid(self.window) * self.window;
            if from + self.window <= self.length {
                self.divide(&mut found, cuts, (from, self.window));
            }
        }
        if self.pairs {
            self.join(&mut found, cuts);
        }
        found
    }

    /// Finds the tuplets of a stretch: one, or those of its halves where something meets in its middle.
    fn divide(&self, found: &mut Vec<Tuplet>, cuts: &[i64], (from, length): (i64, i64)) {
        let inner = || cuts.iter().map(|cut| cut - from).filter(|cut| (1..length).contains(cut));
        let fits = |parts: i64| length % parts == 0 && inner().all(|cut| cut * parts % length == 0);
        if inner().next().is_none() || [1, 2, 4, 8, 16, 32].into_iter().any(fits) {
            return;
        }
        let half = length / 2;
        if ![3, 5].into_iter().any(fits) && length % 2 == 0 && inner().any(|cut| cut == half) {
            self.divide(found, cuts, (from, half));
            self.divide(found, cuts, (from + half, half));
        } else if let Some(parts) = [3, 6, 12, 5].into_iter().find(|parts| fits(*parts)) {
            found.push(Tuplet { from, to: from + length, parts });
        }
    }

    /// Makes one tuplet of two windows where a note reaches over their middle and all lie on thirds of the two.
    fn join(&self, tuplets: &mut Vec<Tuplet>, cuts: &[i64]) {
        let double = 2 * self.window;
        let mut joined: Vec<Tuplet> = Vec::with_capacity(tuplets.len());
        for tuplet in tuplets.drain(..) {
            let from = tuplet.from / double * double;
            let within = &cuts[cuts.partition_point(|c| *c <= from)..cuts.partition_point(|c| *c < from + double)];
            let on_thirds = within.iter().all(|cut| (cut - from) * 3 % double == 0);
            if joined.last().is_some_and(|last| last.from == from && last.to == from + double) {
                continue;
            }
            let fits = from + double <= self.length && on_thirds;
            joined.push(if fits { Tuplet { from, to: from + double, parts: 3 } } else { tuplet });
        }
        *tuplets = joined;
    }
}

/// A stretch that is divided by three or five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tuplet {
    pub(super) from: i64,
    pub(super) to: i64,
    parts: i64,
}

impl Tuplet {
    /// The longest value of at most so many ticks, and its length.
    pub(super) fn value(&self, ticks: i64, resolution: u16) -> (i64, NoteValue) {
        let length = self.to - self.from;
        let normal = if self.parts == 5 { 4 } else { self.parts * 2 / 3 };
        let ratio = Some(Ratio { actual: self.parts as u8, normal: normal as u8 });
        let unit = length / self.parts;
        let fits = |count: &i64| count * unit <= ticks;
        let count = [8, 6, 4, 3, 2, 1].into_iter().find(fits).unwrap_or(1);
        let plain = NoteValue::of_ticks(Ticks(length / normal * count), resolution);
        let value = plain.unwrap_or(NoteValue::plain(Base::Sixteenth));
        (count * unit, NoteValue { ratio, ..value })
    }
}
