//! Subscribers in simulated time: whatever some of them do wrong, the others' deliveries come at the times and in the
//! order in which they come without them; and an event costs what those who want it cost. The disk answers before the
//! next poll: of a slower one, all share the commits.

use std::collections::{BTreeSet, HashMap, VecDeque};

use music_trainer::bus::core::Input;
use music_trainer::bus::inspect::SubscriberReport;
use music_trainer::bus::subscription::MAX_DELIVER;
use music_trainer::bus::supervision::PARK_EVENTS;
use music_trainer::bus::testing::{Event, Random, Test};
use music_trainer::bus::{Delivery, Filter, Outcome, Publish, PublishError, Start};
use music_trainer::time::Micros;

use super::rig::Rig;

const ADD: Event = Event::Add(1);
/// Simulated time of a run: whoever never acknowledges has all its tries in it.
const POLLS: u64 = 85_000;
/// Polls in which something is published now and then.
const BUSY_POLLS: u64 = 4_000;
/// Those who do nothing wrong: name and what of which entities they want. The first publishes an echo of each event,
/// the second refuses some at first, the third hears the echoes.
const NEIGHBOURS: [(&str, &str); 3] = [("echo", "counter/"), ("picky", "counter/"), ("listener", "echo/")];

/// What a subscriber does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Panics at every event, until it is parked.
    Panics,
    /// Panics at one event in sixteen.
    PanicsAtTimes,
    /// Takes everything and never acknowledges.
    NeverAcknowledges,
    /// Acknowledges each delivery twice, each time with an event that follows.
    AcknowledgesTwice,
    /// Acknowledges each delivery when the time for it is over.
    AcknowledgesLate,
    /// Takes from 1 ms to 10 s for each.
    Slow,
}

const WRONGS: [(Wrong, &str); 6] = [
    (Wrong::Panics, "panics"),
    (Wrong::PanicsAtTimes, "panics at times"),
    (Wrong::NeverAcknowledges, "never acknowledges"),
    (Wrong::AcknowledgesTwice, "acknowledges twice"),
    (Wrong::AcknowledgesLate, "acknowledges late"),
    (Wrong::Slow, "slow"),
];

/// A number that depends on the event and who handles it, and on nothing that happens elsewhere.
fn draw(seed: u64, name: &str, delivery: &Delivery<Test>) -> Random {
    let envelope = &delivery.envelope;
    let text = format!("{name} {} {} {}", envelope.entity, envelope.version, delivery.tries);
    Random(text.bytes().fold(seed, |sum, byte| Random(sum ^ u64::from(byte)).bits()))
}

/// A delivery to a neighbour: when, to whom, of what, which try.
#[derive(Debug, PartialEq)]
struct Seen {
    at: Micros,
    name: &'static str,
    entity: String,
    version: u64,
    tries: u32,
}

/// A subscriber with its mailbox and what it works at.
struct Subscriber {
    name: &'static str,
    wrong: Option<Wrong>,
    mailbox: VecDeque<Delivery<Test>>,
    /// Until when, and at what.
    work: Vec<(Micros, Delivery<Test>)>,
    /// After a panic: not before then.
    idle_until: Micros,
    /// Events at which it panicked.
    panicked: BTreeSet<u64>,
}

struct World {
    seed: u64,
    rig: Rig,
    all: Vec<Subscriber>,
    places: HashMap<usize, usize>,
    seen: Vec<Seen>,
    superseded: u64,
}

impl World {
    fn new(seed: u64, wrongs: &[(Wrong, &'static str)]) -> Self {
        let rig = Rig::new((100_000, usize::MAX), seed);
        let mut world = Self { seed, rig, all: Vec::new(), places: HashMap::new(), seen: Vec::new(), superseded: 0 };
        // Between the neighbours, so that some are served before and some after.
        world.subscribe(NEIGHBOURS[0].0, NEIGHBOURS[0].1, None);
        for (wrong, name) in wrongs {
            world.subscribe(name, "counter/", Some(*wrong));
        }
        world.subscribe(NEIGHBOURS[1].0, NEIGHBOURS[1].1, None);
        world.subscribe(NEIGHBOURS[2].0, NEIGHBOURS[2].1, None);
        world
    }

    fn subscribe(&mut self, name: &'static str, entity: &str, wrong: Option<Wrong>) {
        let filter = Filter::topic("counter.add").entity(entity);
        self.rig.step(Input::Subscribe { name: name.into(), filter, start: Start::Beginning });
        self.places.insert(self.rig.core.subscriber(name).expect("it subscribed"), self.all.len());
        let (mailbox, work, panicked) = Default::default();
        self.all.push(Subscriber { name, wrong, mailbox, work, idle_until: Micros(0), panicked });
    }

    fn run(&mut self) {
        let mut random = Random(self.seed);
        for poll in 0..POLLS {
            if poll < BUSY_POLLS && random.below(12) == 0 {
                for _ in 0..=random.below(3) {
                    let key = format!("counter/{}", random.below(40));
                    self.rig.step(Input::Publish(Publish::new(key, ADD), None));
                }
            }
            let fx = self.rig.poll();
            let refused = |(_, answer): &&(u64, Result<_, _>)| matches!(answer, Err(PublishError::Superseded));
            self.superseded += fx.answers.iter().filter(refused).count() as u64;
            for (place, delivery) in fx.deliveries {
                let subscriber = &mut self.all[self.places[&place]];
                if subscriber.wrong.is_none() {
                    let (entity, version) = (delivery.envelope.entity.to_string(), delivery.envelope.version);
                    let (at, tries) = (self.rig.now.mono, delivery.tries);
                    self.seen.push(Seen { at, name: subscriber.name, entity, version, tries });
                }
                subscriber.mailbox.push_back(delivery);
            }
            for index in 0..self.all.len() {
                self.take(index);
                self.work(index);
            }
        }
        self.rig.check();
    }

    /// Takes what is in the mailbox: one at a time, or all.
    fn take(&mut self, index: usize) {
        let subscriber = &mut self.all[index];
        let greedy = matches!(subscriber.wrong, Some(Wrong::NeverAcknowledges | Wrong::AcknowledgesLate));
        while subscriber.idle_until <= self.rig.now.mono
            && (greedy || subscriber.work.is_empty())
            && let Some(delivery) = subscriber.mailbox.pop_front()
        {
            let mut random = draw(self.seed, subscriber.name, &delivery);
            let takes = match subscriber.wrong {
                Some(Wrong::NeverAcknowledges) => 1_000_000_000,
                Some(Wrong::AcknowledgesLate) => 5_500,
                Some(Wrong::Slow) => [1, 10, 100, 1_000, 6_000, 10_000][random.below(6) as usize],
                _ => random.below(5) as i64,
            };
            subscriber.work.push((self.rig.now.mono + Micros(takes * 1_000), delivery.clone()));
            let place = self.rig.core.subscriber(subscriber.name).expect("it subscribed");
            self.rig.step(Input::Taken { index: place, number: delivery.number });
        }
    }

    /// Settles what is done.
    fn work(&mut self, index: usize) {
        let now = self.rig.now.mono;
        let done: Vec<_> = self.all[index].work.extract_if(.., |(until, _)| *until <= now).collect();
        for (_, delivery) in done {
            let Subscriber { name, wrong, .. } = self.all[index];
            let chance = draw(self.seed, name, &delivery).below(16);
            match wrong {
                Some(Wrong::Panics) => self.panic(index, &delivery),
                Some(Wrong::PanicsAtTimes) if delivery.envelope.version % 16 == 3 => self.panic(index, &delivery),
                None if name == "picky" && chance < 5 && delivery.tries < 4 => {
                    let delay = Micros(chance as i64 * 10_000);
                    self.settle(name, &delivery, Outcome::Nak { delay, reason: "not now".to_owned() });
                }
                None if name == "echo" => {
                    let echo = Publish::new(format!("echo/{}", delivery.envelope.entity.id()), ADD).actor("echo");
                    self.settle(name, &delivery, Outcome::publish(vec![echo]));
                }
                Some(Wrong::AcknowledgesTwice) => {
                    for _ in 0..2 {
                        let follows = Publish::new("wrong/twice", ADD).actor("wrong");
                        self.settle(name, &delivery, Outcome::publish(vec![follows]));
                    }
                }
                _ => self.settle(name, &delivery, Outcome::done()),
            }
        }
    }

    fn settle(&mut self, name: &str, delivery: &Delivery<Test>, outcome: Outcome<Test>) {
        let (name, seq, number) = (name.into(), delivery.envelope.seq, delivery.number);
        self.rig.step(Input::Settle { name, seq, number, outcome, reply: Some(0) });
    }

    /// As a component's thread does it.
    fn panic(&mut self, index: usize, delivery: &Delivery<Test>) {
        let name = self.all[index].name;
        self.rig.step(Input::Panicked { name: name.into() });
        self.settle(name, delivery, Outcome::Nak { delay: Micros::ZERO, reason: "panicked".to_owned() });
        let subscriber = &mut self.all[index];
        subscriber.idle_until = self.rig.now.mono + Micros(10_000);
        subscriber.panicked.insert(delivery.envelope.seq);
        if subscriber.wrong == Some(Wrong::Panics) && subscriber.panicked.len() == PARK_EVENTS {
            subscriber.mailbox.clear();
            let place = self.rig.core.subscriber(name).expect("it subscribed");
            self.rig.step(Input::Unsubscribe { index: place, why: "parked", park: true });
        }
    }

    fn report(&self, name: &str) -> SubscriberReport {
        self.rig.core.subscribers_seen().into_iter().find(|seen| seen.name == name).expect("it subscribed")
    }

    /// That it did go wrong, in its own way.
    fn check_wrong(&self, wrong: Wrong, name: &str) {
        let report = self.report(name);
        match wrong {
            Wrong::Panics => assert!(report.parked && report.panics >= PARK_EVENTS as u64, "{report:?}"),
            Wrong::PanicsAtTimes => assert!(report.panics > 0 && report.dead_letters > 0, "{report:?}"),
            Wrong::NeverAcknowledges => {
                let letters = self.rig.core.dead_letters().filter(|letter| letter.subscriber == name);
                assert!(letters.filter(|letter| letter.tries == MAX_DELIVER).count() > 0, "{report:?}");
            }
            Wrong::AcknowledgesTwice => {
                let follows = self.rig.core.get("wrong/twice").map_or(0, |value| value.version);
                assert!(follows > 0 && self.superseded >= follows, "each took effect once");
            }
            Wrong::AcknowledgesLate => assert!(self.superseded > 0 && report.redelivered > 0, "{report:?}"),
            Wrong::Slow => assert!(report.lag > 0 || report.redelivered > 0, "{report:?}"),
        }
    }
}

/// The neighbours' deliveries, without and with.
fn compare(seed: u64, alone: &[Seen], wrongs: &[(Wrong, &'static str)]) {
    let mut world = World::new(seed, wrongs);
    world.run();
    let differs = alone.iter().zip(&world.seen).find(|(without, with)| without != with);
    assert_eq!(differs, None, "{wrongs:?} is felt");
    assert_eq!(alone.len(), world.seen.len(), "{wrongs:?} is felt");
    for (wrong, name) in wrongs {
        world.check_wrong(*wrong, name);
    }
    for (name, _) in NEIGHBOURS {
        let report = world.report(name);
        assert_eq!((report.lag, report.pending, report.held, report.panics), (0, 0, 0, 0), "{name} has handled all");
    }
}

#[test]
fn neighbours_of_a_subscriber_that_does_wrong_get_the_same_deliveries_at_the_same_times() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (first, seeds) = (number("BUS_SEED", 0), number("BUS_SEEDS", 20));
    for seed in first..first + seeds {
        println!("BUS_SEED={seed} BUS_SEEDS=1");
        let mut alone = World::new(seed, &[]);
        alone.run();
        assert!(alone.seen.iter().any(|seen| seen.tries > 2), "some neighbours' retries are among what is compared");
        for wrong in WRONGS {
            compare(seed, &alone.seen, &[wrong]);
        }
        compare(seed, &alone.seen, &WRONGS);
    }
}

#[test]
fn of_a_thousand_subscribers_only_those_who_want_an_event_cost_anything() {
    // How many want each topic, and one who wants all.
    const WANTED: [(&str, u64); 3] = [("counter.add", 7), ("book.title", 40), ("book.best", 0)];
    let event = |topic: &str| match topic {
        "counter.add" => ADD,
        "book.title" => Event::Title("a".to_owned()),
        _ => Event::Best(1),
    };
    let mut rig = Rig::new((100_000, usize::MAX), 1);
    let mut subscribe = |name: String, filter| {
        rig.step(Input::Subscribe { name: name.as_str().into(), filter, start: Start::Now });
    };
    subscribe("all".to_owned(), Filter::all());
    for (topic, wanting) in WANTED {
        (0..wanting).for_each(|number| subscribe(format!("{topic} {number}"), Filter::topic(topic)));
    }
    let wanting: u64 = 1 + WANTED.iter().map(|(_, wanting)| wanting).sum::<u64>();
    (0..1_000 - wanting).for_each(|number| subscribe(format!("idle {number}"), Filter::topic("nothing.*")));
    assert_eq!(rig.core.subscribers_seen().len(), 1_000);

    // Each filter is asked once about each topic, when it first comes.
    let publish = |rig: &mut Rig, topic: &str, key: u64| {
        rig.step(Input::Publish(Publish::new(format!("book/{topic} {key}"), event(topic)), None));
    };
    let settle = |rig: &mut Rig| {
        let (mut quiet, mut made) = (0, 0);
        while quiet < 3 {
            let fx = rig.poll();
            quiet = if fx.deliveries.is_empty() { quiet + 1 } else { 0 };
            for (place, delivery) in fx.deliveries {
                made += 1;
                rig.step(Input::Taken { index: place, number: delivery.number });
                let name = rig.core.subscribers_seen()[place].name.as_str().into();
                let (seq, number) = (delivery.envelope.seq, delivery.number);
                rig.step(Input::Settle { name, seq, number, outcome: Outcome::done(), reply: None });
            }
        }
        made
    };
    for (topic, _) in WANTED {
        publish(&mut rig, topic, 0);
        settle(&mut rig);
    }
    let before = rig.core.subscriber_work();
    assert_eq!(before.0, 3 * 1_000, "filters evaluated");

    let mut expected = 0;
    for (topic, wanting) in WANTED {
        (1..=50).for_each(|key| publish(&mut rig, topic, key));
        let made: u64 = settle(&mut rig);
        assert_eq!(made, 50 * (wanting + 1), "{topic}");
        expected += made;
    }
    let after = rig.core.subscriber_work();
    assert_eq!((after.0 - before.0, after.1 - before.1), (0, expected), "filters evaluated, deliveries made");
    rig.check();
}
