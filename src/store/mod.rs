//! The store: LMDB behind `bus::storage`. Sees bytes, not domain types. The only place that knows LMDB.
//!
//! In reading order:
//!
//! - [`record`] (`header`): the stored form of an event, and the chain that ties the records together
//! - [`rows`]: keys and checked values of the other tables
//! - `env`: the environment, its tables, and the gate that everybody goes through
//! - `snapshots` and `erase`: the state as of earlier events; payloads that go
//! - [`LmdbStorage`] (`writer`) and [`LmdbReader`] (`reader`): the two sides that the bus sees
//! - [`verify`], [`backup`] and [`restore`]: the whole store, checked, copied and put back
//! - [`diagnose`] and [`recover`] (`recovery`, `salvage`): what can still be read of a damaged folder, and ways out
//! - [`open`]: a data folder, its lock, and what can be wrong with it (`image`, `pages`, `mounts`)
//!
//! What never happens here: a write that is not synced before `commit` returns; a second writer; a read transaction
//! that outlives its call; a panic on what a file contains.

mod backup;
mod env;
mod erase;
mod header;
mod image;
mod mounts;
mod open;
mod pages;
mod reader;
pub mod record;
mod recovery;
pub mod rows;
mod salvage;
mod snapshots;
mod verify;
mod writer;

pub use backup::{BACKUPS, Restored, back_up, backup, backups_in, restore, sync_folder};
pub use env::wait_closed;
pub use open::{InstanceLock, LOCK_FILE, OpenError, OpenOptions, Opened, STORE_FORMAT, Whole, open, open_read_only};
pub use reader::LmdbReader;
pub use recovery::{Diagnosis, LOST_TOPIC, Offer, Recovered, Way, diagnose, recover};
pub use verify::{DAMAGES_MAX, Damage, Verified, check_at_work, verify};
pub use writer::LmdbStorage;
