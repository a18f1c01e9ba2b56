//! What was committed is what is read: by this program and by the next one to open the folder.

use std::collections::BTreeMap;

use music_trainer::bus::storage::*;
use music_trainer::store::{OpenOptions, Opened, open, open_read_only};
use music_trainer::time::{Frames, Micros, Stamp, StreamId};
use proptest::prelude::*;

/// A program's worth of commits, in terms that leave nothing to be contradicted.
#[derive(Clone, Debug)]
struct Step {
    /// (entity, payload) per event.
    events: Vec<(u8, Vec<u8>)>,
    /// (table, key, value) per row.
    rows: Vec<(u8, u8, Option<Vec<u8>>)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..120);
    let events = prop::collection::vec((0u8..6, bytes()), 0..12);
    let rows = prop::collection::vec((0u8..6, 0u8..5, prop::option::of(bytes())), 0..6);
    prop::collection::vec((events, rows).prop_map(|(events, rows)| Step { events, rows }), 1..8)
}

const TABLES: [Table; 6] =
    [Table::Cursors, Table::Pending, Table::DeadLetters, Table::Private, Table::Outbox, Table::Meta];

/// What a reader must see.
#[derive(Default)]
struct Expected {
    events: Vec<StoredEvent>,
    state: BTreeMap<String, StateRow>,
    rows: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
}

impl Expected {
    fn entity(number: u8) -> String {
        // The last is longer than a key may be.
        if number == 5 { format!("take/{}", "x".repeat(700)) } else { format!("take/{number}") }
    }

    fn apply(&mut self, step: &Step, device: DeviceId) -> Batch {
        let mut batch = Batch::default();
        let mut touched = BTreeMap::new();
        for (number, payload) in &step.events {
            let entity = Self::entity(*number);
            let seq = self.events.len() as u64 + 1;
            let id = EventId { device, device_seq: seq };
            let version = self.state.get(&entity).map_or(0, |row| row.version) + 1;
            let row = StateRow {
                entity: entity.as_str().into(),
                version,
                last: id,
                topic: "take".into(),
                value: (payload.len() % 7 != 0).then(|| payload.clone()),
            };
            self.state.insert(entity.clone(), row.clone());
            touched.insert(entity.clone(), row);
            let stamp = Stamp { driver: Micros(-1), mono: Micros(5), frame: Some(Frames(9)), stream: StreamId(2) };
            let event = StoredEvent {
                header: Header {
                    seq,
                    id,
                    topic: "take".into(),
                    entity: entity.into(),
                    version,
                    base: (seq > 3).then_some(EventId { device, device_seq: seq - 1 }),
                    hlc: seq << 16,
                    stamp: (seq.is_multiple_of(2)).then_some(stamp),
                    cause: None,
                    actor: "person".into(),
                    schema: "take.note".into(),
                    schema_version: 1,
                },
                payload: Payload::Bytes(payload.clone()),
            };
            self.events.push(event.clone());
            batch.events.push(event);
        }
        batch.state.extend(touched.into_values());
        for (table, key, value) in &step.rows {
            let key = vec![b'k', *key];
            match value {
                Some(value) => self.rows.insert((*table, key.clone()), value.clone()),
                None => self.rows.remove(&(*table, key.clone())),
            };
            batch.rows.push(Row { table: TABLES[usize::from(*table)], key, value: value.clone() });
        }
        batch
    }

    fn check(&self, reader: &dyn StorageReader) {
        let last = self.events.len() as u64;
        assert_eq!(reader.last().expect("an end"), LogEnd { seq: last, device_seq: last, hlc: last << 16 });
        assert_eq!(reader.events(0, usize::MAX).expect("the log"), self.events);
        let middle = last / 2 + 1;
        let wanted: Vec<_> = self.events.iter().skip(middle as usize - 1).take(3).cloned().collect();
        assert_eq!(reader.events(middle, 3).expect("a part of the log"), wanted);
        let mut state = Vec::new();
        reader.state(&mut |row| state.push(row)).expect("the state");
        assert_eq!(state, self.state.values().cloned().collect::<Vec<_>>());
        for number in 0..6 {
            let entity = Self::entity(number);
            let wanted: Vec<_> = self.events.iter().filter(|e| *e.header.entity == entity).cloned().collect();
            assert_eq!(reader.entity_events(&entity, 1, usize::MAX).expect("a history"), wanted);
        }
        for (at, table) in TABLES.into_iter().enumerate() {
            let rows = reader.rows(table, b"k").expect("rows");
            let found: Vec<_> = rows.into_iter().map(|row| (row.key, row.value.expect("a value"))).collect();
            let of_table = self.rows.iter().filter(|((t, _), _)| usize::from(*t) == at);
            assert_eq!(found, of_table.map(|((_, key), value)| (key.clone(), value.clone())).collect::<Vec<_>>());
        }
    }
}

fn reopened(dir: &std::path::Path, opened: Opened) -> Opened {
    let device = opened.device;
    drop(opened);
    let again = open(dir, OpenOptions::default()).expect("the folder opens again");
    assert_eq!((again.device, again.fresh), (device, false));
    again
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn what_was_committed_is_what_is_read(steps in steps(), reopen_at in 0usize..8) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
        prop_assert!(opened.fresh);
        let mut expected = Expected::default();
        for (at, step) in steps.iter().enumerate() {
            let batch = expected.apply(step, opened.device);
            let done = opened.storage.commit(&batch).expect("a commit");
            prop_assert_eq!(done.durable, expected.events.len() as u64);
            if at == reopen_at {
                opened = reopened(dir.path(), opened);
            }
        }
        expected.check(&*opened.storage.reader());
        let size = opened.storage.size();
        prop_assert_eq!((size.events, size.entities), (expected.events.len() as u64, expected.state.len() as u64));
        drop(opened);
        expected.check(&open_read_only(dir.path()).expect("the folder opens for reading"));
    }
}
