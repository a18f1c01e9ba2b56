//! Whether notes that are expected were struck: what rose at their partials, against the sound before and against what
//! lies between the partials. Knows what is written, so chords are no harder than single notes; says when it is unsure.
//!
//! A note that rings and is struck again hardly rises: there it counts how much of a partial is new ([`super::ringing`]).
//! The limits of that were set on one instrument's recordings and are reported on another's, `tests/listen.rs`, chords of
//! three and four notes from G2 up. Held out (Kawai), in percent of the notes, without this criterion and with it:
//!
//! | | heard again, as loud | 6 dB softer | only rings on, but called heard |
//! | --- | --- | --- | --- |
//! | held out | 74 → 83 | 48 → 71 | 1.3 → 1.3 |
//! | tuned on (Steinway) | 53 → 72 | 39 → 51 | 0 → 0 |
//!
//! The older limits (floor, rise, weights) were set on both instruments.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::ringing::Ringing;
use crate::music::Pitch;
use crate::time::Rate;

/// Partials looked at for each note.
pub const PARTIALS: usize = 8;
/// Notes asked about at once: more than ten fingers.
pub const NOTES_MAX: usize = 16;
/// The stretch of sound compared in seconds, before rounding down to a power of two: 8 192 frames at 48 kHz. Its lines
/// are 23 Hz wide, so neighbouring keys part from their third partial on at C3.
const SECONDS: f64 = 0.19;
/// Partials below are lost in small microphones.
const HERTZ_MIN: f64 = 90.0;
/// And above, in the noise of the hammer.
const HERTZ_MAX: f64 = 5_000.0;
/// How far from its place, in cents, a partial may be: the tuning of an instrument and the stretch of its octaves.
const CENTS_MAX: f64 = 38.0;
/// A partial must stand out from the median of its surroundings by this, …
const OVER_FLOOR_DB: (f64, f64) = (8.0, 20.0);
/// … and have risen by this since before the onset, to count not at all, and wholly.
const RISE_DB: (f64, f64) = (2.0, 8.0);
/// Partials so far below the loudest line are not told from its skirts.
const BELOW_LOUDEST_DB: f64 = 55.0;
/// The first partials of a note that was struck are louder than that: partial n is at most so many decibels, and so
/// many more for each n, below the loudest line.
const BELOW_BY_PARTIAL_DB: (f64, f64) = (36.0, 4.0);
/// Partials of other notes that may be taken for one of this note's: higher ones of the bass are too weak.
const OTHERS: usize = 24;
/// Two partials of different notes closer than this, in cents, are one.
const SHARED_CENTS: f64 = 45.0;
/// What a partial shared with another expected note counts.
const SHARED_WEIGHT: f64 = 0.08;
/// The part of all weight that a note's own partials must have for it to be called heard.
const OWN_MIN: f64 = 0.5;
/// Evidence from which a note was struck, and up to which it was not.
const HEARD: f64 = 0.6;
const NOT_HEARD: f64 = 0.4;
/// So much of a partial must be new, in decibels below the whole, to count not at all, and wholly.
const NOVELTY_DB: (f64, f64) = (-9.0, -4.0);
/// A partial that is struck anew falls by no more than that, in decibels of its rise: what falls further beats.
const FALL_DB: (f64, f64) = (-5.0, -3.0);
/// Lines of the short spectra by which two partials must lie apart.
const APART_LINES: f64 = 2.5;
/// Stands for silence, in decibels.
const SILENCE_DB: f64 = -140.0;

/// An answer about one note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// It was struck.
    Heard,
    /// It was not.
    NotHeard,
    /// The sound does not tell.
    #[default]
    Unsure,
}

/// What one partial says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Partial {
    /// Where it was looked for, in hertz; 0 if it was not.
    pub hertz: f64,
    /// How far it stands out from its surroundings, in decibels.
    pub over_floor: f64,
    /// How far it has risen since before the onset, in decibels.
    pub rise: f64,
    /// How much of it is new, in decibels below the whole: not what rang before and rang on.
    pub novelty: f64,
    /// 0 to 1: how much it speaks for the note.
    pub evidence: f64,
    /// 0 to 1: how much it counts.
    pub weight: f64,
}

/// The answer about one note, and what carried it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The key asked about.
    pub key: u8,
    /// The answer.
    pub answer: Answer,
    /// 0 to 1: the weighted evidence of the partials.
    pub evidence: f64,
    /// 0 to 1: how far from undecided.
    pub confidence: f64,
    /// Partial by partial.
    pub partials: [Partial; PARTIALS],
}

/// Compares the sound before an onset with the sound after. All memory is taken in [`Verifier::new`].
pub struct Verifier {
    rate: f64,
    size: usize,
    a4: f64,
    forward: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    shape: Vec<f32>,
    ringing: Ringing,
    before: Vec<f32>,
    after: Vec<f32>,
    sorted: Vec<f32>,
    verdicts: [Verdict; NOTES_MAX],
}

impl Verifier {
    /// For one sample rate and tuning.
    pub fn new(rate: Rate, a4: f64) -> Self {
        let wanted = (SECONDS * f64::from(rate.0)) as usize;
        let size = (wanted.next_power_of_two() / 2).max(1024);
        let forward = RealFftPlanner::<f32>::new().plan_fft_forward(size);
        let shape = (0..size).map(|i| {
            let place = (i as f64 + 0.5) / size as f64;
            (0.5 - 0.5 * (std::f64::consts::TAU * place).cos()) as f32
        });
        Self {
            rate: f64::from(rate.0),
            size,
            a4,
            shape: shape.collect(),
            ringing: Ringing::new(size / 2),
            input: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch: forward.make_scratch_vec(),
            before: vec![0.0; size / 2 + 1],
            after: vec![0.0; size / 2 + 1],
            sorted: Vec::with_capacity(size / 2 + 1),
            verdicts: [Verdict::default(); NOTES_MAX],
            forward,
        }
    }

    /// Samples wanted after the onset.
    pub fn window(&self) -> usize {
        self.size
    }

    /// Samples wanted before the onset: with fewer, what rings on is not told from what is struck again.
    pub fn past(&self) -> usize {
        self.ringing.past().max(self.size)
    }

    /// One verdict per note of `expected`, in its order; of more than [`NOTES_MAX`] the first. `before` ends at the
    /// onset, `after` begins there; what they lack of [`Verifier::past`] and [`Verifier::window`] counts as silence. `sounding` are notes that
    /// were struck earlier and still ring.
    pub fn verify(&mut self, before: &[f32], after: &[f32], expected: &[Pitch], sounding: &[Pitch]) -> &[Verdict] {
        self.transform(&before[before.len().saturating_sub(self.size)..], false);
        self.transform(&after[..after.len().min(self.size)], true);
        self.ringing.transform(before, after);
        let loudest = self.after.iter().copied().fold(0.0, f32::max);
        let count = expected.len().min(NOTES_MAX);
        for index in 0..count {
            self.verdicts[index] = self.judge(index, &expected[..count], sounding, decibels(loudest));
        }
        &self.verdicts[..count]
    }

    /// Leaves the magnitudes in `after` or in `before`.
    fn transform(&mut self, samples: &[f32], is_after: bool) {
        self.input.fill(0.0);
        let offset = if is_after { 0 } else { self.size - samples.len() };
        for (index, sample) in samples.iter().enumerate().filter(|(_, sample)| sample.is_finite()) {
            self.input[offset + index] = sample * self.shape[offset + index];
        }
        self.forward
            .process_with_scratch(&mut self.input, &mut self.spectrum, &mut self.scratch)
            .expect("buffers made for this transform");
        let scale = 4.0 / self.size as f32;
        let magnitudes = if is_after { &mut self.after } else { &mut self.before };
        for (magnitude, value) in magnitudes.iter_mut().zip(&self.spectrum) {
            *magnitude = value.norm() * scale;
        }
    }

    fn judge(&mut self, index: usize, expected: &[Pitch], sounding: &[Pitch], loudest: f64) -> Verdict {
        let pitch = expected[index];
        let mut verdict = Verdict { key: pitch.key(), ..Verdict::default() };
        let (mut sum, mut weights, mut full) = (0.0, 0.0, 0.0);
        for n in 1..=PARTIALS {
            let hertz = partial(pitch, n, self.a4);
            if !(HERTZ_MIN..HERTZ_MAX.min(0.45 * self.rate)).contains(&hertz) {
                continue;
            }
            let others = expected.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, p)| p);
            let shared =
                others.chain(sounding.iter().filter(|p| **p != pitch)).any(|p| has_partial(*p, hertz, self.a4));
            let alone = alone(n);
            let weight = if shared { SHARED_WEIGHT * alone } else { alone };
            full += alone;
            let mut found = self.look(hertz, loudest, BELOW_BY_PARTIAL_DB.0 + BELOW_BY_PARTIAL_DB.1 * n as f64);
            if found.over_floor > 0.0 && !self.is_near_another(hertz, index, expected) {
                found.novelty = self.ringing.novelty(hertz, self.rate);
                let is_new = ramp(found.novelty, NOVELTY_DB) * ramp(found.rise, FALL_DB);
                let new = ramp(found.over_floor, OVER_FLOOR_DB) * is_new;
                found.evidence = found.evidence.max(new);
            }
            found.weight = weight;
            sum += weight * found.evidence;
            weights += weight;
            verdict.partials[n - 1] = found;
        }
        let mut evidence = if weights > 0.0 { sum / weights } else { 0.0 };
        evidence *= odd_share(&verdict.partials);
        evidence *= 1.0 - self.lower_octave(pitch, expected, sounding, loudest);
        let middle = 0.5 * (HEARD + NOT_HEARD);
        verdict.evidence = evidence;
        verdict.answer = match evidence {
            e if e >= HEARD => Answer::Heard,
            e if e <= NOT_HEARD => Answer::NotHeard,
            _ => Answer::Unsure,
        };
        let reach = if evidence > middle { 1.0 - middle } else { middle };
        verdict.confidence = ((evidence - middle).abs() / reach).min(1.0);
        // Where most partials are another's those few do not tell, nor does a note beyond what is looked at.
        let is_own = |(partial, n): &(&Partial, usize)| partial.weight > SHARED_WEIGHT * alone(*n);
        let own: f64 = verdict.partials.iter().zip(1..).filter(is_own).map(|(partial, _)| partial.weight).sum();
        let untold = verdict.answer == Answer::Heard && own < OWN_MIN * full;
        if untold || weights == 0.0 {
            (verdict.answer, verdict.confidence) = (Answer::Unsure, 0.0);
        }
        verdict
    }

    /// 0 to 1: how much of what rose belongs to a note an octave or a twelfth below, whose partials these also are and
    /// which nobody expects: its own partials lie between.
    fn lower_octave(&mut self, pitch: Pitch, expected: &[Pitch], sounding: &[Pitch], loudest: f64) -> f64 {
        let f0 = pitch.frequency(self.a4);
        let mut most: f64 = 0.0;
        for (semitones, between) in [(-12, [0.5, 1.5, 2.5]), (-19, [1.0 / 3.0, 2.0 / 3.0, 4.0 / 3.0])] {
            let Some(lower) = pitch.transposed(semitones) else { continue };
            if expected.contains(&lower) || sounding.contains(&lower) {
                continue;
            }
            let (mut found, mut count) = ([0.0; 3], 0);
            for ratio in between {
                let hertz = f0 * ratio;
                let known = expected.iter().chain(sounding).any(|p| has_partial(*p, hertz, self.a4));
                if hertz >= HERTZ_MIN && !known {
                    found[count] = self.look(hertz, loudest, BELOW_LOUDEST_DB).evidence;
                    count += 1;
                }
            }
            if count >= 2 {
                // The two that say most: a fundamental may be missing, or a partial that the strike leaves out.
                found.sort_unstable_by(f64::total_cmp);
                most = most.max(((found[1] + found[2]) / 2.0 - 0.3).clamp(0.0, 0.5) * 2.0);
            }
        }
        most
    }

    /// Whether a partial of another expected note lies within the lines that [`Ringing`] cannot tell apart.
    fn is_near_another(&self, hertz: f64, index: usize, expected: &[Pitch]) -> bool {
        let width = APART_LINES * self.rate / self.ringing.size as f64;
        let others = expected.iter().enumerate().filter(|(other, _)| *other != index);
        others.into_iter().any(|(_, p)| (1..=OTHERS).any(|n| (partial(*p, n, self.a4) - hertz).abs() < width))
    }

    /// What lies at a frequency.
    fn look(&mut self, hertz: f64, loudest: f64, below: f64) -> Partial {
        let width = self.rate / self.size as f64;
        let ratio = (CENTS_MAX / 1200.0).exp2();
        let low = ((hertz / ratio / width).floor() as usize).max(2);
        let high = ((hertz * ratio / width).ceil() as usize).min(self.after.len() - 3);
        let none = Partial { hertz, novelty: SILENCE_DB, ..Partial::default() };
        if low >= high {
            return none;
        }
        let top = (low..=high).max_by(|a, b| self.after[*a].total_cmp(&self.after[*b])).unwrap_or(low);
        if self.after[top] < self.after[top - 1] || self.after[top] < self.after[top + 1] {
            // The skirt of something else.
            return none;
        }
        let place = interpolate(&self.after, top) * width;
        if (1200.0 * (place / hertz).log2()).abs() > CENTS_MAX {
            return none;
        }
        let level = decibels(self.after[top]);
        if level < loudest - BELOW_LOUDEST_DB.min(below) {
            return none;
        }
        let over_floor = level - decibels(self.floor(top));
        let before = self.before[top - 1].max(self.before[top]).max(self.before[top + 1]);
        let rise = level - decibels(before);
        let evidence = ramp(over_floor, OVER_FLOOR_DB) * ramp(rise, RISE_DB);
        Partial { hertz, over_floor, rise, novelty: SILENCE_DB, evidence, weight: 0.0 }
    }

    /// The median of the lines around one.
    fn floor(&mut self, top: usize) -> f32 {
        let reach = (top / 6).clamp(8, 48);
        let around = top.saturating_sub(reach)..(top + reach + 1).min(self.after.len());
        self.sorted.clear();
        self.sorted.extend_from_slice(&self.after[around]);
        self.sorted.sort_unstable_by(f32::total_cmp);
        self.sorted[self.sorted.len() / 2]
    }
}

/// What a partial counts: the lower ones are the louder ones on every instrument, and a flute has few others.
fn alone(n: usize) -> f64 {
    1.0 / n as f64
}

/// 0.5 to 1: less if only even partials are there, which are those of the note an octave above.
fn odd_share(partials: &[Partial; PARTIALS]) -> f64 {
    let mean = |first: usize| {
        let (mut sum, mut weights) = (0.0, 0.0);
        for partial in partials.iter().skip(first).step_by(2) {
            sum += partial.weight * partial.evidence;
            weights += partial.weight;
        }
        if weights > 0.0 { sum / weights } else { 0.0 }
    };
    let (odd, even) = (mean(0), mean(1));
    if odd < 0.5 * even { 0.5 + odd / even } else { 1.0 }
}

/// The inharmonicity of a piano's key (Rigaud, David and Daudet, JASA 133, 2013); other instruments have none, which
/// the tolerance covers for the partials looked at.
fn inharmonicity(pitch: Pitch) -> f64 {
    let m = f64::from(pitch.key());
    0.7 * ((0.0926 * m - 13.64).exp() + (-0.0847 * m - 5.82).exp())
}

fn partial(pitch: Pitch, n: usize, a4: f64) -> f64 {
    let (n, b) = (n as f64, inharmonicity(pitch));
    n * pitch.frequency(a4) * ((1.0 + b * n * n) / (1.0 + b)).sqrt()
}

fn has_partial(pitch: Pitch, hertz: f64, a4: f64) -> bool {
    (1..=OTHERS).any(|n| (1200.0 * (partial(pitch, n, a4) / hertz).log2()).abs() < SHARED_CENTS)
}

fn decibels(magnitude: f32) -> f64 {
    (20.0 * f64::from(magnitude).log10()).max(SILENCE_DB)
}

fn ramp(value: f64, (from, to): (f64, f64)) -> f64 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// The place of a line between the bins: the parabola through the logarithms.
fn interpolate(magnitudes: &[f32], top: usize) -> f64 {
    let at = |index: usize| f64::from(magnitudes[index].max(f32::MIN_POSITIVE)).ln();
    let (left, middle, right) = (at(top - 1), at(top), at(top + 1));
    let bend = left - 2.0 * middle + right;
    top as f64 + if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 }
}
