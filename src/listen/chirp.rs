//! Finds known chirps in what was recorded: the delay from the frame at which a chirp was sent to the frame at which it
//! was heard. A matched filter per chirp, the median over all of them.

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;
use thiserror::Error;

use crate::time::{Frames, Micros, Rate};

/// The longest delay that is looked for; wireless headphones reach 300 ms.
pub const ROUND_TRIP_MAX: Micros = Micros::from_millis(500);
/// The median distance from the median delay, above which the delay is no constant and so no calibration.
pub const SPREAD_MAX: Micros = Micros::from_millis(1);
/// Chirps of one calibration: half of them may be lost, and six still make a median.
pub const CHIRPS: usize = 12;
/// Chirps taken at most, a bound on the work.
const CHIRPS_MAX: usize = 256;
/// How long a chirp is: with its band a gain of 25 dB over the noise.
const LENGTH: Micros = Micros::from_millis(50);
/// The band in hertz: what the speaker and the microphone of a laptop pass.
const BAND: (f64, f64) = (800.0, 7_000.0);
/// The band ends no higher than this part of the sample rate.
const BAND_OF_RATE: f64 = 0.4;
/// The part of a chirp that fades in, and out.
const FADE: f64 = 0.25;
/// The loudest sample of a chirp; leaves the limiter alone.
const AMPLITUDE: f64 = 0.5;
/// Silence between the latest that one chirp may be heard and the next.
const PAUSE: Micros = Micros::from_millis(100);
/// How much the filter's answer must rise over its median to be a chirp: noise alone stays below 4.
const PROMINENCE_MIN: f64 = 8.0;
/// A recording without any noise stands out without end; this is where telling it ends.
const PROMINENCE_MAX: f64 = 1e6;
/// A room's echo may be louder than the direct way; the earliest answer of this height before it is taken.
const DIRECT_MIN: f32 = 0.5;
/// Frames looked at before the chirp was sent, so that a delay of nothing too has a frame on either side.
const LEAD: usize = 16;
/// How far before the strongest answer the direct way is looked for.
const DIRECT_WITHIN: Micros = Micros::from_millis(10);

/// One chirp: full scale is 1, its first sample belongs to the frame at which it is said to be sent.
pub fn chirp(rate: Rate) -> Vec<f32> {
    let length = rate.frames(LENGTH).0 as usize;
    let (low, high) = (BAND.0, BAND.1.min(BAND_OF_RATE * f64::from(rate.0)));
    let seconds = length as f64 / f64::from(rate.0);
    let fade = |place: f64| {
        let edge = place.min(1.0 - place) / FADE;
        if edge < 1.0 { (std::f64::consts::FRAC_PI_2 * edge).sin().powi(2) } else { 1.0 }
    };
    let sample = |index: usize| {
        let place = (index as f64 + 0.5) / length as f64;
        let t = place * seconds;
        // The frequency rises linearly; the phase is its integral.
        let phase = std::f64::consts::TAU * (low * t + (high - low) * t * t / (2.0 * seconds));
        (AMPLITUDE * fade(place) * phase.sin()) as f32
    };
    (0..length).map(sample).collect()
}

/// Where the chirps of one calibration begin, the first at `first`: far enough apart that none is taken for another.
pub fn emissions(first: Frames, rate: Rate) -> [Frames; CHIRPS] {
    let apart = rate.frames(ROUND_TRIP_MAX + PAUSE).0;
    std::array::from_fn(|index| first + Frames(apart * index as i64))
}

/// A measured delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundTrip {
    /// The median delay in frames, from the first sample sent to the same sample heard; to about a tenth of a frame.
    pub delay: f64,
    /// The median distance from that median, in frames.
    pub spread: f64,
    /// Chirps that were heard.
    pub heard: usize,
    /// Chirps that were sent.
    pub sent: usize,
    /// How far the chirps stood out from everything else recorded, in decibels; the median. From 18 up.
    pub prominence: f64,
}

/// Why a recording gives no delay.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum CalibrationError {
    /// Nothing was sent, or more than is reasonable.
    #[error("{sent} chirps were sent; 1 to {CHIRPS_MAX} make a calibration")]
    Count {
        /// How many.
        sent: usize,
    },
    /// Two chirps could be taken for each other.
    #[error("chirp {index} was sent {apart} frames after the one before; the least is {least}")]
    TooClose {
        /// Which one, from 0.
        index: usize,
        /// Frames after the one before.
        apart: i64,
        /// What is needed.
        least: i64,
    },
    /// Too few chirps were found.
    #[error("only {heard} of {sent} chirps were heard")]
    NotHeard {
        /// How many were.
        heard: usize,
        /// How many were sent.
        sent: usize,
    },
    /// The delays differ too much to be one.
    #[error("the delay is not steady: it differs by {millis:.1} ms from chirp to chirp")]
    Scattered {
        /// The median distance from the median, in milliseconds.
        millis: f64,
    },
}

impl RoundTrip {
    /// Finds the chirps of [`chirp`] in `recorded`, of which the first sample belongs to frame 0 and `emitted_at` counts
    /// in the same frames, in rising order. Half of the chirps may be missing. Delays from 0 to [`ROUND_TRIP_MAX`].
    pub fn find(recorded: &[f32], emitted_at: &[Frames], rate: Rate) -> Result<Self, CalibrationError> {
        let sent = emitted_at.len();
        if sent == 0 || sent > CHIRPS_MAX {
            return Err(CalibrationError::Count { sent });
        }
        let least = rate.frames(ROUND_TRIP_MAX).0;
        for (index, pair) in emitted_at.windows(2).enumerate() {
            let apart = pair[1].0.saturating_sub(pair[0].0);
            if apart < least {
                return Err(CalibrationError::TooClose { index: index + 1, apart, least });
            }
        }
        let mut filter = MatchedFilter::new(rate);
        let found: Vec<Found> = emitted_at.iter().filter_map(|&at| filter.find(recorded, at)).collect();
        let heard = found.len();
        if heard * 2 < sent {
            return Err(CalibrationError::NotHeard { heard, sent });
        }
        let delay = median(found.iter().map(|f| f.delay));
        let spread = median(found.iter().map(|f| (f.delay - delay).abs()));
        let millis = spread * 1_000.0 / f64::from(rate.0);
        if millis > SPREAD_MAX.as_millis_f64() {
            return Err(CalibrationError::Scattered { millis });
        }
        let prominence = 20.0 * median(found.iter().map(|f| f.prominence)).log10();
        Ok(Self { delay, spread, heard, sent, prominence })
    }

    /// The delay as a time, to the nearest microsecond.
    pub fn micros(&self, rate: Rate) -> Micros {
        Micros((self.delay * 1e6 / f64::from(rate.0)).round() as i64)
    }
}

/// The middle one, or the mean of the middle two; 0 of none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// One chirp found.
struct Found {
    /// In frames.
    delay: f64,
    /// The answer over its median.
    prominence: f64,
}

/// Correlates a stretch of the recording with the chirp. The answer's envelope, the length of the analytic signal, does
/// not depend on which way round the microphone is wired.
struct MatchedFilter {
    rate: Rate,
    /// Delays looked at, in frames from [`LEAD`] before the chirp was sent.
    reach: usize,
    /// Samples looked at.
    window: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    /// The chirp's spectrum, conjugated.
    chirp: Vec<Complex<f32>>,
    samples: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    product: Vec<Complex<f32>>,
    real: Vec<f32>,
    imaginary: Vec<f32>,
}

impl MatchedFilter {
    fn new(rate: Rate) -> Self {
        let chirp = chirp(rate);
        let reach = LEAD + rate.frames(ROUND_TRIP_MAX).0 as usize;
        let window = reach + chirp.len();
        // The correlation is circular: what wraps around falls on delays beyond the reach.
        let size = (window + chirp.len()).next_power_of_two();
        let mut planner = RealFftPlanner::<f32>::new();
        let (forward, backward) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
        let mut samples = forward.make_input_vec();
        samples[..chirp.len()].copy_from_slice(&chirp);
        let mut filter = Self {
            rate,
            reach,
            window,
            chirp: Vec::new(),
            samples,
            spectrum: forward.make_output_vec(),
            product: forward.make_output_vec(),
            real: backward.make_output_vec(),
            imaginary: backward.make_output_vec(),
            forward,
            backward,
        };
        filter.transform();
        filter.chirp = filter.spectrum.iter().map(Complex::conj).collect();
        filter
    }

    fn transform(&mut self) {
        self.forward.process(&mut self.samples, &mut self.spectrum).expect("buffers made for this transform");
    }

    /// The chirp sent at `at`; `None` if nothing stands out.
    fn find(&mut self, recorded: &[f32], at: Frames) -> Option<Found> {
        self.samples.fill(0.0);
        let first = at.0.checked_sub(LEAD as i64)?;
        for (offset, sample) in self.samples[..self.window].iter_mut().enumerate() {
            let frame = first.checked_add(offset as i64).and_then(|frame| usize::try_from(frame).ok());
            // What is no number is as good as silence.
            *sample = frame.and_then(|f| recorded.get(f)).copied().filter(|s| s.is_finite()).unwrap_or(0.0);
        }
        self.transform();
        self.correlate();
        let envelope = &self.real[..self.reach];
        let (strongest, height) = envelope.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let middle = median(envelope.iter().map(|&v| f64::from(v)));
        let prominence = f64::from(height) / middle.max(f64::from(f32::MIN_POSITIVE));
        if height <= 0.0 || prominence < PROMINENCE_MIN {
            return None;
        }
        let place = direct(envelope, strongest, self.rate.frames(DIRECT_WITHIN).0 as usize);
        let delay = refine(envelope, place) - LEAD as f64;
        Some(Found { delay, prominence: prominence.min(PROMINENCE_MAX) })
    }

    /// Leaves the envelope of the correlation in `real`.
    fn correlate(&mut self) {
        let last = self.spectrum.len() - 1;
        for quarter_turn in [false, true] {
            let turn = if quarter_turn { Complex::new(0.0, -1.0) } else { Complex::new(1.0, 0.0) };
            for ((product, signal), chirp) in self.product.iter_mut().zip(&self.spectrum).zip(&self.chirp) {
                *product = signal * chirp * turn;
            }
            // These two have no phase; the transform wants them real.
            (self.product[0], self.product[last]) = (Complex::default(), Complex::default());
            let output = if quarter_turn { &mut self.imaginary } else { &mut self.real };
            self.backward.process(&mut self.product, output).expect("buffers made for this transform");
        }
        for (real, imaginary) in self.real.iter_mut().zip(&self.imaginary) {
            *real = real.hypot(*imaginary);
        }
    }
}

/// The earliest peak before the strongest that is high enough to be the direct way.
fn direct(envelope: &[f32], strongest: usize, within: usize) -> usize {
    let enough = envelope[strongest] * DIRECT_MIN;
    let is_peak = |&place: &usize| {
        let left = place.checked_sub(1).map_or(0.0, |p| envelope[p]);
        let right = envelope.get(place + 1).copied().unwrap_or(0.0);
        envelope[place] >= enough && envelope[place] >= left && envelope[place] > right
    };
    (strongest.saturating_sub(within)..strongest).find(is_peak).unwrap_or(strongest)
}

/// Between the samples: the top of the parabola through the logarithms of three.
fn refine(envelope: &[f32], place: usize) -> f64 {
    let at = |p: usize| envelope.get(p).map(|&v| f64::from(v.max(f32::MIN_POSITIVE)).ln());
    let (Some(left), Some(top), Some(right)) = (place.checked_sub(1).and_then(at), at(place), at(place + 1)) else {
        return place as f64;
    };
    let bend = left - 2.0 * top + right;
    let shift = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
    place as f64 + shift.clamp(-0.5, 0.5)
}

#[cfg(test)]
#[path = "chirp_tests.rs"]
mod tests;
