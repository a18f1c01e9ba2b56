//! Chirps that are delayed, drowned, echoed and torn: the delay is found, or the reason said.

use super::*;

const RATE: Rate = Rate(48_000);

/// The same numbers from the same seed: xorshift, −1 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Adds the chirp at a place between the frames, through a windowed sinc.
fn add_at(recorded: &mut [f32], place: f64, gain: f32, rate: Rate) {
    const HALF: i64 = 16;
    let (whole, part) = (place.floor() as i64, place - place.floor());
    let taps: Vec<f64> = (-HALF..=HALF)
        .map(|tap| {
            let x = tap as f64 - part;
            let sinc = if x.abs() < 1e-9 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
            sinc * (std::f64::consts::FRAC_PI_2 * x / (HALF as f64 + 1.0)).cos().powi(2)
        })
        .collect();
    for (index, sample) in chirp(rate).into_iter().enumerate() {
        for (tap, weight) in (-HALF..=HALF).zip(&taps) {
            let target = usize::try_from(whole + index as i64 + tap).ok().and_then(|t| recorded.get_mut(t));
            if let Some(target) = target {
                *target += gain * sample * *weight as f32;
            }
        }
    }
}

/// A silent recording, and where chirps are sent in it.
fn session(rate: Rate) -> (Vec<f32>, [Frames; CHIRPS]) {
    let emitted = emissions(Frames(1_000), rate);
    let end = emitted[CHIRPS - 1] + rate.frames(ROUND_TRIP_MAX + Micros::from_millis(200));
    (vec![0.0; end.0 as usize], emitted)
}

fn delayed(rate: Rate, delay: f64, gain: f32) -> (Vec<f32>, [Frames; CHIRPS]) {
    let (mut recorded, emitted) = session(rate);
    for at in emitted {
        add_at(&mut recorded, at.0 as f64 + delay, gain, rate);
    }
    (recorded, emitted)
}

fn add_noise(recorded: &mut [f32], level: f32) {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    recorded.iter_mut().for_each(|sample| *sample += level * noise.next());
}

/// How wrong the delay is, in frames.
#[track_caller]
fn error_of(recorded: &[f32], emitted: &[Frames], rate: Rate, delay: f64) -> f64 {
    let found = RoundTrip::find(recorded, emitted, rate).unwrap();
    assert_eq!((found.sent, found.heard), (emitted.len(), emitted.len()));
    (found.delay - delay).abs()
}

#[test]
fn a_delay_is_found_between_the_frames_at_every_rate() {
    for rate in [Rate(16_000), Rate(44_100), RATE, Rate(96_000)] {
        for delay in [0.0, 0.5, 17.25, 512.0, 1_536.75, 5_000.125] {
            let (recorded, emitted) = delayed(rate, delay, 0.1);
            let error = error_of(&recorded, &emitted, rate, delay);
            assert!(error < 0.05, "{delay} at {}: {error}", rate.0);
        }
    }
}

#[test]
fn noise_louder_than_the_chirp_costs_a_tenth_of_a_frame() {
    // The chirp's effective value is 0.03, the noise's 0.06.
    let (mut recorded, emitted) = delayed(RATE, 700.3, 0.1);
    add_noise(&mut recorded, 0.1);
    let error = error_of(&recorded, &emitted, RATE, 700.3);
    assert!(error < 0.1, "{error}");
}

#[test]
fn a_turned_microphone_hears_the_same_delay() {
    let (recorded, emitted) = delayed(RATE, 300.4, -0.2);
    assert!(error_of(&recorded, &emitted, RATE, 300.4) < 0.05);
}

#[test]
fn a_room_that_is_louder_than_the_direct_way_does_not_move_it() {
    let (mut recorded, emitted) = delayed(RATE, 640.0, 0.1);
    let mut noise = Noise(77);
    for at in emitted {
        let place = at.0 as f64 + 640.0;
        // A wall 2 m away gives more than the direct way; then a tail of a third of a second.
        add_at(&mut recorded, place + 290.0, 0.14, RATE);
        for reflection in 1..150 {
            let later = 290.0 + 110.0 * f64::from(reflection) + 50.0 * f64::from(noise.next());
            let gain = 0.06 * (-later / 4_000.0).exp() as f32 * noise.next();
            add_at(&mut recorded, place + later, gain, RATE);
        }
    }
    add_noise(&mut recorded, 0.02);
    let error = error_of(&recorded, &emitted, RATE, 640.0);
    assert!(error < 0.3, "{error}");
}

#[test]
fn chirps_that_were_torn_or_lost_are_outvoted() {
    let (mut recorded, emitted) = delayed(RATE, 900.0, 0.1);
    for (index, at) in emitted.iter().enumerate() {
        let start = at.0 as usize + 900;
        match index % 4 {
            0 => recorded[start..start + 2_400].fill(0.0),
            1 => recorded[start + 400..start + 900].fill(0.0),
            _ => {}
        }
    }
    add_noise(&mut recorded, 0.01);
    let found = RoundTrip::find(&recorded, &emitted, RATE).unwrap();
    assert!((found.delay - 900.0).abs() < 0.1, "{found:?}");
    assert_eq!(found.heard, 9);
}

#[test]
fn a_delay_that_wanders_is_no_calibration() {
    let (mut recorded, emitted) = session(RATE);
    for (index, at) in emitted.iter().enumerate() {
        add_at(&mut recorded, (at.0 + 500 + 100 * index as i64) as f64, 0.1, RATE);
    }
    match RoundTrip::find(&recorded, &emitted, RATE) {
        Err(CalibrationError::Scattered { millis }) => assert!((5.0..8.0).contains(&millis), "{millis}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn noise_silence_and_music_are_not_heard_as_chirps() {
    let (silent, emitted) = session(RATE);
    let not_heard = Err(CalibrationError::NotHeard { heard: 0, sent: CHIRPS });
    assert_eq!(RoundTrip::find(&silent, &emitted, RATE), not_heard);
    assert_eq!(RoundTrip::find(&[], &emitted, RATE), not_heard);
    let mut noisy = silent.clone();
    add_noise(&mut noisy, 0.3);
    assert_eq!(RoundTrip::find(&noisy, &emitted, RATE), not_heard);
    let tone = |index: usize| (index as f32 * 0.1).sin() * 0.4;
    let humming: Vec<f32> = (0..silent.len()).map(tone).collect();
    assert_eq!(RoundTrip::find(&humming, &emitted, RATE), not_heard);
    let broken = vec![f32::NAN; silent.len()];
    assert_eq!(RoundTrip::find(&broken, &emitted, RATE), not_heard);
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    assert_eq!(RoundTrip::find(&[0.0; 10], &[], RATE), Err(CalibrationError::Count { sent: 0 }));
    let close = [Frames(0), Frames(30_000), Frames(50_000)];
    let error = RoundTrip::find(&[0.0; 10], &close, RATE).unwrap_err();
    assert_eq!(error, CalibrationError::TooClose { index: 2, apart: 20_000, least: 24_000 });
    assert_eq!(error.to_string(), "chirp 2 was sent 20000 frames after the one before; the least is 24000");
    let far = [Frames(i64::MIN), Frames(i64::MAX)];
    assert_eq!(RoundTrip::find(&[0.0; 10], &far, RATE), Err(CalibrationError::NotHeard { heard: 0, sent: 2 }));
}

#[test]
fn a_delay_is_told_in_microseconds() {
    let trip = RoundTrip { delay: 480.24, spread: 0.0, heard: 1, sent: 1, prominence: 30.0 };
    assert_eq!(trip.micros(RATE), Micros(10_005));
}
