//! The way of an event as a picture: lanes and commands, the bus, what hangs behind it.

use egui::{Color32, Rect, Ui, pos2, vec2};

use crate::bus::inspect::{Fill, Report};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, Tokens, tokens};
use crate::ui::widgets::{Node, arrow, node_ui};

/// More lanes than that are summed up in the last box.
const LANES_MAX: usize = 4;

/// The picture, as wide as there is room.
pub(super) fn ui(ui: &mut Ui, report: &Report) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    let sources = sources(t, report);
    let sinks = sinks(t, report);
    let (height, gap) = (58.0 * scale, 12.0);
    let rows = sources.len().max(sinks.len()) as f32;
    let (_, area) = ui.allocate_space(vec2(ui.available_width(), rows * height + (rows - 1.0) * gap));
    let width = (area.width() / 4.4).clamp(96.0, 230.0);
    let spread = (area.width() - 4.0 * width) / 3.0;
    let column = |i: usize| area.left() + i as f32 * (width + spread);
    let place = |column: f32, row: usize, of: usize| {
        let free = area.height() - of as f32 * height - (of as f32 - 1.0) * gap;
        let top = area.top() + free / 2.0 + row as f32 * (height + gap);
        Rect::from_min_size(pos2(column, top), vec2(width, height))
    };
    let middle = bus_node(t, report);
    let bus = place(column(1), 0, 1);
    for (i, node) in sources.iter().enumerate() {
        let rect = place(column(0), i, sources.len());
        arrow(ui, rect.right_center(), bus.left_center() + vec2(0.0, spread_y(i, sources.len())));
        node_ui(ui, rect, node);
    }
    let mut persister = bus;
    for (i, node) in sinks.iter().enumerate() {
        let rect = place(column(2), i, sinks.len());
        arrow(ui, bus.right_center() + vec2(0.0, spread_y(i, sinks.len())), rect.left_center());
        node_ui(ui, rect, node);
        if i == 0 {
            persister = rect;
        }
    }
    let store = Rect::from_min_size(pos2(column(3), persister.top()), persister.size());
    arrow(ui, persister.right_center(), store.left_center());
    node_ui(ui, store, &store_node(t, report));
    node_ui(ui, bus, &middle);
}

fn spread_y(row: usize, of: usize) -> f32 {
    (row as f32 - (of as f32 - 1.0) / 2.0) * 9.0
}

/// How much goes through in a second, where that is known.
fn speed(rate: Option<f32>) -> String {
    rate.map(text::per_second).unwrap_or_default()
}

fn share(fill: Fill) -> f32 {
    if fill.capacity == 0 { 0.0 } else { fill.used as f32 / fill.capacity as f32 }
}

fn fill_color(t: &Tokens, share: f32) -> Color32 {
    if share < 0.5 {
        t.good
    } else if share < 0.85 {
        t.warn
    } else {
        t.bad
    }
}

fn sources(t: &Tokens, report: &Report) -> Vec<Node> {
    let mut nodes: Vec<Node> = report
        .lanes
        .iter()
        .take(LANES_MAX)
        .map(|lane| {
            let fill = share(lane.fill);
            let color = if lane.lost > 0 { t.warn } else { fill_color(t, fill) };
            Node { title: lane.name.clone(), line: text::lane(lane), remark: speed(lane.rate), fill: Some(fill), color }
        })
        .collect();
    let fill = share(report.commands);
    let line = text::fill(report.commands);
    let color = fill_color(t, fill);
    nodes.push(Node { title: tr().commands.to_owned(), line, remark: String::new(), fill: Some(fill), color });
    nodes
}

fn bus_node(t: &Tokens, report: &Report) -> Node {
    let rate = report.rates.map(|rates| rates.applied);
    Node { title: tr().bus.to_owned(), line: text::bus_line(report), remark: speed(rate), fill: None, color: t.accent }
}

fn sinks(t: &Tokens, report: &Report) -> Vec<Node> {
    let undurable = share(report.undurable);
    let lost = report.live.iter().map(|l| l.lost).sum::<u64>();
    let live = report.live.iter().map(|l| share(l.fill)).fold(0.0, f32::max);
    let parked = report.subscribers.iter().filter(|s| s.parked).count();
    let total = report.subscribers.len();
    vec![
        Node {
            title: tr().persister.to_owned(),
            line: text::persister_line(report),
            remark: speed(report.rates.map(|rates| rates.durable)),
            fill: Some(undurable),
            color: fill_color(t, undurable),
        },
        Node {
            title: tr().snapshots.to_owned(),
            line: text::snapshot_line(report, lost),
            remark: speed(report.rates.map(|rates| rates.snapshots)),
            fill: (!report.live.is_empty()).then_some(live),
            color: fill_color(t, live),
        },
        Node {
            title: tr().components.to_owned(),
            line: text::components_line(total - parked, parked),
            remark: speed(report.rates.map(|rates| rates.deliveries)),
            fill: (total > 0).then(|| (total - parked) as f32 / total as f32),
            color: if parked > 0 { t.warn } else { t.good },
        },
    ]
}

fn store_node(t: &Tokens, report: &Report) -> Node {
    let store = &report.store;
    let fill = if store.map_size == 0 { 0.0 } else { store.map_used as f32 / store.map_size as f32 };
    let rate = report.rates.map(|rates| rates.commits);
    let (line, color) = (text::store_line(store), fill_color(t, fill));
    Node { title: tr().store.to_owned(), line, remark: speed(rate), fill: Some(fill), color }
}
