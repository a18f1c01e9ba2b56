//! The bus: lanes and commands in, one ordered log out. Knows nothing of music, sound or windows.
//!
//! Reading order: [`model`] (what a program says of its domain) → [`merge`] (values on which machines agree) → [`core`]
//! (the state machine: orders, checks, applies) → [`queue`] (what is not durable yet, and when a commit starts) →
//! [`subscription`] (deliveries and retries) → [`lane`] (real-time threads) → [`thread`] (the shell around it) →
//! [`handle`] (what users hold). Aside: [`load`] and [`rebuild`] (the state of a store), [`compaction`], [`lease`],
//! [`supervision`], [`mod@lines`] (all of it as text), [`lab`] (what goes wrong on purpose).
//!
//! | thread | runs | may wait for |
//! | --- | --- | --- |
//! | bus | [`core`], translators of [`lanes`], snapshots, answers | nothing: it parks for 1 ms, 10 ms after 5 s of silence |
//! | persister | encoding, [`storage`] commits, erasure | the disk |
//! | bus-reader | the log, for subscriptions that are behind | the disk |
//! | one per component | [`component`] handlers | whatever they like |
//!
//! What holds: `seq` and `device_seq` are gapless; an entity's version is the number of its events; the state is the
//! [`fold`] of the log and of nothing else; a commit is a prefix of `seq`; no reader sees half a transaction; what a
//! durable subscriber sees is durable; nothing here is called by a real-time thread but the producers of [`lane`].
//!
//! What is absent: no file, no clock and no domain type in this module; no channel, thread or lock in [`core`].

pub mod answer;
pub mod compaction;
pub mod component;
pub mod core;
pub mod delivery;
pub mod envelope;
pub mod filter;
pub mod fold;
pub mod gap;
pub mod handle;
pub mod health;
pub mod hlc;
pub mod inspect;
pub mod json;
pub mod lab;
pub mod lane;
pub mod lanes;
pub mod lease;
pub mod lines;
pub mod live;
pub mod load;
#[cfg(loom)]
mod loom_ring;
pub mod memory;
pub mod merge;
pub mod model;
mod persister;
pub mod queue;
mod rates;
mod reader;
pub mod rebuild;
pub mod rows;
pub mod search;
pub mod snapshot;
pub mod start;
pub mod step;
pub mod storage;
pub mod subscribers;
pub mod subscription;
pub mod supervision;
#[doc(hidden)]
pub mod testing;
pub mod thread;
pub mod trail;

pub use answer::{Applied, PublishError, Ticket};
pub use component::{Component, Context};
pub use delivery::{Delivery, DurableSubscription, Outcome, PrivateRows, Put, Start};
pub use envelope::{Body, Envelope, Publish};
pub use filter::Filter;
pub use fold::{Versioned, replay};
pub use gap::Lost;
pub use handle::BusHandle;
pub use health::Health;
pub use lanes::{Look, Translate};
pub use lease::{Lease, Leasing};
pub use live::{LiveItem, LiveSubscription};
pub use memory::MemoryStorage;
pub use merge::{Observed, Rank, Register, Totals};
pub use model::{Conflict, Decoded, Durability, EntityKey, Expect, Model, Origin, Refusal, Retention, Strategy, Topic};
pub use snapshot::{Snapshot, State};
pub use start::{StartError, start};
pub use storage::{DeviceId, EventId};
pub use subscribers::LetterDecision;
pub use thread::Config;
