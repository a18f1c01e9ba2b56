//! The staff: the written page as one line that moves under the playhead, with what became of its notes. Only what is in
//! view is drawn; the line is engraved once for a piece.

use egui::{Direction, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2};

use super::ink::{HALF_HEAD, Ink, MARK_RADIUS, Source, lines_ui, playhead_ui};
use super::pen::Pen;
use super::{falling, ruler, wrong};
use crate::engraving::{self, Flow, Point, System};
use crate::music::Hands;
use crate::practice::{BarRange, KeyRange, Mode, VerdictKind};
use crate::time::Ticks;
use crate::ui::Cx;
use crate::ui::state::State;
use crate::ui::text::tr;
use crate::ui::theme::{fade, space, tokens};
use crate::ui::view::Piece;
use crate::ui::widgets::{focus_ring, mark_shape, snap};

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
    source: Source,
    system: Option<System>,
}

impl StaffPage {
    /// Engraves when another piece was opened.
    fn update(&mut self, piece: &Piece<'_>) {
        let Some(source) = Source::of(piece) else { return };
        if !self.source.is(&source) || self.system.is_none() {
            self.source = source;
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

/// Makes line and page larger by a factor.
pub(super) fn zoom(state: &mut State, factor: f32) {
    state.staff_zoom = (state.staff_zoom * factor).clamp(*ZOOM.start(), *ZOOM.end());
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
        zoom(state, ui.input(|i| i.zoom_delta()));
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
    let bar_at = |at: Pos2| {
        let measure = system.measure_at(pen.place_of(at).x).and_then(|m| system.measures[m].passage);
        (measure.unwrap_or(0) as usize).min(bars.len() - 1)
    };
    ruler::select_ui(cx, ui, state, &response, bar_at);
    let chosen = &cx.view.play.transport.chosen;
    let ink = Ink::new(ui, piece, (chosen.practise, chosen.keyboard));
    let rhythm = chosen.mode == Mode::Rhythm;
    let mut scene = Scene { ui, system: &system, rect, camera, pen, ink };
    scene.loop_ui(state.loop_drag.map(|(_, range)| range).or(ruler::loop_of(cx)));
    scene.music_ui();
    if !rhythm {
        scene.wrong_ui(Some(position));
    }
    let clear = scene.signature_ui();
    scene.marks_ui(clear, rhythm);
    scene.playhead_ui();
    painter.hline(rect.x_range(), snap(ui, rect.bottom() - 1.0), t.hairline());
    if alone {
        falling::count_in_ui(cx, ui, &painter, piece, rect);
        falling::start_ui(cx, ui, rect.with_min_y(rect.bottom() - MARKS));
    }
    state.staff.system = Some(system);
}

/// A page that is looked at: a piece with what became of it, the place on it, and whose notes they are.
pub(in crate::ui) struct Shown<'a> {
    /// The piece.
    pub(in crate::ui) piece: &'a Piece<'a>,
    /// The tick under the playhead.
    pub(in crate::ui) position: f64,
    /// Whose notes stand out.
    pub(in crate::ui) hands: Hands,
    /// What a screen reader is told.
    pub(in crate::ui) words: &'a str,
}

/// What was done to a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::ui) enum Touched {
    /// This tick was pressed.
    Pressed(f64),
    /// It was drawn along; this tick is under the playhead now.
    Moved(f64),
}

/// The page in `rect`, each verdict where its note stands.
pub(in crate::ui) fn page_ui(ui: &mut Ui, page: &mut StaffPage, shown: &Shown<'_>, rect: Rect) -> Option<Touched> {
    page.update(shown.piece);
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 4, t.paper);
    let response = ui.interact(rect, ui.scope_id().with("page"), Sense::click_and_drag());
    focus_ring(ui, &response, rect.shrink(2.0), 4);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, shown.words));
    let system = page.system.as_ref()?;
    let space = (SPACE * ALONE).min((rect.height() - 2.0 * ABOVE) / (system.bottom - system.top).max(1.0));
    let bars = shown.piece.score.bars();
    let bar = bars.get(bars.index_at(Ticks(shown.position.max(0.0) as i64)));
    let beat = bar.meter.beat_ticks(shown.piece.score.resolution());
    let camera = Camera::new(system, shown.position, beat as f64, (rect.width() - MARGIN) / space);
    let top = rect.center().y - (system.top + system.bottom) / 2.0 * space;
    let painter = ui.painter_at(rect);
    let pen = Pen::new(ui, &painter, pos2(rect.left() + MARGIN - camera.left * space, top), space);
    let ink = Ink::new(ui, shown.piece, (shown.hands, KeyRange::ALL));
    let mut scene = Scene { ui, system, rect, camera, pen, ink };
    scene.music_ui();
    scene.verdicts_ui();
    scene.wrong_ui(None);
    scene.signature_ui();
    scene.playhead_ui();
    let tick = |x: f32| system.tick_at(scene.pen.place_of(pos2(x, 0.0)).x - HALF_HEAD).max(0.0);
    let wheel = if response.hovered() { ui.input(|i| i.smooth_scroll_delta()) } else { egui::Vec2::ZERO };
    let moved = response.drag_delta().x + wheel.x + wheel.y;
    if moved != 0.0 {
        let end = shown.piece.score.end().0 as f64;
        return Some(Touched::Moved(system.tick_at(camera.now - moved / space).clamp(0.0, end)));
    }
    let pressed = response.interact_pointer_pos().filter(|_| response.clicked());
    pressed.map(|at| Touched::Pressed(tick(at.x)))
}

/// What one frame of the staff is drawn from.
struct Scene<'a> {
    ui: &'a Ui,
    system: &'a System,
    rect: Rect,
    camera: Camera,
    pen: Pen<'a>,
    ink: Ink<'a>,
}

impl Scene<'_> {
    /// The places of the line that are in view.
    fn view(&self) -> (f32, f32) {
        (self.pen.place_of(self.rect.left_top()).x, self.pen.place_of(self.rect.right_top()).x)
    }

    /// Shades the bars of the loop.
    fn loop_ui(&self, range: Option<BarRange>) {
        let Some(range) = range else { return };
        let edge = |measure: Option<usize>, right: bool| {
            let found = measure.and_then(|m| self.system.measures.get(m))?;
            Some(self.pen.at(Point::new(if right { found.right } else { found.left }, 0.0)).x)
        };
        let place = |bar: usize| self.system.measures.iter().position(|m| m.passage == Some(bar as u32));
        if let (Some(left), Some(right)) = (edge(place(range.first()), false), edge(place(range.last()), true)) {
            let span = Rect::from_x_y_ranges(left..=right, self.rect.y_range()).intersect(self.rect);
            self.ui.painter_at(self.rect).rect_filled(span, 0, fade(self.ink.tokens.accent, 0.1));
        }
    }

    fn music_ui(&mut self) {
        let (left, right) = self.view();
        let painter = self.ui.painter_at(self.rect);
        let (from, to) = (
            self.pen.at(Point::new(left.max(0.0), 0.0)).x,
            self.pen.at(Point::new(right.min(self.system.width), 0.0)).x,
        );
        lines_ui(self.ui, &painter, &self.pen, self.system, from..=to);
        let system = self.system;
        // Marks of a measure stand out of it by less than this.
        let shown = system.visible(left - 6.0, right + 6.0);
        for measure in &system.measures[shown] {
            for item in &measure.items {
                self.ink.item_ui(&mut self.pen, item, item.tag.note);
            }
        }
        for item in system.spanning(left, right) {
            self.ink.item_ui(&mut self.pen, item, item.tag.note);
        }
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
        painter.rect_filled(solid, 0, self.ink.tokens.paper);
        painter.add(Shape::gradient_rect(
            soft,
            Direction::LeftToRight,
            [self.ink.tokens.paper, fade(self.ink.tokens.paper, 0.0)],
        ));
        lines_ui(self.ui, &painter, &self.pen, self.system, solid.left()..=soft.right());
        let mut pen = Pen::new(self.ui, &painter, pos2(self.rect.left() + MARGIN, self.pen.origin.y), space);
        for item in &items {
            pen.draw(&item.shape, self.ink.tokens.ink);
        }
        end
    }

    /// What became of the notes, under the staff; with the taps too many where any key will do.
    fn marks_ui(&self, clear: f32, taps: bool) {
        let painter = self.ui.painter_at(self.rect.with_min_x(clear));
        let y = self.rect.bottom() - MARKS / 2.0 - 1.0;
        let (left, right) = self.view();
        let range = (self.system.tick_at(left), self.system.tick_at(right));
        self.ink.marks(range, taps, |at, kind| {
            let x = self.pen.at(Point::new(self.system.x_at(at) + HALF_HEAD, 0.0)).x;
            painter.add(mark_shape(self.ink.tokens, kind, pos2(x, y), MARK_RADIUS));
        });
    }

    /// What became of the notes, where they stand: rings around what was missed, marks beside what was early, late or in
    /// another octave.
    fn verdicts_ui(&self) {
        let painter = self.ui.painter_at(self.rect);
        let (t, space) = (self.ink.tokens, self.pen.space);
        let piece = self.ink.piece;
        let (left, right) = self.view();
        for measure in &self.system.measures[self.system.visible(left - 6.0, right + 6.0)] {
            for item in measure.items.iter().filter(|item| item.tag.strikes) {
                let (engraving::Shape::Glyph { at, .. }, Some(note)) = (&item.shape, item.tag.note) else { continue };
                let Some(mark) = piece.marks.get(note.0 as usize).copied().flatten() else { continue };
                let center = self.pen.at(Point::new(at.x + HALF_HEAD, at.y));
                let beside = |side: f32| egui::vec2(side * space * 1.35, 0.0);
                match mark.kind {
                    VerdictKind::Missed => {
                        painter.circle_stroke(center, space * 0.95, Stroke::new((space * 0.16).max(1.5), t.bad));
                    }
                    VerdictKind::Early | VerdictKind::WrongOctave => {
                        painter.add(mark_shape(t, mark.kind, center + beside(-1.0), space * 0.42));
                    }
                    VerdictKind::Late => {
                        painter.add(mark_shape(t, mark.kind, center + beside(1.0), space * 0.42));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Keys that are not written; they fade with the passage where there is a position to pass.
    fn wrong_ui(&mut self, position: Option<f64>) {
        let (left, right) = self.view();
        let (system, piece, t) = (self.system, self.ink.piece, self.ink.tokens);
        for extra in wrong::between(piece.extras, system.tick_at(left), system.tick_at(right)) {
            let x = system.x_at(extra.tick);
            let Some(measure) = system.measure_at(x).map(|m| &system.measures[m]) else { continue };
            let strength = position.map_or(1.0, |position| wrong::strength(piece, position, extra.tick));
            wrong::wrong_key_ui(&mut self.pen, t, system, measure, (x, wrong::name(piece, extra), strength));
        }
    }

    fn playhead_ui(&self) {
        let x = self.pen.at(Point::new(self.camera.now + HALF_HEAD, 0.0)).x;
        playhead_ui(&self.ui.painter_at(self.rect), self.ink.tokens, x, self.rect.y_range());
    }
}
