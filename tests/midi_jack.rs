//! MIDI out by the port of a real JACK server: the accompaniment on its exact frames, lights and keys that are sent on, and
//! a server that dies leaves nothing sounding.
#![cfg(feature = "jack")]

mod jack_support;

use std::collections::BTreeSet;
use std::time::Duration;

use jack::{Client, Control, MidiIn, Port, ProcessHandler, ProcessScope};
use jack_support::{Program, Server, client, drain, until, with_server_name};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::{Command, Notice, Schedule};
use music_trainer::bus::{Config, MemoryStorage, start};
use music_trainer::components::devices::MidiDesk;
use music_trainer::components::openings::Openings;
use music_trainer::midi::Cause;
use music_trainer::model::{OutputUse, Trainer};
use music_trainer::music::{Hand, Pitch, Score, ScoreParts, Tempo, WrittenNote};
use music_trainer::time::{Rate, Ticks};

/// Runs that an interruption of the sound (the machine is shared) may spoil before the test gives up.
const RUNS_MAX: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Heard {
    At(u32, [u8; 3]),
    Gap,
}

/// Writes down every message and the server's frame of it.
struct Listener {
    port: Port<MidiIn>,
    next: Option<u32>,
    heard: rtrb::Producer<Heard>,
}

impl ProcessHandler for Listener {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let first = scope.last_frame_time();
        if self.next.is_some_and(|next| next != first) {
            let _full = self.heard.push(Heard::Gap);
        }
        self.next = Some(first.wrapping_add(scope.n_frames()));
        for raw in self.port.iter(scope) {
            let mut bytes = [0; 3];
            bytes[..raw.bytes.len().min(3)].copy_from_slice(&raw.bytes[..raw.bytes.len().min(3)]);
            let _full = self.heard.push(Heard::At(first.wrapping_add(raw.time), bytes));
        }
        Control::Continue
    }
}

type Ear = (jack::AsyncClient<(), Listener>, rtrb::Consumer<Heard>);

/// A client that is joined to the program's port.
fn listen() -> Ear {
    let ear = client("ear");
    let port = ear.register_port("in", MidiIn::default()).expect("a port");
    let (heard, consumer) = rtrb::RingBuffer::new(10_000);
    let ear = ear.activate_async((), Listener { port, next: None, heard }).expect("active");
    until("the port is there", || ear.as_client().connect_ports_by_name("music-trainer:midi_out", "ear:in").ok());
    (ear, consumer)
}

/// Thirty notes, 61 ticks apart: no whole number of periods.
fn score() -> Score {
    let notes = (0..30)
        .map(|n| WrittenNote {
            onset: Ticks(n * 61),
            end: Ticks(n * 61 + 40),
            pitch: Pitch::new(40 + n as u8).expect("a key"),
            hand: Hand::Left,
            velocity: 80,
        })
        .collect();
    let tempos = vec![Tempo { tick: Ticks(0), micros_per_quarter: 500_000 }];
    Score::new(ScoreParts { resolution: 480, notes, tempos, ..Default::default() })
}

fn onsets(heard: &[Heard]) -> Vec<(u32, u8)> {
    let onset = |heard: &Heard| match heard {
        Heard::At(frame, [0x90, key, _]) => Some((*frame, *key)),
        _ => None,
    };
    heard.iter().filter_map(onset).collect()
}

#[test]
fn the_accompaniment_leaves_the_port_on_its_frames() {
    with_server_name("the_accompaniment_leaves_the_port_on_its_frames", |server| {
        let _server = Server::start(server);
        drop(client("first"));
        for run in 1..=RUNS_MAX {
            let mut program = Program::start(Box::new(Piano::new(Rate::DEFAULT)));
            let (ear, mut heard_here) = listen();
            std::thread::park_timeout(Duration::from_millis(200));
            drain(&mut heard_here);
            program.engine.send(Command::Load(Box::new(Schedule::of_score(&score()))));
            program.engine.send(Command::Play { count_in: 0 });
            let mut heard = Vec::new();
            until("thirty notes and their ends", || {
                program.engine.poll();
                heard.extend(drain(&mut heard_here));
                let ends = heard.iter().filter(|h| matches!(h, Heard::At(_, [0x80, ..]))).count();
                (onsets(&heard).len() >= 30 && ends >= 30).then_some(())
            });
            assert!(program.supervisor.stop().is_some(), "the processor comes home");
            drop(ear);
            if heard.contains(&Heard::Gap) {
                println!("run {run}: the sound was interrupted");
                continue;
            }
            let onsets = onsets(&heard);
            for (n, (frame, key)) in onsets.iter().enumerate() {
                let exact = n as u32 * 61 * 50;
                assert_eq!((frame.wrapping_sub(onsets[0].0), *key), (exact, 40 + n as u8), "note {n}");
            }
            return;
        }
        panic!("{RUNS_MAX} runs were interrupted");
    });
}

#[test]
fn a_server_that_dies_leaves_no_note() {
    let name = "a_server_that_dies_leaves_no_note";
    with_server_name(name, |server| {
        let mut first = Server::start(server);
        drop(client("first"));
        let mut program = Program::start(Box::new(Piano::new(Rate::DEFAULT)));
        let (ear, mut heard_here) = listen();
        program.engine.send(Command::Load(Box::new(Schedule::of_score(&score()))));
        program.engine.send(Command::Play { count_in: 0 });
        let mut sounding = BTreeSet::new();
        let mut follow = |heard: Vec<Heard>| {
            for one in heard {
                match one {
                    Heard::At(_, [0x90, key, _]) => drop(sounding.insert(key)),
                    Heard::At(_, [0x80, key, _]) => drop(sounding.remove(&key)),
                    Heard::At(_, [0xb0, 123, _]) => sounding.clear(),
                    _ => {}
                }
            }
            sounding.len()
        };
        until("a note sounds", || (follow(drain(&mut heard_here)) > 0).then_some(()));
        first.kill();
        drop(ear);
        until("the death is noticed", || {
            let notices = program.supervisor.poll(program.clock.now());
            notices.iter().any(|n| matches!(n, Notice::Lost(_))).then_some(())
        });
        let mut ring = BTreeSet::new();
        while let Ok(sent) = program.reports.outlet.sent.pop() {
            match *sent.wire.bytes() {
                [0x90, key, _] => drop(ring.insert(key)),
                [0x80, key, _] => drop(ring.remove(&key)),
                _ => {}
            }
        }
        assert!(ring.is_empty(), "what was sent to others has ended: {ring:?}");
        let _second = Server::start(server);
        until("the server is taken up again", || {
            let notices = program.supervisor.poll(program.clock.now());
            notices.iter().any(|n| matches!(n, Notice::Back(_))).then_some(())
        });
        let (ear, mut heard_here) = listen();
        until("the music goes on, or has come to its end", || {
            program.engine.poll();
            follow(drain(&mut heard_here));
            (!program.reports.playhead.read().playing || program.reports.playhead.read().tick > 1_000.0).then_some(())
        });
        // The stream stops while notes may sound: the last thing that the port says is to let go.
        assert!(program.supervisor.stop().is_some(), "the processor comes home");
        until("the farewell arrives", || {
            let heard = drain(&mut heard_here);
            let quiet = heard.iter().any(|h| matches!(h, Heard::At(_, [0xb0, 123, 0])));
            follow(heard);
            quiet.then_some(())
        });
        assert_eq!(follow(drain(&mut heard_here)), 0, "nothing hangs");
        drop(ear);
    });
}

#[test]
fn lights_and_keys_that_are_sent_on_arrive() {
    with_server_name("lights_and_keys_that_are_sent_on_arrive", |server| {
        let _server = Server::start(server);
        drop(client("first"));
        let Program { mut engine, reports, supervisor, clock } = Program::start(Box::new(Piano::new(Rate::DEFAULT)));
        let (ear, mut heard_here) = listen();
        let bus =
            start::<Trainer>(Config::default(), clock.clone(), Box::new(MemoryStorage::new())).expect("it starts");
        let mut desk = MidiDesk::new(&bus, &clock, &mut engine, false, reports.outlet, Openings::default());
        desk.follow_stream(supervisor.info(), &[], &[]);
        let usage = OutputUse { enabled: true, through: true, lights: Some(4), ..OutputUse::default() };
        desk.use_output("JACK midi_out", usage, &mut engine);
        until("the output is open", || desk.poll(clock.now(), &bus, &mut engine).then_some(()));
        desk.light(1 << 60 | 1 << 64);
        desk.keys().press(clock.now(), Cause(1), Pitch::MIDDLE_C, 77);
        desk.keys().release(clock.now(), Cause(1));
        desk.light(0);
        let wanted: [[u8; 3]; 6] =
            [[0x93, 60, 1], [0x93, 64, 1], [0x90, 60, 77], [0x80, 60, 64], [0x83, 60, 64], [0x83, 64, 64]];
        let mut heard = Vec::new();
        until("everything arrives", || {
            desk.poll(clock.now(), &bus, &mut engine);
            engine.poll();
            heard.extend(drain(&mut heard_here));
            let has = |bytes: &[u8; 3]| heard.iter().any(|h| matches!(h, Heard::At(_, b) if b == bytes));
            wanted.iter().all(has).then_some(())
        });
        let report = desk.outputs();
        assert_eq!((report.len(), report[0].monitor.received), (1, 16 + 6), "{report:?}");
        // What is held when the program ends is let go.
        desk.keys().press(clock.now(), Cause(1), Pitch::MIDDLE_C, 99);
        until("the key is sent on", || drain(&mut heard_here).contains_bytes([0x90, 60, 99]).then_some(()));
        desk.close(clock.now());
        until("and let go", || drain(&mut heard_here).contains_bytes([0x80, 60, 64]).then_some(()));
        drop(ear);
        assert!(supervisor.stop().is_some(), "the processor comes home");
        assert!(bus.shutdown(Duration::from_secs(10)));
    });
}

trait Contains {
    fn contains_bytes(&self, bytes: [u8; 3]) -> bool;
}

impl Contains for Vec<Heard> {
    fn contains_bytes(&self, bytes: [u8; 3]) -> bool {
        self.iter().any(|h| matches!(h, Heard::At(_, heard) if *heard == bytes))
    }
}
