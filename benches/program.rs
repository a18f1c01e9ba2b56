//! The whole program: from its start to the first frame and its memory, with an empty log and with a million events;
//! its processor time at rest, beside a thread that only parks. Each measurement is in a process of its own: this
//! program runs itself with the words `child …`.
//!
//! `cargo bench --bench program`; `PROGRAM_EVENTS` sets another number of events.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use music_trainer::app::boot::{Program, boot};
use music_trainer::app::clock::SystemClock;
use music_trainer::app::window::Window;
use music_trainer::bus::{Config, Publish, Ticket, start};
use music_trainer::cli::{BackendChoice, WindowArgs};
use music_trainer::components::results::Results;
use music_trainer::components::session::first_settings;
use music_trainer::formats::pieces;
use music_trainer::model::{Event, PieceId, Played, TakeEnd, TakeId, TakeStart, Trainer, recorder_entity};
use music_trainer::practice::Mode;
use music_trainer::store;
use music_trainer::time::{Clock, Micros, Stamp, WallMillis};
use support::{Aim, Samples};

mod support;

/// Events of one take, its start and end included: one transaction.
const TAKE_EVENTS: u64 = 1_000;
/// Starts with each folder, in turns.
const STARTS: usize = 15;
/// Transactions that wait for the disk while the folder is filled; fewer than the bus buffers.
const AHEAD: usize = 16;
/// How long processor time is counted.
const WINDOW: Duration = Duration::from_secs(10);
/// The bus polls less often after 5 s of silence.
const SILENCE: Duration = Duration::from_secs(7);
/// The first seconds, in which the bus still polls every millisecond.
const LIVELY: Duration = Duration::from_secs(4);

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["child", "fill", dir, events] => fill(Path::new(dir), events.parse()?),
        ["child", "start", dir] => child_start(Path::new(dir)),
        ["child", "rest", dir] => child_rest(Path::new(dir)),
        ["child", "park"] => child_park(),
        _ => parent(),
    }
}

fn parent() -> Result<(), Fault> {
    support::machine();
    let events = std::env::var("PROGRAM_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let root = tempfile::tempdir()?;
    let (none, many) = (root.path().join("none"), root.path().join("many"));
    let took = {
        let start = support::now();
        fill(&many, events)?;
        start.elapsed()
    };
    println!("filled a folder with {events} events in {:.1} s", took.as_secs_f64());
    starts(&none, &many, events)?;
    rest(&none)
}

/// A folder as months of playing leave it: takes of a thousand events, one in ten practising a piece and judged.
fn fill(dir: &Path, events: u64) -> Result<(), Fault> {
    let opened = store::open(dir, store::OpenOptions::default())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let bus = start::<Trainer>(Config::default(), clock, Box::new(opened.storage))?;
    bus.run(Box::new(Results::default()))?;
    let mut waiting: std::collections::VecDeque<Ticket<Trainer>> = std::collections::VecDeque::new();
    for number in 0..events / TAKE_EVENTS {
        if waiting.len() == AHEAD
            && let Some(mut first) = waiting.pop_front()
        {
            first.durable()?;
        }
        waiting.push_back(bus.transact(take(number)));
    }
    for mut ticket in waiting {
        ticket.durable()?;
    }
    while bus.inspect_now().is_some_and(|r| r.subscribers.iter().any(|s| s.lag > 0 || s.pending > 0)) {
        wait(Duration::from_millis(50));
    }
    match bus.shutdown(Duration::from_secs(60)) && bus.snapshot().durable >= events {
        true => Ok(()),
        false => Err("the folder was not filled".into()),
    }
}

/// One take, begun, played and ended.
fn take(number: u64) -> Vec<Publish<Trainer>> {
    let at = WallMillis(1_700_000_000_000 + number as i64 * 600_000);
    let id = TakeId::new(at, 1);
    let piece = number.is_multiple_of(10).then(|| PieceId::builtin(pieces::builtin()[0].id));
    let practice = piece.as_ref().map(|_| first_settings(Mode::Wait));
    let mut events = Vec::with_capacity(TAKE_EVENTS as usize);
    events.push(
        Publish::new(id.entity(), Event::TakeStarted(TakeStart { piece, practice, ..TakeStart::free(at) }))
            .actor("session"),
    );
    events.push(Publish::new(recorder_entity(), Event::RecorderPointed(Some(id))).actor("session"));
    for note in 0..TAKE_EVENTS - 3 {
        let (status, velocity) = if note.is_multiple_of(2) { (0x90, 80) } else { (0x80, 64) };
        let data = [status, 48 + (note / 2 * 7 % 36) as u8, velocity];
        let stamp = Stamp::at(Micros(number as i64 * 600_000_000 + note as i64 * 125_000));
        let played = Event::NotePlayed(Played { source: 1, data });
        events.push(Publish::new(id.entity(), played).actor("recorder").stamp(stamp));
    }
    events.push(Publish::new(id.entity(), Event::TakeEnded(TakeEnd::Stopped)).actor("session"));
    events
}

/// What one start took: milliseconds to the end of booting, to the first frame, and KiB of anonymous memory.
fn start_once(dir: &Path) -> Result<[f64; 3], Fault> {
    let mut child = spawn(&["start", &dir.to_string_lossy()])?;
    let mut text = String::new();
    child.stdout.take().ok_or("no output")?.read_to_string(&mut text)?;
    if !child.wait()?.success() {
        return Err("the program did not start".into());
    }
    let figures: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    figures.try_into().map_err(|_| format!("not three figures: {text}").into())
}

fn starts(none: &Path, many: &Path, events: u64) -> Result<(), Fault> {
    // The first start makes a take to record into; later ones find it empty and go on with it.
    start_once(none)?;
    start_once(many)?;
    let mut ours: [Samples; 3] = Default::default();
    let mut baseline: [Samples; 3] = Default::default();
    for _ in 0..STARTS {
        for (samples, dir) in [(&mut ours, many), (&mut baseline, none)] {
            for (samples, figure) in samples.iter_mut().zip(start_once(dir)?) {
                samples.add(figure);
            }
        }
    }
    let named = [("start to bus and components ready", "ms"), ("start to first frame", "ms"), ("memory", "KiB")];
    for (place, (name, unit)) in named.into_iter().enumerate() {
        println!("{name}, {events} events: {} {unit}; none: {} {unit}", ours[place], baseline[place]);
        let aim = if place == 1 { Aim::AtMost(1.2) } else { Aim::None };
        support::report(name, unit, ours[place].median(), "empty log", baseline[place].median(), aim);
    }
    Ok(())
}

/// The program and a bare thread rest side by side, so that a busy machine is busy for both.
fn rest(dir: &Path) -> Result<(), Fault> {
    if !Path::new("/proc/self/schedstat").exists() {
        println!("NOT RUN: processor time at rest (no /proc/self/schedstat)");
        return Ok(());
    }
    let (mut program, mut bare) = (spawn(&["rest", &dir.to_string_lossy()])?, spawn(&["park"])?);
    for child in [&mut program, &mut bare] {
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    }
    compare("at rest, first seconds", &program, &bare, LIVELY)?;
    wait(SILENCE.saturating_sub(LIVELY));
    let before = threads(&program)?;
    compare("at rest, after 5 s of silence", &program, &bare, WINDOW)?;
    compare("at rest, again", &program, &bare, WINDOW)?;
    for (name, time) in threads(&program)? {
        let earlier = before.iter().find(|(known, _)| *known == name).map_or(0.0, |(_, time)| *time);
        println!("  thread {name}: {:.2} ms a second", (time - earlier) / (2.0 * WINDOW.as_secs_f64()));
    }
    for child in [&mut program, &mut bare] {
        // Closing its standard input ends it; nothing is measured after this.
        drop(child.stdin.take());
        child.wait()?;
    }
    Ok(())
}

fn compare(name: &str, program: &Child, bare: &Child, time: Duration) -> Result<(), Fault> {
    let sum = |child| threads(child).map(|all| all.iter().map(|(_, time)| time).sum::<f64>());
    let (start, ours, baseline) = (support::now(), sum(program)?, sum(bare)?);
    wait(time);
    let seconds = start.elapsed().as_secs_f64();
    let (ours, baseline) = ((sum(program)? - ours) / seconds, (sum(bare)? - baseline) / seconds);
    support::report(name, "ms a second", ours, "a thread that parks 1 ms", baseline, Aim::AtMost(1.5));
    Ok(())
}

/// Each thread's name and number with its milliseconds on a processor.
fn threads(child: &Child) -> Result<Vec<(String, f64)>, Fault> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{}/task", child.id()))? {
        let task = task?.path();
        let name = std::fs::read_to_string(task.join("comm"))?;
        let text = std::fs::read_to_string(task.join("schedstat"))?;
        let nanos: f64 = text.split(' ').next().unwrap_or_default().parse()?;
        let number = task.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.push((format!("{} {number}", name.trim()), nanos / 1e6));
    }
    Ok(found)
}

fn spawn(words: &[&str]) -> Result<Child, Fault> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("child").args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

fn program(dir: &Path) -> Result<Program, Fault> {
    let data_dir = Some(PathBuf::from(dir));
    let args = WindowArgs { data_dir, backend: Some(BackendChoice::Null), ..WindowArgs::default() };
    Ok(boot(&args, Arc::new(|| {}))?)
}

fn child_start(dir: &Path) -> Result<(), Fault> {
    let start = support::now();
    let program = program(dir)?;
    let ready = start.elapsed();
    let memory = support::anonymous_kib();
    if !program.lines.is_empty() {
        return Err(program.lines.join("; ").into());
    }
    let context = egui::Context::default();
    music_trainer::ui::install(&context);
    let mut window = Window::new(program, Arc::new(|| unreachable!("nothing is damaged")), Arc::default());
    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0));
    let input = egui::RawInput { screen_rect: Some(screen), ..egui::RawInput::default() };
    let out = context.run_ui(input, |ui| window.draw_frame(ui));
    let meshes = context.tessellate(out.shapes, out.pixels_per_point);
    let frame = start.elapsed();
    if meshes.is_empty() {
        return Err("nothing was drawn".into());
    }
    println!("{} {} {memory}", ready.as_secs_f64() * 1e3, frame.as_secs_f64() * 1e3);
    window.stop();
    Ok(())
}

fn child_rest(dir: &Path) -> Result<(), Fault> {
    let program = program(dir)?;
    println!("ready");
    until_closed()?;
    program.stop();
    Ok(())
}

fn child_park() -> Result<(), Fault> {
    std::thread::spawn(|| {
        loop {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    });
    println!("ready");
    until_closed()
}

fn until_closed() -> Result<(), Fault> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "nothing is waited for but time")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
