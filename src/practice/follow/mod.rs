//! *Follow me*: [`Follower`] goes along while it is played; [`pair`] tells afterwards which played note is which written
//! note, whatever the tempo, the rubato and the mistakes.
//!
//! Three steps. `path` finds the place in the score for every key-down. `assign` derives from it when each written
//! note was to be expected, given the player's own local tempo, and pairs the notes of each pitch in order; it does
//! so again with what it has found. The deviations that come out are from the local tempo, not from a metronome.

mod assign;
mod live;
mod path;

pub use live::{Followed, Follower};

use super::types::{PlayedNote, Preset, Verdict, VerdictKind};
use crate::music::{Hands, NoteId, Percent, Pitch, Score};
use crate::time::{Micros, Ticks};

/// How far from its moment a key-down may be to count for a written note, where the notes around it say nothing else.
pub const REACH: Micros = Micros::from_millis(500);

/// A written note as the steps see it.
#[derive(Clone, Copy, Debug)]
struct Written {
    id: NoteId,
    /// The index of its onset group.
    group: usize,
    pitch: Pitch,
}

/// An onset group as the steps see it.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// When it would sound at the written tempo, in seconds.
    seconds: f64,
    /// Its notes, in `Piece::written`.
    first: usize,
    end: usize,
}

/// The practised notes of a score, by onset, then pitch. A unison of both hands, which is one key, is here once.
#[derive(Clone, Debug)]
struct Piece {
    written: Vec<Written>,
    groups: Vec<Group>,
    /// The other notes of unisons, with the one of `written` that stands for them.
    twins: Vec<(NoteId, usize)>,
    /// For each key, then each group, how many notes of it the group has.
    copies: Vec<u8>,
}

impl Piece {
    fn new(score: &Score, hands: Hands, from: Ticks, to: Ticks) -> Self {
        let mut piece = Self { written: Vec::new(), groups: Vec::new(), twins: Vec::new(), copies: Vec::new() };
        for (group, onset) in score.onset_groups(hands, from, to).into_iter().enumerate() {
            let first = piece.written.len();
            for id in onset.notes {
                let note = score.note(id);
                match piece.written[first..].last().map(|w| score.note(w.id)) {
                    Some(twin) if twin.pitch == note.pitch && twin.hand != note.hand => {
                        piece.twins.push((id, piece.written.len() - 1));
                    }
                    _ => piece.written.push(Written { id, group, pitch: note.pitch }),
                }
            }
            let seconds = score.tempo().micros(onset.tick, Percent::FULL).0 as f64 / 1e6;
            piece.groups.push(Group { seconds, first, end: piece.written.len() });
        }
        piece.copies = vec![0; 128 * piece.groups.len()];
        for written in &piece.written {
            let copies = &mut piece.copies[usize::from(written.pitch.key()) * piece.groups.len() + written.group];
            *copies = copies.saturating_add(1);
        }
        piece
    }

    /// How many notes of a key-down's pitch each group has.
    fn copies_of(&self, note: &PlayedNote) -> &[u8] {
        let groups = self.groups.len();
        &self.copies[usize::from(note.pitch.key()) * groups..][..groups]
    }

    fn group_notes(&self, group: usize) -> &[Written] {
        &self.written[self.groups[group].first..self.groups[group].end]
    }
}

/// Pairs a take with the notes of `hands` whose onsets lie in `[from, to)`. Notes may come in any order; a bar that was
/// played twice counts as played the second time. Verdicts are those of written notes in order, then of extra notes
/// by time. Time grows with notes times 1 024 at most, memory likewise.
pub fn pair(
    score: &Score,
    hands: Hands,
    (from, to): (Ticks, Ticks),
    preset: Preset,
    notes: &[PlayedNote],
) -> Vec<Verdict> {
    let piece = Piece::new(score, hands, from, to);
    let mut take = notes.to_vec();
    take.sort_by_key(|n| (n.at, n.pitch, n.id));
    let rough = path::find(&piece, &take);
    let tempos = assign::tempos(&piece, &take, &rough);
    let path = path::refine(&piece, &take, &tempos, &rough);
    let assignment = assign::assign(&piece, &take, &path);
    let mut used = vec![false; take.len()];
    assignment.iter().flatten().for_each(|pair| used[pair.played] = true);
    let verdict = |id: NoteId, found: &Option<assign::Pair>| {
        let deviation = found.map(|pair| Micros((pair.deviation * 1e6).round() as i64));
        Verdict {
            pass: 0,
            played: found.map(|pair| take[pair.played].id),
            written: Some(id),
            kind: deviation.map_or(VerdictKind::Missed, |d| preset.judge(d, Percent::FULL)),
            deviation,
        }
    };
    let mut verdicts: Vec<Verdict> = (piece.written.iter().zip(&assignment))
        .map(|(written, found)| verdict(written.id, found))
        .chain(piece.twins.iter().map(|&(id, twin)| verdict(id, &assignment[twin])))
        .collect();
    verdicts.sort_by_key(|v| v.written);
    let extras = take.iter().zip(&used).filter(|(_, used)| !**used);
    verdicts.extend(extras.map(|(note, _)| Verdict {
        pass: 0,
        played: Some(note.id),
        written: None,
        kind: VerdictKind::Extra,
        deviation: None,
    }));
    verdicts
}
