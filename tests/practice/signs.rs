//! Laws of waiting and keeping tempo for music with arpeggios, grace notes, unisons and repeats, from seeds.

use music_trainer::music::{Displaced, Hand, Hands, Percent, Pitch, Score, ScoreParts, WrittenNote};
use music_trainer::practice::result::TakeResult;
use music_trainer::practice::tempo::{self, TempoJudge, TempoPlan};
use music_trainer::practice::wait::{WaitMatcher, WaitOptions};
use music_trainer::practice::{Mode, PlayedId, PlayedNote, Verdict, VerdictKind};
use music_trainer::time::{Micros, Ticks};
use proptest::prelude::*;

use crate::words::*;

/// Ticks from key to key of an arpeggio, and from grace note to grace note.
const ROLL: i64 = 40;
const GRACE: i64 = 60;

/// A piece of chords half a second apart in both hands, some rolled, some with grace notes, some with a unison.
fn piece(random: &mut Random, beats: i64) -> Score {
    let (mut notes, mut displaced) = (Vec::new(), Vec::new());
    let mut add = |beat: i64, onset: i64, key: usize, hand: Hand| {
        let pitch = Pitch::from_data_byte(key as u8);
        let note = WrittenNote { onset: Ticks(onset), end: Ticks(beat + QUARTER), pitch, hand, velocity: 80 };
        notes.push(note);
        if onset != beat {
            displaced.push(Displaced { onset: Ticks(onset), pitch, hand, beat: Ticks(beat), grace: onset < beat });
        }
    };
    for nth in 1..=beats {
        let beat = nth * QUARTER;
        for (hand, lowest) in [(Hand::Left, 40), (Hand::Right, 60)] {
            let first = lowest + random.below(6);
            let rolled = if random.below(3) == 0 { ROLL } else { 0 };
            let keys = 1 + random.below(4);
            (0..keys).for_each(|k| add(beat, beat + rolled * k as i64, first + 3 * k, hand));
        }
        if random.below(3) == 0 {
            // Both hands on one key, the left plain and the right perhaps with the roll above it.
            add(beat, beat, 84, Hand::Left);
            add(beat, beat, 84, Hand::Right);
        }
        let graces = random.below(3) as i64;
        (0..graces).for_each(|k| add(beat, beat - GRACE * (graces - k), 90 + k as usize, Hand::Right));
    }
    Score::new(ScoreParts { resolution: QUARTER as u16, notes, displaced, ..Default::default() })
}

/// The keys of each beat, in any order.
fn shuffled(score: &Score, random: &mut Random) -> Vec<Vec<Pitch>> {
    let beats = score.written_groups(Hands::BOTH, Ticks(0), score.end());
    let mut all = Vec::new();
    for beat in beats {
        let mut keys: Vec<Pitch> = beat.notes.iter().map(|id| score.note(*id).pitch).collect();
        keys.sort_unstable();
        keys.dedup();
        for i in (1..keys.len()).rev() {
            keys.swap(i, random.below(i + 1));
        }
        all.push(keys);
    }
    all
}

fn note(id: usize, at: Micros, pitch: Pitch) -> PlayedNote {
    PlayedNote { id: PlayedId(id as u64), at, pitch, velocity: 80 }
}

fn wrong(verdicts: &[Verdict]) -> Vec<&Verdict> {
    verdicts.iter().filter(|v| v.kind.is_wrong()).collect()
}

proptest! {
    #[test]
    fn waiting_takes_the_keys_of_a_beat_in_any_order_and_no_slip_undoes_anything(
        seed in 1u64..,
        slips in proptest::collection::vec(0usize..60, 0..5),
    ) {
        let mut random = Random(seed);
        let score = piece(&mut random, 12);
        let mut keys: Vec<Pitch> = shuffled(&score, &mut random).concat();
        let right = keys.len();
        for at in &slips {
            let at = (*at).min(keys.len() - 1);
            // Two octaves below the lowest key, or above the highest, and no note of the piece.
            let class = keys[at].class();
            keys.insert(at, Pitch::from_data_byte(if class < 6 { 12 + class } else { 108 + class }));
        }
        let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), WaitOptions::default());
        let verdicts: Vec<Verdict> = (keys.iter().enumerate())
            .flat_map(|(i, key)| matcher.key_down(note(i, Micros(i as i64 * 1_000), *key)).verdicts)
            .collect();
        prop_assert!(matcher.is_finished(), "stalls at {:?}", matcher.progress());
        prop_assert_eq!(wrong(&verdicts).len(), keys.len() - right, "{:?}", wrong(&verdicts));
        let counts = TakeResult::of(Mode::Wait, &score, &verdicts, |_| None).counts;
        prop_assert_eq!(counts.written() as usize, score.notes().len());
    }

    #[test]
    fn a_loop_that_waits_counts_every_key_however_late_the_music_goes_back(seed in 1u64.., late in 0usize..12) {
        let mut random = Random(seed);
        let score = piece(&mut random, 4);
        let options = WaitOptions { looping: true, ..WaitOptions::default() };
        let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), options);
        let (mut verdicts, mut id, mut since) = (Vec::new(), 0, None::<usize>);
        for _ in 0..3 {
            for pitch in shuffled(&score, &mut random).concat() {
                let step = matcher.key_down(note(id, Micros(id as i64 * 1_000), pitch));
                verdicts.extend(step.verdicts);
                id += 1;
                since = step.wrap.then(|| since.map_or(0, |keys| keys + 1));
                if since.is_some_and(|keys| keys >= late) {
                    verdicts.extend(matcher.wrap().verdicts);
                    since = None;
                }
            }
        }
        if since.is_some() {
            verdicts.extend(matcher.wrap().verdicts);
        }
        prop_assert!(matcher.is_finished());
        prop_assert!(wrong(&verdicts).is_empty(), "{:?}", wrong(&verdicts));
        for pass in 0..3 {
            let right = verdicts.iter().filter(|v| v.pass == pass && v.kind.is_right()).count();
            prop_assert_eq!(right, score.notes().len(), "pass {}", pass);
        }
    }

    #[test]
    fn keeping_tempo_is_right_through_any_change_of_speed(
        seed in 1u64..,
        at in 300_000i64..5_000_000,
        percent in 30u16..200,
        steps in proptest::collection::vec(1i64..400_000, 40),
        any_key in any::<bool>(),
    ) {
        let mut random = Random(seed);
        let score = piece(&mut random, 8);
        let plan = TempoPlan { any_key, ..plan(&score) };
        let (change, speed) = (Micros(at), Percent::new(percent));
        let later = TempoPlan { speed, ..plan };
        // When the first tick would have sounded at the new speed: as much earlier as the way so far is longer.
        let start = change - Micros(at * 100 / i64::from(percent));
        let mut take: Vec<PlayedNote> = Vec::new();
        for (id, written) in score.iter() {
            let due = plan.offset(&score, written.onset);
            let due = if due > change { start + later.offset(&score, written.onset) } else { due };
            let unison = take.iter().any(|n| n.pitch == written.pitch && n.at == due);
            if !unison {
                take.push(note(id.0 as usize, due, written.pitch));
            }
        }
        take.sort_by_key(|note| note.at);
        let judged = |steps: &[i64]| {
            let mut judge = TempoJudge::new(&score, plan);
            judge.begin_pass(Micros::ZERO);
            let (mut verdicts, mut played, mut now, mut changed) = (Vec::new(), 0, Micros(-500_000), false);
            for step in steps.iter().copied().chain([60_000_000]) {
                now += Micros(step);
                while take.get(played).is_some_and(|note| note.at <= now) || (!changed && change <= now) {
                    if !changed && take.get(played).is_none_or(|note| note.at > change) {
                        verdicts.extend(judge.advance(change));
                        judge.change_speed(&score, change, speed, start);
                        changed = true;
                        continue;
                    }
                    judge.play(take[played]);
                    played += 1;
                }
                verdicts.extend(judge.advance(now));
            }
            verdicts.extend(judge.finish());
            verdicts.sort_by_key(|v| (v.written, v.played));
            verdicts
        };
        let as_played = judged(&steps);
        prop_assert_eq!(&as_played, &judged(&[]));
        prop_assert!(wrong(&as_played).is_empty(), "{:?}", wrong(&as_played));
        let right = as_played.iter().filter(|v| v.kind.is_right()).count();
        prop_assert_eq!(right, score.notes().len());
        if !any_key {
            prop_assert!(as_played.iter().all(|v| v.deviation.is_none_or(|d| d.0.abs() < 10)), "{:?}", as_played);
        }
    }

    #[test]
    fn in_keep_tempo_a_note_an_octave_off_is_both_one_note_and_one_key(seed in 1u64.., which in 0usize..8) {
        let mut random = Random(seed);
        let score = piece(&mut random, 8);
        let plan = plan(&score);
        // One key of a beat is struck at the very bottom of the keyboard.
        let slip = &score.notes()[which.min(score.notes().len() - 1)];
        let mut take: Vec<PlayedNote> = Vec::new();
        for (id, written) in score.iter() {
            let is_slip = (written.onset, written.pitch) == (slip.onset, slip.pitch);
            let pitch = if is_slip { Pitch::from_data_byte(12 + slip.pitch.class()) } else { written.pitch };
            let at = plan.offset(&score, written.onset);
            if take.iter().all(|n| (n.at, n.pitch) != (at, pitch)) {
                take.push(note(id.0 as usize, at, pitch));
            }
        }
        let verdicts = tempo::judge(&score, plan, &[Micros::ZERO], &take);
        let found: Vec<_> = wrong(&verdicts);
        prop_assert!(!found.is_empty());
        prop_assert!(found.iter().all(|v| v.kind == VerdictKind::WrongOctave && v.played == found[0].played));
        prop_assert_eq!(TakeResult::of(Mode::Tempo, &score, &verdicts, |_| None).counts.written() as usize, score.notes().len());
    }
}
