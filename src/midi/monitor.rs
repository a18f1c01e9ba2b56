//! What a source sent lately, as plain data for the Devices screen.

use std::collections::VecDeque;

use super::message::Message;
use crate::time::Micros;

/// How many messages are kept for each source.
pub const MONITOR_LAST: usize = 64;

/// A message that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When, on the program's monotonic clock.
    pub at: Micros,
    /// What; its `Display` is the readable text.
    pub message: Message,
}

/// The last messages of one source and what it sent in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitor {
    last: VecDeque<Seen>,
    /// Messages received.
    pub received: u64,
    /// Bytes or cut-off messages that were of no use.
    pub malformed: u64,
    /// Messages for which the engine had no room.
    pub engine_lost: u64,
    /// Messages received that are not among those shown because they came too fast.
    pub not_shown: u64,
}

impl Monitor {
    /// Takes a message in; the oldest goes when there are more than [`MONITOR_LAST`].
    pub fn see(&mut self, seen: Seen) {
        if self.last.len() == MONITOR_LAST {
            self.last.pop_front();
        }
        self.last.push_back(seen);
    }

    /// The last messages, oldest first.
    pub fn last(&self) -> impl DoubleEndedIterator<Item = &Seen> + ExactSizeIterator {
        self.last.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_message_makes_room() {
        let mut monitor = Monitor::default();
        for n in 0..100 {
            monitor.see(Seen { at: Micros(n), message: Message::Program { channel: 0, program: n as u8 } });
        }
        assert_eq!(monitor.last().len(), MONITOR_LAST);
        assert_eq!(monitor.last().next().unwrap().at, Micros(36));
        assert_eq!(monitor.last().next_back().unwrap().message.to_string(), "program 99, channel 1");
    }
}
