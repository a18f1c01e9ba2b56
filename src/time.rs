//! Units of time and their only conversions. Nothing here reads a clock; that is done behind [`Clock`].

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The origin.
            pub const ZERO: Self = Self(0);
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit! {
    /// Audio frames of one stream, counted from its first; signed, because differences are taken.
    Frames(i64)
}
unit! {
    /// Microseconds: on the program's monotonic clock when a moment, a difference otherwise.
    Micros(i64)
}
unit! {
    /// Score ticks, in the resolution of the score at hand; negative during a count-in.
    Ticks(i64)
}
unit! {
    /// Milliseconds since 1970-01-01 UTC. For people and for ordering between machines, never for music.
    WallMillis(i64)
}

impl Neg for Micros {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Micros {
    /// One second.
    pub const SECOND: Self = Self(1_000_000);

    /// From whole milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }

    /// In milliseconds, for display and results.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

/// Frames per second of an audio stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub u32);

impl Rate {
    /// What most devices run at, and what rendering uses.
    pub const DEFAULT: Self = Self(48_000);

    /// The duration of `frames`, rounded to the nearest microsecond.
    pub fn micros(self, frames: Frames) -> Micros {
        Micros(div_round(i128::from(frames.0) * 1_000_000, i128::from(self.0)))
    }

    /// The frame nearest to `micros`.
    pub fn frames(self, micros: Micros) -> Frames {
        Frames(div_round(i128::from(micros.0) * i128::from(self.0), 1_000_000))
    }
}

/// `a / b` rounded half away from zero; `b` is positive. The one rounding rule of musical time.
pub fn div_round(a: i128, b: i128) -> i64 {
    let half = b / 2;
    let rounded = if a >= 0 { (a + half) / b } else { (a - half) / b };
    rounded as i64
}

/// Which output stream a frame number belongs to; the counter restarts with each stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub u32);

/// When something happened, in every clock that was at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The driver's own time; its origin is arbitrary for each connection.
    pub driver: Micros,
    /// The program's monotonic clock.
    pub mono: Micros,
    /// The frame, where the driver knows it (JACK, the stepped backend).
    pub frame: Option<Frames>,
    /// The stream that `frame` counts in.
    pub stream: StreamId,
}

impl Stamp {
    /// A stamp that knows the monotonic time only.
    pub fn at(mono: Micros) -> Self {
        Self { driver: mono, mono, frame: None, stream: StreamId(0) }
    }
}

/// Where time comes from: a parameter, so that a test can hold it in its hand.
pub trait Clock: Send + Sync {
    /// Microseconds since the clock's origin; never goes back.
    fn now(&self) -> Micros;
    /// The wall clock; may jump in both directions.
    fn wall(&self) -> WallMillis;
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: std::sync::atomic::AtomicI64,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Micros) {
        self.now.fetch_add(by.0, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Micros {
        Micros(self.now.load(std::sync::atomic::Ordering::SeqCst))
    }
    fn wall(&self) -> WallMillis {
        WallMillis(1_700_000_000_000 + self.now().0 / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_micros_round_trip_at_common_rates() {
        for rate in [Rate(44_100), Rate(48_000), Rate(96_000)] {
            for frame in [0, 1, 127, 44_099, 1_000_003, 48_000 * 36_000] {
                assert_eq!(rate.frames(rate.micros(Frames(frame))), Frames(frame), "{frame} at {rate:?}");
            }
        }
    }

    #[test]
    fn rounding_is_symmetric_around_zero() {
        for (a, b, expected) in [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0)] {
            assert_eq!(div_round(a, b), expected, "{a}/{b}");
        }
    }
}
