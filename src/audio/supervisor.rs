//! Keeps a stream running: tries the backends in order, falls back to silence, and takes a lost device up again. A
//! plain state machine, driven by the control thread through [`Supervisor::poll`]; it reads no clock and has no thread.

use std::fmt;

use super::backend::{
    Backend, BackendError, Connection, Device, Kind, MidiSource, Patch, Presence, Status, Stream, StreamConfig,
    StreamInfo,
};
use super::capture::{Input, Tap};
use super::processor::Processor;
use crate::time::{Micros, StreamId};

/// The first wait before a lost device is tried again.
const RETRY_FIRST: Micros = Micros::from_millis(250);
/// A stream whose callback is not called for so long is dead, whatever its driver says: after a suspend, say.
const STALLED: Micros = Micros::from_millis(3_000);
/// Each wait is twice the last, up to this.
const RETRY_MAX: Micros = Micros::from_millis(4_000);

/// What a person may want to know, one calm line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A stream runs.
    Started(StreamInfo),
    /// A backend could not be started; the next one is tried.
    Failed(BackendError),
    /// The stream is lost; silence until the device is back.
    Lost(String),
    /// The music goes on where it was.
    Back(StreamInfo),
    /// The sound goes on elsewhere; calibration no longer holds.
    Changed(String),
    /// Something worth knowing.
    Warning(String),
    /// The sound was interrupted so many times since the last notice.
    Xruns(u32),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(info) if info.kind == Kind::Null => f.write_str("no sound device; everything else works"),
            Self::Started(info) => write!(f, "sound on {} at {} Hz", info.device, info.rate.0),
            Self::Failed(error) => error.fmt(f),
            Self::Lost(why) => write!(f, "{why}; waiting for it to come back"),
            Self::Back(info) => write!(f, "sound is back on {}", info.device),
            Self::Changed(what) | Self::Warning(what) => f.write_str(what),
            Self::Xruns(1) => f.write_str("the sound was interrupted"),
            Self::Xruns(times) => write!(f, "the sound was interrupted {times} times"),
        }
    }
}

/// Why a stream is taken for dead: nobody calls.
fn stalled(stream: &dyn Stream, seen: &mut Option<(u32, Micros)>, now: Micros) -> Option<String> {
    let calls = stream.calls()?;
    match *seen {
        Some((before, at)) if before == calls => {
            (now - at > STALLED).then(|| format!("{} no longer asks for sound", stream.info().device))
        }
        _ => {
            *seen = Some((calls, now));
            None
        }
    }
}

/// When a lost device is tried again.
#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Micros,
    wait: Micros,
}

/// See the module.
pub struct Supervisor {
    /// In the order of preference; the last is the one that always works.
    backends: Vec<Box<dyn Backend>>,
    config: StreamConfig,
    processor: Option<Processor>,
    stream: Option<Box<dyn Stream>>,
    retry: Option<Retry>,
    /// Whether a stream ran and was lost, so that the music waits for it.
    lost: bool,
    /// Which device was lost last.
    missed: Option<(Kind, String)>,
    /// Failures already told, so that each is told once.
    told: Vec<BackendError>,
    xruns: u64,
    midi_lost: u64,
    next_stream: u32,
    /// How often the callback was called, and when that was last seen to change.
    calls: Option<(u32, Micros)>,
    /// What a person joined and parted, and nobody asked for yet.
    connections: Vec<Connection>,
}

impl Supervisor {
    /// Nothing runs until [`Supervisor::start`]. `backends` are in the order of preference and not empty; the last is
    /// taken for one that always works, such as the null backend.
    pub fn new(backends: Vec<Box<dyn Backend>>, processor: Processor, config: StreamConfig) -> Self {
        let next_stream = config.stream.0.max(1);
        let (processor, stream, retry) = (Some(processor), None, None);
        Self {
            backends,
            config,
            processor,
            stream,
            retry,
            lost: false,
            missed: None,
            told: Vec::new(),
            xruns: 0,
            midi_lost: 0,
            next_stream,
            calls: None,
            connections: Vec::new(),
        }
    }

    /// Starts the first backend that works.
    pub fn start(&mut self, now: Micros) -> Vec<Notice> {
        let mut notices = Vec::new();
        self.start_first(now, 0, &mut notices);
        notices
    }

    /// The stream that runs.
    pub fn info(&self) -> Option<&StreamInfo> {
        self.stream.as_ref().map(|s| s.info())
    }

    /// The MIDI sources that the running stream's driver can hear.
    pub fn midi_sources(&self) -> &[MidiSource] {
        self.stream.as_ref().map_or(&[], |stream| stream.midi_sources())
    }

    /// Who is joined to the general MIDI input of the running stream's driver, where it has one.
    pub fn midi_joined(&self) -> Option<&[String]> {
        self.stream.as_ref().and_then(|stream| stream.midi_joined())
    }

    /// Interruptions since the start.
    pub fn xruns(&self) -> u64 {
        self.xruns
    }

    /// MIDI messages since the start for which the ports of the driver had no room.
    pub fn midi_lost(&self) -> u64 {
        self.midi_lost
    }

    /// Lets a MIDI source of the running stream's driver be heard; see [`Stream::patch`].
    pub fn patch(&mut self, patch: Patch) {
        if let Some(stream) = &mut self.stream {
            stream.patch(patch);
        }
    }

    /// What a person joined and parted in a patch bay since last asked.
    pub fn take_connections(&mut self) -> Vec<Connection> {
        std::mem::take(&mut self.connections)
    }

    /// Streams to come join and part what a person chose, the latest last.
    pub fn keep_connections(&mut self, connections: Vec<Connection>) {
        self.config.connections = connections;
    }

    /// Whether it waits for a device that was lost.
    pub fn waiting(&self) -> bool {
        self.lost
    }

    /// The output devices of all backends; those that cannot say are left out.
    pub fn devices(&mut self) -> Vec<Device> {
        self.backends.iter_mut().filter_map(|b| b.devices().ok()).flatten().collect()
    }

    /// Sends what comes in to `tap`, or nothing any more; see [`Stream::listen`]. To be said again to each new stream.
    ///
    /// # Errors
    /// No stream runs, there is no input, or it does not work.
    pub fn listen(&mut self, device: Option<&str>, tap: Option<Tap>) -> Result<Option<Input>, BackendError> {
        match &mut self.stream {
            Some(stream) => stream.listen(device, tap),
            None => Err(BackendError::Unavailable { kind: Kind::Null, reason: "no sound device runs".to_owned() }),
        }
    }

    /// Looks after the stream. Call it every 10 to 100 ms.
    pub fn poll(&mut self, now: Micros) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut lost = None;
        if let Some(stream) = &mut self.stream {
            stream.poll(&mut |status| match status {
                Status::Xruns(times) => {
                    self.xruns += u64::from(times);
                    notices.push(Notice::Xruns(times));
                }
                Status::MidiLost(messages) => self.midi_lost += u64::from(messages),
                Status::Changed(what) => notices.push(Notice::Changed(what)),
                Status::Warning(what) => notices.push(Notice::Warning(what)),
                Status::Lost(why) => lost = Some(why),
            });
            self.connections.extend(stream.take_connections());
            lost = lost.or_else(|| stalled(stream.as_ref(), &mut self.calls, now));
        }
        if let Some(why) = lost {
            self.missed = self.info().map(|info| (info.kind, info.device.clone()));
            notices.push(Notice::Lost(why));
            self.fall_back(now, &mut notices);
        } else if self.retry.is_some_and(|r| now >= r.at) {
            self.try_again(now, &mut notices);
        }
        notices
    }

    /// When the driver was last seen to call, where that can be known.
    pub fn last_call(&self) -> Option<Micros> {
        self.calls.map(|(_, at)| at)
    }

    /// Something happened after which devices are worth a try at once, such as the machine waking up.
    pub fn hurry(&mut self, now: Micros) {
        if self.retry.is_some() {
            self.backends.iter_mut().for_each(|backend| backend.forget_absence());
            self.retry = Some(Retry { at: now, wait: RETRY_FIRST });
        }
    }

    /// Stops, and starts anew with other backends or another device.
    pub fn reconfigure(&mut self, now: Micros, backends: Vec<Box<dyn Backend>>, config: StreamConfig) -> Vec<Notice> {
        self.take_home();
        if let Some(processor) = self.processor.as_mut().filter(|_| self.lost) {
            processor.forget_interruption();
        }
        (self.backends, self.config, self.retry, self.lost, self.missed) = (backends, config, None, false, None);
        self.told.clear();
        self.start(now)
    }

    /// Stops for good and gives the processor back.
    pub fn stop(mut self) -> Option<Processor> {
        self.take_home();
        self.processor.take()
    }

    fn take_home(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.processor = stream.stop();
        }
    }

    /// The music stands still in silence until the device is back.
    fn fall_back(&mut self, now: Micros, notices: &mut Vec<Notice>) {
        self.take_home();
        if let Some(processor) = &mut self.processor {
            processor.interrupt();
        }
        self.lost = true;
        self.retry = Some(Retry { at: now + RETRY_FIRST, wait: RETRY_FIRST });
        let last = self.backends.len().saturating_sub(1);
        self.start_first(now, last, notices);
    }

    /// Tries backends from `first` on. If only the last one works and others were wanted, they are tried again later.
    fn start_first(&mut self, now: Micros, first: usize, notices: &mut Vec<Notice>) {
        let last = self.backends.len().saturating_sub(1);
        for index in first..self.backends.len() {
            if let Some(info) = self.start_one(index, notices) {
                let not_wanted = info.stand_in || index == last && last > 0;
                notices.push(Notice::Started(info));
                if not_wanted && self.retry.is_none() {
                    self.retry = Some(Retry { at: now + RETRY_FIRST, wait: RETRY_FIRST });
                }
                return;
            }
        }
    }

    /// What became of a device that was waited for.
    fn returned(&mut self, info: StreamInfo) -> Notice {
        match &self.missed {
            Some((kind, device)) if (*kind, device) != (info.kind, &info.device) => {
                Notice::Changed(format!("the sound goes on on {}", info.device))
            }
            _ => Notice::Back(info),
        }
    }

    fn start_one(&mut self, index: usize, notices: &mut Vec<Notice>) -> Option<StreamInfo> {
        let processor = self.processor.take()?;
        let config = StreamConfig { stream: StreamId(self.next_stream), ..self.config.clone() };
        self.next_stream += 1;
        self.calls = None;
        match self.backends[index].start(processor, &config) {
            Ok(stream) => {
                let info = stream.info().clone();
                self.stream = Some(stream);
                Some(info)
            }
            Err(failed) => {
                self.processor = failed.processor.map(|p| *p);
                if self.processor.is_none() {
                    let what = format!("{} did not give the sound back; please start the program again", failed.error);
                    notices.push(Notice::Warning(what));
                }
                self.tell(failed.error, notices);
                None
            }
        }
    }

    fn tell(&mut self, error: BackendError, notices: &mut Vec<Notice>) {
        // That a lost device is not there is known.
        let known = self.lost && matches!(error, BackendError::Unavailable { .. } | BackendError::NoDevice { .. });
        if !known && !self.told.contains(&error) {
            self.told.push(error.clone());
            notices.push(Notice::Failed(error));
        }
    }

    /// Asks the wanted backends whether they are there again, without disturbing what runs meanwhile; takes the first. A
    /// device that stands in for the chosen one plays until that one is there.
    fn try_again(&mut self, now: Micros, notices: &mut Vec<Notice>) {
        let Some(retry) = self.retry else { return };
        let wait = Micros((retry.wait.0 * 2).min(RETRY_MAX.0));
        self.retry = Some(Retry { at: now + wait, wait });
        let last = self.backends.len().saturating_sub(1);
        for index in 0..last {
            let standing_in = self.info().is_some_and(|info| info.stand_in);
            match self.backends[index].available(&self.config) {
                Ok(Presence::StandIn) if standing_in => continue,
                Ok(_) => {}
                Err(error) => {
                    self.tell(error, notices);
                    continue;
                }
            }
            self.take_home();
            if let Some(processor) = self.processor.as_mut().filter(|_| self.lost) {
                processor.resume();
            }
            if let Some(info) = self.start_one(index, notices) {
                self.retry = self.retry.filter(|_| info.stand_in);
                self.lost = false;
                notices.push(self.returned(info));
                self.told.clear();
                return;
            }
            if let Some(processor) = self.processor.as_mut().filter(|_| self.lost) {
                processor.interrupt();
            }
        }
        if self.stream.is_none() {
            let _told = self.start_one(last, notices);
        }
    }
}
