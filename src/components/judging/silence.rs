//! *Keep tempo*, *Rhythm only*: what is left out is a mistake once something was played after it, or the music has come to
//! its end. Until then nobody knows whether the person has stopped playing: whoever stops, and then reaches for *Pause*,
//! has left nothing out.

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
    held: Vec<Verdict>,
}

impl Silence {
    /// A key went down that plays, or is near, what is written at a place.
    pub(super) fn broken(&mut self, at: Place) {
        self.last = self.last.max(Some(at));
    }

    /// Takes out what is left out after the last key-down, and returns it.
    pub(super) fn hold_back(&mut self, score: &Score, verdicts: &mut Vec<Verdict>) -> Vec<Verdict> {
        let last = self.last;
        let is_after = |verdict: &mut Verdict| is_after(score, last, verdict);
        let held: Vec<Verdict> = verdicts.extract_if(.., is_after).collect();
        self.held.extend(&held);
        held
    }
}

fn is_after(score: &Score, last: Option<Place>, verdict: &Verdict) -> bool {
    let written = verdict.written.filter(|_| verdict.kind == VerdictKind::Missed);
    written.is_some_and(|id| Some((verdict.pass, score.note(id).onset)) > last)
}

impl TakeJudge {
    /// Passes so far, with those of which nothing is judged yet.
    pub(super) fn passes(&self) -> u32 {
        self.silence.held.iter().map(|verdict| verdict.pass + 1).fold(self.result.passes, u32::max)
    }

    /// What was left out before the last key-down is judged.
    pub(super) fn take_in_due(&mut self, judged: Judged) -> Judged {
        let (score, last) = (&self.score, self.silence.last);
        let due = self.silence.held.extract_if(.., |verdict| !is_after(score, last, verdict)).collect();
        self.left_out(judged, due)
    }

    /// The music has come to its end: all that was left out is judged.
    pub(super) fn own_silence(&mut self, judged: Judged) -> Judged {
        let due = std::mem::take(&mut self.silence.held);
        self.left_out(judged, due)
    }

    /// The person has stopped: what came after their last key is no matter.
    pub(super) fn forget_silence(&mut self, mut judged: Judged) -> Judged {
        let held = std::mem::take(&mut self.silence.held);
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
