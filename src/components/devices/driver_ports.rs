//! The MIDI sources that the audio driver itself hears (JACK), as ports like those of the system. What is to be heard is
//! kept here until it is handed to the stream.

use crate::audio::backend::{MidiSink, Patch, SOURCES_HEARD_MAX};
use crate::midi::ports::PortInfo;
use crate::midi::{Lease, PortSource, SourceId};
use crate::time::{Stamp, StreamId};

impl MidiSink for Lease {
    fn receive(&mut self, stamp: Stamp, bytes: &[u8]) {
        Self::receive(self, stamp, bytes);
    }
}

/// The sources of the stream that runs.
#[derive(Default)]
pub(super) struct DriverPorts {
    listed: Vec<PortInfo>,
    patches: Vec<Patch>,
    open: usize,
}

impl DriverPorts {
    /// These sources there are now; whether others than before. Another stream has other ports, whatever their names.
    pub(super) fn set(&mut self, stream: Option<StreamId>, sources: &[String]) -> bool {
        let stream = stream.unwrap_or_default().0;
        let port = |name: &String| PortInfo { id: format!("{stream}:{name}"), name: name.clone() };
        let listed: Vec<_> = sources.iter().map(port).collect();
        let are_others = listed != self.listed;
        self.listed = listed;
        are_others
    }

    /// What is to be handed to the stream, in order.
    pub(super) fn take_patches(&mut self) -> Vec<Patch> {
        std::mem::take(&mut self.patches)
    }
}

impl PortSource for DriverPorts {
    /// The source's name.
    type Connection = String;

    fn list(&mut self) -> Result<Vec<PortInfo>, String> {
        Ok(self.listed.clone())
    }

    fn open(&mut self, _: SourceId, port: &PortInfo, lease: Lease) -> Result<String, String> {
        if self.open == SOURCES_HEARD_MAX {
            return Err(format!(
                "no more than {SOURCES_HEARD_MAX} keyboards of the sound server can be played at one time"
            ));
        }
        self.open += 1;
        self.patches.push(Patch { source: port.name.clone(), sink: Some(Box::new(lease)) });
        Ok(port.name.clone())
    }

    fn is_alive(&mut self, _: &String) -> bool {
        true
    }

    fn close(&mut self, connection: String) {
        self.open -= 1;
        self.patches.push(Patch { source: connection, sink: None });
    }
}
