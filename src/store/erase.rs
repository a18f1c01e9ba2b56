//! One step of an erasure: payloads of some records become their digests, in one transaction.

use std::ops::{Bound, Range};

use heed::RwTxn;

use super::env::{StoreFault, Tables};
use super::reader::damaged_seq;
use super::record::Record;
use super::{rows, snapshots};
use crate::bus::rows::compacted_row;
use crate::bus::storage::{Erased, Erasure, Header, Row};

/// Events of a step, about.
const EVENTS: usize = 1_024;

/// Does the step that begins with `from`: a version of the entity, or a sequence number.
pub(super) fn step(
    txn: &mut RwTxn<'_>,
    tables: &Tables,
    hash: fn(&str) -> [u8; 8],
    what: &Erasure,
    from: u64,
) -> Result<Erased, StoreFault> {
    match what {
        Erasure::Entity { entity, versions } => {
            if from == what.begin() {
                snapshots::erase(txn, tables, entity, versions)?;
            }
            let (found, next) = versions_of(txn, tables, hash(entity), from..versions.end)?;
            stub_all(txn, tables, found, next, |header| header.entity == *entity)
        }
        Erasure::Topics { topics, through } => {
            if from == what.begin() {
                // It will be all that is left of what they made.
                snapshots::read(txn, tables.snapshots, *through, &mut |_| {})?;
                snapshots::forget_before(txn, tables, *through)?;
                let Row { table, key, value } = compacted_row(*through);
                let mut sealed = Vec::new();
                rows::seal(table.name(), &key, &value.unwrap_or_default(), &mut sealed);
                tables.small(table).put(txn, &key, &sealed)?;
            }
            let end = through.saturating_add(1).min(from.saturating_add(EVENTS as u64));
            let next = (end <= *through).then_some(end);
            stub_all(txn, tables, from..end, next, |header| topics.contains(&header.topic))
        }
    }
}

/// The events that made the first of these versions, and the version to go on with.
fn versions_of(
    txn: &RwTxn<'_>,
    tables: &Tables,
    hash: [u8; 8],
    versions: Range<u64>,
) -> Result<(Vec<u64>, Option<u64>), StoreFault> {
    let key = |version| rows::by_entity_key(hash, version, 0);
    let (first, end) = (key(versions.start), key(versions.end));
    let range = (Bound::Included(first.as_slice()), Bound::Excluded(end.as_slice()));
    let (mut found, mut last) = (Vec::new(), versions.start);
    for entry in tables.by_entity.range(txn, &range)? {
        let Some((_, version, seq)) = rows::parse_by_entity(entry?.0) else { continue };
        // Another entity of the same hash may have an event of that version too.
        if found.len() >= EVENTS && version > last {
            return Ok((found, Some(version)));
        }
        last = version;
        found.push(seq);
    }
    Ok((found, None))
}

/// Replaces the payloads of those events that are wanted and not replaced yet. One that cannot be read stays, and the
/// others go all the same.
fn stub_all(
    txn: &mut RwTxn<'_>,
    tables: &Tables,
    events: impl IntoIterator<Item = u64>,
    next: Option<u64>,
    wanted: impl Fn(&Header) -> bool,
) -> Result<Erased, StoreFault> {
    let mut erased = Erased { next, ..Erased::default() };
    for seq in events {
        let key = rows::log_key(seq);
        let bytes = tables.log.get(txn, &key)?;
        let stub = bytes.ok_or_else(|| damaged_seq(seq, "no such event")).and_then(|bytes| {
            let record = Record::split(bytes).map_err(|e| damaged_seq(seq, e))?;
            let header = record.header().map_err(|e| damaged_seq(seq, e))?;
            Ok((!record.erased && wanted(&header)).then(|| record.erase()))
        });
        match stub {
            Ok(None) => {}
            Ok(Some(stub)) => {
                tables.log.put(txn, &key, &stub)?;
                erased.count += 1;
            }
            Err(error) => drop(erased.unreadable.get_or_insert(error)),
        }
    }
    Ok(erased)
}
