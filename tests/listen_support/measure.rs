//! What is right, by register: pitch, onsets, tracked notes, and whether expected notes were struck.

use std::collections::BTreeMap;

use music_trainer::listen::{Answer, HOP, Listener, NoteEvent, OnsetFinder, PitchFinder, Verifier};
use music_trainer::music::Pitch;
use music_trainer::time::{Frames, Rate};

use super::Recording;

/// Registers by their lowest key, and their names.
const REGISTERS: [(u8, &str); 5] =
    [(0, "below E2"), (40, "E2 to B2"), (48, "C3 to B3"), (60, "C4 to B4"), (72, "C5 and up")];
/// Seconds after its beginning in which a note is listened to.
const HEARD_SECONDS: (f64, f64) = (0.05, 0.8);
/// Clarity from which an answer counts.
const CLEAR: f32 = 0.6;

/// Frames or notes by what was said of them.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// Within 50 cents.
    pub right: usize,
    /// Octaves away.
    pub octave: usize,
    /// No answer.
    pub none: usize,
    /// Anything else.
    pub other: usize,
    /// Of the right ones.
    pub cents: Vec<f64>,
    /// Milliseconds from the beginning to the first right answer, one a note.
    pub first: Vec<f64>,
}

impl Rates {
    /// In percent of all.
    pub fn percent(&self) -> [f64; 4] {
        let all = (self.right + self.octave + self.none + self.other).max(1) as f64;
        [self.right, self.octave, self.none, self.other].map(|n| 100.0 * n as f64 / all)
    }

    /// Counts one answer, in cents from what is right.
    pub fn count(&mut self, cents: Option<f64>) -> bool {
        match cents {
            None => self.none += 1,
            Some(cents) if cents.abs() < 50.0 => {
                self.right += 1;
                self.cents.push(cents);
                return true;
            }
            Some(cents) if (cents.abs() + 50.0) % 1_200.0 < 100.0 => self.octave += 1,
            Some(_) => self.other += 1,
        }
        false
    }
}

/// The value below which this part lies; 0 of none.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get((sorted.len().max(1) - 1).min((sorted.len() as f64 * part) as usize)).copied().unwrap_or(0.0)
}

/// The name of a key's register, sorting from low to high.
pub fn register(key: u8) -> String {
    let place = REGISTERS.iter().rposition(|(low, _)| key >= *low).unwrap_or(0);
    format!("{place} {}", REGISTERS[place].1)
}

fn millis(frames: i64, rate: Rate) -> f64 {
    frames as f64 * 1_000.0 / f64::from(rate.0)
}

/// Cents from the key that sounds.
pub fn cents_off(hertz: f64, key: u8) -> f64 {
    1_200.0 * (hertz / 440.0).log2() - 100.0 * (f64::from(key) - 69.0)
}

/// Where an answer ends, every hop of the time listened to.
pub fn looks(recording: &Recording) -> impl Iterator<Item = usize> + use<> {
    let at = |seconds: f64| recording.begins + (seconds * f64::from(recording.rate.0)) as usize;
    (at(HEARD_SECONDS.0)..at(HEARD_SECONDS.1).min(recording.samples.len())).step_by(HOP)
}

/// The pitch, every hop, by register.
pub fn pitch<'a>(recordings: impl Iterator<Item = &'a Recording>) -> BTreeMap<String, Rates> {
    let mut by: BTreeMap<String, Rates> = BTreeMap::new();
    for recording in recordings {
        let mut finder = PitchFinder::new(recording.rate);
        let rates = by.entry(register(recording.key)).or_default();
        for end in looks(recording) {
            let found = finder.find(&recording.samples[..end]).filter(|h| h.clarity > CLEAR);
            rates.count(found.map(|h| cents_off(h.hertz, recording.key)));
        }
        let early = (recording.begins..recording.samples.len()).step_by(HOP);
        finder.release();
        let first = early.into_iter().find(|end| {
            let heard = finder.find(&recording.samples[..*end]).filter(|h| h.clarity > CLEAR);
            heard.is_some_and(|h| cents_off(h.hertz, recording.key).abs() < 50.0)
        });
        rates.first.extend(first.map(|end| millis((end - recording.begins) as i64, recording.rate)));
    }
    by
}

/// Onsets of one note each.
#[derive(Clone, Debug, Default)]
pub struct Onsets {
    /// Notes.
    pub notes: usize,
    /// Notes with an onset within 50 ms.
    pub found: usize,
    /// Onsets beside these.
    pub extra: usize,
    /// Milliseconds from the true beginning; late is positive.
    pub errors: Vec<f64>,
    /// Milliseconds from the true beginning until it was told.
    pub told: Vec<f64>,
}

/// A recording after a quarter of a second of silence, and where it begins there.
fn padded(recording: &Recording) -> (Vec<f32>, usize) {
    let silence = recording.rate.0 as usize / 4;
    let samples = std::iter::repeat_n(0.0, silence).chain(recording.samples.iter().copied()).collect();
    (samples, silence + recording.begins)
}

/// Where notes begin.
pub fn onsets<'a>(recordings: impl Iterator<Item = &'a Recording>) -> Onsets {
    let mut all = Onsets::default();
    for recording in recordings {
        let (samples, begins) = padded(recording);
        let mut finder = OnsetFinder::new();
        all.notes += 1;
        let mut found = false;
        for (index, hop) in samples.as_chunks::<HOP>().0.iter().enumerate() {
            let Some(onset) = finder.push(hop, Frames((index * HOP) as i64)) else { continue };
            let error = millis(onset.at.0 - begins as i64, recording.rate);
            if found || error.abs() > 50.0 {
                all.extra += 1;
                continue;
            }
            found = true;
            all.errors.push(error);
            all.told.push(millis(((index + 1) * HOP) as i64 - begins as i64, recording.rate));
        }
        all.found += usize::from(found);
    }
    all
}

/// Notes of one voice, by whether the first note told is the one that sounds: right, octave, none, other.
pub fn tracked<'a>(recordings: impl Iterator<Item = &'a Recording>) -> (Rates, Vec<f64>, usize) {
    let (mut rates, mut errors, mut events) = (Rates::default(), Vec::new(), 0);
    for recording in recordings {
        let (samples, begins) = padded(recording);
        let mut listener = Listener::new(recording.rate, 440.0, Frames::ZERO);
        let mut first = None;
        listener.push(&samples, &mut |event| {
            if let NoteEvent::On { pitch, at, .. } = event {
                events += 1;
                first = first.or(Some((pitch, at)));
            }
        });
        let cents = first.map(|(pitch, _)| 100.0 * (f64::from(pitch.key()) - f64::from(recording.key)));
        if rates.count(cents) {
            errors.extend(first.map(|(_, at)| millis(at.0 - begins as i64, recording.rate)));
        }
    }
    (rates, errors, events)
}

/// Answers about notes of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// Said to be struck.
    pub heard: usize,
    /// Not sure.
    pub unsure: usize,
    /// Said not to be struck.
    pub not: usize,
}

impl Answers {
    fn count(&mut self, answer: Answer) {
        match answer {
            Answer::Heard => self.heard += 1,
            Answer::Unsure => self.unsure += 1,
            Answer::NotHeard => self.not += 1,
        }
    }

    /// How many.
    pub fn all(&self) -> usize {
        self.heard + self.unsure + self.not
    }

    /// In percent of all.
    pub fn percent(&self) -> [f64; 3] {
        let all = self.all().max(1) as f64;
        [self.heard, self.unsure, self.not].map(|n| 100.0 * n as f64 / all)
    }
}

/// Silence of one window, then the note.
fn struck(recording: &Recording, window: usize) -> Vec<f32> {
    let mut samples = vec![0.0; window];
    samples.extend(&recording.samples[recording.begins.saturating_sub(64)..]);
    samples.resize(3 * window, 0.0);
    samples
}

fn keys(keys: &[u8]) -> Vec<Pitch> {
    keys.iter().filter_map(|key| Pitch::new(*key)).collect()
}

/// Single notes, asked for as they are and as what lies near: by question.
pub fn verify_single(recordings: &[&Recording]) -> BTreeMap<String, Answers> {
    let mut by: BTreeMap<String, Answers> = BTreeMap::new();
    let Some(first) = recordings.first() else { return by };
    let mut verifier = Verifier::new(first.rate, 440.0);
    let window = verifier.window();
    for recording in recordings {
        let samples = struck(recording, window);
        for away in [0, -1, 1, -12, 12, -7, 7, 19_i16] {
            let Ok(key) = u8::try_from(i16::from(recording.key) + away) else { continue };
            if !(28..=96).contains(&key) {
                continue;
            }
            let name = if away == 0 { "it sounds".to_owned() } else { format!("{away:+} sounds not") };
            let verdicts = verifier.verify(&samples[..window], &samples[window..], &keys(&[key]), &[]);
            by.entry(name).or_default().count(verdicts[0].answer);
        }
    }
    by
}

/// Chords of three of one instrument: all there; the third missing; the third a semitone off. By question.
pub fn verify_chords(recordings: &[&Recording]) -> BTreeMap<String, Answers> {
    let mut by: BTreeMap<String, Answers> = BTreeMap::new();
    let Some(first) = recordings.first() else { return by };
    let mut verifier = Verifier::new(first.rate, 440.0);
    let window = verifier.window();
    let octaves = |a: u8, b: u8| a.abs_diff(b).is_multiple_of(12);
    for (i, a) in recordings.iter().enumerate() {
        for (j, b) in recordings.iter().enumerate().skip(i + 1) {
            // A spread of the many that there are.
            let c = recordings[(7 * i + 11 * j) % recordings.len()];
            let chord = [a.key, b.key, c.key];
            if a.family != b.family || b.family != c.family || a.key == b.key || chord[..2].contains(&c.key) {
                continue;
            }
            let parts = [a, b, c].map(|recording| struck(recording, window));
            let mix = |count: usize| -> Vec<f32> {
                (0..3 * window).map(|at| parts[..count].iter().map(|p| p[at]).sum::<f32>() / count as f32).collect()
            };
            let mut ask = |name: &str, samples: &[f32], asked: &[u8], which: &[usize]| {
                let verdicts = verifier.verify(&samples[..window], &samples[window..], &keys(asked), &[]);
                for index in which {
                    let others = asked.iter().enumerate().filter(|(other, _)| other != index);
                    let in_octave = others.clone().any(|(_, key)| octaves(*key, asked[*index]));
                    let name = format!("{name}{}", if in_octave { ", in octaves" } else { "" });
                    by.entry(name).or_default().count(verdicts[*index].answer);
                }
            };
            ask("all sound", &mix(3), &chord, &[0, 1, 2]);
            ask("third missing", &mix(2), &chord, &[2]);
            for key in [c.key - 1, c.key + 1] {
                if !chord[..2].contains(&key) {
                    ask("third a semitone off", &mix(3), &[a.key, b.key, key], &[2]);
                }
            }
        }
    }
    by
}

/// Chords, in semitones above their lowest note: three and four notes, close and wide.
const CHORDS: [&[u8]; 6] = [&[0, 4, 7], &[0, 3, 8], &[0, 5, 9], &[0, 7, 16], &[0, 4, 7, 10], &[0, 10, 15]];
/// Their lowest notes.
const ROOTS: [u8; 8] = [43, 46, 50, 53, 57, 60, 64, 69];
/// Seconds after which what rings is struck again, and how loud then.
const AGAIN: [f64; 3] = [0.4, 0.8, 1.6];
const GAINS: [(&str, f32); 2] = [("as loud", 1.0), ("6 dB softer", 0.5)];

/// Chords of one instrument that ring and are struck again: all of their notes, or all but one, about which is asked
/// too. Keys between the recordings are made from the nearest one, and the second strike from another one. By question.
pub fn verify_restruck(recordings: &[&Recording]) -> BTreeMap<String, Answers> {
    let mut by: BTreeMap<String, Answers> = BTreeMap::new();
    let Some(first) = recordings.first() else { return by };
    let mut verifier = Verifier::new(first.rate, 440.0);
    let window = verifier.window();
    for (number, (root, shape)) in ROOTS.iter().flat_map(|root| CHORDS.iter().map(move |c| (root, c))).enumerate() {
        let chord: Vec<u8> = shape.iter().map(|up| root + up).collect();
        let frames = (AGAIN[number % 3] * f64::from(first.rate.0)) as usize;
        let parts: Vec<_> = chord.iter().map(|key| again(recordings, *key, number, frames + window)).collect();
        for (name, gain) in GAINS {
            for lacking in std::iter::once(None).chain((0..chord.len()).map(Some)) {
                let sound: Vec<f32> = (0..frames + window)
                    .map(|at| {
                        let of = |(n, (ring, new)): (usize, &(Vec<f32>, Vec<f32>))| {
                            let is_struck = at >= frames && Some(n) != lacking;
                            ring[at] + if is_struck { gain * new[at - frames] } else { 0.0 }
                        };
                        parts.iter().enumerate().map(of).sum::<f32>() / 4.0
                    })
                    .collect();
                let verdicts = verifier.verify(&sound[..frames], &sound[frames..], &keys(&chord), &[]);
                for (n, verdict) in verdicts.iter().enumerate() {
                    let what = match lacking {
                        None => "struck again",
                        Some(lacking) if lacking == n => "rings on",
                        Some(_) => continue,
                    };
                    by.entry(format!("{what}, {name}")).or_default().count(verdict.answer);
                }
                if lacking.is_none() {
                    let whole = verdicts.iter().all(|verdict| verdict.answer == Answer::Heard);
                    let answer = if whole { Answer::Heard } else { Answer::Unsure };
                    by.entry(format!("whole chord, {name}")).or_default().count(answer);
                }
            }
        }
    }
    by
}

/// A key that rings, and the same key struck anew, equally loud.
fn again(recordings: &[&Recording], key: u8, number: usize, length: usize) -> (Vec<f32>, Vec<f32>) {
    let away = recordings.iter().map(|r| r.key.abs_diff(key)).min().unwrap_or(0);
    let near: Vec<&&Recording> = recordings.iter().filter(|r| r.key.abs_diff(key) == away).collect();
    let sound = |take: usize| {
        let recording = near[take % near.len()];
        let step = (f64::from(key) - f64::from(recording.key)) / 12.0;
        let samples = shifted(&recording.samples[recording.begins.saturating_sub(64)..], step.exp2(), length);
        let top = samples.iter().take(10_000).fold(0.0_f32, |top, s| top.max(s.abs()));
        samples.into_iter().map(|s| 0.5 * s / top).collect()
    };
    (sound(number), sound(number + 1))
}

/// Samples read `step` times as fast, with a cubic between them.
fn shifted(samples: &[f32], step: f64, length: usize) -> Vec<f32> {
    let at = |index: usize| samples.get(index).copied().unwrap_or(0.0);
    let value = |frame: usize| {
        let place = frame as f64 * step + 1.0;
        let (index, part) = (place as usize, place.fract() as f32);
        let [a, b, c, d] = [index - 1, index, index + 1, index + 2].map(at);
        b + 0.5 * part * (c - a + part * (2.0 * a - 5.0 * b + 4.0 * c - d + part * (3.0 * (b - c) + d - a)))
    };
    (0..length).map(value).collect()
}
