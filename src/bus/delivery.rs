//! Durable subscriptions as their users hold them: deliveries in, acknowledgements out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::answer::{PublishError, Ticket};
use super::core::TRANSACTION_BYTES_MAX;
use super::envelope::{Envelope, Publish};
use super::handle::{BusHandle, Command, encode};
use super::live::Stopped;
use super::model::Model;
use super::storage::{StorageError, Table};
use super::subscription::{MAX_ACK_PENDING, row_key};
use crate::time::Micros;

/// Bytes of a subscriber's name at most.
pub const NAME_BYTES_MAX: usize = 64;
/// Bytes of a private row's key at most.
pub const PUT_KEY_BYTES_MAX: usize = 300;

/// Where a new durable subscription begins. One that exists goes on where it was. For a moment or an entity see
/// [`BusHandle::start_at`] and [`BusHandle::start_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event of the log.
    Beginning,
    /// With the next event.
    Now,
    /// With this event.
    Seq(u64),
}

/// One try to get an event handled.
#[derive(Clone, Debug)]
pub struct Delivery<M: Model> {
    /// The event; it is durable.
    pub envelope: Arc<Envelope<M>>,
    /// The number of this delivery; only the latest one of an event can be acknowledged.
    pub number: u64,
    /// Which try this is, from 1; above 1 the handler may have run before. A dead letter that is replayed counts from 1.
    pub tries: u32,
}

/// A change of the subscriber's private table, committed with its acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// 1 to [`PUT_KEY_BYTES_MAX`] bytes.
    pub key: Vec<u8>,
    /// `None` removes the row.
    pub value: Option<Vec<u8>>,
}

/// Private rows: keys and values, in key order.
pub type PrivateRows = Vec<(Vec<u8>, Vec<u8>)>;

/// What a handler decides about a delivery.
#[derive(Clone, Debug)]
pub enum Outcome<M: Model> {
    /// Done; what follows from it is committed together with the cursor, exactly once.
    Ack {
        /// Events that follow; refused together with the acknowledgement if one of them is.
        publish: Vec<Publish<M>>,
        /// Private rows.
        put: Vec<Put>,
    },
    /// Not now: again after the back-off, and no sooner than `delay`.
    Nak {
        /// The shortest wait.
        delay: Micros,
        /// Why, for the inspector and the dead letter.
        reason: String,
    },
    /// Never: into the dead letters, with the reason.
    Term(String),
}

impl<M: Model> Outcome<M> {
    /// Done, and nothing follows.
    pub fn done() -> Self {
        Self::Ack { publish: Vec::new(), put: Vec::new() }
    }

    /// Done, and these events follow.
    pub fn publish(publish: Vec<Publish<M>>) -> Self {
        Self::Ack { publish, put: Vec::new() }
    }
}

/// The receiving end of a durable subscription. Dropping it leaves the cursor where it is.
pub struct DurableSubscription<M: Model> {
    name: Arc<str>,
    mailbox: Receiver<Delivery<M>>,
    taken: Arc<AtomicU64>,
    bus: BusHandle<M>,
}

/// The bus's end.
pub(super) struct Mailbox<M: Model> {
    pub(super) sender: Sender<Delivery<M>>,
    /// The number of the last delivery that the subscriber took.
    pub(super) taken: Arc<AtomicU64>,
    /// What of it the core was told.
    pub(super) told: u64,
}

impl<M: Model> DurableSubscription<M> {
    pub(super) fn new(name: Arc<str>, bus: BusHandle<M>) -> (Mailbox<M>, Self) {
        // Deliveries that were not taken are never more than this, and are not made again.
        let (sender, mailbox) = bounded(MAX_ACK_PENDING);
        let taken = Arc::new(AtomicU64::new(0));
        let bus_end = Mailbox { sender, taken: Arc::clone(&taken), told: 0 };
        (bus_end, Self { name, mailbox, taken, bus })
    }

    /// Its durable name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits for the next delivery; `None` after `wait`. The time to acknowledge runs from here.
    pub fn recv(&self, wait: Duration) -> Result<Option<Delivery<M>>, Stopped> {
        match self.mailbox.recv_timeout(wait) {
            Ok(delivery) => {
                self.taken.store(delivery.number, Ordering::Release);
                Ok(Some(delivery))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Stopped),
        }
    }

    /// Says what became of a delivery. The ticket is refused with `Superseded` if the delivery is not the latest.
    pub fn settle(&self, delivery: &Delivery<M>, mut outcome: Outcome<M>) -> Ticket<M> {
        let (reply, ticket) = Ticket::new();
        if let Outcome::Ack { publish, put } = &mut outcome {
            let bytes: usize = publish.iter_mut().map(encode).sum();
            let key_fits = |put: &Put| (1..=PUT_KEY_BYTES_MAX).contains(&put.key.len());
            if bytes > TRANSACTION_BYTES_MAX || !put.iter().all(key_fits) {
                return Ticket::answered(PublishError::TooLarge);
            }
        }
        let (name, seq, number) = (Arc::clone(&self.name), delivery.envelope.seq, delivery.number);
        match self.bus.send(Command::Settle { name, seq, number, outcome, reply }) {
            Ok(()) => ticket,
            Err(error) => Ticket::answered(error),
        }
    }

    /// Acknowledges.
    pub fn ack(&self, delivery: &Delivery<M>) -> Ticket<M> {
        self.settle(delivery, Outcome::done())
    }

    /// Starts the time to acknowledge anew.
    pub fn in_progress(&self, delivery: &Delivery<M>) {
        self.progress().tell(delivery);
    }

    /// What tells the bus that a delivery is still being worked on.
    pub(super) fn progress(&self) -> Progress<M> {
        Progress { name: Arc::clone(&self.name), bus: self.bus.clone() }
    }

    /// The subscriber's private rows whose key begins with `prefix`, as of the last commit.
    pub fn private(&self, prefix: &[u8]) -> Result<PrivateRows, StorageError> {
        private_rows(&self.bus, &self.name, prefix)
    }
}

/// See [`DurableSubscription::in_progress`].
#[derive(Clone)]
pub(super) struct Progress<M: Model> {
    name: Arc<str>,
    bus: BusHandle<M>,
}

impl<M: Model> Progress<M> {
    pub(super) fn tell(&self, delivery: &Delivery<M>) {
        let (name, seq, number) = (Arc::clone(&self.name), delivery.envelope.seq, delivery.number);
        self.bus.send(Command::InProgress { name, seq, number }).ok();
    }
}

pub(super) fn private_rows<M: Model>(
    bus: &BusHandle<M>,
    name: &str,
    prefix: &[u8],
) -> Result<PrivateRows, StorageError> {
    let own = row_key(name, &[]);
    let rows = bus.reader().rows(Table::Private, &row_key(name, prefix))?;
    Ok(rows.into_iter().filter_map(|row| Some((row.key.get(own.len()..)?.to_vec(), row.value?))).collect())
}
