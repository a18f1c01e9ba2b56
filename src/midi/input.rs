//! Several MIDI inputs at once: opens what is plugged in, lets go of what a lost device held, opens it again when it is
//! back. Runs on a control thread, by [`MidiInputs::poll`]; what listens to the system is behind [`PortSource`].

use std::collections::BTreeMap;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::SourceId;
use super::monitor::{Monitor, Seen};
use super::ports::{Action, Choices, Device, Identity, Link, PortInfo, PortTable};
use super::route::{Rings, Route, RouteView};
use super::watch::Rescans;
use crate::time::{Micros, Stamp};

/// Where ports come from: midir, or a fake in tests.
pub trait PortSource {
    /// An open port.
    type Connection;

    /// The ports of the system now; otherwise why there is no MIDI at all.
    fn list(&mut self) -> Result<Vec<PortInfo>, String>;

    /// Opens a port: from now on its bytes go into `lease`. On failure the lease is dropped and the reason returned.
    fn open(&mut self, source: SourceId, port: &PortInfo, lease: Lease) -> Result<Self::Connection, String>;

    /// Whether the connection still hears its port, as of the last list; `true` when that cannot be known.
    fn is_alive(&mut self, connection: &Self::Connection) -> bool;

    /// Closes a connection, and waits until its callback has ended and its lease is dropped where that can be waited for;
    /// elsewhere the lease is dropped soon, and what is held is let go with the next poll.
    fn close(&mut self, connection: Self::Connection);
}

/// A route lent to a driver's callback. However the callback ends, the route comes home when the lease is dropped.
pub struct Lease {
    route: Option<Box<Route>>,
    home: Sender<Box<Route>>,
}

impl Lease {
    /// Takes what the driver delivered in one piece; wait-free, allocates nothing.
    pub fn receive(&mut self, stamp: Stamp, bytes: &[u8]) {
        if let Some(route) = &mut self.route {
            route.receive(stamp, bytes);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(route) = self.route.take() {
            // One route, one slot: it is refused only when nobody waits for it any more.
            let _ = self.home.try_send(route);
        }
    }
}

/// Makes the rings for a device seen for the first time, and gives their other ends to the engine and to the bus.
/// `None` when the engine takes no further source.
pub type RingMaker = Box<dyn FnMut(SourceId, &Identity) -> Option<Rings> + Send>;

/// What happened to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It plays now.
    Opened(SourceId, Identity),
    /// It is gone or was switched off; its notes are released.
    Closed(SourceId, Identity),
    /// It is there but cannot be used, for this reason; told once for each reason, and tried again with each list.
    Failed(SourceId, Identity, String),
    /// There is no MIDI on this machine, for this reason; asked again from time to time.
    NoMidi(String),
    /// There is MIDI again.
    MidiBack,
}

/// A device as the Devices screen shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceReport {
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
    /// What it sent lately.
    pub monitor: Monitor,
}

/// All MIDI inputs of the system.
pub struct MidiInputs<S: PortSource> {
    system: S,
    table: PortTable,
    inputs: BTreeMap<SourceId, Input<S::Connection>>,
    make_rings: RingMaker,
    rescans: Rescans,
    fault: Option<String>,
    /// Why a device could not be opened the last time.
    told: BTreeMap<SourceId, String>,
}

struct Input<C> {
    connection: Option<C>,
    /// At home while no connection holds it.
    route: Option<Box<Route>>,
    coming_home: Receiver<Box<Route>>,
    view: RouteView,
    monitor: Monitor,
}

impl<C> Input<C> {
    fn new(source: SourceId, rings: Rings) -> Self {
        let (route, view) = Route::new(source, rings);
        let (_, nobody) = bounded(1);
        Self { connection: None, route: Some(Box::new(route)), coming_home: nobody, view, monitor: Monitor::default() }
    }

    /// Whether it is closed, and its route is still with the driver.
    fn is_closing(&self) -> bool {
        self.connection.is_none() && self.route.is_none()
    }

    fn lend(&mut self) -> Option<Lease> {
        let route = self.route.take()?;
        let (home, coming_home) = bounded(1);
        self.coming_home = coming_home;
        Some(Lease { route: Some(route), home })
    }

    fn take_home(&mut self, now: Micros) {
        if let Ok(mut route) = self.coming_home.try_recv() {
            route.release_all(Stamp::at(now));
            self.route = Some(route);
        }
    }

    fn refresh(&mut self, now: Micros) {
        self.take_home(now);
        if let Some(route) = &mut self.route {
            route.settle(Stamp::at(now));
        }
        self.monitor.refresh(&mut self.view);
    }
}

impl Monitor {
    /// Takes in what a route's thread has left for it.
    pub(super) fn refresh(&mut self, view: &mut RouteView) {
        while let Ok(live) = view.monitor.pop() {
            self.see(Seen { at: live.stamp.mono, message: live.message });
        }
        self.received = view.counts.received();
        self.malformed = view.counts.malformed();
        self.engine_lost = view.counts.engine_lost();
        self.not_shown = view.counts.monitor_lost();
    }
}

impl<S: PortSource> MidiInputs<S> {
    /// Inputs of which none is open yet; `choices` are those a person made in earlier runs.
    pub fn new(system: S, choices: Choices, make_rings: RingMaker) -> Self {
        let table = PortTable::new(choices);
        Self::with_table(system, table, make_rings)
    }

    /// The same with a table of its own.
    pub fn with_table(system: S, table: PortTable, make_rings: RingMaker) -> Self {
        let (inputs, told) = (BTreeMap::new(), BTreeMap::new());
        Self { system, table, inputs, make_rings, rescans: Rescans::default(), fault: None, told }
    }

    /// When to list anew.
    pub fn rescans(&mut self) -> &mut Rescans {
        &mut self.rescans
    }

    /// Refreshes the monitors and, when it is time ([`MidiInputs::rescans`]), follows what was plugged in or out. Call
    /// it at least once a second, more often for a lively monitor. May block for some milliseconds while a port opens.
    pub fn poll(&mut self, now: Micros) -> Vec<Change> {
        self.refresh(now);
        if !self.rescans.is_due(now) {
            return Vec::new();
        }
        match self.system.list() {
            Ok(listed) => {
                self.rescans.listed(now);
                let mut changes: Vec<_> = self.fault.take().map(|_| Change::MidiBack).into_iter().collect();
                self.close_dead(now, &mut changes);
                for action in self.table.update(now, &listed) {
                    changes.extend(self.carry_out(now, action));
                }
                changes
            }
            Err(reason) => self.no_midi(now, reason),
        }
    }

    /// Refreshes the monitors, and lets go of what was held where a driver has come to an end.
    pub fn refresh(&mut self, now: Micros) {
        for input in self.inputs.values_mut() {
            input.refresh(now);
        }
    }

    /// Where the ports come from.
    pub fn system(&mut self) -> &mut S {
        &mut self.system
    }

    /// A person's choice; takes effect with the next poll.
    pub fn set_enabled(&mut self, identity: &str, enabled: bool) {
        self.table.set_enabled(identity, enabled);
        self.rescans.hurry();
    }

    /// Why there is no MIDI on this machine, if there is none.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Every device seen in this run, as of the last poll.
    pub fn report(&self) -> Vec<DeviceReport> {
        let report = |device: &Device| DeviceReport {
            source: device.source,
            identity: device.identity.clone(),
            enabled: device.enabled,
            link: device.link.clone(),
            since: device.since,
            monitor: self.inputs.get(&device.source).map(|input| input.monitor.clone()).unwrap_or_default(),
        };
        self.table.devices().iter().map(report).collect()
    }

    /// The ports that are open; without the numbers in their names.
    pub fn open_ports(&self) -> Vec<PortInfo> {
        self.table.devices().iter().filter_map(Device::open_port).collect()
    }

    /// Gives up what is kept for the device that was closed longest ago; it is counted anew when it is back. `None` if no
    /// device is closed and all its notes are released.
    pub fn give_back(&mut self) -> Option<SourceId> {
        let is_closed = |source: &SourceId| {
            self.inputs.get(source).is_some_and(|input| input.connection.is_none() && input.route.is_some())
        };
        let devices = self.table.devices().iter().filter(|device| is_closed(&device.source));
        let source = devices.min_by_key(|device| device.since)?.source;
        self.inputs.remove(&source).map(|_| source)
    }

    /// Closes everything and releases all notes, before the program ends.
    pub fn close_all(&mut self, now: Micros) {
        let sources: Vec<_> = self.inputs.keys().copied().collect();
        for source in sources {
            self.close(now, source);
            self.table.lost(now, source);
        }
    }

    fn no_midi(&mut self, now: Micros, reason: String) -> Vec<Change> {
        self.rescans.failed(now);
        let is_news = self.fault.as_ref() != Some(&reason);
        self.fault = Some(reason.clone());
        if is_news { vec![Change::NoMidi(reason)] } else { Vec::new() }
    }

    /// A quick replug can leave a connection that hears nothing while its port is listed as before.
    fn close_dead(&mut self, now: Micros, changes: &mut Vec<Change>) {
        // A driver that gave the route back by itself has ended.
        let is_dead = |input: &Input<S::Connection>, system: &mut S| {
            let is_dead = |connection| input.route.is_some() || !system.is_alive(connection);
            input.connection.as_ref().is_some_and(is_dead)
        };
        let dead: Vec<_> = self
            .inputs
            .iter()
            .filter(|(_, input)| is_dead(input, &mut self.system))
            .map(|(source, _)| *source)
            .collect();
        for source in dead {
            self.close(now, source);
            self.table.lost(now, source);
            changes.extend(self.identity(source).map(|identity| Change::Closed(source, identity)));
        }
    }

    fn carry_out(&mut self, now: Micros, action: Action) -> Option<Change> {
        match action {
            Action::Disconnected { source } => {
                self.close(now, source);
                Some(Change::Closed(source, self.identity(source)?))
            }
            Action::Connect { source, port } | Action::Reappeared { source, port } => {
                let identity = self.identity(source)?;
                if self.inputs.get(&source).is_some_and(Input::is_closing) {
                    // Its driver has not let it go yet.
                    self.rescans.hurry();
                    return None;
                }
                match self.open(now, source, &port) {
                    Ok(()) => {
                        self.table.opened(now, source);
                        self.told.remove(&source);
                        Some(Change::Opened(source, identity))
                    }
                    Err(reason) => {
                        self.table.failed(now, source, reason.clone());
                        self.rescans.try_again(now);
                        let is_news = self.told.insert(source, reason.clone()).as_ref() != Some(&reason);
                        is_news.then_some(Change::Failed(source, identity, reason))
                    }
                }
            }
        }
    }

    fn close(&mut self, now: Micros, source: SourceId) {
        if let Some(input) = self.inputs.get_mut(&source) {
            if let Some(connection) = input.connection.take() {
                self.system.close(connection);
            }
            input.refresh(now);
        }
    }

    fn open(&mut self, now: Micros, source: SourceId, port: &PortInfo) -> Result<(), String> {
        let is_usable = |input: &Input<S::Connection>| input.route.is_some();
        if !self.inputs.get(&source).is_some_and(is_usable) {
            let identity = self.identity(source).ok_or("the device is not known")?;
            let rings = (self.make_rings)(source, &identity).ok_or("no more devices can be played at one time")?;
            self.inputs.insert(source, Input::new(source, rings));
        }
        let input = self.inputs.get_mut(&source).ok_or("the device is not known")?;
        let lease = input.lend().ok_or("the device is open already")?;
        match self.system.open(source, port, lease) {
            Ok(connection) => {
                input.connection = Some(connection);
                Ok(())
            }
            Err(reason) => {
                input.take_home(now);
                Err(reason)
            }
        }
    }

    /// Whether the program sounds what is played at a device, and whether it may be sent on to another.
    pub fn set_ways(&mut self, source: SourceId, sounds: bool, sent_on: bool) {
        if let Some(input) = self.inputs.get(&source) {
            input.view.counts.set_ways(sounds, sent_on);
        }
    }

    fn identity(&self, source: SourceId) -> Option<Identity> {
        self.table.devices().iter().find(|device| device.source == source).map(|device| device.identity.clone())
    }
}
