//! Numbers and brackets of tuplets: on the side of the beam, without a bracket where one beam joins just its notes
//! (Gould, pp. 196-199).

use super::canvas::Canvas;
use super::draw::ChordPlace;
use super::font::{self, DEFAULTS};
use super::measure::{MeasureShape, Tuplet};
use super::shape::{Bounds, Part, Point, Shape, Tag};

/// How long the hooks of a bracket are.
const HOOK: f32 = 0.7;
/// From the notes.
const GAP: f32 = 0.45;

/// What the number of a tuplet wants between two staves, with what it keeps clear of.
pub(super) const ROOM: f32 = 1.7;

/// Whether a tuplet's number stands above its notes: on the side of most stems; of two voices outside.
pub(super) fn is_above(shape: &MeasureShape, tuplet: &Tuplet) -> bool {
    let members = || tuplet.chords.iter().filter_map(|i| shape.chords.get(*i));
    let notes = || members().filter(|chord| chord.rest.is_none());
    let ups = notes().filter(|chord| chord.up).count();
    members().next().and_then(|first| first.voice).unwrap_or(ups * 2 >= notes().count())
}

/// Draws a tuplet; `places` are in the order of the shapes.
pub(super) fn tuplet_ui(canvas: &mut Canvas, shape: &MeasureShape, tuplet: &Tuplet, places: &[ChordPlace]) {
    let members: Vec<&ChordPlace> = tuplet.chords.iter().filter_map(|i| places.get(*i)).collect();
    let (Some(first), Some(last)) = (members.first(), members.last()) else { return };
    let is_beam = shape.beams.iter().any(|beam| beam.chords == tuplet.chords);
    let with_bracket = tuplet.bracket.unwrap_or(!is_beam);
    let above = is_above(shape, tuplet);
    let way = if above { -1.0 } else { 1.0 };
    let staff = first.staff;
    let edge = |place: &ChordPlace| match (place.tip, place.up == above) {
        (Some(tip), true) => (tip.x, tip.x),
        _ => (place.bounds.left, place.bounds.right),
    };
    let (left, right) =
        if is_beam { (edge(first).0, edge(last).1) } else { (first.bounds.left, last.bounds.right.max(edge(last).1)) };
    let sky = if above { canvas.top(staff, left, right) } else { canvas.bottom(staff, left, right) };
    let y = sky + way * (GAP + if with_bracket { 0.5 } else { 0.0 });
    let tag = Tag { part: Part::Mark, staff, hand: Some(first.hand), ..Tag::default() };
    let digits = tuplet.number.map_or(Vec::new(), |n| font::digits(n, &font::TUPLET));
    let scale = 0.85;
    let width: f32 = digits.iter().map(|d| d.advance * scale).sum();
    let height = digits.first().map_or(0.0, |d| d.top * scale);
    let middle = (left + right) / 2.0;
    let base = match (with_bracket, above) {
        (true, _) => y + height / 2.0,
        (false, true) => y,
        (false, false) => y + height,
    };
    let mut x = middle - width / 2.0;
    for digit in &digits {
        canvas.glyph(*digit, Point::new(x, base), scale, tag);
        x += digit.advance * scale;
    }
    if with_bracket {
        let gap = if digits.is_empty() { 0.0 } else { width / 2.0 + 0.3 };
        bracket_ui(canvas, (left, right), y, (middle, gap), way, tag);
        canvas.keep(staff, Bounds { left, right, top: y - HOOK, bottom: y + HOOK });
    }
}

fn bracket_ui(canvas: &mut Canvas, (left, right): (f32, f32), y: f32, (middle, gap): (f32, f32), way: f32, tag: Tag) {
    let thickness = DEFAULTS.tuplet_bracket_thickness;
    let hook = y - way * HOOK;
    let mut line = |a: Point, b: Point| canvas.push(Shape::Line { from: a, to: b, thickness }, tag);
    line(Point::new(left, hook), Point::new(left, y));
    line(Point::new(right, hook), Point::new(right, y));
    if gap == 0.0 {
        line(Point::new(left, y), Point::new(right, y));
    } else if middle - gap > left {
        line(Point::new(left, y), Point::new(middle - gap, y));
        line(Point::new(middle + gap, y), Point::new(right, y));
    }
}
