//! The whole callback under an allocator that aborts on every allocation and every release of memory.

mod audio_support;
#[path = "audio_support/life.rs"]
mod life;
#[path = "audio_support/sf2.rs"]
#[allow(dead_code, reason = "each test uses some of the fonts")]
mod sf2;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use life::{drive, soundfont, tell_everything};
use music_trainer::audio::piano::Piano;
use music_trainer::time::Rate;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

fn guarded(act: &mut dyn FnMut()) {
    assert_no_alloc(act);
}

#[test]
fn the_callback_takes_and_frees_no_memory() {
    assert!(drive(Box::new(Piano::new(Rate::DEFAULT)), 240, true, &mut guarded) > 0.01);
    assert!(drive(soundfont(Rate::DEFAULT), 120, true, &mut guarded) > 0.001);
}

#[test]
fn full_rings_and_lanes_change_nothing_about_that() {
    assert!(drive(Box::new(Piano::new(Rate::DEFAULT)), 240, false, &mut guarded) > 0.01);
}

#[test]
fn no_instrument_takes_memory_whatever_it_is_told() {
    tell_everything(&mut guarded);
}
