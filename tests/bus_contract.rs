//! The running bus: real threads, a store in memory whose faults are scripted, a clock in the hand.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use music_trainer::bus::inspect::Report;
use music_trainer::bus::memory::Fault;
use music_trainer::bus::storage::{Batch, Payload, StateRow, Storage, StorageError, StorageReader};
use music_trainer::bus::testing::{Event, Random, Test, Value, check_fold};
use music_trainer::bus::{
    BusHandle, Component, Config, Context, Delivery, EntityKey, EventId, Expect, Filter, Health, LiveItem, Look,
    MemoryStorage, Outcome, Publish, PublishError, Put, Start, Translate, lane, lane::LaneItem, start,
};
use music_trainer::time::{Clock, ManualClock, Micros, Stamp};

/// Longer than anything here takes.
const WAIT: Duration = Duration::from_secs(20);
const ADD: Event = Event::Add(1);

/// A bus on a store whose faults are fed through `faults`.
struct Bench {
    bus: BusHandle<Test>,
    clock: Arc<ManualClock>,
    storage: MemoryStorage,
    faults: Sender<Fault>,
}

impl Bench {
    fn new() -> Self {
        Self::on(MemoryStorage::new(), Config::default())
    }

    fn on(storage: MemoryStorage, config: Config) -> Self {
        let clock = Arc::new(ManualClock::default());
        let (faults, script) = unbounded();
        let store = Box::new(storage.scripted(script));
        let bus = start(config, Arc::clone(&clock) as Arc<dyn Clock>, store).expect("it starts");
        Self { bus, clock, storage, faults }
    }

    /// Freezes the next commit: told when it begins, released by a message.
    fn freeze(&self) -> (Receiver<()>, Sender<()>) {
        let ((began_in, began), (release, release_out)) = (bounded(1), bounded(1));
        self.faults.send(Fault::Stall { began: began_in, release: release_out }).expect("the script is open");
        (began, release)
    }

    fn publish(&self, key: &str, event: Event) -> Result<music_trainer::bus::Applied, PublishError<Test>> {
        self.bus.publish(Publish::new(key, event)).applied()
    }

    /// Looks until it is so; each look waits for the bus thread. Writing out a panic alone can take a second.
    fn until(&self, what: &str, is_so: impl Fn(&Report) -> bool) -> Arc<Report> {
        for _ in 0..2_000_000 {
            let report = self.bus.inspect_now().expect("the bus answers");
            if is_so(&report) {
                return report;
            }
        }
        panic!("never {what}: {:?}", self.bus.inspect_now());
    }

    /// R1, R3 and the end: everything durable, the sums right, the state the fold of the log.
    fn finish(self) {
        let report = self.bus.inspect_now().expect("the bus answers");
        let counts = report.counts;
        assert_eq!(counts.published, counts.applied + counts.refused + counts.lost, "nothing disappears silently");
        assert!(self.bus.shutdown(WAIT), "everything is durable");
        check_fold(&*self.storage.reader(), &self.bus.snapshot().state).expect("R3");
        assert!(matches!(self.publish("counter/x", ADD), Err(PublishError::Closed)));
    }
}

#[test]
fn a_publisher_is_answered_twice_and_sees_its_own_event_in_between() {
    let bench = Bench::new();
    let (began, release) = bench.freeze();
    let mut ticket = bench.bus.publish(Publish::new("counter/a", Event::Add(7)));
    let applied = ticket.applied().expect("applied");
    assert_eq!((applied.seq, applied.version), (1, 1));
    let snapshot = bench.bus.snapshot();
    assert_eq!(snapshot.state.value("counter/a").map(|value| value.count), Some(7));
    began.recv_timeout(WAIT).expect("an edit starts a commit at once");
    assert!(ticket.try_durable().is_none(), "not durable before the disk says so");
    assert_eq!(bench.bus.snapshot().durable, 0);
    release.send(()).expect("the persister waits");
    assert_eq!(ticket.durable().expect("durable"), 1);
    assert_eq!(bench.bus.snapshot().durable, 1);
    bench.finish();
}

#[test]
fn refusals_and_conflicts_carry_what_is_needed_to_try_again() {
    let bench = Bench::new();
    assert!(
        matches!(bench.publish("counter/a", Event::Add(-1)), Err(PublishError::Refused { reason, .. }) if reason == "below zero")
    );
    let first = bench.publish("counter/a", ADD).expect("applied");
    let second = bench.publish("counter/a", ADD).expect("applied");
    let stale = [
        Publish::new("counter/a", ADD).expect(Expect::Exact(1)),
        Publish::new("counter/a", ADD).expect(Expect::Absent),
        Publish::new("counter/a", ADD).base(first.id),
    ];
    for publish in stale {
        let Err(PublishError::Conflict { entity, current }) = bench.bus.publish(publish).applied() else {
            panic!("a conflict was expected");
        };
        let current = current.expect("it exists");
        assert_eq!((entity.as_str(), current.version, current.last), ("counter/a", 2, second.id));
        assert_eq!(current.value.as_ref().map(|value| value.count), Some(2));
    }
    let rebased = Publish::new("counter/a", ADD).base(second.id).expect(Expect::Exact(2));
    assert_eq!(bench.bus.publish(rebased).applied().expect("rebased").version, 3);
    let title = |text: &str| Publish::new("book/a", Event::Title(text.to_owned()));
    let base = bench.bus.publish(title("one")).applied().expect("applied").id;
    let two = bench.publish("book/a", Event::Title("two".to_owned())).expect("applied").id;
    bench.bus.publish(title("three").base(base)).applied().expect("one's own edit is no conflict");
    let met = bench.bus.snapshot().state.value("met/a").and_then(Value::met);
    assert_eq!(met, None);
    let four = title("four").base(two).actor("another");
    let four = bench.bus.publish(four).applied().expect("the last writer wins");
    let three = EventId { device_seq: four.id.device_seq - 1, ..four.id };
    let met = bench.bus.snapshot().state.value("met/a").and_then(Value::met);
    assert_eq!(met, Some((four.id, three)), "winner and loser are on record");
    let report = bench.bus.inspect_now().expect("a report");
    let outcomes: Vec<&str> = report.conflicts.iter().map(|conflict| conflict.outcome).collect();
    assert_eq!(outcomes, ["rejected", "rejected", "rejected", "last writer"]);
    bench.finish();
}

#[test]
fn many_writers_that_insist_on_a_version_lose_no_update() {
    let bench = Bench::new();
    const WRITERS: u64 = 16;
    const EACH: u64 = 50;
    let write = |bus: BusHandle<Test>, seed: u64| {
        let mut random = Random(seed);
        for _ in 0..EACH {
            let key = format!("counter/{}", random.below(2));
            loop {
                let version = bus.snapshot().state.get(&key).map_or(0, |value| value.version);
                let publish = Publish::new(key.as_str(), ADD).expect(Expect::Exact(version));
                match bus.publish(publish).applied() {
                    Ok(applied) => break assert_eq!(applied.version, version + 1),
                    Err(PublishError::Conflict { .. } | PublishError::Busy) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for seed in 0..WRITERS {
            let bus = bench.bus.clone();
            scope.spawn(move || write(bus, seed));
        }
    });
    let snapshot = bench.bus.snapshot();
    let sum: i64 = snapshot.state.iter().filter_map(|(_, counter)| Some(counter.value.as_ref()?.count)).sum();
    assert_eq!(sum as u64, WRITERS * EACH);
    bench.finish();
}

#[test]
fn an_edit_that_has_nothing_to_do_any_more_publishes_nothing() {
    let bench = Bench::new();
    let none = bench.bus.rebase(&EntityKey::new("counter/a"), |current| current.map(|_| ADD));
    assert_eq!(none.expect("no error"), None);
    assert_eq!(bench.bus.snapshot().applied, 0);
    bench.finish();
}

#[test]
fn no_reader_ever_sees_half_a_transaction() {
    let bench = Bench::new();
    let purses =
        |from: i64, to: i64| vec![Publish::new("purse/a", Event::Add(from)), Publish::new("purse/b", Event::Add(to))];
    bench.bus.transact(purses(500, 500)).applied().expect("applied");
    let (stop, stopped) = bounded::<()>(0);
    let bus = bench.bus.clone();
    let reader = std::thread::spawn(move || {
        let mut looks = 0u64;
        while stopped.try_recv() != Err(crossbeam_channel::TryRecvError::Disconnected) {
            let snapshot = bus.snapshot();
            let count = |key: &str| snapshot.state.value(key).map_or(0, |value| value.count);
            assert_eq!(count("purse/a") + count("purse/b"), 1_000);
            looks += 1;
        }
        looks
    });
    let mut refused = 0;
    for number in 0..400 {
        // Now and then more than there is: the first half alone would be allowed.
        let amount = if number % 10 == 0 { 5_000 } else { (number % 7) * if number % 2 == 0 { 1 } else { -1 } };
        refused += u32::from(bench.bus.transact(purses(amount, -amount)).applied().is_err());
    }
    drop(stop);
    assert!(reader.join().expect("it never saw a half") > 0);
    assert_eq!(refused, 40);
    let too_many = vec![Publish::new("purse/a", ADD); 4_097];
    assert!(matches!(bench.bus.transact(too_many).applied(), Err(PublishError::TooLarge)));
    let too_big = Publish::new("book/a", Event::Title("x".repeat(5 << 20)));
    assert!(matches!(bench.bus.publish(too_big).applied(), Err(PublishError::TooLarge)));
    bench.finish();
}

#[test]
fn stream_events_wait_for_company_and_an_edit_takes_them_along() {
    let bench = Bench::new();
    bench.publish("counter/a", ADD).expect("applied");
    bench.until("durable", |report| report.durable == 1);
    let commits = bench.storage.commits();
    for pitch in 0..100 {
        bench.publish("book/a", Event::Note { pitch }).expect("applied");
    }
    assert_eq!((bench.storage.commits(), bench.bus.snapshot().durable), (commits, 1));
    let mut edit = bench.bus.publish(Publish::new("counter/a", ADD));
    assert_eq!(edit.durable().expect("durable"), 102);
    assert_eq!(bench.storage.commits(), commits + 1);
    let mut note = bench.bus.publish(Publish::new("book/a", Event::Note { pitch: 1 }));
    note.applied().expect("applied");
    bench.clock.advance(Micros::from_millis(200));
    assert_eq!(note.durable().expect("after 200 ms it is written without an edit"), 103);
    bench.finish();
}

#[test]
fn while_the_disk_stands_still_events_go_on_being_applied() {
    let bench = Bench::new();
    let (began, release) = bench.freeze();
    let mut first = bench.bus.publish(Publish::new("counter/a", ADD));
    began.recv_timeout(WAIT).expect("the commit began");
    bench.clock.advance(Micros::SECOND);
    for pitch in 0..500 {
        bench.publish("book/a", Event::Note { pitch }).expect("applied all the same");
    }
    let report = bench.until("buffering", |report| matches!(report.health, Health::Buffering { .. }));
    assert_eq!((report.applied, report.durable, report.undurable.used), (501, 0, 501));
    release.send(()).expect("the persister waits");
    assert_eq!(first.durable().expect("durable"), 1);
    bench.until("well", |report| report.health == Health::Ok);
    bench.finish();
}

#[test]
fn a_failing_disk_is_tried_again_until_it_works_and_nothing_is_lost() {
    let bench = Bench::new();
    for error in
        [StorageError::Full("none left".into()), StorageError::Io("eio".into()), StorageError::Full("x".into())]
    {
        bench.faults.send(Fault::Fail(error)).expect("the script is open");
    }
    let mut ticket = bench.bus.publish(Publish::new("counter/a", ADD));
    ticket.applied().expect("applied");
    for failures in 1..=3 {
        let report = bench.until("failed", |report| report.counts.commit_failures == failures);
        assert!(matches!(report.health, Health::Buffering { events: 1, .. }), "{:?}", report.health);
        assert!(ticket.try_durable().is_none());
        bench.clock.advance(Micros::SECOND);
    }
    assert_eq!(ticket.durable().expect("durable in the end"), 1);
    assert_eq!(bench.until("well", |report| report.health == Health::Ok).counts.commits, 1);
    bench.finish();
}

#[test]
fn at_the_bound_edits_are_refused_and_played_notes_become_a_gap_record() {
    let bench = Bench::on(MemoryStorage::new(), Config { buffer: (100, 1 << 30), ..Config::default() });
    let (began, release) = bench.freeze();
    bench.publish("counter/a", ADD).expect("applied");
    began.recv_timeout(WAIT).expect("the commit began");
    for pitch in 0..99 {
        bench.publish("book/a", Event::Note { pitch }).expect("applied");
    }
    assert!(matches!(bench.publish("counter/a", ADD), Err(PublishError::ReadOnly(_))));
    for pitch in 0..17 {
        assert!(matches!(bench.publish("book/a", Event::Note { pitch }), Err(PublishError::ReadOnly(_))));
    }
    let report = bench.until("read-only", |report| matches!(report.health, Health::ReadOnly(_)));
    assert_eq!((report.counts.lost, report.counts.refused, report.counts.gap_records), (17, 1, 0));
    release.send(()).expect("the persister waits");
    bench.clock.advance(Micros::SECOND);
    bench.until("told", |report| report.counts.gap_records == 1);
    assert_eq!(bench.bus.snapshot().state.value("book/a").map(|book| (book.notes, book.lost)), Some((99, 17)));
    bench.publish("counter/a", ADD).expect("edits are taken again");
    bench.finish();
}

#[test]
fn a_damaged_store_refuses_edits_at_once_and_says_why() {
    let bench = Bench::new();
    let damage = StorageError::Damaged { place: "log 1".into(), what: "a wrong checksum".into() };
    bench.faults.send(Fault::Fail(damage)).expect("the script is open");
    bench.publish("counter/a", ADD).expect("applied");
    let report = bench.until("read-only", |report| matches!(report.health, Health::ReadOnly(_)));
    assert_eq!(report.health.to_string(), "nothing can be saved: damaged data at log 1: a wrong checksum");
    assert!(matches!(bench.publish("counter/a", ADD), Err(PublishError::ReadOnly(_))));
    bench.clock.advance(Micros::SECOND);
    bench.until("mended", |report| report.health == Health::Ok);
    bench.finish();
}

/// Notes as they come; gaps as gap events.
struct Notes;

impl Translate<Test, u32> for Notes {
    fn translate(&mut self, item: LaneItem<u32>, state: &dyn Look<Test>, out: &mut Vec<Publish<Test>>) {
        assert!(state.look("never/was").is_none());
        match item {
            LaneItem::Event { stamp, body } => {
                out.push(Publish::new("book/lane", Event::Note { pitch: body }).stamp(stamp))
            }
            LaneItem::Gap { lost, .. } => out.push(Publish::new("book/lane", Event::Gap { lost })),
            LaneItem::Closed => out.push(Publish::new("book/lane", Event::Title("closed".to_owned()))),
        }
    }
}

#[test]
fn lane_events_become_domain_events_and_what_a_full_lane_lost_is_told() {
    let bench = Bench::new();
    let (mut producer, consumer) = lane::essential(16);
    for pitch in 0..40 {
        producer.push(Stamp::at(Micros(pitch)), pitch as u32);
    }
    bench.bus.add_lane("keys", consumer, Box::new(Notes)).expect("taken");
    let report =
        bench.until("drained", |report| report.lanes.iter().any(|lane| lane.delivered == 15 && lane.lost == 25));
    assert_eq!((report.lanes[0].pushed, report.lanes[0].gaps), (40, 1));
    producer.push(Stamp::at(Micros(40)), 40);
    drop(producer);
    bench.until("closed", |report| report.lanes[0].closed);
    let snapshot = bench.bus.snapshot();
    let book = snapshot.state.value("book/lane").expect("written");
    assert_eq!((book.notes, book.lost, &**book.title), (16, 25, "closed"));
    let shutdown = bench.bus.clone();
    bench.finish();
    let events = shutdown.entity_events(&EntityKey::new("book/lane"), 16, 1).expect("readable");
    assert_eq!(events[0].event(), Some(&Event::Gap { lost: 25 }));
}

/// Cannot make anything of every tenth note.
struct Clumsy;

impl Translate<Test, u32> for Clumsy {
    fn translate(&mut self, item: LaneItem<u32>, state: &dyn Look<Test>, out: &mut Vec<Publish<Test>>) {
        Notes.translate(item, state, out);
        assert!(!matches!(item, LaneItem::Event { body, .. } if body % 10 == 3), "not that one");
    }
}

#[test]
fn a_note_that_its_translator_panics_at_is_told_as_a_loss_and_the_others_come() {
    let bench = Bench::new();
    let (mut producer, consumer) = lane::essential(64);
    for pitch in 0..40 {
        producer.push(Stamp::at(Micros(pitch)), pitch as u32);
    }
    bench.bus.add_lane("keys", consumer, Box::new(Clumsy)).expect("taken");
    let report = bench.until("drained", |report| report.lanes.iter().any(|lane| lane.delivered == 40));
    assert_eq!((report.lanes[0].panics, report.lanes[0].lost), (4, 0));
    drop(producer);
    bench.until("closed", |report| report.lanes[0].closed);
    let snapshot = bench.bus.snapshot();
    let book = snapshot.state.value("book/lane").expect("written");
    assert_eq!((book.notes, book.lost), (36, 4));
    bench.finish();
}

#[test]
fn a_live_subscriber_that_does_not_keep_up_is_told_how_many_it_missed() {
    let bench = Bench::new();
    let live = bench.bus.subscribe_live(Filter::topic("book.*").entity("book/a"), 4);
    for pitch in 0..10 {
        bench.publish("book/a", Event::Note { pitch }).expect("applied");
        bench.publish("book/b", Event::Note { pitch }).expect("applied");
        bench.publish("counter/a", ADD).expect("applied");
    }
    let mut seen = Vec::new();
    while seen.len() < 6 {
        match live.recv(WAIT).expect("open").expect("in time") {
            LiveItem::Event(envelope) => seen.push(envelope.seq as i64),
            LiveItem::Lost(count) => {
                seen.push(-(count as i64));
                bench.publish("book/a", Event::Note { pitch: 99 }).expect("applied");
            }
        }
    }
    assert_eq!(seen, [1, 4, 7, 10, -6, 31], "in order, with the loss in its place");
    drop(live);
    bench.publish("book/a", Event::Note { pitch: 99 }).expect("applied");
    bench.until("forgotten", |report| report.live.is_empty());
    bench.finish();
}

#[test]
fn idle_live_subscribers_are_asked_once_per_topic_and_never_per_event() {
    const IDLE: u64 = 1_000;
    let bench = Bench::new();
    let idle: Vec<_> = (0..IDLE).map(|_| bench.bus.subscribe_live(Filter::topic("counter.*"), 4)).collect();
    let live = bench.bus.subscribe_live(Filter::topic("book.*"), 4_096);
    let filters = || bench.bus.inspect_now().expect("the bus runs").counts.filters;
    let before = filters();
    for pitch in 0..100 {
        bench.publish("book/a", Event::Note { pitch }).expect("applied");
    }
    assert_eq!(filters() - before, IDLE + 1, "each once, when the topic first came");
    assert_eq!((0..100).filter(|_| matches!(live.recv(WAIT), Ok(Some(LiveItem::Event(_))))).count(), 100);
    assert!(idle.iter().all(|live| matches!(live.try_recv(), Ok(None))));
    bench.finish();
}

/// Echoes notes; panics on 999.
struct Echo(Sender<u64>);

impl Component<Test> for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }
    fn filter(&self) -> Filter {
        Filter::topic("book.note")
    }
    fn handle(&mut self, delivery: &Delivery<Test>, context: &Context<Test>) -> Outcome<Test> {
        assert!(context.snapshot().durable >= delivery.envelope.seq);
        match delivery.envelope.event() {
            Some(Event::Note { pitch: 999 }) => panic!("what a note"),
            _ => {
                self.0.send(delivery.envelope.seq).ok();
                Outcome::publish(vec![Publish::new("echo/x", ADD).actor("echo")])
            }
        }
    }
}

#[test]
fn a_component_survives_its_panics_and_its_effects_happen_once() {
    let bench = Bench::new();
    let (handled_in, handled) = unbounded();
    bench.bus.run(Box::new(Echo(handled_in))).expect("a thread");
    for pitch in [1, 999, 2] {
        bench.publish(&format!("book/{pitch}"), Event::Note { pitch }).expect("applied");
    }
    bench.clock.advance(Micros::from_millis(200));
    assert_eq!(handled.recv_timeout(WAIT), Ok(1));
    assert_eq!(handled.recv_timeout(WAIT), Ok(3), "the next one is handled after the panic");
    for panics in 1..=6 {
        bench.until("panicked", |report| report.subscribers[0].panics == panics);
        bench.until("settled", |report| report.subscribers[0].next_due.is_some() || report.dead_letters == 1);
        bench.clock.advance(Micros(36_000_000));
    }
    bench.until("given up", |report| report.dead_letters == 1);
    // What was decided before an edit is durable with it.
    bench.bus.publish(Publish::new("counter/a", ADD)).durable().expect("durable");
    let letters = music_trainer::bus::rows::dead_letters(&**bench.bus.reader()).expect("readable");
    assert_eq!((letters[0].seq, letters[0].tries, &*letters[0].error), (2, 6, "panicked: what a note"));
    assert_eq!(bench.bus.snapshot().state.value("echo/x").map(|echo| echo.count), Some(2));
    let report = bench.bus.inspect_now().expect("a report");
    assert!(!report.subscribers[0].parked, "one event does not park a component");
    bench.finish();
}

#[test]
fn panics_in_five_different_events_park_a_component_visibly() {
    let bench = Bench::new();
    let (handled_in, _handled) = unbounded();
    let thread = bench.bus.run(Box::new(Echo(handled_in))).expect("a thread");
    for number in 0..5 {
        bench.publish(&format!("book/{number}"), Event::Note { pitch: 999 }).expect("applied");
    }
    bench.clock.advance(Micros::from_millis(200));
    thread.join().expect("the panics were caught");
    let report = bench.until("parked", |report| report.subscribers[0].parked);
    assert_eq!((report.subscribers[0].panics, report.subscribers[0].attached), (5, false));
    bench.finish();
}

#[test]
fn a_restart_finds_everything_and_goes_on_counting() {
    let first = Bench::new();
    for pitch in 0..10 {
        first.publish("book/a", Event::Note { pitch }).expect("applied");
    }
    first.publish("counter/a", ADD).expect("applied");
    first.publish("counter/a", Event::Remove).expect("applied");
    let (device, storage) = (first.bus.device(), first.storage.clone());
    let before = first.bus.snapshot();
    let hlc = |bus: &BusHandle<Test>, seq| bus.events(seq, 1).expect("readable")[0].hlc;
    first.finish();
    let second = Bench::on(storage, Config::default());
    assert_eq!(second.bus.device(), device);
    assert_eq!(second.bus.snapshot().state, before.state);
    let applied = second.publish("counter/a", ADD).expect("applied");
    assert_eq!((applied.seq, applied.version, applied.id.device_seq), (13, 3, 13));
    second.until("durable", |report| report.durable == 13);
    assert!(hlc(&second.bus, 13) > hlc(&second.bus, 12), "also although the clock began anew");
    second.finish();
}

#[test]
fn what_a_newer_program_wrote_is_kept_and_counted() {
    let first = Bench::new();
    first.publish("counter/a", Event::Add(3)).expect("applied");
    let mut storage = first.storage.clone();
    first.finish();
    // A newer program's event and value.
    let mut event = storage.events(1, 1).expect("readable").remove(0);
    (event.header.seq, event.header.id.device_seq, event.header.version) = (2, 2, 2);
    event.header.schema_version = 9;
    event.payload = Payload::Bytes(vec![0x92, 1, 2]);
    let row = StateRow {
        entity: "counter/a".into(),
        version: 2,
        last: event.header.id,
        topic: "counter.add".into(),
        value: Some(vec![0xc1]),
    };
    let batch = Batch { events: vec![event], state: vec![row], ..Batch::default() };
    storage.commit(&batch).expect("it follows");
    let second = Bench::on(storage, Config::default());
    let applied = second.publish("counter/a", ADD).expect("applied");
    assert_eq!((applied.seq, applied.version), (3, 3));
    assert_eq!(second.bus.snapshot().state.value("counter/a").map(|value| value.count), Some(4));
    let opaque = second.bus.events(2, 1).expect("readable").remove(0);
    assert_eq!(music_trainer::bus::inspect::event_json(&opaque)["payload"], serde_json::json!([1, 2]));
    assert!(second.bus.shutdown(WAIT));
}

#[test]
fn repaints_are_asked_for_at_most_once_in_four_milliseconds() {
    let bench = Bench::new();
    let (painted_in, painted) = unbounded();
    bench.bus.set_waker(Box::new(move || painted_in.send(()).expect("the test listens")));
    bench.clock.advance(Micros::SECOND);
    for _ in 0..50 {
        bench.publish("counter/a", ADD).expect("applied");
    }
    bench.until("durable", |report| report.durable == 50);
    assert_eq!(painted.try_iter().count(), 1, "the clock stood still");
    bench.clock.advance(Micros(4_000));
    painted.recv_timeout(WAIT).expect("what changed meanwhile is painted later");
    let polls = bench.until("polled", |report| report.counts.polls > 10).counts.polls;
    bench.until("at rest", |report| report.counts.polls > polls + 5);
    bench.clock.advance(Micros(4_000));
    bench.until("at rest", |report| report.counts.polls > polls + 10);
    assert_eq!(painted.try_iter().count(), 0, "nothing changed, nothing is painted");
    bench.finish();
}

#[test]
fn a_report_shows_events_with_their_payload_without_being_asked_to_wait() {
    let bench = Bench::new();
    bench.bus.publish(Publish::new("counter/a", Event::Add(2)).actor("tester")).durable().expect("durable");
    bench.bus.inspect();
    bench.clock.advance(Micros::SECOND);
    bench.until("made", |_| bench.bus.inspect().applied == 1);
    let report = bench.bus.inspect();
    let json = music_trainer::bus::inspect::event_json(&*report.recent[0]);
    assert_eq!((&json["payload"], &json["actor"]), (&serde_json::json!({"Add": 2}), &serde_json::json!("tester")));
    assert_eq!(report.topics[2].events, 1);
    let sub = bench.bus.subscribe_durable("sub", Filter::all(), Start::Now);
    assert!(sub.recv(Duration::from_millis(1)).expect("open").is_none());
    bench.finish();
    assert!(sub.recv(WAIT).is_err(), "the bus's end is the subscription's");
}

#[test]
fn a_bug_in_the_fold_stops_the_bus_and_nobody_waits_for_it() {
    let bench = Bench::new();
    let sub = bench.bus.subscribe_durable("sub", Filter::all(), Start::Now);
    bench.bus.publish(Publish::new("counter/a", ADD)).durable().expect("durable");
    assert!(matches!(bench.publish("counter/a", Event::Bug), Err(PublishError::Closed)));
    assert!(matches!(bench.publish("counter/a", ADD), Err(PublishError::Closed)));
    while sub.recv(WAIT).is_ok() {}
    assert!(matches!(bench.bus.snapshot().health, Health::ReadOnly(_)));
    check_fold(&*bench.storage.reader(), &bench.bus.snapshot().state).expect("what was durable stands");
}

#[test]
fn a_bug_in_encoding_stops_saving_and_is_told() {
    let bench = Bench::new();
    bench.bus.publish(Publish::new("counter/a", ADD)).durable().expect("durable");
    let mut ticket = bench.bus.publish(Publish::new("counter/b", Event::BugInEncoding));
    ticket.applied().expect("applied");
    bench.until("read-only", |report| matches!(report.health, Health::ReadOnly(_)));
    assert!(matches!(bench.publish("counter/a", ADD), Err(PublishError::ReadOnly(_))));
    assert!(!bench.bus.shutdown(WAIT), "it says that not everything is durable");
    assert!(matches!(ticket.durable(), Err(PublishError::Closed)));
}

#[test]
fn what_is_too_large_to_be_kept_is_refused_before_it_reaches_the_store() {
    let bench = Bench::new();
    for key in [String::new(), "x".repeat(201)] {
        assert!(matches!(bench.publish(&key, ADD), Err(PublishError::TooLarge)));
    }
    let sub = bench.bus.subscribe_durable("sub", Filter::all(), Start::Beginning);
    bench.publish("counter/a", ADD).expect("applied");
    let delivery = sub.recv(WAIT).expect("open").expect("in time");
    let put = |key: Vec<u8>| Outcome::Ack { publish: Vec::new(), put: vec![Put { key, value: Some(vec![7]) }] };
    assert!(matches!(sub.settle(&delivery, put(vec![1; 301])).applied(), Err(PublishError::TooLarge)));
    let mut ticket = sub.settle(&delivery, put(b"k".to_vec()));
    ticket.applied().expect("taken");
    bench.clock.advance(Micros::SECOND);
    ticket.durable().expect("a private row is written like a stream event");
    assert_eq!(sub.private(b"").expect("readable"), [(b"k".to_vec(), vec![7])]);
    let nameless = bench.bus.subscribe_durable(&"x".repeat(65), Filter::all(), Start::Now);
    assert!(nameless.recv(WAIT).is_err());
    bench.finish();
}
