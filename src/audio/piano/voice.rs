//! One sounding key: its banks of modes, the hammer's noise and the damper.
//!
//! A voice computes [`CHUNK`] frames at a time from its own onset on and hands them out as asked, so that what it sounds
//! like depends on neither the block size nor the frame at which it begins. The damper acts on each frame as it leaves.

use super::PIECE;
use super::modes::{Bank, CHUNK, PRUNE_CHUNKS};
use super::noise::Noises;
use super::strings::{DAMPED, damper_keep};
use super::tone::{BANK_MAX, Blow, Tone};

/// Where the lowpass of a falling damper ends, in hertz.
const DARKEST: f64 = 900.0;

/// A slot for one voice; its memory is taken once.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) active: bool,
    pub(super) part: usize,
    pub(super) key: u8,
    /// Being silenced; nothing keeps it any more.
    fading: bool,
    banks: [Bank; 2],
    left: [f32; CHUNK],
    right: [f32; CHUNK],
    /// The next frame of the chunk to hand out; [`CHUNK`] when all are.
    cursor: usize,
    /// Chunks computed since the onset.
    chunks: u32,
    /// Frames of the rise.
    rise: f32,
    noise_level: f32,
    gains: [[f32; 2]; 2],
    /// `gain` becomes `gain * keep - drop` each frame.
    gain: f32,
    keep: f32,
    drop: f32,
    /// Felt takes the high partials first: the state of a lowpass that closes as `gain` falls, and its lowest
    /// coefficient.
    dark: [f32; 2],
    darkest: f32,
    /// What it sounded last.
    own: [f32; PIECE],
    /// The strings' root mean square when last looked at.
    level: f32,
}

impl Voice {
    pub(super) fn new() -> Self {
        Self {
            active: false,
            part: 0,
            key: 0,
            fading: false,
            banks: [Bank::with_capacity(BANK_MAX), Bank::with_capacity(BANK_MAX)],
            left: [0.0; CHUNK],
            right: [0.0; CHUNK],
            cursor: CHUNK,
            chunks: 0,
            rise: 1.0,
            noise_level: 0.0,
            gains: [[0.0; 2]; 2],
            gain: 0.0,
            keep: 1.0,
            drop: 0.0,
            dark: [0.0; 2],
            darkest: 1.0,
            own: [0.0; PIECE],
            level: 0.0,
        }
    }

    /// Begins a note with the next frame; `rate` in hertz.
    pub(super) fn strike(&mut self, part: usize, key: u8, tone: &Tone, blow: &Blow, rate: f64) {
        for bank in &mut self.banks {
            bank.clear();
        }
        tone.strike(blow, &mut self.banks);
        self.active = true;
        (self.part, self.key) = (part, key);
        self.fading = false;
        (self.cursor, self.chunks) = (CHUNK, 0);
        self.rise = ((blow.rise * rate) as f32).max(1.0);
        self.noise_level = super::noise::hammer_level(key) * blow.force * blow.force.sqrt();
        self.gains = tone.gains;
        (self.gain, self.keep, self.drop) = (1.0, 1.0, 0.0);
        self.dark = [0.0; 2];
        self.darkest = (1.0 - (-std::f64::consts::TAU * DARKEST / rate).exp()) as f32;
        self.level = (self.banks[0].energy() + self.banks[1].energy()).sqrt();
    }

    /// Whether it is being silenced.
    pub(super) fn fading(&self) -> bool {
        self.fading
    }

    /// How loud it is; the quietest is stolen.
    pub(super) fn loudness(&self) -> f32 {
        self.level * self.gain
    }

    /// Sets the damper: 0 lies on the strings, 1 is off them, half pedal between.
    pub(super) fn damp(&mut self, lift: f64, rate: f64) {
        if self.fading {
            return;
        }
        let keep = damper_keep(self.key, lift, rate);
        if keep == 1.0 {
            (self.keep, self.drop) = (1.0, 0.0);
            return;
        }
        self.keep = keep as f32;
        // Chosen so that a full gain reaches zero when it would have fallen by 60 dB.
        self.drop = (DAMPED * (1.0 - keep) / (1.0 - DAMPED)) as f32;
    }

    /// Fades to nothing in a straight line over `frames`, whatever keys and pedals do.
    pub(super) fn fade(&mut self, frames: usize) {
        self.fading = true;
        self.keep = 1.0;
        // A little steeper, so that rounding cannot leave a trace behind the last frame.
        self.drop = 1.001 * self.gain / frames.max(1) as f32;
    }

    /// Adds the next frames to both slices, of equal length of at most [`PIECE`], and remembers them.
    pub(super) fn sound(&mut self, left: &mut [f32], right: &mut [f32], noises: &Noises) {
        let mut mine = [[0.0; PIECE]; 2];
        let [l, r] = &mut mine;
        let (l, r) = (&mut l[..left.len()], &mut r[..right.len()]);
        self.mix(l, r, noises);
        for ((((own, left), right), l), r) in self.own.iter_mut().zip(left).zip(right).zip(l).zip(r) {
            *left += *l;
            *right += *r;
            *own = *l + *r;
        }
    }

    /// What it sounded last, both channels together, in `frames` frames.
    pub(super) fn own(&self, frames: usize) -> &[f32] {
        &self.own[..frames]
    }

    /// Adds the next frames to both slices, of equal length. The voice frees itself when nothing is left of it.
    pub(super) fn mix(&mut self, left: &mut [f32], right: &mut [f32], noises: &Noises) {
        let mut at = 0;
        while at < left.len() && self.active {
            if self.cursor == CHUNK && !self.compute(noises) {
                self.active = false;
                return;
            }
            let count = (CHUNK - self.cursor).min(left.len() - at);
            let ours = self.cursor..self.cursor + count;
            let sources = self.left[ours.clone()].iter().zip(&self.right[ours]);
            let targets = left[at..at + count].iter_mut().zip(&mut right[at..at + count]);
            if self.gain == 1.0 && self.drop == 0.0 {
                for ((l, r), (x, y)) in targets.zip(sources) {
                    *l += x;
                    *r += y;
                }
                let last = self.cursor + count - 1;
                self.dark = [self.left[last], self.right[last]];
            } else {
                let (mut gain, [mut dark_left, mut dark_right]) = (self.gain, self.dark);
                for ((l, r), (x, y)) in targets.zip(sources) {
                    let open = self.darkest + (1.0 - self.darkest) * gain;
                    dark_left += open * (x - dark_left);
                    dark_right += open * (y - dark_right);
                    *l += dark_left * gain;
                    *r += dark_right * gain;
                    gain = (gain * self.keep - self.drop).max(0.0);
                }
                self.gain = gain;
                self.dark = [dark_left, dark_right];
                self.active = gain > 0.0;
            }
            self.cursor += count;
            at += count;
        }
    }

    /// Computes the next chunk; false when nothing is left to sound.
    fn compute(&mut self, noises: &Noises) -> bool {
        let start = self.chunks as usize * CHUNK;
        if self.chunks > 0 && self.chunks.is_multiple_of(PRUNE_CHUNKS) {
            self.level = (self.banks[0].prune() + self.banks[1].prune()).sqrt();
        }
        let burst = noises.hammer(self.key);
        if start >= burst.len() && self.banks.iter().all(Bank::is_empty) {
            return false;
        }
        let mut banks = [[0.0; CHUNK]; 2];
        for (bank, out) in self.banks.iter_mut().zip(&mut banks) {
            bank.advance(out);
        }
        if (start as f32) < self.rise {
            for bank in &mut banks {
                for (frame, out) in bank.iter_mut().enumerate() {
                    let x = ((start + frame) as f32 / self.rise).min(1.0);
                    *out *= x * x * (3.0 - 2.0 * x);
                }
            }
        }
        for (noise, out) in burst.channels.iter().zip(&mut banks) {
            for (sample, out) in noise.iter().skip(start).zip(out) {
                *out += sample * self.noise_level;
            }
        }
        let [[ll, lr], [rl, rr]] = self.gains;
        let [x, y] = banks;
        self.left = std::array::from_fn(|frame| x[frame] * ll + y[frame] * rl);
        self.right = std::array::from_fn(|frame| x[frame] * lr + y[frame] * rr);
        self.cursor = 0;
        self.chunks = self.chunks.saturating_add(1);
        true
    }
}
