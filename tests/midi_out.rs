//! MIDI out as a contract: everything is sent at its time, whatever is sent ends, nothing goes round in circles, an
//! instrument is left as it was found.

use std::collections::BTreeMap;
use std::sync::mpsc;

use music_trainer::midi::output::{Dispatcher, Due, KeySound, Music, MusicPart, Order, OutputPlan, Sink, Told};
use music_trainer::midi::ports::Identity;
use music_trainer::midi::{LiveMidi, Message, SourceId, decode};
use music_trainer::music::Pitch;
use music_trainer::time::{Micros, Stamp};
use rtrb::{Consumer, Producer, RingBuffer};

struct Score(Consumer<Due>);

impl Music for Score {
    fn next(&mut self) -> Option<Due> {
        self.0.pop().ok()
    }
}

/// Passes on what it is sent, and fails when nobody takes it.
struct Wire {
    number: u16,
    sent: mpsc::Sender<(u16, Message)>,
}

impl Sink for Wire {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let message = decode(bytes).expect("whole messages only");
        self.sent.send((self.number, message)).map_err(|_| "pulled out".to_owned())
    }
}

struct Bench {
    dispatcher: Dispatcher,
    music: Producer<Due>,
    outputs: BTreeMap<u16, mpsc::Receiver<(u16, Message)>>,
    keyboards: BTreeMap<u16, Producer<LiveMidi>>,
    now: Micros,
}

fn device(name: &str) -> Identity {
    Identity { name: name.to_owned(), occurrence: 0 }
}

fn text(message: Message) -> String {
    match message {
        Message::NoteOn { channel, pitch, velocity } => format!("+{}@{channel}:{velocity}", pitch.key()),
        Message::NoteOff { channel, pitch, .. } => format!("-{}@{channel}", pitch.key()),
        Message::Control { channel, controller, value } => format!("c{controller}@{channel}={value}"),
        other => other.to_string(),
    }
}

impl Bench {
    fn new() -> Self {
        let (music, score) = RingBuffer::new(10_000);
        let dispatcher = Dispatcher::new(Box::new(Score(score)));
        Self { dispatcher, music, outputs: BTreeMap::new(), keyboards: BTreeMap::new(), now: Micros::SECOND }
    }

    fn order(&mut self, order: Order) -> bool {
        self.dispatcher.obey(self.now, order)
    }

    fn open(&mut self, number: u16, name: &str, plan: OutputPlan) {
        let (sent, received) = mpsc::channel();
        let sink = Box::new(Wire { number, sent });
        self.order(Order::Open { output: SourceId(number), device: device(name), plan, sink });
        if plan.keys != KeySound::Program {
            let first: Vec<_> = received.try_iter().take(16).map(|(_, message)| text(message)).collect();
            let on = |text: &String| text.starts_with("c122@") && text.ends_with("=127");
            assert!(first.len() == 16 && first.iter().all(on), "what a killed run left off is on again: {first:?}");
            self.dispatcher.take_told();
        }
        self.outputs.insert(number, received);
    }

    fn keyboard(&mut self, number: u16, name: Option<&str>) {
        let (keys, ring) = RingBuffer::new(1_024);
        self.order(Order::Keyboard { source: SourceId(number), device: name.map(device), ring });
        self.keyboards.insert(number, keys);
    }

    fn strike(&mut self, number: u16, message: Message) {
        let live = LiveMidi { stamp: Stamp::at(self.now), source: SourceId(number), message };
        self.keyboards.get_mut(&number).expect("it is there").push(live).expect("there is room");
    }

    /// So much later; when the next of the music is.
    fn later(&mut self, micros: i64) -> Option<Micros> {
        self.now += Micros(micros);
        self.dispatcher.turn(self.now)
    }

    fn heard(&mut self, number: u16) -> Vec<String> {
        self.outputs[&number].try_iter().map(|(_, message)| text(message)).collect()
    }

    fn due(&mut self, at: i64, message: Message) {
        let due = Due { at: Micros(at), part: MusicPart::Accompaniment, message };
        self.music.push(due).expect("there is room");
    }
}

fn on(key: u8) -> Message {
    Message::NoteOn { channel: 0, pitch: Pitch::from_data_byte(key), velocity: 80 }
}

fn off(key: u8) -> Message {
    Message::NoteOff { channel: 0, pitch: Pitch::from_data_byte(key), velocity: 64 }
}

fn pedal(value: u8) -> Message {
    Message::Control { channel: 0, controller: 64, value }
}

const NOTHING: OutputPlan = OutputPlan {
    accompaniment: false,
    clicks: false,
    through: false,
    alone: false,
    lights: None,
    keys: KeySound::Both,
};
const MUSIC: OutputPlan = OutputPlan { accompaniment: true, ..NOTHING };
const THROUGH: OutputPlan = OutputPlan { through: true, ..NOTHING };

#[test]
fn music_is_sent_when_it_is_due_and_not_before() {
    let mut bench = Bench::new();
    bench.open(16, "Piano", MUSIC);
    bench.open(17, "Drums", OutputPlan { clicks: true, ..NOTHING });
    bench.due(1_002_000, on(60));
    bench.due(1_004_000, off(60));
    let click = Due { at: Micros(1_004_000), part: MusicPart::Click, message: on(76) };
    bench.music.push(click).expect("there is room");
    assert_eq!(bench.later(0), Some(Micros(1_002_000)));
    assert_eq!(bench.heard(16), [""; 0]);
    assert_eq!(bench.later(2_000), Some(Micros(1_004_000)));
    assert_eq!(bench.heard(16), ["+60@0:80"]);
    assert_eq!(bench.later(2_500), None);
    assert_eq!((bench.heard(16), bench.heard(17)), (vec!["-60@0".to_owned()], vec!["+76@0:80".to_owned()]));
    let told = bench.dispatcher.take_told();
    assert_eq!(told.len(), 3, "each is told with its moment: {told:?}");
}

#[test]
fn a_time_that_no_clock_can_mean_does_not_hold_up_the_music() {
    let mut bench = Bench::new();
    bench.open(16, "Piano", MUSIC);
    bench.due(i64::MAX, on(60));
    bench.due(1_000_000, off(60));
    assert_eq!(bench.later(0), None);
    assert_eq!(bench.heard(16), ["+60@0:80", "-60@0"]);
}

#[test]
fn whatever_ends_the_use_of_an_output_everything_that_was_sent_ends() {
    let leave: [fn(&mut Bench); 4] = [
        |bench| assert!(bench.order(Order::Leave(SourceId(16)))),
        |bench| assert!(!bench.order(Order::Quit)),
        |bench| assert!(bench.order(Order::Silence)),
        |bench| assert!(bench.order(Order::Plan(SourceId(16), NOTHING))),
    ];
    for act in leave {
        let mut bench = Bench::new();
        bench.open(16, "Piano", OutputPlan { through: true, lights: Some(3), ..MUSIC });
        bench.keyboard(20, Some("Other"));
        bench.strike(20, on(72));
        for message in [on(60), on(64), off(64), pedal(100)] {
            bench.due(0, message);
        }
        bench.later(0);
        assert_eq!(bench.heard(16), ["+72@0:80", "+60@0:80", "+64@0:80", "-64@0", "c64@0=100"]);
        act(&mut bench);
        let mut ended = bench.heard(16);
        ended.truncate(3);
        ended.sort();
        assert_eq!(ended, ["-60@0", "-72@0", "c64@0=0"]);
        // What still comes of it is no news any more.
        bench.due(0, off(60));
        bench.due(0, pedal(0));
        bench.later(0);
        assert_eq!(bench.heard(16).iter().filter(|text| text.starts_with('-')).count(), 0);
    }
}

/// Pedals, wheel and pressure that were sent on go back when that ends, and the music's pedal stays.
#[test]
fn what_feet_and_wheels_hold_elsewhere_is_put_back() {
    let control = |controller, value| Message::Control { channel: 2, controller, value };
    let held = [
        control(66, 127),
        control(67, 90),
        Message::PitchBend { channel: 2, value: 5_000 },
        Message::ChannelPressure { channel: 2, value: 7 },
    ];
    let ends: [fn(&mut Bench); 3] = [
        |bench| assert!(bench.order(Order::Leave(SourceId(16)))),
        |bench| assert!(bench.order(Order::Silence)),
        |bench| assert!(bench.order(Order::Plan(SourceId(16), MUSIC))),
    ];
    for (n, act) in ends.into_iter().enumerate() {
        let mut bench = Bench::new();
        bench.open(16, "Piano", OutputPlan { through: true, ..MUSIC });
        bench.keyboard(20, Some("Other"));
        held.into_iter().for_each(|message| bench.strike(20, message));
        bench.due(0, pedal(100));
        bench.later(0);
        assert_eq!(bench.heard(16).len(), 5);
        act(&mut bench);
        let back = bench.heard(16);
        let music = back.iter().filter(|text| *text == "c64@0=0").count();
        assert_eq!(music > 0, n < 2, "{back:?}");
        for wanted in ["c66@2=0".to_owned(), "c67@2=0".to_owned()] {
            assert!(back.contains(&wanted), "{back:?}");
        }
        let [bend, pressure] = [
            Message::PitchBend { channel: 2, value: 0 }.to_string(),
            Message::ChannelPressure { channel: 2, value: 0 }.to_string(),
        ];
        assert!(back.contains(&bend) && back.contains(&pressure), "{back:?}");
    }
    // A pedal that is down there comes up there, though nothing is sent on any more.
    let mut bench = Bench::new();
    bench.open(16, "Piano", THROUGH);
    bench.keyboard(20, Some("Other"));
    bench.strike(20, control(66, 127));
    bench.later(0);
    bench.strike(20, control(66, 0));
    bench.later(0);
    assert_eq!(bench.heard(16), ["c66@2=127", "c66@2=0"]);
}

#[test]
fn panic_silences_what_nobody_knows_of_and_the_lights_come_back() {
    let mut bench = Bench::new();
    bench.open(16, "Piano", OutputPlan { lights: Some(3), ..MUSIC });
    bench.order(Order::Lights(1 << 60));
    bench.heard(16);
    bench.order(Order::Silence);
    let said = bench.heard(16);
    for channel in 0..16 {
        for controller in [64, 120, 123] {
            assert!(said.contains(&format!("c{controller}@{channel}=0")), "{said:?}");
        }
    }
    assert_eq!(said.last().map(String::as_str), Some("+60@3:1"));
}

#[test]
fn a_pedal_that_bounces_and_a_key_struck_twice_at_once_stay_down_outside() {
    let mut bench = Bench::new();
    bench.open(16, "Piano", THROUGH);
    bench.keyboard(20, Some("Other"));
    for message in [pedal(127), on(60), pedal(0), off(60), pedal(127), on(60)] {
        bench.strike(20, message);
        bench.later(5_000);
    }
    assert_eq!(bench.heard(16), ["c64@0=127", "+60@0:80", "c64@0=0", "-60@0"]);
    for _ in 0..60 {
        bench.later(1_000);
    }
    assert_eq!(bench.heard(16), ["c64@0=127", "+60@0:80"]);
    bench.later(100_000);
    assert_eq!(bench.heard(16), [""; 0]);
}

#[test]
fn a_wheel_that_swings_and_keys_that_are_pressed_twice_come_to_rest_outside() {
    let mut bench = Bench::new();
    bench.open(16, "Piano", THROUGH);
    bench.keyboard(20, Some("Other"));
    let bend = |value| Message::PitchBend { channel: 0, value };
    let press = |value| Message::ChannelPressure { channel: 0, value };
    let swing = [bend(2_000), bend(0), bend(-100), bend(0), press(5), press(0), press(3), press(0)];
    for message in swing {
        bench.strike(20, message);
        bench.later(4_000);
    }
    assert_eq!(bench.heard(16), swing.map(text));
    bench.strike(20, bend(0));
    bench.later(4_000);
    assert_eq!(bench.heard(16), [""; 0], "what rests already may be an echo");
}

#[test]
fn keys_are_sent_on_to_others_and_never_back() {
    let mut bench = Bench::new();
    bench.open(16, "A", THROUGH);
    bench.open(17, "B", THROUGH);
    bench.keyboard(20, Some("A"));
    bench.keyboard(21, Some("B"));
    bench.keyboard(0, None);
    bench.strike(20, on(60));
    bench.later(0);
    assert_eq!((bench.heard(16).len(), bench.heard(17)), (0, vec!["+60@0:80".to_owned()]));
    // B sends back what it gets; that is not sent on to anybody.
    bench.strike(21, on(60));
    bench.later(3_000);
    assert_eq!((bench.heard(16).len(), bench.heard(17).len()), (0, 0));
    bench.later(100_000);
    bench.strike(21, on(62));
    bench.strike(0, on(65));
    bench.later(0);
    assert_eq!((bench.heard(16).len(), bench.heard(17).len()), (1, 1), "the window's keys go everywhere, B's not to A");
}

#[test]
fn what_ends_a_note_is_sent_on_even_when_somebody_else_ended_the_same_a_moment_ago() {
    let at = |channel, message| match message {
        Message::NoteOn { pitch, velocity, .. } => Message::NoteOn { channel, pitch, velocity },
        Message::NoteOff { pitch, velocity, .. } => Message::NoteOff { channel, pitch, velocity },
        other => other,
    };
    let mut bench = Bench::new();
    bench.open(16, "Sounds", THROUGH);
    for number in [20, 21] {
        bench.keyboard(number, Some(&format!("Keys {number}")));
    }
    bench.strike(20, on(60));
    bench.later(0);
    bench.later(100_000);
    bench.strike(21, at(1, on(60)));
    bench.later(0);
    bench.later(100_000);
    bench.strike(20, off(60));
    bench.strike(21, at(1, off(60)));
    bench.later(0);
    assert_eq!(bench.heard(16), ["+60@0:80", "+60@1:80", "-60@0", "-60@1"]);
    // All notes off at a keyboard ends its own notes, and is not passed on as such.
    bench.strike(20, on(62));
    bench.strike(20, Message::Control { channel: 0, controller: 123, value: 0 });
    bench.strike(20, Message::Control { channel: 0, controller: 122, value: 0 });
    bench.strike(20, Message::Program { channel: 0, program: 3 });
    bench.later(100_000);
    assert_eq!(bench.heard(16), ["+62@0:80", "-62@0"]);
}

/// Every output is joined to every input by a cable that brings back all that is sent.
#[test]
fn a_tangle_of_cables_rings_out() {
    let mut bench = Bench::new();
    for (n, name) in ["A", "B", "C"].into_iter().enumerate() {
        bench.open(16 + n as u16, name, OutputPlan { through: true, ..MUSIC });
        bench.keyboard(20 + n as u16, Some(name));
    }
    bench.strike(20, on(60));
    bench.strike(20, off(60));
    let mut sent = 0;
    for turn in 0..1_000 {
        bench.later(1_000);
        let messages: Vec<_> = bench.outputs.values().flat_map(|output| output.try_iter()).collect();
        sent += messages.len();
        for (from, message) in messages {
            for to in (20..23).filter(|to| *to != from + 4) {
                bench.strike(to, message);
            }
        }
        assert!(sent < 20, "turn {turn}: {sent} messages of one key");
    }
    assert!(sent >= 4, "it was heard on the others: {sent}");
}

#[test]
fn keys_that_come_next_light_up_and_go_out() {
    let mut bench = Bench::new();
    bench.open(16, "Lights", OutputPlan { lights: Some(9), ..NOTHING });
    bench.open(17, "Plain", MUSIC);
    bench.order(Order::Lights(1 << 60 | 1 << 64));
    bench.order(Order::Lights(1 << 64 | 1 << 67));
    assert_eq!(bench.heard(16), ["+60@9:1", "+64@9:1", "-60@9", "+67@9:1"]);
    bench.order(Order::Plan(SourceId(16), OutputPlan { lights: Some(2), ..NOTHING }));
    assert_eq!(bench.heard(16), ["-64@9", "-67@9", "+64@2:1", "+67@2:1"]);
    bench.order(Order::Lights(0));
    assert_eq!((bench.heard(16), bench.heard(17).len()), (vec!["-64@2".to_owned(), "-67@2".to_owned()], 0));
    // One that is plugged in while keys are awaited shows them.
    bench.order(Order::Lights(1 << 50));
    bench.heard(16);
    bench.open(16, "Lights", OutputPlan { lights: Some(0), ..NOTHING });
    assert_eq!(bench.heard(16), ["+50@0:1"]);
}

#[test]
fn local_control_is_off_only_while_the_program_sounds_the_keys() {
    let mut bench = Bench::new();
    let values = |texts: Vec<String>| texts.iter().filter(|t| t.starts_with("c122@")).cloned().collect::<Vec<_>>();
    bench.open(16, "Piano", OutputPlan { keys: KeySound::Program, ..MUSIC });
    let off = values(bench.heard(16));
    assert!(off.len() == 16 && off.iter().all(|text| text.ends_with("=0")), "{off:?}");
    bench.order(Order::Leave(SourceId(16)));
    let on = values(bench.heard(16));
    assert!(on.len() == 16 && on.iter().all(|text| text.ends_with("=127")), "{on:?}");
    bench.open(16, "Piano", OutputPlan { keys: KeySound::Instrument, ..MUSIC });
    bench.order(Order::Quit);
    assert_eq!(bench.heard(16), [""; 0]);
}

#[test]
fn an_output_that_fails_is_told_once_and_the_others_go_on() {
    let mut bench = Bench::new();
    bench.open(16, "Broken", MUSIC);
    bench.open(17, "Whole", MUSIC);
    bench.outputs.remove(&16);
    for key in [60, 62] {
        bench.due(0, on(key));
    }
    bench.later(0);
    assert_eq!(bench.heard(17), ["+60@0:80", "+62@0:80"]);
    let failed: Vec<_> = bench.dispatcher.take_told().into_iter().filter(|t| matches!(t, Told::Failed(..))).collect();
    assert_eq!(failed, [Told::Failed(SourceId(16), "pulled out".to_owned())]);
}
