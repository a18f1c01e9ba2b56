//! The library: built-in pieces, opened files and their scores. A file's content is kept in the log, so that a piece
//! can be practised and judged again when the file has gone.

pub mod shelf;
pub mod walk;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bus::{BusHandle, Expect, Publish, Snapshot, State};
use crate::formats::{self, FormatError, pieces};
use crate::model::{Entity, Event, Found, Piece, PieceId, PieceInfo, Trainer};
use crate::music::Score;
use crate::time::WallMillis;

use self::walk::modified;

/// Files up to this size are kept in the log whole; of larger ones only the path. An hour of dense piano music has
/// half a megabyte.
pub const KEPT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Pieces that are remembered: going to and fro between a few reads none twice, and a score may take some megabytes.
pub const REMEMBERED_MAX: usize = 8;

/// Why a piece cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("{path} cannot be opened: {reason}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The file is no music.
    #[error("{path} cannot be read: {reason}")]
    Format {
        /// Which.
        path: String,
        /// What is wrong and where.
        reason: FormatError,
    },
    /// The piece is in the library, its content is not.
    #[error("{0} is no longer there")]
    Gone(String),
    /// Reading it ended without an answer.
    #[error("{0} cannot be read: the program failed at it")]
    Failed(String),
}

impl OpenError {
    /// Why, without which file.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::File { reason, .. } => reason.clone(),
            Self::Format { reason, .. } => reason.to_string(),
            Self::Gone(_) => "it is no longer there".to_owned(),
            Self::Failed(_) => "the program failed at it".to_owned(),
        }
    }
}

/// The title of a piece of the library.
pub fn title(state: &State<Trainer>, id: &PieceId) -> String {
    if let Some(piece) = id.as_builtin().and_then(pieces::find) {
        return piece.title.clone();
    }
    match state.value(id.entity().as_str()) {
        Some(Entity::Piece(piece)) => piece.title().to_owned(),
        _ => id.0.to_string(),
    }
}

/// A score that was opened, and what a person should know about it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The piece's name in the library.
    pub id: PieceId,
    /// The music.
    pub score: Arc<Score>,
    /// What was left out or mended.
    pub warnings: Vec<String>,
}

/// Where a piece is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, which comes into the library.
    File(PathBuf),
    /// A piece of the library.
    Piece(PieceId),
}

/// A piece as it was read, which takes its time; the library and the log know nothing of it yet.
pub struct ReadPiece {
    opened: Opened,
    bytes: Vec<u8>,
    /// What a file is, whose piece is to come into the library.
    found: Option<Found>,
}

/// Reads a piece. Waits for the disk, or for the network, and takes as long as the music is.
///
/// # Errors
/// A file that cannot be read, or is no music; a piece whose content has gone.
pub fn read(snapshot: &Snapshot<Trainer>, source: &Source) -> Result<ReadPiece, OpenError> {
    match source {
        Source::File(path) => read_music(path),
        Source::Piece(id) => load(snapshot, id),
    }
}

fn read_music(path: &Path) -> Result<ReadPiece, OpenError> {
    let bytes = read_file(path)?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let failed = |reason| OpenError::Format { path: path.display().to_string(), reason };
    let reading = formats::read(&name, &bytes).map_err(failed)?;
    let score = Arc::new(reading.score);
    let modified = std::fs::metadata(path).map_or(WallMillis(0), |meta| modified(&meta));
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let found = Found { bytes: bytes.len() as u64, modified, path, ..Found::of(&score) };
    let opened = Opened { id: name_of(&bytes), score, warnings: reading.warnings };
    Ok(ReadPiece { opened, bytes, found: Some(found) })
}

/// Opens pieces and remembers those that were opened last, each at most once.
#[derive(Default)]
pub struct Library {
    /// Newest last.
    lately: VecDeque<Opened>,
}

impl Library {
    /// Opens a piece that need not be read, a built-in one or one that was opened lately, and says so on the bus.
    pub fn open_at_hand(&mut self, bus: &BusHandle<Trainer>, id: &PieceId, at: WallMillis) -> Option<Opened> {
        let opened = self.at_hand(id)?;
        say_opened(bus, &opened, at);
        Some(opened)
    }

    /// Takes in what was read, and says so on the bus.
    pub fn enter(&mut self, bus: &BusHandle<Trainer>, read: ReadPiece, at: WallMillis) -> Opened {
        let ReadPiece { opened, bytes, found } = read;
        let id = &opened.id;
        if id.as_builtin().is_none() {
            keep(bus, id, bytes);
        }
        match found {
            Some(found) => {
                // A copy under another name is the same piece, and does not rename it.
                let snapshot = bus.snapshot();
                let known = piece(&snapshot, id);
                let title = known.map_or(&*found.title, Piece::title).to_owned();
                let composer = known.map_or(&*found.composer, Piece::composer).to_owned();
                let path = found.path.clone();
                let info = PieceInfo { title, composer, path: Some(path), opened: at };
                let events = [Event::PieceFound(Box::new(found)), Event::PieceOpened(info)];
                bus.transact(events.map(|event| Publish::new(id.entity(), event)).into());
            }
            None => say_opened(bus, &opened, at),
        }
        self.remember(opened)
    }

    /// The score of a piece: built in, kept in the log, or still where its file was.
    ///
    /// # Errors
    /// A piece whose content has gone.
    pub fn score(&mut self, snapshot: &Snapshot<Trainer>, id: &PieceId) -> Result<Arc<Score>, OpenError> {
        match self.at_hand(id) {
            Some(opened) => Ok(opened.score),
            None => Ok(self.remember(load(snapshot, id)?.opened).score),
        }
    }

    /// A piece that need not be read.
    pub fn at_hand(&mut self, id: &PieceId) -> Option<Opened> {
        let lately = self.lately.iter().position(|opened| opened.id == *id);
        let known = lately.and_then(|place| self.lately.remove(place));
        known.or_else(|| builtin(id)).map(|opened| self.remember(opened))
    }

    fn remember(&mut self, opened: Opened) -> Opened {
        self.lately.retain(|known| known.id != opened.id);
        self.lately.push_back(opened.clone());
        if self.lately.len() > REMEMBERED_MAX {
            self.lately.pop_front();
        }
        opened
    }
}

fn builtin(id: &PieceId) -> Option<Opened> {
    let piece = id.as_builtin().and_then(pieces::find)?;
    Some(Opened { id: id.clone(), score: Arc::new(piece.score.clone()), warnings: Vec::new() })
}

fn say_opened(bus: &BusHandle<Trainer>, opened: &Opened, at: WallMillis) {
    let Opened { id, score, .. } = opened;
    let snapshot = bus.snapshot();
    let known = piece(&snapshot, id);
    let info = PieceInfo {
        title: known.map_or(score.title(), Piece::title).to_owned(),
        composer: known.map_or(score.composer(), Piece::composer).to_owned(),
        path: known.and_then(Piece::path).map(str::to_owned),
        opened: at,
    };
    bus.edit(Publish::new(id.entity(), Event::PieceOpened(info)));
}

/// Keeps a file's content, if it is not kept yet and not too long.
fn keep(bus: &BusHandle<Trainer>, id: &PieceId, bytes: Vec<u8>) {
    if bytes.len() <= KEPT_BYTES_MAX && bus.snapshot().state.get(id.score_entity().as_str()).is_none() {
        bus.publish(Publish::new(id.score_entity(), Event::ScoreStored(bytes)).expect(Expect::Absent));
    }
}

fn piece<'a>(snapshot: &'a Snapshot<Trainer>, id: &PieceId) -> Option<&'a Piece> {
    match snapshot.state.value(id.entity().as_str()) {
        Some(Entity::Piece(piece)) => Some(piece),
        _ => None,
    }
}

/// A piece of the library.
fn load(snapshot: &Snapshot<Trainer>, id: &PieceId) -> Result<ReadPiece, OpenError> {
    if let Some(opened) = builtin(id) {
        return Ok(ReadPiece { opened, bytes: Vec::new(), found: None });
    }
    let Some(piece) = piece(snapshot, id) else { return Err(OpenError::Gone(id.0.to_string())) };
    let path = piece.path().unwrap_or_default().to_owned();
    let bytes = match snapshot.state.value(id.score_entity().as_str()) {
        Some(Entity::Score(bytes)) => bytes.to_vec(),
        // Another file under the same name is another piece: old takes are not judged against it.
        _ => match read_file(Path::new(&path))? {
            bytes if name_of(&bytes) == *id => bytes,
            _ => return Err(OpenError::Gone(path)),
        },
    };
    let name =
        Path::new(&path).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or(piece.title().to_owned());
    let reading = formats::read(&name, &bytes).map_err(|reason| OpenError::Format { path, reason })?;
    let opened = Opened { id: id.clone(), score: Arc::new(reading.score), warnings: reading.warnings };
    Ok(ReadPiece { opened, bytes, found: None })
}

/// The name of a file's content: the same wherever the file lies.
fn name_of(bytes: &[u8]) -> PieceId {
    PieceId(blake3::hash(bytes).to_hex()[..16].into())
}

/// A file's bytes, refused by length before they are read.
///
/// # Errors
/// What the system says, or that the file is empty or too long.
pub fn read_file(path: &Path) -> Result<Vec<u8>, OpenError> {
    let shown = path.display().to_string();
    let failed = |reason: String| OpenError::File { path: shown.clone(), reason };
    let file = File::open(path).map_err(|e| failed(io_reason(&e)))?;
    let meta = file.metadata().map_err(|e| failed(io_reason(&e)))?;
    if !meta.is_file() {
        let what = if meta.is_dir() { "it is a folder" } else { "it is not a plain file" };
        return Err(failed(what.to_owned()));
    }
    formats::check_len(meta.len()).map_err(|reason| OpenError::Format { path: shown.clone(), reason })?;
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    file.take(formats::SCORE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| failed(io_reason(&e)))?;
    Ok(bytes)
}

fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you are not allowed to read it".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bus::{Config, MemoryStorage, start};
    use crate::formats::smf;
    use crate::time::ManualClock;

    fn bus() -> BusHandle<Trainer> {
        start(Config::default(), Arc::new(ManualClock::default()), Box::new(MemoryStorage::new())).expect("a bus")
    }

    fn open(library: &mut Library, bus: &BusHandle<Trainer>, source: Source) -> Opened {
        let read = read(&bus.snapshot(), &source).expect("music");
        library.enter(bus, read, WallMillis(1))
    }

    fn score() -> Score {
        pieces::find("lightly-row").expect("a piece").score.clone()
    }

    #[test]
    fn what_a_file_has_lost_is_told_whenever_it_is_opened() {
        let (bus, dir) = (bus(), tempfile::tempdir().expect("a folder"));
        let (path, whole) = (dir.path().join("x.mid"), smf::write_score(&score()));
        std::fs::write(&path, &whole[..whole.len() - 20]).expect("a file");
        let mut library = Library::default();
        let first = open(&mut library, &bus, Source::File(path));
        assert!(!first.warnings.is_empty(), "its end is missing");
        bus.publish(Publish::new(first.id.entity(), Event::PieceTagged("t".to_owned()))).applied().expect("applied");
        let again = library.open_at_hand(&bus, &first.id, WallMillis(2)).expect("remembered");
        let anew = open(&mut Library::default(), &bus, Source::Piece(first.id.clone()));
        assert_eq!((&again.warnings, &anew.warnings), (&first.warnings, &first.warnings));
        assert!(bus.shutdown(Duration::from_secs(30)));
    }

    #[test]
    fn a_copy_under_another_name_is_the_same_piece_and_does_not_rename_it() {
        let (bus, dir) = (bus(), tempfile::tempdir().expect("a folder"));
        let untitled = smf::write_score(&score().with_title(""));
        let titles = ["first.mid", "copy.mid"].map(|name| {
            let path = dir.path().join(name);
            std::fs::write(&path, &untitled).expect("a file");
            let id = open(&mut Library::default(), &bus, Source::File(path)).id;
            bus.publish(Publish::new(id.entity(), Event::PieceTagged("t".to_owned()))).applied().expect("applied");
            let snapshot = bus.snapshot();
            (id.clone(), piece(&snapshot, &id).expect("a piece").title().to_owned())
        });
        assert_eq!(titles[0], titles[1]);
        assert_eq!(titles[0].1, "first");
        assert!(bus.shutdown(Duration::from_secs(30)));
    }

    #[test]
    fn the_pieces_that_were_opened_last_are_at_hand_and_no_more() {
        let (bus, dir) = (bus(), tempfile::tempdir().expect("a folder"));
        let mut library = Library::default();
        let open_piece = |library: &mut Library, number: usize| {
            let path = dir.path().join(format!("{number}.mid"));
            std::fs::write(&path, smf::write_score(&score().with_title(&format!("Piece {number}")))).expect("a file");
            open(library, &bus, Source::File(path)).id
        };
        let ids: Vec<PieceId> = (0..REMEMBERED_MAX).map(|number| open_piece(&mut library, number)).collect();
        assert!(library.at_hand(&ids[0]).is_some());
        // The one that was not used for longest goes.
        let one_more = open_piece(&mut library, REMEMBERED_MAX);
        let at_hand: Vec<bool> = ids.iter().map(|id| library.at_hand(id).is_some()).collect();
        assert_eq!(at_hand.iter().filter(|at_hand| !**at_hand).count(), 1);
        assert!(at_hand[0] && !at_hand[1] && library.at_hand(&one_more).is_some());
        assert!(library.at_hand(&PieceId::builtin("lightly-row")).is_some(), "a built-in piece always is");
        assert_eq!(library.lately.len(), REMEMBERED_MAX);
        assert!(bus.shutdown(Duration::from_secs(30)));
    }
}
