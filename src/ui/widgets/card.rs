//! Cards: a surface with a hairline, a panel behind a button, a number with its plain word, an empty place with one thing
//! to do.

use egui::{
    Align, Color32, Frame, Margin, Popup, PopupCloseBehavior, Rect, Response, Role, StrokeKind, Ui, UiBuilder, pos2,
    vec2,
};

use super::{Button, Line};
use crate::ui::text::tr;
use crate::ui::theme::{self, radius, size, space, tokens};

/// The look of a card.
pub fn card_frame(ui: &Ui) -> Frame {
    let t = tokens(ui);
    Frame::new()
        .fill(t.surface)
        .stroke(t.hairline())
        .corner_radius(radius::CARD)
        .inner_margin(Margin::same(space::CARD as i8))
}

/// The margin of a screen's contents.
pub fn page_frame() -> Frame {
    let side = space::PAGE as i8;
    Frame::new().inner_margin(Margin { left: side, right: side, top: 16, bottom: 16 })
}

/// A card as wide as there is room, with a title, a remark at its right, and contents.
pub fn card_ui<R>(ui: &mut Ui, title: &str, remark: &str, contents: impl FnOnce(&mut Ui) -> R) -> R {
    card_frame(ui)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            if !title.is_empty() {
                title_ui(ui, title, remark);
            }
            contents(ui)
        })
        .inner
}

/// A card over the page behind a button, so many points wide at the usual size of text, open until one presses beside it.
pub fn panel_ui(ui: &Ui, button: &Response, width: f32, contents: impl FnOnce(&mut Ui)) {
    let width = width * theme::scale(ui);
    let popup = Popup::from_toggle_button_response(button).frame(card_frame(ui));
    popup.close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(width);
        contents(ui);
    });
}

/// A line with a switch at its right, which has a name of its own for screen readers; whether it was pressed.
pub fn switch_row_ui(ui: &mut Ui, line: Line<'_>, name: &str, on: bool) -> bool {
    ui.horizontal(|ui| {
        let words = if on { tr().on } else { tr().off };
        let switch = Button::new(name).shown(words).chip().selected(on).role(Role::Switch);
        let width = ui.available_width() - switch.width(ui) - 8.0;
        let (_, rect) = ui.allocate_space(vec2(width, space::CHIP));
        line.paint(ui, rect);
        switch.show(ui).clicked()
    })
    .inner
}

fn title_ui(ui: &mut Ui, title: &str, remark: &str) {
    let t = tokens(ui);
    let height = 22.0 * theme::scale(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    let head = Line::new(title).size(13.0).bold().color(t.muted);
    let split = (rect.left() + head.width(ui) + 16.0).min(rect.right());
    head.show_at(ui, Rect::from_min_max(rect.min, pos2(split, rect.bottom())));
    if !remark.is_empty() && split + 24.0 < rect.right() {
        let place = Rect::from_min_max(pos2(split, rect.top()), rect.max);
        Line::small(remark).color(t.muted).align(Align::Max).show_at(ui, place);
    }
}

/// A large number, the plain word for it, and what it rests on.
fn number_card_ui(ui: &mut Ui, rect: Rect, number: &str, word: &str, basis: &str) {
    let t = tokens(ui);
    ui.painter().rect(rect, radius::CARD, t.surface, t.hairline(), StrokeKind::Inside);
    let scale = theme::scale(ui);
    let inner = rect.shrink2(vec2(space::CARD, 12.0));
    let heights = [34.0 * scale, 22.0 * scale, 18.0 * scale];
    let lines =
        [Line::new(number).size(size::NUMBER).bold(), Line::new(word).color(t.text), Line::small(basis).color(t.muted)];
    let mut y = inner.center().y - heights.iter().sum::<f32>() / 2.0;
    for (line, height) in lines.iter().zip(heights) {
        line.show_at(ui, Rect::from_min_size(pos2(inner.left(), y), vec2(inner.width(), height)));
        y += height;
    }
}

/// Cards with a large number each, four in a row where there is room for them, else two.
pub fn number_cards_ui(ui: &mut Ui, cards: &[(String, String, String)]) {
    let scale = theme::scale(ui);
    let room = ui.available_width();
    let columns = if room >= 900.0 * scale { 4 } else { 2 };
    let width = (room - space::GAP * (columns - 1) as f32) / columns as f32;
    let height = 100.0 * scale;
    let rows = cards.len().div_ceil(columns);
    let (_, area) = ui.allocate_space(vec2(room, rows as f32 * (height + space::GAP) - space::GAP));
    for (i, (number, word, basis)) in cards.iter().enumerate() {
        let at = vec2((i % columns) as f32 * (width + space::GAP), (i / columns) as f32 * (height + space::GAP));
        number_card_ui(ui, Rect::from_min_size(area.min + at, vec2(width, height)), number, word, basis);
    }
}

/// Two columns side by side, the right one so wide; one under the other where the window is narrow. `contents` is told
/// whether it draws the right one.
pub fn pair_ui(ui: &mut Ui, right: f32, mut contents: impl FnMut(&mut Ui, bool)) {
    let room = ui.available_width();
    if room < 860.0 * theme::scale(ui) {
        contents(ui, false);
        contents(ui, true);
        return;
    }
    let top = ui.cursor().min;
    let split = top.x + room - right;
    let mut bottom = top.y;
    for (is_right, sides) in [(false, top.x..=split - space::GAP), (true, split..=top.x + room)] {
        let rect = Rect::from_x_y_ranges(sides, top.y..=f32::INFINITY);
        let mut column = ui.new_child(UiBuilder::new().max_rect(rect).id_salt(("pair", is_right)));
        contents(&mut column, is_right);
        bottom = bottom.max(column.min_rect().bottom());
    }
    ui.allocate_space(vec2(room, bottom - top.y));
}

/// A name at the left and its value beside it.
pub fn fact_ui(ui: &mut Ui, name: &str, value: &str, color: Color32) {
    let scale = theme::scale(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 24.0 * scale));
    let split = rect.left() + (110.0 * scale).min(rect.width() * 0.4);
    Line::new(name).size(13.0).color(tokens(ui).muted).show_at(ui, rect.with_max_x(split - 8.0));
    Line::new(value).size(13.0).color(color).show_at(ui, rect.with_min_x(split));
}

/// An empty place: one line that says what to do next, and one button that does it. True when it was pressed.
pub fn empty_ui(ui: &mut Ui, icon: &str, line: &str, button: Option<&str>) -> bool {
    let t = tokens(ui);
    let mut pressed = false;
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.28).clamp(24.0, 180.0));
        let (_, rect) = ui.allocate_space(vec2(48.0, 48.0));
        let font = theme::icon_font(ui, 40.0);
        ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, icon, font, t.faint);
        ui.add_space(4.0);
        let text = egui::RichText::new(line).color(t.muted).font(theme::regular(ui, size::BODY));
        ui.add(egui::Label::new(text).wrap().selectable(false));
        ui.add_space(8.0);
        if let Some(button) = button {
            pressed = Button::new(button).primary().show(ui).clicked();
        }
    });
    pressed
}
