//! Boxes and arrows: a picture of how things hang together.

use egui::epaint::CubicBezierShape;
use egui::{Color32, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::Line;
use crate::ui::text;
use crate::ui::theme::{self, tokens};

/// A box of a picture of how things hang together.
pub struct Node {
    /// What it is.
    pub title: String,
    /// How it stands.
    pub line: String,
    /// A number at the right of the title; empty for none.
    pub remark: String,
    /// How full, where that is known.
    pub fill: Option<f32>,
    /// Of the fill.
    pub color: Color32,
}

/// Draws a box.
pub fn node_ui(ui: &mut Ui, rect: Rect, node: &Node) {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.scope_id().with(("node", &node.title)), Sense::hover());
    let remark = node.remark.as_str();
    let words = text::of(&node.title, [node.line.as_str(), remark].join(" ").trim_end());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    ui.painter().rect(rect, 9, t.raised, t.hairline(), StrokeKind::Inside);
    let inner = rect.shrink2(vec2(12.0, 8.0));
    let track = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 4.0), inner.max);
    let text = inner.with_max_y(track.top() - 3.0);
    let (top, bottom) = text.split_top_bottom_at_fraction(0.5);
    let speed = Line::small(remark).size(11.0).color(t.accent_text);
    let wide = if remark.is_empty() { 0.0 } else { speed.width(ui) + 8.0 };
    let (title, right) = top.split_left_right_at_x(top.right() - wide);
    let cut = Line::new(&node.title).size(13.0).bold().paint(ui, title);
    if wide > 0.0 {
        speed.paint(ui, right.with_min_x(right.left() + 8.0));
    }
    let cut = Line::small(&node.line).size(11.0).color(t.muted).paint(ui, bottom) || cut;
    if let Some(fill) = node.fill {
        ui.painter().rect_filled(track, 2, t.line);
        let done = (track.width() * fill.clamp(0.0, 1.0)).max(if fill > 0.0 { 3.0 } else { 0.0 });
        ui.painter().rect_filled(track.with_max_x(track.left() + done), 2, node.color);
    }
    if cut {
        response.on_hover_text(words);
    }
}

/// From one box to the next.
pub fn arrow(ui: &Ui, from: Pos2, to: Pos2) {
    let t = tokens(ui);
    let stroke = Stroke::new(1.4, t.faint);
    let bend = ((to.x - from.x) * 0.5).max(8.0);
    let end = to - vec2(6.0, 0.0);
    let points = [from, from + vec2(bend, 0.0), end - vec2(bend, 0.0), end];
    ui.painter().add(CubicBezierShape::from_points_stroke(points, false, theme::CLEAR, stroke));
    let head = vec![to, to + vec2(-7.0, -4.0), to + vec2(-7.0, 4.0)];
    ui.painter().add(egui::Shape::convex_polygon(head, t.faint, Stroke::NONE));
}
