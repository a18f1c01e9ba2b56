//! A damaged data folder is brought back: every way that is offered keeps what it promises, gives a folder that is whole,
//! and leaves the damaged one beside it. `RECOVERIES` sets how many damaged files (300), `RECOVERY_SEED` repeats a run.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use music_trainer::app::clock::SystemClock;
use music_trainer::bus::storage::{Erasure, Payload, Storage, StorageReader, StoredEvent};
use music_trainer::bus::testing::{Event, Random, Test};
use music_trainer::bus::{Config, Filter, Outcome, Publish, Start, State, load, rows, start};
use music_trainer::store::{
    LOST_TOPIC, Offer, OpenOptions, Way, back_up, backups_in, diagnose, open, open_read_only, recover, verify,
};

const WAIT: Duration = Duration::from_secs(30);
const EVENTS: u64 = 3_000;

/// A data folder as a program leaves it: thirty entities, snapshots, a subscriber's rows, something erased.
struct Whole {
    file: Vec<u8>,
    events: Vec<StoredEvent>,
    state: State<Test>,
}

fn whole() -> Whole {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
    let reader = opened.storage.lmdb_reader();
    let config = Config { snapshot_events: 200, ..Config::default() };
    let bus = start::<Test>(config, Arc::new(SystemClock::start()), Box::new(opened.storage)).expect("a bus");
    for unit in 0..EVENTS / 10 {
        let one = |index: u64| {
            let number = unit * 10 + index;
            match number % 3 {
                0 => Publish::new(format!("counter/{}", number % 10), Event::Add(1)),
                // Some payloads need pages of their own.
                1 => {
                    let text = "la ".repeat(if number.is_multiple_of(100) { 3_000 } else { 9 });
                    Publish::new(format!("title/{}", number % 10), Event::Title(format!("{number} {text}")))
                }
                _ => Publish::new(format!("book/{}", number % 10), Event::Note { pitch: number as u32 }),
            }
        };
        bus.transact((0..10).map(one).collect()).durable().expect("durable");
    }
    let subscription = bus.subscribe_durable("listener", Filter::topic("counter.add"), Start::Beginning);
    for _ in 0..100 {
        let delivery = subscription.recv(WAIT).expect("the bus runs").expect("a delivery");
        subscription.settle(&delivery, Outcome::done()).applied().expect("applied");
    }
    bus.erase(Erasure::Entity { entity: "title/1".into(), versions: 1..5 }).expect("an erasure");
    let state = bus.snapshot().state.clone();
    assert!(bus.shutdown(WAIT));
    let events = reader.events(1, usize::MAX).expect("readable");
    assert_eq!(events.len() as u64, EVENTS);
    drop((bus, subscription, reader));
    Whole { file: fs::read(dir.path().join("data.mdb")).expect("a file"), events, state }
}

fn folder(file: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(dir.path().join("data")).expect("a folder");
    fs::write(dir.path().join("data/data.mdb"), file).expect("a file");
    dir
}

/// What must be true of a folder after a recovery by this way.
fn check_recovered(data: &Path, way: &Way, keeps: u64, whole: &Whole) {
    let reader = open_read_only(data).expect("it opens");
    let found = verify(&reader, &mut |_, _| {}).expect("verification ends");
    assert_eq!(found.damages, [], "{way:?}");
    let (different, _) = load::compare::<Test>(&reader).expect("it folds");
    assert_eq!(different, [], "{way:?}");
    let mut kept = 0;
    for event in reader.events(1, usize::MAX).expect("readable") {
        if &*event.header.topic == LOST_TOPIC {
            continue;
        }
        kept += 1;
        let mut before = whole.events[event.header.seq as usize - 1].clone();
        assert!(event.header.version <= before.header.version, "{way:?}");
        if *way == Way::Bridge {
            before.header.version = event.header.version;
        }
        assert_eq!(event, before, "{way:?}");
    }
    assert_eq!(kept, keeps, "{way:?}");
    let end = reader.last().expect("an end").seq;
    for saved in rows::subscribers(&reader).expect("readable") {
        assert!(saved.cursor.next <= end + 1, "{way:?}");
    }
    // And it goes on.
    drop(reader);
    let opened = open(data, OpenOptions::default()).expect("it opens");
    let bus =
        start::<Test>(Config::default(), Arc::new(SystemClock::start()), Box::new(opened.storage)).expect("a bus");
    bus.publish(Publish::new("counter/3", Event::Add(1))).durable().expect("durable");
    assert!(bus.shutdown(WAIT));
    if *way == Way::Rebuild {
        let state = |state: &State<Test>| {
            state.iter().filter(|(key, _)| key.as_str() != "counter/3").map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        let (now, before): (Vec<_>, Vec<_>) = (state(&bus.snapshot().state), state(&whole.state));
        assert_eq!(now, before);
    }
}

/// Damages a file as disks and broken copies do.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() as u64) as usize;
    let sector = at / 512 * 512..(at / 512 * 512 + 512).min(bytes.len());
    match random.below(5) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => {
            let near = (at / 4_096 * 4_096 + random.below(48) as usize).min(bytes.len() - 1);
            bytes[near] = random.below(256) as u8;
        }
        2 => bytes[sector].fill(0),
        3 => bytes[sector].fill_with(|| random.below(256) as u8),
        _ => bytes.truncate(at),
    }
}

#[test]
fn every_way_out_keeps_what_it_promises() {
    let count: u64 = std::env::var("RECOVERIES").map_or(300, |n| n.parse().expect("a number"));
    let seed = std::env::var("RECOVERY_SEED")
        .map_or_else(|_| RandomState::new().hash_one("seed"), |n| n.parse().expect("a number"));
    println!("{count} damaged files, RECOVERY_SEED={seed}");
    let whole = whole();
    let mut random = Random(seed);
    let (mut gone, mut ways, mut lost) = (0, [0u64; 4], 0);
    for _ in 0..count {
        let mut file = whole.file.clone();
        for _ in 0..=random.below(3) {
            damage(&mut file, &mut random);
        }
        let dir = folder(&file);
        let data = dir.path().join("data");
        let Ok(found) = diagnose(&data) else {
            gone += 1;
            continue;
        };
        let loses = |offer: &Offer| offer.loses.unwrap_or(EVENTS - offer.keeps);
        assert!(found.offers.iter().all(|offer| offer.keeps + loses(offer) <= EVENTS), "{found:?}");
        assert!(found.offers.iter().map(loses).is_sorted(), "{found:?}");
        for offer in found.offers {
            let dir = folder(&file);
            let data = dir.path().join("data");
            let recovered = recover::<Test>(&data, &offer.way).expect("it was offered");
            let before = recovered.before.expect("the damaged folder is kept");
            assert_eq!(fs::read(before.join("data.mdb")).expect("a file"), file, "as it was");
            let names: Vec<_> = fs::read_dir(dir.path()).expect("a folder").flatten().map(|e| e.file_name()).collect();
            assert_eq!(names.len(), 2, "{names:?}");
            assert_eq!(recovered.events, offer.keeps);
            check_recovered(&data, &offer.way, offer.keeps, &whole);
            lost += loses(&offer);
            ways[match offer.way {
                Way::Rebuild => 0,
                Way::Bridge => 1,
                Way::Cut => 2,
                Way::Afresh => 3,
                Way::Backup(_) => unreachable!("there is none"),
            }] += 1;
        }
    }
    println!("rebuilt, bridged, cut, begun anew: {ways:?}; {lost} events lost; {gone} with nothing to offer");
    assert!(count < 100 || ways[..3].iter().all(|ways| *ways > 0), "{ways:?}");
    assert!(gone + ways[3] <= count / 2, "{gone} {ways:?}");
}

/// Where in a file the record of an event is.
fn place(file: &[u8], event: &StoredEvent) -> usize {
    let Payload::Bytes(payload) = &event.payload else { panic!("erased") };
    file.windows(payload.len()).rposition(|bytes| bytes == payload).expect("its payload")
}

#[test]
fn after_a_hole_the_state_is_that_of_the_snapshot_behind_it() {
    let whole = whole();
    let mut file = whole.file.clone();
    // A payload that is found once in the file: each note has its own number.
    let hit = whole.events.iter().find(|event| event.header.seq > 1_500 && event.header.entity.starts_with("title/"));
    let hit = hit.expect("an event");
    let at = place(&file, hit);
    file[at + 10] ^= 1;
    let dir = folder(&file);
    let data = dir.path().join("data");
    let found = diagnose(&data).expect("it can be read");
    let after = EVENTS - hit.header.seq + 1;
    let expected = [(Way::Bridge, EVENTS - 1, Some(1)), (Way::Cut, hit.header.seq - 1, Some(after))];
    let offers: Vec<_> = found.offers.iter().map(|o| (o.way.clone(), o.keeps, o.loses)).collect();
    assert_eq!(offers, expected, "{:?}", found.damages);
    assert!(found.damages[0].place.starts_with("log "), "{:?}", found.damages);
    recover::<Test>(&data, &Way::Bridge).expect("it was offered");
    let reader = open_read_only(&data).expect("it opens");
    let state = State::from_entities(&load::load::<Test>(&reader).expect("it loads").entities);
    for (key, before) in whole.state.iter() {
        assert_eq!(state.value(key.as_str()), before.value.as_ref(), "{key}");
    }
    let compacted = rows::compacted(&reader).expect("readable");
    assert!(compacted >= hit.header.seq, "the log folds from a snapshot after the hole: {compacted}");
    assert_eq!(reader.events(hit.header.seq, 1).expect("readable")[0].header.topic.as_ref(), LOST_TOPIC);
    assert_eq!(diagnose(&data).expect("readable").offers[0].loses, Some(0), "nothing more to lose");
}

#[test]
fn a_backup_is_offered_with_what_came_after_it_and_takes_the_folders_place() {
    let whole = whole();
    let dir = folder(&whole.file);
    let data = dir.path().join("data");
    let opened = open(&data, OpenOptions::default()).expect("it opens");
    for name in ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"] {
        back_up(&opened.storage.lmdb_reader(), &data, name, false, &mut || true).expect("a backup");
    }
    let bus =
        start::<Test>(Config::default(), Arc::new(SystemClock::start()), Box::new(opened.storage)).expect("a bus");
    for _ in 0..50 {
        bus.publish(Publish::new("counter/0", Event::Add(1))).durable().expect("durable");
    }
    assert!(bus.shutdown(WAIT));
    drop((bus, opened.lock));
    let names = |data: &Path| -> Vec<String> {
        let name =
            |(path, _, _): (std::path::PathBuf, _, _)| path.file_name().map(|n| n.to_string_lossy().into_owned());
        backups_in(data).into_iter().filter_map(name).collect()
    };
    let kept = ["2026-01-04", "2026-01-03", "2026-01-02"];
    assert_eq!(names(&data), kept);
    let reader = open_read_only(&data).expect("it opens");
    let stopped = back_up(&reader, &data, "2026-01-05", true, &mut || false);
    assert_eq!(stopped, Ok(None));
    assert_eq!(names(&data), kept, "what was not seen to be good takes nobody's place");
    drop(reader);
    let mut file = fs::read(data.join("data.mdb")).expect("a file");
    file[..8_192].fill(0);
    fs::write(data.join("data.mdb"), &file).expect("a file");
    let found = diagnose(&data).expect("there are backups");
    assert_eq!(found.offers.len(), 3, "{found:?}");
    let offer = &found.offers[0];
    assert_eq!((offer.keeps, offer.way.clone()), (EVENTS, Way::Backup(data.join("backups/2026-01-04"))));
    let recovered = recover::<Test>(&data, &offer.way).expect("it was offered");
    assert_eq!(recovered.events, EVENTS);
    assert_eq!(fs::read(recovered.before.expect("kept").join("data.mdb")).expect("a file"), file);
    check_recovered(&data, &offer.way, EVENTS, &whole);
    assert_eq!(names(&data), kept, "the backups stay with the folder");
}

/// A folder whose log was compacted up to a snapshot in its middle, and where that is.
fn compacted(whole: &Whole) -> (tempfile::TempDir, u64) {
    let dir = folder(&whole.file);
    let mut opened = open(&dir.path().join("data"), OpenOptions::default()).expect("it opens");
    let snapshots = opened.storage.reader().snapshots().expect("readable");
    let through = snapshots[snapshots.len() / 2];
    let what = Erasure::Topics { topics: vec!["book.title".into()], through };
    let mut from = Some(what.begin());
    while let Some(step) = from {
        from = opened.storage.erase(&what, step).expect("a step").next;
    }
    (dir, through)
}

/// The values after a recovery are those of before.
fn check_values(data: &Path, whole: &Whole) {
    let reader = open_read_only(data).expect("it opens");
    assert!(verify(&reader, &mut |_, _| {}).expect("verification ends").is_whole());
    assert_eq!(load::compare::<Test>(&reader).expect("it folds").0, []);
    let state = State::from_entities(&load::load::<Test>(&reader).expect("it loads").entities);
    for (key, before) in whole.state.iter() {
        assert_eq!(state.value(key.as_str()), before.value.as_ref(), "{key}");
    }
}

/// Changes a byte behind each place where a text stands in a data file.
fn spoil(data: &Path, text: &[u8], behind: usize) {
    let file = data.join("data.mdb");
    let mut bytes = fs::read(&file).expect("a file");
    let found: Vec<usize> =
        bytes.windows(text.len()).enumerate().filter(|(_, w)| *w == text).map(|(at, _)| at).collect();
    assert!(!found.is_empty());
    for at in found {
        bytes[at + behind] ^= 1;
    }
    fs::write(&file, bytes).expect("a file");
}

#[test]
fn what_was_compacted_away_comes_from_the_snapshot_also_when_nothing_says_how_far_it_was() {
    let whole = whole();
    for spoilt in [&b"state of nothing"[..], b"compacted"] {
        let (dir, through) = compacted(&whole);
        let data = dir.path().join("data");
        if spoilt == b"compacted" {
            spoil(&data, spoilt, spoilt.len() + 3);
        }
        let found = diagnose(&data).expect("readable");
        assert_eq!((&found.offers[0].way, found.offers[0].loses), (&Way::Rebuild, Some(0)), "{found:?}");
        recover::<Test>(&data, &Way::Rebuild).expect("it was offered");
        check_values(&data, &whole);
        assert!(rows::compacted(&open_read_only(&data).expect("it opens")).expect("readable") <= through);
    }
}

#[test]
fn a_value_whose_last_event_is_lost_is_not() {
    let whole = whole();
    // The last that was written of a title: nothing comes after it.
    let last = whole.events.iter().rfind(|event| event.header.entity.starts_with("title/")).expect("an event");
    let mut file = whole.file.clone();
    let at = place(&file, last);
    file[at + 10] ^= 1;
    let dir = folder(&file);
    let data = dir.path().join("data");
    let found = diagnose(&data).expect("readable");
    assert!(found.offers.iter().any(|offer| offer.way == Way::Bridge), "{found:?}");
    recover::<Test>(&data, &Way::Bridge).expect("it was offered");
    check_values(&data, &whole);
}

#[test]
fn an_unreadable_root_gives_way_to_the_one_before_and_an_empty_file_to_a_backup() {
    let whole = whole();
    let dir = folder(&whole.file);
    let data = dir.path().join("data");
    let opened = open(&data, OpenOptions::default()).expect("it opens");
    back_up(&opened.storage.lmdb_reader(), &data, "2026-01-01", false, &mut || true).expect("a backup");
    drop(opened);
    // The newer of the two headers leads nowhere.
    let mut bytes = fs::read(data.join("data.mdb")).expect("a file");
    let transaction = |at: usize| u64::from_le_bytes(bytes[at + 144..at + 152].try_into().expect("eight bytes"));
    let newer = if transaction(0) > transaction(4_096) { 0 } else { 4_096 };
    let root = u64::from_le_bytes(bytes[newer + 128..newer + 136].try_into().expect("eight bytes")) as usize;
    bytes[root * 4_096..(root + 1) * 4_096].fill(0);
    fs::write(data.join("data.mdb"), &bytes).expect("a file");
    let found = diagnose(&data).expect("readable");
    assert!(found.offers[0].keeps >= EVENTS - 10 && !matches!(found.offers[0].way, Way::Backup(_)), "{found:?}");

    fs::write(data.join("data.mdb"), b"").expect("a file");
    let refused = open(&data, OpenOptions::default()).err().expect("there was more");
    assert!(refused.is_damage(), "{refused}");
    let found = diagnose(&data).expect("there is a backup");
    assert_eq!(found.offers.iter().map(|o| (o.keeps, o.loses)).collect::<Vec<_>>(), [(EVENTS, None)]);
    recover::<Test>(&data, &found.offers[0].way.clone()).expect("it was offered");
    check_values(&data, &whole);
}

#[test]
fn where_nothing_can_be_read_one_can_begin_anew() {
    let whole = whole();
    let mut file = whole.file.clone();
    file[8_192..].fill(0);
    let dir = folder(&file);
    let data = dir.path().join("data");
    let found = diagnose(&data).expect("its headers can be read");
    assert_eq!(
        found.offers.iter().map(|o| (o.way.clone(), o.keeps, o.loses)).collect::<Vec<_>>(),
        [(Way::Afresh, 0, None)]
    );
    let recovered = recover::<Test>(&data, &Way::Afresh).expect("it was offered");
    assert_eq!(recovered.events, 0);
    assert_eq!(fs::read(recovered.before.expect("kept").join("data.mdb")).expect("a file"), file);
    assert_eq!(open_read_only(&data).expect("it opens").last().expect("an end").seq, 0);
}

#[test]
fn a_swap_that_was_broken_off_is_brought_to_its_end() {
    let whole = whole();
    let dir = folder(&whole.file);
    let data = dir.path().join("data");
    // As a kill between the two renames leaves it.
    fs::create_dir(data.join("backups")).expect("a folder");
    fs::rename(&data, dir.path().join("data.before-restore")).expect("a rename");
    fs::create_dir(dir.path().join("data.partial")).expect("a folder");
    fs::write(dir.path().join("data.partial/data.mdb"), &whole.file).expect("a file");
    let opened = open(&data, OpenOptions::default()).expect("it opens");
    assert_eq!(opened.storage.reader().last().expect("an end").seq, EVENTS);
    assert!(data.join("backups").exists() && !dir.path().join("data.partial").exists());
}

#[test]
fn what_is_in_use_or_beyond_help_is_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    assert!(diagnose(&dir.path().join("nothing")).is_err());
    let data = dir.path().join("data");
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("data.mdb"), b"something else").expect("a file");
    assert!(diagnose(&data).expect_err("foreign").to_string().contains("not a data file"));
    let error = recover::<Test>(&data, &Way::Cut).expect_err("foreign").to_string();
    assert!(error.contains("not a data file"), "{error}");

    let dir = folder(&whole().file);
    let data = dir.path().join("data");
    let error = recover::<Test>(&data, &Way::Bridge).expect_err("there is no hole").to_string();
    assert!(error.contains("no such way"), "{error}");
    let opened = open(&data, OpenOptions::default()).expect("it opens");
    let error = recover::<Test>(&data, &Way::Rebuild).expect_err("in use").to_string();
    assert!(error.contains("in use"), "{error}");
    drop(opened);
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
}
