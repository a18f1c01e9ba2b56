//! A line of music, drawn: its staves, its measures with their items, and where each tick lies on it.

use super::canvas::Canvas;
use super::draw::{ChordPlace, Placing};
use super::font::{self, DEFAULTS};
use super::plan::{Book, Placed};
use super::shape::{Align, Bounds, Item, Part, Point, Tag, TextKind};
use super::spans::Drawn;
use super::{lyrics, marks, signs, timeline, tuplets};
use crate::music::notation::{Chord, Clef, Direction, DirectionKind, Jump, Measure};
use crate::music::{Hand, NoteId, Pitch, ordinal};
use crate::time::Ticks;

/// The size of measure numbers in spaces.
const NUMBER_SIZE: f32 = 1.6;
/// The size of the words that tell which pass begins.
const PASS_SIZE: f32 = 1.8;

/// A line of music.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Where its staff lines end; they begin at 0.
    pub width: f32,
    /// The top line of each staff.
    pub staves: Vec<f32>,
    /// The highest and the lowest that stands there.
    pub top: f32,
    /// See `top`.
    pub bottom: f32,
    /// Its measures.
    pub measures: Vec<PlacedMeasure>,
    /// Ticks of the page to a tick of the score.
    pub(super) per_tick: f64,
    /// What reaches over several measures, by beginning.
    spanning: Vec<Spanning>,
}

/// Something between two places.
#[derive(Clone, Debug, PartialEq)]
struct Spanning {
    from: f32,
    /// The furthest end of all up to this one.
    latest: f32,
    to: f32,
    item: Item,
}

/// A measure on a line.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedMeasure {
    /// Which measure of the page.
    pub measure: u32,
    /// Which passage; on a page that has it printed once, the first.
    pub passage: Option<u32>,
    /// Where it begins.
    pub left: f32,
    /// Where it ends, its line included.
    pub right: f32,
    /// The tick of the score at which it begins; in the order of the page if it is in no passage.
    pub start: Ticks,
    /// The clefs at its beginning.
    pub clefs: Vec<Clef>,
    /// The key: sharps, or flats if negative.
    pub fifths: i8,
    /// The metre.
    pub meter: (u8, u8),
    /// What stands in it.
    pub items: Vec<Item>,
    /// Ticks of the measure and their places, ascending.
    anchors: Vec<(f64, f32)>,
}

impl PlacedMeasure {
    /// Where a tick of the measure lies.
    pub fn x_at(&self, at: f64) -> f32 {
        timeline::interpolate(&self.anchors, at)
    }

    /// The tick of the measure at a place.
    pub fn tick_at(&self, x: f32) -> f64 {
        timeline::invert(&self.anchors, x)
    }

    fn first_x(&self) -> f32 {
        self.anchors.first().map_or(self.left, |a| a.1)
    }
}

impl System {
    /// Where a tick of the score lies; for lines in playing order.
    pub fn x_at(&self, tick: f64) -> f32 {
        let tick = tick * self.per_tick;
        let after = self.measures.partition_point(|m| m.start.0 as f64 <= tick).max(1);
        self.measures.get(after - 1).map_or(0.0, |m| m.x_at(tick - m.start.0 as f64))
    }

    /// The tick of the score at a place; for lines in playing order.
    pub fn tick_at(&self, x: f32) -> f64 {
        let after = self.measures.partition_point(|m| m.first_x() <= x).max(1);
        self.measures.get(after - 1).map_or(0.0, |m| (m.start.0 as f64 + m.tick_at(x)) / self.per_tick)
    }

    /// The measure at a place, the nearest one beyond the ends.
    pub fn measure_at(&self, x: f32) -> Option<usize> {
        let after = self.measures.partition_point(|m| m.left <= x).max(1);
        (!self.measures.is_empty()).then_some(after - 1)
    }

    /// The measures between two places.
    pub fn visible(&self, left: f32, right: f32) -> std::ops::Range<usize> {
        let first = self.measures.partition_point(|m| m.right < left);
        let last = self.measures.partition_point(|m| m.left <= right);
        first..last.max(first)
    }

    /// What reaches over several measures and shows between two places.
    pub fn spanning(&self, left: f32, right: f32) -> impl Iterator<Item = &Item> {
        let first = self.spanning.partition_point(|s| s.latest < left);
        let last = self.spanning.partition_point(|s| s.from <= right).max(first);
        self.spanning[first..last].iter().filter(move |s| s.to >= left).map(|s| &s.item)
    }

    /// The heights of all staff lines.
    pub fn staff_lines(&self) -> impl Iterator<Item = f32> {
        self.staves.iter().flat_map(|top| (0..5).map(move |line| top + line as f32))
    }

    /// How thick staff lines are.
    pub fn line_thickness(&self) -> f32 {
        DEFAULTS.staff_line_thickness
    }
}

/// Finds the note of the score by onset, key and hand.
pub(super) type Find<'a> = &'a dyn Fn(Ticks, Pitch, Hand) -> Option<NoteId>;

/// How a row becomes a line.
#[derive(Clone, Copy)]
pub(super) struct Drawing<'a> {
    pub(super) book: &'a Book<'a>,
    pub(super) resolution: u16,
    pub(super) find: Find<'a>,
    /// Whether it is a line of the printed page, with repeats and jumps.
    pub(super) printed: bool,
}

impl Drawing<'_> {
    /// Draws a row.
    pub(super) fn draw(&self, row: &[Placed]) -> System {
        let book = self.book;
        let staves = book.staves(row);
        let mut canvas = Canvas::new(staves.clone(), row.iter().map(|p| p.left).collect());
        let starts = self.starts(row);
        if !row.is_empty() {
            signs::brace_ui(&mut canvas, 0.0);
        }
        let mut chords: Vec<Vec<ChordPlace>> = Vec::with_capacity(row.len());
        for (index, placed) in row.iter().enumerate() {
            canvas.measure = index;
            chords.push(self.measure_ui(&mut canvas, placed, starts[index]));
        }
        let mut drawn = Drawn { page: book.page, placed: row, chords, resolution: self.resolution };
        drawn.ties_ui(&mut canvas);
        for (index, placed) in row.iter().enumerate() {
            canvas.measure = index;
            let printed = &book.page.measures[placed.measure];
            for place in &drawn.chords[index] {
                marks::chord_ui(&mut canvas, &printed.chords[place.chord], place);
            }
            for tuplet in &book.shapes[placed.measure].tuplets {
                tuplets::tuplet_ui(&mut canvas, &book.shapes[placed.measure], tuplet, &drawn.chords[index]);
            }
        }
        drawn.spans_ui(&mut canvas);
        lyrics::draw_lyrics(&mut canvas, book, row, &drawn.chords);
        for (index, placed) in row.iter().enumerate() {
            canvas.measure = index;
            self.beside_ui(&mut canvas, placed, index);
        }
        drawn.endings_ui(&mut canvas);
        self.finish(canvas, row, &starts, staves)
    }

    fn starts(&self, row: &[Placed]) -> Vec<Ticks> {
        let passages = &self.book.page.passages;
        let mut next = Ticks::ZERO;
        let start = |placed: &Placed| {
            let found = placed.passage.and_then(|p| passages.get(p as usize)).map_or(next, |p| p.start);
            next = found + self.book.page.measures[placed.measure].length;
            found
        };
        row.iter().map(start).collect()
    }

    fn measure_ui(&self, canvas: &mut Canvas, placed: &Placed, start: Ticks) -> Vec<ChordPlace> {
        let measure = &self.book.page.measures[placed.measure];
        if let Some(line) = placed.lines.0 {
            signs::barline_ui(canvas, line, placed.inner.0);
        }
        signs::heading_ui(canvas, &placed.heading, placed.left);
        let note = |chord: &Chord, head: usize| {
            let (at, pitch) = chord.heads[head].sounds?;
            placed.passage.and_then(|_| (self.find)(start + at, pitch, chord.hand))
        };
        let shape = &self.book.shapes[placed.measure];
        let placing = Placing { measure, shape, columns: &placed.columns, inner: placed.inner, note: &note };
        let places = placing.draw(canvas);
        signs::barline_ui(canvas, placed.lines.1, placed.right);
        signs::heading_ui(canvas, &placed.courtesy, placed.right);
        let at_end = if placed.clefs.is_empty() { &shape.clefs_at_end } else { &placed.clefs };
        for (staff, clef) in at_end.iter().copied() {
            let (glyph, line) = font::clef(clef);
            let x = placed.inner.1 - 0.5 - glyph.right * signs::SMALL_CLEF;
            let at = Point::new(x, canvas.y(staff, 4.0 - f32::from(line)));
            let tag = Tag { part: Part::Signature, staff, ..Tag::default() };
            canvas.glyph(glyph, at, signs::SMALL_CLEF, tag);
        }
        places
    }

    /// Words, dynamics, jumps and the number.
    fn beside_ui(&self, canvas: &mut Canvas, placed: &Placed, index: usize) {
        let measure = &self.book.page.measures[placed.measure];
        for direction in &measure.directions {
            let x = placed.x_at(direction.at.0 as f64);
            let here =
                || measure.directions.iter().filter(|other| (other.at, other.staff) == (direction.at, direction.staff));
            let mark = || {
                here()
                    .find_map(|d| if let DirectionKind::Metronome(value, n) = d.kind { Some((value, n)) } else { None })
            };
            let loudness = || {
                let beside = |d: &&Direction| d.above.unwrap_or(false) == direction.above.unwrap_or(false);
                here().filter(beside).find_map(|d| marks::dynamic_right(&d.kind))
            };
            match &direction.kind {
                // "p dolce": words stand behind the loudness of their place.
                DirectionKind::Words(_) if let Some(right) = loudness() => {
                    marks::direction_ui(canvas, direction, x + right + 0.5);
                }
                DirectionKind::Tempo(word) if let Some(mark) = mark() => {
                    marks::tempo_ui(canvas, direction.staff, word, mark, x);
                }
                DirectionKind::Metronome(..) if here().any(|d| matches!(d.kind, DirectionKind::Tempo(_))) => {}
                _ => marks::direction_ui(canvas, direction, x),
            }
        }
        for jump in measure.jumps.iter().filter(|jump| self.printed || placed.onward.tells(**jump)) {
            jump_ui(canvas, *jump, placed);
        }
        self.number_ui(canvas, measure, placed, index);
    }

    /// The number of a measure, and which pass begins there.
    fn number_ui(&self, canvas: &mut Canvas, measure: &Measure, placed: &Placed, index: usize) {
        // At every measure of an endless line, at the beginning of each line of a page but for a pick-up (Gould, p. 484).
        let is_counted = if self.printed { measure.number != "0" && index == 0 } else { true };
        let number = Some(measure.number.as_str()).filter(|number| is_counted && !number.is_empty());
        let pass = placed.pass.map(|pass| format!("{} time", ordinal(pass)));
        let mut x = placed.left + if index == 0 { 0.0 } else { 0.35 };
        let width = |text: &str, size: f32| marks::text_width(text, size) + NUMBER_SIZE * 0.5;
        let right =
            x + number.map_or(0.0, |n| width(n, NUMBER_SIZE)) + pass.as_ref().map_or(0.0, |p| width(p, PASS_SIZE));
        if number.is_none() && pass.is_none() {
            return;
        }
        let y = (canvas.y(0, 0.0) - 1.3).min(canvas.top(0, x - 0.2, right) - 0.5);
        if let Some(number) = number {
            let tag = Tag { part: Part::Number, ..Tag::default() };
            canvas.text(number, Point::new(x, y), NUMBER_SIZE, TextKind::Number, Align::Left, tag);
            x += width(number, NUMBER_SIZE);
        }
        if let Some(pass) = pass {
            canvas.text(&pass, Point::new(x, y), PASS_SIZE, TextKind::Bold, Align::Left, Tag::default());
        }
    }

    fn finish(&self, canvas: Canvas, row: &[Placed], starts: &[Ticks], staves: Vec<f32>) -> System {
        let bounds: Bounds = canvas.bounds;
        let mut spanning = canvas.spanning;
        spanning.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut latest = f32::MIN;
        let spanning = spanning.into_iter().map(|(from, to, item)| {
            latest = latest.max(to);
            Spanning { from, latest, to, item }
        });
        let spanning = spanning.collect();
        let measures = row.iter().zip(canvas.items).zip(starts).map(|((placed, items), start)| {
            let context = &self.book.contexts[placed.measure];
            PlacedMeasure {
                measure: placed.measure as u32,
                passage: placed.passage,
                left: placed.left,
                right: placed.right,
                start: *start,
                clefs: context.clefs.clone(),
                fifths: context.fifths,
                meter: context.meter,
                items,
                anchors: placed.anchors.clone(),
            }
        });
        let last = staves.last().copied().unwrap_or(0.0);
        System {
            per_tick: 1.0,
            width: row.last().map_or(0.0, Placed::end),
            top: bounds.top.min(0.0),
            bottom: bounds.bottom.max(last + 4.0),
            staves,
            measures: measures.collect(),
            spanning,
        }
    }
}

/// A sign or word that says where to go on.
fn jump_ui(canvas: &mut Canvas, jump: Jump, placed: &Placed) {
    use super::glyphs as g;
    let words = match jump {
        Jump::Segno | Jump::Coda => {
            let glyph = if jump == Jump::Segno { g::SEGNO } else { g::CODA };
            let x = placed.left + 0.5;
            let y = canvas.top(0, x, x + glyph.width()) - 0.6 + glyph.bottom;
            canvas.glyph(glyph, Point::new(x, y.min(canvas.y(0, 0.0) - 1.2)), 0.9, Tag::default());
            return;
        }
        Jump::ToCoda => "To Coda",
        Jump::Fine => "Fine",
        Jump::DaCapo => "D.C.",
        Jump::DaCapoAlFine => "D.C. al Fine",
        Jump::DaCapoAlCoda => "D.C. al Coda",
        Jump::DalSegno => "D.S.",
        Jump::DalSegnoAlFine => "D.S. al Fine",
        Jump::DalSegnoAlCoda => "D.S. al Coda",
    };
    let width = marks::text_width(words, 2.0);
    let y = (canvas.y(0, 0.0) - 1.3).min(canvas.top(0, placed.right - width, placed.right) - 0.6);
    canvas.text(words, Point::new(placed.right, y), 2.0, TextKind::Bold, Align::Right, Tag::default());
}
