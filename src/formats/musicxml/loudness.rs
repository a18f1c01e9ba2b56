//! How loud it is at each place of the page: dynamics, hairpins between them, accents.

use super::page::{Bar, Sound};
use crate::music::notation::{Dynamic, Span, SpanKind};
use crate::time::Ticks;

/// What a hairpin without a sign at its end changes: one step of the usual dynamics.
const STEP: i32 = 14;
/// Hairpins that are heard; a symphony has some hundreds.
const HAIRPINS_MAX: usize = 5_000;
/// Hairpins that are looked at for one note; they follow one another.
const NEAR: usize = 8;

/// Loudness by printed tick. A sign holds for all staves, but each staff follows its own where two stand together.
#[derive(Debug, Default)]
pub(super) struct Loudness {
    /// Place, velocity, staff.
    levels: Vec<(Ticks, u8, u8)>,
    /// From, to, velocities.
    ramps: Vec<(Ticks, Ticks, u8, u8)>,
    accents: Vec<(Ticks, u8)>,
}

impl Loudness {
    /// From the signs of a page; `begins` are the measures' printed ticks.
    pub(super) fn new(bars: &[Bar], begins: &[Ticks], spans: &[Span], resolution: u16) -> Self {
        let mut all = Self::default();
        for (bar, begin) in bars.iter().zip(begins) {
            for (at, sound) in &bar.sounds {
                match sound {
                    Sound::Loud(level, staff) => all.levels.push((*begin + *at, *level, *staff)),
                    Sound::Accent(level, _) => all.accents.push((*begin + *at, *level)),
                    Sound::Tempo(_) | Sound::Pedal(_) => {}
                }
            }
        }
        all.levels.sort_by_key(|level| level.0);
        all.accents.sort_by_key(|accent| accent.0);
        let place = |(measure, at): (u32, Ticks)| begins.get(measure as usize).map(|begin| *begin + at);
        let hairpin = |span: &Span| match span.kind {
            SpanKind::Crescendo => Some((place(span.from)?, place(span.to)?, STEP, span.staff)),
            SpanKind::Diminuendo => Some((place(span.from)?, place(span.to)?, -STEP, span.staff)),
            _ => None,
        };
        let mut hairpins: Vec<_> = spans.iter().filter_map(hairpin).filter(|(from, to, ..)| from < to).collect();
        hairpins.sort_by_key(|hairpin| hairpin.0);
        for (from, to, step, staff) in hairpins.into_iter().take(HAIRPINS_MAX) {
            all.hairpin((from, to), step, staff, Ticks(i64::from(resolution)));
        }
        all
    }

    /// From the level at its beginning to the sign within a beat of its end, or one step on.
    fn hairpin(&mut self, (from, to): (Ticks, Ticks), step: i32, staff: u8, beat: Ticks) {
        let before = self.at(from, staff);
        let next = self.levels.partition_point(|level| level.0 < to - Ticks(beat.0 / 2));
        let sign = self.levels.get(next).filter(|level| level.0 <= to + beat && level.0 > from);
        let after = sign.map_or((i32::from(before) + step).clamp(18, 124) as u8, |sign| sign.1);
        if sign.is_none() {
            let place = self.levels.partition_point(|level| level.0 <= to);
            self.levels.insert(place, (to, after, staff));
        }
        self.ramps.push((from, to, before, after));
    }

    /// The velocity of what is struck at a place: *mf* before any sign.
    pub(super) fn at(&self, at: Ticks, staff: u8) -> u8 {
        let accents = self.accents.partition_point(|accent| accent.0 < at);
        let here = self.accents[accents..].iter().take_while(|accent| accent.0 == at).map(|accent| accent.1);
        if let Some(level) = here.max() {
            return level;
        }
        let begun = self.ramps.partition_point(|ramp| ramp.0 <= at);
        let ramps = self.ramps[..begun].iter().rev().take(NEAR);
        if let Some((from, to, before, after)) = ramps.copied().find(|ramp| at < ramp.1) {
            let (way, whole) = ((at - from).0, (to - from).0);
            return (i64::from(before) + (i64::from(after) - i64::from(before)) * way / whole) as u8;
        }
        let end = self.levels.partition_point(|level| level.0 <= at);
        let Some(last) = self.levels[..end].last() else { return Dynamic::Mf.velocity() };
        let together = self.levels[..end].iter().rev().take_while(|level| level.0 == last.0);
        together.take(NEAR).find(|level| level.2 == staff).unwrap_or(last).1
    }
}
