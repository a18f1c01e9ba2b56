//! Where the columns of a measure stand: as far apart as their durations want, and never so near that anything touches.
//!
//! A column is everything that begins on one tick, on all staves. Between two columns there is a spring: its length at
//! rest grows with the square root of the duration, which is nearly Gould's table (*Behind Bars*, p. 39: from the crotchet
//! up 3½, 5, 7 spaces). Stretching a line multiplies all springs by one factor; what touches holds them apart.

use super::shape::Bounds;
use crate::time::Ticks;

/// A quarter note's spring, in spaces.
const QUARTER: f32 = 3.5;
/// No spring is shorter.
const SHORTEST: f32 = 1.3;
/// Between what stands in neighbouring columns.
const GAP: f32 = 0.35;
/// Boxes that pass each other at this distance in height do not touch.
const PAD: f32 = 0.12;
/// From the line at the beginning to the first head, and at least to what stands to its left.
const BEFORE: f32 = 1.3;
const BEFORE_LEAST: f32 = 0.7;
/// From the last thing to the line at the end.
const AFTER: f32 = 0.9;
/// No measure is narrower, so that a rest fits in its middle.
const MEASURE_LEAST: f32 = 5.0;
/// So many columns back are looked at for what might touch: a syllable reaches under the quick notes of the other staff.
const BACK: usize = 12;

/// What begins on one tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    /// The tick in the measure.
    pub(super) at: Ticks,
    /// For each staff what it takes up, from the column's place.
    pub(super) boxes: Vec<Vec<Bounds>>,
    /// How far at least behind each of the columns before, the nearest first.
    behind: Vec<f32>,
    /// The spring to the next column or the end.
    spring: f32,
}

impl Column {
    /// A column, its springs still without length.
    pub(super) fn new(at: Ticks, boxes: Vec<Vec<Bounds>>) -> Self {
        Self { at, boxes, ..Self::default() }
    }

    fn all(&self) -> impl Iterator<Item = &Bounds> {
        self.boxes.iter().flatten()
    }

    fn right(&self) -> f32 {
        self.all().map(|b| b.right).fold(0.0, f32::max)
    }
}

/// Measures springs and least distances.
pub(super) fn prepare(columns: &mut [Column], length: Ticks, resolution: u16) {
    for index in 0..columns.len() {
        let next = columns.get(index + 1).map_or(length, |c| c.at);
        let quarters = (next - columns[index].at).0.max(1) as f32 / f32::from(resolution.max(1));
        columns[index].spring = (QUARTER * quarters.sqrt()).max(SHORTEST);
        let behind = (index.saturating_sub(BACK)..index).rev().map(|b| least(&columns[b], &columns[index])).collect();
        columns[index].behind = behind;
    }
}

/// How far at least `right` stands behind `left`.
fn least(left: &Column, right: &Column) -> f32 {
    let mut distance: f32 = 0.0;
    for (ours, theirs) in left.boxes.iter().zip(&right.boxes) {
        for a in ours {
            for b in theirs.iter().filter(|b| a.meets_in_height(b, PAD)) {
                distance = distance.max(a.right - b.left + GAP);
            }
        }
    }
    distance
}

/// Where the columns stand and the measure ends, from the measure's beginning, when what stands at its beginning takes
/// `heading` and its springs are stretched by `factor`. `trailing` is wanted before the line at the end.
pub(super) fn place(columns: &[Column], heading: f32, trailing: f32, factor: f32) -> (Vec<f32>, f32) {
    let mut places: Vec<f32> = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let spring = match index {
            0 => {
                let left = column.all().map(|b| b.left).fold(0.0, f32::min);
                heading + (BEFORE + (factor - 1.0).clamp(0.0, 1.0) * 0.5).max(BEFORE_LEAST - left)
            }
            _ => places[index - 1] + columns[index - 1].spring * factor,
        };
        let behind = column.behind.iter().enumerate().map(|(back, least)| places[index - 1 - back] + least);
        places.push(behind.fold(spring, f32::max));
    }
    let free = columns.iter().zip(&places).map(|(c, x)| x + c.right()).fold(heading, f32::max);
    let spring = columns.last().zip(places.last()).map_or(heading, |(c, x)| x + c.spring * factor);
    let end = spring.max(free + AFTER + trailing).max(heading + MEASURE_LEAST * factor.max(1.0));
    (places, end)
}

/// The factor at which `width`, which grows with it, is the wanted one; 1 where even that is too wide.
pub(super) fn stretch(wanted: f32, width: impl Fn(f32) -> f32) -> f32 {
    let (mut low, mut high) = (1.0f32, 1.0f32);
    // Doubling sixty times is beyond any page.
    for _ in 0..60 {
        if width(high) >= wanted {
            break;
        }
        high *= 2.0;
    }
    // Each halving adds a binary digit; thirty are more than a f32 holds.
    for _ in 0..30 {
        let middle = (low + high) / 2.0;
        if width(middle) < wanted { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(at: i64, left: f32, right: f32) -> Column {
        Column::new(Ticks(at), vec![vec![Bounds { left, top: 0.0, right, bottom: 1.0 }]])
    }

    #[test]
    fn longer_notes_have_more_room_and_nothing_touches() {
        let mut columns =
            vec![column(0, 0.0, 1.3), column(480, 0.0, 1.3), column(720, -4.0, 1.3), column(960, 0.0, 1.3)];
        prepare(&mut columns, Ticks(1920), 480);
        let (x, end) = place(&columns, 0.0, 0.0, 1.0);
        assert_eq!(x[0], BEFORE);
        assert!((x[1] - x[0] - 3.5).abs() < 1e-4);
        assert!((x[2] - x[1] - (1.3 + 4.0 + GAP)).abs() < 1e-4, "held apart: {x:?}");
        assert!((x[3] - x[2] - 3.5 * 0.5f32.sqrt()).abs() < 1e-4);
        assert!((end - x[3] - 3.5 * 2f32.sqrt()).abs() < 1e-4);
    }

    #[test]
    fn a_line_is_stretched_to_its_width() {
        let mut columns = vec![column(0, 0.0, 1.3), column(480, -2.5, 1.3), column(960, 0.0, 1.3)];
        prepare(&mut columns, Ticks(1440), 480);
        for wanted in [20.0, 35.0, 80.0] {
            let factor = stretch(wanted, |f| place(&columns, 0.0, 0.0, f).1);
            let (x, end) = place(&columns, 0.0, 0.0, factor);
            assert!((end - wanted).abs() < 1e-3, "{wanted}: {end}");
            assert!(x.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
