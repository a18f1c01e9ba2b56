//! Payloads as JSON, for people: MessagePack of any schema in, a value to show out.

use serde_json::Value;

/// Bytes shown of a payload that is no MessagePack.
const HEX_BYTES_MAX: usize = 64;

/// The payload as JSON. Bytes that are no MessagePack become `{"undecodable": "…hex…"}`.
pub fn from_payload(bytes: &[u8]) -> Value {
    match rmp_serde::from_slice::<Value>(bytes) {
        Ok(value) => value,
        Err(_) => {
            let hex: String = bytes.iter().take(HEX_BYTES_MAX).map(|byte| format!("{byte:02x}")).collect();
            serde_json::json!({ "undecodable": hex, "bytes": bytes.len() })
        }
    }
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
