//! Drivers behind a guard: what they open is written down first, and what let the program end is left out.

use crate::audio::Processor;
use crate::audio::backend::{
    Backend, BackendError, Connection, Device, Kind, MidiSource, Patch, Presence, StartError, Status, Stream,
    StreamConfig, StreamInfo,
};
use crate::audio::capture::{Input, Tap};
use crate::components::openings::{LeftOut, Openings};
use crate::midi::output::{OutputSource, Sink};
use crate::midi::ports::{PortInfo, stable_name};
use crate::midi::{Lease, PortSource, SourceId};

/// The words for the MIDI system as a whole.
const MIDI: &str = "the MIDI system";
/// How the words for a port begin.
const INPUT: &str = "the MIDI input ";
const OUTPUT: &str = "the MIDI output ";
/// How the words for sound begin.
const SOUND: &str = "sound on ";

/// Whether something that is left out is a sound device.
pub(super) fn is_sound(what: &str) -> bool {
    what.starts_with(SOUND)
}

/// Whether something that is left out is meant when a person chooses a MIDI device of this name.
pub(super) fn is_midi(what: &str, device: &str) -> bool {
    let name = what.strip_prefix(INPUT).or(what.strip_prefix(OUTPUT));
    // The second of two of one name is called `name (2)`.
    let rest = name.and_then(|name| device.strip_prefix(name));
    what == MIDI || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

/// A backend whose driver may take the program down.
pub struct GuardedBackend {
    backend: Box<dyn Backend>,
    openings: Openings,
    /// The driver has worked in this run: asking it whether it is there is no risk.
    proven: bool,
    /// It was asked, and has come back with an answer.
    asked: bool,
}

impl GuardedBackend {
    /// `backend`, guarded.
    pub fn new(backend: Box<dyn Backend>, openings: Openings) -> Self {
        Self { backend, openings, proven: false, asked: false }
    }

    fn words(&self, config: &StreamConfig) -> String {
        let kind = self.backend.kind();
        config.device.as_ref().map_or_else(|| format!("{SOUND}{kind}"), |device| format!("{SOUND}{kind}, {device}"))
    }

    fn left_out(&self, config: &StreamConfig) -> BackendError {
        let device = config.device.clone().unwrap_or_else(|| "the device".to_owned());
        BackendError::Failed { kind: self.backend.kind(), device, reason: LeftOut.to_string() }
    }

    /// Drivers open what they list.
    fn list(
        &mut self,
        what: &str,
        list: impl FnOnce(&mut dyn Backend) -> Result<Vec<Device>, BackendError>,
    ) -> Result<Vec<Device>, BackendError> {
        let kind = self.backend.kind();
        let left_out = |_| BackendError::Failed { kind, device: what.to_owned(), reason: LeftOut.to_string() };
        let opening = self.openings.begin(&format!("{SOUND}{kind}: {what}")).map_err(left_out)?;
        let listed = list(self.backend.as_mut());
        drop(opening);
        listed
    }
}

impl Backend for GuardedBackend {
    fn kind(&self) -> Kind {
        self.backend.kind()
    }

    fn devices(&mut self) -> Result<Vec<Device>, BackendError> {
        self.list("the list of devices", |backend| backend.devices())
    }

    fn inputs(&mut self) -> Result<Vec<Device>, BackendError> {
        self.list("the list of inputs", |backend| backend.inputs())
    }

    fn midi_sources(&mut self) -> Result<Vec<String>, BackendError> {
        self.backend.midi_sources()
    }

    fn forget_absence(&mut self) {
        self.backend.forget_absence();
    }

    fn available(&mut self, config: &StreamConfig) -> Result<Presence, BackendError> {
        if self.proven || self.asked {
            return self.backend.available(config);
        }
        let opening = self.openings.begin(&self.words(config)).map_err(|_| self.left_out(config))?;
        let outcome = self.backend.available(config);
        drop(opening);
        // It came back, with whatever answer.
        self.asked = true;
        outcome
    }

    fn start(&mut self, processor: Processor, config: &StreamConfig) -> Result<Box<dyn Stream>, StartError> {
        let Ok(opening) = self.openings.begin(&self.words(config)) else {
            return Err(StartError::new(processor, self.left_out(config)));
        };
        let outcome = self.backend.start(processor, config);
        drop(opening);
        self.proven |= outcome.is_ok();
        let (kind, openings) = (self.backend.kind(), self.openings.clone());
        outcome.map(|stream| Box::new(GuardedStream { stream, kind, openings }) as Box<dyn Stream>)
    }
}

/// A stream whose driver may take the program down when an input is opened beside it.
struct GuardedStream {
    stream: Box<dyn Stream>,
    kind: Kind,
    openings: Openings,
}

impl Stream for GuardedStream {
    fn info(&self) -> &StreamInfo {
        self.stream.info()
    }

    fn midi_sources(&self) -> &[MidiSource] {
        self.stream.midi_sources()
    }

    fn midi_joined(&self) -> Option<&[String]> {
        self.stream.midi_joined()
    }

    fn take_connections(&mut self) -> Vec<Connection> {
        self.stream.take_connections()
    }

    fn patch(&mut self, patch: Patch) {
        self.stream.patch(patch);
    }

    fn poll(&mut self, each: &mut dyn FnMut(Status)) {
        self.stream.poll(each);
    }

    fn calls(&self) -> Option<u32> {
        self.stream.calls()
    }

    fn listen(&mut self, device: Option<&str>, tap: Option<Tap>) -> Result<Option<Input>, BackendError> {
        if tap.is_none() {
            return self.stream.listen(device, tap);
        }
        let name = device.unwrap_or("the default input");
        let left_out =
            |_| BackendError::Failed { kind: self.kind, device: name.to_owned(), reason: LeftOut.to_string() };
        let opening = self.openings.begin(&format!("{SOUND}{}, from {name}", self.kind)).map_err(left_out)?;
        let outcome = self.stream.listen(device, tap);
        drop(opening);
        outcome
    }

    fn stop(self: Box<Self>) -> Option<Processor> {
        self.stream.stop()
    }
}

/// MIDI ports, inputs or outputs, whose driver may take the program down.
pub struct GuardedPorts<S> {
    ports: S,
    openings: Openings,
    /// The system has been listed in this run.
    proven: bool,
}

impl<S> GuardedPorts<S> {
    /// `ports`, guarded.
    pub fn new(ports: S, openings: Openings) -> Self {
        Self { ports, openings, proven: false }
    }

    fn guard<T>(&mut self, list: impl FnOnce(&mut S) -> Result<T, String>) -> Result<T, String> {
        if self.proven {
            return list(&mut self.ports);
        }
        let opening = self.openings.begin(MIDI).map_err(|left_out| left_out.to_string())?;
        let listed = list(&mut self.ports);
        drop(opening);
        self.proven |= listed.is_ok();
        listed
    }

    fn open<T>(&mut self, what: &str, open: impl FnOnce(&mut S) -> Result<T, String>) -> Result<T, String> {
        let opening = self.openings.begin(what).map_err(|left_out| left_out.to_string())?;
        let opened = open(&mut self.ports);
        drop(opening);
        opened
    }
}

impl<S: PortSource> PortSource for GuardedPorts<S> {
    type Connection = S::Connection;

    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        self.guard(PortSource::list)
    }

    fn open(&mut self, source: SourceId, port: &PortInfo, lease: Lease) -> Result<S::Connection, String> {
        let what = format!("{INPUT}{}", stable_name(&port.name));
        self.open(&what, |ports| PortSource::open(ports, source, port, lease))
    }

    fn is_alive(&mut self, connection: &S::Connection) -> bool {
        PortSource::is_alive(&mut self.ports, connection)
    }

    fn close(&mut self, connection: S::Connection) {
        self.ports.close(connection);
    }
}

/// The same for outputs.
pub struct GuardedOutputs(GuardedPorts<Box<dyn OutputSource>>);

impl GuardedOutputs {
    /// `outputs`, guarded.
    pub fn new(outputs: Box<dyn OutputSource>, openings: Openings) -> Self {
        Self(GuardedPorts::new(outputs, openings))
    }
}

impl OutputSource for GuardedOutputs {
    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        self.0.guard(|outputs| outputs.list())
    }

    fn open(&mut self, output: SourceId, port: &PortInfo) -> Result<Box<dyn Sink>, String> {
        let what = format!("{OUTPUT}{}", stable_name(&port.name));
        self.0.open(&what, |outputs| outputs.open(output, port))
    }

    fn is_alive(&mut self, output: SourceId) -> bool {
        self.0.ports.is_alive(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choosing_a_device_means_it_and_the_system_it_belongs_to_and_no_other() {
        let input = format!("{INPUT}Piano");
        assert!(is_midi(&input, "Piano") && is_midi(&input, "Piano (2)") && is_midi(MIDI, "Piano"));
        assert!(!is_midi(&input, "Pianola") && !is_midi(&input, "Synth") && !is_midi(&format!("{SOUND}jack"), "Piano"));
        assert!(is_sound(&format!("{SOUND}jack")) && !is_sound(&input) && !is_sound(MIDI));
    }
}
