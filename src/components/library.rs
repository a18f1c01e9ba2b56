//! The library: built-in pieces, opened files and their scores. A file's content is kept in the log, so that a piece
//! can be practised and judged again when the file has gone.

pub mod shelf;
pub mod walk;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
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
}

impl OpenError {
    /// Why, without which file.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::File { reason, .. } => reason.clone(),
            Self::Format { reason, .. } => reason.to_string(),
            Self::Gone(_) => "it is no longer there".to_owned(),
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

/// Reads and remembers scores.
#[derive(Default)]
pub struct Library {
    scores: HashMap<PieceId, Arc<Score>>,
}

impl Library {
    /// Opens a file and puts it in the library.
    ///
    /// # Errors
    /// A file that cannot be read, or is no music; nothing is changed then.
    pub fn open_file(&mut self, bus: &BusHandle<Trainer>, path: &Path, at: WallMillis) -> Result<Opened, OpenError> {
        let shown = path.display().to_string();
        let bytes = read_file(path)?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let reading =
            formats::read(&name, &bytes).map_err(|reason| OpenError::Format { path: shown.clone(), reason })?;
        let id = name_of(&bytes);
        let score = Arc::new(reading.score);
        let (bytes_read, modified) =
            (bytes.len() as u64, std::fs::metadata(path).map_or(WallMillis(0), |meta| modified(&meta)));
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
        keep(bus, &id, bytes);
        let found = Found { bytes: bytes_read, modified, path: path.clone(), ..Found::of(&score) };
        let (title, composer) = (found.title.clone(), found.composer.clone());
        let info = PieceInfo { title, composer, path: Some(path), opened: at };
        let events = [Event::PieceFound(Box::new(found)), Event::PieceOpened(info)];
        bus.transact(events.map(|event| Publish::new(id.entity(), event)).into());
        self.scores.insert(id.clone(), score.clone());
        Ok(Opened { id, score, warnings: reading.warnings })
    }

    /// Opens a piece of the library again, and says so on the bus.
    ///
    /// # Errors
    /// A piece whose content has gone.
    pub fn open(&mut self, bus: &BusHandle<Trainer>, id: &PieceId, at: WallMillis) -> Result<Opened, OpenError> {
        let snapshot = bus.snapshot();
        let known = piece(&snapshot, id);
        let kept = snapshot.state.value(id.score_entity().as_str()).is_some();
        let score = match self.scores.get(id) {
            Some(score) => score.clone(),
            None => {
                let (score, bytes) = load(&snapshot, id)?;
                if !kept && id.as_builtin().is_none() {
                    keep(bus, id, bytes);
                }
                let score = Arc::new(score);
                self.scores.insert(id.clone(), score.clone());
                score
            }
        };
        let info = PieceInfo {
            title: known.map_or(score.title(), Piece::title).to_owned(),
            composer: known.map_or(score.composer(), Piece::composer).to_owned(),
            path: known.and_then(Piece::path).map(str::to_owned),
            opened: at,
        };
        bus.edit(Publish::new(id.entity(), Event::PieceOpened(info)));
        Ok(Opened { id: id.clone(), score, warnings: Vec::new() })
    }

    /// The score of a piece: built in, kept in the log, or still where its file was.
    ///
    /// # Errors
    /// A piece whose content has gone.
    pub fn score(&mut self, snapshot: &Snapshot<Trainer>, id: &PieceId) -> Result<Arc<Score>, OpenError> {
        if let Some(score) = self.scores.get(id) {
            return Ok(score.clone());
        }
        let score = Arc::new(load(snapshot, id)?.0);
        self.scores.insert(id.clone(), score.clone());
        Ok(score)
    }
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

/// A score with the bytes it was read from; a built-in piece has none.
fn load(snapshot: &Snapshot<Trainer>, id: &PieceId) -> Result<(Score, Vec<u8>), OpenError> {
    if let Some(builtin) = id.as_builtin() {
        let piece = pieces::builtin().iter().find(|p| p.id == builtin);
        return piece.map(|p| (p.score.clone(), Vec::new())).ok_or_else(|| OpenError::Gone(id.0.to_string()));
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
    Ok((reading.score, bytes))
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
