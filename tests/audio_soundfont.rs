//! SoundFonts: read, refused with a reason, played.

mod audio_support;
#[path = "audio_support/sf2.rs"]
#[allow(dead_code, reason = "each test uses some of the fonts")]
mod sf2;

use std::path::{Path, PathBuf};

use audio_support::largest_step;
use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::sound::Sound;
use music_trainer::audio::soundfont::{Font, FontError, Loading, NOTES, Progress, SoundFontInstrument};
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
    Font::load(&path).expect("the font is valid").instrument(Rate::DEFAULT, 0, 440.0).expect("a piano")
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
    assert_eq!(load(&path), FontError::NotSoundFont(path.clone()));
    assert_eq!(load(dir.path()), FontError::NoFile(dir.path().to_owned()));
    let missing = dir.path().join("missing.sf2");
    assert_eq!(load(&missing), FontError::Missing(missing.clone()));
    std::fs::write(&path, b"").expect("written");
    assert_eq!(load(&path), FontError::NotSoundFont(path.clone()));
    let huge = std::fs::File::create(&path).expect("made");
    std::io::Write::write_all(&mut &huge, b"RIFF\0\0\0\0sfbk").expect("written");
    huge.set_len(3 << 30).expect("a sparse file");
    assert_eq!(load(&path), FontError::TooLarge { path: path.clone(), bytes: 3 << 30 });
}

#[test]
fn a_font_cut_short_anywhere_is_refused_and_never_a_panic() {
    let bytes = sf2::tiny();
    for length in (12..bytes.len() - 1).step_by(97) {
        let (_dir, path) = file(&bytes[..length]);
        assert!(Font::load(&path).is_err(), "cut after {length} of {} bytes", bytes.len());
    }
}

/// Frames after which the room has settled, so that the phase of a steady tone is steady.
const SETTLED: usize = 60_000;
/// Frames that a look at a pitch needs.
const LOOK: usize = 96_000;

/// How many cents a sine is off `hertz`, from how its phase drifts over half a second.
fn cents_off(samples: &[f32], hertz: f64) -> f64 {
    let omega = std::f64::consts::TAU * hertz / 48_000.0;
    let phase = |from: usize| {
        let window = samples[from..from + 4_800].iter().enumerate();
        let (mut re, mut im) = (0.0, 0.0);
        for (i, &x) in window {
            let hann = 1.0 - (std::f64::consts::TAU * i as f64 / 4_800.0).cos();
            let angle = omega * (from + i) as f64;
            re += f64::from(x) * hann * angle.cos();
            im -= f64::from(x) * hann * angle.sin();
        }
        im.atan2(re)
    };
    let turn = std::f64::consts::TAU;
    let drift = |gap: usize| {
        let drift = phase(SETTLED + gap) - phase(SETTLED);
        (drift - turn * (drift / turn).round()) / turn * 48_000.0 / gap as f64
    };
    // The short gap tells the turn, the long one the rest.
    let (coarse, long) = (drift(600), drift(24_000));
    let fine = long + (2.0 * (coarse - long)).round() / 2.0;
    1_200.0 * (1.0 + fine / hertz).log2()
}

/// The frequency of a key of the tiny font, in hertz.
fn hertz(key: u8) -> f64 {
    480.0 * 2f64.powf((f64::from(key) - 60.0) / 12.0)
}

fn key(key: u8) -> Pitch {
    Pitch::new(key).expect("a key")
}

#[test]
fn a_note_has_its_pitch_in_every_tuning_within_a_cent() {
    let (_dir, path) = file(&sf2::tiny());
    let font = Font::load(&path).expect("the font is valid");
    for a4 in [415.0, 432.0, 440.0, 443.0, 466.0] {
        for k in [45, 60, 69, 84] {
            let mut instrument = Sound { font: Some(&font), program: 0, a4 }.instrument(Rate::DEFAULT).expect("made");
            instrument.note_on(Part::LIVE, key(k), 100);
            let (mut left, mut right) = (vec![0.0; LOOK], vec![0.0; LOOK]);
            instrument.render(&mut left, &mut right);
            let off = cents_off(&left, hertz(k) * a4 / 440.0);
            assert!(off.abs() < 1.0, "key {k} with A4 at {a4} Hz is {off} cents off");
        }
    }
}

#[test]
fn a_part_bends_by_cents_and_the_other_does_not() {
    for bend in [-2_400.0, -200.0, -37.5, 1.0, 50.0, 200.0, 1_200.0] {
        let mut instrument = sine();
        instrument.note_on(Part::LIVE, key(72), 100);
        render(&mut instrument, 1_000);
        instrument.bend(Part::LIVE, bend);
        let off = cents_off(&render(&mut instrument, LOOK), hertz(72) * 2f64.powf(f64::from(bend) / 1_200.0));
        assert!(off.abs() < 1.0, "bent by {bend} cents it is {off} off");
        instrument.silence(Part::LIVE);
        render(&mut instrument, 48_000);
        instrument.note_on(Part::ACCOMPANIMENT, key(72), 100);
        let off = cents_off(&render(&mut instrument, LOOK), hertz(72));
        assert!(off.abs() < 1.0, "the other part is {off} cents off");
    }
    let mut instrument = sine();
    instrument.bend(Part::LIVE, f32::NAN);
    instrument.bend(Part::LIVE, 100.0);
    instrument.note_on(Part::LIVE, key(60), 100);
    let off = cents_off(&render(&mut instrument, LOOK), hertz(61));
    assert!(off.abs() < 1.0, "a note that begins later is bent too: {off}");
}

/// By how many cents the pitch swings: the largest and the smallest of twenty short looks.
fn swing(samples: &[f32], hertz: f64) -> f64 {
    let lengths: Vec<f64> = samples[SETTLED..]
        .windows(2)
        .enumerate()
        .filter(|(_, w)| w[0] < 0.0 && w[1] >= 0.0)
        .map(|(i, w)| i as f64 + f64::from(w[0] / (w[0] - w[1])))
        .collect();
    let periods: Vec<f64> = lengths.windows(5).map(|w| (w[4] - w[0]) / 4.0).collect();
    let [low, high] = [f64::min, f64::max].map(|f| periods.iter().copied().fold(48_000.0 / hertz, f));
    1_200.0 * (high / low).log2()
}

#[test]
fn pressure_is_vibrato() {
    let swing_at = |pressure| {
        let mut instrument = sine();
        instrument.note_on(Part::LIVE, key(60), 100);
        instrument.pressure(Part::LIVE, pressure);
        swing(&render(&mut instrument, LOOK), hertz(60))
    };
    let (none, half, full) = (swing_at(0), swing_at(64), swing_at(127));
    assert!(none < 5.0, "{none}");
    // 50 cents to each side at most.
    assert!((35.0..65.0).contains(&half) && (75.0..110.0).contains(&full), "{half} {full}");
}

#[test]
fn a_note_begins_on_its_very_frame() {
    let from_note_on = |frame: usize, block: usize| {
        let mut instrument = sine();
        instrument.note_on(Part::LIVE, key(40), 1);
        let mut sound = Vec::new();
        while sound.len() < frame {
            sound.extend(render(&mut instrument, block.min(frame - sound.len())));
        }
        instrument.note_on(Part::LIVE, key(72), 100);
        while sound.len() < frame + 2_000 {
            sound.extend(render(&mut instrument, block));
        }
        sound
    };
    let alone = |frame: usize| {
        let mut instrument = sine();
        render(&mut instrument, frame);
        instrument.note_on(Part::LIVE, key(72), 100);
        render(&mut instrument, 2_000)
    };
    let expected = alone(0);
    for frame in 0..40 {
        assert!(alone(1_000 + frame) == expected, "begun at frame {} it sounds otherwise", 1_000 + frame);
    }
    let whole = from_note_on(777, 8_192);
    for block in [1, 7, 64, 255] {
        assert!(from_note_on(777, block)[..2_777] == whole[..2_777], "blocks of {block}");
    }
}

#[test]
fn more_notes_than_places_end_the_oldest_without_a_click() {
    let mut instrument = sine();
    instrument.pedal(Part::LIVE, Pedal::Sustain(127));
    let mut worst = 0.0f32;
    for k in 0..NOTES as u8 + 20 {
        instrument.note_on(Part::LIVE, key(k + 20), 20);
        worst = worst.max(largest_step(&render(&mut instrument, 999)));
        assert!(instrument.voices() <= NOTES);
    }
    assert_eq!(instrument.voices(), NOTES);
    // One note of the highest kind steps by its amplitude times its angle; 64 of them add up to less.
    assert!(worst < 0.2, "a step of {worst}");
    instrument.pedal(Part::LIVE, Pedal::Sustain(0));
    (0..128).for_each(|k| instrument.note_off(Part::LIVE, key(k)));
    render(&mut instrument, 200_000);
    assert_eq!(instrument.voices(), 0, "all notes are over");
}

#[test]
fn silence_leaves_nothing_and_a_note_struck_at_once_sounds() {
    let mut instrument = sine();
    instrument.note_on(Part::LIVE, key(60), 100);
    render(&mut instrument, 9_600);
    instrument.silence(Part::LIVE);
    let fading = render(&mut instrument, 480);
    assert!(largest_step(&fading) < 0.05 && fading[241..].iter().all(|s| *s == 0.0), "silent after 5 ms");
    instrument.note_on(Part::LIVE, key(60), 100);
    assert!(rms(&render(&mut instrument, 4_800)) > 0.01);
}

#[test]
fn a_compressed_font_sounds_as_the_plain_one() {
    let (_dir, path) = file(&sf2::compressed());
    let font = Font::load(&path).expect("the font is valid");
    let mut unpacked = font.instrument(Rate::DEFAULT, 0, 440.0).expect("a sine");
    unpacked.note_on(Part::LIVE, key(72), 100);
    let sound = render(&mut unpacked, LOOK);
    let mut plain = sine();
    plain.note_on(Part::LIVE, key(72), 100);
    let ratio = rms(&sound) / rms(&render(&mut plain, LOOK));
    assert!((0.8..1.2).contains(&ratio), "{ratio}");
    assert!(cents_off(&sound, hertz(72)).abs() < 1.0);
}

#[test]
fn a_list_of_odd_length_needs_no_padding() {
    // MuseScore's own fonts are written so.
    let mut bytes = sf2::compressed();
    let place = |name: &[u8; 4]| bytes.windows(4).position(|w| w == name).expect("a chunk");
    let (samples, tables) = (place(b"sdta") - 4, place(b"pdta") - 8);
    let size = u32::from_le_bytes([0, 1, 2, 3].map(|i| bytes[samples + i]));
    assert_eq!(bytes[tables - 1], 0, "the padding");
    bytes[samples..samples + 4].copy_from_slice(&(size - 1).to_le_bytes());
    bytes.remove(tables - 1);
    let (_dir, path) = file(&bytes);
    assert_eq!(Font::load(&path).expect("the font is valid").name(), "Tiny");
}

#[test]
fn loading_tells_how_far_it_is_and_can_be_given_up() {
    let (_dir, path) = file(&sf2::tiny());
    let length = std::fs::metadata(&path).expect("there").len();
    let progress = Progress::default();
    assert_eq!(progress.bytes(), (0, 0));
    assert!(Font::load_watched(&path, &progress).is_ok());
    assert_eq!(progress.bytes(), (length, length));
    let given_up = Progress::default();
    given_up.cancel();
    let outcome = Font::load_watched(&path, &given_up).map(|_| ());
    assert_eq!(outcome, Err(FontError::Cancelled(path.clone())));

    let loading = Loading::start(path.clone()).expect("a thread");
    let font = std::iter::repeat_with(|| loading.poll()).inspect(|_| std::thread::yield_now()).flatten().next();
    assert_eq!(font.expect("endless").expect("the font is valid").name(), "Tiny");
    assert_eq!(loading.bytes(), (length, length));
    assert!(loading.poll().is_none(), "told once");
}

#[test]
fn the_room_is_as_loud_and_long_as_that_of_rustysynth() {
    let mut settings = rustysynth::SynthesizerSettings::new(48_000);
    settings.enable_reverb_and_chorus = true;
    let font = rustysynth::SoundFont::new(&mut sf2::tiny().as_slice()).expect("valid");
    let mut theirs = rustysynth::Synthesizer::new(&std::sync::Arc::new(font), &settings).expect("made");
    theirs.set_master_volume(1.0);
    let mut ours = sine();
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for k in [50, 55, 60, 67, 72, 79, 85] {
        let (mut left, mut right) = (vec![0.0; 48_000], vec![0.0; 48_000]);
        theirs.note_on(0, i32::from(k), 100);
        theirs.render(&mut left, &mut right);
        theirs.note_off(0, i32::from(k));
        theirs.render(&mut left, &mut right);
        ours.note_on(Part::LIVE, key(k), 100);
        render(&mut ours, 48_000);
        ours.note_off(Part::LIVE, key(k));
        let own = render(&mut ours, 48_000);
        let db = |range: std::ops::Range<usize>| 20.0 * (rms(&own[range.clone()]) / rms(&left[range])).log10();
        early.push(db(4_800..9_600));
        late.push(db(24_000..28_800));
        for _ in 0..2 {
            theirs.render(&mut left, &mut right);
            render(&mut ours, 48_000);
        }
    }
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    assert!(mean(&early).abs() < 3.0 && mean(&late).abs() < 6.0, "dB beside it: {early:.1?}, later {late:.1?}");
}

/// Plays whatever a font makes of a chord, with everything a player can do.
fn play(font: &Font) {
    let Ok(mut instrument) = font.instrument(Rate::DEFAULT, 0, 466.0) else { return };
    instrument.pressure(Part::LIVE, 127);
    for k in [0, 21, 60, 84, 108, 127] {
        instrument.note_on(Part::LIVE, key(k), 127);
    }
    instrument.bend(Part::LIVE, 2_400.0);
    let sound = render(&mut instrument, 600);
    instrument.note_off(Part::LIVE, key(60));
    assert!(sound.iter().chain(&render(&mut instrument, 600)).all(|s| s.is_finite()));
}

#[test]
fn a_damaged_font_is_refused_or_played_but_never_a_panic() {
    let mut state = 0x5eed_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut refused, mut played) = (0, 0);
    for round in 0..1_500 {
        let mut bytes = if round % 4 == 0 { sf2::compressed() } else { sf2::tiny() };
        // Most of the file is sound; what can go wrong stands before and behind it.
        let tables = bytes.windows(4).rposition(|w| w == b"pdta").expect("the tables");
        for _ in 0..1 + random(4) {
            let at = if random(3) == 0 { random(120) } else { tables + random(bytes.len() - tables) };
            bytes[at] = [0, 1, 0x7f, 0x80, 0xff, random(256) as u8][random(6)];
        }
        let (_dir, path) = file(&bytes);
        match Font::load(&path) {
            Ok(font) => {
                play(&font);
                played += 1;
            }
            Err(error) => {
                let line = error.to_string();
                assert!(line.starts_with(&path.display().to_string()) && !line.contains('\n'), "{line}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100 && played > 100, "{refused} refused, {played} played");
}

#[test]
fn a_font_that_lies_about_its_sizes_is_refused_before_memory_is_taken() {
    let tiny = sf2::tiny();
    let place = |name: &[u8; 4]| tiny.windows(4).position(|w| w == name).expect("a chunk");
    let damaged = |bytes: &[u8]| {
        let (_dir, path) = file(bytes);
        match Font::load(&path).map(|_| ()) {
            Err(FontError::Damaged { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    };
    for name in [b"smpl", b"phdr", b"igen", b"shdr", b"INAM"] {
        let mut bytes = tiny.clone();
        let at = place(name) + 4;
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let reason = damaged(&bytes);
        assert!(reason.contains("ends behind the end"), "{reason}");
    }
    // Zones that go backwards would multiply.
    let mut bytes = tiny.clone();
    let at = place(b"ibag") + 8;
    bytes[at..at + 2].copy_from_slice(&9u16.to_le_bytes());
    let reason = damaged(&bytes);
    assert!(reason.contains("points to 9"), "{reason}");
    // A stream that claims the longest blocks in every packet of many pages.
    let page = [b"OggS".as_slice(), &[0; 22], &[255], &[0; 255]].concat();
    let header = [b"OggS\x00\x02".as_slice(), &[0; 20], &[1, 30], b"\x01vorbis", &[0; 21], &[0xdd, 1]].concat();
    let bomb = [header, page.repeat(1_100)].concat();
    let reason = damaged(&sf2::font(&bomb, [0, bomb.len() as u32, 0, 100]));
    assert!(reason.contains("would unpack to"), "{reason}");
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
