//! What makes sound from notes inside the callback.

use crate::music::Pitch;

/// Which of several players of one instrument a note belongs to, so that the release of one does not silence the
/// other: live input is 0, the accompaniment 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part(pub u8);

impl Part {
    /// What the person plays.
    pub const LIVE: Self = Self(0);
    /// What the program plays for them.
    pub const ACCOMPANIMENT: Self = Self(1);
    /// How many there are.
    pub const COUNT: usize = 2;
}

/// A pedal and how far it is down, 0 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pedal {
    /// CC 64; values between are half pedal.
    Sustain(u8),
    /// CC 66; 64 and above is down.
    Sostenuto(u8),
    /// CC 67.
    Soft(u8),
}

/// A sound source. Every method runs in the audio callback: no allocation, lock or system call, and a time bounded by
/// the number of voices.
pub trait Instrument: Send {
    /// Strikes a key; `velocity` 1 to 127.
    fn note_on(&mut self, part: Part, pitch: Pitch, velocity: u8);
    /// Releases a key.
    fn note_off(&mut self, part: Part, pitch: Pitch);
    /// Moves a pedal.
    fn pedal(&mut self, part: Part, pedal: Pedal);
    /// Fades everything of one part out within a few milliseconds, without a click.
    fn silence(&mut self, part: Part);
    /// Sets the volume of one part, linear, gliding without a click. `false` if the instrument has no such thing; the
    /// processor then plays the part's notes softer or louder.
    fn set_gain(&mut self, _part: Part, _gain: f32) -> bool {
        false
    }
    /// Bends everything that one part sounds and will sound, in cents; 0 is in tune. For sounds that a player of the real
    /// instrument can bend: the built-in piano, like any piano, does not follow. Beyond ±2 400 the nearest.
    fn bend(&mut self, _part: Part, _cents: f32) {}
    /// How hard the keys of one part are pressed after the stroke, 0 to 127, where the sound knows of it: SoundFonts
    /// answer with vibrato, the built-in piano does not.
    fn pressure(&mut self, _part: Part, _value: u8) {}
    /// Chooses another sound of those that the instrument has, 0 to 127, for notes that begin from now on; `false` if
    /// it has only one.
    fn program(&mut self, _part: Part, _program: u8) -> bool {
        false
    }
    /// Overwrites both slices, of equal and any length, with the next frames. Full scale is ±1; a loud chord may
    /// exceed it, a limiter follows.
    fn render(&mut self, left: &mut [f32], right: &mut [f32]);
    /// How many voices sound.
    fn voices(&self) -> usize;
}
