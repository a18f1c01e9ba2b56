//! A data file damaged anywhere is refused, or opens and says what is wrong; it never takes the program down.
//!
//! Each damaged file is opened by a child process (this program with `DAMAGE_CHILD` set), because what a memory map
//! can do to a program is to kill it. `DAMAGES` sets how many files (100), `DAMAGE_SEED` repeats a run.
#![cfg(unix)]

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use music_trainer::bus::storage::*;
use music_trainer::store::{OpenOptions, open, open_read_only, verify};

const ENTITIES: u64 = 40;

fn entity(number: u64) -> Box<str> {
    format!("take/{}", number % ENTITIES).into()
}

/// Events `from` to `to`, and the state after them.
fn batch(device: DeviceId, from: u64, to: u64) -> Batch {
    let mut batch = Batch::default();
    for seq in from..=to {
        let header = Header {
            seq,
            id: EventId { device, device_seq: seq },
            topic: "take.note".into(),
            entity: entity(seq),
            version: (seq - 1) / ENTITIES + 1,
            base: None,
            hlc: seq,
            stamp: None,
            cause: None,
            actor: "recorder".into(),
            schema: "take.note".into(),
            schema_version: 1,
        };
        // Some payloads need pages of their own.
        let bytes = if seq % 101 == 0 { 9_000 } else { 60 };
        if seq + ENTITIES > to {
            let (entity, version, last) = (header.entity.clone(), header.version, header.id);
            batch.state.push(StateRow { entity, version, last, topic: "take.note".into(), value: Some(vec![7; 80]) });
        }
        batch.events.push(StoredEvent { header, payload: Payload::Bytes(vec![seq as u8; bytes]) });
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

#[test]
fn child() {
    // Does something only when started by the test below.
    let Some(dir) = std::env::var_os("DAMAGE_CHILD") else { return };
    let dir = Path::new(&dir);
    match open_read_only(dir) {
        Err(e) => println!("refused for reading: {e}"),
        Ok(reader) => {
            match verify(&reader, &mut |_, _| {}) {
                Err(e) => println!("not verified: {e}"),
                Ok(found) if found.is_whole() => println!("whole"),
                Ok(found) => println!("{} damages, first {}", found.damages.len(), found.damages[0]),
            }
            println!("events: {:?}", reader.events(1, usize::MAX).map(|e| e.len()));
            println!("state: {:?}", reader.state(&mut |_| {}));
        }
    }
    match open(dir, OpenOptions::default()) {
        Err(e) => println!("refused: {e}"),
        Ok(mut opened) => {
            for _ in 0..20 {
                let Ok(end) = opened.storage.reader().last() else { break };
                let done = opened.storage.commit(&batch(opened.device, end.seq + 1, end.seq + 80));
                println!("commit: {:?}", done.map(|c| c.durable));
            }
        }
    }
    println!("came to its end");
}

fn run_child(dir: &Path) -> (ExitStatus, String) {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--nocapture"])
        .env("DAMAGE_CHILD", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(Duration::from_secs(60)) {
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

#[test]
fn a_damaged_data_file_never_takes_the_program_down() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (count, seed) = (number("DAMAGES").unwrap_or(100), number("DAMAGE_SEED"));
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("seed"));
    println!("{count} damaged files, DAMAGE_SEED={seed}");
    let whole = data_file();
    let mut random = Random(seed);
    let (mut refused, mut found, mut unharmed, mut down) = (0, 0, 0, Vec::new());
    for round in 0..count {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut bytes = whole.clone();
        let how = damage(&mut bytes, &mut random);
        fs::write(dir.path().join("data.mdb"), &bytes).expect("a file");
        let (status, said) = run_child(dir.path());
        if !status.success() || !said.contains("came to its end") {
            down.push(format!("round {round}, {how}: {status}\n{said}"));
        } else if said.contains("refused: ") {
            refused += 1;
        } else if said.contains("whole") {
            unharmed += 1;
        } else {
            found += 1;
        }
    }
    println!("{refused} refused, {found} opened with the damage named, {unharmed} in unused bytes");
    assert!(down.is_empty(), "{} of {count} took the program down; {}", down.len(), down.join("\n"));
    assert!(count < 100 || (refused > 10 && found > 10), "the damage was too mild to mean anything");
}
