//! Inputs of the operating system. Reads the clock in the driver's callback, first thing, and maps the driver's own
//! time to it.

use std::sync::Arc;

use midir::{Ignore, MidiInput, MidiInputConnection, MidiInputPort};

use super::{CLIENT_NAME, has_sequencer, is_own, is_subscribed, kernel_clients};
use crate::midi::SourceId;
use crate::midi::driver_clock::DriverClock;
use crate::midi::input::{Lease, PortSource};
use crate::midi::ports::PortInfo;
use crate::time::{Clock, Micros, Stamp, StreamId};

/// The system's MIDI ports.
pub struct SystemPorts {
    clock: Arc<dyn Clock>,
    /// Only lists; each connection has a client of its own.
    lister: Option<MidiInput>,
    ports: Vec<(PortInfo, MidiInputPort)>,
    /// What the kernel said at the last list about who is connected to whom; Linux only.
    kernel_clients: Option<String>,
}

/// An open port.
pub struct SystemConnection {
    connection: MidiInputConnection<Lease>,
    own_name: String,
}

impl SystemPorts {
    /// Opens nothing yet; `clock` is read in the callbacks.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lister: None, ports: Vec::new(), kernel_clients: None }
    }
}

fn client() -> Result<MidiInput, String> {
    has_sequencer()?;
    let mut client = MidiInput::new(CLIENT_NAME).map_err(|error| format!("the MIDI system cannot be used: {error}"))?;
    client.ignore(Ignore::All);
    Ok(client)
}

impl PortSource for SystemPorts {
    type Connection = SystemConnection;

    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        let lister = match self.lister.take() {
            Some(lister) => lister,
            None => client()?,
        };
        // A port that goes while it is being asked for its name is simply not there.
        let named = |port: MidiInputPort| Some((PortInfo { id: port.id(), name: lister.port_name(&port).ok()? }, port));
        let ports = lister.ports().into_iter().filter_map(named);
        self.ports = ports.filter(|(port, _)| !is_own(&port.name)).collect();
        self.lister = Some(lister);
        self.kernel_clients = kernel_clients();
        Ok(self.ports.iter().map(|(info, _)| info.clone()).collect())
    }

    fn open(&mut self, source: SourceId, port: &PortInfo, lease: Lease) -> Result<SystemConnection, String> {
        let (_, port) = self.ports.iter().find(|(info, _)| info == port).ok_or("the port is gone")?;
        let own_name = format!("input {} of {}", source.0, std::process::id());
        let clock = self.clock.clone();
        let mut mapping = DriverClock::default();
        let callback = move |driver: u64, bytes: &[u8], lease: &mut Lease| {
            let arrival = clock.now();
            let driver = Micros(i64::try_from(driver).unwrap_or(i64::MAX));
            let mono = mapping.map(driver, arrival);
            lease.receive(Stamp { driver, mono, frame: None, stream: StreamId(0) }, bytes);
        };
        let connection =
            client()?.connect(port, &own_name, callback, lease).map_err(|error| error.kind().to_string())?;
        Ok(SystemConnection { connection, own_name })
    }

    fn is_alive(&mut self, connection: &SystemConnection) -> bool {
        let clients = self.kernel_clients.as_deref().unwrap_or_default();
        is_subscribed(clients, &connection.own_name, "Connected From:").unwrap_or(true)
    }

    fn close(&mut self, connection: SystemConnection) {
        drop(connection.connection.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_may_be_made_on_one_thread_and_polled_on_another() {
        fn check<T: Send>() {}
        check::<crate::midi::MidiInputs<SystemPorts>>();
    }

    #[test]
    fn a_machine_without_a_sequencer_is_told_in_words_and_one_with_it_lists_its_ports() {
        let clock: Arc<dyn Clock> = Arc::new(crate::time::ManualClock::default());
        match SystemPorts::new(clock).list() {
            Ok(ports) => assert!(ports.iter().all(|port| !port.name.is_empty())),
            Err(reason) => assert!(reason.contains("MIDI"), "{reason}"),
        }
    }
}
