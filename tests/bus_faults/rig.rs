//! The core with a clock in the hand and a disk of any mood: a poll is what the bus thread does in a millisecond.

#[path = "../bus_world/setup.rs"]
mod setup;

use std::sync::Arc;

use music_trainer::bus::core::{Core, Effects, Input, Now};
use music_trainer::bus::storage::{Batch, Storage, StorageError};
use music_trainer::bus::testing::{Test, check_fold};
use music_trainer::bus::{Envelope, MemoryStorage};
use music_trainer::time::{Micros, WallMillis};

/// Time between polls, as in the program.
pub(crate) const POLL: Micros = Micros(1_000);

/// How the disk answers.
#[derive(Clone, Debug)]
pub(crate) enum Disk {
    /// Before the next poll.
    Works,
    /// Not yet.
    Stands,
    /// With an error; nothing is written.
    Fails(StorageError),
}

/// See the module.
pub(crate) struct Rig {
    pub(crate) core: Core<Test, u64>,
    pub(crate) storage: MemoryStorage,
    pub(crate) now: Now,
    pub(crate) disk: Disk,
    /// The last event that is on the disk.
    pub(crate) on_disk: u64,
    fx: Effects<Test, u64>,
    /// With the persister.
    batch: Option<Batch>,
    /// Whether the persister waits to be told to try again.
    failed: bool,
}

impl Rig {
    pub(crate) fn new(buffer: (usize, usize), seed: u64) -> Self {
        let storage = MemoryStorage::new();
        let core = Core::new(setup::setup(&storage, buffer, 4_096, seed));
        let now = Now { mono: Micros(0), wall: WallMillis(1_700_000_000_000) };
        let (disk, fx) = (Disk::Works, Effects::default());
        Self { core, storage, now, disk, on_disk: 0, fx, batch: None, failed: false }
    }

    pub(crate) fn step(&mut self, input: Input<Test, u64>) {
        self.core.step(self.now, input, &mut self.fx);
    }

    /// One poll: what the disk has to say, then the time, then what came of both and of the inputs since the last.
    pub(crate) fn poll(&mut self) -> Effects<Test, u64> {
        self.now.mono += POLL;
        self.now.wall = WallMillis(1_700_000_000_000 + self.now.mono.0 / 1_000);
        if let Some(batch) = self.batch.take_if(|_| !self.failed) {
            match self.disk.clone() {
                Disk::Works => {
                    let committed = self.storage.commit(&batch).expect("batches follow each other");
                    self.on_disk = committed.durable;
                    self.step(Input::Committed);
                }
                Disk::Stands => self.batch = Some(batch),
                Disk::Fails(error) => {
                    (self.batch, self.failed) = (Some(batch), true);
                    self.step(Input::CommitFailed(error));
                }
            }
        }
        self.step(Input::Tick);
        for fetch in std::mem::take(&mut self.fx.fetches) {
            let read = self.storage.reader().events(fetch.from, fetch.max).expect("readable");
            let events = Ok(read.into_iter().map(|stored| Arc::new(Envelope::from_stored(stored))).collect());
            self.step(Input::Fetched { fetch, events });
        }
        let mut fx = std::mem::take(&mut self.fx);
        if let Some(commit) = fx.commit.take() {
            assert!(self.batch.is_none(), "one batch is out at a time");
            self.batch = Some(commit.encode());
        }
        if fx.retry {
            assert!(self.failed && self.batch.is_some(), "a retry follows a failure");
            self.failed = false;
        }
        fx
    }

    /// R1 and R3: every event has its fate, and the state is the fold of the log.
    pub(crate) fn check(&mut self) {
        let counts = *self.core.counts();
        assert_eq!(counts.published, counts.applied + counts.refused + counts.lost, "nothing disappears silently");
        check_fold(&*self.storage.reader(), &self.core.snapshot(self.now).state).expect("R3");
    }
}
