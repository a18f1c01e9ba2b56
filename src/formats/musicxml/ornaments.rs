//! Which keys a player may strike for a trill, mordent, turn or tremolo, and how long.
//!
//! The page tells the neighbouring note by key signature, the accidentals of the measure and small ones above the sign;
//! players and editions differ in them, so the half and the whole tone are both allowed.

use super::page::{Bar, Strike};
use crate::music::Pitch;
use crate::music::notation::Ornament;
use crate::time::Ticks;

/// How far a neighbouring note is at most, in semitones.
const SECOND: u8 = 2;

/// The highest key there is.
const KEY_MAX: u8 = 127;

/// The span of an ornament in ticks from the measure's beginning, and its keys, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ornamented {
    pub(super) from: Ticks,
    pub(super) to: Ticks,
    pub(super) keys: u128,
}

/// What the ornaments of a strike allow; `None` without any.
pub(super) fn ornamented(bar: &Bar, index: usize) -> Option<Ornamented> {
    let strike = &bar.strikes[index];
    let mut keys = strike.chord.ornaments.iter().fold(0, |keys, ornament| keys | allowed(*ornament, strike));
    let mut to = strike.chord.at + strike.length;
    if strike.tremolo == Some(true)
        && let Some(other) = other_half(bar, strike)
    {
        keys |= own(other);
        to = to.max(other.chord.at + other.length);
    }
    (keys != 0).then_some(Ornamented { from: strike.chord.at, to, keys })
}

/// The chord that a tremolo goes to.
fn other_half<'a>(bar: &'a Bar, first: &Strike) -> Option<&'a Strike> {
    let place = |strike: &Strike| (strike.chord.staff, strike.chord.voice);
    let later = bar.strikes.iter().filter(|s| place(s) == place(first) && s.chord.at > first.chord.at);
    later.filter(|strike| strike.tremolo == Some(false)).min_by_key(|strike| strike.chord.at)
}

fn allowed(ornament: Ornament, strike: &Strike) -> u128 {
    let around = |below: bool, above: bool| {
        let neighbours = |key: u8| {
            let low = if below { key.saturating_sub(SECOND) } else { key };
            let high = if above { (key + SECOND).min(KEY_MAX) } else { key };
            (low..=high).fold(0, |keys, key| keys | 1 << key)
        };
        keys(strike).fold(0, |all, key| all | neighbours(key))
    };
    match ornament {
        // A trill ends with the note below as a rule.
        Ornament::Trill | Ornament::Turn | Ornament::InvertedTurn => around(true, true),
        Ornament::Mordent => around(true, false),
        Ornament::InvertedMordent => around(false, true),
        Ornament::Tremolo(_) => own(strike),
        Ornament::Fermata | Ornament::Arpeggio | Ornament::Breath => 0,
    }
}

fn own(strike: &Strike) -> u128 {
    keys(strike).fold(0, |all, key| all | 1 << key)
}

fn keys(strike: &Strike) -> impl Iterator<Item = u8> + '_ {
    strike.heads.iter().filter_map(|head| head.key).map(Pitch::key)
}
