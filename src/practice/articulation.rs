//! How notes were joined or parted: for how long each key was down, beside the time to the next onset of its hand. Of keys,
//! whatever the pedal does.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::{Quantiles, Struck};
use crate::music::{Hand, NoteId, Score};
use crate::time::Ticks;

/// What is written to last so much of the time to the next onset, in hundredths, is written to be joined to it.
const JOINED: std::ops::RangeInclusive<i64> = 95..=105;
/// And what is written to last so much at most is written apart: half for a staccato, or for a rest as long as the note.
const APART_MAX: i64 = 60;

/// How the notes of a take were joined and parted, in hundredths of the time from an onset to the next one of the hand as
/// they were played.
///
/// There is no right value: pianists overlap the keys of a legato by a share that falls as the notes grow longer, and hold
/// a staccato for about 40 % of the time to the next note, a repeated note for about 60 % (Bresin and Battel,
/// *Articulation strategies in expressive piano performance*, Journal of New Music Research 29(3), 2000).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Articulation {
    /// Of notes written to last until another key of the hand: how far the key was down beyond the next onset; below
    /// zero a gap before it.
    pub joined: Option<Quantiles>,
    /// How many notes that rests on, enough or not.
    pub joined_count: usize,
    /// Of notes that are written apart: for how long the key was down.
    pub apart: Option<Quantiles>,
    /// How many notes that rests on, enough or not.
    pub apart_count: usize,
    /// For how long those are written to last, on average; 0 if there are none.
    pub apart_written: f64,
}

impl Articulation {
    /// From the right notes of a take, with their passes.
    pub(super) fn of(score: &Score, notes: &[(u32, NoteId, Struck)]) -> Self {
        let mut onsets: BTreeMap<Hand, BTreeSet<Ticks>> = BTreeMap::new();
        for note in score.notes() {
            onsets.entry(note.hand).or_default().insert(note.onset);
        }
        let mut played: BTreeMap<(u32, Hand, Ticks), Vec<(NoteId, Struck)>> = BTreeMap::new();
        for &(pass, id, struck) in notes {
            let note = score.note(id);
            played.entry((pass, note.hand, note.onset)).or_default().push((id, struck));
        }
        let (mut joined, mut apart, mut written) = (Vec::new(), Vec::new(), Vec::new());
        for (&(pass, hand, onset), notes) in &played {
            let after = (std::ops::Bound::Excluded(onset), std::ops::Bound::Unbounded);
            let Some(next) = onsets.get(&hand).and_then(|onsets| onsets.range(after).next().copied()) else { continue };
            // What was left out leaves no time to measure by.
            let Some(next_notes) = played.get(&(pass, hand, next)) else { continue };
            let Some(next_at) = next_notes.iter().map(|(_, struck)| struck.at).min() else { continue };
            for &(id, struck) in notes.iter().filter(|(_, struck)| struck.at < next_at) {
                let note = score.note(id);
                let share = (note.end - note.onset).0 * 100 / (next - onset).0;
                let held = 100.0 * struck.duration.0 as f64 / (next_at - struck.at).0 as f64;
                let is_again = next_notes.iter().any(|(other, _)| score.note(*other).pitch == note.pitch);
                if JOINED.contains(&share) && !is_again {
                    joined.push(held - 100.0);
                } else if share <= APART_MAX {
                    apart.push(held);
                    written.push(share as f64);
                }
            }
        }
        Self {
            joined_count: joined.len(),
            joined: Quantiles::of(joined),
            apart_count: apart.len(),
            apart: Quantiles::of(apart),
            apart_written: written.iter().sum::<f64>() / written.len().max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Pitch, ScoreParts, WrittenNote};
    use crate::practice::expression::Expression;
    use crate::practice::types::Mode;
    use crate::practice::{PlayedId, Verdict, VerdictKind};
    use crate::time::Micros;

    /// Forty quarters up and down a third; the right hand's last, the left hand's are staccato. A second each.
    fn score(repeated: bool) -> Score {
        let note = |i: i64, hand: Hand| WrittenNote {
            onset: Ticks(i * 480),
            end: Ticks(i * 480 + if hand == Hand::Right { 480 } else { 240 }),
            pitch: Pitch::from_data_byte(
                if hand == Hand::Right { 72 } else { 48 } + if repeated { 0 } else { i as u8 % 3 },
            ),
            hand,
            velocity: 80,
        };
        let notes = (0..40).flat_map(|i| [note(i, Hand::Left), note(i, Hand::Right)]).collect();
        Score::new(ScoreParts { resolution: 480, notes, ..Default::default() })
    }

    /// The right hand's keys are down for 1.05 of the time to the next, the left hand's for 0.4 of it.
    fn articulation(repeated: bool, mode: Mode, left_out: Option<u32>) -> Articulation {
        let score = score(repeated);
        let right = |id: NoteId| Verdict {
            pass: 0,
            played: Some(PlayedId(u64::from(id.0))),
            written: Some(id),
            kind: VerdictKind::OnTime,
            deviation: Some(Micros::ZERO),
        };
        let verdicts: Vec<Verdict> =
            score.iter().map(|(id, _)| id).filter(|id| Some(id.0) != left_out).map(right).collect();
        let expression = Expression::of(&score, mode, &verdicts, |id| {
            let note = score.note(NoteId(id.0 as u32));
            let duration = Micros::from_millis(if note.hand == Hand::Right { 1_050 } else { 400 });
            Some(Struck { at: Micros(note.onset.0 * 1_000_000 / 480), duration, velocity: 80 })
        });
        expression.articulation
    }

    #[test]
    fn joined_notes_overlap_and_those_apart_are_held_for_a_part_of_the_time() {
        let found = articulation(false, Mode::Tempo, None);
        let joined = found.joined.expect("thirty-nine notes have a next one");
        assert!((joined.p50 - 5.0).abs() < 1e-9 && joined.n == 39, "{joined:?}");
        let apart = found.apart.expect("and as many of the other hand");
        assert!((apart.p50 - 40.0).abs() < 1e-9 && apart.n == 39, "{apart:?}");
        assert_eq!((found.joined_count, found.apart_count, found.apart_written), (39, 39, 50.0));
    }

    #[test]
    fn a_repeated_key_has_to_come_up_and_what_was_left_out_gives_no_time() {
        let repeated = articulation(true, Mode::Tempo, None);
        assert_eq!((repeated.joined_count, repeated.apart_count), (0, 39));
        // The right hand's eleventh note: neither it nor the one before it can be measured.
        let left_out = articulation(false, Mode::Tempo, Some(21));
        assert_eq!((left_out.joined_count, left_out.apart_count), (37, 39));
    }

    #[test]
    fn where_the_music_waits_nothing_is_measured() {
        assert_eq!(articulation(false, Mode::Wait, None), Articulation::default());
    }
}
