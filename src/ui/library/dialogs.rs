//! What lies over the library: its folders, tags and progress of pieces, a tag that is renamed.

use std::collections::HashSet;

use egui::{Id, Key, Modal, ScrollArea, TextEdit, Ui, vec2};

use super::super::state::State;
use super::super::text::{self, tr};
use super::super::theme::{self, tokens};
use super::super::view::PieceRow;
use super::super::widgets::{Button, Line, card_frame, fact_ui};
use super::super::{Command, Cx, icons};
use super::{Dialog, card, folders};

/// Characters of a tag at most.
const TAG_CHARS_MAX: usize = 40;
/// The height of the curve of last results.
const CURVE: f32 = 54.0;

/// The dialog, when one is open.
pub(in crate::ui) fn dialogs_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(dialog) = state.library.dialog.clone() else { return };
    if state.browser.is_some() {
        return;
    }
    let room = ui.ctx().content_rect().size() - vec2(64.0, 64.0);
    let wanted = if dialog == Dialog::Folders { 620.0 } else { 400.0 };
    let modal = Modal::new(Id::unique("library")).frame(card_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((wanted * theme::scale(ui)).min(room.x));
        // Without a least height it would stay as high as it was before its contents were known.
        let area = ScrollArea::vertical().id_salt("dialog").max_height(room.y).min_scrolled_height(room.y);
        area.show(ui, |ui| match &dialog {
            Dialog::Folders => folders::ui(cx, ui, state),
            Dialog::Pieces(pieces) => pieces_ui(cx, ui, state, pieces),
            Dialog::RenameTag(from) => rename_ui(cx, ui, state, from),
        })
        .inner
    });
    if modal.inner || modal.should_close() {
        state.library.dialog = None;
        state.library.tag.clear();
    }
}

/// Tags of one piece, with its progress, or of several.
fn pieces_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, pieces: &[String]) -> bool {
    let t = tokens(ui);
    let library = cx.view.library;
    let wanted: HashSet<&str> = pieces.iter().map(String::as_str).collect();
    let rows = library.rows.iter().filter(|row| wanted.contains(row.id.as_str()));
    let rows: Vec<&PieceRow> = rows.map(|row| &**row).collect();
    match rows[..] {
        [row] => {
            Line::new(&row.title).size(theme::size::TITLE).bold().show(ui);
            if !row.composer.is_empty() {
                Line::new(&row.composer).color(t.muted).show(ui);
            }
            ui.add_space(8.0);
            progress_ui(cx, ui, row);
        }
        _ => drop(Line::new(&text::pieces(rows.len())).size(theme::size::TITLE).bold().show(ui)),
    }
    ui.add_space(10.0);
    Line::new(tr().tags).size(13.0).bold().color(t.muted).show(ui);
    ui.add_space(4.0);
    tags_ui(cx, ui, &rows);
    ui.add_space(8.0);
    let all = || rows.iter().map(|row| row.id.clone()).collect();
    if let Some(tag) = field_ui(ui, &mut state.library.tag, tr().add_tag, tr().add) {
        cx.send.push(Command::Tag { pieces: all(), tag, on: true });
        state.library.tag.clear();
    }
    ui.add_space(14.0);
    ui.horizontal(|ui| {
        if let [row] = rows[..]
            && Button::new(tr().open).primary().show(ui).clicked()
        {
            cx.send.push(Command::OpenPiece(row.id.clone()));
            return true;
        }
        Button::new(tr().close).show(ui).clicked()
    })
    .inner
}

/// The tags that any of the pieces has, each with how many have it; pressed, it goes from all of them.
fn tags_ui(cx: &mut Cx<'_>, ui: &mut Ui, rows: &[&PieceRow]) {
    let mut tags: Vec<&String> = rows.iter().flat_map(|row| &row.tags).collect();
    tags.sort();
    tags.dedup();
    if tags.is_empty() {
        Line::small(tr().no_tags).color(tokens(ui).muted).show(ui);
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        for tag in tags {
            let having: Vec<String> =
                rows.iter().filter(|row| row.tags.contains(tag)).map(|row| row.id.clone()).collect();
            let shown = if rows.len() > 1 { text::with_count(tag, having.len()) } else { tag.clone() };
            let name = text::of(tr().remove_tag, tag);
            if Button::new(&name).shown(&shown).icon(icons::CLOSE).chip().tip(tr().remove_tag).show(ui).clicked() {
                cx.send.push(Command::Tag { pieces: having, tag: tag.clone(), on: false });
            }
        }
    });
}

/// How it went so far.
fn progress_ui(cx: &Cx<'_>, ui: &mut Ui, row: &PieceRow) {
    let t = tokens(ui);
    Line::small(&card::facts(row, cx.view.settings.names)).color(t.muted).show(ui);
    if row.missing {
        ui.add_space(4.0);
        ui.add(egui::Label::new(egui::RichText::new(tr().missing_line).color(t.warn).size(13.0)).wrap());
    }
    ui.add_space(8.0);
    if row.curve.len() > 1 {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), CURVE * theme::scale(ui)));
        let response = ui.interact(rect, ui.scope_id().with("results"), egui::Sense::hover());
        let words = text::curve_of_results(&row.curve);
        let series = row.curve_of.as_ref().map(text::series);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &words));
        response.on_hover_text(&words);
        card::curve(ui, rect.shrink2(vec2(4.0, 6.0)), &row.curve);
        if let Some(series) = series {
            Line::small(&series).color(t.muted).show(ui);
        }
        ui.add_space(4.0);
    }
    let none = || tr().not_played.to_owned();
    let part = |last: &super::super::view::LastResult| last.part.filter(|bars| *bars < row.bars);
    let not_whole = || if row.passes > 0 { tr().not_whole.to_owned() } else { none() };
    fact_ui(ui, tr().best_word, &row.best.map_or_else(not_whole, |best| text::last_result(&best, None)), t.text);
    for best in &row.other_bests {
        fact_ui(ui, tr().best_word, &text::last_result(best, None), t.text);
    }
    fact_ui(ui, tr().last_result, &row.last.map_or_else(none, |last| text::last_result(&last, part(&last))), t.text);
    if row.passes > 0 {
        fact_ui(ui, tr().passes, &text::count(u64::from(row.passes)), t.text);
    }
    if let Some(tempo) = row.tempo {
        fact_ui(ui, tr().tempo_reached, &text::percent(tempo), t.text);
    }
    if let Some(minutes) = text::minutes(row.practised) {
        fact_ui(ui, tr().practised_for, &minutes, t.text);
    }
    if let Some(path) = &row.path {
        fact_ui(ui, tr().file, &path.to_string_lossy(), t.muted);
    }
}

/// A line to type in, with a button that takes it; what was typed, once it is taken.
fn field_ui(ui: &mut Ui, typed: &mut String, name: &str, button: &str) -> Option<String> {
    ui.horizontal(|ui| {
        let button = Button::new(button).enabled(!typed.trim().is_empty());
        let width = ui.available_width() - button.width(ui) - 8.0;
        let edit = TextEdit::singleline(typed)
            .char_limit(TAG_CHARS_MAX)
            .hint_text(name)
            .desired_width(width - 16.0)
            .min_size(vec2(width - 16.0, theme::space::CONTROL))
            .align(egui::Align2::LEFT_CENTER);
        let edit = ui.add(edit).accessible_name(name);
        let entered = edit.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let taken = button.show(ui).clicked() || entered;
        let word = typed.trim().to_owned();
        (taken && !word.is_empty()).then_some(word)
    })
    .inner
}

fn rename_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, from: &str) -> bool {
    Line::new(tr().rename_tag_title).size(theme::size::TITLE).bold().show(ui);
    Line::new(from).color(tokens(ui).muted).show(ui);
    ui.add_space(10.0);
    let renamed = field_ui(ui, &mut state.library.tag, tr().rename_tag, tr().save);
    ui.add_space(14.0);
    let (everywhere, cancel) = ui
        .horizontal(|ui| {
            let everywhere = Button::new(tr().tag_everywhere).show(ui).clicked();
            (everywhere, Button::new(tr().cancel).show(ui).clicked())
        })
        .inner;
    let to = if everywhere { Some(String::new()) } else { renamed };
    if let Some(to) = to {
        // What was asked for stays asked for.
        state.query.tag = Some(to.clone()).filter(|to| !to.is_empty());
        cx.send.push(Command::RenameTag { from: from.to_owned(), to });
        return true;
    }
    cancel
}
