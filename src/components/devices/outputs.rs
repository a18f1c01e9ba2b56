//! MIDI out on the control thread: joins the engine's outlet and the driver's own port to the outputs, and keeps what a
//! person chose.

use std::collections::BTreeMap;
#[expect(
    clippy::disallowed_types,
    reason = "shared by the control and the output thread; neither is a real-time one"
)]
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};

use rtrb::{Consumer, Producer};

use crate::audio::backend::{Kind, StreamInfo};
use crate::audio::{Command, Engine, OutletEnds, PortUse, Sent, SentPart, Wire};
use crate::bus::{BusHandle, Publish};
use crate::midi::output::{
    DRIVER_OUTPUT, Dispatcher, Due, KeySound, MidiOutputs, Music, MusicPart, Order, OutputChange, OutputPlan,
    OutputReport, OutputSource, OutputThread, Sink,
};
use crate::midi::ports::{Choices, Identity, PortInfo};
use crate::midi::watch::Announced;
use crate::midi::{SourceId, decode};
use crate::model::{Entity, Event, OutputKeys, OutputUse, Trainer, device_entity};
use crate::time::{Clock, Micros};

/// The engine's outlet as the output thread reads it.
struct EngineMusic {
    sent: Consumer<Sent>,
    /// Microseconds from the callback to the ear.
    latency: Arc<AtomicI64>,
}

impl Music for EngineMusic {
    fn next(&mut self) -> Option<Due> {
        loop {
            let sent = self.sent.pop().ok()?;
            let at = Micros(sent.stamp.mono.0.saturating_add(self.latency.load(Ordering::Relaxed)));
            let part = match sent.part {
                SentPart::Accompaniment => MusicPart::Accompaniment,
                SentPart::Click => MusicPart::Click,
            };
            if let Some(message) = decode(sent.wire.bytes()) {
                return Some(Due { at, part, message });
            }
        }
    }
}

#[expect(clippy::disallowed_types, reason = "see above")]
type SharedPort = Arc<Mutex<Producer<Wire>>>;

/// The driver's own port: the music reaches it in the callback, everything else with the next block.
struct DriverSink(SharedPort);

impl Sink for DriverSink {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let wire = Wire::new(bytes).ok_or("a message is too long")?;
        let mut port = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        port.push(wire).map_err(|_| "the sound device takes no more messages".to_owned())
    }

    fn has_music(&self) -> bool {
        true
    }
}

/// The outputs of the system, and the driver's own where it has one.
struct AllOutputs {
    system: Box<dyn OutputSource>,
    port: SharedPort,
    driver: Arc<AtomicBool>,
}

impl AllOutputs {
    fn is_driver(port: &PortInfo) -> bool {
        port.name == DRIVER_OUTPUT
    }
}

impl OutputSource for AllOutputs {
    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        let has_port = self.driver.load(Ordering::Relaxed);
        let own = has_port.then(|| PortInfo { id: "driver".to_owned(), name: DRIVER_OUTPUT.to_owned() });
        let system = match self.system.list() {
            Err(reason) if !has_port => return Err(reason),
            system => system.unwrap_or_default(),
        };
        Ok(own.into_iter().chain(system.into_iter().filter(|port| !Self::is_driver(port))).collect())
    }

    fn open(&mut self, output: SourceId, port: &PortInfo) -> Result<Box<dyn Sink>, String> {
        if Self::is_driver(port) { Ok(Box::new(DriverSink(self.port.clone()))) } else { self.system.open(output, port) }
    }

    fn is_alive(&mut self, output: SourceId) -> bool {
        self.system.is_alive(output)
    }
}

/// MIDI out as the control thread sees it.
pub(super) struct OutputDesk {
    outputs: Option<MidiOutputs>,
    driver: Arc<AtomicBool>,
    latency: Arc<AtomicI64>,
    lights: u128,
    port: Option<PortUse>,
}

impl OutputDesk {
    /// The outputs of `system` and of the engine's driver. A line if there can be none.
    pub(super) fn new(
        bus: &BusHandle<Trainer>,
        clock: &Arc<dyn Clock>,
        system: Box<dyn OutputSource>,
        outlet: OutletEnds,
    ) -> (Self, Option<String>) {
        let (driver, latency) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let music = EngineMusic { sent: outlet.sent, latency: latency.clone() };
        let started = OutputThread::start(Dispatcher::new(Box::new(music)), clock.clone());
        let (choices, plans) = chosen_before(bus);
        #[expect(clippy::disallowed_types, reason = "see above")]
        let port = Arc::new(Mutex::new(outlet.port));
        let source = Box::new(AllOutputs { system, port, driver: driver.clone() });
        let (outputs, line) = match started {
            Ok(thread) => (Some(MidiOutputs::new(source, thread, choices, plans)), None),
            Err(error) => (None, Some(format!("nothing can be sent to MIDI outputs: {error}"))),
        };
        (Self { outputs, driver, latency, lights: 0, port: None }, line)
    }

    /// A keyboard whose keys may be sent on.
    pub(super) fn add_keyboard(
        &self,
        source: SourceId,
        device: Option<Identity>,
        ring: Consumer<crate::midi::LiveMidi>,
    ) {
        self.order(Order::Keyboard { source, device, ring });
    }

    /// How late the sound of a frame is heard: what is sent outside comes as late.
    pub(super) fn set_heard(&self, heard: Micros) {
        self.latency.store(heard.0, Ordering::Relaxed);
    }

    /// The stream that runs now: whether it has a MIDI port of its own.
    pub(super) fn follow_stream(&mut self, stream: Option<&StreamInfo>) {
        let has_port = stream.is_some_and(|s| s.kind == Kind::Jack);
        if self.driver.swap(has_port, Ordering::Relaxed) != has_port
            && let Some(outputs) = &mut self.outputs
        {
            outputs.rescans().hurry();
        }
    }

    /// Follows what is plugged in and out.
    pub(super) fn poll(&mut self, now: Micros, announced: Announced, engine: &mut Engine) -> Vec<OutputChange> {
        let Some(outputs) = &mut self.outputs else { return Vec::new() };
        outputs.rescans().hear(now, announced);
        let changes = outputs.poll(now);
        self.set_port(engine);
        changes
    }

    /// A person's choice.
    pub(super) fn choose(&mut self, identity: &str, usage: OutputUse, engine: &mut Engine) {
        if let Some(outputs) = &mut self.outputs {
            outputs.set_plan(identity, plan(usage));
            outputs.set_enabled(identity, usage.enabled);
        }
        self.set_port(engine);
    }

    /// Asks the system for its outputs at the next poll.
    pub(super) fn list_anew(&mut self) {
        if let Some(outputs) = &mut self.outputs {
            outputs.rescans().hurry();
        }
    }

    /// The keys that come next.
    pub(super) fn light(&mut self, keys: u128) {
        if self.lights != keys && self.order(Order::Lights(keys)) {
            self.lights = keys;
        }
    }

    /// Everything off.
    pub(super) fn silence(&self) {
        self.order(Order::Silence);
    }

    /// Whether the accompaniment is to sound outside alone.
    pub(super) fn plays_alone(&self) -> bool {
        self.open_plans().any(|(_, plan)| plan.accompaniment && plan.alone)
    }

    /// Whether any output wants what is played elsewhere.
    pub(super) fn sends_on(&self) -> bool {
        self.open_plans().any(|(_, plan)| plan.through)
    }

    /// Whether the program sounds the keys of a device.
    pub(super) fn sounds(&self, device: &Identity) -> bool {
        !self.open_plans().any(|(identity, plan)| identity == device && plan.keys == KeySound::Instrument)
    }

    /// Messages sent since the start.
    pub(super) fn sent(&self) -> u64 {
        self.outputs.as_ref().map_or(0, MidiOutputs::sent)
    }

    /// Every output there is or was.
    pub(super) fn report(&self) -> Vec<OutputReport> {
        self.outputs.as_ref().map(MidiOutputs::report).unwrap_or_default()
    }

    /// Leaves every output as it was found.
    pub(super) fn close(&mut self) {
        if let Some(outputs) = self.outputs.take() {
            // A driver that hangs does not keep the program from ending.
            let _in_time = outputs.close();
        }
    }

    fn open_plans(&self) -> impl Iterator<Item = (&Identity, OutputPlan)> {
        self.outputs.iter().flat_map(MidiOutputs::open_plans)
    }

    fn order(&self, order: Order) -> bool {
        self.outputs.as_ref().is_some_and(|outputs| outputs.thread().order(order))
    }

    /// Tells the engine what the driver's own port is to play.
    fn set_port(&mut self, engine: &mut Engine) {
        let plan = self.open_plans().find(|(identity, _)| identity.name == DRIVER_OUTPUT).map(|(_, plan)| plan);
        let wanted =
            plan.map_or_else(PortUse::default, |p| PortUse { accompaniment: p.accompaniment, clicks: p.clicks });
        if self.port != Some(wanted) {
            self.port = Some(wanted);
            engine.send(Command::SetPort(wanted));
        }
    }
}

/// The event by which a person's choice of what an output is used for is remembered.
pub fn chosen_output(identity: &str, usage: OutputUse) -> Publish<Trainer> {
    let entity = device_entity(&format!("out-{identity}"));
    Publish::new(entity, Event::OutputChosen { name: identity.to_owned(), usage })
}

fn plan(usage: OutputUse) -> OutputPlan {
    OutputPlan {
        accompaniment: usage.accompaniment,
        alone: usage.alone,
        clicks: usage.clicks,
        through: usage.through,
        lights: usage.lights.and_then(|channel| channel.checked_sub(1)).filter(|channel| *channel < 16),
        keys: match usage.keys {
            OutputKeys::Both => KeySound::Both,
            OutputKeys::Instrument => KeySound::Instrument,
            OutputKeys::Program => KeySound::Program,
        },
    }
}

/// What an output is used for, as a person chose it.
pub fn usage_of(report: &OutputReport) -> OutputUse {
    let OutputPlan { accompaniment, alone, clicks, through, lights, keys } = report.plan;
    OutputUse {
        enabled: report.enabled,
        accompaniment,
        alone,
        clicks,
        through,
        lights: lights.map(|channel| channel + 1),
        keys: match keys {
            KeySound::Both => OutputKeys::Both,
            KeySound::Instrument => OutputKeys::Instrument,
            KeySound::Program => OutputKeys::Program,
        },
    }
}

/// What a person chose in earlier runs.
fn chosen_before(bus: &BusHandle<Trainer>) -> (Choices, BTreeMap<String, OutputPlan>) {
    let (mut choices, mut plans) = (Choices::new(), BTreeMap::new());
    for (_, versioned) in bus.snapshot().state.iter_prefix("device/out-") {
        if let Some(Entity::Device(device)) = &versioned.value
            && let Some(usage) = *device.usage
        {
            choices.insert((*device.name).clone(), usage.enabled);
            plans.insert((*device.name).clone(), plan(usage));
        }
    }
    (choices, plans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_of_a_person_is_a_plan() {
        let usage = OutputUse { lights: Some(16), keys: OutputKeys::Program, alone: true, ..OutputUse::default() };
        let expected = OutputPlan { lights: Some(15), keys: KeySound::Program, alone: true, ..OutputPlan::default() };
        assert_eq!(plan(usage), expected);
        for channel in [0, 17, 255] {
            assert_eq!(plan(OutputUse { lights: Some(channel), ..usage }).lights, None);
        }
    }

    #[test]
    fn the_music_comes_as_late_as_the_sound() {
        let (mut to, sent) = rtrb::RingBuffer::new(4);
        let mut music = EngineMusic { sent, latency: Arc::new(AtomicI64::new(5_333)) };
        let stamp = crate::time::Stamp::at(Micros(1_000));
        let wire = Wire::new(&[0x99, 76, 96]).expect("a message");
        to.push(Sent { stamp, part: SentPart::Click, wire }).expect("there is room");
        let due = music.next().expect("it comes");
        assert_eq!((due.at, due.part, &*due.message.encode()), (Micros(6_333), MusicPart::Click, &[0x99, 76, 96][..]));
        assert_eq!(music.next(), None);
    }
}
