//! What a core starts from in simulated time: the store as it is, nothing read from outside.

use music_trainer::bus::core::Setup;
use music_trainer::bus::health::Health;
use music_trainer::bus::storage::Storage;
use music_trainer::bus::testing::Test;
use music_trainer::bus::{DeviceId, MemoryStorage, load, rows};

/// The machine that every simulated core is.
pub(crate) const DEVICE: DeviceId = DeviceId(5);

/// The store's end, with bounds of undurable events and their bytes, and of one commit's events.
pub(crate) fn setup(storage: &MemoryStorage, buffer: (usize, usize), commit_events: usize, seed: u64) -> Setup<Test> {
    let reader = storage.reader();
    let folded = load::load::<Test>(&*reader).expect("the store is whole");
    let saved = rows::subscribers(&*reader).expect("the store is whole");
    Setup {
        device: DEVICE,
        folded,
        saved,
        rest: Health::Ok,
        buffer,
        commit_events,
        snapshot_events: 10 + seed % 40,
        seed,
    }
}
