//! The strings that ring along: every string whose damper is up answers, at its own partials, to what the others send
//! through the bridge. A bank of resonators, one for each of the lower partials of each key.
//!
//! A resonator is a complex number that turns and decays; its real part is pushed by the sound of all other strings, its
//! imaginary part is heard. Turning keeps the pitch of the lowest strings in single precision, and lets a damper fall
//! without a change of pitch. Partials of one key lie side by side in [`LANES`], so that the compiler takes several at
//! once. Nothing is fed back: what rings along does not push others, so that the bank can never howl.
//!
//! A key at rest that nobody pushes costs nothing; all of them together are [`Strings::ROWS_MAX`] rows. What is heard
//! does not depend on how the frames are cut: only at every [`GRID`]th frame of its own count a faint string is stilled.

use std::f64::consts::TAU;

use super::register;

/// Partials that advance together.
const LANES: usize = 8;
/// Frames between two looks for strings that have come to rest, and the most that are computed at once.
const GRID: usize = 64;
/// The keys that have strings.
const KEYS: std::ops::RangeInclusive<u8> = 21..=108;
const KEY_COUNT: usize = 88;
/// Keys up to this one have two rows: their neighbours' tones meet them at high partials.
const LONG_MAX: u8 = 47;
/// Groups of keys that are heard from one place each.
const PLACES: usize = 8;
/// Partials above this are left out, in hertz: they decay before they could ring along.
const HIGHEST: f64 = 5_000.0;
/// How fast a string's amplitude grows, as a share of that of the partial that pushes it, per second. Strings lose
/// about 1.6 nepers a second to the bridge around middle C, three of them in step: 0.5 each would be the coupling of
/// neighbours (Weinreich, JASA 62, 1977); strings further along the bridge meet a third of it.
const COUPLING: f64 = 0.16;
/// A string with less energy, -130 dBFS, is stilled when nothing pushes it.
const AT_REST: f32 = 1e-13;
/// The damper brings a string down by 60 dB in its time, a voice then to zero.
pub(super) const DAMPED: f64 = 1e-3;

#[derive(Clone, Copy, Debug)]
struct Row {
    re: [f32; LANES],
    im: [f32; LANES],
    cos: [f32; LANES],
    sin: [f32; LANES],
    push: [f32; LANES],
}

impl Row {
    const STILL: Self =
        Self { re: [0.0; LANES], im: [0.0; LANES], cos: [0.0; LANES], sin: [0.0; LANES], push: [0.0; LANES] };

    /// Adds the next frames, lane by lane.
    #[inline]
    fn advance(&mut self, keep: f32, open: f32, input: &[f32], out: &mut [[f32; LANES]]) {
        let Self { mut re, mut im, .. } = *self;
        let (cos, sin) = (self.cos.map(|x| x * keep), self.sin.map(|x| x * keep));
        let push = self.push.map(|x| x * open);
        for (&x, out) in input.iter().zip(out) {
            for lane in 0..LANES {
                let turned = cos[lane] * re[lane] - sin[lane] * im[lane] + push[lane] * x;
                im[lane] = sin[lane] * re[lane] + cos[lane] * im[lane];
                re[lane] = turned;
                out[lane] += im[lane];
            }
        }
        (self.re, self.im) = (re, im);
    }

    fn energy(&self) -> f32 {
        self.re.iter().chain(&self.im).map(|x| x * x).sum()
    }
}

/// The strings of one key.
#[derive(Clone, Copy, Debug)]
struct Key {
    rows: (usize, usize),
    /// How far the damper is up, which is how much of the push arrives, and what it leaves of a string each frame.
    open: f32,
    keep: f32,
    at_rest: bool,
}

/// The strings of one player.
#[derive(Clone, Debug)]
pub(super) struct Strings {
    rows: Vec<Row>,
    keys: [Key; KEY_COUNT],
    gains: [[f32; 2]; PLACES],
    rate: f64,
    /// Frames since the last look, and whether anything has pushed since then.
    at: usize,
    pushed: bool,
    /// Rows computed in the last call of [`Strings::ring`], times their frames.
    #[cfg(test)]
    pub(super) work: usize,
}

impl Strings {
    /// The most rows that one frame may ask for.
    #[cfg(test)]
    pub(super) const ROWS_MAX: usize = KEY_COUNT + (LONG_MAX - 20) as usize;

    /// At rest and damped, for a frame rate in hertz and a tuning of A4 in hertz.
    pub(super) fn new(rate: f64, a4: f64) -> Self {
        let mut rows = Vec::new();
        let keys = std::array::from_fn(|at| {
            let key = KEYS.start() + at as u8;
            let first = rows.len();
            for row in 0..if key <= LONG_MAX { 2 } else { 1 } {
                rows.push(tuned(key, 1 + row * LANES, rate, a4));
            }
            Key { rows: (first, rows.len()), open: 0.0, keep: 1.0, at_rest: true }
        });
        let gains = std::array::from_fn(|place| {
            let key = KEYS.start() + (KEY_COUNT * (2 * place + 1) / (2 * PLACES)) as u8;
            // The sum of both channels pushes, which is √2 of a tone in the middle.
            let angle = register::position(key) * std::f64::consts::FRAC_PI_2;
            [angle.cos(), angle.sin()].map(|gain| (gain * std::f64::consts::FRAC_1_SQRT_2) as f32)
        });
        let mut strings = Self {
            rows,
            keys,
            gains,
            rate,
            at: 0,
            pushed: false,
            #[cfg(test)]
            work: 0,
        };
        strings.lift(|_| 0.0);
        strings
    }

    /// Puts the dampers of all keys where `lift` says, from 0 (down) to 1 (up).
    pub(super) fn lift(&mut self, lift: impl Fn(u8) -> f64) {
        KEYS.for_each(|key| self.lift_key(key, lift(key)));
    }

    /// Puts the damper of one key.
    pub(super) fn lift_key(&mut self, key: u8, lift: f64) {
        if let Some(at) = key.checked_sub(*KEYS.start())
            && let Some(strings) = self.keys.get_mut(usize::from(at))
        {
            let lift = if key > register::DAMPED_MAX { 1.0 } else { lift.clamp(0.0, 1.0) };
            strings.open = (lift * lift) as f32;
            strings.keep = damper_keep(key, lift, self.rate) as f32;
        }
    }

    /// Whether no string moves.
    pub(super) fn at_rest(&self) -> bool {
        self.keys.iter().all(|key| key.at_rest)
    }

    /// Lets frames pass in which nothing pushes and nothing moves.
    pub(super) fn pass(&mut self, frames: usize) {
        self.pushed &= self.at + frames < GRID;
        self.at = (self.at + frames) % GRID;
    }

    /// Stills all strings at once.
    pub(super) fn still(&mut self) {
        for key in 0..KEY_COUNT {
            self.still_key(key);
        }
    }

    fn still_key(&mut self, key: usize) {
        let key = &mut self.keys[key];
        key.at_rest = true;
        for row in &mut self.rows[key.rows.0..key.rows.1] {
            (row.re, row.im) = ([0.0; LANES], [0.0; LANES]);
        }
    }

    /// Adds what rings along with `sound` to both channels, all of one length. `own` is what a key that was struck adds
    /// to the sound itself: that does not push its own strings.
    pub(super) fn ring<'a>(
        &mut self,
        sound: &[f32],
        own: impl Fn(u8) -> Option<&'a [f32]>,
        left: &mut [f32],
        right: &mut [f32],
    ) {
        #[cfg(test)]
        {
            self.work = 0;
        }
        let mut at = 0;
        while at < sound.len() {
            let end = (at + GRID - self.at).min(sound.len());
            self.advance(
                &sound[at..end],
                &|key| own(key).map(|own| &own[at..end]),
                &mut left[at..end],
                &mut right[at..end],
            );
            self.at += end - at;
            at = end;
            if self.at == GRID {
                self.at = 0;
                self.look_for_rest();
            }
        }
    }

    fn advance<'a>(
        &mut self,
        sound: &[f32],
        own: &impl Fn(u8) -> Option<&'a [f32]>,
        left: &mut [f32],
        right: &mut [f32],
    ) {
        let silent = sound.iter().all(|&x| x == 0.0);
        self.pushed |= !silent;
        let mut others = [0.0; GRID];
        for place in 0..PLACES {
            let mut out = [[0.0; LANES]; GRID];
            let out = &mut out[..sound.len()];
            let mut rung = false;
            for at in KEY_COUNT * place / PLACES..KEY_COUNT * (place + 1) / PLACES {
                let key = &mut self.keys[at];
                if key.at_rest && (silent || key.open == 0.0) {
                    continue;
                }
                (key.at_rest, rung) = (false, true);
                let input = match own(KEYS.start() + at as u8) {
                    Some(own) => {
                        let others = &mut others[..sound.len()];
                        others.iter_mut().zip(sound).zip(own).for_each(|((x, all), own)| *x = all - own);
                        &*others
                    }
                    None => sound,
                };
                for row in &mut self.rows[key.rows.0..key.rows.1] {
                    row.advance(key.keep, key.open, input, out);
                }
                #[cfg(test)]
                {
                    self.work += (key.rows.1 - key.rows.0) * sound.len();
                }
            }
            if rung {
                let [l, r] = self.gains[place];
                for ((lanes, left), right) in out.iter().zip(&mut *left).zip(&mut *right) {
                    let sum: f32 = lanes.iter().sum();
                    *left += l * sum;
                    *right += r * sum;
                }
            }
        }
    }

    fn look_for_rest(&mut self) {
        for at in 0..KEY_COUNT {
            let key = &self.keys[at];
            if key.at_rest || (self.pushed && key.open > 0.0) {
                continue;
            }
            let energy: f32 = self.rows[key.rows.0..key.rows.1].iter().map(Row::energy).sum();
            if energy < AT_REST {
                self.still_key(at);
            }
        }
        self.pushed = false;
    }
}

/// Eight partials of a key from number `first` on. Those too high stay silent.
fn tuned(key: u8, first: usize, rate: f64, a4: f64) -> Row {
    let mut row = Row::STILL;
    let (f0, b) = (register::fundamental(key, a4), register::inharmonicity(key));
    let (early, late) = register::first_partial_decay(key);
    for lane in 0..LANES {
        let frequency = register::partial_frequency(f0, b, first + lane);
        if frequency > HIGHEST.min(0.45 * rate) {
            break;
        }
        // The bridge moves all strings of a unison alike, which decays fast, and beats soon move them apart.
        let friction = register::friction(key, frequency) - register::friction(key, f0);
        let decay = ((early + friction) * (late + 0.22 * friction)).sqrt();
        let (omega, rho) = (TAU * frequency / rate, (-decay * super::NEPER / rate).exp());
        row.cos[lane] = (rho * omega.cos()) as f32;
        row.sin[lane] = (rho * omega.sin()) as f32;
        // Half of a real push turns with the string.
        row.push[lane] = (2.0 * COUPLING * register::soundboard(frequency) / rate) as f32;
    }
    row
}

/// What a damper leaves of a string each frame, for a lift from 0 (down) to 1 (up): 60 dB in the damper's time; half
/// way up, the felt takes eight times as long.
pub(super) fn damper_keep(key: u8, lift: f64, rate: f64) -> f64 {
    if lift >= 1.0 || key > register::DAMPED_MAX {
        return 1.0;
    }
    let frames = register::damper_seconds(key) * rate / (1.0 - lift.max(0.0)).powi(3);
    (DAMPED.ln() / frames).exp()
}
