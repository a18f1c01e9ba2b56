//! The noises of felt and wood: short bursts computed once and played beside the strings.

use std::f64::consts::TAU;

use super::register;
use crate::audio::ahead::Ahead;

/// Bursts along the keyboard.
const BURSTS: usize = 8;

/// One burst, both channels of equal length, peak about 1.
#[derive(Debug)]
pub(super) struct Burst {
    pub(super) channels: [Box<[f32]>; 2],
}

impl Burst {
    /// White noise between two corners in hertz under a rise and a decay in seconds, cut after six decays.
    fn new(rate: f64, seed: u64, corners: (f64, f64), rise: f64, decay: f64) -> Self {
        let frames = ((rise + 6.0 * decay) * rate) as usize;
        Self { channels: [seed, seed ^ 0x5555_5555].map(|seed| channel(rate, seed, corners, rise, decay, frames)) }
    }

    /// Frames of the burst.
    pub(super) fn len(&self) -> usize {
        self.channels[0].len()
    }
}

fn channel(rate: f64, seed: u64, corners: (f64, f64), rise: f64, decay: f64, frames: usize) -> Box<[f32]> {
    let pole = |corner: f64| (-TAU * corner.min(0.4 * rate) / rate).exp();
    let (high, low) = (pole(corners.0), pole(corners.1));
    let (mut slow, mut once, mut twice, mut state) = (0.0, 0.0, 0.0, seed | 1);
    let mut samples: Vec<f64> = (0..frames)
        .map(|frame| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let white = (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
            once = white + low * (once - white);
            twice = once + low * (twice - once);
            slow = twice + high * (slow - twice);
            let t = frame as f64 / rate;
            let end = (frames - frame) as f64 / frames as f64;
            (twice - slow) * (t / rise).min(1.0) * (-(t - rise).max(0.0) / decay).exp() * end
        })
        .collect();
    let peak = samples.iter().fold(1e-9, |peak: f64, s| peak.max(s.abs()));
    samples.iter_mut().for_each(|s| *s /= peak);
    samples.into_iter().map(|s| s as f32).collect()
}

/// All bursts of a piano.
#[derive(Debug)]
pub(super) struct Noises {
    hammers: Vec<Burst>,
    /// A damper falling on its strings, and the wood and felt of a key coming up.
    damper: Burst,
    key_up: Burst,
    /// The felts of all dampers leaving their strings.
    lift: Burst,
}

impl Noises {
    pub(super) fn new(rate: f64) -> Self {
        let hammers = (0..BURSTS)
            .map(|at| {
                let height = at as f64 / (BURSTS - 1) as f64;
                let corner = 1_300.0 * 4f64.powf(height);
                Burst::new(rate, 77 + at as u64, (90.0 + 250.0 * height, corner), 0.0012, 0.009 - 0.004 * height)
            })
            .collect();
        Self {
            hammers,
            damper: Burst::new(rate, 1_234, (70.0, 380.0), 0.004, 0.012),
            key_up: Burst::new(rate, 4_321, (180.0, 1_400.0), 0.002, 0.007),
            lift: Burst::new(rate, 9_876, (60.0, 500.0), 0.012, 0.016),
        }
    }

    /// The hammer's burst of a key.
    pub(super) fn hammer(&self, key: u8) -> &Burst {
        let at = (usize::from(key.clamp(21, 108)) - 21) * BURSTS / 88;
        &self.hammers[at]
    }
}

/// The peak of the hammer's burst for a blow of unit force: most audible beside the short tones of the treble.
pub(super) fn hammer_level(key: u8) -> f32 {
    0.006 + 0.014 * (f32::from(key.clamp(21, 108)) - 21.0) / 87.0
}

/// The peak of the damper's burst: heavier in the bass.
fn damper_level(key: u8) -> f32 {
    0.0030 - 0.0015 * (f32::from(key.clamp(21, 108)) - 21.0) / 87.0
}

/// The peak of the knock of a key that comes back to its rest, heard behind the damper: -66 dBFS.
const KEY_UP_LEVEL: f32 = 0.000_5;

/// The peak of the felts of all dampers that a pedal lifts at once: -61 dBFS. By reckoning, not by measurement: a damper
/// that falls is [`damper_level`]; one that is drawn off does not knock, some 26 dB less; and of nearly seventy that
/// leave at slightly different times the powers add, 18 dB more. The strings, now free, and the wood ring along with it:
/// what is heard peaks 38 dB below middle C at velocity 64.
const LIFT_LEVEL: f32 = 0.000_9;

/// Lets the pedal lift the dampers from the next frame on, as loud as `strength`, 0 to 1.
pub(super) fn lay_lift(noises: &Noises, strength: f32, ahead: &mut Ahead) {
    lay(&noises.lift, LIFT_LEVEL * strength, ahead);
}

/// Lets a key come up from the next frame on: the key itself, and its damper on the strings if nothing holds it.
pub(super) fn lay_key_up(noises: &Noises, key: u8, lift: f64, ahead: &mut Ahead) {
    let falls = if key <= register::DAMPED_MAX { 1.0 - lift as f32 } else { 0.0 };
    lay(&noises.damper, damper_level(key) * falls, ahead);
    lay(&noises.key_up, KEY_UP_LEVEL, ahead);
}

fn lay(burst: &Burst, level: f32, ahead: &mut Ahead) {
    if level == 0.0 {
        return;
    }
    let mut start = 0;
    ahead.lay(burst.len(), |left, right| {
        let frames = left.len();
        for (out, noise) in [left, right].into_iter().zip(&burst.channels) {
            for (out, sample) in out.iter_mut().zip(&noise[start..]) {
                *out += sample * level;
            }
        }
        start += frames;
    });
}
