//! How difficult a piece is to play, estimated from its notes alone, on the scale of the built-in pieces: 1, the easiest,
//! to 9.
//!
//! What is counted follows the criteria that were found to tell levels of piano music apart (Sébastien et al., "Score
//! Analyzer", ISMIR 2012: speed, hand displacement, polyphony, harmony; Chiu and Chen, "A study on difficulty level
//! recognition of piano sheet music", IEEE ISM 2012): how dense the notes are, how many at a time, how far a hand
//! reaches and leaps, and how many keys lie outside the key signature. Each grows with its logarithm or its square
//! root, as twice as much of it is a step and not twice as difficult. The weights are ours, set so that the built-in
//! pieces keep their order; an estimate is good to about a grade either way, and says nothing about expression.
//!
//! Over the corpus that comes with music21 10.5.1 (653 pieces, `LIBRARY_FOLDER=… cargo bench --bench library`) the means
//! lie as players would put them: chorales of J. S. Bach in four voices 4.7, a sonata of C. P. E. Bach 6, Clara Schumann
//! 5.6 (a trio and two polonaises), the Maple Leaf Rag 6. Of music for several players only the part that is read
//! counts: quartets come out at 3.5, madrigals of Monteverdi at 2.

use super::{Hand, Hands, Pitch, Score};
use crate::time::Ticks;

/// Fewer notes than this say nothing.
const NOTES_MIN: usize = 8;

/// What the estimate rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demands {
    /// Onsets a second, both hands.
    pub density: f64,
    /// Notes of an onset, on average.
    pub polyphony: f64,
    /// Semitones from the lowest to the highest note that a hand strikes at a time, on average over the widest tenth.
    pub span: f64,
    /// Semitones from one onset of a hand to its next, on average over the widest tenth.
    pub leap: f64,
    /// The share of notes that the key signature does not have.
    pub accidentals: f64,
    /// Sharps or flats of the key signature, on average over its changes.
    pub signature: f64,
}

impl Demands {
    /// Counts; `None` for less than a few notes.
    pub fn of(score: &Score) -> Option<Self> {
        let notes = score.notes();
        if notes.len() < NOTES_MIN {
            return None;
        }
        let seconds = (score.duration().0 as f64 / 1e6).max(1.0);
        let groups = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
        let (mut spans, mut leaps) = (Vec::new(), Vec::new());
        let mut last: [Option<f64>; 2] = [None; 2];
        for group in &groups {
            for (index, hand) in [Hand::Right, Hand::Left].into_iter().enumerate() {
                let keys = group.notes.iter().map(|id| score.note(*id)).filter(|n| n.hand == hand);
                let keys: Vec<f64> = keys.map(|n| f64::from(n.pitch.key())).collect();
                let (low, high) = keys.iter().fold((f64::MAX, f64::MIN), |(l, h), k| (l.min(*k), h.max(*k)));
                if keys.is_empty() {
                    continue;
                }
                spans.push(high - low);
                let middle = f64::midpoint(low, high);
                leaps.extend(last[index].replace(middle).map(|before| (middle - before).abs()));
            }
        }
        let outside = notes.iter().filter(|n| !in_key(n.pitch, fifths_at(score, n.onset))).count();
        let keys = score.keys();
        let signature = keys.iter().map(|k| f64::from(k.fifths.abs())).sum::<f64>() / keys.len().max(1) as f64;
        Some(Self {
            density: groups.len() as f64 / seconds,
            polyphony: notes.len() as f64 / groups.len().max(1) as f64,
            span: widest(spans),
            leap: widest(leaps),
            accidentals: outside as f64 / notes.len() as f64,
            signature,
        })
    }

    /// The estimate on a scale without steps.
    pub fn level(&self) -> f64 {
        0.5 + 0.8 * (1.0 + self.density).log2()
            + 0.5 * (self.polyphony - 1.0)
            + 0.055 * self.span
            + 0.06 * self.leap
            + 1.6 * self.accidentals.sqrt()
            + 0.15 * self.signature
    }
}

/// The estimated grade, 1 to 9; `None` for less than a few notes.
pub fn grade(score: &Score) -> Option<u8> {
    Demands::of(score).map(|demands| (demands.level().round() as u8).clamp(1, 9))
}

/// The mean of the widest tenth.
fn widest(mut values: Vec<f64>) -> f64 {
    values.sort_by(|a, b| b.total_cmp(a));
    let tenth = values.len().div_ceil(10);
    values.iter().take(tenth).sum::<f64>() / tenth.max(1) as f64
}

fn fifths_at(score: &Score, tick: Ticks) -> i8 {
    score.keys().iter().rev().find(|key| key.tick <= tick).map_or(0, |key| key.fifths)
}

/// Whether a key signature has a pitch: it is within the seven fifths that begin one below its tonic in major.
fn in_key(pitch: Pitch, fifths: i8) -> bool {
    let around = (i32::from(pitch.class()) * 7 - i32::from(fifths) + 1).rem_euclid(12);
    around < 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{KeySignature, ScoreParts, WrittenNote};

    /// Quarters in the right hand.
    fn score(keys: &[u8], fifths: i8) -> Score {
        let note = |(i, key): (usize, &u8)| WrittenNote {
            onset: Ticks(i as i64 * 480),
            end: Ticks(i as i64 * 480 + 480),
            pitch: Pitch::from_data_byte(*key),
            hand: Hand::Right,
            velocity: 80,
        };
        let keys = (keys.iter().enumerate().map(note).collect(), KeySignature { tick: Ticks(0), fifths, minor: false });
        Score::new(ScoreParts { resolution: 480, notes: keys.0, keys: vec![keys.1], ..Default::default() })
    }

    #[test]
    fn keys_outside_the_signature_are_counted() {
        let scale = [60, 62, 64, 65, 67, 69, 71, 72];
        let share = |fifths| Demands::of(&score(&scale, fifths)).expect("enough notes").accidentals;
        assert_eq!((share(0), share(1), share(-1), share(2)), (0.0, 0.125, 0.125, 0.375));
    }

    #[test]
    fn leaps_make_a_piece_harder_and_a_few_notes_say_nothing() {
        let (near, far) = (score(&[60, 62].repeat(20), 0), score(&[48, 72].repeat(20), 0));
        let level = |score: &Score| Demands::of(score).map(|demands| demands.level());
        assert!(level(&near) < level(&far), "{:?} {:?}", level(&near), level(&far));
        assert_eq!(grade(&score(&[60; 7], 0)), None);
        assert!((1..=9).contains(&grade(&far).expect("enough notes")));
    }
}
