//! A score or a performance to sound, faster than real time, through the same processor as the live sound: the same
//! input gives the same bits.

use std::collections::VecDeque;

use super::command::Command;
use super::engine::{Engine, Reports, engine};
use super::instrument::Instrument;
use super::live::TimedMidi;
use super::processor::{Block, Outputs, Processor};
use super::schedule::Schedule;
use crate::music::Score;
use crate::time::{Frames, Rate, StreamId};

/// Frames of a block.
pub const BLOCK: usize = 1024;
/// What is rendered after the last bar at most, for notes to die away.
const TAIL_SECONDS: i64 = 10;
/// −70 dBFS: quieter than this for a while is the end.
const QUIET: f32 = 0.000_3;
const QUIET_BLOCKS: u32 = 24;
/// Blocks of the fade at the end of the longest tail.
const FADE_BLOCKS: usize = 24;

/// Blocks of left and right channel, until the music has died away.
pub struct Render {
    engine: Engine,
    /// What was played and is still to come.
    played: VecDeque<(Frames, [u8; 3])>,
    processor: Processor,
    reports: Reports,
    rate: Rate,
    next: Frames,
    tail_end: Option<Frames>,
    quiet_blocks: u32,
    broken: bool,
}

/// Both hands and the pedal of a score on an instrument made for `rate`; the first frame is tick 0.
pub fn render(score: &Score, instrument: Box<dyn Instrument>, rate: Rate) -> Render {
    let mut render = Render::new(instrument, rate, VecDeque::new());
    render.engine.send(Command::Load(Box::new(Schedule::of_score(score))));
    render.engine.send(Command::Play { count_in: 0 });
    render
}

/// What was played, as channel messages at their frames in rising order, on an instrument made for `rate`.
pub fn render_performance(played: Vec<(Frames, [u8; 3])>, instrument: Box<dyn Instrument>, rate: Rate) -> Render {
    let mut render = Render::new(instrument, rate, played.into());
    // What is played live sounds one block later.
    let _silence = render.block();
    render
}

impl Render {
    fn new(instrument: Box<dyn Instrument>, rate: Rate, played: VecDeque<(Frames, [u8; 3])>) -> Self {
        let (engine, mut processor, reports) = engine(instrument, rate);
        processor.begin_stream(StreamId(1), rate, BLOCK as u32);
        let (next, tail_end, quiet_blocks) = (Frames::ZERO, None, 0);
        Self { engine, played, processor, reports, rate, next, tail_end, quiet_blocks, broken: false }
    }

    /// Whether the instrument has panicked: what was rendered is silent from there on.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The messages of the block that comes next.
    fn due(&mut self) -> Vec<TimedMidi> {
        let end = self.next + Frames(BLOCK as i64);
        let mut midi = Vec::new();
        while let Some((frame, data)) = self.played.pop_front_if(|(frame, _)| *frame < end) {
            let offset = (frame - self.next).0.max(0) as u32;
            midi.push(TimedMidi { offset, driver: self.rate.micros(frame), data });
        }
        midi
    }
}

impl Iterator for Render {
    type Item = [Vec<f32>; 2];

    fn next(&mut self) -> Option<Self::Item> {
        if self.tail_end.is_some_and(|end| self.next >= end) || self.quiet_blocks > QUIET_BLOCKS {
            return None;
        }
        Some(self.block())
    }
}

impl Render {
    fn block(&mut self) -> [Vec<f32>; 2] {
        let (mut left, mut right) = (vec![0.0; BLOCK], vec![0.0; BLOCK]);
        let block =
            Block { first: self.next, mono: self.rate.micros(self.next), stream: StreamId(1), ..Block::default() };
        let midi = self.due();
        self.processor.process(block, &midi, Outputs::stereo(&mut left, &mut right));
        self.next += Frames(BLOCK as i64);
        self.engine.poll();
        self.broken |= self.engine.take_broken();
        self.reports.events.drain(usize::MAX, |_| {});
        if !self.reports.playhead.read().playing && self.played.is_empty() {
            let end = self.next + Frames(TAIL_SECONDS * i64::from(self.rate.0));
            self.tail_end.get_or_insert(end);
            let quiet = left.iter().chain(&right).all(|s| s.abs() < QUIET);
            self.quiet_blocks = if quiet { self.quiet_blocks + 1 } else { 0 };
        }
        if let Some(end) = self.tail_end {
            fade(&mut left, &mut right, end - self.next);
        }
        [left, right]
    }
}

/// What still sounds at the end of the tail fades over its last blocks; `left_over` are frames after this block.
fn fade(left: &mut [f32], right: &mut [f32], left_over: Frames) {
    let length = (FADE_BLOCKS * BLOCK) as f32;
    let frames = left.len();
    for (i, (l, r)) in left.iter_mut().zip(right).enumerate() {
        let gain = ((left_over.0 + (frames - i) as i64) as f32 / length).clamp(0.0, 1.0);
        *l *= gain;
        *r *= gain;
    }
}
