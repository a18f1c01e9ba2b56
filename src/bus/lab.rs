//! A laboratory: things that go wrong, at will, in a running program, so that one can watch it heal. It stands around
//! storage, clock and components, is asked by the bus whether lanes are drained and acknowledgements heard, and does
//! nothing until told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::component::{Component, Context};
use super::delivery::{Delivery, Outcome, Start};
use super::filter::Filter;
use super::model::Model;
use super::storage::{Batch, Committed, Erased, Erasure, Storage, StorageError, StorageReader, StoreSize};
use crate::time::{Clock, Micros, WallMillis};

/// How often a frozen or slow thread looks whether it still is.
const LOOK: Duration = Duration::from_millis(20);
/// How long a slow component takes for each event.
pub const SLOW: Micros = Micros(1_000_000);

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The disk takes no commit, and does not say why.
    Frozen,
    /// The disk is full.
    Full,
    /// Every write fails.
    Failing,
    /// Components take [`SLOW`] for each event.
    Slow,
    /// The wall clock is an hour behind.
    Behind,
    /// The wall clock is a day ahead.
    Ahead,
    /// The bus takes nothing from the lanes.
    Stuck,
    /// No acknowledgement of a component arrives.
    Deaf,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Frozen, Self::Full, Self::Failing, Self::Slow, Self::Deaf, Self::Stuck, Self::Behind, Self::Ahead];
}

/// What is going wrong. All of it is off at first, and nothing of it is remembered.
#[derive(Debug, Default)]
pub struct Lab {
    on: [AtomicBool; Failure::ALL.len()],
    /// Panics that components owe.
    panics: AtomicU64,
    /// Acknowledgements lost so far.
    acks_lost: AtomicU64,
    /// What the wall clock is off by, in milliseconds.
    skew: AtomicI64,
}

impl Lab {
    /// Whether something goes wrong.
    pub fn is_on(&self, failure: Failure) -> bool {
        self.on[failure as usize].load(Ordering::Acquire)
    }

    /// Makes something go wrong, or not any more.
    pub fn set(&self, failure: Failure, on: bool) {
        self.on[failure as usize].store(on, Ordering::Release);
        let hour = 3_600_000;
        let skew = |failure, by| if self.is_on(failure) { by } else { 0 };
        self.skew.store(skew(Failure::Behind, -hour) + skew(Failure::Ahead, 24 * hour), Ordering::Release);
    }

    /// Panics if one is owed.
    ///
    /// # Panics
    /// That is what it is for.
    pub fn owe(&self) {
        let owed = self.panics.fetch_update(Ordering::AcqRel, Ordering::Acquire, |owed| owed.checked_sub(1));
        assert!(owed.is_err(), "so the laboratory wants it");
    }

    /// The component that handles the next event panics.
    pub fn panic_next(&self) {
        self.panics.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether an acknowledgement that is just arriving is lost.
    pub(super) fn loses_ack(&self) -> bool {
        let lost = self.is_on(Failure::Deaf);
        self.acks_lost.fetch_add(u64::from(lost), Ordering::AcqRel);
        lost
    }

    /// Acknowledgements lost so far.
    pub fn acks_lost(&self) -> u64 {
        self.acks_lost.load(Ordering::Acquire)
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        Failure::ALL.into_iter().for_each(|failure| self.set(failure, false));
        self.panics.store(0, Ordering::Release);
    }

    /// A store in the laboratory.
    pub fn storage(self: &Arc<Self>, inner: Box<dyn Storage>) -> Box<dyn Storage> {
        Box::new(LabStorage { lab: Arc::clone(self), inner })
    }

    /// A clock in the laboratory.
    pub fn clock(self: &Arc<Self>, inner: Arc<dyn Clock>) -> Arc<dyn Clock> {
        Arc::new(LabClock { lab: Arc::clone(self), inner })
    }

    /// A component in the laboratory.
    pub fn component<M: Model>(self: &Arc<Self>, inner: Box<dyn Component<M>>) -> Box<dyn Component<M>> {
        Box::new(LabComponent { lab: Arc::clone(self), inner })
    }
}

struct LabStorage {
    lab: Arc<Lab>,
    inner: Box<dyn Storage>,
}

impl LabStorage {
    fn meet(&self) -> Result<(), StorageError> {
        while self.lab.is_on(Failure::Frozen) {
            std::thread::park_timeout(LOOK);
        }
        match () {
            () if self.lab.is_on(Failure::Full) => Err(StorageError::Full("so the laboratory says".to_owned())),
            () if self.lab.is_on(Failure::Failing) => Err(StorageError::Io("so the laboratory says".to_owned())),
            () => Ok(()),
        }
    }
}

impl Storage for LabStorage {
    fn commit(&mut self, batch: &Batch) -> Result<Committed, StorageError> {
        self.meet()?;
        self.inner.commit(batch)
    }

    fn erase(&mut self, what: &Erasure, from: u64) -> Result<Erased, StorageError> {
        self.meet()?;
        self.inner.erase(what, from)
    }

    fn size(&self) -> StoreSize {
        self.inner.size()
    }

    fn reader(&self) -> Box<dyn StorageReader> {
        self.inner.reader()
    }
}

struct LabClock {
    lab: Arc<Lab>,
    inner: Arc<dyn Clock>,
}

impl Clock for LabClock {
    fn now(&self) -> Micros {
        self.inner.now()
    }

    fn wall(&self) -> WallMillis {
        self.inner.wall() + WallMillis(self.lab.skew.load(Ordering::Acquire))
    }
}

struct LabComponent<M: Model> {
    lab: Arc<Lab>,
    inner: Box<dyn Component<M>>,
}

impl<M: Model> Component<M> for LabComponent<M> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn filter(&self) -> Filter {
        self.inner.filter()
    }

    fn start(&self) -> Start {
        self.inner.start()
    }

    fn handle(&mut self, delivery: &Delivery<M>, context: &Context<M>) -> Outcome<M> {
        self.lab.owe();
        let until = context.now() + SLOW;
        while self.lab.is_on(Failure::Slow) && context.now() < until {
            std::thread::park_timeout(LOOK);
        }
        self.inner.handle(delivery, context)
    }

    fn recover(&mut self, context: &Context<M>) {
        self.inner.recover(context);
    }
}
