//! What the person plays, on its way to its frame: rings of stamped events, frame-exact events of the driver, and the
//! mapping of monotonic time to frames.

use super::command::{Return, SourceRing};
use super::instrument::Pedal;
use super::live::{Played, SourceId, TimedMidi};
use crate::music::Pitch;
use crate::time::{Frames, Micros, Rate};

/// Live sources at once; more are refused (their memory goes home at once).
pub const SOURCES_MAX: usize = 24;
/// Frame-exact events on their way: more than a DIN cable carries in the longest period. What exceeds it is counted
/// as late and not sounded.
const PENDING_MAX: usize = 1024;

/// Monotonic time to frames: the least-delayed callback of late is taken for punctual.
///
/// A callback comes late, never early, so the largest `frame - time` seen is nearest to the truth. It falls slowly, so
/// that clocks may drift apart by up to 1 ‰, and is taken anew when a callback is later than two periods: that was an
/// xrun. A delay-locked loop would follow drift more smoothly; the difference is some microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockMap {
    rate: Rate,
    /// Microseconds of the stream minus monotonic microseconds.
    offset: Option<i64>,
    last: Frames,
}

impl ClockMap {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, offset: None, last: Frames::ZERO }
    }

    /// A callback began at `mono`, when `frame` was due.
    pub(super) fn observe(&mut self, frame: Frames, mono: Micros, period: u32) {
        let observed = self.rate.micros(frame).0 - mono.0;
        let elapsed = self.rate.micros(frame - self.last).0.clamp(0, 1_000_000);
        let xrun = self.rate.micros(Frames(i64::from(period) * 2)).0.max(5_000);
        self.last = frame;
        self.offset = Some(match self.offset {
            Some(offset) if observed >= offset - xrun => observed.max(offset - elapsed / 1_000),
            _ => observed,
        });
    }

    /// The frame at a monotonic time.
    pub(super) fn frame(&self, mono: Micros) -> Option<Frames> {
        self.offset.map(|offset| self.rate.frames(Micros(mono.0 + offset)))
    }

    /// The monotonic time of a frame.
    pub(super) fn mono(&self, frame: Frames) -> Micros {
        Micros(self.rate.micros(frame).0 - self.offset.unwrap_or(0))
    }
}

struct Source {
    id: SourceId,
    /// None for the driver's own port.
    ring: Option<SourceRing>,
    held: u128,
    sustain: u8,
}

/// See the module.
pub(super) struct Inputs {
    sources: [Option<Source>; SOURCES_MAX],
    pending: Vec<(Frames, Played)>,
    pub(super) clock: ClockMap,
    /// The constant delay between an event and its sound: the nominal period, or the largest block met.
    pub(super) delay: u32,
    pub(super) late: u32,
}

impl Inputs {
    pub(super) fn new(rate: Rate, period: u32) -> Self {
        let mut sources = [const { None }; SOURCES_MAX];
        sources[0] = Some(Source { id: SourceId::DRIVER, ring: None, held: 0, sustain: 0 });
        Self { sources, pending: Vec::with_capacity(PENDING_MAX), clock: ClockMap::new(rate), delay: period, late: 0 }
    }

    /// Frames begin at 0 again; what was under way sounds at once.
    pub(super) fn begin_stream(&mut self, rate: Rate, period: u32) {
        self.clock = ClockMap::new(rate);
        self.delay = period;
        for (frame, _) in &mut self.pending {
            *frame = Frames::ZERO;
        }
    }

    /// Takes the events that the driver delivered with the block that begins at `first`.
    pub(super) fn deliver(&mut self, first: Frames, events: &[TimedMidi]) {
        for event in events {
            if self.pending.len() == PENDING_MAX {
                self.late += 1;
                continue;
            }
            let frame = Frames(first.0 + i64::from(event.offset) + i64::from(self.delay));
            let at = self.pending.partition_point(|(f, _)| *f <= frame);
            self.pending.insert(at, (frame, event.played));
        }
    }

    pub(super) fn add(&mut self, id: SourceId, ring: SourceRing, send_home: &mut impl FnMut(Return)) {
        if let Some(source) = self.sources.iter_mut().flatten().find(|s| s.id == id) {
            if let Some(old) = source.ring.replace(ring) {
                send_home(Return::Source(old));
            }
        } else if let Some(free) = self.sources.iter_mut().find(|s| s.is_none()) {
            *free = Some(Source { id, ring: Some(ring), held: 0, sustain: 0 });
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
        let Some(gone) = self.sources[slot].take() else { return };
        if let Some(ring) = gone.ring {
            send_home(Return::Source(ring));
        }
        for key in 0..128_u8 {
            if gone.held >> key & 1 == 1 && !self.holds(key) {
                release(Played::Off { pitch: Pitch::from_data_byte(key) });
            }
        }
        if gone.sustain > 0 {
            release(Played::Pedal(Pedal::Sustain(self.sustain())));
        }
        if id == SourceId::DRIVER {
            self.sources[slot] = Some(Source { id, ring: None, held: 0, sustain: 0 });
        }
    }

    fn holds(&self, key: u8) -> bool {
        self.sources.iter().flatten().any(|s| s.held >> key & 1 == 1)
    }

    fn sustain(&self) -> u8 {
        self.sources.iter().flatten().map(|s| s.sustain).max().unwrap_or(0)
    }

    /// Forgets every key held.
    pub(super) fn panic(&mut self) {
        self.pending.clear();
        for source in self.sources.iter_mut().flatten() {
            source.held = 0;
            source.sustain = 0;
        }
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
        let (clock, delay) = (self.clock, i64::from(self.delay));
        for (index, source) in self.sources.iter_mut().enumerate() {
            let Some(event) = source.as_mut().and_then(|s| s.ring.as_mut()).and_then(|r| r.0.peek()) else { continue };
            let Some(frame) = clock.frame(event.stamp.mono) else { continue };
            let frame = Frames(frame.0 + delay);
            if first.is_none_or(|(f, _)| frame < f) {
                first = Some((frame, Some(index)));
            }
        }
        first
    }

    /// Takes the next event, due at `now`. `None` if it makes no difference: the key is held at another source.
    pub(super) fn take(&mut self, now: Frames) -> Option<Played> {
        let (frame, index) = self.next()?;
        if frame < now {
            self.late += 1;
        }
        let (played, slot) = match index {
            None => (self.pending.remove(0).1, 0),
            Some(index) => {
                let ring = self.sources[index].as_mut()?.ring.as_mut()?;
                let event = ring.0.peek()?;
                ring.0.pop();
                (event.played, index)
            }
        };
        self.account(slot, played)
    }

    /// Keeps the books of what is held where.
    fn account(&mut self, slot: usize, played: Played) -> Option<Played> {
        let source = self.sources[slot].as_mut()?;
        match played {
            Played::On { pitch, .. } => source.held |= 1 << pitch.key(),
            Played::Off { pitch } => {
                source.held &= !(1 << pitch.key());
                if self.holds(pitch.key()) {
                    return None;
                }
            }
            Played::Pedal(Pedal::Sustain(value)) => {
                source.sustain = value;
                return Some(Played::Pedal(Pedal::Sustain(self.sustain())));
            }
            Played::Pedal(_) => {}
        }
        Some(played)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_delayed_callback_gives_the_mapping() {
        let mut clock = ClockMap::new(Rate(48_000));
        for (block, lateness) in [(0, 900), (1, 300), (2, 0), (3, 700), (4, 1200)] {
            clock.observe(Frames(block * 480), Micros(5_000_000 + block * 10_000 + lateness), 480);
        }
        let frame = clock.frame(Micros(5_040_000)).unwrap().0;
        assert!((frame - 4 * 480).abs() <= 2, "{frame}");
        assert!((clock.mono(Frames(4 * 480)).0 - 5_040_000).abs() < 50);
    }

    #[test]
    fn an_xrun_is_taken_as_a_new_mapping() {
        let mut clock = ClockMap::new(Rate(48_000));
        clock.observe(Frames(0), Micros(0), 480);
        clock.observe(Frames(480), Micros(90_000), 480);
        assert_eq!(clock.frame(Micros(90_000)), Some(Frames(480)));
    }

    #[test]
    fn clocks_that_drift_apart_are_followed() {
        let mut clock = ClockMap::new(Rate(48_000));
        for block in 0..100_000_i64 {
            let mono = block * 10_000 * 1_000_300 / 1_000_000;
            clock.observe(Frames(block * 480), Micros(mono), 480);
            let error = clock.frame(Micros(mono)).unwrap().0 - block * 480;
            assert!(error.abs() <= 1, "block {block}: {error}");
        }
    }
}
