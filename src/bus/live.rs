//! Live subscriptions: events as they are applied, through a bounded channel. Overflow is told, not hidden.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded};

use super::envelope::Envelope;
use super::filter::Filter;
use super::inspect::{Fill, LiveReport};
use super::model::Model;

/// What a live subscriber receives.
#[derive(Clone, Debug)]
pub enum LiveItem<M: Model> {
    /// An applied event; it may still be lost with the machine.
    Event(Arc<Envelope<M>>),
    /// So many events did not fit here: look at the snapshot.
    Lost(u64),
}

/// The receiving side. Dropping it ends the subscription.
pub struct LiveSubscription<M: Model>(Receiver<LiveItem<M>>);

/// The other side has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bus has stopped")]
pub struct Stopped;

impl<M: Model> LiveSubscription<M> {
    /// The next item if one is there.
    pub fn try_recv(&self) -> Result<Option<LiveItem<M>>, Stopped> {
        match self.0.try_recv() {
            Ok(item) => Ok(Some(item)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Stopped),
        }
    }

    /// Waits for the next item; `None` after `wait`.
    pub fn recv(&self, wait: Duration) -> Result<Option<LiveItem<M>>, Stopped> {
        match self.0.recv_timeout(wait) {
            Ok(item) => Ok(Some(item)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Stopped),
        }
    }

    /// The channel itself, for `select!`.
    pub fn channel(&self) -> &Receiver<LiveItem<M>> {
        &self.0
    }
}

/// The bus's side of all subscriptions.
pub(super) struct Lives<M: Model> {
    all: Vec<Live<M>>,
    /// Who wants a topic; made when the topic first comes, forgotten when somebody comes or goes.
    routes: HashMap<Box<str>, Vec<usize>>,
    /// Filters evaluated.
    pub(super) filters: u64,
}

impl<M: Model> Lives<M> {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), routes: HashMap::new(), filters: 0 }
    }

    pub(super) fn push(&mut self, live: Live<M>) {
        self.all.push(live);
        self.routes.clear();
    }

    /// Hands events to those who want them, and tells losses where there is room again.
    pub(super) fn offer(&mut self, events: &[Arc<Envelope<M>>]) {
        self.all.iter_mut().filter(|live| live.untold > 0).for_each(Live::tell_lost);
        for envelope in events {
            if !self.routes.contains_key(&*envelope.topic) {
                self.filters += self.all.len() as u64;
                let wants =
                    |(index, live): (usize, &Live<M>)| live.filter.matches_topic(&envelope.topic).then_some(index);
                let route = self.all.iter().enumerate().filter_map(wants).collect();
                self.routes.insert((*envelope.topic).into(), route);
            }
            for index in &self.routes[&*envelope.topic] {
                self.all[*index].offer(envelope);
            }
        }
        if self.all.iter().any(|live| live.gone) {
            self.all.retain(|live| !live.gone);
            self.routes.clear();
        }
    }

    pub(super) fn reports(&self) -> Vec<LiveReport> {
        self.all.iter().map(Live::report).collect()
    }
}

/// The bus's side of one subscription.
pub(super) struct Live<M: Model> {
    filter: Filter,
    sender: Sender<LiveItem<M>>,
    lost: u64,
    untold: u64,
    high_water: usize,
    gone: bool,
}

impl<M: Model> Live<M> {
    pub(super) fn new(filter: Filter, capacity: usize) -> (Self, LiveSubscription<M>) {
        let (sender, receiver) = bounded(capacity.max(2));
        (Self { filter, sender, lost: 0, untold: 0, high_water: 0, gone: false }, LiveSubscription(receiver))
    }

    fn offer(&mut self, envelope: &Arc<Envelope<M>>) {
        if !self.filter.matches_entity(envelope.entity.as_str()) {
            return;
        }
        self.tell_lost();
        if self.untold > 0 || self.send(LiveItem::Event(Arc::clone(envelope))) == Some(false) {
            self.lost += 1;
            self.untold += 1;
        }
        self.high_water = self.high_water.max(self.sender.len());
    }

    /// Tells a loss as soon as there is room, before any later event.
    fn tell_lost(&mut self) {
        if self.untold > 0 && self.send(LiveItem::Lost(self.untold)) == Some(true) {
            self.untold = 0;
        }
    }

    /// Whether it went; `None` when nobody receives any more.
    fn send(&mut self, item: LiveItem<M>) -> Option<bool> {
        match self.sender.try_send(item) {
            Ok(()) => Some(true),
            Err(TrySendError::Full(_)) => Some(false),
            Err(TrySendError::Disconnected(_)) => {
                self.gone = true;
                None
            }
        }
    }

    fn report(&self) -> LiveReport {
        let capacity = self.sender.capacity().unwrap_or(0);
        let fill = Fill { used: self.sender.len(), capacity, high_water: self.high_water };
        LiveReport { filter: self.filter.to_string(), fill, lost: self.lost }
    }
}
