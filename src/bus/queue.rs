//! What is applied and not yet durable: when a commit starts, what it takes, what a failing disk does. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::envelope::Envelope;
use super::fold::Versioned;
use super::health::{BUFFER_BYTES_MAX, BUFFER_EVENTS_MAX, Health};
use super::inspect::Fill;
use super::model::{EntityKey, Model};
use super::storage::{Batch, Row, StateRow, StorageError, Table};
use crate::time::Micros;

/// A stream event waits no longer than this for its commit to start.
pub const STREAM_WAIT: Micros = Micros(200_000);
/// So many stream events start a commit before that.
pub const STREAM_EVENTS: usize = 512;
/// A commit takes no more events than this, but never splits a transaction.
pub const COMMIT_EVENTS_MAX: usize = 4_096;
/// A commit takes no more payload bytes than this, but never splits a transaction.
pub const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// After so many events the state is kept as a snapshot: often enough that folding from one is quick, and seldom enough
/// that a state of ten thousand entities adds a fifth to what is written.
pub const SNAPSHOT_EVENTS: u64 = 65_536;
/// Rows without events wait for a commit; so many start one.
const ROWS_MAX: usize = 1_024;
/// A commit that takes longer than this is shown as a slow disk.
const SLOW_COMMIT: Micros = Micros(1_000_000);
/// The first wait after a failed commit; doubled each time.
const RETRY_MIN: Micros = Micros(50_000);
/// The longest.
const RETRY_MAX: Micros = Micros(5_000_000);
/// What an event costs in memory besides its payload, about.
const ENVELOPE_BYTES: usize = 320;

/// An event on its way to the store.
pub struct Queued<M: Model> {
    /// The event.
    pub envelope: Arc<Envelope<M>>,
    /// Its entity after it.
    pub after: Arc<Versioned<M>>,
    /// What it was applied with: a commit takes a unit whole.
    pub unit: u64,
    /// When it was applied.
    pub at: Micros,
    /// Bytes of its payload, estimated where nobody encoded it yet.
    pub size: usize,
    /// Whether it starts a commit at once.
    pub edit: bool,
}

/// When a row starts a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStart {
    /// It rides along.
    Never,
    /// As a stream event.
    Stream,
    /// At once.
    Now,
}

/// What one commit shall write.
pub struct CommitBatch<M: Model> {
    events: Vec<Queued<M>>,
    rows: Vec<Row>,
    snapshot: bool,
}

impl<M: Model> CommitBatch<M> {
    /// The bytes: each event, each changed entity once, each row once. Costs the caller's time, which is the
    /// persister's and not the bus's.
    pub fn encode(&self) -> Batch {
        let mut last: HashMap<&EntityKey, usize> = HashMap::with_capacity(self.events.len().min(64));
        for (index, queued) in self.events.iter().enumerate() {
            last.insert(&queued.envelope.entity, index);
        }
        let mut changed: Vec<usize> = last.into_values().collect();
        changed.sort_unstable();
        let state: Vec<StateRow> = changed
            .into_iter()
            .map(|index| &self.events[index])
            .map(|queued| queued.after.to_row(&queued.envelope.entity, &queued.envelope.topic))
            .collect();
        let mut newest: HashMap<(Table, &[u8]), usize> = HashMap::new();
        for (index, row) in self.rows.iter().enumerate() {
            newest.insert((row.table, &row.key), index);
        }
        let mut rows: Vec<usize> = newest.into_values().collect();
        rows.sort_unstable();
        Batch {
            events: self.events.iter().map(|queued| queued.envelope.to_stored()).collect(),
            state,
            rows: rows.into_iter().map(|index| self.rows[index].clone()).collect(),
            snapshot: self.snapshot,
        }
    }
}

/// A batch with the persister.
pub struct InFlight {
    /// Its last event, if it has any.
    pub seq: Option<u64>,
    /// Its last unit.
    pub through: u64,
    /// When it was handed over.
    pub since: Micros,
    events: usize,
    bytes: usize,
}

struct Failure {
    tries: u32,
    retry_at: Micros,
    /// Whether the batch was handed back to the persister and its answer is awaited.
    retrying: bool,
    error: StorageError,
}

/// Applied and undurable, in order.
pub struct Queue<M: Model> {
    events: VecDeque<Queued<M>>,
    rows: VecDeque<(u64, Row)>,
    /// Numbers units: transactions, acknowledgements, single events.
    unit: u64,
    edits: usize,
    bytes: usize,
    rows_due: Option<Micros>,
    in_flight: Option<InFlight>,
    failure: Option<Failure>,
    flush: bool,
    high_water: usize,
    limits: (usize, usize),
    commit_events: usize,
    snapshot_events: u64,
    /// What health says when all is well.
    rest: Health,
}

impl<M: Model> Queue<M> {
    /// Empty; `rest` is the health to show when commits succeed.
    pub fn new(rest: Health) -> Self {
        Self {
            events: VecDeque::new(),
            rows: VecDeque::new(),
            unit: 0,
            edits: 0,
            bytes: 0,
            rows_due: None,
            in_flight: None,
            failure: None,
            flush: false,
            high_water: 0,
            limits: (BUFFER_EVENTS_MAX, BUFFER_BYTES_MAX),
            commit_events: COMMIT_EVENTS_MAX,
            snapshot_events: SNAPSHOT_EVENTS,
            rest,
        }
    }

    /// Sets other bounds of events and bytes.
    pub fn set_limits(&mut self, events: usize, bytes: usize) {
        self.limits = (events, bytes);
    }

    /// Sets another bound of one commit's events.
    pub fn set_commit_events(&mut self, events: usize) {
        self.commit_events = events.max(1);
    }

    /// Sets another number of events between two snapshots.
    pub fn set_snapshot_events(&mut self, events: u64) {
        self.snapshot_events = events.max(1);
    }

    /// Begins a unit: what is pushed until the next one is committed together.
    pub fn begin_unit(&mut self) -> u64 {
        self.unit += 1;
        self.unit
    }

    /// The current unit.
    pub fn unit(&self) -> u64 {
        self.unit
    }

    /// Appends an event of the current unit.
    pub fn push(&mut self, queued: Queued<M>) {
        self.edits += usize::from(queued.edit);
        self.bytes += queued.size + ENVELOPE_BYTES;
        self.events.push_back(queued);
        self.high_water = self.high_water.max(self.undurable());
    }

    /// Takes the last `count` events back: their transaction was refused.
    pub fn pop(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(queued) = self.events.pop_back() {
                self.edits -= usize::from(queued.edit);
                self.bytes -= queued.size + ENVELOPE_BYTES;
            }
        }
    }

    /// Appends a row of the current unit.
    pub fn push_row(&mut self, now: Micros, row: Row, start: RowStart) {
        let due = match start {
            RowStart::Never if self.rows.len() < ROWS_MAX => None,
            RowStart::Stream => Some(now + STREAM_WAIT),
            RowStart::Never | RowStart::Now => Some(now),
        };
        self.rows_due = match (self.rows_due, due) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.rows.push_back((self.unit, row));
    }

    /// From now on everything is committed at once.
    pub fn flush(&mut self) {
        self.flush = true;
    }

    /// Whether nothing waits and nothing is in flight.
    pub fn is_clean(&self) -> bool {
        self.events.is_empty() && self.rows.is_empty() && self.in_flight.is_none()
    }

    /// Events applied and not durable.
    pub fn undurable(&self) -> usize {
        self.events.len() + self.in_flight.as_ref().map_or(0, |flight| flight.events)
    }

    /// Their bytes.
    pub fn undurable_bytes(&self) -> usize {
        self.bytes + self.in_flight.as_ref().map_or(0, |flight| flight.bytes)
    }

    /// For the inspector.
    pub fn fill(&self) -> Fill {
        Fill { used: self.undurable(), capacity: self.limits.0, high_water: self.high_water }
    }

    /// Why edits are refused, if they are.
    pub fn refusing(&self) -> Option<String> {
        match &self.failure {
            Some(Failure { error: error @ (StorageError::Damaged { .. } | StorageError::Unusable(_)), .. }) => {
                Some(error.to_string())
            }
            _ if !self.is_full() => None,
            Some(failure) => Some(failure.error.to_string()),
            None => Some("the disk does not answer".to_owned()),
        }
    }

    fn is_full(&self) -> bool {
        self.undurable() >= self.limits.0 || self.undurable_bytes() >= self.limits.1
    }

    /// Whether at least half of the buffer is free again.
    pub fn is_roomy(&self) -> bool {
        self.undurable() <= self.limits.0 / 2 && self.undurable_bytes() <= self.limits.1 / 2
    }

    /// The state of persistence.
    pub fn health(&self, now: Micros) -> Health {
        let why = match (&self.failure, &self.in_flight) {
            (Some(failure), _) => failure.error.to_string(),
            (None, Some(flight)) if now - flight.since >= SLOW_COMMIT => "the disk is slow".to_owned(),
            _ if self.is_full() => "the disk is slow".to_owned(),
            _ => return self.rest.clone(),
        };
        match self.refusing() {
            Some(why) => Health::ReadOnly(why),
            None => Health::Buffering { events: self.undurable(), bytes: self.undurable_bytes(), why },
        }
    }

    /// The next batch, if it is time and none is in flight.
    pub fn cut(&mut self, now: Micros) -> Option<CommitBatch<M>> {
        if self.in_flight.is_some() || !self.is_due(now) {
            return None;
        }
        let (mut count, mut bytes) = (0, 0);
        let mut unit = 0;
        for queued in &self.events {
            if queued.unit != unit && count > 0 && (count >= self.commit_events || bytes >= COMMIT_BYTES_MAX) {
                break;
            }
            unit = queued.unit;
            count += 1;
            bytes += queued.size + ENVELOPE_BYTES;
        }
        let through = if count == self.events.len() { self.unit } else { unit };
        let events: Vec<Queued<M>> = self.events.drain(..count).collect();
        self.edits -= events.iter().filter(|queued| queued.edit).count();
        self.bytes -= bytes;
        let rows_taken = self.rows.iter().take_while(|(unit, _)| *unit <= through).count();
        let rows: Vec<Row> = self.rows.drain(..rows_taken).map(|(_, row)| row).collect();
        if self.rows.is_empty() {
            self.rows_due = None;
        }
        let seq = events.last().map(|queued| queued.envelope.seq);
        let part = |queued: &Queued<M>| queued.envelope.seq / self.snapshot_events;
        // The first event's number less one is where the batch before ended.
        let before = events.first().map(|first| (first.envelope.seq - 1) / self.snapshot_events);
        let snapshot = events.last().map(part) != before;
        self.in_flight = Some(InFlight { seq, through, since: now, events: count, bytes });
        Some(CommitBatch { events, rows, snapshot })
    }

    fn is_due(&self, now: Micros) -> bool {
        if self.events.is_empty() && self.rows.is_empty() {
            return false;
        }
        self.flush
            || self.edits > 0
            || self.events.len() >= STREAM_EVENTS
            || self.events.front().is_some_and(|first| now - first.at >= STREAM_WAIT)
            || self.rows_due.is_some_and(|due| now >= due)
    }

    /// The batch in flight is durable.
    pub fn committed(&mut self) -> Option<InFlight> {
        self.failure = None;
        self.in_flight.take()
    }

    /// The batch in flight failed and stays with the persister.
    pub fn failed(&mut self, now: Micros, error: StorageError) {
        let tries = self.failure.as_ref().map_or(0, |failure| failure.tries) + 1;
        let wait = Micros((RETRY_MIN.0 << (tries - 1).min(10)).min(RETRY_MAX.0));
        self.failure = Some(Failure { tries, retry_at: now + wait, retrying: false, error });
    }

    /// Whether the persister shall try the batch in flight again; true once per failure.
    pub fn retry(&mut self, now: Micros) -> bool {
        match &mut self.failure {
            Some(failure) if !failure.retrying && now >= failure.retry_at => {
                failure.retrying = true;
                true
            }
            _ => false,
        }
    }
}
