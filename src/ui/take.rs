//! A take in full: what was played as a piano roll with the written notes behind it, or on a page; ways to listen to it,
//! and to look back at any instant of it.

mod page;
mod past;

use egui::{Align, CursorIcon, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::state::{Screen, State};
use super::takes::export_menu_ui;
use super::text::{self, tr};
use super::theme::{self, Tokens, space, tokens};
use super::view::{NoteNames, RollNote, TakeView};
use super::widgets::{
    Button, Line, Segment, card_ui, empty_ui, mark_shape, page_frame, segmented_ui, segmented_width, snap,
};
use super::{Command, Cx, icons, topbar};
use crate::music::Pitch;
use crate::practice::VerdictKind;
use crate::practice::recital::Voice;
use crate::time::Micros;

/// Points a second of music at least; a long take is scrolled.
const POINTS_A_SECOND: f32 = 56.0;
/// The lowest and highest key of a roll in which nothing lies outside: two octaves around middle C.
const KEYS: (u8, u8) = (48, 72);
/// Seconds of a roll at least.
const SECONDS_MIN: f32 = 4.0;

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(take) = cx.view.take else {
        topbar::ui(ui, tr().take, "", 0.0);
        if empty_ui(ui, icons::RECORD, tr().take_empty, Some(tr().takes)) {
            state.screen = Screen::Takes;
        }
        return;
    };
    head_ui(cx, ui, state, take);
    page_frame().show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::GAP;
        // Who looks back needs the room.
        if take.past.is_none() {
            kept_ui(cx, ui, take);
        }
        controls_ui(cx, ui, state, take);
        let below = if take.past.is_some() { past::height(ui) + space::GAP } else { 0.0 };
        let (notes, length) = (text::notes(take.notes.len()), text::duration(take.length));
        let page = take.page.as_ref().filter(|_| state.take_notes);
        card_ui(ui, tr().as_played, &[notes, length].join(text::DOT), |ui| {
            let words = if take.past.is_some() { 0.0 } else { 30.0 * theme::scale(ui) };
            let height = (ui.available_height() - below - space::CARD - words).max(80.0);
            let legend = match page {
                Some(page) => page::ui(cx, ui, state, take, page, height),
                None => {
                    roll_ui(cx, ui, take, height);
                    if take.mode.is_some() { tr().roll_legend } else { tr().roll_legend_free }.to_owned()
                }
            };
            if take.past.is_none() {
                Line::small(&legend).color(tokens(ui).muted).show(ui);
            }
        });
        if let Some(past) = &take.past {
            past::ui(cx, ui, take, past);
        }
    });
}

/// How the take is shown, what is heard of it, and the way back through it.
fn controls_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, take: &TakeView) {
    let segment = |label, icon, tip: &str| Segment { label, icon, tip: tip.to_owned(), enabled: true };
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 42.0 + (theme::scale(ui) - 1.0) * 16.0));
    let back = Button::new(tr().look_back).icon(icons::LOOK_BACK).selected(take.past.is_some()).tip(tr().look_back_tip);
    let width = back.width(ui);
    let place = Rect::from_center_size(pos2(rect.right() - width / 2.0, rect.center().y), vec2(width, space::CONTROL));
    if back.show_at(ui, place).clicked() {
        let here = cx.view.listening.filter(|listening| listening.take == take.id).map(|listening| listening.at);
        let look = Command::LookBack(here.unwrap_or(Micros::ZERO));
        cx.send.push(if take.past.is_some() { Command::LookBackEnd } else { look });
    }
    let mut room = rect.with_max_x(place.left() - space::GAP);
    let voices = Voice::ALL.map(|voice| segment(text::voice(voice).0, "", text::voice(voice).1));
    let heard = Voice::ALL.iter().position(|voice| *voice == cx.view.voice).unwrap_or(0);
    let has_written = !take.written.is_empty();
    let voices_width = if has_written { segmented_width(ui, &voices, heard, room.width()) } else { 0.0 };
    if take.page.is_some() {
        let views = [
            segment(tr().roll, icons::CHART_BARS, tr().roll_tip),
            segment(tr().page, icons::MUSIC_NOTES, tr().page_tip),
        ];
        let chosen = usize::from(state.take_notes);
        let place =
            room.with_max_x((room.right() - voices_width - space::GAP).max(room.left() + 76.0 * theme::scale(ui)));
        let width = segmented_width(ui, &views, chosen, place.width());
        if let Some(index) = segmented_ui(ui, place, &views, chosen) {
            state.take_notes = index == 1;
        }
        room = room.with_min_x(room.left() + width + space::GAP);
    }
    if has_written && let Some(index) = segmented_ui(ui, room, &voices, heard) {
        cx.send.push(Command::SetVoice(Voice::ALL[index]));
    }
}

/// From when to when a bar was played, the first time through it.
pub(super) fn time_of_bar(take: &TakeView, bar: usize) -> Option<(Micros, Micros)> {
    let of_bar = || take.stories.iter().filter(|story| story.bar == bar && story.verdict.written.is_some());
    let pass = of_bar().map(|story| story.verdict.pass).min()?;
    let of_pass = || of_bar().filter(|story| story.verdict.pass == pass);
    Some((of_pass().map(|story| story.at).min()?, of_pass().map(|story| story.end).max()?))
}

fn head_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, take: &TakeView) {
    let listen = listen_button(cx, &take.id);
    let export = Button::icon_only(tr().export_take, icons::EXPORT);
    let results = Button::new(tr().open_results).icon(icons::CHART);
    let judged = take.expression.is_some();
    let widths = [listen.width(ui), export.width(ui), if judged { results.width(ui) } else { 0.0 }];
    let parts = [take.mode.map(text::mode).unwrap_or_default(), &text::moment(take.at)];
    let context = parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(text::DOT);
    let title = take.piece.as_deref().unwrap_or(tr().free_play);
    let bar = topbar::ui(ui, title, &context, widths.iter().sum::<f32>() + 3.0 * space::GAP);
    let mut right = bar.room.right();
    let mut place = |width: f32| {
        let at = pos2(right - width, bar.rect.center().y - space::CONTROL / 2.0);
        right = at.x - space::GAP;
        Rect::from_min_size(at, vec2(width, space::CONTROL))
    };
    if listen.show_at(ui, place(widths[0])).clicked() {
        cx.send.push(listen_command(cx, &take.id));
    }
    let export = export.show_at(ui, place(widths[1]));
    export_menu_ui(cx, &export, &take.id);
    if judged && results.show_at(ui, place(widths[2])).clicked() {
        cx.send.push(Command::ShowResult(take.id.clone()));
        state.screen = Screen::Results;
    }
}

/// The button that plays a take, or stops it.
pub(super) fn listen_button(cx: &Cx<'_>, take: &str) -> Button<'static> {
    let plays = cx.view.listening.is_some_and(|listening| listening.take == take);
    if plays { Button::new(tr().stop).icon(icons::PAUSE) } else { Button::new(tr().listen_take).icon(icons::PLAY) }
        .primary()
}

/// What that button does.
pub(super) fn listen_command(cx: &Cx<'_>, take: &str) -> Command {
    match cx.view.listening {
        Some(listening) if listening.take == take => Command::StopTake,
        _ => Command::PlayTake(take.to_owned(), Micros::ZERO),
    }
}

/// Today's rules find something else than what is kept.
pub(super) fn kept_ui(cx: &mut Cx<'_>, ui: &mut Ui, take: &TakeView) {
    let Some((right, of)) = take.kept_result else { return };
    let words = text::judged_otherwise(right, of);
    let button = Button::new(tr().keep_new_result).link();
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
    let split = rect.right() - button.width(ui);
    Line::new(&words).color(tokens(ui).muted).show_at(ui, rect.with_max_x(split - 8.0));
    if button.show_at(ui, rect.with_min_x(split)).clicked() {
        cx.send.push(Command::KeepResult(take.id.clone()));
    }
}

/// Where times and keys stand in the roll.
struct Grid {
    rect: Rect,
    seconds: f32,
    low: u8,
    high: u8,
}

impl Grid {
    fn new(take: &TakeView, rect: Rect) -> Self {
        let keys = take.notes.iter().map(|n| n.pitch).chain(take.written.iter().map(|w| w.pitch)).map(Pitch::key);
        let (low, high) = keys.fold(KEYS, |(low, high), key| (low.min(key), high.max(key)));
        Self { rect, seconds: seconds(take), low: low.saturating_sub(1), high: high + 1 }
    }

    fn x(&self, at: Micros) -> f32 {
        self.rect.left() + (at.0 as f32 / 1e6) / self.seconds * self.rect.width()
    }

    fn time(&self, x: f32) -> Micros {
        Micros(((x - self.rect.left()) / self.rect.width() * self.seconds * 1e6).max(0.0) as i64)
    }

    fn row(&self) -> f32 {
        self.rect.height() / f32::from(self.high - self.low + 1)
    }

    fn note(&self, at: Micros, end: Micros, pitch: Pitch) -> Rect {
        let top = self.rect.top() + f32::from(self.high.saturating_sub(pitch.key())) * self.row();
        let (left, right) = (self.x(at), self.x(end));
        Rect::from_min_max(pos2(left, top), pos2(right.max(left + 3.0), top + self.row().max(2.0)))
    }
}

fn seconds(take: &TakeView) -> f32 {
    let written = take.written.iter().map(|w| w.end).max().unwrap_or(Micros::ZERO);
    (take.length.max(written).0 as f32 / 1e6 + 0.5).max(SECONDS_MIN)
}

fn roll_ui(cx: &mut Cx<'_>, ui: &mut Ui, take: &TakeView, height: f32) {
    let width = (seconds(take) * POINTS_A_SECOND).max(ui.available_width());
    ScrollArea::horizontal().auto_shrink(false).max_height(height).show_viewport(ui, |ui, seen| {
        let (response, painter) = ui.allocate_painter(vec2(width, height - 12.0), Sense::click());
        let words = text::roll_in_words(take.notes.len(), take.length);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
        let grid = Grid::new(take, response.rect);
        let (from, to) =
            (grid.time(response.rect.left() + seen.left()), grid.time(response.rect.left() + seen.right()));
        let t = tokens(ui);
        paint_grid(ui, &painter, &grid, (from, to));
        for written in take.written.iter().filter(|w| w.end >= from && w.at <= to) {
            let rect = grid.note(written.at, written.end, written.pitch);
            painter.rect_filled(rect, 2, theme::fade(t.hand(written.hand), 0.16));
            if written.kind == VerdictKind::Missed {
                painter.rect_stroke(rect, 2, Stroke::new(1.0, t.hand(written.hand)), StrokeKind::Inside);
                painter.add(mark_shape(t, written.kind, pos2(rect.left() + 6.0, rect.center().y), 4.0));
            }
        }
        for note in take.notes.iter().filter(|n| n.at + n.duration >= from && n.at <= to) {
            paint_note(t, &painter, &grid, note);
        }
        if let Some(listening) = cx.view.listening.filter(|listening| listening.take == take.id) {
            let x = snap(ui, grid.x(listening.at));
            painter.vline(x, grid.rect.y_range(), Stroke::new(2.0, t.accent));
        }
        if let Some(past) = &take.past {
            let x = snap(ui, grid.x(past.at));
            painter.vline(x, grid.rect.y_range(), Stroke::new(2.0, t.text));
        }
        follow_ui(cx, ui, take, &grid, seen);
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        if let (true, Some(at)) = (response.clicked(), response.interact_pointer_pos()) {
            cx.send.push(go_command(take, grid.time(at.x)));
        }
        if let Some(pointer) = response.hover_pos()
            && let Some(note) =
                take.notes.iter().rfind(|n| grid.note(n.at, n.at + n.duration, n.pitch).contains(pointer))
        {
            response.on_hover_text_at_pointer(hover(take, note, cx.view.settings.names));
        }
    });
}

/// What a press on a place of the take does: listen from there, or look how things stood there.
fn go_command(take: &TakeView, at: Micros) -> Command {
    match take.past {
        Some(_) => Command::LookBack(at),
        None => Command::PlayTake(take.id.clone(), at),
    }
}

/// Keeps the place that is heard or looked at in sight.
fn follow_ui(cx: &Cx<'_>, ui: &Ui, take: &TakeView, grid: &Grid, seen: Rect) {
    let listening = cx.view.listening.filter(|listening| listening.take == take.id).map(|listening| listening.at);
    let moves = listening.or(take.past.as_ref().map(|past| past.at));
    let Some(x) = moves.map(|at| grid.x(at)).filter(|_| !ui.input(|i| i.pointer.any_down())) else { return };
    let at = x - grid.rect.left();
    if !(seen.left()..=seen.right()).contains(&at) {
        let place = Rect::from_x_y_ranges(x..=x + seen.width() * 0.8, grid.rect.y_range());
        ui.scroll_to_rect(place, Some(Align::Min));
    }
}

/// What there is to say of a played note, with the reasons for its verdict.
fn hover(take: &TakeView, note: &RollNote, names: NoteNames) -> String {
    let played = text::played_note(note, names);
    let near = |at: Micros| (at - note.at).0.abs();
    let story = take.stories.iter().filter(|story| {
        let right = story.verdict.written.is_none() || story.verdict.kind.is_right();
        right && story.pitch == note.pitch && note.kind == Some(story.verdict.kind)
    });
    let expected = |s: &&crate::practice::story::Story| near(s.at + s.verdict.deviation.unwrap_or(Micros::ZERO));
    let why = story.min_by_key(expected).map(|story| text::why(story, names));
    [Some(played), why].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn paint_grid(ui: &Ui, painter: &egui::Painter, grid: &Grid, (from, to): (Micros, Micros)) {
    let t = tokens(ui);
    for key in grid.low..=grid.high {
        if Pitch::from_data_byte(key).is_black() {
            let row = grid.note(from, to, Pitch::from_data_byte(key));
            painter.rect_filled(row, 0, theme::fade(t.raised, 0.5));
        }
    }
    let every = 5;
    for second in (from.0 / 1_000_000 / every..=to.0 / 1_000_000 / every).map(|n| n * every) {
        let x = snap(ui, grid.x(Micros(second * 1_000_000)));
        painter.vline(x, grid.rect.y_range(), t.hairline());
        let words = text::duration(Micros(second * 1_000_000));
        let font = theme::regular(ui, 11.0);
        painter.text(pos2(x + 4.0, grid.rect.top() + 2.0), egui::Align2::LEFT_TOP, words, font, t.muted);
    }
    painter.hline(grid.rect.x_range(), snap(ui, grid.rect.bottom()), t.hairline());
}

fn paint_note(t: &Tokens, painter: &egui::Painter, grid: &Grid, note: &RollNote) {
    let rect = grid.note(note.at, note.at + note.duration, note.pitch).shrink2(vec2(0.0, (grid.row() * 0.12).min(2.0)));
    let wrong = note.kind.is_some_and(VerdictKind::is_wrong);
    let color = match note.hand {
        _ if wrong => t.bad,
        Some(hand) => t.hand(hand),
        None => t.accent,
    };
    // What was struck softly is paler.
    painter.rect_filled(rect, 2, theme::fade(color, 0.45 + 0.55 * f32::from(note.velocity) / 127.0));
    if let Some(kind) = note.kind.filter(|kind| *kind != VerdictKind::OnTime) {
        painter.add(mark_shape(t, kind, pos2(rect.left() - 5.0, rect.center().y), 3.5));
    }
}

/// The notes of a bar, each with why it was judged so.
pub(super) fn bar_notes_ui(ui: &mut Ui, take: &TakeView, bar: usize, names: NoteNames) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let of_bar: Vec<_> = take.stories.iter().filter(|story| story.bar == bar).collect();
    if of_bar.is_empty() {
        Line::new(tr().bar_without_notes).color(t.muted).show(ui);
    }
    for story in of_bar {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 28.0 * scale));
        let kind = story.verdict.kind;
        ui.painter().add(mark_shape(t, kind, pos2(rect.left() + 8.0, rect.center().y), 5.0));
        let name = text::note_octave(story.pitch, names);
        let (first, second) = (rect.left() + 24.0, rect.left() + 24.0 + 52.0 * scale);
        let third = second + 110.0 * scale;
        Line::new(&name).size(13.0).bold().show_at(ui, rect.with_min_x(first).with_max_x(second - 6.0));
        Line::new(text::story(story)).size(13.0).show_at(ui, rect.with_min_x(second).with_max_x(third - 6.0));
        let why = text::why(story, names);
        Line::new(&why).size(13.0).color(t.muted).align(Align::Min).show_at(ui, rect.with_min_x(third));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::view::LocalTime;

    #[test]
    fn every_note_lies_within_the_roll_and_a_place_in_it_is_a_time() {
        let note = |millis: i64, key: u8| RollNote {
            at: Micros::from_millis(millis),
            duration: Micros::from_millis(300),
            pitch: Pitch::from_data_byte(key),
            velocity: 80,
            hand: None,
            kind: None,
        };
        let take = TakeView {
            id: "1".into(),
            at: LocalTime::default(),
            piece: None,
            mode: None,
            length: Micros::from_millis(9_000),
            notes: vec![note(0, 0), note(4_000, 60), note(8_700, 127)],
            written: Vec::new(),
            stories: Vec::new(),
            expression: None,
            kept_result: None,
            page: None,
            past: None,
        };
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(900.0, 400.0));
        let grid = Grid::new(&take, rect);
        for note in &take.notes {
            let place = grid.note(note.at, note.at + note.duration, note.pitch);
            assert!(rect.expand(0.01).contains_rect(place), "{place:?} in {rect:?}");
            assert!((grid.time(grid.x(note.at)) - note.at).0.abs() < 2_000);
        }
    }
}
