//! The laboratory: what is broken on purpose is felt, nothing is lost, and all of it heals without a restart.

use std::sync::Arc;
use std::time::Duration;

use music_trainer::app::clock::SystemClock;
use music_trainer::bus::lab::{Failure, Lab};
use music_trainer::bus::lane::{LaneItem, essential};
use music_trainer::bus::queue::STREAM_WAIT;
use music_trainer::bus::storage::Storage;
use music_trainer::bus::subscription::ACK_WAIT;
use music_trainer::bus::testing::{Event, Test, check_fold};
use music_trainer::bus::{
    BusHandle, Component, Config, Context, Delivery, Filter, Health, Look, MemoryStorage, Outcome, Publish, Translate,
    start,
};
use music_trainer::time::{Clock, ManualClock, Micros, Stamp};

const WAIT: Duration = Duration::from_secs(30);

/// Echoes each note once.
struct Echo;

impl Component<Test> for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn filter(&self) -> Filter {
        Filter::topic("book.note")
    }

    fn handle(&mut self, _: &Delivery<Test>, _: &Context<Test>) -> Outcome<Test> {
        Outcome::publish(vec![Publish::new("echo/all", Event::Add(1)).actor("echo")])
    }
}

struct Bench {
    lab: Arc<Lab>,
    storage: MemoryStorage,
    bus: BusHandle<Test>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Arc::new(SystemClock::start()))
    }

    fn with(clock: Arc<dyn Clock>) -> Self {
        let (lab, storage) = (Arc::new(Lab::default()), MemoryStorage::new());
        let clock = lab.clock(clock);
        let config = Config { lab: Some(Arc::clone(&lab)), ..Config::default() };
        let bus = start(config, clock, lab.storage(Box::new(storage.clone()))).expect("a bus");
        Self { lab, storage, bus }
    }

    /// Waits until the bus says so; each look is a round of the bus thread.
    fn until(&self, what: &str, is: impl Fn() -> bool) {
        let looks = (0..100_000).find(|_| {
            self.bus.inspect_now().expect("the bus runs");
            is()
        });
        assert!(looks.is_some(), "{what}");
    }

    fn finish(self) {
        self.lab.heal();
        assert!(self.bus.shutdown(WAIT));
        check_fold(&*self.storage.reader(), &self.bus.snapshot().state).expect("the state is the fold of the log");
    }
}

#[test]
fn a_disk_that_freezes_fills_and_fails_is_felt_and_heals() {
    let bench = Bench::new();
    for failure in [Failure::Frozen, Failure::Full, Failure::Failing] {
        bench.lab.set(failure, true);
        let mut ticket = bench.bus.publish(Publish::new("book/a", Event::Title(format!("{failure:?}"))));
        ticket.applied().expect("the music goes on");
        if failure != Failure::Frozen {
            bench.until("a failing disk shows", || matches!(bench.bus.snapshot().health, Health::Buffering { .. }));
        }
        assert!(ticket.try_durable().is_none(), "{failure:?}: nothing is called durable that is not");
        bench.lab.set(failure, false);
        ticket.durable().expect("it heals");
        bench.until("and all is well", || bench.bus.snapshot().health == Health::Ok);
    }
    bench.finish();
}

#[test]
fn a_component_that_panics_is_restarted_and_its_event_comes_again() {
    let bench = Bench::new();
    bench.bus.run(bench.lab.component(Box::new(Echo))).expect("a thread");
    bench.lab.panic_next();
    for pitch in 0..3 {
        bench.bus.publish(Publish::new("book/a", Event::Note { pitch })).applied().expect("applied");
    }
    bench.until("three echoes", || bench.bus.snapshot().state.value("echo/all").is_some_and(|echo| echo.count == 3));
    let report = bench.bus.inspect_now().expect("a report");
    assert_eq!(report.subscribers.iter().map(|s| (s.panics, s.dead_letters)).collect::<Vec<_>>(), [(1, 0)]);
    bench.finish();
}

/// Notes of a lane, and what was lost of them.
struct ToBook;

impl Translate<Test, u32> for ToBook {
    fn translate(&mut self, item: LaneItem<u32>, _: &dyn Look<Test>, out: &mut Vec<Publish<Test>>) {
        match item {
            LaneItem::Event { body, .. } => out.push(Publish::new("book/a", Event::Note { pitch: body })),
            LaneItem::Gap { lost, .. } => out.push(Publish::new("book/a", Event::Gap { lost })),
            LaneItem::Closed => {}
        }
    }
}

#[test]
fn a_lane_that_is_not_drained_fills_tells_what_was_lost_and_goes_on() {
    let bench = Bench::new();
    let (mut lane, consumer) = essential(16);
    bench.bus.add_lane("keys", consumer, Box::new(ToBook)).expect("added");
    bench.lab.set(Failure::Stuck, true);
    for pitch in 0..40 {
        lane.push(Stamp::at(Micros(i64::from(pitch))), pitch);
    }
    let report = bench.bus.inspect_now().expect("a report");
    assert_eq!((report.lanes[0].fill.used, report.lanes[0].delivered), (16, 0), "nothing is taken");
    bench.lab.set(Failure::Stuck, false);
    let book =
        |bench: &Bench| bench.bus.snapshot().state.value("book/a").map_or((0, 0), |book| (book.notes, book.lost));
    bench.until("every note is there or told as lost", || book(&bench) == (15, 25));
    lane.push(Stamp::at(Micros(40)), 40);
    bench.until("and it goes on", || book(&bench) == (16, 25));
    let report = bench.bus.inspect_now().expect("a report");
    assert_eq!((report.lanes[0].pushed, report.lanes[0].lost, report.lanes[0].gaps), (41, 25, 1));
    // What waits in a stuck lane when the program ends is taken all the same.
    bench.lab.set(Failure::Stuck, true);
    lane.push(Stamp::at(Micros(41)), 41);
    assert!(bench.bus.shutdown(WAIT));
    assert_eq!(book(&bench), (17, 25));
    bench.finish();
}

#[test]
fn a_lost_acknowledgement_brings_the_event_again_and_its_effect_comes_once() {
    let clock = Arc::new(ManualClock::default());
    let bench = Bench::with(clock.clone());
    bench.bus.run(bench.lab.component(Box::new(Echo))).expect("a thread");
    bench.until("the component listens", || {
        bench.bus.inspect_now().is_some_and(|report| report.subscribers.iter().any(|s| s.attached))
    });
    bench.lab.set(Failure::Deaf, true);
    bench.bus.publish(Publish::new("book/a", Event::Note { pitch: 1 })).applied().expect("applied");
    clock.advance(STREAM_WAIT);
    bench.until("the first acknowledgement is lost", || bench.lab.acks_lost() == 1);
    let again = || {
        clock.advance(ACK_WAIT);
        bench.until("it is missed", || bench.bus.inspect_now().is_some_and(|r| r.subscribers[0].held == 1));
        let seen = bench.bus.inspect_now().expect("a report");
        assert!(seen.subscribers[0].next_due.is_some() && seen.subscribers[0].tries > 0, "{:?}", seen.subscribers);
        // Over the wait and over the record's commit, but not over another time to acknowledge.
        clock.advance(Micros(1_000_000));
        bench.until("the retry is on its way", || {
            bench.bus.inspect_now().is_some_and(|r| r.subscribers[0].next_due.is_none())
        });
        clock.advance(STREAM_WAIT);
    };
    again();
    bench.until("the second one too", || bench.lab.acks_lost() == 2);
    assert_eq!(bench.bus.snapshot().state.value("echo/all"), None);
    bench.lab.set(Failure::Deaf, false);
    again();
    bench.until("one echo", || bench.bus.snapshot().state.value("echo/all").is_some_and(|echo| echo.count == 1));
    let report = bench.bus.inspect_now().expect("a report");
    let seen = &report.subscribers[0];
    assert_eq!((seen.redelivered, seen.dead_letters, seen.pending, seen.held), (2, 0, 0, 0));
    bench.finish();
}

#[test]
fn a_wall_clock_that_jumps_does_not_disorder_the_log() {
    let bench = Bench::new();
    for (failure, on) in
        [(Failure::Behind, true), (Failure::Behind, false), (Failure::Ahead, true), (Failure::Ahead, false)]
    {
        bench.bus.publish(Publish::new("book/a", Event::Best(1))).durable().expect("durable");
        bench.lab.set(failure, on);
        bench.bus.publish(Publish::new("book/a", Event::Best(2))).durable().expect("durable");
    }
    let stamps: Vec<u64> =
        bench.storage.reader().events(1, usize::MAX).expect("readable").iter().map(|event| event.header.hlc).collect();
    assert_eq!(stamps.len(), 8);
    assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]), "{stamps:?}");
    bench.finish();
}
