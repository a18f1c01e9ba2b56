//! From places to values: each voice of a staff fills its measures with notes, ties, tuplets and rests.

use super::layout::{Layout, Tuplet};
use super::{Placed, VOICES, written_end};
use crate::music::notation::{
    Articulation, Base, Chord, Grace, Head, Measure, NoteValue, Rest, SpelledPitch, TupletMark,
};
use crate::music::{Bar, Hand, Pitch};
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
        let cuts: Vec<i64> = stretches.iter().skip(1).map(|s| s.from).collect();
        let tuplets = layout.tuplets(&cuts);
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
                chord.tuplet =
                    TupletMark::Starts { number: chord.value.ratio.map(|ratio| ratio.actual), bracket: None };
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
        if first && !tied && !stretch.notes.is_empty() && stretch.notes.iter().all(|i| self.notes[*i].detached) {
            chord.articulations.push(Articulation::Staccato);
        }
        if stretch.notes.is_empty() && self.voice > 0 {
            chord.rest = Rest::Hidden;
        }
        chord
    }

    /// Grace notes, those of one place together.
    fn graces(&self, measure: &mut Measure, bar: &Bar, notes: &[usize]) {
        for group in notes.chunk_by(|a, b| self.notes[*a].at == self.notes[*b].at) {
            let several = group.len() > 1;
            let base = if several { Base::Sixteenth } else { Base::Eighth };
            for index in group {
                let at = (self.notes[*index].at - bar.start.0).max(0);
                let mut chord = self.chord(at, NoteValue::plain(base), vec![self.head(*index, bar, true, false)]);
                chord.grace = Some(Grace { slash: !several });
                measure.chords.push(chord);
            }
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
