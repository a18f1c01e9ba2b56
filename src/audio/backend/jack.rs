//! Sound and MIDI of a JACK server (also PipeWire's) in one callback, exact to the frame. The only place that knows the
//! jack crate. Which server: the environment variable `JACK_DEFAULT_SERVER`.

mod cables;
mod connections;
mod ports;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use jack::{
    AsyncClient, Client, ClientOptions, ClientStatus, Control, NotificationHandler, PortFlags, ProcessHandler,
    ProcessScope, RawMidi,
};

use self::cables::{Cables, Patchbay, patchbay, too_many};
use self::connections::Connections;
use self::ports::{INPUT, Names, Ports};
use super::carrier::{Carrier, Home};
use super::{
    Backend, BackendError, Connection, Device, Kind, MidiSource, Patch, Presence, StartError, Status, Stream,
    StreamConfig, StreamInfo,
};
use crate::audio::capture::{Input, Tap};
use crate::audio::live::TimedMidi;
use crate::audio::outlet::{self, Wire};
use crate::audio::processor::{Outputs, Processor};
use crate::time::{Clock, Frames, Rate};

/// The client's name; the server numbers further ones.
const CLIENT: &str = "music-trainer";
/// Events taken of one port in one block at most, far more than a cable carries; those beyond are counted.
const EVENTS_MAX: usize = 1024;
/// How long a stream that stops waits for its last messages to leave: some periods.
const FAREWELL: Duration = Duration::from_millis(200);

/// Taps under way to the callback, or home.
const TAPS: usize = 4;
/// Ports that came or went since last asked; of more it is not known which.
const MOVED_PORTS: usize = 256;

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

    fn midi_sources(&mut self) -> Result<Vec<String>, BackendError> {
        let client = connect("music-trainer-list")?;
        Ok(client.ports(None, Some(MIDI), PortFlags::IS_PHYSICAL | PortFlags::IS_OUTPUT))
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
        let names = Names::of(&client);
        processor.begin_stream(config.stream, rate, period);
        let (carrier, mut home) = Carrier::new(processor, config.stream, rate);
        let shared = Arc::new(Shared::default());
        let events = Vec::with_capacity(EVENTS_MAX);
        let (clock, ending) = (self.clock.clone(), shared.clone());
        let (taps, taps_in) = rtrb::RingBuffer::new(TAPS);
        let (taps_out, old_taps) = rtrb::RingBuffer::new(TAPS);
        let ear = Ear { next: Frames::ZERO, tap: None, taps: taps_in, home: taps_out };
        let (patchbay, cables) = patchbay();
        let callback = Callback { ports, carrier, clock, rate, events, shared: ending, ear, cables };
        let (moved, moved_ports) = bounded(MOVED_PORTS);
        let client = match client.activate_async(Notices { shared: shared.clone(), moved }, callback) {
            Ok(client) => client,
            // The callback was dropped, which sent the processor home.
            Err(error) => return Err(StartError { processor: home.take(), error: failed(error) }),
        };
        let mut connections = Connections::new(config.connections.clone(), self.clock.now());
        if config.connect {
            names.join_outputs(client.as_client(), &mut connections);
            names.join_due(client.as_client(), &mut connections);
        }
        let device = "JACK server".to_owned();
        let output_latency = names.output_latency(client.as_client());
        let (kind, stream) = (Kind::Jack, config.stream);
        let (bluetooth, stand_in) = (false, false);
        let info = StreamInfo { kind, device, rate, period, output_latency, bluetooth, stand_in, stream };
        let (sources, joined, connect) = (Vec::new(), Vec::new(), config.connect);
        let (client, clock, heard) = (Some(client), self.clock.clone(), None);
        let mut stream = JackStream {
            client,
            clock,
            info,
            shared,
            home,
            names,
            sources,
            gone: BTreeSet::new(),
            moved: moved_ports,
            patchbay,
            joined,
            connect,
            connections,
            taps,
            old_taps,
            heard,
        };
        stream.list_sources(&BTreeSet::new());
        Ok(Box::new(stream))
    }
}

struct Callback {
    ports: Ports,
    carrier: Carrier,
    clock: Arc<dyn Clock>,
    rate: Rate,
    events: Vec<TimedMidi>,
    shared: Arc<Shared>,
    ear: Ear,
    cables: Cables,
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
        let (cycle, rate) = (i64::from(scope.last_frame_time()), self.rate);
        let driver_time = |time: u32| rate.micros(Frames(cycle + i64::from(time)));
        let events = self.ports.midi.iter(scope);
        let mut lost = too_many(events.size_hint().0);
        for raw in events.take(EVENTS_MAX) {
            let driver = driver_time(raw.time);
            self.events.extend(TimedMidi::read(raw.time, driver, raw.bytes));
        }
        self.ear.hear(began, self.ports.input.as_slice(scope));
        let left = self.ports.left.as_mut_slice(scope);
        let right = self.ports.right.as_mut_slice(scope);
        let click = self.ports.click.as_mut_slice(scope);
        let heard = self.shared.click_heard.load(Ordering::Relaxed);
        self.carrier.begin_call(left.len(), self.shared.xrun.swap(false, Ordering::Relaxed));
        let out = Outputs { left, right, click: if heard { click } else { silent(click) } };
        let first = self.carrier.next();
        if self.shared.let_go.swap(false, Ordering::Relaxed) {
            self.carrier.release_driver();
        }
        self.carrier.process(self.clock.as_ref(), began, &self.events, out);
        // After the block, which knows by now when its frames were: what is read here sounds with a later one anyway.
        self.cables.exchange();
        let carrier = &self.carrier;
        lost += self.cables.read(scope, |sink, raw| {
            sink.receive(carrier.stamp(first + Frames(i64::from(raw.time)), driver_time(raw.time)), raw.bytes);
        });
        lost += self.send(scope);
        if lost > 0 {
            self.shared.midi_lost.fetch_add(lost, Ordering::Relaxed);
        }
        Control::Continue
    }
}

impl Callback {
    /// What the program plays goes out on its frames. What the port's buffer has no room for is lost to it, as on a
    /// cable that is pulled; returns how many messages.
    fn send(&mut self, scope: &ProcessScope) -> u32 {
        let mut writer = self.ports.midi_out.writer(scope);
        let last = scope.n_frames().saturating_sub(1);
        let mut write = |time: u32, bytes: &[u8]| writer.write(&RawMidi { time: time.min(last), bytes }).is_ok();
        let outgoing = self.carrier.outgoing().iter().map(|timed| (timed.offset, timed.wire));
        let mut lost = write_out(outgoing, &mut write);
        if self.shared.ending.load(Ordering::Acquire) {
            lost += write_out(outlet::quiet().iter().map(|wire| (last, *wire)), &mut write);
            self.shared.quiet.store(true, Ordering::Release);
        }
        lost
    }
}

/// Writes messages, each at its frame of the block; how many of them there was no room for.
fn write_out(messages: impl Iterator<Item = (u32, Wire)>, write: &mut impl FnMut(u32, &[u8]) -> bool) -> u32 {
    messages.map(|(time, wire)| u32::from(!write(time, wire.bytes()))).sum()
}

/// Fills a port that nobody hears; what would be played there is played with the music.
fn silent(port: &mut [f32]) -> &mut [f32] {
    port.fill(0.0);
    &mut []
}

#[derive(Default)]
struct Shared {
    xruns: AtomicU32,
    /// MIDI messages for which there was no room.
    midi_lost: AtomicU32,
    dead: AtomicBool,
    ports_changed: AtomicBool,
    /// More ports came or went than there was room to tell of.
    moved_more: AtomicBool,
    graph_changed: AtomicBool,
    /// Frames were lost, and the callback does not know yet.
    xrun: AtomicBool,
    /// Whether somebody hears the metronome's own port.
    click_heard: AtomicBool,
    /// A source was taken off the general MIDI input: what is held there is let go.
    let_go: AtomicBool,
    /// The stream is about to stop.
    ending: AtomicBool,
    /// The port has told its listeners to let go of everything.
    quiet: AtomicBool,
}

struct Notices {
    shared: Arc<Shared>,
    /// Ports that came (`true`) and went.
    moved: Sender<(jack::PortId, bool)>,
}

impl NotificationHandler for Notices {
    #[expect(unsafe_code, reason = "the trait's signature: it may run in a signal handler; an atomic store may too")]
    unsafe fn shutdown(&mut self, _: ClientStatus, _: &str) {
        self.shared.dead.store(true, Ordering::Release);
    }

    fn port_registration(&mut self, _: &Client, port: jack::PortId, came: bool) {
        if self.moved.try_send((port, came)).is_err() {
            self.shared.moved_more.store(true, Ordering::Release);
        }
        self.shared.ports_changed.store(true, Ordering::Release);
    }

    fn ports_connected(&mut self, _: &Client, _: jack::PortId, _: jack::PortId, _: bool) {
        self.shared.graph_changed.store(true, Ordering::Release);
    }

    fn graph_reorder(&mut self, _: &Client) -> Control {
        self.shared.graph_changed.store(true, Ordering::Release);
        Control::Continue
    }

    fn xrun(&mut self, _: &Client) -> Control {
        self.shared.xruns.fetch_add(1, Ordering::Relaxed);
        self.shared.xrun.store(true, Ordering::Relaxed);
        Control::Continue
    }
}

struct JackStream {
    /// `None` once stopped.
    client: Option<AsyncClient<Notices, Callback>>,
    clock: Arc<dyn Clock>,
    info: StreamInfo,
    shared: Arc<Shared>,
    home: Home,
    names: Names,
    /// MIDI sources that were there when last looked.
    sources: Vec<MidiSource>,
    /// Of these it was said that they went, and they are listed still: their client has stopped and not closed yet.
    gone: BTreeSet<String>,
    moved: Receiver<(jack::PortId, bool)>,
    patchbay: Patchbay,
    /// Sources that somebody joined to the general MIDI input.
    joined: Vec<String>,
    connect: bool,
    /// Which connections are a person's.
    connections: Connections,
    taps: rtrb::Producer<Option<Tap>>,
    old_taps: rtrb::Consumer<Tap>,
    /// The port that was connected to be listened to.
    heard: Option<String>,
}

impl JackStream {
    /// Which ports came and went since last asked. Those that are heard and have just come anew, so that they were gone in
    /// between.
    fn hear_of_ports(&mut self) -> BTreeSet<String> {
        let mut back = BTreeSet::new();
        let Some(client) = self.client.as_ref().map(AsyncClient::as_client).filter(|_| self.connect) else {
            return back;
        };
        let now = self.clock.now();
        if self.shared.moved_more.swap(false, Ordering::AcqRel) {
            self.connections.lost_count(now);
        }
        while let Ok((port, came)) = self.moved.try_recv() {
            let Some(name) = client.port_by_id(port).and_then(|port| port.name().ok()) else { continue };
            if !came {
                self.connections.went(&name);
                self.gone.insert(name);
                continue;
            }
            self.connections.came(&name, now);
            self.gone.remove(&name);
            if self.patchbay.hears(&name) {
                self.shared.ports_changed.store(true, Ordering::Release);
                back.insert(name);
            }
        }
        back
    }

    /// Looks which keyboards the server knows, but for those that were gone in between.
    fn list_sources(&mut self, back: &BTreeSet<String>) {
        let Some(client) = self.client.as_ref().map(AsyncClient::as_client).filter(|_| self.connect) else { return };
        let names = client.ports(None, Some(MIDI), PortFlags::IS_PHYSICAL | PortFlags::IS_OUTPUT);
        self.gone.retain(|name| names.contains(name));
        let there = names.into_iter().filter(|name| !self.gone.contains(name) && !back.contains(name));
        let aliases = |name: &str| client.port_by_name(name).and_then(|port| port.aliases().ok()).unwrap_or_default();
        self.sources = there.map(|name| MidiSource { aliases: aliases(&name), name }).collect();
    }

    /// What the graph looks like now.
    fn follow_graph(&mut self) {
        let Some(client) = self.client.as_ref().map(AsyncClient::as_client) else { return };
        self.info.output_latency = self.names.output_latency(client);
        self.shared.click_heard.store(self.names.click_heard(client), Ordering::Relaxed);
        let before = std::mem::replace(&mut self.joined, self.names.midi_joined(client));
        if before.iter().any(|source| !self.joined.contains(source)) {
            self.shared.let_go.store(true, Ordering::Relaxed);
        }
        self.patchbay.connect(client);
        if self.connect {
            self.connections.looked(self.clock.now(), self.names.graph(client));
            self.names.join_due(client, &mut self.connections);
        }
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
}

impl Stream for JackStream {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn midi_sources(&self) -> &[MidiSource] {
        &self.sources
    }

    fn midi_joined(&self) -> Option<&[String]> {
        Some(&self.joined)
    }

    fn take_connections(&mut self) -> Vec<Connection> {
        self.connections.take_news()
    }

    fn patch(&mut self, patch: Patch) {
        if let Some(client) = &self.client {
            self.patchbay.patch(client.as_client(), patch);
        }
    }

    fn poll(&mut self, each: &mut dyn FnMut(Status)) {
        while let Ok(old) = self.old_taps.pop() {
            drop(old);
        }
        let xruns = self.shared.xruns.swap(0, Ordering::Relaxed);
        if xruns > 0 {
            each(Status::Xruns(xruns));
        }
        let lost = self.shared.midi_lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            each(Status::MidiLost(lost));
        }
        if self.shared.dead.load(Ordering::Acquire) {
            each(Status::Lost("the JACK server is gone".to_owned()));
            return;
        }
        if let Some(client) = self.client.as_ref().map(AsyncClient::as_client) {
            self.patchbay.tend(client);
            let (rate, period) = (client.sample_rate(), client.buffer_size());
            if rate != self.info.rate.0 {
                each(Status::Lost(format!("the JACK server changed to {rate} Hz")));
                return;
            }
            if std::mem::replace(&mut self.info.period, period) != period {
                each(Status::Changed(format!("the JACK server changed its buffer to {period} frames")));
            }
        }
        let came_or_went = self.shared.ports_changed.swap(false, Ordering::AcqRel);
        let back = if came_or_went { self.hear_of_ports() } else { BTreeSet::new() };
        if self.shared.graph_changed.swap(false, Ordering::AcqRel) || came_or_went {
            self.follow_graph();
        }
        if came_or_went {
            self.list_sources(&back);
        }
        if let Some(client) = self.client.as_ref().map(AsyncClient::as_client) {
            self.connections.settle(self.clock.now(), |port| client.port_by_name(port).is_some());
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
            let _gone = client.disconnect_ports_by_name(&old, &self.names.input());
            self.connections.unmade(&(INPUT.to_owned(), old));
        }
        if let Some(source) = &source {
            let pair = (INPUT.to_owned(), source.clone());
            if self.names.join(client, &pair) {
                self.connections.made(pair);
            }
        }
        self.heard = source.clone();
        let latency = self.names.input_latency(client);
        let device = source.unwrap_or_else(|| self.names.input());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_port_has_no_room_for_is_counted_and_the_rest_is_written() {
        let wire = |bytes: &[u8]| Wire::new(bytes).expect("a message");
        let messages = [(0, wire(&[0x90, 60, 1])), (3, wire(&[0x90, 61, 1])), (9, wire(&[0xd0, 7]))];
        let mut written = Vec::new();
        let mut room = |time: u32, bytes: &[u8]| {
            // What is longer than two bytes finds room once.
            let fits = bytes.len() < 3 || written.is_empty();
            written.extend(fits.then(|| (time, bytes.to_vec())));
            fits
        };
        assert_eq!(write_out(messages.into_iter(), &mut room), 1);
        assert_eq!(written, [(0, vec![0x90, 60, 1]), (9, vec![0xd0, 7])]);
    }
}
