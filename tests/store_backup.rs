//! A backup is a data folder like any other, and never overwrites anything.

use std::fs;

use music_trainer::bus::storage::*;
use music_trainer::bus::testing::stored;
use music_trainer::store::{OpenOptions, backup, open, open_read_only, verify};

fn event(device: DeviceId, seq: u64) -> StoredEvent {
    stored(EventId { device, device_seq: seq }, "take/1", seq, format!("played note number {seq}").into_bytes())
}

fn batch(device: DeviceId, seqs: std::ops::RangeInclusive<u64>) -> Batch {
    let last = EventId { device, device_seq: *seqs.end() };
    let row = StateRow { entity: "take/1".into(), version: *seqs.end(), last, topic: "take".into(), value: None };
    Batch { events: seqs.map(|seq| event(device, seq)).collect(), state: vec![row], ..Batch::default() }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

#[test]
fn a_backup_taken_at_work_is_whole_and_holds_nothing_erased() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let mut opened = open(&data, OpenOptions::default()).expect("a fresh folder opens");
    let device = opened.device;
    for at in 0..20 {
        opened.storage.commit(&batch(device, at * 100 + 1..=at * 100 + 100)).expect("a commit");
    }
    let what = Erasure::Entity { entity: "take/1".into(), versions: 777..778 };
    assert_eq!(opened.storage.erase(&what, what.begin()).expect("an erasure").count, 1);
    let bytes = backup(&opened.storage.lmdb_reader(), &copy).expect("a backup");
    opened.storage.commit(&batch(device, 2_001..=2_002)).expect("work goes on");
    let file = fs::read(copy.join("data.mdb")).expect("the copy");
    assert_eq!(file.len() as u64, bytes);
    assert!(contains(&file, "played note number 776") && !contains(&file, "played note number 777"));
    assert!(!dir.path().join("copy.partial").exists());
    {
        let reader = open_read_only(&copy).expect("the copy opens");
        let verified = verify(&reader, &mut |_, _| {}).expect("verification ends");
        assert_eq!((verified.damages, verified.events, verified.erased), (vec![], 2_000, 1));
    }
    let mut restored = open(&copy, OpenOptions::default()).expect("the copy opens for work");
    assert_eq!((restored.device, restored.fresh), (device, false));
    restored.storage.commit(&batch(device, 2_001..=2_001)).expect("and goes on");
}

#[test]
fn a_backup_overwrites_nothing() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let opened = open(&dir.path().join("data"), OpenOptions::default()).expect("a fresh folder opens");
    let reader = opened.storage.lmdb_reader();
    let check = |make: &dyn Fn(), out: &str, expected: &str| {
        make();
        let found = backup(&reader, &dir.path().join(out)).expect_err(expected).to_string();
        assert!(found.contains(expected), "{found} instead of {expected}");
    };
    check(&|| fs::write(dir.path().join("file"), "mine").expect("a file"), "file", "file exists already");
    check(&|| fs::create_dir(dir.path().join("folder")).expect("a folder"), "folder", "folder exists already");
    check(&|| fs::create_dir(dir.path().join("b.partial")).expect("a folder"), "b", "left from another backup");
    check(&|| {}, "absent/copy", "No such file or directory");
    assert_eq!(fs::read(dir.path().join("file")).expect("the file"), b"mine");
}
