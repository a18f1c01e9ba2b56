//! Sound: the engine on the control side, the processor in the callback, instruments, metronome and backends.

pub mod instrument;
pub mod piano;
