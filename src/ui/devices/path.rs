//! The way from the key to the ear as one picture: who plays, what computes, where it is heard, and how long each takes.

use egui::{Rect, Ui, pos2, vec2};

use crate::ui::text::{self, tr};
use crate::ui::theme::{self, tokens};
use crate::ui::view::{AudioState, AudioView, Devices};
use crate::ui::widgets::{Line, Node, arrow, card_ui, node_ui};

/// More inputs than that are summed up in the last box.
const INPUTS_MAX: usize = 3;

/// The picture, as wide as there is room.
pub(super) fn ui(ui: &mut Ui, devices: &Devices) {
    let audio = &devices.audio;
    let remark = text::latency(audio.latency);
    card_ui(ui, tr().key_to_ear, &remark, |ui| {
        picture_ui(ui, devices);
        for (words, color) in badges(ui, audio) {
            Line::small(&words).color(color).show(ui);
        }
    });
}

fn picture_ui(ui: &mut Ui, devices: &Devices) {
    let scale = theme::scale(ui);
    let inputs = inputs(ui, devices);
    let (height, gap) = (56.0 * scale, 10.0);
    let rows = inputs.len() as f32;
    let (_, area) = ui.allocate_space(vec2(ui.available_width(), rows * height + (rows - 1.0) * gap));
    let spread = (area.width() * 0.06).clamp(24.0, 90.0);
    let width = (area.width() - 2.0 * spread) / 3.0;
    let place = |column: usize, row: usize, of: usize| {
        let free = area.height() - of as f32 * height - (of as f32 - 1.0) * gap;
        let top = area.top() + free / 2.0 + row as f32 * (height + gap);
        Rect::from_min_size(pos2(area.left() + column as f32 * (width + spread), top), vec2(width, height))
    };
    let (engine, output) = (place(1, 0, 1), place(2, 0, 1));
    for (row, node) in inputs.iter().enumerate() {
        let rect = place(0, row, inputs.len());
        let offset = (row as f32 - (rows - 1.0) / 2.0) * 9.0;
        arrow(ui, rect.right_center(), engine.left_center() + vec2(0.0, offset));
        node_ui(ui, rect, node);
    }
    arrow(ui, engine.right_center(), output.left_center());
    node_ui(ui, engine, &engine_node(ui, &devices.audio));
    node_ui(ui, output, &output_node(ui, &devices.audio));
}

fn inputs(ui: &Ui, devices: &Devices) -> Vec<Node> {
    let t = tokens(ui);
    let node = |title: &str, line: String, connected: bool| Node {
        title: title.to_owned(),
        line,
        remark: String::new(),
        fill: Some(if connected { 1.0 } else { 0.0 }),
        color: t.good,
    };
    let there: Vec<_> = devices.keyboards().collect();
    let shown = there.iter().take(INPUTS_MAX);
    let mut nodes: Vec<Node> = shown.map(|(name, messages)| node(name, text::messages(*messages), true)).collect();
    if let Some(more) = there.len().checked_sub(INPUTS_MAX).filter(|more| *more > 0)
        && let Some(last) = nodes.last_mut()
    {
        last.line = text::and_more(more);
    }
    if nodes.is_empty() {
        nodes.push(node(tr().computer_keyboard, tr().no_midi_short.to_owned(), true));
    }
    nodes
}

fn engine_node(ui: &Ui, audio: &AudioView) -> Node {
    let t = tokens(ui);
    let worst = audio.load;
    Node {
        title: tr().trainer.to_owned(),
        line: text::engine_line(audio),
        remark: text::delay(audio.parts.engine),
        fill: Some(worst),
        color: if worst < 0.5 {
            t.good
        } else if worst < 0.85 {
            t.warn
        } else {
            t.bad
        },
    }
}

fn output_node(ui: &Ui, audio: &AudioView) -> Node {
    let t = tokens(ui);
    let (title, line, color, fill) = match audio.state {
        AudioState::Running => (audio.device.clone(), text::output_line(audio), t.good, 1.0),
        AudioState::Silent => (tr().no_device.to_owned(), tr().silent_line.to_owned(), t.warn, 0.0),
        AudioState::Retrying => (tr().retrying.to_owned(), tr().silent_line.to_owned(), t.warn, 0.0),
    };
    let remark = if audio.state == AudioState::Running { text::delay(audio.parts.output) } else { String::new() };
    Node { title, line, remark, fill: Some(fill), color }
}

/// What one should know of a device before one blames oneself.
fn badges(ui: &Ui, audio: &AudioView) -> Vec<(String, egui::Color32)> {
    let t = tokens(ui);
    let mut badges = Vec::new();
    if audio.bluetooth {
        badges.push((tr().bluetooth_badge.to_owned(), t.warn));
    }
    if let Some(words) = text::large_period(audio) {
        badges.push((words, t.warn));
    }
    if let Some(advice) = text::latency_advice(audio) {
        badges.push((advice, t.muted));
    }
    badges
}
