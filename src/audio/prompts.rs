//! Notes that are sounded out of turn, because the person missed them: when each is to be released. A fixed number of
//! slots, for the callback.

use crate::music::Pitch;
use crate::time::Frames;

/// So many ring at once: two hands of a dense score for two seconds. What finds no slot is not sounded.
const SLOTS: usize = 32;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    slots: [Option<(Frames, Pitch)>; SLOTS],
}

impl Prompts {
    /// Takes one in; `false` where there is no room.
    pub(super) fn add(&mut self, pitch: Pitch, until: Frames) -> bool {
        let free = self.slots.iter_mut().find(|slot| slot.is_none());
        free.map(|slot| *slot = Some((until, pitch))).is_some()
    }

    /// The frame of the next release.
    pub(super) fn next_frame(&self) -> Option<Frames> {
        self.slots.iter().flatten().map(|(until, _)| *until).min()
    }

    /// One that is to be released by now.
    pub(super) fn take(&mut self, now: Frames) -> Option<Pitch> {
        let due = |slot: &&mut Option<(Frames, Pitch)>| slot.is_some_and(|(until, _)| until <= now);
        self.slots.iter_mut().find(due).and_then(Option::take).map(|(_, pitch)| pitch)
    }

    /// All are released already.
    pub(super) fn forget(&mut self) {
        self.slots = [None; SLOTS];
    }
}
