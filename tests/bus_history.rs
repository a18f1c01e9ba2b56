//! Many threads write and read few entities; what each was told, and when, must be explained by one order of the edits
//! of each entity: its versions. A clock that all share counts questions and answers. `BUS_EDITS` sets how many edits
//! each writer makes, `BUS_SEED` whom it picks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use music_trainer::bus::storage::Storage;
use music_trainer::bus::testing::{Event, Random, Test, check_fold};
use music_trainer::bus::{BusHandle, Config, EntityKey, Expect, MemoryStorage, Publish, PublishError, start};
use music_trainer::time::ManualClock;

const WRITERS: u64 = 12;
const READERS: u64 = 3;
/// Looks of each reader at least; they go on until the writers are done.
const LOOKS_MIN: usize = 20;
const ENTITIES: [&str; 3] = ["counter/a", "counter/b", "counter/c"];
const WAIT: Duration = Duration::from_secs(30);

/// One successful edit: what it read, unless it did not look, what it added, and the version it was answered with.
struct Edit {
    asked: u64,
    answered: u64,
    read: Option<(u64, i64)>,
    added: i64,
    version: u64,
}

/// One look at an entity of a snapshot.
struct Look {
    asked: u64,
    answered: u64,
    version: u64,
    value: i64,
}

/// Counts questions and answers of all threads.
#[derive(Default)]
struct Order(AtomicU64);

impl Order {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

fn look(bus: &BusHandle<Test>, order: &Order, entity: &str) -> Look {
    let asked = order.next();
    let snapshot = bus.snapshot();
    let answered = order.next();
    let current = snapshot.state.get(entity);
    let value = current.and_then(|current| current.value.as_ref()).map_or(0, |value| value.count);
    Look { asked, answered, version: current.map_or(0, |current| current.version), value }
}

/// An edit that insists on nothing, on the version of a snapshot, or is made again until it fits.
fn edit(bus: &BusHandle<Test>, order: &Order, random: &mut Random, entity: &str) -> Option<Edit> {
    let added = random.below(9) as i64 + 1;
    let asked = order.next();
    let (mut read, version) = match random.below(3) {
        0 => (None, bus.publish(Publish::new(entity, Event::Add(added))).applied()),
        1 => {
            let seen = look(bus, order, entity);
            let publish = Publish::new(entity, Event::Add(added)).expect(Expect::Exact(seen.version));
            (Some((seen.version, seen.value)), bus.publish(publish).applied())
        }
        _ => {
            let mut read = None;
            let applied = bus.rebase(&EntityKey::new(entity), |current| {
                let value = current.and_then(|current| current.value.as_ref()).map_or(0, |value| value.count);
                read = Some((current.map_or(0, |current| current.version), value));
                Some(Event::Add(added))
            });
            (read, applied.map(|applied| applied.expect("there was something to do")))
        }
    };
    let answered = order.next();
    match version {
        Ok(applied) => Some(Edit { asked, answered, read, added, version: applied.version }),
        Err(PublishError::Conflict { current, .. }) => {
            let (seen, _) = read.take().expect("only those who insist meet a conflict");
            assert!(current.map_or(0, |current| current.version) > seen, "a conflict has a newer version");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Versions are gapless, explain what each edit read, and agree with the clock. Gives the value of each version.
fn check_edits(entity: &str, edits: &mut [Edit]) -> Vec<i64> {
    edits.sort_by_key(|edit| edit.version);
    let (mut values, mut latest_asked) = (vec![0], 0);
    for (edit, version) in edits.iter().zip(1..) {
        assert_eq!(edit.version, version, "{entity}: no version twice and none left out");
        let before = values[version as usize - 1];
        let on = edit.read.unwrap_or((version - 1, before));
        assert_eq!(on, (version - 1, before), "{entity} version {version} was made on the one before it");
        assert!(
            edit.answered > latest_asked,
            "{entity} version {version} was answered before an earlier one was asked"
        );
        latest_asked = latest_asked.max(edit.asked);
        values.push(before + edit.added);
    }
    values
}

/// A look shows a value that was, all that was answered before it, and nothing that was asked after it; and no later
/// look of the same reader shows less.
fn check_looks(entity: &str, looks: &[Look], edits: &[Edit], values: &[i64]) {
    let mut last = 0;
    for look in looks {
        assert_eq!(values.get(look.version as usize), Some(&look.value), "{entity} had this value at this version");
        let answered = edits.iter().filter(|edit| edit.answered < look.asked).map(|edit| edit.version).max();
        assert!(look.version >= answered.unwrap_or(0), "{entity}: what was answered before is seen");
        let asked = edits.iter().filter(|edit| edit.asked < look.answered).map(|edit| edit.version).max();
        assert!(look.version <= asked.unwrap_or(0), "{entity}: nothing is seen before it was asked for");
        assert!(look.version >= last, "{entity}: no reader goes back");
        last = look.version;
    }
}

#[test]
fn the_history_of_many_writers_and_readers_of_few_entities_is_linearisable() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (each, first) = (number("BUS_EDITS", 120), number("BUS_SEED", 1));
    println!("BUS_SEED={first}; what the threads' turns were no seed repeats");
    let storage = MemoryStorage::new();
    let bus = start::<Test>(Config::default(), Arc::new(ManualClock::default()), Box::new(storage.clone()));
    let bus = bus.expect("it starts");
    let (order, done) = (Order::default(), AtomicBool::new(false));
    let (mut edits, mut looks) = (BTreeMap::<&str, Vec<Edit>>::new(), Vec::new());
    std::thread::scope(|scope| {
        let write = |seed| {
            let mut random = Random(seed);
            let mut made = Vec::new();
            for _ in 0..each {
                let entity = ENTITIES[random.below(3) as usize];
                made.extend(edit(&bus, &order, &mut random, entity).map(|edit| (entity, edit)));
            }
            made
        };
        let read = |entity| {
            let mut seen = Vec::new();
            while seen.len() < LOOKS_MIN || !done.load(Ordering::SeqCst) {
                seen.push(look(&bus, &order, entity));
                // A look costs nothing and an edit a turn of the bus: as many looks as fit are too many to check.
                std::thread::park_timeout(Duration::from_micros(200));
            }
            seen.push(look(&bus, &order, entity));
            (entity, seen)
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(first + writer))).collect();
        let readers: Vec<_> =
            (0..READERS).map(|reader| scope.spawn(move || read(ENTITIES[reader as usize % 3]))).collect();
        for (entity, edit) in writers.into_iter().flat_map(|writer| writer.join().expect("a history")) {
            edits.entry(entity).or_default().push(edit);
        }
        done.store(true, Ordering::SeqCst);
        looks.extend(readers.into_iter().map(|reader| reader.join().expect("a history")));
    });
    let mut insisted = 0;
    for (entity, edits) in &mut edits {
        let values = check_edits(entity, edits);
        insisted += edits.iter().filter(|edit| edit.read.is_some()).count();
        for (_, looks) in looks.iter().filter(|(of, _)| of == entity) {
            check_looks(entity, looks, edits, &values);
        }
    }
    assert!(insisted > 0 && edits.values().map(Vec::len).sum::<usize>() > insisted, "edits of every kind were made");
    assert!(bus.shutdown(WAIT));
    check_fold(&*storage.reader(), &bus.snapshot().state).expect("the state is the fold of the log");
}
