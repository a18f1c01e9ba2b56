//! SoundFonts: read, refused with a reason, played.

mod audio_support;
#[path = "audio_support/sf2.rs"]
mod sf2;

use std::path::{Path, PathBuf};

use audio_support::largest_step;
use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::soundfont::{Font, FontError, SoundFontInstrument};
use music_trainer::music::Pitch;
use music_trainer::time::Rate;

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("font.sf2");
    std::fs::write(&path, bytes).expect("written");
    (dir, path)
}

fn sine() -> SoundFontInstrument {
    let (_dir, path) = file(&sf2::tiny());
    Font::load(&path).expect("the font is valid").instrument(Rate::DEFAULT, 0).expect("a piano")
}

fn render(instrument: &mut SoundFontInstrument, frames: usize) -> Vec<f32> {
    let (mut left, mut right) = (vec![9.0; frames], vec![9.0; frames]);
    instrument.render(&mut left, &mut right);
    left
}

/// The level once the reverberation has settled.
fn level(instrument: &mut SoundFontInstrument) -> f32 {
    render(instrument, 48_000);
    rms(&render(instrument, 4_800))
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

#[test]
fn a_font_says_what_it_is() {
    let (_dir, path) = file(&sf2::tiny());
    let font = Font::load(&path).expect("the font is valid");
    assert_eq!(font.name(), "Tiny");
    assert_eq!(font.presets().collect::<Vec<_>>(), [(0, 0, "Sine")]);
}

#[test]
fn what_is_no_font_is_refused_with_the_reason() {
    let load = |path: &Path| Font::load(path).map(|_| ()).expect_err("it is no font");
    let (dir, path) = file(&[0; 4096]);
    assert_eq!(load(&path), FontError::NotSf2(path.clone()));
    assert_eq!(load(dir.path()), FontError::NoFile(dir.path().to_owned()));
    let missing = dir.path().join("missing.sf2");
    assert_eq!(load(&missing), FontError::Missing(missing.clone()));
    std::fs::write(&path, b"").expect("written");
    assert_eq!(load(&path), FontError::NotSf2(path.clone()));
    let huge = std::fs::File::create(&path).expect("made");
    std::io::Write::write_all(&mut &huge, b"RIFF\0\0\0\0sfbk").expect("written");
    huge.set_len(3 << 30).expect("a sparse file");
    assert_eq!(load(&path), FontError::TooLarge { path: path.clone(), bytes: 3 << 30 });
}

#[test]
fn a_compressed_font_is_named_as_such() {
    let mut bytes = sf2::tiny();
    let at = bytes.windows(4).position(|w| w == b"smpl").expect("the sample chunk") + 8;
    bytes[at..at + 4].copy_from_slice(b"OggS");
    let (_dir, path) = file(&bytes);
    assert_eq!(Font::load(&path).map(|_| ()), Err(FontError::Sf3(path)));
}

#[test]
fn a_font_cut_short_anywhere_is_refused_and_never_a_panic() {
    let bytes = sf2::tiny();
    for length in (12..bytes.len() - 1).step_by(97) {
        let (_dir, path) = file(&bytes[..length]);
        assert!(Font::load(&path).is_err(), "cut after {length} of {} bytes", bytes.len());
    }
}

#[test]
fn a_note_has_its_pitch_and_begins_at_once() {
    let mut instrument = sine();
    assert!(render(&mut instrument, 1_000).iter().all(|s| *s == 0.0));
    instrument.note_on(Part::LIVE, Pitch::new(72).expect("a key"), 100);
    let sound = render(&mut instrument, 4_800);
    let first = sound.iter().position(|s| *s != 0.0).expect("it sounds");
    // rustysynth takes two of its blocks of 16 frames to open the envelope, always.
    assert!(first <= 34, "at {first}");
    let crossings = sound[1_000..].windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
    // An octave above the sample's 480 Hz, for 3 800 frames.
    assert!((75..=77).contains(&crossings), "{crossings}");
}

#[test]
fn parts_are_released_and_silenced_apart() {
    let mut instrument = sine();
    let pitch = Pitch::MIDDLE_C;
    instrument.note_on(Part::LIVE, pitch, 100);
    instrument.note_on(Part::ACCOMPANIMENT, pitch, 100);
    let both = level(&mut instrument);
    instrument.silence(Part::ACCOMPANIMENT);
    let fading = render(&mut instrument, 4_800);
    let live = level(&mut instrument);
    assert!((live / both - 0.5).abs() < 0.02, "{live} of {both}");
    assert!(largest_step(&fading) < 0.1, "no click");
    instrument.note_off(Part::LIVE, pitch);
    render(&mut instrument, 96_000);
    assert!(level(&mut instrument) < 0.001);
}

#[test]
fn pedals_hold_and_gains_scale() {
    let mut instrument = sine();
    let pitch = Pitch::MIDDLE_C;
    for pedal in [Pedal::Sustain(127), Pedal::Sostenuto(127)] {
        instrument.note_on(Part::LIVE, pitch, 100);
        let held = level(&mut instrument);
        instrument.pedal(Part::LIVE, pedal);
        instrument.note_off(Part::LIVE, pitch);
        let still = level(&mut instrument);
        assert!((still / held - 1.0).abs() < 0.02, "{pedal:?}: {still} of {held}");
        assert!(instrument.set_gain(Part::LIVE, 0.25));
        let soft = level(&mut instrument);
        assert!((soft / still - 0.25).abs() < 0.01, "{soft} of {still}");
        instrument.set_gain(Part::LIVE, 1.0);
        let up = if matches!(pedal, Pedal::Sustain(_)) { Pedal::Sustain(0) } else { Pedal::Sostenuto(0) };
        instrument.pedal(Part::LIVE, up);
        render(&mut instrument, 96_000);
        assert!(level(&mut instrument) < 0.001, "{pedal:?} is up");
    }
}
