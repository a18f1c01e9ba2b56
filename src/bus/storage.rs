//! What the bus asks of a store: bytes in batches, one commit each. Domain types stop here.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::time::Stamp;

/// The identity of a machine, drawn at random when its data folder is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeviceId(pub u64);

/// Names an event for ever and everywhere: the machine and its gapless number there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventId {
    /// The machine.
    pub device: DeviceId,
    /// Gapless per machine over durable events, from 1.
    pub device_seq: u64,
}

/// Everything about an event but its payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Position in the local log, gapless from 1.
    pub seq: u64,
    /// Who and which.
    pub id: EventId,
    /// The topic's name.
    pub topic: Box<str>,
    /// The entity's key, such as `take/8f2c`.
    pub entity: Box<str>,
    /// The entity's version after this event, from 1.
    pub version: u64,
    /// The event of this entity that the author saw, if the author said.
    pub base: Option<EventId>,
    /// Hybrid logical clock at apply: milliseconds since 1970 in the upper 48 bits, a counter in the lower 16.
    pub hlc: u64,
    /// Raw times, for what came through a lane.
    pub stamp: Option<Stamp>,
    /// The event that led to this one.
    pub cause: Option<EventId>,
    /// Who did it: `person`, or a component's name.
    pub actor: Box<str>,
    /// The payload's schema and its version.
    pub schema: Box<str>,
    /// See `schema`.
    pub schema_version: u16,
}

/// A payload, or what is left of it after erasure or compaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// MessagePack with named fields.
    Bytes(Vec<u8>),
    /// Erased: the digest keeps the chain whole.
    Stub {
        /// The first 16 bytes of the payload's BLAKE3.
        digest: [u8; 16],
    },
}

/// An event as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Everything but the payload.
    pub header: Header,
    /// The payload.
    pub payload: Payload,
}

impl StoredEvent {
    /// Bytes of the payload.
    pub fn payload_size(&self) -> usize {
        match &self.payload {
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Stub { .. } => 0,
        }
    }
}

/// An entity's value as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StateRow {
    /// The entity's key.
    pub entity: Box<str>,
    /// Its version.
    pub version: u64,
    /// The last event that changed it.
    pub last: EventId,
    /// The topic of that event.
    pub topic: Box<str>,
    /// The value, or `None` when it was removed; the version goes on counting.
    pub value: Option<Vec<u8>>,
}

/// A row of a small table: a subscriber's cursor, a pending delivery, a dead letter, a component's private row, meta.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which table.
    pub table: Table,
    /// The key, 1 to 400 bytes.
    pub key: Vec<u8>,
    /// The value, or `None` to remove the row.
    pub value: Option<Vec<u8>>,
}

/// The small tables. Their values are opaque to the store, which adds a checksum to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// One row a durable subscriber.
    Cursors,
    /// One row a delivery that waits for its acknowledgement or its retry.
    Pending,
    /// Deliveries given up.
    DeadLetters,
    /// Rows that components keep, committed together with their acknowledgement.
    Private,
    /// What must go to other machines.
    Outbox,
    /// Facts about the store, such as the device id.
    Meta,
}

impl Table {
    /// All of them, in the order of their values.
    pub const ALL: [Self; 6] =
        [Self::Cursors, Self::Pending, Self::DeadLetters, Self::Private, Self::Outbox, Self::Meta];

    /// What it is called, in the store and in an export.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cursors => "cursors",
            Self::Pending => "pending",
            Self::DeadLetters => "dead_letters",
            Self::Private => "private",
            Self::Outbox => "outbox",
            Self::Meta => "meta",
        }
    }
}

/// What one commit writes: all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Events, ascending and gapless in `seq`, following what the log holds.
    pub events: Vec<StoredEvent>,
    /// Changed entities, each once, as they are after the last event of the batch.
    pub state: Vec<StateRow>,
    /// Other rows.
    pub rows: Vec<Row>,
    /// Whether the state as it is after this batch is kept as a snapshot.
    pub snapshot: bool,
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.state.is_empty() && self.rows.is_empty()
    }
}

/// Payloads that shall go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Those of the events that made these versions of an entity, and its value in snapshots of those versions.
    Entity {
        /// The entity's key.
        entity: Box<str>,
        /// The versions.
        versions: Range<u64>,
    },
    /// Those of the events of these topics up to a snapshot, which then is the oldest: what they made is in it.
    Topics {
        /// Names out of the registry.
        topics: Vec<Box<str>>,
        /// The snapshot's sequence number.
        through: u64,
    },
}

impl Erasure {
    /// Where its first step begins.
    pub fn begin(&self) -> u64 {
        match self {
            Self::Entity { versions, .. } => versions.start,
            Self::Topics { .. } => 1,
        }
    }
}

/// What one step of an erasure did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Payloads replaced.
    pub count: u64,
    /// The first record that could not be read, and so stays as it is.
    pub unreadable: Option<StorageError>,
    /// Where the next step begins; none if this was the last.
    pub next: Option<u64>,
}

/// The newest snapshots, all of which are kept.
const SNAPSHOTS_NEAR: usize = 4;

/// Which of the snapshots at these sequence numbers (ascending) need not be kept any longer: of older ones one is kept
/// for each power of two of their distance from the newest, so that there are never many, and none is far.
pub fn thinned(snapshots: &[u64]) -> Vec<u64> {
    let Some((newest, _)) = snapshots.split_last() else { return Vec::new() };
    let far = &snapshots[..snapshots.len().saturating_sub(SNAPSHOTS_NEAR)];
    let octave = |seq: u64| (newest - seq).checked_ilog2();
    let is_second = |pair: &&[u64]| octave(pair[0]) == octave(pair[1]);
    far.windows(2).filter(is_second).map(|pair| pair[1]).collect()
}

/// What a commit took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The log's last sequence number now.
    pub durable: u64,
    /// Bytes of records and rows handed to the database.
    pub bytes: u64,
}

/// Sizes, for the inspector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StoreSize {
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes of the map in use.
    pub map_used: u64,
    /// Bytes of the map.
    pub map_size: u64,
    /// Events in the log.
    pub events: u64,
    /// Entities with a row.
    pub entities: u64,
    /// The tables by size; those without a name do not exist.
    pub tables: [TableSize; TABLES],
    /// Bytes of the map in use that belong to no table: freed pages, and what keeps account of them.
    pub free: u64,
}

/// Tables of a store at most.
pub const TABLES: usize = 4 + Table::ALL.len();

/// A table of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TableSize {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub entries: u64,
    /// Bytes of its pages.
    pub bytes: u64,
}

/// Why the store could not do it, by what helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// No space left; the same batch can be tried again later.
    #[error("the disk is full ({0})")]
    Full(String),
    /// A read or write failed; trying again may help.
    #[error("the disk failed ({0})")]
    Io(String),
    /// What is stored contradicts itself.
    #[error("damaged data at {place}: {what}")]
    Damaged {
        /// The table and key.
        place: String,
        /// What was found.
        what: String,
    },
    /// The folder cannot be used at all.
    #[error("{0}")]
    Unusable(String),
}

/// The writing side; the persister thread owns it.
pub trait Storage: Send {
    /// Writes a batch and returns once it is durable. On an error nothing of it is visible, and the same batch may be
    /// tried again.
    fn commit(&mut self, batch: &Batch) -> Result<Committed, StorageError>;
    /// One step of an erasure, from [`Erasure::begin`] or where the step before ended: replaces payloads by their
    /// digests, durably. Order, chain and versions stay as they are. After an error the same step may be tried again.
    fn erase(&mut self, what: &Erasure, from: u64) -> Result<Erased, StorageError>;
    /// Sizes for the inspector; cheap.
    fn size(&self) -> StoreSize;
    /// Another reader; cheap, usable on any thread.
    fn reader(&self) -> Box<dyn StorageReader>;
}

/// The reading side. Each call is one short read transaction and sees only what is durable.
pub trait StorageReader: Send + Sync {
    /// The log's last sequence number, 0 when it is empty, and the number of this machine's last event.
    fn last(&self) -> Result<LogEnd, StorageError>;
    /// Up to `max` events from `seq` on.
    fn events(&self, from: u64, max: usize) -> Result<Vec<StoredEvent>, StorageError>;
    /// Up to `max` events of one entity, from an entity version on.
    fn entity_events(&self, entity: &str, from_version: u64, max: usize) -> Result<Vec<StoredEvent>, StorageError>;
    /// Every entity, in key order, handed out one by one.
    fn state(&self, each: &mut dyn FnMut(StateRow)) -> Result<(), StorageError>;
    /// The sequence numbers at which a snapshot of the state was kept, ascending.
    fn snapshots(&self) -> Result<Vec<u64>, StorageError>;
    /// Every entity as of one of them, in key order, handed out one by one; an error if that snapshot is not whole.
    fn snapshot(&self, seq: u64, each: &mut dyn FnMut(StateRow)) -> Result<(), StorageError>;
    /// Every row of a small table whose key begins with `prefix`, in key order.
    fn rows(&self, table: Table, prefix: &[u8]) -> Result<Vec<Row>, StorageError>;
}

/// Where the log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// The last sequence number, 0 for an empty log.
    pub seq: u64,
    /// This machine's last `device_seq`, 0 for none.
    pub device_seq: u64,
    /// The highest hybrid clock in the log.
    pub hlc: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_few_and_never_far_apart() {
        let mut kept: Vec<u64> = Vec::new();
        for seq in 1..=10_000u64 {
            kept.push(seq);
            let gone = thinned(&kept);
            kept.retain(|seq| !gone.contains(seq));
            assert!(kept.len() <= SNAPSHOTS_NEAR + 15, "{kept:?}");
            assert_eq!(kept[0], 1, "the oldest stays");
            let near = &kept[kept.len().saturating_sub(SNAPSHOTS_NEAR)..];
            assert!(near.windows(2).all(|pair| pair[1] == pair[0] + 1), "{kept:?}");
            // From any event on, the next snapshot is no farther than three times the event's own distance.
            for pair in kept.windows(2) {
                assert!(pair[1] - pair[0] <= 3 * (seq - pair[0]).max(1), "{kept:?}");
            }
        }
        assert!(kept.len() > 10, "{kept:?}");
    }

    #[test]
    fn few_snapshots_are_all_kept() {
        assert_eq!(thinned(&[]), [] as [u64; 0]);
        assert_eq!(thinned(&[5, 9, 12, 40]), [] as [u64; 0]);
    }
}
