//! A simulated world around the core: one storage, one clock, publishers and two subscribers, driven by a seed.

mod setup;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use music_trainer::bus::core::{Core, Effects, Input, Now};
use music_trainer::bus::health::Health;
use music_trainer::bus::storage::{Batch, Storage, StorageError};
use music_trainer::bus::subscription::MAX_DELIVER;
use music_trainer::bus::testing::{Event, Random, Test, check_fold};
use music_trainer::bus::{
    Delivery, EntityKey, EventId, Expect, Filter, LetterDecision, MemoryStorage, Outcome, Publish, PublishError, Put,
    Start, rows,
};
use music_trainer::time::{Micros, Stamp, WallMillis};

/// A note that no handler can digest.
const POISON: u32 = 999;
/// Subscribers: the first publishes an echo of each note, the second only looks.
const NAMES: [&str; 2] = ["echo", "watcher"];

/// What became of a publication.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Asked,
    Applied(u64),
    Refused,
    Durable(u64),
}

/// See the module.
pub(crate) struct World {
    random: Random,
    storage: MemoryStorage,
    core: Core<Test, u64>,
    fx: Effects<Test, u64>,
    now: Now,
    /// With the persister.
    batch: Option<Batch>,
    failed: bool,
    mailboxes: [VecDeque<Delivery<Test>>; 2],
    taken: [Vec<Delivery<Test>>; 2],
    attached: [bool; 2],
    tickets: HashMap<u64, Fate>,
    next_ticket: u64,
    ids: Vec<EventId>,
    applied: u64,
    hlc: u64,
    /// Tries seen by subscriber and event, in this run.
    tries: HashMap<(usize, u64), u32>,
    /// Settled by subscriber and entity, to check the order.
    settled: HashMap<(usize, EntityKey), u64>,
    /// What was decided about dead letters, by ticket.
    decisions: HashMap<u64, (usize, u64, LetterDecision)>,
    /// Dead letters dropped, unless the drop was lost in a crash.
    dropped: HashSet<(usize, u64)>,
    dropped_in_this_run: HashSet<(usize, u64)>,
    /// Those of them that no crash may bring back.
    dropped_durably: HashSet<(usize, u64)>,
    /// Dead letters replayed in this run: they come after later events of their entity.
    late: HashSet<(usize, u64)>,
    replays: u64,
    crashes: u64,
}

fn new_core(storage: &MemoryStorage, seed: u64) -> Core<Test, u64> {
    Core::new(setup::setup(storage, (200, 1 << 20), 1 + seed as usize % 9, seed))
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let storage = MemoryStorage::new();
        let mut world = Self {
            random: Random(seed),
            core: new_core(&storage, seed),
            storage,
            fx: Effects::default(),
            now: Now { mono: Micros(0), wall: WallMillis(1_700_000_000_000) },
            batch: None,
            failed: false,
            mailboxes: Default::default(),
            taken: Default::default(),
            attached: [false; 2],
            tickets: HashMap::new(),
            next_ticket: 0,
            ids: Vec::new(),
            applied: 0,
            hlc: 0,
            tries: HashMap::new(),
            settled: HashMap::new(),
            decisions: HashMap::new(),
            dropped: HashSet::new(),
            dropped_durably: HashSet::new(),
            dropped_in_this_run: HashSet::new(),
            late: HashSet::new(),
            replays: 0,
            crashes: 0,
        };
        world.subscribe(0);
        world.subscribe(1);
        world
    }

    /// One random operation, then the cheap invariants.
    pub(crate) fn operate(&mut self) {
        match self.random.below(100) {
            0..35 => self.publish(),
            35..42 => self.transfer(),
            42..55 => self.pass_time(),
            55..72 => self.persist(),
            72..95 => self.subscriber(),
            95..97 => {
                let index = self.random.below(2) as usize;
                self.subscribe(index);
            }
            97 => self.crash(),
            98 => self.letter(),
            _ => self.tick(),
        }
        self.look();
    }

    fn step(&mut self, input: Input<Test, u64>) {
        self.core.step(self.now, input, &mut self.fx);
    }

    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket, Fate::Asked);
        self.next_ticket
    }

    fn publish(&mut self) {
        let (book, counter) = (format!("book/{}", self.random.below(4)), format!("counter/{}", self.random.below(2)));
        let pitch = if self.random.below(40) == 0 { POISON } else { self.random.below(128) as u32 };
        let (key, event) = match self.random.below(10) {
            0..6 => (book, Event::Note { pitch }),
            6 => (book, Event::Title(format!("title {pitch}"))),
            7 => (counter, Event::Remove),
            _ => (counter, Event::Add(self.random.below(9) as i64 - 3)),
        };
        let current = self.core.get(&key).map(|value| (value.version, value.last));
        let mut publish = Publish::new(key, event);
        publish = match self.random.below(6) {
            0 => publish.expect(Expect::Absent),
            1 => publish.expect(Expect::Exact(current.map_or(0, |(version, _)| version))),
            2 => publish.expect(Expect::Exact(self.random.below(5))),
            3 => match current {
                Some((_, last)) => publish.base(last),
                None => publish,
            },
            4 if !self.ids.is_empty() => publish.base(self.ids[self.random.below(self.ids.len() as u64) as usize]),
            _ => publish.stamp(Stamp::at(self.now.mono)),
        };
        let ticket = self.ticket();
        self.step(Input::Publish(publish, Some(ticket)));
    }

    /// Moves a number from one purse to another; sometimes the last part is refused.
    fn transfer(&mut self) {
        let amount = self.random.below(5) as i64;
        let mut items = vec![
            Publish::new("purse/a", Event::Add(amount + 2)),
            Publish::new("purse/b", Event::Add(1)),
            Publish::new("purse/a", Event::Add(-1)),
            Publish::new("purse/b", Event::Add(amount)),
        ];
        if self.random.below(3) == 0 {
            items.push(Publish::new("purse/c", Event::Add(-1)));
        }
        let ticket = self.ticket();
        self.step(Input::Transact(items, Some(ticket)));
    }

    fn pass_time(&mut self) {
        let by = [100, 1_000, 60_000, 250_000, 6_000_000][self.random.below(5) as usize];
        self.now.mono += Micros(by);
        self.now.wall += WallMillis(by / 1_000);
        if self.random.below(10) == 0 {
            self.now.wall += WallMillis(self.random.below(7_200_000) as i64 - 3_600_000);
        }
        self.tick();
    }

    fn tick(&mut self) {
        self.step(Input::Tick);
    }

    fn persist(&mut self) {
        let Some(batch) = self.batch.take() else { return self.tick() };
        if self.failed {
            // Waits for the core to say when.
            self.batch = Some(batch);
            return self.tick();
        }
        if self.random.below(4) == 0 {
            self.failed = true;
            self.batch = Some(batch);
            let error =
                if self.random.below(2) == 0 { StorageError::Full("x".into()) } else { StorageError::Io("x".into()) };
            return self.step(Input::CommitFailed(error));
        }
        self.storage.commit(&batch).expect("batches follow each other");
        self.step(Input::Committed);
        self.tick();
    }

    fn subscribe(&mut self, index: usize) {
        self.mailboxes[index].clear();
        self.taken[index].clear();
        self.attached[index] = true;
        let filter = if index == 0 { Filter::topic("book.note") } else { Filter::all().entity("book/") };
        self.step(Input::Subscribe { name: NAMES[index].into(), filter, start: Start::Beginning });
    }

    /// A subscriber takes, acknowledges, refuses, forgets, or does it twice.
    fn subscriber(&mut self) {
        let index = self.random.below(2) as usize;
        if let Some(delivery) = self.mailboxes[index].pop_front() {
            self.check_delivery(index, &delivery);
            let place = self.core.subscriber(NAMES[index]).expect("it subscribed");
            self.step(Input::Taken { index: place, number: delivery.number });
            self.taken[index].push(delivery);
        }
        if self.taken[index].is_empty() || self.random.below(4) == 0 {
            return;
        }
        let which = self.random.below(self.taken[index].len() as u64) as usize;
        let delivery = self.taken[index][which].clone();
        if self.random.below(8) > 0 {
            self.taken[index].remove(which);
        }
        let poison = delivery.envelope.event() == Some(&Event::Note { pitch: POISON });
        let outcome = match self.random.below(12) {
            _ if poison => Outcome::Nak { delay: Micros::ZERO, reason: "poison".to_owned() },
            0 => Outcome::Nak { delay: Micros(1_000), reason: "not now".to_owned() },
            1 if index == 1 => Outcome::Term("no taste".to_owned()),
            2 => return,
            _ => self.ack(index, &delivery),
        };
        self.settle(index, &delivery, outcome);
    }

    fn ack(&mut self, index: usize, delivery: &Delivery<Test>) -> Outcome<Test> {
        let publish = if index == 0 { vec![Publish::new("echo/all", Event::Add(1)).actor("echo")] } else { Vec::new() };
        let key = delivery.envelope.seq.to_be_bytes().to_vec();
        Outcome::Ack { publish, put: vec![Put { key, value: Some(vec![1]) }] }
    }

    fn settle(&mut self, index: usize, delivery: &Delivery<Test>, outcome: Outcome<Test>) {
        let (name, seq, number) = (NAMES[index].into(), delivery.envelope.seq, delivery.number);
        self.step(Input::Settle { name, seq, number, outcome, reply: None });
    }

    /// At most so many tries; in order per entity; only what is durable.
    fn check_delivery(&mut self, index: usize, delivery: &Delivery<Test>) {
        let envelope = &delivery.envelope;
        assert!(envelope.seq <= self.core.durable(), "only durable events leave");
        assert!(delivery.tries <= MAX_DELIVER, "{} tries", delivery.tries);
        let before = self.tries.insert((index, envelope.seq), delivery.tries).unwrap_or(0);
        assert!(delivery.tries >= before, "tries do not go back");
        let here = (index, envelope.seq);
        assert!(!self.dropped_in_this_run.contains(&here), "what was dropped is not delivered");
        assert!(!self.dropped_durably.contains(&here), "what was dropped durably is not delivered in a later run");
        // The drop was lost in a crash, and so was the letter.
        self.dropped.remove(&here);
        if self.late.contains(&here) {
            return;
        }
        let last = self.settled.entry((index, envelope.entity.clone())).or_insert(0);
        assert!(envelope.seq >= *last, "order is kept per entity");
        *last = envelope.seq;
    }

    /// Somebody replays or drops a dead letter, if there is one.
    fn letter(&mut self) {
        let letters: Vec<_> = self.core.dead_letters().collect();
        if letters.is_empty() {
            return;
        }
        let letter = &letters[self.random.below(letters.len() as u64) as usize];
        let index = NAMES.iter().position(|name| *name == letter.subscriber).expect("known");
        let decision = if self.random.below(3) == 0 { LetterDecision::Drop } else { LetterDecision::Replay };
        let ticket = self.ticket();
        self.decisions.insert(ticket, (index, letter.seq, decision));
        self.step(Input::Letter { name: NAMES[index].into(), seq: letter.seq, decision, reply: Some(ticket) });
    }

    /// The bus took a decision about a dead letter.
    fn decided(&mut self, index: usize, seq: u64, decision: LetterDecision) {
        let here = (index, seq);
        if decision == LetterDecision::Drop {
            self.dropped.insert(here);
            self.dropped_in_this_run.insert(here);
        } else {
            self.dropped.remove(&here);
            self.tries.remove(&here);
            self.late.insert(here);
            self.replays += 1;
        }
    }

    /// The process dies: what was not committed is gone, and so is every delivery.
    fn crash(&mut self) {
        self.crashes += 1;
        if let Some(batch) = self.batch.take()
            && self.random.below(2) == 0
        {
            // The commit succeeded, and nobody heard of it.
            self.storage.commit(&batch).expect("batches follow each other");
        }
        self.failed = false;
        self.fx = Effects::default();
        let reader = self.storage.reader();
        let end = reader.last().expect("readable");
        for fate in self.tickets.values() {
            if let Fate::Durable(seq) = fate {
                assert!(*seq <= end.seq, "what was called durable is there");
            }
        }
        self.tickets.clear();
        self.core = new_core(&self.storage, self.crashes);
        check_fold(&*reader, &self.core.snapshot(self.now).state).expect("the state is the fold of the log");
        (self.applied, self.hlc) = (end.seq, end.hlc);
        self.ids.truncate(end.seq as usize);
        for letter in self.core.dead_letters() {
            let index = NAMES.iter().position(|name| *name == letter.subscriber).expect("known");
            assert!(!self.dropped_durably.contains(&(index, letter.seq)), "what was dropped durably stays away");
        }
        self.tries.clear();
        self.decisions.clear();
        self.late.clear();
        self.dropped_in_this_run.clear();
        self.settled.clear();
        self.now.mono += Micros(1_000_000);
        self.subscribe(0);
        self.subscribe(1);
    }

    /// Carries out the effects and checks what must hold after each operation.
    fn look(&mut self) {
        let mut fx = std::mem::take(&mut self.fx);
        for envelope in fx.applied.drain(..) {
            assert_eq!(envelope.seq, self.applied + 1, "gapless");
            assert_eq!(envelope.id, EventId { device: setup::DEVICE, device_seq: envelope.seq });
            assert!(envelope.hlc > self.hlc, "the hybrid clock never stands or goes back");
            (self.applied, self.hlc) = (envelope.seq, envelope.hlc);
            self.ids.push(envelope.id);
        }
        for (ticket, result) in fx.answers.drain(..) {
            if let Some((index, seq, decision)) = self.decisions.get(&ticket).copied() {
                match &result {
                    Ok(applied) => assert_eq!(applied.seq, seq),
                    Err(error) => {
                        assert!(matches!(error, PublishError::ReadOnly(_)), "a letter that is there: {error}")
                    }
                }
                if result.is_ok() {
                    self.decided(index, seq, decision);
                }
            }
            let fate = match result {
                Ok(applied) => Fate::Applied(applied.seq),
                Err(PublishError::Closed | PublishError::Superseded) => panic!("not an answer to a publisher"),
                Err(_) => Fate::Refused,
            };
            assert!(self.tickets.insert(ticket, fate) == Some(Fate::Asked), "one answer each");
        }
        for (ticket, seq) in fx.durable.drain(..) {
            assert!(seq <= self.core.durable(), "called durable when it is");
            assert!(self.tickets.insert(ticket, Fate::Durable(seq)) == Some(Fate::Applied(seq)));
            if let Some((index, seq, LetterDecision::Drop)) = self.decisions.get(&ticket) {
                self.dropped_durably.insert((*index, *seq));
            }
        }
        if let Some(batch) = fx.commit.take() {
            assert!(self.batch.is_none(), "one batch is out at a time");
            self.batch = Some(batch.encode());
        }
        if fx.retry {
            assert!(self.failed && self.batch.is_some(), "a retry follows a failure");
            self.failed = false;
        }
        for (place, delivery) in fx.deliveries.drain(..) {
            let index = (0..2).find(|index| self.core.subscriber(NAMES[*index]) == Some(place)).expect("known");
            self.mailboxes[index].push_back(delivery);
        }
        for fetch in fx.fetches.drain(..) {
            let read = self.storage.reader().events(fetch.from, fetch.max).expect("readable");
            let share = |stored| Arc::new(music_trainer::bus::Envelope::from_stored(stored));
            let events = match self.random.below(5) {
                0 => Err(StorageError::Io("x".into())),
                _ => Ok(read.into_iter().map(share).collect()),
            };
            self.core.step(self.now, Input::Fetched { fetch, events }, &mut self.fx);
        }
        self.check_state();
    }

    fn check_state(&mut self) {
        let snapshot = self.core.snapshot(self.now);
        assert_eq!(snapshot.applied, self.applied);
        assert!(snapshot.durable <= snapshot.applied);
        let count = |key: &str| snapshot.state.value(key).map_or(0, |value| value.count);
        assert_eq!(count("purse/a"), count("purse/b"), "no half transaction is ever seen");
        assert_eq!(count("purse/c"), 0);
        let counts = self.core.counts();
        assert_eq!(counts.published, counts.applied + counts.refused + counts.lost, "nothing disappears silently");
    }

    /// Peace: the disk works, subscribers do their work, and the sums must be right. Gives what it went through.
    pub(crate) fn finish(&mut self) -> Tally {
        for round in 0.. {
            assert!(round < 5_000, "it comes to rest: {:?}", self.core.subscribers_seen());
            self.now.mono += Micros(700_000);
            self.now.wall += WallMillis(700);
            self.tick();
            self.look();
            if let Some(batch) = self.batch.take_if(|_| !self.failed) {
                self.storage.commit(&batch).expect("batches follow each other");
                self.step(Input::Committed);
                self.look();
            }
            for (index, name) in NAMES.iter().enumerate() {
                while let Some(delivery) = self.mailboxes[index].pop_front() {
                    self.check_delivery(index, &delivery);
                    let place = self.core.subscriber(name).expect("it subscribed");
                    self.step(Input::Taken { index: place, number: delivery.number });
                    let poison = delivery.envelope.event() == Some(&Event::Note { pitch: POISON });
                    let outcome = match poison {
                        true => Outcome::Nak { delay: Micros::ZERO, reason: "poison".to_owned() },
                        false => self.ack(index, &delivery),
                    };
                    self.settle(index, &delivery, outcome);
                    self.look();
                }
            }
            let rest = self.core.subscribers_seen().iter().all(|seen| seen.pending + seen.held == 0 && seen.lag == 0);
            if rest && self.core.is_clean() && self.core.snapshot(self.now).health == Health::Ok {
                break;
            }
            if rest && !self.core.is_clean() {
                self.step(Input::Flush);
            }
        }
        self.check_end()
    }

    fn check_end(&mut self) -> Tally {
        let reader = self.storage.reader();
        let snapshot = self.core.snapshot(self.now);
        assert_eq!(snapshot.durable, snapshot.applied);
        check_fold(&*reader, &snapshot.state).expect("the state is the fold of the log");
        for fate in self.tickets.values() {
            assert!(matches!(fate, Fate::Refused | Fate::Durable(_)), "every ticket has its last answer");
        }
        let letters = rows::dead_letters(&*reader).expect("readable");
        let dead: HashSet<(String, u64)> = letters.iter().map(|l| (l.subscriber.clone(), l.seq)).collect();
        assert_eq!(dead.len(), letters.len());
        let events = reader.events(1, usize::MAX).expect("readable");
        let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
        for event in &events {
            let (topic, seq) = (&*event.header.topic, event.header.seq);
            let is_dead = |name: &str| dead.contains(&(name.to_owned(), seq));
            let is_dropped = |index| self.dropped.contains(&(index, seq));
            if topic == "book.note" && !is_dead("echo") && !is_dropped(0) {
                *expected.entry("echo").or_default() += 1;
            }
            let wants = [topic == "book.note", event.header.entity.starts_with("book/")];
            for (index, name) in NAMES.iter().enumerate() {
                let key = music_trainer::bus::subscription::row_key(name, &seq.to_be_bytes());
                let rows = reader.rows(music_trainer::bus::storage::Table::Private, &key).expect("readable");
                assert_eq!(
                    rows.len() == 1,
                    wants[index] && !is_dead(name) && !is_dropped(index),
                    "{name} has handled {seq} once"
                );
            }
        }
        let echoes = snapshot.state.value("echo/all").map_or(0, |value| value.count);
        assert_eq!(echoes, expected.get("echo").copied().unwrap_or(0), "each note has its echo exactly once");
        let pending = reader.rows(music_trainer::bus::storage::Table::Pending, &[]).expect("readable");
        assert!(pending.is_empty(), "no record of a try outlives its event");
        for letter in letters.iter().filter(|letter| letter.error == "poison") {
            assert_eq!(letter.tries, MAX_DELIVER, "given up after exactly so many tries");
        }
        Tally {
            events: events.len() as u64,
            crashes: self.crashes,
            dead_letters: letters.len() as u64,
            redelivered: self.core.subscribers_seen().iter().map(|seen| seen.redelivered).sum(),
            conflicts: self.core.counts().conflicts,
            failures: self.core.counts().commit_failures,
            echoes: echoes as u64,
            replays: self.replays,
            drops: self.dropped.len() as u64,
        }
    }
}

/// What a seed went through, so that a test can say that it went through something.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) crashes: u64,
    pub(crate) dead_letters: u64,
    pub(crate) redelivered: u64,
    pub(crate) conflicts: u64,
    pub(crate) failures: u64,
    pub(crate) echoes: u64,
    pub(crate) replays: u64,
    pub(crate) drops: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.crashes += other.crashes;
        self.dead_letters += other.dead_letters;
        self.redelivered += other.redelivered;
        self.conflicts += other.conflicts;
        self.failures += other.failures;
        self.echoes += other.echoes;
        self.replays += other.replays;
        self.drops += other.drops;
    }

    /// Each figure, by name.
    pub(crate) fn figures(&self) -> [(&'static str, u64); 9] {
        [
            ("events", self.events),
            ("crashes", self.crashes),
            ("dead letters", self.dead_letters),
            ("redeliveries", self.redelivered),
            ("conflicts", self.conflicts),
            ("failed commits", self.failures),
            ("echoes", self.echoes),
            ("replays", self.replays),
            ("drops", self.drops),
        ]
    }
}
