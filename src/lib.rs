//! Music Trainer: practise music on MIDI keyboards and audio interfaces, on a state bus that never disturbs the sound.

pub mod app;
pub mod audio;
pub mod bus;
pub mod cli;
pub mod components;
pub mod formats;
pub mod midi;
pub mod model;
pub mod music;
pub mod practice;
pub mod store;
pub mod time;
#[cfg(feature = "window")]
pub mod ui;
