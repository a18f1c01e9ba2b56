//! Which messages may be sent on from one instrument to another, so that nothing ever goes round in circles.

use std::collections::{BTreeMap, VecDeque};

use crate::midi::message::Message;
use crate::midi::ports::Identity;
use crate::midi::{LiveMidi, SourceId};
use crate::time::Micros;

/// The same message within this time is an echo, wherever it comes from: a cable or a program that joins an output to
/// an input takes a few milliseconds, and no key is struck again equally hard so soon (the fastest repetitions of a grand
/// piano are 70 ms apart).
const ECHO: Micros = Micros::from_millis(50);
/// Messages remembered; more do not come within [`ECHO`] from hands.
const REMEMBERED: usize = 256;

/// The rules, and what they need to remember.
///
/// A message goes from device to device only along the order of the outputs, and never to the device it came from; so no
/// way through devices leads back, whatever they send on themselves. Ways outside the devices (a cable or a program from
/// an output to another device's input) are known by their echo, unless they take longer than [`ECHO`].
///
/// A pedal that bounces down, up and down looks like its own echo. An echo of what goes down is followed by that of what
/// comes up; what is still down after [`ECHO`], while it was sent on as up, was none, and is sent on then.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    devices: BTreeMap<SourceId, Identity>,
    recent: VecDeque<(Micros, Message)>,
    /// What was taken for an echo and has not ended, and when it is known to be none.
    held_back: Vec<(Micros, LiveMidi)>,
    /// The last message sent on of each key and controller.
    last: BTreeMap<(u8, u8), Message>,
}

impl Echoes {
    /// Which device a source is.
    pub(super) fn know(&mut self, source: SourceId, device: Identity) {
        self.devices.insert(source, device);
    }

    /// Whether a message is news, and not one that was sent on a moment ago and came back.
    pub(super) fn is_news(&mut self, now: Micros, live: LiveMidi) -> bool {
        while self.recent.front().is_some_and(|(at, ..)| (now - *at).0 > ECHO.0) {
            self.recent.pop_front();
        }
        let of = subject(live.message);
        self.held_back.retain(|(_, old)| old.source != live.source || subject(old.message) != of);
        let echo = self.recent.iter().any(|(_, old)| same(*old, live.message));
        if !echo {
            self.remember(now, live.message);
        } else if begins(live.message) && self.held_back.len() < REMEMBERED {
            self.held_back.push((now + ECHO, live));
        }
        !echo
    }

    /// A message is sent on.
    pub(super) fn passed(&mut self, message: Message) {
        self.last.extend(subject(message).map(|of| (of, message)));
    }

    /// What was taken for an echo and turns out to be none now; it is to be sent on.
    pub(super) fn no_echoes(&mut self, now: Micros) -> Vec<LiveMidi> {
        let last = &self.last;
        let is_up = |message| subject(message).and_then(|of| last.get(&of)).is_some_and(|last| !begins(*last));
        let due = |(at, _): &mut (Micros, LiveMidi)| at.0 <= now.0;
        let over: Vec<_> = self.held_back.extract_if(.., due).map(|(_, live)| live).collect();
        let none: Vec<_> = over.into_iter().filter(|live| is_up(live.message)).collect();
        for live in &none {
            self.remember(now, live.message);
            self.passed(live.message);
        }
        none
    }

    fn remember(&mut self, now: Micros, message: Message) {
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((now, message));
    }

    /// Whether what is played at `source` may be sent to the output at place `to`; `targets` are the devices that others
    /// are sent on to, in their order.
    pub(super) fn may_pass(&self, source: SourceId, to: usize, targets: &[&Identity]) -> bool {
        let Some(device) = self.devices.get(&source) else { return true };
        match targets.iter().position(|target| *target == device) {
            Some(place) => place < to,
            None => true,
        }
    }
}

/// Which key or controller a message moves, on whatever channel.
fn subject(message: Message) -> Option<(u8, u8)> {
    match message {
        Message::NoteOn { pitch, .. } | Message::NoteOff { pitch, .. } => Some((0x90, pitch.key())),
        Message::Control { controller, .. } => Some((0xb0, controller)),
        _ => None,
    }
}

/// Whether something goes down.
fn begins(message: Message) -> bool {
    matches!(message, Message::NoteOn { .. } | Message::Control { value: 1.., .. })
}

/// Whether two messages say the same, on whatever channel.
fn same(a: Message, b: Message) -> bool {
    let (a, b) = (a.encode(), b.encode());
    a[0] & 0xf0 == b[0] & 0xf0 && a[1..] == b[1..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Pitch;
    use crate::time::Stamp;

    fn device(name: &str) -> Identity {
        Identity { name: name.to_owned(), occurrence: 0 }
    }

    #[test]
    fn no_set_of_devices_has_a_way_round() {
        let names = ["a", "b", "c", "d"].map(device);
        let targets: Vec<_> = names.iter().collect();
        let mut echoes = Echoes::default();
        for (n, name) in names.iter().enumerate() {
            echoes.know(SourceId(16 + n as u16), name.clone());
        }
        // From each device on to all it may be sent to: after as many steps as there are devices nothing is left.
        let mut reached: Vec<usize> = (0..4).collect();
        for _ in 0..4 {
            let next = |from: usize| {
                let echoes = &echoes;
                let targets = &targets;
                (0..4).filter(move |to| echoes.may_pass(SourceId(16 + from as u16), *to, targets))
            };
            reached = reached.into_iter().flat_map(next).collect();
        }
        assert_eq!(reached, [0; 0]);
        assert!(echoes.may_pass(SourceId(16), 1, &targets) && !echoes.may_pass(SourceId(17), 0, &targets));
        assert!(echoes.may_pass(SourceId::VIRTUAL, 0, &targets), "the keys of the window are no device");
    }

    #[test]
    fn what_comes_back_by_another_way_is_an_echo_and_a_trill_is_not() {
        let mut echoes = Echoes::default();
        let live = |message| LiveMidi { stamp: Stamp::at(Micros(0)), source: SourceId(16), message };
        let on = |channel| live(Message::NoteOn { channel, pitch: Pitch::MIDDLE_C, velocity: 80 });
        let off = live(Message::NoteOff { channel: 0, pitch: Pitch::MIDDLE_C, velocity: 64 });
        assert!(echoes.is_news(Micros(0), on(0)));
        assert!(!echoes.is_news(Micros(4_000), on(3)));
        assert!(echoes.is_news(Micros(30_000), off));
        assert!(echoes.is_news(Micros(60_000), on(0)), "the same key again");
    }
}
