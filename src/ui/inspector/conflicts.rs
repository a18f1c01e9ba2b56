//! Edits whose authors had not seen each other's: both sides, who decided, and a way to bring the loser back.

use egui::{Ui, vec2};

use crate::bus::inspect::Search;
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{space, tokens};
use crate::ui::view::ConflictRow;
use crate::ui::widgets::{Button, Line, card_ui, empty_ui, search_ui};
use crate::ui::{Command, Cx, icons, theme};

/// A card a conflict, newest first.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let all = cx.view.conflicts;
    if all.is_empty() {
        empty_ui(ui, icons::PULSE, tr().conflicts_empty, None);
        return;
    }
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
    let field = rect.with_min_x(rect.right() - (rect.width() * 0.4).min(260.0 * theme::scale(ui)));
    search_ui(ui, field, tr().filter, tr().filter_hint, &mut state.inspector.filter);
    Line::small(tr().conflicts_remark).color(tokens(ui).muted).show_at(ui, rect.with_max_x(field.left() - 8.0));
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::GAP;
        let search = Search::new(&state.inspector.filter);
        for row in all.iter().filter(|row| search.fits_names(&row.topic, &row.entity)) {
            conflict_ui(cx, ui, row);
        }
    });
}

fn conflict_ui(cx: &mut Cx<'_>, ui: &mut Ui, row: &ConflictRow) {
    let t = tr();
    let title = format!("{}{}{}", row.entity, text::DOT, row.topic);
    card_ui(ui, &title, &row.strategy, |ui| {
        let second = if row.both { t.stays_too } else { t.gives_way };
        for (word, side, lost) in [(t.stays, &row.winner, false), (second, &row.loser, !row.both)] {
            let height = 26.0 * theme::scale(ui);
            let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
            let color = if lost { tokens(ui).muted } else { tokens(ui).text };
            let label = rect.with_max_x(rect.left() + 90.0 * theme::scale(ui));
            Line::new(word).size(13.0).bold().show_at(ui, label);
            let who = text::side(side);
            let who_width = (rect.width() * 0.3).min(240.0 * theme::scale(ui));
            let place = rect.with_min_x(label.right()).with_max_x(label.right() + who_width);
            Line::small(&who).color(tokens(ui).muted).show_at(ui, place);
            let button = if lost { 92.0 * theme::scale(ui) } else { 0.0 };
            let payload = rect.with_min_x(place.right() + 8.0).with_max_x(rect.right() - button - 8.0);
            Line::new(&side.payload).size(13.0).color(color).show_at(ui, payload);
            if lost {
                let name = text::bring_back(&row.entity, side.number);
                let place = rect.with_min_x(rect.right() - button);
                if Button::new(&name).shown(t.bring_back).quiet().show_at(ui, place).clicked() {
                    let (entity, device, number) = (row.entity.clone(), side.device, side.number);
                    cx.send.push(Command::BringBack { entity, device, number });
                }
            }
        }
    });
}
