//! A slim slider: a track, what is filled of it in the accent colour, and a knob.

use std::ops::RangeInclusive;

use egui::{Rect, Response, Slider, Ui, UiBuilder, vec2};

use crate::ui::theme::tokens;

/// A slider over whole numbers in `rect`, named `name`; the answer is the new value while it is being moved.
pub fn slider_ui(ui: &mut Ui, rect: Rect, name: &str, value: u16, range: RangeInclusive<u16>) -> Option<u16> {
    let mut new = value;
    let response = ui
        .scope_builder(UiBuilder::new().max_rect(rect).id_salt(name), |ui| raw_ui(ui, rect, name, &mut new, range))
        .inner;
    (response.changed() && new != value).then_some(new)
}

fn raw_ui(ui: &mut Ui, rect: Rect, name: &str, value: &mut u16, range: RangeInclusive<u16>) -> Response {
    let t = tokens(ui);
    let spacing = ui.spacing_mut();
    spacing.slider_width = rect.width();
    spacing.slider_rail_height = 4.0;
    spacing.interact_size = vec2(rect.width(), rect.height().min(20.0));
    let visuals = ui.visuals_mut();
    visuals.slider_trailing_fill = true;
    visuals.selection.bg_fill = t.accent;
    visuals.widgets.inactive.bg_fill = t.line;
    for state in [&mut visuals.widgets.inactive, &mut visuals.widgets.hovered, &mut visuals.widgets.active] {
        state.bg_fill = t.line;
        state.bg_stroke = egui::Stroke::NONE;
        state.fg_stroke = egui::Stroke::new(1.0, t.text);
    }
    let response = ui.put(rect, Slider::new(value, range).show_value(false).step_by(1.0));
    response.accessible_name(name)
}
