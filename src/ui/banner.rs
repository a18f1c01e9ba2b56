//! Banners: calm lines that say what a person must know, with a way out.

use egui::{Align2, Rect, Role, Ui, WidgetInfo, pos2, vec2};

use super::view::Level;
use super::widgets::{Button, Line, inside};
use super::{Command, Cx, icons, text, theme};

/// At most so many at once; the first ones matter most.
const BANNERS_MAX: usize = 2;

/// All banners, one under the other.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = theme::tokens(ui);
    let height = 40.0 + (theme::scale(ui) - 1.0) * 16.0;
    for banner in cx.view.banners.iter().take(BANNERS_MAX) {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
        let (color, icon) = match banner.level {
            Level::Info => (t.accent_text, icons::INFO),
            Level::Warn => (t.warn, icons::WARNING),
            Level::Bad => (t.bad, icons::WARNING),
        };
        ui.painter().rect_filled(rect, 0, theme::mix(t.surface, color, 0.1));
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, t.hairline());
        let at = pos2(rect.left() + theme::space::PAGE + 8.0, rect.center().y);
        ui.painter().text(at, Align2::CENTER_CENTER, icon, theme::icon_font(ui, 18.0), color);
        inside(ui, rect, ("banner", banner.id), |ui| {
            let mut right = rect.right() - 12.0;
            let close = Rect::from_center_size(pos2(right - 15.0, rect.center().y), vec2(30.0, 30.0));
            if Button::icon_only(text::tr().dismiss, icons::CLOSE).quiet().show_at(ui, close).clicked() {
                cx.send.push(Command::DismissBanner(banner.id));
            }
            right = close.left() - 8.0;
            if let Some((label, command)) = &banner.action {
                let button = Button::new(label).chip();
                let width = button.width(ui);
                let place = Rect::from_center_size(pos2(right - width / 2.0, rect.center().y), vec2(width, 30.0));
                if button.show_at(ui, place).clicked() {
                    cx.send.push(command.clone());
                }
                right = place.left() - 8.0;
            }
            let line = Rect::from_min_max(pos2(at.x + 18.0, rect.top()), pos2(right, rect.bottom()));
            let words = text::sentence(&banner.text);
            let response = Line::new(&words).show_at(ui, line);
            response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &words));
        });
    }
}
