//! The backends that run in real time: they start, time passes, the processor comes home. And rendering without one.

mod audio_support;

use std::sync::Arc;
use std::time::Duration;

use audio_support::{Recorder, score};
use music_trainer::audio::backend::{Backend, Choice, Kind, NullBackend, StreamConfig, select};
use music_trainer::audio::instrument::Part;
use music_trainer::audio::piano::Piano;
use music_trainer::audio::render::render;
use music_trainer::audio::{Reports, Supervisor, engine};
use music_trainer::music::Hand;
use music_trainer::time::{Clock, Micros, Rate, WallMillis};

struct Monotonic(std::time::Instant);

impl Clock for Monotonic {
    fn now(&self) -> Micros {
        Micros(self.0.elapsed().as_micros() as i64)
    }
    fn wall(&self) -> WallMillis {
        WallMillis(0)
    }
}

fn clock() -> Arc<dyn Clock> {
    #[expect(clippy::disallowed_methods, reason = "these backends run in real time")]
    Arc::new(Monotonic(std::time::Instant::now()))
}

/// Waits until so many frames have passed, for 20 seconds at most.
fn wait_for_frames(reports: &mut Reports, frames: i64) {
    for _ in 0..4_000 {
        if reports.playhead.read().frame.0 >= frames {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("the stream stands still");
}

#[test]
fn the_null_backend_keeps_time_and_gives_the_processor_back() {
    let clock = clock();
    let (_engine, processor, mut reports) = engine(Box::new(Recorder::new().0), Rate::DEFAULT);
    let before = clock.now();
    let mut backend = NullBackend::new(clock.clone());
    let stream = backend.start(processor, &StreamConfig::default()).map_err(|e| e.error).expect("it always starts");
    wait_for_frames(&mut reports, 9_600);
    let elapsed = clock.now() - before;
    let head = reports.playhead.read();
    let blocks: u32 = head.loads.buckets.iter().sum();
    assert!(blocks > 0 && head.loads.worst > 0.0, "blocks are measured: {:?}", head.loads);
    // It may be late on a busy machine, never early: the last block may begin as the first frame of it is due.
    assert!(elapsed >= Rate::DEFAULT.micros(music_trainer::time::Frames(9_600 - 256)), "{elapsed} µs for 0.2 s");
    assert!(stream.stop().is_some());
}

#[test]
fn a_choice_ends_with_the_null_backend_and_names_what_is_missing() {
    let kinds = |choice| {
        let (mut backends, missing) = select(choice, &clock());
        let kinds: Vec<Kind> = backends.iter_mut().map(|b| b.kind()).collect();
        assert_eq!(kinds.last(), Some(&Kind::Null));
        (kinds, missing)
    };
    let (all, missing) = kinds(Choice::Auto);
    assert_eq!(all.len() + missing.len(), 3, "JACK, the system's sound, none");
    assert_eq!(kinds(Choice::Only(Kind::Null)).0, [Kind::Null]);
    assert!("auto".parse::<Choice>().is_ok() && "pulse".parse::<Choice>().is_err());
    for error in missing {
        assert!(error.to_string().ends_with("not part of this build"));
    }
}

#[test]
fn whatever_the_machine_has_something_runs() {
    let clock = clock();
    let (_engine, processor, mut reports) = engine(Box::new(Recorder::new().0), Rate::DEFAULT);
    let (backends, _) = select(Choice::Auto, &clock);
    let mut supervisor = Supervisor::new(backends, processor, StreamConfig::default());
    let mut notices = supervisor.start(clock.now());
    assert!(supervisor.info().is_some(), "{notices:?}");
    wait_for_frames(&mut reports, 4_800);
    // Long enough for the first two retries, where something was missing.
    for _ in 0..160 {
        notices.extend(supervisor.poll(clock.now()));
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert!(notices.iter().all(|notice| notice.to_string().lines().count() == 1), "{notices:?}");
    for notice in &notices {
        println!("{notice}");
    }
    assert!(supervisor.stop().is_some());
}

/// ALSA's null device calls back at full speed: the whole way through cpal without a sound card.
#[cfg(all(feature = "sound", target_os = "linux"))]
#[test]
fn a_stream_of_the_system_runs_and_gives_the_processor_back() {
    let clock = clock();
    let (_engine, processor, mut reports) = engine(Box::new(Recorder::new().0), Rate::DEFAULT);
    let mut backend = music_trainer::audio::backend::CpalBackend::new(clock);
    let config = StreamConfig { device: Some("alsa:null".to_owned()), ..StreamConfig::default() };
    let stream = backend.start(processor, &config).map_err(|e| e.error).expect("alsa:null opens everywhere");
    assert_eq!(stream.info().kind, Kind::Cpal);
    wait_for_frames(&mut reports, 48_000);
    assert!(stream.stop().is_some());
    assert!(backend.devices().is_ok_and(|devices| devices.iter().all(|d| d.id != "alsa:null")), "unpaced: not offered");
}

#[test]
fn a_rendered_score_has_its_notes_on_their_frames_and_ends() {
    let (recorder, mut log) = Recorder::new();
    let score = score(&[(0, 480, 60, Hand::Right), (481, 960, 48, Hand::Left), (1919, 1920, 72, Hand::Right)]);
    let frames: usize = render(&score, Box::new(recorder), Rate::DEFAULT).map(|[left, _]| left.len()).sum();
    assert_eq!(log.onsets(Part::ACCOMPANIMENT), [(0, 60), (24_050, 48), (95_950, 72)]);
    assert!((96_000..96_000 + 48_000).contains(&frames), "{frames} frames for two seconds and silence");
}

#[test]
fn rendering_twice_gives_the_same_bits() {
    let score = score(&[(0, 480, 60, Hand::Right), (200, 960, 48, Hand::Left), (700, 900, 72, Hand::Right)]);
    let sound = || render(&score, Box::new(Piano::new(Rate::DEFAULT)), Rate::DEFAULT).collect::<Vec<_>>();
    let first = sound();
    assert!(first.iter().flatten().flatten().any(|s| s.abs() > 0.01));
    assert!(first == sound());
}
