//! The tempo map: ticks to time and back in integers, so that nothing accumulates.

use serde::{Deserialize, Serialize};

use crate::time::{Frames, Micros, Rate, Ticks, div_round};

/// A playback speed in whole percent of the written tempo, 10 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(u16);

impl Percent {
    /// As written.
    pub const FULL: Self = Self(100);
    /// The slowest.
    pub const MIN: Self = Self(10);
    /// The fastest.
    pub const MAX: Self = Self(200);

    /// Clamped to what is allowed.
    pub fn new(percent: u16) -> Self {
        Self(percent.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Percent {
    fn default() -> Self {
        Self::FULL
    }
}

/// A tempo that holds from `tick` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// Where it begins.
    pub tick: Ticks,
    /// Microseconds per quarter note; 500 000 is 120 quarters a minute.
    pub micros_per_quarter: u32,
}

/// One stretch of constant tempo. `scaled` is the time at its start in microseconds times the resolution, which is
/// an integer at every tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    tick: i64,
    micros_per_quarter: i64,
    scaled: i128,
}

/// Ticks to time and back. Exact at every tick; before the first tick the first tempo goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TempoMap {
    resolution: u16,
    segments: Vec<Segment>,
}

impl TempoMap {
    /// A map from tempo changes, in ticks of `resolution` to the quarter note (0 counts as 1). Without a change at
    /// tick 0 the piece begins at 120 quarters a minute, as Standard MIDI Files have it. Of several changes on one
    /// tick the last one counts.
    pub fn new(resolution: u16, changes: &[Tempo]) -> Self {
        let resolution = resolution.max(1);
        let mut sorted: Vec<Tempo> = changes.iter().copied().filter(|t| t.micros_per_quarter > 0).collect();
        sorted.sort_by_key(|t| t.tick);
        let mut segments = vec![Segment { tick: 0, micros_per_quarter: 500_000, scaled: 0 }];
        for change in sorted {
            let tick = change.tick.0.max(0);
            let last = segments[segments.len() - 1];
            let next = Segment {
                tick,
                micros_per_quarter: i64::from(change.micros_per_quarter),
                scaled: last.scaled + i128::from(tick - last.tick) * i128::from(last.micros_per_quarter),
            };
            if last.tick == tick {
                segments.pop();
            }
            segments.push(next);
        }
        Self { resolution, segments }
    }

    /// Ticks to the quarter note.
    pub fn resolution(&self) -> u16 {
        self.resolution
    }

    /// The tempo in force at a tick, in microseconds per quarter note.
    pub fn micros_per_quarter(&self, tick: Ticks) -> u32 {
        self.segment_at(tick.0).micros_per_quarter as u32
    }

    /// Quarter notes a minute at a tick.
    pub fn quarters_per_minute(&self, tick: Ticks) -> f64 {
        60e6 / f64::from(self.micros_per_quarter(tick))
    }

    /// The tempo changes, the one at tick 0 included.
    pub fn changes(&self) -> impl Iterator<Item = Tempo> + '_ {
        self.segments.iter().map(|s| Tempo { tick: Ticks(s.tick), micros_per_quarter: s.micros_per_quarter as u32 })
    }

    /// Time from tick 0 to `tick` at a playback speed, rounded to the nearest microsecond.
    pub fn micros(&self, tick: Ticks, speed: Percent) -> Micros {
        Micros(div_round(self.scaled(tick.0) * 100, i128::from(self.resolution) * i128::from(speed.get())))
    }

    /// Frames from tick 0 to `tick` at a playback speed, rounded to the nearest frame once, however late the tick.
    pub fn frames(&self, tick: Ticks, speed: Percent, rate: Rate) -> Frames {
        let numerator = self.scaled(tick.0) * 100 * i128::from(rate.0);
        Frames(div_round(numerator, i128::from(self.resolution) * i128::from(speed.get()) * 1_000_000))
    }

    /// The position at a time from tick 0, in fractional ticks.
    pub fn ticks_f64(&self, time: Micros, speed: Percent) -> f64 {
        let scaled = time.0 as f64 * f64::from(self.resolution) * f64::from(speed.get()) / 100.0;
        let at = self.segments.partition_point(|s| s.scaled as f64 <= scaled).max(1) - 1;
        let segment = self.segments[at];
        segment.tick as f64 + (scaled - segment.scaled as f64) / segment.micros_per_quarter as f64
    }

    /// Time from tick 0 at the written tempo, in microseconds times the resolution: exact at every tick.
    pub fn exact(&self, tick: Ticks) -> i64 {
        let scaled = self.scaled(tick.0);
        i64::try_from(scaled).unwrap_or(if scaled < 0 { i64::MIN } else { i64::MAX })
    }

    /// The position at an exact time as of [`TempoMap::exact`], in fractional ticks.
    pub fn ticks_at_exact(&self, exact: i64) -> f64 {
        let at = self.segments.partition_point(|s| s.scaled <= i128::from(exact)).max(1) - 1;
        let segment = self.segments[at];
        segment.tick as f64 + (i128::from(exact) - segment.scaled) as f64 / segment.micros_per_quarter as f64
    }

    fn segment_at(&self, tick: i64) -> Segment {
        let at = self.segments.partition_point(|s| s.tick <= tick).max(1) - 1;
        self.segments[at]
    }

    fn scaled(&self, tick: i64) -> i128 {
        let segment = self.segment_at(tick);
        segment.scaled + i128::from(tick - segment.tick) * i128::from(segment.micros_per_quarter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> TempoMap {
        TempoMap::new(
            480,
            &[
                Tempo { tick: Ticks(0), micros_per_quarter: 500_000 },
                Tempo { tick: Ticks(960), micros_per_quarter: 333_333 },
            ],
        )
    }

    #[test]
    fn time_accumulates_over_tempo_changes() {
        assert_eq!(map().micros(Ticks(960), Percent::FULL), Micros(1_000_000));
        assert_eq!(map().micros(Ticks(1440), Percent::FULL), Micros(1_333_333));
        assert_eq!(map().micros(Ticks(-480), Percent::FULL), Micros(-500_000));
        assert_eq!(map().micros(Ticks(960), Percent::new(50)), Micros(2_000_000));
    }

    #[test]
    fn a_tick_ten_hours_in_has_one_rounding_only() {
        let map = TempoMap::new(480, &[Tempo { tick: Ticks(0), micros_per_quarter: 333_333 }]);
        let quarters = 108_000;
        let exact = i128::from(quarters) * 333_333 * 48_000 / 1_000_000;
        assert_eq!(i128::from(map.frames(Ticks(quarters * 480), Percent::FULL, Rate::DEFAULT).0), exact);
    }

    #[test]
    fn ticks_invert_micros() {
        for tick in [-480, 0, 1, 959, 960, 961, 5000] {
            let time = map().micros(Ticks(tick), Percent::new(73));
            assert!((map().ticks_f64(time, Percent::new(73)) - tick as f64).abs() < 0.01, "{tick}");
        }
    }

    #[test]
    fn exact_times_invert_without_loss() {
        for tick in [-480, 0, 1, 959, 960, 961, 5_000_000] {
            assert_eq!(map().ticks_at_exact(map().exact(Ticks(tick))), tick as f64, "{tick}");
        }
    }

    #[test]
    fn no_tempo_means_120_and_the_last_of_several_counts() {
        assert_eq!(TempoMap::new(96, &[]).micros_per_quarter(Ticks(5)), 500_000);
        let twice = [400_000, 600_000].map(|m| Tempo { tick: Ticks(0), micros_per_quarter: m });
        assert_eq!(TempoMap::new(96, &twice).micros_per_quarter(Ticks(0)), 600_000);
    }
}
