//! From the notes of a score to a page of music that one can read: note values, voices, names, clefs. What sounds stays
//! as it is; only the page is quantised, and each head knows the note that it stands for.
//!
//! The way: onsets get their places on a grid (`grid`), ends theirs and each note one of two voices of its staff
//! (`voices`), every voice fills its measures with values, ties, tuplets and rests (`values`, `layout`); names come from
//! the keys around (`spelling`), clefs and octave lines from the height (`clefs`, `octaves`); a dot tells what sounds much
//! shorter than it is written. Nothing that is not heard is invented: no dynamics, slurs or repeats.

mod clefs;
mod grid;
mod layout;
mod octaves;
mod spelling;
mod take;
#[cfg(test)]
mod tests;
mod values;
mod voices;

pub(super) use clefs::choose as choose_clefs;
pub use take::{TakeScore, take};

use crate::music::notation::{Barline, Measure, Notation, Passage, Staff};
use crate::music::{Bar, Hand, KeySignature, Meter, Score, ScoreParts, WrittenNote};
use crate::time::Ticks;

/// A page needs a multiple of so many ticks to the quarter: then sixty-fourths, dotted ones, and triplets and
/// quintuplets of sixteenths have their exact lengths.
pub const PAGE_TICKS: u16 = 480;

/// No page is made of more measures. The longest piano pieces have some five thousand; a hostile file claims millions.
pub const MEASURES_MAX: usize = 10_000;

/// Voices of a staff.
const VOICES: u8 = 2;

/// A note on its way to the page. Ticks are the score's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Placed {
    /// When it sounds, and until when.
    onset: i64,
    end: i64,
    key: u8,
    /// Its index in the score.
    index: usize,
    /// Where it is written, and until where.
    at: i64,
    until: i64,
    /// Its voice of the staff, 0 above.
    voice: u8,
    /// Whether it is a grace note of what is written at its place.
    grace: bool,
    /// Whether it sounds much shorter than it is written: it has a dot.
    detached: bool,
}

/// The page of a score; `None` where its resolution is not that of a page ([`finer`]), or where it is too long.
pub fn notate(score: &Score) -> Option<Notation> {
    let bars = score.bars().as_slice();
    let reaches = bars.last().is_some_and(|bar| bar.end >= score.end());
    if !score.resolution().is_multiple_of(PAGE_TICKS) || bars.len() > MEASURES_MAX || !reaches {
        return None;
    }
    let hands: Vec<Hand> =
        [Hand::Right, Hand::Left].into_iter().filter(|hand| score.notes().iter().any(|n| n.hand == *hand)).collect();
    let keys = spelling::keys(score);
    let names = spelling::spelled(score.notes(), &keys, score.resolution());
    let mut measures = empty_measures(score, &keys);
    let timing = grid::Timing::of(score);
    let mut staves = Vec::new();
    for (staff, hand) in hands.iter().enumerate() {
        let notes = score.notes().iter().enumerate().filter(|(_, n)| n.hand == *hand);
        let mut placed: Vec<Placed> = notes.map(|(index, note)| Placed::new(index, note)).collect();
        grid::mark_graces(&mut placed, &timing);
        let grid = grid::place(&mut placed, bars, &timing);
        voices::end(&mut placed, &grid, &timing);
        voices::separate(&mut placed, bars, timing.resolution);
        let place = values::Place { staff: staff as u8, hand: *hand };
        values::write(&mut measures, &placed, &names, bars, score.resolution(), place);
        staves.push(Staff { hand: *hand, clef: clefs::choose(&mut measures, staff as u8, *hand) });
    }
    for measure in &mut measures {
        measure.chords.sort_by_key(|c| (c.at, c.staff, c.voice, c.grace.is_none()));
    }
    let mut spans = Vec::new();
    for (staff, own) in (0..).zip(&staves) {
        spans.extend(octaves::write(&mut measures, staff, own.clef, score.resolution()));
    }
    let passages = (0..).zip(bars).map(|(measure, bar)| Passage { measure, start: bar.start }).collect();
    Some(Notation { staves, measures, passages, spans })
}

impl Placed {
    fn new(index: usize, note: &WrittenNote) -> Self {
        let (onset, end, key) = (note.onset.0, note.end.0, note.pitch.key());
        Self { onset, end, key, index, at: onset, until: end, voice: 0, grace: false, detached: false }
    }
}

/// The measures with their signatures, still without notes.
fn empty_measures(score: &Score, keys: &[KeySignature]) -> Vec<Measure> {
    let bars = score.bars();
    let mut measures: Vec<Measure> = (bars.as_slice().iter().enumerate())
        .map(|(index, bar)| Measure {
            number: bars.number(index).to_string(),
            length: bar.end - bar.start,
            ..Measure::default()
        })
        .collect();
    let mut last = None;
    for (measure, bar) in measures.iter_mut().zip(bars.as_slice()) {
        let meter = (bar.meter.beats, bar.meter.unit);
        measure.meter = (last.replace(meter) != Some(meter)).then_some(meter);
    }
    let mut last = None;
    for key in keys {
        let index = bars.index_at(key.tick);
        let bar = bars.get(index);
        // A signature within a bar is meant for the nearer bar line.
        let late = key.tick - bar.start > bar.end - key.tick;
        if let Some(measure) = measures.get_mut(index + usize::from(late))
            && last.replace(key.fifths) != Some(key.fifths)
        {
            measure.fifths = Some(key.fifths);
        }
    }
    if let Some(measure) = measures.last_mut() {
        measure.barline = Barline::Final;
    }
    measures
}

/// The same music at a resolution that a page can be written at. Every tick is multiplied by one number, so that times
/// stay exactly what they were; only where there is no such number below the highest resolution (primes above 67 and their
/// like) ticks are rounded, by less than a sixty-thousandth of a quarter.
pub fn finer(mut parts: ScoreParts) -> ScoreParts {
    let from = parts.resolution.max(1);
    let page = u32::from(PAGE_TICKS);
    let exact = u32::from(from) / gcd(i64::from(from), i64::from(page)) as u32 * page;
    let highest = HIGHEST / page * page;
    let to = i64::from(if exact <= highest { exact } else { highest });
    let from = i64::from(from);
    if to == from {
        return parts;
    }
    let scale = |tick: &mut Ticks| tick.0 = (tick.0 * to + from / 2).div_euclid(from);
    for note in &mut parts.notes {
        scale(&mut note.onset);
        scale(&mut note.end);
    }
    parts.tempos.iter_mut().for_each(|t| scale(&mut t.tick));
    parts.meters.iter_mut().for_each(|m| scale(&mut m.tick));
    parts.keys.iter_mut().for_each(|k| scale(&mut k.tick));
    parts.pedals.iter_mut().for_each(|p| scale(&mut p.tick));
    for note in &mut parts.displaced {
        scale(&mut note.onset);
        scale(&mut note.beat);
    }
    for ornament in &mut parts.ornaments {
        scale(&mut ornament.from);
        scale(&mut ornament.to);
    }
    scale(&mut parts.pickup);
    parts.resolution = to as u16;
    parts
}

/// A MIDI file has fifteen bits for its resolution, and every score can be written as one.
const HIGHEST: u32 = 0x7fff;

/// The greatest common divisor.
fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What the hand counts by: a quarter, or the unit of a metre of shorter ones. Onsets are placed within it.
fn window(meter: Meter, resolution: i64) -> i64 {
    meter.beat_ticks(resolution as u16).min(resolution)
}

/// The last tick of a bar that values can reach: the shortest is a hundred-twenty-eighth.
fn written_end(bar: &Bar, resolution: i64) -> i64 {
    let shortest = resolution / 32;
    bar.start.0 + (bar.end.0 - bar.start.0) / shortest * shortest
}
