//! Files of music as the library finds them: what a file's content says of itself, and the folders that are watched.

use serde::{Deserialize, Serialize};

use crate::bus::EntityKey;
use crate::music::{KeySignature, Score, difficulty};
use crate::time::{Micros, WallMillis};

/// How files end that may hold a piece, in lower case.
pub const PIECE_ENDINGS: [&str; 8] = ["mid", "midi", "kar", "smf", "rmi", "musicxml", "mxl", "xml"];

/// Which rules read a file: one that was read by older rules is read again.
pub const FOUND_RULES: u16 = 1;

/// Bytes of a folder's path at most: what Linux takes.
const PATH_BYTES_MAX: usize = 4_096;

/// The key of a piece as it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundKey {
    /// Sharps, or flats below zero.
    pub fifths: i8,
    /// Whether it is minor.
    pub minor: bool,
}

/// A file of music: where it lies, and what the library shows of it without opening it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// The title, from the file or its name.
    pub title: String,
    /// The composer, perhaps empty.
    pub composer: String,
    /// Where the file is.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// When it was changed last.
    pub modified: WallMillis,
    /// The rules that read it, [`FOUND_RULES`] of then.
    pub rules: u16,
    /// How many bars.
    pub bars: u32,
    /// The length at full speed.
    pub duration: Micros,
    /// The first time signature: beats and unit.
    pub meter: (u8, u8),
    /// The first key signature.
    pub key: Option<FoundKey>,
    /// The grade as estimated from the notes, 1 to 9.
    pub grade: Option<u8>,
}

impl Found {
    /// What a score says; the place of its file is for the caller to fill in.
    pub fn of(score: &Score) -> Self {
        let meter = score.bars().get(0).meter;
        let key = |key: &KeySignature| FoundKey { fifths: key.fifths, minor: key.minor };
        Self {
            title: score.title().to_owned(),
            composer: score.composer().to_owned(),
            rules: FOUND_RULES,
            bars: score.bars().len() as u32,
            duration: score.duration(),
            meter: (meter.beats, meter.unit),
            key: score.keys().first().map(key),
            grade: difficulty::grade(score),
            ..Self::default()
        }
    }
}

/// The key of an entity that is named by words which may be longer than a key.
pub(super) fn hashed(kind: &str, words: &str) -> EntityKey {
    // FNV-1a with 128 bits, as RFC 9923 has it: the model hashes nothing else, and no secret depends on it.
    let step = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    let hash = words.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, step);
    EntityKey::new(&format!("{kind}/{hash:032x}"))
}

/// Whether a folder is looked through for pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderChoice {
    /// Its path.
    pub path: String,
    /// Whether it is.
    pub watched: bool,
}

impl FolderChoice {
    /// The entity of a folder: a path may be longer than a key.
    pub fn entity(path: &str) -> EntityKey {
        hashed("folder", path)
    }

    /// Why a choice makes no sense.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.path.len() {
            0 => Err("a folder has a path"),
            1..=PATH_BYTES_MAX => Ok(()),
            _ => Err("a path has 4096 bytes at most"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_different_paths_are_different_entities() {
        let keys = ["/a", "/b", "/a/b", "/a/b/"].map(FolderChoice::entity);
        assert!(keys.iter().enumerate().all(|(i, key)| !keys[..i].contains(key)));
        // The published value of FNV-1a for "a".
        assert_eq!(FolderChoice::entity("a").as_str(), "folder/d228cb696f1a8caf78912b704e4a8964");
    }
}
