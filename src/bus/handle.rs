//! The bus as its users hold it: starting it, publishing, reading, subscribing, stopping it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::answer::{Applied, PublishError, Reply, Ticket};
use super::component::{self, Component};
use super::core::{TRANSACTION_BYTES_MAX, TRANSACTION_EVENTS_MAX};
use super::delivery::{DurableSubscription, Mailbox, NAME_BYTES_MAX, Outcome, Start};
use super::envelope::{Envelope, Publish};
use super::filter::Filter;
use super::fold::Versioned;
use super::hlc::Hlc;
use super::inspect::Report;
use super::lane::EssentialConsumer;
use super::lanes::{Lane, Translate, TranslatedLane};
use super::lease::{self, LEASE_MAX, Lease, Leasing};
use super::live::{Live, LiveSubscription};
use super::model::{EntityKey, Expect, Model};
use super::snapshot::Snapshot;
use super::start::StartError;
use super::storage::{DeviceId, Erasure, StorageError, StorageReader};
use super::subscribers::LetterDecision;
use crate::time::{Clock, WallMillis};

/// How long a publisher waits for room among the commands before it is told [`PublishError::Busy`].
pub const COMMAND_WAIT: Duration = Duration::from_millis(20);

/// How often [`BusHandle::rebase`] makes an edit at most: each try that fails means that somebody else succeeded, so only
/// dozens of writers at one entity need more.
pub const REBASE_TRIES: u32 = 64;

/// Events read at a time in search of one of this machine.
const OWN_READ: usize = 256;

/// What the bus thread is told by other threads.
pub(super) enum Command<M: Model> {
    Publish(Publish<M>, Reply<M>),
    Transact(Vec<Publish<M>>, Reply<M>),
    AddLane(Box<dyn Lane<M>>),
    Live(Live<M>),
    Subscribe { name: Arc<str>, filter: Filter, start: Start, mailbox: Mailbox<M> },
    Settle { name: Arc<str>, seq: u64, number: u64, outcome: Outcome<M>, reply: Reply<M> },
    InProgress { name: Arc<str>, seq: u64, number: u64 },
    Letter { name: Arc<str>, seq: u64, decision: LetterDecision, reply: Reply<M> },
    Erase { what: Erasure, reply: Sender<Result<u64, StorageError>> },
    Panicked { name: Arc<str> },
    Park { name: Arc<str> },
    Waker(Box<dyn Fn() + Send>),
    Inspect(Sender<Arc<Report>>),
    Shutdown(Sender<()>),
}

/// Says that the bus takes no more commands. A bounded channel keeps what is in it while senders live, so the bus
/// thread when it stops, and whoever sends at that moment, empty it: then every ticket and mailbox in it is dropped.
pub(super) struct Closed<M: Model> {
    closed: AtomicBool,
    commands: Receiver<Command<M>>,
}

impl<M: Model> Closed<M> {
    pub(super) fn new(commands: Receiver<Command<M>>) -> Self {
        Self { closed: AtomicBool::new(false), commands }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.sweep();
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn sweep(&self) {
        if self.is_closed() {
            self.commands.try_iter().for_each(drop);
        }
    }
}

/// What handles and the bus thread share.
pub(super) struct Shared<M: Model> {
    pub(super) commands: Sender<Command<M>>,
    pub(super) closed: Arc<Closed<M>>,
    pub(super) bus: Thread,
    pub(super) snapshot: Arc<ArcSwap<Snapshot<M>>>,
    pub(super) reader: Arc<dyn StorageReader>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) report: Arc<ArcSwap<Report>>,
    pub(super) report_wanted: Arc<AtomicBool>,
    pub(super) device: DeviceId,
}

/// A bus. Clones share it. It runs until [`BusHandle::shutdown`]: components and subscriptions hold handles too.
pub struct BusHandle<M: Model>(pub(super) Arc<Shared<M>>);

impl<M: Model> Clone for BusHandle<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Model> BusHandle<M> {
    /// Publishes one event. Waits at most [`COMMAND_WAIT`], and only when the command queue is full.
    pub fn publish(&self, mut publish: Publish<M>) -> Ticket<M> {
        let (reply, ticket) = Ticket::new();
        if encode(&mut publish) > TRANSACTION_BYTES_MAX {
            return Ticket::answered(PublishError::TooLarge);
        }
        self.send_or(Command::Publish(publish, reply), ticket)
    }

    /// Publishes events that apply all or not at all: at most 4 096, at most 4 MiB.
    pub fn transact(&self, mut items: Vec<Publish<M>>) -> Ticket<M> {
        let (reply, ticket) = Ticket::new();
        let bytes: usize = items.iter_mut().map(encode).sum();
        if items.is_empty() || items.len() > TRANSACTION_EVENTS_MAX || bytes > TRANSACTION_BYTES_MAX {
            return Ticket::answered(PublishError::TooLarge);
        }
        self.send_or(Command::Transact(items, reply), ticket)
    }

    /// Publishes a person's edit, made on what the newest snapshot shows, unless it names another base.
    pub fn edit(&self, mut publish: Publish<M>) -> Ticket<M> {
        let seen = || self.snapshot().state.get(publish.entity.as_str()).map(|seen| seen.last);
        publish.base = publish.base.or_else(seen);
        self.publish(publish)
    }

    /// Makes an edit on the entity's current value, and makes it again on the newer one as long as another edit comes in
    /// between, at most [`REBASE_TRIES`] times. `edit` gets the value as it is and gives the event, or nothing when
    /// there is nothing to do any more. Waits for each answer.
    ///
    /// # Errors
    /// What the last try was answered: a conflict only when every try met one.
    pub fn rebase(
        &self,
        entity: &EntityKey,
        mut edit: impl FnMut(Option<&Versioned<M>>) -> Option<M::Event>,
    ) -> Result<Option<Applied>, PublishError<M>> {
        let mut current = self.snapshot().state.get_shared(entity.as_str()).cloned();
        let mut tries = 0;
        loop {
            tries += 1;
            let Some(event) = edit(current.as_deref()) else { return Ok(None) };
            let mut publish = Publish::new(entity.clone(), event);
            publish.expect = Expect::Exact(current.as_ref().map_or(0, |current| current.version));
            publish.base = current.as_ref().map(|current| current.last);
            match self.publish(publish).applied() {
                Err(PublishError::Conflict { current: newer, .. }) if tries < REBASE_TRIES => current = newer,
                answer => return answer.map(Some),
            }
        }
    }

    fn send_or(&self, command: Command<M>, ticket: Ticket<M>) -> Ticket<M> {
        match self.send(command) {
            Ok(()) => ticket,
            Err(error) => Ticket::answered(error),
        }
    }

    pub(super) fn send(&self, command: Command<M>) -> Result<(), PublishError<M>> {
        use crossbeam_channel::{SendTimeoutError, TrySendError};
        if self.0.closed.is_closed() {
            return Err(PublishError::Closed);
        }
        let sent = match self.0.commands.try_send(command) {
            Err(TrySendError::Full(command)) => {
                self.0.bus.unpark();
                self.0.commands.send_timeout(command, COMMAND_WAIT).map_err(|error| match error {
                    SendTimeoutError::Timeout(_) => PublishError::Busy,
                    SendTimeoutError::Disconnected(_) => PublishError::Closed,
                })
            }
            Err(TrySendError::Disconnected(_)) => Err(PublishError::Closed),
            Ok(()) => Ok(()),
        };
        self.0.bus.unpark();
        // The bus may have stopped since: then nobody else takes the command out.
        self.0.closed.sweep();
        sent
    }

    /// Keeps others from editing an entity for a while, at most [`LEASE_MAX`]; taken again, it lasts longer. Refused with
    /// [`PublishError::Leased`] while somebody else has it; none in a domain without leases.
    pub fn lease(&self, entity: &EntityKey, holder: &str, time: WallMillis) -> Option<Ticket<M>> {
        let until = self.0.clock.wall() + WallMillis(time.0.min(LEASE_MAX.0));
        self.leasing(entity, holder, Leasing::Taken(Lease { holder: holder.to_owned(), until }))
    }

    /// Gives a lease back.
    pub fn release(&self, entity: &EntityKey, holder: &str) -> Option<Ticket<M>> {
        self.leasing(entity, holder, Leasing::Ended)
    }

    fn leasing(&self, entity: &EntityKey, holder: &str, leasing: Leasing) -> Option<Ticket<M>> {
        let event = M::leasing(leasing)?;
        Some(self.publish(Publish::new(lease::key(entity), event).actor(holder.to_owned())))
    }

    /// The newest snapshot. Never waits.
    pub fn snapshot(&self) -> Arc<Snapshot<M>> {
        self.0.snapshot.load_full()
    }

    /// Events as they are applied, through a channel of `capacity` items.
    pub fn subscribe_live(&self, filter: Filter, capacity: usize) -> LiveSubscription<M> {
        let (live, subscription) = Live::new(filter, capacity);
        self.send(Command::Live(live)).ok();
        subscription
    }

    /// Durable events, each until it is acknowledged, under a name of 1 to [`NAME_BYTES_MAX`] bytes. Whoever received for this name before does so no longer.
    pub fn subscribe_durable(&self, name: &str, filter: Filter, start: Start) -> DurableSubscription<M> {
        let name: Arc<str> = name.into();
        let (mailbox, subscription) = DurableSubscription::new(Arc::clone(&name), self.clone());
        // When the bus has stopped, or the name is too long to be kept, the mailbox is dropped and receiving says so.
        if (1..=NAME_BYTES_MAX).contains(&name.len()) {
            self.send(Command::Subscribe { name, filter, start, mailbox }).ok();
        }
        subscription
    }

    /// Decides about a dead letter. Once durable, the decision stands over a crash. Of the answer only `seq` says
    /// something; it is refused with `NoSuchLetter` when there is none.
    pub fn settle_letter(&self, subscriber: &str, seq: u64, decision: LetterDecision) -> Ticket<M> {
        let (reply, ticket) = Ticket::new();
        self.send_or(Command::Letter { name: subscriber.into(), seq, decision, reply }, ticket)
    }

    /// Erases payloads of durable events for ever, and gives how many there were; waits for the persister, which does it
    /// beside its commits. An entity's is meant for one whose last event says that it is gone: the fold then comes out
    /// the same.
    ///
    /// # Errors
    /// The bus is busy or has stopped, or the disk fails; a part may be erased then.
    pub fn erase(&self, what: Erasure) -> Result<u64, StorageError> {
        let (reply, answer) = bounded(1);
        self.send(Command::Erase { what, reply }).map_err(|error| StorageError::Io(error.to_string()))?;
        answer.recv().unwrap_or_else(|_| Err(StorageError::Io("the bus is busy".to_owned())))
    }

    /// Starts a component on a thread of its own.
    pub fn run(&self, component: Box<dyn Component<M>>) -> Result<JoinHandle<()>, StartError> {
        component::run(self, component)
    }

    /// Polls a lane on the bus thread from now on.
    pub fn add_lane<L: Copy + Send + 'static>(
        &self,
        name: &str,
        consumer: EssentialConsumer<L>,
        translate: Box<dyn Translate<M, L>>,
    ) -> Result<(), PublishError<M>> {
        self.send(Command::AddLane(Box::new(TranslatedLane::new(name, consumer, translate))))
    }

    /// Calls `waker` from the bus thread when the snapshot changed, at most once in 4 ms.
    pub fn set_waker(&self, waker: Box<dyn Fn() + Send>) {
        self.send(Command::Waker(waker)).ok();
    }

    /// Up to `max` durable events from `from` on, read from the store on this thread.
    pub fn events(&self, from: u64, max: usize) -> Result<Vec<Envelope<M>>, StorageError> {
        Ok(self.0.reader.events(from, max)?.into_iter().map(Envelope::from_stored).collect())
    }

    /// Up to `max` durable events of one entity from a version on, read from the store on this thread.
    pub fn entity_events(
        &self,
        entity: &EntityKey,
        from_version: u64,
        max: usize,
    ) -> Result<Vec<Envelope<M>>, StorageError> {
        let events = self.0.reader.entity_events(entity.as_str(), from_version, max)?;
        Ok(events.into_iter().map(Envelope::from_stored).collect())
    }

    /// Where a replay begins that shall see everything from a moment of the wall clock on: a search in the log by its
    /// hybrid stamps, which never go back among the events of this machine; those of others that came at that time are
    /// seen too. Reads about 20 events from the store on this thread, and more where there are many of other machines.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn start_at(&self, wall: WallMillis) -> Result<Start, StorageError> {
        let (mut low, mut high) = (1, self.0.reader.last()?.seq + 1);
        while low < high {
            let middle = low.midpoint(high);
            match self.own_from(middle, high)? {
                Some((seq, stamp)) if Hlc::wall(stamp).0 < wall.0 => low = seq + 1,
                _ => high = middle,
            }
        }
        Ok(Start::Seq(low))
    }

    /// The first event of this machine in `from..to`, and its stamp.
    fn own_from(&self, mut from: u64, to: u64) -> Result<Option<(u64, u64)>, StorageError> {
        let mut max = 1;
        while from < to {
            let events = self.0.reader.events(from, max)?;
            let Some(last) = events.last() else { break };
            let own = events.iter().find(|event| event.header.id.device == self.device());
            if let Some(own) = own.filter(|own| own.header.seq < to) {
                return Ok(Some((own.header.seq, own.header.hlc)));
            }
            from = last.header.seq + 1;
            max = OWN_READ;
        }
        Ok(None)
    }

    /// Where a replay begins that shall see an entity from its first event on; `None` if it has none that is durable.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn start_of(&self, entity: &EntityKey) -> Result<Option<Start>, StorageError> {
        let first = self.0.reader.entity_events(entity.as_str(), 1, 1)?;
        Ok(first.first().map(|event| Start::Seq(event.header.seq)))
    }

    /// The store's reading side.
    pub fn reader(&self) -> &Arc<dyn StorageReader> {
        &self.0.reader
    }

    /// The last report, and a request for a new one: call it per frame, it never waits. Reports are made at most
    /// every 50 ms, and none when nobody asks.
    pub fn inspect(&self) -> Arc<Report> {
        self.0.report_wanted.store(true, Ordering::Relaxed);
        self.0.report.load_full()
    }

    /// A report of this moment; waits for the bus thread, at most a second.
    pub fn inspect_now(&self) -> Option<Arc<Report>> {
        let (sender, receiver) = bounded(1);
        self.send(Command::Inspect(sender)).ok()?;
        receiver.recv_timeout(Duration::from_secs(1)).ok()
    }

    /// The machine's id.
    pub fn device(&self) -> DeviceId {
        self.0.device
    }

    /// The clock that stamps events.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Takes what the lanes and the command queue still hold, makes everything durable and stops. Returns whether all
    /// of it is durable; waits at most `wait`.
    pub fn shutdown(&self, wait: Duration) -> bool {
        let (sender, receiver) = bounded(1);
        if self.send(Command::Shutdown(sender)).is_ok() {
            // An end without a word means that another shutdown was first.
            receiver.recv_timeout(wait).ok();
        }
        let snapshot = self.snapshot();
        snapshot.durable == snapshot.applied
    }
}

/// Encodes on the publisher's thread, and gives the size.
pub(super) fn encode<M: Model>(publish: &mut Publish<M>) -> usize {
    publish.encoded.get_or_insert_with(|| M::encode(&publish.event)).len()
}
