//! *Keep tempo*, *Rhythm only*: what is left out is a mistake once something was played after it, or its pass is over.
//! Until then nobody knows whether the person has stopped playing: whoever stops, and then reaches for *Pause*, has left
//! nothing out. A pass of a loop in which nothing at all was struck is not judged.
//!
//! What becomes of a note depends on the key-downs and on the course of the music alone, not on when its moment was found
//! to have passed: live and from the log it is the same.

use std::collections::HashSet;

use super::{Judged, TakeJudge};
use crate::music::Score;
use crate::practice::{Verdict, VerdictKind};
use crate::time::Ticks;

/// A place in the passes of a take.
type Place = (u32, Ticks);

/// What was left out since the last key-down.
#[derive(Clone, Debug, Default)]
pub(super) struct Silence {
    /// The place of the last key-down.
    last: Option<Place>,
    /// Passes that have come to their end.
    over: u32,
    /// Passes in which a key was struck.
    struck: HashSet<u32>,
    held: Vec<Verdict>,
}

/// What is done with a note that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Judged,
    Held,
    Forgotten,
}

impl Silence {
    /// A key went down that plays, or is near, what is written at a place.
    pub(super) fn broken(&mut self, at: Place) {
        self.last = self.last.max(Some(at));
        if at.0 + 1 >= self.over {
            self.struck.insert(at.0);
        }
    }

    /// A pass has come to its end. No key-down is so late that it belongs to the pass before.
    pub(super) fn pass_over(&mut self, pass: u32) {
        self.over = self.over.max(pass + 1);
    }

    fn fate(&self, score: &Score, verdict: &Verdict) -> Fate {
        let Some(id) = verdict.written.filter(|_| verdict.kind == VerdictKind::Missed) else { return Fate::Judged };
        let (pass, place) = (verdict.pass, (verdict.pass, score.note(id).onset));
        match self.struck.contains(&pass) {
            true if pass < self.over || Some(place) <= self.last => Fate::Judged,
            false if pass + 1 < self.over => Fate::Forgotten,
            _ => Fate::Held,
        }
    }

    /// Leaves in `verdicts` what is judged now; returns what is held back.
    pub(super) fn hold_back(&mut self, score: &Score, verdicts: &mut Vec<Verdict>) -> Vec<Verdict> {
        let fates: Vec<Fate> = verdicts.iter().map(|verdict| self.fate(score, verdict)).collect();
        let held: Vec<Verdict> =
            verdicts.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Held).map(|(v, _)| *v).collect();
        let mut fates = fates.into_iter();
        verdicts.retain(|_| fates.next() == Some(Fate::Judged));
        self.held.extend(&held);
        held
    }
}

impl TakeJudge {
    /// Passes so far, with those of which nothing is judged.
    pub(super) fn passes(&self) -> u32 {
        let held = self.silence.held.iter().map(|verdict| verdict.pass + 1);
        held.fold(self.result.passes.max(self.silence.over), u32::max)
    }

    /// What is known by now to be left out is judged.
    pub(super) fn take_in_due(&mut self, judged: Judged) -> Judged {
        let mut due = std::mem::take(&mut self.silence.held);
        self.silence.hold_back(&self.score, &mut due);
        self.left_out(judged, due)
    }

    /// The music has come to its end, and so has the take: all that was left out is judged.
    pub(super) fn own_silence(&mut self, judged: Judged) -> Judged {
        let due = std::mem::take(&mut self.silence.held);
        self.left_out(judged, due)
    }

    /// The person has stopped, or gone elsewhere: what came after their last key is no matter.
    pub(super) fn forget_silence(&mut self, mut judged: Judged) -> Judged {
        let over = self.silence.over;
        let held = std::mem::replace(&mut self.silence, Silence { over, ..Silence::default() }).held;
        judged.impressions.clear();
        judged.impressions.extend(held.into_iter().map(|v| Verdict { kind: VerdictKind::Neutral, ..v }));
        judged
    }

    fn left_out(&mut self, mut judged: Judged, due: Vec<Verdict>) -> Judged {
        due.iter().for_each(|verdict| self.result.add(&self.score, verdict, None));
        judged.verdicts.extend(due);
        judged
    }
}
