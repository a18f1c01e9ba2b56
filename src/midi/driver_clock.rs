//! A driver's times on the program's clock. A driver stamps a message close to the cable, and calls some milliseconds
//! later, when the system comes round to it; its clock has an origin of its own for each connection. Pure, of fixed size.

use crate::time::Micros;

/// How long a packet that came quickly counts: clocks drift apart by 1 ms in 10 s at most (100 ppm).
pub const WINDOW: Micros = Micros(10 * Micros::SECOND.0);
/// A message that seems to have been under way for longer says that the clocks do not belong together any more (a
/// suspended machine, a driver that counts otherwise): then its arrival counts.
pub const SPREAD_MAX: Micros = Micros::from_millis(20);

/// No clock of a driver counts so far: more is nonsense, and must not overflow.
const FAR: i64 = i64::MAX / 8;
const BUCKETS: usize = 10;
/// The mapping moves by one part in so many of the time that passes, so that the rhythm is not bent.
const SLEW: i64 = 100;

/// Maps a driver's times to monotonic ones: the least-delayed message of the last [`WINDOW`] is taken for punctual.
///
/// What comes out never goes back and never lies after the arrival.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverClock {
    /// The smallest arrival minus driver time in each tenth of the window, and which tenth since the origin it was.
    least: [(i64, Option<i64>); BUCKETS],
    offset: Option<i64>,
    last_arrival: Micros,
    last: Option<Micros>,
}

impl DriverClock {
    /// The monotonic time of a message that the driver stamped `driver` and that arrived at `arrival`; arrivals never go
    /// back.
    pub fn map(&mut self, driver: Micros, arrival: Micros) -> Micros {
        let driver = driver.0.clamp(-FAR, FAR);
        let observed = arrival.0 - driver;
        let least = self.observe(arrival, observed);
        let elapsed = (arrival - self.last_arrival).0.max(0);
        self.last_arrival = arrival;
        let offset = match self.offset {
            Some(offset) if offset.abs_diff(least) <= SPREAD_MAX.0 as u64 => {
                offset + (least - offset).clamp(-elapsed / SLEW, elapsed / SLEW)
            }
            _ => least,
        };
        self.offset = Some(offset);
        let under_way = observed - least;
        let mapped = if under_way > SPREAD_MAX.0 { arrival } else { Micros(driver + offset).min(arrival) };
        let mapped = self.last.map_or(mapped, |last| mapped.max(last));
        self.last = Some(mapped);
        mapped
    }

    /// Takes a difference in; the smallest of the window.
    fn observe(&mut self, arrival: Micros, observed: i64) -> i64 {
        let tenth = arrival.0.div_euclid(WINDOW.0 / BUCKETS as i64);
        let place = tenth.rem_euclid(BUCKETS as i64) as usize;
        let bucket = &mut self.least[place];
        *bucket = match *bucket {
            (when, Some(least)) if when == tenth => (tenth, Some(least.min(observed))),
            _ => (tenth, Some(observed)),
        };
        let recent = self.least.iter().filter(|(when, _)| tenth - when < BUCKETS as i64);
        recent.filter_map(|(_, least)| *least).min().unwrap_or(observed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays that a busy system adds: mostly a little, now and then up to `worst`.
    struct Delays {
        state: u64,
        worst: i64,
    }

    impl Delays {
        fn next(&mut self) -> i64 {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            let share = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
            300 + (share.powi(3) * self.worst as f64) as i64
        }
    }

    /// Plays a note every `step`; the driver's clock runs at `ppm` too fast. The largest errors of the mapped times and
    /// of the arrivals over the moments on the cable, after the first ten seconds.
    fn errors(step: i64, ppm: i64, worst: i64) -> (i64, i64) {
        let mut clock = DriverClock::default();
        let mut delays = Delays { state: 0x9e37_79b9_7f4a_7c15, worst };
        let (mut mapped_worst, mut arrival_worst, mut last) = (0, 0, Micros::ZERO);
        let mut before = Micros::ZERO;
        for n in 0..60_000_000 / step {
            let cable = 5_000_000 + n * step;
            let driver = Micros(77 + n * step + n * step * ppm / 1_000_000);
            let arrival = Micros(cable + delays.next()).max(last);
            last = arrival;
            let mapped = clock.map(driver, arrival);
            assert!(mapped <= arrival && mapped >= before, "{mapped} after {before}, arrived at {arrival}");
            before = mapped;
            if n * step > 10_000_000 {
                mapped_worst = mapped_worst.max((mapped.0 - cable).abs());
                arrival_worst = arrival_worst.max((arrival.0 - cable).abs());
            }
        }
        (mapped_worst, arrival_worst)
    }

    #[test]
    fn what_the_system_adds_is_taken_out() {
        let (mapped, arrival) = errors(50_000, 0, 15_000);
        assert!(mapped * 10 < arrival, "{mapped} of {arrival} microseconds are left");
    }

    #[test]
    fn clocks_that_drift_apart_are_followed() {
        for ppm in [-100, 100] {
            let (mapped, arrival) = errors(50_000, ppm, 15_000);
            assert!(mapped * 5 < arrival, "{ppm} ppm: {mapped} of {arrival} microseconds are left");
        }
    }

    #[test]
    fn the_first_message_counts_as_it_came() {
        let mut clock = DriverClock::default();
        assert_eq!(clock.map(Micros(1_000_000_000), Micros(500)), Micros(500));
        assert_eq!(clock.map(Micros(1_000_010_000), Micros(12_500)), Micros(10_500));
    }

    #[test]
    fn after_a_jump_the_arrival_counts_until_the_clocks_belong_together_again() {
        for jump in [3_600_000_000, -3_600_000_000, 25_000, -25_000] {
            let mut clock = DriverClock::default();
            for n in 0..100 {
                clock.map(Micros(n * 10_000), Micros(n * 10_000 + 400));
            }
            for n in 100..2_000 {
                let arrival = Micros(n * 10_000 + 400 + if n % 2 == 0 { 0 } else { 3_000 });
                let mapped = clock.map(Micros(n * 10_000 + jump), arrival);
                assert!((arrival - mapped).0 <= 3_000, "jump {jump}, note {n}: {mapped} for {arrival}");
                if n > 1_150 {
                    assert!((mapped.0 - n * 10_000 - 400).abs() <= 100, "jump {jump}, note {n}: {mapped}");
                }
            }
        }
    }

    #[test]
    fn a_driver_whose_clock_is_nonsense_leaves_the_arrivals_in_their_order() {
        let mut clock = DriverClock::default();
        let mut delays = Delays { state: 7, worst: i64::from(u32::MAX) };
        let mut before = Micros(i64::MIN);
        for n in 0..10_000 {
            let driver = [0, i64::MAX, i64::MIN, delays.next()][n % 4];
            let arrival = Micros(n as i64 * 1_000);
            let mapped = clock.map(Micros(driver), arrival);
            assert!(mapped >= before && mapped <= arrival, "{mapped} after {before}");
            before = mapped;
        }
    }
}
