//! Care of the data folder while the program runs: a look through everything after an unclean end, a backup a day, backups
//! made anew when something was deleted for ever, and compaction. On a thread of its own, which waits for nothing but the
//! disk. Commits go on beside it; only a map that must grow waits for a backup to be done.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::bus::storage::StorageReader;
use crate::bus::{BusHandle, compaction};
use crate::model::Trainer;
use crate::store::{self, BACKUPS, LmdbReader, Whole};
use crate::time::{Clock, WallMillis};

/// The start is left to the music.
const FIRST: Duration = Duration::from_secs(20);
/// Then it looks this often whether something is due.
const AGAIN: Duration = Duration::from_secs(3_600);
/// Between two backups.
const BACKUP_EVERY: WallMillis = WallMillis(24 * 3_600 * 1_000);
/// In the folder of backups: they hold something that was deleted for ever since; and the same while they are made anew.
const STALE: &str = "stale";
const RENEWED: &str = "stale.renewed";
/// Words that wait.
const WORDS: usize = 16;

/// What the caretaker looks after.
pub struct Place {
    /// The data folder.
    pub dir: PathBuf,
    /// Its store.
    pub reader: LmdbReader,
    /// Whether the last program to have it came to its end in order.
    pub clean: bool,
    /// To be told when everything was found whole.
    pub whole: Whole,
}

/// What it has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Something in the folder cannot be read.
    Damaged(PathBuf),
    /// A backup was made.
    BackedUp,
    /// No backup could be made.
    NoBackup(String),
}

/// Says that something was deleted for ever.
#[derive(Clone)]
pub struct Copies {
    dir: PathBuf,
    words: Sender<()>,
}

impl Copies {
    /// The backups are to be made anew, also if the program is killed before they are.
    ///
    /// # Errors
    /// That cannot be written down.
    pub fn are_stale(&self) -> std::io::Result<()> {
        if !self.dir.exists() {
            return Ok(());
        }
        let mark = fs::File::create(self.dir.join(STALE))?;
        mark.sync_all()?;
        store::sync_folder(&self.dir)?;
        // Somebody has said so already if there is no room.
        let _ = self.words.try_send(());
        Ok(())
    }
}

/// The thread, as long as it is wanted.
pub struct Caretaker {
    quit: Option<Sender<()>>,
    /// Ends with the thread.
    done: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Caretaker {
    /// Starts the thread; `tell` is called with what a person should know.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        place: Place,
        bus: BusHandle<Trainer>,
        clock: Arc<dyn Clock>,
        tell: Box<dyn Fn(News) + Send>,
    ) -> std::io::Result<(Self, Copies)> {
        let (words, heard) = bounded(WORDS);
        let (quit, quitting) = bounded(0);
        let copies = Copies { dir: place.dir.join(BACKUPS), words };
        let care = Care { place, bus, clock, tell, quitting };
        let (ends, done) = bounded(0);
        let thread = Builder::new().name("caretaker".to_owned()).spawn(move || {
            care.run(&heard);
            drop(ends);
        })?;
        Ok((Self { quit: Some(quit), done, thread: Some(thread) }, copies))
    }
}

impl Caretaker {
    /// Tells it to end.
    pub fn quit(&mut self) {
        self.quit = None;
    }

    /// Tells it to end, and waits for that, but no longer than this: what it leaves half done it does again.
    pub fn end(mut self, wait: Duration) {
        self.quit();
        let thread = self.thread.take();
        if matches!(self.done.recv_timeout(wait), Err(RecvTimeoutError::Disconnected)) {
            let _ = thread.map(JoinHandle::join);
        }
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        self.quit();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Care {
    place: Place,
    bus: BusHandle<Trainer>,
    clock: Arc<dyn Clock>,
    tell: Box<dyn Fn(News) + Send>,
    /// Nothing is ever sent: its end says that the program ends.
    quitting: Receiver<()>,
}

impl Care {
    fn run(self, words: &Receiver<()>) {
        if !self.place.clean {
            match store::check_at_work(&self.place.reader, &mut || !self.is_quitting()) {
                // Nothing good comes of copies of what is damaged.
                Ok(Some(_)) => return (self.tell)(News::Damaged(self.place.dir.clone())),
                Ok(None) if !self.is_quitting() => self.place.whole.mark(),
                // What was not seen to its end, and a disk that fails: the next start looks again.
                Ok(None) | Err(_) => {}
            }
        }
        let mut wait = FIRST;
        loop {
            crossbeam_channel::select! {
                recv(self.quitting) -> _ => return,
                recv(words) -> _ => {}
                default(wait) => self.compact(),
            }
            while words.try_recv().is_ok() {}
            match self.back_up() {
                Ok(false) => {}
                Ok(true) => (self.tell)(News::BackedUp),
                Err(error) => (self.tell)(News::NoBackup(error)),
            }
            wait = AGAIN;
        }
    }

    fn is_quitting(&self) -> bool {
        matches!(self.quitting.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Disconnected))
    }

    /// A backup, if one is due; whether it was.
    fn back_up(&self) -> Result<bool, String> {
        let Place { dir, reader, .. } = &self.place;
        let renewed = dir.join(BACKUPS).join(RENEWED);
        // What is said to be stale from here on is so of the copy that is made now.
        match fs::rename(dir.join(BACKUPS).join(STALE), &renewed) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.to_string()),
            _ => {}
        }
        let only = renewed.exists();
        let events = reader.last().map_err(|e| e.to_string())?.seq;
        let now = self.clock.wall();
        let is_due = match store::backups_in(dir).first() {
            None => events > 0,
            Some((path, kept, _)) => *kept < events && made(path).is_none_or(|at| now - at >= BACKUP_EVERY),
        };
        if !only && !is_due {
            return Ok(false);
        }
        let name = jiff::Timestamp::from_millisecond(now.0).map_err(|e| e.to_string())?;
        let name = name.strftime(NAMES).to_string();
        let made = store::back_up(reader, dir, &name, only, &mut || !self.is_quitting()).map_err(|e| e.to_string())?;
        if made.is_none() {
            return Ok(false);
        }
        if only {
            fs::remove_file(&renewed).map_err(|e| e.to_string())?;
        }
        Ok(true)
    }

    /// What is not done now is done at the next start.
    fn compact(&self) {
        let Some(report) = self.bus.inspect_now() else { return };
        if let Ok(Some(what)) = compaction::due::<Trainer>(&self.place.reader, &report.subscribers, self.clock.wall()) {
            let _ = self.bus.erase(what);
        }
    }
}

/// How backups are named: by the moment, in the time of Greenwich.
const NAMES: &str = "%Y-%m-%dT%H-%M-%S%.3fZ";

/// When a backup was made, from its name.
fn made(path: &Path) -> Option<WallMillis> {
    let name = path.file_name()?.to_str()?;
    let at = jiff::civil::DateTime::strptime(NAMES, name).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(WallMillis(at.timestamp().as_millisecond()))
}
