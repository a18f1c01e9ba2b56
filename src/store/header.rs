//! A record's header as MessagePack with named fields. Reading goes through serde, which skips what it does not know;
//! writing is by hand, because every played note pays for it, and gives the same bytes that serde would.

use serde::Deserialize;

use crate::bus::storage::{DeviceId, EventId, Header};
use crate::time::{Frames, Micros, Stamp, StreamId};

/// Nested values deeper than this are refused; our own headers are two deep.
const DEPTH_MAX: usize = 32;

/// Appends the header to `out`.
pub(super) fn write(header: &Header, out: &mut Vec<u8>) {
    let optional = [header.base.is_some(), header.stamp.is_some(), header.cause.is_some()];
    map(10 + optional.iter().filter(|there| **there).count(), out);
    field("seq", out);
    uint(header.seq, out);
    field("device", out);
    uint(header.id.device.0, out);
    field("device_seq", out);
    uint(header.id.device_seq, out);
    field("topic", out);
    text(&header.topic, out);
    field("entity", out);
    text(&header.entity, out);
    field("version", out);
    uint(header.version, out);
    if let Some(base) = header.base {
        field("base", out);
        id(base, out);
    }
    field("hlc", out);
    uint(header.hlc, out);
    if let Some(at) = header.stamp {
        field("stamp", out);
        stamp(at, out);
    }
    if let Some(cause) = header.cause {
        field("cause", out);
        id(cause, out);
    }
    field("actor", out);
    text(&header.actor, out);
    field("schema", out);
    text(&header.schema, out);
    field("schema_version", out);
    uint(header.schema_version.into(), out);
}

fn stamp(at: Stamp, out: &mut Vec<u8>) {
    map(3 + usize::from(at.frame.is_some()), out);
    field("driver", out);
    int(at.driver.0, out);
    field("mono", out);
    int(at.mono.0, out);
    if let Some(frame) = at.frame {
        field("frame", out);
        int(frame.0, out);
    }
    field("stream", out);
    uint(at.stream.0.into(), out);
}

fn id(id: EventId, out: &mut Vec<u8>) {
    out.push(0x92);
    uint(id.device.0, out);
    uint(id.device_seq, out);
}

/// A map of less than 16 fields.
fn map(fields: usize, out: &mut Vec<u8>) {
    out.push(0x80 | fields as u8);
}

/// A name of less than 32 bytes.
fn field(name: &str, out: &mut Vec<u8>) {
    out.push(0xa0 | name.len() as u8);
    out.extend_from_slice(name.as_bytes());
}

fn text(text: &str, out: &mut Vec<u8>) {
    let length = text.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..32), _) => out.push(0xa0 | short),
        (Ok(length), _) => out.extend_from_slice(&[0xd9, length]),
        (_, Ok(length)) => prefixed(0xda, &length.to_be_bytes(), out),
        // A header beyond u32 is refused by its length field.
        _ => prefixed(0xdb, &(length as u32).to_be_bytes(), out),
    }
    out.extend_from_slice(text.as_bytes());
}

fn uint(n: u64, out: &mut Vec<u8>) {
    match (u8::try_from(n), u16::try_from(n), u32::try_from(n)) {
        (Ok(small @ ..128), ..) => out.push(small),
        (Ok(n), ..) => out.extend_from_slice(&[0xcc, n]),
        (_, Ok(n), _) => prefixed(0xcd, &n.to_be_bytes(), out),
        (_, _, Ok(n)) => prefixed(0xce, &n.to_be_bytes(), out),
        _ => prefixed(0xcf, &n.to_be_bytes(), out),
    }
}

fn int(n: i64, out: &mut Vec<u8>) {
    match (u64::try_from(n), i8::try_from(n), i16::try_from(n), i32::try_from(n)) {
        (Ok(n), ..) => uint(n, out),
        (_, Ok(small @ -32..), ..) => out.push(small.to_be_bytes()[0]),
        (_, Ok(n), ..) => prefixed(0xd0, &n.to_be_bytes(), out),
        (_, _, Ok(n), _) => prefixed(0xd1, &n.to_be_bytes(), out),
        (_, _, _, Ok(n)) => prefixed(0xd2, &n.to_be_bytes(), out),
        _ => prefixed(0xd3, &n.to_be_bytes(), out),
    }
}

fn prefixed(mark: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(mark);
    out.extend_from_slice(bytes);
}

/// Reads a header; total. Unknown fields are skipped.
pub(super) fn read(bytes: &[u8]) -> Result<Header, String> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(DEPTH_MAX);
    Ok(Fields::deserialize(&mut deserializer).map_err(|e| e.to_string())?.header())
}

/// A header by name, as serde sees it.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct Fields<'a> {
    seq: u64,
    device: u64,
    device_seq: u64,
    topic: &'a str,
    entity: &'a str,
    version: u64,
    #[serde(default)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    base: Option<(u64, u64)>,
    hlc: u64,
    #[serde(default)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    stamp: Option<StampFields>,
    #[serde(default)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    cause: Option<(u64, u64)>,
    actor: &'a str,
    schema: &'a str,
    schema_version: u16,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct StampFields {
    driver: i64,
    mono: i64,
    #[serde(default)]
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    frame: Option<i64>,
    stream: u32,
}

impl<'a> Fields<'a> {
    #[cfg(test)]
    fn of(header: &'a Header) -> Self {
        let pair = |id: &EventId| (id.device.0, id.device_seq);
        Self {
            seq: header.seq,
            device: header.id.device.0,
            device_seq: header.id.device_seq,
            topic: &header.topic,
            entity: &header.entity,
            version: header.version,
            base: header.base.as_ref().map(pair),
            hlc: header.hlc,
            stamp: header.stamp.map(|s| StampFields {
                driver: s.driver.0,
                mono: s.mono.0,
                frame: s.frame.map(|f| f.0),
                stream: s.stream.0,
            }),
            cause: header.cause.as_ref().map(pair),
            actor: &header.actor,
            schema: &header.schema,
            schema_version: header.schema_version,
        }
    }

    fn header(&self) -> Header {
        let id = |(device, device_seq): (u64, u64)| EventId { device: DeviceId(device), device_seq };
        Header {
            seq: self.seq,
            id: id((self.device, self.device_seq)),
            topic: self.topic.into(),
            entity: self.entity.into(),
            version: self.version,
            base: self.base.map(id),
            hlc: self.hlc,
            stamp: self.stamp.as_ref().map(|s| Stamp {
                driver: Micros(s.driver),
                mono: Micros(s.mono),
                frame: s.frame.map(Frames),
                stream: StreamId(s.stream),
            }),
            cause: self.cause.map(id),
            actor: self.actor.into(),
            schema: self.schema.into(),
            schema_version: self.schema_version,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::record::tests::any_event;
    use super::*;

    proptest! {
        #[test]
        fn the_hand_writes_what_serde_writes(event in any_event(), near in any::<i8>(), shift in 0u32..64) {
            let mut header = event.header;
            // Numbers around every boundary of the format.
            header.seq = (1u64 << shift).wrapping_add_signed(near.into());
            if let Some(stamp) = &mut header.stamp {
                stamp.mono = Micros((header.seq as i64).wrapping_neg());
            }
            let mut written = Vec::new();
            write(&header, &mut written);
            prop_assert_eq!(&written, &rmp_serde::to_vec_named(&Fields::of(&header)).expect("serde writes"));
            prop_assert_eq!(read(&written), Ok(header));
        }
    }

    #[test]
    fn long_names_are_written_as_serde_writes_them() {
        let header = read(&{
            let mut written = Vec::new();
            write(&example(String::new()), &mut written);
            written
        });
        assert_eq!(header, Ok(example(String::new())));
        for length in [31, 32, 255, 256, 65_535, 65_536, 100_000] {
            let header = example("x".repeat(length));
            let mut written = Vec::new();
            write(&header, &mut written);
            assert_eq!(written, rmp_serde::to_vec_named(&Fields::of(&header)).expect("serde writes"), "{length}");
        }
    }

    fn example(entity: String) -> Header {
        let id = EventId { device: DeviceId(1), device_seq: 1 };
        let (topic, actor, schema) = ("t".into(), "a".into(), "s".into());
        let (base, stamp, cause) = (None, None, None);
        Header {
            seq: 1,
            id,
            topic,
            entity: entity.into(),
            version: 1,
            base,
            hlc: 1,
            stamp,
            cause,
            actor,
            schema,
            schema_version: 1,
        }
    }
}
