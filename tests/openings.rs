//! A driver that takes the program down is opened once, and never again unasked.

mod audio_support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use audio_support::Recorder;
use music_trainer::audio::backend::{
    Backend, BackendError, Device, Kind, NullBackend, Presence, StartError, Stream, StreamConfig,
};
use music_trainer::audio::{Notice, Processor, Supervisor, engine};
use music_trainer::components::devices::{GuardedBackend, GuardedPorts};
use music_trainer::components::openings::Openings;
use music_trainer::midi::ports::PortInfo;
use music_trainer::midi::{Lease, PortSource, SourceId};
use music_trainer::time::{ManualClock, Micros, Rate};

/// In the environment of the program that is to die: its data folder.
const VICTIM: &str = "MUSIC_TRAINER_OPENINGS_VICTIM";

/// A driver that never comes back from being opened, or fails at once.
struct Trap {
    opened: Arc<AtomicU32>,
    hangs: bool,
}

impl Backend for Trap {
    fn kind(&self) -> Kind {
        Kind::Cpal
    }
    fn devices(&mut self) -> Result<Vec<Device>, BackendError> {
        Ok(Vec::new())
    }
    fn available(&mut self, _: &StreamConfig) -> Result<Presence, BackendError> {
        Ok(Presence::Wanted)
    }
    fn start(&mut self, processor: Processor, _: &StreamConfig) -> Result<Box<dyn Stream>, StartError> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        if self.hangs {
            println!("\nopening");
            loop {
                std::thread::park();
            }
        }
        Err(StartError::new(processor, BackendError::NoDevice { kind: Kind::Cpal, device: "x".to_owned() }))
    }
}

/// A start of the program with the trap as its sound; how often it was opened, and what was said.
fn start(data: &Path, hangs: bool, again: bool) -> (u32, Vec<String>, Vec<String>) {
    let openings = Openings::load(data);
    let lines = openings.lines();
    if again {
        openings.allow_all(|_| true);
    }
    let opened = Arc::new(AtomicU32::new(0));
    let trap = Box::new(Trap { opened: opened.clone(), hangs });
    let guarded = Box::new(GuardedBackend::new(trap, openings));
    let null = Box::new(NullBackend::new(Arc::new(ManualClock::default())));
    let (_, processor, _) = engine(Box::new(Recorder::new().0), Rate::DEFAULT);
    let mut supervisor = Supervisor::new(vec![guarded, null], processor, StreamConfig::default());
    let notices: Vec<Notice> = supervisor.start(Micros(0));
    assert!(matches!(notices.last(), Some(Notice::Started(info)) if info.kind == Kind::Null), "{notices:?}");
    drop(supervisor.stop());
    (opened.load(Ordering::SeqCst), lines, notices.iter().map(ToString::to_string).collect())
}

#[test]
fn a_driver_in_which_the_program_was_killed_is_left_out_until_it_is_chosen_again() {
    if let Ok(data) = std::env::var(VICTIM) {
        start(Path::new(&data), true, false);
        return;
    }
    let data = tempfile::tempdir().expect("a folder");
    let mut victim = Command::new(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            "a_driver_in_which_the_program_was_killed_is_left_out_until_it_is_chosen_again",
            "--nocapture",
        ])
        .env(VICTIM, data.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let said = BufReader::new(victim.stdout.take().expect("its output")).lines();
    assert!(said.map_while(Result::ok).any(|line| line == "opening"), "it came to open the driver");
    // On Unix this is SIGKILL: nothing of the program runs any more.
    victim.kill().expect("it is killed");
    victim.wait().expect("it is gone");

    for _ in 0..2 {
        let (opened, lines, notices) = start(data.path(), true, false);
        assert_eq!(opened, 0, "start after start");
        assert!(matches!(&lines[..], [line] if line.contains("sound on cpal")), "{lines:?}");
        assert!(notices[0].contains("choose it again"), "{notices:?}");
    }
    let (opened, ..) = start(data.path(), false, true);
    assert_eq!(opened, 1, "chosen again, it is opened");
    let (opened, lines, _) = start(data.path(), false, false);
    assert_eq!((opened, lines), (1, Vec::new()), "it came back, so it is opened as ever");
}

/// Ports of which opening one panics or fails, and the system may be missing.
struct Ports;

impl PortSource for Ports {
    type Connection = ();

    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        Ok(vec![PortInfo { id: "24:0".to_owned(), name: "Piano 24:0".to_owned() }])
    }
    fn open(&mut self, _: SourceId, _: &PortInfo, _: Lease) -> Result<(), String> {
        Ok(())
    }
    fn is_alive(&mut self, (): &()) -> bool {
        true
    }
    fn close(&mut self, (): ()) {}
}

#[test]
fn the_midi_system_and_each_port_are_left_out_by_themselves() {
    let data = tempfile::tempdir().expect("a folder");
    std::mem::forget(Openings::load(data.path()).begin("the MIDI system").expect("it may be opened"));
    let openings = Openings::load(data.path());
    let mut ports = GuardedPorts::new(Ports, openings.clone());
    let reason = ports.list().expect_err("left out");
    assert!(reason.contains("choose it again"), "{reason}");
    openings.allow("the MIDI system");
    assert_eq!(ports.list().map(|ports| ports.len()), Ok(1));
    assert_eq!(Openings::load(data.path()).left_out(), [""; 0]);
}
