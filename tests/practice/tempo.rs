//! *Keep tempo*: what is early, late, missed, extra, and when that is known.

use music_trainer::music::{Hands, NoteId, Percent, Score};
use music_trainer::practice::story::{Story, stories};
use music_trainer::practice::tempo::{self, TempoJudge, TempoPlan};
use music_trainer::practice::{Mode, PlayedId, PlayedNote, PracticeSettings, Preset, VerdictKind};
use music_trainer::time::{Micros, Ticks};

use crate::words::*;

#[track_caller]
fn check_tempo(plan: TempoPlan, score: &Score, starts: &[i64], played: &str, expected: &str) {
    let take = take(played);
    let starts: Vec<Micros> = starts.iter().map(|&s| Micros::from_millis(s)).collect();
    let mut verdicts = tempo::judge(score, plan, &starts, &take);
    let at = |id: PlayedId| take.iter().find(|n| n.id == id).map(|n| n.at);
    verdicts.sort_by_key(|v| {
        let onset = v.written.map(|id| starts[v.pass as usize] + plan.offset(score, score.note(id).onset));
        (onset.or(v.played.and_then(at)), v.written)
    });
    let words: Vec<String> = verdicts.iter().map(|v| show(score, &take, v)).collect();
    assert_eq!(words.join(" "), expected, "played as {played}");
}

#[track_caller]
fn check_tempo_simply(music: &str, played: &str, expected: &str) {
    let score = score(music);
    check_tempo(plan(&score), &score, &[0], played, expected);
}

#[test]
fn timing_is_signed_and_coloured() {
    check_tempo_simply("R: C4 D4 E4", "C4@-12 D4@640 E4@880", "C4-12 D4>140 E4<-120");
}

#[test]
fn slower_playing_has_wider_windows() {
    let score = score("R: C4 D4 E4");
    let slow = TempoPlan { speed: Percent::new(50), ..plan(&score) };
    check_tempo(slow, &score, &[0], "C4@190 D4@790 E4@2210", "C4+190 D4<-210 E4>210");
    let strict = TempoPlan { preset: Preset::Strict, ..plan(&score) };
    check_tempo(strict, &score, &[0], "C4@51 D4@450 E4@1050", "C4>51 D4-50 E4+50");
}

#[test]
fn what_is_not_played_is_missed_and_what_is_not_written_is_extra() {
    check_tempo_simply("R: C4 D4 E4", "C4@0 F4@480 E4@1000", "C4+0 !F4 -D4 E4+0");
    check_tempo_simply("R: C4", "C4@420", "-C4 !C4");
    check_tempo_simply("R: C4 D4", "", "-C4 -D4");
}

#[test]
fn an_early_choice_is_revised_when_a_nearer_one_comes() {
    check_tempo_simply("R: - C4", "C4@300 C4@510", "!C4 C4+10");
    let score = score("R: - C4");
    let mut judge = TempoJudge::new(&score, plan(&score));
    judge.begin_pass(Micros(0));
    let notes = take("C4@300 C4@510");
    assert_eq!(judge.play(notes[0]).kind, VerdictKind::Early, "the first impression");
    assert_eq!(judge.play(notes[1]).kind, VerdictKind::OnTime);
    assert_eq!(judge.advance(Micros::from_millis(600)), [], "nothing is final yet");
    let kinds: Vec<VerdictKind> = judge.advance(Micros::from_millis(1_000)).iter().map(|v| v.kind).collect();
    assert_eq!(kinds, [VerdictKind::OnTime, VerdictKind::Extra]);
}

#[test]
fn repeated_notes_share_the_time_between_them() {
    check_tempo_simply("R: C4 C4 C4", "C4@20 C4@740 C4@760", "C4+20 C4>240 C4<-240");
    check_tempo_simply("R: C4 C4 C4", "C4@0 C4@1000", "C4+0 -C4 C4+0");
}

#[test]
fn another_octave_is_told_apart_from_a_wrong_key() {
    check_tempo_simply("R: C4 D4", "C5@30 D4@500", "C4~C5 D4+0");
    check_tempo_simply("R: C4 D4", "C5@200 D4@500", "-C4 !C5 D4+0");
    check_tempo_simply("R: C4 D4", "C5@30 C4@20 D4@500", "C4+20 !C5 D4+0");
}

#[test]
fn the_other_hand_is_neutral_in_tempo_too_and_a_unison_is_one_key() {
    let score = score("R: C4 D4 | L: C3 D4");
    let right = TempoPlan { hands: Hands::RIGHT, ..plan(&score) };
    check_tempo(right, &score, &[0], "C4@0 C3@5 D4@500", "(C3) C4+0 D4+0");
    check_tempo(plan(&score), &score, &[0], "C4@0 C3@5 D4@500", "C3+5 C4+0 D4+0 D4+0");
}

#[test]
fn each_pass_of_a_loop_is_judged_apart() {
    let score = score("R: C4 D4 E4 F4");
    let two = TempoPlan { from: Ticks(QUARTER), to: Ticks(3 * QUARTER), ..plan(&score) };
    assert_eq!(two.duration(&score), Micros::SECOND);
    check_tempo(two, &score, &[0, 1_000, 5_000], "D4@0 E4@510 D4@990 D4@5020", "D4+0 E4+10 D4-10 -E4 D4+20 -E4");
}

#[test]
fn a_pass_that_is_cut_short_is_judged_as_far_as_it_came() {
    let score = score("R: C4 D4 E4");
    check_tempo(plan(&score), &score, &[0, 700], "C4@0 D4@500 C4@710 D4@1200 E4@1700", "C4+0 D4+0 C4+10 D4+0 E4+0");
}

#[test]
fn extra_notes_belong_to_the_pass_in_which_they_were_played() {
    let score = score("R: C4 D4");
    let starts = [Micros(0), Micros::from_millis(3_000)];
    let verdicts = tempo::judge(&score, plan(&score), &starts, &take("G4@-100 G4@900 A4@2999 B4@3000"));
    let extra = verdicts.iter().filter(|v| v.kind == VerdictKind::Extra);
    assert_eq!(extra.map(|v| v.pass).collect::<Vec<_>>(), [0, 0, 0, 1]);
}

#[test]
fn stopping_judges_what_was_reached() {
    let score = score("R: C4 D4 E4 F4");
    let mut judge = TempoJudge::new(&score, plan(&score));
    judge.begin_pass(Micros(0));
    judge.play(take("C4@0")[0]);
    let kinds: Vec<VerdictKind> = judge.stop(Micros::from_millis(900)).iter().map(|v| v.kind).collect();
    assert_eq!(kinds, [VerdictKind::OnTime, VerdictKind::Missed]);
}

#[test]
fn what_could_still_have_come_when_the_music_stops_is_not_missed() {
    let score = score("R: C4 D4 E4 F4");
    let stopped = |played: &str, at: i64| {
        let take = take(played);
        let mut judge = TempoJudge::new(&score, plan(&score));
        judge.begin_pass(Micros(0));
        take.iter().for_each(|note| {
            judge.play(*note);
        });
        let verdicts = judge.stop(Micros::from_millis(at));
        verdicts.iter().map(|v| show(&score, &take, v)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(stopped("C4@0", 899), "C4+0");
    assert_eq!(stopped("C4@0", 900), "C4+0 -D4");
    assert_eq!(stopped("C4@0 D4@450", 470), "C4+0 D4-50", "a note played early is no extra one");
}

#[test]
fn a_change_of_speed_leaves_what_was_due_and_moves_what_is_to_come() {
    let score = score("R: - C4 D4 E4");
    let take = take("C4@520 D4@1500 E4@2490");
    let mut judge = TempoJudge::new(&score, plan(&score));
    judge.begin_pass(Micros(0));
    let change = Micros::from_millis(510);
    let mut verdicts = judge.advance(change);
    // At half the speed from 510 ms on the start would have been 510 ms earlier.
    judge.change_speed(&score, change, Percent::new(50), Micros::from_millis(-510));
    take.iter().for_each(|note| {
        judge.play(*note);
    });
    verdicts.extend(judge.finish());
    let told: Vec<String> = verdicts.iter().map(|v| show(&score, &take, v)).collect();
    assert_eq!(told, ["C4+20", "D4+10", "E4+0"]);
    assert!(verdicts.iter().all(|v| v.pass == 0));
}

#[test]
fn in_rhythm_fast_notes_are_strokes_of_their_own_and_spread_chords_are_one() {
    let eighth = QUARTER / 8;
    let fast = (0..32).map(|i| written(i * eighth, pitch("C4"), music_trainer::music::Hand::Right)).collect();
    let fast = score_of(fast);
    let rhythm = |score: &Score, take: &[PlayedNote]| {
        let plan = TempoPlan { any_key: true, ..plan(score) };
        let verdicts = tempo::judge(score, plan, &[Micros(0)], take);
        let count = |of: &dyn Fn(VerdictKind) -> bool| verdicts.iter().filter(|v| of(v.kind)).count();
        (count(&VerdictKind::is_right), count(&VerdictKind::is_wrong))
    };
    let taps: String = (0..32).map(|i| format!("C4@{} ", i * 125 / 2)).collect();
    assert_eq!(rhythm(&fast, &take(&taps)), (32, 0), "thirty-second notes at 120");
    let chords = score("R: C4+E4+G4 C4+E4+G4 C4+E4+G4");
    let spread = "C4@0 E4@50 G4@90 C4@500 E4@545 G4@590 C4@955 E4@1000 G4@1045";
    assert_eq!(rhythm(&chords, &take(spread)), (9, 0));
    // A stroke in the middle between two is one too many.
    assert_eq!(rhythm(&chords, &take("C4@0 C4@250 C4@500 C4@1000")), (9, 1));
}

#[test]
fn a_verdict_can_tell_what_was_weighed() {
    let score = score("R: C4 C4 D4");
    let notes = take("C4@110 C4@130 D4@1000");
    let verdicts = tempo::judge(&score, plan(&score), &[Micros(0)], &notes);
    let settings = PracticeSettings { mode: Mode::Tempo, ..PracticeSettings::default() };
    let stories = stories(&score, &settings, &verdicts, &notes);
    let told = |of: &dyn Fn(&Story) -> bool| {
        let weighed = &stories.iter().find(|story| of(story)).expect("a story").weighed;
        weighed.iter().map(|w| (w.deviation.0 / 1_000, w.within_window, w.chosen)).collect::<Vec<_>>()
    };
    assert_eq!(told(&|s| s.verdict.written == Some(NoteId(0))), [(110, true, true), (130, true, false)]);
    assert_eq!(told(&|s| s.verdict.kind == VerdictKind::Extra), [(130, true, false), (-370, false, false)]);
}

#[test]
fn in_rhythm_any_key_plays_what_is_written_and_a_stroke_is_one_whatever_its_keys() {
    let score = score("R: C4 D4+F4 - E4 | L: C3 - - G3");
    let plan = TempoPlan { any_key: true, ..plan(&score) };
    // A chord of any keys, a stroke too many, and one too few.
    check_tempo(
        plan,
        &score,
        &[0],
        "A5@10 A4@490 B4@520 C5@560 G4@1000",
        "C3+10 C4+10 D4-10 F4-10 (B4) (C5) !G4 -G3 -E4",
    );
    let right = TempoPlan { hands: Hands::RIGHT, ..plan };
    check_tempo(right, &score, &[0], "C4@0 C4@350 C4@1640", "C4+0 D4<-150 F4<-150 E4>140");
}
