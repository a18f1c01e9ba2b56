//! The reading side: each call is one short read transaction; what it gives is copied out of the map.

use std::ops::Bound;
use std::sync::Arc;

use heed::{RoTxn, WithoutTls};

use super::env::{Gate, StoreFault, Tables};
use super::record::Record;
use super::writer::Tail;
use super::{rows, snapshots};
use crate::bus::storage::{
    DeviceId, Header, LogEnd, Row, StateRow, StorageError, StorageReader, StoreSize, StoredEvent, TABLES, Table,
    TableSize,
};

/// A reader; cheap to clone, usable on any thread. No call may be made from within a callback of another.
#[derive(Clone)]
pub struct LmdbReader {
    gate: Arc<Gate>,
    device: DeviceId,
    hash: fn(&str) -> [u8; 8],
}

/// An inconsistency with its place.
pub(super) fn damaged(place: impl Into<String>, what: impl ToString) -> StorageError {
    StorageError::Damaged { place: place.into(), what: what.to_string() }
}

/// An inconsistency at an event.
pub(super) fn damaged_seq(seq: u64, what: impl ToString) -> StorageError {
    damaged(format!("log {seq}"), what)
}

/// The record under a log key, and its header checked against that key.
pub(super) fn checked_header(seq: u64, record: &Record<'_>) -> Result<Header, String> {
    let header = record.header().map_err(|e| e.to_string())?;
    match header.seq == seq {
        true => Ok(header),
        false => Err(format!("the record of {}", header.seq)),
    }
}

/// The seq in a log key.
pub(super) fn seq_of(key: &[u8]) -> Result<u64, StorageError> {
    let bytes = key.try_into().map_err(|_| damaged("log", format!("a key of {} bytes", key.len())))?;
    Ok(u64::from_be_bytes(bytes))
}

fn stored_event(seq: u64, bytes: &[u8]) -> Result<StoredEvent, StorageError> {
    let record = Record::split(bytes).map_err(|e| damaged_seq(seq, e))?;
    checked_header(seq, &record).map_err(|e| damaged_seq(seq, e))?;
    record.event().map_err(|e| damaged_seq(seq, e))
}

/// Where the log ends. Looks back over events of other machines to this machine's last, which is the last of all
/// unless events were pulled in.
pub(super) fn tail(gate: &Gate, device: DeviceId) -> Result<Tail, StorageError> {
    gate.read(|txn, tables| {
        let mut tail = Tail::EMPTY;
        for entry in tables.log.rev_iter(txn)? {
            let (key, bytes) = entry?;
            let seq = seq_of(key)?;
            let record = Record::split(bytes).map_err(|e| damaged_seq(seq, e))?;
            let header = checked_header(seq, &record).map_err(|e| damaged_seq(seq, e))?;
            if tail.end.seq == 0 {
                (tail.end.seq, tail.chain) = (seq, record.chain);
            }
            tail.end.hlc = tail.end.hlc.max(header.hlc);
            if header.id.device == device {
                tail.end.device_seq = header.id.device_seq;
                break;
            }
        }
        Ok(tail)
    })
}

impl LmdbReader {
    pub(super) fn new(gate: Arc<Gate>, device: DeviceId, hash: fn(&str) -> [u8; 8]) -> Self {
        Self { gate, device, hash }
    }

    pub(super) fn with_device(self, device: DeviceId) -> Self {
        Self { device, ..self }
    }

    /// The machine that owns the folder.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Sizes, in one read transaction; LMDB keeps all of them, so that nothing is counted here.
    pub fn size(&self) -> Result<StoreSize, StorageError> {
        let (used, map_size, bytes) = self
            .gate
            .with(|open| {
                let info = open.env.info();
                let page = open.env.unnamed_database_stat().page_size as u64;
                Ok(((info.last_page_number as u64 + 1) * page, info.map_size as u64, open.env.real_disk_size()?))
            })
            .map_err(StoreFault::into_storage)?;
        let mut tables = self.gate.read(|txn, tables| {
            let mut sizes = [TableSize::default(); TABLES];
            for (size, (name, table)) in sizes.iter_mut().zip(tables.named()) {
                let stat = table.stat(txn)?;
                let pages = stat.branch_pages + stat.leaf_pages + stat.overflow_pages;
                *size =
                    TableSize { name, entries: stat.entries as u64, bytes: pages as u64 * u64::from(stat.page_size) };
            }
            Ok(sizes)
        })?;
        let [log, _, state, ..] = tables;
        let held: u64 = tables.iter().map(|table| table.bytes).sum();
        tables.sort_by_key(|table| std::cmp::Reverse(table.bytes));
        let (events, entities, free) = (log.entries, state.entries, used.saturating_sub(held));
        Ok(StoreSize { bytes, map_used: used, map_size, events, entities, tables, free })
    }

    /// Runs `work` in one read transaction.
    pub(super) fn read<T>(
        &self,
        work: impl FnMut(&RoTxn<'_, WithoutTls>, &Tables) -> Result<T, StoreFault>,
    ) -> Result<T, StorageError> {
        self.gate.read(work)
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(super) fn hash(&self, entity: &str) -> [u8; 8] {
        (self.hash)(entity)
    }
}

impl StorageReader for LmdbReader {
    fn last(&self) -> Result<LogEnd, StorageError> {
        Ok(tail(&self.gate, self.device)?.end)
    }

    fn events(&self, from: u64, max: usize) -> Result<Vec<StoredEvent>, StorageError> {
        self.gate.read(|txn, tables| {
            let mut out = Vec::with_capacity(max.min(4_096));
            let first = rows::log_key(from);
            for entry in tables.log.range(txn, &(Bound::Included(first.as_slice()), Bound::Unbounded))?.take(max) {
                let (key, bytes) = entry?;
                out.push(stored_event(seq_of(key)?, bytes)?);
            }
            Ok(out)
        })
    }

    fn entity_events(&self, entity: &str, from_version: u64, max: usize) -> Result<Vec<StoredEvent>, StorageError> {
        let hash = self.hash(entity);
        let first = rows::by_entity_key(hash, from_version, 0);
        let last = rows::by_entity_key(hash, u64::MAX, u64::MAX);
        self.gate.read(|txn, tables| {
            let mut out = Vec::new();
            let range = (Bound::Included(first.as_slice()), Bound::Included(last.as_slice()));
            for entry in tables.by_entity.range(txn, &range)? {
                if out.len() >= max {
                    break;
                }
                let (key, _) = entry?;
                let (_, version, seq) = rows::parse_by_entity(key)
                    .ok_or_else(|| damaged("by_entity", format!("a key of {} bytes", key.len())))?;
                let place = || format!("by_entity {entity} version {version}");
                let bytes = tables
                    .log
                    .get(txn, &rows::log_key(seq))?
                    .ok_or_else(|| damaged(place(), format!("no event {seq}")))?;
                let event = stored_event(seq, bytes)?;
                if &*event.header.entity == entity {
                    out.push(event);
                }
            }
            Ok(out)
        })
    }

    fn state(&self, each: &mut dyn FnMut(StateRow)) -> Result<(), StorageError> {
        // Run twice only if another process grew the map, which shows before the first row.
        self.gate.read(|txn, tables| {
            for entry in tables.state.iter(txn)? {
                let (key, value) = entry?;
                each(state_row(key, value).map_err(|e| damaged(format!("state {}", printable(key)), e))?);
            }
            Ok(())
        })
    }

    fn snapshots(&self) -> Result<Vec<u64>, StorageError> {
        self.gate.read(|txn, tables| snapshots::list(txn, tables.snapshots))
    }

    fn snapshot(&self, seq: u64, each: &mut dyn FnMut(StateRow)) -> Result<(), StorageError> {
        self.gate.read(|txn, tables| Ok(snapshots::read(txn, tables.snapshots, seq, each)?))
    }

    fn rows(&self, table: Table, prefix: &[u8]) -> Result<Vec<Row>, StorageError> {
        let name = table.name();
        self.gate.read(|txn, tables| {
            let mut out = Vec::new();
            let from = if prefix.is_empty() { Bound::Unbounded } else { Bound::Included(prefix) };
            for entry in tables.small(table).range(txn, &(from, Bound::Unbounded))? {
                let (key, value) = entry?;
                if !key.starts_with(prefix) {
                    break;
                }
                let content =
                    rows::unseal(name, key, value).map_err(|e| damaged(format!("{name} {}", printable(key)), e))?;
                out.push(Row { table, key: key.to_vec(), value: Some(content.to_vec()) });
            }
            Ok(out)
        })
    }
}

/// A `state` row, checked against its key.
pub(super) fn state_row(key: &[u8], value: &[u8]) -> Result<StateRow, String> {
    keyed_row(key, rows::unseal("state", key, value)?)
}

/// The row in a content, checked against the `state` key it lies under.
pub(super) fn keyed_row(key: &[u8], content: &[u8]) -> Result<StateRow, String> {
    let row = rows::decode_state(content)?;
    let mut expected = Vec::new();
    rows::state_key(&row.entity, &mut expected);
    match expected == key {
        true => Ok(row),
        false => Err(format!("the row of {}", row.entity)),
    }
}

/// A key for people: text where it is text.
pub(super) fn printable(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}
