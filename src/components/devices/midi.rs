//! The MIDI inputs and the keys of the window.

use std::sync::Arc;

#[cfg(feature = "sound")]
use crossbeam_channel::Sender;
use crossbeam_channel::{Receiver, bounded};

use crate::audio::{self, Engine};
use crate::bus::{BusHandle, EntityKey, Publish};
use crate::components::recorder::MidiRecorder;
use crate::midi::{self, DeviceReport, Played, RingEnds, SourceId, VirtualInput};
#[cfg(feature = "sound")]
use crate::model::Entity;
use crate::model::{Event, Trainer, device_entity};
use crate::time::{Clock, Micros, Stamp};

/// Who publishes here.
const ACTOR: &str = "devices";
/// New devices whose rings wait to be connected.
const NEW_RINGS: usize = 64;

impl audio::Live for midi::LiveMidi {
    fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn played(&self) -> Option<audio::Played> {
        audio::Played::from_midi(&self.message.encode())
    }
}

/// The MIDI inputs and the keys of the window.
pub struct MidiDesk {
    keys: VirtualInput,
    ends: Receiver<(SourceId, String, RingEnds)>,
    #[cfg(feature = "sound")]
    inputs: Option<midi::MidiInputs<midi::SystemPorts>>,
    fault: Option<String>,
}

impl MidiDesk {
    /// The keys of the window at once, the system's ports at the first poll, unless `ports` is false.
    pub fn new(bus: &BusHandle<Trainer>, clock: &Arc<dyn Clock>, engine: &mut Engine, ports: bool) -> Self {
        let (rings, ends) = midi::rings();
        connect(bus, engine, SourceId::VIRTUAL, "keys", ends);
        let (new_ends, ends) = bounded(NEW_RINGS);
        #[cfg(feature = "sound")]
        let inputs = ports.then(|| {
            let system = midi::SystemPorts::new(clock.clone());
            midi::MidiInputs::new(system, choices(bus), ring_maker(new_ends))
        });
        #[cfg(not(feature = "sound"))]
        let _ = (clock, ports, new_ends);
        Self {
            keys: VirtualInput::new(rings),
            ends,
            #[cfg(feature = "sound")]
            inputs,
            fault: None,
        }
    }

    /// The keys of the window.
    pub fn keys(&mut self) -> &mut VirtualInput {
        &mut self.keys
    }

    /// Follows what is plugged in and out; whether anything is to be shown anew.
    pub fn poll(&mut self, now: Micros, bus: &BusHandle<Trainer>, engine: &mut Engine) -> bool {
        self.keys.poll(now);
        #[cfg(feature = "sound")]
        let changes = self.inputs.as_mut().map(|inputs| inputs.poll(now)).unwrap_or_default();
        #[cfg(not(feature = "sound"))]
        let changes: Vec<midi::Change> = Vec::new();
        while let Ok((source, name, ends)) = self.ends.try_recv() {
            connect(bus, engine, source, &name, ends);
        }
        let any = !changes.is_empty();
        for change in changes {
            self.tell(change, bus);
        }
        any
    }

    fn tell(&mut self, change: midi::Change, bus: &BusHandle<Trainer>) {
        let publish = |identity: &midi::ports::Identity, event| {
            bus.publish(Publish::new(midi_entity(&identity.to_string()), event).actor(ACTOR));
        };
        match change {
            midi::Change::Opened(_, identity) => {
                let name = identity.to_string();
                self.fault.take_if(|fault| fault.starts_with(&name));
                publish(&identity, Event::DeviceConnected(name));
            }
            midi::Change::Closed(_, identity) => publish(&identity, Event::DeviceLost),
            midi::Change::Failed(_, identity, reason) => {
                self.fault = Some(format!("{identity}: {reason}"));
            }
            midi::Change::NoMidi(reason) => self.fault = Some(reason),
            midi::Change::MidiBack => self.fault = None,
        }
    }

    /// Every device there is or was.
    pub fn report(&self) -> Vec<DeviceReport> {
        #[cfg(feature = "sound")]
        return self.inputs.as_ref().map(|inputs| inputs.report()).unwrap_or_default();
        #[cfg(not(feature = "sound"))]
        Vec::new()
    }

    /// Why there is no MIDI, or not all of it.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Uses a device or not, by the text of its identity.
    pub fn enable(&mut self, identity: &str, enabled: bool) {
        #[cfg(feature = "sound")]
        if let Some(inputs) = &mut self.inputs {
            inputs.set_enabled(identity, enabled);
        }
        #[cfg(not(feature = "sound"))]
        let _ = (identity, enabled);
    }

    /// Lets go of every key and closes every port.
    pub fn close(&mut self, now: Micros) {
        self.keys.release_all(now);
        #[cfg(feature = "sound")]
        if let Some(inputs) = &mut self.inputs {
            inputs.close_all(now);
        }
    }
}

/// The event by which a person's choice of an input is remembered.
pub fn chosen(identity: &str, enabled: bool) -> Publish<Trainer> {
    Publish::new(midi_entity(identity), Event::DeviceChosen { name: identity.to_owned(), enabled })
}

/// The entity of a MIDI input, by the text of its identity.
fn midi_entity(identity: &str) -> EntityKey {
    device_entity(&format!("midi-{identity}"))
}

/// What a person chose in earlier runs.
#[cfg(feature = "sound")]
fn choices(bus: &BusHandle<Trainer>) -> midi::ports::Choices {
    let snapshot = bus.snapshot();
    let chosen = |value: Option<&Entity>| match value {
        Some(Entity::Device(device)) => device.enabled.map(|enabled| ((*device.name).clone(), enabled)),
        _ => None,
    };
    snapshot.state.iter_prefix("device/midi-").filter_map(|(_, versioned)| chosen(versioned.value.as_ref())).collect()
}

fn connect(bus: &BusHandle<Trainer>, engine: &mut Engine, source: SourceId, name: &str, ends: RingEnds) {
    engine.add_source(audio::SourceId(source.0), ends.engine);
    // Refused only by a bus that has stopped: then nothing is recorded any more.
    let _ = bus.add_lane::<Played>(&format!("midi {name}"), ends.lane, Box::new(MidiRecorder));
}

#[cfg(feature = "sound")]
fn ring_maker(ends: Sender<(SourceId, String, RingEnds)>) -> midi::RingMaker {
    Box::new(move |source, identity| {
        let (rings, other) = midi::rings();
        ends.try_send((source, identity.to_string(), other)).ok().map(|()| rings)
    })
}
