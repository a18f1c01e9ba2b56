//! What a program tells the bus about its domain: topics, keys, rules, the fold, and how values become bytes.

use std::borrow::Borrow;
use std::fmt::{self, Debug};
use std::sync::Arc;

use super::gap::Lost;
use super::lease::{Lease, Leasing};
use super::merge::Rank;
use super::storage::EventId;
use crate::time::Stamp;

/// The longest entity key in bytes, so that it fits every index of the store.
pub const ENTITY_KEY_BYTES_MAX: usize = 200;

/// The domain of a program: a marker type, such as an empty enum. All functions are pure: no clock, no file, no channel.
pub trait Model: Sized + Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Something that happened, complete in itself.
    type Event: Clone + Debug + Send + Sync + 'static;
    /// The value that the events of one entity fold into; bounded in size.
    type Entity: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// The registry of topics.
    fn topics() -> &'static [Topic];
    /// The topic of an event, out of [`Model::topics`].
    fn topic(event: &Self::Event) -> &'static Topic;
    /// The domain's rule against the current value; a reason if the event is refused.
    fn check(entity: &EntityKey, event: &Self::Event, current: Option<&Self::Entity>) -> Result<(), Refusal>;
    /// The fold. `None` says that the entity is removed; its version goes on counting. Total: an event of another
    /// machine comes here unchecked, and one that does not fit leaves the value as it is. Events of topics that are not
    /// [`Strategy::Reject`] give the same value in whatever order they come, as long as each comes after those that it
    /// rests on.
    fn apply(
        entity: &EntityKey,
        event: &Self::Event,
        origin: &Origin<'_>,
        current: Option<&Self::Entity>,
    ) -> Option<Self::Entity>;
    /// The last edit that wrote what this one writes. If its author had not seen this one's base, nor this one's author
    /// it, the two conflict. For topics under [`Strategy::LastWriter`] and [`Strategy::KeepBoth`].
    fn rival(event: &Self::Event, current: Option<&Self::Entity>) -> Option<Rank>;
    /// Events that this one names: it is applied after them, wherever it comes.
    fn names(event: &Self::Event) -> &[EventId];
    /// The event that records a conflict, and its entity. Made by each machine for itself.
    fn conflicted(conflict: &Conflict) -> (EntityKey, Self::Event);
    /// The payload: MessagePack with named fields.
    fn encode(event: &Self::Event) -> Vec<u8>;
    /// Reads a payload of any version up to today's, through upcasters. A schema or version from the future is
    /// [`Decoded::Unknown`]; damaged bytes are an error.
    fn decode(schema: &str, version: u16, bytes: &[u8]) -> Result<Decoded<Self::Event>, String>;
    /// An entity's value as stored.
    fn encode_entity(entity: &EntityKey, value: &Self::Entity) -> Vec<u8>;
    /// Reads a stored value. On an error the bus folds the entity again from the log, as long as its events are there:
    /// values of topics under [`Retention::Snapshot`] must be readable in every form they ever had.
    fn decode_entity(entity: &EntityKey, bytes: &[u8]) -> Result<Self::Entity, String>;
    /// The lease that the value of a `lease/…` entity is. A domain without long edits has none.
    fn lease(_: &Self::Entity) -> Option<&Lease> {
        None
    }
    /// The event of such an entity, on a topic of [`Strategy::Reject`].
    fn leasing(_: Leasing) -> Option<Self::Event> {
        None
    }
    /// The event that records a loss of `lost.count` events of this entity, which could neither be kept in memory nor
    /// be written because the disk was stalled or full. It is published as soon as there is room.
    fn lost(entity: &EntityKey, lost: &Lost) -> Self::Event;
}

/// A kind of event: how soon it is written, what happens on a conflict, and how its payload is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Words with dots between, such as `take.note`; unique in the registry.
    pub name: &'static str,
    /// When a commit starts.
    pub durability: Durability,
    /// What happens to an edit whose base is no longer current.
    pub strategy: Strategy,
    /// The payload's schema.
    pub schema: &'static str,
    /// The schema's version that [`Model::encode`] writes, from 1.
    pub schema_version: u16,
    /// How long payloads are kept.
    pub retention: Retention,
}

/// How long payloads are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// For ever: what was played, and what came out of it.
    Forever,
    /// Until they are old and a snapshot has what they made ([`super::compaction`]): settings and the like.
    Snapshot,
}

/// When a commit starts. Every commit is a prefix of the order of events all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Within 200 ms or 512 events: played notes, verdicts.
    Stream,
    /// At once; what queued meanwhile shares it: anything that a person did on purpose.
    Edit,
}

/// Where an event comes from, as the fold may see it.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The event, and its place among the writers of all machines.
    pub rank: Rank,
    /// When it was played.
    pub stamp: Option<&'a Stamp>,
}

/// What happens to an edit made on an event that is no longer the entity's last, whether another component or another
/// machine was faster. The types that make it so are in [`super::merge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// It is refused, and the answer carries the current value. Not for what other machines may edit.
    Reject,
    /// It is applied: events of this topic do not contradict each other.
    AppendOnly,
    /// Of two, the later writer's value stays.
    LastWriter,
    /// Of two, the greater value stays.
    Max,
    /// Both count: each machine has a total of its own.
    Counter,
    /// Both are applied; what one adds while another takes it away stays.
    Set,
    /// Both stay, until somebody who sees both writes a third.
    KeepBoth,
}

impl Strategy {
    /// In words, for the inspector and the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::AppendOnly => "append only",
            Self::LastWriter => "last writer",
            Self::Max => "maximum",
            Self::Counter => "counter",
            Self::Set => "set",
            Self::KeepBoth => "keep both",
        }
    }
}

/// Two edits whose authors had not seen each other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What both edited.
    pub entity: EntityKey,
    /// The topic of the edit that came second.
    pub topic: &'static str,
    /// How it was decided.
    pub strategy: Strategy,
    /// The edit that stays; of two that both stay, the one that came second here.
    pub winner: EventId,
    /// The other.
    pub loser: EventId,
}

/// A payload that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded<E> {
    /// Understood.
    Known(E),
    /// From a newer program: kept and shown as it is.
    Unknown,
}

/// Why the domain refuses an event; lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl Refusal {
    /// From any text.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names an entity: `kind/id`, such as `take/8f2c`. Cloning it copies a pointer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityKey(Arc<str>);

impl EntityKey {
    /// From its text. Keys of no or more than [`ENTITY_KEY_BYTES_MAX`] bytes are refused when they are published.
    pub fn new(key: &str) -> Self {
        Self(key.into())
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first slash.
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(kind, _)| kind)
    }

    /// What stands after the first slash; empty without one.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }
}

impl From<&str> for EntityKey {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for EntityKey {
    fn from(key: String) -> Self {
        Self(key.into())
    }
}

impl Borrow<str> for EntityKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Debug for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a publisher expects of the entity's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    #[default]
    Any,
    /// The entity has no value: it never had one, or was removed.
    Absent,
    /// Exactly this version, 0 before the first event.
    Exact(u64),
}
