//! The reader thread: reads and decodes the log for subscriptions that are behind, so that neither the bus thread nor
//! a subscriber that is level waits for the disk.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle, Thread};

use crossbeam_channel::{Receiver, Sender};

use super::envelope::Envelope;
use super::model::Model;
use super::storage::StorageReader;
use super::subscribers::{Fetch, FetchResult};

/// What was read for a subscription.
pub(super) struct Fetched<M: Model> {
    pub(super) fetch: Fetch,
    pub(super) events: FetchResult<M>,
}

/// Starts the thread. It ends when the other side is dropped.
pub(super) fn spawn<M: Model>(
    reader: Arc<dyn StorageReader>,
    fetches: Receiver<Fetch>,
    fetched: Sender<Fetched<M>>,
    bus: Thread,
) -> std::io::Result<JoinHandle<()>> {
    Builder::new().name("bus-reader".to_owned()).spawn(move || {
        for fetch in fetches {
            let share = |stored| Arc::new(Envelope::from_stored(stored));
            let events = reader.events(fetch.from, fetch.max).map(|events| events.into_iter().map(share).collect());
            if fetched.send(Fetched { fetch, events }).is_err() {
                return;
            }
            bus.unpark();
        }
        // The store is let go before the other side sees that this thread is gone.
        drop(reader);
        drop(fetched);
    })
}
