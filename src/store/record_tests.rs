//! What the record format promises.

use proptest::prelude::*;

use super::*;
use crate::bus::storage::{DeviceId, EventId};
use crate::time::{Frames, Micros, Stamp, StreamId};

pub(crate) fn any_event() -> impl Strategy<Value = StoredEvent> {
    let id = || (any::<u64>(), any::<u64>()).prop_map(|(d, device_seq)| EventId { device: DeviceId(d), device_seq });
    let stamp = (any::<i64>(), any::<i64>(), any::<Option<i64>>(), any::<u32>()).prop_map(|(d, m, f, s)| Stamp {
        driver: Micros(d),
        mono: Micros(m),
        frame: f.map(Frames),
        stream: StreamId(s),
    });
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Payload::Bytes),
        any::<[u8; 16]>().prop_map(|digest| Payload::Stub { digest }),
    ];
    let names = (".{0,40}", ".{0,600}", ".{0,20}", ".{0,20}", any::<u16>());
    let numbers = (any::<u64>(), id(), any::<u64>(), any::<u64>());
    (numbers, names, prop::option::of(id()), prop::option::of(id()), prop::option::of(stamp), payload).prop_map(
        |((seq, id, version, hlc), (topic, entity, actor, schema, schema_version), base, cause, stamp, payload)| {
            let header = Header {
                seq,
                id,
                topic: topic.into(),
                entity: entity.into(),
                version,
                base,
                hlc,
                stamp,
                cause,
                actor: actor.into(),
                schema: schema.into(),
                schema_version,
            };
            StoredEvent { header, payload }
        },
    )
}

fn example() -> StoredEvent {
    StoredEvent {
        header: Header {
            seq: 1,
            id: EventId { device: DeviceId(7), device_seq: 1 },
            topic: "take".into(),
            entity: "take/8f2c".into(),
            version: 1,
            base: None,
            hlc: 65_536,
            stamp: None,
            cause: None,
            actor: "person".into(),
            schema: "take.note".into(),
            schema_version: 1,
        },
        payload: Payload::Bytes(vec![0x80]),
    }
}

fn encoded(previous: &Chain, event: &StoredEvent) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(previous, event, &mut bytes).expect("an event encodes");
    bytes
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(event in any_event(), previous in any::<Chain>()) {
        let bytes = encoded(&previous, &event);
        let record = Record::split(&bytes).expect("our own record");
        prop_assert!(record.follows(&previous));
        prop_assert_eq!(record.event().expect("our own header"), event);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..400), format in any::<bool>()) {
        if let (true, [first, second, ..]) = (format, bytes.as_mut_slice()) {
            (*first, *second) = (FORMAT, *second & ERASED);
        }
        if let Ok(record) = Record::split(&bytes) {
            let _ = (record.event(), record.follows(&CHAIN_START), record.erase());
        }
    }

    #[test]
    fn no_changed_bit_goes_unnoticed(event in any_event(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = encoded(&CHAIN_START, &event);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let noticed = match Record::split(&bytes) {
            Err(_) => true,
            Ok(record) => !record.follows(&CHAIN_START),
        };
        prop_assert!(noticed, "byte {at} bit {bit}");
    }

    #[test]
    fn no_cut_record_goes_unnoticed(event in any_event(), keep in any::<prop::sample::Index>()) {
        let bytes = encoded(&CHAIN_START, &event);
        let cut = &bytes[..keep.index(bytes.len())];
        prop_assert!(Record::split(cut).map_or(true, |record| !record.follows(&CHAIN_START)));
    }

    #[test]
    fn erasing_keeps_header_digest_and_chain(event in any_event(), previous in any::<Chain>()) {
        let bytes = encoded(&previous, &event);
        let record = Record::split(&bytes).expect("our own record");
        let erased = record.erase();
        let after = Record::split(&erased).expect("a stub");
        prop_assert!(after.erased && after.follows(&previous));
        prop_assert_eq!((after.chain, after.header), (record.chain, record.header));
        let decoded = after.event().expect("a stub's header");
        prop_assert_eq!(decoded.header, event.header);
        prop_assert_eq!(decoded.payload, Payload::Stub { digest: record.payload_digest() });
        prop_assert_eq!(after.erase(), erased);
    }
}

#[test]
fn the_layout_is_the_one_in_the_table() {
    let bytes = encoded(&CHAIN_START, &example());
    assert_eq!(bytes[..2], [1, 0]);
    let header_len = u32::from_le_bytes(bytes[18..22].try_into().expect("four bytes")) as usize;
    assert_eq!(bytes.len(), 22 + header_len + 1);
    assert_eq!(bytes[22], 0x8a, "a map of ten fields");
    assert_eq!(&bytes[23..27], b"\xa3seq");
    let mut covered = vec![0; 16];
    covered.extend_from_slice(&bytes[22..22 + header_len]);
    covered.extend_from_slice(&blake3::hash(&[0x80]).as_bytes()[..16]);
    assert_eq!(bytes[2..18], blake3::hash(&covered).as_bytes()[..16]);
}

#[test]
fn a_record_of_today_is_read_for_ever() {
    const WRITTEN: &str = concat!(
        "01000dda568bbbe6fdd39aab47b5da9c06c6760000008aa373657101a664657669636507aa6465766963655f73657101a574",
        "6f706963a474616b65a6656e74697479a974616b652f38663263a776657273696f6e01a3686c63ce00010000a56163746f72",
        "a6706572736f6ea6736368656d61a974616b652e6e6f7465ae736368656d615f76657273696f6e0180",
    );
    let bytes: Vec<u8> =
        (0..WRITTEN.len() / 2).map(|i| u8::from_str_radix(&WRITTEN[2 * i..2 * i + 2], 16).expect("hex")).collect();
    let record = Record::split(&bytes).expect("a record of format 1");
    assert!(record.follows(&CHAIN_START));
    assert_eq!(record.event().expect("a header of format 1"), example());
    let written: String = encoded(&CHAIN_START, &example()).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(written, WRITTEN, "the format changed: give it a new number");
}

#[test]
fn fields_of_a_newer_program_are_skipped() {
    let bytes = encoded(&CHAIN_START, &example());
    let record = Record::split(&bytes).expect("our own record");
    let mut header = record.header.to_vec();
    header[0] += 1;
    header.extend_from_slice(b"\xa5later\x82\xa1a\x93\x01\x02\x03\xa1b\xc0");
    let newer = Record { header: &header, ..record };
    assert_eq!(newer.header().expect("a newer header"), example().header);
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let good = encoded(&CHAIN_START, &example());
    let check = |change: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let mut bytes = good.clone();
        change(&mut bytes);
        let found = Record::split(&bytes).and_then(|r| r.event()).expect_err(expected).to_string();
        assert!(found.contains(expected), "{found} instead of {expected}");
    };
    check(&|b| b.clear(), "a record of 0 bytes");
    check(&|b| b.truncate(10), "a record of 10 bytes, at least 22 needed");
    check(&|b| b[0] = 2, "record format 2, this program reads 1");
    check(&|b| b[1] = 4, "unknown record flags 0x04");
    check(&|b| b[1] = ERASED, "an erased record with 1 bytes");
    check(&|b| b[21] = 255, "at least 42");
    check(&|b| b[22] = 0xc1, "unreadable record header");
    check(&|b| b[22] = 0x81, "unreadable record header: missing field");
}

#[test]
fn deep_nesting_in_a_header_is_refused() {
    let mut header = b"\x81\xa1x".to_vec();
    header.extend(std::iter::repeat_n(0x91, 1_000_000));
    let record = Record { erased: false, chain: CHAIN_START, header: &header, payload: &[] };
    assert!(matches!(record.header(), Err(RecordError::Header(_))));
}
