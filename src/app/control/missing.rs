//! After a loss: what was lost of the take is read from the log on a thread of its own, and judged in its place; what else
//! was lost is seen from the state.

use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::Worker;
use crate::bus::{BusHandle, Envelope, LiveItem};
use crate::components::catch_up::{CatchUp, Wanted};
use crate::model::{TakeId, Trainer};

type Read = Result<Vec<Envelope<Trainer>>, String>;

/// What is missing, and who reads it.
#[derive(Default)]
pub(super) struct Missing {
    take: CatchUp,
    reading: Option<(Wanted, Receiver<Read>)>,
    /// So many items were waiting, and one more is to come, before it is known whether the full channel lost any.
    unsure: usize,
}

impl Missing {
    /// Whether something is known to be missing.
    pub(super) fn is_wanted(&self) -> bool {
        self.take.wanted().is_some()
    }

    /// Whether something may be missing: nothing is given up as not played then.
    pub(super) fn may_lack(&self) -> bool {
        self.unsure > 0 || self.is_wanted()
    }

    /// To be asked before each item is taken.
    pub(super) fn look(&mut self, channel: &Receiver<LiveItem<Trainer>>) {
        if channel.is_full() && channel.capacity() != Some(0) {
            self.unsure = channel.len() + 1;
        }
    }

    /// An event as it comes: given back if it is to be told now.
    pub(super) fn comes(&mut self, take: TakeId, envelope: Arc<Envelope<Trainer>>) -> Option<Arc<Envelope<Trainer>>> {
        self.unsure = self.unsure.saturating_sub(1);
        self.take.comes(take, envelope)
    }
}

impl Worker {
    /// So many events were lost on the way here.
    pub(super) fn lost(&mut self, count: u64) {
        // Keys whose release may be among them would be shown as held for ever.
        self.held = 0;
        self.missing.unsure = 0;
        if !self.missing.is_wanted() {
            let text = format!("the computer was very busy: {count} events are read again from what was recorded");
            self.notice(false, text);
        }
        self.missing.take.lost(self.session.current_take(), self.bus.snapshot().applied);
        self.calibrate();
    }

    /// Reads what is missing once it is on disk, and tells it once it is read.
    pub(super) fn fetch_missing(&mut self) {
        self.missing.take.recorded(self.session.current_take());
        let Some(wanted) = self.missing.take.wanted() else { return };
        match &self.missing.reading {
            Some((asked, read)) if *asked == wanted => match read.try_recv() {
                Ok(Ok(events)) => {
                    self.missing.reading = None;
                    for envelope in self.missing.take.read(wanted, events) {
                        self.event(&envelope);
                    }
                    self.changed = true;
                }
                Ok(Err(reason)) => self.give_up_missing(wanted, &reason),
                Err(TryRecvError::Disconnected) => self.give_up_missing(wanted, "the program failed at it"),
                Err(TryRecvError::Empty) => {}
            },
            _ if self.bus.snapshot().durable.max(self.bus.inspect().durable) >= wanted.until => {
                match begin(self.bus.clone(), wanted) {
                    Ok(read) => self.missing.reading = Some((wanted, read)),
                    Err(error) => self.give_up_missing(wanted, &error.to_string()),
                }
            }
            _ => {}
        }
    }

    /// The practice goes on without; the result is judged from the log all the same.
    fn give_up_missing(&mut self, wanted: Wanted, reason: &str) {
        self.missing.reading = None;
        self.notice(true, format!("what was played a moment ago cannot be shown: {reason}; it is kept in the take"));
        for envelope in self.missing.take.read(wanted, Vec::new()) {
            self.event(&envelope);
        }
    }
}

fn begin(bus: BusHandle<Trainer>, wanted: Wanted) -> Result<Receiver<Read>, std::io::Error> {
    let (done, read) = bounded(1);
    let work = move || {
        let events = bus.entity_events(&wanted.take.entity(), wanted.from, usize::MAX);
        // Another take may be recorded by now.
        let _ = done.send(events.map_err(|error| error.to_string()));
    };
    std::thread::Builder::new().name("catch up".to_owned()).spawn(work)?;
    Ok(read)
}
