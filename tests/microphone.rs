//! The microphone from the driver to the note: the stepped backend frame by frame, and a JACK server of this test's own.

#[cfg(feature = "jack")]
mod jack_support;
mod listen_support;

use std::sync::Arc;
use std::time::Duration;

use listen_support::piano;
use music_trainer::audio::backend::stepped::{Driver, stepped};
use music_trainer::audio::backend::{Backend, NullBackend, StreamConfig};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::{Played, Supervisor, engine};
use music_trainer::components::microphone::{HeardNote, Microphone, MicrophoneDesk};
use music_trainer::listen::NoteEvent;
use music_trainer::time::{Frames, ManualClock, Micros, Rate};

const A4: f64 = 440.0;
/// How far an onset of the piano may be told from its frame: four grains of the placement.
const ONSET_FRAMES: i64 = 256;

/// Tries until it works, for 20 seconds of the machine's.
fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..4_000 {
        if let Some(done) = attempt() {
            return done;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("{what}: not within 20 seconds");
}

fn program() -> (Supervisor, Driver) {
    let (backend, driver) = stepped();
    let (_engine, processor, _reports) = engine(Box::new(Piano::new(Rate::DEFAULT)), Rate::DEFAULT);
    let backends: Vec<Box<dyn Backend>> =
        vec![Box::new(backend), Box::new(NullBackend::new(Arc::new(ManualClock::default())))];
    let mut supervisor = Supervisor::new(backends, processor, StreamConfig::default());
    supervisor.start(Micros::ZERO);
    (supervisor, driver)
}

/// The next note that begins.
fn note_on(microphone: &mut Microphone) -> Option<(u8, Frames, HeardNote)> {
    while let Some(note) = microphone.note() {
        if let NoteEvent::On { pitch, at, .. } = note.event {
            return Some((pitch.key(), at, note));
        }
    }
    None
}

#[test]
fn a_note_that_comes_in_is_heard_with_its_frame_and_its_cents() {
    let (mut supervisor, driver) = program();
    // A period, as the stepped driver says.
    let delay = Frames(256);
    let open = |tap| supervisor.listen(None, Some(tap));
    let mut microphone = Microphone::start(A4, open).expect("an input");
    assert_eq!(microphone.input().device, "Stepped input");
    let (begins, key) = (48_000_i64, 69);
    driver.feed(&piano(Rate::DEFAULT, &[(1.0, key, 90)], 2.0));
    let mut noted = None;
    // Block by block, so that no ring runs over while the other thread sleeps.
    let note = until("the note", || {
        driver.run(1_000, 250);
        noted = noted.or_else(|| note_on(&mut microphone));
        noted.filter(|_| driver.frame() >= Frames(80_000))
    });
    assert_eq!(note.0, key);
    assert!((note.1.0 - begins).abs() <= ONSET_FRAMES, "told at {}", note.1.0);
    let stamp = note.2.stamp;
    assert_eq!(stamp.frame, Some(note.1 - delay));
    assert!(matches!(note.2.played(), Played::On { pitch, velocity: 1.. } if pitch.key() == key));
    let played = Rate::DEFAULT.micros(note.1 - delay);
    assert!((stamp.mono - played).0.abs() <= 1_000, "{stamp:?}");
    let (reading, _) = microphone.reading();
    let tone = reading.note.expect("a note sounds");
    assert_eq!(tone.pitch.key(), key);
    assert!(tone.cents.abs() < 5.0 && tone.steady, "{tone:?}");
    assert_eq!((microphone.lost_frames(), microphone.lost_notes()), (0, 0));
    drop(microphone);
    assert!(supervisor.listen(None, None).is_ok_and(|input| input.is_none()));
    assert!(!driver.is_tapped());
}

#[test]
fn the_microphone_follows_the_stream_and_says_when_there_is_none() {
    let (mut supervisor, driver) = program();
    let mut desk = MicrophoneDesk::new(A4);
    assert!(!desk.poll(Micros::ZERO, &mut supervisor), "off, and nothing to show");
    driver.set_no_input(true);
    desk.set(true);
    assert!(desk.poll(Micros::ZERO, &mut supervisor));
    let report = desk.report();
    assert_eq!((report.on, report.device, report.fault.as_deref()), (true, None, Some("stepped: no device input")));
    driver.set_no_input(false);
    desk.set(true);
    desk.poll(Micros::ZERO, &mut supervisor);
    assert_eq!(desk.report().device.as_deref(), Some("Stepped input"));
    driver.lose("unplugged");
    supervisor.poll(Micros::ZERO);
    for _ in 0..2 {
        desk.poll(Micros::ZERO, &mut supervisor);
    }
    let fault = desk.report().fault.expect("the null backend has no microphone");
    assert!(fault.contains("no microphone"), "{fault}");
    supervisor.poll(Micros::SECOND);
    for _ in 0..2 {
        desk.poll(Micros::SECOND, &mut supervisor);
    }
    assert_eq!(desk.report().device.as_deref(), Some("Stepped input"), "it is back with the device");
    assert!(driver.is_tapped());
    desk.set(false);
    desk.poll(Micros::SECOND, &mut supervisor);
    assert!(!driver.is_tapped());
    assert_eq!(desk.report().device, None);
}

#[test]
fn an_input_that_was_not_there_or_falls_silent_is_tried_again() {
    let (mut supervisor, driver) = program();
    let mut desk = MicrophoneDesk::new(A4);
    driver.set_no_input(true);
    desk.set(true);
    let mut at = Micros::ZERO;
    desk.poll(at, &mut supervisor);
    assert!(desk.report().fault.is_some());
    driver.set_no_input(false);
    let mut poll_for = |desk: &mut MicrophoneDesk, supervisor: &mut Supervisor, millis: i64, step: &dyn Fn()| {
        for _ in 0..millis / 10 {
            at += Micros::from_millis(10);
            step();
            desk.poll(at, supervisor);
        }
    };
    poll_for(&mut desk, &mut supervisor, 2_900, &|| ());
    assert_eq!(desk.report().device, None, "not at once");
    poll_for(&mut desk, &mut supervisor, 200, &|| ());
    assert_eq!((desk.report().device.as_deref(), desk.report().fault), (Some("Stepped input"), None));
    // No block comes any more, and the driver says nothing.
    poll_for(&mut desk, &mut supervisor, 3_100, &|| ());
    assert_eq!(desk.report().fault.as_deref(), Some("the microphone is gone"));
    assert!(!driver.is_tapped());
    poll_for(&mut desk, &mut supervisor, 3_100, &|| ());
    assert_eq!(desk.report().device.as_deref(), Some("Stepped input"));
}

#[cfg(feature = "jack")]
mod jack_server {
    use super::*;
    use jack::{AudioOut, Client, Control, Port, ProcessHandler, ProcessScope};
    use jack_support::{Server, client, clock, with_server_name};
    use music_trainer::audio::backend::JackBackend;
    use music_trainer::time::Clock;

    /// Runs that an interruption of the sound may spoil before the test gives up.
    const RUNS_MAX: usize = 6;
    /// When each A4 begins, in seconds of the recording.
    const BEGINS: [f64; 4] = [0.5, 1.237, 2.101, 2.9];

    /// Plays a recording once.
    struct Player {
        port: Port<AudioOut>,
        recording: Vec<f32>,
        done: usize,
    }

    impl ProcessHandler for Player {
        fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
            let out = self.port.as_mut_slice(scope);
            let left = &self.recording[self.done..];
            let count = left.len().min(out.len());
            out[..count].copy_from_slice(&left[..count]);
            out[count..].fill(0.0);
            self.done += count;
            Control::Continue
        }
    }

    /// The frames at which A4 was heard, and the cents of the tuner at the end.
    fn listen_once(clock: &Arc<dyn Clock>) -> (Vec<i64>, f64, u32) {
        let (_engine, processor, _reports) = engine(Box::new(Piano::new(Rate::DEFAULT)), Rate::DEFAULT);
        let backends: Vec<Box<dyn Backend>> =
            vec![Box::new(JackBackend::new(clock.clone())), Box::new(NullBackend::new(clock.clone()))];
        let config = StreamConfig { connect: false, ..StreamConfig::default() };
        let mut supervisor = Supervisor::new(backends, processor, config);
        supervisor.start(clock.now());
        let mut microphone = Microphone::start(A4, |tap| supervisor.listen(None, Some(tap))).expect("an input");
        assert_eq!(microphone.input().device, "music-trainer:in");
        let hand = client("hand");
        let port = hand.register_port("out", AudioOut::default()).expect("a port");
        let notes = BEGINS.map(|begin| (begin, 69, 90));
        let recording = piano(Rate::DEFAULT, &notes, 3.6);
        let hand = hand.activate_async((), Player { port, recording, done: 0 }).expect("active");
        hand.as_client().connect_ports_by_name("hand:out", "music-trainer:in").expect("connected");
        let (mut frames, mut cents) = (Vec::new(), f64::NAN);
        until("four notes", || {
            while let Some((key, at, _)) = note_on(&mut microphone) {
                assert_eq!(key, 69);
                frames.push(at.0);
            }
            if let Some(tone) = microphone.reading().0.note.filter(|tone| tone.steady) {
                cents = tone.cents;
            }
            (frames.len() >= BEGINS.len() && !cents.is_nan()).then_some(())
        });
        assert_eq!(microphone.lost_frames(), 0);
        drop(hand);
        supervisor.poll(clock.now());
        (frames, cents, supervisor.xruns() as u32)
    }

    #[test]
    fn another_input_of_the_server_takes_the_place_of_the_one_before() {
        with_server_name("jack_server::another_input_of_the_server_takes_the_place_of_the_one_before", |server| {
            let clock = clock();
            let _server = Server::start(server);
            drop(client("first"));
            let mut backend = JackBackend::new(clock.clone());
            let inputs: Vec<String> = backend.inputs().expect("a server runs").into_iter().map(|d| d.id).collect();
            assert!(inputs.len() >= 2, "{inputs:?}");
            let (_engine, processor, _reports) = engine(Box::new(Piano::new(Rate::DEFAULT)), Rate::DEFAULT);
            let mut supervisor = Supervisor::new(vec![Box::new(backend)], processor, StreamConfig::default());
            supervisor.start(clock.now());
            let look = client("look");
            let mut desk = MicrophoneDesk::new(A4);
            desk.set(true);
            for wanted in [&inputs[1], &inputs[0], &inputs[1]] {
                desk.choose(Some(wanted));
                until("it is listened to", || {
                    desk.poll(clock.now(), &mut supervisor);
                    desk.report().device.filter(|device| device == wanted)
                });
                let port = look.port_by_name("music-trainer:in").expect("the program's port");
                assert_eq!(port.get_connections(), [wanted.as_str()]);
            }
            desk.choose(Some("system:none"));
            let fault = until("it says so", || {
                desk.poll(clock.now(), &mut supervisor);
                desk.report().fault
            });
            assert!(fault.contains("system:none"), "{fault}");
        });
    }

    #[test]
    fn a_client_that_plays_a4_is_heard_in_tune_and_on_its_frames() {
        with_server_name("jack_server::a_client_that_plays_a4_is_heard_in_tune_and_on_its_frames", |server| {
            let clock = clock();
            let _server = Server::start(server);
            drop(client("first"));
            for run in 1..=RUNS_MAX {
                let (frames, cents, xruns) = listen_once(&clock);
                if xruns > 0 || frames.len() != BEGINS.len() {
                    println!("run {run}: {xruns} interruptions, {frames:?}");
                    continue;
                }
                assert!(cents.abs() < 5.0, "{cents} cents");
                // The server counts frames from elsewhere; from note to note they are the same.
                for (frame, begin) in frames.iter().zip(BEGINS) {
                    let expected = frames[0] + ((begin - BEGINS[0]) * 48_000.0).round() as i64;
                    assert!((frame - expected).abs() <= ONSET_FRAMES, "{frames:?}: {frame}, not {expected}");
                }
                println!("{cents:.2} cents, frames {frames:?}");
                return;
            }
            panic!("{RUNS_MAX} runs were interrupted");
        });
    }
}
