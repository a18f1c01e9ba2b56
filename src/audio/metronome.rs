//! The sound of the metronome: short decaying tones from tables, begun at exact frames.

use super::schedule::Strength;
use crate::time::Rate;

/// Clicks that may sound at once; at 200 % of a fast tempo one begins before the last has died away.
const VOICES: usize = 4;
const SECONDS: f32 = 0.05;

/// Plays clicks. Memory is taken in [`ClickVoice::new`] only.
pub(super) struct ClickVoice {
    tables: [Vec<f32>; 3],
    playing: [Option<(usize, usize)>; VOICES],
    next: usize,
}

impl ClickVoice {
    pub(super) fn new(rate: Rate) -> Self {
        let tables = [(2_100.0, 0.5), (1_680.0, 0.4), (1_400.0, 0.3)].map(|(hertz, level)| table(rate, hertz, level));
        Self { tables, playing: [None; VOICES], next: 0 }
    }

    /// Begins a click with the next frame rendered.
    pub(super) fn strike(&mut self, strength: Strength) {
        let table = match strength {
            Strength::Bar => 0,
            Strength::Group => 1,
            Strength::Beat => 2,
        };
        self.playing[self.next] = Some((table, 0));
        self.next = (self.next + 1) % VOICES;
    }

    /// Adds the next sample of everything that sounds.
    pub(super) fn next_sample(&mut self) -> f32 {
        let mut sum = 0.0;
        for voice in &mut self.playing {
            if let Some((table, at)) = voice {
                sum += self.tables[*table][*at];
                *at += 1;
                if *at == self.tables[*table].len() {
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

/// A tone with its octave, loud from its very first sample (so that the frame of the click can be read off the
/// output), decaying to nothing by the end of the table.
fn table(rate: Rate, hertz: f32, level: f32) -> Vec<f32> {
    let length = (SECONDS * rate.0 as f32) as usize + 1;
    let attack = 0.000_5 * rate.0 as f32;
    (0..length)
        .map(|i| {
            let seconds = i as f32 / rate.0 as f32;
            let phase = std::f32::consts::TAU * hertz * seconds;
            let rise = ((i as f32 + 1.0) / attack).min(1.0);
            let fall = (-seconds / 0.009).exp() * (1.0 - i as f32 / length as f32);
            level * rise * fall * (0.7 * phase.cos() + 0.3 * (2.0 * phase).cos())
        })
        .collect()
}
