//! *Follow*: people who begin elsewhere, begin again, or play one hand alone, though the whole piece is asked for.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use music_trainer::music::{Hand, NoteId, Percent, Pitch, Score};
use music_trainer::practice::follow::{FollowPlan, Follower};
use music_trainer::practice::{PlayedId, PlayedNote, VerdictKind, follow};
use music_trainer::time::{Micros, Ticks};

use crate::words::*;

/// So many bars of four quarters that are all different: a melody in eighths, and below it chords on the first and third
/// quarter, or in between.
fn piece(seed: u64, bars: i64) -> Score {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut notes = Vec::new();
    for eighth in 0..bars * 8 {
        let tick = eighth * QUARTER / 2;
        let mut key = |low: u8, keys: usize| Pitch::from_data_byte(low + random.below(keys) as u8);
        notes.push(written(tick, key(66, 16), Hand::Right));
        if [0, 3, 4].contains(&(eighth % 8)) {
            let below: HashSet<Pitch> = (0..3).map(|_| key(40, 20)).collect();
            notes.extend(below.into_iter().map(|pitch| written(tick, pitch, Hand::Left)));
        }
    }
    score_of(notes)
}

/// Plays what is written in some bars from a moment on, in seconds, at so many hundredths of the tempo, a little unevenly.
/// A played note is named after the written one, plus `id`.
fn plays(score: &Score, bars: Range<i64>, (start, percent): (f64, f64), id: u64) -> Vec<PlayedNote> {
    let ticks = bars.start * 4 * QUARTER..bars.end * 4 * QUARTER;
    let mut random = Random(ticks.start as u64 * 31 + 7);
    let notes = score.iter().filter(|(_, note)| ticks.contains(&note.onset.0));
    let mut played: Vec<PlayedNote> = notes
        .map(|(written, note)| {
            let seconds = (note.onset.0 - ticks.start) as f64 / QUARTER as f64 * 0.5 * 100.0 / percent;
            let at = Micros(((start + seconds + 0.04 * random.unit()) * 1e6) as i64);
            PlayedNote { id: PlayedId(id + u64::from(written.0)), at, pitch: note.pitch, velocity: 80 }
        })
        .collect();
    played.sort_by_key(|note| note.at);
    played
}

/// How many key-downs went to the notes that they are named after, and how many written notes were said to be played.
fn paired(score: &Score, notes: &[PlayedNote]) -> (usize, usize) {
    let verdicts = follow::pair(score, &FollowPlan::whole(score), notes);
    let found: HashMap<PlayedId, NoteId> = verdicts.iter().filter_map(|v| Some((v.played?, v.written?))).collect();
    let right = found.iter().filter(|(played, written)| played.0 % 100_000 == u64::from(written.0)).count();
    (right, verdicts.iter().filter(|v| v.kind.is_right()).count())
}

#[test]
fn one_hand_alone_is_found_and_the_other_one_is_missed() {
    for seed in 0..4 {
        let score = piece(seed, 24);
        for (hand, percent) in [(Hand::Right, 100.0), (Hand::Left, 100.0), (Hand::Left, 60.0)] {
            let of_hand = |note: &PlayedNote| score.note(NoteId(note.id.0 as u32)).hand == hand;
            let notes: Vec<PlayedNote> = plays(&score, 0..24, (0.0, percent), 0).into_iter().filter(of_hand).collect();
            let (right, told) = paired(&score, &notes);
            let context = format!("seed {seed}, {hand:?} at {percent} %: {right} of {}, {told} told", notes.len());
            assert!(right * 1_000 >= notes.len() * 995 && told <= notes.len(), "{context}");
        }
    }
}

#[test]
fn one_who_begins_at_the_end_or_begins_anew_is_found_from_the_first_note_on() {
    for seed in 0..4 {
        let score = piece(seed, 48);
        let end = plays(&score, 30..48, (3.0, 90.0), 0);
        assert_eq!(paired(&score, &end), (end.len(), end.len()), "seed {seed}: from the thirtieth bar");
        // Twenty bars, and all from the beginning: what was played twice counts the second time.
        let mut again = plays(&score, 0..20, (0.0, 100.0), 100_000);
        again.extend(plays(&score, 0..48, (41.0, 100.0), 0));
        let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &again);
        let second = verdicts.iter().filter(|v| v.written.is_some() && v.played.is_some_and(|id| id.0 < 100_000));
        assert_eq!(second.count(), score.notes().len(), "seed {seed}");
        assert!(verdicts.iter().all(|v| !v.kind.is_wrong()), "seed {seed}");
    }
}

#[test]
fn trying_some_keys_before_beginning_costs_nothing_of_the_piece() {
    let score = piece(9, 40);
    let mut random = Random(77);
    let mut notes: Vec<PlayedNote> = (0..20)
        .map(|i| {
            let pitch = Pitch::from_data_byte(40 + random.below(42) as u8);
            PlayedNote { id: PlayedId(100_000 + i), at: Micros(i as i64 * 300_000), pitch, velocity: 80 }
        })
        .collect();
    notes.extend(plays(&score, 0..40, (10.0, 100.0), 0));
    let verdicts = follow::pair(&score, &FollowPlan::whole(&score), &notes);
    let played = verdicts.iter().filter(|v| v.kind.is_right() && v.played.is_some_and(|id| id.0 < 100_000)).count();
    assert!(played * 1_000 >= score.notes().len() * 995, "{played} of {}", score.notes().len());
    let tried = verdicts.iter().filter(|v| v.kind == VerdictKind::Extra).count();
    assert!((18..=20).contains(&tried), "{tried} of 20 are not written");
    assert_eq!(score.note(NoteId(0)).onset, Ticks(0));
}

#[test]
fn whoever_keeps_going_elsewhere_is_answered_at_every_key_and_never_kept_waiting_for_long() {
    for seed in 1..60 {
        let score = piece(seed, [1, 3, 24, 300][seed as usize % 4]);
        let mut random = Random(seed.wrapping_mul(0xD134_2543_DE82_EF95) | 1);
        let mut follower = Follower::new(&score, &FollowPlan::whole(&score), Percent::FULL);
        let (mut at, mut place, mut silent) = (0, 0, 0);
        for id in 0..3_000 {
            // Some notes here, some there, stops and stray keys between.
            if random.below(4) == 0 {
                place = random.below(score.notes().len());
            }
            let stray = random.below(3) == 0;
            let key = Pitch::from_data_byte(40 + random.below(42) as u8);
            let pitch = if stray { key } else { score.notes()[place % score.notes().len()].pitch };
            place += 1;
            at += [20, 150, 250, 250, 3_000][random.below(5)];
            let followed =
                follower.key_down(PlayedNote { id: PlayedId(id), at: Micros::from_millis(at), pitch, velocity: 80 });
            let is_told = followed.foreign || !followed.matched.is_empty() || !followed.revised.is_empty();
            silent = if is_told { 0 } else { silent + 1 };
            assert!(silent <= 8, "seed {seed}: nothing is said of {silent} keys");
        }
    }
}
