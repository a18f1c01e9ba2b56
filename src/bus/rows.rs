//! What the small tables say of subscribers: read at start, and by the command line.

use std::collections::{BTreeMap, HashMap};

use super::inspect::{DeadLetter, SubscriberReport};
use super::storage::{StorageError, StorageReader, Table};
use super::subscription::{CursorRow, TriesRow};

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
    let read = |row: super::storage::Row| {
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
        name: saved.name,
        ..SubscriberReport::default()
    };
    Ok(subscribers(reader)?.into_iter().map(report).collect())
}

/// All deliveries given up.
pub fn dead_letters(reader: &dyn StorageReader) -> Result<Vec<DeadLetter>, StorageError> {
    Ok(tries(reader, Table::DeadLetters)?.into_iter().map(|(name, seq, row)| row.letter(name, seq)).collect())
}
