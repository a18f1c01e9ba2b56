//! How the store is, in one place.

use std::fmt;

/// Undurable events kept in memory at most.
pub const BUFFER_EVENTS_MAX: usize = 64 * 1024;
/// Bytes of undurable events kept in memory at most.
pub const BUFFER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The state of persistence. The music goes on in all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Commits succeed.
    #[default]
    Ok,
    /// The disk is slow, full or failing: on in memory, and tried again.
    Buffering {
        /// Events at risk.
        events: usize,
        /// Their bytes.
        bytes: usize,
        /// Why.
        why: String,
    },
    /// The program runs on a store that does not last.
    Degraded(String),
    /// Edits are refused; played notes are counted into a gap record.
    ReadOnly(String),
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Buffering { events, bytes, why } => {
                write!(f, "{events} events ({} KB) not yet saved: {why}", bytes.div_ceil(1024))
            }
            Self::Degraded(why) => write!(f, "nothing will be kept: {why}"),
            Self::ReadOnly(why) => write!(f, "nothing can be saved: {why}"),
        }
    }
}
