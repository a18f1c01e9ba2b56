//! Spelled pitches: F♯ and G♭ are one key and two notes.

use std::fmt;

use crate::music::{Pitch, Spelling};

/// A letter name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Do.
    C,
    /// Re.
    D,
    /// Mi.
    E,
    /// Fa.
    F,
    /// Sol.
    G,
    /// La.
    A,
    /// Si; the German H.
    B,
}

impl Step {
    /// All, from C up.
    pub const ALL: [Self; 7] = [Self::C, Self::D, Self::E, Self::F, Self::G, Self::A, Self::B];

    /// Semitones above C, unaltered.
    pub const fn semitones(self) -> i8 {
        [0, 2, 4, 5, 7, 9, 11][self as usize]
    }

    /// What a key signature of so many sharps (flats if negative) does to the letter, in semitones.
    pub const fn alter_in(self, fifths: i8) -> i8 {
        // F C G D A E B: the order in which sharps come; flats come in the opposite one.
        let order = [1, 3, 5, 0, 2, 4, 6][self as usize];
        if fifths > order {
            1
        } else if fifths < order - 6 {
            -1
        } else {
            0
        }
    }
}

/// A pitch as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpelledPitch {
    /// The letter.
    pub step: Step,
    /// Semitones above the letter: 1 is a sharp, -2 a double flat. -3 to 3.
    pub alter: i8,
    /// The octave of the letter, middle C being C4; B♯3 is the key of C4.
    pub octave: i8,
}

impl SpelledPitch {
    /// The key; `None` beyond those of MIDI.
    pub fn pitch(self) -> Option<Pitch> {
        let key = (i16::from(self.octave) + 1) * 12 + i16::from(self.step.semitones()) + i16::from(self.alter);
        u8::try_from(key).ok().and_then(Pitch::new)
    }

    /// Steps of the staff above C0: where the note stands, whatever its accidental. C4 is 28.
    pub const fn diatonic(self) -> i32 {
        self.octave as i32 * 7 + self.step as i32
    }

    /// The nearer of the two usual names of a key.
    pub fn of(pitch: Pitch, spelling: Spelling) -> Self {
        let sharp = [0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6][usize::from(pitch.class())];
        let (step, alter) = match (pitch.is_black(), spelling) {
            (false, _) => (Step::ALL[sharp], 0),
            (true, Spelling::Sharp) => (Step::ALL[sharp], 1),
            (true, Spelling::Flat) => (Step::ALL[sharp + 1], -1),
        };
        Self { step, alter, octave: pitch.octave() }
    }
}

impl fmt::Display for SpelledPitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.alter {
            ..=-2 => "𝄫",
            -1 => "♭",
            0 => "",
            1 => "♯",
            2.. => "𝄪",
        };
        write!(f, "{:?}{sign}{}", self.step, self.octave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_names() {
        for key in 0..128 {
            let pitch = Pitch::new(key).expect("a key");
            for spelling in [Spelling::Sharp, Spelling::Flat] {
                let spelled = SpelledPitch::of(pitch, spelling);
                assert_eq!(spelled.pitch(), Some(pitch), "{spelled}");
                assert!(spelled.alter == 0 || pitch.is_black(), "{spelled}");
            }
        }
        let b_sharp = SpelledPitch { step: Step::B, alter: 1, octave: 3 };
        assert_eq!((b_sharp.pitch(), b_sharp.diatonic()), (Some(Pitch::MIDDLE_C), 27));
        assert_eq!(SpelledPitch { step: Step::C, alter: -1, octave: -1 }.pitch(), None);
    }

    #[test]
    fn key_signatures_alter_their_letters() {
        let altered = |fifths| Step::ALL.iter().filter(|step| step.alter_in(fifths) != 0).copied().collect::<Vec<_>>();
        assert_eq!(altered(0), []);
        assert_eq!(altered(1), [Step::F]);
        assert_eq!(altered(2), [Step::C, Step::F]);
        assert_eq!(altered(-1), [Step::B]);
        assert_eq!(altered(-3), [Step::E, Step::A, Step::B]);
        assert_eq!((altered(7).len(), altered(-7).len()), (7, 7));
        assert_eq!((Step::B.alter_in(7), Step::F.alter_in(-7)), (1, -1));
    }
}
