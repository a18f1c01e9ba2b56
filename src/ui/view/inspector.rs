//! What the inspector shows: values, events with their way through the bus, and conflicts.

use std::sync::Arc;

use super::LocalTime;
use crate::bus::inspect::{EventView, Round};
use crate::time::Micros;

/// A value held by the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityRow {
    /// `kind/id`.
    pub key: String,
    /// Events accepted.
    pub version: u64,
    /// The value as text, one line.
    pub value: String,
}

/// One of two edits that met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The machine.
    pub device: u64,
    /// The event's number there.
    pub number: u64,
    /// When, if it is still in the log.
    pub at: Option<LocalTime>,
    /// Who did it.
    pub actor: String,
    /// What it said.
    pub payload: String,
}

/// Two edits whose authors had not seen each other's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictRow {
    /// What both edited.
    pub entity: String,
    /// The topic of the second.
    pub topic: String,
    /// What decided.
    pub strategy: String,
    /// Whether both edits stay.
    pub both: bool,
    /// The edit that stays.
    pub winner: Side,
    /// The other.
    pub loser: Side,
}

/// A version of an entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number.
    pub version: u64,
    /// The event that made it.
    pub seq: u64,
    /// When.
    pub at: LocalTime,
    /// The event's topic.
    pub topic: String,
    /// Who did it.
    pub actor: String,
    /// What it said.
    pub payload: String,
    /// The value after it, one line.
    pub value: String,
}

/// The event table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events<'a> {
    /// Those at hand that fit the filter, newest first.
    pub rows: &'a [Arc<dyn EventView>],
    /// Down to which event the log was searched for them.
    pub low: u64,
    /// The last event there is.
    pub end: u64,
    /// Minutes east of Greenwich, for times of day.
    pub offset: i32,
    /// Whether more are being looked for.
    pub searching: bool,
    /// The one that was chosen, as far as it is known already.
    pub chosen: Option<Chosen<'a>>,
}

/// The chosen event.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// The event.
    pub event: &'a Arc<dyn EventView>,
    /// When it got where.
    pub hops: Hops,
    /// What the log tells of it; `None` until it was read, and while the event is not durable.
    pub detail: Option<&'a EventDetail>,
}

/// When an event got where, on the program's monotonic clock; `None` where nothing is known, as of another run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hops {
    /// Played.
    pub played: Option<Micros>,
    /// Taken from its lane or from the commands, applied, visible to all.
    pub round: Option<Round>,
    /// Drawn in a frame.
    pub painted: Option<Micros>,
    /// On disk.
    pub durable: Option<Micros>,
}

/// What the log tells of an event.
#[derive(Clone, Debug)]
pub struct EventDetail {
    /// Its position.
    pub seq: u64,
    /// The event.
    pub event: Arc<dyn EventView>,
    /// When, by the clock on the wall.
    pub at: LocalTime,
    /// What it changed of its entity.
    pub changes: Vec<FieldChange>,
    /// What led to it, nearest first.
    pub causes: Vec<EventLink>,
    /// Whether `causes` goes back to where it all began.
    pub root_found: bool,
    /// What it led to.
    pub effects: Vec<EventLink>,
}

/// A field that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldChange {
    /// Where, such as `practice.tempo`; empty for the whole value.
    pub path: String,
    /// What it was; `None` if it was not there.
    pub before: Option<String>,
    /// What it is; `None` if it is gone.
    pub after: Option<String>,
}

/// Another event, by its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventLink {
    /// Its position.
    pub seq: u64,
    /// Its topic.
    pub topic: String,
    /// Its entity.
    pub entity: String,
    /// Who did it.
    pub actor: String,
}
