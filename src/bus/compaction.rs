//! When payloads go that nobody needs any more: those of topics that say so, once they are old, a snapshot has what they
//! made, and every subscriber that is not idle has seen them.

use super::hlc::Hlc;
use super::inspect::SubscriberReport;
use super::model::{Model, Retention};
use super::rows;
use super::storage::{Erasure, StorageError, StorageReader};
use crate::time::WallMillis;

/// Payloads younger than this stay: 30 days.
pub const AGE: WallMillis = WallMillis(30 * 24 * 3_600 * 1_000);

/// What may go now: up to the newest snapshot that is old enough and that every subscriber has passed; none if nothing
/// is new since the last time.
///
/// # Errors
/// The store cannot be read.
pub fn due<M: Model>(
    reader: &dyn StorageReader,
    subscribers: &[SubscriberReport],
    now: WallMillis,
) -> Result<Option<Erasure>, StorageError> {
    let of_snapshots = M::topics().iter().filter(|topic| topic.retention == Retention::Snapshot);
    let topics: Vec<Box<str>> = of_snapshots.map(|topic| topic.name.into()).collect();
    let waiting = subscribers.iter().filter(|subscriber| !subscriber.is_idle(now));
    let passed = waiting.map(|subscriber| subscriber.acked).min().unwrap_or(u64::MAX);
    let done = rows::compacted(reader)?;
    for seq in reader.snapshots()?.into_iter().rev().filter(|seq| *seq > done && *seq <= passed) {
        let Some(event) = reader.events(seq, 1)?.pop() else { continue };
        if now - Hlc::wall(event.header.hlc) >= AGE {
            return Ok((!topics.is_empty()).then_some(Erasure::Topics { topics, through: seq }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::memory::MemoryStorage;
    use crate::bus::storage::{Batch, DeviceId, EventId, Header, Payload, Storage, StoredEvent};
    use crate::bus::testing::Test;

    const DAY: i64 = 24 * 3_600 * 1_000;

    /// A log with an event and a snapshot a day.
    fn log(days: u64) -> MemoryStorage {
        let mut storage = MemoryStorage::new();
        for seq in 1..=days {
            let header = Header {
                seq,
                id: EventId { device: DeviceId(1), device_seq: seq },
                topic: "title.set".into(),
                entity: "title/1".into(),
                version: seq,
                base: None,
                hlc: (seq * DAY as u64) << 16,
                stamp: None,
                cause: None,
                actor: "person".into(),
                schema: "test".into(),
                schema_version: 1,
            };
            let events = vec![StoredEvent { header, payload: Payload::Bytes(vec![0xc0]) }];
            storage.commit(&Batch { events, snapshot: true, ..Batch::default() }).expect("a commit");
        }
        storage
    }

    fn subscriber(acked: u64, attached: bool, moved: i64) -> SubscriberReport {
        SubscriberReport { acked, attached, moved: WallMillis(moved * DAY), ..SubscriberReport::default() }
    }

    #[test]
    fn what_goes_is_old_seen_and_in_a_snapshot() {
        let mut storage = log(40);
        let through = |storage: &MemoryStorage, subscribers: &[SubscriberReport], day: i64| match due::<Test>(
            storage,
            subscribers,
            WallMillis(day * DAY),
        )
        .expect("readable")
        {
            Some(Erasure::Topics { through, .. }) => Some(through),
            _ => None,
        };
        // Snapshots are thinned: the newest four are of the days 37 to 40.
        assert_eq!(through(&storage, &[], 30), None, "nothing is old enough");
        assert_eq!(through(&storage, &[], 68), Some(38));
        assert_eq!(through(&storage, &[], 400), Some(40));
        assert_eq!(through(&storage, &[subscriber(38, true, 0)], 400), Some(38), "one that receives is waited for");
        assert_eq!(through(&storage, &[subscriber(38, false, 371)], 400), Some(38), "and one that did lately");
        assert_eq!(through(&storage, &[subscriber(38, false, 370)], 400), Some(40), "but not one that is idle");
        let what = due::<Test>(&storage, &[], WallMillis(68 * DAY)).expect("readable").expect("something");
        storage.erase(&what, what.begin()).expect("an erasure");
        assert_eq!(through(&storage, &[], 68), None, "once");
        assert_eq!(through(&storage, &[], 69), Some(39));
    }
}
