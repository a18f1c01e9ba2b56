//! MIDI inputs and outputs: what is there, whether it is used, and what an output is used for.

use egui::{Rect, Role, Ui, pos2, vec2};

use crate::model::{OutputKeys, OutputUse};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::view::{JoinedPort, MidiPort, OutputPort};
use crate::ui::widgets::{Button, Line, card_ui};
use crate::ui::{Command, Cx};

/// The channel that lights keys when nobody says otherwise: the fourth, which several makers took.
const LIGHTS: u8 = 4;

/// The card of the inputs.
pub(super) fn inputs_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let ports = &cx.view.devices.midi;
    card_ui(ui, tr().midi_inputs, "", |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if let Some(port) = &cx.view.devices.midi_in {
            joined_ui(ui, port);
        }
        match &cx.view.devices.midi_in {
            _ if !ports.is_empty() => {}
            None => words_ui(ui, tr().no_midi),
            Some(port) if port.sources.is_empty() => words_ui(ui, tr().no_midi_jack),
            Some(_) => {}
        }
        for MidiPort { id, name, connected, enabled, messages } in ports {
            if port_ui(ui, (name, &text::use_port(name)), *connected, *enabled, *messages) {
                cx.send.push(Command::EnableMidi(id.clone(), !enabled));
            }
        }
    });
}

/// The card of the outputs.
pub(super) fn outputs_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let ports = &cx.view.devices.midi_out;
    card_ui(ui, tr().midi_outputs, "", |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if ports.is_empty() {
            words_ui(ui, tr().no_midi_out);
        }
        for port in ports {
            let usage = port.usage;
            let mut next = usage;
            let label = text::use_output(&port.name);
            if port_ui(ui, (&port.name, &label), port.connected, usage.enabled, port.messages) {
                next.enabled = !usage.enabled;
            }
            if usage.enabled {
                usage_ui(ui, port, &mut next);
            }
            if next != usage {
                cx.send.push(Command::UseOutput(port.id.clone(), next));
            }
        }
    });
}

fn words_ui(ui: &mut Ui, words: &str) {
    let words = egui::RichText::new(words).color(tokens(ui).muted).font(theme::regular(ui, 13.0));
    ui.add(egui::Label::new(words).wrap().selectable(false));
}

/// The input that anyone may be joined to, and who is; there is nothing to switch.
fn joined_ui(ui: &mut Ui, port: &JoinedPort) {
    let t = tokens(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 46.0 * theme::scale(ui)));
    let response = ui.interact(rect, ui.scope_id().with("midi_in"), egui::Sense::hover());
    let (name, state) = (tr().midi_in, text::joined(port));
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Label, true, text::of(name, &state)));
    let color = if port.sources.is_empty() { t.faint } else { t.good };
    ui.painter().circle_filled(pos2(rect.left() + 6.0, rect.center().y), 4.0, color);
    let (top, bottom) = rect.shrink2(vec2(0.0, 3.0)).with_min_x(rect.left() + 20.0).split_top_bottom_at_fraction(0.54);
    Line::new(name).paint(ui, top);
    Line::small(&state).color(t.muted).paint(ui, bottom);
    response.on_hover_text(tr().midi_in_tip);
}

/// A port, with the name of its switch, and its state; whether the switch was pressed.
fn port_ui(ui: &mut Ui, (name, label): (&str, &str), connected: bool, enabled: bool, messages: u64) -> bool {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 46.0 * scale));
    let chip = Button::new(label).shown(tr().use_port).chip().selected(enabled);
    let width = chip.width(ui);
    let place = Rect::from_center_size(pos2(rect.right() - width / 2.0, rect.center().y), vec2(width, space::CHIP));
    let pressed = chip.show_at(ui, place).clicked();
    let color = if connected { t.good } else { t.faint };
    ui.painter().circle_filled(pos2(rect.left() + 6.0, rect.center().y), 4.0, color);
    let inner =
        Rect::from_min_max(pos2(rect.left() + 20.0, rect.top() + 3.0), pos2(place.left() - 12.0, rect.bottom() - 3.0));
    let (top, bottom) = inner.split_top_bottom_at_fraction(0.54);
    Line::new(name).show_at(ui, top);
    let state = if connected { tr().connected } else { tr().away };
    let words = [state, &text::messages(messages)].join(text::DOT);
    Line::small(&words).color(t.muted).show_at(ui, bottom);
    pressed
}

/// What a used output is used for.
fn usage_ui(ui: &mut Ui, port: &OutputPort, next: &mut OutputUse) {
    let switch = |ui: &mut Ui, words: &str, tip: &str, on: &mut bool| {
        let label = text::of(&port.name, words);
        let chip = Button::new(&label).shown(words).chip().selected(*on).role(Role::Switch).tip(tip);
        if chip.show(ui).clicked() {
            *on = !*on;
        }
    };
    ui.add_space(2.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        switch(ui, tr().out_accompaniment, tr().out_accompaniment_tip, &mut next.accompaniment);
        if next.accompaniment {
            switch(ui, tr().out_alone, tr().out_alone_tip, &mut next.alone);
        }
        switch(ui, tr().out_clicks, tr().out_clicks_tip, &mut next.clicks);
        switch(ui, tr().out_through, tr().out_through_tip, &mut next.through);
        let mut lights = next.lights.is_some();
        switch(ui, &text::lights(next.lights), tr().out_lights_tip, &mut lights);
        next.lights = lights.then(|| next.lights.unwrap_or(LIGHTS));
        if let Some(channel) = &mut next.lights {
            let fewer = text::of(&port.name, tr().lights_lower);
            let more = text::of(&port.name, tr().lights_higher);
            if Button::new(&fewer).shown("−").chip().enabled(*channel > 1).show(ui).clicked() {
                *channel -= 1;
            }
            if Button::new(&more).shown("+").chip().enabled(*channel < 16).show(ui).clicked() {
                *channel += 1;
            }
        }
    });
    ui.add_space(8.0);
    Line::small(tr().out_keys).color(tokens(ui).muted).show(ui);
    ui.add_space(2.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        for keys in OutputKeys::ALL {
            let (shown, tip) = text::output_keys(keys);
            let label = text::of(&port.name, shown);
            let chip = Button::new(&label).shown(shown).chip().selected(keys == next.keys).role(Role::RadioButton);
            if chip.tip(tip).show(ui).clicked() {
                next.keys = keys;
            }
        }
    });
    ui.add_space(10.0);
}
