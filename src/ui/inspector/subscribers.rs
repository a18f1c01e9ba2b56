//! Who listens, how far behind, and how it stands.

use egui::{Color32, Ui, vec2};

use crate::bus::inspect::{Report, SubscriberReport};
use crate::ui::text::{self, tr};
use crate::ui::theme::{Tokens, space, tokens};
use crate::ui::widgets::{Column, card_frame, card_ui, table_ui};

fn state(t: &Tokens, s: &SubscriberReport) -> (String, Color32) {
    let color = if s.parked {
        t.bad
    } else if s.held > 0 || !s.attached {
        t.warn
    } else {
        t.muted
    };
    (text::subscriber_state(s), color)
}

/// All columns, on a page of its own; live subscribers below.
pub(super) fn ui(ui: &mut Ui, report: &Report) {
    let t = tr();
    card_ui(ui, t.subscribers, "", |ui| {
        ui.set_max_height((ui.available_height() * 0.6).max(120.0));
        let columns = [
            Column::new(t.name, 120.0).grow(0.6),
            Column::new(t.filter, 90.0).grow(0.4).spare(3),
            Column::new(t.acked, 84.0).right().spare(2),
            Column::new(t.lag, 50.0).right(),
            Column::new(t.pending, 64.0).right().spare(1),
            Column::new(t.dead, 56.0).right().spare(4),
            Column::new(t.state, 120.0).grow(0.6),
        ];
        let rows = &report.subscribers;
        table_ui(
            ui,
            "subscribers",
            &columns,
            rows.len(),
            |_| None,
            |ui, i, row| {
                let k = tokens(ui);
                let s = &rows[i];
                row.text(ui, 0, &s.name);
                row.colored(ui, 1, &s.filter, k.muted);
                row.text(ui, 2, &text::count(s.acked));
                row.text(ui, 3, &text::count(s.lag));
                row.text(ui, 4, &text::count(s.pending as u64));
                row.text(ui, 5, &text::count(s.dead_letters as u64));
                let (words, color) = state(k, s);
                row.colored(ui, 6, &words, color);
            },
        );
    });
    card_ui(ui, t.live, "", |ui| {
        let columns = [
            Column::new(t.filter, 160.0).grow(1.0),
            Column::new(t.waiting, 120.0).right(),
            Column::new(t.lost, 60.0).right(),
        ];
        table_ui(
            ui,
            "live",
            &columns,
            report.live.len(),
            |_| None,
            |ui, i, row| {
                let live = &report.live[i];
                row.text(ui, 0, &live.filter);
                row.text(ui, 1, &text::fill(live.fill));
                row.text(ui, 2, &text::count(live.lost));
            },
        );
    });
}

/// Name, lag, pending, state: beside the events.
pub(super) fn short_ui(ui: &mut Ui, report: &Report) {
    let t = tr();
    let height = ui.available_height();
    card_frame(ui).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), height - 2.0 * space::CARD));
        ui.set_max_height(height - 2.0 * space::CARD);
        ui.spacing_mut().item_spacing.y = 4.0;
        crate::ui::widgets::Line::new(t.subscribers).size(13.0).bold().color(tokens(ui).muted).show(ui);
        let columns = [
            Column::new(t.name, 90.0).grow(1.0),
            Column::new(t.lag, 36.0).right(),
            Column::new(t.pending, 54.0).right().spare(1),
            Column::new(t.state, 108.0),
        ];
        let rows = &report.subscribers;
        table_ui(
            ui,
            "subscribers short",
            &columns,
            rows.len(),
            |_| None,
            |ui, i, row| {
                let k = tokens(ui);
                row.text(ui, 0, &rows[i].name);
                row.text(ui, 1, &text::count(rows[i].lag));
                row.text(ui, 2, &text::count(rows[i].pending as u64));
                let (words, color) = state(k, &rows[i]);
                row.colored(ui, 3, &words, color);
            },
        );
    });
}
