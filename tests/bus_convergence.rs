//! Five machines that edit the same things, cut off from each other, with events that come twice, out of order, by way
//! of a third, and with clocks that are wrong: in the end all of them have the same state.
//! `CONVERGENCE_SEEDS` and `CONVERGENCE_SEED` choose how many seeds (5 000) and the first one.

use std::collections::{BTreeMap, HashSet};

use music_trainer::bus::core::{Core, Effects, Input, Now, Setup};
use music_trainer::bus::health::Health;
use music_trainer::bus::hlc::DRIFT_MAX_MILLIS;
use music_trainer::bus::storage::{Batch, Storage, StoredEvent};
use music_trainer::bus::testing::{Event, Random, Test, Value, check_fold};
use music_trainer::bus::{DeviceId, EntityKey, EventId, MemoryStorage, Publish, PublishError, load, rows};
use music_trainer::time::{Micros, WallMillis};

const MACHINES: usize = 5;
/// Operations per seed.
const OPERATIONS: u64 = 500;
/// From so many seeds on, everything must have happened at least once.
const ENOUGH_SEEDS: u64 = 100;

struct Machine {
    device: DeviceId,
    storage: MemoryStorage,
    core: Core<Test, u64>,
    now: Now,
    /// What [`Event::Total`] said last, by entity.
    totals: BTreeMap<String, u64>,
}

/// What a seed went through.
#[derive(Default)]
struct Tally {
    edits: u64,
    delivered: u64,
    duplicates: u64,
    early: u64,
    quarantined: u64,
    conflicts: u64,
    restarts: u64,
}

impl Tally {
    fn figures(&self) -> [(&'static str, u64); 7] {
        [
            ("edits", self.edits),
            ("deliveries", self.delivered),
            ("duplicates", self.duplicates),
            ("events that came too early", self.early),
            ("quarantined events", self.quarantined),
            ("conflicts", self.conflicts),
            ("restarts", self.restarts),
        ]
    }
}

fn core_on(storage: &MemoryStorage, device: DeviceId) -> Core<Test, u64> {
    let reader = storage.reader();
    let folded = load::load::<Test>(&*reader).expect("the store is whole");
    let saved = rows::subscribers(&*reader).expect("the store is whole");
    let buffer = (100_000, usize::MAX);
    Core::new(Setup {
        device,
        folded,
        saved,
        rest: Health::Ok,
        buffer,
        commit_events: 64,
        snapshot_events: 100,
        seed: device.0,
    })
}

impl Machine {
    fn new(number: u64) -> Self {
        let (device, mut storage) = (DeviceId(100 + number), MemoryStorage::new());
        storage.commit(&Batch { rows: vec![rows::device_row(device)], ..Batch::default() }).expect("it works");
        let wall = WallMillis(1_700_000_000_000 + number as i64 * 40_000);
        let now = Now { mono: Micros(0), wall };
        Self { device, core: core_on(&storage, device), storage, now, totals: BTreeMap::new() }
    }

    /// One input, made durable at once.
    fn tell(&mut self, input: Input<Test, u64>) -> Result<(), PublishError<Test>> {
        let mut fx = Effects::default();
        self.core.step(self.now, input, &mut fx);
        let answer = fx.answers.pop().expect("an answer").1.map(|_| ());
        self.core.step(self.now, Input::Flush, &mut fx);
        self.core.step(self.now, Input::Tick, &mut fx);
        while let Some(batch) = fx.commit.take() {
            self.storage.commit(&batch.encode()).expect("batches follow each other");
            self.core.step(self.now, Input::Committed, &mut fx);
            self.core.step(self.now, Input::Tick, &mut fx);
        }
        answer
    }

    fn log(&self) -> Vec<StoredEvent> {
        self.storage.reader().events(1, usize::MAX).expect("readable")
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.core.get(key).and_then(|versioned| versioned.value.as_ref())
    }

    /// What must be the same everywhere: every value that edits of all machines made.
    fn digest(&mut self) -> BTreeMap<EntityKey, Option<Value>> {
        let snapshot = self.core.snapshot(self.now);
        let shared = snapshot.state.iter().filter(|(key, _)| key.kind() != "met");
        shared.map(|(key, versioned)| (key.clone(), versioned.value.clone())).collect()
    }
}

struct World {
    random: Random,
    machines: Vec<Machine>,
    /// Which machines hear each other.
    cut: [[bool; MACHINES]; MACHINES],
    tally: Tally,
}

impl World {
    fn new(seed: u64) -> Self {
        let machines = (0..MACHINES as u64).map(Machine::new).collect();
        Self { random: Random(seed), machines, cut: Default::default(), tally: Tally::default() }
    }

    fn some(&mut self) -> usize {
        self.random.below(MACHINES as u64) as usize
    }

    fn operate(&mut self) {
        match self.random.below(100) {
            0..40 => self.edit(),
            40..90 => self.deliver(),
            90..94 => {
                let (a, b) = (self.some(), self.some());
                self.cut[a][b] ^= true;
            }
            94..98 => self.pass_time(),
            _ => self.restart(),
        }
    }

    fn edit(&mut self) {
        let at = self.some();
        let key = format!("book/{}", self.random.below(3));
        let word = format!("word {}", self.random.below(4));
        let machine = &mut self.machines[at];
        let seen = machine.value(&key).and_then(|value| value.shared.as_deref()).cloned().unwrap_or_default();
        let (mut key, mut title) = (key, None);
        let event = match self.random.below(7) {
            0 => {
                title = Some(format!("{word} of {}", machine.device.0));
                Event::Title(title.clone().unwrap_or_default())
            }
            1 => Event::Best(self.random.below(50)),
            2 => {
                let total = machine.totals.entry(key.clone()).or_default();
                *total += self.random.below(9);
                Event::Total(*total)
            }
            3 => Event::Tag(word),
            4 => Event::Untag(seen.tags.iter().filter(|(_, tag)| **tag == word).map(|(id, _)| id).collect()),
            5 => Event::Name { name: word, seen: seen.names.seen() },
            _ => {
                // What is played belongs to one machine.
                key = format!("take/{}", machine.device.0);
                Event::Note { pitch: self.random.below(128) as u32 }
            }
        };
        let mut publish = Publish::new(&*key, event);
        if let Some(seen) = machine.core.get(&key) {
            publish = publish.base(seen.last);
        }
        machine.tell(Input::Publish(publish, Some(0))).expect("no edit here is refused");
        self.tally.edits += 1;
        if let Some(title) = title {
            let kept = machine.value(&key).map(|value| (*value.title).clone());
            assert_eq!(kept, Some(title), "whoever has seen all others is the last writer");
        }
    }

    /// Some event that one machine knows, its own or not, comes to another; perhaps once more, perhaps too early.
    fn deliver(&mut self) {
        let (from, to) = (self.some(), self.some());
        if from == to || self.cut[from][to] {
            return;
        }
        let log = self.machines[from].log();
        if log.is_empty() {
            return;
        }
        // Mostly what is next; else anything.
        let known: HashSet<EventId> = self.machines[to].log().iter().map(|event| event.header.id).collect();
        let next = log.iter().position(|event| shared(event) && !known.contains(&event.header.id));
        let any = self.random.below(log.len() as u64) as usize;
        let first = if self.random.below(4) == 0 { any } else { next.unwrap_or(any) };
        for at in (first..log.len()).take(8).filter(|at| shared(&log[*at])) {
            self.hand_over(to, &log, at);
        }
    }

    /// An event of a log comes to a machine.
    fn hand_over(&mut self, to: usize, log: &[StoredEvent], at: usize) {
        let event = log[at].clone();
        let before = |earlier: &&StoredEvent| earlier.header.id.device == event.header.id.device && shared(earlier);
        let follows = log[..at].iter().rfind(before).map_or(0, |earlier| earlier.header.id.device_seq);
        let machine = &mut self.machines[to];
        let own = event.header.id.device == machine.device;
        let before = machine.core.applied();
        match machine.tell(Input::Remote { event: Box::new(event), follows, reply: Some(0) }) {
            Ok(()) => {
                assert!(!own, "a machine's own events do not come again");
                self.tally.delivered += 1;
                return;
            }
            Err(PublishError::AlreadyHere) => self.tally.duplicates += 1,
            Err(PublishError::NotYet(_)) => self.tally.early += 1,
            Err(PublishError::Quarantined) => self.tally.quarantined += 1,
            Err(error) => panic!("{error}"),
        }
        assert_eq!(machine.core.applied(), before, "what is not taken leaves nothing behind");
    }

    /// Clocks go at their own pace, jump back, and leap ahead.
    fn pass_time(&mut self) {
        let at = self.some();
        let by = match self.random.below(8) {
            0 => -3_600_000,
            1 => DRIFT_MAX_MILLIS * 3,
            _ => self.random.below(60_000) as i64,
        };
        let now = &mut self.machines[at].now;
        now.mono += Micros(1_000_000);
        now.wall += WallMillis(by);
    }

    fn restart(&mut self) {
        let at = self.some();
        let machine = &mut self.machines[at];
        machine.core = core_on(&machine.storage, machine.device);
        self.tally.restarts += 1;
    }

    /// Everybody hears everybody, and the clocks are set.
    fn finish(mut self) -> Tally {
        // Later than any clock has been.
        let latest = WallMillis(1_700_000_000_000 + OPERATIONS as i64 * DRIFT_MAX_MILLIS * 3);
        for machine in &mut self.machines {
            machine.now.wall = latest;
        }
        for _ in 0..2 {
            for from in 0..MACHINES {
                let log = self.machines[from].log();
                for to in (0..MACHINES).filter(|to| *to != from) {
                    for at in (0..log.len()).filter(|at| shared(&log[*at])) {
                        self.hand_over(to, &log, at);
                    }
                }
            }
        }
        let digests: Vec<_> = self.machines.iter_mut().map(Machine::digest).collect();
        for digest in &digests {
            assert_eq!(*digest, digests[0], "all machines have the same state");
        }
        let edits = self.tally.edits;
        for machine in &mut self.machines {
            let state = machine.core.snapshot(machine.now).state;
            check_fold(&*machine.storage.reader(), &state).expect("the state is the fold of the log");
            let known = machine.log().iter().filter(|event| shared(event)).count() as u64;
            assert_eq!(known, edits, "every edit is everywhere once");
            self.tally.conflicts += machine.core.counts().conflicts;
        }
        self.tally
    }
}

/// Conflicts are each machine's own findings.
fn shared(event: &StoredEvent) -> bool {
    &*event.header.topic != "any.met"
}

/// What happens from a seed on, to the end.
fn story(seed: u64) -> Tally {
    let done = std::panic::catch_unwind(|| {
        let mut world = World::new(seed);
        for _ in 0..OPERATIONS {
            world.operate();
        }
        world.finish()
    });
    done.unwrap_or_else(|_| panic!("replay with CONVERGENCE_SEED={seed} CONVERGENCE_SEEDS=1"))
}

#[test]
fn machines_that_were_apart_come_to_the_same_state() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (first, seeds) = (number("CONVERGENCE_SEED", 0), number("CONVERGENCE_SEEDS", 5_000));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut sums = Tally::default().figures();
    std::thread::scope(|scope| {
        let part = |thread: u64| move || (first + thread..first + seeds).step_by(threads as usize).map(story).collect();
        let parts: Vec<std::thread::ScopedJoinHandle<'_, Vec<Tally>>> =
            (0..threads).map(|thread| scope.spawn(part(thread))).collect();
        let tallies = parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
        for tally in tallies.collect::<Vec<Tally>>() {
            for (sum, (_, count)) in sums.iter_mut().zip(tally.figures()) {
                sum.1 += count;
            }
        }
    });
    println!("{seeds} seeds: {sums:?}");
    for (what, count) in sums {
        assert!(count > 0 || seeds < ENOUGH_SEEDS, "the seeds went through no {what}");
    }
}
