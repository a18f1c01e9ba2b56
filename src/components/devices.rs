//! The devices: the sound device with its instrument, and the MIDI inputs with the keys of the window. Runs on the
//! control thread; what comes and goes is told to the bus.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::audio::backend::{self, Choice, StreamConfig, StreamInfo};
use crate::audio::instrument::Instrument;
use crate::audio::piano::Piano;
use crate::audio::soundfont::{Font, FontError};
use crate::audio::{self, Command, Engine, Notice, Processor, Supervisor};
use crate::bus::{BusHandle, EntityKey, Publish};
use crate::midi::{self, DeviceReport, Played, RingEnds, SourceId, VirtualInput};
#[cfg(feature = "sound")]
use crate::model::Entity;
use crate::model::{Event, Settings, Trainer, device_entity};
use crate::music::Pitch;
use crate::time::{Clock, Micros, Rate, Stamp, StreamId};

use super::microphone::{MicrophoneDesk, MicrophoneReport};
use super::recorder::MidiRecorder;

/// Who publishes here.
const ACTOR: &str = "devices";
/// New devices whose rings wait to be connected.
const NEW_RINGS: usize = 64;
/// How long the test tone is held.
const TONE: Micros = Micros::SECOND;
/// Hertz of A4 where nothing else is chosen.
const A4: f64 = 440.0;

impl audio::Live for midi::LiveMidi {
    fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn played(&self) -> Option<audio::Played> {
        audio::Played::from_midi(&self.message.encode())
    }
}

/// The sound device as the window shows it.
#[derive(Clone, Debug, Default)]
pub struct SoundReport {
    /// The stream that runs.
    pub stream: Option<StreamInfo>,
    /// Whether a lost device is being waited for.
    pub waiting: bool,
    /// Interruptions since the start.
    pub xruns: u64,
    /// The SoundFont in use, by its own name.
    pub soundfont: Option<String>,
    /// The microphone.
    pub microphone: MicrophoneReport,
}

/// The sound device and the instrument.
pub struct SoundDesk {
    supervisor: Option<Supervisor>,
    clock: Arc<dyn Clock>,
    font: Arc<ArcSwapOption<Font>>,
    loading: Option<Receiver<Result<Font, FontError>>>,
    tone_until: Option<Micros>,
    microphone: MicrophoneDesk,
    /// Whether a person named the backend, and so wants to know why it does not work.
    named: bool,
    pending: Vec<String>,
    changed: bool,
}

/// The instrument at a sample rate: the SoundFont if there is one, else the built-in piano.
fn instrument(font: Option<&Font>, rate: Rate) -> Box<dyn Instrument> {
    match font.map(|f| f.instrument(rate, 0)) {
        Some(Ok(player)) => Box::new(player),
        _ => Box::new(Piano::new(rate)),
    }
}

fn stream_config(settings: &Settings) -> StreamConfig {
    StreamConfig {
        device: settings.output_device.clone(),
        period: settings.period,
        rate: Rate::DEFAULT,
        stream: StreamId(1),
        connect: true,
    }
}

impl SoundDesk {
    /// Takes the processor; no device is opened yet.
    pub fn new(mut processor: Processor, clock: Arc<dyn Clock>, settings: &Settings) -> Self {
        let font = Arc::new(ArcSwapOption::<Font>::empty());
        let shared = font.clone();
        processor.set_factory(Box::new(move |rate| instrument(shared.load().as_deref(), rate)));
        let (backends, missing) = backend::select(choice(settings), &clock);
        let pending = if choice(settings) == Choice::Auto {
            Vec::new()
        } else {
            missing.iter().map(ToString::to_string).collect()
        };
        let supervisor = Some(Supervisor::new(backends, processor, stream_config(settings)));
        let named = choice(settings) != Choice::Auto;
        let microphone = MicrophoneDesk::new(A4);
        Self { supervisor, clock, font, loading: None, tone_until: None, microphone, named, pending, changed: true }
    }

    /// Opens the device.
    pub fn start(&mut self) {
        let now = self.clock.now();
        if let Some(supervisor) = &mut self.supervisor {
            let notices = supervisor.start(now);
            self.tell(notices);
        }
    }

    /// Looks after the device; returns the lines that a person must know.
    pub fn poll(&mut self, now: Micros, engine: &mut Engine) -> Vec<String> {
        if let Some(supervisor) = &mut self.supervisor {
            let notices = supervisor.poll(now);
            self.changed |= self.microphone.poll(now, supervisor);
            self.tell(notices);
        }
        self.poll_font(engine);
        if self.tone_until.is_some_and(|until| now >= until) {
            self.tone_until = None;
            engine.send(Command::Audition(audio::Played::Off { pitch: Pitch::MIDDLE_C }));
        }
        std::mem::take(&mut self.pending)
    }

    /// Whether something is under way that wants looking after often.
    pub fn is_busy(&self) -> bool {
        self.loading.is_some() || self.tone_until.is_some() || self.microphone.is_on()
    }

    /// Whether the report has changed since last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The state for the window.
    pub fn report(&self) -> SoundReport {
        let supervisor = self.supervisor.as_ref();
        SoundReport {
            stream: supervisor.and_then(|s| s.info().cloned()),
            waiting: supervisor.is_some_and(Supervisor::waiting),
            xruns: supervisor.map_or(0, Supervisor::xruns),
            soundfont: self.font.load().as_ref().map(|f| f.name()),
            microphone: self.microphone.report(),
        }
    }

    /// Changes to the backend and device of the settings.
    pub fn choose(&mut self, settings: &Settings) {
        let now = self.clock.now();
        self.named = choice(settings) != Choice::Auto;
        let (backends, missing) = backend::select(choice(settings), &self.clock);
        self.pending.extend(missing.iter().map(ToString::to_string));
        if let Some(supervisor) = &mut self.supervisor {
            let notices = supervisor.reconfigure(now, backends, stream_config(settings));
            self.tell(notices);
        }
    }

    /// Loads a SoundFont on a thread of its own, or goes back to the built-in piano. A line if that cannot be begun.
    pub fn set_soundfont(&mut self, path: Option<&Path>, engine: &mut Engine) -> Option<String> {
        self.loading = None;
        let Some(path) = path.map(Path::to_owned) else {
            if self.font.swap(None).is_some() {
                self.exchange(engine);
            }
            return None;
        };
        let (done, loading) = bounded(1);
        let started = std::thread::Builder::new().name("soundfont".to_owned()).spawn(move || load_font(&path, &done));
        match started {
            Ok(_) => {
                self.loading = Some(loading);
                None
            }
            Err(error) => Some(format!("the SoundFont cannot be loaded: {error}")),
        }
    }

    /// Sounds middle C for a second.
    pub fn test_tone(&mut self, engine: &mut Engine) {
        engine.send(Command::Audition(audio::Played::On { pitch: Pitch::MIDDLE_C, velocity: 90 }));
        self.tone_until = Some(self.clock.now() + TONE);
    }

    /// Listens to the microphone from now on, or no more.
    pub fn set_listening(&mut self, on: bool) {
        self.microphone.set(on);
        self.changed = true;
    }

    /// Closes the device.
    pub fn stop(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            drop(supervisor.stop());
        }
    }

    fn poll_font(&mut self, engine: &mut Engine) {
        let Some(outcome) = self.loading.as_ref().and_then(|l| l.try_recv().ok()) else { return };
        self.loading = None;
        match outcome {
            Ok(font) => {
                self.font.store(Some(Arc::new(font)));
                self.exchange(engine);
            }
            Err(error) => self.pending.push(error.to_string()),
        }
    }

    fn exchange(&mut self, engine: &mut Engine) {
        let rate = self.supervisor.as_ref().and_then(|s| s.info()).map_or(Rate::DEFAULT, |i| i.rate);
        engine.send(Command::SetInstrument(instrument(self.font.load().as_deref(), rate)));
        self.changed = true;
    }

    /// What the person must know of what the supervisor says: not each interruption, those are counted.
    fn tell(&mut self, notices: Vec<Notice>) {
        self.changed |= !notices.is_empty();
        let worth = notices.iter().filter(|n| match n {
            Notice::Xruns(_) | Notice::Started(_) => false,
            Notice::Failed(_) => self.named,
            _ => true,
        });
        self.pending.extend(worth.map(ToString::to_string));
    }
}

fn choice(settings: &Settings) -> Choice {
    settings.backend.parse().unwrap_or_default()
}

fn load_font(path: &Path, done: &Sender<Result<Font, FontError>>) {
    // Nobody may be waiting any more: then the font is not wanted.
    let _ = done.send(Font::load(path));
}

/// The MIDI inputs and the keys of the window.
pub struct MidiDesk {
    keys: VirtualInput,
    ends: Receiver<(SourceId, String, RingEnds)>,
    #[cfg(feature = "sound")]
    inputs: Option<midi::MidiInputs<midi::SystemPorts>>,
    fault: Option<String>,
}

impl MidiDesk {
    /// The keys of the window at once, the system's ports at the first poll, unless `ports` is false.
    pub fn new(bus: &BusHandle<Trainer>, clock: &Arc<dyn Clock>, engine: &mut Engine, ports: bool) -> Self {
        let (rings, ends) = midi::rings();
        connect(bus, engine, SourceId::VIRTUAL, "keys", ends);
        let (new_ends, ends) = bounded(NEW_RINGS);
        #[cfg(feature = "sound")]
        let inputs = ports.then(|| {
            let system = midi::SystemPorts::new(clock.clone());
            midi::MidiInputs::new(system, choices(bus), ring_maker(new_ends))
        });
        #[cfg(not(feature = "sound"))]
        let _ = (clock, ports, new_ends);
        Self {
            keys: VirtualInput::new(rings),
            ends,
            #[cfg(feature = "sound")]
            inputs,
            fault: None,
        }
    }

    /// The keys of the window.
    pub fn keys(&mut self) -> &mut VirtualInput {
        &mut self.keys
    }

    /// Follows what is plugged in and out; whether anything is to be shown anew.
    pub fn poll(&mut self, now: Micros, bus: &BusHandle<Trainer>, engine: &mut Engine) -> bool {
        self.keys.poll(now);
        #[cfg(feature = "sound")]
        let changes = self.inputs.as_mut().map(|inputs| inputs.poll(now)).unwrap_or_default();
        #[cfg(not(feature = "sound"))]
        let changes: Vec<midi::Change> = Vec::new();
        while let Ok((source, name, ends)) = self.ends.try_recv() {
            connect(bus, engine, source, &name, ends);
        }
        let any = !changes.is_empty();
        for change in changes {
            self.tell(change, bus);
        }
        any
    }

    fn tell(&mut self, change: midi::Change, bus: &BusHandle<Trainer>) {
        let publish = |identity: &midi::ports::Identity, event| {
            bus.publish(Publish::new(midi_entity(&identity.to_string()), event).actor(ACTOR));
        };
        match change {
            midi::Change::Opened(_, identity) => {
                let name = identity.to_string();
                self.fault.take_if(|fault| fault.starts_with(&name));
                publish(&identity, Event::DeviceConnected(name));
            }
            midi::Change::Closed(_, identity) => publish(&identity, Event::DeviceLost),
            midi::Change::Failed(_, identity, reason) => {
                self.fault = Some(format!("{identity}: {reason}"));
            }
            midi::Change::NoMidi(reason) => self.fault = Some(reason),
            midi::Change::MidiBack => self.fault = None,
        }
    }

    /// Every device there is or was.
    pub fn report(&self) -> Vec<DeviceReport> {
        #[cfg(feature = "sound")]
        return self.inputs.as_ref().map(|inputs| inputs.report()).unwrap_or_default();
        #[cfg(not(feature = "sound"))]
        Vec::new()
    }

    /// Why there is no MIDI, or not all of it.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Uses a device or not, by the text of its identity.
    pub fn enable(&mut self, identity: &str, enabled: bool) {
        #[cfg(feature = "sound")]
        if let Some(inputs) = &mut self.inputs {
            inputs.set_enabled(identity, enabled);
        }
        #[cfg(not(feature = "sound"))]
        let _ = (identity, enabled);
    }

    /// Lets go of every key and closes every port.
    pub fn close(&mut self, now: Micros) {
        self.keys.release_all(now);
        #[cfg(feature = "sound")]
        if let Some(inputs) = &mut self.inputs {
            inputs.close_all(now);
        }
    }
}

/// The event by which a person's choice of an input is remembered.
pub fn chosen(identity: &str, enabled: bool) -> Publish<Trainer> {
    Publish::new(midi_entity(identity), Event::DeviceChosen { name: identity.to_owned(), enabled })
}

/// The entity of a MIDI input, by the text of its identity.
fn midi_entity(identity: &str) -> EntityKey {
    device_entity(&format!("midi-{identity}"))
}

/// What a person chose in earlier runs.
#[cfg(feature = "sound")]
fn choices(bus: &BusHandle<Trainer>) -> midi::ports::Choices {
    let snapshot = bus.snapshot();
    let chosen = |value: Option<&Entity>| match value {
        Some(Entity::Device(device)) => device.enabled.map(|enabled| ((*device.name).clone(), enabled)),
        _ => None,
    };
    snapshot.state.iter_prefix("device/midi-").filter_map(|(_, versioned)| chosen(versioned.value.as_ref())).collect()
}

fn connect(bus: &BusHandle<Trainer>, engine: &mut Engine, source: SourceId, name: &str, ends: RingEnds) {
    engine.add_source(audio::SourceId(source.0), ends.engine);
    // Refused only by a bus that has stopped: then nothing is recorded any more.
    let _ = bus.add_lane::<Played>(&format!("midi {name}"), ends.lane, Box::new(MidiRecorder));
}

#[cfg(feature = "sound")]
fn ring_maker(ends: Sender<(SourceId, String, RingEnds)>) -> midi::RingMaker {
    Box::new(move |source, identity| {
        let (rings, other) = midi::rings();
        ends.try_send((source, identity.to_string(), other)).ok().map(|()| rings)
    })
}
