//! Releases that a full ring had no room for: they must not get lost, or something sounds for ever.

use rtrb::Producer;

use super::keys::KeySet;
use super::message::{Message, controller};
use super::{LiveMidi, SourceId};
use crate::music::Pitch;
use crate::time::Stamp;

/// What comes to rest on a channel, besides keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Sustain,
    Sostenuto,
    Soft,
    Wheel,
    Pressure,
}

impl Rest {
    const ALL: [Self; 5] = [Self::Sustain, Self::Sostenuto, Self::Soft, Self::Wheel, Self::Pressure];

    /// What a message moves, and whether it puts it to rest.
    fn moved(message: Message) -> Option<(Self, bool)> {
        match message {
            Message::Control { controller: controller::SUSTAIN, value, .. } => Some((Self::Sustain, value == 0)),
            Message::Control { controller: controller::SOSTENUTO, value, .. } => Some((Self::Sostenuto, value == 0)),
            Message::Control { controller: controller::SOFT, value, .. } => Some((Self::Soft, value == 0)),
            Message::PitchBend { value, .. } => Some((Self::Wheel, value == 0)),
            Message::ChannelPressure { value, .. } => Some((Self::Pressure, value == 0)),
            _ => None,
        }
    }

    /// What a message puts to rest, if anything.
    pub(super) fn of(message: Message) -> Option<Self> {
        Self::moved(message).filter(|(_, rests)| *rests).map(|(rest, _)| rest)
    }

    /// The message that puts it to rest.
    const fn message(self, channel: u8) -> Message {
        match self {
            Self::Sustain => Message::Control { channel, controller: controller::SUSTAIN, value: 0 },
            Self::Sostenuto => Message::Control { channel, controller: controller::SOSTENUTO, value: 0 },
            Self::Soft => Message::Control { channel, controller: controller::SOFT, value: 0 },
            Self::Wheel => Message::PitchBend { channel, value: 0 },
            Self::Pressure => Message::ChannelPressure { channel, value: 0 },
        }
    }
}

/// Keys, pedals and wheels whose release is owed to one ring. Fixed in size; nothing here allocates.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owed {
    keys: KeySet,
    /// One bit a channel.
    rests: [u16; Rest::ALL.len()],
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.rests == [0; Rest::ALL.len()]
    }

    /// Sends a message, or owes it if it is a release; whether there was room. What begins anew is owed no longer: paying
    /// later would end it.
    pub(super) fn send(&mut self, ring: &mut Producer<LiveMidi>, live: LiveMidi) -> bool {
        let has_room = ring.push(live).is_ok();
        match live.message {
            Message::NoteOn { channel, pitch, .. } if has_room => self.keys.remove(channel, pitch),
            Message::NoteOff { channel, pitch, .. } => self.owe_key(channel, pitch, !has_room),
            message => {
                if let Some((rest, rests)) = Rest::moved(message) {
                    let bit = 1 << (message.channel() & 0x0f);
                    let channels = &mut self.rests[rest as usize];
                    if has_room {
                        *channels &= !bit;
                    } else if rests {
                        *channels |= bit;
                    }
                }
            }
        }
        has_room
    }

    fn owe_key(&mut self, channel: u8, pitch: Pitch, owed: bool) {
        if owed { self.keys.insert(channel, pitch) } else { self.keys.remove(channel, pitch) }
    }

    /// Delivers what is owed, as far as there is room.
    pub(super) fn pay(&mut self, ring: &mut Producer<LiveMidi>, stamp: Stamp, source: SourceId) {
        if self.is_empty() {
            return;
        }
        let keys = self.keys;
        for (channel, pitch) in keys.iter() {
            let message = Message::NoteOff { channel, pitch, velocity: 64 };
            if ring.push(LiveMidi { stamp, source, message }).is_err() {
                return;
            }
            self.keys.remove(channel, pitch);
        }
        for rest in Rest::ALL {
            let channels = self.rests[rest as usize];
            for channel in (0..16).filter(|channel| channels >> channel & 1 == 1) {
                if ring.push(LiveMidi { stamp, source, message: rest.message(channel) }).is_err() {
                    return;
                }
                self.rests[rest as usize] &= !(1 << channel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Micros;

    fn live(message: Message) -> LiveMidi {
        LiveMidi { stamp: Stamp::at(Micros(0)), source: SourceId(16), message }
    }

    const KEY: Pitch = Pitch::MIDDLE_C;
    const ON: Message = Message::NoteOn { channel: 2, pitch: KEY, velocity: 80 };
    const OFF: Message = Message::NoteOff { channel: 2, pitch: KEY, velocity: 64 };
    const DOWN: Message = Message::Control { channel: 2, controller: controller::SUSTAIN, value: 127 };
    const UP: Message = Message::Control { channel: 2, controller: controller::SUSTAIN, value: 0 };

    #[test]
    fn what_a_full_ring_refused_comes_when_there_is_room_and_nothing_else() {
        let (mut ring, mut out) = rtrb::RingBuffer::new(2);
        let mut owed = Owed::default();
        let bent = Message::PitchBend { channel: 3, value: 900 };
        let middle = Message::PitchBend { channel: 3, value: 0 };
        let pressed = Message::ChannelPressure { channel: 3, value: 9 };
        let sent = [ON, DOWN, bent, OFF, UP, middle, pressed].map(|message| owed.send(&mut ring, live(message)));
        assert_eq!(sent, [true, true, false, false, false, false, false]);
        let mut come = Vec::new();
        while !owed.is_empty() {
            come.extend(std::iter::from_fn(|| out.pop().ok()).map(|live| live.message));
            owed.pay(&mut ring, Stamp::at(Micros(5)), SourceId(16));
        }
        come.extend(std::iter::from_fn(|| out.pop().ok()).map(|live| live.message));
        assert_eq!(come, [ON, DOWN, OFF, UP, middle]);
    }

    #[test]
    fn what_begins_anew_is_not_ended_by_an_old_debt() {
        let (mut ring, mut out) = rtrb::RingBuffer::new(2);
        let mut owed = Owed::default();
        for message in [ON, DOWN, OFF, UP] {
            owed.send(&mut ring, live(message));
        }
        while out.pop().is_ok() {}
        // The callback emptied the ring after paying was tried.
        assert!(owed.send(&mut ring, live(ON)) && owed.send(&mut ring, live(DOWN)));
        assert!(owed.is_empty());
    }
}
