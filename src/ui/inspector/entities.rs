//! Values held by the bus, with their versions.

use egui::{Ui, vec2};

use super::events::passes;
use crate::ui::Cx;
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::widgets::{Column, Line, card_ui, search_ui, table_ui};

/// The table fills the page.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let entities = cx.view.entities;
    card_ui(ui, "", "", |ui| {
        ui.set_max_height(ui.available_height() - space::CARD);
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
        let field = rect.with_min_x(rect.right() - (rect.width() * 0.4).min(260.0 * theme::scale(ui)));
        search_ui(ui, field, tr().filter, tr().filter_hint, &mut state.inspector.filter);
        let title = text::of_last(tr().entities, entities.len());
        let muted = tokens(ui).muted;
        Line::new(&title).size(13.0).bold().color(muted).show_at(ui, rect.with_max_x(field.left() - 8.0));
        let filter = &state.inspector.filter;
        let rows: Vec<_> = entities.iter().filter(|e| passes(filter, "", &e.key)).collect();
        let columns = [
            Column::new(tr().entity, 150.0).grow(0.3),
            Column::new(tr().version, 60.0).right(),
            Column::new(tr().value, 160.0).grow(1.0),
        ];
        table_ui(
            ui,
            "entities",
            &columns,
            rows.len(),
            |_| None,
            |ui, i, row| {
                let t = tokens(ui);
                row.line(ui, 0, Line::new(&rows[i].key).size(13.0).bold());
                row.text(ui, 1, &text::count(rows[i].version));
                row.colored(ui, 2, &rows[i].value, t.muted);
            },
        );
    });
}
