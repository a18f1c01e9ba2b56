//! The end of a take that is judged as a whole: everything that was played in *Follow me* is paired with what is written,
//! which takes tens of milliseconds for ten thousand notes. A value, so that another thread can do it while the next take
//! begins; if it never does, the take is judged from the log all the same.

use std::sync::Arc;

use super::{Finished, Session};
use crate::components::judging::{Judged, TakeJudge};
use crate::model::{Event, TakeEnd, TakeId};
use crate::practice::result::TakeResult;
use crate::time::{Micros, Stamp};

/// A take that has ended and is still to be judged.
pub struct Settling {
    finished: Finished,
    judge: TakeJudge,
    end: (TakeEnd, Stamp),
}

/// A take that is judged.
pub struct Settled {
    finished: Finished,
    judged: Judged,
    at: Micros,
    result: Arc<TakeResult>,
}

impl Settling {
    pub(super) fn new(finished: Finished, judge: TakeJudge, end: (TakeEnd, Stamp)) -> Self {
        Self { finished, judge, end }
    }

    /// Judges it.
    pub fn settle(mut self) -> Settled {
        let (end, stamp) = self.end;
        let judged = self.judge.event(0, &Event::TakeEnded(end), Some(&stamp));
        Settled { finished: self.finished, judged, at: stamp.mono, result: Arc::new(self.judge.result().clone()) }
    }
}

impl Settled {
    /// What was found, as events of the take.
    pub fn verdicts(&self) -> impl Iterator<Item = (TakeId, Event)> + '_ {
        self.judged.verdicts.iter().map(|verdict| (self.finished.take, Event::VerdictGiven(*verdict)))
    }
}

impl Session {
    /// A take that had ended is judged: it is shown, unless another one or another piece is there by now.
    pub fn settled(&mut self, settled: Settled) {
        let piece = self.stand.as_ref().map(|stand| &stand.id);
        if self.running.is_none() && piece == settled.finished.start.piece.as_ref() {
            self.found.take_in(&settled.judged, settled.at);
            self.view.bars = settled.result.bars().copied().collect();
            self.view.result = Some(settled.result);
            self.view.finished = Some(settled.finished);
        }
    }
}
