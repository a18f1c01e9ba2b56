//! Components: a thread each with a durable subscription, whose panics are caught, counted and survived.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::answer::PublishError;
use super::delivery::{Delivery, DurableSubscription, Outcome, PrivateRows, Progress, Start, private_rows};
use super::filter::Filter;
use super::handle::{BusHandle, Command};
use super::model::Model;
use super::snapshot::Snapshot;
use super::start::StartError;
use super::storage::StorageError;
use super::supervision::{Panicked, Supervisor};
use crate::time::Micros;

/// Receiving ends with the bus, so this only bounds one wait; at rest a component costs nothing.
const WAIT: Duration = Duration::from_secs(600);

/// A part of the program that follows events. It keeps what it must not forget only through its acknowledgements.
pub trait Component<M: Model>: Send + 'static {
    /// Its durable name; a second component of the same name takes the first one's place.
    fn name(&self) -> &'static str;
    /// What it wants.
    fn filter(&self) -> Filter;
    /// Where it begins the first time.
    fn start(&self) -> Start {
        Start::Beginning
    }
    /// Handles one event; another one of the same entity only comes when this one is settled.
    fn handle(&mut self, delivery: &Delivery<M>, context: &Context<M>) -> Outcome<M>;
    /// Makes its local state anew after a panic left it half changed.
    fn recover(&mut self, _context: &Context<M>) {}
}

/// What a component may reach while it handles.
pub struct Context<M: Model> {
    bus: BusHandle<M>,
    name: &'static str,
    progress: Progress<M>,
}

impl<M: Model> Context<M> {
    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot<M>> {
        self.bus.snapshot()
    }

    /// The bus. What must happen exactly once belongs into the outcome instead.
    pub fn bus(&self) -> &BusHandle<M> {
        &self.bus
    }

    /// The monotonic time.
    pub fn now(&self) -> Micros {
        self.bus.clock().now()
    }

    /// Starts the time to acknowledge anew, for long work.
    pub fn in_progress(&self, delivery: &Delivery<M>) {
        self.progress.tell(delivery);
    }

    /// The component's private rows whose key begins with `prefix`, as of the last commit.
    pub fn private(&self, prefix: &[u8]) -> Result<PrivateRows, StorageError> {
        private_rows(&self.bus, self.name, prefix)
    }
}

/// Starts a component's thread; it ends when the bus stops, or when the component is parked.
pub(super) fn run<M: Model>(
    bus: &BusHandle<M>,
    mut component: Box<dyn Component<M>>,
) -> Result<JoinHandle<()>, StartError> {
    let name = component.name();
    let subscription = bus.subscribe_durable(name, component.filter(), component.start());
    // The thread holds no handle that keeps the bus alive but through the subscription, which ends with the bus.
    let context = Context { bus: bus.clone(), name, progress: subscription.progress() };
    Builder::new()
        .name(name.to_owned())
        .spawn(move || serve(&mut *component, &subscription, &context))
        .map_err(|error| StartError::Thread(error.to_string()))
}

fn serve<M: Model>(component: &mut dyn Component<M>, subscription: &DurableSubscription<M>, context: &Context<M>) {
    let mut supervisor = Supervisor::default();
    while let Ok(received) = subscription.recv(WAIT) {
        let Some(delivery) = received else { continue };
        let handle = || component.handle(&delivery, context);
        match supervisor.run(context.now(), delivery.envelope.seq, handle) {
            Ok(outcome) => settle(subscription, &delivery, outcome),
            Err(Panicked { reason, park, wait }) => {
                context.bus.send(Command::Panicked { name: Arc::from(context.name) }).ok();
                let reason = format!("panicked: {reason}");
                subscription.settle(&delivery, Outcome::Nak { delay: Micros::ZERO, reason });
                if park {
                    context.bus.send(Command::Park { name: Arc::from(context.name) }).ok();
                    return;
                }
                // A `recover` that panics too leaves the component as it is; its next event shows it again.
                catch_unwind(AssertUnwindSafe(|| component.recover(context))).ok();
                crossbeam_channel::after(wait).recv().ok();
            }
        }
    }
}

/// A refused outcome is a failure of the event; one that comes too late is not this delivery's affair any more.
fn settle<M: Model>(subscription: &DurableSubscription<M>, delivery: &Delivery<M>, outcome: Outcome<M>) {
    let follows = matches!(&outcome, Outcome::Ack { publish, put } if !publish.is_empty() || !put.is_empty());
    let mut ticket = subscription.settle(delivery, outcome);
    if !follows {
        return;
    }
    match ticket.applied() {
        Ok(_) | Err(PublishError::Superseded | PublishError::Closed) => {}
        Err(error) => {
            let reason = format!("what follows was refused: {error}");
            subscription.settle(delivery, Outcome::Nak { delay: Micros::ZERO, reason });
        }
    }
}
