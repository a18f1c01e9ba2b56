//! A store made anew from events and rows: the state is folded on the way. For import and recovery.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::fold::{FoldError, Folded};
use super::model::{EntityKey, Model};
use super::storage::{Batch, Row, Storage, StorageError, StoredEvent, Table};

/// Events committed at a time.
const EVENTS: usize = 1_024;
/// Payload bytes committed at a time, about.
const BYTES: usize = 16 * 1024 * 1024;

/// Why a store cannot be made from what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// The events contradict each other.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A value is not one of the entity as it is there.
    #[error("{0}")]
    Value(String),
    /// The new store cannot be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A store on the way. What was given before an error is in it: whoever made it throws it away.
pub struct Rebuild<'s, M: Model> {
    storage: &'s mut dyn Storage,
    folded: Folded<M>,
    /// The store's own rows, which stay.
    own: HashSet<Vec<u8>>,
    batch: Batch,
    bytes: usize,
    /// Entities that the batch changes, with the topic of the last event.
    changed: HashMap<Box<str>, Box<str>>,
}

impl<'s, M: Model> Rebuild<'s, M> {
    /// Begins with an empty store.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(storage: &'s mut dyn Storage) -> Result<Self, StorageError> {
        let own = storage.reader().rows(Table::Meta, &[])?.into_iter().map(|row| row.key).collect();
        let (batch, changed) = (Batch::default(), HashMap::new());
        Ok(Self { storage, folded: Folded::default(), own, batch, bytes: 0, changed })
    }

    /// What the events given so far fold into.
    pub fn folded(&self) -> &Folded<M> {
        &self.folded
    }

    /// The next event.
    ///
    /// # Errors
    /// It does not follow the one before, or a commit fails.
    pub fn event(&mut self, event: StoredEvent) -> Result<(), RebuildError> {
        if self.batch.snapshot || self.batch.events.len() == EVENTS || self.bytes > BYTES {
            self.commit()?;
        }
        self.folded.push(event.clone())?;
        self.changed.insert(event.header.entity.clone(), event.header.topic.clone());
        self.bytes += event.payload_size();
        self.batch.events.push(event);
        Ok(())
    }

    /// What an entity is after the last event given, whatever its events fold into; a snapshot is kept of that moment,
    /// from which the log then folds.
    ///
    /// # Errors
    /// There is no such entity, the value is not one of it, or a commit fails.
    pub fn value(&mut self, entity: &str, topic: &str, value: Option<&[u8]>) -> Result<(), RebuildError> {
        if !self.batch.snapshot {
            self.commit()?;
            self.batch.snapshot = true;
        }
        let key = EntityKey::new(entity);
        let decoded = value.map(|bytes| M::decode_entity(&key, bytes)).transpose().map_err(RebuildError::Value)?;
        let known = self.folded.entities.get_mut(&key);
        let known = known.ok_or_else(|| RebuildError::Value(format!("a value of {key}, which has no events")))?;
        Arc::make_mut(known).value = decoded;
        self.changed.insert(entity.into(), topic.into());
        Ok(())
    }

    /// A row of a small table; the store's own are left as they are.
    pub fn row(&mut self, row: Row) {
        if row.table != Table::Meta || !self.own.contains(&row.key) {
            self.batch.rows.push(row);
        }
    }

    /// Commits what is left, and gives what the events fold into.
    ///
    /// # Errors
    /// The commit fails.
    pub fn finish(mut self) -> Result<Folded<M>, RebuildError> {
        self.commit()?;
        Ok(self.folded)
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        for (entity, topic) in self.changed.drain() {
            let key = EntityKey::new(&entity);
            if let Some(versioned) = self.folded.entities.get(&key) {
                self.batch.state.push(versioned.to_row(&key, &topic));
            }
        }
        if !self.batch.is_empty() {
            self.storage.commit(&self.batch)?;
        }
        (self.batch, self.bytes) = (Batch::default(), 0);
        Ok(())
    }
}
