//! The control thread: owns the engine, the sound device, the MIDI inputs and the practice session, and is the only one
//! that tells the engine anything. It sleeps until something comes: a wish of the window, an event of the bus, or the
//! next moment at which a device or the session wants to be looked after.

mod calibration;
mod missing;
mod opening;
mod settling;
mod stand;
mod waking;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, bounded, never, select};
use rtrb::Consumer;

use self::calibration::Calibrating;
use self::missing::Missing;
use self::opening::Opening;
use self::settling::Settlers;
use self::waking::Waking;
use crate::audio::{self, Command as EngineCommand, Engine, OutletEnds, OwnSound};
use crate::bus::lab::Lab;
use crate::bus::lane::ESSENTIAL_SLOTS;
use crate::bus::supervision::{Panicked, Supervisor};
use crate::bus::{BusHandle, Envelope, Filter, LiveItem, LiveSubscription, Publish, PublishError};
use crate::components::devices::{
    DriverInput, DriverInputReport, MidiDesk, Plugged, SoundDesk, SoundReport, calibration_entity,
};
use crate::components::library::{Library, OpenError, Opened, Source};
use crate::components::openings::Openings;
use crate::components::player::{Player, Tape};
use crate::components::session::{Effect, Fresh, Session, SessionView, first_settings};
use crate::midi::output::OutputReport;
use crate::midi::{Cause, DeviceReport};
use crate::model::{
    CalibrationStand, Entity, Event, PieceId, Setting, Settings, TakeEnd, TakeId, TakeStart, Trainer, recorder_entity,
};
use crate::music::Pitch;
use crate::practice::{Mode, PracticeSettings};
use crate::time::{Clock, Micros, Stamp, Ticks};

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

/// What the window, or a command line, wants.
pub enum Wish {
    /// Put a piece of the library on the stand, to be practised so, or as it was the last time.
    Open(PieceId, Option<PracticeSettings>),
    /// Open a file.
    OpenFile(PathBuf),
    /// Take the piece off the stand.
    Close,
    /// Start playing or practising.
    Play,
    /// Stop, and keep this place for the next time.
    Stop(Option<Ticks>),
    /// Back to the start of the range.
    Restart,
    /// Go to a tick's bar.
    Seek(Ticks),
    /// Practise so from now on.
    Choose(PracticeSettings),
    /// A key in the window or on the computer keyboard went down.
    KeyDown {
        /// When the window learnt of it.
        at: Micros,
        /// What pressed it.
        cause: Cause,
        /// Which key.
        pitch: Pitch,
        /// How hard, 1 to 127.
        velocity: u8,
    },
    /// And up.
    KeyUp {
        /// When the window learnt of it.
        at: Micros,
        /// What let go.
        cause: Cause,
    },
    /// Begin at once, if the practice waits for the person's first note.
    Await,
    /// All sound off, all keys up.
    Panic,
    /// Settings have changed.
    Settings(Box<Settings>),
    /// Play a take, or stop it.
    PlayTake(Option<Tape>),
    /// Open again what was left out because the program once ended while it opened it.
    OpenLeftOut,
    /// A second of sound through the whole chain.
    TestTone,
    /// Begin to measure by tapping how late the devices are, or stop it.
    TapAlong(bool),
    /// Begin to measure by chirps that come back how late the sound is, or stop it.
    LoopBack(bool),
    /// Forget what was measured of the sound device.
    ForgetCalibration,
    /// Look which sound devices there are.
    LookForDevices,
    /// Listen to the microphone, or no more.
    Listen(bool),
    /// More than it holds into the lane of the window's keys, at this moment.
    FillLane(Micros),
    /// End.
    Quit,
}

/// What the control thread shows: rebuilt when something changed, read by the window without waiting.
#[derive(Clone, Default)]
pub struct Desk {
    /// The session.
    pub session: SessionView,
    /// The sound device.
    pub sound: SoundReport,
    /// How a calibration stands.
    pub calibration: CalibrationStand,
    /// MIDI inputs of the system.
    pub midi: Vec<DeviceReport>,
    /// The MIDI input of the audio driver that anyone may be joined to, where it has one.
    pub midi_in: Option<DriverInputReport>,
    /// Why there is no MIDI at all.
    pub midi_fault: Option<String>,
    /// MIDI outputs of the system and of the audio driver.
    pub midi_out: Vec<OutputReport>,
    /// Why an output is not played on, though it was chosen.
    pub midi_out_fault: Option<String>,
    /// Drivers and devices that are left out because the program once ended while it opened them.
    pub left_out: Vec<String>,
    /// The take that is recorded now.
    pub take: Option<TakeId>,
    /// The take that is played, and when its first message sounded.
    pub listening: Option<(TakeId, Micros)>,
    /// Keys the person holds, one bit each.
    pub held: u128,
    /// Lines a person must know, newest last, each with a number that grows.
    pub notices: Vec<Notice>,
}

/// A line a person must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: u64,
    /// When it was told.
    pub at: Micros,
    /// Whether something failed.
    pub bad: bool,
    /// The line.
    pub text: String,
    /// Whether it says where sound comes from.
    pub about_stream: bool,
}

/// At most so many notices are kept.
const NOTICES_MAX: usize = 8;

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

/// A slider's percentage as a gain: twice the percentage is four times the power, and 80 % is as it comes.
fn volume(percent: u8) -> f32 {
    (f32::from(percent) / 100.0).powi(2) * 1.5625
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
        let devices = ["device.chosen", "device.calibrated", "output.chosen", "hands.chosen"];
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
        self.poll_loopback(now);
        if self.sound.take_changed() {
            // What was due meanwhile would all sound at once.
            self.player.stop(&mut self.engine);
            self.stream_changed();
            self.session.sound_interrupted(self.sound.report().xruns, now);
            self.calibrate();
            self.changed = true;
            let stream = self.sound.report().stream;
            self.midi.follow_stream(stream.as_ref(), self.sound.midi_sources());
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

    /// One line for a keyboard that was unplugged, until it is back.
    fn tell_plugged(&mut self) {
        let gone = |name: &str| format!("{name} is unplugged");
        // With a sound server its keyboards are gone too, and one line is enough.
        let waiting = self.sound.report().waiting;
        for news in self.midi.take_news() {
            match news {
                Plugged::Out(_) if waiting => {}
                Plugged::Out(name) => self.notice(true, gone(&name)),
                Plugged::In(name) => {
                    if self.notices.extract_if(.., |notice| notice.text == gone(&name)).count() > 0 {
                        self.notice(false, format!("{name} is back"));
                    }
                }
            }
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

    fn show(&mut self) {
        let session = self.session.view();
        if self.session.next_keys(self.clock.now()).is_none() {
            self.midi.light(session.awaited.keys);
        }
        self.sound.await_keys(session.awaited);
        self.desk.store(Arc::new(Desk {
            session,
            sound: self.sound.report(),
            calibration: self.calibration.clone(),
            midi: self.midi.report(),
            midi_in: self.midi_in.report(self.sound.midi_joined()),
            midi_fault: self.midi.fault().map(str::to_owned),
            midi_out: self.midi.outputs(),
            midi_out_fault: self.midi.output_fault().map(str::to_owned),
            left_out: self.openings.left_out(),
            take: Some(self.session.current_take()),
            listening: self.player.playing(),
            held: self.held,
            notices: self.notices.clone(),
        }));
        (self.repaint)();
    }

    fn item(&mut self, item: LiveItem<Trainer>) {
        match item {
            LiveItem::Event(envelope) => {
                self.lab.owe();
                if let Some(envelope) = self.missing.comes(self.session.current_take(), envelope) {
                    self.event(&envelope);
                }
            }
            LiveItem::Lost(count) => self.lost(count),
        }
        self.changed = true;
    }

    fn event(&mut self, envelope: &Envelope<Trainer>) {
        self.hold(envelope);
        self.follow(envelope);
        if self.parked {
            return;
        }
        self.calibration_event(envelope);
        let now = self.clock.now();
        self.session.event(envelope, now, &mut || self.ids.next());
        self.carry_out();
    }

    /// Which keys are down.
    fn hold(&mut self, envelope: &Envelope<Trainer>) {
        if let Some(Event::NotesLost(_)) = envelope.event() {
            self.held = 0;
        }
        if let Some(Event::NotePlayed(played)) = envelope.event() {
            self.midi_in.see(played, self.clock.now());
            if let Some((pitch, _)) = played.note_on() {
                self.held |= 1 << pitch.key();
            } else if let Some(pitch) = played.note_off() {
                self.held &= !(1 << pitch.key());
            }
        }
    }

    /// What was chosen is done, whoever chose it.
    fn follow(&mut self, envelope: &Envelope<Trainer>) {
        match envelope.event() {
            Some(Event::SettingChanged(setting)) if self.settings.current(setting) != *setting => {
                let old = self.settings.clone();
                self.settings.set(setting);
                self.apply_settings(Some(old));
            }
            // Chosen again: what was left out is tried once more.
            Some(Event::SettingChanged(Setting::Backend(_) | Setting::OutputDevice(_)))
                if !self.openings.left_out().is_empty() =>
            {
                self.sound.choose(&self.settings);
            }
            Some(Event::DeviceChosen { name, enabled }) => self.midi.enable(name, *enabled),
            Some(Event::DeviceCalibrated(_)) => self.calibrate(),
            Some(Event::HandsChosen(_)) => self.follow_hands(envelope),
            Some(Event::OutputChosen { name, usage }) => {
                self.midi.use_output(name, *usage, &mut self.engine);
                self.send_accompaniment_volume();
            }
            _ => {}
        }
    }

    /// What is known of how late the running stream is holds from now on.
    fn calibrate(&mut self) {
        let stream = self.sound.report().stream;
        let entity = stream.as_ref().map(calibration_entity);
        let known = entity.and_then(|entity| match self.bus.snapshot().state.value(entity.as_str()) {
            Some(Entity::Device(device)) => Some((*device.calibration).clone()),
            _ => None,
        });
        self.sound.calibrate(known.unwrap_or_default());
        self.session.set_latency(self.sound.report().judged(), self.clock.now());
        self.midi.set_heard(self.sound.report().heard());
        self.carry_out();
    }

    fn wish(&mut self, wish: Wish) {
        let Some(wish) = self.wait_for_piece(wish) else { return };
        self.give_way(&wish);
        self.end_listening(&wish);
        let now = self.clock.now();
        let ids = &mut self.ids;
        match wish {
            Wish::Open(id, practice) => self.open(Source::Piece(id), practice),
            Wish::OpenFile(path) => self.open(Source::File(path), None),
            Wish::Close => self.session.close(&mut || ids.next()),
            Wish::Play if !self.session.has_something_to_play() => self.tell_nothing_to_play(),
            Wish::Play => self.session.play(&mut || ids.next()),
            Wish::Stop(at) => self.session.pause(at, &mut || ids.next()),
            Wish::Restart => self.session.restart(),
            Wish::Seek(tick) => self.session.seek(tick),
            Wish::Choose(practice) => self.choose(practice),
            Wish::Await => self.session.await_person(&mut || ids.next()),
            Wish::KeyDown { at, cause, pitch, velocity } => self.midi.keys().press(at, cause, pitch, velocity),
            Wish::KeyUp { at, cause } => self.midi.keys().release(at, cause),
            Wish::Panic => self.panic(now),
            Wish::Settings(settings) => {
                let old = std::mem::replace(&mut self.settings, *settings);
                self.apply_settings(Some(old));
            }
            Wish::PlayTake(Some(tape)) => {
                if self.session.is_playing() {
                    self.session.pause(None, &mut || ids.next());
                }
                self.player.play(tape, now, &mut self.engine);
            }
            Wish::PlayTake(None) => {}
            Wish::OpenLeftOut => {
                if self.openings.allow_all(|_| true) {
                    self.sound.choose(&self.settings);
                    self.midi.list_anew();
                }
            }
            Wish::Listen(on) => self.sound.set_listening(on),
            Wish::TestTone => self.sound.test_tone(&mut self.engine),
            Wish::TapAlong(begin) => self.tap_along(begin),
            Wish::LoopBack(begin) => self.loop_back(begin),
            Wish::ForgetCalibration => self.forget_calibration(),
            Wish::LookForDevices => self.sound.look(),
            Wish::FillLane(at) => self.midi.keys().flood(at, 2 * ESSENTIAL_SLOTS),
            Wish::Quit => {}
        }
        self.carry_out();
        self.changed = true;
    }

    /// Whoever begins to play, or wants silence, has listened enough.
    fn end_listening(&mut self, wish: &Wish) {
        let ends = matches!(
            wish,
            Wish::Open(..)
                | Wish::OpenFile(_)
                | Wish::Play
                | Wish::Restart
                | Wish::Await
                | Wish::Panic
                | Wish::PlayTake(_)
                | Wish::TestTone
                | Wish::TapAlong(true)
                | Wish::LoopBack(true)
        );
        if ends {
            self.player.stop(&mut self.engine);
        }
    }

    fn panic(&mut self, now: Micros) {
        self.session.stop(&mut || self.ids.next());
        self.midi.panic(now);
        self.engine.send(EngineCommand::Panic);
        self.held = 0;
    }

    fn choose(&mut self, practice: PracticeSettings) {
        let practice = self.for_everything(practice);
        // Whoever paused goes on when they say so, or choose another mode; other hands or a loop do not.
        let paused = self.session.is_paused();
        let practised = |p: &PracticeSettings| (!paused).then_some((p.practise, p.range, p.looping));
        let course = |p: &PracticeSettings| (p.mode, practised(p));
        let goes_on = self.session.is_playing() || course(self.session.settings()) != course(&practice);
        let (hands, range) = (self.session.settings().practise, self.session.settings().range);
        self.session.choose(practice, &mut || self.ids.next());
        if goes_on {
            self.session.await_person(&mut || self.ids.next());
        }
        if (hands, range) != (practice.practise, practice.range) && !self.session.has_something_to_play() {
            self.tell_nothing_to_play();
        }
        if let Some(stand) = self.session.stand() {
            self.unsaved = Some((stand.id.clone(), practice, self.clock.now() + SETTLE));
        }
    }

    /// Publishes how a piece is practised once the sliders have come to rest.
    fn save_practice(&mut self, now: Option<Micros>) {
        if self.unsaved.as_ref().is_some_and(|(_, _, due)| now.is_none_or(|now| now >= *due))
            && let Some((piece, practice, _)) = self.unsaved.take()
        {
            self.bus.publish(Publish::new(piece.entity(), Event::PracticeChosen(practice)));
        }
    }

    fn stand(&mut self, opened: Result<Opened, OpenError>, practice: Option<PracticeSettings>) {
        self.save_practice(None);
        match opened {
            Ok(_) if self.parked => {
                self.notice(true, "practising is off until the program is started again".to_owned())
            }
            Ok(Opened { id, score, warnings }) => {
                for warning in warnings {
                    self.notice(false, warning);
                }
                let known = match self.bus.snapshot().state.value(id.entity().as_str()) {
                    Some(Entity::Piece(piece)) => *piece.practice,
                    _ => None,
                };
                let practice = practice.or(known).unwrap_or_else(|| first_settings(Mode::Wait));
                let (stand, practice) = (self.on_stand(id, score), self.for_everything(practice));
                self.session.open(stand, practice, &mut || self.ids.next());
                self.session.await_person(&mut || self.ids.next());
            }
            Err(error) => self.notice(true, error.to_string()),
        }
    }

    /// What the program plays is silent here while it sounds on an instrument outside alone.
    fn send_accompaniment_volume(&mut self) {
        self.engine.send(EngineCommand::SetAlone(self.midi.plays_alone()));
        let gain = volume(self.settings.volume_accompaniment);
        self.engine.send(EngineCommand::SetVolume(audio::Bus::Accompaniment, gain));
    }

    fn apply_settings(&mut self, old: Option<Settings>) {
        let settings = self.settings.clone();
        self.engine.send(EngineCommand::SetVolume(audio::Bus::Live, volume(settings.volume_piano)));
        self.send_accompaniment_volume();
        self.engine.send(EngineCommand::SetVolume(audio::Bus::Metronome, volume(settings.volume_metronome)));
        if old.as_ref().is_none_or(|o| o.soundfont != settings.soundfont)
            && let Some(line) = self.sound.set_soundfont(settings.soundfont.as_deref(), &mut self.engine)
        {
            self.notice(true, line);
        }
        self.engine.send(EngineCommand::SetClicks(settings.clicks()));
        self.sound.tune(&settings, &mut self.engine);
        self.sound.use_microphone(&settings);
        let device = |s: &Settings| (s.backend.clone(), s.output_device.clone(), s.period);
        if old.as_ref().is_some_and(|o| device(o) != device(&settings)) {
            self.sound.choose(&settings);
        }
        if old.as_ref().is_some_and(|o| (o.preset, o.keyboard) != (settings.preset, settings.keyboard)) {
            let practice = self.for_everything(*self.session.settings());
            self.session.choose(practice, &mut || self.ids.next());
        }
    }

    /// Whether there was anything to carry out.
    fn carry_out(&mut self) -> bool {
        let effects = self.session.take_effects();
        let any = !effects.is_empty();
        for effect in effects {
            match effect {
                Effect::Engine(command) => self.engine.send(command),
                Effect::Publish(take, event, at) => {
                    let publish = Publish::new(take.entity(), event).actor("session");
                    self.bus.publish(match at {
                        Some(at) => publish.stamp(Stamp::at(at)),
                        None => publish,
                    });
                }
                Effect::Settle(settling) => self.settle(*settling),
                Effect::Switch { from, events, at } => {
                    if !self.switch(events, at) {
                        self.session.switch_failed(from);
                        break;
                    }
                }
            }
        }
        for effect in self.session.take_effects() {
            if let Effect::Engine(command) = effect {
                self.engine.send(command);
            }
        }
        any
    }

    /// A change of takes must be applied before the engine goes on: what it does next belongs to the new take.
    fn switch(&mut self, events: Vec<(TakeId, Event)>, at: Micros) -> bool {
        let publish = |(take, event): (TakeId, Event)| {
            let entity = match event {
                Event::RecorderPointed(_) => recorder_entity(),
                _ => take.entity(),
            };
            Publish::new(entity, event).actor("session").stamp(Stamp::at(at))
        };
        let mut ticket = self.bus.transact(events.into_iter().map(publish).collect());
        match ticket.applied_within(SWITCH_WAIT) {
            // What only takes its time is applied all the same.
            Ok(_) | Err(PublishError::TimedOut) => true,
            Err(error) => {
                self.notice(true, format!("this cannot be practised now: {error}"));
                false
            }
        }
    }

    fn notice(&mut self, bad: bool, text: String) {
        self.tell(bad, text, false);
    }

    fn tell(&mut self, bad: bool, text: String, about_stream: bool) {
        // Said again, it is a line of its own: the one before may have been put away.
        self.notices.retain(|n| n.text != text);
        let at = self.clock.now();
        self.notices.push(Notice { id: self.next_notice, at, bad, text, about_stream });
        self.next_notice += 1;
        if self.notices.len() > NOTICES_MAX {
            self.notices.remove(0);
        }
        self.changed = true;
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
