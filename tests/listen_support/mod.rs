//! Real recordings of single notes, and notes of the built-in piano, to listen to.

#![allow(dead_code, unreachable_pub)]

pub mod measure;

use music_trainer::audio::instrument::{Instrument, Part};
use music_trainer::audio::piano::Piano;
use music_trainer::music::Pitch;
use music_trainer::time::Rate;

/// One note.
#[derive(Clone)]
pub struct Recording {
    /// The instrument.
    pub family: &'static str,
    /// The file, or what was played.
    pub name: String,
    /// The key that sounds.
    pub key: u8,
    /// Frames per second.
    pub rate: Rate,
    /// Full scale is ±1.
    pub samples: Vec<f32>,
    /// The sample at which the note begins.
    pub begins: usize,
}

type Get = fn(&str) -> Option<&'static [u8]>;

/// Package, name of the family, octaves between the file's name and what sounds, dynamics, notes.
type Family = (Get, &'static str, i8, &'static [&'static str], &'static [&'static str]);

const FAMILIES: [Family; 15] = [
    (
        ferrosintesis_samples_vcsl_steinway::get,
        "steinwayb",
        0,
        &["_pp", "_pp_rr2", "_mf_rr2"],
        &["C2", "F#2", "C3", "F#3", "C4", "F#4", "C5", "F#5", "C6"],
    ),
    (
        ferrosintesis_samples_vcsl_kawai::get,
        "kawai",
        0,
        &["_pp", "_pp_rr2", "_mf_rr2", "_f"],
        &["C2", "A2", "C3", "A#3", "C4", "A#4", "C5", "C6"],
    ),
    (ferrosintesis_samples_orchestral::get, "nylon", 0, &[""], &["E2", "B2", "E3", "A#3", "E4", "A#4", "E5"]),
    (ferrosintesis_samples_orchestral::get, "steel", 0, &[""], &["E2", "A#2", "E3", "A#3", "E4", "B4", "F5", "B5"]),
    (
        ferrosintesis_samples_orchestral::get,
        "harpsi",
        0,
        &[""],
        &["C2", "F2", "C3", "F3", "C4", "F4", "C5", "F5", "C6", "F6"],
    ),
    (ferrosintesis_samples_orchestral::get, "bassoon", 1, &["_p", "_f"], &["A#0", "F1", "C2", "G2", "D#3", "C4"]),
    (ferrosintesis_samples_orchestral::get, "clarinet", 1, &["_p", "_f"], &["A#2", "D3", "F3", "A#3", "D4", "F4"]),
    (ferrosintesis_samples_orchestral::get, "oboe", 1, &["_p", "_f"], &["D3", "F3", "A#3", "D4", "F4", "A#4"]),
    (ferrosintesis_samples_orchestral::get, "horn", 1, &["_p", "_f"], &["A#1", "D2", "F2", "A2", "C3", "D4"]),
    (ferrosintesis_samples_orchestral::get, "trumpet", 1, &["_p", "_f"], &["F2", "C3", "G3", "D4", "A4"]),
    (ferrosintesis_samples_orchestral::get, "trombone", 1, &["_p", "_f"], &["F1", "A#1", "D2", "F2", "C3", "F3"]),
    (ferrosintesis_samples_orchestral::get, "tuba", 1, &["_p", "_f"], &["A#0", "D#1", "A#1", "D2", "F2", "A#2"]),
    (
        ferrosintesis_samples_strings::get,
        "cellosolo",
        0,
        &["_p", "_f"],
        &["C2", "A2", "C3", "A3", "C4", "A4", "C5", "F#5"],
    ),
    (
        ferrosintesis_samples_strings::get,
        "dbass",
        0,
        &["_p", "_f"],
        &["E1", "A#1", "E2", "A2", "C#3", "E3", "G#3", "B3"],
    ),
    (ferrosintesis_samples_strings::get, "pizzbass", 0, &[""], &["E1", "G1", "A#1", "C2", "E2", "G#2", "A2", "G#3"]),
];

/// Every recording of the packages.
pub fn recordings() -> Vec<Recording> {
    let mut all = Vec::new();
    for (get, family, octaves, dynamics, notes) in FAMILIES {
        for note in notes {
            for dynamic in dynamics {
                let name = format!("{family}_{note}{dynamic}.flac");
                let Some(bytes) = get(&name) else { continue };
                let (rate, samples) = decode(bytes);
                let key = (i16::from(key(note)) + 12 * i16::from(octaves)) as u8;
                let begins = begin_of(&samples);
                all.push(Recording { family, name, key, rate, samples, begins });
            }
        }
    }
    all
}

fn decode(bytes: &[u8]) -> (Rate, Vec<f32>) {
    let mut reader = claxon::FlacReader::new(bytes).expect("a FLAC file");
    let info = reader.streaminfo();
    let scale = 1.0 / (1_u32 << (info.bits_per_sample - 1)) as f32;
    let channels = info.channels as usize;
    let samples = reader.samples().step_by(channels).map(|s| s.expect("sound") as f32 * scale).collect();
    (Rate(info.sample_rate), samples)
}

/// The MIDI key of a name such as `F#2`; C4 is 60.
fn key(note: &str) -> u8 {
    let class = match note.as_bytes()[0] {
        b'C' => 0,
        b'D' => 2,
        b'E' => 4,
        b'F' => 5,
        b'G' => 7,
        b'A' => 9,
        _ => 11,
    };
    let sharp = u8::from(note.contains('#'));
    let octave: u8 = note.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().expect("an octave");
    12 * (octave + 1) + class + sharp
}

/// The first sample that reaches a twentieth of the loudest of the first 200 ms.
fn begin_of(samples: &[f32]) -> usize {
    let loudest = samples.iter().take(9_000).fold(0.0_f32, |top, s| top.max(s.abs()));
    samples.iter().position(|s| s.abs() > 0.05 * loudest).unwrap_or(0)
}

/// Notes of the built-in piano: each of the keys at two velocities, 1.2 s held after 0.2 s of silence.
pub fn piano_notes(rate: Rate) -> Vec<Recording> {
    let mut all = Vec::new();
    for key in (21..=108).step_by(3) {
        for velocity in [40, 100] {
            let samples = piano(rate, &[(0.2, key, velocity)], 1.4);
            let begins = (0.2 * f64::from(rate.0)) as usize;
            all.push(Recording { family: "piano", name: format!("{key} at {velocity}"), key, rate, samples, begins });
        }
    }
    all
}

/// The built-in piano: notes by second, key and velocity; the mean of both channels.
pub fn piano(rate: Rate, notes: &[(f64, u8, u8)], seconds: f64) -> Vec<f32> {
    let mut piano = Piano::new(rate);
    let frames = (seconds * f64::from(rate.0)) as usize;
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    let mut done = 0;
    for (second, key, velocity) in notes {
        let at = ((second * f64::from(rate.0)) as usize).min(frames);
        piano.render(&mut left[done..at], &mut right[done..at]);
        piano.note_on(Part::LIVE, Pitch::new(*key).expect("a key"), *velocity);
        done = at;
    }
    piano.render(&mut left[done..], &mut right[done..]);
    left.iter().zip(&right).map(|(l, r)| 0.5 * (l + r)).collect()
}
