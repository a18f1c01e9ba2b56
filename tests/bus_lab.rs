//! The laboratory: what is broken on purpose is felt, nothing is lost, and all of it heals without a restart.

use std::sync::Arc;
use std::time::Duration;

use music_trainer::app::clock::SystemClock;
use music_trainer::bus::lab::{Failure, Lab};
use music_trainer::bus::storage::Storage;
use music_trainer::bus::testing::{Event, Test, check_fold};
use music_trainer::bus::{
    BusHandle, Component, Config, Context, Delivery, Filter, Health, MemoryStorage, Outcome, Publish, start,
};

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
        let (lab, storage) = (Arc::new(Lab::default()), MemoryStorage::new());
        let clock = lab.clock(Arc::new(SystemClock::start()));
        let bus = start(Config::default(), clock, lab.storage(Box::new(storage.clone()))).expect("a bus");
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
