//! The LMDB environment: opened, closed, grown and reopened here and nowhere else. The only file with `unsafe`.
//!
//! Everybody goes through one gate, a read-write lock around the environment. Transactions, the writer's too, hold the
//! gate as readers; whoever must move or replace the map (growth, reopening after a failed write) holds it alone.
//! LMDB itself does not check that, and moves the map under a live reader.
//!
//! The environment is always in LMDB's synchronous mode: `NO_SYNC`, `NO_META_SYNC`, `WRITE_MAP` and `NO_LOCK` are never
//! set.

use std::path::{Path, PathBuf};
#[expect(clippy::disallowed_types, reason = "the gate; no real-time thread ever comes near the store")]
use std::sync::RwLock;

use std::time::Duration;

use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, MdbError, RoTxn, WithoutTls};

use super::image;
use super::pages::Depth;
use crate::bus::storage::{StorageError, TABLES, Table};

/// The data file in a folder; LMDB's own name for it.
pub(super) const DATA_FILE: &str = "data.mdb";

/// Keys and values are bytes to LMDB; their meaning is in `rows` and `record`.
pub(super) type Db = Database<'static, Bytes, Bytes>;

/// The handles of all tables.
#[derive(Clone, Copy)]
pub(super) struct Tables {
    pub(super) log: Db,
    pub(super) by_entity: Db,
    pub(super) state: Db,
    pub(super) snapshots: Db,
    /// In the order of [`Table::ALL`].
    small: [Db; 6],
}

impl Tables {
    pub(super) fn small(&self, table: Table) -> Db {
        self.small[table as usize]
    }

    /// All of them, by name.
    pub(super) fn named(&self) -> [(&'static str, Db); TABLES] {
        let small = |at: usize| (Table::ALL[at].name(), self.small[at]);
        let first =
            [("log", self.log), ("by_entity", self.by_entity), ("state", self.state), ("snapshots", self.snapshots)];
        std::array::from_fn(|at| if at < first.len() { first[at] } else { small(at - first.len()) })
    }
}

/// An open environment and its tables.
pub(super) struct Open {
    pub(super) env: Env<WithoutTls>,
    pub(super) tables: Tables,
}

/// How an environment is opened.
#[derive(Clone, Debug)]
pub(super) struct EnvOptions {
    pub(super) dir: PathBuf,
    /// Bytes; the file's own figure wins when it is larger.
    pub(super) map_size: usize,
    pub(super) read_only: bool,
    /// How far the file is looked at before it is mapped.
    pub(super) depth: Depth,
}

/// The environment behind its gate. `None` inside: it was closed after a failure and could not be opened again yet.
pub(super) struct Gate {
    options: EnvOptions,
    #[expect(clippy::disallowed_types, reason = "the gate; no real-time thread ever comes near the store")]
    open: RwLock<Option<Open>>,
}

impl Gate {
    pub(super) fn open(options: EnvOptions) -> Result<Self, EnvError> {
        let open = open_env(&options)?;
        #[expect(clippy::disallowed_types, reason = "the gate; no real-time thread ever comes near the store")]
        Ok(Self { options, open: RwLock::new(Some(open)) })
    }

    /// Looks at every page of the data file, with ordinary reads.
    pub(super) fn check_pages(&self) -> Result<(), image::ImageError> {
        image::check(&self.options.dir.join(DATA_FILE), Depth::All).map(drop)
    }

    /// Runs `work` on the open environment; the map does not move meanwhile. Must not be nested: a writer that waits
    /// for the gate would lock both.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Open) -> Result<T, StoreFault>) -> Result<T, StoreFault> {
        let guard = self.open.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        match guard.as_ref() {
            Some(open) => work(open),
            None => Err(StorageError::Io("the store is closed after a failed write".into()).into()),
        }
    }

    /// Runs `work` in a read transaction, once more if another process grew the map meanwhile.
    pub(super) fn read<T>(
        &self,
        mut work: impl FnMut(&RoTxn<'_, WithoutTls>, &Tables) -> Result<T, StoreFault>,
    ) -> Result<T, StorageError> {
        let mut attempt = || {
            self.with(|open| {
                let txn = open.env.read_txn()?;
                work(&txn, &open.tables)
            })
        };
        match attempt() {
            Err(StoreFault::Lmdb(heed::Error::Mdb(MdbError::MapResized))) => {
                self.adopt_size()?;
                attempt().map_err(StoreFault::into_storage)
            }
            done => done.map_err(StoreFault::into_storage),
        }
    }

    /// Doubles the map; waits for all transactions to end first.
    pub(super) fn grow(&self) -> Result<(), StorageError> {
        // A reader that was killed in another process keeps pages from being used again.
        self.with(|open| Ok(open.env.clear_stale_readers()?)).map_err(StoreFault::into_storage)?;
        self.resize(|now| now.saturating_mul(2))
    }

    /// Takes over the size that another process has given the map.
    pub(super) fn adopt_size(&self) -> Result<(), StorageError> {
        self.resize(|_| 0)
    }

    /// Whether a few pages cannot be written beside the data file; asked only after a write failed.
    pub(super) fn disk_is_full(&self) -> bool {
        let probe = self.options.dir.join("probe.tmp");
        let written = std::fs::write(&probe, vec![0x5a; 64 * 1024]);
        // Nothing depends on the probe; what cannot be removed is overwritten by the next.
        let _ = std::fs::remove_file(&probe);
        written.is_err_and(|e| is_full(&e))
    }

    #[expect(unsafe_code, reason = "LMDB cannot check that no transaction is open; the gate does")]
    fn resize(&self, size: impl Fn(usize) -> usize) -> Result<(), StorageError> {
        let guard = self.open.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let Some(open) = guard.as_ref() else { return Ok(()) };
        let size = size(open.env.info().map_size);
        // SAFETY: all transactions are begun and ended under the gate's read side, and this thread holds its write
        // side: none is open in this process. Other processes keep maps of their own.
        unsafe { open.env.resize(size) }.map_err(|e| StoreFault::from(e).into_storage())
    }

    /// Closes the environment and opens it again, after a write that may have left it unusable.
    pub(super) fn reopen(&self) -> Result<(), EnvError> {
        let mut guard = self.open.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(open) = guard.take() {
            open.env.prepare_for_closing().wait();
        }
        *guard = Some(open_env(&self.options)?);
        Ok(())
    }
}

/// Waits until a folder that this process has open is closed: its last reader may be in the middle of something. Whether
/// it is.
pub fn wait_closed(dir: &Path, wait: Duration) -> bool {
    let Ok(dir) = dir.canonicalize() else { return true };
    heed::env_closing_event(dir).is_none_or(|event| event.wait_timeout(wait))
}

/// Why an environment did not open.
#[derive(Debug)]
pub(super) enum EnvError {
    /// The file is none of ours, or cut short: found before LMDB touched it.
    Image(image::ImageError),
    /// A table is missing from an environment opened for reading only.
    MissingTable(&'static str),
    /// LMDB's own answer.
    Lmdb(heed::Error),
}

impl From<heed::Error> for EnvError {
    fn from(e: heed::Error) -> Self {
        Self::Lmdb(e)
    }
}

impl EnvError {
    pub(super) fn into_storage(self) -> StorageError {
        match self {
            Self::Image(e) => StorageError::Damaged { place: DATA_FILE.into(), what: e.to_string() },
            Self::MissingTable(name) => StorageError::Damaged { place: name.into(), what: "no such table".into() },
            Self::Lmdb(e) => StoreFault::from(e).into_storage(),
        }
    }
}

/// So long a file that this process has open and no longer locks may take to be closed.
const CLOSING_MAX: Duration = Duration::from_secs(5);

#[expect(unsafe_code, reason = "a memory map cannot be checked by the compiler")]
fn open_env(options: &EnvOptions) -> Result<Open, EnvError> {
    let found = image::check(&options.dir.join(DATA_FILE), options.depth).map_err(EnvError::Image)?;
    let used = found.map_or(0, |image| image.used);
    let mut map_size = options.map_size.max(found.map_or(0, |image| image.map_size));
    while used > map_size / 5 * 4 {
        map_size = map_size.saturating_mul(2);
    }
    // LMDB wants whole pages; the largest that any system has are a divisor of this.
    map_size = map_size.next_multiple_of(64 * 1024);
    let mut builder = EnvOpenOptions::new().read_txn_without_tls();
    builder.map_size(map_size).max_dbs(16);
    if options.read_only {
        // SAFETY: READ_ONLY takes nothing of LMDB's guarantees away, unlike the flags that this module never sets.
        unsafe { builder.flags(EnvFlags::READ_ONLY) };
    }
    // A thread of the program that worked here before may still hold a reader for a moment after its end.
    let closing = options.dir.canonicalize().ok().filter(|_| !options.read_only).and_then(heed::env_closing_event);
    if let Some(closing) = closing {
        // Who holds on to it longer is told of by the error below.
        let _closed = closing.wait_timeout(CLOSING_MAX);
    }
    // SAFETY: the file is changed by LMDB only: the folder is locked against a second writing program, is not on a
    // network drive (both `open`), and the file was checked to hold all pages its header speaks of (`image`).
    let env = unsafe { builder.open(&options.dir)? };
    env.clear_stale_readers()?;
    let tables = match options.read_only {
        true => find_tables(&env)?,
        false => make_tables(&env)?,
    };
    Ok(Open { env, tables })
}

fn make_tables(env: &Env<WithoutTls>) -> Result<Tables, EnvError> {
    let txn = env.write_txn()?;
    let made = env.create_databases_and_commit(txn, |opener, txn| -> heed::Result<_> {
        let mut make = |name| opener.create_database::<Bytes, Bytes>(txn, Some(name));
        let first = (make("log")?, make("by_entity")?, make("state")?, make("snapshots")?);
        let [a, b, c, d, e, f] = Table::ALL.map(Table::name);
        let small = (make(a)?, make(b)?, make(c)?, make(d)?, make(e)?, make(f)?);
        Ok(CommitOrAbort::<_, ()>::Commit((first, small)))
    })?;
    let ((log, by_entity, state, snapshots), (a, b, c, d, e, f)) = made.unwrap_commit();
    Ok(Tables { log, by_entity, state, snapshots, small: [a, b, c, d, e, f] })
}

fn find_tables(env: &Env<WithoutTls>) -> Result<Tables, EnvError> {
    let txn = env.read_txn()?;
    let found = env.open_databases_and_commit(txn, |opener, txn| -> heed::Result<_> {
        let find = |name| opener.open_database::<Bytes, Bytes>(txn, Some(name));
        let first = (find("log")?, find("by_entity")?, find("state")?, find("snapshots")?);
        let [a, b, c, d, e, f] = Table::ALL.map(Table::name);
        let small = (find(a)?, find(b)?, find(c)?, find(d)?, find(e)?, find(f)?);
        Ok(CommitOrAbort::<_, ()>::Commit((first, small)))
    })?;
    let ((log, by_entity, state, snapshots), (a, b, c, d, e, f)) = found.unwrap_commit();
    let small = [a, b, c, d, e, f];
    let there = |db: Option<Db>, name| db.ok_or(EnvError::MissingTable(name));
    let log = there(log, "log")?;
    let mut handles = [log; 6];
    for (at, db) in small.into_iter().enumerate() {
        handles[at] = there(db, Table::ALL[at].name())?;
    }
    Ok(Tables {
        log,
        by_entity: there(by_entity, "by_entity")?,
        state: there(state, "state")?,
        snapshots: there(snapshots, "snapshots")?,
        small: handles,
    })
}

/// What can go wrong inside a transaction: LMDB's answer, or our own finding.
#[derive(Debug)]
pub(super) enum StoreFault {
    Lmdb(heed::Error),
    Ours(StorageError),
}

impl From<heed::Error> for StoreFault {
    fn from(e: heed::Error) -> Self {
        Self::Lmdb(e)
    }
}

impl From<StorageError> for StoreFault {
    fn from(e: StorageError) -> Self {
        Self::Ours(e)
    }
}

impl StoreFault {
    /// Sorted by what helps against it.
    pub(super) fn into_storage(self) -> StorageError {
        let error = match self {
            Self::Ours(e) => return e,
            Self::Lmdb(e) => e,
        };
        let damaged = |what: String| StorageError::Damaged { place: DATA_FILE.into(), what };
        match error {
            heed::Error::Io(e) if is_full(&e) => StorageError::Full(e.to_string()),
            heed::Error::Io(e) => StorageError::Io(e.to_string()),
            heed::Error::Mdb(MdbError::MapFull) => StorageError::Full("the map cannot grow any further".into()),
            heed::Error::Mdb(e @ (MdbError::PageNotFound | MdbError::Corrupted | MdbError::Invalid)) => {
                damaged(e.to_string())
            }
            heed::Error::Encoding(e) | heed::Error::Decoding(e) => damaged(e.to_string()),
            other => StorageError::Io(other.to_string()),
        }
    }
}

/// Whether an I/O error says that there is no room: the disk, the person's quota, the longest file.
pub(super) fn is_full(e: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
