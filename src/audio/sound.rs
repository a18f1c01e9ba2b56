//! Which sound is played: the one place where instruments are made.

use super::instrument::Instrument;
use super::piano::{Piano, VOICES};
use super::soundfont::{Font, FontError};
use crate::time::Rate;

/// The concert pitch when nobody says otherwise, in hertz.
pub const A4: f64 = 440.0;
/// Concert pitches that may be chosen, in hertz: from baroque pitch to the highest of the 19th century's.
pub const A4_RANGE: std::ops::RangeInclusive<f64> = 415.0..=466.0;

/// What instruments are made from.
#[derive(Clone, Copy)]
pub struct Sound<'a> {
    /// A SoundFont; the built-in piano without one.
    pub font: Option<&'a Font>,
    /// The program of bank 0 in the font, 0 to 127; the built-in piano has one sound only.
    pub program: u8,
    /// The tuning: A4 in hertz, brought into [`A4_RANGE`].
    pub a4: f64,
}

impl Default for Sound<'_> {
    /// The built-in piano at [`A4`].
    fn default() -> Self {
        Self { font: None, program: 0, a4: A4 }
    }
}

impl Sound<'_> {
    /// The instrument at a sample rate. Takes some milliseconds and megabytes: not for the real-time thread.
    ///
    /// # Errors
    /// A SoundFont cannot be played at that rate.
    pub fn instrument(&self, rate: Rate) -> Result<Box<dyn Instrument>, FontError> {
        match self.font {
            Some(font) => Ok(Box::new(font.instrument(rate, self.program, self.tuning())?)),
            None => Ok(self.piano(rate)),
        }
    }

    /// The same, and the built-in piano where the SoundFont cannot be played.
    pub fn instrument_or_piano(&self, rate: Rate) -> Box<dyn Instrument> {
        self.instrument(rate).unwrap_or_else(|_| self.piano(rate))
    }

    fn piano(&self, rate: Rate) -> Box<dyn Instrument> {
        Box::new(Piano::with(rate, VOICES, self.tuning()))
    }

    fn tuning(&self) -> f64 {
        if self.a4.is_finite() { self.a4.clamp(*A4_RANGE.start(), *A4_RANGE.end()) } else { A4 }
    }
}
