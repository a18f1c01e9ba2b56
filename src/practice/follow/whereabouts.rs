//! Whether somebody is where they seem to be, and where else. While much is foreign there, the latest key-downs are
//! aligned with the whole piece (the local alignment of Smith and Waterman, 1981): a chain of groups gains for each
//! key-down that it has, and loses for what is passed over on either side. Each key-down looks only at the groups that
//! have its key.

use std::collections::VecDeque;

use super::Piece;
use super::path::FORWARD_MAX;
use super::search;
use crate::practice::types::PlayedNote;

/// Whoever has struck so many keys of so many that are not written where they seem to be is elsewhere.
const ASTRAY: usize = 12;
/// See [`ASTRAY`].
const ASTRAY_OF: usize = 24;
/// So many of them, and one begins to look elsewhere.
const UNSURE: usize = 4;
/// So many key-downs in a row, the latest, must all fit elsewhere.
pub(super) const CERTAIN: usize = 6;
/// After a place that was not certain, a chain must be so many times better to be looked at: one who is there goes on
/// fitting, and chance does not go on for long.
const BETTER: f32 = 1.5;

/// What a chain loses for each key-down that it does not have, where one that it has gains 1.
const STRAY_LOSS: f32 = 1.0;
/// And for each group that it passes over.
const PASSED_LOSS: f32 = 1.0;

/// Another place where somebody is.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// The latest key-downs, which fit there.
    pub(super) notes: Vec<PlayedNote>,
    /// The group of the first of them.
    pub(super) first: usize,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Whereabouts {
    /// The latest key-downs, and whether each is foreign to where it seemed to be.
    recent: VecDeque<(PlayedNote, bool)>,
    /// How many of them are.
    foreign: usize,
    /// The best chain that was looked at in vain.
    in_vain: f32,
    /// For each group the best chain that ends there, and the key-down that was its last; empty while one is sure.
    chains: Vec<(f32, u32)>,
    /// Key-downs since one is not sure.
    count: u32,
}

impl Whereabouts {
    /// Takes in a key-down that seems to be in a group; where the person is instead, when much is foreign there.
    pub(super) fn push(&mut self, piece: &Piece, note: &PlayedNote, group: usize) -> Option<Elsewhere> {
        if self.recent.len() == ASTRAY_OF
            && let Some((_, foreign)) = self.recent.pop_front()
        {
            self.foreign -= usize::from(foreign);
        }
        let is_foreign = !piece.is_written(group, note) && !piece.is_other_hand(group, note);
        self.recent.push_back((*note, is_foreign));
        self.foreign += usize::from(is_foreign);
        if self.foreign < UNSURE {
            self.chains.clear();
            self.in_vain = 0.0;
            return None;
        }
        let (score, end) = self.align(piece, note)?;
        if self.foreign < ASTRAY || score < (BETTER * self.in_vain).max(CERTAIN as f32) {
            return None;
        }
        let notes: Vec<PlayedNote> = self.recent.iter().map(|(note, _)| *note).collect();
        let found = fitting(piece, &notes, end);
        match &found {
            Some(_) => *self = Self::default(),
            None => self.in_vain = score,
        }
        found
    }

    /// Lengthens the chains by a key-down; the best one that ends with it, and its last group.
    fn align(&mut self, piece: &Piece, note: &PlayedNote) -> Option<(f32, usize)> {
        if self.chains.is_empty() {
            self.chains.resize(piece.groups.len(), (0.0, 0));
            self.count = 0;
        }
        self.count += 1;
        let mut best: Option<(f32, usize)> = None;
        // Backwards, so that a chain has this key-down once.
        for &group in piece.groups_with(note).iter().rev() {
            let group = group as usize;
            let from = group.saturating_sub(FORWARD_MAX);
            let before = self.chains[from..=group].iter().rev().enumerate().map(|(forward, &(score, last))| {
                let strays = (self.count - last - 1) as f32;
                score - STRAY_LOSS * strays - PASSED_LOSS * forward.saturating_sub(1) as f32
            });
            let score = 1.0 + before.fold(0.0, f32::max);
            self.chains[group] = (score, self.count);
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, group));
            }
        }
        best
    }
}

/// Where the latest of some key-downs fit in one go around a group, if that is certain.
fn fitting(piece: &Piece, notes: &[PlayedNote], around: usize) -> Option<Elsewhere> {
    let path = search::around(piece, notes, around)?;
    let goes_on = |i: usize| (path[i - 1]..=path[i - 1] + FORWARD_MAX).contains(&path[i]);
    let mut begin = (1..path.len()).rev().find(|i| !goes_on(*i)).unwrap_or(0);
    let fits = |i: &usize| piece.is_written(path[*i], &notes[*i]);
    begin = (begin..path.len()).find(fits)?;
    let is_certain = path.len() - begin >= CERTAIN && (path.len() - CERTAIN..path.len()).all(|i| fits(&i));
    is_certain.then(|| Elsewhere { notes: notes[begin..].to_vec(), first: path[begin] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Hand, Pitch, Score, ScoreParts, WrittenNote};
    use crate::practice::follow::FollowPlan;
    use crate::practice::types::PlayedId;
    use crate::time::{Micros, Ticks};

    fn key(random: &mut u64) -> Pitch {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Pitch::from_data_byte(40 + (*random >> 33) as u8 % 44)
    }

    /// A thousand chords of ten.
    fn chords(random: &mut u64) -> Piece {
        let written = |i: i64, pitch| WrittenNote {
            onset: Ticks(i * 240),
            end: Ticks(i * 240 + 200),
            pitch,
            hand: Hand::Right,
            velocity: 80,
        };
        let notes = (0..10_000).map(|i| written(i / 10, key(random))).collect();
        let score = Score::new(ScoreParts { resolution: 480, notes, ..Default::default() });
        Piece::new(&score, &FollowPlan::whole(&score))
    }

    fn struck(i: i64, pitch: Pitch) -> PlayedNote {
        PlayedNote { id: PlayedId(i as u64), at: Micros(i * 100_000), pitch, velocity: 80 }
    }

    #[test]
    fn one_who_plays_anything_is_looked_for_ever_more_seldom() {
        let mut random = 1;
        let piece = chords(&mut random);
        let mut whereabouts = Whereabouts::default();
        let (mut looked, mut found, mut in_vain) = (0, 0, 0.0);
        for i in 0..10_000 {
            found += usize::from(whereabouts.push(&piece, &struck(i, key(&mut random)), 0).is_some());
            looked += usize::from(whereabouts.in_vain > in_vain);
            in_vain = whereabouts.in_vain;
        }
        // A hundredth of the key-downs at most, so that the others tell what a key-down costs.
        assert!(looked + found <= 100, "{looked} times in vain, {found} found");
    }

    #[test]
    fn one_who_plays_elsewhere_is_found_there_after_so_much_is_foreign() {
        let mut random = 5;
        let piece = chords(&mut random);
        let mut whereabouts = Whereabouts::default();
        let there = piece.groups[600].first..piece.groups[640].end;
        let keys = piece.written[there].iter().zip(0..);
        let found = keys
            .into_iter()
            .find_map(|(written, i)| Some((i, whereabouts.push(&piece, &struck(i, written.pitch), 0)?)));
        let (after, elsewhere) = found.expect("the place");
        assert!(after < ASTRAY_OF as i64 + CERTAIN as i64, "after {after}");
        assert!((598..=602).contains(&elsewhere.first), "{elsewhere:?}");
    }
}
