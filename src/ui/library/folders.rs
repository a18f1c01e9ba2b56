//! The folders that are watched, how an import goes, and what cannot be read.

use egui::{Rect, Role, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::super::state::{FilePurpose, State};
use super::super::text::{self, tr};
use super::super::theme::{self, radius, space, tokens};
use super::super::widgets::{Button, Column, Line, table_ui};
use super::super::{Command, Cx, icons};

/// How high the list of folders and that of refused files get.
const FOLDERS: f32 = 150.0;
const REFUSED: f32 = 150.0;

/// A strip that tells how an import goes, or that one was broken off; nothing when neither is so.
pub(super) fn import_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let library = cx.view.library;
    if library.import.is_none() && library.tally.left == 0 {
        return;
    }
    let frame = egui::Frame::new().inner_margin(egui::Margin { left: 20, right: 20, top: 10, bottom: 0 });
    frame.show(ui, |ui| strip_ui(cx, ui));
}

fn strip_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = tokens(ui);
    let library = cx.view.library;
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CONTROL + 12.0));
    ui.painter().rect(rect, radius::CARD, t.surface, t.hairline(), StrokeKind::Inside);
    let inner = rect.shrink2(vec2(space::CARD, 6.0));
    let button = Button::new(if library.import.is_some() { tr().break_off } else { tr().go_on });
    let width = button.width(ui);
    let place = Rect::from_min_max(pos2(inner.right() - width, inner.top()), inner.max);
    let pressed = button.show_at(ui, place).clicked();
    let room = inner.with_max_x(place.left() - 16.0);
    let Some(import) = library.import else {
        let line = [text::left_unread(library.tally.left), text::tally(&library.tally)].join(text::DOT);
        Line::new(&line).size(13.0).color(t.muted).show_at(ui, room);
        if pressed {
            cx.send.push(Command::LookThroughFolders);
        }
        return;
    };
    if pressed {
        cx.send.push(Command::CancelImport);
    }
    let words = text::import_in_words(import);
    let name = std::path::Path::new(&import.file).file_name().map(|name| name.to_string_lossy().into_owned());
    let tally = text::tally(&library.tally);
    let parts = [words.clone(), name.unwrap_or_default(), tally];
    let line = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(text::DOT);
    let upper = room.with_max_y(room.bottom() - 8.0);
    Line::new(&line).size(13.0).show_at(ui, upper);
    let track = Rect::from_min_max(pos2(room.left(), room.bottom() - 6.0), pos2(room.right(), room.bottom() - 2.0));
    let response = ui.interact(track, ui.scope_id().with("import"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, &words));
    ui.painter().rect_filled(track, 2, t.line);
    let share = import.done as f32 / import.of.max(1) as f32;
    ui.painter().rect_filled(track.with_max_x(track.left() + track.width() * share), 2, t.accent);
}

/// The folders, in a dialog; whether it is to be closed.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) -> bool {
    let t = tokens(ui);
    let library = cx.view.library;
    Line::new(tr().folders_title).size(theme::size::TITLE).bold().show(ui);
    Line::small(tr().folders_remark).color(t.muted).show(ui);
    ui.add_space(8.0);
    if library.folders.is_empty() {
        Line::new(tr().folders_none).color(t.muted).show(ui);
    } else {
        ui.allocate_ui(vec2(ui.available_width(), FOLDERS), |ui| list_ui(cx, ui));
    }
    if library.import.is_some() || library.tally.left > 0 {
        ui.add_space(10.0);
        strip_ui(cx, ui);
    }
    let tally = text::tally(&library.tally);
    if library.import.is_none() && library.tally.left == 0 && !tally.is_empty() {
        ui.add_space(6.0);
        Line::small(&tally).color(t.muted).show(ui);
    }
    refused_ui(cx, ui);
    ui.add_space(12.0);
    ui.horizontal(|ui| {
        if Button::new(tr().add_folder).icon(icons::FOLDER_PLUS).primary().show(ui).clicked() {
            state.open_browser(FilePurpose::Folder);
        }
        let any = !library.folders.is_empty();
        if Button::new(tr().look_now).icon(icons::REFRESH).enabled(any).show(ui).clicked() {
            cx.send.push(Command::LookThroughFolders);
        }
        Button::new(tr().close).show(ui).clicked()
    })
    .inner
}

fn list_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = tokens(ui);
    let folders = cx.view.library.folders;
    let columns =
        [Column::new(tr().path, 160.0).grow(1.0), Column::new(tr().state, 150.0).grow(0.4), Column::new("", 32.0)];
    table_ui(
        ui,
        "folders",
        &columns,
        folders.len(),
        |_| None,
        |ui, i, row| {
            let folder = &folders[i];
            row.text(ui, 0, &folder.path);
            let color = if folder.away.is_some() { t.warn } else { t.muted };
            row.colored(ui, 1, &text::folder(folder), color);
            if let Some(cell) = row.cell(2) {
                let name = text::of(tr().stop_watching, &folder.path);
                let place = Rect::from_center_size(cell.center(), vec2(28.0, 28.0));
                if Button::icon_only(&name, icons::CLOSE).quiet().show_at(ui, place).clicked() {
                    cx.send.push(Command::WatchFolder(folder.path.clone().into(), false));
                }
            }
        },
    );
}

fn refused_ui(cx: &Cx<'_>, ui: &mut Ui) {
    let t = tokens(ui);
    let library = cx.view.library;
    if library.refused.is_empty() {
        return;
    }
    ui.add_space(10.0);
    let heading = text::refused(library.tally.refused, library.refused.len());
    Line::new(&heading).size(13.0).bold().color(t.muted).show(ui);
    ui.allocate_ui(vec2(ui.available_width(), REFUSED), |ui| {
        let columns = [Column::new(tr().file, 170.0).grow(1.0), Column::new(tr().error, 200.0).grow(1.0)];
        table_ui(
            ui,
            "refused",
            &columns,
            library.refused.len(),
            |_| None,
            |ui, i, row| {
                let (path, reason) = &library.refused[i];
                let name = std::path::Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
                if let Some(cell) = row.cell(0) {
                    Line::new(&name.unwrap_or_default()).size(13.0).show_at(ui, cell).on_hover_text(path);
                }
                row.colored(ui, 1, reason, t.muted);
            },
        );
    });
}
