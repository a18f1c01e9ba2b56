//! Snapshots of the state in the store: they are the fold of the log, they bring any earlier moment back, and the log may
//! be compacted up to one.

use std::sync::Arc;
use std::time::Duration;

use music_trainer::app::clock::SystemClock;
use music_trainer::bus::load::Difference;
use music_trainer::bus::storage::{Batch, Erasure, Payload, StateRow, Storage, StorageReader, thinned};
use music_trainer::bus::testing::{Event, Test, check_fold};
use music_trainer::bus::{
    BusHandle, Config, EntityKey, Filter, MemoryStorage, Outcome, Publish, Start, State, fold, lines, load, replay,
    rows, start,
};
use music_trainer::store::{LmdbReader, OpenOptions, Opened, backup, open, open_read_only, verify};

const WAIT: Duration = Duration::from_secs(30);
const EVENTS: u64 = 2_000;
const EVERY: u64 = 100;

/// Two thousand events on thirty entities, in units of ten, so that snapshots are cut on the way.
fn work(bus: &BusHandle<Test>) {
    for unit in 0..EVENTS / 10 {
        let one = |index: u64| {
            let number = unit * 10 + index;
            match number % 3 {
                0 => Publish::new(format!("counter/{}", number % 10), Event::Add(1)),
                1 => Publish::new(format!("title/{}", number % 10), Event::Title(format!("title number {number}"))),
                _ => Publish::new(format!("book/{}", number % 10), Event::Note { pitch: number as u32 }),
            }
        };
        bus.transact((0..10).map(one).collect()).durable().expect("durable");
    }
}

fn bus_on(storage: Box<dyn Storage>) -> BusHandle<Test> {
    let config = Config { snapshot_events: EVERY, ..Config::default() };
    start::<Test>(config, Arc::new(SystemClock::start()), storage).expect("a bus")
}

fn filled() -> (tempfile::TempDir, Opened) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
    let Opened { storage, lock, .. } = opened;
    let bus = bus_on(Box::new(storage));
    work(&bus);
    assert!(bus.shutdown(WAIT));
    drop((bus, lock));
    let opened = open(dir.path(), OpenOptions::default()).expect("it opens again");
    (dir, opened)
}

fn live(reader: &LmdbReader) -> State<Test> {
    State::from_entities(&load::load::<Test>(reader).expect("readable").entities)
}

#[test]
fn every_moment_comes_back_as_it_was() {
    let (_dir, opened) = filled();
    let reader = opened.storage.lmdb_reader();
    let snapshots = reader.snapshots().expect("readable");
    assert!((4..=4 + EVENTS.ilog2() as usize).contains(&snapshots.len()), "{snapshots:?}");
    assert!(thinned(&snapshots).is_empty(), "only those are left that are kept");
    assert_eq!(snapshots.last(), Some(&EVENTS), "{snapshots:?}");
    let events = reader.events(1, usize::MAX).expect("readable");
    for seq in (0..=EVENTS).step_by(37).chain(snapshots) {
        let expected = replay::<Test>(events.iter().take(seq as usize).cloned()).expect("it folds");
        let found = load::fold_to::<Test>(&reader, seq).expect("it folds");
        assert_eq!(found.entities, expected.entities, "after event {seq}");
        assert_eq!((found.end.seq, found.end.hlc), (expected.end.seq, expected.end.hlc));
    }
    check_fold(&reader, &live(&reader)).expect("rows and snapshots are the fold of the log");
    let verified = verify(&reader, &mut |_, _| {}).expect("verification ends");
    assert!(verified.is_whole() && verified.snapshots > 4, "{verified:?}");
}

#[test]
fn a_snapshot_that_is_not_the_fold_is_found() {
    let mut storage = MemoryStorage::new();
    let bus = bus_on(Box::new(storage.clone()));
    work(&bus);
    assert!(bus.shutdown(WAIT));
    let whole = load::compare::<Test>(&storage).expect("readable");
    assert!(whole.0.is_empty() && whole.1 > 4, "{whole:?}");
    // A row that no event made, as it was when a snapshot was kept.
    let mut right = None;
    storage.state(&mut |row| right = Some(row)).expect("readable");
    let right = right.expect("a row");
    let wrong = StateRow { value: None, ..right.clone() };
    let commit = |storage: &mut MemoryStorage, row, snapshot| {
        storage.commit(&Batch { state: vec![row], snapshot, ..Batch::default() }).expect("a commit")
    };
    commit(&mut storage, wrong.clone(), true);
    commit(&mut storage, right.clone(), false);
    let entity = EntityKey::new(&right.entity);
    let found = load::compare::<Test>(&storage).expect("readable").0;
    assert_eq!(found, [Difference { snapshot: Some(EVENTS), entity: entity.clone() }]);
    commit(&mut storage, right, true);
    commit(&mut storage, wrong, false);
    let found = load::compare::<Test>(&storage).expect("readable").0;
    assert_eq!(found, [Difference { snapshot: None, entity }]);
}

#[test]
fn a_compacted_log_folds_from_its_oldest_snapshot() {
    let (dir, mut opened) = filled();
    let reader = opened.storage.lmdb_reader();
    let state = live(&reader);
    let snapshots = reader.snapshots().expect("readable");
    let through = snapshots[snapshots.len() / 2];
    let at = |seq| load::fold_to::<Test>(&reader, seq).expect("it folds").entities;
    let moments: Vec<_> = (through..=EVENTS).step_by(91).map(|seq| (seq, at(seq))).collect();
    let before = reader.events(1, usize::MAX).expect("readable");
    let topic = &*before.iter().find(|event| event.header.entity.starts_with("title/")).expect("one").header.topic;
    let what = Erasure::Topics { topics: vec![topic.into()], through };
    let (mut from, mut count) = (Some(what.begin()), 0);
    while let Some(step) = from {
        let erased = opened.storage.erase(&what, step).expect("a step");
        assert_eq!(erased.unreadable, None);
        (from, count) = (erased.next, count + erased.count);
    }

    let after = reader.events(1, usize::MAX).expect("readable");
    let is_gone = |seq: u64| before[seq as usize - 1].header.topic.as_ref() == topic && seq <= through;
    assert_eq!(count, (1..=EVENTS).filter(|seq| is_gone(*seq)).count() as u64);
    for (event, earlier) in after.iter().zip(&before) {
        assert_eq!(event.header, earlier.header);
        assert_eq!(matches!(event.payload, Payload::Stub { .. }), is_gone(event.header.seq), "{:?}", event.header);
    }
    assert_eq!(reader.snapshots().expect("readable")[0], through, "those before it are gone");
    assert_eq!(rows::compacted(&reader), Ok(through));
    assert!(moments.into_iter().all(|(seq, entities)| at(seq) == entities), "every moment from there on is as it was");
    check_fold(&reader, &state).expect("rows and snapshots are the fold of what is left");
    assert!(verify(&reader, &mut |_, _| {}).expect("verification ends").is_whole());

    // As text and back, and as a copy.
    let device = opened.device;
    let mut text = Vec::new();
    lines::export(&reader, device, &mut text).expect("an export");
    let again = dir.path().join("again");
    let options = OpenOptions { device: Some(device), ..OpenOptions::default() };
    let mut other = open(&again, options).expect("a fresh folder opens");
    let mut input = &*text;
    lines::device(&mut input).expect("a beginning");
    assert_eq!(lines::import::<Test>(&mut input, &mut other.storage).expect("an import"), EVENTS);
    check_fold(&other.storage.lmdb_reader(), &state).expect("the same state");
    let mut written = Vec::new();
    lines::export(&other.storage.lmdb_reader(), device, &mut written).expect("an export");
    assert!(written == text, "the same text");
    let copy = dir.path().join("copy");
    backup(&reader, &copy).expect("a backup");
    check_fold(&open_read_only(&copy).expect("it opens"), &state).expect("the same state");

    // And the log goes on, and whoever subscribes late is told what there is.
    let Opened { storage, lock, .. } = opened;
    let bus = bus_on(Box::new(storage));
    let late = bus.subscribe_durable("late", Filter::all(), Start::Beginning);
    let mut stubs = 0;
    for _ in 0..EVENTS {
        let delivery = late.recv(WAIT).expect("open").expect("a delivery");
        stubs += u64::from(delivery.envelope.event().is_none());
        late.settle(&delivery, Outcome::done()).applied().expect("applied");
    }
    assert_eq!(stubs, count);
    bus.publish(Publish::new("title/1", Event::Title("after".to_owned()))).durable().expect("durable");
    check_fold(&reader, &bus.snapshot().state).expect("the fold goes on");
    assert!(bus.shutdown(WAIT));
    drop((bus, late, lock));
}

#[test]
fn compaction_needs_a_snapshot_and_values_that_follow_it() {
    let (dir, mut opened) = filled();
    let wrong = Erasure::Topics { topics: vec!["title".into()], through: 7 };
    let refused = opened.storage.erase(&wrong, 1).expect_err("no such snapshot").to_string();
    assert!(refused.contains("snapshots 7: no such snapshot"), "{refused}");
    let reader = opened.storage.lmdb_reader();
    let through = reader.snapshots().expect("readable")[0];
    let what = Erasure::Topics { topics: Vec::new(), through };
    assert_eq!(opened.storage.erase(&what, 1).map(|erased| erased.count), Ok(0));
    let mut text = Vec::new();
    lines::export(&reader, opened.device, &mut text).expect("an export");
    let text = String::from_utf8(text).expect("text");
    let check = |text: &str, expected: &str| {
        let again = tempfile::tempdir_in(dir.path()).expect("a temporary folder");
        let options = OpenOptions { device: Some(opened.device), ..OpenOptions::default() };
        let mut other = open(again.path(), options).expect("a fresh folder opens");
        let mut input = text.as_bytes();
        lines::device(&mut input).expect("a beginning");
        let found = lines::import::<Test>(&mut input, &mut other.storage).expect_err(expected).to_string();
        assert!(found.contains(expected), "{found} instead of {expected}");
    };
    let without: String =
        text.lines().filter(|line| !line.starts_with("{\"value\"")).map(|l| format!("{l}\n")).collect();
    assert_ne!(without, text);
    check(&without, "and no values follow that");
    let doubled = text.replacen("\"version\":", "\"version\":9", text.len());
    let value = text.lines().find(|line| line.starts_with("{\"value\"")).expect("a value");
    let changed = doubled.lines().find(|line| line.starts_with("{\"value\"")).expect("a value");
    check(&text.replace(value, changed), ", and its events made");
}

#[test]
fn the_state_is_folded_from_the_newest_snapshot_when_its_rows_fall_short() {
    let storage = MemoryStorage::new();
    let bus = bus_on(Box::new(storage.clone()));
    work(&bus);
    assert!(bus.shutdown(WAIT));
    let whole = load::load::<Test>(&storage).expect("readable");
    let folded = load::fold_to::<Test>(&storage, u64::MAX).expect("it folds");
    assert_eq!((whole.entities, whole.end, whole.numbers), (folded.entities, folded.end, folded.numbers));
    let nothing: fold::Folded<Test> = load::fold_to(&storage, 0).expect("it folds");
    assert!(nothing.entities.is_empty());
}
