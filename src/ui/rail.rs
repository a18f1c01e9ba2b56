//! The rail on the left: the screens that exist. Icons only where the window is narrow or the text large.

use egui::{Align2, Panel, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::state::{Screen, State};
use super::theme::{self, radius, size, space, tokens};
use super::widgets::{Line, focus_ring, snap};
use super::{icons, text};

const ABOVE: [Screen; 3] = [Screen::Library, Screen::Play, Screen::Takes];
const BELOW: [Screen; 3] = [Screen::Devices, Screen::Inspector, Screen::Settings];

fn name(screen: Screen) -> (&'static str, &'static str) {
    let t = text::tr();
    match screen {
        Screen::Library => (t.library, icons::BOOKS),
        Screen::Play => (t.play, icons::PIANO),
        Screen::Takes => (t.takes, icons::RECORD),
        Screen::Devices => (t.devices, icons::PLUGS),
        Screen::Inspector => (t.inspector, icons::PULSE),
        Screen::Settings => (t.settings, icons::GEAR),
        Screen::Results => (t.results, icons::CHART),
        Screen::Take => (t.take, icons::RECORD),
    }
}

/// The rail.
pub(super) fn ui(ui: &mut Ui, state: &mut State) {
    let t = tokens(ui);
    let frame = egui::Frame::new().fill(t.surface);
    let panel = Panel::left("rail").exact_size(space::RAIL).resizable(false).show_separator_line(false).frame(frame);
    panel.show(ui, |ui| {
        let rect = ui.max_rect();
        ui.painter().vline(snap(ui, rect.right() - 1.0), rect.y_range(), t.hairline());
        let labels = ui.ctx().content_rect().width() >= 1000.0 && labels_fit(ui);
        let step = if labels { 58.0 + (theme::scale(ui) - 1.0) * 12.0 } else { 52.0 };
        let mut y = rect.top() + 12.0;
        for screen in ABOVE {
            item_ui(ui, Rect::from_min_size(pos2(rect.left(), y), vec2(rect.width(), step)), screen, labels, state);
            y += step;
        }
        let mut y = (rect.bottom() - 12.0 - step * BELOW.len() as f32).max(y);
        for screen in BELOW {
            item_ui(ui, Rect::from_min_size(pos2(rect.left(), y), vec2(rect.width(), step)), screen, labels, state);
            y += step;
        }
    });
}

fn labels_fit(ui: &Ui) -> bool {
    ABOVE.iter().chain(&BELOW).all(|s| Line::small(name(*s).0).size(11.0).width(ui) <= space::RAIL - 8.0)
}

fn item_ui(ui: &mut Ui, rect: Rect, screen: Screen, labels: bool, state: &mut State) {
    let t = tokens(ui);
    let (label, icon) = name(screen);
    let tile = rect.shrink2(vec2(6.0, 2.0));
    let response = ui.interact(tile, ui.scope_id().with(("rail", label)), Sense::click());
    let belongs = matches!(state.screen, Screen::Results | Screen::Take) && screen == Screen::Takes;
    let chosen = state.screen == screen || belongs;
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, label));
    if chosen {
        ui.painter().rect_filled(tile, radius::CARD, t.raised);
    } else if response.hovered() {
        ui.painter().rect_filled(tile, radius::CARD, theme::fade(t.raised, 0.6));
    }
    let color = if chosen || response.hovered() { t.text } else { t.muted };
    let middle = if labels { tile.top() + tile.height() * 0.36 } else { tile.center().y };
    let font = theme::icon_font(ui, size::ICON + 2.0);
    ui.painter().text(pos2(tile.center().x, middle), Align2::CENTER_CENTER, icon, font, color);
    if labels {
        let place = Rect::from_min_max(pos2(tile.left(), tile.top() + tile.height() * 0.58), tile.max);
        Line::small(label).size(11.0).color(color).align(egui::Align::Center).paint(ui, place);
    }
    focus_ring(ui, &response, tile, radius::CARD);
    if response.clicked() {
        state.screen = screen;
    }
    if !labels {
        response.on_hover_text(label);
    }
}
