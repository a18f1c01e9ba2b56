//! Takes read from the log on a thread of their own, and laid out for the window.

use std::collections::HashMap;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::bus::{BusHandle, EntityKey};
use crate::components::library::Library;
use crate::components::performed::{Performed, PerformedNote};
use crate::components::player::Tape;
use crate::components::results::{self, JudgeError, JudgedTake};
use crate::model::{Entity, ResultSummary, Take, TakeId, Trainer};
use crate::music::Hand;
use crate::practice::expression::Expression;
use crate::practice::story::{Story, stories};
use crate::practice::{PlayedId, PlayedNote, Verdict, VerdictKind};
use crate::time::Micros;
use crate::ui::view::{RollNote, RollWritten, TakeView};

use super::rows::{self, Wall};

/// What a take is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its result is wanted.
    Result,
    /// It is to be looked at.
    Look,
    /// It is to be heard, from there on.
    Play(Micros),
    /// What the result that is shown already rests on.
    Detail,
}

/// A take that was read.
pub(super) struct OpenTake {
    /// Which.
    pub(super) id: TakeId,
    /// As the window shows it.
    pub(super) view: TakeView,
    /// What is played of it.
    pub(super) messages: Arc<[(Micros, [u8; 3])]>,
    /// What came out, where it can be judged.
    pub(super) judged: Option<JudgedTake>,
}

impl OpenTake {
    /// To be played from a place on.
    pub(super) fn tape(&self, from: Micros) -> Tape {
        Tape { take: self.id, messages: Arc::clone(&self.messages), from }
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
        wake: impl FnOnce() + Send + 'static,
    ) -> Result<Self, String> {
        let (done, read) = bounded(1);
        let work = move || {
            // The window may have asked for another one meanwhile.
            let _ = done.send(open(&bus, id, wall).map(Box::new));
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

fn open(bus: &BusHandle<Trainer>, id: TakeId, wall: Wall) -> Result<OpenTake, String> {
    let snapshot = bus.snapshot();
    let (take, performed, judged) = match results::judge(bus, &snapshot, &mut Library::default(), id) {
        Ok(judged) => (judged.take.clone(), judged.performed.clone(), Some(judged)),
        // What cannot be judged was played all the same.
        Err(JudgeError::Free | JudgeError::Piece(_)) => {
            let Some(Entity::Take(take)) = snapshot.state.value(id.entity().as_str()) else {
                return Err(JudgeError::Unknown(id).to_string());
            };
            let read = |entity: &EntityKey, from, max| bus.entity_events(entity, from, max);
            (take.clone(), Performed::read(id, read).map_err(|e| e.to_string())?, None)
        }
        Err(error) => return Err(error.to_string()),
    };
    let title = take.start.piece.as_ref().map(|piece| rows::title(&snapshot.state, piece));
    let kept = match snapshot.state.value(id.result_entity().as_str()) {
        Some(Entity::Result(kept)) => Some((***kept).clone()),
        _ => None,
    };
    let first = performed.first();
    let messages = performed.messages().iter().map(|message| (message.at - first, message.played.data)).collect();
    let view = lay_out(id, &take, title, &performed, judged.as_ref(), kept.as_ref(), wall);
    Ok(OpenTake { id, view, messages, judged })
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
    let by_id: HashMap<PlayedId, (Micros, u8)> = notes.iter().map(|n| (n.id, (n.at, n.velocity))).collect();
    let expression = judged.map(|judged| {
        Expression::of(&judged.score, judged.practice.mode, &judged.verdicts, |id| by_id.get(&id).copied())
    });
    let kept_result = kept.zip(judged).and_then(|(kept, judged)| {
        let today = ResultSummary::of(&judged.result);
        (today != *kept).then(|| (kept.all.right(), kept.all.written()))
    });
    TakeView {
        id: id.to_string(),
        at: wall.local(take.start.at),
        piece,
        mode: take.start.practice.map(|practice| practice.mode),
        length: performed.length(),
        notes: roll_notes(&notes, judged),
        written: stories.iter().filter_map(|story| written(story, judged?)).collect(),
        stories,
        expression,
        kept_result,
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
