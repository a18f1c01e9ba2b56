//! What is known about events that were lost: how many, from when to when.

use crate::time::Stamp;

/// A loss that is counted, and so never silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// How many events.
    pub count: u64,
    /// The first one's time, where it had one.
    pub from: Option<Stamp>,
    /// The last one's time, where it had one.
    pub to: Option<Stamp>,
}

impl Lost {
    /// One event.
    pub fn one(stamp: Option<Stamp>) -> Self {
        Self { count: 1, from: stamp, to: stamp }
    }

    /// Adds a later event.
    pub fn add(&mut self, stamp: Option<Stamp>) {
        self.count += 1;
        self.from = self.from.or(stamp);
        self.to = stamp.or(self.to);
    }
}
