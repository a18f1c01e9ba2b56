//! The staff as a page: lines beneath each other as printed, with what became of their notes. It turns by whole lines with
//! the playhead. Only the lines in view are drawn; the page is engraved once for a piece, a width and a zoom.

use egui::{Id, Painter, Pos2, Rangef, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2};

use super::ink::{HALF_HEAD, Ink, MARK_RADIUS, Source, lines_ui, playhead_ui};
use super::pen::Pen;
use super::staff::zoom;
use super::{falling, ruler, wrong};
use crate::engraving::{PlacedMeasure, Point, Sheet, System};
use crate::practice::{BarRange, Mode};
use crate::ui::Cx;
use crate::ui::state::State;
use crate::ui::text::tr;
use crate::ui::theme::{self, fade, space, tokens};
use crate::ui::view::Piece;
use crate::ui::widgets::{focus_ring, mark_shape, snap};

/// Points of a staff space at zoom 1: on a window of 1 280 points four to six bars a line.
const SPACE: f32 = 8.0;
/// And above falling notes.
const SPACE_ABOVE: f32 = 6.5;
/// From the edges to the lines; on the left the brace stands there.
const MARGIN: f32 = 24.0;
/// Above the first line and below the last.
const AIR: f32 = 10.0;
/// A line too high for what is shown is made smaller by this at most.
const LEAST: f32 = 0.6;
/// The page takes so much of the music's height at most while falling notes are under it.
const SHARE: f32 = 0.62;
/// So many lines are shown above falling notes where there is room.
const LINES_ABOVE: f32 = 2.0;
/// Seconds that turning takes, longer than a blink and below what feels slow; none with reduced motion.
const TURN_SECONDS: f32 = 0.14;
/// From the staff lines to the ends of the playhead, in spaces.
const PLAYHEAD: f32 = 2.2;
/// From what stands lowest on a line to the middle of its marks, in spaces.
const MARKS: f32 = 1.3;

/// The engraved page of a piece.
#[derive(Debug, Default)]
pub(crate) struct StaffSheet {
    source: Source,
    sheet: Option<Sheet>,
    /// The width in spaces that the last frame wanted.
    wanted: f32,
    /// How far it was scrolled by hand, and the line that was played then.
    scrolled: Option<(f32, usize)>,
}

impl StaffSheet {
    /// Engraves when another piece was opened, or when another width is wanted twice: while a window's edge is dragged
    /// the lines are only made larger or smaller.
    fn update(&mut self, ui: &Ui, piece: &Piece<'_>, width: f32) {
        let Some(source) = Source::of(piece) else { return };
        let known = self.source.is(&source);
        let fits = self.sheet.as_ref().is_some_and(|s| s.width() == width);
        let settled = std::mem::replace(&mut self.wanted, width) == width;
        if known && fits {
            return;
        }
        if known && self.sheet.is_some() && !settled {
            ui.ctx().request_repaint();
            return;
        }
        if !known {
            self.scrolled = None;
        }
        self.source = source;
        self.sheet = Sheet::new(piece.score, width);
    }
}

/// The width of the lines in points, and in spaces at a zoom.
fn width(rect: Rect, state: &State, alone: bool) -> (f32, f32) {
    let points = (rect.width() - 2.0 * MARGIN).max(1.0);
    let space = if alone { SPACE } else { SPACE_ABOVE } * state.staff_zoom;
    // Whole spaces: then a hair's breadth more or less engraves nothing anew.
    (points, (points / space).floor().max(1.0))
}

/// How high the page wants to be above falling notes, where both have `rect`.
pub(super) fn height(ui: &Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) -> f32 {
    let (points, spaces) = width(rect, state, false);
    state.sheet.update(ui, piece, spaces);
    let line = state.sheet.sheet.as_ref().map_or(0.0, |s| s.usual_height() * points / s.width());
    let lines = state.sheet.sheet.as_ref().map_or(1, |s| s.systems().len()) as f32;
    (line * LINES_ABOVE.min(lines) + AIR).min(rect.height() * SHARE).max(space::STAFF_LOW)
}

/// The page in `rect`; `alone` if no falling notes are shown.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect, alone: bool) {
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 0, t.paper);
    let whole = rect;
    let rect = if alone { rect.with_max_y(rect.bottom() - falling::START * theme::scale(ui)) } else { rect };
    let response = ui.interact(rect, ui.scope_id().with("page"), Sense::click_and_drag());
    let words = if alone { falling::in_words(cx, piece) } else { tr().staff_bars.to_owned() };
    focus_ring(ui, &response, rect.shrink(2.0), 4);
    response.widget_info(|| WidgetInfo::labeled(if alone { Role::Status } else { Role::Region }, true, &words));
    if response.hovered() {
        zoom(state, ui.input(|i| i.zoom_delta()));
    }
    let (points, spaces) = width(rect, state, alone);
    state.sheet.update(ui, piece, spaces);
    // Taken out, so that the state can be changed by a click while the page is looked at.
    let Some(sheet) = state.sheet.sheet.take() else { return };
    let space = points / sheet.width();
    let position = cx.view.play.transport.position.max(0.0);
    let scroll = scroll(cx, ui, &mut state.sheet.scrolled, &sheet, &response, space);
    let view = View { rect, space, scroll, sheet: &sheet, now: sheet.passage_at(position) };
    ruler::select_ui(cx, ui, state, &response, |at| view.bar_at(at).min(piece.score.bars().len() - 1));
    let range = state.loop_drag.map(|(_, range)| range).or(ruler::loop_of(cx));
    let painter = ui.painter_at(rect);
    let chosen = &cx.view.play.transport.chosen;
    let rhythm = chosen.mode == Mode::Rhythm;
    let mut leaf = Leaf { ui, painter: &painter, pen: Pen::new(ui, &painter, rect.min, space), view, rhythm };
    let ink = Ink::new(ui, piece, (chosen.practise, chosen.keyboard));
    for system in leaf.view.visible() {
        leaf.system_ui(piece, &ink, system, range, position);
    }
    ui.painter().hline(whole.x_range(), snap(ui, whole.bottom() - 1.0), t.hairline());
    if alone {
        falling::count_in_ui(cx, ui, &painter, piece, rect);
        falling::start_ui(cx, ui, whole.with_min_y(rect.bottom()));
    }
    state.sheet.sheet = Some(sheet);
}

/// How far the page is scrolled, in points: by the wheel while the music stands still, else with the music.
fn scroll(
    cx: &Cx<'_>,
    ui: &Ui,
    by_hand: &mut Option<(f32, usize)>,
    sheet: &Sheet,
    response: &Response,
    space: f32,
) -> f32 {
    let transport = cx.view.play.transport;
    let playing = sheet.spot(transport.position.max(0.0)).map_or(0, |spot| spot.system);
    let shown = response.rect.height() - 2.0 * AIR;
    let most = (sheet.height() * space - shown).max(0.0);
    let followed = (sheet.extent(sheet.first_shown(playing, shown / space)).0 * space).min(most);
    by_hand.take_if(|(_, system)| transport.playing || *system != playing);
    let turned = if response.hovered() { ui.input(|i| i.smooth_scroll_delta().y) } else { 0.0 };
    if turned != 0.0 && !transport.playing {
        let from = by_hand.map_or(followed, |(scroll, _)| scroll);
        *by_hand = Some(((from - turned).clamp(0.0, most), playing));
    }
    if let Some((scroll, _)) = by_hand {
        return scroll.min(most);
    }
    let seconds = if cx.view.settings.reduced_motion { 0.0 } else { TURN_SECONDS };
    // A page of its own has its own way to go: none from another.
    let id = Id::unique(("page", sheet.systems().as_ptr().addr()));
    ui.ctx().animate_value_with_time(id, followed, seconds)
}

/// What of the page is in view.
#[derive(Clone, Copy)]
struct View<'a> {
    rect: Rect,
    space: f32,
    scroll: f32,
    sheet: &'a Sheet,
    /// The passage that is played.
    now: usize,
}

impl View<'_> {
    /// Where a height of the page is on the screen.
    fn y(&self, spaces: f32) -> f32 {
        self.rect.top() + AIR + spaces * self.space - self.scroll
    }

    /// The lines in view.
    fn visible(&self) -> std::ops::Range<usize> {
        let of = |y: f32| self.sheet.system_at((y - self.y(0.0)) / self.space);
        of(self.rect.top())..(of(self.rect.bottom()) + 1).min(self.sheet.systems().len())
    }

    /// Where a line's origin is, and its space: a line of one measure that is too wide for the page is smaller, and so is
    /// one that is too high for what is shown.
    fn place(&self, system: usize) -> (Pos2, f32) {
        let wide = self.sheet.systems().get(system).map_or(0.0, |s| s.width);
        let (top, bottom) = self.sheet.extent(system);
        let high = (self.rect.height() - 2.0 * AIR) / ((bottom - top) * self.space).max(1.0);
        let space = self.space * (self.sheet.width() / wide.max(1.0)).min(high.max(LEAST)).min(1.0);
        let y = self.y(top) + (self.sheet.top(system) - top) * space;
        (pos2(self.rect.left() + MARGIN, y), space)
    }

    /// The bar of the score at a place of the screen: of a measure that is played several times the nearest.
    fn bar_at(&self, at: Pos2) -> usize {
        let index = self.sheet.system_at((at.y - self.y(0.0)) / self.space);
        let (origin, space) = self.place(index);
        let system = self.sheet.systems().get(index);
        let found = system.and_then(|s| s.measures.get(s.measure_at((at.x - origin.x) / space)?));
        found.and_then(|m| self.sheet.nearest(m.measure, self.now)).unwrap_or(0)
    }
}

/// What one frame of the page is drawn with.
struct Leaf<'a, 'b> {
    ui: &'a Ui,
    painter: &'a Painter,
    pen: Pen<'a>,
    view: View<'b>,
    /// Whether any key will do.
    rhythm: bool,
}

impl Leaf<'_, '_> {
    fn system_ui(&mut self, piece: &Piece<'_>, ink: &Ink<'_>, index: usize, range: Option<BarRange>, position: f64) {
        let sheet = self.view.sheet;
        let Some(system) = sheet.systems().get(index) else { return };
        let (origin, space) = self.view.place(index);
        self.pen.put(origin, space);
        self.loop_ui(ink, system, range);
        let end = self.pen.at(Point::new(system.width, 0.0)).x;
        lines_ui(self.ui, self.painter, &self.pen, system, self.pen.origin.x..=end);
        for measure in &system.measures {
            let passage = sheet.shown(measure.measure, self.view.now);
            for item in &measure.items {
                let note = item.tag.note.zip(passage);
                let note = note.and_then(|(n, passage)| sheet.note_in(piece.score, n, measure.measure, passage));
                ink.item_ui(&mut self.pen, item, note);
            }
        }
        for item in system.spanning(f32::MIN, f32::MAX) {
            ink.item_ui(&mut self.pen, item, None);
        }
        for measure in &system.measures {
            if !self.rhythm {
                self.wrong_ui(ink, system, measure, position);
            }
            self.marks_ui(ink, system, measure);
        }
        if let Some(spot) = sheet.spot(position).filter(|spot| spot.system == index) {
            let x = self.pen.at(Point::new(spot.x + HALF_HEAD, 0.0)).x;
            playhead_ui(self.painter, ink.tokens, x, self.staves(system, PLAYHEAD));
        }
    }

    /// From the first staff line to the last, and some spaces beyond.
    fn staves(&self, system: &System, beyond: f32) -> Rangef {
        let last = system.staves.last().copied().unwrap_or(0.0) + 4.0;
        let y = |y: f32| self.pen.at(Point::new(0.0, y)).y;
        Rangef::new(y(-beyond), y(last + beyond))
    }

    /// Shades the bars of the loop.
    fn loop_ui(&self, ink: &Ink<'_>, system: &System, range: Option<BarRange>) {
        let Some(range) = range else { return };
        let inside =
            |m: &PlacedMeasure| self.view.sheet.passages(m.measure).iter().any(|passage| range.contains(*passage));
        for stretch in system.measures.chunk_by(|a, b| inside(a) == inside(b)).filter(|s| inside(&s[0])) {
            let x = |x: f32| self.pen.at(Point::new(x, 0.0)).x;
            let span = x(stretch[0].left)..=x(stretch[stretch.len() - 1].right);
            let shade = Rect::from_x_y_ranges(span, self.staves(system, PLAYHEAD));
            self.painter.rect_filled(shade, 0, fade(ink.tokens.accent, 0.1));
        }
    }

    /// Keys of a measure that are not written.
    fn wrong_ui(&mut self, ink: &Ink<'_>, system: &System, measure: &PlacedMeasure, position: f64) {
        let sheet = self.view.sheet;
        let Some(passage) = sheet.shown(measure.measure, self.view.now) else { return };
        let (from, to) = sheet.span(passage);
        for extra in wrong::between(ink.piece.extras, from, to - 0.5) {
            let strength = wrong::strength(ink.piece, position, extra.tick);
            let x = sheet.x_in(measure, passage, extra.tick);
            wrong::wrong_key_ui(
                &mut self.pen,
                ink.tokens,
                system,
                measure,
                (x, wrong::name(ink.piece, extra), strength),
            );
        }
    }

    /// What became of the notes of a measure, under its line.
    fn marks_ui(&self, ink: &Ink<'_>, system: &System, measure: &PlacedMeasure) {
        let sheet = self.view.sheet;
        let Some(passage) = sheet.shown(measure.measure, self.view.now) else { return };
        let (from, to) = sheet.span(passage);
        ink.marks((from, to - 0.5), self.rhythm, |tick, kind| {
            let x = sheet.x_in(measure, passage, tick) + HALF_HEAD;
            let at = self.pen.at(Point::new(x, system.bottom + MARKS));
            self.painter.add(mark_shape(ink.tokens, kind, at, MARK_RADIUS));
        });
    }
}
