//! A sound that is laid out before it is played, such as the chirps of a calibration: it begins with a block, and comes
//! home with the frame and the time at which it did.

use crate::time::Stamp;

/// See the module. The longest is a minute at any rate in use; who lays it out decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    samples: Vec<f32>,
    at: usize,
    began: Option<Stamp>,
}

impl Emission {
    /// Samples to be played on both sides, as loud as they are.
    pub fn new(samples: Vec<f32>) -> Self {
        Self { samples, at: 0, began: None }
    }

    /// When its first sample was due: frame, stream, and the monotonic time of the frame. `None` if it was given up
    /// before.
    pub fn began(&self) -> Option<Stamp> {
        self.began
    }

    /// Whether it was played to its end; nothing is never whole.
    pub fn is_whole(&self) -> bool {
        self.is_over() && !self.samples.is_empty()
    }

    fn is_over(&self) -> bool {
        self.at == self.samples.len()
    }

    /// Adds the next samples to both sides, which begin at `stamp`; whether it is over.
    pub(super) fn mix(&mut self, stamp: Stamp, left: &mut [f32], right: &mut [f32]) -> bool {
        self.began.get_or_insert(stamp);
        let rest = &self.samples[self.at..];
        for ((sample, l), r) in rest.iter().zip(left.iter_mut()).zip(right) {
            *l += sample;
            *r += sample;
        }
        self.at += rest.len().min(left.len());
        self.is_over()
    }
}
