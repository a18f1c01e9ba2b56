//! The fold: how events become state. One function for the running bus, the start, `verify` and the tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::envelope::{Body, Envelope};
use super::model::{EntityKey, Model};
use super::storage::{DeviceId, EventId, LogEnd, StateRow, StoredEvent};

/// An entity's value with its version.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<M: Model> {
    /// One per event accepted, from 1.
    pub version: u64,
    /// The last event: what an edit names as its base.
    pub last: EventId,
    /// The value; `None` when it was removed.
    pub value: Option<M::Entity>,
}

impl<M: Model> Versioned<M> {
    /// The row that the store keeps.
    pub fn to_row(&self, entity: &EntityKey, topic: &str) -> StateRow {
        StateRow {
            entity: entity.as_str().into(),
            version: self.version,
            last: self.last,
            topic: topic.into(),
            value: self.value.as_ref().map(|value| M::encode_entity(entity, value)),
        }
    }
}

/// All entities by key.
pub type Entities<M> = HashMap<EntityKey, Arc<Versioned<M>>>;

/// One event applied to one entity. Erased and unknown events leave the value and count as "version + 1".
pub fn apply<M: Model>(envelope: &Envelope<M>, current: Option<&Versioned<M>>) -> Versioned<M> {
    let value = current.and_then(|current| current.value.as_ref());
    let value = match &envelope.body {
        Body::Known { event, .. } => M::apply(&envelope.entity, event, &envelope.origin(), value),
        Body::Opaque(_) | Body::Stub { .. } => value.cloned(),
    };
    Versioned { version: current.map_or(0, |current| current.version) + 1, last: envelope.id, value }
}

/// What a log folds into.
#[derive(Clone, Debug)]
pub struct Folded<M: Model> {
    /// The entities.
    pub entities: Entities<M>,
    /// Where the log ends. Its `device_seq` is for whoever knows this machine to say.
    pub end: LogEnd,
    /// The last number of each machine.
    pub numbers: BTreeMap<DeviceId, u64>,
}

impl<M: Model> Default for Folded<M> {
    fn default() -> Self {
        Self { entities: Entities::new(), end: LogEnd::default(), numbers: BTreeMap::new() }
    }
}

/// What contradicts the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// A sequence number is missing or comes twice.
    #[error("event {found} follows {after}")]
    Sequence {
        /// The last good one.
        after: u64,
        /// What came.
        found: u64,
    },
    /// An event's version does not follow its entity's.
    #[error("event {seq} makes version {found} of {entity}, which is at {current}")]
    Version {
        /// The event.
        seq: u64,
        /// Its entity.
        entity: EntityKey,
        /// The entity's version before it.
        current: u64,
        /// The version that it claims to make.
        found: u64,
    },
}

impl<M: Model> Folded<M> {
    /// Applies the next event of the log.
    pub fn push(&mut self, event: StoredEvent) -> Result<(), FoldError> {
        if event.header.seq != self.end.seq + 1 {
            return Err(FoldError::Sequence { after: self.end.seq, found: event.header.seq });
        }
        let envelope = Envelope::<M>::from_stored(event);
        let current = self.entities.get(&envelope.entity);
        let version = current.map_or(0, |current| current.version);
        if envelope.version != version + 1 {
            let (entity, found) = (envelope.entity, envelope.version);
            return Err(FoldError::Version { seq: envelope.seq, entity, current: version, found });
        }
        let next = apply(&envelope, current.map(|current| &**current));
        self.end.seq = envelope.seq;
        self.end.hlc = self.end.hlc.max(envelope.hlc);
        let number = self.numbers.entry(envelope.id.device).or_default();
        *number = envelope.id.device_seq.max(*number);
        self.entities.insert(envelope.entity, Arc::new(next));
        Ok(())
    }
}

/// Folds a log from its first event.
pub fn replay<M: Model>(events: impl IntoIterator<Item = StoredEvent>) -> Result<Folded<M>, FoldError> {
    let mut folded = Folded::default();
    for event in events {
        folded.push(event)?;
    }
    Ok(folded)
}
