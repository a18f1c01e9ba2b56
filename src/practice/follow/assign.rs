//! Which key-down is which written note, given roughly where the player was: each pitch for itself, in order, nearest
//! to the moment that the notes around it make one expect.

use super::{Piece, REACH};
use crate::practice::types::PlayedNote;

/// How often expectations and pairs are derived from each other.
const ROUNDS: usize = 3;
/// Groups to both sides from which the local tempo is taken.
const TEMPO_GROUPS: usize = 8;
/// Groups to both sides from which the moment is taken.
const MOMENT_GROUPS: usize = 3;
/// How much less a neighbouring group says about the moment than the group itself.
const NEIGHBOUR_WEIGHT: f64 = 0.3;
/// The farthest from its expected moment, in seconds, that a note is looked for.
const FARTHEST: f64 = REACH.0 as f64 / 1e6;
/// The same for a note that the path puts into the group: a chord may be rolled over seconds.
const FARTHEST_ON_PATH: f64 = 5.0;
/// How much nearer, in seconds, such a note seems.
const ON_PATH: f64 = 0.3;

/// A written note that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// The index of the played note in the take.
    pub(super) played: usize,
    /// Seconds after the moment at which it was expected.
    pub(super) deviation: f64,
}

/// For each written note the key-down that played it.
pub(super) fn assign(piece: &Piece, take: &[PlayedNote], path: &[usize]) -> Vec<Option<Pair>> {
    let lost = repeated(path);
    let mut found = first_guess(piece, take, path, &lost);
    let mut pairs = Vec::new();
    for _ in 0..ROUNDS {
        let expected = expectations(piece, take, &found);
        pairs = pair_by_pitch(piece, take, path, &lost, &expected);
        found = pairs.iter().map(|p: &Option<Pair>| p.map(|p| p.played)).collect();
    }
    pairs
}

/// The key-downs that were played again later: those at or after the place to which a later one goes back.
fn repeated(path: &[usize]) -> Vec<bool> {
    let mut back_to = usize::MAX;
    let mut lost = vec![false; path.len()];
    for (index, &group) in path.iter().enumerate().rev() {
        lost[index] = group >= back_to;
        if index > 0 && group < path[index - 1] {
            back_to = back_to.min(group);
        }
    }
    lost
}

/// Each written note with the first key-down of its pitch that the path puts into its group.
fn first_guess(piece: &Piece, take: &[PlayedNote], path: &[usize], lost: &[bool]) -> Vec<Option<usize>> {
    let mut found = vec![None; piece.written.len()];
    for (played, note) in take.iter().enumerate().filter(|(i, _)| !lost[*i]) {
        let Some(group) = piece.groups.get(path[played]) else { continue };
        let free = (group.first..group.end).find(|&w| piece.written[w].pitch == note.pitch && found[w].is_none());
        if let Some(written) = free {
            found[written] = Some(played);
        }
    }
    found
}

/// When each group was played, and the groups of which that is known.
struct Onsets {
    moments: Vec<Option<f64>>,
    known: Vec<usize>,
}

fn onsets(piece: &Piece, take: &[PlayedNote], found: &[Option<usize>]) -> Onsets {
    let seconds = |played: usize| take[played].at.0 as f64 / 1e6;
    let moments: Vec<Option<f64>> = (piece.groups.iter())
        .map(|g| median((g.first..g.end).filter_map(|w| found[w].map(seconds)).collect()))
        .collect();
    let known = (0..moments.len()).filter(|&g| moments[g].is_some()).collect();
    Onsets { moments, known }
}

/// For each group how many seconds are played for a written one around it.
pub(super) fn tempos(piece: &Piece, take: &[PlayedNote], path: &[usize]) -> Vec<f64> {
    let found = first_guess(piece, take, path, &repeated(path));
    let Onsets { moments, known } = onsets(piece, take, &found);
    (0..moments.len()).map(|g| local_tempo(piece, &moments, &known, g)).collect()
}

/// When each written note is to be expected, in seconds, from the notes found around it and never from itself.
fn expectations(piece: &Piece, take: &[PlayedNote], found: &[Option<usize>]) -> Vec<Option<f64>> {
    let Onsets { moments, known } = onsets(piece, take, found);
    let seconds = |played: usize| take[played].at.0 as f64 / 1e6;
    let tempos: Vec<f64> = (0..moments.len()).map(|g| local_tempo(piece, &moments, &known, g)).collect();
    (piece.written.iter().enumerate())
        .map(|(index, written)| {
            let here = piece.groups[written.group].seconds;
            let (mut sum, mut weights) = (0.0, 0.0);
            let near = around(&known, written.group, MOMENT_GROUPS);
            for &g in &known[near] {
                let weight = NEIGHBOUR_WEIGHT.powi(written.group.abs_diff(g) as i32);
                let moment = if g == written.group {
                    let others = piece.groups[g].first..piece.groups[g].end;
                    median(others.filter(|&w| w != index).filter_map(|w| found[w].map(seconds)).collect())
                } else {
                    moments[g]
                };
                if let Some(moment) = moment {
                    sum += weight * (moment + tempos[written.group] * (here - piece.groups[g].seconds));
                    weights += weight;
                }
            }
            (weights > 0.0).then(|| sum / weights)
        })
        .collect()
}

/// The positions in `known` of the groups around one: so many to each side, and the group itself.
fn around(known: &[usize], group: usize, reach: usize) -> std::ops::Range<usize> {
    let at = known.partition_point(|&g| g < group);
    at.saturating_sub(reach)..(at + reach + 1).min(known.len())
}

/// Seconds played per second written around a group: the median slope between groups that are a few apart.
fn local_tempo(piece: &Piece, moments: &[Option<f64>], known: &[usize], group: usize) -> f64 {
    let near = &known[around(known, group, TEMPO_GROUPS)];
    let apart = (near.len() / 2).max(1);
    let slopes = near.iter().zip(near.iter().skip(apart)).filter_map(|(&a, &b)| {
        let written = piece.groups[b].seconds - piece.groups[a].seconds;
        Some((moments[b]? - moments[a]?) / written.max(1e-6))
    });
    median(slopes.collect()).unwrap_or(1.0).clamp(0.05, 20.0)
}

/// Pairs the notes of each pitch in order, so that together they are as near to their moments as can be.
fn pair_by_pitch(
    piece: &Piece,
    take: &[PlayedNote],
    path: &[usize],
    lost: &[bool],
    expected: &[Option<f64>],
) -> Vec<Option<Pair>> {
    let mut pairs = vec![None; piece.written.len()];
    for pitch in 0..128 {
        let written = (0..piece.written.len()).filter(|&w| piece.written[w].pitch.key() == pitch);
        let written: Vec<(usize, f64)> = written.filter_map(|w| Some((w, expected[w]?))).collect();
        let played = (0..take.len()).filter(|&p| take[p].pitch.key() == pitch && !lost[p]);
        let played: Vec<(usize, f64)> = played.map(|p| (p, take[p].at.0 as f64 / 1e6)).collect();
        let on_path = |w: usize, p: usize| path[played[p].0] == piece.written[written[w].0].group;
        for (w, p) in best_chain(&written, &played, on_path) {
            let (played, at) = played[p];
            let (written, expected) = written[w];
            pairs[written] = Some(Pair { played, deviation: at - expected });
        }
    }
    pairs
}

/// A possible pair, and the best chain of pairs that ends with it.
struct Link {
    written: usize,
    played: usize,
    gain: f64,
    before: Option<usize>,
}

/// The set of pairs, ascending in both, with the largest gain. A pair gains more the nearer it is. Played notes are
/// ascending in time.
fn best_chain(
    written: &[(usize, f64)],
    played: &[(usize, f64)],
    on_path: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut links: Vec<Link> = Vec::new();
    let mut best_upto = Fenwick::new(played.len());
    for (w, &(_, expected)) in written.iter().enumerate() {
        let from = played.partition_point(|p| p.1 < expected - FARTHEST_ON_PATH);
        let to = played.partition_point(|p| p.1 <= expected + FARTHEST_ON_PATH);
        let fresh = links.len();
        for (p, &(_, at)) in played.iter().enumerate().take(to).skip(from) {
            let mut gain = FARTHEST - (at - expected).abs();
            if on_path(w, p) {
                gain = gain.max(0.0) + ON_PATH;
            } else if gain <= 0.0 {
                continue;
            }
            let before = best_upto.best(p, &links);
            let gain = gain + before.map_or(0.0, |b| links[b].gain);
            links.push(Link { written: w, played: p, gain, before });
        }
        for link in fresh..links.len() {
            best_upto.offer(links[link].played, link, &links);
        }
    }
    let mut chain = Vec::new();
    let mut at = best_upto.best(played.len(), &links);
    while let Some(link) = at {
        chain.push((links[link].written, links[link].played));
        at = links[link].before;
    }
    chain
}

/// The best link among those that end before a played note; a binary indexed tree of maxima.
struct Fenwick {
    tree: Vec<Option<usize>>,
}

impl Fenwick {
    fn new(len: usize) -> Self {
        Self { tree: vec![None; len + 1] }
    }

    fn best(&self, before: usize, links: &[Link]) -> Option<usize> {
        let mut at = before;
        let mut best: Option<usize> = None;
        while at > 0 {
            best = better(best, self.tree[at], links);
            at &= at - 1;
        }
        best
    }

    fn offer(&mut self, played: usize, link: usize, links: &[Link]) {
        let mut at = played + 1;
        while at < self.tree.len() {
            self.tree[at] = better(self.tree[at], Some(link), links);
            at += at & at.wrapping_neg();
        }
    }
}

fn better(one: Option<usize>, other: Option<usize>, links: &[Link]) -> Option<usize> {
    match (one, other) {
        (Some(a), Some(b)) => Some(if links[b].gain > links[a].gain { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    Some(if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 })
}
