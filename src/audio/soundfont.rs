//! SoundFonts (SF2) as instruments, through rustysynth. Loading happens off the real-time thread.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustysynth::{Synthesizer, SynthesizerSettings};
use thiserror::Error;

use super::instrument::{Instrument, Part, Pedal};
use super::ramp::Ramp;
use crate::music::Pitch;
use crate::time::Rate;

/// Larger files are refused: they are held in memory whole.
pub const BYTES_MAX: u64 = 1 << 30;
/// rustysynth begins a note with its next internal block: at 16 frames a third of a millisecond late at most.
const BLOCK: usize = 16;
const POLYPHONY: usize = 96;
const CHUNK: usize = 256;

/// Why a SoundFont cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FontError {
    /// There is no such file.
    #[error("{0}: no such file")]
    Missing(PathBuf),
    /// It is a directory or something else that is no file.
    #[error("{0}: not a file")]
    NoFile(PathBuf),
    /// The system does not let us read it.
    #[error("{path}: {reason}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// In the system's words.
        reason: String,
    },
    /// It would fill the memory.
    #[error("{path}: {bytes} bytes are too many for a SoundFont")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It is something else.
    #[error("{0}: not a SoundFont")]
    NotSf2(PathBuf),
    /// Its samples are compressed.
    #[error("{0}: compressed SoundFonts (SF3) cannot be read; there is usually an SF2 of the same name")]
    Sf3(PathBuf),
    /// It breaks off or contradicts itself.
    #[error("{path}: damaged SoundFont: {reason}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The synthesiser does not run at this rate.
    #[error("a SoundFont cannot be played at {0} Hz")]
    Rate(u32),
}

/// A SoundFont in memory, from which instruments are made. Cheap to clone.
#[derive(Clone)]
pub struct Font {
    font: Arc<rustysynth::SoundFont>,
    path: PathBuf,
}

impl Font {
    /// Reads a file. Takes a tenth of a second for a large one: not for the real-time thread or the window's.
    pub fn load(path: &Path) -> Result<Self, FontError> {
        let unreadable = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => FontError::Missing(path.to_owned()),
            _ => FontError::Unreadable { path: path.to_owned(), reason: e.to_string() },
        };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(FontError::NoFile(path.to_owned()));
        }
        let mut file = File::open(path).map_err(unreadable)?;
        let mut head = [0; 12];
        if file.read_exact(&mut head).is_err() || &head[..4] != b"RIFF" || &head[8..] != b"sfbk" {
            return Err(FontError::NotSf2(path.to_owned()));
        }
        if metadata.len() > BYTES_MAX {
            return Err(FontError::TooLarge { path: path.to_owned(), bytes: metadata.len() });
        }
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        // A damaged file may make the reader index beyond its tables.
        let parsed = std::panic::catch_unwind(move || rustysynth::SoundFont::new(&mut BufReader::new(file)));
        match parsed {
            Ok(Ok(font)) => Ok(Self { font: Arc::new(font), path: path.to_owned() }),
            Ok(Err(rustysynth::SoundFontError::UnsupportedSampleFormat)) => Err(FontError::Sf3(path.to_owned())),
            Ok(Err(error)) => Err(FontError::Damaged { path: path.to_owned(), reason: error.to_string() }),
            Err(_) => Err(FontError::Damaged { path: path.to_owned(), reason: "it contradicts itself".to_owned() }),
        }
    }

    /// The name that the font gives itself, or its file name.
    pub fn name(&self) -> String {
        let name = self.font.get_info().get_bank_name().trim();
        if name.is_empty() { self.path.display().to_string() } else { name.to_owned() }
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its presets: bank, program, name.
    pub fn presets(&self) -> impl Iterator<Item = (i32, i32, &str)> {
        self.font.get_presets().iter().map(|p| (p.get_bank_number(), p.get_patch_number(), p.get_name()))
    }

    /// An instrument that plays a program of bank 0; 0 is the grand piano, as a rule.
    pub fn instrument(&self, rate: Rate, program: u8) -> Result<SoundFontInstrument, FontError> {
        let player = || Player::new(&self.font, rate, program);
        match (player(), player()) {
            (Ok(live), Ok(accompaniment)) => Ok(SoundFontInstrument { players: [live, accompaniment], program }),
            _ => Err(FontError::Rate(rate.0)),
        }
    }
}

/// Places where systems keep SoundFonts, the preferred file of each first.
const PLACES: [&str; 12] = [
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf2/MuseScore_General_Full.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/soundfonts/default.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/usr/share/soundfonts/FluidR3_GM2-2.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/local/share/soundfonts/default.sf2",
    "/usr/local/share/sounds/sf2/default-GM.sf2",
    "/opt/homebrew/share/fluid-synth/sf2/default.sf2",
    "/usr/local/share/fluidsynth/sf2/default.sf2",
    "C:/ProgramData/soundfonts/default.sf2",
];

/// A SoundFont that the system has, if any.
pub fn find_system_soundfont() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// One synthesiser for each part, so that each has its own volume and its own silence.
struct Player {
    synthesizer: Synthesizer,
    gain: Ramp,
    /// The fade to silence under way: the gain falls to 0, then the voices go.
    fading: Option<Ramp>,
    rate: Rate,
    keys: u128,
    /// Keys that the sostenuto pedal keeps, and those of them that are up.
    kept: u128,
    deferred: u128,
    soft: bool,
    /// Frames since anything was struck; long after the last one nothing is rendered.
    since: u64,
    sustain: u8,
}

/// Seconds after the last event at which everything has died away.
const SILENT_AFTER_SECONDS: u64 = 60;

impl Player {
    fn new(font: &Arc<rustysynth::SoundFont>, rate: Rate, program: u8) -> Result<Self, rustysynth::SynthesizerError> {
        let mut settings = SynthesizerSettings::new(rate.0.min(i32::MAX as u32) as i32);
        settings.block_size = BLOCK;
        settings.maximum_polyphony = POLYPHONY;
        let mut synthesizer = Synthesizer::new(font, &settings)?;
        synthesizer.process_midi_message(0, 0xc0, i32::from(program), 0);
        Ok(Self {
            synthesizer,
            gain: Ramp::new(1.0, rate),
            fading: None,
            rate,
            keys: 0,
            kept: 0,
            deferred: 0,
            soft: false,
            since: u64::MAX,
            sustain: 0,
        })
    }

    fn note_on(&mut self, pitch: Pitch, velocity: u8, program: u8) {
        self.finish_fade(program);
        let velocity = if self.soft { velocity - velocity / 4 } else { velocity };
        self.keys |= 1 << pitch.key();
        self.deferred &= !(1 << pitch.key());
        self.since = 0;
        self.synthesizer.note_on(0, i32::from(pitch.key()), i32::from(velocity.max(1)));
    }

    fn note_off(&mut self, pitch: Pitch) {
        self.keys &= !(1 << pitch.key());
        if self.kept >> pitch.key() & 1 == 1 {
            self.deferred |= 1 << pitch.key();
        } else {
            self.synthesizer.note_off(0, i32::from(pitch.key()));
        }
    }

    fn pedal(&mut self, pedal: Pedal) {
        match pedal {
            Pedal::Sustain(value) => {
                self.sustain = value;
                self.synthesizer.process_midi_message(0, 0xb0, 64, i32::from(value));
            }
            Pedal::Sostenuto(value) if value >= 64 => self.kept = self.keys,
            Pedal::Sostenuto(_) => {
                self.kept = 0;
                let deferred = std::mem::take(&mut self.deferred);
                for key in (0..128).filter(|key| deferred >> key & 1 == 1) {
                    self.synthesizer.note_off(0, key);
                }
            }
            Pedal::Soft(value) => self.soft = value >= 64,
        }
    }

    fn silence(&mut self) {
        (self.keys, self.kept, self.deferred) = (0, 0, 0);
        let mut fade = Ramp::new(1.0, self.rate);
        fade.set(0.0);
        self.fading = Some(fade);
    }

    /// Ends a fade: the voices go, and the channel is as it was.
    fn finish_fade(&mut self, program: u8) {
        if self.fading.take().is_some() {
            self.synthesizer.reset();
            self.synthesizer.process_midi_message(0, 0xc0, i32::from(program), 0);
            self.synthesizer.process_midi_message(0, 0xb0, 64, i32::from(self.sustain));
            self.since = u64::MAX;
        }
    }

    /// Adds the next frames; both slices have one length of at most [`CHUNK`].
    fn render(&mut self, left: &mut [f32], right: &mut [f32], program: u8) {
        if self.since == u64::MAX {
            self.gain.finish();
            return;
        }
        // The end of the rendering is a frame, not a block: what follows must not depend on block sizes.
        let rest = (SILENT_AFTER_SECONDS * u64::from(self.rate.0)).saturating_sub(self.since);
        let frames = left.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        self.since += frames as u64;
        let mut own = [[0.0; CHUNK]; 2];
        let [own_left, own_right] = &mut own;
        self.synthesizer.render(&mut own_left[..left.len()], &mut own_right[..right.len()]);
        for i in 0..left.len() {
            let mut gain = self.gain.next_value();
            if let Some(fade) = &mut self.fading {
                gain *= fade.next_value();
            }
            left[i] += own_left[i] * gain;
            right[i] += own_right[i] * gain;
        }
        let ended = rest == frames as u64 && self.keys == 0 && self.sustain == 0;
        if ended || self.fading.as_ref().is_some_and(Ramp::at_target) {
            self.fading.get_or_insert(Ramp::new(0.0, self.rate));
            self.finish_fade(program);
        } else if rest == frames as u64 {
            self.since = 0;
        }
    }
}

/// A program of a SoundFont, played by both parts.
pub struct SoundFontInstrument {
    players: [Player; Part::COUNT],
    program: u8,
}

impl SoundFontInstrument {
    fn player(&mut self, part: Part) -> &mut Player {
        &mut self.players[usize::from(part.0).min(Part::COUNT - 1)]
    }
}

impl Instrument for SoundFontInstrument {
    fn note_on(&mut self, part: Part, pitch: Pitch, velocity: u8) {
        let program = self.program;
        self.player(part).note_on(pitch, velocity, program);
    }

    fn note_off(&mut self, part: Part, pitch: Pitch) {
        self.player(part).note_off(pitch);
    }

    fn pedal(&mut self, part: Part, pedal: Pedal) {
        self.player(part).pedal(pedal);
    }

    fn silence(&mut self, part: Part) {
        self.player(part).silence();
    }

    fn set_gain(&mut self, part: Part, gain: f32) -> bool {
        self.player(part).gain.set(gain);
        true
    }

    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        left.fill(0.0);
        right.fill(0.0);
        for (l, r) in left.chunks_mut(CHUNK).zip(right.chunks_mut(CHUNK)) {
            for player in &mut self.players {
                player.render(l, r, self.program);
            }
        }
    }

    fn voices(&self) -> usize {
        self.players.iter().map(|p| p.keys.count_ones() as usize).sum()
    }
}
