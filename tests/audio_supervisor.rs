//! A device that refuses, dies and comes back, in simulated time.

mod audio_support;

use audio_support::{Log, Recorder, score};
use music_trainer::audio::backend::stepped::{Driver, stepped};
use music_trainer::audio::backend::{Backend, Kind, StreamConfig};
use music_trainer::audio::instrument::Part;
use music_trainer::audio::{Command, Engine, Notice, Reports, Schedule, Supervisor, engine};
use music_trainer::music::Hand;
use music_trainer::time::{Micros, Rate, StreamId};

struct Rig {
    engine: Engine,
    reports: Reports,
    supervisor: Supervisor,
    device: Driver,
    fallback: Driver,
    log: Log,
    now: Micros,
}

/// A device and a fallback, both stepped.
fn rig() -> Rig {
    let (recorder, log) = Recorder::new();
    let (engine, processor, reports) = engine(Box::new(recorder), Rate::DEFAULT);
    let ((device_backend, device), (fallback_backend, fallback)) = (stepped(), stepped());
    let backends: Vec<Box<dyn Backend>> = vec![Box::new(device_backend), Box::new(fallback_backend)];
    let supervisor = Supervisor::new(backends, processor, StreamConfig::default());
    Rig { engine, reports, supervisor, device, fallback, log, now: Micros(0) }
}

impl Rig {
    /// Lets time pass until a poll has something to say; returns it as people read it, with the milliseconds waited.
    fn wait_for_notices(&mut self, at_most_millis: i64) -> (i64, Vec<String>) {
        for waited in 1..=at_most_millis {
            self.now += Micros::from_millis(1);
            let notices = self.supervisor.poll(self.now);
            if !notices.is_empty() {
                return (waited, notices.iter().map(ToString::to_string).collect());
            }
        }
        (at_most_millis, Vec::new())
    }

    fn start(&mut self) -> Vec<String> {
        self.supervisor.start(self.now).iter().map(ToString::to_string).collect()
    }
}

#[test]
fn the_first_backend_that_works_is_taken() {
    let mut rig = rig();
    assert_eq!(rig.start(), ["sound on Stepped at 48000 Hz"]);
    assert_eq!(rig.supervisor.info().map(|i| (i.kind, i.stream)), Some((Kind::Stepped, StreamId(1))));
}

#[test]
fn a_lost_device_comes_back_at_the_same_place_in_the_music() {
    let mut rig = rig();
    rig.start();
    let notes: Vec<_> = (0..40).map(|i| (i * 480, i * 480 + 400, 40 + i as u8, Hand::Right)).collect();
    rig.engine.send(Command::Load(Box::new(Schedule::of_score(&score(&notes)))));
    rig.engine.send(Command::Play { count_in: 0 });
    // Up to half a beat after the third note.
    rig.device.run(60_000, 250);
    let place = rig.reports.playhead.read().tick;
    assert_eq!(place, 1_200.0);

    rig.device.lose("the cable was pulled");
    rig.device.refuse(3);
    let (_, notices) = rig.wait_for_notices(10);
    assert_eq!(notices[0], "the cable was pulled; waiting for it to come back");
    assert!(rig.supervisor.waiting());
    rig.fallback.run(96_000, 480);
    assert_eq!(rig.reports.playhead.read().tick, place, "the music stands still meanwhile");

    let (waited, notices) = rig.wait_for_notices(10_000);
    assert_eq!((waited, notices[0].as_str()), (250, "stepped: stepped is in use by another program"));
    let (waited, notices) = rig.wait_for_notices(10_000);
    assert_eq!(notices, ["sound is back on Stepped"], "each failure is told once");
    assert_eq!(waited, 500 + 1_000 + 2_000, "three refusals, each wait twice the last");
    assert!(!rig.supervisor.waiting());

    rig.log.onsets(Part::ACCOMPANIMENT);
    rig.device.run(60_000, 250);
    let playhead = rig.reports.playhead.read();
    assert_eq!(playhead.tick, 2_400.0);
    assert!(playhead.stream.0 > 2 && playhead.frame.0 == 60_000, "another stream, whose frames began at 0");
    let keys: Vec<_> = rig.log.onsets(Part::ACCOMPANIMENT).into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, [43, 44], "no note is repeated or left out");
}

#[test]
fn music_stopped_by_the_person_while_the_device_is_gone_stays_stopped() {
    let mut rig = rig();
    rig.start();
    rig.engine.send(Command::Load(Box::new(Schedule::of_score(&score(&[(0, 9_600, 60, Hand::Right)])))));
    rig.engine.send(Command::Play { count_in: 0 });
    rig.device.run(4_800, 480);
    rig.device.lose("gone");
    rig.wait_for_notices(10);
    rig.engine.send(Command::Stop);
    rig.fallback.run(480, 480);
    assert_eq!(rig.wait_for_notices(1_000).1, ["sound is back on Stepped"]);
    rig.device.run(480, 480);
    assert!(!rig.reports.playhead.read().playing);
}

#[test]
fn without_any_device_the_fallback_runs_and_the_device_is_taken_when_it_appears() {
    let mut rig = rig();
    rig.device.refuse(2);
    assert_eq!(rig.start(), ["stepped: stepped is in use by another program", "sound on Stepped at 48000 Hz"]);
    let (left, _) = rig.fallback.run(480, 480);
    assert_eq!(left.len(), 480);
    let (waited, notices) = rig.wait_for_notices(10_000);
    assert_eq!((waited, notices), (750, vec!["sound is back on Stepped".to_owned()]));
}

#[test]
fn retries_are_never_more_than_four_seconds_apart() {
    let mut rig = rig();
    rig.device.refuse(u32::MAX);
    rig.start();
    let mut tries = vec![(0, rig.device.starts())];
    for millis in 1..=40_000 {
        rig.supervisor.poll(Micros::from_millis(millis));
        if rig.device.starts() > tries[tries.len() - 1].1 {
            tries.push((millis, rig.device.starts()));
        }
    }
    let waits: Vec<_> = tries.windows(2).map(|w| w[1].0 - w[0].0).collect();
    assert_eq!(waits[..7], [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
}

#[test]
fn interruptions_are_counted_and_the_music_does_not_jump() {
    let mut rig = rig();
    rig.start();
    rig.engine.send(Command::Load(Box::new(Schedule::of_score(&score(&[(0, 9_600, 60, Hand::Right)])))));
    rig.engine.send(Command::Play { count_in: 0 });
    rig.device.run(24_000, 480);
    rig.device.xrun(Micros::from_millis(200));
    rig.device.run(24_000, 480);
    assert_eq!(rig.wait_for_notices(10).1, ["the sound was interrupted"]);
    assert_eq!(rig.supervisor.xruns(), 1);
    assert_eq!(rig.reports.playhead.read().tick, 960.0);
}

#[test]
fn a_device_at_another_rate_keeps_the_tempo() {
    let mut rig = rig();
    rig.device.set_rate(Rate(44_100));
    rig.start();
    rig.engine.send(Command::Load(Box::new(Schedule::of_score(&score(&[(0, 9_600, 60, Hand::Right)])))));
    rig.engine.send(Command::Play { count_in: 0 });
    rig.device.run(44_100, 441);
    assert_eq!(rig.reports.playhead.read().tick, 960.0);
}

#[test]
fn stopping_gives_the_processor_back() {
    let mut rig = rig();
    rig.start();
    assert!(rig.supervisor.stop().is_some());
}

#[test]
fn notices_are_one_line_each() {
    for notice in [
        Notice::Lost("the JACK server is gone".to_owned()),
        Notice::Xruns(1),
        Notice::Xruns(7),
        Notice::Changed("x".to_owned()),
    ] {
        assert_eq!(notice.to_string().lines().count(), 1);
    }
}

#[test]
fn a_stream_that_is_no_longer_asked_for_sound_is_lost_and_taken_up_again() {
    let mut rig = rig();
    rig.device.count_calls();
    rig.start();
    let quiet = |rig: &mut Rig| {
        for _ in 0..40 {
            rig.device.run(4_800, 4_800);
            let (_, notices) = rig.wait_for_notices(100);
            assert_eq!(notices, [""; 0], "it is called ten times a second");
        }
    };
    quiet(&mut rig);
    let (waited, notices) = rig.wait_for_notices(5_000);
    assert!((2_900..=3_100).contains(&waited), "{waited} ms");
    assert_eq!(notices[0], "Stepped no longer asks for sound; waiting for it to come back");
    let (_, notices) = rig.wait_for_notices(1_000);
    assert_eq!(notices, ["sound is back on Stepped"]);
    quiet(&mut rig);
}
