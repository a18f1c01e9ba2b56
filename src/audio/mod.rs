//! Sound: the engine on the control side, the processor in the callback, instruments, metronome and backends.
//!
//! ```text
//!  control thread                        audio callback
//!  Engine ── Command (rtrb) ───────────► Processor ─► Transport   what is due at which frame
//!    ▲                                     │         ├ Inputs      live notes, one period after they were played,
//!    │                                     │         │             by the StreamClock
//!    └────── memory to free (rtrb) ◄───────┤         ├ Stage       the instrument; Outlet, instruments outside
//!  Reports ◄─ latest lane: Playhead ◄──────┤         ├ ClickVoice  the metronome
//!          ◄─ essential lane: AudioEvent ◄─┘         └ Limiter
//! ```
//!
//! The life of a processor: `engine` makes it · a backend takes it, tells it about the stream (`begin_stream`), and calls
//! `process` from its callback · when the stream stops or is lost it comes back, and the next backend takes it: the music
//! goes on at the same place.
//!
//! Absent here: the window, the bus itself (lanes only), MIDI ports. Absent from the callback: allocation, locks,
//! system calls.

mod ahead;
pub mod backend;
pub mod capture;
mod clock;
mod command;
mod delay;
mod denormals;
mod emission;
mod engine;
mod inputs;
pub mod instrument;
mod limiter;
mod live;
mod loads;
mod metronome;
mod outlet;
pub mod piano;
mod processor;
mod prompts;
mod ramp;
pub mod render;
mod report;
mod schedule;
pub mod sound;
pub mod soundfont;
mod space;
mod stage;
mod supervisor;
mod timeline;
mod transport;
#[cfg(test)]
mod transport_tests;

pub use clock::{Spread, Timing};
pub use command::{Bus, Command, SourceRing};
pub use emission::Emission;
pub use engine::{Engine, Reports, engine};
pub use inputs::SOURCES_MAX;
pub use live::{Live, LiveEvent, Played, SourceId, TimedMidi};
pub use loads::{LOAD_BUCKETS, Loads};
pub use outlet::{OutletEnds, PortUse, Sent, SentPart, TimedWire, Wire};
pub use processor::{Block, InstrumentFactory, Outputs, Processor};
pub use report::{AudioEvent, OwnSound, Playhead, TransportEvent};
pub use schedule::{Click, Schedule, Strength};
pub use supervisor::{Notice, Supervisor};
pub use timeline::{Anchor, MusicTime};
pub use transport::{LEAD_MAX, LoopRange};
