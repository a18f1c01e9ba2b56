//! What comes out of an essential lane, checked item by item.
#![allow(dead_code, reason = "neither test reads all of it")]

use music_trainer::bus::lane::LaneItem;
use music_trainer::time::{Frames, Micros, Stamp, StreamId};

pub(crate) fn at(number: u64) -> Stamp {
    Stamp {
        driver: Micros(number as i64 * 3),
        mono: Micros(number as i64),
        frame: number.is_multiple_of(2).then_some(Frames(number as i64 * 48)),
        stream: StreamId(7),
    }
}

/// What the consuming side saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) gaps: u64,
    pub(crate) next: u64,
    pub(crate) closed: bool,
}

impl Seen {
    /// Numbers come in order, each once or within a gap that names the right ends.
    pub(crate) fn take(&mut self, item: LaneItem<u64>) {
        assert!(!self.closed, "nothing comes after the end");
        match item {
            LaneItem::Event { stamp, body } => {
                assert_eq!(body, self.next, "in order, without a silent loss");
                assert_eq!(stamp, at(body), "the stamp belongs to the event");
                self.next += 1;
                self.delivered += 1;
            }
            LaneItem::Gap { lost, from, to } => {
                self.gaps += 1;
                self.lost += lost;
                assert!(from.mono <= to.mono);
                assert!(to.mono.0 as u64 >= self.next + lost - 1, "no earlier than the last event counted");
                self.next += lost;
            }
            LaneItem::Closed => self.closed = true,
        }
    }
}
