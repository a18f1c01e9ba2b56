//! The language of these tests.
//!
//! Written: `R: C4 D4+E4 - F4 | L: C3`, a quarter note or rest a word, 500 ms each, both hands from the first tick.
//! Played: `C4@0 D4@510`, in milliseconds. Verdicts: `C4+10` on time, `C4>130` late, `C4<-130` early, `-C4` missed,
//! `!C4` extra, `C4~C5` written and played in another octave, `(C4)` neutral. In *Wait* a `|` says that a group is done.

use music_trainer::music::{Hand, Hands, Pitch, Score, ScoreParts, WrittenNote};
use music_trainer::practice::tempo::TempoPlan;
use music_trainer::practice::{PlayedId, PlayedNote, Verdict, VerdictKind};
use music_trainer::time::{Micros, Ticks};

pub(crate) const QUARTER: i64 = 480;

pub(crate) fn pitch(name: &str) -> Pitch {
    let (letter, octave) = name.split_at(name.len() - 1);
    let class = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"].iter().position(|n| *n == letter);
    let octave: usize = octave.parse().expect("an octave");
    Pitch::new((12 * (octave + 1) + class.expect("a note name")) as u8).expect("a key")
}

pub(crate) fn name(pitch: Pitch) -> String {
    pitch.to_string().replace('♯', "#")
}

pub(crate) fn written(onset: i64, pitch: Pitch, hand: Hand) -> WrittenNote {
    WrittenNote { onset: Ticks(onset), end: Ticks(onset + QUARTER), pitch, hand, velocity: 80 }
}

pub(crate) fn score_of(notes: Vec<WrittenNote>) -> Score {
    Score::new(ScoreParts { resolution: QUARTER as u16, notes, ..Default::default() })
}

pub(crate) fn score(text: &str) -> Score {
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

pub(crate) fn take(text: &str) -> Vec<PlayedNote> {
    let note = |(i, word): (usize, &str)| {
        let (name, at) = word.split_once('@').expect("a time");
        let at = Micros::from_millis(at.parse().expect("milliseconds"));
        PlayedNote { id: PlayedId(i as u64), at, pitch: pitch(name), velocity: 80 }
    };
    text.split_whitespace().enumerate().map(note).collect()
}

pub(crate) fn show(score: &Score, take: &[PlayedNote], verdict: &Verdict) -> String {
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

/// A plan for both hands at the written tempo.
pub(crate) fn plan(score: &Score) -> TempoPlan {
    TempoPlan::whole(score)
}

/// A small generator of random numbers (xorshift), so that a seed gives the same piece for ever.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }
}

/// Every practised written note has one verdict a pass; every key-down has one, or several of one chord.
pub(crate) fn assert_complete(score: &Score, hands: Hands, passes: u32, take: &[PlayedNote], verdicts: &[Verdict]) {
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
