//! The sound of the metronome: short decaying sounds from tables, begun at exact frames.

use super::schedule::Strength;
use crate::music::ClickSound;
use crate::time::Rate;

/// Clicks that may sound at once; at 200 % of a fast tempo one begins before the last has died away.
const VOICES: usize = 4;
const SECONDS: f32 = 0.06;

/// The pitch that is heard of a click, in hertz; the short wooden ones have none. Measured with [`crate::listen`]: two
/// tones that are no harmonics are heard as the one below whose second and third partial they nearly are.
pub(super) fn pitch(sound: ClickSound, strength: Strength) -> Option<f32> {
    let hertz = match sound {
        ClickSound::Tone => 1_400.0,
        ClickSound::Bell => 268.0,
        ClickSound::Wood | ClickSound::Tick => return None,
    };
    Some(hertz * STRENGTHS[index(strength)].0)
}

fn index(strength: Strength) -> usize {
    match strength {
        Strength::Bar => 0,
        Strength::Group => 1,
        Strength::Beat => 2,
        Strength::Division => 3,
    }
}

/// Plays clicks. Memory is taken in [`ClickVoice::new`] only.
pub(super) struct ClickVoice {
    /// By sound, then by strength.
    tables: [[Vec<f32>; STRENGTHS.len()]; ClickSound::ALL.len()],
    playing: [Option<Playing>; VOICES],
    next: usize,
}

#[derive(Clone, Copy)]
struct Playing {
    sound: usize,
    strength: usize,
    at: usize,
}

/// What sets the strengths apart: pitch and level.
const STRENGTHS: [(f32, f32); 4] = [(1.5, 0.5), (1.2, 0.4), (1.0, 0.3), (0.8, 0.15)];

impl ClickVoice {
    pub(super) fn new(rate: Rate) -> Self {
        let tables = ClickSound::ALL.map(|sound| STRENGTHS.map(|(pitch, level)| table(rate, sound, pitch, level)));
        Self { tables, playing: [None; VOICES], next: 0 }
    }

    /// Begins a click with the next frame rendered.
    pub(super) fn strike(&mut self, sound: ClickSound, strength: Strength) {
        let strength = index(strength);
        let sound = ClickSound::ALL.iter().position(|s| *s == sound).unwrap_or(0);
        self.playing[self.next] = Some(Playing { sound, strength, at: 0 });
        self.next = (self.next + 1) % VOICES;
    }

    /// The next sample of everything that sounds.
    pub(super) fn next_sample(&mut self) -> f32 {
        let mut sum = 0.0;
        for voice in &mut self.playing {
            if let Some(Playing { sound, strength, at }) = voice {
                let table = &self.tables[*sound][*strength];
                sum += table[*at];
                *at += 1;
                if *at == table.len() {
                    *voice = None;
                }
            }
        }
        sum
    }

    /// Whether anything sounds.
    pub(super) fn sounds(&self) -> bool {
        self.playing.iter().any(Option::is_some)
    }
}

/// One partial of a click: hertz at the pitch of a plain beat, share, seconds to fall to 1/e.
type Partial = (f32, f32, f32);

/// The partials of a sound, and the share of noise in it with its decay.
fn recipe(sound: ClickSound) -> (&'static [Partial], f32, f32) {
    match sound {
        ClickSound::Tone => (&[(1_400.0, 0.7, 0.009), (2_800.0, 0.3, 0.009)], 0.0, 1.0),
        // A slit block: a strong mode, and two of its overtones that are no harmonics.
        ClickSound::Wood => (&[(820.0, 0.62, 0.012), (1_985.0, 0.28, 0.006), (3_410.0, 0.10, 0.003)], 0.12, 0.001_5),
        ClickSound::Tick => (&[(3_100.0, 0.35, 0.002_5), (5_300.0, 0.25, 0.001_5)], 0.40, 0.002),
        // The two tones of the classic electronic cowbell.
        ClickSound::Bell => (&[(540.0, 0.5, 0.020), (800.0, 0.5, 0.014)], 0.05, 0.002),
    }
}

/// Loud from its very first sample (so that the frame of the click can be read off the output), decaying to nothing by
/// the end of the table.
fn table(rate: Rate, sound: ClickSound, pitch: f32, level: f32) -> Vec<f32> {
    let length = (SECONDS * rate.0 as f32) as usize + 1;
    let attack = 0.000_5 * rate.0 as f32;
    let (partials, noise, noise_decay) = recipe(sound);
    let mut seed = 0x2545_f491_u32;
    (0..length)
        .map(|i| {
            let seconds = i as f32 / rate.0 as f32;
            let tone = |&(hertz, share, decay): &Partial| {
                let phase = std::f32::consts::TAU * hertz * pitch * seconds;
                share * phase.cos() * (-seconds / decay).exp()
            };
            // Xorshift after Marsaglia (2003); the same noise each time.
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let hiss = (seed as f32 / u32::MAX as f32 * 2.0 - 1.0) * noise * (-seconds / noise_decay).exp();
            let rise = ((i as f32 + 1.0) / attack).min(1.0);
            let fall = 1.0 - i as f32 / length as f32;
            level * rise * fall * (partials.iter().map(tone).sum::<f32>() + hiss)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_click_is_heard_from_its_first_sample_within_its_level_and_dies_away() {
        for rate in [Rate(44_100), Rate(48_000), Rate(96_000)] {
            for sound in ClickSound::ALL {
                let tables = STRENGTHS.map(|(pitch, level)| table(rate, sound, pitch, level));
                for (table, (_, level)) in tables.iter().zip(STRENGTHS) {
                    assert!(table[0].abs() > 0.01 * level, "{sound:?}");
                    assert!(table.iter().all(|s| s.abs() <= level * 1.05), "{sound:?}");
                    assert!(table.iter().rev().take(5).all(|s| s.abs() < 0.001), "{sound:?}");
                }
                let energy = |table: &Vec<f32>| table.iter().map(|s| s * s).sum::<f32>();
                assert!(tables.windows(2).all(|pair| energy(&pair[0]) > energy(&pair[1])), "stronger is louder");
            }
        }
    }
}
