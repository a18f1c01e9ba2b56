//! The persister thread: takes a batch, encodes it, commits it, says how it went. Decides nothing: when to commit and
//! when to try again is the core's affair.

use std::thread::{Builder, JoinHandle, Thread};

use crossbeam_channel::{Receiver, Sender};

use super::model::Model;
use super::queue::CommitBatch;
use super::storage::{Batch, Committed, Storage, StorageError, StoreSize};

/// What the persister is told.
pub(super) enum Order<M: Model> {
    /// Write this.
    Commit(CommitBatch<M>),
    /// Try the last one again.
    Retry,
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
            if let Order::Commit(commit) = order {
                batch = commit.encode();
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
