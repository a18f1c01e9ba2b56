//! The passes of a take: where one begins and ends, whether it counts on a tempo ladder, and which tempo was kept in it.

use super::{Judge, Judged, TakeJudge};
use crate::model::{TransportChange, TransportMoved};
use crate::music::{NoteId, Percent};
use crate::practice::Mode;
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

/// *Keep tempo*: the pass that the music runs through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Its number.
    pub(super) pass: u32,
    /// The slowest tempo in it so far.
    pub(super) slowest: Percent,
    /// Whether it began at the beginning.
    pub(super) whole: bool,
}

impl TakeJudge {
    /// The music begins, stops, or goes elsewhere; and whether its notes come again with that.
    pub(super) fn transport_moved(&mut self, moved: &TransportMoved, at: Micros) -> Judged {
        let comes_again = self.comes_again(moved.change);
        self.anew |= comes_again;
        let judged = self.transport(moved, at);
        let pass = comes_again.then(|| self.pass_to_come(moved.change));
        Judged { comes_again: pass.or(judged.comes_again), ..judged }
    }

    /// Not where the music only goes along with the person.
    fn comes_again(&self, change: TransportChange) -> bool {
        match (change, &self.judge) {
            (TransportChange::Sought { tick }, Judge::Follow(judge)) => !judge.leaps.contains(&tick),
            (TransportChange::Looped { .. } | TransportChange::Sought { .. }, _) => true,
            _ => false,
        }
    }

    /// After the music has begun again or elsewhere: the first pass whose notes are still to come. What was played early
    /// for it may be judged already.
    fn pass_to_come(&self, change: TransportChange) -> u32 {
        match (&self.judge, self.run, change) {
            (Judge::Wait(matcher), ..) => matcher.pass(),
            (Judge::Follow(judge), ..) => judge.pass,
            (Judge::Tempo(_), Some(run), TransportChange::Looped { .. }) => run.pass + 1,
            // Its number is known for sure once it runs.
            (Judge::Tempo(_) | Judge::None, ..) => self.passes(),
        }
    }

    /// *Keep tempo*: the music has come to the end of the range.
    pub(super) fn run_over(&mut self) {
        if let Some(run) = self.run {
            self.silence.pass_over(run.pass);
        }
        if let Some(run) = self.run.filter(|run| run.whole && self.settings.mode == Mode::Tempo) {
            self.result.keep_tempo(run.pass, run.slowest);
        }
    }

    /// *Keep tempo*: the music has begun again from the beginning, at the same tempo.
    pub(super) fn runs_again(&mut self) {
        self.anew = false;
        let now = self.course.map(|course| course.plan.speed);
        self.run = self.run.zip(now).map(|(run, slowest)| Run { pass: run.pass + 1, slowest, whole: true });
    }

    /// *Keep tempo*: from here on the music goes at another tempo.
    pub(super) fn runs_at(&mut self, speed: Percent) {
        if let Some(run) = &mut self.run {
            run.slowest = run.slowest.min(speed);
        }
    }

    /// Where the person stands on the tempo ladder, if they climb one.
    pub fn ladder(&self) -> Option<&Ladder> {
        self.ladder.as_ref()
    }

    /// *Keep tempo*, *Rhythm only*: the notes that have become later than on time at a monotonic time, each once.
    pub fn overdue(&mut self, now: Micros) -> Vec<NoteId> {
        let Judge::Tempo(judge) = &mut self.judge else { return Vec::new() };
        judge.overdue(self.clock.reading(now) - self.latency)
    }

    /// After the end of the music: the pass is over, and what is not decided of it is now. A pass on a ladder in which
    /// nothing was struck is not judged.
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
