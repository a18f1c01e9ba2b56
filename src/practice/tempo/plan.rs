//! What *Keep tempo* judges, and how.

use super::super::options::{KeyRange, PracticeSettings};
use super::super::types::{Mode, Preset};
use crate::music::{Hands, Percent, Score};
use crate::time::{Micros, Ticks};

/// What is judged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TempoPlan {
    /// The hands that are judged; key-downs that fit the other hand are neutral.
    pub hands: Hands,
    /// The first tick.
    pub from: Ticks,
    /// The tick after the last.
    pub to: Ticks,
    /// The playback speed.
    pub speed: Percent,
    /// How timing is coloured.
    pub preset: Preset,
    /// The keys that can be asked for; what is written outside is not required.
    pub keyboard: KeyRange,
    /// Whether any key plays what is written: only the rhythm counts.
    pub any_key: bool,
}

impl TempoPlan {
    /// The whole piece, both hands, at the written tempo.
    pub fn whole(score: &Score) -> Self {
        Self {
            hands: Hands::BOTH,
            from: Ticks::ZERO,
            to: Ticks(i64::MAX),
            speed: Percent::FULL,
            preset: Preset::Standard,
            keyboard: KeyRange::ALL,
            any_key: false,
        }
        .clipped(score)
    }

    /// What a person has chosen.
    pub fn from_settings(score: &Score, settings: &PracticeSettings) -> Self {
        let (from, to) = settings.ticks(score.bars());
        Self {
            hands: settings.practise,
            from,
            to,
            speed: settings.tempo,
            preset: settings.preset,
            keyboard: settings.keyboard,
            any_key: settings.mode == Mode::Rhythm,
        }
    }

    /// When a tick sounds, counted from the moment at which `from` sounds.
    pub fn offset(&self, score: &Score, tick: Ticks) -> Micros {
        score.tempo().micros(tick, self.speed) - score.tempo().micros(self.from, self.speed)
    }

    /// How long one pass lasts, without its count-in.
    pub fn duration(&self, score: &Score) -> Micros {
        self.offset(score, self.to)
    }

    fn clipped(self, score: &Score) -> Self {
        Self { to: self.to.min(score.end()), ..self }
    }
}
