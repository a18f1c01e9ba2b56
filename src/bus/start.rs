//! Starting a bus: load the state, take up the subscriptions, start the threads, ready.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::Builder;

use arc_swap::ArcSwap;
use crossbeam_channel::bounded;

use super::core::{Core, Effects, Input, Now, Setup};
use super::fold::FoldError;
use super::handle::{BusHandle, Closed, Shared};
use super::inspect::Report;
use super::load::load;
use super::model::Model;
use super::persister;
use super::queue::COMMIT_EVENTS_MAX;
use super::reader;
use super::rows;
use super::storage::{DeviceId, Storage, StorageError, StorageReader};
use super::thread::{BusThread, COMMANDS, Config, ERASURES_MAX, Side};
use crate::time::Clock;

/// Reads of the log that wait at most; more subscriptions than this catch up in turn.
const FETCHES: usize = 1_024;
/// Why a bus does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The store cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log contradicts itself.
    #[error("the log is damaged: {0}")]
    Fold(#[from] FoldError),
    /// No thread could be started.
    #[error("no thread for the bus: {0}")]
    Thread(String),
}

/// Starts the bus on a store.
pub fn start<M: Model>(
    config: Config,
    clock: Arc<dyn Clock>,
    storage: Box<dyn Storage>,
) -> Result<BusHandle<M>, StartError> {
    let reader: Arc<dyn StorageReader> = storage.reader().into();
    let folded = load::<M>(&*reader)?;
    let known = rows::device(&*reader)?;
    let device = known.unwrap_or_else(draw_device);
    let now = Now { mono: clock.now(), wall: clock.wall() };
    let saved = rows::subscribers(&*reader)?;
    let Config { rest, buffer, snapshot_events, seed, .. } = config.clone();
    let commit_events = COMMIT_EVENTS_MAX;
    let mut core = Core::new(Setup { device, folded, saved, rest, buffer, commit_events, snapshot_events, seed });
    if known.is_none() {
        core.step(now, Input::Row(rows::device_row(device)), &mut Effects::default());
    }
    let (commands, commands_out) = bounded(COMMANDS);
    let closed = Arc::new(Closed::new(commands_out.clone()));
    let (orders, orders_out) = bounded(2 + ERASURES_MAX);
    let (outcomes_in, outcomes) = bounded(2);
    let (fetches, fetches_out) = bounded(FETCHES);
    let (fetched_in, fetched) = bounded(FETCHES);
    let snapshot = Arc::new(ArcSwap::from_pointee(core.snapshot(now)));
    let report = Arc::new(ArcSwap::from_pointee(Report::default()));
    let report_wanted = Arc::new(AtomicBool::new(false));
    let side = Side::new(now.mono, core.applied(), storage.size(), core.queue.health(now.mono));
    let bus = BusThread {
        config,
        clock: Arc::clone(&clock),
        core,
        commands: commands_out,
        closed: Arc::clone(&closed),
        orders,
        erasures: Arc::default(),
        outcomes,
        fetches,
        fetched,
        snapshot: Arc::clone(&snapshot),
        report: Arc::clone(&report),
        report_wanted: Arc::clone(&report_wanted),
        side,
    };
    let thread = Builder::new()
        .name("bus".to_owned())
        .spawn(move || bus.run())
        .map_err(|error| StartError::Thread(error.to_string()))?;
    let bus = thread.thread().clone();
    persister::spawn(storage, orders_out, outcomes_in, bus.clone())
        .and_then(|_| reader::spawn(Arc::clone(&reader), fetches_out, fetched_in, bus.clone()))
        .map_err(|error| StartError::Thread(error.to_string()))?;
    Ok(BusHandle(Arc::new(Shared { commands, closed, bus, snapshot, reader, clock, report, report_wanted, device })))
}

/// The standard library's hash keys are random in each process; never 0.
fn draw_device() -> DeviceId {
    DeviceId(RandomState::new().hash_one("device") | 1)
}
