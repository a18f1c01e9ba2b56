//! Sound and MIDI of a JACK server (also PipeWire's) in one callback, exact to the frame. The only file that knows the
//! jack crate. Which server: the environment variable `JACK_DEFAULT_SERVER`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use jack::{
    AsyncClient, AudioIn, AudioOut, Client, ClientOptions, ClientStatus, Control, LatencyType, MidiIn, MidiOut,
    NotificationHandler, Port, PortFlags, ProcessHandler, ProcessScope, RawMidi,
};

use super::carrier::{Carrier, Home};
use super::{Backend, BackendError, Device, Kind, Presence, StartError, Status, Stream, StreamConfig, StreamInfo};
use crate::audio::capture::{Input, Tap};
use crate::audio::live::TimedMidi;
use crate::audio::outlet;
use crate::audio::processor::{Outputs, Processor};
use crate::time::{Clock, Frames, Rate};

/// The client's name; the server numbers further ones.
const CLIENT: &str = "music-trainer";
/// Events taken from one block at most, far more than a cable carries.
const EVENTS_MAX: usize = 1024;
/// How long a stream that stops waits for its last messages to leave: some periods.
const FAREWELL: Duration = Duration::from_millis(200);

/// Taps under way to the callback, or home.
const TAPS: usize = 4;

const AUDIO: &str = "32 bit float mono audio";
const MIDI: &str = "8 bit raw midi";

/// See the module.
pub struct JackBackend {
    clock: Arc<dyn Clock>,
}

impl JackBackend {
    /// Callbacks are stamped with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        // libjack writes to standard error whenever no server runs; that is no news to a person.
        jack::set_logger(jack::LoggerType::None);
        Self { clock }
    }
}

fn connect(name: &str) -> Result<Client, BackendError> {
    match Client::new(name, ClientOptions::NO_START_SERVER) {
        Ok((client, _)) => Ok(client),
        Err(_) => Err(BackendError::Unavailable { kind: Kind::Jack, reason: "no server runs".to_owned() }),
    }
}

fn failed(error: jack::Error) -> BackendError {
    BackendError::Failed { kind: Kind::Jack, device: "server".to_owned(), reason: error.to_string() }
}

impl Backend for JackBackend {
    fn kind(&self) -> Kind {
        Kind::Jack
    }

    fn devices(&mut self) -> Result<Vec<Device>, BackendError> {
        let client = connect("music-trainer-list")?;
        let playback = client.ports(None, Some(AUDIO), PortFlags::IS_PHYSICAL | PortFlags::IS_INPUT);
        let channels = playback.len().min(usize::from(u16::MAX)) as u16;
        let (id, name) = ("jack".to_owned(), "JACK server".to_owned());
        Ok(vec![Device { kind: Kind::Jack, id, name, default: true, channels, rate: Rate(client.sample_rate()) }])
    }

    fn inputs(&mut self) -> Result<Vec<Device>, BackendError> {
        let client = connect("music-trainer-list")?;
        let capture = client.ports(None, Some(AUDIO), PortFlags::IS_PHYSICAL | PortFlags::IS_OUTPUT);
        let rate = Rate(client.sample_rate());
        let device = |(index, id): (usize, String)| Device {
            kind: Kind::Jack,
            name: id.clone(),
            id,
            default: index == 0,
            channels: 1,
            rate,
        };
        Ok(capture.into_iter().enumerate().map(device).collect())
    }

    fn available(&mut self, _config: &StreamConfig) -> Result<Presence, BackendError> {
        connect("music-trainer-look").map(|_| Presence::Wanted)
    }

    fn start(&mut self, mut processor: Processor, config: &StreamConfig) -> Result<Box<dyn Stream>, StartError> {
        let (client, ports) = match connect(CLIENT).and_then(|client| Ports::register(&client).map(|p| (client, p))) {
            Ok(opened) => opened,
            Err(error) => return Err(StartError::new(processor, error)),
        };
        let (rate, period) = (Rate(client.sample_rate()), client.buffer_size());
        let names = ports.names();
        processor.begin_stream(config.stream, rate, period);
        let (carrier, mut home) = Carrier::new(processor, config.stream, rate);
        let shared = Arc::new(Shared::default());
        let events = Vec::with_capacity(EVENTS_MAX);
        let (clock, ending) = (self.clock.clone(), shared.clone());
        let (taps, taps_in) = rtrb::RingBuffer::new(TAPS);
        let (taps_out, old_taps) = rtrb::RingBuffer::new(TAPS);
        let ear = Ear { next: Frames::ZERO, tap: None, taps: taps_in, home: taps_out };
        let callback = Callback { ports, carrier, clock, rate, events, shared: ending, ear };
        let client = match client.activate_async(Notices(shared.clone()), callback) {
            Ok(client) => client,
            // The callback was dropped, which sent the processor home.
            Err(error) => return Err(StartError { processor: home.take(), error: failed(error) }),
        };
        if config.connect {
            connect_outputs(client.as_client(), &names);
        }
        let device = "JACK server".to_owned();
        let output_latency = latency(client.as_client(), &names);
        let (kind, stream) = (Kind::Jack, config.stream);
        let (bluetooth, stand_in) = (false, false);
        let info = StreamInfo { kind, device, rate, period, output_latency, bluetooth, stand_in, stream };
        let (known, connect) = (Vec::new(), config.connect);
        let (client, heard) = (Some(client), None);
        let mut stream = JackStream { client, info, shared, home, names, known, connect, taps, old_taps, heard };
        if connect {
            stream.connect_new_sources();
        }
        Ok(Box::new(stream))
    }
}

struct Ports {
    left: Port<AudioOut>,
    right: Port<AudioOut>,
    /// The metronome alone, when it is sent there.
    click: Port<AudioOut>,
    midi: Port<MidiIn>,
    midi_out: Port<MidiOut>,
    /// For the microphone.
    input: Port<AudioIn>,
}

/// Full port names.
struct Names {
    outputs: [String; 2],
    click: String,
    midi: String,
    input: String,
}

impl Ports {
    fn register(client: &Client) -> Result<Self, BackendError> {
        Ok(Self {
            left: client.register_port("out_left", AudioOut::default()).map_err(failed)?,
            right: client.register_port("out_right", AudioOut::default()).map_err(failed)?,
            click: client.register_port("out_click", AudioOut::default()).map_err(failed)?,
            midi: client.register_port("midi_in", MidiIn::default()).map_err(failed)?,
            midi_out: client.register_port("midi_out", MidiOut::default()).map_err(failed)?,
            input: client.register_port("in", AudioIn::default()).map_err(failed)?,
        })
    }

    fn names(&self) -> Names {
        let name = |name: Result<String, jack::Error>| name.unwrap_or_default();
        let outputs = [name(self.left.name()), name(self.right.name())];
        let (click, midi, input) = (name(self.click.name()), name(self.midi.name()), name(self.input.name()));
        Names { outputs, click, midi, input }
    }
}

/// Outputs to the first two physical playback ports. What cannot be connected stays for a patch bay.
fn connect_outputs(client: &Client, names: &Names) {
    let playback = client.ports(None, Some(AUDIO), PortFlags::IS_PHYSICAL | PortFlags::IS_INPUT);
    for (index, output) in names.outputs.iter().enumerate() {
        if let Some(target) = playback.get(index).or(playback.first()) {
            let _refused = client.connect_ports_by_name(output, target);
        }
    }
}

fn latency(client: &Client, names: &Names) -> u32 {
    client.port_by_name(&names.outputs[0]).map_or(0, |port| port.get_latency_range(LatencyType::Playback).1)
}

struct Callback {
    ports: Ports,
    carrier: Carrier,
    clock: Arc<dyn Clock>,
    rate: Rate,
    events: Vec<TimedMidi>,
    shared: Arc<Shared>,
    ear: Ear,
}

/// Where the input goes. Taps come and go through rings, so that none is freed in the callback.
struct Ear {
    next: Frames,
    tap: Option<Tap>,
    taps: rtrb::Consumer<Option<Tap>>,
    home: rtrb::Producer<Tap>,
}

impl Ear {
    fn hear(&mut self, began: crate::time::Micros, block: &[f32]) {
        // One exchange a block, and only while the way home has room for the old one.
        if self.home.slots() > 0
            && let Ok(tap) = self.taps.pop()
            && let Some(old) = std::mem::replace(&mut self.tap, tap)
        {
            let _sent = self.home.push(old);
        }
        if let Some(tap) = &mut self.tap {
            tap.push(self.next, began, block);
        }
        self.next += Frames(block.len() as i64);
    }
}

impl ProcessHandler for Callback {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let began = self.clock.now();
        self.events.clear();
        let cycle = i64::from(scope.last_frame_time());
        for raw in self.ports.midi.iter(scope).take(EVENTS_MAX) {
            let driver = self.rate.micros(Frames(cycle + i64::from(raw.time)));
            self.events.extend(TimedMidi::read(raw.time, driver, raw.bytes));
        }
        self.ear.hear(began, self.ports.input.as_slice(scope));
        let left = self.ports.left.as_mut_slice(scope);
        let right = self.ports.right.as_mut_slice(scope);
        let click = self.ports.click.as_mut_slice(scope);
        let heard = self.shared.click_heard.load(Ordering::Relaxed);
        self.carrier.begin_call(left.len(), self.shared.xrun.swap(false, Ordering::Relaxed));
        let out = Outputs { left, right, click: if heard { click } else { silent(click) } };
        self.carrier.process(self.clock.as_ref(), began, &self.events, out);
        self.send(scope);
        Control::Continue
    }
}

impl Callback {
    /// What the program plays goes out on its frames. What the port's buffer has no room for is lost to it, as on a
    /// cable that is pulled.
    fn send(&mut self, scope: &ProcessScope) {
        let mut writer = self.ports.midi_out.writer(scope);
        let last = scope.n_frames().saturating_sub(1);
        let mut write = |time: u32, bytes: &[u8]| {
            let _no_room = writer.write(&RawMidi { time: time.min(last), bytes });
        };
        self.carrier.outgoing().iter().for_each(|timed| write(timed.offset, timed.wire.bytes()));
        if self.shared.ending.load(Ordering::Acquire) {
            outlet::quiet().iter().for_each(|wire| write(last, wire.bytes()));
            self.shared.quiet.store(true, Ordering::Release);
        }
    }
}

/// Fills a port that nobody hears; what would be played there is played with the music.
fn silent(port: &mut [f32]) -> &mut [f32] {
    port.fill(0.0);
    &mut []
}

#[derive(Default)]
struct Shared {
    xruns: AtomicU32,
    dead: AtomicBool,
    ports_changed: AtomicBool,
    graph_changed: AtomicBool,
    /// Frames were lost, and the callback does not know yet.
    xrun: AtomicBool,
    /// Whether somebody hears the metronome's own port.
    click_heard: AtomicBool,
    /// The stream is about to stop.
    ending: AtomicBool,
    /// The port has told its listeners to let go of everything.
    quiet: AtomicBool,
}

struct Notices(Arc<Shared>);

impl NotificationHandler for Notices {
    #[expect(unsafe_code, reason = "the trait's signature: it may run in a signal handler; an atomic store may too")]
    unsafe fn shutdown(&mut self, _: ClientStatus, _: &str) {
        self.0.dead.store(true, Ordering::Release);
    }

    fn port_registration(&mut self, _: &Client, _: jack::PortId, _: bool) {
        self.0.ports_changed.store(true, Ordering::Release);
    }

    fn graph_reorder(&mut self, _: &Client) -> Control {
        self.0.graph_changed.store(true, Ordering::Release);
        Control::Continue
    }

    fn xrun(&mut self, _: &Client) -> Control {
        self.0.xruns.fetch_add(1, Ordering::Relaxed);
        self.0.xrun.store(true, Ordering::Relaxed);
        Control::Continue
    }
}

struct JackStream {
    /// `None` once stopped.
    client: Option<AsyncClient<Notices, Callback>>,
    info: StreamInfo,
    shared: Arc<Shared>,
    home: Home,
    names: Names,
    /// MIDI sources that were there when last looked; each is connected once, so that a person may disconnect it.
    known: Vec<String>,
    connect: bool,
    taps: rtrb::Producer<Option<Tap>>,
    old_taps: rtrb::Consumer<Tap>,
    /// The port that was connected to be listened to.
    heard: Option<String>,
}

impl JackStream {
    /// The keyboards that the server knows.
    fn sources(&self) -> Vec<String> {
        let list = |c: &AsyncClient<Notices, Callback>| {
            c.as_client().ports(None, Some(MIDI), PortFlags::IS_PHYSICAL | PortFlags::IS_OUTPUT)
        };
        self.client.as_ref().map(list).unwrap_or_default()
    }

    /// Waits until the listeners of the port have been told to let go; not for a server that is dead.
    fn say_farewell(&self) {
        self.shared.ending.store(true, Ordering::Release);
        let step = Duration::from_millis(2);
        for _ in 0..FAREWELL.as_millis() / step.as_millis() {
            if self.shared.quiet.load(Ordering::Acquire) || self.shared.dead.load(Ordering::Acquire) {
                return;
            }
            std::thread::park_timeout(step);
        }
    }

    fn connect_new_sources(&mut self) {
        let mut sources = self.sources();
        if let Some(client) = &self.client {
            // One whose client is not active yet refuses; the server says when it is.
            sources.retain(|source| {
                let connect = || client.as_client().connect_ports_by_name(source, &self.names.midi);
                self.known.contains(source) || matches!(connect(), Ok(()) | Err(jack::Error::PortAlreadyConnected(..)))
            });
        }
        self.known = sources;
    }
}

impl Stream for JackStream {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn midi_sources(&self) -> &[String] {
        &self.known
    }

    fn poll(&mut self, each: &mut dyn FnMut(Status)) {
        while let Ok(old) = self.old_taps.pop() {
            drop(old);
        }
        let xruns = self.shared.xruns.swap(0, Ordering::Relaxed);
        if xruns > 0 {
            each(Status::Xruns(xruns));
        }
        if self.shared.dead.load(Ordering::Acquire) {
            each(Status::Lost("the JACK server is gone".to_owned()));
            return;
        }
        if let Some(client) = self.client.as_ref().filter(|_| self.shared.graph_changed.swap(false, Ordering::AcqRel)) {
            self.info.output_latency = latency(client.as_client(), &self.names);
            let click = client.as_client().port_by_name(&self.names.click);
            let heard = click.and_then(|port| port.connected_count().ok()).is_some_and(|count| count > 0);
            self.shared.click_heard.store(heard, Ordering::Relaxed);
        }
        if self.connect && self.shared.ports_changed.swap(false, Ordering::AcqRel) {
            self.connect_new_sources();
        }
    }

    fn calls(&self) -> Option<u32> {
        Some(self.home.calls())
    }

    fn listen(&mut self, device: Option<&str>, tap: Option<Tap>) -> Result<Option<Input>, BackendError> {
        while let Ok(old) = self.old_taps.pop() {
            drop(old);
        }
        let Some(client) = self.client.as_ref().map(AsyncClient::as_client) else { return Ok(None) };
        if let Some(wanted) = device.filter(|wanted| tap.is_some() && client.port_by_name(wanted).is_none()) {
            return Err(BackendError::NoDevice { kind: Kind::Jack, device: wanted.to_owned() });
        }
        let listens = tap.is_some();
        if self.taps.push(tap).is_err() {
            let reason = "the server does not call".to_owned();
            return Err(BackendError::Failed { kind: Kind::Jack, device: "in".to_owned(), reason });
        }
        if !listens {
            return Ok(None);
        }
        let first =
            || client.ports(None, Some(AUDIO), PortFlags::IS_PHYSICAL | PortFlags::IS_OUTPUT).into_iter().next();
        let source = device.map(str::to_owned).or_else(|| self.connect.then(first).flatten());
        // What was connected for another choice is let go; what a person patched stays.
        if let Some(old) = self.heard.take().filter(|old| source.as_ref() != Some(old)) {
            let _gone = client.disconnect_ports_by_name(&old, &self.names.input);
        }
        if let Some(source) = &source {
            let _refused = client.connect_ports_by_name(source, &self.names.input);
        }
        self.heard = source.clone();
        let reported = client.port_by_name(&self.names.input);
        let latency = reported.map_or(0, |port| port.get_latency_range(LatencyType::Capture).1);
        let device = source.unwrap_or_else(|| self.names.input.clone());
        let StreamInfo { rate, stream, .. } = self.info;
        Ok(Some(Input { device, rate, latency, stream, shares_frames: true }))
    }

    fn stop(mut self: Box<Self>) -> Option<Processor> {
        self.say_farewell();
        if let Some(client) = self.client.take() {
            // With a dead server this fails, and drops the callback all the same.
            let _result = client.deactivate();
        }
        self.home.take().map(|processor| *processor)
    }
}
