//! Which ports there are and which device each belongs to, from lists taken about once a second. A pure state machine:
//! lists in, actions out; it opens nothing.
//!
//! A device is known by its name without the numbers that ALSA appends, and by its place among devices of the same
//! name. The system's id of a port is a hint only: on Linux it changes with the order of plugging in.

use std::collections::BTreeMap;
use std::fmt;

use super::SourceId;
use crate::time::Micros;

/// The most devices known at one time, those unplugged included; later ones are left out.
pub const DEVICES_MAX: usize = 64;

/// A port as the system lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInfo {
    /// The system's id: `24:0` with ALSA, a unique number or path elsewhere.
    pub id: String,
    /// The system's name for it, with whatever numbers it appends.
    pub name: String,
}

/// What a device is known by over unplugging, restarts and days.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The name without trailing `client:port` numbers.
    pub name: String,
    /// Its place among devices of the same name, from 0.
    pub occurrence: u16,
}

impl fmt::Display for Identity {
    /// The name; `(2)` and so on after it for further devices of the same name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.occurrence {
            0 => f.write_str(&self.name),
            n => write!(f, "{} ({})", self.name, u32::from(n) + 1),
        }
    }
}

/// The part of a port's name that stays: ALSA's `Piano:Piano MIDI 1 24:0` without ` 24:0`.
pub fn stable_name(name: &str) -> &str {
    let name = name.trim_end();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match name.rsplit_once(' ') {
        Some((front, numbers)) if numbers.split_once(':').is_some_and(|(a, b)| is_number(a) && is_number(b)) => {
            front.trim_end()
        }
        _ => name,
    }
}

/// Whether a port is used without being asked for: not those that only pass on what other programs play.
pub fn is_on_by_default(name: &str) -> bool {
    let name = name.to_lowercase();
    !(name.contains("midi through") || name.contains("midi thru") || name.starts_with("pipewire-"))
}

/// How a device stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It is not plugged in.
    Away,
    /// It is there, but switched off by choice or by default.
    Off,
    /// It is there and should be opened: an action says so, the outcome is awaited.
    Opening,
    /// It is open.
    Open,
    /// It is there but could not be opened, for this reason; tried again with the next list.
    Failed(String),
}

/// What is to be done after a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a device that was not open before in this run.
    Connect {
        /// Which device.
        source: SourceId,
        /// Where it is.
        port: PortInfo,
    },
    /// Close what is left of a device and release all its notes.
    Disconnected {
        /// Which device.
        source: SourceId,
    },
    /// Open a device that was open before.
    Reappeared {
        /// Which device.
        source: SourceId,
        /// Where it is now.
        port: PortInfo,
    },
}

/// A device, plugged in or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number in this run.
    pub source: SourceId,
    /// What it is known by.
    pub identity: Identity,
    /// Whether it is to be used when it is there.
    pub enabled: bool,
    /// How it stands.
    pub link: Link,
    /// Since when.
    pub since: Micros,
    id: String,
    was_open: bool,
}

/// Which devices a person switched on or off, by the text of their identity.
pub type Choices = BTreeMap<String, bool>;

/// All devices seen in this run.
#[derive(Clone, Debug)]
pub struct PortTable {
    devices: Vec<Device>,
    choices: Choices,
    /// Whether a device that nobody chose is used, by its name.
    by_default: fn(&str) -> bool,
    /// The number of the first device.
    first: SourceId,
}

impl Default for PortTable {
    fn default() -> Self {
        Self::new(Choices::new())
    }
}

impl PortTable {
    /// A table of inputs that knows no device but what was chosen in earlier runs.
    pub fn new(choices: Choices) -> Self {
        Self { devices: Vec::new(), choices, by_default: is_on_by_default, first: SourceId::FIRST_PORT }
    }

    /// A table of outputs; of those that nobody chose, these are used.
    pub fn of_outputs(choices: Choices, by_default: fn(&str) -> bool) -> Self {
        Self { by_default, ..Self::new(choices) }
    }

    /// The same for devices whose numbers begin with `first`.
    pub fn numbered_from(self, first: SourceId) -> Self {
        Self { first, ..self }
    }

    /// The devices, in the order in which they were first seen.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// A person's choice; takes effect with the next list.
    pub fn set_enabled(&mut self, identity: &str, enabled: bool) {
        self.choices.insert(identity.to_owned(), enabled);
        if let Some(device) = self.devices.iter_mut().find(|device| device.identity.to_string() == identity) {
            device.enabled = enabled;
        }
    }

    /// The opening that an action asked for succeeded.
    pub fn opened(&mut self, now: Micros, source: SourceId) {
        if let Some(device) = self.device_mut(source) {
            device.was_open = true;
            device.change(now, Link::Open);
        }
    }

    /// The opening that an action asked for failed.
    pub fn failed(&mut self, now: Micros, source: SourceId, reason: String) {
        if let Some(device) = self.device_mut(source) {
            device.change(now, Link::Failed(reason));
        }
    }

    /// An open device was found dead although its port may be listed, as after a quick replug. The caller closes it.
    pub fn lost(&mut self, now: Micros, source: SourceId) {
        if let Some(device) = self.device_mut(source) {
            device.change(now, Link::Away);
        }
    }

    /// Compares with what the system lists now. Actions are in the order in which they must be carried out; after each
    /// `Connect` or `Reappeared` the outcome is to be reported.
    pub fn update(&mut self, now: Micros, listed: &[PortInfo]) -> Vec<Action> {
        let holders = self.assign(now, listed);
        let mut closings = Vec::new();
        let mut openings = Vec::new();
        for (index, device) in self.devices.iter_mut().enumerate() {
            let port = holders.iter().position(|holder| *holder == Some(index)).map(|place| &listed[place]);
            let (closing, opening) = device.follow(now, port);
            closings.extend(closing);
            openings.extend(opening);
        }
        closings.extend(openings);
        closings
    }

    /// Which device each listed port belongs to; new devices are added. `None` only beyond [`DEVICES_MAX`].
    fn assign(&mut self, now: Micros, listed: &[PortInfo]) -> Vec<Option<usize>> {
        let mut holders = vec![None; listed.len()];
        let mut taken = vec![false; self.devices.len()];
        // First those that did not move, then those that are back where they were, then whoever has the name.
        let rules: [fn(&Device, &PortInfo) -> bool; 3] = [
            |device, port| device.link != Link::Away && device.id == port.id,
            |device, port| device.id == port.id,
            |_, _| true,
        ];
        for rule in rules {
            for (holder, port) in holders.iter_mut().zip(listed).filter(|(holder, _)| holder.is_none()) {
                let name = stable_name(&port.name);
                let candidates = self
                    .devices
                    .iter()
                    .enumerate()
                    .filter(|(index, device)| !taken[*index] && device.identity.name == name && rule(device, port));
                if let Some((index, _)) = candidates.min_by_key(|(_, device)| device.identity.occurrence) {
                    taken[index] = true;
                    *holder = Some(index);
                }
            }
        }
        for (holder, port) in holders.iter_mut().zip(listed).filter(|(holder, _)| holder.is_none()) {
            *holder = self.add(now, port);
        }
        holders
    }

    fn add(&mut self, now: Micros, port: &PortInfo) -> Option<usize> {
        if self.devices.len() == DEVICES_MAX {
            return None;
        }
        let name = stable_name(&port.name);
        let occurrence = self.devices.iter().filter(|device| device.identity.name == name).count() as u16;
        let identity = Identity { name: name.to_owned(), occurrence };
        let choice = self.choices.get(&identity.to_string()).copied();
        self.devices.push(Device {
            source: SourceId(self.first.0 + self.devices.len() as u16),
            enabled: choice.unwrap_or_else(|| (self.by_default)(name)),
            identity,
            link: Link::Away,
            since: now,
            id: port.id.clone(),
            was_open: false,
        });
        Some(self.devices.len() - 1)
    }

    fn device_mut(&mut self, source: SourceId) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.source == source)
    }
}

impl Device {
    /// Where it is, if it is open or is to stay closed: then nobody wants to hear it in another way either.
    pub fn settled_port(&self) -> Option<PortInfo> {
        matches!(self.link, Link::Open | Link::Off)
            .then(|| PortInfo { id: self.id.clone(), name: self.identity.name.clone() })
    }

    /// What to close and what to open, given where the device is listed now.
    fn follow(&mut self, now: Micros, port: Option<&PortInfo>) -> (Option<Action>, Option<Action>) {
        let source = self.source;
        let Some(port) = port else {
            let was_open = self.link == Link::Open;
            self.change(now, Link::Away);
            return (was_open.then_some(Action::Disconnected { source }), None);
        };
        let moved = self.id != port.id;
        self.id.clone_from(&port.id);
        let must_close = self.link == Link::Open && (moved || !self.enabled);
        let closing = must_close.then_some(Action::Disconnected { source });
        if !self.enabled {
            self.change(now, Link::Off);
            return (closing, None);
        }
        if self.link == Link::Open && !must_close {
            return (None, None);
        }
        self.change(now, Link::Opening);
        let port = port.clone();
        let opening =
            if self.was_open { Action::Reappeared { source, port } } else { Action::Connect { source, port } };
        (closing, Some(opening))
    }

    fn change(&mut self, now: Micros, link: Link) {
        if self.link != link {
            self.since = now;
            self.link = link;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SourceId = SourceId::FIRST_PORT;
    const B: SourceId = SourceId(A.0 + 1);

    fn port(id: &str, name: &str) -> PortInfo {
        PortInfo { id: id.to_owned(), name: format!("{name} {id}") }
    }

    /// A table to which every opening succeeds; actions as short text.
    #[derive(Default)]
    struct Bench {
        table: PortTable,
        now: Micros,
    }

    impl Bench {
        #[track_caller]
        fn check(&mut self, listed: &[PortInfo], expected: &[&str]) {
            self.now += Micros::SECOND;
            let actions = self.table.update(self.now, listed);
            let texts = actions.iter().map(|action| match action {
                Action::Connect { source, port } => format!("connect {} at {}", source.0 - A.0, port.id),
                Action::Disconnected { source } => format!("disconnected {}", source.0 - A.0),
                Action::Reappeared { source, port } => format!("reappeared {} at {}", source.0 - A.0, port.id),
            });
            assert_eq!(texts.collect::<Vec<_>>(), expected);
            for action in actions {
                if let Action::Connect { source, .. } | Action::Reappeared { source, .. } = action {
                    self.table.opened(self.now, source);
                }
            }
        }
    }

    #[test]
    fn names_lose_the_numbers_that_alsa_appends_and_nothing_else() {
        for (name, expected) in [
            ("Piano:Piano MIDI 1 24:0", "Piano:Piano MIDI 1"),
            ("Piano 24:", "Piano 24:"),
            ("Piano 2", "Piano 2"),
            ("Synth 3:x", "Synth 3:x"),
            ("24:0", "24:0"),
            ("", ""),
        ] {
            assert_eq!(stable_name(name), expected);
        }
    }

    #[test]
    fn a_device_is_opened_closed_when_gone_and_opened_again_under_another_id() {
        let mut bench = Bench::default();
        bench.check(&[port("24:0", "Piano")], &["connect 0 at 24:0"]);
        bench.check(&[port("24:0", "Piano")], &[]);
        bench.check(&[], &["disconnected 0"]);
        bench.check(&[port("28:0", "Piano")], &["reappeared 0 at 28:0"]);
        assert_eq!(bench.table.devices().len(), 1);
    }

    #[test]
    fn a_replug_between_two_lists_closes_the_dead_connection_first() {
        let mut bench = Bench::default();
        bench.check(&[port("24:0", "Piano")], &["connect 0 at 24:0"]);
        bench.check(&[port("28:0", "Piano")], &["disconnected 0", "reappeared 0 at 28:0"]);
        bench.table.lost(bench.now, A);
        bench.check(&[port("28:0", "Piano")], &["reappeared 0 at 28:0"]);
    }

    #[test]
    fn of_identical_keyboards_the_one_that_stays_is_left_alone() {
        let mut bench = Bench::default();
        let (first, second) = (port("24:0", "Piano"), port("28:0", "Piano"));
        bench.check(&[first.clone(), second.clone()], &["connect 0 at 24:0", "connect 1 at 28:0"]);
        bench.check(std::slice::from_ref(&second), &["disconnected 0"]);
        bench.check(&[second, port("32:0", "Piano")], &["reappeared 0 at 32:0"]);
        let names: Vec<_> = bench.table.devices().iter().map(|device| device.identity.to_string()).collect();
        assert_eq!(names, ["Piano", "Piano (2)"]);
    }

    #[test]
    fn through_ports_are_off_until_someone_wants_them() {
        let mut bench = Bench::default();
        let through = port("14:0", "Midi Through:Midi Through Port-0");
        bench.check(std::slice::from_ref(&through), &[]);
        assert_eq!(bench.table.devices()[0].link, Link::Off);
        let identity = bench.table.devices()[0].identity.clone();
        let name = identity.name.clone();
        let settled = Some(PortInfo { id: "14:0".to_owned(), name });
        assert_eq!(bench.table.devices()[0].settled_port(), settled, "it stays closed");
        bench.table.set_enabled(&identity.to_string(), true);
        bench.check(std::slice::from_ref(&through), &["connect 0 at 14:0"]);
        assert_eq!(bench.table.devices()[0].settled_port(), settled, "it is open");
        bench.table.set_enabled(&identity.to_string(), false);
        bench.check(&[through], &["disconnected 0"]);
        bench.check(&[], &[]);
        assert_eq!(bench.table.devices()[0].settled_port(), None, "it is gone");
    }

    #[test]
    fn a_choice_of_an_earlier_run_holds() {
        let choices = Choices::from([("Piano (2)".to_owned(), false)]);
        let mut bench = Bench { table: PortTable::new(choices), now: Micros::ZERO };
        bench.check(&[port("24:0", "Piano"), port("28:0", "Piano")], &["connect 0 at 24:0"]);
    }

    #[test]
    fn a_device_that_cannot_be_opened_is_tried_again_with_each_list() {
        let mut table = PortTable::default();
        let listed = [port("24:0", "Piano")];
        for now in [Micros(1), Micros(2)] {
            let actions = table.update(now, &listed);
            assert_eq!(actions, [Action::Connect { source: A, port: listed[0].clone() }]);
            table.failed(now, A, "busy".to_owned());
        }
        table.opened(Micros(3), A);
        assert_eq!(table.update(Micros(4), &listed), []);
        assert_eq!(table.devices()[0].since, Micros(3));
    }

    #[test]
    fn more_devices_than_the_table_holds_are_left_out() {
        let listed: Vec<_> = (0..DEVICES_MAX + 5).map(|n| port(&format!("{n}:0"), &format!("Piano {n}"))).collect();
        let mut table = PortTable::default();
        assert_eq!(table.update(Micros(1), &listed).len(), DEVICES_MAX);
        assert_eq!(table.devices()[1].source, B);
    }
}
