//! An event on its way: what a publisher hands in, and the envelope it travels in from then on.

use std::borrow::Cow;
use std::sync::Arc;

use super::inspect::EventView;
use super::json;
use super::merge::Rank;
use super::model::{Decoded, EntityKey, Expect, Model, Origin};
use super::storage::{EventId, Header, Payload, StoredEvent};
use crate::time::Stamp;

/// A name that is nearly always static: a topic, a schema, an actor.
pub type Name = Cow<'static, str>;

/// An event that someone wants to happen.
#[derive(Clone, Debug)]
pub struct Publish<M: Model> {
    /// What happens.
    pub event: M::Event,
    /// To which entity.
    pub entity: EntityKey,
    /// What the publisher expects of the entity's version.
    pub expect: Expect,
    /// The event of this entity that the author saw.
    pub base: Option<EventId>,
    /// The event that led to this one.
    pub cause: Option<EventId>,
    /// Who does it: `person`, or a component's name.
    pub actor: Name,
    /// When it was played, for what came through a lane.
    pub stamp: Option<Stamp>,
    /// The payload, encoded on the publisher's thread, so that its size is known.
    pub(super) encoded: Option<Vec<u8>>,
}

impl<M: Model> Publish<M> {
    /// By the person, whatever the entity's version.
    pub fn new(entity: impl Into<EntityKey>, event: M::Event) -> Self {
        Self {
            event,
            entity: entity.into(),
            expect: Expect::Any,
            base: None,
            cause: None,
            actor: Cow::Borrowed("person"),
            stamp: None,
            encoded: None,
        }
    }

    /// Sets what is expected of the version.
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Names the event that the author saw.
    pub fn base(mut self, base: EventId) -> Self {
        self.base = Some(base);
        self
    }

    /// Names the event that led to this one.
    pub fn cause(mut self, cause: EventId) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Names who does it.
    pub fn actor(mut self, actor: impl Into<Name>) -> Self {
        self.actor = actor.into();
        self
    }

    /// Says when it was played.
    pub fn stamp(mut self, stamp: Stamp) -> Self {
        self.stamp = Some(stamp);
        self
    }

    /// The payload's bytes if encoded already, else an estimate: the size of the event in memory.
    pub(super) fn size(&self) -> usize {
        self.encoded.as_ref().map_or(size_of::<M::Event>(), Vec::len)
    }
}

/// What an envelope carries.
#[derive(Clone, Debug)]
pub enum Body<M: Model> {
    /// An event that this program understands.
    Known {
        /// The event.
        event: M::Event,
        /// Its payload, if somebody encoded it already.
        encoded: Option<Vec<u8>>,
    },
    /// A payload that this program does not understand, kept as it is.
    Opaque(Vec<u8>),
    /// What erasure left.
    Stub {
        /// The first 16 bytes of the payload's BLAKE3.
        digest: [u8; 16],
    },
}

/// An event with its place in the log. Shared by everybody who sees it.
#[derive(Clone, Debug)]
pub struct Envelope<M: Model> {
    /// Position in the local log, gapless from 1.
    pub seq: u64,
    /// Machine and number there.
    pub id: EventId,
    /// The topic's name.
    pub topic: Name,
    /// The entity.
    pub entity: EntityKey,
    /// The entity's version after this event.
    pub version: u64,
    /// The event that the author saw.
    pub base: Option<EventId>,
    /// Hybrid logical clock, see [`super::hlc`].
    pub hlc: u64,
    /// When it was played.
    pub stamp: Option<Stamp>,
    /// The event that led to this one.
    pub cause: Option<EventId>,
    /// Who did it.
    pub actor: Name,
    /// The payload's schema.
    pub schema: Name,
    /// The schema's version.
    pub schema_version: u16,
    /// The event itself.
    pub body: Body<M>,
}

impl<M: Model> Envelope<M> {
    /// The event, unless it is erased or from a newer program.
    pub fn event(&self) -> Option<&M::Event> {
        match &self.body {
            Body::Known { event, .. } => Some(event),
            Body::Opaque(_) | Body::Stub { .. } => None,
        }
    }

    /// Its place among the writers of all machines.
    pub fn rank(&self) -> Rank {
        Rank { hlc: self.hlc, id: self.id }
    }

    /// What the fold may see of where it comes from.
    pub fn origin(&self) -> Origin<'_> {
        Origin { rank: self.rank(), stamp: self.stamp.as_ref() }
    }

    /// The stored form.
    pub fn to_stored(&self) -> StoredEvent {
        let payload = match &self.body {
            Body::Known { event, encoded } => Payload::Bytes(encoded.clone().unwrap_or_else(|| M::encode(event))),
            Body::Opaque(bytes) => Payload::Bytes(bytes.clone()),
            Body::Stub { digest } => Payload::Stub { digest: *digest },
        };
        StoredEvent { header: self.stored_header(), payload }
    }

    fn stored_header(&self) -> Header {
        Header {
            seq: self.seq,
            id: self.id,
            topic: (&*self.topic).into(),
            entity: self.entity.as_str().into(),
            version: self.version,
            base: self.base,
            hlc: self.hlc,
            stamp: self.stamp,
            cause: self.cause,
            actor: (&*self.actor).into(),
            schema: (&*self.schema).into(),
            schema_version: self.schema_version,
        }
    }

    /// From the stored form. Payloads that cannot be read become [`Body::Opaque`]: nothing is dropped.
    pub fn from_stored(stored: StoredEvent) -> Self {
        let StoredEvent { header, payload } = stored;
        let body = match payload {
            Payload::Stub { digest } => Body::Stub { digest },
            Payload::Bytes(bytes) => match M::decode(&header.schema, header.schema_version, &bytes) {
                Ok(Decoded::Known(event)) => Body::Known { event, encoded: Some(bytes) },
                Ok(Decoded::Unknown) | Err(_) => Body::Opaque(bytes),
            },
        };
        Self {
            seq: header.seq,
            id: header.id,
            topic: topic_name::<M>(&header.topic),
            entity: EntityKey::new(&header.entity),
            version: header.version,
            base: header.base,
            hlc: header.hlc,
            stamp: header.stamp,
            cause: header.cause,
            actor: Cow::Owned(header.actor.into()),
            schema: Cow::Owned(header.schema.into()),
            schema_version: header.schema_version,
            body,
        }
    }
}

/// The static name of a topic in the registry, or a copy of an unknown one.
fn topic_name<M: Model>(name: &str) -> Name {
    match M::topics().iter().find(|topic| topic.name == name) {
        Some(topic) => Cow::Borrowed(topic.name),
        None => Cow::Owned(name.to_owned()),
    }
}

impl<M: Model> EventView for Envelope<M> {
    fn header(&self) -> Header {
        self.stored_header()
    }

    fn payload(&self) -> serde_json::Value {
        match &self.body {
            Body::Known { encoded: Some(bytes), .. } | Body::Opaque(bytes) => json::from_payload(bytes),
            Body::Known { event, encoded: None } => json::from_payload(&M::encode(event)),
            Body::Stub { .. } => serde_json::Value::Null,
        }
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn topic(&self) -> &str {
        &self.topic
    }

    fn entity(&self) -> &str {
        self.entity.as_str()
    }
}

/// Shares an envelope as a row for the inspector.
pub(super) fn view<M: Model>(envelope: &Arc<Envelope<M>>) -> Arc<dyn EventView> {
    Arc::clone(envelope) as Arc<dyn EventView>
}
