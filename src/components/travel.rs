//! Time travel through a take: the keys, the place in the music and the judge as they stood at an instant. The judge is fed
//! the events up to that instant, as it was while the person played; checkpoints on the way spare it the beginning. Pure.

use std::sync::Arc;

use crate::bus::{Body, Envelope};
use crate::midi::controller;
use crate::model::{Event, TakeStart, Trainer, TransportChange};
use crate::music::{NoteId, Percent, Score};
use crate::practice::result::TakeResult;
use crate::practice::{Mode, PracticeSettings};
use crate::time::{Micros, Stamp, Ticks};

use super::judging::TakeJudge;
use super::marks::Marks;
use super::take_clock::TakeClock;

/// Checkpoints of a take at most: each has a judge in it, as large as the score.
const CHECKPOINTS_MAX: usize = 32;
/// Events between two checkpoints at least: they are fed in a millisecond or two.
const CHECKPOINT_EVENTS_MIN: usize = 256;

/// An event of the take.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place in the log.
    pub seq: u64,
    /// The take's version after it.
    pub version: u64,
    /// When it was, by the clock of the take; that of an event before where it has no stamp. Never goes back.
    pub at: Micros,
    /// When by its own stamp.
    stamped: Option<Micros>,
    /// What; `None` if the payload was erased or is not known.
    pub event: Option<Event>,
    /// Its stamp.
    pub stamp: Option<Stamp>,
    /// The topic.
    pub topic: Box<str>,
    /// Whether the payload was erased.
    pub erased: bool,
}

/// An instant of a take: so many of its events have happened, and it is this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    /// Events that have happened.
    pub events: usize,
    /// The time, by the clock of the take.
    pub at: Micros,
}

/// How things stood at an instant.
#[derive(Clone)]
pub struct Standing {
    instant: Instant,
    judge: Option<TakeJudge>,
    /// What was shown of the written notes.
    pub marks: Marks,
    /// Keys that were down, one bit each.
    pub keys: u128,
    /// How far down the sustain pedal was, 0 to 127.
    pub pedal: u8,
    /// Events so far whose payload was erased.
    pub erased: usize,
    /// Where the music ran from, last.
    course: Course,
    finished: bool,
}

#[derive(Clone, Copy, Debug)]
enum Course {
    Rests(Ticks),
    /// From a place and a moment on, until it was stopped.
    Runs {
        place: i64,
        speed: Percent,
        at: Micros,
        until: Option<Micros>,
    },
}

impl Standing {
    fn new(piece: Option<&(Arc<Score>, PracticeSettings)>, start: &TakeStart) -> Self {
        let judge = piece.map(|(score, practice)| TakeJudge::new(score.clone(), *practice, start.latency));
        let from = piece.map_or(Ticks::ZERO, |(score, practice)| practice.ticks(score.bars()).0);
        Self {
            instant: Instant { events: 0, at: Micros(i64::MIN / 4) },
            judge,
            marks: piece.map(|(score, _)| Marks::new(score)).unwrap_or_default(),
            keys: 0,
            pedal: 0,
            erased: 0,
            course: Course::Rests(from),
            finished: false,
        }
    }

    /// The instant.
    pub fn instant(&self) -> Instant {
        self.instant
    }

    /// The result as far as it was known; `None` in free play.
    pub fn result(&self) -> Option<&TakeResult> {
        self.judge.as_ref().map(TakeJudge::result)
    }

    /// The written notes that the music waited for.
    pub fn needed(&self) -> Vec<NoteId> {
        self.judge.as_ref().map(TakeJudge::needed).unwrap_or_default()
    }

    /// Where the music stood, in ticks; `None` in free play.
    pub fn place(&self, score: &Score) -> Option<f64> {
        let judge = self.judge.as_ref()?;
        if judge.waits()
            && let Some(next) = judge.needed().first()
        {
            return Some(score.note(*next).onset.0 as f64);
        }
        let tick = match self.course {
            Course::Rests(tick) => tick.0 as f64,
            Course::Runs { place, speed, at, until } => {
                let map = score.tempo();
                let gone = i128::from((until.unwrap_or(self.instant.at) - at).0) * i128::from(speed.get()) / 100;
                let exact = i128::from(place) + gone * i128::from(map.resolution());
                map.ticks_at_exact(i64::try_from(exact).unwrap_or(i64::MAX))
            }
        };
        Some(tick.min(score.end().0 as f64))
    }

    fn happens(&mut self, step: &Step) {
        self.instant = Instant { events: self.instant.events + 1, at: step.at.max(self.instant.at) };
        self.erased += usize::from(step.erased);
        let Some(event) = &step.event else { return };
        match event {
            Event::NotePlayed(played) => {
                if let Some((pitch, _)) = played.note_on() {
                    self.keys |= 1 << pitch.key();
                } else if let Some(pitch) = played.note_off() {
                    self.keys &= !(1 << pitch.key());
                } else if let Some((controller::SUSTAIN, value)) = played.control() {
                    self.pedal = value;
                }
            }
            // Keys whose release may be among what was lost.
            Event::NotesLost(_) => self.keys = 0,
            Event::TransportMoved(moved) => self.moved(moved.change, step.at),
            _ => {}
        }
        let Some(judge) = &mut self.judge else { return };
        let judged = judge.event(step.version, event, step.stamp.as_ref());
        self.marks.take_in(&judged, step.at);
    }

    fn moved(&mut self, change: TransportChange, at: Micros) {
        match change {
            TransportChange::Runs { place, speed } => self.course = Course::Runs { place, speed, at, until: None },
            TransportChange::Sought { tick } | TransportChange::Waits { tick } => self.course = Course::Rests(tick),
            TransportChange::Stopped | TransportChange::Ended => {
                if let Course::Runs { until, .. } = &mut self.course {
                    until.get_or_insert(at);
                }
            }
            TransportChange::Looped { .. } | TransportChange::Bar => {}
        }
    }

    /// What could be decided by a moment is decided.
    fn time_passes(&mut self, now: Micros) {
        if let Some(judge) = &mut self.judge {
            let judged = judge.decide_by(now);
            self.marks.take_in(&judged, now);
        }
    }

    /// Nothing more will be played.
    fn finish(&mut self) {
        if let Some(judge) = &mut self.judge {
            let judged = judge.finish();
            self.marks.take_in(&judged, self.instant.at);
        }
        self.finished = true;
    }
}

/// When the events of a take were, in their order: names its instants.
#[derive(Clone, Debug)]
pub struct Timeline(Arc<[Micros]>);

impl Timeline {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time of the first event and of the last.
    pub fn span(&self) -> (Micros, Micros) {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (Micros::ZERO, Micros::ZERO),
        }
    }

    /// The instant of a time by the clock of the take: all that happened by then.
    pub fn instant_at(&self, at: Micros) -> Instant {
        let (first, last) = self.span();
        let at = at.max(first).min(last);
        Instant { events: self.0.partition_point(|step| *step <= at), at }
    }

    /// The instant just after so many events.
    pub fn instant_after(&self, events: usize) -> Instant {
        let events = events.min(self.len());
        let at = events.checked_sub(1).map_or(self.span().0, |last| self.0[last]);
        Instant { events, at }
    }
}

/// A take that can be travelled through.
pub struct Travel {
    piece: Option<(Arc<Score>, PracticeSettings)>,
    steps: Vec<Step>,
    timeline: Timeline,
    /// For each event the earliest stamp of it and those after it: what comes late through a lane, or says that the
    /// devices are later from then on, is still to be taken in, and nothing may be decided beyond.
    bounds: Vec<Micros>,
    /// Ascending by events.
    checkpoints: Vec<Standing>,
    /// How things stood when nothing more came, once one has been there: a whole pass may be paired by it.
    end: Option<Standing>,
    now: Standing,
    fed: u64,
}

impl Travel {
    /// A take from its events, in the order of the log: a take of `piece`, or free play.
    pub fn new(
        start: &TakeStart,
        piece: Option<(Arc<Score>, PracticeSettings)>,
        events: impl IntoIterator<Item = Envelope<Trainer>>,
    ) -> Self {
        let (mut steps, mut clock): (Vec<Step>, TakeClock) = (Vec::new(), TakeClock::default());
        for envelope in events {
            let before = steps.last().map_or(Micros(i64::MIN / 4), |step| step.at);
            let stamped = envelope.stamp.map(|stamp| clock.event(envelope.event(), &stamp));
            steps.push(step(&envelope, stamped, stamped.unwrap_or(before).max(before)));
        }
        // What comes before the first stamp has no time of its own.
        let first = steps.iter().find(|step| step.stamped.is_some()).map_or(Micros::ZERO, |step| step.at);
        steps.iter_mut().for_each(|step| step.at = step.at.max(first));
        let bounds = bounds(&steps);
        let now = Standing::new(piece.as_ref(), start);
        let timeline = Timeline(steps.iter().map(|step| step.at).collect());
        let checkpoints = vec![now.clone()];
        let mut travel = Self { piece, steps, timeline, bounds, checkpoints, end: None, now, fed: 0 };
        travel.lay_checkpoints();
        travel.fed = 0;
        travel
    }

    fn lay_checkpoints(&mut self) {
        let every = (self.steps.len() / CHECKPOINTS_MAX).max(CHECKPOINT_EVENTS_MIN);
        for events in (every..self.steps.len()).step_by(every).chain([self.steps.len()]) {
            self.feed(events);
            self.checkpoints.push(self.now.clone());
        }
    }

    /// Events of the take.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The piece, unless it is free play.
    pub fn score(&self) -> Option<&Arc<Score>> {
        self.piece.as_ref().map(|(score, _)| score)
    }

    /// How it was practised, unless it is free play.
    pub fn mode(&self) -> Option<Mode> {
        self.piece.as_ref().map(|(_, practice)| practice.mode)
    }

    /// When its events were.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The time of the first event and of the last.
    pub fn span(&self) -> (Micros, Micros) {
        self.timeline.span()
    }

    /// See [`Timeline::instant_at`].
    pub fn instant_at(&self, at: Micros) -> Instant {
        self.timeline.instant_at(at)
    }

    /// See [`Timeline::instant_after`].
    pub fn instant_after(&self, events: usize) -> Instant {
        self.timeline.instant_after(events)
    }

    /// How things stand at the present instant of the journey.
    pub fn now(&self) -> &Standing {
        &self.now
    }

    /// The event nearest before the present instant.
    pub fn event(&self) -> Option<&Step> {
        self.now.instant.events.checked_sub(1).map(|last| &self.steps[last])
    }

    /// Events that were fed to the judge on all journeys so far; that nothing more comes is one of them.
    pub fn fed(&self) -> u64 {
        self.fed
    }

    /// Goes to an instant: from where one is if that lies before it, else from the checkpoint before it.
    pub fn go(&mut self, to: Instant) -> &Standing {
        let to = Instant { events: to.events.min(self.steps.len()), ..to };
        let ends = to.events == self.steps.len() && to.at >= self.span().1;
        if ends && let Some(end) = &self.end {
            if !self.now.finished {
                self.now = end.clone();
            }
            self.now.instant.at = self.now.instant.at.max(to.at);
            return &self.now;
        }
        let after = self.checkpoints.partition_point(|standing| standing.instant.events <= to.events);
        let nearest = &self.checkpoints[after.saturating_sub(1)];
        let ahead = self.now.finished || self.now.instant > to || self.now.instant.at > to.at;
        if ahead || self.now.instant.events < nearest.instant.events {
            self.now = nearest.clone();
        }
        self.feed(to.events);
        let bound = self.bounds.get(to.events).copied().unwrap_or(to.at);
        self.now.time_passes(to.at.min(bound));
        self.now.instant.at = self.now.instant.at.max(to.at);
        if ends {
            self.now.finish();
            self.fed += 1;
            self.end = Some(self.now.clone());
        }
        &self.now
    }

    fn feed(&mut self, events: usize) {
        for next in self.now.instant.events..events {
            let step = &self.steps[next];
            self.now.time_passes(step.at.min(self.bounds[next]));
            self.now.happens(step);
            self.fed += 1;
        }
    }
}

fn step(envelope: &Envelope<Trainer>, stamped: Option<Micros>, at: Micros) -> Step {
    Step {
        seq: envelope.seq,
        version: envelope.version,
        at,
        stamped,
        event: envelope.event().cloned(),
        stamp: envelope.stamp,
        topic: (&*envelope.topic).into(),
        erased: matches!(envelope.body, Body::Stub { .. }),
    }
}

fn bounds(steps: &[Step]) -> Vec<Micros> {
    let mut earliest = Micros(i64::MAX / 4);
    let mut bounds: Vec<Micros> = (steps.iter().rev())
        .map(|step| {
            earliest = step.stamped.map_or(earliest, |at| earliest.min(at));
            earliest
        })
        .collect();
    bounds.reverse();
    bounds
}
