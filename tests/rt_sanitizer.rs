//! The publishing side and the whole audio callback under the real-time sanitizer: whatever allocates, locks, waits or
//! enters the kernel in them ends this program. Only with feature `rtsan`; `./dev test` knows how.
#![cfg(feature = "rtsan")]

mod audio_support;
#[path = "audio_support/life.rs"]
mod life;
#[path = "audio_support/sf2.rs"]
#[allow(dead_code, reason = "each test uses some of the fonts")]
mod sf2;

use std::process::Command;

use music_trainer::audio::piano::Piano;
use music_trainer::bus::lane::{
    ESSENTIAL_SLOTS, EssentialProducer, LatestWriter, Pushed, TraceProducer, essential, latest, trace,
};
use music_trainer::time::{Frames, Micros, Stamp, StreamId};
use rtsan_standalone::nonblocking;

/// In all.
const PUSHES: u64 = 10_000_000;

#[nonblocking]
fn push<T: Copy + Send>(lane: &mut EssentialProducer<T>, stamp: Stamp, body: T) -> Pushed {
    lane.push(stamp, body)
}

fn stamp(at: u64) -> Stamp {
    Stamp { driver: Micros(at as i64), mono: Micros(at as i64), frame: Some(Frames(at as i64)), stream: StreamId(1) }
}

#[test]
fn ten_million_pushes_never_wait_also_into_a_full_ring() {
    rtsan_standalone::ensure_initialized();
    let (mut producer, mut consumer) = essential::<[u8; 4]>(ESSENTIAL_SLOTS);
    let (mut queued, mut lost) = (0u64, 0u64);
    for at in 0..PUSHES {
        match push(&mut producer, stamp(at), [0x90, 60, 80, 0]) {
            Pushed::Queued => queued += 1,
            Pushed::Lost => lost += 1,
        }
        // For half of the time nobody takes anything out.
        if at < PUSHES / 2 && at % 64 == 63 {
            consumer.drain(usize::MAX, |_| {});
        }
    }
    println!("{queued} queued, {lost} counted in a gap");
    assert!(queued > PUSHES / 2 && lost > PUSHES / 3);
}

#[test]
fn the_other_lanes_do_not_wait_either() {
    rtsan_standalone::ensure_initialized();
    #[nonblocking]
    fn write(meter: &mut LatestWriter<[f32; 4]>, value: [f32; 4]) {
        meter.write(value);
    }
    #[nonblocking]
    fn note(log: &mut TraceProducer<u64>, value: u64) {
        log.push(value);
    }
    let (mut meter, _reader) = latest([0.0; 4]);
    let (mut log, _taker) = trace::<u64>(64);
    for at in 0..100_000 {
        write(&mut meter, [at as f32; 4]);
        note(&mut log, at);
    }
}

#[nonblocking]
fn guarded(act: &mut dyn FnMut()) {
    act();
}

#[test]
fn the_callback_never_waits_whatever_it_is_told() {
    rtsan_standalone::ensure_initialized();
    let rate = music_trainer::time::Rate::DEFAULT;
    assert!(life::drive(Box::new(Piano::new(rate)), 480, true, &mut guarded) > 0.01);
    assert!(life::drive(life::soundfont(rate), 240, true, &mut guarded) > 0.001);
    life::tell_everything(&mut guarded);
    assert!(life::drive(Box::new(Piano::new(rate)), 240, false, &mut guarded) > 0.01);
}

#[nonblocking]
fn allocates() -> usize {
    std::hint::black_box(vec![1u8; 100]).len()
}

#[test]
fn child() {
    // Does something only when started by the test below.
    if std::env::var_os("RTSAN_CHILD").is_some() {
        rtsan_standalone::ensure_initialized();
        println!("{}", allocates());
    }
}

#[test]
fn an_allocation_would_be_caught() {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--nocapture"])
        .env("RTSAN_CHILD", "1")
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(!child.status.success() && said.contains("RealtimeSanitizer"), "{} {said}", child.status);
}
