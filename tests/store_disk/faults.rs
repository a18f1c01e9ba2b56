//! A disk that fails: full, or with an error, at any write or sync of a commit, once or for a while. A commit that fails
//! leaves nothing to be seen; tried again when the disk works, it is there; what was called durable is there after the
//! program was started again. Nothing panics.
//!
//! `FAULTS` sets how many failures (1 000), `FAULT_SEED` repeats a run.

use std::fs;
use std::hash::{BuildHasher, RandomState};

use music_trainer::bus::storage::{Storage, StorageError};
use music_trainer::bus::testing::Random;
use music_trainer::store::{OpenOptions, Opened, open, verify};

use super::shim::{Disk, batch};

/// Address space at first: it fills several times on the way.
const MAP: usize = 64 * 4_096;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|n| n.parse().ok())
}

/// What a run went through.
#[derive(Debug, Default)]
struct Tally {
    full: u64,
    io: u64,
    restarts: u64,
    lock_files: u64,
}

fn check(opened: &Opened, last: u64) {
    let found = verify(&opened.storage.lmdb_reader(), &mut |_, _| {}).expect("readable");
    assert!(found.is_whole(), "{:?}", found.damages);
    assert_eq!(opened.storage.reader().last().expect("readable").seq, last);
}

#[test]
fn a_disk_that_fails_loses_nothing_and_lies_about_nothing() {
    let seed = number("FAULT_SEED").unwrap_or_else(|| RandomState::new().hash_one("seed"));
    let faults = number("FAULTS").unwrap_or(1_000);
    println!("FAULT_SEED={seed}");
    let mut random = Random(seed);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("data.mdb");
    let begin = || open(dir.path(), OpenOptions { map_size: MAP, ..OpenOptions::default() }).expect("the folder opens");
    let mut opened = begin();
    let disk = Disk::watch(&file);
    let (mut last, mut tally) = (0, Tally::default());
    for round in 0..faults {
        let to = last + 1 + random.below(40);
        let batch = batch(opened.device, last + 1, to);
        let error = if random.below(2) == 0 { libc::ENOSPC } else { libc::EIO };
        disk.fail(random.below(12) as u32, 1 + random.below(3) as u32, error);
        let done = opened.storage.commit(&batch);
        // Reading goes on meanwhile, of what is durable.
        let seen = opened.storage.reader().events(1, 10).expect("the reader works").len() as u64;
        assert_eq!(seen, last.min(10).max(if done.is_ok() { to.min(10) } else { 0 }));
        match &done {
            Ok(_) => {}
            Err(StorageError::Full(_)) => tally.full += 1,
            Err(StorageError::Io(_)) => tally.io += 1,
            Err(error) => panic!("round {round}: {error}"),
        }
        let mut tries = 0;
        let mut done = done;
        while done.is_err() {
            tries += 1;
            assert!(tries < 10, "round {round}: {done:?}");
            disk.heal();
            done = opened.storage.commit(&batch);
        }
        disk.heal();
        assert_eq!(done.map(|done| done.durable), Ok(to), "round {round}");
        last = to;
        disk.ops();
        let lock = dir.path().join("lock.mdb");
        // One that was taken away comes back when the environment is opened anew, and not before.
        if random.below(20) == 0 && lock.exists() {
            tally.lock_files += 1;
            fs::remove_file(lock).expect("a lock file");
        }
        if random.below(10) == 0 {
            tally.restarts += 1;
            check(&opened, last);
            drop(opened);
            opened = begin();
            check(&opened, last);
        }
    }
    drop(disk);
    check(&opened, last);
    println!("{faults} faults, {last} events: {tally:?}");
    assert!(faults < 100 || tally.full > 0 && tally.io > 0 && tally.restarts > 0 && tally.lock_files > 0);
}
