//! The bus: lanes and commands in, one ordered log out. Knows nothing of music, sound or windows.

pub mod answer;
pub mod core;
pub mod envelope;
pub mod filter;
pub mod fold;
pub mod gap;
pub mod handle;
pub mod health;
pub mod hlc;
pub mod inspect;
pub mod json;
pub mod lane;
pub mod lanes;
pub mod live;
pub mod model;
mod persister;
pub mod queue;
pub mod snapshot;
pub mod start;
pub mod storage;
pub mod thread;

pub use answer::{Applied, PublishError, Ticket};
pub use envelope::{Body, Envelope, Publish};
pub use filter::Filter;
pub use fold::{Versioned, replay};
pub use gap::Lost;
pub use handle::BusHandle;
pub use health::Health;
pub use lanes::{Look, Translate};
pub use live::{LiveItem, LiveSubscription};
pub use model::{Decoded, Durability, EntityKey, Expect, Model, Refusal, Strategy, Topic};
pub use snapshot::{Snapshot, State};
pub use start::{StartError, start};
pub use storage::{DeviceId, EventId};
pub use thread::Config;
