//! The writing side: one batch, one transaction, one sync. The persister thread owns it.

use std::ops::{Bound, Range};
use std::sync::Arc;

use heed::{MdbError, PutFlags, RwTxn};

use super::env::{Gate, StoreFault, Tables};
use super::open::{DEVICE_KEY, FORMAT_KEY};
use super::reader::{LmdbReader, damaged, tail};
use super::record::{self, CHAIN_START, Chain, Record};
use super::rows;
use crate::bus::storage::{
    Batch, Committed, DeviceId, LogEnd, Payload, Row, StateRow, Storage, StorageError, StorageReader, StoreSize,
    StoredEvent,
};

/// Doublings of the map for one batch: more than a batch of any size allowed can need.
const GROWTH_MAX: usize = 16;
/// Events erased in one transaction at most.
const ERASE_EVENTS: usize = 1_024;
/// `meta` rows that are the store's own; no batch may write them.
const OWN_META: [&[u8]; 2] = [FORMAT_KEY, DEVICE_KEY];

/// Where the log ends, as the next commit must know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) end: LogEnd,
    pub(super) chain: Chain,
}

impl Tail {
    pub(super) const EMPTY: Self = Self { end: LogEnd { seq: 0, device_seq: 0, hlc: 0 }, chain: CHAIN_START };
}

/// LMDB as the bus's storage.
pub struct LmdbStorage {
    gate: Arc<Gate>,
    device: DeviceId,
    tail: Tail,
    /// Set when a write failed, until the environment has been opened again and its tail read.
    suspect: bool,
    scratch: Scratch,
    /// How entities are told apart in `by_entity`; a test makes it collide.
    hash: fn(&str) -> [u8; 8],
}

/// What one transaction erased.
#[derive(Default)]
struct ErasedSome {
    count: u64,
    unreadable: Option<StorageError>,
    next: Option<[u8; 24]>,
}

/// Buffers that keep their room between commits.
#[derive(Default)]
struct Scratch {
    /// Keys of `by_entity`.
    index: Vec<[u8; 24]>,
    key: Vec<u8>,
    content: Vec<u8>,
    value: Vec<u8>,
}

impl LmdbStorage {
    pub(super) fn new(gate: Arc<Gate>, device: DeviceId) -> Result<Self, StorageError> {
        let tail = tail(&gate, device)?;
        Ok(Self { gate, device, tail, suspect: false, scratch: Scratch::default(), hash: rows::entity_hash })
    }

    /// This machine.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// A reader with all the store can do beyond [`StorageReader`].
    pub fn lmdb_reader(&self) -> LmdbReader {
        LmdbReader::new(Arc::clone(&self.gate), self.device, self.hash)
    }

    /// Erases the first [`ERASE_EVENTS`] from a key of `by_entity` on, as far as they can be read; gives how many, the
    /// first that cannot, and the key to go on with.
    fn erase_some(&mut self, entity: &str, first: [u8; 24], end: [u8; 24]) -> Result<ErasedSome, StoreFault> {
        self.gate.with(|open| {
            let mut txn = open.env.write_txn()?;
            let mut found = Vec::new();
            let range = (Bound::Included(first.as_slice()), Bound::Excluded(end.as_slice()));
            for entry in open.tables.by_entity.range(&txn, &range)?.take(ERASE_EVENTS) {
                let (key, _) = entry?;
                found.extend(rows::parse_by_entity(key));
            }
            let mut some = ErasedSome::default();
            for (_, _, seq) in &found {
                let key = rows::log_key(*seq);
                let bytes = open.tables.log.get(&txn, &key)?;
                let stub = bytes.ok_or_else(|| damaged_seq(*seq, "no such event")).and_then(|bytes| {
                    let record = Record::split(bytes).map_err(|e| damaged_seq(*seq, e))?;
                    let header = record.header().map_err(|e| damaged_seq(*seq, e))?;
                    let wanted = !record.erased && &*header.entity == entity;
                    Ok(wanted.then(|| record.erase()))
                });
                match stub {
                    Ok(None) => {}
                    Ok(Some(stub)) => {
                        open.tables.log.put(&mut txn, &key, &stub)?;
                        some.count += 1;
                    }
                    // The others go all the same.
                    Err(error) => drop(some.unreadable.get_or_insert(error)),
                }
            }
            txn.commit()?;
            let last = found.last().filter(|_| found.len() == ERASE_EVENTS);
            some.next = last.map(|(hash, version, seq)| rows::by_entity_key(*hash, *version, seq + 1));
            Ok(some)
        })
    }

    /// Writes a batch that was checked to follow the log; gives the new tail and the bytes.
    fn write(&mut self, batch: &Batch) -> Result<(Tail, u64), StoreFault> {
        let Self { gate, scratch, tail, hash, device, .. } = self;
        let (tail, hash, device) = (*tail, *hash, *device);
        for _ in 0..GROWTH_MAX {
            let written = gate.with(|open| {
                let mut writing = Writing { txn: open.env.write_txn()?, tables: open.tables, scratch, bytes: 0 };
                let after = writing.events(&batch.events, tail, device, hash)?;
                batch.state.iter().try_for_each(|row| writing.state_row(row))?;
                batch.rows.iter().try_for_each(|row| writing.row(row))?;
                let bytes = writing.bytes;
                writing.txn.commit()?;
                Ok((after, bytes))
            });
            match written {
                Err(StoreFault::Lmdb(heed::Error::Mdb(MdbError::MapFull))) => gate.grow()?,
                Err(StoreFault::Lmdb(heed::Error::Mdb(MdbError::MapResized))) => gate.adopt_size()?,
                done => return done,
            }
        }
        Err(heed::Error::Mdb(MdbError::MapFull).into())
    }

    /// After a failed write, the environment must not be used again before it was opened anew.
    fn fail(&mut self, fault: StoreFault) -> StorageError {
        if matches!(fault, StoreFault::Lmdb(_)) {
            self.suspect = true;
            // At once if the disk lets it: LMDB refuses readers too after a failed write of its first pages.
            self.heal().ok();
        }
        match fault.into_storage() {
            // LMDB reports a write that broke off in the middle as EIO, whatever the reason.
            StorageError::Io(what) if self.gate.disk_is_full() => StorageError::Full(what),
            error => error,
        }
    }

    /// Opens the environment anew after a failed write, and looks where the log really ends.
    fn heal(&mut self) -> Result<(), StorageError> {
        if self.suspect {
            self.gate.reopen().map_err(|e| e.into_storage())?;
            self.tail = tail(&self.gate, self.device)?;
            self.suspect = false;
        }
        Ok(())
    }

    /// Whether every event of the batch is in the log already, unchanged: a batch tried again after an unknown end.
    fn holds(&self, batch: &Batch) -> Result<bool, StorageError> {
        let Some(first) = batch.events.first() else { return Ok(false) };
        if first.header.seq > self.tail.end.seq {
            return Ok(false);
        }
        let stored = self.lmdb_reader().events(first.header.seq, batch.events.len())?;
        match stored.len() == batch.events.len() && stored.iter().zip(&batch.events).all(|(s, b)| same_event(s, b)) {
            true => Ok(true),
            false => Err(damaged_seq(first.header.seq, "the log holds another event there")),
        }
    }
}

/// Whether a stored event is `event`, of which the payload may have been erased since.
fn same_event(stored: &StoredEvent, event: &StoredEvent) -> bool {
    let digest = |payload: &Payload| match payload {
        Payload::Bytes(bytes) => record::digest(bytes),
        Payload::Stub { digest } => *digest,
    };
    stored.header == event.header && digest(&stored.payload) == digest(&event.payload)
}

fn damaged_seq(seq: u64, what: impl ToString) -> StorageError {
    damaged(format!("log {seq}"), what)
}

/// Checks that events follow the log one by one, before anything is written.
fn check_order(events: &[StoredEvent], tail: &Tail, device: DeviceId) -> Result<(), StorageError> {
    let (mut seq, mut device_seq) = (tail.end.seq, tail.end.device_seq);
    for StoredEvent { header, .. } in events {
        if header.seq != seq + 1 {
            return Err(damaged_seq(header.seq, format!("the log ends at {seq}")));
        }
        seq += 1;
        if header.id.device == device {
            if header.id.device_seq != device_seq + 1 {
                let what = format!("device_seq {} after {device_seq}", header.id.device_seq);
                return Err(damaged_seq(header.seq, what));
            }
            device_seq += 1;
        }
    }
    Ok(())
}

/// A write transaction under way.
struct Writing<'e, 's> {
    txn: RwTxn<'e>,
    tables: Tables,
    scratch: &'s mut Scratch,
    bytes: u64,
}

impl Writing<'_, '_> {
    fn events(
        &mut self,
        events: &[StoredEvent],
        mut tail: Tail,
        device: DeviceId,
        hash: fn(&str) -> [u8; 8],
    ) -> Result<Tail, StoreFault> {
        // Events of one entity come in runs: its hash is needed once.
        let mut known: Option<(&str, [u8; 8])> = None;
        self.scratch.index.clear();
        for event in events {
            let header = &event.header;
            let entity_hash = match known {
                Some((entity, hash)) if *entity == *header.entity => hash,
                _ => hash(&header.entity),
            };
            known = Some((&header.entity, entity_hash));
            let value = &mut self.scratch.value;
            value.clear();
            tail.chain = record::encode(&tail.chain, event, value).map_err(|e| damaged_seq(header.seq, e))?;
            self.tables.log.put_with_flags(&mut self.txn, PutFlags::APPEND, &rows::log_key(header.seq), value)?;
            let key = rows::by_entity_key(entity_hash, header.version, header.seq);
            self.scratch.index.push(key);
            self.bytes += (8 + value.len() + key.len()) as u64;
            tail.end.seq = header.seq;
            tail.end.hlc = tail.end.hlc.max(header.hlc);
            if header.id.device == device {
                tail.end.device_seq = header.id.device_seq;
            }
        }
        // In order, each page of the index is found once and filled while it is at hand.
        self.scratch.index.sort_unstable();
        for key in &self.scratch.index {
            self.tables.by_entity.put(&mut self.txn, key, &[])?;
        }
        Ok(tail)
    }

    fn state_row(&mut self, row: &StateRow) -> Result<(), StoreFault> {
        let Scratch { key, content, value, .. } = &mut *self.scratch;
        rows::state_key(&row.entity, key);
        rows::encode_state(row, content).map_err(|e| damaged("state", e))?;
        rows::seal("state", key, content, value);
        self.tables.state.put(&mut self.txn, key, value)?;
        self.bytes += (key.len() + value.len()) as u64;
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), StoreFault> {
        let name = row.table.name();
        if row.key.is_empty() || row.key.len() > rows::KEY_MAX {
            return Err(damaged(name, format!("a key of {} bytes", row.key.len())).into());
        }
        if name == "meta" && OWN_META.contains(&row.key.as_slice()) {
            return Err(damaged(name, "a row that belongs to the store").into());
        }
        let table = self.tables.small(row.table);
        match &row.value {
            None => {
                table.delete(&mut self.txn, &row.key)?;
                self.bytes += row.key.len() as u64;
            }
            Some(content) => {
                let value = &mut self.scratch.value;
                rows::seal(name, &row.key, content, value);
                table.put(&mut self.txn, &row.key, value)?;
                self.bytes += (row.key.len() + value.len()) as u64;
            }
        }
        Ok(())
    }
}

impl Storage for LmdbStorage {
    fn commit(&mut self, batch: &Batch) -> Result<Committed, StorageError> {
        self.heal()?;
        if self.holds(batch)? || (batch.events.is_empty() && batch.state.is_empty() && batch.rows.is_empty()) {
            return Ok(Committed { durable: self.tail.end.seq, bytes: 0 });
        }
        check_order(&batch.events, &self.tail, self.device)?;
        match self.write(batch) {
            Ok((tail, bytes)) => {
                self.tail = tail;
                Ok(Committed { durable: tail.end.seq, bytes })
            }
            Err(fault) => Err(self.fail(fault)),
        }
    }

    /// Pages that held the payloads are free, not overwritten: a compact copy ([`super::backup`]) leaves them behind.
    fn erase(&mut self, entity: &str, versions: Range<u64>) -> Result<u64, StorageError> {
        self.heal()?;
        let key = |version| rows::by_entity_key((self.hash)(entity), version, 0);
        let (mut from, end) = (Some(key(versions.start)), key(versions.end));
        let (mut erased, mut unreadable, mut growths) = (0, None, 0);
        while let Some(first) = from {
            match self.erase_some(entity, first, end) {
                Ok(some) => {
                    erased += some.count;
                    unreadable = unreadable.or(some.unreadable);
                    from = some.next;
                }
                Err(StoreFault::Lmdb(heed::Error::Mdb(MdbError::MapFull))) if growths < GROWTH_MAX => {
                    growths += 1;
                    self.gate.grow().map_err(|error| StoreFault::from(error).into_storage())?;
                }
                Err(StoreFault::Lmdb(heed::Error::Mdb(MdbError::MapResized))) if growths < GROWTH_MAX => {
                    growths += 1;
                    self.gate.adopt_size().map_err(|error| StoreFault::from(error).into_storage())?;
                }
                Err(fault) => return Err(self.fail(fault)),
            }
        }
        unreadable.map_or(Ok(erased), Err)
    }

    fn size(&self) -> StoreSize {
        self.lmdb_reader().size().unwrap_or_default()
    }

    fn reader(&self) -> Box<dyn StorageReader> {
        Box::new(self.lmdb_reader())
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
