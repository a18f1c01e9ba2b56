//! A whole take, or a stretch of it, walked through: where each key-down was found.

use super::Piece;
use super::path::{Known, NEAR_WINDOW, REFINE_WINDOW, TAKE_WINDOW, Walk};
use super::presence::Away;
use super::trail::{Path, Trail};
use super::whereabouts::Whereabouts;
use crate::practice::types::PlayedNote;

/// Where each key-down was found, of somebody who begins at the beginning, and which hand was away then. Key-downs are in
/// order of time. Looks nearby, and everywhere for whoever is not found there.
pub(super) fn find(piece: &Piece, take: &[PlayedNote]) -> (Path, Vec<Away>) {
    let (path, away) = search(piece, take, &[]);
    if away.iter().all(|away| *away == Away::None) {
        return (path, away);
    }
    // Before it was noticed, what the hand has looked left out, and may have led astray.
    (search(piece, take, &away).0, away)
}

/// Where each key-down was found, if it is known which hand was away.
fn search(piece: &Piece, take: &[PlayedNote], known: &[Away]) -> (Path, Vec<Away>) {
    let (mut path, mut away) = (Path::default(), Vec::new());
    let (mut start, mut goes_on) = (0, true);
    let window = NEAR_WINDOW.max(TAKE_WINDOW / take.len().max(1));
    while path.groups.len() < take.len() {
        let from = path.groups.len();
        let walk = Walk::new(piece, Some(start), window);
        let known = known.get(from..).unwrap_or_default();
        let (part, elsewhere) = go_on(piece, &take[from..], known, walk, goes_on, &mut away);
        goes_on = !part.groups.is_empty();
        path.extend(part);
        away.truncate(path.groups.len());
        start = elsewhere.unwrap_or(start);
    }
    (path, away)
}

/// The path of somebody who begins a walk, up to where they are found elsewhere; that can be at once only if `may_leave`.
fn go_on(
    piece: &Piece,
    take: &[PlayedNote],
    known: &[Away],
    mut walk: Walk,
    may_leave: bool,
    away: &mut Vec<Away>,
) -> (Path, Option<usize>) {
    let mut trail = Trail::default();
    let mut whereabouts = Whereabouts::default();
    let before = away.len();
    for (index, note) in take.iter().enumerate() {
        let known = Known { away: known.get(index).copied(), ..Known::default() };
        if !walk.step(piece, note, known, walk.middle()) {
            away.resize(before + take.len(), Away::None);
            return (Path::unknown(take.len()), None);
        }
        trail.push(walk.column());
        let now = walk.presence.away();
        if now != away[before..].last().copied().unwrap_or_default() {
            let since = index.saturating_sub(walk.presence.strokes_since());
            away[before + since..].fill(now);
        }
        away.push(now);
        let group = walk.column().best.group;
        let elsewhere = if walk.sees_all(piece) { None } else { whereabouts.push(piece, note, group) };
        if let Some(found) = elsewhere.filter(|found| may_leave || found.notes.len() <= index) {
            return (trail.path(&piece.layout, index + 1 - found.notes.len()), Some(found.first));
        }
    }
    (trail.path(&piece.layout, take.len()), None)
}

/// The path of some key-downs among the groups around one.
pub(super) fn around(piece: &Piece, notes: &[PlayedNote], group: usize) -> Option<Vec<usize>> {
    let mut walk = Walk::new(piece, None, NEAR_WINDOW);
    let mut trail = Trail::default();
    for note in notes {
        if !walk.step(piece, note, Known::default(), group) {
            return None;
        }
        trail.push(walk.column());
    }
    Some(trail.path(&piece.layout, notes.len()).groups)
}

/// The group of each key-down, near a path that was found without the rhythm. `tempos` says for each group how many
/// seconds are played for a written one.
pub(super) fn refine(piece: &Piece, take: &[PlayedNote], tempos: &[f64], away: &[Away], path: &Path) -> Path {
    let mut walk = Walk::new(piece, Some(0), REFINE_WINDOW);
    let mut trail = Trail::default();
    for ((note, group), away) in take.iter().zip(&path.groups).zip(away) {
        let known = Known { tempos: Some(tempos), away: Some(*away) };
        if !walk.step(piece, note, known, *group) {
            return path.clone();
        }
        trail.push(walk.column());
    }
    trail.path(&piece.layout, take.len())
}
