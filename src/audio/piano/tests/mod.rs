//! The piano judged by what it renders: what keys and pedals keep, that nothing clicks, and that blocks do not matter.

use super::*;

mod sound;
mod steps;

pub(super) const RATE: usize = 48_000;

/// What happens at a frame.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    On(u8, u8),
    Off(u8),
    Pedal(Pedal),
    Silence,
    Accompany(u8, u8),
    AccompanyOff(u8),
    SilenceAccompaniment,
}

pub(super) fn key(key: u8) -> Pitch {
    Pitch::new(key).expect("a MIDI key")
}

pub(super) fn seconds(seconds: f64) -> usize {
    (seconds * RATE as f64) as usize
}

pub(super) fn perform(piano: &mut Piano, act: Act) {
    match act {
        Act::On(k, velocity) => piano.note_on(Part::LIVE, key(k), velocity),
        Act::Off(k) => piano.note_off(Part::LIVE, key(k)),
        Act::Pedal(pedal) => piano.pedal(Part::LIVE, pedal),
        Act::Silence => piano.silence(Part::LIVE),
        Act::Accompany(k, velocity) => piano.note_on(Part::ACCOMPANIMENT, key(k), velocity),
        Act::AccompanyOff(k) => piano.note_off(Part::ACCOMPANIMENT, key(k)),
        Act::SilenceAccompaniment => piano.silence(Part::ACCOMPANIMENT),
    }
}

/// Renders `frames` with acts at their frames (in order), in blocks of the given sizes over and over.
pub(super) fn render_blocks(
    piano: &mut Piano,
    acts: &[(usize, Act)],
    frames: usize,
    blocks: &[usize],
) -> [Vec<f32>; 2] {
    let [mut left, mut right] = [vec![f32::NAN; frames], vec![f32::NAN; frames]];
    let (mut at, mut acts, mut blocks) = (0, acts.iter().peekable(), blocks.iter().cycle());
    while at < frames {
        while let Some((_, act)) = acts.next_if(|(frame, _)| *frame <= at) {
            perform(piano, *act);
        }
        let next = acts.peek().map_or(frames, |(frame, _)| *frame).min(frames);
        let end = (at + blocks.next().expect("a block size")).min(next);
        piano.render(&mut left[at..end], &mut right[at..end]);
        at = end;
    }
    [left, right]
}

pub(super) fn render(acts: &[(usize, Act)], frames: usize) -> [Vec<f32>; 2] {
    render_blocks(&mut Piano::new(Rate::DEFAULT), acts, frames, &[128])
}

/// Root mean square of both channels between two times in seconds, in dBFS.
pub(super) fn level(channels: &[Vec<f32>; 2], from: f64, to: f64) -> f64 {
    let part = seconds(from)..seconds(to);
    let count = 2 * part.len();
    let energy: f64 = channels.iter().flat_map(|c| &c[part.clone()]).map(|&x| f64::from(x).powi(2)).sum();
    10.0 * (energy / count as f64).max(1e-20).log10()
}

/// A passage with everything in it.
fn passage() -> Vec<(usize, Act)> {
    let mut acts = vec![(0, Act::On(60, 80)), (0, Act::Accompany(36, 100)), (100, Act::On(64, 20))];
    acts.push((1_000, Act::Pedal(Pedal::Sustain(127))));
    acts.push((1_333, Act::Off(60)));
    acts.push((2_001, Act::On(60, 127)));
    acts.push((2_500, Act::Pedal(Pedal::Sostenuto(127))));
    acts.push((3_000, Act::Pedal(Pedal::Sustain(60))));
    acts.push((3_001, Act::AccompanyOff(36)));
    for at in 0..70u8 {
        acts.push((4_000 + 37 * usize::from(at), Act::On(21 + at, 40 + at)));
    }
    acts.push((9_000, Act::Pedal(Pedal::Sustain(0))));
    acts.push((9_500, Act::SilenceAccompaniment));
    acts.push((11_111, Act::Silence));
    acts.push((11_200, Act::On(72, 90)));
    acts
}

#[test]
fn the_block_size_changes_no_bit() {
    let frames = 20_000;
    let whole = render_blocks(&mut Piano::new(Rate::DEFAULT), &passage(), frames, &[8_192]);
    for blocks in [&[1][..], &[7], &[128], &[1, 8_192, 7, 64, 63, 128, 1_000]] {
        let other = render_blocks(&mut Piano::new(Rate::DEFAULT), &passage(), frames, blocks);
        for (frame, (a, b)) in whole.iter().flatten().zip(other.iter().flatten()).enumerate() {
            assert_eq!(a.to_bits(), b.to_bits(), "frame {frame} with blocks of {blocks:?}");
        }
    }
}

#[test]
fn the_same_events_give_the_same_bits() {
    let (a, b) = (render(&passage(), 20_000), render(&passage(), 20_000));
    assert!(a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn a_c_major_chord_at_velocity_80_peaks_near_minus_12_dbfs() {
    let chord = [60, 64, 67].map(|key| (0, Act::On(key, 80)));
    let peak = render(&chord, RATE).iter().flatten().fold(0.0f32, |peak, x| peak.max(x.abs()));
    let db = 20.0 * peak.log10();
    assert!((-13.5..-10.5).contains(&db), "{db} dBFS");
}

#[test]
fn any_key_at_any_rate_stays_in_bounds() {
    for rate in [0, 8_000, 22_050, 44_100, 96_000, 192_000, u32::MAX] {
        let mut piano = Piano::with(Rate(rate), 16, 440.0);
        for k in (0..128).step_by(9) {
            piano.note_on(Part::LIVE, key(k), 127);
        }
        let [left, _] = render_blocks(&mut piano, &[], 20_000, &[512]);
        assert!(left.iter().all(|x| x.is_finite() && x.abs() < 4.0), "at {rate} Hz");
    }
}

/// How far a struck key has fallen half a second after its release, in dB below its level just before; the acts come
/// between.
fn fall_after_release(k: u8, before_release: &[Act], after_release: &[Act]) -> f64 {
    let mut acts = vec![(0, Act::On(k, 90))];
    acts.extend(before_release.iter().map(|act| (seconds(0.2), *act)));
    acts.push((seconds(0.3), Act::Off(k)));
    acts.extend(after_release.iter().map(|act| (seconds(0.35), *act)));
    let sound = render(&acts, seconds(1.0));
    level(&sound, 0.25, 0.3) - level(&sound, 0.8, 0.85)
}

#[test]
fn keys_and_pedals_keep_what_they_should() {
    let sustain = |value| Act::Pedal(Pedal::Sustain(value));
    let sostenuto = |value| Act::Pedal(Pedal::Sostenuto(value));
    let free = fall_after_release(48, &[sustain(127)], &[]);
    assert!(free < 20.0, "sustain keeps the key: {free}");
    let check = |name: &str, before: &[Act], after: &[Act], kept: bool| {
        let fall = fall_after_release(48, before, after);
        assert!(if kept { (fall - free).abs() < 3.0 } else { fall > 50.0 }, "{name}: fell by {fall} dB");
    };
    check("a released key is damped", &[], &[], false);
    check("sostenuto keeps a key that is down", &[sostenuto(127)], &[], true);
    check("sostenuto released lets go", &[sostenuto(127)], &[sostenuto(0)], false);
    check("sostenuto after the release keeps nothing", &[], &[sostenuto(127)], false);
    check("sustain released lets go", &[sustain(127)], &[sustain(0)], false);
    check("sustain released under sostenuto keeps", &[sustain(127), sostenuto(127)], &[sustain(0)], true);
    let half = fall_after_release(48, &[sustain(60)], &[]);
    assert!(half > free + 8.0 && half < 50.0, "half pedal is between: {half}, free {free}");
}
