//! The session on a tempo ladder: after each pass the next one begins at its own tempo, until the goal is reached or
//! nobody plays.

use super::{AFTERMATH, Fresh, Session};
use crate::audio::Command;
use crate::components::judging::PassOver;
use crate::model::{TakeEnd, TransportChange};
use crate::practice::ladder::Climb;
use crate::practice::scaled_to_speed;
use crate::time::{Micros, Rate, Stamp, Ticks};

/// From the moment when a pass is over until the engine has begun the next one, at most, on a machine at work.
const TURN: Micros = Micros::from_millis(100);

impl Session {
    /// Whether the ladder has changed the tempo since this was last asked: then it has to be kept.
    pub fn take_climbed(&mut self) -> bool {
        std::mem::take(&mut self.climbed)
    }

    /// The music may have come to the end of a pass; late notes still have their time.
    pub(super) fn pass_ends(&mut self, change: TransportChange, stamp: Option<&Stamp>, rate: Rate, now: Micros) {
        let end = self.range().1;
        let at_end = match change {
            TransportChange::Ended => true,
            TransportChange::Waits { tick } => tick >= end,
            _ => false,
        };
        if let Some(running) = self.running.as_mut().filter(|_| at_end) {
            running.ends_at = Some(now + scaled_to_speed(AFTERMATH, self.settings.tempo));
            self.engine(Command::Stop);
            self.goes_on_at = stamp.and_then(|stamp| Some(stamp.frame? + rate.frames(self.rest())));
        }
    }

    /// From the end of a pass to the next: whole beats, in which the last late notes have their time.
    fn rest(&self) -> Micros {
        let Some(stand) = &self.stand else { return Micros::ZERO };
        let (score, speed, end) = (&stand.score, self.settings.tempo, self.range().1);
        let bars = score.bars();
        let beat = bars.get(bars.index_at(Ticks(end.0 - 1))).meter.beat_ticks(score.resolution());
        let time = |tick: i64| score.tempo().micros(Ticks(tick), speed);
        let beat = (time(end.0) - time(end.0 - beat)).0.max(1);
        let least = scaled_to_speed(AFTERMATH, speed) + TURN;
        Micros((least.0 as u64).div_ceil(beat as u64) as i64 * beat)
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
        let Some(running) = &self.running else { return };
        if let Some(speed) = running.judge.ladder().map(|ladder| ladder.speed()).filter(|s| *s != self.settings.tempo) {
            self.settings.tempo = speed;
            self.climbed = true;
        }
        let from = self.range().0;
        self.configure();
        self.engine(Command::Seek(from));
        self.view.begins = from;
        self.engine(Command::Hold(self.stop_at()));
        let count_in = self.settings.count_in_bars;
        let at = self.goes_on_at.take();
        self.engine(at.map_or(Command::Play { count_in }, |frame| Command::PlayAt { count_in, frame }));
        self.playing = true;
        self.next.follow(TransportChange::Stopped, Micros::ZERO);
        self.view.wrong = None;
        self.show_needed();
    }
}
