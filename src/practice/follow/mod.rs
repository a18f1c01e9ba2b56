//! *Follow me*: [`Follower`] goes along while it is played; [`pair`] tells afterwards which played note is which written
//! note, whatever the tempo, the rubato and the mistakes.
//!
//! Three steps. `path` finds the place in the score for every key-down (`leap` says how likely it is to be elsewhere now,
//! `presence` which hands play, `trail` keeps the way back, `search` goes through a whole take), `whereabouts` helps where
//! that is far from the one before. `part` cuts it where the player went back or leapt on: of what was played twice the
//! later time counts. `assign` derives when each written note of a part was to
//! be expected, given the player's own local tempo, and pairs the notes of each pitch in order; it does so again with
//! what it has found; `octave` looks at what is left. The deviations that come out are from the local tempo, not from a
//! metronome.

mod assign;
mod leap;
mod live;
mod octave;
mod part;
mod path;
mod presence;
mod search;
mod trail;
mod whereabouts;

pub use live::{Followed, Follower, Revised};

use std::ops::Range;

use self::path::Layout;
use self::presence::bit;
use self::trail::Path;
use super::options::{KeyRange, PracticeSettings};
use super::types::{PlayedId, PlayedNote, Preset, Verdict, VerdictKind};
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
    /// The hands that have it, one bit each.
    hands: u8,
}

/// An onset group as the steps see it.
#[derive(Clone, Copy, Debug)]
struct Group {
    tick: Ticks,
    /// When it would sound at the written tempo, in seconds.
    seconds: f64,
    /// The index of its bar.
    bar: u32,
    /// Its notes, in `Piece::written`.
    first: usize,
    end: usize,
}

/// What is to be played, and how it is judged.
#[derive(Clone, Copy, Debug)]
pub struct FollowPlan {
    /// The hands that are judged; key-downs that fit the other hand are neutral.
    pub hands: Hands,
    /// The first tick.
    pub from: Ticks,
    /// The tick after the last.
    pub to: Ticks,
    /// How timing is coloured.
    pub preset: Preset,
    /// The keys that can be asked for; what is written outside is not required.
    pub keyboard: KeyRange,
}

impl FollowPlan {
    /// The whole piece, both hands.
    pub fn whole(score: &Score) -> Self {
        let (hands, preset, keyboard) = (Hands::BOTH, Preset::Standard, KeyRange::ALL);
        Self { hands, from: Ticks::ZERO, to: score.end(), preset, keyboard }
    }

    /// What a person has chosen.
    pub fn from_settings(score: &Score, settings: &PracticeSettings) -> Self {
        let (from, to) = settings.ticks(score.bars());
        Self { hands: settings.practise, from, to, preset: settings.preset, keyboard: settings.keyboard }
    }
}

/// In `Piece::keys`: the other hand has this key here.
const OTHER_HAND: u8 = 0x80;

/// How often the practised hands have a key here.
const fn copies(key: u8) -> usize {
    (key & !OTHER_HAND) as usize
}

/// The practised notes of a score, by onset, then pitch. A unison of both hands, which is one key, is here once.
#[derive(Clone, Debug, Default)]
struct Piece {
    written: Vec<Written>,
    groups: Vec<Group>,
    /// The other notes of unisons, with the one of `written` that stands for them.
    twins: Vec<(NoteId, usize)>,
    /// For each key, then each group: [`copies`], and [`OTHER_HAND`].
    keys: Vec<u8>,
    /// The groups that have each key, key by key, and where those of each begin.
    places: Vec<u32>,
    places_from: Vec<usize>,
    layout: Layout,
}

impl Piece {
    fn new(score: &Score, plan: &FollowPlan) -> Self {
        let mut piece = Self::default();
        let mut others: Vec<(usize, Pitch)> = Vec::new();
        for onset in score.onset_groups(Hands::BOTH, plan.from, plan.to) {
            let is_asked = |id: &NoteId| {
                let note = score.note(*id);
                plan.hands.contains(note.hand) && plan.keyboard.contains(note.pitch)
            };
            let (asked, not_asked): (Vec<NoteId>, Vec<NoteId>) = onset.notes.into_iter().partition(is_asked);
            if !asked.is_empty() {
                piece.add_group(score, onset.tick, &asked);
            }
            let group = piece.groups.len().saturating_sub(1);
            others.extend(not_asked.iter().map(|id| (group, score.note(*id).pitch)));
        }
        let groups = piece.groups.len();
        piece.keys = vec![0; 128 * groups];
        let place = |group: usize, pitch: Pitch| usize::from(pitch.key()) * groups + group;
        for written in &piece.written {
            let key = &mut piece.keys[place(written.group, written.pitch)];
            *key = (*key + 1).min(!OTHER_HAND);
        }
        for (group, pitch) in others {
            // Without a group there is nothing to follow.
            if let Some(key) = piece.keys.get_mut(place(group, pitch)) {
                *key |= OTHER_HAND;
            }
        }
        for key in 0..128 {
            piece.places_from.push(piece.places.len());
            let of_key = piece.keys[key * groups..][..groups].iter().zip(0..);
            piece.places.extend(of_key.filter(|(key, _)| copies(**key) > 0).map(|(_, group): (_, u32)| group));
        }
        piece.places_from.push(piece.places.len());
        piece.layout = Layout::new(&piece);
        piece
    }

    fn add_group(&mut self, score: &Score, tick: Ticks, notes: &[NoteId]) {
        let (first, group) = (self.written.len(), self.groups.len());
        for &id in notes {
            let note = score.note(id);
            match self.written[first..].last().map(|w| score.note(w.id)) {
                Some(twin) if twin.pitch == note.pitch && twin.hand != note.hand => {
                    let stands = self.written.len() - 1;
                    self.twins.push((id, stands));
                    self.written[stands].hands |= bit(note.hand);
                }
                _ => self.written.push(Written { id, group, pitch: note.pitch, hands: bit(note.hand) }),
            }
        }
        let seconds = score.tempo().micros(tick, Percent::FULL).0 as f64 / 1e6;
        let bar = notes.first().map_or(0, |id| score.bar_of(*id)) as u32;
        self.groups.push(Group { tick, seconds, bar, first, end: self.written.len() });
    }

    /// What each group has of a key-down's key: [`copies`], and [`OTHER_HAND`].
    fn keys_of(&self, note: &PlayedNote) -> &[u8] {
        let groups = self.groups.len();
        &self.keys[usize::from(note.pitch.key()) * groups..][..groups]
    }

    /// The groups that have a key-down's key, in order.
    fn groups_with(&self, note: &PlayedNote) -> &[u32] {
        let key = usize::from(note.pitch.key());
        &self.places[self.places_from[key]..self.places_from[key + 1]]
    }

    /// Whether a key-down is written in a group.
    fn is_written(&self, group: usize, note: &PlayedNote) -> bool {
        copies(self.keys_of(note)[group]) > 0
    }

    /// Whether a key-down is the other hand's around a group.
    fn is_other_hand(&self, group: usize, note: &PlayedNote) -> bool {
        let around = group.saturating_sub(1)..(group + 2).min(self.groups.len());
        self.keys_of(note)[around].iter().any(|key| key & OTHER_HAND != 0)
    }

    /// The notes of a part, as indices of `written`.
    fn written_of(&self, part: &part::Part) -> Range<usize> {
        let groups = &self.groups[part.groups.clone()];
        groups.first().map_or(0, |group| group.first)..groups.last().map_or(0, |group| group.end)
    }

    fn group_notes(&self, group: usize) -> &[Written] {
        &self.written[self.groups[group].first..self.groups[group].end]
    }
}

/// Pairs a take with what is written. Notes may come in any order; what was played twice counts as played the later
/// time, and its right notes of the earlier time are neutral, as are those of the other hand. What was leapt over, or
/// lies before the beginning and after the end of what was played, is not judged. Verdicts are those of written notes in
/// order, then of the other key-downs by time. Time and memory grow with the notes, times 96 onset groups, or a million
/// of both together if that is more; where little fits, also with the groups that have the key.
///
/// Who plays one hand alone though both are asked for is found by that hand; the notes of the other are missed.
pub fn pair(score: &Score, plan: &FollowPlan, notes: &[PlayedNote]) -> Vec<Verdict> {
    let piece = Piece::new(score, plan);
    let mut take = notes.to_vec();
    take.sort_by_key(|n| (n.at, n.pitch, n.id));
    let (path, parts, is_music) = trace(&piece, &take);
    let assignment = assign::assign(&piece, &take, &parts, &path.groups);
    let mut used = vec![false; take.len()];
    assignment.iter().flatten().for_each(|pair| used[pair.played] = true);
    let counts = part::counting(&parts, take.len());
    let mut free: Vec<bool> = counts.iter().zip(&used).map(|(counts, used)| *counts && !used).collect();
    let octaves = octave::find(&piece, &take, &assignment, &mut free);
    octaves.values().for_each(|pair| used[pair.played] = true);
    let reached = part::reached(&parts, piece.groups.len());
    let of = |id: NoteId, written: usize| {
        let (found, octave) = (assignment[written], octaves.get(&written));
        let pair = found.or(octave.copied());
        let deviation = pair.and_then(|pair| pair.deviation).map(|seconds| Micros((seconds * 1e6).round() as i64));
        let kind = match (found, octave, deviation) {
            (None, Some(_), _) => VerdictKind::WrongOctave,
            (None, None, _) if !reached[piece.written[written].group] => return None,
            (None, None, _) => VerdictKind::Missed,
            (Some(_), _, None) => VerdictKind::OnTime,
            (Some(_), _, Some(deviation)) => plan.preset.judge(deviation, Percent::FULL),
        };
        let played = pair.map(|pair| take[pair.played].id);
        Some(Verdict { pass: 0, played, written: Some(id), kind, deviation })
    };
    let mut verdicts: Vec<Verdict> = (piece.written.iter().enumerate())
        .filter_map(|(index, written)| of(written.id, index))
        .chain(piece.twins.iter().filter_map(|&(id, twin)| of(id, twin)))
        .collect();
    verdicts.sort_by_key(|v| v.written);
    let others = take.iter().enumerate().filter(|(index, _)| !used[*index]);
    verdicts.extend(others.map(|(index, note)| {
        let group = path.groups[index];
        let is_earlier_time =
            !counts[index] && is_music[index] && group < piece.groups.len() && piece.is_written(group, note);
        let is_neutral = is_earlier_time || (group < piece.groups.len() && piece.is_other_hand(group, note));
        unpaired(note.id, if is_neutral { VerdictKind::Neutral } else { VerdictKind::Extra })
    }));
    verdicts
}

/// Where each key-down was found, the parts of the take, and which key-downs are music.
fn trace(piece: &Piece, take: &[PlayedNote]) -> (Path, Vec<part::Part>, Vec<bool>) {
    let (rough, away) = search::find(piece, take);
    let (parts, _) = part::parts(piece, take, &rough);
    let tempos = assign::tempos(piece, take, &parts, &rough.groups);
    let path = search::refine(piece, take, &tempos, &away, &rough);
    let (parts, is_music) = part::parts(piece, take, &path);
    (path, parts, is_music)
}

fn unpaired(played: PlayedId, kind: VerdictKind) -> Verdict {
    Verdict { pass: 0, played: Some(played), written: None, kind, deviation: None }
}
