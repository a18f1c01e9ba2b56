//! Events as they pass, with a filter, and the payload of the one chosen.

use std::sync::Arc;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use crate::bus::inspect::{EventView, Report, event_json};
use crate::ui::state::{InspectorState, State};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::widgets::{Button, Column, Line, card_frame, inside, search_ui, table_ui};

/// The list fills the room it gets.
pub(super) fn ui(ui: &mut Ui, state: &mut State, report: &Report) {
    let height = ui.available_height();
    card_frame(ui).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), height - 2.0 * space::CARD));
        ui.set_max_height(height - 2.0 * space::CARD);
        ui.spacing_mut().item_spacing.y = 6.0;
        let inspector = &mut state.inspector;
        head_ui(ui, inspector, report);
        let fits = |e: &&Arc<dyn EventView>| passes(&inspector.filter, e.topic(), e.entity());
        let rows: Vec<&Arc<dyn EventView>> = report.recent.iter().rev().filter(fits).collect();
        if rows.is_empty() {
            Line::new(tr().events_empty).size(13.0).color(tokens(ui).muted).show(ui);
            return;
        }
        let selected = inspector.selected.and_then(|seq| rows.iter().find(|e| e.seq() == seq));
        let detail = if selected.is_some() { 120.0 * theme::scale(ui) } else { 0.0 };
        let (_, area) = ui.allocate_space(vec2(ui.available_width(), (ui.available_height() - detail).max(90.0)));
        let mut pressed = None;
        inside(ui, area, "list", |ui| {
            pressed = list_ui(ui, &rows, inspector.selected);
        });
        if let Some(event) = selected {
            payload_ui(ui, event.as_ref());
        }
        if let Some(seq) = pressed {
            inspector.selected = if inspector.selected == Some(seq) { None } else { Some(seq) };
        }
    });
}

fn head_ui(ui: &mut Ui, inspector: &mut InspectorState, report: &Report) {
    let t = tokens(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
    let follow = Button::new(tr().clear).chip().enabled(!inspector.filter.is_empty());
    let width = follow.width(ui);
    let place = Rect::from_min_max(pos2(rect.right() - width, rect.top()), rect.max);
    if follow.show_at(ui, place).clicked() {
        inspector.filter.clear();
    }
    let field = (rect.width() * 0.4).min(230.0 * theme::scale(ui));
    let search =
        Rect::from_min_max(pos2(place.left() - 8.0 - field, rect.top()), pos2(place.left() - 8.0, rect.bottom()));
    search_ui(ui, search, tr().filter, tr().filter_hint, &mut inspector.filter);
    let words = text::of_last(tr().events, report.recent.len());
    Line::new(&words).size(13.0).bold().color(t.muted).show_at(ui, rect.with_max_x(search.left() - 8.0));
}

/// Whether a topic or an entity fits a filter: part of it, or a pattern that ends in `*`.
pub(super) fn passes(filter: &str, topic: &str, entity: &str) -> bool {
    let filter = filter.trim();
    match filter.strip_suffix('*') {
        Some(start) => topic.starts_with(start) || entity.starts_with(start),
        None => topic.contains(filter) || entity.contains(filter),
    }
}

fn list_ui(ui: &mut Ui, rows: &[&Arc<dyn EventView>], selected: Option<u64>) -> Option<u64> {
    let t = tr();
    let columns = [
        Column::new(t.seq, 76.0),
        Column::new(t.time, 88.0).spare(3),
        Column::new(t.topic, 116.0).grow(0.3),
        Column::new(t.entity, 100.0).grow(0.4).spare(1),
        Column::new(t.version, 62.0).right().spare(2),
        Column::new(t.what, 110.0).grow(1.0).spare(4),
    ];
    let mut pressed = None;
    let name = |i: usize| Some(text::event_in_words(rows[i].seq(), rows[i].topic(), rows[i].entity()));
    table_ui(ui, "events", &columns, rows.len(), name, |ui, i, row| {
        let k = tokens(ui);
        let event = rows[i];
        let header = event.header();
        if selected == Some(event.seq()) {
            ui.painter().rect_filled(row.response.rect, 4, theme::fade(k.accent, 0.18));
        }
        row.colored(ui, 0, &text::count(event.seq()), k.muted);
        row.colored(ui, 1, &text::wall_clock(crate::time::WallMillis((header.hlc >> 16) as i64)), k.muted);
        row.line(ui, 2, Line::new(event.topic()).size(13.0).bold());
        row.colored(ui, 3, event.entity(), k.muted);
        row.text(ui, 4, &text::count(header.version));
        row.colored(ui, 5, &text::payload_line(&event.payload()), k.text);
        if row.response.clicked() {
            pressed = Some(event.seq());
        }
    });
    pressed
}

fn payload_ui(ui: &mut Ui, event: &dyn EventView) {
    let t = tokens(ui);
    ui.painter().hline(ui.available_rect_before_wrap().x_range(), ui.cursor().top(), t.hairline());
    ui.add_space(6.0);
    ScrollArea::vertical().id_salt("payload").auto_shrink(false).show(ui, |ui| {
        let json = serde_json::to_string_pretty(&event_json(event)).unwrap_or_default();
        let words = egui::RichText::new(json).font(theme::regular(ui, 12.0)).color(t.muted);
        ui.add(egui::Label::new(words).wrap());
    });
}

#[cfg(test)]
mod tests {
    use super::passes;

    #[test]
    fn a_filter_is_a_part_or_a_beginning() {
        for (filter, expected) in [
            ("", true),
            ("note", true),
            ("note.*", true),
            ("take/8", true),
            ("ake", true),
            ("ake*", false),
            ("x", false),
        ] {
            assert_eq!(passes(filter, "note.played", "take/8f2c"), expected, "{filter}");
        }
    }
}
