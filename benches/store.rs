//! Durable events per second through the store and bytes written for each, beside bare heed loops with the same bytes
//! and batches in the same run.
//!
//! Two baselines: `append` writes the records only, at their keys, into one table; `tables` also writes the index and
//! the state row, that is, everything the store writes, encoded beforehand. Both sync as the store does: they are
//! LMDB's own speed on this disk. Rounds alternate, so that a busy machine is busy for all three.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, PutFlags, WithoutTls};
use music_trainer::bus::storage::*;
use music_trainer::store::record::{self, CHAIN_START, Chain};
use music_trainer::store::{OpenOptions, Opened, open, rows};
use support::event;

/// Events per batch and batches per round.
const SIZES: [(u64, u64); 4] = [(1, 60), (16, 60), (256, 30), (4_096, 6)];
const ROUNDS: usize = 5;
/// The folders of the three.
const NAMES: [&str; 3] = ["store", "append", "tables"];

fn batch(device: DeviceId, last: u64, events: u64) -> Batch {
    let row = StateRow {
        entity: "take/8f2c".into(),
        version: last + events,
        last: EventId { device, device_seq: last + events },
        topic: "take.note".into(),
        value: Some(vec![0; 120]),
    };
    Batch {
        events: (last + 1..=last + events).map(|seq| event(device, seq)).collect(),
        state: vec![row],
        ..Batch::default()
    }
}

type Db = Database<'static, Bytes, Bytes>;

/// LMDB as it is, with three tables.
struct Bare {
    env: Env<WithoutTls>,
    tables: [Db; 3],
    last: u64,
    chain: Chain,
}

impl Bare {
    #[expect(unsafe_code, reason = "the baseline opens LMDB as the store does")]
    fn open(dir: &Path) -> Self {
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(OpenOptions::default().map_size).max_dbs(3);
        // SAFETY: the folder is this benchmark's own.
        let env = unsafe { options.open(dir) }.expect("a fresh folder");
        let txn = env.write_txn().expect("a transaction");
        let tables = env
            .create_databases_and_commit(txn, |opener, txn| -> heed::Result<_> {
                let mut make = |name| opener.create_database::<Bytes, Bytes>(txn, Some(name));
                Ok(CommitOrAbort::<_, ()>::Commit([make("a")?, make("b")?, make("c")?]))
            })
            .expect("tables")
            .unwrap_commit();
        Self { env, tables, last: 0, chain: CHAIN_START }
    }

    /// Key and value of all the store would write for a batch, made outside the measured time.
    fn encode(&mut self, device: DeviceId, events: u64) -> Vec<(usize, Vec<u8>, Vec<u8>)> {
        let batch = batch(device, self.last, events);
        let mut out = Vec::new();
        for event in &batch.events {
            let mut value = Vec::new();
            self.chain = record::encode(&self.chain, event, &mut value).expect("an event encodes");
            let header = &event.header;
            let index = rows::by_entity_key(rows::entity_hash(&header.entity), header.version, header.seq);
            out.push((0, rows::log_key(header.seq).to_vec(), value));
            out.push((1, index.to_vec(), vec![]));
        }
        let (mut key, mut content, mut value) = (Vec::new(), Vec::new(), Vec::new());
        rows::state_key(&batch.state[0].entity, &mut key);
        rows::encode_state(&batch.state[0], &mut content).expect("a row encodes");
        rows::seal("state", &key, &content, &mut value);
        out.push((2, key, value));
        self.last += events;
        out
    }

    fn write(&self, rows: &[(usize, Vec<u8>, Vec<u8>)], tables: usize) {
        let mut txn = self.env.write_txn().expect("a transaction");
        for (table, key, value) in rows.iter().filter(|(table, _, _)| *table < tables) {
            let flags = if *table == 0 { PutFlags::APPEND } else { PutFlags::empty() };
            self.tables[*table].put_with_flags(&mut txn, flags, key, value).expect("a write");
        }
        txn.commit().expect("a commit");
    }
}

/// Bytes this process has caused to be written to disks, where the system counts them.
fn written() -> Option<u64> {
    let io = std::fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.parse().ok()
}

/// Bytes that a folder's files take on the disk.
fn on_disk(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = std::fs::read_dir(dir).expect("a folder").flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.blocks() * 512)).sum()
}

/// What one of the three took: time, bytes written, and by how much its files grew.
struct Sum {
    dir: PathBuf,
    time: Duration,
    bytes: u64,
    grown: u64,
}

impl Sum {
    fn new(dir: PathBuf) -> Self {
        Self { dir, time: Duration::ZERO, bytes: 0, grown: 0 }
    }

    fn add(&mut self, work: impl FnOnce()) {
        let (size, bytes, start) = (on_disk(&self.dir), written(), Instant::now());
        work();
        self.time += start.elapsed();
        self.bytes += written().zip(bytes).map_or(0, |(after, before)| after - before);
        self.grown += on_disk(&self.dir).saturating_sub(size);
    }
}

fn run_size(dir: &Path, opened: &mut Opened, append: &mut Bare, tables: &mut Bare, events: u64, batches: u64) {
    let device = opened.device;
    let mut sums = NAMES.map(|name| Sum::new(dir.join(name)));
    let mut last = opened.storage.reader().last().expect("an end").seq;
    for _ in 0..ROUNDS {
        let ours: Vec<_> = (0..batches).map(|n| batch(device, last + n * events, events)).collect();
        last += batches * events;
        sums[0].add(|| {
            for batch in &ours {
                opened.storage.commit(batch).expect("a commit");
            }
        });
        for (sum, bare, count) in [(1, &mut *append, 1), (2, &mut *tables, 3)] {
            let rows: Vec<_> = (0..batches).map(|_| bare.encode(device, events)).collect();
            sums[sum].add(|| rows.iter().for_each(|r| bare.write(r, count)));
        }
    }
    let total = (events * batches * ROUNDS as u64) as f64;
    let rate = |sum: &Sum| total / sum.time.as_secs_f64();
    let [store, append, tables] = &sums;
    println!(
        "{events:>5} per batch: store {:>9.0} events/s, append {:>9.0} (ratio {:.2}), tables {:>9.0} (ratio {:.2}); \
         bytes written per event: store {:.0}, append {:.0}, tables {:.0}; the files grew by {:.0}, {:.0}, {:.0} each",
        rate(store),
        rate(append),
        rate(store) / rate(append),
        rate(tables),
        rate(store) / rate(tables),
        store.bytes as f64 / total,
        append.bytes as f64 / total,
        tables.bytes as f64 / total,
        store.grown as f64 / total,
        append.grown as f64 / total,
        tables.grown as f64 / total,
    );
}

/// Nanoseconds per event of the parts that the baselines do not have.
fn parts() {
    const EVENTS: u64 = 200_000;
    let events: Vec<_> = (1..=1_000).map(|seq| event(DeviceId(7), seq)).collect();
    let all = || (0..EVENTS as usize).map(|at| &events[at % events.len()]);
    let time = |name: &str, work: &mut dyn FnMut(&StoredEvent)| {
        let start = Instant::now();
        all().for_each(work);
        println!("{name:>22}: {:>5.0} ns per event", start.elapsed().as_nanos() as f64 / EVENTS as f64);
    };
    let (mut chain, mut out) = (CHAIN_START, Vec::new());
    time("encode and chain", &mut |event| {
        out.clear();
        chain = record::encode(&chain, event, &mut out).expect("an event encodes");
    });
    let mut sum = 0u8;
    time("digest of the payload", &mut |event| {
        if let Payload::Bytes(bytes) = &event.payload {
            sum ^= record::digest(bytes)[0];
        }
    });
    time("hash of the entity", &mut |event| sum ^= rows::entity_hash(&event.header.entity)[0]);
    assert!(chain[0] ^ sum != 0 || chain[1] != 0, "the work is not optimised away");
}

fn main() {
    parts();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let [store, append, tables] = NAMES.map(|name| {
        let path = dir.path().join(name);
        std::fs::create_dir(&path).expect("a folder");
        path
    });
    let (mut append, mut tables) = (Bare::open(&append), Bare::open(&tables));
    let mut opened = open(&store, OpenOptions::default()).expect("a fresh folder opens");
    println!("durable events per second, in {}; aim: 0.5 of the bare loop", dir.path().display());
    for (events, batches) in SIZES {
        run_size(dir.path(), &mut opened, &mut append, &mut tables, events, batches);
    }
    let size = opened.storage.size();
    println!("bytes in use per event in the end: {:.0}", size.map_used as f64 / size.events as f64);
}
