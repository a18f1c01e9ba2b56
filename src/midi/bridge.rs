//! Ports of a sound server that only carry on a port of the system (ALSA's sequencer): the same keyboard a second time.
//! Pure: names in, answer out.
//!
//! | bridge | what it calls the port `P` with the number `p` of the client `C` with the number `c` |
//! | --- | --- |
//! | a2jmidid | `a2j:C [c] (capture): P`, or with `[p] P` |
//! | PipeWire up to 1.0 | `Midi-Bridge:C:(capture_p) P` |
//! | PipeWire since | `Midi-Bridge:[c:p] CP (capture)`, or without the numbers; a `P` that begins with `C` without it |
//! | JACK (`-X seq`) | `alsa_pcm:C/midi_capture_n` with n = p + 1; an alias, where the ports are numbered |
//!
//! Each of them puts other signs in the place of those that it does not want in a name, so only letters and digits are
//! compared.

use super::ports::{PortInfo, stable_name};

/// What stands before the names of a bridge's ports.
const BRIDGES: [&str; 2] = ["a2j:", "Midi-Bridge:"];
/// The same of JACK's own.
const JACK: &str = "alsa_pcm:";

/// Whether a port of the sound server, by its full name or an alias, brings what this port of the system does.
pub fn carries_on(server: &str, system: &PortInfo) -> bool {
    if let Some(name) = server.strip_prefix(JACK) {
        return is_of_jack(name, system).unwrap_or(false);
    }
    let Some(name) = BRIDGES.iter().find_map(|bridge| server.strip_prefix(bridge)) else { return false };
    let (words, numbers) = read(name);
    numbers.fits(&system.id) && is_called(&words, stable_name(&system.name))
}

/// The same of JACK's own bridge; `None` if it is no such name.
fn is_of_jack(name: &str, system: &PortInfo) -> Option<bool> {
    let (client, place) = name.rsplit_once("/midi_capture_")?;
    let (client, port) = (letters(client), place.parse::<u32>().ok()?.checked_sub(1));
    let is_client = |(at, _)| !client.is_empty() && letters(&system.name[..at]) == client;
    let fits = Numbers { client: None, port: Some(port?) }.fits(&system.id);
    Some(fits && system.name.match_indices(':').any(is_client))
}

/// Whether these letters and digits are those of `client:port`, wherever a colon divides it.
fn is_called(words: &str, name: &str) -> bool {
    name.match_indices(':').any(|(at, _)| {
        let (client, port) = (&name[..at], &name[at + 1..]);
        let (client, port) = (letters(client), letters(port));
        let rest = words.strip_prefix(&*client).filter(|_| !client.is_empty());
        rest.is_some_and(|rest| *rest == port || port.strip_prefix(&*client) == Some(rest))
    })
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Numbers of a client and its port, as far as a name gives them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Numbers {
    client: Option<u32>,
    port: Option<u32>,
}

impl Numbers {
    /// Both, from `24:0`.
    fn of(id: &str) -> Option<Self> {
        let (client, port) = id.split_once(':')?;
        Some(Self { client: Some(client.parse().ok()?), port: Some(port.parse().ok()?) })
    }

    /// Whether the system's id has the same.
    fn fits(&self, id: &str) -> bool {
        let system = Self::of(id).unwrap_or_default();
        let same = |ours: Option<u32>, other| ours.is_none() || ours == other;
        same(self.client, system.client) && same(self.port, system.port)
    }
}

/// The letters and digits of a bridge's name, and the numbers that it has in brackets.
fn read(name: &str) -> (String, Numbers) {
    let (mut words, mut numbers, mut rest) = (String::new(), Numbers::default(), name);
    while let Some(at) = rest.find(['[', '(']) {
        let (before, bracket) = rest.split_at(at);
        let is_square = bracket.starts_with('[');
        let inside = &bracket[1..];
        let (inside, after) = inside.split_once(if is_square { ']' } else { ')' }).unwrap_or((inside, ""));
        words += &letters(before);
        rest = after;
        match (is_square, inside.parse().ok(), inside.strip_prefix("capture")) {
            (true, Some(number), _) if numbers.client.is_none() => numbers.client = Some(number),
            (true, Some(number), _) => numbers.port = Some(number),
            (false, _, Some(port)) => numbers.port = numbers.port.or(port.trim_start_matches('_').parse().ok()),
            _ => match Numbers::of(inside) {
                Some(both) if is_square => numbers = both,
                // Brackets of the keyboard's own name.
                _ => words += &letters(inside),
            },
        }
    }
    (words + &letters(rest), numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(id: &str, name: &str) -> PortInfo {
        PortInfo { id: id.to_owned(), name: format!("{name} {id}") }
    }

    #[test]
    fn a_keyboard_is_known_by_its_name_and_numbers_in_the_words_of_each_bridge() {
        let piano = system("24:0", "Digital Piano:Digital Piano MIDI 1");
        for name in [
            "a2j:Digital Piano [24] (capture): Digital Piano MIDI 1",
            "a2j:Digital Piano [24] (capture): [0] Digital Piano MIDI 1",
            "Midi-Bridge:Digital Piano:(capture_0) Digital Piano MIDI 1",
            "Midi-Bridge:[24:0] Digital Piano MIDI 1 (capture)",
            "Midi-Bridge:Digital Piano MIDI 1 (capture)",
            "alsa_pcm:Digital-Piano/midi_capture_1",
        ] {
            assert!(carries_on(name, &piano), "{name}");
        }
        let odd = system("20:1", "USB (2.0) Keys:Out/é 1");
        for name in ["a2j:USB (2 0) Keys [20] (capture): [1] Out/  1", "Midi-Bridge:USB (2.0) Keys:(capture_1) Out/é 1"]
        {
            assert!(carries_on(name, &odd), "{name}");
        }
    }

    #[test]
    fn another_keyboard_another_port_and_what_is_no_bridge_are_not_the_same() {
        let piano = system("24:0", "Digital Piano:Digital Piano MIDI 1");
        for name in [
            "a2j:Digital Piano [28] (capture): Digital Piano MIDI 1",
            "a2j:Digital Piano [24] (capture): [1] Digital Piano MIDI 1",
            "a2j:Digital Piano [24] (capture): Digital Piano MIDI 2",
            "Midi-Bridge:Digital Piano:(capture_1) Digital Piano MIDI 1",
            "Midi-Bridge:[24:1] Digital Piano MIDI 1 (capture)",
            "Midi-Bridge:Digital Pianola MIDI 1 (capture)",
            "Digital Piano:Digital Piano MIDI 1",
            "system:midi_capture_1",
            "alsa_pcm:Digital-Piano/midi_capture_2",
            "alsa_pcm:Digital-Piano/midi_capture_0",
            "alsa_pcm:Digital-Piano/midi_playback_1",
            "alsa_pcm:Digital/midi_capture_1",
            "alsa_pcm:/midi_capture_1",
            "a2j:",
            "a2j:[",
            "Midi-Bridge:([)](",
        ] {
            assert!(!carries_on(name, &piano), "{name}");
        }
        // A name without a single letter is nobody's.
        assert!(!carries_on("Midi-Bridge:", &system("24:0", ":")));
        assert!(!carries_on("Midi-Bridge:é", &system("24:0", "é:ü")));
    }
}
