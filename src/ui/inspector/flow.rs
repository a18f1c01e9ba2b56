//! The way of an event as a picture: lanes and commands, the bus, what hangs behind it.

use egui::epaint::CubicBezierShape;
use egui::{Color32, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::bus::inspect::{Fill, Report};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, Tokens, tokens};
use crate::ui::widgets::Line;

/// More lanes than that are summed up in the last box.
const LANES_MAX: usize = 4;

/// A box of the picture.
struct Node {
    title: String,
    line: String,
    /// How much goes through in a second, where that is known.
    rate: Option<f32>,
    /// How full, where that is known.
    fill: Option<f32>,
    color: Color32,
}

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
            Node { title: lane.name.clone(), line: text::lane(lane), rate: lane.rate, fill: Some(fill), color }
        })
        .collect();
    let fill = share(report.commands);
    let line = text::fill(report.commands);
    let color = fill_color(t, fill);
    nodes.push(Node { title: tr().commands.to_owned(), line, rate: None, fill: Some(fill), color });
    nodes
}

fn bus_node(t: &Tokens, report: &Report) -> Node {
    let rate = report.rates.map(|rates| rates.applied);
    Node { title: tr().bus.to_owned(), line: text::bus_line(report), rate, fill: None, color: t.accent }
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
            rate: report.rates.map(|rates| rates.durable),
            fill: Some(undurable),
            color: fill_color(t, undurable),
        },
        Node {
            title: tr().snapshots.to_owned(),
            line: text::snapshot_line(report, lost),
            rate: report.rates.map(|rates| rates.snapshots),
            fill: (!report.live.is_empty()).then_some(live),
            color: fill_color(t, live),
        },
        Node {
            title: tr().components.to_owned(),
            line: text::components_line(total - parked, parked),
            rate: report.rates.map(|rates| rates.deliveries),
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
    Node { title: tr().store.to_owned(), line, rate, fill: Some(fill), color }
}

fn node_ui(ui: &mut Ui, rect: Rect, node: &Node) {
    let t = tokens(ui);
    let response = ui.interact(rect, ui.scope_id().with(("node", &node.title)), Sense::hover());
    let rate = node.rate.map(text::per_second).unwrap_or_default();
    let words = text::of(&node.title, [node.line.as_str(), rate.as_str()].join(" ").trim_end());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    ui.painter().rect(rect, 9, t.raised, t.hairline(), StrokeKind::Inside);
    let inner = rect.shrink2(vec2(12.0, 8.0));
    let track = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 4.0), inner.max);
    let text = inner.with_max_y(track.top() - 3.0);
    let (top, bottom) = text.split_top_bottom_at_fraction(0.5);
    let speed = Line::small(&rate).size(11.0).color(t.accent_text);
    let wide = if rate.is_empty() { 0.0 } else { speed.width(ui) + 8.0 };
    let (title, right) = top.split_left_right_at_x(top.right() - wide);
    let cut = Line::new(&node.title).size(13.0).bold().paint(ui, title);
    if wide > 0.0 {
        speed.paint(ui, right.with_min_x(right.left() + 8.0));
    }
    let cut = Line::small(&node.line).size(11.0).color(t.muted).paint(ui, bottom) || cut;
    if let Some(fill) = node.fill {
        ui.painter().rect_filled(track, 2, t.line);
        let done = (track.width() * fill.clamp(0.0, 1.0)).max(if fill > 0.0 { 3.0 } else { 0.0 });
        ui.painter().rect_filled(track.with_max_x(track.left() + done), 2, node.color);
    }
    if cut {
        response.on_hover_text(words);
    }
}

fn arrow(ui: &Ui, from: Pos2, to: Pos2) {
    let t = tokens(ui);
    let stroke = Stroke::new(1.4, t.faint);
    let bend = ((to.x - from.x) * 0.5).max(8.0);
    let end = to - vec2(6.0, 0.0);
    let points = [from, from + vec2(bend, 0.0), end - vec2(bend, 0.0), end];
    ui.painter().add(CubicBezierShape::from_points_stroke(points, false, theme::CLEAR, stroke));
    let head = vec![to, to + vec2(-7.0, -4.0), to + vec2(-7.0, 4.0)];
    ui.painter().add(egui::Shape::convex_polygon(head, t.faint, Stroke::NONE));
}
