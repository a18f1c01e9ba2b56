//! Leases: one author edits for a while, in simulated time.

#[path = "bus_world/setup.rs"]
mod setup;

use music_trainer::bus::core::{Core, Effects, Input, Now};
use music_trainer::bus::lease::{self, LEASE_MAX};
use music_trainer::bus::storage::Storage;
use music_trainer::bus::testing::{Event, Test, check_fold};
use music_trainer::bus::{EntityKey, Lease, Leasing, MemoryStorage, Publish, PublishError};
use music_trainer::time::{Micros, WallMillis};

struct Rig {
    core: Core<Test, u64>,
    storage: MemoryStorage,
    now: Now,
}

impl Rig {
    fn on(storage: MemoryStorage, wall: i64) -> Self {
        let core = Core::new(setup::setup(&storage, (100_000, usize::MAX), 4_096, 1));
        Self { core, storage, now: Now { mono: Micros(0), wall: WallMillis(wall) } }
    }

    /// One input; gives what was answered, once it is durable.
    fn step(&mut self, input: Input<Test, u64>) -> Result<u64, PublishError<Test>> {
        let mut fx = Effects::default();
        self.core.step(self.now, input, &mut fx);
        let answer = fx.answers.drain(..).next().map(|(_, answer)| answer);
        self.core.step(self.now, Input::Tick, &mut fx);
        while let Some(batch) = fx.commit.take() {
            self.storage.commit(&batch.encode()).expect("a commit");
            self.core.step(self.now, Input::Committed, &mut fx);
            self.core.step(self.now, Input::Tick, &mut fx);
        }
        answer.map_or(Ok(0), |answer| answer.map(|applied| applied.seq))
    }

    fn publish(&mut self, actor: &'static str, entity: &str, event: Event) -> Result<u64, PublishError<Test>> {
        self.step(Input::Publish(Publish::new(entity, event).actor(actor), Some(1)))
    }

    fn take(&mut self, actor: &'static str, leased: &str, millis: i64) -> Result<u64, PublishError<Test>> {
        let lease = Lease { holder: actor.to_owned(), until: self.now.wall + WallMillis(millis) };
        let key = lease::key(&EntityKey::new(leased));
        self.publish(actor, key.as_str(), Event::Leasing(Leasing::Taken(lease)))
    }

    fn pass(&mut self, millis: i64) {
        self.now.mono += Micros(millis * 1_000);
        self.now.wall += WallMillis(millis);
        self.step(Input::Tick).expect("no answer");
    }
}

fn holder(result: Result<u64, PublishError<Test>>) -> String {
    match result {
        Err(PublishError::Leased { lease, .. }) => lease.holder,
        other => panic!("held back, not {other:?}"),
    }
}

fn title(text: &str) -> Event {
    Event::Title(text.to_owned())
}

#[test]
fn only_the_holder_edits_and_what_is_played_is_never_held_back() {
    let mut rig = Rig::on(MemoryStorage::new(), 1_000_000);
    rig.publish("importer", "book/1", title("before")).expect("nobody holds it");
    rig.take("person", "book/1", 10_000).expect("it is free");
    assert_eq!(holder(rig.publish("importer", "book/1", title("meanwhile"))), "person");
    assert_eq!(holder(rig.take("importer", "book/1", 10_000)), "person");
    let give_back = Event::Leasing(Leasing::Ended);
    assert_eq!(holder(rig.publish("importer", "lease/book/1", give_back.clone())), "person");
    rig.publish("person", "book/1", title("mine")).expect("it is the holder's");
    rig.publish("importer", "book/2", title("another")).expect("another entity");
    rig.publish("importer", "book/1", Event::Note { pitch: 60 }).expect("played notes are kept");
    rig.pass(6_000);
    rig.take("person", "book/1", 10_000).expect("taken again before it is over");
    rig.pass(6_000);
    assert_eq!(holder(rig.publish("importer", "book/1", title("meanwhile"))), "person");
    rig.publish("person", "lease/book/1", give_back).expect("the holder's to give");
    rig.publish("importer", "book/1", title("after")).expect("it is free");
    let snapshot = rig.core.snapshot(rig.now);
    assert_eq!(*snapshot.state.value("book/1").expect("a value").title, "after");
    check_fold(&rig.storage, &snapshot.state).expect("leases are events like any other");
}

#[test]
fn the_end_of_its_time_is_an_event() {
    let mut rig = Rig::on(MemoryStorage::new(), 5);
    let taken = rig.take("person", "book/1", 3_000).expect("it is free");
    rig.pass(2_999);
    assert_eq!(holder(rig.publish("importer", "book/1", title("early"))), "person");
    rig.pass(1);
    let snapshot = rig.core.snapshot(rig.now);
    assert_eq!(snapshot.applied, taken + 1, "one event says that it is over");
    let last = rig.core.recent(1).next().expect("an event").clone();
    assert_eq!(
        (last.entity.as_str(), &*last.actor, last.event()),
        ("lease/book/1", "bus", Some(&Event::Leasing(Leasing::Ended)))
    );
    rig.publish("importer", "book/1", title("in time")).expect("it is free");
    rig.pass(60_000);
    assert_eq!(rig.core.snapshot(rig.now).applied, taken + 2, "and says so once");
}

#[test]
fn a_lease_outlives_its_program_and_not_its_time_and_half_a_transaction_leaves_none() {
    let storage = MemoryStorage::new();
    let mut rig = Rig::on(storage.clone(), 100);
    rig.take("person", "book/1", 5_000).expect("it is free");
    // A second lease in a transaction that is refused.
    let lease = Lease { holder: "importer".to_owned(), until: WallMillis(9_000) };
    let items = vec![
        Publish::new("lease/book/2", Event::Leasing(Leasing::Taken(lease))).actor("importer"),
        Publish::new("counter/1", Event::Add(-1)).actor("importer"),
    ];
    rig.step(Input::Transact(items, Some(1))).expect_err("below zero");
    rig.publish("person", "book/2", title("free")).expect("nobody has it");
    // And one that takes a lease away and is refused.
    let items = vec![
        Publish::new("lease/book/1", Event::Leasing(Leasing::Ended)).actor("person"),
        Publish::new("counter/1", Event::Add(-1)).actor("person"),
    ];
    rig.step(Input::Transact(items, Some(1))).expect_err("below zero");
    assert_eq!(holder(rig.publish("importer", "book/1", title("early"))), "person");

    let mut again = Rig::on(storage.clone(), 1_100);
    assert_eq!(holder(again.publish("importer", "book/1", title("early"))), "person");
    let mut late = Rig::on(storage, 5_200);
    late.publish("importer", "book/1", title("late")).expect("its time is over, although nobody was there to say so");
    let snapshot = late.core.snapshot(late.now);
    assert_eq!(snapshot.state.value("lease/book/1").and_then(|v| v.shared.clone()).and_then(|s| s.lease), None);
}

#[test]
fn no_lease_is_longer_than_ten_minutes_at_once() {
    use music_trainer::bus::{Config, start};
    use music_trainer::time::{Clock, ManualClock};
    use std::sync::Arc;
    let clock = Arc::new(ManualClock::default());
    let bus = start::<Test>(Config::default(), clock.clone(), Box::new(MemoryStorage::new())).expect("a bus");
    let leased = EntityKey::new("book/1");
    let taken = bus.lease(&leased, "person", WallMillis(i64::MAX)).expect("a domain with leases").applied();
    taken.expect("it is free");
    let lease = bus.snapshot().state.value("lease/book/1").and_then(|v| v.shared.clone()).and_then(|s| s.lease);
    assert_eq!(lease, Some(Lease { holder: "person".to_owned(), until: clock.wall() + LEASE_MAX }));
    bus.release(&leased, "person").expect("a domain with leases").durable().expect("the holder's to give");
    let other = Publish::new(leased, title("free")).actor("importer");
    bus.publish(other).applied().expect("it is free");
}
