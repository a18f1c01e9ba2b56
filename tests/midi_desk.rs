//! MIDI out as a person meets it: what was chosen once holds for the next run, lights and keys take the way of the choice,
//! and the program is silent where the instrument sounds.

mod audio_support;

use std::sync::Arc;
use std::time::Duration;

use audio_support::{Call, Rig};
use music_trainer::app::clock::SystemClock;
use music_trainer::audio::backend::{Kind, StreamInfo};
use music_trainer::audio::instrument::{Part, Pedal};
use music_trainer::audio::{AudioEvent, Engine, OutletEnds, Played, Reports, TimedMidi, TimedWire};
use music_trainer::bus::{BusHandle, Config, MemoryStorage, start};
use music_trainer::components::devices::{MidiDesk, chosen_output};
use music_trainer::components::openings::Openings;
use music_trainer::midi::Cause;
use music_trainer::midi::ports::Link;
use music_trainer::model::{OutputUse, Trainer};
use music_trainer::music::Pitch;
use music_trainer::time::{Clock, Micros, Rate, StreamId};

const JACK: &str = "JACK midi_out";

fn bus(clock: &Arc<dyn Clock>) -> BusHandle<Trainer> {
    start::<Trainer>(Config::default(), clock.clone(), Box::new(MemoryStorage::new())).expect("it starts")
}

fn desk(bus: &BusHandle<Trainer>, clock: &Arc<dyn Clock>, engine: &mut Engine, outlet: OutletEnds) -> MidiDesk {
    let mut desk = MidiDesk::new(bus, clock, engine, false, outlet, Openings::default());
    desk.follow_stream(clock.now(), Some(&stream()), &["system:midi_capture_1".to_owned()], engine);
    desk.poll(clock.now(), bus, engine);
    desk
}

/// A stream whose driver has a port of its own; it stands for the stepped one.
fn stream() -> StreamInfo {
    let (kind, device, rate) = (Kind::Jack, "JACK server".to_owned(), Rate::DEFAULT);
    StreamInfo { kind, device, rate, period: 256, output_latency: 256, bluetooth: false, stream: StreamId(1) }
}

/// Runs blocks until the port has sent so many messages after the first ones, which tell it to let go.
fn sent(rig: &mut Rig, count: usize) -> Vec<[u8; 3]> {
    let mut all = Vec::new();
    for _ in 0..4_000 {
        rig.driver.run(256, 256);
        rig.engine.poll();
        let bytes = |timed: &TimedWire| [timed.wire.bytes()[0], timed.wire.bytes()[1], timed.wire.bytes()[2]];
        let is_first = |b: &[u8; 3]| matches!(b, [0xb0 | 0xb9, 64 | 123, 0] | [0xb0..=0xbf, 122, 127]);
        all.extend(rig.driver.outgoing().iter().map(bytes).filter(|b| !is_first(b)));
        if all.len() >= count {
            return all;
        }
        // The output thread works in its own time.
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("{count} messages, not {all:?}");
}

#[test]
fn the_port_of_the_driver_is_an_output_that_plays_the_accompaniment_until_chosen_otherwise() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let bus = bus(&clock);
    let (Rig { mut engine, reports, .. }, _log) = Rig::recorded(256);
    let Reports { outlet, .. } = reports;
    let mut desk = desk(&bus, &clock, &mut engine, outlet);
    let outputs = desk.outputs();
    assert_eq!((outputs.len(), &outputs[0].link, outputs[0].plan.accompaniment), (1, &Link::Open, true));
    assert!(!desk.plays_alone());
    let usage = OutputUse { enabled: true, accompaniment: true, alone: true, ..OutputUse::default() };
    desk.use_output(JACK, usage, &mut engine);
    assert!(desk.plays_alone());
    let inputs = desk.report();
    assert_eq!((inputs.len(), &inputs[0].link), (1, &Link::Open), "what the server hears is listed");
    // Without its stream there is no port, and the program sounds by itself.
    desk.follow_stream(clock.now(), None, &[], &mut engine);
    assert!(desk.poll(clock.now(), &bus, &mut engine));
    assert_eq!((desk.plays_alone(), &desk.outputs()[0].link), (false, &Link::Away));
    assert_eq!(desk.report()[0].link, Link::Away);
    desk.close(clock.now());
    assert!(bus.shutdown(Duration::from_secs(10)));
}

/// A keyboard of the sound server vanishes with a key and the pedal down: both are let go, in the sound and in the take.
#[test]
fn what_a_vanished_keyboard_of_the_server_holds_is_let_go() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let bus = bus(&clock);
    let (mut rig, mut log) = Rig::recorded(256);
    let (_, spare) = rtrb::RingBuffer::new(1);
    let (port, _) = rtrb::RingBuffer::new(1);
    let outlet = std::mem::replace(&mut rig.reports.outlet, OutletEnds { sent: spare, port });
    let mut desk = desk(&bus, &clock, &mut rig.engine, outlet);
    let key = |key| Played::On { pitch: Pitch::from_data_byte(key), velocity: 80 };
    let (mut left, mut right) = ([0.0; 256], [0.0; 256]);
    let mut step = |rig: &mut Rig, played: &[Played]| {
        let events: Vec<_> = played.iter().map(|played| TimedMidi::new(0, Micros(0), *played)).collect();
        assert!(rig.driver.step_into(&events, &mut left, &mut right));
        rig.engine.poll();
    };
    step(&mut rig, &[key(60), Played::Pedal(Pedal::Sustain(127))]);
    step(&mut rig, &[]);
    // This one was delivered and has not sounded yet.
    step(&mut rig, &[key(64)]);
    rig.events();
    desk.follow_stream(clock.now(), Some(&stream()), &[], &mut rig.engine);
    desk.poll(clock.now(), &bus, &mut rig.engine);
    for _ in 0..3 {
        step(&mut rig, &[]);
    }
    let live = |(_, event)| match event {
        AudioEvent::Live { source, data } => Some((source.0, data)),
        AudioEvent::Transport(_) => None,
    };
    let ends: Vec<_> = rig.events().into_iter().filter_map(live).collect();
    assert_eq!(ends, [(1, [0x80, 60, 64]), (1, [0x80, 64, 64]), (1, [0xb0, 64, 0])]);
    let calls: Vec<_> = log.of(Part::LIVE).into_iter().map(|(_, call)| call).collect();
    // What was under way sounds, and ends at once.
    let struck = [Call::On(60, 80), Call::Pedal(127), Call::On(64, 80)];
    assert_eq!(calls, [&struck[..], &[Call::Off(60), Call::Off(64), Call::Pedal(0)]].concat());
    desk.close(clock.now());
    assert!(bus.shutdown(Duration::from_secs(10)));
}

#[test]
fn what_was_chosen_in_an_earlier_run_holds() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let bus = bus(&clock);
    let usage = OutputUse { enabled: true, through: true, lights: Some(4), ..OutputUse::default() };
    bus.transact(vec![chosen_output(JACK, usage)]).applied().expect("it is chosen");
    let (Rig { mut engine, reports, driver, stream, backend }, _log) = Rig::recorded(256);
    let Reports { outlet, playhead, events, own_sounds } = reports;
    let mut desk = desk(&bus, &clock, &mut engine, outlet);
    let plan = desk.outputs()[0].plan;
    assert_eq!((plan.accompaniment, plan.through, plan.lights), (false, true, Some(3)));
    let (_, spare) = rtrb::RingBuffer::new(1);
    let (port, _) = rtrb::RingBuffer::new(1);
    let outlet = OutletEnds { sent: spare, port };
    let mut rig = Rig { engine, reports: Reports { playhead, events, outlet, own_sounds }, driver, stream, backend };
    desk.light(1 << 60);
    assert_eq!(sent(&mut rig, 1), [[0x93, 60, 1]]);
    desk.keys().press(clock.now(), Cause(1), Pitch::MIDDLE_C, 70);
    assert_eq!(sent(&mut rig, 1), [[0x90, 60, 70]]);
    // The end of the program puts out the light and lets the key go.
    desk.close(clock.now());
    let mut last = sent(&mut rig, 2);
    last.sort_unstable();
    assert_eq!(last, [[0x80, 60, 64], [0x83, 60, 64]]);
    assert!(bus.shutdown(Duration::from_secs(10)));
}
