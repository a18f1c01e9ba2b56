//! The writing side: one batch, one transaction, one sync. The persister thread owns it.

use std::sync::Arc;

use heed::{MdbError, PutFlags, RwTxn};

use super::env::{Gate, Open, StoreFault, Tables};
use super::open::{DEVICE_KEY, FORMAT_KEY};
use super::reader::{LmdbReader, damaged, damaged_seq, tail};
use super::record::{self, CHAIN_START, Chain};
use super::{erase, rows, snapshots};
use crate::bus::storage::{
    Batch, Committed, DeviceId, Erased, Erasure, LogEnd, Payload, Row, StateRow, Storage, StorageError, StorageReader,
    StoreSize, StoredEvent,
};

/// Doublings of the map for one batch: more than a batch of any size allowed can need.
const GROWTH_MAX: usize = 16;
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

    /// Writes a batch that was checked to follow the log; gives the new tail and the bytes.
    fn write(&mut self, batch: &Batch) -> Result<(Tail, u64), StoreFault> {
        let Self { gate, scratch, tail, hash, device, .. } = self;
        let (tail, hash, device) = (*tail, *hash, *device);
        growing(gate, || {
            gate.with(|open| {
                let mut writing = Writing { txn: open.env.write_txn()?, tables: open.tables, scratch, bytes: 0 };
                let after = writing.events(&batch.events, tail, device, hash)?;
                batch.state.iter().try_for_each(|row| writing.state_row(row))?;
                batch.rows.iter().try_for_each(|row| writing.row(row))?;
                if batch.snapshot {
                    writing.bytes += snapshots::keep(&mut writing.txn, &writing.tables, after.end.seq)?;
                }
                let bytes = writing.bytes;
                writing.txn.commit()?;
                Ok((after, bytes))
            })
        })
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

/// Does something in a transaction, again with a larger map as long as that is what it lacks.
fn growing<T>(gate: &Gate, mut work: impl FnMut() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
    for _ in 0..GROWTH_MAX {
        match work() {
            Err(StoreFault::Lmdb(heed::Error::Mdb(MdbError::MapFull))) => gate.grow()?,
            Err(StoreFault::Lmdb(heed::Error::Mdb(MdbError::MapResized))) => gate.adopt_size()?,
            done => return done,
        }
    }
    Err(heed::Error::Mdb(MdbError::MapFull).into())
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
        if self.holds(batch)? || batch.is_empty() {
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
    fn erase(&mut self, what: &Erasure, from: u64) -> Result<Erased, StorageError> {
        self.heal()?;
        let (gate, hash) = (Arc::clone(&self.gate), self.hash);
        let step = |open: &Open| {
            let mut txn = open.env.write_txn()?;
            let erased = erase::step(&mut txn, &open.tables, hash, what, from)?;
            txn.commit()?;
            Ok(erased)
        };
        growing(&gate, || gate.with(step)).map_err(|fault| self.fail(fault))
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
