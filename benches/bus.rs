//! The bus beside the bare parts it is made of: a lane push beside an rtrb push, the core's step beside a crossbeam
//! channel, and the way from a push to the stored snapshot beside a bare loop that parks for a millisecond.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::bounded;
use music_trainer::bus::core::{Core, Effects, Input, Now, Setup};
use music_trainer::bus::fold::Folded;
use music_trainer::bus::lane::{self, EssentialConsumer, EssentialProducer, LaneItem};
use music_trainer::bus::testing::{Event, Random, Test};
use music_trainer::bus::{
    BusHandle, Config, DeviceId, EntityKey, Filter, Health, Look, MemoryStorage, Outcome, Publish, Start, Translate,
    start,
};
use music_trainer::time::{Clock, Micros, Stamp, WallMillis};
use support::{Aim, Samples, alternate, machine, now, report};

/// Pushes of one round; the rings are emptied in between.
const PUSHES: u64 = 4_096;
const ROUNDS: usize = 500;
/// Events of one round through the core.
const EVENTS: u64 = 100_000;
const CORE_ROUNDS: usize = 15;
/// Events between two snapshots and commits.
const POLL: u64 = 512;
/// Pushes timed from push to snapshot.
const TIMED: u64 = 2_000;

fn lane_push() {
    let (mut producer, mut consumer) = lane::essential::<u64>(PUSHES as usize * 2);
    let (mut bare_in, mut bare_out) = rtrb::RingBuffer::<(Stamp, u64)>::new(PUSHES as usize * 2);
    let stamp = Stamp::at(Micros(7));
    // The ring is emptied before the clock starts: only the push is measured.
    let (mut ours, mut bare) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        consumer.drain(usize::MAX, |item| {
            std::hint::black_box(item);
        });
        while let Ok(item) = bare_out.pop() {
            std::hint::black_box(item);
        }
        let (a, b) = alternate(
            1,
            PUSHES,
            || {
                (0..PUSHES).for_each(|number| {
                    std::hint::black_box(producer.push(stamp, number));
                });
            },
            || (0..PUSHES).for_each(|number| bare_in.push((stamp, number)).expect("it was emptied")),
        );
        ours.add(a.median());
        bare.add(b.median());
    }
    report("lane push", "ns", ours.median(), "rtrb push", bare.median(), Aim::AtMost(3.0));
}

fn core_step(entities: usize) {
    let keys: Vec<EntityKey> = (0..entities).map(|number| format!("book/{number}").into()).collect();
    let publish = |number: u64| {
        let key = keys[number as usize % entities].clone();
        Publish::<Test>::new(key, Event::Note { pitch: number as u32 & 127 })
    };
    let (folded, saved) = (Folded::default(), Vec::new());
    let buffer = (1 << 20, usize::MAX);
    let mut core: Core<Test, ()> = Core::new(Setup {
        device: DeviceId(1),
        folded,
        saved,
        rest: Health::Ok,
        buffer,
        commit_events: 4_096,
        snapshot_events: u64::MAX,
        seed: 1,
    });
    let mut fx = Effects::default();
    let mut micros = 0;
    let step = || {
        for number in 0..EVENTS {
            let now = Now { mono: Micros(micros), wall: WallMillis(micros) };
            core.step(now, Input::Publish(publish(number), None), &mut fx);
            if number % POLL == POLL - 1 {
                micros += 1_000;
                core.step(now, Input::Tick, &mut fx);
                std::hint::black_box(core.snapshot(now));
                fx.applied.clear();
                if fx.commit.take().is_some() {
                    core.step(now, Input::Committed, &mut fx);
                }
            }
        }
    };
    let channel = || {
        let (sender, receiver) = bounded(4_096);
        let reading = std::thread::spawn(move || receiver.into_iter().map(std::hint::black_box).count());
        (0..EVENTS).for_each(|number| sender.send(publish(number)).expect("somebody receives"));
        drop(sender);
        assert_eq!(reading.join().expect("it counts") as u64, EVENTS);
    };
    let (ours, bare) = alternate(CORE_ROUNDS, EVENTS, step, channel);
    let million = |samples: &Samples| 1_000.0 / samples.median();
    let name = format!("core step with a snapshot every {POLL}, {entities} entities");
    report(&name, "M events/s", million(&ours), "crossbeam channel", million(&bare), Aim::None);
    println!("  aim 2 M events/s: {}", if million(&ours) >= 2.0 { "met" } else { "MISSED" });
}

/// Events of one round past many subscribers.
const PAST: u64 = 20_000;

/// What an event costs from publication to acknowledgement, by how many durable subscribers there are: those that want
/// it, and those that do not.
fn fan_out(idle: usize, interested: usize) -> f64 {
    let mut core: Core<Test, ()> = Core::new(Setup {
        device: DeviceId(1),
        folded: Folded::default(),
        saved: Vec::new(),
        rest: Health::Ok,
        buffer: (1 << 20, usize::MAX),
        commit_events: 4_096,
        snapshot_events: u64::MAX,
        seed: 1,
    });
    let mut fx = Effects::default();
    let names: Vec<Arc<str>> = (0..idle + interested).map(|number| format!("subscriber {number}").into()).collect();
    let mut now = Now { mono: Micros(0), wall: WallMillis(0) };
    for (number, name) in names.iter().enumerate() {
        let filter = Filter::topic(if number < idle { "any.bug" } else { "book.note" });
        core.step(now, Input::Subscribe { name: Arc::clone(name), filter, start: Start::Beginning }, &mut fx);
    }
    let (mut samples, mut delivered) = (Samples::default(), 0);
    for _ in 0..5 {
        let took = support::time(|| {
            for number in 0..PAST {
                // An entity each, so that nothing waits for the one before.
                let key = format!("book/{}", number % 200);
                core.step(now, Input::Publish(Publish::new(key, Event::Note { pitch: 1 }), None), &mut fx);
                if number % 100 < 99 {
                    continue;
                }
                now.mono += Micros(1_000);
                // Until everybody has had everything.
                loop {
                    core.step(now, Input::Flush, &mut fx);
                    core.step(now, Input::Tick, &mut fx);
                    fx.applied.clear();
                    if fx.commit.take().is_some() {
                        core.step(now, Input::Committed, &mut fx);
                        core.step(now, Input::Tick, &mut fx);
                    }
                    let deliveries = std::mem::take(&mut fx.deliveries);
                    if deliveries.is_empty() {
                        break;
                    }
                    delivered += deliveries.len() as u64;
                    for (index, delivery) in deliveries {
                        let (seq, number) = (delivery.envelope.seq, delivery.number);
                        core.step(now, Input::Taken { index, number }, &mut fx);
                        let (name, outcome) = (Arc::clone(&names[index]), Outcome::done());
                        core.step(now, Input::Settle { name, seq, number, outcome, reply: None }, &mut fx);
                    }
                }
            }
        });
        samples.add(took.as_nanos() as f64 / PAST as f64);
    }
    assert_eq!(delivered, 5 * PAST * interested as u64, "everybody has had everything once");
    samples.median()
}

fn fan_outs() {
    let alone = fan_out(0, 0);
    println!("an event without subscribers, committed every 100: {alone:.0} ns");
    for count in [1, 10, 100, 1_000] {
        let (idle, wanted) = (fan_out(count, 0), fan_out(0, count.min(100)));
        println!(
            "{count:>5} subscribers: idle {idle:.0} ns an event, {:.2} ns more for each",
            (idle - alone) / count as f64
        );
        if count <= 100 {
            println!(
                "{count:>5} subscribers: interested {wanted:.0} ns, {:.0} ns a delivery",
                (wanted - alone) / count as f64
            );
        }
    }
}

/// The program's clock, as a benchmark may read it.
struct RealClock(std::time::Instant);

impl Clock for RealClock {
    fn now(&self) -> Micros {
        Micros(now().duration_since(self.0).as_micros() as i64)
    }
    fn wall(&self) -> WallMillis {
        WallMillis(1_700_000_000_000 + self.now().0 / 1_000)
    }
}

struct Notes;

impl Translate<Test, u64> for Notes {
    fn translate(&mut self, item: LaneItem<u64>, _: &dyn Look<Test>, out: &mut Vec<Publish<Test>>) {
        if let LaneItem::Event { stamp, body } = item {
            out.push(Publish::new("book/lane", Event::Note { pitch: body as u32 & 127 }).stamp(stamp));
        }
    }
}

/// Looks at each item and publishes nothing: it only keeps the loop busy.
struct Noise;

impl Translate<Test, u64> for Noise {
    fn translate(&mut self, item: LaneItem<u64>, _: &dyn Look<Test>, _: &mut Vec<Publish<Test>>) {
        std::hint::black_box(item);
    }
}

/// Pushes one event at a time, at no fixed phase, and spins until `applied` says that a snapshot holds it.
fn time_pushes(producer: &mut EssentialProducer<u64>, applied: impl Fn() -> u64) -> Samples {
    let mut random = Random(1);
    let mut samples = Samples::default();
    for number in 1..=TIMED {
        let pause = now() + Duration::from_micros(random.below(1_500));
        while now() < pause {
            std::thread::yield_now();
        }
        let start = now();
        producer.push(Stamp::at(Micros(number as i64)), number);
        while applied() < number {
            std::thread::yield_now();
        }
        samples.add(start.elapsed().as_nanos() as f64 / 1_000.0);
    }
    samples
}

/// Pushes without end, so that a loop always finds a full batch.
fn flood(mut producer: EssentialProducer<u64>, stop: Arc<AtomicBool>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            producer.push(Stamp::at(Micros(0)), 0);
        }
    })
}

/// A loop that does nothing but drain, store a new value and park.
fn bare_loop(
    mut lanes: Vec<EssentialConsumer<u64>>,
    stop: Arc<AtomicBool>,
) -> (Arc<ArcSwap<AtomicU64>>, JoinHandle<()>) {
    let stored = Arc::new(ArcSwap::from_pointee(AtomicU64::new(0)));
    let shared = Arc::clone(&stored);
    let thread = std::thread::spawn(move || {
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            let before = count;
            let mut taken = 0;
            for (index, lane) in lanes.iter_mut().enumerate() {
                taken += lane.drain(1_024, |item| {
                    std::hint::black_box(item);
                    count += u64::from(index == 0);
                });
            }
            if count > before {
                shared.store(Arc::new(AtomicU64::new(count)));
            }
            if taken < 1_024 {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
    });
    (stored, thread)
}

fn through_the_bus(saturated: bool) -> Samples {
    let stop = Arc::new(AtomicBool::new(false));
    let clock = Arc::new(RealClock(now()));
    let bus: BusHandle<Test> =
        start(Config::default(), clock, Box::new(MemoryStorage::new())).expect("a bus in memory starts");
    let (mut producer, consumer) = lane::essential(lane::ESSENTIAL_SLOTS);
    bus.add_lane("timed", consumer, Box::new(Notes)).expect("taken");
    let (noise, consumer) = lane::essential(lane::ESSENTIAL_SLOTS);
    bus.add_lane("noise", consumer, Box::new(Noise)).expect("taken");
    let noise = saturated.then(|| flood(noise, Arc::clone(&stop)));
    let samples = time_pushes(&mut producer, || bus.snapshot().applied);
    stop.store(true, Ordering::Relaxed);
    if let Some(noise) = noise {
        noise.join().expect("it only pushes");
    }
    assert!(bus.shutdown(Duration::from_secs(10)), "everything is durable");
    samples
}

fn through_the_bare_loop(saturated: bool) -> Samples {
    let stop = Arc::new(AtomicBool::new(false));
    let (mut producer, consumer) = lane::essential(lane::ESSENTIAL_SLOTS);
    let (noise, noise_out) = lane::essential(lane::ESSENTIAL_SLOTS);
    let (stored, thread) = bare_loop(vec![consumer, noise_out], Arc::clone(&stop));
    let noise = saturated.then(|| flood(noise, Arc::clone(&stop)));
    let samples = time_pushes(&mut producer, || stored.load_full().load(Ordering::Relaxed));
    stop.store(true, Ordering::Relaxed);
    for thread in noise.into_iter().chain([thread]) {
        thread.join().expect("it only loops");
    }
    samples
}

fn push_to_snapshot(saturated: bool, aim: Aim) {
    let bare = through_the_bare_loop(saturated);
    let ours = through_the_bus(saturated);
    let how = if saturated { "saturated" } else { "parking 1 ms" };
    println!("push to snapshot, {how}, in µs: bus {ours}; bare loop {bare}");
    for (name, part, aim) in [("p50", 0.5, Aim::None), ("p99", 0.99, aim)] {
        let name = format!("push to snapshot, {how}, {name}");
        report(&name, "µs", ours.percentile(part), "bare loop", bare.percentile(part), aim);
    }
}

fn main() {
    machine();
    lane_push();
    core_step(64);
    core_step(10_000);
    fan_outs();
    push_to_snapshot(false, Aim::AtMost(1.25));
    push_to_snapshot(true, Aim::None);
}
