//! The inspector: the bus from within. Tabs that are not built do not appear.

mod conflicts;
mod detail;
mod entities;
mod events;
mod flow;
mod lab;
mod realtime;
mod store;
mod subscribers;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::state::{InspectorTab, State};
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::widgets::{
    Line, Segment, card_ui, empty_ui, histogram_ui, inside, page_frame, segmented_ui, segmented_width,
};
use super::{Cx, icons, topbar};
use crate::bus::inspect::{BUCKETS, Health, Histogram, Report};

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(report) = cx.view.bus else {
        topbar::ui(ui, tr().inspector, "", 0.0);
        empty_ui(ui, icons::PULSE, tr().bus_empty, None);
        return;
    };
    head_ui(ui, state, report);
    match state.inspector.tab {
        InspectorTab::Flow => flow_tab_ui(cx, ui, state, report),
        InspectorTab::Entities => page(ui, |ui| entities::ui(cx, ui, state)),
        InspectorTab::Subscribers => scrolled(ui, |ui| subscribers::ui(cx, ui, report)),
        InspectorTab::Conflicts => page(ui, |ui| conflicts::ui(cx, ui, state)),
        InspectorTab::Store => scrolled(ui, |ui| store::ui(ui, report)),
        InspectorTab::RealTime => scrolled(ui, |ui| realtime::ui(cx, ui, report)),
        InspectorTab::Laboratory => scrolled(ui, |ui| lab::ui(cx, ui)),
    }
}

fn page(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    page_frame().show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::GAP;
        contents(ui);
    });
}

fn scrolled(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| page(ui, contents));
}

/// Contents no higher than a share of the room that is left, but for the least height.
fn at_most(ui: &mut Ui, share: f32, least: f32, contents: impl FnOnce(&mut Ui)) {
    // In a scope of its own: the height counts from the top of the innermost one.
    ui.scope(|ui| {
        ui.set_max_height((ui.available_height() * share).max(least));
        contents(ui);
    });
}

fn head_ui(ui: &mut Ui, state: &mut State, report: &Report) {
    let name = |tab| match tab {
        InspectorTab::Flow => (tr().flow, icons::FLOW),
        InspectorTab::Entities => (tr().entities, icons::CUBE),
        InspectorTab::Subscribers => (tr().subscribers, icons::USERS),
        InspectorTab::Conflicts => (tr().conflicts, icons::MERGE),
        InspectorTab::Store => (tr().store_tab, icons::DATABASE),
        InspectorTab::RealTime => (tr().real_time, icons::GAUGE),
        InspectorTab::Laboratory => (tr().laboratory, icons::FLASK),
    };
    let segment = |tab: InspectorTab| {
        let (label, icon) = name(tab);
        Segment { label, icon, tip: label.to_owned(), enabled: true }
    };
    let segments = InspectorTab::ALL.map(segment);
    let chosen = InspectorTab::ALL.iter().position(|t| *t == state.inspector.tab).unwrap_or(0);
    let room = ui.available_width() - 2.0 * space::PAGE;
    let health = health_width(ui, report).min(room * 0.3);
    let width = segmented_width(ui, &segments, chosen, room * 0.6);
    let bar = topbar::ui(ui, tr().inspector, &text::bus_context(report), width + health + 32.0);
    let chip = bar.room.with_min_x(bar.room.right() - health);
    let left =
        (bar.rect.center().x - width / 2.0).clamp(bar.room.left(), (chip.left() - 16.0 - width).max(bar.room.left()));
    let height = 42.0 + (theme::scale(ui) - 1.0) * 16.0;
    let place = Rect::from_min_size(pos2(left, bar.rect.center().y - height / 2.0), vec2(width, height));
    if let Some(index) = segmented_ui(ui, place, &segments, chosen) {
        state.inspector.tab = InspectorTab::ALL[index];
    }
    health_ui(ui, chip, report);
}

fn health_words(report: &Report) -> String {
    match &report.health {
        Health::Ok => tr().healthy.to_owned(),
        other => other.to_string(),
    }
}

fn health_width(ui: &Ui, report: &Report) -> f32 {
    Line::small(&health_words(report)).width(ui).ceil() + 44.0
}

fn health_ui(ui: &mut Ui, rect: Rect, report: &Report) {
    let t = tokens(ui);
    let color = match report.health {
        Health::Ok => t.good,
        Health::Buffering { .. } => t.warn,
        Health::Degraded(_) | Health::ReadOnly(_) => t.bad,
    };
    let chip = Rect::from_center_size(rect.center(), vec2(rect.width(), space::CHIP));
    ui.painter().rect(chip, theme::radius::CHIP, t.surface, t.hairline(), egui::StrokeKind::Inside);
    ui.painter().circle_filled(pos2(chip.left() + 16.0, chip.center().y), 4.0, color);
    let inner = Rect::from_min_max(pos2(chip.left() + 26.0, chip.top()), pos2(chip.right() - 10.0, chip.bottom()));
    Line::small(&health_words(report)).show_at(ui, inner);
}

/// The picture above; events below, and at their right the chosen one, else subscribers and commit times. Where there
/// is not room for all, the picture gives way to the chosen event.
fn flow_tab_ui(cx: &Cx<'_>, ui: &mut Ui, state: &mut State, report: &Report) {
    let scale = theme::scale(ui);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        page_frame().show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::GAP;
            let view = ui.clip_rect().height() - 32.0;
            let top = ui.cursor().top();
            let room = ui.available_width();
            let wide = room >= 900.0 * scale;
            let chosen = cx.view.events.chosen.filter(|_| state.inspector.selected.is_some());
            if chosen.is_none() || view >= 900.0 * scale {
                card_ui(ui, "", "", |ui| flow::ui(ui, report));
            }
            let used = ui.cursor().top() - top;
            let height = (view - used).max(300.0 * scale);
            let list = |ui: &mut Ui, state: &mut State| {
                events::ui(ui, state, &cx.view.events, cx.view.settings.names, &report.trail)
            };
            match chosen {
                Some(chosen) if wide => {
                    let side = (room * 0.44).round();
                    let (left, right) = split(ui, vec2(room, height), side);
                    inside(ui, left, "events", |ui| list(ui, state));
                    inside(ui, right, "detail", |ui| {
                        detail::ui(ui, &mut state.inspector, cx.view.events.offset, &chosen)
                    });
                }
                Some(chosen) => {
                    let upper = (height * 0.44).round();
                    let lower = (height - upper - space::GAP).max(220.0 * scale);
                    boxed(ui, "events", vec2(room, upper), |ui| list(ui, state));
                    boxed(ui, "detail", vec2(room, lower), |ui| {
                        detail::ui(ui, &mut state.inspector, cx.view.events.offset, &chosen)
                    });
                }
                None if wide => {
                    let side = 380.0 * scale;
                    let (left, right) = split(ui, vec2(room, height), side);
                    inside(ui, left, "events", |ui| list(ui, state));
                    inside(ui, right, "side", |ui| {
                        ui.spacing_mut().item_spacing.y = space::GAP;
                        let low = 150.0 * scale;
                        let size = vec2(side, height - low - space::GAP);
                        boxed(ui, "subscribers", size, |ui| subscribers::short_ui(ui, report));
                        commit_ui(ui, report, low - 48.0 - 22.0 * scale);
                    });
                }
                None => {
                    boxed(ui, "events", vec2(room, height), |ui| list(ui, state));
                    commit_ui(ui, report, 110.0);
                }
            }
        });
    });
}

/// Room for two side by side, the right one so wide.
fn split(ui: &mut Ui, size: egui::Vec2, right: f32) -> (Rect, Rect) {
    let (_, area) = ui.allocate_space(size);
    let at = area.right() - right;
    (area.with_max_x(at - space::GAP), area.with_min_x(at))
}

/// Contents in exactly this much room.
fn boxed(ui: &mut Ui, salt: &str, size: egui::Vec2, contents: impl FnOnce(&mut Ui)) {
    let (_, rect) = ui.allocate_space(size);
    inside(ui, rect, salt, contents);
}

fn commit_ui(ui: &mut Ui, report: &Report, height: f32) {
    durations_ui(ui, tr().commit_time, &report.commit, height);
}

/// Durations by powers of two.
fn durations_ui(ui: &mut Ui, title: &str, durations: &Histogram, height: f32) {
    let t = tokens(ui);
    card_ui(ui, title, &text::quantiles(durations), |ui| {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height.max(40.0)));
        let (first, last) = filled(durations);
        let counts: Vec<u32> =
            durations.buckets[first..=last].iter().map(|c| u32::try_from(*c).unwrap_or(u32::MAX)).collect();
        let n = counts.len() as f32;
        let axis: Vec<(f32, String)> = (0..counts.len())
            .filter(|i| i % 2 == 0)
            .map(|i| ((i as f32 + 0.5) / n, text::short_micros(1 << (first + i))))
            .collect();
        histogram_ui(ui, rect, title, &counts, |_| t.accent, &axis);
    });
}

/// The range of buckets that holds all counts, at least eight wide.
fn filled(histogram: &Histogram) -> (usize, usize) {
    let first = histogram.buckets.iter().position(|c| *c > 0).unwrap_or(6);
    let last = histogram.buckets.iter().rposition(|c| *c > 0).unwrap_or(first);
    let first = first.saturating_sub(1).min(BUCKETS - 8);
    (first, last.clamp(first + 7, BUCKETS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Micros;

    #[test]
    fn the_histogram_shows_every_count() {
        let mut histogram = Histogram::default();
        assert_eq!(filled(&histogram), (5, 12));
        histogram.record(Micros(300));
        histogram.record(Micros(9_000_000_000));
        let (first, last) = filled(&histogram);
        assert!(first <= 9 && last == BUCKETS - 1, "{first} {last}");
        let mut last_only = Histogram::default();
        last_only.record(Micros(i64::MAX));
        assert_eq!(filled(&last_only), (BUCKETS - 8, BUCKETS - 1));
    }
}
