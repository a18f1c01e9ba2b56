//! The bus as a state machine without I/O: inputs and the time in, effects out. No clock, thread, channel or file.
//!
//! Invariants: `seq` and `device_seq` are gapless; versions grow by one per event; a transaction is applied whole or
//! not at all; a snapshot is cut between transactions; a commit is a prefix of the order of units.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::answer::{Applied, PublishError};
use super::delivery::{Outcome, Start};
use super::envelope::{Body, Envelope, Name, Publish};
use super::fold::{self, Versioned};
use super::hlc::Hlc;
use super::inspect::{ConflictReport, Counts, DeadLetter, Histogram, SubscriberReport};
use super::lease::{self, Lease, Leasing};
use super::merge::Rank;
use super::model::{Conflict, Durability, ENTITY_KEY_BYTES_MAX, EntityKey, Expect, Model, Strategy, Topic};
use super::queue::{Queue, Queued, RowStart};
use super::rows;
use super::snapshot::{Snapshot, State};
pub use super::step::{Effects, Input, Now, Setup};
use super::storage::{DeviceId, EventId, Header, StoredEvent};
use super::subscribers::{Decision, LetterDecision, Reach, Subscribers};

/// Events of one transaction at most.
pub const TRANSACTION_EVENTS_MAX: usize = 4_096;
/// Bytes of one transaction's payloads at most.
pub const TRANSACTION_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Durable events kept in memory for subscribers that are nearly level, and for the inspector.
pub const WINDOW_EVENTS: usize = 4_096;
/// Conflicts kept for the inspector.
const CONFLICTS_KEPT: usize = 128;

/// The bus's state. `R` is what a publisher is answered through: a channel in the program, a number in a simulation.
pub struct Core<M: Model, R> {
    device: DeviceId,
    /// The last number known of each other machine.
    peers: BTreeMap<DeviceId, u64>,
    seq: u64,
    device_seq: u64,
    durable: u64,
    hlc: Hlc,
    entities: HashMap<EntityKey, Slot<M>>,
    /// What is leased, as the `lease/…` entities say; seldom anything.
    leases: BTreeMap<EntityKey, Lease>,
    /// Entities changed since the last snapshot.
    changed: Vec<EntityKey>,
    state: State<M>,
    pub(super) queue: Queue<M>,
    /// Everything undurable, and the last durable events before it.
    window: VecDeque<Arc<Envelope<M>>>,
    /// Publishers that wait for a unit's durability.
    waiting: VecDeque<(u64, u64, R)>,
    /// Losses that no gap record tells yet.
    losses: Vec<(EntityKey, super::gap::Lost)>,
    undo: Vec<(EntityKey, Option<Arc<Versioned<M>>>)>,
    conflicts: VecDeque<ConflictReport>,
    /// Conflicts of a transaction that may still be undone.
    conflicts_met: Vec<ConflictReport>,
    counts: Counts,
    topics: Vec<u64>,
    commit_times: Histogram,
    pub(super) subscribers: Subscribers<M>,
}

struct Slot<M: Model> {
    value: Arc<Versioned<M>>,
    changed: bool,
}

impl<M: Model, R: Clone> Core<M, R> {
    /// Goes on from a log.
    pub fn new(setup: Setup<M>) -> Self {
        let Setup { device, mut folded, saved, rest, buffer, commit_events, snapshot_events, seed } = setup;
        folded.numbers.remove(&device);
        let state = State::from_entities(&folded.entities);
        let leases = folded.entities.iter().filter_map(|(key, versioned)| {
            let lease = versioned.value.as_ref().and_then(M::lease)?;
            Some((lease::leased(key)?, lease.clone()))
        });
        let leases = leases.collect();
        let slot = |(key, value)| (key, Slot { value, changed: false });
        let mut queue = Queue::new(rest);
        queue.set_limits(buffer.0, buffer.1);
        queue.set_commit_events(commit_events);
        queue.set_snapshot_events(snapshot_events);
        let mut subscribers = Subscribers::new(seed);
        subscribers.resume(saved, folded.end.seq);
        Self {
            device,
            peers: folded.numbers,
            seq: folded.end.seq,
            device_seq: folded.end.device_seq,
            durable: folded.end.seq,
            hlc: Hlc::new(folded.end.hlc),
            entities: folded.entities.into_iter().map(slot).collect(),
            leases,
            changed: Vec::new(),
            state,
            queue,
            window: VecDeque::new(),
            waiting: VecDeque::new(),
            losses: Vec::new(),
            undo: Vec::new(),
            conflicts: VecDeque::new(),
            conflicts_met: Vec::new(),
            counts: Counts::default(),
            topics: vec![0; M::topics().len()],
            commit_times: Histogram::default(),
            subscribers,
        }
    }

    /// One input. Effects are added to `fx`.
    pub fn step(&mut self, now: Now, input: Input<M, R>, fx: &mut Effects<M, R>) {
        match input {
            Input::Publish(publish, reply) => {
                let result = self.transact(now, std::iter::once(publish), true, fx);
                self.reply(reply, self.queue.unit(), result, fx);
            }
            Input::Transact(items, reply) => {
                let result = self.transact(now, items.into_iter(), true, fx);
                self.reply(reply, self.queue.unit(), result, fx);
            }
            Input::Remote { event, follows, reply } => {
                let result = self.remote(now, *event, follows, fx);
                self.reply(reply, self.queue.unit(), result, fx);
            }
            Input::Committed => self.committed(now, fx),
            Input::CommitFailed(error) => {
                self.counts.commit_failures += 1;
                self.queue.failed(now.mono, error);
            }
            Input::Tick => self.tick(now, fx),
            Input::Row(row) => {
                self.queue.begin_unit();
                self.queue.push_row(now.mono, row, RowStart::Never);
            }
            Input::Flush => self.queue.flush(),
            Input::Settle { name, seq, number, outcome, reply } => {
                let result = self.settle(now, &name, seq, number, outcome, fx);
                let (unit, result) = result.map_or_else(|error| (0, Err(error)), |(unit, applied)| (unit, Ok(applied)));
                self.reply(reply, unit, result, fx);
            }
            Input::Letter { name, seq, decision, reply } => {
                let result = self.letter(now, &name, seq, decision, fx);
                self.reply(reply, self.queue.unit(), result, fx);
            }
            Input::Subscribe { name, filter, start } => {
                let next = match start {
                    Start::Beginning => 1,
                    Start::Now => self.seq + 1,
                    Start::Seq(seq) => seq.max(1),
                };
                let (subscribers, mut io) = self.subscribers(now, fx);
                subscribers.attach(name, filter, next, &mut io);
            }
            Input::Unsubscribe { index, why, park } => {
                let (subscribers, mut io) = self.subscribers(now, fx);
                subscribers.detach(index, why, park, &mut io);
            }
            Input::Taken { index, number } => self.subscribers.taken(index, number, now.mono),
            Input::InProgress { name, seq, number } => self.subscribers.in_progress(&name, seq, number, now.mono),
            Input::Panicked { name } => self.subscribers.panicked(&name),
            Input::Fetched { fetch, events } => {
                let (subscribers, mut io) = self.subscribers(now, fx);
                subscribers.fetched(fetch, events, &mut io);
            }
        }
    }

    /// The subscribers, and what they reach.
    fn subscribers<'a>(&'a mut self, now: Now, fx: &'a mut Effects<M, R>) -> (&'a mut Subscribers<M>, Reach<'a, M>) {
        let Self { subscribers, queue, window, durable, .. } = self;
        let out = &mut fx.deliveries;
        (subscribers, Reach { now, queue, window, durable: *durable, out, fetches: &mut fx.fetches })
    }

    /// A subscriber's decision; gives the unit that makes it durable.
    fn settle(
        &mut self,
        now: Now,
        name: &str,
        seq: u64,
        number: u64,
        outcome: Outcome<M>,
        fx: &mut Effects<M, R>,
    ) -> Result<(u64, Applied), PublishError<M>> {
        let (index, envelope) = self.subscribers.current(name, seq, number).ok_or(PublishError::Superseded)?;
        let mut applied = Applied { seq, version: envelope.version, id: envelope.id };
        let decision = match outcome {
            Outcome::Ack { mut publish, put } => {
                if publish.is_empty() {
                    self.queue.begin_unit();
                } else {
                    for item in &mut publish {
                        item.cause.get_or_insert(applied.id);
                    }
                    applied = self.transact(now, publish.into_iter(), false, fx)?;
                }
                Decision::Ack(put)
            }
            Outcome::Nak { delay, reason } => Decision::Nak(delay, reason),
            Outcome::Term(reason) => Decision::Term(reason),
        };
        let (subscribers, mut io) = self.subscribers(now, fx);
        subscribers.settle(index, seq, decision, &mut io);
        // What is given up is written in a unit of its own: the decision is durable with that.
        Ok((self.queue.unit(), applied))
    }

    /// Somebody's decision about a dead letter; the answer's `seq` is the letter's.
    fn letter(
        &mut self,
        now: Now,
        name: &str,
        seq: u64,
        decision: LetterDecision,
        fx: &mut Effects<M, R>,
    ) -> Result<Applied, PublishError<M>> {
        if let Some(why) = self.queue.refusing() {
            return Err(PublishError::ReadOnly(why));
        }
        self.queue.begin_unit();
        let id = EventId { device: self.device, device_seq: 0 };
        let (subscribers, mut io) = self.subscribers(now, fx);
        let known = subscribers.letter(name, seq, decision, &mut io);
        known.then_some(Applied { seq, version: 0, id }).ok_or(PublishError::NoSuchLetter)
    }

    fn reply(&mut self, reply: Option<R>, unit: u64, result: Result<Applied, PublishError<M>>, fx: &mut Effects<M, R>) {
        let Some(reply) = reply else { return };
        if let Ok(applied) = &result {
            self.waiting.push_back((unit, applied.seq, reply.clone()));
        }
        fx.answers.push((reply, result));
    }

    /// Applies all or none.
    fn transact(
        &mut self,
        now: Now,
        items: impl ExactSizeIterator<Item = Publish<M>>,
        may_lose: bool,
        fx: &mut Effects<M, R>,
    ) -> Result<Applied, PublishError<M>> {
        let total = items.len() as u64;
        self.counts.published += total;
        let (seq, device_seq, hlc, events) = (self.seq, self.device_seq, self.hlc, fx.applied.len());
        self.queue.begin_unit();
        self.undo.clear();
        let mut last = Err(PublishError::TooLarge);
        let (mut bytes, mut lost) = (0, 0);
        if let Some(why) = self.queue.refusing() {
            for item in items {
                lost += u64::from(may_lose && self.lose(item));
            }
            last = Err(PublishError::ReadOnly(why));
        } else if total as usize <= TRANSACTION_EVENTS_MAX {
            for item in items {
                bytes += item.size();
                last = if bytes > TRANSACTION_BYTES_MAX {
                    Err(PublishError::TooLarge)
                } else {
                    self.apply(now, item, total > 1, fx)
                };
                if last.is_err() {
                    break;
                }
            }
        }
        if last.is_err() {
            (self.seq, self.device_seq, self.hlc) = (seq, device_seq, hlc);
            let undone = fx.applied.len() - events;
            for envelope in fx.applied.drain(events..) {
                if let Some(count) = topic_place::<M>(&envelope.topic).and_then(|place| self.topics.get_mut(place)) {
                    *count -= 1;
                }
            }
            self.conflicts_met.clear();
            self.queue.pop(undone);
            self.window.truncate(self.window.len() - undone);
            while let Some((key, value)) = self.undo.pop() {
                self.note_lease(&key, value.as_deref());
                match value {
                    Some(value) => self.set(key, value),
                    None => drop(self.entities.remove(&key)),
                }
            }
            self.counts.refused += total - lost;
            self.counts.lost += lost;
        } else {
            self.counts.applied += total;
            self.keep_conflicts();
        }
        last
    }
}

/// A topic's place in the registry.
fn topic_place<M: Model>(name: &str) -> Option<usize> {
    M::topics().iter().position(|known| std::ptr::eq(known.name, name) || known.name == name)
}

impl<M: Model, R: Clone> Core<M, R> {
    /// Checks and applies one event.
    fn apply(
        &mut self,
        now: Now,
        item: Publish<M>,
        undoable: bool,
        fx: &mut Effects<M, R>,
    ) -> Result<Applied, PublishError<M>> {
        let key_bytes = item.entity.as_str().len();
        if key_bytes == 0 || key_bytes > ENTITY_KEY_BYTES_MAX {
            return Err(PublishError::TooLarge);
        }
        let topic = M::topic(&item.event);
        if let Some(lease) = self.held_back(now, topic, &item) {
            return Err(PublishError::Leased { entity: item.entity, lease });
        }
        let current = self.entities.get(&item.entity).map(|slot| &slot.value);
        let value = current.and_then(|current| current.value.as_ref());
        let met = match item.expect {
            Expect::Any => true,
            Expect::Absent => value.is_none(),
            Expect::Exact(version) => current.map_or(0, |current| current.version) == version,
        };
        let stale = item.base.is_some_and(|base| current.is_none_or(|current| current.last != base));
        if !met || (stale && topic.strategy == Strategy::Reject) {
            let current = current.cloned();
            let report = self.conflict_report(&item.entity, topic, &item.actor, None);
            self.count_conflict(report);
            return Err(PublishError::Conflict { entity: item.entity, current });
        }
        if let Err(refusal) = M::check(&item.entity, &item.event, value) {
            return Err(PublishError::Refused { entity: item.entity, reason: refusal.0 });
        }
        if let Some(name) = M::names(&item.event).iter().find(|name| !self.has(**name)) {
            return Err(PublishError::NotYet(*name));
        }
        // One's own edit has been seen, whatever the snapshot showed.
        let own = |rival: &Rank| {
            let recent = self.window.iter().rev().find(|envelope| envelope.id == rival.id);
            rival.id.device == self.device && recent.is_some_and(|envelope| envelope.actor == item.actor)
        };
        let rival = item.base.and_then(|base| self.rival(&item.event, base, current)).filter(|rival| !own(rival));
        let applied = self.append(now, item, undoable, fx);
        if let Some(rival) = rival {
            self.record_conflict(now, rival, undoable, fx);
        }
        Ok(applied)
    }

    /// Checks and applies an event of another machine. Its author's machine has asked the domain's rule.
    fn remote(
        &mut self,
        now: Now,
        stored: StoredEvent,
        follows: u64,
        fx: &mut Effects<M, R>,
    ) -> Result<Applied, PublishError<M>> {
        let Header { id, hlc, base, .. } = stored.header;
        if let Some(why) = self.queue.refusing() {
            return Err(PublishError::ReadOnly(why));
        }
        if self.has(id) {
            self.counts.duplicates += 1;
            return Err(PublishError::AlreadyHere);
        }
        let size = stored.payload_size();
        let key_bytes = stored.header.entity.len();
        if size > TRANSACTION_BYTES_MAX || key_bytes == 0 || key_bytes > ENTITY_KEY_BYTES_MAX {
            return Err(PublishError::TooLarge);
        }
        let before = EventId { device_seq: follows, ..id };
        let envelope = Envelope::<M>::from_stored(stored);
        let named = envelope.event().map(M::names).unwrap_or_default();
        let missing = |id: &&EventId| !self.has(**id);
        if let Some(first) = [before].iter().chain(&base).chain(named).find(missing) {
            return Err(PublishError::NotYet(*first));
        }
        if Hlc::is_ahead(hlc, now.wall) {
            self.counts.quarantined += 1;
            return Err(PublishError::Quarantined);
        }
        let topic = envelope.event().map(M::topic);
        if topic.is_some_and(|topic| topic.strategy == Strategy::Reject) {
            let reason = format!("{} is decided by each machine alone", envelope.topic);
            return Err(PublishError::Refused { entity: envelope.entity, reason });
        }
        let current = self.entities.get(&envelope.entity).map(|slot| &slot.value);
        let rival = envelope.event().zip(base).and_then(|(event, base)| self.rival(event, base, current));
        // What its author's machine wrote before, its author had seen.
        let rival = rival.filter(|rival| rival.id.device != id.device);
        self.queue.begin_unit();
        self.hlc.observe(hlc);
        self.peers.insert(id.device, id.device_seq);
        self.queue.push_row(now.mono, rows::peer_row(id.device, id.device_seq), RowStart::Never);
        self.counts.remote += 1;
        let applied = self.place(now, envelope, topic, size, false, fx);
        if let Some(rival) = rival {
            self.record_conflict(now, rival, false, fx);
            self.keep_conflicts();
        }
        Ok(applied)
    }

    /// Whether an event is here.
    fn has(&self, id: EventId) -> bool {
        let last =
            if id.device == self.device { self.device_seq } else { self.peers.get(&id.device).copied().unwrap_or(0) };
        id.device_seq <= last
    }

    /// Whose edit an event meets that its author had not seen, as far as can be told: of what came by way of a third
    /// machine it cannot, and such a one counts as not seen.
    fn rival(&self, event: &M::Event, base: EventId, current: Option<&Arc<Versioned<M>>>) -> Option<Rank> {
        let current = current?;
        let rival = M::rival(event, current.value.as_ref())?;
        let before = rival.id.device == base.device && rival.id.device_seq <= base.device_seq;
        (!before && current.last != base).then_some(rival)
    }

    /// Records that the last event has met another's edit.
    fn record_conflict(&mut self, now: Now, rival: Rank, undoable: bool, fx: &mut Effects<M, R>) {
        let Some(last) = fx.applied.last().cloned() else { return };
        let Some(topic) = last.event().map(M::topic) else { return };
        let ranks = (last.rank(), rival);
        let (winner, loser) = if ranks.0 > ranks.1 { ranks } else { (ranks.1, ranks.0) };
        let conflict = Conflict {
            entity: last.entity.clone(),
            topic: topic.name,
            strategy: topic.strategy,
            winner: winner.id,
            loser: loser.id,
        };
        let report = self.conflict_report(&last.entity, topic, &last.actor, Some(last.seq));
        self.conflicts_met.push(report);
        let (entity, event) = M::conflicted(&conflict);
        self.append(now, Publish::new(entity, event).actor("bus").cause(last.id), undoable, fx);
    }

    /// Gives an accepted event of this machine its name and its place, and folds it in.
    fn append(&mut self, now: Now, item: Publish<M>, undoable: bool, fx: &mut Effects<M, R>) -> Applied {
        let topic = M::topic(&item.event);
        let size = item.size();
        self.device_seq += 1;
        let envelope = Envelope {
            seq: 0,
            id: EventId { device: self.device, device_seq: self.device_seq },
            topic: Name::Borrowed(topic.name),
            entity: item.entity,
            version: 0,
            base: item.base,
            hlc: self.hlc.tick(now.wall),
            stamp: item.stamp,
            cause: item.cause,
            actor: item.actor,
            schema: Name::Borrowed(topic.schema),
            schema_version: topic.schema_version,
            body: Body::Known { event: item.event, encoded: item.encoded },
        };
        self.place(now, envelope, Some(topic), size, undoable, fx)
    }

    /// Gives an event its place in the log, and folds it in.
    fn place(
        &mut self,
        now: Now,
        mut envelope: Envelope<M>,
        topic: Option<&'static Topic>,
        size: usize,
        undoable: bool,
        fx: &mut Effects<M, R>,
    ) -> Applied {
        self.seq += 1;
        let slot = self.entities.get_mut(&envelope.entity);
        let current = slot.as_ref().map(|slot| &*slot.value);
        envelope.seq = self.seq;
        envelope.version = current.map_or(0, |current| current.version) + 1;
        let envelope = Arc::new(envelope);
        let after = Arc::new(fold::apply(&envelope, current));
        let before = match slot {
            Some(slot) => {
                if !std::mem::replace(&mut slot.changed, true) {
                    self.changed.push(envelope.entity.clone());
                }
                Some(std::mem::replace(&mut slot.value, Arc::clone(&after)))
            }
            None => {
                self.changed.push(envelope.entity.clone());
                self.entities.insert(envelope.entity.clone(), Slot { value: Arc::clone(&after), changed: true });
                None
            }
        };
        self.note_lease(&envelope.entity, Some(&after));
        let place = topic.and_then(|topic| topic_place::<M>(topic.name));
        if let Some(count) = place.and_then(|place| self.topics.get_mut(place)) {
            *count += 1;
        }
        if undoable {
            self.undo.push((envelope.entity.clone(), before));
        }
        let unit = self.queue.unit();
        let edit = topic.is_none_or(|topic| topic.durability == Durability::Edit);
        let applied = Applied { seq: self.seq, version: envelope.version, id: envelope.id };
        self.queue.push(Queued { envelope: Arc::clone(&envelope), after, unit, at: now.mono, size, edit });
        self.window.push_back(Arc::clone(&envelope));
        fx.applied.push(envelope);
        applied
    }

    fn set(&mut self, key: EntityKey, value: Arc<Versioned<M>>) {
        if let Some(slot) = self.entities.get_mut(&key) {
            slot.value = value;
        }
    }

    /// The lease that holds an edit back, if one does.
    fn held_back(&self, now: Now, topic: &Topic, item: &Publish<M>) -> Option<Lease> {
        if self.leases.is_empty() || topic.durability != Durability::Edit {
            return None;
        }
        let leased = lease::leased(&item.entity);
        let lease = self.leases.get(leased.as_ref().unwrap_or(&item.entity))?;
        lease.holds_back(&item.actor, now.wall).then(|| lease.clone())
    }

    /// Remembers what an entity says if it keeps a lease.
    fn note_lease(&mut self, key: &EntityKey, versioned: Option<&Versioned<M>>) {
        let Some(leased) = lease::leased(key) else { return };
        match versioned.and_then(|versioned| versioned.value.as_ref()).and_then(M::lease) {
            Some(lease) => drop(self.leases.insert(leased, lease.clone())),
            None => drop(self.leases.remove(&leased)),
        }
    }

    /// Leases whose time is over end.
    fn end_leases(&mut self, now: Now, fx: &mut Effects<M, R>) {
        let is_over = |(_, lease): &(&EntityKey, &Lease)| lease.until <= now.wall;
        let over: Vec<EntityKey> = self.leases.iter().filter(is_over).map(|(leased, _)| lease::key(leased)).collect();
        for key in over {
            if let Some(event) = M::leasing(Leasing::Ended) {
                self.queue.begin_unit();
                self.append(now, Publish::new(key, event).actor("bus"), false, fx);
            }
        }
    }

    /// Counts a played note that cannot be kept; false for an edit, which is refused instead.
    fn lose(&mut self, item: Publish<M>) -> bool {
        if M::topic(&item.event).durability != Durability::Stream {
            return false;
        }
        match self.losses.iter_mut().find(|(entity, _)| *entity == item.entity) {
            Some((_, lost)) => lost.add(item.stamp),
            None => self.losses.push((item.entity, super::gap::Lost::one(item.stamp))),
        }
        true
    }

    /// A conflict for the inspector; `seq` is the edit's, unless it was refused.
    fn conflict_report(&self, entity: &EntityKey, topic: &Topic, actor: &str, seq: Option<u64>) -> ConflictReport {
        ConflictReport {
            entity: entity.as_str().to_owned(),
            topic: topic.name.to_owned(),
            actor: actor.to_owned(),
            outcome: if seq.is_some() { topic.strategy.name() } else { "rejected" },
            version: self.entities.get(entity).map_or(0, |slot| slot.value.version),
            seq,
        }
    }

    fn count_conflict(&mut self, report: ConflictReport) {
        self.counts.conflicts += 1;
        if self.conflicts.len() == CONFLICTS_KEPT {
            self.conflicts.pop_front();
        }
        self.conflicts.push_back(report);
    }

    /// The conflicts of what was applied just now stand.
    fn keep_conflicts(&mut self) {
        for report in std::mem::take(&mut self.conflicts_met) {
            self.count_conflict(report);
        }
    }

    fn committed(&mut self, now: Now, fx: &mut Effects<M, R>) {
        let Some(flight) = self.queue.committed() else { return };
        let took = now.mono - flight.since;
        self.commit_times.record(took);
        self.counts.commits += 1;
        let before = self.durable;
        self.durable = flight.seq.unwrap_or(before);
        fx.moved = true;
        while self.waiting.front().is_some_and(|(unit, ..)| *unit <= flight.through) {
            if let Some((_, seq, reply)) = self.waiting.pop_front() {
                fx.durable.push((reply, seq));
            }
        }
        let (subscribers, mut io) = self.subscribers(now, fx);
        subscribers.committed(flight.through, before, &mut io);
        while self.window.len() > WINDOW_EVENTS && self.window.front().is_some_and(|first| first.seq <= self.durable) {
            self.window.pop_front();
        }
    }

    /// The end of a poll: gap records where there is room again, and a commit if it is time.
    fn tick(&mut self, now: Now, fx: &mut Effects<M, R>) {
        if !self.losses.is_empty() && self.queue.refusing().is_none() && self.queue.is_roomy() {
            for (entity, lost) in std::mem::take(&mut self.losses) {
                self.queue.begin_unit();
                let event = M::lost(&entity, &lost);
                self.append(now, Publish::new(entity, event).actor("bus"), false, fx);
                self.counts.gap_records += 1;
            }
        }
        if !self.leases.is_empty() && self.queue.refusing().is_none() {
            self.end_leases(now, fx);
        }
        let (subscribers, mut io) = self.subscribers(now, fx);
        subscribers.tick(&mut io);
        fx.retry |= self.queue.retry(now.mono);
        if fx.commit.is_none() {
            fx.commit = self.queue.cut(now.mono);
        }
    }
}

impl<M: Model, R> Core<M, R> {
    /// The state between two steps; shares every entity that did not change with the snapshot before.
    pub fn snapshot(&mut self, now: Now) -> Snapshot<M> {
        for key in self.changed.drain(..) {
            if let Some(slot) = self.entities.get_mut(&key) {
                slot.changed = false;
                self.state.insert(key, Arc::clone(&slot.value));
            }
        }
        Snapshot {
            state: self.state.clone(),
            applied: self.seq,
            durable: self.durable,
            health: self.queue.health(now.mono),
        }
    }

    /// An entity as it is now, ahead of the last snapshot.
    pub fn get(&self, key: &str) -> Option<&Versioned<M>> {
        self.entities.get(key).map(|slot| &*slot.value)
    }

    /// The last event applied.
    pub fn applied(&self) -> u64 {
        self.seq
    }

    /// The last event on disk.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Counts since the start.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The machine.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Events applied since the start, by place in the registry.
    pub fn topic_counts(&self) -> &[u64] {
        &self.topics
    }

    /// Time from handing a batch over to its answer.
    pub fn commit_times(&self) -> &Histogram {
        &self.commit_times
    }

    /// How many keys.
    pub fn entity_count(&self) -> usize {
        self.entities.len()
    }

    /// Nothing waits for the disk.
    pub fn is_clean(&self) -> bool {
        self.queue.is_clean()
    }

    /// The durable subscribers.
    pub fn subscribers_seen(&self) -> Vec<SubscriberReport> {
        self.subscribers.reports(self.durable)
    }

    /// Deliveries given up and neither replayed nor dropped, by subscriber and event.
    pub fn dead_letters(&self) -> impl Iterator<Item = DeadLetter> + '_ {
        self.subscribers.letters()
    }

    /// Filters evaluated and deliveries made for durable subscribers.
    pub fn subscriber_work(&self) -> (u64, u64) {
        (self.subscribers.filters, self.subscribers.deliveries)
    }

    /// The place of a durable name, by which deliveries are addressed.
    pub fn subscriber(&self, name: &str) -> Option<usize> {
        self.subscribers.index(name)
    }

    /// The last conflicts, oldest first.
    pub fn conflicts(&self) -> impl Iterator<Item = &ConflictReport> {
        self.conflicts.iter()
    }

    /// The last events, oldest first.
    pub fn recent(&self, max: usize) -> impl Iterator<Item = &Arc<Envelope<M>>> {
        self.window.iter().skip(self.window.len().saturating_sub(max))
    }
}
