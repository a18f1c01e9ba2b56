//! Erasure: when something is deleted for ever, what it consisted of goes from the log. A durable subscriber, so that
//! what a kill left half erased is erased at the next start.

use crate::bus::{Component, Context, Delivery, Filter, Outcome};
use crate::model::Trainer;
use crate::time::Micros;

/// Erases what is deleted for ever.
pub struct Eraser;

impl Component<Trainer> for Eraser {
    fn name(&self) -> &'static str {
        "eraser"
    }

    fn filter(&self) -> Filter {
        Filter::topic("entity.erased")
    }

    fn handle(&mut self, delivery: &Delivery<Trainer>, context: &Context<Trainer>) -> Outcome<Trainer> {
        let envelope = &delivery.envelope;
        // The event itself stays: it says that there was something, and when it went.
        match context.bus().erase(&envelope.entity, 1..envelope.version) {
            Ok(_) => Outcome::done(),
            Err(error) => Outcome::Nak { delay: Micros::ZERO, reason: error.to_string() },
        }
    }
}
