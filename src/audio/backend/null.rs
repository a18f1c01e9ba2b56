//! No sound card, and the program still runs: a thread paced by the clock renders and drops the sound.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::carrier::{Carrier, Home};
use super::{Backend, BackendError, Device, Kind, Presence, StartError, Status, Stream, StreamConfig, StreamInfo};
use crate::audio::capture::{Input, Tap};
use crate::audio::processor::{Outputs, Processor};
use crate::time::{Clock, Frames, Micros, Rate};

/// Blocks that the thread may be behind (after the machine slept, say) before it lets them go.
const BEHIND_MAX: i64 = 8;
/// Below this a block would only wake the machine.
const PERIOD_MIN: u32 = 256;

/// See the module.
pub struct NullBackend {
    clock: Arc<dyn Clock>,
}

impl NullBackend {
    /// Paced by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Backend for NullBackend {
    fn kind(&self) -> Kind {
        Kind::Null
    }

    fn devices(&mut self) -> Result<Vec<Device>, BackendError> {
        let (id, name) = ("null".to_owned(), "No sound".to_owned());
        Ok(vec![Device { kind: Kind::Null, id, name, default: true, channels: 2, rate: Rate::DEFAULT }])
    }

    fn available(&mut self, _config: &StreamConfig) -> Result<Presence, BackendError> {
        Ok(Presence::Wanted)
    }

    fn start(&mut self, mut processor: Processor, config: &StreamConfig) -> Result<Box<dyn Stream>, StartError> {
        let period = config.period.clamp(PERIOD_MIN, 8192);
        let info = StreamInfo {
            kind: Kind::Null,
            device: "No sound".to_owned(),
            rate: config.rate,
            period,
            output_latency: 0,
            bluetooth: false,
            stand_in: false,
            stream: config.stream,
        };
        processor.begin_stream(config.stream, config.rate, period);
        let (carrier, home) = Carrier::new(processor, config.stream, config.rate);
        let shared = Arc::new(Shared::default());
        let pacer = Pacer { carrier, clock: self.clock.clone(), rate: config.rate, period, shared: shared.clone() };
        match std::thread::Builder::new().name("null-audio".to_owned()).spawn(move || pacer.run()) {
            Ok(thread) => Ok(Box::new(NullStream { info, shared, thread: Some(thread), home })),
            Err(error) => Err(not_started(home, error)),
        }
    }
}

/// The thread could not be made; the closure with the processor was dropped, which sent it home.
fn not_started(mut home: Home, error: std::io::Error) -> StartError {
    let reason = error.to_string();
    let error = BackendError::Failed { kind: Kind::Null, device: "null".to_owned(), reason };
    StartError { processor: home.take(), error }
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    skipped: AtomicU32,
}

struct Pacer {
    carrier: Carrier,
    clock: Arc<dyn Clock>,
    rate: Rate,
    period: u32,
    shared: Arc<Shared>,
}

impl Pacer {
    fn run(mut self) {
        let (mut left, mut right) = (vec![0.0; self.period as usize], vec![0.0; self.period as usize]);
        let mut origin = self.clock.now();
        let mut done = 0_i64;
        while !self.shared.stop.load(Ordering::Acquire) {
            let due = origin + self.rate.micros(Frames(done));
            let now = self.clock.now();
            if now < due {
                std::thread::park_timeout(Duration::from_micros((due - now).0 as u64));
                continue;
            }
            let behind = (now - due).0 / self.rate.micros(Frames(i64::from(self.period))).0.max(1);
            if behind > BEHIND_MAX {
                self.shared.skipped.fetch_add(1, Ordering::Relaxed);
                origin = now - self.rate.micros(Frames(done));
            }
            self.carrier.begin_call(left.len(), false);
            self.carrier.process(self.clock.as_ref(), Micros(now.0), &[], Outputs::stereo(&mut left, &mut right));
            done += i64::from(self.period);
        }
    }
}

struct NullStream {
    info: StreamInfo,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    home: Home,
}

impl NullStream {
    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ended = thread.join();
        }
    }
}

impl Stream for NullStream {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn poll(&mut self, each: &mut dyn FnMut(Status)) {
        let skipped = self.shared.skipped.swap(0, Ordering::Relaxed);
        if skipped > 0 {
            each(Status::Xruns(skipped));
        }
    }

    fn calls(&self) -> Option<u32> {
        Some(self.home.calls())
    }

    fn listen(&mut self, _: Option<&str>, tap: Option<Tap>) -> Result<Option<Input>, BackendError> {
        match tap {
            None => Ok(None),
            Some(_) => {
                let reason = "without a sound device there is no microphone".to_owned();
                Err(BackendError::Unavailable { kind: Kind::Null, reason })
            }
        }
    }

    fn stop(mut self: Box<Self>) -> Option<Processor> {
        self.end();
        self.home.take().map(|processor| *processor)
    }
}

impl Drop for NullStream {
    fn drop(&mut self) {
        self.end();
    }
}
