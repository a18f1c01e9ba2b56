//! Stems: which way, and how long.

use crate::music::notation::Base;

/// The step of the middle line; 0 is the bottom line, 8 the top one.
pub(super) const MIDDLE: i32 = 4;
/// An octave: the usual length (Gould, p. 14).
const LENGTH: f32 = 3.5;
/// Stems that point away from the staff are shortened down to this (Gould, p. 16; Ross, pp. 83-86).
const SHORTEST: f32 = 2.5;

/// Whether a chord's stem goes up: away from the note farthest from the middle line; down where they are equally far
/// (Gould, p. 13). `steps` are those of its notes.
pub(super) fn goes_up(steps: impl IntoIterator<Item = i32>) -> bool {
    let (mut above, mut below) = (i32::MIN, i32::MIN);
    for step in steps {
        above = above.max(step - MIDDLE);
        below = below.max(MIDDLE - step);
    }
    below > above
}

/// The height of a step on the staff.
pub(super) const fn y_of(step: i32) -> f32 {
    4.0 - step as f32 * 0.5
}

/// Where the stem of a chord without a beam ends, on the staff; `outer` is the step of the note nearest to its end.
pub(super) fn tip(outer: i32, base: Base, up: bool, scale: f32) -> f32 {
    let direction = if up { -1.0 } else { 1.0 };
    // So many steps the note lies beyond the middle line on the side where the stem points.
    let beyond = if up { outer - MIDDLE } else { MIDDLE - outer };
    let shortened = if beyond > 0 { (LENGTH - 0.25 * beyond as f32).max(SHORTEST) } else { LENGTH };
    // A flag wants room: three and more make the stem longer.
    let flags = f32::from(base.flags());
    let length = match base.flags() {
        0 => shortened,
        1 => shortened.max(3.0),
        2 => shortened.max(3.25),
        _ => LENGTH + 0.7 * (flags - 2.0),
    };
    let tip = y_of(outer) + direction * length * scale;
    // Stems of notes on ledger lines reach the middle line (Gould, p. 15).
    if scale < 1.0 {
        tip
    } else if up {
        tip.min(2.0)
    } else {
        tip.max(2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_go_away_from_the_farthest_note() {
        assert!(goes_up([3]) && goes_up([0]) && goes_up([-3]));
        assert!(!goes_up([4]) && !goes_up([5]) && !goes_up([9]));
        assert!(goes_up([0, 5]), "the lower note is farther");
        assert!(!goes_up([3, 8]), "the upper note is farther");
        assert!(!goes_up([2, 6]), "equally far: down");
    }

    #[test]
    fn stems_have_their_lengths() {
        let check = |outer, base, up, length: f32| {
            let found = (y_of(outer) - tip(outer, base, up, 1.0)).abs();
            assert!((found - length).abs() < 1e-4, "step {outer}, up {up}: {found}");
        };
        check(3, Base::Quarter, true, 3.5);
        check(4, Base::Quarter, false, 3.5);
        // The third ledger line below: up to the middle line.
        check(-6, Base::Quarter, true, 5.0);
        check(14, Base::Quarter, false, 5.0);
        // The upper voice high on the staff: shorter, but not too short.
        check(7, Base::Quarter, true, 2.75);
        check(12, Base::Quarter, true, 2.5);
        check(12, Base::Eighth, true, 3.0);
        check(3, Base::ThirtySecond, true, 4.2);
    }
}
