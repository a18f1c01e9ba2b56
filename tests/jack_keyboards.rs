//! Keyboards of a real JACK server are devices of their own in the whole program: each has its switch and its count, lets
//! go of its own keys when it vanishes, and is known by its name when it is back.
#![cfg(all(feature = "jack", feature = "window", target_os = "linux"))]

mod jack_support;

use std::path::Path;
use std::sync::{Arc, Weak};

use jack::{AsyncClient, Client, Control, MidiOut, Port, PortFlags, PortSpec, ProcessHandler, ProcessScope, RawMidi};
use jack_support::{Program as Stage, Server, client, until, with_server_name};
use music_trainer::app::boot::{Program, boot};
use music_trainer::app::control::Desk;
use music_trainer::audio::backend::{Kind, MidiSource};
use music_trainer::audio::piano::Piano;
use music_trainer::bus::Envelope;
use music_trainer::cli::{BackendChoice, WindowArgs};
use music_trainer::components::devices::chosen;
use music_trainer::midi::DeviceReport;
use music_trainer::midi::ports::Link;
use music_trainer::model::{ConnectionChoice, Entity, Event, Played, TakeId, Trainer};
use music_trainer::time::Rate;

/// Messages that wait for the next cycle of a keyboard.
const MESSAGES: usize = 4_096;

/// More messages than the program takes of one port in one block.
const EVENTS: usize = 1_500;

/// A port as a keyboard has it: physical, which an ordinary client's is not.
struct Physical;

#[expect(unsafe_code, reason = "the trait's: the port's type and flags are those of a MIDI output, and physical")]
unsafe impl PortSpec for Physical {
    fn jack_port_type(&self) -> &'static str {
        "8 bit raw midi"
    }
    fn jack_flags(&self) -> PortFlags {
        PortFlags::IS_OUTPUT | PortFlags::IS_PHYSICAL
    }
    fn jack_buffer_size(&self) -> std::ffi::c_ulong {
        0
    }
}

struct Player(Port<MidiOut>, rtrb::Consumer<[u8; 3]>);

impl ProcessHandler for Player {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let mut writer = self.0.writer(scope);
        while let Ok(bytes) = self.1.pop() {
            let message = RawMidi { time: scope.n_frames() / 2, bytes: &bytes };
            writer.write(&message).expect("room for a message");
        }
        Control::Continue
    }
}

/// What the server calls the port of a keyboard too.
fn alias(name: &str) -> String {
    format!("alsa_pcm:{name}/midi_capture_1")
}

/// A keyboard; its port is `name:out`.
struct Keyboard(
    #[expect(dead_code, reason = "it plays as long as it lives")] AsyncClient<(), Player>,
    rtrb::Producer<[u8; 3]>,
);

impl Keyboard {
    fn plug_in(name: &str, physical: bool) -> Self {
        let client = client(name);
        let port = if physical {
            let mut port = client.register_port("out", Physical).expect("a port");
            port.set_alias(&alias(name)).expect("an alias");
            #[expect(unsafe_code, reason = "the same port of the same client, as one that can be written to")]
            unsafe {
                Port::from_raw(MidiOut::default(), client.raw(), port.raw(), Weak::new())
            }
        } else {
            client.register_port("out", MidiOut::default()).expect("a port")
        };
        let (send, messages) = rtrb::RingBuffer::new(MESSAGES);
        Self(client.activate_async((), Player(port, messages)).expect("an active client"), send)
    }

    fn play(&mut self, messages: &[[u8; 3]]) {
        messages.iter().for_each(|bytes| self.1.push(*bytes).expect("room"));
        until("the keyboard has sent it", || (self.1.slots() == MESSAGES).then_some(()));
    }
}

fn on(key: u8) -> [u8; 3] {
    [0x90, key, 80]
}

fn off(key: u8) -> [u8; 3] {
    [0x80, key, 64]
}

/// The whole program without its window.
struct Rig(Program, TakeId);

impl Rig {
    fn start(data: &Path) -> Self {
        let backend = Some(BackendChoice::Jack);
        let args = WindowArgs { data_dir: Some(data.to_owned()), backend, safe: false, file: None };
        let program = boot(&args, Arc::new(|| {})).expect("the program starts");
        let on_jack = |desk: &Desk| desk.sound.stream.as_ref().is_some_and(|stream| stream.kind == Kind::Jack);
        let take = until("a stream", || Some(program.control.desk()).filter(|desk| on_jack(desk))?.take);
        Self(program, take)
    }

    fn device(&self, name: &str) -> Option<DeviceReport> {
        self.0.control.desk().midi.iter().find(|device| device.identity.to_string() == name).cloned()
    }

    /// The device, when it stands so and has sent so many messages.
    fn stands(&self, name: &str, link: &Link, received: u64) -> DeviceReport {
        let stands = |device: &DeviceReport| device.link == *link && device.monitor.received == received;
        until(&format!("{name}: {link:?}, {received} messages"), || self.device(name).filter(stands))
    }

    fn played(&self) -> Vec<Played> {
        let played = |e: &Envelope<Trainer>| match e.event() {
            Some(Event::NotePlayed(played)) => Some(*played),
            _ => None,
        };
        let events = self.0.bus.entity_events(&self.1.entity(), 1, 100_000).expect("a readable log");
        events.iter().filter_map(played).collect()
    }

    /// Waits until the take has this message; its source.
    fn recorded(&self, data: [u8; 3]) -> u16 {
        let find = || self.played().into_iter().find(|played| played.data == data);
        until(&format!("{data:?} in the take"), find).source
    }

    /// Plays until the last message is in the take, since a server on a busy machine may skip a cycle; its source.
    fn take_of(&self, keyboard: &mut Keyboard, messages: &[[u8; 3]]) -> u16 {
        let last = *messages.last().expect("a message");
        let mut attempts = 0;
        let heard = || {
            if attempts % 100 == 0 {
                keyboard.play(messages);
            }
            attempts += 1;
            self.played().into_iter().find(|played| played.data == last)
        };
        until(&format!("{last:?} in the take"), heard).source
    }

    /// Waits until a device has sent as many messages as the take has of it.
    fn counts(&self, name: &str, source: u16) {
        until(&format!("{name} counts what the take has"), || {
            let taken = self.played().iter().filter(|played| played.source == source).count() as u64;
            self.device(name).filter(|device| device.link == Link::Open && device.monitor.received == taken)
        });
    }

    fn held(&self, keys: &[u8]) {
        let expected = keys.iter().fold(0_u128, |held, key| held | 1 << key);
        until(&format!("the keys {keys:?} and no other are down"), || {
            (self.0.control.desk().held == expected).then_some(())
        });
    }

    fn voices(&mut self, voices: u16) {
        until(&format!("{voices} voices"), || (self.0.playhead.read().voices == voices).then_some(()));
    }

    /// What is remembered of a port of the program and another one.
    fn remembers(&self, own: &str, other: &str) -> Option<bool> {
        let choice = ConnectionChoice { own: own.to_owned(), other: other.to_owned(), joined: true };
        match self.0.bus.snapshot().state.value(choice.entity().as_str()) {
            Some(Entity::Connection(choice)) => Some(choice.joined),
            _ => None,
        }
    }

    fn switch(&self, name: &str, enabled: bool) {
        self.0.bus.transact(vec![chosen(name, enabled)]).applied().expect("it is chosen");
    }
}

#[test]
fn each_keyboard_is_a_device_of_its_own() {
    with_server_name("each_keyboard_is_a_device_of_its_own", |server| {
        let server = Server::start(server);
        drop(client("first"));
        let dir = tempfile::tempdir().expect("a folder");
        let mut rig = Rig::start(&dir.path().join("data"));
        let (mut left, mut right) = (Keyboard::plug_in("left", true), Keyboard::plug_in("right", true));
        rig.stands("left:out", &Link::Open, 0);
        rig.stands("right:out", &Link::Open, 0);
        // Until the ports are joined what is played goes nowhere: once is enough to be sure.
        until("both are joined", || {
            left.play(&[off(1)]);
            right.play(&[off(2)]);
            let heard = |name| rig.device(name).is_some_and(|device| device.monitor.received > 0);
            (heard("left:out") && heard("right:out")).then_some(())
        });
        let settled = |rig: &Rig, name: &str| until(name, || rig.device(name)).monitor.received;
        let of_left = rig.take_of(&mut left, &[on(40), off(40), on(41), off(41)]);
        let of_right = rig.take_of(&mut right, &[on(70), off(70)]);
        assert_ne!(of_left, of_right, "two sources");
        rig.voices(0);
        rig.counts("left:out", of_left);
        rig.counts("right:out", of_right);

        // Switched off, it sounds nothing, counts nothing and is not recorded; the other is.
        rig.switch("right:out", false);
        let before = settled(&rig, "right:out");
        rig.stands("right:out", &Link::Off, before);
        until("its port is gone", || {
            let ports = client("look").ports(Some("music-trainer:midi_in"), None, PortFlags::IS_INPUT);
            (ports.len() == 2).then_some(())
        });
        right.play(&[on(72)]);
        assert_eq!(rig.take_of(&mut left, &[on(42)]), of_left);
        rig.held(&[42]);
        rig.voices(1);
        rig.take_of(&mut left, &[off(42)]);
        assert!(rig.played().iter().all(|played| played.data != on(72)), "it is switched off");
        rig.stands("right:out", &Link::Off, before);
        right.play(&[off(72)]);

        // Switched on again, it is the same device. One that vanishes lets go of its own keys only.
        rig.switch("right:out", true);
        rig.stands("right:out", &Link::Open, before);
        until("it is joined again", || {
            right.play(&[off(2)]);
            rig.device("right:out").filter(|device| device.monitor.received > before)
        });
        assert_eq!(rig.take_of(&mut right, &[[0xb0, 64, 127], on(74)]), of_right);
        assert_eq!(rig.take_of(&mut left, &[on(50)]), of_left);
        rig.held(&[50, 74]);
        rig.voices(2);
        drop(right);
        assert_eq!(rig.recorded(off(74)), of_right, "released for it");
        assert_eq!(rig.recorded([0xb0, 64, 0]), of_right, "and its pedal");
        rig.held(&[50]);
        rig.voices(1);
        assert_eq!(until("it is listed", || rig.device("right:out")).link, Link::Away);

        let mut right = Keyboard::plug_in("right", true);
        until("it is back by its name", || rig.device("right:out").filter(|device| device.link == Link::Open));
        assert_eq!(rig.take_of(&mut right, &[on(76), off(76)]), of_right);
        rig.take_of(&mut left, &[off(50)]);
        rig.held(&[]);
        rig.voices(0);
        assert_eq!(rig.0.control.desk().sound.midi_lost, 0);

        by_hand(&mut rig, &[of_left, of_right]);
        assert!(rig.0.stop(), "everything is durable at the end");
        drop((left, right, server));
    });
}

#[test]
fn what_a_keyboard_is_called_too_is_known() {
    with_server_name("what_a_keyboard_is_called_too_is_known", |server| {
        let _server = Server::start(server);
        drop(client("first"));
        let mut stage = Stage::start(Box::new(Piano::new(Rate::DEFAULT)));
        let _keyboard = Keyboard::plug_in("grand", true);
        let told = until("it is listed", || {
            stage.supervisor.poll(stage.clock.now());
            stage.supervisor.midi_sources().first().cloned()
        });
        assert_eq!(told, MidiSource { name: "grand:out".to_owned(), aliases: vec![alias("grand")] });
    });
}

/// A client that somebody joins to the general input in a patch bay plays too, and is let go when it vanishes. What is
/// more than the ports take in one block is counted.
fn by_hand(rig: &mut Rig, others: &[u16]) {
    let mut hand = Keyboard::plug_in("hand", false);
    let patch = client("patch");
    until("joined", || patch.connect_ports_by_name("hand:out", "music-trainer:midi_in").ok());
    rig.take_of(&mut hand, &[off(3)]);
    let joined = |rig: &Rig| rig.0.control.desk().midi_in.clone().expect("an input that anyone may be joined to");
    let shown = until("it is shown by its name", || Some(joined(rig)).filter(|input| input.joined == ["hand:out"]));
    assert!(shown.monitor.received > 0 && shown.monitor.last().len() > 0, "{shown:?}");
    // They may be sent in two cycles, and then none is too many.
    let lost = until("some are lost", || {
        hand.play(&[off(3); EVENTS]);
        Some(rig.0.control.desk().sound.midi_lost).filter(|lost| *lost > 0)
    });
    println!("{lost} messages were too many for one block, and counted");
    assert!(!others.contains(&rig.take_of(&mut hand, &[on(60)])), "it is a source of its own");
    rig.held(&[60]);
    drop(hand);
    rig.recorded(off(60));
    rig.held(&[]);
    rig.voices(0);
    until("nobody is joined any more", || joined(rig).joined.is_empty().then_some(()));
}

/// A person at a patch bay.
struct Hand(Client);

impl Hand {
    fn are_joined(&self, from: &str, to: &str) -> bool {
        self.0.port_by_name(from).is_some_and(|port| port.get_connections().iter().any(|other| other == to))
    }

    fn wait_until_joined(&self, from: &str, to: &str) {
        until(&format!("{from} is joined to {to}"), || self.are_joined(from, to).then_some(()));
    }

    /// Joins two ports until that is taken for a person's doing: not at once after either came.
    fn join(&self, rig: &Rig, (from, to): (&str, &str), (own, other): (&str, &str)) {
        let mut attempts = 0;
        until(&format!("it is remembered that {from} is joined to {to}"), || {
            // Refused until the ports are there.
            let _refused = match attempts % 200 {
                0 => self.0.connect_ports_by_name(from, to),
                100 => self.0.disconnect_ports_by_name(from, to),
                _ => Ok(()),
            };
            attempts += 1;
            (rig.remembers(own, other) == Some(true)).then_some(())
        });
        assert!(self.are_joined(from, to));
    }

    fn part(&self, rig: &Rig, (from, to): (&str, &str), (own, other): (&str, &str)) {
        self.0.disconnect_ports_by_name(from, to).expect("they were joined");
        until(&format!("it is remembered that {from} is not joined to {to}"), || {
            (rig.remembers(own, other) == Some(false)).then_some(())
        });
    }
}

const OUT: &str = "music-trainer:out_left";
const MIDI_IN: &str = "music-trainer:midi_in";
const SPEAKERS: [&str; 2] = ["system:playback_1", "system:playback_2"];

#[test]
fn what_a_person_joins_by_hand_is_joined_again_until_they_undo_it() {
    with_server_name("what_a_person_joins_by_hand_is_joined_again_until_they_undo_it", |name| {
        let mut server = Server::start(name);
        let dir = tempfile::tempdir().expect("a folder");
        let mut rig = Rig::start(&dir.path().join("data"));
        let mut hand = Hand(client("patch"));
        hand.wait_until_joined(OUT, SPEAKERS[0]);

        // What is joined as soon as its port is there was joined by a program.
        let robot = Keyboard::plug_in("robot", false);
        until("the robot is joined", || hand.0.connect_ports_by_name("robot:out", MIDI_IN).ok());

        let mut keys = Keyboard::plug_in("keys", false);
        hand.join(&rig, ("keys:out", MIDI_IN), ("midi_in", "keys:out"));
        hand.join(&rig, (OUT, SPEAKERS[1]), ("out_left", SPEAKERS[1]));
        hand.part(&rig, (OUT, SPEAKERS[0]), ("out_left", SPEAKERS[0]));
        rig.take_of(&mut keys, &[on(40), off(40)]);
        assert_eq!(rig.remembers("midi_in", "robot:out"), None);
        drop(robot);

        // The keyboard is unplugged, and waited for.
        drop(keys);
        let waited =
            |rig: &Rig| rig.0.control.desk().midi_in.as_ref().is_some_and(|input| input.awaited == ["keys:out"]);
        until("it is waited for", || waited(&rig).then_some(()));
        keys = Keyboard::plug_in("keys", false);
        hand.wait_until_joined("keys:out", MIDI_IN);
        rig.take_of(&mut keys, &[on(41), off(41)]);

        // The server ends as it should, or is killed.
        for dies in [true, false] {
            if dies {
                server.kill();
            }
            drop(server);
            until("it is noticed", || rig.0.control.desk().sound.waiting.then_some(()));
            drop((keys, hand));
            server = Server::start(name);
            until("the sound is back", || (!rig.0.control.desk().sound.waiting).then_some(()));
            (keys, hand) = (Keyboard::plug_in("keys", false), Hand(client("patch")));
            hand.wait_until_joined("keys:out", MIDI_IN);
            assert!(hand.are_joined(OUT, SPEAKERS[1]) && !hand.are_joined(OUT, SPEAKERS[0]), "dies: {dies}");
            rig.take_of(&mut keys, &[on(42), off(42)]);
            assert_eq!(rig.remembers("midi_in", "keys:out"), Some(true));
        }

        // The program starts anew.
        assert!(rig.0.stop(), "everything is durable at the end");
        rig = Rig::start(&dir.path().join("data"));
        hand.wait_until_joined("keys:out", MIDI_IN);
        assert!(hand.are_joined(OUT, SPEAKERS[1]) && !hand.are_joined(OUT, SPEAKERS[0]));
        rig.take_of(&mut keys, &[on(43), off(43)]);

        // What was undone stays undone; the other one, which comes later, is the proof that it was looked for.
        let other = Keyboard::plug_in("other", false);
        hand.join(&rig, ("other:out", MIDI_IN), ("midi_in", "other:out"));
        hand.part(&rig, ("keys:out", MIDI_IN), ("midi_in", "keys:out"));
        drop((keys, other));
        keys = Keyboard::plug_in("keys", false);
        let _other = Keyboard::plug_in("other", false);
        hand.wait_until_joined("other:out", MIDI_IN);
        assert!(!hand.are_joined("keys:out", MIDI_IN));
        assert_eq!(rig.remembers("midi_in", "keys:out"), Some(false));

        joined_twice(&rig, &hand);
        assert!(rig.0.stop(), "everything is durable at the end");
        drop((keys, server));
    });
}

/// A keyboard that is heard by a port of its own and is joined to the general input too plays each note once.
fn joined_twice(rig: &Rig, hand: &Hand) {
    let mut grand = Keyboard::plug_in("grand", true);
    until("it is heard", || rig.device("grand:out").filter(|device| device.link == Link::Open));
    hand.join(rig, ("grand:out", MIDI_IN), ("midi_in", "grand:out"));
    until("it is no longer heard by its own port", || {
        rig.device("grand:out").filter(|device| device.link == Link::Away)
    });
    // A server on a busy machine may skip a cycle, but not all of them.
    let count = |data: [u8; 3]| rig.played().into_iter().filter(|played| played.data == data).count();
    let keys = 90..100;
    keys.clone().for_each(|key| grand.play(&[on(key), off(key)]));
    rig.take_of(&mut grand, &[off(4)]);
    let counts: Vec<usize> = keys.map(|key| count(on(key))).collect();
    assert!(counts.contains(&1) && counts.iter().all(|count| *count <= 1), "{counts:?}");
    hand.part(rig, ("grand:out", MIDI_IN), ("midi_in", "grand:out"));
    until("it is heard by its own port again", || rig.device("grand:out").filter(|device| device.link == Link::Open));
}
