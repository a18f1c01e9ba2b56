//! What the inspector shows beyond the bus's report: kept here between frames, asked of the log's [`Lookup`] when it
//! has changed and is looked at.

use std::sync::Arc;

use crate::bus::inspect::{EventView, Reached, Report};
use crate::bus::{BusHandle, EntityKey, EventId, Snapshot};
use crate::model::{Event, Trainer, conflicts_entity};
use crate::time::Micros;
use crate::ui::view::{Chosen, ConflictRow, EntityRow, EventDetail, Events, HistoryRow, Hops, LocalTime};
use crate::ui::{InspectorState, InspectorTab, Screen, State};

use super::lookup::{Answer, Lookup, Question};
use super::pages::Pages;
use super::rows::Wall;

/// The time machine.
#[derive(Default)]
struct Past {
    /// The event after which everything is to be shown.
    wanted: Option<u64>,
    /// What the log was asked for.
    asked: Option<u64>,
    /// What is shown.
    shown: Option<(u64, LocalTime, Vec<EntityRow>)>,
}

/// What the answers mean to the rest of the window.
#[derive(Default)]
pub struct Told {
    /// What could not be read.
    pub failures: Vec<String>,
    /// What was done again, and to which entity.
    pub again: Vec<(EntityKey, Event)>,
}

/// See the module.
#[derive(Default)]
pub struct Inspector {
    lookup: Option<Lookup>,
    /// The conflicts, and the version of their list that they were asked of.
    conflicts: Vec<ConflictRow>,
    conflicts_asked: u64,
    /// The entity of the history, the history, and the version that it was asked of.
    history_of: Option<EntityKey>,
    history_rows: Vec<HistoryRow>,
    history_asked: u64,
    past: Past,
    pages: Pages,
    /// The event that the person chose, the one that is shown until that is read, and what was asked of it.
    selected: Option<u64>,
    chosen: Option<Arc<dyn EventView>>,
    detail: Option<Box<EventDetail>>,
    detail_asked: Option<u64>,
    painted: Reached<Micros>,
}

impl Inspector {
    /// For a program whose log ended so when the window came.
    pub fn new(end: u64) -> Self {
        Self { painted: Reached::from(end), ..Self::default() }
    }

    /// A frame that shows events up to `applied` was drawn.
    pub fn painted(&mut self, applied: u64, at: Micros) {
        self.painted.reach(applied, at);
    }

    /// Nothing that was read is kept: a part of it was deleted for ever.
    pub fn forget(&mut self) {
        let painted = std::mem::take(&mut self.painted);
        *self = Self { painted, ..Self::default() };
    }

    /// The log is no longer needed.
    pub fn stop(&mut self) {
        self.lookup = None;
    }

    /// Shows everything as it was after an event, or as it is.
    pub fn show_at(&mut self, seq: Option<u64>) {
        self.past.wanted = seq;
        if seq.is_none() {
            self.past.shown = None;
        }
    }

    /// Shows how an entity came to be.
    pub fn show_history(&mut self, key: &str) {
        self.history_of = Some(EntityKey::new(key));
        self.history_rows.clear();
        self.history_asked = 0;
    }

    /// Does again what lost a conflict; false if too much is being asked already.
    pub fn bring_back(&self, entity: &str, id: EventId) -> bool {
        let question = Question::Again(EntityKey::new(entity), id);
        self.lookup.as_ref().is_some_and(|lookup| lookup.ask(question))
    }

    /// Takes the answers that have come, and asks the log for what is looked at and has changed.
    ///
    /// # Errors
    /// The system gives no thread to read with.
    pub fn look_up(
        &mut self,
        bus: &BusHandle<Trainer>,
        state: &State,
        wall: Wall,
        wake: impl FnOnce() -> Box<dyn Fn() + Send>,
    ) -> std::io::Result<Told> {
        let looked_at = state.screen == Screen::Inspector;
        if self.lookup.is_none() {
            if !looked_at {
                return Ok(Told::default());
            }
            self.lookup = Some(Lookup::start(bus.clone(), wake())?);
        }
        let told = self.hear();
        if looked_at {
            let snapshot = bus.snapshot();
            self.follow(&state.inspector, &bus.inspect());
            self.ask(&snapshot, &state.inspector, wall);
        }
        Ok(told)
    }

    fn hear(&mut self) -> Told {
        let mut told = Told::default();
        let Some(lookup) = &self.lookup else { return told };
        while let Some(answer) = lookup.answer() {
            match answer {
                Ok(Answer::Conflicts(rows)) => self.conflicts = rows,
                Ok(Answer::History(key, rows)) if self.history_of.as_ref() == Some(&key) => self.history_rows = rows,
                Ok(Answer::History(..)) => {}
                Ok(Answer::At(_, at, rows)) => {
                    let asked = self.past.asked.take();
                    self.past.shown = asked.filter(|_| self.past.wanted.is_some()).map(|seq| (seq, at, rows));
                }
                Ok(Answer::Page(page)) => self.pages.take(page),
                Ok(Answer::Event(detail)) if self.selected == Some(detail.seq) => {
                    self.chosen = Some(Arc::clone(&detail.event));
                    self.detail = Some(detail);
                }
                Ok(Answer::Event(_)) => {}
                Ok(Answer::Done(key, event)) => told.again.push((key, event)),
                Err(error) => {
                    // Not asked again and again for what cannot be read.
                    if self.past.asked.take().is_some() {
                        self.past = Past::default();
                    }
                    self.pages.failed();
                    told.failures.push(error);
                }
            }
        }
        told
    }

    /// The rows that are at hand without the log.
    fn follow(&mut self, state: &InspectorState, report: &Report) {
        if state.tab != InspectorTab::Flow {
            return;
        }
        self.pages.look_for(&state.filter, report.durable);
        if state.top.is_none() {
            self.pages.follow(&report.recent);
        }
        if std::mem::replace(&mut self.selected, state.selected) != state.selected {
            let mut known = report.recent.iter().chain(self.pages.rows());
            match state.selected.map(|seq| known.find(|event| event.seq() == seq)) {
                None => self.chosen = None,
                Some(Some(event)) => self.chosen = Some(Arc::clone(event)),
                // It is still to be read, and what is shown stays as long.
                Some(None) => {}
            }
            self.detail_asked = None;
        }
    }

    fn ask(&mut self, snapshot: &Snapshot<Trainer>, state: &InspectorState, wall: Wall) {
        let Some(lookup) = &self.lookup else { return };
        let version = |key: &EntityKey| snapshot.state.get(key.as_str()).map_or(0, |seen| seen.version);
        // What is not durable yet is not in the log.
        let durable = snapshot.durable == snapshot.applied;
        match state.tab {
            InspectorTab::Flow => {
                let chosen = state.selected.filter(|seq| *seq <= snapshot.durable);
                if let Some(seq) = chosen
                    && self.detail_asked != chosen
                    && lookup.ask(Question::Event(seq, wall))
                {
                    self.detail_asked = chosen;
                }
                if let Some(wanted) = self.pages.want(state.top, snapshot.durable)
                    && lookup.ask(Question::Page(wanted))
                {
                    self.pages.asked();
                }
            }
            InspectorTab::Conflicts => {
                let newest = version(&conflicts_entity());
                if durable && newest != self.conflicts_asked && lookup.ask(Question::Conflicts(wall)) {
                    self.conflicts_asked = newest;
                }
            }
            InspectorTab::Entities => {
                if let Some(key) = &self.history_of {
                    let newest = version(key);
                    let changed = newest != self.history_asked;
                    if durable && changed && lookup.ask(Question::History(key.clone(), wall)) {
                        self.history_asked = newest;
                    }
                }
            }
            _ => {}
        }
        // One question at a time: a slider that moves is answered for where it is by then.
        if let Some(seq) = self.past.wanted
            && self.past.asked.is_none()
            && self.past.shown.as_ref().is_none_or(|(shown, ..)| *shown != seq)
            && lookup.ask(Question::At(seq, wall))
        {
            self.past.asked = Some(seq);
        }
    }

    /// The event table, for a report.
    pub fn events(&self, report: &Report, wall: Wall) -> Events<'_> {
        let chosen = self.chosen.as_ref().map(|event| {
            let detail = self.detail.as_deref().filter(|detail| detail.seq == event.seq());
            Chosen { event, hops: self.hops(event.as_ref(), report), detail }
        });
        Events {
            rows: self.pages.rows(),
            low: self.pages.low(),
            end: report.applied,
            offset: wall.offset,
            searching: self.pages.is_searching(),
            chosen,
        }
    }

    fn hops(&self, event: &dyn EventView, report: &Report) -> Hops {
        let seq = event.seq();
        let round = report.trail.rounds.of(seq);
        Hops {
            // The stamps of another run are by another clock.
            played: round.and(event.header().stamp).map(|stamp| stamp.mono),
            round,
            painted: self.painted.of(seq),
            durable: report.trail.durable.of(seq),
        }
    }

    /// The entities, as they are or as they were.
    pub fn entities<'a>(&'a self, now: &'a [EntityRow]) -> &'a [EntityRow] {
        self.past.shown.as_ref().map_or(now, |(_, _, rows)| rows)
    }

    /// After which event the entities are shown, and when that was, once it is known.
    pub fn past(&self) -> Option<(u64, Option<LocalTime>)> {
        self.past.wanted.map(|seq| {
            let shown = self.past.shown.as_ref().filter(|(shown, ..)| *shown == seq);
            (seq, shown.map(|(_, at, _)| *at))
        })
    }

    /// The last conflicts, newest first.
    pub fn conflicts(&self) -> &[ConflictRow] {
        &self.conflicts
    }

    /// The entity that was asked about, and how it came to be, newest first.
    pub fn history(&self) -> Option<(&str, &[HistoryRow])> {
        self.history_of.as_ref().map(|key| (key.as_str(), &*self.history_rows))
    }
}
