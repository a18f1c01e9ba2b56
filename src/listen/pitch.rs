//! The pitch of one voice: the normalised square difference of McLeod and Wyvill, "A smarter way to find pitch" (ICMC
//! 2005), over a short and a long window.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::music::Pitch;
use crate::time::Rate;

/// The shorter window in seconds, before rounding to a power of two: 2 048 frames at 44.1 and 48 kHz.
const SHORT_SECONDS: f64 = 0.043;
/// The longer window is so many short ones: three periods of a piano's lowest octave.
const LONG: usize = 4;
/// Below this the short window holds too few periods; A♯2.
const SHORT_HERTZ_MIN: f64 = 115.0;
/// The lowest pitch that is looked for, a little below A0.
const HERTZ_MIN: f64 = 26.0;
/// The highest, a little above C8.
const HERTZ_MAX: f64 = 4_400.0;
/// The first peak of at least this part of the highest is the period. Lower takes harmonics for the fundamental, higher
/// takes two periods for one.
const KEY_MAXIMUM: f32 = 0.9;
/// A peak within this distance of the period before is preferred to the first, …
const HELD_RATIO: f64 = 0.03;
/// … if it is shorter and not lower by more than this, …
const HELD_SLACK: f32 = 0.08;
/// … or longer and higher by at least this.
const HELD_GAIN: f32 = 0.02;
/// Peaks looked at in one window; the period is among the first few.
const PEAKS_MAX: usize = 256;
/// Clarity from which the short window's answer stands without asking the long one.
const SHORT_CLARITY: f32 = 0.8;
/// Square sums below this are silence: −120 dBFS.
const POWER_MIN: f64 = 1e-12;

/// A pitch and how surely it is one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    /// The fundamental.
    pub hertz: f64,
    /// How much each period is like the next: 1 for a steady tone, 0 for noise.
    pub clarity: f32,
}

impl Heard {
    /// The nearest key with A4 at `a4` hertz, and how many cents above it the pitch lies, −50 to 50. `None` beyond the
    /// keys there are.
    pub fn key(self, a4: f64) -> Option<(Pitch, f64)> {
        nearest_key(self.hertz, a4)
    }
}

/// See [`Heard::key`].
pub fn nearest_key(hertz: f64, a4: f64) -> Option<(Pitch, f64)> {
    let place = 69.0 + 12.0 * (hertz / a4).log2();
    if !(-0.5..127.5).contains(&place) {
        return None;
    }
    let key = place.round();
    Some((Pitch::new(key as u8)?, 100.0 * (place - key)))
}

/// Finds the pitch at the end of what was heard. All memory is taken in [`PitchFinder::new`].
pub struct PitchFinder {
    short: Difference,
    long: Difference,
    held: Option<f64>,
}

impl PitchFinder {
    /// For one sample rate.
    pub fn new(rate: Rate) -> Self {
        let hertz = f64::from(rate.0);
        let short = ((hertz * SHORT_SECONDS) as usize).next_power_of_two().max(256);
        let short = if short as f64 > hertz * SHORT_SECONDS * 1.5 { short / 2 } else { short };
        Self { short: Difference::new(short, hertz), long: Difference::new(short * LONG, hertz), held: None }
    }

    /// Samples that [`PitchFinder::find`] looks at.
    pub fn window(&self) -> usize {
        self.long.size
    }

    /// How far behind the last sample the middle of the shorter window lies, in frames: what a change of pitch takes to
    /// be seen.
    pub fn delay(&self) -> usize {
        self.short.size / 2
    }

    /// Forgets what was heard: the next note may be any.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// The pitch at the end of `samples`; `None` in silence and without any period. `samples` shorter than
    /// [`PitchFinder::window`] are taken as preceded by silence.
    pub fn find(&mut self, samples: &[f32]) -> Option<Heard> {
        let short = self.short.find(samples, self.held, SHORT_HERTZ_MIN);
        let found = match short {
            Some(heard) if heard.clarity >= SHORT_CLARITY => Some(heard),
            _ => {
                let long = self.long.find(samples, self.held, HERTZ_MIN);
                if short.map_or(0.0, |h| h.clarity) > long.map_or(0.0, |h| h.clarity) { short } else { long }
            }
        };
        self.held = found.map(|heard| heard.hertz);
        found
    }
}

/// The normalised square difference over one window.
struct Difference {
    size: usize,
    rate: f64,
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    padded: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    likeness: Vec<f32>,
    scratch: Vec<Complex<f32>>,
    window: Vec<f32>,
    peaks: Vec<(f64, f32)>,
}

impl Difference {
    fn new(size: usize, rate: f64) -> Self {
        let mut planner = RealFftPlanner::<f32>::new();
        let (forward, backward) = (planner.plan_fft_forward(2 * size), planner.plan_fft_inverse(2 * size));
        let scratch = forward.get_scratch_len().max(backward.get_scratch_len());
        Self {
            size,
            rate,
            padded: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            likeness: backward.make_output_vec(),
            scratch: vec![Complex::default(); scratch],
            window: vec![0.0; size],
            peaks: Vec::with_capacity(PEAKS_MAX),
            forward,
            backward,
        }
    }

    fn find(&mut self, samples: &[f32], held: Option<f64>, lowest: f64) -> Option<Heard> {
        let longest = ((self.rate / lowest) as usize).min(self.size - 2);
        let shortest = (self.rate / HERTZ_MAX) as usize;
        if !self.compare(samples, longest + 2) {
            return None;
        }
        self.collect_peaks(shortest.max(2), longest);
        let highest = self.peaks.iter().map(|p| p.1).fold(0.0, f32::max);
        let first = *self.peaks.iter().find(|p| p.1 >= KEY_MAXIMUM * highest)?;
        let near = |p: &&(f64, f32)| {
            // Every multiple of a steady period is as good as the period: a longer one must be better to be held.
            let enough = if p.0 < first.0 { first.1 - HELD_SLACK } else { first.1 + HELD_GAIN };
            held.is_some_and(|h| (self.rate / p.0 / h - 1.0).abs() < HELD_RATIO) && p.1 >= enough
        };
        let (period, clarity) = self.peaks.iter().find(near).copied().unwrap_or(first);
        Some(Heard { hertz: self.rate / period, clarity: clarity.clamp(0.0, 1.0) })
    }

    /// Leaves the normalised square difference at lags below `lags` in `likeness`; `false` in silence.
    fn compare(&mut self, samples: &[f32], lags: usize) -> bool {
        let taken = samples.len().min(self.size);
        self.window[..self.size - taken].fill(0.0);
        self.window[self.size - taken..].copy_from_slice(&samples[samples.len() - taken..]);
        let power: f64 = self.window.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
        if !power.is_finite() || power < POWER_MIN * self.size as f64 {
            return false;
        }
        self.padded[..self.size].copy_from_slice(&self.window);
        self.padded[self.size..].fill(0.0);
        self.forward
            .process_with_scratch(&mut self.padded, &mut self.spectrum, &mut self.scratch)
            .expect("buffers made for this transform");
        for value in &mut self.spectrum {
            *value = Complex::new(value.norm_sqr(), 0.0);
        }
        self.backward
            .process_with_scratch(&mut self.spectrum, &mut self.likeness, &mut self.scratch)
            .expect("buffers made for this transform");
        // The autocorrelation over the sum of both squares at each lag; the ends drop out of that sum one by one.
        let scale = 1.0 / (2 * self.size) as f64;
        let mut squares = 2.0 * power;
        for lag in 0..lags {
            let sum = f64::from(self.likeness[lag]) * scale;
            self.likeness[lag] = if squares > 0.0 { (2.0 * sum / squares) as f32 } else { 0.0 };
            let (head, tail) = (f64::from(self.window[lag]), f64::from(self.window[self.size - 1 - lag]));
            squares -= head * head + tail * tail;
        }
        true
    }

    /// The tops after the curve has first been below zero, placed between the samples.
    fn collect_peaks(&mut self, shortest: usize, longest: usize) {
        self.peaks.clear();
        let curve = &self.likeness;
        let Some(start) = (1..longest).find(|&lag| curve[lag] < 0.0) else { return };
        for lag in start..=longest {
            let value = curve[lag];
            let is_top = value > 0.0 && value >= curve[lag - 1] && value > curve[lag + 1];
            if is_top && lag >= shortest && self.peaks.len() < PEAKS_MAX {
                self.peaks.push(parabola(curve, lag));
            }
        }
    }
}

/// Place and height of the parabola's top through three points around a maximum.
fn parabola(curve: &[f32], top: usize) -> (f64, f32) {
    let (left, middle, right) = (f64::from(curve[top - 1]), f64::from(curve[top]), f64::from(curve[top + 1]));
    let bend = left - 2.0 * middle + right;
    if bend >= 0.0 {
        return (top as f64, middle as f32);
    }
    let shift = 0.5 * (left - right) / bend;
    (top as f64 + shift, (middle - 0.25 * (left - right) * shift) as f32)
}
