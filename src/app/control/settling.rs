//! Takes that have ended and are judged as a whole, each on a thread of its own: the control thread goes on, and the next
//! take may begin at once. What is not finished when the program ends is judged from the log at the next start.

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::Worker;
use crate::bus::{BusHandle, Publish};
use crate::components::session::{Settled, Settling};
use crate::model::Trainer;

/// Takes that are being judged, in the order in which they ended.
#[derive(Default)]
pub(super) struct Settlers(Vec<Receiver<Settled>>);

impl Settlers {
    /// Whether there are any.
    pub(super) fn are_busy(&self) -> bool {
        !self.0.is_empty()
    }

    /// What is judged since last asked.
    fn poll(&mut self) -> Vec<Settled> {
        let mut done = Vec::new();
        self.0.retain(|one| match one.try_recv() {
            Ok(settled) => {
                done.push(settled);
                false
            }
            // One that panicked leaves the take to the log.
            Err(error) => error == TryRecvError::Empty,
        });
        done
    }
}

impl Worker {
    /// Begins to judge a take that has ended.
    pub(super) fn settle(&mut self, settling: Settling) {
        match begin(self.bus.clone(), settling) {
            Ok(settled) => self.settlers.0.push(settled),
            Err(error) => {
                self.notice(true, format!("the result cannot be shown now: {error}; it is in the list of takes"))
            }
        }
    }

    /// Shows what was judged.
    pub(super) fn take_settled(&mut self) {
        for settled in self.settlers.poll() {
            self.session.settled(settled);
            self.changed = true;
        }
    }
}

fn begin(bus: BusHandle<Trainer>, settling: Settling) -> Result<Receiver<Settled>, std::io::Error> {
    let (done, settled) = bounded(1);
    let work = move || {
        let judged = settling.settle();
        for (take, event) in judged.verdicts() {
            bus.publish(Publish::new(take.entity(), event).actor("session"));
        }
        // The program may be ending.
        let _ = done.send(judged);
    };
    std::thread::Builder::new().name("settle".to_owned()).spawn(work)?;
    Ok(settled)
}
