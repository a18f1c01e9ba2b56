//! Practice: who played what is written, and when. Pure: played notes in, verdicts out; no clock, thread or device.
//!
//! [`wait`] turns the page when an onset group is done; [`tempo`] judges against the metronome; [`follow`] goes along
//! with a player whatever their tempo, and pairs a whole take with a score; [`result`] folds the verdicts of any of
//! them, [`ladder`] makes the next pass faster or slower by how the last one went, [`story`] tells why each is as it
//! is, [`expression`] how a take was played beyond right and wrong, [`recital`] what one listens to of it.

pub mod articulation;
pub mod expression;
pub mod follow;
pub mod ladder;
mod options;
pub mod ornament;
pub mod pass;
pub mod recital;
pub mod result;
pub mod story;
pub mod tempo;
mod types;
pub mod wait;
mod weighing;
mod wrong_key;

pub use options::{BarRange, ChordWindow, Heard, KeyRange, PracticeSettings};
pub use types::{GroupDone, Mode, PlayedId, PlayedNote, Preset, Verdict, VerdictKind, scaled_to_speed};
pub use wrong_key::{bar_of_wrong_key, bars_of_wrong_keys};
