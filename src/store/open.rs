//! Opening a data folder: what can be wrong with one, each with its own message; the lock that keeps a second program
//! out; the machine's identity.

use std::fs::{self, File, OpenOptions as FileOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use heed::MdbError;

use super::backup::{finish_swap, has_backups, sync_folder};
use super::env::{DATA_FILE, EnvError, EnvOptions, Gate, is_full};
use super::image::ImageError;
use super::mounts;
use super::pages::Depth;
use super::reader::LmdbReader;
use super::rows;
use super::writer::LmdbStorage;
use crate::bus::storage::{DeviceId, StorageError, StorageReader, Table};

/// The file whose lock says that a program works in the folder. It holds the program's process id, for the message.
pub const LOCK_FILE: &str = "instance.lock";
/// The version of the tables and keys, in `meta`. A folder with a higher one is left alone.
pub const STORE_FORMAT: u32 = 1;

/// The row of [`Table::Meta`] that holds [`STORE_FORMAT`], as 4 big-endian bytes.
pub(super) const FORMAT_KEY: &[u8] = b"format";
/// The row of [`Table::Meta`] that holds the machine's id, as 8 big-endian bytes: where the bus looks for it.
pub(super) const DEVICE_KEY: &[u8] = b"device";

/// How a folder is opened for writing.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Bytes of address space reserved for the data at first; a multiple of the page size. It takes no room on disk,
    /// and doubles when it is full.
    pub map_size: usize,
    /// The machine that a fresh folder belongs to; drawn at random if not said.
    pub device: Option<DeviceId>,
}

impl Default for OpenOptions {
    /// 4 GiB on 64-bit Unix; 1 GiB on 64-bit Windows; 256 MiB where addresses have 32 bits.
    fn default() -> Self {
        let shift = match (cfg!(target_pointer_width = "64"), cfg!(unix)) {
            (true, true) => 32,
            (true, false) => 30,
            (false, _) => 28,
        };
        Self { map_size: 1usize << shift, device: None }
    }
}

/// An open folder.
pub struct Opened {
    /// For the persister.
    pub storage: LmdbStorage,
    /// The machine, drawn when the folder was made.
    pub device: DeviceId,
    /// Whether the folder was made just now.
    pub fresh: bool,
    /// Whether the last program to have it came to its end in order. If not, [`super::verify`] is worth its time.
    pub clean: bool,
    /// The folder's lock; another program may open the folder once this is dropped. Keep it longer than the storage.
    pub lock: InstanceLock,
}

/// Held while this program works in a folder.
#[derive(Debug)]
pub struct InstanceLock {
    file: File,
    whole: Whole,
}

/// Says that everything in a folder was found whole, so that the next program need not look again. It is from the start
/// where the last program came to its end in order.
#[derive(Clone, Debug)]
pub struct Whole(Arc<AtomicBool>);

impl Whole {
    /// Everything was looked at.
    pub fn mark(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl InstanceLock {
    /// For whoever looks at everything.
    pub fn whole(&self) -> Whole {
        self.whole.clone()
    }
}

impl OpenError {
    /// Whether something is wrong with the data, against which [`super::recover`] may help.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Foreign { .. } | Self::CutShort { .. } | Self::Damaged { .. })
    }
}

impl Drop for InstanceLock {
    /// An empty lock file tells the next program that this one came to its end in order, and knew of no damage.
    fn drop(&mut self) {
        if self.whole.0.load(Ordering::Acquire) {
            // If that fails, the next program looks at everything for nothing.
            let _ = self.file.set_len(0);
        }
        // Closing alone leaves the lock to a child process that is just being started and has a copy of the file.
        let _ = self.file.unlock();
    }
}

/// Why a folder cannot be opened. Each text is for the person at the instrument.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another program holds the lock.
    #[error("{} is in use by another program{}", dir.display(), pid.map(|p| format!(" (process {p})")).unwrap_or_default())]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// The other's process, where it could be read.
        pid: Option<u32>,
    },
    /// There is something else of that name.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// The folder, or a file in it, cannot be written.
    #[error("{} cannot be written ({what})", dir.display())]
    ReadOnly {
        /// The folder.
        dir: PathBuf,
        /// The system's words.
        what: String,
    },
    /// Memory maps and locks do not work there.
    #[error("{} is on a network drive ({kind}); choose a folder on this machine", dir.display())]
    Network {
        /// The folder.
        dir: PathBuf,
        /// The kind of file system.
        kind: String,
    },
    /// The data file was not written by this program.
    #[error("{} is not a data file of this program ({what})", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// The data file ends too early, as after a broken copy.
    #[error("{} is cut short: it has {have} bytes and should have at least {need}", file.display())]
    CutShort {
        /// The file.
        file: PathBuf,
        /// Its bytes.
        have: u64,
        /// The bytes its header speaks of.
        need: u64,
    },
    /// A newer program wrote the folder.
    #[error("{} was written by a newer version (format {found}, this one reads {STORE_FORMAT})", dir.display())]
    Newer {
        /// The folder.
        dir: PathBuf,
        /// Its format.
        found: u32,
    },
    /// What is stored contradicts itself.
    #[error("damaged data in {} at {place}: {what}", dir.display())]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// The table and key.
        place: String,
        /// What was found.
        what: String,
    },
    /// The folder was opened for reading, and there is nothing to read.
    #[error("{} holds no data of this program", .0.display())]
    Nothing(PathBuf),
    /// No room.
    #[error("the disk that holds {} is full ({what})", dir.display())]
    Full {
        /// The folder.
        dir: PathBuf,
        /// The system's words.
        what: String,
    },
    /// Anything else the system refused.
    #[error("{} cannot be opened ({what})", dir.display())]
    Io {
        /// The folder.
        dir: PathBuf,
        /// The system's words.
        what: String,
    },
}

/// Opens a folder for writing, and makes it if it is not there.
pub fn open(dir: &Path, options: OpenOptions) -> Result<Opened, OpenError> {
    finish_swap(dir).map_err(|e| io_error(dir, e))?;
    make_folder(dir)?;
    let dir = dir.canonicalize().map_err(|e| io_error(dir, e))?;
    refuse_network(&dir)?;
    let file = dir.join(DATA_FILE);
    if fs::metadata(&file).map_or(0, |m| m.len()) == 0 && has_backups(&dir) {
        // Whoever has backups has had data.
        return Err(OpenError::CutShort { file, have: 0, need: 1 });
    }
    let (lock, clean) = take_lock(&dir)?;
    let depth = if clean { Depth::Inner } else { Depth::All };
    let OpenOptions { map_size, device } = options;
    let options = EnvOptions { dir: dir.clone(), map_size, read_only: false, depth };
    let gate = Arc::new(Gate::open(options).map_err(|e| env_error(&dir, e))?);
    restrict(&dir, &[LOCK_FILE, DATA_FILE, "lock.mdb"]);
    let (device, fresh) = identify(&gate, device).map_err(|e| e.locate(&dir))?;
    if fresh {
        // LMDB makes the files' contents last, but not their names.
        sync_folder(&dir).and_then(|()| dir.parent().map_or(Ok(()), sync_folder)).map_err(|e| io_error(&dir, e))?;
    }
    let storage = LmdbStorage::new(gate, device).map_err(|e| storage_error(&dir, e))?;
    Ok(Opened { storage, device, fresh, clean, lock })
}

/// Opens a folder for reading only, also while a program works in it: takes an LMDB reader and not the folder's lock.
/// Within the program that has it open for writing, use that storage's readers instead.
pub fn open_read_only(dir: &Path) -> Result<LmdbReader, OpenError> {
    let meta = fs::metadata(dir).map_err(|e| io_error(dir, e))?;
    if !meta.is_dir() {
        return Err(OpenError::NotAFolder(dir.into()));
    }
    let dir = dir.canonicalize().map_err(|e| io_error(dir, e))?;
    refuse_network(&dir)?;
    if fs::metadata(dir.join(DATA_FILE)).map_or(0, |m| m.len()) == 0 {
        return Err(OpenError::Nothing(dir));
    }
    let options = EnvOptions { dir: dir.clone(), map_size: 0, read_only: true, depth: Depth::Inner };
    let gate = Arc::new(Gate::open(options).map_err(|e| env_error(&dir, e))?);
    let reader = LmdbReader::new(gate, DeviceId(0), rows::entity_hash);
    match read_identity(&reader).map_err(|e| e.locate(&dir))? {
        Some(device) => Ok(reader.with_device(device)),
        None => Err(OpenError::Nothing(dir)),
    }
}

fn io_error(dir: &Path, e: std::io::Error) -> OpenError {
    let (dir, what) = (dir.to_path_buf(), e.to_string());
    match e.kind() {
        ErrorKind::NotFound => OpenError::Nothing(dir),
        ErrorKind::NotADirectory => OpenError::NotAFolder(dir),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly { dir, what },
        _ if is_full(&e) => OpenError::Full { dir, what },
        _ => OpenError::Io { dir, what },
    }
}

pub(super) fn env_error(dir: &Path, e: EnvError) -> OpenError {
    let file = dir.join(DATA_FILE);
    match e {
        EnvError::Image(ImageError::Io(e)) | EnvError::Lmdb(heed::Error::Io(e)) => io_error(dir, e),
        EnvError::Image(ImageError::Foreign(what)) => OpenError::Foreign { file, what: what.into() },
        EnvError::Image(ImageError::CutShort { have, need }) => OpenError::CutShort { file, have, need },
        EnvError::Image(ImageError::Damaged { page, what }) => {
            OpenError::Damaged { dir: dir.into(), place: format!("{DATA_FILE} page {page}"), what }
        }
        EnvError::Lmdb(heed::Error::Mdb(e @ (MdbError::Invalid | MdbError::VersionMismatch))) => {
            OpenError::Foreign { file, what: e.to_string() }
        }
        EnvError::Lmdb(heed::Error::EnvAlreadyOpened) => {
            OpenError::InUse { dir: dir.into(), pid: Some(std::process::id()) }
        }
        EnvError::MissingTable(_) => OpenError::Nothing(dir.into()),
        other => storage_error(dir, other.into_storage()),
    }
}

pub(super) fn storage_error(dir: &Path, e: StorageError) -> OpenError {
    let dir = dir.to_path_buf();
    match e {
        StorageError::Full(what) => OpenError::Full { dir, what },
        StorageError::Damaged { place, what } => OpenError::Damaged { dir, place, what },
        StorageError::Io(what) | StorageError::Unusable(what) => OpenError::Io { dir, what },
    }
}

fn make_folder(dir: &Path) -> Result<(), OpenError> {
    match fs::metadata(dir) {
        Ok(meta) if meta.is_dir() => return Ok(()),
        Ok(_) => return Err(OpenError::NotAFolder(dir.into())),
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(io_error(dir, e)),
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(|e| io_error(parent, e))?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| io_error(dir, e))
}

fn refuse_network(dir: &Path) -> Result<(), OpenError> {
    match mounts::network_kind(dir) {
        Some(kind) => Err(OpenError::Network { dir: dir.into(), kind }),
        None => Ok(()),
    }
}

/// The lock, and whether the last program to hold it let it go by itself.
pub(super) fn take_lock(dir: &Path) -> Result<(InstanceLock, bool), OpenError> {
    let mut options = FileOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(dir.join(LOCK_FILE)).map_err(|e| io_error(dir, e))?;
    let locked = file.try_lock();
    // Only a text of a few bytes is ever ours, and a locked file cannot be read everywhere.
    let mut text = String::new();
    let read = (&mut file).take(64).read_to_string(&mut text);
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = read.ok().and_then(|_| text.trim().parse().ok());
            return Err(OpenError::InUse { dir: dir.into(), pid });
        }
        Err(TryLockError::Error(e)) => return Err(io_error(dir, e)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
    written.map_err(|e| io_error(dir, e))?;
    let clean = text.is_empty();
    Ok((InstanceLock { file, whole: Whole(Arc::new(AtomicBool::new(clean))) }, clean))
}

/// Takes the folder's files away from other people, where an older umask or copy gave them; as far as it goes.
fn restrict(dir: &Path, names: &[&str]) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        // A folder given by the person may belong to somebody else; its files are still ours to open.
        let _ = set(dir, 0o700);
        for name in names {
            let _ = set(&dir.join(name), 0o600);
        }
    }
    #[cfg(not(unix))]
    let _ = (dir, names);
}

/// What is wrong with the store's own rows.
enum IdentityError {
    Newer(u32),
    Storage(StorageError),
}

impl From<StorageError> for IdentityError {
    fn from(e: StorageError) -> Self {
        Self::Storage(e)
    }
}

impl IdentityError {
    fn locate(self, dir: &Path) -> OpenError {
        match self {
            Self::Newer(found) => OpenError::Newer { dir: dir.into(), found },
            Self::Storage(e) => storage_error(dir, e),
        }
    }
}

/// Format and device from `meta`; `None` when the store is new.
fn read_identity(reader: &LmdbReader) -> Result<Option<DeviceId>, IdentityError> {
    let damaged = |key: &[u8], what: &str| StorageError::Damaged {
        place: format!("meta {}", key.escape_ascii()),
        what: what.into(),
    };
    let value = |key: &[u8]| -> Result<Option<Vec<u8>>, StorageError> {
        let row = reader.rows(Table::Meta, key)?.into_iter().find(|row| row.key == key);
        Ok(row.and_then(|row| row.value))
    };
    let format = match value(FORMAT_KEY)? {
        Some(bytes) => Some(bytes.try_into().map_err(|_| damaged(FORMAT_KEY, "not four bytes"))?),
        None => None,
    };
    let device = match value(DEVICE_KEY)? {
        Some(bytes) => Some(bytes.try_into().map_err(|_| damaged(DEVICE_KEY, "not eight bytes"))?),
        None => None,
    };
    let found = (format.map(u32::from_be_bytes), device.map(|bytes| DeviceId(u64::from_be_bytes(bytes))));
    match found {
        (Some(format), _) if format > STORE_FORMAT => Err(IdentityError::Newer(format)),
        (Some(_), Some(device)) => Ok(Some(device)),
        (None, None) if reader.last()?.seq == 0 => Ok(None),
        (None, _) => Err(damaged(FORMAT_KEY, "no such row").into()),
        (_, None) => Err(damaged(DEVICE_KEY, "no such row").into()),
    }
}

/// The device of the folder, drawn and written first where the folder is new.
fn identify(gate: &Arc<Gate>, device: Option<DeviceId>) -> Result<(DeviceId, bool), IdentityError> {
    let reader = LmdbReader::new(Arc::clone(gate), DeviceId(0), rows::entity_hash);
    if let Some(device) = read_identity(&reader)? {
        return Ok((device, false));
    }
    let device = device.unwrap_or_else(random_device);
    let written = gate.with(|open| {
        let mut txn = open.env.write_txn()?;
        let meta = open.tables.small(Table::Meta);
        let mut value = Vec::new();
        rows::seal("meta", FORMAT_KEY, &STORE_FORMAT.to_be_bytes(), &mut value);
        meta.put(&mut txn, FORMAT_KEY, &value)?;
        rows::seal("meta", DEVICE_KEY, &device.0.to_be_bytes(), &mut value);
        meta.put(&mut txn, DEVICE_KEY, &value)?;
        Ok(txn.commit()?)
    });
    written.map_err(|fault| fault.into_storage())?;
    Ok((device, true))
}

/// Random through the keys of the standard library's hash maps, which come from the operating system.
fn random_device() -> DeviceId {
    use std::hash::{BuildHasher, RandomState};
    let drawn = RandomState::new().hash_one(std::process::id());
    let mut hasher = blake3::Hasher::new();
    hasher.update(&drawn.to_le_bytes()).update(&RandomState::new().hash_one("device").to_le_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    DeviceId(u64::from_le_bytes(bytes).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a fresh folder, changes the store's own rows, and says how the folder opens then.
    fn check(key: &[u8], content: Option<&[u8]>, expected: &str) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
        let changed = opened.storage.lmdb_reader().gate().with(|open| {
            let mut txn = open.env.write_txn()?;
            let meta = open.tables.small(Table::Meta);
            match content {
                None => assert!(meta.delete(&mut txn, key)?),
                Some(content) => {
                    let mut value = Vec::new();
                    rows::seal("meta", key, content, &mut value);
                    meta.put(&mut txn, key, &value)?;
                }
            }
            Ok(txn.commit()?)
        });
        assert!(changed.is_ok());
        drop(opened);
        let found = open(dir.path(), OpenOptions::default()).err().expect("a refusal").to_string();
        assert!(found.contains(expected), "{found} instead of {expected}");
        let found = open_read_only(dir.path()).err().expect("a refusal").to_string();
        assert!(found.contains(expected), "{found} instead of {expected}");
    }

    #[test]
    fn a_folder_of_a_newer_program_is_left_alone() {
        check(FORMAT_KEY, Some(&2u32.to_be_bytes()), "was written by a newer version (format 2, this one reads 1)");
    }

    #[test]
    fn a_store_that_does_not_know_itself_is_damaged() {
        check(FORMAT_KEY, None, "at meta format: no such row");
        check(DEVICE_KEY, None, "at meta device: no such row");
        check(DEVICE_KEY, Some(&[1]), "at meta device: not eight bytes");
        check(FORMAT_KEY, Some(&[]), "at meta format: not four bytes");
    }
}
