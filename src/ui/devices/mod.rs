//! Devices: the way from the key to the ear, the sound card, the MIDI inputs, and what came last.

mod calibration;
mod path;
mod sound;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::shortcuts::{self, Action};
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::view::MidiPort;
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
            path::ui(ui, cx.view.devices);
            columns_ui(cx, ui);
            super::tuner::card(cx, ui);
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
            midi_ui(cx, ui);
            calibration::ui(cx, ui);
        } else {
            sound::ui(cx, ui);
        }
    });
}

fn midi_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = tokens(ui);
    let ports = &cx.view.devices.midi;
    card_ui(ui, tr().midi_inputs, "", |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if ports.is_empty() {
            let words = egui::RichText::new(tr().no_midi).color(t.muted).font(theme::regular(ui, 13.0));
            ui.add(egui::Label::new(words).wrap().selectable(false));
        }
        for port in ports {
            port_ui(cx, ui, port);
        }
    });
}

fn port_ui(cx: &mut Cx<'_>, ui: &mut Ui, port: &MidiPort) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 46.0 * scale));
    let label = text::use_port(&port.name);
    let chip = Button::new(&label).shown(tr().use_port).chip().selected(port.enabled);
    let width = chip.width(ui);
    let place = Rect::from_center_size(pos2(rect.right() - width / 2.0, rect.center().y), vec2(width, space::CHIP));
    if chip.show_at(ui, place).clicked() {
        cx.send.push(Command::EnableMidi(port.id.clone(), !port.enabled));
    }
    let color = if port.connected { t.good } else { t.faint };
    ui.painter().circle_filled(pos2(rect.left() + 6.0, rect.center().y), 4.0, color);
    let inner =
        Rect::from_min_max(pos2(rect.left() + 20.0, rect.top() + 3.0), pos2(place.left() - 12.0, rect.bottom() - 3.0));
    let (top, bottom) = inner.split_top_bottom_at_fraction(0.54);
    Line::new(&port.name).show_at(ui, top);
    let state = if port.connected { tr().connected } else { tr().away };
    let words = [state, &text::messages(port.messages)].join(text::DOT);
    Line::small(&words).color(t.muted).show_at(ui, bottom);
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
                    row.colored(ui, 1, &rows[i].port, t.muted);
                    row.text(ui, 2, &text::midi(&rows[i].message, names));
                },
            );
        });
    });
}
