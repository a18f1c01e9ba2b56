//! Repeat signs within a measure: it becomes two measures of the page, with the sign between them. The second has no
//! number of its own.

use super::page::{Bar, Strike};
use super::warnings::Warnings;
use crate::music::notation::{Ending, Jump, Measure, NoteValue, Rest, Span};
use crate::time::Ticks;

/// A repeat sign within a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A repeat begins.
    Start,
    /// A repeat ends; how often the music is played in all.
    End(u8),
}

/// Divides all measures at the repeat signs within them, and says where their spans reach then. A sign where a note is
/// held is left out with a warning.
pub(super) fn divide(
    bars: Vec<Bar>,
    spans: &mut [(Span, Option<u32>)],
    resolution: u16,
    warnings: &mut Warnings<'_>,
) -> (Vec<Bar>, Cuts) {
    let mut divided: Vec<Bar> = Vec::with_capacity(bars.len());
    let mut parts: Vec<(u32, Vec<Ticks>)> = Vec::with_capacity(bars.len());
    for mut bar in bars {
        let cuts = cuts(&mut bar, warnings);
        parts.push((divided.len() as u32, cuts.iter().map(|cut| cut.0).collect()));
        let mut from = Ticks::ZERO;
        for (at, signs) in cuts {
            let mut rest = bar.split_off(at - from, resolution);
            for sign in signs {
                match sign {
                    Sign::Start => rest.page.repeat_start = true,
                    Sign::End(times) => bar.page.repeat_end = Some(times),
                }
            }
            divided.push(std::mem::replace(&mut bar, rest));
            from = at;
        }
        divided.push(bar);
    }
    let cuts = Cuts(parts);
    cuts.move_spans(spans);
    (divided, cuts)
}

/// For each measure as it was, its first part, and the ticks at which the others begin.
#[derive(Debug, Default)]
pub(super) struct Cuts(Vec<(u32, Vec<Ticks>)>);

impl Cuts {
    /// Divides the measures of another part at the same places; what is held there stays whole. No more measures than the
    /// first part has are divided.
    pub(super) fn apply(&self, bars: Vec<Bar>, spans: &mut [(Span, Option<u32>)], resolution: u16) -> Vec<Bar> {
        let mut divided = Vec::with_capacity(bars.len());
        for (mut bar, (_, cuts)) in bars.into_iter().zip(&self.0) {
            let mut from = Ticks::ZERO;
            for at in cuts {
                let rest = bar.split_off(*at - from, resolution);
                divided.push(std::mem::replace(&mut bar, rest));
                from = *at;
            }
            divided.push(bar);
        }
        self.move_spans(spans);
        divided
    }

    fn move_spans(&self, spans: &mut [(Span, Option<u32>)]) {
        let moved = |(measure, at): (u32, Ticks)| {
            let Some((first, cuts)) = self.0.get(measure as usize) else { return (measure, at) };
            let part = cuts.partition_point(|cut| *cut <= at);
            let from = part.checked_sub(1).map_or(Ticks::ZERO, |last| cuts[last]);
            (first + part as u32, at - from)
        };
        for (span, _) in spans {
            (span.from, span.to) = (moved(span.from), moved(span.to));
        }
    }
}

/// Where a measure is divided, ascending; signs at its edges are put there.
fn cuts(bar: &mut Bar, warnings: &mut Warnings<'_>) -> Vec<(Ticks, Vec<Sign>)> {
    let mut within = std::mem::take(&mut bar.within);
    within.sort_by_key(|(at, _)| *at);
    within.dedup();
    let mut cuts: Vec<(Ticks, Vec<Sign>)> = Vec::new();
    for (at, sign) in within {
        let held = |strike: &Strike| {
            let from = strike.chord.at;
            !strike.heads.is_empty() && from < at && at < from + strike.length
        };
        match sign {
            Sign::Start if at == Ticks::ZERO => bar.page.repeat_start = true,
            Sign::End(times) if at == Ticks::ZERO => bar.repeat_before = Some(times),
            Sign::End(times) if at >= bar.page.length => bar.page.repeat_end = Some(times),
            Sign::Start if at >= bar.page.length => {}
            _ if bar.strikes.iter().any(held) => {
                warnings.measure(&bar.page.number, bar.byte);
                warnings.add("a repeat sign within it, where a note is held, is not played");
            }
            _ => match cuts.last_mut() {
                Some((last, signs)) if *last == at => signs.push(sign),
                _ => cuts.push((at, vec![sign])),
            },
        }
    }
    cuts
}

impl Bar {
    /// Takes away what begins at a tick or later, as a measure of its own.
    fn split_off(&mut self, at: Ticks, resolution: u16) -> Self {
        let page = &mut self.page;
        let is_late = |tick: &Ticks| *tick >= at;
        let (jumps, later_jumps) = std::mem::take(&mut page.jumps).into_iter().partition(at_beginning);
        page.jumps = jumps;
        let mut clefs = split(&mut page.clefs, |(_, tick, _)| is_late(tick));
        clefs.iter_mut().for_each(|(_, tick, _)| *tick -= at);
        let mut directions = split(&mut page.directions, |direction| is_late(&direction.at));
        directions.iter_mut().for_each(|direction| direction.at -= at);
        let ending = page.ending.as_mut().map(|ending| {
            let ends = std::mem::take(&mut ending.ends);
            Ending { passes: ending.passes.clone(), starts: false, ends }
        });
        let rest = Measure {
            length: page.length - at,
            clefs,
            directions,
            barline: std::mem::take(&mut page.barline),
            repeat_end: page.repeat_end.take(),
            ending,
            jumps: later_jumps,
            ..Measure::default()
        };
        page.length = at;
        let mut sounds = split(&mut self.sounds, |(tick, _)| is_late(tick));
        sounds.iter_mut().for_each(|(tick, _)| *tick -= at);
        let strikes = self.split_strikes(at, resolution);
        self.implicit = true;
        Self {
            page: rest,
            strikes,
            sounds,
            key: None,
            implicit: true,
            due: self.due,
            byte: self.byte,
            repeat_before: None,
            within: Vec::new(),
        }
    }

    /// The notes and rests from a tick on; a rest that reaches over it becomes two.
    fn split_strikes(&mut self, at: Ticks, resolution: u16) -> Vec<Strike> {
        let mut later = split(&mut self.strikes, |strike| strike.chord.at >= at);
        later.iter_mut().for_each(|strike| strike.chord.at -= at);
        for strike in self.strikes.iter_mut().filter(|s| s.heads.is_empty() && s.chord.at + s.length > at) {
            let mut rest = strike.clone();
            (rest.chord.at, rest.length) = (Ticks::ZERO, strike.chord.at + strike.length - at);
            strike.length = at - strike.chord.at;
            for part in [&mut *strike, &mut rest] {
                match NoteValue::of_ticks(part.length, resolution) {
                    _ if part.chord.rest == Rest::WholeMeasure => {}
                    Some(value) => part.chord.value = value,
                    None => part.chord.rest = Rest::Hidden,
                }
            }
            later.push(rest);
        }
        later
    }
}

/// Takes those that are wanted out of a list, in their order.
fn split<T>(list: &mut Vec<T>, wanted: impl Fn(&T) -> bool) -> Vec<T> {
    let (later, earlier) = std::mem::take(list).into_iter().partition(wanted);
    *list = earlier;
    later
}

/// Whether a jump is one that stands at a measure's beginning.
fn at_beginning(jump: &Jump) -> bool {
    matches!(jump, Jump::Segno | Jump::Coda)
}
