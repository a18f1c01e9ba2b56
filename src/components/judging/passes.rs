//! The passes of a take on a tempo ladder: where one begins and ends, and whether it counts.

use super::{Judge, Judged, TakeJudge};
use crate::music::{NoteId, Percent};
use crate::practice::ladder::{Ladder, Rung, is_clean};
use crate::practice::result::Counts;
use crate::time::{Micros, Ticks};

/// How a pass on a tempo ladder went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassOver {
    /// It was judged.
    Judged(Rung),
    /// Nothing was played.
    Silent,
    /// It did not begin at the beginning, or another tempo was chosen on the way.
    Partial,
}

/// The pass at hand on a tempo ladder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    /// What had been counted when it began.
    pub(super) before: Counts,
    /// Whether it began at the beginning.
    pub(super) whole: bool,
    /// *Keep tempo*, *Rhythm only*: whether the music has come to its end; late notes may still come.
    pub(super) at_end: bool,
}

impl TakeJudge {
    /// Where the person stands on the tempo ladder, if they climb one.
    pub fn ladder(&self) -> Option<&Ladder> {
        self.ladder.as_ref()
    }

    /// *Keep tempo*, *Rhythm only*: the notes that have become later than on time at a monotonic time, each once.
    pub fn overdue(&mut self, now: Micros) -> Vec<NoteId> {
        let Judge::Tempo(judge) = &mut self.judge else { return Vec::new() };
        judge.overdue(self.clock.reading(now) - self.latency)
    }

    /// After the end of the music: the pass is over, and what is not decided of it is now.
    pub fn close_pass(&mut self) -> Judged {
        if !std::mem::take(&mut self.pass.at_end) {
            return Judged::default();
        }
        let verdicts = match &mut self.judge {
            Judge::Tempo(judge) => judge.finish(),
            _ => Vec::new(),
        };
        self.course = None;
        let judged = self.take_in(verdicts);
        let Some(ladder) = &mut self.ladder else { return judged };
        let counts = self.result.counts.since(&self.pass.before);
        let pass_over = match is_clean(&counts, self.settings.preset) {
            _ if !self.pass.whole => PassOver::Partial,
            None => PassOver::Silent,
            Some(clean) => {
                let speed = ladder.speed();
                let rung = Rung { speed, clean, climb: ladder.pass(clean) };
                self.result.ladder.push(rung);
                PassOver::Judged(rung)
            }
        };
        Judged { pass_over: Some(pass_over), ..judged }
    }

    /// The music goes at this speed; on a ladder, another one than its own was chosen by hand.
    pub(super) fn climb_at(&mut self, speed: Percent) {
        if let Some(ladder) = self.ladder.filter(|ladder| ladder.speed() != speed) {
            self.ladder = Some(Ladder::at(*ladder.plan(), speed));
            self.pass.whole = false;
        }
    }

    /// Another pass begins at this tick.
    pub(super) fn begin_pass(&mut self, from: Ticks) {
        let whole = from <= self.settings.ticks(self.score.bars()).0;
        self.pass = Pass { before: self.result.counts, whole, at_end: false };
    }
}
