//! Replaying a log to a new subscriber: from a number, from a moment, from an entity's beginning.

use std::sync::Arc;
use std::time::Duration;

use music_trainer::bus::testing::{Event, Test};
use music_trainer::bus::{BusHandle, Config, EntityKey, Filter, MemoryStorage, Publish, Start, start};
use music_trainer::time::{Clock, ManualClock, Micros, WallMillis};

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const MINUTE: Micros = Micros(60 * Micros::SECOND.0);

/// Ten events a minute apart, from minute 0 on, in turns of two entities; all durable.
fn ten_minutes() -> (BusHandle<Test>, WallMillis) {
    let clock = Arc::new(ManualClock::default());
    let bus = start(Config::default(), Arc::clone(&clock) as Arc<dyn Clock>, Box::new(MemoryStorage::new()));
    let bus = bus.expect("it starts");
    let began = clock.wall();
    for minute in 0..10 {
        let key = if minute % 2 == 0 { "counter/even" } else { "counter/odd" };
        bus.publish(Publish::new(key, Event::Add(1))).durable().expect("durable");
        clock.advance(MINUTE);
    }
    (bus, began)
}

#[track_caller]
fn check(bus: &BusHandle<Test>, filter: Filter, start: Start, expected: &[u64]) {
    let name = format!("{filter} from {start:?}");
    let subscription = bus.subscribe_durable(&name, filter, start);
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        let delivery = subscription.recv(PATIENCE).expect("the bus runs").expect("the next event");
        subscription.ack(&delivery).applied().expect("acknowledged");
        seen.push(delivery.envelope.seq);
    }
    assert_eq!(seen, expected, "{name}");
    let report = bus.inspect_now().expect("the bus answers");
    let lag = report.subscribers.iter().find(|seen| seen.name == name).map(|seen| (seen.lag, seen.pending));
    assert_eq!(lag, Some((0, 0)), "{name} has seen everything");
}

#[test]
fn a_log_is_replayed_from_any_moment() {
    let (bus, began) = ten_minutes();
    let minute = |minute: i64| bus.start_at(WallMillis(began.0 + minute * 60_000)).expect("readable");
    assert_eq!(minute(0), Start::Seq(1));
    assert_eq!(minute(7), Start::Seq(8), "at the moment of an event, that event is seen");
    assert_eq!(bus.start_at(WallMillis(began.0 + 7 * 60_000 + 1)).expect("readable"), Start::Seq(9));
    assert_eq!(minute(-1_000_000), Start::Seq(1), "before the log, everything");
    assert_eq!(minute(1_000), Start::Seq(11), "after it, what is still to come");
    check(&bus, Filter::all(), minute(7), &[8, 9, 10]);
    check(&bus, Filter::all(), Start::Seq(4), &[4, 5, 6, 7, 8, 9, 10]);
    assert!(bus.shutdown(PATIENCE));
}

#[test]
fn an_entity_is_replayed_from_its_beginning() {
    let (bus, _) = ten_minutes();
    let odd = EntityKey::new("counter/odd");
    let start = bus.start_of(&odd).expect("readable").expect("it has events");
    assert_eq!(start, Start::Seq(2));
    check(&bus, Filter::all().entity("counter/odd"), start, &[2, 4, 6, 8, 10]);
    assert_eq!(bus.start_of(&EntityKey::new("counter/none")).expect("readable"), None);
    assert!(bus.shutdown(PATIENCE));
}
