//! The piano roll of a take: what was played over what was written, with the keys at the left, bars and beats where the
//! score is known, and as much of it in view as one wants.

use egui::{Align, Align2, CursorIcon, Painter, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui};
use egui::{WidgetInfo, pos2, vec2};

use super::go_command;
use crate::music::{Pitch, Spelling};
use crate::practice::{Mode, VerdictKind};
use crate::time::{Micros, Ticks};
use crate::ui::Cx;
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, Tokens, fade, tokens};
use crate::ui::view::{NoteNames, RollNote, TakePage, TakeView};
use crate::ui::widgets::{Button, Line, mark_shape, snap};

/// Points a second of music as long as nobody zooms; a long take is scrolled.
const POINTS_A_SECOND: f32 = 56.0;
/// Nobody needs more of them: a note of a hundredth of a second is seen.
const POINTS_A_SECOND_MAX: f32 = 600.0;
/// A press on a button makes it so much wider or narrower.
const STEP: f32 = 1.5;
/// The lowest and highest key of a roll in which nothing lies outside: two octaves around middle C.
const KEYS: (u8, u8) = (48, 72);
/// Seconds of a roll at least.
const SECONDS_MIN: f32 = 4.0;
/// The width of the keys at text scale 1, and the share of it that black keys take.
const KEYS_WIDTH: f32 = 46.0;
const BLACK_KEY: f32 = 0.6;
/// Over the first row and under the last one at text scale 1, for the numbers of the bars and the seconds.
const HEAD: f32 = 16.0;
/// Lines of beats nearer to each other than this, in points, are left out, and numbers nearer than that.
const BEATS_APART: f32 = 12.0;
const NUMBERS_APART: f32 = 34.0;
const SECONDS_APART: f32 = 64.0;
/// The widest number with what is beside it; nearer to the end of what is seen it would be cut.
const NUMBER_WIDTH: f32 = 34.0;
/// The seconds that are numbered, as many as fit.
const EVERY: [i64; 9] = [1, 2, 5, 10, 30, 60, 120, 300, 600];
/// A row this high has room for a name.
const NAME_ROW: f32 = 11.0;

/// How much of a take is in view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Zoom {
    /// As much as is easily read.
    #[default]
    Usual,
    /// All of it.
    Whole,
    /// So many points a second.
    At(f32),
}

/// How the roll is looked at.
#[derive(Debug, Default)]
pub(in crate::ui) struct RollState {
    take: String,
    zoom: Zoom,
    /// Where the next frame begins, in points from the left.
    offset: Option<f32>,
    /// Where this one began.
    seen: f32,
}

impl RollState {
    /// Points a second for a take of so many seconds in so much room.
    fn scale(&self, seconds: f32, room: f32) -> f32 {
        let whole = room / seconds;
        match self.zoom {
            Zoom::Usual => whole.max(POINTS_A_SECOND),
            Zoom::Whole => whole,
            Zoom::At(points) => points.clamp(whole, POINTS_A_SECOND_MAX.max(whole)),
        }
    }

    /// Zooms by a factor while the second under `at`, in points from the left edge of what is seen, stays there.
    fn zoom_by(&mut self, factor: f32, at: f32, seconds: f32, room: f32) {
        let old = self.scale(seconds, room);
        self.zoom = Zoom::At((old * factor).clamp(room / seconds, POINTS_A_SECOND_MAX.max(room / seconds)));
        let there = (self.seen + at) / old;
        self.offset = Some((there * self.scale(seconds, room) - at).max(0.0));
    }
}

/// The roll.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, take: &TakeView, height: f32) {
    if state.roll.take != take.id {
        state.roll = RollState { take: take.id.clone(), ..RollState::default() };
    }
    let (_, area) = ui.allocate_space(vec2(ui.available_width(), height));
    let (keys, music) = area.split_left_right_at_x(area.left() + KEYS_WIDTH * theme::scale(ui));
    let seconds = seconds(take);
    if let Some(pointer) = ui.input(|i| i.pointer.hover_pos()).filter(|at| music.contains(*at)) {
        let zoom = ui.input(|i| i.zoom_delta());
        if zoom != 1.0 {
            state.roll.zoom_by(zoom, pointer.x - music.left(), seconds, music.width());
        }
    }
    let width = state.roll.scale(seconds, music.width()) * seconds;
    let rows = crate::ui::widgets::inside(ui, music, "roll", |ui| {
        ui.style_mut().always_scroll_the_only_direction = true;
        let mut area = ScrollArea::horizontal().auto_shrink(false).max_height(height);
        if let Some(offset) = state.roll.offset.take() {
            area = area.horizontal_scroll_offset(offset);
        }
        let shown = area.show_viewport(ui, |ui, seen| {
            state.roll.seen = seen.left();
            music_ui(cx, ui, take, vec2(width, height - 12.0), seen)
        });
        shown.inner
    });
    keys_ui(ui, &rows, keys, cx.view.settings.names);
}

/// What the colours mean, and the buttons that zoom.
pub(super) fn below_ui(ui: &mut Ui, state: &mut State, take: &TakeView) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 30.0));
    let room = rect.width() - KEYS_WIDTH * theme::scale(ui);
    let whole = Button::new(tr().whole_take).chip().selected(state.roll.zoom == Zoom::Whole).tip(tr().whole_take_tip);
    let mut right = rect.right();
    let mut place = |width: f32| {
        right -= width + 6.0;
        Rect::from_min_size(pos2(right + 6.0, rect.top()), vec2(width, 30.0))
    };
    if whole.show_at(ui, place(whole.width(ui))).clicked() {
        state.roll.zoom = if state.roll.zoom == Zoom::Whole { Zoom::Usual } else { Zoom::Whole };
    }
    for (words, sign, factor) in [(tr().zoom_in, "+", STEP), (tr().zoom_out, "−", 1.0 / STEP)] {
        let button = Button::new(words).shown(sign).chip().tip(tr().zoom_tip);
        if button.show_at(ui, place(button.width(ui))).clicked() {
            state.roll.zoom_by(factor, room / 2.0, seconds(take), room);
        }
    }
    let legend = match take.mode {
        Some(Mode::Rhythm) => tr().roll_legend_rhythm,
        Some(_) => tr().roll_legend,
        None => tr().roll_legend_free,
    };
    let place = rect.with_max_x(right);
    // What the colours are is seen; that it can be pressed is not.
    let fits = Line::small(legend).width(ui) <= place.width();
    Line::small(if fits { legend } else { tr().roll_legend_free }).color(tokens(ui).muted).show_at(ui, place);
}

/// Where times and keys stand in the roll.
struct Grid {
    /// The rows, without what is over and under them.
    rect: Rect,
    seconds: f32,
    low: u8,
    high: u8,
}

impl Grid {
    fn new(take: &TakeView, rect: Rect, head: f32) -> Self {
        let keys = take.notes.iter().map(|n| n.pitch).chain(take.written.iter().map(|w| w.pitch)).map(Pitch::key);
        let (low, high) = keys.fold(KEYS, |(low, high), key| (low.min(key), high.max(key)));
        let rect = rect.shrink2(vec2(0.0, head));
        Self { rect, seconds: seconds(take), low: low.saturating_sub(1), high: high + 1 }
    }

    fn x(&self, at: Micros) -> f32 {
        self.rect.left() + (at.0 as f32 / 1e6) / self.seconds * self.rect.width()
    }

    fn time(&self, x: f32) -> Micros {
        Micros(((x - self.rect.left()) / self.rect.width() * self.seconds * 1e6).max(0.0) as i64)
    }

    fn points_a_second(&self) -> f32 {
        self.rect.width() / self.seconds
    }

    fn row(&self) -> f32 {
        self.rect.height() / f32::from(self.high - self.low + 1)
    }

    fn top(&self, key: u8) -> f32 {
        self.rect.top() + f32::from(self.high.saturating_sub(key)) * self.row()
    }

    fn note(&self, at: Micros, end: Micros, pitch: Pitch) -> Rect {
        let top = self.top(pitch.key());
        let (left, right) = (self.x(at), self.x(end));
        Rect::from_min_max(pos2(left, top), pos2(right.max(left + 3.0), top + self.row().max(2.0)))
    }
}

fn seconds(take: &TakeView) -> f32 {
    let written = take.written.iter().map(|w| w.end).max().unwrap_or(Micros::ZERO);
    (take.length.max(written).0 as f32 / 1e6 + 0.5).max(SECONDS_MIN)
}

/// What scrolls; answers where its rows are.
fn music_ui(cx: &mut Cx<'_>, ui: &mut Ui, take: &TakeView, size: egui::Vec2, seen: Rect) -> Grid {
    let (response, painter) = ui.allocate_painter(size, Sense::click());
    let words = text::roll_in_words(take.notes.len(), take.length);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let grid = Grid::new(take, response.rect, HEAD * theme::scale(ui));
    let (from, to) = (grid.time(response.rect.left() + seen.left()), grid.time(response.rect.left() + seen.right()));
    let t = tokens(ui);
    paint_grid(ui, &painter, &grid, (from, to));
    if let Some(page) = &take.page {
        paint_bars(ui, &painter, &grid, page, (from, to));
    }
    for written in take.written.iter().filter(|w| w.end >= from && w.at <= to) {
        let rect = grid.note(written.at, written.end, written.pitch);
        painter.rect_filled(rect, 2, fade(t.hand(written.hand), 0.16));
        if written.kind == VerdictKind::Missed {
            painter.rect_stroke(rect, 2, Stroke::new(1.0, t.hand(written.hand)), StrokeKind::Inside);
            painter.add(mark_shape(t, written.kind, pos2(rect.left() + 6.0, rect.center().y), 4.0));
        }
    }
    for note in take.notes.iter().filter(|n| n.at + n.duration >= from && n.at <= to) {
        paint_note(t, &painter, &grid, note);
    }
    let listening = cx.view.listening.filter(|listening| listening.take == take.id).map(|listening| listening.at);
    for (at, color) in [(listening, t.accent), (take.past.as_ref().map(|past| past.at), t.text)] {
        if let Some(at) = at {
            painter.vline(snap(ui, grid.x(at)), response.rect.y_range(), Stroke::new(2.0, color));
        }
    }
    follow_ui(ui, take, listening, &grid, seen);
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    if let (true, Some(at)) = (response.clicked(), response.interact_pointer_pos()) {
        cx.send.push(go_command(take, grid.time(at.x)));
    }
    if let Some(pointer) = response.hover_pos()
        && let Some(note) = take.notes.iter().rfind(|n| grid.note(n.at, n.at + n.duration, n.pitch).contains(pointer))
    {
        response.on_hover_text_at_pointer(hover(take, note, cx.view.settings.names));
    }
    grid
}

/// Keeps the place that is heard or looked at in sight.
fn follow_ui(ui: &Ui, take: &TakeView, listening: Option<Micros>, grid: &Grid, seen: Rect) {
    let moves = listening.or(take.past.as_ref().map(|past| past.at));
    let Some(x) = moves.map(|at| grid.x(at)).filter(|_| !ui.input(|i| i.pointer.any_down())) else { return };
    let at = x - grid.rect.left();
    if !(seen.left()..=seen.right()).contains(&at) {
        let place = Rect::from_x_y_ranges(x..=x + seen.width() * 0.8, grid.rect.y_range());
        ui.scroll_to_rect(place, Some(Align::Min));
    }
}

/// What there is to say of a played note, with the reasons for its verdict.
fn hover(take: &TakeView, note: &RollNote, names: NoteNames) -> String {
    let played = text::played_note(note, take.mode, names);
    let near = |at: Micros| (at - note.at).0.abs();
    let story = take.stories.iter().filter(|story| {
        let right = story.verdict.written.is_none() || story.verdict.kind.is_right();
        right && story.pitch == note.pitch && note.kind == Some(story.verdict.kind)
    });
    let expected = |s: &&crate::practice::story::Story| near(s.at + s.verdict.deviation.unwrap_or(Micros::ZERO));
    let why = story.min_by_key(expected).map(|story| text::why(story, take.score(), names));
    [Some(played), why].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// The keyboard on its side: every key in its row, with the names of the Cs, and of all of them where there is room.
fn keys_ui(ui: &Ui, grid: &Grid, area: Rect, names: NoteNames) {
    let t = tokens(ui);
    let painter = ui.painter_at(area);
    let row = grid.row();
    let font = theme::regular(ui, (row - 1.0).clamp(8.0, 10.0));
    let (rows, edge) = (area.with_min_y(grid.rect.top()).with_max_y(grid.rect.bottom()), t.hairline());
    painter.rect_filled(rows, 2, t.key_white);
    for key in grid.low..=grid.high.min(Pitch::from_data_byte(u8::MAX).key()) {
        let pitch = Pitch::from_data_byte(key);
        let top = grid.top(key);
        let place = Rect::from_x_y_ranges(area.x_range(), top..=top + row);
        if pitch.is_black() {
            painter.rect_filled(place.with_max_x(area.left() + area.width() * BLACK_KEY), 0, t.key_black);
        }
        if matches!(pitch.class(), 0 | 5) {
            painter.hline(area.x_range(), snap(ui, place.bottom()), edge);
        }
        let is_c = pitch.class() == 0;
        if is_c || row >= NAME_ROW && !pitch.is_black() {
            let name = if is_c {
                text::note_octave(pitch, names)
            } else {
                text::note(pitch, names, Spelling::Sharp).to_owned()
            };
            let at = pos2(area.right() - 4.0, place.center().y);
            painter.text(at, Align2::RIGHT_CENTER, name, font.clone(), t.key_text);
        }
    }
    painter.rect_stroke(rows, 2, edge, StrokeKind::Inside);
}

fn paint_grid(ui: &Ui, painter: &Painter, grid: &Grid, (from, to): (Micros, Micros)) {
    let t = tokens(ui);
    for key in grid.low..=grid.high {
        if Pitch::from_data_byte(key).is_black() {
            let row = grid.note(from, to, Pitch::from_data_byte(key));
            painter.rect_filled(row, 0, fade(t.raised, 0.5));
        }
    }
    let fits = |every: &i64| *every as f32 * grid.points_a_second() >= SECONDS_APART * theme::scale(ui);
    let every = EVERY.into_iter().find(fits).unwrap_or(EVERY[EVERY.len() - 1]);
    for second in (from.0 / 1_000_000 / every..=to.0 / 1_000_000 / every).map(|n| n * every) {
        let x = snap(ui, grid.x(Micros(second * 1_000_000)));
        painter.vline(x, grid.rect.bottom()..=grid.rect.bottom() + 4.0, Stroke::new(1.0, t.muted));
        if second * 1_000_000 < from.0 || x + NUMBER_WIDTH * theme::scale(ui) > grid.x(to) {
            continue;
        }
        let words = text::duration(Micros(second * 1_000_000));
        let at = pos2(x + 3.0, grid.rect.bottom() + 1.0);
        painter.text(at, Align2::LEFT_TOP, words, theme::regular(ui, 10.0), t.muted);
    }
    painter.hline(grid.rect.x_range(), snap(ui, grid.rect.bottom()), t.hairline());
}

/// Lines where bars and beats were, with the numbers of the bars.
fn paint_bars(ui: &Ui, painter: &Painter, grid: &Grid, page: &TakePage, (from, to): (Micros, Micros)) {
    let t = tokens(ui);
    let (mut last_beat, mut last_number) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for (at, line) in lines(page, from, to) {
        let x = snap(ui, grid.x(at));
        match line {
            GridLine::Beat if x - last_beat < BEATS_APART => continue,
            GridLine::Beat => {
                painter.vline(x, grid.rect.y_range(), Stroke::new(1.0, fade(t.line, 0.4)));
            }
            GridLine::Bar(number) => {
                let has_room = x - last_number >= NUMBERS_APART * theme::scale(ui);
                let strength = if has_room { 1.0 } else { 0.5 };
                painter.vline(x, grid.rect.y_range(), Stroke::new(1.0, fade(t.muted, 0.6 * strength)));
                if has_room && x + NUMBER_WIDTH * theme::scale(ui) <= grid.x(to) {
                    let at = pos2(x + 3.0, grid.rect.top() - 2.0);
                    painter.text(at, Align2::LEFT_BOTTOM, number, theme::regular(ui, 11.0), t.muted);
                    last_number = x;
                }
            }
        }
        last_beat = x;
    }
}

/// A line of the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GridLine {
    Beat,
    Bar(crate::music::BarNumber),
}

/// Where bars and beats began between two times of the take, ascending: between two places whose times are known the
/// music goes on evenly.
fn lines(page: &TakePage, from: Micros, to: Micros) -> Vec<(Micros, GridLine)> {
    let bars = page.score.bars();
    let mut found = Vec::new();
    let first = page.course.partition_point(|(at, _)| *at < from).saturating_sub(1);
    for pair in page.course[first..].windows(2).take_while(|pair| pair[0].0 <= to) {
        let [(at, tick), (then, next)] = [pair[0], pair[1]];
        // A jump back has no beats in it, and what begins a passage is its first line.
        if next <= tick {
            continue;
        }
        let time = |t: f64| at + Micros(((then - at).0 as f64 * (t - tick) / (next - tick)) as i64);
        let mut index = bars.index_at(Ticks(tick.max(0.0) as i64));
        while index < bars.len() {
            let bar = bars.get(index);
            if bar.start.0 as f64 >= next {
                break;
            }
            let beat = bar.meter.beat_ticks(page.score.resolution()).max(1);
            let beats = (0..).map(|n| bar.start.0 + n * beat).take_while(|t| *t < bar.end.0 && (*t as f64) < next);
            for beat in beats.filter(|t| *t as f64 >= tick) {
                let line = if beat == bar.start.0 { GridLine::Bar(bars.number(index)) } else { GridLine::Beat };
                found.push((time(beat as f64), line));
            }
            index += 1;
        }
    }
    found.retain(|(at, _)| (from..=to).contains(at));
    found
}

fn paint_note(t: &Tokens, painter: &Painter, grid: &Grid, note: &RollNote) {
    let rect = grid.note(note.at, note.at + note.duration, note.pitch).shrink2(vec2(0.0, (grid.row() * 0.12).min(2.0)));
    let wrong = note.kind.is_some_and(VerdictKind::is_wrong);
    let color = match note.hand {
        _ if wrong => t.bad,
        Some(hand) => t.hand(hand),
        None => t.accent,
    };
    // What was struck softly is paler.
    painter.rect_filled(rect, 2, fade(color, 0.45 + 0.55 * f32::from(note.velocity) / 127.0));
    if let Some(kind) = note.kind.filter(|kind| *kind != VerdictKind::OnTime) {
        painter.add(mark_shape(t, kind, pos2(rect.left() - 5.0, rect.center().y), 3.5));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::music::{Hand, Hands, Meter, Score, ScoreParts, WrittenNote};
    use crate::ui::view::LocalTime;

    fn take(notes: Vec<RollNote>) -> TakeView {
        TakeView {
            id: "1".into(),
            at: LocalTime::default(),
            piece: None,
            mode: None,
            length: Micros::from_millis(9_000),
            notes,
            written: Vec::new(),
            stories: Vec::new(),
            passes: Arc::default(),
            expression: None,
            kept_result: None,
            page: None,
            past: None,
        }
    }

    #[test]
    fn every_note_lies_within_the_roll_and_a_place_in_it_is_a_time() {
        let note = |millis: i64, key: u8| RollNote {
            at: Micros::from_millis(millis),
            duration: Micros::from_millis(300),
            pitch: Pitch::from_data_byte(key),
            velocity: 80,
            hand: None,
            kind: None,
        };
        let take = take(vec![note(0, 0), note(4_000, 60), note(8_700, 127)]);
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(900.0, 400.0));
        let grid = Grid::new(&take, rect, HEAD);
        for note in &take.notes {
            let place = grid.note(note.at, note.at + note.duration, note.pitch);
            assert!(rect.expand(0.01).contains_rect(place), "{place:?} in {rect:?}");
            assert!((grid.time(grid.x(note.at)) - note.at).0.abs() < 2_000);
        }
    }

    #[test]
    fn the_second_under_the_pointer_stays_there_and_the_whole_take_is_the_widest_view() {
        let (seconds, room) = (60.0, 600.0);
        let mut roll = RollState { seen: 500.0, ..RollState::default() };
        assert_eq!(roll.scale(seconds, room), POINTS_A_SECOND);
        let there = (roll.seen + 200.0) / roll.scale(seconds, room);
        roll.zoom_by(2.0, 200.0, seconds, room);
        assert_eq!(roll.scale(seconds, room), 2.0 * POINTS_A_SECOND);
        let offset = roll.offset.expect("it moves");
        assert!(((offset + 200.0) / roll.scale(seconds, room) - there).abs() < 1e-3);
        roll.zoom_by(0.001, 200.0, seconds, room);
        assert_eq!((roll.scale(seconds, room), roll.offset), (10.0, Some(0.0)), "no further than all of it");
        roll.zoom_by(1e6, 0.0, seconds, room);
        assert_eq!(roll.scale(seconds, room), POINTS_A_SECOND_MAX);
        roll.zoom = Zoom::Whole;
        assert_eq!(roll.scale(seconds, 300.0), 5.0, "another room is all of it too");
    }

    #[test]
    fn bars_and_beats_are_where_they_were_played_and_a_second_time_again() {
        let long = WrittenNote {
            onset: Ticks::ZERO,
            end: Ticks(1_920),
            pitch: Pitch::MIDDLE_C,
            hand: Hand::Right,
            velocity: 80,
        };
        let parts = ScoreParts {
            resolution: 480,
            meters: vec![Meter { tick: Ticks::ZERO, beats: 2, unit: 4 }],
            notes: vec![long],
            ..ScoreParts::default()
        };
        let page = TakePage {
            score: Arc::new(Score::new(parts)),
            marks: Vec::new(),
            extras: Vec::new(),
            course: [(0, 0.0), (1_000, 960.0), (3_000, 1_440.0), (4_000, 0.0), (5_000, 960.0)]
                .map(|(millis, tick)| (Micros::from_millis(millis), tick))
                .to_vec(),
            hands: Hands::BOTH,
            beat: None,
        };
        let all = lines(&page, Micros::ZERO, Micros::from_millis(9_000));
        let expected = [
            (0, GridLine::Bar(1.into())),
            (500, GridLine::Beat),
            (1_000, GridLine::Bar(2.into())),
            (4_000, GridLine::Bar(1.into())),
            (4_500, GridLine::Beat),
        ];
        assert_eq!(all, expected.map(|(millis, line)| (Micros::from_millis(millis), line)));
        let seen = lines(&page, Micros::from_millis(400), Micros::from_millis(1_200));
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
}
