//! The microphone: a thread that listens to what a stream captures. Off until it is wanted; the window sees the tuner's
//! newest reading, notes come through a ring, what is awaited goes the other way through a latest lane.
//!
//! How late the way in is, the driver says. A loop-back measures the round trip and gives all that the driver does not
//! tell to the way out, by which notes are judged: both together are the round trip, so a heard note is judged right
//! wherever the untold part lies.
//!
//! What the program itself plays is heard too where a microphone is near a speaker. The desk does not count what the
//! program has just sounded ([`crate::listen::Echo`]); the window asks for headphones.

mod desk;

pub use desk::{MicrophoneDesk, MicrophoneReport};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::audio::Played;
use crate::audio::capture::{Captured, Input, Mark, Tap, capture};
use crate::bus::lane::{LatestReader, LatestWriter, latest};
use crate::listen::{Awaited, Hearing, NoteEvent, Reading};
use crate::time::{Frames, Stamp};

/// How long the thread sleeps when nothing has come: half a hop.
const WAIT: Duration = Duration::from_millis(3);
/// Notes that may wait for whoever takes them: a minute of trills.
const NOTES: usize = 1_024;

/// A note that was heard, and when it was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeardNote {
    /// What.
    pub event: NoteEvent,
    /// When: the monotonic time less the capture's delay, and the frame where the input shares those of the output.
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
    blocks: AtomicU64,
}

/// A thread that listens. Dropping it ends the thread.
pub struct Microphone {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    reading: LatestReader<(Reading, u128)>,
    unsure: u128,
    awaited: LatestWriter<Awaited>,
    notes: Consumer<HeardNote>,
    counts: Arc<Counts>,
    input: Input,
}

impl Microphone {
    /// Both rings, then `open` (which hands the tap to a stream), then the thread. A4 is at `a4` hertz.
    ///
    /// # Errors
    /// What `open` says, or that the system gives no thread.
    pub fn start<E: std::fmt::Display>(
        a4: f64,
        open: impl FnOnce(Tap) -> Result<Option<Input>, E>,
    ) -> Result<Self, String> {
        let (tap, captured) = capture();
        let input = open(tap).map_err(|e| e.to_string())?.ok_or("there is no microphone")?;
        let (writer, reading) = latest((Reading { note: None, level: f32::NEG_INFINITY }, 0));
        let (awaited, awaited_end) = latest(Awaited::default());
        let (sender, notes) = RingBuffer::new(NOTES);
        let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
        let ear = Ear {
            captured,
            hearing: None,
            a4,
            input: input.clone(),
            lost: 0,
            awaited: awaited_end,
            writer,
            notes: sender,
            stop: stop.clone(),
            counts: counts.clone(),
        };
        let thread = std::thread::Builder::new().name("microphone".to_owned()).spawn(move || ear.run());
        let thread = Some(thread.map_err(|e| format!("the microphone cannot be listened to: {e}"))?);
        Ok(Self { stop, thread, reading, unsure: 0, awaited, notes, counts, input })
    }

    /// What is captured.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The newest reading, and whether it is new.
    pub fn reading(&mut self) -> (Reading, bool) {
        let new = self.reading.updated();
        let (reading, unsure) = self.reading.read();
        self.unsure = unsure;
        (reading, new)
    }

    /// As of that reading: awaited keys of which the sound does not tell whether they were struck, one bit each.
    pub fn unsure(&self) -> u128 {
        self.unsure
    }

    /// What is waited for from now on.
    pub fn await_keys(&mut self, awaited: Awaited) {
        self.awaited.write(awaited);
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

    /// Blocks that came in.
    pub fn blocks(&self) -> u64 {
        self.counts.blocks.load(Ordering::Relaxed)
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
    hearing: Option<Hearing>,
    a4: f64,
    input: Input,
    lost: u64,
    awaited: LatestReader<Awaited>,
    writer: LatestWriter<(Reading, u128)>,
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
        self.counts.blocks.fetch_add(1, Ordering::Relaxed);
        let (input, a4) = (&self.input, self.a4);
        let hearing = self.hearing.get_or_insert_with(|| Hearing::new(input.rate, a4, mark.first));
        let (notes, counts) = (&mut self.notes, &self.counts);
        let mut tell = |event: NoteEvent| {
            let (NoteEvent::On { at, .. } | NoteEvent::Off { at, .. }) = event;
            let stamp = stamp(at, mark, input);
            if notes.push(HeardNote { event, stamp }).is_err() {
                counts.lost_notes.fetch_add(1, Ordering::Relaxed);
            }
        };
        if mark.lost > self.lost {
            counts.lost_frames.fetch_add(mark.lost - self.lost, Ordering::Relaxed);
            self.lost = mark.lost;
            hearing.gap(mark.first, &mut tell);
        }
        hearing.await_keys(self.awaited.read());
        hearing.push(block, &mut tell);
        self.writer.write((hearing.reading(), hearing.unsure()));
    }
}

/// When it was played: a callback begins after the last of its frames has come in.
fn stamp(at: Frames, mark: Mark, input: &Input) -> Stamp {
    let played = at - Frames(i64::from(input.latency));
    let mono = mark.mono + input.rate.micros(played - mark.first);
    let frame = input.shares_frames.then_some(played);
    Stamp { driver: input.rate.micros(played), mono, frame, stream: input.stream }
}
