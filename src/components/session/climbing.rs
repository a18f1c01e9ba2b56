//! The session on a tempo ladder: after each pass the next one begins at its own tempo, until the goal is reached or
//! nobody plays.

use super::{AFTERMATH, Fresh, Session, first_onset};
use crate::audio::Command;
use crate::components::judging::PassOver;
use crate::model::{TakeEnd, TransportChange};
use crate::practice::ladder::Climb;
use crate::practice::scaled_to_speed;
use crate::time::Micros;

impl Session {
    /// Whether the ladder has changed the tempo since this was last asked: then it has to be kept.
    pub fn take_climbed(&mut self) -> bool {
        std::mem::take(&mut self.climbed)
    }

    /// The music may have come to the end of a pass; late notes still have their time.
    pub(super) fn pass_ends(&mut self, change: TransportChange, now: Micros) {
        let end = self.range().1;
        let at_end = match change {
            TransportChange::Ended => true,
            TransportChange::Waits { tick } => tick >= end,
            _ => false,
        };
        let Some(running) = &mut self.running else { return };
        if at_end && !running.judge.waits() {
            running.ends_at = Some(now + scaled_to_speed(AFTERMATH, self.settings.tempo));
        }
        if at_end {
            self.engine(Command::Stop);
        }
    }

    /// Late notes have had their time.
    pub(super) fn pass_or_take_over(&mut self, now: Micros, ids: &mut dyn FnMut() -> Fresh) {
        let Some(running) = self.running.as_mut().filter(|running| running.judge.ladder().is_some()) else {
            return self.end_take(TakeEnd::Completed, ids);
        };
        running.ends_at = None;
        let judged = running.judge.close_pass();
        self.follow(judged, now, ids);
    }

    /// How a pass went is known: on to the next.
    pub(super) fn pass_over(&mut self, over: PassOver, ids: &mut dyn FnMut() -> Fresh) {
        match over {
            PassOver::Silent => self.stop(ids),
            PassOver::Judged(rung) if rung.climb == Climb::Done => {
                self.playing = false;
                self.end_take(TakeEnd::Completed, ids);
            }
            PassOver::Judged(_) | PassOver::Partial => self.next_pass(),
        }
    }

    fn next_pass(&mut self) {
        let (Some(running), Some(stand)) = (&self.running, self.stand.clone()) else { return };
        let waits = running.judge.waits();
        if let Some(speed) = running.judge.ladder().map(|ladder| ladder.speed()).filter(|s| *s != self.settings.tempo) {
            self.settings.tempo = speed;
            self.climbed = true;
        }
        let from = self.range().0;
        self.configure();
        self.engine(Command::Seek(from));
        let first = waits.then(|| first_onset(&stand.score, &self.settings, from)).flatten();
        self.engine(Command::Hold(first.or(self.stop_at())));
        let count_in = if waits { 0 } else { self.settings.count_in_bars };
        self.engine(Command::Play { count_in });
        self.playing = true;
        self.next.follow(TransportChange::Stopped, Micros::ZERO);
        self.view.wrong = None;
        self.show_needed();
    }
}
