//! What the inspector is told of the bus and the store: when an event got where, how much is on disk and in which table.

use std::sync::Arc;
use std::time::Duration;

use music_trainer::bus::inspect::Report;
use music_trainer::bus::storage::Erasure;
use music_trainer::bus::storage::{Storage as _, StoreSize};
use music_trainer::bus::testing::{Event, Test};
use music_trainer::bus::{BusHandle, Config, MemoryStorage, Publish, start};
use music_trainer::store::{OpenOptions, open};
use music_trainer::time::{Clock, ManualClock, Micros};

const WAIT: Duration = Duration::from_secs(30);

fn report(bus: &BusHandle<Test>) -> Arc<Report> {
    bus.inspect_now().expect("the bus runs")
}

fn title(text: &str) -> Publish<Test> {
    Publish::new("book/a", Event::Title(text.to_owned()))
}

#[test]
fn the_way_of_an_event_is_known_in_this_run_and_its_moments_follow_each_other() {
    let (clock, storage) = (Arc::new(ManualClock::default()), MemoryStorage::new());
    let first = start::<Test>(Config::default(), clock.clone(), Box::new(storage.clone())).expect("a bus");
    first.publish(title("of another run")).durable().expect("durable");
    assert!(report(&first).trail.rounds.of(1).is_some());
    assert!(first.shutdown(WAIT));

    let bus = start::<Test>(Config::default(), clock.clone(), Box::new(storage)).expect("a bus");
    clock.advance(Micros(1_000));
    bus.publish(title("two")).durable().expect("durable");
    let before = clock.now();
    clock.advance(Micros(500));
    let items = ["three", "four", "five"].map(title);
    bus.transact(items.into()).durable().expect("durable");
    let trail = &report(&bus).trail;
    assert_eq!((trail.rounds.of(1), trail.durable.of(1)), (None, None), "nothing is known of what came before");
    assert_eq!(trail.rounds.of(6), None, "nor of what did not come");
    for seq in 2..=5 {
        let round = trail.rounds.of(seq).expect("a round");
        let durable = trail.durable.of(seq).expect("it is durable");
        assert!(round.taken <= round.applied && round.applied <= round.stored && round.stored <= durable, "{round:?}");
    }
    let rounds: Vec<_> = (3..=5).map(|seq| trail.rounds.of(seq)).collect();
    assert!(rounds.windows(2).all(|pair| pair[0] == pair[1]), "a transaction goes as one: {rounds:?}");
    assert!(trail.rounds.of(2).is_some_and(|round| round.taken <= before));
    assert!(trail.rounds.of(3).is_some_and(|round| round.taken > before));
    assert!(bus.shutdown(WAIT));
}

#[test]
fn sizes_are_told_by_table_and_add_up_and_what_was_erased_is_counted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let opened = open(&dir.path().join("data"), OpenOptions::default()).expect("a fresh folder opens");
    let empty = opened.storage.size();
    let bus =
        start::<Test>(Config::default(), Arc::new(ManualClock::default()), Box::new(opened.storage)).expect("a bus");
    let titles = (0..2_000).map(|n| Publish::new(format!("book/{}", n % 50), Event::Title(format!("title {n}"))));
    bus.transact(titles.collect()).durable().expect("durable");
    let size = report(&bus).store;
    let rows =
        |size: &StoreSize, name: &str| size.tables.iter().find(|table| table.name == name).map(|table| table.entries);
    assert_eq!(
        (rows(&size, "log"), rows(&size, "by_entity"), rows(&size, "state")),
        (Some(2_000), Some(2_000), Some(50))
    );
    assert_eq!((size.events, size.entities), (2_000, 50));
    assert!(size.tables.windows(2).all(|pair| pair[0].bytes >= pair[1].bytes), "the largest first: {:?}", size.tables);
    let held: u64 = size.tables.iter().map(|table| table.bytes).sum();
    assert_eq!(held + size.free, size.map_used);
    assert!(size.map_used <= size.map_size && held > empty.tables.iter().map(|table| table.bytes).sum());
    assert_eq!(report(&bus).counts.erased, 0);
    assert_eq!(bus.erase(Erasure::Entity { entity: "book/7".into(), versions: 1..11 }), Ok(10));
    assert_eq!(report(&bus).counts.erased, 10);
    assert!(bus.shutdown(WAIT));
}
