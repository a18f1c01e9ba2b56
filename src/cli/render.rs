//! `render`: a score or a take through the same synthesiser into a WAV file, faster than real time.

use std::cmp::Reverse;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::audio::instrument::Instrument;
use crate::audio::render;
use crate::audio::sound::Sound;
use crate::audio::soundfont::Font;
use crate::bus::storage::StorageReader;
use crate::bus::{EntityKey, Envelope, State, load};
use crate::components::library::{read_file, title};
use crate::components::sound_file::{self, RATE, SoundFileError};
use crate::formats;
use crate::model::{Entity, Take, TakeId, Trainer};
use crate::store;

use super::CliError;

/// What stands before the name of a take in the log.
const KIND: &str = "take/";
/// Takes that are listed at most: what one remembers is among the latest.
const LISTED_MAX: usize = 50;

fn instrument(soundfont: Option<&Path>) -> Result<Box<dyn Instrument>, CliError> {
    let font = soundfont.map(Font::load).transpose().map_err(CliError::of)?;
    Sound { font: font.as_ref(), ..Sound::default() }.instrument(RATE).map_err(CliError::of)
}

/// Renders `score` to a new WAV file, 48 kHz, 16 bits, stereo; the same input gives the same bytes.
///
/// # Errors
/// A score or SoundFont that cannot be read, a file that exists or cannot be written.
pub fn score(score: &Path, to: &Path, soundfont: Option<&Path>, out: &mut dyn Write) -> Result<(), CliError> {
    check_free(to)?;
    let bytes = read_file(score).map_err(CliError::of)?;
    let name = score.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let reading = formats::read(&name, &bytes).map_err(|e| CliError::new(format!("{}: {e}", score.display())))?;
    for warning in &reading.warnings {
        writeln!(out, "{}: {warning}", score.display())?;
    }
    let sound = render::render(&reading.score, instrument(soundfont)?, RATE);
    told(sound_file::write([to.to_owned()], sound), out)
}

/// Renders what was played in a take of a data folder, in the same way. `id` is its name with or without the `take/` that
/// stands before it in the log; if there is no such take, those in which there are notes are listed.
///
/// # Errors
/// A folder or SoundFont that cannot be read, a take that is not there, a file that exists or cannot be
/// written.
pub fn take(dir: &Path, id: &str, to: &Path, soundfont: Option<&Path>, out: &mut dyn Write) -> Result<(), CliError> {
    check_free(to)?;
    let reader = store::open_read_only(dir).map_err(CliError::of)?;
    let state = State::from_entities(&load::load::<Trainer>(&reader).map_err(CliError::of)?.entities);
    let named = TakeId::parse(id.strip_prefix(KIND).unwrap_or(id));
    let Some(id) = named.filter(|named| matches!(state.value(named.entity().as_str()), Some(Entity::Take(_)))) else {
        list(&state, out)?;
        return Err(CliError::new(format!("{} holds no take {id:?}", dir.display())));
    };
    let sound = sound_file::take(id, instrument(soundfont)?, |entity, from, max| {
        let events = reader.entity_events(entity.as_str(), from, max)?;
        Ok(events.into_iter().map(Envelope::from_stored).collect())
    });
    told(sound.and_then(|sound| sound_file::write([to.to_owned()], sound)), out)
}

/// Nobody waits for a sound that has no place.
fn check_free(to: &Path) -> Result<(), CliError> {
    match to.symlink_metadata() {
        Ok(_) => Err(CliError::of(SoundFileError::Exists(to.to_owned()))),
        Err(_) => Ok(()),
    }
}

/// The takes of a folder in which something was played, the latest first: name, moment, notes, and what was played.
fn list(state: &State<Trainer>, out: &mut dyn Write) -> Result<(), CliError> {
    let takes = state.iter_prefix(KIND).filter_map(|(entity, held)| match held.value.as_ref() {
        Some(Entity::Take(take)) if !*take.discarded && take.notes > 0 => Some((entity, take)),
        _ => None,
    });
    let mut takes: Vec<(&EntityKey, &Take)> = takes.collect();
    takes.sort_by_key(|(_, take)| Reverse(take.moment()));
    for (entity, take) in takes.iter().take(LISTED_MAX) {
        let moment = Timestamp::from_millisecond(take.moment().0).map(|at| at.to_string()).unwrap_or_default();
        writeln!(out, "{entity}  {moment}  {:>6} notes  {}", take.notes, called(state, take))?;
    }
    match takes.len() {
        0 => writeln!(out, "nothing was recorded there")?,
        all if all > LISTED_MAX => writeln!(out, "and {} earlier ones", all - LISTED_MAX)?,
        _ => {}
    }
    Ok(())
}

/// What a person calls a take: its own name, or that of the piece.
fn called(state: &State<Trainer>, take: &Take) -> String {
    let name = take.name();
    let piece = take.start.piece.as_ref().filter(|_| name.is_empty());
    match piece {
        Some(piece) => title(state, piece),
        None if name.is_empty() => "free play".to_owned(),
        None => name,
    }
}

fn told(written: Result<(PathBuf, f64), SoundFileError>, out: &mut dyn Write) -> Result<(), CliError> {
    let (to, seconds) = written.map_err(CliError::of)?;
    writeln!(out, "{seconds:.1} s in {}", to.display())?;
    Ok(())
}
