//! The state that the events fold into, entity by entity.

use std::collections::VecDeque;

use crate::bus::hlc::Hlc;
use crate::bus::{EventId, Lease, Leasing, Observed, Origin, Rank, Register, Totals};
use crate::music::HandEdits;
use crate::practice::PracticeSettings;
use crate::time::{Micros, WallMillis};

use super::{
    Calibration, ConnectionChoice, Event, FolderChoice, Found, Met, OutputUse, PieceInfo, ResultSummary, Setting,
    TakeEnd, TakeId, TakeOrigin, TakeStart,
};

/// A take in short; its notes live in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    /// How it began.
    pub start: TakeStart,
    /// Key-downs so far.
    pub notes: u32,
    /// The wall clock at the first key-down, where the take is recorded while it is played.
    pub began: Option<WallMillis>,
    /// The monotonic time of the first message.
    pub first: Option<Micros>,
    /// The monotonic time of the latest message.
    pub last: Option<Micros>,
    /// Messages known to be lost; a take with a gap is not graded.
    pub lost: u64,
    /// How it ended, unless it goes on.
    pub end: Option<TakeEnd>,
    /// Whether it was taken off the list.
    pub discarded: Register<bool>,
    /// What it is called: several names where several were given at the same time.
    pub names: Observed<String>,
}

impl Take {
    /// What it is called; empty if nobody named it. Names that were given at the same time stand side by side.
    pub fn name(&self) -> String {
        self.names.values().map(String::as_str).collect::<Vec<_>>().join(" / ")
    }

    /// The moment of the take: that of its first key, as far as the log tells.
    pub fn moment(&self) -> WallMillis {
        self.began.unwrap_or(self.start.at)
    }

    /// From the first message to the last.
    pub fn duration(&self) -> Micros {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last - first,
            _ => Micros::ZERO,
        }
    }
}

/// A piece in the library.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Title, composer, place, as it was opened last; nothing of one that was only found.
    pub info: Register<PieceInfo>,
    /// Its file as it was found last, if it was.
    pub found: Register<Option<Box<Found>>>,
    /// Whether it is on the list of recent pieces.
    pub recent: Register<bool>,
    /// How it was practised last.
    pub practice: Register<Option<PracticeSettings>>,
    /// What a person said about its hands.
    pub hands: Register<HandEdits>,
    /// Words by which a person finds it again.
    pub tags: Observed<String>,
    /// How long it was practised on each machine, in milliseconds.
    pub practised: Totals,
}

/// The tag of a person's favourite pieces.
pub const FAVOURITE: &str = "favourite";

impl Piece {
    /// The title.
    pub fn title(&self) -> &str {
        if self.is_opened() { &self.info.title } else { self.found.as_ref().map_or("", |found| &found.title) }
    }

    /// The composer, perhaps empty.
    pub fn composer(&self) -> &str {
        let found = self.found.as_ref().map_or("", |found| &found.composer);
        if self.is_opened() && !self.info.composer.is_empty() { &self.info.composer } else { found }
    }

    /// Where its file is, or was.
    pub fn path(&self) -> Option<&str> {
        self.found.as_ref().map(|found| &*found.path).or(self.info.path.as_deref())
    }

    /// Whether it was ever opened.
    pub fn is_opened(&self) -> bool {
        self.info.rank() != Rank::default()
    }

    /// Whether it was taken off the list, and not opened since.
    pub fn is_forgotten(&self) -> bool {
        !*self.recent && self.recent.rank() != Rank::default()
    }

    /// The events that gave it a tag; none if it has not.
    pub fn tagged_by(&self, tag: &str) -> Vec<EventId> {
        self.tags.iter().filter(|(_, known)| *known == tag).map(|(id, _)| id).collect()
    }

    /// The events by which it is a favourite; none if it is not.
    pub fn favoured_by(&self) -> Vec<EventId> {
        self.tagged_by(FAVOURITE)
    }
}

/// A device the program has met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its name, or what is known of it.
    pub name: Register<String>,
    /// Whether it is there.
    pub connected: Register<bool>,
    /// Whether a person wants it used, if they said.
    pub enabled: Register<Option<bool>>,
    /// How late it was measured to be.
    pub calibration: Register<Calibration>,
    /// What it is used for if it is a MIDI output, if they said.
    pub usage: Register<Option<OutputUse>>,
}

/// Conflicts that are kept in the state; earlier ones are in the log.
pub const CONFLICTS_MAX: usize = 64;
/// Tags of a piece, and names of a take, at most.
const OBSERVED_MAX: usize = 32;
/// Bytes of a tag or a name at most.
const NAME_BYTES_MAX: usize = 200;

/// The value of an entity.
#[derive(Clone, Debug, PartialEq)]
pub enum Entity {
    /// `settings/…`
    Setting(Register<Setting>),
    /// `piece/…`
    Piece(Piece),
    /// `folder/…`
    Folder(Register<FolderChoice>),
    /// `score/…`
    Score(std::sync::Arc<[u8]>),
    /// `recorder/current`
    Recorder(Option<TakeId>),
    /// `take/…`
    Take(Take),
    /// `result/…`
    Result(Register<Box<ResultSummary>>),
    /// `device/…`
    Device(Device),
    /// `connection/…`
    Connection(Register<ConnectionChoice>),
    /// Deleted for ever: whatever comes later, it stays so.
    Gone,
    /// `conflicts/recent`, oldest first.
    Conflicts(VecDeque<Met>),
    /// `lease/…`
    Lease(Lease),
}

/// The fold: the value after an event. `None` takes the entity away. Events that do not fit the present value leave
/// it as it is; [`check`] has refused those of this machine before they came into the log.
pub(super) fn apply(event: &Event, origin: &Origin<'_>, current: Option<&Entity>) -> Option<Entity> {
    let rank = origin.rank;
    match (event, current.cloned()) {
        (Event::Erased, _) | (_, Some(Entity::Gone)) => Some(Entity::Gone),
        (Event::SettingChanged(setting), old) => {
            let old = if let Some(Entity::Setting(register)) = old { Some(register) } else { None };
            Some(Entity::Setting(Register::rewritten(old, setting.clone(), rank)))
        }
        (Event::PieceOpened(info), None) => Some(Entity::Piece(Piece {
            info: Register::new(info.clone(), rank),
            recent: Register::new(true, rank),
            ..Piece::default()
        })),
        (Event::PieceFound(found), None) => {
            Some(Entity::Piece(Piece { found: Register::new(Some(found.clone()), rank), ..Piece::default() }))
        }
        (Event::FolderChosen(choice), old) => {
            let old = if let Some(Entity::Folder(register)) = old { Some(register) } else { None };
            Some(Entity::Folder(Register::rewritten(old, choice.clone(), rank)))
        }
        (Event::ConnectionChosen(choice), old) => {
            let old = if let Some(Entity::Connection(register)) = old { Some(register) } else { None };
            Some(Entity::Connection(Register::rewritten(old, choice.clone(), rank)))
        }
        (_, Some(Entity::Piece(piece))) => Some(Entity::Piece(apply_to_piece(event, rank, piece))),
        (Event::ScoreStored(bytes), None) => Some(Entity::Score(bytes.as_slice().into())),
        (Event::RecorderPointed(take), _) => Some(Entity::Recorder(*take)),
        (Event::TakeStarted(start), None) => Some(Entity::Take(Take {
            start: start.clone(),
            notes: 0,
            began: None,
            first: None,
            last: None,
            lost: 0,
            end: None,
            discarded: Register::default(),
            names: Observed::default(),
        })),
        (_, Some(Entity::Take(take))) => Some(Entity::Take(apply_to_take(event, origin, take))),
        (Event::ResultRecorded(result), old) => {
            let old = if let Some(Entity::Result(register)) = old { Some(register) } else { None };
            Some(Entity::Result(Register::rewritten(old, result.clone(), rank)))
        }
        (
            Event::DeviceConnected(_)
            | Event::DeviceChosen { .. }
            | Event::OutputChosen { .. }
            | Event::DeviceCalibrated(_),
            None,
        ) => Some(Entity::Device(apply_to_device(event, rank, Device::default()))),
        (_, Some(Entity::Device(device))) => Some(Entity::Device(apply_to_device(event, rank, device))),
        (Event::EditsMet(met), old) => {
            let mut all = match old {
                Some(Entity::Conflicts(all)) => all,
                _ => VecDeque::new(),
            };
            if all.len() == CONFLICTS_MAX {
                all.pop_front();
            }
            all.push_back(met.clone());
            Some(Entity::Conflicts(all))
        }
        (Event::Leasing(Leasing::Taken(lease)), None | Some(Entity::Lease(_))) => Some(Entity::Lease(lease.clone())),
        (Event::Leasing(Leasing::Ended), Some(Entity::Lease(_))) => None,
        (_, current) => current,
    }
}

fn apply_to_piece(event: &Event, rank: Rank, mut piece: Piece) -> Piece {
    match event {
        Event::PieceOpened(info) => {
            piece.info.write(info.clone(), rank);
            piece.recent.write(true, rank);
        }
        Event::PieceFound(found) => drop(piece.found.write(Some(found.clone()), rank)),
        Event::PieceForgotten => drop(piece.recent.write(false, rank)),
        Event::PracticeChosen(practice) => drop(piece.practice.write(Some(*practice), rank)),
        Event::HandsChosen(hands) => drop(piece.hands.write(hands.clone(), rank)),
        Event::PieceTagged(tag) => piece.tags.add(rank.id, tag.clone()),
        Event::PieceUntagged(seen) => piece.tags.remove(seen),
        Event::PractiseCounted(total) => piece.practised.raise(rank.id.device, *total),
        _ => {}
    }
    piece
}

fn apply_to_device(event: &Event, rank: Rank, mut device: Device) -> Device {
    match event {
        Event::DeviceConnected(name) => {
            device.name.write(name.clone(), rank);
            device.connected.write(true, rank);
        }
        Event::DeviceChosen { name, enabled } => {
            device.name.write(name.clone(), rank);
            device.enabled.write(Some(*enabled), rank);
        }
        Event::OutputChosen { name, usage } => {
            device.name.write(name.clone(), rank);
            device.usage.write(Some(*usage), rank);
        }
        Event::DeviceLost => drop(device.connected.write(false, rank)),
        Event::DeviceCalibrated(calibration) => {
            device.name.write(calibration.name.clone(), rank);
            device.calibration.write(calibration.clone(), rank);
        }
        _ => {}
    }
    device
}

fn apply_to_take(event: &Event, origin: &Origin<'_>, mut take: Take) -> Take {
    match event {
        Event::NotePlayed(played) => {
            if played.note_on().is_some() {
                take.notes += 1;
                if take.start.origin == TakeOrigin::Played {
                    let at = Hlc::wall(origin.rank.hlc);
                    take.began = Some(take.began.map_or(at, |began| began.min(at)));
                }
            }
            if let Some(stamp) = origin.stamp {
                take.first = Some(take.first.map_or(stamp.mono, |first| first.min(stamp.mono)));
                take.last = take.last.max(Some(stamp.mono));
            }
        }
        Event::NotesLost(count) => take.lost += count,
        Event::TakeEnded(end) => take.end = take.end.max(Some(*end)),
        Event::TakeDiscarded(discarded) => drop(take.discarded.write(*discarded, origin.rank)),
        Event::TakeNamed { name, seen } => {
            take.names.remove(seen);
            if !name.is_empty() {
                take.names.add(origin.rank.id, name.clone());
            }
        }
        _ => {}
    }
    take
}

/// Who wrote last what an event writes.
pub(super) fn rival(event: &Event, current: Option<&Entity>) -> Option<Rank> {
    let rank = match (event, current?) {
        (Event::SettingChanged(_), Entity::Setting(register)) => register.rank(),
        (Event::PieceOpened(_), Entity::Piece(piece)) => piece.info.rank(),
        (Event::PieceFound(_), Entity::Piece(piece)) => piece.found.rank(),
        (Event::FolderChosen(_), Entity::Folder(register)) => register.rank(),
        (Event::ConnectionChosen(_), Entity::Connection(register)) => register.rank(),
        (Event::PieceForgotten, Entity::Piece(piece)) => piece.recent.rank(),
        (Event::PracticeChosen(_), Entity::Piece(piece)) => piece.practice.rank(),
        (Event::HandsChosen(_), Entity::Piece(piece)) => piece.hands.rank(),
        (Event::TakeDiscarded(_), Entity::Take(take)) => take.discarded.rank(),
        (Event::TakeNamed { seen, .. }, Entity::Take(take)) => {
            let id = take.names.iter().map(|(id, _)| id).filter(|id| !seen.contains(id)).max()?;
            Rank { hlc: 0, id }
        }
        (Event::ResultRecorded(_), Entity::Result(register)) => register.rank(),
        (Event::DeviceConnected(_) | Event::DeviceLost, Entity::Device(device)) => device.connected.rank(),
        (Event::DeviceChosen { .. }, Entity::Device(device)) => device.enabled.rank(),
        (Event::DeviceCalibrated(_), Entity::Device(device)) => device.calibration.rank(),
        (Event::OutputChosen { .. }, Entity::Device(device)) => device.usage.rank(),
        _ => return None,
    };
    (rank != Rank::default()).then_some(rank)
}

/// Events that an event names.
pub(super) fn names(event: &Event) -> &[EventId] {
    match event {
        Event::PieceUntagged(seen) | Event::TakeNamed { seen, .. } => seen,
        _ => &[],
    }
}

fn observed(current: Option<&Entity>) -> usize {
    match current {
        Some(Entity::Piece(piece)) => piece.tags.len(),
        Some(Entity::Take(take)) => take.names.len(),
        _ => 0,
    }
}

/// Why an event may not happen to an entity in its present state, in words a person understands.
pub(super) fn check(event: &Event, current: Option<&Entity>) -> Result<(), &'static str> {
    let open_take = matches!(current, Some(Entity::Take(take)) if take.end.is_none());
    match event {
        Event::NotePlayed(_)
        | Event::LatencyChanged(_)
        | Event::SoundInterrupted(_)
        | Event::TransportMoved(_)
        | Event::VerdictGiven(_)
        | Event::NotesLost(_)
        | Event::TakeDiscarded(_)
        | Event::TakeNamed { .. }
            if !matches!(current, Some(Entity::Take(_))) =>
        {
            Err("there is no such take")
        }
        Event::Erased if open_take => Err("the take is being recorded"),
        Event::Erased if !matches!(current, None | Some(Entity::Take(_) | Entity::Result(_))) => {
            Err("there is nothing to erase")
        }
        _ if matches!(current, Some(Entity::Gone)) => Err("it was deleted for ever"),
        Event::TakeEnded(_) if !open_take => Err("the take is not open"),
        Event::TakeStarted(_) if current.is_some() => Err("the take exists already"),
        Event::PieceForgotten
        | Event::PracticeChosen(_)
        | Event::HandsChosen(_)
        | Event::PieceTagged(_)
        | Event::PieceUntagged(_)
        | Event::PractiseCounted(_)
            if !matches!(current, Some(Entity::Piece(_))) =>
        {
            Err("there is no such piece")
        }
        Event::PieceTagged(name) | Event::TakeNamed { name, .. } if name.len() > NAME_BYTES_MAX => {
            Err("a name has 200 bytes at most")
        }
        Event::PieceTagged(_) if observed(current) >= OBSERVED_MAX => Err("there are 32 tags already"),
        Event::TakeNamed { seen, .. } if observed(current).saturating_sub(seen.len()) >= OBSERVED_MAX => {
            Err("there are 32 names already")
        }
        Event::HandsChosen(hands) => hands.check(),
        Event::SettingChanged(setting) => setting.check(),
        Event::OutputChosen { usage, .. } => usage.check(),
        Event::FolderChosen(choice) => choice.check(),
        Event::ConnectionChosen(choice) => choice.check(),
        _ => Ok(()),
    }
}
