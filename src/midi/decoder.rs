//! Messages out of a stream of bytes as a cable carries it. Total: no byte sequence makes it fail, and after any
//! garbage the next status byte puts it right again. Fixed size, allocates nothing, so a driver's callback may use it.

use super::message::{Message, assemble, data_bytes};

/// Reads running status, steps over real-time bytes inside messages, skips system messages, counts what is malformed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decoder {
    state: State,
    malformed: u64,
}

/// What the bytes so far allow to follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A data byte would have no meaning.
    #[default]
    Idle,
    /// A channel status is in force; `first` is the data byte already here.
    Running { status: u8, first: Option<u8>, complete: bool },
    /// Inside a system exclusive message.
    Exclusive,
    /// Inside another system message, with so many data bytes to come.
    Common { left: u8 },
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes or cut-off messages were of no use so far.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Takes one byte; returns the message that it completes.
    pub fn push(&mut self, byte: u8) -> Option<Message> {
        match byte {
            0xf8..=0xff => None, // clock, active sensing and reset: may stand anywhere, and change nothing
            0x80..=0xf7 => {
                self.status(byte);
                None
            }
            _ => self.data(byte),
        }
    }

    /// Takes several bytes; calls `each` with every message completed.
    pub fn extend(&mut self, bytes: &[u8], mut each: impl FnMut(Message)) {
        for byte in bytes {
            if let Some(message) = self.push(*byte) {
                each(message);
            }
        }
    }

    /// Takes one unit that a driver delivers whole: nothing of it is left over for the next. Running status does carry
    /// on, as some drivers pass it through.
    pub fn packet(&mut self, bytes: &[u8], each: impl FnMut(Message)) {
        self.extend(bytes, each);
        if let State::Running { status, first: Some(_), .. } = self.state {
            self.malformed += 1;
            self.state = State::Running { status, first: None, complete: true };
        }
    }

    fn status(&mut self, byte: u8) {
        let ends_exclusive = byte == 0xf7 && self.state == State::Exclusive;
        let cuts_off = match self.state {
            State::Idle => false,
            State::Running { first, complete, .. } => first.is_some() || !complete,
            State::Exclusive => !ends_exclusive,
            State::Common { .. } => true,
        };
        let undefined = matches!(byte, 0xf4 | 0xf5) || (byte == 0xf7 && !ends_exclusive);
        self.malformed += u64::from(cuts_off) + u64::from(undefined);
        self.state = match byte {
            0x80..=0xef => State::Running { status: byte, first: None, complete: false },
            0xf0 => State::Exclusive,
            0xf1 | 0xf3 => State::Common { left: 1 },
            0xf2 => State::Common { left: 2 },
            _ => State::Idle,
        };
    }

    fn data(&mut self, byte: u8) -> Option<Message> {
        match self.state {
            State::Idle => {
                self.malformed += 1;
                None
            }
            State::Exclusive => None,
            State::Common { left } => {
                self.state = if left > 1 { State::Common { left: left - 1 } } else { State::Idle };
                None
            }
            State::Running { status, first: None, .. } if data_bytes(status) == 2 => {
                self.state = State::Running { status, first: Some(byte), complete: false };
                None
            }
            State::Running { status, first, .. } => {
                self.state = State::Running { status, first: None, complete: true };
                Some(assemble(status, first.unwrap_or(byte), byte))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes in, messages and the count of malformed pieces out.
    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str], malformed: u64) {
        let mut decoder = Decoder::new();
        let mut texts = Vec::new();
        decoder.extend(bytes, |message| texts.push(message.to_string()));
        assert_eq!(texts, expected, "{bytes:02x?}");
        assert_eq!(decoder.malformed(), malformed, "{bytes:02x?}");
    }

    const C4: &str = "note on C4 (60) velocity 80, channel 1";
    const C4_OFF: &str = "note off C4 (60) velocity 64, channel 1";

    #[test]
    fn running_status_carries_on() {
        check(&[0x90, 60, 80, 60, 0, 60, 80], &[C4, C4_OFF, C4], 0);
        check(&[0xc0, 1, 2], &["program 1, channel 1", "program 2, channel 1"], 0);
    }

    #[test]
    fn real_time_bytes_may_stand_anywhere() {
        check(&[0xf8, 0x90, 0xfe, 60, 0xf8, 80, 0xff, 60, 0xfe, 0], &[C4, C4_OFF], 0);
        check(&[0xf0, 1, 0xf8, 2, 0xf7, 0x90, 60, 80], &[C4], 0);
    }

    #[test]
    fn system_messages_are_skipped_and_end_running_status() {
        check(&[0x90, 60, 80, 0xf0, 0x7e, 1, 2, 0xf7, 60, 80], &[C4], 2);
        check(&[0xf2, 1, 2, 0xf3, 4, 0xf1, 5, 0xf6, 0x90, 60, 80], &[C4], 0);
    }

    #[test]
    fn malformed_bytes_are_counted_and_the_next_status_puts_it_right() {
        check(&[60, 80, 0x90, 60, 80], &[C4], 2);
        check(&[0x90, 60, 0x90, 60, 80], &[C4], 1);
        check(&[0x90, 0x90, 60, 80], &[C4], 1);
        check(&[0xf0, 1, 2, 0x90, 60, 80], &[C4], 1);
        check(&[0xf7, 0xf4, 0xf5, 0x90, 60, 80], &[C4], 3);
    }

    #[test]
    fn a_packet_leaves_nothing_over_for_the_next() {
        let mut decoder = Decoder::new();
        let mut count = 0;
        decoder.packet(&[0x90, 60], |_| count += 1);
        decoder.packet(&[61, 80], |message| {
            count += 1;
            assert_eq!(message.to_string(), "note on C♯4 (61) velocity 80, channel 1");
        });
        assert_eq!((count, decoder.malformed()), (1, 1));
    }
}
