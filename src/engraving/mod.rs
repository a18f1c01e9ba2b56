//! The written page as a picture: [`Notation`] in, glyphs, lines, beams and curves out, in staff spaces. Pure.
//!
//! The way of a measure: which accidentals are printed (`accidentals`), which notes a beam joins (`beams`), where stems go
//! (`stems`), how a chord stands around its stem (`chords`), how voices make room for each other (`voices`) - then it is a
//! shape with columns (`measure`). Columns get their places by springs (`spacing`), measures theirs on lines (`plan`), and
//! a placed measure is drawn (`draw`, `beaming`, `signs`, `marks`, `tuplets`; of repeats a line in playing order tells what
//! `played` says), then what reaches over several (`curves`,
//! `spans`). What is drawn later keeps clear of what is there, by a skyline of each staff (`canvas`).
//!
//! Rules are those of Elaine Gould, *Behind Bars* (2011), and Ted Ross, *The Art of Music Engraving* (1970); lengths and
//! boxes are those of the music font, Leland, in the terms of SMuFL (w3.org/2021/03/smufl14).

mod accidentals;
mod beaming;
mod beams;
mod canvas;
mod chords;
mod curves;
mod draw;
mod font;
mod glyphs;
mod lettering;
mod lyrics;
mod marks;
mod measure;
mod plan;
mod played;
mod shape;
mod sheet;
mod signs;
mod spacing;
mod spans;
mod stems;
mod system;
mod timeline;
mod tuplets;
mod voices;

#[cfg(test)]
mod clearances;
#[cfg(test)]
mod line_ends;
#[cfg(test)]
#[path = "../../tests/page_support/mod.rs"]
mod page_support;
#[cfg(test)]
mod tests;

pub use curves::bezier;
pub use shape::{Align, Bounds, Item, Part, Point, Shape, Tag, TextKind};
pub use sheet::{Sheet, Spot};
pub use system::{PlacedMeasure, System};

use self::plan::Told;
use crate::music::notation::{Clef, Notation};
use crate::music::{Hand, NoteId, Pitch, Score};
use crate::time::Ticks;

/// How the measures follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow {
    /// One line in the order in which they are played.
    Endless,
    /// Lines of a width in spaces, as printed.
    Lines(f32),
}

/// Clefs and key as they stand at the beginning of a line, its left edge at 0, and how wide they are. `staves` are the
/// heights of the top lines.
pub fn signature(clefs: &[Clef], fifths: i8, staves: &[f32]) -> (Vec<Item>, f32) {
    let context = measure::Context { clefs: clefs.to_vec(), fifths, meter: (4, 4) };
    let heading = signs::heading(None, &context, false);
    let mut canvas = canvas::Canvas::new(staves.to_vec(), vec![0.0]);
    signs::heading_ui(&mut canvas, &heading, 0.0);
    (canvas.items.swap_remove(0), heading.width)
}

/// The sign of an accidental of so many semitones, in the font of the music.
pub const fn accidental_sign(alter: i8) -> char {
    font::accidental(alter).sign
}

/// The lines of a score; `None` if its page is not known.
pub fn engrave(score: &Score, flow: Flow) -> Option<Vec<System>> {
    let own = score.on_page();
    let page = own.notation()?;
    let find = |onset, pitch, hand| own.find(onset, pitch, hand);
    let mut systems = engrave_page(page, own.resolution(), flow, &find);
    let per_tick = f64::from(own.resolution()) / f64::from(score.resolution());
    systems.iter_mut().for_each(|system| system.per_tick = per_tick);
    Some(systems)
}

/// The lines of a page whose ticks are `resolution` to the quarter. `find` tells the note of the score by its onset, key
/// and hand.
pub fn engrave_page(
    page: &Notation,
    resolution: u16,
    flow: Flow,
    find: &dyn Fn(Ticks, Pitch, Hand) -> Option<NoteId>,
) -> Vec<System> {
    let book = plan::Book::new(page, resolution);
    let drawing = system::Drawing { book: &book, resolution, find, printed: flow != Flow::Endless };
    match flow {
        Flow::Endless => {
            let inside = |passage: u32| (passage as usize) < page.measures.len();
            let measures: Vec<(usize, Option<u32>)> = (page.passages.iter().enumerate())
                .filter(|(_, p)| inside(p.measure))
                .map(|(index, p)| (p.measure as usize, Some(index as u32)))
                .collect();
            let mut row = book.row(&measures, true, Told::Played);
            book.place(&mut row, 1.0);
            vec![drawing.draw(&row)]
        }
        Flow::Lines(width) => book.lines(width).iter().map(|row| drawing.draw(row)).collect(),
    }
}
