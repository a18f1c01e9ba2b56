//! The JACK backend against a real server with the dummy driver: notes one period after their frame, clicks on theirs,
//! and a server that dies and comes back. The server is this test's own; a machine without jackd fails here, loudly.
#![cfg(feature = "jack")]

mod audio_support;
mod jack_support;

use std::time::Duration;

use audio_support::Pulse;
use jack::{AudioIn, Client, Control, MidiOut, Port, ProcessHandler, ProcessScope, RawMidi};
use jack_support::{PERIOD, Program, Server, client, drain, until, with_server_name};
use music_trainer::audio::backend::Kind;
use music_trainer::audio::{Command, Notice, Schedule};
use music_trainer::music::Meter;
use music_trainer::time::Ticks;

/// Runs that an interruption of the sound (the machine is shared) may spoil before the test gives up.
const RUNS_MAX: usize = 8;

/// Sends note-ons at chosen offsets, one a cycle, and writes down the server's frame of each.
struct Sender {
    port: Port<MidiOut>,
    cycle: u32,
    sent: rtrb::Producer<u32>,
}

impl ProcessHandler for Sender {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let mut writer = self.port.writer(scope);
        self.cycle += 1;
        if self.cycle.is_multiple_of(4) {
            let time = self.cycle * 389 % scope.n_frames();
            let bytes = [0x90, (self.cycle % 128) as u8, 100];
            if writer.write(&RawMidi { time, bytes: &bytes }).is_ok() {
                let _full = self.sent.push(scope.last_frame_time().wrapping_add(time));
            }
        }
        Control::Continue
    }
}

/// Writes down the server's frame of every sample that begins a sound, and every gap in the frames.
struct Listener {
    port: Port<AudioIn>,
    next: Option<u32>,
    quiet: u32,
    heard: rtrb::Producer<Heard>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Heard {
    Onset(u32),
    Gap,
}

impl ProcessHandler for Listener {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let first = scope.last_frame_time();
        if self.next.is_some_and(|next| next != first) {
            let _full = self.heard.push(Heard::Gap);
        }
        self.next = Some(first.wrapping_add(scope.n_frames()));
        for (i, sample) in self.port.as_slice(scope).iter().enumerate() {
            if *sample != 0.0 && self.quiet > 500 {
                let _full = self.heard.push(Heard::Onset(first.wrapping_add(i as u32)));
            }
            self.quiet = if *sample == 0.0 { self.quiet + 1 } else { 0 };
        }
        Control::Continue
    }
}

/// A client that hears the program's left side.
fn listen() -> (jack::AsyncClient<(), Listener>, rtrb::Consumer<Heard>) {
    let ear = client("ear");
    let port = ear.register_port("in", AudioIn::default()).expect("a port");
    let (heard, consumer) = rtrb::RingBuffer::new(10_000);
    let ear = ear.activate_async((), Listener { port, next: None, quiet: 0, heard }).expect("active");
    ear.as_client().connect_ports_by_name("music-trainer:out_left", "ear:in").expect("connected");
    (ear, consumer)
}

#[test]
fn a_note_sounds_exactly_one_period_after_its_frame() {
    with_server_name("a_note_sounds_exactly_one_period_after_its_frame", |server| {
        let _server = Server::start(server);
        drop(client("first"));
        for run in 1..=RUNS_MAX {
            let (sent, heard) = hear_notes();
            if heard.contains(&Heard::Gap) {
                println!("run {run}: the sound was interrupted");
                continue;
            }
            assert!(heard.len() >= 20, "{heard:?}");
            for onset in &heard {
                let Heard::Onset(frame) = onset else { continue };
                let began = frame.wrapping_sub(PERIOD);
                assert!(sent.contains(&began), "a sound at {frame}, but nothing played at {began}: {sent:?}");
            }
            return;
        }
        panic!("{RUNS_MAX} runs were interrupted");
    });
}

/// The frames at which notes were played, and what was heard.
fn hear_notes() -> (Vec<u32>, Vec<Heard>) {
    let program = Program::start(Box::new(Pulse::default()));
    let hand = client("hand");
    let port = hand.register_port("out", MidiOut::default()).expect("a port");
    let (sent, mut sent_here) = rtrb::RingBuffer::new(10_000);
    let (ear, mut heard_here) = listen();
    let hand = hand.activate_async((), Sender { port, cycle: 0, sent }).expect("active");
    hand.as_client().connect_ports_by_name("hand:out", "music-trainer:midi_in").expect("connected");
    // What was heard while the graph was being changed does not count.
    std::thread::park_timeout(Duration::from_millis(200));
    drain(&mut heard_here);
    let mut heard = Vec::new();
    until("twenty sounds", || {
        heard.extend(drain(&mut heard_here));
        (heard.len() >= 20).then_some(())
    });
    drop((hand, ear));
    assert!(program.supervisor.stop().is_some(), "the processor comes home");
    (drain(&mut sent_here), heard)
}

#[test]
fn clicks_leave_the_port_on_their_frames() {
    with_server_name("clicks_leave_the_port_on_their_frames", |server| {
        let _server = Server::start(server);
        drop(client("first"));
        for run in 1..=RUNS_MAX {
            let mut program = Program::start(Box::new(Pulse::default()));
            let (ear, mut heard_here) = listen();
            std::thread::park_timeout(Duration::from_millis(200));
            drain(&mut heard_here);
            let meter = Meter { tick: Ticks(0), beats: 4, unit: 4 };
            // 0.133 s a beat: no whole number of periods.
            program.engine.send(Command::Load(Box::new(Schedule::of_beat(133_333, meter))));
            program.engine.send(Command::SetMetronome(true));
            program.engine.send(Command::Play { count_in: 0 });
            let mut heard = Vec::new();
            until("twenty clicks", || {
                program.engine.poll();
                heard.extend(drain(&mut heard_here));
                (heard.len() >= 20).then_some(())
            });
            drop(ear);
            if heard.contains(&Heard::Gap) {
                println!("run {run}: the sound was interrupted");
                continue;
            }
            let frames: Vec<u32> =
                heard.iter().filter_map(|h| if let Heard::Onset(f) = h { Some(*f) } else { None }).collect();
            for (k, frame) in frames.iter().enumerate() {
                let exact = (k as f64 * 0.133_333 * 48_000.0).round() as u32;
                assert_eq!(frame.wrapping_sub(frames[0]), exact, "click {k}");
            }
            let playhead = program.reports.playhead.read();
            assert_eq!((playhead.faults, playhead.live_delay), (0, PERIOD));
            return;
        }
        panic!("{RUNS_MAX} runs were interrupted");
    });
}

#[test]
fn a_server_that_dies_is_noticed_and_taken_up_again() {
    with_server_name("a_server_that_dies_is_noticed_and_taken_up_again", |server| {
        let mut first = Server::start(server);
        drop(client("first"));
        let mut program = Program::start(Box::new(Pulse::default()));
        program.engine.send(Command::Play { count_in: 0 });
        until("the music moves", || (program.reports.playhead.read().tick > 100.0).then_some(()));
        first.kill();
        let mut notices = Vec::new();
        until("the death is noticed", || {
            notices.extend(program.supervisor.poll(program.clock.now()));
            notices.iter().any(|n| matches!(n, Notice::Lost(_))).then_some(())
        });
        assert_eq!(program.supervisor.info().map(|i| i.kind), Some(Kind::Null), "silence, and the program runs");
        let place = program.reports.playhead.read().tick;
        let _second = Server::start(server);
        until("the server is taken up again", || {
            notices.extend(program.supervisor.poll(program.clock.now()));
            notices.iter().any(|n| matches!(n, Notice::Back(_))).then_some(())
        });
        until("the music goes on", || {
            let playhead = program.reports.playhead.read();
            (playhead.playing && playhead.tick > place).then_some(())
        });
        let place_after = program.reports.playhead.read().tick;
        assert!(place_after < place + 4.0 * 960.0, "from {place} to {place_after}: at the same place");
    });
}

#[test]
fn chirps_through_a_cable_of_the_server_come_back_to_the_frame() {
    with_server_name("chirps_through_a_cable_of_the_server_come_back_to_the_frame", |server| {
        use music_trainer::components::devices::{Loopback, LoopbackStand};
        let _server = Server::start(server);
        let patch = client("patch");
        let mut program = Program::start(Box::new(Pulse::default()));
        patch.connect_ports_by_name("music-trainer:out_left", "music-trainer:in").expect("connected");
        for run in 0..RUNS_MAX {
            let now = program.clock.now();
            let mut loopback =
                Loopback::begin(now, &mut program.engine, &mut program.supervisor, None).expect("there is an input");
            let stand = until("the chirps are found", || {
                program.engine.poll();
                match loopback.poll(program.clock.now(), &mut program.engine) {
                    LoopbackStand::Listening(_) => None,
                    ended => Some(ended),
                }
            });
            loopback.end(&mut program.engine, &mut program.supervisor);
            let LoopbackStand::Heard(heard) = stand else {
                println!("run {run}: {stand:?}");
                continue;
            };
            // A loop within one client takes one period, which is what the server says the input takes.
            assert!(heard.0.abs() <= 20, "{heard} µs, less than a frame");
            return;
        }
        panic!("{RUNS_MAX} runs were interrupted");
    });
}
