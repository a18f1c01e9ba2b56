//! What stands at the beginning and end of measures: clefs, keys, metres, bar lines, the brace.

use super::canvas::Canvas;
use super::font::{self, DEFAULTS, Glyph};
use super::glyphs as g;
use super::measure::Context;
use super::shape::{Part, Point, Shape, Tag};
use crate::music::notation::{Barline, Clef, Measure};

/// A clef that changes is smaller than one that begins a line (Gould, p. 7: about three quarters).
pub(super) const SMALL_CLEF: f32 = 0.78;
/// What a clef before the line at the end of a measure wants.
pub(super) const CLEF_ROOM: f32 = 2.4;
/// Between signs, and before the first one.
const GAP: f32 = 0.75;
/// Between the accidentals of a key.
const KEY_GAP: f32 = 0.12;

/// A sign with its place from the heading's left edge and from the staff's top line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sign {
    pub(super) staff: u8,
    pub(super) glyph: Glyph,
    pub(super) x: f32,
    pub(super) y: f32,
}

/// What stands at a measure's beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heading {
    pub(super) signs: Vec<Sign>,
    /// How much room it takes; 0 for none.
    pub(super) width: f32,
}

/// Steps at which a key's sharps stand in the treble clef, F first, and its flats, B first.
const SHARPS: [i32; 7] = [8, 5, 9, 6, 3, 7, 4];
const FLATS: [i32; 7] = [4, 7, 3, 6, 2, 5, 1];

/// The steps of a key's accidentals in a clef (Gould, p. 92).
pub(super) fn key_steps(fifths: i8, clef: Clef) -> Vec<i32> {
    let count = usize::from(fifths.unsigned_abs().min(7));
    if clef == Clef::Tenor && fifths > 0 {
        return [2, 6, 3, 7, 4, 8, 5][..count].to_vec();
    }
    let down = match clef {
        Clef::Treble | Clef::Treble8va | Clef::Treble8vb => 0,
        Clef::Bass | Clef::Bass8vb => 2,
        Clef::Alto => 1,
        Clef::Tenor => -1,
    };
    let steps = if fifths > 0 { SHARPS } else { FLATS };
    steps[..count].iter().map(|step| step - down).collect()
}

/// The heading of a measure. `before` is what held until there, `None` at the beginning of a line, where clefs and key are
/// told again; `meter` whether the metre is told.
pub(super) fn heading(before: Option<&Context>, now: &Context, meter: bool) -> Heading {
    let mut found = Heading::default();
    let mut x = GAP;
    if before.is_none() {
        let mut right = x;
        for (staff, clef) in now.clefs.iter().enumerate() {
            let (glyph, line) = font::clef(*clef);
            found.signs.push(Sign { staff: staff as u8, glyph, x, y: 4.0 - f32::from(line) });
            right = right.max(x + glyph.right);
        }
        x = right + GAP;
    }
    let old = before.map(|b| b.fifths);
    if old != Some(now.fifths) {
        let right = key(&mut found.signs, x, old.unwrap_or(0), now);
        if right > x {
            x = right + GAP;
        }
    }
    if meter {
        let right = time(&mut found.signs, x, now);
        x = right + GAP;
    }
    found.width = if found.signs.is_empty() { 0.0 } else { x - GAP };
    found
}

/// The accidentals of a key; where it has fewer of its kind than the old one or none, naturals first (Gould, p. 93).
fn key(signs: &mut Vec<Sign>, x: f32, old: i8, now: &Context) -> f32 {
    let fifths = now.fifths;
    let cancels = fifths == 0 || (old.signum() == fifths.signum() && old.abs() > fifths.abs());
    let mut right = x;
    for (staff, clef) in now.clefs.iter().enumerate() {
        let mut at = x;
        let naturals = key_steps(old, *clef).split_off(if cancels {
            usize::from(fifths.unsigned_abs())
        } else {
            usize::from(old.unsigned_abs().min(7))
        });
        let naturals = naturals.into_iter().map(|step| (step, g::ACCIDENTAL_NATURAL));
        let sign = font::accidental(fifths.signum());
        let signs_of_key = key_steps(fifths, *clef).into_iter().map(|step| (step, sign));
        for (step, glyph) in naturals.chain(signs_of_key) {
            signs.push(Sign { staff: staff as u8, glyph, x: at, y: super::stems::y_of(step) });
            at += glyph.right + KEY_GAP;
        }
        right = right.max(at - KEY_GAP);
    }
    right.max(x)
}

/// The metre on all staves, its numbers above each other.
fn time(signs: &mut Vec<Sign>, x: f32, now: &Context) -> f32 {
    let rows = [(now.meter.0, 1.0), (now.meter.1, 3.0)].map(|(number, y)| (font::digits(number, &font::TIME), y));
    let width = |digits: &[Glyph]| digits.iter().map(|d| d.advance).sum::<f32>();
    let widest = rows.iter().map(|(digits, _)| width(digits)).fold(0.0, f32::max);
    for staff in 0..now.clefs.len() as u8 {
        for (digits, y) in &rows {
            let mut at = x + (widest - width(digits)) / 2.0;
            for glyph in digits {
                signs.push(Sign { staff, glyph: *glyph, x: at, y: *y });
                at += glyph.advance;
            }
        }
    }
    x + widest
}

/// Draws a heading whose left edge is at `x`.
pub(super) fn heading_ui(canvas: &mut Canvas, heading: &Heading, x: f32) {
    for sign in &heading.signs {
        let tag = Tag { part: Part::Signature, staff: sign.staff, ..Tag::default() };
        let at = Point::new(x + sign.x, canvas.y(sign.staff, sign.y));
        canvas.glyph(sign.glyph, at, 1.0, tag);
    }
}

/// The line at a measure's end, or its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// As the page says.
    Plain(Barline),
    /// A repeat ends.
    RepeatEnd,
    /// A repeat begins.
    RepeatStart,
    /// A repeat begins where another one ends, whose thick line is for both (Gould, p. 234).
    RepeatAgain,
}

impl Line {
    /// The line at the end of a measure as printed.
    pub(super) fn end_of(measure: &Measure) -> Self {
        if measure.repeat_end.is_some() { Self::RepeatEnd } else { Self::Plain(measure.barline) }
    }

    /// How wide it is.
    pub(super) fn width(self) -> f32 {
        let d = DEFAULTS;
        match self {
            Self::Plain(Barline::None) => 0.0,
            Self::Plain(Barline::Single | Barline::Dashed) => d.thin_barline_thickness,
            Self::Plain(Barline::Double) => 2.0 * d.thin_barline_thickness + d.barline_separation,
            Self::Plain(Barline::Final) => d.thin_barline_thickness + d.barline_separation + d.thick_barline_thickness,
            Self::RepeatEnd | Self::RepeatStart => {
                d.thin_barline_thickness
                    + d.barline_separation
                    + d.thick_barline_thickness
                    + d.repeat_barline_dot_separation
                    + g::REPEAT_DOT.width()
            }
            Self::RepeatAgain => Self::RepeatStart.width() - d.thick_barline_thickness,
        }
    }
}

/// Draws a line whose right edge is at `right`, through all staves.
pub(super) fn barline_ui(canvas: &mut Canvas, line: Line, right: f32) {
    let d = DEFAULTS;
    let (thin, thick, gap) = (d.thin_barline_thickness, d.thick_barline_thickness, d.barline_separation);
    let left = right - line.width();
    match line {
        Line::Plain(Barline::None) => {}
        Line::Plain(Barline::Single) => stroke(canvas, left, thin),
        Line::Plain(Barline::Dashed) => dashes(canvas, left + thin / 2.0),
        Line::Plain(Barline::Double) => {
            stroke(canvas, left, thin);
            stroke(canvas, right - thin, thin);
        }
        Line::Plain(Barline::Final) => {
            stroke(canvas, left, thin);
            stroke(canvas, left + thin + gap, thick);
        }
        Line::RepeatEnd => {
            stroke(canvas, right - thick, thick);
            stroke(canvas, right - thick - gap - thin, thin);
            dots(canvas, left);
        }
        Line::RepeatStart => {
            stroke(canvas, left, thick);
            stroke(canvas, left + thick + gap, thin);
            dots(canvas, right - g::REPEAT_DOT.width());
        }
        Line::RepeatAgain => {
            stroke(canvas, left + gap, thin);
            dots(canvas, right - g::REPEAT_DOT.width());
        }
    }
}

const TAG: Tag = Tag { part: Part::Barline, chord: None, staff: 0, hand: None, note: None, strikes: false };

fn ends(canvas: &Canvas) -> (f32, f32) {
    let half = DEFAULTS.staff_line_thickness / 2.0;
    let last = canvas.staves.len().saturating_sub(1) as u8;
    (canvas.y(0, 0.0) - half, canvas.y(last, 4.0) + half)
}

fn stroke(canvas: &mut Canvas, left: f32, thickness: f32) {
    let (top, bottom) = ends(canvas);
    let x = left + thickness / 2.0;
    canvas.line(Point::new(x, top), Point::new(x, bottom), thickness, TAG);
}

fn dashes(canvas: &mut Canvas, x: f32) {
    let (top, bottom) = ends(canvas);
    let mut y = top;
    while y < bottom {
        let to = (y + DEFAULTS.dashed_barline_dash_length).min(bottom);
        canvas.line(Point::new(x, y), Point::new(x, to), DEFAULTS.thin_barline_thickness, TAG);
        y = to + DEFAULTS.dashed_barline_gap_length;
    }
}

fn dots(canvas: &mut Canvas, left: f32) {
    for staff in 0..canvas.staves.len() as u8 {
        for y in [1.5, 2.5] {
            let at = Point::new(left, canvas.y(staff, y));
            canvas.push(Shape::Glyph { sign: g::REPEAT_DOT.sign, at, scale: 1.0 }, TAG);
        }
    }
}

/// The line at the very left of a grand staff, and its brace.
pub(super) fn brace_ui(canvas: &mut Canvas, x: f32) {
    stroke(canvas, x, DEFAULTS.thin_barline_thickness);
    if canvas.staves.len() > 1 {
        let (top, bottom) = ends(canvas);
        canvas.push(Shape::Brace { x: x - 0.35, top, bottom }, Tag { part: Part::Signature, ..Tag::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(fifths: i8, meter: (u8, u8)) -> Context {
        Context { clefs: vec![Clef::Treble, Clef::Bass], fifths, meter }
    }

    #[test]
    fn keys_stand_where_they_are_read() {
        assert_eq!(key_steps(2, Clef::Treble), [8, 5]);
        assert_eq!(key_steps(-3, Clef::Bass), [2, 5, 1]);
        assert_eq!(key_steps(1, Clef::Tenor), [2]);
        assert_eq!(key_steps(-1, Clef::Tenor), [5]);
        // The accidental stands on its own letter: F♯5 in the treble clef is on its top line.
        assert_eq!(Clef::Treble.bottom_line() + key_steps(1, Clef::Treble)[0], 5 * 7 + 3);
        assert_eq!((Clef::Alto.bottom_line() + key_steps(-1, Clef::Alto)[0]).rem_euclid(7), 6);
        assert_eq!((Clef::Tenor.bottom_line() + key_steps(3, Clef::Tenor)[2]).rem_euclid(7), 4);
    }

    #[test]
    fn headings_say_what_changed() {
        let names = |h: Heading| h.signs.iter().filter(|s| s.staff == 0).map(|s| s.glyph).collect::<Vec<_>>();
        let plain = context(1, (3, 4));
        assert_eq!(heading(Some(&plain), &plain, false).width, 0.0);
        assert_eq!(names(heading(None, &plain, true)), [g::G_CLEF, g::ACCIDENTAL_SHARP, font::TIME[3], font::TIME[4]]);
        let none = names(heading(Some(&context(-2, (3, 4))), &context(0, (3, 4)), false));
        assert_eq!(none, [g::ACCIDENTAL_NATURAL, g::ACCIDENTAL_NATURAL]);
        let fewer = names(heading(Some(&context(-2, (3, 4))), &context(-1, (3, 4)), false));
        assert_eq!(fewer, [g::ACCIDENTAL_NATURAL, g::ACCIDENTAL_FLAT]);
        let other = names(heading(Some(&context(-2, (3, 4))), &context(1, (3, 4)), false));
        assert_eq!(other, [g::ACCIDENTAL_SHARP]);
        assert_eq!(names(heading(Some(&plain), &context(1, (12, 8)), true)).len(), 3);
    }
}
