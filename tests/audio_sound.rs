//! What comes out: the same bits for the same input, no clicks where something changes, faults contained.

mod audio_support;

use audio_support::{Act, Broken, Recorder, Rig, largest_step, off, on, pedal, perform, score};
use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::{Bus, Command, LiveEvent, Played, SourceId, TimedMidi};
use music_trainer::bus::lane::LaneItem;
use music_trainer::music::{Hand, Pitch};
use music_trainer::time::{Micros, Rate, Stamp, Ticks};

fn piece() -> music_trainer::music::Score {
    score(&[
        (0, 480, 60, Hand::Right),
        (0, 960, 48, Hand::Left),
        (480, 960, 64, Hand::Right),
        (700, 1400, 67, Hand::Left),
    ])
}

fn script() -> Vec<(i64, Act)> {
    vec![
        (0, Act::Do(Command::SetMetronome(true))),
        (0, Act::Do(Command::Play { count_in: 0 })),
        (100, on(72, 100)),
        (333, on(76, 90)),
        (4_000, pedal(127)),
        (5_001, off(72)),
        (20_000, Act::Do(Command::SetVolume(Bus::Master, 0.5))),
        (30_000, Act::Do(Command::Seek(Ticks(240)))),
        (40_000, pedal(0)),
    ]
}

fn piano_sound(sizes: &[usize]) -> [Vec<f32>; 2] {
    // The nominal period is the largest block, so that the delay of live notes is the same for all sizes.
    let mut rig = Rig::new(Box::new(Piano::new(Rate::DEFAULT)), 8192);
    rig.load(&piece());
    perform(&mut rig, script(), 60_000, sizes)
}

#[test]
fn the_same_input_gives_the_same_bits_twice() {
    let [left, right] = piano_sound(&[128]);
    assert_eq!(piano_sound(&[128]), [left.clone(), right]);
    assert!(left.iter().any(|s| s.abs() > 0.01), "something sounds");
}

#[test]
fn block_sizes_do_not_change_a_single_bit() {
    let expected = piano_sound(&[128]);
    for sizes in [&[8192][..], &[1, 7, 64, 1000, 3, 8192, 255], &[33]] {
        assert!(piano_sound(sizes) == expected, "blocks of {sizes:?}");
    }
}

#[test]
fn the_sound_does_not_depend_on_anybody_reading_the_reports() {
    let sound = |drain: bool| {
        let mut rig = Rig::new(Box::new(Piano::new(Rate::DEFAULT)), 256);
        // A click every five frames: far more events than the lane has slots.
        let meter = music_trainer::music::Meter { tick: Ticks(0), beats: 4, unit: 4 };
        rig.engine.send(Command::Load(Box::new(music_trainer::audio::Schedule::of_beat(100, meter))));
        rig.engine.send(Command::Play { count_in: 0 });
        let (mut left, mut right) = (vec![0.0; 60_000], vec![0.0; 60_000]);
        for (l, r) in left.chunks_mut(256).zip(right.chunks_mut(256)) {
            let played = Played::On { pitch: Pitch::MIDDLE_C, velocity: 80 };
            rig.driver.step_into(&[TimedMidi::new(3, Micros(0), played)], l, r);
            if drain {
                rig.engine.poll();
                rig.events();
            }
        }
        let mut lost = 0;
        rig.reports.events.drain(usize::MAX, |item| {
            if let LaneItem::Gap { lost: here, .. } = item {
                lost += here;
            }
        });
        (left, right, lost)
    };
    let (left, right, lost) = sound(true);
    let (frozen_left, frozen_right, frozen_lost) = sound(false);
    assert!(frozen_left == left && frozen_right == right);
    assert!(left.iter().any(|s| s.abs() > 0.01) && lost == 0 && frozen_lost > 0, "{lost} {frozen_lost}");
}

/// A steady sine, however many keys are down, that falls silent when none is: a click in it is the processor's.
struct Hum {
    phase: f32,
    step: f32,
}

impl Hum {
    fn new(hertz: f32) -> Self {
        Self { phase: 0.0, step: std::f32::consts::TAU * hertz / 48_000.0 }
    }
}

impl Instrument for Hum {
    fn note_on(&mut self, _: Part, _: Pitch, _: u8) {}
    fn note_off(&mut self, _: Part, _: Pitch) {}
    fn pedal(&mut self, _: Part, _: Pedal) {}
    fn silence(&mut self, _: Part) {}
    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        for (l, r) in left.iter_mut().zip(right) {
            self.phase += self.step;
            (*l, *r) = (0.4 * self.phase.sin(), 0.4 * self.phase.sin());
        }
    }
    fn voices(&self) -> usize {
        1
    }
}

#[test]
fn volume_and_the_exchange_of_instruments_make_no_click() {
    let mut rig = Rig::new(Box::new(Hum::new(200.0)), 256);
    let script = vec![
        (5_000, Act::Do(Command::SetVolume(Bus::Master, 0.1))),
        (9_000, Act::Do(Command::SetVolume(Bus::Master, 1.0))),
        (15_000, Act::Do(Command::SetInstrument(Box::new(Recorder::new().0)))),
    ];
    let [left, _] = perform(&mut rig, script, 20_000, &[256]);
    let steepest = 0.4 * std::f32::consts::TAU * 200.0 / 48_000.0;
    let fastest_fade = 0.4 / 480.0;
    assert!(largest_step(&left) < steepest + fastest_fade * 1.5, "{} > {steepest}", largest_step(&left));
    assert!(left[15_600..].iter().all(|s| *s == 0.0), "the old instrument is gone after 10 ms");
}

#[test]
fn stop_seek_and_panic_of_the_piano_make_no_click() {
    let mut rig = Rig::new(Box::new(Piano::new(Rate::DEFAULT)), 256);
    rig.load(&piece());
    let undisturbed = perform(&mut rig, vec![(0, Act::Do(Command::Play { count_in: 0 }))], 60_000, &[256]);
    let steepest = largest_step(&undisturbed[0]);
    for (name, command) in [("stop", Command::Stop), ("seek", Command::Seek(Ticks(1900))), ("panic", Command::Panic)] {
        let mut rig = Rig::new(Box::new(Piano::new(Rate::DEFAULT)), 256);
        rig.load(&piece());
        let script = vec![(0, Act::Do(Command::Play { count_in: 0 })), (30_011, Act::Do(command))];
        let [left, _] = perform(&mut rig, script, 60_000, &[256]);
        assert!(largest_step(&left) <= steepest * 1.05, "{name}: {} > {steepest}", largest_step(&left));
    }
}

#[test]
fn memory_comes_home_when_instruments_pieces_and_sources_are_exchanged() {
    let mut rig = Rig::new(Box::new(Hum::new(200.0)), 256);
    let in_use = rig.engine.below();
    for round in 0..500_u16 {
        rig.engine.send(Command::SetInstrument(Box::new(Hum::new(300.0))));
        rig.load(&piece());
        let (_keys, ring) = rtrb::RingBuffer::<LiveEvent>::new(4);
        rig.engine.add_source(SourceId(20), ring);
        if round % 3 == 0 {
            rig.engine.send(Command::RemoveSource(SourceId(20)));
        }
        rig.driver.run(512, 128);
        rig.engine.poll();
    }
    rig.engine.send(Command::RemoveSource(SourceId(20)));
    rig.driver.run(4_800, 128);
    rig.engine.poll();
    assert_eq!((rig.engine.below(), rig.engine.kept()), (in_use, 0));
}

#[test]
fn commands_for_a_callback_that_does_not_run_are_kept_in_order() {
    let (mut rig, mut log) = Rig::recorded(256);
    for key in 0..100 {
        for velocity in 1..=9 {
            let pitch = Pitch::new(key).expect("a key");
            rig.engine.send(Command::Audition(Played::On { pitch, velocity }));
        }
    }
    assert!(rig.engine.kept() > 0, "more than the ring holds");
    for _ in 0..10 {
        rig.driver.run(128, 128);
        rig.engine.poll();
    }
    let onsets: Vec<_> = log.onsets(Part::LIVE).into_iter().map(|(_, key)| key).collect();
    assert_eq!(onsets, (0..100).flat_map(|key| [key; 9]).collect::<Vec<_>>());
}

#[test]
fn a_live_note_sounds_one_period_after_it_was_played_however_late_the_callback() {
    const PERIOD: i64 = 256;
    let (mut rig, mut log) = Rig::recorded(PERIOD as u32);
    let (mut keys, ring) = rtrb::RingBuffer::<LiveEvent>::new(64);
    rig.engine.add_source(SourceId(16), ring);
    rig.driver.run(PERIOD as usize * 20, PERIOD as usize);
    let mut expected = Vec::new();
    for block in 0..40_i64 {
        // Played within the block that passes now, at any place of it; callbacks are up to 2 ms late.
        let frame = rig.driver.frame().0 + (block * 37) % PERIOD;
        let stamp = Stamp::at(Rate::DEFAULT.micros(music_trainer::time::Frames(frame)));
        let pitch = Pitch::new((block % 100) as u8).expect("a key");
        keys.push(LiveEvent { stamp, played: Played::On { pitch, velocity: 90 } }).expect("room");
        expected.push((frame + PERIOD, pitch.key()));
        rig.driver.set_lateness(Micros(block * 713 % 2_000));
        rig.driver.run(PERIOD as usize, PERIOD as usize);
    }
    rig.driver.run(PERIOD as usize * 2, PERIOD as usize);
    let onsets = log.onsets(Part::LIVE);
    assert_eq!(onsets.len(), expected.len());
    for ((frame, key), (expected, expected_key)) in onsets.iter().zip(&expected) {
        assert_eq!(key, expected_key);
        // While the pace is not known yet and no callback is punctual: up to a third of a millisecond beside.
        assert!((frame - expected).abs() <= 16, "key {key} at {frame}, not {expected}");
    }
    assert_eq!(rig.reports.playhead.read().late, 0);
}

#[test]
fn events_of_the_driver_sound_exactly_one_period_later_and_are_published_with_their_frame() {
    let (mut rig, mut log) = Rig::recorded(256);
    perform(&mut rig, vec![(1_000, on(60, 99)), (1_001, off(60)), (5_119, on(61, 1))], 8_192, &[256]);
    assert_eq!(log.onsets(Part::LIVE), [(1_256, 60), (5_375, 61)]);
    let live: Vec<_> = rig
        .events()
        .into_iter()
        .filter_map(|(stamp, event)| match event {
            music_trainer::audio::AudioEvent::Live { data: [0x90, key, _], .. } => {
                Some((stamp.frame?.0, stamp.stream.0, key))
            }
            _ => None,
        })
        .collect();
    assert_eq!(live, [(1_000, 1, 60), (5_119, 1, 61)]);
}

#[test]
fn a_removed_source_leaves_no_note_hanging() {
    let (mut rig, mut log) = Rig::recorded(256);
    let (mut keys, ring) = rtrb::RingBuffer::<LiveEvent>::new(64);
    rig.engine.add_source(SourceId(16), ring);
    let pitch = Pitch::MIDDLE_C;
    let stamp = Stamp::at(Micros(0));
    keys.push(LiveEvent { stamp, played: Played::On { pitch, velocity: 90 } }).expect("room");
    keys.push(LiveEvent { stamp, played: Played::Pedal(Pedal::Sustain(127)) }).expect("room");
    rig.driver.run(1024, 256);
    rig.engine.send(Command::RemoveSource(SourceId(16)));
    rig.driver.run(256, 256);
    use audio_support::Call;
    let calls: Vec<_> = log.of(Part::LIVE).into_iter().map(|(_, call)| call).collect();
    assert_eq!(calls, [Call::On(60, 90), Call::Pedal(127), Call::Off(60), Call::Pedal(0)]);
}

#[test]
fn all_notes_off_and_reset_let_go_of_what_their_keyboard_holds_and_nothing_else() {
    use audio_support::{Act, Call};
    let (mut rig, mut log) = Rig::recorded(256);
    let (mut keys, ring) = rtrb::RingBuffer::<LiveEvent>::new(64);
    rig.engine.add_source(SourceId(16), ring);
    let stamp = Stamp::at(Micros(0));
    keys.push(LiveEvent { stamp, played: Played::On { pitch: Pitch::MIDDLE_C, velocity: 90 } }).expect("room");
    rig.driver.run(512, 256);
    assert_eq!(log.of(Part::LIVE).len(), 1);
    let script = vec![
        (600, on(60, 50)),
        (601, on(64, 50)),
        (602, pedal(100)),
        (603, Act::Play(Played::Bend(4_096))),
        (604, Act::Play(Played::Pressure(33))),
        (700, Act::Play(Played::AllNotesOff)),
        (701, on(67, 50)),
        (800, Act::Play(Played::Reset)),
        (900, Act::Play(Played::Reset)),
        (901, Act::Play(Played::Controllers)),
    ];
    perform(&mut rig, script, 2_048, &[256]);
    let calls: Vec<_> = log.of(Part::LIVE).into_iter().map(|(_, call)| call).collect();
    let struck = [Call::On(60, 50), Call::On(64, 50), Call::Pedal(100), Call::Bend(100), Call::Pressure(33)];
    // The other keyboard still holds 60; the pedal survives "all notes off".
    let released = [Call::Off(64), Call::On(67, 50), Call::Off(67), Call::Pedal(0), Call::Bend(0), Call::Pressure(0)];
    assert_eq!(calls, [&struck[..], &released].concat());
}

#[test]
fn clicks_go_where_they_are_sent_and_to_the_music_where_there_is_no_such_place() {
    use music_trainer::audio::Outputs;
    use music_trainer::music::{ClickRoute, ClickStyle};
    let loud = |samples: &[f32]| samples.iter().any(|s| s.abs() > 0.05);
    for (route, expected) in [
        (ClickRoute::Both, [true, true, false]),
        (ClickRoute::Left, [true, false, false]),
        (ClickRoute::Right, [false, true, false]),
        (ClickRoute::Own, [false, false, true]),
    ] {
        let (mut rig, _log) = Rig::recorded(256);
        rig.engine.send(Command::SetClicks(ClickStyle { route, ..ClickStyle::default() }));
        rig.engine.send(Command::SetMetronome(true));
        rig.engine.send(Command::Play { count_in: 0 });
        let (left, right) = rig.driver.run(512, 512);
        assert_eq!([loud(&left), loud(&right), loud(&rig.driver.click())], expected, "{route:?}");
    }
    let (instrument, _log) = audio_support::Recorder::new();
    let (mut engine, mut processor, _reports) =
        music_trainer::audio::engine(Box::new(instrument), music_trainer::time::Rate::DEFAULT);
    engine.send(Command::SetClicks(ClickStyle { route: ClickRoute::Own, ..ClickStyle::default() }));
    engine.send(Command::Play { count_in: 1 });
    let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
    let block = music_trainer::audio::Block {
        first: music_trainer::time::Frames(0),
        mono: Micros(0),
        stream: music_trainer::time::StreamId(1),
        ..Default::default()
    };
    processor.process(block, &[], Outputs::stereo(&mut left, &mut right));
    assert!(loud(&left) && loud(&right), "a device without a channel for it");
}

#[test]
fn a_panic_in_the_callback_is_silence_and_another_instrument_mends_it() {
    let mut rig = Rig::new(Box::new(Hum::new(200.0)), 256);
    rig.driver.run(1024, 256);
    rig.engine.send(Command::SetInstrument(Box::new(Broken)));
    let (left, _) = rig.driver.run(1024, 256);
    assert!(left.iter().all(|s| *s == 0.0));
    assert_eq!(rig.reports.playhead.read().faults, 1, "it is asked only once");
    rig.engine.poll();
    assert!(rig.engine.take_broken() && !rig.engine.take_broken(), "the control side is told once");
    rig.engine.send(Command::SetInstrument(Box::new(Hum::new(200.0))));
    let (left, _) = rig.driver.run(1024, 256);
    assert!(left.iter().any(|s| *s != 0.0), "sound again");
}

#[test]
fn an_instrument_that_was_to_follow_takes_the_place_of_one_that_panics() {
    let mut rig = Rig::new(Box::new(Hum::new(200.0)), 256);
    rig.driver.run(1024, 256);
    // The third waits until the first has faded out.
    rig.engine.send(Command::SetInstrument(Box::new(Broken)));
    rig.engine.send(Command::SetInstrument(Box::new(Hum::new(200.0))));
    rig.driver.run(256, 256);
    let (left, _) = rig.driver.run(1024, 256);
    assert!(left.iter().any(|s| *s != 0.0));
    rig.engine.poll();
    assert!(!rig.engine.take_broken());
    assert_eq!(rig.engine.below(), 2, "an instrument and a schedule");
}
