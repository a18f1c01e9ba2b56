//! What a picture consists of: glyphs, lines, beams, curves, words. Plain data in staff spaces, x to the right and y
//! downwards from the top line of the upper staff.

use crate::music::{Hand, NoteId};

/// A place on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// A place.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

/// A rectangle that something fills.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Bounds {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Bounds {
    /// What contains nothing and joins to anything.
    pub const EMPTY: Self =
        Self { left: f32::INFINITY, top: f32::INFINITY, right: f32::NEG_INFINITY, bottom: f32::NEG_INFINITY };

    /// Moved.
    pub fn moved(self, x: f32, y: f32) -> Self {
        Self { left: self.left + x, top: self.top + y, right: self.right + x, bottom: self.bottom + y }
    }

    /// The least that contains both.
    pub fn join(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Whether the two share more than an edge.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.meets_in_height(other, 0.0)
    }

    /// Whether a column through both would meet them on one height, with `pad` between them.
    pub(super) fn meets_in_height(&self, other: &Self, pad: f32) -> bool {
        self.top - pad < other.bottom && other.top - pad < self.bottom
    }
}

/// How a text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// Numbers of measures.
    Number,
    /// Tempo words, chord symbols, endings: bold.
    Bold,
    /// Words such as *dolce*.
    Italic,
    /// Syllables.
    Lyric,
}

/// Which point of a text or glyph is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Align {
    Left,
    Center,
    Right,
}

/// Something to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A glyph of the music font with its origin at a place.
    Glyph {
        /// The character.
        sign: char,
        /// The origin.
        at: Point,
        /// 1 is as large as the staff wants it.
        scale: f32,
    },
    /// A straight line with square ends.
    Line {
        /// From here,
        from: Point,
        /// to here,
        to: Point,
        /// so thick.
        thickness: f32,
    },
    /// A beam: its four corners.
    Beam([Point; 4]),
    /// A tie or slur: a cubic Bézier curve, thin at its ends and thick in its middle.
    Curve {
        /// The curve.
        points: [Point; 4],
        /// Its thickness in the middle.
        middle: f32,
        /// And at the ends.
        ends: f32,
    },
    /// Words on a baseline.
    Text {
        /// The words.
        text: String,
        /// Where.
        at: Point,
        /// The size of the letters, ascender to descender.
        size: f32,
        /// How they are set.
        kind: TextKind,
        /// Which end `at` is.
        align: Align,
    },
    /// The brace of a grand staff, stretched from one height to the other with its tip to the left of `x`.
    Brace {
        /// The right edge.
        x: f32,
        /// From here
        top: f32,
        /// to here.
        bottom: f32,
    },
}

/// What a shape belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tag {
    /// Which part it is.
    pub part: Part,
    /// The chord within its measure, where it is part of one.
    pub chord: Option<u16>,
    /// The staff it stands on or at.
    pub staff: u8,
    /// Who plays it.
    pub hand: Option<Hand>,
    /// The note of the score that a head stands for; in a tie that which is struck.
    pub note: Option<NoteId>,
    /// Whether that note is struck here: so it is at one head of each note, for what is said of it once.
    pub strikes: bool,
}

/// What a shape is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Part {
    /// Lines of the staff.
    Staff,
    /// Lines between measures.
    Barline,
    /// Clef, key, metre.
    Signature,
    /// A note head.
    Head,
    /// Its accidental.
    Accidental,
    /// Its dot.
    Dot,
    /// A ledger line.
    Ledger,
    /// A stem, flag or beam.
    Stem,
    /// A rest.
    Rest,
    /// A tie or slur.
    Curve,
    /// Anything beside the notes.
    #[default]
    Mark,
    /// The number of a measure.
    Number,
}

/// A shape and what it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What to draw.
    pub shape: Shape,
    /// What it belongs to.
    pub tag: Tag,
}
