//! Laws that hold for any music and any playing.

use music_trainer::music::{Hand, Hands, Percent, Pitch, Score};
use music_trainer::practice::follow::FollowPlan;
use music_trainer::practice::tempo::{self, TempoJudge, TempoPlan};
use music_trainer::practice::wait::{WaitMatcher, WaitOptions};
use music_trainer::practice::{PlayedId, PlayedNote, Verdict, VerdictKind, follow};
use music_trainer::time::{Micros, Ticks};
use proptest::prelude::*;

use crate::words::*;

/// Any music of few pitches, so that everything that can collide does.
fn any_score() -> impl Strategy<Value = Score> {
    let note = (0i64..16, 0usize..6, any::<bool>());
    proptest::collection::vec(note, 1..24).prop_map(|notes| {
        let keys = [48u8, 59, 60, 61, 62, 72];
        let hand = |right| if right { Hand::Right } else { Hand::Left };
        let note =
            |(i, key, right): (i64, usize, bool)| written(i * 120, Pitch::from_data_byte(keys[key]), hand(right));
        score_of(notes.into_iter().map(note).collect())
    })
}

fn any_take() -> impl Strategy<Value = Vec<PlayedNote>> {
    let note = (-500i64..5_000, 0usize..6);
    proptest::collection::vec(note, 0..30).prop_map(|mut notes| {
        notes.sort();
        let keys = [48u8, 59, 60, 61, 62, 72];
        let note = |(i, (at, key)): (usize, (i64, usize))| PlayedNote {
            id: PlayedId(i as u64),
            at: Micros::from_millis(at),
            pitch: Pitch::from_data_byte(keys[key]),
            velocity: 80,
        };
        notes.into_iter().enumerate().map(note).collect()
    })
}

fn any_hands() -> impl Strategy<Value = Hands> {
    prop_oneof![Just(Hands::BOTH), Just(Hands::RIGHT), Just(Hands::LEFT)]
}

fn sorted(mut verdicts: Vec<Verdict>) -> Vec<Verdict> {
    verdicts.sort_by_key(|v| (v.pass, v.written, v.played, v.kind));
    verdicts
}

proptest! {
    #[test]
    fn judging_as_time_goes_on_equals_judging_afterwards(
        score in any_score(),
        take in any_take(),
        hands in any_hands(),
        percent in prop_oneof![Just(25u16), Just(100), Just(170)],
        gap in 0i64..700,
        steps in proptest::collection::vec(1i64..400, 40),
    ) {
        let plan = TempoPlan { hands, speed: Percent::new(percent), ..plan(&score) };
        let starts = [Micros(0), plan.duration(&score) + Micros::from_millis(gap)];
        let batch = tempo::judge(&score, plan, &starts, &take);
        assert_complete(&score, hands, 2, &take, &batch);

        let mut judge = TempoJudge::new(&score, plan);
        starts.iter().for_each(|&s| { judge.begin_pass(s); });
        let mut told = Vec::new();
        let mut now = Micros::from_millis(-600);
        let mut played = 0;
        for step in steps {
            now += Micros::from_millis(step);
            while played < take.len() && take[played].at <= now {
                judge.play(take[played]);
                played += 1;
            }
            told.extend(judge.advance(now));
        }
        take[played..].iter().for_each(|&n| { judge.play(n); });
        told.extend(judge.finish());
        prop_assert_eq!(sorted(told), sorted(batch));
    }

    #[test]
    fn no_verdict_comes_later_than_the_horizon_unless_others_depend_on_it(score in any_score()) {
        let mut judge = TempoJudge::new(&score, plan(&score));
        judge.begin_pass(Micros(0));
        let end = plan(&score).duration(&score) + judge.horizon();
        prop_assert_eq!(judge.advance(end).len(), score.notes().len());
    }

    #[test]
    fn waiting_never_stalls_whatever_the_order_within_a_chord(
        score in any_score(),
        hands in any_hands(),
        shuffle in any::<u64>(),
        wrong in proptest::collection::vec((0usize..40, 100u8..127), 0..10),
    ) {
        let mut random = Random(shuffle | 1);
        let mut notes = Vec::new();
        let groups = score.onset_groups(hands, Ticks(0), score.end());
        for group in &groups {
            let mut pitches: Vec<Pitch> = group.notes.iter().map(|&id| score.note(id).pitch).collect();
            pitches.dedup();
            for i in (1..pitches.len()).rev() {
                pitches.swap(i, random.below(i + 1));
            }
            notes.extend(pitches);
        }
        for (at, key) in wrong {
            notes.insert(at.min(notes.len()), Pitch::from_data_byte(key));
        }
        let mut matcher = WaitMatcher::new(&score, hands, Ticks(0), score.end(), WaitOptions::default());
        let (mut verdicts, mut done, mut progress) = (Vec::new(), Vec::new(), 0);
        let take: Vec<PlayedNote> = (notes.iter().enumerate())
            .map(|(i, &pitch)| PlayedNote { id: PlayedId(i as u64), at: Micros(i as i64), pitch, velocity: 80 })
            .collect();
        for &note in &take {
            let step = matcher.key_down(note);
            prop_assert!(matcher.progress().0 >= progress, "progress is never undone");
            progress = matcher.progress().0;
            verdicts.extend(step.verdicts);
            done.extend(step.done);
        }
        prop_assert!(matcher.is_finished());
        prop_assert_eq!(done.len(), groups.len());
        prop_assert!(done.windows(2).all(|d| d[0].tick < d[1].tick && d[0].at <= d[1].at));
        assert_complete(&score, hands, 1, &take, &verdicts);
    }

    #[test]
    fn waiting_survives_any_keys_seeks_and_loops(
        score in any_score(),
        take in any_take(),
        hands in any_hands(),
        seeks in proptest::collection::vec((0usize..30, -100i64..3_000), 0..6),
        any_note in any::<bool>(),
        go_on_after_error in any::<bool>(),
    ) {
        let options = WaitOptions { any_note, go_on_after_error, ..Default::default() };
        let mut matcher = WaitMatcher::new(&score, hands, Ticks(0), score.end(), options);
        let mut verdicts = Vec::new();
        for (i, &note) in take.iter().enumerate() {
            for &(_, tick) in seeks.iter().filter(|s| s.0 == i) {
                verdicts.extend(matcher.seek(Ticks(tick)).verdicts);
            }
            let step = matcher.key_down(note);
            if step.finished {
                verdicts.extend(matcher.wrap().verdicts);
            }
            verdicts.extend(step.verdicts);
        }
        verdicts.extend(matcher.finish());
        for note in &take {
            prop_assert!(verdicts.iter().any(|v| v.played == Some(note.id)), "{:?} has no verdict", note);
        }
        let mut judged: Vec<_> = verdicts.iter().filter(|v| v.kind != VerdictKind::Neutral).collect();
        judged.retain(|v| v.written.is_some());
        judged.sort_by_key(|v| (v.pass, v.written));
        prop_assert!(judged.windows(2).all(|v| (v[0].pass, v[0].written) != (v[1].pass, v[1].written)));
    }

    #[test]
    fn following_gives_every_key_a_verdict_and_every_note_one_at_most(
        score in any_score(),
        take in any_take(),
        hands in any_hands(),
    ) {
        let plan = FollowPlan { hands, ..FollowPlan::whole(&score) };
        let verdicts = follow::pair(&score, &plan, &take);
        let count = |of: &dyn Fn(&Verdict) -> bool| verdicts.iter().filter(|v| of(v)).count();
        for (id, note) in score.iter() {
            // What lies beyond what was played is not judged.
            let judged = count(&|v| v.written == Some(id));
            prop_assert!(judged <= usize::from(hands.contains(note.hand)), "{note:?} has {judged}");
        }
        for note in &take {
            let about: Vec<_> = verdicts.iter().filter(|v| v.played == Some(note.id)).collect();
            let onsets: Vec<_> = about.iter().map(|v| v.written.map(|id| score.note(id).onset)).collect();
            prop_assert!(!about.is_empty() && onsets.iter().all(|onset| *onset == onsets[0]), "{note:?} has {about:?}");
            prop_assert!(about.len() == 1 || onsets[0].is_some(), "{note:?} has {about:?}");
        }
    }
}
