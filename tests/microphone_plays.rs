//! What a microphone hears, as playing: from the samples of a stepped driver through the desk, the lane, the bus and the
//! session to the verdicts, and back to what is awaited next.

mod listen_support;

use std::sync::Arc;
use std::time::Duration;

use listen_support::piano;
use music_trainer::audio::backend::stepped::{Driver, stepped};
use music_trainer::audio::backend::{Backend, NullBackend, StreamConfig};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::{Command, Engine, OwnSound, Schedule, Supervisor, engine};
use music_trainer::bus::{BusHandle, Config, Filter, LiveItem, LiveSubscription, MemoryStorage, Publish, start};
use music_trainer::components::microphone::MicrophoneDesk;
use music_trainer::components::recorder::AudioRecorder;
use music_trainer::components::session::{Effect, Fresh, OnStand, Session, first_settings};
use music_trainer::formats::notation;
use music_trainer::midi::SourceId;
use music_trainer::model::{Event, PieceId, Played, TakeId, TakeStart, Trainer, recorder_entity};
use music_trainer::practice::{Mode, VerdictKind};
use music_trainer::time::{ManualClock, Micros, Rate, Stamp, WallMillis};

/// Attempts of 5 ms each before a test gives up: half a minute of the machine's.
const ATTEMPTS: usize = 6_000;
/// Frames that pass at each attempt, twice as fast as time, so that no ring runs over.
const STEP: usize = 480;

/// The control side in the hand: a desk, a bus and a session on a stepped driver.
struct Room {
    bus: BusHandle<Trainer>,
    events: LiveSubscription<Trainer>,
    engine: Engine,
    supervisor: Supervisor,
    driver: Driver,
    desk: MicrophoneDesk,
    own_sounds: rtrb::Consumer<(Stamp, OwnSound)>,
    /// Whether the microphone hears the speaker, and whether it is told what the program sounds.
    loud: bool,
    told: bool,
    session: Session,
    takes: u64,
    /// What was played, from which source; and the verdicts.
    played: Vec<(bool, u8)>,
    stamps: Vec<Stamp>,
    verdicts: Vec<VerdictKind>,
}

fn fresh(takes: &mut u64, now: Micros) -> Fresh {
    *takes += 1;
    Fresh { take: TakeId(*takes), wall: WallMillis(0), now }
}

impl Room {
    fn new(a4: f64) -> Self {
        let bus = start::<Trainer>(Config::default(), Arc::new(ManualClock::default()), Box::new(MemoryStorage::new()));
        let bus = bus.expect("it starts");
        let (backend, driver) = stepped();
        let (engine, processor, reports) = engine(Box::new(Piano::new(Rate::DEFAULT)), Rate::DEFAULT);
        bus.add_lane("audio", reports.events, Box::new(AudioRecorder::default())).expect("a bus that runs");
        let backends: Vec<Box<dyn Backend>> =
            vec![Box::new(backend), Box::new(NullBackend::new(Arc::new(ManualClock::default())))];
        let mut supervisor = Supervisor::new(backends, processor, StreamConfig::default());
        supervisor.start(Micros::ZERO);
        let mut desk = MicrophoneDesk::new(a4);
        desk.connect(&bus);
        desk.set(true);
        desk.set_counts(true);
        let events = bus.subscribe_live(Filter::topics(["note.*", "notes.*", "transport.*"]), 4_096);
        let begin = TakeStart::free(WallMillis(0));
        let take = TakeId(1);
        let point = Publish::new(recorder_entity(), Event::RecorderPointed(Some(take)));
        bus.transact(vec![Publish::new(take.entity(), Event::TakeStarted(begin)), point]).applied().expect("a take");
        let (played, stamps, verdicts) = (Vec::new(), Vec::new(), Vec::new());
        let session = Session::new(take);
        let (own_sounds, loud, told) = (reports.own_sounds, false, true);
        Self {
            bus,
            events,
            engine,
            supervisor,
            driver,
            desk,
            own_sounds,
            loud,
            told,
            session,
            takes: 1,
            played,
            stamps,
            verdicts,
        }
    }

    fn open(&mut self, notes: &str) {
        let score = Arc::new(notation::score(notes).expect("the notes are written right"));
        let (takes, now) = (&mut self.takes, self.driver.mono());
        let mut ids = || fresh(takes, now);
        self.session.open(
            OnStand { id: PieceId::builtin("test"), score, hands: Default::default() },
            first_settings(Mode::Wait),
            &mut ids,
        );
        self.session.await_person(&mut ids);
        self.carry_out();
        self.until("the first note is awaited", |room| room.session.view().awaited.keys != 0);
    }

    /// A turn of the control thread, and a little time.
    fn turn(&mut self) {
        let (left, _) = self.driver.run(STEP, STEP);
        if self.loud {
            self.driver.feed(&left);
        }
        let now = self.driver.mono();
        self.supervisor.poll(now);
        self.engine.poll();
        while let Ok((stamp, sound)) = self.own_sounds.pop() {
            let (OwnSound::Note { at, .. } | OwnSound::Click { at, .. }) = sound;
            if self.told {
                self.desk.own_sound(stamp.mono, sound, self.session.written_around(at));
            }
        }
        while let Ok(Some(item)) = self.events.try_recv() {
            let LiveItem::Event(envelope) = item else { panic!("events were lost") };
            if let Some(Event::NotePlayed(played)) = envelope.event() {
                self.note(played, envelope.stamp.expect("a stamp"));
            }
            let takes = &mut self.takes;
            self.session.event(&envelope, now, &mut || fresh(takes, now));
            self.carry_out();
        }
        self.desk.await_keys(self.session.view().awaited);
        self.desk.poll(now, &mut self.supervisor);
    }

    fn note(&mut self, played: &Played, stamp: Stamp) {
        assert_eq!(played.source, SourceId::MICROPHONE.0);
        let begins = played.note_on().is_some();
        self.played.push((begins, played.data[1]));
        if begins {
            self.stamps.push(stamp);
        }
    }

    fn carry_out(&mut self) {
        for effect in self.session.take_effects() {
            match effect {
                Effect::Engine(command) => self.engine.send(command),
                Effect::Publish(take, event, _) => {
                    if let Event::VerdictGiven(verdict) = &event {
                        self.verdicts.push(verdict.kind);
                    }
                    self.bus.publish(Publish::new(take.entity(), event));
                }
                Effect::Settle(settling) => self.session.settled(settling.settle()),
                Effect::Switch { events, .. } => {
                    let publish = |(take, event): (TakeId, Event)| match event {
                        Event::RecorderPointed(_) => Publish::new(recorder_entity(), event),
                        _ => Publish::new(take.entity(), event),
                    };
                    self.bus.transact(events.into_iter().map(publish).collect()).applied().expect("another take");
                }
            }
        }
    }

    fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        for _ in 0..ATTEMPTS {
            if is(self) {
                return;
            }
            self.turn();
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("{what}; {:?} was played and {:?} found", self.played, self.verdicts);
    }

    /// Keys struck together sound for a while, then nothing does.
    fn strike(&self, keys: &[u8]) {
        let notes: Vec<_> = keys.iter().map(|key| (0.1, *key, 80)).collect();
        self.driver.feed(&piano(Rate::DEFAULT, &notes, 0.6));
    }

    fn keys(&self) -> Vec<u8> {
        self.played.iter().filter(|(begins, _)| *begins).map(|(_, key)| *key).collect()
    }

    /// Whether as many keys went up as went down.
    fn is_quiet(&self) -> bool {
        2 * self.keys().len() == self.played.len()
    }
}

#[test]
fn a_melody_and_a_chord_are_judged_note_by_note_as_if_keys_had_been_pressed() {
    let mut room = Room::new(440.0);
    room.open("tempo: 120\nR: c4 e d <c4 e g>");
    let steps: [(&[u8], usize); 5] = [(&[60], 1), (&[65], 2), (&[64], 3), (&[62], 4), (&[60, 64, 67], 7)];
    for (keys, verdicts) in steps {
        room.strike(keys);
        room.until("a verdict", |room| room.verdicts.len() >= verdicts && room.is_quiet());
    }
    use VerdictKind::{Extra, OnTime};
    assert_eq!(room.verdicts, [OnTime, Extra, OnTime, OnTime, OnTime, OnTime, OnTime]);
    assert_eq!(room.keys(), [60, 65, 64, 62, 60, 64, 67]);
    assert!(room.stamps.iter().all(|stamp| stamp.frame.is_some()), "the driver counts both ways");
    let chord = room.stamps[4];
    assert!(room.stamps[5..].iter().all(|stamp| stamp.frame == chord.frame), "a chord has one beginning");
    assert!(room.driver.run(STEP, STEP).0.iter().all(|sample| sample.abs() < 1e-4), "nothing of it sounds");
}

#[test]
fn switched_off_lost_or_no_longer_counting_every_key_is_let_go() {
    let mut room = Room::new(440.0);
    let feed = |room: &Room| room.driver.feed(&piano(Rate::DEFAULT, &[(0.1, 60, 90)], 30.0));
    feed(&room);
    room.until("a key is down", |room| !room.is_quiet());
    room.desk.set_counts(false);
    room.until("it is let go", Room::is_quiet);
    room.desk.set_counts(true);
    room.desk.set(false);
    room.until("it is off", |room| !room.driver.is_tapped());
    room.desk.set(true);
    feed(&room);
    room.until("a key is down again", |room| !room.is_quiet());
    room.desk.set(false);
    room.until("it is let go again", Room::is_quiet);
    room.desk.set(true);
    feed(&room);
    room.until("a third time", |room| !room.is_quiet());
    room.driver.lose("unplugged");
    room.until("the device is gone", Room::is_quiet);
    assert!(room.keys().len() >= 3 && room.keys().iter().all(|key| *key == 60), "{:?}", room.played);
    assert!(room.bus.shutdown(Duration::from_secs(10)));
}

#[test]
fn the_tuning_and_the_input_may_change_while_it_listens() {
    let mut room = Room::new(440.0);
    // A4 of a piano at 415 Hz is near the G♯ of one at 440.
    let low = || {
        use music_trainer::audio::instrument::{Instrument, Part};
        let mut piano = Piano::with(Rate::DEFAULT, 8, 415.0);
        piano.note_on(Part::LIVE, music_trainer::music::Pitch::new(69).expect("a key"), 90);
        let (mut left, mut right) = (vec![0.0; 24_000], vec![0.0; 24_000]);
        piano.render(&mut left, &mut right);
        left
    };
    room.until("it listens", |room| room.driver.is_tapped());
    room.driver.feed(&low());
    room.until("a note", |room| !room.keys().is_empty() && room.is_quiet());
    room.desk.tune(415.0);
    room.turn();
    room.until("it listens anew", |room| room.desk.report().device.is_some());
    room.driver.feed(&low());
    room.until("another note", |room| room.keys().len() > 1 && room.is_quiet());
    assert_eq!(room.keys(), [68, 69]);
    room.desk.choose(Some("no such input"));
    room.until("it says so", |room| room.desk.report().fault.is_some());
    assert!(room.desk.report().fault.is_some_and(|fault| fault.contains("no such input")));
    room.desk.choose(Some("stepped-in"));
    room.until("it listens again", |room| room.desk.report().device.as_deref() == Some("Stepped input"));
    assert_eq!(room.desk.report().fault, None);
}

#[test]
fn what_the_program_plays_aloud_does_not_count_and_a_person_beside_it_does() {
    let score = notation::score("tempo: 120\nL: c3/4 g e g f a f c").expect("the notes are written right");
    let keys = |told: bool| {
        let mut room = Room::new(440.0);
        (room.loud, room.told) = (true, told);
        room.until("it listens", |room| room.driver.is_tapped());
        room.engine.send(Command::Load(Box::new(Schedule::of_score(&score))));
        room.engine.send(Command::SetMetronome(true));
        room.engine.send(Command::Play { count_in: 1 });
        // A bar of clicks, the music, and what rings on.
        let end = room.driver.mono() + Micros::from_millis(8_000);
        room.until("the music is over", |room| room.driver.mono() > end);
        room.loud = false;
        let before = room.keys().len();
        room.driver.feed(&piano(Rate::DEFAULT, &[(0.3, 72, 90)], 0.8));
        room.until("a person's note", |room| room.keys().len() > before && room.is_quiet());
        room.keys()
    };
    let untold = keys(false);
    assert!(untold.len() > 6, "the speaker is heard: {untold:?}");
    assert_eq!(keys(true), [72], "untold: {untold:?}");
}
