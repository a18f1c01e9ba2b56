//! A live subscription that overflows while somebody practises: what was lost is told from the log in its place, and the
//! practice stands where it would stand had nothing been lost.

use std::sync::Arc;
use std::time::Duration;

use music_trainer::bus::{BusHandle, Config, Filter, LiveItem, LiveSubscription, MemoryStorage, Publish, start};
use music_trainer::components::catch_up::CatchUp;
use music_trainer::components::judging::TakeJudge;
use music_trainer::components::session::{Effect, Fresh, OnStand, Session};
use music_trainer::formats::notation;
use music_trainer::model::{
    Event, PieceId, Played, TakeId, TakeStart, Trainer, TransportChange, TransportMoved, recorder_entity,
};
use music_trainer::music::{HandEdits, Percent, Score};
use music_trainer::practice::{Mode, PracticeSettings};
use music_trainer::time::{Frames, ManualClock, Micros, Rate, Stamp, StreamId, Ticks, WallMillis};

const WAIT: Duration = Duration::from_secs(30);
const RATE: Rate = Rate::DEFAULT;
/// Thirty-two quarters, half a second each.
const NOTES: &str = "tempo: 120\nR: c4 d e f | g f e d | c d e f | g f e d | c d e f | g f e d | c d e f | g f e d";

struct Room {
    bus: BusHandle<Trainer>,
    events: LiveSubscription<Trainer>,
    session: Session,
    score: Arc<Score>,
    settings: PracticeSettings,
    catch_up: CatchUp,
    takes: u64,
    lost: u64,
}

impl Room {
    fn new(mode: Mode, room_for: usize) -> Self {
        let bus = start(Config::default(), Arc::new(ManualClock::default()), Box::new(MemoryStorage::new()));
        let bus: BusHandle<Trainer> = bus.expect("a bus");
        let free = Event::TakeStarted(TakeStart::free(WallMillis(0)));
        bus.publish(Publish::new(TakeId(1).entity(), free)).applied().expect("applied");
        let events = bus.subscribe_live(Filter::topics(["note.*", "transport.*"]), room_for);
        let score = Arc::new(notation::score(NOTES).expect("the notes are written right"));
        let settings = PracticeSettings { mode, count_in_bars: 0, ..PracticeSettings::default() };
        let (session, catch_up) = (Session::new(TakeId(1)), CatchUp::default());
        let mut room = Self { bus, events, session, score: score.clone(), settings, catch_up, takes: 1, lost: 0 };
        let stand = OnStand { id: PieceId::builtin("test"), score, hands: HandEdits::default() };
        room.with(|session, ids| session.open(stand, settings, ids));
        room.with(|session, ids| session.play(ids));
        room
    }

    fn with(&mut self, act: impl FnOnce(&mut Session, &mut dyn FnMut() -> Fresh)) {
        let takes = &mut self.takes;
        let mut ids = || {
            *takes += 1;
            Fresh { take: TakeId(*takes), wall: WallMillis(0), now: Micros::ZERO }
        };
        act(&mut self.session, &mut ids);
        for effect in self.session.take_effects() {
            let publish = |take: TakeId, event: Event| {
                let recorder = matches!(event, Event::RecorderPointed(_));
                Publish::new(if recorder { recorder_entity() } else { take.entity() }, event)
            };
            match effect {
                Effect::Switch { events, .. } => {
                    let items = events.into_iter().map(|(take, event)| publish(take, event)).collect();
                    self.bus.transact(items).applied().expect("applied");
                }
                Effect::Publish(take, event, _) => {
                    self.bus.publish(publish(take, event)).applied().expect("applied");
                }
                Effect::Settle(settling) => self.session.settled(settling.settle()),
                Effect::Engine(_) => {}
            }
        }
    }

    fn happens(&mut self, at: Micros, event: Event) {
        let stamp = Stamp { driver: at, mono: at, frame: Some(RATE.frames(at)), stream: StreamId(1) };
        let publish = Publish::new(self.session.current_take().entity(), event).stamp(stamp);
        self.bus.publish(publish).applied().expect("applied");
    }

    /// The `n`th key of the piece, a little late.
    fn key(&mut self, n: usize) {
        let at = Micros(n as i64 * 500_000 + 7_000);
        let pitch = self.score.notes()[n].pitch;
        self.happens(at, Event::NotePlayed(Played { source: 0, data: [0x90, pitch.key(), 80] }));
        let up = Event::NotePlayed(Played { source: 0, data: [0x80, pitch.key(), 64] });
        self.happens(at + Micros(200_000), up);
    }

    /// Takes what is there.
    fn take(&mut self) {
        while let Some(item) = self.events.try_recv().expect("the bus runs") {
            let take = self.session.current_take();
            match item {
                LiveItem::Event(envelope) => {
                    if let Some(envelope) = self.catch_up.comes(take, envelope) {
                        self.with(|session, ids| session.event(&envelope, Micros::ZERO, ids));
                    }
                }
                LiveItem::Lost(count) => {
                    self.lost += count;
                    self.catch_up.lost(take, self.bus.snapshot().applied);
                }
            }
        }
    }

    /// Reads what is missing.
    fn fetch(&mut self) {
        let Some(wanted) = self.catch_up.wanted() else { return };
        let named = Event::TakeNamed { name: "n".to_owned(), seen: Vec::new() };
        self.bus.publish(Publish::new(wanted.take.entity(), named)).durable().expect("durable");
        let events = self.bus.entity_events(&wanted.take.entity(), wanted.from, usize::MAX).expect("readable");
        for envelope in self.catch_up.read(wanted, events) {
            self.with(|session, ids| session.event(&envelope, Micros::ZERO, ids));
        }
    }
}

/// Somebody plays thirty keys; whoever listens takes what there is after every so many.
fn check(mode: Mode, room_for: usize, taken_after: usize, fetched_after: usize) -> u64 {
    let mut room = Room::new(mode, room_for);
    let place = room.score.tempo().exact(Ticks::ZERO);
    let runs = TransportChange::Runs { place, speed: Percent::FULL };
    room.happens(Micros::ZERO, Event::TransportMoved(TransportMoved { change: runs, rate: RATE }));
    assert_eq!(RATE.micros(Frames(0)), Micros::ZERO);
    for n in 0..30 {
        room.key(n);
        if n % taken_after == taken_after - 1 {
            room.take();
        }
        if n % fetched_after == fetched_after - 1 {
            room.fetch();
        }
    }
    // The loss is told with the next event.
    room.take();
    room.happens(Micros(15_000_000), Event::NotePlayed(Played { source: 0, data: [0xb0, 64, 0] }));
    room.take();
    room.fetch();
    assert_eq!(room.catch_up.wanted(), None);
    let take = room.session.current_take();
    let named = Event::TakeNamed { name: "end".to_owned(), seen: Vec::new() };
    room.bus.publish(Publish::new(take.entity(), named)).durable().expect("durable");
    let mut judge = TakeJudge::new(room.score.clone(), room.settings, Micros::ZERO);
    for envelope in room.bus.entity_events(&take.entity(), 1, usize::MAX).expect("readable") {
        let event = envelope.event().expect("known");
        judge.event(envelope.version, event, envelope.stamp.as_ref());
    }
    assert_eq!(room.session.view().needed, judge.needed(), "{mode:?}");
    room.with(|session, ids| session.stop(ids));
    judge.finish();
    let result = room.session.view().result.expect("judged");
    assert_eq!(result.counts.right(), 30, "{mode:?}: {:?}", result.counts);
    assert_eq!(result.counts.extra, 0, "{mode:?}: {:?}", result.counts);
    let lost = room.lost;
    assert!(room.bus.shutdown(WAIT));
    lost
}

#[test]
fn what_overflowed_is_judged_in_its_place() {
    for mode in [Mode::Wait, Mode::Tempo, Mode::Follow] {
        assert!(check(mode, 8, 7, 7) > 0, "{mode:?}: something was lost");
        assert!(check(mode, 8, 5, 11) > 0, "{mode:?}: more came before it was read");
        assert!(check(mode, 2, 29, 31) > 0, "{mode:?}: nearly everything was lost");
    }
}

#[test]
fn where_nothing_overflows_nothing_is_read() {
    assert_eq!(check(Mode::Wait, 256, 3, 1), 0);
}
