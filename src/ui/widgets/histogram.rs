//! A histogram of numbers around zero, and one of counts from left to right.

use egui::{Align2, Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::text;
use crate::ui::theme::{self, tokens};

/// Counts in `n` bins of equal width over `-reach..=reach`; what lies outside goes into the outermost.
pub fn bins(values: &[f32], reach: f32, n: usize) -> Vec<u32> {
    let mut bins = vec![0; n.max(1)];
    for value in values.iter().filter(|v| v.is_finite()) {
        let at = ((value + reach) / (2.0 * reach) * n as f32).floor().clamp(0.0, n.max(1) as f32 - 1.0);
        bins[at as usize] += 1;
    }
    bins
}

/// Bars from left to right, `colors` one each, with labels under the axis at shares of its width.
pub fn histogram_ui(ui: &mut Ui, rect: Rect, name: &str, counts: &[u32], color: impl Fn(usize) -> Color32, axis: &[(f32, String)]) {
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

#[cfg(test)]
mod tests {
    use super::bins;

    #[test]
    fn values_fall_into_their_bins_and_strays_into_the_outermost() {
        assert_eq!(bins(&[-999.0, -10.0, 0.0, 5.0, 999.0, f32::NAN], 10.0, 4), [2, 0, 1, 2]);
        assert_eq!(bins(&[], 10.0, 2), [0, 0]);
    }
}
