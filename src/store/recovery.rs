//! Recovery of a damaged data folder: what is wrong, which ways lead out, what each keeps and loses, and going one of
//! them. The damaged folder is never written to: what was kept of it is made beside it and takes its place, and it stays
//! under another name.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::backup::{Restored, backups_in, make_anew, partial_name, restore, swap_in};
use super::open::{OpenError, OpenOptions, open, open_read_only, storage_error, take_lock};
use super::salvage::{Devices, Salvage};
use super::verify::{DAMAGES_MAX, Damage};
use crate::bus::hlc::Hlc;
use crate::bus::model::Model;
use crate::bus::rebuild::{Rebuild, RebuildError};
use crate::bus::rows::{clamped, compacted_row, device_row, is_peer_row, peer_row};
use crate::bus::storage::{
    DeviceId, EventId, Header, Payload, Row, StateRow, StorageError, StorageReader, StoredEvent, Table,
};
use crate::time::WallMillis;

/// What stands in the log for an event that was lost: its topic, its schema, and who says so.
pub const LOST_TOPIC: &str = "event.lost";
/// The entity that such events are of.
const LOST_ENTITY: &str = "recovery/lost";

/// Surveys made again because a program at work wrote meanwhile.
const SURVEYS: usize = 3;

/// A way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The log is whole: everything else is made anew from it.
    Rebuild,
    /// What cannot be read is left out, and what came after it is kept.
    Bridge,
    /// The log ends before the first event that cannot be read.
    Cut,
    /// A copy takes the folder's place.
    Backup(PathBuf),
    /// An empty folder takes its place.
    Afresh,
}

/// A way out and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The way.
    pub way: Way,
    /// Events kept.
    pub keeps: u64,
    /// Events lost; none if that cannot be told.
    pub loses: Option<u64>,
    /// When the last event kept was made; zero if there is none.
    pub until: WallMillis,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The first of the places that cannot be read, at most [`DAMAGES_MAX`].
    pub damages: Vec<Damage>,
    /// The ways out, that with the least loss first.
    pub offers: Vec<Offer>,
}

/// What a recovery did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Events kept.
    pub events: u64,
    /// Where the damaged folder is now.
    pub before: Option<PathBuf>,
}

/// Reads a folder as far as it can be read. The program that has it open must not write meanwhile.
///
/// # Errors
/// There is no such folder, or nothing in it can be read and there is no backup.
pub fn diagnose(dir: &Path) -> Result<Diagnosis, OpenError> {
    let mut found = Diagnosis::default();
    let mut surveyed = survey(dir);
    for _ in 1..SURVEYS {
        // A program at work wrote meanwhile: what was seen may be of two commits.
        if !matches!(surveyed, Ok((_, false))) {
            break;
        }
        surveyed = survey(dir);
    }
    let last = match &surveyed {
        Ok((survey, _)) if survey.readable > 0 => Some(survey.last),
        _ => None,
    };
    if let Ok((survey, _)) = &surveyed {
        found.damages = survey.damages.clone();
        found.offers = survey.offers();
    }
    for (path, events, until) in backups_in(dir) {
        let loses = last.map(|last| last.saturating_sub(events));
        found.offers.push(Offer { way: Way::Backup(path), keeps: events, loses, until });
    }
    found.offers.sort_by_key(|offer| offer.loses.unwrap_or(u64::MAX));
    if found.offers.is_empty() && surveyed.is_ok() {
        found.offers.push(Offer { way: Way::Afresh, keeps: 0, loses: None, until: WallMillis(0) });
    }
    match surveyed {
        Err(error) if found.offers.is_empty() => Err(error),
        Err(error) => {
            found.damages.push(Damage { place: dir.display().to_string(), what: error.to_string() });
            Ok(found)
        }
        Ok(_) => Ok(found),
    }
}

/// What can be read, and whether nobody wrote meanwhile.
fn survey(dir: &Path) -> Result<(Survey, bool), OpenError> {
    let mut salvage = Salvage::open(dir)?;
    let survey = Survey::make(&mut salvage);
    Ok((survey, salvage.is_current()))
}

/// Goes a way that [`diagnose`] offered.
///
/// # Errors
/// The folder is in use, the way is not there any more, or the disk fails. The folder is then as it was.
pub fn recover<M: Model>(dir: &Path, way: &Way) -> Result<Recovered, OpenError> {
    if let Way::Backup(path) = way {
        let Restored { before, .. } = restore(path, dir)?;
        let events = open_read_only(dir)?.last().map_err(|e| storage_error(dir, e))?.seq;
        return Ok(Recovered { events, before });
    }
    let located = |e| storage_error(dir, e);
    let io = |e: std::io::Error| OpenError::Io { dir: dir.into(), what: e.to_string() };
    let (lock, _) = take_lock(dir)?;
    let mut salvage = Salvage::open(dir)?;
    let plan = Plan::make(&mut salvage, way).map_err(located)?;
    let partial = partial_name(dir).map_err(located)?;
    make_anew(&partial).map_err(io)?;
    let made = fill::<M>(&mut salvage, plan, &partial).map_err(|e| match e {
        FillError::Open(error) => error,
        FillError::Rebuild(error) => located(StorageError::Unusable(error.to_string())),
    });
    let swapped = made.and_then(|events| {
        let before = swap_in(&partial, dir).map_err(io)?;
        Ok(Recovered { events, before })
    });
    if swapped.is_err() {
        // The error that matters is the first one.
        let _ = std::fs::remove_dir_all(&partial);
    }
    drop(lock);
    swapped
}

/// The log as it can be read.
#[derive(Default)]
struct Survey {
    damages: Vec<Damage>,
    devices: Devices,
    /// Events that can be read, the last of them, and the last that there ever was.
    readable: u64,
    last_readable: u64,
    last: u64,
    until: WallMillis,
    /// Up to here nothing is missing.
    whole: u64,
    whole_until: WallMillis,
    /// The first event after the last hole.
    after_holes: u64,
    /// Whether what is missing can be numbered: all events are of one machine.
    numbered: bool,
}

impl Survey {
    fn make(salvage: &mut Salvage) -> Self {
        let mut survey = Self { numbered: true, ..Self::default() };
        let mut machine = None;
        let mut damages = salvage.events(&mut |StoredEvent { header, .. }| {
            let Header { seq, id, hlc, .. } = header;
            survey.readable += 1;
            survey.devices.count(id.device);
            let place = (id.device, seq.wrapping_sub(id.device_seq));
            survey.numbered &= *machine.get_or_insert(place) == place;
            if seq != survey.last_readable + 1 {
                survey.after_holes = seq;
            }
            survey.last_readable = seq;
            survey.until = Hlc::wall(hlc);
            if survey.after_holes == 0 {
                (survey.whole, survey.whole_until) = (seq, survey.until);
            }
        });
        damages.extend(salvage.small().1);
        damages.extend(salvage.state().err().into_iter().flatten());
        // A page that several tables hang on is one damage.
        let mut seen = HashSet::new();
        damages.retain(|damage| !damage.what.starts_with("page ") || seen.insert(damage.what.clone()));
        damages.truncate(DAMAGES_MAX);
        survey.damages = damages;
        survey.last = salvage.indexed_after(survey.last_readable);
        survey
    }

    fn offers(&self) -> Vec<Offer> {
        let offer = |way, keeps, until| Offer { way, keeps, loses: Some(self.last - keeps), until };
        match () {
            () if self.readable == 0 => Vec::new(),
            () if self.whole == self.last => vec![offer(Way::Rebuild, self.last, self.until)],
            () => {
                let cut = (self.whole > 0).then(|| offer(Way::Cut, self.whole, self.whole_until));
                let bridge = self.after_holes > 0 && self.numbered;
                let bridge = bridge.then(|| offer(Way::Bridge, self.readable, self.until));
                bridge.into_iter().chain(cut).collect()
            }
        }
    }
}

/// What is taken over of a damaged folder.
struct Plan {
    device: Option<DeviceId>,
    /// The last event.
    end: u64,
    /// Events taken over so far.
    kept: u64,
    /// Events after which the values of the entities are set, and those: snapshots that have what cannot be folded any
    /// more, because it was compacted away or is in a hole.
    bases: Vec<(u64, Vec<StateRow>)>,
    /// Entities by their last event: if that is lost, its value is not.
    owners: HashMap<EventId, StateRow>,
    rows: Vec<Row>,
}

impl Plan {
    fn make(salvage: &mut Salvage, way: &Way) -> Result<Self, StorageError> {
        let survey = Survey::make(salvage);
        let end = match way {
            Way::Rebuild | Way::Bridge => survey.last_readable,
            Way::Cut | Way::Backup(_) | Way::Afresh => survey.whole,
        };
        let offered = match way {
            Way::Afresh => survey.readable == 0,
            way => survey.offers().iter().any(|offer| offer.way == *way),
        };
        if !offered {
            return Err(StorageError::Unusable("there is no such way out of what is damaged".to_owned()));
        }
        let (rows, damages) = salvage.small();
        let state = salvage.state().ok();
        let mut plan = Self {
            device: survey.devices.most(),
            end,
            kept: 0,
            bases: Vec::new(),
            owners: HashMap::new(),
            rows: Vec::new(),
        };
        let mut compacted = 0;
        for row in rows {
            match row.value.as_deref().map(<[u8; 8]>::try_from) {
                Some(Ok(value)) if row.key == compacted_row(0).key => compacted = u64::from_be_bytes(value),
                Some(Ok(value)) if row.key == device_row(DeviceId(0)).key => {
                    plan.device = Some(DeviceId(u64::from_be_bytes(value)));
                }
                // What is known of other machines is counted again.
                _ if row.table == Table::Meta && is_peer_row(&row.key) => {}
                _ => plan.rows.extend(clamped(row, end)),
            }
        }
        let snapshots: Vec<u64> = salvage.snapshots().into_iter().filter(|seq| *seq <= end).collect();
        if compacted == 0 && damages.iter().any(|damage| damage.place.starts_with("meta")) {
            // It may have been: then the oldest snapshot is the one that it was compacted to.
            compacted = snapshots.first().copied().unwrap_or(0);
        }
        let holes = if *way == Way::Bridge { survey.after_holes } else { 0 };
        for first in [compacted, holes].into_iter().filter(|first| *first > 0) {
            let state = || state.clone().filter(|_| end == survey.last).map(|rows| (end, rows));
            let kept = snapshots.iter().find(|seq| **seq >= first).map(|seq| (*seq, salvage.snapshot(*seq)));
            plan.bases.extend(kept.or_else(state));
        }
        plan.bases.dedup_by_key(|(seq, _)| *seq);
        if *way == Way::Bridge {
            let last = |row: StateRow| (row.last, row);
            plan.owners = state.into_iter().flatten().map(last).collect();
        }
        Ok(plan)
    }
}

enum FillError {
    Open(OpenError),
    Rebuild(RebuildError),
}

impl From<RebuildError> for FillError {
    fn from(error: RebuildError) -> Self {
        Self::Rebuild(error)
    }
}

/// Makes the new folder; gives how many events it took over.
fn fill<M: Model>(salvage: &mut Salvage, mut plan: Plan, partial: &Path) -> Result<u64, FillError> {
    let options = OpenOptions { device: plan.device, ..OpenOptions::default() };
    let mut opened = open(partial, options).map_err(FillError::Open)?;
    let mut rebuild = Rebuild::<M>::new(&mut opened.storage).map_err(RebuildError::Storage)?;
    let mut failed = None;
    salvage.events(&mut |event| {
        if failed.is_none() && event.header.seq <= plan.end {
            failed = take_over(&mut rebuild, event, &mut plan).err();
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    plan.rows.iter().for_each(|row| rebuild.row(row.clone()));
    let numbers = rebuild.folded().numbers.clone();
    let others = numbers.into_iter().filter(|(device, _)| Some(*device) != plan.device);
    others.for_each(|(device, number)| rebuild.row(peer_row(device, number)));
    rebuild.finish()?;
    Ok(plan.kept)
}

fn next_version<M: Model>(rebuild: &Rebuild<'_, M>, entity: &str) -> u64 {
    rebuild.folded().entities.get(entity).map_or(0, |entity| entity.version) + 1
}

/// One event, after what is missing before it; and the values of a snapshot where it is one's.
fn take_over<M: Model>(
    rebuild: &mut Rebuild<'_, M>,
    mut event: StoredEvent,
    plan: &mut Plan,
) -> Result<(), RebuildError> {
    let back = event.header.seq.wrapping_sub(event.header.id.device_seq);
    for seq in rebuild.folded().end.seq + 1..event.header.seq {
        let id = EventId { device: event.header.id.device, device_seq: seq.wrapping_sub(back) };
        let owner = plan.owners.remove(&id);
        let entity = owner.as_ref().map_or(LOST_ENTITY, |row| &row.entity);
        let header = Header {
            seq,
            id,
            topic: LOST_TOPIC.into(),
            entity: entity.into(),
            version: next_version(rebuild, entity),
            base: None,
            hlc: rebuild.folded().end.hlc,
            stamp: None,
            cause: None,
            actor: "recovery".into(),
            schema: LOST_TOPIC.into(),
            schema_version: 1,
        };
        rebuild.event(StoredEvent { header, payload: Payload::Stub { digest: [0; 16] } })?;
        if let Some(StateRow { entity, topic, value, .. }) = owner {
            rebuild.value(&entity, &topic, value.as_deref())?;
            rebuild.row(compacted_row(seq));
        }
    }
    // One more than before it, also when events of its entity are missing.
    event.header.version = next_version(rebuild, &event.header.entity);
    let seq = event.header.seq;
    rebuild.event(event)?;
    plan.kept += 1;
    if let Some((at, rows)) = plan.bases.iter().find(|(at, _)| *at == seq) {
        // An entity of which no event is left cannot be told of.
        let known = rows.iter().filter(|row| rebuild.folded().entities.contains_key(&*row.entity)).collect::<Vec<_>>();
        for row in known {
            rebuild.value(&row.entity, &row.topic, row.value.as_deref())?;
        }
        rebuild.row(compacted_row(*at));
    }
    Ok(())
}
