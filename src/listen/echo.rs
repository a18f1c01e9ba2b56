//! What the program itself sounds, to be told from what a person plays when a microphone hears both.
//!
//! * A heard key that the program has just struck is the program's, unless the score has the person play it there too.
//! * Several notes at once are heard as one deep voice whose partials they are: C3, E3 and G3 as C1. Such a key is the
//!   program's if one of them is, unless the score has the person play it soon.
//! * A click with a pitch is heard as that key.
//!
//! Measured in `tests/own_sound.rs`, with accompaniments of the built-in piano 30 to 0 dB below recordings of two others:
//! none of the person's notes that were heard is taken away; of 302 that nobody played 82 are left, and of the
//! accompaniment alone 2 of 74.
//!
//! What is left: a person's own note may be hidden by what is louder, and an unwritten key that coincides with one of
//! the program's is not told. Only headphones help against either.

use std::collections::VecDeque;

use crate::music::Pitch;
use crate::time::Micros;

/// Sounds remembered: two seconds of the densest accompaniment.
const SOUNDS_MAX: usize = 256;
/// Notes ring for so long at least that they may be a partial of what is heard.
const RINGS: Micros = Micros::from_millis(2_000);
/// How much earlier than expected a sound may be heard: an onset is placed within some milliseconds, and a measured
/// delay may have been another's.
const EARLY: Micros = Micros::from_millis(30);
/// And how much later: what a driver does not tell of the way through the air and both converters, 20 to 60 ms as a
/// rule, and 60 ms until a voice without an onset is followed.
const LATE: Micros = Micros::from_millis(120);
/// The partials of a deep voice, in semitones above it: the second to the eighth.
const PARTIALS: [f64; 7] = [12.0, 19.02, 24.0, 27.86, 31.02, 33.69, 36.0];
/// How far from a key, in semitones, a sound is still heard as it.
const NEAR: f64 = 0.6;

/// Keys that a person has to play around a sound of the program, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Together with it.
    pub now: u128,
    /// From then on while it rings.
    pub soon: u128,
}

/// Whose a sound is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Note,
    Click,
    /// A person's, which only together with the program's is taken for something else.
    Played,
}

/// One sound.
#[derive(Clone, Copy)]
struct Sound {
    at: Micros,
    /// As a key, with its fraction.
    key: f64,
    kind: Kind,
    written: Written,
}

/// What was sounded lately.
#[derive(Default)]
pub struct Echo {
    sounds: VecDeque<Sound>,
}

impl Echo {
    /// The program struck a note, due at `at`.
    pub fn note(&mut self, at: Micros, pitch: Pitch, written: Written) {
        self.add(Sound { at, key: f64::from(pitch.key()), kind: Kind::Note, written });
    }

    /// A person's note was heard.
    pub fn played(&mut self, at: Micros, pitch: Pitch) {
        self.add(Sound { at, key: f64::from(pitch.key()), kind: Kind::Played, written: Written::default() });
    }

    /// A click began that is heard at `hertz`, where A4 is at `a4`.
    pub fn click(&mut self, at: Micros, hertz: f64, a4: f64, written: Written) {
        let key = 69.0 + 12.0 * (hertz / a4).log2();
        self.add(Sound { at, key, kind: Kind::Click, written });
    }

    fn add(&mut self, sound: Sound) {
        if self.sounds.len() == SOUNDS_MAX {
            self.sounds.pop_front();
        }
        self.sounds.push_back(sound);
    }

    /// Whether a key that was heard to begin at `at` is the program's own. What it sounds is heard `delay` later.
    pub fn is_own(&self, heard: Pitch, at: Micros, delay: Micros) -> bool {
        let (heard, bit) = (f64::from(heard.key()), 1_u128 << heard.key());
        let latest = at + EARLY;
        let delayed = delay.max(Micros::ZERO) + LATE;
        let lately = self.sounds.iter().filter(|sound| sound.at <= latest && at - sound.at <= RINGS + delayed);
        let is_near = |key: f64| (key - heard).abs() <= NEAR;
        let (mut same, mut written) = (false, Written::default());
        // Two different notes, one of them the program's: one alone is not mistaken for a deeper one.
        let (mut partial, mut differ, mut own) = (None, false, false);
        for sound in lately {
            written.soon |= sound.written.soon;
            if at - sound.at <= delayed && sound.kind != Kind::Played {
                written.now |= sound.written.now;
                same |= is_near(sound.key);
            }
            if sound.kind != Kind::Click && PARTIALS.iter().any(|partial| is_near(sound.key - partial)) {
                differ |= partial.is_some_and(|key| key != sound.key);
                partial = Some(sound.key);
                own |= sound.kind == Kind::Note;
            }
        }
        (same && written.now & bit == 0) || (differ && own && written.soon & bit == 0)
    }
}
