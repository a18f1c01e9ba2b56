//! A chord by itself: heads on both sides of the stem, the stem, dots, accidentals in columns, and what room they take.

use super::font::{self, DEFAULTS, Glyph};
use super::glyphs as g;
use super::shape::Bounds;
use super::stems::{self, y_of};
use crate::music::notation::Base;

/// Between a head and its accidental, and between accidentals (MuseScore's and Verovio's defaults lie at 0.2 to 0.25).
const ACCIDENTAL_GAP: f32 = 0.22;
/// Between a head and its first dot, and between dots.
const DOT_GAP: f32 = 0.35;
/// From what a chord has at its left to the middle of the wavy line of an arpeggio, and half its width.
const ARPEGGIO_GAP: f32 = 0.55;
pub(super) const ARPEGGIO_HALF: f32 = 0.28;
/// Grace notes are so large (Gould, p. 125: about two thirds).
pub(super) const GRACE: f32 = 0.66;

/// A head of a chord.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HeadShape {
    /// The staff it is printed on.
    pub(super) staff: u8,
    /// Steps above the bottom line.
    pub(super) step: i32,
    /// Its left edge, from the chord's.
    pub(super) x: f32,
    /// Which of the chord's heads.
    pub(super) index: usize,
    /// Its accidental, in semitones.
    pub(super) accidental: Option<i8>,
    /// Where that stands.
    pub(super) accidental_x: f32,
    /// Where its dots stand, if they do.
    pub(super) dot: Option<(f32, i32)>,
}

/// A chord or rest on a staff. Places are from the left edge of its heads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChordShape {
    /// Which of the measure's chords.
    pub(super) chord: usize,
    /// The staff of its voice.
    pub(super) staff: u8,
    /// Whether the stem goes up.
    pub(super) up: bool,
    /// Whether another voice stands on the staff, and this one is the upper of the two.
    pub(super) voice: Option<bool>,
    /// The value's base.
    pub(super) base: Base,
    /// How many dots.
    pub(super) dots: u8,
    /// 1, or less for grace notes.
    pub(super) scale: f32,
    /// How far it is moved from its column.
    pub(super) x: f32,
    /// From below.
    pub(super) heads: Vec<HeadShape>,
    /// The height at which the rest's origin stands.
    pub(super) rest: Option<f32>,
    /// Whether a beam takes the place of flags.
    pub(super) beamed: bool,
    /// The end of the stem, on the staff of its voice.
    pub(super) tip: f32,
}

impl ChordShape {
    /// The glyph of its heads.
    pub(super) fn head_glyph(&self) -> Glyph {
        font::head(self.base)
    }

    /// Whether there is a stem.
    pub(super) fn has_stem(&self) -> bool {
        self.base.has_stem() && !self.heads.is_empty()
    }

    /// The middle of the stem.
    pub(super) fn stem_x(&self) -> f32 {
        let half = DEFAULTS.stem_thickness / 2.0;
        if self.up { self.head_glyph().right * self.scale - half } else { half }
    }

    /// The head nearest to the stem's end.
    pub(super) fn outer(&self) -> &HeadShape {
        let last = self.heads.len() - 1;
        &self.heads[if self.up { last } else { 0 }]
    }

    /// The head at which the stem begins.
    pub(super) fn inner(&self) -> &HeadShape {
        let last = self.heads.len() - 1;
        &self.heads[if self.up { 0 } else { last }]
    }

    /// The head's box on its staff.
    pub(super) fn head_box(&self, head: &HeadShape) -> Bounds {
        self.head_glyph().bounds(self.x + head.x, y_of(head.step), self.scale)
    }

    /// The box of the stem with its flag, on the staff of the voice; without heads on other staves.
    pub(super) fn stem_box(&self) -> Option<Bounds> {
        if !self.has_stem() {
            return None;
        }
        let start = y_of(self.inner().step);
        let x = self.x + self.stem_x();
        let half = DEFAULTS.stem_thickness / 2.0;
        let stem = Bounds { left: x - half, right: x + half, top: start.min(self.tip), bottom: start.max(self.tip) };
        let flag = font::flag(self.base, self.up).filter(|_| !self.beamed);
        Some(flag.map_or(stem, |flag| stem.join(flag.bounds(x - half, self.tip, self.scale))))
    }

    /// Its left edge on a staff or on all, with accidentals, from its place without them.
    fn left(&self) -> f32 {
        let head = |head: &HeadShape| {
            let accidental = self.accidental_box(head).map_or(f32::MAX, |own| own.left);
            self.head_box(head).left.min(accidental)
        };
        self.heads.iter().map(head).fold(f32::MAX, f32::min) - self.x
    }

    /// Where the middle of the wavy line of an arpeggio stands, from the chord's place: to the left of all that it has.
    pub(super) fn arpeggio_x(&self) -> f32 {
        self.left() - ARPEGGIO_GAP
    }

    /// The box of that line on a staff.
    pub(super) fn arpeggio_box(&self, staff: u8) -> Option<Bounds> {
        let heads = self.heads.iter().filter(|head| head.staff == staff).map(|head| self.head_box(head));
        let x = self.x + self.arpeggio_x();
        heads.reduce(Bounds::join).map(|own| Bounds { left: x - ARPEGGIO_HALF, right: x + ARPEGGIO_HALF, ..own })
    }

    /// The rest's glyph and box.
    pub(super) fn rest_box(&self) -> Option<Bounds> {
        self.rest.map(|y| font::rest(self.base).bounds(self.x, y, self.scale))
    }

    /// The boxes of everything on a staff; heads with ledger lines are as wide as those.
    pub(super) fn boxes(&self, staff: u8, into: &mut Vec<Bounds>) {
        for head in self.heads.iter().filter(|h| h.staff == staff) {
            let mut own = self.head_box(head);
            if !(-1..=9).contains(&head.step) {
                own.left -= DEFAULTS.leger_line_extension * self.scale;
                own.right += DEFAULTS.leger_line_extension * self.scale;
            }
            into.push(own);
            into.extend(self.ledger_box(head));
            into.extend(self.accidental_box(head));
            into.extend(self.dot_box(head));
        }
        if self.staff == staff {
            into.extend(self.stem_box());
            into.extend(self.rest_box());
            if let (Some(own), 1..) = (self.rest_box(), self.dots) {
                into.push(Bounds { right: own.right + f32::from(self.dots) * (DOT_GAP + 0.4), ..own });
            }
        }
    }

    /// The box of a head's ledger lines between it and the staff: they do not touch those of its neighbours.
    fn ledger_box(&self, head: &HeadShape) -> Option<Bounds> {
        let lines = super::draw::ledger_steps(head.step);
        let (first, last) = (y_of(*lines.first()?), y_of(*lines.last()?));
        let extension = DEFAULTS.leger_line_extension * self.scale;
        let own = self.head_box(head);
        let (top, bottom) = (first.min(last), first.max(last));
        Some(Bounds { left: own.left - extension, right: own.right + extension, top, bottom })
    }

    /// The box of a head's accidental.
    pub(super) fn accidental_box(&self, head: &HeadShape) -> Option<Bounds> {
        let printed = head.accidental?;
        Some(accidental_bounds(printed, self.x + head.accidental_x, y_of(head.step), self.scale))
    }

    /// The box of a head's dots.
    pub(super) fn dot_box(&self, head: &HeadShape) -> Option<Bounds> {
        let (x, step) = head.dot?;
        let first = g::AUGMENTATION_DOT.bounds(self.x + x, y_of(step), self.scale);
        let last = g::AUGMENTATION_DOT.bounds(
            self.x + x + dot_step(self.scale) * f32::from(self.dots - 1),
            y_of(step),
            self.scale,
        );
        Some(first.join(last))
    }
}

/// From one dot to the next.
pub(super) fn dot_step(scale: f32) -> f32 {
    (g::AUGMENTATION_DOT.width() + DOT_GAP * 0.6) * scale
}

fn accidental_bounds(alter: i8, x: f32, y: f32, scale: f32) -> Bounds {
    font::accidental(alter).bounds(x, y, scale)
}

/// The column of each head, for steps from below: 0 on the stem's usual side, 1 beyond it. In a second the two stand on both
/// sides of the stem, the lower one to the left; of a cluster every other one (Gould, p. 38). Where one line has two heads
/// besides a second there are further columns.
pub(super) fn head_columns(steps: &[i32], up: bool) -> Vec<u8> {
    let mut found = vec![0; steps.len()];
    let order: Vec<usize> = if up { (0..steps.len()).collect() } else { (0..steps.len()).rev().collect() };
    for (count, index) in order.iter().enumerate() {
        let taken = |column: u8| {
            let near = |other: &&usize| (steps[**other] - steps[*index]).abs() <= 1;
            order[..count].iter().filter(near).any(|other| found[*other] == column)
        };
        found[*index] = (0..steps.len() as u8).find(|column| !taken(*column)).unwrap_or(0);
    }
    found
}

/// Places the heads of a chord around its stem.
pub(super) fn place_heads(shape: &mut ChordShape) {
    let steps: Vec<i32> = shape.heads.iter().map(|h| h.step + 1_000 * i32::from(h.staff)).collect();
    let width = (shape.head_glyph().width() - DEFAULTS.stem_thickness) * shape.scale;
    let way = if shape.up { width } else { -width };
    for (head, column) in shape.heads.iter_mut().zip(head_columns(&steps, shape.up)) {
        head.x = way * f32::from(column);
    }
    if shape.has_stem() {
        let outer = shape.outer().clone();
        shape.tip = stems::tip(outer.step, shape.base, shape.up, shape.scale);
    }
}

/// Places the dots of all chords of one column on a staff: in spaces, none twice, in one line to the right of the heads
/// that they would touch. A note on a line has its dot in the space above, in the lower voice below (Gould, pp. 55-56).
pub(super) fn place_dots(chords: &mut [ChordShape], staff: u8) {
    let heads: Vec<Bounds> =
        chords.iter().flat_map(|c| c.heads.iter().filter(|h| h.staff == staff).map(|h| c.head_box(h))).collect();
    let mut taken: Vec<i32> = Vec::new();
    for shape in chords.iter_mut().filter(|c| c.dots > 0 && c.scale == 1.0) {
        let down = shape.voice == Some(false);
        let own_right = shape.heads.iter().map(|h| shape.x + h.x).fold(f32::MIN, f32::max) + shape.head_glyph().right;
        let mut places: Vec<(usize, i32)> = Vec::new();
        for (index, head) in shape.heads.iter().enumerate().rev().filter(|(_, h)| h.staff == staff) {
            let wishes = match (head.step.rem_euclid(2), down) {
                (1, _) => [head.step, head.step + 2, head.step - 2],
                (_, false) => [head.step + 1, head.step - 1, head.step + 3],
                (_, true) => [head.step - 1, head.step + 1, head.step - 3],
            };
            if let Some(step) = wishes.into_iter().find(|s| !taken.contains(s)) {
                taken.push(step);
                places.push((index, step));
            }
        }
        let touches = |b: &Bounds| places.iter().any(|(_, s)| b.top < y_of(*s) + 0.3 && b.bottom > y_of(*s) - 0.3);
        let right = heads.iter().filter(|b| touches(b)).map(|b| b.right).fold(own_right, f32::max);
        for (index, step) in places {
            shape.heads[index].dot = Some((right + DOT_GAP - shape.x, step));
        }
    }
}

/// Places the accidentals of all chords of one column on a staff: highest and lowest first and nearest to the heads, each
/// as far right as nothing is touched (after Gould, pp. 88-90).
pub(super) fn place_accidentals(chords: &mut [ChordShape], staff: u8) {
    let mut obstacles: Vec<Bounds> = Vec::new();
    let mut waiting: Vec<(i32, usize, usize)> = Vec::new();
    for (c, shape) in chords.iter().enumerate() {
        for (h, head) in shape.heads.iter().enumerate().filter(|(_, h)| h.staff == staff) {
            let mut own = shape.head_box(head);
            if !(-1..=9).contains(&head.step) {
                own.left -= DEFAULTS.leger_line_extension * shape.scale;
            }
            obstacles.push(own);
            waiting.extend(head.accidental.map(|_| (head.step, c, h)));
        }
        if shape.staff == staff && !shape.up {
            obstacles.extend(shape.stem_box());
        }
    }
    waiting.sort_by_key(|(step, ..)| std::cmp::Reverse(*step));
    let mut top = true;
    while !waiting.is_empty() {
        let (_, c, h) = if top { waiting.remove(0) } else { waiting.remove(waiting.len() - 1) };
        top = !top;
        let shape = &chords[c];
        let head = &shape.heads[h];
        let Some(printed) = head.accidental else { continue };
        let gap = ACCIDENTAL_GAP * shape.scale;
        let mut own = accidental_bounds(printed, 0.0, y_of(head.step), shape.scale);
        let start = shape.head_box(head).left - gap;
        own = own.moved(start - own.right, 0.0);
        loop {
            let hit = obstacles.iter().filter(|o| {
                o.meets_in_height(&own, 0.08) && o.left < own.right + gap * 0.99 && own.left < o.right + gap * 0.99
            });
            let Some(left) = hit.map(|o| o.left).reduce(f32::min) else { break };
            own = own.moved(left - gap - own.right, 0.0);
        }
        obstacles.push(own);
        let base = accidental_bounds(printed, 0.0, 0.0, shape.scale);
        chords[c].heads[h].accidental_x = own.left - base.left - chords[c].x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_stand_on_both_sides_of_the_stem() {
        let check =
            |steps: &[i32], up, expected: &[u8]| assert_eq!(head_columns(steps, up), expected, "{steps:?} {up}");
        check(&[0, 2, 4], true, &[0, 0, 0]);
        check(&[0, 1], true, &[0, 1]);
        check(&[6, 7], false, &[1, 0]);
        check(&[0, 1, 2], true, &[0, 1, 0]);
        check(&[6, 7, 8], false, &[0, 1, 0]);
        check(&[0, 3, 4], true, &[0, 0, 1]);
        check(&[3, 3], true, &[0, 1]);
        check(&[3, 3, 4], true, &[0, 1, 2]);
    }
}
