//! Calibration by tapping: how much later than the clicks of a metronome a person's keys are stamped. Moments in, an
//! offset out; no clock, no engine.

use crate::time::Micros;

/// Taps of a calibration in all.
pub const TAPS: usize = 24;
/// The first ones, with which a person finds the beat.
const WARM_UP: usize = 4;
/// Between two clicks: slow enough that the nearest is the one that was meant.
pub const BEAT: Micros = Micros::from_millis(600);
/// The median distance from the median at most; people who tap along scatter by some 15 to 25 ms (B. Repp, "Sensorimotor
/// synchronization", Psychonomic Bulletin & Review 12, 2005).
const SCATTER_MAX: Micros = Micros::from_millis(35);
/// Clicks after which it is given up: nobody taps.
const CLICKS_MAX: usize = 80;

/// How a calibration by tapping stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tapped {
    /// So many taps so far.
    More(usize),
    /// Keys are stamped so much after the clicks; it holds the habit of most people to tap a little early, too.
    Offset(Micros),
    /// The taps are too uneven to tell.
    Scattered,
    /// Nobody tapped.
    Nobody,
}

/// Clicks and taps of one calibration.
#[derive(Clone, Debug, Default)]
pub struct Tapping {
    clicks: Vec<Micros>,
    taps: Vec<Micros>,
}

impl Tapping {
    /// A click sounded, by the clock mapping of its frame.
    pub fn click(&mut self, at: Micros) -> Tapped {
        self.clicks.push(at);
        match (self.taps.len(), self.clicks.len()) {
            // The last tap may belong to the click that comes now.
            (TAPS.., _) => self.outcome(),
            (taps, CLICKS_MAX..) if taps < TAPS => Tapped::Nobody,
            (taps, _) => Tapped::More(taps),
        }
    }

    /// A key was stamped.
    pub fn tap(&mut self, at: Micros) -> Tapped {
        if self.taps.len() < TAPS {
            self.taps.push(at);
        }
        Tapped::More(self.taps.len())
    }

    fn outcome(&self) -> Tapped {
        let offset = |tap: &Micros| {
            let after = self.clicks.partition_point(|click| click <= tap);
            let near = self.clicks[after.saturating_sub(1)..].iter().take(2).map(|click| *tap - *click);
            near.min_by_key(|offset| offset.0.abs()).unwrap_or(Micros::ZERO)
        };
        let offsets: Vec<_> = self.taps.iter().skip(WARM_UP).map(offset).collect();
        let middle = median(offsets.clone());
        match median(offsets.iter().map(|offset| Micros((*offset - middle).0.abs())).collect()) {
            scatter if scatter > SCATTER_MAX => Tapped::Scattered,
            _ => Tapped::Offset(middle),
        }
    }
}

fn median(mut values: Vec<Micros>) -> Micros {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(Micros::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Taps at these milliseconds beside the beat, over and over.
    fn tap_along(beside: &[i64]) -> Tapped {
        let mut tapping = Tapping::default();
        let mut moments: Vec<(Micros, bool)> = (0..CLICKS_MAX as i64).map(|i| (Micros(i * BEAT.0), true)).collect();
        // The first click is only heard.
        let taps = (1..=TAPS as i64).zip(beside.iter().cycle());
        moments.extend(taps.map(|(i, beside)| (Micros(i * BEAT.0 + beside * 1_000), false)));
        moments.sort_by_key(|(at, _)| *at);
        for (at, is_click) in moments {
            let tapped = if is_click { tapping.click(at) } else { tapping.tap(at) };
            if !matches!(tapped, Tapped::More(_)) {
                return tapped;
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn the_median_of_the_taps_is_the_offset_early_or_late() {
        assert_eq!(tap_along(&[40]), Tapped::Offset(Micros(40_000)));
        assert_eq!(tap_along(&[-30]), Tapped::Offset(Micros(-30_000)));
        assert_eq!(tap_along(&[30, 45, 20, 35, 38]), Tapped::Offset(Micros(35_000)));
        assert_eq!(tap_along(&[250]), Tapped::Offset(Micros(250_000)), "Bluetooth");
    }

    #[test]
    fn outliers_do_not_count_and_uneven_tapping_is_refused() {
        assert_eq!(tap_along(&[20, 20, 20, 20, 20, 280]), Tapped::Offset(Micros(20_000)));
        assert_eq!(tap_along(&[-250, 10, 200, -120, 290, 90]), Tapped::Scattered);
    }

    #[test]
    fn without_taps_it_ends_all_the_same() {
        let mut tapping = Tapping::default();
        let ends = (0..CLICKS_MAX as i64).find(|i| tapping.click(Micros(i * BEAT.0)) == Tapped::Nobody);
        assert_eq!(ends, Some(CLICKS_MAX as i64 - 1));
    }
}
