//! What belongs to one player of the piano: the pedals, what of ended voices is still to come, and the wood around.

use super::space::Space;
use crate::audio::instrument::Pedal;

/// Full lift of the dampers in values of the controller, and the beginning of half pedal.
const HALF_PEDAL: (f64, f64) = (28.0, 92.0);
/// The longest that anything may be laid down ahead, in seconds.
const AHEAD_SECONDS: f64 = 0.11;
/// How fast a player is silenced and a stolen voice fades, in seconds.
pub(super) const FADE_SECONDS: f64 = 0.005;
/// The soundboard's diffuse answer: amplitude, and seconds to fall by 60 dB.
const BODY: (f32, f64) = (0.115, 0.22);
/// The strings that ring along under the pedal: amplitude, and seconds to fall by 60 dB with the dampers up.
const HALO: (f32, f64) = (0.035, 3.2);
/// The same with the dampers down.
const HALO_DAMPED: f64 = 0.18;

/// Frames laid down ahead of time: the ends of voices whose slot is needed, and the noise of dampers.
#[derive(Debug)]
pub(super) struct Ahead {
    left: Box<[f32]>,
    right: Box<[f32]>,
    at: usize,
    /// Frames from `at` on that are not zero.
    filled: usize,
}

impl Ahead {
    fn new(rate: f64) -> Self {
        let frames = ((AHEAD_SECONDS * rate) as usize).max(1);
        Self {
            left: vec![0.0; frames].into_boxed_slice(),
            right: vec![0.0; frames].into_boxed_slice(),
            at: 0,
            filled: 0,
        }
    }

    /// Lets `write` add to the next `frames`, which come in one or two stretches.
    pub(super) fn lay(&mut self, frames: usize, mut write: impl FnMut(&mut [f32], &mut [f32])) {
        let frames = frames.min(self.left.len());
        let first = frames.min(self.left.len() - self.at);
        let straight = self.at..self.at + first;
        write(&mut self.left[straight.clone()], &mut self.right[straight]);
        if frames > first {
            write(&mut self.left[..frames - first], &mut self.right[..frames - first]);
        }
        self.filled = self.filled.max(frames);
    }

    fn take(&mut self, left: &mut [f32], right: &mut [f32]) {
        for (l, r) in left.iter_mut().zip(right).take(self.filled) {
            *l += std::mem::take(&mut self.left[self.at]);
            *r += std::mem::take(&mut self.right[self.at]);
            self.at = if self.at + 1 == self.left.len() { 0 } else { self.at + 1 };
        }
        self.filled = self.filled.saturating_sub(left.len());
    }

    fn fade(&mut self, frames: usize) {
        for frame in 0..self.filled {
            let at = (self.at + frame) % self.left.len();
            let gain = 1.0 - (frame as f32 / frames as f32).min(1.0);
            self.left[at] *= gain;
            self.right[at] *= gain;
        }
        self.filled = self.filled.min(frames);
    }
}

/// Steps of the way into the halo: 21 ms at 48 kHz.
const SEND_STEPS: usize = 1_024;

/// One player.
#[derive(Debug)]
pub(super) struct PartState {
    /// How far the dampers are up, 0 to 1.
    pub(super) lift: f64,
    /// The middle pedal is down.
    pub(super) sostenuto: bool,
    /// The left pedal, 0 to 1.
    pub(super) soft: f64,
    pub(super) ahead: Ahead,
    body: Space,
    halo: Space,
    /// How much of the strings reaches the halo, in [`SEND_STEPS`]: follows the pedal one step a frame.
    send: usize,
    /// Frames until the wood has been silenced; 0 when it sounds freely.
    closing: usize,
    rate: f64,
}

impl PartState {
    pub(super) fn new(rate: f64) -> Self {
        // Mutually prime at 48 kHz as far as rounding goes; a few milliseconds is a soundboard, tens are a room of strings.
        let body = [0.0031, 0.0043, 0.0058, 0.0071, 0.0089, 0.0107, 0.0131, 0.0157];
        let halo = [0.0213, 0.0257, 0.0299, 0.0347, 0.0391, 0.0443, 0.0497, 0.0569];
        Self {
            lift: 0.0,
            sostenuto: false,
            soft: 0.0,
            ahead: Ahead::new(rate),
            body: Space::new(rate, body, BODY.1, 4_500.0),
            halo: Space::new(rate, halo, HALO_DAMPED, 2_500.0),
            send: 0,
            closing: 0,
            rate,
        }
    }

    /// Frames of a fade.
    pub(super) fn fade_frames(&self) -> usize {
        ((FADE_SECONDS * self.rate) as usize).max(1)
    }

    /// Takes over a pedal's position.
    pub(super) fn pedal(&mut self, pedal: Pedal) {
        match pedal {
            Pedal::Sustain(value) => {
                let (low, high) = HALF_PEDAL;
                self.lift = ((f64::from(value.min(127)) - low) / (high - low)).clamp(0.0, 1.0);
                self.halo.set_t60(HALO_DAMPED + (HALO.1 - HALO_DAMPED) * self.lift * self.lift);
            }
            Pedal::Sostenuto(value) => self.sostenuto = value >= 64,
            Pedal::Soft(value) => self.soft = f64::from(value.min(127)) / 127.0,
        }
    }

    /// Fades what is laid down ahead and the wood.
    pub(super) fn silence(&mut self) {
        let frames = self.fade_frames();
        self.ahead.fade(frames);
        if self.closing == 0 && !(self.body.is_empty() && self.halo.is_empty()) {
            self.closing = frames;
        }
    }

    /// Adds what was laid down ahead.
    pub(super) fn add_ahead(&mut self, left: &mut [f32], right: &mut [f32]) {
        self.ahead.take(left, right);
    }

    /// Adds the wood's answer to the strings of this part.
    pub(super) fn resonate(&mut self, left: &mut [f32], right: &mut [f32]) {
        let silent = left.iter().chain(right.iter()).all(|&x| x == 0.0);
        let target = (self.lift * SEND_STEPS as f64) as usize;
        if silent && self.body.is_empty() && self.halo.is_empty() {
            self.closing = self.closing.saturating_sub(left.len());
            self.send = towards(self.send, target, left.len());
            return;
        }
        let fade = self.fade_frames() as f32;
        for (l, r) in left.iter_mut().zip(right) {
            self.send = towards(self.send, target, 1);
            let send = self.send as f32 / SEND_STEPS as f32;
            let (bl, br) = self.body.frame(*l, *r);
            let (hl, hr) = self.halo.frame(*l * send, *r * send);
            let open = if self.closing > 0 { (self.closing - 1) as f32 / fade } else { 1.0 };
            *l += open * (BODY.0 * bl + HALO.0 * hl);
            *r += open * (BODY.0 * br + HALO.0 * hr);
            if self.closing > 0 {
                self.closing -= 1;
                if self.closing == 0 {
                    self.body.clear();
                    self.halo.clear();
                }
            }
        }
    }
}

/// `from`, at most `steps` nearer to `target`.
fn towards(from: usize, target: usize, steps: usize) -> usize {
    if from < target { (from + steps).min(target) } else { from.saturating_sub(steps).max(target) }
}
