//! *Follow me*, while it is played: where the player is, how fast, and whether they have gone elsewhere. Every key-down is
//! weighed against the whole neighbourhood (the same search that pairs a take afterwards); a place far away is believed
//! only when what follows fits there too, so that one wrong key never throws the music about.

use std::collections::VecDeque;

use super::assign::{STOP_SECONDS, STOP_SHARE};
use super::leap;
use super::path::{self, State, Walk};
use super::trail::Trail;
use super::whereabouts::{Elsewhere, Whereabouts};
use super::{FollowPlan, Piece};
use crate::music::{NoteId, Percent, Score};
use crate::practice::types::PlayedNote;
use crate::time::{Micros, Ticks};

/// One is not sure of a place while another one is less unlikely than by so much (in nats): a factor of fifty.
const MARGIN: f32 = 4.0;
/// So many key-downs that fit in a bar nearby are enough to go there.
const LEAP_NOTES: usize = 2;
/// The same of a place far away: there are many, and some fit by chance.
const FAR_NOTES: usize = 4;
const FAR_MARGIN: f32 = 7.0;
/// Where both are as likely, the likelier one is believed after so many; and nobody is left without an answer for more,
/// wherever the latest of them would lead.
const LEAP_NOTES_MAX: usize = 8;
/// So many groups left out at once are believed when the next key-down fits there too.
const PASSED: usize = 2;
/// So many key-downs are awaited at most before it is believed that one has gone on.
const DOUBTFUL_MAX: usize = 3;
/// Key-downs that may still be seen otherwise: all that are in doubt, and some before.
const REVISED: usize = 16;
const _: () = assert!(LEAP_NOTES_MAX < REVISED && DOUBTFUL_MAX < LEAP_NOTES_MAX);
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
    /// Key-downs before it that were in doubt, or are seen otherwise now, with the same of each.
    pub revised: Vec<Revised>,
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

/// The first key-down of the latest ones elsewhere, and its group.
#[derive(Clone, Copy, Debug)]
struct Leap {
    key_down: usize,
    group: usize,
}

/// What a key-down is, as it seems now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revised {
    /// Which one.
    pub note: PlayedNote,
    /// See [`Followed::matched`].
    pub matched: Vec<NoteId>,
    /// See [`Followed::foreign`].
    pub foreign: bool,
}

/// Follows a player through the notes of some hands.
#[derive(Clone, Debug)]
pub struct Follower {
    piece: Piece,
    end: Ticks,
    walk: Walk,
    /// The latest key-downs, and the way back through them.
    recent: VecDeque<PlayedNote>,
    trail: Trail,
    /// How many of them are in doubt, and how many came since the player is where they are.
    doubtful: usize,
    since: usize,
    /// Whether it was decided between two places that are about as likely still.
    decided: bool,
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
            recent: VecDeque::new(),
            trail: Trail::default(),
            doubtful: 0,
            since: 0,
            decided: false,
            place: None,
            furthest: 0,
            lowest: None,
            told_upto: 0,
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
        (self.place, self.finished) = (start.checked_sub(1), false);
        self.forget();
        self.begin_anew(start);
        self.whereabouts = Whereabouts::default();
        self.reached.clear();
    }

    /// A key went down; none comes earlier than the one before.
    pub fn key_down(&mut self, note: PlayedNote) -> Followed {
        let Some(mut state) = self.step(note) else { return Followed::default() };
        let elsewhere = match self.walk.sees_all(&self.piece) {
            true => None,
            false => self.whereabouts.push(&self.piece, &note, state.group),
        };
        let leap = match elsewhere.and_then(|elsewhere| self.go_to(&elsewhere)) {
            Some(there) => {
                state = there;
                Some(Leap { key_down: 0, group: self.path_group(0).unwrap_or(there.group) })
            }
            None => self.leap(),
        };
        if self.is_in_doubt(state, leap) {
            self.doubtful += 1;
            return Followed::default();
        }
        self.settle(state, note, leap)
    }

    /// Where the player seems to be after a key-down.
    fn step(&mut self, note: PlayedNote) -> Option<State> {
        let state = self.walk.push(&self.piece, &note)?;
        self.trail.push(self.walk.column());
        if self.trail.keep(REVISED) {
            self.recent.drain(..self.recent.len() + 1 - REVISED);
        }
        self.recent.push_back(note);
        self.since += 1;
        Some(state)
    }

    /// The latest leap since the player is where they are, or the first key-down in doubt if that does not follow either.
    fn leap(&self) -> Option<Leap> {
        let place = self.place?;
        let (first, doubtful) =
            (self.recent.len() - self.since.min(self.recent.len()), self.recent.len() - 1 - self.doubtful);
        let mut leap = None;
        self.walk.back(&self.piece, &self.trail, |key_down, group, leapt| {
            let counts = key_down >= first;
            // Whoever was thought to have left something out, and had not, is a little behind.
            let is_elsewhere =
                key_down == doubtful && !self.is_near(group) && (group > place || group + path::FORWARD_MAX < place);
            if counts && (leapt || is_elsewhere) {
                leap = Some(Leap { key_down, group });
            }
            counts && leap.is_none()
        });
        leap
    }

    /// Whether somebody goes on from where they were with a group.
    fn is_near(&self, group: usize) -> bool {
        self.place.is_none_or(|place| (place..=self.walk.furthest(&self.piece, place)).contains(&group))
    }

    /// Whether it is to be awaited what comes next before anything is said of where the player is.
    fn is_in_doubt(&mut self, state: State, leap: Option<Leap>) -> bool {
        let Some(place) = self.place.filter(|_| self.doubtful < LEAP_NOTES_MAX) else { return false };
        let (from, to) = (place.saturating_sub(1), self.walk.furthest(&self.piece, place) + 1);
        let cost = self.walk.least_within(state.group..state.group + 1);
        match leap {
            Some(Leap { key_down, group }) if !self.is_near(group) => {
                let fits = self.recent.len() - key_down;
                let stays = [from..group.min(to), (state.group + 1).max(from)..to];
                let stays =
                    stays.map(|groups| self.walk.least_within(groups)).into_iter().fold(f32::INFINITY, f32::min);
                let is_near = leap::is_near(&self.piece, place, group);
                let (notes, margin) = if is_near { (LEAP_NOTES, MARGIN) } else { (FAR_NOTES, FAR_MARGIN) };
                fits < notes || (stays - cost < margin && fits < LEAP_NOTES_MAX)
            }
            _ => {
                let is_rivalled = self.walk.least_outside(from..to) - cost < MARGIN;
                self.decided &= is_rivalled;
                // After the last group nothing may come.
                let is_last = state.group + 1 == self.piece.groups.len();
                if state.group <= place || is_last || self.doubtful >= DOUBTFUL_MAX {
                    return false;
                }
                let passed = self.walk.asked_between(&self.piece, place, state.group);
                (is_rivalled && !self.decided) || (passed >= PASSED && self.doubtful == 0)
            }
        }
    }

    /// It is known where the player is.
    fn settle(&mut self, state: State, note: PlayedNote, leap: Option<Leap>) -> Followed {
        let before = self.place;
        let goes_elsewhere = leap.is_some_and(|leap| !self.is_near(leap.group));
        self.place = before.filter(|place| leap.is_none() && *place > state.group).or(Some(state.group));
        let moved = self.place != before;
        self.furthest = self.furthest.max(state.group);
        let begun = leap.map_or(state.group, |leap| leap.group.min(state.group));
        self.lowest = Some(self.lowest.map_or(begun, |lowest| lowest.min(begun)));
        let mut first = self.recent.len() - 1 - self.doubtful;
        if let Some(leap) = leap {
            self.begin_anew(leap.group);
            first = leap.key_down;
            self.since = self.recent.len() - 1 - leap.key_down;
        }
        let groups: Vec<usize> = (first..self.recent.len() - 1).filter_map(|index| self.path_group(index)).collect();
        let revised = (first..).zip(groups).map(|(index, group)| self.revised(index, group)).collect();
        self.decided |= leap.is_some() || self.doubtful > 0;
        self.doubtful = 0;
        if before.is_none() {
            self.since = 0;
        }
        let matched = self.matched(state.group, &note);
        let foreign = matched.is_empty() && !self.piece.is_other_hand(state.group, &note);
        let missed = self.missed(state.group);
        self.finished |=
            state.group + 1 == self.piece.groups.len() && state.heard >= self.piece.group_notes(state.group).len();
        let speed = if moved { self.measure(state.group, note.at, goes_elsewhere) } else { None };
        let place = self.place.filter(|_| moved).map(|group| self.piece.groups[group].tick);
        let (leap, finished) = (goes_elsewhere && moved, self.finished);
        Followed { matched, foreign, revised, missed, place, leap, speed, finished }
    }

    /// The group of one of the latest key-downs.
    fn path_group(&self, index: usize) -> Option<usize> {
        let mut found = None;
        self.walk.back(&self.piece, &self.trail, |key_down, group, _| {
            found = (key_down == index).then_some(group);
            found.is_none()
        });
        found
    }

    /// What one of the latest key-downs is, in its group.
    fn revised(&mut self, index: usize, group: usize) -> Revised {
        let note = self.recent[index];
        let matched = self.matched(group, &note);
        let foreign = matched.is_empty() && !self.piece.is_other_hand(group, &note);
        Revised { note, matched, foreign }
    }

    /// Goes to where somebody was found who is far away.
    fn go_to(&mut self, elsewhere: &Elsewhere) -> Option<State> {
        self.walk = Walk::near(&self.piece, elsewhere.first);
        self.forget();
        elsewhere.notes.iter().filter_map(|note| self.step(*note)).last()
    }

    /// Nothing is known of how the player came here.
    fn forget(&mut self) {
        self.trail.clear();
        self.recent.clear();
        (self.doubtful, self.since, self.decided) = (0, 0, false);
    }

    /// The player goes on at a group, wherever they were.
    fn begin_anew(&mut self, group: usize) {
        self.heard.fill(false);
        self.told_upto = group;
    }

    /// The note of the group that a key-down is, else one of the group before or after: hands are seldom together.
    fn matched(&mut self, group: usize, note: &PlayedNote) -> Vec<NoteId> {
        let groups = [Some(group), group.checked_sub(1), Some(group + 1)];
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
        self.piece.groups.get(self.next()).map_or(self.end, |group| group.tick)
    }

    /// The next group in which anything is asked of the hands that are there.
    fn next(&self) -> usize {
        self.place.map_or(0, |group| self.walk.next_asked(&self.piece, group))
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

    /// The keys of the first group, one bit each.
    pub fn first_keys(&self) -> u128 {
        let notes = if self.piece.groups.is_empty() { &[] } else { self.piece.group_notes(0) };
        notes.iter().fold(0, |keys, written| keys | 1 << written.pitch.key())
    }

    /// The notes that are expected next.
    pub fn needed(&self) -> impl Iterator<Item = NoteId> + '_ {
        let next = self.next();
        let notes = if next < self.piece.groups.len() { self.piece.group_notes(next) } else { &[] };
        notes.iter().filter(|written| self.walk.asks(written)).map(|written| written.id)
    }
}
