//! The microphone: a thread that listens to what a stream captures. Off until it is wanted; the window sees the tuner's
//! newest reading, notes come through a ring.
//!
//! What the program itself plays is heard too where a microphone is near a speaker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::audio::capture::{Captured, Input, Mark, Tap, capture};
use crate::audio::{Played, Supervisor};
use crate::bus::lane::{LatestReader, LatestWriter, latest};
use crate::listen::{Listener, NoteEvent, Reading};
use crate::music::Pitch;
use crate::time::{Frames, Micros, Rate, Stamp, StreamId};

/// How long the thread sleeps when nothing has come: half a hop.
const WAIT: Duration = Duration::from_millis(3);
/// Notes that may wait for whoever takes them: a minute of trills.
const NOTES: usize = 1_024;

/// A note that was heard, and when it was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeardNote {
    /// What.
    pub event: NoteEvent,
    /// When: the frame of the input's stream and the monotonic time, both less the capture's delay.
    pub stamp: Stamp,
}

impl HeardNote {
    /// As a keyboard would have said it.
    pub fn played(&self) -> Played {
        match self.event {
            NoteEvent::On { pitch, velocity, .. } => Played::On { pitch, velocity },
            NoteEvent::Off { pitch, .. } => Played::Off { pitch },
        }
    }
}

/// Counts that tell whether all was heard.
#[derive(Debug, Default)]
struct Counts {
    lost_frames: AtomicU64,
    lost_notes: AtomicU64,
}

/// A thread that listens. Dropping it ends the thread.
pub struct Microphone {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    reading: LatestReader<Reading>,
    notes: Consumer<HeardNote>,
    counts: Arc<Counts>,
    input: Input,
}

impl Microphone {
    /// Both rings, then `open` (which hands the tap to a stream), then the thread. `delay` are frames from the sound to
    /// the callback, measured; without it the driver's word is taken.
    ///
    /// # Errors
    /// What `open` says, or that the system gives no thread.
    pub fn start<E: std::fmt::Display>(
        a4: f64,
        delay: Option<Frames>,
        open: impl FnOnce(Tap) -> Result<Option<Input>, E>,
    ) -> Result<Self, String> {
        let (tap, captured) = capture();
        let input = open(tap).map_err(|e| e.to_string())?.ok_or("there is no microphone")?;
        let (writer, reading) = latest(Reading { note: None, level: f32::NEG_INFINITY });
        let (sender, notes) = RingBuffer::new(NOTES);
        let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
        let ear = Ear {
            captured,
            listener: None,
            a4,
            rate: input.rate,
            stream: input.stream,
            delay: delay.unwrap_or(Frames(i64::from(input.latency))),
            lost: 0,
            writer,
            notes: sender,
            stop: stop.clone(),
            counts: counts.clone(),
        };
        let thread = std::thread::Builder::new().name("microphone".to_owned()).spawn(move || ear.run());
        let thread = Some(thread.map_err(|e| format!("the microphone cannot be listened to: {e}"))?);
        Ok(Self { stop, thread, reading, notes, counts, input })
    }

    /// What is captured.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The newest reading, and whether it is new.
    pub fn reading(&mut self) -> (Reading, bool) {
        let new = self.reading.updated();
        (self.reading.read(), new)
    }

    /// The next note.
    pub fn note(&mut self) -> Option<HeardNote> {
        self.notes.pop().ok()
    }

    /// Whether the stream has let go, or listening has ended.
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Frames that came faster than they were listened to.
    pub fn lost_frames(&self) -> u64 {
        self.counts.lost_frames.load(Ordering::Relaxed)
    }

    /// Notes that nobody took in time.
    pub fn lost_notes(&self) -> u64 {
        self.counts.lost_notes.load(Ordering::Relaxed)
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ended = thread.join();
        }
    }
}

/// What the thread owns.
struct Ear {
    captured: Captured,
    /// From the first block on, which says at which frame it begins.
    listener: Option<Listener>,
    a4: f64,
    rate: Rate,
    stream: StreamId,
    delay: Frames,
    lost: u64,
    writer: LatestWriter<Reading>,
    notes: Producer<HeardNote>,
    stop: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

impl Ear {
    fn run(mut self) {
        let mut block = Vec::new();
        while !self.stop.load(Ordering::Acquire) && !self.captured.is_over() {
            block.clear();
            match self.captured.pop(|samples| block.extend_from_slice(samples)) {
                Some(mark) => self.hear(mark, &block),
                None => std::thread::park_timeout(WAIT),
            }
        }
    }

    fn hear(&mut self, mark: Mark, block: &[f32]) {
        let (rate, a4, stream, delay) = (self.rate, self.a4, self.stream, self.delay);
        let listener = self.listener.get_or_insert_with(|| Listener::new(rate, a4, mark.first));
        let (notes, counts) = (&mut self.notes, &self.counts);
        let mut tell = |event: NoteEvent| {
            let (NoteEvent::On { at, .. } | NoteEvent::Off { at, .. }) = event;
            let stamp = stamp(at, mark, rate, delay, stream);
            if notes.push(HeardNote { event, stamp }).is_err() {
                counts.lost_notes.fetch_add(1, Ordering::Relaxed);
            }
        };
        if mark.lost > self.lost {
            counts.lost_frames.fetch_add(mark.lost - self.lost, Ordering::Relaxed);
            self.lost = mark.lost;
            listener.gap(mark.first, &mut tell);
        }
        listener.push(block, &mut tell);
        self.writer.write(listener.reading());
    }
}

/// When it was played: a callback begins after the last of its frames has come in.
fn stamp(at: Frames, mark: Mark, rate: Rate, delay: Frames, stream: StreamId) -> Stamp {
    let played = at - delay;
    let mono = mark.mono + rate.micros(played - mark.first);
    Stamp { driver: Micros(rate.micros(played).0), mono, frame: Some(played), stream }
}

/// The reading is shown so often.
const SHOWN_EVERY: Micros = Micros::from_millis(40);

/// The microphone as the window shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MicrophoneReport {
    /// Whether a person wants it.
    pub on: bool,
    /// The input's name, while it is listened to.
    pub device: Option<String>,
    /// Why it is not.
    pub fault: Option<String>,
    /// The tuner's reading, while it is listened to.
    pub reading: Option<Reading>,
    /// The note that began last.
    pub last: Option<Pitch>,
    /// Frames that were missed.
    pub lost: u64,
}

/// Switches the microphone on and off, and on again when the stream is another.
pub struct MicrophoneDesk {
    a4: f64,
    on: bool,
    running: Option<Microphone>,
    /// The stream that was asked last; one that refused is not asked again.
    asked: Option<StreamId>,
    fault: Option<String>,
    delay: Option<Frames>,
    shown: Option<(Micros, Reading)>,
    last: Option<Pitch>,
}

impl MicrophoneDesk {
    /// Off, with A4 at `a4` hertz.
    pub fn new(a4: f64) -> Self {
        Self { a4, on: false, running: None, asked: None, fault: None, delay: None, shown: None, last: None }
    }

    /// Whether it is wanted.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// On or off; takes effect with the next [`MicrophoneDesk::poll`].
    pub fn set(&mut self, on: bool) {
        (self.on, self.asked, self.fault) = (on, None, None);
    }

    /// What the way in takes, as a loop-back measured it ([`crate::listen::input_delay`]); `None` for the driver's word.
    /// Holds from the next start on.
    pub fn set_delay(&mut self, delay: Option<Frames>) {
        self.delay = delay;
    }

    /// Follows the stream and the wish; whether anything is to be shown anew.
    pub fn poll(&mut self, now: Micros, supervisor: &mut Supervisor) -> bool {
        let stream = supervisor.info().map(|info| info.stream);
        let stale = self.running.as_ref().is_some_and(|m| !self.on || Some(m.input().stream) != stream);
        if stale {
            self.end(supervisor);
            return true;
        }
        if self.running.as_ref().is_some_and(Microphone::is_over) {
            self.end(supervisor);
            self.fault = Some("the microphone is gone".to_owned());
            return true;
        }
        if self.on && self.running.is_none() && self.asked != stream {
            self.asked = stream;
            self.fault = None;
            match Microphone::start(self.a4, self.delay, |tap| supervisor.listen(None, Some(tap))) {
                Ok(microphone) => self.running = Some(microphone),
                Err(reason) => self.fault = Some(reason),
            }
            return true;
        }
        self.read(now)
    }

    fn read(&mut self, now: Micros) -> bool {
        let Some(microphone) = &mut self.running else { return false };
        let mut changed = false;
        while let Some(note) = microphone.note() {
            if let NoteEvent::On { pitch, .. } = note.event {
                (self.last, changed) = (Some(pitch), true);
            }
        }
        let due = self.shown.is_none_or(|(at, _)| now - at >= SHOWN_EVERY);
        let (reading, new) = if due { microphone.reading() } else { (Reading::default(), false) };
        if new {
            self.shown = Some((now, reading));
        }
        changed || new
    }

    /// Lets go of the input until the next poll.
    pub fn pause(&mut self, supervisor: &mut Supervisor) {
        if self.running.is_some() {
            self.end(supervisor);
        }
        self.asked = None;
    }

    fn end(&mut self, supervisor: &mut Supervisor) {
        // The stream may be gone already, and its tap with it.
        let _ended = supervisor.listen(None, None);
        (self.running, self.shown, self.last) = (None, None, None);
        if self.asked.is_some_and(|asked| supervisor.info().is_none_or(|info| info.stream != asked)) {
            self.asked = None;
        }
    }

    /// For the window.
    pub fn report(&self) -> MicrophoneReport {
        MicrophoneReport {
            on: self.on,
            device: self.running.as_ref().map(|m| m.input().device.clone()),
            fault: self.fault.clone(),
            reading: self.shown.map(|(_, reading)| reading),
            last: self.last,
            lost: self.running.as_ref().map_or(0, Microphone::lost_frames),
        }
    }
}
