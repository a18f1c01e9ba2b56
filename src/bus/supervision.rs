//! Panics of a component caught, counted and survived: it is tried again after a wait that grows, and parked when it
//! fails again and again.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::time::Micros;

/// Panics in so many different events …
pub const PARK_EVENTS: usize = 5;
/// … within this time park a component.
pub const PARK_WINDOW: Micros = Micros(60_000_000);
/// The wait after a first panic; doubled with each that follows at once.
const RESTART_MIN: Duration = Duration::from_millis(10);
/// The longest.
const RESTART_MAX: Duration = Duration::from_secs(5);

/// What became of work that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// What it said.
    pub reason: String,
    /// Whether it is to be parked: it panicked in [`PARK_EVENTS`] different events within [`PARK_WINDOW`].
    pub park: bool,
    /// Otherwise: how long to wait before it goes on.
    pub wait: Duration,
}

/// The panics of late of one component.
#[derive(Default)]
pub struct Supervisor {
    events: VecDeque<(Micros, u64)>,
    in_a_row: u32,
}

impl Supervisor {
    /// Does work for an event, or whatever else has a number of its own.
    ///
    /// # Errors
    /// It panicked. What it was at is half changed: the component makes it anew.
    pub fn run<T>(&mut self, now: Micros, event: u64, work: impl FnOnce() -> T) -> Result<T, Panicked> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => {
                self.in_a_row = 0;
                Ok(done)
            }
            Err(panic) => {
                let park = self.count(now, event);
                Err(Panicked { reason: text(&*panic).to_owned(), park, wait: self.wait() })
            }
        }
    }

    /// Counts a panic; true if there were too many.
    fn count(&mut self, now: Micros, event: u64) -> bool {
        self.in_a_row += 1;
        self.events.retain(|(at, seen)| now - *at < PARK_WINDOW && *seen != event);
        self.events.push_back((now, event));
        self.events.len() >= PARK_EVENTS
    }

    fn wait(&self) -> Duration {
        RESTART_MAX.min(RESTART_MIN * 2u32.saturating_pow(self.in_a_row.saturating_sub(1).min(16)))
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_different_events_within_a_minute_park_and_one_event_again_and_again_does_not() {
        let mut again = Supervisor::default();
        assert!((0..20).all(|second| !again.count(Micros(second * 1_000_000), 7)));
        let parked: Vec<bool> = (0..4).map(|event| again.count(Micros(21_000_000), event)).collect();
        assert_eq!(parked, [false, false, false, true]);
        let mut slow = Supervisor::default();
        assert!((0..50).all(|event| !slow.count(Micros(event * 16_000_000), event as u64)));
    }

    #[test]
    fn a_panic_is_told_with_its_words_and_the_waits_grow_until_it_succeeds() {
        let mut supervisor = Supervisor::default();
        let mut fail = |event| {
            let failed = supervisor.run(Micros(0), event, || -> () { panic!("no {event}") }).expect_err("it panics");
            (failed.reason, failed.wait.as_millis())
        };
        assert_eq!([fail(1), fail(1)], [("no 1".to_owned(), 10), ("no 1".to_owned(), 20)]);
        assert_eq!(fail(2), ("no 2".to_owned(), 40));
        assert_eq!(supervisor.run(Micros(0), 3, || 5), Ok(5));
        let failed = supervisor.run(Micros(0), 3, || -> () { panic!("again") }).expect_err("it panics");
        assert_eq!(failed.wait.as_millis(), 10);
    }
}
