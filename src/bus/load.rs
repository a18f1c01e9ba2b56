//! The state of a store: from its rows, from a snapshot and the events after it, or from the log alone.

use std::sync::Arc;

use super::envelope::Envelope;
use super::fold::{self, Entities, FoldError, Folded, Versioned};
use super::model::{EntityKey, Model};
use super::rows;
use super::start::StartError;
use super::storage::{Payload, StateRow, StorageError, StorageReader};

/// Events read at a time.
const READ: usize = 1_024;

/// The state at the end of the log: from the rows, and from the log where they fall short.
///
/// # Errors
/// The store cannot be read, or the log contradicts itself.
pub fn load<M: Model>(reader: &dyn StorageReader) -> Result<Folded<M>, StartError> {
    let end = reader.last()?;
    let entities = entities::<M>(reader, |each| reader.state(each))?;
    let folded = Folded { entities, end, numbers: rows::peers(reader)? };
    // Rows and events are committed together: if the last event is in its row, all are in theirs.
    let Some(last) = reader.events(end.seq.max(1), 1)?.pop() else { return Ok(folded) };
    let row = folded.entities.get(&*last.header.entity);
    let level = row.is_some_and(|row| (row.version, row.last) == (last.header.version, last.header.id));
    if level { Ok(folded) } else { fold_to(reader, u64::MAX) }
}

/// The state as of an event, or of the last if there is none of that number: from the newest snapshot before it.
///
/// # Errors
/// The store cannot be read, or the log contradicts itself. What was compacted away is not there to be folded: before
/// [`rows::compacted`] there is no exact state.
pub fn fold_to<M: Model>(reader: &dyn StorageReader, through: u64) -> Result<Folded<M>, StartError> {
    let snapshots = reader.snapshots()?;
    let mut folded = match snapshots.iter().rfind(|seq| **seq <= through) {
        Some(seq) => at_snapshot(reader, *seq)?,
        None => Folded::default(),
    };
    fold_on(reader, &mut folded, through)?;
    Ok(folded)
}

/// The state from the whole log, or from where it was compacted to: what the rows and every snapshot must agree with.
///
/// # Errors
/// The store cannot be read, or the log contradicts itself.
pub fn fold_log<M: Model>(reader: &dyn StorageReader) -> Result<Folded<M>, StartError> {
    let mut folded = begin(reader)?;
    fold_on(reader, &mut folded, u64::MAX)?;
    Ok(folded)
}

/// Where the rows or a snapshot say something else than the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The snapshot; none for the rows.
    pub snapshot: Option<u64>,
    /// The entity.
    pub entity: EntityKey,
}

/// Compares the rows and all snapshots with what the log folds into; gives the differences and how many snapshots were
/// compared.
///
/// # Errors
/// The store cannot be read, or the log contradicts itself.
pub fn compare<M: Model>(reader: &dyn StorageReader) -> Result<(Vec<Difference>, usize), StartError> {
    let mut folded = begin::<M>(reader)?;
    let from = folded.end.seq;
    let mut found = Vec::new();
    let snapshots: Vec<u64> = reader.snapshots()?.into_iter().filter(|seq| *seq > from).collect();
    for seq in &snapshots {
        fold_on(reader, &mut folded, *seq)?;
        let kept = entities::<M>(reader, |each| reader.snapshot(*seq, each))?;
        differences(Some(*seq), &folded.entities, &kept, &mut found);
    }
    fold_on(reader, &mut folded, u64::MAX)?;
    differences(None, &folded.entities, &entities::<M>(reader, |each| reader.state(each))?, &mut found);
    Ok((found, snapshots.len()))
}

fn differences<M: Model>(snapshot: Option<u64>, a: &Entities<M>, b: &Entities<M>, found: &mut Vec<Difference>) {
    let mut keys: Vec<&EntityKey> =
        a.iter().filter(|(key, value)| b.get(*key) != Some(*value)).map(|(k, _)| k).collect();
    keys.extend(b.keys().filter(|key| !a.contains_key(*key)));
    keys.sort();
    found.extend(keys.into_iter().map(|key| Difference { snapshot, entity: key.clone() }));
}

/// Where folding the whole log begins.
fn begin<M: Model>(reader: &dyn StorageReader) -> Result<Folded<M>, StartError> {
    match rows::compacted(reader)? {
        0 => Ok(Folded::default()),
        seq => at_snapshot(reader, seq),
    }
}

/// The state as of a snapshot that the store keeps.
///
/// # Errors
/// It is not there, or not whole.
pub fn at_snapshot<M: Model>(reader: &dyn StorageReader, seq: u64) -> Result<Folded<M>, StartError> {
    let mut folded = Folded { entities: entities(reader, |each| reader.snapshot(seq, each))?, ..Folded::default() };
    // What is known of other machines at the end; nothing asks for less.
    folded.numbers = rows::peers(reader)?;
    let event = reader.events(seq, 1)?.pop();
    folded.end.seq = seq;
    folded.end.hlc = event.map_or(0, |event| event.header.hlc);
    Ok(folded)
}

/// Applies the events after a state, up to one.
fn fold_on<M: Model>(reader: &dyn StorageReader, folded: &mut Folded<M>, through: u64) -> Result<(), StartError> {
    while folded.end.seq < through {
        let events = reader.events(folded.end.seq + 1, READ)?;
        if events.is_empty() {
            break;
        }
        for event in events.into_iter().take_while(|event| event.header.seq <= through) {
            folded.push(event)?;
        }
    }
    folded.end.device_seq = reader.last()?.device_seq;
    Ok(())
}

/// The entities in rows; one that this program cannot read is folded from its events.
fn entities<M: Model>(
    reader: &dyn StorageReader,
    read: impl FnOnce(&mut dyn FnMut(StateRow)) -> Result<(), StorageError>,
) -> Result<Entities<M>, StartError> {
    let (mut entities, mut unreadable) = (Entities::<M>::new(), Vec::new());
    read(&mut |row| {
        let StateRow { entity, version, last, value, .. } = row;
        let key = EntityKey::new(&entity);
        match value.map(|bytes| M::decode_entity(&key, &bytes)).transpose() {
            Ok(value) => drop(entities.insert(key, Arc::new(Versioned { version, last, value }))),
            Err(_) => unreadable.push((key, version)),
        }
    })?;
    for (key, version) in unreadable {
        let versioned = fold_entity::<M>(reader, &key, version)?;
        entities.insert(key, Arc::new(versioned));
    }
    Ok(entities)
}

/// One entity at a version, from its events.
fn fold_entity<M: Model>(
    reader: &dyn StorageReader,
    key: &EntityKey,
    version: u64,
) -> Result<Versioned<M>, StartError> {
    let compacted = rows::compacted(reader)?;
    let mut current: Option<Versioned<M>> = None;
    loop {
        let at = current.as_ref().map_or(0, |current| current.version);
        let events = if at < version { reader.entity_events(key.as_str(), at + 1, READ)? } else { Vec::new() };
        if events.is_empty() {
            break;
        }
        for event in events.into_iter().filter(|event| event.header.version <= version) {
            if event.header.seq <= compacted && matches!(event.payload, Payload::Stub { .. }) {
                let what = "its value cannot be read, and what made it was compacted away".to_owned();
                return Err(StorageError::Damaged { place: format!("state {key}"), what }.into());
            }
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
