//! What is already decided about the coming frames: the ends of voices whose place another one takes, and noises of
//! fixed length. Its memory is taken once.

/// Frames laid down ahead of time, both channels.
#[derive(Debug)]
pub(super) struct Ahead {
    left: Box<[f32]>,
    right: Box<[f32]>,
    at: usize,
    /// Frames from `at` on that are not zero.
    filled: usize,
}

impl Ahead {
    /// Room for `frames` at most.
    pub(super) fn new(frames: usize) -> Self {
        let frames = frames.max(1);
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

    /// Adds the next frames to both slices, of equal length.
    pub(super) fn take(&mut self, left: &mut [f32], right: &mut [f32]) {
        for (l, r) in left.iter_mut().zip(right).take(self.filled) {
            *l += std::mem::take(&mut self.left[self.at]);
            *r += std::mem::take(&mut self.right[self.at]);
            self.at = if self.at + 1 == self.left.len() { 0 } else { self.at + 1 };
        }
        self.filled = self.filled.saturating_sub(left.len());
    }

    /// Lets what is laid down end in a straight line within `frames`.
    pub(super) fn fade(&mut self, frames: usize) {
        for frame in 0..self.filled {
            let at = (self.at + frame) % self.left.len();
            let gain = 1.0 - (frame as f32 / frames as f32).min(1.0);
            self.left[at] *= gain;
            self.right[at] *= gain;
        }
        self.filled = self.filled.min(frames);
    }
}
