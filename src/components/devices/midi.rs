//! The MIDI inputs and the keys of the window, with the outputs beside them.

#[cfg(feature = "sound")]
use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(feature = "sound")]
use crossbeam_channel::Sender;
use crossbeam_channel::{Receiver, bounded};

use crate::audio::backend::StreamInfo;
use crate::audio::{self, Engine, OutletEnds};
use crate::bus::{BusHandle, EntityKey, Publish};
use crate::components::openings::Openings;
use crate::components::recorder::MidiRecorder;
use crate::midi::monitor::Monitor;
use crate::midi::output::{OutputChange, OutputReport, OutputSource, Sink};
use crate::midi::ports::{DEVICES_MAX, Identity, Link, PortInfo};
use crate::midi::watch::{Announced, Announcer};
use crate::midi::{self, DeviceReport, Played, RingEnds, SourceId, VirtualInput};
#[cfg(feature = "sound")]
use crate::model::Entity;
use crate::model::{Event, OutputUse, Trainer, device_entity};
use crate::time::{Clock, Micros, Stamp};

use super::guarded::is_midi;
#[cfg(feature = "sound")]
use super::guarded::{GuardedOutputs, GuardedPorts};
use super::outputs::OutputDesk;

/// Who publishes here.
const ACTOR: &str = "devices";
/// Ports of the system that can be opened in one run: the engine's sources but the window's keys and the driver's own.
#[cfg(feature = "sound")]
const PORTS_MAX: usize = audio::SOURCES_MAX - 2;
/// How often what was sent is shown anew while there is always more.
const SHOWN_EVERY: Micros = Micros::from_millis(200);
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
    ends: Receiver<(SourceId, Identity, RingEnds)>,
    #[cfg(feature = "sound")]
    inputs: Option<midi::MidiInputs<GuardedPorts<midi::SystemPorts>>>,
    fault: Option<Fault>,
    outputs: OutputDesk,
    output_fault: Option<Fault>,
    announcer: Option<Box<dyn Announcer>>,
    /// Whether it is worth a try to listen to announcements: at the start, and when there is MIDI again.
    may_listen: bool,
    openings: Openings,
    /// What the sound system itself hears, now or before.
    driver_inputs: Vec<DeviceReport>,
    /// How much had been sent when it was shown last, and when.
    shown: (u64, Micros),
}

/// Why something does not work.
struct Fault {
    /// The device it belongs to; none where it is all of MIDI.
    of: Option<Identity>,
    line: String,
}

impl Fault {
    fn of(device: Identity, reason: &str) -> Self {
        Self { line: format!("{device}: {reason}"), of: Some(device) }
    }

    const fn of_all(line: String) -> Self {
        Self { of: None, line }
    }

    /// A device works now.
    fn clear(fault: &mut Option<Self>, device: &Identity) {
        fault.take_if(|fault| fault.of.as_ref() == Some(device));
    }
}

impl MidiDesk {
    /// The keys of the window at once, the system's ports at the first poll, unless `ports` is false.
    pub fn new(
        bus: &BusHandle<Trainer>,
        clock: &Arc<dyn Clock>,
        engine: &mut Engine,
        ports: bool,
        outlet: OutletEnds,
        openings: Openings,
    ) -> Self {
        let (rings, ends) = midi::rings();
        let (outputs, output_fault) = OutputDesk::new(bus, clock, system_outputs(ports, &openings), outlet);
        connect(bus, engine, &outputs, SourceId::VIRTUAL, None, ends);
        let (new_ends, ends) = bounded(NEW_RINGS);
        #[cfg(feature = "sound")]
        let inputs = ports.then(|| {
            let system = GuardedPorts::new(midi::SystemPorts::new(clock.clone()), openings.clone());
            midi::MidiInputs::new(system, choices(bus), ring_maker(new_ends))
        });
        #[cfg(not(feature = "sound"))]
        let _ = new_ends;
        Self {
            keys: VirtualInput::new(rings),
            ends,
            #[cfg(feature = "sound")]
            inputs,
            fault: None,
            outputs,
            output_fault: output_fault.map(Fault::of_all),
            announcer: None,
            may_listen: ports,
            openings,
            driver_inputs: Vec::new(),
            shown: (0, Micros::ZERO),
        }
    }

    /// The keys of the window.
    pub fn keys(&mut self) -> &mut VirtualInput {
        &mut self.keys
    }

    /// Follows what is plugged in and out; whether anything is to be shown anew.
    pub fn poll(&mut self, now: Micros, bus: &BusHandle<Trainer>, engine: &mut Engine) -> bool {
        self.keys.poll(now);
        let announced = self.announced();
        let changes = self.poll_inputs(now, announced);
        while let Ok((source, identity, ends)) = self.ends.try_recv() {
            connect(bus, engine, &self.outputs, source, Some(identity), ends);
        }
        let sent = self.outputs.poll(now, announced, engine);
        let any = !changes.is_empty() || !sent.is_empty();
        for change in changes {
            self.tell(change, bus);
        }
        for change in sent {
            self.tell_output(change);
        }
        if any {
            self.set_ways();
        }
        any | self.has_sent(now)
    }

    /// Whether more has been sent than is shown, now and then.
    fn has_sent(&mut self, now: Micros) -> bool {
        let (sent, (shown, at)) = (self.outputs.sent(), self.shown);
        let is_news = sent != shown && (now - at).0 >= SHOWN_EVERY.0;
        if is_news {
            self.shown = (sent, now);
        }
        is_news
    }

    #[cfg(feature = "sound")]
    fn poll_inputs(&mut self, now: Micros, announced: Announced) -> Vec<midi::Change> {
        let Some(inputs) = &mut self.inputs else { return Vec::new() };
        inputs.rescans().hear(now, announced);
        inputs.poll(now)
    }

    #[cfg(not(feature = "sound"))]
    fn poll_inputs(&mut self, _: Micros, _: Announced) -> Vec<midi::Change> {
        Vec::new()
    }

    /// What the system says about its ports, where it does.
    fn announced(&mut self) -> Announced {
        if std::mem::take(&mut self.may_listen) && self.announcer.is_none() {
            self.announcer = announcer();
        }
        let announced = self.announcer.as_mut().map_or(Announced::Unknown, |announcer| announcer.heard());
        if announced == Announced::Unknown {
            self.announcer = None;
        }
        announced
    }

    /// Keys sound where they are to sound, and go on to where they are wanted.
    fn set_ways(&mut self) {
        let sent_on = self.outputs.sends_on();
        self.keys.send_on(sent_on);
        #[cfg(feature = "sound")]
        if let Some(inputs) = &mut self.inputs {
            for device in inputs.report() {
                inputs.set_ways(device.source, self.outputs.sounds(&device.identity), sent_on);
            }
        }
    }

    fn tell_output(&mut self, change: OutputChange) {
        match change {
            OutputChange::Opened(identity) => Fault::clear(&mut self.output_fault, &identity),
            OutputChange::Closed(_) => {}
            OutputChange::Failed(identity, reason) => {
                self.output_fault = Some(Fault::of(identity, &reason));
            }
        }
    }

    /// The stream that runs now, and the MIDI sources that its driver hears.
    pub fn follow_stream(&mut self, now: Micros, stream: Option<&StreamInfo>, sources: &[String], engine: &mut Engine) {
        self.outputs.follow_stream(stream);
        for known in &mut self.driver_inputs {
            let link = if sources.contains(&known.identity.name) { Link::Open } else { Link::Away };
            let gone = link == Link::Away;
            if known.link != link {
                (known.link, known.since) = (link, now);
                if gone {
                    // Nobody else says that its keys are up; all of them are one source, and let go together.
                    engine.send(audio::Command::RemoveSource(audio::SourceId::DRIVER));
                }
            }
        }
        for name in sources.iter().take(DEVICES_MAX) {
            if !self.driver_inputs.iter().any(|known| known.identity.name == *name) {
                self.driver_inputs.push(DeviceReport {
                    source: SourceId::JACK,
                    identity: Identity { name: name.clone(), occurrence: 0 },
                    enabled: true,
                    link: Link::Open,
                    since: now,
                    monitor: Monitor::default(),
                });
            }
        }
    }

    /// How late the sound of a frame is heard: what is sent outside comes as late.
    pub fn set_heard(&self, heard: Micros) {
        self.outputs.set_heard(heard);
    }

    /// Uses an output so from now on, by the text of its identity.
    pub fn use_output(&mut self, identity: &str, usage: OutputUse, engine: &mut Engine) {
        self.allow(identity, usage.enabled);
        self.outputs.choose(identity, usage, engine);
        self.set_ways();
    }

    /// Asks the system for its ports at the next poll.
    pub fn list_anew(&mut self) {
        #[cfg(feature = "sound")]
        if let Some(inputs) = &mut self.inputs {
            inputs.rescans().hurry();
        }
        self.outputs.list_anew();
    }

    /// What is chosen is opened, even if it once let the program end.
    fn allow(&self, identity: &str, chosen: bool) {
        self.openings.allow_all(|what| chosen && is_midi(what, identity));
    }

    /// Every output there is or was.
    pub fn outputs(&self) -> Vec<OutputReport> {
        self.outputs.report()
    }

    /// Why an output is not played on, though it was chosen.
    pub fn output_fault(&self) -> Option<&str> {
        self.output_fault.as_ref().map(|fault| fault.line.as_str())
    }

    /// The keys that come next, one bit each: they light up on instruments that can.
    pub fn light(&mut self, keys: u128) {
        self.outputs.light(keys);
    }

    /// Whether the accompaniment sounds on an instrument outside, and there alone.
    pub fn plays_alone(&self) -> bool {
        self.outputs.plays_alone()
    }

    /// Lets go of every key, here and outside.
    pub fn panic(&mut self, now: Micros) {
        self.keys.release_all(now);
        self.outputs.silence();
    }

    fn tell(&mut self, change: midi::Change, bus: &BusHandle<Trainer>) {
        let publish = |identity: &midi::ports::Identity, event| {
            bus.publish(Publish::new(midi_entity(&identity.to_string()), event).actor(ACTOR));
        };
        match change {
            midi::Change::Opened(_, identity) => {
                Fault::clear(&mut self.fault, &identity);
                publish(&identity, Event::DeviceConnected(identity.to_string()));
            }
            midi::Change::Closed(_, identity) => publish(&identity, Event::DeviceLost),
            midi::Change::Failed(_, identity, reason) => {
                self.fault = Some(Fault::of(identity, &reason));
            }
            midi::Change::NoMidi(reason) => self.fault = Some(Fault::of_all(reason)),
            midi::Change::MidiBack => {
                self.fault = None;
                self.may_listen = true;
            }
        }
    }

    /// Every device there is or was.
    pub fn report(&self) -> Vec<DeviceReport> {
        #[cfg(feature = "sound")]
        let mut reports = self.inputs.as_ref().map(|inputs| inputs.report()).unwrap_or_default();
        #[cfg(not(feature = "sound"))]
        let mut reports = Vec::new();
        reports.extend(self.driver_inputs.iter().cloned());
        reports
    }

    /// Why there is no MIDI, or not all of it.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_ref().map(|fault| fault.line.as_str())
    }

    /// Uses a device or not, by the text of its identity.
    pub fn enable(&mut self, identity: &str, enabled: bool) {
        self.allow(identity, enabled);
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
        self.outputs.close();
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

fn connect(
    bus: &BusHandle<Trainer>,
    engine: &mut Engine,
    outputs: &OutputDesk,
    source: SourceId,
    device: Option<Identity>,
    ends: RingEnds,
) {
    engine.add_source(audio::SourceId(source.0), ends.engine);
    let name = device.as_ref().map_or_else(|| "keys".to_owned(), ToString::to_string);
    // Refused only by a bus that has stopped: then nothing is recorded any more.
    let _ = bus.add_lane::<Played>(&format!("midi {name}"), ends.lane, Box::new(MidiRecorder));
    outputs.add_keyboard(source, device, ends.through);
}

/// The outputs of the system, unless its ports are left alone.
fn system_outputs(ports: bool, openings: &Openings) -> Box<dyn OutputSource> {
    #[cfg(feature = "sound")]
    if ports {
        let system = Box::new(midi::SystemOutputs::default());
        return Box::new(GuardedOutputs::new(system, openings.clone()));
    }
    let _ = (ports, openings);
    Box::new(NoOutputs)
}

/// Who tells when ports come and go: nobody where the system says nothing of it, and the ports are asked for instead.
fn announcer() -> Option<Box<dyn Announcer>> {
    #[cfg(all(feature = "sound", target_os = "linux"))]
    return midi::SequencerAnnouncer::start().ok().map(|announcer| Box::new(announcer) as Box<dyn Announcer>);
    #[cfg(not(all(feature = "sound", target_os = "linux")))]
    None
}

struct NoOutputs;

impl OutputSource for NoOutputs {
    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        Err("the ports of the system are not used".to_owned())
    }

    fn open(&mut self, _: SourceId, _: &PortInfo) -> Result<Box<dyn Sink>, String> {
        Err("the ports of the system are not used".to_owned())
    }

    fn is_alive(&mut self, _: SourceId) -> bool {
        true
    }
}

#[cfg(feature = "sound")]
fn ring_maker(ends: Sender<(SourceId, Identity, RingEnds)>) -> midi::RingMaker {
    let mut opened = BTreeSet::new();
    Box::new(move |source, identity| {
        // A port that is never opened, because it is off or there only for others, takes no place.
        if opened.len() >= PORTS_MAX && !opened.contains(&source) {
            return None;
        }
        let (rings, other) = midi::rings();
        ends.try_send((source, identity.clone(), other)).ok()?;
        opened.insert(source);
        Some(rings)
    })
}

#[cfg(all(test, feature = "sound"))]
mod tests {
    use super::*;

    #[test]
    fn only_ports_that_were_opened_count() {
        let (ends, _others) = bounded(NEW_RINGS);
        let mut make = ring_maker(ends);
        let identity = Identity { name: "Port".to_owned(), occurrence: 0 };
        let first = SourceId::FIRST_PORT.0 + 40;
        for n in 0..PORTS_MAX as u16 {
            assert!(make(SourceId(first + n), &identity).is_some(), "port {n}");
        }
        assert!(make(SourceId(first), &identity).is_some(), "one that was opened before may be opened again");
        assert!(make(SourceId(first - 1), &identity).is_none());
    }

    #[test]
    fn a_fault_ends_with_its_own_device_only() {
        let identity = |occurrence| Identity { name: "Piano".to_owned(), occurrence };
        let mut fault = Some(Fault::of(identity(1), "busy"));
        Fault::clear(&mut fault, &identity(0));
        assert_eq!(fault.as_ref().map(|fault| fault.line.as_str()), Some("Piano (2): busy"));
        Fault::clear(&mut fault, &identity(1));
        assert!(fault.is_none());
    }
}
