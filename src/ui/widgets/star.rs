//! A full star: the icons' font has outlines only.

use egui::epaint::Mesh;
use egui::{Color32, Painter, Pos2, Shape, Stroke, vec2};

/// The inner corners of a five-pointed star lie at this share of its radius: cos 72° / cos 36°.
const INNER: f32 = 0.382;
/// A little more than that, as the outline beside it is drawn.
const FULLNESS: f32 = 1.25;

/// Draws a star around `center`.
pub fn star_ui(painter: &Painter, center: Pos2, radius: f32, color: Color32) {
    let corner = |index: usize| {
        let share = if index.is_multiple_of(2) { 1.0 } else { INNER * FULLNESS };
        let angle = std::f32::consts::PI * (index as f32 / 5.0 - 0.5);
        center + vec2(angle.cos(), angle.sin()) * radius * share
    };
    let mut mesh = Mesh::default();
    mesh.colored_vertex(center, color);
    for index in 0..10 {
        mesh.colored_vertex(corner(index), color);
        mesh.add_triangle(0, index as u32 + 1, (index as u32 + 1) % 10 + 1);
    }
    painter.add(mesh);
    // Its edge is as smooth as any line.
    painter.add(Shape::closed_line((0..10).map(corner).collect(), Stroke::new(1.5, color)));
}
