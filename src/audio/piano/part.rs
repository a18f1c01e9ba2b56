//! What belongs to one player of the piano: keys and pedals and so the dampers, what of ended voices is still to come,
//! the strings that ring along, and the wood around.

use super::PIECE;
use super::strings::Strings;
use crate::audio::ahead::Ahead;
use crate::audio::instrument::Pedal;
use crate::audio::space::Space;

/// Full lift of the dampers in values of the controller, and the beginning of half pedal.
const HALF_PEDAL: (f64, f64) = (28.0, 92.0);
/// The longest that anything may be laid down ahead, in seconds.
const AHEAD_SECONDS: f64 = 0.11;
/// How fast a player is silenced and a stolen voice fades, in seconds.
pub(super) const FADE_SECONDS: f64 = 0.005;
/// How fast the pedal lifts the dampers, in whole lifts a second, to be heard not at all, and wholly: slower than in
/// 0.4 s nothing brushes, and a foot that stamps takes 70 ms.
const LIFT_SPEED: (f64, f64) = (2.5, 15.0);
/// The time that a step of the pedal took, in seconds: a switch tells its whole way at once, a controller sends at most
/// so many steps a second.
const STEP_SECONDS: (f64, f64) = (0.001, 0.05);
/// The soundboard's diffuse answer: amplitude, and seconds to fall by 60 dB.
const BODY: (f32, f64) = (0.115, 0.22);
/// One player: where fingers and pedals are, and what sounds beside the struck strings.
#[derive(Debug)]
pub(super) struct PartState {
    /// How far the pedal has the dampers up, 0 to 1.
    lift: f64,
    /// Frames since the pedal moved.
    still: usize,
    /// Keys that are down, and keys whose dampers the middle pedal keeps up; a bit for each.
    down: u128,
    caught: u128,
    /// The middle pedal is down.
    sostenuto: bool,
    /// The left pedal, 0 to 1.
    pub(super) soft: f64,
    pub(super) ahead: Ahead,
    pub(super) strings: Strings,
    body: Space,
    /// Frames until strings and wood have been silenced; 0 when they sound freely.
    closing: usize,
    rate: f64,
}

impl PartState {
    /// With strings at rest, for a frame rate in hertz.
    pub(super) fn new(rate: f64, strings: Strings) -> Self {
        // Mutually prime at 48 kHz as far as rounding goes; a few milliseconds is a soundboard.
        let body = [0.0031, 0.0043, 0.0058, 0.0071, 0.0089, 0.0107, 0.0131, 0.0157];
        Self {
            lift: 0.0,
            still: usize::MAX,
            down: 0,
            caught: 0,
            sostenuto: false,
            soft: 0.0,
            ahead: Ahead::new((AHEAD_SECONDS * rate) as usize),
            strings,
            body: Space::new(rate, body, BODY.1, 4_500.0),
            closing: 0,
            rate,
        }
    }

    /// Frames of a fade.
    pub(super) fn fade_frames(&self) -> usize {
        ((FADE_SECONDS * self.rate) as usize).max(1)
    }

    /// How far the damper of a key is up, 0 to 1.
    pub(super) fn lift_of(&self, key: u8) -> f64 {
        if (self.down | self.caught) >> key & 1 == 1 { 1.0 } else { self.lift }
    }

    /// Takes over that a key is down or up.
    pub(super) fn key(&mut self, key: u8, is_down: bool) {
        self.down = self.down & !(1 << key) | u128::from(is_down) << key;
        self.strings.lift_key(key, self.lift_of(key));
    }

    /// Takes over a pedal's position. The middle pedal keeps up what is up when it goes down: of the keys that are down,
    /// or all, if the right pedal has them up. How loud the dampers are that the right pedal lifts by that, 0 to 1.
    pub(super) fn pedal(&mut self, pedal: Pedal) -> f32 {
        let mut brushed = 0.0;
        match pedal {
            Pedal::Sustain(value) => {
                let (low, high) = HALF_PEDAL;
                let lift = ((f64::from(value.min(127)) - low) / (high - low)).clamp(0.0, 1.0);
                brushed = self.brush(lift - self.lift);
                (self.lift, self.still) = (lift, 0);
            }
            Pedal::Sostenuto(value) => {
                let is_down = value >= 64;
                if is_down && !self.sostenuto {
                    self.caught = if self.lift >= 1.0 { u128::MAX } else { self.down };
                } else if !is_down {
                    self.caught = 0;
                }
                self.sostenuto = is_down;
            }
            Pedal::Soft(value) => self.soft = f64::from(value.min(127)) / 127.0,
        }
        self.settle();
        brushed
    }

    /// How loud dampers are that rise by a part of their way. The steps of one way add up to it: their powers do.
    fn brush(&self, rise: f64) -> f32 {
        let seconds = (self.still as f64 / self.rate).clamp(STEP_SECONDS.0, STEP_SECONDS.1);
        let (slow, fast) = LIFT_SPEED;
        let share = ((rise / seconds - slow) / (fast - slow)).clamp(0.0, 1.0);
        (rise.max(0.0).sqrt() * share) as f32
    }

    fn settle(&mut self) {
        let (up, lift) = (self.down | self.caught, self.lift);
        self.strings.lift(|key| if up >> key & 1 == 1 { 1.0 } else { lift });
    }

    /// Lets go of all keys, and fades what is laid down ahead, the strings that ring along, and the wood.
    pub(super) fn silence(&mut self) {
        (self.down, self.caught) = (0, 0);
        self.settle();
        let frames = self.fade_frames();
        self.ahead.fade(frames);
        if self.closing == 0 && !(self.body.is_empty() && self.strings.at_rest()) {
            self.closing = frames;
        }
    }

    /// Adds what was laid down ahead.
    pub(super) fn add_ahead(&mut self, left: &mut [f32], right: &mut [f32]) {
        self.still = self.still.saturating_add(left.len());
        self.ahead.take(left, right);
    }

    /// Adds the answer of the other strings and of the wood to the strings that were struck; both slices have one length
    /// of at most [`PIECE`]. `own` is what each struck key has put in.
    pub(super) fn resonate<'a>(&mut self, left: &mut [f32], right: &mut [f32], own: impl Fn(u8) -> Option<&'a [f32]>) {
        let frames = left.len();
        let silent = left.iter().chain(right.iter()).all(|&x| x == 0.0);
        if silent && self.body.is_empty() && self.strings.at_rest() {
            self.closing = self.closing.saturating_sub(frames);
            self.strings.pass(frames);
            return;
        }
        let first = if self.closing > 0 { self.closing.min(frames) } else { frames };
        for piece in [0..first, first..frames].into_iter().filter(|piece| !piece.is_empty()) {
            let (left, right) = (&mut left[piece.clone()], &mut right[piece.clone()]);
            self.answer(left, right, |key| own(key).map(|own| &own[piece.clone()]));
        }
    }

    /// The same; a fade may end with the slices, not within them.
    fn answer<'a>(&mut self, left: &mut [f32], right: &mut [f32], own: impl Fn(u8) -> Option<&'a [f32]>) {
        let mut answer = [[0.0; PIECE]; 2];
        let [al, ar] = &mut answer;
        let (al, ar) = (&mut al[..left.len()], &mut ar[..left.len()]);
        let mut sound = [0.0; PIECE];
        let sound = &mut sound[..left.len()];
        sound.iter_mut().zip(&*left).zip(&*right).for_each(|((x, l), r)| *x = l + r);
        self.strings.ring(sound, own, al, ar);
        let fade = self.fade_frames() as f32;
        let closing = self.closing;
        for ((((l, r), al), ar), frame) in left.iter_mut().zip(&mut *right).zip(al).zip(ar).zip(1..) {
            let (bl, br) = self.body.frame(*l + *al, *r + *ar);
            let open = if closing > 0 { (closing - frame) as f32 / fade } else { 1.0 };
            *l += open * (*al + BODY.0 * bl);
            *r += open * (*ar + BODY.0 * br);
        }
        self.closing = closing.saturating_sub(left.len());
        if closing > 0 && self.closing == 0 {
            self.body.clear();
            self.strings.still();
        }
    }
}
