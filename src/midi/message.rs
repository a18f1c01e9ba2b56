//! One MIDI channel message as a value, from and to its bytes. System messages carry nothing a pupil plays and have no
//! value here; the [`Decoder`](super::Decoder) steps over them.

use std::fmt;
use std::ops::Deref;

use crate::music::Pitch;

/// Numbers of the controllers the program acts on (MIDI 1.0, table 3).
pub mod controller {
    /// Damper pedal; values between 0 and 127 are half pedal.
    pub const SUSTAIN: u8 = 64;
    /// Sostenuto pedal; down from 64.
    pub const SOSTENUTO: u8 = 66;
    /// Soft pedal.
    pub const SOFT: u8 = 67;
    /// Silences at once, releases included.
    pub const ALL_SOUND_OFF: u8 = 120;
    /// Puts every controller back to its default.
    pub const RESET_ALL: u8 = 121;
    /// Releases every key; 124 to 127 (mode changes) imply it.
    pub const ALL_NOTES_OFF: u8 = 123;
}

/// A channel message. Channels are 0 to 15, data values 0 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// A key was struck.
    NoteOn {
        /// 0 to 15.
        channel: u8,
        /// The key.
        pitch: Pitch,
        /// 1 to 127; a velocity of 0 on the wire is a [`Message::NoteOff`].
        velocity: u8,
    },
    /// A key was released.
    NoteOff {
        /// 0 to 15.
        channel: u8,
        /// The key.
        pitch: Pitch,
        /// Release velocity, 0 to 127; 64 when the device does not measure it.
        velocity: u8,
    },
    /// A pedal, wheel or knob moved.
    Control {
        /// 0 to 15.
        channel: u8,
        /// Its number; see [`controller`].
        controller: u8,
        /// 0 to 127.
        value: u8,
    },
    /// The pitch wheel.
    PitchBend {
        /// 0 to 15.
        channel: u8,
        /// -8192 to 8191; 0 is the middle.
        value: i16,
    },
    /// Pressure on the whole keyboard.
    ChannelPressure {
        /// 0 to 15.
        channel: u8,
        /// 0 to 127.
        value: u8,
    },
    /// Pressure on one key.
    PolyPressure {
        /// 0 to 15.
        channel: u8,
        /// The key.
        pitch: Pitch,
        /// 0 to 127.
        value: u8,
    },
    /// Another sound was chosen.
    Program {
        /// 0 to 15.
        channel: u8,
        /// 0 to 127.
        program: u8,
    },
}

/// How many data bytes follow a channel status byte.
pub(super) fn data_bytes(status: u8) -> usize {
    if matches!(status & 0xf0, 0xc0 | 0xd0) { 1 } else { 2 }
}

/// Reads exactly one channel message: a status byte and its data, no more and no less. `None` for anything else, system
/// messages included. A stream with running status goes through [`Decoder`](super::Decoder).
pub fn decode(bytes: &[u8]) -> Option<Message> {
    let (&status, data) = bytes.split_first()?;
    let is_channel_message = (0x80..0xf0).contains(&status);
    if !is_channel_message || data.len() != data_bytes(status) || data.iter().any(|byte| *byte > 0x7f) {
        return None;
    }
    Some(assemble(status, data[0], data.get(1).copied().unwrap_or(0)))
}

/// The message of a channel status byte and its data bytes, already checked; `second` is unused where there is none.
pub(super) fn assemble(status: u8, first: u8, second: u8) -> Message {
    let channel = status & 0x0f;
    let pitch = Pitch::from_data_byte(first);
    match status & 0xf0 {
        0x80 => Message::NoteOff { channel, pitch, velocity: second },
        // Old keyboards release with velocity 0 to make use of running status; their release is of medium speed.
        0x90 if second == 0 => Message::NoteOff { channel, pitch, velocity: 64 },
        0x90 => Message::NoteOn { channel, pitch, velocity: second },
        0xa0 => Message::PolyPressure { channel, pitch, value: second },
        0xb0 => Message::Control { channel, controller: first, value: second },
        0xc0 => Message::Program { channel, program: first },
        0xd0 => Message::ChannelPressure { channel, value: first },
        _ => Message::PitchBend { channel, value: (i16::from(second) << 7 | i16::from(first)) - 8192 },
    }
}

impl Message {
    /// The channel, 0 to 15.
    pub fn channel(self) -> u8 {
        match self {
            Self::NoteOn { channel, .. }
            | Self::NoteOff { channel, .. }
            | Self::Control { channel, .. }
            | Self::PitchBend { channel, .. }
            | Self::ChannelPressure { channel, .. }
            | Self::PolyPressure { channel, .. }
            | Self::Program { channel, .. } => channel,
        }
    }

    /// How far the sustain pedal is down, if this moves it: 0 to 127.
    pub fn sustain(self) -> Option<u8> {
        self.value_of(controller::SUSTAIN)
    }

    /// How far the sostenuto pedal is down, if this moves it: 0 to 127, down from 64.
    pub fn sostenuto(self) -> Option<u8> {
        self.value_of(controller::SOSTENUTO)
    }

    /// How far the soft pedal is down, if this moves it: 0 to 127.
    pub fn soft(self) -> Option<u8> {
        self.value_of(controller::SOFT)
    }

    /// Whether every key of the channel is released by this.
    pub fn is_all_notes_off(self) -> bool {
        matches!(self, Self::Control { controller: controller::ALL_NOTES_OFF..=127, .. })
    }

    /// Whether every sound of the channel ends at once by this.
    pub fn is_all_sound_off(self) -> bool {
        matches!(self, Self::Control { controller: controller::ALL_SOUND_OFF, .. })
    }

    fn value_of(self, wanted: u8) -> Option<u8> {
        match self {
            Self::Control { controller, value, .. } if controller == wanted => Some(value),
            _ => None,
        }
    }

    /// The bytes of the message, with its status byte. Values out of range lose their upper bits.
    pub fn encode(self) -> Encoded {
        let (status, first, second) = match self {
            Self::NoteOff { pitch, velocity, .. } => (0x80, pitch.key(), velocity),
            Self::NoteOn { pitch, velocity, .. } => (0x90, pitch.key(), velocity),
            Self::PolyPressure { pitch, value, .. } => (0xa0, pitch.key(), value),
            Self::Control { controller, value, .. } => (0xb0, controller, value),
            Self::Program { program, .. } => (0xc0, program, 0),
            Self::ChannelPressure { value, .. } => (0xd0, value, 0),
            Self::PitchBend { value, .. } => {
                let unsigned = (value.clamp(-8192, 8191) + 8192) as u16;
                (0xe0, (unsigned & 0x7f) as u8, (unsigned >> 7) as u8)
            }
        };
        let status = status | (self.channel() & 0x0f);
        Encoded { bytes: [status, first & 0x7f, second & 0x7f], len: 1 + data_bytes(status) as u8 }
    }
}

impl fmt::Display for Message {
    /// As the Devices screen shows it: `note on C4 (60) velocity 80, channel 1`. Channels count from 1 here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoteOn { pitch, velocity, .. } => write!(f, "note on {pitch} ({}) velocity {velocity}", pitch.key()),
            Self::NoteOff { pitch, velocity, .. } => {
                write!(f, "note off {pitch} ({}) velocity {velocity}", pitch.key())
            }
            Self::Control { controller, value, .. } => match controller {
                controller::SUSTAIN => write!(f, "sustain pedal {value}"),
                controller::SOSTENUTO => write!(f, "sostenuto pedal {value}"),
                controller::SOFT => write!(f, "soft pedal {value}"),
                controller::ALL_SOUND_OFF => write!(f, "all sound off"),
                controller::ALL_NOTES_OFF => write!(f, "all notes off"),
                _ => write!(f, "controller {controller} value {value}"),
            },
            Self::PitchBend { value, .. } => write!(f, "pitch bend {value}"),
            Self::ChannelPressure { value, .. } => write!(f, "pressure {value}"),
            Self::PolyPressure { pitch, value, .. } => write!(f, "pressure {value} on {pitch}"),
            Self::Program { program, .. } => write!(f, "program {program}"),
        }?;
        write!(f, ", channel {}", self.channel() + 1)
    }
}

/// The one to three bytes of a message, on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded {
    bytes: [u8; 3],
    len: u8,
}

impl Deref for Encoded {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let text = decode(bytes).map_or_else(|| "nothing".to_owned(), |message| message.to_string());
        assert_eq!(text, expected, "{bytes:02x?}");
    }

    #[test]
    fn one_message_is_read_as_a_keyboard_means_it() {
        check(&[0x90, 60, 80], "note on C4 (60) velocity 80, channel 1");
        check(&[0x9f, 60, 0], "note off C4 (60) velocity 64, channel 16");
        check(&[0x80, 21, 5], "note off A0 (21) velocity 5, channel 1");
        check(&[0xb0, 64, 63], "sustain pedal 63, channel 1");
        check(&[0xb2, 7, 100], "controller 7 value 100, channel 3");
        check(&[0xe0, 0, 64], "pitch bend 0, channel 1");
        check(&[0xe0, 0, 0], "pitch bend -8192, channel 1");
        check(&[0xe0, 127, 127], "pitch bend 8191, channel 1");
        check(&[0xc0, 5], "program 5, channel 1");
        check(&[0xd0, 9], "pressure 9, channel 1");
        check(&[0xa0, 60, 9], "pressure 9 on C4, channel 1");
    }

    #[test]
    fn anything_else_is_nothing() {
        for bytes in
            [&[][..], &[0x90], &[0x90, 60], &[0x90, 60, 80, 1], &[60, 80], &[0x90, 0x80, 1], &[0xfe], &[0xf0, 1, 0xf7]]
        {
            check(bytes, "nothing");
        }
    }

    #[test]
    fn pedals_and_mode_messages_are_recognised() {
        let control = |controller, value| Message::Control { channel: 0, controller, value };
        assert_eq!(control(64, 31).sustain(), Some(31));
        assert_eq!(control(66, 127).sostenuto(), Some(127));
        assert_eq!(control(67, 1).soft(), Some(1));
        assert_eq!(control(67, 1).sustain(), None);
        assert!(control(120, 0).is_all_sound_off() && !control(120, 0).is_all_notes_off());
        assert!(control(123, 0).is_all_notes_off() && control(127, 0).is_all_notes_off());
        assert!(!control(121, 0).is_all_notes_off());
    }

    #[test]
    fn values_out_of_range_never_make_a_status_byte() {
        let message = Message::Control { channel: 99, controller: 200, value: 255 };
        assert_eq!(&*message.encode(), &[0xb3, 72, 127]);
        assert_eq!(&*Message::PitchBend { channel: 0, value: i16::MIN }.encode(), &[0xe0, 0, 0]);
    }
}
