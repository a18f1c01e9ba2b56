//! Questions to the log, answered by a thread of their own: the window never waits for the disk.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::bus::fold::{self, Folded, Versioned};
use crate::bus::inspect::EventView;
use crate::bus::json;
use crate::bus::{BusHandle, DeviceId, EntityKey, Envelope, EventId, Model, Publish, State, Strategy, load, rows};
use crate::model::{Entity, Event, Met, Trainer, conflicts_entity};
use crate::ui::view::{ConflictRow, EntityRow, EventDetail, EventLink, HistoryRow, LocalTime, Side};

use super::changes::changes;
use super::pages::{PAGE, Page, Toward, Wanted};
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
/// Events that one search for a page looks at; what is rarer takes several.
const SEARCHED_MAX: u64 = 16_384;
/// Steps of a chain of causes that are shown.
const CAUSES_MAX: usize = 16;
/// Events after one among which those that it caused are looked for, and how many of them are shown.
const EFFECTS_READ: usize = 4_096;
const EFFECTS_MAX: usize = 16;

/// What the window wants to know, or to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// The last conflicts, with both sides.
    Conflicts(Wall),
    /// How an entity came to be what it is.
    History(EntityKey, Wall),
    /// Everything as it was after an event.
    At(u64, Wall),
    /// A page of the event table.
    Page(Wanted),
    /// Everything about an event.
    Event(u64, Wall),
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
    /// What fits.
    Page(Page),
    /// Which event, and everything about it.
    Event(Box<EventDetail>),
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
            Question::Page(wanted) => self.page(wanted).map(Answer::Page),
            Question::Event(seq, wall) => self.event(seq, wall).map(|detail| Answer::Event(Box::new(detail))),
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
                    value: shown(key, after.value.as_ref()),
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
        let reader = &**self.bus.reader();
        let compacted = rows::compacted(reader).map_err(|e| e.to_string())?;
        if seq < compacted {
            return Err(format!(
                "how things were before event {compacted} is no longer known: settings of then are gone"
            ));
        }
        let kept = reader.snapshots().map_err(|e| e.to_string())?.into_iter().rfind(|kept| *kept <= seq);
        if let Some(kept) = kept.filter(|kept| *kept > state.end.seq) {
            state = load::at_snapshot(reader, kept).map_err(|e| e.to_string())?;
        }
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

    /// Searches the log from an event on, until a page is full, the log ends, or it has looked at enough.
    fn page(&self, wanted: Wanted) -> Result<Page, String> {
        let mut page = Page { reached: wanted.from, rows: Vec::new(), wanted };
        let (mut next, mut left) = (page.wanted.from, SEARCHED_MAX);
        while left > 0 && page.rows.len() < PAGE {
            self.go_on()?;
            let max = (READ as u64).min(left).min(PAGE as u64);
            let older = page.wanted.toward == Toward::Older;
            let first = if older { next.saturating_sub(max - 1).max(1) } else { next };
            let max = if older { next + 1 - first } else { max };
            let mut events = self.bus.events(first, max as usize).map_err(|e| e.to_string())?;
            if events.is_empty() {
                break;
            }
            if older {
                events.reverse();
            }
            for event in events {
                page.reached = event.seq;
                if page.wanted.search.fits(&event) {
                    page.rows.push(Arc::new(event));
                    if page.rows.len() == PAGE {
                        break;
                    }
                }
            }
            left -= max;
            next = match (older, page.reached) {
                (true, 1) => break,
                (true, reached) => reached - 1,
                (false, reached) => reached + 1,
            };
        }
        Ok(page)
    }

    fn event(&self, seq: u64, wall: Wall) -> Result<EventDetail, String> {
        let event = self.one(seq)?.ok_or("that event is not in the log")?;
        let (before, after) = self.around(&event)?;
        let json = |at: Option<&Versioned<Trainer>>| {
            let value = at.and_then(|at| at.value.as_ref())?;
            Some(json::from_payload(&Trainer::encode_entity(&event.entity, value)))
        };
        let changes = changes(json(before.as_ref()).as_ref(), json(Some(&after)).as_ref());
        let (causes, root_found) = self.causes(&event)?;
        let effects = self.effects(&event)?;
        let at = wall.stamped(event.hlc);
        Ok(EventDetail { seq, event: Arc::new(event), at, changes, causes, root_found, effects })
    }

    fn one(&self, seq: u64) -> Result<Option<Envelope<Trainer>>, String> {
        Ok(self.bus.events(seq, 1).map_err(|e| e.to_string())?.pop().filter(|event| event.seq == seq))
    }

    /// The event's entity before it and after it.
    fn around(&self, event: &Envelope<Trainer>) -> Result<(Option<Versioned<Trainer>>, Versioned<Trainer>), String> {
        // A state that the time machine has made already spares the way to it.
        let before = self.states.partition_point(|state| state.end.seq < event.seq);
        let known = before.checked_sub(1).and_then(|at| self.states[at].entities.get(&event.entity));
        let mut value = known.map(|known| Versioned::clone(known));
        let mut next = value.as_ref().map_or(1, |value| value.version + 1);
        while next < event.version {
            self.go_on()?;
            let max = ((event.version - next) as usize).min(READ);
            let events = self.bus.entity_events(&event.entity, next, max).map_err(|e| e.to_string())?;
            let Some(last) = events.last() else { return Err("the log has a gap".to_owned()) };
            next = last.version + 1;
            for event in &events {
                value = Some(fold::apply(event, value.as_ref()));
            }
        }
        let after = fold::apply(event, value.as_ref());
        Ok((value, after))
    }

    /// What led to an event, nearest first, and whether the first link of the chain is among it.
    fn causes(&self, event: &Envelope<Trainer>) -> Result<(Vec<EventLink>, bool), String> {
        let mut links = Vec::new();
        let (mut cause, mut below) = (event.cause, event.seq);
        if let Some(played) = judged_by(event) {
            let events = self.bus.entity_events(&event.entity, played, 1).map_err(|e| e.to_string())?;
            let Some(found) = events.first().filter(|found| found.version == played) else { return Ok((links, false)) };
            links.push(link(found));
            (cause, below) = (found.cause, found.seq);
        }
        while let Some(id) = cause {
            if links.len() == CAUSES_MAX {
                return Ok((links, false));
            }
            let Some(found) = self.find(id, below)? else { return Ok((links, false)) };
            links.push(link(&found));
            (cause, below) = (found.cause, found.seq);
        }
        Ok((links, true))
    }

    /// The event of that name before `below`. A machine's events stand in the log in the order of their numbers, none
    /// of them before the place of its number.
    fn find(&self, id: EventId, below: u64) -> Result<Option<Envelope<Trainer>>, String> {
        let (mut low, mut high) = (id.device_seq.max(1), below);
        while low < high {
            let middle = if id.device == self.bus.device() && low == id.device_seq { low } else { low.midpoint(high) };
            match self.first_of(id.device, middle, high)? {
                Some(event) if event.id == id => return Ok(Some(event)),
                Some(event) if event.id.device_seq < id.device_seq => low = event.seq + 1,
                Some(_) | None => high = middle,
            }
        }
        Ok(None)
    }

    /// A machine's first event in `from..to`.
    fn first_of(&self, device: DeviceId, mut from: u64, to: u64) -> Result<Option<Envelope<Trainer>>, String> {
        let mut max = 1;
        while from < to {
            self.go_on()?;
            let events = self.bus.events(from, max).map_err(|e| e.to_string())?;
            let Some(last) = events.last().map(|last| last.seq) else { break };
            if let Some(event) = events.into_iter().find(|event| event.id.device == device) {
                return Ok((event.seq < to).then_some(event));
            }
            (from, max) = (last + 1, READ);
        }
        Ok(None)
    }

    /// What an event led to, among those that soon followed it.
    fn effects(&self, event: &Envelope<Trainer>) -> Result<Vec<EventLink>, String> {
        let after = self.bus.events(event.seq + 1, EFFECTS_READ).map_err(|e| e.to_string())?;
        let judges =
            |after: &Envelope<Trainer>| after.entity == event.entity && judged_by(after) == Some(event.version);
        let follows = after.iter().filter(|after| after.cause == Some(event.id) || judges(after));
        Ok(follows.take(EFFECTS_MAX).map(link).collect())
    }
}

/// A verdict names the key-down that it is about, by the version of its take.
fn judged_by(event: &Envelope<Trainer>) -> Option<u64> {
    match event.event() {
        Some(Event::VerdictGiven(verdict)) => verdict.played.map(|played| played.0),
        _ => None,
    }
}

fn link(event: &Envelope<Trainer>) -> EventLink {
    let text = |text: &str| text.to_owned();
    EventLink {
        seq: event.seq,
        topic: text(&event.topic),
        entity: text(event.entity.as_str()),
        actor: text(&event.actor),
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
