//! How the audio callback keeps its deadline, as a histogram.

use egui::{Color32, Ui, vec2};

use super::{Line, histogram_ui};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, Tokens, tokens};
use crate::ui::view::Callback;

/// Buckets of the histogram of loads up to the deadline, a twentieth each; those after it are too late.
const IN_TIME: usize = 20;
/// A block is called busy from here on.
const BUSY: usize = 14;

fn load_color(t: &Tokens, bucket: usize) -> Color32 {
    match bucket {
        0..BUSY => t.good,
        BUSY..IN_TIME => t.warn,
        _ => t.bad,
    }
}

/// The histogram, so high in points, or a line where nothing was measured.
pub fn loads_ui(ui: &mut Ui, callback: &Callback, height: f32) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height * theme::scale(ui)));
    if callback.loads.iter().all(|count| *count == 0) {
        let place = rect.with_max_y(rect.top() + 20.0);
        Line::new(tr().callback_none).size(13.0).color(tokens(ui).muted).show_at(ui, place);
        return;
    }
    let (t, n) = (tokens(ui), callback.loads.len().max(1) as f32);
    let mut axis: Vec<(f32, String)> =
        (0..=IN_TIME as u16).step_by(5).map(|at| (f32::from(at) / n, text::percent(at * 5))).collect();
    axis.push((1.0, tr().too_late.to_owned()));
    histogram_ui(ui, rect, tr().callback_time, &callback.loads, |bucket| load_color(t, bucket), &axis);
}
