//! Payloads of every schema, and the fold of whatever events a log may hold.
#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "each target runs one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bodies::events(data);
});
