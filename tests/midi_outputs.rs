//! The outputs of a system whose cables are pulled, and the thread that sends, with its real clock.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use music_trainer::app::clock::SystemClock;
use music_trainer::midi::output::{
    Dispatcher, Due, MidiOutputs, Music, MusicPart, OutputChange, OutputPlan, OutputSource, OutputThread, Sink,
};
use music_trainer::midi::ports::{Choices, Link, PortInfo};
use music_trainer::midi::{Message, SourceId, decode};
use music_trainer::music::Pitch;
use music_trainer::time::{Clock, Micros};
use rtrb::{Consumer, Producer, RingBuffer};

/// Longer than any machine takes for one message; only a broken thread waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

struct Score(Consumer<Due>);

impl Music for Score {
    fn next(&mut self) -> Option<Due> {
        self.0.pop().ok()
    }
}

/// What the test does to the system, and what the system sends.
enum Deed {
    Ports(Result<Vec<&'static str>, &'static str>),
    FailOpenings(u32),
    Dead(bool),
}

struct System {
    deeds: Receiver<Deed>,
    ports: Result<Vec<&'static str>, &'static str>,
    failures: u32,
    dead: bool,
    sent: Sender<(Micros, Message)>,
    clock: Arc<dyn Clock>,
    hang: Option<Arc<Barrier>>,
}

struct Wire {
    sent: Sender<(Micros, Message)>,
    clock: Arc<dyn Clock>,
    hang: Option<Arc<Barrier>>,
}

impl Sink for Wire {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let message = decode(bytes).ok_or("no message")?;
        if matches!(message, Message::Control { controller: 122, value: 127, .. }) {
            // Local control, with which every output begins.
            return Ok(());
        }
        self.sent.send((self.clock.now(), message)).map_err(|_| "pulled out".to_owned())?;
        if let Some(hang) = &self.hang {
            hang.wait();
        }
        Ok(())
    }
}

impl OutputSource for System {
    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        for deed in self.deeds.try_iter() {
            match deed {
                Deed::Ports(ports) => self.ports = ports,
                Deed::FailOpenings(failures) => self.failures = failures,
                Deed::Dead(dead) => self.dead = dead,
            }
        }
        let port = |name: &&str| {
            let (front, id) = name.rsplit_once(' ').expect("a name and an id");
            assert!(!front.is_empty());
            PortInfo { id: id.to_owned(), name: (*name).to_owned() }
        };
        self.ports.as_ref().map(|ports| ports.iter().map(port).collect()).map_err(|reason| (*reason).to_owned())
    }

    fn open(&mut self, _: SourceId, _: &PortInfo) -> Result<Box<dyn Sink>, String> {
        if self.failures > 0 {
            self.failures -= 1;
            return Err("busy".to_owned());
        }
        self.dead = false;
        Ok(Box::new(Wire { sent: self.sent.clone(), clock: self.clock.clone(), hang: self.hang.clone() }))
    }

    fn is_alive(&mut self, _: SourceId) -> bool {
        !self.dead
    }
}

struct Bench {
    outputs: MidiOutputs,
    deeds: Sender<Deed>,
    sent: Receiver<(Micros, Message)>,
    music: Producer<Due>,
    clock: Arc<dyn Clock>,
    now: Micros,
}

fn bench(hang: Option<Arc<Barrier>>) -> Bench {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (music, score) = RingBuffer::new(1_024);
    let thread = OutputThread::start(Dispatcher::new(Box::new(Score(score))), clock.clone()).expect("a thread");
    let ((deeds, deeds_out), (sent_in, sent)) = (channel(), channel());
    let ports = Ok(vec!["Piano 24:0"]);
    let source =
        System { deeds: deeds_out, ports, failures: 0, dead: false, sent: sent_in, clock: clock.clone(), hang };
    let plan = OutputPlan { accompaniment: true, ..OutputPlan::default() };
    let plans = BTreeMap::from([("Piano".to_owned(), plan)]);
    let choices = Choices::from([("Piano".to_owned(), true)]);
    let outputs = MidiOutputs::new(Box::new(source), thread, choices, plans);
    Bench { outputs, deeds, sent, music, clock, now: Micros(0) }
}

impl Bench {
    /// A second later: what changed, in words.
    fn poll(&mut self) -> Vec<String> {
        self.now += Micros::SECOND;
        let word = |change| match change {
            OutputChange::Opened(identity) => format!("opened {identity}"),
            OutputChange::Closed(identity) => format!("closed {identity}"),
            OutputChange::Failed(identity, reason) => format!("failed {identity}: {reason}"),
        };
        self.outputs.poll(self.now).into_iter().map(word).collect()
    }

    fn after(&mut self, deed: Deed) -> Vec<String> {
        self.deeds.send(deed).expect("the system is there");
        self.poll()
    }

    fn play(&mut self, at: Micros, key: u8, on: bool) {
        let (channel, pitch, velocity) = (0, Pitch::from_data_byte(key), 80);
        let message = match on {
            true => Message::NoteOn { channel, pitch, velocity },
            false => Message::NoteOff { channel, pitch, velocity },
        };
        self.music.push(Due { at, part: MusicPart::Accompaniment, message }).expect("there is room");
    }
}

#[test]
fn outputs_come_and_go_by_name_and_only_chosen_ones_are_opened() {
    let mut bench = bench(None);
    let both = || Deed::Ports(Ok(vec!["Piano 24:0", "Synth 28:0"]));
    assert_eq!(bench.after(both()), ["opened Piano"]);
    assert_eq!(bench.after(Deed::Ports(Ok(vec!["Synth 28:0"]))), ["closed Piano"]);
    assert_eq!(bench.after(Deed::Ports(Ok(vec!["Synth 28:0", "Piano 32:0"]))), ["opened Piano"]);
    assert_eq!(bench.after(Deed::Dead(true)), ["closed Piano", "opened Piano"]);
    bench.outputs.set_enabled("Synth", true);
    assert_eq!(bench.poll(), ["opened Synth"]);
    bench.outputs.set_enabled("Piano", false);
    assert_eq!(bench.poll(), ["closed Piano"]);
    assert_eq!(bench.after(Deed::Ports(Err("no sequencer"))), ["closed Synth"]);
    let links: Vec<_> = bench.outputs.report().into_iter().map(|report| report.link).collect();
    assert_eq!(links, [Link::Away, Link::Away]);
    assert!(bench.outputs.close());
}

#[test]
fn an_output_that_cannot_be_opened_is_told_once_and_tried_again() {
    let mut bench = bench(None);
    assert_eq!(bench.after(Deed::FailOpenings(3)), ["failed Piano: busy"]);
    assert_eq!((bench.poll(), bench.poll()), (Vec::new(), Vec::new()));
    assert_eq!(bench.poll(), ["opened Piano"]);
}

#[test]
fn what_is_due_is_sent_in_order_never_early_and_what_sounds_at_the_end_is_let_go() {
    let mut bench = bench(None);
    bench.poll();
    let start = bench.clock.now();
    for n in 0..40 {
        let at = start + Micros(n * 3_000);
        bench.play(at, 60, true);
        bench.play(at + Micros(1_500), 60, false);
    }
    bench.play(start + Micros(120_000), 64, true);
    for n in 0..81 {
        let (at, message) = bench.sent.recv_timeout(PATIENCE).expect("it is sent");
        let due = start + Micros(n * 1_500);
        assert!(at >= due, "message {n} was sent {} microseconds early", (due - at).0);
        assert_eq!(matches!(message, Message::NoteOn { .. }), n % 2 == 0);
    }
    // What was sent is shown a moment later.
    for _ in 0..4_000 {
        bench.poll();
        if bench.outputs.report()[0].monitor.received == 16 + 81 {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert_eq!(bench.outputs.report()[0].monitor.received, 16 + 81);
    assert!(bench.outputs.close());
    let last: Vec<_> = bench.sent.iter().map(|(_, message)| message.to_string()).collect();
    assert_eq!(last, ["note off E4 (64) velocity 64, channel 1"]);
}

#[test]
fn a_cable_that_is_pulled_while_it_is_played_on_is_told_once() {
    let mut bench = bench(None);
    bench.poll();
    let now = bench.clock.now();
    bench.play(now, 60, true);
    bench.sent.recv_timeout(PATIENCE).expect("it is sent");
    let Bench { mut outputs, deeds, sent, mut music, clock, .. } = bench;
    drop(sent);
    let due = Due {
        at: clock.now(),
        part: MusicPart::Accompaniment,
        message: Message::NoteOn { channel: 0, pitch: Pitch::MIDDLE_C, velocity: 1 },
    };
    music.push(due).expect("there is room");
    let mut told = Vec::new();
    // The thread tells it in its own time; a second of the outputs' own time is not let pass meanwhile.
    let within = std::time::Duration::from_millis(5);
    for _ in 0..4_000 {
        told.extend(outputs.poll(Micros(1_500_000)));
        if !told.is_empty() {
            break;
        }
        std::thread::park_timeout(within);
    }
    assert!(matches!(&told[..], [OutputChange::Failed(_, reason)] if reason == "pulled out"), "{told:?}");
    assert_eq!(outputs.report()[0].link, Link::Failed("pulled out".to_owned()));
    drop(deeds);
    assert!(outputs.close());
}

#[test]
fn a_driver_that_hangs_holds_up_neither_the_control_side_nor_the_end() {
    let gate = Arc::new(Barrier::new(2));
    let mut bench = bench(Some(gate.clone()));
    bench.poll();
    let now = bench.clock.now();
    bench.play(now, 60, true);
    bench.sent.recv_timeout(PATIENCE).expect("the thread is inside the driver, and does not come back");
    for n in 0..3_000 {
        let lights = OutputPlan { lights: Some((n % 16) as u8), ..OutputPlan::default() };
        bench.outputs.set_plan("Piano", lights);
        bench.poll();
    }
    let Bench { outputs, music, sent, .. } = bench;
    assert!(!outputs.close(), "the driver still has the thread");
    drop((music, sent));
    // Lets the driver go, so that nothing outlives the test.
    gate.wait();
}
