//! The bar ruler: the whole piece at a glance, its results, the loop, the playhead. Click to go there, drag to loop.

use egui::{Align2, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::practice::{BarRange, Mode};
use crate::time::Ticks;
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, tokens};
use crate::ui::view::Piece;
use crate::ui::widgets::{share_color, snap};
use crate::ui::{Command, Cx};

/// Points on each side of the bars.
const MARGIN: f32 = 24.0;

/// Where the bars lie.
#[derive(Clone, Copy)]
struct Scale {
    left: f32,
    step: f32,
    bars: usize,
}

impl Scale {
    fn new(rect: Rect, bars: usize) -> Self {
        // Short pieces keep bars of a sensible width.
        let step = ((rect.width() - 2.0 * MARGIN) / bars as f32).min(96.0);
        Self { left: rect.left() + MARGIN, step, bars }
    }

    fn x(self, bar: f32) -> f32 {
        self.left + bar * self.step
    }

    fn bar_at(self, x: f32) -> usize {
        (((x - self.left) / self.step).floor().max(0.0) as usize).min(self.bars - 1)
    }
}

/// The ruler in `rect`.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) {
    let t = tokens(ui);
    let scale = Scale::new(rect, piece.score.bars().len());
    ui.painter().rect_filled(rect, 0, t.surface);
    interact_ui(cx, ui, state, piece, rect, scale);
    let range = state.loop_drag.map(|(_, range)| range).or(loop_of(cx));
    if let Some(range) = range {
        let span =
            Rect::from_x_y_ranges(scale.x(range.first() as f32)..=scale.x(range.last() as f32 + 1.0), rect.y_range());
        ui.painter().rect_filled(span, 0, theme::fade(t.accent, 0.22));
    }
    marks_ui(ui, piece, rect, scale, (range, cx.view.play.transport.chosen.mode));
    playhead_ui(cx, ui, piece, rect, scale);
    ui.painter().hline(rect.x_range(), snap(ui, rect.bottom() - 1.0), t.hairline());
}

pub(super) fn loop_of(cx: &Cx<'_>) -> Option<BarRange> {
    let chosen = cx.view.play.transport.chosen;
    chosen.range
}

fn interact_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect, scale: Scale) {
    let response = ui.interact(rect, ui.scope_id().with("ruler"), Sense::click_and_drag());
    let bars = piece.score.bars();
    let now = bars.index_at(Ticks(cx.view.play.transport.position as i64));
    let words = || text::bar_ruler(tr().bar_ruler, bars.number(now), bars.number(bars.len() - 1));
    response.widget_info(|| WidgetInfo::labeled(Role::ScrollBar, true, words()));
    select_ui(cx, ui, state, &response, |at| scale.bar_at(at.x));
    super::super::widgets::focus_ring(ui, &response, rect.shrink(2.0), 4);
}

/// A click goes to a bar, dragging loops bars; `bar_at` tells the bar of a place.
pub(super) fn select_ui(
    cx: &mut Cx<'_>,
    ui: &Ui,
    state: &mut State,
    response: &Response,
    bar_at: impl Fn(Pos2) -> usize,
) {
    let pointer = response.interact_pointer_pos().map(&bar_at);
    if response.drag_started() {
        let start = ui.input(|i| i.pointer.press_origin()).map(&bar_at).or(pointer);
        state.loop_drag = start.map(|s| (s, BarRange::new(s, s)));
    }
    if let (true, Some((start, range)), Some(bar)) = (response.dragged(), state.loop_drag.as_mut(), pointer) {
        *range = BarRange::new(*start, bar);
    }
    if response.drag_stopped() {
        cx.send.extend(state.loop_drag.take().map(|(_, range)| Command::SetLoop(Some(range))));
    }
    if let (true, Some(bar)) = (response.clicked(), pointer) {
        cx.send.push(Command::SeekBar(bar));
    }
}

fn marks_ui(ui: &Ui, piece: &Piece<'_>, rect: Rect, scale: Scale, (range, mode): (Option<BarRange>, Mode)) {
    let t = tokens(ui);
    let painter = ui.painter_at(rect);
    let numbers = number_step(scale.step);
    let lines = if scale.step >= 6.0 { 1 } else { numbers };
    let bars = piece.score.bars();
    for bar in 0..=scale.bars {
        let x = snap(ui, scale.x(bar as f32));
        if bar % lines == 0 || bar == scale.bars {
            painter.vline(x, rect.y_range(), Stroke::new(1.0, theme::fade(t.line, 0.8)));
        }
        // Where the music leaves the order of the page.
        if (1..scale.bars).contains(&bar) && bars.number(bar).count < bars.number(bar - 1).count {
            painter.vline(x, rect.y_range(), Stroke::new(2.0, t.muted));
        }
        if bar < scale.bars && bar % numbers == 0 {
            let inside = range.is_some_and(|r| r.contains(bar));
            let color = if inside { t.text } else { t.muted };
            let at = pos2(x + 5.0, rect.top() + 13.0);
            let font = theme::regular(ui, 11.0);
            painter.text(at, Align2::LEFT_CENTER, bars.number(bar).printed(), font, color);
        }
    }
    let judged = piece.bars.iter().filter(|_| mode.is_judged());
    for (result, share) in judged.filter_map(|bar| Some((bar, bar.counts.accuracy()?))) {
        let left = scale.x(result.index as f32) + 1.0;
        let size = vec2((scale.step - 2.0).max(1.0), 4.0);
        let line = Rect::from_min_size(pos2(left, rect.bottom() - 9.0), size);
        painter.rect_filled(line, 2, share_color(t, share as f32));
    }
}

/// Numbers at every 1, 2, 4, 8 … bars, so that they do not touch.
fn number_step(width: f32) -> usize {
    let mut step = 1;
    while (step as f32) * width < 36.0 {
        step *= 2;
    }
    step
}

fn playhead_ui(cx: &Cx<'_>, ui: &Ui, piece: &Piece<'_>, rect: Rect, scale: Scale) {
    let position = cx.view.play.transport.position;
    let bars = piece.score.bars();
    let index = bars.index_at(Ticks(position as i64));
    let bar = bars.get(index);
    let length = (bar.end.0 - bar.start.0).max(1) as f64;
    let within = ((position - bar.start.0 as f64) / length).clamp(0.0, 1.0);
    let x = scale.x(index as f32 + within as f32);
    ui.painter_at(rect).vline(x, rect.y_range(), Stroke::new(2.0, tokens(ui).accent));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_touch_and_clicks_find_their_bar() {
        assert_eq!([number_step(80.0), number_step(20.0), number_step(2.0)], [1, 2, 32]);
        let scale = Scale::new(Rect::from_min_size(pos2(0.0, 0.0), vec2(1048.0, 34.0)), 100);
        assert_eq!(scale.bar_at(MARGIN + 5.0), 0);
        assert_eq!(scale.bar_at(MARGIN + 995.0), 99);
        assert_eq!(scale.bar_at(-50.0), 0);
        assert_eq!(scale.bar_at(5000.0), 99);
    }
}
