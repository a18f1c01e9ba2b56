//! How *Wait for me* waits, in the transport: a chip, and the panel behind it.

use egui::{Rect, Role, Ui};

use crate::practice::{ChordWindow, PracticeSettings};
use crate::ui::text::{self, tr};
use crate::ui::theme::tokens;
use crate::ui::widgets::{Button, Line, panel_ui, remark_ui, switch_row_ui};
use crate::ui::{Command, Cx, icons};

/// The panel's width in points.
const WIDTH: f32 = 344.0;

/// The chip; lit where something is not as it is at first.
pub(super) fn chip(chosen: &PracticeSettings) -> Button<'static> {
    let chip = Button::new(tr().waiting_options).icon(icons::HOURGLASS).chip().hide_label(true);
    chip.selected(chosen.waiting() != PracticeSettings::default().waiting()).tip(tr().waiting_tip)
}

/// The chip in its place, and the panel while it is open.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, rect: Rect) {
    let chosen = cx.view.play.transport.chosen;
    let response = chip(&chosen).show_at(ui, rect);
    panel_ui(ui, &response, WIDTH, |ui| rules_ui(cx, ui, &chosen));
}

fn rules_ui(cx: &mut Cx<'_>, ui: &mut Ui, chosen: &PracticeSettings) {
    ui.spacing_mut().item_spacing.y = 6.0;
    Line::new(tr().waiting_options).bold().show(ui);
    Line::small(tr().chords_within).color(tokens(ui).muted).show(ui);
    ui.horizontal_wrapped(|ui| {
        for window in ChordWindow::ALL {
            let (words, tip) = text::chord_window(window);
            let label = text::of(tr().chords_within, &words);
            let chip = Button::new(&label).shown(&words).chip().selected(window == chosen.chord_window);
            if chip.role(Role::RadioButton).tip(&tip).show(ui).clicked() {
                cx.send.push(Command::SetChordWindow(window));
            }
        }
    });
    if rule_ui(ui, tr().any_key, tr().any_key_remark, chosen.any_note) {
        cx.send.push(Command::SetAnyNote(!chosen.any_note));
    }
    if rule_ui(ui, tr().go_on_wrong, tr().go_on_wrong_remark, chosen.go_on_after_error) {
        cx.send.push(Command::SetGoOn(!chosen.go_on_after_error));
    }
}

/// A switch with what it does; whether it was pressed.
fn rule_ui(ui: &mut Ui, name: &str, remark: &str, on: bool) -> bool {
    ui.add_space(4.0);
    let pressed = switch_row_ui(ui, Line::new(name).size(13.0), name, on);
    remark_ui(ui, remark);
    pressed
}
