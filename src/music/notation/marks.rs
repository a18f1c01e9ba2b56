//! Signs of the page: clefs, bar lines, dynamics, articulations, what reaches over several notes.

use crate::time::Ticks;

/// A clef and the line it stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Clef {
    /// G on the second line.
    #[default]
    Treble,
    /// F on the fourth line.
    Bass,
    /// C on the third line.
    Alto,
    /// C on the fourth line.
    Tenor,
    /// The treble clef an octave higher.
    Treble8va,
    /// The treble clef an octave lower.
    Treble8vb,
    /// The bass clef an octave lower.
    Bass8vb,
}

impl Clef {
    /// Where the bottom line stands, in staff steps above C0: E4 in the treble clef.
    pub const fn bottom_line(self) -> i32 {
        match self {
            Self::Treble => 30,
            Self::Bass => 18,
            Self::Alto => 24,
            Self::Tenor => 22,
            Self::Treble8va => 37,
            Self::Treble8vb => 23,
            Self::Bass8vb => 11,
        }
    }
}

/// The line at a measure's end. Repeat signs are apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Barline {
    /// A thin line.
    #[default]
    Single,
    /// Two thin lines.
    Double,
    /// A thin and a thick line.
    Final,
    /// Dashes.
    Dashed,
    /// None.
    None,
}

/// The bracket of an ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// In which passes it is played, from 1.
    pub passes: Vec<u8>,
    /// Whether it begins in this measure.
    pub starts: bool,
    /// Whether it ends in this measure, with a hook.
    pub ends: bool,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// The sign 𝄋 at the measure's beginning.
    Segno,
    /// The sign 𝄌 where the coda begins.
    Coda,
    /// "To Coda" at the measure's end.
    ToCoda,
    /// "Fine" at the measure's end.
    Fine,
    /// "D.C." at the measure's end.
    DaCapo,
    /// "D.C. al Fine".
    DaCapoAlFine,
    /// "D.C. al Coda".
    DaCapoAlCoda,
    /// "D.S.".
    DalSegno,
    /// "D.S. al Fine".
    DalSegnoAlFine,
    /// "D.S. al Coda".
    DalSegnoAlCoda,
}

/// A word or sign beside the notes.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// The staff it stands at.
    pub staff: u8,
    /// Where in the measure.
    pub at: Ticks,
    /// Whether above the staff, where the page says it.
    pub above: Option<bool>,
    /// Which.
    pub kind: DirectionKind,
}

/// What a direction says.
#[derive(Clone, Debug, PartialEq)]
pub enum DirectionKind {
    /// Loudness.
    Dynamic(Dynamic),
    /// Words in italics, such as *dolce*.
    Words(String),
    /// A tempo word in bold, such as **Andante**.
    Tempo(String),
    /// A metronome mark: the beat and its number a minute.
    Metronome(super::NoteValue, f32),
    /// Pedal down.
    PedalDown,
    /// Pedal up.
    PedalUp,
    /// A chord symbol.
    Harmony(String),
}

/// A sign of loudness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dynamic {
    Pppp,
    Ppp,
    Pp,
    P,
    Mp,
    Mf,
    F,
    Ff,
    Fff,
    Ffff,
    Fp,
    Sf,
    Sfz,
    Sffz,
    Fz,
    Rf,
    Rfz,
}

impl Dynamic {
    /// How hard it is played, 1 to 127, between the 90 that MusicXML takes for *f* and even steps around it.
    pub const fn velocity(self) -> u8 {
        match self {
            Self::Pppp => 18,
            Self::Ppp => 28,
            Self::Pp => 40,
            Self::P => 52,
            Self::Mp => 62,
            Self::Mf => 72,
            Self::F | Self::Fp => 88,
            Self::Rf | Self::Rfz | Self::Sf | Self::Fz => 96,
            Self::Ff | Self::Sfz => 104,
            Self::Fff | Self::Sffz => 116,
            Self::Ffff => 124,
        }
    }

    /// Whether it holds for what is struck there only.
    pub const fn is_accent(self) -> bool {
        matches!(self, Self::Fp | Self::Sf | Self::Sfz | Self::Sffz | Self::Fz | Self::Rf | Self::Rfz)
    }
}

/// How a note is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Articulation {
    /// A dot: short.
    Staccato,
    /// A wedge: very short.
    Staccatissimo,
    /// A dash: held.
    Tenuto,
    /// >
    Accent,
    /// ^
    Marcato,
    /// A dash with a dot.
    Portato,
}

/// Signs above a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ornament {
    /// A pause.
    Fermata,
    /// *tr*.
    Trill,
    /// A mordent with its stroke.
    Mordent,
    /// An upper mordent, without one.
    InvertedMordent,
    /// A turn.
    Turn,
    /// An inverted turn.
    InvertedTurn,
    /// A tremolo of so many strokes through the stem.
    Tremolo(u8),
    /// A chord rolled from below.
    Arpeggio,
    /// A breath.
    Breath,
}

/// A syllable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lyric {
    /// The verse, from 0.
    pub verse: u8,
    /// The text.
    pub text: String,
    /// Whether a hyphen leads to the next syllable.
    pub hyphen: bool,
    /// Whether it is held for the notes that follow without one.
    pub extends: bool,
}

/// Something that reaches from one place to another. A place is a printed measure and a tick in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What.
    pub kind: SpanKind,
    /// The staff at its beginning.
    pub staff: u8,
    /// Which voice, for slurs.
    pub voice: u8,
    /// Where it begins: measure and tick.
    pub from: (u32, Ticks),
    /// Where it ends; a slur at the note that begins there, others at that very tick.
    pub to: (u32, Ticks),
    /// Whether above, where the page says it.
    pub above: Option<bool>,
}

/// What reaches over several notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A slur from note to note.
    Slur,
    /// Louder.
    Crescendo,
    /// Softer.
    Diminuendo,
    /// 8va: sounds an octave higher than written (lower if negative); 2 for two octaves.
    Octave(i8),
    /// The sustain pedal as a line.
    Pedal,
}
