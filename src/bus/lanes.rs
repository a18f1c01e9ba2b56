//! The bus thread's side of the lanes: polls them and turns their items into events.

use super::core::Core;
use super::envelope::Publish;
use super::fold::Versioned;
use super::inspect::{Fill, LaneReport};
use super::lane::{EssentialConsumer, LaneItem};
use super::model::Model;

/// Turns lane items into domain events. Runs on the bus thread: no waiting, bounded work.
pub trait Translate<M: Model, L>: Send {
    /// One item of the lane, with the state as it is now; appends what shall be published.
    fn translate(&mut self, item: LaneItem<L>, state: &dyn Look<M>, out: &mut Vec<Publish<M>>);
}

/// The live state, ahead of the last snapshot.
pub trait Look<M: Model> {
    /// An entity, also when it was removed.
    fn look(&self, key: &str) -> Option<&Versioned<M>>;
}

impl<M: Model, R> Look<M> for Core<M, R> {
    fn look(&self, key: &str) -> Option<&Versioned<M>> {
        self.get(key)
    }
}

/// A lane of any event type.
pub(super) trait Lane<M: Model>: Send {
    /// Takes up to `max` items and returns how many it took.
    fn poll(&mut self, max: usize, state: &dyn Look<M>, out: &mut Vec<Publish<M>>) -> usize;
    /// For the inspector.
    fn report(&self) -> LaneReport;
}

pub(super) struct TranslatedLane<M, L> {
    name: String,
    consumer: EssentialConsumer<L>,
    translate: Box<dyn Translate<M, L>>,
    gaps: u64,
}

impl<M: Model, L: Copy + Send> TranslatedLane<M, L> {
    pub(super) fn new(name: &str, consumer: EssentialConsumer<L>, translate: Box<dyn Translate<M, L>>) -> Self {
        Self { name: name.to_owned(), consumer, translate, gaps: 0 }
    }
}

impl<M: Model, L: Copy + Send> Lane<M> for TranslatedLane<M, L> {
    fn poll(&mut self, max: usize, state: &dyn Look<M>, out: &mut Vec<Publish<M>>) -> usize {
        if self.consumer.is_closed() {
            return 0;
        }
        let (translate, gaps) = (&mut self.translate, &mut self.gaps);
        self.consumer.drain(max, |item| {
            *gaps += u64::from(matches!(item, LaneItem::Gap { .. }));
            translate.translate(item, state, out);
        })
    }

    fn report(&self) -> LaneReport {
        let lane = &self.consumer;
        let fill = Fill { used: lane.fill(), capacity: lane.capacity(), high_water: lane.high_water() };
        LaneReport {
            name: self.name.clone(),
            fill,
            pushed: lane.delivered() + lane.lost() + fill.used as u64,
            delivered: lane.delivered(),
            lost: lane.lost(),
            gaps: self.gaps,
            closed: lane.is_closed(),
        }
    }
}
