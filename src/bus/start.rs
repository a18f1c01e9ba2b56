//! Starting a bus: load the state, check that it ends where the log ends, catch up, ready.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::Builder;

use arc_swap::ArcSwap;
use crossbeam_channel::bounded;

use super::core::{Core, Effects, Input, Now, Setup};
use super::envelope::Envelope;
use super::fold::{self, FoldError, Folded, Versioned};
use super::handle::{BusHandle, Closed, Shared};
use super::inspect::Report;
use super::model::{EntityKey, Model};
use super::persister;
use super::queue::COMMIT_EVENTS_MAX;
use super::reader;
use super::rows;
use super::storage::{DeviceId, StateRow, Storage, StorageError, StorageReader};
use super::thread::{BusThread, COMMANDS, Config, ERASURES_MAX, Side};
use crate::time::Clock;

/// Events read at a time.
const READ: usize = 1_024;
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
    let (rest, buffer, seed) = (config.rest.clone(), config.buffer, config.seed);
    let mut core = Core::new(Setup { device, folded, saved, rest, buffer, commit_events: COMMIT_EVENTS_MAX, seed });
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

/// The state at the end of the log: from the rows, and from the log where they fall short.
pub fn load<M: Model>(reader: &dyn StorageReader) -> Result<Folded<M>, StartError> {
    let end = reader.last()?;
    let mut folded = Folded::<M>::default();
    let mut unreadable = Vec::new();
    reader.state(&mut |row| {
        let StateRow { entity, version, last, value, .. } = row;
        let key = EntityKey::new(&entity);
        match value.map(|bytes| M::decode_entity(&key, &bytes)).transpose() {
            Ok(value) => drop(folded.entities.insert(key, Arc::new(Versioned { version, last, value }))),
            Err(_) => unreadable.push((key, version)),
        }
    })?;
    folded.end = end;
    folded.numbers = rows::peers(reader)?;
    for (key, version) in unreadable {
        let versioned = fold_entity::<M>(reader, &key, version)?;
        folded.entities.insert(key, Arc::new(versioned));
    }
    // Rows and events are committed together: if the last event is in its row, all are in theirs.
    let Some(last) = reader.events(end.seq.max(1), 1)?.pop() else { return Ok(folded) };
    let row = folded.entities.get(&*last.header.entity);
    let level = row.is_some_and(|row| (row.version, row.last) == (last.header.version, last.header.id));
    if level { Ok(folded) } else { fold_log(reader) }
}

/// One entity, from its events.
fn fold_entity<M: Model>(
    reader: &dyn StorageReader,
    key: &EntityKey,
    version: u64,
) -> Result<Versioned<M>, StartError> {
    let mut current: Option<Versioned<M>> = None;
    loop {
        let at = current.as_ref().map_or(0, |current| current.version);
        let events = reader.entity_events(key.as_str(), at + 1, READ)?;
        if events.is_empty() {
            break;
        }
        for event in events {
            current = Some(fold::apply(&Envelope::<M>::from_stored(event), current.as_ref()));
        }
    }
    match current {
        Some(current) if current.version == version => Ok(current),
        current => Err(FoldError::Version {
            seq: 0,
            entity: key.clone(),
            current: current.map_or(0, |current| current.version),
            found: version,
        }
        .into()),
    }
}

/// The state from the whole log.
pub fn fold_log<M: Model>(reader: &dyn StorageReader) -> Result<Folded<M>, StartError> {
    let mut folded = Folded::<M>::default();
    loop {
        let events = reader.events(folded.end.seq + 1, READ)?;
        if events.is_empty() {
            folded.end.device_seq = reader.last()?.device_seq;
            return Ok(folded);
        }
        for event in events {
            folded.push(event)?;
        }
    }
}
