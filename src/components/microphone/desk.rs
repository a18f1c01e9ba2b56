//! Switches the microphone on and off, and on again when the stream, the input or the tuning is another; what is heard
//! goes through a lane of its own to the bus, where it counts as playing, if a person wants that and it is not the
//! program's own sound.

use super::{HeardNote, Microphone};
use crate::audio::{OwnSound, Supervisor};
use crate::bus::BusHandle;
use crate::bus::lane::{EssentialProducer, essential};
use crate::components::recorder::MidiRecorder;
use crate::listen::{Awaited, Echo, NoteEvent, Reading, Written};
use crate::midi::{LANE_SLOTS, Message, Played, SourceId};
use crate::model::Trainer;
use crate::music::Pitch;
use crate::time::{Micros, Stamp, StreamId};

/// The reading is shown so often.
const SHOWN_EVERY: Micros = Micros::from_millis(40);
/// An input that refused, or is gone, is tried again so often.
const RETRY: Micros = Micros::from_millis(3_000);
/// An input from which nothing comes for so long is gone, whatever its driver says.
const STALLED: Micros = Micros::from_millis(3_000);
/// How fast a heard note is let go, as on a keyboard that does not tell.
const RELEASE_VELOCITY: u8 = 64;

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
    /// Awaited keys of which the sound does not tell whether they were struck, one bit each.
    pub unsure: u128,
    /// Frames that were missed.
    pub lost: u64,
    /// Notes that were heard and that nobody took in time.
    pub lost_notes: u64,
}

/// The way of what is heard to the bus. Nothing of it sounds.
struct Lane {
    producer: EssentialProducer<Played>,
    /// Keys that are down on the bus, one bit each.
    held: u128,
    /// No stamp is earlier than one before: chords are told later than the voice.
    last: Micros,
}

impl Lane {
    fn send(&mut self, stamp: Stamp, message: Message) {
        let stamp = Stamp { mono: stamp.mono.max(self.last), ..stamp };
        self.last = stamp.mono;
        // A lane that is full leaves a gap record, which the bus counts.
        let _ = self.producer.push(stamp, Played { source: SourceId::MICROPHONE, message });
    }

    fn play(&mut self, note: HeardNote) {
        match note.event {
            NoteEvent::On { pitch, velocity, .. } => {
                self.held |= 1 << pitch.key();
                self.send(note.stamp, Message::NoteOn { channel: 0, pitch, velocity });
            }
            NoteEvent::Off { pitch, .. } => self.release(pitch, note.stamp),
        }
    }

    fn release(&mut self, pitch: Pitch, stamp: Stamp) {
        if self.held >> pitch.key() & 1 == 1 {
            self.held &= !(1 << pitch.key());
            self.send(stamp, Message::NoteOff { channel: 0, pitch, velocity: RELEASE_VELOCITY });
        }
    }

    fn release_all(&mut self, now: Micros) {
        (0..128).filter_map(Pitch::new).for_each(|pitch| self.release(pitch, Stamp::at(now)));
    }
}

/// Whether nothing has come in for too long.
fn is_stalled(microphone: &Microphone, (blocks, at): &mut (u64, Micros), now: Micros) -> bool {
    let heard = microphone.blocks();
    if heard != *blocks {
        (*blocks, *at) = (heard, now);
    }
    now - *at > STALLED
}

/// See the module.
pub struct MicrophoneDesk {
    a4: f64,
    on: bool,
    counts: bool,
    /// The input's id; `None` for the default one.
    device: Option<String>,
    running: Option<Microphone>,
    /// What runs is not what is wanted any more.
    stale: bool,
    /// The stream that was asked last, and when; one that refused is asked again later.
    asked: Option<(StreamId, Micros)>,
    /// How many blocks had come in, and when that was last seen to change.
    heard: (u64, Micros),
    fault: Option<String>,
    shown: Option<(Micros, Reading)>,
    last: Option<Pitch>,
    awaited: Awaited,
    echo: Echo,
    /// What the program sounds is heard so much later.
    delay: Micros,
    lane: Option<Lane>,
}

impl MicrophoneDesk {
    /// Off, with A4 at `a4` hertz.
    pub fn new(a4: f64) -> Self {
        Self {
            a4,
            on: false,
            counts: false,
            device: None,
            running: None,
            stale: false,
            asked: None,
            heard: (0, Micros::ZERO),
            fault: None,
            shown: None,
            last: None,
            awaited: Awaited::default(),
            echo: Echo::default(),
            delay: Micros::ZERO,
            lane: None,
        }
    }

    /// Gives what is heard a way to the bus. Once.
    pub fn connect(&mut self, bus: &BusHandle<Trainer>) {
        let (producer, lane) = essential(LANE_SLOTS);
        // Refused only by a bus that has stopped: then nothing is recorded any more.
        let _ = bus.add_lane::<Played>("microphone", lane, Box::new(MidiRecorder));
        self.lane = Some(Lane { producer, held: 0, last: Micros(i64::MIN) });
    }

    /// Whether it is wanted.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// On or off; takes effect with the next [`MicrophoneDesk::poll`].
    pub fn set(&mut self, on: bool) {
        (self.on, self.asked, self.fault) = (on, None, None);
    }

    /// The chosen input's id; `None` for the default one.
    pub fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    /// Whether what is heard counts as playing.
    pub fn set_counts(&mut self, counts: bool) {
        self.counts = counts;
        self.await_keys(self.awaited);
    }

    /// Listens to the input of this id from the next poll on, or to the default one.
    pub fn choose(&mut self, device: Option<&str>) {
        if self.device.as_deref() != device {
            self.device = device.map(str::to_owned);
            self.begin_anew();
        }
    }

    /// A4 is at `a4` hertz from the next poll on.
    pub fn tune(&mut self, a4: f64) {
        if self.a4 != a4 {
            self.a4 = a4;
            self.begin_anew();
        }
    }

    fn begin_anew(&mut self) {
        (self.stale, self.asked, self.fault) = (true, None, None);
    }

    /// The keys that are waited for.
    pub fn await_keys(&mut self, awaited: Awaited) {
        self.awaited = awaited;
        if let Some(microphone) = &mut self.running {
            microphone.await_keys(if self.counts { awaited } else { Awaited::default() });
        }
    }

    /// The program began a sound of its own, due at `at`, where a person has to play what is `written`.
    pub fn own_sound(&mut self, at: Micros, sound: OwnSound, written: Written) {
        match sound {
            OwnSound::Note { pitch, .. } => self.echo.note(at, pitch, written),
            OwnSound::Click { hertz, .. } => self.echo.click(at, f64::from(hertz), self.a4, written),
        }
    }

    /// How much later than it is due the microphone hears what the program sounds, as well as it is known.
    pub fn set_delay(&mut self, delay: Micros) {
        self.delay = delay;
    }

    /// Follows the stream and the wish; whether anything is to be shown anew.
    pub fn poll(&mut self, now: Micros, supervisor: &mut Supervisor) -> bool {
        let stream = supervisor.info().map(|info| info.stream);
        let stale = std::mem::take(&mut self.stale) || !self.on;
        if self.running.as_ref().is_some_and(|m| stale || Some(m.input().stream) != stream) {
            self.end(now, supervisor);
            return true;
        }
        if self.running.as_ref().is_some_and(|m| m.is_over() || is_stalled(m, &mut self.heard, now)) {
            self.end(now, supervisor);
            self.asked = stream.map(|stream| (stream, now));
            self.fault = Some("the microphone is gone".to_owned());
            return true;
        }
        let waits = |(asked, at): (StreamId, Micros)| Some(asked) == stream && now - at < RETRY;
        if self.on && self.running.is_none() && !self.asked.is_some_and(waits) {
            self.asked = stream.map(|stream| (stream, now));
            (self.fault, self.heard) = (None, (0, now));
            let device = self.device.as_deref();
            match Microphone::start(self.a4, |tap| supervisor.listen(device, Some(tap))) {
                Ok(microphone) => self.running = Some(microphone),
                Err(reason) => self.fault = Some(reason),
            }
            self.await_keys(self.awaited);
            return true;
        }
        self.read(now)
    }

    fn read(&mut self, now: Micros) -> bool {
        let mut changed = false;
        if !self.counts {
            self.let_go(now);
        }
        let Some(microphone) = &mut self.running else { return false };
        while let Some(note) = microphone.note() {
            if let NoteEvent::On { pitch, .. } = note.event {
                if self.echo.is_own(pitch, note.stamp.mono, self.delay) {
                    continue;
                }
                self.echo.played(note.stamp.mono, pitch);
            }
            if let Some(lane) = self.lane.as_mut().filter(|_| self.counts) {
                lane.play(note);
            }
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

    /// Lets go of every key that was heard.
    pub fn let_go(&mut self, now: Micros) {
        if let Some(lane) = self.lane.as_mut().filter(|lane| lane.held != 0) {
            lane.release_all(now);
        }
    }

    /// Lets go of the input until the next poll.
    pub fn pause(&mut self, now: Micros, supervisor: &mut Supervisor) {
        if self.running.is_some() {
            self.end(now, supervisor);
        }
        self.asked = None;
    }

    fn end(&mut self, now: Micros, supervisor: &mut Supervisor) {
        // The stream may be gone already, and its tap with it.
        let _ended = supervisor.listen(None, None);
        (self.running, self.shown, self.last) = (None, None, None);
        self.let_go(now);
        if self.asked.is_some_and(|(asked, _)| supervisor.info().is_none_or(|info| info.stream != asked)) {
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
            unsure: self.running.as_ref().map_or(0, Microphone::unsure),
            lost: self.running.as_ref().map_or(0, Microphone::lost_frames),
            lost_notes: self.running.as_ref().map_or(0, Microphone::lost_notes),
        }
    }
}
