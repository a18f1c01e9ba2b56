//! Which part of a take counts for which part of the piece, where the player went back or leapt on.

use std::ops::Range;

use super::presence::bit;
use super::Piece;
use super::path::FORWARD_MAX;
use super::trail::Path;
use crate::music::{Hand, Hands};
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

/// Of the groups that a run covers so many, as a share of two, were played in it, by one hand at least, if it is music and
/// not some keys that are written there too.
const PLAYED: (usize, usize) = (3, 5);

/// Whether most of what a run covers was played, by both hands or by one.
fn is_music(piece: &Piece, take: &[PlayedNote], path: &Path, run: &Run) -> bool {
    let groups = run.groups.start..run.groups.end.min(piece.groups.len());
    let mut struck = vec![0u8; groups.len()];
    for index in run.notes.clone() {
        let group = path.groups[index];
        let written = piece.groups.get(group).map_or(&[][..], |_| piece.group_notes(group));
        if let Some(written) = written.iter().find(|written| written.pitch == take[index].pitch) {
            struck[group - groups.start] |= written.hands;
        }
    }
    [Hands::BOTH, Hands::RIGHT, Hands::LEFT].into_iter().any(|hands| {
        let hands = u8::from(hands.right) * bit(Hand::Right) | u8::from(hands.left) * bit(Hand::Left);
        let asked = |group: &usize| piece.group_notes(*group).iter().any(|written| written.hands & hands != 0);
        let asked = groups.clone().filter(asked).count();
        let struck = struck.iter().filter(|struck| **struck & hands != 0).count();
        struck > 0 && struck * PLAYED.1 >= asked * PLAYED.0
    })
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
