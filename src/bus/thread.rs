//! The bus thread: a thin shell that carries inputs to the core and its effects out. Never waits for the disk, and is
//! never woken by a real-time thread.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};

use super::answer::{Answer, Reply};
use super::core::{Core, Effects, Input, Now};
use super::delivery::Mailbox;
use super::envelope::{self, Publish};
use super::handle::{Closed, Command};
use super::health::Health;
use super::inspect::{Fill, Histogram, LETTERS_SHOWN, RECENT_EVENTS, Report, TopicReport};
use super::lab::{Failure, Lab};
use super::lanes::Lane;
use super::live::Lives;
use super::model::{Durability, Model};
use super::persister::{Erase, Erasures, Order, Outcome};
use super::rates::Sampler;
use super::reader::Fetched;
use super::snapshot::Snapshot;
use super::storage::{StorageError, StoreSize};
use super::subscribers::Fetch;
use super::trail::{Round, Trail};
use crate::time::{Clock, Micros};

/// Erasures that wait for the persister at most.
pub(super) const ERASURES_MAX: usize = 4;
/// Commands waiting at most.
pub const COMMANDS: usize = 4_096;
/// Items taken from one lane, and commands taken, per poll.
const BATCH: usize = 1_024;
/// Silence after which polls become rare.
const SILENCE: Micros = Micros(5_000_000);
/// The shortest time between two repaints asked for.
const REPAINT: Micros = Micros(4_000);
/// The shortest time between two reports.
const REPORT: Micros = Micros(50_000);

/// How the bus runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Time between polls while something happens.
    pub poll: Duration,
    /// Time between polls after 5 s of silence.
    pub poll_idle: Duration,
    /// The health when all is well: [`Health::Degraded`] when the store does not last.
    pub rest: Health,
    /// Bounds of undurable events and their bytes.
    pub buffer: (usize, usize),
    /// Events between two snapshots of the state.
    pub snapshot_events: u64,
    /// Seeds the jitter of retries.
    pub seed: u64,
    /// What goes wrong on purpose.
    pub lab: Option<Arc<Lab>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(1),
            poll_idle: Duration::from_millis(10),
            rest: Health::Ok,
            buffer: (super::health::BUFFER_EVENTS_MAX, super::health::BUFFER_BYTES_MAX),
            snapshot_events: super::queue::SNAPSHOT_EVENTS,
            seed: 0,
            lab: None,
        }
    }
}

/// However the thread ends, publishers are answered. Domain code that panicked may have left the state half changed,
/// so the bus does not go on after it.
struct Guard<M: Model> {
    closed: Arc<Closed<M>>,
    snapshot: Arc<ArcSwap<Snapshot<M>>>,
}

impl<M: Model> Drop for Guard<M> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut last = Snapshot::clone(&self.snapshot.load());
            last.health = Health::ReadOnly("the bus has failed and the program must be started again".to_owned());
            self.snapshot.store(Arc::new(last));
        }
        self.closed.close();
    }
}

/// Everything the bus thread owns.
pub(super) struct BusThread<M: Model> {
    pub(super) config: Config,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) core: Core<M, Reply<M>>,
    pub(super) commands: Receiver<Command<M>>,
    pub(super) closed: Arc<Closed<M>>,
    pub(super) orders: Sender<Order<M>>,
    pub(super) erasures: Arc<Erasures>,
    pub(super) outcomes: Receiver<Outcome>,
    pub(super) fetches: Sender<Fetch>,
    pub(super) fetched: Receiver<Fetched<M>>,
    pub(super) snapshot: Arc<ArcSwap<Snapshot<M>>>,
    pub(super) report: Arc<ArcSwap<Report>>,
    pub(super) report_wanted: Arc<AtomicBool>,
    pub(super) side: Side<M>,
}

/// What is around the core: the ends of channels, and figures.
pub(super) struct Side<M: Model> {
    lanes: Vec<Box<dyn Lane<M>>>,
    live: Lives<M>,
    mailboxes: HashMap<usize, Mailbox<M>>,
    waker: Option<Box<dyn Fn() + Send>>,
    fx: Effects<M, Reply<M>>,
    translated: Vec<Publish<M>>,
    started: Micros,
    busy_at: Micros,
    repaint_due: bool,
    repainted: Micros,
    reported: Micros,
    health: Health,
    store: StoreSize,
    bytes: u64,
    step: Histogram,
    trail: Trail,
    sampler: Sampler,
    polls: u64,
    snapshots: u64,
    repaints: u64,
    commands_high: usize,
    stopping: Option<Vec<Sender<()>>>,
    persister_gone: bool,
}

impl<M: Model> Side<M> {
    pub(super) fn new(now: Micros, end: u64, store: StoreSize, health: Health) -> Self {
        Self {
            lanes: Vec::new(),
            live: Lives::new(),
            mailboxes: HashMap::new(),
            waker: None,
            fx: Effects::default(),
            translated: Vec::new(),
            started: now,
            busy_at: now,
            repaint_due: false,
            repainted: Micros(i64::MIN / 2),
            reported: Micros(i64::MIN / 2),
            health,
            store,
            bytes: 0,
            step: Histogram::default(),
            trail: Trail::from(end),
            sampler: Sampler::default(),
            polls: 0,
            snapshots: 0,
            repaints: 0,
            commands_high: 0,
            stopping: None,
            persister_gone: false,
        }
    }
}

impl<M: Model> BusThread<M> {
    /// Runs until it is told to stop, or every handle is gone.
    pub(super) fn run(mut self) {
        let _guard = Guard { closed: Arc::clone(&self.closed), snapshot: Arc::clone(&self.snapshot) };
        loop {
            let taken = self.poll();
            let done = self.core.queue.is_clean() || self.side.persister_gone;
            if self.side.stopping.is_some() && taken == 0 && done {
                break;
            }
            if taken < BATCH {
                let silent = self.clock.now() - self.side.busy_at >= SILENCE;
                std::thread::park_timeout(if silent { self.config.poll_idle } else { self.config.poll });
            }
        }
        self.closed.close();
        // The reader and the persister end, and close the store, once nobody asks anything of them.
        drop((self.fetches, self.orders));
        while self.fetched.recv().is_ok() {}
        while self.outcomes.recv().is_ok() {}
        for stopped in self.side.stopping.into_iter().flatten() {
            stopped.try_send(()).ok();
        }
    }

    /// Takes all that is there, up to a bound, and gives what it took.
    fn poll(&mut self) -> usize {
        let now = self.now();
        self.side.polls += 1;
        let taken = self.take_outcomes(now) + self.take_lanes(now) + self.take_commands(now) + self.take_fetched(now);
        self.take_mailboxes(now);
        self.core.step(now, Input::Tick, &mut self.side.fx);
        self.carry_out(now);
        if taken > 0 {
            self.side.busy_at = now.mono;
            self.side.step.record(self.clock.now() - now.mono);
        }
        if now.mono - self.side.reported >= REPORT && self.report_wanted.swap(false, Ordering::Relaxed) {
            self.side.reported = now.mono;
            let report = self.make_report(now);
            self.report.store(Arc::new(report));
        }
        taken
    }

    fn now(&self) -> Now {
        Now { mono: self.clock.now(), wall: self.clock.wall() }
    }

    fn take_outcomes(&mut self, now: Now) -> usize {
        let mut taken = 0;
        loop {
            let outcome = match self.outcomes.try_recv() {
                Ok(outcome) => outcome,
                Err(TryRecvError::Empty) => return taken,
                Err(TryRecvError::Disconnected) => {
                    if !std::mem::replace(&mut self.side.persister_gone, true) {
                        let error = StorageError::Unusable("the thread that saves has failed".to_owned());
                        self.core.step(now, Input::CommitFailed(error), &mut self.side.fx);
                    }
                    return taken;
                }
            };
            taken += 1;
            self.side.store = outcome.size;
            let input = match outcome.result {
                Ok(committed) => {
                    self.side.bytes += committed.bytes;
                    Input::Committed
                }
                Err(error) => Input::CommitFailed(error),
            };
            self.core.step(now, input, &mut self.side.fx);
            self.side.trail.durable.reach(self.core.durable(), now.mono);
        }
    }

    fn take_lanes(&mut self, now: Now) -> usize {
        // At the end everything is taken, stuck or not.
        if self.side.stopping.is_none() && self.config.lab.as_ref().is_some_and(|lab| lab.is_on(Failure::Stuck)) {
            return 0;
        }
        let mut taken = 0;
        for lane in &mut self.side.lanes {
            taken += lane.poll(BATCH, &self.core, &mut self.side.translated);
            for publish in self.side.translated.drain(..) {
                self.core.step(now, Input::Publish(publish, None), &mut self.side.fx);
            }
        }
        taken
    }

    fn take_fetched(&mut self, now: Now) -> usize {
        let mut taken = 0;
        while let Ok(Fetched { fetch, events }) = self.fetched.try_recv() {
            taken += 1;
            self.core.step(now, Input::Fetched { fetch, events }, &mut self.side.fx);
        }
        taken
    }

    /// Tells the core which deliveries were taken, and who is gone.
    fn take_mailboxes(&mut self, now: Now) {
        for (index, mailbox) in &mut self.side.mailboxes {
            let number = mailbox.taken.load(Ordering::Acquire);
            if number > mailbox.told {
                mailbox.told = number;
                self.core.step(now, Input::Taken { index: *index, number }, &mut self.side.fx);
            }
        }
    }

    fn take_commands(&mut self, now: Now) -> usize {
        self.side.commands_high = self.side.commands_high.max(self.commands.len());
        for taken in 0..BATCH {
            match self.commands.try_recv() {
                Ok(command) => self.take_command(now, command),
                Err(TryRecvError::Empty) => return taken,
                Err(TryRecvError::Disconnected) => {
                    if self.side.stopping.is_none() {
                        self.side.stopping = Some(Vec::new());
                        self.core.step(now, Input::Flush, &mut self.side.fx);
                    }
                    return taken;
                }
            }
        }
        BATCH
    }

    fn take_command(&mut self, now: Now, command: Command<M>) {
        match command {
            Command::Publish(publish, reply) => {
                self.core.step(now, Input::Publish(publish, Some(reply)), &mut self.side.fx);
            }
            Command::Transact(items, reply) => {
                // What was played before somebody began something new belongs to what was before.
                self.take_lanes(now);
                self.core.step(now, Input::Transact(items, Some(reply)), &mut self.side.fx);
            }
            Command::AddLane(lane) => {
                // Those that have ended are shown until others come.
                self.side.lanes.retain(|lane| !lane.is_closed());
                self.side.lanes.push(lane);
            }
            Command::Live(live) => self.side.live.push(live),
            Command::Subscribe { name, filter, start, mailbox } => {
                let input = Input::Subscribe { name: Arc::clone(&name), filter, start };
                self.core.step(now, input, &mut self.side.fx);
                if let Some(index) = self.core.subscribers.index(&name) {
                    // Deliveries of this very step come after this, in `carry_out`; older ones went out already.
                    self.side.mailboxes.insert(index, mailbox);
                }
            }
            // Lost with its answer, as if it had never been sent.
            Command::Settle { .. } if self.config.lab.as_ref().is_some_and(|lab| lab.loses_ack()) => {}
            Command::Settle { name, seq, number, outcome, reply } => {
                let input = Input::Settle { name, seq, number, outcome, reply: Some(reply) };
                self.core.step(now, input, &mut self.side.fx);
            }
            Command::InProgress { name, seq, number } => {
                self.core.step(now, Input::InProgress { name, seq, number }, &mut self.side.fx);
            }
            Command::Letter { name, seq, decision, reply } => {
                let input = Input::Letter { name, seq, decision, reply: Some(reply) };
                self.core.step(now, input, &mut self.side.fx);
            }
            Command::Erase { what, reply } => {
                // Room for a batch and its retry is never taken; dropping the reply says that there is none.
                if self.erasures.underway.load(Ordering::Acquire) < ERASURES_MAX {
                    self.erasures.underway.fetch_add(1, Ordering::AcqRel);
                    let erasures = Arc::clone(&self.erasures);
                    self.orders.try_send(Order::Erase(Erase { what, reply, erasures })).ok();
                }
            }
            Command::Panicked { name } => self.core.step(now, Input::Panicked { name }, &mut self.side.fx),
            Command::Park { name } => {
                if let Some(index) = self.core.subscribers.index(&name) {
                    self.side.mailboxes.remove(&index);
                    let why = "the component is parked";
                    self.core.step(now, Input::Unsubscribe { index, why, park: true }, &mut self.side.fx);
                }
            }
            Command::Waker(waker) => self.side.waker = Some(waker),
            Command::Inspect(sender) => {
                sender.try_send(Arc::new(self.make_report(now))).ok();
            }
            Command::Shutdown(stopped) => {
                self.side.stopping.get_or_insert_default().push(stopped);
                self.core.step(now, Input::Flush, &mut self.side.fx);
            }
        }
    }

    /// Snapshot first, then those who may look at it.
    fn carry_out(&mut self, now: Now) {
        let applied = (!self.side.fx.applied.is_empty()).then(|| self.clock.now());
        let fx = &mut self.side.fx;
        let health = self.core.queue.health(now.mono);
        if fx.moved || !fx.applied.is_empty() || health != self.side.health {
            self.snapshot.store(Arc::new(self.core.snapshot(now)));
            self.side.snapshots += 1;
            self.side.health = health;
            self.side.repaint_due = true;
        }
        if let Some(applied) = applied {
            let round = Round { taken: now.mono, applied, stored: self.clock.now() };
            self.side.trail.rounds.reach(self.core.applied(), round);
        }
        for (reply, result) in fx.answers.drain(..) {
            reply.answer(Answer::Applied(result));
        }
        for (reply, seq) in fx.durable.drain(..) {
            reply.answer(Answer::Durable(seq));
        }
        self.side.live.offer(&fx.applied);
        let (mut gone, mut unread) = (Vec::new(), Vec::new());
        for (index, delivery) in fx.deliveries.drain(..) {
            // Has room: deliveries that were not taken are bounded.
            let sent = self.side.mailboxes.get(&index).map(|mailbox| mailbox.sender.try_send(delivery));
            if matches!(sent, None | Some(Err(TrySendError::Disconnected(_)))) {
                gone.push(index);
            }
        }
        for fetch in fx.fetches.drain(..) {
            // The reader never makes the bus wait: what does not fit is asked for again later.
            if self.fetches.try_send(fetch).is_err() {
                unread.push(fetch);
            }
        }
        fx.applied.clear();
        fx.moved = false;
        if let Some(batch) = fx.commit.take() {
            // Has room for every order: one batch is out at a time.
            self.orders.try_send(Order::Commit(batch)).ok();
        }
        if std::mem::take(&mut fx.retry) {
            self.orders.try_send(Order::Retry).ok();
        }
        for fetch in unread {
            let events = Err(StorageError::Io("the reader is busy".to_owned()));
            self.core.step(now, Input::Fetched { fetch, events }, &mut self.side.fx);
        }
        for index in gone {
            if self.side.mailboxes.remove(&index).is_some() {
                let why = "the subscriber went away";
                self.core.step(now, Input::Unsubscribe { index, why, park: false }, &mut self.side.fx);
            }
        }
        self.repaint(now);
    }

    fn repaint(&mut self, now: Now) {
        let Some(waker) = &self.side.waker else { return };
        if self.side.repaint_due && now.mono - self.side.repainted >= REPAINT {
            self.side.repaint_due = false;
            self.side.repainted = now.mono;
            self.side.repaints += 1;
            waker();
        }
    }

    fn make_report(&mut self, now: Now) -> Report {
        let mut report = self.count(now);
        self.side.sampler.rate(&mut report);
        report
    }

    fn count(&self, now: Now) -> Report {
        let core = &self.core;
        let side = &self.side;
        let subscribers = core.subscribers.reports(core.durable());
        let mut counts = *core.counts();
        counts.bytes_committed = side.bytes;
        counts.erased = self.erasures.done.load(Ordering::Acquire);
        counts.snapshots = side.snapshots;
        counts.polls = side.polls;
        counts.repaints = side.repaints;
        counts.filters = side.live.filters + core.subscribers.filters;
        counts.deliveries = core.subscribers.deliveries;
        Report {
            at: now.mono,
            started: side.started,
            device: core.device().0,
            applied: core.applied(),
            durable: core.durable(),
            entities: core.entity_count(),
            health: core.queue.health(now.mono),
            lanes: side.lanes.iter().map(|lane| lane.report()).collect(),
            commands: Fill { used: self.commands.len(), capacity: COMMANDS, high_water: side.commands_high },
            undurable: core.queue.fill(),
            undurable_bytes: core.queue.undurable_bytes(),
            counts,
            rates: None,
            topics: topics::<M>(core.topic_counts()),
            commit: *core.commit_times(),
            step: side.step,
            store: side.store,
            dead_letters: subscribers.iter().map(|subscriber| subscriber.dead_letters).sum(),
            letters: core.dead_letters().take(LETTERS_SHOWN).collect(),
            subscribers,
            live: side.live.reports(),
            conflicts: core.conflicts().cloned().collect(),
            recent: core.recent(RECENT_EVENTS).map(envelope::view).collect(),
            trail: side.trail.clone(),
        }
    }
}

fn topics<M: Model>(counts: &[u64]) -> Vec<TopicReport> {
    let report = |(topic, events): (&super::model::Topic, &u64)| TopicReport {
        name: topic.name.to_owned(),
        events: *events,
        durability: match topic.durability {
            Durability::Stream => "stream",
            Durability::Edit => "edit",
        },
        strategy: topic.strategy.name(),
    };
    M::topics().iter().zip(counts).map(report).collect()
}
