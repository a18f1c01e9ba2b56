//! What is kept of a judged take: numbers that need neither score nor notes to be shown. The take can be judged again
//! from its notes in the log at any time.

use serde::{Deserialize, Serialize};

use crate::music::Percent;
use crate::practice::result::{Counts, HISTOGRAM_COLUMNS, TakeResult, Timing};

/// How many verdicts of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Written notes played within the window.
    pub on_time: u32,
    /// Written notes played before it.
    pub early: u32,
    /// Written notes played after it.
    pub late: u32,
    /// Written notes not played.
    pub missed: u32,
    /// Played notes that are not written.
    pub extra: u32,
    /// Notes played in another octave.
    pub wrong_octave: u32,
}

impl Tally {
    /// Written notes played, whenever.
    pub fn right(&self) -> u32 {
        self.on_time + self.early + self.late
    }

    /// Written notes judged.
    pub fn written(&self) -> u32 {
        self.right() + self.missed + self.wrong_octave
    }

    /// Written notes judged, and keys that are not written.
    pub fn judged(&self) -> u32 {
        self.written() + self.extra
    }

    /// Right notes as a share of all that were written or wrongly played, 0 to 1; `None` when there was nothing.
    pub fn accuracy(&self) -> Option<f64> {
        let all = self.judged();
        (all > 0).then(|| f64::from(self.right()) / f64::from(all))
    }
}

impl From<&Counts> for Tally {
    fn from(counts: &Counts) -> Self {
        let Counts { on_time, early, late, missed, extra, wrong_octave, octave_slips } = *counts;
        // What took no written note's place is kept as a wrong key like others.
        Self { on_time, early, late, missed, extra: extra + octave_slips, wrong_octave: wrong_octave - octave_slips }
    }
}

/// Bias and spread in milliseconds, each with half the width of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimingSummary {
    /// How many onsets it rests on.
    pub n: u32,
    /// Mean signed deviation, positive when late.
    pub bias_millis: f64,
    /// Uncertainty of the bias.
    pub bias_interval_millis: f64,
    /// Standard deviation.
    pub spread_millis: f64,
    /// Uncertainty of the spread.
    pub spread_interval_millis: f64,
}

impl From<Timing> for TimingSummary {
    fn from(timing: Timing) -> Self {
        Self {
            n: timing.n as u32,
            bias_millis: timing.bias_millis,
            bias_interval_millis: timing.bias_interval_millis,
            spread_millis: timing.spread_millis,
            spread_interval_millis: timing.spread_interval_millis,
        }
    }
}

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarSummary {
    /// Its index in the piece.
    pub index: u32,
    /// Both hands, all passes.
    pub tally: Tally,
}

/// What came out of a take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResultSummary {
    /// All verdicts.
    pub all: Tally,
    /// Written notes of the right hand.
    pub right_hand: Tally,
    /// Written notes of the left hand.
    pub left_hand: Tally,
    /// Bias and spread; `None` when there are too few notes to say.
    pub timing: Option<TimingSummary>,
    /// Right notes by deviation in columns of 25 ms, the middle one around 0, the outermost holding all beyond.
    pub histogram: Vec<u32>,
    /// The bars in which anything was judged.
    pub bars: Vec<BarSummary>,
    /// Passes begun: each loop, and each going back.
    pub passes: u32,
    /// Whether every note of the range was reached.
    pub completed: bool,
    /// Whether played notes were lost on the way, so that this is no judgement of the person.
    pub incomplete: bool,
    /// *Keep tempo*: the tempo that was kept through a whole good pass of the range, see
    /// [`TakeResult::tempo_kept`]; results of older programs do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tempo_kept: Option<Percent>,
}

impl ResultSummary {
    /// The summary of a result, with nothing but numbers in it.
    pub fn of(result: &TakeResult) -> Self {
        let histogram: [u32; HISTOGRAM_COLUMNS] = result.histogram();
        Self {
            all: (&result.counts).into(),
            right_hand: (&result.right_hand).into(),
            left_hand: (&result.left_hand).into(),
            timing: result.timing().map(Into::into),
            histogram: histogram.to_vec(),
            bars: result.bars().map(|b| BarSummary { index: b.index as u32, tally: (&b.counts).into() }).collect(),
            passes: result.passes,
            completed: result.completed,
            incomplete: result.incomplete,
            tempo_kept: result.tempo_kept(),
        }
    }
}
