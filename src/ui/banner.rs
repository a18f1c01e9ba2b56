//! Banners: calm lines that say what a person must know, with a way out. They lie over the page under its top bar, so that
//! nothing moves when one comes or goes.

use egui::{Area, Id, Order, Rect, Role, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::view::{Banner, Level};
use super::widgets::{Button, Line};
use super::{Command, Cx, icons, text, theme};

/// At most so many at once; the first ones matter most.
const BANNERS_MAX: usize = 2;
/// From the edge of a banner to its icon, and between the banners.
const EDGE: f32 = 12.0;
const GAP: f32 = 6.0;

/// All banners, one under the other, over the page in `page`.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &Ui, page: Rect) {
    let scale = theme::scale(ui);
    let height = 40.0 + (scale - 1.0) * 16.0;
    let bar = theme::space::BAR + (scale - 1.0) * 20.0;
    let mut top = page.top() + bar + GAP;
    for banner in cx.view.banners.iter().take(BANNERS_MAX) {
        let room = page.width() - 2.0 * theme::space::PAGE;
        let width = width(ui, banner).min(room);
        let rect = Rect::from_min_size(pos2((page.center().x - width / 2.0).round(), top), vec2(width, height));
        // Over the page, under every dialog and menu.
        let area = Area::new(Id::unique(("banner", banner.id))).order(Order::Middle).fixed_pos(rect.min);
        area.constrain(false).fade_in(false).show(ui.ctx(), |ui| {
            ui.allocate_rect(rect, egui::Sense::hover());
            banner_ui(cx, ui, banner, rect);
        });
        top = rect.bottom() + GAP;
    }
}

/// How wide it would like to be.
fn width(ui: &Ui, banner: &Banner) -> f32 {
    let actions: f32 = banner.actions.iter().map(|(label, _)| Button::new(label).chip().width(ui) + 8.0).sum();
    let words = Line::new(&text::sentence(&banner.text)).width(ui).ceil() + 2.0;
    2.0 * EDGE + 26.0 + words + 12.0 + actions + 30.0
}

fn banner_ui(cx: &mut Cx<'_>, ui: &mut Ui, banner: &Banner, rect: Rect) {
    let t = theme::tokens(ui);
    let (color, icon) = match banner.level {
        Level::Info => (t.accent_text, icons::INFO),
        Level::Warn => (t.warn, icons::WARNING),
        Level::Bad => (t.bad, icons::WARNING),
    };
    let edge = egui::Stroke::new(1.0, theme::mix(t.line, color, 0.5));
    ui.painter().rect(rect, theme::radius::CARD, theme::mix(t.raised, color, 0.1), edge, StrokeKind::Inside);
    let at = pos2(rect.left() + EDGE + 9.0, rect.center().y);
    ui.painter().text(at, egui::Align2::CENTER_CENTER, icon, theme::icon_font(ui, 18.0), color);
    let mut right = rect.right() - EDGE / 2.0;
    let close = Rect::from_center_size(pos2(right - 15.0, rect.center().y), vec2(30.0, 30.0));
    if Button::icon_only(text::tr().dismiss, icons::CLOSE).quiet().show_at(ui, close).clicked() {
        cx.send.push(Command::DismissBanner(banner.id));
    }
    right = close.left() - 8.0;
    for (label, command) in banner.actions.iter().rev() {
        let button = Button::new(label).chip();
        let width = button.width(ui);
        let place = Rect::from_center_size(pos2(right - width / 2.0, rect.center().y), vec2(width, 30.0));
        if button.show_at(ui, place).clicked() {
            cx.send.push(command.clone());
            // What it told was taken up.
            if banner.level == Level::Info {
                cx.send.push(Command::DismissBanner(banner.id));
            }
        }
        right = place.left() - 8.0;
    }
    let line = Rect::from_min_max(pos2(at.x + 17.0, rect.top()), pos2(right, rect.bottom()));
    let words = text::sentence(&banner.text);
    let response = Line::new(&words).show_at(ui, line);
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &words));
}
