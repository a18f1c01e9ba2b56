//! What became of each note of a take, where it stands in time, and why it was judged so. From the verdicts, and from
//! when each key went down on any one clock.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::options::PracticeSettings;
use super::types::{Mode, PlayedId, PlayedNote, Verdict, VerdictKind};
use super::weighing::weigh;
use super::wrong_key::{bar_of_wrong_key, bars_of_wrong_keys};
use crate::music::{NoteId, Percent, Pitch, Score};
use crate::time::{Micros, Ticks};

/// A key-down that was weighed against a written note, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The key of the other note.
    pub pitch: Pitch,
    /// Played minus expected time, positive when late.
    pub deviation: Micros,
    /// Whether it was near enough to be chosen at all.
    pub within_window: bool,
    /// Whether this pair is the verdict.
    pub chosen: bool,
}

/// A note with its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// What was found.
    pub verdict: Verdict,
    /// When the written note was due, on the clock of the played notes; for a key that is not written, when it went
    /// down. In *Wait for me* a written note is due when its chord was begun.
    pub at: Micros,
    /// Until when the written note was to last, at the tempo around it.
    pub end: Micros,
    /// The written key, or the played one where nothing is written.
    pub pitch: Pitch,
    /// The index of the bar.
    pub bar: usize,
    /// What was weighed, nearest first, for all that is not simply on time; nothing in *Wait for me*.
    pub weighed: Vec<Weighed>,
    /// For a note that was missed, the wrong key that was pressed instead, as it seems; for a wrong key, what was meant.
    pub instead: Option<Pitch>,
    /// *Wait for me*: the keys that were needed when a wrong one was pressed.
    pub needed: Vec<Pitch>,
    /// Whether it was to come at a moment; in *Wait for me* the deviation is from the first key of its chord.
    pub is_timed: bool,
}

impl Story {
    /// What became of a note, without the reasons.
    pub fn new(verdict: &Verdict, (at, end): (Micros, Micros), pitch: Pitch, bar: usize) -> Self {
        let (weighed, instead, needed) = (Vec::new(), None, Vec::new());
        Self { verdict: *verdict, at, end, pitch, bar, weighed, instead, needed, is_timed: true }
    }
}

/// Written time to the clock of the played notes, for one pass: from each onset that was reached.
pub(super) struct Course {
    /// Microseconds at the written tempo, and when that was; both ascending.
    anchors: Vec<(i64, i64)>,
}

impl Course {
    fn new(anchors: impl Iterator<Item = (i64, i64)>) -> Self {
        let mut rising: Vec<(i64, i64)> = Vec::new();
        for (written, at) in anchors {
            let before = rising.last().map_or(i64::MIN, |last| last.1);
            rising.push((written, at.max(before)));
        }
        Self { anchors: rising }
    }

    /// Played time for a unit of written time, all in all.
    pub(super) fn pace(&self) -> f64 {
        match (self.anchors.first(), self.anchors.last()) {
            (Some(first), Some(last)) if last.0 > first.0 && last.1 > first.1 => {
                (last.1 - first.1) as f64 / (last.0 - first.0) as f64
            }
            _ => 1.0,
        }
    }

    /// The written moment that a time belongs to; `None` without anchors.
    pub(super) fn written(&self, at: Micros) -> Option<i64> {
        let after = self.anchors.partition_point(|anchor| anchor.1 <= at.0);
        let along = |from: (i64, i64), pace: f64| from.0 + ((at.0 - from.1) as f64 / pace) as i64;
        match (after.checked_sub(1).map(|i| self.anchors[i]), self.anchors.get(after).copied()) {
            (Some(a), Some(b)) => Some(along(a, (b.1 - a.1) as f64 / (b.0 - a.0).max(1) as f64)),
            (Some(one), None) | (None, Some(one)) => Some(along(one, self.pace())),
            (None, None) => None,
        }
    }

    /// When a written moment was, between the onsets around it.
    pub(super) fn at(&self, written: i64) -> Option<Micros> {
        let after = self.anchors.partition_point(|anchor| anchor.0 <= written);
        let along = |from: (i64, i64), pace: f64| Micros(from.1 + ((written - from.0) as f64 * pace) as i64);
        match (after.checked_sub(1).map(|i| self.anchors[i]), self.anchors.get(after).copied()) {
            (Some(a), Some(b)) => Some(along(a, (b.1 - a.1) as f64 / (b.0 - a.0) as f64)),
            (Some(last), None) => Some(along(last, self.pace())),
            (None, Some(first)) => Some(along(first, self.pace())),
            (None, None) => None,
        }
    }
}

/// What became of each note, in order of time. `played` are the key-downs by time; what was played and got no verdict is
/// left out, and so is what was missed in a pass of which nothing was right.
pub fn stories(score: &Score, settings: &PracticeSettings, verdicts: &[Verdict], played: &[PlayedNote]) -> Vec<Story> {
    let by_id: HashMap<PlayedId, PlayedNote> = played.iter().map(|note| (note.id, *note)).collect();
    let note = |verdict: &Verdict| by_id.get(&verdict.played?).copied();
    let courses = courses(score, settings.mode, verdicts, &by_id);
    let (range_start, _) = settings.ticks(score.bars());
    let mut stories: Vec<Story> = Vec::new();
    let mut needed = if settings.mode == Mode::Wait { needed(score, verdicts) } else { Vec::new() };
    for (index, verdict) in verdicts.iter().enumerate().filter(|(_, v)| v.kind != VerdictKind::Neutral) {
        let course = courses.get(&verdict.pass);
        let story = match verdict.written {
            Some(id) => course.and_then(|course| of_written(score, verdict, id, course)),
            None => note(verdict).map(|note| of_extra(verdict, &note)),
        };
        let Some(mut story) = story else { continue };
        story.is_timed = settings.mode != Mode::Wait;
        if settings.mode == Mode::Wait && verdict.written.is_none() {
            let (needed, tick) = std::mem::take(&mut needed[index]);
            (story.needed, story.bar) = (needed, bar_of_wrong_key(score, settings, tick.unwrap_or(range_start)));
        }
        stories.push(story);
    }
    stories.sort_by_key(|story| story.at);
    if settings.mode != Mode::Wait {
        let bars = bars_of_wrong_keys(score, settings, verdicts, played);
        for story in stories.iter_mut().filter(|s| s.verdict.written.is_none()) {
            story.bar = story.verdict.played.and_then(|id| bars.get(&id).copied()).unwrap_or(story.bar);
        }
        weigh(score, settings, &courses, played, &mut stories);
    }
    stories
}

pub(super) fn courses(
    score: &Score,
    mode: Mode,
    verdicts: &[Verdict],
    by_id: &HashMap<PlayedId, PlayedNote>,
) -> HashMap<u32, Course> {
    let mut onsets: BTreeMap<(u32, Ticks), i64> = BTreeMap::new();
    for verdict in verdicts.iter().filter(|v| v.kind.is_right()) {
        let (Some(id), Some(note)) = (verdict.written, verdict.played.and_then(|id| by_id.get(&id))) else { continue };
        let early = if mode == Mode::Wait { Micros::ZERO } else { verdict.deviation.unwrap_or(Micros::ZERO) };
        let due = onsets.entry((verdict.pass, score.note(id).onset)).or_insert(i64::MAX);
        *due = (*due).min((note.at - early).0);
    }
    let passes: BTreeSet<u32> = verdicts.iter().map(|v| v.pass).collect();
    let of_pass = |pass: u32| {
        let range = onsets.range((pass, Ticks(i64::MIN))..=(pass, Ticks(i64::MAX)));
        Course::new(range.map(|((_, tick), at)| (written_time(score, *tick), *at)))
    };
    passes.into_iter().map(|pass| (pass, of_pass(pass))).collect()
}

fn written_time(score: &Score, tick: Ticks) -> i64 {
    score.tempo().micros(tick, Percent::FULL).0
}

fn of_written(score: &Score, verdict: &Verdict, id: NoteId, course: &Course) -> Option<Story> {
    let written = score.note(id);
    let at = course.at(written_time(score, written.onset))?;
    let length = (written_time(score, written.end) - written_time(score, written.onset)) as f64 * course.pace();
    let (pitch, bar) = (written.pitch, score.bar_of(id));
    Some(Story::new(verdict, (at, at + Micros(length as i64)), pitch, bar))
}

fn of_extra(verdict: &Verdict, note: &PlayedNote) -> Story {
    Story::new(verdict, (note.at, note.at), note.pitch, 0)
}

/// *Wait for me*: for each verdict the keys of what was reached next in its pass, and its tick; after the last there are
/// none, and the tick is that of the last.
fn needed(score: &Score, verdicts: &[Verdict]) -> Vec<(Vec<Pitch>, Option<Ticks>)> {
    let mut needed = vec![(Vec::new(), None); verdicts.len()];
    let written = |v: &Verdict| v.written.filter(|_| v.kind != VerdictKind::Neutral);
    // Of each pass what is reached next, seen from the end; before that, what was reached last.
    let mut next: HashMap<u32, (Vec<Pitch>, Option<Ticks>)> = HashMap::new();
    for verdict in verdicts {
        if let Some(id) = written(verdict) {
            next.insert(verdict.pass, (Vec::new(), Some(score.beat(id))));
        }
    }
    for (verdict, needed) in verdicts.iter().zip(&mut needed).rev() {
        let Some(id) = written(verdict) else {
            *needed = next.get(&verdict.pass).cloned().unwrap_or_default();
            continue;
        };
        let (keys, beat) = next.entry(verdict.pass).or_default();
        if *beat != Some(score.beat(id)) {
            (*keys, *beat) = (Vec::new(), Some(score.beat(id)));
        }
        if let Err(place) = keys.binary_search(&score.note(id).pitch) {
            keys.insert(place, score.note(id).pitch);
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Hand, ScoreParts, WrittenNote};
    use crate::practice::tempo::{TempoPlan, judge};
    use crate::practice::wait::WaitMatcher;

    /// Eight quarters from middle C upwards, half a second each.
    fn score() -> Score {
        let note = |i: i64| WrittenNote {
            onset: Ticks(i * 480),
            end: Ticks(i * 480 + 480),
            pitch: Pitch::from_data_byte(60 + i as u8),
            hand: Hand::Right,
            velocity: 80,
        };
        Score::new(ScoreParts { resolution: 480, notes: (0..8).map(note).collect(), ..Default::default() })
    }

    fn note(id: u64, millis: i64, key: u8) -> PlayedNote {
        let (id, at) = (PlayedId(id), Micros::from_millis(millis));
        PlayedNote { id, at, pitch: Pitch::from_data_byte(key), velocity: 80 }
    }

    #[test]
    fn keep_tempo_a_missed_note_stands_where_it_was_due_and_tells_what_came_too_late_for_it() {
        let settings = PracticeSettings { mode: Mode::Tempo, ..Default::default() };
        // The third note comes 450 ms late; all others are on time, a second after the clock's zero.
        let mut played: Vec<PlayedNote> = (0..8).map(|i| note(i, 1_000 + i as i64 * 500, 60 + i as u8)).collect();
        played[2].at += Micros::from_millis(450);
        played.sort_by_key(|note| note.at);
        let start = Micros::from_millis(1_000);
        let verdicts = judge(&score(), TempoPlan::from_settings(&score(), &settings), &[start], &played);
        let stories = stories(&score(), &settings, &verdicts, &played);
        let missed = stories.iter().find(|s| s.verdict.kind == VerdictKind::Missed).expect("the third note");
        assert_eq!((missed.at, missed.end), (Micros::from_millis(2_000), Micros::from_millis(2_500)));
        assert_eq!((missed.pitch.key(), missed.bar), (62, 0));
        let extra = stories.iter().find(|s| s.verdict.kind == VerdictKind::Extra).expect("the late key");
        assert_eq!((extra.at, extra.bar), (Micros::from_millis(2_450), 0));
        for story in [missed, extra] {
            let weighed = story.weighed.first().expect("the other one");
            assert_eq!((weighed.pitch.key(), weighed.deviation), (62, Micros::from_millis(450)));
            assert!(!weighed.within_window && !weighed.chosen);
        }
        assert_eq!(stories.len(), 9);
    }

    #[test]
    fn a_wrong_key_goes_with_the_note_that_was_missed_and_what_is_anothers_is_no_candidate() {
        let settings = PracticeSettings { mode: Mode::Tempo, ..Default::default() };
        // A half-tone too high for the fourth and the fifth, and another key long after.
        let keys = [60, 62, 64, 66, 68, 69, 71, 72];
        let whole_tones = score();
        let raised = |(note, key): (&WrittenNote, u8)| WrittenNote { pitch: Pitch::from_data_byte(key), ..*note };
        let notes = whole_tones.notes().iter().zip([60, 62, 64, 65, 67, 69, 71, 72]).map(raised);
        let score = Score::new(ScoreParts { resolution: 480, notes: notes.collect(), ..Default::default() });
        let mut played: Vec<PlayedNote> =
            keys.iter().zip(0..).map(|(key, i)| note(i, i as i64 * 500 + 20, *key)).collect();
        played.push(note(99, 6_000, 30));
        let verdicts = judge(&score, TempoPlan::from_settings(&score, &settings), &[Micros::ZERO], &played);
        let stories = stories(&score, &settings, &verdicts, &played);
        let wrong = stories.iter().filter(|story| story.verdict.kind != VerdictKind::OnTime);
        let told: Vec<_> = wrong.map(|s| (s.pitch.key(), s.instead.map(Pitch::key), s.weighed.len())).collect();
        let expected = [(65, Some(66), 0), (66, Some(65), 0), (67, Some(68), 0), (68, Some(67), 0), (30, None, 0)];
        assert_eq!(told, expected, "{stories:?}");
    }

    #[test]
    fn wait_for_me_a_wrong_key_tells_which_were_needed() {
        let settings = PracticeSettings { mode: Mode::Wait, ..Default::default() };
        let mut matcher = WaitMatcher::from_settings(&score(), &settings);
        let played = [note(1, 0, 60), note(2, 900, 70), note(3, 1_900, 61), note(4, 2_400, 62)];
        let verdicts: Vec<Verdict> = played.iter().flat_map(|n| matcher.key_down(*n).verdicts).collect();
        let stories = stories(&score(), &settings, &verdicts, &played);
        let kinds: Vec<_> = stories.iter().map(|s| (s.verdict.kind, s.pitch.key())).collect();
        let on_time = VerdictKind::OnTime;
        assert_eq!(kinds, [(on_time, 60), (VerdictKind::Extra, 70), (on_time, 61), (on_time, 62)]);
        assert_eq!(stories[1].needed, [Pitch::from_data_byte(61)]);
        assert_eq!(stories[2].at, Micros::from_millis(1_900));
    }

    #[test]
    fn wait_for_me_a_wrong_key_after_the_last_note_belongs_to_its_bar_and_nothing_was_needed() {
        let settings = PracticeSettings { mode: Mode::Wait, ..Default::default() };
        let mut matcher = WaitMatcher::from_settings(&score(), &settings);
        let mut played: Vec<PlayedNote> = (0..8).map(|i| note(i, i as i64 * 500, 60 + i as u8)).collect();
        played.push(note(8, 4_200, 90));
        let verdicts: Vec<Verdict> = played.iter().flat_map(|n| matcher.key_down(*n).verdicts).collect();
        let stories = stories(&score(), &settings, &verdicts, &played);
        let last = stories.last().expect("nine");
        assert_eq!((last.verdict.kind, last.bar, last.needed.len()), (VerdictKind::Extra, 1, 0));
        assert_eq!(matcher.place(), Ticks(7 * 480), "where the judge of the take has it");
    }

    #[test]
    fn of_a_take_in_which_nothing_was_right_only_the_keys_are_left() {
        let settings = PracticeSettings { mode: Mode::Tempo, ..Default::default() };
        let played = [note(1, 50, 90)];
        let verdicts = judge(&score(), TempoPlan::from_settings(&score(), &settings), &[Micros::ZERO], &played);
        let stories = stories(&score(), &settings, &verdicts, &played);
        assert_eq!(stories.iter().map(|s| s.pitch.key()).collect::<Vec<_>>(), [90]);
        assert_eq!(super::stories(&score(), &settings, &[], &[]), []);
    }
}
