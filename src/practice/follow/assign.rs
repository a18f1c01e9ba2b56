//! Which key-down is which written note, given roughly where the player was: each pitch for itself, in order, nearest
//! to the moment that the notes around it make one expect.

use std::collections::BTreeMap;
use std::ops::Range;

use super::part::Part;
use super::{Group, Piece, REACH};
use crate::music::Pitch;
use crate::practice::types::PlayedNote;

/// How often expectations and pairs are derived from each other.
const ROUNDS: usize = 3;
/// Groups to both sides from which the local tempo is taken.
const TEMPO_GROUPS: usize = 8;
/// Groups to both sides from which the moment is taken.
const MOMENT_GROUPS: usize = 3;
/// How much less a neighbouring group says about the moment than the group itself.
const NEIGHBOUR_WEIGHT: f64 = 0.3;
/// A step that takes so many times its time, and so much more in seconds, is no tempo but a stop; what lies beyond says
/// nothing about a moment.
pub(super) const STOP_SHARE: f64 = 2.0;
pub(super) const STOP_SECONDS: f64 = 0.4;
/// The farthest from its expected moment, in seconds, that a note is looked for.
const FARTHEST: f64 = REACH.0 as f64 / 1e6;
/// The same for a note that the path puts into the group: a chord may be rolled over seconds.
const FARTHEST_ON_PATH: f64 = 5.0;
/// Key-downs of its pitch to each side that are weighed for a note; a trill of five seconds has fewer.
const CANDIDATES: usize = 50;
/// How much nearer, in seconds, such a note seems.
const ON_PATH: f64 = 0.3;

/// A written note that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// The index of the played note in the take.
    pub(super) played: usize,
    /// Seconds after the moment at which it was expected; `None` for a note that stands alone between stops.
    pub(super) deviation: Option<f64>,
}

/// For each written note the key-down that played it.
pub(super) fn assign(piece: &Piece, take: &[PlayedNote], parts: &[Part], path: &[usize]) -> Vec<Option<Pair>> {
    let mut pairs = vec![None; piece.written.len()];
    for part in parts {
        let mut found = first_guess(piece, take, part, path);
        for _ in 0..ROUNDS {
            let expected = expectations(piece, take, part, &found);
            let fresh = pair_by_pitch(piece, take, part, path, &expected);
            found = fresh.iter().map(|pair: &Option<Pair>| pair.map(|pair| pair.played)).collect();
            pairs[piece.written_of(part)].copy_from_slice(&fresh);
        }
    }
    pairs
}

/// Each written note of a part with the first key-down of its pitch that the path puts into its group.
fn first_guess(piece: &Piece, take: &[PlayedNote], part: &Part, path: &[usize]) -> Vec<Option<usize>> {
    let written = piece.written_of(part);
    let mut found = vec![None; written.len()];
    for &played in &part.notes {
        let group = piece.groups[path[played]];
        let is_free = |w: &usize| piece.written[*w].pitch == take[played].pitch && found[w - written.start].is_none();
        if let Some(w) = (group.first..group.end).find(is_free) {
            found[w - written.start] = Some(played);
        }
    }
    found
}

/// When each group of a part was played, and the groups of which that is known. Counted from the part's first group.
struct Onsets<'a> {
    groups: &'a [Group],
    moments: Vec<Option<f64>>,
    known: Vec<usize>,
    /// For each of `known` how many stops there were before it.
    stops: Vec<usize>,
    /// The tempo around each of `known`.
    tempos: Vec<f64>,
}

impl<'a> Onsets<'a> {
    fn new(piece: &'a Piece, take: &[PlayedNote], part: &Part, found: &[Option<usize>]) -> Self {
        let first = piece.written_of(part).start;
        let groups = &piece.groups[part.groups.clone()];
        let at = |w: usize| found[w - first].map(|p| seconds(&take[p]));
        let moments: Vec<Option<f64>> =
            groups.iter().map(|g| median((g.first..g.end).filter_map(at).collect())).collect();
        let known: Vec<usize> = (0..moments.len()).filter(|&g| moments[g].is_some()).collect();
        let mut onsets = Self { groups, moments, stops: vec![0; known.len()], known, tempos: Vec::new() };
        onsets.measure_tempos();
        if onsets.find_stops() > 0 {
            onsets.measure_tempos();
        }
        onsets
    }

    fn measure_tempos(&mut self) {
        self.tempos = (0..self.known.len()).map(|k| self.tempo(self.reach(k, TEMPO_GROUPS))).collect();
    }

    /// A step that takes far longer than the tempo on both sides of it lets expect is a stop; how many there are.
    fn find_stops(&mut self) -> usize {
        let mut stops = 0;
        for k in 1..self.known.len() {
            let (before, here) = (self.known[k - 1], self.known[k]);
            let (Some(from), Some(to)) = (self.moments[before], self.moments[here]) else { continue };
            let expected =
                self.tempos[k].max(self.tempos[k - 1]) * (self.groups[here].seconds - self.groups[before].seconds);
            stops += usize::from(to - from > STOP_SHARE * expected + STOP_SECONDS);
            self.stops[k] = stops;
        }
        stops
    }

    /// The positions in `known` of the groups around one of them: so many to each side, not beyond a stop.
    fn reach(&self, k: usize, groups: usize) -> Range<usize> {
        let near = k.saturating_sub(groups)..(k + groups + 1).min(self.known.len());
        let from = near.start + self.stops[near.start..k].partition_point(|stops| *stops < self.stops[k]);
        let to = k + self.stops[k..near.end].partition_point(|stops| *stops == self.stops[k]);
        from..to
    }

    /// Seconds played per second written: the median slope between groups that are a few apart.
    fn tempo(&self, near: Range<usize>) -> f64 {
        let near = &self.known[near];
        let apart = (near.len() / 2).max(1);
        let slopes = near.iter().zip(near.iter().skip(apart)).filter_map(|(&a, &b)| {
            let written = self.groups[b].seconds - self.groups[a].seconds;
            Some((self.moments[b]? - self.moments[a]?) / written.max(1e-6))
        });
        median(slopes.collect()).unwrap_or(1.0).clamp(0.05, 20.0)
    }

    /// The tempo around each group, known or not.
    fn tempos(&self) -> Vec<f64> {
        let nearest = |g: usize| self.nearest(g).map_or(1.0, |k| self.tempos[k]);
        (0..self.groups.len()).map(nearest).collect()
    }

    /// The position in `known` of the group nearest to one, the later of two.
    fn nearest(&self, group: usize) -> Option<usize> {
        let after = self.known.partition_point(|&g| g < group);
        let before = after.checked_sub(1);
        match (before, self.known.get(after)) {
            (Some(before), Some(&next)) if group - self.known[before] < next - group => Some(before),
            (before, None) => before,
            (_, Some(_)) => Some(after),
        }
    }
}

pub(super) fn seconds(note: &PlayedNote) -> f64 {
    note.at.0 as f64 / 1e6
}

/// For each group how many seconds are played for a written one around it.
pub(super) fn tempos(piece: &Piece, take: &[PlayedNote], parts: &[Part], path: &[usize]) -> Vec<f64> {
    let mut tempos = vec![1.0; piece.groups.len()];
    for part in parts {
        let found = first_guess(piece, take, part, path);
        tempos[part.groups.clone()].copy_from_slice(&Onsets::new(piece, take, part, &found).tempos());
    }
    tempos
}

/// When a note is to be expected.
#[derive(Clone, Copy, Debug)]
struct Expected {
    seconds: f64,
    /// Whether only what lies beyond a stop tells.
    is_vague: bool,
}

/// When each written note of a part is to be expected, from the notes found around it and never from itself.
fn expectations(piece: &Piece, take: &[PlayedNote], part: &Part, found: &[Option<usize>]) -> Vec<Option<Expected>> {
    let onsets = Onsets::new(piece, take, part, found);
    let (groups, tempos) = (onsets.groups, onsets.tempos());
    let first = piece.written_of(part).start;
    let from = |index: usize, near: Range<usize>| {
        let group = piece.written[index].group - part.groups.start;
        let (mut sum, mut weights) = (0.0, 0.0);
        for &g in &onsets.known[near] {
            let weight = NEIGHBOUR_WEIGHT.powi(group.abs_diff(g) as i32);
            let moment = if g == group {
                let others = (groups[g].first..groups[g].end).filter(|&w| w != index);
                median(others.filter_map(|w| found[w - first].map(|p| seconds(&take[p]))).collect())
            } else {
                onsets.moments[g]
            };
            if let Some(moment) = moment {
                sum += weight * (moment + tempos[group] * (groups[group].seconds - groups[g].seconds));
                weights += weight;
            }
        }
        (weights > 0.0).then(|| sum / weights)
    };
    let expected = |index: usize| {
        let k = onsets.nearest(piece.written[index].group - part.groups.start)?;
        let sure = from(index, onsets.reach(k, MOMENT_GROUPS));
        let all = k.saturating_sub(MOMENT_GROUPS)..(k + MOMENT_GROUPS + 1).min(onsets.known.len());
        // What nothing else tells of is due when it came.
        let itself = || found[index - first].map(|p| seconds(&take[p]));
        let seconds = sure.or_else(|| from(index, all)).or_else(itself)?;
        Some(Expected { seconds, is_vague: sure.is_none() })
    };
    piece.written_of(part).map(expected).collect()
}

/// Pairs the notes of each pitch in order, so that together they are as near to their moments as can be.
fn pair_by_pitch(
    piece: &Piece,
    take: &[PlayedNote],
    part: &Part,
    path: &[usize],
    expected: &[Option<Expected>],
) -> Vec<Option<Pair>> {
    let first = piece.written_of(part).start;
    let mut by_pitch: BTreeMap<Pitch, (Vec<Moment>, Vec<Moment>)> = BTreeMap::new();
    for (w, expected) in piece.written_of(part).zip(expected) {
        let Some(expected) = *expected else { continue };
        by_pitch.entry(piece.written[w].pitch).or_default().0.push((w, expected.seconds));
    }
    for &p in &part.notes {
        if let Some((_, played)) = by_pitch.get_mut(&take[p].pitch) {
            played.push((p, seconds(&take[p])));
        }
    }
    let mut pairs = vec![None; expected.len()];
    for (written, played) in by_pitch.values() {
        let on_path = |w: usize, p: usize| path[played[p].0] == piece.written[written[w].0].group;
        for (w, p) in best_chain(written, played, on_path) {
            let ((played, at), (written, moment)) = (played[p], written[w]);
            let is_vague = expected[written - first].is_none_or(|expected| expected.is_vague);
            pairs[written - first] = Some(Pair { played, deviation: (!is_vague).then_some(at - moment) });
        }
    }
    pairs
}

/// A written or a played note by its index, and when it was expected or came, in seconds.
type Moment = (usize, f64);

/// A possible pair, and the best chain of pairs that ends with it.
struct Link {
    written: usize,
    played: usize,
    gain: f64,
    before: Option<usize>,
}

/// The set of pairs, ascending in both, with the largest gain. A pair gains more the nearer it is. Played notes are
/// ascending in time.
fn best_chain(written: &[Moment], played: &[Moment], on_path: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let mut links: Vec<Link> = Vec::new();
    let mut best_upto = Fenwick::new(played.len());
    for (w, &(_, expected)) in written.iter().enumerate() {
        let nearest = played.partition_point(|p| p.1 < expected);
        let from =
            played.partition_point(|p| p.1 < expected - FARTHEST_ON_PATH).max(nearest.saturating_sub(CANDIDATES));
        let to = played.partition_point(|p| p.1 <= expected + FARTHEST_ON_PATH).min(nearest + CANDIDATES);
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
    let is_even = values.len().is_multiple_of(2);
    let middle = values.len() / 2;
    let (lower, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let below = lower.iter().copied().max_by(f64::total_cmp).filter(|_| is_even);
    Some(below.map_or(*upper, |below| (below + *upper) / 2.0))
}
