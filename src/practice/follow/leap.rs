//! How unlikely it is that somebody goes elsewhere just now, and to just that place. Most who do begin a bar again, or a
//! few bars, after they have stopped or struck a wrong key. In nats, like all costs of [`path`](super::path).

use super::Piece;

/// Going anywhere without a reason that shows: to a place that is like no other, out of the midst of the music. What
/// costs so much more than the best state is forgotten: it can be gone to again.
pub(super) const LEAP: f32 = 23.0;

/// Out of the midst of the music; after a wrong key; after a stop, or after the last note.
const FLOWING: f32 = 13.0;
const WRONG: f32 = 10.0;
const STOPPED: f32 = 4.0;

/// To the beginning of the bar one is in; of one nearby, or where one began before; of any other; amid a bar nearby; and
/// amid any other, which makes [`LEAP`] of [`FLOWING`].
const THIS_BAR: f32 = 1.0;
const NEAR_BAR: f32 = 3.0;
const ANY_BAR: f32 = 6.0;
const AMID_NEAR: f32 = 7.0;
const AMID: f32 = LEAP - FLOWING;

/// The same once more, as a chord that is struck again because it was not right.
const AGAIN: f32 = 8.0;

/// Bars before and after the one at hand that are nearby.
const BARS_BACK: u32 = 4;
const BARS_ON: u32 = 1;

/// What somebody has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Nothing that tells of a leap.
    Flowing,
    /// Struck a wrong key.
    Wrong,
    /// Stopped, or come to the end.
    Stopped,
}

/// What going elsewhere costs at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prior {
    moment: f32,
    group: usize,
    bar: u32,
    begun: usize,
}

impl Prior {
    /// Of somebody at a group, who began at another one.
    pub(super) fn new(piece: &Piece, moment: Moment, group: usize, begun: usize) -> Self {
        let moment = match moment {
            Moment::Flowing => FLOWING,
            Moment::Wrong => WRONG,
            Moment::Stopped => STOPPED,
        };
        Self { moment, group, bar: piece.groups[group].bar, begun }
    }

    /// To go to a group.
    pub(super) fn cost(&self, piece: &Piece, group: usize) -> f32 {
        let (bar, is_near) = (piece.groups[group].bar, is_near(piece, self.group, group));
        let cost = self.moment
            + match (begins(piece, group), is_near) {
                (true, _) if bar == self.bar => THIS_BAR,
                (true, true) => NEAR_BAR,
                _ if group == self.begun || group == 0 => NEAR_BAR,
                (true, false) => ANY_BAR,
                (false, true) => AMID_NEAR,
                (false, false) => AMID,
            };
        if group == self.group { cost.min(AGAIN) } else { cost }
    }
}

/// Whether a bar begins with a group.
pub(super) fn begins(piece: &Piece, group: usize) -> bool {
    group.checked_sub(1).is_none_or(|before| piece.groups[before].bar != piece.groups[group].bar)
}

/// Whether a group is in a bar near that of another one.
pub(super) fn is_near(piece: &Piece, from: usize, group: usize) -> bool {
    let (here, there) = (piece.groups[from].bar, piece.groups[group].bar);
    there + BARS_BACK >= here && there <= here + BARS_ON
}
