//! The MIDI input that the audio driver itself has and anyone may be joined to (JACK's `midi_in`): who is joined, and what
//! came in. Its messages come with the audio callback, so they are counted as the events that they became.

use crate::midi::SourceId;
use crate::midi::monitor::{Monitor, Seen};
use crate::midi::{Message, decode};
use crate::model::Played;
use crate::time::Micros;

/// How the input stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverInputReport {
    /// Whoever is joined to it, by their full names.
    pub joined: Vec<String>,
    /// Whoever is joined again when it is back.
    pub awaited: Vec<String>,
    /// What it brought lately.
    pub monitor: Monitor,
}

/// Counts what it brings.
#[derive(Debug, Default)]
pub struct DriverInput(Monitor);

impl DriverInput {
    /// Takes in what was played at `at`, if it came from here.
    pub fn see(&mut self, played: &Played, at: Micros) {
        if played.source != SourceId::JACK.0 {
            return;
        }
        self.0.received += 1;
        match message(played.data) {
            Some(message) => self.0.see(Seen { at, message }),
            None => self.0.malformed += 1,
        }
    }

    /// How it stands while these are joined and those are waited for; `None` where the driver has no such input.
    pub fn report(&self, joined: Option<&[String]>, awaited: Vec<String>) -> Option<DriverInputReport> {
        joined.map(|joined| DriverInputReport { joined: joined.to_vec(), awaited, monitor: self.0.clone() })
    }
}

/// The message of bytes of which a short one fills two.
fn message(data: [u8; 3]) -> Option<Message> {
    decode(&data).or_else(|| decode(&data[..2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_here_is_counted_and_nothing_else() {
        let mut input = DriverInput::default();
        let of = |source: u16, data| Played { source, data };
        for (n, played) in [of(1, [0x90, 60, 80]), of(16, [0x90, 61, 80]), of(1, [0xc0, 5, 0]), of(0, [0x80, 60, 0])]
            .iter()
            .enumerate()
        {
            input.see(played, Micros(n as i64));
        }
        assert_eq!(input.report(None, Vec::new()), None, "no such input");
        let report = input.report(Some(&["a:out".to_owned()]), Vec::new()).expect("an input");
        assert_eq!((report.joined.len(), report.monitor.received, report.monitor.malformed), (1, 2, 0));
        let texts: Vec<String> = report.monitor.last().map(|seen| seen.message.to_string()).collect();
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[1], "program 5, channel 1");
    }
}
