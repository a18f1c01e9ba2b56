//! The tracker, the tuner and the listener on made signals: looks or sines in, notes and readings out.

use super::*;
use crate::time::{Frames, Rate};

const RATE: Rate = Rate(48_000);

/// A sine with two overtones from each `(hertz, seconds, gain)`, one after the other.
fn tones(parts: &[(f64, f64, f32)]) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut phase = 0.0_f64;
    for (hertz, seconds, gain) in parts {
        for _ in 0..(seconds * 48_000.0) as usize {
            phase += std::f64::consts::TAU * hertz / 48_000.0;
            let value = phase.sin() + 0.5 * (2.0 * phase).sin() + 0.25 * (3.0 * phase).sin();
            samples.push(gain * 0.5 * value as f32);
        }
    }
    samples
}

/// What is told of a signal that begins at frame 0.
fn notes(samples: &[f32]) -> Vec<NoteEvent> {
    let mut told = Vec::new();
    Listener::new(RATE, 440.0, Frames::ZERO).push(samples, &mut |event| told.push(event));
    told
}

fn keys(events: &[NoteEvent]) -> Vec<(bool, u8)> {
    let key = |event: &NoteEvent| match event {
        NoteEvent::On { pitch, .. } => (true, pitch.key()),
        NoteEvent::Off { pitch, .. } => (false, pitch.key()),
    };
    events.iter().map(key).collect()
}

#[test]
fn a_melody_becomes_notes_that_begin_and_end() {
    let melody = [(0.0, 0.3, 0.0), (440.0, 0.4, 0.3), (0.0, 0.3, 0.0), (523.25, 0.4, 0.3), (0.0, 0.3, 0.0)];
    let told = notes(&tones(&melody));
    assert_eq!(keys(&told), [(true, 69), (false, 69), (true, 72), (false, 72)]);
    for (event, begins) in told.iter().filter(|e| matches!(e, NoteEvent::On { .. })).zip([14_400, 48_000]) {
        let NoteEvent::On { at, confidence, .. } = event else { continue };
        assert!((at.0 - begins).abs() < 128, "{event:?}, not at {begins}");
        assert!(*confidence > 0.9, "{event:?}");
    }
}

#[test]
fn a_slur_is_two_notes_and_vibrato_is_one() {
    let slur = notes(&tones(&[(0.0, 0.2, 0.0), (440.0, 0.5, 0.3), (493.88, 0.5, 0.3)]));
    assert_eq!(keys(&slur), [(true, 69), (false, 69), (true, 71)]);
    let mut trembling = vec![(0.0, 0.2, 0.0)];
    // 40 cents to either side, six times a second.
    trembling.extend((0..200).map(|i| (440.0 * (40.0 / 1200.0 * (0.188 * f64::from(i)).sin()).exp2(), 0.005, 0.3)));
    assert_eq!(keys(&notes(&tones(&trembling))), [(true, 69)]);
}

#[test]
fn louder_is_a_higher_velocity_and_noise_is_no_note() {
    let velocity = |gain| match notes(&tones(&[(0.0, 0.2, 0.0), (440.0, 0.4, gain)]))[0] {
        NoteEvent::On { velocity, .. } => velocity,
        NoteEvent::Off { .. } => 0,
    };
    let (soft, loud) = (velocity(0.02), velocity(0.6));
    assert!(soft > 0 && loud > soft + 40, "{soft} {loud}");
    let mut state = 1_u32;
    let noise: Vec<f32> = (0..96_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.2 * (state >> 8) as f32 / (1 << 23) as f32 - 0.2
        })
        .collect();
    assert_eq!(notes(&noise), []);
    assert_eq!(notes(&[f32::NAN; 20_000]), []);
}

#[test]
fn a_gap_ends_what_sounds_and_frames_go_on_after_it() {
    let tone = tones(&[(0.0, 0.2, 0.0), (440.0, 0.4, 0.3)]);
    let mut told = Vec::new();
    let mut listener = Listener::new(RATE, 440.0, Frames::ZERO);
    listener.push(&tone, &mut |event| told.push(event));
    listener.gap(Frames(1_000_000), &mut |event| told.push(event));
    listener.push(&tone, &mut |event| told.push(event));
    assert_eq!(keys(&told), [(true, 69), (false, 69), (true, 69)]);
    let Some(NoteEvent::On { at, .. }) = told.last() else { panic!("{told:?}") };
    assert!((at.0 - 1_009_600).abs() < 128, "{at}");
}

#[test]
fn the_tuner_holds_still_and_says_when_it_is_not_sure() {
    let mut listener = Listener::new(RATE, 440.0, Frames::ZERO);
    assert_eq!(listener.reading().note, None);
    listener.push(&tones(&[(446.0, 1.0, 0.3)]), &mut |_| {});
    let tone = listener.reading().note.expect("a note");
    let cents = 1_200.0 * (446.0_f64 / 440.0).log2();
    assert!(tone.steady && tone.pitch.key() == 69 && (tone.cents - cents).abs() < 0.5, "{tone:?}");
    // A glide of a fifth in a second is no steady note.
    let glide: Vec<_> = (0..200).map(|i| (440.0 * (f64::from(i) / 200.0 * 7.0 / 12.0).exp2(), 0.005, 0.3)).collect();
    listener.push(&tones(&glide), &mut |_| {});
    assert!(listener.reading().note.is_none_or(|tone| !tone.steady), "{:?}", listener.reading());
    listener.push(&[0.0; 24_000], &mut |_| {});
    assert_eq!(listener.reading().note, None);
    assert!(listener.reading().level < -100.0);
}

#[test]
fn another_tuning_moves_the_cents_and_not_the_hertz() {
    let mut listener = Listener::new(RATE, 415.0, Frames::ZERO);
    listener.push(&tones(&[(415.0, 0.6, 0.3)]), &mut |_| {});
    let tone = listener.reading().note.expect("a note");
    assert!(tone.pitch.key() == 69 && tone.cents.abs() < 0.5 && (tone.hertz - 415.0).abs() < 0.2, "{tone:?}");
}

#[test]
fn a_verdict_says_which_partials_carried_it() {
    let mut verifier = Verifier::new(RATE, 440.0);
    let after = tones(&[(261.63, 0.3, 0.3)]);
    let asked = [60, 61].map(|key| crate::music::Pitch::new(key).expect("a key"));
    let verdicts = verifier.verify(&[], &after, &asked, &[]);
    assert_eq!((verdicts[0].answer, verdicts[1].answer), (Answer::Heard, Answer::NotHeard));
    assert!(verdicts[0].partials[..3].iter().all(|p| p.evidence > 0.9), "{:?}", verdicts[0].partials);
    assert!(verdicts[1].partials.iter().all(|p| p.evidence < 0.1), "{:?}", verdicts[1].partials);
    // What sounded before as loud has not been struck.
    let held = tones(&[(261.63, 0.6, 0.3)]);
    let (before, after) = held.split_at(14_400);
    assert_eq!(verifier.verify(before, after, &asked[..1], &[])[0].answer, Answer::NotHeard);
}

#[test]
fn the_programs_own_sound_is_told_by_when_it_was_struck_and_what_is_written() {
    let pitch = |key| crate::music::Pitch::new(key).expect("a key");
    let at = |millis| crate::time::Micros::from_millis(millis);
    let mut echo = Echo::default();
    echo.note(at(1_000), pitch(60), Written { now: 1 << 64, soon: 1 << 64 | 1 << 36 });
    echo.note(at(1_000), pitch(64), Written { now: 1 << 64, soon: 1 << 64 | 1 << 36 });
    let own = |echo: &Echo, key, millis| echo.is_own(pitch(key), at(millis), at(20));
    assert!(own(&echo, 60, 1_000) && own(&echo, 60, 1_100), "as soon and as late as it may be heard");
    assert!(!own(&echo, 60, 960) && !own(&echo, 60, 1_200), "earlier and later it is a person's");
    assert!(!own(&echo, 61, 1_000) && !own(&echo, 48, 1_000) && !own(&echo, 72, 1_000), "other keys are");
    assert!(!own(&echo, 64, 1_000), "and one that the person has to play there");
    assert!(!own(&echo, 36, 1_300), "the deep voice of C and E, which is written");
    echo.note(at(4_000), pitch(60), Written::default());
    assert!(!own(&echo, 36, 4_000), "one partial is no deep voice");
    echo.played(at(4_100), pitch(64));
    assert!(own(&echo, 36, 4_300) && !own(&echo, 36, 7_000), "two are, while they ring");
    for _ in 0..1_000 {
        echo.click(at(9_000), 1_400.0, 440.0, Written::default());
    }
    assert!(own(&echo, 89, 9_000) && !own(&echo, 60, 4_000), "the oldest is forgotten");
}
