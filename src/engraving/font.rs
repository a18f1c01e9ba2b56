//! What is known of the music font: glyphs by their names in SMuFL, their boxes, and which glyph stands for which value.
//!
//! The figures are Leland's (`glyphs.rs`). Lengths are staff spaces: the distance of two neighbouring lines.

use super::glyphs as g;
use super::shape::Bounds;
use crate::music::notation::{Articulation, Base, Clef, Dynamic};

pub(super) use super::glyphs::DEFAULTS;

/// A glyph: its character, its box from its origin with y upwards, how far the next one stands, and where a stem joins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Glyph {
    pub(super) sign: char,
    pub(super) left: f32,
    pub(super) bottom: f32,
    pub(super) right: f32,
    pub(super) top: f32,
    pub(super) advance: f32,
    /// The height at which a stem that goes up joins at the right.
    pub(super) stem_up: f32,
    /// The height at which a stem that goes down joins at the left.
    pub(super) stem_down: f32,
}

impl Glyph {
    /// Its box with the origin at a place of the page, y downwards.
    pub(super) fn bounds(&self, x: f32, y: f32, scale: f32) -> Bounds {
        Bounds {
            left: x + self.left * scale,
            right: x + self.right * scale,
            top: y - self.top * scale,
            bottom: y - self.bottom * scale,
        }
    }

    pub(super) fn width(&self) -> f32 {
        self.right - self.left
    }
}

/// A glyph from its numbers, in the order of the fields.
pub(super) const fn glyph(sign: char, numbers: [f32; 7]) -> Glyph {
    let [left, bottom, right, top, advance, stem_up, stem_down] = numbers;
    Glyph { sign, left, bottom, right, top, advance, stem_up, stem_down }
}

/// SMuFL's `engravingDefaults`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Defaults {
    pub(super) barline_separation: f32,
    pub(super) beam_spacing: f32,
    pub(super) beam_thickness: f32,
    pub(super) dashed_barline_dash_length: f32,
    pub(super) dashed_barline_gap_length: f32,
    pub(super) hairpin_thickness: f32,
    pub(super) leger_line_extension: f32,
    pub(super) leger_line_thickness: f32,
    pub(super) octave_line_thickness: f32,
    pub(super) pedal_line_thickness: f32,
    pub(super) repeat_barline_dot_separation: f32,
    pub(super) repeat_ending_line_thickness: f32,
    pub(super) slur_endpoint_thickness: f32,
    pub(super) slur_midpoint_thickness: f32,
    pub(super) staff_line_thickness: f32,
    pub(super) stem_thickness: f32,
    pub(super) thick_barline_thickness: f32,
    pub(super) thin_barline_thickness: f32,
    pub(super) tie_endpoint_thickness: f32,
    pub(super) tie_midpoint_thickness: f32,
    pub(super) tuplet_bracket_thickness: f32,
}

/// The head of a value.
pub(super) const fn head(base: Base) -> Glyph {
    match base {
        Base::Breve => g::NOTEHEAD_DOUBLE_WHOLE,
        Base::Whole => g::NOTEHEAD_WHOLE,
        Base::Half => g::NOTEHEAD_HALF,
        _ => g::NOTEHEAD_BLACK,
    }
}

/// The rest of a value.
pub(super) const fn rest(base: Base) -> Glyph {
    match base {
        Base::Breve => g::REST_DOUBLE_WHOLE,
        Base::Whole => g::REST_WHOLE,
        Base::Half => g::REST_HALF,
        Base::Quarter => g::REST_QUARTER,
        Base::Eighth => g::REST_8TH,
        Base::Sixteenth => g::REST_16TH,
        Base::ThirtySecond => g::REST_32ND,
        Base::SixtyFourth => g::REST_64TH,
        Base::HundredTwentyEighth => g::REST_128TH,
    }
}

/// The flag of a value; `None` from the quarter up.
pub(super) const fn flag(base: Base, up: bool) -> Option<Glyph> {
    Some(match (base, up) {
        (Base::Eighth, true) => g::FLAG_8TH_UP,
        (Base::Eighth, false) => g::FLAG_8TH_DOWN,
        (Base::Sixteenth, true) => g::FLAG_16TH_UP,
        (Base::Sixteenth, false) => g::FLAG_16TH_DOWN,
        (Base::ThirtySecond, true) => g::FLAG_32ND_UP,
        (Base::ThirtySecond, false) => g::FLAG_32ND_DOWN,
        (Base::SixtyFourth, true) => g::FLAG_64TH_UP,
        (Base::SixtyFourth, false) => g::FLAG_64TH_DOWN,
        (Base::HundredTwentyEighth, true) => g::FLAG_128TH_UP,
        (Base::HundredTwentyEighth, false) => g::FLAG_128TH_DOWN,
        _ => return None,
    })
}

/// The accidental of so many semitones.
pub(super) const fn accidental(alter: i8) -> Glyph {
    match alter {
        ..=-3 => g::ACCIDENTAL_TRIPLE_FLAT,
        -2 => g::ACCIDENTAL_DOUBLE_FLAT,
        -1 => g::ACCIDENTAL_FLAT,
        0 => g::ACCIDENTAL_NATURAL,
        1 => g::ACCIDENTAL_SHARP,
        2 => g::ACCIDENTAL_DOUBLE_SHARP,
        3.. => g::ACCIDENTAL_TRIPLE_SHARP,
    }
}

/// A clef, and the line on which its origin stands: 0 is the bottom one.
pub(super) const fn clef(clef: Clef) -> (Glyph, u8) {
    match clef {
        Clef::Treble => (g::G_CLEF, 1),
        Clef::Treble8va => (g::G_CLEF8VA, 1),
        Clef::Treble8vb => (g::G_CLEF8VB, 1),
        Clef::Bass => (g::F_CLEF, 3),
        Clef::Bass8vb => (g::F_CLEF8VB, 3),
        Clef::Alto => (g::C_CLEF, 2),
        Clef::Tenor => (g::C_CLEF, 3),
    }
}

/// The digits of time signatures.
pub(super) const TIME: [Glyph; 10] = [
    g::TIME_SIG0,
    g::TIME_SIG1,
    g::TIME_SIG2,
    g::TIME_SIG3,
    g::TIME_SIG4,
    g::TIME_SIG5,
    g::TIME_SIG6,
    g::TIME_SIG7,
    g::TIME_SIG8,
    g::TIME_SIG9,
];

/// The digits of tuplets.
pub(super) const TUPLET: [Glyph; 10] = [
    g::TUPLET0,
    g::TUPLET1,
    g::TUPLET2,
    g::TUPLET3,
    g::TUPLET4,
    g::TUPLET5,
    g::TUPLET6,
    g::TUPLET7,
    g::TUPLET8,
    g::TUPLET9,
];

/// The digits of fingers, from 1.
pub(super) const FINGERING: [Glyph; 5] = [g::FINGERING1, g::FINGERING2, g::FINGERING3, g::FINGERING4, g::FINGERING5];

/// The strokes of tremolos, from 1.
pub(super) const TREMOLO: [Glyph; 5] = [g::TREMOLO1, g::TREMOLO2, g::TREMOLO3, g::TREMOLO4, g::TREMOLO5];

/// The digits of a number, in reading order.
pub(super) fn digits(number: u8, of: &[Glyph; 10]) -> Vec<Glyph> {
    number.to_string().bytes().map(|digit| of[usize::from(digit - b'0')]).collect()
}

/// A sign of loudness.
pub(super) const fn dynamic(dynamic: Dynamic) -> Glyph {
    match dynamic {
        Dynamic::Pppp => g::DYNAMIC_PPPP,
        Dynamic::Ppp => g::DYNAMIC_PPP,
        Dynamic::Pp => g::DYNAMIC_PP,
        Dynamic::P => g::DYNAMIC_PIANO,
        Dynamic::Mp => g::DYNAMIC_MP,
        Dynamic::Mf => g::DYNAMIC_MF,
        Dynamic::F => g::DYNAMIC_FORTE,
        Dynamic::Ff => g::DYNAMIC_FF,
        Dynamic::Fff => g::DYNAMIC_FFF,
        Dynamic::Ffff => g::DYNAMIC_FFFF,
        Dynamic::Fp => g::DYNAMIC_FORTE_PIANO,
        Dynamic::Sf => g::DYNAMIC_SFORZANDO1,
        Dynamic::Sfz => g::DYNAMIC_SFORZATO,
        Dynamic::Sffz => g::DYNAMIC_SFORZATO_FF,
        Dynamic::Fz => g::DYNAMIC_FORZANDO,
        Dynamic::Rf => g::DYNAMIC_RINFORZANDO1,
        Dynamic::Rfz => g::DYNAMIC_RINFORZANDO2,
    }
}

/// A sign of how a note is struck, above or below it.
pub(super) const fn articulation(articulation: Articulation, above: bool) -> Glyph {
    match (articulation, above) {
        (Articulation::Staccato, true) => g::ARTIC_STACCATO_ABOVE,
        (Articulation::Staccato, false) => g::ARTIC_STACCATO_BELOW,
        (Articulation::Staccatissimo, true) => g::ARTIC_STACCATISSIMO_ABOVE,
        (Articulation::Staccatissimo, false) => g::ARTIC_STACCATISSIMO_BELOW,
        (Articulation::Tenuto, true) => g::ARTIC_TENUTO_ABOVE,
        (Articulation::Tenuto, false) => g::ARTIC_TENUTO_BELOW,
        (Articulation::Accent, true) => g::ARTIC_ACCENT_ABOVE,
        (Articulation::Accent, false) => g::ARTIC_ACCENT_BELOW,
        (Articulation::Marcato, true) => g::ARTIC_MARCATO_ABOVE,
        (Articulation::Marcato, false) => g::ARTIC_MARCATO_BELOW,
        (Articulation::Portato, true) => g::ARTIC_TENUTO_STACCATO_ABOVE,
        (Articulation::Portato, false) => g::ARTIC_TENUTO_STACCATO_BELOW,
    }
}
