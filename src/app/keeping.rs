//! "Keep the last five minutes", on a thread of its own: it reads the log and waits for the disk.

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::bus::BusHandle;
use crate::components::keeper::{self, KeepError, Kept, Wanted};
use crate::model::Trainer;
use crate::ui::text;

use super::rows::Wall;

/// What is being kept, one at a time.
#[derive(Debug, Default)]
pub(super) struct Keeping(Option<Receiver<Result<Kept, KeepError>>>);

impl Keeping {
    /// Begins; `wake` is called when it is done. What is wanted while it goes on is what goes on.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn begin(
        &mut self,
        bus: BusHandle<Trainer>,
        wanted: Wanted,
        wall: Wall,
        wake: impl FnOnce() + Send + 'static,
    ) -> Result<(), String> {
        if self.0.is_some() {
            return Ok(());
        }
        let (done, outcome) = bounded(1);
        let work = move || {
            let name = |kept: &Kept| text::kept_name(wall.local(kept.first), wall.local(kept.last));
            // The window may be gone; what was kept is kept.
            let _ = done.send(keeper::keep(&bus, wanted, name));
            wake();
        };
        let thread = std::thread::Builder::new().name("keep".to_owned()).spawn(work);
        thread.map_err(|error| format!("what was played cannot be kept: {error}"))?;
        self.0 = Some(outcome);
        Ok(())
    }

    /// What became of it, once.
    pub(super) fn poll(&mut self) -> Option<Result<Kept, String>> {
        let outcome = match self.0.as_ref()?.try_recv() {
            Ok(outcome) => outcome.map_err(|error| error.to_string()),
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err("nothing was kept: the program failed at it".to_owned()),
        };
        self.0 = None;
        Some(outcome)
    }
}
