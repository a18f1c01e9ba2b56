//! A small domain for the tests and benches of the bus and the store: counters and notebooks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fold::{self, Folded};
use super::gap::Lost;
use super::handle::BusHandle;
use super::lease::{Lease, Leasing};
use super::load;
use super::merge::{Observed, Rank, Register, Totals};
use super::model::{Conflict, Decoded, Durability, EntityKey, Model, Origin, Refusal, Retention, Strategy, Topic};
use super::snapshot::State;
use super::storage::{EventId, Header, Payload, StorageReader, StoredEvent};

/// The domain's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {}

/// What happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Played: appended to a notebook at stream durability.
    Note {
        /// Any number.
        pitch: u32,
    },
    /// Notes that nobody could keep.
    Gap {
        /// How many.
        lost: u64,
    },
    /// A counter moves; it may not go below zero. Conflicts are refused.
    Add(i64),
    /// A text is set; the last writer wins.
    Title(String),
    /// A record is set; the greater one stays.
    Best(u64),
    /// What this machine has added so far.
    Total(u64),
    /// A word joins a set.
    Tag(String),
    /// A word leaves it: what these events brought.
    Untag(Vec<EventId>),
    /// A name that keeps any other that was given meanwhile; it takes the place of those that its author saw.
    Name {
        /// The name.
        name: String,
        /// Those.
        seen: Vec<EventId>,
    },
    /// Two edits met.
    Met {
        /// Which stays.
        winner: EventId,
        /// Which does not.
        loser: EventId,
    },
    /// Somebody edits something for a while.
    Leasing(Leasing),
    /// The entity is removed.
    Remove,
    /// A mistake in the domain's code: the fold panics.
    Bug,
    /// Another: encoding the entity panics from then on.
    BugInEncoding,
}

/// The title of a value that cannot be encoded.
const BUG: &str = "\u{0}bug";

/// What the edits of several machines fold into.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// The greatest [`Event::Best`].
    pub best: u64,
    /// Every machine's [`Event::Total`].
    pub totals: Totals,
    /// Words of [`Event::Tag`].
    pub tags: Observed<String>,
    /// Names of [`Event::Name`].
    pub names: Observed<String>,
    /// The last [`Event::Met`]: winner and loser.
    pub met: Option<(EventId, EventId)>,
    /// The last [`Event::Leasing`].
    pub lease: Option<Lease>,
}

/// What events fold into.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// Sum of [`Event::Add`].
    pub count: i64,
    /// How many [`Event::Note`].
    pub notes: u64,
    /// How many were lost.
    pub lost: u64,
    /// A digest that depends on the order.
    pub digest: u64,
    /// The last [`Event::Title`].
    pub title: Register<String>,
    /// What the strategies for several machines made; nothing for most entities, which so stay small.
    pub shared: Option<Box<Shared>>,
}

impl Shared {
    fn apply(&mut self, event: &Event, rank: Rank) {
        match event {
            Event::Best(best) => self.best = self.best.max(*best),
            Event::Total(total) => self.totals.raise(rank.id.device, *total),
            Event::Tag(tag) => self.tags.add(rank.id, tag.clone()),
            Event::Untag(seen) => self.tags.remove(seen),
            Event::Name { name, seen } => {
                self.names.remove(seen);
                self.names.add(rank.id, name.clone());
            }
            Event::Met { winner, loser } => self.met = Some((*winner, *loser)),
            Event::Leasing(Leasing::Taken(lease)) => self.lease = Some(lease.clone()),
            Event::Leasing(Leasing::Ended) => self.lease = None,
            _ => {}
        }
    }
}

impl Value {
    /// The last two edits that met: winner and loser.
    pub fn met(&self) -> Option<(EventId, EventId)> {
        self.shared.as_ref().and_then(|shared| shared.met)
    }
}

const fn topic(name: &'static str, durability: Durability, strategy: Strategy) -> Topic {
    let retention = match strategy {
        Strategy::LastWriter => Retention::Snapshot,
        _ => Retention::Forever,
    };
    Topic { name, durability, strategy, schema: "test", schema_version: 1, retention }
}

static TOPICS: [Topic; 12] = [
    topic("book.note", Durability::Stream, Strategy::AppendOnly),
    topic("book.gap", Durability::Stream, Strategy::AppendOnly),
    topic("counter.add", Durability::Edit, Strategy::Reject),
    topic("book.title", Durability::Edit, Strategy::LastWriter),
    topic("any.remove", Durability::Edit, Strategy::Reject),
    topic("any.bug", Durability::Edit, Strategy::Reject),
    topic("book.best", Durability::Edit, Strategy::Max),
    topic("book.total", Durability::Edit, Strategy::Counter),
    topic("book.tag", Durability::Edit, Strategy::Set),
    topic("book.name", Durability::Edit, Strategy::KeepBoth),
    topic("any.met", Durability::Edit, Strategy::Reject),
    topic("any.leased", Durability::Edit, Strategy::Reject),
];

impl Model for Test {
    type Event = Event;
    type Entity = Value;

    fn topics() -> &'static [Topic] {
        &TOPICS
    }

    fn topic(event: &Event) -> &'static Topic {
        match event {
            Event::Note { .. } => &TOPICS[0],
            Event::Gap { .. } => &TOPICS[1],
            Event::Add(_) => &TOPICS[2],
            Event::Title(_) => &TOPICS[3],
            Event::Remove => &TOPICS[4],
            Event::Bug | Event::BugInEncoding => &TOPICS[5],
            Event::Best(_) => &TOPICS[6],
            Event::Total(_) => &TOPICS[7],
            Event::Tag(_) | Event::Untag(_) => &TOPICS[8],
            Event::Name { .. } => &TOPICS[9],
            Event::Met { .. } => &TOPICS[10],
            Event::Leasing(_) => &TOPICS[11],
        }
    }

    fn check(_: &EntityKey, event: &Event, current: Option<&Value>) -> Result<(), Refusal> {
        match event {
            Event::Add(by) if current.map_or(0, |value| value.count) + by < 0 => Err(Refusal::new("below zero")),
            Event::Remove if current.is_none() => Err(Refusal::new("nothing to remove")),
            _ => Ok(()),
        }
    }

    fn apply(_: &EntityKey, event: &Event, origin: &Origin<'_>, current: Option<&Value>) -> Option<Value> {
        let mut value = current.cloned().unwrap_or_default();
        match event {
            Event::Note { pitch } => {
                value.notes += 1;
                value.digest = value.digest.wrapping_mul(31).wrapping_add(u64::from(*pitch));
            }
            Event::Gap { lost } => value.lost += lost,
            Event::Add(by) => value.count += by,
            Event::Title(title) => drop(value.title.write(title.clone(), origin.rank)),
            Event::Best(_)
            | Event::Total(_)
            | Event::Tag(_)
            | Event::Untag(_)
            | Event::Name { .. }
            | Event::Met { .. }
            | Event::Leasing(_) => {
                value.shared.get_or_insert_default().apply(event, origin.rank);
            }
            Event::Remove => return None,
            Event::Bug => panic!("a bug in the fold"),
            Event::BugInEncoding => drop(value.title.write(BUG.to_owned(), origin.rank)),
        }
        Some(value)
    }

    fn rival(event: &Event, current: Option<&Value>) -> Option<Rank> {
        let value = current?;
        match event {
            Event::Title(_) => Some(value.title.rank()).filter(|rank| *rank != Rank::default()),
            Event::Name { seen, .. } => {
                let names = &value.shared.as_ref()?.names;
                let other = names.iter().map(|(id, _)| id).filter(|id| !seen.contains(id)).max();
                other.map(|id| Rank { hlc: 0, id })
            }
            _ => None,
        }
    }

    fn names(event: &Event) -> &[EventId] {
        match event {
            Event::Untag(seen) | Event::Name { seen, .. } => seen,
            _ => &[],
        }
    }

    fn conflicted(conflict: &Conflict) -> (EntityKey, Event) {
        let Conflict { entity, winner, loser, .. } = conflict;
        (EntityKey::new(&format!("met/{}", entity.id())), Event::Met { winner: *winner, loser: *loser })
    }

    fn lease(value: &Value) -> Option<&Lease> {
        value.shared.as_ref()?.lease.as_ref()
    }

    fn leasing(leasing: Leasing) -> Option<Event> {
        Some(Event::Leasing(leasing))
    }

    fn encode(event: &Event) -> Vec<u8> {
        rmp_serde::to_vec_named(event).unwrap_or_default()
    }

    fn decode(schema: &str, version: u16, bytes: &[u8]) -> Result<Decoded<Event>, String> {
        if schema != "test" || version > 1 {
            return Ok(Decoded::Unknown);
        }
        rmp_serde::from_slice(bytes).map(Decoded::Known).map_err(|error| error.to_string())
    }

    fn encode_entity(_: &EntityKey, value: &Value) -> Vec<u8> {
        assert!(*value.title != BUG, "a bug in encoding");
        rmp_serde::to_vec_named(value).unwrap_or_default()
    }

    fn decode_entity(_: &EntityKey, bytes: &[u8]) -> Result<Value, String> {
        rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
    }

    fn lost(_: &EntityKey, lost: &Lost) -> Event {
        Event::Gap { lost: lost.count }
    }
}

/// R3, for the end of any test: the state folded from the log equals the stored state, the live one, and every snapshot
/// that was kept on the way.
pub fn check_fold<M: Model>(reader: &dyn StorageReader, live: &State<M>) -> Result<(), String> {
    if let Some(difference) = load::compare::<M>(reader).map_err(|error| error.to_string())?.0.first() {
        return Err(format!("not the fold of the log: {difference:?}"));
    }
    let folded: Folded<M> = load::fold_log(reader).map_err(|error| error.to_string())?;
    let rows = load::load::<M>(reader).map_err(|error| error.to_string())?;
    let expected = State::from_entities(&folded.entities);
    for (name, state) in [("live", live), ("stored", &State::from_entities(&rows.entities))] {
        if *state != expected {
            let wrong = expected.iter().find(|(key, value)| state.get(key.as_str()) != Some(*value));
            return Err(format!("the {name} state is not the fold of the log, first at {wrong:?}"));
        }
    }
    let again = fold::replay::<M>(reader.events(1, usize::MAX).map_err(|error| error.to_string())?);
    let end = again.map_err(|error| error.to_string())?.end;
    let same = (end.seq, end.hlc) == (folded.end.seq, folded.end.hlc);
    same.then_some(()).ok_or("the log's end moved".to_owned())
}

/// Waits until all subscribers have acknowledged an event; whether they have after so many looks.
pub fn acknowledged<M: Model>(bus: &BusHandle<M>, seq: u64) -> bool {
    const LOOKS_MAX: u32 = 30_000;
    (0..LOOKS_MAX).any(|_| {
        // Subscribers are threads of their own, and have the processor meanwhile.
        std::thread::park_timeout(Duration::from_millis(1));
        bus.inspect_now().is_some_and(|report| report.subscribers.iter().all(|s| s.acked >= seq))
    })
}

/// An event as a store is given it, for tests that look into no payload: it stands where its machine's number says.
pub fn stored(id: EventId, entity: impl Into<Box<str>>, version: u64, payload: Vec<u8>) -> StoredEvent {
    let header = Header {
        seq: id.device_seq,
        id,
        topic: "take".into(),
        entity: entity.into(),
        version,
        base: None,
        hlc: id.device_seq,
        stamp: None,
        cause: None,
        actor: "recorder".into(),
        schema: "take.note".into(),
        schema_version: 1,
    };
    StoredEvent { header, payload: Payload::Bytes(payload) }
}

/// A small generator for seeded tests (SplitMix64, Steele et al. 2014).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end.max(1)
    }
}
