//! How long computing blocks took, as shares of the time there was for it: counted where it is measured, in the
//! callback, in a table of a fixed size. No allocation, no lock.

/// Buckets of [`Loads`]: twenty of a twentieth each up to the deadline, then up to 1.25, 1.5 and 2 times, and longer.
pub const LOAD_BUCKETS: usize = IN_TIME + LATE.len() + 1;
const IN_TIME: usize = 20;
const LATE: [f32; 3] = [1.25, 1.5, 2.0];

/// Blocks of a stream by load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loads {
    /// Counts; they stand still at the largest number.
    pub buckets: [u32; LOAD_BUCKETS],
    /// The largest.
    pub worst: f32,
}

impl Loads {
    /// Counts a block that took this share of its time.
    pub fn record(&mut self, load: f32) {
        let bucket = match load {
            0.0..1.0 => (load * IN_TIME as f32) as usize,
            load if load < 0.0 => 0,
            _ => IN_TIME + LATE.iter().take_while(|most| load >= **most).count(),
        };
        let count = &mut self.buckets[bucket];
        *count = count.saturating_add(1);
        self.worst = self.worst.max(load);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_load_has_its_bucket_and_what_comes_too_late_is_told_apart() {
        let check = |load: f32, expected: usize| {
            let mut loads = Loads::default();
            loads.record(load);
            assert_eq!(loads.buckets.iter().position(|count| *count == 1), Some(expected), "{load}");
        };
        for (load, expected) in [
            (-0.1, 0),
            (0.0, 0),
            (0.049, 0),
            (0.31, 6),
            (0.99, 19),
            (1.0, 20),
            (1.24, 20),
            (1.25, 21),
            (1.7, 22),
            (2.0, 23),
            (1e9, 23),
            (f32::INFINITY, 23),
        ] {
            check(load, expected);
        }
        let mut loads = Loads::default();
        [0.2, 0.9, 0.3].into_iter().for_each(|load| loads.record(load));
        assert_eq!(loads.worst, 0.9);
        loads.buckets[0] = u32::MAX;
        loads.record(0.0);
        assert_eq!(loads.buckets[0], u32::MAX);
    }
}
