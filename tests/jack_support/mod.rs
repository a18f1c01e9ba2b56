//! A JACK server of a test's own, clients of it, and the sound of the program on it.
#![allow(dead_code, unreachable_pub)]

use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jack::{Client, ClientOptions};
use music_trainer::audio::backend::{Backend, JackBackend, Kind, NullBackend, StreamConfig};
use music_trainer::audio::instrument::Instrument;
use music_trainer::audio::{Engine, Notice, Reports, Supervisor, engine};
use music_trainer::time::{Clock, Micros, Rate, WallMillis};

/// Frames in a cycle of the server. Shorter ones are cut short too often where a machine is shared.
pub const PERIOD: u32 = 1024;
/// In the environment of the process that does the work; its server is in `JACK_DEFAULT_SERVER`.
const INNER: &str = "MUSIC_TRAINER_JACK_TEST";

/// Tries to start a server.
const STARTS_MAX: u32 = 5;

/// A server of our own. On drop it may tidy up its shared memory; then it is killed.
pub struct Server(Child);

impl Server {
    /// With the dummy driver, at 48 kHz; up when this returns. Servers that start at one moment share a registry, and
    /// one of them may give up: it is started again.
    pub fn start(name: &str) -> Self {
        Self::start_at(name, 48_000, PERIOD)
    }

    /// The same at another rate and period.
    pub fn start_at(name: &str, rate: u32, period: u32) -> Self {
        for _ in 0..STARTS_MAX {
            let mut server = Self::spawn(name, rate, period);
            for _ in 0..500 {
                if Client::new("probe", ClientOptions::NO_START_SERVER).is_ok() {
                    return server;
                }
                if !matches!(server.0.try_wait(), Ok(None)) {
                    break;
                }
                std::thread::park_timeout(Duration::from_millis(10));
            }
        }
        panic!("no JACK server comes up in {STARTS_MAX} tries; is /dev/shm/jack-shm-registry full of dead ones?");
    }

    fn spawn(name: &str, rate: u32, period: u32) -> Self {
        let child = Process::new("jackd")
            .args(["-r", "-n", name, "-d", "dummy", "-r", &rate.to_string(), "-p", &period.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("jackd starts: apt-get install jackd2");
        Self(child)
    }

    /// As in a crash.
    pub fn kill(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _asked = Process::new("kill").arg(self.0.id().to_string()).stderr(Stdio::null()).status();
        for _ in 0..200 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        self.kill();
    }
}

/// Servers of one machine share a registry, and one that starts or ends disturbs the clients of another: held while a
/// test has one, whichever process it runs in.
fn turn() -> std::fs::File {
    let path = std::env::temp_dir().join("music-trainer-jack-tests.lock");
    let file = std::fs::File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.lock().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file
}

/// Runs `body` in a process of its own whose JACK server is `name` (the variable must be set before libjack loads), one
/// such test at a time.
pub fn with_server_name(test: &str, body: impl FnOnce(&str)) {
    let name = format!("mt-{test}-{}", std::process::id());
    if let Ok(inner) = std::env::var(INNER) {
        return body(&inner);
    }
    let _turn = turn();
    let run = Process::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(INNER, &name)
        .env("JACK_DEFAULT_SERVER", &name)
        .output()
        .expect("the test runs again");
    tidy(&name);
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}");
    print!("{said}");
}

/// Removes what a server that was killed leaves in shared memory.
fn tidy(name: &str) {
    for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains(name) {
            let _gone = std::fs::remove_file(entry.path());
        }
    }
}

/// Tries until it works, for 20 seconds.
pub fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2_000 {
        if let Some(done) = attempt() {
            return done;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("{what}: not within 20 seconds");
}

/// A client of the server in `JACK_DEFAULT_SERVER`, as soon as it is up.
pub fn client(name: &str) -> Client {
    until("a client of the JACK server", || Client::new(name, ClientOptions::NO_START_SERVER).ok()).0
}

/// All that waits in a ring.
pub fn drain<T>(ring: &mut rtrb::Consumer<T>) -> Vec<T> {
    std::iter::from_fn(|| ring.pop().ok()).collect()
}

struct Monotonic(std::time::Instant);

impl Clock for Monotonic {
    fn now(&self) -> Micros {
        Micros(self.0.elapsed().as_micros() as i64)
    }
    fn wall(&self) -> WallMillis {
        WallMillis(0)
    }
}

/// A clock that runs.
pub fn clock() -> Arc<dyn Clock> {
    #[expect(clippy::disallowed_methods, reason = "a real server runs in real time")]
    Arc::new(Monotonic(std::time::Instant::now()))
}

/// The sound of the program, on the server in `JACK_DEFAULT_SERVER` and on the null backend while it is gone.
pub struct Program {
    pub engine: Engine,
    pub reports: Reports,
    pub supervisor: Supervisor,
    pub clock: Arc<dyn Clock>,
}

impl Program {
    pub fn start(instrument: Box<dyn Instrument>) -> Self {
        let clock = clock();
        let (engine, processor, reports) = engine(instrument, Rate::DEFAULT);
        let backends: Vec<Box<dyn Backend>> =
            vec![Box::new(JackBackend::new(clock.clone())), Box::new(NullBackend::new(clock.clone()))];
        let mut supervisor = Supervisor::new(backends, processor, StreamConfig::default());
        let notices = supervisor.start(clock.now());
        assert!(matches!(&notices[..], [Notice::Started(info)] if info.kind == Kind::Jack), "{notices:?}");
        Self { engine, reports, supervisor, clock }
    }
}
