//! MIDI as a contract: what is written can be read, whatever a cable puts in between, and no bytes do harm.

use music_trainer::midi::{Decoder, Message, decode};
use music_trainer::music::Pitch;
use proptest::prelude::*;

fn message() -> impl Strategy<Value = Message> {
    let data = || 0u8..128;
    let pitch = || (0u8..128).prop_map(Pitch::from_data_byte);
    let channel = || 0u8..16;
    prop_oneof![
        (channel(), pitch(), 1u8..128).prop_map(|(channel, pitch, velocity)| Message::NoteOn {
            channel,
            pitch,
            velocity
        }),
        (channel(), pitch(), data()).prop_map(|(channel, pitch, velocity)| Message::NoteOff {
            channel,
            pitch,
            velocity
        }),
        (channel(), data(), data()).prop_map(|(channel, controller, value)| Message::Control {
            channel,
            controller,
            value
        }),
        (channel(), -8192i16..8192).prop_map(|(channel, value)| Message::PitchBend { channel, value }),
        (channel(), data()).prop_map(|(channel, value)| Message::ChannelPressure { channel, value }),
        (channel(), pitch(), data()).prop_map(|(channel, pitch, value)| Message::PolyPressure {
            channel,
            pitch,
            value
        }),
        (channel(), data()).prop_map(|(channel, program)| Message::Program { channel, program }),
    ]
}

/// What a cable may do around one message.
#[derive(Clone, Debug)]
struct Wire {
    message: Message,
    exclusive_before: Option<Vec<u8>>,
    real_time: Vec<(u8, u8)>,
}

fn wire() -> impl Strategy<Value = Wire> {
    let exclusive = proptest::option::weighted(0.1, proptest::collection::vec(0u8..128, 0..20));
    let real_time = proptest::collection::vec((0u8..3, 0xf8u8..=0xff), 0..3);
    (message(), exclusive, real_time).prop_map(|(message, exclusive_before, real_time)| Wire {
        message,
        exclusive_before,
        real_time,
    })
}

/// The bytes of a stream that uses running status wherever it is allowed to.
fn bytes_of(stream: &[Wire]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut running = None;
    for piece in stream {
        if let Some(data) = &piece.exclusive_before {
            bytes.push(0xf0);
            bytes.extend(data);
            bytes.push(0xf7);
            running = None;
        }
        let encoded = piece.message.encode();
        let mut own = encoded.to_vec();
        if running == Some(encoded[0]) {
            own.remove(0);
        }
        running = Some(encoded[0]);
        for (place, byte) in &piece.real_time {
            own.insert(usize::from(*place).min(own.len()), *byte);
        }
        bytes.extend(own);
    }
    bytes
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(message in message()) {
        prop_assert_eq!(decode(&message.encode()), Some(message));
    }

    #[test]
    fn a_stream_comes_through_running_status_real_time_and_exclusive_bytes(
        stream in proptest::collection::vec(wire(), 0..50),
    ) {
        let mut decoder = Decoder::new();
        let mut read = Vec::new();
        decoder.extend(&bytes_of(&stream), |message| read.push(message));
        prop_assert_eq!(read, stream.iter().map(|piece| piece.message).collect::<Vec<_>>());
        prop_assert_eq!(decoder.malformed(), 0);
    }

    #[test]
    fn after_any_garbage_a_whole_message_is_read(
        garbage in proptest::collection::vec(any::<u8>(), 0..200), message in message(),
    ) {
        let mut decoder = Decoder::new();
        decoder.extend(&garbage, |_| ());
        let mut read = Vec::new();
        decoder.extend(&message.encode(), |message| read.push(message));
        prop_assert_eq!(read, vec![message]);
    }

    #[test]
    fn one_message_agrees_with_the_stream(bytes in proptest::collection::vec(any::<u8>(), 0..6)) {
        if let Some(message) = decode(&bytes) {
            let mut read = Vec::new();
            Decoder::new().extend(&bytes, |message| read.push(message));
            prop_assert_eq!(read, vec![message]);
        }
    }
}

#[test]
fn a_million_random_bytes_do_no_harm_and_every_message_read_is_valid() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut decoder = Decoder::new();
    let mut read = 0;
    for _ in 0..1_000_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if let Some(message) = decoder.push((state >> 24) as u8) {
            read += 1;
            assert_eq!(decode(&message.encode()), Some(message));
        }
    }
    assert!(read > 10_000, "random bytes hold messages too: {read}");
    assert!(decoder.malformed() > 10_000, "and much that is none: {}", decoder.malformed());
}
