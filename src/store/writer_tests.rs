//! What the writer promises, on real files.

use super::*;
use crate::bus::storage::{EventId, Header, Table};
use crate::store::{OpenOptions, open};

fn event(seq: u64, entity: &str, version: u64) -> StoredEvent {
    StoredEvent {
        header: Header {
            seq,
            id: EventId { device: DeviceId(0), device_seq: seq },
            topic: "note".into(),
            entity: entity.into(),
            version,
            base: None,
            hlc: seq << 16,
            stamp: None,
            cause: None,
            actor: "person".into(),
            schema: "note.played".into(),
            schema_version: 1,
        },
        payload: Payload::Bytes(vec![seq as u8; 40]),
    }
}

fn batch(storage: &LmdbStorage, mut events: Vec<StoredEvent>) -> Batch {
    events.iter_mut().for_each(|e| e.header.id.device = storage.device);
    Batch { events, ..Batch::default() }
}

fn scratch_store() -> (tempfile::TempDir, crate::store::Opened) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
    (dir, opened)
}

#[test]
fn entities_with_one_hash_keep_their_own_histories() {
    let (_dir, mut opened) = scratch_store();
    let storage = &mut opened.storage;
    storage.hash = |_| [7; 8];
    let events = vec![event(1, "a", 1), event(2, "b", 1), event(3, "a", 2), event(4, "b", 2), event(5, "a", 3)];
    let batch = batch(storage, events);
    storage.commit(&batch).expect("a commit");
    let seqs = |entity, from, max| -> Vec<u64> {
        let found = storage.reader().entity_events(entity, from, max).expect("a history");
        found.iter().map(|e| e.header.seq).collect()
    };
    assert_eq!(seqs("a", 1, 10), [1, 3, 5]);
    assert_eq!(seqs("b", 1, 10), [2, 4]);
    assert_eq!(seqs("b", 2, 10), [4]);
    assert_eq!(seqs("a", 2, 1), [3]);
    assert_eq!(seqs("c", 1, 10), [0; 0]);
}

#[test]
fn a_batch_that_does_not_follow_the_log_is_refused_and_leaves_nothing() {
    let (_dir, mut opened) = scratch_store();
    let storage = &mut opened.storage;
    let first = batch(storage, vec![event(1, "a", 1), event(2, "a", 2)]);
    storage.commit(&first).expect("a commit");
    let mut skipped = event(3, "a", 3);
    skipped.header.id.device_seq = 4;
    let mut changed = event(2, "a", 2);
    changed.payload = Payload::Bytes(vec![1]);
    let check = |storage: &mut LmdbStorage, events: Vec<StoredEvent>, expected: &str| {
        let batch = batch(storage, events);
        let found = storage.commit(&batch).expect_err(expected).to_string();
        assert!(found.contains(expected), "{found} instead of {expected}");
    };
    check(storage, vec![event(4, "a", 3)], "damaged data at log 4: the log ends at 2");
    check(storage, vec![event(3, "a", 3), event(3, "a", 4)], "damaged data at log 3: the log ends at 3");
    check(storage, vec![skipped], "log 3: device_seq 4 after 2");
    check(storage, vec![changed], "log 2: the log holds another event");
    check(storage, vec![event(2, "a", 2), event(3, "a", 3)], "log 2: the log holds another event");
    assert_eq!(storage.reader().last().expect("an end").seq, 2);
    let next = batch(storage, vec![event(3, "a", 3)]);
    assert_eq!(storage.commit(&next).expect("the log goes on").durable, 3);
}

#[test]
fn a_batch_tried_again_after_an_unknown_end_changes_nothing() {
    let (_dir, mut opened) = scratch_store();
    let storage = &mut opened.storage;
    let batch = batch(storage, (1..=5).map(|seq| event(seq, "a", seq)).collect());
    let first = storage.commit(&batch).expect("a commit");
    assert!(first.bytes > 0);
    let what = Erasure::Entity { entity: "a".into(), versions: 2..3 };
    assert_eq!(storage.erase(&what, 2), Ok(Erased { count: 1, ..Erased::default() }));
    storage.suspect = true;
    assert_eq!(storage.commit(&batch), Ok(Committed { durable: 5, bytes: 0 }));
    assert_eq!(storage.size().events, 5);
}

#[test]
fn rows_that_no_batch_may_write_are_refused_whole() {
    let (_dir, mut opened) = scratch_store();
    let storage = &mut opened.storage;
    let check = |storage: &mut LmdbStorage, table: Table, key: &[u8], expected: &str| {
        let mut batch = batch(storage, vec![event(1, "a", 1)]);
        batch.rows.push(Row { table, key: key.to_vec(), value: Some(vec![1]) });
        let found = storage.commit(&batch).expect_err(expected).to_string();
        assert!(found.contains(expected), "{found} instead of {expected}");
        assert_eq!(storage.reader().last().expect("an end").seq, 0);
    };
    check(storage, Table::Cursors, b"", "cursors: a key of 0 bytes");
    check(storage, Table::Private, &[1; 401], "private: a key of 401 bytes");
    check(storage, Table::Meta, b"device", "a row that belongs to the store");
}

#[test]
fn the_environment_can_be_replaced_under_live_readers() {
    let (_dir, mut opened) = scratch_store();
    let storage = &mut opened.storage;
    let reader = storage.reader();
    for seq in 1..=20 {
        storage.suspect = seq % 3 == 0;
        let batch = batch(storage, vec![event(seq, "a", seq)]);
        assert_eq!(storage.commit(&batch).expect("a commit").durable, seq);
        assert_eq!(reader.last().expect("an end"), LogEnd { seq, device_seq: seq, hlc: seq << 16 });
    }
}
