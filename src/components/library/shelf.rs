//! The folders that a person has chosen, looked through on a thread of its own: at the start, when a person asks, when
//! a folder is chosen, and every few seconds. What is new is read and becomes events; what was read before is known by
//! its place, length and time; what has moved is known by its content.
//!
//! A look at ten thousand files takes some hundredths of a second and needs nothing of the system but `stat`, so that it
//! sees changes on network file systems too, which notifications of the kernel do not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded, select};

use super::walk::{self, SeenFile};
use super::{Library, name_of, read_file};
use crate::bus::{BusHandle, Filter, Publish, Snapshot};
use crate::formats;
use crate::model::{Entity, Event, FOUND_RULES, Found, Piece, PieceId, Trainer};
use crate::time::Micros;

/// The folders are looked at this often …
const AGAIN: Duration = Duration::from_secs(5);
/// … and rest so many times as long as it took to go through them; what was read of new files does not count.
const REST_FACTOR: u32 = 100;
/// While no folder is chosen.
const NEVER: Duration = Duration::from_secs(86_400);
/// Pieces that become known together: one commit of the disk.
const BATCH: usize = 64;
/// Words and choices that wait.
const WORDS: usize = 64;
/// How often progress is shown.
const SHOW_EVERY: Micros = Micros::from_millis(50);
/// Refused files that are listed; of more only the number is told.
pub const REFUSED_MAX: usize = 1_000;
/// How long the end waits for a file system that does not answer.
const QUIT_WAIT: Duration = Duration::from_secs(2);

/// How a watched folder stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderReport {
    /// Its path.
    pub path: String,
    /// Files in it that may hold a piece.
    pub files: usize,
    /// Why it cannot be looked at now: it is away, or not readable.
    pub away: Option<String>,
    /// Pieces whose files were in it and are not there now; they stay in the library.
    pub missing: usize,
    /// Whether a limit cut the look short.
    pub cut: bool,
}

/// An import that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files read.
    pub done: usize,
    /// Files to read.
    pub of: usize,
    /// The file at hand.
    pub file: String,
}

/// What the shelf shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShelfReport {
    /// The watched folders, by path.
    pub folders: Vec<FolderReport>,
    /// The import that runs.
    pub progress: Option<Progress>,
    /// Pieces that became known, or known at another place, since the start.
    pub found: usize,
    /// Files whose pieces were known already.
    pub known: usize,
    /// Files that are no music or cannot be read, and why; at most [`REFUSED_MAX`].
    pub refused: Arc<[(String, String)]>,
    /// How many there are in all.
    pub refused_count: usize,
    /// Files that were left unread because a person broke it off.
    pub left: usize,
    /// Pieces whose files are no longer where they were.
    pub missing: Arc<HashSet<PieceId>>,
    /// Why nothing can be kept.
    pub fault: Option<String>,
    /// Looks that were made.
    pub looks: u64,
    /// How often a person who asked for a look can be told what came of it.
    pub answers: u64,
}

enum Word {
    Look,
    Cancel,
}

/// The thread, as long as it is wanted.
pub struct Shelf {
    words: Option<Sender<Word>>,
    report: Arc<ArcSwap<ShelfReport>>,
    /// Ends with the thread.
    done: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Shelf {
    /// Starts the thread; `wake` is called when there is something new to show.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(bus: BusHandle<Trainer>, wake: Box<dyn Fn() + Send>) -> std::io::Result<Self> {
        let (words, heard) = bounded(WORDS);
        let (ends, done) = bounded(0);
        let report = Arc::new(ArcSwap::from_pointee(ShelfReport::default()));
        let shown = Arc::clone(&report);
        let thread = Builder::new().name("shelf".to_owned()).spawn(move || {
            Work::new(bus, heard, shown, wake).run();
            drop(ends);
        })?;
        Ok(Self { words: Some(words), report, done, thread: Some(thread) })
    }

    /// Looks through the folders now, also through what was broken off.
    pub fn look(&self) {
        self.say(Word::Look);
    }

    /// Breaks the import off; what was found stays.
    pub fn cancel(&self) {
        self.say(Word::Cancel);
    }

    fn say(&self, word: Word) {
        // Where so many wait, this has been said.
        let _ = self.words.as_ref().map(|words| words.try_send(word));
    }

    /// What it shows now.
    pub fn report(&self) -> Arc<ShelfReport> {
        self.report.load_full()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.words = None;
        let thread = self.thread.take();
        if matches!(self.done.recv_timeout(QUIT_WAIT), Err(RecvTimeoutError::Disconnected)) {
            let _ = thread.map(JoinHandle::join);
        }
    }
}

/// What became of a file that is not to be read again.
#[derive(Clone, Debug)]
enum Memo {
    Refused(String),
    /// Another file with the same content stands for the piece.
    Twin(PieceId),
}

/// Whether the work goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    On,
    Cancelled,
    Quit,
}

/// The thread's side.
struct Work {
    bus: BusHandle<Trainer>,
    words: Receiver<Word>,
    shown: Arc<ArcSwap<ShelfReport>>,
    wake: Box<dyn Fn() + Send>,
    report: ShelfReport,
    /// By path: what the file was when it was read, and what came of it.
    memos: HashMap<String, (SeenFile, Memo)>,
    /// Opened pieces whose content has gone, so that nothing more can be known of them.
    unknowable: HashSet<PieceId>,
    course: Course,
    /// Whether a look was asked for while one went on: what it had passed by then may have changed.
    again: bool,
    /// Whether a person waits for the end of a look.
    asked: bool,
    last_shown: Micros,
}

/// Where the pieces of the library lie, as far as they were found.
#[derive(Default)]
struct Places {
    by_path: HashMap<String, PieceId>,
    by_id: HashMap<PieceId, SeenFile>,
}

impl Places {
    fn of(snapshot: &Snapshot<Trainer>, present: &BTreeMap<String, SeenFile>) -> Self {
        let mut places = Self::default();
        for (key, versioned) in snapshot.state.iter_prefix("piece/") {
            let Some(Entity::Piece(Piece { found, .. })) = &versioned.value else { continue };
            let Some(found) = found.as_ref().filter(|found| found.rules == FOUND_RULES) else { continue };
            let file = SeenFile { path: found.path.clone(), bytes: found.bytes, modified: found.modified };
            let id = PieceId(key.id().into());
            // Of two that lay there the one whose file it still is.
            if present.get(&file.path) == Some(&file) {
                places.by_path.insert(file.path.clone(), id.clone());
            }
            places.by_id.insert(id, file);
        }
        places
    }
}

impl Work {
    fn new(
        bus: BusHandle<Trainer>,
        words: Receiver<Word>,
        shown: Arc<ArcSwap<ShelfReport>>,
        wake: Box<dyn Fn() + Send>,
    ) -> Self {
        Self {
            bus,
            words,
            shown,
            wake,
            report: ShelfReport::default(),
            memos: HashMap::new(),
            unknowable: HashSet::new(),
            course: Course::On,
            again: false,
            asked: false,
            last_shown: Micros(i64::MIN / 2),
        }
    }

    fn run(mut self) {
        let chosen = self.bus.subscribe_live(Filter::topic("folder.chosen"), WORDS);
        loop {
            self.again = false;
            let rest = rest_after(self.look());
            if self.course == Course::Quit {
                return;
            }
            let wait = match self.report.folders.is_empty() {
                _ if self.again => Duration::ZERO,
                true => NEVER,
                false => rest,
            };
            select! {
                recv(self.words) -> word => match word {
                    Ok(Word::Look) => (self.course, self.asked) = (Course::On, true),
                    // There is nothing to break off any more.
                    Ok(Word::Cancel) => {}
                    Err(_) => return,
                },
                recv(chosen.channel()) -> choice => match choice {
                    Ok(_) => self.course = Course::On,
                    Err(_) => return,
                },
                default(wait) => {}
            }
        }
    }

    /// Does what was said meanwhile; whether the program goes on.
    fn hear(&mut self) -> bool {
        loop {
            match self.words.try_recv() {
                Ok(Word::Cancel) => (self.course, self.again) = (Course::Cancelled, false),
                Ok(Word::Look) => (self.course, self.again, self.asked) = (Course::On, true, true),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.course = Course::Quit;
                    break;
                }
            }
        }
        self.course != Course::Quit
    }

    /// The same; whether files are still to be read.
    fn listen(&mut self) -> bool {
        self.hear() && self.course == Course::On
    }

    /// Goes through the folders and reads what is new; how long going through them took.
    fn look(&mut self) -> Micros {
        self.get_to_know_opened();
        let began = self.bus.clock().now();
        let (present, passed) = self.walk();
        let took = self.bus.clock().now() - began;
        let snapshot = self.bus.snapshot();
        let mut places = Places::of(&snapshot, &present);
        let mut fresh = Vec::new();
        let mut known = 0;
        for file in present.values() {
            match self.memo(file) {
                _ if places.by_path.contains_key(&file.path) => known += 1,
                // The one that stood for the piece may have gone since.
                Some(Memo::Twin(id)) if holds(&places, &present, id) => known += 1,
                Some(Memo::Refused(_)) => {}
                _ => fresh.push(file.clone()),
            }
        }
        self.memos.retain(|path, _| present.contains_key(path));
        self.report.known = known;
        self.list_refused(&passed);
        if self.course == Course::On {
            self.read_all(&fresh, &present, &mut places);
            self.list_refused(&passed);
        }
        let is_unread = |file: &&SeenFile| !places.by_path.contains_key(&file.path) && self.memo(file).is_none();
        self.report.left = fresh.iter().filter(is_unread).count();
        if self.course == Course::Cancelled && fresh.is_empty() {
            // There was nothing to break off; what comes later is read.
            self.course = Course::On;
        }
        let missing = self.missing(&places, &present);
        for folder in &mut self.report.folders {
            folder.missing = missing.iter().filter(|id| is_below(&places.by_id[*id], &folder.path)).count();
        }
        if missing != *self.report.missing {
            self.report.missing = Arc::new(missing);
        }
        self.report.progress = None;
        self.report.looks += 1;
        if !self.again && std::mem::take(&mut self.asked) {
            self.report.answers += 1;
        }
        self.show(true);
        took
    }

    /// What came of a file when it was read, unless it has changed since.
    fn memo(&self, file: &SeenFile) -> Option<&Memo> {
        self.memos.get(&file.path).filter(|(read, _)| read == file).map(|(_, memo)| memo)
    }

    /// Every file in every watched folder, and what could not be looked at.
    fn walk(&mut self) -> (BTreeMap<String, SeenFile>, Vec<(String, String)>) {
        let (mut present, mut passed) = (BTreeMap::new(), Vec::new());
        let mut folders = Vec::new();
        for path in watched(&self.bus.snapshot()) {
            let mut folder = FolderReport { path: path.clone(), ..FolderReport::default() };
            // Only the end of the program ends a look: a look alone is short.
            match walk::walk(Path::new(&path), &mut || self.hear()) {
                Ok(walked) => {
                    folder.files = walked.files.len();
                    folder.cut = walked.cut;
                    present.extend(walked.files.into_iter().map(|file| (file.path.clone(), file)));
                    passed.extend(walked.passed);
                }
                Err(why) => folder.away = Some(why),
            }
            folders.push(folder);
        }
        self.report.folders = folders;
        (present, passed)
    }

    /// Reads what is not known yet, and makes it known, some files at a time.
    fn read_all(&mut self, fresh: &[SeenFile], present: &BTreeMap<String, SeenFile>, places: &mut Places) {
        let mut batch = Vec::new();
        for (done, file) in fresh.iter().enumerate() {
            if !self.listen() {
                break;
            }
            self.report.progress = Some(Progress { done, of: fresh.len(), file: file.path.clone() });
            self.show(false);
            match read(file) {
                Err(reason) => drop(self.memos.insert(file.path.clone(), (file.clone(), Memo::Refused(reason)))),
                Ok((id, _)) if holds(places, present, &id) && places.by_id[&id].path != file.path => {
                    self.report.known += 1;
                    self.memos.insert(file.path.clone(), (file.clone(), Memo::Twin(id)));
                }
                Ok((id, found)) => {
                    places.by_path.insert(file.path.clone(), id.clone());
                    places.by_id.insert(id.clone(), file.clone());
                    let event = Event::PieceFound(Box::new(found));
                    batch.push(Publish::new(id.entity(), event).actor("library"));
                }
            }
            if batch.len() >= BATCH && !self.keep(&mut batch) {
                return;
            }
        }
        self.keep(&mut batch);
    }

    /// Publishes what was found; whether it was taken.
    fn keep(&mut self, batch: &mut Vec<Publish<Trainer>>) -> bool {
        let items = std::mem::take(batch);
        let count = items.len();
        if count == 0 {
            return true;
        }
        match self.bus.transact(items).applied() {
            Ok(_) => {
                self.report.found += count;
                self.report.fault = None;
                true
            }
            Err(error) => {
                // The next look finds them again.
                self.report.fault = Some(format!("what is found in your folders cannot be kept: {error}"));
                false
            }
        }
    }

    /// Pieces that were opened before files were found, or read by older rules: what they are is read once.
    fn get_to_know_opened(&mut self) {
        let snapshot = self.bus.snapshot();
        let mut batch = Vec::new();
        let found_in_folders = self.report.found;
        for (key, versioned) in snapshot.state.iter_prefix("piece/") {
            let Some(Entity::Piece(piece)) = &versioned.value else { continue };
            let id = PieceId(key.id().into());
            let is_known = piece.found.as_ref().is_some_and(|found| found.rules == FOUND_RULES);
            if is_known || !*piece.recent || id.as_builtin().is_some() || self.unknowable.contains(&id) {
                continue;
            }
            if !self.listen() {
                return;
            }
            let Ok(score) = Library::default().score(&snapshot, &id) else {
                self.unknowable.insert(id);
                continue;
            };
            let place = piece.path().unwrap_or_default().to_owned();
            let found = match piece.found.as_ref() {
                Some(old) => Found { bytes: old.bytes, modified: old.modified, path: place, ..Found::of(&score) },
                None => Found { path: place, ..Found::of(&score) },
            };
            batch.push(Publish::new(id.entity(), Event::PieceFound(Box::new(found))).actor("library"));
            if batch.len() >= BATCH && !self.keep(&mut batch) {
                return;
            }
        }
        self.keep(&mut batch);
        self.report.found = found_in_folders;
    }

    /// Pieces of the watched folders whose files are not there, or no longer theirs.
    fn missing(&self, places: &Places, present: &BTreeMap<String, SeenFile>) -> HashSet<PieceId> {
        let below = |file: &SeenFile| self.report.folders.iter().any(|folder| is_below(file, &folder.path));
        let gone = places.by_id.iter().filter(|(_, file)| below(file) && present.get(&file.path) != Some(*file));
        gone.map(|(id, _)| id.clone()).collect()
    }

    fn list_refused(&mut self, passed: &[(String, String)]) {
        let refused = self.memos.iter().filter_map(|(path, (_, memo))| match memo {
            Memo::Refused(reason) => Some((path.clone(), reason.clone())),
            Memo::Twin(_) => None,
        });
        let mut all: Vec<(String, String)> = passed.iter().cloned().chain(refused).collect();
        self.report.refused_count = all.len();
        all.sort();
        all.truncate(REFUSED_MAX);
        self.report.refused = all.into();
    }

    fn show(&mut self, at_once: bool) {
        let now = self.bus.clock().now();
        if !at_once && now - self.last_shown < SHOW_EVERY {
            return;
        }
        self.last_shown = now;
        let before = self.shown.swap(Arc::new(self.report.clone()));
        // A look that has found nothing new disturbs nobody.
        if *before != (ShelfReport { looks: before.looks, ..self.report.clone() }) {
            (self.wake)();
        }
    }
}

/// How long the folders are left alone when it took so long to go through them.
fn rest_after(walk: Micros) -> Duration {
    AGAIN.max(Duration::from_micros(u64::try_from(walk.0).unwrap_or(0)) * REST_FACTOR)
}

/// Whether the file that stands for a piece is there.
fn holds(places: &Places, present: &BTreeMap<String, SeenFile>, id: &PieceId) -> bool {
    places.by_id.get(id).is_some_and(|file| present.get(&file.path) == Some(file))
}

fn is_below(file: &SeenFile, folder: &str) -> bool {
    Path::new(&file.path).starts_with(folder)
}

/// The watched folders, by path.
fn watched(snapshot: &Snapshot<Trainer>) -> Vec<String> {
    let folders = snapshot.state.iter_prefix("folder/");
    let mut paths: Vec<String> = folders
        .filter_map(|(_, versioned)| match &versioned.value {
            Some(Entity::Folder(choice)) if choice.watched => Some(choice.path.clone()),
            _ => None,
        })
        .collect();
    paths.sort();
    paths
}

/// What a file holds.
fn read(file: &SeenFile) -> Result<(PieceId, Found), String> {
    let path = Path::new(&file.path);
    let bytes = read_file(path).map_err(|error| error.reason())?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Readers are total; if one is not, this file is refused and the others are read.
    let reading = catch_unwind(AssertUnwindSafe(|| formats::read(&name, &bytes)));
    let reading = reading.map_err(|_| "the program failed at it".to_owned())?.map_err(|error| error.to_string())?;
    let found =
        Found { path: file.path.clone(), bytes: file.bytes, modified: file.modified, ..Found::of(&reading.score) };
    Ok((name_of(&bytes), found))
}

#[cfg(test)]
mod tests;
