//! The machine slept and woke up: the wall clock went on meanwhile, the monotonic one stood still. Devices are looked at
//! anew, and the window's keys are let go, whose key-ups nobody saw.

use super::Worker;
use crate::time::{Micros, WallMillis};

/// The wall clock goes so much further than the monotonic one when the machine slept; a clock that is set is corrected
/// in smaller steps as a rule, and if not, nothing is lost by looking.
const SLEEP_MIN_MILLIS: i64 = 2_000;

/// Compares the two clocks from look to look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waking {
    /// By how many milliseconds the wall clock was ahead of the monotonic one.
    ahead: Option<i64>,
}

impl Waking {
    /// Whether the machine slept since last asked.
    pub(super) fn slept(&mut self, now: Micros, wall: WallMillis) -> bool {
        let ahead = wall.0 - now.0 / 1_000;
        let before = self.ahead.replace(ahead);
        before.is_some_and(|before| ahead - before > SLEEP_MIN_MILLIS)
    }
}

impl Worker {
    pub(super) fn look_whether_it_slept(&mut self, now: Micros) {
        if self.waking.slept(now, self.clock.wall()) {
            self.midi.keys().release_all(now);
            self.midi.list_anew();
            self.sound.hurry(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at both clocks in turn, in milliseconds; which looks found that the machine had slept.
    #[track_caller]
    fn check(looks: &[(i64, i64)], expected: &[usize]) {
        let mut waking = Waking::default();
        let slept: Vec<usize> = (0..looks.len())
            .filter(|look| {
                let (now, wall) = looks[*look];
                waking.slept(Micros::from_millis(now), WallMillis(wall))
            })
            .collect();
        assert_eq!(slept, expected);
    }

    #[test]
    fn clocks_that_go_together_say_nothing() {
        check(&[(0, 1_000_000), (200, 1_000_200), (400, 1_000_400)], &[]);
    }

    #[test]
    fn a_thread_that_was_held_up_did_not_sleep() {
        check(&[(0, 5_000), (9_000, 14_000)], &[]);
    }

    #[test]
    fn each_sleep_is_noticed_once() {
        let night = 8 * 3_600_000;
        check(&[(0, 0), (200, 200 + night), (400, 400 + night), (600, 600 + 2 * night)], &[1, 3]);
    }

    #[test]
    fn a_clock_that_is_set_right_in_small_steps_or_set_back_is_no_sleep() {
        check(&[(0, 9_000), (200, 11_000), (400, 13_000), (600, 1_000), (800, 1_200)], &[]);
    }
}
