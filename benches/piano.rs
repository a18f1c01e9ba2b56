//! Processor time of the piano per 128-frame block as a share of real time, beside rustysynth with 64 voices.
//!
//! Run with `cargo bench --bench piano`. The SoundFont is `$SOUNDFONT`, or the first found under
//! `/usr/share/sounds/sf2`.

use std::sync::Arc;

use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::piano::Piano;
use music_trainer::music::Pitch;
use music_trainer::time::Rate;

const RATE: u32 = 48_000;
const BLOCK: usize = 128;
const SECONDS: usize = 10;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Renders ten seconds of blocks and prints the median, the mean and the 99th percentile, each as a share of the
/// block's duration; the median, which other programs on the machine disturb least, is returned. `before` runs before each block and is measured with it.
fn measure(name: &str, mut before: impl FnMut(usize), mut render: impl FnMut(&mut [f32], &mut [f32])) -> f64 {
    let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
    let mut times = Vec::with_capacity(SECONDS * RATE as usize / BLOCK);
    for block in 0..SECONDS * RATE as usize / BLOCK {
        let start = now();
        before(block);
        render(&mut left, &mut right);
        times.push(start.elapsed().as_secs_f64() * f64::from(RATE) / BLOCK as f64);
        std::hint::black_box((&left, &right));
    }
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    times.sort_by(f64::total_cmp);
    let percent = |share: f64| 100.0 * times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{name}: median {:.2} % of real time, mean {:.2} %, p99 {:.2} %",
        percent(0.5),
        100.0 * mean,
        percent(0.99)
    );
    percent(0.5)
}

/// Key and velocity of the note struck in place `at`, spread over the keyboard.
fn note(at: usize) -> (u8, u8) {
    (24 + (at * 37 % 76) as u8, 50 + (at * 13 % 70) as u8)
}

/// `voices` keys, one of them struck anew every 20 ms, so that all are in full sound.
fn piano(voices: usize) -> f64 {
    let mut piano = Piano::with(Rate(RATE), voices.max(1), 440.0);
    piano.pedal(Part::LIVE, Pedal::Sustain(127));
    let strike = |piano: &mut Piano, at: usize| {
        let (key, velocity) = note(at % voices);
        if let Some(pitch) = Pitch::new(key) {
            piano.note_on(Part::LIVE, pitch, velocity);
        }
    };
    (0..voices).for_each(|at| strike(&mut piano, at));
    let piano = std::cell::RefCell::new(piano);
    let mut next = 0;
    measure(
        &format!("piano, {voices} voices"),
        |block| {
            if block % 8 == 0 {
                strike(&mut piano.borrow_mut(), next);
                next += 1;
            }
        },
        |left, right| piano.borrow_mut().render(left, right),
    )
}

fn soundfont() -> Option<std::path::PathBuf> {
    if let Some(path) = std::env::var_os("SOUNDFONT") {
        return Some(path.into());
    }
    let mut found: Vec<_> =
        std::fs::read_dir("/usr/share/sounds/sf2").ok()?.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ext| ext == "sf2"));
    found.sort();
    found.pop()
}

/// The same with rustysynth and its effects, or why it could not be run.
fn rustysynth(voices: usize) -> Result<f64, String> {
    let path = soundfont().ok_or("no SoundFont")?;
    let mut file = std::fs::File::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let font = rustysynth::SoundFont::new(&mut file).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut settings = rustysynth::SynthesizerSettings::new(RATE as i32);
    settings.maximum_polyphony = voices;
    let mut synth = rustysynth::Synthesizer::new(&Arc::new(font), &settings).map_err(|e| e.to_string())?;
    synth.process_midi_message(0, 0xb0, 64, 127);
    let strike = |synth: &mut rustysynth::Synthesizer, at: usize| {
        let (key, velocity) = note(at % voices);
        synth.note_on(0, i32::from(key), i32::from(velocity));
    };
    (0..voices).for_each(|at| strike(&mut synth, at));
    let synth = std::cell::RefCell::new(synth);
    let mut next = 0;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(measure(
        &format!("rustysynth, {voices} voices, {name}"),
        |block| {
            if block % 8 == 0 {
                strike(&mut synth.borrow_mut(), next);
                next += 1;
            }
        },
        |left, right| synth.borrow_mut().render(left, right),
    ))
}

fn main() {
    println!("{BLOCK}-frame blocks at {RATE} Hz, {SECONDS} s each");
    piano(1);
    piano(16);
    let ours = piano(64);
    match rustysynth(64) {
        Ok(theirs) => println!("piano / rustysynth at 64 voices: {:.2}", ours / theirs),
        Err(why) => println!("rustysynth, 64 voices: NOT RUN: {why}"),
    }
}
