//! What a long log costs: the time until a bus is ready, with nothing in the log, a million events and ten million; and
//! the slope of anonymous memory while ten minutes of 2 000 notes a second go through, as fast as the disk lets them,
//! or in real time for as many minutes as `SLOPE_MINUTES` says. Each is measured in a process of its own: this program
//! runs itself with the words `child …`. `GROWTH_EVENTS` sets other sizes of the log, with spaces in between.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use music_trainer::app::clock::SystemClock;
use music_trainer::bus::testing::{Event, Test};
use music_trainer::bus::{BusHandle, Config, Publish, Ticket, start};
use music_trainer::store;
use music_trainer::time::{Clock, Stamp};
use support::{Aim, Samples};

mod support;

/// Events of one take: one transaction of the filled log.
const TAKE_EVENTS: u64 = 1_000;
/// Transactions that wait for the disk; fewer than the bus buffers.
const AHEAD: usize = 32;
const STARTS: usize = 9;
/// Milliseconds until the bus is ready that are aimed at, by events in the log.
const READY_AIMS: [(u64, f64); 2] = [(1_000_000, 300.0), (10_000_000, 1_000.0)];
/// Notes a second of somebody who plays more than anybody can.
const RATE: u64 = 2_000;
/// Minutes of them that go through when nothing else is asked for.
const MINUTES: u64 = 10;
/// Notes of one transaction when they go through as fast as they can.
const BURST: u64 = 500;
/// Looks at the memory.
const LOOKS: u64 = 60;
/// Of them so many first ones are left out: buffers find their size.
const WARM: usize = 12;

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["child", "ready", dir] => ready(Path::new(dir)),
        ["child", "slope", dir] => slope(Path::new(dir)),
        _ => parent(),
    }
}

fn parent() -> Result<(), Fault> {
    support::machine();
    let root = tempfile::tempdir()?;
    let child = |what: &str, dir: &str| run(&["child", what, &root.path().join(dir).to_string_lossy()]);
    print!("{}", child("slope", "slope")?);
    let sizes = std::env::var("GROWTH_EVENTS").unwrap_or_else(|_| "1000000 10000000".to_owned());
    let mut last = 0;
    let mut none = Samples::default();
    for size in sizes.split_whitespace().map(str::parse::<u64>) {
        let size = size?;
        let took = support::now();
        fill(&root.path().join("filled"), last, size)?;
        println!("filled up to {size} events in {:.1} s", took.elapsed().as_secs_f64());
        last = size;
        let mut many = Samples::default();
        for _ in 0..STARTS {
            many.add(child("ready", "filled")?.trim().parse()?);
            none.add(child("ready", "none")?.trim().parse()?);
        }
        println!("ready, {size} events: {many} ms; none: {none} ms");
        support::report(&format!("ready, {size} events"), "ms", many.median(), "empty log", none.median(), Aim::None);
        if let Some((_, aim)) = READY_AIMS.into_iter().find(|(events, _)| *events == size) {
            println!("  aim {aim} ms: {}", if many.median() <= aim { "met" } else { "MISSED" });
        }
    }
    Ok(())
}

fn run(words: &[&str]) -> Result<String, Fault> {
    let mut child = Command::new(std::env::current_exe()?).args(words).stdout(Stdio::piped()).spawn()?;
    let mut text = String::new();
    child.stdout.take().ok_or("no output")?.read_to_string(&mut text)?;
    match child.wait()?.success() {
        true => Ok(text),
        false => Err(format!("{words:?} failed").into()),
    }
}

fn bus(dir: &Path) -> Result<BusHandle<Test>, Fault> {
    let opened = store::open(dir, store::OpenOptions::default())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    Ok(start(Config::default(), clock, Box::new(opened.storage))?)
}

fn stop(bus: &BusHandle<Test>) -> Result<(), Fault> {
    bus.shutdown(Duration::from_secs(60)).then_some(()).ok_or_else(|| "not everything became durable".into())
}

/// Sends transactions so that only a few wait for the disk.
#[derive(Default)]
struct Sending(std::collections::VecDeque<Ticket<Test>>);

impl Sending {
    fn send(&mut self, bus: &BusHandle<Test>, notes: Vec<Publish<Test>>) -> Result<(), Fault> {
        if self.0.len() == AHEAD
            && let Some(mut first) = self.0.pop_front()
        {
            first.durable()?;
        }
        self.0.push_back(bus.transact(notes));
        Ok(())
    }

    fn wait(self) -> Result<(), Fault> {
        self.0.into_iter().try_for_each(|mut ticket| ticket.durable().map(drop))?;
        Ok(())
    }
}

fn notes(bus: &BusHandle<Test>, take: u64, count: u64) -> Vec<Publish<Test>> {
    let stamp = Stamp::at(bus.clock().now());
    let note = |pitch| Publish::new(format!("book/{take}"), Event::Note { pitch: pitch as u32 & 127 });
    (0..count).map(|pitch| note(pitch).actor("recorder").stamp(stamp)).collect()
}

/// Takes of a thousand notes each, from so many events to so many.
fn fill(dir: &Path, from: u64, to: u64) -> Result<(), Fault> {
    let bus = bus(dir)?;
    let mut sending = Sending::default();
    for take in from / TAKE_EVENTS..to / TAKE_EVENTS {
        let notes = notes(&bus, take, TAKE_EVENTS);
        sending.send(&bus, notes)?;
    }
    sending.wait()?;
    stop(&bus)
}

/// From nothing to a snapshot of all that is in the folder.
fn ready(dir: &Path) -> Result<(), Fault> {
    let start = support::now();
    let bus = bus(dir)?;
    let snapshot = bus.snapshot();
    let took = start.elapsed();
    if snapshot.state.iter().count() as u64 != snapshot.applied / TAKE_EVENTS {
        return Err("the snapshot is not of all that was filled in".into());
    }
    println!("{}", took.as_secs_f64() * 1e3);
    stop(&bus)
}

/// One long take, and the memory meanwhile.
fn slope(dir: &Path) -> Result<(), Fault> {
    let minutes = std::env::var("SLOPE_MINUTES").ok().map(|minutes| minutes.parse::<u64>()).transpose()?;
    let events = minutes.unwrap_or(MINUTES) * 60 * RATE;
    let bus = bus(dir)?;
    let (began, mut sending, mut sent, mut memory) = (support::now(), Sending::default(), 0, Vec::new());
    while sent < events {
        if minutes.is_none() {
            sending.send(&bus, notes(&bus, 0, BURST))?;
            sent += BURST;
        } else {
            std::thread::park_timeout(Duration::from_millis(1));
            let due = (began.elapsed().as_micros() as u64 * RATE / 1_000_000).min(events);
            for note in notes(&bus, 0, due - sent) {
                bus.publish(note);
            }
            sent = due;
        }
        if sent * LOOKS / events > memory.len() as u64 {
            memory.push((sent as f64, support::anonymous_kib() as f64 * 1024.0));
        }
    }
    sending.wait()?;
    let took = began.elapsed().as_secs_f64();
    let slope = support::slope(&memory[WARM..]);
    let how = if minutes.is_some() { "in real time" } else { "as fast as they go" };
    let high_water = bus.inspect_now().map_or(0, |report| report.undurable.high_water);
    let tenths: Vec<String> =
        memory.iter().step_by(LOOKS as usize / 10).map(|(_, bytes)| format!("{:.0}", bytes / 1024.0)).collect();
    println!(
        "memory, {events} notes {how} ({took:.1} s): {} KiB at each tenth, up to {high_water} notes waited for the disk; \
         after the first fifth {slope:.3} bytes per event, {:.1} KiB a minute at {RATE} events a second",
        tenths.join(", "),
        slope * (RATE * 60) as f64 / 1024.0,
    );
    stop(&bus)?;
    // In real time nobody waits for an answer.
    (bus.snapshot().durable == events).then_some(()).ok_or_else(|| "some notes were refused".into())
}
