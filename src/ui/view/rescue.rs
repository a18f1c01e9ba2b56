//! A damaged data folder, and the ways out of it that a person is offered.

use super::LocalTime;

/// A damaged data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescue {
    /// Its path.
    pub folder: String,
    /// The first place that cannot be read, and why.
    pub damage: String,
    /// How many places.
    pub damages: usize,
    /// Whether what is played now is kept.
    pub saving: bool,
    /// The ways out, that with the least loss first.
    pub offers: Vec<Offer>,
}

/// A way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The way.
    pub way: Way,
    /// Events kept.
    pub keeps: u64,
    /// Events lost; none if that cannot be told.
    pub loses: Option<u64>,
    /// When the last event kept was made.
    pub until: LocalTime,
}

/// What is done with a damaged data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Make everything anew from a log that is whole.
    Rebuild,
    /// Leave out what cannot be read.
    Bridge,
    /// Keep what was before the damage.
    Cut,
    /// Go back to a backup.
    Backup,
    /// Begin with nothing.
    Afresh,
}
