//! Bars as cells: the number, the share right, and a colour that says it again.

use egui::{Color32, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Line, focus_ring};
use crate::practice::Mode;
use crate::practice::result::BarResult;
use crate::ui::text;
use crate::ui::theme::{self, Tokens, tokens};

/// Good from 0.9, worth a look from 0.75, bad below.
pub fn share_color(t: &Tokens, share: f32) -> Color32 {
    if share >= 0.9 {
        t.good
    } else if share >= 0.75 {
        t.warn
    } else {
        t.bad
    }
}

/// Cells for bars practised in a mode, as many in a row as fit; answers the place in `bars` of the one that was pressed.
pub fn bar_cells_ui(ui: &mut Ui, bars: &[BarResult], mode: Mode) -> Option<usize> {
    let scale = theme::scale(ui);
    let (gap, least, height) = (5.0, 62.0 * scale, 38.0 * scale);
    let room = ui.available_width();
    let columns = (((room + gap) / (least + gap)).floor() as usize).clamp(1, 16);
    let width = (room - gap * (columns - 1) as f32) / columns as f32;
    let rows = bars.len().div_ceil(columns);
    let (_, area) = ui.allocate_space(vec2(room, rows as f32 * (height + gap)));
    let mut pressed = None;
    for (i, bar) in bars.iter().enumerate() {
        let at = vec2((i % columns) as f32 * (width + gap), (i / columns) as f32 * (height + gap));
        let rect = Rect::from_min_size(area.min + at, vec2(width, height));
        if ui.is_rect_visible(rect) && cell_ui(ui, rect, i, (bar, mode)) {
            pressed = Some(i);
        }
    }
    pressed
}

fn cell_ui(ui: &mut Ui, rect: Rect, index: usize, (bar, mode): (&BarResult, Mode)) -> bool {
    let t = tokens(ui);
    let share = bar.counts.accuracy().map(|s| s as f32);
    let color = share.map_or(t.faint, |s| share_color(t, s));
    let response = ui.interact(rect, ui.scope_id().with(("bar", index)), Sense::click());
    let words = text::bar_in_words(bar, mode);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let strength: f32 = if response.hovered() { 0.5 } else { 0.24 + (1.0 - share.unwrap_or(1.0)) * 0.3 };
    let fill = theme::mix(t.surface, color, strength.min(0.5));
    ui.painter().rect(rect, 6, fill, Stroke::new(1.0, theme::mix(t.surface, color, 0.7)), StrokeKind::Inside);
    let inner = rect.shrink2(vec2(8.0, 3.0));
    let (top, bottom) = inner.split_top_bottom_at_fraction(0.5);
    let again = bar.number.again().map(|time| format!(" · {time}")).unwrap_or_default();
    Line::small(&format!("{}{again}", bar.number.printed()))
        .size(11.0)
        .color(theme::mix(t.muted, t.text, 0.45))
        .paint(ui, top);
    let value = share.map_or_else(|| text::NONE.to_owned(), |s| format!("{:.0}", s * 100.0));
    Line::small(&value).paint(ui, Rect::from_min_max(pos2(bottom.left(), bottom.top() - 1.0), bottom.max));
    focus_ring(ui, &response, rect, 6);
    let clicked = response.clicked();
    response.on_hover_text(words);
    clicked
}
