//! The sound device with its instrument, its microphone, and what was measured of it.

mod connections;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};

use arc_swap::ArcSwapOption;
use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::audio::backend::{
    self, Backend, Choice, Connection, Device, Kind, MidiSource, Patch, StreamConfig, StreamInfo,
};
use crate::audio::instrument::Instrument;
use crate::audio::sound::Sound;
use crate::audio::soundfont::{Font, Loading};
use crate::audio::{self, Command, Engine, Notice, OwnSound, Processor, Supervisor};
use crate::bus::{BusHandle, EntityKey};
use crate::components::openings::Openings;
use crate::listen::{Awaited, Written};
use crate::model::{Calibration, Settings, Trainer, device_entity};
use crate::music::Pitch;
use crate::time::{Clock, Frames, Micros, Rate, StreamId};

use super::super::microphone::{MicrophoneDesk, MicrophoneReport};
use super::guarded::{GuardedBackend, is_sound};
use super::loopback::{Loopback, LoopbackStand};
use super::pulse::Pulse;

/// A latency that moves by less, in frames, is the same one: a millisecond at 48 kHz.
const LATENCY_STEP: u32 = 48;
/// How long the test tone is held.
const TONE: Micros = Micros::SECOND;

/// The sound device as the window shows it.
#[derive(Clone, Debug, Default)]
pub struct SoundReport {
    /// The stream that runs.
    pub stream: Option<StreamInfo>,
    /// Whether a lost device is being waited for.
    pub waiting: bool,
    /// Interruptions since the start.
    pub xruns: u64,
    /// Commands that the callback did not take for too long.
    pub refused: u64,
    /// MIDI messages since the start for which the ports of its driver had no room.
    pub midi_lost: u64,
    /// The SoundFont in use, by its own name.
    pub soundfont: Option<String>,
    /// Whether the one that was chosen cannot be played.
    pub font_refused: bool,
    /// Its sounds in bank 0: number and name.
    pub presets: Arc<[(u8, String)]>,
    /// Bytes read of a SoundFont that is being loaded, and all of them.
    pub loading: Option<(u64, u64)>,
    /// The output devices there were when last looked.
    pub devices: Arc<[Device]>,
    /// And the inputs.
    pub inputs: Arc<[Device]>,
    /// Whether it is being looked.
    pub looking: bool,
    /// How late the device was measured to be, at this rate and period.
    pub calibration: Calibration,
    /// The microphone.
    pub microphone: MicrophoneReport,
}

impl SoundReport {
    /// From the frame to the socket, as the driver says.
    pub fn reported(&self) -> Micros {
        self.stream.as_ref().map_or(Micros::ZERO, |s| s.rate.micros(Frames(i64::from(s.output_latency))))
    }

    /// From the frame to the ear, as well as it is known.
    pub fn heard(&self) -> Micros {
        self.calibration.heard(self.reported())
    }

    /// How much later than the music a key that is struck in time is stamped, as well as it is known.
    pub fn judged(&self) -> Micros {
        self.calibration.judged(self.reported())
    }
}

/// A line that a person must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundLine {
    /// In words.
    pub text: String,
    /// Whether it says where sound comes from now, so that what was said of that before is no news any more.
    pub about_stream: bool,
}

impl SoundLine {
    fn other(words: &(impl ToString + ?Sized)) -> Self {
        Self { text: words.to_string(), about_stream: false }
    }
}

/// Where it is kept how late a device is: each rate and period has its own.
pub fn calibration_entity(stream: &StreamInfo) -> EntityKey {
    let StreamInfo { kind, device, rate, period, .. } = stream;
    device_entity(&format!("sound-{kind}-{device}-{}-{period}", rate.0))
}

/// The sound device and the instrument.
pub struct SoundDesk {
    supervisor: Option<Supervisor>,
    clock: Arc<dyn Clock>,
    font: Arc<ArcSwapOption<Font>>,
    /// The sounds of the font.
    presets: Arc<[(u8, String)]>,
    tuning: Arc<Tuning>,
    calibration: Calibration,
    choice: Choice,
    devices: Arc<[Device]>,
    inputs: Arc<[Device]>,
    looking: Option<Receiver<[Vec<Device>; 2]>>,
    loading: Option<Loading>,
    /// Whether the one that was chosen cannot be played.
    font_refused: bool,
    tone_until: Option<Micros>,
    microphone: MicrophoneDesk,
    loopback: Option<Loopback>,
    /// The output latency that the program reckons with, and of which stream.
    latency: Option<(StreamId, u32)>,
    pulse: Pulse,
    /// The rate that the instrument is made for.
    made_for: Option<Rate>,
    /// Whether a person named the backend, and so wants to know why it does not work.
    named: bool,
    pending: Vec<SoundLine>,
    changed: bool,
    openings: Openings,
    midi_sources: Vec<MidiSource>,
    midi_joined: Option<Vec<String>>,
    /// What a person joined and parted on the sound server, the latest last.
    connections: Vec<Connection>,
    refused: u64,
    midi_lost: u64,
}

/// What an instrument is asked for, whichever it is.
#[derive(Debug)]
struct Tuning {
    /// A4 in tenths of a hertz.
    a4: AtomicU16,
    program: AtomicU8,
}

impl Tuning {
    /// The instrument at a sample rate: the SoundFont if there is one, else the built-in piano.
    fn instrument(&self, font: Option<&Font>, rate: Rate) -> Box<dyn Instrument> {
        let a4 = f64::from(self.a4.load(Ordering::Relaxed)) / 10.0;
        Sound { font, a4, program: self.program.load(Ordering::Relaxed) }.instrument_or_piano(rate)
    }
}

fn stream_config(settings: &Settings, connections: &[Connection]) -> StreamConfig {
    StreamConfig {
        device: settings.output_device.clone(),
        period: settings.period,
        rate: Rate::DEFAULT,
        stream: StreamId(1),
        connect: true,
        connections: connections.to_vec(),
    }
}

impl SoundDesk {
    /// Takes the processor; no device is opened yet.
    pub fn new(mut processor: Processor, clock: Arc<dyn Clock>, settings: &Settings, openings: Openings) -> Self {
        let font = Arc::new(ArcSwapOption::<Font>::empty());
        // The first instrument is tuned as usual; the settings follow.
        let usual = Settings::default();
        let tuning = Arc::new(Tuning { a4: usual.tuning.into(), program: usual.program.into() });
        let (shared, asked) = (font.clone(), tuning.clone());
        processor.set_factory(Box::new(move |rate| asked.instrument(shared.load().as_deref(), rate)));
        let (backends, missing) = backend::select(choice(settings), &clock);
        let named = choice(settings) != Choice::Auto;
        let pending = missing.iter().filter(|_| named).map(SoundLine::other).collect();
        let backends = guarded(backends, &openings);
        let supervisor = Some(Supervisor::new(backends, processor, stream_config(settings, &[])));
        Self {
            supervisor,
            clock,
            font,
            presets: Arc::default(),
            tuning,
            calibration: Calibration::default(),
            choice: choice(settings),
            devices: Arc::default(),
            inputs: Arc::default(),
            looking: None,
            loading: None,
            font_refused: false,
            tone_until: None,
            microphone: MicrophoneDesk::new(settings.a4()),
            loopback: None,
            latency: None,
            pulse: Pulse::default(),
            made_for: None,
            named,
            pending,
            changed: true,
            openings,
            midi_sources: Vec::new(),
            midi_joined: None,
            connections: Vec::new(),
            refused: 0,
            midi_lost: 0,
        }
    }

    /// Opens the device.
    pub fn start(&mut self) {
        let now = self.clock.now();
        if let Some(supervisor) = &mut self.supervisor {
            let notices = supervisor.start(now);
            self.tell(notices);
        }
    }

    /// Looks after the device; returns the lines that a person must know. One about the stream takes the place of the
    /// one before.
    pub fn poll(&mut self, now: Micros, engine: &mut Engine) -> Vec<SoundLine> {
        if let Some(supervisor) = &mut self.supervisor {
            let notices = supervisor.poll(now);
            if self.loopback.is_none() {
                self.changed |= self.microphone.poll(now, supervisor);
            }
            self.tell(notices);
        }
        self.notice_latency();
        self.changed |= std::mem::replace(&mut self.refused, engine.refused()) != engine.refused();
        let sources = self.supervisor.as_ref().map_or(&[][..], Supervisor::midi_sources);
        if *sources != self.midi_sources {
            self.midi_sources = sources.to_vec();
            self.changed = true;
        }
        let joined = self.supervisor.as_ref().and_then(Supervisor::midi_joined);
        if joined != self.midi_joined.as_deref() {
            self.midi_joined = joined.map(<[String]>::to_vec);
            self.changed = true;
        }
        let lost = self.supervisor.as_ref().map_or(0, Supervisor::midi_lost);
        self.changed |= std::mem::replace(&mut self.midi_lost, lost) != lost;
        self.notice_rate(engine);
        if engine.take_broken() {
            self.replace_broken(engine);
        }
        self.poll_font(engine);
        self.poll_devices();
        if self.tone_until.is_some_and(|until| now >= until) {
            self.tone_until = None;
            engine.send(Command::Audition(audio::Played::Off { pitch: Pitch::MIDDLE_C }));
        }
        std::mem::take(&mut self.pending)
    }

    /// Up to when everything that was played has surely been told of.
    pub fn told_upto(&mut self, now: Micros) -> Micros {
        let supervisor = self.supervisor.as_ref();
        let period = supervisor.and_then(|s| s.info()).map_or(Micros::ZERO, |i| i.rate.micros(Frames(i.period.into())));
        self.pulse.upto(supervisor.and_then(Supervisor::last_call), period, now)
    }

    /// A stream of another rate has made its own instrument; what was under way to the callback is for the old one.
    fn notice_rate(&mut self, engine: &mut Engine) {
        let rate = self.supervisor.as_ref().and_then(Supervisor::info).map(|info| info.rate);
        if rate.is_none() || self.made_for == rate {
            return;
        }
        self.made_for = rate;
        let font = self.font.load();
        if let (Some(rate), Some(font)) = (rate, font.as_deref())
            && let Err(error) = font.check(rate)
        {
            let line = format!("{}: {error}; the built-in piano plays", font.name());
            self.pending.push(SoundLine::other(&line));
        }
        if engine.kept() > 0 {
            self.exchange(engine);
        }
    }

    /// The instrument broke down in the middle of playing: the built-in piano takes its place.
    fn replace_broken(&mut self, engine: &mut Engine) {
        let name = self.font.swap(None).map_or_else(|| "the piano".to_owned(), |font| font.name());
        self.presets = Arc::default();
        let line = format!("{name} broke down while it played; the built-in piano plays");
        self.pending.push(SoundLine::other(&line));
        self.exchange(engine);
    }

    /// A driver may know its latency only after some callbacks, or find another one.
    fn notice_latency(&mut self) {
        let told = self.supervisor.as_ref().and_then(Supervisor::info).map(|info| (info.stream, info.output_latency));
        let (Some((stream, latency)), seen) = (told, self.latency) else { return };
        let moved = seen.is_none_or(|(before, frames)| before != stream || latency.abs_diff(frames) > LATENCY_STEP);
        if moved {
            self.latency = told;
            self.changed = true;
        }
    }

    /// The machine woke up: a lost device is tried at once.
    pub fn hurry(&mut self, now: Micros) {
        self.supervisor.iter_mut().for_each(|supervisor| supervisor.hurry(now));
    }

    /// The MIDI sources that the sound system itself can hear (JACK).
    pub fn midi_sources(&self) -> &[MidiSource] {
        &self.midi_sources
    }

    /// Who is joined to the sound system's own MIDI input that anyone may be joined to, where there is one (JACK).
    pub fn midi_joined(&self) -> Option<&[String]> {
        self.midi_joined.as_deref()
    }

    /// Lets one of them be heard, or no more.
    pub fn patch(&mut self, patch: Patch) {
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.patch(patch);
        }
    }

    /// Whether something is under way that wants looking after often.
    pub fn is_busy(&self) -> bool {
        self.loading.is_some()
            || self.tone_until.is_some()
            || self.looking.is_some()
            || self.microphone.is_on()
            || self.loopback.is_some()
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
            refused: self.refused,
            midi_lost: supervisor.map_or(0, Supervisor::midi_lost),
            font_refused: self.font_refused,
            soundfont: self.font.load().as_ref().filter(|font| self.fits(font)).map(|font| font.name()),
            presets: self.presets.clone(),
            loading: self.loading.as_ref().map(Loading::bytes),
            devices: self.devices.clone(),
            inputs: self.inputs.clone(),
            looking: self.looking.is_some(),
            calibration: self.calibration.clone(),
            microphone: self.microphone.report(),
        }
    }

    /// Looks which devices there are, on a thread of its own: drivers take their time.
    pub fn look(&mut self) {
        if self.looking.is_some() {
            return;
        }
        let (clock, choice, openings) = (self.clock.clone(), self.choice, self.openings.clone());
        let (done, looking) = bounded(1);
        let look = move || {
            let (backends, _) = backend::select(choice, &clock);
            let mut backends = guarded(backends, &openings);
            let outputs = backends.iter_mut().filter_map(|backend| backend.devices().ok()).flatten();
            let outputs = outputs.filter(|device| device.kind != Kind::Null).collect();
            let inputs = backends.iter_mut().filter_map(|backend| backend.inputs().ok()).flatten().collect();
            // Nobody may be waiting any more.
            let _ = done.send([outputs, inputs]);
        };
        // Without a thread the list stays as it was.
        self.looking = std::thread::Builder::new().name("devices".to_owned()).spawn(look).ok().map(|_| looking);
        self.changed = true;
    }

    fn poll_devices(&mut self) {
        let Some(found) = self.looking.as_ref().map(Receiver::try_recv) else { return };
        match found {
            Ok([outputs, inputs]) => (self.devices, self.inputs) = (outputs.into(), inputs.into()),
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => {}
        }
        self.looking = None;
        self.changed = true;
    }

    /// How late the running stream was measured to be.
    pub fn calibrate(&mut self, calibration: Calibration) {
        self.changed |= self.calibration != calibration;
        self.calibration = calibration;
        let info = self.supervisor.as_ref().and_then(Supervisor::info);
        let reported = info.map_or(Micros::ZERO, |info| info.rate.micros(Frames(i64::from(info.output_latency))));
        self.microphone.set_delay(self.calibration.heard(reported));
    }

    /// Tunes the instrument and the ear, and chooses the sound of a SoundFont.
    pub fn tune(&mut self, settings: &Settings, engine: &mut Engine) {
        self.microphone.tune(settings.a4());
        let Tuning { a4, program } = &*self.tuning;
        let tuned = a4.swap(settings.tuning, Ordering::Relaxed) != settings.tuning;
        let other = program.swap(settings.program, Ordering::Relaxed) != settings.program;
        if tuned {
            self.exchange(engine);
        } else if other {
            engine.send(Command::SetProgram(settings.program));
        }
    }

    /// Changes to the backend and device of the settings.
    pub fn choose(&mut self, settings: &Settings) {
        let now = self.clock.now();
        self.choice = choice(settings);
        self.named = self.choice != Choice::Auto;
        self.openings.allow_all(is_sound);
        let (backends, missing) = backend::select(choice(settings), &self.clock);
        let backends = guarded(backends, &self.openings);
        if self.named {
            self.pending.extend(missing.iter().map(SoundLine::other));
        }
        if let Some(supervisor) = &mut self.supervisor {
            let notices = supervisor.reconfigure(now, backends, stream_config(settings, &self.connections));
            self.tell(notices);
        }
    }

    /// Loads a SoundFont on a thread of its own, or goes back to the built-in piano. A line if that cannot be begun.
    pub fn set_soundfont(&mut self, path: Option<&Path>, engine: &mut Engine) -> Option<String> {
        (self.loading, self.font_refused) = (None, false);
        let Some(path) = path.map(Path::to_owned) else {
            if self.font.swap(None).is_some() {
                self.presets = Arc::default();
                self.exchange(engine);
            }
            return None;
        };
        match Loading::start(path) {
            Ok(loading) => {
                self.loading = Some(loading);
                None
            }
            Err(error) => {
                self.font_refused = true;
                Some(format!("the SoundFont cannot be loaded: {error}"))
            }
        }
    }

    /// Sounds middle C for a second.
    pub fn test_tone(&mut self, engine: &mut Engine) {
        engine.send(Command::Audition(audio::Played::On { pitch: Pitch::MIDDLE_C, velocity: 90 }));
        self.tone_until = Some(self.clock.now() + TONE);
    }

    /// Sends chirps and listens for them; a microphone that is listened to pauses.
    ///
    /// # Errors
    /// There is no input, or it does not work; one line.
    pub fn begin_loopback(&mut self, engine: &mut Engine) -> Result<(), String> {
        let now = self.clock.now();
        let supervisor = self.supervisor.as_mut().ok_or("no sound device runs")?;
        self.microphone.pause(now, supervisor);
        self.loopback = Some(Loopback::begin(now, engine, supervisor, self.microphone.device())?);
        Ok(())
    }

    /// How it stands; `None` if none is under way. It ends by itself.
    pub fn poll_loopback(&mut self, now: Micros, engine: &mut Engine) -> Option<LoopbackStand> {
        let stand = self.loopback.as_mut()?.poll(now, engine);
        if !matches!(stand, LoopbackStand::Listening(_)) {
            self.end_loopback(engine);
        }
        Some(stand)
    }

    /// Breaks it off.
    pub fn end_loopback(&mut self, engine: &mut Engine) {
        if let (Some(loopback), Some(supervisor)) = (self.loopback.take(), &mut self.supervisor) {
            loopback.end(engine, supervisor);
        }
    }

    /// Listens to the microphone from now on, or no more.
    pub fn set_listening(&mut self, on: bool) {
        self.microphone.set(on);
        self.changed = true;
    }

    /// Gives what the microphone hears a way to the bus.
    pub fn connect_microphone(&mut self, bus: &BusHandle<Trainer>) {
        self.microphone.connect(bus);
    }

    /// Which input is listened to, and whether what is heard counts as playing.
    pub fn use_microphone(&mut self, settings: &Settings) {
        self.microphone.choose(settings.input_device.as_deref());
        self.microphone.set_counts(settings.microphone_plays);
    }

    /// The keys that are waited for.
    pub fn await_keys(&mut self, awaited: Awaited) {
        self.microphone.await_keys(awaited);
    }

    /// The program began a sound of its own, which a microphone may hear; what the person has to play there is `written`.
    pub fn own_sound(&mut self, at: Micros, sound: OwnSound, written: Written) {
        self.microphone.own_sound(at, sound, written);
    }

    /// Lets go of what was heard and closes the device.
    pub fn stop(&mut self) {
        self.microphone.let_go(self.clock.now());
        if let Some(supervisor) = self.supervisor.take() {
            drop(supervisor.stop());
        }
    }

    fn poll_font(&mut self, engine: &mut Engine) {
        let Some(outcome) = self.loading.as_ref().and_then(Loading::poll) else { return };
        self.loading = None;
        match outcome {
            Ok(font) => {
                self.presets = presets(&font);
                self.font.store(Some(Arc::new(font)));
                self.exchange(engine);
            }
            Err(error) => {
                self.font_refused = true;
                let playing =
                    self.font.load().as_ref().map_or_else(|| "the built-in piano".to_owned(), |font| font.name());
                self.pending.push(SoundLine::other(&format!("{error}; {playing} plays")));
            }
        }
    }

    /// Whether a font can be played at the rate of the stream.
    fn fits(&self, font: &Font) -> bool {
        self.made_for.is_none_or(|rate| font.check(rate).is_ok())
    }

    /// Another instrument.
    fn exchange(&mut self, engine: &mut Engine) {
        let rate = self.supervisor.as_ref().and_then(|s| s.info()).map_or(Rate::DEFAULT, |i| i.rate);
        engine.send(Command::SetInstrument(self.tuning.instrument(self.font.load().as_deref(), rate)));
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
        let line = |notice: &Notice| {
            let about_stream = !matches!(notice, Notice::Warning(_));
            SoundLine { text: notice.to_string(), about_stream }
        };
        self.pending.extend(worth.map(line));
    }
}

/// Every backend with a driver is opened behind the guard.
fn guarded(backends: Vec<Box<dyn Backend>>, openings: &Openings) -> Vec<Box<dyn Backend>> {
    let guard = |backend: Box<dyn Backend>| -> Box<dyn Backend> {
        if backend.kind() == Kind::Null { backend } else { Box::new(GuardedBackend::new(backend, openings.clone())) }
    };
    backends.into_iter().map(guard).collect()
}

/// The sounds of bank 0, in their order.
fn presets(font: &Font) -> Arc<[(u8, String)]> {
    let bank_0 = font.presets().filter(|(bank, _, _)| *bank == 0);
    let mut presets: Vec<_> =
        bank_0.filter_map(|(_, program, name)| Some((u8::try_from(program).ok()?, name.trim().to_owned()))).collect();
    presets.sort();
    presets.into()
}

fn choice(settings: &Settings) -> Choice {
    settings.backend.parse().unwrap_or_default()
}
