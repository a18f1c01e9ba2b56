//! Durable subscriptions on the core alone, in simulated time.

#[path = "bus_world/setup.rs"]
mod setup;

use std::collections::VecDeque;
use std::sync::Arc;

use music_trainer::bus::core::{Core, Effects, Input, Now, WINDOW_EVENTS};
use music_trainer::bus::inspect::SubscriberReport;
use music_trainer::bus::storage::{Storage, StorageError};
use music_trainer::bus::subscribers::{Fetch, FetchResult};
use music_trainer::bus::subscription::{ACK_WAIT, BACK_OFF, MAX_ACK_PENDING, MAX_DELIVER};
use music_trainer::bus::testing::{Event, Test, check_fold};
use music_trainer::bus::{
    Applied, Delivery, Envelope, Filter, LetterDecision, MemoryStorage, Outcome, Publish, PublishError, Put, Start,
    rows,
};
use music_trainer::time::{Micros, WallMillis};

/// A core with a store that always works and a clock in the hand.
struct Rig {
    storage: MemoryStorage,
    core: Core<Test, u64>,
    now: Now,
    mail: VecDeque<(usize, Delivery<Test>)>,
    answers: Vec<Result<Applied, PublishError<Test>>>,
    /// An event whose record cannot be read.
    damaged: Option<u64>,
}

fn new_core(storage: &MemoryStorage) -> Core<Test, u64> {
    Core::new(setup::setup(storage, (100_000, usize::MAX), 4_096, 3))
}

impl Rig {
    fn new() -> Self {
        let storage = MemoryStorage::new();
        let core = new_core(&storage);
        let now = Now { mono: Micros(0), wall: WallMillis(0) };
        Self { storage, core, now, mail: VecDeque::new(), answers: Vec::new(), damaged: None }
    }

    /// Takes one input, and lets the world answer until it is quiet.
    fn tell(&mut self, input: Input<Test, u64>) {
        let mut fx = Effects::default();
        self.core.step(self.now, input, &mut fx);
        loop {
            self.core.step(self.now, Input::Tick, &mut fx);
            self.mail.extend(fx.deliveries.drain(..));
            self.answers.extend(fx.answers.drain(..).map(|(_, result)| result));
            let quiet = fx.commit.is_none() && fx.fetches.is_empty();
            for fetch in std::mem::take(&mut fx.fetches) {
                let events = self.read(fetch);
                self.core.step(self.now, Input::Fetched { fetch, events }, &mut fx);
            }
            if let Some(batch) = fx.commit.take() {
                self.storage.commit(&batch.encode()).expect("batches follow each other");
                self.core.step(self.now, Input::Committed, &mut fx);
            }
            if quiet {
                return;
            }
        }
    }

    fn read(&self, fetch: Fetch) -> FetchResult<Test> {
        let read = self.storage.reader().events(fetch.from, fetch.max).expect("readable");
        match read.iter().find(|stored| self.damaged == Some(stored.header.seq)) {
            Some(stored) => {
                let place = format!("log {}", stored.header.seq);
                Err(StorageError::Damaged { place, what: "another digest".to_owned() })
            }
            None => Ok(read.into_iter().map(|stored| Arc::new(Envelope::from_stored(stored))).collect()),
        }
    }

    fn subscribe(&mut self, name: &str, filter: Filter) {
        self.tell(Input::Subscribe { name: name.into(), filter, start: Start::Beginning });
    }

    fn publish(&mut self, key: &str, event: Event) {
        self.tell(Input::Publish(Publish::new(key, event), None));
    }

    fn pass(&mut self, by: Micros) {
        self.now.mono += by;
        self.tell(Input::Tick);
    }

    /// The next delivery, taken.
    fn take(&mut self) -> Option<Delivery<Test>> {
        let (index, delivery) = self.mail.pop_front()?;
        self.tell(Input::Taken { index, number: delivery.number });
        Some(delivery)
    }

    fn settle(&mut self, name: &str, delivery: &Delivery<Test>, outcome: Outcome<Test>) {
        let (name, seq, number) = (name.into(), delivery.envelope.seq, delivery.number);
        self.tell(Input::Settle { name, seq, number, outcome, reply: Some(0) });
    }

    fn nak(&mut self, name: &str, delivery: &Delivery<Test>) {
        self.settle(name, delivery, Outcome::Nak { delay: Micros::ZERO, reason: "no".to_owned() });
    }

    fn decide(&mut self, name: &str, seq: u64, decision: LetterDecision) -> Result<Applied, PublishError<Test>> {
        self.tell(Input::Letter { name: name.into(), seq, decision, reply: Some(0) });
        self.answers.pop().expect("an answer")
    }

    /// The process dies and starts again.
    fn restart(&mut self) {
        self.core = new_core(&self.storage);
        self.mail.clear();
    }

    fn seen(&self, name: &str) -> SubscriberReport {
        self.core.subscribers_seen().into_iter().find(|seen| seen.name == name).expect("it subscribed")
    }

    fn letters(&mut self) -> Vec<(u64, u32, String)> {
        self.tell(Input::Flush);
        check_fold(&*self.storage.reader(), &self.core.snapshot(self.now).state).expect("R3");
        let letters = rows::dead_letters(&*self.storage.reader()).expect("readable");
        letters.into_iter().map(|letter| (letter.seq, letter.tries, letter.error)).collect()
    }
}

const ADD: Event = Event::Add(1);

#[test]
fn a_refused_event_comes_again_after_each_back_off_and_is_given_up_after_the_last() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    rig.publish("counter/a", ADD);
    for tries in 1..=MAX_DELIVER {
        let delivery = rig.take().expect("it is delivered");
        assert_eq!(delivery.tries, tries);
        rig.nak("sub", &delivery);
        let Some(wait) = BACK_OFF.get(tries as usize - 1) else { break };
        rig.pass(Micros(wait.0 * 79 / 100));
        assert!(rig.mail.is_empty(), "not before the back-off less its jitter");
        rig.pass(Micros(wait.0 * 42 / 100));
    }
    assert_eq!(rig.letters(), [(1, MAX_DELIVER, "no".to_owned())]);
    assert_eq!((rig.seen("sub").redelivered, rig.seen("sub").lag), (5, 0));
}

#[test]
fn a_nak_waits_for_its_delay_if_that_is_longer_than_the_back_off() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    rig.publish("counter/a", ADD);
    let delivery = rig.take().expect("delivered");
    rig.settle("sub", &delivery, Outcome::Nak { delay: Micros(9_000_000), reason: "later".to_owned() });
    rig.pass(Micros(8_999_999));
    assert!(rig.mail.is_empty());
    rig.pass(Micros(1));
    assert_eq!(rig.take().map(|delivery| delivery.tries), Some(2));
}

#[test]
fn a_delivery_that_kills_the_process_is_given_up_after_exactly_the_last_try_and_harms_no_other() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    for number in 0..20 {
        rig.publish(&format!("counter/{number}"), ADD);
    }
    let (mut killed, mut handled) = (0, Vec::new());
    for _ in 0..1_000 {
        match rig.take() {
            Some(delivery) if delivery.envelope.seq == 8 => {
                killed += 1;
                assert_eq!(delivery.tries, killed, "every try was written down before it was made");
                rig.restart();
                rig.subscribe("sub", Filter::all());
            }
            Some(delivery) => {
                handled.push(delivery.envelope.seq);
                // The effect makes the cursor durable with it.
                let echo = vec![Publish::new("echo/x", ADD).actor("sub")];
                let outcome = if delivery.envelope.seq <= 20 { Outcome::publish(echo) } else { Outcome::done() };
                rig.settle("sub", &delivery, outcome);
            }
            None => rig.pass(Micros(100_000)),
        }
    }
    assert_eq!(killed, MAX_DELIVER);
    assert_eq!(rig.letters(), [(8, MAX_DELIVER, String::new())]);
    assert_eq!(rig.core.get("echo/x").map(|echo| echo.version), Some(19), "the others took effect exactly once");
    handled.retain(|seq| *seq <= 20);
    handled.dedup();
    assert_eq!(handled.len(), 19);
}

#[test]
fn while_one_event_waits_for_its_retry_others_flow_and_its_entity_waits() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    for key in ["counter/bad", "counter/good", "counter/bad", "counter/good"] {
        rig.publish(key, ADD);
    }
    let (bad, good) = (rig.take().expect("first"), rig.take().expect("second"));
    assert_eq!((bad.envelope.seq, good.envelope.seq), (1, 2));
    assert!(rig.take().is_none(), "one event of an entity is out at a time");
    rig.nak("sub", &bad);
    rig.settle("sub", &good, Outcome::done());
    let good = rig.take().expect("the good one's next");
    assert_eq!(good.envelope.seq, 4);
    rig.settle("sub", &good, Outcome::done());
    assert_eq!((rig.seen("sub").acked, rig.seen("sub").held), (0, 2));
    rig.pass(Micros(60_000));
    let bad = rig.take().expect("the retry");
    rig.settle("sub", &bad, Outcome::Term("hopeless".to_owned()));
    let next = rig.take().expect("after the dead letter its entity goes on");
    assert_eq!(next.envelope.seq, 3);
    rig.settle("sub", &next, Outcome::done());
    assert_eq!((rig.seen("sub").acked, rig.seen("sub").lag), (4, 0));
    assert_eq!(rig.letters(), [(1, 2, "hopeless".to_owned())]);
}

#[test]
fn an_acknowledgement_of_a_superseded_delivery_is_refused_whole() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::topic("counter.*").entity("counter/"));
    rig.publish("counter/a", ADD);
    let first = rig.take().expect("delivered");
    rig.pass(ACK_WAIT);
    rig.pass(Micros(60_001));
    let second = rig.take().expect("redelivered");
    let outcome = || Outcome::Ack {
        publish: vec![Publish::new("echo/x", ADD)],
        put: vec![Put { key: b"k".to_vec(), value: Some(vec![1]) }],
    };
    for stale in [&first, &second, &second] {
        rig.settle("sub", stale, outcome());
    }
    let answers: Vec<bool> = rig.answers.iter().map(Result::is_ok).collect();
    assert_eq!(answers, [false, true, false]);
    assert!(matches!(rig.answers[0], Err(PublishError::Superseded)));
    assert_eq!(rig.core.get("echo/x").map(|echo| echo.version), Some(1));
    assert_eq!(rig.core.applied(), 2);
}

#[test]
fn an_acknowledgement_whose_events_are_refused_leaves_the_delivery_open() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all().entity("counter/"));
    rig.publish("counter/a", ADD);
    let delivery = rig.take().expect("delivered");
    let publish = vec![Publish::new("echo/x", ADD), Publish::new("echo/y", Event::Add(-1))];
    rig.settle("sub", &delivery, Outcome::publish(publish));
    assert!(matches!(rig.answers[..], [Err(PublishError::Refused { .. })]));
    assert!(rig.core.get("echo/x").is_none(), "nothing of it happened");
    assert_eq!(rig.seen("sub").pending, 1);
    rig.settle("sub", &delivery, Outcome::done());
    assert_eq!((rig.seen("sub").pending, rig.seen("sub").acked), (0, 1));
}

#[test]
fn slow_handling_costs_no_try_while_deliveries_wait_in_the_mailbox() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    for number in 0..50 {
        rig.publish(&format!("counter/{number}"), ADD);
    }
    for _ in 0..50 {
        let delivery = rig.take().expect("each once");
        assert_eq!(delivery.tries, 1);
        rig.pass(Micros(4_900_000));
        rig.settle("sub", &delivery, Outcome::done());
    }
    assert_eq!((rig.take().is_none(), rig.seen("sub").redelivered), (true, 0));
}

#[test]
fn work_in_progress_starts_the_time_to_acknowledge_anew() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    rig.publish("counter/a", ADD);
    let delivery = rig.take().expect("delivered");
    for _ in 0..10 {
        rig.pass(Micros(4_000_000));
        let (seq, number) = (delivery.envelope.seq, delivery.number);
        rig.tell(Input::InProgress { name: "sub".into(), seq, number });
    }
    rig.settle("sub", &delivery, Outcome::done());
    assert_eq!((rig.seen("sub").redelivered, rig.seen("sub").acked), (0, 1));
}

#[test]
fn who_never_acknowledges_gets_each_event_exactly_so_often_and_never_more_than_so_many_at_once() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    for number in 0..MAX_ACK_PENDING + 44 {
        rig.publish(&format!("counter/{number}"), ADD);
    }
    assert_eq!(rig.mail.len(), MAX_ACK_PENDING);
    let mut taken = 0;
    for _ in 0..800 {
        assert!(rig.seen("sub").pending <= MAX_ACK_PENDING);
        while rig.take().is_some() {
            taken += 1;
        }
        rig.pass(Micros(400_000));
    }
    assert_eq!(taken, (MAX_ACK_PENDING + 44) * MAX_DELIVER as usize);
    let letters = rig.letters();
    assert_eq!(letters.len(), MAX_ACK_PENDING + 44);
    assert!(letters.iter().all(|(_, tries, error)| (*tries, &**error) == (MAX_DELIVER, "no acknowledgement in time")));
}

#[test]
fn who_is_far_behind_reads_the_log_and_misses_nothing() {
    let mut rig = Rig::new();
    let events = WINDOW_EVENTS as u64 + 2_000;
    for number in 0..events {
        rig.tell(Input::Publish(Publish::new(format!("book/{}", number % 700), Event::Note { pitch: 1 }), None));
    }
    rig.tell(Input::Flush);
    rig.restart();
    rig.subscribe("late", Filter::topic("book.*"));
    let mut next = 1;
    while let Some(delivery) = rig.take() {
        assert_eq!((delivery.envelope.seq, delivery.tries), (next, 1));
        next += 1;
        rig.settle("late", &delivery, Outcome::done());
        if next == events / 2 {
            rig.publish("book/new", Event::Note { pitch: 2 });
            rig.tell(Input::Flush);
        }
    }
    assert_eq!((next - 1, rig.seen("late").lag), (events + 1, 0));
}

#[test]
fn a_restart_resumes_from_the_cursor() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    for number in 0..10 {
        rig.publish(&format!("counter/{number}"), ADD);
    }
    // Out of order, so that the cursor has holes.
    let deliveries: Vec<_> = std::iter::from_fn(|| rig.take()).collect();
    for index in [0, 1, 5, 3, 8] {
        rig.settle("sub", &deliveries[index], Outcome::done());
    }
    rig.tell(Input::Flush);
    rig.restart();
    rig.subscribe("sub", Filter::all());
    let mut again = Vec::new();
    while let Some(delivery) = rig.take() {
        again.push((delivery.envelope.seq, delivery.tries));
        rig.settle("sub", &delivery, Outcome::done());
    }
    assert_eq!(again, [(3, 2), (5, 2), (7, 2), (8, 2), (10, 2)], "what may have been delivered counts as delivered");
    assert_eq!(rig.seen("sub").lag, 0);
}

#[test]
fn a_dead_letter_is_replayed_with_all_its_tries_ahead_once_and_survives_a_crash_on_the_way() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    rig.publish("counter/a", ADD);
    rig.publish("counter/a", ADD);
    let first = rig.take().expect("the first");
    rig.settle("sub", &first, Outcome::Term("never".to_owned()));
    let second = rig.take().expect("its entity goes on");
    rig.settle("sub", &second, Outcome::done());
    assert_eq!(rig.letters(), [(1, 1, "never".to_owned())]);

    assert_eq!(rig.decide("sub", 1, LetterDecision::Replay).map(|applied| applied.seq).ok(), Some(1));
    assert_eq!(rig.letters(), []);
    assert!(matches!(rig.decide("sub", 1, LetterDecision::Replay), Err(PublishError::NoSuchLetter)));
    let again = rig.take().expect("it is delivered");
    assert_eq!((again.envelope.seq, again.tries), (1, 1));

    rig.restart();
    rig.subscribe("sub", Filter::all());
    let after = rig.take().expect("the killed run may have delivered it: it goes out again");
    assert_eq!((after.envelope.seq, after.tries), (1, 2));
    rig.settle("sub", &after, Outcome::done());
    assert_eq!(rig.letters(), []);
    rig.restart();
    rig.subscribe("sub", Filter::all());
    assert!(rig.take().is_none(), "done is done");
    assert_eq!((rig.letters(), rig.seen("sub").lag), (vec![], 0));
}

#[test]
fn a_replayed_letter_waits_behind_an_unacknowledged_event_of_its_entity() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    for _ in 0..3 {
        rig.publish("counter/a", ADD);
    }
    let first = rig.take().expect("the first");
    rig.settle("sub", &first, Outcome::Term("never".to_owned()));
    let second = rig.take().expect("the second");
    rig.decide("sub", 1, LetterDecision::Replay).expect("there is such a letter");
    assert!(rig.take().is_none(), "one event of an entity at a time");
    rig.settle("sub", &second, Outcome::done());
    let order: Vec<u64> = std::iter::from_fn(|| {
        let delivery = rig.take()?;
        rig.settle("sub", &delivery, Outcome::done());
        Some(delivery.envelope.seq)
    })
    .collect();
    assert_eq!(order, [1, 3]);
    assert_eq!(rig.seen("sub").lag, 0);
}

#[test]
fn a_dropped_letter_stays_dropped_and_is_no_delivery() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    rig.publish("counter/a", ADD);
    let delivery = rig.take().expect("the first");
    rig.settle("sub", &delivery, Outcome::Term("never".to_owned()));
    assert_eq!(rig.letters(), [(1, 1, "never".to_owned())]);
    rig.restart();
    rig.subscribe("sub", Filter::all());
    assert_eq!(rig.seen("sub").dead_letters, 1, "letters are known after a restart");
    rig.decide("sub", 1, LetterDecision::Drop).expect("there is such a letter");
    assert!(matches!(rig.decide("sub", 1, LetterDecision::Drop), Err(PublishError::NoSuchLetter)));
    assert!(matches!(rig.decide("nobody", 1, LetterDecision::Drop), Err(PublishError::NoSuchLetter)));
    assert_eq!((rig.letters(), rig.seen("sub").dead_letters), (vec![], 0));
    assert!(rig.take().is_none());
    rig.restart();
    rig.subscribe("sub", Filter::all());
    assert_eq!((rig.letters(), rig.seen("sub").dead_letters), (vec![], 0), "also after a restart");
    assert!(rig.take().is_none());
}

#[test]
fn several_replayed_letters_of_an_entity_come_in_their_order() {
    let mut rig = Rig::new();
    rig.subscribe("sub", Filter::all());
    for seq in 1..=3 {
        rig.publish("counter/a", ADD);
        let delivery = rig.take().expect("one more");
        assert_eq!(delivery.envelope.seq, seq);
        rig.settle("sub", &delivery, Outcome::Term("never".to_owned()));
    }
    for seq in [1, 3, 2] {
        rig.decide("sub", seq, LetterDecision::Replay).expect("there is such a letter");
    }
    for seq in 1..=3 {
        let delivery = rig.take().expect("one more");
        assert_eq!((delivery.envelope.seq, delivery.tries), (seq, 1));
        rig.settle("sub", &delivery, Outcome::done());
    }
    assert_eq!((rig.seen("sub").lag, rig.letters()), (0, vec![]));
}

#[test]
fn a_record_that_cannot_be_read_becomes_a_dead_letter_and_the_others_come() {
    let mut rig = Rig::new();
    for _ in 0..5_000 {
        rig.publish("counter/a", ADD);
    }
    rig.damaged = Some(300);
    rig.subscribe("sub", Filter::all());
    let mut seen = Vec::new();
    while let Some(delivery) = rig.take() {
        seen.push(delivery.envelope.seq);
        rig.settle("sub", &delivery, Outcome::done());
    }
    assert_eq!(seen, (1..=5_000).filter(|seq| *seq != 300).collect::<Vec<_>>());
    let why = "damaged data at log 300: another digest".to_owned();
    assert_eq!(rig.letters(), [(300, 0, why.clone())]);
    rig.decide("sub", 300, LetterDecision::Replay).expect("there is such a letter");
    assert_eq!(rig.letters(), [(300, 0, why)], "it still cannot be read");
    rig.damaged = None;
    rig.decide("sub", 300, LetterDecision::Replay).expect("there is such a letter");
    assert_eq!(rig.take().expect("it can be read again").envelope.seq, 300);
}
