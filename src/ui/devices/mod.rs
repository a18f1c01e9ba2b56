//! Devices: the way from the key to the ear, the sound card, the MIDI inputs, and what came last.

mod calibration;
mod midi;
mod path;
mod sound;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::shortcuts::{self, Action};
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::widgets::{Button, Column, Line, card_ui, inside, page_frame, pair_ui, table_ui};
use super::{Command, Cx, topbar};

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let button = Button::new(tr().test_tone).primary();
    let width = button.width(ui);
    let panic_tip = text::with_shortcut(tr().panic, &shortcuts::shown(ui.ctx(), Action::Panic));
    let panic = Button::new(tr().panic).tip(&panic_tip);
    let panic_width = panic.width(ui);
    let bar = topbar::ui(ui, tr().devices, "", width + panic_width + space::GAP + 16.0);
    let place = Rect::from_min_size(
        pos2(bar.room.right() - width, bar.rect.center().y - space::CONTROL / 2.0),
        vec2(width, space::CONTROL),
    );
    if button.show_at(ui, place).clicked() {
        cx.send.push(Command::TestTone);
    }
    let place = Rect::from_min_size(
        pos2(place.left() - space::GAP - panic_width, place.top()),
        vec2(panic_width, space::CONTROL),
    );
    if panic.show_at(ui, place).clicked() {
        cx.send.push(Command::Panic);
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        page_frame().show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::GAP;
            left_out_ui(cx, ui);
            path::ui(ui, cx.view.devices);
            columns_ui(cx, ui);
            monitor_ui(cx, ui);
        });
    });
}

/// Sound and MIDI side by side, or one under the other where the window is narrow.
fn columns_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let half = (ui.available_width() - space::GAP) / 2.0;
    pair_ui(ui, half, |ui, right| {
        ui.spacing_mut().item_spacing.y = space::GAP;
        if right {
            midi::inputs_ui(cx, ui);
            midi::outputs_ui(cx, ui);
            calibration::ui(cx, ui);
        } else {
            sound::ui(cx, ui);
            super::tuner::card(cx, ui);
        }
    });
}

/// What was not opened because the program once ended while it opened it.
fn left_out_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let left_out = &cx.view.devices.left_out;
    if left_out.is_empty() {
        return;
    }
    card_ui(ui, tr().left_out, "", |ui| {
        let words = egui::RichText::new(text::left_out(left_out)).font(theme::regular(ui, 13.0));
        ui.add(egui::Label::new(words.color(tokens(ui).text)).wrap().selectable(false));
        ui.add_space(8.0);
        if Button::new(tr().open_left_out).show(ui).clicked() {
            cx.send.push(Command::OpenLeftOut);
        }
    });
}

fn monitor_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = tokens(ui);
    let rows = &cx.view.devices.monitor;
    let names = cx.view.settings.names;
    card_ui(ui, tr().monitor, "", |ui| {
        if rows.is_empty() {
            Line::new(tr().monitor_empty).size(13.0).color(t.muted).show(ui);
            return;
        }
        let columns = [
            Column::new(tr().time, 92.0),
            Column::new("", 30.0),
            Column::new(tr().port, 120.0).grow(0.5).spare(1),
            Column::new(tr().message, 160.0).grow(1.0),
        ];
        let height = 340.0_f32.min(theme::scale(ui) * 34.0 * (rows.len() + 1) as f32);
        let (_, area) = ui.allocate_space(vec2(ui.available_width(), height));
        inside(ui, area, "monitor", |ui| {
            table_ui(
                ui,
                "monitor",
                &columns,
                rows.len(),
                |_| None,
                |ui, i, row| {
                    row.colored(ui, 0, &text::clock(rows[i].at), t.muted);
                    row.colored(ui, 1, if rows[i].sent { tr().sent } else { tr().received }, t.faint);
                    row.colored(ui, 2, &rows[i].port, t.muted);
                    row.text(ui, 3, &text::midi(&rows[i].message, names));
                },
            );
        });
    });
}
