//! Frames to music and back, in integers: the one conversion that processor and judge share.

use crate::music::{Percent, TempoMap};
use crate::time::{Frames, Rate, Ticks, div_round};

/// A place in the music: microseconds from tick 0 at the written tempo, times the resolution of the score
/// ([`TempoMap::exact`]). An integer at every tick, and far finer than a frame between ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MusicTime(pub i64);

impl MusicTime {
    /// The place of a tick.
    pub fn of(map: &TempoMap, tick: Ticks) -> Self {
        Self(map.exact(tick))
    }

    /// The place in fractional ticks.
    pub fn ticks(self, map: &TempoMap) -> f64 {
        map.ticks_at_exact(self.0)
    }
}

/// From `frame` on the music runs from `at` at `speed`: maps every frame to a place in the music and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// A frame of the output stream.
    pub frame: Frames,
    /// The place in the music at that frame.
    pub at: MusicTime,
    /// The playback speed.
    pub speed: Percent,
    /// Frames per second.
    pub rate: Rate,
    /// Ticks to the quarter note, at least 1.
    pub resolution: u16,
}

impl Anchor {
    /// The frame nearest to a place; rounded once, however far away.
    pub fn frame_at(&self, place: MusicTime) -> Frames {
        let span = i128::from(place.0) - i128::from(self.at.0);
        Frames(self.frame.0 + div_round(span * 100 * i128::from(self.rate.0), self.units_per_second()))
    }

    /// The place at a frame.
    pub fn place_at(&self, frame: Frames) -> MusicTime {
        let span = i128::from(frame.0 - self.frame.0);
        MusicTime(self.at.0 + div_round(span * self.units_per_second(), 100 * i128::from(self.rate.0)))
    }

    /// The frame nearest to a tick.
    pub fn frame_of(&self, map: &TempoMap, tick: Ticks) -> Frames {
        self.frame_at(MusicTime::of(map, tick))
    }

    /// The place at a frame in fractional ticks.
    pub fn tick_at(&self, map: &TempoMap, frame: Frames) -> f64 {
        self.place_at(frame).ticks(map)
    }

    /// The same course, anchored at another frame; differs by less than one unit of [`MusicTime`].
    pub fn moved_to(&self, frame: Frames) -> Self {
        Self { frame, at: self.place_at(frame), ..*self }
    }

    /// A hundred times the units of music that pass in a second.
    fn units_per_second(&self) -> i128 {
        i128::from(self.resolution.max(1)) * i128::from(self.speed.get()) * 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Tempo;
    use proptest::prelude::*;

    fn map() -> TempoMap {
        let tempo = |tick, micros_per_quarter| Tempo { tick: Ticks(tick), micros_per_quarter };
        TempoMap::new(480, &[tempo(0, 500_000), tempo(960, 333_333), tempo(5000, 612_345)])
    }

    proptest! {
        #[test]
        fn a_frame_comes_back_from_its_place(
            frame in 0_i64..48_000 * 36_000, start in 0_i64..1_000_000, speed in 10_u16..=200, rate in 8_000_u32..192_000
        ) {
            let at = MusicTime::of(&map(), Ticks(start));
            let anchor = Anchor { frame: Frames(77), at, speed: Percent::new(speed), rate: Rate(rate), resolution: 480 };
            prop_assert_eq!(anchor.frame_at(anchor.place_at(Frames(frame))), Frames(frame));
        }

        #[test]
        fn moving_the_anchor_moves_no_note(
            move_to in 0_i64..10_000_000, tick in 0_i64..1_000_000, speed in 10_u16..=200
        ) {
            let at = MusicTime(0);
            let anchor = Anchor { frame: Frames(0), at, speed: Percent::new(speed), rate: Rate::DEFAULT, resolution: 480 };
            let moved = anchor.moved_to(Frames(move_to));
            let (before, after) = (anchor.frame_of(&map(), Ticks(tick)), moved.frame_of(&map(), Ticks(tick)));
            prop_assert!((before.0 - after.0).abs() <= 1, "{before} {after}");
        }
    }

    #[test]
    fn an_anchor_at_the_start_agrees_with_the_tempo_map() {
        for speed in [10, 73, 100, 200] {
            let speed = Percent::new(speed);
            let anchor = Anchor { frame: Frames(0), at: MusicTime(0), speed, rate: Rate(44_100), resolution: 480 };
            for tick in [-960, 0, 1, 959, 961, 123_456] {
                assert_eq!(anchor.frame_of(&map(), Ticks(tick)), map().frames(Ticks(tick), speed, Rate(44_100)));
            }
        }
    }
}
