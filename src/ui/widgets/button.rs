//! Buttons, chips and icon buttons: one painter for all of them.

use egui::{Align, Color32, Rect, Response, Role, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Line, focus_ring};
use crate::ui::theme::{self, CLEAR, radius, size, space, tokens};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Primary,
    Quiet,
    Chip,
    Link,
}

/// A button before it is shown.
#[derive(Clone)]
pub struct Button<'a> {
    label: &'a str,
    shown: Option<&'a str>,
    icon: Option<&'a str>,
    dot: Option<Color32>,
    kind: Kind,
    selected: Option<bool>,
    enabled: bool,
    tip: Option<&'a str>,
    role: Role,
}

impl<'a> Button<'a> {
    /// A plain button; the label is also its name.
    pub fn new(label: &'a str) -> Self {
        Self {
            label,
            shown: Some(label),
            icon: None,
            dot: None,
            kind: Kind::Plain,
            selected: None,
            enabled: true,
            tip: None,
            role: Role::Button,
        }
    }

    /// An icon alone; the label is its name and, without another, its tip.
    pub fn icon_only(label: &'a str, icon: &'a str) -> Self {
        Self { shown: None, icon: Some(icon), ..Self::new(label) }
    }

    /// An icon before the label.
    pub fn icon(mut self, icon: &'a str) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Shows another text than the name.
    pub fn shown(mut self, text: &'a str) -> Self {
        self.shown = Some(text);
        self
    }

    /// Shows no text beside the icon if `hidden`.
    pub fn hide_label(mut self, hidden: bool) -> Self {
        if hidden {
            self.shown = None;
        }
        self
    }

    /// A coloured square before the label.
    pub fn dot(mut self, color: Color32) -> Self {
        self.dot = Some(color);
        self
    }

    /// In the accent colour.
    pub fn primary(mut self) -> Self {
        self.kind = Kind::Primary;
        self
    }

    /// Without an outline.
    pub fn quiet(mut self) -> Self {
        self.kind = Kind::Quiet;
        self
    }

    /// A round chip.
    pub fn chip(mut self) -> Self {
        self.kind = Kind::Chip;
        self
    }

    /// Coloured text.
    pub fn link(mut self) -> Self {
        self.kind = Kind::Link;
        self
    }

    /// On or off.
    pub fn selected(mut self, selected: bool) -> Self {
        self.selected = Some(selected);
        self
    }

    /// What a screen reader calls it.
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Whether it can be pressed.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// What to tell on hover.
    pub fn tip(mut self, tip: &'a str) -> Self {
        self.tip = Some(tip);
        self
    }

    fn padding(&self) -> f32 {
        match self.kind {
            Kind::Chip => 12.0,
            Kind::Link => 4.0,
            _ if self.shown.is_none() => 9.0,
            _ => 13.0,
        }
    }

    fn line(&self) -> Line<'a> {
        let line = Line::new(self.shown.unwrap_or_default());
        let line = if self.kind == Kind::Chip || self.kind == Kind::Link { line.size(13.0) } else { line };
        let bold = self.kind == Kind::Primary || (self.kind == Kind::Quiet && self.selected == Some(true));
        if bold { line.bold() } else { line }
    }

    fn icon_width(&self, ui: &Ui) -> f32 {
        let gap = if self.shown.is_some() { 8.0 } else { 0.0 };
        let icon = if self.icon.is_some() { size::ICON * theme::scale(ui) + gap } else { 0.0 };
        icon + if self.dot.is_some() { 10.0 + gap } else { 0.0 }
    }

    /// How wide it would like to be.
    pub fn width(&self, ui: &Ui) -> f32 {
        let text = if self.shown.is_some() { self.line().width(ui).ceil() + 1.0 } else { 0.0 };
        (self.padding() * 2.0 + self.icon_width(ui) + text).ceil()
    }

    fn height(&self) -> f32 {
        if matches!(self.kind, Kind::Chip | Kind::Link) { space::CHIP } else { space::CONTROL }
    }

    /// Shows it at the layout's next place.
    pub fn show(&self, ui: &mut Ui) -> Response {
        let width = self.width(ui).min(ui.available_width().max(40.0));
        let (_, rect) = ui.allocate_space(vec2(width, self.height()));
        self.show_at(ui, rect)
    }

    /// Shows it in a rectangle.
    pub fn show_at(&self, ui: &mut Ui, rect: Rect) -> Response {
        let id = ui.next_auto_id();
        ui.skip_ahead_auto_ids(1);
        let enabled = self.enabled && ui.is_enabled();
        let response = ui.interact(rect, id, if enabled { Sense::click() } else { Sense::hover() });
        response.widget_info(|| match self.selected {
            Some(selected) => WidgetInfo::selected(self.role, enabled, selected, self.label),
            None => WidgetInfo::labeled(self.role, enabled, self.label),
        });
        self.paint(ui, rect, &response, enabled);
        match self.tip {
            Some(tip) => response.on_hover_text(tip),
            None if self.shown.is_none() => response.on_hover_text(self.label),
            None => response,
        }
    }

    fn paint(&self, ui: &Ui, rect: Rect, response: &Response, enabled: bool) {
        let t = tokens(ui);
        let hovered = enabled && response.hovered();
        let on = self.selected == Some(true);
        let (mut fill, line, mut text) = match self.kind {
            Kind::Primary => (t.accent, CLEAR, t.on_accent),
            Kind::Quiet if on => (t.raised, t.line, t.text),
            Kind::Quiet => (CLEAR, CLEAR, t.muted),
            Kind::Link => (CLEAR, CLEAR, t.accent_text),
            Kind::Chip | Kind::Plain if on => {
                (theme::mix(t.raised, t.accent, 0.12), theme::mix(t.line, t.accent, 0.7), t.text)
            }
            Kind::Chip if self.selected.is_some() => (CLEAR, t.line, t.muted),
            _ => (t.surface, t.line, t.text),
        };
        if hovered {
            fill = if self.kind == Kind::Primary { theme::mix(t.accent, t.text, 0.15) } else { t.raised };
            text = if self.kind == Kind::Quiet { t.text } else { text };
        }
        if response.is_pointer_button_down_on() && enabled && self.kind != Kind::Primary {
            fill = t.line;
        }
        if !enabled {
            text = theme::mix(t.background, t.muted, 0.75);
        }
        let corner = if self.kind == Kind::Chip { radius::CHIP } else { radius::BUTTON };
        ui.painter().rect(rect, corner, fill, egui::Stroke::new(1.0, line), StrokeKind::Inside);
        self.paint_contents(ui, rect, text, enabled);
        focus_ring(ui, response, rect, corner);
    }

    fn paint_contents(&self, ui: &Ui, rect: Rect, color: Color32, enabled: bool) {
        let text = if self.shown.is_some() { self.line().width(ui).ceil() + 1.0 } else { 0.0 };
        let lead = self.icon_width(ui);
        let room = (rect.width() - 8.0 - lead).max(0.0);
        let text = text.min(room);
        let mut x = rect.center().x - (lead + text) / 2.0;
        if let Some(dot) = self.dot {
            let square = Rect::from_center_size(pos2(x + 5.0, rect.center().y), vec2(10.0, 10.0));
            let dot = if self.selected == Some(false) || !enabled { theme::fade(dot, 0.35) } else { dot };
            ui.painter().rect_filled(square, 3, dot);
            x += 18.0;
        }
        if let Some(icon) = self.icon {
            let font = theme::icon_font(ui, size::ICON);
            let width = size::ICON * theme::scale(ui);
            let center = pos2(x + width / 2.0, rect.center().y);
            ui.painter().text(center, egui::Align2::CENTER_CENTER, icon, font, color);
            x += width + if self.shown.is_some() { 8.0 } else { 0.0 };
        }
        if self.shown.is_some() {
            let place = Rect::from_min_max(pos2(x, rect.top()), pos2(x + text + 1.0, rect.bottom()));
            self.line().color(color).align(Align::Min).paint(ui, place);
        }
    }
}
