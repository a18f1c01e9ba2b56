//! What the matchers decide, in a small language.
//!
//! Written: `R: C4 D4+E4 - F4 | L: C3`, a quarter note or rest a word, 500 ms each, both hands from the first tick.
//! Played: `C4@0 D4@510`, in milliseconds. Verdicts: `C4+10` on time, `C4>130` late, `C4<-130` early, `-C4` missed,
//! `!C4` extra, `C4~C5` written and played in another octave, `(C4)` neutral. In *Wait* a `|` says that a group is done.

use music_trainer::music::{Hand, Hands, NoteId, Percent, Pitch, Score, ScoreParts, WrittenNote};
use music_trainer::practice::follow;
use music_trainer::practice::tempo::{self, TempoJudge, TempoPlan};
use music_trainer::practice::wait::{Step, WaitMatcher, WaitOptions};
use music_trainer::practice::{ChordWindow, KeyRange, PlayedId, PlayedNote, Preset, Verdict, VerdictKind};
use music_trainer::time::{Micros, Ticks};
use proptest::prelude::*;

const QUARTER: i64 = 480;

fn pitch(name: &str) -> Pitch {
    let (letter, octave) = name.split_at(name.len() - 1);
    let class = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"].iter().position(|n| *n == letter);
    let octave: usize = octave.parse().expect("an octave");
    Pitch::new((12 * (octave + 1) + class.expect("a note name")) as u8).expect("a key")
}

fn name(pitch: Pitch) -> String {
    pitch.to_string().replace('♯', "#")
}

fn written(onset: i64, pitch: Pitch, hand: Hand) -> WrittenNote {
    WrittenNote { onset: Ticks(onset), end: Ticks(onset + QUARTER), pitch, hand, velocity: 80 }
}

fn score_of(notes: Vec<WrittenNote>) -> Score {
    Score::new(ScoreParts { resolution: QUARTER as u16, notes, ..Default::default() })
}

fn score(text: &str) -> Score {
    let mut notes = Vec::new();
    for part in text.split('|') {
        let (hand, music) = part.trim().split_once(':').expect("a hand");
        let hand = if hand == "R" { Hand::Right } else { Hand::Left };
        for (i, word) in music.split_whitespace().enumerate() {
            let names = word.split('+').filter(|n| *n != "-");
            notes.extend(names.map(|n| written(i as i64 * QUARTER, pitch(n), hand)));
        }
    }
    score_of(notes)
}

fn take(text: &str) -> Vec<PlayedNote> {
    let note = |(i, word): (usize, &str)| {
        let (name, at) = word.split_once('@').expect("a time");
        let at = Micros::from_millis(at.parse().expect("milliseconds"));
        PlayedNote { id: PlayedId(i as u64), at, pitch: pitch(name), velocity: 80 }
    };
    text.split_whitespace().enumerate().map(note).collect()
}

fn show(score: &Score, take: &[PlayedNote], verdict: &Verdict) -> String {
    let written = verdict.written.map(|id| name(score.note(id).pitch)).unwrap_or_default();
    let played = verdict.played.and_then(|id| take.iter().find(|n| n.id == id));
    let played = played.map(|n| name(n.pitch)).unwrap_or_default();
    let deviation = verdict.deviation.map_or(0, |d| d.0 / 1_000);
    match verdict.kind {
        VerdictKind::OnTime => format!("{written}{deviation:+}"),
        VerdictKind::Early => format!("{written}<{deviation}"),
        VerdictKind::Late => format!("{written}>{deviation}"),
        VerdictKind::Missed => format!("-{written}"),
        VerdictKind::Extra => format!("!{played}"),
        VerdictKind::WrongOctave => format!("{written}~{played}"),
        VerdictKind::Neutral => format!("({played})"),
    }
}

#[track_caller]
fn check_wait(hands: Hands, options: WaitOptions, music: &str, played: &str, expected: &str) {
    let (score, take) = (score(music), take(played));
    let mut matcher = WaitMatcher::new(&score, hands, Ticks(0), score.end(), options);
    let mut words = Vec::new();
    for &note in &take {
        let step = matcher.key_down(note);
        // Verdicts of what was kept belong to the groups that follow.
        let done: Vec<Ticks> = step.done.iter().map(|d| d.tick).collect();
        let mut said = 0;
        for verdict in &step.verdicts {
            let onset = verdict.written.map_or(Ticks(0), |id| score.note(id).onset);
            while done.get(said).is_some_and(|d| *d < onset) {
                words.push("|".to_owned());
                said += 1;
            }
            words.push(show(&score, &take, verdict));
        }
        words.extend(done[said..].iter().map(|_| "|".to_owned()));
    }
    words.extend(matcher.finish().iter().map(|v| show(&score, &take, v)));
    assert_eq!(words.join(" "), expected, "{music} played as {played}");
}

/// A plan for both hands at the written tempo.
fn plan(score: &Score) -> TempoPlan {
    TempoPlan::whole(score)
}

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
fn a_group_is_done_when_each_of_its_pitches_was_struck() {
    let plain = WaitOptions::default();
    check_wait(Hands::BOTH, plain, "R: C4 D4+F4", "C4@0 D4@900 F4@2000", "C4+0 | D4+0 F4+1100 |");
    check_wait(Hands::BOTH, plain, "R: C4+E4 | L: C3", "E4@0 C3@10 C4@20", "E4+0 C3+10 C4+20 |");
}

#[test]
fn a_wrong_key_never_undoes_progress() {
    let plain = WaitOptions::default();
    check_wait(Hands::BOTH, plain, "R: C4+E4 G4", "C4@0 F4@9 E4@20 A4@30 G4@40", "C4+0 !F4 E4+20 | !A4 G4+0 |");
    check_wait(Hands::BOTH, plain, "R: C4", "C5@0 C4@9", "~C5 C4+0 |");
}

#[test]
fn what_the_next_group_needs_is_kept_for_it() {
    let plain = WaitOptions::default();
    check_wait(Hands::BOTH, plain, "R: C4+E4 D4", "C4@0 D4@50 E4@60", "C4+0 E4+60 | D4+0 |");
    check_wait(Hands::BOTH, plain, "R: C4+E4 C4 D4", "C4@0 C4@50 C4@70 E4@90", "C4+0 !C4 E4+90 | C4+0 |");
    check_wait(Hands::BOTH, plain, "R: C4+E4 D4+F4", "D4@0 C4@50", "C4+0 (D4)");
}

#[test]
fn a_pitch_that_is_struck_again_counts_once() {
    check_wait(Hands::BOTH, WaitOptions::default(), "R: C4 C4 D4", "C4@0 C4@9 C4@19 D4@20", "C4+0 | C4+0 | !C4 D4+0 |");
}

#[test]
fn a_unison_of_both_hands_is_one_key() {
    check_wait(Hands::BOTH, WaitOptions::default(), "R: C4 D4 | L: C4", "C4@0 D4@9", "C4+0 C4+0 | D4+0 |");
}

#[test]
fn the_other_hand_is_neutral() {
    let plain = WaitOptions::default();
    check_wait(
        Hands::RIGHT,
        plain,
        "R: C4 D4 | L: C3 G3",
        "C4@0 C3@9 G3@10 A3@11 D4@20",
        "C4+0 | (C3) (G3) !A3 D4+0 |",
    );
    check_wait(Hands::LEFT, plain, "R: C4 | L: C3 G3", "C3@0 G3@9", "C3+0 | G3+0 |");
}

#[test]
fn the_chord_window_colours_and_undoes_nothing() {
    for (chord_window, expected) in [
        (ChordWindow::Tight, "C4+0 E4>100 G4>200 |"),
        (ChordWindow::Normal, "C4+0 E4+100 G4>200 |"),
        (ChordWindow::Rolled, "C4+0 E4+100 G4+200 |"),
        (ChordWindow::None, "C4+0 E4+100 G4+200 |"),
    ] {
        let options = WaitOptions { chord_window, ..Default::default() };
        check_wait(Hands::BOTH, options, "R: C4+E4+G4", "C4@0 E4@100 G4@200", expected);
    }
}

#[test]
fn any_key_counts_in_rhythm_and_a_chord_is_one_stroke() {
    let options = WaitOptions { any_note: true, ..Default::default() };
    check_wait(Hands::BOTH, options, "R: C4+E4 D4", "A4@0 B4@60 A4@500", "C4+0 E4+0 | (B4) D4+0 |");
}

#[test]
fn going_on_after_an_error_misses_the_nearest_note() {
    let options = WaitOptions { go_on_after_error: true, ..Default::default() };
    check_wait(Hands::BOTH, options, "R: C4+G4 D4", "F4@0 C4@9 E4@20", "!F4 -G4 C4+0 | !E4 -D4 |");
}

#[test]
fn keys_that_the_keyboard_lacks_are_not_required() {
    let keyboard = KeyRange { low: pitch("C4"), high: pitch("C6") };
    let options = WaitOptions { keyboard, ..Default::default() };
    check_wait(Hands::BOTH, options, "R: C4 D4 E4 | L: C3 C3 E4", "C4@0 D4@9 E4@20", "C4+0 | D4+0 | E4+0 E4+0 |");
    check_wait(Hands::LEFT, options, "R: C4 | L: C2 C3", "C4@0", "(C4)");
}

#[test]
fn a_loop_begins_again_and_a_seek_lets_go_of_what_was_kept() {
    let score = score("R: C4 D4 E4 F4");
    let notes = take("D4@0 C4@10 D4@20 E4@30 F4@40 C4@50");
    let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), Ticks(2 * QUARTER), WaitOptions::default());
    assert_eq!(matcher.key_down(notes[0]), Step::default(), "kept for the second group");
    let step = matcher.wrap();
    assert_eq!(step.advance_to, Some(Ticks(0)));
    assert_eq!(
        step.verdicts.iter().map(|v| (v.played, v.kind)).collect::<Vec<_>>(),
        [(Some(PlayedId(0)), VerdictKind::Neutral)]
    );
    let step = matcher.key_down(notes[1]);
    assert_eq!((step.advance_to, step.finished), (Some(Ticks(QUARTER)), false), "what was kept is gone");
    let step = matcher.key_down(notes[2]);
    assert_eq!((step.advance_to, step.finished), (Some(Ticks(2 * QUARTER)), true), "the end of the range");
    let step = matcher.seek(Ticks(1));
    assert_eq!((step.advance_to, matcher.pass()), (Some(Ticks(QUARTER)), 2));
    assert_eq!(matcher.needed().collect::<Vec<_>>(), [NoteId(1)]);
}

#[test]
fn a_key_that_is_held_has_to_be_struck_again() {
    let score = score("R: C4 C4");
    let notes = take("C4@0 C4@500");
    let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), WaitOptions::default());
    assert_eq!(matcher.key_down(notes[0]).done.len(), 1);
    assert!(matcher.is_held(pitch("C4")) && !matcher.is_finished());
    assert!(matcher.key_down(notes[1]).finished, "no release was needed in between");
    matcher.key_up(pitch("C4"));
    assert!(!matcher.is_held(pitch("C4")));
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
fn a_verdict_can_tell_what_was_weighed() {
    let score = score("R: C4 C4 D4");
    let notes = take("C4@100 C4@130 D4@1000");
    let verdicts = tempo::judge(&score, plan(&score), &[Micros(0)], &notes);
    let first = verdicts.iter().find(|v| v.written == Some(NoteId(0))).expect("a verdict");
    let weighed = tempo::candidates(&score, &plan(&score), Micros(0), &notes, first);
    let told: Vec<_> = weighed.iter().map(|c| (c.played.0, c.deviation.0 / 1_000, c.within_window, c.chosen)).collect();
    assert_eq!(told, [(0, 100, true, true), (1, 130, true, false)]);
    let extra = verdicts.iter().find(|v| v.kind == VerdictKind::Extra).expect("an extra note");
    let weighed = tempo::candidates(&score, &plan(&score), Micros(0), &notes, extra);
    let told: Vec<_> =
        weighed.iter().map(|c| (c.written.0, c.deviation.0 / 1_000, c.within_window, c.chosen)).collect();
    assert_eq!(told, [(0, 130, true, false), (1, -370, false, false)]);
}

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

/// A small generator of random numbers (xorshift), so that a seed gives the same piece for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }
}

/// Share of pairs that are right and found, as F1, with a share of notes left out, added and replaced.
fn follow_f1(seed: u64, len: usize, errors: f64) -> f64 {
    let (score, played, mut random) = seeded(seed, len);
    let mut notes = Vec::new();
    let mut truth = std::collections::HashMap::new();
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
    let whole = (Ticks(0), score.end());
    let verdicts = follow::pair(&score, Hands::BOTH, whole, Preset::Standard, &notes);
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
    let verdicts = follow::pair(&score, Hands::BOTH, (Ticks(0), score.end()), Preset::Standard, &notes);
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
        let verdicts = follow::pair(&music, Hands::BOTH, (Ticks(0), music.end()), Preset::Standard, &notes);
        let missed: Vec<_> = verdicts.iter().filter(|v| v.kind == VerdictKind::Missed).map(|v| v.written).collect();
        assert_eq!(missed, [Some(NoteId(left_out as u32))]);
    }
}

#[test]
fn following_a_unison_takes_one_key() {
    let score = score("R: C4 E4 G4 | L: C4 C3 G4");
    let notes = take("C4@0 E4@600 C3@610 G4@1190");
    let verdicts = follow::pair(&score, Hands::BOTH, (Ticks(0), score.end()), Preset::Standard, &notes);
    assert_complete(&score, Hands::BOTH, 1, &notes, &verdicts);
    assert!(verdicts.len() == 6 && verdicts.iter().all(|v| v.kind.is_right()), "{verdicts:?}");
}

#[test]
fn following_nothing_gives_missed_notes_and_following_without_a_score_gives_extra_ones() {
    let written = score("R: C4 D4");
    let verdicts = follow::pair(&written, Hands::BOTH, (Ticks(0), written.end()), Preset::Standard, &[]);
    assert!(verdicts.len() == 2 && verdicts.iter().all(|v| v.kind == VerdictKind::Missed));
    let empty = score_of(Vec::new());
    let verdicts = follow::pair(&empty, Hands::BOTH, (Ticks(0), Ticks(0)), Preset::Standard, &take("C4@0"));
    assert!(verdicts.len() == 1 && verdicts[0].kind == VerdictKind::Extra);
}

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

/// Every practised written note has one verdict a pass; every key-down has one, or several of one chord.
fn assert_complete(score: &Score, hands: Hands, passes: u32, take: &[PlayedNote], verdicts: &[Verdict]) {
    for pass in 0..passes {
        for (id, note) in score.iter() {
            let judged = |v: &&Verdict| v.pass == pass && v.written == Some(id) && v.kind != VerdictKind::Neutral;
            let expected = usize::from(hands.contains(note.hand));
            assert_eq!(verdicts.iter().filter(judged).count(), expected, "{note:?} in pass {pass}");
        }
    }
    for note in take {
        let about: Vec<&Verdict> = verdicts.iter().filter(|v| v.played == Some(note.id)).collect();
        let onsets = |v: &&Verdict| v.written.map(|id| (v.pass, score.note(id).onset));
        assert!(!about.is_empty(), "{note:?} has no verdict");
        assert!(about.iter().all(|v| onsets(v) == onsets(&about[0])), "{note:?} has {about:?}");
        assert!(about.len() == 1 || about[0].written.is_some(), "{note:?} has {about:?}");
    }
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
    fn following_gives_every_note_one_verdict(score in any_score(), take in any_take(), hands in any_hands()) {
        let verdicts = follow::pair(&score, hands, (Ticks(0), score.end()), Preset::Relaxed, &take);
        assert_complete(&score, hands, 1, &take, &verdicts);
    }
}
