//! "Keep the last five minutes": what was played lately, in whichever takes, is copied into a take of its own. Copied, so
//! that each of the two can be deleted for ever without the other; what was recorded stays where it is. Reads the log, and
//! waits for the disk: not for the window's thread or the control thread.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use crate::bus::hlc::Hlc;
use crate::bus::storage::StorageError;
use crate::bus::{BusHandle, EntityKey, Envelope, Publish, Snapshot};
use crate::midi::controller;
use crate::model::{Entity, Event, Played, TakeEnd, TakeId, TakeOrigin, TakeStart, Trainer};
use crate::music::Pitch;
use crate::time::{Micros, Stamp, WallMillis};

use super::take_clock::TakeClock;

/// How far back.
pub const SPAN: Micros = Micros(5 * 60 * Micros::SECOND.0);
/// Events read at a time.
const READ: u64 = 1_024;
/// Events come into the log at most so much later than they were played: lanes are polled every 10 ms, and a bus that
/// stands still for longer makes gap records.
const REORDERED: Micros = Micros(10 * Micros::SECOND.0);
/// The pedals are where they were put last, which may be longer ago than what is kept: looked for so far before it.
const PEDALS_BACK: Micros = SPAN;
/// The controllers of the pedals.
const PEDALS: [u8; 3] = [controller::SUSTAIN, controller::SOSTENUTO, controller::SOFT];
/// Messages published at a time: with what begins and ends the take they fit one transaction. Five minutes of dense
/// playing with much pedal have more; the take is whole once its end is there.
const CHUNK: usize = 4_000;
/// The name of the new take is reserved so long, which is far longer than it takes.
const LEASE: WallMillis = WallMillis(60_000);
/// So long is waited for the disk.
const DISK_WAIT: Duration = Duration::from_secs(10);
/// Who keeps: the person wanted it.
const ACTOR: &str = "person";

/// What is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The name of the take to come.
    pub take: TakeId,
    /// The moment up to which, on the monotonic clock.
    pub until: Micros,
    /// The last event before this run of the program: the monotonic clock of an earlier one is another.
    pub before: u64,
}

/// What was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The new take.
    pub take: TakeId,
    /// Key-downs.
    pub notes: usize,
    /// When the first key went down.
    pub first: WallMillis,
    /// When the last message came.
    pub last: WallMillis,
}

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// There is nothing.
    #[error("nothing was played in the last five minutes")]
    Nothing,
    /// The log cannot be read.
    #[error("what was played cannot be read: {0}")]
    Read(#[from] StorageError),
    /// The bus refuses, or the disk does not take it.
    #[error("what was played cannot be kept now: {0}")]
    Refused(String),
}

/// A message on its way into the new take, which has no transport: its stamp is the reading of its own take's clock.
#[derive(Clone, Copy, Debug)]
struct Message {
    seq: u64,
    stamp: Stamp,
    wall: WallMillis,
    played: Played,
}

/// Keeps what was played in the [`SPAN`] up to a moment; `name` gives the new take a name. Once this returns it is on
/// disk.
///
/// # Errors
/// Nothing was played, the log cannot be read, or the bus does not take it; then there is no new take, or, where several
/// transactions were needed, one that is marked as broken off.
pub fn keep(bus: &BusHandle<Trainer>, wanted: Wanted, name: impl FnOnce(&Kept) -> String) -> Result<Kept, KeepError> {
    let refused = |error: &dyn std::fmt::Display| KeepError::Refused(error.to_string());
    let entity = wanted.take.entity();
    // What precedes this in the log is on disk when this is.
    let mut lease = bus.lease(&entity, ACTOR, LEASE).ok_or_else(|| refused(&"there are no leases"))?;
    let end = lease.durable_within(DISK_WAIT).map_err(|e| refused(&e))?;
    let kept = gather(bus, &wanted, end).and_then(|messages| {
        let first = messages.iter().find(|m| m.played.note_on().is_some()).ok_or(KeepError::Nothing)?.wall;
        let last = messages.last().map_or(first, |message| message.wall);
        let notes = messages.iter().filter(|m| m.played.note_on().is_some()).count();
        let kept = Kept { take: wanted.take, notes, first, last };
        publish(bus, &kept, &messages, name(&kept)).map_err(|e| refused(&e)).map(|()| kept)
    });
    if let Some(mut released) = bus.release(&entity, ACTOR) {
        // It ends by itself otherwise.
        let _ = released.applied_within(DISK_WAIT);
    }
    kept
}

/// The messages of the time, in its order, and before them how the pedals stood. Reads the log from its end back.
fn gather(bus: &BusHandle<Trainer>, wanted: &Wanted, end: u64) -> Result<Vec<Message>, KeepError> {
    let (snapshot, from) = (bus.snapshot(), wanted.until - SPAN);
    let mut takes: HashMap<EntityKey, bool> = HashMap::new();
    let (mut found, mut next) = (Vec::new(), end);
    while next > wanted.before {
        let first = next.saturating_sub(READ - 1).max(wanted.before + 1);
        let events = bus.events(first, (next + 1 - first) as usize)?;
        let mut latest = None;
        for envelope in events.into_iter().rev() {
            let stamp = envelope.stamp.filter(|_| {
                *takes.entry(envelope.entity.clone()).or_insert_with(|| is_source(&snapshot, &envelope.entity))
            });
            let Some(stamp) = stamp else { continue };
            latest = latest.max(Some(stamp.mono));
            found.push((envelope, stamp));
        }
        if latest.is_some_and(|latest| latest < from - PEDALS_BACK - REORDERED) {
            break;
        }
        next = first - 1;
    }
    let mut clock = TakeClock::default();
    let (mut messages, mut before) = (Vec::new(), Vec::new());
    for (envelope, stamp) in found.iter().rev() {
        let at = clock.event(envelope.event(), stamp);
        if (from..=wanted.until).contains(&stamp.mono) {
            messages.extend(message(envelope, Stamp { driver: stamp.driver, ..Stamp::at(at) }));
        } else if stamp.mono < from {
            before.extend(message(envelope, *stamp).filter(|message| pedal(message).is_some()));
        }
    }
    messages.sort_by_key(|message| (message.stamp.mono, message.seq));
    drop_ends_without_beginning(&mut messages);
    before.sort_by_key(|message| (message.stamp.mono, message.seq));
    let pedals = pedals_down(&before, &messages);
    messages.splice(..0, pedals);
    Ok(messages)
}

/// Which pedal of which instrument and channel a message moves.
fn pedal(message: &Message) -> Option<(u16, u8, u8)> {
    let (controller, _) = message.played.control().filter(|(controller, _)| PEDALS.contains(controller))?;
    Some((message.played.source, message.played.data[0], controller))
}

/// The pedals that were down when the first of the messages came, each as a message at its moment.
fn pedals_down(before: &[Message], messages: &[Message]) -> Vec<Message> {
    let Some(first) = messages.first() else { return Vec::new() };
    let last: BTreeMap<_, &Message> = before.iter().filter_map(|message| Some((pedal(message)?, message))).collect();
    let down = last.into_values().filter(|message| message.played.data[2] > 0);
    down.map(|message| Message { played: message.played, ..*first }).collect()
}

/// Whether what was played in this entity is kept: in a take that is on the list, and is no copy itself.
fn is_source(snapshot: &Snapshot<Trainer>, entity: &EntityKey) -> bool {
    match snapshot.state.value(entity.as_str()) {
        Some(Entity::Take(take)) => take.start.origin != TakeOrigin::Kept && !*take.discarded,
        _ => false,
    }
}

fn message(envelope: &Envelope<Trainer>, stamp: Stamp) -> Option<Message> {
    let Some(Event::NotePlayed(played)) = envelope.event() else { return None };
    Some(Message { seq: envelope.seq, stamp, wall: Hlc::wall(envelope.hlc), played: *played })
}

/// A key that went down before the time and comes up within it was not played in it.
fn drop_ends_without_beginning(messages: &mut Vec<Message>) {
    let mut down: HashSet<(u16, Pitch)> = HashSet::new();
    messages.retain(|message| {
        if let Some((pitch, _)) = message.played.note_on() {
            down.insert((message.played.source, pitch));
            return true;
        }
        message.played.note_off().is_none_or(|pitch| down.remove(&(message.played.source, pitch)))
    });
}

fn publish(bus: &BusHandle<Trainer>, kept: &Kept, messages: &[Message], name: String) -> Result<(), String> {
    let entity = kept.take.entity();
    let of = |event| Publish::<Trainer>::new(entity.clone(), event).actor(ACTOR);
    let start = TakeStart { origin: TakeOrigin::Kept, ..TakeStart::free(kept.first) };
    let mut items = vec![of(Event::TakeStarted(start))];
    let mut chunks = messages.chunks(CHUNK).peekable();
    while let Some(chunk) = chunks.next() {
        items.extend(chunk.iter().map(|message| of(Event::NotePlayed(message.played)).stamp(message.stamp)));
        if chunks.peek().is_none() {
            items.push(of(Event::TakeNamed { name: name.clone(), seen: Vec::new() }));
            items.push(of(Event::TakeEnded(TakeEnd::Completed)));
        }
        let mut ticket = bus.transact(std::mem::take(&mut items));
        ticket.durable_within(DISK_WAIT).map_err(|e| e.to_string())?;
    }
    Ok(())
}
