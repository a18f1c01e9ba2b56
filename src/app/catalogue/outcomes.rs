//! What came out of a piece's takes, as far as the library tells of it. Results are compared with their like only: who is
//! waited for misses nothing, one hand is not both, and a rhythm on any key is no piece.

use std::collections::BTreeMap;

use crate::app::rows::Wall;
use crate::model::{ResultSummary, Take, TakeId};
use crate::music::{Hand, Hands};
use crate::practice::{Mode, PracticeSettings};
use crate::time::WallMillis;
use crate::ui::view::{LastResult, Measure, PieceRow, Series};

/// Results that a piece's curve has.
const CURVE: usize = 12;

/// A result of a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    at: WallMillis,
    measure: Measure,
    /// What its share can be compared with; nothing where a whole piece was broken off.
    series: Option<Series>,
    /// The hand that was practised alone.
    hand: Option<Hand>,
    /// Right notes, of all that were written or wrongly played.
    right: u32,
    of: u32,
    part: Option<u32>,
    passes: u32,
    incomplete: bool,
    /// The tempo in percent that was kept through the whole piece.
    tempo: Option<u16>,
}

impl Outcome {
    pub(super) fn of(take: &Take, result: &ResultSummary) -> Self {
        let practice = take.start.practice.unwrap_or_default();
        let whole = result.completed && take.start.practice.is_some_and(|p| p.range.is_none());
        let measure = match practice.mode {
            Mode::Tempo | Mode::Follow | Mode::Listen => Measure::Timed,
            Mode::Wait => Measure::Untimed,
            Mode::Rhythm => Measure::Rhythm,
        };
        let kept = result.tempo_kept.filter(|_| whole && !result.incomplete && practice.mode == Mode::Tempo);
        let (mode, hand, bars) = (practice.mode, alone(&practice), practice.range);
        Self {
            at: take.moment(),
            measure,
            series: (whole || bars.is_some()).then_some(Series { mode, hand, bars }),
            hand,
            right: result.all.right(),
            of: result.all.judged(),
            part: (!whole).then_some(result.bars.len() as u32),
            passes: result.passes.max(1),
            incomplete: result.incomplete,
            tempo: kept.filter(|_| practice.practise == Hands::BOTH).map(|tempo| tempo.get()),
        }
    }

    fn shown(&self, wall: Wall) -> LastResult {
        let Self { measure, hand, right, of, part, .. } = *self;
        LastResult { at: wall.local(self.at), measure, hand, right, of, part }
    }

    /// Of what kind it is, the most telling first.
    fn kind(&self) -> (bool, bool, Measure, Option<bool>) {
        let right = self.hand.map(|hand| hand != Hand::Right);
        (self.measure == Measure::Rhythm, self.hand.is_some(), self.measure, right)
    }

    /// Whether as great a share was right.
    fn is_as_good(&self, other: &Self) -> bool {
        u64::from(self.right) * u64::from(other.of) >= u64::from(other.right) * u64::from(self.of)
    }
}

fn alone(practice: &PracticeSettings) -> Option<Hand> {
    match practice.practise {
        Hands { right: true, left: false } => Some(Hand::Right),
        Hands { right: false, left: true } => Some(Hand::Left),
        _ => None,
    }
}

/// The results of a piece by their takes, whose names sort by time.
pub(super) type Outcomes = BTreeMap<TakeId, Outcome>;

/// The best of the whole piece of each kind, the most telling kind first; of equals the newer. An incomplete one is no
/// judgement of the person.
fn bests(outcomes: &Outcomes) -> impl Iterator<Item = &Outcome> {
    let mut bests: BTreeMap<_, &Outcome> = BTreeMap::new();
    for outcome in outcomes.values().filter(|outcome| outcome.part.is_none() && !outcome.incomplete) {
        let best = bests.entry(outcome.kind()).or_insert(outcome);
        if outcome.is_as_good(best) {
            *best = outcome;
        }
    }
    bests.into_values()
}

/// The last shares right of what was practised in the same way twice or more; of several such, what was practised last.
fn curve(outcomes: &Outcomes) -> Option<(Series, Vec<f32>)> {
    let judged = outcomes.values().filter(|outcome| outcome.of > 0 && !outcome.incomplete);
    let judged: Vec<(Series, f32)> =
        judged.filter_map(|outcome| Some((outcome.series?, outcome.right as f32 / outcome.of as f32))).collect();
    let newest_first = judged.iter().enumerate().rev();
    let is_one_of_several = |place: usize, series| judged[..place].iter().any(|(before, _)| *before == series);
    let series =
        newest_first.map(|(place, (series, _))| (place, *series)).find(|(at, s)| is_one_of_several(*at, *s))?.1;
    let mut shares: Vec<f32> =
        judged.iter().rev().filter(|(other, _)| *other == series).map(|(_, share)| *share).take(CURVE).collect();
    shares.reverse();
    Some((series, shares))
}

/// How it went with a piece so far.
pub(super) fn with_progress(row: &mut PieceRow, outcomes: &Outcomes, wall: Wall) {
    let last = outcomes.values().next_back();
    row.last = last.map(|last| last.shown(wall));
    row.last_at = last.map_or(WallMillis(0), |last| last.at);
    let mut bests = bests(outcomes).map(|best| best.shown(wall));
    row.best = bests.next();
    row.other_bests = bests.collect();
    let curve = curve(outcomes);
    row.curve_of = curve.as_ref().map(|(series, _)| *series);
    row.curve = curve.map(|(_, shares)| shares).unwrap_or_default();
    row.passes = outcomes.values().map(|outcome| outcome.passes).sum();
    row.tempo = outcomes.values().filter_map(|outcome| outcome.tempo).max();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Observed, Register};
    use crate::model::{TakeStart, Tally};
    use crate::music::Percent;

    const WALL: Wall = Wall { now: WallMillis(0), offset: 0 };

    fn outcome(minute: u64, (right, of): (u32, u32), part: Option<u32>, incomplete: bool) -> (TakeId, Outcome) {
        let at = WallMillis(minute as i64 * 60_000);
        let (measure, hand) = (Measure::Timed, None);
        let series = part.is_none().then_some(Series { mode: Mode::Tempo, hand, bars: None });
        (TakeId(minute), Outcome { at, measure, series, hand, right, of, part, passes: 1, incomplete, tempo: None })
    }

    fn row(outcomes: &Outcomes) -> PieceRow {
        let mut row = PieceRow::default();
        with_progress(&mut row, outcomes, WALL);
        row
    }

    #[test]
    fn a_take_that_was_broken_off_hides_no_good_one_and_of_equals_the_newer_is_shown() {
        let results = [
            outcome(1, (3, 4), Some(2), false),
            outcome(2, (90, 100), None, false),
            outcome(3, (45, 50), None, false),
            outcome(4, (80, 100), None, false),
            outcome(5, (100, 100), None, true),
            outcome(6, (1, 1), Some(1), false),
        ];
        let (mut outcomes, mut bests) = (Outcomes::new(), Vec::new());
        for (id, outcome) in results {
            outcomes.insert(id, outcome);
            let row = row(&outcomes);
            assert_eq!(row.last, Some(outcome.shown(WALL)));
            bests.push(row.best.map(|best| best.at.minute));
        }
        assert_eq!(bests, [None, Some(2), Some(3), Some(3), Some(3), Some(3)]);
        let row = row(&outcomes);
        assert_eq!((row.curve, row.passes, row.last_at), (vec![0.9, 0.9, 0.8], 6, WallMillis(360_000)));
    }

    /// A take of the whole piece, and what came out: so many right, missed, and wrongly played besides.
    fn take(practice: PracticeSettings, (on_time, missed, extra): (u32, u32, u32), tempo: Option<u16>) -> Outcome {
        let start = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
        let (discarded, names) = (Register::default(), Observed::default());
        let take = Take { start, notes: 9, began: None, first: None, last: None, lost: 0, end: None, discarded, names };
        let all = Tally { on_time, missed, extra, ..Tally::default() };
        let tempo_kept = tempo.map(Percent::new);
        Outcome::of(&take, &ResultSummary { all, tempo_kept, completed: true, ..ResultSummary::default() })
    }

    fn practice(mode: Mode, practise: Hands) -> PracticeSettings {
        PracticeSettings { mode, practise, ..PracticeSettings::default() }
    }

    #[test]
    fn wrong_keys_count_and_a_kind_of_practice_is_best_among_its_like() {
        let waited = |result| take(practice(Mode::Wait, Hands::BOTH), result, None);
        let (clumsy, clean) = (waited((50, 0, 50)), waited((50, 0, 0)));
        assert_eq!((clumsy.right, clumsy.of, clean.of), (50, 100, 50), "who is waited for misses nothing, but errs");
        let all = [
            clean,
            clumsy,
            take(practice(Mode::Tempo, Hands::BOTH), (80, 20, 0), None),
            take(practice(Mode::Follow, Hands::RIGHT), (95, 5, 0), None),
            take(practice(Mode::Rhythm, Hands::BOTH), (100, 0, 0), None),
        ];
        let outcomes: Outcomes = (1..).map(TakeId).zip(all).collect();
        let row = row(&outcomes);
        let kind = |best: &LastResult| (best.measure, best.hand, best.right, best.of);
        assert_eq!(row.best.as_ref().map(kind), Some((Measure::Timed, None, 80, 100)));
        let others: Vec<_> = row.other_bests.iter().map(kind).collect();
        let expected = [
            (Measure::Untimed, None, 50, 50),
            (Measure::Timed, Some(Hand::Right), 95, 100),
            (Measure::Rhythm, None, 100, 100),
        ];
        assert_eq!(others, expected);
        assert_eq!(row.curve, [1.0, 0.5], "of those alone there are two that can be compared");
        assert_eq!(row.curve_of, Some(Series { mode: Mode::Wait, hand: None, bars: None }));
    }

    #[test]
    fn a_curve_is_of_one_mode_one_hand_and_the_same_bars() {
        let bars = |first, last| Some(crate::practice::BarRange::new(first, last));
        let whole = |mode, right| take(practice(mode, Hands::BOTH), (right, 10 - right, 0), None);
        let part = |practise, range, right| {
            take(PracticeSettings { range, ..practice(Mode::Tempo, practise) }, (right, 10 - right, 0), None)
        };
        let curve = |outcomes: &[Outcome]| row(&(1..).map(TakeId).zip(outcomes.iter().copied()).collect()).curve;
        let mut outcomes = vec![whole(Mode::Tempo, 5), whole(Mode::Follow, 9), whole(Mode::Tempo, 7)];
        assert_eq!(curve(&outcomes), [0.5, 0.7], "not the one that was followed");
        outcomes.extend([part(Hands::BOTH, bars(0, 1), 10), part(Hands::BOTH, bars(0, 2), 1)]);
        assert_eq!(curve(&outcomes), [0.5, 0.7], "not those of a few bars, which differ");
        outcomes.push(part(Hands::LEFT, bars(0, 2), 2));
        assert_eq!(curve(&outcomes), [0.5, 0.7], "nor one hand alone");
        outcomes.push(part(Hands::LEFT, bars(0, 2), 3));
        assert_eq!(curve(&outcomes), [0.2, 0.3], "what was practised last, once there are two of it");
        outcomes.extend((0..20).map(|n| whole(Mode::Wait, n % 10)));
        assert_eq!(curve(&outcomes).len(), CURVE);
    }

    #[test]
    fn a_tempo_is_reached_by_the_whole_piece_with_both_hands_in_keep_tempo() {
        let reached = |practice, tempo| take(practice, (10, 0, 0), tempo).tempo;
        let tempo = practice(Mode::Tempo, Hands::BOTH);
        assert_eq!(reached(tempo, Some(85)), Some(85));
        assert_eq!(reached(tempo, None), None, "the speed that was chosen is none that was kept");
        assert_eq!(reached(practice(Mode::Rhythm, Hands::BOTH), Some(85)), None);
        assert_eq!(reached(practice(Mode::Tempo, Hands::LEFT), Some(85)), None);
        let range = Some(crate::practice::BarRange::new(0, 1));
        assert_eq!(reached(PracticeSettings { range, ..tempo }, Some(85)), None);
    }
}
