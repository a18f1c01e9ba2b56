//! Which part of a take counts for which part of the piece, where the player went back or leapt on.

use std::ops::Range;

use super::Piece;
use super::path::FORWARD_MAX;
use super::presence::bit;
use super::trail::Path;
use crate::music::Hand;
use crate::practice::types::PlayedNote;

/// Onset groups that were played in one go, and for which nothing that was played later counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The groups.
    pub(super) groups: Range<usize>,
    /// The key-downs found there, by index in the take, ascending.
    pub(super) notes: Vec<usize>,
}

/// A stretch of the path without going back or leaping on: key-downs, and the groups they cover.
struct Run {
    notes: Range<usize>,
    groups: Range<usize>,
}

fn runs(path: &Path) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (index, (&group, &leapt)) in path.groups.iter().zip(&path.leaps).enumerate() {
        match runs.last_mut() {
            Some(run) if !leapt => {
                run.notes.end = index + 1;
                run.groups.end = group + 1;
            }
            _ => runs.push(Run { notes: index..index + 1, groups: group..group + 1 }),
        }
    }
    runs
}

/// A run is music, and not some keys that happen to be written there too, if of the groups that it covers three fifths
/// were played, by one hand at least, and every other of its key-downs is written where it was found.
const PLAYED: (usize, usize) = (3, 5);
const WRITTEN: (usize, usize) = (1, 2);

/// See [`PLAYED`].
fn is_music(piece: &Piece, take: &[PlayedNote], path: &Path, run: &Run) -> bool {
    let groups = run.groups.start..run.groups.end.min(piece.groups.len());
    let mut struck = vec![0u8; groups.len()];
    let mut found = 0;
    for index in run.notes.clone().filter(|index| groups.contains(&path.groups[*index])) {
        let group = path.groups[index];
        let written = piece.group_notes(group).iter().find(|written| written.pitch == take[index].pitch);
        if let Some(written) = written {
            struck[group - groups.start] |= written.hands;
            found += 1;
        }
    }
    let is_played = |hands: u8| {
        let asked = |group: &usize| piece.group_notes(*group).iter().any(|written| written.hands & hands != 0);
        let asked = groups.clone().filter(asked).count();
        let struck = struck.iter().filter(|struck| **struck & hands != 0).count();
        struck > 0 && struck * PLAYED.1 >= asked * PLAYED.0
    };
    let (right, left) = (bit(Hand::Right), bit(Hand::Left));
    found * WRITTEN.1 >= run.notes.len() * WRITTEN.0 && [right | left, right, left].into_iter().any(is_played)
}

/// The parts, in the order of the piece, and which key-downs are music. Where two runs cover a group, the later one
/// counts; what is no music never takes the place of what is.
pub(super) fn parts(piece: &Piece, take: &[PlayedNote], path: &Path) -> (Vec<Part>, Vec<bool>) {
    let runs = runs(path);
    let music: &[bool] = &runs.iter().map(|run| is_music(piece, take, path, run)).collect::<Vec<_>>();
    let mut is_music = vec![false; take.len()];
    runs.iter().zip(music).for_each(|(run, music)| is_music[run.notes.clone()].fill(*music));
    let mut owner: Vec<Option<usize>> = vec![None; piece.groups.len()];
    // For each group the nearest one from there on that has no owner, as far as known.
    let mut free: Vec<usize> = (0..=piece.groups.len()).collect();
    let latest = |wanted: bool| runs.iter().enumerate().rev().filter(move |(index, _)| music[*index] == wanted);
    for (index, run) in latest(true).chain(latest(false)) {
        let mut group = nearest(&mut free, run.groups.start.min(piece.groups.len()));
        while group < run.groups.end.min(piece.groups.len()) {
            owner[group] = Some(index);
            free[group] = group + 1;
            group = nearest(&mut free, group);
        }
    }
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for (group, owner) in owner.iter().enumerate() {
        let Some(owner) = *owner else { continue };
        match parts.last_mut() {
            Some((same, part)) if *same == owner && part.groups.end == group => part.groups.end = group + 1,
            _ => parts.push((owner, Part { groups: group..group + 1, notes: Vec::new() })),
        }
    }
    for (owner, part) in &mut parts {
        // Within a run the path ascends.
        let Run { notes, .. } = &runs[*owner];
        let upto = |group: usize| notes.start + path.groups[notes.clone()].partition_point(|at| *at < group);
        part.notes = (upto(part.groups.start)..upto(part.groups.end)).collect();
    }
    (parts.into_iter().map(|(_, part)| part).collect(), is_music)
}

/// Follows the pointers, and shortens them on the way.
fn nearest(free: &mut [usize], from: usize) -> usize {
    let mut end = from;
    while free[end] != end {
        end = free[end];
    }
    let mut at = from;
    while free[at] != end {
        at = std::mem::replace(&mut free[at], end);
    }
    end
}

/// Which groups were played or passed over, out of so many; not those that were leapt over, nor those far before the
/// first part and after the last.
pub(super) fn reached(parts: &[Part], groups: usize) -> Vec<bool> {
    let mut reached = vec![true; groups];
    let mut end = 0;
    for next in parts.iter().map(|part| part.groups.clone()).chain(std::iter::once(groups..groups)) {
        if next.start - end > FORWARD_MAX {
            reached[end..next.start].fill(false);
        }
        end = next.end;
    }
    reached
}

/// Which key-downs count.
pub(super) fn counting(parts: &[Part], notes: usize) -> Vec<bool> {
    let mut counting = vec![false; notes];
    parts.iter().flat_map(|part| &part.notes).for_each(|note| counting[*note] = true);
    counting
}
