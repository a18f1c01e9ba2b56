//! A data file damaged anywhere is refused, or opens and says what is wrong; it never takes the program down.
//!
//! Damaged files are opened by child processes (this program with `DAMAGE_CHILD` set), because what a memory map can
//! do to a program is to kill it. `DAMAGES` sets how many files (10 000), `DAMAGE_SEED` repeats a run.
#![cfg(unix)]

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use music_trainer::bus::storage::*;
use music_trainer::bus::testing::stored;
use music_trainer::store::{OpenOptions, open, open_read_only, verify};

const ENTITIES: u64 = 40;

fn entity(number: u64) -> Box<str> {
    format!("take/{}", number % ENTITIES).into()
}

/// Events `from` to `to`, and the state after them.
fn batch(device: DeviceId, from: u64, to: u64) -> Batch {
    let mut batch = Batch::default();
    for seq in from..=to {
        // Some payloads need pages of their own.
        let bytes = if seq % 101 == 0 { 9_000 } else { 60 };
        let (version, last) = ((seq - 1) / ENTITIES + 1, EventId { device, device_seq: seq });
        let event = stored(last, entity(seq), version, vec![seq as u8; bytes]);
        if seq + ENTITIES > to {
            let Header { entity, topic, .. } = event.header.clone();
            batch.state.push(StateRow { entity, version, last, topic, value: Some(vec![7; 80]) });
        }
        batch.events.push(event);
    }
    for row in 0..30u8 {
        batch.rows.push(Row {
            table: Table::Private,
            key: vec![row + 1],
            value: (!to.is_multiple_of(7)).then(|| vec![row; 50]),
        });
    }
    batch
}

/// A data file with some history: pages freed and used again.
fn data_file() -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
    for at in 0..30 {
        opened.storage.commit(&batch(opened.device, at * 80 + 1, at * 80 + 80)).expect("a commit");
    }
    drop(opened);
    fs::read(dir.path().join("data.mdb")).expect("a file")
}

/// Knuth's MMIX generator: a seed repeats a run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Damages a file as disks, cables and broken copies do; says how.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) -> String {
    let at = random.below(bytes.len());
    let sector = at / 512 * 512..(at / 512 * 512 + 512).min(bytes.len());
    let page = at / 4_096 * 4_096;
    match random.below(6) {
        0 => {
            bytes[at] ^= 1 << random.below(8);
            format!("bit at {at}")
        }
        1 => {
            // Where the structure is: page headers and the first node pointers.
            let near = (page + random.below(48)).min(bytes.len() - 1);
            bytes[near] = random.below(256) as u8;
            format!("page header at {near}")
        }
        2 => {
            bytes[sector.clone()].fill(0);
            format!("zeros in {sector:?}")
        }
        3 => {
            let from = random.below(bytes.len() / 512) * 512;
            bytes.copy_within(from..from + sector.len(), sector.start);
            format!("sector {from} written to {sector:?}")
        }
        4 => {
            bytes[sector.clone()].fill_with(|| random.below(256) as u8);
            format!("noise in {sector:?}")
        }
        _ => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
    }
}

/// Files that one child opens, one after another.
const FILES: u64 = 200;

/// What an open store says of one file, in one word first.
fn open_damaged(dir: &Path) -> String {
    let seen = match open_read_only(dir) {
        Err(e) => format!("refused: {e}"),
        Ok(reader) => {
            let found = match verify(&reader, &mut |_, _| {}) {
                Err(e) => format!("found: {e}"),
                Ok(found) if found.is_whole() => format!("whole: {:016x}", contents(&reader)),
                Ok(found) => format!("found: {} damages, first {}", found.damages.len(), found.damages[0]),
            };
            // Whatever was found, asking for the rest must not hurt.
            let _ = (reader.events(1, usize::MAX), reader.state(&mut |_| {}));
            found
        }
    };
    if let Ok(mut opened) = open(dir, OpenOptions::default()) {
        for _ in 0..20 {
            let Ok(end) = opened.storage.reader().last() else { break };
            let _ = opened.storage.commit(&batch(opened.device, end.seq + 1, end.seq + 80));
        }
    }
    seen
}

/// A digest of everything that a store holds.
fn contents(reader: &dyn StorageReader) -> u64 {
    let mut all = format!("{:?}", reader.events(1, usize::MAX));
    let state = reader.state(&mut |row| all.push_str(&format!("{row:?}")));
    let rows = Table::ALL.map(|table| reader.rows(table, &[]));
    std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default().hash_one(format!("{all}{state:?}{rows:?}"))
}

#[test]
fn child() {
    // Does something only when started by the test below.
    let (Some(dir), Ok(from)) = (std::env::var_os("DAMAGE_CHILD"), std::env::var("DAMAGE_FROM")) else { return };
    let from: u64 = from.parse().expect("a number");
    for file in from.. {
        let dir = Path::new(&dir).join(file.to_string());
        if !dir.exists() {
            break;
        }
        println!("\n{file} {}", open_damaged(&dir));
    }
    println!("\nat the end");
}

/// What a child says of the files of a folder, from one on.
fn run_child(dir: &Path, from: u64) -> (ExitStatus, String) {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--nocapture"])
        .env("DAMAGE_CHILD", dir)
        .env("DAMAGE_FROM", from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(Duration::from_secs(300)) {
        Ok(done) => {
            let done = done.expect("its output");
            let said = [done.stdout, done.stderr].concat();
            (done.status, String::from_utf8_lossy(&said).into_owned())
        }
        Err(_) => {
            // So that it does not outlive the test.
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
            panic!("the child never ends");
        }
    }
}

/// What became of the damaged files.
#[derive(Default)]
struct Tally {
    refused: u64,
    found: u64,
    unharmed: u64,
    down: Vec<String>,
}

/// A part of the files: made, and opened by children.
fn part(seed: u64, count: u64, whole: &[u8], digest: &str) -> Tally {
    let mut random = Random(seed);
    let mut tally = Tally::default();
    for first in (0..count).step_by(FILES as usize) {
        let dir =
            tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" }).expect("a folder");
        let files = FILES.min(count - first);
        let mut hows = Vec::new();
        for file in 0..files {
            let mut bytes = whole.to_vec();
            hows.push(damage(&mut bytes, &mut random));
            let dir = dir.path().join(file.to_string());
            fs::create_dir(&dir).expect("a folder");
            fs::write(dir.join("data.mdb"), &bytes).expect("a file");
        }
        let mut next = 0;
        while next < files {
            let (status, said) = run_child(dir.path(), next);
            for line in said.lines() {
                let Some((number, what)) = line.split_once(' ') else { continue };
                if number.parse() != Ok(next) {
                    continue;
                }
                match what.split_once(": ") {
                    Some(("refused", _)) => tally.refused += 1,
                    Some(("found", _)) => tally.found += 1,
                    Some(("whole", found)) => {
                        assert_eq!(found, digest, "{}: harmless means that everything is there", hows[next as usize]);
                        tally.unharmed += 1;
                    }
                    _ => continue,
                }
                next += 1;
            }
            if !said.contains("at the end") {
                tally.down.push(format!(
                    "seed {seed}, file {}, {}: {status}\n{said}",
                    first + next,
                    hows[next as usize]
                ));
                next += 1;
            }
        }
    }
    tally
}

#[test]
fn a_damaged_data_file_is_found_out_or_unharmed_and_never_takes_the_program_down() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (count, seed) = (number("DAMAGES").unwrap_or(10_000), number("DAMAGE_SEED"));
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("seed"));
    let whole = data_file();
    println!("{count} damaged files of {} bytes, DAMAGE_SEED={seed}", whole.len());
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("data.mdb"), &whole).expect("a file");
    let digest = format!("{:016x}", contents(&open_read_only(dir.path()).expect("it is whole")));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let each = count.div_ceil(threads);
    let all = std::thread::scope(|scope| {
        let (whole, digest) = (&whole, &digest);
        let parts: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || part(seed ^ thread, each, whole, digest))).collect();
        parts.into_iter().fold(Tally::default(), |mut all, part| {
            let part = part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.refused += part.refused;
            all.found += part.found;
            all.unharmed += part.unharmed;
            all.down.extend(part.down);
            all
        })
    });
    let Tally { refused, found, unharmed, down } = all;
    println!("{refused} refused, {found} opened with the damage named, {unharmed} in unused bytes");
    assert!(down.is_empty(), "{} of {count} took the program down; {}", down.len(), down[0]);
    assert!(count < 100 || (refused > 10 && found > 10), "the damage was too mild to mean anything");
}
