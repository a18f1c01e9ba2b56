//! Music Trainer: a desktop program to practise music on MIDI keyboards and audio interfaces, on top of a
//! state-synchronisation bus that never disturbs the sound and never loses what was played.
//!
//! # A bird's-eye view
//!
//! Every part of the program publishes what happened to it as events; every other part keeps its own picture up to date
//! from those events. A key-down is heard at once through a ring into the audio callback, and travels a second ring,
//! the essential lane, to the bus thread. There it becomes a versioned event of the take that is being recorded, is
//! applied to the state, shown through a snapshot, judged by the practice session, and written to disk by the persister.
//!
//! ```text
//!  MIDI callbacks ──┬─ engine ring ──────────────► audio callback (Processor) ──► sound
//!  window's keys ───┤                                   ├──► MIDI OUT THREAD ──► instruments outside
//!                   │                                   │        ▲ commands
//!                   └─ essential lane ─┐  transport ────┤        │
//!                                      ▼  (essential)   │ playhead (latest)
//!                                 ┌──────────┐◄─────────┘        │
//!  window, importers ─ commands ─►│BUS THREAD│─ live events ─► CONTROL THREAD (engine, devices, practice session)
//!        ▲                        └──────────┘                   │
//!        └──── snapshot (ArcSwap) ─────┤ batches                 └─ desk (ArcSwap) ─► window
//!                                      ▼
//!                                 PERSISTER (the only LMDB writer) ─ durable events ─► components (results)
//! ```
//!
//! # The modules, in reading order
//!
//! | module | what lives there | what must not |
//! | --- | --- | --- |
//! | [`time`] | frames, microseconds, ticks, and their only conversions | reading a clock |
//! | [`bus`] | order, versions, conflicts, lanes, subscriptions, health; a core without I/O | music, sound, windows, LMDB |
//! | [`store`] | records, the chain, LMDB, snapshots, verify, backup, recovery | domain types |
//! | [`music`] | pitch, tempo map, bars, score, the written page and its repeats | files, devices |
//! | [`formats`] | Standard MIDI Files, MusicXML, and the notation of the built-in pieces | opening files |
//! | [`engraving`] | the written page as a picture: glyphs, lines and curves in staff spaces | drawing, fonts' files |
//! | [`practice`] | the matchers, the tempo judge, results | clocks, threads |
//! | [`listen`] | what a microphone hears: pitch, onsets, expected notes, delays | devices, threads, clocks |
//! | [`model`] | the domain events, how they are stored, the state they fold into | I/O |
//! | [`audio`] | engine, processor, piano, SoundFonts, metronome, backends | the bus thread, MIDI ports |
//! | [`midi`] | messages, ports, hot-plug, the computer keyboard as an input, outputs and their thread | sound |
//! | [`components`] | recorder, session, results, keeper, time travel, library, devices, drivers that are left out, eraser | drawing |
//! | [`ui`] | screens drawn from one borrowed view, answering with commands | clocks, channels, devices |
//! | [`cli`] | `devices`, `grade`, `render`, `inspect`, `log`, `verify`, `backup`, `restore`, `recover`, `scan`, `export`, `import` | |
//! | [`app`] | start and stop order, the control thread, the caretaker of the data folder, the eframe window | being used by the others |
//!
//! `tests/layers.rs` reads the imports and fails on any arrow that points the wrong way.
//!
//! # Invariants, as absences
//!
//! - The audio callback does not allocate, free, lock, enter the kernel, or wake anybody. It pushes into rings.
//! - No thread but the persister opens a write transaction; only `store` knows LMDB.
//! - Nothing but the bus thread changes the state; everybody else reads snapshots.
//! - The fold reads no clock: state is a function of the log, and `verify` compares the two.
//! - Nothing is acknowledged as durable before the sync has returned.
//! - The judge looks at stamps only, never at the window's clock or at frames per second; judging a take again from the
//!   log gives the same verdicts ([`components::judging`] is the one place for both).
//! - Nothing in `ui` sends anything but [`ui::Command`]; one `match` in [`app::window`] applies them.
//!
//! # Where do I change …?
//!
//! | what | where |
//! | --- | --- |
//! | a new kind of event | `model/event.rs`, then follow the compiler: topic and strategy, stored form, fold; tests ask for its golden line, and try every order |
//! | a new setting | the list in `model/settings.rs`, and its row in `ui/settings.rs` |
//! | how the page is engraved | [`engraving`]: a file a rule |
//! | a rule of judging | [`practice`], with a line in its test language |
//! | when a note that was left out is a mistake | `components/judging/silence.rs` |
//! | what one listens to of a take | [`practice::recital`], played by [`components::player`] |
//! | how one looks back through a take | [`components::travel`] |
//! | when the tempo ladder climbs | [`practice::ladder`]; the passes are [`components::judging`]'s and the session's |
//! | whose hand plays what | [`formats::hands`] finds it, [`music::HandEdits`] is what a person says instead |
//! | what a microphone hears | [`listen`]; its thread is [`components::microphone`] |
//! | what the engine does on Play | [`components::session`] |
//! | what the library can be asked for | `ui/query.rs`; what it shows of a piece is made in `app/catalogue/` |
//! | how a second start gives its file to the window that is open | [`app::door`] |
//! | which connections on a sound server are a person's | `audio/backend/jack/connections.rs` |
//! | which ports of it are the system's keyboards again | [`midi::bridge`] |
//! | which files a folder's pieces are read from | [`components::library::walk`], [`components::library::shelf`] |
//! | a shortcut or a menu entry | `ui/shortcuts.rs` |
//! | a word on the screen | `ui/text/` |
//! | a colour | `ui/theme.rs` |
//! | a built-in piece | `assets/pieces/`, [`formats::notation`] says how it is written |

#[cfg(test)]
extern crate self as music_trainer;

pub mod app;
pub mod audio;
pub mod bus;
pub mod cli;
pub mod components;
pub mod engraving;
pub mod formats;
pub mod listen;
pub mod midi;
pub mod model;
pub mod music;
pub mod practice;
pub mod store;
pub mod time;
#[cfg(feature = "window")]
pub mod ui;
