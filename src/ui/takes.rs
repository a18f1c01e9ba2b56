//! Takes: whatever was played, newest first.

use egui::{Align, Id, Key, Layout, Modal, Modifiers, Popup, TextEdit, Ui, pos2, vec2};

use super::state::{Screen, State};
use super::text::{self, tr};
use super::theme::{self, tokens};
use super::view::{TakeRow, TakeState};
use super::widgets::{Button, Column, Line, card_frame, card_ui, empty_ui, focus_row, page_frame, table_ui};
use super::{Command, Cx, TakeFile, icons, shortcuts, topbar};

/// The table of takes.
const TABLE: &str = "takes";

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let chip = topbar::audio_chip_width(ui, &cx.view.devices.audio, 240.0);
    let keep = keep_button();
    let width = keep.width(ui);
    let bar = topbar::ui(ui, tr().takes, "", chip + width + theme::space::GAP);
    topbar::audio_chip_ui(ui, bar.room, &cx.view.devices.audio, state);
    keep_ui(cx, ui, &keep, bar.room.right() - chip - theme::space::GAP, bar.rect.center().y);
    let takes = cx.view.takes;
    if takes.is_empty() {
        if empty_ui(ui, icons::RECORD, tr().takes_empty, Some(tr().go_play)) {
            state.screen = Screen::Play;
        }
        return;
    }
    page_frame().show(ui, |ui| {
        card_ui(ui, "", "", |ui| list_ui(cx, ui, state, takes));
    });
}

/// The button that keeps the last five minutes.
pub(super) fn keep_button() -> Button<'static> {
    Button::new(tr().keep_last).icon(icons::RECORD)
}

/// Shows it, its right edge there.
pub(super) fn keep_ui(cx: &mut Cx<'_>, ui: &mut Ui, keep: &Button<'_>, right: f32, middle: f32) {
    let width = keep.width(ui);
    let place = egui::Rect::from_center_size(pos2(right - width / 2.0, middle), vec2(width, theme::space::CONTROL));
    let tip = text::with_shortcut(tr().keep_last_tip, &shortcuts::shown(ui.ctx(), shortcuts::Action::KeepLast));
    if keep.show_at(ui, place).on_hover_text(tip).clicked() {
        cx.send.push(Command::KeepLast);
    }
}

fn list_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, takes: &[TakeRow]) {
    let t = tr();
    let columns = [
        Column::new(t.date, 128.0),
        Column::new(t.piece, 120.0).grow(1.0),
        Column::new(t.mode, 92.0).spare(4),
        Column::new(t.notes, 56.0).right().spare(2),
        Column::new(t.duration, 56.0).right().spare(5),
        Column::new(t.result, 52.0).right().spare(1),
        Column::new(t.state, 118.0).grow(0.3).spare(3),
        Column::new("", 132.0),
    ];
    let free = !state.dialog_is_open() && ui.memory(|m| m.focused().is_none());
    if free && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::ArrowDown)) {
        let first = takes.iter().position(|take| take.state != TakeState::Recording);
        focus_row(ui, TABLE, first.unwrap_or(0));
    }
    let name = |i: usize| (takes[i].state != TakeState::Recording).then(|| text::take_in_words(&takes[i]));
    table_ui(ui, TABLE, &columns, takes.len(), name, |ui, i, row| {
        let take = &takes[i];
        let k = tokens(ui);
        row.text(ui, 0, &text::moment(take.at));
        let piece = take.piece.as_deref().unwrap_or(t.free_play);
        let called = if take.name.is_empty() { piece } else { &format!("{piece}{}{}", text::DOT, take.name) };
        row.line(ui, 1, Line::new(called).size(13.0).bold());
        row.colored(ui, 2, take.mode.map_or(text::NONE, text::mode), k.muted);
        row.text(ui, 3, &text::count(take.notes));
        row.colored(ui, 4, &text::duration(take.duration), k.muted);
        row.text(ui, 5, &take.result.map_or_else(|| text::NONE.to_owned(), |(right, of)| text::share(right, of)));
        let color = match take.state {
            TakeState::Recording => k.accent_text,
            TakeState::Incomplete { .. } => k.warn,
            _ => k.muted,
        };
        row.colored(ui, 6, &text::take_state(take.state), color);
        if row.is_cut() {
            row.response.clone().on_hover_text(text::take_in_full(take));
        }
        if let (Some(cell), true) = (row.cell(7), take.state != TakeState::Recording) {
            let place = egui::Rect::from_min_size(pos2(cell.right() - 32.0, cell.center().y - 14.0), vec2(30.0, 28.0));
            let export = place.translate(vec2(-64.0, 0.0));
            let export = Button::icon_only(&text::export_take(take), icons::EXPORT).quiet().show_at(ui, export);
            export_menu_ui(cx, &export, &take.id);
            let plays = cx.view.listening.is_some_and(|listening| listening.take == take.id);
            let (icon, words) = if plays { (icons::STOP, t.stop) } else { (icons::PLAY, t.listen_take) };
            let words = text::of(words, &text::take_in_words(take));
            let play = Button::icon_only(&words, icon).quiet().show_at(ui, place.translate(vec2(-96.0, 0.0)));
            if play.clicked() {
                cx.send.push(super::take::listen_command(cx, &take.id));
            }
            let pencil = place.translate(vec2(-32.0, 0.0));
            if Button::icon_only(&text::name_take(take), icons::PENCIL).quiet().show_at(ui, pencil).clicked() {
                state.naming = Some((take.id.clone(), take.name.clone()));
            }
            let delete = text::delete_take(take);
            if Button::icon_only(&delete, icons::TRASH).quiet().show_at(ui, place).clicked() {
                state.confirm_delete = Some(take.id.clone());
            }
        }
        let delete = row.response.has_focus() && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Delete));
        if delete && !state.dialog_is_open() {
            state.confirm_delete = Some(take.id.clone());
        }
        if row.response.clicked() && !state.dialog_is_open() {
            let (command, screen) = match take.result {
                Some(_) => (Command::ShowResult(take.id.clone()), Screen::Results),
                None => (Command::ShowTake(take.id.clone()), Screen::Take),
            };
            cx.send.push(command);
            state.screen = screen;
        }
    });
}

/// The menu under a button that exports a take.
pub(super) fn export_menu_ui(cx: &mut Cx<'_>, button: &egui::Response, take: &str) {
    Popup::menu(button).show(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for file in TakeFile::ALL {
            if Button::new(text::take_file(file)).quiet().role(egui::Role::MenuItem).show(ui).clicked() {
                cx.send.push(Command::ExportTake(take.to_owned(), file));
                ui.close();
            }
        }
    });
}

/// Asks for the name of a take.
pub(super) fn name_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some((id, mut name)) = state.naming.clone() else { return };
    let modal = Modal::new(Id::unique("name take")).frame(card_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(320.0 * theme::scale(ui));
        Line::new(tr().name_take).size(theme::size::TITLE).bold().show(ui);
        ui.add_space(10.0);
        let edit = TextEdit::singleline(&mut name).char_limit(60).desired_width(f32::INFINITY);
        let edit = ui.add(edit).accessible_name(tr().name_take);
        let entered = edit.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        if !edit.has_focus() && !entered {
            edit.request_focus();
        }
        ui.add_space(12.0);
        ui.horizontal(|ui| {
            let save = Button::new(tr().save).primary().show(ui).clicked();
            (save || entered, Button::new(tr().cancel).show(ui).clicked())
        })
        .inner
    });
    let (save, cancel) = modal.inner;
    if save {
        cx.send.push(Command::NameTake(id.clone(), name.trim().to_owned()));
    }
    state.naming = (!save && !cancel && !modal.should_close()).then_some((id, name));
}

/// Asks before a take is deleted, and once more before it is for ever.
pub(super) fn confirm_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(id) = state.confirm_delete.clone() else {
        state.erasing = false;
        return;
    };
    let take = cx.view.takes.iter().find(|t| t.id == id);
    let (question, remark) = match state.erasing {
        false => (tr().delete_question, tr().delete_remark),
        true => (tr().erase_question, tr().erase_remark),
    };
    let modal = Modal::new(Id::unique("delete take")).frame(card_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(360.0 * theme::scale(ui));
        Line::new(question).size(theme::size::TITLE).bold().show(ui);
        if let Some(take) = take {
            Line::new(&text::take_in_words(take)).color(tokens(ui).muted).show(ui);
        }
        ui.add_space(8.0);
        ui.add(
            egui::Label::new(egui::RichText::new(remark).color(tokens(ui).muted).size(13.0 * theme::scale(ui))).wrap(),
        );
        ui.add_space(12.0);
        ui.horizontal(|ui| if state.erasing { erase_buttons_ui(ui) } else { delete_buttons_ui(ui) }).inner
    });
    match modal.inner {
        Some(Answer::Delete) => cx.send.push(Command::DeleteTake(id)),
        Some(Answer::Erase) => cx.send.push(Command::EraseTake(id)),
        Some(Answer::ForEver) => return state.erasing = true,
        Some(Answer::Keep) => {}
        None if modal.should_close() => {}
        None => return,
    }
    (state.confirm_delete, state.erasing) = (None, false);
}

/// What becomes of a take that was about to be deleted.
enum Answer {
    Keep,
    Delete,
    /// For ever, which is asked once more.
    ForEver,
    Erase,
}

fn delete_buttons_ui(ui: &mut Ui) -> Option<Answer> {
    let delete = Button::new(tr().delete).primary().show(ui).clicked();
    let cancel = Button::new(tr().cancel).show(ui);
    let erase = ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let label = text::asking_more(tr().delete_for_ever);
        Button::new(&label).link().show(ui)
    });
    let erase = erase.inner;
    // Enter takes what can be taken back, unless another button has the focus.
    let elsewhere = erase.has_focus() || cancel.has_focus();
    let enter = !elsewhere && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
    match () {
        () if delete || enter => Some(Answer::Delete),
        () if erase.clicked() => Some(Answer::ForEver),
        () => cancel.clicked().then_some(Answer::Keep),
    }
}

fn erase_buttons_ui(ui: &mut Ui) -> Option<Answer> {
    let keep = Button::new(tr().keep_it).primary().show(ui).clicked();
    let erase = Button::new(tr().delete_for_ever).show(ui).clicked();
    if erase { Some(Answer::Erase) } else { keep.then_some(Answer::Keep) }
}
