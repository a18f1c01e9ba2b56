//! A histogram: counts from left to right over an axis.

use egui::{Align2, Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::text;
use crate::ui::theme::{self, tokens};

/// Bars from left to right, `colors` one each, with labels under the axis at shares of its width.
pub fn histogram_ui(
    ui: &mut Ui,
    rect: Rect,
    name: &str,
    counts: &[u32],
    color: impl Fn(usize) -> Color32,
    axis: &[(f32, String)],
) {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.scope_id().with(("histogram", name)), Sense::hover());
    let words = text::histogram_in_words(name, counts);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &words));
    let foot = if axis.is_empty() { 0.0 } else { 18.0 * theme::scale(ui) };
    let plot = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - foot));
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let step = plot.width() / counts.len().max(1) as f32;
    for (i, &count) in counts.iter().enumerate().filter(|(_, c)| **c > 0) {
        let height = (count as f32 / most * plot.height()).max(1.5);
        let left = plot.left() + i as f32 * step;
        let bar = Rect::from_min_size(pos2(left + 0.75, plot.bottom() - height), vec2((step - 1.5).max(1.0), height));
        ui.painter().rect_filled(bar, 2, color(i));
    }
    ui.painter().hline(plot.x_range(), super::snap(ui, plot.bottom()), t.hairline());
    for (share, label) in axis {
        let x = plot.left() + share * plot.width();
        let align = if *share <= 0.02 {
            Align2::LEFT_BOTTOM
        } else if *share >= 0.98 {
            Align2::RIGHT_BOTTOM
        } else {
            Align2::CENTER_BOTTOM
        };
        ui.painter().text(pos2(x, rect.bottom()), align, label, theme::regular(ui, 11.0), t.muted);
    }
}
