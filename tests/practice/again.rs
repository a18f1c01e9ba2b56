//! People who begin again, go elsewhere, or play one hand alone: when *Follow me* knows it, that the music waits until
//! then, and what is said of what was played before; and a bar that is played again in *Wait for me*.

use std::collections::{HashMap, HashSet};

use music_trainer::formats::pieces;
use music_trainer::music::{Hand, Hands, NoteId, Percent, Pitch, Score};
use music_trainer::practice::follow::{FollowPlan, Followed, Follower};
use music_trainer::practice::wait::{WaitMatcher, WaitOptions};
use music_trainer::practice::{PlayedId, PlayedNote, Verdict, VerdictKind, follow};
use music_trainer::time::{Micros, Ticks};

use crate::words::*;

/// Eight bars of quarters, half a second each, no two alike.
const TUNE: &str = "R: C4 E4 G4 B4 D4 F4 A4 C5 E4 D4 F4 B4 G4 C5 A4 E5 \
    F4 C4 A4 G4 D5 B4 E4 C5 A4 D4 G4 E5 B4 F4 C5 D4";

/// What is said of each key-down at once: `|` and the tick in quarters where the music goes on to, `>` where it leaps.
fn followed(music: &str, played: &str) -> (String, Vec<Followed>) {
    let score = score(music);
    let mut follower = Follower::new(&score, &FollowPlan::whole(&score), Percent::FULL);
    let all: Vec<Followed> = take(played).into_iter().map(|note| follower.key_down(note)).collect();
    let word = |f: &Followed| match f.place {
        Some(tick) if f.leap => format!(">{}", tick.0 / QUARTER),
        Some(tick) => format!("|{}", tick.0 / QUARTER),
        None => "-".to_owned(),
    };
    (all.iter().map(word).collect::<Vec<_>>().join(" "), all)
}

/// The notes of the tune from one to another, half a second apart from a moment on.
fn tune(notes: std::ops::Range<usize>, start: usize) -> String {
    let all: Vec<&str> = TUNE.trim_start_matches("R: ").split_whitespace().collect();
    let word = |(i, note): (usize, &&str)| format!("{note}@{}", start + 500 * i);
    all[notes].iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_bar_begun_again_after_a_stop_is_found_with_its_second_note_and_the_music_waits_for_it() {
    // Two bars and three notes, and back to the third bar two seconds later.
    let played = format!("{} {}", tune(0..11, 0), tune(8..16, 7_000));
    let (places, all) = followed(TUNE, &played);
    let once = "|0 |1 |2 |3 |4 |5 |6 |7 |8 |9 |10";
    assert_eq!(places, format!("{once} - >9 |10 |11 |12 |13 |14 |15"));
    // What it was not said of at once is said then, and nobody is told of a wrong key.
    assert!(all.iter().all(|f| !f.foreign), "{all:?}");
    let revised: Vec<_> = all[12].revised.iter().map(|r| (r.note.id, r.matched.clone(), r.foreign)).collect();
    assert_eq!(revised, [(PlayedId(11), vec![NoteId(8)], false)]);
}

#[test]
fn a_bar_begun_again_after_a_wrong_key_or_out_of_the_midst_of_it_takes_a_note_more() {
    let wrong = format!("{} C#5@5500 {}", tune(0..11, 0), tune(8..16, 6_000));
    let (places, _) = followed(TUNE, &wrong);
    let once = "|0 |1 |2 |3 |4 |5 |6 |7 |8 |9 |10";
    assert_eq!(places, format!("{once} |11 - - >10 |11 |12 |13 |14 |15"));
    let (places, _) = followed(TUNE, &format!("{} {}", tune(0..11, 0), tune(8..16, 5_500)));
    assert!(places.ends_with("- >10 |11 |12 |13 |14 |15"), "{places}");
}

#[test]
fn whoever_goes_back_some_bars_or_to_the_beginning_is_found_after_four_notes_at_most() {
    for back in [4, 0] {
        let played = format!("{} {}", tune(0..18, 0), tune(back..back + 8, 12_000));
        let (places, _) = followed(TUNE, &played);
        let after: Vec<&str> = places.split(' ').skip(18).collect();
        let found = after.iter().position(|word| word.starts_with('>')).expect("a leap");
        assert!(found < 4, "{back}: {after:?}");
        assert!(after[..found].iter().all(|word| *word == "-"), "the music waits: {after:?}");
        let on = format!("|{}", back + found + 1);
        assert_eq!(after[found + 1], on, "{after:?}");
    }
}

#[test]
fn a_wrong_key_an_ornament_and_a_chord_struck_twice_are_no_leap() {
    for (played, context) in [
        (format!("{} C4@5500 {}", tune(0..11, 0), tune(11..20, 6_000)), "the key of another bar's beginning"),
        (format!("{} E4@7400 {}", tune(0..11, 0), tune(11..20, 8_000)), "that of this bar's, after a stop"),
        (format!("{} C5@5580 B4@5660 C5@5740 B4@5820 {}", tune(0..12, 0), tune(12..20, 6_000)), "a trill"),
        (format!("{} {}", tune(0..11, 0), tune(11..20, 25_000)), "a stop"),
    ] {
        let (places, all) = followed(TUNE, &played);
        assert!(all.iter().all(|f| !f.leap), "{context}: {places}");
        assert!(places.ends_with("|17 |18 |19"), "{context}: {places}");
    }
}

/// The verdicts of *Follow me* for the tune, in the language of the tests without deviations.
fn told(played: &str) -> Vec<String> {
    let (score, take) = (score(TUNE), take(played));
    let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &take);
    verdicts.iter().map(|v| show(&score, &take, &Verdict { deviation: None, ..*v })).collect()
}

#[test]
fn of_a_bar_begun_again_the_last_time_counts_and_the_earlier_is_neutral_after_however_few_notes() {
    for few in 1..=3 {
        for (gap, wrong) in [(2_000, ""), (700, "D#5@%")] {
            let stopped = 500 * (8 + few - 1);
            let wrong_key = wrong.replace('%', &(stopped + 350).to_string());
            let played = format!("{} {wrong_key} {}", tune(0..8 + few, 0), tune(8..32, stopped + gap));
            // One note struck twice after no stop may as well be a stutter.
            if few == 1 && !wrong.is_empty() {
                continue;
            }
            let told = told(&played);
            let count = |of: char| told.iter().filter(|word| word.starts_with(of)).count();
            let context = format!("{few} notes, {gap} ms, {told:?}");
            assert_eq!((count('('), count('-'), count('!')), (few, 0, usize::from(!wrong.is_empty())), "{context}");
            let (score, take) = (score(TUNE), take(&played));
            let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &take);
            let later = verdicts.iter().filter(|v| v.written.is_some()).filter_map(|v| v.played);
            assert!(later.skip(8).all(|id| id.0 >= 8 + few as u64), "{context}");
        }
    }
}

#[test]
fn some_keys_tried_after_the_end_take_nothing_away() {
    let mut random = Random(99);
    let noise: Vec<String> = (0..24)
        .map(|i| format!("{}@{}", name(Pitch::from_data_byte(55 + random.below(25) as u8)), 19_000 + i * 230))
        .collect();
    let told = told(&format!("{} {}", tune(0..32, 0), noise.join(" ")));
    let right = told.iter().filter(|word| word.ends_with("+0")).count();
    assert!(right >= 31, "{told:?}");
    assert!(told.iter().filter(|word| word.starts_with('!')).count() >= 18, "{told:?}");
}

fn minuet() -> &'static Score {
    &pieces::builtin().iter().find(|piece| piece.id == "minuet-g-major").expect("a piece").score
}

/// A score's notes of one hand or of both in some bars, a little unevenly, from a moment in seconds on. Each is named after
/// what is written, plus `id`.
fn plays(
    score: &Score,
    hands: Hands,
    bars: std::ops::Range<usize>,
    (start, pace): (f64, f64),
    id: u64,
) -> Vec<PlayedNote> {
    let mut random = Random(start.to_bits() | 1);
    let (from, to) = (score.bars().get(bars.start).start, score.bars().get(bars.end - 1).end);
    let seconds = |tick: Ticks| score.tempo().micros(tick, Percent::FULL).0 as f64 / 1e6;
    let within = score.iter().filter(|(_, n)| hands.contains(n.hand) && (from..to).contains(&n.onset));
    let mut notes: Vec<PlayedNote> = within
        .map(|(written, note)| {
            let at = start + (seconds(note.onset) - seconds(from)) * pace + 0.03 * random.unit();
            let (id, at) = (PlayedId(id + u64::from(written.0)), Micros((at * 1e6) as i64));
            PlayedNote { id, at, pitch: note.pitch, velocity: 80 }
        })
        .collect();
    notes.sort_by_key(|note| note.at);
    notes
}

#[test]
fn with_one_hand_alone_the_music_goes_on_and_asks_for_nothing_of_the_other() {
    let score = minuet();
    for (hands, other) in [(Hands::RIGHT, Hand::Left), (Hands::LEFT, Hand::Right)] {
        let mut follower = Follower::new(score, &FollowPlan::whole(score), Percent::FULL);
        let (mut asked, mut wrong, mut told) = (0, 0, HashSet::new());
        for (i, note) in plays(score, hands, 0..16, (0.0, 1.0), 0).into_iter().enumerate() {
            let followed = follower.key_down(note);
            told.extend(followed.missed);
            // It takes a bar or two to be sure, and more where the hand has little to play.
            if i >= 24 {
                wrong += usize::from(followed.foreign || followed.leap);
                asked += follower.needed().filter(|id| score.note(*id).hand == other).count();
            }
        }
        assert_eq!((asked, wrong), (0, 0), "{other:?} is away");
        let of_other = told.iter().filter(|id| score.note(**id).hand == other).count();
        assert!(of_other * 10 >= told.len() * 9, "{of_other} of {}", told.len());
        // It comes back, and is asked for again.
        let both = plays(score, Hands::BOTH, 0..8, (60.0, 1.0), 0);
        let last = both.len() - 1;
        both.into_iter().take(last).for_each(|note| drop(follower.key_down(note)));
        let bars = plays(score, Hands::BOTH, 8..16, (84.0, 1.0), 0);
        let asked: usize = bars
            .into_iter()
            .map(|note| {
                follower.key_down(note);
                follower.needed().filter(|id| score.note(*id).hand == other).count()
            })
            .sum();
        assert!(asked > 0, "{other:?} is back");
    }
}

/// Of the key-downs that count, and of what was said to be right, the share that agrees, as F1. Names of notes as in
/// [`plays`]; those from 100 000 on are an earlier time.
fn f1(score: &Score, notes: &[PlayedNote]) -> f64 {
    let verdicts = follow::pair(score, &FollowPlan::whole(score), notes);
    // One key plays a unison of both hands; either name is right.
    let place = |id: u32| (score.note(NoteId(id)).onset, score.note(NoteId(id)).pitch);
    let truth: HashMap<PlayedId, _> =
        notes.iter().filter(|n| n.id.0 < 100_000).map(|n| (n.id, place(n.id.0 as u32))).collect();
    let found: HashSet<_> = (verdicts.iter().filter(|v| v.kind.is_right()))
        .filter_map(|v| Some((v.played?, place(v.written?.0))))
        .collect();
    let hits = found.iter().filter(|(played, place)| truth.get(played) == Some(place)).count();
    2.0 * hits as f64 / (found.len() + truth.len()) as f64
}

#[test]
fn takes_of_every_kind_are_paired_with_what_they_are() {
    const EARLIER: u64 = 100_000;
    for id in ["minuet-g-major", "minuet-g-minor", "bach-prelude-c-major", "gymnopedie-1"] {
        let score = &pieces::builtin().iter().find(|piece| piece.id == id).expect("a piece").score;
        let bars = score.bars().index_at(Ticks(score.end().0 - 1)) + 1;
        let (half, both) = (bars / 2, Hands::BOTH);
        let whole = |start, pace| plays(score, both, 0..bars, (start, pace), 0);
        let end = |notes: &[PlayedNote]| notes.last().map_or(0.0, |note| note.at.0 as f64 / 1e6);
        let after = |mut notes: Vec<PlayedNote>, pause: f64, bars: std::ops::Range<usize>| {
            let later = plays(score, both, bars, (end(&notes) + pause, 1.0), 0);
            let again: HashSet<u64> = later.iter().map(|note| note.id.0).collect();
            notes.iter_mut().filter(|n| again.contains(&n.id.0)).for_each(|note| note.id.0 += EARLIER);
            notes.extend(later);
            notes
        };
        let first = plays(score, both, 0..half, (0.0, 1.0), 0);
        for (what, notes) in [
            ("a minute of silence", whole(60.0, 1.0)),
            ("the second half", plays(score, both, half..bars, (2.0, 1.0), 0)),
            ("twice in a row", after(whole(0.0, 1.0), 2.0, 0..bars)),
            ("a stop of half a minute, and four bars back", after(first.clone(), 30.0, half - 4..bars)),
            ("the last bar again and again", after(after(first, 1.5, half - 1..half), 0.8, half - 1..bars)),
            ("a slow tempo", whole(0.0, 2.5)),
            ("a fast tempo", whole(0.0, 1.0 / 2.2)),
            ("the right hand", plays(score, Hands::RIGHT, 0..bars, (0.0, 1.0), 0)),
            ("the left hand", plays(score, Hands::LEFT, 0..bars, (0.0, 1.2), 0)),
        ] {
            let f1 = f1(score, &notes);
            assert!(f1 >= 0.995, "{id}, {what}: {f1:.4}");
        }
    }
}

/// The verdicts of *Wait for me*, one word a key-down; `?` is a wrong key of which it is not known yet.
fn waited(music: &str, played: &str) -> String {
    let (score, take) = (score(music), take(played));
    let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), WaitOptions::default());
    let mut words = Vec::new();
    for note in &take {
        let step = matcher.key_down(*note);
        words.extend(step.verdicts.iter().map(|v| show(&score, &take, v)));
        words.extend(step.impressions.iter().map(|v| format!("?{}", show(&score, &take, v))));
    }
    words.extend(matcher.finish().iter().map(|v| show(&score, &take, v)));
    words.join(" ")
}

#[test]
fn in_wait_a_bar_played_again_from_its_beginning_is_told_from_wrong_keys_by_its_third_onset() {
    let begun = "C4+0 D4+0 E4+0 F4+0 G4+0 A4+0 B4+0";
    let music = "R: C4 D4 E4 F4 G4 A4 B4 C5 E4";
    let once = "C4@0 D4@1 E4@2 F4@3 G4@4 A4@5 B4@6";
    // The bar from G4, and the one before; what the next group needs is kept for it.
    assert_eq!(
        waited(music, &format!("{once} G4@7 A4@8 B4@9 C5@10")),
        format!("{begun} ?!G4 ?!A4 (G4) (A4) (B4) C5+0")
    );
    assert_eq!(
        waited(music, &format!("{once} C4@7 D4@8 E4@9 F4@10 G4@11 A4@12 B4@13 C5@14")),
        format!("{begun} ?~C4 ?!D4 (C4) (D4) (F4) (G4) (A4) (B4) C5+0 E4+0")
    );
    // Two of them are wrong keys, and so is one, as is what does not begin a bar.
    assert_eq!(waited(music, &format!("{once} G4@7 A4@8 C5@9")), format!("{begun} ?!G4 ?!A4 !G4 !A4 C5+0"));
    assert_eq!(waited(music, &format!("{once} G4@7")), format!("{begun} ?!G4 !G4"));
    assert_eq!(waited(music, &format!("{once} A4@7 B4@8")), format!("{begun} !A4 !B4"));
}

#[test]
fn in_wait_playing_a_bar_again_undoes_nothing_and_every_key_has_one_verdict() {
    let score = minuet();
    let mut matcher = WaitMatcher::new(score, Hands::BOTH, Ticks(0), score.end(), WaitOptions::default());
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut take = plays(score, Hands::BOTH, 0..6, (0.0, 1.0), 0);
    take.extend(plays(score, Hands::BOTH, 4..12, (30.0, 1.0), 10_000));
    for note in &take {
        let before = matcher.progress().0;
        verdicts.extend(matcher.key_down(*note).verdicts);
        assert!(matcher.progress().0 >= before);
    }
    verdicts.extend(matcher.finish());
    let wrong = verdicts.iter().filter(|v| v.kind == VerdictKind::Extra).count();
    for note in &take {
        assert!(verdicts.iter().any(|v| v.played == Some(note.id)), "{note:?}");
    }
    let bars = score.bars().get(12).start;
    assert!(matcher.tick() >= bars, "the page has turned to {:?}, and {bars:?} is next", matcher.tick());
    assert_eq!(wrong, 0, "{verdicts:?}");
}
