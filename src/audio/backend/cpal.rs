//! The system's sound through cpal: ALSA, CoreAudio, WASAPI. The only file that knows cpal.

mod ear;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample};

use super::carrier::{Carrier, Home};
use super::{Backend, BackendError, Device, Kind, Presence, StartError, Status, Stream, StreamConfig, StreamInfo};
use crate::audio::capture::{Input, Tap};
use crate::audio::processor::{Outputs, Processor};
use crate::time::{Clock, Frames, Micros, Rate};

/// Frames rendered at a time; larger callbacks are served in several goes.
const CHUNK: usize = 1024;
const NO_CARD: &str = "no sound card";

/// See the module.
pub struct CpalBackend {
    clock: Arc<dyn Clock>,
    /// What the system had when it was last found to have no sound.
    silent: Option<Landscape>,
}

/// What the system has in the way of sound, as far as can be seen without opening anything: ALSA complains on standard
/// error each time a card that is not there is opened, and we look every few seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Landscape {
    cards: String,
    servers: Vec<bool>,
    /// Tries with this landscape; a device may take a moment from being seen to being usable.
    tries: u32,
    /// When it was last tried.
    at: Micros,
}

/// Tries with one landscape at most, without a pause.
const TRIES_MAX: u32 = 2;
/// After so long it is tried again even so: headphones that join through the air change nothing that is seen here.
const PATIENCE: Micros = Micros::from_millis(30_000);

impl Landscape {
    /// `None` where one must open things to know.
    fn look(at: Micros) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let runtime = std::path::PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_default());
        let servers = ["pulse/native", "pipewire-0"].map(|socket| runtime.join(socket).exists()).to_vec();
        let cards = std::fs::read_to_string("/proc/asound/cards").unwrap_or_default();
        Some(Self { cards, servers, tries: 1, at })
    }
}

impl CpalBackend {
    /// Callbacks are stamped with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, silent: None }
    }
}

/// What ALSA has to say on standard error about cards that are not there it says into a buffer from now on, on this
/// thread; the buffer is emptied.
#[cfg(target_os = "linux")]
fn hush() {
    // The thread keeps it. Without one ALSA is loud, and works.
    let _kept = alsa::Output::local_error_handler();
}

#[cfg(not(target_os = "linux"))]
fn hush() {}

fn unavailable(error: impl std::fmt::Display) -> BackendError {
    BackendError::Unavailable { kind: Kind::Cpal, reason: one_line(error) }
}

/// The default device names a card that is not there, where there is none.
fn no_config(error: cpal::Error) -> BackendError {
    match error.kind() {
        ErrorKind::DeviceNotAvailable => unavailable(NO_CARD),
        _ => unavailable(error),
    }
}

fn one_line(error: impl std::fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or("unknown").to_owned()
}

/// A device whose callbacks come at full speed instead of at the sample rate.
fn is_unpaced(id: &str) -> bool {
    id == "alsa:null"
}

impl Backend for CpalBackend {
    fn kind(&self) -> Kind {
        Kind::Cpal
    }

    fn devices(&mut self) -> Result<Vec<Device>, BackendError> {
        hush();
        let host = cpal::default_host();
        let default = host.default_output_device().and_then(|d| d.id().ok()).map(|id| id.to_string());
        let mut devices = Vec::new();
        for device in host.output_devices().map_err(unavailable)? {
            let Ok(id) = device.id().map(|id| id.to_string()) else { continue };
            if is_unpaced(&id) {
                continue;
            }
            // A device that cannot say what it does cannot be opened either.
            let Ok(config) = device.default_output_config() else { continue };
            devices.push(Device {
                kind: Kind::Cpal,
                default: default.as_ref() == Some(&id),
                name: device.to_string(),
                channels: config.channels(),
                rate: Rate(config.sample_rate()),
                id,
            });
        }
        Ok(devices)
    }

    fn inputs(&mut self) -> Result<Vec<Device>, BackendError> {
        ear::devices()
    }

    fn available(&mut self, config: &StreamConfig) -> Result<Presence, BackendError> {
        hush();
        if chosen(config).is_some_and(|device| device.default_output_config().is_ok()) {
            return Ok(Presence::Wanted);
        }
        let mut seen = Landscape::look(self.clock.now());
        if let (Some(before), Some(now)) = (&self.silent, &mut seen)
            && (&before.cards, &before.servers) == (&now.cards, &now.servers)
        {
            if before.tries >= TRIES_MAX && now.at - before.at < PATIENCE {
                return Err(unavailable(NO_CARD));
            }
            now.tries += before.tries;
        }
        // A new host each time: device lists are snapshots.
        let presence = if config.device.is_some() { Presence::StandIn } else { Presence::Wanted };
        let found = match cpal::default_host().default_output_device() {
            Some(device) => device.default_output_config().map(|_| presence).map_err(no_config),
            None => Err(unavailable(NO_CARD)),
        };
        self.silent = if found == Err(unavailable(NO_CARD)) { seen } else { None };
        found
    }

    fn forget_absence(&mut self) {
        self.silent = None;
    }

    fn start(&mut self, processor: Processor, config: &StreamConfig) -> Result<Box<dyn Stream>, StartError> {
        hush();
        let found = match find(config) {
            Ok(found) => found,
            Err(error) => return Err(StartError::new(processor, error)),
        };
        let wanted = match choose(&found.device, config) {
            Ok(wanted) => wanted,
            Err(error) => {
                let seen = Landscape::look(self.clock.now());
                self.silent = seen.filter(|_| error == unavailable(NO_CARD));
                return Err(StartError::new(processor, error));
            }
        };
        match self.open(&found, processor, config, wanted, BufferSize::Fixed(config.period)) {
            // Some devices insist on a size of their own.
            Err(StartError { processor: Some(processor), error: BackendError::Failed { .. } }) => {
                self.open(&found, *processor, config, wanted, BufferSize::Default)
            }
            done => done,
        }
    }
}

struct Found {
    device: cpal::Device,
    name: String,
    bluetooth: bool,
    warning: Option<String>,
}

/// The device that a person chose, if it is there.
fn chosen(config: &StreamConfig) -> Option<cpal::Device> {
    cpal::default_host().device_by_id(&config.device.as_ref()?.parse().ok()?)
}

/// The wanted device, or the default one with a warning.
fn find(config: &StreamConfig) -> Result<Found, BackendError> {
    let host = cpal::default_host();
    let wanted = chosen(config);
    let warning = match (&config.device, &wanted) {
        (Some(id), None) => Some(format!("{id} is not there; playing on the default device")),
        _ => None,
    };
    match wanted.or_else(|| host.default_output_device()) {
        Some(device) => Ok(Found { name: device.to_string(), bluetooth: is_bluetooth(&device), device, warning }),
        None => Err(unavailable(NO_CARD)),
    }
}

/// Whether a device says, or its name gives away, that it goes through the air.
fn is_bluetooth(device: &cpal::Device) -> bool {
    let named = |text: String| ["bluetooth", "bluez", "a2dp", "airpods"].iter().any(|word| text.contains(word));
    let told = device.description().is_ok_and(|d| d.interface_type() == cpal::InterfaceType::Bluetooth);
    told || named(device.to_string().to_lowercase()) || device.id().is_ok_and(|id| named(id.to_string().to_lowercase()))
}

/// The device's default format, at the wanted rate if it has that.
fn choose(device: &cpal::Device, config: &StreamConfig) -> Result<(cpal::StreamConfig, SampleFormat), BackendError> {
    let default = device.default_output_config().map_err(no_config)?;
    let rate = config.rate.0;
    let wanted = device.supported_output_configs().ok().and_then(|mut ranges| {
        let fits = |r: &cpal::SupportedStreamConfigRange| {
            r.channels() == default.channels() && r.sample_format() == default.sample_format()
        };
        ranges.find_map(|range| if fits(&range) { range.try_with_sample_rate(rate) } else { None })
    });
    let chosen = wanted.unwrap_or(default);
    Ok((chosen.config(), chosen.sample_format()))
}

impl CpalBackend {
    fn open(
        &self,
        found: &Found,
        mut processor: Processor,
        config: &StreamConfig,
        (stream_config, format): (cpal::StreamConfig, SampleFormat),
        buffer_size: BufferSize,
    ) -> Result<Box<dyn Stream>, StartError> {
        let stream_config = cpal::StreamConfig { buffer_size, ..stream_config };
        let rate = Rate(stream_config.sample_rate);
        processor.begin_stream(config.stream, rate, config.period);
        let (carrier, mut home) = Carrier::new(processor, config.stream, rate);
        let trouble = Arc::new(Trouble::default());
        let channels = usize::from(stream_config.channels.max(1));
        let feeder = Feeder::new(carrier, self.clock.clone(), rate, channels, trouble.clone());
        let built = build(&found.device, stream_config, format, feeder, trouble.clone());
        let started = built.and_then(|stream| stream.play().map(|()| stream));
        match started {
            Ok(stream) => {
                let info = StreamInfo {
                    kind: Kind::Cpal,
                    device: found.name.clone(),
                    rate,
                    period: stream.buffer_size().unwrap_or(config.period),
                    // Until the first callbacks tell.
                    output_latency: config.period,
                    bluetooth: found.bluetooth,
                    stand_in: found.warning.is_some(),
                    stream: config.stream,
                };
                let warning = found.warning.clone();
                let (input, ear_trouble, clock) = (None, Arc::default(), self.clock.clone());
                Ok(Box::new(CpalStream {
                    stream: Some(stream),
                    info,
                    trouble,
                    home,
                    warning,
                    input,
                    ear_trouble,
                    clock,
                }))
            }
            // What was built is dropped by now, and the callback with it.
            Err(error) => Err(StartError { processor: home.take(), error: explain(&error, &found.name) }),
        }
    }
}

fn explain(error: &cpal::Error, device: &str) -> BackendError {
    let device = device.to_owned();
    match error.kind() {
        ErrorKind::DeviceBusy => BackendError::Busy { kind: Kind::Cpal, device },
        ErrorKind::DeviceNotAvailable => BackendError::NoDevice { kind: Kind::Cpal, device },
        ErrorKind::HostUnavailable => unavailable(error),
        _ => BackendError::Failed { kind: Kind::Cpal, device, reason: one_line(error) },
    }
}

fn build(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    format: SampleFormat,
    feeder: Feeder,
    trouble: Arc<Trouble>,
) -> Result<cpal::Stream, cpal::Error> {
    match format {
        SampleFormat::F32 => build_as::<f32>(device, config, feeder, trouble),
        SampleFormat::F64 => build_as::<f64>(device, config, feeder, trouble),
        SampleFormat::I16 => build_as::<i16>(device, config, feeder, trouble),
        SampleFormat::I24 => build_as::<cpal::I24>(device, config, feeder, trouble),
        SampleFormat::I32 => build_as::<i32>(device, config, feeder, trouble),
        SampleFormat::U16 => build_as::<u16>(device, config, feeder, trouble),
        SampleFormat::U8 => build_as::<u8>(device, config, feeder, trouble),
        _ => build_as::<f32>(device, config, feeder, trouble),
    }
}

fn build_as<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    mut feeder: Feeder,
    trouble: Arc<Trouble>,
) -> Result<cpal::Stream, cpal::Error> {
    let latency = trouble.clone();
    device.build_output_stream::<T, _, _>(
        config,
        move |data, info: &cpal::OutputCallbackInfo| {
            let stamp = info.timestamp();
            let ahead = stamp.playback.checked_duration_since(stamp.callback).unwrap_or_default();
            latency.ahead_micros.store(u32::try_from(ahead.as_micros()).unwrap_or(0), Ordering::Relaxed);
            feeder.feed(data);
        },
        // May run on the real-time thread: atomics only.
        move |error| trouble.note(error.kind()),
        None,
    )
}

/// What goes into the data callback.
struct Feeder {
    carrier: Carrier,
    clock: Arc<dyn Clock>,
    rate: Rate,
    channels: usize,
    left: Vec<f32>,
    right: Vec<f32>,
    click: Vec<f32>,
    trouble: Arc<Trouble>,
    /// Xruns that the carrier was told of.
    xruns: u32,
}

impl Feeder {
    fn new(carrier: Carrier, clock: Arc<dyn Clock>, rate: Rate, channels: usize, trouble: Arc<Trouble>) -> Self {
        let [left, right, click] = std::array::from_fn(|_| vec![0.0; CHUNK]);
        Self { carrier, clock, rate, channels, left, right, click, trouble, xruns: 0 }
    }

    /// Fills interleaved frames: left and right on the first two channels, their mean if there is only one.
    fn feed<T: SizedSample + FromSample<f32>>(&mut self, data: &mut [T]) {
        let began = self.clock.now();
        let xruns = self.trouble.xruns_in_all.load(Ordering::Relaxed);
        let xrun = std::mem::replace(&mut self.xruns, xruns) != xruns;
        self.carrier.begin_call(data.len() / self.channels, xrun);
        for (index, chunk) in data.chunks_mut(CHUNK * self.channels).enumerate() {
            let frames = chunk.len() / self.channels;
            let (left, right) = (&mut self.left[..frames], &mut self.right[..frames]);
            let mono = began + Micros(self.rate.micros(Frames((index * CHUNK) as i64)).0);
            // Beyond the first two channels of an interface, the third is the metronome's own.
            let click = if self.channels > 2 { &mut self.click[..frames] } else { &mut [] };
            self.carrier.process(self.clock.as_ref(), mono, &[], Outputs { left, right, click });
            let click = &self.click[..frames];
            for (((frame, l), r), c) in chunk.chunks_exact_mut(self.channels).zip(&*left).zip(&*right).zip(click) {
                match frame {
                    [only] => *only = T::from_sample((l + r) * 0.5),
                    [first, second, rest @ ..] => {
                        *first = T::from_sample(*l);
                        *second = T::from_sample(*r);
                        rest.fill(T::EQUILIBRIUM);
                        if let Some(third) = rest.first_mut() {
                            *third = T::from_sample(*c);
                        }
                    }
                    [] => {}
                }
            }
        }
    }
}

/// What the callbacks saw.
#[derive(Default)]
struct Trouble {
    /// From the latest callback to the socket, by the driver; 0 where it does not say.
    ahead_micros: AtomicU32,
    xruns: AtomicU32,
    xruns_in_all: AtomicU32,
    /// The gravest of [`Trouble::CHANGED`], [`Trouble::DENIED`], [`Trouble::GONE`], and [`Trouble::BROKEN`].
    gravest: AtomicU8,
}

impl Trouble {
    const DENIED: u8 = 1;
    const CHANGED: u8 = 2;
    const BROKEN: u8 = 3;
    const GONE: u8 = 4;

    /// Three actions: count and go on; go on and say so; rebuild.
    fn note(&self, kind: ErrorKind) {
        let grave = match kind {
            ErrorKind::Xrun => {
                self.xruns.fetch_add(1, Ordering::Relaxed);
                self.xruns_in_all.fetch_add(1, Ordering::Relaxed);
                return;
            }
            ErrorKind::RealtimeDenied => Self::DENIED,
            ErrorKind::DeviceChanged => Self::CHANGED,
            ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => Self::GONE,
            _ => Self::BROKEN,
        };
        self.gravest.fetch_max(grave, Ordering::Relaxed);
    }
}

struct CpalStream {
    /// `None` once stopped.
    stream: Option<cpal::Stream>,
    info: StreamInfo,
    trouble: Arc<Trouble>,
    home: Home,
    warning: Option<String>,
    /// The microphone's stream, where something listens.
    input: Option<cpal::Stream>,
    ear_trouble: Arc<Trouble>,
    clock: Arc<dyn Clock>,
}

impl Stream for CpalStream {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn poll(&mut self, each: &mut dyn FnMut(Status)) {
        if let Some(warning) = self.warning.take() {
            each(Status::Warning(warning));
        }
        let xruns = self.trouble.xruns.swap(0, Ordering::Relaxed);
        if xruns > 0 {
            each(Status::Xruns(xruns));
        }
        let ahead = self.trouble.ahead_micros.load(Ordering::Relaxed);
        if ahead > 0 {
            self.info.output_latency = self.info.rate.frames(Micros(i64::from(ahead))).0 as u32;
        }
        match self.ear_trouble.gravest.swap(0, Ordering::Relaxed) {
            Trouble::BROKEN | Trouble::GONE => {
                self.input = None;
                each(Status::Warning("the microphone is gone".to_owned()));
            }
            _ => {}
        }
        let device = &self.info.device;
        match self.trouble.gravest.swap(0, Ordering::Relaxed) {
            Trouble::DENIED => each(Status::Warning("the system grants the sound no real-time priority".to_owned())),
            Trouble::CHANGED => each(Status::Changed(format!("the sound of {device} now comes from elsewhere"))),
            Trouble::BROKEN => each(Status::Lost(format!("{device} stopped working"))),
            Trouble::GONE => each(Status::Lost(format!("{device} is gone"))),
            _ => {}
        }
    }

    fn calls(&self) -> Option<u32> {
        Some(self.home.calls())
    }

    fn listen(&mut self, device: Option<&str>, tap: Option<Tap>) -> Result<Option<Input>, BackendError> {
        self.input = None;
        let Some(tap) = tap else { return Ok(None) };
        self.ear_trouble = Arc::default();
        let (stream, input) = ear::open(device, tap, &self.info, self.clock.clone(), self.ear_trouble.clone())?;
        self.input = Some(stream);
        Ok(Some(input))
    }

    fn stop(mut self: Box<Self>) -> Option<Processor> {
        self.input = None;
        // Joins the callback's thread; its closure sends the processor home.
        drop(self.stream.take());
        self.home.take().map(|processor| *processor)
    }
}
