//! The lists of the window, made from a snapshot and kept until the next one: pieces, takes, devices, entities.

use std::collections::HashMap;

use serde_json::Value;

use crate::audio::Playhead;
use crate::bus::hlc::Hlc;
use crate::bus::{EntityKey, Model as _, Snapshot, State, json};
use crate::components::devices::{SoundReport, usage_of};
use crate::formats::pieces::{self, BuiltinPiece};
use crate::listen::Tone;
use crate::midi::output::OutputReport;
use crate::midi::{self, Message};
use crate::model::{Entity, Piece, PieceId, Settings, Take, TakeEnd, TakeId, Trainer};
use crate::music::{Pitch, Score, difficulty};
use crate::time::{Clock, Frames, Micros, Rate, WallMillis};
use crate::ui::view::{
    AudioState, AudioView, CalibrationView, Callback, Devices, EntityRow, LastResult, LatencyParts, LocalTime,
    Microphone, MidiPort, MidiView, MonitorRow, OutputPort, OutputRow, PieceRow, TakeRow, TakeState, Tuner,
};

use super::control::Desk;

/// Takes that the list shows at most; older ones stay in the log.
const TAKES_MAX: usize = 500;
/// Entities that the inspector lists at most.
const ENTITIES_MAX: usize = 2_000;
/// Bytes of an entity's text at most.
const VALUE_CHARS_MAX: usize = 200;
/// Messages that the monitor shows.
const MONITOR_MAX: usize = 40;

/// What is known of a score without keeping it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    key: Option<crate::music::KeySignature>,
    meter: (u8, u8),
    bars: u32,
    duration: Micros,
    grade: Option<u8>,
}

impl Facts {
    pub(super) fn of(score: &Score) -> Self {
        let meter = score.bars().get(0).meter;
        Self {
            key: score.keys().first().copied(),
            meter: (meter.beats, meter.unit),
            bars: score.bars().len() as u32,
            duration: score.duration(),
            grade: difficulty::grade(score),
        }
    }
}

/// The lists.
#[derive(Default)]
pub struct Rows {
    /// Built-in pieces, easiest first.
    pub builtin: Vec<PieceRow>,
    /// Opened files, newest first.
    pub recent: Vec<PieceRow>,
    /// Takes, newest first.
    pub takes: Vec<TakeRow>,
    /// Entities for the inspector; empty unless asked for.
    pub entities: Vec<EntityRow>,
    made_for: Option<(u64, bool)>,
    facts: HashMap<PieceId, Facts>,
}

/// The wall clock and the zone, for showing moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wall {
    /// Now.
    pub now: WallMillis,
    /// Minutes east of Greenwich.
    pub offset: i32,
}

impl Wall {
    /// As the system's clock and zone say.
    pub fn read(clock: &dyn Clock) -> Self {
        let now = clock.wall();
        let offset = jiff::Timestamp::from_millisecond(now.0)
            .map(|at| jiff::tz::TimeZone::system().to_offset(at).seconds() / 60)
            .unwrap_or(0);
        Self { now, offset }
    }

    /// The moment in a hybrid stamp.
    pub fn stamped(self, hlc: u64) -> LocalTime {
        self.local(Hlc::wall(hlc))
    }

    /// A moment as people say it.
    pub fn local(self, at: WallMillis) -> LocalTime {
        LocalTime::new(at, self.now, self.offset)
    }
}

impl Rows {
    /// Makes the lists anew if the snapshot is a newer one.
    pub fn refresh(&mut self, snapshot: &Snapshot<Trainer>, wall: Wall, recording: TakeId, entities: bool) {
        if self.made_for == Some((snapshot.applied, entities)) {
            return;
        }
        self.made_for = Some((snapshot.applied, entities));
        let progress = progress(&snapshot.state, wall);
        self.builtin =
            pieces::builtin().iter().map(|piece| self.builtin_row(piece, &snapshot.state, &progress)).collect();
        self.recent = self.recent_rows(&snapshot.state, &progress);
        self.takes = take_rows(&snapshot.state, wall, recording);
        self.entities = if entities { entity_rows(&snapshot.state) } else { Vec::new() };
    }

    /// Keeps what the library shows of a score that was read.
    pub fn learn(&mut self, id: &PieceId, score: &Score) {
        if !self.facts.contains_key(id) {
            self.take_in(id.clone(), Facts::of(score));
        }
    }

    /// The same, of one that was read elsewhere.
    pub(super) fn take_in(&mut self, id: PieceId, facts: Facts) {
        self.facts.insert(id, facts);
        self.made_for = None;
    }

    /// Pieces of the list whose scores were not read yet.
    pub(super) fn unknown(&self) -> impl Iterator<Item = PieceId> + '_ {
        let ids = self.recent.iter().filter(|row| row.bars == 0).map(|row| PieceId(row.id.as_str().into()));
        ids.filter(|id| !self.facts.contains_key(id))
    }

    fn builtin_row(
        &mut self,
        piece: &BuiltinPiece,
        state: &State<Trainer>,
        progress: &HashMap<PieceId, Progress>,
    ) -> PieceRow {
        let id = PieceId::builtin(piece.id);
        let known = match state.value(id.entity().as_str()) {
            Some(Entity::Piece(piece)) => Some(piece),
            _ => None,
        };
        let facts = self.facts.entry(id.clone()).or_insert_with(|| Facts::of(&piece.score)).clone();
        PieceRow {
            title: piece.title.clone(),
            composer: piece.composer.clone(),
            grade: Some(piece.grade),
            estimate: facts.grade,
            key: facts.key,
            meter: Some(facts.meter),
            bars: facts.bars,
            duration: facts.duration,
            path: None,
            favourite: known.is_some_and(|piece| !piece.favoured_by().is_empty()),
            practised: known.map_or(Micros::ZERO, practised),
            last: progress.get(&id).and_then(|p| p.last),
            best: progress.get(&id).and_then(|p| p.best),
            id: id.0.into(),
        }
    }

    fn recent_rows(&self, state: &State<Trainer>, progress: &HashMap<PieceId, Progress>) -> Vec<PieceRow> {
        let mut found: Vec<(WallMillis, PieceRow)> = Vec::new();
        for (key, versioned) in state.iter_prefix("piece/") {
            let Some(Entity::Piece(piece)) = &versioned.value else { continue };
            let id = PieceId(key.id().into());
            if !*piece.recent || id.as_builtin().is_some() {
                continue;
            }
            let facts = self.facts.get(&id);
            let row = PieceRow {
                id: id.0.to_string(),
                title: piece.info.title.clone(),
                composer: piece.info.composer.clone(),
                grade: None,
                estimate: facts.and_then(|f| f.grade),
                key: facts.and_then(|f| f.key),
                meter: facts.map(|f| f.meter),
                bars: facts.map_or(0, |f| f.bars),
                duration: facts.map_or(Micros::ZERO, |f| f.duration),
                path: piece.info.path.clone().map(Into::into),
                favourite: !piece.favoured_by().is_empty(),
                practised: practised(piece),
                last: progress.get(&id).and_then(|p| p.last),
                best: progress.get(&id).and_then(|p| p.best),
            };
            found.push((piece.info.opened, row));
        }
        found.sort_by_key(|(opened, _)| std::cmp::Reverse(*opened));
        found.into_iter().map(|(_, row)| row).collect()
    }
}

/// The newest result of a piece, and the best one of all of it.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    last: Option<LastResult>,
    best: Option<LastResult>,
}

impl Progress {
    /// One more result, newer than those before; an incomplete one is no judgement of the person.
    fn take_in(&mut self, found: LastResult, incomplete: bool) {
        self.last = Some(found);
        let whole = found.part.is_none() && !incomplete;
        if whole && self.best.is_none_or(|best| is_as_good(&found, &best)) {
            self.best = Some(found);
        }
    }
}

fn progress(state: &State<Trainer>, wall: Wall) -> HashMap<PieceId, Progress> {
    let mut all: HashMap<PieceId, Progress> = HashMap::new();
    // Names of takes sort by time, so a later one replaces an earlier one.
    for (key, versioned) in state.iter_prefix("result/") {
        let (Some(Entity::Result(result)), Some(id)) = (&versioned.value, TakeId::parse(key.id())) else { continue };
        let Some(take) = take(state, id) else { continue };
        if let Some(piece) = &take.start.piece {
            let whole = result.completed && take.start.practice.is_some_and(|p| p.range.is_none());
            let found = LastResult {
                at: wall.local(take.moment()),
                right: result.all.right(),
                of: result.all.written(),
                part: (!whole).then_some(result.bars.len() as u32),
            };
            all.entry(piece.clone()).or_default().take_in(found, result.incomplete);
        }
    }
    all
}

/// Whether as great a share was right.
fn is_as_good(one: &LastResult, other: &LastResult) -> bool {
    u64::from(one.right) * u64::from(other.of) >= u64::from(other.right) * u64::from(one.of)
}

fn take(state: &State<Trainer>, id: TakeId) -> Option<&Take> {
    match state.value(id.entity().as_str()) {
        Some(Entity::Take(take)) => Some(take),
        _ => None,
    }
}

/// The title of a piece of the library.
pub fn title(state: &State<Trainer>, id: &PieceId) -> String {
    if let Some(piece) = id.as_builtin().and_then(pieces::find) {
        return piece.title.clone();
    }
    match state.value(id.entity().as_str()) {
        Some(Entity::Piece(piece)) => piece.info.title.clone(),
        _ => id.0.to_string(),
    }
}

fn take_rows(state: &State<Trainer>, wall: Wall, recording: TakeId) -> Vec<TakeRow> {
    let mut rows: Vec<(WallMillis, TakeRow)> = Vec::new();
    for (key, versioned) in state.iter_prefix("take/") {
        let (Some(Entity::Take(take)), Some(id)) = (&versioned.value, TakeId::parse(key.id())) else { continue };
        if take.notes == 0 || *take.discarded {
            continue;
        }
        let result = match state.value(id.result_entity().as_str()) {
            Some(Entity::Result(result)) => Some((result.all.right(), result.all.written())),
            _ => None,
        };
        let row = TakeRow {
            id: id.to_string(),
            at: wall.local(take.moment()),
            piece: take.start.piece.as_ref().map(|p| title(state, p)),
            name: take.name(),
            mode: take.start.practice.map(|p| p.mode),
            notes: u64::from(take.notes),
            duration: take.duration(),
            state: take_state(take, id == recording),
            result,
        };
        rows.push((take.moment(), row));
    }
    // Names sort by the start; a take that was kept begins before it was named, and one may wait for its first key.
    rows.sort_by_key(|(moment, _)| *moment);
    rows.into_iter().rev().take(TAKES_MAX).map(|(_, row)| row).collect()
}

fn practised(piece: &Piece) -> Micros {
    Micros::from_millis(i64::try_from(piece.practised.sum()).unwrap_or(i64::MAX / 1_000))
}

fn take_state(take: &Take, recording: bool) -> TakeState {
    match (take.end, take.lost) {
        (None, _) if recording => TakeState::Recording,
        (_, lost @ 1..) => TakeState::Incomplete { lost },
        (None | Some(TakeEnd::Interrupted), 0) => TakeState::Interrupted,
        (Some(TakeEnd::Stopped), 0) if take.start.piece.is_some() => TakeState::Stopped,
        (Some(TakeEnd::Completed | TakeEnd::Stopped), 0) => TakeState::Complete,
    }
}

/// An entity's value as one line of JSON.
pub fn shown(key: &EntityKey, value: Option<&Entity>) -> String {
    match value {
        Some(Entity::Score(bytes)) => format!("{} bytes", bytes.len()),
        Some(value) => {
            let json = unranked(json::from_payload(&Trainer::encode_entity(key, value)));
            json.to_string().chars().take(VALUE_CHARS_MAX).collect()
        }
        None => "removed".to_owned(),
    }
}

/// Without the ranks of its fields, which say who wrote last and not what.
fn unranked(json: Value) -> Value {
    match json {
        Value::Object(mut fields) if fields.len() == 2 && fields.contains_key("rank") => {
            fields.remove("value").map_or(Value::Null, unranked)
        }
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, unranked(value))).collect(),
        Value::Array(items) => items.into_iter().map(unranked).collect(),
        other => other,
    }
}

pub(super) fn entity_rows(state: &State<Trainer>) -> Vec<EntityRow> {
    let row = |(key, versioned): (&EntityKey, &crate::bus::Versioned<Trainer>)| EntityRow {
        key: key.to_string(),
        version: versioned.version,
        value: shown(key, versioned.value.as_ref()),
    };
    state.iter().take(ENTITIES_MAX).map(row).collect()
}

/// The devices as the window shows them.
pub fn devices(desk: &Desk, head: &Playhead, settings: &Settings, backends: &[&str]) -> Devices {
    let stream = desk.sound.stream.as_ref();
    let silent = stream.is_none_or(|s| s.kind == crate::audio::backend::Kind::Null);
    let frames = |n: u32, rate: Rate| rate.micros(Frames(i64::from(n)));
    let audio = AudioView {
        state: match (desk.sound.waiting, silent) {
            (true, _) => AudioState::Retrying,
            (false, true) => AudioState::Silent,
            (false, false) => AudioState::Running,
        },
        device: stream.map(|s| s.device.clone()).unwrap_or_default(),
        backend: stream.map(|s| s.kind.name().to_owned()).unwrap_or_default(),
        rate: stream.map_or(0, |s| s.rate.0),
        period: stream.map_or(0, |s| s.period),
        measured_rate: Some(head.timing.measured_rate).filter(|rate| *rate > 0.0),
        latency: stream.filter(|_| !silent).map(|s| frames(head.live_delay, s.rate) + desk.sound.heard()),
        parts: LatencyParts {
            input: Some(head.timing.input).filter(|i| i.count > 0).map(|i| (i.count, i.mean, i.max)),
            engine: stream.map_or(0.0, |s| frames(head.live_delay, s.rate).0 as f32),
            output: desk.sound.heard().0 as f32,
            reported: desk.sound.reported().0 as f32,
            jitter: (head.timing.lateness_rms, head.timing.lateness_max),
        },
        bluetooth: stream.is_some_and(|s| s.bluetooth),
        load: head.load,
        xruns: desk.sound.xruns,
        midi_lost: desk.sound.midi_lost
            + u64::from(head.unsent)
            + desk.midi.iter().map(|device| device.monitor.engine_lost).sum::<u64>(),
        callback: Callback {
            loads: head.loads.buckets.to_vec(),
            worst: head.loads.worst,
            stream: head.stream.0,
            late: head.late,
            unsent: head.unsent,
            refused: desk.sound.refused,
            faults: head.faults,
        },
        backends: backends.iter().map(|b| (*b).to_owned()).collect(),
        outputs: desk.sound.devices.iter().map(|device| device_row(device, settings.output_device.as_ref())).collect(),
        looking: desk.sound.looking,
        calibration: calibration(desk),
        loading: desk.sound.loading.map(|(read, of)| read as f32 / of.max(1) as f32),
        presets: desk.sound.presets.clone(),
    };
    let midi = desk.midi.iter().map(midi_port).collect();
    let heard = desk.midi.iter().flat_map(|device| monitor_rows(&device.identity, &device.monitor, false));
    let sent = desk.midi_out.iter().flat_map(|output| monitor_rows(&output.identity, &output.monitor, true));
    let mut monitor: Vec<MonitorRow> = heard.chain(sent).collect();
    monitor.sort_by_key(|row| std::cmp::Reverse(row.at));
    monitor.truncate(MONITOR_MAX);
    let midi_out = desk.midi_out.iter().map(output_port).collect();
    let (left_out, microphone) = (desk.left_out.clone(), microphone(&desk.sound, settings));
    Devices { audio, midi, midi_out, left_out, monitor, microphone }
}

fn microphone(sound: &SoundReport, settings: &Settings) -> Microphone {
    let report = &sound.microphone;
    let reading = report.reading;
    let tuner = |tone: Tone| Tuner { pitch: tone.pitch, cents: tone.cents, steady: tone.steady };
    Microphone {
        on: report.on,
        device: report.device.clone(),
        fault: report.fault.clone(),
        level: reading.map_or(f32::NEG_INFINITY, |r| r.level),
        tuner: reading.and_then(|r| r.note).map(tuner),
        unsure: (0..128).filter(|key| report.unsure >> key & 1 == 1).filter_map(Pitch::new).collect(),
        inputs: sound.inputs.iter().map(|input| device_row(input, settings.input_device.as_ref())).collect(),
        lost: report.lost,
        lost_notes: report.lost_notes,
    }
}

fn device_row(device: &crate::audio::backend::Device, choice: Option<&String>) -> OutputRow {
    let chosen = match choice {
        Some(id) => *id == device.id,
        None => device.default,
    };
    OutputRow { id: device.id.clone(), name: device.name.clone(), default: device.default, chosen }
}

fn calibration(desk: &Desk) -> CalibrationView {
    let stand = desk.calibration.clone();
    CalibrationView { loopback: desk.sound.calibration.loopback, tapped: desk.sound.calibration.tapped, stand }
}

fn midi_port(device: &midi::DeviceReport) -> MidiPort {
    MidiPort {
        id: device.identity.to_string(),
        name: device.identity.to_string(),
        connected: matches!(device.link, midi::ports::Link::Open),
        enabled: device.enabled,
        messages: device.monitor.received,
    }
}

fn output_port(output: &OutputReport) -> OutputPort {
    let id = output.identity.to_string();
    OutputPort {
        usage: usage_of(output),
        name: id.clone(),
        id,
        connected: matches!(output.link, midi::ports::Link::Open),
        messages: output.monitor.received,
    }
}

fn monitor_rows<'a>(
    identity: &midi::ports::Identity,
    monitor: &'a midi::monitor::Monitor,
    sent: bool,
) -> impl Iterator<Item = MonitorRow> + use<'a> {
    let port = identity.to_string();
    monitor.last().map(move |seen| MonitorRow { at: seen.at, port: port.clone(), message: message(seen.message), sent })
}

fn message(message: Message) -> MidiView {
    match message {
        Message::NoteOn { pitch, velocity, .. } => MidiView::On(pitch, velocity),
        Message::NoteOff { pitch, .. } => MidiView::Off(pitch),
        Message::Control { controller, value, .. } => MidiView::Control(controller, value),
        other => MidiView::Other(other.encode().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_take_that_was_broken_off_hides_no_good_one_and_of_equals_the_newer_is_shown() {
        let found = |minute: u8, right: u32, of: u32, part: Option<u32>| LastResult {
            at: LocalTime { minute, ..LocalTime::default() },
            right,
            of,
            part,
        };
        let mut progress = Progress::default();
        let results = [
            (found(1, 3, 4, Some(2)), false),
            (found(2, 90, 100, None), false),
            (found(3, 45, 50, None), false),
            (found(4, 80, 100, None), false),
            (found(5, 100, 100, None), true),
            (found(6, 1, 1, Some(1)), false),
        ];
        let mut best = Vec::new();
        for (result, incomplete) in results {
            progress.take_in(result, incomplete);
            assert_eq!(progress.last, Some(result));
            best.push(progress.best.map(|best| best.at.minute));
        }
        assert_eq!(best, [None, Some(2), Some(3), Some(3), Some(3), Some(3)]);
    }
}
