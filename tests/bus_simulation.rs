//! The core in simulated time: publishers, a failing disk, crashes and subscribers of every temper, from a seed.
//! `BUS_SEEDS` and `BUS_SEED` choose how many seeds and the first one.

mod bus_world;

use bus_world::World;

/// Operations per seed.
const OPERATIONS: u64 = 500;

#[test]
fn any_schedule_keeps_every_promise() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let first = number("BUS_SEED", 0);
    for seed in first..first + number("BUS_SEEDS", 300) {
        let done = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..OPERATIONS {
                world.operate();
            }
            world.finish();
        });
        assert!(done.is_ok(), "replay with BUS_SEED={seed} BUS_SEEDS=1");
    }
}
