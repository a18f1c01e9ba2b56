//! The window's own controls: painted by hand, named for screen readers, with colours from the theme only.

mod bars;
mod button;
mod card;
mod curve;
mod field;
mod histogram;
mod line;
mod loads;
mod mark;
mod node;
mod segmented;
mod slider;
mod star;
mod table;

pub use bars::{bar_cells_ui, share_color};
pub use button::Button;
pub use card::{card_frame, card_ui, empty_ui, fact_ui, number_cards_ui, page_frame, pair_ui, panel_ui, switch_row_ui};
pub use curve::curve_ui;
pub use field::search_ui;
pub use histogram::histogram_ui;
pub use line::{Line, remark_ui, width_of};
pub use loads::loads_ui;
pub use mark::{color_of, mark_shape, shape_of};
pub use node::{Node, arrow, node_ui};
pub use segmented::{Segment, segmented_ui, segmented_width};
pub use slider::slider_ui;
pub use star::star_ui;
pub use table::{Column, Row, focus_row, row_height, row_keys, row_wanted, rows_that_fit, rows_ui, table_ui};

use egui::{Rect, Response, Stroke, StrokeKind, Ui};

use super::theme::tokens;

/// Contents in a rectangle that was taken before; the layout around it goes on as if nothing had happened.
pub fn inside<R>(ui: &mut Ui, rect: Rect, salt: impl egui::AsIdSalt, contents: impl FnOnce(&mut Ui) -> R) -> R {
    contents(&mut ui.new_child(egui::UiBuilder::new().max_rect(rect).id_salt(salt)))
}

/// A ring around what has the keyboard's focus.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect, radius: u8) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens(ui).accent);
        ui.painter().rect_stroke(rect.expand(1.0), radius, stroke, StrokeKind::Outside);
    }
}

/// Lines on whole pixels.
pub fn snap(ui: &Ui, at: f32) -> f32 {
    ui.painter().round_to_pixel_center(at)
}
