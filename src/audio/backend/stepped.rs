//! A backend that a test drives block by block: any block size, events at exact frames, late callbacks, xruns, a lost
//! device, a device that refuses. Its time is simulated.

use std::collections::VecDeque;
#[expect(clippy::disallowed_types, reason = "shared by a test and the stream it drives; no real-time thread here")]
use std::sync::Mutex;
use std::sync::{Arc, PoisonError};

use super::{Backend, BackendError, Device, Kind, Presence, StartError, Status, Stream, StreamConfig, StreamInfo};
use crate::audio::capture::{Input, Tap};
use crate::audio::live::TimedMidi;
use crate::audio::outlet::TimedWire;
use crate::audio::processor::{Block, Outputs, Processor};
use crate::time::{Frames, Micros, Rate};

/// The longest block for which nothing is allocated while a test watches.
const BLOCK_MAX: usize = 8_192;

#[derive(Default)]
struct Shared {
    processor: Option<Processor>,
    info: Option<StreamInfo>,
    next: Frames,
    mono: Micros,
    lateness: Micros,
    xrun: bool,
    load: Option<f32>,
    /// The metronome's own channel, of the last block.
    click: Vec<f32>,
    status: Vec<Status>,
    refusals: u32,
    start_refusals: u32,
    absent: bool,
    /// The chosen device is not there, and another one is.
    stand_in: bool,
    rate: Option<Rate>,
    starts: u32,
    calls: Option<u32>,
    tap: Option<Tap>,
    no_input: bool,
    /// What comes in next.
    input: VecDeque<f32>,
    heard: Vec<f32>,
}

impl Shared {
    /// The next so many samples come in.
    fn hear(&mut self, mono: Micros, count: usize) {
        let fed = count.min(self.input.len());
        if let Some(tap) = &mut self.tap {
            self.heard.clear();
            self.heard.extend(self.input.iter().take(fed));
            self.heard.resize(count, 0.0);
            tap.push(self.next, mono, &self.heard);
        }
        self.input.drain(..fed);
    }
}

/// The backend; make it with [`stepped`].
pub struct SteppedBackend(Driver);

/// The test's hand on it.
#[derive(Clone, Default)]
pub struct Driver {
    #[expect(clippy::disallowed_types, reason = "see above")]
    shared: Arc<Mutex<Shared>>,
}

/// The input's id and its name.
const INPUT: &str = "stepped-in";
const INPUT_NAME: &str = "Stepped input";

/// A backend and the hand that drives it.
pub fn stepped() -> (SteppedBackend, Driver) {
    let driver = Driver::default();
    (SteppedBackend(driver.clone()), driver)
}

impl Driver {
    fn with<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Renders one block of the slices' length with the driver's own MIDI events, and lets its duration pass. `false`
    /// (and untouched slices) if no stream runs.
    pub fn step_into(&self, midi: &[TimedMidi], left: &mut [f32], right: &mut [f32]) -> bool {
        self.with(|shared| {
            let (Some(processor), Some(info)) = (&mut shared.processor, &shared.info) else { return false };
            let mono = shared.mono + shared.lateness;
            let rate = info.rate;
            let xrun = std::mem::take(&mut shared.xrun);
            let block = Block { first: shared.next, mono, stream: info.stream, call: 0, xrun };
            let frames = Frames(left.len().min(right.len()) as i64);
            shared.click.clear();
            shared.click.resize(frames.0 as usize, 0.0);
            processor.process(block, midi, Outputs { left, right, click: &mut shared.click });
            if let Some(load) = shared.load {
                processor.note_load(load);
            }
            shared.calls = shared.calls.map(|calls| calls.wrapping_add(1));
            shared.hear(mono, frames.0 as usize);
            shared.next += frames;
            shared.mono += rate.micros(frames);
            true
        })
    }

    /// Renders `frames` in blocks of `period`; returns both channels. Silence, and no time passes, if no stream runs.
    pub fn run(&self, frames: usize, period: usize) -> (Vec<f32>, Vec<f32>) {
        let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
        for (l, r) in left.chunks_mut(period).zip(right.chunks_mut(period)) {
            self.step_into(&[], l, r);
        }
        (left, right)
    }

    /// The metronome's own channel in the last block.
    pub fn click(&self) -> Vec<f32> {
        self.with(|s| s.click.clone())
    }

    /// What the driver's own MIDI port was given in the last block.
    pub fn outgoing(&self) -> Vec<TimedWire> {
        self.with(|s| s.processor.as_ref().map_or(Vec::new(), |p| p.outgoing().to_vec()))
    }

    /// The frame that comes next.
    pub fn frame(&self) -> Frames {
        self.with(|s| s.next)
    }

    /// The simulated monotonic time of that frame.
    pub fn mono(&self) -> Micros {
        self.with(|s| s.mono)
    }

    /// From now on callbacks come so much after their time.
    pub fn set_lateness(&self, lateness: Micros) {
        self.with(|s| s.lateness = lateness);
    }

    /// From now on each block is said to have taken this share of its time.
    pub fn set_load(&self, load: f32) {
        self.with(|s| s.load = Some(load));
    }

    /// The sound did not come in time: monotonic time passes, frames do not.
    pub fn xrun(&self, lost: Micros) {
        self.with(|s| {
            s.mono += lost;
            s.xrun = true;
            s.status.push(Status::Xruns(1));
        });
    }

    /// The device is gone: no more blocks until another stream starts.
    pub fn lose(&self, why: &str) {
        self.with(|s| {
            s.status.push(Status::Lost(why.to_owned()));
            s.info = None;
        });
    }

    /// From now on blocks are counted, so that it is noticed when they stop coming.
    pub fn count_calls(&self) {
        self.with(|s| s.calls = Some(0));
    }

    /// These samples come in from the next block on, silence after them.
    pub fn feed(&self, samples: &[f32]) {
        self.with(|s| s.input.extend(samples));
    }

    /// Whether something listens.
    pub fn is_tapped(&self) -> bool {
        self.with(|s| s.tap.is_some())
    }

    /// From now on there is no input device, or there is one again.
    pub fn set_no_input(&self, none: bool) {
        self.with(|s| s.no_input = none);
    }

    /// The next so many starts fail.
    pub fn refuse(&self, times: u32) {
        self.with(|s| s.refusals = times);
    }

    /// The next so many starts fail, though the device seems to be there.
    pub fn refuse_starts(&self, times: u32) {
        self.with(|s| s.start_refusals = times);
    }

    /// From now on the device is not there, or is there again.
    pub fn set_absent(&self, absent: bool) {
        self.with(|s| s.absent = absent);
    }

    /// From now on another device stands in for the chosen one, or that one is there again.
    pub fn set_stand_in(&self, stand_in: bool) {
        self.with(|s| s.stand_in = stand_in);
    }

    /// The stream goes on in another way.
    pub fn change(&self, what: &str) {
        self.with(|s| s.status.push(Status::Changed(what.to_owned())));
    }

    /// The simulated monotonic time of the frame that comes next, from now on.
    pub fn set_mono(&self, mono: Micros) {
        self.with(|s| s.mono = mono);
    }

    /// The device runs at this rate, whatever is wanted.
    pub fn set_rate(&self, rate: Rate) {
        self.with(|s| s.rate = Some(rate));
    }

    /// How often a start was tried.
    pub fn starts(&self) -> u32 {
        self.with(|s| s.starts)
    }
}

impl Backend for SteppedBackend {
    fn kind(&self) -> Kind {
        Kind::Stepped
    }

    fn devices(&mut self) -> Result<Vec<Device>, BackendError> {
        let rate = self.0.with(|s| s.rate).unwrap_or(Rate::DEFAULT);
        let (id, name) = ("stepped".to_owned(), "Stepped".to_owned());
        Ok(vec![Device { kind: Kind::Stepped, id, name, default: true, channels: 2, rate }])
    }

    fn inputs(&mut self) -> Result<Vec<Device>, BackendError> {
        let mut devices = self.devices()?;
        devices.retain(|_| !self.0.with(|s| s.no_input));
        devices.iter_mut().for_each(|device| (device.id, device.name) = (INPUT.to_owned(), INPUT_NAME.to_owned()));
        Ok(devices)
    }

    fn available(&mut self, _config: &StreamConfig) -> Result<Presence, BackendError> {
        if self.0.with(|s| s.absent) {
            return Err(absent());
        }
        match self.0.with(|s| s.refusals) {
            0 if self.0.with(|s| s.stand_in) => Ok(Presence::StandIn),
            0 => Ok(Presence::Wanted),
            _ => self.0.with(|s| {
                (s.refusals, s.starts) = (s.refusals - 1, s.starts + 1);
                Err(BackendError::Busy { kind: Kind::Stepped, device: "stepped".to_owned() })
            }),
        }
    }

    fn start(&mut self, mut processor: Processor, config: &StreamConfig) -> Result<Box<dyn Stream>, StartError> {
        self.0.with(|shared| {
            shared.starts += 1;
            if shared.absent {
                return Err(StartError::new(processor, absent()));
            }
            let refusals = if shared.refusals > 0 { &mut shared.refusals } else { &mut shared.start_refusals };
            if *refusals > 0 {
                *refusals -= 1;
                let error = BackendError::Busy { kind: Kind::Stepped, device: "stepped".to_owned() };
                return Err(StartError::new(processor, error));
            }
            let rate = shared.rate.unwrap_or(config.rate);
            let device = (if shared.stand_in { "Another" } else { "Stepped" }).to_owned();
            let (kind, period, output_latency) = (Kind::Stepped, config.period, 0);
            let (bluetooth, stand_in, stream) = (false, shared.stand_in, config.stream);
            let info = StreamInfo { kind, device, rate, period, output_latency, bluetooth, stand_in, stream };
            processor.begin_stream(config.stream, rate, config.period);
            shared.click.reserve(BLOCK_MAX);
            shared.heard.reserve(BLOCK_MAX);
            shared.processor = Some(processor);
            shared.info = Some(info.clone());
            shared.next = Frames::ZERO;
            shared.status.clear();
            Ok(Box::new(SteppedStream { driver: self.0.clone(), info }) as Box<dyn Stream>)
        })
    }
}

fn absent() -> BackendError {
    BackendError::Unavailable { kind: Kind::Stepped, reason: "not there".to_owned() }
}

struct SteppedStream {
    driver: Driver,
    info: StreamInfo,
}

impl Stream for SteppedStream {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn poll(&mut self, each: &mut dyn FnMut(Status)) {
        for status in self.driver.with(|s| std::mem::take(&mut s.status)) {
            each(status);
        }
    }

    fn calls(&self) -> Option<u32> {
        self.driver.with(|s| s.calls)
    }

    fn listen(&mut self, device: Option<&str>, tap: Option<Tap>) -> Result<Option<Input>, BackendError> {
        let listens = tap.is_some();
        self.driver.with(|s| s.tap = tap.filter(|_| !s.no_input && device.is_none_or(|id| id == INPUT)));
        match (listens, self.driver.is_tapped()) {
            (false, _) => Ok(None),
            (true, true) => {
                let (rate, stream) = (self.info.rate, self.info.stream);
                let (device, latency) = (INPUT_NAME.to_owned(), self.info.period);
                Ok(Some(Input { device, rate, latency, stream, shares_frames: true }))
            }
            (true, false) => {
                let device = device.unwrap_or("input").to_owned();
                Err(BackendError::NoDevice { kind: Kind::Stepped, device })
            }
        }
    }

    fn stop(self: Box<Self>) -> Option<Processor> {
        self.driver.with(|s| {
            (s.info, s.tap) = (None, None);
            s.processor.take()
        })
    }
}
