//! Which key sounds: the strength of each key's partials in a stretch of sound.

use std::f64::consts::TAU;

use music_trainer::music::Pitch;

const RATE: f64 = 48_000.0;
/// A third of a second: tells neighbouring keys apart down to the octave below middle C.
pub(crate) const WINDOW: u32 = 16_384;
/// Two octaves below middle C to two above.
const KEYS: std::ops::RangeInclusive<u8> = 36..=84;
const PARTIALS: u32 = 4;

/// The strength of a sine in the samples, by Goertzel's recursion under a Hann window.
fn strength(samples: &[f32], hertz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / RATE).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for (i, sample) in samples.iter().enumerate() {
        let hann = 0.5 - 0.5 * (TAU * i as f64 / samples.len() as f64).cos();
        (one, two) = (f64::from(*sample) * hann + coefficient * one - two, one);
    }
    (one * one + two * two - coefficient * one * two).max(0.0).sqrt()
}

/// Fundamental and partials of a key, which count alike: so the octave above lacks the odd ones, and the octave below has
/// none where its own odd ones would be.
fn salience(samples: &[f32], key: u8) -> f64 {
    let fundamental = 440.0 * ((f64::from(key) - 69.0) / 12.0).exp2();
    (1..=PARTIALS).map(|n| strength(samples, fundamental * f64::from(n))).sum()
}

/// The key whose partials are the strongest, and how it compares with the strongest other key.
pub(crate) fn strongest(samples: &[f32]) -> (Pitch, f64) {
    let mut all: Vec<(f64, u8)> = KEYS.map(|key| (salience(samples, key), key)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    (Pitch::from_data_byte(all[0].1), all[0].0 / all[1].0.max(1e-12))
}
