//! Pitches as MIDI keys, their names and frequencies.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A MIDI key, 0 to 127; 60 is middle C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pitch(u8);

/// Which of two names a black key gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// C♯ rather than D♭.
    Sharp,
    /// D♭ rather than C♯.
    Flat,
}

impl Pitch {
    /// The lowest key of a piano, A0.
    pub const PIANO_LOW: Self = Self(21);
    /// The highest key of a piano, C8.
    pub const PIANO_HIGH: Self = Self(108);
    /// Middle C.
    pub const MIDDLE_C: Self = Self(60);

    /// A key from its MIDI number; `None` above 127.
    pub const fn new(key: u8) -> Option<Self> {
        if key < 128 { Some(Self(key)) } else { None }
    }

    /// The low seven bits of a data byte, as every MIDI receiver reads it.
    pub const fn from_data_byte(byte: u8) -> Self {
        Self(byte & 0x7f)
    }

    /// The MIDI number.
    pub const fn key(self) -> u8 {
        self.0
    }

    /// 0 for C to 11 for B.
    pub const fn class(self) -> u8 {
        self.0 % 12
    }

    /// The octave in which middle C is C4; -1 to 9.
    pub const fn octave(self) -> i8 {
        (self.0 / 12) as i8 - 1
    }

    /// Whether the key is black.
    pub const fn is_black(self) -> bool {
        matches!(self.class(), 1 | 3 | 6 | 8 | 10)
    }

    /// The frequency in hertz in equal temperament, with A4 = `a4`.
    pub fn frequency(self, a4: f64) -> f64 {
        a4 * 2f64.powf((f64::from(self.0) - 69.0) / 12.0)
    }

    /// The English name without the octave, such as `F♯`.
    pub fn name(self, spelling: Spelling) -> &'static str {
        const SHARP: [&str; 12] = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
        const FLAT: [&str; 12] = ["C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B"];
        let table = match spelling {
            Spelling::Sharp => &SHARP,
            Spelling::Flat => &FLAT,
        };
        table[usize::from(self.class())]
    }

    /// The key `semitones` away, if the keyboard of 128 keys has it.
    pub fn transposed(self, semitones: i8) -> Option<Self> {
        u8::try_from(i16::from(self.0) + i16::from(semitones)).ok().and_then(Self::new)
    }
}

impl fmt::Display for Pitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name(Spelling::Sharp), self.octave())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_octaves_and_frequencies_are_the_usual_ones() {
        assert_eq!(Pitch::MIDDLE_C.to_string(), "C4");
        assert_eq!(Pitch::PIANO_LOW.to_string(), "A0");
        assert_eq!(Pitch::new(61).unwrap().name(Spelling::Flat), "D♭");
        assert!((Pitch::new(69).unwrap().frequency(440.0) - 440.0).abs() < 1e-9);
        assert_eq!(Pitch::new(128), None);
        assert_eq!(Pitch::new(127).unwrap().transposed(1), None);
    }
}
