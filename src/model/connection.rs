//! Connections of the program's ports on a sound server, as a person made or undid them in a patch bay.

use serde::{Deserialize, Serialize};

use super::Trainer;
use super::entity::Entity;
use super::found::hashed;
use crate::bus::{EntityKey, State};

/// Bytes of a port's name at most: JACK takes 64 for the client's and 256 for the port's own.
const PORT_BYTES_MAX: usize = 320;

/// Whether a port of the program is joined to a port of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionChoice {
    /// The program's port without the name of its client, which the server may number: `midi_in`.
    pub own: String,
    /// The other port by its full name: `Piano:out`.
    pub other: String,
    /// Whether they are to be joined whenever both are there; if not, the program does not join them either.
    pub joined: bool,
}

impl ConnectionChoice {
    /// The entity of a connection: two names may be longer than a key, and no name of a port has a line break.
    pub fn entity(&self) -> EntityKey {
        hashed("connection", &format!("{}\n{}", self.own, self.other))
    }

    /// Why a choice makes no sense.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match [self.own.len(), self.other.len()] {
            [0, _] | [_, 0] => Err("a connection has a port at each end"),
            [1..=PORT_BYTES_MAX, 1..=PORT_BYTES_MAX] => Ok(()),
            _ => Err("the name of a port has 320 bytes at most"),
        }
    }

    /// What was chosen, the latest last; of more than `max` choices the latest.
    pub fn latest(state: &State<Trainer>, max: usize) -> Vec<Self> {
        let chosen = state.iter_prefix("connection/").filter_map(|(_, versioned)| match &versioned.value {
            Some(Entity::Connection(choice)) => Some(choice),
            _ => None,
        });
        let mut chosen: Vec<_> = chosen.collect();
        chosen.sort_by_key(|choice| choice.rank());
        let forgotten = chosen.len().saturating_sub(max);
        chosen.drain(..forgotten);
        chosen.into_iter().map(|choice| (**choice).clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bus::fold::Entities;
    use crate::bus::{DeviceId, EventId, Rank, Register, Versioned};

    fn choice(own: &str, other: &str) -> ConnectionChoice {
        ConnectionChoice { own: own.to_owned(), other: other.to_owned(), joined: true }
    }

    #[test]
    fn each_pair_of_ports_is_an_entity_of_its_own_joined_or_not() {
        let (one, other, third) = (choice("in", "a:b"), choice("in", "a:c"), choice("out", "a:b"));
        assert!(one.entity() != other.entity() && one.entity() != third.entity());
        assert_eq!(one.entity(), ConnectionChoice { joined: false, ..one }.entity());
    }

    #[test]
    fn the_latest_choices_are_told_and_no_more_than_so_many() {
        let mut entities = Entities::<Trainer>::new();
        let count = 7;
        for n in 0..count {
            let choice = choice("midi_in", &format!("keyboard {n}:out"));
            // The first by name was chosen last.
            let id = EventId { device: DeviceId(1), device_seq: count - n };
            let value = Register::new(choice.clone(), Rank { hlc: count - n, id });
            let versioned = Versioned { version: 1, last: id, value: Some(Entity::Connection(value)) };
            entities.insert(choice.entity(), Arc::new(versioned));
        }
        let told = ConnectionChoice::latest(&State::from_entities(&entities), 3);
        let names: Vec<&str> = told.iter().map(|choice| &*choice.other).collect();
        assert_eq!(names, ["keyboard 2:out", "keyboard 1:out", "keyboard 0:out"]);
    }
}
