//! MIDI out as a person meets it: what was chosen once holds for the next run, lights and keys take the way of the choice,
//! and the program is silent where the instrument sounds.

mod audio_support;

use std::sync::Arc;
use std::time::Duration;

use audio_support::{Call, Rig};
use music_trainer::app::clock::SystemClock;
use music_trainer::audio::backend::{Kind, MidiSource, Patch, StreamInfo};
use music_trainer::audio::instrument::{Part, Pedal};
use music_trainer::audio::{AudioEvent, Command, Engine, OutletEnds, Played, Reports, SourceId, TimedMidi, TimedWire};
use music_trainer::bus::{BusHandle, Config, MemoryStorage, start};
use music_trainer::components::devices::{MidiDesk, chosen_output};
use music_trainer::components::openings::Openings;
use music_trainer::midi::Cause;
use music_trainer::midi::ports::Link;
use music_trainer::model::{OutputUse, Trainer};
use music_trainer::music::Pitch;
use music_trainer::time::{Clock, Frames, ManualClock, Micros, Rate, Stamp, StreamId};

const JACK: &str = "JACK midi_out";

fn bus(clock: &Arc<dyn Clock>) -> BusHandle<Trainer> {
    start::<Trainer>(Config::default(), clock.clone(), Box::new(MemoryStorage::new())).expect("it starts")
}

fn desk(bus: &BusHandle<Trainer>, clock: &Arc<dyn Clock>, engine: &mut Engine, outlet: OutletEnds) -> MidiDesk {
    let mut desk = MidiDesk::new(bus, clock, engine, false, outlet, Openings::default());
    desk.follow_stream(Some(&stream()), &[MidiSource::named("system:midi_capture_1")], &[]);
    desk.poll(clock.now(), bus, engine);
    desk
}

/// A stream whose driver has a port of its own; it stands for the stepped one.
fn stream() -> StreamInfo {
    let (kind, device, rate) = (Kind::Jack, "JACK server".to_owned(), Rate::DEFAULT);
    StreamInfo {
        kind,
        device,
        rate,
        period: 256,
        output_latency: 256,
        bluetooth: false,
        stand_in: false,
        stream: StreamId(1),
    }
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
    desk.follow_stream(None, &[], &[]);
    assert!(desk.poll(clock.now(), &bus, &mut engine));
    assert_eq!((desk.plays_alone(), &desk.outputs()[0].link), (false, &Link::Away));
    assert_eq!(desk.report()[0].link, Link::Away);
    desk.close(clock.now());
    assert!(bus.shutdown(Duration::from_secs(10)));
}

/// What is held at the driver's own port is let go, in the sound and in the take.
#[test]
fn what_the_driver_s_own_port_holds_is_let_go() {
    let (mut rig, mut log) = Rig::recorded(256);
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
    rig.engine.send(Command::RemoveSource(SourceId::DRIVER));
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
}

/// A sink that the desk has patched to a source of the driver.
fn patched(desk: &mut MidiDesk, clock: &Arc<dyn Clock>, bus: &BusHandle<Trainer>, rig: &mut Rig) -> Vec<Patch> {
    desk.poll(clock.now(), bus, &mut rig.engine);
    desk.take_patches()
}

/// The desk without what it needs of the reports, which the test reads itself.
fn desk_beside(rig: &mut Rig, bus: &BusHandle<Trainer>, clock: &Arc<dyn Clock>) -> MidiDesk {
    let (_, spare) = rtrb::RingBuffer::new(1);
    let (port, _) = rtrb::RingBuffer::new(1);
    let outlet = std::mem::replace(&mut rig.reports.outlet, OutletEnds { sent: spare, port });
    MidiDesk::new(bus, clock, &mut rig.engine, false, outlet, Openings::default())
}

fn step(rig: &mut Rig) {
    let (mut left, mut right) = ([0.0; 256], [0.0; 256]);
    assert!(rig.driver.step_into(&[], &mut left, &mut right));
    rig.engine.poll();
}

#[test]
fn a_keyboard_of_the_driver_sounds_on_its_frame_and_lets_go_of_its_keys_when_it_is_switched_off() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let bus = bus(&clock);
    let (mut rig, mut log) = Rig::recorded(256);
    let mut desk = desk_beside(&mut rig, &bus, &clock);
    let sources = ["a:out", "b:out"].map(MidiSource::named);
    desk.follow_stream(Some(&stream()), &sources, &[]);
    let mut patches = patched(&mut desk, &clock, &bus, &mut rig);
    let names: Vec<_> = patches.iter().map(|patch| patch.source.clone()).collect();
    assert_eq!(names, ["a:out", "b:out"]);
    step(&mut rig);
    // Frames of the block at hand, read after it, sound one period later.
    let mono = clock.now();
    for (patch, (frame, key)) in patches.iter_mut().zip([(130, 60), (7, 64)]) {
        let stamp = Stamp { driver: Micros(0), mono, frame: Some(Frames(frame)), stream: StreamId(1) };
        patch.sink.as_mut().expect("it is to be heard").receive(stamp, &[0x90, key, 80]);
    }
    (0..3).for_each(|_| step(&mut rig));
    assert_eq!(log.of(Part::LIVE), [(7 + 256, Call::On(64, 80)), (130 + 256, Call::On(60, 80))]);
    let counts =
        |desk: &MidiDesk| desk.report().iter().map(|d| (d.link.clone(), d.monitor.received)).collect::<Vec<_>>();
    desk.poll(clock.now(), &bus, &mut rig.engine);
    assert_eq!(counts(&desk), [(Link::Open, 1), (Link::Open, 1)]);

    desk.enable("a:out", false);
    let closed = patched(&mut desk, &clock, &bus, &mut rig);
    assert!(matches!(&closed[..], [Patch { source, sink: None }] if source == "a:out"));
    // Switched on again before the driver has let go of it, it is not opened twice.
    desk.enable("a:out", true);
    assert!(patched(&mut desk, &clock, &bus, &mut rig).is_empty());
    drop(patches.remove(0));
    let opened = patched(&mut desk, &clock, &bus, &mut rig);
    assert!(matches!(&opened[..], [Patch { source, sink: Some(_) }] if source == "a:out"));
    (0..8).for_each(|_| step(&mut rig));
    let calls: Vec<_> = log.of(Part::LIVE).into_iter().map(|(_, call)| call).collect();
    assert_eq!(calls.last(), Some(&Call::Off(60)), "{calls:?}");
    assert!(!calls.contains(&Call::Off(64)), "the other keyboard's goes on: {calls:?}");
    assert_eq!(counts(&desk), [(Link::Open, 2), (Link::Open, 1)]);
    desk.close(clock.now());
    assert!(bus.shutdown(Duration::from_secs(10)));
}

/// More keyboards come and go in one run than the engine has places for.
#[test]
fn the_place_of_a_keyboard_that_is_gone_is_given_to_another() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let bus = bus(&clock);
    let (mut rig, mut log) = Rig::recorded(256);
    let mut desk = desk_beside(&mut rig, &bus, &clock);
    let keyboards = 2 * music_trainer::audio::SOURCES_MAX;
    for n in 0..keyboards {
        desk.follow_stream(Some(&stream()), &[MidiSource::named(format!("keyboard {n}:out"))], &[]);
        let mut patches = patched(&mut desk, &clock, &bus, &mut rig);
        let mut sink = patches.pop().and_then(|patch| patch.sink).unwrap_or_else(|| panic!("keyboard {n} is heard"));
        assert_eq!(desk.report()[n].link, Link::Open, "keyboard {n}");
        sink.receive(Stamp::at(clock.now()), &[0x90, 40 + n as u8, 80]);
        desk.follow_stream(Some(&stream()), &[], &[]);
        patched(&mut desk, &clock, &bus, &mut rig);
        drop(sink);
        (0..8).for_each(|_| step(&mut rig));
    }
    desk.poll(clock.now(), &bus, &mut rig.engine);
    (0..8).for_each(|_| step(&mut rig));
    let calls: Vec<_> = log.of(Part::LIVE).into_iter().map(|(_, call)| call).collect();
    for key in (40..).take(keyboards) {
        assert!(calls.contains(&Call::On(key, 80)) && calls.contains(&Call::Off(key)), "{key}: {calls:?}");
    }
    // The first is back, in a place that another had.
    desk.follow_stream(Some(&stream()), &[MidiSource::named("keyboard 0:out")], &[]);
    assert!(patched(&mut desk, &clock, &bus, &mut rig).pop().is_some_and(|patch| patch.sink.is_some()));
    assert_eq!(desk.report()[0].link, Link::Open);
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
