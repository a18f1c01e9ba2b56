//! The inspector's questions to the log: both sides of a conflict, how an entity came to be, and the way back.
#![cfg(feature = "window")]

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use music_trainer::app::lookup::{Answer, Lookup, Question};
use music_trainer::app::pages::{PAGE, Page, Toward, Wanted};
use music_trainer::app::rows::Wall;
use music_trainer::bus::inspect::Search;
use music_trainer::bus::{BusHandle, Config, DeviceId, EntityKey, EventId, MemoryStorage, Publish, start};
use music_trainer::model::{Event, Played, Setting, TakeId, TakeStart, ThemeChoice, Trainer, device_entity};
use music_trainer::practice::{PlayedId, Verdict, VerdictKind};
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
        let bus: BusHandle<Trainer> = start(
            Config { snapshot_events: 50, ..Config::default() },
            Arc::new(ManualClock::default()),
            Box::new(MemoryStorage::new()),
        )
        .expect("a bus");
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
    let values: Vec<bool> = rows.iter().map(|row| row.value.contains("\"light\"")).collect();
    assert_eq!(values, [true, true, false, true, false], "what lost is back: {rows:?}");
    let nobody = EventId { device: DeviceId(9), device_seq: 1 };
    let error = bench.ask(Question::Again(key, nobody)).expect_err("no such edit");
    assert!(error.contains("no longer in the log"), "{error}");
}

#[test]
fn the_log_is_searched_by_pages_in_both_directions() {
    let bench = Bench::new();
    let events: Vec<_> = (0..1_500_u32)
        .map(|n| {
            let name = format!("device {n}");
            Publish::new(device_entity(&name), Event::DeviceConnected(name))
        })
        .collect();
    bench.bus.transact(events).durable().expect("durable");
    let page = |text: &str, from, toward| -> Page {
        let wanted = Wanted { search: Search::new(text), from, toward, number: 1 };
        match bench.ask(Question::Page(wanted)) {
            Ok(Answer::Page(page)) => page,
            other => panic!("a page, not {other:?}"),
        }
    };
    let seqs = |page: &Page| page.rows.iter().map(|row| row.seq()).collect::<Vec<_>>();
    let last = page("", 1_500, Toward::Older);
    assert_eq!(seqs(&last), (1_500 - PAGE as u64 + 1..=1_500).rev().collect::<Vec<_>>());
    assert_eq!(last.reached, 1_500 - PAGE as u64 + 1);
    let first = page("", 100, Toward::Older);
    assert_eq!((seqs(&first), first.reached), ((1..=100).rev().collect(), 1));
    let newer = page("", 1_400, Toward::Newer);
    assert_eq!((seqs(&newer), newer.reached), ((1_400..=1_500).collect(), 1_500));
    // The entity of `device 7` and its payload have the word; so have those of 70, 71 and so on.
    let rare = page("device.* 14\"", 1_500, Toward::Older);
    assert_eq!((rare.reached, rare.rows.len()), (1, 15), "{:?}", seqs(&rare));
    let none = page("nowhere", 1_500, Toward::Older);
    assert_eq!((seqs(&none), none.reached), (vec![], 1), "all of it was searched");
}

#[test]
fn a_verdict_was_led_to_by_the_key_down_that_it_is_about() {
    let bench = Bench::new();
    let take = TakeId(7);
    let played = Event::NotePlayed(Played { source: 0, data: [0x90, 60, 80] });
    let verdict = |played: Option<u64>| {
        let (played, kind) = (played.map(PlayedId), VerdictKind::Extra);
        Event::VerdictGiven(Verdict { pass: 0, played, written: None, kind, deviation: None })
    };
    let events =
        [Event::TakeStarted(TakeStart::free(WallMillis(0))), played.clone(), played, verdict(Some(3)), verdict(None)];
    bench.bus.transact(events.map(|event| Publish::new(take.entity(), event)).into()).durable().expect("durable");
    let links = |seq| match bench.ask(Question::Event(seq, WALL)) {
        Ok(Answer::Event(detail)) => {
            let seqs = |links: &[music_trainer::ui::view::EventLink]| links.iter().map(|l| l.seq).collect::<Vec<_>>();
            (seqs(&detail.causes), detail.root_found, seqs(&detail.effects))
        }
        other => panic!("an event, not {other:?}"),
    };
    assert_eq!(links(4), (vec![3], true, vec![]));
    assert_eq!(links(3), (vec![], true, vec![4]));
    assert_eq!((links(2), links(5)), ((vec![], true, vec![]), (vec![], true, vec![])));
}

#[test]
fn an_event_tells_what_it_changed_what_led_to_it_and_what_it_led_to() {
    let bench = Bench::new();
    let first = bench.choose(ThemeChoice::Dark, "person", None);
    bench.choose(ThemeChoice::Light, "person", None);
    let follow = |theme, cause| {
        let setting = Setting::Theme(theme);
        let publish = Publish::new(setting.entity(), Event::SettingChanged(setting)).actor("teacher").cause(cause);
        let mut ticket = bench.bus.publish(publish);
        ticket.durable().expect("durable");
        ticket.applied().expect("applied").id
    };
    let second = follow(ThemeChoice::HighContrast, first);
    follow(ThemeChoice::Light, second);
    let detail = |seq| match bench.ask(Question::Event(seq, WALL)) {
        Ok(Answer::Event(detail)) => detail,
        other => panic!("an event, not {other:?}"),
    };
    let found = detail(3);
    assert_eq!((found.seq, found.event.entity()), (3, "settings/theme"));
    let changed: Vec<_> = found.changes.iter().map(|c| (c.before.as_deref(), c.after.as_deref())).collect();
    assert!(changed.contains(&(Some("\"light\""), Some("\"high_contrast\""))), "{:?}", found.changes);
    let seqs = |links: &[music_trainer::ui::view::EventLink]| links.iter().map(|link| link.seq).collect::<Vec<_>>();
    assert_eq!((seqs(&found.causes), found.root_found, seqs(&found.effects)), (vec![1], true, vec![4]));
    assert_eq!(found.effects[0].actor, "teacher");
    let last = detail(4);
    assert_eq!((seqs(&last.causes), last.root_found), (vec![3, 1], true), "nearest first, to the root");
    let root = detail(1);
    assert!(root.causes.is_empty() && root.root_found && root.changes.iter().all(|c| c.before.is_none()), "{root:?}");
    let astray = follow(ThemeChoice::Dark, EventId { device: DeviceId(9), device_seq: 1 });
    let astray = detail(astray.device_seq);
    assert!(astray.causes.is_empty() && !astray.root_found, "its cause is not here: {astray:?}");
    let error = bench.ask(Question::Event(77, WALL)).expect_err("no such event");
    assert!(error.contains("not in the log"), "{error}");
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
