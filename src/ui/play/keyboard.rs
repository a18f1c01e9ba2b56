//! The on-screen keyboard: what to press next, what is down, and a piano for the mouse.

use egui::{
    Align2, Color32, Painter, PointerButton, Pos2, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
};

use super::geometry::Keys;
use crate::music::{Hand, NoteId, Pitch};
use crate::practice::KeyRange;
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, Tokens, tokens};
use crate::ui::view::{Keys as Down, NoteNames, Piece};
use crate::ui::{Command, Cx};

/// What is shown on one key.
#[derive(Clone, Copy, Debug, PartialEq)]
struct KeyLook {
    fill: Color32,
    dot: Option<Color32>,
    wrong: bool,
}

/// The keyboard in `rect`.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, rect: Rect) {
    let t = tokens(ui);
    let keys = Keys::new(rect);
    mouse(cx, ui, state, rect, keys);
    let painter = ui.painter_at(rect);
    let next = next_keys(cx);
    let down = (cx.view.play.keys, state.mouse_key);
    keys_ui(&painter, t, rect, down, &next, cx.view.settings.keyboard);
    names_ui(cx, ui, &painter, rect, keys, &next);
    if cx.view.devices.keyboards().next().is_none() {
        letters_ui(cx, ui, state, &painter, rect, keys, &next);
    }
    painter.hline(rect.x_range(), rect.top() + 0.5, Stroke::new(2.0, theme::fade(t.accent, 0.7)));
}

/// A keyboard that is only looked at: these keys are down, those come next.
pub(in crate::ui) fn shown_ui(ui: &Ui, rect: Rect, down: Down, next: &[(Pitch, Hand)]) {
    keys_ui(&ui.painter_at(rect), tokens(ui), rect, (down, None), next, KeyRange::ALL);
}

fn keys_ui(
    painter: &Painter,
    t: &Tokens,
    rect: Rect,
    (down, mouse): (Down, Option<Pitch>),
    next: &[(Pitch, Hand)],
    keyboard: KeyRange,
) {
    let keys = Keys::new(rect);
    painter.rect_filled(rect, 0, t.key_line);
    for black in [false, true] {
        for pitch in Keys::all().filter(|p| p.is_black() == black) {
            let Some(key) = keys.rect(pitch, rect) else { continue };
            let look = look(t, pitch, down, next, (mouse == Some(pitch), !keyboard.contains(pitch)));
            paint_key(painter, t, key, pitch, look);
        }
    }
}

/// The keys to press next with their hands, in the order of the score.
fn next_keys(cx: &Cx<'_>) -> Vec<(Pitch, Hand)> {
    let Some(piece) = cx.view.play.piece else { return Vec::new() };
    let notes = piece.score.notes();
    piece.next.iter().filter_map(|id| notes.get(id.0 as usize)).map(|n| (n.pitch, n.hand)).collect()
}

/// The bar that the next keys are written in.
fn bar_of_next(piece: Piece<'_>) -> usize {
    let known = |id: &&NoteId| (id.0 as usize) < piece.score.notes().len();
    piece.next.first().filter(known).map_or(0, |id| piece.score.bar_of(*id))
}

fn look(t: &Tokens, pitch: Pitch, down: Down, next: &[(Pitch, Hand)], (mouse, lacks): (bool, bool)) -> KeyLook {
    let bit = Down::bit(pitch);
    let base = match (pitch.is_black(), lacks) {
        (true, false) => t.key_black,
        (false, false) => t.key_white,
        // Greyed: the person's keyboard has no such key.
        (true, true) => theme::mix(t.key_black, t.key_text, 0.6),
        (false, true) => theme::mix(t.key_white, t.key_text, 0.45),
    };
    let live = down.live & bit != 0 || mouse;
    let wrong = down.wrong & bit != 0;
    let wanted = next.iter().find(|(p, _)| *p == pitch).map(|(_, hand)| *hand);
    let sounding = [(down.right, Hand::Right), (down.left, Hand::Left)];
    let sounding = sounding.iter().find(|(keys, _)| keys & bit != 0).map(|(_, hand)| *hand);
    let fill = match (wrong, wanted, sounding, live) {
        (true, ..) => t.bad,
        (_, Some(hand), ..) => t.hand(hand),
        (_, _, Some(hand), _) => theme::mix(base, t.hand(hand), 0.7),
        (_, _, _, true) => theme::mix(base, t.accent, 0.75),
        _ => base,
    };
    let dot = live.then(|| wanted.map_or(t.on_accent, |hand| t.on_hand(hand)));
    KeyLook { fill, dot, wrong }
}

fn paint_key(painter: &Painter, t: &Tokens, key: Rect, pitch: Pitch, look: KeyLook) {
    let corner = egui::CornerRadius { sw: 4, se: 4, ..egui::CornerRadius::ZERO };
    if pitch.is_black() {
        painter.rect(key, corner, look.fill, Stroke::new(1.0, t.key_line), StrokeKind::Inside);
    } else {
        let inner = Rect::from_min_max(pos2(key.left() + 0.5, key.top()), pos2(key.right() - 0.5, key.bottom()));
        painter.rect_filled(inner, corner, look.fill);
    }
    let Some(color) = look.dot else { return };
    let center = pos2(key.center().x, key.bottom() - key.width().min(16.0) - 10.0);
    let r = (key.width() * 0.22).clamp(3.0, 5.0);
    if look.wrong {
        for s in [-1.0, 1.0] {
            let ends = [center + egui::vec2(-r, -r * s), center + egui::vec2(r, r * s)];
            painter.add(Shape::line_segment(ends, Stroke::new(2.0, color)));
        }
    } else {
        painter.circle_filled(center, r, color);
    }
}

/// The names of the Cs, and of the keys to press next.
fn names_ui(cx: &Cx<'_>, ui: &Ui, painter: &Painter, rect: Rect, keys: Keys, next: &[(Pitch, Hand)]) {
    let t = tokens(ui);
    let names = cx.view.settings.names;
    let font = theme::regular(ui, (keys.white() * 0.46).clamp(7.0, 10.0));
    let at = |key: Rect| -> Pos2 { pos2(key.center().x, key.bottom() - 4.0) };
    for pitch in Keys::all().filter(|p| p.class() == 0) {
        if next.iter().any(|(p, _)| *p == pitch) {
            continue;
        }
        if let Some(key) = keys.rect(pitch, rect) {
            let color = if cx.view.play.keys.live & Down::bit(pitch) != 0 { t.on_accent } else { t.key_text };
            painter.text(at(key), Align2::CENTER_BOTTOM, short(pitch, names), font.clone(), color);
        }
    }
    for (pitch, hand) in next.iter().filter(|(p, _)| !p.is_black()) {
        if let Some(key) = keys.rect(*pitch, rect) {
            let name = match cx.view.play.piece {
                Some(piece) => text::written_note(piece.score, bar_of_next(piece), *pitch, names),
                None => text::note(*pitch, names, crate::music::Spelling::Sharp).to_owned(),
            };
            painter.text(at(key), Align2::CENTER_BOTTOM, name, font.clone(), t.on_hand(*hand));
        }
    }
}

/// The sides of a keycap and of its letter, as shares of a white key's width.
const KEYCAP: f32 = 0.84;
const LETTER: f32 = 0.58;

/// The letters of the computer keyboard on the keys that they play, as little keycaps, for whoever has no other.
fn letters_ui(cx: &Cx<'_>, ui: &Ui, state: &State, painter: &Painter, rect: Rect, keys: Keys, next: &[(Pitch, Hand)]) {
    let t = tokens(ui);
    // The keys do not grow with the text: the letters do as far as there is room on them.
    let scale = theme::scale(ui);
    let font = theme::regular(ui, (keys.white() * LETTER).clamp(8.0, 11.0 * scale) / scale);
    let down = cx.view.play.keys;
    for (pitch, letter) in state.keyboard.labels() {
        let Some(key) = keys.rect(pitch, rect) else { continue };
        let wanted = next.iter().find(|(p, _)| *p == pitch).map(|(_, hand)| t.on_hand(*hand));
        let plain = if pitch.is_black() { t.key_white } else { t.key_text };
        let color = wanted.unwrap_or(if down.live & Down::bit(pitch) != 0 { t.on_accent } else { plain });
        let side = (keys.white() * KEYCAP).min(key.width() - 1.0);
        let y = if pitch.is_black() { key.top() + side } else { key.bottom() - 21.0 - side / 2.0 };
        let cap = Rect::from_center_size(pos2(key.center().x, y), egui::Vec2::splat(side));
        painter.rect_stroke(cap, 3, Stroke::new(1.0, theme::fade(color, 0.5)), StrokeKind::Inside);
        painter.text(cap.center(), Align2::CENTER_CENTER, letter, font.clone(), color);
    }
}

fn short(pitch: Pitch, names: NoteNames) -> String {
    text::note_octave(pitch, names)
}

/// Keys under the mouse: down where pressed, on to the next while it slides, up when let go.
fn mouse(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, rect: Rect, keys: Keys) {
    let response = ui.interact(rect, ui.scope_id().with("keyboard"), Sense::drag());
    let names = cx.view.settings.names;
    let words = || {
        let piece = cx.view.play.piece;
        let (score, bar) = (piece.map(|piece| piece.score), piece.map_or(0, bar_of_next));
        let name = |(pitch, _): &(Pitch, Hand)| text::written_octave(score, bar, *pitch, names);
        let next: Vec<String> = next_keys(cx).iter().map(name).collect();
        text::keyboard_in_words(tr().keyboard, &next)
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Group, true, words()));
    let held = response.is_pointer_button_down_on() && ui.input(|i| i.pointer.button_down(PointerButton::Primary));
    let hit = if held { response.interact_pointer_pos().and_then(|at| keys.hit(at, rect)) } else { None };
    let pitch = hit.map(|(pitch, _)| pitch);
    if state.mouse_key == pitch {
        return;
    }
    cx.send.extend(state.mouse_key.map(Command::KeyUp));
    cx.send.extend(hit.map(|(pitch, velocity)| Command::KeyDown(pitch, velocity)));
    state.mouse_key = pitch;
}
