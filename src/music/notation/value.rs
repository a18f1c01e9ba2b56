//! Note values: halves of halves, dots, tuplets.

use crate::time::Ticks;

/// The written value of a note or rest, without dots. The order is from long to short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// A breve: two whole notes.
    Breve,
    /// A whole note.
    Whole,
    /// A half.
    Half,
    /// A quarter.
    Quarter,
    /// An eighth: one flag.
    Eighth,
    /// A sixteenth: two flags.
    Sixteenth,
    /// A thirty-second: three.
    ThirtySecond,
    /// A sixty-fourth: four.
    SixtyFourth,
    /// A hundred-twenty-eighth: five.
    HundredTwentyEighth,
}

impl Base {
    /// All, from long to short.
    pub const ALL: [Self; 9] = [
        Self::Breve,
        Self::Whole,
        Self::Half,
        Self::Quarter,
        Self::Eighth,
        Self::Sixteenth,
        Self::ThirtySecond,
        Self::SixtyFourth,
        Self::HundredTwentyEighth,
    ];

    /// Flags of a single note, which are the beams of joined ones; 0 from the quarter up.
    pub const fn flags(self) -> u8 {
        (self as u8).saturating_sub(Self::Quarter as u8)
    }

    /// Whether the note has a stem.
    pub const fn has_stem(self) -> bool {
        self as u8 >= Self::Half as u8
    }

    /// Its length as a fraction of a whole note: numerator and denominator.
    const fn of_whole(self) -> (i64, i64) {
        match self {
            Self::Breve => (2, 1),
            other => (1, 1 << (other as u8 - Self::Whole as u8)),
        }
    }
}

/// So many notes in the time of so many: 3 in the time of 2 is a triplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// Notes that are played, at least 1.
    pub actual: u8,
    /// Notes in whose time they are played, at least 1.
    pub normal: u8,
}

/// A written value with its dots and its tuplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoteValue {
    /// Without dots.
    pub base: Base,
    /// Dots, up to 3.
    pub dots: u8,
    /// The tuplet it stands in; of nested ones the product.
    pub ratio: Option<Ratio>,
}

impl NoteValue {
    /// A plain value.
    pub const fn plain(base: Base) -> Self {
        Self { base, dots: 0, ratio: None }
    }

    /// The same with dots.
    pub const fn dotted(base: Base, dots: u8) -> Self {
        Self { base, dots, ratio: None }
    }

    /// Its length; rounded down where the resolution (ticks to the quarter) cannot say it.
    pub fn ticks(self, resolution: u16) -> Ticks {
        let (numerator, denominator) = self.parts();
        Ticks(i64::from(resolution) * 4 * numerator / denominator)
    }

    /// The single value of this length without a tuplet, if there is one: with at most two dots.
    pub fn of_ticks(ticks: Ticks, resolution: u16) -> Option<Self> {
        let fits = |value: &Self| value.ticks(resolution) == ticks && value.is_exact(resolution);
        Base::ALL.into_iter().flat_map(|base| (0..=2).map(move |dots| Self::dotted(base, dots))).find(fits)
    }

    /// Whether the resolution can say it to the tick.
    fn is_exact(self, resolution: u16) -> bool {
        let (numerator, denominator) = self.parts();
        (i64::from(resolution) * 4 * numerator) % denominator == 0
    }

    /// Its length as a fraction of a whole note: numerator and denominator.
    fn parts(self) -> (i64, i64) {
        let (numerator, denominator) = self.base.of_whole();
        // Each dot adds half of what came before: 2 - 1/2^dots.
        let dots = u32::from(self.dots.min(3));
        let ratio = self.ratio.unwrap_or(Ratio { actual: 1, normal: 1 });
        let numerator = numerator * ((1 << (dots + 1)) - 1) * i64::from(ratio.normal);
        (numerator, (denominator << dots) * i64::from(ratio.actual.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_lengths() {
        let ticks = |value: NoteValue| value.ticks(480).0;
        assert_eq!(ticks(NoteValue::plain(Base::Breve)), 3840);
        assert_eq!(ticks(NoteValue::plain(Base::Quarter)), 480);
        assert_eq!(ticks(NoteValue::dotted(Base::Half, 1)), 1440);
        assert_eq!(ticks(NoteValue::dotted(Base::Half, 2)), 1680);
        assert_eq!(ticks(NoteValue::plain(Base::HundredTwentyEighth)), 15);
        let triplet = Some(Ratio { actual: 3, normal: 2 });
        assert_eq!(ticks(NoteValue { ratio: triplet, ..NoteValue::plain(Base::Eighth) }), 160);
    }

    #[test]
    fn a_length_has_one_value() {
        for base in Base::ALL {
            for dots in 0..=2 {
                let value = NoteValue::dotted(base, dots);
                let found = NoteValue::of_ticks(value.ticks(3840), 3840);
                assert_eq!(found, Some(value));
            }
        }
        assert_eq!(NoteValue::of_ticks(Ticks(481), 480), None);
        assert_eq!(NoteValue::of_ticks(Ticks(0), 8), None, "a 128th has no length at 8 ticks to the quarter");
    }
}
