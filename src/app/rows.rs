//! The lists of the window, made from a snapshot and kept until the next one: takes, devices, entities.

use serde_json::Value;

use crate::audio::Playhead;
use crate::bus::hlc::Hlc;
use crate::bus::{EntityKey, Model as _, Snapshot, State, json};
use crate::components::devices::{SoundReport, usage_of};
use crate::components::library::title;
use crate::listen::Tone;
use crate::midi::output::OutputReport;
use crate::midi::{self, Message};
use crate::model::{Entity, Settings, Take, TakeEnd, TakeId, Trainer};
use crate::music::Pitch;
use crate::time::{Clock, Frames, Rate, WallMillis};
use crate::ui::view::{
    AudioState, AudioView, CalibrationView, Callback, Devices, EntityRow, JoinedPort, LatencyParts, LocalTime,
    Microphone, MidiPort, MidiView, MonitorRow, OutputPort, OutputRow, TakeRow, TakeState, Tuner,
};

use super::control::Desk;

/// Takes that the list shows at most; older ones stay in the log.
const TAKES_MAX: usize = 500;
/// Entities that the inspector lists at most.
const ENTITIES_MAX: usize = 2_000;
/// Bytes of an entity's text at most.
const VALUE_CHARS_MAX: usize = 200;
/// What the monitor calls the audio driver's own input.
const JOINED: &str = "JACK midi_in";
/// Messages that the monitor shows.
const MONITOR_MAX: usize = 40;
/// So many that were sent push none out that came.
const SENT_MAX: usize = 12;

/// The lists.
#[derive(Default)]
pub struct Rows {
    /// Takes, newest first.
    pub takes: Vec<TakeRow>,
    /// Entities for the inspector; empty unless asked for.
    pub entities: Vec<EntityRow>,
    made_for: Option<(u64, bool)>,
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
        self.takes = take_rows(&snapshot.state, wall, recording);
        self.entities = if entities { entity_rows(&snapshot.state) } else { Vec::new() };
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
            Some(Entity::Result(result)) => Some((result.all.right(), result.all.judged())),
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
        font_refused: desk.sound.font_refused,
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
    let heard = desk.midi.iter().flat_map(|device| monitor_rows(&device.identity.to_string(), &device.monitor, false));
    let joined = desk.midi_in.iter().flat_map(|input| monitor_rows(JOINED, &input.monitor, false));
    let sent =
        desk.midi_out.iter().flat_map(|output| monitor_rows(&output.identity.to_string(), &output.monitor, true));
    let monitor = monitor(heard.chain(joined).collect(), sent.collect());
    let midi_out = desk.midi_out.iter().map(output_port).collect();
    let (left_out, microphone) = (desk.left_out.clone(), microphone(&desk.sound, settings));
    let midi_in = desk.midi_in.as_ref().map(|input| {
        let (sources, awaited) = (input.joined.clone(), input.awaited.clone());
        JoinedPort { sources, awaited, messages: input.monitor.received }
    });
    Devices { audio, midi, midi_in, midi_out, left_out, monitor, microphone }
}

/// What came and what was sent, newest first. What the program sends, a hundred messages at a time, leaves room for what
/// came.
fn monitor(mut came: Vec<MonitorRow>, mut sent: Vec<MonitorRow>) -> Vec<MonitorRow> {
    let newest_first = |rows: &mut Vec<MonitorRow>| rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    newest_first(&mut came);
    newest_first(&mut sent);
    came.truncate(MONITOR_MAX - sent.len().min(SENT_MAX));
    sent.truncate(MONITOR_MAX - came.len());
    came.append(&mut sent);
    newest_first(&mut came);
    came
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
    port: &str,
    monitor: &'a midi::monitor::Monitor,
    sent: bool,
) -> impl Iterator<Item = MonitorRow> + use<'a> {
    let port = port.to_owned();
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
    use crate::time::Micros;

    #[test]
    fn what_is_sent_in_masses_leaves_what_came_in_sight() {
        let row =
            |at, sent| MonitorRow { at: Micros(at), port: String::new(), message: MidiView::Control(123, 0), sent };
        let rows = |count: i64, from: i64, sent| (0..count).map(|n| row(from + n, sent)).collect::<Vec<_>>();
        let count = |rows: &[MonitorRow]| (rows.len(), rows.iter().filter(|row| row.sent).count());
        let both = monitor(rows(60, 0, false), rows(200, 1_000, true));
        assert_eq!(count(&both), (MONITOR_MAX, SENT_MAX));
        assert!(both.is_sorted_by_key(|row| std::cmp::Reverse(row.at)));
        assert_eq!(count(&monitor(rows(5, 0, false), rows(200, 1_000, true))), (MONITOR_MAX, MONITOR_MAX - 5));
        assert_eq!(count(&monitor(rows(200, 0, false), rows(2, 1_000, true))), (MONITOR_MAX, 2));
    }
}
