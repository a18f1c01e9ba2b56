//! The program's model: what can happen, the state it folds into, and how both are stored. Pure.

mod connection;
mod entity;
mod event;
mod found;
mod output;
mod result;
mod settings;
mod stored;
#[cfg(test)]
mod tests;
mod topics;

pub use connection::ConnectionChoice;
pub use entity::{CONFLICTS_MAX, Device, Entity, FAVOURITE, Piece, Take};
pub use event::{
    Calibration, CalibrationStand, Event, Met, PieceId, PieceInfo, Played, TakeEnd, TakeId, TakeOrigin, TakeStart,
    TransportChange, TransportMoved, conflicts_entity, device_entity, recorder_entity,
};
pub use found::{FOUND_RULES, FolderChoice, Found, FoundKey, PIECE_ENDINGS};
pub use output::{OutputKeys, OutputUse};
pub use result::{BarSummary, ResultSummary, Tally, TimingSummary};
pub use settings::{NoteNames, PlayView, Setting, Settings, StaffLayout, TUNING_MAX, TUNING_MIN, ThemeChoice};

use crate::bus::{Conflict, Decoded, EntityKey, EventId, Lease, Leasing, Lost, Model, Origin, Rank, Refusal, Topic};

/// The trainer's domain, as the bus sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trainer;

impl Model for Trainer {
    type Event = Event;
    type Entity = Entity;

    fn topics() -> &'static [Topic] {
        topics::ALL
    }

    fn topic(event: &Event) -> &'static Topic {
        topics::of(event)
    }

    fn check(_: &EntityKey, event: &Event, current: Option<&Entity>) -> Result<(), Refusal> {
        entity::check(event, current).map_err(Refusal::new)
    }

    fn apply(_: &EntityKey, event: &Event, origin: &Origin<'_>, current: Option<&Entity>) -> Option<Entity> {
        entity::apply(event, origin, current)
    }

    fn rival(event: &Event, current: Option<&Entity>) -> Option<Rank> {
        entity::rival(event, current)
    }

    fn names(event: &Event) -> &[EventId] {
        entity::names(event)
    }

    fn conflicted(conflict: &Conflict) -> (EntityKey, Event) {
        let met = Met {
            entity: conflict.entity.to_string(),
            topic: conflict.topic.to_owned(),
            strategy: conflict.strategy.name().to_owned(),
            winner: conflict.winner,
            loser: conflict.loser,
        };
        (conflicts_entity(), Event::EditsMet(met))
    }

    fn lease(value: &Entity) -> Option<&Lease> {
        if let Entity::Lease(lease) = value { Some(lease) } else { None }
    }

    fn leasing(leasing: Leasing) -> Option<Event> {
        Some(Event::Leasing(leasing))
    }

    fn encode(event: &Event) -> Vec<u8> {
        stored::encode(event)
    }

    fn decode(schema: &str, version: u16, bytes: &[u8]) -> Result<Decoded<Event>, String> {
        stored::decode(schema, version, bytes)
    }

    fn encode_entity(_: &EntityKey, value: &Entity) -> Vec<u8> {
        stored::encode_entity(value)
    }

    fn decode_entity(entity: &EntityKey, bytes: &[u8]) -> Result<Entity, String> {
        stored::decode_entity(entity.as_str(), bytes)
    }

    fn lost(_: &EntityKey, lost: &Lost) -> Event {
        Event::NotesLost(lost.count)
    }
}
