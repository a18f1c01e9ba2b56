//! Damage done through LMDB itself, table by table, and found again with its place.

use super::*;
use crate::bus::storage::{Batch, Erasure, Row, Storage, Table};
use crate::bus::testing::stored;
use crate::store::{LmdbStorage, OpenOptions, Opened, open};

const EVENTS: u64 = 12;

/// A store with twelve events of three entities, and rows.
fn filled() -> (tempfile::TempDir, Opened) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
    let mut batch = Batch::default();
    for seq in 1..=EVENTS {
        let id = EventId { device: opened.device, device_seq: seq };
        let entity: Box<str> = format!("take/{}", seq % 3).into();
        batch.events.push(stored(id, entity.clone(), seq.div_ceil(3), vec![seq as u8; 20]));
        if seq > EVENTS - 3 {
            let version = seq.div_ceil(3);
            batch.state.push(StateRow { entity, version, last: id, topic: "take".into(), value: Some(vec![1, 2]) });
        }
    }
    batch.rows.push(Row { table: Table::Cursors, key: b"recorder".to_vec(), value: Some(vec![12]) });
    opened.storage.commit(&batch).expect("a commit");
    (dir, opened)
}

fn tamper(storage: &LmdbStorage, change: impl FnOnce(&mut heed::RwTxn<'_>, &Tables)) {
    let reader = storage.lmdb_reader();
    let done = reader.gate().with(|open| {
        let mut txn = open.env.write_txn()?;
        change(&mut txn, &open.tables);
        Ok(txn.commit()?)
    });
    assert!(done.is_ok());
}

fn found(storage: &LmdbStorage) -> Vec<String> {
    let mut seen = 0;
    let verified = verify(&storage.lmdb_reader(), &mut |done, of| {
        assert!(done <= of);
        seen = done;
    });
    let verified = verified.expect("verification ends");
    assert_eq!(seen, verified.events);
    verified.damages.iter().map(Damage::to_string).collect()
}

#[test]
fn a_whole_store_is_found_whole() {
    let (_dir, mut opened) = filled();
    let what = Erasure::Entity { entity: "take/2".into(), versions: 2..3 };
    opened.storage.erase(&what, 2).expect("an erasure");
    let verified = verify(&opened.storage.lmdb_reader(), &mut |_, _| {}).expect("verification ends");
    let expected = Verified { events: 12, erased: 1, entities: 3, rows: 3, ..Verified::default() };
    assert_eq!(verified, expected);
    assert!(verified.is_whole());
}

#[test]
fn every_flipped_bit_of_the_log_is_found_in_its_place() {
    let (_dir, opened) = filled();
    // A plain generator (Knuth's MMIX), so that a failure names the round that shows it again.
    let mut random = 20_261_123u64;
    for round in 0..200 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let seq = (random >> 33) % EVENTS + 1;
        let mut original = Vec::new();
        let mut bit = 0;
        tamper(&opened.storage, |txn, tables| {
            original = tables.log.get(txn, &rows::log_key(seq)).expect("a read").expect("a record").to_vec();
            bit = (random >> 13) as usize % (original.len() * 8);
            let mut changed = original.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            tables.log.put(txn, &rows::log_key(seq), &changed).expect("a write");
        });
        let damages = found(&opened.storage);
        let place = format!("log {seq}: ");
        assert!(damages.first().is_some_and(|d| d.starts_with(&place)), "round {round} {seq} bit {bit}: {damages:?}");
        tamper(&opened.storage, |txn, tables| {
            tables.log.put(txn, &rows::log_key(seq), &original).expect("a write");
        });
    }
    assert_eq!(found(&opened.storage), [""; 0]);
}

fn check(change: impl FnOnce(&mut heed::RwTxn<'_>, &Tables), expected: &[&str]) {
    let (_dir, opened) = filled();
    tamper(&opened.storage, change);
    let damages = found(&opened.storage);
    assert_eq!(damages.len(), expected.len(), "{damages:?}");
    for (found, expected) in damages.iter().zip(expected) {
        assert!(found.contains(expected), "{found} instead of {expected}");
    }
}

#[test]
fn a_missing_event_is_found() {
    check(
        |txn, tables| assert!(tables.log.delete(txn, &rows::log_key(7)).expect("a write")),
        &[
            "log 8: follows 6",
            "log 8: device_seq 8 of",
            "log 10: version 4 of take/1 follows 2",
            "by_entity: version 3 at 7 is not in the log",
        ],
    );
}

#[test]
fn a_changed_chain_value_is_reported_once() {
    let change = |txn: &mut heed::RwTxn<'_>, tables: &Tables| {
        let mut bytes = tables.log.get(txn, &rows::log_key(4)).expect("a read").expect("a record").to_vec();
        bytes[2] ^= 1;
        tables.log.put(txn, &rows::log_key(4), &bytes).expect("a write");
    };
    check(change, &["log 4: the record does not fit the chain"]);
}

#[test]
fn a_record_in_anothers_place_is_found() {
    let change = |txn: &mut heed::RwTxn<'_>, tables: &Tables| {
        let bytes = tables.log.get(txn, &rows::log_key(12)).expect("a read").expect("a record").to_vec();
        tables.log.put(txn, &rows::log_key(11), &bytes).expect("a write");
    };
    check(
        change,
        &["log 11: the record does not fit", "log 11: the record of 12", "log 12: device_seq", "state take/2"],
    );
}

#[test]
fn an_index_that_disagrees_is_found() {
    let key = rows::by_entity_key(rows::entity_hash("take/1"), 1, 1);
    check(|txn, tables| assert!(tables.by_entity.delete(txn, &key).expect("a write")), &["log 1: not in by_entity"]);
    let stray = rows::by_entity_key(rows::entity_hash("take/1"), 9, 1);
    check(
        |txn, tables| tables.by_entity.put(txn, &stray, &[]).expect("a write"),
        &["by_entity: version 9 at 1 is not in the log"],
    );
}

#[test]
fn state_rows_and_small_rows_are_checked() {
    check(
        |txn, tables| {
            tables.state.put(txn, b"take/2\0", b"12345678 nothing of ours").expect("a write");
            tables.small(Table::Cursors).put(txn, b"recorder", b"short").expect("a write");
            tables.state.delete(txn, b"take/0\0").expect("a write");
        },
        &[
            "state take/2\\x00: the value does not fit its check",
            "state take/0: events, but no row",
            "state take/2: events, but no row",
            "cursors recorder: a value of 5 bytes",
        ],
    );
}

#[test]
fn a_state_row_that_lags_behind_its_events_is_found() {
    let (_dir, mut opened) = filled();
    let last = EventId { device: opened.device, device_seq: 8 };
    let row = StateRow { entity: "take/2".into(), version: 3, last, topic: "take".into(), value: None };
    opened.storage.commit(&Batch { state: vec![row], ..Batch::default() }).expect("a commit");
    let damages = found(&opened.storage);
    assert!(damages.len() == 1 && damages[0].starts_with("state take/2: version 3"), "{damages:?}");
}
