//! How late the devices are: what is known, and how to measure it.

use egui::{Ui, vec2};

use crate::ui::text::{self, tr};
use crate::ui::theme::{self, tokens};
use crate::ui::view::CalibrationStand;
use crate::ui::widgets::{Button, card_ui, fact_ui};
use crate::ui::{Command, Cx};

/// The card.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = tokens(ui);
    let audio = &cx.view.devices.audio;
    let known = &audio.calibration;
    card_ui(ui, tr().calibration, "", |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let driver = Some(text::delay(audio.parts.reported));
        let ways = [
            (tr().by_tapping, known.tapped.map(text::offset)),
            (tr().by_loopback, known.loopback.map(text::offset)),
            (tr().by_driver, driver),
        ];
        // The first that is known.
        let counts = ways.iter().position(|(_, value)| value.is_some());
        for (index, (name, value)) in ways.iter().enumerate() {
            let value = value.as_deref().unwrap_or(tr().not_measured);
            let (words, color) = match counts == Some(index) {
                true => ([value, tr().counts].join(text::DOT), t.text),
                false => (value.to_owned(), t.muted),
            };
            fact_ui(ui, name, &words, color);
        }
        ui.add_space(6.0);
        let (words, color) = match &known.stand {
            CalibrationStand::Idle => (tr().tap_help.to_owned(), t.muted),
            CalibrationStand::Tapping { done, of } => (text::tapping(*done, *of), t.accent_text),
            CalibrationStand::Listening(done) => (text::listening(*done), t.accent_text),
            CalibrationStand::Done(offset) => (text::tapped(*offset), t.good),
            CalibrationStand::Heard(heard) => (text::heard_after(*heard), t.good),
            CalibrationStand::Failed(reason) => (text::loopback_failed(reason), t.warn),
            CalibrationStand::Scattered => (tr().tap_scattered.to_owned(), t.warn),
            CalibrationStand::Nobody => (tr().tap_nobody.to_owned(), t.warn),
        };
        let words = egui::RichText::new(words).color(color).font(theme::regular(ui, 13.0));
        ui.add(egui::Label::new(words).wrap().selectable(false));
        ui.add_space(10.0);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
            let tapping = matches!(known.stand, CalibrationStand::Tapping { .. });
            let label = if tapping { tr().stop_tapping } else { tr().start_tapping };
            if Button::new(label).show(ui).clicked() {
                cx.send.push(Command::TapAlong(!tapping));
            }
            let listening = matches!(known.stand, CalibrationStand::Listening(_));
            let label = if listening { tr().stop_loopback } else { tr().start_loopback };
            if Button::new(label).tip(tr().loopback_help).show(ui).clicked() {
                cx.send.push(Command::LoopBack(!listening));
            }
            let any = known.tapped.or(known.loopback).is_some();
            if any && Button::new(tr().forget_calibration).show(ui).clicked() {
                cx.send.push(Command::ForgetCalibration);
            }
        });
    });
}
