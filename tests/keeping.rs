//! "Keep the last five minutes": exactly those, out of whatever takes they are in; on disk when it says so; gone when it is
//! deleted for ever.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use music_trainer::bus::storage::{Erasure, Storage, StorageReader};
use music_trainer::bus::testing::acknowledged;
use music_trainer::bus::testing::check_fold;
use music_trainer::bus::{Body, BusHandle, Config, MemoryStorage, Publish, start};
use music_trainer::components::eraser::Eraser;
use music_trainer::components::keeper::{Kept, SPAN, Wanted, keep};
use music_trainer::components::performed::Performed;
use music_trainer::model::{Entity, Event, Played, Take, TakeEnd, TakeId, TakeOrigin, TakeStart, Trainer};
use music_trainer::store::{OpenOptions, open, open_read_only, verify};
use music_trainer::time::{ManualClock, Micros, Stamp, WallMillis};

const WAIT: Duration = Duration::from_secs(30);
const KEPT: TakeId = TakeId(99);
/// When the person wanted it.
const NOW: Micros = Micros(3_600_000_000);
const MICRO: Micros = Micros(1);

fn bus_on(storage: Box<dyn Storage>) -> BusHandle<Trainer> {
    start(Config::default(), Arc::new(ManualClock::default()), storage).expect("a bus")
}

fn begin(bus: &BusHandle<Trainer>, take: TakeId) {
    bus.publish(Publish::new(take.entity(), Event::TakeStarted(TakeStart::free(WallMillis(0)))));
}

fn play(bus: &BusHandle<Trainer>, take: TakeId, at: Micros, data: [u8; 3]) {
    let played = Event::NotePlayed(Played { source: 1, data });
    bus.publish(Publish::new(take.entity(), played).stamp(Stamp::at(at)));
}

fn stroke(bus: &BusHandle<Trainer>, take: TakeId, at: Micros, key: u8) {
    play(bus, take, at, [0x90, key, 70]);
}

fn end(bus: &BusHandle<Trainer>, take: TakeId) {
    bus.publish(Publish::new(take.entity(), Event::TakeEnded(TakeEnd::Stopped))).durable().expect("durable");
}

fn wanted(before: u64) -> Wanted {
    Wanted { take: KEPT, until: NOW, before }
}

fn keys(bus: &BusHandle<Trainer>, take: TakeId) -> Vec<(Micros, [u8; 3])> {
    let read = |entity: &_, from, max| bus.entity_events(entity, from, max);
    let performed = Performed::read(take, read).expect("readable");
    performed.messages().iter().map(|message| (message.at, message.played.data)).collect()
}

fn take(bus: &BusHandle<Trainer>, id: TakeId) -> Take {
    let snapshot = bus.snapshot();
    match snapshot.state.value(id.entity().as_str()) {
        Some(Entity::Take(take)) => take.clone(),
        other => panic!("a take, not {other:?}"),
    }
}

fn name(kept: &Kept) -> String {
    format!("kept {}", kept.notes)
}

#[test]
fn exactly_the_last_five_minutes_are_kept_across_takes() {
    let bus = bus_on(Box::new(MemoryStorage::new()));
    let (free, piece, discarded, open) = (TakeId(1), TakeId(2), TakeId(3), TakeId(4));
    let from = NOW - SPAN;
    [free, piece, discarded, open].iter().for_each(|id| begin(&bus, *id));
    stroke(&bus, free, from - MICRO, 30);
    stroke(&bus, free, from, 31);
    // Down before the time, up within it: not played in it.
    play(&bus, free, from + Micros::from_millis(5), [0x80, 30, 0]);
    play(&bus, free, from + Micros::from_millis(10), [0x80, 31, 0]);
    end(&bus, free);
    stroke(&bus, piece, NOW - Micros::from_millis(60_000), 40);
    play(&bus, piece, NOW - Micros::from_millis(59_000), [0xb0, 64, 127]);
    end(&bus, piece);
    stroke(&bus, discarded, NOW - Micros::from_millis(50_000), 50);
    end(&bus, discarded);
    bus.publish(Publish::new(discarded.entity(), Event::TakeDiscarded(true)));
    // Another lane was faster: this comes into the log first.
    stroke(&bus, open, NOW, 61);
    stroke(&bus, open, NOW - MICRO, 60);
    stroke(&bus, open, NOW + MICRO, 62);
    let kept = keep(&bus, wanted(0), name).expect("kept");
    assert_eq!((kept.take, kept.notes), (KEPT, 4));
    let expected = [
        (from, [0x90, 31, 70]),
        (from + Micros::from_millis(10), [0x80, 31, 0]),
        (NOW - Micros::from_millis(60_000), [0x90, 40, 70]),
        (NOW - Micros::from_millis(59_000), [0xb0, 64, 127]),
        (NOW - MICRO, [0x90, 60, 70]),
        (NOW, [0x90, 61, 70]),
    ];
    assert_eq!(keys(&bus, KEPT), expected);
    let new = take(&bus, KEPT);
    assert_eq!(
        (new.name().as_str(), new.start.origin, new.end),
        ("kept 4", TakeOrigin::Kept, Some(TakeEnd::Completed))
    );
    assert_eq!(new.moment(), kept.first);
    assert_eq!(take(&bus, open).end, None, "what is recorded goes on");
    // What precedes an edit is on disk with it: that nothing is leased any more too.
    let named = Event::TakeNamed { name: "mine".to_owned(), seen: Vec::new() };
    bus.publish(Publish::new(KEPT.entity(), named)).durable().expect("durable");
    let snapshot = bus.snapshot();
    assert_eq!(snapshot.state.iter_prefix("lease/").filter(|(_, lease)| lease.value.is_some()).count(), 0);
    check_fold(&**bus.reader(), &snapshot.state).expect("the state is the fold of the log");
    assert!(bus.shutdown(WAIT));
}

#[test]
fn a_pedal_that_was_down_when_the_five_minutes_began_is_down_in_what_is_kept() {
    let bus = bus_on(Box::new(MemoryStorage::new()));
    let (free, copy) = (TakeId(1), TakeId(5));
    let from = NOW - SPAN;
    let second = Micros::from_millis(1_000);
    begin(&bus, free);
    // Half down minutes before; the soft pedal went down and up again, and another take is no longer on the list.
    play(&bus, free, from - Micros(200 * second.0), [0xb0, 64, 127]);
    play(&bus, free, from - Micros(150 * second.0), [0xb0, 64, 61]);
    play(&bus, free, from - Micros(90 * second.0), [0xb0, 67, 127]);
    play(&bus, free, from - Micros(80 * second.0), [0xb0, 67, 0]);
    play(&bus, free, from - second, [0xb0, 7, 99]);
    begin(&bus, copy);
    play(&bus, copy, from - second, [0xb0, 66, 127]);
    bus.publish(Publish::new(copy.entity(), Event::TakeDiscarded(true)));
    stroke(&bus, free, NOW - second, 60);
    play(&bus, free, NOW, [0xb0, 64, 0]);
    keep(&bus, wanted(0), name).expect("kept");
    let expected = [(NOW - second, [0xb0, 64, 61]), (NOW - second, [0x90, 60, 70]), (NOW, [0xb0, 64, 0])];
    assert_eq!(keys(&bus, KEPT), expected);
    // A pedal alone was not played.
    let later = Wanted { take: TakeId(100), until: NOW + SPAN + SPAN, before: 0 };
    let nothing = keep(&bus, later, name).expect_err("nothing was played since");
    assert!(nothing.to_string().contains("nothing was played"), "{nothing}");
    assert!(bus.shutdown(WAIT));
}

#[test]
fn kept_again_nothing_comes_twice_and_nothing_of_an_earlier_run_comes_at_all() {
    let bus = bus_on(Box::new(MemoryStorage::new()));
    let (earlier, free) = (TakeId(1), TakeId(2));
    begin(&bus, earlier);
    stroke(&bus, earlier, NOW - Micros::from_millis(7), 40);
    end(&bus, earlier);
    let before = bus.snapshot().applied;
    let nothing = keep(&bus, wanted(before), name).expect_err("nothing was played in this run");
    assert!(nothing.to_string().contains("nothing was played"), "{nothing}");
    assert!(bus.snapshot().state.value(KEPT.entity().as_str()).is_none(), "and there is no empty take");
    begin(&bus, free);
    stroke(&bus, free, NOW - Micros::from_millis(5), 60);
    assert_eq!(keep(&bus, wanted(before), name).expect("kept").notes, 1);
    let again = Wanted { take: TakeId(100), ..wanted(before) };
    assert_eq!(keep(&bus, again, name).expect("kept").notes, 1, "a copy is not copied");
    let taken = keep(&bus, again, name).expect_err("there is such a take");
    assert!(taken.to_string().contains("cannot be kept"), "{taken}");
    assert!(bus.shutdown(WAIT));
}

#[test]
fn more_than_a_transaction_holds_is_kept_whole() {
    const STROKES: i64 = 9_000;
    let bus = bus_on(Box::new(MemoryStorage::new()));
    begin(&bus, TakeId(1));
    for n in 0..STROKES {
        stroke(&bus, TakeId(1), NOW - Micros::from_millis(STROKES - n), 40 + (n % 40) as u8);
    }
    let kept = keep(&bus, wanted(0), name).expect("kept");
    assert_eq!((kept.notes, keys(&bus, KEPT).len()), (STROKES as usize, STROKES as usize));
    assert_eq!(take(&bus, KEPT).end, Some(TakeEnd::Completed));
    assert!(bus.shutdown(WAIT));
}

#[test]
fn deleted_for_ever_what_was_kept_is_gone_and_where_it_came_from_stays() {
    let bus = bus_on(Box::new(MemoryStorage::new()));
    let free = TakeId(1);
    begin(&bus, free);
    (0..20).for_each(|n| stroke(&bus, free, NOW - Micros::from_millis(1_000 - n), 60));
    end(&bus, free);
    keep(&bus, wanted(0), name).expect("kept");
    let eraser = Eraser::start(&bus, &Arc::default(), Box::new(|| Ok(()))).expect("a thread");
    let items = [KEPT.entity(), KEPT.result_entity()].map(|key| Publish::new(key, Event::Erased));
    let seq = bus.transact(items.into()).durable().expect("durable");
    assert!(acknowledged(&bus, seq), "the eraser acknowledges");
    let stubs = |take: TakeId| {
        let events = bus.entity_events(&take.entity(), 1, usize::MAX).expect("readable");
        events.iter().filter(|event| matches!(event.body, Body::Stub { .. })).count()
    };
    // Begun, twenty keys, named, ended.
    assert_eq!((stubs(KEPT), stubs(free)), (23, 0));
    // What was deleted is not kept again either, even before its payload is gone.
    let gone = Erasure::Entity { entity: free.entity().as_str().into(), versions: 1..2 };
    assert_eq!(bus.erase(gone).expect("erased"), 1);
    bus.publish(Publish::new(free.entity(), Event::Erased)).durable().expect("durable");
    let nothing = keep(&bus, Wanted { take: TakeId(101), ..wanted(0) }, name).expect_err("all of it was deleted");
    assert!(nothing.to_string().contains("nothing was played"), "{nothing}");
    assert!(bus.shutdown(WAIT));
    eraser.join().expect("it ends with the bus");
}

/// Names the folder to the child.
const CHILD: &str = "KEEP_CHILD";

/// The child of the test below: keeps, says so, and waits to be killed. Started by itself it is no test.
#[test]
fn child_that_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let opened = open(Path::new(&dir), OpenOptions::default()).expect("a fresh folder opens");
    let bus = bus_on(Box::new(opened.storage));
    begin(&bus, TakeId(1));
    (0..50).for_each(|n| stroke(&bus, TakeId(1), NOW - Micros::from_millis(100 - n), 60));
    let kept = keep(&bus, wanted(0), name).expect("kept");
    println!("\nKEPT {}", kept.notes);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("nobody says anything");
}

#[test]
fn once_it_is_kept_a_kill_takes_nothing_of_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child_that_is_killed", "--nocapture"])
        .env(CHILD, &data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let said = lines.map_while(Result::ok).find(|line| line.starts_with("KEPT"));
    child.kill().expect("it runs");
    assert!(!child.wait().expect("its end").success(), "it was killed");
    assert_eq!(said.as_deref(), Some("KEPT 50"));
    let reader = open_read_only(&data).expect("it opens");
    let found = verify(&reader, &mut |_, _| {}).expect("verification ends");
    assert!(found.is_whole(), "{:?}", found.damages);
    let events = reader.entity_events(KEPT.entity().as_str(), 1, usize::MAX).expect("readable");
    assert_eq!(events.len(), 53);
    drop(reader);
    let bus = bus_on(Box::new(open(&data, OpenOptions::default()).expect("it opens again").storage));
    let kept = take(&bus, KEPT);
    assert_eq!((kept.notes, kept.end, kept.name().as_str()), (50, Some(TakeEnd::Completed), "kept 50"));
    assert!(bus.shutdown(WAIT));
}

#[test]
fn a_take_is_rendered_by_the_name_under_which_it_is_listed() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, wave) = (dir.path().join("data"), dir.path().join("take.wav"));
    let bus = bus_on(Box::new(open(&data, OpenOptions::default()).expect("a fresh folder opens").storage));
    begin(&bus, TakeId(1));
    stroke(&bus, TakeId(1), NOW - Micros::from_millis(100), 60);
    let named = Event::TakeNamed { name: "Sunday".to_owned(), seen: Vec::new() };
    bus.publish(Publish::new(TakeId(1).entity(), named)).durable().expect("durable");
    begin(&bus, TakeId(2));
    assert!(bus.shutdown(WAIT));
    drop(bus);
    let render = |id: &str| {
        let mut out = Vec::new();
        let done = music_trainer::cli::render::take(&data, id, &wave, None, &mut out);
        (done.map_err(|error| error.to_string()), String::from_utf8(out).expect("text"))
    };
    for unknown in ["", "take/", "nonsense", "take/000000000000003"] {
        let (done, listed) = render(unknown);
        let refused = done.expect_err("there is none");
        assert!(refused.contains("holds no take"), "{unknown:?}: {refused}");
        assert_eq!(listed.lines().count(), 1, "nothing was played in the other one: {listed}");
        let words: Vec<&str> = listed.split_whitespace().collect();
        assert_eq!((words.first(), words.last()), (Some(&TakeId(1).entity().as_str()), Some(&"Sunday")), "{listed}");
        assert!(!wave.exists());
    }
    for known in [TakeId(1).entity().as_str().to_owned(), TakeId(1).to_string()] {
        let (done, told) = render(&known);
        done.expect("it is there");
        assert!(told.contains("take.wav"), "{told}");
        std::fs::remove_file(&wave).expect("it was written");
    }
}
