//! Lanes as the bus has them; a stand-in with the same shape.

use crate::time::Stamp;

/// Writes events.
pub struct EssentialProducer<T>(rtrb::Producer<(Stamp, T)>);
/// Reads events.
pub struct EssentialConsumer<T>(rtrb::Consumer<(Stamp, T)>);
/// Writes the newest value.
pub struct LatestWriter<T: Send>(triple_buffer::Input<T>);
/// Reads the newest value.
pub struct LatestReader<T: Send>(triple_buffer::Output<T>);

/// An event lane.
pub fn essential<T: Copy + Send>(capacity: usize) -> (EssentialProducer<T>, EssentialConsumer<T>) {
    let (p, c) = rtrb::RingBuffer::new(capacity);
    (EssentialProducer(p), EssentialConsumer(c))
}

/// A latest-value lane.
pub fn latest<T: Copy + Send>(init: T) -> (LatestWriter<T>, LatestReader<T>) {
    let (i, o) = triple_buffer::triple_buffer(&init);
    (LatestWriter(i), LatestReader(o))
}

impl<T: Copy + Send> EssentialProducer<T> {
    /// Publishes.
    pub fn push(&mut self, stamp: Stamp, body: T) {
        let _full = self.0.push((stamp, body));
    }
}

/// What comes out of an event lane.
pub enum LaneItem<T> {
    /// An event.
    Event {
        /// When.
        stamp: Stamp,
        /// What.
        body: T,
    },
}

impl<T: Copy + Send> EssentialConsumer<T> {
    /// Takes up to `max` events.
    pub fn drain(&mut self, max: usize, mut each: impl FnMut(LaneItem<T>)) -> usize {
        let mut taken = 0;
        while taken < max {
            let Ok((stamp, body)) = self.0.pop() else { break };
            each(LaneItem::Event { stamp, body });
            taken += 1;
        }
        taken
    }
}

impl<T: Copy + Send> LatestWriter<T> {
    /// Replaces the value.
    pub fn write(&mut self, value: T) {
        self.0.write(value);
    }
}

impl<T: Copy + Send> LatestReader<T> {
    /// The newest value.
    pub fn read(&mut self) -> T {
        *self.0.read()
    }
}
