//! What stands on the page: measures as printed, staves, voices, spelled notes, values, beams, ties, signs, and in which
//! order the measures are played. The [`Score`](super::Score) is what sounds when this is unfolded.
//! All ticks are at the resolution of the score.

mod marks;
mod spelling;
mod unfold;
mod value;

pub use marks::{
    Articulation, Barline, Clef, Direction, DirectionKind, Dynamic, Ending, Jump, Lyric, Ornament, Span, SpanKind,
};
pub use spelling::{SpelledPitch, Step};
pub use unfold::{PASSAGES_MAX, lost_codas, order};
pub use value::{Base, NoteValue, Ratio};

use super::Hand;
use crate::time::Ticks;

/// The written page of one keyboard part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notation {
    /// Its staves, from above: two for a piano.
    pub staves: Vec<Staff>,
    /// The measures as printed.
    pub measures: Vec<Measure>,
    /// In which order they are played.
    pub passages: Vec<Passage>,
    /// Slurs, hairpins and whatever else reaches from one place to another.
    pub spans: Vec<Span>,
}

/// Five lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The hand that usually plays what stands there.
    pub hand: Hand,
    /// The clef at the very beginning.
    pub clef: Clef,
}

/// A measure that is played, and when: measures that are repeated are here several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The index of the printed measure.
    pub measure: u32,
    /// The score's tick at which it begins. Passages follow each other without a gap.
    pub start: Ticks,
}

/// A measure as printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measure {
    /// The number above it: `12`, `0` for a pick-up, perhaps empty.
    pub number: String,
    /// How long it lasts; of a pick-up what is there.
    pub length: Ticks,
    /// The time signature printed at its beginning: beats and unit. The first measure has one.
    pub meter: Option<(u8, u8)>,
    /// The key signature printed at its beginning: sharps, or flats if negative.
    pub fifths: Option<i8>,
    /// Notes and rests by onset, then staff, then voice; grace notes stand before the note that they lead to.
    pub chords: Vec<Chord>,
    /// Clefs that change within it or at its beginning: the staff, where, and which.
    pub clefs: Vec<(u8, Ticks, Clef)>,
    /// Words and signs beside the notes.
    pub directions: Vec<Direction>,
    /// The line at its end.
    pub barline: Barline,
    /// Whether a repeat begins here.
    pub repeat_start: bool,
    /// Whether a repeat ends here, and how often the music is then played in all.
    pub repeat_end: Option<u8>,
    /// The bracket above it.
    pub ending: Option<Ending>,
    /// Signs that say where to go on, or where one comes to.
    pub jumps: Vec<Jump>,
}

/// Notes that are struck together in one voice of one staff, or a rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Chord {
    /// Where in the measure.
    pub at: Ticks,
    /// How long it is written; of a grace note the value that is printed.
    pub value: NoteValue,
    /// The staff that the voice belongs to, from 0.
    pub staff: u8,
    /// Which voice of the measure, from 0: those of one voice follow each other, and of one staff the upper comes first.
    pub voice: u8,
    /// Who plays it.
    pub hand: Hand,
    /// The notes from below; none is a rest.
    pub heads: Vec<Head>,
    /// A rest that fills its measure and stands in the middle, or one that is not printed.
    pub rest: Rest,
    /// A grace note.
    pub grace: Option<Grace>,
    /// The direction of the stem where the page says it: up or not.
    pub stem_up: Option<bool>,
    /// Beams where the page says them; by the metre elsewhere.
    pub beam: BeamHint,
    /// Where it stands in its tuplet, and in the tuplet around that.
    pub tuplet: TupletMark,
    /// See `tuplet`.
    pub around: TupletMark,
    /// Signs at the head side.
    pub articulations: Vec<Articulation>,
    /// Signs above.
    pub ornaments: Vec<Ornament>,
    /// Syllables below, by verse.
    pub lyrics: Vec<Lyric>,
}

impl Chord {
    /// A plain chord, or a rest when there are no heads.
    pub fn plain(at: Ticks, value: NoteValue, (staff, voice, hand): (u8, u8, Hand), heads: Vec<Head>) -> Self {
        Self {
            at,
            value,
            staff,
            voice,
            hand,
            heads,
            rest: Rest::Printed,
            grace: None,
            stem_up: None,
            beam: BeamHint::ByMeter,
            tuplet: TupletMark::None,
            around: TupletMark::None,
            articulations: Vec::new(),
            ornaments: Vec::new(),
            lyrics: Vec::new(),
        }
    }

    /// How long it lasts in the measure: nothing for a grace note.
    pub fn ticks(&self, resolution: u16) -> Ticks {
        if self.grace.is_some() { Ticks::ZERO } else { self.value.ticks(resolution) }
    }
}

/// A note head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// As written; in an octava one reads it an octave lower or higher than it sounds.
    pub pitch: SpelledPitch,
    /// Whether an accidental is printed where the bar's rules want none: a courtesy.
    pub courtesy: bool,
    /// Whether a tie leads to the next note of the same pitch.
    pub tied: bool,
    /// The staff it is printed on, if not its voice's.
    pub staff: Option<u8>,
    /// The finger, 1 to 5.
    pub finger: Option<u8>,
    /// When it sounds, in ticks from the measure's beginning, and its key: what it is in the score. `None` for the
    /// later heads of a tie, and for what is not played. Where a jump leads to the later head of a tie it is struck
    /// after the jump only: in which passages it is, the score tells ([`Score::find`](super::Score::find)).
    pub sounds: Option<(Ticks, super::Pitch)>,
}

/// How a rest is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// At its place.
    #[default]
    Printed,
    /// In the middle of its measure, as a whole rest whatever the metre.
    WholeMeasure,
    /// Not at all: it only takes its time.
    Hidden,
}

/// A small note before its main note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    /// Whether its stem is crossed: an acciaccatura.
    pub slash: bool,
}

/// Whether a note is joined by a beam to the next one of its voice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BeamHint {
    /// As the metre wants it.
    #[default]
    ByMeter,
    /// To the next one.
    Joined,
    /// Not to the next one.
    Ends,
}

/// Where a note stands in its tuplet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TupletMark {
    /// In none, or between the first and the last.
    #[default]
    None,
    /// The first of one; what is printed.
    Starts {
        /// The number, if it is.
        number: Option<u8>,
        /// The bracket, where the page says it; by the beams elsewhere.
        bracket: Option<bool>,
    },
    /// The last of one.
    Ends,
}

impl Notation {
    /// The passage that a tick of the score lies in; `None` without any.
    pub fn passage_at(&self, tick: Ticks) -> Option<&Passage> {
        let after = self.passages.partition_point(|passage| passage.start <= tick).max(1);
        self.passages.get(after - 1)
    }
}
