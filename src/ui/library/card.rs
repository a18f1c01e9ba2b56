//! A piece as a card: what it is, how it went, and what can be done with it.

use egui::{Align, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::super::state::State;
use super::super::text::{self, tr};
use super::super::theme::{self, radius, space, tokens};
use super::super::view::{NoteNames, PieceRow};
use super::super::widgets::{Button, Line, focus_ring, share_color, star_ui};
use super::super::{Command, Cx, icons};
use super::Dialog;

/// The side of the buttons in a card at text scale 1.
const SIDE: f32 = 26.0;
/// The room of a curve.
const CURVE: egui::Vec2 = vec2(64.0, 14.0);

/// The grade of a piece, or what is estimated.
fn grade(row: &PieceRow) -> String {
    row.grade.map(text::grade).or(row.estimate.map(text::about_grade)).unwrap_or_default()
}

/// Key, metre, bars and length of a piece.
pub(super) fn facts(row: &PieceRow, names: NoteNames) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(row.key.map(|k| text::key(k, names)));
    parts.extend(row.meter.map(text::meter));
    if row.bars > 0 {
        parts.extend([text::bar_count(row.bars), text::duration(row.duration)]);
    }
    parts.join(text::DOT)
}

/// Draws the card in a `ui` of its own; `is_twin` if another piece has the same title: then its file tells them apart.
pub(super) fn ui(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    rect: Rect,
    (row, is_twin): (&PieceRow, bool),
    state: &mut State,
) -> Response {
    let t = tokens(ui);
    let chosen = state.library.chosen.as_ref().map(|chosen| chosen.contains(&row.id));
    let response = ui.interact(rect, ui.scope_id().with("card"), Sense::click());
    let words = match chosen {
        Some(_) => text::choose_one(&row.title),
        None => text::open_piece(&row.title, &row.composer),
    };
    let words = if is_twin { [words, text::place_of_file(row)].join(text::DOT) } else { words };
    response.widget_info(|| match chosen {
        Some(on) => WidgetInfo::selected(Role::CheckBox, true, on, &words),
        None => WidgetInfo::labeled(Role::Button, true, &words),
    });
    let (fill, line) = match (chosen, response.hovered()) {
        (Some(true), _) => (theme::mix(t.raised, t.accent, 0.12), theme::mix(t.line, t.accent, 0.7)),
        (_, true) => (t.raised, t.faint),
        _ => (t.surface, t.line),
    };
    ui.painter().rect(rect, radius::CARD, fill, Stroke::new(1.0, line), StrokeKind::Inside);
    focus_ring(ui, &response, rect, radius::CARD);
    let inner = rect.shrink(space::CARD);
    lines_ui(ui, inner, (row, is_twin), cx.view.settings.names);
    let side = SIDE * theme::scale(ui);
    let place = Rect::from_min_size(pos2(inner.right() - side + 6.0, inner.top() - 4.0), vec2(side, side));
    if let Some(on) = chosen {
        let icon = if on { icons::CHECKED } else { icons::UNCHECKED };
        let color = if on { t.accent_text } else { t.muted };
        let font = theme::icon_font(ui, 18.0);
        ui.painter().text(place.center(), egui::Align2::CENTER_CENTER, icon, font, color);
        if response.clicked()
            && let Some(chosen) = &mut state.library.chosen
            && !chosen.remove(&row.id)
        {
            chosen.insert(row.id.clone());
        }
        return response;
    }
    let favour = text::favour(&row.title, row.favourite);
    let about = text::about_piece(&row.title);
    let beside = place.translate(vec2(-side, 0.0));
    if Button::icon_only(&favour, icons::STAR).quiet().selected(row.favourite).show_at(ui, place).clicked() {
        cx.send.push(Command::Favour(row.id.clone(), !row.favourite));
    } else if Button::icon_only(&about, icons::TAG).quiet().show_at(ui, beside).clicked() {
        state.library.dialog = Some(Dialog::Pieces(vec![row.id.clone()]));
    } else if response.clicked() {
        cx.send.push(Command::OpenPiece(row.id.clone()));
    }
    if row.favourite {
        star_ui(ui.painter(), place.center() + vec2(0.0, 0.5), 7.5 * theme::scale(ui), t.accent_text);
    }
    match text::practised(row.practised) {
        Some(practised) => response.on_hover_text(practised),
        None => response,
    }
}

fn lines_ui(ui: &Ui, inner: Rect, (row, is_twin): (&PieceRow, bool), names: NoteNames) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let row_at = |top: f32, height: f32| {
        Rect::from_min_size(pos2(inner.left(), inner.top() + top * scale), vec2(inner.width(), height * scale))
    };
    let (badge, color) = if row.missing { (tr().missing.to_owned(), t.warn) } else { (grade(row), t.muted) };
    let badge_line = Line::small(&badge).color(color).align(Align::Max);
    let badge_width = if badge.is_empty() { 0.0 } else { badge_line.width(ui) + 10.0 };
    let head = row_at(0.0, 22.0);
    Line::new(&row.title).size(15.0).bold().paint(ui, head.with_max_x(head.right() - 2.0 * SIDE * scale));
    let named = text::composer_and_tags(row);
    let folder = || row.path.as_ref().and_then(|path| path.parent()).map(|path| path.to_string_lossy().into_owned());
    // Of a path the end tells more than the beginning.
    let (second_words, is_path) = match (is_twin, named.is_empty()) {
        (true, _) => (text::place_of_file(row), true),
        (false, true) => (folder().unwrap_or_default(), true),
        (false, false) => (named, false),
    };
    let second = row_at(22.0, 19.0);
    let line = Line::new(&second_words).size(13.0).color(t.text);
    let line = if is_path { line.keep_end() } else { line };
    line.paint(ui, second.with_max_x(second.right() - badge_width));
    badge_line.paint(ui, second);
    let third = row_at(42.0, 18.0);
    let has_curve = row.curve.len() > 1;
    let room = if has_curve { third.with_max_x(third.right() - CURVE.x - 10.0) } else { third };
    Line::small(&facts(row, names)).color(t.muted).paint(ui, room);
    if has_curve {
        let place = Rect::from_center_size(pos2(third.right() - CURVE.x / 2.0, third.center().y), CURVE);
        curve(ui, place, &row.curve);
    }
    result_ui(ui, Rect::from_min_max(pos2(inner.left(), inner.bottom() - 18.0 * scale), inner.max), row);
}

/// A bar shorter than this tells nothing.
const TRACK_MIN: f32 = 24.0;

/// Shares from left to right, from nothing right at the bottom to everything right at the top.
pub(super) fn curve(ui: &Ui, rect: Rect, shares: &[f32]) {
    let t = tokens(ui);
    let step = rect.width() / (shares.len().max(2) - 1) as f32;
    let at = |(i, share): (usize, &f32)| {
        pos2(rect.left() + step * i as f32, rect.bottom() - rect.height() * share.clamp(0.0, 1.0))
    };
    let points: Vec<egui::Pos2> = shares.iter().enumerate().map(at).collect();
    let last = points.last().copied();
    ui.painter().add(Shape::line(points, Stroke::new(1.5, t.muted)));
    if let (Some(last), Some(share)) = (last, shares.last()) {
        ui.painter().circle_filled(last, 2.5, share_color(t, *share));
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
    let share = last.share();
    let part = last.part.filter(|bars| *bars < row.bars);
    let length = part.map_or(1.0, |bars| bars as f32 / row.bars as f32);
    let words = match row.last.filter(|newest| row.best.is_some_and(|best| best.at != newest.at)) {
        Some(newest) => text::best_and_last(&last, &newest),
        None => text::last_result(&last, part),
    };
    let line = Line::small(&words).color(t.muted);
    let track = Rect::from_min_max(
        pos2(rect.left(), rect.center().y - 2.0),
        pos2(rect.right() - line.width(ui) - 12.0, rect.center().y + 2.0),
    );
    // The words come first.
    if track.width() < TRACK_MIN {
        line.paint(ui, rect);
        return;
    }
    line.align(Align::Max).paint(ui, rect);
    ui.painter().rect_filled(track, 2, t.line);
    let done = track.with_max_x(track.left() + track.width() * share.clamp(0.0, 1.0) * length);
    ui.painter().rect_filled(done, 2, share_color(t, share));
}
