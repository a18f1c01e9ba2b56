//! How much of what a microphone hears is told right: pitch, onsets, notes, and expected notes, on real recordings (CC0)
//! and on the built-in piano; and what listening costs.
//!
//! Run with `cargo bench --bench listen`.

#[path = "../tests/listen_support/mod.rs"]
mod listen_support;

use std::collections::BTreeMap;

use listen_support::measure::{
    Answers, Rates, cents_off, looks, onsets, pitch, quantile, register, tracked, verify_chords, verify_single,
};
use listen_support::{Recording, piano_notes, recordings};
use music_trainer::listen::Listener;
use music_trainer::time::{Frames, Rate};

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Instruments whose notes are struck or plucked.
const STRUCK: [&str; 6] = ["steinwayb", "kawai", "nylon", "steel", "harpsi", "pizzbass"];

fn main() {
    let all = recordings();
    let own = piano_notes(Rate::DEFAULT);
    let struck = || all.iter().filter(|r| STRUCK.contains(&r.family));
    let blown = || all.iter().filter(|r| !STRUCK.contains(&r.family));
    println!("{} recordings, {} notes of the built-in piano", all.len(), own.len());
    show_pitch("pitch, struck and plucked", &pitch(struck()));
    show_pitch("pitch, blown and bowed", &pitch(blown()));
    show_pitch("pitch, built-in piano", &pitch(own.iter()));
    // Every answer of YIN takes a few milliseconds here: a sixteenth of them is enough.
    show_pitch("YIN over 4 096 frames, struck and plucked", &yin_rates(struck()));
    println!("\nonsets | found | beside | error p5, p50, p95 | told after p50");
    for (name, found) in [("struck", onsets(struck())), ("blown", onsets(blown())), ("built-in", onsets(own.iter()))] {
        let [low, middle, high] = [0.05, 0.5, 0.95].map(|part| quantile(&found.errors, part));
        let told = quantile(&found.told, 0.5);
        println!(
            "{name} | {} of {} | {} | {low:.1}, {middle:.1}, {high:.1} ms | {told:.1} ms",
            found.found, found.notes, found.extra
        );
    }
    println!("\nnotes tracked | right, octave, none, other % | notes told | onset p50, p90");
    for (name, (rates, errors, events)) in
        [("struck", tracked(struck())), ("blown", tracked(blown())), ("built-in", tracked(own.iter()))]
    {
        let [right, octave, none, other] = rates.percent();
        let (p50, p90) = (quantile(&errors, 0.5), quantile(&errors, 0.9));
        println!("{name} | {right:.1}, {octave:.1}, {none:.1}, {other:.1} | {events} | {p50:.1}, {p90:.1} ms");
    }
    let keys: Vec<&Recording> = all.iter().filter(|r| ["steinwayb", "kawai"].contains(&r.family)).collect();
    show_answers("single notes of two grands", &verify_single(&keys));
    show_answers("chords of three", &verify_chords(&keys));
    cost(&all);
}

fn show_pitch(title: &str, by: &BTreeMap<String, Rates>) {
    println!("\n{title} | right, octave, none, other % | cents p50 | first right p50, p90");
    for (register, rates) in by {
        let [right, octave, none, other] = rates.percent();
        let (p50, p90) = (quantile(&rates.first, 0.5), quantile(&rates.first, 0.9));
        let cents = quantile(&rates.cents, 0.5);
        let first = if rates.first.is_empty() { "-".to_owned() } else { format!("{p50:.0}, {p90:.0} ms") };
        println!("{register} | {right:.1}, {octave:.1}, {none:.1}, {other:.1} | {cents:.1} | {first}");
    }
}

fn show_answers(title: &str, by: &BTreeMap<String, Answers>) {
    println!("\n{title} | heard, unsure, not heard % | asked");
    for (question, answers) in by {
        let [heard, unsure, not] = answers.percent();
        println!("{question} | {heard:.1}, {unsure:.1}, {not:.1} | {}", answers.heard + answers.unsure + answers.not);
    }
}

/// Processor time of listening as a share of real time: the mean over all recordings.
fn cost(all: &[Recording]) {
    let (mut sounded, mut spent) = (0.0, 0.0);
    for recording in all {
        let mut listener = Listener::new(recording.rate, 440.0, Frames::ZERO);
        let began = now();
        listener.push(&recording.samples, &mut |_| {});
        spent += began.elapsed().as_secs_f64();
        sounded += recording.samples.len() as f64 / f64::from(recording.rate.0);
    }
    println!("\nlistening takes {:.2} % of real time", 100.0 * spent / sounded);
}

fn yin_rates<'a>(recordings: impl Iterator<Item = &'a Recording>) -> BTreeMap<String, Rates> {
    let mut by: BTreeMap<String, Rates> = BTreeMap::new();
    for recording in recordings {
        let rates = by.entry(register(recording.key)).or_default();
        for end in looks(recording).step_by(16) {
            let found = yin(&recording.samples[end.saturating_sub(4_096)..end], f64::from(recording.rate.0));
            rates.count(found.map(|hertz| cents_off(hertz, recording.key)));
        }
    }
    by
}

/// The baseline: de Cheveigné and Kawahara, JASA 111 (2002), steps 1 to 5, threshold 0.15.
fn yin(samples: &[f32], rate: f64) -> Option<f64> {
    let half = samples.len() / 2;
    let (mut sum, mut curve) = (0.0_f64, vec![1.0_f64; half]);
    for lag in 1..half {
        let difference: f32 = (0..half).map(|at| (samples[at] - samples[at + lag]).powi(2)).sum();
        sum += f64::from(difference);
        curve[lag] = if sum > 0.0 { f64::from(difference) * lag as f64 / sum } else { 1.0 };
    }
    let mut lag = (2..half - 1).find(|lag| curve[*lag] < 0.15)?;
    while lag + 2 < half && curve[lag + 1] < curve[lag] {
        lag += 1;
    }
    let (left, middle, right) = (curve[lag - 1], curve[lag], curve[lag + 1]);
    let bend = left - 2.0 * middle + right;
    let shift = if bend > 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
    Some(rate / (lag as f64 + shift))
}
