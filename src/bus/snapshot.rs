//! What everybody may read without waiting: the state between two transactions, with its watermarks.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::fold::{Entities, Versioned};
use super::health::Health;
use super::model::{EntityKey, Model};

/// The state at one moment. Cut only between transactions; entities are shared with earlier snapshots one by one.
#[derive(Clone, Debug)]
pub struct Snapshot<M: Model> {
    /// All entities.
    pub state: State<M>,
    /// The last event in it.
    pub applied: u64,
    /// The last event that is on disk.
    pub durable: u64,
    /// How the store is.
    pub health: Health,
}

impl<M: Model> Default for Snapshot<M> {
    fn default() -> Self {
        Self { state: State::default(), applied: 0, durable: 0, health: Health::Ok }
    }
}

/// Entities in key order. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct State<M: Model>(RedBlackTreeMapSync<EntityKey, Arc<Versioned<M>>>);

impl<M: Model> Default for State<M> {
    fn default() -> Self {
        Self(RedBlackTreeMapSync::new_sync())
    }
}

impl<M: Model> PartialEq for State<M> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<M: Model> State<M> {
    /// The entity with its version, also when it was removed; `None` if it never was.
    pub fn get(&self, key: &str) -> Option<&Versioned<M>> {
        self.0.get(key).map(|versioned| &**versioned)
    }

    /// The same, shared.
    pub fn get_shared(&self, key: &str) -> Option<&Arc<Versioned<M>>> {
        self.0.get(key)
    }

    /// The entity's value.
    pub fn value(&self, key: &str) -> Option<&M::Entity> {
        self.get(key).and_then(|versioned| versioned.value.as_ref())
    }

    /// All entities in key order, removed ones among them.
    pub fn iter(&self) -> impl Iterator<Item = (&EntityKey, &Versioned<M>)> {
        self.0.iter().map(|(key, versioned)| (key, &**versioned))
    }

    /// The entities whose key begins with `prefix`, in key order; costs by what it yields.
    pub fn iter_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a EntityKey, &'a Versioned<M>)> {
        self.0
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(key, _)| key.as_str().starts_with(prefix))
            .map(|(key, versioned)| (key, &**versioned))
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.0.size()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets one entity; other copies of the state do not change.
    pub fn insert(&mut self, key: EntityKey, versioned: Arc<Versioned<M>>) {
        self.0.insert_mut(key, versioned);
    }

    /// From the fold of a log.
    pub fn from_entities(entities: &Entities<M>) -> Self {
        let mut state = Self::default();
        for (key, versioned) in entities.iter().collect::<BTreeMap<_, _>>() {
            state.insert(key.clone(), Arc::clone(versioned));
        }
        state
    }
}
