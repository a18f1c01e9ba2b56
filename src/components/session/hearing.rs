//! What the program sounds for the person: hands that are heard, keys that their keyboard lacks, and notes that they
//! missed.
//!
//! A note that is *heard only when missed* sounds on the accompaniment's instrument, as long as it is written. In *Keep
//! tempo* and *Rhythm only* it does so as soon as it is later than on time, by the preset's window: late enough that it
//! never sounds with a note played in time, and soon enough to be of use; whoever plays it after all plays late.
//! In *Wait for me* it sounds when a wrong key counts for it, and in *Follow me* when the person has gone past it.

use super::Session;
use crate::audio::Command;
use crate::components::judging::Judged;
use crate::music::{Hand, Hands, NoteId, Score};
use crate::practice::{Heard, Mode, PracticeSettings, VerdictKind};
use crate::time::{Micros, Ticks};

/// A missed note is held for no longer, however long it is written.
const PROMPT_MAX: Micros = Micros::from_millis(2_000);
/// And no shorter: it must be heard as a note.
const PROMPT_MIN: Micros = Micros::from_millis(150);

/// The hands for which the program plays the keys that the keyboard lacks: those that the person plays, where the keys
/// matter.
pub(super) fn filled(settings: &PracticeSettings) -> Hands {
    let keys_matter = settings.mode.is_judged() && settings.mode != Mode::Rhythm;
    if keys_matter { settings.practise } else { Hands::NONE }
}

/// Whether the program sounds anything in `[from, to)`.
pub(super) fn sounds_between(score: &Score, settings: &PracticeSettings, from: Ticks, to: Ticks) -> bool {
    let (always, filled) = (settings.sounded(Heard::Always), filled(settings));
    let first = score.notes().partition_point(|note| note.onset < from);
    score.notes()[first..].iter().take_while(|note| note.onset < to).any(|note| {
        let lacks = filled.contains(note.hand) && !settings.keyboard.contains(note.pitch);
        note.hand == Hand::Neither || always.contains(note.hand) || lacks
    })
}

impl Session {
    /// *Keep tempo*, *Rhythm only*: sounds what should have been played by then; everything up to `told` has been told of.
    pub(super) fn prompt_overdue(&mut self, told: Micros) {
        if self.settings.sounded(Heard::WhenMissed) == Hands::NONE {
            return;
        }
        let Some(running) = &mut self.running else { return };
        let overdue = running.judge.overdue(running.changes.front().map_or(told, |change| told.min(*change)));
        overdue.into_iter().for_each(|id| self.prompt(id));
    }

    /// *Wait for me*, *Follow me*: sounds what the person has gone past.
    pub(super) fn prompt_missed(&mut self, judged: &Judged) {
        if self.settings.sounded(Heard::WhenMissed) == Hands::NONE {
            return;
        }
        let found = match self.settings.mode {
            Mode::Wait => &judged.verdicts,
            Mode::Follow => &judged.impressions,
            Mode::Tempo | Mode::Rhythm | Mode::Listen => return,
        };
        let missed = found.iter().filter(|verdict| verdict.kind == VerdictKind::Missed);
        let missed: Vec<NoteId> = missed.filter_map(|verdict| verdict.written).collect();
        missed.into_iter().for_each(|id| self.prompt(id));
    }

    /// Sounds a note that was missed, if its hand is heard then.
    fn prompt(&mut self, id: NoteId) {
        let Some(stand) = &self.stand else { return };
        let (note, speed) = (*stand.score.note(id), self.settings.tempo);
        if self.settings.heard(note.hand) != Heard::WhenMissed {
            return;
        }
        let map = stand.score.tempo();
        let length = map.micros(note.end, speed) - map.micros(note.onset, speed);
        let hold = length.max(PROMPT_MIN).min(PROMPT_MAX);
        self.engine(Command::Prompt { pitch: note.pitch, velocity: note.velocity, hold });
    }
}
