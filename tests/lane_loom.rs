//! The interleavings of the two sides of an essential lane, in a small model, at each access to an atomic of the lane
//! and of a ring with the orderings of the real one; as many preemptions as `LOOM_MAX_PREEMPTIONS` says. Only with `--cfg loom`; `./dev test` knows how.
#![cfg(loom)]

mod lane_support;

use lane_support::{Seen, at};
use loom::thread;
use music_trainer::bus::lane::essential;

/// A ring of four, and `pushes` events while the other side drains `drains` times.
fn model(pushes: u64, drains: usize) {
    loom::model(move || {
        let (mut producer, mut consumer) = essential::<u64>(4);
        let pushing = thread::spawn(move || {
            for number in 0..pushes {
                producer.push(at(number), number);
            }
            producer.lost()
        });
        let mut seen = Seen::default();
        for _ in 0..drains {
            consumer.drain(usize::MAX, |item| seen.take(item));
            thread::yield_now();
        }
        let lost = pushing.join().expect("the producer ends");
        consumer.drain(usize::MAX, |item| seen.take(item));
        assert!(seen.closed, "the end is seen");
        assert_eq!((seen.lost, seen.delivered), (lost, pushes - lost), "pushed = delivered + lost");
    });
}

#[test]
fn pushed_is_delivered_plus_lost_however_the_two_sides_interleave() {
    for (pushes, drains) in [(6, 1), (8, 1), (6, 2), (7, 2)] {
        model(pushes, drains);
    }
}
