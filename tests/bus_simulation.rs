//! The core in simulated time: publishers, a failing disk, crashes and subscribers of every temper, from a seed.
//! `BUS_SEEDS` and `BUS_SEED` choose how many seeds and the first one.

mod bus_world;

use bus_world::{Tally, World};

/// Operations per seed.
const OPERATIONS: u64 = 500;
/// From so many seeds on, everything must have happened at least once.
const ENOUGH_SEEDS: u64 = 100;

#[test]
fn any_schedule_keeps_every_promise() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (first, seeds) = (number("BUS_SEED", 0), number("BUS_SEEDS", 10_000));
    let mut tally = Tally::default();
    for seed in first..first + seeds {
        let done = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..OPERATIONS {
                world.operate();
            }
            world.finish()
        });
        match done {
            Ok(seen) => tally.add(&seen),
            Err(_) => panic!("replay with BUS_SEED={seed} BUS_SEEDS=1"),
        }
    }
    println!("{seeds} seeds: {:?}", tally.figures());
    for (what, count) in tally.figures() {
        assert!(count > 0 || seeds < ENOUGH_SEEDS, "the seeds went through no {what}");
    }
}
