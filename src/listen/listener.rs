//! The whole ear: a stream of samples in, looks, notes and the tuner's reading out. Feeds pitch and onsets hop by hop.

use super::HOP;
use super::onset::{Onset, OnsetFinder};
use super::pitch::{Heard, PitchFinder};
use super::tracker::{NoteEvent, Tracker};
use super::tuner::{Reading, Tuner};
use crate::time::{Frames, Rate};

/// Everything below this is rumble, in hertz: steps, fans, the hum of the mains.
const RUMBLE: f64 = 35.0;
/// The quietest level told, in dBFS.
const LEVEL_MIN: f32 = -120.0;

/// What one hop brought.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// The frame after the last sample looked at.
    pub end: Frames,
    /// The effective level of the last four hops in dBFS: a sine of full scale is −3.
    pub level: f32,
    /// The pitch of one voice.
    pub heard: Option<Heard>,
    /// A note that began.
    pub onset: Option<Onset>,
}

/// Listens to one stream of samples. All memory is taken in [`Listener::new`].
pub struct Listener {
    a4: f64,
    pitch: PitchFinder,
    onsets: OnsetFinder,
    tracker: Tracker,
    tuner: Tuner,
    reading: Reading,
    last: Look,
    rumble: HighPass,
    /// The newest samples, filtered; the last [`HOP`]s are complete.
    past: Vec<f32>,
    hop: [f32; HOP],
    filled: usize,
    /// The frame of the first sample of `hop`.
    next: Frames,
    powers: [f32; 4],
    hops: usize,
}

impl Listener {
    /// For one sample rate, with A4 at `a4` hertz; the first sample will be frame `first`.
    pub fn new(rate: Rate, a4: f64, first: Frames) -> Self {
        let pitch = PitchFinder::new(rate);
        Self {
            a4,
            past: vec![0.0; pitch.window()],
            pitch,
            onsets: OnsetFinder::new(),
            tracker: Tracker::new(rate),
            tuner: Tuner::default(),
            reading: Reading { note: None, level: LEVEL_MIN },
            last: Look { end: first, level: LEVEL_MIN, ..Look::default() },
            rumble: HighPass::new(RUMBLE, f64::from(rate.0)),
            hop: [0.0; HOP],
            filled: 0,
            next: first,
            powers: [0.0; 4],
            hops: 0,
        }
    }

    /// Takes the next samples; each note in order.
    pub fn push(&mut self, samples: &[f32], each: &mut dyn FnMut(NoteEvent)) {
        for sample in samples {
            let sample = if sample.is_finite() { *sample } else { 0.0 };
            self.hop[self.filled] = self.rumble.next(sample);
            self.filled += 1;
            if self.filled == HOP {
                self.filled = 0;
                self.look(each);
            }
        }
    }

    /// Samples are missing before frame `next`: what sounds ends, and listening begins anew there.
    pub fn gap(&mut self, next: Frames, each: &mut dyn FnMut(NoteEvent)) {
        self.tracker.reset(self.next, each);
        self.onsets.reset();
        self.pitch.release();
        self.past.fill(0.0);
        self.rumble.rest();
        (self.filled, self.next) = (0, next);
    }

    /// What the tuner shows now.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// What the newest hop brought.
    pub fn last(&self) -> &Look {
        &self.last
    }

    fn look(&mut self, each: &mut dyn FnMut(NoteEvent)) {
        let kept = self.past.len() - HOP;
        self.past.copy_within(HOP.., 0);
        self.past[kept..].copy_from_slice(&self.hop);
        self.powers[self.hops % 4] = self.hop.iter().map(|s| s * s).sum::<f32>() / HOP as f32;
        self.hops += 1;
        let power = self.powers.iter().sum::<f32>() / 4.0;
        let level = (10.0 * power.log10()).max(LEVEL_MIN);
        let onset = self.onsets.push(&self.hop, self.next);
        if onset.is_some() {
            self.pitch.release();
        }
        self.next += Frames(HOP as i64);
        let look = Look { end: self.next, level, heard: self.pitch.find(&self.past), onset };
        self.tracker.push(&look, self.a4, each);
        self.reading = self.tuner.push(&look, self.a4);
        self.last = look;
    }
}

/// A Butterworth high-pass of second order, by the bilinear transform.
struct HighPass {
    gain: f64,
    a1: f64,
    a2: f64,
    state: [f64; 2],
}

impl HighPass {
    fn new(corner: f64, rate: f64) -> Self {
        let w = (std::f64::consts::PI * corner / rate).tan();
        let gain = 1.0 / (1.0 + std::f64::consts::SQRT_2 * w + w * w);
        let a1 = 2.0 * (w * w - 1.0) * gain;
        let a2 = (1.0 - std::f64::consts::SQRT_2 * w + w * w) * gain;
        Self { gain, a1, a2, state: [0.0; 2] }
    }

    fn next(&mut self, sample: f32) -> f32 {
        let x = f64::from(sample);
        let y = self.gain * x + self.state[0];
        self.state = [-2.0 * self.gain * x - self.a1 * y + self.state[1], self.gain * x - self.a2 * y];
        y as f32
    }

    fn rest(&mut self) {
        self.state = [0.0; 2];
    }
}
