//! Checking a whole store: every record, the chain from the first, every number that must be gapless, every check.
//! Whether the state rows are what the events fold into is for the caller to compare; that takes the program's model.

use std::collections::HashMap;
use std::fmt;
use std::ops::Bound;

use heed::{RoTxn, WithoutTls};

use super::env::{DATA_FILE, StoreFault, Tables};
use super::reader::{LmdbReader, checked_header, damaged_seq, printable, seq_of, state_row};
use super::record::{CHAIN_START, Chain, Record, link};
use super::{rows, snapshots};
use crate::bus::storage::{DeviceId, EventId, Header, StateRow, StorageError, StorageReader, Table};

/// Damages listed one by one; those beyond are counted.
pub const DAMAGES_MAX: usize = 100;
/// Events between two calls of the progress callback.
const PROGRESS_EVERY: u64 = 4_096;

/// One contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The table and key.
    pub place: String,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What was checked, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records in the log.
    pub events: u64,
    /// Of these, without their payload.
    pub erased: u64,
    /// Rows of the state.
    pub entities: u64,
    /// Rows of the small tables.
    pub rows: u64,
    /// Snapshots of the state.
    pub snapshots: u64,
    /// The first [`DAMAGES_MAX`] contradictions.
    pub damages: Vec<Damage>,
    /// Contradictions beyond these.
    pub more: u64,
}

impl Verified {
    /// Whether nothing was found.
    pub fn is_whole(&self) -> bool {
        self.damages.is_empty()
    }

    fn report(&mut self, place: impl Into<String>, what: impl ToString) {
        if self.damages.len() < DAMAGES_MAX {
            self.damages.push(Damage { place: place.into(), what: what.to_string() });
        } else {
            self.more += 1;
        }
    }
}

/// Checks the pages of the file, then all tables in one read transaction, so that a program at work does not disturb the picture. `progress` is
/// told how many of how many events are done.
///
/// An error says that checking could not go on; what is wrong with the data is in the result.
pub fn verify(reader: &LmdbReader, progress: &mut dyn FnMut(u64, u64)) -> Result<Verified, StorageError> {
    if let Err(e) = reader.gate().check_pages() {
        // Through such pages LMDB itself must not go.
        let mut found = Verified::default();
        found.report(DATA_FILE, e);
        return Ok(found);
    }
    reader.read(|txn, tables| {
        let mut check = Check { found: Verified::default(), entities: HashMap::new(), devices: HashMap::new() };
        check.log(txn, tables, reader, progress)?;
        check.index(txn, tables, reader)?;
        check.state(txn, tables)?;
        check.small(txn, tables)?;
        check.snapshots(txn, tables)?;
        Ok(check.found)
    })
}

/// Reads everything that a store at work consists of, in short transactions, so that neither commits nor the growth of
/// the map wait for it; gives the first contradiction. `go_on` is asked between them: if it says no, that is all.
///
/// # Errors
/// The store cannot be read.
pub fn check_at_work(reader: &LmdbReader, go_on: &mut dyn FnMut() -> bool) -> Result<Option<Damage>, StorageError> {
    match read_all(reader, go_on) {
        Err(StorageError::Damaged { place, what }) => Ok(Some(Damage { place, what })),
        done => done.map(|()| None),
    }
}

fn read_all(reader: &LmdbReader, go_on: &mut dyn FnMut() -> bool) -> Result<(), StorageError> {
    let mut check = Check { found: Verified::default(), entities: HashMap::new(), devices: HashMap::new() };
    let mut links = Links { seq: 0, stored: CHAIN_START, computed: CHAIN_START, broken: false };
    loop {
        if !go_on() {
            return Ok(());
        }
        let from = rows::log_key(links.seq + 1);
        let before = links.seq;
        reader.read(|txn, tables| {
            let range = (Bound::Included(from.as_slice()), Bound::Unbounded);
            for entry in tables.log.range(txn, &range)?.take(PROGRESS_EVERY as usize) {
                let (key, bytes) = entry?;
                let seq = seq_of(key)?;
                if seq != links.seq + 1 {
                    return Err(damaged_seq(seq, format!("follows {}", links.seq)).into());
                }
                check.record(seq, bytes, &mut links).map_err(|what| damaged_seq(seq, what))?;
            }
            Ok(())
        })?;
        if let Some(Damage { place, what }) = check.found.damages.pop() {
            return Err(StorageError::Damaged { place, what });
        }
        if links.seq == before {
            break;
        }
    }
    reader.state(&mut |_| {})?;
    for table in Table::ALL {
        reader.rows(table, &[])?;
    }
    for seq in reader.snapshots()? {
        if !go_on() {
            return Ok(());
        }
        match reader.snapshot(seq, &mut |_| {}) {
            // It may have been let go meanwhile.
            Err(_) if !reader.snapshots()?.contains(&seq) => {}
            read => read?,
        }
    }
    Ok(())
}

struct Check {
    found: Verified,
    /// Version and last event of each entity, and whether its state row was met.
    entities: HashMap<Box<str>, (u64, EventId, bool)>,
    devices: HashMap<DeviceId, u64>,
}

/// What the next record may follow: the stored chain value of the last, and the one it should have had.
struct Links {
    seq: u64,
    stored: Chain,
    computed: Chain,
    /// Nothing is known about the record before.
    broken: bool,
}

impl Check {
    fn log(
        &mut self,
        txn: &RoTxn<'_, WithoutTls>,
        tables: &Tables,
        reader: &LmdbReader,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), StoreFault> {
        let total = tables.log.len(txn)?;
        let mut links = Links { seq: 0, stored: CHAIN_START, computed: CHAIN_START, broken: false };
        for entry in tables.log.iter(txn)? {
            let (key, bytes) = entry?;
            let seq = seq_of(key)?;
            self.found.events += 1;
            if seq != links.seq.wrapping_add(1) {
                self.found.report(format!("log {seq}"), format!("follows {}", links.seq));
                links.broken = true;
            }
            links.seq = seq;
            match self.record(seq, bytes, &mut links) {
                Err(what) => {
                    self.found.report(format!("log {seq}"), what);
                    links.broken = true;
                }
                Ok(header) => {
                    let key = rows::by_entity_key(reader.hash(&header.entity), header.version, seq);
                    if tables.by_entity.get(txn, &key)?.is_none() {
                        self.found.report(format!("log {seq}"), "not in by_entity");
                    }
                    self.order(header);
                }
            }
            if self.found.events.is_multiple_of(PROGRESS_EVERY) {
                progress(self.found.events, total);
            }
        }
        progress(self.found.events, total);
        Ok(())
    }

    /// Form and chain of one record. After a change to a stored chain value the next record still follows the value
    /// that was computed, so that one changed bit is reported in one place.
    fn record(&mut self, seq: u64, bytes: &[u8], links: &mut Links) -> Result<Header, String> {
        let record = Record::split(bytes).map_err(|e| e.to_string())?;
        self.found.erased += u64::from(record.erased);
        let payload_digest = record.payload_digest();
        let after = |previous| link(previous, record.header, &payload_digest);
        let mut computed = after(&links.stored);
        if computed != record.chain && links.computed != links.stored {
            computed = after(&links.computed);
        }
        let whole = links.broken || computed == record.chain;
        *links = Links { seq, stored: record.chain, computed, broken: false };
        if !whole {
            self.found.report(format!("log {seq}"), "the record does not fit the chain");
        }
        checked_header(seq, &record)
    }

    /// Numbers that grow by one: per machine, and per entity.
    fn order(&mut self, header: Header) {
        let place = || format!("log {}", header.seq);
        let last = self.devices.insert(header.id.device, header.id.device_seq).unwrap_or(0);
        if header.id.device_seq != last.wrapping_add(1) {
            let what = format!("device_seq {} of {:x} follows {last}", header.id.device_seq, header.id.device.0);
            self.found.report(place(), what);
        }
        let (version, last, _) = self.entities.entry(header.entity.clone()).or_insert((0, header.id, false));
        if header.version != version.wrapping_add(1) {
            let what = format!("version {} of {} follows {version}", header.version, header.entity);
            self.found.report(place(), what);
        }
        (*version, *last) = (header.version, header.id);
    }

    /// Nothing in `by_entity` that the log does not have; the other direction was checked record by record.
    fn index(&mut self, txn: &RoTxn<'_, WithoutTls>, tables: &Tables, reader: &LmdbReader) -> Result<(), StoreFault> {
        if tables.by_entity.len(txn)? == self.found.events {
            return Ok(());
        }
        for entry in tables.by_entity.iter(txn)? {
            let (key, _) = entry?;
            let Some((hash, version, seq)) = rows::parse_by_entity(key) else {
                self.found.report("by_entity", format!("a key of {} bytes", key.len()));
                continue;
            };
            let bytes = tables.log.get(txn, &rows::log_key(seq))?;
            let header = bytes.and_then(|b| Record::split(b).ok()).and_then(|r| r.header().ok());
            if !header.is_some_and(|h| h.version == version && reader.hash(&h.entity) == hash) {
                self.found.report("by_entity", format!("version {version} at {seq} is not in the log"));
            }
        }
        Ok(())
    }

    fn state(&mut self, txn: &RoTxn<'_, WithoutTls>, tables: &Tables) -> Result<(), StoreFault> {
        for entry in tables.state.iter(txn)? {
            let (key, value) = entry?;
            self.found.entities += 1;
            match state_row(key, value) {
                Err(what) => self.found.report(format!("state {}", printable(key)), what),
                Ok(row) => self.row(&row),
            }
        }
        let mut without: Vec<_> = self.entities.iter().filter(|(_, (_, _, met))| !met).map(|(name, _)| name).collect();
        without.sort();
        let without: Vec<String> = without.into_iter().map(|name| format!("state {name}")).collect();
        for place in without {
            self.found.report(place, "events, but no row that can be read");
        }
        Ok(())
    }

    fn row(&mut self, row: &StateRow) {
        let place = || format!("state {}", row.entity);
        match self.entities.get_mut(&row.entity) {
            None => self.found.report(place(), "a row without events"),
            Some((version, last, met)) => {
                *met = true;
                if (*version, *last) != (row.version, row.last) {
                    let what = format!("version {} of {:?}, the log says {version} of {last:?}", row.version, row.last);
                    self.found.report(place(), what);
                }
            }
        }
    }

    /// That each is whole; what is in them is for the caller to compare, as with the state.
    fn snapshots(&mut self, txn: &RoTxn<'_, WithoutTls>, tables: &Tables) -> Result<(), StoreFault> {
        for seq in snapshots::list(txn, tables.snapshots)? {
            self.found.snapshots += 1;
            match snapshots::read(txn, tables.snapshots, seq, &mut |_| {}) {
                Ok(()) => {}
                Err(StorageError::Damaged { place, what }) => self.found.report(place, what),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn small(&mut self, txn: &RoTxn<'_, WithoutTls>, tables: &Tables) -> Result<(), StoreFault> {
        for table in Table::ALL {
            let name = table.name();
            for entry in tables.small(table).iter(txn)? {
                let (key, value) = entry?;
                self.found.rows += 1;
                if let Err(what) = rows::unseal(name, key, value) {
                    self.found.report(format!("{name} {}", printable(key)), what);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
