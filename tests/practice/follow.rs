//! *Follow*: pairing under rubato, mistakes, repeated bars.

use std::collections::{HashMap, HashSet};

use music_trainer::formats::pieces;
use music_trainer::music::Percent;
use music_trainer::music::{Hand, Hands, NoteId, Pitch, Score};
use music_trainer::practice::follow::{FollowPlan, Follower};
use music_trainer::practice::story::stories;
use music_trainer::practice::{KeyRange, Mode, PlayedId, PlayedNote, PracticeSettings, VerdictKind, follow};
use music_trainer::time::{Micros, Ticks};

use crate::words::*;

/// A piece of `len` groups from a seed: chords, repeated notes, both hands; and seconds of rubato for each group.
fn seeded(seed: u64, len: usize) -> (Score, Vec<(NoteId, PlayedNote)>, Random) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut notes = Vec::new();
    let mut tick = 0;
    for _ in 0..len {
        let melody = 65 + random.below(15) as u8;
        notes.push(written(tick, Pitch::from_data_byte(melody), Hand::Right));
        for _ in 0..random.below(3) {
            let low = 40 + random.below(12) as u8;
            notes.push(written(tick, Pitch::from_data_byte(low), Hand::Left));
        }
        tick += [120, 240, 240, 480][random.below(4)];
    }
    let score = score_of(notes);
    let mut played = Vec::new();
    let (mut at, mut last, mut speed) = (0.0, 0, 1.0);
    for (id, note) in score.iter() {
        if note.onset.0 != last {
            at += (note.onset.0 - last) as f64 / QUARTER as f64 * 500.0 * speed;
            last = note.onset.0;
            speed = (speed + (random.unit() - 0.5) * 0.1).clamp(0.7, 1.4);
        }
        let micros = Micros(((at + random.unit() * 40.0) * 1_000.0) as i64);
        played.push((id, PlayedNote { id: PlayedId(id.0.into()), at: micros, pitch: note.pitch, velocity: 80 }));
    }
    (score, played, random)
}

/// Share of pairs that are right and found, as F1, with a share of notes left out, added and replaced.
fn follow_f1(seed: u64, len: usize, errors: f64) -> f64 {
    let (score, played, mut random) = seeded(seed, len);
    let mut notes = Vec::new();
    let mut truth = HashMap::new();
    for (id, note) in played {
        if random.unit() < errors {
            continue;
        }
        let mut note = note;
        if random.unit() < errors {
            note.pitch = Pitch::from_data_byte(note.pitch.key() + 1);
        } else {
            truth.insert(note.id, id);
        }
        notes.push(note);
        if random.unit() < errors {
            let id = PlayedId(1_000_000 + note.id.0);
            notes.push(PlayedNote { id, pitch: Pitch::from_data_byte(note.pitch.key() + 2), ..note });
        }
    }
    let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &notes);
    let pairs: Vec<_> = verdicts.iter().filter_map(|v| Some((v.played?, v.written?))).collect();
    let hits = pairs.iter().filter(|(played, id)| truth.get(played) == Some(id)).count();
    2.0 * hits as f64 / (pairs.len() + truth.len()) as f64
}

#[test]
fn follow_pairs_rubato_and_survives_errors() {
    for seed in 0..6 {
        let clean = follow_f1(seed, 300, 0.0);
        let rough = follow_f1(seed, 300, 0.05);
        assert!(clean >= 0.999 && rough >= 0.985, "seed {seed}: {clean:.4} clean, {rough:.4} with 5 % errors");
    }
}

#[test]
fn follow_counts_a_repeated_bar_once() {
    let (score, played, _) = seeded(3, 60);
    let half = played.len() / 2;
    let again = played[..half].iter().map(|(_, n)| PlayedNote { id: PlayedId(n.id.0 + 1_000), ..*n });
    let later = played[half - 1].1.at + Micros::from_millis(1_500);
    let all = played.iter().map(|(_, n)| PlayedNote { at: n.at + later, ..*n });
    let notes: Vec<PlayedNote> = again.chain(all).collect();
    let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &notes);
    let right = verdicts.iter().filter(|v| v.kind.is_right()).filter(|v| v.played.is_some_and(|p| p.0 < 1_000)).count();
    assert!(right * 100 >= played.len() * 97, "{right} of {}", played.len());
}

#[test]
fn the_rhythm_tells_which_of_equal_notes_was_left_out() {
    let music = score(&format!("R: {}", "C4 - C4 ".repeat(6)));
    let all: Vec<PlayedNote> =
        take("C4@0 C4@1010 C4@1500 C4@2490 C4@3010 C4@4000 C4@4500 C4@5510 C4@6000 C4@7000 C4@7490 C4@8500");
    for left_out in [0, 4, 7, 11] {
        let notes: Vec<PlayedNote> = all.iter().copied().filter(|n| n.id.0 != left_out).collect();
        let verdicts = follow::pair(&music, &FollowPlan::whole(&music), &notes);
        let missed: Vec<_> = verdicts.iter().filter(|v| v.kind == VerdictKind::Missed).map(|v| v.written).collect();
        assert_eq!(missed, [Some(NoteId(left_out as u32))]);
    }
}

#[test]
fn following_a_unison_takes_one_key() {
    let score = score("R: C4 E4 G4 | L: C4 C3 G4");
    let notes = take("C4@0 E4@600 C3@610 G4@1190");
    let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &notes);
    assert_complete(&score, Hands::BOTH, 1, &notes, &verdicts);
    assert!(verdicts.len() == 6 && verdicts.iter().all(|v| v.kind.is_right()), "{verdicts:?}");
}

#[test]
fn following_nothing_gives_missed_notes_and_following_without_a_score_gives_extra_ones() {
    let written = score("R: C4 D4");
    let verdicts = follow::pair(&written, &FollowPlan::whole(&written), &[]);
    assert!(verdicts.len() == 2 && verdicts.iter().all(|v| v.kind == VerdictKind::Missed));
    let empty = score_of(Vec::new());
    let verdicts = follow::pair(&empty, &FollowPlan::whole(&empty), &take("C4@0"));
    assert!(verdicts.len() == 1 && verdicts[0].kind == VerdictKind::Extra);
}

/// A person plays a piece: their tempo wanders by a few hundredths a note and slows down at the end, each hand is spread
/// like a professional's (half of the notes of a chord within some 30 ms, 95 % within 70), and of a hundred notes
/// `errors` are another key, missing, added or struck twice, one kind as often as another.
fn played_by_a_person(score: &Score, seed: u64, errors: f64) -> (Vec<PlayedNote>, HashMap<PlayedId, NoteId>) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (mut notes, mut truth) = (Vec::new(), HashMap::new());
    let (mut at, mut last, mut pace) = (0.0, Ticks(0), 1.0_f64);
    let seconds = |tick| score.tempo().micros(tick, Percent::FULL).0 as f64 / 1e6;
    let whole = seconds(score.end());
    for (id, note) in score.iter() {
        if note.onset != last {
            let ending = if seconds(note.onset) > 0.95 * whole { 1.3 } else { 1.0 };
            at += (seconds(note.onset) - seconds(last)) * pace * ending;
            last = note.onset;
            pace = (pace * (1.0 + 0.06 * (random.unit() - 0.5)) + 0.02 * (1.0 - pace)).clamp(0.6, 1.6);
        }
        // The sum of three is near enough to a bell.
        let spread = (random.unit() + random.unit() + random.unit() - 1.5) * 0.045;
        let mut strike = |key: u8, late: f64| {
            let micros = Micros(((1.0 + at + spread + late) * 1e6) as i64);
            let id = PlayedId(notes.len() as u64);
            notes.push(PlayedNote { id, at: micros, pitch: Pitch::from_data_byte(key), velocity: 80 });
            id
        };
        let key = note.pitch.key();
        let kind = if random.unit() < errors { random.below(4) } else { 4 };
        match kind {
            0 => drop(strike(key + 1, 0.0)),
            1 => {}
            _ => {
                truth.insert(strike(key, 0.0), id);
            }
        }
        match kind {
            2 => drop(strike(key + 2, 0.02)),
            3 => drop(strike(key, 0.12)),
            _ => {}
        }
    }
    notes.sort_by_key(|note| note.at);
    (notes, truth)
}

#[test]
fn people_are_followed_through_real_pieces_with_and_without_mistakes() {
    for piece in pieces::builtin() {
        let score = &piece.score;
        for (errors, least) in [(0.0, 0.999), (0.05, 0.99)] {
            let (mut hits, mut all) = (0, 0);
            for seed in 0..4 {
                let (notes, truth) = played_by_a_person(score, seed, errors);
                let verdicts = follow::pair(score, &FollowPlan::whole(score), &notes);
                // One key plays a unison of both hands; either name is right.
                let same = |a: NoteId, b: NoteId| {
                    let (a, b) = (score.note(a), score.note(b));
                    (a.onset, a.pitch) == (b.onset, b.pitch)
                };
                let pairs: Vec<_> = verdicts.iter().filter_map(|v| Some((v.played?, v.written?))).collect();
                hits += 2 * pairs.iter().filter(|(p, w)| truth.get(p).is_some_and(|t| same(*t, *w))).count();
                all += pairs.len() + truth.len();
            }
            let f1 = hits as f64 / all as f64;
            println!("{}: F1 {f1:.4} with {errors} errors", piece.id);
            assert!(f1 >= least, "{}: {f1:.4} with {errors} errors", piece.id);
        }
    }
}

#[test]
fn the_place_is_known_while_it_is_played() {
    let (mut left_out, mut told, mut falsely) = (0, 0, 0);
    for piece in pieces::builtin() {
        let score = &piece.score;
        let (mut right, mut all, mut finished) = (0, 0, 0);
        let place = |id: NoteId| (score.note(id).onset, score.note(id).pitch);
        for seed in 0..4 {
            let (notes, truth) = played_by_a_person(score, seed, 0.05);
            let played: HashSet<_> = truth.values().map(|id| place(*id)).collect();
            left_out += score.iter().filter(|(id, _)| !played.contains(&place(*id))).count();
            let mut follower = Follower::new(score, &FollowPlan::whole(score), Percent::FULL);
            for note in &notes {
                let followed = follower.key_down(*note);
                assert!(!followed.leap, "{} seed {seed}: nobody jumped", piece.id);
                if let Some(id) = truth.get(&note.id) {
                    all += 1;
                    right += usize::from(followed.matched.iter().any(|found| place(*found) == place(*id)));
                }
                told += followed.missed.len();
                falsely += followed.missed.iter().filter(|id| played.contains(&place(**id))).count();
            }
            let groups = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
            finished += usize::from(follower.tick().is_some_and(|tick| tick >= groups[groups.len() - 2].tick));
        }
        let share = f64::from(right as u32) / f64::from(all as u32);
        println!("{}: {share:.4} known at once", piece.id);
        assert!(share >= 0.9 && finished == 4, "{}: {share:.4} known at once, {finished} of 4 to the end", piece.id);
    }
    println!("{told} of {left_out} left out were told, {falsely} falsely");
    assert!(
        (told - falsely) * 20 >= left_out * 17 && falsely * 10 <= told,
        "{told} of {left_out} told, {falsely} falsely"
    );
}

/// Plays a score's notes in time, from a group on, at so many hundredths of the written tempo; groups take their turn.
fn play_on(
    follower: &mut Follower,
    score: &Score,
    groups: std::ops::Range<usize>,
    (start, percent): (f64, f64),
) -> Log {
    let all = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
    let seconds = |group: usize| score.tempo().micros(all[group].tick, Percent::FULL).0 as f64 / 1e6;
    let mut log = Log { speeds: Vec::new(), leaps: Vec::new(), ended: start };
    for group in groups.clone() {
        let at = start + (seconds(group) - seconds(groups.start)) * 100.0 / percent;
        for (i, id) in all[group].notes.iter().enumerate() {
            let at = Micros(((at + 0.01 * i as f64) * 1e6) as i64);
            let note = PlayedNote { id: PlayedId(0), at, pitch: score.note(*id).pitch, velocity: 80 };
            let followed = follower.key_down(note);
            log.speeds.extend(followed.speed.map(Percent::get));
            log.leaps.extend(followed.place.filter(|_| followed.leap).map(|tick| (group - groups.start, tick)));
        }
        log.ended = at;
    }
    log
}

struct Log {
    speeds: Vec<u16>,
    /// After how many groups the music went elsewhere, and where.
    leaps: Vec<(usize, Ticks)>,
    ended: f64,
}

fn minuet() -> &'static Score {
    &pieces::builtin().iter().find(|piece| piece.id == "minuet-g-major").expect("a piece").score
}

#[test]
fn the_tempo_is_the_players_and_a_stop_is_none() {
    let score = minuet();
    let mut follower = Follower::new(score, &FollowPlan::whole(score), Percent::FULL);
    let first = play_on(&mut follower, score, 0..20, (0.0, 60.0));
    assert_eq!(first.speeds.last(), Some(&60), "{:?}", first.speeds);
    // Twenty seconds of thought, and on as before.
    let second = play_on(&mut follower, score, 20..40, (first.ended + 20.0, 60.0));
    assert!(second.speeds.iter().all(|speed| speed.abs_diff(60) <= 3), "{:?}", second.speeds);
    let third = play_on(&mut follower, score, 40..60, (second.ended + 0.5, 120.0));
    assert_eq!(third.speeds.last(), Some(&120), "{:?}", third.speeds);
    assert_eq!(first.leaps.len() + second.leaps.len() + third.leaps.len(), 0);
}

#[test]
fn bars_that_are_repeated_or_left_out_are_found_again_after_a_few_notes() {
    let score = minuet();
    let groups = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
    for (from, to) in [(30, 12), (20, 60), (40, 0)] {
        let mut follower = Follower::new(score, &FollowPlan::whole(score), Percent::FULL);
        let begin = play_on(&mut follower, score, 0..from, (0.0, 100.0));
        assert_eq!(begin.leaps, []);
        let after = play_on(&mut follower, score, to..to + 12, (begin.ended + 1.0, 100.0));
        let found = follower.tick().expect("a place");
        assert_eq!(found, groups[to + 11].tick, "from {from} to {to}: {:?}", after.leaps);
        assert_eq!(after.leaps.len(), 1, "from {from} to {to}: {:?}", after.leaps);
        assert!(after.leaps[0].0 <= 7, "from {from} to {to}: {:?}", after.leaps);
    }
}

#[test]
fn a_wrong_key_moves_nothing_elsewhere_and_what_is_expected_is_known() {
    let score = score("R: C4 D4 E4 F4 G4 A4 B4 C5");
    let mut follower = Follower::new(&score, &FollowPlan::whole(&score), Percent::FULL);
    let needed = |follower: &Follower| follower.needed().map(|id| name(score.note(id).pitch)).collect::<Vec<_>>();
    assert_eq!((follower.tick(), needed(&follower)), (None, vec!["C4".to_owned()]));
    for note in take("C4@0 D4@500 B4@900 E4@1000") {
        assert!(!follower.key_down(note).leap);
    }
    assert_eq!((follower.tick(), needed(&follower)), (Some(Ticks(2 * QUARTER)), vec!["F4".to_owned()]));
    assert_eq!(follower.reached(), Ticks(3 * QUARTER));
    follower.seek(Ticks(6 * QUARTER));
    assert_eq!(needed(&follower), ["B4"]);
    let ends: Vec<bool> = take("B4@9000 C5@9500").into_iter().map(|note| follower.key_down(note).finished).collect();
    assert_eq!(ends, [false, true]);
    assert_eq!(needed(&follower), [""; 0]);
}

#[test]
fn what_is_left_out_is_told_once_when_the_next_but_one_is_played() {
    let score = score("R: C4 D4 E4 F4 G4 A4 | L: C4 - D3 - - -");
    let mut follower = Follower::new(&score, &FollowPlan::whole(&score), Percent::FULL);
    let told: Vec<(usize, Vec<String>)> = take("C4@0 E4@1000 F4@1500 G4@2000 C7@2200 A4@2500")
        .into_iter()
        .map(|note| follower.key_down(note))
        .map(|f| (f.matched.len(), f.missed.iter().map(|id| name(score.note(*id).pitch)).collect()))
        .collect();
    let told: Vec<(usize, &str)> = told.iter().map(|(n, keys)| (*n, keys.first().map_or("", String::as_str))).collect();
    assert_eq!(told, [(2, ""), (1, ""), (1, "D4"), (1, "D3"), (0, ""), (1, "")]);
}

/// The notes of some groups in time, from a moment in seconds on; each is called by the number of what is written.
fn strikes(score: &Score, groups: std::ops::Range<usize>, start: f64, id: u64) -> Vec<PlayedNote> {
    let all = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
    let seconds = |group: usize| score.tempo().micros(all[group].tick, Percent::FULL).0 as f64 / 1e6;
    let first = seconds(groups.start);
    let strike = |group: usize| {
        let at = Micros(((start + seconds(group) - first) * 1e6) as i64);
        let note = move |written: &NoteId| (written.0, score.note(*written).pitch);
        let notes: Vec<_> = all[group].notes.iter().map(note).collect();
        notes.into_iter().map(move |(w, pitch)| PlayedNote { id: PlayedId(id + u64::from(w)), at, pitch, velocity: 80 })
    };
    groups.flat_map(strike).collect()
}

#[test]
fn what_is_played_again_costs_nothing_of_the_rest_and_the_earlier_time_is_neutral() {
    let score = minuet();
    let last = score.onset_groups(Hands::BOTH, Ticks(0), score.end()).len();
    let plan = FollowPlan::whole(score);
    for (again, then) in [(0..16, 16..16), (40..56, 56..56), (30..45, 60..last), (last - 12..last, 0..0)] {
        let begin = if then.is_empty() { last } else { then.start };
        let mut notes = strikes(score, 0..begin, 0.0, 0);
        for (i, range) in [again.clone(), then.clone()].into_iter().enumerate() {
            let after = notes.last().expect("a note").at.0 as f64 / 1e6 + 1.5;
            notes.extend(strikes(score, range, after, 10_000 * (i as u64 + 1)));
        }
        let verdicts = follow::pair(score, &plan, &notes);
        let count = |kind: VerdictKind| verdicts.iter().filter(|v| v.kind == kind).count();
        let extra: usize = notes.iter().filter(|note| (10_000..20_000).contains(&note.id.0)).count();
        let (missed, neutral) = (count(VerdictKind::Missed), count(VerdictKind::Neutral));
        assert_eq!((missed, count(VerdictKind::Extra)), (0, 0), "{again:?}, then {then:?}");
        assert_eq!(neutral, extra, "{again:?}, then {then:?}");
        // The later time counts.
        let later =
            verdicts.iter().filter(|v| v.written.is_some() && v.played.is_some_and(|id| id.0 >= 10_000)).count();
        assert!(later >= extra, "{again:?}, then {then:?}: {later} of {extra}");
    }
}

#[test]
fn a_stop_makes_nothing_around_it_early_or_late() {
    let score = minuet();
    for stop in [1.5, 3.0, 20.0] {
        let mut notes = strikes(score, 0..30, 0.0, 0);
        let after = notes.last().expect("a note").at.0 as f64 / 1e6 + stop;
        notes.extend(strikes(score, 30..60, after, 0));
        let end = score.onset_groups(Hands::BOTH, Ticks(0), score.end())[60].tick;
        let verdicts = follow::pair(score, &FollowPlan { to: end, ..FollowPlan::whole(score) }, &notes);
        let off = verdicts.iter().filter(|v| v.deviation.is_none_or(|d| d.0.abs() > 1_000)).count();
        assert_eq!((off, verdicts.len()), (0, notes.len()), "{stop} s: {verdicts:?}");
    }
}

#[test]
fn the_other_hand_and_keys_that_a_keyboard_lacks_are_no_mistakes() {
    let score = minuet();
    let notes = strikes(score, 0..60, 0.0, 0);
    let end = score.onset_groups(Hands::BOTH, Ticks(0), score.end())[60].tick;
    let both = FollowPlan { to: end, ..FollowPlan::whole(score) };
    for hands in [Hands::RIGHT, Hands::LEFT] {
        let plan = FollowPlan { hands, ..both };
        let verdicts = follow::pair(score, &plan, &notes);
        let wrong = verdicts.iter().filter(|v| v.kind.is_wrong()).count();
        assert_eq!(wrong, 0, "{verdicts:?}");
        let mut follower = Follower::new(score, &plan, Percent::FULL);
        let followed: Vec<_> = notes.iter().map(|note| follower.key_down(*note)).collect();
        assert!(followed.iter().all(|f| !f.leap && !f.foreign && f.missed.is_empty()), "{followed:?}");
    }
    let keyboard = KeyRange { low: Pitch::from_data_byte(60), high: Pitch::from_data_byte(96) };
    let high: Vec<PlayedNote> = notes.iter().copied().filter(|note| keyboard.contains(note.pitch)).collect();
    assert!(high.len() < notes.len());
    let verdicts = follow::pair(score, &FollowPlan { keyboard, ..both }, &high);
    assert!(verdicts.iter().all(|v| v.kind.is_right()), "{verdicts:?}");
}

#[test]
fn somebody_is_found_wherever_in_a_long_piece_they_begin_or_go() {
    let (score, _, _) = seeded(11, 3_000);
    let plan = FollowPlan::whole(&score);
    for ranges in
        [vec![2_000..2_250, 2_250..2_500], vec![0..300, 2_000..2_600], vec![2_700..2_800, 100..180, 1_500..1_620]]
    {
        let mut notes: Vec<PlayedNote> = Vec::new();
        for (i, range) in ranges.iter().enumerate() {
            let after = notes.last().map_or(0.0, |note| note.at.0 as f64 / 1e6 + 1.0);
            notes.extend(strikes(&score, range.clone(), after, 100_000 * i as u64));
        }
        let verdicts = follow::pair(&score, &plan, &notes);
        let is_true = |v: &&music_trainer::practice::Verdict| {
            v.played.zip(v.written).is_some_and(|(played, written)| played.0 % 100_000 == u64::from(written.0))
        };
        let right = verdicts.iter().filter(is_true).count();
        assert!(right * 1_000 >= notes.len() * 985, "{ranges:?}: {right} of {}", notes.len());
        let mut follower = Follower::new(&score, &plan, Percent::FULL);
        notes.iter().for_each(|note| drop(follower.key_down(*note)));
        let all = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
        assert_eq!(follower.tick(), Some(all[ranges[ranges.len() - 1].end - 1].tick), "{ranges:?}");
    }
}

#[test]
fn a_note_that_was_not_found_tells_what_was_played_near_it() {
    let score = score("R: C4 D4 E4 F4 G4 A4 B4 C5");
    // Twice as slow; the fourth comes 700 ms too late, the sixth 600 ms, and in another octave.
    let notes = take("C4@0 D4@1000 E4@2000 F4@3700 G4@4000 A5@5600 B4@6000 C5@7000");
    let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &notes);
    let settings = PracticeSettings { mode: Mode::Follow, ..PracticeSettings::default() };
    let stories = stories(&score, &settings, &verdicts, &notes);
    let missed = stories.iter().filter(|story| story.verdict.kind == VerdictKind::Missed);
    let told: Vec<_> = missed.map(|s| (name(s.pitch), s.weighed.iter().map(|w| name(w.pitch)).collect())).collect();
    assert_eq!(told, [("A4".to_owned(), vec!["A5".to_owned()])], "{stories:?}");
    let late = stories.iter().find(|story| name(story.pitch) == "F4").expect("a story");
    assert_eq!((late.verdict.kind, late.weighed.len()), (VerdictKind::Late, 1));
    assert!(late.weighed[0].chosen && late.weighed[0].deviation > Micros::from_millis(500), "{late:?}");
    let extra = stories.iter().find(|story| story.verdict.kind == VerdictKind::Extra).expect("a story");
    assert_eq!((extra.bar, extra.weighed.len()), (1, 1));
}

#[test]
fn somebody_who_goes_far_away_in_a_long_piece_is_found_there() {
    let (score, _, _) = seeded(5, 900);
    let groups = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
    let mut follower = Follower::new(&score, &FollowPlan::whole(&score), Percent::FULL);
    let begin = play_on(&mut follower, &score, 0..100, (0.0, 100.0));
    let after = play_on(&mut follower, &score, 700..740, (begin.ended + 1.0, 100.0));
    assert_eq!(follower.tick(), Some(groups[739].tick), "{:?}", after.leaps);
    assert!(after.leaps.len() <= 2, "{:?}", after.leaps);
    let back = play_on(&mut follower, &score, 10..60, (after.ended + 1.0, 100.0));
    assert_eq!(follower.tick(), Some(groups[59].tick), "{:?}", back.leaps);

    // Afterwards both parts are paired with what they are.
    let notes: Vec<PlayedNote> = [(0..100, 0.0), (700..800, 60.0)]
        .into_iter()
        .flat_map(|(range, start)| {
            let seconds = |group: usize| score.tempo().micros(groups[group].tick, Percent::FULL).0;
            let first = seconds(range.start);
            let at = move |group: usize| Micros(seconds(group) - first + (start * 1e6) as i64);
            let notes = |group: usize| groups[group].notes.iter().map(move |id| (group, *id)).collect::<Vec<_>>();
            range.flat_map(notes).map(move |(group, id)| (at(group), id)).collect::<Vec<_>>()
        })
        .map(|(at, id)| PlayedNote { id: PlayedId(id.0.into()), at, pitch: score.note(id).pitch, velocity: 80 })
        .collect();
    let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &notes);
    let right = verdicts.iter().filter(|v| v.played.zip(v.written).is_some_and(|(p, w)| p.0 == u64::from(w.0))).count();
    assert!(right as f64 >= 0.99 * notes.len() as f64, "{right} of {}", notes.len());
}
