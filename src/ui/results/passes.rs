//! Pass by pass: how much was right, the tempo and the spread of the timing, each time through; one of them is chosen to
//! be looked at.

use egui::{Align2, Color32, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::practice::Mode;
use crate::practice::pass::PassResult;
use crate::practice::result::ENOUGH;
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, fade, tokens};
use crate::ui::view::{ResultView, TakeView};
use crate::ui::widgets::{Button, Line, card_ui, focus_ring, share_color, snap};

/// The last so many passes are shown: more are too thin to press.
const SHOWN_MAX: usize = 60;
/// The widest a pass is drawn.
const STEP: f32 = 56.0;
/// The height of a strip, and of the numbers under them.
const STRIP: f32 = 44.0;
const NUMBERS: f32 = 20.0;
/// The room of the strips' names.
const NAMES: f32 = 150.0;

/// The pass that was chosen, by its place among those of the take.
pub(super) fn chosen<'a>(state: &State, take: Option<&'a TakeView>) -> Option<&'a PassResult> {
    let take = take?;
    let (of, pass) = state.pass.as_ref()?;
    take.passes.iter().find(|found| *of == take.id && found.pass == *pass)
}

/// The card; nothing for a single pass.
pub(super) fn ui(ui: &mut Ui, state: &mut State, view: &ResultView, take: &TakeView) {
    if take.passes.len() < 2 {
        return;
    }
    let chosen = chosen(state, Some(take)).map(|pass| pass.pass);
    card_ui(ui, tr().passes_card, &text::passes_trend(&take.passes), |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        let first = take.passes.len().saturating_sub(SHOWN_MAX);
        let shown = &take.passes[first..];
        let pressed = strips_ui(ui, view, shown, chosen);
        let all = Button::new(tr().all_passes).chip().selected(chosen.is_none()).role(Role::RadioButton).show(ui);
        if all.clicked() {
            state.pass = None;
        } else if let Some(pass) = pressed {
            // Once more on the same pass shows all of them again.
            state.pass = (chosen != Some(pass)).then(|| (take.id.clone(), pass));
        }
    });
}

/// One of the curves: its name, a value for each pass where there is one, how it is written, and its colour.
struct Strip {
    name: &'static str,
    values: Vec<Option<f64>>,
    written: fn(f64) -> String,
    /// What is said where there is no value.
    none: String,
    share: bool,
}

fn strips(view: &ResultView, passes: &[PassResult]) -> Vec<Strip> {
    let percent: fn(f64) -> String = |value| text::percent((value * 100.0).round() as u16);
    let right = Strip {
        name: tr().pass_right,
        values: passes.iter().map(|pass| pass.result.counts.accuracy()).collect(),
        written: percent,
        none: String::new(),
        share: true,
    };
    if view.chosen.mode == Mode::Wait {
        return vec![right];
    }
    let tempo = Strip {
        name: tr().pass_tempo,
        values: passes.iter().map(|pass| pass.speed).collect(),
        written: percent,
        none: tr().pass_too_short.to_owned(),
        share: false,
    };
    let most = passes.iter().map(|pass| pass.result.onsets()).max().unwrap_or(0);
    let spread = Strip {
        name: tr().pass_spread,
        values: passes.iter().map(|pass| Some(pass.result.timing()?.spread_millis)).collect(),
        written: text::millis,
        none: text::too_few_a_pass(most, ENOUGH),
        share: false,
    };
    vec![right, tempo, spread]
}

/// The strips over each other with a column for each pass; the pass that was pressed.
fn strips_ui(ui: &mut Ui, view: &ResultView, passes: &[PassResult], chosen: Option<u32>) -> Option<u32> {
    let scale = theme::scale(ui);
    let strips = strips(view, passes);
    let height = strips.len() as f32 * STRIP * scale + NUMBERS * scale;
    let (_, area) = ui.allocate_space(vec2(ui.available_width(), height));
    let (names, columns) = area.split_left_right_at_x(area.left() + (NAMES * scale).min(area.width() * 0.34));
    let step = (columns.width() / passes.len() as f32).min(STEP);
    let column = |index: usize| {
        let left = columns.left() + index as f32 * step;
        Rect::from_x_y_ranges(left..=left + step, area.y_range())
    };
    let mut pressed = None;
    for (index, pass) in passes.iter().enumerate() {
        if column_ui(ui, column(index), pass, chosen == Some(pass.pass), &strips, index) {
            pressed = Some(pass.pass);
        }
    }
    let shown = chosen.and_then(|chosen| passes.iter().position(|pass| pass.pass == chosen));
    for (row, strip) in strips.iter().enumerate() {
        let top = area.top() + row as f32 * STRIP * scale;
        let band = Rect::from_x_y_ranges(columns.x_range(), top..=top + STRIP * scale);
        strip_ui(ui, strip, band, |index| column(index).center().x);
        let place = band.with_min_x(names.left()).with_max_x(names.right() - 8.0);
        name_ui(ui, strip, place, shown);
    }
    pressed
}

/// What a strip tells, and its value for the pass that was chosen, or how it went from the first to the last.
fn name_ui(ui: &Ui, strip: &Strip, place: Rect, shown: Option<usize>) {
    let t = tokens(ui);
    let (top, bottom) = place.shrink2(vec2(0.0, 4.0)).split_top_bottom_at_fraction(0.5);
    let known: Vec<f64> = strip.values.iter().copied().flatten().collect();
    let words = match (shown.map(|index| strip.values[index]), &known[..]) {
        (Some(Some(value)), _) => (strip.written)(value),
        (Some(None), _) | (None, []) => strip.none.clone(),
        (None, [one]) => (strip.written)(*one),
        (None, [first, .., last]) => text::from_to(&(strip.written)(*first), &(strip.written)(*last)),
    };
    Line::small(strip.name).color(t.muted).paint(ui, top);
    Line::new(&words).size(13.0).bold().paint(ui, bottom);
}

fn column_ui(ui: &mut Ui, rect: Rect, pass: &PassResult, chosen: bool, strips: &[Strip], index: usize) -> bool {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.scope_id().with(("pass", pass.pass)), Sense::click());
    let told = strips.iter().filter_map(|strip| Some(text::named(strip.name, &(strip.written)(strip.values[index]?))));
    let words = text::pass_in_words(pass.pass, told);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, &words));
    let tile = rect.shrink2(vec2(1.0, 0.0));
    if chosen {
        ui.painter().rect(
            tile,
            6,
            theme::mix(t.raised, t.accent, 0.12),
            Stroke::new(1.0, theme::mix(t.line, t.accent, 0.7)),
            egui::StrokeKind::Inside,
        );
    } else if response.hovered() {
        ui.painter().rect_filled(tile, 6, t.raised);
    }
    let number = pass.pass + 1;
    if rect.width() >= 20.0 || number.is_multiple_of(5) || number == 1 {
        let color = if chosen { t.text } else { t.muted };
        let at = pos2(rect.center().x, rect.bottom() - 3.0);
        ui.painter().text(at, Align2::CENTER_BOTTOM, number, theme::regular(ui, 11.0), color);
    }
    focus_ring(ui, &response, tile, 6);
    let clicked = response.clicked();
    response.on_hover_text(words);
    clicked
}

/// The values as dots joined by a line; a pass without one leaves a gap.
fn strip_ui(ui: &Ui, strip: &Strip, band: Rect, x: impl Fn(usize) -> f32) {
    let t = tokens(ui);
    ui.painter().hline(band.x_range(), snap(ui, band.bottom()), Stroke::new(1.0, fade(t.line, 0.6)));
    let known = strip.values.iter().copied().flatten();
    let (low, high) = known.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    // What hardly changes is a line in the middle, not noise over the whole height.
    let (middle, half) = ((low + high) / 2.0, ((high - low) / 2.0).max(high.abs() * 0.05).max(1e-6));
    let at = |index: usize, value: f64| {
        pos2(x(index), band.center().y - ((value - middle) / half) as f32 * (band.height() / 2.0 - 9.0))
    };
    let points: Vec<Option<(egui::Pos2, Color32)>> = strip
        .values
        .iter()
        .enumerate()
        .map(|(index, value)| value.map(|v| (at(index, v), dot_color(ui, strip, v))))
        .collect();
    for pair in points.windows(2) {
        if let [Some((from, _)), Some((to, _))] = pair {
            ui.painter().add(Shape::line_segment([*from, *to], Stroke::new(1.5, fade(t.muted, 0.6))));
        }
    }
    for (point, color) in points.iter().flatten() {
        ui.painter().circle_filled(*point, 3.5, *color);
    }
}

fn dot_color(ui: &Ui, strip: &Strip, value: f64) -> Color32 {
    let t = tokens(ui);
    if strip.share { share_color(t, value as f32) } else { t.accent_text }
}
