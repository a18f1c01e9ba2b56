//! Verdict marks: a shape and a colour for each, so that colour is never the only sign.

use egui::{Color32, Pos2, Shape, Stroke, pos2};

use crate::practice::VerdictKind;
use crate::ui::theme::Tokens;

/// The colour of a verdict; nothing is drawn for what is neither right nor wrong.
pub fn color_of(t: &Tokens, kind: VerdictKind) -> Option<Color32> {
    match kind {
        VerdictKind::OnTime => Some(t.good),
        VerdictKind::Early => Some(t.early),
        VerdictKind::Late => Some(t.late),
        VerdictKind::Missed => Some(t.muted),
        VerdictKind::Extra | VerdictKind::WrongOctave => Some(t.bad),
        VerdictKind::Neutral => None,
    }
}

/// The name of the shape: dot, triangle left, triangle right, ring, cross.
pub fn shape_of(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::OnTime => "dot",
        VerdictKind::Early => "triangle left",
        VerdictKind::Late => "triangle right",
        VerdictKind::Missed => "ring",
        VerdictKind::Extra | VerdictKind::WrongOctave => "cross",
        VerdictKind::Neutral => "",
    }
}

/// The mark of a verdict around `center`, `r` points to each side.
pub fn mark_shape(t: &Tokens, kind: VerdictKind, center: Pos2, r: f32) -> Shape {
    let Some(color) = color_of(t, kind) else { return Shape::Noop };
    let at = |x: f32, y: f32| pos2(center.x + x * r, center.y + y * r);
    match kind {
        VerdictKind::OnTime => Shape::circle_filled(center, r * 0.8, color),
        VerdictKind::Early => {
            Shape::convex_polygon(vec![at(-1.0, 0.0), at(0.9, -1.0), at(0.9, 1.0)], color, Stroke::NONE)
        }
        VerdictKind::Late => {
            Shape::convex_polygon(vec![at(1.0, 0.0), at(-0.9, 1.0), at(-0.9, -1.0)], color, Stroke::NONE)
        }
        VerdictKind::Missed => Shape::circle_stroke(center, r * 0.8, Stroke::new(1.6, color)),
        VerdictKind::Extra | VerdictKind::WrongOctave => {
            let stroke = Stroke::new(2.0, color);
            Shape::Vec(vec![
                Shape::line_segment([at(-0.8, -0.8), at(0.8, 0.8)], stroke),
                Shape::line_segment([at(-0.8, 0.8), at(0.8, -0.8)], stroke),
            ])
        }
        VerdictKind::Neutral => Shape::Noop,
    }
}
