//! How the tempo ladder went: a step for each pass, as high as its tempo, filled where it was clean.

use egui::{Align2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::practice::ladder::{Climb, Rung};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, fade, tokens};
use crate::ui::widgets::{Line, card_ui, snap};

/// The last so many passes are shown: more are too thin to read.
const SHOWN_MAX: usize = 60;
/// The widest a pass is drawn.
const STEP_MAX: f32 = 46.0;

/// The card; nothing without a ladder.
pub(super) fn ui(ui: &mut Ui, rungs: &[Rung]) {
    if rungs.is_empty() {
        return;
    }
    let story = text::ladder_story(rungs);
    card_ui(ui, tr().ladder_card, "", |ui| {
        let t = tokens(ui);
        let done = rungs.last().is_some_and(|rung| rung.climb == Climb::Done);
        Line::new(&story).color(if done { t.good } else { t.text }).show(ui);
        ui.add_space(6.0);
        steps_ui(ui, rungs);
    });
}

fn steps_ui(ui: &mut Ui, rungs: &[Rung]) {
    let first = rungs.len().saturating_sub(SHOWN_MAX);
    let shown = &rungs[first..];
    let height = 96.0 * theme::scale(ui);
    let (_, area) = ui.allocate_space(vec2(ui.available_width(), height));
    let step = (area.width() / shown.len() as f32).min(STEP_MAX);
    let speed = |rung: &Rung| f32::from(rung.speed.get());
    let top = shown.iter().map(speed).fold(1.0, f32::max);
    let low = shown.iter().map(speed).fold(top, f32::min) * 0.6;
    let base = area.bottom() - 2.0;
    for (index, rung) in shown.iter().enumerate() {
        let share = ((speed(rung) - low) / (top - low).max(1.0)).clamp(0.05, 1.0);
        let left = area.left() + index as f32 * step;
        let body = Rect::from_min_max(pos2(left + 2.0, base - share * (height - 24.0)), pos2(left + step - 2.0, base));
        rung_ui(ui, rung, first + index, body, step);
    }
    let t = tokens(ui);
    ui.painter().hline(area.x_range(), snap(ui, base), t.hairline());
}

fn rung_ui(ui: &mut Ui, rung: &Rung, index: usize, body: Rect, step: f32) {
    let t = tokens(ui);
    let response = ui.interact(body, ui.scope_id().with(("rung", index)), Sense::hover());
    let words = text::rung_in_words(index + 1, rung);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &words));
    // A clean pass is filled, the others are an outline: colour is not the only sign.
    if rung.clean {
        ui.painter().rect_filled(body, 3, fade(t.good, 0.8));
    } else {
        ui.painter().rect(body, 3, fade(t.warn, 0.12), Stroke::new(1.5, t.warn), StrokeKind::Inside);
    }
    if step >= 30.0 {
        let at = pos2(body.center().x, body.top() - 3.0);
        let font = theme::regular(ui, 11.0);
        ui.painter().text(at, Align2::CENTER_BOTTOM, rung.speed.get(), font, t.muted);
    }
    response.on_hover_text(words);
}
