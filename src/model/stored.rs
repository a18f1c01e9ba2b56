//! The stored forms of events and entities, apart from the domain types so that either can change without the other.
//! MessagePack with named fields: a field can be added with a default, an unknown one is ignored.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bus::{Decoded, EventId, Observed, Register, Totals};
use crate::music::{HandEdits, Percent};
use crate::practice::{PlayedId, PracticeSettings, Verdict, VerdictKind};
use crate::time::{Micros, Rate, Ticks, WallMillis};

use super::{
    Calibration, Device, Entity, Event, Found, OutputUse, Piece, PieceId, PieceInfo, Played, Take, TakeEnd, TakeId,
    TakeOrigin, TakeStart, TransportChange, TransportMoved,
};

#[derive(Default, Serialize, Deserialize)]
struct StoredPieceInfo {
    title: String,
    composer: String,
    #[serde(default)]
    path: Option<String>,
    opened: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredBytes {
    #[serde(with = "bytes")]
    content: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct StoredRecorder {
    take: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct StoredTakeStart {
    at: i64,
    piece: Option<Box<str>>,
    practice: Option<PracticeSettings>,
    /// Microseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    latency: i64,
    #[serde(default, skip_serializing_if = "HandEdits::is_empty")]
    hands: HandEdits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<StoredOrigin>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredOrigin {
    Played,
    Kept,
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[derive(Serialize, Deserialize)]
struct StoredPlayed {
    source: u16,
    status: u8,
    data1: u8,
    data2: u8,
}

#[derive(Serialize, Deserialize)]
struct StoredLost {
    lost: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredInterrupted {
    times: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredLatency {
    latency_micros: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredTransport {
    rate: u32,
    #[serde(flatten)]
    change: StoredChange,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
enum StoredChange {
    Runs { place: i64, speed: Percent },
    Bar,
    Sought { tick: Ticks },
    Looped { pass: u32 },
    Waits { tick: Ticks },
    Stopped,
    Ended,
}

#[derive(Serialize, Deserialize)]
struct StoredVerdict {
    pass: u32,
    played: Option<u64>,
    written: Option<u32>,
    kind: VerdictKind,
    deviation_micros: Option<i64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredEnd {
    Completed,
    Stopped,
    Interrupted,
}

#[derive(Serialize, Deserialize)]
struct StoredTakeEnd {
    end: StoredEnd,
}

#[derive(Serialize, Deserialize)]
struct StoredDiscarded {
    discarded: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredName {
    name: String,
}

#[derive(Serialize, Deserialize)]
struct StoredChoice {
    name: String,
    enabled: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredUse {
    name: String,
    usage: OutputUse,
}

#[derive(Serialize, Deserialize)]
struct StoredHands {
    hands: HandEdits,
}

#[derive(Serialize, Deserialize)]
struct StoredTag {
    tag: String,
}

#[derive(Serialize, Deserialize)]
struct StoredSeen {
    seen: Vec<EventId>,
}

#[derive(Serialize, Deserialize)]
struct StoredTotal {
    millis: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredNaming {
    name: String,
    seen: Vec<EventId>,
}

#[derive(Serialize, Deserialize)]
struct Nothing {}

#[derive(Serialize, Deserialize)]
struct StoredTake {
    start: StoredTakeStart,
    notes: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<i64>,
    first: Option<i64>,
    last: Option<i64>,
    lost: u64,
    end: Option<StoredEnd>,
    discarded: Register<bool>,
    names: Observed<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredPiece {
    info: Register<StoredPieceInfo>,
    recent: Register<bool>,
    practice: Register<Option<PracticeSettings>>,
    #[serde(default)]
    hands: Register<HandEdits>,
    tags: Observed<String>,
    practised: Totals,
    #[serde(default)]
    found: Register<Option<Box<Found>>>,
}

#[derive(Serialize, Deserialize)]
struct StoredDevice {
    name: Register<String>,
    connected: Register<bool>,
    enabled: Register<Option<bool>>,
    #[serde(default)]
    usage: Register<Option<OutputUse>>,
    #[serde(default)]
    calibration: Register<StoredCalibration>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct StoredCalibration {
    name: String,
    loopback_micros: Option<i64>,
    tapped_micros: Option<i64>,
}

/// Byte strings as MessagePack `bin`, not as a list of numbers.
mod bytes {
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(bytes.to_vec())
            }
            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

fn pack<T: Serialize>(value: &T) -> Vec<u8> {
    // Writing plain data into memory cannot fail.
    rmp_serde::to_vec_named(value).unwrap_or_default()
}

fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(bytes).map_err(|e| e.to_string())
}

pub(super) fn encode(event: &Event) -> Vec<u8> {
    match event {
        Event::SettingChanged(setting) => pack(setting),
        Event::PieceOpened(info) => pack(&store_info(info)),
        Event::PieceForgotten | Event::DeviceLost | Event::Erased => pack(&Nothing {}),
        Event::PracticeChosen(practice) => pack(practice),
        Event::HandsChosen(hands) => pack(&StoredHands { hands: hands.clone() }),
        Event::PieceTagged(tag) => pack(&StoredTag { tag: tag.clone() }),
        Event::PieceUntagged(seen) => pack(&StoredSeen { seen: seen.clone() }),
        Event::PractiseCounted(millis) => pack(&StoredTotal { millis: *millis }),
        Event::PieceFound(found) => pack(&**found),
        Event::FolderChosen(choice) => pack(choice),
        Event::ScoreStored(content) => pack(&StoredBytes { content: content.clone() }),
        Event::RecorderPointed(take) => pack(&StoredRecorder { take: take.map(|t| t.0) }),
        Event::TakeStarted(start) => pack(&store_start(start)),
        Event::NotePlayed(played) => {
            let [status, data1, data2] = played.data;
            pack(&StoredPlayed { source: played.source, status, data1, data2 })
        }
        Event::NotesLost(lost) => pack(&StoredLost { lost: *lost }),
        Event::SoundInterrupted(times) => pack(&StoredInterrupted { times: *times }),
        Event::LatencyChanged(latency) => pack(&StoredLatency { latency_micros: latency.0 }),
        Event::TransportMoved(moved) => {
            pack(&StoredTransport { rate: moved.rate.0, change: store_change(moved.change) })
        }
        Event::VerdictGiven(verdict) => pack(&StoredVerdict {
            pass: verdict.pass,
            played: verdict.played.map(|p| p.0),
            written: verdict.written.map(|w| w.0),
            kind: verdict.kind,
            deviation_micros: verdict.deviation.map(|d| d.0),
        }),
        Event::TakeDiscarded(discarded) => pack(&StoredDiscarded { discarded: *discarded }),
        Event::TakeEnded(end) => pack(&StoredTakeEnd { end: store_end(*end) }),
        Event::ResultRecorded(result) => pack(&**result),
        Event::DeviceConnected(name) => pack(&StoredName { name: name.clone() }),
        Event::DeviceChosen { name, enabled } => pack(&StoredChoice { name: name.clone(), enabled: *enabled }),
        Event::DeviceCalibrated(calibration) => pack(&store_calibration(calibration)),
        Event::OutputChosen { name, usage } => pack(&StoredUse { name: name.clone(), usage: *usage }),
        Event::ConnectionChosen(choice) => pack(choice),
        Event::TakeNamed { name, seen } => pack(&StoredNaming { name: name.clone(), seen: seen.clone() }),
        Event::EditsMet(met) => pack(met),
        Event::Leasing(leasing) => pack(leasing),
    }
}

pub(super) fn decode(schema: &str, version: u16, bytes: &[u8]) -> Result<Decoded<Event>, String> {
    if version != 1 {
        return Ok(Decoded::Unknown);
    }
    Ok(Decoded::Known(match schema {
        "setting.changed" => Event::SettingChanged(unpack(bytes)?),
        "piece.opened" => Event::PieceOpened(load_info(unpack(bytes)?)),
        "piece.forgotten" => unpack::<Nothing>(bytes).map(|_| Event::PieceForgotten)?,
        "practice.chosen" => Event::PracticeChosen(unpack(bytes)?),
        "hands.chosen" => Event::HandsChosen(unpack::<StoredHands>(bytes)?.hands),
        "piece.tagged" => Event::PieceTagged(unpack::<StoredTag>(bytes)?.tag),
        "piece.untagged" => Event::PieceUntagged(unpack::<StoredSeen>(bytes)?.seen),
        "practise.counted" => Event::PractiseCounted(unpack::<StoredTotal>(bytes)?.millis),
        "piece.found" => Event::PieceFound(Box::new(unpack(bytes)?)),
        "folder.chosen" => Event::FolderChosen(unpack(bytes)?),
        "score.stored" => Event::ScoreStored(unpack::<StoredBytes>(bytes)?.content),
        "recorder.pointed" => Event::RecorderPointed(unpack::<StoredRecorder>(bytes)?.take.map(TakeId)),
        "take.started" => Event::TakeStarted(load_start(unpack(bytes)?)),
        "note.played" => {
            let StoredPlayed { source, status, data1, data2 } = unpack(bytes)?;
            Event::NotePlayed(Played { source, data: [status, data1, data2] })
        }
        "notes.lost" => Event::NotesLost(unpack::<StoredLost>(bytes)?.lost),
        "sound.interrupted" => Event::SoundInterrupted(unpack::<StoredInterrupted>(bytes)?.times),
        "latency.changed" => Event::LatencyChanged(Micros(unpack::<StoredLatency>(bytes)?.latency_micros)),
        "transport.moved" => {
            let StoredTransport { rate, change } = unpack(bytes)?;
            Event::TransportMoved(TransportMoved { change: load_change(change), rate: Rate(rate.max(1)) })
        }
        "verdict.given" => Event::VerdictGiven(load_verdict(&unpack(bytes)?)),
        "take.ended" => Event::TakeEnded(load_end(unpack::<StoredTakeEnd>(bytes)?.end)),
        "take.discarded" => Event::TakeDiscarded(unpack::<StoredDiscarded>(bytes)?.discarded),
        "result.recorded" => Event::ResultRecorded(Box::new(unpack(bytes)?)),
        "device.connected" => Event::DeviceConnected(unpack::<StoredName>(bytes)?.name),
        "device.calibrated" => Event::DeviceCalibrated(load_calibration(unpack(bytes)?)),
        "device.lost" => unpack::<Nothing>(bytes).map(|_| Event::DeviceLost)?,
        "device.chosen" => {
            let StoredChoice { name, enabled } = unpack(bytes)?;
            Event::DeviceChosen { name, enabled }
        }
        "output.chosen" => {
            let StoredUse { name, usage } = unpack(bytes)?;
            Event::OutputChosen { name, usage }
        }
        "connection.chosen" => Event::ConnectionChosen(unpack(bytes)?),
        "take.named" => {
            let StoredNaming { name, seen } = unpack(bytes)?;
            Event::TakeNamed { name, seen }
        }
        "entity.erased" => unpack::<Nothing>(bytes).map(|_| Event::Erased)?,
        "edits.met" => Event::EditsMet(unpack(bytes)?),
        "edit.leased" => Event::Leasing(unpack(bytes)?),
        _ => return Ok(Decoded::Unknown),
    }))
}

pub(super) fn encode_entity(entity: &Entity) -> Vec<u8> {
    match entity {
        Entity::Setting(setting) => pack(setting),
        Entity::Piece(piece) => {
            let Piece { info, recent, practice, hands, tags, practised, found } = piece.clone();
            let info = info.transform(|info| store_info(&info));
            pack(&StoredPiece { info, recent, practice, hands, tags, practised, found })
        }
        Entity::Folder(choice) => pack(choice),
        Entity::Score(content) => pack(&StoredBytes { content: content.to_vec() }),
        Entity::Recorder(take) => pack(&StoredRecorder { take: take.map(|t| t.0) }),
        Entity::Take(take) => pack(&StoredTake {
            start: store_start(&take.start),
            notes: take.notes,
            began: take.began.map(|at| at.0),
            first: take.first.map(|t| t.0),
            last: take.last.map(|t| t.0),
            lost: take.lost,
            end: take.end.map(store_end),
            discarded: take.discarded,
            names: take.names.clone(),
        }),
        Entity::Result(result) => pack(result),
        Entity::Device(device) => {
            let Device { name, connected, enabled, usage, calibration } = device.clone();
            let calibration = calibration.transform(|calibration| store_calibration(&calibration));
            pack(&StoredDevice { name, connected, enabled, usage, calibration })
        }
        Entity::Connection(choice) => pack(choice),
        Entity::Conflicts(all) => pack(all),
        Entity::Lease(lease) => pack(lease),
        Entity::Gone => Vec::new(),
    }
}

pub(super) fn decode_entity(key: &str, bytes: &[u8]) -> Result<Entity, String> {
    if bytes.is_empty() {
        return Ok(Entity::Gone);
    }
    let kind = key.split('/').next().unwrap_or_default();
    Ok(match kind {
        "settings" => Entity::Setting(unpack(bytes)?),
        "piece" => {
            let StoredPiece { info, recent, practice, hands, tags, practised, found } = unpack(bytes)?;
            Entity::Piece(Piece { info: info.transform(load_info), recent, practice, hands, tags, practised, found })
        }
        "folder" => Entity::Folder(unpack(bytes)?),
        "score" => Entity::Score(unpack::<StoredBytes>(bytes)?.content.into()),
        "recorder" => Entity::Recorder(unpack::<StoredRecorder>(bytes)?.take.map(TakeId)),
        "take" => {
            let StoredTake { start, notes, began, first, last, lost, end, discarded, names } = unpack(bytes)?;
            let (began, first, last) = (began.map(WallMillis), first.map(Micros), last.map(Micros));
            let (start, end) = (load_start(start), end.map(load_end));
            Entity::Take(Take { start, notes, began, first, last, lost, end, discarded, names })
        }
        "result" => Entity::Result(unpack(bytes)?),
        "connection" => Entity::Connection(unpack(bytes)?),
        "conflicts" => Entity::Conflicts(unpack(bytes)?),
        "lease" => Entity::Lease(unpack(bytes)?),
        "device" => {
            let StoredDevice { name, connected, enabled, usage, calibration } = unpack(bytes)?;
            Entity::Device(Device {
                name,
                connected,
                enabled,
                usage,
                calibration: calibration.transform(load_calibration),
            })
        }
        _ => return Err(format!("an entity of an unknown kind: {kind}")),
    })
}

fn store_calibration(calibration: &Calibration) -> StoredCalibration {
    let Calibration { name, loopback, tapped } = calibration.clone();
    StoredCalibration { name, loopback_micros: loopback.map(|m| m.0), tapped_micros: tapped.map(|m| m.0) }
}

fn load_calibration(stored: StoredCalibration) -> Calibration {
    let StoredCalibration { name, loopback_micros, tapped_micros } = stored;
    Calibration { name, loopback: loopback_micros.map(Micros), tapped: tapped_micros.map(Micros) }
}

fn store_info(info: &PieceInfo) -> StoredPieceInfo {
    let PieceInfo { title, composer, path, opened } = info.clone();
    StoredPieceInfo { title, composer, path, opened: opened.0 }
}

fn load_info(stored: StoredPieceInfo) -> PieceInfo {
    let StoredPieceInfo { title, composer, path, opened } = stored;
    PieceInfo { title, composer, path, opened: WallMillis(opened) }
}

fn store_start(start: &TakeStart) -> StoredTakeStart {
    StoredTakeStart {
        at: start.at.0,
        piece: start.piece.as_ref().map(|p| p.0.clone()),
        practice: start.practice,
        latency: start.latency.0,
        origin: match start.origin {
            TakeOrigin::Unsaid => None,
            TakeOrigin::Played => Some(StoredOrigin::Played),
            TakeOrigin::Kept => Some(StoredOrigin::Kept),
        },
        hands: start.hands.clone(),
    }
}

fn load_start(stored: StoredTakeStart) -> TakeStart {
    TakeStart {
        at: WallMillis(stored.at),
        piece: stored.piece.map(PieceId),
        practice: stored.practice,
        latency: Micros(stored.latency),
        origin: match stored.origin {
            None => TakeOrigin::Unsaid,
            Some(StoredOrigin::Played) => TakeOrigin::Played,
            Some(StoredOrigin::Kept) => TakeOrigin::Kept,
        },
        hands: stored.hands,
    }
}

fn load_verdict(stored: &StoredVerdict) -> Verdict {
    Verdict {
        pass: stored.pass,
        played: stored.played.map(PlayedId),
        written: stored.written.map(crate::music::NoteId),
        kind: stored.kind,
        deviation: stored.deviation_micros.map(Micros),
    }
}

fn store_end(end: TakeEnd) -> StoredEnd {
    match end {
        TakeEnd::Completed => StoredEnd::Completed,
        TakeEnd::Stopped => StoredEnd::Stopped,
        TakeEnd::Interrupted => StoredEnd::Interrupted,
    }
}

fn load_end(stored: StoredEnd) -> TakeEnd {
    match stored {
        StoredEnd::Completed => TakeEnd::Completed,
        StoredEnd::Stopped => TakeEnd::Stopped,
        StoredEnd::Interrupted => TakeEnd::Interrupted,
    }
}

fn store_change(change: TransportChange) -> StoredChange {
    match change {
        TransportChange::Runs { place, speed } => StoredChange::Runs { place, speed },
        TransportChange::Bar => StoredChange::Bar,
        TransportChange::Sought { tick } => StoredChange::Sought { tick },
        TransportChange::Looped { pass } => StoredChange::Looped { pass },
        TransportChange::Waits { tick } => StoredChange::Waits { tick },
        TransportChange::Stopped => StoredChange::Stopped,
        TransportChange::Ended => StoredChange::Ended,
    }
}

fn load_change(stored: StoredChange) -> TransportChange {
    match stored {
        StoredChange::Runs { place, speed } => TransportChange::Runs { place, speed: Percent::new(speed.get()) },
        StoredChange::Bar => TransportChange::Bar,
        StoredChange::Sought { tick } => TransportChange::Sought { tick },
        StoredChange::Looped { pass } => TransportChange::Looped { pass },
        StoredChange::Waits { tick } => TransportChange::Waits { tick },
        StoredChange::Stopped => TransportChange::Stopped,
        StoredChange::Ended => TransportChange::Ended,
    }
}
