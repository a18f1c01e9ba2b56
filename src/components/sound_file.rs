//! Sound into WAV files: 48 kHz, 16 bits, stereo. The same sound gives the same bytes.

use std::io;
use std::path::{Path, PathBuf};

use crate::audio::instrument::Instrument;
use crate::audio::render::{Render, render_performance};
use crate::bus::storage::StorageError;
use crate::bus::{EntityKey, Envelope};
use crate::model::{TakeId, Trainer};
use crate::time::{Frames, Micros, Rate};

use super::performed::Performed;
use super::whole_file;

/// Frames per second of the files.
pub const RATE: Rate = Rate::DEFAULT;
/// Frames of four bytes whose number of bytes fits 32 bits, with room for the header.
const FRAMES_MAX: u64 = (u32::MAX as u64 - 1_024) / 4;
/// A pause between two keys is cut to this: whoever went for tea need not be listened to doing so.
const PAUSE_MAX: Micros = Micros(30 * Micros::SECOND.0);

/// Why there is no sound file.
#[derive(Debug, thiserror::Error)]
pub enum SoundFileError {
    /// It cannot be written.
    #[error("{} cannot be written: {reason}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// In the system's words.
        reason: String,
    },
    /// There is something at its place.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Its length does not fit the file's header.
    #[error("it is longer than the {} hours that fit a WAV file", FRAMES_MAX / u64::from(RATE.0) / 3_600)]
    TooLong,
    /// The instrument panicked.
    #[error("the instrument broke down while it played")]
    Broken,
    /// The take cannot be read.
    #[error("the take {0} cannot be read: {1}")]
    Read(TakeId, StorageError),
    /// Nothing was played in it, or it is not known.
    #[error("nothing was played in the take {0}")]
    Empty(TakeId),
}

/// Writes the sound to the first of these places where nothing is; returns the place and its length in seconds.
///
/// # Errors
/// The file cannot be written, or there is something at each place.
pub fn write(places: impl IntoIterator<Item = PathBuf>, sound: Render) -> Result<(PathBuf, f64), SoundFileError> {
    let failed = |path: &Path, error: io::Error| {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::AlreadyExists => SoundFileError::Exists(path),
            _ => SoundFileError::Write { path, reason: error.to_string() },
        }
    };
    let mut places = places.into_iter().peekable();
    let first = places.peek().cloned().unwrap_or_default();
    let broken = |error: hound::Error| SoundFileError::Write { path: first.clone(), reason: error.to_string() };
    let write = |part: &Path| write_part(part, sound, broken);
    let (place, frames) = whole_file::create(places, write, failed)?;
    Ok((place, frames as f64 / f64::from(RATE.0)))
}

fn write_part(
    path: &Path,
    mut sound: Render,
    failed: impl Fn(hound::Error) -> SoundFileError,
) -> Result<u64, SoundFileError> {
    let (channels, sample_format) = (2, hound::SampleFormat::Int);
    let spec = hound::WavSpec { channels, sample_rate: RATE.0, bits_per_sample: 16, sample_format };
    let mut file = hound::WavWriter::create(path, spec).map_err(&failed)?;
    let mut frames = 0;
    for [left, right] in &mut sound {
        if frames + left.len() as u64 > FRAMES_MAX {
            return Err(SoundFileError::TooLong);
        }
        for (left, right) in left.into_iter().zip(right) {
            for sample in [left, right] {
                let sample = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
                file.write_sample(sample).map_err(&failed)?;
            }
            frames += 1;
        }
    }
    file.finalize().map_err(&failed)?;
    if sound.is_broken() {
        return Err(SoundFileError::Broken);
    }
    Ok(frames)
}

/// A take on an instrument made for [`RATE`], from its first key on. `read` gives up to so many of its events from a
/// version on.
///
/// # Errors
/// The take cannot be read, or holds nothing.
pub fn take(
    id: TakeId,
    instrument: Box<dyn Instrument>,
    read: impl FnMut(&EntityKey, u64, usize) -> Result<Vec<Envelope<Trainer>>, StorageError>,
) -> Result<Render, SoundFileError> {
    let played = Performed::read(id, read).map_err(|e| SoundFileError::Read(id, e))?;
    let performance = performance(played.messages().iter().map(|message| (message.at, message.played.data)));
    if performance.is_empty() {
        return Err(SoundFileError::Empty(id));
    }
    Ok(render_performance(performance, instrument, RATE))
}

/// Times in order to frames, from the first message on, long pauses cut.
fn performance(played: impl Iterator<Item = (Micros, [u8; 3])>) -> Vec<(Frames, [u8; 3])> {
    let (mut before, mut now) = (None, Micros::ZERO);
    let mut frame = |at: Micros| {
        now += (at - before.replace(at).unwrap_or(at)).min(PAUSE_MAX);
        RATE.frames(now)
    };
    played.map(|(at, data)| (frame(at), data)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_performance_begins_with_its_first_key_and_has_no_long_pauses() {
        let key = |key| [0x90, key, 80];
        let millis = Micros::from_millis;
        let played = [(millis(5_000), key(60)), (millis(5_500), key(62)), (millis(400_000), key(64))];
        let second = i64::from(RATE.0);
        assert_eq!(
            performance(played.into_iter()),
            [(Frames(0), key(60)), (Frames(second / 2), key(62)), (Frames(second / 2 + 30 * second), key(64))]
        );
        assert_eq!(performance(std::iter::empty()), []);
    }
}
