//! What comes in through a microphone, from the driver's callback to whoever listens: a ring of samples, and a ring of
//! marks that say which frames they are. Wait-free on the callback's side; what does not fit is counted in the next mark.

use rtrb::{Consumer, Producer, RingBuffer};

use crate::time::{Frames, Micros, Rate, StreamId};

/// Samples that may wait: 1.4 s at 48 kHz, far longer than an ordinary thread is kept waiting.
const SAMPLES: usize = 65_536;
/// Marks that may wait, one for each block: the samples of blocks of 32 frames.
const MARKS: usize = 2_048;

/// What is captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// For people.
    pub device: String,
    /// Frames per second.
    pub rate: Rate,
    /// Frames from the socket to the callback as far as the driver says, the period included.
    pub latency: u32,
    /// The stream to which it belongs.
    pub stream: StreamId,
    /// Whether its frames are those of that stream's output, in one callback; otherwise it counts its own.
    pub shares_frames: bool,
}

/// Frames that arrived together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The stream's frame of the first sample.
    pub first: Frames,
    /// How many.
    pub frames: u32,
    /// The monotonic time at which the callback began.
    pub mono: Micros,
    /// Frames lost since the stream began, up to here.
    pub lost: u64,
}

/// The callback's side. Dropping it frees memory: it goes home first.
pub struct Tap {
    samples: Producer<f32>,
    marks: Producer<Mark>,
    lost: u64,
}

/// The listening side.
pub struct Captured {
    samples: Consumer<f32>,
    marks: Consumer<Mark>,
}

/// Both sides; everything is allocated here.
pub fn capture() -> (Tap, Captured) {
    let (samples, samples_out) = RingBuffer::new(SAMPLES);
    let (marks, marks_out) = RingBuffer::new(MARKS);
    (Tap { samples, marks, lost: 0 }, Captured { samples: samples_out, marks: marks_out })
}

impl Tap {
    /// Counts frames that the driver lost before the next block.
    pub fn note_gap(&mut self, frames: u64) {
        self.lost += frames;
    }

    /// Hands over one block, or counts it as lost. Wait-free.
    pub fn push(&mut self, first: Frames, mono: Micros, block: &[f32]) {
        if self.marks.slots() == 0 || self.samples.slots() < block.len() {
            self.lost += block.len() as u64;
            return;
        }
        let (_, left) = self.samples.push_partial_slice(block);
        debug_assert!(left.is_empty(), "there was room");
        // After its samples, so that they are there when the mark is.
        let mark = Mark { first, frames: block.len() as u32, mono, lost: self.lost };
        let _pushed = self.marks.push(mark);
    }
}

impl Captured {
    /// The next block, if one is there: its mark, and its samples in at most two pieces, in order.
    pub fn pop(&mut self, mut each: impl FnMut(&[f32])) -> Option<Mark> {
        let mark = self.marks.pop().ok()?;
        if let Ok(chunk) = self.samples.read_chunk(mark.frames as usize) {
            let (first, second) = chunk.as_slices();
            each(first);
            each(second);
            chunk.commit_all();
        }
        Some(mark)
    }

    /// Whether the callback has let go of its side and everything was taken.
    pub fn is_over(&self) -> bool {
        self.marks.is_abandoned() && self.marks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_arrive_with_their_frames_and_what_was_lost_is_counted() {
        let (mut tap, mut captured) = capture();
        let block = [0.25; 1_000];
        for index in 0..70 {
            tap.push(Frames(index * 1_000), Micros(index), &block);
        }
        let (mut taken, mut marks) = (0, Vec::new());
        while let Some(mark) = captured.pop(|samples| taken += samples.len()) {
            marks.push(mark);
        }
        assert_eq!((marks.len(), taken), (65, 65_000));
        assert_eq!(marks[64], Mark { first: Frames(64_000), frames: 1_000, mono: Micros(64), lost: 0 });
        tap.push(Frames(70_000), Micros(70), &block[..10]);
        let mut samples = Vec::new();
        let mark = captured.pop(|piece| samples.extend_from_slice(piece)).unwrap();
        assert_eq!(mark, Mark { first: Frames(70_000), frames: 10, mono: Micros(70), lost: 5_000 });
        assert_eq!(samples, vec![0.25; 10]);
        assert!(!captured.is_over());
        drop(tap);
        assert!(captured.is_over());
    }
}
