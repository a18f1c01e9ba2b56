//! Stands where libc's `pwrite`, `writev`, `fdatasync` and `fsync` stand in the program that includes it: the linker
//! finds these first. Records what LMDB writes and syncs of one file, or makes it fail.
#![expect(unsafe_code, reason = "stands where libc's functions stand")]
#![expect(clippy::disallowed_types, reason = "held by ordinary threads of a test")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::{c_int, c_void, iovec, off_t, size_t, ssize_t};
use music_trainer::bus::storage::*;

/// What the database did to its file.
pub(crate) enum Op {
    Write {
        offset: usize,
        bytes: Vec<u8>,
        /// Through a descriptor that syncs each write.
        synced: bool,
    },
    Sync,
    /// A commit has returned: everything up to this event was called durable.
    Acknowledged(u64),
}

/// The inode of the watched file, 0 for none.
static WATCHED: AtomicU64 = AtomicU64::new(0);
static OPS: Mutex<Vec<Op>> = Mutex::new(Vec::new());
/// Operations until one fails; below zero none does.
static FUSE: AtomicI64 = AtomicI64::new(-1);
/// Operations that then fail, and with which error: the count in the upper half.
static FAULT: AtomicI64 = AtomicI64::new(0);

/// One test at a time.
static CLAIM: Mutex<()> = Mutex::new(());

/// The disk under one file: what is written there is recorded, or fails.
pub(crate) struct Disk(#[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

impl Disk {
    /// Watches a file from now on; other tests wait.
    pub(crate) fn watch(path: &Path) -> Self {
        let claim = CLAIM.lock().unwrap_or_else(PoisonError::into_inner);
        OPS.lock().unwrap_or_else(PoisonError::into_inner).clear();
        WATCHED.store(fs::metadata(path).expect("the file is there").ino(), Ordering::SeqCst);
        Self(claim)
    }

    /// Watches no more, and keeps other tests waiting: a process forked meanwhile would hold their locks for a moment.
    pub(crate) fn rest(&self) {
        WATCHED.store(0, Ordering::SeqCst);
    }

    /// Notes something between the operations.
    pub(crate) fn record(&self, op: Op) {
        record(op);
    }

    /// What was recorded.
    pub(crate) fn ops(&self) -> Vec<Op> {
        std::mem::take(&mut *OPS.lock().expect("nobody panics while recording"))
    }

    /// After `after` more operations on the file, `count` of them fail with `error`.
    pub(crate) fn fail(&self, after: u32, count: u32, error: c_int) {
        FAULT.store(i64::from(count) << 32 | i64::from(error), Ordering::SeqCst);
        FUSE.store(i64::from(after), Ordering::SeqCst);
    }

    /// Nothing fails any more; whether something did.
    pub(crate) fn heal(&self) -> bool {
        FAULT.store(0, Ordering::SeqCst);
        FUSE.swap(-1, Ordering::SeqCst) < 0
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        WATCHED.store(0, Ordering::SeqCst);
        self.heal();
    }
}

/// The error with which an operation on the watched file fails now, if it does.
fn fault(fd: c_int) -> Option<c_int> {
    if FUSE.load(Ordering::SeqCst) < 0 && FAULT.load(Ordering::SeqCst) >> 32 == 0 || !is_watched(fd) {
        return None;
    }
    let left = FUSE.load(Ordering::SeqCst);
    if left > 0 {
        FUSE.store(left - 1, Ordering::SeqCst);
        return None;
    }
    let fault = FAULT.load(Ordering::SeqCst);
    if fault >> 32 == 0 {
        return None;
    }
    FUSE.store(-1, Ordering::SeqCst);
    FAULT.store(fault - (1 << 32), Ordering::SeqCst);
    Some(fault as u32 as c_int)
}

fn refuse(error: c_int) -> c_int {
    // SAFETY: the calling thread's own error number.
    unsafe { *libc::__errno_location() = error };
    -1
}

fn is_watched(fd: c_int) -> bool {
    let watched = WATCHED.load(Ordering::Relaxed);
    if watched == 0 {
        return false;
    }
    // SAFETY: all zeros are a value of this plain struct, and `fstat` writes into it and nowhere else.
    let (found, inode) = unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        (libc::fstat(fd, &mut stat), stat.st_ino)
    };
    found == 0 && inode == watched
}

fn record(op: Op) {
    OPS.lock().expect("nobody panics while recording").push(op);
}

fn record_write(fd: c_int, offset: off_t, bytes: Vec<u8>) {
    // SAFETY: asks for the flags of a descriptor.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    record(Op::Write { offset: offset as usize, bytes, synced: flags & libc::O_DSYNC != 0 });
}

/// # Safety
/// As libc's `pwrite`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pwrite(fd: c_int, from: *const c_void, count: size_t, offset: off_t) -> ssize_t {
    if let Some(error) = fault(fd) {
        return refuse(error) as ssize_t;
    }
    // SAFETY: the caller's promise is handed on, and `count` bytes are readable at `from`.
    unsafe {
        let written = libc::syscall(libc::SYS_pwrite64, fd, from, count, offset) as ssize_t;
        if written > 0 && is_watched(fd) {
            record_write(fd, offset, std::slice::from_raw_parts(from.cast(), written as usize).to_vec());
        }
        written
    }
}

/// # Safety
/// As libc's `writev`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    if let Some(error) = fault(fd) {
        return refuse(error) as ssize_t;
    }
    // SAFETY: the caller's promise is handed on: `count` parts, each readable over its length.
    unsafe {
        let watched = is_watched(fd);
        let offset = if watched { libc::lseek(fd, 0, libc::SEEK_CUR) } else { 0 };
        let written = libc::syscall(libc::SYS_writev, fd, parts, count) as ssize_t;
        if written > 0 && watched {
            let parts = std::slice::from_raw_parts(parts, count as usize);
            let bytes = parts.iter().map(|part| std::slice::from_raw_parts(part.iov_base.cast::<u8>(), part.iov_len));
            let bytes: Vec<u8> = bytes.flatten().copied().take(written as usize).collect();
            record_write(fd, offset, bytes);
        }
        written
    }
}

fn sync(fd: c_int, call: libc::c_long) -> c_int {
    if let Some(error) = fault(fd) {
        return refuse(error);
    }
    // SAFETY: touches no memory.
    let result = unsafe { libc::syscall(call, fd) } as c_int;
    if result == 0 && is_watched(fd) {
        record(Op::Sync);
    }
    result
}

/// # Safety
/// As libc's `fdatasync`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(fd, libc::SYS_fdatasync)
}

/// # Safety
/// As libc's `fsync`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    sync(fd, libc::SYS_fsync)
}

/// Events `from` to `to` of a few takes, the state after them, a snapshot now and then, and rows that come and go.
pub(crate) fn batch(device: DeviceId, from: u64, to: u64) -> Batch {
    let mut batch = Batch::default();
    let mut changed = BTreeSet::new();
    for seq in (from..=to).rev() {
        let (take, version) = (seq % 5, (seq - seq % 5) / 5 + 1);
        let version = if take == 0 { version - 1 } else { version };
        let id = EventId { device, device_seq: seq };
        let (entity, topic): (Box<str>, Box<str>) = (format!("take/{take}").into(), "note.played".into());
        let header = Header {
            seq,
            id,
            topic: topic.clone(),
            entity: entity.clone(),
            version,
            base: None,
            hlc: seq << 16,
            stamp: None,
            cause: None,
            actor: "audio".into(),
            schema: topic.clone(),
            schema_version: 1,
        };
        if changed.insert(take) {
            let value = Some(vec![seq as u8; 40 + (seq % 7) as usize * 30]);
            batch.state.push(StateRow { entity, version, last: id, topic, value });
        }
        // Some payloads need pages of their own.
        let length = if seq % 97 == 0 { 9_000 } else { 20 };
        batch.events.push(StoredEvent { header, payload: Payload::Bytes(vec![seq as u8; length]) });
    }
    batch.events.reverse();
    batch.snapshot = from.is_multiple_of(3);
    for row in 0..(from % 6) as u8 {
        let value = (!from.is_multiple_of(4)).then(|| vec![row; 120]);
        batch.rows.push(Row { table: Table::Private, key: vec![row + 1], value });
    }
    batch
}
