//! What each key sounds like, computed once: its modes, their levels, where they stand and how they are damped.

use std::f64::consts::{PI, TAU};

use super::NEPER;
use super::modes::Seed;
use super::register;

/// Partials of one key at most; the lowest strings have about this many below 5 kHz.
const PARTIALS_MAX: usize = 96;
/// Partials with a fast and a slow stage; above them a single decay does.
const TWO_STAGE_MAX: usize = 28;
/// Partials with a third, beating mode.
const BEATING_MAX: usize = 10;
/// Partials weaker than this at full force, relative to the strongest, are left out: -84 dB.
const WEAK: f64 = 6e-5;
/// Shares of the first partial's amplitude: the fast stage, the slow one, and the one that beats with it.
const SHARES: [f64; 3] = [0.82, 0.135, 0.045];
/// The low modes of the soundboard that a blow excites: hertz, seconds to fall by 60 dB, relative amplitude.
const KNOCKS: [(f64, f64, f64); 9] = [
    (59.0, 0.22, 0.5),
    (86.0, 0.20, 0.8),
    (114.0, 0.17, 1.0),
    (151.0, 0.15, 0.8),
    (187.0, 0.13, 0.9),
    (239.0, 0.12, 0.7),
    (307.0, 0.10, 0.6),
    (391.0, 0.08, 0.5),
    (523.0, 0.06, 0.4),
];
/// Modes in the fuller of the two banks of a voice, at most.
pub(super) const BANK_MAX: usize = (PARTIALS_MAX + TWO_STAGE_MAX + BEATING_MAX + KNOCKS.len() + PHANTOMS_MAX) / 2 + 8;

/// The highest key whose strings are long enough that their tension, and so the bridge, feels the square of their motion:
/// partials at the sums of neighbouring ones, strongest where the string resonates lengthwise (Conklin, JASA 105, 1999;
/// Bank and Sujbert, JASA 117, 2005).
const PHANTOM_KEY_MAX: u8 = 52;
/// Phantom partials of a key, around the first two lengthwise resonances.
const PHANTOMS_MAX: usize = 10;
/// The amplitude of the strongest beside the strings', at the force where registers are balanced: -36 dB.
const PHANTOM: f64 = 0.016;
/// How much more of the slow stage a soft pedal leaves: the string that is not struck is moved by the others
/// (Weinreich, JASA 62, 1977).
const SOFT_AFTERSOUND: f64 = 0.35;

/// Peak amplitude of middle C's strings at velocity 80. Chosen so that a C major chord peaks near -12 dBFS there.
const LEVEL: f64 = 0.088;
/// The velocity at which registers are balanced.
const BALANCED_AT: f64 = 80.0;

/// How a mode answers to a blow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// With the force, through the hammer's lowpass.
    Struck,
    /// The same; the slow stage.
    After,
    /// With the square of the force.
    Phantom,
    /// With the force: the wood.
    Wood,
}

/// One mode of a key.
#[derive(Clone, Debug)]
struct Part {
    seed: Seed,
    amplitude: f32,
    /// Squared, in Hz²: what the hammer's lowpass asks for.
    frequency2: f32,
    kind: Kind,
    /// Which of the two banks it sounds into.
    bank: usize,
}

/// All that is known of one key before it is struck.
#[derive(Clone, Debug)]
pub(super) struct Tone {
    parts: Vec<Part>,
    key: u8,
    /// Left and right gain of each bank.
    pub(super) gains: [[f32; 2]; 2],
}

/// What a blow makes of a tone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blow {
    /// The amplitude relative to velocity 80 without pedal.
    pub(super) force: f32,
    /// The reciprocal of the squared corner of the hammer's lowpass, in 1/Hz².
    corner: f32,
    /// How loud the slow stage is beside what it is without the soft pedal.
    after: f32,
    /// How long the tone rises, in seconds.
    pub(super) rise: f64,
}

impl Blow {
    /// `soft` is the soft pedal, 0 to 1: fewer strings, struck by a softer part of the felt.
    pub(super) fn new(key: u8, velocity: u8, soft: f64) -> Self {
        let velocity = f64::from(velocity.clamp(1, 127));
        let share = velocity / 127.0;
        let corner = register::hammer_corner(share) * (1.0 - 0.35 * soft);
        Self {
            force: (force(velocity) * (1.0 - 0.25 * soft)) as f32,
            corner: (1.0 / (corner * corner)) as f32,
            after: (1.0 + SOFT_AFTERSOUND * soft) as f32,
            rise: register::contact_seconds(key, share),
        }
    }
}

/// The amplitude of a velocity relative to 80: about 42 dB from 1 to 127, most of it among the soft ones.
fn force(velocity: f64) -> f64 {
    ((velocity + 7.0) / (BALANCED_AT + 7.0)).powf(1.6)
}

impl Tone {
    /// Prepares a key for a frame rate in hertz and a tuning of A4 in hertz.
    pub(super) fn new(key: u8, rate: f64, a4: f64) -> Self {
        let mut tone = Self { parts: Vec::new(), key, gains: gains(register::position(key)) };
        tone.add_strings(rate, a4);
        let strings = tone.balance();
        tone.add_phantoms(rate, a4, strings);
        tone.add_knocks(rate, strings);
        tone
    }

    fn add_strings(&mut self, rate: f64, a4: f64) {
        let key = self.key;
        let f0 = register::fundamental(key, a4);
        let b = register::inharmonicity(key);
        let (early, late) = register::first_partial_decay(key);
        // The measured early decay is that of the sum of all stages.
        let slow_share = SHARES[1] + SHARES[2];
        let fast = (early - slow_share * late) / (1.0 - slow_share);
        let loudest = (1..=8).map(|n| level(key, n, register::partial_frequency(f0, b, n))).fold(0.0, f64::max);
        let base_friction = register::friction(key, f0);
        for n in 1..=PARTIALS_MAX {
            let frequency = register::partial_frequency(f0, b, n);
            let amplitude = level(key, n, frequency);
            if frequency > 0.45 * rate || frequency > 14_000.0 {
                break;
            }
            if amplitude < WEAK * loudest {
                continue;
            }
            let friction = register::friction(key, frequency) - base_friction;
            self.add_partial(
                n,
                frequency,
                amplitude * spread(key, n, 1, 1.45),
                [fast + friction, late + 0.22 * friction],
                rate,
            );
        }
    }

    /// Adds the stages of partial `n`; `decays` of the fast and the slow one in dB/s.
    fn add_partial(&mut self, n: usize, frequency: f64, amplitude: f64, decays: [f64; 2], rate: f64) {
        let key = self.key;
        let [fast, late] = decays.map(|decay| decay * spread(key, n, 2, 1.4));
        let cents = register::unison_cents(key) * spread(key, n, 3, 1.6);
        let slow = spread(key, n, 4, 2.0);
        let phase = TAU * dither(key, n);
        let stages =
            [(SHARES[0], fast, 0.0), (SHARES[1] * slow, late, cents), (SHARES[2] * slow, 1.25 * late, -0.8 * cents)];
        let count = match n {
            1..=BEATING_MAX => 3,
            _ if n <= TWO_STAGE_MAX => 2,
            _ => 1,
        };
        for (stage, &(share, decay, cents)) in stages[..count].iter().enumerate() {
            let frequency = frequency * 2f64.powf(cents / 1200.0);
            self.parts.push(Part {
                seed: Seed::new(TAU * frequency / rate, decay * NEPER / rate, phase + 0.6 * stage as f64),
                amplitude: (amplitude * share) as f32,
                frequency2: (frequency * frequency) as f32,
                kind: if stage == 0 { Kind::Struck } else { Kind::After },
                bank: (n + stage) % 2,
            });
        }
    }

    /// Scales the strings to the loudness of their register, and returns their amplitude then.
    fn balance(&mut self) -> f64 {
        let blow = Blow::new(self.key, BALANCED_AT as u8, 0.0);
        let energy: f64 = self.parts.iter().map(|part| f64::from(part.struck(&blow)).powi(2)).sum();
        let target = LEVEL * register::loudness(self.key);
        let scale = target / energy.sqrt().max(1e-9);
        for part in &mut self.parts {
            part.amplitude *= scale as f32;
        }
        target
    }

    fn add_phantoms(&mut self, rate: f64, a4: f64, strings: f64) {
        let key = self.key;
        if key > PHANTOM_KEY_MAX {
            return;
        }
        let (f0, b) = (register::fundamental(key, a4), register::inharmonicity(key));
        let (early, _) = register::first_partial_decay(key);
        // The sum of partials n and n + 1 lies near 2n + 1 times the first.
        let middle = register::LENGTHWISE / 2;
        let near = |order: usize| (middle * order - 2..=middle * order + 2).map(move |n| (n, order));
        for (n, order) in near(1).chain(near(2)) {
            let frequency = register::partial_frequency(f0, b, n) + register::partial_frequency(f0, b, n + 1);
            if frequency > 0.45 * rate {
                break;
            }
            let off = n.abs_diff(middle * order) as f64;
            let amplitude = strings * PHANTOM / (order as f64 * (1.0 + off)) * spread(key, n, 5, 1.5);
            // A product of two tones decays as both together.
            let decay = 2.0 * early + register::friction(key, frequency);
            self.parts.push(Part {
                seed: Seed::new(TAU * frequency / rate, decay * NEPER / rate, TAU * dither(key, 300 + n)),
                amplitude: amplitude as f32,
                frequency2: 0.0,
                kind: Kind::Phantom,
                bank: n % 2,
            });
        }
    }

    fn add_knocks(&mut self, rate: f64, strings: f64) {
        let share = 0.035 + 0.06 * (f64::from(self.key.clamp(21, 108)) - 21.0) / 87.0;
        for (at, &(frequency, t60, amplitude)) in KNOCKS.iter().enumerate() {
            let decay = 60.0 / t60;
            self.parts.push(Part {
                seed: Seed::new(TAU * frequency / rate, decay * NEPER / rate, TAU * dither(self.key, 200 + at)),
                amplitude: (strings * share * amplitude) as f32,
                frequency2: 0.0,
                kind: Kind::Wood,
                bank: at % 2,
            });
        }
    }

    /// Starts the modes of a blow in two banks.
    pub(super) fn strike(&self, blow: &Blow, banks: &mut [super::modes::Bank; 2]) {
        for part in &self.parts {
            banks[part.bank].push(&part.seed, part.struck(blow));
        }
    }
}

impl Part {
    fn struck(&self, blow: &Blow) -> f32 {
        let share = match self.kind {
            Kind::Struck => 1.0,
            Kind::After => blow.after,
            Kind::Phantom => blow.force,
            Kind::Wood => return self.amplitude * blow.force,
        };
        self.amplitude * blow.force * share / (1.0 + self.frequency2 * blow.corner)
    }
}

/// The level of partial `n` without the hammer's lowpass: the comb of the strike position (never quite zero, as the
/// hammer is wide), the slope of a struck string, and the soundboard.
fn level(key: u8, n: usize, frequency: f64) -> f64 {
    let n = n as f64;
    let comb = (n * PI * register::strike_position(key)).sin();
    (comb * comb + register::comb_floor(key)).sqrt() * n.powf(-register::slope(key)) * register::soundboard(frequency)
}

/// A number from 0 to 1 that belongs to a key and a partial.
fn dither(key: u8, n: usize) -> f64 {
    let mut x = (u64::from(key) << 32 | n as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// How a property of a partial strays from the rule, as it does in any real piano: a factor from `1 / most` to `most`.
/// The first partial keeps to the rule.
fn spread(key: u8, n: usize, property: usize, most: f64) -> f64 {
    if n == 1 { 1.0 } else { most.powf(2.0 * dither(key, 1_000 * property + n) - 1.0) }
}

/// Equal-power gains of two banks a little to each side of a position.
fn gains(position: f64) -> [[f32; 2]; 2] {
    [-0.16, 0.16].map(|offset| {
        let angle = (position + offset).clamp(0.0, 1.0) * PI / 2.0;
        [angle.cos() as f32, angle.sin() as f32]
    })
}
