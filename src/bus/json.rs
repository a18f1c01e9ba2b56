//! Payloads as JSON, for people: MessagePack of any schema in, a value to show out.

use serde_json::Value;

/// Bytes shown of a payload that is no MessagePack.
const HEX_BYTES_MAX: usize = 64;

/// The payload as JSON. Bytes that are no MessagePack become `{"undecodable": "…hex…"}`.
pub fn from_payload(bytes: &[u8]) -> Value {
    match rmp_serde::from_slice::<Value>(bytes) {
        Ok(value) => value,
        Err(_) => {
            let start = hex(&bytes[..bytes.len().min(HEX_BYTES_MAX)]);
            serde_json::json!({ "undecodable": start, "bytes": bytes.len() })
        }
    }
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_show_their_fields_and_garbage_shows_as_hex() {
        let payload = rmp_serde::to_vec_named(&serde_json::json!({"pitch": 60, "on": true})).expect("encodes");
        assert_eq!(from_payload(&payload), serde_json::json!({"pitch": 60, "on": true}));
        assert_eq!(from_payload(&[0xc1, 2]), serde_json::json!({"undecodable": "c102", "bytes": 2}));
    }
}
