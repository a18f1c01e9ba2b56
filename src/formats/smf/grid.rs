//! The bars of the music under what was played to it: its tempo map, metre and key at the speed at which it ran, so that
//! other programs show bars that fit. Where it was begun again or went elsewhere, a new bar begins.

use midly::MetaMessage;
use midly::num::u24;

use super::TICKS_MAX;
use super::write::{Timed, bar_meter, meta, time_signature};
use crate::music::{Bar, KeySignature, Percent, Score};
use crate::time::{Micros, Ticks, div_round};

/// The music runs from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When.
    pub at: Micros,
    /// From where, an exact time as of [`TempoMap::exact`](crate::music::TempoMap::exact); before the start in a count-in.
    pub place: i64,
    /// How fast.
    pub speed: Percent,
}

/// The same course told again differs by a rounding at most; and a bar line is met within it.
const SAME_COURSE: Micros = Micros(2_000);
/// What the header of a file can say.
const RESOLUTION_MAX: u16 = (1 << 15) - 1;
/// The slowest tempo that a file can say, in microseconds a quarter note.
const QUARTER_MAX: i64 = (1 << 24) - 1;

/// Where everything stands in the file.
pub(super) struct Layout<'a> {
    score: &'a Score,
    /// Ticks of the file to one of the score.
    fine: i64,
    stretches: Vec<Stretch>,
}

/// The music in one go.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    run: Run,
    /// The tick of the score where it begins, and that of the file.
    origin: i64,
    start: i64,
    /// Whether it only goes on at another speed.
    goes_on: bool,
}

impl Run {
    /// The tick of the score at a moment.
    fn tick(&self, score: &Score, at: Micros) -> f64 {
        score.tempo().ticks_at_exact(self.exact(score, at))
    }

    fn exact(&self, score: &Score, at: Micros) -> i64 {
        let music = i128::from((at - self.at).0) * i128::from(self.speed.get()) * i128::from(score.resolution());
        self.place.saturating_add(div_round(music, 100))
    }
}

impl<'a> Layout<'a> {
    /// A layout of what was played up to `end` from time 0 on, as fine as a file can be; `None` where the music never ran,
    /// or has a tempo or a length that no file can say.
    pub(super) fn new(score: &'a Score, runs: &[Run], end: Micros) -> Option<Self> {
        // What was before the first message does not count.
        let first = runs.iter().rposition(|run| run.at <= Micros::ZERO).unwrap_or(0);
        let runs = runs.get(first..).filter(|runs| !runs.is_empty())?;
        let slowest = runs.iter().map(|run| i64::from(run.speed.get())).min()?.max(1);
        let longest = score.tempo().changes().map(|change| i64::from(change.micros_per_quarter)).max()?;
        if score.resolution() > RESOLUTION_MAX || longest * 100 / slowest > QUARTER_MAX {
            return None;
        }
        let finest = i64::from(RESOLUTION_MAX / score.resolution().max(1));
        let coarse = Self::lay(score, runs, 1);
        let fine = finest.min((TICKS_MAX - 1) / (coarse.tick(end) + 1).max(1));
        (fine >= 1).then(|| Self::lay(score, runs, fine))
    }

    fn lay(score: &'a Score, runs: &[Run], fine: i64) -> Self {
        let mut layout = Self { score, fine, stretches: Vec::with_capacity(runs.len()) };
        for run in runs {
            let next = layout.next(run);
            layout.stretches.push(next);
        }
        layout
    }

    fn next(&self, run: &Run) -> Stretch {
        let Some(last) = self.stretches.last() else {
            let early = run.tick(self.score, run.at.min(Micros::ZERO));
            return Stretch { run: *run, origin: self.bar_at(early), start: 0, goes_on: false };
        };
        let here = run.tick(self.score, run.at);
        let gone = run.place.saturating_sub(last.run.exact(self.score, run.at)) / i64::from(self.score.resolution());
        if gone.abs() < SAME_COURSE.0 {
            let origin = here.round() as i64;
            return Stretch { run: *run, origin, start: self.place(last, origin as f64), goes_on: true };
        }
        let left = self.snapped(last.run.tick(self.score, run.at));
        let start = self.place(last, left).max(last.start);
        Stretch { run: *run, origin: self.snapped(here).round() as i64, start, goes_on: false }
    }

    /// The first tick of the bar that holds a tick; before the first there are more of its kind.
    fn bar_at(&self, tick: f64) -> i64 {
        let bars = self.score.bars();
        if tick >= 0.0 {
            return bars.get(bars.index_at(Ticks(tick as i64))).start.0;
        }
        let bar = bars.get(0).meter.bar_ticks(self.score.resolution());
        (tick / bar as f64).floor() as i64 * bar
    }

    /// A tick, or the bar line that is so near that it is meant.
    fn snapped(&self, tick: f64) -> f64 {
        let bars = self.score.bars();
        let bar = bars.get(bars.index_at(Ticks(tick.round() as i64)));
        let quarter = f64::from(self.score.tempo().micros_per_quarter(Ticks(tick as i64)));
        let near = |line: Ticks| {
            (tick - line.0 as f64).abs() * quarter / f64::from(self.score.resolution()) < SAME_COURSE.0 as f64
        };
        [bar.start, bar.end].into_iter().find(|line| near(*line)).map_or(tick, |line| line.0 as f64)
    }

    /// A tick of the score in the file.
    fn place(&self, stretch: &Stretch, tick: f64) -> i64 {
        stretch.start + ((tick - stretch.origin as f64) * self.fine as f64).round() as i64
    }

    /// Ticks to the quarter note.
    pub(super) fn resolution(&self) -> u16 {
        // `fine` was chosen so that it fits.
        (i64::from(self.score.resolution().max(1)) * self.fine) as u16
    }

    /// The tick of the file at a moment.
    pub(super) fn tick(&self, at: Micros) -> i64 {
        let after = self.stretches.partition_point(|stretch| stretch.run.at <= at);
        let stretch = &self.stretches[after.saturating_sub(1)];
        self.place(stretch, stretch.run.tick(self.score, at)).max(stretch.start)
    }

    /// Tempo, metre and key up to `end`.
    pub(super) fn conductor(&self, end: Micros) -> Vec<Timed<'static>> {
        let mut events = Vec::new();
        let mut tempo = None;
        for (index, stretch) in self.stretches.iter().enumerate() {
            let until = self.stretches.get(index + 1).map_or(end.max(stretch.run.at), |next| next.run.at);
            let to = stretch.run.tick(self.score, until).ceil() as i64;
            self.tempos(stretch, to, &mut tempo, &mut events);
            self.meters(stretch, to, &mut events);
            self.keys(stretch, to, &mut events);
        }
        events
    }

    fn tempos(&self, stretch: &Stretch, to: i64, former: &mut Option<u32>, events: &mut Vec<Timed<'static>>) {
        let map = self.score.tempo();
        let here = (stretch.origin, map.micros_per_quarter(Ticks(stretch.origin)));
        let changes = map.changes().map(|change| (change.tick.0, change.micros_per_quarter));
        for (tick, quarter) in std::iter::once(here).chain(changes.filter(|(tick, _)| (here.0 + 1..to).contains(tick)))
        {
            let quarter = div_round(i128::from(quarter) * 100, i128::from(stretch.run.speed.get().max(1)));
            let quarter = quarter.clamp(1, QUARTER_MAX) as u32;
            if former.replace(quarter) != Some(quarter) {
                events.push(meta(self.place(stretch, tick as f64), MetaMessage::Tempo(u24::new(quarter))));
            }
        }
    }

    fn meters(&self, stretch: &Stretch, to: i64, events: &mut Vec<Timed<'static>>) {
        let (bars, resolution) = (self.score.bars(), self.score.resolution());
        let whole = |bar: Bar| (bar.meter.beats, bar.meter.unit);
        let mut former = None;
        let first = bars.index_at(Ticks(stretch.origin));
        let here = bars.get(first);
        if stretch.goes_on {
            former = Some(bar_meter(&here, resolution));
        } else if here.start.0 != stretch.origin {
            // Before the first bar, or in the middle of one.
            former = Some(whole(here));
            events.push(time_signature(stretch.start, whole(here)));
        }
        for bar in bars.as_slice()[first..].iter().filter(|bar| (stretch.origin..to).contains(&bar.start.0)) {
            let meter = bar_meter(bar, resolution);
            if former.replace(meter) != Some(meter) {
                events.push(time_signature(self.place(stretch, bar.start.0 as f64), meter));
            }
        }
    }

    fn keys(&self, stretch: &Stretch, to: i64, events: &mut Vec<Timed<'static>>) {
        let before = self.score.keys().iter().rfind(|key| key.tick.0 <= stretch.origin.max(0));
        let begins = before.filter(|_| !stretch.goes_on).map(|key| (stretch.origin, key));
        let inside = |key: &&KeySignature| key.tick.0 > stretch.origin.max(0) && key.tick.0 < to;
        let changes = self.score.keys().iter().filter(inside).map(|key| (key.tick.0, key));
        for (tick, key) in begins.into_iter().chain(changes) {
            let signature = MetaMessage::KeySignature(key.fifths, key.minor);
            events.push(meta(self.place(stretch, tick as f64), signature));
        }
    }
}

#[cfg(test)]
mod tests {
    use midly::{MidiMessage, Smf, TrackEventKind};

    use super::super::{TakeGrid, TakeNote, TakeTrack, read_performance, write_take};
    use super::*;
    use crate::formats::notation;
    use crate::music::Pitch;

    /// A waltz of four bars at 90 a minute in G: two thirds of a second a quarter.
    const WALTZ: &str = "key: G major\nmeter: 3/4\ntempo: 90\nR: g4 a b | c5 d e | d c b4 | a g2";
    const QUARTER: i64 = 666_667;

    fn score() -> Score {
        notation::score(WALTZ).expect("the notes are written right")
    }

    fn run(score: &Score, at: i64, quarters: i64, percent: u16) -> Run {
        let place = score.tempo().exact(Ticks(quarters * i64::from(score.resolution())));
        Run { at: Micros(at), place, speed: Percent::new(percent) }
    }

    /// Keys at these times to the music; what the file says of it: tempo, metre and key with their quarter, and the
    /// quarter of each key.
    fn told(runs: &[Run], keys: &[i64]) -> (Vec<String>, Vec<f64>) {
        let score = score();
        let pitch = Pitch::MIDDLE_C;
        let note = |at: &i64| TakeNote {
            at: Micros(*at),
            duration: Micros(100_000),
            channel: 0,
            pitch,
            velocity: 70,
            release: 64,
        };
        let track = TakeTrack { notes: keys.iter().map(note).collect(), ..TakeTrack::default() };
        let file = write_take("waltz", &[track], Some(TakeGrid { score: &score, runs }));
        let read = read_performance(&file).expect("what was written");
        let first = read.notes[0].at;
        for (note, at) in read.notes.iter().zip(keys) {
            assert!(((note.at - first).0 - (at - keys[0])).abs() <= 60, "exact in time: {note:?}, {at}");
        }
        let smf = Smf::parse(&file).expect("a MIDI file");
        let midly::Timing::Metrical(resolution) = smf.header.timing else { panic!("in quarters") };
        let (mut now, mut signs, mut onsets) = (0, Vec::new(), Vec::new());
        for event in &smf.tracks[0] {
            now += i64::from(event.delta.as_int());
            let quarter = now as f64 / f64::from(resolution.as_int());
            match event.kind {
                TrackEventKind::Meta(MetaMessage::Tempo(t)) => signs.push(format!("{quarter}: {t} µs")),
                TrackEventKind::Meta(MetaMessage::TimeSignature(beats, unit, ..)) => {
                    signs.push(format!("{quarter}: {beats}/{}", 1 << unit));
                }
                TrackEventKind::Meta(MetaMessage::KeySignature(fifths, _)) => {
                    signs.push(format!("{quarter}: {fifths:+}"))
                }
                TrackEventKind::Midi { message: MidiMessage::NoteOn { .. }, .. } => {
                    onsets.push((quarter * 1_000.0).round() / 1_000.0);
                }
                _ => {}
            }
        }
        (signs, onsets)
    }

    #[test]
    fn what_is_played_in_time_stands_on_the_beats_of_its_own_bars() {
        let score = score();
        let (signs, onsets) = told(&[run(&score, 0, 0, 100)], &[0, QUARTER, 2 * QUARTER, 3 * QUARTER]);
        assert_eq!(signs, ["0: 666667 µs", "0: 3/4", "0: +1"]);
        assert_eq!(onsets, [0.0, 1.0, 2.0, 3.0]);
        // At half the speed, with a bar of count-in, from the first key on, which was a little early.
        let (signs, onsets) = told(&[run(&score, -3_980_000, -3, 50)], &[0, 2 * QUARTER + 20_000]);
        assert_eq!(signs, ["0: 1333334 µs", "0: 3/4", "0: +1"]);
        assert_eq!(onsets, [2.985, 4.0]);
    }

    #[test]
    fn another_speed_goes_on_and_another_pass_begins_a_bar() {
        let score = score();
        // Six quarters, then the second bar again at the same speed, and from its second quarter on faster.
        let again = run(&score, 6 * QUARTER, 3, 100);
        let faster = run(&score, 7 * QUARTER, 4, 200);
        let keys = [0, 5 * QUARTER, 6 * QUARTER, 7 * QUARTER, 8 * QUARTER];
        let (signs, onsets) = told(&[run(&score, 0, 0, 100), again, faster], &keys);
        assert_eq!(signs, ["0: 666667 µs", "0: 3/4", "0: +1", "6: 3/4", "6: +1", "7: 333334 µs"]);
        assert_eq!(onsets, [0.0, 5.0, 6.0, 7.0, 9.0]);
    }

    #[test]
    fn music_that_never_ran_or_that_no_file_can_tell_has_no_bars() {
        let score = score();
        assert!(Layout::new(&score, &[], Micros::SECOND).is_none());
        let slow = notation::score("tempo: 20\nR: c4 d").expect("the notes are written right");
        assert!(Layout::new(&slow, &[run(&slow, 0, 0, 10)], Micros::SECOND).is_none());
    }
}
