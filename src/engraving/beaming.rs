//! Where a beam lies: its slope, and how far from the heads.
//!
//! Slopes follow the interval of the outer notes and stay small: a second slants by a quarter of a space, nothing by more
//! than one; a beam is level when an inner note is nearest to it (Ross, *The Art of Music Engraving*, pp. 98-111; Gould,
//! pp. 20-23).

use super::font::DEFAULTS;

/// A note under a beam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beamed {
    /// The middle of its stem.
    pub(super) x: f32,
    /// The height of the head nearest to the beam.
    pub(super) y: f32,
    /// Flags.
    pub(super) flags: u8,
    /// Whether its stem goes up.
    pub(super) up: bool,
}

/// The outer edge of a beam as a line, and the way to further beams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BeamLine {
    x: f32,
    y: f32,
    slope: f32,
    /// Towards the heads: 1 is downwards.
    pub(super) inwards: f32,
}

impl BeamLine {
    /// Its height at a place; where the stem of a note ends.
    pub(super) fn at(&self, x: f32) -> f32 {
        self.y + (x - self.x) * self.slope
    }
}

/// Slants in spaces by the steps between the outer notes.
const SLANTS: [f32; 6] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.0];
/// Nor is a beam steeper than this.
const STEEPEST: f32 = 0.22;

/// The length of the shortest stem under so many beams, in spaces.
fn shortest(flags: u8) -> f32 {
    match flags {
        0 | 1 => 3.0,
        2 => 3.25,
        more => 3.25 + 0.7 * f32::from(more - 2),
    }
}

/// Lays a beam. `middle` is the height of the staff's middle line, which stems reach at least; none for grace notes,
/// whose stems are `scale` as long.
pub(super) fn lay(notes: &[Beamed], middle: Option<f32>, scale: f32) -> BeamLine {
    let (first, last) = (notes[0], notes[notes.len() - 1]);
    if notes.iter().any(|n| n.up != first.up) {
        return between(notes);
    }
    let up = if first.up { -1.0 } else { 1.0 };
    let run = (last.x - first.x).max(0.1);
    let inner = || notes[1..notes.len() - 1].iter().map(|n| n.y * up);
    let nearest = (first.y * up).max(last.y * up);
    let level = inner().any(|y| y >= nearest) && notes.len() > 2;
    let steps = ((last.y - first.y).abs() * 2.0).round() as usize;
    let slant = if level { 0.0 } else { SLANTS[steps.min(SLANTS.len() - 1)].min(run * STEEPEST) };
    let slope = slant.copysign(last.y - first.y) / run;
    let want = |n: &Beamed| n.y + up * shortest(n.flags) * scale - slope * (n.x - first.x);
    let mut y = notes.iter().map(want).map(|y| y * up).fold(f32::MIN, f32::max) * up;
    if let Some(middle) = middle {
        // The nearer end is at the middle line or beyond.
        let near = if slope * up > 0.0 { y } else { y + slope * run };
        if (near - middle) * up < 0.0 {
            y += middle - near;
        }
        y = on_lines(y, middle, up);
    }
    BeamLine { x: first.x, y, slope, inwards: -up }
}

/// A beam's outer edge so that it sits on a line, hangs from one or straddles one, and never floats between two: moved
/// away from the heads by less than half a space. Outside of the staff it lies as it is.
fn on_lines(y: f32, middle: f32, up: f32) -> f32 {
    let from = y - middle;
    if from.abs() > 2.5 {
        return y;
    }
    let quarter = (from * 4.0 * up).ceil() / 4.0;
    // With the edge on a quarter outside of a line, both edges of the beam would be within one space.
    let within = (quarter.rem_euclid(1.0) - 0.75).abs() < 0.01;
    middle + up * (quarter + if within { 0.25 } else { 0.0 })
}

/// A level beam in the middle between heads above and below it.
fn between(notes: &[Beamed]) -> BeamLine {
    let above = notes.iter().filter(|n| !n.up).map(|n| n.y + shortest(n.flags)).fold(f32::MIN, f32::max);
    let below = notes.iter().filter(|n| n.up).map(|n| n.y - shortest(n.flags)).fold(f32::MAX, f32::min);
    let inwards = if notes[0].up { 1.0 } else { -1.0 };
    BeamLine { x: notes[0].x, y: (above + below) / 2.0, slope: 0.0, inwards }
}

/// The outer edge of a further beam, from that of the first.
pub(super) fn level_offset(level: u8, inwards: f32, scale: f32) -> f32 {
    f32::from(level) * (DEFAULTS.beam_thickness + DEFAULTS.beam_spacing) * inwards * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(ys: &[f32], up: bool) -> Vec<Beamed> {
        ys.iter().enumerate().map(|(i, y)| Beamed { x: i as f32 * 2.5, y: *y, flags: 1, up }).collect()
    }

    #[test]
    fn slopes_follow_the_interval_and_stay_small() {
        let slant = |ys: &[f32], up| {
            let notes = notes(ys, up);
            let line = lay(&notes, Some(2.0), 1.0);
            line.at(notes[notes.len() - 1].x) - line.at(notes[0].x)
        };
        assert_eq!(slant(&[3.0, 3.0], true), 0.0);
        assert!((slant(&[3.0, 2.5], true) + 0.25).abs() < 1e-4, "a second up");
        assert!((slant(&[0.0, 1.0], false) - 0.5).abs() < 1e-4, "a third down");
        assert!((slant(&[4.0, 3.5, 1.0, 0.5], true) + 1.0).abs() < 1e-4, "an octave");
        assert!(slant(&[4.0, 0.5], true).abs() <= 2.5 * STEEPEST + 1e-4, "near notes");
        assert_eq!(slant(&[3.0, 2.0, 2.5], true), 0.0, "the inner note is nearest");
    }

    #[test]
    fn no_stem_is_short_and_all_reach_the_middle_line() {
        for up in [true, false] {
            for ys in [[4.0, 1.0, 3.0, 2.5], [7.0, 6.0, 6.5, 8.0], [-3.0, -1.0, 0.0, 1.0], [2.0, 2.5, 3.0, 3.5]] {
                let notes = notes(&ys, up);
                let line = lay(&notes, Some(2.0), 1.0);
                for note in &notes {
                    let length = if up { note.y - line.at(note.x) } else { line.at(note.x) - note.y };
                    assert!(length >= shortest(1) - 1e-3, "{ys:?} {up}: {length}");
                    let reached = if up { line.at(note.x) <= 2.01 } else { line.at(note.x) >= 1.99 };
                    assert!(reached, "{ys:?} {up}: {}", line.at(note.x));
                }
            }
        }
    }
}
