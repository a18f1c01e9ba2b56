//! The one reading of time of a take: exact by the frame where the driver knows it, by the monotonic clock elsewhere.
//! Every event of the transport brings the two in step, so that a sound that stood still for a moment, or a clock that
//! jumped, moves nothing in the music. Verdicts, lengths, pictures and files of a take all go by it. Pure.

use crate::model::Event;
use crate::time::{Micros, Rate, Stamp, StreamId};

/// Reads the stamps of a take's events, told of them in the order of the log; where the first event of the transport is,
/// it agrees with the monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakeClock {
    stream: StreamId,
    rate: Option<Rate>,
    /// The clock's reading at frame 0 of the stream.
    base: Micros,
    /// What to add to a monotonic time.
    offset: Micros,
}

impl TakeClock {
    /// When the next event of the take was.
    pub fn event(&mut self, event: Option<&Event>, stamp: &Stamp) -> Micros {
        if let Some(Event::TransportMoved(moved)) = event {
            self.sync(stamp, moved.rate);
        }
        self.at(stamp)
    }

    /// What it reads at a monotonic time, by all that it was told of.
    pub fn reading(&self, mono: Micros) -> Micros {
        mono + self.offset
    }

    fn sync(&mut self, stamp: &Stamp, rate: Rate) {
        let Some(frame) = stamp.frame else { return };
        if self.rate != Some(rate) || self.stream != stamp.stream {
            // A new stream counts from 0 again: join it to where the clock stands.
            self.base = self.reading(stamp.mono) - rate.micros(frame);
            (self.stream, self.rate) = (stamp.stream, Some(rate));
        }
        self.offset = self.base + rate.micros(frame) - stamp.mono;
    }

    fn at(&self, stamp: &Stamp) -> Micros {
        match (stamp.frame, self.rate) {
            (Some(frame), Some(rate)) if stamp.stream == self.stream => self.base + rate.micros(frame),
            _ => self.reading(stamp.mono),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Played, TransportChange, TransportMoved};
    use crate::time::Frames;

    const RATE: Rate = Rate(48_000);

    fn stamp(frame: Option<i64>, stream: u32, mono: i64) -> Stamp {
        Stamp { driver: Micros(mono), mono: Micros(mono), frame: frame.map(Frames), stream: StreamId(stream) }
    }

    fn bar(clock: &mut TakeClock, stamp: &Stamp) -> i64 {
        let moved = TransportMoved { change: TransportChange::Bar, rate: RATE };
        clock.event(Some(&Event::TransportMoved(moved)), stamp).0
    }

    fn key(clock: &mut TakeClock, stamp: &Stamp) -> i64 {
        clock.event(Some(&Event::NotePlayed(Played { source: 0, data: [0x90, 60, 80] })), stamp).0
    }

    #[test]
    fn frames_decide_and_what_has_none_is_brought_in_step_by_each_bar() {
        let mut clock = TakeClock::default();
        // Before anything is known of the stream.
        assert_eq!(key(&mut clock, &stamp(Some(48_000), 1, 1_500_000)), 1_500_000);
        assert_eq!(bar(&mut clock, &stamp(Some(96_000), 1, 2_500_000)), 2_500_000);
        // The sound stood still for 300 ms: the music went on 300 ms later.
        assert_eq!(bar(&mut clock, &stamp(Some(192_000), 1, 4_800_000)), 4_500_000);
        assert_eq!(key(&mut clock, &stamp(Some(240_000), 1, 5_800_000)), 5_500_000);
        assert_eq!(key(&mut clock, &stamp(None, 0, 5_800_000)), 5_500_000);
        assert_eq!(clock.reading(Micros(5_900_000)), Micros(5_600_000));
        // Another stream counts anew, and joins on.
        assert_eq!(bar(&mut clock, &stamp(Some(0), 2, 6_800_000)), 6_500_000);
        assert_eq!(key(&mut clock, &stamp(Some(480), 2, 9_000_000)), 6_510_000);
    }
}
