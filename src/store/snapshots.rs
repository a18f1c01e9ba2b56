//! Snapshots of the state: copies of all its rows as of one event. A snapshot's rows have the event's sequence number
//! before their `state` key; a row with the number alone comes first and says how many there are.

use std::ops::Bound;

use heed::{PutFlags, RoTxn, RwTxn, WithoutTls};

use super::env::{Db, StoreFault, Tables};
use super::reader::{damaged, keyed_row, printable, seq_of};
use super::rows;
use crate::bus::storage::{StateRow, StorageError, thinned};

/// The table's name, which the checks of its rows cover.
const NAME: &str = "snapshots";
/// Bytes of a sequence number in a key.
const SEQ: usize = 8;
/// LMDB's bound of a key.
const KEY_MAX: usize = 511;
/// A state larger than this is not copied: 32 MiB would hold up a commit, and a dozen copies would be most of the store.
const STATE_BYTES_MAX: u64 = 32 << 20;

/// Keeps the state as it is in the transaction as the snapshot of `seq`, and lets go of what need not be kept any longer;
/// gives the bytes. A state that is damaged, or larger than [`STATE_BYTES_MAX`], is not kept.
pub(super) fn keep(txn: &mut RwTxn<'_>, tables: &Tables, seq: u64) -> Result<u64, StoreFault> {
    let mut copied: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut total = 0;
    for entry in tables.state.iter(txn)? {
        let (key, value) = entry?;
        let Ok(content) = rows::unseal("state", key, value) else { return Ok(0) };
        total += (key.len() + value.len()) as u64;
        if total > STATE_BYTES_MAX || key.len() + SEQ > KEY_MAX {
            return Ok(0);
        }
        let key = [&rows::log_key(seq), key].concat();
        let mut value = Vec::new();
        rows::seal(NAME, &key, content, &mut value);
        copied.push((key, value));
    }
    let head = rows::log_key(seq);
    let mut value = Vec::new();
    rows::seal(NAME, &head, &(copied.len() as u64).to_be_bytes(), &mut value);
    let mut bytes = (head.len() + value.len()) as u64;
    tables.snapshots.put_with_flags(txn, PutFlags::APPEND, &head, &value)?;
    for (key, value) in &copied {
        bytes += (key.len() + value.len()) as u64;
        tables.snapshots.put_with_flags(txn, PutFlags::APPEND, key, value)?;
    }
    for seq in thinned(&list(txn, tables.snapshots)?) {
        forget(txn, tables, seq)?;
    }
    Ok(bytes)
}

/// Removes one.
fn forget(txn: &mut RwTxn<'_>, tables: &Tables, seq: u64) -> Result<(), StoreFault> {
    let (first, end) = (rows::log_key(seq), rows::log_key(seq + 1));
    tables.snapshots.delete_range(txn, &(Bound::Included(first.as_slice()), Bound::Excluded(end.as_slice())))?;
    Ok(())
}

/// Removes those before `seq`.
pub(super) fn forget_before(txn: &mut RwTxn<'_>, tables: &Tables, seq: u64) -> Result<(), StoreFault> {
    for seq in list(txn, tables.snapshots)?.into_iter().filter(|kept| *kept < seq) {
        forget(txn, tables, seq)?;
    }
    Ok(())
}

/// Takes the value of an entity out of those that have it at one of these versions.
pub(super) fn erase(
    txn: &mut RwTxn<'_>,
    tables: &Tables,
    entity: &str,
    versions: &std::ops::Range<u64>,
) -> Result<(), StoreFault> {
    let mut name = Vec::new();
    rows::state_key(entity, &mut name);
    for seq in list(txn, tables.snapshots)? {
        let key = [rows::log_key(seq).as_slice(), &name].concat();
        let row = match tables.snapshots.get(txn, &key)?.map(|value| snapshot_row(&key, value)) {
            Some(Ok(row)) => StateRow { value: None, ..row },
            // What cannot be read must not be left to be read by other means.
            Some(Err(_)) => {
                tables.snapshots.delete(txn, &key)?;
                continue;
            }
            None => continue,
        };
        if versions.contains(&row.version) {
            let (mut content, mut value) = (Vec::new(), Vec::new());
            rows::encode_state(&row, &mut content).map_err(|e| damaged(NAME, e))?;
            rows::seal(NAME, &key, &content, &mut value);
            tables.snapshots.put(txn, &key, &value)?;
        }
    }
    Ok(())
}

/// The numbers of all, ascending.
pub(super) fn list(txn: &RoTxn<'_, WithoutTls>, table: Db) -> Result<Vec<u64>, StoreFault> {
    let mut found = Vec::new();
    let mut from = rows::log_key(0);
    // From head to head: what lies between is never looked at.
    loop {
        let range = (Bound::Included(from.as_slice()), Bound::Unbounded);
        let Some(entry) = table.range(txn, &range)?.next() else { return Ok(found) };
        let (key, _) = entry?;
        let seq = seq_of(key.get(..SEQ).unwrap_or(key))?;
        if key.len() == SEQ {
            found.push(seq);
        }
        match seq.checked_add(1) {
            None => return Ok(found),
            Some(next) => from = rows::log_key(next),
        }
    }
}

/// Every row of one, in key order, each checked; then that none is missing.
pub(super) fn read(
    txn: &RoTxn<'_, WithoutTls>,
    table: Db,
    seq: u64,
    each: &mut dyn FnMut(StateRow),
) -> Result<(), StorageError> {
    let fault = |e: heed::Error| StoreFault::from(e).into_storage();
    let head = rows::log_key(seq);
    let place = || format!("{NAME} {seq}");
    let value = table.get(txn, &head).map_err(fault)?.ok_or_else(|| damaged(place(), "no such snapshot"))?;
    let count = rows::unseal(NAME, &head, value).map_err(|e| damaged(place(), e))?;
    let count = u64::from_be_bytes(count.try_into().map_err(|_| damaged(place(), "not eight bytes"))?);
    let end = rows::log_key(seq.saturating_add(1));
    let range = (Bound::Excluded(head.as_slice()), Bound::Excluded(end.as_slice()));
    let mut found = 0;
    for entry in table.range(txn, &range).map_err(fault)? {
        let (key, value) = entry.map_err(fault)?;
        each(snapshot_row(key, value).map_err(|e| damaged(format!("{} {}", place(), printable(&key[SEQ..])), e))?);
        found += 1;
    }
    if found == count { Ok(()) } else { Err(damaged(place(), format!("{found} rows of {count}"))) }
}

fn snapshot_row(key: &[u8], value: &[u8]) -> Result<StateRow, String> {
    keyed_row(&key[SEQ..], rows::unseal(NAME, key, value)?)
}
