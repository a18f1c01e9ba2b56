//! A thousand times in and out, with keys and pedal down each time: nothing hangs, nothing leaks, every note has its end
//! and its place in the order.

mod audio_support;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::mpsc;

use audio_support::{Call, Log, Rig};
use music_trainer::audio::SOURCES_MAX;
use music_trainer::audio::instrument::Part;
use music_trainer::bus::lane::{EssentialConsumer, LaneItem};
use music_trainer::midi::ports::{Choices, Link, PortInfo};
use music_trainer::midi::watch::Announced;
use music_trainer::midi::{Lease, Message, MidiInputs, Played, PortSource, RingEnds, SourceId, decode, rings};
use music_trainer::time::{Micros, Stamp};

const CYCLES: usize = 1_000;
const BLOCK: usize = 256;
/// The two keyboards have one name.
const NAME: &str = "Piano:Piano MIDI 1";

/// A keyboard with its cable: where it is plugged in, and what listens to it.
#[derive(Default)]
struct Keyboard {
    id: Option<u32>,
    lease: Option<(u64, Lease)>,
}

#[derive(Default)]
struct World {
    keyboards: [Keyboard; 2],
    /// Leases of connections whose keyboard is gone, until they are closed.
    dead: BTreeMap<u64, Lease>,
    connections: u64,
    failures: u32,
    open_now: usize,
}

#[derive(Clone, Default)]
struct System(Rc<RefCell<World>>);

impl PortSource for System {
    type Connection = u64;

    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        let mut ids: Vec<_> = self.0.borrow().keyboards.iter().filter_map(|keyboard| keyboard.id).collect();
        ids.sort_unstable();
        Ok(ids.into_iter().map(|id| PortInfo { id: format!("{id}:0"), name: format!("{NAME} {id}:0") }).collect())
    }

    fn open(&mut self, _: SourceId, port: &PortInfo, lease: Lease) -> Result<u64, String> {
        let mut world = self.0.borrow_mut();
        if world.failures > 0 {
            world.failures -= 1;
            return Err("busy".to_owned());
        }
        world.connections += 1;
        world.open_now += 1;
        let connection = world.connections;
        let is_it = |keyboard: &&mut Keyboard| keyboard.id.is_some_and(|id| format!("{id}:0") == port.id);
        let keyboard = world.keyboards.iter_mut().find(is_it).ok_or("gone")?;
        assert!(keyboard.lease.is_none(), "a port is opened once");
        keyboard.lease = Some((connection, lease));
        Ok(connection)
    }

    fn is_alive(&mut self, connection: &u64) -> bool {
        !self.0.borrow().dead.contains_key(connection)
    }

    fn close(&mut self, connection: u64) {
        let mut world = self.0.borrow_mut();
        world.open_now -= 1;
        if world.dead.remove(&connection).is_none() {
            let of = |keyboard: &&mut Keyboard| keyboard.lease.as_ref().is_some_and(|(n, _)| *n == connection);
            world.keyboards.iter_mut().find(of).expect("it is open").lease = None;
        }
    }
}

impl System {
    fn plug(&self, keyboard: usize, id: u32) {
        self.0.borrow_mut().keyboards[keyboard].id = Some(id);
    }

    fn unplug(&self, keyboard: usize) {
        let mut world = self.0.borrow_mut();
        world.keyboards[keyboard].id = None;
        let lease = world.keyboards[keyboard].lease.take();
        world.dead.extend(lease);
    }

    /// Whether anything heard it.
    fn play(&self, keyboard: usize, now: Micros, bytes: &[u8]) -> bool {
        let mut world = self.0.borrow_mut();
        let Some((_, lease)) = &mut world.keyboards[keyboard].lease else { return false };
        lease.receive(Stamp::at(now), bytes);
        true
    }
}

/// The engine and the bus's ends.
struct House {
    rig: Rig,
    log: Log,
    made: mpsc::Receiver<(SourceId, RingEnds)>,
    lanes: BTreeMap<SourceId, EssentialConsumer<Played>>,
    /// What sounds in the engine.
    held: BTreeSet<u8>,
    pedal: u8,
    /// What the bus got of each source: keys that are down, the pedal, the last stamp, and all messages.
    books: BTreeMap<SourceId, (BTreeSet<u8>, u8, Micros)>,
    published: Vec<Message>,
}

impl House {
    fn run(&mut self, blocks: usize) {
        while let Ok((source, ends)) = self.made.try_recv() {
            self.rig.engine.add_source(music_trainer::audio::SourceId(source.0), ends.engine);
            assert!(self.lanes.insert(source, ends.lane).is_none(), "a device has one lane for ever");
        }
        self.rig.driver.run(blocks * BLOCK, BLOCK);
        self.rig.engine.poll();
        for (_, call) in self.log.of(Part::LIVE) {
            match call {
                Call::On(key, _) => drop(self.held.insert(key)),
                Call::Off(key) => drop(self.held.remove(&key)),
                Call::Pedal(value) => self.pedal = value,
                Call::Bend(_) | Call::Pressure(_) | Call::Silence => {}
            }
        }
        for (source, lane) in &mut self.lanes {
            let (held, pedal, last) = self.books.entry(*source).or_default();
            let published = &mut self.published;
            lane.drain(usize::MAX, |item| {
                let LaneItem::Event { stamp, body } = item else { panic!("nothing is lost, {item:?} came") };
                assert!(stamp.mono >= *last, "the order is that of playing");
                *last = stamp.mono;
                match body.message {
                    Message::NoteOn { pitch, .. } => drop(held.insert(pitch.key())),
                    Message::NoteOff { pitch, .. } => drop(held.remove(&pitch.key())),
                    message => *pedal = message.sustain().unwrap_or(*pedal),
                }
                published.push(body.message);
            });
        }
    }
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, |tasks| tasks.count())
}

fn is_open(inputs: &MidiInputs<System>) -> usize {
    inputs.report().iter().filter(|device| device.link == Link::Open).count()
}

#[test]
fn a_thousand_times_in_and_out_with_keys_and_pedal_down() {
    let system = System::default();
    let (rig, log) = Rig::recorded(BLOCK as u32);
    let (to, made) = mpsc::channel();
    let maker = move |source, _: &_| {
        let (rings, ends) = rings();
        to.send((source, ends)).ok()?;
        Some(rings)
    };
    let mut inputs = MidiInputs::new(system.clone(), Choices::new(), Box::new(maker));
    let (lanes, books) = (BTreeMap::new(), BTreeMap::new());
    let (held, published) = (BTreeSet::new(), Vec::new());
    let mut house = House { rig, log, made, lanes, held, pedal: 0, books, published };
    house.run(4);
    let threads_before = threads();
    let mut played = Vec::new();
    // The second keyboard stays in; the first goes in and out.
    system.plug(1, 16);
    for cycle in 0..CYCLES {
        let id = if cycle % 3 == 0 { 24 } else { 100 + cycle as u32 };
        system.plug(0, id);
        system.0.borrow_mut().failures = (cycle % 5 == 4).into();
        // Announced or polled; a failure is tried again by itself.
        let tells = cycle % 2 == 0;
        for turn in 0..20 {
            let announced = match (tells, turn) {
                (true, 0) => Announced::Something,
                (true, _) => Announced::Nothing,
                (false, _) => Announced::Unknown,
            };
            let now = house.rig.driver.mono();
            inputs.rescans().hear(now, announced);
            inputs.poll(now);
            house.run(20);
        }
        assert_eq!(is_open(&inputs), 2, "cycle {cycle}: {:?}", inputs.report());
        // Both hold C4; the first holds more, and a pedal.
        let keys = [60, 40 + (cycle % 20) as u8, 90];
        for key in keys {
            played.push([0x90, key, 1 + (cycle % 127) as u8]);
            assert!(system.play(0, house.rig.driver.mono(), played.last().expect("just pushed")));
        }
        played.push([0xb0, 64, 127]);
        assert!(system.play(0, house.rig.driver.mono(), &[0xb0, 64, 127]));
        assert!(system.play(1, house.rig.driver.mono(), &[0x90, 60, 5]));
        house.run(4);
        assert_eq!((house.held.len(), house.pedal), (3, 127), "cycle {cycle}");
        system.unplug(0);
        if cycle % 7 == 6 {
            // In again before anybody looks, at the same place: the connection is dead and its port is listed.
            system.plug(0, id);
        }
        inputs.rescans().hurry();
        inputs.poll(house.rig.driver.mono());
        house.run(4);
        assert_eq!(house.held, BTreeSet::from([60]), "cycle {cycle}: the other keyboard's key, and none of this one's");
        assert_eq!(house.pedal, 0, "cycle {cycle}");
        assert!(system.play(1, house.rig.driver.mono(), &[0x80, 60, 64]));
        house.run(4);
        assert!(house.held.is_empty(), "cycle {cycle}");
        if cycle % 7 == 6 {
            system.unplug(0);
            inputs.rescans().hurry();
            inputs.poll(house.rig.driver.mono());
            house.run(4);
        }
        assert!(house.books.values().all(|(held, pedal, _)| held.is_empty() && *pedal == 0), "cycle {cycle}");
    }
    assert_eq!(house.lanes.len(), 2, "two keyboards are two sources, however often they come");
    assert!(house.lanes.len() <= SOURCES_MAX);
    assert!(house.rig.engine.below() <= 4, "instrument, schedule and two rings: {}", house.rig.engine.below());
    assert_eq!((threads(), system.0.borrow().dead.len()), (threads_before, 0));
    let mut order = played.iter().map(|bytes| decode(bytes).expect("a message"));
    let mut next = order.next();
    for message in &house.published {
        if next == Some(*message) {
            next = order.next();
        }
    }
    assert_eq!(next, None, "everything that was played came to the bus in its order");
    inputs.close_all(house.rig.driver.mono());
    assert_eq!(system.0.borrow().open_now, 0, "every connection is closed");
}
