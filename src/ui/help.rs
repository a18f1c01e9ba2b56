//! The table of shortcuts over the window.

use egui::scroll_area::ScrollBarVisibility;
use egui::{Id, Modal, Rect, ScrollArea, Ui, pos2, vec2};

use super::shortcuts::{TABLE, written};
use super::state::State;
use super::text::tr;
use super::theme::{self, tokens};
use super::widgets::{Button, Line, card_frame};

/// The overlay, when it is wanted.
pub(super) fn ui(ui: &mut Ui, state: &mut State) {
    if !state.help {
        return;
    }
    let room = ui.ctx().content_rect().size() - vec2(80.0, 80.0);
    let modal = Modal::new(Id::unique("help")).frame(card_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((640.0 * theme::scale(ui)).min(room.x));
        Line::new(tr().help).size(theme::size::TITLE).bold().show(ui);
        Line::small(tr().help_remark).color(tokens(ui).muted).show(ui);
        ScrollArea::vertical()
            .scroll_bar_visibility(ScrollBarVisibility::AlwaysVisible)
            .max_height(room.y - 140.0)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for (what, keys) in [
                    (tr().help_white, tr().help_white_keys),
                    (tr().help_black, tr().help_black_keys),
                    (tr().help_octave, tr().help_octave_keys),
                ] {
                    line_ui(ui, tr().help_piano, what, keys);
                }
                for entry in TABLE {
                    let keys: Vec<String> = entry.shortcuts.iter().map(|s| written(ui.ctx(), s)).collect();
                    line_ui(ui, entry.name, entry.description, &keys.join("   "));
                }
            });
        ui.add_space(8.0);
        Button::new(tr().close).show(ui).clicked()
    });
    if modal.inner || modal.should_close() {
        state.help = false;
    }
}

fn line_ui(ui: &mut Ui, name: &str, description: &str, keys: &str) {
    let t = tokens(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 26.0 * theme::scale(ui)));
    let first = rect.width() * 0.24;
    let last = rect.width() * 0.26;
    let middle = rect.right() - last;
    Line::new(name).size(13.0).bold().show_at(ui, rect.with_max_x(rect.left() + first - 8.0));
    let place = Rect::from_min_max(pos2(rect.left() + first, rect.top()), pos2(middle - 8.0, rect.bottom()));
    Line::new(description).size(13.0).color(t.muted).show_at(ui, place);
    Line::new(keys).size(13.0).color(t.accent_text).show_at(ui, rect.with_min_x(middle));
}
