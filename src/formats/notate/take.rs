//! Free playing as a page of music: nobody said what the beat is, so it is taken from what was played, and followed as it
//! goes slower and faster. Where there is no beat to be found, the page is that of an even one.

use super::{PAGE_TICKS, notate};
use crate::formats::hands::{PartNote, split};
use crate::formats::smf::PlayedNote;
use crate::music::{Meter, Score, ScoreParts, Tempo};
use crate::time::{Micros, Ticks};

/// A longer take is no page: half an hour of dense playing.
const NOTES_MAX: usize = 20_000;
/// Keys that go down within this are one stroke: professionals strike 95 % of their chords within 69 ms.
const STROKE: Micros = Micros::from_millis(70);
/// A beat is sought from this many strokes on.
const STROKES_MIN: usize = 8;
/// Units that are tried, the shortest value that all lie on: shortest and longest in microseconds, and each so much longer
/// than the last.
const UNITS: (f64, f64) = (100_000.0, 1_000_000.0);
const UNIT_STEP: f64 = 1.005;
/// Longer steps say nothing of the unit: it would be as well another.
const STEP_MAX: f64 = 2_500_000.0;
/// What people tap to most: 100 a minute. The beat is the unit, or twice, four or eight times it, that is nearest.
const USUAL: f64 = 600_000.0;
const DOUBLINGS: u32 = 3;
/// The strokes must lie this well on the unit: 1 is exactly, 0 is anyhow.
const CLEAR: f64 = 0.45;
/// A beat where there is none: 120 a minute.
const PLAIN: f64 = 500_000.0;
/// How fast the beat follows the player: the share of each step's difference from it.
const FOLLOW: f64 = 0.15;
/// How fast the place follows: the share of each stroke's distance from the nearest unit.
const PULL: f64 = 0.4;
/// The longest step, in units, that says something of the tempo.
const TOLD_MAX: f64 = 16.0;
/// The longest pause that is written, in beats: rests of a whole page are no music.
const PAUSE_MAX: f64 = 8.0;

/// A free take as music on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct TakeScore {
    /// The music, with its page.
    pub score: Score,
    /// When ticks were played, both ascending.
    pub course: Vec<(Micros, Ticks)>,
    /// The beat that was found in it, if any.
    pub beat: Option<Micros>,
}

/// The page of a free take, notes by onset; `None` if it is empty or too long for one.
pub fn take(notes: &[PlayedNote]) -> Option<TakeScore> {
    if notes.is_empty() || notes.len() > NOTES_MAX {
        return None;
    }
    let strokes = strokes(notes);
    let pulse = pulse(&strokes);
    let beat = pulse.map_or(PLAIN, |pulse| pulse.beat);
    let course = follow(&strokes, pulse);
    let tick = |at: Micros| tick_at(&course, at, beat);
    let parts: Vec<PartNote> = notes
        .iter()
        .map(|note| {
            let onset = tick(note.at);
            let end = Ticks(tick(note.at + note.duration).0.max(onset.0 + 1));
            PartNote { onset, end, pitch: note.pitch, velocity: note.velocity }
        })
        .collect();
    let hands = split(&parts);
    let notes = parts.iter().zip(hands).map(|(note, hand)| note.with(hand)).collect();
    let micros_per_quarter = beat as u32;
    let score = Score::new(ScoreParts {
        resolution: PAGE_TICKS,
        notes,
        tempos: vec![Tempo { tick: Ticks::ZERO, micros_per_quarter }],
        meters: vec![Meter { tick: Ticks::ZERO, beats: 4, unit: 4 }],
        ..ScoreParts::default()
    });
    let page = notate(&score)?;
    let beat = pulse.map(|pulse| Micros(pulse.beat as i64));
    Some(TakeScore { score: score.with_notation(Some(page)), course, beat })
}

/// The moments at which something was struck.
fn strokes(notes: &[PlayedNote]) -> Vec<Micros> {
    let mut strokes: Vec<Micros> = Vec::new();
    for note in notes {
        if strokes.last().is_none_or(|last| note.at - *last > STROKE) {
            strokes.push(note.at);
        }
    }
    strokes
}

/// What the playing lies on, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    /// The shortest value.
    unit: f64,
    /// The beat, some units long.
    beat: f64,
}

/// The unit on which the steps from stroke to stroke lie best, and the beat of it.
fn pulse(strokes: &[Micros]) -> Option<Pulse> {
    if strokes.len() < STROKES_MIN {
        return None;
    }
    let steps: Vec<f64> = (1..=2)
        .flat_map(|far| strokes.windows(far + 1).map(move |w| (w[far] - w[0]).0 as f64))
        .filter(|step| *step < STEP_MAX)
        .collect();
    if steps.len() < STROKES_MIN {
        return None;
    }
    let clear = |unit: f64| {
        steps.iter().map(|step| (std::f64::consts::TAU * step / unit).cos()).sum::<f64>() / steps.len() as f64
    };
    let (mut best, mut unit) = ((CLEAR, None), UNITS.0);
    while unit <= UNITS.1 {
        let clear = clear(unit);
        if clear > best.0 {
            best = (clear, Some(unit));
        }
        unit *= UNIT_STEP;
    }
    let unit = best.1?;
    let beats = (0..=DOUBLINGS).map(|doublings| unit * f64::from(1 << doublings));
    let unusual = |beat: &f64| (beat / USUAL).log2().abs();
    let beat = beats.min_by(|a, b| unusual(a).total_cmp(&unusual(b)))?;
    Some(Pulse { unit, beat })
}

/// Where each stroke lies: the unit follows the player, and the place is drawn to whole ones.
fn follow(strokes: &[Micros], pulse: Option<Pulse>) -> Vec<(Micros, Ticks)> {
    let Pulse { unit, beat } = pulse.unwrap_or(Pulse { unit: PLAIN, beat: PLAIN });
    let ticks_a_unit = f64::from(PAGE_TICKS) * unit / beat;
    let (mut now, mut place) = (unit, 0.0_f64);
    let mut course: Vec<(Micros, Ticks)> = Vec::with_capacity(strokes.len());
    for (index, at) in strokes.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|before| strokes[before]) {
            let step = (*at - before).0 as f64;
            place += (step / now).min(PAUSE_MAX * beat / unit);
            let units = (step / now).round();
            if pulse.is_some() && (1.0..=TOLD_MAX).contains(&units) {
                now = (now + (step / units - now) * FOLLOW).clamp(unit / 2.0, unit * 2.0);
                place += (place.round() - place) * PULL;
            }
        }
        let tick = Ticks((place * ticks_a_unit).round() as i64);
        let rising = course.last().map_or(tick, |(_, last)| Ticks(tick.0.max(last.0 + 1)));
        course.push((*at, rising));
    }
    course
}

/// The tick of a moment: between the strokes around it, and at the beat after the last.
fn tick_at(course: &[(Micros, Ticks)], at: Micros, beat: f64) -> Ticks {
    let after = course.partition_point(|(time, _)| *time <= at);
    let ticks = |time: Micros| time.0 as f64 / beat * f64::from(PAGE_TICKS);
    match (after.checked_sub(1).map(|i| course[i]), course.get(after)) {
        (Some((from, tick)), Some((to, next))) => {
            let share = (at - from).0 as f64 / (*to - from).0.max(1) as f64;
            // What is struck together stands together, however long it took.
            if at - from <= STROKE { tick } else { tick + Ticks(((*next - tick).0 as f64 * share) as i64) }
        }
        (Some((from, tick)), None) if at - from <= STROKE => tick,
        (Some((from, tick)), None) => tick + Ticks(ticks(at - from) as i64),
        (None, _) => Ticks::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Pitch;

    /// Notes at these beats of so many microseconds, each a little off in turn.
    fn played(beat: f64, beats: &[f64], off: f64) -> Vec<PlayedNote> {
        let note = |(index, at): (usize, &f64)| {
            let late = [0.0, off, -off, off / 2.0][index % 4];
            let key = 60 + [0, 2, 4, 5, 7][index % 5];
            PlayedNote {
                at: Micros((at * beat + late) as i64 + 1_000_000),
                duration: Micros((beat * 0.4) as i64),
                pitch: Pitch::from_data_byte(key),
                velocity: 80,
            }
        };
        beats.iter().enumerate().map(note).collect()
    }

    fn onsets(take: &TakeScore) -> Vec<f64> {
        take.score.notes().iter().map(|note| note.onset.0 as f64 / f64::from(PAGE_TICKS)).collect()
    }

    #[test]
    fn a_beat_is_found_and_the_notes_lie_on_its_page_where_they_were_meant() {
        let rhythm: Vec<f64> =
            (0..6).flat_map(|bar| [0.0, 1.0, 1.5, 2.0, 3.0].map(|b| b + f64::from(bar) * 4.0)).collect();
        for beat in [480_000.0, 600_000.0, 750_000.0] {
            let take = take(&played(beat, &rhythm, 15_000.0)).expect("a page");
            let found = take.beat.expect("a beat").0 as f64;
            let ratio = found / beat;
            assert!((ratio - 1.0).abs() < 0.03, "{found} for {beat}");
            for (onset, meant) in onsets(&take).iter().zip(&rhythm) {
                assert!((onset - meant).abs() < 0.125, "{onset} for {meant}");
            }
            assert!(take.score.notation().is_some());
        }
    }

    #[test]
    fn the_page_follows_who_slows_down() {
        let mut at = 0.0;
        let notes: Vec<PlayedNote> = (0..32)
            .map(|n| {
                at += 500_000.0 * (1.0 + f64::from(n) * 0.01);
                PlayedNote { at: Micros(at as i64), duration: Micros(300_000), pitch: Pitch::MIDDLE_C, velocity: 70 }
            })
            .collect();
        let take = take(&notes).expect("a page");
        let onsets = onsets(&take);
        let steps: Vec<f64> = onsets.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(steps.iter().all(|step| (step / steps[0] - 1.0).abs() < 0.2), "{steps:?}");
    }

    #[test]
    fn chords_stand_together_long_pauses_are_cut_and_nothing_is_no_page() {
        let chord = |at: i64, key: u8| PlayedNote {
            at: Micros(at),
            duration: Micros(400_000),
            pitch: Pitch::from_data_byte(key),
            velocity: 70,
        };
        let notes = [chord(0, 60), chord(20_000, 64), chord(45_000, 67), chord(3_600_000_000, 60)];
        let take_score = take(&notes).expect("a page");
        let ticks: Vec<i64> = take_score.score.notes().iter().map(|note| note.onset.0).collect();
        assert_eq!(&ticks[..3], [0, 0, 0]);
        assert_eq!(ticks[3], (PAUSE_MAX * f64::from(PAGE_TICKS)) as i64, "an hour of silence is a short rest");
        assert_eq!(take_score.beat, None);
        assert_eq!(take(&[]), None);
    }
}
