//! When the last events reached each place on their way: pure bookkeeping of moments that others measured. It costs two
//! looks at the clock for each round of the bus thread that applies anything, however many events that are, and is
//! therefore always on.

use std::collections::VecDeque;

use super::inspect::RECENT_EVENTS;
use crate::time::Micros;

/// Steps forward through the log, each with what is known of all its events. Keeps the last [`RECENT_EVENTS`] steps.
#[derive(Clone, Debug, Default)]
pub struct Reached<T> {
    steps: VecDeque<Step<T>>,
    through: u64,
}

#[derive(Clone, Copy, Debug)]
struct Step<T> {
    after: u64,
    through: u64,
    what: T,
}

impl<T: Copy> Reached<T> {
    /// Goes on from an event; nothing is known of those up to it.
    pub fn from(through: u64) -> Self {
        Self { steps: VecDeque::new(), through }
    }

    /// The events up to `through` got there, as far as they were not there already.
    pub fn reach(&mut self, through: u64, what: T) {
        if through <= self.through {
            return;
        }
        if self.steps.len() == RECENT_EVENTS {
            self.steps.pop_front();
        }
        self.steps.push_back(Step { after: self.through, through, what });
        self.through = through;
    }

    /// What is known of an event.
    pub fn of(&self, seq: u64) -> Option<T> {
        let step = self.steps.get(self.steps.partition_point(|step| step.through < seq))?;
        (step.after < seq).then_some(step.what)
    }
}

/// A round of the bus thread: all its events share these moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// It began to take from lanes and commands.
    pub taken: Micros,
    /// The last of its events was applied.
    pub applied: Micros,
    /// Its snapshot was stored: from then on everybody could see them.
    pub stored: Micros,
}

/// The way of the last events through the bus.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// Applied, by round.
    pub rounds: Reached<Round>,
    /// Durable, as the bus learnt of it.
    pub durable: Reached<Micros>,
}

impl Trail {
    /// Goes on from the end of a log.
    pub fn from(end: u64) -> Self {
        Self { rounds: Reached::from(end), durable: Reached::from(end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_a_step_got_there_with_it_and_nothing_is_known_of_what_came_before_or_is_still_to_come() {
        let mut reached = Reached::from(10);
        reached.reach(10, 'x');
        reached.reach(12, 'a');
        reached.reach(12, 'x');
        reached.reach(15, 'b');
        let known: Vec<Option<char>> = (9..=16).map(|seq| reached.of(seq)).collect();
        let (a, b) = (Some('a'), Some('b'));
        assert_eq!(known, [None, None, a, a, b, b, b, None]);
    }

    #[test]
    fn only_the_last_steps_are_kept() {
        let mut reached = Reached::from(0);
        let steps = RECENT_EVENTS as u64 + 3;
        (1..=steps).for_each(|seq| reached.reach(seq, seq));
        assert_eq!((reached.of(3), reached.of(4), reached.of(steps)), (None, Some(4), Some(steps)));
    }
}
