//! A gain that glides, so that a change of volume makes no click.

use crate::time::Rate;

/// How long a change takes.
const SECONDS: f32 = 0.01;

/// Moves to its target in equal steps, one a frame, whatever the block size.
pub(super) struct Ramp {
    value: f32,
    target: f32,
    step: f32,
    frames: f32,
}

impl Ramp {
    pub(super) fn new(value: f32, rate: Rate) -> Self {
        Self { value, target: value, step: 0.0, frames: (SECONDS * rate.0 as f32).max(1.0) }
    }

    pub(super) fn target(&self) -> f32 {
        self.target
    }

    pub(super) fn set(&mut self, target: f32) {
        self.target = target;
        self.step = (target - self.value) / self.frames;
    }

    /// The gain of the next frame.
    pub(super) fn next_value(&mut self) -> f32 {
        if self.value != self.target {
            self.value += self.step;
            if (self.target - self.value) * self.step <= 0.0 {
                self.value = self.target;
            }
        }
        self.value
    }

    /// Jumps to the target; for when nothing sounds.
    pub(super) fn finish(&mut self) {
        self.value = self.target;
    }

    /// Whether it is 1 and stays so.
    pub(super) fn is_unity(&self) -> bool {
        self.value == 1.0 && self.target == 1.0
    }
}
