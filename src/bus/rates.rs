//! How much happens in a second: from reports of a moment ago, which are only made while somebody looks.

use std::collections::VecDeque;

use super::inspect::{Rates, Report};
use crate::time::Micros;

/// What is counted is compared with what it was so long ago, at least.
const SPAN: Micros = Micros(1_000_000);
/// Samples are so far apart, at least.
const STEP: Micros = Micros(100_000);
/// A sample older than this tells nothing of the present: nobody has looked in between.
const STALE: Micros = Micros(3_000_000);

/// What was counted at a moment.
struct Sample {
    at: Micros,
    /// Published, applied, durable, commits, snapshots, deliveries.
    counts: [u64; 6],
    lanes: Vec<u64>,
}

/// The samples of the last moments.
#[derive(Default)]
pub(super) struct Sampler(VecDeque<Sample>);

impl Sampler {
    /// Puts the rates into a report, and remembers what it counts.
    pub(super) fn rate(&mut self, report: &mut Report) {
        let counts = &report.counts;
        let lanes: Vec<u64> = report.lanes.iter().map(|lane| lane.pushed).collect();
        let now =
            [counts.published, report.applied, report.durable, counts.commits, counts.snapshots, counts.deliveries];
        self.0.retain(|sample| report.at - sample.at < STALE);
        // The youngest that is old enough, else the oldest.
        while self.0.get(1).is_some_and(|second| report.at - second.at >= SPAN) {
            self.0.pop_front();
        }
        if let Some(before) = self.0.front().filter(|before| report.at - before.at >= STEP) {
            let seconds = (report.at - before.at).as_millis_f64() / 1e3;
            let rate = |now: u64, before: u64| (now.saturating_sub(before) as f64 / seconds) as f32;
            let [published, applied, durable, commits, snapshots, deliveries] =
                std::array::from_fn(|at| rate(now[at], before.counts[at]));
            report.rates = Some(Rates { published, applied, durable, commits, snapshots, deliveries });
            for (lane, (now, before)) in report.lanes.iter_mut().zip(lanes.iter().zip(&before.lanes)) {
                lane.rate = Some(rate(*now, *before));
            }
        }
        if self.0.back().is_none_or(|last| report.at - last.at >= STEP) {
            self.0.push_back(Sample { at: report.at, counts: now, lanes });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::inspect::LaneReport;

    fn report(at: i64, applied: u64, pushed: u64) -> Report {
        let lanes = vec![LaneReport { pushed, ..LaneReport::default() }];
        Report { at: Micros(at * 1_000), applied, lanes, ..Report::default() }
    }

    #[test]
    fn rates_are_of_the_last_second_and_of_no_time_before_anybody_looked() {
        let mut sampler = Sampler::default();
        let mut look = |at, applied, pushed| {
            let mut report = report(at, applied, pushed);
            sampler.rate(&mut report);
            (report.rates.map(|rates| rates.applied), report.lanes[0].rate)
        };
        assert_eq!(look(0, 1_000, 50), (None, None));
        assert_eq!(look(50, 1_000, 50), (None, None), "too soon to say");
        assert_eq!(look(250, 1_500, 50), (Some(2_000.0), Some(0.0)));
        for step in 1..=20 {
            let (applied, lane) = look(250 + step * 250, 1_500 + step as u64 * 250, 50 + step as u64 * 500);
            assert!(step < 8 || (applied, lane) == (Some(1_000.0), Some(2_000.0)), "{step} {applied:?} {lane:?}");
        }
        assert_eq!(look(60_000, 1_000_000, 60), (None, None), "nobody has looked for a minute");
    }
}
