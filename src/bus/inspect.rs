//! What can be seen of a running bus: plain data, made on request, for the inspector window and the command line.

use std::fmt::{self, Debug};
use std::sync::Arc;

pub use super::health::Health;
pub use super::lab::{Failure, Lab};
pub use super::search::Search;
pub use super::storage::{EventId, Header, StoreSize, TableSize};
pub use super::trail::{Reached, Round, Trail};
use crate::time::{Micros, Stamp, WallMillis};

/// Events that [`Report::recent`] holds at most.
pub const RECENT_EVENTS: usize = 512;

/// Dead letters that [`Report::letters`] holds at most.
pub const LETTERS_SHOWN: usize = 256;

/// The bus at one moment.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// When it was made.
    pub at: Micros,
    /// Since when the bus runs.
    pub started: Micros,
    /// The machine's id.
    pub device: u64,
    /// The last event applied.
    pub applied: u64,
    /// The last event on disk.
    pub durable: u64,
    /// Keys in the state.
    pub entities: usize,
    /// How the store is.
    pub health: Health,
    /// The real-time lanes.
    pub lanes: Vec<LaneReport>,
    /// Commands waiting, and room for them.
    pub commands: Fill,
    /// Events applied and not yet durable.
    pub undurable: Fill,
    /// Their bytes, estimated.
    pub undurable_bytes: usize,
    /// Counts since the start.
    pub counts: Counts,
    /// What happens in a second; none in the first moment that one looks.
    pub rates: Option<Rates>,
    /// Per topic of the registry.
    pub topics: Vec<TopicReport>,
    /// Time from handing a batch over to its answer.
    pub commit: Histogram,
    /// Time of one poll that had something to do.
    pub step: Histogram,
    /// Sizes of the store, as of the last commit.
    pub store: StoreSize,
    /// Durable subscribers and components.
    pub subscribers: Vec<SubscriberReport>,
    /// Live subscribers.
    pub live: Vec<LiveReport>,
    /// Deliveries given up, and neither replayed nor dropped.
    pub dead_letters: usize,
    /// The first [`LETTERS_SHOWN`] of them.
    pub letters: Vec<DeadLetter>,
    /// The last conflicts, oldest first.
    pub conflicts: Vec<ConflictReport>,
    /// The last events applied, oldest first.
    pub recent: Vec<Arc<dyn EventView>>,
    /// When they got where.
    pub trail: Trail,
}

/// How much happens in a second, of late.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Events that reach the bus.
    pub published: f32,
    /// Events applied.
    pub applied: f32,
    /// Events that become durable.
    pub durable: f32,
    /// Commits.
    pub commits: f32,
    /// Snapshots stored.
    pub snapshots: f32,
    /// Deliveries to durable subscribers.
    pub deliveries: f32,
}

/// How full something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// Now.
    pub used: usize,
    /// At most.
    pub capacity: usize,
    /// The most there ever was.
    pub high_water: usize,
}

/// What happened since the start. `published = applied + refused + lost` (counting events, when the bus rests).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that reached the bus: from publishers, lanes and acknowledgements.
    pub published: u64,
    /// Events applied of those.
    pub applied: u64,
    /// Events refused with a reason.
    pub refused: u64,
    /// Played notes lost while the buffer was full; gap records tell them.
    pub lost: u64,
    /// Gap records applied for them (not among `published`).
    pub gap_records: u64,
    /// Conflicts found, whatever their outcome.
    pub conflicts: u64,
    /// Events of other machines applied (not among `published`).
    pub remote: u64,
    /// Events of other machines that were here already.
    pub duplicates: u64,
    /// Events of other machines put off because their clock is too far ahead.
    pub quarantined: u64,
    /// Commits done.
    pub commits: u64,
    /// Commits that failed and were tried again.
    pub commit_failures: u64,
    /// Bytes handed to the database.
    pub bytes_committed: u64,
    /// Payloads erased for ever.
    pub erased: u64,
    /// Snapshots stored.
    pub snapshots: u64,
    /// Polls.
    pub polls: u64,
    /// Repaints asked for.
    pub repaints: u64,
    /// Filters evaluated.
    pub filters: u64,
    /// Deliveries made to durable subscribers, redeliveries among them.
    pub deliveries: u64,
}

/// A real-time lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneReport {
    /// Its name.
    pub name: String,
    /// Slots.
    pub fill: Fill,
    /// Events pushed: delivered, lost, or waiting.
    pub pushed: u64,
    /// Events delivered.
    pub delivered: u64,
    /// Events lost in gaps.
    pub lost: u64,
    /// Gaps told.
    pub gaps: u64,
    /// Panics caught while its items were turned into events; each is told as a gap of one.
    pub panics: u64,
    /// Events pushed in a second, of late; none while that is not known.
    pub rate: Option<f32>,
    /// Whether its producer is gone.
    pub closed: bool,
}

/// A topic of the registry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicReport {
    /// Its name.
    pub name: String,
    /// Events applied since the start.
    pub events: u64,
    /// `stream` or `edit`.
    pub durability: &'static str,
    /// The conflict strategy.
    pub strategy: &'static str,
}

/// A durable subscriber.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriberReport {
    /// Its durable name.
    pub name: String,
    /// What it wants.
    pub filter: String,
    /// Everything up to here is acknowledged.
    pub acked: u64,
    /// Events after the acknowledged floor, wanted or not.
    pub lag: u64,
    /// Deliveries that wait for an acknowledgement.
    pub pending: usize,
    /// Deliveries that wait for a retry, and events held behind them.
    pub held: usize,
    /// The most tries of any event that is not settled.
    pub tries: u32,
    /// Redeliveries made.
    pub redelivered: u64,
    /// When the next retry is due.
    pub next_due: Option<Micros>,
    /// Dead letters.
    pub dead_letters: usize,
    /// Panics caught in its component.
    pub panics: u64,
    /// Whether it was stopped after panics in five different events within a minute.
    pub parked: bool,
    /// Whether somebody receives.
    pub attached: bool,
    /// When its cursor was last written.
    pub moved: WallMillis,
}

/// A subscriber that nobody received for, and whose cursor was not written, for so long is idle: 30 days.
pub const IDLE: WallMillis = WallMillis(30 * 24 * 3_600 * 1_000);

impl SubscriberReport {
    /// Whether it is idle, and no longer holds back compaction.
    pub fn is_idle(&self, now: WallMillis) -> bool {
        !self.attached && now - self.moved >= IDLE
    }
}

/// A live subscriber.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveReport {
    /// What it wants.
    pub filter: String,
    /// Its channel.
    pub fill: Fill,
    /// Events it lost because its channel was full.
    pub lost: u64,
}

/// Two edits that did not know of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictReport {
    /// The entity.
    pub entity: String,
    /// The topic.
    pub topic: String,
    /// Who came second.
    pub actor: String,
    /// What became of the second: `rejected`, or the strategy that decided.
    pub outcome: &'static str,
    /// The entity's version when it came.
    pub version: u64,
    /// The position of the second event, if it was applied.
    pub seq: Option<u64>,
}

/// A row of the event table. Nothing is encoded before [`EventView::payload`] is asked.
pub trait EventView: Send + Sync + Debug {
    /// Position in the log.
    fn seq(&self) -> u64;
    /// The topic's name.
    fn topic(&self) -> &str;
    /// The entity's key.
    fn entity(&self) -> &str;
    /// The full envelope.
    fn header(&self) -> Header;
    /// The payload as JSON; null when it was erased.
    fn payload(&self) -> serde_json::Value;
}

/// The full envelope and payload as JSON, as the command line shows an event.
pub fn event_json(event: &dyn EventView) -> serde_json::Value {
    let header = event.header();
    let id = |id: EventId| serde_json::json!([format!("{:016x}", id.device.0), id.device_seq]);
    serde_json::json!({
        "seq": header.seq,
        "id": id(header.id),
        "topic": header.topic,
        "entity": header.entity,
        "version": header.version,
        "base": header.base.map(id),
        "hlc": header.hlc,
        "wall_ms": super::hlc::Hlc::wall(header.hlc).0,
        "stamp": header.stamp.map(stamp_json),
        "cause": header.cause.map(id),
        "actor": header.actor,
        "schema": header.schema,
        "schema_version": header.schema_version,
        "payload": event.payload(),
    })
}

fn stamp_json(stamp: Stamp) -> serde_json::Value {
    serde_json::json!({
        "driver_us": stamp.driver.0,
        "mono_us": stamp.mono.0,
        "frame": stamp.frame.map(|frame| frame.0),
        "stream": stamp.stream.0,
    })
}

/// A delivery given up, as listed.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// The subscriber.
    pub subscriber: String,
    /// The event.
    pub seq: u64,
    /// How often it was tried.
    pub tries: u32,
    /// The last error.
    pub error: String,
    /// When it was given up.
    pub wall: WallMillis,
}

/// Buckets of a [`Histogram`]: 1 µs, 2 µs, 4 µs … 2³¹ µs, about 36 minutes.
pub const BUCKETS: usize = 32;

/// Durations by powers of two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket `i` counts durations below 2^i µs that no lower bucket holds; the last also what is longer.
    pub buckets: [u64; BUCKETS],
    /// The longest.
    pub max: Micros,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], max: Micros::ZERO }
    }
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Micros) {
        let micros = duration.0.max(0) as u64;
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        self.buckets[bucket.min(BUCKETS - 1)] += 1;
        self.max = self.max.max(duration);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// An upper bound of the given quantile (0 to 1), exact to a factor of two; zero when nothing was counted.
    pub fn quantile(&self, q: f64) -> Micros {
        let count = self.count();
        let rank = (q.clamp(0.0, 1.0) * count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            seen += bucket;
            if seen >= rank {
                let last = index == BUCKETS - 1;
                return if last { self.max } else { Micros(1 << index).min(self.max) };
            }
        }
        Micros::ZERO
    }
}

impl Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (p50 {} µs, p99 {} µs, max {} µs)",
            self.count(),
            self.quantile(0.5),
            self.quantile(0.99),
            self.max
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_bound_the_durations_from_above() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), Micros::ZERO);
        for micros in [0, 3, 100, 100, 5_000_000_000] {
            histogram.record(Micros(micros));
        }
        assert_eq!(histogram.count(), 5);
        assert_eq!(histogram.quantile(0.0), Micros(1));
        assert_eq!(histogram.quantile(0.4), Micros(4));
        assert_eq!(histogram.quantile(0.8), Micros(128));
        assert_eq!(histogram.quantile(1.0), Micros(5_000_000_000));
    }
}
