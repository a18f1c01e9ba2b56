//! One line of text in a rectangle: never wraps, never runs out of it; what does not fit ends in "…", or begins with it,
//! and is told on hover.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align, Color32, FontId, Galley, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2};

use crate::ui::theme::{self, size, tokens};

/// A line of text, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    text: &'a str,
    points: f32,
    bold: bool,
    color: Option<Color32>,
    align: Align,
    keep_end: bool,
}

impl<'a> Line<'a> {
    /// Body text, on the left.
    pub fn new(text: &'a str) -> Self {
        Self { text, points: size::BODY, bold: false, color: None, align: Align::Min, keep_end: false }
    }

    /// Small and muted is said so often that it has a word.
    pub fn small(text: &'a str) -> Self {
        Self { points: size::SMALL, ..Self::new(text) }
    }

    /// Another size, at 100 %.
    pub fn size(mut self, points: f32) -> Self {
        self.points = points;
        self
    }

    /// Semibold.
    pub fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    /// Another colour than body text.
    pub fn color(mut self, color: Color32) -> Self {
        self.color = Some(color);
        self
    }

    /// At the left, in the middle, at the right.
    pub fn align(mut self, align: Align) -> Self {
        self.align = align;
        self
    }

    /// What does not fit is left out at the beginning, as of the path of a file.
    pub fn keep_end(mut self) -> Self {
        self.keep_end = true;
        self
    }

    fn font(&self, ui: &Ui) -> FontId {
        if self.bold { theme::semibold(ui, self.points) } else { theme::regular(ui, self.points) }
    }

    fn galley(&self, ui: &Ui, width: f32) -> Arc<Galley> {
        let color = self.color.unwrap_or(tokens(ui).text);
        let text = if self.keep_end { self.end(ui, width) } else { self.text.to_owned() };
        let mut job = LayoutJob::simple_singleline(text, self.font(ui), color);
        job.wrap = TextWrapping::truncate_at_width(width.max(1.0));
        ui.painter().layout_job(job)
    }

    /// As much of its end as fits, after a "…" if that is not all.
    fn end(&self, ui: &Ui, width: f32) -> String {
        if self.width(ui) <= width {
            return self.text.to_owned();
        }
        let from = |letter: usize| format!("…{}", &self.text[letter..]);
        let letters: Vec<usize> = self.text.char_indices().map(|(at, _)| at).collect();
        let first = letters.partition_point(|at| width_of(ui, &from(*at), self.font(ui)) > width);
        from(letters.get(first).copied().unwrap_or(self.text.len()))
    }

    /// The width it takes when nothing is in the way.
    pub fn width(&self, ui: &Ui) -> f32 {
        width_of(ui, self.text, self.font(ui))
    }

    /// Draws only; for text that a control around it already says.
    pub fn paint(&self, ui: &Ui, rect: Rect) -> bool {
        let galley = self.galley(ui, rect.width());
        let x = match self.align {
            Align::Min => rect.left(),
            Align::Center => rect.center().x - galley.size().x / 2.0,
            Align::Max => rect.right() - galley.size().x,
        };
        let y = rect.center().y - galley.size().y / 2.0;
        let elided = galley.elided || galley.text() != self.text;
        ui.painter().galley(pos2(x.round(), y.round()), galley, tokens(ui).text);
        elided
    }

    /// Draws it as a label that a screen reader finds.
    pub fn show_at(&self, ui: &mut Ui, rect: Rect) -> Response {
        let elided = self.paint(ui, rect);
        let id = ui.next_auto_id();
        ui.skip_ahead_auto_ids(1);
        let response = ui.interact(rect, id, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, self.text));
        if elided { response.on_hover_text(self.text) } else { response }
    }

    /// Takes a row as high as its text and as wide as there is room.
    pub fn show(&self, ui: &mut Ui) -> Response {
        let height = (self.points * theme::scale(ui) * 1.35).ceil();
        let (_, rect) = ui.allocate_space(egui::vec2(ui.available_width(), height));
        self.show_at(ui, rect)
    }
}

/// The width of a text in one line.
pub fn width_of(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, tokens(ui).text).size().x
}

/// A quiet remark, on as many lines as it needs.
pub fn remark_ui(ui: &mut Ui, words: &str) {
    let text = egui::RichText::new(words).color(tokens(ui).muted).font(theme::regular(ui, theme::size::SMALL));
    ui.add(egui::Label::new(text).wrap().selectable(false));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_that_does_not_fit_the_end_is_kept() {
        let ctx = egui::Context::default();
        crate::ui::install(&ctx);
        let path = "/home/ada/music/Éditions/bach/inventions";
        let line = Line::small(path).keep_end();
        let mut ends = Vec::new();
        let mut out = ctx.run_ui(egui::RawInput::default(), |ui| {
            let whole = line.width(ui);
            ends = [1.0, 0.5, 0.2, 0.0].map(|share| line.end(ui, whole * share)).into();
            for (share, end) in [0.5, 0.2].into_iter().zip(&ends[1..]) {
                assert!(width_of(ui, end, line.font(ui)) <= whole * share, "{end}");
                assert!(width_of(ui, end, line.font(ui)) > whole * (share - 0.1), "{end}: as much as fits");
            }
        });
        out.textures_delta.clear();
        assert_eq!(ends[0], path);
        assert!(ends[1..3].iter().all(|end| path.ends_with(end.strip_prefix('…').expect("told that it is cut"))));
        assert_eq!(ends[3], "…");
    }
}
