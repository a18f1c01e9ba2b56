//! What the session decided is carried out: commands to the engine, events to the bus, and takes that change between
//! the two.

use super::{SWITCH_WAIT, Worker};
use crate::bus::{Publish, PublishError};
use crate::components::session::Effect;
use crate::model::{Event, TakeId, recorder_entity};
use crate::time::{Micros, Stamp};

impl Worker {
    /// Whether there was anything to carry out.
    pub(super) fn carry_out(&mut self) -> bool {
        let effects = self.session.take_effects();
        let any = !effects.is_empty();
        for effect in effects {
            match effect {
                Effect::Engine(command) => self.engine.send(command),
                Effect::Publish(take, event, at) => {
                    let publish = Publish::new(take.entity(), event).actor("session");
                    self.bus.publish(match at {
                        Some(at) => publish.stamp(Stamp::at(at)),
                        None => publish,
                    });
                }
                Effect::Settle(settling) => self.settle(*settling),
                Effect::Switch { from, events, at } => {
                    if !self.switch(events, at) {
                        self.session.switch_failed(from);
                        break;
                    }
                }
            }
        }
        for effect in self.session.take_effects() {
            if let Effect::Engine(command) = effect {
                self.engine.send(command);
            }
        }
        any
    }

    /// A change of takes must be applied before the engine goes on: what it does next belongs to the new take.
    pub(super) fn switch(&mut self, events: Vec<(TakeId, Event)>, at: Micros) -> bool {
        let publish = |(take, event): (TakeId, Event)| {
            let entity = match event {
                Event::RecorderPointed(_) => recorder_entity(),
                _ => take.entity(),
            };
            Publish::new(entity, event).actor("session").stamp(Stamp::at(at))
        };
        let mut ticket = self.bus.transact(events.into_iter().map(publish).collect());
        match ticket.applied_within(SWITCH_WAIT) {
            // What only takes its time is applied all the same.
            Ok(_) | Err(PublishError::TimedOut) => true,
            Err(error) => {
                self.notice(true, format!("this cannot be practised now: {error}"));
                false
            }
        }
    }
}
