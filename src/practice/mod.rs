//! Practice: who played what is written, and when. Pure: played notes in, verdicts out; no clock, thread or device.
//!
//! [`wait`] turns the page when an onset group is done; [`tempo`] judges against the metronome; [`follow`] goes along
//! with a player whatever their tempo, and pairs a whole take with a score; [`result`] folds the verdicts of any of
//! them, [`story`] tells why each is as it is, [`expression`] how a take was played beyond right and wrong.

pub mod expression;
pub mod follow;
mod options;
pub mod ornament;
pub mod result;
pub mod story;
pub mod tempo;
mod types;
pub mod wait;
mod weighing;
mod wrong_key;

pub use options::{BarRange, ChordWindow, Heard, KeyRange, PracticeSettings};
pub use types::{GroupDone, Mode, PlayedId, PlayedNote, Preset, Verdict, VerdictKind, scaled_to_speed};
pub use wrong_key::bar_of_wrong_key;
