//! Keys struck in another octave than what is written: of a note that was not found, and a key of its name that is no
//! other's, at the moment at which the notes around it make one expect it.

use std::collections::HashMap;

use super::assign::{Pair, seconds};
use super::{Piece, Written};
use crate::practice::tempo::OCTAVE_REACH;
use crate::practice::types::PlayedNote;

/// The written notes that were not found, with the key-down in another octave that was meant for each. `free` says which
/// key-downs are none's.
pub(super) fn find(
    piece: &Piece,
    take: &[PlayedNote],
    pairs: &[Option<Pair>],
    free: &mut [bool],
) -> HashMap<usize, Pair> {
    // When each group that was found was due, in order.
    let mut due: Vec<(f64, f64)> = Vec::new();
    for group in &piece.groups {
        let moment = |pair: &Pair| seconds(&take[pair.played]) - pair.deviation.unwrap_or(0.0);
        let found = pairs[group.first..group.end].iter().flatten().map(moment);
        if let Some(at) = found.reduce(f64::min) {
            due.push((group.seconds, at));
        }
    }
    let mut found = HashMap::new();
    for (index, written) in piece.written.iter().enumerate().filter(|(index, _)| pairs[*index].is_none()) {
        let Some((at, pace)) = moment(&due, piece.groups[written.group].seconds) else { continue };
        let reach = OCTAVE_REACH.0 as f64 / 1e6 * pace.clamp(1.0, 4.0);
        let from = take.partition_point(|note| seconds(note) < at - reach);
        let near = take.iter().enumerate().skip(from).take_while(|(_, note)| seconds(note) <= at + reach);
        let meant = near.filter(|(played, note)| free[*played] && is_octave(written, note));
        let off = |note: &PlayedNote| (seconds(note) - at).abs();
        if let Some((played, note)) = meant.min_by(|(_, a), (_, b)| off(a).total_cmp(&off(b))) {
            free[played] = false;
            found.insert(index, Pair { played, deviation: Some(seconds(note) - at) });
        }
    }
    found
}

fn is_octave(written: &Written, note: &PlayedNote) -> bool {
    written.pitch != note.pitch && written.pitch.class() == note.pitch.class()
}

/// When a written moment was between those around it that are known, and how many seconds were played for a written one
/// there; `None` unless it lies between two.
fn moment(due: &[(f64, f64)], written: f64) -> Option<(f64, f64)> {
    let after = due.partition_point(|(seconds, _)| *seconds < written);
    let next = *due.get(after)?;
    if next.0 == written {
        return Some((next.1, 1.0));
    }
    let before = due[after.checked_sub(1)?];
    let pace = (next.1 - before.1) / (next.0 - before.0);
    (pace > 0.0).then_some((before.1 + pace * (written - before.0), pace))
}
