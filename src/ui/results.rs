//! Results: four numbers with plain words, the bars, when the notes came, and the bars to look at.

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::state::{Screen, State};
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::view::ResultView;
use super::widgets::{
    Button, Line, bar_cells_ui, card_ui, empty_ui, histogram_ui, inside, number_cards_ui, page_frame, snap,
};
use super::{Command, Cx, icons, topbar};
use crate::music::Percent;
use crate::practice::result::{BarResult, ENOUGH, HISTOGRAM_COLUMNS, HISTOGRAM_STEP_MILLIS, Trouble};
use crate::practice::{BarRange, Mode};

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(view) = cx.view.result else {
        topbar::ui(ui, tr().results, "", 0.0);
        if empty_ui(ui, icons::CHART, tr().results_empty, Some(tr().choose_piece)) {
            state.screen = Screen::Library;
        }
        return;
    };
    head_ui(cx, ui, state, view);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        page_frame().show(ui, |ui| {
            ui.spacing_mut().item_spacing = vec2(space::GAP, space::GAP);
            if view.result.incomplete {
                Line::new(tr().incomplete_take).color(tokens(ui).warn).show(ui);
            }
            number_cards_ui(ui, &cards(view));
            bars_ui(cx, ui, view);
            lower_ui(cx, ui, view);
        });
    });
}

fn head_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, view: &ResultView) {
    let worst = view.result.worst_bars();
    let range = worst.first().map(|(bar, _)| run_around(bar, &worst));
    let number = |bar: usize| view.result.bar(bar).map_or(bar as u32 + 1, |b| b.number);
    let label = range.map(|r| text::practise_bars(number(r.first()), number(r.last())));
    let practise = label.as_deref().map(|l| Button::new(l).primary());
    let again = Button::new(tr().again_80);
    let room = ui.available_width() - 2.0 * space::PAGE;
    let widths = (practise.as_ref().map_or(0.0, |b| b.width(ui)), again.width(ui));
    let both = widths.0 + widths.1 + space::GAP <= room * 0.75;
    let reserve = if both { widths.0 + widths.1 + space::GAP } else { widths.0.max(widths.1).min(room * 0.75) };
    let parts = [text::mode(view.chosen.mode), text::hands(view.chosen.practise), &text::moment(view.at)];
    let bar = topbar::ui(ui, &view.title, &parts.join(text::DOT), reserve + 16.0);
    let place = |right: f32, width: f32| {
        let top = bar.rect.center().y - space::CONTROL / 2.0;
        Rect::from_min_size(pos2(right - width, top), vec2(width, space::CONTROL))
    };
    let mut right = bar.room.right();
    if let (Some(button), Some(bars)) = (practise, range) {
        let rect = place(right, widths.0.min(room * 0.75));
        if button.show_at(ui, rect).clicked() {
            cx.send.push(practise_command(view, bars));
            state.screen = Screen::Play;
        }
        right = rect.left() - space::GAP;
    }
    if (both || widths.0 == 0.0) && again.show_at(ui, place(right, widths.1)).clicked() {
        cx.send.push(Command::PlayAgain { piece: view.piece.clone(), speed: Percent::new(80) });
        state.screen = Screen::Play;
    }
}

/// The worst bar with its neighbour, when that is among the bars to look at too.
fn run_around(bar: &BarResult, worst: &[(BarResult, Trouble)]) -> BarRange {
    let among = |index: usize| worst.iter().any(|(b, _)| b.index == index);
    let first = if bar.index > 0 && among(bar.index - 1) { bar.index - 1 } else { bar.index };
    let last = if among(bar.index + 1) { bar.index + 1 } else { bar.index };
    BarRange::new(first, last)
}

fn practise_command(view: &ResultView, bars: BarRange) -> Command {
    Command::PractiseBars { piece: view.piece.clone(), bars, speed: view.chosen.tempo }
}

/// Number, word, basis.
type Card = (String, String, String);

fn cards(view: &ResultView) -> [Card; 4] {
    let t = tr();
    let result = &view.result;
    let (right, of) = (result.counts.right(), result.counts.written());
    let share =
        (text::share(right, of), t.of_notes_right.to_owned(), text::right_basis(right, of, result.counts.extra));
    let n = result.deviations().len();
    let none = || {
        let why = if n == 0 { t.no_timing.to_owned() } else { text::too_few(n, ENOUGH) };
        (text::NONE.to_owned(), t.not_enough.to_owned(), why)
    };
    let timing = result.timing();
    let bias = timing.map_or_else(none, |timing| {
        let number = text::millis(timing.bias_millis);
        (number, text::bias_word(&timing).to_owned(), text::basis(timing.bias_interval_millis, timing.n))
    });
    let spread = timing.map_or_else(none, |timing| {
        let window = view.chosen.preset.window(view.chosen.tempo);
        let basis = text::spread_basis(&timing, text::preset(view.chosen.preset), window);
        (text::millis(timing.spread_millis), text::spread_word(&timing).to_owned(), basis)
    });
    let tempo = match view.tempo {
        Some((held, goal)) => {
            (text::bpm(held), t.tempo_held.to_owned(), text::tempo_goal(goal, view.chosen.tempo.get()))
        }
        None if view.chosen.mode == Mode::Wait => {
            (text::NONE.to_owned(), t.not_enough.to_owned(), text::passes(result.passes))
        }
        None => {
            let passes = text::passes(result.passes);
            (text::percent(view.chosen.tempo.get()), t.of_written_tempo.to_owned(), passes)
        }
    };
    [share, bias, spread, tempo]
}

fn bars_ui(cx: &mut Cx<'_>, ui: &mut Ui, view: &ResultView) {
    let remark = [text::hands(view.chosen.practise), &text::passes(view.result.passes)].join(text::DOT);
    let bars: Vec<BarResult> = view.result.bars().copied().collect();
    card_ui(ui, tr().bars_card, &remark, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        if let Some(bar) = bar_cells_ui(ui, &bars).and_then(|i| bars.get(i)) {
            cx.send.push(practise_command(view, BarRange::new(bar.index, bar.index)));
        }
    });
}

fn lower_ui(cx: &mut Cx<'_>, ui: &mut Ui, view: &ResultView) {
    let room = ui.available_width();
    let free = ui.clip_rect().bottom() - ui.cursor().top() - 16.0;
    let height = (250.0 * theme::scale(ui)).max(free.min(420.0));
    if room < 760.0 * theme::scale(ui) {
        timing_ui(ui, view, 160.0);
        worst_ui(cx, ui, view, 0.0);
        return;
    }
    let (_, area) = ui.allocate_space(vec2(room, height));
    let half = (room - space::GAP) / 2.0;
    let left = Rect::from_min_size(area.min, vec2(half, height));
    let right = left.translate(vec2(half + space::GAP, 0.0));
    inside(ui, left, "timing", |ui| timing_ui(ui, view, height - 66.0 * theme::scale(ui)));
    inside(ui, right, "worst", |ui| worst_ui(cx, ui, view, height - 2.0 * space::CARD));
}

fn timing_ui(ui: &mut Ui, view: &ResultView, height: f32) {
    let t = tokens(ui);
    card_ui(ui, tr().when_notes_came, tr().early_late_ms, |ui| {
        let n = view.result.deviations().len();
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
        if n < ENOUGH {
            let words = if n == 0 { tr().no_timing.to_owned() } else { text::too_few(n, ENOUGH) };
            Line::new(&words).color(t.muted).align(egui::Align::Center).show_at(ui, rect);
            return;
        }
        let middle = HISTOGRAM_COLUMNS / 2;
        let window = view.chosen.preset.window(view.chosen.tempo).as_millis_f64();
        let color = |i: usize| {
            let millis = (i as f64 - middle as f64) * HISTOGRAM_STEP_MILLIS as f64;
            match millis {
                m if m < -window => t.early,
                m if m > window => t.late,
                _ => t.good,
            }
        };
        let axis: Vec<(f32, String)> = (0..=4)
            .map(|i| {
                let column = (i * (HISTOGRAM_COLUMNS - 1) / 4) as f32;
                let millis = (f64::from(column) - middle as f64) * HISTOGRAM_STEP_MILLIS as f64;
                ((column + 0.5) / HISTOGRAM_COLUMNS as f32, text::signed(millis))
            })
            .collect();
        histogram_ui(ui, rect, tr().when_notes_came, &view.result.histogram(), color, &axis);
    });
}

fn worst_ui(cx: &mut Cx<'_>, ui: &mut Ui, view: &ResultView, height: f32) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    card_ui(ui, tr().five_bars, "", |ui| {
        let height = height - ui.min_rect().height() - space::GAP;
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_min_height(height.max(0.0));
        let worst = view.result.worst_bars();
        if worst.is_empty() {
            Line::new(tr().nothing_to_practise).color(t.muted).show(ui);
        }
        for (bar, trouble) in &worst {
            let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 32.0 * scale));
            let name = text::bars(bar.number, bar.number);
            let share = bar.counts.accuracy().map(|s| text::percent((s * 100.0).round() as u16)).unwrap_or_default();
            let label = text::practise_bars(bar.number, bar.number);
            let button = Button::new(&label).shown(tr().practise).link();
            let width = button.width(ui);
            let first = rect.left() + 70.0 * scale;
            let second = first + 58.0 * scale;
            let end = rect.right() - width - 8.0;
            Line::new(&name).size(13.0).bold().show_at(ui, rect.with_max_x(first - 6.0));
            Line::new(&share).size(13.0).show_at(ui, rect.with_min_x(first).with_max_x(second - 6.0));
            let why = text::trouble(*trouble);
            Line::new(&why).size(13.0).color(t.muted).show_at(ui, rect.with_min_x(second).with_max_x(end));
            if button.show_at(ui, rect.with_min_x(end + 8.0)).clicked() {
                cx.send.push(practise_command(view, BarRange::new(bar.index, bar.index)));
            }
            ui.painter().hline(rect.x_range(), snap(ui, rect.bottom()), t.hairline());
        }
    });
}
