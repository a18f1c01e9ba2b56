//! Keys and checked values of every table but the log: bytes in and out, no database here.
//!
//! Every value is `check, content`: the check is the first 8 bytes of BLAKE3(table name, 0, length of the key as u32,
//! key, content), so that a value that was changed, or that stands in another's place, is found. LMDB's own pages
//! carry no checksums.
//!
//! | table | key | content |
//! | --- | --- | --- |
//! | `log` | seq, u64 big-endian | a record ([`super::record`]), which has the chain instead of a check |
//! | `by_entity` | first 8 bytes of the entity's BLAKE3, version, seq, both u64 big-endian | none, nor a check |
//! | `state` | entity, then 0; a name longer than 490 bytes: its first 490, then 1 and 16 bytes of its BLAKE3 | see below |
//! | `cursors` `pending` `dead_letters` `private` `outbox` `meta` | as given, 1 to 400 bytes | as given |
//! | `snapshots` | seq, u64 big-endian; for a row of the state also its `state` key | how many rows, u64 big-endian; the row's `state` content |
//!
//! State content, format 1: the format byte; a flag byte (bit 0: there is a value); version, device and `device_seq`
//! as u64 little-endian; the lengths of topic (u16) and entity (u32), little-endian; topic; entity; value.
//! `by_entity` keeps the seq in its key, so that two entities with one hash only share a neighbourhood: a reader
//! compares the entity in the record.

use crate::bus::storage::{DeviceId, EventId, StateRow};

/// Bytes of a check.
pub const CHECK: usize = 8;
/// The longest key of a small table.
pub const KEY_MAX: usize = 400;
/// Entity names up to this length stand in the key of `state` as they are.
const ENTITY_WHOLE: usize = 490;
/// The format of `state` content.
const STATE_FORMAT: u8 = 1;

fn check(table: &str, key: &[u8], content: &[u8]) -> [u8; CHECK] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(table.as_bytes()).update(&[0]).update(&(key.len() as u32).to_le_bytes()).update(key).update(content);
    let mut out = [0; CHECK];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK]);
    out
}

/// Puts the value for `content` into `out`, replacing what was there.
pub fn seal(table: &str, key: &[u8], content: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&check(table, key, content));
    out.extend_from_slice(content);
}

/// The content of a value, or what is wrong with it.
pub fn unseal<'a>(table: &str, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], String> {
    match value.split_first_chunk::<CHECK>() {
        None => Err(format!("a value of {} bytes, shorter than its check", value.len())),
        Some((stored, content)) if *stored == check(table, key, content) => Ok(content),
        Some(_) => Err("the value does not fit its check".into()),
    }
}

/// The key of an event in the log.
pub fn log_key(seq: u64) -> [u8; 8] {
    seq.to_be_bytes()
}

/// What `by_entity` keys of an entity begin with.
pub fn entity_hash(entity: &str) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&blake3::hash(entity.as_bytes()).as_bytes()[..8]);
    out
}

/// A key of `by_entity`.
pub fn by_entity_key(hash: [u8; 8], version: u64, seq: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&hash);
    key[8..16].copy_from_slice(&version.to_be_bytes());
    key[16..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// Hash, version and seq of a key of `by_entity`.
pub fn parse_by_entity(key: &[u8]) -> Option<([u8; 8], u64, u64)> {
    let (hash, rest) = key.split_first_chunk::<8>()?;
    let (version, rest) = rest.split_first_chunk::<8>()?;
    let seq = <[u8; 8]>::try_from(rest).ok()?;
    Some((*hash, u64::from_be_bytes(*version), u64::from_be_bytes(seq)))
}

/// Puts the `state` key of an entity into `out`, replacing what was there. Order of keys is order of names.
pub fn state_key(entity: &str, out: &mut Vec<u8>) {
    out.clear();
    let name = entity.as_bytes();
    if name.len() <= ENTITY_WHOLE {
        out.extend_from_slice(name);
        out.push(0);
    } else {
        out.extend_from_slice(&name[..ENTITY_WHOLE]);
        out.push(1);
        out.extend_from_slice(&blake3::hash(name).as_bytes()[..16]);
    }
}

/// Puts the content of a `state` value into `out`, replacing what was there.
pub fn encode_state(row: &StateRow, out: &mut Vec<u8>) -> Result<(), String> {
    let topic_len = u16::try_from(row.topic.len()).map_err(|_| format!("a topic of {} bytes", row.topic.len()))?;
    let entity_len = u32::try_from(row.entity.len()).map_err(|_| format!("an entity of {} bytes", row.entity.len()))?;
    out.clear();
    out.extend_from_slice(&[STATE_FORMAT, u8::from(row.value.is_some())]);
    for number in [row.version, row.last.device.0, row.last.device_seq] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&topic_len.to_le_bytes());
    out.extend_from_slice(&entity_len.to_le_bytes());
    out.extend_from_slice(row.topic.as_bytes());
    out.extend_from_slice(row.entity.as_bytes());
    out.extend_from_slice(row.value.as_deref().unwrap_or_default());
    Ok(())
}

/// The row in a `state` content; total.
pub fn decode_state(content: &[u8]) -> Result<StateRow, String> {
    let (&[format, flags], _) = content.split_first_chunk::<2>().ok_or("an empty row")?;
    if format != STATE_FORMAT || flags > 1 {
        return Err(format!("state format {format}, flags {flags:#04x}; this program reads {STATE_FORMAT}"));
    }
    parse_state(&content[2..], flags == 1).ok_or_else(|| format!("a row of {} bytes that breaks off", content.len()))
}

fn parse_state(rest: &[u8], has_value: bool) -> Option<StateRow> {
    let (version, rest) = rest.split_first_chunk::<8>()?;
    let (device, rest) = rest.split_first_chunk::<8>()?;
    let (device_seq, rest) = rest.split_first_chunk::<8>()?;
    let (topic_len, rest) = rest.split_first_chunk::<2>()?;
    let (entity_len, rest) = rest.split_first_chunk::<4>()?;
    let (topic, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*topic_len)))?;
    let (entity, value) = rest.split_at_checked(u32::from_le_bytes(*entity_len) as usize)?;
    Some(StateRow {
        entity: std::str::from_utf8(entity).ok()?.into(),
        version: u64::from_le_bytes(*version),
        last: EventId { device: DeviceId(u64::from_le_bytes(*device)), device_seq: u64::from_le_bytes(*device_seq) },
        topic: std::str::from_utf8(topic).ok()?.into(),
        value: has_value.then(|| value.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_row() -> impl Strategy<Value = StateRow> {
        let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..200));
        (".{0,600}", any::<u64>(), any::<(u64, u64)>(), ".{0,30}", value).prop_map(
            |(entity, version, (device, device_seq), topic, value)| StateRow {
                entity: entity.into(),
                version,
                last: EventId { device: DeviceId(device), device_seq },
                topic: topic.into(),
                value,
            },
        )
    }

    proptest! {
        #[test]
        fn a_state_row_is_read_as_it_was_written(row in any_row()) {
            let mut content = Vec::new();
            encode_state(&row, &mut content).expect("short names");
            prop_assert_eq!(decode_state(&content), Ok(row));
        }

        #[test]
        fn any_state_content_is_read_or_refused(mut content in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_state(&content);
            if let [format, flags, ..] = content.as_mut_slice() {
                (*format, *flags) = (STATE_FORMAT, *flags & 1);
            }
            let _ = decode_state(&content);
        }

        #[test]
        fn no_changed_bit_of_a_value_goes_unnoticed(
            key in prop::collection::vec(any::<u8>(), 1..40),
            content in prop::collection::vec(any::<u8>(), 0..100),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut value = Vec::new();
            seal("cursors", &key, &content, &mut value);
            prop_assert_eq!(unseal("cursors", &key, &value), Ok(content.as_slice()));
            prop_assert!(unseal("pending", &key, &value).is_err(), "another table");
            let at = at.index(value.len());
            value[at] ^= 1 << bit;
            prop_assert!(unseal("cursors", &key, &value).is_err(), "byte {at} bit {bit}");
        }

        #[test]
        fn state_keys_keep_names_apart_and_in_order(a in "[a-c/]{0,8}", b in "[a-c/]{0,8}", long in 0usize..3) {
            let lengthen = |name: &str| format!("{}{name}", "x".repeat(long * 245));
            let (a, b) = (lengthen(&a), lengthen(&b));
            let (mut key_a, mut key_b) = (Vec::new(), Vec::new());
            state_key(&a, &mut key_a);
            state_key(&b, &mut key_b);
            prop_assert_eq!(key_a == key_b, a == b);
            prop_assert!((1..=511).contains(&key_a.len()));
            if a.len() <= ENTITY_WHOLE && b.len() <= ENTITY_WHOLE {
                prop_assert_eq!(key_a.cmp(&key_b), a.cmp(&b));
            }
        }

        #[test]
        fn a_by_entity_key_gives_back_what_it_holds(hash in any::<[u8; 8]>(), version in any::<u64>(), seq in any::<u64>()) {
            prop_assert_eq!(parse_by_entity(&by_entity_key(hash, version, seq)), Some((hash, version, seq)));
        }
    }
}
