//! Draws engraved shapes with egui: glyphs of the music font, lines, beams, curves, words.

use std::collections::HashMap;
use std::sync::Arc;

use egui::epaint::{Mesh, TextShape};
use egui::{Color32, FontId, Galley, Painter, Pos2, Rect, Shape as Drawn, Stroke, Ui, pos2, vec2};

use crate::engraving::{Align, Point, Shape, TextKind, bezier};
use crate::ui::theme;

/// Where an engraved line is drawn, and how large.
pub(super) struct Pen<'a> {
    ui: &'a Ui,
    painter: &'a Painter,
    /// Where the line's origin is.
    pub(super) origin: Pos2,
    /// Points of a staff space.
    pub(super) space: f32,
    /// Glyphs laid out in this frame, by character and size.
    glyphs: HashMap<(char, u32), (Arc<Galley>, f32)>,
}

/// Words are not smaller than this, however small the staff is.
const LETTERS: f32 = 10.0;
/// Pieces of a curve: enough that corners are not seen at the sizes of a screen.
const PIECES: usize = 14;
/// The brace's height in spaces at scale 1, and its character.
const BRACE: (f32, char) = (3.96, '\u{E000}');

impl<'a> Pen<'a> {
    pub(super) fn new(ui: &'a Ui, painter: &'a Painter, origin: Pos2, space: f32) -> Self {
        let mut pen = Self { ui, painter, origin, space, glyphs: HashMap::new() };
        pen.put(origin, space);
        pen
    }

    /// Goes on at another place, in another size.
    pub(super) fn put(&mut self, origin: Pos2, space: f32) {
        // On whole pixels, as egui puts text there: then heads and stems keep together while they move.
        let pixels = self.ui.pixels_per_point();
        self.origin = pos2((origin.x * pixels).round() / pixels, (origin.y * pixels).round() / pixels);
        if self.space != space {
            self.space = space;
            self.glyphs.clear();
        }
    }

    /// What it draws on.
    pub(super) fn painter(&self) -> &Painter {
        self.painter
    }

    /// A place of the line on the screen.
    pub(super) fn at(&self, point: Point) -> Pos2 {
        pos2(self.origin.x + point.x * self.space, self.origin.y + point.y * self.space)
    }

    /// The place of the line at a place of the screen.
    pub(super) fn place_of(&self, at: Pos2) -> Point {
        Point::new((at.x - self.origin.x) / self.space, (at.y - self.origin.y) / self.space)
    }

    /// Draws a shape.
    pub(super) fn draw(&mut self, shape: &Shape, color: Color32) {
        match shape {
            Shape::Glyph { sign, at, scale } => self.glyph(*sign, self.at(*at), *scale, color),
            Shape::Line { from, to, thickness } => self.line(*from, *to, *thickness, color),
            Shape::Beam(points) => {
                let points = points.iter().map(|p| self.at(*p)).collect();
                self.painter.add(Drawn::convex_polygon(points, color, Stroke::NONE));
            }
            Shape::Curve { points, middle, ends } => self.curve(points, *middle, *ends, color),
            Shape::Text { text, at, size, kind, align } => self.text(text, self.at(*at), *size, *kind, *align, color),
            Shape::Brace { x, top, bottom } => {
                let scale = (bottom - top) / BRACE.0;
                let at = self.at(Point { x: x - 0.25 * scale, y: *bottom });
                self.glyph(BRACE.1, at, scale, color);
            }
        }
    }

    fn glyph(&mut self, sign: char, at: Pos2, scale: f32, color: Color32) {
        let (ui, space) = (self.ui, self.space);
        let (galley, ascent) = self.glyphs.entry((sign, scale.to_bits())).or_insert_with(|| {
            let font = theme::music_font(4.0 * space * scale);
            let galley = ui.ctx().fonts_mut(|f| f.layout_no_wrap(sign.to_string(), font, Color32::PLACEHOLDER));
            let ascent = galley.rows.first().and_then(|row| row.glyphs.first()).map_or(0.0, |g| g.font_ascent);
            (galley, ascent)
        });
        let place = pos2(at.x, at.y - *ascent);
        self.painter.add(TextShape::new(place, Arc::clone(galley), color));
    }

    fn text(&self, text: &str, at: Pos2, size: f32, kind: TextKind, align: Align, color: Color32) {
        let points = (size * self.space * 0.72).max(LETTERS * theme::scale(self.ui));
        let font = match kind {
            TextKind::Bold => FontId::new(points, theme::semibold(self.ui, 1.0).family),
            _ => FontId::new(points, egui::FontFamily::Proportional),
        };
        let mut format = egui::TextFormat::simple(font, color);
        format.italics = kind == TextKind::Italic;
        let job = egui::text::LayoutJob::single_section(text.to_owned(), format);
        let galley = self.ui.ctx().fonts_mut(|f| f.layout_job(job));
        let ascent = galley.rows.first().and_then(|row| row.glyphs.first()).map_or(points * 0.8, |g| g.font_ascent);
        let left = match align {
            Align::Left => at.x,
            Align::Center => at.x - galley.size().x / 2.0,
            Align::Right => at.x - galley.size().x,
        };
        self.painter.add(TextShape::new(pos2(left, at.y - ascent), galley, color));
    }

    fn line(&self, from: Point, to: Point, thickness: f32, color: Color32) {
        let (a, b) = (self.at(from), self.at(to));
        let thick = (thickness * self.space).max(1.0 / self.ui.pixels_per_point());
        if from.x == to.x {
            // Whole pixels from a whole pixel on, so that lines of one thickness look alike wherever they stand.
            let pixels = self.ui.pixels_per_point();
            let wide = (thick * pixels).round().max(1.0) / pixels;
            let left = ((a.x - wide / 2.0) * pixels).round() / pixels;
            let rect = Rect::from_min_max(pos2(left, a.y.min(b.y)), pos2(left + wide, a.y.max(b.y)));
            self.painter.rect_filled(rect, 0, color);
        } else {
            self.painter.line_segment([a, b], Stroke::new(thick, color));
        }
    }

    /// A band along the curve, thick in its middle.
    fn curve(&self, points: &[Point; 4], middle: f32, ends: f32, color: Color32) {
        let mut mesh = Mesh::default();
        // Soft edges: a rim of one pixel that fades out on both sides.
        let rim = 0.9 / self.ui.pixels_per_point();
        let clear = theme::fade(color, 0.0);
        for index in 0..=PIECES {
            let t = index as f32 / PIECES as f32;
            let half = (ends + (middle - ends) * 4.0 * t * (1.0 - t)) * self.space / 2.0;
            let here = self.at(bezier(points, t));
            let (before, after) = (bezier(points, (t - 0.02).max(0.0)), bezier(points, (t + 0.02).min(1.0)));
            let along = vec2(after.x - before.x, after.y - before.y).normalized();
            let across = vec2(-along.y, along.x);
            let half = half.max(0.35 / self.ui.pixels_per_point());
            for (distance, color) in [(-half - rim, clear), (-half, color), (half, color), (half + rim, clear)] {
                mesh.colored_vertex(here + across * distance, color);
            }
            if index > 0 {
                let row = index as u32 * 4;
                for side in 0..3 {
                    let (a, b) = (row - 4 + side, row + side);
                    mesh.add_triangle(a, a + 1, b);
                    mesh.add_triangle(a + 1, b + 1, b);
                }
            }
        }
        self.painter.add(mesh);
    }
}
