//! The passes of a take one by one: what came out of each, so that one sees how it went from time to time.

use std::collections::BTreeMap;

use super::result::TakeResult;
use super::story::Story;
use super::types::Mode;
use crate::music::{Percent, Score};
use crate::time::Micros;

/// One time through what was practised, or through a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PassResult {
    /// Which one, from 0.
    pub pass: u32,
    /// What came out of it.
    pub result: TakeResult,
    /// The tempo as it was played: the written time between the first and the last right onset over the played time;
    /// 1 is as written. `None` where nothing was played in time, or too little of it.
    pub speed: Option<f64>,
}

/// A tempo is told of this much written music at least: of less, one late note makes it.
const WRITTEN_LEAST: Micros = Micros::from_millis(2_000);

/// The passes in which anything was judged, in order. `stories` are those of the whole take.
pub fn passes(score: &Score, mode: Mode, stories: &[Story]) -> Vec<PassResult> {
    let mut found: BTreeMap<u32, Vec<&Story>> = BTreeMap::new();
    for story in stories {
        found.entry(story.verdict.pass).or_default().push(story);
    }
    let pass = |(pass, stories): (u32, Vec<&Story>)| {
        let mut result = TakeResult::for_mode(mode);
        stories.iter().for_each(|story| result.add(score, &story.verdict, Some(story.bar)));
        result.passes = 1;
        let judged = result.counts.right() + result.counts.wrong() > 0;
        judged.then(|| PassResult { pass, result, speed: speed(score, mode, &stories) })
    };
    found.into_iter().filter_map(pass).collect()
}

/// The written time over the played, between the first and the last right onset.
fn speed(score: &Score, mode: Mode, stories: &[&Story]) -> Option<f64> {
    if mode == Mode::Wait {
        return None;
    }
    let right = stories.iter().filter(|story| story.verdict.kind.is_right());
    let mut onsets: Vec<(i64, i64)> = right
        .filter_map(|story| {
            let written = score.tempo().micros(score.note(story.verdict.written?).onset, Percent::FULL).0;
            Some((written, (story.at + story.verdict.deviation?).0))
        })
        .collect();
    onsets.sort_unstable();
    let (first, last) = (onsets.first()?, onsets.last()?);
    let (written, played) = (last.0 - first.0, last.1 - first.1);
    (written >= WRITTEN_LEAST.0 && played > 0).then(|| written as f64 / played as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Hand, NoteId, Pitch, ScoreParts, WrittenNote};
    use crate::practice::{PlayedId, Verdict, VerdictKind};
    use crate::time::Ticks;

    /// Six quarters at 120 a minute.
    fn score() -> Score {
        let note = |n: i64| WrittenNote {
            onset: Ticks(n * 480),
            end: Ticks(n * 480 + 480),
            pitch: Pitch::MIDDLE_C,
            hand: Hand::Right,
            velocity: 80,
        };
        Score::new(ScoreParts { resolution: 480, notes: (0..6).map(note).collect(), ..ScoreParts::default() })
    }

    fn story(pass: u32, note: u32, kind: VerdictKind, at: i64) -> Story {
        let played = (kind != VerdictKind::Missed).then_some(PlayedId(u64::from(pass * 100 + note)));
        let written = (kind != VerdictKind::Extra).then_some(NoteId(note));
        let deviation = kind.is_right().then_some(Micros::ZERO);
        let verdict = Verdict { kind, written, played, deviation, pass };
        Story::new(
            &verdict,
            (Micros::from_millis(at), Micros::from_millis(at + 400)),
            Pitch::MIDDLE_C,
            note as usize / 4,
        )
    }

    #[test]
    fn each_pass_has_its_own_counts_and_tempo_and_one_without_notes_is_none() {
        let mut stories: Vec<Story> = (0..6).map(|n| story(0, n, VerdictKind::OnTime, i64::from(n) * 1_000)).collect();
        stories.push(story(1, 0, VerdictKind::Neutral, 7_000));
        stories.extend((0..6).map(|n| {
            let kind = if n == 2 { VerdictKind::Missed } else { VerdictKind::Late };
            story(2, n, kind, 10_000 + i64::from(n) * 500)
        }));
        stories.push(story(2, 5, VerdictKind::Extra, 12_900));
        let passes = passes(&score(), Mode::Tempo, &stories);
        let told: Vec<_> = passes.iter().map(|p| (p.pass, p.result.counts.right(), p.result.counts.wrong())).collect();
        assert_eq!(told, [(0, 6, 0), (2, 5, 2)]);
        let speeds: Vec<_> = passes.iter().map(|p| p.speed.expect("played in time")).collect();
        assert_eq!(speeds, [0.5, 1.0], "the first at half the tempo, the last as written");
        assert_eq!(passes[1].result.bars().map(|bar| bar.counts.wrong()).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn where_the_music_waits_and_of_too_little_music_no_tempo_is_told() {
        let stories: Vec<Story> = (0..6).map(|n| story(0, n, VerdictKind::OnTime, i64::from(n) * 1_000)).collect();
        assert_eq!(passes(&score(), Mode::Wait, &stories)[0].speed, None);
        assert_eq!(passes(&score(), Mode::Tempo, &stories[..3])[0].speed, None, "one second of it");
    }
}
