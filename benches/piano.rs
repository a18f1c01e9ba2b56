//! Processor time of the built-in piano and of the SoundFont player, as a share of real time, beside rustysynth and
//! FluidSynth with the same notes; and of the worst block: every voice struck anew in one block, under the pedal.
//!
//! Run with `cargo bench --bench piano`. The SoundFont is `$SOUNDFONT`, or TimGM6mb, or the first found under
//! `/usr/share/sounds/sf2`. Times are those of the thread, or of the process that was started: what others do on the
//! machine counts little.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::soundfont::Font;
use music_trainer::music::Pitch;
use music_trainer::time::Rate;
use support::{Aim, Samples, report};

const RATE: u32 = 48_000;
const BLOCK: usize = 128;
const SECONDS: usize = 10;
const BLOCKS: usize = SECONDS * RATE as usize / BLOCK;
const VOICES: usize = 64;
/// Blocks between two strokes: 21 ms.
const STROKE_BLOCKS: usize = 8;

/// Processor time of a clock in seconds.
#[expect(unsafe_code, reason = "the thread's own time is read through libc")]
fn thread_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// User time in seconds of all processes that were started and have ended.
#[expect(unsafe_code, reason = "the time of other processes is read through libc")]
fn children_seconds() -> f64 {
    // SAFETY: all zeros is a valid `rusage`, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    usage.ru_utime.tv_sec as f64 + usage.ru_utime.tv_usec as f64 * 1e-6
}

/// Key and velocity of the note struck in place `at`, spread over the keyboard.
fn note(at: usize) -> (u8, u8) {
    (24 + (at * 37 % 76) as u8, 50 + (at * 13 % 70) as u8)
}

/// Strikes all voices under the pedal and one more every [`STROKE_BLOCKS`], for ten seconds. Percent of real time, by
/// block.
fn play<T>(
    sound: &mut T,
    voices: usize,
    strike: fn(&mut T, u8, u8),
    render: fn(&mut T, &mut [f32], &mut [f32]),
) -> Samples {
    let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
    for at in 0..voices {
        let (key, velocity) = note(at);
        strike(sound, key, velocity);
    }
    let mut shares = Samples::default();
    for block in 0..BLOCKS {
        let start = thread_seconds();
        if block % STROKE_BLOCKS == 0 {
            let (key, velocity) = note(block / STROKE_BLOCKS % voices);
            strike(sound, key, velocity);
        }
        render(sound, &mut left, &mut right);
        std::hint::black_box((&left, &right));
        shares.add(100.0 * (thread_seconds() - start) * f64::from(RATE) / BLOCK as f64);
    }
    shares
}

fn instrument(instrument: &mut Box<dyn Instrument>, voices: usize) -> Samples {
    instrument.pedal(Part::LIVE, Pedal::Sustain(127));
    play(
        instrument,
        voices,
        |i, key, velocity| i.note_on(Part::LIVE, Pitch::from_data_byte(key), velocity),
        |i, left, right| i.render(left, right),
    )
}

/// rustysynth itself, in blocks of 64 frames as it has them by default, with its effects.
fn rustysynth(path: &Path) -> Result<Samples, String> {
    let mut file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let font = rustysynth::SoundFont::new(&mut file).map_err(|e| e.to_string())?;
    let mut settings = rustysynth::SynthesizerSettings::new(RATE as i32);
    settings.maximum_polyphony = VOICES;
    let mut synth = rustysynth::Synthesizer::new(&Arc::new(font), &settings).map_err(|e| e.to_string())?;
    synth.process_midi_message(0, 0xb0, 64, 127);
    Ok(play(
        &mut synth,
        VOICES,
        |s, key, velocity| s.note_on(0, i32::from(key), i32::from(velocity)),
        |s, left, right| s.render(left, right),
    ))
}

/// The same notes as a Standard MIDI File, 6 000 ticks a second.
fn midi_file(seconds: usize) -> Vec<u8> {
    fn delta(track: &mut Vec<u8>, ticks: usize) {
        track.extend([(ticks >> 14 & 0x7f) as u8 | 0x80, (ticks >> 7 & 0x7f) as u8 | 0x80, (ticks & 0x7f) as u8]);
    }
    let mut track = vec![0, 0xb0, 64, 127];
    let mut on = |ticks, at| {
        let (key, velocity) = note(at % VOICES);
        delta(&mut track, ticks);
        track.extend([0x90, key, velocity]);
    };
    (0..VOICES).for_each(|at| on(0, at));
    let stroke = STROKE_BLOCKS * BLOCK * 6_000 / RATE as usize;
    (0..seconds * 6_000 / stroke).for_each(|at| on(stroke, at));
    track.extend([0, 0xb0, 120, 0, 0, 0xff, 0x2f, 0]);
    let mut file = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01".to_vec();
    file.extend(3_000_u16.to_be_bytes());
    file.extend(b"MTrk");
    file.extend((track.len() as u32).to_be_bytes());
    file.extend(track);
    file
}

/// FluidSynth as a process, faster than real time: percent of real time, its start and loading taken off.
fn fluidsynth(font: &Path) -> Result<f64, String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let run = |seconds: usize| -> Result<(f64, f64), String> {
        let (midi, out) = (dir.path().join("notes.mid"), dir.path().join("out.raw"));
        std::fs::write(&midi, midi_file(seconds)).map_err(|e| e.to_string())?;
        let before = children_seconds();
        let status = Command::new("fluidsynth")
            .args(["-n", "-i", "-q", "-r", "48000", "-z", "128", "-T", "raw", "-O", "s16", "-o"])
            .arg(format!("synth.polyphony={VOICES}"))
            .arg("-F")
            .args([&out, font, &midi])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|e| format!("{e}; its Debian package is fluidsynth"))?;
        let bytes = std::fs::metadata(&out).map_or(0, |m| m.len());
        if !status.success() || bytes == 0 {
            return Err(format!("{status}, {bytes} bytes of sound"));
        }
        Ok((children_seconds() - before, bytes as f64 / 4.0 / f64::from(RATE)))
    };
    let (short, long) = (run(1)?, run(4 * SECONDS)?);
    Ok(100.0 * (long.0 - short.0) / (long.1 - short.1))
}

/// Every voice struck anew in one block, under the pedal, while all of them sound: percent of the block's duration.
fn worst(instrument: &mut dyn Instrument, frames: usize) -> Samples {
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    instrument.pedal(Part::LIVE, Pedal::Sustain(127));
    let mut shares = Samples::default();
    for round in 0..100 {
        let start = thread_seconds();
        for at in 0..VOICES {
            let key = 24 + ((at + 12 * (round % 2)) * 37 % 76) as u8;
            instrument.note_on(Part::LIVE, Pitch::from_data_byte(key), 127);
        }
        instrument.render(&mut left, &mut right);
        shares.add(100.0 * (thread_seconds() - start) * f64::from(RATE) / frames as f64);
        for _ in 0..20 {
            instrument.render(&mut left, &mut right);
        }
    }
    shares
}

fn soundfont() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("SOUNDFONT") {
        return Some(path.into());
    }
    let usual = PathBuf::from("/usr/share/sounds/sf2/TimGM6mb.sf2");
    if usual.is_file() {
        return Some(usual);
    }
    let mut found: Vec<_> =
        std::fs::read_dir("/usr/share/sounds/sf2").ok()?.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ext| ext == "sf2"));
    found.sort();
    found.pop()
}

fn show_worst(name: &str, instrument: &mut dyn Instrument) {
    for frames in [128, 256] {
        let shares = worst(instrument, frames);
        let verdict = if shares.median() <= 50.0 { "met" } else { "MISSED" };
        println!(
            "{name}, {VOICES} onsets in one block of {frames}, % of its time: {shares} (aim at most 50: {verdict})"
        );
    }
}

fn main() {
    support::machine();
    println!("{BLOCK}-frame blocks at {RATE} Hz, {SECONDS} s each, % of real time by the thread's own clock");
    let piano = || -> Box<dyn Instrument> { Box::new(Piano::new(Rate(RATE))) };
    for voices in [1, 16] {
        println!("piano, {voices} voices: {}", instrument(&mut piano(), voices));
    }
    let ours = instrument(&mut piano(), VOICES);
    println!("piano, {VOICES} voices: {ours} (aim at most 8: {})", if ours.mean() <= 8.0 { "met" } else { "MISSED" });
    show_worst("piano", &mut *piano());
    let Some(path) = soundfont() else {
        return println!("SoundFonts: NOT RUN: none found; Debian's timgm6mb-soundfont is small");
    };
    let player = || Font::load(&path).and_then(|font| font.instrument(Rate(RATE), 0, 440.0));
    match player() {
        Ok(player) => {
            let mut player: Box<dyn Instrument> = Box::new(player);
            let shares = instrument(&mut player, VOICES);
            println!("SoundFont player, {VOICES} notes: {shares}");
            show_worst("SoundFont player", &mut *player);
            match rustysynth(&path) {
                Ok(theirs) => {
                    println!("rustysynth, {VOICES} voices: {theirs}");
                    report("SoundFont player", "%", shares.mean(), "rustysynth", theirs.mean(), Aim::None);
                    report("piano", "%", ours.mean(), "rustysynth", theirs.mean(), Aim::None);
                }
                Err(why) => println!("rustysynth: NOT RUN: {why}"),
            }
            match fluidsynth(&path) {
                Ok(theirs) => {
                    report("SoundFont player", "%", shares.mean(), "FluidSynth", theirs, Aim::None);
                    report("piano", "%", ours.mean(), "FluidSynth", theirs, Aim::None);
                }
                Err(why) => println!("FluidSynth: NOT RUN: {why}"),
            }
        }
        Err(why) => println!("SoundFont player: NOT RUN: {why}"),
    }
}
