//! The tuner: cents that hold still, and the word when they mean nothing.

use super::Look;
use crate::music::Pitch;

/// Looks that a reading rests on: 85 ms at 48 kHz.
const LOOKS: usize = 16;
/// Looks of these that must agree on the key.
const AGREE: usize = 10;
/// Clarity from which a look counts.
const CLEAR: f32 = 0.85;
/// Level in dBFS from which a look counts.
const GATE: f32 = -60.0;
/// The middle half of the looks lies within so many cents of a steady note.
const STEADY_CENTS: f64 = 6.0;
/// What a new median moves the needle by: of the way, each look.
const GLIDE: f64 = 0.2;

/// What the tuner shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// The nearest key and how many cents above it the note is; `None` if nothing clear was heard lately.
    pub note: Option<Tone>,
    /// The level in dBFS.
    pub level: f32,
}

/// A note as the tuner shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// The nearest key.
    pub pitch: Pitch,
    /// Above it, in cents; −50 to 50.
    pub cents: f64,
    /// The pitch in hertz.
    pub hertz: f64,
    /// Whether it holds still; if not, the person should not be told that it is in tune.
    pub steady: bool,
    /// The clarity of the looks, 0 to 1.
    pub confidence: f32,
}

/// Smooths looks. No memory is taken.
#[derive(Default)]
pub struct Tuner {
    /// Cents from A4, and clarity; a ring.
    looks: [Option<(f64, f32)>; LOOKS],
    next: usize,
    shown: Option<f64>,
}

impl Tuner {
    /// Takes the next look, with A4 at `a4` hertz.
    pub fn push(&mut self, look: &Look, a4: f64) -> Reading {
        let heard = look.heard.filter(|heard| heard.clarity >= CLEAR && look.level >= GATE);
        self.looks[self.next] = heard.map(|heard| (1200.0 * (heard.hertz / a4).log2(), heard.clarity));
        self.next = (self.next + 1) % LOOKS;
        let note = self.read(a4);
        if note.is_none() {
            self.shown = None;
        }
        Reading { note, level: look.level }
    }

    fn read(&mut self, a4: f64) -> Option<Tone> {
        let mut cents = [0.0; LOOKS];
        let mut count = 0;
        for (value, _) in self.looks.iter().flatten() {
            cents[count] = *value;
            count += 1;
        }
        if count < AGREE {
            return None;
        }
        let cents = &mut cents[..count];
        cents.sort_unstable_by(f64::total_cmp);
        let middle = cents[count / 2];
        let agree = cents.iter().filter(|c| (**c - middle).abs() < 50.0).count();
        if agree < AGREE {
            return None;
        }
        let spread = cents[count * 3 / 4] - cents[count / 4];
        let shown = match self.shown {
            Some(shown) if (shown - middle).abs() < 50.0 => shown + GLIDE * (middle - shown),
            _ => middle,
        };
        self.shown = Some(shown);
        let hertz = a4 * (shown / 1200.0).exp2();
        let (pitch, cents) = super::nearest_key(hertz, a4)?;
        let clarity = self.looks.iter().flatten().map(|l| l.1).sum::<f32>() / count as f32;
        Some(Tone { pitch, cents, hertz, steady: spread <= STEADY_CENTS, confidence: clarity })
    }
}
