//! What the program has written down: its durable log, read while it works.

use std::path::Path;

use music_trainer::bus::Envelope;
use music_trainer::bus::storage::StorageReader;
use music_trainer::model::{Event, Setting, TakeEnd, TakeId, Trainer};
use music_trainer::practice::{Mode, Verdict};
use music_trainer::store::{self, LmdbReader};
use music_trainer::time::Micros;

/// Everything is read at once: a test writes some thousands of events.
const EVENTS: usize = 1_000_000;

/// A reader beside the program.
pub(crate) struct Memory(LmdbReader);

impl Memory {
    pub(crate) fn open(data: &Path) -> Self {
        Self(store::open_read_only(data).expect("a data folder"))
    }

    fn events(&self) -> Vec<Envelope<Trainer>> {
        let stored = self.0.events(1, EVENTS).expect("a readable log");
        stored.into_iter().map(Envelope::from_stored).collect()
    }

    /// The newest take of the piece in a mode.
    pub(crate) fn newest_take(&self, mode: Mode) -> Option<TakeId> {
        let begun = |e: &Envelope<Trainer>| match e.event() {
            Some(Event::TakeStarted(start)) if start.practice.is_some_and(|p| p.mode == mode) => {
                TakeId::parse(e.entity.id())
            }
            _ => None,
        };
        self.events().iter().rev().find_map(begun)
    }

    fn of_take(&self, take: TakeId) -> Vec<Envelope<Trainer>> {
        let entity = take.entity();
        let stored = self.0.entity_events(entity.as_str(), 1, EVENTS).expect("a readable log");
        stored.into_iter().map(Envelope::from_stored).collect()
    }

    /// Verdicts of a take, in order.
    pub(crate) fn verdicts(&self, take: TakeId) -> Vec<Verdict> {
        let verdict = |e: &Envelope<Trainer>| match e.event() {
            Some(Event::VerdictGiven(verdict)) => Some(*verdict),
            _ => None,
        };
        self.of_take(take).iter().filter_map(verdict).collect()
    }

    /// Key-downs of a take.
    pub(crate) fn notes(&self, take: TakeId) -> usize {
        let on = |e: &&Envelope<Trainer>| matches!(e.event(), Some(Event::NotePlayed(p)) if p.note_on().is_some());
        self.of_take(take).iter().filter(on).count()
    }

    /// How a take ended, once it has.
    pub(crate) fn end(&self, take: TakeId) -> Option<TakeEnd> {
        self.of_take(take).iter().find_map(|e| match e.event() {
            Some(Event::TakeEnded(end)) => Some(*end),
            _ => None,
        })
    }

    /// How much later than the music the keys of a take are taken to be stamped.
    pub(crate) fn latency(&self, take: TakeId) -> Micros {
        let start = |e: &Envelope<Trainer>| match e.event() {
            Some(Event::TakeStarted(start)) => Some(start.latency),
            _ => None,
        };
        self.of_take(take).iter().find_map(start).expect("the take began")
    }

    /// Whether a setting was chosen.
    pub(crate) fn chose(&self, setting: &Setting) -> bool {
        self.events().iter().any(|e| matches!(e.event(), Some(Event::SettingChanged(s)) if s == setting))
    }
}
