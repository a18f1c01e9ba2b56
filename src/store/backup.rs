//! A copy of a store that is at work: compact, whole, and named only once it is on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use heed::CompactionOption;

use super::env::{DATA_FILE, StoreFault};
use super::open::{OpenError, open_read_only, storage_error, take_lock};
use super::reader::LmdbReader;
use super::verify::{Damage, check_at_work, verify};
use crate::bus::hlc::Hlc;
use crate::bus::storage::{StorageError, StorageReader};
use crate::time::WallMillis;

/// The folder of a data folder's own backups.
pub const BACKUPS: &str = "backups";
/// Backups kept of a data folder.
const KEPT: usize = 3;

/// The backups of a data folder that can be opened, newest first: where, how many events, when the last was made.
pub fn backups_in(dir: &Path) -> Vec<(PathBuf, u64, WallMillis)> {
    let read = |path: PathBuf| {
        let reader = open_read_only(&path).ok()?;
        let end = reader.last().ok()?;
        Some((path, end.seq, Hlc::wall(end.hlc)))
    };
    let mut found: Vec<_> = backup_folders(dir).into_iter().filter_map(read).collect();
    found.sort_by(|a, b| b.cmp(a));
    found
}

/// Whether a data folder has backups.
pub(super) fn has_backups(dir: &Path) -> bool {
    !backup_folders(dir).is_empty()
}

/// Their folders, oldest first, by name.
fn backup_folders(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join(BACKUPS)).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.join(DATA_FILE).exists()).collect();
    folders.sort();
    folders
}

/// Adds a backup of that name to a data folder's own, and removes the oldest beyond three, or all older ones if they
/// hold what shall be gone; gives its bytes, or none if `go_on` said no before it was known to be good, and it is not kept.
/// Names sort by age.
///
/// # Errors
/// It cannot be written, or what was copied is damaged; the older ones are then as they were.
pub fn back_up(
    reader: &LmdbReader,
    dir: &Path,
    name: &str,
    only: bool,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Option<u64>, StorageError> {
    let io = |e| StoreFault::from(heed::Error::Io(e)).into_storage();
    let folder = dir.join(BACKUPS);
    match make_private_folder(&folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(io(e)),
        _ => {}
    }
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for partial in entries.filter(|path| path.extension().is_some_and(|ending| ending == "partial")) {
        // From a backup that was killed.
        fs::remove_dir_all(partial).map_err(io)?;
    }
    let made = folder.join(name);
    let bytes = backup(reader, &made)?;
    // The others go only when this one is known to be good.
    let checked = open_read_only(&made).map_err(|e| StorageError::Unusable(e.to_string()));
    let damage = checked.and_then(|copy| check_at_work(&copy, go_on))?;
    if damage.is_some() || !go_on() {
        fs::remove_dir_all(&made).map_err(io)?;
        return damage.map_or(Ok(None), |Damage { place, what }| Err(StorageError::Damaged { place, what }));
    }
    let others: Vec<PathBuf> = backup_folders(dir).into_iter().filter(|path| *path != made).collect();
    for old in &others[..others.len().saturating_sub(if only { 0 } else { KEPT - 1 })] {
        fs::remove_dir_all(old).map_err(io)?;
    }
    Ok(Some(bytes))
}

/// Copies the store into a new folder `out`, which can then be opened as a data folder. Refuses where anything of that
/// name exists. Gives the copy's size in bytes. What was erased is not in the copy.
///
/// The copy is made in `out` with `.partial` added, and renamed when it is on the disk; a failure leaves nothing behind.
pub fn backup(reader: &LmdbReader, out: &Path) -> Result<u64, StorageError> {
    let io = |e| StoreFault::from(heed::Error::Io(e)).into_storage();
    if out.symlink_metadata().is_ok() {
        return Err(StorageError::Unusable(format!("{} exists already", out.display())));
    }
    let partial = partial_name(out)?;
    match make_private_folder(&partial) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            let what = format!("{} is left from another backup; remove it first", partial.display());
            return Err(StorageError::Unusable(what));
        }
        made => made.map_err(io)?,
    }
    let copied = copy(reader, &partial)
        .and_then(|bytes| fs::rename(&partial, out).map(|()| bytes).map_err(io))
        .and_then(|bytes| sync_folder(parent(out)).map(|()| bytes).map_err(io));
    if copied.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_dir_all(&partial);
    }
    copied
}

/// What a restoration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Bytes of the data file.
    pub bytes: u64,
    /// Where what was in the folder before is now, if anything was.
    pub before: Option<PathBuf>,
}

/// Puts a copy, checked whole, in the place of a data folder that no program has open. What was there is kept beside it,
/// under its name with `.before-restore` added: nothing is deleted.
///
/// # Errors
/// The copy cannot be opened or is damaged, the folder is in use, or the disk fails. The folder is then as it was; if the
/// machine dies between the two renames, the next program to open the folder brings them to their end.
pub fn restore(from: &Path, dir: &Path) -> Result<Restored, OpenError> {
    let reader = open_read_only(from)?;
    let checked = verify(&reader, &mut |_, _| {}).map_err(|e| storage_error(from, e))?;
    if let Some(damage) = checked.damages.first() {
        let (place, what) = (damage.place.clone(), damage.what.clone());
        return Err(OpenError::Damaged { dir: from.into(), place, what });
    }
    let io = |e: std::io::Error| storage_error(dir, StoreFault::from(heed::Error::Io(e)).into_storage());
    let there = dir.symlink_metadata().is_ok();
    let lock = if there { Some(take_lock(dir)?) } else { None };
    let partial = partial_name(dir).map_err(|e| storage_error(dir, e))?;
    make_anew(&partial).map_err(io)?;
    let swapped = copy(&reader, &partial).map_err(|e| storage_error(dir, e)).and_then(|bytes| {
        let before = swap_in(&partial, dir).map_err(io)?;
        Ok(Restored { bytes, before })
    });
    if swapped.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_dir_all(&partial);
    }
    drop(lock);
    swapped
}

/// Puts a new folder in the place of another, which is set aside; gives where. The folder's backups stay with it.
pub(super) fn swap_in(partial: &Path, dir: &Path) -> std::io::Result<Option<PathBuf>> {
    let before = if dir.symlink_metadata().is_ok() { Some(set_aside(dir)?) } else { None };
    if let Err(error) = fs::rename(partial, dir) {
        // Back as it was; the error that matters is the first one.
        if let Some(before) = &before {
            let _ = fs::rename(before, dir);
        }
        return Err(error);
    }
    if let Some(before) = &before {
        // Where they cannot be moved, they are still there.
        let _ = fs::rename(before.join(BACKUPS), dir.join(BACKUPS));
    }
    sync_folder(parent(dir))?;
    Ok(before)
}

/// Makes an empty folder for what shall be swapped in. What a restoration or recovery that was killed has left there goes.
pub(super) fn make_anew(partial: &Path) -> std::io::Result<()> {
    if partial.symlink_metadata().is_ok() {
        fs::remove_dir_all(partial)?;
    }
    make_private_folder(partial)
}

/// Brings a swap to its end that a kill or a power failure broke off between its renames.
pub(super) fn finish_swap(dir: &Path) -> std::io::Result<()> {
    let Ok(partial) = partial_name(dir) else { return Ok(()) };
    let Some(aside) = asides(dir).take_while(|aside| aside.symlink_metadata().is_ok()).last() else { return Ok(()) };
    if dir.symlink_metadata().is_err() && partial.join(DATA_FILE).exists() {
        // The old folder is set aside only when the new one is complete.
        fs::rename(&partial, dir)?;
        sync_folder(parent(dir))?;
    }
    if dir.join(DATA_FILE).exists() && !dir.join(BACKUPS).exists() && aside.join(BACKUPS).exists() {
        fs::rename(aside.join(BACKUPS), dir.join(BACKUPS))?;
    }
    Ok(())
}

/// The names under which folders are set aside.
fn asides(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let suffix = |number: u32| if number == 1 { String::new() } else { format!("-{number}") };
    (1..).map(move |number| dir.with_file_name(format!("{name}.before-restore{}", suffix(number))))
}

/// Renames a folder to the first free name beside it.
fn set_aside(dir: &Path) -> std::io::Result<PathBuf> {
    let aside = asides(dir).find(|aside| aside.symlink_metadata().is_err());
    let aside = aside.ok_or(ErrorKind::AlreadyExists)?;
    fs::rename(dir, &aside)?;
    Ok(aside)
}

fn copy(reader: &LmdbReader, folder: &Path) -> Result<u64, StorageError> {
    let copied = reader.gate().with(|open| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(folder.join(DATA_FILE)).map_err(heed::Error::Io)?;
        open.env.copy_to_file(&mut file, CompactionOption::Enabled)?;
        file.sync_all().map_err(heed::Error::Io)?;
        let bytes = file.metadata().map_err(heed::Error::Io)?.len();
        sync_folder(folder).map_err(heed::Error::Io)?;
        Ok(bytes)
    });
    copied.map_err(StoreFault::into_storage)
}

pub(super) fn partial_name(out: &Path) -> Result<PathBuf, StorageError> {
    let name = out.file_name().ok_or_else(|| StorageError::Unusable(format!("{} names no folder", out.display())))?;
    let mut name = name.to_os_string();
    name.push(".partial");
    Ok(out.with_file_name(name))
}

fn parent(out: &Path) -> &Path {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(super) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes new names in a folder last; only Unix can and must.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
