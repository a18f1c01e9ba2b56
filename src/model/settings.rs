//! Settings: a closed list of values that a person chooses, each an entity of its own.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::bus::{EntityKey, State};
use crate::music::{ClickRoute, ClickSound, ClickStyle, Division};
use crate::practice::{KeyRange, Preset};

use super::{Entity, Trainer};

/// Which colours the window has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the desktop has it.
    #[default]
    System,
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
    /// Strong colours on black.
    HighContrast,
}

/// What the play screen shows of a piece whose page is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayView {
    /// The staff above the falling notes.
    #[default]
    Both,
    /// The staff alone.
    Staff,
    /// The falling notes alone.
    Notes,
}

impl PlayView {
    /// In the order of the control.
    pub const ALL: [Self; 3] = [Self::Staff, Self::Notes, Self::Both];
}

/// How the lines of the staff follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffLayout {
    /// One line that moves under the playhead, repeats written out.
    #[default]
    Line,
    /// Lines beneath each other, as printed.
    Page,
}

impl ThemeChoice {
    /// In the order of the settings.
    pub const ALL: [Self; 4] = [Self::System, Self::Dark, Self::Light, Self::HighContrast];
}

/// How notes are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteNames {
    /// C D E F G A B.
    #[default]
    English,
    /// C D E F G A H, B for B♭.
    German,
    /// do re mi fa sol la si.
    FixedDo,
}

impl NoteNames {
    /// In the order of the settings.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::FixedDo];
}

macro_rules! settings {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $field:ident: $type:ty = $default:expr;)*) => {
        /// One setting with its value.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "setting", content = "value")]
        pub enum Setting {
            $($(#[$doc])* #[serde(rename = $name)] $variant($type)),*
        }

        /// All settings, each at its default until chosen.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $($(#[$doc])* pub $field: $type),*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl Setting {
            /// The names of all there are.
            #[cfg(test)]
            pub(super) const NAMES: &[&str] = &[$($name),*];

            /// The name of its entity, stable in the log.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name),*
                }
            }
        }

        impl Settings {
            /// Takes over one value.
            pub fn set(&mut self, setting: &Setting) {
                match setting {
                    $(Setting::$variant(value) => self.$field = value.clone()),*
                }
            }

            /// The present value of the setting that `other` names: what undo goes back to.
            pub fn current(&self, other: &Setting) -> Setting {
                match other {
                    $(Setting::$variant(_) => Setting::$variant(self.$field.clone())),*
                }
            }
        }
    };
}

settings! {
    /// Colours.
    Theme, "theme", theme: ThemeChoice = ThemeChoice::System;
    /// Size of the text in percent, 100 to 150.
    TextPercent, "text-percent", text_percent: u16 = 100;
    /// How notes are called.
    Names, "names", names: NoteNames = NoteNames::English;
    /// Whether the play screen shows the staff, falling notes, or both.
    PlayView, "play-view", play_view: PlayView = PlayView::Both;
    /// Whether the staff is one line or a page.
    StaffLayout, "staff-layout", staff_layout: StaffLayout = StaffLayout::Line;
    /// Whether falling notes carry their names.
    NoteLabels, "note-labels", note_labels: bool = true;
    /// How strictly timing is judged.
    Preset, "preset", preset: Preset = Preset::Standard;
    /// The keys of the person's keyboard: what lies outside is played by the program.
    Keyboard, "keyboard", keyboard: KeyRange = KeyRange::ALL;
    /// What the person plays, in percent, 0 to 100.
    VolumePiano, "volume-piano", volume_piano: u8 = 80;
    /// What the program plays for them, 0 to 100.
    VolumeAccompaniment, "volume-accompaniment", volume_accompaniment: u8 = 70;
    /// The metronome, 0 to 100.
    VolumeMetronome, "volume-metronome", volume_metronome: u8 = 60;
    /// What the metronome sounds like.
    ClickSound, "click-sound", click_sound: ClickSound = ClickSound::Tone;
    /// Into how many parts the metronome divides a beat, 1 to 8.
    ClickDivision, "click-division", click_division: Division = Division::NONE;
    /// Where the metronome is heard.
    ClickRoute, "click-route", click_route: ClickRoute = ClickRoute::Both;
    /// The pitch of A4 in tenths of a hertz, 4 150 to 4 660.
    Tuning, "tuning", tuning: u16 = 4_400;
    /// The SoundFont to play with; none means the built-in piano.
    SoundFont, "soundfont", soundfont: Option<PathBuf> = None;
    /// The sound of the SoundFont, 0 to 127; 0 is the grand piano, as a rule.
    Program, "program", program: u8 = 0;
    /// Nothing moves on its own that need not.
    ReducedMotion, "reduced-motion", reduced_motion: bool = false;
    /// The audio backend: `auto`, `cpal`, `jack` or `null`.
    Backend, "backend", backend: String = "auto".to_owned();
    /// The output device's stable id; none means the system's default.
    OutputDevice, "output-device", output_device: Option<String> = None;
    /// The microphone's stable id; none means the system's default.
    InputDevice, "input-device", input_device: Option<String> = None;
    /// Whether what the microphone hears counts as playing.
    MicrophonePlays, "microphone-plays", microphone_plays: bool = false;
    /// Frames per period asked for, a power of two from 64 to 2 048.
    Period, "period", period: u32 = 256;
}

/// The lowest A4 in tenths of a hertz: a semitone below, as for baroque music.
pub const TUNING_MIN: u16 = 4_150;
/// The highest: a semitone above.
pub const TUNING_MAX: u16 = 4_660;

impl Setting {
    /// The entity of this setting.
    pub fn entity(&self) -> EntityKey {
        EntityKey::new(&format!("settings/{}", self.name()))
    }

    /// Whether it is set by a slider, in many small steps.
    pub fn is_gradual(&self) -> bool {
        matches!(
            self,
            Self::VolumePiano(_)
                | Self::VolumeAccompaniment(_)
                | Self::VolumeMetronome(_)
                | Self::TextPercent(_)
                | Self::Tuning(_)
        )
    }

    /// Why a value is out of bounds.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::TextPercent(scale) if !(100..=150).contains(scale) => Err("the text scale goes from 100 to 150 %"),
            Self::VolumePiano(v) | Self::VolumeAccompaniment(v) | Self::VolumeMetronome(v) if *v > 100 => {
                Err("a volume goes from 0 to 100 %")
            }
            Self::Period(frames) if !frames.is_power_of_two() || !(64..=2048).contains(frames) => {
                Err("a period has 64 to 2048 frames, a power of two")
            }
            Self::Tuning(a4) if !(TUNING_MIN..=TUNING_MAX).contains(a4) => Err("A4 goes from 415 to 466 Hz"),
            Self::Keyboard(keys) if keys.keys() < KeyRange::KEYS_MIN => {
                Err("a keyboard has an octave of keys at least, the lowest one first")
            }
            Self::Program(program) if *program > 127 => Err("a SoundFont's sounds go from 0 to 127"),
            Self::Backend(name) if !["auto", "cpal", "jack", "null"].contains(&name.as_str()) => {
                Err("the backend is auto, cpal, jack or null")
            }
            _ => Ok(()),
        }
    }
}

impl Settings {
    /// How the metronome is heard.
    pub fn clicks(&self) -> ClickStyle {
        ClickStyle { sound: self.click_sound, division: self.click_division, route: self.click_route }
    }

    /// The pitch of A4 in hertz.
    pub fn a4(&self) -> f64 {
        f64::from(self.tuning) / 10.0
    }

    /// The settings that were chosen, the others at their defaults.
    pub fn of(state: &State<Trainer>) -> Self {
        let mut settings = Self::default();
        for (_, versioned) in state.iter_prefix("settings/") {
            if let Some(Entity::Setting(setting)) = &versioned.value {
                settings.set(setting);
            }
        }
        settings
    }
}
