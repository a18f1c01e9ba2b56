//! The hybrid logical clock: wall time that never goes back. Milliseconds since 1970 in the upper 48 bits, a counter
//! in the lower 16. Orders events between machines; it is not musical time.

use crate::time::WallMillis;

/// A machine's wall clock may be ahead of another's by so much.
pub const DRIFT_MAX_MILLIS: i64 = 10 * 60 * 1_000;

/// The highest stamp seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hlc(u64);

impl Hlc {
    /// Goes on from a stamp, such as the log's highest.
    pub fn new(highest: u64) -> Self {
        Self(highest)
    }

    /// The highest stamp given or seen.
    pub fn highest(self) -> u64 {
        self.0
    }

    /// The next stamp: the wall clock where it is ahead, else one more than the highest.
    pub fn tick(&mut self, wall: WallMillis) -> u64 {
        let millis = u64::try_from(wall.0).unwrap_or(0) & ((1 << 48) - 1);
        self.0 = (millis << 16).max(self.0.saturating_add(1));
        self.0
    }

    /// Takes notice of another machine's stamp: what comes after is later.
    pub fn observe(&mut self, stamp: u64) {
        self.0 = self.0.max(stamp);
    }

    /// Whether a stamp is further ahead of the wall clock than clocks that are set can be: one such stamp would drag
    /// every machine's clock along.
    pub fn is_ahead(stamp: u64, wall: WallMillis) -> bool {
        Self::wall(stamp).0 > wall.0.saturating_add(DRIFT_MAX_MILLIS)
    }

    /// The milliseconds since 1970 in a stamp.
    pub fn wall(stamp: u64) -> WallMillis {
        WallMillis((stamp >> 16) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_while_the_wall_clock_stands_jumps_back_or_leaps() {
        let mut hlc = Hlc::new(5 << 16);
        let stamps: Vec<u64> =
            [10, 10, 3, -7, 0, 11, 500, 499].into_iter().map(|wall| hlc.tick(WallMillis(wall))).collect();
        assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]), "{stamps:?}");
        assert_eq!(stamps[0], 10 << 16);
        assert_eq!(Hlc::wall(stamps[6]), WallMillis(500));
    }
}
