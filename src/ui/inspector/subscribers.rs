//! Who listens, how far behind, and how it stands.

use egui::{Color32, Rect, Ui, vec2};

use crate::bus::inspect::{Report, SubscriberReport};
use crate::ui::text::{self, tr};
use crate::ui::theme::{Tokens, space, tokens};
use crate::ui::widgets::{Button, Column, card_frame, card_ui, rows_ui, table_ui};
use crate::ui::{Command, Cx};

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

/// All columns, on a page of its own; dead letters and live subscribers below.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, report: &Report) {
    let t = tr();
    card_ui(ui, t.subscribers, "", |ui| {
        let columns = [
            Column::new(t.name, 120.0).grow(0.6),
            Column::new(t.filter, 90.0).grow(0.4).spare(5),
            Column::new(t.acked, 84.0).right().spare(6),
            Column::new(t.lag, 44.0).right(),
            Column::new(t.pending, 60.0).right(),
            Column::new(t.held, 44.0).right().spare(3),
            Column::new(t.tries, 44.0).right().spare(1),
            Column::new(t.redelivered, 50.0).right().spare(4),
            Column::new(t.next_due, 70.0).right().spare(2),
            Column::new(t.dead, 44.0).right().spare(7),
            Column::new(t.state, 120.0).grow(0.6),
        ];
        let rows = &report.subscribers;
        rows_ui(
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
                row.text(ui, 5, &text::count(s.held as u64));
                row.text(ui, 6, &text::count(u64::from(s.tries)));
                row.text(ui, 7, &text::count(s.redelivered));
                row.text(ui, 8, &text::due_in(s.next_due, report.at));
                row.text(ui, 9, &text::count(s.dead_letters as u64));
                let (words, color) = state(k, s);
                row.colored(ui, 10, &words, color);
            },
        );
    });
    if !report.letters.is_empty() {
        letters_ui(cx, ui, report);
    }
    if report.live.is_empty() {
        return;
    }
    card_ui(ui, t.live, "", |ui| {
        let columns = [
            Column::new(t.filter, 160.0).grow(1.0),
            Column::new(t.waiting, 200.0).right(),
            Column::new(t.lost, 60.0).right(),
        ];
        rows_ui(
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

/// What was given up, each with a way back and a way out.
fn letters_ui(cx: &mut Cx<'_>, ui: &mut Ui, report: &Report) {
    let t = tr();
    card_ui(ui, t.dead_letters, &text::count(report.dead_letters as u64), |ui| {
        let columns = [
            Column::new(t.name, 90.0),
            Column::new(t.event, 76.0).right(),
            Column::new(t.tries, 44.0).right().spare(1),
            Column::new(t.error, 100.0).grow(1.0),
            Column::new("", 70.0),
            Column::new("", 60.0),
        ];
        let rows = &report.letters;
        rows_ui(
            ui,
            "letters",
            &columns,
            rows.len(),
            |_| None,
            |ui, i, row| {
                let letter = &rows[i];
                let (subscriber, seq) = (letter.subscriber.clone(), letter.seq);
                row.text(ui, 0, &subscriber);
                row.text(ui, 1, &text::count(seq));
                row.text(ui, 2, &text::count(u64::from(letter.tries)));
                row.colored(ui, 3, &letter.error, tokens(ui).muted);
                if cell_button(ui, row.cell(4), &text::letter_action(t.replay, letter), t.replay) {
                    cx.send.push(Command::ReplayLetter { subscriber: subscriber.clone(), seq });
                }
                if cell_button(ui, row.cell(5), &text::letter_action(t.drop, letter), t.drop) {
                    cx.send.push(Command::DropLetter { subscriber, seq });
                }
            },
        );
    });
}

fn cell_button(ui: &mut Ui, cell: Option<Rect>, name: &str, shown: &str) -> bool {
    cell.is_some_and(|cell| Button::new(name).shown(shown).quiet().show_at(ui, cell.shrink2(vec2(2.0, 2.0))).clicked())
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
