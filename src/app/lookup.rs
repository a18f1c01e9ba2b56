//! Questions to the log, answered by a thread of their own: the window never waits for the disk.

use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::bus::fold::{self, Folded};
use crate::bus::storage::StorageError;
use crate::bus::{BusHandle, EntityKey, Envelope, EventId, Publish, State, Strategy};
use crate::model::{Entity, Event, Met, Trainer, conflicts_entity};
use crate::ui::view::{ConflictRow, EntityRow, HistoryRow, LocalTime, Side};

use super::rows::{Wall, entity_rows, shown};

/// Questions that wait at most; a further one is asked again with the next frame.
const QUESTIONS: usize = 8;
/// Events read at a time.
const READ: usize = 1_024;
/// Events between two states that the time machine keeps, and how many it keeps at most.
const STATE_EVERY: u64 = 20_000;
const STATES_MAX: usize = 512;
/// The newest versions of an entity that are shown.
const HISTORY_MAX: usize = 200;
/// Characters of a payload at most.
const PAYLOAD_CHARS_MAX: usize = 160;

/// What the window wants to know, or to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// The last conflicts, with both sides.
    Conflicts(Wall),
    /// How an entity came to be what it is.
    History(EntityKey, Wall),
    /// Everything as it was after an event.
    At(u64, Wall),
    /// Do again what an event did: what lost a conflict comes back as a new edit.
    Again(EntityKey, EventId),
}

/// What came out.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Newest first.
    Conflicts(Vec<ConflictRow>),
    /// Of which entity, newest first.
    History(EntityKey, Vec<HistoryRow>),
    /// After which event, when that was, and every entity.
    At(u64, LocalTime, Vec<EntityRow>),
    /// This was done again.
    Done(EntityKey, Event),
}

/// The thread, as long as it is wanted.
pub struct Lookup {
    questions: Option<Sender<Question>>,
    answers: Receiver<Result<Answer, String>>,
    thread: Option<JoinHandle<()>>,
}

impl Lookup {
    /// Starts the thread; `wake` is called with each answer.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(bus: BusHandle<Trainer>, wake: Box<dyn Fn() + Send>) -> std::io::Result<Self> {
        let (questions, asked) = bounded::<Question>(QUESTIONS);
        let (answer, answers) = bounded(QUESTIONS);
        let thread = Builder::new().name("lookup".to_owned()).spawn(move || {
            let mut past = Past::default();
            for question in asked {
                let found = match question {
                    Question::At(seq, wall) => past.at(&bus, seq, wall),
                    question => reply(&bus, question),
                };
                if answer.send(found).is_err() {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { questions: Some(questions), answers, thread: Some(thread) })
    }

    /// Asks; false if so much waits already that it was not taken.
    pub fn ask(&self, question: Question) -> bool {
        self.questions.as_ref().is_some_and(|questions| questions.try_send(question).is_ok())
    }

    /// The next answer, if there is one.
    pub fn answer(&self) -> Option<Result<Answer, String>> {
        self.answers.try_recv().ok()
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        self.questions = None;
        // An answer that nobody takes must not hold the thread.
        while self.answers.recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn reply(bus: &BusHandle<Trainer>, question: Question) -> Result<Answer, String> {
    match question {
        Question::Conflicts(wall) => conflicts(bus, wall).map(Answer::Conflicts).map_err(|e| e.to_string()),
        Question::History(key, wall) => {
            let rows = history(bus, &key, wall).map_err(|e| e.to_string())?;
            Ok(Answer::History(key, rows))
        }
        // Asked of what is kept between the questions.
        Question::At(seq, wall) => Past::default().at(bus, seq, wall),
        Question::Again(key, id) => {
            let found = find(bus, &key, id).map_err(|e| e.to_string())?;
            let event = found.as_ref().and_then(Envelope::event).ok_or("that edit is no longer in the log")?;
            let publish = Publish::new(key.clone(), event.clone()).cause(id);
            bus.edit(publish).applied().map(|_| Answer::Done(key, event.clone())).map_err(|e| e.to_string())
        }
    }
}

/// States on the way through the log, so that a slider that moves to and fro does not fold it from the start each time.
/// They share every entity that did not change.
#[derive(Default)]
struct Past {
    states: Vec<Folded<Trainer>>,
}

impl Past {
    fn at(&mut self, bus: &BusHandle<Trainer>, seq: u64, wall: Wall) -> Result<Answer, String> {
        let before = self.states.partition_point(|state| state.end.seq <= seq);
        let mut state = before.checked_sub(1).and_then(|at| self.states.get(at)).cloned().unwrap_or_default();
        let mut at = state.end.hlc;
        while state.end.seq < seq {
            let max = (seq - state.end.seq).min(READ as u64) as usize;
            let events = bus.reader().events(state.end.seq + 1, max).map_err(|e| e.to_string())?;
            if events.is_empty() {
                break;
            }
            for event in events {
                at = event.header.hlc;
                state.push(event).map_err(|e| e.to_string())?;
            }
            let last = self.states.last().map_or(0, |state| state.end.seq);
            if state.end.seq >= last + STATE_EVERY && self.states.len() < STATES_MAX {
                self.states.push(state.clone());
            }
        }
        let rows = entity_rows(&State::from_entities(&state.entities));
        Ok(Answer::At(state.end.seq, wall.stamped(at), rows))
    }
}

/// Every event of an entity, in order.
fn each_event(
    bus: &BusHandle<Trainer>,
    key: &EntityKey,
    mut each: impl FnMut(Envelope<Trainer>),
) -> Result<(), StorageError> {
    let mut next = 1;
    loop {
        let events = bus.entity_events(key, next, READ)?;
        let Some(last) = events.last() else { return Ok(()) };
        next = last.version + 1;
        events.into_iter().for_each(&mut each);
    }
}

fn find(bus: &BusHandle<Trainer>, key: &EntityKey, id: EventId) -> Result<Option<Envelope<Trainer>>, StorageError> {
    let mut found = None;
    each_event(bus, key, |envelope| {
        if envelope.id == id {
            found = Some(envelope);
        }
    })?;
    Ok(found)
}

fn payload(envelope: &Envelope<Trainer>) -> String {
    use crate::bus::inspect::EventView;
    envelope.payload().to_string().chars().take(PAYLOAD_CHARS_MAX).collect()
}

fn conflicts(bus: &BusHandle<Trainer>, wall: Wall) -> Result<Vec<ConflictRow>, StorageError> {
    let snapshot = bus.snapshot();
    let Some(Entity::Conflicts(all)) = snapshot.state.value(conflicts_entity().as_str()) else {
        return Ok(Vec::new());
    };
    let side = |met: &Met, id: EventId| -> Result<Side, StorageError> {
        let found = find(bus, &EntityKey::new(&met.entity), id)?;
        Ok(Side {
            device: id.device.0,
            number: id.device_seq,
            at: found.as_ref().map(|envelope| wall.stamped(envelope.hlc)),
            actor: found.as_ref().map(|envelope| envelope.actor.to_string()).unwrap_or_default(),
            payload: found.as_ref().map(payload).unwrap_or_default(),
        })
    };
    let row = |met: &Met| {
        Ok(ConflictRow {
            entity: met.entity.clone(),
            topic: met.topic.clone(),
            strategy: met.strategy.clone(),
            both: met.strategy == Strategy::KeepBoth.name(),
            winner: side(met, met.winner)?,
            loser: side(met, met.loser)?,
        })
    };
    all.iter().rev().map(row).collect()
}

fn history(bus: &BusHandle<Trainer>, key: &EntityKey, wall: Wall) -> Result<Vec<HistoryRow>, StorageError> {
    let mut value = None;
    let mut rows = std::collections::VecDeque::new();
    each_event(bus, key, |envelope| {
        let after = fold::apply(&envelope, value.as_ref());
        if rows.len() == HISTORY_MAX {
            rows.pop_back();
        }
        rows.push_front(HistoryRow {
            version: envelope.version,
            seq: envelope.seq,
            at: wall.stamped(envelope.hlc),
            topic: envelope.topic.to_string(),
            actor: envelope.actor.to_string(),
            payload: payload(&envelope),
            value: shown(after.value.as_ref()),
        });
        value = Some(after);
    })?;
    Ok(rows.into())
}
