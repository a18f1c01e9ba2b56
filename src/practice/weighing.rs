//! What was weighed for each verdict of a take, from when the written notes were due and when the keys went down.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::follow;
use super::options::PracticeSettings;
use super::story::{Course, Story, Weighed};
use super::tempo::REACH;
use super::types::{Mode, PlayedId, PlayedNote, VerdictKind, scaled_to_speed};
use crate::music::{Percent, Pitch, Score};
use crate::time::{Micros, Ticks};

/// Notes that may be taken for each other: by name, or all of them where any key counts.
type Name = Option<u8>;

/// Fills in what was weighed for all that is not simply on time, nearest first. Time grows with the notes times those
/// near each.
pub(super) fn weigh(
    score: &Score,
    settings: &PracticeSettings,
    courses: &HashMap<u32, Course>,
    played: &[PlayedNote],
    stories: &mut [Story],
) {
    let weighing = Weighing::new(score, settings, played, stories);
    let is_on_time = |story: &Story| story.verdict.kind == VerdictKind::OnTime;
    let found: Vec<(usize, Vec<Weighed>)> = (stories.iter().enumerate())
        .filter(|(_, story)| !is_on_time(story))
        .filter_map(|(index, story)| Some((index, weighing.of(story, stories, courses.get(&story.verdict.pass)?))))
        .collect();
    for (index, weighed) in found {
        stories[index].weighed = weighed;
    }
    if settings.mode != Mode::Rhythm {
        exchange(stories);
    }
}

/// How far apart a missed note and the wrong key pressed instead may be.
const EXCHANGE_REACH: Micros = Micros::from_millis(250);
/// Of wrong keys within the same so long, the one nearest in pitch was pressed instead.
const EXCHANGE_STEP: i64 = 50_000;

/// Finds for each missed note the wrong key that was pressed instead, the likeliest first; each goes with one at most.
fn exchange(stories: &mut [Story]) {
    let of_kind = |kind: VerdictKind| {
        let of_kind = stories.iter().enumerate().filter(move |(_, story)| story.verdict.kind == kind);
        of_kind.map(|(index, _)| index).collect::<Vec<usize>>()
    };
    let (missed, extra) = (of_kind(VerdictKind::Missed), of_kind(VerdictKind::Extra));
    let mut pairs: Vec<(i64, u8, usize, usize)> = Vec::new();
    for &m in &missed {
        let from = extra.partition_point(|e| stories[*e].at < stories[m].at - EXCHANGE_REACH);
        let near = extra[from..].iter().take_while(|e| stories[**e].at <= stories[m].at + EXCHANGE_REACH);
        pairs.extend(near.map(|&e| {
            let apart = (stories[e].at - stories[m].at).0.abs() / EXCHANGE_STEP;
            (apart, stories[e].pitch.key().abs_diff(stories[m].pitch.key()), m, e)
        }));
    }
    pairs.sort_unstable();
    for (_, _, m, e) in pairs {
        if stories[m].instead.is_none() && stories[e].instead.is_none() {
            (stories[m].instead, stories[e].instead) = (Some(stories[e].pitch), Some(stories[m].pitch));
        }
    }
}

struct Weighing<'a> {
    score: &'a Score,
    mode: Mode,
    /// The key-downs by name.
    played: BTreeMap<Name, Vec<&'a PlayedNote>>,
    /// Key-downs that are some written note's.
    taken: HashSet<PlayedId>,
    /// When written notes were due, with the index of their story.
    due: BTreeMap<Name, Vec<(Micros, usize)>>,
    /// The onsets of each key.
    onsets: BTreeMap<Name, Vec<Ticks>>,
}

impl<'a> Weighing<'a> {
    fn new(score: &'a Score, settings: &PracticeSettings, played: &'a [PlayedNote], stories: &[Story]) -> Self {
        let written = stories.iter().filter(|story| story.verdict.written.is_some());
        let taken = written.filter_map(|story| story.verdict.played).collect();
        let mut all = Self {
            score,
            mode: settings.mode,
            played: BTreeMap::new(),
            taken,
            due: BTreeMap::new(),
            onsets: BTreeMap::new(),
        };
        for note in played {
            all.played.entry(all.name(note.pitch)).or_default().push(note);
        }
        for (index, story) in stories.iter().enumerate().filter(|(_, story)| story.verdict.written.is_some()) {
            all.due.entry(all.name(story.pitch)).or_default().push((story.at, index));
        }
        let (from, to) = settings.ticks(score.bars());
        let range = score.notes().iter().filter(|note| (from..to).contains(&note.onset));
        for note in range.filter(|note| settings.practise.contains(note.hand)) {
            let onsets = all.onsets.entry(all.key(note.pitch)).or_default();
            if onsets.last() != Some(&note.onset) {
                onsets.push(note.onset);
            }
        }
        all
    }

    fn name(&self, pitch: Pitch) -> Name {
        (self.mode != Mode::Rhythm).then(|| pitch.class())
    }

    fn key(&self, pitch: Pitch) -> Name {
        (self.mode != Mode::Rhythm).then(|| pitch.key())
    }

    fn of(&self, story: &Story, stories: &[Story], course: &Course) -> Vec<Weighed> {
        let reach = self.reach(course);
        let is_same = |pitch: Pitch| self.key(pitch) == self.key(story.pitch);
        let mut weighed: Vec<Weighed> = match story.verdict.written {
            Some(id) => {
                let window = self.window(story.pitch, self.score.note(id).onset, course, reach);
                let near = near(self.played.get(&self.name(story.pitch)), story.at, reach, |note| note.at);
                let is_own = |note: &PlayedNote| story.verdict.played == Some(note.id);
                let free = near.filter(|note| is_own(note) || !self.taken.contains(&note.id));
                let weighed = free.map(|note| {
                    let deviation = note.at - story.at;
                    let within_window = is_same(note.pitch) && window.contains(&deviation);
                    let chosen = is_own(note);
                    Weighed { pitch: note.pitch, deviation, within_window, chosen }
                });
                weighed.collect()
            }
            None => {
                let near = near(self.due.get(&self.name(story.pitch)), story.at, reach, |due| due.0);
                let weighed = near.filter_map(|&(at, index)| {
                    let written = self.score.note(stories[index].verdict.written?);
                    let window = self.window(written.pitch, written.onset, course, reach);
                    let deviation = story.at - at;
                    let within_window = is_same(written.pitch) && window.contains(&deviation);
                    Some(Weighed { pitch: written.pitch, deviation, within_window, chosen: false })
                });
                weighed.collect()
            }
        };
        weighed.sort_by_key(|w| (w.deviation.0.abs(), w.pitch));
        weighed
    }

    /// How far from its moment a key-down may count.
    fn reach(&self, course: &Course) -> Micros {
        match self.mode {
            Mode::Follow => follow::REACH,
            // The speed may have been changed since the take began: by what the pass took on the whole.
            _ => scaled_to_speed(REACH, Percent::new((100.0 / course.pace()).round() as u16)),
        }
    }

    /// Within these deviations a key-down belongs to the note at `onset`, and not to its neighbours of the same key.
    fn window(&self, pitch: Pitch, onset: Ticks, course: &Course, reach: Micros) -> Range<Micros> {
        let time = |tick: Ticks| course.at(self.score.tempo().micros(tick, Percent::FULL).0);
        let onsets = self.onsets.get(&self.key(pitch)).map_or(&[][..], Vec::as_slice);
        let at = onsets.partition_point(|tick| *tick < onset);
        let half = |other: Option<&Ticks>| {
            let apart = other.and_then(|other| Some((time(*other)? - time(onset)?).0.abs() / 2));
            apart.map_or(reach, |apart| Micros(apart).min(reach))
        };
        let before = half(at.checked_sub(1).and_then(|i| onsets.get(i)));
        let after = half(onsets.get(at + 1));
        Micros(-before.0)..after
    }
}

/// Those at most twice the reach away; `all` are in order of time.
fn near<T>(all: Option<&Vec<T>>, at: Micros, reach: Micros, time: impl Fn(&T) -> Micros) -> impl Iterator<Item = &T> {
    let all = all.map_or(&[][..], Vec::as_slice);
    let far = Micros(2 * reach.0);
    let from = all.partition_point(|one| time(one) < at - far);
    let to = all.partition_point(|one| time(one) <= at + far);
    all[from..to].iter()
}
