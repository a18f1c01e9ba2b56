//! *Wait for me*, played note by played note.

use music_trainer::music::{Hands, NoteId};
use music_trainer::practice::wait::{Step, WaitMatcher, WaitOptions};
use music_trainer::practice::{ChordWindow, KeyRange, PlayedId, VerdictKind};
use music_trainer::time::Ticks;

use crate::words::*;

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
fn in_a_loop_what_is_played_of_the_next_pass_counts_there() {
    let score = score("R: C4 D4+G4");
    let options = WaitOptions { looping: true, ..WaitOptions::default() };
    let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), options);
    let take = take("C4@0 D4@500 C4@900 G4@950 D4@1400 G4@1410 A4@1420");
    let told = |step: &Step| step.verdicts.iter().map(|v| show(&score, &take, v)).collect::<Vec<_>>().join(" ");
    let steps: Vec<Step> = take[..4].iter().map(|note| matcher.key_down(*note)).collect();
    assert_eq!(steps.iter().map(told).collect::<Vec<_>>(), ["C4+0", "D4+0", "", "G4+450"]);
    assert_eq!(steps.iter().map(|s| s.wrap).collect::<Vec<_>>(), [false, false, false, true]);
    assert!(steps[3].finished);
    // Before the music has gone back.
    assert!(take[4..].iter().all(|note| matcher.key_down(*note).verdicts.is_empty()));
    let step = matcher.wrap();
    assert_eq!(told(&step), "C4+0 D4+0 G4+10 !A4");
    assert_eq!((step.done.len(), step.finished, step.wrap, matcher.pass()), (2, true, false, 1));
    assert!(step.verdicts.iter().all(|v| v.pass == 1));
}

#[test]
fn after_the_last_group_of_a_loop_a_wrong_key_is_told_at_once() {
    let score = score("R: C4 D4");
    let options = WaitOptions { looping: true, ..WaitOptions::default() };
    let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), options);
    let kinds: Vec<Vec<VerdictKind>> = (take("C4@0 D4@500 A4@600").iter())
        .map(|note| matcher.key_down(*note).verdicts.iter().map(|v| v.kind).collect())
        .collect();
    assert_eq!(kinds, [[VerdictKind::OnTime], [VerdictKind::OnTime], [VerdictKind::Extra]]);
    assert_eq!(matcher.place(), Ticks(QUARTER), "beside the last group");
}

#[test]
fn who_leaves_a_note_out_and_goes_on_is_waited_for_and_not_called_wrong() {
    let plain = WaitOptions::default();
    let music = "R: C4+E4 D4 F4+A4 G4 E4";
    // E4 is left out: the next group is kept, what follows it in order is neutral, and a wrong key is wrong.
    let played = "C4@0 D4@500 F4@1000 A4@1000 B4@1200 G4@1500";
    check_wait(Hands::BOTH, plain, music, played, "C4+0 (F4) (A4) !B4 (G4) (D4)");
    // Found in the end, the page turns to where the keys are to be struck again.
    check_wait(Hands::BOTH, plain, music, "C4@0 D4@500 F4@1000 A4@1000 E4@1500", "C4+0 (F4) (A4) E4+1500 | D4+0 |");
    // A key of a later group is wrong where what comes before it was not played.
    check_wait(Hands::BOTH, plain, music, "C4@0 F4@500", "C4+0 !F4");
    // Of what is gone on with a note may be missing too.
    let played = "C4@0 D4@500 F4@1000 G4@1500";
    check_wait(Hands::BOTH, plain, music, played, "C4+0 (F4) (G4) (D4)");
}

#[test]
fn a_key_that_was_kept_counts_from_when_its_group_was_begun() {
    let options = WaitOptions { chord_window: ChordWindow::Normal, ..WaitOptions::default() };
    let played = "C4@0 D4@100 E4@2000 F4@2010";
    check_wait(Hands::BOTH, options, "R: C4+E4 D4+F4", played, "C4+0 E4>2000 | D4+0 F4+10 |");
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
