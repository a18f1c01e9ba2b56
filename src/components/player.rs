//! Plays a take inside the program: its messages go to the engine as those of one more instrument do, a little ahead of
//! their time, and are recorded nowhere. Lives on the control thread.

use std::sync::Arc;

use rtrb::{Producer, RingBuffer};

use crate::audio::instrument::Pedal;
use crate::audio::{self, Command, Engine, LiveEvent, Played};
use crate::midi::SourceId;
use crate::model::TakeId;
use crate::time::{Micros, Stamp};

/// How far ahead messages are handed over: several turns of the control thread.
const AHEAD: Micros = Micros::from_millis(100);
/// Messages under way: far more than a dense take has in that time.
const SLOTS: usize = 1_024;
/// What is held after the last message is let go so much later.
const RING_OUT: Micros = Micros::from_millis(1_500);

/// A take to be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tape {
    /// Which.
    pub take: TakeId,
    /// What is heard of it, messages by time, from its first one on.
    pub messages: Arc<[(Micros, [u8; 3])]>,
    /// From where on it is heard.
    pub from: Micros,
    /// Up to where; to its end where that is not said.
    pub until: Option<Micros>,
}

impl Tape {
    /// The first message that is heard, and how far down the pedal is before it.
    fn begin(&self) -> (usize, Option<u8>) {
        let first = self.messages.partition_point(|(at, _)| *at < self.from);
        let pedal = self.messages[..first].iter().rev().find_map(|(_, data)| match Played::from_midi(data) {
            Some(Played::Pedal(Pedal::Sustain(value))) => Some(value),
            _ => None,
        });
        (first, pedal.filter(|value| *value > 0))
    }
}

struct Playing {
    tape: Tape,
    next: usize,
    /// When the take's first message sounds.
    began: Micros,
    ring: Producer<LiveEvent>,
}

/// See the module.
#[derive(Default)]
pub struct Player(Option<Playing>);

impl Player {
    /// Begins a take; one before it is broken off.
    pub fn play(&mut self, tape: Tape, now: Micros, engine: &mut Engine) {
        self.stop(engine);
        let (mut ring, below) = RingBuffer::new(SLOTS);
        engine.add_source(audio::SourceId(SourceId::PLAYER.0), below);
        let began = now + AHEAD - tape.from;
        let (next, pedal) = tape.begin();
        if let Some(value) = pedal {
            let played = Played::Pedal(Pedal::Sustain(value));
            // The ring is empty.
            _ = ring.push(LiveEvent { stamp: Stamp::at(now), played });
        }
        self.0 = Some(Playing { tape, next, began, ring });
    }

    /// Silence; whether anything was played.
    pub fn stop(&mut self, engine: &mut Engine) -> bool {
        let played = self.0.take().is_some();
        if played {
            engine.send(Command::RemoveSource(audio::SourceId(SourceId::PLAYER.0)));
        }
        played
    }

    /// Hands over what is due soon; whether the take has ended with that.
    pub fn poll(&mut self, now: Micros, engine: &mut Engine) -> bool {
        let Some(playing) = &mut self.0 else { return false };
        let until = playing.tape.until.unwrap_or(Micros(i64::MAX / 4));
        while let Some((at, data)) = playing.tape.messages.get(playing.next).filter(|(at, _)| *at < until) {
            let due = playing.began + *at;
            if due > now + AHEAD {
                return false;
            }
            if let Some(played) = Played::from_midi(data)
                && playing.ring.push(LiveEvent { stamp: Stamp::at(due), played }).is_err()
            {
                // Nobody reads: the sound device is away. It goes on when there is room.
                return false;
            }
            playing.next += 1;
        }
        let last = playing.tape.messages.last().map_or(Micros::ZERO, |(at, _)| *at);
        // What is cut off is not left to ring.
        let end = if last < until { last + RING_OUT } else { until };
        now > playing.began + end && self.stop(engine)
    }

    /// What is played, and when its first message sounds or would have sounded.
    pub fn playing(&self) -> Option<(TakeId, Micros)> {
        self.0.as_ref().map(|playing| (playing.tape.take, playing.began))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape(from: i64) -> Tape {
        let millis = Micros::from_millis;
        let messages = vec![
            (millis(0), [0xb0, 64, 127]),
            (millis(10), [0x90, 60, 80]),
            (millis(400), [0x80, 60, 64]),
            (millis(500), [0x90, 64, 80]),
            (millis(600), [0x80, 64, 64]),
        ];
        Tape { take: TakeId(7), messages: messages.into(), from: millis(from), until: None }
    }

    #[test]
    fn from_the_middle_on_the_pedal_is_as_it_was() {
        assert_eq!(tape(0).begin(), (0, None));
        assert_eq!(tape(450).begin(), (3, Some(127)));
        assert_eq!(tape(9_000).begin(), (5, Some(127)));
    }
}
