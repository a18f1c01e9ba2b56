//! The ports of the operating system, through midir. The only file that names it. Reads the clock in the driver's
//! callback, first thing, and maps the driver's own time to it.

use std::sync::Arc;

use midir::{Ignore, MidiInput, MidiInputConnection, MidiInputPort};

use super::SourceId;
use super::driver_clock::DriverClock;
use super::input::{Lease, PortSource};
use super::ports::PortInfo;
use crate::time::{Clock, Micros, Stamp, StreamId};

/// What other programs see.
const CLIENT_NAME: &str = "Music Trainer";

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
    // Asking ALSA for a sequencer that is not there makes it print to standard error each time.
    if cfg!(target_os = "linux") && !std::path::Path::new("/dev/snd/seq").exists() {
        return Err("this machine has no MIDI sequencer (/dev/snd/seq)".to_owned());
    }
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
        self.ports = lister.ports().into_iter().filter_map(named).collect();
        self.lister = Some(lister);
        self.kernel_clients = std::fs::read_to_string("/proc/asound/seq/clients").ok();
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
        is_subscribed(clients, &connection.own_name).unwrap_or(true)
    }

    fn close(&mut self, connection: SystemConnection) {
        drop(connection.connection.close());
    }
}

/// Whether the port of this name is connected from another, as `/proc/asound/seq/clients` has it; `None` when the port
/// is not in it.
fn is_subscribed(clients: &str, own_name: &str) -> Option<bool> {
    let quoted = format!(": \"{own_name}\" ");
    let mut lines = clients.lines().skip_while(|line| !(line.starts_with("  Port") && line.contains(&quoted)));
    lines.next()?;
    let mut own_lines = lines.take_while(|line| line.starts_with("    "));
    Some(own_lines.any(|line| line.contains("Connected From:")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_a_connection_from_a_dead_one() {
        let clients = "Client info\n  cur  clients : 4\n\n\
            Client  24 : \"Piano\" [Kernel Legacy]\n  Port   0 : \"Piano MIDI 1\" (RWeX) [In/Out]\n    \
            Connecting To: 128:0[real:0]\n\
            Client 128 : \"Music Trainer\" [User Legacy]\n  Port   0 : \"input 16 of 7\" (-We-) [Out]\n    \
            Connected From: 24:0[real:0]\n\
            Client 129 : \"Music Trainer\" [User Legacy]\n  Port   0 : \"input 17 of 7\" (-We-) [Out]\n\
            Client 130 : \"Other\" [User Legacy]\n  Port   0 : \"x\" (-We-) [Out]\n    Connected From: 24:0\n";
        assert_eq!(is_subscribed(clients, "input 16 of 7"), Some(true));
        assert_eq!(is_subscribed(clients, "input 17 of 7"), Some(false));
        assert_eq!(is_subscribed(clients, "input 18 of 7"), None);
        assert_eq!(is_subscribed("", "input 16 of 7"), None);
    }

    #[test]
    fn the_inputs_may_be_made_on_one_thread_and_polled_on_another() {
        fn check<T: Send>() {}
        check::<super::super::MidiInputs<SystemPorts>>();
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
