//! The inspector's questions to the log: both sides of a conflict, how an entity came to be, and the way back.
#![cfg(feature = "window")]

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use music_trainer::app::lookup::{Answer, Lookup, Question};
use music_trainer::app::rows::Wall;
use music_trainer::bus::{BusHandle, Config, DeviceId, EntityKey, EventId, MemoryStorage, Publish, start};
use music_trainer::model::{Event, Setting, ThemeChoice, Trainer, device_entity};
use music_trainer::time::{ManualClock, WallMillis};

const WAIT: Duration = Duration::from_secs(30);
const WALL: Wall = Wall { now: WallMillis(0), offset: 0 };

struct Bench {
    bus: BusHandle<Trainer>,
    lookup: Lookup,
    woken: Receiver<()>,
}

impl Bench {
    fn new() -> Self {
        let bus: BusHandle<Trainer> =
            start(Config::default(), Arc::new(ManualClock::default()), Box::new(MemoryStorage::new())).expect("a bus");
        let (wake, woken) = unbounded();
        let lookup =
            Lookup::start(bus.clone(), Box::new(move || wake.send(()).expect("the test listens"))).expect("a thread");
        Self { bus, lookup, woken }
    }

    fn ask(&self, question: Question) -> Result<Answer, String> {
        assert!(self.lookup.ask(question));
        self.woken.recv_timeout(WAIT).expect("an answer wakes the window");
        self.lookup.answer().expect("the answer")
    }

    fn choose(&self, theme: ThemeChoice, actor: &'static str, base: Option<EventId>) -> EventId {
        let setting = Setting::Theme(theme);
        let publish = Publish::new(setting.entity(), Event::SettingChanged(setting)).actor(actor);
        let mut ticket = self.bus.publish(base.into_iter().fold(publish, Publish::base));
        ticket.durable().expect("durable");
        ticket.applied().expect("applied").id
    }
}

#[test]
fn both_sides_of_a_conflict_are_found_and_the_loser_comes_back_as_a_new_edit() {
    let bench = Bench::new();
    let first = bench.choose(ThemeChoice::Dark, "person", None);
    let second = bench.choose(ThemeChoice::Light, "person", Some(first));
    // Somebody else has seen the first one only.
    let third = bench.choose(ThemeChoice::HighContrast, "teacher", Some(first));
    let Ok(Answer::Conflicts(rows)) = bench.ask(Question::Conflicts(WALL)) else { panic!("conflicts") };
    let [row] = &rows[..] else { panic!("one conflict, not {rows:?}") };
    assert_eq!((&*row.entity, &*row.topic, &*row.strategy), ("settings/theme", "setting.changed", "last writer"));
    assert_eq!((row.winner.number, &*row.winner.actor), (third.device_seq, "teacher"));
    assert_eq!((row.loser.number, &*row.loser.actor), (second.device_seq, "person"));
    assert!(row.winner.payload.contains("high_contrast") && row.loser.payload.contains("light"), "{row:?}");

    let key = EntityKey::new("settings/theme");
    assert!(matches!(bench.ask(Question::Again(key.clone(), second)), Ok(Answer::Done(..))));
    bench.choose(ThemeChoice::Light, "person", None);
    let Ok(Answer::History(of, rows)) = bench.ask(Question::History(key.clone(), WALL)) else { panic!("a history") };
    assert_eq!(of, key);
    let versions: Vec<u64> = rows.iter().map(|row| row.version).collect();
    assert_eq!(versions, [5, 4, 3, 2, 1]);
    let values: Vec<bool> = rows.iter().map(|row| row.value.contains("Light")).collect();
    assert_eq!(values, [true, true, false, true, false], "what lost is back: {rows:?}");
    let nobody = EventId { device: DeviceId(9), device_seq: 1 };
    let error = bench.ask(Question::Again(key, nobody)).expect_err("no such edit");
    assert!(error.contains("no longer in the log"), "{error}");
}

#[test]
fn everything_is_shown_as_it_was_after_any_event() {
    let bench = Bench::new();
    let names: Vec<String> = (0..60_u32).map(|n| format!("device {}", n % 7)).collect();
    for name in &names {
        let connected = Event::DeviceConnected(name.clone());
        bench.bus.publish(Publish::new(device_entity(name), connected)).applied().expect("applied");
    }
    bench.choose(ThemeChoice::Light, "person", None);
    let at = |seq| match bench.ask(Question::At(seq, WALL)) {
        Ok(Answer::At(seq, _, rows)) => (seq, rows),
        other => panic!("the past, not {other:?}"),
    };
    // To and fro, as a slider moves.
    for seq in [61, 3, 60, 10, 7, 61] {
        let (shown, rows) = at(seq);
        assert_eq!(shown, seq);
        let versions: u64 = rows.iter().map(|row| row.version).sum();
        assert_eq!((rows.len() as u64, versions), (seq.min(7) + u64::from(seq > 60), seq), "as of event {seq}");
    }
    let (end, _) = at(1_000_000);
    assert_eq!(end, 61, "after the last event is now");
}
