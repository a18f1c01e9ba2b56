//! The interleavings of the two sides of an essential lane, in a small model, at each access to an atomic of the lane
//! and of a ring with the orderings of the real one; as many preemptions as `LOOM_MAX_PREEMPTIONS` says. Only with `--cfg loom`; `./dev test` knows how.
#![cfg(loom)]

use loom::thread;
use music_trainer::bus::lane::{LaneItem, essential};
use music_trainer::time::{Micros, Stamp};

fn at(number: u64) -> Stamp {
    Stamp::at(Micros(number as i64))
}

/// What came out: every number once, delivered or within a gap, in order.
#[derive(Default)]
struct Taken {
    delivered: u64,
    lost: u64,
    last: i64,
    closed: bool,
}

impl Taken {
    fn take(&mut self, item: LaneItem<u64>) {
        assert!(!self.closed, "nothing comes after the end");
        match item {
            LaneItem::Event { stamp, body } => {
                assert_eq!(stamp, at(body));
                assert!(stamp.mono.0 > self.last, "events come in order");
                self.last = stamp.mono.0;
                self.delivered += 1;
            }
            LaneItem::Gap { lost, from, to } => {
                assert!(lost > 0 && from.mono <= to.mono, "a gap is of something, and does not run backwards");
                self.lost += lost;
            }
            LaneItem::Closed => self.closed = true,
        }
    }
}

/// A ring of four, and `pushes` events while the other side drains `drains` times.
fn model(pushes: u64, drains: usize) {
    loom::model(move || {
        let (mut producer, mut consumer) = essential::<u64>(4);
        let pushing = thread::spawn(move || {
            for number in 1..=pushes {
                producer.push(at(number), number);
            }
            producer.lost()
        });
        let mut taken = Taken::default();
        for _ in 0..drains {
            consumer.drain(usize::MAX, |item| taken.take(item));
            thread::yield_now();
        }
        let lost = pushing.join().expect("the producer ends");
        consumer.drain(usize::MAX, |item| taken.take(item));
        assert!(taken.closed, "the end is seen");
        assert_eq!((taken.lost, taken.delivered), (lost, pushes - lost), "pushed = delivered + lost");
    });
}

#[test]
fn pushed_is_delivered_plus_lost_however_the_two_sides_interleave() {
    for (pushes, drains) in [(6, 1), (8, 1), (6, 2), (7, 2)] {
        model(pushes, drains);
    }
}
