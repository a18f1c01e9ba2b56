//! What a person plays, as it reaches the engine: notes and pedals with their stamps. Values only; no port, no ring.

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
}

impl Played {
    /// Reads one complete MIDI message; `None` for everything that makes no difference to the sound. Total: any bytes
    /// are fine. All channels count alike; a note-on of velocity 0 is a note-off.
    pub fn from_midi(bytes: &[u8]) -> Option<Self> {
        let (&status, data) = bytes.split_first()?;
        let (&first, &second) = (data.first()?, data.get(1)?);
        let pitch = Pitch::from_data_byte(first);
        let value = second & 0x7f;
        match (status & 0xf0, first & 0x7f) {
            (0x90, _) if value > 0 => Some(Self::On { pitch, velocity: value }),
            (0x80 | 0x90, _) => Some(Self::Off { pitch }),
            (0xb0, 64) => Some(Self::Pedal(Pedal::Sustain(value))),
            (0xb0, 66) => Some(Self::Pedal(Pedal::Sostenuto(value))),
            (0xb0, 67) => Some(Self::Pedal(Pedal::Soft(value))),
            _ => None,
        }
    }
}

impl Played {
    /// The message on channel 1: a status and two data bytes.
    pub fn to_midi(self) -> [u8; 3] {
        match self {
            Self::On { pitch, velocity } => [0x90, pitch.key(), velocity],
            Self::Off { pitch } => [0x80, pitch.key(), 64],
            Self::Pedal(Pedal::Sustain(value)) => [0xb0, 64, value],
            Self::Pedal(Pedal::Sostenuto(value)) => [0xb0, 66, value],
            Self::Pedal(Pedal::Soft(value)) => [0xb0, 67, value],
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

/// An event at a frame of the block at hand, from a driver that hands over sound and MIDI together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedMidi {
    /// Frames after the first of the block.
    pub offset: u32,
    /// The driver's own time.
    pub driver: Micros,
    /// What.
    pub played: Played,
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
            (&[0xf8], None),
            (&[0x90, 60], None),
            (&[], None),
        ] {
            assert_eq!(Played::from_midi(bytes), expected, "{bytes:?}");
        }
    }
}
