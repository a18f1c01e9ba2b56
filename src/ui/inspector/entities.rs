//! Values held by the bus, with their versions.

use egui::{Ui, vec2};

use crate::bus::inspect::Search;
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::view::HistoryRow;
use crate::ui::widgets::{Button, Column, Line, card_ui, search_ui, slider_ui, table_ui};
use crate::ui::{Command, Cx};

/// The values, and below them how the chosen one came to be.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let height = ui.available_height();
    let share = if cx.view.history.is_some() { 0.55 } else { 1.0 };
    values_ui(cx, ui, state, height * share - space::CARD);
    if let Some((key, rows)) = cx.view.history {
        history_ui(ui, key, rows);
    }
}

fn values_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, height: f32) {
    let entities = cx.view.entities;
    card_ui(ui, "", "", |ui| {
        ui.set_max_height(height - space::CARD);
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
        let field = rect.with_min_x(rect.right() - (rect.width() * 0.4).min(260.0 * theme::scale(ui)));
        search_ui(ui, field, tr().filter, tr().filter_hint, &mut state.inspector.filter);
        let hint = if cx.view.history.is_some() { "" } else { tr().history_hint };
        let title = format!("{}   {hint}", text::listed(tr().entities, entities.len()));
        let muted = tokens(ui).muted;
        Line::new(&title).size(13.0).bold().color(muted).show_at(ui, rect.with_max_x(field.left() - 8.0));
        time_ui(cx, ui);
        let search = Search::new(&state.inspector.filter);
        let rows: Vec<_> = entities.iter().filter(|e| search.fits_names("", &e.key)).collect();
        let columns = [
            Column::new(tr().entity, 150.0).grow(0.3),
            Column::new(tr().version, 60.0).right(),
            Column::new(tr().value, 160.0).grow(1.0),
        ];
        let name = |i: usize| Some(text::history_of(&rows[i].key));
        table_ui(ui, "entities", &columns, rows.len(), name, |ui, i, row| {
            let t = tokens(ui);
            row.line(ui, 0, Line::new(&rows[i].key).size(13.0).bold());
            row.text(ui, 1, &text::count(rows[i].version));
            row.colored(ui, 2, &rows[i].value, t.muted);
            if row.response.clicked() {
                cx.send.push(Command::ShowHistory(rows[i].key.clone()));
            }
        });
    });
}

/// A slider over all events: the entities as they were after any of them.
fn time_ui(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(report) = cx.view.bus else { return };
    let (t, scale) = (tr(), theme::scale(ui));
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 30.0 * scale));
    let label = rect.with_max_x(rect.left() + 110.0 * scale);
    Line::small(t.time_machine).color(tokens(ui).muted).show_at(ui, label);
    let now = rect.with_min_x(rect.right() - 64.0 * scale);
    let words = now.with_min_x(now.left() - 236.0 * scale).with_max_x(now.left() - 8.0);
    let end = report.durable.max(1);
    let (seq, shown) = match cx.view.past {
        Some((seq, at)) => (seq, text::as_of(seq, at)),
        None => (end, t.now.to_owned()),
    };
    let track = label.with_min_x(label.right()).with_max_x(words.left() - 12.0);
    if let Some(seq) = slider_ui(ui, track, t.time_machine, seq, 1..=end) {
        cx.send.push(Command::ShowAt((seq < end).then_some(seq)));
    }
    Line::small(&shown).color(tokens(ui).text).align(egui::Align::Max).show_at(ui, words);
    if cx.view.past.is_some() && Button::new(t.now).quiet().show_at(ui, now).clicked() {
        cx.send.push(Command::ShowAt(None));
    }
}

/// Every version of an entity, newest first: who made it, with what, and the value after it.
fn history_ui(ui: &mut Ui, key: &str, rows: &[HistoryRow]) {
    let t = tr();
    card_ui(ui, &format!("{}{}{key}", t.history, text::DOT), &text::count(rows.len() as u64), |ui| {
        let columns = [
            Column::new(t.version, 56.0).right(),
            Column::new(t.seq, 76.0).right().spare(3),
            Column::new(t.date, 128.0).spare(1),
            Column::new(t.topic, 118.0),
            Column::new(t.actor, 70.0).spare(2),
            Column::new(t.said, 120.0).grow(0.8),
            Column::new(t.value, 120.0).grow(1.0),
        ];
        super::at_most(ui, 0.95, 80.0, |ui| {
            table_ui(
                ui,
                "history",
                &columns,
                rows.len(),
                |_| None,
                |ui, i, row| {
                    let (k, line) = (tokens(ui), &rows[i]);
                    row.text(ui, 0, &text::count(line.version));
                    row.text(ui, 1, &text::count(line.seq));
                    row.text(ui, 2, &text::moment(line.at));
                    row.line(ui, 3, Line::new(&line.topic).size(13.0).bold());
                    row.text(ui, 4, &line.actor);
                    row.text(ui, 5, &line.payload);
                    // What did not change is not worth the eye.
                    let before = rows.get(i + 1).map(|before| &*before.value);
                    let color = if before == Some(&*line.value) { k.faint } else { k.muted };
                    row.colored(ui, 6, &line.value, color);
                },
            );
        });
    });
}
