//! What the library shows of pieces that were opened in an earlier run: their scores are read once, on a thread of
//! their own, and not kept.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, bounded};

use crate::bus::BusHandle;
use crate::components::library::Library;
use crate::model::{PieceId, Trainer};

use super::rows::{Facts, Rows};

/// Answers that wait for the window at most; the thread waits then.
const WAITING: usize = 16;

/// See the module.
#[derive(Default)]
pub(super) struct Acquaintance {
    /// Pieces that were asked for, read or not.
    asked: HashSet<PieceId>,
    learnt: Option<Receiver<(PieceId, Facts)>>,
    stopped: Arc<AtomicBool>,
}

impl Acquaintance {
    /// Takes in what was learnt, and begins to read what is not known yet; `wake` is called with each piece. One that
    /// cannot be read is not tried again: opening it says why.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn poll(
        &mut self,
        rows: &mut Rows,
        bus: &BusHandle<Trainer>,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<()> {
        if let Some(learnt) = &self.learnt {
            learnt.try_iter().for_each(|(id, facts)| rows.take_in(id, facts));
            // The thread lets go of its end when it is done.
            if !(learnt.is_empty() && Arc::strong_count(&self.stopped) == 1) {
                return Ok(());
            }
            self.learnt = None;
        }
        let unknown: Vec<PieceId> = rows.unknown().filter(|id| !self.asked.contains(id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.asked.extend(unknown.iter().cloned());
        let (learn, learnt) = bounded(WAITING);
        let (bus, stopped) = (bus.clone(), Arc::clone(&self.stopped));
        std::thread::Builder::new().name("library".to_owned()).spawn(move || {
            for id in unknown {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let Ok(score) = Library::default().score(&bus.snapshot(), &id) else { continue };
                if learn.send((id, Facts::of(&score))).is_err() {
                    return;
                }
                wake();
            }
        })?;
        self.learnt = Some(learnt);
        Ok(())
    }
}

impl Drop for Acquaintance {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}
