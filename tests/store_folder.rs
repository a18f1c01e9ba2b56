//! What can be wrong with a data folder, and what the person is told. Runs as root, as CI does: file permissions alone
//! stop nobody there, so that a read-only folder and a full disk are real mounts.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::PoisonError;

use music_trainer::bus::storage::*;
use music_trainer::bus::testing::stored;
use music_trainer::store::{OpenError, OpenOptions, Opened, open, open_read_only, verify};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn opened(dir: &Path) -> Opened {
    open(dir, OpenOptions::default()).expect("the folder opens")
}

fn refusal(dir: &Path) -> String {
    match open(dir, OpenOptions::default()) {
        Ok(_) => panic!("{} opened", dir.display()),
        Err(e) => e.to_string(),
    }
}

fn event(device: DeviceId, seq: u64, bytes: usize) -> StoredEvent {
    stored(EventId { device, device_seq: seq }, "take/1", seq, vec![seq as u8; bytes])
}

/// `events` more events of `bytes` each, after `last`.
fn batch(device: DeviceId, last: u64, events: u64, bytes: usize) -> Batch {
    let seqs = last + 1..=last + events;
    let row = StateRow {
        entity: "take/1".into(),
        version: last + events,
        last: EventId { device, device_seq: last + events },
        topic: "take".into(),
        value: Some(vec![0; 10]),
    };
    Batch { events: seqs.map(|seq| event(device, seq, bytes)).collect(), state: vec![row], ..Batch::default() }
}

fn assert_whole(dir: &Path, events: u64) {
    let reader = open_read_only(dir).expect("the folder opens for reading");
    let verified = verify(&reader, &mut |_, _| {}).expect("verification ends");
    assert_eq!((verified.damages, verified.events), (vec![], events));
}

#[test]
fn a_new_folder_is_made_and_belongs_to_its_owner_alone() {
    let parent = folder();
    let dir = parent.path().join("music/trainer");
    let device = opened(&dir).device;
    assert_ne!(device, opened(&parent.path().join("another")).device);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for file in fs::read_dir(&dir).expect("a listing") {
        let file = file.expect("an entry").path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_second_program_is_refused_and_told_whom_by() {
    let dir = folder();
    let first = opened(dir.path());
    let canonical = dir.path().canonicalize().expect("a path");
    let expected = format!("{} is in use by another program (process {})", canonical.display(), std::process::id());
    assert_eq!(refusal(dir.path()), expected);
    drop(first);
    opened(dir.path());
}

#[test]
fn a_file_where_a_folder_should_be_is_refused() {
    let dir = folder();
    let file = dir.path().join("data");
    fs::write(&file, "text").expect("a file");
    assert_eq!(refusal(&file), format!("{} is not a folder", file.display()));
    assert_eq!(refusal(&file.join("below")), format!("{} is not a folder", file.join("below").display()));
    assert_eq!(open_read_only(&file).err(), Some(OpenError::NotAFolder(file)));
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let check = |content: &[u8], expected: &str| {
        let dir = folder();
        let file = dir.path().join("data.mdb");
        fs::write(&file, content).expect("a file");
        let found = refusal(dir.path());
        assert!(found.contains("data.mdb is not a data file of this program") && found.contains(expected), "{found}");
        assert!(open_read_only(dir.path()).is_err());
        assert_eq!(fs::read(&file).expect("a file"), content);
    };
    check(b"a text file", "too short");
    check(&[0; 100_000], "no LMDB header");
    check(&[0xff; 8_192], "no LMDB header");
    let mut of_another_version = data_file_of(0);
    of_another_version[20] = 2;
    check(&of_another_version, "another version of LMDB");
}

/// The data file of a store with `events` events.
fn data_file_of(events: u64) -> Vec<u8> {
    let dir = folder();
    let mut opened = opened(dir.path());
    opened.storage.commit(&batch(opened.device, 0, events, 100)).expect("a commit");
    drop(opened);
    fs::read(dir.path().join("data.mdb")).expect("a file")
}

#[test]
fn a_data_file_cut_short_anywhere_is_refused() {
    let whole = data_file_of(200);
    let page = 4_096;
    assert!(whole.len() > 10 * page);
    for keep in [1, 15, 151, page, page + 100, 2 * page, 3 * page + 7, whole.len() - page, whole.len() - 1] {
        let dir = folder();
        fs::write(dir.path().join("data.mdb"), &whole[..keep]).expect("a file");
        let found = open(dir.path(), OpenOptions::default()).err().expect("a refusal");
        assert!(matches!(found, OpenError::CutShort { .. } | OpenError::Foreign { .. }), "{keep}: {found:?}");
        assert!(open_read_only(dir.path()).is_err(), "{keep}");
    }
    let dir = folder();
    fs::write(dir.path().join("data.mdb"), &whole).expect("a file");
    opened(dir.path());
}

#[test]
fn damaged_rows_of_the_store_itself_are_named() {
    let whole = data_file_of(0);
    let at = whole.windows(6).position(|w| w == b"device").expect("the row") + 6;
    let mut changed = whole.clone();
    changed[at + 8] ^= 1;
    let dir = folder();
    fs::write(dir.path().join("data.mdb"), &changed).expect("a file");
    let found = refusal(dir.path());
    assert!(found.contains("damaged data in") && found.contains("at meta device"), "{found}");
}

#[test]
fn a_folder_without_data_is_nothing_to_read() {
    let dir = folder();
    let found = open_read_only(dir.path()).err().expect("a refusal").to_string();
    assert!(found.ends_with("holds no data of this program"), "{found}");
    assert!(open_read_only(&dir.path().join("absent")).is_err());
    assert_eq!(fs::read_dir(dir.path()).expect("a listing").count(), 0, "looking leaves nothing behind");
}

#[test]
fn a_running_programs_folder_can_be_read_by_another_process() {
    let dir = folder();
    let mut opened = opened(dir.path());
    opened.storage.commit(&batch(opened.device, 0, 30, 50)).expect("a commit");
    let alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child_reads", "--nocapture"])
        .env("STORE_FOLDER_CHILD", dir.path())
        .output()
        .expect("a child");
    drop(alone);
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("30 events, whole"), "{said}");
    opened.storage.commit(&batch(opened.device, 30, 1, 50)).expect("the writer goes on");
}

#[test]
fn child_reads() {
    // Does something only as the child of the test above.
    let Some(dir) = std::env::var_os("STORE_FOLDER_CHILD") else { return };
    let dir = PathBuf::from(dir);
    assert!(matches!(open(&dir, OpenOptions::default()).err(), Some(OpenError::InUse { pid: Some(_), .. })));
    assert_whole(&dir, 30);
    println!("30 events, whole");
}

/// A small file system of its own, gone at the end of the test.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Self {
        let dir = folder();
        run("mount", &["-t", "tmpfs", "-o", options, "tmpfs"], dir.path());
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        // Unmounts after a failed test too, and must then not fail a second time.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// A child process has the files of all tests until it has begun its own program, and a file that is open for writing
/// keeps a file system from being made read-only. So one is started at a time, and a mount has its end before the next.
#[expect(clippy::disallowed_types, reason = "shared by the threads of the tests")]
static STARTING: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn run(program: &str, arguments: &[&str], path: &Path) {
    let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let done = Command::new(program).args(arguments).arg(path).status();
    assert!(done.is_ok_and(|s| s.success()), "NOT RUN: {program} needs root and a kernel that lets it; run as root");
}

#[test]
fn a_read_only_folder_is_refused_and_can_still_be_read() {
    let mount = Mount::new("size=4m");
    let mut opened = opened(mount.path());
    opened.storage.commit(&batch(opened.device, 0, 5, 50)).expect("a commit");
    drop(opened);
    run("mount", &["-o", "remount,ro"], mount.path());
    let found = open(mount.path(), OpenOptions::default()).err().expect("a refusal");
    assert!(matches!(found, OpenError::ReadOnly { .. }), "{found:?}");
    assert!(found.to_string().contains("cannot be written"), "{found}");
    let below = open(&mount.path().join("below"), OpenOptions::default()).err().expect("a refusal");
    assert!(matches!(below, OpenError::ReadOnly { .. }), "{below:?}");
    assert_whole(mount.path(), 5);
}

#[test]
fn a_full_disk_loses_nothing_and_the_same_batch_goes_in_once_there_is_room() {
    let mount = Mount::new("size=2m");
    let ballast = mount.path().join("ballast");
    fs::write(&ballast, vec![1; 600_000]).expect("ballast");
    let mut opened = opened(&mount.path().join("data"));
    let mut last = 0;
    let refused = loop {
        let next = batch(opened.device, last, 40, 600);
        match opened.storage.commit(&next) {
            Ok(done) => last = done.durable,
            Err(e) => break e,
        }
        assert!(last < 10_000, "the disk never filled up");
    };
    assert!(matches!(refused, StorageError::Full(_)), "{refused:?}");
    assert!(last >= 80, "{last}");
    let next = batch(opened.device, last, 40, 600);
    for _ in 0..3 {
        assert!(matches!(opened.storage.commit(&next), Err(StorageError::Full(_))));
        assert_eq!(opened.storage.reader().last().expect("still readable").seq, last);
    }
    fs::remove_file(&ballast).expect("room again");
    assert_eq!(opened.storage.commit(&next).expect("the same batch").durable, last + 40);
    drop(opened);
    assert_whole(&mount.path().join("data"), last + 40);
}

#[test]
fn a_disk_too_small_for_a_new_store_says_so() {
    let mount = Mount::new("size=16k");
    let found = open(&mount.path().join("data"), OpenOptions::default()).err().expect("a refusal");
    assert!(matches!(found, OpenError::Full { .. }), "{found:?}");
}

#[test]
fn a_small_map_grows_under_live_readers() {
    let dir = folder();
    let mut opened =
        open(dir.path(), OpenOptions { map_size: 64 * 1024, ..OpenOptions::default() }).expect("the folder opens");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let reader = opened.storage.reader();
    let watching = std::thread::spawn(move || {
        let (mut seen, mut reads) = (0, 0u64);
        loop {
            let ending = stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Empty);
            let end = reader.last().expect("an end").seq;
            assert!(end >= seen && end.is_multiple_of(50), "half a batch was seen: {end} after {seen}");
            let events = reader.events(end.saturating_sub(3), 100).expect("events");
            assert!(events.last().is_none_or(|e| e.header.seq >= end));
            (seen, reads) = (end, reads + 1);
            if ending && reads >= 10 {
                return seen;
            }
        }
    });
    let mut last = 0;
    while last < 3_000 {
        last = opened.storage.commit(&batch(opened.device, last, 50, 1_000)).expect("a commit").durable;
    }
    stop.send(()).expect("the reader lives");
    assert_eq!(watching.join().expect("no reader failed"), last);
    let size = opened.storage.size();
    assert!(size.map_size >= 4 << 20 && size.map_used > 3 << 20 && size.map_used <= size.map_size, "{size:?}");
    drop(opened);
    // Opened with the small figure again, the map keeps the room it needs.
    let again =
        open(dir.path(), OpenOptions { map_size: 64 * 1024, ..OpenOptions::default() }).expect("the folder opens");
    assert!(again.storage.size().map_size >= size.map_size);
    drop(again);
    assert_whole(dir.path(), last);
}

#[test]
fn one_batch_may_need_several_doublings() {
    let dir = folder();
    let mut opened =
        open(dir.path(), OpenOptions { map_size: 64 * 1024, ..OpenOptions::default() }).expect("the folder opens");
    let big = batch(opened.device, 0, 4_096, 1_000);
    assert_eq!(opened.storage.commit(&big).expect("a commit").durable, 4_096);
    assert_eq!(opened.storage.size().events, 4_096);
}
