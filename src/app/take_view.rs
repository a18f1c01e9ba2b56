//! Takes read from the log on a thread of their own, and laid out for the window.

use std::collections::HashMap;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::bus::{BusHandle, EntityKey, Envelope};
use crate::components::library::{Library, title};
use crate::components::marks::Marks;
use crate::components::performed::{Performed, PerformedNote, each_event};
use crate::components::player::Tape;
use crate::components::results::{self, JudgeError, JudgedTake};
use crate::components::travel::{Standing, Travel};
use crate::formats::notate;
use crate::formats::smf;
use crate::model::{Entity, ResultSummary, Take, TakeId, Trainer};
use crate::music::{Hand, Hands, Score};
use crate::practice::expression::{Expression, Struck};
use crate::practice::pass::passes;
use crate::practice::recital::{Recital, Timed, Voice};
use crate::practice::story::{Story, stories};
use crate::practice::{Mode, PlayedId, PlayedNote, Verdict, VerdictKind};
use crate::time::Micros;
use crate::ui::view::{Extra, Mark, PastInstant, RollNote, RollWritten, TakePage, TakeView};

use super::looking_back::LookingBack;
use super::rows::Wall;

/// What a take is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its result is wanted.
    Result,
    /// It is to be looked at.
    Look,
    /// It is to be heard, from there on, perhaps up to there.
    Play(Micros, Option<Micros>),
    /// What the result that is shown already rests on.
    Detail,
}

/// A take that was read.
pub(super) struct OpenTake {
    /// Which.
    pub(super) id: TakeId,
    /// As the window shows it.
    pub(super) view: TakeView,
    /// What is heard of it.
    pub(super) recital: Recital,
    /// What came out, where it can be judged.
    pub(super) judged: Option<JudgedTake>,
    /// The way back through it.
    looking_back: LookingBack,
    /// The time of its first message.
    first: Micros,
}

impl OpenTake {
    /// To be played from a place on, in a voice; in that of the person where nothing is written.
    pub(super) fn tape(&self, voice: Voice, from: Micros, until: Option<Micros>) -> Tape {
        let voice = self.voice(voice);
        let time = |at| self.recital.time_in(voice, at);
        Tape { take: self.id, messages: self.recital.messages(voice), from: time(from), until: until.map(time) }
    }

    /// That voice, if the take has it.
    pub(super) fn voice(&self, wanted: Voice) -> Voice {
        if self.recital.has_written() { wanted } else { Voice::Mine }
    }

    /// Shows how things stood at a time from the first message on.
    pub(super) fn look_back(&mut self, at: Micros) -> Result<(), String> {
        self.looking_back.look(at + self.first)
    }

    /// The same, so many events on from there or back.
    pub(super) fn look_back_by(&mut self, events: i64) -> Result<(), String> {
        self.looking_back.look_by(events)
    }

    /// Looks back no longer.
    pub(super) fn look_back_end(&mut self) {
        self.looking_back.end();
        self.view.past = None;
    }

    /// Whether the person looks back.
    pub(super) fn is_looked_back(&self) -> bool {
        self.looking_back.is_looking()
    }

    /// Shows what was seen of it since this was last asked.
    pub(super) fn take_in_what_was_seen(&mut self) {
        if let Some(past) = self.looking_back.seen() {
            self.view.past = Some(past);
        }
    }
}

/// A take on its way.
pub(super) struct Reading {
    /// What for.
    pub(super) purpose: Purpose,
    read: Receiver<Result<Box<OpenTake>, String>>,
}

impl Reading {
    /// Begins to read; `wake` is called when it is done.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn begin(
        bus: BusHandle<Trainer>,
        id: TakeId,
        purpose: Purpose,
        wall: Wall,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let (done, read) = bounded(1);
        let wake = Arc::new(wake);
        let work = move || {
            // The window may have asked for another one meanwhile.
            let _ = done.send(open(&bus, id, wall, wake.clone()).map(Box::new));
            wake();
        };
        let thread = std::thread::Builder::new().name("take".to_owned()).spawn(work);
        thread.map(|_| Self { purpose, read }).map_err(|error| format!("the take cannot be read: {error}"))
    }

    /// The take, once it is read.
    pub(super) fn poll(&self) -> Option<Result<Box<OpenTake>, String>> {
        match self.read.try_recv() {
            Ok(read) => Some(read),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err("the take cannot be read: the program failed at it".to_owned()))
            }
        }
    }
}

fn open(
    bus: &BusHandle<Trainer>,
    id: TakeId,
    wall: Wall,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> Result<OpenTake, String> {
    let snapshot = bus.snapshot();
    let judged = results::played(bus, &snapshot, &mut Library::default(), id);
    let (performed, judged) = judged.map_err(|error| error.to_string())?;
    let Some(Entity::Take(take)) = snapshot.state.value(id.entity().as_str()) else {
        return Err(JudgeError::Unknown(id).to_string());
    };
    let title = take.start.piece.as_ref().map(|piece| title(&snapshot.state, piece));
    let kept = match snapshot.state.value(id.result_entity().as_str()) {
        Some(Entity::Result(kept)) => Some((***kept).clone()),
        _ => None,
    };
    let first = performed.first();
    let travel = travel(bus, id, take, judged.as_ref())?;
    let messages: Arc<[Timed]> =
        performed.messages().iter().map(|message| (message.at - first, message.played.data)).collect();
    let mut view = lay_out(id, take, title, &performed, judged.as_ref(), kept.as_ref(), wall);
    let score = judged.as_ref().map(|judged| &*judged.score);
    let recital = Recital::new(messages, score, &view.stories);
    view.page = match &judged {
        Some(judged) => piece_page(judged, &view.stories, &travel),
        None => free_page(&performed),
    };
    let looking_back = LookingBack::start(travel, first, wake);
    let looking_back = looking_back.map_err(|error| format!("the take cannot be looked back through: {error}"))?;
    Ok(OpenTake { id, view, recital, judged, looking_back, first })
}

fn travel(bus: &BusHandle<Trainer>, id: TakeId, take: &Take, judged: Option<&JudgedTake>) -> Result<Travel, String> {
    let mut events: Vec<Envelope<Trainer>> = Vec::new();
    let read = |entity: &EntityKey, from, max| bus.entity_events(entity, from, max);
    each_event(id, read, |envelope| events.push(envelope.clone())).map_err(|e| e.to_string())?;
    let piece = judged.map(|judged| (judged.score.clone(), judged.practice));
    let mut travel = Travel::new(&take.start, piece, events);
    travel.go(travel.instant_at(travel.span().1));
    Ok(travel)
}

fn marks(found: &Marks) -> (Vec<Option<Mark>>, Vec<Extra>) {
    let mark = |mark: &Option<_>| {
        mark.map(|m: crate::components::marks::NoteMark| Mark { kind: m.kind, deviation: m.deviation })
    };
    let extras = found.extras.iter().map(|(pitch, tick)| Extra { tick: tick.0 as f64, pitch: *pitch }).collect();
    (found.notes.iter().map(mark).collect(), extras)
}

/// The page of the piece, with what became of its notes in the last pass.
fn piece_page(judged: &JudgedTake, stories: &[Story], travel: &Travel) -> Option<TakePage> {
    judged.score.notation()?;
    let (marks, extras) = marks(&travel.now().marks);
    let mut course: Vec<(Micros, f64)> = Vec::new();
    for story in stories {
        let Some(id) = story.verdict.written else { continue };
        let tick = judged.score.note(id).onset.0 as f64;
        if course.last().is_none_or(|(at, _)| *at < story.at) {
            course.push((story.at, tick));
        }
    }
    let hands = judged.practice.practise;
    Some(TakePage { score: judged.score.clone(), marks, extras, course, hands, beat: None })
}

/// A page made from what was played.
fn free_page(performed: &Performed) -> Option<TakePage> {
    let played = |n: &PerformedNote| {
        let PerformedNote { at, duration, pitch, velocity, .. } = *n;
        smf::PlayedNote { at, duration, pitch, velocity }
    };
    let notes: Vec<smf::PlayedNote> = performed.notes().iter().map(played).collect();
    let notate::TakeScore { score, course, beat } = notate::take(&notes)?;
    let course = course.into_iter().map(|(at, tick)| (at, tick.0 as f64)).collect();
    let (marks, extras) = (Vec::new(), Vec::new());
    Some(TakePage { score: Arc::new(score), marks, extras, course, hands: Hands::BOTH, beat })
}

/// How things stand where the journey is.
pub(super) fn past(travel: &Travel, first: Micros) -> PastInstant {
    let now: &Standing = travel.now();
    let score: Option<&Arc<Score>> = travel.score();
    let (marks, extras) = marks(&now.marks);
    let (from, to) = travel.span();
    let event = travel.event();
    let counts = now.result().map(|result| match result.counts.written() {
        // Verdicts come at the end of a pass: until then there are first impressions.
        0 if travel.mode() == Some(Mode::Follow) => impressions(&marks, &extras),
        written => (result.counts.right(), written, result.counts.extra),
    });
    PastInstant {
        at: now.instant().at - first,
        span: (from - first, to - first),
        events: now.instant().events,
        of: travel.steps().len(),
        event: event.map(|step| (step.seq, step.topic.to_string())),
        erased: event.is_some_and(|step| step.erased),
        erased_so_far: now.erased,
        keys: now.keys,
        pedal: now.pedal,
        place: score.and_then(|score| now.place(score)),
        marks,
        extras,
        next: now.needed(),
        counts,
    }
}

/// Notes that seem right, of those of which anything is known, and keys that seem not to be written.
fn impressions(marks: &[Option<Mark>], extras: &[Extra]) -> (u32, u32, u32) {
    let known = marks.iter().flatten().filter(|mark| mark.kind != VerdictKind::Neutral);
    let (right, of) = known.fold((0, 0), |(right, of), mark| (right + u32::from(mark.kind.is_right()), of + 1));
    (right, of, extras.len() as u32)
}

fn lay_out(
    id: TakeId,
    take: &Take,
    piece: Option<String>,
    performed: &Performed,
    judged: Option<&JudgedTake>,
    kept: Option<&ResultSummary>,
    wall: Wall,
) -> TakeView {
    let notes = performed.notes();
    let stories = judged.map(|judged| told(judged, &notes)).unwrap_or_default();
    let struck = |n: &PerformedNote| Struck { at: n.at, duration: n.duration, velocity: n.velocity };
    let by_id: HashMap<PlayedId, Struck> = notes.iter().map(|n| (n.id, struck(n))).collect();
    let expression = judged.map(|judged| {
        Expression::of(&judged.score, judged.practice.mode, &judged.verdicts, |id| by_id.get(&id).copied())
    });
    let kept_result = kept.zip(judged).and_then(|(kept, judged)| {
        let today = ResultSummary::of(&judged.result);
        // What an older program did not ask for is no other result.
        let today = ResultSummary { tempo_kept: kept.tempo_kept.and(today.tempo_kept), ..today };
        (today != *kept).then(|| (kept.all.right(), kept.all.judged()))
    });
    let passes = judged.map(|judged| passes(&judged.score, judged.practice.mode, &stories)).unwrap_or_default();
    TakeView {
        id: id.to_string(),
        at: wall.local(take.moment()),
        piece,
        mode: take.start.practice.map(|practice| practice.mode),
        length: performed.length(),
        notes: roll_notes(&notes, judged),
        written: stories.iter().filter_map(|story| written(story, judged?)).collect(),
        stories,
        passes: passes.into(),
        expression,
        kept_result,
        page: None,
        past: None,
    }
}

fn told(judged: &JudgedTake, notes: &[PerformedNote]) -> Vec<Story> {
    let played = |n: &PerformedNote| PlayedNote { id: n.id, at: n.at, pitch: n.pitch, velocity: n.velocity };
    let played: Vec<PlayedNote> = notes.iter().map(played).collect();
    stories(&judged.score, &judged.practice, &judged.verdicts, &played)
}

fn roll_notes(notes: &[PerformedNote], judged: Option<&JudgedTake>) -> Vec<RollNote> {
    let mut found: HashMap<PlayedId, &Verdict> = HashMap::new();
    for verdict in judged.iter().flat_map(|judged| &judged.verdicts) {
        verdict.played.into_iter().for_each(|id| _ = found.entry(id).or_insert(verdict));
    }
    let hand = |verdict: &Verdict| -> Option<Hand> { Some(judged?.score.note(verdict.written?).hand) };
    let roll = |note: &PerformedNote| {
        let verdict = found.get(&note.id).copied();
        let PerformedNote { at, duration, pitch, velocity, .. } = *note;
        RollNote { at, duration, pitch, velocity, hand: verdict.and_then(hand), kind: verdict.map(|v| v.kind) }
    };
    notes.iter().map(roll).collect()
}

fn written(story: &Story, judged: &JudgedTake) -> Option<RollWritten> {
    let note = judged.score.note(story.verdict.written?);
    let kind: VerdictKind = story.verdict.kind;
    Some(RollWritten { at: story.at, end: story.end, pitch: note.pitch, hand: note.hand, kind })
}
