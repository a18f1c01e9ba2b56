//! The library: pieces that come with the program, files opened lately, and a way to open another.

use egui::{Align, Rect, Role, ScrollArea, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::shortcuts::{self, Action};
use super::state::{FilePurpose, State};
use super::text::{self, tr};
use super::theme::{self, radius, space, tokens};
use super::view::{NoteNames, PieceRow};
use super::widgets::{Button, Line, empty_ui, focus_ring, page_frame, search_ui, share_color};
use super::{Command, Cx, icons, topbar};

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    head_ui(ui, state);
    let library = cx.view.library;
    let names = cx.view.settings.names;
    let fits = |row: &&PieceRow| matches(row, &state.search, names);
    let builtin: Vec<&PieceRow> = library.builtin.iter().filter(fits).collect();
    let recent: Vec<&PieceRow> = library.recent.iter().filter(fits).collect();
    if library.builtin.is_empty() && library.recent.is_empty() {
        if empty_ui(ui, icons::BOOKS, tr().library_empty, Some(tr().open_file)) {
            state.open_browser(FilePurpose::Piece);
        }
        return;
    }
    if builtin.is_empty() && recent.is_empty() {
        if empty_ui(ui, icons::SEARCH, tr().nothing_found, Some(tr().clear_search)) {
            state.search.clear();
        }
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        page_frame().show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            section_ui(cx, ui, tr().recent, &recent);
            section_ui(cx, ui, tr().built_in, &builtin);
        });
    });
}

fn head_ui(ui: &mut Ui, state: &mut State) {
    let button = Button::new(tr().open_file).icon(icons::FOLDER_OPEN).primary();
    let button_width = button.width(ui);
    let width = ui.available_width() - 2.0 * space::PAGE;
    let field = (width * 0.32).clamp(120.0, 340.0);
    let bar = topbar::ui(ui, tr().library, "", field + button_width + 32.0);
    let y = bar.rect.center().y;
    let place = Rect::from_min_size(
        pos2(bar.room.right() - button_width, y - space::CONTROL / 2.0),
        vec2(button_width, space::CONTROL),
    );
    let tip = text::with_shortcut(tr().open_file, &shortcuts::shown(ui.ctx(), Action::OpenFile));
    if button.tip(&tip).show_at(ui, place).clicked() {
        state.open_browser(FilePurpose::Piece);
    }
    let left = (place.left() - 16.0 - field).max(bar.room.left());
    let search = Rect::from_min_max(pos2(left, y - space::CONTROL / 2.0), pos2(place.left() - 16.0, place.bottom()));
    search_ui(ui, search, tr().search, tr().search_hint, &mut state.search);
}

/// Whether every word of the search is in the title, the composer, the key or the grade.
fn matches(row: &PieceRow, search: &str, names: NoteNames) -> bool {
    let key = row.key.map(|k| text::key(k, names)).unwrap_or_default();
    let grade = grade(row);
    let favourite = if row.favourite { tr().favourite } else { "" };
    let all = format!("{} {} {key} {grade} {favourite}", row.title, row.composer).to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| all.contains(word))
}

fn section_ui(cx: &mut Cx<'_>, ui: &mut Ui, title: &str, rows: &[&PieceRow]) {
    if rows.is_empty() {
        return;
    }
    let t = tokens(ui);
    Line::new(title).size(13.0).bold().color(t.muted).show(ui);
    ui.add_space(8.0);
    let scale = theme::scale(ui);
    let room = ui.available_width();
    let columns = ((room + space::GAP) / (272.0 * scale + space::GAP)).floor().clamp(1.0, 4.0);
    let width = (room - space::GAP * (columns - 1.0)) / columns;
    let height = (118.0 * (1.0 + (scale - 1.0) * 0.8)).round();
    let columns = columns as usize;
    for chunk in rows.chunks(columns) {
        let (_, area) = ui.allocate_space(vec2(room, height));
        for (i, row) in chunk.iter().enumerate() {
            let left = area.left() + i as f32 * (width + space::GAP);
            let rect = Rect::from_min_size(pos2(left, area.top()), vec2(width, height));
            if ui.is_rect_visible(rect) {
                piece_ui(cx, ui, rect, row);
            }
        }
        ui.add_space(space::GAP);
    }
    ui.add_space(6.0);
}

/// The grade of a piece, or what it is about.
fn grade(row: &PieceRow) -> String {
    row.grade.map(text::grade).or(row.estimate.map(text::about_grade)).unwrap_or_default()
}

/// Key, metre, bars and length of a piece.
fn facts(row: &PieceRow, names: NoteNames) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(row.key.map(|k| text::key(k, names)));
    parts.extend(row.meter.map(text::meter));
    if row.bars > 0 {
        parts.extend([text::bar_count(row.bars), text::duration(row.duration)]);
    }
    parts.join(text::DOT)
}

fn piece_ui(cx: &mut Cx<'_>, ui: &mut Ui, rect: Rect, row: &PieceRow) {
    let t = tokens(ui);
    let names = cx.view.settings.names;
    let scale = theme::scale(ui);
    let response = ui.interact(rect, ui.scope_id().with(("piece", &row.id)), Sense::click());
    let words = text::open_piece(&row.title, &row.composer);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let (fill, line) = if response.hovered() { (t.raised, t.faint) } else { (t.surface, t.line) };
    ui.painter().rect(rect, radius::CARD, fill, egui::Stroke::new(1.0, line), StrokeKind::Inside);
    focus_ring(ui, &response, rect, radius::CARD);
    let inner = rect.shrink(space::CARD);
    let row_at = |top: f32, height: f32| {
        Rect::from_min_size(pos2(inner.left(), inner.top() + top * scale), vec2(inner.width(), height * scale))
    };
    let badge = grade(row);
    let badge_line = Line::small(&badge).color(t.muted).align(Align::Max);
    let badge_width = if badge.is_empty() { 0.0 } else { badge_line.width(ui) + 10.0 };
    let side = 26.0;
    let head = row_at(0.0, 22.0);
    Line::new(&row.title).size(15.0).bold().paint(ui, head.with_max_x(head.right() - side));
    let composer = match (&row.composer, &row.path) {
        (name, _) if !name.is_empty() => name.clone(),
        (_, Some(path)) => path.parent().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default(),
        _ => String::new(),
    };
    let second = row_at(22.0, 19.0);
    Line::new(&composer).size(13.0).color(t.text).paint(ui, second.with_max_x(second.right() - badge_width));
    badge_line.paint(ui, second);
    Line::small(&facts(row, names)).color(t.muted).paint(ui, row_at(42.0, 18.0));
    result_ui(ui, Rect::from_min_max(pos2(inner.left(), inner.bottom() - 18.0 * scale), inner.max), row);
    let star = Rect::from_min_size(pos2(inner.right() - side + 6.0, inner.top() - 4.0), vec2(side, side));
    let favour = text::favour(&row.title, row.favourite);
    if Button::icon_only(&favour, icons::STAR).quiet().selected(row.favourite).show_at(ui, star).clicked() {
        cx.send.push(Command::Favour(row.id.clone(), !row.favourite));
    } else if response.clicked() {
        cx.send.push(Command::OpenPiece(row.id.clone()));
    }
    if let Some(practised) = text::practised(row.practised) {
        response.on_hover_text(practised);
    }
}

/// A bar for the share right in the best result of the whole piece, with the number and when, and the newest beside it.
/// Without one it is the newest of a part: it says so, and the bar is no longer than that part.
fn result_ui(ui: &Ui, rect: Rect, row: &PieceRow) {
    let t = tokens(ui);
    let Some(last) = row.best.or(row.last) else {
        Line::small(tr().not_played).color(t.muted).paint(ui, rect);
        return;
    };
    let share = if last.of == 0 { 0.0 } else { last.right as f32 / last.of as f32 };
    let part = last.part.filter(|bars| *bars < row.bars);
    let length = part.map_or(1.0, |bars| bars as f32 / row.bars as f32);
    let words = match row.last.filter(|newest| row.best.is_some_and(|best| best.at != newest.at)) {
        Some(newest) => text::best_and_last(&last, &newest),
        None => text::last_result(&last, part),
    };
    let line = Line::small(&words).color(t.muted).align(Align::Max);
    let width = line.width(ui).min(rect.width() * 0.75);
    line.paint(ui, rect);
    let track = Rect::from_min_max(
        pos2(rect.left(), rect.center().y - 2.0),
        pos2(rect.right() - width - 12.0, rect.center().y + 2.0),
    );
    if track.width() > 12.0 {
        ui.painter().rect_filled(track, 2, t.line);
        let done = track.with_max_x(track.left() + track.width() * share.clamp(0.0, 1.0) * length);
        ui.painter().rect_filled(done, 2, share_color(t, share));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::KeySignature;
    use crate::time::{Micros, Ticks};

    #[test]
    fn every_word_of_the_search_must_be_somewhere() {
        let row = PieceRow {
            id: "a".into(),
            title: "Minuet in G".into(),
            composer: "C. Petzold".into(),
            grade: Some(2),
            estimate: None,
            key: Some(KeySignature { tick: Ticks(0), fifths: 1, minor: false }),
            meter: Some((3, 4)),
            bars: 32,
            duration: Micros(90_000_000),
            path: None,
            favourite: false,
            practised: Micros::ZERO,
            last: None,
            best: None,
        };
        for (search, expected) in [("", true), ("minuet PETZ", true), ("g major grade 2", true), ("minuet bach", false)]
        {
            assert_eq!(matches(&row, search, NoteNames::English), expected, "{search}");
        }
    }
}
