//! Lanes: what is pushed is delivered in order or counted in a gap, also while both sides run at once.

mod lane_support;

use lane_support::{Seen, at};
use music_trainer::bus::lane::{self, LaneItem, Pushed};
use music_trainer::bus::testing::Random;

#[test]
fn a_frozen_consumer_finds_one_gap_with_exact_count_and_ends() {
    let (mut producer, mut consumer) = lane::essential::<u64>(8);
    let queued = (0..20).filter(|number| producer.push(at(*number), *number) == Pushed::Queued).count();
    assert_eq!((queued, producer.lost()), (7, 13));
    let mut items = Vec::new();
    consumer.drain(100, |item| items.push(item));
    assert_eq!(items[7..], [LaneItem::Gap { lost: 13, from: at(7), to: at(19) }]);
    assert_eq!(producer.push(at(20), 20), Pushed::Queued);
    drop(producer);
    items.clear();
    consumer.drain(100, |item| items.push(item));
    consumer.drain(100, |item| items.push(item));
    assert_eq!(items, [LaneItem::Event { stamp: at(20), body: 20 }, LaneItem::Closed]);
    assert_eq!((consumer.delivered(), consumer.lost(), consumer.high_water()), (8, 13, 8));
}

#[test]
fn losses_after_a_gap_was_told_are_told_too_when_the_producer_resumes_or_goes() {
    for resumes in [true, false] {
        let (mut producer, mut consumer) = lane::essential::<u64>(4);
        let mut seen = Seen::default();
        let mut number = 0;
        let mut push = |producer: &mut lane::EssentialProducer<u64>| {
            let pushed = producer.push(at(number), number);
            number += 1;
            pushed
        };
        for _ in 0..6 {
            push(&mut producer);
        }
        // Two slots are free: too few for the gap to end, so the next two are lost as well.
        consumer.drain(2, |item| seen.take(item));
        assert_eq!([push(&mut producer), push(&mut producer)], [Pushed::Lost; 2]);
        consumer.drain(9, |item| seen.take(item));
        assert_eq!((seen.delivered, seen.lost), (3, 5));
        if resumes {
            assert_eq!(push(&mut producer), Pushed::Queued);
        }
        let pushed = producer.pushed();
        drop(producer);
        consumer.drain(9, |item| seen.take(item));
        assert!(seen.closed);
        assert_eq!(seen.delivered + seen.lost, pushed);
    }
}

#[test]
fn pushed_is_delivered_plus_lost_for_any_interleaving_of_two_threads() {
    let seeds = std::env::var("BUS_LANE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(40);
    for seed in 0..seeds {
        let mut random = Random(seed);
        let capacity = 4 + random.below(60) as usize;
        let (mut producer, mut consumer) = lane::essential::<u64>(capacity);
        let mut pushing = random.clone();
        let writer = std::thread::spawn(move || {
            for number in 0..20_000 {
                producer.push(at(number), number);
                if pushing.below(32) == 0 {
                    std::thread::yield_now();
                }
            }
            (producer.pushed(), producer.lost())
        });
        let mut seen = Seen::default();
        while !seen.closed {
            let taken = consumer.drain(1 + random.below(capacity as u64 * 2) as usize, |item| seen.take(item));
            if taken == 0 || random.below(4) == 0 {
                std::thread::yield_now();
            }
        }
        let (pushed, lost) = writer.join().expect("the producer does not panic");
        assert_eq!((seen.delivered + seen.lost, seen.lost), (pushed, lost), "seed {seed}");
        assert_eq!((consumer.delivered(), consumer.lost()), (seen.delivered, seen.lost), "seed {seed}");
    }
}

#[test]
fn the_latest_lane_gives_the_newest_value_and_says_whether_it_is_new() {
    let (mut writer, mut reader) = lane::latest(0);
    writer.write(1);
    writer.write(2);
    assert!(reader.updated());
    assert_eq!(reader.read(), 2);
    assert!(!reader.updated());
    assert_eq!(reader.read(), 2);
}

#[test]
fn the_trace_lane_drops_the_newest_and_counts() {
    let (mut producer, mut consumer) = lane::trace(3);
    (0..5).for_each(|number| producer.push(number));
    let mut seen = Vec::new();
    assert_eq!(consumer.drain(2, |number| seen.push(number)), 2);
    consumer.drain(9, |number| seen.push(number));
    assert_eq!((seen, consumer.dropped()), (vec![0, 1, 2], 2));
}
