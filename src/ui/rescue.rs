//! What can be done for a data folder that is damaged: a dialog with each way out and what it keeps.

use egui::{Id, Modal, ScrollArea, Ui, vec2};

use super::state::State;
use super::text::{self, tr};
use super::theme::{self, tokens};
use super::widgets::{Button, Line, card_frame};
use super::{Command, Cx};

/// The dialog, when there is something to choose and nobody has put it off.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(rescue) = cx.view.rescue.filter(|_| state.rescue) else { return };
    let t = tokens(ui);
    let room = ui.ctx().content_rect().size() - vec2(80.0, 120.0);
    let modal = Modal::new(Id::unique("rescue")).frame(card_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((520.0 * theme::scale(ui)).min(room.x));
        ui.spacing_mut().item_spacing.y = 8.0;
        Line::new(tr().rescue).size(theme::size::TITLE).bold().show(ui);
        ScrollArea::vertical().max_height(room.y - 80.0).show(ui, |ui| {
            paragraph(ui, &text::damage(rescue), t.muted);
            paragraph(ui, tr().rescue_remark, t.text);
            if !rescue.saving {
                paragraph(ui, tr().rescue_unsaved, t.warn);
            }
            for (index, offer) in rescue.offers.iter().enumerate() {
                ui.add_space(4.0);
                let (label, remark) = text::offer(offer);
                let button = Button::new(&label);
                let button = if index == 0 { button.primary() } else { button };
                if button.show(ui).clicked() {
                    cx.send.push(Command::Recover(index));
                }
                paragraph(ui, &remark, t.muted);
            }
        });
        ui.add_space(4.0);
        Button::new(tr().not_now).show(ui).clicked()
    });
    state.rescue_put_off |= modal.inner || modal.should_close();
}

/// What the window shows while no program is behind it.
pub fn waiting_ui(ui: &mut Ui, text: &str) {
    ui.painter().rect_filled(ui.max_rect(), 0, tokens(ui).background);
    ui.centered_and_justified(|ui| ui.label(text));
}

/// A window with nothing but a line and a button that closes it; whether that was pressed.
pub fn message_ui(ui: &mut Ui, text: &str) -> bool {
    ui.painter().rect_filled(ui.max_rect(), 0, tokens(ui).background);
    let frame = egui::Frame::new().inner_margin(theme::space::PAGE);
    frame
        .show(ui, |ui| {
            paragraph(ui, &text::sentence(text), tokens(ui).text);
            ui.add_space(theme::space::GAP);
            let close = Button::new(tr().close).primary().show(ui).clicked();
            close || ui.input(|i| i.key_pressed(egui::Key::Enter) || i.key_pressed(egui::Key::Escape))
        })
        .inner
}

fn paragraph(ui: &mut Ui, text: &str, color: egui::Color32) {
    ui.add(egui::Label::new(egui::RichText::new(text).color(color)).wrap());
}
