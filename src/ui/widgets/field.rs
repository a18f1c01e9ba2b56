//! A search field: round, with a magnifying glass.

use egui::{Align2, Frame, Rect, Response, StrokeKind, TextEdit, Ui, pos2};

use crate::ui::icons;
use crate::ui::theme::{self, radius, size, tokens};

/// A search field in `rect`, named `name`.
pub fn search_ui(ui: &mut Ui, rect: Rect, name: &str, hint: &str, text: &mut String) -> Response {
    let t = tokens(ui);
    ui.painter().rect(rect, radius::CHIP, t.background, t.hairline(), StrokeKind::Inside);
    let icon = size::ICON * theme::scale(ui);
    let center = pos2(rect.left() + 12.0 + icon / 2.0, rect.center().y);
    ui.painter().text(center, Align2::CENTER_CENTER, icons::SEARCH, theme::icon_font(ui, 16.0), t.muted);
    let row = ui.text_style_height(&egui::TextStyle::Body);
    let top = rect.center().y - row / 2.0;
    let inner = Rect::from_min_max(pos2(rect.left() + 20.0 + icon, top), pos2(rect.right() - 12.0, top + row));
    let hint = egui::RichText::new(hint).color(t.muted);
    let edit = TextEdit::singleline(text)
        .hint_text(hint)
        .frame(Frame::NONE)
        .margin(egui::Margin::ZERO)
        .desired_width(inner.width());
    let response = super::inside(ui, inner, name, |ui| ui.add(edit)).accessible_name(name);
    super::focus_ring(ui, &response, rect, radius::CHIP);
    response
}
