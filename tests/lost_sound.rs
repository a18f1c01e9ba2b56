//! The whole program, but for its window, on a JACK server that is killed in the middle of practising and started again:
//! the music goes on at its place, what is played is kept and judged, nothing hangs, and a person reads one line for the
//! loss and one for the return.
#![cfg(all(feature = "jack", feature = "window", target_os = "linux"))]

mod jack_support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;

use jack::{AsyncClient, AudioIn, Client, Control, MidiOut, Port, ProcessHandler, ProcessScope, RawMidi};
use jack_support::{PERIOD, Server, client, drain, until, with_server_name};
use music_trainer::app::boot::{Program, boot};
use music_trainer::app::control::{Desk, Notice, Wish};
use music_trainer::audio::backend::{Kind, StreamInfo};
use music_trainer::audio::{MusicTime, Playhead};
use music_trainer::bus::Envelope;
use music_trainer::cli::{BackendChoice, WindowArgs};
use music_trainer::components::devices::calibration_entity;
use music_trainer::components::session::first_settings;
use music_trainer::formats::pieces;
use music_trainer::midi::Cause;
use music_trainer::model::{Event, PieceId, TakeEnd, TakeId, Trainer, TransportChange};
use music_trainer::music::{Hands, NoteId, Pitch, Score};
use music_trainer::practice::{BarRange, Mode, PracticeSettings, Verdict};
use music_trainer::time::{Micros, Rate, Ticks};

const PIECE: &str = "lightly-row";
/// Bars that are practised.
const BARS: usize = 4;
/// Notes that are played before the server is killed.
const BEFORE: usize = 5;
/// A key of the JACK keyboard that is held when the server dies.
const HELD: u8 = 40;
/// Keys that are pressed in the window while there is no sound.
const SILENT: [u8; 2] = [84, 86];
/// A note that is played on its time is judged so; the clocks of a shared machine are joined to some milliseconds.
const PUNCTUAL: Micros = Micros::from_millis(60);

/// A keyboard of the server.
struct Keyboard(Port<MidiOut>, rtrb::Consumer<[u8; 3]>);

impl ProcessHandler for Keyboard {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let mut writer = self.0.writer(scope);
        while let Ok(bytes) = self.1.pop() {
            writer.write(&RawMidi { time: 0, bytes: &bytes }).expect("room for a message");
        }
        Control::Continue
    }
}

fn keyboard() -> (AsyncClient<(), Keyboard>, rtrb::Producer<[u8; 3]>) {
    let client = client("keyboard");
    let port = client.register_port("out", MidiOut::default()).expect("a port");
    let (send, messages) = rtrb::RingBuffer::new(16);
    let client = client.activate_async((), Keyboard(port, messages)).expect("an active client");
    let connect = || client.as_client().connect_ports_by_name("keyboard:out", "music-trainer:midi_in").ok();
    until("the program's MIDI input", connect);
    (client, send)
}

/// Listens to the program's left side.
struct Ear(Port<AudioIn>, rtrb::Producer<f32>);

impl ProcessHandler for Ear {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        for sample in self.0.as_slice(scope) {
            // Enough has been heard when this fails.
            let _ = self.1.push(*sample);
        }
        Control::Continue
    }
}

/// The person at the program, without its window.
struct Person {
    program: Program,
    score: &'static Score,
    /// The cause of the key that is down.
    cause: u32,
}

impl Person {
    fn start(data: &Path) -> Self {
        let backend = Some(BackendChoice::Jack);
        let args = WindowArgs { data_dir: Some(data.to_owned()), backend, safe: false, file: None };
        let program = boot(&args, Arc::new(|| {})).expect("the program starts");
        Self { program, score: &pieces::find(PIECE).expect("a built-in piece").score, cause: 0 }
    }

    fn desk<T>(&self, what: &str, mut look: impl FnMut(&Desk) -> Option<T>) -> T {
        until(what, || look(&self.program.control.desk()))
    }

    fn stream(&self, kind: Kind) -> StreamInfo {
        let running = |desk: &Desk| desk.sound.stream.clone().filter(|stream| stream.kind == kind);
        self.desk("a stream", running)
    }

    fn playhead(&mut self) -> Playhead {
        self.program.playhead.read()
    }

    /// Lets the last key go and presses another one.
    fn press(&mut self, at: Micros, pitch: Pitch) {
        self.release(at);
        self.cause += 1;
        let cause = Cause(self.cause);
        assert!(self.program.control.wish(Wish::KeyDown { at, cause, pitch, velocity: 80 }));
    }

    fn release(&mut self, at: Micros) {
        assert!(self.program.control.wish(Wish::KeyUp { at, cause: Cause(self.cause) }));
    }

    /// The right hand's notes of the bars that are practised.
    fn notes(&self) -> Vec<(NoteId, Ticks, Pitch)> {
        let end = self.score.bars().get(BARS).start;
        let hand = self.score.iter().filter(|(_, note)| Hands::RIGHT.contains(note.hand) && note.onset < end);
        hand.map(|(id, note)| (id, note.onset, note.pitch)).collect()
    }

    /// Keeps tempo from now on.
    fn begin(&mut self) -> TakeId {
        let free = self.program.control.desk().take;
        let range = Some(BarRange::new(0, BARS - 1));
        let practice = PracticeSettings {
            practise: Hands::RIGHT,
            range,
            count_in_bars: 1,
            metronome: true,
            ..first_settings(Mode::Tempo)
        };
        assert!(self.program.control.wish(Wish::Open(PieceId::builtin(PIECE), Some(practice))));
        self.desk("a piece is open", |desk| desk.session.piece.as_ref().map(|_| ()));
        assert!(self.program.control.wish(Wish::Play));
        self.desk("a take of the piece", |desk| desk.take.filter(|take| desk.session.judging && Some(*take) != free))
    }

    /// Plays these notes, each at its own moment.
    fn play(&mut self, notes: &[(NoteId, Ticks, Pitch)]) {
        for (_, onset, pitch) in notes {
            let due = until("the note's turn", || {
                let playhead = self.playhead();
                let due = playhead.anchor.frame_of(self.score.tempo(), *onset);
                let is_due = playhead.playing && !playhead.counting_in && playhead.frame >= due;
                is_due.then(|| playhead.mono + playhead.anchor.rate.micros(due - playhead.frame))
            });
            // What the stream of this moment takes, which need not be that of the take's beginning.
            let latency = self.program.control.desk().sound.judged();
            self.press(due + latency, *pitch);
        }
    }

    /// The take's events as they are on disk.
    fn events(&self, take: TakeId) -> Vec<Envelope<Trainer>> {
        self.program.bus.entity_events(&take.entity(), 1, 100_000).expect("a readable log")
    }

    /// The take's events when its end is on disk too, which is a little after the desk shows it.
    fn ended(&self, take: TakeId) -> Vec<Envelope<Trainer>> {
        let is_end = |e: &Envelope<Trainer>| matches!(e.event(), Some(Event::TakeEnded(_)));
        until("the take's end is on disk", || Some(self.events(take)).filter(|events| events.iter().any(is_end)))
    }

    fn note_ons(&self, take: TakeId, key: u8) -> usize {
        let on = |e: &Envelope<Trainer>| match e.event() {
            Some(Event::NotePlayed(played)) => played.note_on().is_some_and(|(pitch, _)| pitch.key() == key),
            _ => false,
        };
        self.events(take).iter().filter(|e| on(e)).count()
    }
}

/// Of the two lines that a person was told the one that holds is left.
fn check_lines(notices: &[Notice], expected: &str) {
    let told: Vec<&str> = notices.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(told, [expected]);
    assert_eq!(notices.last().map(|notice| notice.id), Some(2), "none was told twice");
}

fn verify(data: &Path) {
    let verified = Process::new(env!("CARGO_BIN_EXE_music-trainer")).arg("verify").arg(data).output().expect("it runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// Every written note right and in time, each key that went down came up, and the music went on where it had stopped.
fn check_take(person: &Person, take: TakeId, place: f64) {
    let events = person.ended(take);
    let verdict = |e: &Envelope<Trainer>| match e.event() {
        Some(Event::VerdictGiven(verdict)) => Some(*verdict),
        _ => None,
    };
    let verdicts: Vec<Verdict> = events.iter().filter_map(verdict).collect();
    let right: BTreeSet<NoteId> = verdicts.iter().filter(|v| v.kind.is_right()).filter_map(|v| v.written).collect();
    let written: BTreeSet<NoteId> = person.notes().iter().map(|(id, ..)| *id).collect();
    assert_eq!(right, written, "{verdicts:?}");
    let worst = verdicts.iter().filter(|v| v.kind.is_right()).filter_map(|v| v.deviation).map(|d| d.0.abs()).max();
    println!("the worst of {} notes is {worst:?} µs beside its time", right.len());
    assert!(worst.is_some_and(|worst| worst < PUNCTUAL.0), "{worst:?} µs");

    let mut down = BTreeSet::new();
    for event in &events {
        if let Some(Event::NotePlayed(played)) = event.event() {
            if let Some((pitch, _)) = played.note_on() {
                assert!(down.insert((played.source, pitch.key())));
            } else if let Some(pitch) = played.note_off() {
                assert!(down.remove(&(played.source, pitch.key())));
            }
        }
    }
    assert!(down.is_empty(), "{down:?} never came up");

    let change = |e: &Envelope<Trainer>| match e.event() {
        Some(Event::TransportMoved(moved)) => Some(moved.change),
        _ => None,
    };
    let moves: Vec<TransportChange> = events.iter().filter_map(change).collect();
    let stops: Vec<usize> = (0..moves.len()).filter(|i| moves[*i] == TransportChange::Stopped).collect();
    let [stop, _at_the_end] = stops[..] else { panic!("once at the loss, once at the end: {moves:?}") };
    let Some(TransportChange::Runs { place: on, .. }) = moves.get(stop + 1) else { panic!("it went on: {moves:?}") };
    let on = MusicTime(*on).ticks(person.score.tempo());
    assert!((on - place).abs() < 1e-6, "it stopped at {place}, and went on at {on}");
    let end = events.iter().find_map(|e| if let Some(Event::TakeEnded(end)) = e.event() { Some(*end) } else { None });
    assert_eq!(end, Some(TakeEnd::Completed));
}

/// Practises on a server that is killed and started again so; the program goes on.
fn practise_through_a_loss(name: &str, data: &Path, rate: u32, period: u32) -> (Person, Server) {
    let mut first = Server::start(name);
    drop(client("first"));
    let mut person = Person::start(data);
    let stream = person.stream(Kind::Jack);
    let (hand, mut send) = keyboard();
    let take = person.begin();
    let notes = person.notes();
    person.play(&notes[..BEFORE]);
    send.push([0x90, HELD, 80]).expect("room");
    until("the keyboard's key is heard", || (person.note_ons(take, HELD) == 1).then_some(()));
    first.kill();
    let lost = "the JACK server is gone; waiting for it to come back";
    person.desk("the loss is told", |desk| desk.notices.iter().any(|n| n.text == lost).then_some(()));
    drop((hand, send, first));
    let silent = person.stream(Kind::Null);
    let place = until("silence", || Some(person.playhead()).filter(|p| p.stream == silent.stream && !p.playing)).tick;
    assert!(place > notes[BEFORE - 1].1.0 as f64 && place < notes[BEFORE].1.0 as f64, "{place} is between two notes");
    for key in SILENT {
        let now = person.program.clock.now();
        person.press(now, Pitch::new(key).expect("a key"));
    }
    let now = person.program.clock.now();
    person.release(now);
    for key in SILENT {
        until("what is played in silence is kept", || (person.note_ons(take, key) == 1).then_some(()));
    }
    person.desk("no key is shown as held", |desk| (desk.held == 0).then_some(()));
    until("nothing sounds any more", || (person.playhead().voices == 0).then_some(()));
    assert_eq!(person.playhead().tick, place, "the music stands still");

    let second = Server::start_at(name, rate, period);
    let back = person.stream(Kind::Jack);
    assert_eq!((back.rate, back.period), (Rate(rate), period));
    let same = (stream.rate, stream.period) == (back.rate, back.period);
    assert_eq!(calibration_entity(&stream) == calibration_entity(&back), same, "what was measured of one holds there");
    person.play(&notes[BEFORE..]);
    // Before the take is over, and after it went down, which may be a little ahead.
    let soon = person.program.clock.now() + Micros::from_millis(200);
    person.release(soon);
    person.desk("the take is over", |desk| (!desk.session.judging).then_some(()));
    person.desk("no key is held", |desk| (desk.held == 0).then_some(()));
    until("nothing hangs", || (person.playhead().voices == 0).then_some(()));
    check_take(&person, take, place);
    let told = person.events(take).iter().fold(Micros::ZERO, |latency, e| match e.event() {
        Some(Event::TakeStarted(start)) => start.latency,
        Some(Event::LatencyChanged(changed)) => *changed,
        _ => latency,
    });
    assert_eq!(told, person.program.control.desk().sound.judged(), "the take knows how late the second stream is");
    check_lines(&person.program.control.desk().notices, "sound is back on JACK server");
    assert_eq!(person.playhead().faults, 0);
    (person, second)
}

#[test]
fn killed_and_back() {
    with_server_name("killed_and_back", |name| {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let (person, server) = practise_through_a_loss(name, &data, 48_000, PERIOD);
        assert!(person.program.stop(), "everything is durable at the end");
        verify(&data);
        drop(server);
    });
}

/// The strength of a sine in the samples, by its definition.
fn strength(samples: &[f32], hertz: f64, rate: f64) -> f64 {
    let turn = std::f64::consts::TAU * hertz / rate;
    let sum = samples.iter().enumerate().fold((0.0, 0.0), |(cos, sin), (i, sample)| {
        let (s, c) = (turn * i as f64).sin_cos();
        (cos + c * f64::from(*sample), sin + s * f64::from(*sample))
    });
    sum.0.hypot(sum.1)
}

#[test]
fn back_at_another_rate() {
    with_server_name("back_at_another_rate", |name| {
        const RATE: u32 = 44_100;
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let (mut person, server) = practise_through_a_loss(name, &data, RATE, 512);
        let ear = client("ear");
        let port = ear.register_port("in", AudioIn::default()).expect("a port");
        let (samples, mut heard) = rtrb::RingBuffer::new(2 * RATE as usize);
        let ear = ear.activate_async((), Ear(port, samples)).expect("an active client");
        ear.as_client().connect_ports_by_name("music-trainer:out_left", "ear:in").expect("connected");
        let now = person.program.clock.now();
        person.press(now, Pitch::new(69).expect("a key"));
        let mut sound = Vec::new();
        until("half a second of sound", || {
            let silent = sound.is_empty();
            sound.extend(drain(&mut heard).into_iter().skip_while(|sample| silent && sample.abs() < 1e-4));
            (sound.len() >= RATE as usize / 2).then_some(())
        });
        let strongest = (400..500).max_by(|a, b| {
            let of = |hertz: &i32| strength(&sound, f64::from(*hertz), f64::from(RATE));
            of(a).total_cmp(&of(b))
        });
        // An instrument made for 48 kHz would sound at 404 Hz here.
        assert!(strongest.is_some_and(|hertz| (438..=442).contains(&hertz)), "A sounds at {strongest:?} Hz");
        drop(ear);
        assert!(person.program.stop(), "everything is durable at the end");
        verify(&data);
        drop(server);
    });
}

#[test]
fn a_server_that_comes_later() {
    with_server_name("a_server_that_comes_later", |name| {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let mut person = Person::start(&data);
        person.stream(Kind::Null);
        let take = person.begin();
        let notes = person.notes();
        person.play(&notes[..2]);
        let server = Server::start(name);
        person.stream(Kind::Jack);
        let place = person.playhead();
        assert!(place.playing && place.tick > notes[1].1.0 as f64, "the music was not disturbed: {}", place.tick);
        let rest: Vec<_> = notes.into_iter().filter(|(_, onset, _)| onset.0 as f64 > place.tick).collect();
        person.play(&rest);
        person.desk("the take is over", |desk| (!desk.session.judging).then_some(()));
        let is_right = |e: &&Envelope<Trainer>| match e.event() {
            Some(Event::VerdictGiven(verdict)) => verdict.kind.is_right(),
            _ => false,
        };
        let right = person.ended(take).iter().filter(is_right).count();
        assert!(right >= 2 + rest.len(), "both in silence and with sound");
        check_lines(&person.program.control.desk().notices, "sound is back on JACK server");
        assert!(person.program.stop(), "everything is durable at the end");
        verify(&data);
        drop(server);
    });
}
