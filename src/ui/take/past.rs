//! Looking back: a bar to move through the take, and how things stood at that instant: the keys, the judge, the bus.

use egui::{Align, Rect, Ui, pos2, vec2};

use crate::music::{Hand, Pitch};
use crate::time::Micros;
use crate::ui::play::keyboard_ui;
use crate::ui::shortcuts::{self, Action};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::view::{Keys, PastInstant, TakeView};
use crate::ui::widgets::{Button, Line, card_ui, slider_ui};
use crate::ui::{Command, Cx, icons};

/// Heights of its rows, and what lies between them.
const BAR: f32 = 36.0;
const WORDS: f32 = 28.0;
const KEYS: f32 = 54.0;
const GAP: f32 = 6.0;

/// How high the card is.
pub(super) fn height(ui: &Ui) -> f32 {
    BAR + 2.0 * WORDS * theme::scale(ui) + KEYS + 3.0 * GAP + 2.0 * space::CARD
}

/// The card.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, take: &TakeView, past: &PastInstant) {
    card_ui(ui, "", "", |ui| {
        ui.spacing_mut().item_spacing.y = GAP;
        bar_ui(cx, ui, past);
        event_ui(cx, ui, past);
        let (_, keys) = ui.allocate_space(vec2(ui.available_width(), KEYS));
        let score = take.page.as_ref().map(|page| &*page.score);
        let next: Vec<(Pitch, Hand)> = (past.next.iter())
            .filter_map(|id| score?.notes().get(id.0 as usize))
            .map(|note| (note.pitch, note.hand))
            .collect();
        keyboard_ui(ui, keys, Keys { live: past.keys, ..Keys::default() }, &next);
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), WORDS * theme::scale(ui)));
        let names = cx.view.settings.names;
        let judge = text::past_judge(past, score, names);
        let judge = Line::new(&judge).size(13.0).align(Align::Max);
        let split = (rect.right() - judge.width(ui) - 12.0).max(rect.center().x);
        Line::new(&text::past_keys(past, names)).size(13.0).show_at(ui, rect.with_max_x(split));
        judge.show_at(ui, rect.with_min_x(split + 12.0));
    });
}

/// The bar, with a step to either side.
fn bar_ui(cx: &mut Cx<'_>, ui: &mut Ui, past: &PastInstant) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), BAR));
    let square = |left: f32| Rect::from_min_size(pos2(left, rect.top()), vec2(BAR, BAR));
    let shown = |action| shortcuts::shown(ui.ctx(), action);
    let (tip_back, tip_forward) = (
        text::with_shortcut(tr().event_back, &shown(Action::BarBack)),
        text::with_shortcut(tr().event_forward, &shown(Action::BarForward)),
    );
    let back = Button::icon_only(tr().event_back, icons::CARET_LEFT).enabled(past.events > 0).tip(&tip_back);
    if back.show_at(ui, square(rect.left())).clicked() {
        cx.send.push(Command::LookBackBy(-1));
    }
    let forward = Button::icon_only(tr().event_forward, icons::CARET_RIGHT);
    let forward = forward.enabled(past.events < past.of).tip(&tip_forward);
    if forward.show_at(ui, square(rect.left() + BAR + GAP)).clicked() {
        cx.send.push(Command::LookBackBy(1));
    }
    let clock = text::clock(past.at.max(Micros::ZERO));
    let clock = Line::new(&clock).align(Align::Max);
    let width = Line::new("00:00.000").width(ui).ceil() + 4.0;
    clock.show_at(ui, rect.with_min_x(rect.right() - width));
    let slider = rect.with_min_x(rect.left() + 2.0 * (BAR + GAP) + GAP).with_max_x(rect.right() - width - 2.0 * GAP);
    let (from, to) = past.span;
    let millis = |at: Micros| ((at - from).0.max(0) / 1_000) as u64;
    if let Some(there) = slider_ui(ui, slider, tr().look_back_place, millis(past.at), 0..=millis(to)) {
        cx.send.push(Command::LookBack(from + Micros(there as i64 * 1_000)));
    }
}

/// The event nearest before the instant, and the way to the bus as it was then.
fn event_ui(cx: &mut Cx<'_>, ui: &mut Ui, past: &PastInstant) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), WORDS * theme::scale(ui)));
    let button = Button::new(tr().see_bus).icon(icons::PULSE).link().tip(tr().see_bus_tip);
    let width = if past.event.is_some() { button.width(ui) } else { 0.0 };
    let color = if past.erased { tokens(ui).warn } else { tokens(ui).muted };
    let words = text::past_event(past);
    Line::new(&words).size(13.0).color(color).show_at(ui, rect.with_max_x(rect.right() - width - 8.0));
    if let Some((seq, _)) = past.event
        && button.show_at(ui, rect.with_min_x(rect.right() - width)).clicked()
    {
        cx.send.push(Command::ShowBusAt(seq));
    }
}
