//! All of one event: when it got where, its envelope, what it changed, what led to it and what it led to.

use egui::{Align, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use crate::bus::inspect::Header;
use crate::time::Micros;
use crate::ui::icons;
use crate::ui::state::InspectorState;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::view::{Chosen, EventDetail, EventLink, Hops};
use crate::ui::widgets::{Button, Column, Line, card_frame, fact_ui, rows_ui};

/// Fills the room it gets, and scrolls.
pub(super) fn ui(ui: &mut Ui, state: &mut InspectorState, offset: i32, chosen: &Chosen<'_>) {
    let height = ui.available_height();
    card_frame(ui).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), height - 2.0 * space::CARD));
        ui.set_max_height(height - 2.0 * space::CARD);
        ui.spacing_mut().item_spacing.y = 4.0;
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
        let close = Rect::from_min_max(rect.right_top() - vec2(space::CHIP, 0.0), rect.max);
        let title = text::event_title(chosen.event.seq(), chosen.event.topic());
        Line::new(&title).bold().show_at(ui, rect.with_max_x(close.left() - 8.0));
        if Button::icon_only(tr().close, icons::CLOSE).quiet().show_at(ui, close).clicked() {
            state.selected = None;
        }
        let salt = ("detail", chosen.event.seq());
        ScrollArea::vertical().id_salt(salt).auto_shrink(false).show(ui, |ui| {
            // Beside the bar that scrolls.
            ui.set_max_width(ui.available_width() - 10.0);
            section_ui(ui, tr().way);
            way_ui(ui, &chosen.hops);
            section_ui(ui, tr().changed);
            changes_ui(ui, chosen.detail);
            links_ui(ui, state, chosen.detail);
            section_ui(ui, tr().payload);
            payload_ui(ui, &chosen.event.payload());
            section_ui(ui, tr().envelope);
            envelope_ui(ui, &chosen.event.header(), offset, chosen.detail);
        });
    });
}

fn section_ui(ui: &mut Ui, title: &str) {
    ui.add_space(8.0);
    Line::new(title).size(13.0).bold().color(tokens(ui).muted).show(ui);
}

fn remark_ui(ui: &mut Ui, words: &str) {
    Line::new(words).size(13.0).color(tokens(ui).muted).show(ui);
}

/// The hops of an event in order: each begins where another ended.
fn hops(hops: &Hops) -> Vec<(&'static str, Micros, Micros)> {
    let (t, mut found) = (tr(), Vec::new());
    let Some(round) = hops.round else { return found };
    let begin = hops.played.unwrap_or(round.taken);
    if hops.played.is_some() {
        found.push((t.hop_played, begin, begin));
    }
    found.push((t.hop_taken, begin, round.taken));
    found.push((t.hop_applied, round.taken, round.applied));
    found.push((t.hop_stored, round.applied, round.stored));
    found.extend(hops.painted.map(|at| (t.hop_painted, round.stored, at)));
    found.extend(hops.durable.map(|at| (t.hop_durable, round.applied, at)));
    found
}

/// A bar for each hop, on one scale of time.
fn way_ui(ui: &mut Ui, way: &Hops) {
    let hops = hops(way);
    let (Some(first), Some(last)) = (hops.first(), hops.iter().map(|hop| hop.2).max()) else {
        remark_ui(ui, tr().way_unknown);
        return;
    };
    let (t, scale) = (tokens(ui), theme::scale(ui));
    let (begin, span) = (first.1, (last - first.1).0.max(1) as f32);
    for (name, from, to) in &hops {
        let words = text::hop(*to - *from, *to - begin);
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 20.0 * scale));
        let response = ui.interact(rect, ui.scope_id().with(("hop", name)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text::hop_in_words(name, &words)));
        let label = rect.with_max_x(rect.left() + 118.0 * scale);
        let value = rect.with_min_x(rect.right() - 150.0 * scale);
        Line::small(name).paint(ui, label);
        Line::small(&words).color(t.muted).align(Align::Max).paint(ui, value);
        let track = Rect::from_min_max(label.right_top(), value.left_bottom()).shrink2(vec2(4.0, 0.0));
        if track.width() < 20.0 {
            continue;
        }
        let at = |moment: Micros| track.left() + (moment - begin).0.max(0) as f32 / span * (track.width() - 3.0);
        let middle = track.center().y;
        ui.painter().hline(track.x_range(), middle, t.hairline());
        let bar = Rect::from_x_y_ranges(at(*from)..=at(*to) + 3.0, middle - 3.0..=middle + 3.0);
        ui.painter().rect_filled(bar, 2, if *name == tr().hop_durable { t.good } else { t.accent });
    }
}

fn changes_ui(ui: &mut Ui, detail: Option<&EventDetail>) {
    let t = tr();
    let Some(detail) = detail else { return remark_ui(ui, t.reading) };
    if detail.changes.is_empty() {
        return remark_ui(ui, t.changed_nothing);
    }
    let columns = [
        Column::new(t.field, 90.0).grow(0.6),
        Column::new(t.before, 80.0).grow(1.0),
        Column::new(t.after, 80.0).grow(1.0),
    ];
    rows_ui(
        ui,
        "changes",
        &columns,
        detail.changes.len(),
        |_| None,
        |ui, i, row| {
            let (k, change) = (tokens(ui), &detail.changes[i]);
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| text::NONE.to_owned());
            let path = if change.path.is_empty() { t.value } else { &change.path };
            row.line(ui, 0, Line::new(path).size(13.0).bold());
            row.colored(ui, 1, &shown(&change.before), k.muted);
            row.text(ui, 2, &shown(&change.after));
        },
    );
}

/// What led to it and what it led to, each a click away.
fn links_ui(ui: &mut Ui, state: &mut InspectorState, detail: Option<&EventDetail>) {
    let (t, Some(detail)) = (tr(), detail) else { return };
    section_ui(ui, t.causes);
    if detail.causes.is_empty() && detail.root_found {
        remark_ui(ui, t.causes_none);
    } else {
        list_ui(ui, state, "causes", &detail.causes);
    }
    if !detail.root_found {
        remark_ui(ui, t.causes_further);
    }
    if !detail.effects.is_empty() {
        section_ui(ui, t.effects);
        list_ui(ui, state, "effects", &detail.effects);
    }
}

fn list_ui(ui: &mut Ui, state: &mut InspectorState, salt: &str, links: &[EventLink]) {
    let t = tr();
    let columns = [
        Column::new(t.seq, 76.0),
        Column::new(t.topic, 110.0).grow(0.5),
        Column::new(t.entity, 90.0).grow(0.5),
        Column::new(t.actor, 64.0).spare(1),
    ];
    let name = |i: usize| Some(text::go_to_event(links[i].seq));
    rows_ui(ui, salt, &columns, links.len(), name, |ui, i, row| {
        let (k, link) = (tokens(ui), &links[i]);
        row.colored(ui, 0, &text::count(link.seq), k.muted);
        row.line(ui, 1, Line::new(&link.topic).size(13.0).bold());
        row.text(ui, 2, &link.entity);
        row.colored(ui, 3, &link.actor, k.muted);
        if row.response.clicked() {
            (state.selected, state.top) = (Some(link.seq), Some(link.seq));
        }
    });
}

fn payload_ui(ui: &mut Ui, payload: &serde_json::Value) {
    if payload.is_null() {
        return remark_ui(ui, tr().erased);
    }
    let json = serde_json::to_string_pretty(payload).unwrap_or_default();
    let words = egui::RichText::new(json).font(theme::regular(ui, 13.0)).color(tokens(ui).text);
    ui.add(egui::Label::new(words).wrap());
}

fn envelope_ui(ui: &mut Ui, header: &Header, offset: i32, detail: Option<&EventDetail>) {
    let t = tr();
    let mut rows = vec![
        (t.seq, text::count(header.seq)),
        (t.envelope_id, text::event_id(header.id)),
        (t.topic, header.topic.to_string()),
        (t.entity, header.entity.to_string()),
        (t.version, text::count(header.version)),
        (t.envelope_base, header.base.map_or_else(|| text::NONE.to_owned(), text::event_id)),
        (t.envelope_hlc, text::hybrid(header.hlc, offset, detail.map(|detail| detail.at))),
    ];
    if let Some(stamp) = header.stamp {
        rows.push((t.envelope_played, text::micros(stamp.mono)));
        rows.push((t.envelope_driver, text::micros(stamp.driver)));
        let frame = stamp.frame.map_or_else(|| text::NONE.to_owned(), |frame| text::frame(frame.0, stamp.stream.0));
        rows.push((t.envelope_frame, frame));
    }
    rows.extend([
        (t.envelope_cause, header.cause.map_or_else(|| text::NONE.to_owned(), text::event_id)),
        (t.actor, header.actor.to_string()),
        (t.envelope_schema, text::schema(&header.schema, header.schema_version)),
    ]);
    let color = tokens(ui).text;
    rows.iter().for_each(|(name, value)| fact_ui(ui, name, value, color));
}
