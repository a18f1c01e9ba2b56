//! Banks of decaying sine waves, the strings of one voice: the inner loop of the piano and nothing else.
//!
//! A sampled decaying sine obeys `y[t] = 2ρ cos θ · y[t-8] - ρ² · y[t-16]` with `θ = 8ω` and `ρ` the decay over eight
//! samples. Eight neighbouring samples therefore advance together in plain arrays, which the compiler turns into vector
//! instructions, with two multiplications a sample. The stride also keeps `cos θ` away from 1, so that single precision
//! holds the pitch of the lowest string within 0.1 cent.

use std::f64::consts::TAU;

/// Samples that advance in one step.
const LANES: usize = 8;
/// Frames that a voice computes at once.
pub(super) const CHUNK: usize = 64;
/// Chunks between two looks for modes that have become inaudible.
pub(super) const PRUNE_CHUNKS: u32 = 8;

/// Modes quieter than this, -90 dBFS, are dropped.
pub(super) const INAUDIBLE: f32 = 3.16e-5;

/// Where `sin θ` vanishes the recurrence has a double pole and loses its pitch in single precision. Frequencies that
/// near a multiple of a sixteenth of the rate are moved away, by at most 1 Hz at 48 kHz.
const SINE_MIN: f64 = 1e-3;

/// A mode at unit amplitude, ready to be started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed {
    newest: [f32; LANES],
    older: [f32; LANES],
    a: f32,
    b: f32,
    /// The factor by which the amplitude falls between two prunings.
    fall: f32,
}

impl Seed {
    /// `omega` in radians per sample, `sigma` in nepers per sample, `phase` in radians at the first sample.
    pub(super) fn new(omega: f64, sigma: f64, phase: f64) -> Self {
        let lanes = LANES as f64;
        let mut theta = omega * lanes;
        let off = (theta / (TAU / 2.0)).round() * (TAU / 2.0);
        if (theta - off).abs() < SINE_MIN {
            theta = off + SINE_MIN;
        }
        let omega = theta / lanes;
        let sample = |t: f64| ((-sigma * t).exp() * (omega * t + phase).sin()) as f32;
        let rho = (-sigma * lanes).exp();
        Self {
            newest: std::array::from_fn(|lane| sample(lane as f64 - lanes)),
            older: std::array::from_fn(|lane| sample(lane as f64 - 2.0 * lanes)),
            a: (2.0 * rho * theta.cos()) as f32,
            b: (rho * rho) as f32,
            fall: (-sigma * CHUNK as f64 * f64::from(PRUNE_CHUNKS)).exp() as f32,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Mode {
    newest: [f32; LANES],
    older: [f32; LANES],
    a: f32,
    b: f32,
    fall: f32,
    amplitude: f32,
}

impl Mode {
    const SILENT: Self = Self { newest: [0.0; LANES], older: [0.0; LANES], a: 0.0, b: 0.0, fall: 0.0, amplitude: 0.0 };

    #[inline(always)]
    fn step(&mut self) -> [f32; LANES] {
        let next = std::array::from_fn(|lane| self.a * self.newest[lane] - self.b * self.older[lane]);
        self.older = self.newest;
        self.newest = next;
        next
    }
}

/// Modes that sound into one channel. Its room is taken once; filling and emptying it moves no memory block.
#[derive(Debug)]
pub(super) struct Bank {
    modes: Box<[Mode]>,
    len: usize,
}

impl Bank {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { modes: vec![Mode::SILENT; capacity].into_boxed_slice(), len: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Starts a mode, unless it would be inaudible or the bank is full.
    pub(super) fn push(&mut self, seed: &Seed, amplitude: f32) {
        if amplitude.abs() < INAUDIBLE || self.len == self.modes.len() {
            return;
        }
        self.modes[self.len] = Mode {
            newest: seed.newest.map(|y| y * amplitude),
            older: seed.older.map(|y| y * amplitude),
            a: seed.a,
            b: seed.b,
            fall: seed.fall,
            amplitude: amplitude.abs(),
        };
        self.len += 1;
    }

    /// Overwrites `out` with the next frames of all modes.
    pub(super) fn advance(&mut self, out: &mut [f32; CHUNK]) {
        *out = [0.0; CHUNK];
        // Two at a time: the running sum is loaded and stored half as often, and two chains hide the latency.
        let mut pairs = self.modes[..self.len].chunks_exact_mut(2);
        for pair in &mut pairs {
            let [mut first, mut second] = [pair[0], pair[1]];
            for frames in out.chunks_exact_mut(LANES) {
                let (x, y) = (first.step(), second.step());
                for lane in 0..LANES {
                    frames[lane] += x[lane] + y[lane];
                }
            }
            pair[0] = first;
            pair[1] = second;
        }
        for mode in pairs.into_remainder() {
            let mut only = *mode;
            for frames in out.chunks_exact_mut(LANES) {
                let x = only.step();
                for lane in 0..LANES {
                    frames[lane] += x[lane];
                }
            }
            *mode = only;
        }
    }

    /// Drops what has become inaudible and returns the energy of the rest (the sum of squared amplitudes). Called every
    /// [`PRUNE_CHUNKS`] chunks.
    pub(super) fn prune(&mut self) -> f32 {
        let mut energy = 0.0;
        let mut at = 0;
        while at < self.len {
            let mode = &mut self.modes[at];
            mode.amplitude *= mode.fall;
            if mode.amplitude < INAUDIBLE {
                self.len -= 1;
                self.modes[at] = self.modes[self.len];
            } else {
                energy += mode.amplitude * mode.amplitude;
                at += 1;
            }
        }
        energy
    }

    /// The energy now, for a voice that has just begun.
    pub(super) fn energy(&self) -> f32 {
        self.modes[..self.len].iter().map(|mode| mode.amplitude * mode.amplitude).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rendered mode beside the sine it stands for, in double precision, over `seconds` at 48 kHz.
    fn check(frequency: f64, decay: f64, seconds: f64) -> f64 {
        let (omega, sigma) = (TAU * frequency / 48_000.0, decay / 48_000.0);
        let mut bank = Bank::with_capacity(1);
        bank.push(&Seed::new(omega, sigma, 0.3), 1.0);
        let mut worst: f64 = 0.0;
        let mut out = [0.0; CHUNK];
        for chunk in 0..(seconds * 48_000.0) as usize / CHUNK {
            bank.advance(&mut out);
            for (frame, &y) in out.iter().enumerate() {
                let t = (chunk * CHUNK + frame) as f64;
                worst = worst.max((f64::from(y) - (-sigma * t).exp() * (omega * t + 0.3).sin()).abs());
            }
        }
        worst
    }

    #[test]
    fn a_mode_is_the_decaying_sine_it_stands_for() {
        for (frequency, decay, seconds) in
            [(27.5, 0.5, 2.0), (261.6, 1.6, 3.0), (1_000.0, 5.0, 1.0), (9_100.0, 20.0, 0.5)]
        {
            let worst = check(frequency, decay, seconds);
            assert!(worst < 2e-3, "{frequency} Hz is off by {worst}");
        }
    }

    #[test]
    fn a_frequency_on_a_double_pole_stays_bounded() {
        for frequency in [3_000.0, 6_000.0, 9_000.0, 3_000.01] {
            assert!(check(frequency, 10.0, 2.0) < 2.1, "{frequency} Hz runs away");
        }
    }

    #[test]
    fn inaudible_modes_are_dropped() {
        let mut bank = Bank::with_capacity(2);
        bank.push(&Seed::new(0.1, 1e-2, 0.0), 0.5);
        bank.push(&Seed::new(0.1, 1e-6, 0.0), 0.5);
        bank.push(&Seed::new(0.1, 1e-6, 0.0), INAUDIBLE / 2.0);
        assert_eq!(bank.len, 2);
        for _ in 0..3 {
            bank.prune();
        }
        assert_eq!(bank.len, 1);
        assert!((bank.energy() - 0.25).abs() < 0.01);
    }
}
