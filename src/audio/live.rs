//! What a person plays, as it reaches the engine: notes, pedals and wheels with their stamps. Values only; no port.

use super::instrument::Pedal;
use crate::music::Pitch;
use crate::time::{Micros, Stamp};

/// One thing done at an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Played {
    /// A key went down; velocity 1 to 127.
    On {
        /// The key.
        pitch: Pitch,
        /// How hard, 1 to 127.
        velocity: u8,
    },
    /// A key came up.
    Off {
        /// The key.
        pitch: Pitch,
    },
    /// A pedal moved.
    Pedal(Pedal),
    /// The pitch wheel stands at -8192 to 8191; 0 is the middle.
    Bend(i16),
    /// Pressure on the keyboard, 0 to 127.
    Pressure(u8),
    /// Every key of the device is up; pedals stay (CC 123 and the mode changes 124 to 127).
    AllNotesOff,
    /// Every pedal of the device is up and every wheel in its middle; keys stay (CC 121).
    Controllers,
    /// Every key and pedal of the device is up and every wheel in its middle (CC 120).
    Reset,
}

impl Played {
    /// Reads one complete MIDI message; `None` for everything that makes no difference to the sound. Total: any bytes
    /// are fine. All channels count alike; a note-on of velocity 0 is a note-off.
    pub fn from_midi(bytes: &[u8]) -> Option<Self> {
        let (&status, data) = bytes.split_first()?;
        let first = *data.first()? & 0x7f;
        if status & 0xf0 == 0xd0 {
            return Some(Self::Pressure(first));
        }
        let value = *data.get(1)? & 0x7f;
        let pitch = Pitch::from_data_byte(first);
        match (status & 0xf0, first) {
            (0x90, _) if value > 0 => Some(Self::On { pitch, velocity: value }),
            (0x80 | 0x90, _) => Some(Self::Off { pitch }),
            (0xb0, 64) => Some(Self::Pedal(Pedal::Sustain(value))),
            (0xb0, 66) => Some(Self::Pedal(Pedal::Sostenuto(value))),
            (0xb0, 67) => Some(Self::Pedal(Pedal::Soft(value))),
            (0xb0, 120) => Some(Self::Reset),
            (0xb0, 121) => Some(Self::Controllers),
            (0xb0, 123..=127) => Some(Self::AllNotesOff),
            (0xe0, _) => Some(Self::Bend((i16::from(value) << 7 | i16::from(first)) - 8192)),
            _ => None,
        }
    }
}

impl Played {
    /// The message on channel 1: a status and two data bytes, the second 0 where there is only one.
    pub fn to_midi(self) -> [u8; 3] {
        match self {
            Self::On { pitch, velocity } => [0x90, pitch.key(), velocity],
            Self::Off { pitch } => [0x80, pitch.key(), 64],
            Self::Pedal(Pedal::Sustain(value)) => [0xb0, 64, value],
            Self::Pedal(Pedal::Sostenuto(value)) => [0xb0, 66, value],
            Self::Pedal(Pedal::Soft(value)) => [0xb0, 67, value],
            Self::Bend(value) => {
                let unsigned = (value.clamp(-8192, 8191) + 8192) as u16;
                [0xe0, (unsigned & 0x7f) as u8, (unsigned >> 7) as u8]
            }
            Self::Pressure(value) => [0xd0, value, 0],
            Self::AllNotesOff => [0xb0, 123, 0],
            Self::Controllers => [0xb0, 121, 0],
            Self::Reset => [0xb0, 120, 0],
        }
    }
}

/// What goes through the ring of a live source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveEvent {
    /// When; the monotonic time counts, or the frame where it is known in the running stream.
    pub stamp: Stamp,
    /// What.
    pub played: Played,
}

impl Live for LiveEvent {
    fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn played(&self) -> Option<Played> {
        Some(self.played)
    }
}

/// What the ring of a live source may carry: anything that knows when it was and perhaps makes a sound. So a driver
/// can push its own messages.
pub trait Live: Copy + Send + 'static {
    /// When; the monotonic time counts.
    fn stamp(&self) -> Stamp;
    /// What, if it makes a difference to the sound.
    fn played(&self) -> Option<Played>;
}

/// The receiving end of a live source, as the callback sees it: wait-free, no allocation.
pub(super) trait LiveSource: Send {
    /// The oldest event with a sound that is not taken yet; passes over the others.
    fn peek(&mut self) -> Option<LiveEvent>;
    /// Takes it.
    fn pop(&mut self);
}

/// So many soundless messages are passed over at a time; a ring that fills as fast as it is read must not hold up the
/// callback.
const SKIPPED_MAX: usize = 256;

/// A ring whose soundless messages are passed over.
pub(super) struct Ring<T>(pub(super) rtrb::Consumer<T>);

impl<T: Live> LiveSource for Ring<T> {
    fn peek(&mut self) -> Option<LiveEvent> {
        for _ in 0..SKIPPED_MAX {
            let live = *self.0.peek().ok()?;
            if let Some(played) = live.played() {
                return Some(LiveEvent { stamp: live.stamp(), played });
            }
            self.pop();
        }
        None
    }

    fn pop(&mut self) {
        let _taken = self.0.pop();
    }
}

/// A channel message at a frame of the block at hand, from a driver that hands over sound and MIDI together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedMidi {
    /// Frames after the first of the block.
    pub offset: u32,
    /// The driver's own time.
    pub driver: Micros,
    /// The message; what it does not use of the bytes is 0.
    pub data: [u8; 3],
}

impl TimedMidi {
    /// A message as it came; `None` for what is no channel message: a take keeps all of those, sounding or not.
    pub fn read(offset: u32, driver: Micros, bytes: &[u8]) -> Option<Self> {
        let (&status, rest) = bytes.split_first()?;
        let length = if matches!(status & 0xf0, 0xc0 | 0xd0) { 1 } else { 2 };
        let whole = (0x80..0xf0).contains(&status) && rest.len() == length && rest.iter().all(|byte| *byte < 0x80);
        whole.then(|| Self { offset, driver, data: [status, rest[0], rest.get(1).copied().unwrap_or(0)] })
    }

    /// The message of something played, on channel 1.
    pub fn new(offset: u32, driver: Micros, played: Played) -> Self {
        Self { offset, driver, data: played.to_midi() }
    }
}

/// Names a live source: a MIDI connection, the computer keyboard, the keys on the screen. The control side chooses;
/// the numbers are those of `midi::SourceId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u16);

impl SourceId {
    /// The MIDI port that belongs to the audio driver itself (JACK, the stepped backend).
    pub const DRIVER: Self = Self(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midi_bytes_become_notes_and_pedals() {
        let pitch = Pitch::MIDDLE_C;
        for (bytes, expected) in [
            (&[0x90, 60, 100][..], Some(Played::On { pitch, velocity: 100 })),
            (&[0x95, 60, 0], Some(Played::Off { pitch })),
            (&[0x80, 60, 64], Some(Played::Off { pitch })),
            (&[0xb0, 64, 127], Some(Played::Pedal(Pedal::Sustain(127)))),
            (&[0xb3, 67, 1], Some(Played::Pedal(Pedal::Soft(1)))),
            (&[0xb0, 7, 1], None),
            (&[0xb0, 120, 0], Some(Played::Reset)),
            (&[0xb0, 121, 0], Some(Played::Controllers)),
            (&[0xb0, 123, 0], Some(Played::AllNotesOff)),
            (&[0xd4, 9], Some(Played::Pressure(9))),
            (&[0xe0, 0, 64], Some(Played::Bend(0))),
            (&[0xef, 127, 127], Some(Played::Bend(8191))),
            (&[0xf8], None),
            (&[0x90, 60], None),
            (&[], None),
        ] {
            assert_eq!(Played::from_midi(bytes), expected, "{bytes:?}");
            if let Some(played) = expected {
                assert_eq!(Played::from_midi(&played.to_midi()), expected, "back and forth");
            }
        }
    }

    #[test]
    fn a_driver_hands_over_whole_channel_messages_only() {
        let read = |bytes: &[u8]| TimedMidi::read(0, Micros::ZERO, bytes).map(|midi| midi.data);
        assert_eq!(read(&[0x93, 60, 7]), Some([0x93, 60, 7]));
        assert_eq!(read(&[0xc0, 5]), Some([0xc0, 5, 0]));
        for bytes in [&[][..], &[0x90], &[0x90, 60], &[0x90, 60, 1, 2], &[0x90, 60, 200], &[0xf8], &[60, 1, 2]] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }
}
