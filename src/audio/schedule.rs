//! What the program plays by itself, compiled from a score into times that the callback only compares.

use super::timeline::MusicTime;
use crate::music::{Bar, Bars, Division, Hand, Meter, Pitch, Score, Tempo, TempoMap, missing_ticks};
use crate::time::Ticks;

/// How a click sounds and what it marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// The first beat of a bar.
    Bar,
    /// The first of three in a compound metre such as 6/8.
    Group,
    /// Any other beat.
    Beat,
    /// Between two beats.
    Division,
}

/// One click of the metronome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Click {
    /// Where it falls; for a division the tick before, where it falls between two.
    pub tick: Ticks,
    /// Exactly where it falls.
    pub at: MusicTime,
    /// The beat in its bar, from 0.
    pub beat: u8,
    /// How it sounds.
    pub strength: Strength,
}

/// Something of the accompaniment at a place in the music.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: MusicTime,
    pub(super) kind: EventKind,
}

/// In the order in which events of one tick take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EventKind {
    Off { pitch: Pitch, hand: Hand },
    Pedal { value: u8 },
    On { pitch: Pitch, hand: Hand, velocity: u8 },
}

/// A piece, or only a beat, ready to be played by the processor. Immutable; sent down as a box and returned as one.
#[derive(Clone, Debug)]
pub struct Schedule {
    map: TempoMap,
    events: Vec<Event>,
    pedals: Vec<(MusicTime, u8)>,
    grid: ClickGrid,
    end: Option<Ticks>,
}

impl Schedule {
    /// Both hands, pedal and beats of a score. It ends with the last bar.
    pub fn of_score(score: &Score) -> Self {
        let map = score.tempo().clone();
        let mut events = Vec::with_capacity(score.notes().len() * 2 + score.pedals().len());
        for note in score.notes() {
            let (pitch, hand, velocity) = (note.pitch, note.hand, note.velocity.clamp(1, 127));
            events.push(Event { at: MusicTime::of(&map, note.onset), kind: EventKind::On { pitch, hand, velocity } });
            events.push(Event { at: MusicTime::of(&map, note.end), kind: EventKind::Off { pitch, hand } });
        }
        let pedals: Vec<_> = score.pedals().iter().map(|p| (MusicTime::of(&map, p.tick), p.value.min(127))).collect();
        events.extend(pedals.iter().map(|&(at, value)| Event { at, kind: EventKind::Pedal { value } }));
        events.sort_by_key(|e| (e.at, e.kind));
        let last_bar = score.bars().get(usize::MAX);
        let end = Some(last_bar.end.max(score.end()));
        Self { grid: ClickGrid::new(score.bars(), score.resolution()), map, events, pedals, end }
    }

    /// A metronome and nothing else, which never ends.
    pub fn of_beat(micros_per_quarter: u32, meter: Meter) -> Self {
        let resolution = 960;
        let meter = Meter { tick: Ticks::ZERO, ..meter };
        let bars = Bars::new(resolution, &[meter], Ticks::ZERO, Ticks::ZERO);
        Self {
            map: TempoMap::new(resolution, &[Tempo { tick: Ticks::ZERO, micros_per_quarter }]),
            events: Vec::new(),
            pedals: Vec::new(),
            grid: ClickGrid::new(&bars, resolution),
            end: None,
        }
    }

    /// Ticks to time.
    pub fn map(&self) -> &TempoMap {
        &self.map
    }

    /// The tick at which playing stops by itself; never for a mere beat.
    pub fn end(&self) -> Option<Ticks> {
        self.end
    }

    /// The first click at or after a tick.
    pub fn click_from(&self, tick: Ticks, division: Division) -> Click {
        self.grid.first_from(Parts::of(tick, division), &self.map)
    }

    /// The first click after a place; of clicks and places that were computed here, none is passed over or met twice.
    pub fn click_after(&self, place: MusicTime, division: Division) -> Click {
        let tick = Ticks(place.ticks(&self.map).floor() as i64);
        let mut click = self.click_from(tick, division);
        while click.at <= place {
            click = self.grid.first_from(click.parts(division, &self.map).next(), &self.map);
        }
        click
    }

    /// Metre and length of a beat at a tick, and how many beats its bar lacks at its beginning.
    pub(super) fn meter_at(&self, tick: Ticks) -> (Meter, i64, i64) {
        let at = self.grid.index_at(tick);
        let meter = self.grid.bars[at].meter;
        let beat = meter.beat_ticks(self.grid.resolution);
        (meter, beat, self.grid.missing(at) / beat)
    }

    pub(super) fn event(&self, index: usize) -> Option<&Event> {
        self.events.get(index)
    }

    /// The index of the first event at or after a place.
    pub(super) fn index_from(&self, at: MusicTime) -> usize {
        self.events.partition_point(|e| e.at < at)
    }

    /// How far down the written pedal is just before a place.
    pub(super) fn pedal_before(&self, at: MusicTime) -> u8 {
        let after = self.pedals.partition_point(|p| p.0 < at);
        after.checked_sub(1).map_or(0, |i| self.pedals[i].1)
    }
}

/// Where the beats fall. After the last bar its metre goes on for ever.
#[derive(Clone, Debug)]
struct ClickGrid {
    bars: Vec<Bar>,
    /// Whether the first bar is an upbeat.
    begins_with_upbeat: bool,
    resolution: u16,
}

impl ClickGrid {
    fn new(bars: &Bars, resolution: u16) -> Self {
        Self { bars: bars.as_slice().to_vec(), begins_with_upbeat: bars.number(0) == 0, resolution }
    }

    fn missing(&self, at: usize) -> i64 {
        missing_ticks(&self.bars, self.begins_with_upbeat, at, self.resolution)
    }

    fn index_at(&self, tick: Ticks) -> usize {
        self.bars.partition_point(|b| b.start <= tick).max(1) - 1
    }

    fn first_from(&self, from: Parts, map: &TempoMap) -> Click {
        let Parts { count: from, division } = Parts { count: from.count.max(0), ..from };
        let parts = i64::from(division.parts());
        let at = self.bars.partition_point(|b| b.start.0 * parts <= from).max(1) - 1;
        let bar = self.bars[at];
        let origin = parts * (bar.start.0 - self.missing(at));
        // A part of a beat has as many parts of a tick as a beat has ticks.
        let step = bar.meter.beat_ticks(self.resolution);
        let index = (from - origin + step - 1) / step;
        let click = origin + index * step;
        match self.bars.get(at + 1) {
            Some(next) if click >= next.start.0 * parts => {
                let index = parts * self.missing(at + 1) / next.meter.beat_ticks(self.resolution);
                Parts { count: next.start.0 * parts, division }.click(next.meter, index, map)
            }
            _ => Parts { count: click, division }.click(bar.meter, index, map),
        }
    }
}

/// A place counted in equal parts of a tick.
#[derive(Clone, Copy, Debug)]
struct Parts {
    count: i64,
    division: Division,
}

impl Parts {
    fn of(tick: Ticks, division: Division) -> Self {
        Self { count: tick.0 * i64::from(division.parts()), division }
    }

    /// Parts of a tick.
    fn parts(self) -> i64 {
        i64::from(self.division.parts())
    }

    fn next(self) -> Self {
        Self { count: self.count + 1, ..self }
    }

    fn place(self, map: &TempoMap) -> MusicTime {
        let (tick, rest) = (self.tick(), self.count.rem_euclid(self.parts()));
        let beyond = rest * i64::from(map.micros_per_quarter(tick)) / self.parts();
        MusicTime(MusicTime::of(map, tick).0 + beyond)
    }

    fn tick(self) -> Ticks {
        Ticks(self.count.div_euclid(self.parts()))
    }

    /// The `index`-th part of a beat since a bar line.
    fn click(self, meter: Meter, index: i64, map: &TempoMap) -> Click {
        let (beat, part) = (index.div_euclid(self.parts()), index.rem_euclid(self.parts()));
        let strength = if part == 0 { strength(meter, beat) } else { Strength::Division };
        Click { tick: self.tick(), at: self.place(map), beat: beat_in_bar(meter, beat), strength }
    }
}

impl Click {
    /// Where it falls; one of the next few parts after its tick.
    fn parts(&self, division: Division, map: &TempoMap) -> Parts {
        let mut parts = Parts::of(self.tick, division);
        while parts.place(map) < self.at {
            parts = parts.next();
        }
        parts
    }
}

fn beat_in_bar(meter: Meter, index: i64) -> u8 {
    index.rem_euclid(i64::from(meter.beats.max(1))) as u8
}

/// How the `index`-th beat since a bar line sounds.
pub(super) fn strength(meter: Meter, index: i64) -> Strength {
    let beat = beat_in_bar(meter, index);
    let compound = meter.unit >= 8 && meter.beats > 3 && meter.beats.is_multiple_of(3);
    match beat {
        0 => Strength::Bar,
        _ if compound && beat.is_multiple_of(3) => Strength::Group,
        _ => Strength::Beat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clicks of a grid in `[0, to)`, as tick and `!`, `:`, `.` or `'` by strength.
    fn clicks(meters: &[(i64, u8, u8)], pickup: i64, end: i64, to: i64) -> String {
        divided(meters, pickup, end, to, 1)
    }

    fn divided(meters: &[(i64, u8, u8)], pickup: i64, end: i64, to: i64, division: u8) -> String {
        let meters: Vec<_> =
            meters.iter().map(|&(tick, beats, unit)| Meter { tick: Ticks(tick), beats, unit }).collect();
        let grid = ClickGrid::new(&Bars::new(480, &meters, Ticks(pickup), Ticks(end)), 480);
        let mut text = Vec::new();
        let map = TempoMap::new(480, &[Tempo { tick: Ticks::ZERO, micros_per_quarter: 500_000 }]);
        let division = Division::new(division);
        let mut click = grid.first_from(Parts::of(Ticks(0), division), &map);
        while click.tick.0 < to {
            let mark = match click.strength {
                Strength::Bar => '!',
                Strength::Group => ':',
                Strength::Beat => '.',
                Strength::Division => '\'',
            };
            text.push(format!("{}{mark}", click.tick));
            click = grid.first_from(click.parts(division, &map).next(), &map);
        }
        text.join(" ")
    }

    #[test]
    fn beats_are_accented_by_the_metre() {
        assert_eq!(clicks(&[(0, 3, 4)], 0, 1440, 1500), "0! 480. 960. 1440!");
        assert_eq!(clicks(&[(0, 6, 8)], 0, 1440, 1500), "0! 240. 480. 720: 960. 1200. 1440!");
    }

    #[test]
    fn an_upbeat_has_the_last_beats_of_its_bar_after_a_repeat_too() {
        // An upbeat, a bar, a short one, the upbeat again, a bar.
        let bars = [(0, 480), (480, 1920), (1920, 2880), (2880, 3360), (3360, 4800)];
        let meter = Meter { tick: Ticks(0), beats: 3, unit: 4 };
        let bar = |(start, end): (i64, i64)| Bar { start: Ticks(start), end: Ticks(end), meter };
        let grid = ClickGrid { bars: bars.map(bar).to_vec(), begins_with_upbeat: true, resolution: 480 };
        let map = TempoMap::new(480, &[Tempo { tick: Ticks::ZERO, micros_per_quarter: 500_000 }]);
        let mut click = grid.first_from(Parts::of(Ticks(0), Division::NONE), &map);
        let mut beats = Vec::new();
        while click.tick.0 < 4800 {
            beats.push(click.beat);
            click = grid.first_from(click.parts(Division::NONE, &map).next(), &map);
        }
        assert_eq!(beats, [2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!([0, 1, 2, 3].map(|at| grid.missing(at)), [960, 0, 0, 960]);
    }

    #[test]
    fn beats_are_divided_between_the_bar_lines() {
        assert_eq!(divided(&[(0, 2, 4)], 0, 960, 961, 2), "0! 240' 480. 720' 960!");
        assert_eq!(divided(&[(0, 2, 4)], 240, 1200, 800, 3), "80' 240! 400' 560' 720.");
        // A bar that breaks off, and parts that fall between ticks.
        assert_eq!(divided(&[(0, 3, 4), (700, 2, 4)], 0, 2000, 1200, 2), "0! 240' 480. 700! 940' 1180.");
        assert_eq!(divided(&[(0, 2, 4)], 0, 960, 490, 7), "0! 68' 137' 205' 274' 342' 411' 480.");
    }

    #[test]
    fn going_on_from_any_place_meets_every_click_once() {
        let score = Score::new(crate::music::ScoreParts {
            resolution: 5,
            tempos: vec![
                Tempo { tick: Ticks(0), micros_per_quarter: 333_333 },
                Tempo { tick: Ticks(12), micros_per_quarter: 700_001 },
            ],
            ..Default::default()
        });
        let schedule = Schedule::of_score(&score);
        for division in [1, 2, 3, 4, 7, 8] {
            let division = Division::new(division);
            let all: Vec<_> = std::iter::successors(Some(schedule.click_from(Ticks::ZERO, division)), |click| {
                Some(schedule.click_after(click.at, division))
            })
            .take(200)
            .collect();
            assert!(all.windows(2).all(|pair| pair[0].at < pair[1].at));
            let beats = all.iter().filter(|click| click.strength != Strength::Division);
            let plain = std::iter::successors(Some(schedule.click_from(Ticks::ZERO, Division::NONE)), |click| {
                Some(schedule.click_after(click.at, Division::NONE))
            });
            assert!(beats.zip(plain).all(|(a, b)| (a.tick, a.beat, a.strength) == (b.tick, b.beat, b.strength)));
            for pair in all.windows(2) {
                for place in [pair[0].at.0, pair[0].at.0 + 1, pair[1].at.0 - 1] {
                    assert_eq!(schedule.click_after(MusicTime(place), division), pair[1]);
                }
            }
        }
    }

    #[test]
    fn an_incomplete_first_bar_has_the_last_beats() {
        assert_eq!(clicks(&[(0, 4, 4)], 480, 2400, 1000), "0. 480! 960.");
        assert_eq!(clicks(&[(0, 4, 4)], 240, 2400, 1000), "240! 720.");
    }

    #[test]
    fn beats_follow_a_change_of_metre_and_go_on_after_the_end() {
        assert_eq!(clicks(&[(0, 2, 4), (960, 3, 8)], 0, 1000, 2300), "0! 480. 960! 1200. 1440. 1680! 1920. 2160.");
    }
}
