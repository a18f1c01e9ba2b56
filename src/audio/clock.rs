//! The clock of a stream: which frame belongs to which moment, from callbacks that come late and never early. Pure
//! arithmetic on what it is told; a few numbers, no memory.

use crate::time::{Frames, Micros, Rate};

/// The loop's bandwidth once it has settled, in hertz: F. Adriaensen, "Using a DLL to filter time" (2005).
const BANDWIDTH_HERTZ: f64 = 0.1;
/// While it settles the bandwidth is this over the seconds since the anchor and a fifth of one, so that it is near within
/// a second, and not thrown about by the first few callbacks.
const SETTLING: f64 = 0.5;
const SETTLING_FROM: f64 = 0.2;
/// The widest it is opened, as a fraction of the rate of updates: beyond it the loop would swing.
const OMEGA_MAX: f64 = 0.3;
/// How far a device's clock may be from its nominal rate. Cheap ones are off by some 100 ppm.
const DEVIATION_MAX: f64 = 2e-3;
/// The least-delayed callback of the last one to two windows counts, in seconds: what shifts all callbacks, as a lost
/// period of which the driver says nothing, is known for what it is after that.
const WINDOW_SECONDS: f64 = 1.0;
const WINDOW_FIRST: f64 = 0.2;
/// A callback that is later than two periods, and than this, was preceded by an xrun whatever the driver says.
const XRUN_MIN: f64 = 5_000.0;
/// Seconds over which the lateness is averaged.
const LATENESS_SECONDS: f64 = 10.0;
/// Seconds until the measured rate is worth telling.
const RATE_SECONDS: f64 = 10.0;

/// What a stream's callbacks and its inputs were seen to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// Frames per second by the program's own clock; 0 until the stream has run for ten seconds.
    pub measured_rate: f64,
    /// How late callbacks come after the punctual ones: the root mean square of the last ten seconds, in microseconds.
    pub lateness_rms: f32,
    /// The latest since the stream began, xruns left out, in microseconds.
    pub lateness_max: f32,
    /// How often the clock had to be set anew: after xruns, and when the device changed its pace.
    pub anchors: u32,
    /// From the moment a key was stamped to the callback that saw it.
    pub input: Spread,
}

/// Delays in microseconds, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many.
    pub count: u32,
    /// The shortest.
    pub min: f32,
    /// Their mean.
    pub mean: f32,
    /// The longest.
    pub max: f32,
}

impl Spread {
    /// Takes one more delay in.
    pub fn add(&mut self, delay: Micros) {
        let delay = delay.0 as f32;
        self.count = self.count.saturating_add(1);
        let first = self.count == 1;
        self.min = if first { delay } else { self.min.min(delay) };
        self.max = if first { delay } else { self.max.max(delay) };
        self.mean += (delay - self.mean) / self.count as f32;
    }
}

/// A delay-locked loop gives the pace, the least-delayed callback of late gives the phase.
///
/// The loop alone would follow the mean callback, and half of all keys would seem to come from the past of the block
/// they are heard in; the least-delayed alone would mistake drift for punctuality.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamClock {
    rate: Rate,
    course: Option<Course>,
    timing: Timing,
    /// When the stream is taken to begin before its first callback says so.
    since: Micros,
}

#[derive(Clone, Copy, Debug)]
struct Course {
    /// The first frame of the latest block.
    frame: Frames,
    /// Its time by the loop, in microseconds.
    filtered: f64,
    /// Its time if the callback had come without delay.
    punctual: f64,
    /// How much before the loop's time the least-delayed callbacks came, in this window and in the one before.
    earliest: [f64; 2],
    /// Seconds of this window so far.
    window: f64,
    micros_per_frame: f64,
    /// Seconds since the anchor.
    age: f64,
    lateness_squared: f64,
}

impl StreamClock {
    pub(super) fn new(rate: Rate) -> Self {
        Self::following(rate, Micros::ZERO)
    }

    /// The clock of a stream that follows one which ended then.
    pub(super) fn following(rate: Rate, since: Micros) -> Self {
        Self { rate, course: None, timing: Timing::default(), since }
    }

    /// A callback began at `mono`, when `frame` was due; `period` is the usual block, `xrun` whether the driver lost
    /// frames before it.
    pub(super) fn observe(&mut self, frame: Frames, mono: Micros, period: u32, xrun: bool) {
        let nominal = 1e6 / f64::from(self.rate.0.max(1));
        let now = mono.0 as f64;
        let Some(course) = &mut self.course else {
            self.course = Some(Course::anchored(frame, now, nominal));
            return;
        };
        let frames = (frame - course.frame).0 as f64;
        if frames <= 0.0 {
            return;
        }
        let error = now - (course.filtered + frames * course.micros_per_frame);
        if xrun || error.abs() > (2.0 * f64::from(period) * nominal).max(XRUN_MIN) {
            *course = Course::anchored(frame, now, course.micros_per_frame);
            self.timing.anchors = self.timing.anchors.saturating_add(1);
            return;
        }
        course.follow(frame, frames, now, error, nominal);
        self.timing.lateness_rms = course.lateness_squared.sqrt() as f32;
        self.timing.lateness_max = self.timing.lateness_max.max((now - course.punctual) as f32);
        if course.age > RATE_SECONDS {
            self.timing.measured_rate = 1e6 / course.micros_per_frame;
        }
    }

    /// Counts how long a key waited for its callback.
    pub(super) fn note_input(&mut self, delay: Micros) {
        self.timing.input.add(delay);
    }

    pub(super) fn timing(&self) -> Timing {
        self.timing
    }

    /// The frame at a monotonic time; `None` before the first callback.
    pub(super) fn frame(&self, mono: Micros) -> Option<Frames> {
        let course = self.course?;
        let frames = (mono.0 as f64 - course.punctual) / course.micros_per_frame;
        Some(Frames(course.frame.0 + frames.round() as i64))
    }

    /// The monotonic time of a frame; before the first callback as if the stream began when the one
    /// before it ended.
    pub(super) fn mono(&self, frame: Frames) -> Micros {
        match self.course {
            Some(course) => {
                let micros = (frame - course.frame).0 as f64 * course.micros_per_frame;
                Micros((course.punctual + micros).round() as i64)
            }
            None => self.since + self.rate.micros(frame),
        }
    }
}

impl Course {
    fn anchored(frame: Frames, now: f64, micros_per_frame: f64) -> Self {
        Self {
            frame,
            filtered: now,
            punctual: now,
            earliest: [0.0, f64::INFINITY],
            window: 0.0,
            micros_per_frame,
            age: 0.0,
            lateness_squared: 0.0,
        }
    }

    fn follow(&mut self, frame: Frames, frames: f64, now: f64, error: f64, nominal: f64) {
        let elapsed = frames * self.micros_per_frame;
        let seconds = elapsed / 1e6;
        let bandwidth = BANDWIDTH_HERTZ.max(SETTLING / (self.age + SETTLING_FROM));
        let omega = (std::f64::consts::TAU * bandwidth * seconds).min(OMEGA_MAX);
        let step = std::f64::consts::SQRT_2 * omega * error;
        self.filtered += elapsed + step;
        self.window += seconds;
        // At first, while the pace is not known, what was seen long ago says little.
        if self.window >= (self.age / 4.0).clamp(WINDOW_FIRST, WINDOW_SECONDS) {
            (self.earliest, self.window) = ([f64::INFINITY, self.earliest[0]], 0.0);
        }
        // What the loop has moved by, the earliest are nearer to it now.
        self.earliest = self.earliest.map(|earliest| earliest - step);
        self.earliest[0] = self.earliest[0].min(now - self.filtered);
        self.punctual = self.filtered + self.earliest[0].min(self.earliest[1]);
        let pace = self.micros_per_frame + omega * omega * error / frames;
        self.micros_per_frame = pace.clamp(nominal * (1.0 - DEVIATION_MAX), nominal * (1.0 + DEVIATION_MAX));
        let late = now - self.punctual;
        let share = (seconds / LATENESS_SECONDS).min(1.0);
        self.lateness_squared += share * (late * late - self.lateness_squared);
        self.age += seconds;
        self.frame = frame;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate(48_000);

    /// Pseudo-random numbers in [0, 1), the same each time.
    fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    /// Blocks of 256 frames of a device that is `ppm` off, late by an exponential of the given mean in microseconds;
    /// what the clock said at each block's true beginning, as an error in frames.
    fn errors(ppm: f64, lateness: f64, blocks: i64, seed: u64) -> (StreamClock, Vec<f64>) {
        let mut clock = StreamClock::new(RATE);
        let mut random = noise(seed);
        let mut errors = Vec::new();
        for block in 0..blocks {
            let truth = 1e9 + (block * 256) as f64 / 48_000.0 * 1e6 * (1.0 + ppm * 1e-6);
            let late = -lateness * (1.0 - random()).ln();
            clock.observe(Frames(block * 256), Micros((truth + late).round() as i64), 256, false);
            let at = clock.frame(Micros(truth.round() as i64)).expect("anchored").0;
            errors.push((at - block * 256) as f64);
        }
        (clock, errors)
    }

    #[test]
    fn punctual_callbacks_give_the_mapping_to_the_frame() {
        let (clock, errors) = errors(0.0, 0.0, 5_000, 1);
        assert!(errors.iter().all(|e| *e == 0.0));
        assert!((clock.timing().measured_rate - 48_000.0).abs() < 0.1);
        assert_eq!(clock.timing().anchors, 0);
    }

    #[test]
    fn late_callbacks_do_not_move_it_and_drift_is_followed() {
        for (ppm, seed) in [(0.0, 1), (541.0, 2), (-541.0, 3), (900.0, 4)] {
            let (clock, errors) = errors(ppm, 300.0, 60_000, seed);
            let settled = &errors[10_000..];
            let worst = settled.iter().fold(0.0_f64, |worst, e| worst.max(e.abs()));
            let steps = settled.windows(2).fold(0.0_f64, |worst, w| worst.max((w[1] - w[0]).abs()));
            // 300 µs are 14 frames; a callback in twenty is later than 40.
            assert!(worst <= 5.0, "{ppm} ppm: {worst} frames off");
            assert!(steps <= 3.0, "{ppm} ppm: it jumps by {steps} frames");
            let rate = clock.timing().measured_rate;
            let expected = 48_000.0 / (1.0 + ppm * 1e-6);
            assert!((rate / expected - 1.0).abs() < 100e-6, "{ppm} ppm: {rate}");
            let rms = clock.timing().lateness_rms;
            assert!((300.0..600.0).contains(&rms), "an exponential's root mean square is √2 of its mean: {rms}");
        }
    }

    #[test]
    fn within_the_first_second_it_is_near() {
        let (_, errors) = errors(541.0, 300.0, 1_000, 7);
        let worst = errors[188..].iter().fold(0.0_f64, |worst, e| worst.max(e.abs()));
        assert!(worst <= 16.0, "{worst} frames");
    }

    #[test]
    fn blocks_of_any_size_are_the_same_to_it() {
        let mut clock = StreamClock::new(RATE);
        let mut frame = 0;
        for round in 0..20_000 {
            let truth = RATE.micros(Frames(frame));
            clock.observe(Frames(frame), truth, 8_192, false);
            assert_eq!(clock.frame(truth), Some(Frames(frame)), "round {round}");
            frame += [1, 64, 8_192, 17, 0, 256, 1_000][round % 7];
        }
    }

    #[test]
    fn after_an_xrun_it_is_set_anew_and_keeps_the_pace() {
        let (mut clock, _) = errors(300.0, 0.0, 20_000, 1);
        let pace = clock.timing().measured_rate;
        let mono = clock.mono(Frames(20_000 * 256)) + Micros(90_000);
        clock.observe(Frames(20_000 * 256), mono, 256, false);
        assert_eq!(clock.frame(mono), Some(Frames(20_000 * 256)));
        assert_eq!(clock.timing().anchors, 1);
        assert!((clock.timing().measured_rate - pace).abs() < 0.01);
    }

    #[test]
    fn a_lost_period_is_known_at_once_if_the_driver_says_so_and_after_two_seconds_if_not() {
        const LOST: i64 = 5_333;
        for (told, blocks) in [(true, 0), (false, 2 * 48_000 / 256 + 10)] {
            let mut clock = StreamClock::new(RATE);
            let mut random = noise(5);
            let mut observe = |block: i64, lost: i64, xrun| {
                let truth = RATE.micros(Frames(block * 256)) + Micros(lost);
                let late = Micros((-100.0 * (1.0 - random()).ln()) as i64);
                clock.observe(Frames(block * 256), truth + late, 256, xrun);
                clock.frame(truth).expect("anchored").0 - block * 256
            };
            for block in 0..10_000 {
                observe(block, 0, false);
            }
            let mut worst = 0;
            for block in 10_000..12_000 {
                let error = observe(block, LOST, told && block == 10_000);
                if block >= 10_000 + blocks {
                    worst = worst.max(error.abs());
                }
            }
            // The first callback after the xrun may itself be late by some 100 µs; 5.3 ms are 256 frames.
            assert!(worst <= 24, "told: {told}, {worst} frames off");
        }
    }

    #[test]
    fn delays_are_summed_up() {
        let mut spread = Spread::default();
        [3_000, 1_000, 2_000].into_iter().for_each(|delay| spread.add(Micros(delay)));
        assert_eq!(spread, Spread { count: 3, min: 1_000.0, mean: 2_000.0, max: 3_000.0 });
    }
}
