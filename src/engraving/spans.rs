//! What reaches over several notes on a drawn line: ties and slurs between their chords, hairpins, octave lines, pedals,
//! endings.

use std::collections::HashMap;

use super::canvas::Canvas;
use super::curves::{self, SlurEnd};
use super::draw::ChordPlace;
use super::font::DEFAULTS;
use super::glyphs as g;
use super::marks;
use super::plan::Placed;
use super::shape::{Align, Bounds, Item, Part, Point, Shape, Tag, TextKind};
use crate::music::notation::{Notation, Span, SpanKind};
use crate::time::Ticks;

/// A drawn line: the measures on it with the places of their chords.
pub(super) struct Drawn<'a> {
    pub(super) page: &'a Notation,
    pub(super) placed: &'a [Placed],
    pub(super) chords: Vec<Vec<ChordPlace>>,
    pub(super) resolution: u16,
}

/// A stretch of the line that a span covers: measures from and to, and whether it begins and ends there.
#[derive(Clone, Copy)]
struct Stretch {
    from: usize,
    to: usize,
    begins: bool,
    ends: bool,
}

impl Drawn<'_> {
    /// Whether one measure of the line follows the other on the page, too.
    fn follows(&self, index: usize) -> bool {
        index > 0 && self.placed[index].measure == self.placed[index - 1].measure + 1
    }

    /// Draws all ties; the notes they lead to stand for the note that is struck.
    pub(super) fn ties_ui(&mut self, canvas: &mut Canvas) {
        for index in 0..self.placed.len() {
            for chord in 0..self.chords[index].len() {
                for head in 0..self.chords[index][chord].heads.len() {
                    if self.chords[index][chord].heads[head].tied {
                        self.tie_ui(canvas, index, chord, head);
                    }
                }
            }
        }
        for index in (0..self.placed.len()).filter(|i| !self.follows(*i)) {
            for (_, staff, pitch) in &self.placed[index].tied {
                for chord in self.chords[index].iter().filter(|c| c.at == Ticks::ZERO && !c.grace) {
                    let found = chord.heads.iter().position(|h| h.staff == *staff && h.pitch == *pitch);
                    if let Some(head) = found {
                        let above = curves::tie_above(chord, head);
                        curves::tie_ui(canvas, (None, chord.heads.get(head)), above, false);
                    }
                }
            }
        }
    }

    fn tie_ui(&mut self, canvas: &mut Canvas, index: usize, chord: usize, head: usize) {
        let from = &self.chords[index][chord];
        let measure = &self.page.measures[self.placed[index].measure];
        let end = from.at + measure.chords[from.chord].ticks(self.resolution);
        let (pitch, staff, voice) = (from.heads[head].pitch, from.heads[head].staff, from.voice);
        let find = |chords: &[ChordPlace], at: Ticks, least: usize| {
            let fits =
                |c: &ChordPlace| c.at == at && !c.grace && c.heads.iter().any(|h| h.pitch == pitch && h.staff == staff);
            let all = || chords.iter().enumerate().skip(least).filter(|(_, c)| fits(c));
            let found = all().find(|(_, c)| c.voice == voice).or_else(|| all().next())?;
            let head = found.1.heads.iter().position(|h| h.pitch == pitch && h.staff == staff)?;
            Some((found.0, head))
        };
        let target = if from.grace {
            find(&self.chords[index], from.at, chord + 1).map(|t| (index, t))
        } else if end < measure.length {
            find(&self.chords[index], end, chord + 1).map(|t| (index, t))
        } else if index + 1 < self.placed.len() && self.follows(index + 1) {
            find(&self.chords[index + 1], Ticks::ZERO, 0).map(|t| (index + 1, t))
        } else {
            None
        };
        let above = curves::tie_above(from, head);
        let outer = from.heads.len() == 1 && !has_dots(measure.chords[from.chord].value.dots);
        let to = target.map(|(measure, (chord, head))| &self.chords[measure][chord].heads[head]);
        let outer = outer && target.is_none_or(|(m, (c, _))| self.chords[m][c].heads.len() == 1);
        let shifted = dotted(&from.heads[head], measure.chords[from.chord].value.dots);
        curves::tie_ui(canvas, (Some(&shifted), to), above, outer);
        if let Some((to_measure, (to_chord, to_head))) = target {
            let note = self.chords[index][chord].heads[head].note;
            let place = &mut self.chords[to_measure][to_chord].heads[to_head];
            if place.note.is_none() {
                place.note = note;
                tag_note(&mut canvas.items[to_measure], place.item, note);
            }
        }
    }

    /// Where a tick of a measure lies.
    fn x(&self, index: usize, at: Ticks) -> f32 {
        self.placed[index].x_at(at.0 as f64)
    }

    /// The stretches of the line that a span covers.
    fn stretches(&self, span: &Span, begins: &[usize]) -> Vec<Stretch> {
        let (first, last) = (span.from.0 as usize, span.to.0.max(span.from.0) as usize);
        let mut found = Vec::new();
        let walk = |from: usize, begins: bool| {
            let mut to = from;
            while self.placed[to].measure < last && to + 1 < self.placed.len() && self.follows(to + 1) {
                to += 1;
            }
            Stretch { from, to, begins, ends: self.placed[to].measure == last }
        };
        found.extend(begins.iter().map(|index| walk(*index, true)));
        if self.placed.first().is_some_and(|p| p.measure > first && p.measure <= last) {
            found.push(walk(0, false));
        }
        found
    }

    /// Draws slurs, then what stands further away from the notes.
    pub(super) fn spans_ui(&self, canvas: &mut Canvas) {
        let mut begins: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, placed) in self.placed.iter().enumerate() {
            begins.entry(placed.measure).or_default().push(index);
        }
        let of = |span: &Span| {
            let found = begins.get(&(span.from.0 as usize)).map_or(&[][..], Vec::as_slice);
            self.stretches(span, found)
        };
        let is_slur = |span: &&Span| span.kind == SpanKind::Slur;
        for span in self.page.spans.iter().filter(is_slur) {
            for stretch in of(span) {
                self.slur_ui(canvas, span, stretch);
            }
        }
        let mut pedals: Vec<(f32, f32, Stretch)> = Vec::new();
        for span in self.page.spans.iter().filter(|s| !is_slur(s)) {
            for stretch in of(span) {
                let from =
                    if stretch.begins { self.x(stretch.from, span.from.1) } else { self.placed[stretch.from].inner.0 };
                let to = if stretch.ends { self.x(stretch.to, span.to.1) } else { self.placed[stretch.to].inner.1 };
                match span.kind {
                    SpanKind::Slur => {}
                    SpanKind::Crescendo | SpanKind::Diminuendo => {
                        let (from, to) = self.beside_loudness(span, stretch, (from, to));
                        hairpin_ui(canvas, span, (from, to), stretch);
                    }
                    SpanKind::Octave(octaves) => octave_ui(canvas, span.staff, octaves, from, to, stretch.ends),
                    SpanKind::Pedal => pedals.push((from, to, stretch)),
                }
            }
        }
        pedals_ui(canvas, pedals);
    }

    /// Where a hairpin begins and ends that has a loudness at either end, on one line with it (Gould, p. 105).
    fn beside_loudness(&self, span: &Span, stretch: Stretch, (from, to): (f32, f32)) -> (f32, f32) {
        let right = |(measure, at): (u32, Ticks)| {
            let printed = self.page.measures.get(measure as usize)?;
            let here = printed.directions.iter().filter(|d| (d.staff, d.at) == (span.staff, at));
            here.filter(|d| d.above.unwrap_or(false) == span.above.unwrap_or(false))
                .find_map(|d| marks::dynamic_right(&d.kind))
        };
        // What ends with its measure meets the loudness of the next one.
        let length = self.page.measures.get(span.to.0 as usize).map_or(Ticks::ZERO, |m| m.length);
        let end = if span.to.1 >= length { (span.to.0 + 1, Ticks::ZERO) } else { span.to };
        let before = if stretch.ends && right(end).is_some() { 0.5 } else { 0.0 };
        (from + if stretch.begins { right(span.from).unwrap_or(0.0) } else { 0.0 }, to - before)
    }

    fn chord_at(&self, index: usize, at: Ticks, span: &Span, grace: bool) -> Option<&ChordPlace> {
        let all = || self.chords[index].iter().filter(|c| c.at == at && !c.rest && c.grace == grace);
        let exact = all().find(|c| c.voice == span.voice && c.staff == span.staff);
        exact.or_else(|| all().find(|c| c.voice == span.voice)).or_else(|| all().find(|c| c.staff == span.staff))
    }

    fn slur_ui(&self, canvas: &mut Canvas, span: &Span, stretch: Stretch) {
        let from_grace = stretch.begins && span.from == span.to;
        let from = if stretch.begins {
            let chord = self.chord_at(stretch.from, span.from.1, span, from_grace);
            let Some(chord) = chord else { return };
            SlurEnd::At(chord)
        } else {
            SlurEnd::Open(self.placed[stretch.from].inner.0)
        };
        let to = if stretch.ends {
            let Some(chord) = self.chord_at(stretch.to, span.to.1, span, false) else { return };
            SlurEnd::At(chord)
        } else {
            SlurEnd::Open(self.placed[stretch.to].inner.1)
        };
        let staff = match (from, to) {
            (SlurEnd::At(chord), _) | (_, SlurEnd::At(chord)) => chord.staff,
            _ => span.staff,
        };
        let within = (stretch.from..=stretch.to).flat_map(|index| self.chords[index].iter().map(move |c| (index, c)));
        let reaches = |(index, chord): &(usize, &ChordPlace)| {
            chord.voice == span.voice
                && chord.staff == staff
                && !(stretch.begins && *index == stretch.from && chord.at < span.from.1)
                && !(stretch.ends && *index == stretch.to && chord.at > span.to.1)
        };
        let above = match span.above {
            Some(above) => above,
            None if from_grace => matches!(to, SlurEnd::At(chord) if !chord.up),
            None => curves::slur_above(within.filter(reaches).map(|(_, c)| c)),
        };
        curves::slur_ui(canvas, staff, from, to, above);
    }

    /// Draws the brackets of endings over the line.
    pub(super) fn endings_ui(&self, canvas: &mut Canvas) {
        let mut open: Option<(usize, String)> = None;
        let mut row: Vec<Bracket> = Vec::new();
        for (index, placed) in self.placed.iter().enumerate() {
            let Some(ending) = &self.page.measures[placed.measure].ending else {
                open = None;
                continue;
            };
            if ending.starts || open.is_none() {
                let passes: Vec<String> = ending.passes.iter().map(|p| format!("{p}.")).collect();
                open = Some((index, if ending.starts { passes.join(" ") } else { String::new() }));
            }
            let last =
                index + 1 == self.placed.len() || self.page.measures[self.placed[index + 1].measure].ending.is_none();
            if let (true, Some((from, words))) = (ending.ends || last, open.clone()) {
                open = None;
                let (left, right) = (self.placed[from].left + 0.2, placed.right - 0.3);
                if row.last().is_some_and(|before| left - before.right > BRACKETS_APART) {
                    brackets_ui(canvas, &std::mem::take(&mut row));
                }
                row.push(Bracket { left, right, words, hook: ending.ends });
            }
        }
        brackets_ui(canvas, &row);
    }
}

const fn has_dots(dots: u8) -> bool {
    dots > 0
}

/// A head as wide as with its dots, from behind which a tie begins.
fn dotted(head: &super::draw::HeadPlace, dots: u8) -> super::draw::HeadPlace {
    let mut head = head.clone();
    if dots > 0 {
        head.bounds.right += 0.45 + 0.55 * f32::from(dots);
    }
    head
}

/// Lets a head's item stand for a note.
fn tag_note(items: &mut [Item], index: usize, note: Option<crate::music::NoteId>) {
    if let Some(item) = items.get_mut(index) {
        item.tag.note = note;
    }
}

fn line(canvas: &mut Canvas, from: Point, to: Point, thickness: f32, tag: Tag) {
    let (left, right) = (from.x.min(to.x), from.x.max(to.x));
    canvas.push_spanning(left, right, Shape::Line { from, to, thickness }, tag);
}

/// Two lines that open or close by 1.1 spaces (SMuFL leaves the opening to the engraver; Gould, p. 103: about a space).
/// Where it goes on from one line to the next it stays open (Gould, p. 105).
fn hairpin_ui(canvas: &mut Canvas, span: &Span, (from, to): (f32, f32), stretch: Stretch) {
    const WIDE: f32 = 0.55;
    const GOES_ON: [f32; 2] = [0.2, 0.36];
    let opens = span.kind == SpanKind::Crescendo;
    let (pointed, open) = if opens { (stretch.begins, stretch.ends) } else { (stretch.ends, stretch.begins) };
    let narrow = if pointed { 0.0 } else { GOES_ON[0] };
    let wide = if open { WIDE } else { GOES_ON[1] };
    let (left, right) = if opens { (narrow, wide) } else { (wide, narrow) };
    let (from, to) = (from + 0.4, (to - 0.4).max(from + 1.6));
    let staff = span.staff.min(canvas.staves.len().saturating_sub(1) as u8);
    let y = if span.above == Some(true) {
        (canvas.y(staff, 0.0) - 1.8).min(canvas.top(staff, from, to) - 1.0)
    } else {
        marks::lane_below(canvas, staff, from, to)
    };
    let tag = Tag { staff, ..Tag::default() };
    for way in [-1.0, 1.0] {
        let (a, b) = (Point::new(from, y + way * left), Point::new(to, y + way * right));
        line(canvas, a, b, DEFAULTS.hairpin_thickness, tag);
    }
    canvas.keep(staff, Bounds { left: from, right: to, top: y - WIDE, bottom: y + WIDE });
}

/// 8va with dashes and a hook.
fn octave_ui(canvas: &mut Canvas, staff: u8, octaves: i8, from: f32, to: f32, ends: bool) {
    let above = octaves > 0;
    let glyph = match octaves {
        1 => g::OTTAVA_ALTA,
        -1 => g::OTTAVA_BASSA_VB,
        ..=-2 => g::QUINDICESIMA_BASSA_MB,
        _ => g::QUINDICESIMA_ALTA,
    };
    let tag = Tag { staff, ..Tag::default() };
    let scale = 0.9;
    let right = (to - 0.2).max(from + glyph.right * scale + 1.0);
    let y = if above {
        (canvas.y(staff, 0.0) - 1.6).min(canvas.top(staff, from, right) - 0.5)
    } else {
        (canvas.y(staff, 4.0) + 1.6 + glyph.top * scale)
            .max(canvas.bottom(staff, from, right) + 0.5 + glyph.top * scale)
    };
    let shape = Shape::Glyph { sign: glyph.sign, at: Point::new(from, y), scale };
    let after = glyph.bounds(from, y, scale);
    canvas.push_spanning(from, right, shape, tag);
    let dash_y = if above { after.top + 0.1 } else { y };
    let mut x = after.right + 0.3;
    while x < right {
        let end = (x + 0.6).min(right);
        line(canvas, Point::new(x, dash_y), Point::new(end, dash_y), DEFAULTS.octave_line_thickness, tag);
        x = end + 0.5;
    }
    if ends {
        let hook = if above { 1.0 } else { -1.0 };
        line(canvas, Point::new(right, dash_y), Point::new(right, dash_y + hook), DEFAULTS.octave_line_thickness, tag);
    }
    canvas.keep(staff, Bounds { left: from, right, top: after.top.min(dash_y), bottom: after.bottom.max(dash_y) });
}

/// Pedals that follow each other stand on one line (Gould, p. 335), as far as they are together.
fn pedals_ui(canvas: &mut Canvas, mut pedals: Vec<(f32, f32, Stretch)>) {
    /// Further apart than about a measure they have heights of their own, as have those of a line without end.
    const APART: f32 = 16.0;
    const TOGETHER: f32 = 120.0;
    let staff = canvas.staves.len().saturating_sub(1) as u8;
    pedals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut next = 0;
    while let Some((first, ..)) = pedals.get(next) {
        let follows = |pair: &&[(f32, f32, Stretch)]| pair[1].0 - pair[0].1 < APART && pair[1].1 - first < TOGETHER;
        let count = 1 + pedals[next..].windows(2).take_while(follows).count();
        let row = &pedals[next..next + count];
        let lowest = row.iter().map(|(from, to, _)| canvas.bottom(staff, *from, *to) + 1.8);
        let y = lowest.fold(canvas.y(staff, 4.0) + 3.6, f32::max);
        for (from, to, stretch) in row {
            pedal_ui(canvas, (*from, *to), y, *stretch);
        }
        next += count;
    }
}

/// Ped. and a line with a hook up.
fn pedal_ui(canvas: &mut Canvas, (from, to): (f32, f32), y: f32, Stretch { begins, ends, .. }: Stretch) {
    let staff = canvas.staves.len().saturating_sub(1) as u8;
    let tag = Tag { staff, ..Tag::default() };
    let mut x = from;
    if begins {
        let glyph = g::KEYBOARD_PEDAL_PED;
        let scale = 0.8;
        let shape = Shape::Glyph { sign: glyph.sign, at: Point::new(x, y), scale };
        canvas.push_spanning(from, to, shape, tag);
        x += glyph.right * scale + 0.2;
    }
    let right = (to - 0.3).max(x + 0.3);
    line(canvas, Point::new(x, y), Point::new(right, y), DEFAULTS.pedal_line_thickness, tag);
    if ends {
        line(canvas, Point::new(right, y), Point::new(right, y - 1.0), DEFAULTS.pedal_line_thickness, tag);
    }
    canvas.keep(staff, Bounds { left: from, right, top: y - 1.7, bottom: y + 0.1 });
}

/// Brackets of endings that are nearer to each other stand on one line.
const BRACKETS_APART: f32 = 2.0;

/// The bracket of an ending.
struct Bracket {
    left: f32,
    right: f32,
    words: String,
    hook: bool,
}

/// Draws the brackets of endings that follow each other, on one line.
fn brackets_ui(canvas: &mut Canvas, row: &[Bracket]) {
    let highest = row.iter().map(|b| canvas.top(0, b.left, b.right) - 2.2);
    let y = highest.fold(canvas.y(0, 0.0) - 3.2, f32::min);
    row.iter().for_each(|bracket| bracket_ui(canvas, bracket, y));
}

fn bracket_ui(canvas: &mut Canvas, Bracket { left, right, words, hook }: &Bracket, y: f32) {
    let (left, right, hook) = (*left, *right, *hook);
    let tag = Tag { part: Part::Mark, ..Tag::default() };
    let thickness = DEFAULTS.repeat_ending_line_thickness;
    line(canvas, Point::new(left, y), Point::new(right, y), thickness, tag);
    if !words.is_empty() {
        line(canvas, Point::new(left, y), Point::new(left, y + 1.9), thickness, tag);
        let text = words.clone();
        let shape = Shape::Text {
            text,
            at: Point::new(left + 0.5, y + 1.6),
            size: 1.8,
            kind: TextKind::Number,
            align: Align::Left,
        };
        canvas.push_spanning(left, right, shape, tag);
    }
    if hook {
        line(canvas, Point::new(right, y), Point::new(right, y + 1.9), thickness, tag);
    }
    canvas.keep(0, Bounds { left, right, top: y, bottom: y + 1.9 });
}
