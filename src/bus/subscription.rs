//! One durable subscription as a state machine: which deliveries are out, which wait, which are given up. Pure.
//!
//! - An event is delivered once it is durable; at most [`MAX_ACK_PENDING`] deliveries are out or wait for a retry.
//! - Order is kept per entity: while one of its events is not acknowledged, its later ones are held; others flow.
//! - The time to acknowledge runs from the moment the subscriber takes the delivery, so that a slow predecessor in
//!   its mailbox costs no try.
//! - Every delivery after the first is recorded durably before it is made. What may have been delivered by a run that
//!   was killed counts as delivered, and goes out one by one: so a delivery that kills the process is found.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::core::Now;
use super::delivery::{Delivery, Put};
use super::envelope::Envelope;
use super::filter::Filter;
use super::inspect::{DeadLetter, SubscriberReport};
use super::model::{EntityKey, Model};
use super::queue::{Queue, RowStart};
use super::rows::Saved;
use super::storage::{Row, Table};
use crate::time::{Micros, WallMillis};

/// Deliveries that are out or wait for a retry at most.
pub const MAX_ACK_PENDING: usize = 256;
/// Time to acknowledge.
pub const ACK_WAIT: Micros = Micros(5_000_000);
/// Waits before the second, third, … delivery, each ± 20 %.
pub const BACK_OFF: [Micros; 5] =
    [Micros(50_000), Micros(200_000), Micros(1_000_000), Micros(5_000_000), Micros(30_000_000)];
/// Deliveries of one event at most; then it is a dead letter.
pub const MAX_DELIVER: u32 = 6;
/// Events held behind unacknowledged ones of their entity at most; then nothing more is taken from the log.
const HELD_MAX: usize = 1_024;
/// An error's text as kept in a dead letter, in bytes at most.
const ERROR_BYTES_MAX: usize = 500;

/// The key of a subscriber's row: its name, a zero byte, and the rest.
pub fn row_key(name: &str, rest: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &[0], rest].concat()
}

/// A subscriber's cursor as stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CursorRow {
    /// Everything before it is done, but for `open`.
    pub next: u64,
    /// Events before `next` that are not done.
    pub open: Vec<u64>,
    /// Redeliveries made so far.
    #[serde(default)]
    pub redelivered: u64,
    /// Whether the component is stopped after too many panics.
    #[serde(default)]
    pub parked: bool,
    /// When it was written, in milliseconds since 1970.
    #[serde(default)]
    pub wall: i64,
}

impl CursorRow {
    /// Everything up to here is acknowledged.
    pub fn acked(&self) -> u64 {
        self.open.iter().min().copied().unwrap_or(self.next).saturating_sub(1)
    }

    /// As it is stored.
    pub fn bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).unwrap_or_default()
    }
}

/// A recorded redelivery, and a dead letter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TriesRow {
    /// Deliveries made, or about to be made.
    pub tries: u32,
    /// What went wrong last.
    pub error: String,
    /// When it was written, in milliseconds since 1970.
    pub wall: i64,
}

impl TriesRow {
    /// As a dead letter is listed.
    pub fn letter(&self, subscriber: String, seq: u64) -> DeadLetter {
        DeadLetter { subscriber, seq, tries: self.tries, error: self.error.clone(), wall: WallMillis(self.wall) }
    }
}

/// What a subscription's machine reaches outside itself.
pub struct Io<'a, M: Model> {
    /// The time.
    pub now: Now,
    /// Rows go here.
    pub queue: &'a mut Queue<M>,
    /// Deliveries to make: subscription and delivery.
    pub out: &'a mut Vec<(usize, Delivery<M>)>,
    /// Redeliveries that wait for their record: unit, subscription, event.
    pub recording: &'a mut VecDeque<(u64, usize, u64)>,
}

enum State {
    /// Out; `since` when the subscriber took it.
    Out { number: u64, since: Option<Micros> },
    /// Waits for its retry.
    Waiting { due: Micros },
    /// Its record is on the way to disk.
    Recording,
    /// To be delivered as soon as somebody receives.
    Ready,
}

struct Pending<M: Model> {
    envelope: Arc<Envelope<M>>,
    /// Deliveries made, the current one among them.
    tries: u32,
    /// Whether a row of the pending table tells of it.
    written: bool,
    state: State,
    error: String,
}

/// See the module.
pub struct Subscription<M: Model> {
    name: Arc<str>,
    index: usize,
    /// What it wants, while somebody receives.
    pub filter: Option<Filter>,
    /// The next event to look at, while it is behind.
    pub next: u64,
    /// Whether it has seen every durable event.
    pub level: bool,
    /// Whether the log is being read for it.
    pub fetching: bool,
    /// After a failed read: not before then.
    pub fetch_after: Micros,
    /// What was read of the log, from `next` on.
    pub ahead: VecDeque<Arc<Envelope<M>>>,
    /// What was read of the log holds a damaged record: events are read one by one until it is found.
    pub singly: bool,
    /// Below it only `open` events are still to come.
    resumed_below: u64,
    open: BTreeSet<u64>,
    /// Tries recorded by an earlier run; none for a dead letter that is replayed.
    recorded: HashMap<u64, TriesRow>,
    /// Up to here a killed run may have delivered.
    suspect_through: u64,
    suspects: usize,
    pending: BTreeMap<u64, Pending<M>>,
    /// Entities with an unacknowledged event, and what is held behind it.
    busy: HashMap<EntityKey, VecDeque<Arc<Envelope<M>>>>,
    held: usize,
    high: u64,
    number: u64,
    out: VecDeque<(u64, u64)>,
    wake: Option<Micros>,
    /// For the jitter; its own, so that no retry of another moves one of its.
    random: u64,
    redelivered: u64,
    /// When its cursor was last written.
    moved: WallMillis,
    /// Events given up, until somebody replays or drops them.
    pub dead: BTreeMap<u64, TriesRow>,
    /// Panics caught.
    pub panics: u64,
    /// Stopped after too many panics.
    pub parked: bool,
}

impl<M: Model> Subscription<M> {
    /// A new one that begins with `next`; `seed` is for the jitter of retries.
    pub fn new(name: Arc<str>, index: usize, next: u64, seed: u64) -> Self {
        Self {
            random: jitter_seed(seed, &name),
            name,
            index,
            filter: None,
            next,
            level: false,
            fetching: false,
            fetch_after: Micros(i64::MIN / 2),
            ahead: VecDeque::new(),
            singly: false,
            resumed_below: 0,
            open: BTreeSet::new(),
            recorded: HashMap::new(),
            suspect_through: 0,
            suspects: 0,
            pending: BTreeMap::new(),
            busy: HashMap::new(),
            held: 0,
            high: next.saturating_sub(1),
            number: 0,
            out: VecDeque::new(),
            wake: None,
            redelivered: 0,
            moved: WallMillis(0),
            dead: BTreeMap::new(),
            panics: 0,
            parked: false,
        }
    }

    /// One that an earlier run left, with its recorded tries; `end` is the end of the log.
    pub fn resume(name: Arc<str>, index: usize, saved: Saved, end: u64, seed: u64) -> Self {
        let Saved { cursor: row, tries: recorded, dead_letters: dead, .. } = saved;
        let next = row.open.iter().min().copied().unwrap_or(row.next);
        Self {
            resumed_below: row.next,
            open: row.open.into_iter().collect(),
            recorded,
            suspect_through: end,
            suspects: MAX_ACK_PENDING,
            high: row.next.saturating_sub(1),
            redelivered: row.redelivered,
            parked: row.parked,
            moved: WallMillis(row.wall),
            dead,
            ..Self::new(name, index, next, seed)
        }
    }

    /// Its durable name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Somebody receives from now on; whoever received before does not.
    pub fn attach(&mut self, filter: Filter, level_at: u64, io: &mut Io<'_, M>) {
        self.detach("the subscriber went away", level_at, io);
        self.filter = Some(filter);
        self.parked = false;
        let is_ready = |(seq, pending): (&u64, &Pending<M>)| matches!(pending.state, State::Ready).then_some(*seq);
        for seq in self.pending.iter().filter_map(is_ready).collect::<Vec<_>>() {
            self.deliver(seq, io);
        }
    }

    /// Nobody receives any more. What was taken counts as failed, what was not goes out again later.
    pub fn detach(&mut self, why: &str, level_at: u64, io: &mut Io<'_, M>) {
        if std::mem::take(&mut self.level) {
            self.next = level_at + 1;
        }
        self.filter = None;
        self.out.clear();
        let mut taken = Vec::new();
        for (seq, pending) in &mut self.pending {
            match pending.state {
                State::Out { since: Some(_), .. } => taken.push(*seq),
                State::Out { since: None, .. } => pending.state = State::Ready,
                State::Waiting { .. } | State::Recording | State::Ready => {}
            }
        }
        for seq in taken {
            self.fail(seq, Micros::ZERO, why, io);
        }
    }

    /// An event that is delivered or waits for a retry.
    pub fn envelope(&self, seq: u64) -> Option<&Arc<Envelope<M>>> {
        self.pending.get(&seq).map(|pending| &pending.envelope)
    }

    /// Whether it takes another event.
    pub fn has_room(&self) -> bool {
        if self.filter.is_none() || self.pending.len() >= MAX_ACK_PENDING || self.held >= HELD_MAX {
            return false;
        }
        let on_probation = self.suspects > 0 && self.next <= self.suspect_through;
        !on_probation || self.pending.values().all(|pending| matches!(pending.state, State::Waiting { .. }))
    }

    /// Passes over events that are done.
    pub fn skip_done(&mut self) {
        if self.next < self.resumed_below {
            self.next = self.open.range(self.next..).next().copied().unwrap_or(self.resumed_below);
        }
    }

    /// The next event, durable, in order; `wanted` says whether its topic is.
    pub fn offer(&mut self, envelope: &Arc<Envelope<M>>, wanted: bool, io: &mut Io<'_, M>) {
        let seq = envelope.seq;
        let done = seq < self.resumed_below && !self.open.remove(&seq);
        let wanted =
            wanted && self.filter.as_ref().is_some_and(|filter| filter.matches_entity(envelope.entity.as_str()));
        if done || !wanted {
            return;
        }
        if let Some(held) = self.busy.get_mut(&envelope.entity) {
            held.insert(held.partition_point(|held| held.seq < seq), Arc::clone(envelope));
            self.held += 1;
            return;
        }
        self.busy.insert(envelope.entity.clone(), VecDeque::new());
        self.begin(Arc::clone(envelope), io);
    }

    /// The first delivery of this run; its entity is free.
    fn begin(&mut self, envelope: Arc<Envelope<M>>, io: &mut Io<'_, M>) {
        let seq = envelope.seq;
        let suspect = self.suspects > 0 && seq <= self.suspect_through;
        let recorded = self.recorded.remove(&seq);
        let replayed = recorded.as_ref().is_some_and(|row| row.tries == 0);
        if !replayed {
            self.suspects = self.suspects.saturating_sub(1);
        }
        let written = recorded.is_some() && !replayed;
        let TriesRow { tries, error, .. } = match recorded {
            Some(row) => row,
            None if suspect => TriesRow { tries: 1, ..TriesRow::default() },
            None => TriesRow::default(),
        };
        self.pending.insert(seq, Pending { envelope, tries, written, state: State::Ready, error });
        match tries {
            0 if !replayed => {
                self.tried(seq);
                self.deliver(seq, io);
            }
            MAX_DELIVER.. => self.give_up(seq, io),
            _ => self.record(seq, io),
        }
    }

    fn tried(&mut self, seq: u64) {
        if let Some(pending) = self.pending.get_mut(&seq) {
            pending.tries += 1;
        }
    }

    /// Writes down that the event is delivered once more, before it is.
    fn record(&mut self, seq: u64, io: &mut Io<'_, M>) {
        self.tried(seq);
        let Some(pending) = self.pending.get_mut(&seq) else { return };
        pending.state = State::Recording;
        pending.written = true;
        let unit = io.queue.begin_unit();
        let row = TriesRow { tries: pending.tries, error: pending.error.clone(), wall: io.now.wall.0 };
        self.put(Table::Pending, seq, Some(&row), RowStart::Now, io);
        io.recording.push_back((unit, self.index, seq));
    }

    /// The record of a redelivery is durable.
    pub fn recorded(&mut self, seq: u64, io: &mut Io<'_, M>) {
        if self.pending.get(&seq).is_some_and(|pending| matches!(pending.state, State::Recording)) {
            self.redelivered += 1;
            self.deliver(seq, io);
        }
    }

    fn deliver(&mut self, seq: u64, io: &mut Io<'_, M>) {
        let Some(pending) = self.pending.get_mut(&seq) else { return };
        if self.filter.is_none() {
            pending.state = State::Ready;
            return;
        }
        self.number += 1;
        pending.state = State::Out { number: self.number, since: None };
        self.out.push_back((self.number, seq));
        let delivery = Delivery { envelope: Arc::clone(&pending.envelope), number: self.number, tries: pending.tries };
        io.out.push((self.index, delivery));
    }

    /// The subscriber has taken deliveries up to this number.
    pub fn taken(&mut self, number: u64, now: Micros) {
        while self.out.front().is_some_and(|(first, _)| *first <= number) {
            let Some((first, seq)) = self.out.pop_front() else { break };
            self.start_wait(seq, first, now);
        }
    }

    /// The time to acknowledge starts anew.
    pub fn in_progress(&mut self, seq: u64, number: u64, now: Micros) {
        self.start_wait(seq, number, now);
    }

    fn start_wait(&mut self, seq: u64, expected: u64, now: Micros) {
        if let Some(Pending { state: State::Out { number, since }, .. }) = self.pending.get_mut(&seq)
            && *number == expected
        {
            *since = Some(now);
            self.wake_at(now + ACK_WAIT);
        }
    }

    fn wake_at(&mut self, due: Micros) {
        self.wake = Some(self.wake.map_or(due, |wake| wake.min(due)));
    }

    /// Whether this delivery is the latest of its event, and out.
    pub fn is_current(&self, seq: u64, expected: u64) -> bool {
        self.pending
            .get(&seq)
            .is_some_and(|pending| matches!(pending.state, State::Out { number, .. } if number == expected))
    }

    /// The event is handled: its rows belong to the current unit.
    pub fn ack(&mut self, seq: u64, put: Vec<Put>, level_at: u64, io: &mut Io<'_, M>) {
        let start = if put.is_empty() { RowStart::Never } else { RowStart::Stream };
        for Put { key, value } in put {
            io.queue.push_row(io.now.mono, Row { table: Table::Private, key: row_key(&self.name, &key), value }, start);
        }
        self.close(seq, level_at, io);
    }

    /// The event is done, one way or the other.
    fn close(&mut self, seq: u64, level_at: u64, io: &mut Io<'_, M>) {
        let Some(pending) = self.pending.remove(&seq) else { return };
        if let State::Out { number, .. } = pending.state {
            self.out.retain(|(out, _)| *out != number);
        }
        if pending.written {
            self.put(Table::Pending, seq, None, RowStart::Never, io);
        }
        self.high = self.high.max(seq);
        let entity = &pending.envelope.entity;
        let held = self.busy.get_mut(entity).and_then(VecDeque::pop_front);
        if held.is_none() {
            self.busy.remove(entity);
        } else {
            self.held -= 1;
        }
        // The cursor says what is true of this unit: the held event is not done.
        self.write_cursor(held.as_ref().map(|held| held.seq), level_at, RowStart::Never, io);
        if let Some(held) = held {
            self.begin(held, io);
        }
    }

    /// The cursor as it is now; `also` is not done although it is in no list.
    fn cursor(&self, also: Option<u64>, level_at: u64) -> CursorRow {
        let mut open: BTreeSet<u64> = self.pending.keys().copied().chain(also).collect();
        open.extend(self.busy.values().flatten().map(|held| held.seq));
        open.extend(&self.open);
        let done = if self.level { level_at } else { self.next.saturating_sub(1) };
        let high =
            if open.is_empty() { self.high.max(done) } else { self.high.max(self.resumed_below.saturating_sub(1)) };
        let open = open.range(..=high).copied().collect();
        let (redelivered, parked, wall) = (self.redelivered, self.parked, self.moved.0);
        CursorRow { next: high + 1, open, redelivered, parked, wall }
    }

    fn write_cursor(&mut self, also: Option<u64>, level_at: u64, start: RowStart, io: &mut Io<'_, M>) {
        self.moved = io.now.wall;
        let value = Some(self.cursor(also, level_at).bytes());
        let row = Row { table: Table::Cursors, key: row_key(&self.name, &[]), value };
        io.queue.push_row(io.now.mono, row, start);
    }

    /// Writes the cursor as a unit of its own: at the subscription's beginning and when it is parked.
    pub fn save(&mut self, level_at: u64, io: &mut Io<'_, M>) {
        io.queue.begin_unit();
        self.write_cursor(None, level_at, RowStart::Stream, io);
    }

    fn put(&self, table: Table, seq: u64, row: Option<&TriesRow>, start: RowStart, io: &mut Io<'_, M>) {
        let value = row.and_then(|row| rmp_serde::to_vec_named(row).ok());
        let key = row_key(&self.name, &seq.to_be_bytes());
        io.queue.push_row(io.now.mono, Row { table, key, value }, start);
    }

    /// A delivery failed: again after the back-off, and no sooner than `delay`.
    pub fn fail(&mut self, seq: u64, delay: Micros, why: &str, io: &mut Io<'_, M>) {
        let Some(pending) = self.pending.get_mut(&seq) else { return };
        pending.error = shorten(why);
        if pending.tries >= MAX_DELIVER {
            self.give_up(seq, io);
            return;
        }
        let step = (pending.tries.max(1) as usize - 1).min(BACK_OFF.len() - 1);
        let due = io.now.mono + jitter(BACK_OFF[step], &mut self.random).max(delay);
        pending.state = State::Waiting { due };
        self.wake_at(due);
    }

    /// Into the dead letters at once.
    pub fn term(&mut self, seq: u64, why: &str, io: &mut Io<'_, M>) {
        if let Some(pending) = self.pending.get_mut(&seq) {
            pending.error = shorten(why);
        }
        self.give_up(seq, io);
    }

    fn give_up(&mut self, seq: u64, io: &mut Io<'_, M>) {
        let Some(pending) = self.pending.get(&seq) else { return };
        let row = TriesRow { tries: pending.tries, error: pending.error.clone(), wall: io.now.wall.0 };
        io.queue.begin_unit();
        self.put(Table::DeadLetters, seq, Some(&row), RowStart::Stream, io);
        self.dead.insert(seq, row);
        self.close(seq, self.high, io);
    }

    /// Goes back to a dead letter and delivers it again, with all its tries ahead; whether there is such a letter. Its
    /// entity's later events may have been handled long since. Rows belong to the current unit.
    pub fn replay(&mut self, seq: u64, level_at: u64, io: &mut Io<'_, M>) -> bool {
        if !self.drop_letter(seq, io) {
            return false;
        }
        if std::mem::take(&mut self.level) {
            self.next = level_at + 1;
        }
        self.resumed_below = self.resumed_below.max(self.next);
        self.next = self.next.min(seq);
        self.open.insert(seq);
        self.recorded.insert(seq, TriesRow::default());
        self.write_cursor(None, level_at, RowStart::Now, io);
        true
    }

    /// Forgets a dead letter; whether there was one.
    pub fn drop_letter(&mut self, seq: u64, io: &mut Io<'_, M>) -> bool {
        let known = self.dead.remove(&seq).is_some();
        if known {
            self.put(Table::DeadLetters, seq, None, RowStart::Now, io);
        }
        known
    }

    /// The next event cannot be read: its record is damaged. It becomes a dead letter, and the later ones come.
    pub fn unreadable(&mut self, why: &str, io: &mut Io<'_, M>) {
        let seq = self.next;
        self.singly = false;
        self.open.remove(&seq);
        let tries = self.recorded.remove(&seq).map_or(0, |row| row.tries);
        let row = TriesRow { tries, error: shorten(why), wall: io.now.wall.0 };
        io.queue.begin_unit();
        self.put(Table::DeadLetters, seq, Some(&row), RowStart::Stream, io);
        self.put(Table::Pending, seq, None, RowStart::Never, io);
        self.dead.insert(seq, row);
        self.high = self.high.max(seq);
        self.next = seq + 1;
        self.write_cursor(None, self.high, RowStart::Never, io);
    }

    /// Time-outs and retries that are due.
    pub fn tick(&mut self, io: &mut Io<'_, M>) {
        if self.wake.is_none_or(|wake| io.now.mono < wake) {
            return;
        }
        self.wake = None;
        let (mut late, mut due) = (Vec::new(), Vec::new());
        let mut next: Option<Micros> = None;
        for (seq, pending) in &self.pending {
            let at = match pending.state {
                State::Out { since: Some(since), .. } => since + ACK_WAIT,
                State::Waiting { due } => due,
                State::Out { since: None, .. } | State::Recording | State::Ready => continue,
            };
            match pending.state {
                _ if at > io.now.mono => next = Some(next.map_or(at, |next| next.min(at))),
                State::Waiting { .. } => due.push(*seq),
                _ => late.push(*seq),
            }
        }
        self.wake = next;
        for seq in late {
            self.fail(seq, Micros::ZERO, "no acknowledgement in time", io);
        }
        for seq in due {
            self.record(seq, io);
        }
    }

    /// For the inspector; `durable` is the end of what can be delivered.
    pub fn report(&self, durable: u64) -> SubscriberReport {
        let acked = self.cursor(None, durable).acked();
        let out = self.pending.values().filter(|pending| matches!(pending.state, State::Out { .. })).count();
        let due = |pending: &Pending<M>| match pending.state {
            State::Waiting { due } => Some(due),
            _ => None,
        };
        SubscriberReport {
            name: self.name.to_string(),
            filter: self.filter.as_ref().map_or_else(String::new, Filter::to_string),
            acked,
            lag: durable.saturating_sub(acked),
            pending: out,
            held: self.pending.len() - out + self.held,
            tries: self.pending.values().map(|pending| pending.tries).max().unwrap_or(0),
            redelivered: self.redelivered,
            next_due: self.pending.values().filter_map(due).min(),
            dead_letters: self.dead.len(),
            panics: self.panics,
            parked: self.parked,
            attached: self.filter.is_some(),
            moved: self.moved,
        }
    }
}

/// A wait ± 20 %, from a xorshift generator (Marsaglia 2003).
fn jitter(wait: Micros, random: &mut u64) -> Micros {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    Micros(wait.0 * 4 / 5 + (*random % 1_000) as i64 * (wait.0 * 2 / 5) / 1_000)
}

/// A start for [`jitter`] that differs from subscriber to subscriber: FNV-1a of the name over the seed; never 0.
fn jitter_seed(seed: u64, name: &str) -> u64 {
    name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
        | 1
}

fn shorten(text: &str) -> String {
    let mut end = text.len().min(ERROR_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
