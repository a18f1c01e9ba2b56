//! The state that the events fold into, entity by entity.

use crate::practice::PracticeSettings;
use crate::time::{Micros, Stamp};

use super::{Event, PieceInfo, ResultSummary, Setting, TakeEnd, TakeId, TakeStart};

/// A take in short; its notes live in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    /// How it began.
    pub start: TakeStart,
    /// Key-downs so far.
    pub notes: u32,
    /// The monotonic time of the first message.
    pub first: Option<Micros>,
    /// The monotonic time of the latest message.
    pub last: Option<Micros>,
    /// Messages known to be lost; a take with a gap is not graded.
    pub lost: u64,
    /// How it ended, unless it goes on.
    pub end: Option<TakeEnd>,
    /// Whether it was taken off the list.
    pub discarded: bool,
}

impl Take {
    /// From the first message to the last.
    pub fn duration(&self) -> Micros {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last - first,
            _ => Micros::ZERO,
        }
    }
}

/// A piece in the library.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Title, composer, place.
    pub info: PieceInfo,
    /// Whether it is on the list of recent pieces.
    pub recent: bool,
    /// How it was practised last.
    pub practice: Option<PracticeSettings>,
}

/// A device the program has met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name, or what is known of it.
    pub name: String,
    /// Whether it is there.
    pub connected: bool,
    /// Whether a person wants it used, if they said.
    pub enabled: Option<bool>,
}

/// The value of an entity.
#[derive(Clone, Debug, PartialEq)]
pub enum Entity {
    /// `settings/…`
    Setting(Setting),
    /// `piece/…`
    Piece(Piece),
    /// `score/…`
    Score(std::sync::Arc<[u8]>),
    /// `recorder/current`
    Recorder(Option<TakeId>),
    /// `take/…`
    Take(Take),
    /// `result/…`
    Result(Box<ResultSummary>),
    /// `device/…`
    Device(Device),
}

/// The fold: the value after an event. `None` takes the entity away. Events that do not fit the present value leave
/// it as it is; [`check`] has refused them before they came into the log.
pub(super) fn apply(event: &Event, stamp: Option<&Stamp>, current: Option<&Entity>) -> Option<Entity> {
    match (event, current) {
        (Event::SettingChanged(setting), _) => Some(Entity::Setting(setting.clone())),
        (Event::PieceOpened(info), old) => {
            let practice = match old {
                Some(Entity::Piece(piece)) => piece.practice,
                _ => None,
            };
            Some(Entity::Piece(Piece { info: info.clone(), recent: true, practice }))
        }
        (Event::PieceForgotten, Some(Entity::Piece(piece))) => {
            Some(Entity::Piece(Piece { recent: false, ..piece.clone() }))
        }
        (Event::PracticeChosen(practice), Some(Entity::Piece(piece))) => {
            Some(Entity::Piece(Piece { practice: Some(*practice), ..piece.clone() }))
        }
        (Event::ScoreStored(bytes), _) => Some(Entity::Score(bytes.as_slice().into())),
        (Event::RecorderPointed(take), _) => Some(Entity::Recorder(*take)),
        (Event::TakeStarted(start), _) => {
            let start = start.clone();
            Some(Entity::Take(Take { start, notes: 0, first: None, last: None, lost: 0, end: None, discarded: false }))
        }
        (_, Some(Entity::Take(take))) => Some(Entity::Take(apply_to_take(event, stamp, take.clone()))),
        (Event::ResultRecorded(result), _) => Some(Entity::Result(result.clone())),
        (Event::DeviceConnected(name), old) => {
            let enabled = device(old).and_then(|device| device.enabled);
            Some(Entity::Device(Device { name: name.clone(), connected: true, enabled }))
        }
        (Event::DeviceChosen { name, enabled }, old) => {
            let connected = device(old).is_some_and(|device| device.connected);
            Some(Entity::Device(Device { name: name.clone(), connected, enabled: Some(*enabled) }))
        }
        (Event::DeviceLost, Some(Entity::Device(device))) => {
            Some(Entity::Device(Device { connected: false, ..device.clone() }))
        }
        (_, current) => current.cloned(),
    }
}

fn device(entity: Option<&Entity>) -> Option<&Device> {
    match entity {
        Some(Entity::Device(device)) => Some(device),
        _ => None,
    }
}

fn apply_to_take(event: &Event, stamp: Option<&Stamp>, mut take: Take) -> Take {
    match event {
        Event::NotePlayed(played) => {
            take.notes += u32::from(played.note_on().is_some());
            if let Some(stamp) = stamp {
                take.first = take.first.or(Some(stamp.mono));
                take.last = take.last.max(Some(stamp.mono));
            }
        }
        Event::NotesLost(count) => take.lost += count,
        Event::TakeEnded(end) => take.end = Some(*end),
        Event::TakeDiscarded(discarded) => take.discarded = *discarded,
        _ => {}
    }
    take
}

/// Why an event may not happen to an entity in its present state, in words a person understands.
pub(super) fn check(event: &Event, current: Option<&Entity>) -> Result<(), &'static str> {
    let open_take = matches!(current, Some(Entity::Take(take)) if take.end.is_none());
    match event {
        Event::NotePlayed(_)
        | Event::TransportMoved(_)
        | Event::VerdictGiven(_)
        | Event::NotesLost(_)
        | Event::TakeDiscarded(_)
            if !matches!(current, Some(Entity::Take(_))) =>
        {
            Err("there is no such take")
        }
        Event::TakeEnded(_) if !open_take => Err("the take is not open"),
        Event::TakeStarted(_) if current.is_some() => Err("the take exists already"),
        Event::PieceForgotten | Event::PracticeChosen(_) if current.is_none() => Err("there is no such piece"),
        Event::SettingChanged(setting) => setting.check(),
        _ => Ok(()),
    }
}
