//! `render`: a score or a take through the same synthesiser into a WAV file, faster than real time.

use std::io::Write;
use std::path::Path;

use crate::audio::instrument::Instrument;
use crate::audio::render;
use crate::audio::sound::Sound;
use crate::audio::soundfont::Font;
use crate::bus::Envelope;
use crate::bus::storage::StorageReader;
use crate::components::library::read_file;
use crate::components::sound_file::{self, RATE};
use crate::formats;
use crate::model::TakeId;
use crate::store;

use super::CliError;

fn instrument(soundfont: Option<&Path>) -> Result<Box<dyn Instrument>, CliError> {
    let font = soundfont.map(Font::load).transpose().map_err(CliError::of)?;
    Sound { font: font.as_ref(), ..Sound::default() }.instrument(RATE).map_err(CliError::of)
}

/// Renders `score` to a WAV file, 48 kHz, 16 bits, stereo; the same input gives the same bytes.
///
/// # Errors
/// A score or SoundFont that cannot be read, a file that cannot be written.
pub fn score(score: &Path, to: &Path, soundfont: Option<&Path>, out: &mut dyn Write) -> Result<(), CliError> {
    let bytes = read_file(score).map_err(CliError::of)?;
    let name = score.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let reading = formats::read(&name, &bytes).map_err(|e| CliError::new(format!("{}: {e}", score.display())))?;
    for warning in &reading.warnings {
        writeln!(out, "{}: {warning}", score.display())?;
    }
    let sound = render::render(&reading.score, instrument(soundfont)?, RATE);
    told(sound_file::write(to, sound), to, out)
}

/// Renders what was played in a take of a data folder, in the same way.
///
/// # Errors
/// A folder or SoundFont that cannot be read, a take that is not there, a file that cannot be written.
pub fn take(dir: &Path, id: &str, to: &Path, soundfont: Option<&Path>, out: &mut dyn Write) -> Result<(), CliError> {
    let id = TakeId::parse(id).ok_or_else(|| CliError::new(format!("{id} is not the name of a take")))?;
    let reader = store::open_read_only(dir).map_err(CliError::of)?;
    let sound = sound_file::take(id, instrument(soundfont)?, |entity, from, max| {
        let events = reader.entity_events(entity.as_str(), from, max)?;
        Ok(events.into_iter().map(Envelope::from_stored).collect())
    });
    told(sound.and_then(|sound| sound_file::write(to, sound)), to, out)
}

fn told(written: Result<f64, sound_file::SoundFileError>, to: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let seconds = written.map_err(CliError::of)?;
    writeln!(out, "{seconds:.1} s in {}", to.display())?;
    Ok(())
}
