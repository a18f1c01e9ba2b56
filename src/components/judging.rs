//! Judging one take from its events, in the order of the log. The same code runs while the person plays and when the
//! take is judged again from the log, so both say the same. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

mod following;
mod passes;
mod silence;

use self::following::FollowJudge;
pub use self::passes::PassOver;
use self::passes::{Pass, Run};
use self::silence::Silence;
use super::take_clock::TakeClock;
use crate::model::{Event, TakeEnd, TransportChange, TransportMoved};
use crate::music::{NoteId, Percent, Pitch, Score, TempoMap};
use crate::practice::ladder::Ladder;
use crate::practice::result::{Counts, TakeResult};
use crate::practice::tempo::{REACH, TempoJudge, TempoPlan};
use crate::practice::wait::{Step, WaitMatcher};
use crate::practice::{
    Mode, PlayedId, PlayedNote, PracticeSettings, Verdict, VerdictKind, bar_of_wrong_key, scaled_to_speed,
};
use crate::time::{Micros, Stamp, Ticks, div_round};

/// The same course of the music told again, when nothing but the volume changed say, differs by a rounding at most.
const SAME_COURSE: Micros = Micros(2_000);

/// What followed from one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// Final verdicts, in order.
    pub verdicts: Vec<Verdict>,
    /// *Keep tempo*, *Rhythm only*, *Follow me*: the first impression of a note just played, and of those left out; the
    /// final verdicts may differ, and who stops is given none for what they did not come to.
    pub impressions: Vec<Verdict>,
    /// *Follow me*: whether the verdicts are of a whole pass, whatever the impressions were.
    pub whole_pass: bool,
    /// *Wait for me*, *Follow me*: the tick of the latest group that became done, or was reached.
    pub done: Option<Ticks>,
    /// *Wait for me*, *Follow me*: the tick of the group that is needed next, or the end of the range, if that changed.
    pub next: Option<Ticks>,
    /// *Follow me*: whether the person has gone to `done` from elsewhere.
    pub leap: bool,
    /// *Follow me*: the person's tempo as a share of the written one, if that changed.
    pub speed: Option<Percent>,
    /// Whether the last group of the range is done.
    pub finished: bool,
    /// Keys that are not written there, and where the music stood when they were played.
    pub extras: Vec<(Pitch, Ticks)>,
    /// *Follow me*: those of them that are seen otherwise now, as the person has begun again or gone elsewhere.
    pub taken_back: Vec<(Pitch, Ticks)>,
    /// On a tempo ladder: a pass is over, and how it went.
    pub pass_over: Option<PassOver>,
    /// The music begins again or elsewhere, and its notes are still to come: the first pass to which they belong.
    pub comes_again: Option<u32>,
}

#[derive(Clone)]
enum Judge {
    Wait(Box<WaitMatcher>),
    Tempo(Box<TempoJudge>),
    Follow(Box<FollowJudge>),
    None,
}

/// *Keep tempo*: what the judge at hand was told.
#[derive(Clone, Copy, Debug)]
struct Course {
    plan: TempoPlan,
    /// When the first tick of the present pass sounds.
    start: Micros,
    /// The start of the latest pass that the judge knows of; a loop without count-in is announced a pass ahead, so
    /// that a note played early for the next pass counts there.
    announced: Micros,
}

impl Course {
    /// The exact place of the music at a moment.
    fn place(&self, map: &TempoMap, at: Micros) -> i64 {
        let music = (at - self.start).0 * i64::from(self.plan.speed.get()) / 100;
        map.exact(self.plan.from) + music * i64::from(map.resolution())
    }
}

/// Judges a take: events in, verdicts out, and a result that is complete at every moment.
#[derive(Clone)]
pub struct TakeJudge {
    score: Arc<Score>,
    settings: PracticeSettings,
    /// How much later than the music a key that is struck in time is stamped at this point of the take.
    latency: Micros,
    clock: TakeClock,
    judge: Judge,
    course: Option<Course>,
    /// Passes of judges before the one at hand.
    passes_before: u32,
    looped: bool,
    /// The latest moment that is known of.
    latest: Micros,
    result: TakeResult,
    /// The undecided notes.
    places: BTreeMap<PlayedId, Place>,
    /// Where the person makes the tempo: the latest right note's pass, written onset and time.
    reached: Option<(u32, Ticks, Micros)>,
    ladder: Option<Ladder>,
    pass: Pass,
    run: Option<Run>,
    silence: Silence,
    /// *Keep tempo*: whether the music has begun again or elsewhere, and does not run there yet.
    anew: bool,
}

impl TakeJudge {
    /// Before the first event of a take of `score`, practised as `settings` say, on devices of this `latency`
    /// ([`TakeStart::latency`](crate::model::TakeStart::latency)), until an event says otherwise.
    pub fn new(score: Arc<Score>, settings: PracticeSettings, latency: Micros) -> Self {
        let judge = match settings.mode {
            Mode::Wait => Judge::Wait(Box::new(WaitMatcher::from_settings(&score, &settings))),
            Mode::Tempo | Mode::Rhythm => {
                Judge::Tempo(Box::new(TempoJudge::new(&score, TempoPlan::from_settings(&score, &settings))))
            }
            Mode::Follow => Judge::Follow(Box::new(FollowJudge::new(&score, &settings))),
            Mode::Listen => Judge::None,
        };
        Self {
            score,
            settings,
            latency,
            clock: TakeClock::default(),
            judge,
            course: None,
            passes_before: 0,
            looped: false,
            latest: Micros(i64::MIN / 4),
            result: TakeResult::for_mode(settings.mode),
            places: BTreeMap::new(),
            reached: None,
            ladder: settings.climbs().then(|| Ladder::at(settings.ladder, settings.tempo)),
            pass: Pass { before: Counts::NONE, whole: true, at_end: false },
            run: None,
            silence: Silence::default(),
            anew: false,
        }
    }

    /// The result so far.
    pub fn result(&self) -> &TakeResult {
        &self.result
    }

    /// Whether the music waits for the person.
    pub fn waits(&self) -> bool {
        matches!(self.judge, Judge::Wait(_) | Judge::Follow(_))
    }

    /// The written notes that the music waits for.
    pub fn needed(&self) -> Vec<NoteId> {
        match &self.judge {
            Judge::Wait(matcher) => matcher.needed().collect(),
            Judge::Follow(judge) => judge.follower.needed().collect(),
            Judge::Tempo(_) | Judge::None => Vec::new(),
        }
    }

    /// All written notes of the group that the music waits for, played or not.
    pub fn awaited(&self) -> Vec<NoteId> {
        match &self.judge {
            Judge::Wait(matcher) => matcher.awaited().collect(),
            _ => self.needed(),
        }
    }

    /// The next event of the take; `version` is the take's version after it, the number that names a played note.
    pub fn event(&mut self, version: u64, event: &Event, stamp: Option<&Stamp>) -> Judged {
        let at = stamp.map(|stamp| self.clock.event(Some(event), stamp));
        if !matches!(event, Event::TakeEnded(_)) {
            self.latest = self.latest.max(at.unwrap_or(self.latest));
        }
        match (event, stamp) {
            (Event::NotePlayed(played), Some(_)) => {
                if let (Some((pitch, velocity)), Some(at)) = (played.note_on(), at) {
                    let at = at - self.latency;
                    return self.key_down(PlayedNote { id: PlayedId(version), at, pitch, velocity });
                }
                if let (Some(pitch), Judge::Wait(matcher)) = (played.note_off(), &mut self.judge) {
                    matcher.key_up(pitch);
                }
                Judged::default()
            }
            (Event::TransportMoved(moved), _) => at.map(|at| self.transport_moved(moved, at)).unwrap_or_default(),
            (Event::LatencyChanged(latency), _) => self.change_latency(*latency, at),
            (Event::SoundInterrupted(times), _) => {
                self.result.interruptions += times;
                Judged::default()
            }
            (Event::NotesLost(_), _) => {
                self.result.incomplete = true;
                Judged::default()
            }
            (Event::TakeEnded(_), _) if self.pass.at_end => {
                let last = self.close_pass();
                let rest = self.finish();
                Judged { verdicts: [last.verdicts, rest.verdicts].concat(), ..last }
            }
            (Event::TakeEnded(TakeEnd::Completed), _) => self.finish(),
            (Event::TakeEnded(_), _) => self.stopped(at.unwrap_or(self.latest) - self.latency),
            _ => Judged::default(),
        }
    }

    /// *Keep tempo*: decides what can no longer change at a monotonic time. Calling it often or never makes no
    /// difference to the verdicts, only to when they come; but nobody may go beyond a change of the latency that has not
    /// been taken in yet.
    pub fn time_passes(&mut self, now: Micros) -> Judged {
        self.decide_by(self.clock.reading(now))
    }

    /// The same, by the clock of the take.
    pub fn decide_by(&mut self, at: Micros) -> Judged {
        let Judge::Tempo(judge) = &mut self.judge else { return Judged::default() };
        let verdicts = judge.advance(at - self.latency);
        self.take_in(verdicts)
    }

    /// From here on the devices are so late. What could be decided by then is, in every case: a greater latency would
    /// put notes to come before what a judge that was told of the time has decided, and one that was not has not.
    fn change_latency(&mut self, latency: Micros, at: Option<Micros>) -> Judged {
        let verdicts = match (&mut self.judge, at) {
            (Judge::Tempo(judge), Some(at)) => judge.advance(at - self.latency),
            _ => Vec::new(),
        };
        self.latency = latency;
        self.take_in(verdicts)
    }

    /// The person stopped: what is written after the last key that they struck is not judged.
    fn stopped(&mut self, at: Micros) -> Judged {
        let Judge::Tempo(judge) = &mut self.judge else { return self.finish() };
        let verdicts = judge.stop(at);
        self.course = None;
        let judged = self.take_in(verdicts);
        self.forget_silence(judged)
    }

    /// Nothing more will be played.
    pub fn finish(&mut self) -> Judged {
        let verdicts = match &mut self.judge {
            Judge::Wait(matcher) => {
                self.result.completed |= matcher.is_finished();
                matcher.finish()
            }
            Judge::Tempo(judge) => {
                let verdicts = judge.finish();
                let judged = self.take_in(verdicts);
                return self.own_silence(judged);
            }
            Judge::Follow(judge) => {
                // What is written after the place that was reached is not judged.
                let to = judge.follower.reached();
                let verdicts = judge.pair(&self.score, &self.settings, to);
                return self.take_in_pass(verdicts);
            }
            Judge::None => Vec::new(),
        };
        self.take_in(verdicts)
    }

    fn key_down(&mut self, note: PlayedNote) -> Judged {
        let tick = self.place_of(&note);
        // Before the music begins, and while it stands.
        let early = |course: Course| note.at < course.start - reach(course.plan.speed);
        let between_passes = self.pass.at_end && self.ladder.is_some();
        let counting_in = matches!(self.judge, Judge::Tempo(_)) && (between_passes || self.course.is_none_or(early));
        self.places.insert(note.id, Place { pitch: note.pitch, tick, at: note.at, counting_in });
        match &mut self.judge {
            Judge::Wait(matcher) => {
                let step = matcher.key_down(note);
                self.take_step(step)
            }
            Judge::Tempo(judge) => {
                let mut impression = judge.play(note);
                impression.pass += self.passes_before;
                forgive(&mut impression, counting_in);
                let struck = impression.written.map_or(tick, |id| self.score.note(id).onset);
                self.silence.broken((impression.pass, struck));
                let judged = Judged { impressions: vec![impression], ..Judged::default() };
                self.take_in_due(judged)
            }
            Judge::Follow(judge) => {
                let judged = judge.key_down(&self.score, note, tick);
                self.result.completed |= judged.finished;
                judged
            }
            Judge::None => Judged::default(),
        }
    }

    fn take_step(&mut self, step: Step) -> Judged {
        self.result.completed |= step.finished;
        let done = step.done.last().map(|d| d.tick);
        let (next, finished) = (step.advance_to, step.finished);
        // Who begins the next pass of a loop has done with this one.
        let (_, to) = self.settings.ticks(self.score.bars());
        let done = if step.wrap { Some(to) } else { done };
        let judged = self.take_in(step.verdicts);
        Judged { done, next, finished, impressions: step.impressions, ..judged }
    }

    fn transport(&mut self, moved: &TransportMoved, at: Micros) -> Judged {
        match moved.change {
            TransportChange::Looped { .. } => {
                self.looped = true;
                self.run_over();
                match &mut self.judge {
                    Judge::Wait(matcher) => {
                        let step = matcher.wrap();
                        self.take_step(step)
                    }
                    Judge::Follow(judge) => {
                        let (verdicts, round) = judge.go_round(&self.score, &self.settings);
                        let pass = self.take_in_pass(verdicts);
                        let extras = [pass.extras, round.extras].concat();
                        Judged { verdicts: pass.verdicts, whole_pass: true, extras, ..round }
                    }
                    _ => {
                        self.result.completed = true;
                        Judged::default()
                    }
                }
            }
            TransportChange::Runs { place, speed } => {
                if let Judge::Follow(judge) = &mut self.judge {
                    judge.follower.runs_at(speed);
                }
                let looped = std::mem::take(&mut self.looped);
                self.runs(Running { place, speed, at }, looped)
            }
            // Nobody is waited for in *Keep tempo*: the place to wait at is the end of the range.
            TransportChange::Ended | TransportChange::Waits { .. } if matches!(self.judge, Judge::Tempo(_)) => {
                self.result.completed = true;
                self.run_over();
                self.run = None;
                self.pass.at_end = true;
                Judged::default()
            }
            // The music that has ended is stopped by the program; late notes may still come.
            TransportChange::Stopped if self.pass.at_end => Judged::default(),
            TransportChange::Sought { .. } if self.pass.at_end => self.close_pass(),
            TransportChange::Stopped if matches!(self.judge, Judge::Tempo(_)) => self.stopped(at - self.latency),
            TransportChange::Sought { tick } => match &mut self.judge {
                Judge::Follow(judge) => match judge.sought(&self.score, &self.settings, tick) {
                    verdicts if verdicts.is_empty() => Judged::default(),
                    verdicts => self.take_in_pass(verdicts),
                },
                Judge::Wait(matcher) => {
                    let step = matcher.seek(tick);
                    self.take_step(step)
                }
                _ => Judged::default(),
            },
            TransportChange::Stopped
            | TransportChange::Ended
            | TransportChange::Bar
            | TransportChange::Waits { .. } => Judged::default(),
        }
    }

    /// The music runs from a place on: *Keep tempo* knows now when every written note is due.
    fn runs(&mut self, now: Running, looped: bool) -> Judged {
        if self.pass.at_end {
            let mut judged = self.close_pass();
            let begun = self.runs(now, looped);
            judged.verdicts.extend(begun.verdicts);
            judged.extras.extend(begun.extras);
            judged.comes_again = begun.comes_again;
            return judged;
        }
        let Judge::Tempo(judge) = &mut self.judge else { return Judged::default() };
        let plan = *judge.plan();
        let start = now.time_of(self.score.tempo(), plan.from);
        let (range_start, _) = self.settings.ticks(self.score.bars());
        let Some(course) = self.course else { return self.begin(now, looped) };
        let same_speed = course.plan.speed == now.speed;
        if !looped && same_speed && (start - course.start).0.abs() < SAME_COURSE.0 {
            return Judged::default();
        }
        if looped && same_speed && plan.from == range_start {
            let contiguous = course.announced > course.start;
            let next = if contiguous { course.announced + plan.duration(&self.score) } else { start };
            judge.begin_pass(next);
            self.course = Some(Course { start, announced: next, ..course });
            self.runs_again();
            return Judged::default();
        }
        // Where it would be had nothing changed.
        let place = Running { place: course.place(self.score.tempo(), now.at), ..now };
        if !looped && (place.time_of(self.score.tempo(), plan.from) - start).0.abs() < SAME_COURSE.0 {
            let verdicts = judge.advance(now.at - self.latency);
            judge.change_speed(&self.score, now.at, now.speed, start);
            let plan = *judge.plan();
            let contiguous = course.announced > course.start;
            let announced = if contiguous { start + plan.duration(&self.score) } else { start };
            self.course = Some(Course { plan, start, announced });
            self.runs_at(now.speed);
            self.climb_at(now.speed);
            return self.take_in(verdicts);
        }
        self.begin(now, looped)
    }

    /// Begins to judge from the place where the music is now; it has gone there by itself if it is `looped`.
    fn begin(&mut self, now: Running, looped: bool) -> Judged {
        let Judge::Tempo(former) = &mut self.judge else { return Judged::default() };
        let (range_start, _) = self.settings.ticks(self.score.bars());
        let map = self.score.tempo();
        let mut from = range_start;
        if now.place > map.exact(range_start) {
            from = Ticks(map.ticks_at_exact(now.place).ceil() as i64);
        }
        let whole = TempoPlan { speed: now.speed, ..TempoPlan::from_settings(&self.score, &self.settings) };
        let plan = TempoPlan { from, ..whole };
        let start = now.time_of(map, from);
        let (verdicts, open) = former.hand_over(now.at - self.latency, start - reach(now.speed));
        let judged = self.take_in(verdicts);
        let judged = if looped { judged } else { self.forget_silence(judged) };
        self.passes_before = self.passes();
        self.run = Some(Run { pass: self.passes_before, slowest: now.speed, whole: from <= range_start });
        self.climb_at(now.speed);
        self.begin_pass(from);
        let mut judge = TempoJudge::new(&self.score, plan);
        judge.begin_pass(start);
        let mut announced = start;
        if self.settings.looping && self.settings.count_in_bars == 0 && from == range_start {
            announced = start + plan.duration(&self.score);
            judge.begin_pass(announced);
        }
        for note in open {
            judge.play(note);
        }
        self.course = Some(Course { plan, start, announced });
        self.judge = Judge::Tempo(Box::new(judge));
        let comes_again = std::mem::take(&mut self.anew).then_some(self.passes_before);
        Judged { comes_again, ..judged }
    }

    fn take_in(&mut self, mut verdicts: Vec<Verdict>) -> Judged {
        verdicts.iter_mut().for_each(|verdict| verdict.pass += self.passes_before);
        let impressions = match self.judge {
            Judge::Tempo(_) => self.silence.hold_back(&self.score, &mut verdicts),
            _ => Vec::new(),
        };
        let mut extras = Vec::new();
        for verdict in &mut verdicts {
            let place = verdict.played.and_then(|id| self.places.remove(&id));
            forgive(verdict, place.is_some_and(|place| place.counting_in));
            let bar = match (&self.judge, verdict.played) {
                (Judge::Follow(judge), Some(id)) => judge.bars.get(&id).copied(),
                _ => place.map(|place| bar_of_wrong_key(&self.score, &self.settings, place.tick)),
            };
            self.result.add(&self.score, verdict, bar);
            let Some(place) = place else { continue };
            match verdict.written {
                Some(id) if verdict.kind.is_right() => self.pace(verdict.pass, self.score.note(id).onset, place.at),
                _ if verdict.kind.is_wrong() => extras.push((place.pitch, place.tick)),
                _ => {}
            }
        }
        Judged { verdicts, impressions, extras, ..Judged::default() }
    }

    fn take_in_pass(&mut self, verdicts: Vec<Verdict>) -> Judged {
        Judged { whole_pass: true, ..self.take_in(verdicts) }
    }

    /// Where the person makes the tempo: how long the step to this onset took, beside what is written.
    fn pace(&mut self, pass: u32, onset: Ticks, at: Micros) {
        if self.settings.mode.keeps_time() {
            return;
        }
        match self.reached {
            // The other notes of a chord.
            Some((before, tick, _)) if before == pass && tick >= onset => return,
            Some((before, tick, then)) if before == pass => {
                let time = |tick| self.score.tempo().micros(tick, Percent::FULL);
                self.result.add_pace(time(onset) - time(tick), at - then);
            }
            _ => {}
        }
        self.reached = Some((pass, onset, at));
    }

    /// Where the music stood when a note was played: at the group that was needed, or where the tempo had led it.
    fn place_of(&self, note: &PlayedNote) -> Ticks {
        let (range_start, range_end) = self.settings.ticks(self.score.bars());
        let last = Ticks((range_end.0 - 1).max(range_start.0));
        match &self.judge {
            Judge::Wait(matcher) => return matcher.place().min(last),
            Judge::Follow(judge) => return judge.follower.tick().unwrap_or(range_start).min(last),
            Judge::Tempo(_) | Judge::None => {}
        }
        let Some(course) = self.course else { return range_start };
        let map = self.score.tempo();
        Ticks(map.ticks_at_exact(course.place(map, note.at)) as i64).max(range_start).min(last)
    }
}

/// A note that was played and is not decided yet.
#[derive(Clone, Copy, Debug)]
struct Place {
    pitch: Pitch,
    /// Where the music stood.
    tick: Ticks,
    at: Micros,
    /// Whether the music had not begun yet.
    counting_in: bool,
}

/// What is touched during a count-in, and is not the first note played early, is no mistake.
fn forgive(verdict: &mut Verdict, counting_in: bool) {
    if counting_in && verdict.kind == VerdictKind::Extra {
        verdict.kind = VerdictKind::Neutral;
    }
}

/// How far from its moment a note may be played, at this speed.
fn reach(speed: Percent) -> Micros {
    scaled_to_speed(REACH, speed)
}

/// The music as it runs from a moment on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) place: i64,
    pub(super) speed: Percent,
    pub(super) at: Micros,
}

impl Running {
    /// When a tick sounds.
    pub(super) fn time_of(&self, map: &TempoMap, tick: Ticks) -> Micros {
        let distance = i128::from(map.exact(tick)) - i128::from(self.place);
        let scale = i128::from(map.resolution()) * i128::from(self.speed.get());
        self.at + Micros(div_round(distance * 100, scale))
    }
}
