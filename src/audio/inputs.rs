//! What the person plays, on its way to its frame: rings of stamped events, and frame-exact events of the driver.

use super::clock::StreamClock;
use super::command::{Return, SourceRing};
use super::instrument::Pedal;
use super::live::{Played, SourceId, TimedMidi};
use crate::music::Pitch;
use crate::time::{Frames, Micros, Rate, Stamp, StreamId};

/// Live sources at once; more are refused (their memory goes home at once).
pub const SOURCES_MAX: usize = 24;
/// Frame-exact events on their way: more than a DIN cable carries in the longest period. What exceeds it is counted
/// as late and not sounded.
const PENDING_MAX: usize = 1024;

struct Source {
    id: SourceId,
    /// None for the driver's own port.
    ring: Option<SourceRing>,
    held: u128,
    moved: Moved,
}

/// What a source has moved out of rest, besides keys.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Moved {
    sustain: u8,
    sostenuto: u8,
    soft: u8,
    bent: bool,
    pressed: bool,
}

impl Moved {
    fn note(&mut self, played: Played) {
        match played {
            Played::Pedal(Pedal::Sustain(value)) => self.sustain = value,
            Played::Pedal(Pedal::Sostenuto(value)) => self.sostenuto = value,
            Played::Pedal(Pedal::Soft(value)) => self.soft = value,
            Played::Bend(value) => self.bent = value != 0,
            Played::Pressure(value) => self.pressed = value > 0,
            Played::Controllers | Played::Reset => *self = Self::default(),
            Played::On { .. } | Played::Off { .. } | Played::AllNotesOff => {}
        }
    }

    /// What puts all of it to rest.
    fn rests(self) -> impl Iterator<Item = Played> {
        let pedals = [
            (self.sustain > 0).then_some(Pedal::Sustain(0)),
            (self.sostenuto > 0).then_some(Pedal::Sostenuto(0)),
            (self.soft > 0).then_some(Pedal::Soft(0)),
        ];
        let wheels = [self.bent.then_some(Played::Bend(0)), self.pressed.then_some(Played::Pressure(0))];
        pedals.into_iter().flatten().map(Played::Pedal).chain(wheels.into_iter().flatten())
    }
}

impl Source {
    fn new(id: SourceId, ring: Option<SourceRing>) -> Self {
        Self { id, ring, held: 0, moved: Moved::default() }
    }
}

/// See the module.
pub(super) struct Inputs {
    sources: [Option<Source>; SOURCES_MAX],
    pending: Vec<(Frames, Played)>,
    pub(super) clock: StreamClock,
    stream: StreamId,
    /// The constant delay between an event and its sound, in frames.
    pub(super) delay: u32,
    pub(super) late: u32,
    driver: Driver,
}

/// What the driver's own port was told to hold, by the messages it delivered.
#[derive(Clone, Copy, Default)]
struct Driver {
    keys: [u128; 16],
    moved: [Moved; 16],
}

impl Driver {
    fn note(&mut self, channel: u8, played: Played) {
        let slot = usize::from(channel & 0x0f);
        self.moved[slot].note(played);
        match played {
            Played::On { pitch, .. } => self.keys[slot] |= 1 << pitch.key(),
            Played::Off { pitch } => self.keys[slot] &= !(1 << pitch.key()),
            Played::AllNotesOff | Played::Reset => self.keys[slot] = 0,
            _ => {}
        }
    }

    /// The messages that let everything go.
    fn releases(self) -> impl Iterator<Item = [u8; 3]> {
        (0..16_u8).flat_map(move |channel| {
            let keys = self.keys[usize::from(channel)];
            let offs = (0..128_u8).filter(move |key| keys >> key & 1 == 1).map(move |key| [0x80 | channel, key, 64]);
            let rests = self.moved[usize::from(channel)].rests().map(move |rest| {
                let [status, first, second] = rest.to_midi();
                [status | channel, first, second]
            });
            offs.chain(rests)
        })
    }
}

/// The frame of something played, where its driver knows it in the running stream.
fn exact_frame(stamp: &Stamp, running: StreamId) -> Option<Frames> {
    stamp.frame.filter(|_| stamp.stream == running)
}

impl Inputs {
    pub(super) fn new(rate: Rate, period: u32) -> Self {
        let mut sources = [const { None }; SOURCES_MAX];
        sources[0] = Some(Source::new(SourceId::DRIVER, None));
        Self {
            sources,
            pending: Vec::with_capacity(PENDING_MAX),
            clock: StreamClock::new(rate),
            stream: StreamId::default(),
            delay: period,
            late: 0,
            driver: Driver::default(),
        }
    }

    /// Frames begin at 0 again after those of a stream that ended with `last`; what was under way sounds at once.
    pub(super) fn begin_stream(&mut self, last: Frames, stream: StreamId, rate: Rate, period: u32) {
        self.clock = StreamClock::following(rate, self.clock.mono(last));
        (self.stream, self.delay) = (stream, period);
        for (frame, _) in &mut self.pending {
            *frame = Frames::ZERO;
        }
    }

    /// Takes the events that the driver delivered with the block that begins at `first`.
    pub(super) fn deliver(&mut self, first: Frames, events: &[TimedMidi]) {
        for event in events {
            let played = Played::from_midi(&event.data);
            played.into_iter().for_each(|played| self.driver.note(event.data[0], played));
            if self.pending.len() == PENDING_MAX {
                self.late += 1;
                continue;
            }
            let frame = Frames(first.0 + i64::from(event.offset) + i64::from(self.delay));
            if let Some(played) = played {
                let at = self.pending.partition_point(|(f, _)| *f <= frame);
                self.pending.insert(at, (frame, played));
            }
        }
    }

    /// Lets go of everything that the driver's own port holds, after what is still under way; returns the messages that
    /// say so.
    pub(super) fn release_driver(&mut self) -> impl Iterator<Item = [u8; 3]> + use<> {
        let frame = self.pending.last().map_or(Frames::ZERO, |(frame, _)| *frame);
        let holds = self.sources[0].as_ref().is_some_and(|s| s.held != 0 || s.moved != Moved::default());
        if holds || !self.pending.is_empty() {
            self.pending.truncate(PENDING_MAX - 1);
            self.pending.push((frame, Played::Reset));
        }
        std::mem::take(&mut self.driver).releases()
    }

    pub(super) fn add(&mut self, id: SourceId, ring: SourceRing, send_home: &mut impl FnMut(Return)) {
        if let Some(source) = self.sources.iter_mut().flatten().find(|s| s.id == id) {
            if let Some(old) = source.ring.replace(ring) {
                send_home(Return::Source(old));
            }
        } else if let Some(free) = self.sources.iter_mut().find(|s| s.is_none()) {
            *free = Some(Source::new(id, Some(ring)));
        } else {
            send_home(Return::Source(ring));
        }
    }

    /// Removes a source; `release` is told what it held.
    pub(super) fn remove(
        &mut self,
        id: SourceId,
        release: &mut impl FnMut(Played),
        send_home: &mut impl FnMut(Return),
    ) {
        let Some(slot) = self.sources.iter().position(|s| s.as_ref().is_some_and(|s| s.id == id)) else { return };
        self.let_go(slot, release);
        if let Some(ring) = self.sources[slot].take().and_then(|gone| gone.ring) {
            send_home(Return::Source(ring));
        }
        if id == SourceId::DRIVER {
            self.sources[slot] = Some(Source::new(id, None));
        }
    }

    /// What a source holds and no other does is let go.
    fn let_go(&mut self, slot: usize, release: &mut impl FnMut(Played)) {
        self.let_go_of_keys(slot, release);
        self.let_go_of_the_rest(slot, release);
    }

    fn let_go_of_keys(&mut self, slot: usize, release: &mut impl FnMut(Played)) {
        let Some(source) = self.sources[slot].as_mut() else { return };
        let held = std::mem::take(&mut source.held);
        for key in (0..128_u8).filter(|key| held >> key & 1 == 1) {
            if !self.holds(key) {
                release(Played::Off { pitch: Pitch::from_data_byte(key) });
            }
        }
    }

    /// Pedals come up as far as no other source holds them; wheels and pressure are everybody's.
    fn let_go_of_the_rest(&mut self, slot: usize, release: &mut impl FnMut(Played)) {
        let Some(source) = self.sources[slot].as_mut() else { return };
        let moved = std::mem::take(&mut source.moved);
        for rest in moved.rests() {
            release(match rest {
                Played::Pedal(pedal) => Played::Pedal(self.deepest(pedal)),
                other => other,
            });
        }
    }

    fn holds(&self, key: u8) -> bool {
        self.sources.iter().flatten().any(|s| s.held >> key & 1 == 1)
    }

    /// A pedal as far down as anybody holds it.
    fn deepest(&self, pedal: Pedal) -> Pedal {
        let deepest = |of: fn(&Moved) -> u8| self.sources.iter().flatten().map(|s| of(&s.moved)).max().unwrap_or(0);
        match pedal {
            Pedal::Sustain(_) => Pedal::Sustain(deepest(|moved| moved.sustain)),
            Pedal::Sostenuto(_) => Pedal::Sostenuto(deepest(|moved| moved.sostenuto)),
            Pedal::Soft(_) => Pedal::Soft(deepest(|moved| moved.soft)),
        }
    }

    /// Forgets every key held.
    pub(super) fn panic(&mut self) {
        self.pending.clear();
        for source in self.sources.iter_mut().flatten() {
            (source.held, source.moved) = (0, Moved::default());
        }
    }

    /// Whether no event is under way.
    pub(super) fn is_idle(&mut self) -> bool {
        self.next().is_none()
    }

    /// The frame of the next event, at least `now`, if it lies before `end`.
    pub(super) fn next_frame(&mut self, now: Frames, end: Frames) -> Option<Frames> {
        let (frame, _) = self.next()?;
        let frame = frame.max(now);
        (frame < end).then_some(frame)
    }

    /// The frame of the next event, as it should be, and its source (`None` for the driver's).
    fn next(&mut self) -> Option<(Frames, Option<usize>)> {
        let mut first = self.pending.first().map(|(frame, _)| (*frame, None));
        let (clock, stream, delay) = (self.clock, self.stream, i64::from(self.delay));
        for (index, source) in self.sources.iter_mut().enumerate() {
            let Some(event) = source.as_mut().and_then(|s| s.ring.as_mut()).and_then(|r| r.0.peek()) else { continue };
            let exact = exact_frame(&event.stamp, stream);
            let Some(frame) = exact.or_else(|| clock.frame(event.stamp.mono)) else { continue };
            let frame = Frames(frame.0 + delay);
            if first.is_none_or(|(f, _)| frame < f) {
                first = Some((frame, Some(index)));
            }
        }
        first
    }

    /// Takes the next event, due at `now`, and plays what it comes to: nothing where the key is held elsewhere too.
    /// `called` is the time of the callback.
    pub(super) fn take(&mut self, now: Frames, called: Micros, play: &mut impl FnMut(Played)) {
        let Some((frame, index)) = self.next() else { return };
        if frame < now {
            self.late += 1;
        }
        match index {
            None => {
                let (_, played) = self.pending.remove(0);
                self.account(0, played, play);
            }
            Some(index) => {
                let ring = self.sources[index].as_mut().and_then(|source| source.ring.as_mut());
                if let Some(event) = ring.and_then(|ring| ring.0.peek().inspect(|_| ring.0.pop())) {
                    // One that came with the block before has waited for nothing.
                    if exact_frame(&event.stamp, self.stream).is_none() {
                        self.clock.note_input(called - event.stamp.mono);
                    }
                    self.account(index, event.played, play);
                }
            }
        }
    }

    /// Keeps the books of what is held where.
    fn account(&mut self, slot: usize, played: Played, play: &mut impl FnMut(Played)) {
        let Some(source) = self.sources[slot].as_mut() else { return };
        match played {
            Played::On { pitch, .. } => source.held |= 1 << pitch.key(),
            Played::Off { pitch } => {
                source.held &= !(1 << pitch.key());
                if self.holds(pitch.key()) {
                    return;
                }
            }
            Played::Pedal(pedal) => {
                source.moved.note(played);
                return play(Played::Pedal(self.deepest(pedal)));
            }
            Played::Bend(_) | Played::Pressure(_) => source.moved.note(played),
            Played::AllNotesOff => return self.let_go_of_keys(slot, play),
            Played::Controllers => return self.let_go_of_the_rest(slot, play),
            Played::Reset => return self.let_go(slot, play),
        }
        play(played);
    }
}
