//! What the program plays, as instruments outside get it: every note on its frame, every note with its end, whatever
//! happens to the music.

mod audio_support;

use std::collections::BTreeSet;

use audio_support::{Broken, Recorder, score};
use music_trainer::audio::backend::stepped::{Driver, stepped};
use music_trainer::audio::backend::{Backend, StreamConfig};
use music_trainer::audio::instrument::Part;
use music_trainer::audio::{
    Bus, Command, Engine, LoopRange, PortUse, Reports, Schedule, SentPart, Supervisor, TimedWire, Wire, engine,
};
use music_trainer::music::{Hand, Hands, PedalChange, Percent, Score, ScoreParts, Tempo};
use music_trainer::time::{Micros, Rate, Ticks};

/// Frames in a tick of `score`.
const TICK: i64 = 50;
const BLOCK: usize = 256;

struct Bench {
    engine: Engine,
    reports: Reports,
    supervisor: Supervisor,
    device: Driver,
    fallback: Driver,
    /// Keys, channel and all, that sound outside; on the port, and through the ring.
    port: BTreeSet<(u8, u8)>,
    ring: BTreeSet<(u8, u8)>,
    /// Onsets: frame, key.
    on_port: Vec<(i64, u8)>,
    in_ring: Vec<(i64, u8)>,
    block: i64,
}

fn follow(sounding: &mut BTreeSet<(u8, u8)>, bytes: &[u8]) -> Option<u8> {
    match (bytes[0] & 0xf0, bytes[0] & 0x0f) {
        (0x90, channel) => {
            assert!(sounding.insert((channel, bytes[1])), "key {} begins twice", bytes[1]);
            return Some(bytes[1]);
        }
        (0x80, channel) => drop(sounding.remove(&(channel, bytes[1]))),
        (0xb0, channel) if bytes[1] == 123 => sounding.retain(|(c, _)| *c != channel),
        _ => {}
    }
    None
}

impl Bench {
    fn new() -> Self {
        let (engine, processor, reports) = engine(Box::new(Recorder::new().0), Rate::DEFAULT);
        let ((device_backend, device), (fallback_backend, fallback)) = (stepped(), stepped());
        let backends: Vec<Box<dyn Backend>> = vec![Box::new(device_backend), Box::new(fallback_backend)];
        let mut supervisor = Supervisor::new(backends, processor, StreamConfig::default());
        supervisor.start(Micros(0));
        let (port, ring, on_port, in_ring, block) = Default::default();
        Self { engine, reports, supervisor, device, fallback, port, ring, on_port, in_ring, block }
    }

    fn load(&mut self, notes: &[(i64, i64, u8, Hand)]) {
        self.engine.send(Command::Load(Box::new(Schedule::of_score(&score(notes)))));
    }

    fn send(&mut self, command: Command) {
        self.engine.send(command);
    }

    /// Blocks of the device.
    fn run(&mut self, blocks: usize) {
        for _ in 0..blocks {
            let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
            assert!(self.device.step_into(&[], &mut left, &mut right));
            self.engine.poll();
            for timed in self.device.outgoing() {
                if let Some(key) = follow(&mut self.port, timed.wire.bytes()) {
                    self.on_port.push((self.block + i64::from(timed.offset), key));
                }
            }
            self.block += BLOCK as i64;
            self.read();
        }
    }

    fn read(&mut self) {
        while let Ok(sent) = self.reports.outlet.sent.pop() {
            if let Some(key) = follow(&mut self.ring, sent.wire.bytes()) {
                self.in_ring.push((sent.stamp.frame.expect("it has a frame").0, key));
            }
        }
    }

    #[track_caller]
    fn check_silent(&self, what: &str) {
        assert!(self.port.is_empty() && self.ring.is_empty(), "{what}: {:?} and {:?} hang", self.port, self.ring);
    }
}

/// A long chord, a run above it, and a pedal held by neither.
fn music() -> Vec<(i64, i64, u8, Hand)> {
    let run = (0..40).map(|n| (n * 60, n * 60 + 50, 72 + (n % 12) as u8, Hand::Right));
    [(0, 2_400, 48, Hand::Left), (0, 2_400, 52, Hand::Left)].into_iter().chain(run).collect()
}

#[test]
fn every_note_is_sent_on_its_frame_with_the_time_at_which_it_sounds() {
    let mut bench = Bench::new();
    bench.load(&[(0, 100, 60, Hand::Right), (37, 90, 64, Hand::Left), (240, 300, 67, Hand::Right)]);
    bench.send(Command::Play { count_in: 0 });
    let mut sent = Vec::new();
    for _ in 0..80 {
        bench.device.run(BLOCK, BLOCK);
        bench.engine.poll();
        while let Ok(one) = bench.reports.outlet.sent.pop() {
            sent.push(one);
        }
    }
    let onset = |sent: &&music_trainer::audio::Sent| sent.wire.bytes()[0] == 0x90;
    let onsets: Vec<_> = sent.iter().filter(onset).collect();
    assert_eq!(onsets.len(), 3);
    let first = onsets[0].stamp.frame.expect("a frame").0;
    for (one, tick) in onsets.iter().zip([0, 37, 240]) {
        let frame = one.stamp.frame.expect("a frame").0;
        assert_eq!((frame - first, one.part), (tick * TICK, SentPart::Accompaniment));
        let exact = Rate::DEFAULT.micros(one.stamp.frame.expect("a frame"));
        assert!((one.stamp.mono - exact).0.abs() <= 50, "{:?} at {exact}", one.stamp);
    }
    assert!(sent.is_sorted_by_key(|one| one.stamp.frame));
}

#[test]
fn the_driver_port_gets_what_the_ring_gets() {
    let mut bench = Bench::new();
    bench.load(&music());
    bench.send(Command::Play { count_in: 0 });
    bench.run(600);
    assert_eq!(bench.on_port.len(), 42);
    assert_eq!(bench.on_port, bench.in_ring);
    bench.check_silent("the end of the music");
}

#[test]
fn an_instrument_that_breaks_ends_the_notes_outside_and_not_the_pedal_of_the_music() {
    let mut bench = Bench::new();
    let notes = score(&music()).notes().to_vec();
    let pedals = vec![PedalChange { tick: Ticks(10), value: 127 }, PedalChange { tick: Ticks(2_000), value: 0 }];
    let tempos = vec![Tempo { tick: Ticks(0), micros_per_quarter: 500_000 }];
    let piece = Score::new(ScoreParts { resolution: 480, notes, tempos, pedals, ..Default::default() });
    bench.send(Command::Load(Box::new(Schedule::of_score(&piece))));
    bench.send(Command::Play { count_in: 0 });
    let pedal = |bench: &mut Bench| {
        let mut told = Vec::new();
        let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
        assert!(bench.device.step_into(&[], &mut left, &mut right));
        bench.engine.poll();
        while let Ok(sent) = bench.reports.outlet.sent.pop() {
            follow(&mut bench.ring, sent.wire.bytes());
            told.extend(matches!(sent.wire.bytes(), [0xb0, 64, _]).then(|| sent.wire.bytes()[2]));
        }
        told
    };
    let before: Vec<u8> = (0..40).flat_map(|_| pedal(&mut bench)).collect();
    assert_eq!(before, [127]);
    assert!(bench.ring.contains(&(0, 48)), "{:?}", bench.ring);
    bench.send(Command::SetInstrument(Box::new(Broken)));
    let broken: Vec<u8> = (0..2).flat_map(|_| pedal(&mut bench)).collect();
    assert_eq!(bench.reports.playhead.read().faults, 1);
    assert!(!bench.ring.contains(&(0, 48)), "{:?}", bench.ring);
    assert!(broken.is_empty(), "it stays down: {broken:?}");
    let after: Vec<u8> = (0..400).flat_map(|_| pedal(&mut bench)).collect();
    assert_eq!(after, [0], "until the music lets it go");
}

#[test]
fn whatever_happens_to_the_music_what_was_sent_ends() {
    let half = LoopRange { from: Ticks(0), to: Ticks(480), count_in: 0, hold: None };
    let acts: Vec<(&str, Command)> = vec![
        ("stop", Command::Stop),
        ("panic", Command::Panic),
        ("another piece", Command::Load(Box::new(Schedule::of_score(&score(&[]))))),
        ("another instrument, then stop", Command::SetInstrument(Box::new(Recorder::new().0))),
        ("no hand", Command::SetHands(Hands { right: false, left: false })),
    ];
    for (what, act) in acts {
        let mut bench = Bench::new();
        bench.load(&music());
        bench.send(Command::Play { count_in: 0 });
        bench.run(100);
        assert!(bench.ring.len() >= 2, "{what}: {:?}", bench.ring);
        bench.send(act);
        bench.run(1);
        if what.starts_with("another instrument") {
            bench.send(Command::Stop);
            bench.run(1);
        }
        bench.check_silent(what);
    }
    let mut bench = Bench::new();
    bench.load(&music());
    bench.send(Command::SetLoop(Some(half)));
    bench.send(Command::Play { count_in: 0 });
    for _ in 0..400 {
        bench.run(1);
        assert!(bench.ring.len() <= 4, "{:?}", bench.ring);
    }
    for tick in [100, 5, 2_000] {
        bench.send(Command::Seek(Ticks(tick)));
        bench.send(Command::SetSpeed(Percent::new(180)));
        bench.run(30);
    }
    bench.send(Command::Stop);
    bench.run(1);
    bench.check_silent("loops and jumps");
}

#[test]
fn another_instrument_inside_changes_nothing_outside() {
    let onsets_and_ends = |exchange: bool| {
        let mut bench = Bench::new();
        bench.load(&music());
        bench.send(Command::Play { count_in: 0 });
        bench.run(100);
        assert!(bench.ring.len() >= 2);
        if exchange {
            bench.send(Command::SetInstrument(Box::new(Recorder::new().0)));
        }
        bench.run(1);
        let after = (bench.ring.clone(), bench.port.clone());
        bench.run(500);
        bench.check_silent("the end of the music");
        (after, bench.in_ring, bench.on_port)
    };
    assert_eq!(onsets_and_ends(true), onsets_and_ends(false));
}

#[test]
fn the_volume_of_the_accompaniment_holds_outside_too_even_where_it_sounds_alone() {
    let velocities = |volume: f32, alone: bool| {
        let (recorder, mut log) = Recorder::new();
        let mut bench = Bench::new();
        bench.send(Command::SetInstrument(Box::new(recorder)));
        bench.send(Command::SetVolume(Bus::Accompaniment, volume));
        bench.send(Command::SetAlone(alone));
        bench.load(&[(0, 100, 60, Hand::Right), (37, 90, 64, Hand::Left)]);
        bench.send(Command::Play { count_in: 0 });
        let mut outside = Vec::new();
        for _ in 0..40 {
            bench.device.run(BLOCK, BLOCK);
            bench.engine.poll();
            let struck = |timed: &TimedWire| (timed.wire.bytes()[0] == 0x90).then(|| timed.wire.bytes()[2]);
            outside.extend(bench.device.outgoing().iter().filter_map(struck));
        }
        (outside, log.onsets(Part::ACCOMPANIMENT).len())
    };
    let (whole, here) = velocities(1.0, false);
    assert_eq!((whole.len(), here), (2, 2));
    let half: Vec<_> = whole.iter().map(|velocity| (f32::from(*velocity) / 2.0).round() as u8).collect();
    assert_eq!(velocities(0.5, false), (half.clone(), 2));
    assert_eq!(velocities(0.5, true), (half, 0), "silent here alone");
    assert_eq!(velocities(0.0, false), (vec![], 0));
}

#[test]
fn clicks_are_sent_as_percussion_and_only_where_they_are_wanted() {
    let mut bench = Bench::new();
    bench.send(Command::SetMetronome(true));
    bench.send(Command::Play { count_in: 0 });
    bench.run(400);
    assert!(bench.on_port.is_empty() && bench.in_ring.len() >= 4, "{:?}", bench.in_ring);
    assert!(bench.in_ring.iter().all(|(_, key)| [76, 77].contains(key)));
    assert_eq!((bench.in_ring[1].0 - bench.in_ring[0].0) % 24_000, 0);
    bench.send(Command::SetPort(PortUse { accompaniment: false, clicks: true }));
    bench.run(200);
    assert!(!bench.on_port.is_empty());
    bench.send(Command::Stop);
    bench.run(1);
    bench.check_silent("stop");
}

#[test]
fn a_lost_device_leaves_nothing_sounding_outside_and_the_music_is_sent_again_when_it_is_back() {
    let mut bench = Bench::new();
    bench.load(&music());
    bench.send(Command::Play { count_in: 0 });
    bench.run(40);
    assert!(bench.ring.len() >= 2);
    bench.device.lose("pulled out");
    bench.supervisor.poll(Micros::SECOND);
    bench.read();
    assert!(bench.ring.is_empty(), "{:?}", bench.ring);
    bench.fallback.run(BLOCK, BLOCK);
    bench.supervisor.poll(Micros(2 * Micros::SECOND.0));
    let sent = bench.in_ring.len();
    bench.run(1);
    assert!(bench.port.len() <= 1, "whoever listens to the port was told to let go: {:?}", bench.port);
    bench.run(100);
    assert!(bench.in_ring.len() > sent, "the music goes on");
    bench.send(Command::Stop);
    bench.run(1);
    bench.check_silent("stop");
}

#[test]
fn messages_of_the_control_side_leave_by_the_driver_port_with_the_next_block() {
    let mut bench = Bench::new();
    bench.run(1);
    let light = Wire::new(&[0x9f, 60, 1]).expect("a message");
    bench.reports.outlet.port.push(light).expect("there is room");
    bench.run(1);
    assert_eq!(bench.on_port, [(BLOCK as i64, 60)]);
    bench.run(1);
    assert_eq!(bench.on_port.len(), 1);
}
