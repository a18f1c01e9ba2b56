//! What a MIDI output is used for, as a person chose it.

use serde::{Deserialize, Serialize};

/// Who sounds the keys of an instrument that the program can play on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKeys {
    /// The instrument and the program, as it comes.
    #[default]
    Both,
    /// The instrument by itself; the program does not sound its keys.
    Instrument,
    /// The program alone: it switches the instrument's local control off while it is connected.
    Program,
}

impl OutputKeys {
    /// In the order of the settings.
    pub const ALL: [Self; 3] = [Self::Both, Self::Instrument, Self::Program];
}

/// What a MIDI output is used for. Everything is off until chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct OutputUse {
    /// Whether it is used at all when it is there.
    pub enabled: bool,
    /// The hands that the program plays.
    pub accompaniment: bool,
    /// Whether these sound there alone, and not in the program too.
    pub alone: bool,
    /// The metronome.
    pub clicks: bool,
    /// What is played at other keyboards.
    pub through: bool,
    /// Keys that come next light up, by notes of velocity 1 on this channel, 1 to 16. An instrument that also sounds them
    /// does so softly; many have a channel that lights keys and makes no sound.
    pub lights: Option<u8>,
    /// Who sounds its own keys.
    pub keys: OutputKeys,
}

impl OutputUse {
    /// Why a choice makes no sense.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.lights {
            Some(channel) if !(1..=16).contains(&channel) => Err("a MIDI channel goes from 1 to 16"),
            _ => Ok(()),
        }
    }
}
