//! The MIDI sources that the audio driver itself hears (JACK), as ports like those of the system. What is to be heard is
//! kept here until it is handed to the stream. A source that is heard in another way already is left out, so that none of
//! its notes comes twice: one that a bridge carries on from a port of the system that is open, and one that somebody
//! joined to the driver's own input.

use crate::audio::backend::{MidiSink, MidiSource, Patch, SOURCES_HEARD_MAX};
use crate::midi::bridge::carries_on;
use crate::midi::ports::PortInfo;
use crate::midi::{Lease, PortSource, SourceId};
use crate::time::{Micros, Stamp, StreamId};

/// For so long a port of the system counts after it was open: what its bridge carries on goes a little later, and is not
/// taken up in between.
const BRIDGE_LAG: Micros = Micros::from_millis(3_000);

impl MidiSink for Lease {
    fn receive(&mut self, stamp: Stamp, bytes: &[u8]) {
        Self::receive(self, stamp, bytes);
    }
}

/// The sources of the stream that runs.
#[derive(Default)]
pub(super) struct DriverPorts {
    stream: StreamId,
    sources: Vec<MidiSource>,
    /// Those that are heard by the driver's own input.
    joined: Vec<String>,
    /// Ports of the system that are open, and when each was last.
    system: Vec<(PortInfo, Micros)>,
    listed: Vec<PortInfo>,
    patches: Vec<Patch>,
    open: usize,
}

impl DriverPorts {
    /// These sources there are now, and these are heard by the driver's own input; whether others are listed than before.
    /// Another stream has other ports, whatever their names.
    pub(super) fn follow_stream(
        &mut self,
        stream: Option<StreamId>,
        sources: &[MidiSource],
        joined: &[String],
    ) -> bool {
        self.stream = stream.unwrap_or_default();
        (self.sources, self.joined) = (sources.to_vec(), joined.to_vec());
        self.list_anew()
    }

    /// These ports of the system are open now; whether other sources are listed than before.
    pub(super) fn follow_system(&mut self, now: Micros, ports: Vec<PortInfo>) -> bool {
        self.system.retain(|(port, at)| !ports.contains(port) && now - *at < BRIDGE_LAG);
        self.system.extend(ports.into_iter().map(|port| (port, now)));
        self.list_anew()
    }

    fn list_anew(&mut self) -> bool {
        let heard = self.sources.iter().map(|source| &source.name).filter(|name| !self.is_heard_otherwise(name));
        let port = |name: &String| PortInfo { id: format!("{}:{name}", self.stream.0), name: name.clone() };
        let listed: Vec<_> = heard.map(port).collect();
        let are_others = listed != self.listed;
        self.listed = listed;
        are_others
    }

    /// Whether a source is left out because it is heard in another way.
    pub(super) fn is_heard_otherwise(&self, name: &str) -> bool {
        let source = self.sources.iter().find(|source| source.name == name);
        let mut names = source.into_iter().flat_map(MidiSource::names);
        self.joined.iter().any(|joined| joined == name)
            || names.any(|name| self.system.iter().any(|(port, _)| carries_on(name, port)))
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

#[cfg(test)]
mod tests {
    use super::*;

    const PIANO: &str = "a2j:Piano [24] (capture): Piano MIDI 1";
    const OTHER: &str = "synth:out";

    fn names(ports: &mut DriverPorts) -> Vec<String> {
        ports.list().expect("a list").into_iter().map(|port| port.name).collect()
    }

    fn sources() -> [MidiSource; 2] {
        [PIANO, OTHER].map(MidiSource::named)
    }

    fn system() -> Vec<PortInfo> {
        vec![PortInfo { id: "24:0".to_owned(), name: "Piano:Piano MIDI 1".to_owned() }]
    }

    #[test]
    fn a_keyboard_that_the_system_has_too_is_taken_from_there() {
        let mut ports = DriverPorts::default();
        let sources = sources();
        assert!(ports.follow_stream(Some(StreamId(1)), &sources, &[]));
        assert_eq!(names(&mut ports), [PIANO, OTHER], "the system has none");
        assert!(ports.follow_system(Micros(1), system()));
        assert_eq!(names(&mut ports), [OTHER]);
        assert!(ports.is_heard_otherwise(PIANO) && !ports.is_heard_otherwise(OTHER));
        // It is unplugged; the bridge learns of it later, and it is not opened for that moment.
        assert!(!ports.follow_system(Micros(2), Vec::new()));
        assert!(!ports.follow_stream(Some(StreamId(1)), &sources[1..], &[]));
        assert!(!ports.follow_stream(Some(StreamId(1)), &sources, &[]));
        // One that the bridge alone still has is taken from there.
        assert!(ports.follow_system(Micros(2) + BRIDGE_LAG, Vec::new()));
        assert_eq!(names(&mut ports), [PIANO, OTHER]);
        // By its other name it is known too.
        let aliases = vec!["alsa_pcm:Piano/midi_capture_1".to_owned()];
        let numbered = MidiSource { name: "system:midi_capture_4".to_owned(), aliases };
        ports.follow_stream(Some(StreamId(1)), &[numbered], &[]);
        assert_eq!(names(&mut ports), ["system:midi_capture_4"]);
        assert!(ports.follow_system(Micros(3) + BRIDGE_LAG, system()));
        assert!(names(&mut ports).is_empty());
    }

    #[test]
    fn what_is_joined_to_the_drivers_own_input_is_heard_there_alone() {
        let mut ports = DriverPorts::default();
        let sources = sources();
        ports.follow_stream(Some(StreamId(1)), &sources, &[OTHER.to_owned()]);
        assert_eq!(names(&mut ports), [PIANO]);
        assert!(ports.follow_stream(Some(StreamId(1)), &sources, &[]));
        assert_eq!(names(&mut ports), [PIANO, OTHER]);
        assert!(ports.follow_stream(Some(StreamId(2)), &sources, &[]), "another stream has other ports");
    }
}
