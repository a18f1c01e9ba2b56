//! Carries the processor into a driver's callback, and home when the driver drops the callback, on whatever thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use super::super::live::TimedMidi;
#[cfg(feature = "jack")]
use super::super::outlet::TimedWire;
use super::super::processor::{Block, Outputs, Processor};
#[cfg(feature = "jack")]
use crate::time::Stamp;
use crate::time::{Clock, Frames, Micros, Rate, StreamId};

/// Lives in the callback.
pub(super) struct Carrier {
    processor: Option<Box<Processor>>,
    home: Producer<Box<Processor>>,
    stream: StreamId,
    rate: Rate,
    next: Frames,
    calls: Arc<AtomicU32>,
    call: u32,
    xrun: bool,
}

/// Where the processor arrives, and whether its callback is still called.
pub(super) struct Home {
    arrival: Consumer<Box<Processor>>,
    calls: Arc<AtomicU32>,
}

impl Home {
    /// The processor, once the callback was dropped.
    pub(super) fn take(&mut self) -> Option<Box<Processor>> {
        self.arrival.pop().ok()
    }

    /// How often the callback was called so far; begins again after the largest number.
    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Carrier {
    pub(super) fn new(processor: Processor, stream: StreamId, rate: Rate) -> (Self, Home) {
        let (home, arrival) = RingBuffer::new(1);
        let calls = Arc::new(AtomicU32::new(0));
        let (next, counted) = (Frames::ZERO, calls.clone());
        let processor = Some(Box::new(processor));
        let carrier = Self { processor, home, stream, rate, next, calls: counted, call: 0, xrun: false };
        (carrier, Home { arrival, calls })
    }

    /// The driver calls for so many frames at once, which may be rendered in several goes; `xrun` if it lost some before.
    pub(super) fn begin_call(&mut self, frames: usize, xrun: bool) {
        self.call = u32::try_from(frames).unwrap_or(u32::MAX);
        self.xrun |= xrun;
    }

    /// Renders the next frames; `began` is the monotonic time at which the driver called for them.
    pub(super) fn process(&mut self, clock: &dyn Clock, began: Micros, midi: &[TimedMidi], out: Outputs<'_>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let Some(processor) = &mut self.processor else { return };
        let before = clock.now();
        let frames = Frames(out.left.len().min(out.right.len()) as i64);
        let (xrun, stream) = (std::mem::take(&mut self.xrun), self.stream);
        let block = Block { first: self.next, mono: began, stream, call: self.call, xrun };
        processor.process(block, midi, out);
        self.next += frames;
        let available = self.rate.micros(frames).0.max(1) as f32;
        processor.note_load((clock.now() - before).0 as f32 / available);
    }
}

#[cfg(feature = "jack")]
impl Carrier {
    /// What the driver's own MIDI port is to send in the block that was computed last.
    pub(super) fn outgoing(&self) -> &[TimedWire] {
        self.processor.as_ref().map_or(&[], |processor| processor.outgoing())
    }

    /// Lets go of what the driver's own port holds.
    pub(super) fn release_driver(&mut self) {
        if let Some(processor) = &mut self.processor {
            processor.release_driver();
        }
    }

    /// The first frame of the block that comes next.
    pub(super) fn next(&self) -> Frames {
        self.next
    }

    /// The stamp of a frame of the block that was computed last; `driver` is the driver's own time of it.
    pub(super) fn stamp(&self, frame: Frames, driver: Micros) -> Stamp {
        let stamp = self.processor.as_ref().map_or(Stamp::at(driver), |processor| processor.stamp(frame));
        Stamp { driver, ..stamp }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        if let Some(processor) = self.processor.take()
            && let Err(rtrb::PushError::Full(processor)) = self.home.push(processor)
        {
            // Cannot be: the ring has room for the one processor there is.
            drop(processor);
        }
    }
}
