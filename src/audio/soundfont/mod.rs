//! SoundFonts (SF2, and SF3 whose samples are compressed) as instruments, through rustysynth. Loading happens off the
//! real-time thread and can be watched and given up: from one read to the next, and before what was read is used. The
//! samples of an SF3 are unpacked by the library in one call between the two, on threads of its own, which cannot be
//! interrupted: 3.6 s for the 40 MB of MuseScore's general font. A load that was given up then ends after that time,
//! with nobody waiting for it, and its memory goes with it.
//!
//! rustysynth-ext takes the place of rustysynth 1.3.8, from which it was forked: the same interface and licence; it reads
//! SF3; a loop shorter than a step no longer leads out of the samples; half the time for short blocks (64 voices in
//! blocks of 16 frames, a processor of 2026: 2.2 % of real time instead of 4.1).

mod loading;
mod outline;
mod player;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

pub use self::loading::{Loading, Progress};
pub use self::player::{NOTES, SoundFontInstrument};
use crate::time::Rate;

/// Larger files are refused: they are held in memory whole.
pub const BYTES_MAX: u64 = 1 << 30;
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
    NotSoundFont(PathBuf),
    /// It breaks off or contradicts itself.
    #[error("{path}: damaged SoundFont: {reason}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Nobody wants it any more.
    #[error("{0}: loading was given up")]
    Cancelled(PathBuf),
    /// The synthesiser does not run at this rate.
    #[error("a SoundFont cannot be played at {0} Hz")]
    Rate(u32),
}

/// Rates at which the synthesiser runs, in hertz.
const RATES: std::ops::RangeInclusive<u32> = 16_000..=192_000;

/// A SoundFont in memory, from which instruments are made. Cheap to clone.
#[derive(Clone)]
pub struct Font {
    font: Arc<rustysynth::SoundFont>,
    path: PathBuf,
}

/// A reader that tells how far it is.
struct Watched<'a, R> {
    source: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.progress.is_cancelled() {
            return Err(std::io::Error::other("given up"));
        }
        let count = self.source.read(buffer)?;
        self.progress.advance(count);
        Ok(count)
    }
}

/// Why what is there cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> FontError {
    match error.kind() {
        std::io::ErrorKind::NotFound => FontError::Missing(path.to_owned()),
        _ => FontError::Unreadable { path: path.to_owned(), reason: error.to_string() },
    }
}

/// Bytes read at once, so that giving up takes effect soon and the counter moves.
const READ_BYTES: usize = 1 << 16;

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Font").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Font {
    /// Reads a file. Takes up to some seconds for a large one: not for the real-time thread or the window's.
    ///
    /// # Errors
    /// The file cannot be read, is no SoundFont, or is damaged.
    pub fn load(path: &Path) -> Result<Self, FontError> {
        Self::load_watched(path, &Progress::default())
    }

    /// The same, telling how far it is.
    ///
    /// # Errors
    /// As for [`Font::load`], or [`FontError::Cancelled`].
    pub fn load_watched(path: &Path, progress: &Progress) -> Result<Self, FontError> {
        let unreadable = |e| unreadable(path, &e);
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(FontError::NoFile(path.to_owned()));
        }
        Self::read(File::open(path).map_err(unreadable)?, path, progress)
    }

    /// The same from any source; `path` is what errors call it.
    ///
    /// # Errors
    /// As for [`Font::load_watched`].
    pub fn read(mut source: impl Read + Seek, path: &Path, progress: &Progress) -> Result<Self, FontError> {
        let unreadable = |e| unreadable(path, &e);
        let damaged = |reason: String| FontError::Damaged { path: path.to_owned(), reason };
        let mut head = [0; 12];
        if source.read_exact(&mut head).is_err() || &head[..4] != b"RIFF" || &head[8..] != b"sfbk" {
            return Err(FontError::NotSoundFont(path.to_owned()));
        }
        let length = source.seek(SeekFrom::End(0)).map_err(unreadable)?;
        if length > BYTES_MAX {
            return Err(FontError::TooLarge { path: path.to_owned(), bytes: length });
        }
        outline::check(&mut source, length).map_err(|fault| match fault {
            outline::Fault::Damaged(reason) => damaged(reason),
            outline::Fault::Unreadable(error) => unreadable(error),
        })?;
        source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        progress.begin(length);
        let watched = Watched { source, progress };
        // A damaged file may make the reader index beyond its tables.
        let parsed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            rustysynth::SoundFont::new(&mut BufReader::with_capacity(READ_BYTES, watched))
        }));
        match parsed {
            _ if progress.is_cancelled() => Err(FontError::Cancelled(path.to_owned())),
            Ok(Ok(font)) => {
                outline::check_zones(&font).map_err(damaged)?;
                Ok(Self { font: Arc::new(font), path: path.to_owned() })
            }
            Ok(Err(error)) => Err(damaged(error.to_string())),
            Err(_) => Err(damaged("it contradicts itself".to_owned())),
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

    /// An instrument that plays a program of bank 0 (0 is the grand piano, as a rule), A4 at `a4` hertz.
    ///
    /// # Errors
    /// The synthesiser runs at rates from 16 to 192 kHz.
    pub fn instrument(&self, rate: Rate, program: u8, a4: f64) -> Result<SoundFontInstrument, FontError> {
        self.check(rate)?;
        SoundFontInstrument::new(&self.font, rate, program, a4).map_err(|_| FontError::Rate(rate.0))
    }

    /// Whether it can be played at a rate.
    ///
    /// # Errors
    /// The synthesiser runs at rates from 16 to 192 kHz.
    pub fn check(&self, rate: Rate) -> Result<(), FontError> {
        if RATES.contains(&rate.0) { Ok(()) } else { Err(FontError::Rate(rate.0)) }
    }
}

/// Places where systems keep SoundFonts, the preferred file of each first.
const PLACES: [&str; 14] = [
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf2/MuseScore_General_Full.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/soundfonts/default.sf2",
    "/usr/share/soundfonts/default.sf3",
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
