//! How a metronome is heard: what its clicks sound like, where, and what lies between the beats. Values only.

use serde::{Deserialize, Serialize};

/// What a metronome sounds like, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClickStyle {
    /// What a click sounds like.
    pub sound: ClickSound,
    /// What it marks between the beats.
    pub division: Division,
    /// Where it is heard.
    pub route: ClickRoute,
}

/// What a click sounds like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClickSound {
    /// A short tone with its octave.
    #[default]
    Tone,
    /// A wood block.
    Wood,
    /// The tick of a clockwork.
    Tick,
    /// A cowbell.
    Bell,
}

impl ClickSound {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Tone, Self::Wood, Self::Tick, Self::Bell];
}

/// Where clicks are heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClickRoute {
    /// With the music.
    #[default]
    Both,
    /// On the left only: one ear of the headphones.
    Left,
    /// On the right only.
    Right,
    /// On a channel of its own where the device has one, with the music elsewhere.
    Own,
}

impl ClickRoute {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Both, Self::Left, Self::Right, Self::Own];
}

/// Into how many equal parts the metronome divides a beat: 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Division(u8);

impl Division {
    /// Nothing between the beats.
    pub const NONE: Self = Self(1);
    /// The most.
    pub const MAX: u8 = 8;

    /// The nearest there is.
    pub const fn new(parts: u8) -> Self {
        Self(if parts == 0 {
            1
        } else if parts > Self::MAX {
            Self::MAX
        } else {
            parts
        })
    }

    /// How many.
    pub fn parts(self) -> u8 {
        self.0.clamp(1, Self::MAX)
    }
}

impl Default for Division {
    fn default() -> Self {
        Self::NONE
    }
}
