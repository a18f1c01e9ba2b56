//! All durable subscriptions: who wants which topic, who is level with the log, who must read behind. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::core::Now;
use super::delivery::{Delivery, Put};
use super::envelope::Envelope;
use super::filter::Filter;
use super::inspect::{DeadLetter, SubscriberReport};
use super::model::Model;
use super::queue::Queue;
use super::rows::Saved;
use super::storage::StorageError;
use super::subscription::{Io, Subscription, TriesRow};
use crate::time::Micros;

/// Events read from the log at a time for a subscription that is behind.
pub const FETCH_EVENTS: usize = 256;
/// Events shown to one subscription per poll while it catches up.
const CATCH_UP: usize = 1_024;
/// The wait after a failed read of the log.
const FETCH_RETRY: Micros = Micros(1_000_000);

/// A part of the log to read for a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The subscription.
    pub index: usize,
    /// The first event.
    pub from: u64,
    /// Events at most.
    pub max: usize,
}

/// What was read.
pub type FetchResult<M> = Result<Vec<Arc<Envelope<M>>>, StorageError>;

/// What the subscribers reach outside themselves.
pub struct Reach<'a, M: Model> {
    /// The time.
    pub now: Now,
    /// Rows go here.
    pub queue: &'a mut Queue<M>,
    /// Recent events, gapless, undurable ones at the end.
    pub window: &'a VecDeque<Arc<Envelope<M>>>,
    /// The last durable event.
    pub durable: u64,
    /// Deliveries to make.
    pub out: &'a mut Vec<(usize, Delivery<M>)>,
    /// Reads to make.
    pub fetches: &'a mut Vec<Fetch>,
}

impl<M: Model> Reach<'_, M> {
    fn event(&self, seq: u64) -> Option<Arc<Envelope<M>>> {
        let first = self.window.front()?.seq;
        self.window.get(usize::try_from(seq.checked_sub(first)?).ok()?).cloned()
    }
}

/// A subscriber's decision, without the events that follow.
pub enum Decision {
    /// Done, with these private rows.
    Ack(Vec<Put>),
    /// Again, no sooner than this.
    Nak(Micros, String),
    /// Never.
    Term(String),
}

/// What somebody decides about a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterDecision {
    /// Deliver it again, with all its tries ahead.
    Replay,
    /// Forget it.
    Drop,
}

/// See the module.
pub struct Subscribers<M: Model> {
    all: Vec<Subscription<M>>,
    by_name: HashMap<Arc<str>, usize>,
    /// Who wants a topic; made when the topic first comes, forgotten when a filter changes.
    routes: HashMap<Box<str>, Arc<[usize]>>,
    recording: VecDeque<(u64, usize, u64)>,
    /// For the jitter of retries.
    seed: u64,
    /// Filters evaluated.
    pub filters: u64,
    /// Deliveries made.
    pub deliveries: u64,
}

impl<M: Model> Subscribers<M> {
    /// Nobody; `seed` is for the jitter of retries.
    pub fn new(seed: u64) -> Self {
        Self {
            all: Vec::new(),
            by_name: HashMap::new(),
            routes: HashMap::new(),
            recording: VecDeque::new(),
            seed,
            filters: 0,
            deliveries: 0,
        }
    }

    /// Takes up what an earlier run left; `end` is the end of the log.
    pub fn resume(&mut self, saved: Vec<Saved>, end: u64) {
        for saved in saved {
            let index = self.all.len();
            let name: Arc<str> = saved.name.as_str().into();
            self.all.push(Subscription::resume(Arc::clone(&name), index, saved, end, self.seed));
            self.by_name.insert(name, index);
        }
    }

    /// The place of a name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Splits into one subscription and what it reaches.
    fn at<'a>(&'a mut self, index: usize, reach: &'a mut Reach<'_, M>) -> Option<(&'a mut Subscription<M>, Io<'a, M>)> {
        let Self { all, recording, .. } = self;
        let io = Io { now: reach.now, queue: reach.queue, out: reach.out, recording };
        all.get_mut(index).map(|subscription| (subscription, io))
    }

    /// Somebody receives for a name; a new one begins with `next`.
    pub fn attach(&mut self, name: Arc<str>, filter: Filter, next: u64, reach: &mut Reach<'_, M>) {
        let known = self.index(&name);
        let index = known.unwrap_or_else(|| {
            self.all.push(Subscription::new(Arc::clone(&name), self.all.len(), next, self.seed));
            self.by_name.insert(name, self.all.len() - 1);
            self.all.len() - 1
        });
        self.routes.clear();
        let durable = reach.durable;
        if let Some((subscription, mut io)) = self.at(index, reach) {
            subscription.attach(filter, durable, &mut io);
            if known.is_none() {
                subscription.save(durable, &mut io);
            }
        }
    }

    /// Nobody receives any more.
    pub fn detach(&mut self, index: usize, why: &str, park: bool, reach: &mut Reach<'_, M>) {
        self.routes.clear();
        let durable = reach.durable;
        if let Some((subscription, mut io)) = self.at(index, reach) {
            subscription.detach(why, durable, &mut io);
            if park {
                subscription.parked = true;
                subscription.save(durable, &mut io);
            }
        }
    }

    /// A subscription and the event, if this is the event's latest delivery.
    pub fn current(&self, name: &str, seq: u64, number: u64) -> Option<(usize, &Envelope<M>)> {
        let index = self.index(name)?;
        let subscription = self.all.get(index).filter(|subscription| subscription.is_current(seq, number))?;
        subscription.envelope(seq).map(|envelope| (index, &**envelope))
    }

    /// Carries out a decision about a current delivery; rows join the current unit.
    pub fn settle(&mut self, index: usize, seq: u64, decision: Decision, reach: &mut Reach<'_, M>) {
        let durable = reach.durable;
        let Some((subscription, mut io)) = self.at(index, reach) else { return };
        match decision {
            Decision::Ack(put) => subscription.ack(seq, put, durable, &mut io),
            Decision::Nak(delay, why) => subscription.fail(seq, delay, &why, &mut io),
            Decision::Term(why) => subscription.term(seq, &why, &mut io),
        }
    }

    /// Carries out a decision about a dead letter, if there is such a letter; rows join the current unit.
    pub fn letter(&mut self, name: &str, seq: u64, decision: LetterDecision, reach: &mut Reach<'_, M>) -> bool {
        let durable = reach.durable;
        let Some(index) = self.index(name) else { return false };
        let Some((subscription, mut io)) = self.at(index, reach) else { return false };
        match decision {
            LetterDecision::Replay => subscription.replay(seq, durable, &mut io),
            LetterDecision::Drop => subscription.drop_letter(seq, &mut io),
        }
    }

    /// The dead letters of everybody, by subscriber and event.
    pub fn letters(&self) -> impl Iterator<Item = DeadLetter> + '_ {
        self.all.iter().flat_map(|subscription| {
            let letter = |(seq, row): (&u64, &TriesRow)| row.letter(subscription.name().to_string(), *seq);
            subscription.dead.iter().map(letter)
        })
    }

    /// A subscriber has taken its deliveries up to this number.
    pub fn taken(&mut self, index: usize, number: u64, now: Micros) {
        if let Some(subscription) = self.all.get_mut(index) {
            subscription.taken(number, now);
        }
    }

    /// The time to acknowledge starts anew.
    pub fn in_progress(&mut self, name: &str, seq: u64, number: u64, now: Micros) {
        if let Some(subscription) = self.index(name).and_then(|index| self.all.get_mut(index)) {
            subscription.in_progress(seq, number, now);
        }
    }

    /// A handler panicked.
    pub fn panicked(&mut self, name: &str) {
        if let Some(subscription) = self.index(name).and_then(|index| self.all.get_mut(index)) {
            subscription.panics += 1;
        }
    }

    /// A part of the log was read, or could not be: a damaged record is looked for event by event, and passed over.
    pub fn fetched(&mut self, fetch: Fetch, events: FetchResult<M>, reach: &mut Reach<'_, M>) {
        let Some((subscription, mut io)) = self.at(fetch.index, reach) else { return };
        subscription.fetching = false;
        match events {
            Ok(events) if !events.is_empty() => subscription.ahead = events.into(),
            Err(StorageError::Damaged { .. }) if fetch.max > 1 => subscription.singly = true,
            Err(error @ StorageError::Damaged { .. }) if fetch.from == subscription.next => {
                subscription.unreadable(&error.to_string(), &mut io);
            }
            Ok(_) | Err(_) => subscription.fetch_after = io.now.mono + FETCH_RETRY,
        }
    }

    /// Units up to `through` are durable, and events after `before`: recorded redeliveries are made, and those who
    /// are level see the new events.
    pub fn committed(&mut self, through: u64, before: u64, reach: &mut Reach<'_, M>) {
        while self.recording.front().is_some_and(|(unit, ..)| *unit <= through) {
            let Some((_, index, seq)) = self.recording.pop_front() else { break };
            if let Some((subscription, mut io)) = self.at(index, reach) {
                subscription.recorded(seq, &mut io);
            }
        }
        if self.all.iter().all(|subscription| !subscription.level) {
            return;
        }
        for seq in before + 1..=reach.durable {
            let Some(envelope) = reach.event(seq) else { continue };
            for index in self.route(&envelope.topic).iter() {
                if let Some((subscription, mut io)) = self.at(*index, reach)
                    && subscription.level
                {
                    if subscription.has_room() {
                        subscription.offer(&envelope, true, &mut io);
                    } else {
                        subscription.level = false;
                        subscription.next = seq;
                    }
                }
            }
        }
    }

    /// Who wants a topic.
    fn route(&mut self, topic: &str) -> Arc<[usize]> {
        if let Some(route) = self.routes.get(topic) {
            return Arc::clone(route);
        }
        self.filters += self.all.len() as u64;
        let wants = |(index, subscription): (usize, &Subscription<M>)| {
            subscription.filter.as_ref().is_some_and(|filter| filter.matches_topic(topic)).then_some(index)
        };
        let route: Arc<[usize]> = self.all.iter().enumerate().filter_map(wants).collect();
        self.routes.insert(topic.into(), Arc::clone(&route));
        route
    }

    /// Time-outs, retries, and those who are behind.
    pub fn tick(&mut self, reach: &mut Reach<'_, M>) {
        for index in 0..self.all.len() {
            if let Some((subscription, mut io)) = self.at(index, reach) {
                subscription.tick(&mut io);
            }
            self.catch_up(index, reach);
        }
        self.deliveries += reach.out.len() as u64;
    }

    /// Shows a subscription that is behind the next events: of what was read, of the window, else it asks for a read.
    fn catch_up(&mut self, index: usize, reach: &mut Reach<'_, M>) {
        for _ in 0..CATCH_UP {
            let Some(subscription) = self.all.get_mut(index) else { return };
            if subscription.level || subscription.filter.is_none() {
                return;
            }
            subscription.skip_done();
            if subscription.next > reach.durable {
                subscription.level = true;
                subscription.singly = false;
                subscription.ahead = VecDeque::new();
                return;
            }
            if !subscription.has_room() {
                return;
            }
            let next = subscription.next;
            while subscription.ahead.front().is_some_and(|first| first.seq < next) {
                subscription.ahead.pop_front();
            }
            let read = subscription.ahead.front().is_some_and(|first| first.seq == next);
            let read = if read { subscription.ahead.pop_front() } else { None };
            let Some(envelope) = read.or_else(|| reach.event(next)) else {
                if !subscription.fetching && reach.now.mono >= subscription.fetch_after {
                    subscription.fetching = true;
                    let max = if subscription.singly { 1 } else { FETCH_EVENTS };
                    reach.fetches.push(Fetch { index, from: next, max });
                }
                return;
            };
            let wanted = self.route(&envelope.topic).contains(&index);
            if let Some((subscription, mut io)) = self.at(index, reach) {
                subscription.next = next + 1;
                subscription.offer(&envelope, wanted, &mut io);
            }
        }
    }

    /// For the inspector.
    pub fn reports(&self, durable: u64) -> Vec<SubscriberReport> {
        self.all.iter().map(|subscription| subscription.report(durable)).collect()
    }
}
