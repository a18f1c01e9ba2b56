//! Keys that are not written, at their pitch on the staff: a crossed head in red, beside what is written there and never
//! over it. The same for the line and the page one plays from, and for the page of a take.

use std::ops::Range;

use egui::Color32;

use super::ink::HALF_HEAD;
use super::pen::Pen;
use crate::engraving::{self, Part, PlacedMeasure, Point, Shape, System};
use crate::music::Pitch;
use crate::music::notation::SpelledPitch;
use crate::time::Ticks;
use crate::ui::theme::{Tokens, fade};
use crate::ui::view::{Extra, Piece};

/// More of them in one place would be one blot.
const SHOWN_MAX: usize = 256;
/// SMuFL's `noteheadXBlack`.
const CROSS: char = '\u{E0A9}';
/// How large they are beside written heads.
const SCALE: f32 = 0.85;
/// A written head nearer than this, across and down in spaces, would be covered.
const CLEAR: (f32, f32) = (1.45, 0.8);
/// From the middle of a written head to the cross beside it.
const BESIDE: f32 = 1.5;
/// A chord pushes a cross aside so often at most: two heads side by side, and what follows them.
const STEPS_ASIDE: usize = 3;
/// What is long past stays this strong until its notes come again.
const FAINT: f32 = 0.35;

/// The wrong keys between two ticks, ascending.
pub(super) fn between<'a>(extras: &'a [Extra], from: f64, to: f64) -> impl Iterator<Item = &'a Extra> + use<'a> {
    let first = extras.partition_point(|e| e.tick < from);
    extras[first..].iter().take(SHOWN_MAX).take_while(move |e| e.tick <= to)
}

/// How strong a key at `tick` is shown while the music is at `position`: whole for the bar after it, then less and less
/// for another one.
pub(super) fn strength(piece: &Piece<'_>, position: f64, tick: f64) -> f32 {
    let bars = piece.score.bars();
    let bar = bars.get(bars.index_at(Ticks(tick.max(0.0) as i64)));
    let passed = (position - tick) / ((bar.end - bar.start).0.max(1) as f64);
    (2.0 - passed).clamp(f64::from(FAINT), 1.0) as f32
}

/// What a key that was struck while the music stood at `tick` is called there.
pub(super) fn name(piece: &Piece<'_>, extra: &Extra) -> SpelledPitch {
    piece.score.spelled(extra.pitch, piece.score.bars().index_at(Ticks(extra.tick.max(0.0) as i64)))
}

/// Draws a key with the left edge of its head at `x`.
pub(super) fn wrong_key_ui(
    pen: &mut Pen<'_>,
    t: &Tokens,
    system: &System,
    measure: &PlacedMeasure,
    (x, name, strength): (f32, SpelledPitch, f32),
) {
    let Some(spot) = Spot::of(system, measure, x + HALF_HEAD, name) else { return };
    let color = fade(t.bad, strength);
    ledgers_ui(pen, spot, fade(t.bad, strength * 0.7));
    let glyph = |sign, x: f32| Shape::Glyph { sign, at: Point::new(x, spot.y), scale: SCALE };
    pen.draw(&glyph(CROSS, spot.x - HALF_HEAD * SCALE), color);
    if let Some(sign) = spot.sign {
        pen.draw(&glyph(sign, spot.x - HALF_HEAD - 1.0), color);
    }
}

/// The short lines between the staff and a key outside it.
fn ledgers_ui(pen: &mut Pen<'_>, spot: Spot, color: Color32) {
    for line in ledgers(spot.y - spot.staff) {
        let y = spot.staff + line as f32;
        let (from, to) = (Point::new(spot.x - 0.9, y), Point::new(spot.x + 0.9, y));
        pen.draw(&Shape::Line { from, to, thickness: 0.14 }, color);
    }
}

/// The lines that a head needs which is so many spaces below the top line of its staff.
fn ledgers(below: f32) -> Range<i32> {
    match below {
        y if y < 0.0 => y.ceil() as i32..0,
        y => 5..(y.floor() as i32 + 1).max(5),
    }
}

/// Where a key is drawn: the middle of its head, the top line of its staff, the sign before it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spot {
    x: f32,
    y: f32,
    staff: f32,
    sign: Option<char>,
}

impl Spot {
    /// On the upper staff from middle C on, and beside what is written there.
    fn of(system: &System, measure: &PlacedMeasure, x: f32, name: SpelledPitch) -> Option<Self> {
        let lower = system.staves.len() > 1 && name.pitch() < Some(Pitch::MIDDLE_C);
        let index = if lower { system.staves.len() - 1 } else { 0 };
        let staff = *system.staves.get(index)?;
        let above = name.diatonic() - measure.clefs.get(index)?.bottom_line();
        let y = staff + 4.0 - above as f32 / 2.0;
        Some(Self { x: aside(heads(measure), x, y), y, staff, sign: sign(name, measure.fifths) })
    }
}

/// The sign that a name needs in a key of so many sharps, or flats if negative.
fn sign(name: SpelledPitch, fifths: i8) -> Option<char> {
    (name.alter != name.step.alter_in(fifths)).then(|| engraving::accidental_sign(name.alter))
}

/// The middles of the written heads of a measure.
fn heads(measure: &PlacedMeasure) -> impl Iterator<Item = Point> + Clone + '_ {
    measure.items.iter().filter(|item| item.tag.part == Part::Head).filter_map(|item| match &item.shape {
        Shape::Glyph { at, .. } => Some(Point::new(at.x + HALF_HEAD, at.y)),
        _ => None,
    })
}

/// The place for a cross that would stand at `x`: to the right of what is written there.
fn aside(heads: impl Iterator<Item = Point> + Clone, mut x: f32, y: f32) -> f32 {
    for _ in 0..STEPS_ASIDE {
        let covered = |head: &Point| (head.x - x).abs() < CLEAR.0 && (head.y - y).abs() < CLEAR.1;
        match heads.clone().filter(covered).map(|head| head.x + BESIDE).max_by(f32::total_cmp) {
            Some(right) => x = right,
            None => break,
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Spelling;

    #[test]
    fn a_cross_steps_aside_from_written_heads_and_stays_where_it_is_free() {
        let heads = [Point::new(10.0, 2.0), Point::new(11.2, 2.5), Point::new(10.0, 5.0)];
        let check = |x: f32, y: f32, expected: f32| {
            let found = aside(heads.iter().copied(), x, y);
            assert!((found - expected).abs() < 1e-4, "({x}, {y}): {found}, not {expected}");
            let clear = heads.iter().all(|h| (h.x - found).abs() >= CLEAR.0 || (h.y - y).abs() >= CLEAR.1);
            assert!(clear, "({x}, {y}) still covers a head");
        };
        check(10.0, 2.0, 12.7);
        check(10.0, 5.0, 11.5);
        check(10.0, 3.5, 10.0);
        check(20.0, 2.0, 20.0);
    }

    #[test]
    fn a_name_has_a_sign_unless_the_key_signature_says_it() {
        let check = |key: u8, spelling, fifths: i8, expected: Option<char>| {
            let name = SpelledPitch::of(Pitch::from_data_byte(key), spelling);
            assert_eq!(sign(name, fifths), expected, "{name} with {fifths}");
        };
        use Spelling::{Flat, Sharp};
        check(60, Sharp, 0, None);
        check(61, Sharp, 0, Some('\u{E262}'));
        check(61, Flat, -1, Some('\u{E260}'));
        // F sharp belongs to G major, B flat to F major; F and B do not.
        check(66, Sharp, 1, None);
        check(65, Sharp, 1, Some('\u{E261}'));
        check(70, Flat, -1, None);
        check(71, Flat, -1, Some('\u{E261}'));
    }

    #[test]
    fn a_key_outside_the_staff_gets_the_lines_up_to_it() {
        for (below, lines) in
            [(2.0, vec![]), (-0.5, vec![]), (4.5, vec![]), (5.0, vec![5]), (5.5, vec![5]), (6.0, vec![5, 6])]
        {
            assert_eq!(ledgers(below).collect::<Vec<_>>(), lines, "{below}");
        }
        assert_eq!(ledgers(-1.0).collect::<Vec<_>>(), [-1]);
        assert_eq!(ledgers(-2.5).collect::<Vec<_>>(), [-2, -1]);
    }
}
