//! Verdicts folded into a result: counts by bar and hand, timing with its uncertainty, the bars to work on.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::ladder::Rung;
use super::types::{Mode, PlayedId, Verdict, VerdictKind};
use crate::music::{BarNumber, Hand, Hands, Percent, Score};
use crate::time::{Micros, Ticks};

/// Fewer deviations than this say nothing about a person's timing.
pub const ENOUGH: usize = 20;

/// A tempo is kept where so great a share is right: a note in ten may go wrong.
pub const TEMPO_ACCURACY: f64 = 0.9;

/// The width of a histogram column, in milliseconds.
pub const HISTOGRAM_STEP_MILLIS: i64 = 25;

/// Columns of a histogram: the middle one is centred on 0, the outermost hold everything beyond.
pub const HISTOGRAM_COLUMNS: usize = 21;

/// How many verdicts of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Written notes played within the window.
    pub on_time: u32,
    /// Written notes played before the window.
    pub early: u32,
    /// Written notes played after the window.
    pub late: u32,
    /// Written notes not played.
    pub missed: u32,
    /// Played notes that are not written.
    pub extra: u32,
    /// Notes played in another octave.
    pub wrong_octave: u32,
    /// How many of these were keys beside a note that was waited for until it came, and so took no note's place.
    pub octave_slips: u32,
}

impl Counts {
    /// Nothing was judged.
    pub const NONE: Self =
        Self { on_time: 0, early: 0, late: 0, missed: 0, extra: 0, wrong_octave: 0, octave_slips: 0 };

    /// What came to it since it was `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            on_time: self.on_time - before.on_time,
            early: self.early - before.early,
            late: self.late - before.late,
            missed: self.missed - before.missed,
            extra: self.extra - before.extra,
            wrong_octave: self.wrong_octave - before.wrong_octave,
            octave_slips: self.octave_slips - before.octave_slips,
        }
    }

    /// Written notes played, whenever.
    pub fn right(&self) -> u32 {
        self.on_time + self.early + self.late
    }

    /// Written notes judged.
    pub fn written(&self) -> u32 {
        self.right() + self.missed + self.wrong_octave - self.octave_slips
    }

    /// Everything that went wrong with the pitches.
    pub fn wrong(&self) -> u32 {
        self.missed + self.extra + self.wrong_octave
    }

    /// Right notes as a share of all that were written or wrongly played, 0 to 1; `None` when there was nothing.
    pub fn accuracy(&self) -> Option<f64> {
        let all = self.right() + self.wrong();
        (all > 0).then(|| f64::from(self.right()) / f64::from(all))
    }

    fn add(&mut self, verdict: &Verdict) {
        match verdict.kind {
            VerdictKind::OnTime => self.on_time += 1,
            VerdictKind::Early => self.early += 1,
            VerdictKind::Late => self.late += 1,
            VerdictKind::Missed => self.missed += 1,
            VerdictKind::Extra => self.extra += 1,
            VerdictKind::WrongOctave => {
                self.wrong_octave += 1;
                self.octave_slips += u32::from(verdict.written.is_none());
            }
            VerdictKind::Neutral => {}
        }
    }

    fn add_all(&mut self, other: &Self) {
        self.on_time += other.on_time;
        self.early += other.early;
        self.late += other.late;
        self.missed += other.missed;
        self.extra += other.extra;
        self.wrong_octave += other.wrong_octave;
        self.octave_slips += other.octave_slips;
    }
}

/// How a set of onsets was timed. Bias and spread are apart: most people tap early, and that is no fault. The notes of one
/// onset are played by one movement and tell one thing together, so an onset counts once, with the mean of its keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// How many onsets it rests on.
    pub n: usize,
    /// The mean signed deviation in milliseconds; positive is late.
    pub bias_millis: f64,
    /// Half the width of the 95 % interval of the bias: 1.96 standard errors.
    pub bias_interval_millis: f64,
    /// The standard deviation in milliseconds.
    pub spread_millis: f64,
    /// Half the width of the 95 % interval of the spread, for a normal distribution: 1.96 s / √(2 (n − 1)).
    pub spread_interval_millis: f64,
}

impl Timing {
    /// From signed deviations; `None` (not enough data) below [`ENOUGH`].
    pub fn of(deviations: impl Iterator<Item = Micros> + Clone) -> Option<Self> {
        let n = deviations.clone().count();
        if n < ENOUGH {
            return None;
        }
        let mean = deviations.clone().map(Micros::as_millis_f64).sum::<f64>() / n as f64;
        let squares: f64 = deviations.map(|d| (d.as_millis_f64() - mean).powi(2)).sum();
        let spread = (squares / (n - 1) as f64).sqrt();
        Some(Self {
            n,
            bias_millis: mean,
            bias_interval_millis: 1.96 * spread / (n as f64).sqrt(),
            spread_millis: spread,
            spread_interval_millis: 1.96 * spread / (2.0 * (n - 1) as f64).sqrt(),
        })
    }
}

/// What was found in one bar, all passes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarResult {
    /// The bar's index.
    pub index: usize,
    /// The number that a musician calls it by.
    pub number: BarNumber,
    /// Both hands; extra notes belong to the bar in which they were played.
    pub counts: Counts,
}

/// Why a bar is among the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Mostly notes that were not played.
    Missed(u32),
    /// Mostly notes that are not written.
    Extra(u32),
    /// Mostly notes in another octave.
    WrongOctave(u32),
    /// The pitches are right, and mostly early.
    Early(u32),
    /// The pitches are right, and mostly late.
    Late(u32),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missed(n) => write!(f, "{n} missed"),
            Self::Extra(n) => write!(f, "{n} not written"),
            Self::WrongOctave(n) => write!(f, "{n} in the wrong octave"),
            Self::Early(n) => write!(f, "{n} early"),
            Self::Late(n) => write!(f, "{n} late"),
        }
    }
}

/// The result of a take, or of a take so far. Fold verdicts into it one by one; it is complete at every moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakeResult {
    /// All verdicts.
    pub counts: Counts,
    /// Written notes of the right hand.
    pub right_hand: Counts,
    /// Written notes of the left hand.
    pub left_hand: Counts,
    /// Passes in which something was judged: each loop, and each going elsewhere.
    pub passes: u32,
    /// Whether every practised note of the range was reached at least once.
    pub completed: bool,
    /// Whether played notes were lost on the way, so that this is no judgement of the person.
    pub incomplete: bool,
    /// How often the sound stopped short, so that the person could not hear what they were to follow.
    pub interruptions: u64,
    /// How the tempo ladder went: each whole pass, in order.
    pub ladder: Vec<Rung>,
    bars: BTreeMap<usize, BarResult>,
    deviations: Vec<Micros>,
    /// The key-downs that `deviations` has.
    timed: HashSet<PlayedId>,
    /// For each pass and written tick the sum of its deviations, and how many they are.
    onsets: BTreeMap<(u32, Ticks), (Micros, i64)>,
    /// Of each pass.
    passes_counts: BTreeMap<u32, Counts>,
    /// *Keep tempo*: of each pass from the beginning of the range to its end the slowest tempo in it.
    passes_tempo: BTreeMap<u32, Percent>,
    /// Where the person makes the tempo: from one written onset to the next, the written time over the played.
    paces: Vec<f64>,
    untimed: bool,
}

impl TakeResult {
    /// An empty result for a mode. In *Wait* nothing is expected at a time, so there timing is not collected.
    pub fn for_mode(mode: Mode) -> Self {
        Self { untimed: mode == Mode::Wait, ..Self::default() }
    }

    /// All verdicts of a take. `bar_of_extra` tells the bar in which a played note without a written one belongs.
    pub fn of(
        mode: Mode,
        score: &Score,
        verdicts: &[Verdict],
        bar_of_extra: impl Fn(&Verdict) -> Option<usize>,
    ) -> Self {
        let mut result = Self::for_mode(mode);
        for verdict in verdicts {
            result.add(score, verdict, bar_of_extra(verdict));
        }
        result
    }

    /// One more verdict. `bar` says where the music stood; the bar of the written note comes first, if there is one.
    pub fn add(&mut self, score: &Score, verdict: &Verdict, bar: Option<usize>) {
        if verdict.kind == VerdictKind::Neutral {
            return;
        }
        self.passes = self.passes.max(verdict.pass + 1);
        self.counts.add(verdict);
        self.passes_counts.entry(verdict.pass).or_default().add(verdict);
        if let Some(id) = verdict.written {
            match score.note(id).hand {
                Hand::Right => self.right_hand.add(verdict),
                Hand::Left => self.left_hand.add(verdict),
                Hand::Neither => {}
            }
        }
        let written = verdict.written.map(|id| score.bar_of(id));
        if let Some(index) = written.or(bar) {
            let number = score.bars().number(index);
            let fresh = BarResult { index, number, counts: Counts::default() };
            self.bars.entry(index).or_insert(fresh).counts.add(verdict);
        }
        if verdict.kind.is_right() && !self.untimed {
            self.time(score, verdict);
        }
    }

    /// One key-down counts once, however many written notes it plays.
    fn time(&mut self, score: &Score, verdict: &Verdict) {
        let (Some(deviation), Some(written), Some(played)) = (verdict.deviation, verdict.written, verdict.played)
        else {
            return;
        };
        if self.timed.insert(played) {
            self.deviations.push(deviation);
            let onset = self.onsets.entry((verdict.pass, score.beat(written))).or_default();
            *onset = (onset.0 + deviation, onset.1 + 1);
        }
    }

    /// The counts of one hand.
    pub fn hand(&self, hand: Hand) -> &Counts {
        match hand {
            Hand::Right => &self.right_hand,
            Hand::Left => &self.left_hand,
            Hand::Neither => &Counts::NONE,
        }
    }

    /// The counts of a choice of hands, extra notes left out.
    pub fn hands(&self, hands: Hands) -> Counts {
        let mut sum = Counts::default();
        for hand in [Hand::Right, Hand::Left].into_iter().filter(|&h| hands.contains(h)) {
            sum.add_all(self.hand(hand));
        }
        sum
    }

    /// The bars in which anything was judged, in order.
    pub fn bars(&self) -> impl Iterator<Item = &BarResult> {
        self.bars.values()
    }

    /// One bar, if anything was judged in it.
    pub fn bar(&self, index: usize) -> Option<&BarResult> {
        self.bars.get(&index)
    }

    /// Bias and spread; `None` means not enough data.
    pub fn timing(&self) -> Option<Timing> {
        Timing::of(self.onsets.values().map(|(sum, n)| Micros(sum.0 / n)))
    }

    /// How many onsets the timing rests on, enough or not.
    pub fn onsets(&self) -> usize {
        self.onsets.len()
    }

    /// The signed deviations of the key-downs that were right, in order of judging.
    pub fn deviations(&self) -> &[Micros] {
        &self.deviations
    }

    /// One more step from a written onset to the next: how long it is as written, and how long it took.
    pub fn add_pace(&mut self, written: Micros, played: Micros) {
        if written > Micros::ZERO && played > Micros::ZERO {
            self.paces.push(written.0 as f64 / played.0 as f64);
        }
    }

    /// Where the person makes the tempo: the one that was held, as a share of the written one. The median over the steps, so that
    /// looking for a note now and then does not count; `None` below [`ENOUGH`] steps.
    pub fn tempo_held(&self) -> Option<f64> {
        let mut paces = self.paces.clone();
        let middle = paces.len() / 2;
        (paces.len() >= ENOUGH).then(|| *paces.select_nth_unstable_by(middle, f64::total_cmp).1)
    }

    /// *Keep tempo*: a pass has gone from the beginning of the range to its end, never slower than `slowest`.
    pub fn keep_tempo(&mut self, pass: u32, slowest: Percent) {
        self.passes_tempo.insert(pass, slowest);
    }

    /// *Keep tempo*: the tempo of a whole pass, its slowest.
    pub fn tempo_of(&self, pass: u32) -> Option<Percent> {
        self.passes_tempo.get(&pass).copied()
    }

    /// *Keep tempo*: the greatest tempo that was kept through a whole pass in which the accuracy reached
    /// [`TEMPO_ACCURACY`]; of a pass its slowest counts.
    pub fn tempo_kept(&self) -> Option<Percent> {
        let is_good = |counts: &Counts| counts.accuracy().is_some_and(|accuracy| accuracy >= TEMPO_ACCURACY);
        let good = self.passes_tempo.iter().filter(|(pass, _)| self.passes_counts.get(pass).is_some_and(is_good));
        good.map(|(_, tempo)| *tempo).max()
    }

    /// Right notes by deviation, [`HISTOGRAM_STEP_MILLIS`] a column, early first.
    pub fn histogram(&self) -> [u32; HISTOGRAM_COLUMNS] {
        let mut columns = [0; HISTOGRAM_COLUMNS];
        let middle = (HISTOGRAM_COLUMNS / 2) as i64;
        for deviation in &self.deviations {
            let step = HISTOGRAM_STEP_MILLIS * 1_000;
            let column = middle + (deviation.0 + step / 2).div_euclid(step);
            columns[column.clamp(0, 2 * middle) as usize] += 1;
        }
        columns
    }

    /// Up to five bars in which something went wrong, the worst first, each with its main reason. Wrong pitches weigh
    /// more than timing, and a share of a bar's notes more than their number.
    pub fn worst_bars(&self) -> Vec<(BarResult, Trouble)> {
        let mut bars: Vec<(f64, BarResult, Trouble)> = self
            .bars
            .values()
            .filter_map(|bar| {
                let c = &bar.counts;
                let badness = f64::from(c.wrong()) + 0.5 * f64::from(c.early + c.late);
                let share = badness / f64::from((c.right() + c.wrong()).max(1));
                main_trouble(c).map(|trouble| (share * badness.sqrt(), *bar, trouble))
            })
            .collect();
        bars.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
        bars.into_iter().take(5).map(|(_, bar, trouble)| (bar, trouble)).collect()
    }
}

fn main_trouble(counts: &Counts) -> Option<Trouble> {
    let pitches = [
        (counts.missed, Trouble::Missed(counts.missed)),
        (counts.wrong_octave, Trouble::WrongOctave(counts.wrong_octave)),
        (counts.extra, Trouble::Extra(counts.extra)),
    ];
    let timing = [(counts.late, Trouble::Late(counts.late)), (counts.early, Trouble::Early(counts.early))];
    let most = |list: &[(u32, Trouble)]| {
        list.iter().rev().filter(|(n, _)| *n > 0).max_by_key(|(n, _)| *n).map(|(_, trouble)| *trouble)
    };
    most(&pitches).or_else(|| most(&timing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{NoteId, Pitch, ScoreParts, WrittenNote};

    /// Two bars of four quarters in the right hand.
    fn score() -> Score {
        let note = |i: i64| WrittenNote {
            onset: Ticks(i * 480),
            end: Ticks(i * 480 + 400),
            pitch: Pitch::from_data_byte(60 + i as u8),
            hand: Hand::Right,
            velocity: 80,
        };
        Score::new(ScoreParts { resolution: 480, notes: (0..8).map(note).collect(), ..Default::default() })
    }

    fn verdict(note: u32, kind: VerdictKind, millis: i64) -> Verdict {
        let deviation = kind.is_right().then_some(Micros::from_millis(millis));
        Verdict { pass: 0, played: Some(PlayedId(0)), written: Some(NoteId(note)), kind, deviation }
    }

    /// The nth key-down of a take that plays the piece again and again.
    fn nth(n: u32, millis: i64) -> Verdict {
        Verdict { pass: n / 8, played: Some(PlayedId(u64::from(n))), ..verdict(n % 8, VerdictKind::OnTime, millis) }
    }

    #[test]
    fn bars_and_hands_are_counted_and_the_worst_bar_comes_first_with_its_reason() {
        let verdicts = [
            verdict(0, VerdictKind::OnTime, 10),
            verdict(1, VerdictKind::Late, 130),
            verdict(4, VerdictKind::Missed, 0),
            verdict(5, VerdictKind::Missed, 0),
            verdict(6, VerdictKind::WrongOctave, 0),
        ];
        let extra = Verdict { written: None, ..verdict(0, VerdictKind::Extra, 0) };
        let mut result = TakeResult::of(Mode::Tempo, &score(), &verdicts, |_| None);
        result.add(&score(), &extra, Some(0));
        assert_eq!(result.right_hand.right(), 2);
        assert_eq!(result.hands(Hands::LEFT), Counts::default());
        assert_eq!(result.bar(0).map(|b| (b.number, b.counts.extra, b.counts.late)), Some((1.into(), 1, 1)));
        let worst: Vec<_> = result.worst_bars().into_iter().map(|(b, t)| (b.index, t)).collect();
        assert_eq!(worst, [(1, Trouble::Missed(2)), (0, Trouble::Extra(1))]);
        assert_eq!(result.counts.accuracy(), Some(2.0 / 6.0));
    }

    #[test]
    fn nineteen_notes_are_not_enough_and_twenty_are() {
        let mut result = TakeResult::default();
        for i in 0..19 {
            result.add(&score(), &nth(i, if i % 2 == 0 { 10 } else { -30 }), None);
        }
        assert_eq!(result.timing(), None);
        result.add(&score(), &nth(19, -30), None);
        let timing = result.timing().unwrap();
        assert_eq!((timing.n, timing.bias_millis), (20, -10.0));
        assert!((timing.spread_millis - 20.519).abs() < 0.001, "{timing:?}");
        assert!((timing.bias_interval_millis - 8.993).abs() < 0.001, "{timing:?}");
    }

    #[test]
    fn one_key_down_for_several_notes_counts_once_and_an_onset_is_one_observation() {
        let mut result = TakeResult::default();
        // Twelve strokes, each for two notes of one onset: twice the same key-down, and a key of its own later.
        for n in 0..12 {
            let stroke = nth(n, 10);
            let other = Verdict { played: Some(PlayedId(100 + u64::from(n))), ..nth(n, 30) };
            for verdict in [stroke, stroke, other] {
                result.add(&score(), &verdict, None);
            }
        }
        assert_eq!((result.counts.right(), result.deviations().len(), result.onsets()), (36, 24, 12));
        assert_eq!(result.timing(), None, "twelve onsets are not enough");
        (12..20).for_each(|n| result.add(&score(), &nth(n, 20), None));
        let timing = result.timing().expect("twenty onsets");
        assert_eq!((timing.n, timing.bias_millis, timing.spread_millis), (20, 20.0, 0.0));
    }

    #[test]
    fn a_key_in_another_octave_that_took_no_note_s_place_is_no_written_note() {
        let slip = Verdict { written: None, ..verdict(0, VerdictKind::WrongOctave, 0) };
        let verdicts = [slip, verdict(0, VerdictKind::OnTime, 0), verdict(1, VerdictKind::WrongOctave, 0)];
        let counts = TakeResult::of(Mode::Wait, &score(), &verdicts, |_| None).counts;
        assert_eq!((counts.written(), counts.right(), counts.wrong_octave, counts.wrong()), (2, 1, 2, 2));
    }

    #[test]
    fn the_tempo_held_is_that_of_the_middle_step_however_long_one_searched_for_a_note() {
        let mut result = TakeResult::for_mode(Mode::Wait);
        let second = Micros::SECOND;
        for step in 0..19 {
            result.add_pace(second, if step % 6 == 0 { Micros(30 * second.0) } else { Micros(2 * second.0) });
        }
        result.add_pace(second, Micros::ZERO);
        assert_eq!(result.tempo_held(), None);
        result.add_pace(second, second);
        assert_eq!(result.tempo_held(), Some(0.5));
    }

    #[test]
    fn the_tempo_kept_is_that_of_the_fastest_good_pass_from_the_beginning_to_the_end() {
        let mut result = TakeResult::default();
        // A slow good pass, a fast bad one, one that was not whole, and one in which nothing was played.
        (0..8).for_each(|n| result.add(&score(), &nth(n, 0), None));
        (8..16).for_each(|n| result.add(&score(), &Verdict { kind: VerdictKind::Missed, ..nth(n, 0) }, None));
        (16..24).for_each(|n| result.add(&score(), &nth(n, 0), None));
        assert_eq!(result.tempo_kept(), None);
        for (pass, speed) in [(0, 70), (1, 100), (3, 120)] {
            result.keep_tempo(pass, Percent::new(speed));
        }
        assert_eq!(result.tempo_kept(), Some(Percent::new(70)));
        // A wrong key in ten is still good, two are not.
        let extra = Verdict { written: None, kind: VerdictKind::Extra, ..verdict(0, VerdictKind::Extra, 0) };
        (0..2).for_each(|_| result.add(&score(), &extra, None));
        assert_eq!(result.tempo_kept(), None);
    }

    #[test]
    fn waiting_has_no_timing() {
        let verdicts: Vec<Verdict> = (0..40).map(|i| nth(i, 900)).collect();
        let result = TakeResult::of(Mode::Wait, &score(), &verdicts, |_| None);
        assert_eq!((result.counts.on_time, result.timing()), (40, None));
        assert!(TakeResult::of(Mode::Tempo, &score(), &verdicts, |_| None).timing().is_some());
    }

    #[test]
    fn the_histogram_is_centred_and_its_ends_are_open() {
        let mut result = TakeResult::default();
        for (n, millis) in (0..).zip([-900, -13, -12, 0, 12, 13, 900]) {
            result.add(&score(), &nth(n, millis), None);
        }
        let columns = result.histogram();
        assert_eq!((columns[0], columns[9], columns[10], columns[11], columns[20]), (1, 1, 3, 1, 1));
    }
}
