//! The tempo ladder in the transport: a chip that tells where one stands, and the panel behind it.

use egui::{Align, Rect, Ui, vec2};

use crate::music::Percent;
use crate::practice::PracticeSettings;
use crate::practice::ladder::{LadderPlan, PASSES_MAX, STEP_MAX};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::view::Transport;
use crate::ui::widgets::{Button, Line, panel_ui, remark_ui, slider_ui, switch_row_ui};
use crate::ui::{Command, Cx, icons};

/// The panel's width in points.
const WIDTH: f32 = 344.0;
/// Steps of more than this are chosen by nobody; the plan allows more.
const STEP_SHOWN: u64 = 20;
const _: () = assert!(STEP_SHOWN <= STEP_MAX as u64);

/// What the chip shows beside its icon: more where there is room, and nothing when the ladder is off.
pub(super) fn label(transport: &Transport, room: bool) -> String {
    let ladder = transport.ladder.filter(|_| transport.chosen.climbs());
    match ladder {
        Some(ladder) if room => text::ladder_long(&ladder),
        Some(ladder) => text::ladder_short(&ladder),
        None if room && transport.chosen.climbs() => text::percent(transport.chosen.ladder.goal.get()),
        None => String::new(),
    }
}

/// The chip.
pub(super) fn chip<'a>(label: &'a str, on: bool, tip: &'a str) -> Button<'a> {
    let chip = Button::new(tr().ladder).icon(icons::CLIMB).chip().selected(on).tip(tip);
    if label.is_empty() { chip.hide_label(true) } else { chip.shown(label) }
}

/// The chip in its place, and the panel while it is open.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, rect: Rect, label: &str) {
    let transport = cx.view.play.transport;
    let plan = transport.chosen.ladder;
    let tip = text::ladder_tip(&plan, transport.ladder.as_ref());
    let response = chip(label, transport.chosen.climbs(), &tip).show_at(ui, rect);
    panel_ui(ui, &response, WIDTH, |ui| plan_ui(cx, ui, &transport));
}

fn plan_ui(cx: &mut Cx<'_>, ui: &mut Ui, transport: &Transport) {
    ui.spacing_mut().item_spacing.y = 6.0;
    let old = transport.chosen.ladder;
    let mut plan = old;
    head_ui(ui, &mut plan, &transport.chosen);
    rows_ui(ui, &mut plan);
    remarks_ui(ui, transport);
    if plan != old {
        cx.send.push(Command::SetLadder(plan));
    }
}

fn head_ui(ui: &mut Ui, plan: &mut LadderPlan, chosen: &PracticeSettings) {
    if switch_row_ui(ui, Line::new(tr().ladder).bold(), tr().ladder_switch, plan.on) {
        plan.on = !plan.on;
    }
    if plan.on && !plan.climbs_in(chosen.mode) {
        remark_ui(ui, tr().ladder_off_here);
    }
}

fn rows_ui(ui: &mut Ui, plan: &mut LadderPlan) {
    let speeds = u64::from(Percent::MIN.get())..=u64::from(Percent::MAX.get());
    let percent = |value: u64| Percent::new(value as u16);
    let (start, goal) = (plan.start.get(), plan.goal.get());
    if let Some(new) = row_ui(ui, tr().ladder_start, u64::from(start), speeds.clone(), &text::percent(start)) {
        plan.start = percent(new);
        plan.goal = plan.goal.max(plan.start);
    }
    if let Some(new) = row_ui(ui, tr().ladder_goal, u64::from(goal), speeds, &text::percent(goal)) {
        plan.goal = percent(new);
        plan.start = plan.start.min(plan.goal);
    }
    let step = u64::from(plan.step);
    if let Some(new) = row_ui(ui, tr().ladder_step, step, 1..=STEP_SHOWN, &text::percent(u16::from(plan.step))) {
        plan.step = new as u8;
    }
    let most = u64::from(PASSES_MAX);
    if let Some(new) = row_ui(ui, tr().ladder_up, u64::from(plan.up), 1..=most, &text::passes_up(plan.up)) {
        plan.up = new as u8;
    }
    if let Some(new) = row_ui(ui, tr().ladder_down, u64::from(plan.down), 0..=most, &text::passes_down(plan.down)) {
        plan.down = new as u8;
    }
}

/// A name, a slider and its value in words.
fn row_ui(ui: &mut Ui, name: &str, value: u64, range: std::ops::RangeInclusive<u64>, words: &str) -> Option<u64> {
    let scale = theme::scale(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
    let split = rect.left() + 64.0 * scale;
    let right = rect.right() - 152.0 * scale;
    Line::new(name).size(13.0).color(tokens(ui).muted).show_at(ui, rect.with_max_x(split - 4.0));
    Line::new(words).size(13.0).align(Align::Max).show_at(ui, rect.with_min_x(right + 8.0));
    slider_ui(ui, rect.with_min_x(split).with_max_x(right), name, value, range)
}

fn remarks_ui(ui: &mut Ui, transport: &Transport) {
    if let Some(ladder) = &transport.ladder {
        let line = text::ladder_stand(ladder);
        Line::new(&line).size(13.0).color(tokens(ui).accent_text).show(ui);
    }
    remark_ui(ui, text::clean_rule(transport.chosen.preset));
}
