//! Leases: for a while only one author edits something, as when a person types. Who, and until when, are events of an
//! entity of its own, `lease/` and the name of what is leased; so is the end, which the bus records when the time is
//! over: the fold reads no clock.
//!
//! A lease is between the components of one machine: it holds back edits, never what is played, and nothing that another
//! machine has done. Whoever dies with one holds nothing back for longer than [`LEASE_MAX`].

use serde::{Deserialize, Serialize};

use super::model::EntityKey;
use crate::time::WallMillis;

/// The longest time that is granted at once: 10 minutes. Whoever needs longer takes it again before it is over.
pub const LEASE_MAX: WallMillis = WallMillis(10 * 60 * 1_000);
/// What the keys of leases begin with.
const KIND: &str = "lease";

/// Who edits, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The author: what its edits name as their actor.
    pub holder: String,
    /// The first moment at which others may edit again.
    pub until: WallMillis,
}

/// What happens to a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leasing {
    /// Somebody takes it, or takes it again.
    Taken(Lease),
    /// It was given back, or its time is over.
    Ended,
}

/// The entity that keeps the lease of another.
pub fn key(leased: &EntityKey) -> EntityKey {
    EntityKey::from(format!("{KIND}/{leased}"))
}

/// Whose lease an entity keeps, if it keeps one.
pub fn leased(key: &EntityKey) -> Option<EntityKey> {
    key.as_str().strip_prefix(KIND)?.strip_prefix('/').map(EntityKey::new)
}

impl Lease {
    /// Whether it holds back an edit.
    pub fn holds_back(&self, actor: &str, now: WallMillis) -> bool {
        // A clock that was set back makes no lease longer.
        self.holder != actor && now < self.until && self.until - now <= LEASE_MAX
    }
}
