//! How a take was played beyond right and wrong: how closely chords were struck, how the hands went together, the
//! tempo that was held, how notes were joined, and how loud. Every number comes with what it rests on, and none below
//! [`ENOUGH`].

use std::collections::BTreeMap;

use super::articulation::Articulation;
use super::result::ENOUGH;
use super::types::{Mode, PlayedId, Verdict};
use crate::music::{BarNumber, Hand, Percent, Score};
use crate::time::{Micros, Ticks};

/// The spread of one written chord as professionals strike it, in milliseconds: half of their chords are within the
/// first, 95 % within the second. Vienna 4×22 corpus (Goebl 1999), 88 performances by 22 pianists, 14 292 onsets.
pub const PROFESSIONAL_CHORD_MILLIS: (f64, f64) = (31.0, 69.0);

/// A mean with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// How many values.
    pub n: usize,
    /// The mean.
    pub value: f64,
    /// Half the width of its 95 % interval: 1.96 standard errors.
    pub interval: f64,
    /// The standard deviation.
    pub spread: f64,
}

impl Mean {
    /// `None` (not enough data) below [`ENOUGH`].
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n < ENOUGH {
            return None;
        }
        let value = values.iter().sum::<f64>() / n as f64;
        let spread = (values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt();
        Some(Self { n, value, interval: 1.96 * spread / (n as f64).sqrt(), spread })
    }
}

/// The bars that tell how even a tempo was, at least. Each is a mean over its notes, and the intervals are those of few
/// values, so fewer are needed than of single notes; of less than this the interval of the spread is wider than the
/// spread itself.
pub const BARS_ENOUGH: usize = 8;

/// How even the tempo of the bars was, as shares of the written one. The intervals take the bars for independent of each
/// other and normally distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steadiness {
    /// How many bars.
    pub n: usize,
    /// The mean.
    pub value: f64,
    /// Half the width of its 95 % interval: Student's t for n − 1.
    pub interval: f64,
    /// The standard deviation.
    pub spread: f64,
    /// Its 95 % interval: s √((n − 1) / χ²), with χ² for n − 1 at 97.5 and 2.5 %.
    pub spread_interval: (f64, f64),
}

impl Steadiness {
    /// `None` (not enough data) below [`BARS_ENOUGH`].
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n < BARS_ENOUGH {
            return None;
        }
        let free = (n - 1) as f64;
        let value = values.iter().sum::<f64>() / n as f64;
        let spread = (values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / free).sqrt();
        let interval = student(free) * spread / (n as f64).sqrt();
        let bound = |z: f64| spread * (free / chi_square(free, z)).sqrt();
        Some(Self { n, value, interval, spread, spread_interval: (bound(Z), bound(-Z)) })
    }
}

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_964;

/// The 97.5 % quantile of Student's t: the Cornish–Fisher expansion (Abramowitz and Stegun, 26.7.5), within 0.5 % from 7
/// degrees of freedom on.
fn student(free: f64) -> f64 {
    let (z3, z5) = (Z.powi(3), Z.powi(5));
    Z + (z3 + Z) / (4.0 * free) + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * free * free)
}

/// The quantile of χ² that belongs to `z` of the normal distribution: Wilson and Hilferty 1931 (Abramowitz and Stegun,
/// 26.4.17), within 2 % from 7 degrees of freedom on.
fn chi_square(free: f64, z: f64) -> f64 {
    let step = 2.0 / (9.0 * free);
    free * (1.0 - step + z * step.sqrt()).powi(3)
}

/// Half and 95 % of some values, with what that rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// How many values.
    pub n: usize,
    /// Half of them are smaller.
    pub p50: f64,
    /// 95 % of them are smaller.
    pub p95: f64,
    /// The 95 % interval of the median: the order statistics 0.98 √n away from the middle (Conover, *Practical
    /// Nonparametric Statistics*, 3rd edition, section 3.2).
    pub p50_interval: (f64, f64),
}

impl Quantiles {
    /// `None` (not enough data) below [`ENOUGH`].
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        let n = values.len();
        if n < ENOUGH {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let at = |place: f64| values[(place.floor().max(0.0) as usize).min(n - 1)];
        let (middle, reach) = (n as f64 / 2.0, 0.98 * (n as f64).sqrt());
        Some(Self {
            n,
            p50: at(middle),
            p95: at(0.95 * n as f64),
            p50_interval: (at(middle - reach), at(middle + reach)),
        })
    }
}

/// The tempo of one bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarTempo {
    /// The bar's index.
    pub bar: usize,
    /// Its number.
    pub number: BarNumber,
    /// Quarters a minute as played, all passes together.
    pub played: f64,
    /// Quarters a minute as written.
    pub written: f64,
}

/// A key as it was struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struck {
    /// When, on any one clock.
    pub at: Micros,
    /// How long the key was down.
    pub duration: Micros,
    /// How hard, 1 to 127.
    pub velocity: u8,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expression {
    /// Whether the music waited: then how long one looked for the keys of a chord says nothing about how it is struck, and
    /// neither the spread nor the hands nor the joining are measured.
    pub waited: bool,
    /// From the first to the last key of each written chord, in milliseconds.
    pub chords: Option<Quantiles>,
    /// How many chords that rests on, enough or not.
    pub chord_count: usize,
    /// How much later than the left hand the right one struck what is written together, in milliseconds.
    pub asynchrony: Option<Mean>,
    /// How many onsets of both hands that rests on, enough or not.
    pub together_count: usize,
    /// How notes were joined and parted; nothing where the music waited.
    pub articulation: Articulation,
    /// The tempo from bar to bar.
    pub tempo: Vec<BarTempo>,
    /// How hard the right hand struck, 1 to 127.
    pub right: Option<Mean>,
    /// How hard the left hand struck.
    pub left: Option<Mean>,
    /// How many right notes each hand has, the right one first, enough or not.
    pub hand_counts: (usize, usize),
}

/// One onset as it was played: when, and with which hand, each key.
type Onset = Vec<(PlayedId, Micros, Hand)>;

impl Expression {
    /// From the verdicts of a take; `played` tells how a key was struck.
    pub fn of(score: &Score, mode: Mode, verdicts: &[Verdict], played: impl Fn(PlayedId) -> Option<Struck>) -> Self {
        let mut onsets: BTreeMap<(u32, Ticks), Onset> = BTreeMap::new();
        let (mut right, mut left) = (Vec::new(), Vec::new());
        let mut notes = Vec::new();
        for verdict in verdicts.iter().filter(|v| v.kind.is_right()) {
            let (Some(note), Some(id)) = (verdict.written, verdict.played) else { continue };
            let Some(struck) = played(id) else { continue };
            let written = score.note(note);
            match written.hand {
                Hand::Right => right.push(f64::from(struck.velocity)),
                Hand::Left => left.push(f64::from(struck.velocity)),
                Hand::Neither => {}
            }
            notes.push((verdict.pass, note, struck));
            onsets.entry((verdict.pass, written.onset)).or_default().push((id, struck.at, written.hand));
        }
        let waited = mode == Mode::Wait;
        let struck = || onsets.values().filter(|_| !waited);
        let chords: Vec<f64> = struck().filter_map(chord_spread).collect();
        let together: Vec<f64> = struck().filter_map(asynchrony).collect();
        Self {
            waited,
            chord_count: chords.len(),
            chords: Quantiles::of(chords),
            together_count: together.len(),
            asynchrony: Mean::of(&together),
            articulation: if waited { Articulation::default() } else { Articulation::of(score, &notes) },
            tempo: tempo(score, &onsets),
            hand_counts: (right.len(), left.len()),
            right: Mean::of(&right),
            left: Mean::of(&left),
        }
    }

    /// How even the tempo was: the mean over the bars of played over written tempo, with its spread.
    pub fn steadiness(&self) -> Option<Steadiness> {
        Steadiness::of(&self.tempo.iter().map(|bar| bar.played / bar.written).collect::<Vec<_>>())
    }
}

/// From the first to the last key, in milliseconds; a unison of both hands is one key and no chord.
fn chord_spread(onset: &Onset) -> Option<f64> {
    let first = onset.iter().min_by_key(|(_, at, _)| *at)?;
    let last = onset.iter().max_by_key(|(_, at, _)| *at)?;
    onset.iter().any(|(id, ..)| *id != first.0).then(|| (last.1 - first.1).as_millis_f64())
}

fn asynchrony(onset: &Onset) -> Option<f64> {
    let mean = |hand: Hand| {
        let times: Vec<f64> =
            onset.iter().filter(|(.., of)| *of == hand).map(|(_, at, _)| at.as_millis_f64()).collect();
        (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64)
    };
    onset.iter().any(|(id, ..)| *id != onset[0].0).then(|| Some(mean(Hand::Right)? - mean(Hand::Left)?)).flatten()
}

/// A bar further than this factor from the median bar has no tempo: somebody stopped in it, or leapt on from it.
const STOP: f64 = 2.5;

/// From the first onset of a bar to the first of the next bar that was reached: how long that is as written, and took.
fn tempo(score: &Score, onsets: &BTreeMap<(u32, Ticks), Onset>) -> Vec<BarTempo> {
    let mut bars: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
    let mut begun: Option<(u32, usize, Ticks, Micros)> = None;
    for ((pass, tick), onset) in onsets {
        let Some(at) = onset.iter().map(|(_, at, _)| *at).min() else { continue };
        let bar = score.bars().index_at(*tick);
        match begun {
            Some((same, index, ..)) if same == *pass && index == bar => continue,
            Some((same, index, from, then)) if same == *pass && at > then => {
                let time = |tick| score.tempo().micros(tick, Percent::FULL).0;
                let sum = bars.entry(index).or_default();
                *sum = (sum.0 + time(*tick) - time(from), sum.1 + (at - then).0);
            }
            _ => {}
        }
        begun = Some((*pass, bar, *tick, at));
    }
    let bar_tempo = |(bar, (as_written, as_played)): (usize, (i64, i64))| {
        let written = score.tempo().quarters_per_minute(score.bars().get(bar).start);
        let number = score.bars().number(bar);
        BarTempo { bar, number, played: written * as_written as f64 / as_played as f64, written }
    };
    let mut tempo: Vec<BarTempo> = bars.into_iter().map(bar_tempo).collect();
    let share = |bar: &BarTempo| bar.played / bar.written;
    let mut shares: Vec<f64> = tempo.iter().map(share).collect();
    shares.sort_by(f64::total_cmp);
    if let Some(usual) = shares.get(shares.len() / 2) {
        tempo.retain(|bar| (usual / STOP..=usual * STOP).contains(&share(bar)));
    }
    tempo
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{NoteId, Pitch, ScoreParts, WrittenNote};
    use crate::practice::VerdictKind;

    /// Thirty quarters, a key of each hand on every one; half a second each as written.
    fn score() -> Score {
        let note = |i: i64, hand: Hand| WrittenNote {
            onset: Ticks(i * 480),
            end: Ticks(i * 480 + 480),
            pitch: Pitch::from_data_byte(if hand == Hand::Right { 72 } else { 48 }),
            hand,
            velocity: 80,
        };
        let notes = (0..30).flat_map(|i| [note(i, Hand::Left), note(i, Hand::Right)]).collect();
        Score::new(ScoreParts { resolution: 480, notes, ..Default::default() })
    }

    /// All of it at 80 % of the tempo, the right hand 20 ms before the left, so many onsets of it.
    fn expression(onsets: i64, mode: Mode) -> Expression {
        with_pause(onsets, mode, i64::MAX)
    }

    /// The same with five seconds of silence before an onset.
    fn with_pause(onsets: i64, mode: Mode, pause_at: i64) -> Expression {
        let score = score();
        let verdicts: Vec<Verdict> = score
            .iter()
            .filter(|(_, note)| note.onset.0 < onsets * 480)
            .map(|(id, _)| Verdict {
                pass: 0,
                played: Some(PlayedId(u64::from(id.0))),
                written: Some(id),
                kind: VerdictKind::OnTime,
                deviation: Some(Micros::ZERO),
            })
            .collect();
        Expression::of(&score, mode, &verdicts, |id| {
            let note = score.note(NoteId(id.0 as u32));
            let paused = if note.onset.0 / 480 >= pause_at { 5_000_000 } else { 0 };
            let at = note.onset.0 / 480 * 625_000 + paused + if note.hand == Hand::Left { 20_000 } else { 0 };
            let velocity = if note.hand == Hand::Left { 60 } else { 75 };
            Some(Struck { at: Micros(at), duration: Micros::from_millis(300), velocity })
        })
    }

    #[test]
    fn chords_hands_tempo_and_loudness_are_measured() {
        let found = expression(30, Mode::Tempo);
        let chords = found.chords.expect("thirty chords");
        assert_eq!((chords.n, chords.p50, chords.p95, chords.p50_interval), (30, 20.0, 20.0, (20.0, 20.0)));
        let hands = found.asynchrony.expect("thirty onsets of both hands");
        assert!((hands.value + 20.0).abs() < 1e-9 && hands.spread < 1e-9, "{hands:?}");
        assert_eq!((found.right.map(|r| r.value), found.left.map(|l| l.value)), (Some(75.0), Some(60.0)));
        // Seven bars of four quarters are left for the one after them.
        assert_eq!(found.tempo.len(), 7);
        assert!(found.tempo.iter().all(|bar| (bar.played - 96.0).abs() < 0.5 && bar.written == 120.0), "{found:?}");
    }

    #[test]
    fn a_bar_in_which_one_stops_has_no_tempo() {
        let found = with_pause(30, Mode::Follow, 9);
        let bars: Vec<usize> = found.tempo.iter().map(|bar| bar.bar).collect();
        assert_eq!(bars, [0, 1, 3, 4, 5, 6]);
    }

    #[test]
    fn nineteen_are_not_enough_and_say_how_many_there_are() {
        let found = expression(19, Mode::Tempo);
        assert_eq!((found.chords, found.asynchrony, found.right, found.left), (None, None, None, None));
        assert_eq!((found.chord_count, found.together_count, found.hand_counts), (19, 19, (19, 19)));
        assert_eq!(found.steadiness(), None);
        assert!(expression(20, Mode::Tempo).chords.is_some());
    }

    #[test]
    fn looking_for_the_keys_of_a_chord_is_no_way_of_striking_it() {
        let found = expression(30, Mode::Wait);
        assert_eq!((found.chords, found.asynchrony, found.waited), (None, None, true));
        assert!(found.right.is_some() && found.tempo.len() == 7);
    }

    #[test]
    fn the_median_has_an_interval_from_the_values_around_it() {
        let found = Quantiles::of((0..100).map(f64::from).collect()).expect("enough");
        assert_eq!((found.p50, found.p95, found.p50_interval), (50.0, 95.0, (40.0, 59.0)));
        let mean = Mean::of(&(0..100).map(f64::from).collect::<Vec<_>>()).expect("enough");
        assert!((mean.value - 49.5).abs() < 1e-9 && (mean.spread - 29.011).abs() < 0.001, "{mean:?}");
    }

    #[test]
    fn few_bars_tell_a_tempo_with_the_wide_intervals_of_few() {
        // From tables of t and χ² for 7, 14 and 29 degrees of freedom.
        for (free, t, low, high) in
            [(7.0, 2.365, 1.690, 16.013), (14.0, 2.145, 5.629, 26.119), (29.0, 2.045, 16.047, 45.722)]
        {
            assert!((student(free) / t - 1.0).abs() < 0.005, "t for {free}: {}", student(free));
            for (z, expected) in [(-Z, low), (Z, high)] {
                let found = chi_square(free, z);
                assert!((found / expected - 1.0).abs() < 0.02, "χ² for {free}: {found}, not {expected}");
            }
        }
        assert_eq!(Steadiness::of(&[1.0; BARS_ENOUGH - 1]), None);
        let bars: Vec<f64> = (0..15).map(|n| 0.9 + 0.02 * f64::from(n % 3)).collect();
        let found = Steadiness::of(&bars).expect("fifteen bars");
        assert!(found.spread_interval.0 < found.spread && found.spread < found.spread_interval.1);
        assert!((found.value - 0.92).abs() < 1e-9 && found.n == 15);
    }
}
