//! *Follow me*: first impressions while the person plays, and the verdicts of a pass once it is whole.

use std::collections::{HashMap, VecDeque};

use super::Judged;
use crate::music::{NoteId, Pitch, Score};
use crate::practice::follow::{self, FollowPlan, Followed, Follower, Revised};
use crate::practice::{
    Mode, PlayedId, PlayedNote, PracticeSettings, Verdict, VerdictKind, bars_of_wrong_keys, ornament,
};
use crate::time::Ticks;

/// *Follow me*: where the person is now, and everything they played in this pass, which is paired when it is whole.
#[derive(Clone)]
pub(super) struct FollowJudge {
    pub(super) follower: Follower,
    notes: Vec<PlayedNote>,
    pub(super) pass: u32,
    /// Where they began.
    from: Ticks,
    /// Whether the music goes round.
    looping: bool,
    /// The bars of the wrong keys of the pass that was paired last.
    pub(super) bars: HashMap<PlayedId, usize>,
    /// The latest keys that were told to be wrong, and where the music stood.
    wrong: VecDeque<(PlayedId, Pitch, Ticks)>,
    /// Places that the music was told to go to, because they had gone there, and has not come to yet.
    pub(super) leaps: VecDeque<Ticks>,
}

/// Wrong keys that may be seen otherwise yet: more than the follower thinks over.
const WRONG_MAX: usize = 32;

/// Leaps that the music has not made yet; the oldest is forgotten beyond.
const LEAPS_MAX: usize = 64;

impl FollowJudge {
    pub(super) fn new(score: &Score, settings: &PracticeSettings) -> Self {
        let plan = FollowPlan::from_settings(score, settings);
        let follower = Follower::new(score, &plan, settings.tempo);
        let (notes, bars, wrong, leaps) = (Vec::new(), HashMap::new(), VecDeque::new(), VecDeque::new());
        Self { follower, notes, pass: 0, from: plan.from, looping: settings.looping, bars, wrong, leaps }
    }

    /// A key went down while the music stood at `tick`.
    pub(super) fn key_down(&mut self, score: &Score, note: PlayedNote, tick: Ticks) -> Judged {
        self.notes.push(note);
        let around = (tick, self.follower.next_tick());
        let followed = self.follower.key_down(note);
        if self.looping && followed.finished && followed.leap {
            // The next pass, before the music has gone round.
            return Judged { finished: true, ..Judged::default() };
        }
        if let (true, Some(tick)) = (followed.leap, followed.place) {
            if self.leaps.len() == LEAPS_MAX {
                self.leaps.pop_front();
            }
            self.leaps.push_back(tick);
        }
        let next = followed.place.map(|_| self.follower.next_tick());
        let Followed { place: done, leap, speed, finished, .. } = followed;
        let mut judged = Judged { done, next, leap, speed, finished, ..Judged::default() };
        let missed = followed.missed.iter().map(|id| self.impression(None, Some(*id), VerdictKind::Missed));
        judged.impressions.extend(missed);
        let this = Revised { note, matched: followed.matched, foreign: followed.foreign };
        for Revised { note, matched, foreign } in followed.revised.into_iter().chain([this]) {
            let right = matched.iter().map(|id| self.impression(Some(note.id), Some(*id), VerdictKind::OnTime));
            judged.impressions.extend(right);
            if let Some(known) = self.wrong.iter().position(|(wrong, ..)| *wrong == note.id && !foreign) {
                judged.taken_back.extend(self.wrong.remove(known).map(|(_, pitch, tick)| (pitch, tick)));
            }
            let is_told = self.wrong.iter().any(|(wrong, ..)| *wrong == note.id);
            if foreign && !is_told && !ornament::permits(score.ornaments(), Some(note.pitch), around) {
                if self.wrong.len() == WRONG_MAX {
                    self.wrong.pop_front();
                }
                self.wrong.push_back((note.id, note.pitch, tick));
                judged.extras.push((note.pitch, tick));
                judged.impressions.push(self.impression(Some(note.id), None, VerdictKind::Extra));
            }
        }
        judged
    }

    fn impression(&self, played: Option<PlayedId>, written: Option<NoteId>, kind: VerdictKind) -> Verdict {
        Verdict { pass: self.pass, played, written, kind, deviation: None }
    }

    /// Pairs what was played with what is written up to `to`, and begins a new pass.
    pub(super) fn pair(&mut self, score: &Score, settings: &PracticeSettings, to: Ticks) -> Vec<Verdict> {
        let notes = std::mem::take(&mut self.notes);
        let verdicts = self.paired(score, settings, to, &notes);
        self.end_pass(score, settings, &verdicts, &notes);
        verdicts
    }

    /// The verdicts of a pass of which so much was played.
    fn paired(&self, score: &Score, settings: &PracticeSettings, to: Ticks, notes: &[PlayedNote]) -> Vec<Verdict> {
        let whole = FollowPlan::from_settings(score, settings);
        let from = self.follower.lowest().map_or(self.from, |lowest| lowest.min(self.from));
        let mut verdicts = follow::pair(score, &FollowPlan { from, to, ..whole }, notes);
        ornament::settle(score, Mode::Follow, &mut verdicts, notes);
        verdicts.iter_mut().for_each(|verdict| verdict.pass = self.pass);
        verdicts
    }

    fn end_pass(&mut self, score: &Score, settings: &PracticeSettings, verdicts: &[Verdict], notes: &[PlayedNote]) {
        let (from, _) = settings.ticks(score.bars());
        self.bars = bars_of_wrong_keys(score, settings, verdicts, notes);
        self.follower.begin_pass(from);
        self.notes.clear();
        self.wrong.clear();
        (self.pass, self.from) = (self.pass + 1, from);
    }

    /// The music goes round: what was struck for the next pass before it did counts there.
    pub(super) fn go_round(&mut self, score: &Score, settings: &PracticeSettings) -> (Vec<Verdict>, Judged) {
        let (from, to) = settings.ticks(score.bars());
        let mut notes = std::mem::take(&mut self.notes);
        let mut verdicts = self.paired(score, settings, to, &notes);
        let played = |v: &Verdict| Some((v.played?, score.note(v.written.filter(|_| v.kind.is_right())?).onset));
        let right: HashMap<PlayedId, Ticks> = verdicts.iter().filter_map(played).collect();
        let last = right.values().max();
        let after = notes.iter().rposition(|note| last.is_some() && right.get(&note.id) == last).map_or(0, |at| at + 1);
        let firsts = self.follower.first_keys();
        let begins = notes[after..].iter().position(|note| firsts >> note.pitch.key() & 1 == 1);
        let early = notes.split_off(begins.map_or(notes.len(), |begins| after + begins));
        if !early.is_empty() {
            verdicts = self.paired(score, settings, to, &notes);
        }
        self.end_pass(score, settings, &verdicts, &notes);
        let mut round = Judged::default();
        for note in early {
            let step = self.key_down(score, note, from);
            round.impressions.extend(step.impressions);
            round.extras.extend(step.extras);
            round.taken_back.extend(step.taken_back);
            (round.done, round.next) = (step.done.or(round.done), step.next.or(round.next));
        }
        (verdicts, round)
    }

    /// The music went to a place, because the person had gone there or because they asked for it: then what they had
    /// played is a pass of its own, and what lies between is not judged.
    pub(super) fn sought(&mut self, score: &Score, settings: &PracticeSettings, tick: Ticks) -> Vec<Verdict> {
        if let Some(leap) = self.leaps.iter().position(|leap| *leap == tick) {
            self.leaps.drain(..=leap);
            return Vec::new();
        }
        let reached = self.follower.reached();
        let verdicts = if self.notes.is_empty() { Vec::new() } else { self.pair(score, settings, reached) };
        self.from = tick;
        self.follower.seek(tick);
        verdicts
    }
}
