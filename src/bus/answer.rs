//! What a publisher is told, and the ticket that it waits with.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use super::fold::Versioned;
use super::lease::Lease;
use super::model::{EntityKey, Model};
use super::storage::EventId;

/// How long [`Ticket::applied`] and [`Ticket::durable`] wait.
pub const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// An event that is in the state; for a transaction, its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its position in the log.
    pub seq: u64,
    /// The entity's version after it.
    pub version: u64,
    /// Its name: the base of the next edit, the cause of what follows.
    pub id: EventId,
}

/// Why an event did not happen.
#[derive(Clone, Debug)]
pub enum PublishError<M: Model> {
    /// The domain's rule says no.
    Refused {
        /// The entity.
        entity: EntityKey,
        /// Why.
        reason: String,
    },
    /// The entity is not what the publisher expects or has seen.
    Conflict {
        /// The entity.
        entity: EntityKey,
        /// What it is now, to make the edit again on; `None` if it never was.
        current: Option<Arc<Versioned<M>>>,
    },
    /// Somebody else edits the entity for a while.
    Leased {
        /// The entity.
        entity: EntityKey,
        /// Who, and until when.
        lease: Lease,
    },
    /// The bus did not take it in time; nothing happened.
    Busy,
    /// The bus took it and did not answer in time; it may still happen.
    TimedOut,
    /// The buffer for a failing disk is full.
    ReadOnly(String),
    /// More than 4 096 events or 4 MiB in one transaction, or an entity key that is empty or too long.
    TooLarge,
    /// Another delivery of the event was made since, or the event is settled already: nothing of this happened.
    Superseded,
    /// There is no such dead letter, or it was replayed or dropped already.
    NoSuchLetter,
    /// An event of another machine that is here already.
    AlreadyHere,
    /// An event of another machine that rests on one which is not here yet; it may come again after that.
    NotYet(EventId),
    /// An event of another machine whose clock is too far ahead; it may come again when the clocks agree.
    Quarantined,
    /// The bus has stopped.
    Closed,
}

impl<M: Model> PublishError<M> {
    /// The entity's version on a conflict, 0 if it never was.
    pub fn current_version(&self) -> Option<u64> {
        match self {
            Self::Conflict { current, .. } => Some(current.as_ref().map_or(0, |current| current.version)),
            _ => None,
        }
    }
}

impl<M: Model> Display for PublishError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { entity, reason } => write!(f, "{entity}: {reason}"),
            Self::Conflict { entity, current } => {
                let version = current.as_ref().map_or(0, |current| current.version);
                write!(f, "{entity} was changed meanwhile and is now at version {version}")
            }
            Self::Leased { entity, lease } => write!(f, "{entity} is being edited by {}", lease.holder),
            Self::Busy => f.write_str("the bus is busy"),
            Self::TimedOut => f.write_str("the bus has not answered in time"),
            Self::ReadOnly(why) => write!(f, "nothing can be saved: {why}"),
            Self::TooLarge => f.write_str("the transaction or an entity key is too large"),
            Self::Superseded => f.write_str("the delivery is no longer the latest of its event"),
            Self::NoSuchLetter => f.write_str("there is no such dead letter any more"),
            Self::AlreadyHere => f.write_str("the event is here already"),
            Self::NotYet(id) => write!(f, "event {} of machine {:x} must come first", id.device_seq, id.device.0),
            Self::Quarantined => f.write_str("the other machine's clock is too far ahead"),
            Self::Closed => f.write_str("the bus has stopped"),
        }
    }
}

impl<M: Model> std::error::Error for PublishError<M> {}

/// The two answers, in order.
pub(super) enum Answer<M: Model> {
    Applied(Result<Applied, PublishError<M>>),
    Durable(u64),
}

/// The bus's end of a ticket. Has room for both answers: answering never waits.
pub(super) struct Reply<M: Model>(Sender<Answer<M>>);

impl<M: Model> Clone for Reply<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Model> Reply<M> {
    /// The publisher may be gone: that is its right.
    pub(super) fn answer(&self, answer: Answer<M>) {
        self.0.try_send(answer).ok();
    }
}

/// Waits for what became of an event. May be dropped: the event happens all the same.
pub struct Ticket<M: Model> {
    answers: Receiver<Answer<M>>,
    applied: Option<Result<Applied, PublishError<M>>>,
    durable: Option<u64>,
}

impl<M: Model> Ticket<M> {
    pub(super) fn new() -> (Reply<M>, Self) {
        let (sender, answers) = bounded(2);
        (Reply(sender), Self { answers, applied: None, durable: None })
    }

    pub(super) fn answered(error: PublishError<M>) -> Self {
        let (_, answers) = bounded(0);
        Self { answers, applied: Some(Err(error)), durable: None }
    }

    /// Waits until the event is in the state, or refused; at most [`ANSWER_WAIT`].
    pub fn applied(&mut self) -> Result<Applied, PublishError<M>> {
        self.applied_within(ANSWER_WAIT)
    }

    /// As [`Ticket::applied`], for at most `wait`.
    pub fn applied_within(&mut self, wait: Duration) -> Result<Applied, PublishError<M>> {
        while self.applied.is_none() {
            self.receive(wait)?;
        }
        self.applied.clone().unwrap_or(Err(PublishError::Closed))
    }

    /// Waits until the event is on disk, and gives its position; at most [`ANSWER_WAIT`].
    pub fn durable(&mut self) -> Result<u64, PublishError<M>> {
        self.durable_within(ANSWER_WAIT)
    }

    /// As [`Ticket::durable`], for at most `wait` (twice, if it is not applied yet).
    pub fn durable_within(&mut self, wait: Duration) -> Result<u64, PublishError<M>> {
        self.applied_within(wait)?;
        loop {
            match self.durable {
                Some(seq) => return Ok(seq),
                None => self.receive(wait)?,
            }
        }
    }

    /// The first answer, if it is there.
    pub fn try_applied(&mut self) -> Option<Result<Applied, PublishError<M>>> {
        self.poll();
        self.applied.clone()
    }

    /// The second answer, if it is there; an error also if the event was refused.
    pub fn try_durable(&mut self) -> Option<Result<u64, PublishError<M>>> {
        self.poll();
        match (&self.applied, self.durable) {
            (Some(Err(error)), _) => Some(Err(error.clone())),
            (_, Some(seq)) => Some(Ok(seq)),
            _ => None,
        }
    }

    fn receive(&mut self, wait: Duration) -> Result<(), PublishError<M>> {
        match self.answers.recv_timeout(wait) {
            Ok(answer) => self.take(answer),
            Err(RecvTimeoutError::Timeout) => return Err(PublishError::TimedOut),
            Err(RecvTimeoutError::Disconnected) => return Err(PublishError::Closed),
        }
        Ok(())
    }

    fn poll(&mut self) {
        loop {
            match self.answers.try_recv() {
                Ok(answer) => self.take(answer),
                Err(TryRecvError::Disconnected) if self.applied.is_none() => {
                    self.applied = Some(Err(PublishError::Closed));
                }
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, answer: Answer<M>) {
        match answer {
            Answer::Applied(result) => self.applied = Some(result),
            Answer::Durable(seq) => self.durable = Some(seq),
        }
    }
}
