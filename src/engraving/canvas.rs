//! Where a line is drawn: its items measure by measure, and the skyline of each staff, above and below which marks are put.

use super::font::Glyph;
use super::shape::{Align, Bounds, Item, Point, Shape, Tag, TextKind};

/// The items of a line, those that stay within a measure and those that reach over several.
#[derive(Debug)]
pub(super) struct Canvas {
    /// The top line of each staff.
    pub(super) staves: Vec<f32>,
    /// Where each measure begins.
    starts: Vec<f32>,
    /// The measure that is drawn to.
    pub(super) measure: usize,
    /// Items by measure.
    pub(super) items: Vec<Vec<Item>>,
    /// Items that leave their measure, with how far they reach.
    pub(super) spanning: Vec<(f32, f32, Item)>,
    /// For each staff and measure what stands there.
    sky: Vec<Vec<Vec<Bounds>>>,
    /// What everything takes up.
    pub(super) bounds: Bounds,
}

impl Canvas {
    pub(super) fn new(staves: Vec<f32>, starts: Vec<f32>) -> Self {
        let measures = starts.len().max(1);
        let sky = vec![vec![Vec::new(); measures]; staves.len()];
        let items = std::iter::repeat_with(Vec::new).take(measures).collect();
        Self { staves, starts, measure: 0, items, spanning: Vec::new(), sky, bounds: Bounds::EMPTY }
    }

    /// The measure that a place lies in.
    pub(super) fn measure_at(&self, x: f32) -> usize {
        self.starts.partition_point(|start| *start <= x).saturating_sub(1)
    }

    /// The height of a place on a staff.
    pub(super) fn y(&self, staff: u8, y: f32) -> f32 {
        self.staves.get(usize::from(staff)).copied().unwrap_or(0.0) + y
    }

    pub(super) fn push(&mut self, shape: Shape, tag: Tag) {
        self.items[self.measure].push(Item { shape, tag });
    }

    /// Adds something that reaches over several measures.
    pub(super) fn push_spanning(&mut self, from: f32, to: f32, shape: Shape, tag: Tag) {
        self.spanning.push((from, to, Item { shape, tag }));
    }

    /// Draws a glyph with its origin at `at`, and keeps its place free.
    pub(super) fn glyph(&mut self, glyph: Glyph, at: Point, scale: f32, tag: Tag) -> Bounds {
        let bounds = glyph.bounds(at.x, at.y, scale);
        self.push(Shape::Glyph { sign: glyph.sign, at, scale }, tag);
        self.keep(tag.staff, bounds);
        bounds
    }

    /// Draws a glyph in the middle of `x`.
    pub(super) fn centered(&mut self, glyph: Glyph, x: f32, y: f32, scale: f32, tag: Tag) -> Bounds {
        self.glyph(glyph, Point::new(x - (glyph.left + glyph.right) / 2.0 * scale, y), scale, tag)
    }

    pub(super) fn line(&mut self, from: Point, to: Point, thickness: f32, tag: Tag) {
        self.push(Shape::Line { from, to, thickness }, tag);
    }

    pub(super) fn text(&mut self, text: &str, at: Point, size: f32, kind: TextKind, align: Align, tag: Tag) {
        self.push(Shape::Text { text: text.to_owned(), at, size, kind, align }, tag);
        let width = super::marks::text_width(text, size);
        let left = match align {
            Align::Left => at.x,
            Align::Center => at.x - width / 2.0,
            Align::Right => at.x - width,
        };
        let bounds = Bounds { left, right: left + width, top: at.y - size * 0.75, bottom: at.y + size * 0.22 };
        self.keep(tag.staff, bounds);
    }

    /// Keeps a place free of marks.
    pub(super) fn keep(&mut self, staff: u8, bounds: Bounds) {
        self.bounds = self.bounds.join(bounds);
        let (first, last) = (self.measure_at(bounds.left), self.measure_at(bounds.right));
        if let Some(staff) = self.sky.get_mut(usize::from(staff)) {
            let last = last.min(staff.len() - 1);
            for cell in &mut staff[first.min(last)..=last] {
                cell.push(bounds);
            }
        }
    }

    fn between(&self, staff: u8, left: f32, right: f32) -> impl Iterator<Item = &Bounds> {
        let cells = self.sky.get(usize::from(staff)).map_or(&[][..], Vec::as_slice);
        let last = self.measure_at(right).min(cells.len().saturating_sub(1));
        let first = self.measure_at(left).min(last);
        let cells = cells.get(first..=last).unwrap_or(&[]);
        cells.iter().flatten().filter(move |b| b.left < right && left < b.right)
    }

    /// The top of what stands between two places of a staff, the staff itself included.
    pub(super) fn top(&self, staff: u8, left: f32, right: f32) -> f32 {
        self.between(staff, left, right).map(|b| b.top).fold(self.y(staff, 0.0), f32::min)
    }

    /// The bottom of what stands between two places of a staff, the staff itself included.
    pub(super) fn bottom(&self, staff: u8, left: f32, right: f32) -> f32 {
        self.between(staff, left, right).map(|b| b.bottom).fold(self.y(staff, 4.0), f32::max)
    }
}
