//! The laboratory: break something, and watch it heal.

use egui::{Role, Ui, vec2};

use crate::ui::text::{self, tr};
use crate::ui::theme::{self, tokens};
use crate::ui::view::Failure;
use crate::ui::widgets::{Button, Line, card_ui};
use crate::ui::{Command, Cx};

/// A switch for each failure that lasts, and what goes wrong once.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = tr();
    let Some(lab) = cx.view.lab else { return };
    card_ui(ui, t.laboratory, "", |ui| {
        Line::small(t.laboratory_remark).color(tokens(ui).muted).show(ui);
        ui.add_space(8.0);
        for failure in Failure::ALL {
            let on = lab.is_on(failure);
            let (name, what) = text::failure(failure);
            let button = Button::new(name).shown(if on { t.on } else { t.off }).chip().selected(on).role(Role::Switch);
            if row_ui(ui, name, what, button) {
                cx.send.push(Command::Break(failure, !on));
            }
        }
        for (name, what, command) in [
            (t.panic_component, t.panic_component_what, Command::PanicComponent),
            (t.fill_lane, t.fill_lane_what, Command::FillLane),
        ] {
            if row_ui(ui, name, what, Button::new(name).shown(t.once).chip()) {
                cx.send.push(command);
            }
        }
    });
}

fn row_ui(ui: &mut Ui, name: &str, what: &str, button: Button<'_>) -> bool {
    let scale = theme::scale(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 38.0 * scale));
    let first = rect.with_max_x(rect.left() + 190.0 * scale);
    let last = rect.with_min_x(rect.right() - 76.0 * scale).shrink2(vec2(0.0, 4.0));
    Line::new(name).size(13.0).bold().paint(ui, first);
    let middle = rect.with_min_x(first.right() + 8.0).with_max_x(last.left() - 8.0);
    Line::new(what).size(13.0).color(tokens(ui).muted).show_at(ui, middle);
    button.show_at(ui, last).clicked()
}
