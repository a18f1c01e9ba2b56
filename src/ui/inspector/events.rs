//! The events of the whole log, newest first: only the rows that are seen are drawn, and the place in the log is a
//! number, so that its length does not matter. One can be chosen.

use std::sync::Arc;

use egui::{Rect, Sense, Ui, pos2, vec2};

use crate::bus::inspect::{EventView, Trail};
use crate::time::Micros;
use crate::ui::state::{InspectorState, State};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::view::{Events, NoteNames};
use crate::ui::widgets::{
    Button, Column, Line, card_frame, inside, row_height, rows_that_fit, rows_ui, search_ui, slider_ui,
};

/// The list fills the room it gets.
pub(super) fn ui(ui: &mut Ui, state: &mut State, events: &Events<'_>, names: NoteNames, trail: &Trail) {
    let height = ui.available_height();
    card_frame(ui).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), height - 2.0 * space::CARD));
        ui.set_max_height(height - 2.0 * space::CARD);
        ui.spacing_mut().item_spacing.y = 6.0;
        let inspector = &mut state.inspector;
        head_ui(ui, inspector, events);
        let foot = space::CHIP * theme::scale(ui);
        let (_, area) = ui.allocate_space(vec2(ui.available_width(), (ui.available_height() - foot - 6.0).max(60.0)));
        let fit = rows_that_fit(ui, area.height()).max(1);
        wheel(ui, inspector, events, area, fit);
        let first = first_row(inspector, events);
        let seen = &events.rows[first..(first + fit).min(events.rows.len())];
        inside(ui, area, "list", |ui| {
            if seen.is_empty() {
                Line::new(empty_words(inspector, events)).size(13.0).color(tokens(ui).muted).show(ui);
            } else if let Some(seq) = list_ui(ui, seen, events.offset, names, trail, inspector.selected) {
                inspector.selected = (inspector.selected != Some(seq)).then_some(seq);
            }
        });
        foot_ui(ui, inspector, events, first, fit);
    });
}

fn empty_words(inspector: &InspectorState, events: &Events<'_>) -> &'static str {
    match (events.searching || events.low > 1, inspector.filter.trim().is_empty()) {
        (true, _) => tr().searching,
        (false, true) => tr().events_empty,
        (false, false) => tr().events_none,
    }
}

/// The row at the top of the list.
fn first_row(inspector: &InspectorState, events: &Events<'_>) -> usize {
    let first = inspector.top.map_or(0, |top| events.rows.partition_point(|row| row.seq() > top));
    first.min(events.rows.len().saturating_sub(1))
}

/// Goes so many rows towards older events, as far as rows are at hand.
fn go(inspector: &mut InspectorState, events: &Events<'_>, fit: usize, by: isize) {
    let last = events.rows.len().saturating_sub(fit);
    let to = first_row(inspector, events).saturating_add_signed(by).min(last);
    inspector.top = events.rows.get(to).map(|row| row.seq());
}

/// Turning the wheel moves by whole rows, and away from the newest.
fn wheel(ui: &mut Ui, inspector: &mut InspectorState, events: &Events<'_>, area: Rect, fit: usize) {
    let over = ui.interact(area, ui.scope_id().with("wheel"), Sense::hover()).contains_pointer();
    let turned = ui.input(|input| input.smooth_scroll_delta().y);
    if !over || turned == 0.0 || events.rows.len() <= fit {
        return;
    }
    // The page around the list stays where it is.
    ui.input_mut(|input| input.smooth_scroll_delta = egui::Vec2::ZERO);
    inspector.turned -= turned;
    let rows = (inspector.turned / row_height(ui)).trunc();
    inspector.turned -= rows * row_height(ui);
    if rows != 0.0 && !(rows < 0.0 && inspector.top.is_none()) {
        go(inspector, events, fit, rows as isize);
    }
}

fn head_ui(ui: &mut Ui, inspector: &mut InspectorState, events: &Events<'_>) {
    let t = tokens(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
    let live = inspector.top.is_none();
    let follow = Button::new(tr().newest).chip().selected(live).role(egui::Role::Switch).tip(tr().newest_tip);
    let place = rect.with_min_x(rect.right() - follow.width(ui));
    if follow.show_at(ui, place).clicked() {
        inspector.top = if live { events.rows.first().map(|row| row.seq()) } else { None };
    }
    let clear = Button::new(tr().clear).chip().enabled(!inspector.filter.is_empty());
    let width = clear.width(ui);
    let place =
        Rect::from_min_max(pos2(place.left() - 8.0 - width, rect.top()), pos2(place.left() - 8.0, rect.bottom()));
    if clear.show_at(ui, place).clicked() {
        inspector.filter.clear();
    }
    let field = (rect.width() * 0.42).min(250.0 * theme::scale(ui));
    let search =
        Rect::from_min_max(pos2(place.left() - 8.0 - field, rect.top()), pos2(place.left() - 8.0, rect.bottom()));
    search_ui(ui, search, tr().filter, tr().filter_hint, &mut inspector.filter);
    let title = rect.with_max_x(search.left() - 8.0);
    let words = Line::new(tr().events).size(13.0).bold().color(t.muted);
    let split = (title.left() + words.width(ui).ceil() + 12.0).min(title.right());
    words.show_at(ui, title.with_max_x(split));
    if !inspector.filter.trim().is_empty() && events.low > 1 && split + 60.0 < title.right() {
        let line = text::searched_to(events.low);
        Line::small(&line).color(t.muted).show_at(ui, title.with_min_x(split));
    }
}

/// Where in the log the list stands: a slider over all of it, and a page to each side.
fn foot_ui(ui: &mut Ui, inspector: &mut InspectorState, events: &Events<'_>, first: usize, fit: usize) {
    let (scale, t) = (theme::scale(ui), tr());
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP * scale));
    let seq = events.rows.get(first).map_or(events.end, |row| row.seq());
    let seq = inspector.top.map_or(events.end, |top| top.min(seq).max(1));
    let words = text::place_of(seq, events.end);
    let words = Line::small(&words).color(tokens(ui).muted).align(egui::Align::Max);
    let place = rect.with_min_x(rect.right() - words.width(ui).ceil() - 2.0);
    words.show_at(ui, place);
    let older = Button::new(t.older).quiet().enabled(first + fit < events.rows.len());
    let left = rect.with_max_x(rect.left() + older.width(ui));
    if older.show_at(ui, left).clicked() {
        go(inspector, events, fit, fit as isize);
    }
    let newer = Button::new(t.newer).quiet().enabled(inspector.top.is_some() && seq < events.end);
    let width = newer.width(ui);
    let right = rect.with_max_x(place.left() - 12.0).with_min_x(place.left() - 12.0 - width);
    if newer.show_at(ui, right).clicked() {
        go(inspector, events, fit, -(fit as isize));
    }
    let track = rect.with_min_x(left.right() + 10.0).with_max_x(right.left() - 10.0);
    if track.width() > 40.0
        && let Some(to) = slider_ui(ui, track, t.place_in_log, seq, 1..=events.end.max(1))
    {
        inspector.top = Some(to);
    }
}

/// From being played, or taken, to being applied, and from there to the disk.
fn delays(trail: &Trail, seq: u64, played: Option<Micros>) -> String {
    let Some(round) = trail.rounds.of(seq) else { return text::NONE.to_owned() };
    let durable = trail.durable.of(seq).map(|durable| durable - round.applied);
    text::delays(round.applied - played.unwrap_or(round.taken), durable)
}

fn list_ui(
    ui: &mut Ui,
    rows: &[Arc<dyn EventView>],
    offset: i32,
    names: NoteNames,
    trail: &Trail,
    selected: Option<u64>,
) -> Option<u64> {
    let t = tr();
    let columns = [
        Column::new(t.seq, 76.0),
        Column::new(t.time, 88.0).spare(3),
        Column::new(t.topic, 116.0).grow(0.3),
        Column::new(t.entity, 100.0).grow(0.4).spare(1),
        Column::new(t.version, 62.0).right().spare(2),
        Column::new(t.what, 110.0).grow(1.0).spare(4),
        Column::new(t.delay, 84.0).right().spare(5),
    ];
    let mut pressed = None;
    let name = |i: usize| Some(text::event_in_words(rows[i].seq(), rows[i].topic(), rows[i].entity()));
    rows_ui(ui, "events", &columns, rows.len(), name, |ui, i, row| {
        let k = tokens(ui);
        let event = &rows[i];
        let header = event.header();
        if selected == Some(event.seq()) {
            ui.painter().rect_filled(row.response.rect, 4, theme::fade(k.accent, 0.18));
        }
        row.colored(ui, 0, &text::count(event.seq()), k.muted);
        row.colored(ui, 1, &text::wall_clock(header.hlc, offset), k.muted);
        row.line(ui, 2, Line::new(event.topic()).size(13.0).bold());
        row.colored(ui, 3, event.entity(), k.muted);
        row.text(ui, 4, &text::count(header.version));
        if row.cell(5).is_some() {
            row.colored(ui, 5, &text::event_line(&event.payload(), names), k.text);
        }
        row.colored(ui, 6, &delays(trail, event.seq(), header.stamp.map(|stamp| stamp.mono)), k.muted);
        if row.response.clicked() {
            pressed = Some(event.seq());
        }
    });
    pressed
}
