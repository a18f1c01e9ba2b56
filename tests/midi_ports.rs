//! Plugging in and out as a contract: whatever happens to the cables, no note hangs, and a device that is there plays
//! within two seconds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc;

use music_trainer::bus::lane::LaneItem;
use music_trainer::midi::ports::{Choices, Link, PortInfo};
use music_trainer::midi::{Change, KeySet, Lease, Message, MidiInputs, PortSource, RingEnds, SourceId, rings};
use music_trainer::time::{Micros, Stamp};

/// A device on the table, its plug in or out.
struct Device {
    name: &'static str,
    plugged: Option<Plug>,
}

/// A plug in its socket; pulling it out ends what was connected to it.
struct Plug {
    id: u32,
    since: Micros,
    busy_once: bool,
    connection: Option<(u64, Lease)>,
}

#[derive(Default)]
struct World {
    devices: Vec<Device>,
    next_connection: u64,
    /// Connections whose device was pulled out, until they are closed.
    dangling: BTreeMap<u64, Lease>,
    fault: Option<&'static str>,
    lists: u64,
}

#[derive(Clone, Default)]
struct Fake(Rc<RefCell<World>>);

impl PortSource for Fake {
    type Connection = u64;

    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        let mut world = self.0.borrow_mut();
        world.lists += 1;
        if let Some(reason) = world.fault {
            return Err(reason.to_owned());
        }
        let port = |device: &Device| {
            let id = format!("{}:0", device.plugged.as_ref()?.id);
            Some(PortInfo { name: format!("{} {id}", device.name), id })
        };
        let mut ports: Vec<_> = world.devices.iter().filter_map(port).collect();
        ports.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(ports)
    }

    fn open(&mut self, _: SourceId, port: &PortInfo, lease: Lease) -> Result<u64, String> {
        let mut world = self.0.borrow_mut();
        world.next_connection += 1;
        let number = world.next_connection;
        let is_it = |plug: &&mut Plug| format!("{}:0", plug.id) == port.id;
        let mut plugs = world.devices.iter_mut().filter_map(|device| device.plugged.as_mut());
        let plug = plugs.find(is_it).ok_or("gone")?;
        if std::mem::take(&mut plug.busy_once) {
            return Err("busy".to_owned());
        }
        assert!(plug.connection.is_none(), "{port:?} was opened twice");
        plug.connection = Some((number, lease));
        Ok(number)
    }

    fn is_alive(&mut self, connection: &u64) -> bool {
        !self.0.borrow().dangling.contains_key(connection)
    }

    fn close(&mut self, connection: u64) {
        let mut world = self.0.borrow_mut();
        let dangling = world.dangling.remove(&connection);
        let plugs = world.devices.iter_mut().filter_map(|device| device.plugged.as_mut());
        let plug = plugs.into_iter().find(|plug| plug.connection.as_ref().is_some_and(|(n, _)| *n == connection));
        let held = plug.and_then(|plug| plug.connection.take());
        assert!(dangling.is_some() || held.is_some(), "connection {connection} was closed twice");
    }
}

impl Fake {
    fn with(names: &[&'static str]) -> Self {
        let fake = Self::default();
        fake.0.borrow_mut().devices = names.iter().map(|name| Device { name, plugged: None }).collect();
        fake
    }

    fn plug(&self, device: usize, id: u32, since: Micros, busy_once: bool) {
        let plug = Plug { id, since, busy_once, connection: None };
        self.0.borrow_mut().devices[device].plugged = Some(plug);
    }

    fn unplug(&self, device: usize) {
        let mut world = self.0.borrow_mut();
        let plug = world.devices[device].plugged.take();
        world.dangling.extend(plug.and_then(|plug| plug.connection));
    }

    /// Plays bytes on a device; whether anything was connected to hear them.
    fn play(&self, device: usize, now: Micros, bytes: &[u8]) -> bool {
        let mut world = self.0.borrow_mut();
        let plug = world.devices[device].plugged.as_mut();
        let Some((_, lease)) = plug.and_then(|plug| plug.connection.as_mut()) else { return false };
        lease.receive(Stamp::at(now), bytes);
        true
    }
}

/// The engine's and the bus's ends of all rings, and what sounds.
struct Listener {
    made: mpsc::Receiver<(SourceId, RingEnds)>,
    ends: BTreeMap<SourceId, RingEnds>,
    sounding: BTreeMap<SourceId, KeySet>,
    heard: u64,
    published: u64,
}

impl Listener {
    fn listen(&mut self) {
        self.ends.extend(self.made.try_iter());
        for (source, ends) in &mut self.ends {
            let keys = self.sounding.entry(*source).or_default();
            while let Ok(live) = ends.engine.pop() {
                self.heard += 1;
                assert_eq!(live.source, *source);
                match live.message {
                    Message::NoteOn { channel, pitch, .. } => keys.insert(channel, pitch),
                    Message::NoteOff { channel, pitch, .. } => keys.remove(channel, pitch),
                    _ => {}
                }
            }
            let published = &mut self.published;
            ends.lane.drain(usize::MAX, |item| match item {
                LaneItem::Event { .. } => *published += 1,
                other => panic!("only events were sent, {other:?} came"),
            });
        }
    }
}

fn inputs(fake: &Fake) -> (MidiInputs<Fake>, Listener) {
    let (send, made) = mpsc::channel();
    let maker = move |source, _: &_| {
        let (rings, ends) = rings();
        send.send((source, ends)).ok()?;
        Some(rings)
    };
    let listener = Listener { made, ends: BTreeMap::new(), sounding: BTreeMap::new(), heard: 0, published: 0 };
    (MidiInputs::new(fake.clone(), Choices::new(), Box::new(maker)), listener)
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// Every 250 ms something is pulled out, put in, replugged at once (at the same place or another), or played.
fn plug_and_play(seed: u64) {
    let names = ["Piano:Piano MIDI 1", "Piano:Piano MIDI 1", "Piano:Piano MIDI 1", "Synth:Out", "Synth:Out"];
    let fake = Fake::with(&names);
    let (mut inputs, mut listener) = inputs(&fake);
    let mut random = Random(seed);
    let mut now = Micros::ZERO;
    let mut cycles = 0;
    let mut next_id = 20;
    while cycles < 1_000 {
        now += Micros::from_millis(250);
        let device = random.below(names.len() as u64) as usize;
        let busy = random.below(5) == 0;
        let old_id = fake.0.borrow().devices[device].plugged.as_ref().map(|plug| plug.id);
        match (random.below(16), old_id) {
            (0, Some(_)) => fake.unplug(device),
            (1, Some(id)) => {
                cycles += 1;
                fake.unplug(device);
                fake.plug(device, id, now, busy);
            }
            (0..=2, _) => {
                cycles += u64::from(old_id.is_none());
                fake.unplug(device);
                next_id += 1;
                fake.plug(device, next_id, now, busy);
            }
            (3, _) => {
                fake.play(device, now, &[0xb0, 64, random.below(128) as u8]);
            }
            _ => {
                fake.play(device, now, &[0x90, random.below(128) as u8, random.below(128) as u8]);
            }
        }
        inputs.poll(now);
        listener.listen();
        check(seed, now, &fake, &inputs, &listener);
    }
    for device in 0..names.len() {
        fake.unplug(device);
    }
    inputs.poll(now + Micros::SECOND);
    listener.listen();
    assert!(listener.sounding.values().all(KeySet::is_empty), "seed {seed}");
    assert!(listener.heard > 1_000, "seed {seed}: something was played, {} messages", listener.heard);
    assert_eq!(listener.heard, listener.published, "seed {seed}: engine and bus got the same");
}

fn check(seed: u64, now: Micros, fake: &Fake, inputs: &MidiInputs<Fake>, listener: &Listener) {
    let report = inputs.report();
    assert!(report.len() <= 5, "seed {seed} at {now}: five devices became {}", report.len());
    for device in report.iter().filter(|device| device.link != Link::Open) {
        let hangs = listener.sounding.get(&device.source).is_some_and(|keys| !keys.is_empty());
        assert!(!hangs, "seed {seed} at {now}: notes of {} hang", device.identity);
    }
    for device in &fake.0.borrow().devices {
        let Some(plug) = &device.plugged else { continue };
        let is_late = (now - plug.since).0 >= 2 * Micros::SECOND.0;
        assert!(!is_late || plug.connection.is_some(), "seed {seed} at {now}: {} is not heard after 2 s", device.name);
    }
}

#[test]
fn no_note_hangs_and_every_device_plays_within_two_seconds_over_thousands_of_replugs() {
    for seed in [0x9e37_79b9_7f4a_7c15, 0xdead_beef, 42] {
        plug_and_play(seed);
    }
}

#[test]
fn a_lost_device_is_told_its_notes_are_released_and_it_plays_again_under_the_same_number() {
    let fake = Fake::with(&["Piano"]);
    let (mut inputs, mut listener) = inputs(&fake);
    fake.plug(0, 24, Micros::ZERO, false);
    let opened = inputs.poll(Micros(0));
    let [Change::Opened(source, ref identity)] = opened[..] else { panic!("it opens, {opened:?} came") };
    assert!(fake.play(0, Micros(1), &[0x90, 60, 80, 0x90, 64, 80]));
    listener.listen();
    assert_eq!(listener.sounding[&source].len(), 2);

    fake.unplug(0);
    assert_eq!(inputs.poll(Micros::SECOND), [Change::Closed(source, identity.clone())]);
    listener.listen();
    assert!(listener.sounding[&source].is_empty());

    fake.plug(0, 32, Micros::SECOND, false);
    assert_eq!(inputs.poll(Micros(2_000_000)), [Change::Opened(source, identity.clone())]);
    assert!(fake.play(0, Micros(2_000_001), &[0x90, 62, 80]));
    listener.listen();
    assert_eq!(listener.sounding[&source].len(), 1);
    inputs.poll(Micros(2_000_002));
    let monitor = &inputs.report()[0].monitor;
    assert_eq!(monitor.last().next_back().unwrap().message.to_string(), "note on D4 (62) velocity 80, channel 1");
    assert_eq!(monitor.received, 5);

    inputs.close_all(Micros(2_000_003));
    listener.listen();
    assert!(listener.sounding[&source].is_empty());
}

#[test]
fn a_machine_without_midi_is_told_once_and_asked_less_and_less_often() {
    let fake = Fake::with(&["Piano"]);
    let (mut inputs, _listener) = inputs(&fake);
    fake.plug(0, 24, Micros::ZERO, false);
    fake.0.borrow_mut().fault = Some("no sequencer");
    let mut told = Vec::new();
    for second in 0..600 {
        told.extend(inputs.poll(Micros(second * 1_000_000)));
    }
    assert_eq!(told, [Change::NoMidi("no sequencer".to_owned())]);
    assert_eq!(inputs.fault(), Some("no sequencer"));
    assert!((20..30).contains(&fake.0.borrow().lists), "asked {} times in 600 s", fake.0.borrow().lists);

    fake.0.borrow_mut().fault = None;
    let changes = inputs.poll(Micros(640_000_000));
    assert!(matches!(changes[..], [Change::MidiBack, Change::Opened(..)]), "{changes:?}");
    assert_eq!(inputs.fault(), None);
}

#[test]
fn a_device_that_stays_busy_is_told_once_and_opened_when_it_is_free() {
    let fake = Fake::with(&["Piano"]);
    let (mut inputs, _listener) = inputs(&fake);
    let mut told = Vec::new();
    for second in 0..10 {
        fake.plug(0, 24, Micros::ZERO, true);
        told.extend(inputs.poll(Micros(second * 1_000_000)));
    }
    assert!(matches!(&told[..], [Change::Failed(_, _, reason)] if reason == "busy"), "{told:?}");
    assert_eq!(inputs.report()[0].link, Link::Failed("busy".to_owned()));
    let changes = inputs.poll(Micros(10_000_000));
    assert!(matches!(changes[..], [Change::Opened(..)]), "{changes:?}");
}

#[test]
fn switching_a_device_off_releases_its_notes() {
    let fake = Fake::with(&["Piano"]);
    let (mut inputs, mut listener) = inputs(&fake);
    fake.plug(0, 24, Micros::ZERO, false);
    inputs.poll(Micros(0));
    fake.play(0, Micros(1), &[0x90, 60, 80]);
    inputs.set_enabled("Piano", false);
    let changes = inputs.poll(Micros(2));
    listener.listen();
    assert!(matches!(changes[..], [Change::Closed(..)]), "{changes:?}");
    assert!(listener.sounding.values().all(KeySet::is_empty));
    assert!(!fake.play(0, Micros(3), &[0x90, 60, 80]));
}
