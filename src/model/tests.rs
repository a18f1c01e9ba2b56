//! The model's contract: what is stored comes back, the fold does what the events say, the rules refuse what cannot be.

mod variants;

use std::collections::HashSet;

use super::*;
use crate::bus::{DeviceId, EntityKey, Strategy};
use crate::music::{ClickRoute, ClickSound, Division, Hand, HandEdit, HandEdits, NoteId, Percent, Pitch};
use crate::practice::ladder::LadderPlan;
use crate::practice::{KeyRange, PlayedId, PracticeSettings, Preset, Verdict, VerdictKind};
use crate::time::{Micros, Rate, Stamp, Ticks, WallMillis};

fn start() -> TakeStart {
    TakeStart {
        at: WallMillis(1_700_000_000_000),
        piece: Some(PieceId::builtin("lightly-row")),
        practice: Some(PracticeSettings::default()),
        latency: Micros::ZERO,
        origin: TakeOrigin::Unsaid,
        hands: HandEdits::default(),
    }
}

fn hand_edits() -> HandEdits {
    let part = HandEdit::Part { part: 2, bars: None, hand: Hand::Neither };
    let split = HandEdit::Split { at: Pitch::MIDDLE_C, bars: Some((3, 7)) };
    let notes = HandEdit::Notes { notes: vec![NoteId(1), NoteId(300)], hand: Hand::Left };
    HandEdits::new([part, split, notes])
}

fn climbing() -> PracticeSettings {
    let ladder = LadderPlan { on: true, start: Percent::new(50), step: 4, goal: Percent::new(120), up: 1, down: 0 };
    PracticeSettings { ladder, ..PracticeSettings::default() }
}

fn moved(change: TransportChange) -> Event {
    Event::TransportMoved(TransportMoved { change, rate: Rate(44_100) })
}

fn id(device: u64, device_seq: u64) -> EventId {
    EventId { device: DeviceId(device), device_seq }
}

/// A file of music.
fn found(title: &str, path: &str) -> Box<Found> {
    Box::new(Found {
        title: title.to_owned(),
        composer: "C".to_owned(),
        path: path.to_owned(),
        bytes: 4_711,
        modified: WallMillis(1_700_000_000_123),
        rules: 1,
        bars: 32,
        duration: Micros(94_000_000),
        meter: (3, 4),
        key: Some(FoundKey { fifths: -1, minor: true }),
        grade: Some(4),
    })
}

/// One of each kind, with every variant that is stored in a form of its own.
fn events() -> Vec<Event> {
    let verdict = Verdict {
        pass: 2,
        played: Some(PlayedId(7)),
        written: Some(NoteId(3)),
        kind: VerdictKind::Late,
        deviation: Some(Micros(101_500)),
    };
    let info = PieceInfo {
        title: "T".to_owned(),
        composer: String::new(),
        path: Some("/a/ü.mid".to_owned()),
        opened: WallMillis(5),
    };
    let summary = ResultSummary { histogram: vec![1, 2, 3], passes: 4, completed: true, ..ResultSummary::default() };
    let mut events = vec![
        Event::PieceOpened(info),
        Event::PieceForgotten,
        Event::PracticeChosen(PracticeSettings { tempo: Percent::new(73), ..PracticeSettings::default() }),
        Event::PracticeChosen(climbing()),
        Event::HandsChosen(hand_edits()),
        Event::HandsChosen(HandEdits::default()),
        Event::TakeStarted(TakeStart { hands: hand_edits(), ..start() }),
        Event::ScoreStored(vec![0, 255, 7]),
        Event::RecorderPointed(Some(TakeId(9))),
        Event::RecorderPointed(None),
        Event::TakeStarted(start()),
        Event::NotePlayed(Played { source: 16, data: [0x90, 60, 100] }),
        Event::NotesLost(12),
        Event::LatencyChanged(Micros(-9_200)),
        Event::SoundInterrupted(3),
        Event::VerdictGiven(verdict),
        Event::VerdictGiven(Verdict { played: None, deviation: None, kind: VerdictKind::Missed, ..verdict }),
        Event::TakeEnded(TakeEnd::Interrupted),
        Event::TakeDiscarded(true),
        Event::ResultRecorded(Box::new(summary)),
        Event::DeviceConnected("Piano".to_owned()),
        Event::DeviceLost,
        Event::DeviceChosen { name: "Piano".to_owned(), enabled: false },
        Event::TakeStarted(TakeStart { latency: Micros(-12_345), ..start() }),
        Event::TakeStarted(TakeStart::free(WallMillis(7))),
        Event::TakeStarted(TakeStart { origin: TakeOrigin::Kept, ..TakeStart::free(WallMillis(8)) }),
        Event::DeviceCalibrated(Calibration {
            name: "Interface".to_owned(),
            loopback: Some(Micros(21_333)),
            tapped: None,
        }),
        Event::OutputChosen { name: "Piano".to_owned(), usage: usage() },
        Event::PieceTagged("slow".to_owned()),
        Event::PieceUntagged(vec![id(7, 12)]),
        Event::PieceFound(found("T", "/a/ü.mid")),
        Event::FolderChosen(FolderChoice { path: "/a/ü".to_owned(), watched: true }),
        Event::ConnectionChosen(connection(true)),
        Event::PractiseCounted(90_500),
        Event::TakeNamed { name: "with the left hand".to_owned(), seen: vec![id(7, 3), id(9, 1)] },
        Event::Erased,
        Event::EditsMet(Met {
            entity: "settings/theme".to_owned(),
            topic: "setting.changed".to_owned(),
            strategy: "last writer".to_owned(),
            winner: id(9, 4),
            loser: id(7, 11),
        }),
        Event::Leasing(Leasing::Taken(lease())),
        Event::Leasing(Leasing::Ended),
    ];
    events.extend(variants::settings());
    events.extend(variants::others());
    events.extend(
        [
            TransportChange::Runs { place: -5, speed: Percent::new(50) },
            TransportChange::Bar,
            TransportChange::Sought { tick: Ticks(480) },
            TransportChange::Looped { pass: 3 },
            TransportChange::Waits { tick: Ticks(960) },
            TransportChange::Stopped,
            TransportChange::Ended,
        ]
        .map(moved),
    );
    events
}

#[test]
fn every_event_comes_back_from_its_stored_form() {
    for event in events() {
        let topic = Trainer::topic(&event);
        let bytes = Trainer::encode(&event);
        let read = Trainer::decode(topic.schema, topic.schema_version, &bytes);
        assert_eq!(read, Ok(Decoded::Known(event)), "{}", topic.name);
    }
}

/// Stored forms as programs of the past wrote them: schema, version, bytes. Lines are added and never changed, so that
/// whatever is in somebody's log can be read for ever.
const GOLDEN: &str = include_str!("golden/events.txt");

fn usage() -> OutputUse {
    OutputUse { enabled: true, alone: true, lights: Some(16), keys: OutputKeys::Program, ..OutputUse::default() }
}

fn connection(joined: bool) -> ConnectionChoice {
    ConnectionChoice { own: "midi_in".to_owned(), other: "Piano:out ü".to_owned(), joined }
}

fn lease() -> Lease {
    Lease { holder: "person".to_owned(), until: WallMillis(1_767_225_600_000) }
}

fn golden() -> Vec<(&'static str, u16, Vec<u8>)> {
    let read = |line: &'static str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [schema, version, hex] = words[..] else { panic!("three words in {line:?}") };
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hexadecimal digits");
        (schema, version.parse().expect("a number"), (0..hex.len()).step_by(2).map(byte).collect())
    };
    GOLDEN.lines().filter(|line| !line.starts_with('#')).map(read).collect()
}

#[test]
fn what_any_program_of_the_past_wrote_is_understood() {
    let told = events();
    for (schema, version, bytes) in golden() {
        match Trainer::decode(schema, version, &bytes) {
            Ok(Decoded::Known(event)) if told.contains(&event) => {}
            other => panic!("{schema} version {version} became {other:?}"),
        }
    }
    let line = |event: &Event| {
        let topic = Trainer::topic(event);
        let hex: String = Trainer::encode(event).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{} {} {hex}", topic.schema, topic.schema_version)
    };
    let known: HashSet<&str> = GOLDEN.lines().collect();
    let missing: Vec<String> = told.iter().map(line).filter(|line| !known.contains(&**line)).collect();
    assert!(missing.is_empty(), "what is written today is not in golden/events.txt:\n{}", missing.join("\n"));
}

#[test]
fn every_setting_is_among_what_is_stored() {
    let told: HashSet<&str> = events()
        .iter()
        .filter_map(|event| if let Event::SettingChanged(setting) = event { Some(setting.name()) } else { None })
        .collect();
    assert_eq!(told, Setting::NAMES.iter().copied().collect());
}

#[test]
fn every_topic_has_an_event_and_a_name_of_its_own() {
    let mut used: Vec<&str> = events().iter().map(|e| Trainer::topic(e).name).collect();
    used.sort_unstable();
    used.dedup();
    let mut named: Vec<&str> = Trainer::topics().iter().map(|t| t.name).collect();
    named.sort_unstable();
    assert_eq!(used, named);
}

#[test]
fn what_a_newer_program_wrote_is_unknown_and_what_is_damaged_is_an_error() {
    assert_eq!(Trainer::decode("take.started", 2, &[]), Ok(Decoded::Unknown));
    assert_eq!(Trainer::decode("duet.began", 1, &[]), Ok(Decoded::Unknown));
    assert!(Trainer::decode("take.started", 1, &[0xc1]).is_err());
}

/// Folds events of one entity, each checked first, and returns its value.
fn fold(events: &[Event]) -> Option<Entity> {
    let key = EntityKey::new("any/thing");
    let mut value = None;
    for (at, event) in events.iter().enumerate() {
        Trainer::check(&key, event, value.as_ref()).expect("the event is allowed");
        let stamp = Stamp::at(Micros(at as i64 * 1_000));
        let rank = Rank { hlc: at as u64 + 1, id: id(1, at as u64 + 1) };
        value = Trainer::apply(&key, event, &Origin { rank, stamp: Some(&stamp) }, value.as_ref());
    }
    value
}

#[test]
fn a_take_counts_its_notes_and_knows_its_gaps_and_its_end() {
    let note = |data| Event::NotePlayed(Played { source: 0, data });
    let folded = fold(&[
        Event::TakeStarted(start()),
        note([0x90, 60, 80]),
        note([0x90, 60, 0]),
        note([0x90, 62, 80]),
        Event::NotesLost(5),
        Event::TakeEnded(TakeEnd::Completed),
    ]);
    let Some(Entity::Take(take)) = folded else { panic!("a take, not {folded:?}") };
    assert_eq!((take.notes, take.lost, take.end), (2, 5, Some(TakeEnd::Completed)));
    assert_eq!(take.duration(), Micros(2_000));
    assert_eq!(take.moment(), start().at, "a log that does not say where the take comes from");
}

#[test]
fn the_moment_of_a_take_is_that_of_its_first_key() {
    let key = EntityKey::new("take/1");
    let at = |millis: i64, device_seq: u64| Rank { hlc: (millis as u64) << 16, id: id(1, device_seq) };
    let note = |data| Event::NotePlayed(Played { source: 0, data });
    let moment = |start: TakeStart| {
        let events = [Event::TakeStarted(start), note([0xb0, 64, 127]), note([0x90, 60, 80]), note([0x90, 62, 80])];
        let mut value = None;
        for (n, event) in events.iter().enumerate() {
            let rank = at(1_000 * (n as i64 + 1), n as u64 + 1);
            value = Trainer::apply(&key, event, &Origin { rank, stamp: None }, value.as_ref());
        }
        let Some(Entity::Take(take)) = value else { panic!("a take, not {value:?}") };
        take.moment()
    };
    assert_eq!(moment(TakeStart::free(WallMillis(1))), WallMillis(3_000));
    assert_eq!(moment(TakeStart { origin: TakeOrigin::Kept, ..TakeStart::free(WallMillis(1)) }), WallMillis(1));
    assert_eq!(moment(TakeStart { origin: TakeOrigin::Unsaid, ..TakeStart::free(WallMillis(1)) }), WallMillis(1));
}

#[test]
fn a_piece_keeps_how_it_is_practised_when_it_is_opened_again() {
    let Some(Event::PieceOpened(info)) = events().into_iter().next() else { panic!("the first event opens a piece") };
    let practice = PracticeSettings { tempo: Percent::new(40), ..PracticeSettings::default() };
    let folded = fold(&[
        Event::PieceOpened(info.clone()),
        Event::PracticeChosen(practice),
        Event::PieceForgotten,
        Event::PieceOpened(info),
    ]);
    let Some(Entity::Piece(piece)) = folded else { panic!("a piece, not {folded:?}") };
    assert_eq!((*piece.practice, *piece.recent), (Some(practice), true));
}

/// Whether a piece was found first or opened first, it is the same piece in the end.
#[test]
fn a_piece_that_is_found_and_opened_is_one_in_either_order() {
    let open = Event::PieceOpened(PieceInfo { title: "O".to_owned(), opened: WallMillis(5), ..PieceInfo::default() });
    let find = Event::PieceFound(found("F", "/f.mid"));
    let apply = |value: Option<Entity>, event: &Event, hlc| {
        let origin = Origin { rank: Rank { hlc, id: id(hlc, 1) }, stamp: None };
        Trainer::apply(&EntityKey::new("piece/x"), event, &origin, value.as_ref())
    };
    let (found, opened) = (apply(None, &find, 1), apply(None, &open, 2));
    let Some(Entity::Piece(only)) = &found else { panic!("a piece, not {found:?}") };
    assert_eq!((only.title(), only.composer(), only.path(), *only.recent), ("F", "C", Some("/f.mid"), false));
    let (one, other) = (apply(found, &open, 2), apply(opened, &find, 1));
    assert_eq!(one, other);
    let Some(Entity::Piece(both)) = one else { panic!("a piece, not {one:?}") };
    assert_eq!((both.title(), both.composer(), *both.recent), ("O", "C", true));
}

#[test]
fn a_device_stays_switched_off_when_it_is_plugged_in_again() {
    let connected = || Event::DeviceConnected("Piano".to_owned());
    let chosen = Event::DeviceChosen { name: "Piano".to_owned(), enabled: false };
    let folded = fold(&[connected(), chosen, Event::DeviceLost, connected()]);
    let Some(Entity::Device(device)) = folded else { panic!("a device, not {folded:?}") };
    assert_eq!((*device.enabled, *device.connected), (Some(false), true));
}

/// What happens to an entity of one kind: how it begins, and edits that three machines make without seeing each other's.
fn edits() -> Vec<(Vec<Event>, Vec<Event>)> {
    let info = |title: &str| {
        let (title, composer) = (title.to_owned(), String::new());
        Event::PieceOpened(PieceInfo { title, composer, path: None, opened: WallMillis(5) })
    };
    let note = |key| Event::NotePlayed(Played { source: 0, data: [0x90, key, 80] });
    let named = |name: &str, seen| Event::TakeNamed { name: name.to_owned(), seen };
    let tempo = |tempo| PracticeSettings { tempo: Percent::new(tempo), ..PracticeSettings::default() };
    let chosen = |enabled| Event::DeviceChosen { name: "Keys".to_owned(), enabled };
    let used = |through| Event::OutputChosen { name: "Keys".to_owned(), usage: OutputUse { through, ..usage() } };
    let result = |passes| Event::ResultRecorded(Box::new(ResultSummary { passes, ..ResultSummary::default() }));
    let piece = [
        info("A"),
        info("B"),
        Event::PieceForgotten,
        Event::PracticeChosen(tempo(50)),
        Event::PracticeChosen(tempo(60)),
        Event::HandsChosen(hand_edits()),
        Event::HandsChosen(HandEdits::default()),
        Event::PieceTagged("slow".to_owned()),
        Event::PieceUntagged(vec![id(1, 2)]),
        Event::PractiseCounted(70),
        Event::PractiseCounted(30),
        Event::PieceFound(found("A", "/a.mid")),
        Event::PieceFound(found("A", "/b.mid")),
    ];
    let take = [
        note(60),
        note(61),
        Event::NotesLost(3),
        named("x", vec![]),
        named("y", vec![id(1, 2)]),
        named("", vec![id(1, 2)]),
        Event::TakeEnded(TakeEnd::Stopped),
        Event::TakeEnded(TakeEnd::Completed),
        Event::TakeDiscarded(true),
        Event::TakeDiscarded(false),
    ];
    let calibrated = |micros| {
        let (name, loopback) = ("Keys".to_owned(), Some(Micros(micros)));
        Event::DeviceCalibrated(Calibration { name, loopback, tapped: None })
    };
    let device = [
        Event::DeviceLost,
        Event::DeviceConnected("Piano".to_owned()),
        chosen(true),
        chosen(false),
        calibrated(9),
        calibrated(7),
        used(true),
        used(false),
    ];
    let folder = |watched| Event::FolderChosen(FolderChoice { path: "/a".to_owned(), watched });
    let setting = |volume| Event::SettingChanged(Setting::VolumePiano(volume));
    vec![
        (vec![info("T"), Event::PieceTagged(FAVOURITE.to_owned())], piece.to_vec()),
        (vec![Event::TakeStarted(start()), named("n", vec![])], take.to_vec()),
        (vec![Event::TakeStarted(TakeStart::free(WallMillis(1)))], take.to_vec()),
        (vec![Event::DeviceConnected("Keys".to_owned())], device.to_vec()),
        (vec![folder(true)], vec![folder(false), folder(true)]),
        (
            vec![Event::ConnectionChosen(connection(true))],
            [true, false].map(connection).map(Event::ConnectionChosen).to_vec(),
        ),
        (vec![setting(1)], vec![setting(2), setting(3), setting(4)]),
        (vec![result(1)], vec![result(2), result(3)]),
    ]
}

/// What every strategy but `Reject` promises, of every event of the model: three edits by three machines come out the
/// same in all six orders.
#[test]
fn edits_of_machines_that_do_not_see_each_other_come_out_the_same_in_every_order() {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let key = EntityKey::new("any/thing");
    let mut topics = HashSet::new();
    for (begin, edits) in edits() {
        let base = fold(&begin);
        let n = edits.len();
        for at in 0..n.pow(3) {
            let three = [at % n, at / n % n, at / n / n].map(|i| &edits[i]);
            topics.extend(three.map(|event| Trainer::topic(event).name));
            // Clocks of machines differ: the third may be the earliest.
            let ranks = [(90, 2), (95, 3), (90, 4)].map(|(hlc, device)| Rank { hlc, id: id(device, 1) });
            let after = ORDERS.map(|order| {
                order.iter().fold(base.clone(), |value, i| {
                    let stamp = Stamp::at(Micros(ranks[*i].hlc as i64 * 1_000 + *i as i64));
                    Trainer::apply(&key, three[*i], &Origin { rank: ranks[*i], stamp: Some(&stamp) }, value.as_ref())
                })
            });
            assert!(after.iter().all(|value| *value == after[0]), "{three:?}: {after:#?}");
        }
    }
    let alone =
        ["score.stored", "take.started", "latency.changed", "sound.interrupted", "transport.moved", "verdict.given"];
    for topic in Trainer::topics() {
        let shared = topic.strategy != Strategy::Reject && !alone.contains(&topic.name);
        assert_eq!(topics.contains(topic.name), shared, "{}", topic.name);
    }
}

#[test]
fn entities_come_back_from_their_stored_form() {
    let named = |name: &str, seen| Event::TakeNamed { name: name.to_owned(), seen };
    let met = events().into_iter().find(|event| matches!(event, Event::EditsMet(_))).expect("there is one");
    let info = PieceInfo { title: "T".to_owned(), composer: String::new(), path: None, opened: WallMillis(5) };
    let stories: [(&str, Vec<Event>); 12] = [
        ("connection/y", vec![Event::ConnectionChosen(connection(false))]),
        ("piece/y", vec![Event::PieceFound(found("T", "/t.mid")), Event::PieceTagged("slow".to_owned())]),
        ("folder/y", vec![Event::FolderChosen(FolderChoice { path: "/t".to_owned(), watched: true })]),
        (
            "take/2",
            vec![
                Event::TakeStarted(TakeStart::free(WallMillis(3))),
                Event::NotePlayed(Played { source: 0, data: [0x90, 60, 80] }),
            ],
        ),
        ("lease/take/1", vec![Event::Leasing(Leasing::Taken(lease()))]),
        (
            "take/1",
            vec![
                Event::TakeStarted(start()),
                Event::NotesLost(1),
                Event::LatencyChanged(Micros(5)),
                named("a", vec![]),
                named("b", vec![]),
            ],
        ),
        ("conflicts/recent", vec![met.clone(), met]),
        (
            "piece/x",
            vec![
                Event::PieceOpened(info),
                Event::PieceTagged(FAVOURITE.to_owned()),
                Event::PractiseCounted(17),
                Event::PracticeChosen(PracticeSettings::default()),
            ],
        ),
        ("result/1", vec![Event::ResultRecorded(Box::default())]),
        ("settings/theme", vec![Event::SettingChanged(Setting::Theme(ThemeChoice::Light))]),
        ("score/1", vec![Event::ScoreStored(vec![1, 2, 3])]),
        (
            "device/x",
            vec![
                Event::DeviceConnected("X".to_owned()),
                Event::DeviceChosen { name: "X".to_owned(), enabled: false },
                Event::DeviceCalibrated(Calibration { name: "X".to_owned(), loopback: None, tapped: Some(Micros(-4)) }),
                Event::OutputChosen { name: "X".to_owned(), usage: usage() },
                Event::DeviceLost,
            ],
        ),
    ];
    for (key, story) in stories {
        let key = EntityKey::new(key);
        let value = fold(&story).expect("a value");
        assert_eq!(Trainer::decode_entity(&key, &Trainer::encode_entity(&key, &value)), Ok(value), "{key}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let refused = |event: &Event, value: Option<&Entity>, reason: &str| {
        let found = Trainer::check(&EntityKey::new("x/y"), event, value).expect_err("refused");
        assert!(found.to_string().contains(reason), "{found}");
    };
    let open = fold(&[Event::TakeStarted(start())]);
    let ended = fold(&[Event::TakeStarted(start()), Event::TakeEnded(TakeEnd::Stopped)]);
    refused(&Event::NotesLost(1), None, "no such take");
    refused(&Event::LatencyChanged(Micros(1)), None, "no such take");
    refused(&Event::SoundInterrupted(1), None, "no such take");
    refused(&Event::TakeEnded(TakeEnd::Stopped), ended.as_ref(), "not open");
    refused(&Event::TakeStarted(start()), open.as_ref(), "exists already");
    refused(&Event::PieceForgotten, None, "no such piece");
    refused(&Event::FolderChosen(FolderChoice::default()), None, "a folder has a path");
    refused(&Event::ConnectionChosen(ConnectionChoice::default()), None, "a port at each end");
    let long = ConnectionChoice { other: "x".repeat(321), ..connection(true) };
    refused(&Event::ConnectionChosen(long), None, "320 bytes");
    let dark = Event::OutputChosen { name: "X".to_owned(), usage: OutputUse { lights: Some(0), ..usage() } };
    refused(&dark, None, "1 to 16");
    refused(&Event::SettingChanged(Setting::Period(100)), None, "power of two");
    refused(&Event::SettingChanged(Setting::VolumePiano(101)), None, "0 to 100");
    refused(&Event::SettingChanged(Setting::Backend("loud".to_owned())), None, "auto");
    refused(&Event::SettingChanged(Setting::TextPercent(99)), None, "100 to 150");
}

#[test]
fn settings_are_at_their_defaults_until_chosen_and_undo_knows_the_way_back() {
    let mut settings = Settings::default();
    let loud = Setting::VolumePiano(99);
    assert_eq!(settings.current(&loud), Setting::VolumePiano(80));
    settings.set(&loud);
    assert_eq!(settings.current(&loud), loud);
}

#[test]
fn take_names_sort_by_time_and_come_back_from_text() {
    let (early, late) = (TakeId::new(WallMillis(1_000), 9), TakeId::new(WallMillis(2_000), 1));
    assert!(early.to_string() < late.to_string());
    assert_eq!(TakeId::parse(&late.to_string()), Some(late));
    assert_eq!(TakeId::parse("no take"), None);
}
