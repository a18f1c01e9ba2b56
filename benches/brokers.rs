//! Durable events per second of the store beside two brokers of other people, each with the same payloads and batches,
//! and each with its own idea of what durable means:
//!
//! - the store: one LMDB transaction a batch, data and meta page synced before it returns;
//! - Redis Streams with `appendfsync always`: one `fdatasync` of the append-only file for what a pipeline sent;
//! - NATS JetStream with a file store: acknowledged from the page cache, synced every two minutes; Debian's version knows
//!   no setting for it.
//!
//! The brokers are processes behind a socket, the store is a call: what they do besides is not what is compared. A server
//! that is not installed is NOT RUN.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use music_trainer::bus::storage::{Batch, Storage};
use music_trainer::store::{OpenOptions, open};
use support::{PAYLOAD, Samples, event, machine, time};

/// Events per batch, and batches of a round.
const SIZES: [(u64, u64); 3] = [(1, 50), (16, 50), (256, 20)];
const ROUNDS: usize = 5;
/// Tries until a server answers, 20 ms apart.
const TRIES: usize = 250;

/// Something that takes a batch and says when it is there.
trait Broker {
    fn name(&self) -> &'static str;
    fn write(&mut self, events: u64);
}

struct Store {
    opened: music_trainer::store::Opened,
    last: u64,
    _dir: tempfile::TempDir,
}

impl Store {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
        Self { opened, last: 0, _dir: dir }
    }
}

impl Broker for Store {
    fn name(&self) -> &'static str {
        "store"
    }

    fn write(&mut self, events: u64) {
        let device = self.opened.device;
        let batch = Batch {
            events: (self.last + 1..=self.last + events).map(|seq| event(device, seq)).collect(),
            ..Batch::default()
        };
        self.last += events;
        self.opened.storage.commit(&batch).expect("a commit");
    }
}

/// Ends with the benchmark.
struct Server {
    child: Child,
    socket: BufReader<TcpStream>,
    _dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is ours, and its data with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server on a free port; nothing when it is not installed.
    fn start(program: &str, arguments: impl Fn(u16, &Path) -> Vec<String>) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(program);
        command.args(arguments(port, dir.path())).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().ok()?;
        for _ in 0..TRIES {
            if let Ok(socket) = TcpStream::connect(("127.0.0.1", port)) {
                socket.set_nodelay(true).expect("a socket");
                return Some(Self { child, socket: BufReader::new(socket), _dir: dir });
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!("{program} does not answer");
    }

    fn send(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).expect("the server reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.socket.read_line(&mut line).expect("the server answers");
        line
    }

    fn skip(&mut self, bytes: usize) {
        let mut rest = vec![0; bytes];
        self.socket.read_exact(&mut rest).expect("the server answers");
    }
}

struct Redis(Server);

impl Redis {
    fn start() -> Option<Self> {
        let words = |port: u16, dir: &Path| {
            let dir = dir.to_string_lossy();
            format!("--port {port} --dir {dir} --appendonly yes --appendfsync always --save")
                .split(' ')
                .map(str::to_owned)
                .chain([String::new()])
                .collect()
        };
        Server::start("redis-server", words).map(Self)
    }
}

impl Broker for Redis {
    fn name(&self) -> &'static str {
        "Redis Streams, appendfsync always"
    }

    fn write(&mut self, events: u64) {
        let mut request = Vec::new();
        for event in 0..events {
            request.extend_from_slice(b"*5\r\n$4\r\nXADD\r\n$9\r\ntake:8f2c\r\n$1\r\n*\r\n$1\r\np\r\n");
            request.extend_from_slice(format!("${PAYLOAD}\r\n").as_bytes());
            request.extend_from_slice(&[event as u8 | 1; PAYLOAD]);
            request.extend_from_slice(b"\r\n");
        }
        self.0.send(&request);
        for _ in 0..events {
            let length = self.0.line();
            let length: usize = length.trim_end().strip_prefix('$').and_then(|n| n.parse().ok()).expect("an id");
            self.0.skip(length + 2);
        }
    }
}

struct JetStream(Server);

impl JetStream {
    fn start() -> Option<Self> {
        let words = |port: u16, dir: &Path| {
            let dir = dir.to_string_lossy();
            format!("-js -a 127.0.0.1 -p {port} -sd {dir}").split(' ').map(str::to_owned).collect()
        };
        let mut nats = Self(Server::start("nats-server", words)?);
        nats.0.line();
        nats.0.send(b"CONNECT {\"verbose\":false}\r\nSUB in 1\r\n");
        let stream = r#"{"name":"TAKES","subjects":["take.*"],"storage":"file"}"#;
        let request = format!("PUB $JS.API.STREAM.CREATE.TAKES in {}\r\n{stream}\r\n", stream.len());
        nats.0.send(request.as_bytes());
        let answer = nats.message();
        assert!(answer.contains("\"config\""), "{answer}");
        Some(nats)
    }

    fn message(&mut self) -> String {
        loop {
            let line = self.0.line();
            if line.starts_with("PING") {
                self.0.send(b"PONG\r\n");
            } else if line.starts_with("MSG") {
                let length: usize = line.split_whitespace().last().and_then(|n| n.parse().ok()).expect("a length");
                let mut body = vec![0; length + 2];
                self.0.socket.read_exact(&mut body).expect("the server answers");
                return String::from_utf8_lossy(&body).into_owned();
            } else {
                assert!(line.starts_with("+OK"), "{line}");
            }
        }
    }
}

impl Broker for JetStream {
    fn name(&self) -> &'static str {
        "JetStream, synced every two minutes"
    }

    fn write(&mut self, events: u64) {
        let mut request = Vec::new();
        for event in 0..events {
            request.extend_from_slice(format!("PUB take.8f2c in {PAYLOAD}\r\n").as_bytes());
            request.extend_from_slice(&[event as u8 | 1; PAYLOAD]);
            request.extend_from_slice(b"\r\n");
        }
        self.0.send(&request);
        for _ in 0..events {
            let answer = self.message();
            assert!(answer.contains("\"seq\""), "{answer}");
        }
    }
}

fn main() {
    machine();
    let mut brokers: Vec<Box<dyn Broker>> = vec![Box::new(Store::start())];
    match Redis::start() {
        Some(redis) => brokers.push(Box::new(redis)),
        None => println!("NOT RUN: Redis Streams: redis-server is not installed"),
    }
    match JetStream::start() {
        Some(nats) => brokers.push(Box::new(nats)),
        None => println!("NOT RUN: JetStream: nats-server is not installed"),
    }
    for (events, batches) in SIZES {
        let mut samples = vec![Samples::default(); brokers.len()];
        // In turns, so that a busy machine is busy for all.
        for _ in 0..ROUNDS {
            for (broker, samples) in brokers.iter_mut().zip(&mut samples) {
                let took = time(|| (0..batches).for_each(|_| broker.write(events)));
                samples.add((events * batches) as f64 / took.as_secs_f64());
            }
        }
        let ours = samples[0].median();
        for (broker, samples) in brokers.iter().zip(&samples) {
            let (name, rate) = (broker.name(), samples.median());
            println!("{events:>4} per batch: {rate:>9.0} durable events/s, ratio {:.2}: {name}", ours / rate);
        }
    }
}
