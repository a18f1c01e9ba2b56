//! A row of large buttons of which one is chosen.

use egui::{Align2, Color32, Rect, Role, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Line, focus_ring};
use crate::ui::theme::{self, radius, size, tokens};

/// One of them.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// The name.
    pub label: &'a str,
    /// The icon, or an empty text.
    pub icon: &'a str,
    /// What to tell on hover.
    pub tip: String,
    /// Whether it can be chosen.
    pub enabled: bool,
}

/// How much of each segment is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Detail {
    Full,
    Words,
    /// The words no larger than they are at 100 %: a name that is seen tells more than a large icon.
    Small,
    Chosen,
    Icons,
}

const PAD: f32 = 4.0;

fn line<'a>(ui: &Ui, s: &Segment<'a>, detail: Detail) -> Line<'a> {
    let line = Line::new(s.label);
    if detail == Detail::Small { line.size(size::BODY / theme::scale(ui).max(1.0)) } else { line }
}

fn segment_width(ui: &Ui, s: &Segment<'_>, chosen: bool, detail: Detail) -> f32 {
    let icon = size::ICON * theme::scale(ui);
    let label = line(ui, s, detail).bold().width(ui).ceil() + 2.0;
    let with_icon = !s.icon.is_empty();
    match detail {
        Detail::Full if with_icon => 14.0 + icon + 8.0 + label + 14.0,
        Detail::Full => 16.0 + label + 16.0,
        Detail::Words => 10.0 + label + 10.0,
        Detail::Small => 8.0 + label + 8.0,
        Detail::Chosen if chosen || !with_icon => 10.0 + label + 10.0,
        Detail::Chosen | Detail::Icons if with_icon => 10.0 + icon + 10.0,
        Detail::Chosen | Detail::Icons => 10.0 + label + 10.0,
    }
}

fn total(ui: &Ui, segments: &[Segment<'_>], chosen: usize, detail: Detail) -> f32 {
    segments.iter().enumerate().map(|(i, s)| segment_width(ui, s, i == chosen, detail)).sum::<f32>() + 2.0 * PAD
}

fn detail_for(ui: &Ui, segments: &[Segment<'_>], chosen: usize, room: f32) -> Detail {
    [Detail::Full, Detail::Words, Detail::Small, Detail::Chosen]
        .into_iter()
        .find(|&d| total(ui, segments, chosen, d) <= room)
        .unwrap_or(Detail::Icons)
}

/// The width taken within `room`: labels give way to icons before anything is cut.
pub fn segmented_width(ui: &Ui, segments: &[Segment<'_>], chosen: usize, room: f32) -> f32 {
    total(ui, segments, chosen, detail_for(ui, segments, chosen, room))
}

/// Shows the segments from the left of `rect`; answers the one that was pressed.
pub fn segmented_ui(ui: &mut Ui, rect: Rect, segments: &[Segment<'_>], chosen: usize) -> Option<usize> {
    let t = tokens(ui);
    let detail = detail_for(ui, segments, chosen, rect.width());
    let width = total(ui, segments, chosen, detail).min(rect.width());
    let outer = Rect::from_min_size(rect.min, vec2(width, rect.height()));
    ui.painter().rect(outer, radius::CARD, t.surface, t.hairline(), StrokeKind::Inside);
    let mut x = outer.left() + PAD;
    let mut pressed = None;
    for (i, segment) in segments.iter().enumerate() {
        let w = segment_width(ui, segment, i == chosen, detail);
        let place = Rect::from_min_max(pos2(x, outer.top() + PAD), pos2(x + w, outer.bottom() - PAD));
        if segment_ui(ui, place, segment, i == chosen, detail) {
            pressed = Some(i);
        }
        x += w;
    }
    pressed
}

fn segment_ui(ui: &mut Ui, rect: Rect, s: &Segment<'_>, chosen: bool, detail: Detail) -> bool {
    let t = tokens(ui);
    let id = ui.scope_id().with(("segment", s.label));
    let response = ui.interact(rect, id, if s.enabled { Sense::click() } else { Sense::hover() });
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, s.enabled, chosen, s.label));
    if chosen {
        ui.painter().rect(rect, radius::BUTTON, t.raised, t.hairline(), StrokeKind::Inside);
    } else if s.enabled && response.hovered() {
        ui.painter().rect_filled(rect, radius::BUTTON, theme::fade(t.raised, 0.7));
    }
    let color = match (s.enabled, chosen || response.hovered()) {
        (false, _) => theme::mix(t.background, t.muted, 0.75),
        (true, true) => t.text,
        (true, false) => t.muted,
    };
    contents_ui(ui, rect, s, chosen, detail, color);
    focus_ring(ui, &response, rect, radius::BUTTON);
    let clicked = response.clicked();
    if !s.tip.is_empty() {
        response.on_hover_text(&s.tip);
    }
    clicked && s.enabled
}

fn contents_ui(ui: &Ui, rect: Rect, s: &Segment<'_>, chosen: bool, detail: Detail, color: Color32) {
    let with_icon = !s.icon.is_empty() && (detail == Detail::Full || detail == Detail::Icons || !chosen);
    let words_only = matches!(detail, Detail::Words | Detail::Small);
    let icon_shown = with_icon && !words_only;
    let label_shown = s.icon.is_empty() || words_only || detail == Detail::Full || (detail == Detail::Chosen && chosen);
    let line = line(ui, s, detail).color(color);
    let line = if chosen { line.bold() } else { line };
    let icon = if icon_shown { size::ICON * theme::scale(ui) } else { 0.0 };
    let label = if label_shown { line.width(ui).ceil() + 1.0 } else { 0.0 };
    let gap = if icon_shown && label_shown { 8.0 } else { 0.0 };
    let mut x = rect.center().x - (icon + gap + label) / 2.0;
    if icon_shown {
        let center = pos2(x + icon / 2.0, rect.center().y);
        ui.painter().text(center, Align2::CENTER_CENTER, s.icon, theme::icon_font(ui, size::ICON), color);
        x += icon + gap;
    }
    if label_shown {
        line.paint(ui, Rect::from_min_max(pos2(x, rect.top()), pos2(x + label + 1.0, rect.bottom())));
    }
}
