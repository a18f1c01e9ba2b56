//! kill -9 at random instants, around the real bus and store under a dense stream of notes: nothing that was called
//! durable is lost, nothing half done is seen, and the folder opens again as it is.
//!
//! `KILLS` sets how often (500), `KILL_SEED` repeats a run's instants. The child is this program itself, started with
//! `KILL_CHILD` set to the folder. A kill leaves the page cache whole: what a power failure does is not tested here.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "the child has a clock of its own, and the parent measures its kills")]

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use music_trainer::bus::lane::{ESSENTIAL_SLOTS, EssentialProducer, LaneItem, Pushed, essential};
use music_trainer::bus::storage::{EventId, StateRow, StorageReader};
use music_trainer::bus::subscription::MAX_DELIVER;
use music_trainer::bus::{
    BusHandle, Component, Config, Conflict, Context, Decoded, Delivery, Durability, EntityKey, Filter, Look, Lost,
    Model, Origin, Outcome, Publish, Rank, Refusal, Retention, Strategy, Topic, Translate, load, replay, rows, start,
};
use music_trainer::store::{OpenOptions, open, open_read_only, verify};
use music_trainer::time::{Clock, Micros, Stamp, WallMillis};
use serde::{Deserialize, Serialize};

/// The smallest domain that shows loss, doubling and disorder: notes numbered from 1 in each take, and a counter.
#[derive(Clone, Debug, PartialEq)]
enum Domain {}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Event {
    Note { number: u64, pitch: u8 },
    Set { value: u64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entity {
    last: u64,
    pitches: u64,
}

const TOPICS: [Topic; 2] = [
    Topic {
        name: "take.note",
        durability: Durability::Stream,
        strategy: Strategy::AppendOnly,
        schema: "take.note",
        schema_version: 1,
        retention: Retention::Forever,
    },
    Topic {
        name: "setting",
        durability: Durability::Edit,
        strategy: Strategy::Reject,
        schema: "setting",
        schema_version: 1,
        retention: Retention::Forever,
    },
];

impl Model for Domain {
    type Event = Event;
    type Entity = Entity;

    fn topics() -> &'static [Topic] {
        &TOPICS
    }

    fn topic(event: &Event) -> &'static Topic {
        match event {
            Event::Note { .. } => &TOPICS[0],
            Event::Set { .. } => &TOPICS[1],
        }
    }

    fn check(key: &EntityKey, event: &Event, current: Option<&Entity>) -> Result<(), Refusal> {
        if key.kind() == "echo" {
            // Nothing here keeps an echo from coming twice: the acknowledgement must.
            return Ok(());
        }
        let number = match event {
            Event::Note { number, .. } => *number,
            Event::Set { value } => *value,
        };
        match current.map_or(0, |c| c.last) + 1 == number {
            true => Ok(()),
            false => Err(Refusal::new("not the next number")),
        }
    }

    fn apply(_: &EntityKey, event: &Event, _: &Origin<'_>, current: Option<&Entity>) -> Option<Entity> {
        let pitches = current.map_or(0, |c| c.pitches);
        Some(match event {
            Event::Note { number, pitch } => Entity { last: *number, pitches: pitches + u64::from(*pitch) },
            Event::Set { value } => Entity { last: *value, pitches },
        })
    }

    fn rival(_: &Event, _: Option<&Entity>) -> Option<Rank> {
        None
    }

    fn names(_: &Event) -> &[EventId] {
        &[]
    }

    fn conflicted(_: &Conflict) -> (EntityKey, Event) {
        unreachable!("no edit has a rival")
    }

    fn encode(event: &Event) -> Vec<u8> {
        rmp_serde::to_vec_named(event).expect("an event encodes")
    }

    fn decode(_: &str, _: u16, bytes: &[u8]) -> Result<Decoded<Event>, String> {
        rmp_serde::from_slice(bytes).map(Decoded::Known).map_err(|e| e.to_string())
    }

    fn encode_entity(_: &EntityKey, value: &Entity) -> Vec<u8> {
        rmp_serde::to_vec_named(value).expect("an entity encodes")
    }

    fn decode_entity(_: &EntityKey, bytes: &[u8]) -> Result<Entity, String> {
        rmp_serde::from_slice(bytes).map_err(|e| e.to_string())
    }

    fn lost(_: &EntityKey, _: &Lost) -> Event {
        // Not the next number, so the check refuses it, and the parent finds the hole.
        Event::Set { value: u64::MAX }
    }
}

// The child.

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Micros {
        Micros(self.0.elapsed().as_micros() as i64)
    }
    fn wall(&self) -> WallMillis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        WallMillis(since.as_millis() as i64)
    }
}

#[derive(Clone, Copy)]
struct Midi {
    pitch: u8,
}

/// Numbers the notes as they come out of the lane.
struct Recorder {
    take: EntityKey,
    number: u64,
}

impl Translate<Domain, Midi> for Recorder {
    fn translate(&mut self, item: LaneItem<Midi>, _: &dyn Look<Domain>, out: &mut Vec<Publish<Domain>>) {
        if let LaneItem::Event { stamp, body } = item {
            self.number += 1;
            let event = Event::Note { number: self.number, pitch: body.pitch };
            out.push(Publish::new(self.take.clone(), event).actor("recorder").stamp(stamp));
        }
    }
}

/// About four thousand notes a second, four times what a MIDI cable carries, in bursts.
fn play(mut lane: EssentialProducer<Midi>, clock: Arc<dyn Clock>, mut random: Random) {
    loop {
        for _ in 0..random.below(9) {
            let pitch = 21 + random.below(88) as u8;
            assert_eq!(lane.push(Stamp::at(clock.now()), Midi { pitch }), Pushed::Queued);
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Edits a setting again and again, each after the last is durable, and says which.
fn edit(bus: BusHandle<Domain>) {
    let mut value = bus.snapshot().state.value("setting/volume").map_or(0, |v| v.last);
    loop {
        value += 1;
        let seq = bus.publish(Publish::new("setting/volume", Event::Set { value })).durable().expect("an edit");
        say(&format!("edit {seq} {value}"));
    }
}

/// Echoes each edit once, and dies of one.
struct Echo {
    poison: u64,
}

impl Component<Domain> for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn filter(&self) -> Filter {
        Filter::topic("setting")
    }

    fn handle(&mut self, delivery: &Delivery<Domain>, _: &Context<Domain>) -> Outcome<Domain> {
        let Some(Event::Set { value }) = delivery.envelope.event() else { return Outcome::done() };
        if *value == self.poison {
            say(&format!("try {}", delivery.tries));
            std::process::abort();
        }
        Outcome::publish(vec![Publish::new("echo/all", Event::Note { number: *value, pitch: 1 }).actor("echo")])
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Begins with a line end of its own: the test harness has written half a line.
    out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
}

#[test]
fn child() {
    // Does something only when started by a test below; then it never ends by itself.
    let Some(dir) = std::env::var_os("KILL_CHILD") else { return };
    let run: u64 = std::env::var("KILL_RUN").ok().and_then(|r| r.parse().ok()).expect("a number");
    let opened = open(Path::new(&dir), OpenOptions::default()).expect("the folder opens after a kill");
    let clock: Arc<dyn Clock> = Arc::new(RealClock(Instant::now()));
    let config = Config { snapshot_events: 100, ..Config::default() };
    let bus = start::<Domain>(config, Arc::clone(&clock), Box::new(opened.storage)).expect("a bus");
    let (producer, consumer) = essential(ESSENTIAL_SLOTS);
    let recorder = Recorder { take: format!("take/{run}").into(), number: 0 };
    bus.add_lane("midi", consumer, Box::new(recorder)).expect("a lane");
    let midi_clock = Arc::clone(&clock);
    std::thread::spawn(move || play(producer, midi_clock, Random(run)));
    let editing = bus.clone();
    std::thread::spawn(move || edit(editing));
    bus.run(Box::new(Echo { poison: number("KILL_POISON", 0) })).expect("a thread");
    say("ready");
    let (mut durable, mut letters, mut echoed) = (0, 0, 0);
    loop {
        let snapshot = bus.snapshot();
        if snapshot.durable > durable {
            durable = snapshot.durable;
            say(&format!("durable {durable}"));
        }
        // The log is of one machine, so that its own numbers are those of the log.
        let echo = snapshot.state.get("echo/all").filter(|echo| echo.last.device_seq <= snapshot.durable);
        let last = echo.and_then(|echo| echo.value.as_ref()).map_or(0, |echo| echo.last);
        if last > echoed {
            echoed = last;
            say(&format!("echoed {echoed}"));
        }
        let dead = bus.inspect().dead_letters;
        if dead > letters {
            letters = dead;
            say(&format!("letters {letters}"));
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

// The parent.

/// Knuth's MMIX generator: a seed repeats a run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Ends with the test even if the test fails.
struct Victim(Child);

impl Victim {
    fn start(dir: &Path, run: u64) -> (Self, Receiver<String>) {
        Self::start_with(dir, run, 0)
    }

    fn start_with(dir: &Path, run: u64, poison: u64) -> (Self, Receiver<String>) {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "child", "--nocapture"])
            .env("KILL_CHILD", dir)
            .env("KILL_RUN", run.to_string())
            .env("KILL_POISON", poison.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // A line counts only with its end.
            while out.read_line(&mut line).is_ok_and(|n| n > 0) && line.ends_with('\n') {
                if sender.send(line.trim_end().to_string()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        (Self(child), lines)
    }

    fn kill(mut self) {
        assert_eq!(self.0.try_wait().expect("its state"), None, "the child ended by itself");
        self.0.kill().expect("kill -9");
        self.0.wait().expect("its end");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a child said before its end.
#[derive(Default, Debug)]
struct Said {
    durable: u64,
    /// Seq and value of the last edit.
    edit: (u64, u64),
}

impl Said {
    fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        let mut next = || words.next();
        match next() {
            Some("durable") => self.durable = next().and_then(|w| w.parse().ok()).expect("a number"),
            Some("edit") => {
                let mut number = || next().and_then(|w| w.parse().ok()).expect("a number");
                self.edit = (number(), number());
            }
            _ => {}
        }
    }
}

/// Runs a child and kills it after `wait`, counted from its start or from when it is ready.
fn run_and_kill(dir: &Path, run: u64, wait: Duration, from_ready: bool) -> Said {
    let (victim, lines) = Victim::start(dir, run);
    let mut said = Said::default();
    if from_ready {
        while lines.recv_timeout(Duration::from_secs(30)).expect("the child gets ready") != "ready" {}
    }
    let end = Instant::now() + wait;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => said.hear(&line),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => panic!("the child ended by itself"),
        }
    }
    victim.kill();
    // What was said before the kill and is still in the pipe was said.
    lines.iter().for_each(|line| said.hear(&line));
    said
}

/// Checks the folder after a kill and gives the number of events in it.
fn check(dir: &Path, said: &Said) -> u64 {
    let Ok(reader) = open_read_only(dir) else {
        // Killed before there was anything.
        assert_eq!(said.durable, 0);
        return 0;
    };
    let found = verify(&reader, &mut |_, _| {}).expect("verification ends");
    assert_eq!(found.damages, [], "{said:?}");
    let last = reader.last().expect("an end").seq;
    assert_eq!(last, found.events);
    assert!(last >= said.durable.max(said.edit.0), "{said:?}, and the log ends at {last}");
    let (different, snapshots) = load::compare::<Domain>(&reader).expect("the log folds");
    assert_eq!(different, [], "{said:?}");
    assert!(snapshots > 0 || last < 1_000, "{last} events and no snapshot");
    let folded = replay::<Domain>(reader.events(1, usize::MAX).expect("the log")).expect("the log folds");
    let mut rows: Vec<StateRow> = Vec::new();
    reader.state(&mut |row| rows.push(row)).expect("the state");
    assert_eq!(rows.len(), folded.entities.len());
    for row in rows {
        let entity = folded.entities.get(&EntityKey::new(&row.entity)).expect("an entity of the log");
        assert_eq!(entity.to_row(&EntityKey::new(&row.entity), &row.topic), row);
        let value = entity.value.as_ref().expect("a value");
        if &*row.entity == "echo/all" {
            assert_eq!((value.last, value.pitches), (entity.version, entity.version), "each edit is echoed once");
            continue;
        }
        // Every number from 1 was accepted once, so the last number is the number of events.
        assert_eq!(value.last, entity.version, "{}", row.entity);
        if &*row.entity == "setting/volume" {
            assert!(value.last >= said.edit.1, "{said:?}, and the setting is {}", value.last);
        }
    }
    last
}

#[test]
fn nothing_durable_is_lost_by_kill_9() {
    let kills = number("KILLS", 500);
    let seed = number("KILL_SEED", RandomState::new().hash_one("seed"));
    println!("{kills} kills, KILL_SEED={seed}");
    let mut random = Random(seed);
    let mut dir = tempfile::tempdir().expect("a temporary folder");
    let (mut events, mut most, mut ahead, mut opening) = (0, 0, 0, 0);
    for run in 0..kills {
        if run % 40 == 0 {
            events += most;
            dir = tempfile::tempdir().expect("a temporary folder");
        }
        // One in eight dies while it opens the folder or starts the bus.
        let from_ready = random.below(8) != 0;
        let wait = Duration::from_micros(random.below(if from_ready { 250_000 } else { 40_000 }));
        opening += u64::from(!from_ready);
        let said = run_and_kill(dir.path(), run, wait, from_ready);
        most = check(dir.path(), &said);
        ahead += u64::from(said.durable > 0);
    }
    events += most;
    println!("{events} events survived; {ahead} kills after something was durable, {opening} while opening");
    assert!(kills < 20 || (ahead > kills / 3 && events > kills * 10), "the kills were too early to mean anything");
}

/// An edit that kills whoever handles it is given up after exactly so many tries, and those before and after it are
/// echoed once.
#[test]
fn a_delivery_that_kills_the_process_becomes_a_dead_letter() {
    const POISON: u64 = 5;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut tries = Vec::new();
    for run in 0.. {
        assert!(run <= u64::from(MAX_DELIVER), "given up in time, after {tries:?}");
        let (victim, lines) = Victim::start_with(dir.path(), run, POISON);
        let mut given_up = false;
        while let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) {
            if let Some(number) = line.strip_prefix("try ") {
                tries.push(number.parse::<u32>().expect("a number"));
            }
            given_up |= line == "letters 1";
            let echoed = line.strip_prefix("echoed ").map_or(0, |last| last.parse().expect("a number"));
            if given_up && echoed > POISON {
                break;
            }
        }
        drop(victim);
        if given_up {
            break;
        }
    }
    assert_eq!(tries, (1..=MAX_DELIVER).collect::<Vec<_>>());
    let reader = open_read_only(dir.path()).expect("it opens");
    let folded = replay::<Domain>(reader.events(1, usize::MAX).expect("the log")).expect("the log folds");
    let letters = rows::dead_letters(&reader).expect("readable");
    assert_eq!(letters.iter().map(|letter| letter.tries).collect::<Vec<_>>(), [MAX_DELIVER]);
    let echo = folded.entities.get("echo/all").and_then(|echo| echo.value.clone()).expect("echoes");
    assert!(echo.last > POISON, "later ones came");
    assert_eq!(echo.pitches, echo.last - 1, "each once, but for the one given up");
}

#[test]
#[should_panic(expected = "and the log ends at")]
fn a_loss_would_be_noticed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut said = run_and_kill(dir.path(), 0, Duration::from_millis(300), true);
    said.durable += 1_000_000;
    check(dir.path(), &said);
}
