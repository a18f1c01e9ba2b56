//! The control thread: owns the engine, the sound device, the MIDI inputs and the practice session, and is the only one
//! that tells the engine anything. It sleeps until something comes: a wish of the window, an event of the bus, or the
//! next moment at which a device or the session wants to be looked after.

mod calibration;
mod desk;
mod effects;
mod following;
mod missing;
mod opening;
mod settling;
mod stand;
mod waking;
mod wishes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, bounded, never, select};
use rtrb::Consumer;

pub use self::desk::{Desk, Notice};
pub use self::wishes::Wish;

use self::calibration::Calibrating;
use self::missing::Missing;
use self::opening::Opening;
use self::settling::Settlers;
use self::waking::Waking;
use crate::audio::{Command as EngineCommand, Engine, OutletEnds, OwnSound};
use crate::bus::lab::Lab;
use crate::bus::supervision::{Panicked, Supervisor};
use crate::bus::{BusHandle, Filter, LiveSubscription, Publish};
use crate::components::devices::{DriverInput, MidiDesk, SoundDesk};
use crate::components::library::Library;
use crate::components::openings::Openings;
use crate::components::player::Player;
use crate::components::session::{Fresh, Session};
use crate::model::{CalibrationStand, Event, PieceId, Settings, TakeEnd, TakeId, TakeStart, Trainer, recorder_entity};
use crate::practice::PracticeSettings;
use crate::time::{Clock, Micros, Stamp};

/// Wishes that may wait; a person makes a few a second.
const WISHES: usize = 256;
/// Events of the bus that may wait: some seconds of dense playing.
const EVENTS: usize = 16_384;
/// How often a running session and the engine are looked after.
const LIVELY: Duration = Duration::from_millis(5);
/// How often devices are looked after when nothing else happens.
const QUIET: Duration = Duration::from_millis(200);
/// How long a slider rests before its value is published.
const SETTLE: Micros = Micros::from_millis(250);
/// How long a change of takes may take to be applied before the music goes on without waiting.
const SWITCH_WAIT: Duration = Duration::from_millis(250);

/// The window's side of the control thread.
pub struct Control {
    wishes: Sender<Wish>,
    desk: Arc<ArcSwap<Desk>>,
    thread: Option<JoinHandle<()>>,
}

/// What the control thread is made of.
pub struct Parts {
    /// The bus.
    pub bus: BusHandle<Trainer>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The engine's control side.
    pub engine: Engine,
    /// The sound device.
    pub sound: SoundDesk,
    /// The take that is recorded from the start.
    pub take: TakeId,
    /// Settings in force.
    pub settings: Settings,
    /// Whether MIDI ports are opened.
    pub midi: bool,
    /// Drivers that are left out.
    pub openings: Openings,
    /// What the program plays by itself, for instruments outside.
    pub outlet: OutletEnds,
    /// The same for the microphone, which may hear it.
    pub own_sounds: Consumer<(Stamp, OwnSound)>,
    /// What goes wrong on purpose.
    pub lab: Arc<Lab>,
    /// Asks the window to draw again.
    pub repaint: Arc<dyn Fn() + Send + Sync>,
}

impl Control {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(parts: Parts) -> Result<Self, std::io::Error> {
        let (wishes, wishes_out) = bounded(WISHES);
        let desk = Arc::new(ArcSwap::from_pointee(Desk::default()));
        let shown = desk.clone();
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            Worker::new(parts, wishes_out, shown).run();
        })?;
        Ok(Self { wishes, desk, thread: Some(thread) })
    }

    /// Hands over a wish; whether there was room.
    pub fn wish(&self, wish: Wish) -> bool {
        self.wishes.try_send(wish).is_ok()
    }

    /// What is on the desk now.
    pub fn desk(&self) -> Arc<Desk> {
        self.desk.load_full()
    }

    /// Ends the take, the sound and the thread.
    pub fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A full queue is being worked off; quitting can wait for that.
            let _ = self.wishes.send(Wish::Quit);
            let _ = thread.join();
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    bus: BusHandle<Trainer>,
    clock: Arc<dyn Clock>,
    engine: Engine,
    sound: SoundDesk,
    midi: MidiDesk,
    midi_in: DriverInput,
    session: Session,
    library: Library,
    opening: Opening,
    wishes: Receiver<Wish>,
    events: LiveSubscription<Trainer>,
    desk: Arc<ArcSwap<Desk>>,
    settings: Settings,
    held: u128,
    notices: Vec<Notice>,
    next_notice: u64,
    ids: TakeIds,
    /// How a piece is practised, not yet published: a slider may still be moving.
    unsaved: Option<(PieceId, PracticeSettings, Micros)>,
    /// What panicked of late in a turn, and how many turns there were.
    supervisor: Supervisor,
    turns: u64,
    /// Practising failed again and again, and is off.
    parked: bool,
    player: Player,
    calibrating: Option<Calibrating>,
    calibration: CalibrationStand,
    waking: Waking,
    own_sounds: Consumer<(Stamp, OwnSound)>,
    lab: Arc<Lab>,
    openings: Openings,
    missing: Missing,
    settlers: Settlers,
    repaint: Arc<dyn Fn() + Send + Sync>,
    changed: bool,
}

/// Names for takes.
struct TakeIds {
    clock: Arc<dyn Clock>,
    count: u16,
}

impl TakeIds {
    fn next(&mut self) -> Fresh {
        self.count = self.count.wrapping_add(1);
        let wall = self.clock.wall();
        Fresh { take: TakeId::new(wall, self.count), wall, now: self.clock.now() }
    }
}

impl Worker {
    fn new(parts: Parts, wishes: Receiver<Wish>, desk: Arc<ArcSwap<Desk>>) -> Self {
        let Parts {
            bus,
            clock,
            mut engine,
            mut sound,
            take,
            settings,
            midi,
            openings,
            outlet,
            own_sounds,
            lab,
            repaint,
        } = parts;
        let devices = ["connection.chosen", "device.chosen", "device.calibrated", "output.chosen", "hands.chosen"];
        let wanted =
            ["note.*", "notes.*", "latency.*", "sound.*", "transport.*", "setting.*"].into_iter().chain(devices);
        let events = bus.subscribe_live(Filter::topics(wanted), EVENTS);
        sound.connect_microphone(&bus);
        let midi = MidiDesk::new(&bus, &clock, &mut engine, midi, outlet, openings.clone());
        Self {
            ids: TakeIds { clock: clock.clone(), count: std::process::id() as u16 },
            session: Session::new(take),
            library: Library::default(),
            opening: Opening::default(),
            held: 0,
            notices: Vec::new(),
            next_notice: 1,
            changed: true,
            unsaved: None,
            supervisor: Supervisor::default(),
            turns: 0,
            parked: false,
            player: Player::default(),
            calibrating: None,
            calibration: CalibrationStand::Idle,
            waking: Waking::default(),
            missing: Missing::default(),
            settlers: Settlers::default(),
            own_sounds,
            lab,
            bus,
            clock,
            engine,
            sound,
            midi,
            midi_in: DriverInput::default(),
            wishes,
            events,
            desk,
            settings,
            openings,
            repaint,
        }
    }

    fn run(mut self) {
        self.apply_settings(None);
        let mut deaf = false;
        loop {
            self.turns += 1;
            let mut supervisor = std::mem::take(&mut self.supervisor);
            let turn = supervisor.run(self.clock.now(), self.turns, || self.turn(&mut deaf));
            self.supervisor = supervisor;
            match turn {
                Ok(true) => {}
                Ok(false) => break,
                Err(Panicked { reason, park, wait }) => {
                    self.recover(&reason, park);
                    crossbeam_channel::after(wait).recv().ok();
                }
            }
        }
        self.quit();
    }

    /// Waits for the next thing and does it; whether it goes on.
    fn turn(&mut self, deaf: &mut bool) -> bool {
        let lively = self.session.wants_time() || self.engine.kept() > 0 || self.sound.is_busy();
        let lively = lively || self.player.playing().is_some() || self.missing.is_wanted() || self.settlers.are_busy();
        let wait = if lively { LIVELY } else { QUIET };
        let channel = if *deaf { never() } else { self.events.channel().clone() };
        self.missing.look(&channel);
        select! {
            recv(self.wishes) -> wish => match wish {
                Ok(Wish::Quit) | Err(_) => return false,
                Ok(wish) => self.wish(wish),
            },
            recv(channel) -> item => match item {
                Ok(item) => self.item(item),
                Err(_) => {
                    // The music goes on without a bus.
                    *deaf = true;
                    self.notice(true, "nothing is being recorded any more; please start the program again".to_owned());
                }
            },
            recv(self.opening.channel()) -> read => self.opened(read),
            default(wait) => {}
        }
        self.look_after();
        true
    }

    /// After a panic: silence, and a session made anew with the same piece, unless it fails again and again. What is
    /// played is heard and kept all the while.
    fn recover(&mut self, reason: &str, park: bool) {
        let stand = self.session.stand().cloned().filter(|_| !park);
        let practice = *self.session.settings();
        self.parked |= park;
        self.engine.send(EngineCommand::Panic);
        // What is played from here on belongs to no practice.
        let (old, Fresh { take, wall, now }) = (self.session.current_take(), self.ids.next());
        let begin = TakeStart::free(wall);
        let events = vec![
            (old, Event::TakeEnded(TakeEnd::Interrupted)),
            (take, Event::TakeStarted(begin)),
            (take, Event::RecorderPointed(Some(take))),
        ];
        let switched = self.switch(events, now);
        self.session = Session::new(if switched { take } else { old });
        let line = match park {
            false => format!("practising failed, and begins anew ({reason})"),
            true => {
                format!("practising failed again and again, and is off until the program is started again ({reason})")
            }
        };
        self.notice(true, line);
        // What panics once more here does so in a turn of its own the next time.
        let anew = catch_unwind(AssertUnwindSafe(|| {
            self.calibrate();
            if let Some(stand) = stand {
                self.session.open(stand, practice, &mut || self.ids.next());
                self.carry_out();
            }
            self.show();
        }));
        if anew.is_err() {
            self.session = Session::new(self.session.current_take());
        }
    }

    /// Everything that is due besides wishes and events; then shows what changed.
    fn look_after(&mut self) {
        // What else is waiting belongs to the same moment; a bound keeps the devices looked after.
        for _ in 0..EVENTS {
            self.missing.look(self.events.channel());
            match self.events.try_recv() {
                Ok(Some(item)) => self.item(item),
                _ => break,
            }
        }
        self.fetch_missing();
        self.take_settled();
        let now = self.clock.now();
        self.look_whether_it_slept(now);
        let told = self.sound.told_upto(now);
        if !self.missing.may_lack() {
            self.session.time_passes(now, told, &mut || self.ids.next());
        }
        self.changed |= self.carry_out();
        self.keep_climbed(now);
        self.save_practice(Some(now));
        self.changed |= self.player.poll(now, &mut self.engine);
        self.engine.poll();
        self.pass_on_own_sounds();
        for line in self.sound.poll(now, &mut self.engine) {
            if line.about_stream {
                self.notices.retain(|notice| !notice.about_stream);
            }
            self.tell(false, line.text, line.about_stream);
        }
        for choice in self.sound.take_connections() {
            self.bus.publish(choice);
        }
        self.poll_loopback(now);
        if self.sound.take_changed() {
            // What was due meanwhile would all sound at once.
            self.player.stop(&mut self.engine);
            self.stream_changed();
            self.session.sound_interrupted(self.sound.report().xruns, now);
            self.calibrate();
            self.changed = true;
            let stream = self.sound.report().stream;
            let joined = self.sound.midi_joined().unwrap_or_default();
            self.midi.follow_stream(stream.as_ref(), self.sound.midi_sources(), joined);
        }
        if self.midi.poll(now, &self.bus, &mut self.engine) {
            self.changed = true;
            self.tell_plugged();
            self.send_accompaniment_volume();
        }
        self.patch();
        if let Some(keys) = self.session.next_keys(now) {
            self.midi.light(keys);
        }
        if std::mem::take(&mut self.changed) {
            self.show();
        }
    }

    /// What is to be heard of the sound device's own MIDI sources is handed to it.
    fn patch(&mut self) {
        for patch in self.midi.take_patches() {
            self.sound.patch(patch);
        }
    }

    /// The microphone learns what the program sounds before it is asked what it heard.
    fn pass_on_own_sounds(&mut self) {
        for _ in 0..self.own_sounds.slots() {
            let Ok((stamp, sound)) = self.own_sounds.pop() else { return };
            let (OwnSound::Note { at, .. } | OwnSound::Click { at, .. }) = sound;
            self.sound.own_sound(stamp.mono, sound, self.session.written_around(at));
        }
    }

    fn quit(mut self) {
        self.save_practice(None);
        self.session.stop(&mut || self.ids.next());
        self.carry_out();
        self.midi.close(self.clock.now());
        self.patch();
        self.sound.stop();
        self.midi.let_go(self.clock.now());
        let take = self.session.current_take();
        let end = Publish::new(take.entity(), Event::TakeEnded(TakeEnd::Stopped))
            .actor("session")
            .stamp(Stamp::at(self.clock.now()));
        let point = Publish::new(recorder_entity(), Event::RecorderPointed(None)).actor("session");
        let mut ticket = self.bus.transact(vec![end, point]);
        // The bus makes durable on shutdown what is applied by then.
        let _ = ticket.applied_within(SWITCH_WAIT);
    }
}
