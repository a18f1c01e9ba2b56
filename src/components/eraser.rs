//! Erasure: when something is deleted for ever, what it consisted of goes from the log. A durable subscriber, so that
//! what a kill or a failing disk left half erased is erased at the next start.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::bus::lab::Lab;
use crate::bus::storage::Erasure;
use crate::bus::{BusHandle, Component, Context, Delivery, Filter, LetterDecision, Outcome, StartError, rows};
use crate::model::Trainer;
use crate::time::Micros;

/// Its durable name.
const NAME: &str = "eraser";

/// Erases what is deleted for ever.
pub struct Eraser {
    /// Called after each erasure: copies may hold what is gone.
    erased: Erased,
}

/// Tells whoever keeps copies.
pub type Erased = Box<dyn Fn() -> std::io::Result<()> + Send>;

impl Eraser {
    /// Starts the component. What it gave up in an earlier run, on a disk that failed say, it tries again.
    ///
    /// # Errors
    /// The system gives no thread, or the store cannot be read.
    pub fn start(bus: &BusHandle<Trainer>, lab: &Arc<Lab>, erased: Erased) -> Result<JoinHandle<()>, StartError> {
        let letters = rows::dead_letters(&**bus.reader())?;
        let thread = bus.run(lab.component(Box::new(Self { erased })))?;
        for letter in letters.iter().filter(|letter| letter.subscriber == NAME) {
            bus.settle_letter(NAME, letter.seq, LetterDecision::Replay);
        }
        Ok(thread)
    }
}

impl Component<Trainer> for Eraser {
    fn name(&self) -> &'static str {
        NAME
    }

    fn filter(&self) -> Filter {
        Filter::topic("entity.erased")
    }

    fn handle(&mut self, delivery: &Delivery<Trainer>, context: &Context<Trainer>) -> Outcome<Trainer> {
        let envelope = &delivery.envelope;
        // The event itself stays: it says that there was something, and when it went.
        let what = Erasure::Entity { entity: envelope.entity.as_str().into(), versions: 1..envelope.version };
        let done = context.bus().erase(what).map_err(|error| error.to_string());
        match done.and_then(|_| (self.erased)().map_err(|error| error.to_string())) {
            Ok(()) => Outcome::done(),
            Err(reason) => Outcome::Nak { delay: Micros::ZERO, reason },
        }
    }
}
