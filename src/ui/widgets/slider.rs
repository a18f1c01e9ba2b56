//! A slim slider over whole numbers: a track, what is filled of it in the accent colour, and a knob.

use std::ops::RangeInclusive;

use egui::accesskit::{self, Action, ActionData};
use egui::{EventFilter, Key, Modifiers, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2};

use crate::ui::theme::tokens;

const KNOB: f32 = 7.0;

/// A slider in `rect`, named `name`; answers the new value when it was moved by mouse, arrow keys or screen reader.
pub fn slider_ui(ui: &mut Ui, rect: Rect, name: &str, value: u64, range: RangeInclusive<u64>) -> Option<u64> {
    let (low, high) = (*range.start(), *range.end());
    let value = value.clamp(low, high);
    let id = ui.scope_id().with(("slider", name));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let track = rect.x_range().shrink(KNOB);
    let span = (high - low).max(1) as f64;
    let mut new = value;
    if let Some(at) = response.interact_pointer_pos() {
        let share = f64::from((at.x - track.min) / track.span().max(1.0)).clamp(0.0, 1.0);
        new = low + (share * span).round() as u64;
    }
    if response.has_focus() {
        new = by_keyboard(ui, &response, new, (low, high));
    }
    new = by_screen_reader(ui, &response, new, (low, high));
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), new as f64, name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Slider);
        node.set_min_numeric_value(low as f64);
        node.set_max_numeric_value(high as f64);
        node.set_numeric_value_step(1.0);
        node.add_action(Action::SetValue);
        node.add_action(Action::Increment);
        node.add_action(Action::Decrement);
    });
    paint(ui, rect, &response, ((new - low) as f64 / span) as f32);
    (new != value).then_some(new)
}

fn by_keyboard(ui: &Ui, response: &Response, value: u64, (low, high): (u64, u64)) -> u64 {
    let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
    let step = |key| ui.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key)) as u64;
    let (up, down) = (step(Key::ArrowRight), step(Key::ArrowLeft));
    value.saturating_add(up).saturating_sub(down).clamp(low, high)
}

fn by_screen_reader(ui: &Ui, response: &Response, value: u64, (low, high): (u64, u64)) -> u64 {
    ui.input(|i| {
        let count = |action| i.num_accesskit_action_requests(response.id, action) as u64;
        let moved = value.saturating_add(count(Action::Increment)).saturating_sub(count(Action::Decrement));
        let set = i.accesskit_action_requests(response.id, Action::SetValue).last();
        match set.and_then(|request: &accesskit::ActionRequest| request.data.as_ref()) {
            Some(ActionData::NumericValue(n)) if n.is_finite() => n.round().max(0.0) as u64,
            _ => moved,
        }
        .clamp(low, high)
    })
}

fn paint(ui: &Ui, rect: Rect, response: &Response, share: f32) {
    let t = tokens(ui);
    let y = rect.center().y;
    let track = Rect::from_min_max(pos2(rect.left(), y - 2.0), pos2(rect.right(), y + 2.0));
    let x = rect.left() + KNOB + share * (rect.width() - 2.0 * KNOB);
    let painter = ui.painter();
    painter.rect_filled(track, 2, t.line);
    painter.rect_filled(track.with_max_x(x), 2, t.accent);
    painter.circle_filled(pos2(x, y), if response.hovered() { KNOB + 1.0 } else { KNOB }, t.text);
    if response.has_focus() {
        painter.circle_stroke(pos2(x, y), KNOB + 3.0, Stroke::new(2.0, t.accent));
    }
}
