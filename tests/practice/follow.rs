//! *Follow*: pairing under rubato, mistakes, repeated bars.

use std::collections::HashMap;

use music_trainer::music::{Hand, Hands, NoteId, Pitch, Score};
use music_trainer::practice::{PlayedId, PlayedNote, Preset, VerdictKind, follow};
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
