//! Saying which hand plays what: a strip above the falling notes, which are chosen with the mouse meanwhile.

use egui::{Frame, Margin, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use super::falling;
use crate::music::{EditedBars, Hand, HandEdit, NoteId, Pitch, Score};
use crate::ui::state::{HandsState, State};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, fade, space, tokens};
use crate::ui::view::Piece;
use crate::ui::widgets::{Button, Line, panel_ui, slider_ui};
use crate::ui::{Command, Cx, icons};

/// In the order of the controls.
const HANDS: [Hand; 3] = [Hand::Right, Hand::Left, Hand::Neither];
/// A split lies between these keys: beyond them one hand would have everything.
const SPLIT: std::ops::RangeInclusive<u64> = 24..=96;
/// A press of the mouse that moved no further is a click.
const CLICK: f32 = 4.0;

/// The strip at the top of `rect`, while hands are edited; answers what is left below it.
pub(super) fn strip_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) -> Rect {
    let Some(mut editing) = state.hands.take() else { return rect };
    let t = tokens(ui);
    let margin = Margin { left: space::PAGE as i8, right: space::PAGE as i8, top: 8, bottom: 8 };
    let mut strip = ui.new_child(egui::UiBuilder::new().max_rect(rect).id_salt("hands"));
    let done = Frame::new().fill(t.surface).inner_margin(margin).show(&mut strip, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
        let done = ui.horizontal_wrapped(|ui| where_ui(cx, ui, &mut editing, piece)).inner;
        ui.horizontal_wrapped(|ui| what_ui(cx, ui, &mut editing, piece));
        done
    });
    let bottom = done.response.rect.bottom();
    ui.painter().hline(rect.x_range(), bottom, t.hairline());
    state.hands = (!done.inner).then_some(editing);
    rect.with_min_y(bottom.min(rect.bottom()))
}

/// In which bars, and away with it; whether it is done.
fn where_ui(cx: &mut Cx<'_>, ui: &mut Ui, editing: &mut HandsState, piece: &Piece<'_>) -> bool {
    let transport = cx.view.play.transport;
    let number = |bar: usize| piece.score.bars().number(bar);
    let range = transport.chosen.range.map(|range| (number(range.first()), number(range.last())));
    editing.in_loop &= range.is_some();
    let whole = text::edited_bars(None);
    let chip = |label, on: bool| Button::new(label).chip().selected(on).role(egui::Role::RadioButton);
    if chip(&whole, !editing.in_loop).show(ui).clicked() {
        editing.in_loop = false;
    }
    if range.is_some() {
        let bars = text::edited_bars(range);
        if chip(&bars, editing.in_loop).show(ui).clicked() {
            editing.in_loop = true;
        }
    } else {
        let line = Line::small(tr().hands_bars_hint).color(tokens(ui).muted);
        let (_, place) = ui.allocate_space(vec2(line.width(ui).ceil() + 2.0, space::CHIP));
        line.show_at(ui, place);
    }
    let found = Button::new(tr().as_found).icon(icons::UNDO).chip().enabled(transport.hands_edited);
    if found.tip(tr().as_found_tip).show(ui).clicked() {
        cx.send.push(Command::ForgetHands);
    }
    Button::new(tr().done).chip().selected(true).show(ui).clicked()
}

/// The parts, the split, the chosen notes.
fn what_ui(cx: &mut Cx<'_>, ui: &mut Ui, editing: &mut HandsState, piece: &Piece<'_>) {
    let bars = bars(cx, editing);
    if parts(piece.score) > 1 {
        let button = Button::new(tr().parts).icon(icons::ROWS).chip().show(ui);
        parts_ui(cx, ui, &button, piece, bars);
    }
    let (_, rect) = ui.allocate_space(vec2(110.0 * theme::scale(ui), space::CHIP));
    if let Some(key) = slider_ui(ui, rect, tr().split, u64::from(editing.split.key()), SPLIT) {
        editing.split = Pitch::from_data_byte(key as u8);
    }
    let label = text::split_at(editing.split, cx.view.settings.names);
    if Button::new(&label).chip().tip(tr().split).show(ui).clicked() {
        cx.send.push(Command::EditHands(HandEdit::Split { at: editing.split, bars }));
    }
    ui.add_space(8.0);
    let words =
        if editing.notes.is_empty() { tr().hands_notes_hint.to_owned() } else { text::chosen_notes(&editing.notes) };
    let line = Line::small(&words).color(tokens(ui).muted);
    let (_, place) = ui.allocate_space(vec2(line.width(ui).ceil() + 2.0, space::CHIP));
    line.show_at(ui, place);
    if editing.notes.is_empty() {
        return;
    }
    for hand in HANDS {
        let chip = Button::new(text::hand(hand)).dot(tokens(ui).hand(hand)).chip();
        if chip.show(ui).clicked() {
            let notes = std::mem::take(&mut editing.notes);
            cx.send.push(Command::EditHands(HandEdit::Notes { notes, hand }));
        }
    }
}

/// The bars that are meant.
fn bars(cx: &Cx<'_>, editing: &HandsState) -> EditedBars {
    let range = cx.view.play.transport.chosen.range.filter(|_| editing.in_loop);
    range.map(|range| (range.first() as u32, range.last() as u32))
}

/// How many parts a score has; its staves where it knows none.
fn parts(score: &Score) -> usize {
    match score.parts().len() {
        0 => 2,
        n => n,
    }
}

/// Whose most notes of a part are in these bars.
fn hand_of(score: &Score, part: u16, bars: EditedBars) -> Option<Hand> {
    let mut counts = [0_u32; HANDS.len()];
    for (_, note) in score.iter().filter(|(id, _)| score.part_of(*id) == part) {
        let inside = |(first, last)| (first..=last).contains(&(score.bars().index_at(note.onset) as u32));
        if let (true, Some(index)) = (bars.is_none_or(inside), HANDS.iter().position(|hand| *hand == note.hand)) {
            counts[index] += 1;
        }
    }
    let most = counts.iter().max().filter(|most| **most > 0)?;
    counts.iter().position(|count| count == most).map(|index| HANDS[index])
}

fn parts_ui(cx: &mut Cx<'_>, ui: &Ui, button: &egui::Response, piece: &Piece<'_>, bars: EditedBars) {
    let room = ui.ctx().content_rect().height() * 0.5;
    panel_ui(ui, button, 360.0, |ui| {
        egui::ScrollArea::vertical().max_height(room).show(ui, |ui| {
            for part in 0..parts(piece.score).min(usize::from(u16::MAX)) as u16 {
                ui.horizontal(|ui| part_ui(cx, ui, piece.score, part, bars));
            }
        });
    });
}

fn part_ui(cx: &mut Cx<'_>, ui: &mut Ui, score: &Score, part: u16, bars: EditedBars) {
    let name = text::part_name(score, part);
    let now = hand_of(score, part, bars);
    let names = HANDS.map(|hand| text::part_to(&name, hand));
    let chips: Vec<(Hand, Button<'_>)> = (HANDS.iter().zip(&names))
        .map(|(hand, name)| {
            let chip = Button::new(name).shown(text::hand(*hand)).chip().selected(now == Some(*hand));
            (*hand, chip.role(egui::Role::RadioButton))
        })
        .collect();
    let taken: f32 = chips.iter().map(|(_, chip)| chip.width(ui) + ui.spacing().item_spacing.x).sum();
    let (_, rect) = ui.allocate_space(vec2((ui.available_width() - taken).max(40.0), space::CHIP));
    Line::new(&name).size(13.0).show_at(ui, rect);
    for (hand, chip) in chips {
        if chip.show(ui).clicked() && now != Some(hand) {
            cx.send.push(Command::EditHands(HandEdit::Part { part, bars, hand }));
        }
    }
}

/// Choosing falling notes with the mouse, and the ring around those that are chosen: drag around them, or click on one.
pub(super) fn choose_ui(cx: &Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) {
    let Some(mut editing) = state.hands.take() else { return };
    let response = ui.interact(rect, ui.scope_id().with("choose notes"), Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Region, true, tr().hands_notes_hint));
    let bodies = falling::bodies(cx, state, piece, rect);
    let pointer = response.interact_pointer_pos();
    if response.drag_started() || response.is_pointer_button_down_on() && editing.from.is_none() {
        editing.from = ui.input(|i| i.pointer.press_origin()).or(pointer);
    }
    let t = tokens(ui);
    let painter = ui.painter_at(rect);
    if let (Some(from), Some(to)) = (editing.from, pointer) {
        let frame = Rect::from_two_pos(from, to);
        if !response.is_pointer_button_down_on() {
            editing.notes = chosen(&editing.notes, &bodies, frame);
            editing.from = None;
        } else if frame.size().max_elem() > CLICK {
            painter.rect(frame, 2, fade(t.accent, 0.12), Stroke::new(1.0, t.accent), StrokeKind::Inside);
        }
    } else if !response.is_pointer_button_down_on() {
        editing.from = None;
    }
    for (id, body) in &bodies {
        if editing.notes.binary_search(id).is_ok() {
            painter.rect_stroke(body.expand(1.0), 4, Stroke::new(2.0, t.accent), StrokeKind::Outside);
        }
    }
    state.hands = Some(editing);
}

/// What is chosen after a frame was drawn: what it touches; after a click one note more or less, or none.
fn chosen(before: &[NoteId], bodies: &[(NoteId, Rect)], frame: Rect) -> Vec<NoteId> {
    if frame.size().max_elem() > CLICK {
        let mut notes: Vec<NoteId> = bodies.iter().filter(|(_, b)| b.intersects(frame)).map(|(id, _)| *id).collect();
        notes.sort_unstable();
        return notes;
    }
    let at = pos2(frame.center().x, frame.center().y);
    let Some((id, _)) = bodies.iter().rev().find(|(_, body)| body.expand(1.0).contains(at)) else { return Vec::new() };
    let mut notes = before.to_vec();
    match notes.binary_search(id) {
        Ok(index) => drop(notes.remove(index)),
        Err(index) => notes.insert(index, *id),
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_chooses_what_it_touches_and_a_click_one_note_more_or_less() {
        let body = |id: u32| (NoteId(id), Rect::from_min_size(pos2(id as f32 * 10.0, 0.0), vec2(8.0, 30.0)));
        let bodies = [body(0), body(1), body(2)];
        let frame = |left: f32, right: f32| Rect::from_two_pos(pos2(left, 10.0), pos2(right, 20.0));
        let ids = |notes: Vec<NoteId>| notes.into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(ids(chosen(&[NoteId(2)], &bodies, frame(12.0, 3.0))), [0, 1]);
        let click = |x: f32| Rect::from_two_pos(pos2(x, 5.0), pos2(x + 1.0, 5.0));
        assert_eq!(ids(chosen(&[NoteId(0)], &bodies, click(12.0))), [0, 1]);
        assert_eq!(ids(chosen(&[NoteId(0), NoteId(1)], &bodies, click(12.0))), [0]);
        assert_eq!(ids(chosen(&[NoteId(0)], &bodies, click(90.0))), [0; 0], "beside all of them");
    }
}
