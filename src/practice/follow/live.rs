//! *Follow me*, while it is played: where the player is, how fast, and whether they have gone elsewhere. Every key-down is
//! weighed against the whole neighbourhood (the same search that pairs a take afterwards); a place far away is believed
//! only when what follows fits there too, so that one wrong key never throws the music about.

use std::collections::VecDeque;

use super::assign::{STOP_SECONDS, STOP_SHARE};
use super::path::{self, State, Walk};
use super::whereabouts::{Elsewhere, Whereabouts};
use super::{FollowPlan, Piece};
use crate::music::{NoteId, Percent, Score};
use crate::practice::types::PlayedNote;
use crate::time::{Micros, Ticks};

/// Key-downs in a row that must fit elsewhere before the music goes there.
const LEAP_NOTES: usize = 3;
/// Groups that the tempo is taken from.
const TEMPO_GROUPS: usize = 9;
/// The tempo is the median over steps of so many groups: rubato within a beat or two is no other tempo.
const TEMPO_STEP: usize = 4;
/// The tempo is told when it has changed by so many hundredths of the written one.
const TOLD: u16 = 2;

/// What followed from a key-down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The written note that it seems to be (both of a unison of the hands); revised when the take is paired as a whole.
    pub matched: Vec<NoteId>,
    /// Whether it is written nowhere near, by neither hand.
    pub foreign: bool,
    /// What seems to have been left out by now: of the onset groups before the one before this. Revised like the above.
    pub missed: Vec<NoteId>,
    /// Where the player is, if that is another place than before.
    pub place: Option<Ticks>,
    /// Whether that place does not follow the one before: a repeated bar, a jump.
    pub leap: bool,
    /// The player's tempo as a share of the written one, when it has changed.
    pub speed: Option<Percent>,
    /// Whether the last group is whole.
    pub finished: bool,
}

/// Follows a player through the notes of some hands.
#[derive(Clone, Debug)]
pub struct Follower {
    piece: Piece,
    end: Ticks,
    walk: Walk,
    /// The group where the player is.
    place: Option<usize>,
    /// The last group of the furthest place.
    furthest: usize,
    /// The first group of the places reached.
    lowest: Option<usize>,
    /// Which written notes seem to have been played since the last leap.
    heard: Vec<bool>,
    /// Groups before this one have been told of.
    told_upto: usize,
    /// Another place that the player may have gone to, and how many key-downs fit there.
    leap: Option<(usize, usize)>,
    whereabouts: Whereabouts,
    /// When the latest groups were reached: written seconds, and the moment.
    reached: VecDeque<(f64, Micros)>,
    /// Seconds played for a written one.
    pace: f64,
    told: Percent,
    finished: bool,
}

impl Follower {
    /// Before the first key of a player who is to begin at the beginning of the plan, at this speed.
    pub fn new(score: &Score, plan: &FollowPlan, speed: Percent) -> Self {
        let piece = Piece::new(score, plan);
        let walk = Walk::near(&piece, 0);
        Self {
            heard: vec![false; piece.written.len()],
            piece,
            end: plan.to,
            walk,
            place: None,
            furthest: 0,
            lowest: None,
            told_upto: 0,
            leap: None,
            whereabouts: Whereabouts::default(),
            reached: VecDeque::new(),
            pace: 100.0 / f64::from(speed.get()),
            told: speed,
            finished: false,
        }
    }

    /// A new pass, from `tick` on, at the tempo at hand.
    pub fn begin_pass(&mut self, tick: Ticks) {
        self.seek(tick);
        (self.furthest, self.lowest) = (self.place.unwrap_or(0), None);
    }

    /// The music goes on at this speed now.
    pub fn runs_at(&mut self, speed: Percent) {
        self.told = speed;
    }

    /// The player is to go on at the first group at or after `tick`.
    pub fn seek(&mut self, tick: Ticks) {
        let start =
            self.piece.groups.partition_point(|group| group.tick < tick).min(self.piece.groups.len().saturating_sub(1));
        self.walk = Walk::near(&self.piece, start);
        (self.place, self.leap, self.finished) = (start.checked_sub(1), None, false);
        self.begin_anew(start);
        self.whereabouts = Whereabouts::default();
        self.reached.clear();
    }

    /// A key went down; none comes earlier than the one before.
    pub fn key_down(&mut self, note: PlayedNote) -> Followed {
        let Some(state) = self.walk.push(&self.piece, &note) else { return Followed::default() };
        let before = self.place;
        let elsewhere = match self.walk.sees_all(&self.piece) {
            true => None,
            false => self.whereabouts.push(&self.piece, &note, state.group),
        };
        let (state, leap) = match elsewhere.and_then(|elsewhere| self.go_to(&elsewhere)) {
            Some(state) => (state, true),
            None => match self.move_to(state.group) {
                Some(leap) => (state, leap),
                None => return Followed::default(),
            },
        };
        let moved = self.place != before;
        self.lowest = self.lowest.min(self.place).or(self.place);
        if leap {
            self.begin_anew(state.group);
        }
        let matched = self.matched(state, &note);
        let foreign = matched.is_empty() && !self.piece.is_other_hand(state.group, &note);
        let missed = self.missed(state.group);
        self.finished |=
            state.group + 1 == self.piece.groups.len() && state.heard >= self.piece.group_notes(state.group).len();
        let speed = if moved { self.measure(state.group, note.at, leap) } else { None };
        let place = self.place.filter(|_| moved).map(|group| self.piece.groups[group].tick);
        Followed { matched, foreign, missed, place, leap, speed, finished: self.finished }
    }

    /// Goes to a group, or stays until it is certain that the player is there; whether it is elsewhere.
    fn move_to(&mut self, group: usize) -> Option<bool> {
        let near = |from: usize| (from..=from + path::FORWARD_MAX).contains(&group);
        let leap = self.place.is_some_and(|place| !near(place));
        if leap {
            let fits = self.leap.filter(|(elsewhere, _)| near(*elsewhere)).map_or(1, |(_, fits)| fits + 1);
            self.leap = Some((group, fits));
            if fits < LEAP_NOTES {
                return None;
            }
        }
        (self.place, self.leap) = (Some(group), None);
        self.furthest = self.furthest.max(group);
        Some(leap)
    }

    /// Goes to where somebody was found who is far away.
    fn go_to(&mut self, elsewhere: &Elsewhere) -> Option<State> {
        self.walk = Walk::near(&self.piece, elsewhere.first);
        let state = elsewhere.notes.iter().filter_map(|note| self.walk.push(&self.piece, note)).last()?;
        (self.place, self.leap) = (Some(state.group), None);
        self.furthest = self.furthest.max(state.group);
        Some(state)
    }

    /// The player goes on at a group, wherever they were.
    fn begin_anew(&mut self, group: usize) {
        self.heard.fill(false);
        self.told_upto = group;
    }

    /// The note of the group that a key-down is, else one of the group before or after: hands are seldom together.
    fn matched(&mut self, state: State, note: &PlayedNote) -> Vec<NoteId> {
        let groups = [Some(state.group), state.group.checked_sub(1), Some(state.group + 1)];
        let groups = groups.into_iter().flatten().filter_map(|group| self.piece.groups.get(group));
        let is_free = |written: &usize| self.piece.written[*written].pitch == note.pitch && !self.heard[*written];
        let Some(found) = groups.flat_map(|group| group.first..group.end).find(is_free) else { return Vec::new() };
        self.heard[found] = true;
        let twins = self.piece.twins.iter().filter(|(_, twin)| *twin == found).map(|(id, _)| *id);
        std::iter::once(self.piece.written[found].id).chain(twins).collect()
    }

    /// What was left out up to the group before the one before `group`, as far as it has not been told.
    fn missed(&mut self, group: usize) -> Vec<NoteId> {
        let upto = group.saturating_sub(1);
        let Some(passed) = self.piece.groups.get(self.told_upto..upto) else { return Vec::new() };
        let left_out = passed.iter().flat_map(|group| group.first..group.end).filter(|written| !self.heard[*written]);
        let missed = left_out.map(|written| self.piece.written[written].id).collect();
        self.told_upto = self.told_upto.max(upto);
        missed
    }

    /// Takes in when a group was reached; the tempo, if it is another one.
    fn measure(&mut self, group: usize, at: Micros, leap: bool) -> Option<Percent> {
        let written = self.piece.groups[group].seconds;
        if let Some((last, then)) = self.reached.back().copied() {
            let (played, expected) = ((at - then).0 as f64 / 1e6, (written - last) * self.pace);
            if leap || played > STOP_SHARE * expected + STOP_SECONDS {
                self.reached.clear();
            }
        }
        if self.reached.len() == TEMPO_GROUPS {
            self.reached.pop_front();
        }
        self.reached.push_back((written, at));
        let steps = self.reached.iter().zip(self.reached.iter().skip(TEMPO_STEP.min(self.reached.len() - 1)));
        let mut slopes: Vec<f64> = steps
            .filter(|(a, b)| b.0 > a.0)
            .map(|(a, b)| (b.1 - a.1).0 as f64 / 1e6 / (b.0 - a.0))
            .filter(|slope| *slope > 0.0)
            .collect();
        // Two groups are a moment, not a tempo.
        if self.reached.len() < 3 || slopes.is_empty() {
            return None;
        }
        slopes.sort_by(f64::total_cmp);
        self.pace = slopes[slopes.len() / 2];
        let speed = Percent::new((100.0 / self.pace).round().clamp(1.0, 1_000.0) as u16);
        (speed.get().abs_diff(self.told.get()) >= TOLD).then(|| {
            self.told = speed;
            speed
        })
    }

    /// Where the player is: the tick of the group reached last; `None` before the first.
    pub fn tick(&self) -> Option<Ticks> {
        self.place.map(|group| self.piece.groups[group].tick)
    }

    /// Where the player is expected next; the end of the range when the last group is reached.
    pub fn next_tick(&self) -> Ticks {
        let next = self.place.map_or(0, |group| group + 1);
        self.piece.groups.get(next).map_or(self.end, |group| group.tick)
    }

    /// The first place that was reached.
    pub fn lowest(&self) -> Option<Ticks> {
        self.lowest.map(|group| self.piece.groups[group].tick)
    }

    /// The tick after everything that was reached.
    pub fn reached(&self) -> Ticks {
        let after = self.place.map_or(0, |_| self.furthest + 1);
        self.piece.groups.get(after).map_or(self.end, |group| group.tick)
    }

    /// The notes that are expected next.
    pub fn needed(&self) -> impl Iterator<Item = NoteId> + '_ {
        let next = self.place.map_or(0, |group| group + 1);
        let notes = if next < self.piece.groups.len() { self.piece.group_notes(next) } else { &[] };
        notes.iter().map(|written| written.id)
    }
}
