//! The persister thread: takes a batch, encodes it, commits it, says how it went. Decides nothing: when to commit and
//! when to try again is the core's affair.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, Thread};

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::model::Model;
use super::queue::CommitBatch;
use super::storage::{Batch, Committed, Erased, Erasure, Storage, StorageError, StoreSize};

/// What the persister is told.
pub(super) enum Order<M: Model> {
    /// Write this.
    Commit(CommitBatch<M>),
    /// Try the last one again.
    Retry,
    /// Erase payloads, and tell whoever asked.
    Erase(Erase),
}

/// An erasure, of which a step is done whenever there is nothing to commit.
pub(super) struct Erase {
    pub(super) what: Erasure,
    pub(super) reply: Sender<Result<u64, StorageError>>,
    /// One less on the way when this is done.
    pub(super) erasures: Arc<Erasures>,
}

/// Erasures, counted.
#[derive(Default)]
pub(super) struct Erasures {
    /// On the way.
    pub(super) underway: AtomicUsize,
    /// Payloads that are gone.
    pub(super) done: AtomicU64,
}

/// An erasure and how far it is.
struct Chore {
    erase: Erase,
    from: u64,
    count: u64,
    unreadable: Option<StorageError>,
}

impl Chore {
    fn new(erase: Erase) -> Self {
        Self { from: erase.what.begin(), erase, count: 0, unreadable: None }
    }

    /// The next step; what came out once it is done, or cannot be.
    fn step(&mut self, storage: &mut dyn Storage) -> Option<Result<u64, StorageError>> {
        match storage.erase(&self.erase.what, self.from) {
            Err(error) => Some(Err(error)),
            Ok(Erased { count, unreadable, next }) => {
                self.count += count;
                self.erase.erasures.done.fetch_add(count, Ordering::AcqRel);
                self.unreadable = self.unreadable.take().or(unreadable);
                match next {
                    None => Some(self.unreadable.take().map_or(Ok(self.count), Err)),
                    Some(next) => {
                        self.from = next;
                        None
                    }
                }
            }
        }
    }
}

/// What it answers to each order.
pub(super) struct Outcome {
    pub(super) result: Result<Committed, StorageError>,
    pub(super) size: StoreSize,
}

/// Starts the thread. It ends when the orders' other side is dropped.
pub(super) fn spawn<M: Model>(
    mut storage: Box<dyn Storage>,
    orders: Receiver<Order<M>>,
    outcomes: Sender<Outcome>,
    bus: Thread,
) -> std::io::Result<JoinHandle<()>> {
    Builder::new().name("persister".to_owned()).spawn(move || {
        let mut batch = Batch::default();
        let mut chores: VecDeque<Chore> = VecDeque::new();
        while let Some(order) = next_order(&orders, &mut chores, &mut *storage) {
            match order {
                Order::Commit(commit) => batch = commit.encode(),
                Order::Retry => {}
                Order::Erase(erase) => {
                    chores.push_back(Chore::new(erase));
                    continue;
                }
            }
            let result = storage.commit(&batch);
            if result.is_ok() {
                batch = Batch::default();
            }
            let size = storage.size();
            if outcomes.send(Outcome { result, size }).is_err() {
                return;
            }
            bus.unpark();
        }
        // The store is closed before the other side sees that this thread is gone.
        drop(storage);
        drop(outcomes);
    })
}

/// What to do next; none when nobody gives orders any more. Works on chores while it waits.
fn next_order<M: Model>(
    orders: &Receiver<Order<M>>,
    chores: &mut VecDeque<Chore>,
    storage: &mut dyn Storage,
) -> Option<Order<M>> {
    while let Some(chore) = chores.front_mut() {
        match orders.try_recv() {
            Ok(order) => return Some(order),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {
                if let (Some(done), erase) = (chore.step(storage), &chore.erase) {
                    // Before whoever waits for the answer may ask again.
                    erase.erasures.underway.fetch_sub(1, Ordering::AcqRel);
                    erase.reply.try_send(done).ok();
                    chores.pop_front();
                }
            }
        }
    }
    orders.recv().ok()
}
