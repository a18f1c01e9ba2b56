//! The parts of the program that live on the bus: the only place where what comes through a lane becomes a domain
//! event, and where a take is judged.

pub mod catch_up;
pub mod devices;
pub mod eraser;
pub mod judging;
pub mod keeper;
pub mod library;
pub mod marks;
pub mod microphone;
mod next_keys;
pub mod openings;
pub mod performed;
pub mod player;
pub mod recorder;
pub mod results;
pub mod session;
pub mod sound_file;
pub mod take_clock;
pub mod travel;
pub mod whole_file;
