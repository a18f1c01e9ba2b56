//! The listener: a JACK client that records what leaves the program, frame by frame, and by whose cycles the test
//! waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use jack::{AsyncClient, AudioIn, Client, Control, NotificationHandler, Port, ProcessHandler, ProcessScope};

use crate::jack_support::client;

/// The program's output.
const SOURCE: &str = "music-trainer:out_left";
/// A server that shows no cycle for so long has died.
const CYCLE_MAX: Duration = Duration::from_secs(20);
/// Cycles that something asked for may take: about 40 seconds.
const PATIENCE: usize = 2_000;
/// Quieter than this is silence.
const SILENCE: f32 = 1e-6;

struct Block {
    first: u32,
    samples: Vec<f32>,
}

struct Listener {
    port: Port<AudioIn>,
    blocks: Sender<Block>,
}

impl ProcessHandler for Listener {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let block = Block { first: scope.last_frame_time(), samples: self.port.as_slice(scope).to_vec() };
        // The test has gone when this fails.
        let _ = self.blocks.send(block);
        Control::Continue
    }
}

struct Xruns(Arc<AtomicU32>);

impl NotificationHandler for Xruns {
    fn xrun(&mut self, _: &Client) -> Control {
        self.0.fetch_add(1, Ordering::Relaxed);
        Control::Continue
    }
}

/// See the module.
pub(crate) struct Ear {
    client: AsyncClient<Xruns, Listener>,
    blocks: Receiver<Block>,
    xruns: Arc<AtomicU32>,
    first: u32,
    recorded: Vec<f32>,
    gaps: u32,
}

impl Ear {
    pub(crate) fn open() -> Self {
        let client = client("ear");
        let port = client.register_port("in", AudioIn::default()).expect("a port");
        let (send, blocks) = unbounded();
        let xruns = Arc::new(AtomicU32::new(0));
        let listener = Listener { port, blocks: send };
        let client = client.activate_async(Xruns(xruns.clone()), listener).expect("an active client");
        Self { client, blocks, xruns, first: 0, recorded: Vec::new(), gaps: 0 }
    }

    /// Listens to the program as soon as it plays.
    pub(crate) fn connect(&mut self) {
        self.until("the program's output", |ear| {
            let client = ear.client.as_client();
            client.port_by_name(SOURCE).and_then(|_| client.connect_ports_by_name(SOURCE, "ear:in").ok())
        });
    }

    /// Waits until the server has noticed that the program is gone.
    pub(crate) fn wait_until_gone(&mut self) {
        self.until("the end of the program's ports", |ear| {
            ear.client.as_client().port_by_name(SOURCE).is_none().then_some(())
        });
    }

    /// Waits for the next cycle and takes all that has been heard.
    pub(crate) fn hear(&mut self) {
        let block = self.blocks.recv_timeout(CYCLE_MAX).expect("the JACK server runs");
        self.keep(block);
        while let Ok(block) = self.blocks.try_recv() {
            self.keep(block);
        }
    }

    /// After an interruption the server's frames jump forward, or back.
    fn keep(&mut self, block: Block) {
        let begins = self.recorded.is_empty();
        self.gaps += u32::from(!begins && block.first != self.now());
        if begins || block.first < self.first {
            self.recorded.clear();
            self.first = block.first;
        }
        self.recorded.resize((block.first - self.first) as usize, 0.0);
        self.recorded.extend_from_slice(&block.samples);
    }

    /// The frame after the last one heard.
    pub(crate) fn now(&self) -> u32 {
        self.first + self.recorded.len() as u32
    }

    /// Interruptions of the sound so far.
    pub(crate) fn interruptions(&self) -> u32 {
        self.gaps + self.xruns.load(Ordering::Relaxed)
    }

    /// Tries once a cycle until it works.
    pub(crate) fn until<T>(&mut self, what: &str, mut attempt: impl FnMut(&mut Self) -> Option<T>) -> T {
        for _ in 0..PATIENCE {
            if let Some(done) = attempt(self) {
                return done;
            }
            self.hear();
        }
        panic!("{what}: not within {PATIENCE} cycles");
    }

    pub(crate) fn hear_until(&mut self, frame: u32) {
        while self.now() < frame {
            self.hear();
        }
    }

    /// What was heard in `frames` frames from `first` on; less where an interruption took it away.
    pub(crate) fn heard(&self, first: u32, frames: u32) -> &[f32] {
        let heard = &self.recorded[self.place(first)..];
        &heard[..heard.len().min(frames as usize)]
    }

    /// Where a frame is in the recording, or its beginning when the frames have jumped over it.
    fn place(&self, frame: u32) -> usize {
        if frame > self.now() { 0 } else { frame.saturating_sub(self.first) as usize }
    }

    /// Waits until there has been silence for `frames` frames.
    pub(crate) fn hear_silence(&mut self, frames: u32) {
        let from = self.now();
        self.until("silence", |ear| {
            let heard = &ear.recorded[ear.place(from)..];
            let tail = heard.len().checked_sub(frames as usize).map(|start| &heard[start..]);
            tail.is_some_and(|tail| tail.iter().all(|s| s.abs() <= SILENCE)).then_some(())
        });
    }

    /// The first frame from `first` on that is louder than `level`, if it has been heard.
    pub(crate) fn onset(&self, first: u32, level: f32) -> Option<u32> {
        let from = self.place(first);
        let onset = self.recorded[from..].iter().position(|s| s.abs() > level)?;
        Some(self.first + (from + onset) as u32)
    }
}
