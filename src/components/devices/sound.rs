//! The sound device with its instrument.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::audio::backend::{self, Backend, Choice, Kind, StreamConfig, StreamInfo};
use crate::audio::instrument::Instrument;
use crate::audio::piano::Piano;
use crate::audio::soundfont::{Font, FontError};
use crate::audio::{self, Command, Engine, Notice, Processor, Supervisor};
use crate::components::openings::Openings;
use crate::model::Settings;
use crate::music::Pitch;
use crate::time::{Clock, Micros, Rate, StreamId};

use super::guarded::{GuardedBackend, is_sound};

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
    /// The SoundFont in use, by its own name.
    pub soundfont: Option<String>,
}

/// The sound device and the instrument.
pub struct SoundDesk {
    supervisor: Option<Supervisor>,
    clock: Arc<dyn Clock>,
    font: Arc<ArcSwapOption<Font>>,
    loading: Option<Receiver<Result<Font, FontError>>>,
    tone_until: Option<Micros>,
    /// Whether a person named the backend, and so wants to know why it does not work.
    named: bool,
    pending: Vec<String>,
    changed: bool,
    openings: Openings,
    midi_sources: Vec<String>,
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
    pub fn new(mut processor: Processor, clock: Arc<dyn Clock>, settings: &Settings, openings: Openings) -> Self {
        let font = Arc::new(ArcSwapOption::<Font>::empty());
        let shared = font.clone();
        processor.set_factory(Box::new(move |rate| instrument(shared.load().as_deref(), rate)));
        let (backends, missing) = backend::select(choice(settings), &clock);
        let pending = if choice(settings) == Choice::Auto {
            Vec::new()
        } else {
            missing.iter().map(ToString::to_string).collect()
        };
        let backends = guarded(backends, &openings);
        let supervisor = Some(Supervisor::new(backends, processor, stream_config(settings)));
        let named = choice(settings) != Choice::Auto;
        Self {
            supervisor,
            clock,
            font,
            loading: None,
            tone_until: None,
            named,
            pending,
            changed: true,
            openings,
            midi_sources: Vec::new(),
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

    /// Looks after the device; returns the lines that a person must know.
    pub fn poll(&mut self, now: Micros, engine: &mut Engine) -> Vec<String> {
        if let Some(supervisor) = &mut self.supervisor {
            let notices = supervisor.poll(now);
            self.tell(notices);
        }
        let sources = self.supervisor.as_ref().map_or(&[][..], Supervisor::midi_sources);
        if *sources != self.midi_sources {
            self.midi_sources = sources.to_vec();
            self.changed = true;
        }
        self.poll_font(engine);
        if self.tone_until.is_some_and(|until| now >= until) {
            self.tone_until = None;
            engine.send(Command::Audition(audio::Played::Off { pitch: Pitch::MIDDLE_C }));
        }
        std::mem::take(&mut self.pending)
    }

    /// The MIDI sources that the sound system itself hears (JACK).
    pub fn midi_sources(&self) -> &[String] {
        &self.midi_sources
    }

    /// Whether something is under way that wants looking after often.
    pub fn is_busy(&self) -> bool {
        self.loading.is_some() || self.tone_until.is_some()
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
        }
    }

    /// Changes to the backend and device of the settings.
    pub fn choose(&mut self, settings: &Settings) {
        let now = self.clock.now();
        self.named = choice(settings) != Choice::Auto;
        self.openings.allow_all(is_sound);
        let (backends, missing) = backend::select(choice(settings), &self.clock);
        let backends = guarded(backends, &self.openings);
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

/// Every backend with a driver is opened behind the guard.
fn guarded(backends: Vec<Box<dyn Backend>>, openings: &Openings) -> Vec<Box<dyn Backend>> {
    let guard = |backend: Box<dyn Backend>| -> Box<dyn Backend> {
        if backend.kind() == Kind::Null { backend } else { Box::new(GuardedBackend::new(backend, openings.clone())) }
    };
    backends.into_iter().map(guard).collect()
}

fn choice(settings: &Settings) -> Choice {
    settings.backend.parse().unwrap_or_default()
}

fn load_font(path: &Path, done: &Sender<Result<Font, FontError>>) {
    // Nobody may be waiting any more: then the font is not wanted.
    let _ = done.send(Font::load(path));
}
