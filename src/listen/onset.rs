//! Where notes begin: the spectral flux of log-compressed magnitudes against an adaptive median, after Dixon, "Onset
//! detection revisited" (DAFx 2006) and Böck and Widmer, "Maximum filter vibrato suppression" (DAFx 2013).

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::HOP;
use crate::time::Frames;

/// Frames of one spectrum, four hops.
const WINDOW: usize = 4 * HOP;
/// Spectra kept: each is compared with the one two hops before, which shares half of its samples.
const LAG: usize = 2;
/// Magnitudes are taken as ln(1 + this · magnitude): soft notes count, noise at −70 dBFS does not.
const COMPRESSION: f32 = 300.0;
/// Flux values that the median is taken over: 130 ms at 48 kHz.
const HISTORY: usize = 25;
/// An onset rises over the median by this much, in the mean of the compressed magnitudes over the bins. Measured: 0.012
/// tells twice the onsets beside the true ones in bowed notes, 0.03 misses soft notes of the piano.
const RISE_MIN: f32 = 0.02;
/// And is so many times the median.
const RISE_RATIO: f32 = 1.8;
/// Two onsets are at least so many hops apart: 53 ms at 48 kHz; trills of one voice reach 70 ms.
const APART: u64 = 10;
/// Frames of the short energies by which an onset is placed within its hops.
const GRAIN: usize = 64;
/// Samples kept for that.
const KEPT: usize = WINDOW + 4 * HOP;
/// The first grain whose energy reaches this part of the loudest, and rises over what was before, begins the note.
const BEGIN: f32 = 0.02;
const ABOVE_FLOOR: f32 = 2.0;
/// Grains that surely lie before.
const BEFORE: usize = 10;

/// A beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Onset {
    /// Its frame.
    pub at: Frames,
    /// How far the flux rose over its median, 0.02 and up; a loud chord reaches 1.
    pub strength: f32,
}

/// Looks for onsets, hop by hop. All memory is taken in [`OnsetFinder::new`].
pub struct OnsetFinder {
    forward: Arc<dyn RealToComplex<f32>>,
    shape: Vec<f32>,
    input: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// The last [`LAG`] + 1 compressed spectra, a ring.
    magnitudes: [Vec<f32>; LAG + 1],
    history: [f32; HISTORY],
    sorted: [f32; HISTORY],
    hops: u64,
    last: Option<u64>,
    /// The newest two fluxes over their thresholds.
    before: f32,
    candidate: f32,
    recent: Vec<f32>,
}

impl Default for OnsetFinder {
    fn default() -> Self {
        Self::new()
    }
}

impl OnsetFinder {
    /// For any sample rate; hops are counted in frames.
    pub fn new() -> Self {
        let forward = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
        let bins = WINDOW / 2 + 1;
        let shape = (0..WINDOW).map(|i| {
            let place = (i as f64 + 0.5) / WINDOW as f64;
            // A Hann window whose sum is 2: a sine of full scale has magnitude 1.
            ((0.5 - 0.5 * (std::f64::consts::TAU * place).cos()) * 4.0 / WINDOW as f64) as f32
        });
        Self {
            shape: shape.collect(),
            input: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch: forward.make_scratch_vec(),
            magnitudes: std::array::from_fn(|_| vec![0.0; bins]),
            history: [0.0; HISTORY],
            sorted: [0.0; HISTORY],
            hops: 0,
            last: None,
            before: 0.0,
            candidate: 0.0,
            recent: vec![0.0; KEPT],
            forward,
        }
    }

    /// How many frames after its beginning an onset is told, at the most.
    pub const DELAY: usize = WINDOW + HOP;

    /// Takes the next [`HOP`] samples, of which the first is frame `first`; an onset that they complete.
    pub fn push(&mut self, samples: &[f32; HOP], first: Frames) -> Option<Onset> {
        self.recent.copy_within(HOP.., 0);
        self.recent[KEPT - HOP..].copy_from_slice(samples);
        let flux = self.flux();
        let median = self.median();
        let over = if flux > RISE_RATIO * median { flux - median } else { 0.0 };
        self.history[(self.hops % HISTORY as u64) as usize] = flux;
        // The flux before is an onset if it was a peak.
        let is_peak = self.candidate > RISE_MIN && self.candidate >= self.before && self.candidate > over;
        let free = self.last.is_none_or(|last| self.hops - last >= APART);
        let strength = self.candidate;
        (self.before, self.candidate) = (self.candidate, over);
        self.hops += 1;
        if !is_peak || !free {
            return None;
        }
        self.last = Some(self.hops - 1);
        let end = first.0 + HOP as i64;
        Some(Onset { at: Frames(end - KEPT as i64 + self.place() as i64), strength })
    }

    /// Forgets the past, after a gap: what comes is not compared with what was.
    pub fn reset(&mut self) {
        self.recent.fill(0.0);
        self.magnitudes.iter_mut().for_each(|m| m.fill(0.0));
        (self.before, self.candidate, self.last) = (0.0, 0.0, Some(self.hops));
    }

    fn flux(&mut self) -> f32 {
        let window = &self.recent[KEPT - WINDOW..];
        for ((input, sample), weight) in self.input.iter_mut().zip(window).zip(&self.shape) {
            *input = if sample.is_finite() { sample * weight } else { 0.0 };
        }
        self.forward
            .process_with_scratch(&mut self.input, &mut self.spectrum, &mut self.scratch)
            .expect("buffers made for this transform");
        let newest = (self.hops % (LAG as u64 + 1)) as usize;
        for (magnitude, value) in self.magnitudes[newest].iter_mut().zip(&self.spectrum) {
            *magnitude = (1.0 + COMPRESSION * value.norm()).ln();
        }
        // The slot that is overwritten next holds the oldest.
        let oldest = (newest + 1) % (LAG + 1);
        let (new, old) = (&self.magnitudes[newest], &self.magnitudes[oldest]);
        let bins = new.len();
        // Against the largest of three neighbours, so that vibrato is no onset.
        let rise = |bin: usize| (new[bin] - old[bin - 1].max(old[bin]).max(old[bin + 1])).max(0.0);
        (1..bins - 1).map(rise).sum::<f32>() / bins as f32
    }

    fn median(&mut self) -> f32 {
        self.sorted.copy_from_slice(&self.history);
        self.sorted.sort_unstable_by(f32::total_cmp);
        self.sorted[HISTORY / 2]
    }

    /// The sample within `recent` at which the energy begins to rise towards the loudest grain.
    fn place(&self) -> usize {
        const GRAINS: usize = KEPT / GRAIN;
        let mut energies = [0.0_f32; GRAINS];
        for (energy, grain) in energies.iter_mut().zip(self.recent.chunks_exact(GRAIN)) {
            *energy = grain.iter().map(|s| s * s).sum();
        }
        let floor = energies[..BEFORE].iter().copied().fold(0.0, f32::max);
        let loudest = energies.iter().copied().fold(0.0, f32::max);
        let enough = (floor * ABOVE_FLOOR).max(BEGIN * loudest);
        let first = energies.iter().position(|energy| *energy > enough);
        // A new pitch at the same level shows in no energy: then where the flux rose most.
        let first = first.unwrap_or((KEPT - WINDOW / 2 - HOP) / GRAIN);
        first * GRAIN
    }
}
