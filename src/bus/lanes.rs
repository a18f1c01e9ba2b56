//! The bus thread's side of the lanes: polls them and turns their items into events.

use std::panic::{AssertUnwindSafe, catch_unwind};

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
    /// Whether it has ended and everything of it was taken.
    fn is_closed(&self) -> bool;
    /// For the inspector.
    fn report(&self) -> LaneReport;
}

pub(super) struct TranslatedLane<M, L> {
    name: String,
    consumer: EssentialConsumer<L>,
    translate: Box<dyn Translate<M, L>>,
    gaps: u64,
    panics: u64,
}

/// Whether it did not panic. What it had appended until then is taken back.
fn try_translate<M: Model, L>(
    translate: &mut dyn Translate<M, L>,
    item: LaneItem<L>,
    state: &dyn Look<M>,
    out: &mut Vec<Publish<M>>,
) -> bool {
    let before = out.len();
    let done = catch_unwind(AssertUnwindSafe(|| translate.translate(item, state, out))).is_ok();
    if !done {
        out.truncate(before);
    }
    done
}

impl<M: Model, L: Copy + Send> TranslatedLane<M, L> {
    pub(super) fn new(name: &str, consumer: EssentialConsumer<L>, translate: Box<dyn Translate<M, L>>) -> Self {
        Self { name: name.to_owned(), consumer, translate, gaps: 0, panics: 0 }
    }
}

impl<M: Model, L: Copy + Send> Lane<M> for TranslatedLane<M, L> {
    fn poll(&mut self, max: usize, state: &dyn Look<M>, out: &mut Vec<Publish<M>>) -> usize {
        if self.consumer.is_closed() {
            return 0;
        }
        let (translate, gaps, panics) = (&mut *self.translate, &mut self.gaps, &mut self.panics);
        self.consumer.drain(max, |item| {
            *gaps += u64::from(matches!(item, LaneItem::Gap { .. }));
            if try_translate(translate, item, state, out) {
                return;
            }
            *panics += 1;
            // What it cannot make anything of is a loss like any other: told, and no reason to stop.
            if let LaneItem::Event { stamp, .. } = item {
                let gap = LaneItem::Gap { lost: 1, from: stamp, to: stamp };
                *panics += u64::from(!try_translate(translate, gap, state, out));
            }
        })
    }

    fn is_closed(&self) -> bool {
        self.consumer.is_closed()
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
            panics: self.panics,
            rate: None,
            closed: lane.is_closed(),
        }
    }
}
