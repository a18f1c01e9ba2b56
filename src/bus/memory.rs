//! A store in memory: for tests, and for a program whose folder cannot be opened. Its faults are scripted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::rows;
use super::storage::{
    Batch, Committed, Erased, Erasure, LogEnd, Payload, Row, StateRow, Storage, StorageError, StorageReader, StoreSize,
    StoredEvent, Table, thinned,
};

#[expect(clippy::disallowed_types, reason = "held by ordinary threads for one batch; no real-time thread sees a store")]
type Shared = Arc<std::sync::Mutex<Tables>>;

#[derive(Default)]
struct Tables {
    events: Vec<StoredEvent>,
    state: BTreeMap<Box<str>, StateRow>,
    snapshots: BTreeMap<u64, BTreeMap<Box<str>, StateRow>>,
    rows: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    bytes: u64,
    commits: u64,
}

/// What happens to a commit.
pub enum Fault {
    /// It succeeds.
    None,
    /// It fails; nothing of it is visible.
    Fail(StorageError),
    /// It says that it began, waits for the release, and then succeeds.
    Stall {
        /// Told that the commit began.
        began: Sender<()>,
        /// A message, or its other side's end, lets it go on.
        release: Receiver<()>,
    },
}

/// See the module. Clones share the tables, so that a test can start a bus on them again.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    tables: Shared,
    script: Option<Receiver<Fault>>,
}

impl MemoryStorage {
    /// Empty, without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what happens to each commit from a queue; with nothing in it commits succeed.
    pub fn scripted(&self, script: Receiver<Fault>) -> Self {
        Self { tables: Arc::clone(&self.tables), script: Some(script) }
    }

    /// A script that is known beforehand.
    pub fn with_faults(&self, faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults: VecDeque<Fault> = faults.into_iter().collect();
        let (sender, script) = bounded(faults.len().max(1));
        for fault in faults {
            sender.try_send(fault).ok();
        }
        self.scripted(script)
    }

    /// Commits done.
    pub fn commits(&self) -> u64 {
        self.with(|tables| tables.commits)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Tables) -> T) -> T {
        // A panic while the lock is held cannot leave a batch half written: batches are checked before they are.
        look(&mut self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Storage for MemoryStorage {
    fn commit(&mut self, batch: &Batch) -> Result<Committed, StorageError> {
        match self.script.as_ref().and_then(|script| script.try_recv().ok()) {
            None | Some(Fault::None) => {}
            Some(Fault::Fail(error)) => return Err(error),
            Some(Fault::Stall { began, release }) => {
                began.try_send(()).ok();
                release.recv().ok();
            }
        }
        self.with(|tables| {
            let last = tables.events.last().map_or(0, |event| event.header.seq);
            let expected = last + 1..;
            if let Some((expected, event)) = expected.zip(&batch.events).find(|(seq, event)| event.header.seq != *seq) {
                let place = format!("log {}", event.header.seq);
                return Err(StorageError::Damaged { place, what: format!("{expected} was expected") });
            }
            let mut bytes = 0;
            for event in &batch.events {
                bytes += 64 + if let Payload::Bytes(payload) = &event.payload { payload.len() } else { 0 };
                tables.events.push(event.clone());
            }
            for row in &batch.state {
                bytes += 32 + row.value.as_ref().map_or(0, Vec::len);
                tables.state.insert(row.entity.clone(), row.clone());
            }
            for Row { table, key, value } in &batch.rows {
                bytes += key.len() + value.as_ref().map_or(0, Vec::len);
                let key = (*table as u8, key.clone());
                match value {
                    Some(value) => drop(tables.rows.insert(key, value.clone())),
                    None => drop(tables.rows.remove(&key)),
                }
            }
            if let (true, Some(last)) = (batch.snapshot, tables.events.last()) {
                let state = tables.state.clone();
                tables.snapshots.insert(last.header.seq, state);
                for seq in thinned(&tables.snapshots.keys().copied().collect::<Vec<_>>()) {
                    tables.snapshots.remove(&seq);
                }
            }
            tables.bytes += bytes as u64;
            tables.commits += 1;
            let durable = tables.events.last().map_or(0, |event| event.header.seq);
            Ok(Committed { durable, bytes: bytes as u64 })
        })
    }

    fn erase(&mut self, what: &Erasure, _: u64) -> Result<Erased, StorageError> {
        self.with(|tables| {
            match what {
                Erasure::Entity { entity, versions } => {
                    let rows = tables.snapshots.values_mut().filter_map(|rows| rows.get_mut(entity));
                    rows.filter(|row| versions.contains(&row.version)).for_each(|row| row.value = None);
                }
                Erasure::Topics { through, .. } => {
                    tables.snapshots = tables.snapshots.split_off(through);
                    let Row { table, key, value } = rows::compacted_row(*through);
                    tables.rows.insert((table as u8, key), value.unwrap_or_default());
                }
            }
            let wanted = |event: &&mut StoredEvent| match what {
                Erasure::Entity { entity, versions } => {
                    event.header.entity == *entity && versions.contains(&event.header.version)
                }
                Erasure::Topics { topics, through } => {
                    event.header.seq <= *through && topics.contains(&event.header.topic)
                }
            };
            let mut count = 0;
            for event in tables.events.iter_mut().filter(wanted) {
                if let Payload::Bytes(bytes) = &event.payload {
                    // No chain here that a digest would have to fit.
                    let mut digest = [0; 16];
                    digest[..8].copy_from_slice(&(bytes.len() as u64).to_be_bytes());
                    event.payload = Payload::Stub { digest };
                    count += 1;
                }
            }
            Ok(Erased { count, ..Erased::default() })
        })
    }

    fn size(&self) -> StoreSize {
        self.with(|tables| StoreSize {
            bytes: tables.bytes,
            map_used: tables.bytes,
            map_size: tables.bytes,
            events: tables.events.len() as u64,
            entities: tables.state.len() as u64,
            ..StoreSize::default()
        })
    }

    fn reader(&self) -> Box<dyn StorageReader> {
        Box::new(Self { tables: Arc::clone(&self.tables), script: None })
    }
}

// The script's receiver is only read by the writing side; `Receiver` is `Sync`.
impl StorageReader for MemoryStorage {
    fn last(&self) -> Result<LogEnd, StorageError> {
        let device = rows::device(self)?;
        Ok(self.with(|tables| {
            let own = |event: &&StoredEvent| device.is_none_or(|device| event.header.id.device == device);
            LogEnd {
                seq: tables.events.last().map_or(0, |event| event.header.seq),
                device_seq: tables.events.iter().rfind(own).map_or(0, |event| event.header.id.device_seq),
                hlc: tables.events.iter().map(|event| event.header.hlc).max().unwrap_or(0),
            }
        }))
    }

    fn events(&self, from: u64, max: usize) -> Result<Vec<StoredEvent>, StorageError> {
        let skip = from.saturating_sub(1) as usize;
        Ok(self.with(|tables| tables.events.iter().skip(skip).take(max).cloned().collect()))
    }

    fn entity_events(&self, entity: &str, from_version: u64, max: usize) -> Result<Vec<StoredEvent>, StorageError> {
        let wanted = |event: &&StoredEvent| &*event.header.entity == entity && event.header.version >= from_version;
        Ok(self.with(|tables| tables.events.iter().filter(wanted).take(max).cloned().collect()))
    }

    fn state(&self, each: &mut dyn FnMut(StateRow)) -> Result<(), StorageError> {
        let rows: Vec<StateRow> = self.with(|tables| tables.state.values().cloned().collect());
        rows.into_iter().for_each(each);
        Ok(())
    }

    fn snapshots(&self) -> Result<Vec<u64>, StorageError> {
        Ok(self.with(|tables| tables.snapshots.keys().copied().collect()))
    }

    fn snapshot(&self, seq: u64, each: &mut dyn FnMut(StateRow)) -> Result<(), StorageError> {
        let found = self.with(|tables| tables.snapshots.get(&seq).cloned());
        let what = || "no such snapshot".to_owned();
        let rows = found.ok_or_else(|| StorageError::Damaged { place: format!("snapshots {seq}"), what: what() })?;
        rows.into_values().for_each(each);
        Ok(())
    }

    fn rows(&self, table: Table, prefix: &[u8]) -> Result<Vec<Row>, StorageError> {
        Ok(self.with(|tables| {
            let from = (table as u8, prefix.to_vec());
            let range = tables.rows.range(from..);
            let within = range.take_while(|((kind, key), _)| *kind == table as u8 && key.starts_with(prefix));
            within.map(|((_, key), value)| Row { table, key: key.clone(), value: Some(value.clone()) }).collect()
        }))
    }
}
