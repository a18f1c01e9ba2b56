//! Octave lines over what would stand on many ledger lines: 8va above the treble clef, 8vb below the bass clef.
//!
//! A line begins and ends at notes of three ledger lines and more, is worth its while where some note has five or several
//! have four, and holds nothing that would be hard to read an octave nearer (Gould, *Behind Bars*, pp. 28-32).

use crate::music::notation::{Clef, Measure, Span, SpanKind};
use crate::time::Ticks;

/// Steps beyond the edge of the staff: the third, fourth and fifth ledger line.
const THIRD: i32 = 6;
const FOURTH: i32 = 8;
const FIFTH: i32 = 10;
/// So many chords on four ledger lines are worth a line.
const SEVERAL: usize = 3;
/// What is nearer to the staff than this is not written an octave nearer: it would cross to its other side.
const NEAREST: i32 = 1;
/// The line over some thirty chords and more is no help: one forgets it.
const CHORDS_MAX: usize = 32;

/// A chord of the staff, or chords of several voices at once.
struct Place {
    measure: usize,
    at: Ticks,
    until: Ticks,
    /// Steps from the edge of the staff on the side of the line to its nearest and farthest head.
    near: i32,
    far: i32,
    /// Ties that are open after it, in the whole staff.
    open: i32,
    /// Whether there are grace notes only, which take no time.
    is_grace: bool,
}

/// Writes what is far above or below a staff an octave nearer; the lines that say so. `clef` is the staff's first.
pub(super) fn write(measures: &mut [Measure], staff: u8, clef: Clef, resolution: u16) -> Vec<Span> {
    let mut spans = Vec::new();
    for above in [true, false] {
        let places = places(measures, staff, clef, above, resolution);
        let mut from = 0;
        while from < places.len() {
            let run = places[from..].iter().take_while(|p| p.near >= NEAREST && !p.is_grace).take(CHORDS_MAX).count();
            let found = worth(&places[from..from + run]).map(|(first, last)| (from + first, from + last));
            if let Some((first, last)) = found.and_then(|found| without_ties(&places, found)) {
                let own = &places[first..=last];
                spans.push(span(own, places.get(last + 1), staff, above));
                own.iter().for_each(|place| lower(&mut measures[place.measure], staff, place.at, above));
            }
            from += run.max(1);
        }
    }
    spans
}

/// From where to where a run of chords has a line, if it is worth one.
fn worth(run: &[Place]) -> Option<(usize, usize)> {
    let first = run.iter().position(|p| p.far >= THIRD)?;
    let last = run.iter().rposition(|p| p.far >= THIRD)?;
    let very = run.iter().any(|p| p.far >= FIFTH);
    let several = run.iter().filter(|p| p.far >= FOURTH).count() >= SEVERAL;
    (very || several).then_some((first, last))
}

/// As much of a run as no tie leads into or out of.
fn without_ties(places: &[Place], (first, last): (usize, usize)) -> Option<(usize, usize)> {
    let is_cut = |after: usize| places[after].open == 0;
    let first = (first..=last).find(|i| i.checked_sub(1).is_none_or(is_cut))?;
    let last = (first..=last).rev().find(|i| is_cut(*i))?;
    Some((first, last))
}

/// The line over chords, up to where the next one begins.
fn span(own: &[Place], next: Option<&Place>, staff: u8, above: bool) -> Span {
    let (first, last) = (&own[0], &own[own.len() - 1]);
    let until = next.filter(|next| next.measure == last.measure).map_or(last.until, |next| last.until.min(next.at));
    Span {
        kind: SpanKind::Octave(if above { 1 } else { -1 }),
        staff,
        voice: 0,
        from: (first.measure as u32, first.at),
        to: (last.measure as u32, until),
        above: Some(above),
    }
}

/// Writes the heads of a tick an octave nearer to the staff.
fn lower(measure: &mut Measure, staff: u8, at: Ticks, above: bool) {
    for chord in measure.chords.iter_mut().filter(|c| c.staff == staff && c.at == at) {
        chord.heads.iter_mut().for_each(|head| head.pitch.octave += if above { -1 } else { 1 });
    }
}

/// The chords of a staff by tick. Above a bass clef, and below a treble clef, there is no line: the clef changes there.
fn places(measures: &[Measure], staff: u8, clef: Clef, above: bool, resolution: u16) -> Vec<Place> {
    let mut clef = clef;
    let (mut found, mut open): (Vec<Place>, i32) = (Vec::new(), 0);
    for (index, measure) in measures.iter().enumerate() {
        if let Some((.., change)) = measure.clefs.iter().find(|(own, ..)| *own == staff) {
            clef = *change;
        }
        let edge = clef.bottom_line() + if above { 8 } else { 0 };
        let fits = clef == if above { Clef::Treble } else { Clef::Bass };
        for chord in measure.chords.iter().filter(|c| c.staff == staff && !c.heads.is_empty()) {
            let steps = chord.heads.iter().map(|head| {
                let step = head.pitch.diatonic();
                if above { step - edge } else { edge - step }
            });
            let near = steps.clone().min().filter(|_| fits).unwrap_or(i32::MIN);
            let (far, until) = (steps.max().unwrap_or(0), chord.at + chord.ticks(resolution));
            open += chord.heads.iter().map(|h| i32::from(h.tied) - i32::from(h.sounds.is_none())).sum::<i32>();
            let is_grace = chord.grace.is_some();
            match found.last_mut().filter(|last| (last.measure, last.at) == (index, chord.at)) {
                Some(last) => {
                    (last.near, last.far) = (last.near.min(near), last.far.max(far));
                    (last.until, last.open) = (last.until.max(until), open);
                    last.is_grace &= is_grace;
                }
                None => found.push(Place { measure: index, at: chord.at, until, near, far, open, is_grace }),
            }
        }
    }
    found
}
