//! Lanes: how a real-time thread hands events to the bus without ever waiting for it.
//!
//! | lane | when full | who may call |
//! | --- | --- | --- |
//! | [`essential`] | the last slot takes a gap mark, what follows is counted; nothing disappears silently | one producer, one consumer |
//! | [`latest`] | the newest value wins | one writer, one reader |
//! | [`trace`] | the newest is dropped and counted | one producer, one consumer |
//!
//! Everything is allocated when a lane is made. Pushing and writing are wait-free: no allocation, lock, system call or
//! wake-up, and dropping a producer only marks the ring. For every essential lane `pushed = delivered + lost + still
//! in the ring`, at each moment the producer rests.

#[cfg(loom)]
use loom::sync::Arc;
#[cfg(loom)]
use loom::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::Arc;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

#[cfg(not(loom))]
use rtrb::{Consumer, Producer, RingBuffer};

#[cfg(loom)]
use super::loom_ring::{Consumer, Producer, RingBuffer};

use crate::time::{Frames, Micros, Stamp, StreamId};

/// Slots of an essential lane: 7.8 s at the highest rate of a DIN cable (1 042 messages a second).
pub const ESSENTIAL_SLOTS: usize = 8_192;
/// Bytes of a lane's slot at most: one cache line.
pub const SLOT_BYTES_MAX: usize = 64;

/// What became of a pushed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is in the ring.
    Queued,
    /// The ring was full: it is counted in a gap.
    Lost,
}

/// What comes out of an essential lane, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LaneItem<T> {
    /// An event.
    Event {
        /// When it happened.
        stamp: Stamp,
        /// What happened.
        body: T,
    },
    /// Events were lost here.
    Gap {
        /// How many.
        lost: u64,
        /// The first one's time.
        from: Stamp,
        /// The last one's time.
        to: Stamp,
    },
    /// The producer is gone and the ring is empty. Comes once.
    Closed,
}

/// A stamp in 28 bytes.
#[derive(Clone, Copy)]
struct Slot<T> {
    driver: i64,
    mono: i64,
    frame: i64,
    stream: u32,
    /// The kind in the lower two bits; above it the events lost so far, modulo 2³⁰.
    tag: u32,
    body: T,
}

const NO_FRAME: i64 = i64::MIN;
const EVENT: u32 = 0;
const GAP_BEGINS: u32 = 1;
const GAP_ENDS: u32 = 2;
const LOST_MODULUS: u64 = 1 << 30;

impl<T: Copy> Slot<T> {
    fn new(kind: u32, lost: u64, stamp: Stamp, body: T) -> Self {
        Self {
            driver: stamp.driver.0,
            mono: stamp.mono.0,
            frame: stamp.frame.map_or(NO_FRAME, |frame| frame.0),
            stream: stamp.stream.0,
            tag: kind | ((lost % LOST_MODULUS) as u32) << 2,
            body,
        }
    }

    fn stamp(&self) -> Stamp {
        stamp(self.driver, self.mono, self.frame, self.stream)
    }
}

fn stamp(driver: i64, mono: i64, frame: i64, stream: u32) -> Stamp {
    let frame = (frame != NO_FRAME).then_some(Frames(frame));
    Stamp { driver: Micros(driver), mono: Micros(mono), frame, stream: StreamId(stream) }
}

/// What the producer tells besides the ring: the last lost event, then how many were lost.
#[derive(Default)]
struct Shared {
    driver: AtomicI64,
    mono: AtomicI64,
    frame: AtomicI64,
    stream: AtomicU32,
    lost: AtomicU64,
}

impl Shared {
    fn write(&self, stamp: Stamp, lost: u64) {
        self.driver.store(stamp.driver.0, Ordering::Relaxed);
        self.mono.store(stamp.mono.0, Ordering::Relaxed);
        self.frame.store(stamp.frame.map_or(NO_FRAME, |frame| frame.0), Ordering::Relaxed);
        self.stream.store(stamp.stream.0, Ordering::Relaxed);
        self.lost.store(lost, Ordering::Release);
    }

    /// The count, and a time that is no earlier than the last event counted.
    fn read(&self) -> (u64, Stamp) {
        let lost = self.lost.load(Ordering::Acquire);
        let to = stamp(
            self.driver.load(Ordering::Relaxed),
            self.mono.load(Ordering::Relaxed),
            self.frame.load(Ordering::Relaxed),
            self.stream.load(Ordering::Relaxed),
        );
        (lost, to)
    }
}

/// The real-time side of an essential lane.
pub struct EssentialProducer<T> {
    ring: Producer<Slot<T>>,
    shared: Arc<Shared>,
    pushed: u64,
    lost: u64,
    /// The last lost event, while a gap is open.
    gap: Option<Stamp>,
}

/// The bus's side of an essential lane.
pub struct EssentialConsumer<T> {
    ring: Consumer<Slot<T>>,
    shared: Arc<Shared>,
    delivered: u64,
    /// Lost events told so far.
    told: u64,
    high_water: usize,
    /// The first event of the open gap.
    gap: Option<Stamp>,
    closed: bool,
}

/// A lane that never loses silently, with room for `capacity` events (at least 4).
pub fn essential<T: Copy + Send>(capacity: usize) -> (EssentialProducer<T>, EssentialConsumer<T>) {
    const { assert!(size_of::<Slot<T>>() <= SLOT_BYTES_MAX, "a lane's event has at most 32 bytes beside its stamp") }
    let (producer, consumer) = RingBuffer::new(capacity.max(4));
    let shared = Arc::new(Shared::default());
    (
        EssentialProducer { ring: producer, shared: Arc::clone(&shared), pushed: 0, lost: 0, gap: None },
        EssentialConsumer { ring: consumer, shared, delivered: 0, told: 0, high_water: 0, gap: None, closed: false },
    )
}

impl<T: Copy + Send> EssentialProducer<T> {
    /// Hands an event over. Wait-free.
    #[inline]
    pub fn push(&mut self, stamp: Stamp, body: T) -> Pushed {
        self.pushed += 1;
        // The cached count is a lower bound, so the other side's cache line is touched only near the end of the ring.
        if self.gap.is_none() && (self.ring.cached_slots() > 1 || self.ring.slots() > 1) {
            let queued = self.ring.push(Slot::new(EVENT, self.lost, stamp, body));
            debug_assert!(queued.is_ok(), "only this thread fills the ring");
            return Pushed::Queued;
        }
        self.push_near_full(stamp, body)
    }

    /// One slot is left, or a gap is open.
    #[cold]
    fn push_near_full(&mut self, stamp: Stamp, body: T) -> Pushed {
        match self.gap {
            // Room for the gap's end, this event, and a slot for the next gap to begin.
            Some(to) if self.ring.slots() >= 3 => {
                let ends = self.ring.push(Slot::new(GAP_ENDS, self.lost, to, body));
                let queued = self.ring.push(Slot::new(EVENT, self.lost, stamp, body));
                debug_assert!(ends.is_ok() && queued.is_ok(), "three slots were free");
                self.gap = None;
                return Pushed::Queued;
            }
            Some(_) => {}
            None => {
                let begins = self.ring.push(Slot::new(GAP_BEGINS, self.lost, stamp, body));
                debug_assert!(begins.is_ok(), "the last slot is kept for this");
            }
        }
        self.gap = Some(stamp);
        self.lost += 1;
        self.shared.write(stamp, self.lost);
        Pushed::Lost
    }

    /// Events pushed so far, lost ones among them.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Events lost so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl<T: Copy + Send> EssentialConsumer<T> {
    /// Takes up to `max` slots, in order, and returns how many it took.
    pub fn drain(&mut self, max: usize, mut each: impl FnMut(LaneItem<T>)) -> usize {
        // Read before the ring: whatever the producer pushed before it went is then seen below.
        let gone = self.ring.is_abandoned();
        let filled = self.ring.slots();
        self.high_water = self.high_water.max(filled);
        let taken = filled.min(max);
        for _ in 0..taken {
            let Ok(slot) = self.ring.pop() else { break };
            self.take(slot, &mut each);
        }
        if taken == filled {
            self.at_empty(gone, &mut each);
        }
        taken
    }

    fn take(&mut self, slot: Slot<T>, each: &mut impl FnMut(LaneItem<T>)) {
        match slot.tag & 3 {
            GAP_BEGINS => self.gap = Some(slot.stamp()),
            GAP_ENDS => {
                let behind = (u64::from(slot.tag >> 2) + LOST_MODULUS - self.told % LOST_MODULUS) % LOST_MODULUS;
                self.tell(self.told + behind, slot.stamp(), each);
                self.gap = None;
            }
            _ => {
                self.delivered += 1;
                each(LaneItem::Event { stamp: slot.stamp(), body: slot.body });
            }
        }
    }

    /// The ring is empty: the producer may be counting, or gone.
    fn at_empty(&mut self, gone: bool, each: &mut impl FnMut(LaneItem<T>)) {
        if self.gap.is_some() && (gone || self.ring.is_empty()) {
            let (lost, to) = self.shared.read();
            // An end that was pushed meanwhile tells the rest itself, with the right time.
            if gone || self.ring.is_empty() {
                self.tell(lost, to, each);
            }
        }
        if gone && !self.closed {
            self.closed = true;
            each(LaneItem::Closed);
        }
    }

    fn tell(&mut self, lost: u64, to: Stamp, each: &mut impl FnMut(LaneItem<T>)) {
        if lost > self.told {
            // What was told before may have been given too late a time: the count is older than the time beside it.
            let from = self.gap.filter(|from| from.mono <= to.mono).unwrap_or(to);
            each(LaneItem::Gap { lost: lost - self.told, from, to });
            self.told = lost;
            self.gap = Some(to);
        }
    }

    /// Whether [`LaneItem::Closed`] was given.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Slots of the ring.
    pub fn capacity(&self) -> usize {
        self.ring.buffer().capacity()
    }

    /// Slots that wait.
    pub fn fill(&self) -> usize {
        self.ring.slots()
    }

    /// The most slots that ever waited.
    pub fn high_water(&self) -> usize {
        self.high_water
    }

    /// Events delivered so far.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Lost events told so far.
    pub fn lost(&self) -> u64 {
        self.told
    }
}

/// Writes the newest value.
pub struct LatestWriter<T: Send>(triple_buffer::Input<T>);

/// Reads the newest value.
pub struct LatestReader<T: Send>(triple_buffer::Output<T>);

/// A lane in which the newest value wins: meters, the playhead.
pub fn latest<T: Copy + Send>(init: T) -> (LatestWriter<T>, LatestReader<T>) {
    let (input, output) = triple_buffer::triple_buffer(&init);
    (LatestWriter(input), LatestReader(output))
}

impl<T: Copy + Send> LatestWriter<T> {
    /// Replaces the value. Wait-free.
    pub fn write(&mut self, value: T) {
        self.0.write(value);
    }
}

impl<T: Copy + Send> LatestReader<T> {
    /// The newest value. Wait-free.
    pub fn read(&mut self) -> T {
        *self.0.read()
    }

    /// Whether something was written since the last read.
    pub fn updated(&self) -> bool {
        self.0.updated()
    }
}

/// The writing side of a trace lane.
pub struct TraceProducer<T> {
    ring: Producer<T>,
    dropped: Arc<AtomicU64>,
}

/// The reading side of a trace lane.
pub struct TraceConsumer<T> {
    ring: Consumer<T>,
    dropped: Arc<AtomicU64>,
}

/// A lane that drops what does not fit, and counts it.
pub fn trace<T: Copy + Send>(capacity: usize) -> (TraceProducer<T>, TraceConsumer<T>) {
    let (producer, consumer) = RingBuffer::new(capacity);
    let dropped = Arc::new(AtomicU64::new(0));
    (TraceProducer { ring: producer, dropped: Arc::clone(&dropped) }, TraceConsumer { ring: consumer, dropped })
}

impl<T: Copy + Send> TraceProducer<T> {
    /// Hands a value over, or counts it as dropped. Wait-free.
    #[inline]
    pub fn push(&mut self, value: T) {
        if self.ring.push(value).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<T: Copy + Send> TraceConsumer<T> {
    /// Takes up to `max` values, and returns how many it took.
    pub fn drain(&mut self, max: usize, mut each: impl FnMut(T)) -> usize {
        let taken = self.ring.slots().min(max);
        for _ in 0..taken {
            let Ok(value) = self.ring.pop() else { break };
            each(value);
        }
        taken
    }

    /// Values dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
