//! What a power failure leaves behind: the real LMDB writes, a shim records what it wrote and what it synced, and every
//! moment becomes disk images in which unsynced sectors are kept or lost at random. Each image opens, is whole, and has
//! everything that a commit had returned for.
//!
//! `CRASH_IMAGES` sets how many images (20 000), `CRASH_SEED` repeats a run.
//!
//! The model: a sector of 512 bytes is written whole or not at all, and a disk that says that it has synced has. Without
//! syncs, the control, the same images must be torn; else the test would prove nothing.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::Command;

use music_trainer::bus::storage::{Storage, StorageReader};
use music_trainer::bus::testing::Random;
use music_trainer::store::{OpenOptions, open, open_read_only, verify};

use super::shim::{Disk as Shim, Op, batch};

const SECTOR: usize = 512;
/// Commits of the recorded run.
const COMMITS: u64 = 70;

/// The file before the first operation, and all operations.
struct Story {
    file: Vec<u8>,
    ops: Vec<Op>,
}

/// Commits of 1 to 40 events, recorded.
fn story(random: &mut Random) -> (Story, Shim) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
    let path = dir.path().join("data.mdb");
    let file = fs::read(&path).expect("a data file");
    let shim = Shim::watch(&path);
    let mut last = 0;
    for _ in 0..COMMITS {
        let to = last + 1 + random.below(40);
        let done = opened.storage.commit(&batch(opened.device, last + 1, to)).expect("a commit");
        last = to;
        shim.record(Op::Acknowledged(done.durable));
    }
    let ops = shim.ops();
    shim.rest();
    drop(opened);
    (Story { file, ops }, shim)
}

fn put(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    image.resize(image.len().max(offset + bytes.len()), 0);
    image[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// The durable part of the file, what was written since, and what was called durable.
struct Disk<'a> {
    durable: Vec<u8>,
    unsynced: Vec<(usize, &'a [u8])>,
    acknowledged: u64,
    /// The control: a disk that never syncs.
    deaf: bool,
}

impl<'a> Disk<'a> {
    fn new(file: &[u8], deaf: bool) -> Self {
        Self { durable: file.to_vec(), unsynced: Vec::new(), acknowledged: 0, deaf }
    }

    fn carry_out(&mut self, op: &'a Op) {
        match op {
            Op::Write { offset, bytes, synced: true } if !self.deaf => put(&mut self.durable, *offset, bytes),
            Op::Write { offset, bytes, .. } => self.unsynced.push((*offset, bytes)),
            Op::Sync if self.deaf => {}
            Op::Sync => {
                for (offset, bytes) in self.unsynced.drain(..) {
                    put(&mut self.durable, offset, bytes);
                }
            }
            Op::Acknowledged(seq) => self.acknowledged = *seq,
        }
    }

    /// What a failure may leave: of the unsynced sectors any part.
    fn image(&self, random: &mut Random) -> Vec<u8> {
        let mut image = self.durable.clone();
        let kept = [0, 5, 50, 95, 100][random.below(5) as usize];
        for (offset, bytes) in &self.unsynced {
            for (at, sector) in bytes.chunks(SECTOR).enumerate() {
                if random.below(100) < kept {
                    put(&mut image, offset + at * SECTOR, sector);
                }
            }
        }
        image
    }
}

/// What is wrong with an image, if anything. Of the control's images in a process of its own: a torn file under a
/// memory map can kill whoever reads it.
fn check(dir: &Path, image: &[u8], acknowledged: u64, apart: bool) -> Result<(), String> {
    fs::write(dir.join("data.mdb"), image).map_err(|e| e.to_string())?;
    if !apart {
        return look(dir, acknowledged);
    }
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child
        .args(["--exact", "crash::child", "--nocapture"])
        .env("CRASH_CHILD", dir)
        .env("CRASH_SEQ", acknowledged.to_string());
    let output = child.output().expect("a child process");
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().find_map(|line| line.strip_prefix("found: ")) {
        Some("whole") => Ok(()),
        Some(what) => Err(what.to_owned()),
        None => Err(format!("torn: the reader died, {}", output.status)),
    }
}

#[test]
fn child() {
    // Does something only when started by the test below.
    let (Some(dir), Ok(seq)) = (std::env::var_os("CRASH_CHILD"), std::env::var("CRASH_SEQ")) else { return };
    let found = look(Path::new(&dir), seq.parse().expect("a number"));
    println!("\nfound: {}", found.err().unwrap_or_else(|| "whole".to_owned()));
}

fn look(dir: &Path, acknowledged: u64) -> Result<(), String> {
    let reader = open_read_only(dir).map_err(|e| e.to_string())?;
    let found = verify(&reader, &mut |_, _| {}).map_err(|e| e.to_string())?;
    if let Some(damage) = found.damages.first() {
        return Err(format!("torn: {damage}"));
    }
    let last = reader.last().map_err(|e| e.to_string())?.seq;
    if last < acknowledged {
        return Err(format!("lost: the log ends at {last}, and {acknowledged} was called durable"));
    }
    Ok(())
}

/// Images of every moment of a story, and what was wrong with those that were not whole.
fn images(story: &Story, count: u64, deaf: bool, random: &mut Random) -> (u64, Vec<String>) {
    let dir = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" }).expect("a folder");
    let mut disk = Disk::new(&story.file, deaf);
    let mut wrong = Vec::new();
    let each = count.div_ceil(story.ops.len() as u64 + 1);
    let mut made = 0;
    for op in story.ops.iter().map(Some).chain([None]) {
        for _ in 0..each {
            made += 1;
            wrong.extend(check(dir.path(), &disk.image(random), disk.acknowledged, deaf).err());
        }
        if let Some(op) = op {
            disk.carry_out(op);
        }
    }
    (made, wrong)
}

#[test]
fn after_a_power_failure_nothing_is_torn_and_nothing_durable_is_lost() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seed = number("CRASH_SEED").unwrap_or_else(|| RandomState::new().hash_one("seed"));
    let wanted = number("CRASH_IMAGES").unwrap_or(20_000);
    println!("CRASH_SEED={seed}");
    let mut random = Random(seed);
    let (story, _shim) = story(&mut random);
    let count = |is: fn(&Op) -> bool| story.ops.iter().filter(|op| is(op)).count();
    let (writes, syncs) = (count(|op| matches!(op, Op::Write { .. })), count(|op| matches!(op, Op::Sync)));
    println!("{COMMITS} commits, {writes} writes, {syncs} syncs");
    assert!(syncs as u64 >= COMMITS, "the shim sees the syncs");
    assert!(count(|op| matches!(op, Op::Write { synced: true, .. })) as u64 >= COMMITS, "and the synced writes");
    let (made, wrong) = images(&story, wanted, false, &mut random);
    println!("{made} images, {} not whole", wrong.len());
    assert!(wrong.is_empty(), "{} of {made}, first {}; replay with CRASH_SEED={seed}", wrong.len(), wrong[0]);
    let (made, wrong) = images(&story, wanted / 20, true, &mut random);
    let torn = wrong.iter().filter(|what| !what.starts_with("lost")).count();
    println!("control without syncs: {made} images, {torn} torn, {} lost what was durable", wrong.len() - torn);
    assert!(torn > 0 && wrong.len() > torn, "without syncs images must be torn, and lose what was called durable");
}
