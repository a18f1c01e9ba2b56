//! The sound device: which one, how it runs, and what another buffer would mean.

use egui::{Ui, vec2};

use crate::ui::text::{self, tr};
use crate::ui::theme::tokens;
use crate::ui::view::{AudioState, AudioView, Devices};
use crate::ui::widgets::{Button, Line, card_ui, fact_ui, loads_ui};
use crate::ui::{Command, Cx, Setting};

/// Periods one can choose: powers of two, which every driver takes.
const PERIODS: [u32; 6] = [64, 128, 256, 512, 1_024, 2_048];

/// The card.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let audio = &cx.view.devices.audio;
    card_ui(ui, tr().sound, "", |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        facts_ui(ui, cx.view.devices);
        if audio.rate > 0 {
            ui.add_space(8.0);
            Line::small(tr().callback_time).color(tokens(ui).muted).show(ui);
            loads_ui(ui, &audio.callback, 96.0);
        }
        ui.add_space(10.0);
        outputs_ui(cx, ui, audio);
        periods_ui(cx, ui, audio);
    });
}

fn facts_ui(ui: &mut Ui, devices: &Devices) {
    let audio = &devices.audio;
    let of_driver = devices.midi_in.as_ref().is_some_and(|port| port.messages > 0);
    let t = tokens(ui);
    let (state, color) = match audio.state {
        AudioState::Running => (audio.device.clone(), t.text),
        AudioState::Silent => (tr().silent.to_owned(), t.warn),
        AudioState::Retrying => (tr().retrying.to_owned(), t.warn),
    };
    fact_ui(ui, tr().device, &state, color);
    if audio.rate == 0 {
        return;
    }
    fact_ui(ui, tr().rate, &text::rate_measured(audio), t.text);
    fact_ui(ui, tr().period, &text::period(audio.period, audio.rate), t.text);
    fact_ui(ui, tr().load, &text::load(audio.load), if audio.load > 0.7 { t.warn } else { t.text });
    fact_ui(ui, tr().punctuality, &text::jitter(audio.parts.jitter), t.text);
    fact_ui(ui, tr().key_wait, &text::key_wait(audio.parts.input, of_driver), t.text);
    fact_ui(ui, tr().xruns, &text::count(audio.xruns), if audio.xruns > 0 { t.warn } else { t.text });
    if audio.midi_lost > 0 {
        fact_ui(ui, tr().midi_lost, &text::count(audio.midi_lost), t.warn);
    }
}

/// Backends and devices.
fn outputs_ui(cx: &mut Cx<'_>, ui: &mut Ui, audio: &AudioView) {
    let muted = tokens(ui).muted;
    Line::small(tr().driver).color(muted).show(ui);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        for backend in &audio.backends {
            let label = text::use_backend(backend);
            let chip = Button::new(&label).shown(backend).chip().selected(*backend == audio.backend);
            if chip.show(ui).clicked() && *backend != audio.backend {
                cx.send.push(Command::SetBackend(backend.clone()));
            }
        }
    });
    ui.add_space(10.0);
    Line::small(tr().play_through).color(muted).show(ui);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        for output in &audio.outputs {
            let label = text::use_backend(&output.name);
            let chip = Button::new(&label).shown(&output.name).chip().selected(output.chosen);
            if chip.show(ui).clicked() && !output.chosen {
                let device = (!output.default).then(|| output.id.clone());
                cx.send.push(Command::Set(Setting::OutputDevice(device)));
            }
        }
        let look = if audio.looking { tr().looking } else { tr().look_again };
        if Button::new(look).chip().enabled(!audio.looking).show(ui).clicked() {
            cx.send.push(Command::LookForDevices);
        }
    });
    ui.add_space(10.0);
}

fn periods_ui(cx: &mut Cx<'_>, ui: &mut Ui, audio: &AudioView) {
    if audio.rate == 0 {
        return;
    }
    let t = tokens(ui);
    Line::small(tr().buffer).color(t.muted).show(ui);
    ui.add_space(4.0);
    if audio.backend == "jack" {
        Line::new(tr().buffer_of_jack).size(13.0).color(t.muted).show(ui);
        return;
    }
    let wanted = cx.view.settings.period;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        for frames in PERIODS {
            let label = text::period_of(frames);
            let (shown, tip) = (text::count(u64::from(frames)), text::period_consequence(audio, frames));
            let chip = Button::new(&label).shown(&shown).chip().selected(frames == wanted);
            if chip.role(egui::Role::RadioButton).tip(&tip).show(ui).clicked() && frames != wanted {
                cx.send.push(Command::Set(Setting::Period(frames)));
            }
        }
    });
    ui.add_space(6.0);
    let words = egui::RichText::new(text::period_consequence(audio, wanted));
    let words = words.color(t.muted).font(crate::ui::theme::regular(ui, 12.0));
    ui.add(egui::Label::new(words).wrap().selectable(false));
}
