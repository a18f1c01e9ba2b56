//! What signs make of written notes: where a rolled or small note is written, and which keys an ornament allows. No time.

use std::collections::{HashMap, HashSet};

use super::{Hand, Pitch, WrittenNote};
use crate::time::Ticks;

/// A note that is played beside the tick it is written on: a key of an arpeggio, a grace note, the main note that waits
/// for one. Every grace note is told, though the first of those on the beat is played there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Displaced {
    /// The first tick of the note as it is played.
    pub onset: Ticks,
    /// The key.
    pub pitch: Pitch,
    /// Who plays it.
    pub hand: Hand,
    /// The tick of its chord, or of the main note that it leads to.
    pub beat: Ticks,
    /// Whether it is a grace note.
    pub grace: bool,
}

/// A trill, mordent, turn or tremolo: while it lasts its keys may be struck as often as one likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrnamentSpan {
    /// Where it is written.
    pub from: Ticks,
    /// Where what it stands on ends.
    pub to: Ticks,
    /// Who plays it.
    pub hand: Hand,
    /// The keys, one bit each.
    pub keys: u128,
}

impl OrnamentSpan {
    /// Whether a key belongs to it.
    pub const fn permits(&self, pitch: Pitch) -> bool {
        self.keys >> pitch.key() & 1 == 1
    }
}

/// Where each note is written, by what is known of those that are played elsewhere.
pub(super) fn beats(notes: &[WrittenNote], displaced: &[Displaced]) -> Vec<Ticks> {
    let known: HashMap<_, _> = displaced.iter().map(|d| ((d.onset, d.pitch, d.hand), d.beat)).collect();
    notes.iter().map(|n| *known.get(&(n.onset, n.pitch, n.hand)).unwrap_or(&n.onset)).collect()
}

/// Whether each note is a grace note.
pub(super) fn graces(notes: &[WrittenNote], displaced: &[Displaced]) -> Vec<bool> {
    let known: HashSet<_> = displaced.iter().filter(|d| d.grace).map(|d| (d.onset, d.pitch, d.hand)).collect();
    notes.iter().map(|n| known.contains(&(n.onset, n.pitch, n.hand))).collect()
}
