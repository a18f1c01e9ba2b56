//! How the audio callback keeps its deadline, and what became of what it and the MIDI callbacks pushed.

use egui::{Color32, Ui, vec2};

use crate::bus::inspect::{LaneReport, Report};
use crate::ui::Cx;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, Tokens, tokens};
use crate::ui::view::AudioView;
use crate::ui::widgets::{Column, Line, card_ui, fact_ui, loads_ui, pair_ui, rows_ui};

/// Callback and stream side by side; lanes and the bus thread below.
pub(super) fn ui(cx: &Cx<'_>, ui: &mut Ui, report: &Report) {
    let audio = &cx.view.devices.audio;
    let side = 400.0 * theme::scale(ui);
    pair_ui(ui, side, |ui, right| if right { stream_ui(ui, audio) } else { callback_ui(ui, audio) });
    pair_ui(ui, side, |ui, right| if right { rounds_ui(ui, report) } else { lanes_ui(ui, report) });
}

fn callback_ui(ui: &mut Ui, audio: &AudioView) {
    let callback = &audio.callback;
    card_ui(ui, tr().callback_time, &text::callback(callback), |ui| loads_ui(ui, callback, 190.0));
}

fn stream_ui(ui: &mut Ui, audio: &AudioView) {
    let (t, callback) = (tr(), &audio.callback);
    card_ui(ui, t.stream, "", |ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        let k = tokens(ui);
        let none = |text: &str| if text.is_empty() { text::NONE.to_owned() } else { text.to_owned() };
        let count = |n: u64| (text::count(n), if n > 0 { k.warn } else { k.text });
        fact_ui(ui, t.device, &none(&audio.device), k.text);
        fact_ui(ui, t.backend, &text::backend_stream(&none(&audio.backend), callback.stream), k.text);
        let (rate, period) = match audio.rate {
            0 => (text::NONE.to_owned(), text::NONE.to_owned()),
            rate => (text::rate(rate), text::period(audio.period, rate)),
        };
        fact_ui(ui, t.rate, &rate, k.text);
        fact_ui(ui, t.period, &period, k.text);
        fact_ui(ui, t.load, &text::load(audio.load), if audio.load > 0.7 { k.warn } else { k.text });
        for (name, n) in [
            (t.xruns, audio.xruns),
            (t.late_notes, u64::from(callback.late)),
            (t.unsent, u64::from(callback.unsent)),
            (t.refused_commands, callback.refused),
            (t.faults, u64::from(callback.faults)),
        ] {
            let (words, color) = count(n);
            fact_ui(ui, name, &words, color);
        }
    });
}

fn lane_state(t: &Tokens, lane: &LaneReport) -> (&'static str, Color32) {
    if lane.closed {
        (tr().lane_closed, t.muted)
    } else if lane.fill.used * 2 > lane.fill.capacity {
        (tr().lane_filling, t.warn)
    } else if lane.panics > 0 {
        (tr().lane_panicked, t.bad)
    } else if lane.lost > 0 {
        (tr().lane_lost, t.warn)
    } else {
        (tr().lane_well, t.muted)
    }
}

fn lanes_ui(ui: &mut Ui, report: &Report) {
    let t = tr();
    card_ui(ui, t.lanes, t.lanes_remark, |ui| {
        let columns = [
            Column::new(t.name, 110.0).grow(1.0),
            Column::new(t.waiting, 60.0).right(),
            Column::new(t.most, 56.0).right().spare(3),
            Column::new(t.pushed, 76.0).right().spare(2),
            Column::new(t.delivered, 76.0).right().spare(1),
            Column::new(t.lost, 50.0).right(),
            Column::new(t.gaps, 44.0).right(),
            Column::new(t.state, 100.0).spare(4),
        ];
        rows_ui(
            ui,
            "lanes",
            &columns,
            report.lanes.len(),
            |_| None,
            |ui, i, row| {
                let (k, lane) = (tokens(ui), &report.lanes[i]);
                let warn = if lane.lost > 0 { k.warn } else { k.text };
                row.line(ui, 0, Line::new(&lane.name).size(13.0).bold());
                row.text(ui, 1, &text::count(lane.fill.used as u64));
                row.colored(ui, 2, &text::count(lane.fill.high_water as u64), k.muted);
                row.text(ui, 3, &text::count(lane.pushed));
                row.text(ui, 4, &text::count(lane.delivered));
                row.colored(ui, 5, &text::count(lane.lost), warn);
                row.colored(ui, 6, &text::count(lane.gaps), warn);
                let (words, color) = lane_state(k, lane);
                row.colored(ui, 7, words, color);
            },
        );
    });
}

fn rounds_ui(ui: &mut Ui, report: &Report) {
    super::durations_ui(ui, tr().round_time, &report.step, 120.0);
}
