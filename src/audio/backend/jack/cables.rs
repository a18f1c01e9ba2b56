//! The MIDI sources that are heard, each by an input port of its own. Ports are made and unmade on the control thread; the
//! callback gets them, and sends them home, through rings.

use jack::{Client, MidiIn, Port, ProcessScope, RawMidi};
use rtrb::{Consumer, Producer, RingBuffer};

use super::EVENTS_MAX;
use crate::audio::backend::{MidiSink, Patch, SOURCES_HEARD_MAX};

/// A port with the one who takes what comes in there.
struct Cable {
    port: Port<MidiIn>,
    sink: Box<dyn MidiSink>,
}

/// A place, and what is there from now on.
type Exchange = (usize, Option<Cable>);

/// In the callback.
pub(super) struct Cables {
    places: [Option<Cable>; SOURCES_HEARD_MAX],
    coming: Consumer<Exchange>,
    home: Producer<(usize, Cable)>,
}

/// On the control thread.
pub(super) struct Patchbay {
    places: [Place; SOURCES_HEARD_MAX],
    to: Producer<Exchange>,
    from: Consumer<(usize, Cable)>,
}

enum Place {
    Free,
    /// Its port, by its full name, hears a source.
    Used {
        source: String,
        port: String,
        connected: bool,
    },
    /// The callback may still have it.
    Leaving,
}

/// Both ends. A place is under way at most once in each direction, so the rings are never full.
pub(super) fn patchbay() -> (Patchbay, Cables) {
    let (to, coming) = RingBuffer::new(2 * SOURCES_HEARD_MAX);
    let (home, from) = RingBuffer::new(SOURCES_HEARD_MAX);
    let patchbay = Patchbay { places: [const { Place::Free }; SOURCES_HEARD_MAX], to, from };
    (patchbay, Cables { places: [const { None }; SOURCES_HEARD_MAX], coming, home })
}

impl Cables {
    /// Takes what came and sends home what it replaces.
    pub(super) fn exchange(&mut self) {
        for _ in 0..SOURCES_HEARD_MAX {
            if self.home.slots() == 0 {
                return;
            }
            let Ok((place, cable)) = self.coming.pop() else { return };
            if let Some(old) = std::mem::replace(&mut self.places[place], cable) {
                let _sent = self.home.push((place, old));
            }
        }
    }

    /// Hands over what came in with this block; each message to `take` with the one who is to have it. Returns how many
    /// were too many for one block.
    pub(super) fn read(&mut self, scope: &ProcessScope, mut take: impl FnMut(&mut dyn MidiSink, RawMidi<'_>)) -> u32 {
        let mut lost = 0;
        for Cable { port, sink } in self.places.iter_mut().flatten() {
            let events = port.iter(scope);
            lost += too_many(events.size_hint().0);
            for raw in events.take(EVENTS_MAX) {
                take(sink.as_mut(), raw);
            }
        }
        lost
    }
}

/// How many of a block's events are more than are taken.
pub(super) fn too_many(events: usize) -> u32 {
    events.saturating_sub(EVENTS_MAX).min(u32::MAX as usize) as u32
}

impl Patchbay {
    /// Hears a source from now on, or no more. Without a place or a port left the sink is dropped.
    pub(super) fn patch(&mut self, client: &Client, patch: Patch) {
        let Patch { source, sink } = patch;
        let is_it = |place: &Place| matches!(place, Place::Used { source: used, .. } if *used == source);
        if let Some(used) = self.places.iter().position(is_it) {
            self.places[used] = Place::Leaving;
            let _never_full = self.to.push((used, None));
        }
        let free = self.places.iter().position(|place| matches!(place, Place::Free));
        let (Some(sink), Some(free)) = (sink, free) else { return };
        let Ok(port) = client.register_port(&format!("midi_in_{}", free + 1), MidiIn::default()) else { return };
        let Ok(name) = port.name() else { return };
        let _never_full = self.to.push((free, Some(Cable { port, sink })));
        self.places[free] = Place::Used { source, port: name, connected: false };
        self.connect(client);
    }

    /// Frees what came home.
    pub(super) fn tend(&mut self, client: &Client) {
        while let Ok((place, Cable { port, sink })) = self.from.pop() {
            drop(sink);
            // With a dead server there is none to unregister.
            let _gone = client.unregister_port(port);
            self.places[place] = Place::Free;
        }
    }

    /// Joins the ports to their sources. One whose client is not active yet refuses; it is tried again when the graph
    /// changes. What was joined once a person may take apart.
    pub(super) fn connect(&mut self, client: &Client) {
        for place in &mut self.places {
            if let Place::Used { source, port, connected } = place
                && !*connected
            {
                let joined = client.connect_ports_by_name(source, port);
                *connected = matches!(joined, Ok(()) | Err(jack::Error::PortAlreadyConnected(..)));
            }
        }
    }

    /// Whether a source of this name is heard.
    pub(super) fn hears(&self, name: &str) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Used { source, .. } if source == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_a_block_may_bring_is_counted() {
        assert_eq!([0, EVENTS_MAX, EVENTS_MAX + 1, EVENTS_MAX + 700].map(too_many), [0, 0, 1, 700]);
    }
}
