//! Files dropped onto the window.

use egui::{Align2, Id, LayerId, Order, Stroke, StrokeKind, Ui};

use super::state::State;
use super::{Command, Cx, icons, text, theme};

/// Opens the first file that was dropped, and shows where to drop while one hovers.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let dropped = ui.input(|i| i.raw.dropped_files.first().map(|f| f.path().to_owned()));
    if let Some(path) = dropped {
        state.browser = None;
        cx.send.push(Command::OpenFile(path));
    }
    if ui.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let t = theme::tokens(ui);
    let layer = LayerId::new(Order::Foreground, Id::unique("drop target"));
    let painter = ui.ctx().layer_painter(layer);
    let rect = ui.ctx().content_rect();
    painter.rect_filled(rect, 0, theme::fade(t.background, 0.86));
    let frame = rect.shrink(24.0);
    painter.rect_stroke(frame, theme::radius::CARD, Stroke::new(2.0, t.accent), StrokeKind::Inside);
    let center = frame.center();
    let up = egui::vec2(0.0, 28.0);
    painter.text(center - up, Align2::CENTER_CENTER, icons::UPLOAD, theme::icon_font(ui, 40.0), t.accent);
    painter.text(center + up, Align2::CENTER_CENTER, text::tr().drop_here, theme::semibold(ui, 17.0), t.text);
}
