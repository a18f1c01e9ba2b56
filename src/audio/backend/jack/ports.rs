//! The ports that the program has of itself on a JACK server, what is joined to them, and what joins them.

use std::collections::BTreeSet;

use jack::{AudioIn, AudioOut, Client, LatencyType, MidiIn, MidiOut, Port, PortFlags};

use super::connections::{Connections, Pair};
use super::{AUDIO, failed};
use crate::audio::backend::{BackendError, MIDI_IN};

const LEFT: &str = "out_left";
const RIGHT: &str = "out_right";
const CLICK: &str = "out_click";
const MIDI_OUT: &str = "midi_out";
pub(super) const INPUT: &str = "in";

/// The ports, for the callback.
pub(super) struct Ports {
    pub(super) left: Port<AudioOut>,
    pub(super) right: Port<AudioOut>,
    /// The metronome alone, when it is sent there.
    pub(super) click: Port<AudioOut>,
    pub(super) midi: Port<MidiIn>,
    pub(super) midi_out: Port<MidiOut>,
    /// For the microphone.
    pub(super) input: Port<AudioIn>,
}

impl Ports {
    pub(super) fn register(client: &Client) -> Result<Self, BackendError> {
        Ok(Self {
            left: client.register_port(LEFT, AudioOut::default()).map_err(failed)?,
            right: client.register_port(RIGHT, AudioOut::default()).map_err(failed)?,
            click: client.register_port(CLICK, AudioOut::default()).map_err(failed)?,
            midi: client.register_port(MIDI_IN, MidiIn::default()).map_err(failed)?,
            midi_out: client.register_port(MIDI_OUT, MidiOut::default()).map_err(failed)?,
            input: client.register_port(INPUT, AudioIn::default()).map_err(failed)?,
        })
    }
}

/// The ports by their names, for the control thread.
pub(super) struct Names {
    /// The client as the server calls it, with a colon.
    client: String,
}

impl Names {
    pub(super) fn of(client: &Client) -> Self {
        Self { client: format!("{}:", client.name()) }
    }

    fn full(&self, own: &str) -> String {
        format!("{}{own}", self.client)
    }

    /// The microphone's port.
    pub(super) fn input(&self) -> String {
        self.full(INPUT)
    }

    /// From the left output to the socket, as the server says.
    pub(super) fn output_latency(&self, client: &Client) -> u32 {
        client.port_by_name(&self.full(LEFT)).map_or(0, |port| port.get_latency_range(LatencyType::Playback).1)
    }

    /// From the socket to the microphone's port.
    pub(super) fn input_latency(&self, client: &Client) -> u32 {
        client.port_by_name(&self.input()).map_or(0, |port| port.get_latency_range(LatencyType::Capture).1)
    }

    fn joined_to(&self, client: &Client, own: &str) -> Vec<String> {
        client.port_by_name(&self.full(own)).map(|port| port.get_connections()).unwrap_or_default()
    }

    /// Whether anybody hears the metronome's own port.
    pub(super) fn click_heard(&self, client: &Client) -> bool {
        !self.joined_to(client, CLICK).is_empty()
    }

    /// Who is joined to the general MIDI input.
    pub(super) fn midi_joined(&self, client: &Client) -> Vec<String> {
        self.joined_to(client, MIDI_IN)
    }

    /// Everything that is joined to these ports but what leads back to the program: such a cable is put in to measure
    /// with, and taken out again.
    pub(super) fn graph(&self, client: &Client) -> BTreeSet<Pair> {
        let all = [LEFT, RIGHT, CLICK, MIDI_IN, MIDI_OUT, INPUT].into_iter();
        let pairs =
            all.flat_map(|own| self.joined_to(client, own).into_iter().map(move |other| (own.to_owned(), other)));
        pairs.filter(|(_, other)| !other.starts_with(&self.client)).collect()
    }

    /// Joins a port to another one, whichever way it leads; whether they are joined.
    pub(super) fn join(&self, client: &Client, (own, other): &Pair) -> bool {
        let full = self.full(own);
        let is_input = matches!(&**own, MIDI_IN | INPUT);
        let (from, to) = if is_input { (other, &full) } else { (&full, other) };
        matches!(client.connect_ports_by_name(from, to), Ok(()) | Err(jack::Error::PortAlreadyConnected(..)))
    }

    /// Joins the outputs to the first two physical playback ports, but for what a person undid. What cannot be joined
    /// stays for a patch bay.
    pub(super) fn join_outputs(&self, client: &Client, connections: &mut Connections) {
        let playback = client.ports(None, Some(AUDIO), PortFlags::IS_PHYSICAL | PortFlags::IS_INPUT);
        for (index, own) in [LEFT, RIGHT].into_iter().enumerate() {
            let Some(target) = playback.get(index).or(playback.first()) else { return };
            let pair = (own.to_owned(), target.clone());
            if connections.may_join(own, target) && self.join(client, &pair) {
                connections.made_by_default(pair);
            }
        }
    }

    /// Joins what a person had joined, as far as the ports are there.
    pub(super) fn join_due(&self, client: &Client, connections: &mut Connections) {
        for pair in connections.due() {
            if client.port_by_name(&pair.1).is_some() && self.join(client, &pair) {
                connections.made(pair);
            }
        }
    }
}
