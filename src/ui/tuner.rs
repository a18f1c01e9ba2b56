//! The microphone's card: the switch, the tuner with its needle, and the level.

use egui::{Align, Color32, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::text::{self, tr};
use super::theme::{self, Tokens, fade, size, space, tokens};
use super::view::{Microphone, NoteNames, Tuner};
use super::widgets::{Button, Line, card_ui, fact_ui};
use super::{Command, Cx};
use crate::model::Setting;

/// Cents on either side of the middle.
const REACH: f32 = 50.0;
/// Within so many cents a note is in tune for most ears.
const IN_TUNE: f64 = 5.0;
/// Marks at these cents on either side.
const MARKS: [f32; 3] = [5.0, 20.0, 50.0];
/// The quietest level shown, in dBFS.
const LEVEL_MIN: f32 = -60.0;

/// The card.
pub(super) fn card(cx: &mut Cx<'_>, ui: &mut Ui) {
    let microphone = &cx.view.devices.microphone;
    let names = cx.view.settings.names;
    let t = tokens(ui);
    card_ui(ui, tr().microphone, "", |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        let label = if microphone.on { tr().microphone_off } else { tr().microphone_on };
        let button = Button::new(label).chip().selected(microphone.on);
        if button.show(ui).clicked() {
            cx.send.push(Command::Listen(!microphone.on));
        }
        ui.add_space(4.0);
        if microphone.on {
            choices_ui(cx, ui, microphone);
        }
        match (&microphone.fault, &microphone.device) {
            (Some(fault), _) => fact_ui(ui, tr().device, fault, t.warn),
            (None, Some(device)) => fact_ui(ui, tr().device, device, t.text),
            (None, None) => words(ui, if microphone.on { tr().no_microphone } else { tr().microphone_line }),
        }
        if microphone.device.is_some() {
            tuner_ui(ui, microphone, names);
            level_ui(ui, microphone.level);
            if !microphone.unsure.is_empty() {
                words(ui, &text::unsure(&microphone.unsure, names));
            }
            if microphone.lost > 0 {
                fact_ui(ui, tr().missed_frames, &text::count(microphone.lost), t.warn);
            }
            if microphone.lost_notes > 0 {
                fact_ui(ui, tr().missed_notes, &text::count(microphone.lost_notes), t.warn);
            }
            let plays = cx.view.settings.microphone_plays;
            words(ui, if plays { tr().microphone_echo_plays } else { tr().microphone_echo });
        }
    });
}

/// Whether it counts as playing, and which input it is.
fn choices_ui(cx: &mut Cx<'_>, ui: &mut Ui, microphone: &Microphone) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        let plays = cx.view.settings.microphone_plays;
        let chip = Button::new(tr().microphone_plays).chip().selected(plays).tip(tr().microphone_plays_tip);
        if chip.show(ui).clicked() {
            cx.send.push(Command::Set(Setting::MicrophonePlays(!plays)));
        }
        for input in &microphone.inputs {
            let label = text::listen_to(&input.name);
            let chip = Button::new(&label).shown(&input.name).chip().selected(input.chosen);
            if chip.show(ui).clicked() && !input.chosen {
                let device = (!input.default).then(|| input.id.clone());
                cx.send.push(Command::Set(Setting::InputDevice(device)));
            }
        }
    });
    ui.add_space(4.0);
}

fn words(ui: &mut Ui, line: &str) {
    let words = egui::RichText::new(line).color(tokens(ui).muted).font(theme::regular(ui, 13.0));
    ui.add(egui::Label::new(words).wrap().selectable(false));
}

/// The note's name over a scale of cents with a needle.
fn tuner_ui(ui: &mut Ui, microphone: &Microphone, names: NoteNames) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let (id, rect) = ui.allocate_space(vec2(ui.available_width(), 118.0 * scale));
    let response = ui.interact(rect, id, Sense::hover());
    let spoken = text::tuner_in_words(microphone.tuner, names);
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &spoken));
    let (head, dial) = rect.split_top_bottom_at_y(rect.top() + 58.0 * scale);
    let (name, remark, color) = match microphone.tuner {
        Some(tuner) => {
            let color = note_color(t, tuner);
            (text::note_octave(tuner.pitch, names), text::cents(tuner), color)
        }
        None => (text::NONE.to_owned(), tr().tuner_waits.to_owned(), t.muted),
    };
    let (top, bottom) = head.split_top_bottom_at_y(head.top() + 36.0 * scale);
    Line::new(&name).size(size::NUMBER).bold().color(color).align(Align::Center).paint(ui, top);
    Line::small(&remark).color(t.muted).align(Align::Center).paint(ui, bottom);
    dial_ui(ui, dial, microphone.tuner);
}

fn note_color(t: &Tokens, tuner: Tuner) -> Color32 {
    match tuner.steady {
        false => t.muted,
        true if tuner.cents.abs() <= IN_TUNE => t.good,
        true => t.text,
    }
}

/// Marks at 5, 20 and 50 cents, flat at the left; the needle is faint while the note is not sure.
fn dial_ui(ui: &Ui, rect: Rect, tuner: Option<Tuner>) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let labels = 18.0 * scale;
    let width = rect.width().min(460.0 * scale) - 40.0 * scale;
    let band = Rect::from_center_size(
        pos2(rect.center().x, rect.top() + (rect.height() - labels) / 2.0),
        vec2(width, rect.height() - labels - 6.0),
    );
    let x = |cents: f32| band.center().x + cents / REACH * band.width() / 2.0;
    let painter = ui.painter();
    let zone = Rect::from_x_y_ranges(x(-MARKS[0])..=x(MARKS[0]), band.y_range());
    painter.rect_filled(zone, 4, fade(t.good, 0.22));
    painter.line_segment([band.left_center(), band.right_center()], t.hairline());
    for cents in MARKS.into_iter().flat_map(|m| [-m, m]).chain([0.0]) {
        let half = if cents == 0.0 { band.height() / 2.0 } else { band.height() / 4.0 };
        let line = [pos2(x(cents), band.center().y - half), pos2(x(cents), band.center().y + half)];
        painter.line_segment(line, Stroke::new(1.0, t.muted));
        if cents.abs() > MARKS[0] || cents == 0.0 {
            let place =
                Rect::from_center_size(pos2(x(cents), band.bottom() + labels / 2.0 + 3.0), vec2(40.0 * scale, labels));
            Line::small(&text::signed_cents(cents)).size(11.0).color(t.muted).align(Align::Center).paint(ui, place);
        }
    }
    if let Some(tuner) = tuner {
        let at = x((tuner.cents as f32).clamp(-REACH, REACH));
        let color = if tuner.steady { note_color(t, tuner) } else { fade(t.muted, 0.6) };
        let needle = [pos2(at, band.top()), pos2(at, band.bottom())];
        painter.line_segment(needle, Stroke::new(if tuner.steady { 4.0 } else { 2.0 } * scale, color));
    }
}

fn level_ui(ui: &mut Ui, level: f32) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 24.0 * scale));
    let split = rect.left() + (110.0 * scale).min(rect.width() * 0.4);
    Line::new(tr().level).size(13.0).color(t.muted).show_at(ui, rect.with_max_x(split - 8.0));
    let value = text::decibels(level);
    let room = rect.with_min_x(split);
    let number = 64.0 * scale;
    Line::new(&value).size(13.0).color(t.text).show_at(ui, room.with_max_x(split + number));
    let bar = Rect::from_min_max(
        pos2(split + number + 8.0, rect.center().y - 4.0),
        pos2(rect.right(), rect.center().y + 4.0),
    );
    if bar.width() > 0.0 {
        let share = ((level - LEVEL_MIN) / -LEVEL_MIN).clamp(0.0, 1.0);
        ui.painter().rect_filled(bar, 4, t.line);
        let full = Rect::from_min_size(bar.min, vec2(bar.width() * share, bar.height()));
        ui.painter().rect_filled(full, 4, if level > -3.0 { t.warn } else { t.accent });
    }
    ui.add_space(space::GAP / 2.0);
}
