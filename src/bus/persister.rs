//! The persister thread: takes a batch, encodes it, commits it, says how it went. Decides nothing: when to commit and
//! when to try again is the core's affair.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, Thread};

use crossbeam_channel::{Receiver, Sender};

use super::model::{EntityKey, Model};
use super::queue::CommitBatch;
use super::storage::{Batch, Committed, Storage, StorageError, StoreSize};

/// What the persister is told.
pub(super) enum Order<M: Model> {
    /// Write this.
    Commit(CommitBatch<M>),
    /// Try the last one again.
    Retry,
    /// Erase payloads, and tell whoever asked.
    Erase(Erase),
}

/// Erasure of the events that made some versions of an entity.
pub(super) struct Erase {
    pub(super) entity: EntityKey,
    pub(super) versions: Range<u64>,
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
        for order in orders {
            match order {
                Order::Commit(commit) => batch = commit.encode(),
                Order::Retry => {}
                Order::Erase(Erase { entity, versions, reply, erasures }) => {
                    let erased = storage.erase(entity.as_str(), versions);
                    erasures.done.fetch_add(*erased.as_ref().unwrap_or(&0), Ordering::AcqRel);
                    reply.try_send(erased).ok();
                    erasures.underway.fetch_sub(1, Ordering::AcqRel);
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
