//! The player: a JACK client that sends each key-down and key-up on the frame it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jack::{AsyncClient, Client, Control, MidiOut, Port, ProcessHandler, ProcessScope, RawMidi};
use music_trainer::music::Pitch;

use crate::ear::Ear;
use crate::jack_support::client;

/// The program's input.
const TARGET: &str = "music-trainer:midi_in";

#[derive(Clone, Copy)]
struct Due {
    frame: u32,
    bytes: [u8; 3],
}

struct Player {
    port: Port<MidiOut>,
    due: rtrb::Consumer<Due>,
    late: Arc<AtomicU32>,
}

impl ProcessHandler for Player {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let first = scope.last_frame_time();
        let mut writer = self.port.writer(scope);
        while let Some(due) = self.due.peek().ok().copied().filter(|d| d.frame < first + scope.n_frames()) {
            let time = due.frame.saturating_sub(first);
            let written = writer.write(&RawMidi { time, bytes: &due.bytes });
            if due.frame < first || written.is_err() {
                self.late.fetch_add(1, Ordering::Relaxed);
            }
            let _ = self.due.pop();
        }
        Control::Continue
    }
}

/// A key, from when to when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) pitch: Pitch,
    pub(crate) down: u32,
    pub(crate) up: u32,
}

/// See the module.
pub(crate) struct Hand {
    client: AsyncClient<(), Player>,
    due: rtrb::Producer<Due>,
    late: Arc<AtomicU32>,
}

impl Hand {
    pub(crate) fn open() -> Self {
        let client = client("hand");
        let port = client.register_port("out", MidiOut::default()).expect("a port");
        let (due, consumer) = rtrb::RingBuffer::new(1_024);
        let late = Arc::new(AtomicU32::new(0));
        let player = Player { port, due: consumer, late: late.clone() };
        let client = client.activate_async((), player).expect("an active client");
        Self { client, due, late }
    }

    /// Lays the hand on the program's keys as soon as there are some.
    pub(crate) fn connect(&mut self, ear: &mut Ear) {
        ear.until("the program's MIDI input", |_| {
            let client = self.client.as_client();
            client.port_by_name(TARGET).and_then(|_| client.connect_ports_by_name("hand:out", TARGET).ok())
        });
    }

    /// Plays keys on frames that are still to come.
    pub(crate) fn play(&mut self, keys: &[Key]) {
        let on = keys.iter().map(|k| Due { frame: k.down, bytes: [0x90, k.pitch.key(), 90] });
        let off = keys.iter().map(|k| Due { frame: k.up, bytes: [0x80, k.pitch.key(), 64] });
        let mut all: Vec<Due> = on.chain(off).collect();
        all.sort_by_key(|due| due.frame);
        for due in all {
            self.due.push(due).expect("room for more notes");
        }
    }

    /// Messages that could not be sent on their frame so far.
    pub(crate) fn late(&self) -> u32 {
        self.late.load(Ordering::Relaxed)
    }
}
