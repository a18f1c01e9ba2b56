//! Arpeggios, grace notes and ornaments, read from a page and played as musicians play them.

use std::fmt::Write as _;

use music_trainer::formats;
use music_trainer::music::{Hands, Score};
use music_trainer::practice::follow::FollowPlan;
use music_trainer::practice::result::TakeResult;
use music_trainer::practice::tempo::{self, TempoPlan};
use music_trainer::practice::wait::{WaitMatcher, WaitOptions};
use music_trainer::practice::{Mode, PlayedNote, Verdict, VerdictKind, follow, ornament};
use music_trainer::time::{Micros, Ticks};

use crate::words::*;

/// A page at 120 quarters a minute. Measures of four quarters are separated by `/`. A word is a chord and its quarters:
/// `C4+E4:2`, one quarter where it does not say; `g:` before it makes a grace note, `a:` an arpeggio, `tr:`, `m:`, `s:` a
/// trill, a mordent, and a tremolo of repeated notes, `t1:` and `t2:` the halves of a tremolo between two.
fn page(right: &str, left: &str) -> Score {
    let (right, left): (Vec<&str>, Vec<&str>) = (right.split('/').collect(), left.split('/').collect());
    let mut measures = String::new();
    for (number, music) in right.iter().enumerate() {
        let attributes = "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time>\
            <staves>2</staves></attributes><sound tempo=\"120\"/>";
        let attributes = if number == 0 { attributes } else { "" };
        let backup = "<backup><duration>4</duration></backup>";
        let (above, below) = (voice(music, 1), voice(left.get(number).unwrap_or(&""), 2));
        write!(measures, "<measure number=\"{}\">{attributes}{above}{backup}{below}</measure>", number + 1)
            .expect("text");
    }
    let text = format!(
        "<?xml version=\"1.0\"?><score-partwise><part-list><score-part id=\"P1\"><part-name>Piano</part-name>\
         </score-part></part-list><part id=\"P1\">{measures}</part></score-partwise>"
    );
    formats::read("page", text.as_bytes()).expect("a page").score
}

fn voice(music: &str, staff: u8) -> String {
    let mut text = String::new();
    for word in music.split_whitespace() {
        let (sign, chord) = match word.split_once(':') {
            Some((sign, rest)) if sign.starts_with(char::is_lowercase) => (sign, rest),
            _ => ("", word),
        };
        let (keys, quarters) = chord.split_once(':').unwrap_or((chord, "1"));
        let mark = match sign {
            "a" => "<arpeggiate/>",
            "tr" => "<ornaments><trill-mark/></ornaments>",
            "m" => "<ornaments><mordent/></ornaments>",
            "s" => "<ornaments><tremolo type=\"single\">3</tremolo></ornaments>",
            "t1" => "<ornaments><tremolo type=\"start\">3</tremolo></ornaments>",
            "t2" => "<ornaments><tremolo type=\"stop\">3</tremolo></ornaments>",
            _ => "",
        };
        for (nth, key) in keys.split('+').enumerate() {
            let (step, octave) = key.split_at(1);
            let pitch = format!("<pitch><step>{step}</step><octave>{octave}</octave></pitch>");
            let chord = if nth > 0 { "<chord/>" } else { "" };
            let voice = format!("<voice>{staff}</voice>");
            let (grace, duration) = if sign == "g" {
                ("<grace slash=\"yes\"/>", "<type>16th</type>".to_owned())
            } else {
                ("", format!("<duration>{quarters}</duration>"))
            };
            let duration = if sign == "g" { format!("{voice}{duration}") } else { format!("{duration}{voice}") };
            write!(
                text,
                "<note>{grace}{chord}{pitch}{duration}<staff>{staff}</staff><notations>{mark}</notations></note>"
            )
            .expect("text");
        }
    }
    text
}

/// The verdicts, in the language of the tests; a group that is done is `|`.
fn waited(score: &Score, options: WaitOptions, played: &str) -> (String, WaitMatcher) {
    let take = take(played);
    let mut matcher = WaitMatcher::new(score, Hands::BOTH, Ticks(0), score.end(), options);
    let mut words = Vec::new();
    for note in &take {
        let step = matcher.key_down(*note);
        words.extend(step.verdicts.iter().map(|v| show(score, &take, v)));
        words.extend(step.done.iter().map(|_| "|".to_owned()));
    }
    (words.join(" "), matcher)
}

#[track_caller]
fn check_wait(score: &Score, played: &str, expected: &str) {
    let (told, matcher) = waited(score, WaitOptions::default(), played);
    assert_eq!(told, expected, "played as {played}");
    assert!(matcher.is_finished(), "stalls after {played}");
}

#[test]
fn a_rolled_chord_is_done_in_any_order() {
    let score = page("a:C4+E4+G4+C5:4", "");
    assert!(score.notes().windows(2).all(|n| n[0].onset < n[1].onset), "the page rolls it");
    check_wait(&score, "G4@0 C5@5 C4@10 E4@20", "G4+0 C5+5 C4+10 E4+20 |");
    check_wait(&score, "C4@0 E4@5 G4@10 C5@20", "C4+0 E4+5 G4+10 C5+20 |");
}

#[test]
fn both_hands_rolled_in_one_sweep_are_one_chord_and_a_unison_in_it_is_one_key() {
    let score = page("a:E4+G4+C5:4", "a:C3+G3+E4:4");
    check_wait(&score, "C3@0 G3@40 E4@80 G4@120 C5@160", "C3+0 G3+40 E4+80 E4+80 G4+120 C5+160 |");
}

#[test]
fn grace_notes_come_before_with_or_after_the_other_hand() {
    let score = page("G4:2 g:E5 g:D5 C5:2", "C3:2 F3:2");
    let first = "G4+0 C3+0 |";
    for (played, then) in [
        ("E5@900 D5@950 C5@1000 F3@1000", "E5+0 D5+50 C5+100 F3+100 |"),
        ("F3@990 E5@1000 D5@1050 C5@1100", "F3+0 E5+10 D5+60 C5+110 |"),
        ("C5@990 F3@990 D5@1050 E5@1100", "C5+0 F3+0 | D5+60 E5+110"),
    ] {
        check_wait(&score, &format!("G4@0 C3@0 {played}"), &format!("{first} {then}"));
    }
}

#[test]
fn a_grace_note_of_the_main_note_s_own_key_is_struck_apart() {
    let score = page("G4:2 g:C5 g:D5 C5:2", "");
    check_wait(&score, "G4@0 C5@900 D5@950 C5@1000", "G4+0 | C5+0 | D5+50 C5+100");
}

#[test]
fn nobody_waits_for_a_grace_note_that_is_left_out() {
    let score = page("G4:2 g:E5 g:D5 C5:2 / D5 E5 g:G5 A5 C5", "");
    check_wait(&score, "G4@0 C5@900 D5@1900 E5@2400 A5@2900 C5@3400", "G4+0 | C5+0 | D5+0 | E5+0 | A5+0 | C5+0 |");
    // One of two, and one after its main note.
    check_wait(
        &score,
        "G4@0 D5@800 C5@900 D5@1900 E5@2400 A5@2900 G5@3000 C5@3400",
        "G4+0 | D5+0 C5+100 | D5+0 | E5+0 | A5+0 | G5+100 C5+0 |",
    );
    let (told, matcher) = waited(&score, WaitOptions::default(), "G4@0 E5@900");
    assert_eq!((told.as_str(), matcher.needed().count(), matcher.awaited().count()), ("G4+0 | E5+0", 1, 3));
    // Before the group before is done it is kept, and does not turn the page.
    check_wait(
        &page("G4:2 g:D5 C5:2", "C3:2 F3:2"),
        "G4@0 D5@850 C3@870 C5@900 F3@910",
        "G4+0 C3+870 D5+0 | C5+30 F3+40 |",
    );
    // A wrong key that counts as a note counts as one that is needed.
    let on = WaitOptions { go_on_after_error: true, ..WaitOptions::default() };
    let (told, matcher) = waited(&page("G4:2 g:E5 C5:2", ""), on, "G4@0 F5@900");
    assert_eq!((told.as_str(), matcher.is_finished()), ("G4+0 | !F5 -C5 |", true));
}

#[test]
fn a_bar_s_results_count_no_grace_note_that_is_left_out_and_each_that_is_played() {
    let score = page("G4:2 g:E5 g:D5 C5:2", "");
    for (played, right) in [("G4@0 C5@1000", 2), ("G4@0 D5@900 C5@1000", 3), ("G4@0 E5@900 D5@950 C5@1000", 4)] {
        let take = take(played);
        let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), WaitOptions::default());
        let verdicts: Vec<Verdict> = take.iter().flat_map(|note| matcher.key_down(*note).verdicts).collect();
        let counts = TakeResult::of(Mode::Wait, &score, &verdicts, |_| None).counts;
        assert_eq!((counts.right(), counts.written(), counts.accuracy()), (right, right, Some(1.0)), "{played}");
    }
}

#[test]
fn an_ornament_may_be_played_as_it_is_written() {
    for (sign, keys) in [("tr", "D5 C5 D5 C5 B4 C5"), ("m", "B4 C5"), ("s", "C5 C5 C5"), ("tr", "C5 D5 C5 D5 C5")] {
        let score = page(&format!("E4 {sign}:C5:2 G4"), "");
        let mut played = "E4@0".to_owned();
        let first = if keys.starts_with('D') { "" } else { "C5@500 " };
        write!(played, " {first}").expect("text");
        for (nth, key) in keys.split(' ').enumerate() {
            write!(played, "{key}@{} ", 560 + 80 * nth).expect("text");
        }
        played.push_str("G4@1500");
        let take = take(&played);
        let plan = TempoPlan::whole(&score);
        let rhythm = TempoPlan { any_key: true, ..plan };
        let mut all = vec![
            (Mode::Tempo, tempo::judge(&score, plan, &[Micros::ZERO], &take)),
            (Mode::Rhythm, tempo::judge(&score, rhythm, &[Micros::ZERO], &take)),
        ];
        let mut followed = follow::pair(&score, &FollowPlan::whole(&score), &take);
        ornament::settle(&score, Mode::Follow, &mut followed, &take);
        all.push((Mode::Follow, followed));
        let mut matcher = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), score.end(), WaitOptions::default());
        all.push((Mode::Wait, take.iter().flat_map(|note| matcher.key_down(*note).verdicts).collect()));
        for (mode, verdicts) in all {
            let wrong: Vec<_> = verdicts.iter().filter(|v| v.kind.is_wrong()).map(|v| show(&score, &take, v)).collect();
            assert_eq!(wrong, Vec::<String>::new(), "{sign} in {mode:?}: {played}");
            assert_eq!(verdicts.iter().filter(|v| v.kind.is_right()).count(), 3, "{sign} in {mode:?}: {played}");
        }
    }
}

#[test]
fn a_tremolo_between_two_chords_may_strike_both_all_the_time() {
    let score = page("t1:C4+E4:2 t2:G4:2", "");
    let take = take("C4@0 E4@0 G4@125 C4@250 E4@250 G4@375 C4@500 E4@500 G4@1000 C4@1125 E4@1125 G4@1250");
    let verdicts = tempo::judge(&score, TempoPlan::whole(&score), &[Micros::ZERO], &take);
    assert_eq!(count(&verdicts, VerdictKind::Extra) + count(&verdicts, VerdictKind::Missed), 0, "{verdicts:?}");
}

#[test]
fn what_does_not_belong_to_an_ornament_is_wrong_and_so_is_the_ornament_s_key_elsewhere() {
    let score = page("E4 tr:C5:2 G4 / E4:4", "");
    let wrong = |played: &str| {
        let take = take(played);
        let verdicts = tempo::judge(&score, TempoPlan::whole(&score), &[Micros::ZERO], &take);
        count(&verdicts, VerdictKind::Extra)
    };
    assert_eq!(wrong("E4@0 C5@500 F5@600 D5@700 G4@1500 E4@2000"), 1, "F5 is no neighbour of C5");
    assert_eq!(wrong("E4@0 C5@500 D5@600 G4@1500 D5@1800 E4@2000"), 1, "the trill is over");
}

#[test]
fn an_arpeggio_a_grace_note_and_fast_notes_are_right_in_rhythm_when_played_as_written() {
    for music in ["a:C4+E4+G4+C5:2 C4:2", "G4:2 g:E5 g:D5 C5:2"] {
        let score = page(music, "");
        let plan = TempoPlan { any_key: true, ..TempoPlan::whole(&score) };
        let take: Vec<PlayedNote> = as_written(&score, &plan);
        let verdicts = tempo::judge(&score, plan, &[Micros::ZERO], &take);
        assert!(verdicts.iter().all(|v| !v.kind.is_wrong()), "{music}: {verdicts:?}");
        assert_eq!(verdicts.iter().filter(|v| v.kind.is_right()).count(), score.notes().len(), "{music}");
    }
}

#[test]
fn a_grace_note_belongs_to_the_bar_of_its_main_note() {
    let score = page("C4:4 / g:E5 D5:4 / F4:4", "");
    let grace = score.iter().find(|(_, n)| n.pitch == pitch("E5")).expect("the grace note").0;
    let bars = score.bars();
    assert_eq!((bars.index_at(score.note(grace).onset), score.bar_of(grace)), (0, 1));
    let (from, to) = (bars.get(1).start, bars.get(2).start);
    let mut matcher = WaitMatcher::new(&score, Hands::BOTH, from, to, WaitOptions::default());
    let steps: Vec<_> = take("E5@0 D5@60").into_iter().map(|note| matcher.key_down(note)).collect();
    assert!(steps[1].finished && steps[1].verdicts[0].kind.is_right(), "{steps:?}");
    let first = WaitMatcher::new(&score, Hands::BOTH, Ticks(0), from, WaitOptions::default());
    assert_eq!(first.progress().1, 1, "the first bar has one note");
    let plan = TempoPlan { from, to, ..TempoPlan::whole(&score) };
    let verdicts = tempo::judge(&score, plan, &[Micros::ZERO], &take("E5@-120 D5@0"));
    assert_eq!(verdicts.iter().filter(|v| v.kind.is_right()).count(), 2, "{verdicts:?}");
}

fn count(verdicts: &[Verdict], kind: VerdictKind) -> usize {
    verdicts.iter().filter(|v| v.kind == kind).count()
}

/// Each note at its very moment.
fn as_written(score: &Score, plan: &TempoPlan) -> Vec<PlayedNote> {
    let note = |(index, note): (usize, &music_trainer::music::WrittenNote)| PlayedNote {
        id: music_trainer::practice::PlayedId(index as u64),
        at: plan.offset(score, note.onset),
        pitch: note.pitch,
        velocity: 80,
    };
    score.notes().iter().enumerate().map(note).collect()
}

#[test]
fn a_trill_does_not_turn_the_page_to_a_note_that_is_one_of_its_keys() {
    // A trill of a second, with one hand or both; the next note is its upper one.
    for (left, bass, then) in [("", "", ""), ("C3:2 F3:2", "C3@0 ", "F3@1000 ")] {
        let score = page("tr:C4:2 D4:2", left);
        let mut played = format!("{bass}C4@0 ");
        for stroke in 1..8 {
            write!(played, "{}4@{} ", if stroke % 2 == 1 { 'D' } else { 'C' }, stroke * 80).expect("text");
        }
        let strokes = "(D4) (C4) (D4) (C4) (D4) (C4) (D4)";
        let (first, last) = if bass.is_empty() { ("C4+0", "D4+0 |") } else { ("C3+0 C4+0", "F3+0 D4+0 |") };
        check_wait(&score, &format!("{played}{then}D4@1000"), &format!("{first} | {strokes} {last}"));
    }
    // From its upper note, while the other hand is late.
    let score = page("tr:C4:2 D4:2", "C3:2");
    let played = "D4@0 C4@90 D4@170 C3@200 C4@250 D4@330 C4@410 D4@1000";
    check_wait(&score, played, "(D4) C4+0 (D4) C3+110 | (C4) (D4) (C4) D4+0 |");
    // Whoever plays none is not made to wait, be it three times as fast.
    for at in [330, 500, 1_000] {
        check_wait(&page("tr:C4:2 D4:2", ""), &format!("C4@0 D4@{at}"), "C4+0 | D4+0 |");
    }
    // Where any key counts, a trill is no rhythm.
    let any = WaitOptions { any_note: true, ..WaitOptions::default() };
    let played = "C4@0 D4@90 C4@180 D4@270 C4@360 D4@450 C4@540 E4@1000";
    let (told, matcher) = waited(&page("tr:C4:2 D4:2", ""), any, played);
    assert_eq!(told, "C4+0 | (D4) (C4) (D4) (C4) (D4) (C4) D4+0 |");
    assert!(matcher.is_finished());
}
