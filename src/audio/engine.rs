//! The control side: sends commands down, frees what comes home. It may allocate; it never waits for the callback.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rtrb::{Consumer, Producer, PushError, RingBuffer};

use super::command::{Command, Return, SourceRing};
use super::emission::Emission;
use super::instrument::Instrument;
use super::live::{Live, Ring, SourceId};
use super::outlet::{Outlet, OutletEnds};
use super::processor::{Links, Processor};
use super::report::{AudioEvent, OwnSound, Playhead};
use crate::bus::lane::{ESSENTIAL_SLOTS, EssentialConsumer, LatestReader, essential, latest};
use crate::time::{Rate, Stamp};

/// Commands under way; the control side keeps what does not fit.
const COMMANDS: usize = 256;
/// Boxes that may be below at once, those in use included. The returning ring holds them all, so it is never full.
const BOXES: usize = 128;
/// Commands kept for a callback that does not run; beyond that new ones are refused, and counted.
const KEPT_MAX: usize = 4096;
/// Slots of the essential lane.
const EVENTS: usize = ESSENTIAL_SLOTS;
/// The program's own sounds on their way to the control thread: ten seconds of a dense score.
const OWN_SOUNDS: usize = 1_024;

/// The control half of the engine. Lives on one control thread, which calls [`Engine::poll`] every few milliseconds.
pub struct Engine {
    commands: Producer<Command>,
    kept: VecDeque<Command>,
    home: Consumer<Return>,
    below: Arc<AtomicUsize>,
    refused: u64,
    /// What was played and came home last.
    emission: Option<Emission>,
    /// An instrument panicked and none is there.
    broken: bool,
}

/// What the callback reports: the ends to read from.
pub struct Reports {
    /// The newest place and state.
    pub playhead: LatestReader<Playhead>,
    /// What happened, in order.
    pub events: EssentialConsumer<AudioEvent>,
    /// What the program plays by itself, for instruments outside.
    pub outlet: OutletEnds,
    /// What the program sounds by itself, with the frame and the time at which it is computed; the output latency comes
    /// on top. Nobody has to read it: what finds it full is dropped.
    pub own_sounds: Consumer<(Stamp, OwnSound)>,
}

/// Makes both halves and the reports. Until a stream begins, frames are counted at `rate`.
pub fn engine(instrument: Box<dyn Instrument>, rate: Rate) -> (Engine, Processor, Reports) {
    let (commands, commands_below) = RingBuffer::new(COMMANDS);
    let (home_below, home) = RingBuffer::new(BOXES);
    let (playhead_writer, playhead) = latest(Playhead::default());
    let (events_producer, events) = essential(EVENTS);
    let (own_below, own_sounds) = RingBuffer::new(OWN_SOUNDS);
    // The instrument and the first schedule are below already.
    let below = Arc::new(AtomicUsize::new(2));
    let links = Links {
        commands: commands_below,
        home: home_below,
        below: below.clone(),
        playhead: playhead_writer,
        events: events_producer,
        own_sounds: own_below,
    };
    let (outlet, ends) = Outlet::new();
    let engine = Engine { commands, kept: VecDeque::new(), home, below, refused: 0, emission: None, broken: false };
    (engine, Processor::new(links, outlet, instrument, rate), Reports { playhead, events, outlet: ends, own_sounds })
}

impl Engine {
    /// Sends a command, or keeps it until there is room. Order is kept.
    pub fn send(&mut self, command: Command) {
        if self.kept.len() >= KEPT_MAX {
            self.refused += 1;
            return;
        }
        self.kept.push_back(command);
        self.poll();
    }

    /// Adds a live source that pushes into the other end of `ring`; its events sound one period after their monotonic
    /// stamp. The same id replaces the ring.
    pub fn add_source<T: Live>(&mut self, id: SourceId, ring: Consumer<T>) {
        self.send(Command::AddSource(id, SourceRing(Box::new(Ring(ring)))));
    }

    /// Frees what came home and sends what was kept. Returns how many things it did.
    pub fn poll(&mut self) -> usize {
        let mut work = 0;
        while let Ok(returned) = self.home.pop() {
            match returned {
                Return::Emission(emission) => self.emission = Some(*emission),
                Return::Broken(_) => self.broken = true,
                _ => {}
            }
            self.below.fetch_sub(1, Ordering::Relaxed);
            work += 1;
        }
        while let Some(command) = self.kept.pop_front() {
            let carries = command.carries_memory();
            if carries && self.below() >= BOXES {
                self.kept.push_front(command);
                break;
            }
            if let Err(PushError::Full(command)) = self.commands.push(command) {
                self.kept.push_front(command);
                break;
            }
            self.below.fetch_add(usize::from(carries), Ordering::Relaxed);
            work += 1;
        }
        work
    }

    /// The emission that came home last, whole or broken off; once.
    pub fn take_emission(&mut self) -> Option<Emission> {
        self.emission.take()
    }

    /// Whether an instrument has panicked since last asked, and nothing sounds any more until another one is sent.
    pub fn take_broken(&mut self) -> bool {
        std::mem::take(&mut self.broken)
    }

    /// Commands not sent yet.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Commands refused because nobody took any for too long.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Pieces of memory below or on their way, those in use included.
    pub fn below(&self) -> usize {
        self.below.load(Ordering::Relaxed)
    }
}
