//! Which measures stand on which line, and where: contexts, widths, line breaks, distances between staves.

use std::collections::{HashMap, HashSet};

use super::accidentals::TieEnd;
use super::measure::{self, Context, MeasureShape};
use super::played::Onward;
use super::signs::{self, Heading, Line};
use super::spacing;
use crate::music::notation::{Barline, Clef, DirectionKind, Measure, Notation, Span, SpanKind};
use crate::time::Ticks;

/// Between the lowest line of a staff and the highest of the next, at least (MuseScore: 6.5, LilyPond: 5).
const STAVES_APART: f32 = 6.0;
/// And at most, however far notes reach: they may then stand between each other.
const STAVES_APART_MOST: f32 = 16.0;
/// Where words are sung between them they may not.
const STAVES_APART_SUNG: f32 = 28.0;
/// Between what stands below a staff and what stands above the next.
const CLEAR: f32 = 1.2;
/// A last line that is filled less than this is not stretched.
const FILLED: f32 = 0.7;

/// What a row tells of repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// All signs, as printed.
    Printed,
    /// Those that act, in the order played.
    Played,
}

/// All measures of a page, shaped.
pub(super) struct Book<'a> {
    pub(super) page: &'a Notation,
    pub(super) shapes: Vec<MeasureShape>,
    /// What holds in each measure, its own changes at the beginning included.
    pub(super) contexts: Vec<Context>,
    /// What is tied into each measure.
    pub(super) tied: Vec<Vec<TieEnd>>,
    /// Which measures hairpins reach over, on which staff, and whether above it.
    hairpins: HashSet<(usize, u8, bool)>,
}

/// A measure with its place on a line.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// Which measure of the page.
    pub(super) measure: usize,
    /// Which passage.
    pub(super) passage: Option<u32>,
    /// How the music goes on after it, for a line in playing order.
    pub(super) onward: Onward,
    /// Which pass begins here, where the music has come back.
    pub(super) pass: Option<u32>,
    pub(super) heading: Heading,
    /// Clefs that are told before the line at its end, for the measure after it.
    pub(super) clefs: Vec<(u8, Clef)>,
    /// The lines at its beginning and end.
    pub(super) lines: (Option<Line>, Line),
    /// From where to where.
    pub(super) left: f32,
    pub(super) right: f32,
    /// Where notes may stand.
    pub(super) inner: (f32, f32),
    /// Where its columns stand.
    pub(super) columns: Vec<f32>,
    /// Ticks in the measure and their places, both ascending; up to the first note of the next measure.
    pub(super) anchors: Vec<(f64, f32)>,
    /// What is tied into it.
    pub(super) tied: Vec<TieEnd>,
    /// Key and metre behind the line at its end, for the line of music after it.
    pub(super) courtesy: Heading,
}

impl Placed {
    /// Where it ends, with what stands behind the line at its end.
    pub(super) fn end(&self) -> f32 {
        self.right + courtesy_width(&self.courtesy)
    }

    /// Where a tick of the measure lies.
    pub(super) fn x_at(&self, at: f64) -> f32 {
        super::timeline::interpolate(&self.anchors, at)
    }
}

impl<'a> Book<'a> {
    /// Shapes all measures.
    pub(super) fn new(page: &'a Notation, resolution: u16) -> Self {
        let mut clefs: Vec<Clef> = page.staves.iter().map(|s| s.clef).collect();
        let (mut fifths, mut meter) = (0, (4, 4));
        let mut ties: Vec<TieEnd> = Vec::new();
        let mut book =
            Self { page, shapes: Vec::new(), contexts: Vec::new(), tied: Vec::new(), hairpins: hairpins(page) };
        for (index, measure) in page.measures.iter().enumerate() {
            let mut change = |at_start: bool| {
                let mut changes: Vec<_> =
                    measure.clefs.iter().filter(|(_, at, _)| (*at == Ticks::ZERO) == at_start).collect();
                changes.sort_by_key(|(_, at, _)| *at);
                for (staff, _, clef) in changes {
                    if let Some(place) = clefs.get_mut(usize::from(*staff)) {
                        *place = *clef;
                    }
                }
                clefs.clone()
            };
            let now = change(true);
            fifths = measure.fifths.unwrap_or(fifths);
            meter = measure.meter.unwrap_or(meter);
            let context = Context { clefs: now, fifths, meter };
            let shape = measure::shape(measure, &context, resolution, &ties, index == 0);
            book.tied.push(std::mem::replace(&mut ties, shape.ties.clone()));
            book.shapes.push(shape);
            book.contexts.push(context);
            change(false);
        }
        book
    }

    /// What holds at the end of a measure.
    fn after(&self, index: usize) -> Context {
        let mut context = self.contexts[index].clone();
        let mut changes: Vec<_> = self.page.measures[index].clefs.iter().collect();
        changes.sort_by_key(|(_, at, _)| *at);
        for (staff, _, clef) in changes {
            if let Some(place) = context.clefs.get_mut(usize::from(*staff)) {
                *place = *clef;
            }
        }
        context
    }

    /// Measures in a row, still without places. The first one begins a line.
    pub(super) fn row(&self, measures: &[(usize, Option<u32>)], first_of_all: bool, told: Told) -> Vec<Placed> {
        let mut row: Vec<Placed> = Vec::with_capacity(measures.len());
        let mut before: Option<Context> = None;
        let mut passes: HashMap<usize, u32> = HashMap::new();
        for (index, (measure, passage)) in measures.iter().enumerate() {
            let (printed, now) = (&self.page.measures[*measure], &self.contexts[*measure]);
            let meter = before.as_ref().map_or(first_of_all || printed.meter.is_some(), |b| b.meter != now.meter);
            let heading = signs::heading(before.as_ref(), now, meter);
            if let (Some(before), Some(last)) = (&before, row.last_mut()) {
                last.clefs = clef_changes(before, now);
            }
            let pass = passes.entry(*measure).and_modify(|pass| *pass += 1).or_insert(1);
            let next = measures.get(index + 1).map(|(next, _)| *next);
            let onward = Onward::of(&self.page.measures, *measure, *pass, next);
            let mut end = match told {
                Told::Printed => Line::end_of(printed),
                Told::Played => onward.line(printed, measure + 1 == self.page.measures.len()),
            };
            let begins =
                |index: usize, first: bool| self.page.measures[index].repeat_start && (told == Told::Printed || first);
            if matches!(end, Line::Plain(_)) && next.is_some_and(|next| begins(next, !passes.contains_key(&next))) {
                // The sign of the repeat is the line.
                end = Line::Plain(Barline::None);
            }
            let pass = passes[measure];
            let comes_back = pass > 1 && index > 0 && measures[index - 1].0 + 1 != *measure;
            let start = match row.last().map(|before| before.lines.1) {
                Some(Line::RepeatEnd) => Line::RepeatAgain,
                _ => Line::RepeatStart,
            };
            row.push(Placed {
                measure: *measure,
                passage: *passage,
                onward,
                pass: (told == Told::Played && comes_back).then_some(pass),
                heading,
                clefs: Vec::new(),
                lines: (begins(*measure, pass == 1).then_some(start), end),
                left: 0.0,
                right: 0.0,
                inner: (0.0, 0.0),
                columns: Vec::new(),
                anchors: Vec::new(),
                tied: self.tied[*measure].clone(),
                courtesy: Heading::default(),
            });
            before = Some(self.after(*measure));
        }
        row
    }

    /// Tells at the end of a line what changes at the beginning of the next: clefs before its last bar line, key and metre
    /// behind it (Gould, pp. 7, 92, 157).
    fn forewarn(&self, row: &mut [Placed]) {
        let Some(last) = row.last_mut() else { return };
        let Some(now) = self.contexts.get(last.measure + 1) else { return };
        let before = self.after(last.measure);
        last.clefs = clef_changes(&before, now);
        last.courtesy = signs::heading(Some(&before), now, before.meter != now.meter);
    }

    /// Places a row from 0 on; how wide it is.
    pub(super) fn place(&self, row: &mut [Placed], factor: f32) -> f32 {
        let mut x = 0.0;
        for placed in row.iter_mut() {
            let shape = &self.shapes[placed.measure];
            let heading = heading_width(placed);
            let clefs = if placed.clefs.is_empty() { 0.0 } else { signs::CLEF_ROOM };
            let (columns, end) = spacing::place(&shape.columns, heading, shape.trailing.max(clefs), factor);
            placed.left = x;
            placed.columns = columns.into_iter().map(|c| c + x).collect();
            placed.inner = (x + heading, x + end);
            x += end + placed.lines.1.width();
            placed.right = x;
        }
        self.anchor(row);
        row.last().map_or(0.0, Placed::end)
    }

    fn width(&self, row: &[Placed], factor: f32) -> f32 {
        let of = |placed: &Placed| {
            let shape = &self.shapes[placed.measure];
            let clefs = if placed.clefs.is_empty() { 0.0 } else { signs::CLEF_ROOM };
            let end = spacing::place(&shape.columns, heading_width(placed), shape.trailing.max(clefs), factor).1;
            end + placed.lines.1.width() + courtesy_width(&placed.courtesy)
        };
        row.iter().map(of).sum()
    }

    /// Ties ticks to places: columns, and the end to the next measure's first column.
    fn anchor(&self, row: &mut [Placed]) {
        let first = |placed: &Placed| {
            let columns = &self.shapes[placed.measure].columns;
            match (columns.first(), placed.columns.first()) {
                (Some(column), Some(x)) if column.at == Ticks::ZERO => *x,
                _ => placed.inner.0 + 1.3,
            }
        };
        let starts: Vec<f32> = row.iter().map(first).collect();
        for (index, placed) in row.iter_mut().enumerate() {
            let length = self.page.measures[placed.measure].length.0.max(1) as f64;
            let end = starts.get(index + 1).copied().unwrap_or(placed.right);
            let mut anchors = vec![(0.0, starts[index])];
            for (column, x) in self.shapes[placed.measure].columns.iter().zip(&placed.columns) {
                let (tick, last) = (column.at.0 as f64, anchors[anchors.len() - 1]);
                if tick > last.0 && tick < length && *x > last.1 && *x < end {
                    anchors.push((tick, *x));
                }
            }
            anchors.push((length, end.max(anchors[anchors.len() - 1].1 + 0.01)));
            placed.anchors = anchors;
        }
    }

    /// Breaks the page into lines of a width and places them; all but a short last one fill it.
    pub(super) fn lines(&self, width: f32) -> Vec<Vec<Placed>> {
        let mut all: Vec<(usize, Option<u32>)> = (0..self.page.measures.len()).map(|measure| (measure, None)).collect();
        for (index, passage) in self.page.passages.iter().enumerate() {
            if let Some((_, first)) = all.get_mut(passage.measure as usize) {
                first.get_or_insert(index as u32);
            }
        }
        let mut lines = Vec::new();
        let mut from = 0;
        while from < all.len() {
            let mut to = from + 1;
            // What a measure adds to a line depends on the one before it only.
            let mut used = self.width(&self.row(&all[from..to], from == 0, Told::Printed), 1.0);
            while to < all.len() {
                let alone = self.width(&self.row(&all[to - 1..to], false, Told::Printed), 1.0);
                let mut pair = self.row(&all[to - 1..=to], false, Told::Printed);
                let added = self.width(&pair, 1.0) - alone;
                self.forewarn(&mut pair);
                if used + self.width(&pair, 1.0) - alone > width {
                    break;
                }
                used += added;
                to += 1;
            }
            let mut row = self.row(&all[from..to], from == 0, Told::Printed);
            self.forewarn(&mut row);
            let natural = self.width(&row, 1.0);
            let last_and_short = to == all.len() && natural < width * FILLED;
            let factor = if last_and_short { 1.0 } else { spacing::stretch(width, |f| self.width(&row, f)) };
            self.place(&mut row, factor);
            lines.push(row);
            from = to;
        }
        lines
    }

    /// The top line of each staff of a row: as far apart as what stands between them wants.
    pub(super) fn staves(&self, row: &[Placed]) -> Vec<f32> {
        let mut tops = vec![0.0];
        for staff in 1..self.page.staves.len() {
            let room = |placed: &Placed| {
                let (shape, measure) = (&self.shapes[placed.measure], &self.page.measures[placed.measure]);
                let below =
                    shape.reach[staff - 1].1 - 4.0 + self.extra(placed.measure, measure, staff as u8 - 1, false);
                let above = -shape.reach[staff].0 + self.extra(placed.measure, measure, staff as u8, true);
                (below, above)
            };
            let is_sung = |placed: &Placed| {
                self.page.measures[placed.measure]
                    .chords
                    .iter()
                    .any(|c| c.staff + 1 == staff as u8 && !c.lyrics.is_empty())
            };
            let sung = row.iter().any(is_sung);
            let apart = if sung {
                // Words stand on one line under the lowest note of the row, whatever its measure.
                let (below, above): (Vec<f32>, Vec<f32>) = row.iter().map(room).unzip();
                let most = |side: Vec<f32>| side.into_iter().fold(0.0, f32::max);
                most(below) + most(above) + CLEAR
            } else {
                row.iter().map(room).map(|(below, above)| below + above + CLEAR).fold(0.0, f32::max)
            };
            let apart = apart.clamp(STAVES_APART, if sung { STAVES_APART_SUNG } else { STAVES_APART_MOST });
            tops.push(tops[staff - 1] + 4.0 + apart);
        }
        tops
    }

    /// What room marks want on one side of a staff.
    fn extra(&self, index: usize, measure: &Measure, staff: u8, above: bool) -> f32 {
        let dynamics = measure.directions.iter().any(|d| {
            let side = d.above.unwrap_or(false);
            let kind = matches!(d.kind, DirectionKind::Dynamic(_) | DirectionKind::Words(_));
            kind && d.staff == staff && side == above
        });
        let hairpins = self.hairpins.contains(&(index, staff, above));
        let of_staff = || measure.chords.iter().filter(|c| c.staff == staff);
        let verses = of_staff().flat_map(|c| &c.lyrics).map(|l| l.verse + 1).max().unwrap_or(0);
        let fingers = of_staff().map(|c| c.heads.iter().filter(|h| h.finger.is_some()).count()).max().unwrap_or(0);
        let on_finger_side = (staff == 0) == above;
        let signs = of_staff().any(|c| !c.articulations.is_empty());
        f32::from(u8::from(dynamics || hairpins)) * 2.2
            + if above { 0.0 } else { f32::from(verses) * 2.6 }
            + if on_finger_side { fingers as f32 * 1.35 } else { 0.0 }
            + if self.has_tuplets(index, staff, above) { super::tuplets::ROOM } else { 0.0 }
            + if signs { 0.8 } else { 0.0 }
    }
}

impl Book<'_> {
    /// Whether a number of a tuplet stands on that side of a staff.
    fn has_tuplets(&self, index: usize, staff: u8, above: bool) -> bool {
        let shape = &self.shapes[index];
        let numbered = shape.tuplets.iter().filter(|tuplet| tuplet.number.is_some());
        let first = |tuplet: &super::measure::Tuplet| tuplet.chords.first().map(|i| shape.chords[*i].staff);
        numbered.into_iter().any(|t| first(t) == Some(staff) && super::tuplets::is_above(shape, t) == above)
    }
}

/// The measures that hairpins reach over.
fn hairpins(page: &Notation) -> HashSet<(usize, u8, bool)> {
    let is_hairpin = |s: &&Span| matches!(s.kind, SpanKind::Crescendo | SpanKind::Diminuendo);
    let reach = |s: &Span| {
        let last = (s.to.0 as usize).min(page.measures.len());
        let (staff, above) = (s.staff, s.above.unwrap_or(false));
        (s.from.0 as usize..=last).map(move |measure| (measure, staff, above))
    };
    page.spans.iter().filter(is_hairpin).flat_map(reach).collect()
}

/// The clefs of a measure that are not those before it.
fn clef_changes(before: &Context, now: &Context) -> Vec<(u8, Clef)> {
    let changed =
        |(staff, clef): (usize, &Clef)| (before.clefs.get(staff) != Some(clef)).then_some((staff as u8, *clef));
    now.clefs.iter().enumerate().filter_map(changed).collect()
}

/// What a courtesy takes at the end of a line, a little of the staff behind it included.
fn courtesy_width(courtesy: &Heading) -> f32 {
    if courtesy.width > 0.0 { courtesy.width + 0.5 } else { 0.0 }
}

fn heading_width(placed: &Placed) -> f32 {
    placed.heading.width
        + placed.lines.0.map_or(0.0, |line| line.width() + if placed.heading.width > 0.0 { 0.6 } else { 0.0 })
}
