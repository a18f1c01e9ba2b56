//! The pieces that come with the program, as text in `assets/pieces`. Each was compared note by note with an
//! independent encoding by `tools/compare_pieces.py`; `tests/pieces.rs` keeps them as they were then.

use std::sync::LazyLock;

use super::notation;
use crate::music::Score;

/// A built-in piece.
#[derive(Clone, Debug)]
pub struct BuiltinPiece {
    /// Its name in settings and on the command line; never changes.
    pub id: &'static str,
    /// The text it is read from.
    pub source: &'static str,
    /// The title.
    pub title: String,
    /// The composer.
    pub composer: String,
    /// 1, the easiest, to 9.
    pub grade: u8,
    /// The key's name, such as `G minor`.
    pub key: String,
    /// The music.
    pub score: Score,
}

macro_rules! pieces {
    ($($id:literal),+ $(,)?) => {
        [$(($id, include_str!(concat!("../../assets/pieces/", $id, ".txt")))),+]
    };
}

/// Easiest first.
const SOURCES: [(&str, &str); 10] = pieces![
    "lightly-row",
    "schumann-little-piece",
    "minuet-g-major",
    "minuet-g-minor",
    "musette-d-major",
    "schumann-melodie",
    "burgmuller-arabesque",
    "bach-prelude-c-major",
    "chopin-prelude-a-major",
    "gymnopedie-1",
];

static PIECES: LazyLock<Vec<BuiltinPiece>> = LazyLock::new(|| SOURCES.iter().filter_map(|s| load(*s)).collect());

/// The built-in pieces, easiest first; read at the first call, which takes some milliseconds.
pub fn builtin() -> &'static [BuiltinPiece] {
    &PIECES
}

/// A built-in piece by its id.
pub fn find(id: &str) -> Option<&'static BuiltinPiece> {
    builtin().iter().find(|p| p.id == id)
}

/// `None` for a text with a mistake, which the tests would not let pass.
fn load((id, source): (&'static str, &'static str)) -> Option<BuiltinPiece> {
    let sheet = notation::read(source).ok()?;
    Some(BuiltinPiece {
        id,
        source,
        title: sheet.score.title().to_owned(),
        composer: sheet.score.composer().to_owned(),
        grade: sheet.grade?,
        key: sheet.key,
        score: sheet.score,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_readable_and_found_by_its_id() {
        for (id, source) in SOURCES {
            let sheet = notation::read(source).unwrap_or_else(|e| panic!("{id}: {e}"));
            assert!(sheet.grade.is_some() && !sheet.key.is_empty() && !sheet.score.title().is_empty(), "{id}");
            assert_eq!(find(id).map(|p| p.id), Some(id));
        }
        assert!(builtin().is_sorted_by_key(|p| p.grade), "easiest first");
    }
}
