//! What benchmarks share: the machine they ran on, rounds that alternate between ours and the baseline, and one way of
//! printing a figure beside its baseline and its aim. Use it with `mod support;`.
#![allow(dead_code, unreachable_pub, reason = "a module of each benchmark, none of which uses all of it")]

use std::fmt;
use std::time::{Duration, Instant};

use music_trainer::bus::storage::{DeviceId, EventId, Header, Payload, StoredEvent};
use music_trainer::time::{Micros, Stamp};

/// Prints what the figures depend on.
pub fn machine() {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split(": ").nth(1));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    println!(
        "machine: {}, {cpus} processors, {} {}, load {load}",
        model.unwrap_or("unknown processor"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    if cfg!(debug_assertions) {
        println!("NOT OPTIMISED: these figures mean nothing");
    }
}

/// Now. Benchmarks read the clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub fn now() -> Instant {
    Instant::now()
}

/// How long `work` takes.
pub fn time(work: impl FnOnce()) -> Duration {
    let start = now();
    work();
    start.elapsed()
}

/// Measured values of one thing, in any one unit.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds one.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value below which the share `part` of all lie (nearest rank); 0 when there are none.
    pub fn percentile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (part * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(0.0)
    }

    /// The middle value, which other programs on the machine disturb least.
    pub fn median(&self) -> f64 {
        self.percentile(0.5)
    }

    /// The mean; 0 when there are none.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / (self.0.len().max(1)) as f64
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p99, max) = (self.percentile(0.99), self.percentile(1.0));
        write!(f, "median {:.3}, p99 {p99:.3}, max {max:.3}, n {}", self.median(), self.0.len())
    }
}

/// Measures two things in turns, so that a busy machine is busy for both: nanoseconds per operation, one sample a round.
/// Each closure does `operations` operations.
pub fn alternate(
    rounds: usize,
    operations: u64,
    mut ours: impl FnMut(),
    mut baseline: impl FnMut(),
) -> (Samples, Samples) {
    let (mut a, mut b) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        a.add(time(&mut ours).as_nanos() as f64 / operations as f64);
        b.add(time(&mut baseline).as_nanos() as f64 / operations as f64);
    }
    (a, b)
}

/// KiB of this process's memory that no file backs; the map of the store is not among it. 0 where the system does not
/// say.
pub fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The slope of the line through points, by least squares.
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let products: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    products / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

/// What a ratio should be.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// It is only reported.
    None,
}

/// Prints ours, the baseline of the same run, their ratio and whether the aim is met. Aims are never asserted.
pub fn report(name: &str, unit: &str, ours: f64, baseline_name: &str, baseline: f64, aim: Aim) {
    let ratio = ours / baseline;
    let verdict = match aim {
        Aim::AtMost(aim) => format!("aim at most {aim}: {}", if ratio <= aim { "met" } else { "MISSED" }),
        Aim::AtLeast(aim) => format!("aim at least {aim}: {}", if ratio >= aim { "met" } else { "MISSED" }),
        Aim::None => "no aim".to_owned(),
    };
    println!("{name}: {ours:.3} {unit}; {baseline_name}: {baseline:.3} {unit}; ratio {ratio:.3} ({verdict})");
}

/// Bytes of a played note's payload: six named fields.
pub const PAYLOAD: usize = 56;

/// A played note, as the store is given it.
pub fn event(device: DeviceId, seq: u64) -> StoredEvent {
    StoredEvent {
        header: Header {
            seq,
            id: EventId { device, device_seq: seq },
            topic: "take.note".into(),
            entity: "take/8f2c".into(),
            version: seq,
            base: None,
            hlc: (1_700_000_000_000 + seq) << 16,
            stamp: Some(Stamp::at(Micros(seq as i64 * 997))),
            cause: None,
            actor: "recorder".into(),
            schema: "take.note.played".into(),
            schema_version: 1,
        },
        payload: Payload::Bytes(vec![seq as u8; PAYLOAD]),
    }
}
