//! How beginners play, not only which mistakes they make: what each mode says of it, and in which bars.

use std::collections::HashMap;

use music_trainer::music::{Hands, Score};
use music_trainer::practice::follow::FollowPlan;
use music_trainer::practice::result::{TakeResult, Trouble};
use music_trainer::practice::story::stories;
use music_trainer::practice::tempo::{self, TempoPlan};
use music_trainer::practice::wait::{WaitMatcher, WaitOptions};
use music_trainer::practice::{Mode, PlayedId, PlayedNote, PracticeSettings, Verdict, VerdictKind, follow};
use music_trainer::time::{Micros, Ticks};

use crate::words::*;

/// Four bars of quarters, half a second each.
const TUNE: &str = "R: C4 D4 E4 F#4 G4 A4 B4 G4 E4 F#4 G4 E4 D4 B4 A4 C4";

/// The tune as it is written, in the language of takes: one word a note.
fn in_time() -> Vec<String> {
    let notes = TUNE.trim_start_matches("R: ").split(' ');
    notes.enumerate().map(|(i, note)| format!("{note}@{}", i * 500)).collect()
}

/// The same, `later` milliseconds later from a note on.
fn hesitating(at: usize, later: usize) -> Vec<String> {
    let late = |(i, word): (usize, String)| {
        let (note, _) = word.split_once('@').expect("a time");
        format!("{note}@{}", i * 500 + if i >= at { later } else { 0 })
    };
    in_time().into_iter().enumerate().map(late).collect()
}

fn judge(mode: Mode, score: &Score, take: &[PlayedNote]) -> Vec<Verdict> {
    match mode {
        Mode::Wait => {
            let options = WaitOptions::default();
            let mut matcher = WaitMatcher::new(score, Hands::BOTH, Ticks(0), score.end(), options);
            let verdicts: Vec<Verdict> = take.iter().flat_map(|note| matcher.key_down(*note).verdicts).collect();
            assert!(matcher.is_finished(), "the tune was played to its end");
            verdicts
        }
        Mode::Follow => follow::pair(score, &FollowPlan::whole(score), take),
        _ => tempo::judge(score, TempoPlan::whole(score), &[Micros(0)], take),
    }
}

/// What [`told`] tells.
type Told = ([u32; 4], Vec<(u32, Trouble)>, Vec<(String, String)>);

/// What a mode says of a take: right, missed, not written, another octave; the bars in which something went wrong, by
/// number and the worst first; and for each wrong key what was meant, where that is known.
fn told(mode: Mode, words: &[String]) -> Told {
    let score = score(TUNE);
    let mut take = take(&words.join(" "));
    take.sort_by_key(|note| note.at);
    let verdicts = judge(mode, &score, &take);
    let settings = PracticeSettings { mode, ..PracticeSettings::default() };
    let stories = stories(&score, &settings, &verdicts, &take);
    let bars: HashMap<PlayedId, usize> = stories.iter().filter_map(|s| Some((s.verdict.played?, s.bar))).collect();
    let result = TakeResult::of(mode, &score, &verdicts, |v| bars.get(&v.played?).copied());
    let wrong = stories.iter().filter(|story| story.verdict.kind == VerdictKind::Extra);
    let meant = wrong.filter_map(|story| Some((name(story.pitch), name(story.instead?)))).collect();
    let c = result.counts;
    let worst = result.worst_bars().iter().map(|(bar, trouble)| (bar.number.count, *trouble)).collect();
    ([c.right(), c.missed, c.extra, c.wrong_octave], worst, meant)
}

const MODES: [Mode; 3] = [Mode::Wait, Mode::Follow, Mode::Tempo];

#[test]
fn whoever_plays_it_right_hears_of_no_bar() {
    for mode in MODES {
        assert_eq!(told(mode, &in_time()), ([16, 0, 0, 0], vec![], vec![]), "{mode:?}");
    }
}

#[test]
fn thinking_before_a_bar_is_no_mistake_where_the_music_goes_along_and_is_late_where_it_keeps_its_time() {
    for mode in [Mode::Wait, Mode::Follow] {
        assert_eq!(told(mode, &hesitating(8, 2_000)), ([16, 0, 0, 0], vec![], vec![]), "{mode:?}");
    }
    // A fifth of a second behind from the third bar on, where the time is kept.
    let (counts, worst, meant) = told(Mode::Tempo, &hesitating(8, 200));
    assert_eq!((counts, worst, meant), ([16, 0, 0, 0], vec![(3, Trouble::Late(4)), (4, Trouble::Late(4))], vec![]));
}

#[test]
fn a_wrong_key_put_right_at_once_is_one_key_too_many_and_nothing_is_missed() {
    // A sharp for the seventh note, and the right key 180 ms later.
    let mut words = in_time();
    words[6] = "A#4@3000 B4@3180".to_owned();
    for mode in MODES {
        let (counts, worst, _) = told(mode, &words);
        assert_eq!((counts, worst), ([16, 0, 1, 0], vec![(2, Trouble::Extra(1))]), "{mode:?}");
    }
}

#[test]
fn a_bar_begun_again_is_heard_once_by_whoever_goes_along() {
    // The second bar, and back to its beginning a second later.
    let mut words = in_time()[..8].to_vec();
    let again = in_time().into_iter().enumerate().skip(4).map(|(i, word)| {
        let (note, _) = word.split_once('@').expect("a time");
        format!("{note}@{}", i * 500 + 3_000)
    });
    words.extend(again);
    assert_eq!(told(Mode::Follow, &words), ([16, 0, 0, 0], vec![], vec![]));
}

#[test]
fn another_octave_is_called_so() {
    let mut words = in_time();
    words[5] = "A5@2500".to_owned();
    let octave = vec![(2, Trouble::WrongOctave(1))];
    assert_eq!(told(Mode::Follow, &words), ([15, 0, 0, 1], octave.clone(), vec![]));
    assert_eq!(told(Mode::Tempo, &words), ([15, 0, 0, 1], octave.clone(), vec![]));
    // Where the music waits, the right key comes too.
    words[5] = "A5@2500 A4@2900".to_owned();
    assert_eq!(told(Mode::Wait, &words), ([16, 0, 0, 1], octave, vec![]));
    // At half the tempo and a quarter of a second off; and far too late it is another key.
    let slow = |late: i64| {
        let words = TUNE.trim_start_matches("R: ").split(' ').enumerate();
        let word = |(i, note): (usize, &str)| match i {
            5 => format!("A5@{}", 5_000 + late),
            _ => format!("{note}@{}", i * 1_000),
        };
        words.map(word).collect::<Vec<_>>()
    };
    assert_eq!(told(Mode::Follow, &slow(250)).0, [15, 0, 0, 1]);
    assert_eq!(told(Mode::Follow, &slow(450)).0, [15, 1, 1, 0]);
}

#[test]
fn a_forgotten_sharp_is_told_with_what_was_meant() {
    let natural = |word: String| word.replace("F#4", "F4");
    let words: Vec<String> = in_time().into_iter().map(natural).collect();
    let meant = vec![("F4".to_owned(), "F#4".to_owned()); 2];
    for mode in [Mode::Follow, Mode::Tempo] {
        let (counts, worst, told) = told(mode, &words);
        assert_eq!((counts, told), ([14, 2, 2, 0], meant.clone()), "{mode:?}");
        assert_eq!(worst, [(1, Trouble::Missed(1)), (3, Trouble::Missed(1))], "{mode:?}");
    }
}
