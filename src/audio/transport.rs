//! The transport: which thing of the music is due at which frame. Lives in the callback, makes no sound, allocates
//! nothing.

use super::schedule::{Click, Event, Schedule, strength};
use super::timeline::{Anchor, MusicTime};
use crate::music::{Division, Percent};
use crate::time::{Frames, Micros, Rate, Ticks};

/// A stretch of the music that is played again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopRange {
    /// The first tick.
    pub from: Ticks,
    /// The tick after the last; nothing on it sounds.
    pub to: Ticks,
    /// Bars counted in before each pass but the first, which [`super::Command::Play`] counts in.
    pub count_in: u8,
    /// Where each pass waits for the person, in *Wait for me*.
    pub hold: Option<Ticks>,
}

/// The music can be begun so long ahead of its first beat.
pub const LEAD_MAX: Micros = Micros::from_millis(10_000);

/// A count-in under way: `beats` clicks before the music reaches `start`.
#[derive(Clone, Copy, Debug)]
struct CountIn {
    start: MusicTime,
    start_tick: f64,
    beat: i64,
    micros_per_quarter: i64,
    beats: i64,
    next: i64,
    meter: crate::music::Meter,
}

impl CountIn {
    fn place(&self, beat: i64) -> MusicTime {
        MusicTime(self.start.0 - (self.beats - beat) * self.beat)
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Due {
    Event(Event),
    Click(Click),
    /// A click of the count-in.
    Count(Click),
    /// The end of the loop: back to its start, with the pedal as written there.
    Wrap,
    /// The place to wait at.
    Hold(Ticks),
    /// The end of the music.
    End,
}

/// See the module.
pub(super) struct Transport {
    schedule: Box<Schedule>,
    anchor: Anchor,
    playing: bool,
    waiting: bool,
    /// Whether it played when the stream was lost, and whether it waited.
    interrupted: Option<bool>,
    hold: Option<Ticks>,
    range: Option<LoopRange>,
    pass: u32,
    cursor: usize,
    click: Click,
    division: Division,
    count_in: Option<CountIn>,
}

impl Transport {
    pub(super) fn new(schedule: Box<Schedule>, rate: Rate) -> Self {
        let resolution = schedule.map().resolution();
        let anchor = Anchor { frame: Frames::ZERO, at: MusicTime(0), speed: Percent::FULL, rate, resolution };
        let division = Division::NONE;
        let click = schedule.click_from(Ticks::ZERO, division);
        Self {
            schedule,
            anchor,
            playing: false,
            waiting: false,
            interrupted: None,
            hold: None,
            range: None,
            pass: 0,
            cursor: 0,
            click,
            division,
            count_in: None,
        }
    }

    pub(super) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    pub(super) fn anchor(&self) -> Anchor {
        self.anchor
    }

    pub(super) fn playing(&self) -> bool {
        self.playing
    }

    pub(super) fn waiting(&self) -> bool {
        self.waiting
    }

    pub(super) fn pass(&self) -> u32 {
        self.pass
    }

    /// Whether the music moves.
    fn runs(&self) -> bool {
        self.playing && !self.waiting
    }

    /// Whether the frame lies before the place where the count-in leads.
    pub(super) fn counting_in(&self, now: Frames) -> bool {
        self.count_in.is_some_and(|c| self.place(now) < c.start)
    }

    pub(super) fn place(&self, now: Frames) -> MusicTime {
        if self.runs() { self.anchor.place_at(now) } else { self.anchor.at }
    }

    /// The place in fractional ticks; during a count-in before the start, at the start's tempo.
    pub(super) fn tick(&self, now: Frames) -> f64 {
        let place = self.place(now);
        match self.count_in {
            Some(count) if place < count.start => {
                count.start_tick - (count.start.0 - place.0) as f64 / count.micros_per_quarter as f64
            }
            _ => place.ticks(self.schedule.map()),
        }
    }

    /// How far down the written pedal is where the music goes on, be it after a count-in.
    pub(super) fn pedal(&self) -> u8 {
        let at = self.count_in.map_or(self.anchor.at, |c| c.start.max(self.anchor.at));
        self.schedule.pedal_before(at)
    }

    /// The frame of the next thing due, never before `now`.
    pub(super) fn next_frame(&self, now: Frames) -> Option<Frames> {
        let (at, _) = self.peek()?;
        Some(self.anchor.frame_at(at).max(now))
    }

    fn peek(&self) -> Option<(MusicTime, Due)> {
        if !self.runs() {
            return None;
        }
        if let Some(count) = self.count_in.filter(|c| c.next < c.beats) {
            let beat = (count.next % i64::from(count.meter.beats.max(1))) as u8;
            let (tick, at) = (Ticks(count.start_tick as i64), count.place(count.next));
            return Some((at, Due::Count(Click { tick, at, beat, strength: strength(count.meter, count.next) })));
        }
        let mut next: Option<(MusicTime, Due)> = None;
        let mut offer = |at: MusicTime, due: Due| {
            if next.is_none_or(|(first, _)| at < first) {
                next = Some((at, due));
            }
        };
        let map = self.schedule.map();
        let end = self.schedule.end().map(|end| MusicTime::of(map, end));
        // What comes first here comes first on one tick: nothing on the end of a loop or on the place to wait sounds.
        if let Some(range) = self.range {
            offer(MusicTime::of(map, range.to), Due::Wrap);
        }
        if let Some(hold) = self.hold {
            offer(MusicTime::of(map, hold), Due::Hold(hold));
        }
        if end.is_none_or(|end| self.click.at < end) {
            offer(self.click.at, Due::Click(self.click));
        }
        if let Some(event) = self.schedule.event(self.cursor) {
            offer(event.at, Due::Event(*event));
        }
        if let Some(end) = end {
            offer(end, Due::End);
        }
        next
    }

    /// Takes the next thing due; call it when [`Transport::next_frame`] is `now`.
    pub(super) fn take(&mut self, now: Frames) -> Option<Due> {
        let (_, due) = self.peek()?;
        match due {
            Due::Count(_) => {
                if let Some(count) = &mut self.count_in {
                    count.next += 1;
                }
            }
            Due::Event(_) => self.cursor += 1,
            Due::Click(click) => self.click = self.schedule.click_after(click.at, self.division),
            Due::Hold(tick) => {
                self.anchor = Anchor { frame: now, at: MusicTime::of(self.schedule.map(), tick), ..self.anchor };
                self.waiting = true;
                self.hold = None;
            }
            Due::Wrap => self.wrap(now),
            Due::End => {
                self.freeze(now);
                self.playing = false;
            }
        }
        Some(due)
    }

    /// Back to the start of the loop. What the end of the loop lies beside the frame it fell on is carried over, so
    /// that a thousand passes are a thousand times as long as one.
    fn wrap(&mut self, now: Frames) {
        let Some(range) = self.range else { return };
        let map = self.schedule.map();
        let beside = self.anchor.place_at(now).0 - MusicTime::of(map, range.to).0;
        // More than a frame beside means that the loop was set when the music was beyond its end already.
        let frame_units = i64::from(self.anchor.resolution) * 2_000_000 / i64::from(self.anchor.rate.0.max(1)) + 1;
        let beside = if beside.abs() > frame_units { 0 } else { beside };
        self.pass += 1;
        self.hold = range.hold;
        self.jump(now, range.from, beside, range.count_in);
    }

    /// Goes to a tick, after a count-in of whole bars.
    fn jump(&mut self, now: Frames, tick: Ticks, beside: i64, bars: u8) {
        let at = MusicTime::of(self.schedule.map(), tick);
        self.cursor = self.schedule.index_from(at);
        self.click = self.schedule.click_from(tick, self.division);
        self.count_in = self.count_in_to(at, tick.0 as f64, bars);
        let from = self.count_in.map_or(at, |c| c.place(0));
        self.anchor = Anchor { frame: now, at: MusicTime(from.0 + beside), ..self.anchor };
    }

    fn count_in_to(&self, start: MusicTime, start_tick: f64, bars: u8) -> Option<CountIn> {
        let tick = Ticks(start_tick.floor() as i64);
        let (meter, beat_ticks, missing) = self.schedule.meter_at(tick);
        let micros_per_quarter = i64::from(self.schedule.map().micros_per_quarter(tick));
        // Before an upbeat its bar is counted in too.
        let beats = i64::from(bars) * i64::from(meter.beats.max(1)) + if bars > 0 { missing } else { 0 };
        let beat = beat_ticks * micros_per_quarter;
        (beats > 0).then_some(CountIn { start, start_tick, beat, micros_per_quarter, beats, next: 0, meter })
    }

    /// Fixes the place of the music at a frame, from where another course can begin.
    fn freeze(&mut self, now: Frames) {
        self.anchor = if self.runs() { self.anchor.moved_to(now) } else { Anchor { frame: now, ..self.anchor } };
    }

    /// Starts where the music stands, after `bars` of count-in, at a frame not far from now. Starting at the end, or
    /// outside of the loop, starts at the beginning of the piece or of the loop. `false` if it plays already.
    pub(super) fn play(&mut self, now: Frames, bars: u8, at: Frames) -> bool {
        if self.playing {
            return false;
        }
        let map = self.schedule.map();
        let outside = match (self.range, self.schedule.end()) {
            (Some(range), _) => {
                self.anchor.at >= MusicTime::of(map, range.to) || self.anchor.at < MusicTime::of(map, range.from)
            }
            (None, Some(end)) => self.anchor.at >= MusicTime::of(map, end),
            (None, None) => false,
        };
        self.freeze(now);
        if outside {
            self.jump(now, self.range.map_or(Ticks::ZERO, |r| r.from), 0, bars);
        } else {
            let at = self.anchor.at;
            let tick = at.ticks(self.schedule.map());
            self.count_in = self.count_in_to(at, tick, bars);
            self.anchor.at = self.count_in.map_or(at, |c| c.place(0));
        }
        if (now..=now + self.anchor.rate.frames(LEAD_MAX)).contains(&at) {
            self.anchor = Anchor { frame: at, ..self.anchor }.moved_to(now);
        }
        self.pass = 0;
        self.playing = true;
        self.waiting = false;
        self.interrupted = None;
        true
    }

    /// Stops; what was being counted in is where it will start again. `false` if it stood already.
    pub(super) fn stop(&mut self, now: Frames) -> bool {
        let was = self.playing;
        self.interrupted = None;
        self.freeze(now);
        if let Some(count) = self.count_in.take() {
            self.anchor.at = self.anchor.at.max(count.start);
        }
        self.playing = false;
        self.waiting = false;
        was
    }

    /// Stands still because the stream is lost; keeps loop, hold and passes. `false` if it stood already.
    pub(super) fn interrupt(&mut self, now: Frames) -> bool {
        if !self.playing {
            return false;
        }
        self.freeze(now);
        (self.playing, self.interrupted) = (false, Some(self.waiting));
        self.waiting = false;
        true
    }

    /// Goes on after an interruption.
    pub(super) fn resume(&mut self, now: Frames) -> bool {
        let Some(waiting) = self.interrupted.take() else { return false };
        self.freeze(now);
        (self.playing, self.waiting) = (true, waiting);
        true
    }

    pub(super) fn forget_interruption(&mut self) {
        self.interrupted = None;
    }

    pub(super) fn seek(&mut self, now: Frames, tick: Ticks) {
        let last = self.schedule.end().unwrap_or(tick);
        self.interrupted = self.interrupted.map(|_waited| false);
        self.freeze(now);
        self.waiting = false;
        self.hold = None;
        self.jump(now, tick.max(Ticks::ZERO).min(last), 0, 0);
    }

    /// What is marked between the beats, from the next click on.
    pub(super) fn set_division(&mut self, now: Frames, division: Division) {
        if self.division == division {
            return;
        }
        self.division = division;
        // During a count-in the clicks of the music begin where it leads.
        let before_start = self.count_in.map_or(MusicTime(i64::MIN), |count| MusicTime(count.start.0 - 1));
        let place = self.place(now).max(before_start);
        // What is due now keeps its turn.
        if self.click.at > place {
            self.click = self.schedule.click_after(place, division);
        }
    }

    /// Changes the speed and keeps the place.
    pub(super) fn set_speed(&mut self, now: Frames, speed: Percent) {
        self.freeze(now);
        self.anchor.speed = speed;
    }

    /// Sets or lifts the loop; an empty one is none. `true` if the music must go to its start because it is beyond.
    pub(super) fn set_loop(&mut self, now: Frames, range: Option<LoopRange>) -> bool {
        let end = self.schedule.end().unwrap_or(Ticks(i64::MAX));
        let range = range.map(|r| LoopRange { from: r.from.max(Ticks::ZERO), to: r.to.min(end), ..r });
        self.range = range.filter(|r| r.from < r.to);
        let Some(range) = self.range else { return false };
        let beyond = self.playing && self.place(now) > MusicTime::of(self.schedule.map(), range.to);
        if beyond {
            self.seek(now, range.from);
        }
        beyond
    }

    /// Sets the place to wait at; one that lies behind means waiting where the music is. `None` runs on.
    pub(super) fn set_hold(&mut self, now: Frames, hold: Option<Ticks>) {
        if self.waiting {
            self.freeze(now);
            self.waiting = false;
        }
        self.interrupted = self.interrupted.map(|_waited| false);
        self.hold = hold.map(|tick| {
            let place = self.place(now).ticks(self.schedule.map());
            if (tick.0 as f64) < place && !self.counting_in(now) { Ticks(place.ceil() as i64) } else { tick }
        });
    }

    /// Moves the music forward to a tick, and sets the next place to wait at. Returns the range of event indices that
    /// were passed over; never moves back, and does nothing to music that is stopped, interruptions aside.
    pub(super) fn advance(&mut self, now: Frames, tick: Ticks, hold: Option<Ticks>) -> std::ops::Range<usize> {
        let mut passed = self.cursor..self.cursor;
        if !self.playing && self.interrupted.is_none() {
            return passed;
        }
        let tick = tick.min(self.schedule.end().unwrap_or(tick));
        let at = MusicTime::of(self.schedule.map(), tick);
        let counting_in = self.counting_in(now);
        self.freeze(now);
        if counting_in || self.anchor.at < at {
            let to = self.schedule.index_from(at).max(self.cursor);
            passed = self.cursor..to;
            self.jump(now, tick, 0, 0);
            self.cursor = to;
        }
        self.waiting = false;
        self.interrupted = self.interrupted.map(|_waited| false);
        self.hold = hold.filter(|hold| *hold > tick);
        passed
    }

    /// Puts another schedule in place, stopped at its start, and returns the old one.
    pub(super) fn load(&mut self, now: Frames, schedule: Box<Schedule>) -> Box<Schedule> {
        let old = std::mem::replace(&mut self.schedule, schedule);
        self.playing = false;
        self.waiting = false;
        self.interrupted = None;
        self.hold = None;
        self.range = None;
        self.pass = 0;
        self.anchor.resolution = self.schedule.map().resolution();
        self.jump(now, Ticks::ZERO, 0, 0);
        old
    }

    /// The music goes on in another stream, whose frames begin at 0.
    pub(super) fn begin_stream(&mut self, last: Frames, rate: Rate) {
        self.freeze(last);
        self.anchor.frame = Frames::ZERO;
        self.anchor.rate = rate;
    }
}
