//! What judging costs: one key-down while it is played, in each mode, and a take of ten thousand notes afterwards.
//!
//! Run with `cargo bench --bench practice`.

mod support;

use music_trainer::music::{Hand, Hands, Percent, Pitch, Score, ScoreParts, WrittenNote};
use music_trainer::practice::follow::{self, FollowPlan, Follower};
use music_trainer::practice::story::stories;
use music_trainer::practice::tempo::{self, TempoJudge, TempoPlan};
use music_trainer::practice::wait::{WaitMatcher, WaitOptions};
use music_trainer::practice::{Mode, PlayedId, PlayedNote, PracticeSettings};
use music_trainer::time::{Micros, Ticks};
use support::{Samples, machine, now, time};

const NOTES: i64 = 10_000;
/// Microseconds for one key-down, at the 99th percentile.
const LIVE_AIM: f64 = 20.0;
/// Milliseconds for a take.
const TAKE_AIM: f64 = 50.0;

/// Chords of one to three notes, eight onsets a bar, and a performance of them a little uneven.
fn piece() -> (Score, Vec<PlayedNote>) {
    let mut notes = Vec::new();
    let mut onset = 0;
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    let mut roll = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    while (notes.len() as i64) < NOTES {
        for voice in 0..=roll(3) {
            let (hand, low) = if voice == 0 { (Hand::Right, 64) } else { (Hand::Left, 40) };
            let pitch = Pitch::from_data_byte((low + roll(20)) as u8);
            notes.push(WrittenNote { onset: Ticks(onset), end: Ticks(onset + 230), pitch, hand, velocity: 80 });
        }
        onset += 240;
    }
    let score = Score::new(ScoreParts { resolution: 480, notes, ..Default::default() });
    let played = score.iter().map(|(id, note)| {
        let late = Micros(roll(60_000) as i64 - 30_000);
        let at = score.tempo().micros(note.onset, Percent::FULL) + late;
        PlayedNote { id: PlayedId(id.0.into()), at, pitch: note.pitch, velocity: 80 }
    });
    let mut played: Vec<_> = played.collect();
    played.sort_by_key(|note| note.at);
    (score, played)
}

fn live(name: &str, notes: &[PlayedNote], mut key_down: impl FnMut(PlayedNote)) {
    let mut samples = Samples::default();
    for note in notes {
        let start = now();
        key_down(*note);
        samples.add(start.elapsed().as_secs_f64() * 1e6);
    }
    let p99 = samples.percentile(0.99);
    println!("{name}, one key-down: {samples} µs; aim p99 {LIVE_AIM}: {}", met(p99 <= LIVE_AIM));
}

fn take(name: &str, mut grade: impl FnMut() -> usize) {
    let mut samples = Samples::default();
    let mut verdicts = 0;
    for _ in 0..5 {
        samples.add(time(|| verdicts = grade()).as_secs_f64() * 1e3);
    }
    let median = samples.median();
    println!("{name}, {verdicts} verdicts: {samples} ms; aim {TAKE_AIM}: {}", met(median <= TAKE_AIM));
}

fn met(yes: bool) -> &'static str {
    if yes { "met" } else { "missed" }
}

fn main() {
    machine();
    let (score, played) = piece();
    let whole = (Ticks::ZERO, score.end());
    let plan = TempoPlan::whole(&score);
    let rhythm = TempoPlan { any_key: true, ..plan };
    let mut waits = WaitMatcher::new(&score, Hands::BOTH, whole.0, whole.1, WaitOptions::default());
    live("Wait for me", &played, |note| drop(waits.key_down(note)));
    let mut follower = Follower::new(&score, &FollowPlan::whole(&score), Percent::FULL);
    live("Follow me", &played, |note| {
        follower.key_down(note);
    });
    for (name, plan) in [("Keep tempo", plan), ("Rhythm only", rhythm)] {
        let mut judge = TempoJudge::new(&score, plan);
        judge.begin_pass(Micros::ZERO);
        live(name, &played, |note| {
            judge.play(note);
            judge.advance(note.at);
        });
    }
    take("Follow me, a take", || follow::pair(&score, &FollowPlan::whole(&score), &played).len());
    let wrong: Vec<PlayedNote> = (played.iter().enumerate())
        .map(|(i, note)| PlayedNote {
            pitch: if i % 20 == 7 { Pitch::from_data_byte(30) } else { note.pitch },
            ..*note
        })
        .collect();
    let verdicts = tempo::judge(&score, plan, &[Micros::ZERO], &wrong);
    let settings = PracticeSettings { mode: Mode::Tempo, ..PracticeSettings::default() };
    take("Why each note of a take was judged so", || stories(&score, &settings, &verdicts, &wrong).len());
    take("Keep tempo, a take", || tempo::judge(&score, plan, &[Micros::ZERO], &played).len());
    take("Wait for me, a take", || {
        let mut matcher = WaitMatcher::new(&score, Hands::BOTH, whole.0, whole.1, WaitOptions::default());
        played.iter().map(|note| matcher.key_down(*note).verdicts.len()).sum::<usize>() + matcher.finish().len()
    });
}
