//! Starts and ends: dampers, silence, stealing, and that none of them clicks.

use super::*;

/// The largest step between neighbouring frames of a channel, between two times in seconds.
fn largest_step(channels: &[Vec<f32>; 2], from: f64, to: f64) -> f32 {
    let steps = channels.iter().flat_map(|c| c[seconds(from)..seconds(to)].windows(2).map(|w| (w[1] - w[0]).abs()));
    steps.fold(0.0, f32::max)
}

/// Whether an act at one second steps no further than the sound did just before, beyond a faint noise of felt.
fn check_no_click(name: &str, piano: &mut Piano, mut acts: Vec<(usize, Act)>, act: Act) {
    acts.push((seconds(1.0), act));
    let sound = render_blocks(piano, &acts, seconds(1.3), &[128]);
    let (before, after) = (largest_step(&sound, 0.9, 1.0), largest_step(&sound, 0.999, 1.3));
    assert!(after < 1.15 * before + 0.002, "{name}: a step of {after} after {before}");
}

#[test]
fn nothing_clicks() {
    for k in [24, 36, 48, 60, 72, 84] {
        let held = vec![(0, Act::On(k, 110))];
        let mut piano = Piano::new(Rate::DEFAULT);
        check_no_click(&format!("release of {k}"), &mut piano, held.clone(), Act::Off(k));
        let mut piano = Piano::new(Rate::DEFAULT);
        check_no_click(&format!("silence of {k}"), &mut piano, held.clone(), Act::Silence);
        let mut piano = Piano::new(Rate::DEFAULT);
        check_no_click(&format!("{k} struck again"), &mut piano, held.clone(), Act::On(k, 2));
        let mut piano = Piano::with(Rate::DEFAULT, 1, 440.0);
        check_no_click(&format!("{k} stolen"), &mut piano, held.clone(), Act::On(k + 1, 2));
        let mut piano = Piano::new(Rate::DEFAULT);
        let released = vec![held[0], (100, Act::Pedal(Pedal::Sustain(127))), (200, Act::Off(k))];
        check_no_click(&format!("pedal up on {k}"), &mut piano, released, Act::Pedal(Pedal::Sustain(0)));
    }
}

#[test]
fn a_blow_begins_without_a_step() {
    for k in [21, 40, 60, 80, 108] {
        let sound = render(&[(100, Act::On(k, 127))], 2_000);
        assert!(sound.iter().all(|c| c[..100].iter().all(|&x| x == 0.0)), "key {k} begins at its frame");
        assert!(sound.iter().all(|c| c[100].abs() < 0.01), "key {k} begins softly");
        assert!(sound.iter().any(|c| c[100..110].iter().any(|&x| x != 0.0)), "key {k} begins at once");
    }
}

#[test]
fn the_damper_silences_within_its_time_and_not_above_key_88() {
    for k in [21, 30, 45, 60, 75, 88] {
        let sound = render(&[(0, Act::On(k, 100)), (seconds(0.3), Act::Off(k))], seconds(1.0));
        // The strings are silent after 120 ms at most; what is left is the soundboard.
        let fall = level(&sound, 0.25, 0.3) - level(&sound, 0.42, 0.47);
        assert!(fall > 24.0, "key {k} fell by {fall} dB only");
        let fall = level(&sound, 0.25, 0.3) - level(&sound, 0.8, 0.85);
        assert!(fall > 50.0, "key {k} fell by {fall} dB only");
    }
    for k in [89, 96] {
        let held = render(&[(0, Act::On(k, 100))], seconds(0.6));
        let released = render(&[(0, Act::On(k, 100)), (seconds(0.1), Act::Off(k))], seconds(0.6));
        let faint = held.iter().flatten().zip(released.iter().flatten()).map(|(a, b)| (a - b).abs());
        assert!(faint.fold(0.0, f32::max) < 0.001, "key {k} has no damper, only the wood of a key coming up");
    }
}

#[test]
fn a_damped_voice_frees_itself_within_120_ms() {
    let mut piano = Piano::new(Rate::DEFAULT);
    (21..=88).step_by(2).for_each(|k| perform(&mut piano, Act::On(k, 90)));
    render_blocks(&mut piano, &[], seconds(0.2), &[128]);
    assert_eq!(piano.voices(), 34);
    (21..=88).step_by(2).for_each(|k| perform(&mut piano, Act::Off(k)));
    render_blocks(&mut piano, &[], seconds(0.121), &[128]);
    assert_eq!(piano.voices(), 0);
}

#[test]
fn silence_ends_one_part_within_milliseconds_and_leaves_the_other() {
    let acts = [(0, Act::On(60, 110)), (0, Act::Pedal(Pedal::Sustain(127))), (seconds(0.5), Act::Silence)];
    let sound = render(&acts, seconds(0.6));
    assert!(sound.iter().all(|c| c[seconds(0.5055)..].iter().all(|&x| x == 0.0)), "all is silent after 5 ms");

    let accompaniment = [(0, Act::Accompany(48, 90)), (0, Act::Accompany(60, 90))];
    let alone = render(&accompaniment, seconds(0.6));
    let mut both = accompaniment.to_vec();
    both.extend([(0, Act::On(60, 110)), (seconds(0.2), Act::Off(60)), (seconds(0.3), Act::Silence)]);
    let sound = render(&both, seconds(0.6));
    for (a, b) in alone.iter().flatten().zip(sound.iter().flatten()).skip(seconds(0.3055)).take(seconds(0.29)) {
        assert_eq!(a, b, "the accompaniment sounds as if alone");
    }
}

#[test]
fn two_parts_on_one_key_do_not_release_each_other() {
    let mut piano = Piano::new(Rate::DEFAULT);
    let acts = [(0, Act::On(60, 80)), (0, Act::Accompany(60, 80)), (4_800, Act::Off(60))];
    render_blocks(&mut piano, &acts, seconds(0.5), &[128]);
    assert_eq!(piano.voices(), 1, "the accompaniment still sounds");
    piano.pedal(Part::LIVE, Pedal::Sustain(127));
    perform(&mut piano, Act::AccompanyOff(60));
    render_blocks(&mut piano, &[], seconds(0.5), &[128]);
    assert_eq!(piano.voices(), 0, "the pedal of one part does not hold the other");
}

#[test]
fn a_key_struck_again_keeps_to_one_voice() {
    let mut piano = Piano::new(Rate::DEFAULT);
    for at in 0..50 {
        piano.note_on(Part::LIVE, key(60), 40 + at);
        render_blocks(&mut piano, &[], 777, &[128]);
        assert_eq!(piano.voices(), 1);
    }
}

#[test]
fn the_quietest_voice_is_stolen() {
    let mut piano = Piano::with(Rate::DEFAULT, 3, 440.0);
    for (k, velocity) in [(40, 100), (50, 10), (60, 100), (70, 100)] {
        piano.note_on(Part::LIVE, key(k), velocity);
        render_blocks(&mut piano, &[], 1_000, &[128]);
    }
    let keys: Vec<u8> = piano.voices.iter().map(|voice| voice.key).collect();
    assert_eq!(keys, [40, 70, 60]);
}

#[test]
fn a_minute_of_tail_ends_in_silence_without_denormals() {
    let mut piano = Piano::new(Rate::DEFAULT);
    let mut acts = vec![(0, Act::Pedal(Pedal::Sustain(127))), (0, Act::Accompany(21, 127))];
    acts.extend((21..=108).step_by(4).map(|k| (usize::from(k) * 100, Act::On(k, 127))));
    let sound = render_blocks(&mut piano, &acts, seconds(60.0), &[4_096]);
    for (frame, x) in sound.iter().flatten().enumerate() {
        assert!(x.is_finite() && !x.is_subnormal(), "{x} at frame {frame}");
    }
    assert_eq!(piano.voices(), 0, "all voices have ended");
    assert!(sound.iter().all(|c| c[seconds(59.0)..].iter().all(|&x| x == 0.0)), "exact silence");
}

#[test]
fn strings_that_ring_along_are_bounded_work_and_none_at_rest() {
    let work = |acts: &[Act]| {
        let mut piano = Piano::new(Rate::DEFAULT);
        acts.iter().for_each(|act| perform(&mut piano, *act));
        render_blocks(&mut piano, &[], 640, &[128]);
        piano.parts[0].strings.work
    };
    let pedal = Act::Pedal(Pedal::Sustain(127));
    assert_eq!(work(&[Act::Pedal(Pedal::Sustain(36))]), 0, "nothing has been struck, and no felt brushed them");
    let most = strings::Strings::ROWS_MAX * PIECE;
    assert!((1..=most).contains(&work(&[pedal])), "the felts did");
    assert_eq!(work(&[pedal, Act::On(60, 90)]), most, "every string answers");
    let chord: Vec<Act> = [pedal].into_iter().chain((40..104).map(|k| Act::On(k, 127))).collect();
    assert_eq!(work(&chord), most, "and no more of them, however many are struck");
    // Without the pedal: the key that is down, and the twenty that have no damper.
    assert_eq!(work(&[Act::On(60, 90)]), 21 * PIECE);

    let mut piano = Piano::new(Rate::DEFAULT);
    perform(&mut piano, Act::On(60, 90));
    render_blocks(&mut piano, &[(4_800, Act::Off(60))], seconds(20.0), &[4_096]);
    assert!(piano.parts[0].strings.at_rest(), "all come to rest");
}
