//! What became of the written notes, as it is shown while one plays and when one looks back: the first impression of a
//! note until its verdict comes, and nothing of a pass that is over.

use crate::music::{Pitch, Score};
use crate::practice::{Verdict, VerdictKind};
use crate::time::{Micros, Ticks};

use super::judging::Judged;

/// What became of a written note in the present pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoteMark {
    /// What was found.
    pub kind: VerdictKind,
    /// Signed, positive when late.
    pub deviation: Option<Micros>,
    /// When it was found, on the monotonic clock.
    pub at: Micros,
}

/// Marks for all notes of a score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks {
    /// One for each written note.
    pub notes: Vec<Option<NoteMark>>,
    /// Keys that are not written, and where the music stood, by place.
    pub extras: Vec<(Pitch, Ticks)>,
    /// Passes that are over, whose verdicts are not shown any more.
    passes_over: u32,
}

impl Marks {
    /// None yet.
    pub fn new(score: &Score) -> Self {
        Self { notes: vec![None; score.notes().len()], ..Self::default() }
    }

    /// Whether nothing was found yet.
    pub fn is_empty(&self) -> bool {
        self.extras.is_empty() && self.notes.iter().all(Option::is_none)
    }

    /// So many passes are over, and the notes come again.
    fn begin_pass(&mut self, passes: u32) {
        self.notes.fill(None);
        self.extras.clear();
        self.passes_over = passes;
    }

    /// What was found at a moment.
    pub fn take_in(&mut self, judged: &Judged, now: Micros) {
        judged.comes_again.into_iter().for_each(|pass| self.begin_pass(pass));
        let is_shown = judged.verdicts.iter().all(|v| v.pass >= self.passes_over);
        if judged.whole_pass && is_shown {
            self.notes.fill(None);
            self.extras.clear();
        }
        for verdict in judged.impressions.iter().chain(&judged.verdicts) {
            self.mark(verdict, now);
        }
        for wrong in &judged.taken_back {
            if let Some(shown) = self.extras.iter().rposition(|extra| extra == wrong) {
                self.extras.remove(shown);
            }
        }
        if is_shown {
            self.extras.extend(&judged.extras);
            // They are looked up by place.
            self.extras.sort_by_key(|(_, tick)| *tick);
        }
    }

    /// Shows a verdict, unless it is about a pass that is over: its notes are to come again.
    fn mark(&mut self, verdict: &Verdict, now: Micros) {
        if verdict.pass < self.passes_over {
            return;
        }
        if let Some(slot) = verdict.written.and_then(|id| self.notes.get_mut(id.0 as usize)) {
            *slot = Some(NoteMark { kind: verdict.kind, deviation: verdict.deviation, at: now });
        }
    }
}
