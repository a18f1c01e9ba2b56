//! SoundFonts, and notes played on them.
#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "each target runs one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(
    init: {
        // Where the library's reader panics, the program refuses the file: only a panic that gets through counts, and
        // that ends the run.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    },
    |data: &[u8]| {
        bodies::font(data);
    }
);
