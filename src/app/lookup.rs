//! Questions to the log, answered by a thread of their own: the window never waits for the disk.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::bus::fold::{self, Folded};
use crate::bus::inspect::EventView;
use crate::bus::{BusHandle, EntityKey, Envelope, EventId, Publish, State, Strategy};
use crate::model::{Entity, Event, Met, Trainer, conflicts_entity};
use crate::ui::view::{ConflictRow, EntityRow, HistoryRow, LocalTime, Side};

use super::rows::{Wall, entity_rows, shown};

/// Questions that wait at most; a further one is asked again with the next frame.
const QUESTIONS: usize = 8;
/// Events read at a time.
const READ: usize = 1_024;
/// States that the time machine keeps, about, and events between two of them at least.
const STATES: u64 = 64;
const STATE_EVENTS: u64 = 20_000;
/// The newest versions of an entity that are shown.
const HISTORY_MAX: u64 = 200;
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
    stopped: Arc<AtomicBool>,
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
        let stopped = Arc::new(AtomicBool::new(false));
        let mut log = Log { bus, stopped: Arc::clone(&stopped), states: Vec::new() };
        let thread = Builder::new().name("lookup".to_owned()).spawn(move || {
            for question in asked {
                if answer.send(log.answer(question)).is_err() {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { questions: Some(questions), answers, stopped, thread: Some(thread) })
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
        self.stopped.store(true, Ordering::Release);
        // An answer that nobody takes must not hold the thread.
        while self.answers.recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's side.
struct Log {
    bus: BusHandle<Trainer>,
    /// Nobody waits for the answer any more.
    stopped: Arc<AtomicBool>,
    /// States on the way through the log, so that a slider that moves to and fro does not fold it from the start each
    /// time.
    states: Vec<Folded<Trainer>>,
}

impl Log {
    fn answer(&mut self, question: Question) -> Result<Answer, String> {
        match question {
            Question::Conflicts(wall) => self.conflicts(wall).map(Answer::Conflicts),
            Question::History(key, wall) => self.history(&key, wall).map(|rows| Answer::History(key, rows)),
            Question::At(seq, wall) => self.at(seq, wall),
            Question::Again(key, id) => self.again(key, id),
        }
    }

    /// Between two reads of the log.
    fn go_on(&self) -> Result<(), String> {
        if self.stopped.load(Ordering::Acquire) { Err("nobody waits for it any more".to_owned()) } else { Ok(()) }
    }

    /// Every event of an entity, in order.
    fn each_event(&self, key: &EntityKey, mut each: impl FnMut(Envelope<Trainer>)) -> Result<(), String> {
        let mut next = 1;
        loop {
            self.go_on()?;
            let events = self.bus.entity_events(key, next, READ).map_err(|e| e.to_string())?;
            let Some(last) = events.last() else { return Ok(()) };
            next = last.version + 1;
            events.into_iter().for_each(&mut each);
        }
    }

    fn again(&self, key: EntityKey, id: EventId) -> Result<Answer, String> {
        let mut found = None;
        self.each_event(&key, |envelope| {
            if envelope.id == id {
                found = envelope.event().cloned();
            }
        })?;
        let event = found.ok_or("that edit is no longer in the log")?;
        let publish = Publish::new(key.clone(), event.clone()).cause(id);
        self.bus.edit(publish).applied().map(|_| Answer::Done(key, event)).map_err(|e| e.to_string())
    }

    fn conflicts(&self, wall: Wall) -> Result<Vec<ConflictRow>, String> {
        let snapshot = self.bus.snapshot();
        let Some(Entity::Conflicts(all)) = snapshot.state.value(conflicts_entity().as_str()) else {
            return Ok(Vec::new());
        };
        let wanted: HashSet<EventId> = all.iter().flat_map(|met| [met.winner, met.loser]).collect();
        let entities: HashSet<&str> = all.iter().map(|met| &*met.entity).collect();
        let mut sides = HashMap::new();
        for entity in entities {
            self.each_event(&EntityKey::new(entity), |envelope| {
                if wanted.contains(&envelope.id) {
                    sides.insert(envelope.id, side(&envelope, wall));
                }
            })?;
        }
        let side = |id: EventId| {
            let gone = || Side { device: id.device.0, number: id.device_seq, ..Side::default() };
            sides.get(&id).cloned().unwrap_or_else(gone)
        };
        let row = |met: &Met| ConflictRow {
            entity: met.entity.clone(),
            topic: met.topic.clone(),
            strategy: met.strategy.clone(),
            both: met.strategy == Strategy::KeepBoth.name(),
            winner: side(met.winner),
            loser: side(met.loser),
        };
        Ok(all.iter().rev().map(row).collect())
    }

    fn history(&self, key: &EntityKey, wall: Wall) -> Result<Vec<HistoryRow>, String> {
        let newest = self.bus.snapshot().state.get(key.as_str()).map_or(0, |newest| newest.version);
        let (mut value, mut rows) = (None, Vec::new());
        self.each_event(key, |envelope| {
            let after = fold::apply(&envelope, value.as_ref());
            if envelope.version + HISTORY_MAX > newest {
                rows.push(HistoryRow {
                    version: envelope.version,
                    seq: envelope.seq,
                    at: wall.stamped(envelope.hlc),
                    topic: envelope.topic.to_string(),
                    actor: envelope.actor.to_string(),
                    payload: payload(&envelope),
                    value: shown(after.value.as_ref()),
                });
            }
            value = Some(after);
        })?;
        rows.reverse();
        Ok(rows)
    }

    fn at(&mut self, seq: u64, wall: Wall) -> Result<Answer, String> {
        // However long the log is, so many states and no more.
        let every = (self.bus.snapshot().durable / STATES).max(STATE_EVENTS);
        let before = self.states.partition_point(|state| state.end.seq <= seq);
        let mut state = before.checked_sub(1).and_then(|at| self.states.get(at)).cloned().unwrap_or_default();
        let mut hlc = state.end.hlc;
        while state.end.seq < seq {
            self.go_on()?;
            let max = (seq - state.end.seq).min(READ as u64) as usize;
            let events = self.bus.reader().events(state.end.seq + 1, max).map_err(|e| e.to_string())?;
            if events.is_empty() {
                break;
            }
            for event in events {
                hlc = event.header.hlc;
                state.push(event).map_err(|e| e.to_string())?;
            }
            if state.end.seq >= self.states.last().map_or(0, |state| state.end.seq) + every {
                self.states.push(state.clone());
            }
        }
        Ok(Answer::At(state.end.seq, wall.stamped(hlc), entity_rows(&State::from_entities(&state.entities))))
    }
}

fn payload(envelope: &Envelope<Trainer>) -> String {
    envelope.payload().to_string().chars().take(PAYLOAD_CHARS_MAX).collect()
}

fn side(envelope: &Envelope<Trainer>, wall: Wall) -> Side {
    Side {
        device: envelope.id.device.0,
        number: envelope.id.device_seq,
        at: Some(wall.stamped(envelope.hlc)),
        actor: envelope.actor.to_string(),
        payload: payload(envelope),
    }
}
