//! How the strings change along the keyboard: curves of the MIDI key, pure and free of audio.
//!
//! Keys beyond the piano's 88 continue with the properties of its last key, at their own frequency.

/// The highest key with a damper.
pub(super) const DAMPED_MAX: u8 = 88;

/// A curve through `(key, value)` points, geometric between them, constant beyond the ends. Values are positive.
fn curve(points: &[(f64, f64)], key: f64) -> f64 {
    let (first, last) = (points[0], points[points.len() - 1]);
    if key <= first.0 {
        return first.1;
    }
    for pair in points.windows(2) {
        let ((k0, v0), (k1, v1)) = (pair[0], pair[1]);
        if key <= k1 {
            return v0 * (v1 / v0).powf((key - k0) / (k1 - k0));
        }
    }
    last.1
}

fn on_piano(key: u8) -> f64 {
    f64::from(key.clamp(21, 108))
}

/// The inharmonicity coefficient B of a key: Rigaud, David and Daudet, JASA 133 (2013), constants within the spread of
/// two measured grands.
pub(super) fn inharmonicity(key: u8) -> f64 {
    inharmonicity_at(on_piano(key))
}

fn inharmonicity_at(m: f64) -> f64 {
    (0.0926 * m - 13.64).exp() + (-0.0847 * m - 5.82).exp()
}

/// The frequency of partial `n`, in hertz, where the first is `f0`.
pub(super) fn partial_frequency(f0: f64, b: f64, n: usize) -> f64 {
    let n = n as f64;
    n * f0 * ((1.0 + b * n * n) / (1.0 + b)).sqrt()
}

/// The frequency of a key's first partial in hertz, where A4 has `a4`.
pub(super) fn fundamental(key: u8, a4: f64) -> f64 {
    a4 * 2f64.powf((f64::from(key) - 69.0 + stretch_cents(key) / 100.0) / 12.0)
}

/// By how many cents a key is tuned away from equal temperament. Partials are stretched, so that a tuner stretches the
/// octaves to keep them from beating: partial 2ρ of the lower key is brought to partial ρ of the upper one, with ρ from
/// about 3 in the bass to 1 in the treble (Rigaud, David and Daudet, JASA 133, 2013).
pub(super) fn stretch_cents(key: u8) -> f64 {
    let octave = |middle: f64| {
        let rho = 1.0 + 2.0 / (1.0 + ((middle - 50.0) / 8.0).exp());
        let partial = |m: f64, n: f64| {
            let b = inharmonicity_at(m.clamp(21.0, 108.0));
            600.0 * ((1.0 + b * n * n) / (1.0 + b)).log2()
        };
        partial(middle - 6.0, 2.0 * rho) - partial(middle + 6.0, rho)
    };
    let key = on_piano(key) as i32;
    let step = |between: i32| octave(f64::from(between) + 0.5) / 12.0;
    if key >= 69 { (69..key).map(step).sum() } else { -(key..69).map(step).sum::<f64>() }
}

/// How fast the first partial decays soon after the strike and later, in dB/s. Measured on a Steinway B and a sampled
/// grand (bass -4…-19 and -3…-5, C4 -14 and -4.5, A4 -16 and -3…-5, D5 to F♯5 -37…-44 and -9, C6 -28…-60 and -11, A♯6
/// -90 and -20).
pub(super) fn first_partial_decay(key: u8) -> (f64, f64) {
    const EARLY: [(f64, f64); 11] = [
        (21.0, 5.5),
        (36.0, 9.0),
        (48.0, 10.0),
        (60.0, 14.0),
        (68.0, 16.0),
        (72.0, 24.0),
        (76.0, 38.0),
        (84.0, 31.0),
        (94.0, 90.0),
        (102.0, 125.0),
        (108.0, 160.0),
    ];
    const LATE: [(f64, f64); 7] =
        [(21.0, 2.6), (36.0, 4.0), (60.0, 4.5), (69.0, 4.5), (76.0, 9.0), (84.0, 11.0), (94.0, 20.0)];
    let key = on_piano(key);
    (curve(&EARLY, key), if key <= 94.0 { curve(&LATE, key) } else { 20.0 * ((key - 94.0) / 20.0).exp2() })
}

/// What a partial at `frequency` hertz adds to the decay of the first, in dB/s. The square law of internal friction
/// bends over above 1 kHz and goes on as a gentle line, as the measured partials of a Steinway B do (first 0.6 s: C2 6 to
/// 17 dB/s up to 2.5 kHz, C3 4 to 22, C4 14, 16, 23, 37, 38 and then less, C6 26, 21, 26, 48, 58).
pub(super) fn friction(key: u8, frequency: f64) -> f64 {
    const PLATEAU: [(f64, f64); 6] = [(21.0, 1.5), (36.0, 2.0), (48.0, 7.0), (60.0, 22.0), (72.0, 12.0), (84.0, 5.0)];
    const LINE: [(f64, f64); 5] = [(21.0, 1.8), (36.0, 2.2), (48.0, 2.5), (66.0, 2.8), (84.0, 2.4)];
    let kilohertz = frequency / 1_000.0;
    let bend = kilohertz * kilohertz / (1.0 + kilohertz * kilohertz);
    curve(&PLATEAU, on_piano(key)) * bend + curve(&LINE, on_piano(key)) * kilohertz
}

/// Where the hammer strikes, as a share of the string.
pub(super) fn strike_position(key: u8) -> f64 {
    curve(&[(21.0, 1.0 / 8.0), (64.0, 1.0 / 8.2), (84.0, 1.0 / 10.0), (108.0, 1.0 / 12.0)], on_piano(key))
}

/// The first lengthwise resonance of a bass string in multiples of its first partial. Published strings have 15 to 20
/// (Bank and Sujbert, JASA 117, 2005).
pub(super) const LENGTHWISE: usize = 18;

/// How much of a partial is left, as a squared amplitude, where the comb of the strike position has its zeros: hammers
/// are wide beside the short strings of the treble.
pub(super) fn comb_floor(key: u8) -> f64 {
    curve(&[(21.0, 0.03), (60.0, 0.05), (72.0, 0.12), (108.0, 0.2)], on_piano(key))
}

/// The corner of the hammer's lowpass in hertz. A harder blow compresses the felt, which shortens the contact: fitted to
/// octave bands of a Steinway B, for which 1.4 kHz (pp) and 4 kHz (mf) serve all keys.
pub(super) fn hammer_corner(velocity: f64) -> f64 {
    620.0 * 32f64.powf(velocity.clamp(0.0, 1.0))
}

/// The exponent by which partials fall with their number before hammer and soundboard, fitted to the same bands.
pub(super) fn slope(key: u8) -> f64 {
    curve(
        &[(21.0, 0.45), (36.0, 0.62), (48.0, 0.88), (60.0, 1.0), (72.0, 1.2), (84.0, 1.5), (108.0, 1.7)],
        on_piano(key),
    )
}

/// The cents by which the slow modes of a unison stand off its fast mode.
pub(super) fn unison_cents(key: u8) -> f64 {
    curve(&[(21.0, 0.9), (48.0, 0.5), (60.0, 0.45), (84.0, 0.5), (108.0, 0.8)], on_piano(key))
}

/// How long the damper takes to silence a string, in seconds.
pub(super) fn damper_seconds(key: u8) -> f64 {
    curve(&[(21.0, 0.120), (60.0, 0.085), (88.0, 0.060)], on_piano(key))
}

/// How long the hammer pushes the string, in seconds: the rise of the tone.
pub(super) fn contact_seconds(key: u8, velocity: f64) -> f64 {
    curve(&[(21.0, 0.0040), (60.0, 0.0024), (84.0, 0.0014), (108.0, 0.0008)], on_piano(key))
        * (1.35 - 0.7 * velocity.clamp(0.0, 1.0))
}

/// The root mean square of a key's strings soon after the strike, relative to middle C.
pub(super) fn loudness(key: u8) -> f64 {
    curve(
        &[
            (21.0, 1.0),
            (36.0, 1.05),
            (48.0, 1.05),
            (60.0, 1.0),
            (72.0, 0.92),
            (84.0, 0.85),
            (96.0, 0.82),
            (108.0, 0.68),
        ],
        on_piano(key),
    )
}

/// What the soundboard makes of a frequency, as an amplitude factor: little below its first mode, a ripple of broad
/// resonances, and less above 6 kHz.
pub(super) fn soundboard(frequency: f64) -> f64 {
    let low = {
        let x = frequency / 58.0;
        (x * x / (1.0 + x * x)).powf(1.5)
    };
    let high = 1.0 / (1.0 + (frequency / 7_500.0).powi(2));
    let octaves = (frequency / 55.0).max(1e-3).log2();
    let ripple = 1.1 * (octaves * 9.1 + 0.7).sin() + 0.95 * (octaves * 14.7 + 2.1).sin() + 0.8 * (octaves * 23.3).sin();
    low * high * 10f64.powf(ripple / 20.0)
}

/// From 0 (left) to 1 (right), as the player hears it.
pub(super) fn position(key: u8) -> f64 {
    0.36 + 0.28 * (on_piano(key) - 21.0) / 87.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inharmonicity_follows_the_measured_strings() {
        for (key, measured) in [(36, 1.4e-4), (48, 1.1e-4), (60, 3.6e-4), (72, 1.2e-3), (84, 3.2e-3)] {
            let b = inharmonicity(key);
            assert!((0.7..1.4).contains(&(b / measured)), "B of key {key} is {b}, measured {measured}");
        }
    }

    #[test]
    fn curves_pass_through_their_points_and_stay_there_beyond() {
        for (key, expected) in [(0, 5.5), (21, 5.5), (60, 14.0), (94, 90.0), (127, 160.0)] {
            let (early, late) = first_partial_decay(key);
            assert!((early - expected).abs() < 1e-9, "key {key}: {early}");
            assert!(late < early);
        }
    }

    #[test]
    fn all_curves_are_finite_and_positive_for_every_key() {
        for key in 0..128 {
            let values = [
                inharmonicity(key),
                first_partial_decay(key).1,
                friction(key, 1_000.0),
                strike_position(key),
                hammer_corner(0.5),
                unison_cents(key),
                damper_seconds(key),
                contact_seconds(key, 1.0),
                loudness(key),
                soundboard(27.5),
                position(key),
            ];
            assert!(values.iter().all(|v| v.is_finite() && *v > 0.0), "key {key}: {values:?}");
        }
    }
}
