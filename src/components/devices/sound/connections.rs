//! Connections on the sound server that a person made or undid: from the driver to the log, and back to the next stream.

use super::SoundDesk;
use crate::audio::Supervisor;
use crate::audio::backend::{CONNECTIONS_MAX, Connection, MIDI_IN};
use crate::bus::{Publish, State};
use crate::model::{ConnectionChoice, Event, Trainer};

impl SoundDesk {
    /// What a person chose holds for the streams to come; of more than are kept in mind the latest.
    pub fn keep_connections(&mut self, state: &State<Trainer>) {
        let of = |ConnectionChoice { own, other, joined }| Connection { own, other, joined };
        self.connections = ConnectionChoice::latest(state, CONNECTIONS_MAX).into_iter().map(of).collect();
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.keep_connections(self.connections.clone());
        }
    }

    /// What a person joined and parted since last asked, to be remembered.
    pub fn take_connections(&mut self) -> Vec<Publish<Trainer>> {
        let news = self.supervisor.as_mut().map(Supervisor::take_connections).unwrap_or_default();
        let chosen = |Connection { own, other, joined }| {
            let choice = ConnectionChoice { own, other, joined };
            Publish::new(choice.entity(), Event::ConnectionChosen(choice))
        };
        news.into_iter().map(chosen).collect()
    }

    /// Ports that are joined to the MIDI input of the driver's own as soon as they are back, because a person had joined
    /// them.
    pub fn midi_awaited(&self) -> Vec<String> {
        let joined = self.midi_joined().unwrap_or_default();
        let chosen = self.connections.iter().filter(|connection| connection.joined && connection.own == MIDI_IN);
        chosen.map(|connection| &connection.other).filter(|other| !joined.contains(other)).cloned().collect()
    }
}
