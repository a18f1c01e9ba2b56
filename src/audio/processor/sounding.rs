//! What the program sounds out of its course, and what is released when the course changes.

use super::Processor;
use crate::audio::instrument::{Part, Pedal};
use crate::audio::report::OwnSound;
use crate::music::Pitch;
use crate::time::{Frames, Micros};

impl Processor {
    /// Sounds what was missed.
    pub(super) fn prompt(&mut self, pitch: Pitch, velocity: u8, hold: Micros) {
        let until = self.now + self.rate.frames(hold).max(Frames(1));
        if self.prompts.add(pitch, until) {
            self.stage.prompt_on(pitch, velocity.clamp(1, 127));
            self.tell(OwnSound::Note { pitch, at: self.transport.place(self.now) });
        }
    }

    /// Releases everything that the program sounds.
    pub(super) fn release(&mut self) {
        self.stage.release_accompaniment();
        self.prompts.forget();
    }

    /// Releases what sounds and puts the pedal as it is written where the music now is.
    pub(super) fn resume_elsewhere(&mut self) {
        self.release();
        let pedal = self.transport.pedal();
        if self.transport.playing() && pedal > 0 {
            self.stage.pedal(Part::ACCOMPANIMENT, Pedal::Sustain(pedal));
        }
    }

    /// Releases what was sounded out of turn: the stream that its releases were counted in has gone.
    pub(super) fn release_prompts(&mut self) {
        while let Some(pitch) = self.prompts.take(Frames(i64::MAX)) {
            self.stage.prompt_off(pitch);
        }
    }
}
