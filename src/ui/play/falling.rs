//! Falling notes over the keyboard. Only what is in view is looked at: a piece of ten thousand notes costs no more than
//! a short one.

use egui::{Align2, Color32, FontId, Painter, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2};

use super::geometry::Keys;
use crate::music::{NoteId, Pitch, Score, WrittenNote};
use crate::practice::VerdictKind;
use crate::time::Ticks;
use crate::ui::shortcuts::{self, Action};
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, Tokens, radius, tokens};
use crate::ui::view::{Mark, Piece};
use crate::ui::widgets::{Line, mark_shape, snap};
use crate::ui::{Cx, theme::fade};

/// Points for a quarter note at zoom 1.
const QUARTER: f32 = 58.0;
/// Points under the hit line in which judged notes flow on before they are gone.
const AFTER: f32 = 64.0;
/// A sign of a name is about so much of its size wide.
const SIGN_WIDTH: f32 = 0.62;
/// Names smaller than this, in points, are not read.
const NAME_MIN: f32 = 8.0;
/// The height of the line that says what starts the music, at text scale 1.
pub(super) const START: f32 = 24.0;
/// How far the zoom goes.
const ZOOM: std::ops::RangeInclusive<f32> = 0.35..=4.0;

/// The latest end among all notes up to each one, so that the first note in view is found by bisection.
#[derive(Debug, Default)]
pub(crate) struct NoteIndex {
    piece: String,
    latest_end: Vec<Ticks>,
}

impl NoteIndex {
    /// Makes the index when another piece was opened.
    fn update(&mut self, id: &str, score: &Score) {
        if self.piece == id && self.latest_end.len() == score.notes().len() {
            return;
        }
        id.clone_into(&mut self.piece);
        let mut latest = Ticks(i64::MIN);
        self.latest_end.clear();
        self.latest_end.extend(score.notes().iter().map(|n| {
            latest = latest.max(n.end);
            latest
        }));
    }

    /// The notes that may sound in `from..=to`: from the first that reaches into it to the last that begins in it.
    fn range(&self, score: &Score, from: Ticks, to: Ticks) -> std::ops::Range<usize> {
        let first = self.latest_end.partition_point(|end| *end <= from);
        let last = score.notes().partition_point(|n| n.onset <= to);
        first..last.max(first)
    }
}

/// Ticks to heights.
#[derive(Clone, Copy)]
struct Fall {
    rect: Rect,
    hit: f32,
    position: f64,
    points_per_tick: f64,
}

impl Fall {
    fn of(cx: &Cx<'_>, state: &State, piece: &Piece<'_>, rect: Rect) -> Self {
        let zoom = f64::from(QUARTER * state.zoom.max(*ZOOM.start()));
        let points_per_tick = zoom / f64::from(piece.score.resolution());
        let hit = rect.bottom() - AFTER.min(rect.height() * 0.18);
        Self { rect, hit, position: cx.view.play.transport.position, points_per_tick }
    }

    fn y(&self, tick: Ticks) -> f32 {
        self.y_f64(tick.0 as f64)
    }

    fn y_f64(&self, tick: f64) -> f32 {
        self.hit - ((tick - self.position) * self.points_per_tick) as f32
    }

    fn tick(&self, y: f32) -> Ticks {
        Ticks((self.position + f64::from(self.hit - y) / self.points_per_tick).round() as i64)
    }
}

/// The lines of the octaves, with nothing falling.
pub(super) fn grid_ui(ui: &Ui, rect: Rect) {
    let t = tokens(ui);
    let keys = Keys::new(rect);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 0, t.background);
    for pitch in Keys::all().filter(|p| matches!(p.class(), 0 | 5)) {
        if let Some((x, _)) = keys.span(pitch) {
            let share = if pitch.class() == 0 { 0.85 } else { 0.4 };
            painter.vline(snap(ui, x), rect.y_range(), Stroke::new(1.0, fade(t.line, share)));
        }
    }
}

/// Makes the notes longer by a factor.
pub(super) fn zoom(state: &mut State, factor: f32) {
    state.zoom = (state.zoom * factor).clamp(*ZOOM.start(), *ZOOM.end());
}

/// The notes in `rect`, whose bottom is the top of the keyboard.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) {
    let response = ui.interact(rect, ui.scope_id().with("falling notes"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, in_words(cx, piece)));
    if response.hovered() {
        zoom(state, ui.input(|i| i.zoom_delta()));
    }
    state.index.update(piece.id, piece.score);
    let fall = Fall::of(cx, state, piece, rect);
    grid_ui(ui, rect);
    let painter = ui.painter_at(rect);
    bar_lines_ui(ui, &painter, piece.score, fall);
    band_ui(ui, &painter, fall);
    notes_ui(cx, ui, &painter, state, piece, fall);
    hit_line_ui(ui, &painter, fall);
    marks_ui(ui, &painter, state, piece, fall);
    start_ui(cx, ui, rect.with_min_y(fall.hit));
    count_in_ui(cx, ui, &painter, piece, rect);
}

/// What starts the music, while it stands still; on what has passed, so that nothing to come is covered.
pub(super) fn start_ui(cx: &Cx<'_>, ui: &mut Ui, rect: Rect) {
    let transport = cx.view.play.transport;
    if transport.playing {
        return;
    }
    let words = match transport.armed {
        true => tr().first_key_starts.to_owned(),
        false => text::press_to_start(&shortcuts::shown(ui.ctx(), Action::PlayPause)),
    };
    let t = tokens(ui);
    let line = Line::small(&words).color(t.muted).align(egui::Align::Center);
    let size = egui::vec2(line.width(ui).ceil() + 24.0, 24.0 * theme::scale(ui)).min(rect.size());
    let pill = Rect::from_center_size(rect.center(), size);
    ui.painter().rect_filled(pill, theme::radius::CHIP, fade(t.surface, 0.92));
    line.show_at(ui, pill);
}

pub(super) fn in_words(cx: &Cx<'_>, piece: &Piece<'_>) -> String {
    let bars = piece.score.bars();
    let index = bars.index_at(Ticks(cx.view.play.transport.position as i64));
    let notes = piece.score.notes();
    let names = cx.view.settings.names;
    let next: Vec<String> = piece
        .next
        .iter()
        .filter_map(|id| Some((notes.get(id.0 as usize)?.pitch, piece.score.bar_of(*id))))
        .map(|(pitch, bar)| text::written_octave(Some(piece.score), bar, pitch, names))
        .collect();
    text::place(piece.title, bars.number(index), bars.number(bars.len() - 1), &next.join(" "))
}

fn bar_lines_ui(ui: &Ui, painter: &Painter, score: &Score, fall: Fall) {
    let t = tokens(ui);
    let bars = score.bars();
    let (low, high) = (fall.tick(fall.rect.bottom()), fall.tick(fall.rect.top()));
    for index in bars.index_at(low)..=bars.index_at(high) {
        let bar = bars.get(index);
        let y = snap(ui, fall.y(bar.start));
        painter.hline(fall.rect.x_range(), y, t.hairline());
        let at = pos2(fall.rect.left() + 10.0, y - 3.0);
        painter.text(at, Align2::LEFT_BOTTOM, bars.number(index).printed(), theme::regular(ui, 11.0), t.muted);
        let beat = bar.meter.beat_ticks(score.resolution());
        if beat as f64 * fall.points_per_tick < 14.0 {
            continue;
        }
        let mut tick = bar.start.0 + beat;
        while tick < bar.end.0.min(high.0) {
            let y = snap(ui, fall.y(Ticks(tick)));
            painter.hline(fall.rect.x_range(), y, Stroke::new(1.0, fade(t.line, 0.35)));
            tick += beat;
        }
    }
}

fn notes_ui(cx: &Cx<'_>, ui: &Ui, painter: &Painter, state: &State, piece: &Piece<'_>, fall: Fall) {
    let t = tokens(ui);
    let keys = Keys::new(fall.rect);
    let settings = cx.view.settings;
    let chosen = cx.view.play.transport.chosen;
    let (from, to) = chosen.ticks(piece.score.bars());
    let font = theme::semibold(ui, (keys.white() * 0.48).clamp(8.0, 11.0));
    let shown = state.index.range(piece.score, fall.tick(fall.rect.bottom()), fall.tick(fall.rect.top()));
    let mut shapes = Vec::with_capacity(shown.len());
    let mut labels = Vec::new();
    for index in shown {
        let note = &piece.score.notes()[index];
        let Some(body) = body(note, keys, fall) else { continue };
        let mine = chosen.is_mine(note) && (from..to).contains(&note.onset);
        let lacks = chosen.practise.contains(note.hand) && !chosen.keyboard.contains(note.pitch);
        let color = match lacks {
            true => theme::mix(t.background, t.muted, 0.38),
            false => note_color(t, note, mine, piece.marks.get(index).copied().flatten(), fall),
        };
        let corner = f32::from(radius::NOTE).min(body.width() / 3.0).min(body.height() / 2.0);
        shapes.push(Shape::rect_filled(body, corner, color));
        if mine && piece.next.iter().any(|id| id.0 as usize == index) {
            let ring = Stroke::new(1.5, theme::mix(t.hand(note.hand), t.text, 0.6));
            shapes.push(Shape::Rect(egui::epaint::RectShape::stroke(body, corner, ring, StrokeKind::Inside)));
        }
        if settings.note_labels && body.height() >= 13.0 && body.bottom() <= fall.hit + 1.0 {
            labels.push((index, body, mine));
        }
    }
    painter.extend(shapes);
    for (index, body, mine) in labels {
        let note = &piece.score.notes()[index];
        let bar = piece.score.bar_of(NoteId(index as u32));
        let name = text::written_note(piece.score, bar, note.pitch, settings.names);
        let color = if mine { t.on_hand(note.hand) } else { t.text };
        name_ui(painter, &name, body, &font, (color, t.text));
    }
}

/// The name at the foot of a note: smaller where it is narrow, its sign under its letter where it is narrower, and where
/// neither fits above it. The second colour is for what stands on the background.
fn name_ui(painter: &Painter, name: &str, body: Rect, font: &FontId, (on, above): (Color32, Color32)) {
    let signs = name.chars().count();
    let fitting = body.width() / (signs as f32 * SIGN_WIDTH);
    let foot = pos2(body.center().x, body.bottom() - 3.0);
    let sized = |size: f32| FontId::new(size.min(font.size), font.family.clone());
    let stacked = sized(body.width() / SIGN_WIDTH);
    if fitting >= NAME_MIN {
        painter.text(foot, Align2::CENTER_BOTTOM, name, sized(fitting), on);
    } else if signs == 2 && body.height() >= 2.0 * stacked.size + 4.0 {
        for (place, sign) in name.chars().rev().enumerate() {
            let at = foot - egui::vec2(0.0, place as f32 * stacked.size);
            painter.text(at, Align2::CENTER_BOTTOM, sign, stacked.clone(), on);
        }
    } else {
        let at = pos2(body.center().x, body.top() - 1.0);
        painter.text(at, Align2::CENTER_BOTTOM, name, sized(NAME_MIN), above);
    }
}

/// The notes in view with their rectangles, in the order of the score.
pub(super) fn bodies(cx: &Cx<'_>, state: &State, piece: &Piece<'_>, rect: Rect) -> Vec<(NoteId, Rect)> {
    let fall = Fall::of(cx, state, piece, rect);
    let keys = Keys::new(rect);
    let shown = state.index.range(piece.score, fall.tick(rect.bottom()), fall.tick(rect.top()));
    shown.filter_map(|i| Some((NoteId(i as u32), body(&piece.score.notes()[i], keys, fall)?))).collect()
}

/// The rectangle of a note; a hair shorter than written, so that repeated notes are told apart.
fn body(note: &WrittenNote, keys: Keys, fall: Fall) -> Option<Rect> {
    let (x, width) = keys.span(note.pitch)?;
    let bottom = fall.y(note.onset) - 1.0;
    let top = (fall.y(note.end) + 1.0).min(bottom - 3.0);
    if bottom < fall.rect.top() || top > fall.rect.bottom() {
        return None;
    }
    // Far longer than the window: cut, so that no rounding error of huge coordinates is seen.
    let (top, bottom) = (top.max(fall.rect.top() - 20.0), bottom.min(fall.rect.bottom() + 20.0));
    Some(Rect::from_min_max(pos2(x + 1.0, top), pos2(x + width - 1.0, bottom)))
}

fn note_color(t: &Tokens, note: &WrittenNote, mine: bool, mark: Option<Mark>, fall: Fall) -> egui::Color32 {
    let hand =
        if note.pitch.is_black() { theme::mix(t.hand(note.hand), t.background, 0.18) } else { t.hand(note.hand) };
    let passed = fall.y(note.onset) > fall.hit + 0.5;
    let missed = mark.is_some_and(|m| m.kind == VerdictKind::Missed);
    match (mine, missed, passed) {
        (false, ..) => theme::mix(t.background, hand, 0.38),
        (_, true, _) => theme::mix(t.background, t.muted, 0.45),
        (_, _, true) => theme::mix(t.background, hand, 0.55),
        _ => hand,
    }
}

/// Where notes are gone after they were due.
fn band_ui(ui: &Ui, painter: &Painter, fall: Fall) {
    let below = Rect::from_min_max(pos2(fall.rect.left(), fall.hit), fall.rect.max);
    painter.rect_filled(below, 0, fade(tokens(ui).surface, 0.55));
}

/// The line where notes are due.
fn hit_line_ui(ui: &Ui, painter: &Painter, fall: Fall) {
    let t = tokens(ui);
    let glow = Rect::from_min_max(pos2(fall.rect.left(), fall.hit - 22.0), pos2(fall.rect.right(), fall.hit));
    let (from, to) = (theme::CLEAR, fade(t.accent, 0.16));
    painter.add(Shape::gradient_rect(glow, egui::Direction::TopDown, [from, to]));
    painter.hline(fall.rect.x_range(), fall.hit, Stroke::new(2.0, t.accent));
}

/// Verdicts of the notes that have just passed, and crosses for keys that were not written.
fn marks_ui(ui: &Ui, painter: &Painter, state: &State, piece: &Piece<'_>, fall: Fall) {
    let t = tokens(ui);
    let keys = Keys::new(fall.rect);
    let reach = fall.tick(fall.hit - 24.0);
    let start = fall.tick(fall.rect.bottom() + 18.0);
    let spot = |pitch: Pitch, y: f32| {
        keys.span(pitch).map(|(x, width)| pos2(x + width / 2.0, y.clamp(fall.hit + 9.0, fall.rect.bottom() + 8.0)))
    };
    let shown = state.index.range(piece.score, start, reach);
    for index in shown {
        let note = &piece.score.notes()[index];
        let mark = piece.marks.get(index).copied().flatten();
        let (Some(mark), true) = (mark, note.onset >= start) else { continue };
        if let Some(at) = spot(note.pitch, fall.y(note.onset) - 10.0) {
            painter.circle_filled(at, 9.0, fade(t.background, 0.8));
            painter.add(mark_shape(t, mark.kind, at, 5.5));
        }
    }
    let first = piece.extras.partition_point(|e| e.tick < start.0 as f64);
    for extra in piece.extras[first..].iter().take(64).filter(|e| e.tick <= reach.0 as f64) {
        if let Some(at) = spot(extra.pitch, fall.y_f64(extra.tick) - 10.0) {
            painter.circle_filled(at, 9.0, fade(t.background, 0.8));
            painter.add(mark_shape(t, VerdictKind::Extra, at, 5.5));
        }
    }
}

/// The beat that is counted before the music begins.
pub(super) fn count_in_ui(cx: &Cx<'_>, ui: &Ui, painter: &Painter, piece: &Piece<'_>, rect: Rect) {
    let transport = cx.view.play.transport;
    let bars = piece.score.bars();
    let from = transport.begins;
    let missing = from.0 as f64 - transport.position;
    if !transport.playing || !transport.chosen.mode.is_timed() || missing <= 0.0 {
        return;
    }
    let (start, resolution) = (bars.index_at(from), piece.score.resolution());
    let meter = bars.get(start).meter;
    let left = (missing / meter.beat_ticks(resolution) as f64).ceil().max(1.0) as i64;
    let begins_at = bars.missing(start, resolution).0 / meter.beat_ticks(resolution);
    let beat = (begins_at - left).rem_euclid(i64::from(meter.beats.max(1))) + 1;
    let t = tokens(ui);
    let at = pos2(rect.center().x, rect.top() + 56.0);
    painter.circle_filled(at, 38.0, fade(t.surface, 0.9));
    painter.text(at, Align2::CENTER_CENTER, beat, theme::semibold(ui, 44.0), t.accent_text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Hand, ScoreParts};

    #[test]
    fn the_index_finds_a_long_note_that_began_before_the_view() {
        let note = |onset, end| WrittenNote {
            onset: Ticks(onset),
            end: Ticks(end),
            pitch: Pitch::MIDDLE_C,
            hand: Hand::Right,
            velocity: 80,
        };
        let notes = vec![note(0, 10), note(20, 1000), note(30, 40), note(500, 510), note(2000, 2010)];
        let score = Score::new(ScoreParts { resolution: 480, notes, ..Default::default() });
        let mut index = NoteIndex::default();
        index.update("a", &score);
        assert_eq!(index.range(&score, Ticks(490), Ticks(600)), 1..4);
        assert_eq!(index.range(&score, Ticks(1500), Ticks(1600)), 4..4);
        assert_eq!(index.range(&score, Ticks(-500), Ticks(-1)), 0..0);
        assert_eq!(index.range(&score, Ticks(-500), Ticks(9999)), 0..5);
    }
}
