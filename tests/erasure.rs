//! Delete for ever: what a take consisted of goes from the log, and nothing else.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use music_trainer::app::clock::SystemClock;
use music_trainer::bus::storage::StorageReader;
use music_trainer::bus::testing::acknowledged;
use music_trainer::bus::testing::check_fold;
use music_trainer::bus::{Body, BusHandle, Config, EntityKey, Publish, start};
use music_trainer::components::eraser::Eraser;
use music_trainer::model::{Entity, Event, Played, ResultSummary, TakeEnd, TakeId, TakeStart, Trainer};
use music_trainer::store::{OpenOptions, backup, open, open_read_only, verify};
use music_trainer::time::{Micros, Stamp, WallMillis};

const WAIT: Duration = Duration::from_secs(30);
/// More than the store erases at a time.
const NOTES: u64 = 3_000;

fn record(bus: &BusHandle<Trainer>, take: TakeId, name: &str) {
    let begin = TakeStart::free(WallMillis(0));
    bus.publish(Publish::new(take.entity(), Event::TakeStarted(begin)));
    for note in 0..NOTES {
        let played = Event::NotePlayed(Played { source: 0, data: [0x90, (note % 88) as u8 + 21, 80] });
        bus.publish(Publish::new(take.entity(), played).stamp(Stamp::at(Micros(note as i64))));
    }
    bus.publish(Publish::new(take.entity(), Event::TakeNamed { name: name.to_owned(), seen: Vec::new() }));
    bus.publish(Publish::new(take.entity(), Event::TakeEnded(TakeEnd::Stopped)));
    let result = Event::ResultRecorded(Box::new(ResultSummary { passes: 1, ..ResultSummary::default() }));
    bus.publish(Publish::new(take.result_entity(), result)).durable().expect("durable");
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

#[test]
fn what_is_deleted_for_ever_is_gone_from_log_state_and_copies_and_the_rest_is_as_it_was() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path().join("data");
    let opened = open(&data, OpenOptions::default()).expect("a fresh folder opens");
    let config = Config { snapshot_events: NOTES / 3, ..Config::default() };
    let bus = start::<Trainer>(config, Arc::new(SystemClock::start()), Box::new(opened.storage)).expect("a bus");
    let (gone, kept) = (TakeId(1), TakeId(2));
    record(&bus, gone, "never to be seen again");
    record(&bus, kept, "stays as it is");
    let still_recorded = TakeId(3);
    let begin = TakeStart::free(WallMillis(0));
    bus.publish(Publish::new(still_recorded.entity(), Event::TakeStarted(begin))).applied().expect("applied");
    let refused = bus.publish(Publish::new(still_recorded.entity(), Event::Erased)).applied();
    assert!(refused.expect_err("a take that is recorded").to_string().contains("being recorded"));

    let eraser = Eraser::start(&bus, &Arc::default(), Box::new(|| Ok(()))).expect("a thread");
    let items = [gone.entity(), gone.result_entity()].map(|key| Publish::new(key, Event::Erased));
    let end = bus.transact(items.into()).durable().expect("durable");
    assert!(acknowledged(&bus, end), "the eraser acknowledges");
    let snapshot = bus.snapshot();
    let is_gone = |key: &EntityKey| matches!(snapshot.state.value(key.as_str()), Some(Entity::Gone));
    assert!(is_gone(&gone.entity()) && is_gone(&gone.result_entity()));
    let late = Event::ResultRecorded(Box::default());
    let late = bus.publish(Publish::new(gone.result_entity(), late)).applied().expect_err("nothing comes back");
    assert!(late.to_string().contains("deleted for ever"), "{late}");
    assert!(snapshot.state.value(kept.entity().as_str()).is_some());
    let stubs = |take: TakeId| {
        let events = bus.entity_events(&take.entity(), 1, usize::MAX).expect("readable");
        let stubs = events.iter().filter(|event| matches!(event.body, Body::Stub { .. })).count();
        (events.len(), stubs)
    };
    let events = NOTES as usize + 3;
    assert_eq!(stubs(gone), (events + 1, events), "only that it was erased is left");
    assert_eq!(stubs(kept), (events, 0));
    check_fold(&**bus.reader(), &snapshot.state).expect("the state is still the fold of the log");
    assert!(bus.shutdown(WAIT));
    eraser.join().expect("it ends with the bus");
    drop((bus, snapshot));

    let reader = open_read_only(&data).expect("it opens");
    let mut values = Vec::new();
    for seq in reader.snapshots().expect("readable") {
        reader.snapshot(seq, &mut |row| values.extend(row.value)).expect("readable");
    }
    assert!(values.iter().any(|value| contains(value, "stays as it is")));
    assert!(!values.iter().any(|value| contains(value, "never to be seen again")));
    let found = verify(&reader, &mut |_, _| {}).expect("verification ends");
    assert!(found.is_whole(), "{:?}", found.damages);
    assert_eq!(found.erased as usize, events + 1);
    let copy = dir.path().join("copy");
    backup(&reader, &copy).expect("a backup");
    let file = fs::read(copy.join("data.mdb")).expect("the copy");
    assert!(!contains(&file, "never to be seen again") && contains(&file, "stays as it is"));
}
