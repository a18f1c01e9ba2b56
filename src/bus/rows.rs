//! What the small tables say of this machine, of others, and of subscribers: read at start, and by the command line.

use std::collections::{BTreeMap, HashMap};

use super::inspect::{DeadLetter, SubscriberReport};
use super::storage::{DeviceId, Row, StorageError, StorageReader, Table};
use super::subscription::{CursorRow, TriesRow};
use crate::time::WallMillis;

/// The row of [`Table::Meta`] that holds the machine's id, as 8 big-endian bytes.
const DEVICE_ROW: &[u8] = b"device";
/// What the keys of the rows of [`Table::Meta`] begin with that hold the last number known of another machine; the
/// machine's id follows, number and id as 8 big-endian bytes.
const PEER_ROWS: &[u8] = b"peer/";
/// The row of [`Table::Meta`] that holds up to which snapshot the log was compacted, as 8 big-endian bytes.
const COMPACTED_ROW: &[u8] = b"compacted";

/// A subscriber as stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// Its durable name.
    pub name: String,
    /// Its cursor.
    pub cursor: CursorRow,
    /// Recorded redeliveries by event.
    pub tries: HashMap<u64, TriesRow>,
    /// Its dead letters by event.
    pub dead_letters: BTreeMap<u64, TriesRow>,
}

/// The name and the rest of a row's key.
fn split(key: &[u8]) -> Option<(String, &[u8])> {
    let at = key.iter().position(|byte| *byte == 0)?;
    Some((String::from_utf8_lossy(&key[..at]).into_owned(), &key[at + 1..]))
}

fn tries(reader: &dyn StorageReader, table: Table) -> Result<Vec<(String, u64, TriesRow)>, StorageError> {
    let rows = reader.rows(table, &[])?;
    let read = |row: Row| {
        let (name, rest) = split(&row.key)?;
        let seq = u64::from_be_bytes(rest.try_into().ok()?);
        Some((name, seq, rmp_serde::from_slice(row.value.as_deref()?).ok()?))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// All subscribers that have a cursor, by name.
pub fn subscribers(reader: &dyn StorageReader) -> Result<Vec<Saved>, StorageError> {
    let mut saved: BTreeMap<String, Saved> = BTreeMap::new();
    for row in reader.rows(Table::Cursors, &[])? {
        let cursor = row.value.as_deref().map(rmp_serde::from_slice);
        if let (Some((name, _)), Some(Ok(cursor))) = (split(&row.key), cursor) {
            saved.insert(name.clone(), Saved { name, cursor, ..Saved::default() });
        }
    }
    for (name, seq, row) in tries(reader, Table::Pending)? {
        if let Some(saved) = saved.get_mut(&name) {
            saved.tries.insert(seq, row);
        }
    }
    for (name, seq, row) in tries(reader, Table::DeadLetters)? {
        if let Some(saved) = saved.get_mut(&name) {
            saved.dead_letters.insert(seq, row);
        }
    }
    Ok(saved.into_values().collect())
}

/// The subscribers of a store on which no bus runs, as the inspector shows them; `durable` is the end of the log.
pub fn reports(reader: &dyn StorageReader, durable: u64) -> Result<Vec<SubscriberReport>, StorageError> {
    let report = |saved: Saved| SubscriberReport {
        acked: saved.cursor.acked(),
        lag: durable.saturating_sub(saved.cursor.acked()),
        pending: saved.cursor.open.len(),
        redelivered: saved.cursor.redelivered,
        dead_letters: saved.dead_letters.len(),
        parked: saved.cursor.parked,
        moved: WallMillis(saved.cursor.wall),
        name: saved.name,
        ..SubscriberReport::default()
    };
    Ok(subscribers(reader)?.into_iter().map(report).collect())
}

/// All deliveries given up.
pub fn dead_letters(reader: &dyn StorageReader) -> Result<Vec<DeadLetter>, StorageError> {
    Ok(tries(reader, Table::DeadLetters)?.into_iter().map(|(name, seq, row)| row.letter(name, seq)).collect())
}

/// A row as it is right for a log that ends here: cursors go no further, and what tells of later events is gone.
pub fn clamped(row: Row, end: u64) -> Option<Row> {
    match row.table {
        Table::Cursors => {
            let cursor = row.value.as_deref().map(rmp_serde::from_slice::<CursorRow>);
            let Some(Ok(mut cursor)) = cursor else { return None };
            cursor.next = cursor.next.min(end + 1);
            cursor.open.retain(|seq| *seq <= end);
            Some(Row { value: Some(cursor.bytes()), ..row })
        }
        Table::Pending | Table::DeadLetters => {
            let seq = split(&row.key).and_then(|(_, rest)| rest.try_into().ok()).map(u64::from_be_bytes);
            seq.filter(|seq| *seq <= end).map(|_| row)
        }
        Table::Private | Table::Outbox | Table::Meta => Some(row),
    }
}

/// The machine's id, if the store has one.
pub fn device(reader: &dyn StorageReader) -> Result<Option<DeviceId>, StorageError> {
    let rows = reader.rows(Table::Meta, DEVICE_ROW)?;
    let value = rows.into_iter().find(|row| row.key == DEVICE_ROW).and_then(|row| row.value);
    Ok(value.and_then(|bytes| bytes.try_into().ok()).map(|bytes| DeviceId(u64::from_be_bytes(bytes))))
}

/// Up to where payloads were compacted away: the sequence number of a snapshot, from which on the log folds; 0 if never.
pub fn compacted(reader: &dyn StorageReader) -> Result<u64, StorageError> {
    let rows = reader.rows(Table::Meta, COMPACTED_ROW)?;
    let value = rows.into_iter().find(|row| row.key == COMPACTED_ROW).and_then(|row| row.value);
    Ok(value.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes))
}

/// The row that says so.
pub fn compacted_row(through: u64) -> Row {
    Row { table: Table::Meta, key: COMPACTED_ROW.to_vec(), value: Some(through.to_be_bytes().to_vec()) }
}

/// The row that keeps the machine's id.
pub fn device_row(device: DeviceId) -> Row {
    Row { table: Table::Meta, key: DEVICE_ROW.to_vec(), value: Some(device.0.to_be_bytes().to_vec()) }
}

/// The last number known of each other machine.
pub(super) fn peers(reader: &dyn StorageReader) -> Result<BTreeMap<DeviceId, u64>, StorageError> {
    let read = |row: Row| {
        let device = row.key.strip_prefix(PEER_ROWS)?.try_into().ok()?;
        let number = row.value?.try_into().ok()?;
        Some((DeviceId(u64::from_be_bytes(device)), u64::from_be_bytes(number)))
    };
    Ok(reader.rows(Table::Meta, PEER_ROWS)?.into_iter().filter_map(read).collect())
}

/// Whether a row of [`Table::Meta`] keeps the last number known of another machine.
pub fn is_peer_row(key: &[u8]) -> bool {
    key.starts_with(PEER_ROWS)
}

/// The row that keeps the last number known of another machine.
pub fn peer_row(device: DeviceId, number: u64) -> Row {
    let key = [PEER_ROWS, &device.0.to_be_bytes()].concat();
    Row { table: Table::Meta, key, value: Some(number.to_be_bytes().to_vec()) }
}
