//! Practice: who played what is written, and when. Pure: played notes in, verdicts out; no clock, thread or device.

mod options;
mod types;

pub use options::{BarRange, ChordWindow, Heard, KeyRange, PracticeSettings};
pub use types::{Candidate, GroupDone, Mode, PlayedId, PlayedNote, Preset, Verdict, VerdictKind, scaled_to_speed};
