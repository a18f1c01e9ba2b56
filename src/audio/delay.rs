//! How long after it was played a note sounds: constant while the driver's calls are, so that the ear gets used to it.

use crate::time::{Frames, Rate};

/// The largest call counts for between one and two of these; a driver that has found smaller blocks is believed then.
const WINDOW_SECONDS: i64 = 10;

/// The largest call of the last ten to twenty seconds, in frames: what is played between two calls cannot sound earlier
/// than with the next one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delay {
    largest: u32,
    before: u32,
    left: Frames,
    window: Frames,
}

impl Delay {
    /// For a stream of this rate and nominal period.
    pub(super) fn new(rate: Rate, period: u32) -> Self {
        let window = Frames(i64::from(rate.0) * WINDOW_SECONDS);
        Self { largest: period, before: period, left: window, window }
    }

    /// A call of so many frames; returns the delay in frames.
    pub(super) fn observe(&mut self, call: u32) -> u32 {
        if self.left.0 <= 0 {
            (self.before, self.largest, self.left) = (self.largest, 0, self.window);
        }
        self.largest = self.largest.max(call);
        self.left -= Frames(i64::from(call));
        self.largest.max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_large_call_is_forgotten_and_calls_that_come_and_go_are_not() {
        let mut delay = Delay::new(Rate(48_000), 256);
        let mut run = |seconds: u32, call: u32| (0..seconds * 48_000 / call).fold(0, |_, _| delay.observe(call));
        assert_eq!(run(1, 256), 256);
        assert_eq!(run(1, 1_024), 1_024);
        assert_eq!(run(7, 64), 1_024, "it may come again");
        assert_eq!(run(10, 64), 1_024);
        assert_eq!(run(2, 64), 64);
        for _ in 0..10 {
            assert_eq!(run(4, 512), 512);
            assert_eq!(run(4, 480), 512, "shared Windows devices ask for now this, now that");
        }
    }
}
