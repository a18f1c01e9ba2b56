//! Ties and slurs.
//!
//! Ties of single notes bend away from the stem, those of a chord outwards from its middle; in two voices upwards in the
//! upper one (Gould, pp. 61-71). Slurs go below where all stems go up, else above (Gould, p. 111), and rise until nothing
//! is in their way.

use super::canvas::Canvas;
use super::draw::{ChordPlace, HeadPlace};
use super::font::DEFAULTS;
use super::shape::{Bounds, Part, Point, Shape, Tag};

/// Where the control points of a curve stand, as shares of its way from either end.
const SHOULDER: f32 = 0.28;
/// Between a slur and what it goes over.
const CLEAR: f32 = 0.35;
/// Where a tie without its other end reaches.
pub(super) const OPEN: f32 = 2.6;
/// About half of the width of an ornament: so near to its ends a slur keeps clear of nothing.
const AT_ENDS: f32 = 1.3;
/// A slur's height is looked at in so many places at most, one a space where that is enough.
const SAMPLES_MAX: usize = 120;
/// So far the ends of a slur move away from their notes where it cannot be clear of the others by rising.
const LIFT_MAX: f32 = 2.0;
/// From a head to the end of a slur.
const FROM_HEAD: f32 = 0.45;

/// Whether a tie of a head bends upwards.
pub(super) fn tie_above(place: &ChordPlace, head: usize) -> bool {
    if let Some(upper) = place.upper {
        return upper;
    }
    let count = place.heads.len();
    if count == 1 || (count % 2 == 1 && head == count / 2) {
        return !place.up;
    }
    head >= count.div_ceil(2)
}

/// Draws a tie from one head to another, or from or to nowhere near.
pub(super) fn tie_ui(canvas: &mut Canvas, ends: (Option<&HeadPlace>, Option<&HeadPlace>), above: bool, outer: bool) {
    let way = if above { -1.0 } else { 1.0 };
    let middle = |h: &HeadPlace| (h.bounds.top + h.bounds.bottom) / 2.0;
    let (inset, rise) = if outer { (0.3, 0.66) } else { (-0.12, 0.22) };
    let left =
        |h: &HeadPlace| if outer { (h.bounds.left + h.bounds.right) / 2.0 + inset } else { h.bounds.right - inset };
    let right =
        |h: &HeadPlace| if outer { (h.bounds.left + h.bounds.right) / 2.0 - inset } else { h.bounds.left + inset };
    let (from, to, y, head) = match ends {
        (Some(a), Some(b)) => (left(a), right(b), middle(a), a),
        (Some(a), None) => (left(a), left(a) + OPEN, middle(a), a),
        (None, Some(b)) => (right(b) - OPEN, right(b), middle(b), b),
        (None, None) => return,
    };
    if to - from < 0.4 {
        return;
    }
    let y = y + way * rise;
    let height = way * (0.28 + 0.075 * (to - from)).clamp(0.4, 1.15) * 4.0 / 3.0;
    let points = arc(Point::new(from, y), Point::new(to, y), height);
    let tag = Tag { part: Part::Curve, staff: head.staff, note: head.note, ..Tag::default() };
    let shape = Shape::Curve { points, middle: DEFAULTS.tie_midpoint_thickness, ends: DEFAULTS.tie_endpoint_thickness };
    canvas.push_spanning(from, to, shape, tag);
    let apex = y + height * 0.75;
    canvas.keep(head.staff, Bounds { left: from, right: to, top: y.min(apex), bottom: y.max(apex) });
}

/// A curve whose control points are moved by `height`: its middle lies three quarters of that away from the straight line.
fn arc(from: Point, to: Point, height: f32) -> [Point; 4] {
    let at = |share: f32| Point::new(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share + height);
    [from, at(SHOULDER), at(1.0 - SHOULDER), to]
}

/// How much of its rise a curve of [`arc`] has at a share of its way.
fn share_of_rise(share: f32) -> f32 {
    // The way as a Bézier curve has it, whose own measure is found by halving.
    let way = |t: f32| {
        let u = 1.0 - t;
        3.0 * u * u * t * SHOULDER + 3.0 * u * t * t * (1.0 - SHOULDER) + t * t * t
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..12 {
        let middle = (low + high) / 2.0;
        if way(middle) < share { low = middle } else { high = middle }
    }
    3.0 * low * (1.0 - low)
}

/// One end of a slur.
#[derive(Clone, Copy)]
pub(super) enum SlurEnd<'a> {
    /// At a chord.
    At(&'a ChordPlace),
    /// It comes from the line before, or leads to the next.
    Open(f32),
}

/// Draws a slur on a staff.
pub(super) fn slur_ui(canvas: &mut Canvas, staff: u8, from: SlurEnd<'_>, to: SlurEnd<'_>, above: bool) {
    let way = if above { -1.0 } else { 1.0 };
    let place = |canvas: &Canvas, end: SlurEnd<'_>| match end {
        SlurEnd::At(chord) => Some(anchor(canvas, chord, above)),
        SlurEnd::Open(_) => None,
    };
    let (a, b) = (place(canvas, from), place(canvas, to));
    // Without an end on this line it lies beside the staff.
    let beside = canvas.y(staff, if above { -0.5 } else { 4.5 });
    let open = |x: f32, other: Option<Point>| Some(Point::new(x, other.map_or(beside, |p| p.y) + way * 0.5));
    let (a, b) = match (from, to) {
        (SlurEnd::Open(from), SlurEnd::Open(to)) => (open(from, None), open(to, None)),
        (SlurEnd::Open(from), _) => (open(from, b), b),
        (_, SlurEnd::Open(to)) => (a, open(to, a)),
        _ => (a, b),
    };
    let (Some(a), Some(b)) = (a, b) else { return };
    let run = b.x - a.x;
    if run < 0.5 {
        return;
    }
    let mut rise = (0.7 + 0.11 * run).clamp(0.8, 2.6);
    let samples = ((run / 0.8) as usize).clamp(4, SAMPLES_MAX);
    // How far the line between the ends is to be moved at a share of the way so that nothing is met.
    let mut wanted: Vec<(f32, f32)> = Vec::new();
    for index in 1..samples {
        let share = index as f32 / samples as f32;
        let x = a.x + run * share;
        let line = a.y + (b.y - a.y) * share;
        // What stands over its first and last note is theirs: it begins and ends under it.
        if run > 3.0 * AT_ENDS && (x - a.x < AT_ENDS || b.x - x < AT_ENDS) {
            continue;
        }
        let half = run / samples as f32 / 2.0;
        let edge = if above { canvas.top(staff, x - half, x + half) } else { canvas.bottom(staff, x - half, x + half) };
        let staff_edge = canvas.y(staff, if above { 0.0 } else { 4.0 });
        if (edge - staff_edge).abs() < 1e-3 {
            continue;
        }
        let clear = (edge - line) * way + CLEAR;
        rise = rise.max(clear / share_of_rise(share).max(0.35));
        wanted.push((share, clear));
    }
    // Higher than this a slur is no help to the eye: it may cross something instead.
    let rise = rise.min(2.0 + run * 0.45).min(9.0);
    let lacks = wanted.iter().map(|(share, clear)| clear - rise * share_of_rise(*share));
    let lift = way * lacks.fold(0.0, f32::max).min(LIFT_MAX);
    let (a, b) = (Point::new(a.x, a.y + lift), Point::new(b.x, b.y + lift));
    let points = arc(a, b, way * rise);
    let tag = Tag { part: Part::Curve, staff, ..Tag::default() };
    let shape =
        Shape::Curve { points, middle: DEFAULTS.slur_midpoint_thickness, ends: DEFAULTS.slur_endpoint_thickness };
    canvas.push_spanning(a.x, b.x, shape, tag);
    keep_ui(canvas, staff, &points);
}

/// Keeps the place of a curve free, piece by piece.
fn keep_ui(canvas: &mut Canvas, staff: u8, points: &[Point; 4]) {
    let mut last = points[0];
    for index in 1..=8 {
        let next = bezier(points, index as f32 / 8.0);
        canvas.keep(staff, Bounds { left: last.x, right: next.x, top: last.y.min(next.y), bottom: last.y.max(next.y) });
        last = next;
    }
}

/// A point of a cubic Bézier curve.
pub fn bezier(p: &[Point; 4], t: f32) -> Point {
    let u = 1.0 - t;
    let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
    let sum = |of: fn(&Point) -> f32| p.iter().zip(weights).map(|(p, w)| of(p) * w).sum();
    Point::new(sum(|p| p.x), sum(|p| p.y))
}

/// Where a slur ends at a chord: at its heads, or beyond the stem where that points there.
fn anchor(canvas: &Canvas, chord: &ChordPlace, above: bool) -> Point {
    let way = if above { -1.0 } else { 1.0 };
    // Outside of articulations and fingers.
    let own = 0.4;
    let (left, right) = (chord.x - own, chord.x + own);
    let sky = if above { canvas.top(chord.staff, left, right) } else { canvas.bottom(chord.staff, left, right) };
    let staff_edge = canvas.y(chord.staff, if above { 0.0 } else { 4.0 });
    // An articulation is so near to its head; fingers stand outside of the staff, one upon the other.
    let fingers = chord.heads.iter().filter(|head| head.finger.is_some()).count();
    let near = 2.2 + if fingers > 0 { 1.0 + 1.6 * fingers as f32 } else { 0.0 };
    let beyond = |y: f32| {
        let is_mark = (sky - y) * way > 0.0 && (sky - y).abs() < near && (sky - staff_edge).abs() > 1e-3;
        if is_mark { sky } else { y }
    };
    if let Some(tip) = chord.tip.filter(|_| chord.up == above) {
        return Point::new(tip.x, beyond(tip.y) + way * 0.3);
    }
    let edge = |b: &Bounds| if above { b.top } else { b.bottom };
    let head = if above { chord.heads.last() } else { chord.heads.first() };
    let y = head.map_or(edge(&chord.bounds), |h| edge(&h.bounds));
    Point::new(chord.x, beyond(y) + way * FROM_HEAD)
}

/// Whether a slur over chords goes above.
pub(super) fn slur_above<'a>(chords: impl Iterator<Item = &'a ChordPlace>) -> bool {
    let mut any_down = false;
    for chord in chords {
        if let Some(upper) = chord.upper {
            return upper;
        }
        any_down |= !chord.up && !chord.rest;
    }
    any_down
}
