//! Outputs of the operating system.

use std::collections::BTreeMap;

use midir::{MidiOutput, MidiOutputConnection, MidiOutputPort};

use super::{CLIENT_NAME, has_sequencer, is_own, is_subscribed, kernel_clients};
use crate::midi::SourceId;
use crate::midi::output::{OutputSource, Sink};
use crate::midi::ports::PortInfo;

/// The system's MIDI outputs.
#[derive(Default)]
pub struct SystemOutputs {
    /// Only lists; each connection has a client of its own.
    lister: Option<MidiOutput>,
    ports: Vec<(PortInfo, MidiOutputPort)>,
    /// What the kernel said at the last list about who is connected to whom; Linux only.
    kernel_clients: Option<String>,
    own_names: BTreeMap<SourceId, String>,
}

fn client() -> Result<MidiOutput, String> {
    has_sequencer()?;
    MidiOutput::new(CLIENT_NAME).map_err(|error| format!("the MIDI system cannot be used: {error}"))
}

impl OutputSource for SystemOutputs {
    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        let lister = match self.lister.take() {
            Some(lister) => lister,
            None => client()?,
        };
        // A port that goes while it is being asked for its name is simply not there.
        let named =
            |port: MidiOutputPort| Some((PortInfo { id: port.id(), name: lister.port_name(&port).ok()? }, port));
        let ports = lister.ports().into_iter().filter_map(named);
        self.ports = ports.filter(|(port, _)| !is_own(&port.name)).collect();
        self.lister = Some(lister);
        self.kernel_clients = kernel_clients();
        Ok(self.ports.iter().map(|(info, _)| info.clone()).collect())
    }

    fn open(&mut self, output: SourceId, port: &PortInfo) -> Result<Box<dyn Sink>, String> {
        let (_, port) = self.ports.iter().find(|(info, _)| info == port).ok_or("the port is gone")?;
        let own_name = format!("output {} of {}", output.0, std::process::id());
        let connection = client()?.connect(port, &own_name).map_err(|error| error.kind().to_string())?;
        self.own_names.insert(output, own_name);
        Ok(Box::new(SystemSink(connection)))
    }

    fn is_alive(&mut self, output: SourceId) -> bool {
        let clients = self.kernel_clients.as_deref().unwrap_or_default();
        let own_name = self.own_names.get(&output);
        own_name.and_then(|name| is_subscribed(clients, name, "Connecting To:")).unwrap_or(true)
    }
}

struct SystemSink(MidiOutputConnection);

impl Sink for SystemSink {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.send(bytes).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_sequencer_is_told_in_words_and_one_with_it_lists_its_outputs() {
        match SystemOutputs::default().list() {
            Ok(ports) => assert!(ports.iter().all(|port| !port.name.is_empty())),
            Err(reason) => assert!(reason.contains("MIDI"), "{reason}"),
        }
    }
}
