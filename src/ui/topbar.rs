//! The top bar: title and context on the left, something in the middle, the state of the sound on the right.

use egui::{Align, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::state::{Screen, State};
use super::text;
use super::theme::{self, space, tokens};
use super::view::{AudioState, AudioView};
use super::widgets::{Line, snap};

/// A title gets at least this share of a top bar.
pub(super) const TITLE_SHARE: f32 = 0.16;

/// What is left of a top bar after its title and its chip.
pub(super) struct TopBar {
    /// The whole bar.
    pub rect: Rect,
    /// Room for what stands in the middle or at the right.
    pub room: Rect,
}

/// Takes the height of a bar and draws a title with a line of context. `reserve` points at the right stay free.
pub(super) fn ui(ui: &mut Ui, title: &str, context: &str, reserve: f32) -> TopBar {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let height = space::BAR + (scale - 1.0) * 20.0;
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    ui.painter().rect_filled(rect, 0, t.background);
    ui.painter().hline(rect.x_range(), snap(ui, rect.bottom() - 1.0), t.hairline());
    let inner = rect.shrink2(vec2(space::PAGE, 0.0));
    let head = Line::new(title).size(theme::size::TITLE).bold();
    let sub = Line::small(context).color(t.muted);
    let wanted = head.width(ui).max(sub.width(ui)).ceil() + 2.0;
    let most = (inner.width() - reserve).max(inner.width() * TITLE_SHARE);
    let width = wanted.min(most);
    let top = 24.0 * scale;
    let both = top + if context.is_empty() { 0.0 } else { 17.0 * scale };
    let y = rect.center().y - both / 2.0;
    head.show_at(ui, Rect::from_min_size(pos2(inner.left(), y), vec2(width, top)));
    if !context.is_empty() {
        sub.show_at(ui, Rect::from_min_size(pos2(inner.left(), y + top - 1.0), vec2(width, 18.0 * scale)));
    }
    let room = Rect::from_min_max(pos2(inner.left() + width + 16.0, rect.top()), pos2(inner.right(), rect.bottom()));
    TopBar { rect, room }
}

/// The width of the chip that tells the state of the sound within `room`; without room the name gives way.
pub(super) fn audio_chip_width(ui: &Ui, audio: &AudioView, room: f32) -> f32 {
    let (name, delay) = text::audio_chip(audio);
    let delay = if delay.is_empty() { 0.0 } else { Line::small(&delay).width(ui).ceil() + 8.0 };
    let full = Line::small(&name).width(ui).ceil() + delay + 36.0;
    if full <= room || delay == 0.0 { full.min(room) } else { delay + 28.0 }
}

/// The chip that tells the state of the sound, at the right of `room`; it leads to the devices.
pub(super) fn audio_chip_ui(ui: &mut Ui, room: Rect, audio: &AudioView, state: &mut State) {
    let t = tokens(ui);
    let (name, delay) = text::audio_chip(audio);
    let width = audio_chip_width(ui, audio, room.width());
    if width < 30.0 {
        return;
    }
    let rect = Rect::from_center_size(pos2(room.right() - width / 2.0, room.center().y), vec2(width, space::CHIP));
    let response = ui.interact(rect, ui.scope_id().with("audio chip"), Sense::click());
    let words = if delay.is_empty() { name.clone() } else { format!("{name}, {delay}") };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let fill = if response.hovered() { t.raised } else { t.surface };
    ui.painter().rect(rect, theme::radius::CHIP, fill, t.hairline(), egui::StrokeKind::Inside);
    let color = match audio.state {
        AudioState::Running => t.good,
        AudioState::Silent | AudioState::Retrying => t.warn,
    };
    ui.painter().circle_filled(pos2(rect.left() + 16.0, rect.center().y), 4.0, color);
    let inner = Rect::from_min_max(pos2(rect.left() + 26.0, rect.top()), pos2(rect.right() - 10.0, rect.bottom()));
    let delay_line = Line::small(&delay).color(t.muted).align(Align::Max);
    let delay_width = if delay.is_empty() { 0.0 } else { delay_line.width(ui).ceil() + 8.0 };
    let name_room = inner.with_max_x((inner.right() - delay_width).max(inner.left()));
    if name_room.width() > 24.0 {
        Line::small(&name).paint(ui, name_room);
    }
    delay_line.paint(ui, inner);
    super::widgets::focus_ring(ui, &response, rect, theme::radius::CHIP);
    if response.clicked() {
        state.screen = Screen::Devices;
    }
    response.on_hover_text(words);
}
