//! The staff: the written page as one line that moves under the playhead, with what became of its notes. Only what is in
//! view is drawn; the line is engraved once for a piece.

use std::sync::Arc;

use egui::{Color32, Direction, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2};

use super::pen::Pen;
use super::{falling, ruler};
use crate::engraving::{self, Flow, Item, Part, Point, System};
use crate::music::notation::Notation;
use crate::music::{Hand, NoteId};
use crate::practice::VerdictKind;
use crate::time::Ticks;
use crate::ui::Cx;
use crate::ui::state::State;
use crate::ui::text::tr;
use crate::ui::theme::{self, Tokens, fade, space, tokens};
use crate::ui::view::Piece;
use crate::ui::widgets::{color_of, focus_ring, mark_shape, snap};

/// Points of a staff space at zoom 1.
const SPACE: f32 = 9.0;
/// How much larger it is without falling notes.
const ALONE: f32 = 1.45;
/// It is not made smaller than this as long as the staff may grow.
const SPACE_LEAST: f32 = 6.5;
/// How far the zoom goes.
const ZOOM: std::ops::RangeInclusive<f32> = 0.6..=2.5;
/// The playhead's place in the width.
const PLAYHEAD: f32 = 0.34;
/// From the left edge to the line.
const MARGIN: f32 = 24.0;
/// Under the music, for the marks of what was played.
const MARKS: f32 = 20.0;
/// Above the music.
const ABOVE: f32 = 8.0;
/// The staff takes so much of the music's height at most while falling notes are under it.
const SHARE: f32 = 0.55;

/// The engraved line of a piece.
#[derive(Debug, Default)]
pub(crate) struct StaffPage {
    /// The page that was engraved, and where its score's notes lie: what the line was made for.
    page: Option<(Arc<Notation>, usize)>,
    system: Option<System>,
}

impl StaffPage {
    /// Engraves when another piece was opened.
    fn update(&mut self, piece: &Piece<'_>) {
        let Some(page) = piece.score.notation() else { return };
        let notes = piece.score.notes().as_ptr().addr();
        let known = self.page.as_ref().is_some_and(|(own, at)| Arc::ptr_eq(own, page) && *at == notes);
        if !known || self.system.is_none() {
            self.page = Some((Arc::clone(page), notes));
            self.system = engraving::engrave(piece.score, Flow::Endless).and_then(|mut systems| systems.pop());
        }
    }
}

/// How high the staff wants to be above falling notes, where both have `room`.
pub(super) fn height(state: &mut State, piece: &Piece<'_>, room: f32) -> f32 {
    state.staff.update(piece);
    let music = state.staff.system.as_ref().map_or(0.0, |s| s.bottom - s.top);
    let usual = if room < 400.0 { space::STAFF_LOW } else { space::STAFF };
    (music * SPACE_LEAST + MARKS + ABOVE)
        .max(usual * state.staff_zoom.max(1.0))
        .min((room * SHARE).max(space::STAFF_LOW))
}

/// Where the line is under the playhead.
#[derive(Clone, Copy)]
struct Camera {
    /// The place of the line at the playhead's tick.
    now: f32,
    /// The place of the line at the left margin.
    left: f32,
}

impl Camera {
    /// The line moves evenly through a beat before and after the position, while the playhead tells it exactly; it rests
    /// at the beginning and the end.
    fn new(system: &System, position: f64, beat: f64, width: f32) -> Self {
        const SAMPLES: i32 = 6;
        let at = |offset: i32| system.x_at((position + beat * f64::from(offset) / f64::from(SAMPLES)).max(0.0));
        let even = (-SAMPLES..=SAMPLES).map(at).sum::<f32>() / (2 * SAMPLES + 1) as f32;
        let last = (system.width - width + 4.0).max(0.0);
        Self { now: system.x_at(position.max(0.0)), left: (even - width * PLAYHEAD).clamp(0.0, last) }
    }
}

/// The staff in `rect`; `alone` if no falling notes are shown.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect, alone: bool) {
    state.staff.update(piece);
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 0, t.paper);
    let response = ui.interact(rect, ui.scope_id().with("staff"), Sense::click_and_drag());
    let words = if alone { falling::in_words(cx, piece) } else { tr().staff_bars.to_owned() };
    focus_ring(ui, &response, rect.shrink(2.0), 4);
    response.widget_info(|| WidgetInfo::labeled(if alone { Role::Status } else { Role::Region }, true, &words));
    if response.hovered() {
        let zoom = ui.input(|i| i.zoom_delta());
        state.staff_zoom = (state.staff_zoom * zoom).clamp(*ZOOM.start(), *ZOOM.end());
    }
    // Taken out, so that the state can be changed by a click while the line is looked at.
    let Some(system) = state.staff.system.take() else { return };
    let space = (SPACE * state.staff_zoom * if alone { ALONE } else { 1.0 })
        .min((rect.height() - MARKS - ABOVE) / (system.bottom - system.top).max(1.0));
    let position = cx.view.play.transport.position;
    let bars = piece.score.bars();
    let beat = bars.get(bars.index_at(Ticks(position.max(0.0) as i64))).meter.beat_ticks(piece.score.resolution());
    let camera = Camera::new(&system, position, beat as f64, (rect.width() - MARGIN) / space);
    let free = rect.height() - MARKS - ABOVE - (system.bottom - system.top) * space;
    let top = rect.top() + ABOVE + free / 2.0 - system.top * space;
    let painter = ui.painter_at(rect);
    let origin = pos2(rect.left() + MARGIN - camera.left * space, top);
    let pen = Pen::new(ui, &painter, origin, space);
    let bar_at = |x: f32| {
        let measure = system.measure_at(pen.x_of(x)).and_then(|m| system.measures[m].passage);
        (measure.unwrap_or(0) as usize).min(bars.len() - 1)
    };
    ruler::select_ui(cx, ui, state, &response, bar_at);
    let mut scene = Scene { cx, ui, piece, system: &system, rect, camera, pen, tokens: t };
    scene.loop_ui(state);
    scene.music_ui();
    let clear = scene.signature_ui();
    scene.marks_ui(clear);
    scene.playhead_ui();
    painter.hline(rect.x_range(), snap(ui, rect.bottom() - 1.0), t.hairline());
    if alone {
        falling::count_in_ui(cx, ui, &painter, piece, rect);
        if !cx.view.play.transport.playing {
            falling::start_ui(ui, rect);
        }
    }
    state.staff.system = Some(system);
}

/// What one frame of the staff is drawn from.
struct Scene<'a, 'b> {
    cx: &'a Cx<'b>,
    ui: &'a Ui,
    piece: &'a Piece<'a>,
    system: &'a System,
    rect: Rect,
    camera: Camera,
    pen: Pen<'a>,
    tokens: &'static Tokens,
}

impl Scene<'_, '_> {
    /// The places of the line that are in view.
    fn view(&self) -> (f32, f32) {
        (self.pen.x_of(self.rect.left()), self.pen.x_of(self.rect.right()))
    }

    /// Shades the bars of the loop.
    fn loop_ui(&self, state: &State) {
        let Some(range) = state.loop_drag.map(|(_, range)| range).or(ruler::loop_of(self.cx)) else { return };
        let edge = |measure: Option<usize>, right: bool| {
            let found = measure.and_then(|m| self.system.measures.get(m))?;
            Some(self.pen.at(Point::new(if right { found.right } else { found.left }, 0.0)).x)
        };
        let place = |bar: usize| self.system.measures.iter().position(|m| m.passage == Some(bar as u32));
        if let (Some(left), Some(right)) = (edge(place(range.first()), false), edge(place(range.last()), true)) {
            let span = Rect::from_x_y_ranges(left..=right, self.rect.y_range()).intersect(self.rect);
            self.ui.painter_at(self.rect).rect_filled(span, 0, fade(self.tokens.accent, 0.1));
        }
    }

    fn music_ui(&mut self) {
        let (left, right) = self.view();
        let painter = self.ui.painter_at(self.rect);
        let ink = self.tokens.ink;
        let (from, to) = (
            self.pen.at(Point::new(left.max(0.0), 0.0)).x,
            self.pen.at(Point::new(right.min(self.system.width), 0.0)).x,
        );
        let thick = (self.system.line_thickness() * self.pen.space).max(1.0);
        for line in self.system.staff_lines() {
            let y = snap(self.ui, self.pen.at(Point::new(0.0, line)).y);
            painter.hline(from..=to, y, Stroke::new(thick, theme::mix(self.tokens.paper, ink, 0.45)));
        }
        let system = self.system;
        // Marks of a measure stand out of it by less than this.
        let shown = system.visible(left - 6.0, right + 6.0);
        for measure in &system.measures[shown] {
            for item in &measure.items {
                self.item_ui(item);
            }
        }
        for item in system.spanning(left, right) {
            self.item_ui(item);
        }
    }

    fn item_ui(&mut self, item: &Item) {
        let color = self.color(item);
        if item.tag.part == Part::Head {
            self.halo_ui(item);
        }
        self.pen.draw(&item.shape, color);
    }

    fn is_next(&self, note: Option<NoteId>) -> bool {
        note.is_some_and(|note| self.piece.next.contains(&note))
    }

    /// Whose a note is; its voice's on the page where it is no note.
    fn hand(&self, item: &Item) -> Option<Hand> {
        let note = item.tag.note.and_then(|note| self.piece.score.notes().get(note.0 as usize));
        note.map(|note| note.hand).or(item.tag.hand)
    }

    /// What is needed now has a soft ground.
    fn halo_ui(&self, item: &Item) {
        let (engraving::Shape::Glyph { at, .. }, Some(hand)) = (&item.shape, self.hand(item)) else { return };
        if self.is_next(item.tag.note) {
            let center = self.pen.at(Point::new(at.x + 0.65, at.y));
            self.ui.painter_at(self.rect).circle_filled(
                center,
                self.pen.space * 1.1,
                fade(self.tokens.hand(hand), 0.25),
            );
        }
    }

    /// Heads tell what became of them; what has passed steps back, and so does what somebody else plays.
    fn color(&self, item: &Item) -> Color32 {
        let t = self.tokens;
        let ink = match item.tag.part {
            Part::Barline | Part::Ledger => theme::mix(t.paper, t.ink, 0.7),
            Part::Number => return t.muted,
            _ => t.ink,
        };
        let is_note = matches!(item.tag.part, Part::Head | Part::Accidental | Part::Dot);
        if is_note && self.is_next(item.tag.note) {
            return self.hand(item).map_or(ink, |hand| t.hand(hand));
        }
        let mark = item.tag.note.and_then(|note| self.piece.marks.get(note.0 as usize).copied().flatten());
        if let (Part::Head, Some(color)) = (item.tag.part, mark.and_then(|m| color_of(t, m.kind))) {
            return color;
        }
        let chosen = &self.cx.view.play.transport.chosen;
        let mine = match item.tag.note.and_then(|note| self.piece.score.notes().get(note.0 as usize)) {
            Some(note) => chosen.is_mine(note),
            None => item.tag.hand.is_none_or(|hand| chosen.practise.contains(hand)),
        };
        if mine { ink } else { theme::mix(t.paper, ink, 0.55) }
    }

    /// Clefs and key stay in view, over what moves out under them.
    ///
    /// Answers where the music begins to show.
    fn signature_ui(&mut self) -> f32 {
        if self.camera.left <= 0.0 {
            return self.rect.left();
        }
        let (space, left) = (self.pen.space, self.camera.left);
        let Some(measure) = self.system.measure_at(left + 4.0) else { return self.rect.left() };
        let measure = &self.system.measures[measure];
        let (items, width) = engraving::signature(&measure.clefs, measure.fifths, &self.system.staves);
        let painter = self.ui.painter_at(self.rect);
        let end = self.rect.left() + MARGIN + width * space + 8.0;
        let solid = self.rect.with_max_x(end);
        let soft = Rect::from_x_y_ranges(end..=end + 24.0, self.rect.y_range());
        painter.rect_filled(solid, 0, self.tokens.paper);
        painter.add(Shape::gradient_rect(
            soft,
            Direction::LeftToRight,
            [self.tokens.paper, fade(self.tokens.paper, 0.0)],
        ));
        let thick = (self.system.line_thickness() * space).max(1.0);
        for line in self.system.staff_lines() {
            let y = snap(self.ui, self.pen.at(Point::new(0.0, line)).y);
            painter.hline(
                solid.left()..=soft.right(),
                y,
                Stroke::new(thick, theme::mix(self.tokens.paper, self.tokens.ink, 0.45)),
            );
        }
        let mut pen = Pen::new(self.ui, &painter, pos2(self.rect.left() + MARGIN, self.pen.origin.y), space);
        for item in &items {
            pen.draw(&item.shape, self.tokens.ink);
        }
        end
    }

    /// What became of the notes, under the staff: for each tick the worst, in its shape; crosses for keys not written.
    fn marks_ui(&self, clear: f32) {
        let painter = self.ui.painter_at(self.rect.with_min_x(clear));
        let y = self.rect.bottom() - MARKS / 2.0 - 1.0;
        let (left, right) = self.view();
        let (from, to) = (self.system.tick_at(left), self.system.tick_at(right));
        let notes = self.piece.score.notes();
        let first = notes.partition_point(|n| (n.onset.0 as f64) < from);
        let mut shown: Option<(Ticks, VerdictKind)> = None;
        let draw = |at: f64, kind: VerdictKind| {
            let x = self.pen.at(Point::new(self.system.x_at(at) + 0.65, 0.0)).x;
            painter.add(mark_shape(self.tokens, kind, pos2(x, y), 4.5));
        };
        for (index, note) in notes.iter().enumerate().skip(first).take_while(|(_, n)| n.onset.0 as f64 <= to) {
            let Some(mark) = self.piece.marks.get(index).copied().flatten() else { continue };
            match &mut shown {
                Some((onset, kind)) if *onset == note.onset => {
                    if rank(mark.kind) > rank(*kind) {
                        *kind = mark.kind;
                    }
                }
                _ => {
                    if let Some((onset, kind)) = shown.replace((note.onset, mark.kind)) {
                        draw(onset.0 as f64, kind);
                    }
                }
            }
        }
        if let Some((onset, kind)) = shown {
            draw(onset.0 as f64, kind);
        }
        let extras = self.piece.extras;
        let first = extras.partition_point(|e| e.tick < from);
        // More crosses than this would be one blot.
        for extra in extras[first..].iter().take(256).take_while(|e| e.tick <= to) {
            draw(extra.tick, VerdictKind::Extra);
        }
    }

    fn playhead_ui(&self) {
        let painter = self.ui.painter_at(self.rect);
        let x = self.pen.at(Point::new(self.camera.now + 0.65, 0.0)).x;
        let glow = Rect::from_x_y_ranges(x - 30.0..=x, self.rect.y_range());
        let accent = self.tokens.accent;
        painter.add(Shape::gradient_rect(glow, Direction::LeftToRight, [theme::CLEAR, fade(accent, 0.16)]));
        painter.vline(x, self.rect.y_range(), Stroke::new(2.0, accent));
    }
}

/// How bad a verdict is, to show the worst of several.
fn rank(kind: VerdictKind) -> u8 {
    match kind {
        VerdictKind::Neutral => 0,
        VerdictKind::OnTime => 1,
        VerdictKind::Early | VerdictKind::Late => 2,
        VerdictKind::Missed => 3,
        VerdictKind::Extra | VerdictKind::WrongOctave => 4,
    }
}
