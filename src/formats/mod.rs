//! Bytes to music and back: Standard MIDI Files, MusicXML, a text notation, the built-in pieces, hands. Pure: no file, no
//! clock, no device; opening files is for the caller, who refuses by length first ([`check_len`]). Every reader here is
//! total: it gives music or an error, whatever the bytes.

pub mod csv;
pub mod hands;
mod heading;
pub mod musicxml;
pub mod notate;
pub mod notation;
pub mod pieces;
pub mod smf;
mod text;
mod voices;

use thiserror::Error;

use crate::music::Score;

/// The longest file that is read, in bytes. The densest scores known have a tenth of it; a bound keeps a file of
/// hundreds of megabytes from filling the memory.
pub const SCORE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The most notes in one file: a day of ten notes a second has fewer.
pub const NOTES_MAX: usize = 500_000;

/// A score that was read, and what a person should know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The music.
    pub score: Score,
    /// What was left out or mended, one calm line each.
    pub warnings: Vec<String>,
}

/// Why bytes are not music: what, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// Nothing there.
    #[error("the file is empty")]
    Empty,
    /// Refused by its length, unread.
    #[error("the file is {bytes} bytes long, more than the {SCORE_BYTES_MAX} that are read")]
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// No format that is known.
    #[error("neither a MIDI file nor MusicXML (it begins with {begins})")]
    Unknown {
        /// The first bytes, readable.
        begins: String,
    },
    /// The header of a MIDI file makes no sense.
    #[error("the MIDI header at byte {offset} {problem}")]
    Header {
        /// Where it is, counted from 0.
        offset: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A sound file with nothing to play on a keyboard.
    #[error("the file has no notes{}", if *.drums > 0 { " but those of drums" } else { "" })]
    NoNotes {
        /// How many drum notes were left out.
        drums: usize,
    },
    /// More than can be handled.
    #[error("more than {NOTES_MAX} notes; the limit is passed in track {track} at byte {offset}")]
    TooManyNotes {
        /// The track, counted from 1.
        track: usize,
        /// Where, counted from 0.
        offset: usize,
    },
    /// A compressed file that cannot be unpacked.
    #[error("the compressed file {problem}, at byte {offset}")]
    Archive {
        /// Where, counted from 0.
        offset: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A mistake in a text.
    #[error("line {line}, column {column}: {problem}")]
    Notation {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters; where reading stopped.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
}

/// Refuses a file by its length, before a byte of it is read.
///
/// # Errors
/// [`FormatError::Empty`] and [`FormatError::TooLong`].
pub fn check_len(bytes: u64) -> Result<(), FormatError> {
    match bytes {
        0 => Err(FormatError::Empty),
        n if n > SCORE_BYTES_MAX => Err(FormatError::TooLong { bytes: n }),
        _ => Ok(()),
    }
}

/// Reads a score of any known format, told by its content. `name_hint`, the file's name without its folder, becomes
/// the title (without its ending) when the content gives none; so does the composer, from names like `Bach - Invention 1`.
///
/// # Errors
/// Any [`FormatError`]; it says what and where.
pub fn read(name_hint: &str, bytes: &[u8]) -> Result<Reading, FormatError> {
    check_len(bytes.len() as u64)?;
    let mut reading = match std::str::from_utf8(bytes) {
        _ if musicxml::is_musicxml(bytes) => musicxml::read(bytes)?,
        Ok(text) if notation::is_notation(text) => Reading { score: notation::read(text)?.score, warnings: Vec::new() },
        _ => smf::read(bytes)?,
    };
    let (title, composer) = heading::from_name(name_hint);
    if let Some(stem) = heading::without_ending(reading.score.title()) {
        let stem = stem.to_owned();
        reading.score = reading.score.with_title(&stem);
    }
    if reading.score.title().is_empty() {
        reading.score = reading.score.with_title(&title);
    }
    if reading.score.composer().is_empty() && reading.score.title() != composer {
        reading.score = reading.score.with_composer(&composer);
    }
    Ok(reading)
}
