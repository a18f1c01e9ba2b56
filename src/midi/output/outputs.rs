//! The MIDI outputs of the system: listed live, known by what survives a replug, opened when a person chose them. Runs on
//! the control thread.

use std::collections::BTreeMap;

use super::dispatcher::{Order, Told};
use super::thread::OutputThread;
use super::{OutputPlan, Sink};
use crate::midi::SourceId;
use crate::midi::monitor::Monitor;
use crate::midi::ports::{Action, Choices, Device, Identity, Link, PortInfo, PortTable};
use crate::midi::watch::Rescans;
use crate::time::Micros;

/// The MIDI output that belongs to the audio driver itself, where it has one. Nothing is joined to it unasked, so it plays
/// the accompaniment unless a person chose otherwise.
pub const DRIVER_OUTPUT: &str = "JACK midi_out";

/// Where outputs come from: midir, the audio driver, or a fake in tests.
pub trait OutputSource: Send {
    /// The outputs of the system now; otherwise why there is no MIDI at all.
    ///
    /// # Errors
    /// In the system's words.
    fn list(&mut self) -> Result<Vec<PortInfo>, String>;

    /// Opens one.
    ///
    /// # Errors
    /// In the driver's words.
    fn open(&mut self, output: SourceId, port: &PortInfo) -> Result<Box<dyn Sink>, String>;

    /// Whether what is sent to an open output still reaches its port, as of the last list.
    fn is_alive(&mut self, output: SourceId) -> bool;
}

/// What happened to an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputChange {
    /// It is played on now.
    Opened(Identity),
    /// It is gone or was switched off.
    Closed(Identity),
    /// It is there but cannot be used, for this reason; told once for each reason, and tried again with the next list.
    Failed(Identity, String),
}

/// An output as the Devices screen shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputReport {
    /// Its number among the outputs of this run.
    pub output: SourceId,
    /// What it is known by.
    pub identity: Identity,
    /// Whether it is to be used when it is there.
    pub enabled: bool,
    /// What it is used for.
    pub plan: OutputPlan,
    /// How it stands.
    pub link: Link,
    /// Since when.
    pub since: Micros,
    /// What was sent to it lately; its `received` counts what was sent.
    pub monitor: Monitor,
}

/// All MIDI outputs.
pub struct MidiOutputs {
    source: Box<dyn OutputSource>,
    thread: OutputThread,
    table: PortTable,
    plans: BTreeMap<String, OutputPlan>,
    monitors: BTreeMap<SourceId, Monitor>,
    told: BTreeMap<SourceId, String>,
    rescans: Rescans,
}

impl MidiOutputs {
    /// Outputs of which none is open yet; `choices` and `plans` are those of earlier runs, by the text of an identity.
    pub fn new(
        source: Box<dyn OutputSource>,
        thread: OutputThread,
        choices: Choices,
        plans: BTreeMap<String, OutputPlan>,
    ) -> Self {
        let (monitors, told) = (BTreeMap::new(), BTreeMap::new());
        let table = PortTable::of_outputs(choices, |name| name == DRIVER_OUTPUT);
        Self { source, thread, table, plans, monitors, told, rescans: Rescans::default() }
    }

    /// When to list anew.
    pub fn rescans(&mut self) -> &mut Rescans {
        &mut self.rescans
    }

    /// Follows what was plugged in or out and takes in what was sent. Call it with the inputs'.
    pub fn poll(&mut self, now: Micros) -> Vec<OutputChange> {
        let mut changes = Vec::new();
        for told in self.thread.told().collect::<Vec<_>>() {
            match told {
                Told::Sent(output, seen) => {
                    let monitor = self.monitors.entry(output).or_default();
                    monitor.received += 1;
                    monitor.see(seen);
                }
                // One that is gone anyway fails to take its last messages: no news.
                Told::Failed(output, reason) if self.open_devices().any(|device| device.source == output) => {
                    changes.extend(self.failed(now, output, reason));
                }
                Told::Failed(..) => {}
            }
        }
        if !self.rescans.is_due(now) {
            return changes;
        }
        match self.source.list() {
            Ok(listed) => {
                self.rescans.listed(now);
                self.lose_dead(now, &mut changes);
                for action in self.table.update(now, &listed) {
                    changes.extend(self.carry_out(now, action));
                }
            }
            Err(_) => {
                // Why there is no MIDI is told by the inputs.
                self.rescans.failed(now);
                for action in self.table.update(now, &[]) {
                    if let Action::Disconnected { source } = action {
                        self.thread.order(Order::Leave(source));
                        changes.extend(self.device(source).map(|d| OutputChange::Closed(d.identity.clone())));
                    }
                }
            }
        }
        changes
    }

    /// A person's choice; takes effect with the next poll.
    pub fn set_enabled(&mut self, identity: &str, enabled: bool) {
        self.table.set_enabled(identity, enabled);
        self.rescans.hurry();
    }

    /// What an output is used for from now on.
    pub fn set_plan(&mut self, identity: &str, plan: OutputPlan) {
        self.plans.insert(identity.to_owned(), plan);
        if let Some(device) = self.open_devices().find(|device| device.identity.to_string() == identity) {
            self.thread.order(Order::Plan(device.source, plan));
        }
    }

    /// The outputs that are open, with their plans.
    pub fn open_plans(&self) -> impl Iterator<Item = (&Identity, OutputPlan)> {
        self.open_devices().map(|device| (&device.identity, self.plan(&device.identity)))
    }

    /// Messages sent since the start, as of the last poll.
    pub fn sent(&self) -> u64 {
        self.monitors.values().map(|monitor| monitor.received).sum()
    }

    /// The thread that sends.
    pub fn thread(&self) -> &OutputThread {
        &self.thread
    }

    /// Every output there is or was.
    pub fn report(&self) -> Vec<OutputReport> {
        let report = |device: &Device| OutputReport {
            output: device.source,
            identity: device.identity.clone(),
            enabled: device.enabled,
            plan: self.plan(&device.identity),
            link: device.link.clone(),
            since: device.since,
            monitor: self.monitors.get(&device.source).cloned().unwrap_or_default(),
        };
        self.table.devices().iter().map(report).collect()
    }

    /// Leaves every output as it was found and ends the thread; whether the drivers took the last messages in time.
    pub fn close(self) -> bool {
        self.thread.quit()
    }

    fn plan(&self, identity: &Identity) -> OutputPlan {
        let accompaniment = identity.name == DRIVER_OUTPUT;
        let by_default = OutputPlan { accompaniment, ..OutputPlan::default() };
        self.plans.get(&identity.to_string()).copied().unwrap_or(by_default)
    }

    fn open_devices(&self) -> impl Iterator<Item = &Device> {
        self.table.devices().iter().filter(|device| device.link == Link::Open)
    }

    fn device(&self, output: SourceId) -> Option<&Device> {
        self.table.devices().iter().find(|device| device.source == output)
    }

    fn failed(&mut self, now: Micros, output: SourceId, reason: String) -> Option<OutputChange> {
        let identity = self.device(output)?.identity.clone();
        self.table.failed(now, output, reason.clone());
        self.rescans.try_again(now);
        let is_news = self.told.insert(output, reason.clone()).as_ref() != Some(&reason);
        is_news.then_some(OutputChange::Failed(identity, reason))
    }

    /// A quick replug can leave a connection that reaches nothing while its port is listed as before.
    fn lose_dead(&mut self, now: Micros, changes: &mut Vec<OutputChange>) {
        let open: Vec<_> = self.open_devices().map(|device| (device.source, device.identity.clone())).collect();
        for (output, identity) in open {
            if !self.source.is_alive(output) {
                self.thread.order(Order::Gone(output));
                self.table.lost(now, output);
                changes.push(OutputChange::Closed(identity));
            }
        }
    }

    fn carry_out(&mut self, now: Micros, action: Action) -> Option<OutputChange> {
        match action {
            Action::Disconnected { source } => {
                let device = self.device(source)?;
                // One that was switched off is still there, and is left in order.
                let order = if device.link == Link::Off { Order::Leave(source) } else { Order::Gone(source) };
                let identity = device.identity.clone();
                self.thread.order(order);
                Some(OutputChange::Closed(identity))
            }
            Action::Connect { source, port } | Action::Reappeared { source, port } => {
                let identity = self.device(source)?.identity.clone();
                let plan = self.plan(&identity);
                let opened = self.source.open(source, &port).and_then(|sink| {
                    let order = Order::Open { output: source, device: identity.clone(), plan, sink };
                    if self.thread.order(order) { Ok(()) } else { Err("the MIDI outputs are held up".to_owned()) }
                });
                match opened {
                    Ok(()) => {
                        self.table.opened(now, source);
                        self.told.remove(&source);
                        Some(OutputChange::Opened(identity))
                    }
                    Err(reason) => self.failed(now, source, reason),
                }
            }
        }
    }
}
