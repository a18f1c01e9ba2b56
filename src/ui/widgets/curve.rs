//! Curves: values from left to right, on one scale.

use egui::{Color32, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2};

use crate::ui::text;
use crate::ui::theme::{self, tokens};

/// Curves of as many values each, the last one on top, with the lowest and highest value at the left.
pub fn curve_ui(ui: &mut Ui, rect: Rect, name: &str, curves: &[(&[f64], Color32)]) {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.scope_id().with(("curve", name)), Sense::hover());
    let all = curves.iter().flat_map(|(values, _)| values.iter().copied());
    let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let count = curves.first().map_or(0, |(values, _)| values.len());
    let words = text::curve_in_words(name, count, low, high);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &words));
    let scale = theme::scale(ui);
    let plot =
        Rect::from_min_max(pos2(rect.left() + 40.0 * scale, rect.top() + 6.0), pos2(rect.right(), rect.bottom() - 6.0));
    // A steady tempo is a line in the middle, not noise on the whole height.
    let (middle, half) = ((low + high) / 2.0, ((high - low) / 2.0).max((low + high) / 2.0 * 0.1).max(1e-6));
    let at = |i: usize, value: f64| {
        let x = plot.left() + plot.width() * i as f32 / (count.max(2) - 1) as f32;
        pos2(x, plot.center().y - ((value - middle) / half) as f32 * plot.height() / 2.0)
    };
    for (values, color) in curves {
        let points = values.iter().enumerate().map(|(i, value)| at(i, *value)).collect();
        ui.painter().add(Shape::line(points, Stroke::new(2.0, *color)));
    }
    for (value, align) in [(middle + half, egui::Align2::LEFT_CENTER), (middle - half, egui::Align2::LEFT_CENTER)] {
        let y = plot.center().y - ((value - middle) / half) as f32 * plot.height() / 2.0;
        ui.painter().text(pos2(rect.left(), y), align, format!("{value:.0}"), theme::regular(ui, 11.0), t.muted);
    }
}
