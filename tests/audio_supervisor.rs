//! A device that refuses, dies and comes back, in simulated time.

mod audio_support;

use audio_support::{Call, Log, Recorder, score};
use music_trainer::audio::backend::stepped::{Driver, stepped};
use music_trainer::audio::backend::{Backend, Kind, StreamConfig};
use music_trainer::audio::instrument::Part;
use music_trainer::audio::{
    AudioEvent, Bus, Command, Engine, LoopRange, Notice, Played, Reports, Schedule, Supervisor, TimedMidi,
    TransportEvent, engine,
};
use music_trainer::music::{Hand, Pitch};
use music_trainer::time::{Micros, Rate, Stamp, StreamId, Ticks};

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
    let (engine, mut processor, reports) = engine(Box::new(recorder), Rate::DEFAULT);
    processor.set_factory(Box::new(|_| Box::new(Recorder::new().0)));
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

    /// A piece of one long note is played from its start.
    fn play(&mut self, count_in: u8) {
        self.start();
        self.engine.send(Command::Load(Box::new(Schedule::of_score(&score(&[(0, 9_600_000, 60, Hand::Right)])))));
        self.engine.send(Command::Play { count_in });
    }

    /// The device is lost, and silence follows.
    fn lose(&mut self) -> Vec<String> {
        self.fallback.set_mono(self.device.mono());
        self.device.lose("gone");
        let (_, notices) = self.wait_for_notices(10);
        self.fallback.run(480, 480);
        notices
    }

    /// Waits for the device.
    fn come_back(&mut self) {
        self.device.set_mono(self.fallback.mono());
        assert_eq!(self.wait_for_notices(10_000).1, ["sound is back on Stepped"]);
    }

    fn tick(&mut self) -> f64 {
        self.reports.playhead.read().tick
    }

    /// What the essential lane holds.
    fn events(&mut self) -> Vec<(Stamp, AudioEvent)> {
        audio_support::events(&mut self.reports)
    }

    /// How the music went, as short words.
    fn course(&mut self) -> Vec<&'static str> {
        let word = |(_, event): (Stamp, AudioEvent)| match event {
            AudioEvent::Transport(TransportEvent::Runs { .. }) => Some("runs"),
            AudioEvent::Transport(TransportEvent::Started { .. }) => Some("started"),
            AudioEvent::Transport(TransportEvent::Stopped) => Some("stopped"),
            AudioEvent::Transport(TransportEvent::StreamBegan { .. }) => Some("stream"),
            _ => None,
        };
        self.events().into_iter().filter_map(word).collect()
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
fn a_chosen_device_that_is_away_is_taken_up_when_it_is_there() {
    let mut rig = rig();
    rig.device.set_stand_in(true);
    assert_eq!(rig.start(), ["sound on Another at 48000 Hz"]);
    assert_eq!(rig.wait_for_notices(60_000).1, [""; 0], "what plays is left alone");
    assert_eq!(rig.device.starts(), 1);
    rig.device.set_stand_in(false);
    assert_eq!(rig.wait_for_notices(4_000).1, ["sound is back on Stepped"]);
    assert_eq!(rig.wait_for_notices(60_000).1, [""; 0]);
    assert_eq!(rig.device.starts(), 2);
}

#[test]
fn a_device_that_stands_in_for_a_lost_one_plays_until_that_is_back() {
    let mut rig = rig();
    rig.play(0);
    rig.device.run(4_800, 480);
    rig.lose();
    rig.device.set_stand_in(true);
    rig.device.set_mono(rig.fallback.mono());
    assert_eq!(rig.wait_for_notices(10_000).1, ["the sound goes on on Another"]);
    assert!(!rig.supervisor.waiting());
    let before = rig.tick();
    rig.device.run(4_800, 480);
    assert!(rig.tick() > before, "the music goes on");
    rig.device.set_stand_in(false);
    assert_eq!(rig.wait_for_notices(4_000).1, ["sound is back on Stepped"]);
    let before = rig.tick();
    rig.device.run(4_800, 480);
    assert!((rig.tick() - before - 96.0).abs() < 1e-6, "it never stopped");
}

#[test]
fn an_instrument_under_way_to_a_stream_of_another_rate_is_not_heard() {
    let mut rig = rig();
    rig.start();
    rig.device.run(480, 480);
    let (late, mut late_log) = Recorder::new();
    rig.engine.send(Command::SetInstrument(Box::new(late)));
    rig.device.set_rate(Rate(44_100));
    rig.lose();
    rig.come_back();
    rig.device.run(44_100, 441);
    rig.engine.send(Command::Audition(Played::On { pitch: Pitch::MIDDLE_C, velocity: 80 }));
    rig.device.run(4_410, 441);
    assert_eq!(late_log.onsets(Part::LIVE), []);
    rig.engine.poll();
    assert_eq!(rig.engine.below(), 2);
    let (next, mut next_log) = Recorder::new();
    rig.engine.send(Command::SetInstrument(Box::new(next)));
    rig.device.run(4_410, 441);
    rig.engine.send(Command::Audition(Played::On { pitch: Pitch::MIDDLE_C, velocity: 80 }));
    rig.device.run(4_410, 441);
    assert_eq!(next_log.onsets(Part::LIVE).len(), 1, "only what was under way then");
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

#[test]
fn a_stream_that_changed_goes_on_and_says_so_once() {
    let mut rig = rig();
    rig.play(0);
    rig.device.run(24_000, 480);
    rig.device.change("the sound of Stepped now comes from elsewhere");
    assert_eq!(rig.wait_for_notices(10).1, ["the sound of Stepped now comes from elsewhere"]);
    rig.device.run(24_000, 480);
    assert_eq!(rig.tick(), 960.0);
    assert_eq!(rig.wait_for_notices(10_000).1, [""; 0]);
    assert_eq!((rig.device.starts(), rig.supervisor.waiting()), (1, false));
}

#[test]
fn that_a_lost_device_is_not_there_is_no_news() {
    let mut rig = rig();
    rig.play(0);
    rig.device.run(24_000, 480);
    rig.device.set_absent(true);
    assert_eq!(rig.lose(), ["gone; waiting for it to come back", "sound on Stepped at 48000 Hz"]);
    assert_eq!(rig.wait_for_notices(60_000).1, [""; 0], "for a minute");
    rig.device.set_absent(false);
    rig.come_back();
    // A device that was never there is told once.
    let mut rig = self::rig();
    rig.device.set_absent(true);
    assert_eq!(rig.start(), ["stepped: not there", "sound on Stepped at 48000 Hz"]);
    assert_eq!(rig.wait_for_notices(60_000).1, [""; 0]);
}

#[test]
fn starts_that_fail_at_the_return_change_nothing() {
    let mut rig = rig();
    rig.play(0);
    rig.device.run(24_000, 480);
    rig.device.refuse_starts(4);
    rig.lose();
    assert_eq!(rig.wait_for_notices(10_000).1, ["stepped: stepped is in use by another program"]);
    rig.come_back();
    assert_eq!(rig.device.starts(), 6, "the first, four refusals, the return");
    rig.device.run(24_000, 480);
    assert_eq!(rig.tick(), 960.0);
    let mut course = rig.course();
    course.retain(|word| *word != "stream");
    assert_eq!(course, ["started", "runs", "stopped", "started", "runs"], "it stopped once and went on once");
}

#[test]
fn a_device_that_is_lost_again_at_once_is_waited_for_again() {
    let mut rig = rig();
    rig.play(0);
    rig.device.run(24_000, 480);
    for _ in 0..3 {
        assert_eq!(rig.lose()[0], "gone; waiting for it to come back");
        rig.come_back();
        // Not one block, and it is gone again.
    }
    rig.lose();
    rig.come_back();
    rig.device.run(24_000, 480);
    assert_eq!(rig.tick(), 960.0);
    let mut course = rig.course();
    course.retain(|word| *word != "stream");
    assert_eq!(course, ["started", "runs", "stopped", "started", "runs"]);
}

#[test]
fn the_next_stream_begins_when_its_first_block_says_so() {
    let mut rig = rig();
    rig.device.set_mono(Micros::from_millis(700_000));
    rig.play(0);
    rig.device.run(24_000, 480);
    rig.lose();
    rig.come_back();
    rig.device.set_mono(Micros::from_millis(725_000));
    rig.events();
    rig.device.run(480, 480);
    let events = rig.events();
    let course = |event: &AudioEvent| matches!(event, AudioEvent::Transport(TransportEvent::Runs { .. }));
    let stamp = events.iter().find(|(_, event)| course(event)).map(|(stamp, _)| *stamp).expect("it runs");
    assert_eq!((stamp.mono, stamp.frame.map(|f| f.0)), (Micros::from_millis(725_000), Some(0)));
    assert!(events.iter().all(|(stamp, _)| stamp.mono >= Micros::from_millis(725_000)));
}

#[test]
fn music_that_waits_for_the_person_waits_on() {
    let mut rig = rig();
    rig.play(0);
    rig.engine.send(Command::Hold(Some(Ticks(480))));
    rig.device.run(48_000, 480);
    rig.lose();
    rig.come_back();
    rig.device.run(48_000, 480);
    let playhead = rig.reports.playhead.read();
    assert_eq!((playhead.tick, playhead.playing, playhead.waiting), (480.0, true, true));
    rig.engine.send(Command::AdvanceTo { tick: Ticks(480), hold: Some(Ticks(960)) });
    rig.device.run(96_000, 480);
    assert_eq!((rig.tick(), rig.reports.playhead.read().waiting), (960.0, true));
}

#[test]
fn what_the_person_plays_in_silence_leads_the_music_on() {
    let mut rig = rig();
    rig.play(0);
    rig.engine.send(Command::Hold(Some(Ticks(480))));
    rig.device.run(48_000, 480);
    rig.lose();
    rig.engine.send(Command::AdvanceTo { tick: Ticks(960), hold: Some(Ticks(1_440)) });
    rig.fallback.run(480, 480);
    assert_eq!(rig.tick(), 960.0);
    rig.fallback.run(48_000, 480);
    assert_eq!(rig.tick(), 960.0, "it moves when the device is back");
    rig.come_back();
    rig.device.run(12_000, 480);
    assert_eq!((rig.tick(), rig.reports.playhead.read().waiting), (1_200.0, false));
    rig.device.run(48_000, 480);
    assert_eq!((rig.tick(), rig.reports.playhead.read().waiting), (1_440.0, true));
}

#[test]
fn music_moved_while_the_device_is_gone_goes_on_from_there() {
    let mut rig = rig();
    rig.play(0);
    rig.device.run(24_000, 480);
    rig.lose();
    rig.engine.send(Command::Seek(Ticks(1_920)));
    rig.engine.send(Command::Hold(None));
    rig.fallback.run(480, 480);
    rig.come_back();
    rig.device.run(24_000, 480);
    assert_eq!((rig.tick(), rig.reports.playhead.read().playing), (2_400.0, true));
}

#[test]
fn a_count_in_goes_on_where_it_was() {
    let mut rig = rig();
    rig.play(1);
    rig.device.run(50_000, 500);
    assert!(rig.reports.playhead.read().counting_in);
    rig.lose();
    rig.come_back();
    rig.device.run(46_000, 500);
    assert_eq!(rig.tick(), 0.0, "a bar is 96 000 frames");
    rig.device.run(24_000, 480);
    assert_eq!(rig.tick(), 480.0);
}

#[test]
fn a_loop_goes_on_in_the_same_pass() {
    let mut rig = rig();
    rig.play(0);
    let range = LoopRange { from: Ticks(0), to: Ticks(1_920), count_in: 0, hold: None };
    rig.engine.send(Command::SetLoop(Some(range)));
    rig.device.run(144_000, 480);
    rig.lose();
    rig.come_back();
    rig.device.run(72_000, 480);
    let playhead = rig.reports.playhead.read();
    assert_eq!((playhead.pass, playhead.tick), (2, 480.0));
}

#[test]
fn another_device_lets_the_music_rest() {
    let mut rig = rig();
    rig.play(0);
    rig.device.run(24_000, 480);
    rig.lose();
    let (backend, other) = stepped();
    let (fallback, _) = stepped();
    let backends: Vec<Box<dyn Backend>> = vec![Box::new(backend), Box::new(fallback)];
    let notices = rig.supervisor.reconfigure(rig.now, backends, StreamConfig::default());
    assert_eq!(notices.iter().map(ToString::to_string).collect::<Vec<_>>(), ["sound on Stepped at 48000 Hz"]);
    assert!(!rig.supervisor.waiting());
    other.run(24_000, 480);
    let playhead = rig.reports.playhead.read();
    assert_eq!((playhead.tick, playhead.playing), (480.0, false), "the interruption is forgotten");
    assert_eq!(rig.wait_for_notices(10_000).1, [""; 0]);
}

#[test]
fn waking_up_tries_a_lost_device_at_once() {
    let mut rig = rig();
    rig.play(0);
    rig.device.set_absent(true);
    rig.lose();
    assert_eq!(rig.wait_for_notices(20_000).1, [""; 0]);
    rig.device.set_absent(false);
    rig.supervisor.hurry(rig.now);
    assert_eq!(rig.wait_for_notices(4_000), (1, vec!["sound is back on Stepped".to_owned()]));
    // Nothing is tried where nothing is waited for.
    let starts = rig.device.starts();
    rig.supervisor.hurry(rig.now);
    assert_eq!((rig.wait_for_notices(4_000).1.len(), rig.device.starts()), (0, starts));
}

#[test]
fn what_the_drivers_own_port_held_is_let_go() {
    let mut rig = rig();
    rig.play(0);
    let key = |played| [TimedMidi::new(0, Micros(0), played)];
    let (mut left, mut right) = ([0.0; 480], [0.0; 480]);
    let pitch = Pitch::MIDDLE_C;
    rig.device.step_into(&key(Played::On { pitch, velocity: 80 }), &mut left, &mut right);
    rig.device.run(4_800, 480);
    // This one is still on its way when the device is lost.
    let pitch = Pitch::new(62).expect("a key");
    rig.device.step_into(&key(Played::On { pitch, velocity: 80 }), &mut left, &mut right);
    rig.lose();
    let mut down = std::collections::BTreeSet::new();
    for (_, call) in rig.log.of(Part::LIVE) {
        match call {
            Call::On(key, _) => assert!(down.insert(key)),
            Call::Off(key) => assert!(down.remove(&key)),
            _ => {}
        }
    }
    assert_eq!(down.len(), 0, "{down:?} hang");
    let live = |(_, event)| match event {
        AudioEvent::Live { data, .. } => Some(data),
        AudioEvent::Transport(_) => None,
    };
    let told: Vec<_> = rig.events().into_iter().filter_map(live).collect();
    assert_eq!(told, [[0x90, 60, 80], [0x90, 62, 80], [0x80, 60, 64], [0x80, 62, 64]]);
    rig.come_back();
    rig.device.run(4_800, 480);
    assert_eq!(rig.events().into_iter().filter_map(live).count(), 0, "once");
}

/// Plays through so many losses, each return at the next of these rates.
fn check_losses(losses: usize, rates: &[Rate], tolerance: f64) {
    let mut rig = rig();
    rig.play(0);
    let mut ticks = 0.0;
    for loss in 0..losses {
        let rate = rig.supervisor.info().expect("a stream").rate;
        // Blocks of odd lengths; a beat is half a second.
        let frames = 1_000 + loss * 379 % 3_800;
        rig.device.run(frames, 97 + loss % 400);
        ticks += frames as f64 * 960.0 / f64::from(rate.0);
        assert!((rig.tick() - ticks).abs() <= tolerance, "loss {loss}: {} and not {ticks}", rig.tick());
        rig.device.set_rate(rates[loss % rates.len()]);
        rig.device.refuse((loss % 3) as u32);
        rig.lose();
        rig.engine.send(Command::SetVolume(Bus::Master, 1.0));
        rig.fallback.run(480, 480);
        while rig.supervisor.waiting() {
            rig.wait_for_notices(4_000);
        }
        rig.engine.poll();
        rig.events();
        rig.log.of(Part::LIVE);
    }
    // Both instruments of the last exchange come home.
    rig.device.run(48_000, 480);
    rig.engine.poll();
    assert_eq!((rig.engine.below(), rig.engine.kept(), rig.engine.refused()), (2, 0, 0));
    assert_eq!(rig.reports.playhead.read().faults, 0);
}

#[test]
fn a_thousand_losses_move_the_music_by_no_frame_and_leave_nothing_behind() {
    check_losses(1_000, &[Rate(48_000)], 1e-7);
}

#[test]
fn losses_to_other_rates_keep_the_place_and_leave_nothing_behind() {
    // Each change of the rate rounds the place once, to a fraction of a frame.
    check_losses(100, &[Rate(44_100), Rate(96_000), Rate(48_000)], 1e-3);
}

#[test]
fn a_sleep_that_the_driver_survives_is_an_interruption_and_no_loss() {
    let mut rig = rig();
    rig.device.count_calls();
    rig.play(0);
    rig.device.run(24_000, 480);
    // Hours pass on the wall; the monotonic clock stands still but for what going to sleep and waking up take.
    rig.device.xrun(Micros::from_millis(2_500));
    let before = rig.reports.playhead.read().timing.anchors;
    assert_eq!(rig.wait_for_notices(10).1, ["the sound was interrupted"]);
    let woken = rig.device.mono();
    rig.device.run(24_000, 480);
    let playhead = rig.reports.playhead.read();
    assert_eq!((playhead.tick, playhead.timing.anchors), (960.0, before + 1));
    assert_eq!(playhead.mono, woken + Micros::from_millis(500), "frames and moments belong together again");
    assert_eq!(rig.wait_for_notices(1_000).1, [""; 0]);
}

#[test]
fn a_sleep_that_the_driver_does_not_survive_is_a_loss() {
    let mut rig = rig();
    rig.device.count_calls();
    rig.play(0);
    rig.device.run(24_000, 480);
    rig.wait_for_notices(1);
    let (waited, notices) = rig.wait_for_notices(10_000);
    assert!((2_900..=3_100).contains(&waited), "{waited} ms awake");
    assert_eq!(notices[0], "Stepped no longer asks for sound; waiting for it to come back");
    rig.fallback.set_mono(rig.device.mono() + Micros::from_millis(waited));
    rig.fallback.run(4_800, 480);
    rig.come_back();
    rig.device.run(24_000, 480);
    assert_eq!(rig.tick(), 960.0);
    let stamps: Vec<Micros> = rig.events().iter().map(|(stamp, _)| stamp.mono).collect();
    assert!(stamps.is_sorted(), "a take stays in order: {stamps:?}");
}
