//! What goes into the core and what comes out: values only.

use std::sync::Arc;

use super::answer::{Applied, PublishError};
use super::delivery::{Delivery, Outcome, Start};
use super::envelope::{Envelope, Publish};
use super::filter::Filter;
use super::fold::Folded;
use super::health::Health;
use super::model::Model;
use super::queue::CommitBatch;
use super::rows::Saved;
use super::storage::{DeviceId, Row, StorageError, StoredEvent};
use super::subscribers::{Fetch, FetchResult, LetterDecision};
use crate::time::{Micros, WallMillis};

/// The time, handed in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// Monotonic.
    pub mono: Micros,
    /// Of the wall.
    pub wall: WallMillis,
}

/// What a core starts from.
pub struct Setup<M: Model> {
    /// The machine.
    pub device: DeviceId,
    /// The state at the log's end.
    pub folded: Folded<M>,
    /// The subscribers that an earlier run left.
    pub saved: Vec<Saved>,
    /// The health when commits succeed.
    pub rest: Health,
    /// Bounds of undurable events and their bytes.
    pub buffer: (usize, usize),
    /// Events of one commit at most, but for the end of a transaction.
    pub commit_events: usize,
    /// Events between two snapshots of the state.
    pub snapshot_events: u64,
    /// Seeds the jitter of retries.
    pub seed: u64,
}

/// What a step wants done outside.
pub struct Effects<M: Model, R> {
    /// Events applied, in order.
    pub applied: Vec<Arc<Envelope<M>>>,
    /// Answers about application, to give once the snapshot is stored.
    pub answers: Vec<(R, Result<Applied, PublishError<M>>)>,
    /// Answers about durability.
    pub durable: Vec<(R, u64)>,
    /// A batch for the persister.
    pub commit: Option<CommitBatch<M>>,
    /// Whether the persister shall try its batch again.
    pub retry: bool,
    /// Whether a watermark moved.
    pub moved: bool,
    /// Deliveries to make: subscription and delivery.
    pub deliveries: Vec<(usize, Delivery<M>)>,
    /// Parts of the log to read.
    pub fetches: Vec<Fetch>,
}

impl<M: Model, R> Default for Effects<M, R> {
    fn default() -> Self {
        Self {
            applied: Vec::new(),
            answers: Vec::new(),
            durable: Vec::new(),
            commit: None,
            retry: false,
            moved: false,
            deliveries: Vec::new(),
            fetches: Vec::new(),
        }
    }
}

/// What the bus is told.
pub enum Input<M: Model, R> {
    /// One event.
    Publish(Publish<M>, Option<R>),
    /// Several events, all or none.
    Transact(Vec<Publish<M>>, Option<R>),
    /// An event of another machine, as stored there.
    Remote {
        /// The event.
        event: Box<StoredEvent>,
        /// The number of the one before it that its machine shares, 0 for none. Numbers between the two belong to
        /// events that stay where they are: conflicts, and what each machine decides alone.
        follows: u64,
        /// Whom to answer.
        reply: Option<R>,
    },
    /// The batch in flight is durable.
    Committed,
    /// The batch in flight is not, and stays with the persister.
    CommitFailed(StorageError),
    /// Time has passed; comes at the end of each poll.
    Tick,
    /// Somebody receives for a durable name.
    Subscribe {
        /// The name.
        name: Arc<str>,
        /// What it wants.
        filter: Filter,
        /// Where it begins if it is new.
        start: Start,
    },
    /// Nobody receives for a durable name any more.
    Unsubscribe {
        /// The subscription.
        index: usize,
        /// Why, for the deliveries that were taken.
        why: &'static str,
        /// Whether it stays so until somebody asks.
        park: bool,
    },
    /// A subscriber has taken its deliveries up to this number.
    Taken {
        /// The subscription.
        index: usize,
        /// The delivery.
        number: u64,
    },
    /// A subscriber's decision.
    Settle {
        /// Its name.
        name: Arc<str>,
        /// The event.
        seq: u64,
        /// The delivery.
        number: u64,
        /// The decision.
        outcome: Outcome<M>,
        /// Whom to answer.
        reply: Option<R>,
    },
    /// A subscriber still works on a delivery.
    InProgress {
        /// Its name.
        name: Arc<str>,
        /// The event.
        seq: u64,
        /// The delivery.
        number: u64,
    },
    /// Somebody's decision about a dead letter.
    Letter {
        /// The subscriber's name.
        name: Arc<str>,
        /// The event.
        seq: u64,
        /// The decision.
        decision: LetterDecision,
        /// Whom to answer.
        reply: Option<R>,
    },
    /// A subscriber's handler panicked.
    Panicked {
        /// Its name.
        name: Arc<str>,
    },
    /// A part of the log was read for a subscription.
    Fetched {
        /// What was asked for.
        fetch: Fetch,
        /// The events.
        events: FetchResult<M>,
    },
    /// A row to write with what comes next.
    Row(Row),
    /// Everything shall become durable now.
    Flush,
}
