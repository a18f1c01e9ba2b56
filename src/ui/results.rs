//! Results: four numbers with plain words, the bars, when the notes came, and the bars to look at.

mod cards;
mod ladder;
mod passes;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::state::{Screen, State};
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::view::ResultView;
use super::widgets::{
    Button, Line, bar_cells_ui, card_ui, curve_ui, empty_ui, histogram_ui, inside, number_cards_ui, page_frame, snap,
};
use super::{Command, Cx, icons, topbar};
use crate::music::Percent;
use crate::practice::expression::Expression;
use crate::practice::pass::PassResult;
use crate::practice::recital::Voice;
use crate::practice::result::{BarResult, ENOUGH, HISTOGRAM_COLUMNS, HISTOGRAM_STEP_MILLIS, TakeResult, Trouble};
use crate::practice::{BarRange, Mode};
use crate::time::Micros;

/// The hairlines of a card above and below.
const CARD_LINES: f32 = 2.0;

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
            if view.result.interruptions > 0 {
                Line::new(&text::interruptions(view.result.interruptions)).color(tokens(ui).warn).show(ui);
            }
            let take = cx.view.take.filter(|take| take.id == view.take);
            if let Some(take) = take {
                super::take::kept_ui(cx, ui, take);
            }
            let pass = passes::chosen(state, take);
            number_cards_ui(ui, &cards::cards(view, pass));
            ladder::ui(ui, &view.result.ladder);
            if let Some(take) = take {
                passes::ui(ui, state, view, take);
            }
            bars_ui(ui, state, view, pass);
            chosen_bar_ui(cx, ui, state, view);
            lower_ui(cx, ui, view, pass);
            if let Some(expression) = take.and_then(|take| take.expression.as_ref()) {
                Line::new(tr().how_played).size(13.0).bold().color(tokens(ui).muted).show(ui);
                number_cards_ui(ui, &text::expression_cards(expression));
                tempo_ui(ui, expression);
            }
        });
    });
}

fn head_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, view: &ResultView) {
    let worst = view.result.worst_bars();
    let range = worst.first().map(|(bar, _)| run_around(bar, &worst));
    let number = |bar: usize| view.result.bar(bar).map_or(crate::music::BarNumber::from(bar as u32 + 1), |b| b.number);
    let label = range.map(|r| text::practise_bars(number(r.first()), number(r.last())));
    let practise = label.as_deref().map(|l| Button::new(l).primary());
    let speed = again_at(view);
    let label_again = again_label(view, speed);
    let again = Button::new(&label_again);
    let look = Button::icon_only(tr().look_at_take, icons::MUSIC_NOTES);
    let plays = cx.view.listening.is_some_and(|listening| listening.take == view.take);
    let listen = match plays {
        true => Button::icon_only(tr().stop, icons::STOP),
        false => Button::icon_only(tr().listen_take, icons::PLAY),
    };
    let aside = look.width(ui) + listen.width(ui) + 2.0 * space::GAP;
    let room = ui.available_width() - 2.0 * space::PAGE - aside;
    let widths = (practise.as_ref().map_or(0.0, |b| b.width(ui)), again.width(ui));
    let both = widths.0 + widths.1 + space::GAP <= room * 0.75;
    let reserve = if both { widths.0 + widths.1 + space::GAP } else { widths.0.max(widths.1).min(room * 0.75) };
    let parts = [text::mode(view.chosen.mode), text::hands(view.chosen.practise), &text::moment(view.at)];
    let bar = topbar::ui(ui, &view.title, &parts.join(text::DOT), reserve + aside + 16.0);
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
    if both || widths.0 == 0.0 {
        if again.show_at(ui, place(right, widths.1)).clicked() {
            cx.send.push(Command::PlayAgain { piece: view.piece.clone(), speed });
            state.screen = Screen::Play;
        }
        right -= widths.1 + space::GAP;
    }
    let rect = place(right, look.width(ui));
    if look.show_at(ui, rect).clicked() {
        if cx.view.take.is_none_or(|take| take.id != view.take) {
            cx.send.push(Command::ShowTake(view.take.clone()));
        }
        state.screen = Screen::Take;
    }
    if listen.show_at(ui, place(rect.left() - space::GAP, listen.width(ui))).clicked() {
        cx.send.push(super::take::listen_command(cx, &view.take));
    }
}

/// How fast to play it again: slower if there is something to mend, a step faster if all was right.
fn again_at(view: &ResultView) -> Percent {
    let tempo = view.chosen.tempo.get();
    Percent::new(match view.result.counts.accuracy() {
        Some(1.0) if tempo < 100 => (tempo + 10).min(100),
        Some(1.0) => tempo,
        _ => tempo.min(80),
    })
}

fn again_label(view: &ResultView, speed: Percent) -> String {
    if view.chosen.tempo == speed { tr().once_more.to_owned() } else { text::again_at(speed.get()) }
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

/// Within which deviation a note is on time: wider where the music is slower, if the program makes the tempo.
fn window_of(view: &ResultView) -> Micros {
    let speed = if view.chosen.mode == Mode::Follow { Percent::FULL } else { view.chosen.tempo };
    view.chosen.preset.window(speed)
}

/// What is shown in numbers: one pass where one is chosen, or the whole take.
fn shown<'a>(view: &'a ResultView, pass: Option<&'a PassResult>) -> &'a TakeResult {
    pass.map_or(&*view.result, |pass| &pass.result)
}

/// The bars, of one pass where one is chosen.
fn bars_ui(ui: &mut Ui, state: &mut State, view: &ResultView, pass: Option<&PassResult>) {
    let passes = pass.map_or_else(|| text::passes(view.result.passes), |pass| text::pass(pass.pass));
    let remark = [text::hands(view.chosen.practise), &passes].join(text::DOT);
    let bars: Vec<BarResult> = shown(view, pass).bars().copied().collect();
    card_ui(ui, tr().bars_card, &remark, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        if let Some(bar) = bar_cells_ui(ui, &bars, view.chosen.mode).and_then(|i| bars.get(i)) {
            let chosen = Some((view.take.clone(), bar.index));
            // Once more on the same bar puts its notes away.
            state.bar = if state.bar == chosen { None } else { chosen };
        }
    });
}

/// The notes of the bar that was chosen, with the reasons.
fn chosen_bar_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, view: &ResultView) {
    let Some((_, index)) = state.bar.clone().filter(|(take, _)| *take == view.take) else { return };
    let take = cx.view.take.filter(|take| take.id == view.take);
    let pass = passes::chosen(state, take);
    let Some(bar) = shown(view, pass).bar(index).copied() else { return };
    card_ui(ui, &text::bar_in_words(&bar, view.chosen.mode), "", |ui| {
        let which = (index, pass.map(|pass| pass.pass));
        match take {
            Some(take) => super::take::bar_notes_ui(ui, take, which, cx.view.settings.names),
            None => _ = Line::new(tr().looking).color(tokens(ui).muted).show(ui),
        }
        ui.add_space(8.0);
        let label = text::practise_bars(bar.number, bar.number);
        ui.horizontal(|ui| {
            if Button::new(&label).show(ui).clicked() {
                cx.send.push(practise_command(view, BarRange::new(index, index)));
                state.screen = Screen::Play;
            }
            let Some((from, until)) = take.and_then(|take| super::take::time_of_bar(take, index)) else { return };
            for (words, voice) in [(tr().hear_mine, Voice::Mine), (tr().hear_written, Voice::AsWritten)] {
                if Button::new(words).icon(icons::PLAY).show(ui).clicked() {
                    cx.send.push(Command::PlayPart { take: view.take.clone(), voice, from, until });
                }
            }
        });
    });
}

/// The tempo of each bar, as far as it is known, over what is written.
fn tempo_ui(ui: &mut Ui, expression: &Expression) {
    if expression.tempo.len() < 2 {
        return;
    }
    let t = tokens(ui);
    let rest = text::tempo_range(&expression.tempo);
    card_ui(ui, tr().tempo_curve, &rest, |ui| {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 110.0 * theme::scale(ui)));
        let tempos: Vec<f64> = expression.tempo.iter().map(|bar| bar.played).collect();
        let written: Vec<f64> = expression.tempo.iter().map(|bar| bar.written).collect();
        curve_ui(ui, rect, tr().tempo_curve, &[(&written, t.faint), (&tempos, t.accent)]);
    });
}

fn lower_ui(cx: &mut Cx<'_>, ui: &mut Ui, view: &ResultView, pass: Option<&PassResult>) {
    let result = shown(view, pass);
    let room = ui.available_width();
    let free = ui.clip_rect().bottom() - ui.cursor().top() - 16.0;
    let height = (250.0 * theme::scale(ui)).max(free.min(420.0));
    if room < 760.0 * theme::scale(ui) {
        timing_ui(ui, view, result, 160.0);
        worst_ui(cx, ui, view, result, 0.0);
        return;
    }
    let (_, area) = ui.allocate_space(vec2(room, height));
    let half = (room - space::GAP) / 2.0;
    let left = Rect::from_min_size(area.min, vec2(half, height));
    let right = left.translate(vec2(half + space::GAP, 0.0));
    let body = height - 2.0 * space::CARD - CARD_LINES;
    inside(ui, left, "timing", |ui| {
        timing_ui(ui, view, result, body - 22.0 * theme::scale(ui) - ui.spacing().item_spacing.y)
    });
    inside(ui, right, "worst", |ui| worst_ui(cx, ui, view, result, body));
}

fn timing_ui(ui: &mut Ui, view: &ResultView, result: &TakeResult, height: f32) {
    let t = tokens(ui);
    card_ui(ui, tr().when_notes_came, tr().early_late_ms, |ui| {
        let n = result.onsets();
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
        if n < ENOUGH {
            let words = match view.chosen.mode {
                Mode::Wait => tr().wait_has_no_time.to_owned(),
                _ => text::too_few(tr().onsets, n, ENOUGH),
            };
            Line::new(&words).color(t.muted).align(egui::Align::Center).show_at(ui, rect);
            return;
        }
        let middle = HISTOGRAM_COLUMNS / 2;
        let window = window_of(view).as_millis_f64();
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
                let words = match i {
                    // The outermost hold what is further off, too.
                    0 => text::or_less(millis),
                    4 => text::or_more(millis),
                    _ => text::signed(millis),
                };
                ((column + 0.5) / HISTOGRAM_COLUMNS as f32, words)
            })
            .collect();
        histogram_ui(ui, rect, tr().when_notes_came, &result.histogram(), color, &axis);
    });
}

fn worst_ui(cx: &mut Cx<'_>, ui: &mut Ui, view: &ResultView, result: &TakeResult, height: f32) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let worst = result.worst_bars();
    card_ui(ui, text::bars_to_look_at(worst.len()), "", |ui| {
        let used = ui.min_rect().height() + ui.spacing().item_spacing.y;
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_min_height((height - used).max(0.0));
        if worst.is_empty() {
            Line::new(tr().nothing_to_practise).color(t.muted).show(ui);
        }
        for (bar, _) in &worst {
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
            let why = text::remarks(&bar.counts, view.chosen.mode);
            Line::new(&why).size(13.0).color(t.muted).show_at(ui, rect.with_min_x(second).with_max_x(end));
            if button.show_at(ui, rect.with_min_x(end + 8.0)).clicked() {
                cx.send.push(practise_command(view, BarRange::new(bar.index, bar.index)));
            }
            ui.painter().hline(rect.x_range(), snap(ui, rect.bottom()), t.hairline());
        }
    });
}
