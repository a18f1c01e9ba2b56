//! One line of text in a rectangle: never wraps, never runs out of it; what does not fit ends in "…" and is told on
//! hover.

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
}

impl<'a> Line<'a> {
    /// Body text, on the left.
    pub fn new(text: &'a str) -> Self {
        Self { text, points: size::BODY, bold: false, color: None, align: Align::Min }
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

    fn font(&self, ui: &Ui) -> FontId {
        if self.bold { theme::semibold(ui, self.points) } else { theme::regular(ui, self.points) }
    }

    fn galley(&self, ui: &Ui, width: f32) -> Arc<Galley> {
        let color = self.color.unwrap_or(tokens(ui).text);
        let mut job = LayoutJob::simple_singleline(self.text.to_owned(), self.font(ui), color);
        job.wrap = TextWrapping::truncate_at_width(width.max(1.0));
        ui.painter().layout_job(job)
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
        let elided = galley.elided;
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
