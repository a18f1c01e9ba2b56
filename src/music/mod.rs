//! Music as values: pitches, tempo maps, scores. Pure: no clock, no file, no device.

mod click;
pub mod difficulty;
mod embellishment;
mod hands;
mod meter;
mod naming;
pub mod notation;
mod pitch;
mod score;
mod tempo;

pub use click::{ClickRoute, ClickSound, ClickStyle, Division};
pub use embellishment::{Displaced, OrnamentSpan};
pub use hands::{EditedBars, HandEdit, HandEdits};
pub use meter::{Bar, BarNumber, Bars, KeySignature, Meter, missing_ticks, ordinal};
pub use pitch::{Pitch, Spelling};
pub use score::{Hand, Hands, NoteId, OnsetGroup, PedalChange, Score, ScoreParts, WrittenNote};
pub use tempo::{Percent, Tempo, TempoMap};
