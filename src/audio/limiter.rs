//! The last thing before the output: no sample above the ceiling, and nothing changed below it.

use crate::time::Rate;

/// −1 dBFS.
pub(super) const CEILING: f32 = 0.891_250_9;

/// A peak limiter without look-ahead, so that it adds no delay. It catches a peak in the very sample that crosses the
/// ceiling (the output is continuous there: it *is* the ceiling) and lets go over some 80 ms. As long as nothing crosses
/// the ceiling the gain is exactly 1 and the signal passes bit by bit.
pub(super) struct Limiter {
    /// What is missing from a gain of 1.
    reduction: f32,
    keep: f32,
}

impl Limiter {
    pub(super) fn new(rate: Rate) -> Self {
        Self { reduction: 0.0, keep: (-1.0 / (0.08 * rate.0 as f32)).exp() }
    }

    /// Limits both channels alike, in place; not-a-number becomes silence. Returns how many samples were no numbers.
    pub(super) fn process(&mut self, left: &mut [f32], right: &mut [f32]) -> u32 {
        let mut broken = 0;
        for (l, r) in left.iter_mut().zip(right) {
            if !(l.is_finite() && r.is_finite()) {
                (*l, *r) = (0.0, 0.0);
                broken += 1;
            }
            let peak = l.abs().max(r.abs());
            self.reduction = if self.reduction > 1e-5 { self.reduction * self.keep } else { 0.0 };
            if peak * (1.0 - self.reduction) > CEILING {
                self.reduction = 1.0 - CEILING / peak;
            }
            if self.reduction > 0.0 {
                *l = (*l * (1.0 - self.reduction)).clamp(-CEILING, CEILING);
                *r = (*r * (1.0 - self.reduction)).clamp(-CEILING, CEILING);
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(level: f32) -> Vec<f32> {
        (0..9600).map(|i| level * (i as f32 * 0.05).sin()).collect()
    }

    #[test]
    fn what_stays_below_the_ceiling_passes_bit_by_bit() {
        let (mut left, mut right) = (sine(0.89), sine(0.5));
        Limiter::new(Rate::DEFAULT).process(&mut left, &mut right);
        assert_eq!((left, right), (sine(0.89), sine(0.5)));
    }

    #[test]
    fn nothing_exceeds_the_ceiling_and_no_step_is_larger_than_in_the_input() {
        let (mut left, mut right) = (sine(4.0), sine(-3.0));
        Limiter::new(Rate::DEFAULT).process(&mut left, &mut right);
        assert!(left.iter().chain(&right).all(|s| s.abs() <= CEILING));
        let largest = |s: &[f32]| s.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(largest(&left) <= largest(&sine(4.0)));
        assert!(left.iter().any(|s| s.abs() > 0.8), "it is still loud");
    }

    #[test]
    fn after_a_peak_the_signal_passes_untouched_again() {
        let mut limiter = Limiter::new(Rate::DEFAULT);
        limiter.process(&mut [3.0], &mut [0.0]);
        for _ in 0..20 {
            limiter.process(&mut sine(0.5), &mut sine(0.5));
        }
        let mut left = sine(0.5);
        limiter.process(&mut left, &mut sine(0.5));
        assert_eq!(left, sine(0.5));
    }

    #[test]
    fn what_is_no_number_becomes_silence() {
        let (mut left, mut right) = ([f32::NAN, 0.5, 0.1], [0.0, f32::INFINITY, 0.2]);
        assert_eq!(Limiter::new(Rate::DEFAULT).process(&mut left, &mut right), 2);
        assert_eq!((left, right), ([0.0, 0.0, 0.1], [0.0, 0.0, 0.2]));
    }
}
