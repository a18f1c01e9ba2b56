//! What is on disk: how much, in which tables, how commits go.

use egui::{Ui, vec2};

use crate::bus::inspect::Report;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::widgets::{Column, Line, card_ui, fact_ui, number_cards_ui, pair_ui, rows_ui};

/// Numbers above; tables, and how commits go, below.
pub(super) fn ui(ui: &mut Ui, report: &Report) {
    numbers_ui(ui, report);
    pair_ui(ui, 400.0 * theme::scale(ui), |ui, right| {
        ui.spacing_mut().item_spacing.y = space::GAP;
        if right {
            super::commit_ui(ui, report, 120.0);
            commits_ui(ui, report);
        } else {
            tables_ui(ui, report);
        }
    });
}

fn numbers_ui(ui: &mut Ui, report: &Report) {
    let (t, store) = (tr(), &report.store);
    let card = |number: String, word: &str, basis: String| (number, word.to_owned(), basis);
    let cards = [
        card(text::bytes(store.bytes), t.on_disk, text::of(t.map, &text::bytes(store.map_size))),
        card(text::part(store.map_used, store.map_size), t.of_map_used, text::free(store.free)),
        card(text::count(store.events), t.events_kept, text::entities(store.entities)),
        card(text::bytes_each(store), t.bytes_an_event, text::written_each(report)),
    ];
    number_cards_ui(ui, &cards);
}

fn tables_ui(ui: &mut Ui, report: &Report) {
    let t = tr();
    card_ui(ui, t.tables, "", |ui| {
        let tables: Vec<_> = report.store.tables.iter().filter(|table| !table.name.is_empty()).collect();
        if tables.is_empty() {
            Line::new(t.tables_none).size(13.0).color(tokens(ui).muted).show(ui);
            return;
        }
        let columns = [
            Column::new(t.name, 110.0).grow(1.0),
            Column::new(t.entries, 90.0).right(),
            Column::new(t.bytes, 80.0).right(),
            Column::new(t.share, 70.0).right().spare(1),
        ];
        rows_ui(
            ui,
            "tables",
            &columns,
            tables.len(),
            |_| None,
            |ui, i, row| {
                let (k, table) = (tokens(ui), tables[i]);
                row.line(ui, 0, Line::new(table.name).size(13.0).bold());
                row.text(ui, 1, &text::count(table.entries));
                row.text(ui, 2, &text::bytes(table.bytes));
                row.colored(ui, 3, &text::part(table.bytes, report.store.map_used), k.muted);
            },
        );
    });
}

fn commits_ui(ui: &mut Ui, report: &Report) {
    let (t, counts) = (tr(), &report.counts);
    card_ui(ui, t.commits, "", |ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        let k = tokens(ui);
        let facts = [
            (t.batches, text::batches(counts), k.text),
            (t.failures, text::count(counts.commit_failures), if counts.commit_failures > 0 { k.warn } else { k.text }),
            (t.written, text::bytes(counts.bytes_committed), k.text),
            (t.undurable, text::undurable(report), k.text),
            (t.erased_events, text::count(counts.erased), k.text),
        ];
        facts.iter().for_each(|(name, value, color)| fact_ui(ui, name, value, *color));
    });
}
