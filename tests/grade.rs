//! `music-trainer grade` as a script sees it: files in, one JSON document or one clear error out.

use std::path::{Path, PathBuf};

use music_trainer::cli::grade::{GradeError, run};
use music_trainer::formats::smf::{TakeNote, TakeTrack, write_take};
use music_trainer::music::Pitch;
use music_trainer::practice::Mode;
use music_trainer::time::Micros;
use serde_json::{Value, json};

/// A MIDI file of notes as (milliseconds, key), each 100 ms long.
fn file(folder: &Path, name: &str, notes: &[(i64, u8)]) -> PathBuf {
    let note = |&(at, key): &(i64, u8)| TakeNote {
        at: Micros::from_millis(at),
        duration: Micros::from_millis(100),
        channel: 0,
        pitch: Pitch::new(key).expect("a key"),
        velocity: 80,
        release: 64,
    };
    let path = folder.join(name);
    let track = TakeTrack { notes: notes.iter().map(note).collect(), ..TakeTrack::default() };
    std::fs::write(&path, write_take(name, &[track], None)).expect("a writable folder");
    path
}

/// Grades a take against a score of C4, E4+G4, C5, one each half second.
fn graded(mode: Mode, take: &[(i64, u8)]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let score = file(folder.path(), "score.mid", &[(0, 60), (500, 64), (500, 67), (1000, 72)]);
    let take = file(folder.path(), "take.mid", take);
    let mut out = Vec::new();
    run(mode, true, &score, &take, &mut out).expect("a grade");
    serde_json::from_slice(&out).expect("one JSON document")
}

/// The score file's tick of a moment at its 120 quarters a minute.
fn tick(millis: i64) -> i64 {
    millis * i64::from(music_trainer::formats::smf::WRITE_RESOLUTION) / 500
}

fn keys(list: &Value) -> Vec<i64> {
    list.as_array().expect("a list").iter().filter_map(|v| v["pitch"].as_i64()).collect()
}

#[test]
fn tempo_tells_signed_deviations_from_the_first_tick() {
    let grade = graded(Mode::Tempo, &[(20, 60), (470, 64), (900, 61), (1150, 72)]);
    assert_eq!(
        grade,
        json!({
            "matches": [
                {"score": {"tick": 0, "pitch": 60}, "played": {"ms": 20.0, "pitch": 60}, "deviation_ms": 20.0},
                {"score": {"tick": tick(500), "pitch": 64}, "played": {"ms": 470.0, "pitch": 64}, "deviation_ms": -30.0},
                {"score": {"tick": tick(1000), "pitch": 72}, "played": {"ms": 1150.0, "pitch": 72}, "deviation_ms": 150.0},
            ],
            "missed": [{"tick": tick(500), "pitch": 67}],
            "extra": [{"ms": 900.0, "pitch": 61}],
            "groups": [],
            "completed": true,
            "warnings": [],
        })
    );
}

#[test]
fn silence_before_the_music_is_told_where_it_makes_everything_late() {
    let take = [(12_000, 60), (12_500, 64), (12_500, 67), (13_000, 72)];
    for (mode, warned) in [(Mode::Tempo, 1), (Mode::Rhythm, 1), (Mode::Wait, 0), (Mode::Follow, 0)] {
        let grade = graded(mode, &take);
        let warnings = grade["warnings"].as_array().expect("a list");
        assert_eq!(warnings.len(), warned, "{mode:?}: {warnings:?}");
        if let Some(warning) = warnings.first() {
            assert!(
                warning.as_str().expect("a text").contains("take.mid: its first note comes after 12.0 s"),
                "{warning}"
            );
        }
    }
}

#[test]
fn wait_tells_when_each_group_was_done() {
    let grade = graded(Mode::Wait, &[(100, 60), (900, 67), (1000, 72), (1100, 65), (1500, 64)]);
    let groups = json!([
        {"tick": 0, "done_ms": 100.0},
        {"tick": tick(500), "done_ms": 1500.0},
        {"tick": tick(1000), "done_ms": 1500.0},
    ]);
    assert_eq!(grade["groups"], groups);
    assert_eq!((keys(&grade["missed"]), keys(&grade["extra"])), (vec![], vec![65]));
    assert_eq!(grade["completed"], true);
    let grade = graded(Mode::Wait, &[(100, 60), (900, 67)]);
    assert_eq!((keys(&grade["missed"]), &grade["completed"]), (vec![64, 72], &json!(false)));
}

#[test]
fn follow_pairs_a_take_of_half_the_speed() {
    let grade = graded(Mode::Follow, &[(3000, 60), (4000, 64), (4010, 67), (4900, 70), (5000, 72)]);
    let pairs: Vec<_> = (grade["matches"].as_array().expect("a list").iter())
        .map(|m| (m["score"]["tick"].as_i64(), m["played"]["ms"].as_f64()))
        .collect();
    let pair = |at, ms| (Some(tick(at)), Some(ms));
    assert_eq!(pairs, [pair(0, 3000.0), pair(500, 4000.0), pair(500, 4010.0), pair(1000, 5000.0)]);
    assert_eq!((keys(&grade["missed"]), keys(&grade["extra"])), (vec![], vec![70]));
}

#[test]
fn without_json_it_is_a_summary_for_people() {
    let folder = tempfile::tempdir().expect("a folder");
    let score = file(folder.path(), "score.mid", &[(0, 60), (500, 62)]);
    let take = file(folder.path(), "take.mid", &[(0, 60)]);
    let mut out = Vec::new();
    run(Mode::Tempo, false, &score, &take, &mut out).expect("a grade");
    let text = String::from_utf8(out).expect("text");
    for line in ["missed    1", "timing    not enough data", "bar 1     1 missed", "not played to the end"] {
        assert!(text.lines().any(|l| l == line), "no line {line:?} in {text}");
    }
    let mut out = Vec::new();
    run(Mode::Wait, false, &score, &take, &mut out).expect("a grade");
    let text = String::from_utf8(out).expect("text");
    assert!(text.lines().any(|l| l == "right     1"), "{text}");
    assert!(!text.contains("on time"), "whoever is waited for is neither early nor late: {text}");
}

#[test]
fn what_cannot_be_graded_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = file(folder.path(), "good.mid", &[(0, 60)]);
    let text = folder.path().join("text.mid");
    std::fs::write(&text, "not music at all").expect("a writable folder");
    let missing = folder.path().join("missing.mid");
    let grade = |mode, score: &Path, take: &Path| run(mode, true, score, take, &mut Vec::new()).unwrap_err();
    let check = |error: GradeError, expected: &str| {
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(grade(Mode::Wait, &missing, &good), "missing.mid");
    check(grade(Mode::Wait, &good, &text), "text.mid: a take is a MIDI file of what was played, and this is none");
    let score = folder.path().join("score.musicxml");
    std::fs::write(&score, b"<?xml version=\"1.0\"?><score-partwise/>").expect("a file");
    let wanted = "score.musicxml: a take is a MIDI file of what was played, and this is MusicXML, which is a score";
    check(grade(Mode::Wait, &good, &score), wanted);
    check(grade(Mode::Wait, folder.path(), &good), "cannot read");
    check(grade(Mode::Listen, &good, &good), "follow, wait, tempo and rhythm");
}

/// A track of note-ons and note-offs, each with a channel, as (tick, channel, key, down).
fn raw(folder: &Path, name: &str, events: &[(u8, u8, u8, bool)], cut: usize) -> PathBuf {
    let mut track = Vec::new();
    let mut now = 0;
    for (tick, channel, key, down) in events {
        track.extend([tick - now, if *down { 0x90 } else { 0x80 } | channel, *key, 80]);
        now = *tick;
    }
    track.extend([0, 0xff, 0x2f, 0]);
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(&track);
    bytes.truncate(bytes.len() - cut);
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a writable folder");
    path
}

/// The counts of matches, missed and extra notes, and the warnings.
fn counts(score: &Path, take: &Path) -> (usize, usize, usize, Vec<String>) {
    let mut out = Vec::new();
    let warnings = run(Mode::Tempo, true, score, take, &mut out).expect("a grade");
    let grade: Value = serde_json::from_slice(&out).expect("one JSON document");
    assert_eq!(grade["warnings"], json!(warnings), "the document has them too");
    (keys_of(&grade["matches"]), keys(&grade["missed"]).len(), keys(&grade["extra"]).len(), warnings)
}

fn keys_of(list: &Value) -> usize {
    list.as_array().expect("a list").len()
}

#[test]
fn a_file_that_was_cut_off_is_graded_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = [(0, 0, 60, true), (48, 0, 60, false), (96, 0, 62, true), (120, 0, 62, false)];
    let score = raw(folder.path(), "score.mid", &whole, 0);
    let cut = raw(folder.path(), "cut.mid", &whole, 12);
    let (right, missed, extra, warnings) = counts(&score, &cut);
    assert_eq!((right, missed, extra), (1, 1, 0));
    assert!(warnings.iter().any(|w| w.contains("cut.mid") && w.contains("the file ends at byte")), "{warnings:?}");
    assert_eq!(counts(&score, &score).3, Vec::<String>::new());
}

#[test]
fn a_take_on_the_drums_channel_alone_is_a_piano() {
    let folder = tempfile::tempdir().expect("a folder");
    let on = |channel| {
        [(0, channel, 60, true), (48, channel, 60, false), (96, channel, 62, true), (120, channel, 62, false)]
    };
    let score = raw(folder.path(), "score.mid", &on(0), 0);
    let drums = raw(folder.path(), "drums.mid", &on(9), 0);
    assert_eq!(counts(&score, &drums), (2, 0, 0, Vec::new()));
    let both = [
        (0, 0, 60, true),
        (0, 9, 36, true),
        (48, 0, 60, false),
        (48, 9, 36, false),
        (96, 0, 62, true),
        (120, 0, 62, false),
    ];
    let (right, missed, extra, warnings) = counts(&score, &raw(folder.path(), "both.mid", &both, 0));
    assert_eq!((right, missed, extra), (2, 0, 0));
    assert!(warnings.iter().any(|w| w.contains("1 drum notes")), "{warnings:?}");
}

#[test]
fn two_sounds_of_one_keyboard_are_one_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let score = [(0, 0, 60, true), (48, 0, 60, false), (96, 0, 60, true), (120, 0, 60, false)];
    let layered = [
        (0, 0, 60, true),
        (0, 1, 60, true),
        (48, 0, 60, false),
        (48, 1, 60, false),
        (96, 1, 60, true),
        (96, 0, 60, true),
        (120, 0, 60, false),
        (120, 1, 60, false),
    ];
    let (score, layered) = (raw(folder.path(), "score.mid", &score, 0), raw(folder.path(), "layered.mid", &layered, 0));
    let (right, missed, extra, warnings) = counts(&score, &layered);
    assert_eq!((right, missed, extra), (2, 0, 0));
    assert!(warnings.iter().any(|w| w.contains("2 notes that are on another channel")), "{warnings:?}");
}

#[test]
fn a_unison_in_another_octave_is_one_extra_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let score = folder.path().join("score.txt");
    std::fs::write(&score, "tempo: 120\nR: c4 d\nL: c4 r\n").expect("a writable folder");
    let take = file(folder.path(), "take.mid", &[(0, 72), (500, 62)]);
    let (right, missed, extra, _) = counts(&score, &take);
    assert_eq!((right, missed, extra), (1, 2, 1));
}

#[cfg(unix)]
#[test]
fn what_has_no_end_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = file(folder.path(), "good.mid", &[(0, 60)]);
    let error = run(Mode::Tempo, false, &good, Path::new("/dev/zero"), &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("/dev/zero: the file is"), "{error}");
}
