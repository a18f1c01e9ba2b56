//! Checked values, state rows, and what the small tables hold at the start of a bus.
#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "each target runs one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bodies::rows(data);
});
