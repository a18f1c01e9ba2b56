//! Settings: appearance, practice, the keyboard, volumes, the instrument.

mod keyboard;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::shortcuts::{self, Action};
use super::state::{FilePurpose, State};
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::view::{NoteNames, ThemeChoice};
use super::widgets::{Button, Line, card_ui, page_frame, slider_ui};
use super::{Command, Cx, Setting, icons, topbar};
use crate::model::{TUNING_MAX, TUNING_MIN};
use crate::music::{ClickRoute, ClickSound, Division};
use crate::practice::Preset;

/// Sounds of a SoundFont that are offered: the pianos come first in all of them.
const PRESETS_MAX: usize = 16;
/// 440 Hz.
const TUNING_USUAL: u16 = 4_400;

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    head_ui(cx, ui, state);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        page_frame().show(ui, |ui| {
            ui.set_max_width((820.0 * theme::scale(ui)).min(ui.available_width()));
            ui.spacing_mut().item_spacing.y = space::GAP;
            card_ui(ui, tr().appearance, "", |ui| appearance_ui(cx, ui));
            card_ui(ui, tr().practice, "", |ui| practice_ui(cx, ui));
            card_ui(ui, tr().your_keyboard, "", |ui| keyboard::ui(cx, ui, state));
            card_ui(ui, tr().volumes, "", |ui| volumes_ui(cx, ui));
            card_ui(ui, tr().metronome, "", |ui| metronome_ui(cx, ui));
            card_ui(ui, tr().instrument, "", |ui| instrument_ui(cx, ui, state));
        });
    });
}

fn head_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let view = cx.view;
    let tip = |ui: &Ui, name: &str, what: Option<&str>, action| {
        let words = what.map_or_else(|| name.to_owned(), |what| text::of(name, what));
        text::with_shortcut(&words, &shortcuts::shown(ui.ctx(), action))
    };
    let bar = topbar::ui(ui, tr().settings, "", 160.0);
    let undo = tip(ui, tr().undo, view.undo, Action::Undo);
    let redo = tip(ui, tr().redo, view.redo, Action::Redo);
    let help = tip(ui, tr().help, None, Action::Help);
    let place = |i: f32| {
        let center = pos2(bar.room.right() - 20.0 - (2.0 - i) * 46.0, bar.rect.center().y);
        Rect::from_center_size(center, vec2(40.0, space::CONTROL))
    };
    let buttons = [
        (Button::icon_only(tr().undo, icons::UNDO).enabled(view.undo.is_some()).tip(&undo), 0.0),
        (Button::icon_only(tr().redo, icons::REDO).enabled(view.redo.is_some()).tip(&redo), 1.0),
        (Button::icon_only(tr().help, icons::QUESTION).tip(&help), 2.0),
    ];
    let pressed = buttons.map(|(button, i)| button.show_at(ui, place(i)).clicked());
    match pressed {
        [true, _, _] => cx.send.push(Command::Undo),
        [_, true, _] => cx.send.push(Command::Redo),
        [_, _, true] => state.help = true,
        _ => {}
    }
}

/// A name at the left and a control in what is right of it, or under it where there is no room.
fn row_ui(ui: &mut Ui, name: &str, control: impl FnOnce(&mut Ui)) {
    let scale = theme::scale(ui);
    let room = ui.available_width();
    let label = 180.0 * scale;
    if room < label + 300.0 * scale {
        Line::new(name).show(ui);
        ui.horizontal_wrapped(control);
    } else {
        ui.horizontal(|ui| {
            let (_, rect) = ui.allocate_space(vec2(label, space::CONTROL));
            Line::new(name).show_at(ui, rect);
            ui.horizontal_wrapped(control);
        });
    }
}

/// Chips of which one is chosen; answers the one that was pressed.
fn choice_ui<T: Copy + PartialEq>(ui: &mut Ui, all: &[T], now: T, name: impl Fn(T) -> &'static str) -> Option<T> {
    let mut chosen = None;
    for &one in all {
        let chip = Button::new(name(one)).chip().selected(one == now).role(egui::Role::RadioButton);
        if chip.show(ui).clicked() && one != now {
            chosen = Some(one);
        }
    }
    chosen
}

fn switch_ui(ui: &mut Ui, name: &str, on: bool) -> Option<bool> {
    let words = if on { tr().on } else { tr().off };
    Button::new(name).shown(words).chip().selected(on).role(egui::Role::Switch).show(ui).clicked().then_some(!on)
}

fn level_ui(ui: &mut Ui, name: &str, value: u16, range: std::ops::RangeInclusive<u16>) -> Option<u16> {
    let scale = theme::scale(ui);
    let number = 64.0 * scale;
    let width = (ui.available_width() - number - 12.0).clamp(80.0, 280.0);
    let (_, rect) = ui.allocate_space(vec2(width + number, space::CHIP));
    let (low, high) = (range.start(), range.end());
    let track = rect.with_max_x(rect.left() + width);
    let new = slider_ui(ui, track, name, value.into(), (*low).into()..=(*high).into()).map(|new| new as u16);
    let words = text::percent(new.unwrap_or(value));
    Line::new(&words).align(egui::Align::Max).show_at(ui, rect.with_min_x(rect.left() + width));
    new
}

fn appearance_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let s = cx.view.settings;
    let mut set = Vec::new();
    ui.spacing_mut().item_spacing.y = 10.0;
    row_ui(ui, tr().theme, |ui| {
        set.extend(choice_ui(ui, &ThemeChoice::ALL, s.theme, text::theme).map(Setting::Theme));
    });
    row_ui(ui, tr().text_size, |ui| {
        const SIZES: [u16; 5] = [100, 110, 125, 140, 150];
        for size in SIZES {
            let label = text::percent(size);
            let chip = Button::new(&label).chip().selected(s.text_percent == size).role(egui::Role::RadioButton);
            if chip.show(ui).clicked() {
                set.push(Setting::TextPercent(size));
            }
        }
    });
    row_ui(ui, tr().note_names, |ui| {
        set.extend(choice_ui(ui, &NoteNames::ALL, s.names, text::note_names).map(Setting::Names));
    });
    row_ui(ui, tr().note_labels, |ui| {
        set.extend(switch_ui(ui, tr().note_labels, s.note_labels).map(Setting::NoteLabels));
    });
    row_ui(ui, tr().reduced_motion, |ui| {
        set.extend(switch_ui(ui, tr().reduced_motion, s.reduced_motion).map(Setting::ReducedMotion));
    });
    cx.send.extend(set.into_iter().map(Command::Set));
}

fn practice_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let s = cx.view.settings;
    let mut chosen = None;
    row_ui(ui, tr().strictness, |ui| {
        for preset in Preset::ALL {
            let label = text::preset_in_words(preset);
            let chip = Button::new(&label).chip().selected(preset == s.preset).role(egui::Role::RadioButton);
            if chip.show(ui).clicked() {
                chosen = Some(preset);
            }
        }
    });
    cx.send.extend(chosen.map(|p| Command::Set(Setting::Preset(p))));
}

fn volumes_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let s = cx.view.settings;
    type Row = (&'static str, u8, fn(u8) -> Setting);
    let rows: [Row; 3] = [
        (tr().volume_piano, s.volume_piano, Setting::VolumePiano),
        (tr().volume_accompaniment, s.volume_accompaniment, Setting::VolumeAccompaniment),
        (tr().volume_metronome, s.volume_metronome, Setting::VolumeMetronome),
    ];
    ui.spacing_mut().item_spacing.y = 10.0;
    for (name, value, make) in rows {
        row_ui(ui, name, |ui| {
            if let Some(new) = level_ui(ui, name, u16::from(value), 0..=100) {
                cx.send.push(Command::Set(make(new.min(100) as u8)));
            }
        });
    }
}

fn metronome_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let s = cx.view.settings;
    let mut set = Vec::new();
    ui.spacing_mut().item_spacing.y = 10.0;
    row_ui(ui, tr().click_sound, |ui| {
        set.extend(choice_ui(ui, &ClickSound::ALL, s.click_sound, text::click_sound).map(Setting::ClickSound));
    });
    row_ui(ui, tr().click_division, |ui| {
        const DIVISIONS: [Division; 4] = [Division::new(1), Division::new(2), Division::new(3), Division::new(4)];
        set.extend(choice_ui(ui, &DIVISIONS, s.click_division, text::click_division).map(Setting::ClickDivision));
    });
    row_ui(ui, tr().click_route, |ui| {
        set.extend(choice_ui(ui, &ClickRoute::ALL, s.click_route, text::click_route).map(Setting::ClickRoute));
    });
    cx.send.extend(set.into_iter().map(Command::Set));
}

/// A4, by a slider in steps of a tenth of a hertz.
fn tuning_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let tuning = cx.view.settings.tuning;
    row_ui(ui, tr().tuning, |ui| {
        let scale = theme::scale(ui);
        let number = 84.0 * scale;
        let width = (ui.available_width() - number - 80.0 * scale).clamp(80.0, 280.0);
        let (_, rect) = ui.allocate_space(vec2(width + number, space::CHIP));
        let track = rect.with_max_x(rect.left() + width);
        let new = slider_ui(ui, track, tr().tuning, tuning.into(), TUNING_MIN.into()..=TUNING_MAX.into());
        let new = new.map(|new| new as u16);
        let words = text::tuning(new.unwrap_or(tuning));
        Line::new(&words).align(egui::Align::Max).show_at(ui, rect.with_min_x(rect.left() + width));
        let usual = (tuning != TUNING_USUAL) && Button::new(tr().tuning_usual).chip().show(ui).clicked();
        let new = if usual { Some(TUNING_USUAL) } else { new };
        cx.send.extend(new.filter(|new| *new != tuning).map(|new| Command::Set(Setting::Tuning(new))));
    });
}

/// The sounds of a SoundFont: the first of them, and the one in use.
fn presets_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let presets = &cx.view.devices.audio.presets;
    if presets.is_empty() {
        return;
    }
    let now = cx.view.settings.program;
    let mut chosen = None;
    row_ui(ui, tr().sounds, |ui| {
        for (i, (program, name)) in presets.iter().enumerate() {
            if i >= PRESETS_MAX && *program != now {
                continue;
            }
            let chip = Button::new(name).chip().selected(*program == now).role(egui::Role::RadioButton);
            if chip.show(ui).clicked() && *program != now {
                chosen = Some(*program);
            }
        }
    });
    cx.send.extend(chosen.map(|program| Command::Set(Setting::Program(program))));
}

fn instrument_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let t = tokens(ui);
    let path = cx.view.settings.soundfont.as_ref();
    let name = path.map_or_else(|| tr().builtin_piano.to_owned(), |p| p.to_string_lossy().into_owned());
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 24.0 * theme::scale(ui)));
    Line::new(&name).color(if path.is_some() { t.text } else { t.muted }).show_at(ui, rect);
    if let Some(share) = cx.view.devices.audio.loading {
        Line::small(&text::loading_font(share)).color(t.accent_text).show(ui);
    }
    if cx.view.devices.audio.font_refused {
        Line::small(tr().font_refused).color(t.warn).show(ui);
    }
    tuning_ui(cx, ui);
    presets_ui(cx, ui);
    ui.add_space(6.0);
    ui.horizontal_wrapped(|ui| {
        if Button::new(tr().choose_file).icon(icons::FOLDER_OPEN).show(ui).clicked() {
            state.open_browser(FilePurpose::SoundFont);
        }
        let found = cx.view.system_soundfont.filter(|found| path.is_none_or(|path| path != found));
        if let Some(found) = found {
            let file = found.file_name().unwrap_or_default().to_string_lossy();
            if Button::new(&text::use_system(&file)).show(ui).clicked() {
                cx.send.push(Command::Set(Setting::SoundFont(Some(found.to_owned()))));
            }
        }
        if Button::new(tr().hear_it).show(ui).clicked() {
            cx.send.push(Command::TestTone);
        }
        if path.is_some() && Button::new(tr().use_builtin).show(ui).clicked() {
            cx.send.push(Command::Set(Setting::SoundFont(None)));
        }
    });
}
