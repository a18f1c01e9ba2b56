//! The MIDI inputs and the keys of the window, with the outputs beside them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::audio::backend::{MidiSource, Patch, StreamInfo};
use crate::audio::{self, Engine, OutletEnds};
use crate::bus::{BusHandle, EntityKey, Publish};
use crate::components::openings::Openings;
use crate::components::recorder::MidiRecorder;
use crate::midi::output::{OutputChange, OutputReport, OutputSource, Sink};
use crate::midi::ports::{Choices, Identity, Link, PortInfo, PortTable};
use crate::midi::watch::{Announced, Announcer};
use crate::midi::{self, DeviceReport, MidiInputs, Played, PortSource, RingEnds, SourceId, VirtualInput};
use crate::model::{Entity, Event, OutputUse, Trainer, device_entity};
use crate::time::{Clock, Micros, Stamp};

use super::driver_ports::DriverPorts;
use super::guarded::is_midi;
#[cfg(feature = "sound")]
use super::guarded::{GuardedOutputs, GuardedPorts};
use super::outputs::OutputDesk;

/// Who publishes here.
const ACTOR: &str = "devices";
/// Ports that can be used at one time: the engine's sources but the window's keys and the driver's own.
const PORTS_MAX: usize = audio::SOURCES_MAX - 2;
/// Places that are kept free for ports to come, while some belong to ports that are closed.
const SPARE: usize = 4;
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
    inputs: Option<MidiInputs<GuardedPorts<midi::SystemPorts>>>,
    /// What the audio driver itself hears.
    driver_inputs: MidiInputs<DriverPorts>,
    /// Places for ports that are free.
    places: Arc<AtomicUsize>,
    fault: Option<Fault>,
    outputs: OutputDesk,
    output_fault: Option<Fault>,
    announcer: Option<Box<dyn Announcer>>,
    /// Whether it is worth a try to listen to announcements: at the start, and when there is MIDI again.
    may_listen: bool,
    openings: Openings,
    /// How much had been sent when it was shown last, and when.
    shown: (u64, Micros),
    /// Inputs that were unplugged while they were used.
    unplugged: BTreeSet<Identity>,
    news: Vec<Plugged>,
}

/// A keyboard that was in use came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plugged {
    /// It is gone; what it held was let go.
    Out(String),
    /// It is back.
    In(String),
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
        let places = Arc::new(AtomicUsize::new(PORTS_MAX));
        #[cfg(feature = "sound")]
        let inputs = ports.then(|| {
            let system = GuardedPorts::new(midi::SystemPorts::new(clock.clone()), openings.clone());
            MidiInputs::new(system, choices(bus), ring_maker(new_ends.clone(), places.clone()))
        });
        let table = PortTable::new(choices(bus)).numbered_from(SourceId::FIRST_DRIVER_PORT);
        let make_rings = ring_maker(new_ends, places.clone());
        let driver_inputs = MidiInputs::with_table(DriverPorts::default(), table, make_rings);
        Self {
            keys: VirtualInput::new(rings),
            ends,
            #[cfg(feature = "sound")]
            inputs,
            driver_inputs,
            places,
            fault: None,
            outputs,
            output_fault: output_fault.map(Fault::of_all),
            announcer: None,
            may_listen: ports,
            openings,
            shown: (0, Micros::ZERO),
            unplugged: BTreeSet::new(),
            news: Vec::new(),
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
        self.give_places_back(engine);
        let mut changes = self.poll_inputs(now, announced);
        let ports = self.system_ports();
        if self.driver_inputs.system().follow_system(now, ports) {
            self.driver_inputs.rescans().hurry();
        }
        // It is told when they come and go.
        self.driver_inputs.rescans().hear(now, Announced::Nothing);
        changes.extend(self.driver_inputs.poll(now));
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

    /// While few places are left, those of ports that were closed longest ago are given to others.
    fn give_places_back(&mut self, engine: &mut Engine) {
        while self.places.load(Ordering::Relaxed) < SPARE {
            #[cfg(feature = "sound")]
            let of_system = self.inputs.as_mut().and_then(MidiInputs::give_back);
            #[cfg(not(feature = "sound"))]
            let of_system = None;
            let Some(source) = of_system.or_else(|| self.driver_inputs.give_back()) else { return };
            engine.send(audio::Command::RemoveSource(audio::SourceId(source.0)));
            self.places.fetch_add(1, Ordering::Relaxed);
        }
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

    /// The system's inputs that are open.
    fn system_ports(&self) -> Vec<PortInfo> {
        #[cfg(feature = "sound")]
        return self.inputs.as_ref().map(MidiInputs::open_ports).unwrap_or_default();
        #[cfg(not(feature = "sound"))]
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
            set_ways(inputs, &self.outputs, sent_on);
        }
        set_ways(&mut self.driver_inputs, &self.outputs, sent_on);
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

    /// The stream that runs now, the MIDI sources that its driver can hear, and those of them that are heard by its own
    /// input.
    pub fn follow_stream(&mut self, stream: Option<&StreamInfo>, sources: &[MidiSource], joined: &[String]) {
        self.outputs.follow_stream(stream);
        if self.driver_inputs.system().follow_stream(stream.map(|stream| stream.stream), sources, joined) {
            self.driver_inputs.rescans().hurry();
        }
    }

    /// Which sources of the driver are to be heard from now on, since last asked: for the sound device.
    pub fn take_patches(&mut self) -> Vec<Patch> {
        self.driver_inputs.system().take_patches()
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
                if self.unplugged.remove(&identity) {
                    self.news.push(Plugged::In(identity.to_string()));
                }
            }
            midi::Change::Closed(_, identity) => {
                publish(&identity, Event::DeviceLost);
                let away = |device: &DeviceReport| device.identity == identity && device.link == Link::Away;
                if !self.driver_inputs.system().is_heard_otherwise(&identity.name)
                    && self.report().iter().any(away)
                    && self.unplugged.insert(identity.clone())
                {
                    self.news.push(Plugged::Out(identity.to_string()));
                }
            }
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

    /// Which keyboards came and went since last asked.
    pub fn take_news(&mut self) -> Vec<Plugged> {
        std::mem::take(&mut self.news)
    }

    /// Every device there is or was.
    pub fn report(&self) -> Vec<DeviceReport> {
        #[cfg(feature = "sound")]
        let mut reports = self.inputs.as_ref().map(|inputs| inputs.report()).unwrap_or_default();
        #[cfg(not(feature = "sound"))]
        let mut reports = Vec::new();
        reports.extend(self.driver_inputs.report());
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
        self.driver_inputs.set_enabled(identity, enabled);
    }

    /// Lets go of every key and closes every port; of those of the audio driver when it has stopped
    /// ([`MidiDesk::let_go`]).
    pub fn close(&mut self, now: Micros) {
        self.keys.release_all(now);
        #[cfg(feature = "sound")]
        if let Some(inputs) = &mut self.inputs {
            inputs.close_all(now);
        }
        self.driver_inputs.close_all(now);
        self.outputs.close();
    }

    /// Lets go of what was held at the audio driver's sources, once it has stopped.
    pub fn let_go(&mut self, now: Micros) {
        self.driver_inputs.refresh(now);
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

/// Keys sound where they are to sound, and may be sent on where anything takes them.
fn set_ways<S: PortSource>(inputs: &mut MidiInputs<S>, outputs: &OutputDesk, sent_on: bool) {
    for device in inputs.report() {
        inputs.set_ways(device.source, outputs.sounds(&device.identity), sent_on);
    }
}

/// What a person chose in earlier runs.
fn choices(bus: &BusHandle<Trainer>) -> Choices {
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

/// A port that is never opened, because it is off or there only for others, takes no place.
fn ring_maker(ends: Sender<(SourceId, Identity, RingEnds)>, places: Arc<AtomicUsize>) -> midi::RingMaker {
    Box::new(move |source, identity| {
        let left = places.load(Ordering::Relaxed).checked_sub(1)?;
        let (rings, other) = midi::rings();
        ends.try_send((source, identity.clone(), other)).ok()?;
        places.store(left, Ordering::Relaxed);
        Some(rings)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_ports_are_opened_than_the_engine_has_places_for() {
        let (ends, _others) = bounded(NEW_RINGS);
        let places = Arc::new(AtomicUsize::new(PORTS_MAX));
        let mut make = ring_maker(ends, places.clone());
        let identity = Identity { name: "Port".to_owned(), occurrence: 0 };
        let first = SourceId::FIRST_PORT.0 + 40;
        for n in 0..PORTS_MAX as u16 {
            assert!(make(SourceId(first + n), &identity).is_some(), "port {n}");
        }
        assert!(make(SourceId(first - 1), &identity).is_none());
        places.store(1, Ordering::Relaxed);
        assert!(make(SourceId(first - 1), &identity).is_some(), "in a place that was given back");
        assert!(make(SourceId(first - 2), &identity).is_none());
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
