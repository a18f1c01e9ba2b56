//! Looking back through a take, on a thread of its own: there the judge is fed, and of the instants that a person wishes to
//! see meanwhile the newest counts.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use crossbeam_channel::{Sender, TrySendError, bounded};

use super::take_view::past;
use crate::components::travel::{Instant, Timeline, Travel};
use crate::time::Micros;
use crate::ui::view::PastInstant;

/// What the thread is asked and what it has seen, each with the number of the wish.
struct Shared {
    wish: ArcSwap<(u64, Instant)>,
    seen: ArcSwapOption<(u64, PastInstant)>,
}

/// The window's side. The thread ends with it, after what it is at.
pub(super) struct LookingBack {
    timeline: Timeline,
    shared: Arc<Shared>,
    /// Rings when there is a wish; one that rings already rings for all.
    bell: Sender<()>,
    /// Where the person looks, or looked last.
    at: Instant,
    looking: bool,
    wished: u64,
    /// Wishes up to this one were answered, or are no longer of interest.
    answered: u64,
}

impl LookingBack {
    /// Starts the thread for a take whose first message was at `first`; `wake` is called when there is something to see.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(mut travel: Travel, first: Micros, wake: Arc<dyn Fn() + Send + Sync>) -> std::io::Result<Self> {
        let (bell, rings) = bounded(1);
        let timeline = travel.timeline().clone();
        let at = travel.now().instant();
        let wish = ArcSwap::from_pointee((0, at));
        let shared = Arc::new(Shared { wish, seen: ArcSwapOption::empty() });
        let to = Arc::clone(&shared);
        std::thread::Builder::new().name("look back".to_owned()).spawn(move || {
            while rings.recv().is_ok() {
                let (number, instant) = **to.wish.load();
                travel.go(instant);
                to.seen.store(Some(Arc::new((number, past(&travel, first)))));
                wake();
            }
        })?;
        Ok(Self { timeline, shared, bell, at, looking: false, wished: 0, answered: 0 })
    }

    /// Wishes to see how things stood at a time, by the clock of the take.
    ///
    /// # Errors
    /// The thread has ended.
    pub(super) fn look(&mut self, at: Micros) -> Result<(), String> {
        self.wish(self.timeline.instant_at(at))
    }

    /// The same, so many events on from where the person looks or looked last, or back.
    ///
    /// # Errors
    /// The thread has ended.
    pub(super) fn look_by(&mut self, events: i64) -> Result<(), String> {
        let then = i64::try_from(self.at.events).unwrap_or(i64::MAX).saturating_add(events).max(0);
        self.wish(self.timeline.instant_after(usize::try_from(then).unwrap_or(usize::MAX)))
    }

    fn wish(&mut self, instant: Instant) -> Result<(), String> {
        self.wished += 1;
        (self.at, self.looking) = (instant, true);
        self.shared.wish.store(Arc::new((self.wished, instant)));
        match self.bell.try_send(()) {
            Err(TrySendError::Disconnected(())) => {
                Err("the program failed at looking back through this take".to_owned())
            }
            Ok(()) | Err(TrySendError::Full(())) => Ok(()),
        }
    }

    /// Looks back no longer: what is still on its way is not shown.
    pub(super) fn end(&mut self) {
        (self.looking, self.answered) = (false, self.wished);
    }

    /// Whether the person looks back.
    pub(super) fn is_looking(&self) -> bool {
        self.looking
    }

    /// What was seen since this was last asked.
    pub(super) fn seen(&mut self) -> Option<PastInstant> {
        let seen = self.shared.seen.load();
        let (number, past) = seen.as_deref().filter(|(number, _)| *number > self.answered)?;
        self.answered = *number;
        Some(past.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crossbeam_channel::{Receiver, unbounded};

    use super::*;
    use crate::bus::{Config, MemoryStorage, Publish, start};
    use crate::model::{Event, Played, TakeId, TakeStart, Trainer};
    use crate::time::{ManualClock, Stamp, WallMillis};

    const WAIT: Duration = Duration::from_secs(60);
    const KEYS: i64 = 200;

    /// A key goes down every millisecond. The thread tells when it has seen something, and goes on when it is let.
    fn looking() -> (LookingBack, Receiver<()>, Sender<()>) {
        let clock = Arc::new(ManualClock::default());
        let bus = start(Config::default(), clock, Box::new(MemoryStorage::new())).expect("a bus");
        let (take, begin) = (TakeId(7), TakeStart::free(WallMillis(0)));
        let of = |event| Publish::<Trainer>::new(take.entity(), event);
        bus.publish(of(Event::TakeStarted(begin.clone())));
        for n in 0..KEYS {
            let played = Event::NotePlayed(Played { source: 1, data: [0x90, (n % 100) as u8, 70] });
            bus.publish(of(played).stamp(Stamp::at(Micros::from_millis(n))));
        }
        bus.publish(of(Event::TakeNamed { name: "n".to_owned(), seen: Vec::new() })).durable().expect("durable");
        let travel = Travel::new(&begin, None, bus.entity_events(&take.entity(), 1, usize::MAX).expect("readable"));
        let ((tell, told), (let_go, goes_on)) = (unbounded(), unbounded());
        let wake = move || {
            tell.send(()).ok();
            goes_on.recv().ok();
        };
        let looking = LookingBack::start(travel, Micros::ZERO, Arc::new(wake)).expect("a thread");
        assert!(bus.shutdown(WAIT));
        (looking, told, let_go)
    }

    #[test]
    fn of_what_is_wished_meanwhile_the_newest_is_seen_and_steps_count_from_where_one_looks() {
        let (mut looking, told, let_go) = looking();
        looking.look(Micros::from_millis(10)).expect("a wish");
        told.recv_timeout(WAIT).expect("it is seen");
        // The thread stands: it has seen the first, and is asked for a hundred more and a step.
        for n in 11..111 {
            looking.look(Micros::from_millis(n)).expect("a wish");
        }
        looking.look_by(1).expect("a wish");
        assert_eq!(looking.seen().map(|past| past.events), Some(12), "the take's beginning and eleven keys");
        let_go.send(()).expect("the thread");
        told.recv_timeout(WAIT).expect("it is seen");
        assert_eq!(looking.seen().map(|past| past.events), Some(113));
        assert!(looking.seen().is_none() && told.is_empty(), "what lay between was not gone to");
        // Who ends it sees nothing more of it.
        looking.look_by(-1).expect("a wish");
        looking.end();
        let_go.send(()).expect("the thread");
        told.recv_timeout(WAIT).expect("it is seen");
        assert!(looking.seen().is_none() && !looking.is_looking());
    }
}
