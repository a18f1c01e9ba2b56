//! Draws the notes of a placed measure: heads, ledger lines, stems, flags, beams, dots, accidentals, rests.

use std::collections::{HashMap, HashSet};

use super::beaming::{self, Beamed};
use super::canvas::Canvas;
use super::chords::{ChordShape, HeadShape, dot_step};
use super::font::{self, DEFAULTS};
use super::glyphs as g;
use super::measure::{Beam, MeasureShape};
use super::shape::{Bounds, Part, Point, Shape, Tag};
use super::stems::y_of;
use crate::music::notation::{Base, Chord, Head, Measure, SpelledPitch};
use crate::music::{Hand, NoteId};
use crate::time::Ticks;

/// Between a rest and the beam over or under it.
const REST_FROM_BEAM: f32 = 0.25;

/// Where a head was drawn.
#[derive(Clone, Debug)]
pub(super) struct HeadPlace {
    pub(super) staff: u8,
    pub(super) pitch: SpelledPitch,
    pub(super) bounds: Bounds,
    pub(super) tied: bool,
    pub(super) finger: Option<u8>,
    pub(super) note: Option<NoteId>,
    /// Where its item is among those of the measure.
    pub(super) item: usize,
}

/// Where a chord was drawn.
#[derive(Clone, Debug)]
pub(super) struct ChordPlace {
    /// Which of the measure's chords.
    pub(super) chord: usize,
    pub(super) at: Ticks,
    pub(super) staff: u8,
    pub(super) voice: u8,
    pub(super) hand: Hand,
    /// Whether it is the upper of two voices.
    pub(super) upper: Option<bool>,
    pub(super) up: bool,
    pub(super) grace: bool,
    pub(super) rest: bool,
    /// The middle of its heads.
    pub(super) x: f32,
    /// Where the wavy line of an arpeggio stands.
    pub(super) arpeggio_x: f32,
    /// The end of its stem.
    pub(super) tip: Option<Point>,
    /// From below.
    pub(super) heads: Vec<HeadPlace>,
    /// All that belongs to it.
    pub(super) bounds: Bounds,
}

/// A measure with its place.
pub(super) struct Placing<'a> {
    pub(super) measure: &'a Measure,
    pub(super) shape: &'a MeasureShape,
    /// Where its columns stand.
    pub(super) columns: &'a [f32],
    /// Where its notes may stand: from after the signs at its beginning to the line at its end.
    pub(super) inner: (f32, f32),
    /// The note of the score that a head sounds as.
    pub(super) note: &'a dyn Fn(&Chord, usize) -> Option<NoteId>,
}

/// The heads of a measure that are drawn: where voices meet in one head it is drawn once.
#[derive(Default)]
struct Heads {
    /// The item of a head, by what it stands for and its place in hundredths of a space.
    items: HashMap<(Tag, char, [i32; 2]), usize>,
    struck: HashSet<NoteId>,
}

impl Placing<'_> {
    /// The left edge of a chord's heads.
    fn x(&self, index: usize) -> f32 {
        let shape = &self.shape.chords[index];
        let column = self.shape.column_of[index].and_then(|c| self.columns.get(c));
        match column {
            Some(x) => x + shape.x,
            None => (self.inner.0 + self.inner.1 - font::rest(shape.base).width()) / 2.0,
        }
    }

    fn chord(&self, index: usize) -> &Chord {
        &self.measure.chords[self.shape.chords[index].chord]
    }

    /// Draws everything; the places of the chords are in the order of the shapes.
    pub(super) fn draw(&self, canvas: &mut Canvas) -> Vec<ChordPlace> {
        let (tips, rests) = self.beams(canvas);
        let mut places = Vec::with_capacity(tips.len());
        let mut heads = Heads::default();
        for (index, tip) in tips.into_iter().enumerate() {
            let away = rests.iter().find(|(rest, _)| *rest == index).map_or(0.0, |(_, away)| *away);
            places.push(self.chord_ui(canvas, &mut heads, index, (tip, away)));
        }
        for (staff, column, clef, x) in &self.shape.clefs {
            let (glyph, line) = font::clef(*clef);
            let at = Point::new(self.columns[*column] + x, canvas.y(*staff, 4.0 - f32::from(line)));
            let tag = Tag { part: Part::Signature, staff: *staff, ..Tag::default() };
            canvas.glyph(glyph, at, super::signs::SMALL_CLEF, tag);
        }
        places
    }

    /// The end of each stem: at its beam, which is drawn, or by itself; and how far rests between beamed notes move.
    fn beams(&self, canvas: &mut Canvas) -> (Vec<f32>, Vec<(usize, f32)>) {
        let shapes = &self.shape.chords;
        let mut tips: Vec<f32> = shapes.iter().map(|s| canvas.y(s.staff, s.tip)).collect();
        let mut rests = Vec::new();
        for beam in &self.shape.beams {
            let note = |i: &usize| {
                let (shape, outer) = (&shapes[*i], shapes[*i].outer());
                Beamed {
                    x: self.x(*i) + shape.stem_x(),
                    y: canvas.y(outer.staff, y_of(outer.step)),
                    flags: shape.base.flags(),
                    up: shape.up,
                }
            };
            let notes: Vec<Beamed> = beam.chords.iter().map(note).collect();
            let first = &shapes[beam.chords[0]];
            let one_staff = beam.chords.iter().all(|i| shapes[*i].outer().staff == first.outer().staff);
            let middle = (first.scale == 1.0 && one_staff).then(|| canvas.y(first.outer().staff, 2.0));
            let line = beaming::lay(&notes, middle, first.scale);
            for (index, note) in beam.chords.iter().zip(&notes) {
                tips[*index] = line.at(note.x);
            }
            rests.extend(self.rests_in(canvas, beam, &line, first.scale));
            let half = DEFAULTS.stem_thickness / 2.0;
            let thickness = DEFAULTS.beam_thickness * first.scale * line.inwards;
            for level in &beam.levels {
                let (mut from, mut to) = (notes[level.from].x - half, notes[level.to].x + half);
                if level.from == level.to {
                    let (own, stub) = (notes[level.from].x, 1.1 * first.scale);
                    (from, to) = if level.right { (own - half, own + stub) } else { (own - stub, own + half) };
                }
                let offset = beaming::level_offset(level.level, line.inwards, first.scale);
                let (a, b) = (line.at(from) + offset, line.at(to) + offset);
                let corners = [
                    Point::new(from, a),
                    Point::new(to, b),
                    Point::new(to, b + thickness),
                    Point::new(from, a + thickness),
                ];
                let chord = self.chord(beam.chords[level.from]);
                let tag = Tag { part: Part::Stem, staff: first.staff, hand: Some(chord.hand), ..Tag::default() };
                canvas.push(Shape::Beam(corners), tag);
                let (top, bottom) =
                    (a.min(b).min(a + thickness).min(b + thickness), a.max(b).max(a + thickness).max(b + thickness));
                canvas.keep(first.outer().staff, Bounds { left: from, right: to, top, bottom });
            }
        }
        (tips, rests)
    }

    /// Rests between the notes of a beam keep clear of it, in whole spaces (Gould, p. 165).
    fn rests_in(&self, canvas: &Canvas, beam: &Beam, line: &beaming::BeamLine, scale: f32) -> Vec<(usize, f32)> {
        let (Some(first), Some(last)) = (beam.chords.first(), beam.chords.last()) else { return Vec::new() };
        let voice = self.chord(*first).voice;
        let levels = beam.levels.iter().map(|l| l.level).max().unwrap_or(0);
        let depth = beaming::level_offset(levels, line.inwards, scale) + DEFAULTS.beam_thickness * scale * line.inwards;
        let mut found = Vec::new();
        for (index, shape) in self.shape.chords.iter().enumerate().take(*last).skip(first + 1) {
            let (Some(y), true) = (shape.rest, self.chord(index).voice == voice) else { continue };
            let own = font::rest(shape.base).bounds(self.x(index), canvas.y(shape.staff, y), shape.scale);
            let (left, right) = (line.at(own.left) + depth, line.at(own.right) + depth);
            let down = line.inwards > 0.0;
            let room = if down { own.top - left.max(right) } else { left.min(right) - own.bottom };
            let away = (REST_FROM_BEAM - room).max(0.0).ceil();
            found.push((index, away * line.inwards));
        }
        found
    }

    /// `tip` is where its stem ends, `away` how far a rest is moved.
    fn chord_ui(&self, canvas: &mut Canvas, drawn: &mut Heads, index: usize, (tip, away): (f32, f32)) -> ChordPlace {
        let (shape, chord, x) = (&self.shape.chords[index], self.chord(index), self.x(index));
        let tag = Tag { chord: Some(shape.chord as u16), staff: shape.staff, hand: Some(chord.hand), ..Tag::default() };
        let mut bounds = Bounds::EMPTY;
        let mut heads = Vec::with_capacity(shape.heads.len());
        if let Some(y) = shape.rest {
            bounds = self.rest_ui(canvas, shape, Point::new(x, canvas.y(shape.staff, y) + away), tag);
        }
        self.ledgers_ui(canvas, shape, x, tag);
        for head in &shape.heads {
            let place = self.head_ui(canvas, drawn, (shape, head, x), &chord.heads[head.index], tag);
            bounds = bounds.join(place.bounds);
            heads.push(place);
        }
        let tip = shape.has_stem().then(|| {
            let stem = self.stem_ui(canvas, shape, x, tip, tag, chord.grace.is_some_and(|grace| grace.slash));
            bounds = bounds.join(stem);
            Point::new(x + shape.stem_x(), tip)
        });
        ChordPlace {
            chord: shape.chord,
            at: chord.at,
            staff: shape.staff,
            voice: chord.voice,
            hand: chord.hand,
            upper: shape.voice,
            up: shape.up,
            grace: chord.grace.is_some(),
            rest: shape.rest.is_some(),
            x: x + shape.head_glyph().width() / 2.0 * shape.scale,
            arpeggio_x: x + shape.arpeggio_x(),
            tip,
            heads,
            bounds,
        }
    }

    fn rest_ui(&self, canvas: &mut Canvas, shape: &ChordShape, at: Point, tag: Tag) -> Bounds {
        let tag = Tag { part: Part::Rest, ..tag };
        let glyph = font::rest(shape.base);
        // Whole and half rests outside of the staff hang from a line of their own (Gould, p. 37).
        let on_staff = at.y - canvas.y(shape.staff, 0.0);
        if matches!(shape.base, Base::Whole | Base::Half) && !(-0.1..=4.1).contains(&on_staff) {
            let (left, right) =
                (at.x - DEFAULTS.leger_line_extension, at.x + glyph.right + DEFAULTS.leger_line_extension);
            let tag = Tag { part: Part::Ledger, ..tag };
            canvas.line(Point::new(left, at.y), Point::new(right, at.y), DEFAULTS.leger_line_thickness, tag);
        }
        let bounds = canvas.glyph(glyph, at, shape.scale, tag);
        // A rest's dot stands in the space above its middle.
        let offset = if shape.base == Base::Whole { 0.5 } else { -0.5 };
        for dot in 0..shape.dots {
            let x = bounds.right + 0.35 + dot_step(1.0) * f32::from(dot);
            canvas.glyph(g::AUGMENTATION_DOT, Point::new(x, at.y + offset), 1.0, tag);
        }
        bounds
    }

    fn head_ui(
        &self,
        canvas: &mut Canvas,
        drawn: &mut Heads,
        (shape, head, x): (&ChordShape, &HeadShape, f32),
        written: &Head,
        tag: Tag,
    ) -> HeadPlace {
        let note = (self.note)(&self.measure.chords[shape.chord], head.index);
        let tag = Tag { staff: head.staff, note, ..tag };
        let at = Point::new(x + head.x, canvas.y(head.staff, y_of(head.step)));
        if let Some(alter) = head.accidental {
            let at = Point::new(x + head.accidental_x, at.y);
            canvas.glyph(font::accidental(alter), at, shape.scale, Tag { part: Part::Accidental, ..tag });
        }
        let glyph = shape.head_glyph();
        let key = (Tag { chord: None, ..tag }, glyph.sign, [at.x, at.y].map(|place| (place * 100.0).round() as i32));
        let item = *drawn.items.entry(key).or_insert_with(|| {
            let strikes = note.is_some_and(|note| drawn.struck.insert(note));
            canvas.glyph(glyph, at, shape.scale, Tag { part: Part::Head, strikes, ..tag });
            canvas.items[canvas.measure].len() - 1
        });
        let bounds = glyph.bounds(at.x, at.y, shape.scale);
        if let Some((dot_x, step)) = head.dot {
            for dot in 0..shape.dots {
                let at =
                    Point::new(x + dot_x + dot_step(shape.scale) * f32::from(dot), canvas.y(head.staff, y_of(step)));
                canvas.glyph(g::AUGMENTATION_DOT, at, shape.scale, Tag { part: Part::Dot, ..tag });
            }
        }
        HeadPlace {
            staff: head.staff,
            pitch: written.pitch,
            bounds,
            tied: written.tied,
            finger: written.finger,
            note: tag.note,
            item,
        }
    }

    /// The ledger lines of a chord, each once: heads on both sides of the stem share those on their way, longer ones.
    fn ledgers_ui(&self, canvas: &mut Canvas, shape: &ChordShape, x: f32, tag: Tag) {
        let mut wide: Vec<(u8, i32, f32, f32)> = Vec::new();
        for head in &shape.heads {
            for step in ledger_steps(head.step) {
                match wide.iter_mut().find(|line| (line.0, line.1) == (head.staff, step)) {
                    Some(line) => (line.2, line.3) = (line.2.min(head.x), line.3.max(head.x)),
                    None => wide.push((head.staff, step, head.x, head.x)),
                }
            }
        }
        let extension = DEFAULTS.leger_line_extension * shape.scale;
        for (staff, step, first, last) in wide {
            let tag = Tag { part: Part::Ledger, staff, ..tag };
            let (left, right) = (x + first - extension, x + last + shape.head_glyph().right * shape.scale + extension);
            let y = canvas.y(staff, y_of(step));
            canvas.line(Point::new(left, y), Point::new(right, y), DEFAULTS.leger_line_thickness, tag);
            canvas.keep(staff, Bounds { left, right, top: y, bottom: y });
        }
    }

    fn stem_ui(&self, canvas: &mut Canvas, shape: &ChordShape, x: f32, tip: f32, tag: Tag, slash: bool) -> Bounds {
        let tag = Tag { part: Part::Stem, ..tag };
        let (inner, glyph) = (shape.inner(), shape.head_glyph());
        let joint = if shape.up { glyph.stem_up } else { glyph.stem_down } * shape.scale;
        let start = canvas.y(inner.staff, y_of(inner.step)) - joint;
        let stem_x = x + shape.stem_x();
        canvas.line(Point::new(stem_x, start), Point::new(stem_x, tip), DEFAULTS.stem_thickness, tag);
        let half = DEFAULTS.stem_thickness / 2.0;
        let bounds = Bounds { left: stem_x - half, right: stem_x + half, top: start.min(tip), bottom: start.max(tip) };
        canvas.keep(shape.outer().staff, bounds);
        if let Some(flag) = font::flag(shape.base, shape.up).filter(|_| !shape.beamed) {
            canvas.glyph(flag, Point::new(stem_x - half, tip), shape.scale, tag);
        }
        if slash {
            let stroke = if shape.up { g::GRACE_NOTE_SLASH_STEM_UP } else { g::GRACE_NOTE_SLASH_STEM_DOWN };
            let way = if shape.up { 1.6 } else { -1.6 };
            canvas.centered(stroke, stem_x, tip + way * shape.scale, shape.scale, tag);
        }
        bounds
    }
}

/// The steps at which a head wants ledger lines.
pub(super) fn ledger_steps(step: i32) -> Vec<i32> {
    let below = (step..=-2).filter(|s| s % 2 == 0);
    let above = (10..=step).filter(|s| s % 2 == 0);
    below.chain(above).collect()
}

#[cfg(test)]
mod tests {
    use super::ledger_steps;

    #[test]
    fn ledger_lines_lead_to_the_head() {
        assert!(ledger_steps(-1).is_empty() && ledger_steps(9).is_empty() && ledger_steps(4).is_empty());
        assert_eq!(ledger_steps(-2), [-2]);
        assert_eq!(ledger_steps(-5), [-4, -2]);
        assert_eq!(ledger_steps(13), [10, 12]);
        assert_eq!(ledger_steps(14), [10, 12, 14]);
    }
}
