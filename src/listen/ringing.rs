//! What is new in a sound that rings: a partial that nobody touches goes on as it did, falling and turning by the same
//! factor from one stretch to the next; a strike adds something that does not fit. After the complex domain method of
//! Bello, Duxbury, Davies and Sandler, "On the use of phase and energy for musical onset detection in the complex domain"
//! (IEEE Signal Processing Letters 11, 2004), applied to one partial at a time.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// From the earliest stretch to the next a partial that rings changes its level by no less and no more, in decibels:
/// otherwise it began just then, or beats too fast to be followed.
const STEADY_DB: (f64, f64) = (-15.0, 3.0);
/// And it was where it was expected, but for so much of it, in decibels: otherwise nothing is said of it.
const FOLLOWED_DB: f64 = -8.0;
/// Stands for silence.
const SILENCE_DB: f64 = -140.0;

/// Four stretches of equal length: three before an onset, one after.
pub(super) struct Ringing {
    pub(super) size: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    shape: Vec<f32>,
    input: Vec<f32>,
    scratch: Vec<Complex<f32>>,
    spectra: [Vec<Complex<f32>>; 4],
}

impl Ringing {
    /// Of `size` samples each.
    pub(super) fn new(size: usize) -> Self {
        let forward = RealFftPlanner::<f32>::new().plan_fft_forward(size);
        let shape = (0..size).map(|i| {
            let place = (i as f64 + 0.5) / size as f64;
            (0.5 - 0.5 * (std::f64::consts::TAU * place).cos()) as f32
        });
        Self {
            size,
            shape: shape.collect(),
            input: forward.make_input_vec(),
            scratch: forward.make_scratch_vec(),
            spectra: std::array::from_fn(|_| forward.make_output_vec()),
            forward,
        }
    }

    /// Samples looked at before an onset.
    pub(super) fn past(&self) -> usize {
        3 * self.size
    }

    /// Looks at the sound around an onset, at which `before` ends and `after` begins. What is lacking is silence.
    pub(super) fn transform(&mut self, before: &[f32], after: &[f32]) {
        let [begin, earlier, later] = [3, 2, 1].map(|stretches| before.len().saturating_sub(stretches * self.size));
        let after = &after[..after.len().min(self.size)];
        let stretches = [&before[begin..earlier], &before[earlier..later], &before[later..], after];
        for (index, (samples, spectrum)) in stretches.into_iter().zip(&mut self.spectra).enumerate() {
            self.input.fill(0.0);
            let offset = if index < 3 { self.size - samples.len() } else { 0 };
            for (at, sample) in samples.iter().enumerate().filter(|(_, sample)| sample.is_finite()) {
                self.input[offset + at] = sample * self.shape[offset + at];
            }
            self.forward
                .process_with_scratch(&mut self.input, spectrum, &mut self.scratch)
                .expect("buffers made for this transform");
        }
    }

    /// How much of what sounds at a frequency after the onset is new, in decibels below the whole.
    pub(super) fn novelty(&self, hertz: f64, rate: f64) -> f64 {
        let around = (hertz * self.size as f64 / rate).round() as usize;
        let last = self.spectra[3].len() - 1;
        let lines = around.saturating_sub(1).min(last)..=(around + 1).min(last);
        let line = lines.max_by(|a, b| self.spectra[3][*a].norm().total_cmp(&self.spectra[3][*b].norm())).unwrap_or(0);
        let [first, second, third, after] = [0, 1, 2, 3].map(|stretch| {
            let value = self.spectra[stretch][line];
            Complex::new(f64::from(value.re), f64::from(value.im))
        });
        let steady = |a: Complex<f64>, b: Complex<f64>| {
            (STEADY_DB.0..=STEADY_DB.1).contains(&(20.0 * (b.norm() / a.norm()).log10()))
        };
        let is_followed =
            steady(first, second) && steady(second, third) && deviation(first, second, third) <= FOLLOWED_DB;
        if is_followed { deviation(second, third, after) } else { SILENCE_DB }
    }
}

/// How far the last of three values of a partial is from where the first two lead, in decibels below it.
fn deviation(first: Complex<f64>, second: Complex<f64>, third: Complex<f64>) -> f64 {
    // What does not fall by itself is not expected to grow.
    let factor = second / first;
    let factor = factor / factor.norm().max(1.0);
    (20.0 * ((third - second * factor).norm() / third.norm()).log10()).max(SILENCE_DB)
}
