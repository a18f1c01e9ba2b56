//! Two voices on one staff: stems apart, heads side by side where they would touch, rests out of the way.

use super::chords::ChordShape;
use super::font::{self, DEFAULTS};
use super::shape::Bounds;
use super::stems::y_of;
use crate::music::notation::{Chord, Measure, Rest};

/// Heads a third apart touch by less than this, as they do in one chord, and stand above each other.
const THIRDS: f32 = 0.15;

/// For each staff the voices that print something there, from above.
pub(super) fn voices(measure: &Measure, staves: usize) -> Vec<Vec<u8>> {
    let mut found = vec![Vec::new(); staves];
    for chord in measure.chords.iter().filter(|c| !(c.heads.is_empty() && c.rest == Rest::Hidden)) {
        if let Some(staff) = found.get_mut(usize::from(chord.staff)) {
            staff.push(chord.voice);
        }
    }
    for staff in &mut found {
        staff.sort_unstable();
        staff.dedup();
    }
    found
}

/// Whether a chord is in an upper voice of its staff, where there are several: the lower half of them is turned down, one
/// in the middle up.
pub(super) fn is_upper(chord: &Chord, voices: &[Vec<u8>]) -> Option<bool> {
    let staff = voices.get(usize::from(chord.staff))?;
    let rank = staff.iter().position(|v| *v == chord.voice)?;
    (staff.len() > 1).then_some(2 * rank < staff.len())
}

/// Moves the chords of one column on a staff apart: those with stems down to the right of those with stems up, by as
/// little as will do (Gould, pp. 47-52). Heads of one kind on one place are one head for both stems; those of whole notes,
/// which have none, stand side by side, and so do those with different dots.
pub(super) fn separate(chords: &mut [ChordShape]) {
    let mut order: Vec<usize> = (0..chords.len()).filter(|i| !chords[*i].heads.is_empty()).collect();
    order.sort_by_key(|i| (!chords[*i].up, chords[*i].chord));
    for placed in 1..order.len() {
        let index = order[placed];
        let width = chords[index].head_glyph().width();
        let shifts = [0.0, width - DEFAULTS.stem_thickness, width + 0.25, 2.0 * width, 2.0 * width + 0.4, 3.0 * width];
        for shift in shifts {
            chords[index].x = shift;
            if order[..placed].iter().all(|other| fits(&chords[*other], &chords[index])) {
                break;
            }
        }
    }
}

/// Whether two chords can stand as they are.
fn fits(a: &ChordShape, b: &ChordShape) -> bool {
    let shared = |x: &super::chords::HeadShape, y: &super::chords::HeadShape| {
        let same_kind = a.head_glyph() == b.head_glyph() && a.dots == b.dots && a.scale == b.scale && a.has_stem();
        x.step == y.step && x.staff == y.staff && same_kind && (a.x + x.x - b.x - y.x).abs() < 1e-3 && a.up != b.up
    };
    let pad = 0.02;
    // Where the upper voice goes below the lower one, or stems go one way, heads stand clear of each other.
    let crossing = a.up == b.up || a.heads.iter().any(|x| b.heads.iter().any(|y| x.step < y.step));
    let gap = if crossing { 0.15 } else { -DEFAULTS.stem_thickness - pad };
    for x in &a.heads {
        for y in b.heads.iter().filter(|y| y.staff == x.staff) {
            let (one, two) = (a.head_box(x), b.head_box(y));
            let apart = one.right + gap <= two.left || two.right <= one.left + pad;
            if one.meets_in_height(&two, -THIRDS) && !apart && !shared(x, y) {
                return false;
            }
        }
    }
    let crosses = |stem: &ChordShape, heads: &ChordShape| {
        let Some(own) = stem.stem_box() else { return false };
        let own =
            Bounds { left: own.left + pad, right: (own.left + DEFAULTS.stem_thickness).max(own.left + pad), ..own };
        heads.heads.iter().filter(|h| h.staff == stem.staff).any(|head| {
            let is_own = stem.heads.iter().any(|other| shared_place(stem, other, heads, head));
            !is_own && own.overlaps(&shrunk(heads.head_box(head)))
        })
    };
    !(crosses(a, b) || crosses(b, a))
}

fn shared_place(a: &ChordShape, x: &super::chords::HeadShape, b: &ChordShape, y: &super::chords::HeadShape) -> bool {
    x.step == y.step && x.staff == y.staff && (a.x + x.x - b.x - y.x).abs() < 1e-3
}

/// A head without the rim that a stem may touch.
fn shrunk(head: Bounds) -> Bounds {
    Bounds { left: head.left + 0.12, right: head.right - 0.12, top: head.top + 0.05, bottom: head.bottom - 0.05 }
}

/// Where the rest of a single voice stands: in the middle, a whole rest below the second line from above.
pub(super) fn rest_y(shape: &ChordShape) -> f32 {
    use crate::music::notation::Base;
    match shape.base {
        Base::Whole => 1.0,
        _ => 2.0,
    }
}

/// Moves the rests of one column on a staff away from the notes of the other voice, in whole spaces so that they keep
/// their place on the lines (Gould, pp. 36-37).
pub(super) fn move_rests(chords: &mut [ChordShape], staff: u8) {
    for index in 0..chords.len() {
        let (Some(mut y), Some(upper)) = (chords[index].rest, chords[index].voice) else { continue };
        let direction = if upper { -1.0 } else { 1.0 };
        y += 2.0 * direction;
        let glyph = font::rest(chords[index].base);
        let mut others = Vec::new();
        for (other, shape) in chords.iter().enumerate().filter(|(other, _)| *other != index) {
            if other < index || shape.rest.is_none() {
                shape.boxes(staff, &mut others);
            }
        }
        // The staff is five lines and the furthest ledger line some twenty spaces away.
        for _ in 0..24 {
            let own = glyph.bounds(chords[index].x, y, 1.0);
            if !others.iter().any(|o| o.meets_in_height(&own, 0.3)) {
                break;
            }
            y += direction;
        }
        chords[index].rest = Some(y);
    }
}

/// Moves rests of whole measures, which stand in no column, beyond all notes of the other voice.
pub(super) fn move_full_rests(chords: &mut [ChordShape], column_of: &[Option<usize>]) {
    for index in (0..chords.len()).filter(|i| column_of[*i].is_none()) {
        let (Some(y), Some(upper)) = (chords[index].rest, chords[index].voice) else { continue };
        let staff = chords[index].staff;
        let mut others = Vec::new();
        for (other, shape) in chords.iter().enumerate().filter(|(other, _)| *other != index) {
            if column_of[other].is_some() || other < index {
                shape.boxes(staff, &mut others);
            }
        }
        let glyph = font::rest(chords[index].base);
        let direction = if upper { -1.0 } else { 1.0 };
        let edge = others.iter().map(|b| if upper { -b.top } else { b.bottom }).fold(f32::MIN, f32::max);
        let height = if upper { -glyph.bottom } else { glyph.top };
        // Whole spaces from its usual line.
        let spaces = (edge + height + 0.3 - direction * y).ceil().max(2.0);
        chords[index].rest = Some(y + direction * spaces);
    }
}

/// The top and bottom of what a chord has on a staff, for what is put above and below it.
pub(super) fn reach(shape: &ChordShape, staff: u8) -> Option<(f32, f32)> {
    let mut boxes = Vec::new();
    shape.boxes(staff, &mut boxes);
    let all = boxes.into_iter().reduce(Bounds::join)?;
    Some((all.top.min(y_of(8)), all.bottom.max(y_of(0))))
}
