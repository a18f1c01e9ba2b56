//! What rendered notes sound like: pitch of the partials, decay, brightness, balance.

use std::f64::consts::TAU;

use super::*;
use crate::audio::piano::register;

fn note(k: u8, velocity: u8, length: f64) -> [Vec<f32>; 2] {
    render(&[(0, Act::On(k, velocity))], seconds(length))
}

/// The amplitude at a frequency in hertz from a time on, for a time (both in seconds), through a Hann window; both
/// channels.
fn amplitude(channels: &[Vec<f32>; 2], frequency: f64, from: f64, span: f64) -> f64 {
    let frames = seconds(span);
    let omega = TAU * frequency / RATE as f64;
    let (step_re, step_im) = (omega.cos(), omega.sin());
    let (mut energy, start) = (0.0, seconds(from));
    for channel in channels {
        let (mut re, mut im, mut c, mut s) = (0.0, 0.0, 1.0, 0.0);
        for (frame, &x) in channel[start..start + frames].iter().enumerate() {
            let window = 1.0 - (TAU * frame as f64 / frames as f64).cos();
            re += window * f64::from(x) * c;
            im -= window * f64::from(x) * s;
            (c, s) = (c * step_re - s * step_im, c * step_im + s * step_re);
        }
        energy += re * re + im * im;
    }
    2.0 * energy.sqrt() / frames as f64
}

fn db(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-12).log10()
}

/// How many cents the strongest frequency near `expected` is off it.
fn cents_off(channels: &[Vec<f32>; 2], expected: f64) -> f64 {
    let at = |cents: f64| amplitude(channels, expected * 2f64.powf(cents / 1200.0), 0.05, 0.8);
    let grid = (-10..=10).map(f64::from);
    grid.max_by(|a, b| at(*a).total_cmp(&at(*b))).expect("the grid has points")
}

#[test]
fn partials_are_stretched_as_stiff_strings_are() {
    for (k, partials) in [(21, 3..=6), (36, 2..=7), (45, 1..=6), (60, 1..=6), (72, 1..=5), (84, 1..=4), (100, 1..=2)] {
        let f0 = register::fundamental(k, 440.0);
        let b = register::inharmonicity(k);
        let sound = note(k, 100, 1.0);
        for n in partials {
            let expected = f64::from(n) * f0 * ((1.0 + b * f64::from(n * n)) / (1.0 + b)).sqrt();
            let off = cents_off(&sound, expected);
            assert!(off.abs() <= 3.0, "partial {n} of key {k} is {off} cents off {expected} Hz");
        }
    }
}

#[test]
fn another_tuning_moves_every_key() {
    let mut piano = Piano::with(Rate::DEFAULT, 8, 415.0);
    let sound = render_blocks(&mut piano, &[(0, Act::On(60, 80))], seconds(1.0), &[128]);
    assert!(cents_off(&sound, key(60).frequency(415.0)).abs() <= 2.0);
}

/// The slope of the first partial between two times, in dB/s, as the line through ten measurements.
fn decay(channels: &[Vec<f32>; 2], k: u8, from: f64, to: f64) -> f64 {
    let f0 = key(k).frequency(440.0);
    let span = (8.0 / f0).max(0.02);
    let points: Vec<(f64, f64)> = (0..10)
        .map(|at| from + (to - from) * f64::from(at) / 9.0)
        .map(|t| (t, db(amplitude(channels, f0, t, span))))
        .collect();
    let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / points.len() as f64;
    let (t, y) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = points.iter().map(|p| (p.0 - t) * (p.1 - y)).sum();
    -covariance / points.iter().map(|p| (p.0 - t).powi(2)).sum::<f64>()
}

#[test]
fn every_register_decays_in_two_stages_at_the_measured_rates() {
    // Key, and the measured ranges in dB/s, early and late.
    let table = [
        (36, 4.0..=19.0, 3.0..=5.0),
        (48, 4.0..=19.0, 3.0..=5.0),
        (60, 14.0..=14.0, 4.5..=4.5),
        (68, 16.0..=16.0, 3.0..=5.0),
        (76, 37.0..=44.0, 9.0..=9.0),
        (84, 28.0..=60.0, 11.0..=11.0),
        (94, 90.0..=90.0, 20.0..=20.0),
    ];
    for (k, early, late) in table {
        let (fast, slow) = register::first_partial_decay(k);
        // Early: the first 7 dB. Late: from where the fast stage is 9 dB below the slow ones, for 16 dB.
        let (begin, span) = (24.0 / (fast - slow), 16.0 / slow);
        let sound = note(k, 127, begin + span + 0.3);
        let check = |name: &str, rate: f64, table: std::ops::RangeInclusive<f64>| {
            let allowed = 0.7 * table.start()..1.3 * table.end();
            assert!(allowed.contains(&rate), "key {k} decays {name} at {rate} dB/s, measured pianos at {table:?}");
        };
        check("early", decay(&sound, k, 0.01, 0.01 + 7.0 / fast), early);
        check("late", decay(&sound, k, begin, begin + span), late);
    }
}

/// The centre of energy in hertz, from the difference of neighbouring frames.
fn brightness(channels: &[Vec<f32>; 2]) -> f64 {
    let left = &channels[0][..seconds(0.5)];
    let energy: f64 = left.iter().map(|&x| f64::from(x).powi(2)).sum();
    let slope: f64 = left.windows(2).map(|w| f64::from(w[1] - w[0]).powi(2)).sum();
    (slope / energy).sqrt() * RATE as f64 / TAU
}

#[test]
fn a_harder_blow_is_brighter_and_louder() {
    for k in [24, 36, 48, 60, 72, 84, 96, 108] {
        let sounds = [15, 50, 85, 120].map(|velocity| note(k, velocity, 0.6));
        for pair in sounds.windows(2) {
            assert!(brightness(&pair[1]) > 1.02 * brightness(&pair[0]), "key {k} grows brighter");
            assert!(level(&pair[1], 0.0, 0.5) > 3.0 + level(&pair[0], 0.0, 0.5), "key {k} grows louder");
        }
    }
}

#[test]
fn the_soft_pedal_darkens_and_softens() {
    let plain = note(60, 80, 0.6);
    let soft = render(&[(0, Act::Pedal(Pedal::Soft(127))), (0, Act::On(60, 80))], seconds(0.6));
    assert!(brightness(&soft) < 0.97 * brightness(&plain));
    assert!(level(&soft, 0.0, 0.5) < level(&plain, 0.0, 0.5) - 1.5);
}

#[test]
fn registers_are_balanced() {
    let levels: Vec<(u8, f64)> = (21..=108).step_by(3).map(|k| (k, level(&note(k, 80, 0.15), 0.0, 0.15))).collect();
    for pair in levels.windows(2) {
        assert!((pair[0].1 - pair[1].1).abs() < 4.0, "neighbours stand apart: {pair:?}");
    }
    for (k, level) in levels {
        let range = if k <= 84 { -33.0..-22.0 } else { -42.0..-26.0 };
        assert!(range.contains(&level), "key {k} is at {level} dBFS");
    }
}

#[test]
fn low_keys_stand_left_and_high_keys_right() {
    let lean = |k| {
        let [left, right] = note(k, 80, 0.3);
        let energy = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        10.0 * (energy(&right) / energy(&left)).log10()
    };
    assert!(lean(24) < -1.0 && lean(105) > 1.0 && lean(64).abs() < 2.0, "{} {} {}", lean(24), lean(64), lean(105));
}

/// The largest sample of a piano whose pedal goes down by a value every so many frames, and of what rings half a second
/// later.
fn pedal_noise(step: u8, frames: usize) -> (f32, f32) {
    let values = (0..=127).step_by(usize::from(step)).chain([127]);
    let acts: Vec<_> = values.zip(0..).map(|(value, n)| (n * frames, Act::Pedal(Pedal::Sustain(value)))).collect();
    let end = acts.last().expect("a step").0;
    let [left, _] = render_blocks(&mut Piano::new(Rate(RATE as u32)), &acts, end + RATE, &[256]);
    let top = |samples: &[f32]| samples.iter().fold(0.0f32, |top, s| top.max(s.abs()));
    (top(&left), top(&left[end + RATE / 2..]))
}

#[test]
fn a_pedal_that_goes_down_quickly_brushes_the_strings_far_below_a_note_and_slowly_it_is_silent() {
    let note = [(0, Act::On(60, 64))];
    let [left, _] = render_blocks(&mut Piano::new(Rate(RATE as u32)), &note, RATE, &[256]);
    let note = left.iter().fold(0.0f32, |top, s| top.max(s.abs()));
    let db = |level: f32| 20.0 * (level / note).log10();
    let (switch, ringing) = pedal_noise(127, 1);
    // All steps within 80 ms: a foot that stamps on a continuous pedal.
    let (stamped, _) = pedal_noise(1, 30);
    println!("below a note: {:.1} dB, ringing {:.1} dB, in steps {:.1} dB", db(switch), db(ringing), db(stamped));
    assert!((-45.0..-35.0).contains(&db(switch)), "{} dB", db(switch));
    assert!((-55.0..-40.0).contains(&db(stamped)), "{} dB", db(stamped));
    assert!(ringing > 0.0 && ringing < switch / 3.0, "the strings ring along, and die away: {ringing} of {switch}");
    // In a second and a half.
    assert_eq!(pedal_noise(1, 576), (0.0, 0.0), "felt that is drawn off slowly");
    let up = [(0, Act::Pedal(Pedal::Sustain(127))), (10 * RATE, Act::Pedal(Pedal::Sustain(0)))];
    let [left, _] = render_blocks(&mut Piano::new(Rate(RATE as u32)), &up, 11 * RATE, &[4_096]);
    assert!(left[10 * RATE..].iter().all(|s| s.abs() < switch / 30.0), "it comes up as before");
}
