//! What one listens to of a take: what was played, what is written at the tempo that was played or at its own, or both at
//! once. Messages by time, and the way from a time of the take to that of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::story::Story;
use super::types::VerdictKind;
use crate::music::{Percent, Pitch, Score};
use crate::time::{Micros, Ticks};

/// A MIDI message, and when.
pub type Timed = (Micros, [u8; 3]);

/// What of a take is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Voice {
    /// What was played.
    #[default]
    Mine,
    /// What is written, each note when it belonged in what was played.
    InMyTempo,
    /// What is written, at the tempo that is written.
    AsWritten,
    /// What was played, and softly behind it what is written, at the same time.
    Both,
}

impl Voice {
    /// In the order of their buttons.
    pub const ALL: [Self; 4] = [Self::Mine, Self::InMyTempo, Self::AsWritten, Self::Both];
}

/// With what was played, the written notes sound at this share of their own loudness, so that one's own stand out.
const BEHIND: f32 = 0.45;
/// And not softer than this.
const VELOCITY_MIN: u8 = 18;
/// A note is cut this much before the same key is struck again, so that it is heard twice.
const APART: Micros = Micros(1);

/// The voices of a take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recital {
    mine: Arc<[Timed]>,
    in_my_tempo: Arc<[Timed]>,
    as_written: Arc<[Timed]>,
    both: Arc<[Timed]>,
    /// Times of the take and of the written music, both ascending.
    course: Vec<(Micros, Micros)>,
}

/// A written note in time.
#[derive(Clone, Copy, Debug)]
struct Note {
    at: Micros,
    end: Micros,
    pitch: Pitch,
    velocity: u8,
}

impl Recital {
    /// Of what was played, messages by time; with `score`, of what is written where a take of it was judged so.
    pub fn new(mine: Arc<[Timed]>, score: Option<&Score>, stories: &[Story]) -> Self {
        let Some(score) = score else { return Self { mine, ..Self::default() } };
        let (warped, straight) = written(score, stories);
        let mut course: Vec<(Micros, Micros)> = Vec::new();
        for (warped, straight) in warped.iter().zip(&straight) {
            if course.last().is_none_or(|last| last.0 < warped.at && last.1 < straight.at) {
                course.push((warped.at, straight.at));
            }
        }
        let softly = |note: &Note| {
            let velocity = ((f32::from(note.velocity) * BEHIND) as u8).max(VELOCITY_MIN);
            Note { velocity, ..*note }
        };
        let behind: Vec<Note> = warped.iter().map(softly).collect();
        let both = together(&mine, &messages(behind));
        let (in_my_tempo, as_written) = (messages(warped).into(), messages(straight).into());
        Self { mine, in_my_tempo, as_written, both: both.into(), course }
    }

    /// Whether anything is written beside what was played.
    pub fn has_written(&self) -> bool {
        !self.in_my_tempo.is_empty()
    }

    /// The messages of a voice, by time.
    pub fn messages(&self, voice: Voice) -> Arc<[Timed]> {
        Arc::clone(match voice {
            Voice::Mine => &self.mine,
            Voice::InMyTempo => &self.in_my_tempo,
            Voice::AsWritten => &self.as_written,
            Voice::Both => &self.both,
        })
    }

    /// When a voice is at a time of the take.
    pub fn time_in(&self, voice: Voice, of_take: Micros) -> Micros {
        if voice == Voice::AsWritten { along(&self.course, of_take, |pair| *pair) } else { of_take }
    }

    /// The time of the take where a voice is.
    pub fn time_of_take(&self, voice: Voice, at: Micros) -> Micros {
        if voice == Voice::AsWritten { along(&self.course, at, |(take, written)| (*written, *take)) } else { at }
    }
}

/// From one time to the other between the pairs around it; beyond them both run alike.
fn along(course: &[(Micros, Micros)], at: Micros, pair: impl Fn(&(Micros, Micros)) -> (Micros, Micros)) -> Micros {
    let after = course.partition_point(|both| pair(both).0 <= at);
    let (before, next) = (after.checked_sub(1).map(|i| pair(&course[i])), course.get(after).map(&pair));
    match (before, next) {
        (Some((from, to)), Some((end, goal))) => {
            let share = (at - from).0 as f64 / (end - from).0.max(1) as f64;
            to + Micros(((goal - to).0 as f64 * share) as i64)
        }
        (Some((from, to)), None) | (None, Some((from, to))) => to + (at - from),
        (None, None) => at,
    }
}

/// The written notes of the stories in order of the take's time: where they belonged there, and at the written tempo, the
/// passes one after another.
fn written(score: &Score, stories: &[Story]) -> (Vec<Note>, Vec<Note>) {
    let time = |tick: Ticks| score.tempo().micros(tick, Percent::FULL);
    let of = |story: &Story| {
        let id = story.verdict.written.filter(|_| story.verdict.kind != VerdictKind::Neutral)?;
        score.notes().get(id.0 as usize).copied()
    };
    // When each pass begins and how long it is, as written.
    let mut passes: BTreeMap<u32, (Micros, Micros)> = BTreeMap::new();
    for (story, note) in stories.iter().filter_map(|story| Some((story, of(story)?))) {
        let (from, to) = passes.entry(story.verdict.pass).or_insert((time(note.onset), time(note.end)));
        (*from, *to) = ((*from).min(time(note.onset)), (*to).max(time(note.end)));
    }
    let begins = stories.iter().find(|story| of(story).is_some()).map_or(Micros::ZERO, |story| story.at);
    let mut shifts = HashMap::new();
    let mut start = begins;
    for (pass, (from, to)) in &passes {
        shifts.insert(*pass, start - *from);
        start += *to - *from;
    }
    let (mut warped, mut straight) = (Vec::new(), Vec::new());
    for (story, note) in stories.iter().filter_map(|story| Some((story, of(story)?))) {
        let Some(shift) = shifts.get(&story.verdict.pass).copied() else { continue };
        let (pitch, velocity) = (note.pitch, note.velocity);
        warped.push(Note { at: story.at, end: story.end, pitch, velocity });
        straight.push(Note { at: time(note.onset) + shift, end: time(note.end) + shift, pitch, velocity });
    }
    (warped, straight)
}

/// Notes as messages by time; a key that is struck again comes up before.
fn messages(mut notes: Vec<Note>) -> Vec<Timed> {
    notes.sort_by_key(|note| (note.at, note.pitch));
    let mut next: HashMap<Pitch, Micros> = HashMap::new();
    let mut messages = Vec::with_capacity(notes.len() * 2);
    for note in notes.iter().rev() {
        let again = next.insert(note.pitch, note.at);
        // A unison is one key.
        if again == Some(note.at) {
            continue;
        }
        let end = again.map_or(note.end, |again| note.end.min(again - APART)).max(note.at);
        messages.push((end, [0x80, note.pitch.key(), 64]));
        messages.push((note.at, [0x90, note.pitch.key(), note.velocity.clamp(1, 127)]));
    }
    messages.sort_by_key(|(at, _)| *at);
    messages
}

/// Two voices on one keyboard, where one string serves both: mine sounds exactly as I played it, and the other only on
/// keys that I do not hold.
fn together(mine: &[Timed], other: &[Timed]) -> Vec<Timed> {
    let mine = mine.iter().map(|message| (*message, true));
    let mut all: Vec<(Timed, bool)> = mine.chain(other.iter().map(|message| (*message, false))).collect();
    all.sort_by_key(|((at, _), is_mine)| (*at, !is_mine));
    let mut held = 0u128;
    let mut heard = Vec::with_capacity(all.len());
    for ((at, data), is_mine) in all {
        let [status, key, value] = data;
        let bit = 1u128 << (key & 0x7f);
        match status & 0xf0 {
            0x90 if is_mine && value > 0 => held |= bit,
            0x80 | 0x90 if is_mine => held &= !bit,
            0x80 | 0x90 if held & bit != 0 => continue,
            _ => {}
        }
        heard.push((at, data));
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Hand, Meter, NoteId, ScoreParts, Tempo, WrittenNote};
    use crate::practice::{PlayedId, Verdict};

    const QUARTER: i64 = 500_000;

    /// Four quarters of middle C at 120 a minute.
    fn score() -> Score {
        let pitch = Pitch::MIDDLE_C;
        let note = |n: i64| WrittenNote {
            onset: Ticks(n * 480),
            end: Ticks(n * 480 + 480),
            pitch,
            hand: Hand::Right,
            velocity: 100,
        };
        Score::new(ScoreParts {
            resolution: 480,
            notes: (0..4).map(note).collect(),
            tempos: vec![Tempo { tick: Ticks::ZERO, micros_per_quarter: QUARTER as u32 }],
            meters: vec![Meter { tick: Ticks::ZERO, beats: 4, unit: 4 }],
            ..ScoreParts::default()
        })
    }

    fn story(pass: u32, note: u32, at: i64) -> Story {
        let (written, played) = (Some(NoteId(note)), Some(PlayedId(u64::from(note))));
        let verdict = Verdict { pass, played, written, kind: VerdictKind::OnTime, deviation: None };
        Story::new(&verdict, (Micros(at), Micros(at + QUARTER)), Pitch::MIDDLE_C, 0)
    }

    fn onsets(messages: &[Timed]) -> Vec<i64> {
        messages.iter().filter(|(_, data)| data[0] == 0x90).map(|(at, _)| at.0).collect()
    }

    #[test]
    fn what_is_written_sounds_when_it_was_due_or_evenly_and_a_place_of_one_is_a_place_of_the_other() {
        let mine: Arc<[Timed]> = [(Micros(0), [0x90, 60, 80]), (Micros(9), [0x80, 60, 0])].into();
        // Slower and slower, then a second pass.
        let times = [0, 600_000, 1_500_000, 3_000_000, 5_000_000, 6_000_000];
        let stories: Vec<Story> = (times.iter().zip([(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]))
            .map(|(at, (pass, note))| story(pass, note, *at))
            .collect();
        let recital = Recital::new(mine.clone(), Some(&score()), &stories);
        assert!(recital.has_written());
        assert_eq!(recital.messages(Voice::Mine), mine);
        assert_eq!(onsets(&recital.messages(Voice::InMyTempo)), times);
        let even: Vec<i64> = (0..6).map(|n| n * QUARTER).collect();
        assert_eq!(onsets(&recital.messages(Voice::AsWritten)), even);
        assert_eq!(onsets(&recital.messages(Voice::Both)).len(), 6, "one key is struck once at a time");
        for (take, written) in times.iter().zip(even) {
            assert_eq!(recital.time_in(Voice::AsWritten, Micros(*take)), Micros(written));
            assert_eq!(recital.time_of_take(Voice::AsWritten, Micros(written)), Micros(*take));
            assert_eq!(recital.time_in(Voice::Both, Micros(*take)), Micros(*take));
        }
        assert_eq!(recital.time_in(Voice::AsWritten, Micros(300_000)), Micros(QUARTER / 2));
    }

    #[test]
    fn mine_sounds_as_i_played_it_and_what_is_written_on_keys_that_i_do_not_hold() {
        let mine = [(Micros(0), [0x90, 60, 80]), (Micros(300), [0x80, 60, 0])];
        let check = |other: [(i64, u8); 2], expected: &[(i64, u8)]| {
            let other = other.map(|(at, status)| (Micros(at), [status, 60, 40]));
            let both = together(&mine, &other);
            assert_eq!(both.iter().map(|(at, data)| (at.0, data[0])).collect::<Vec<_>>(), expected, "{other:?}");
        };
        check([(100, 0x90), (500, 0x80)], &[(0, 0x90), (300, 0x80), (500, 0x80)]);
        check([(-100, 0x90), (200, 0x80)], &[(-100, 0x90), (0, 0x90), (300, 0x80)]);
        check([(400, 0x90), (500, 0x80)], &[(0, 0x90), (300, 0x80), (400, 0x90), (500, 0x80)]);
    }

    #[test]
    fn a_free_take_has_one_voice() {
        let recital = Recital::new([(Micros(0), [0x90, 60, 80])].into(), None, &[]);
        assert!(!recital.has_written());
        assert!(recital.messages(Voice::Both).is_empty());
        assert_eq!(recital.time_in(Voice::AsWritten, Micros(7)), Micros(7));
    }
}
