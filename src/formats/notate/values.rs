//! From places to values: each voice of a staff fills its measures with notes, ties, tuplets and rests.
//!
//! A value may reach over a division of its measure only from, or up to, one that is as strong; a note may also stand
//! across a weaker one with both halves alike (a syncopation), but not across the middle of the measure unless it is of
//! two beats. Rests are stricter: they begin where they are strong (Gould, *Behind Bars*, pp. 161-170).

use super::{Placed, VOICES, window, written_end};
use crate::music::notation::{Base, Chord, Grace, Head, Measure, NoteValue, Ratio, Rest, SpelledPitch, TupletMark};
use crate::music::{Bar, Hand, Meter, Pitch};
use crate::time::Ticks;

/// Whose notes are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) staff: u8,
    pub(super) hand: Hand,
}

/// What fills a stretch of a voice, in ticks of its measure: notes by index, or a rest.
#[derive(Clone, Copy, Debug)]
struct Stretch<'a> {
    from: i64,
    to: i64,
    /// The notes; none for a rest.
    notes: &'a [usize],
    /// Whether the notes were struck before.
    held: bool,
    /// Whether they are held beyond.
    holds: bool,
}

/// Writes the notes of a staff into the measures. `names` are those of the score's notes.
pub(super) fn write(
    measures: &mut [Measure],
    notes: &[Placed],
    names: &[SpelledPitch],
    bars: &[Bar],
    resolution: u16,
    place: Place,
) {
    for voice in 0..VOICES {
        let of_voice = |grace: bool| -> Vec<usize> {
            (0..notes.len()).filter(|i| notes[*i].voice == voice && notes[*i].grace == grace).collect()
        };
        let (mains, small) = (of_voice(false), of_voice(true));
        let chords: Vec<&[usize]> = mains.chunk_by(|a, b| notes[*a].at == notes[*b].at).collect();
        let writer = Writer { notes, names, resolution, place, voice };
        // The chords that begin here or later, and those that were written as grace notes.
        let (mut next, mut next_small, mut used) = (0, 0, 0);
        for (index, (bar, measure)) in bars.iter().zip(measures.iter_mut()).enumerate() {
            let layout = Layout::of(bar, resolution, bar.start.0 == 0);
            let until = next + chords[next..].partition_point(|c| notes[c[0]].at < bar.end.0);
            let stop = next_small + small[next_small..].partition_point(|i| notes[*i].at < bar.end.0);
            writer.graces(measure, bar, &small[next_small..stop]);
            if layout.length == 0 {
                // Too short for a value: what begins here is written as grace notes.
                chords[next..until].iter().for_each(|chord| writer.graces(measure, bar, chord));
                used = if until > next { until } else { used };
            } else {
                let first = next.saturating_sub(1).max(used);
                let beyond = bars[index + 1..].iter().find(|b| written_end(b, i64::from(resolution)) > b.start.0);
                let span =
                    Span { start: bar.start.0, length: layout.length, beyond: beyond.map_or(i64::MAX, |b| b.start.0) };
                let stretches = stretches(&chords[first..until], chords.get(until), notes, &span);
                let is_needed = voice == 0 || stretches.iter().any(|s| !s.notes.is_empty());
                if is_needed {
                    writer.measure(measure, bar, &layout, &stretches);
                }
            }
            (next, next_small) = (until, stop);
        }
    }
}

/// Where a measure lies: its first tick, what values can fill, and the first tick of the next one that has values.
struct Span {
    start: i64,
    length: i64,
    beyond: i64,
}

/// The stretches of a measure, without gaps: the chords that sound in it, and rests between.
fn stretches<'a>(
    chords: &[&'a [usize]],
    after: Option<&&'a [usize]>,
    notes: &[Placed],
    &Span { start, length, beyond }: &Span,
) -> Vec<Stretch<'a>> {
    let mut found: Vec<Stretch<'a>> = Vec::new();
    let mut now = 0;
    let begins = |chord: &[usize]| notes[chord[0]].at;
    for (index, chord) in chords.iter().enumerate() {
        let next = chords.get(index + 1).or(after).map_or(i64::MAX, |c| begins(c));
        let until = chord.iter().map(|i| notes[*i].until).max().unwrap_or(start).min(next);
        let (from, to) = ((begins(chord) - start).max(0), (until - start).min(length));
        if to <= from {
            continue;
        }
        if from > now {
            found.push(Stretch { from: now, to: from, notes: &[], held: false, holds: false });
        }
        let holds = until > beyond;
        found.push(Stretch { from, to, notes: chord, held: begins(chord) < start, holds });
        now = to;
    }
    if now < length {
        found.push(Stretch { from: now, to: length, notes: &[], held: false, holds: false });
    }
    found
}

struct Writer<'a> {
    notes: &'a [Placed],
    names: &'a [SpelledPitch],
    resolution: u16,
    place: Place,
    voice: u8,
}

impl Writer<'_> {
    fn measure(&self, measure: &mut Measure, bar: &Bar, layout: &Layout, stretches: &[Stretch<'_>]) {
        if let [only] = stretches
            && only.notes.is_empty()
            && !layout.is_short
        {
            let value = NoteValue::of_ticks(Ticks(layout.length), self.resolution);
            let mut rest = self.chord(0, value.unwrap_or(NoteValue::plain(Base::Whole)), Vec::new());
            rest.rest = Rest::WholeMeasure;
            measure.chords.push(rest);
            return;
        }
        let tuplets = layout.tuplets(stretches);
        for stretch in stretches {
            let mut from = stretch.from;
            while from < stretch.to {
                let tuplet = tuplets.iter().find(|t| t.to > from && t.from < stretch.to);
                let (to, inside) = match tuplet {
                    Some(tuplet) if tuplet.from <= from => (stretch.to.min(tuplet.to), Some(tuplet)),
                    Some(tuplet) => (tuplet.from, None),
                    None => (stretch.to, None),
                };
                match inside {
                    Some(tuplet) => self.in_tuplet(measure, bar, stretch, (from, to), tuplet),
                    None => {
                        for (from, to, value) in layout.values(from, to, stretch.notes.is_empty()) {
                            let chord = self.piece(bar, stretch, (from, to), value);
                            measure.chords.push(chord);
                        }
                    }
                }
                from = to;
            }
        }
    }

    /// A part of a stretch within a tuplet, in as few values as will do.
    fn in_tuplet(
        &self,
        measure: &mut Measure,
        bar: &Bar,
        stretch: &Stretch<'_>,
        (from, to): (i64, i64),
        tuplet: &Tuplet,
    ) {
        let mut at = from;
        while at < to {
            let (ticks, value) = tuplet.value(to - at, self.resolution);
            let mut chord = self.piece(bar, stretch, (at, at + ticks), value);
            if stretch.notes.is_empty() {
                chord.rest = Rest::Printed;
            }
            if at == tuplet.from {
                chord.tuplet = TupletMark::Starts { number: true, bracket: None };
            } else if at + ticks == tuplet.to {
                chord.tuplet = TupletMark::Ends;
            }
            measure.chords.push(chord);
            at += ticks;
        }
    }

    /// One value of a stretch.
    fn piece(&self, bar: &Bar, stretch: &Stretch<'_>, (from, to): (i64, i64), value: NoteValue) -> Chord {
        let first = from == stretch.from && !stretch.held;
        let tied = to < stretch.to || stretch.holds;
        let heads = stretch.notes.iter().map(|i| self.head(*i, bar, first, tied)).collect();
        let mut chord = self.chord(from, value, heads);
        if stretch.notes.is_empty() && self.voice > 0 {
            chord.rest = Rest::Hidden;
        }
        chord
    }

    fn graces(&self, measure: &mut Measure, bar: &Bar, notes: &[usize]) {
        for index in notes {
            let at = (self.notes[*index].at - bar.start.0).max(0);
            let several = notes.iter().filter(|i| self.notes[**i].at == self.notes[*index].at).count() > 1;
            let base = if several { Base::Sixteenth } else { Base::Eighth };
            let mut chord = self.chord(at, NoteValue::plain(base), vec![self.head(*index, bar, true, false)]);
            chord.grace = Some(Grace { slash: !several });
            measure.chords.push(chord);
        }
    }

    fn chord(&self, at: i64, value: NoteValue, heads: Vec<Head>) -> Chord {
        let Place { staff, hand } = self.place;
        Chord::plain(Ticks(at), value, (staff, staff * VOICES + self.voice, hand), heads)
    }

    fn head(&self, index: usize, bar: &Bar, first: bool, tied: bool) -> Head {
        let note = &self.notes[index];
        let sounds = first.then(|| (Ticks(note.onset) - bar.start, Pitch::from_data_byte(note.key)));
        Head { pitch: self.names[note.index], courtesy: false, tied, staff: None, finger: None, sounds }
    }
}

/// How strong places of a measure are.
const BAR: i32 = 100;
const MIDDLE: i32 = 50;
const BEAT: i32 = 40;
const UNIT: i32 = 30;

/// A measure with its divisions.
struct Layout {
    /// What values can fill.
    length: i64,
    /// Before its first tick, where it is the end of a longer one.
    offset: i64,
    /// Whether it is shorter than its metre says.
    is_short: bool,
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
    fn of(bar: &Bar, resolution: u16, first: bool) -> Self {
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
        let is_even = middle - from == to - middle && value.dots == 0;
        (is_even && (inner < MIDDLE || to - from >= 2 * beat)).then_some(value)
    }

    /// The values that fill a stretch, with their places.
    fn values(&self, from: i64, to: i64, rest: bool) -> Vec<(i64, i64, NoteValue)> {
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

    /// The windows, or pairs of them, that a voice divides by three or five.
    fn tuplets(&self, stretches: &[Stretch<'_>]) -> Vec<Tuplet> {
        let mut found: Vec<Tuplet> = Vec::new();
        let cuts: Vec<i64> = stretches.iter().skip(1).map(|s| s.from).collect();
        let windows = cuts.chunk_by(|a, b| a.div_euclid(self.window) == b.div_euclid(self.window));
        for cuts in windows {
            let from = cuts[0].div_euclid(self.window) * self.window;
            let inner: Vec<i64> = cuts.iter().map(|cut| cut - from).filter(|cut| *cut > 0).collect();
            let fits = |parts: i64| inner.iter().all(|cut| cut * parts % self.window == 0);
            let plain = [1, 2, 4, 8, 16, 32].into_iter().any(fits);
            if inner.is_empty() || plain || from + self.window > self.length {
                continue;
            }
            if let Some(parts) = [3, 6, 12, 5].into_iter().find(|parts| fits(*parts)) {
                found.push(Tuplet { from, to: from + self.window, parts });
            }
        }
        if self.pairs {
            self.join(&mut found, &cuts);
        }
        found
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
struct Tuplet {
    from: i64,
    to: i64,
    parts: i64,
}

impl Tuplet {
    /// The longest value of at most so many ticks, and its length.
    fn value(&self, ticks: i64, resolution: u16) -> (i64, NoteValue) {
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
