//! Listening under an allocator that aborts on every allocation and every release of memory: once made, neither the
//! callback's tap nor the ear asks for any.

mod listen_support;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use listen_support::piano;
use music_trainer::audio::capture::capture;
use music_trainer::listen::{Awaited, Hearing, NoteEvent, Verifier};
use music_trainer::music::Pitch;
use music_trainer::time::{Frames, Micros, Rate};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn the_tap_and_the_ear_take_no_memory() {
    let melody = [(0.1, 40, 90), (0.5, 60, 80), (0.9, 64, 100), (1.3, 90, 60)];
    let sound = piano(Rate::DEFAULT, &melody, 1.8);
    let (mut tap, mut captured) = capture();
    let mut hearing = Hearing::new(Rate::DEFAULT, 440.0, Frames::ZERO);
    // The second note is one of two that are awaited, so that every onset is asked for both.
    let keys = 1 << 60 | 1 << 67;
    hearing.await_keys(Awaited { keys, needed: keys });
    let (mut on, mut off, mut taken) = (0, 0, 0);
    assert_no_alloc(|| {
        for (index, block) in sound.chunks(300).enumerate() {
            tap.push(Frames(index as i64 * 300), Micros::ZERO, block);
            let mut count = |event: NoteEvent| match event {
                NoteEvent::On { .. } => on += 1,
                NoteEvent::Off { .. } => off += 1,
            };
            let mark = captured.pop(|samples| {
                taken += samples.len();
                hearing.push(samples, &mut count);
            });
            if index == 200 {
                hearing.gap(mark.map_or(Frames::ZERO, |m| m.first), &mut count);
            }
        }
        // More than there is room for is counted, nothing else.
        for _ in 0..300 {
            tap.push(Frames::ZERO, Micros::ZERO, &sound[..300]);
        }
    });
    assert_eq!(taken, sound.len());
    assert!(on >= 3 && off >= 3, "{on} and {off}");
}

#[test]
fn asking_for_notes_takes_no_memory() {
    let sound = piano(Rate::DEFAULT, &[(0.3, 60, 90), (0.3, 64, 90)], 0.8);
    let mut verifier = Verifier::new(Rate::DEFAULT, 440.0);
    let keys = [60, 64, 67].map(|key| Pitch::new(key).expect("a key"));
    let (before, after) = sound.split_at(14_400);
    let answers = assert_no_alloc(|| {
        let verdicts = verifier.verify(before, after, &keys, &[]);
        [0, 1, 2].map(|index| verdicts[index].answer)
    });
    use music_trainer::listen::Answer::{Heard, NotHeard};
    assert_eq!(answers, [Heard, Heard, NotHeard]);
}
