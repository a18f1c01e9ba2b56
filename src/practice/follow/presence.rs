//! Which hands somebody plays with. Whoever practises one hand alone leaves nothing out: the other hand is not there.

use super::Written;
use crate::music::Hand;

/// Whoever plays of one hand, of what is written where they are, so many times less than of the other plays the other
/// alone.
const LONE: f32 = 8.0;
/// So much must have been written for each hand before that can be told.
const WRITTEN_LEAST: f32 = 4.0;
/// What is older than so many notes of a hand counts half.
const MEMORY: f32 = 16.0;
/// A hand that was away is back when so many more of its notes were struck than half the others.
const BACK: f32 = 2.0;

/// Hands that have a note, one bit each: the right hand's, the left hand's.
pub(super) const fn bit(hand: Hand) -> u8 {
    match hand {
        Hand::Right => 1,
        Hand::Left => 2,
        Hand::Neither => 0,
    }
}

/// Which hand is not there: an index for what differs by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Away {
    /// Both play.
    #[default]
    None,
    /// The left hand plays alone.
    Right,
    /// The right hand plays alone.
    Left,
}

impl Away {
    /// All.
    pub(super) const ALL: [Self; 3] = [Self::None, Self::Right, Self::Left];

    /// Whether a note is asked of those that are there.
    pub(super) const fn asks(self, written: &Written) -> bool {
        let away = match self {
            Self::None => 0,
            Self::Right => 1,
            Self::Left => 2,
        };
        written.hands != away
    }
}

/// How much of each hand was written and struck lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    written: [f32; 2],
    struck: [f32; 2],
    /// How much speaks for the return of the hand that is away.
    back: f32,
    away: Away,
    /// Key-downs since each hand was heard last.
    since: [usize; 2],
}

impl Presence {
    /// Which hand is not there.
    pub(super) fn away(&self) -> Away {
        self.away
    }

    /// How many key-downs there were since the hand that is away was heard.
    pub(super) fn strokes_since(&self) -> usize {
        match self.away {
            Away::None => 0,
            Away::Right => self.since[0],
            Away::Left => self.since[1],
        }
    }

    /// A key was struck, which is written for these hands.
    pub(super) fn strike(&mut self, hands: u8) {
        count(&mut self.struck, hands);
        for (hand, since) in self.since.iter_mut().enumerate() {
            *since = if hands >> hand & 1 == 1 { 0 } else { *since + 1 };
        }
        let (away, there) = match self.away {
            Away::None => return,
            Away::Right => (1, 2),
            Away::Left => (2, 1),
        };
        if hands == away {
            self.back += 1.0;
        } else if hands == there {
            self.back = (self.back - 0.5).max(0.0);
        }
        if self.back >= BACK {
            *self = Self::default();
        }
    }

    /// The player went past these notes.
    pub(super) fn pass(&mut self, notes: &[Written]) {
        notes.iter().for_each(|written| count(&mut self.written, written.hands));
        if self.away == Away::None {
            self.away = match (self.is_away(0), self.is_away(1)) {
                (true, false) => Away::Right,
                (false, true) => Away::Left,
                _ => Away::None,
            };
        }
        for hand in 0..2 {
            if self.written[hand] > MEMORY {
                self.written[hand] /= 2.0;
                self.struck[hand] /= 2.0;
            }
        }
    }

    fn is_away(&self, hand: usize) -> bool {
        let other = 1 - hand;
        let is_known = self.written[hand] >= WRITTEN_LEAST && self.struck[other] >= WRITTEN_LEAST;
        is_known && self.struck[hand] * LONE < self.written[hand] && self.struck[other] * 2.0 >= self.written[other]
    }
}

fn count(of: &mut [f32; 2], hands: u8) {
    for (hand, count) in of.iter_mut().enumerate() {
        *count += f32::from(hands >> hand & 1);
    }
}
