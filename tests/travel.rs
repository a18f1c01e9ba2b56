//! Time travel through a take: at every instant things stand as they stood, at the end the result is the one that is kept,
//! and no way there is long.

use std::sync::Arc;
use std::time::Duration;

use music_trainer::bus::storage::Erasure;
use music_trainer::bus::{BusHandle, Config, Envelope, Filter, LiveItem, MemoryStorage, Publish, start};
use music_trainer::components::judging::TakeJudge;
use music_trainer::components::library::Library;
use music_trainer::components::results::{self, Results};
use music_trainer::components::session::{Fresh, OnStand, Session};
use music_trainer::components::travel::Travel;
use music_trainer::formats::pieces;
use music_trainer::model::{
    Entity, Event, PieceId, PieceInfo, Played, ResultSummary, TakeEnd, TakeId, TakeStart, Trainer, TransportChange,
    TransportMoved,
};
use music_trainer::music::{Hand, HandEdits, Hands, Percent, Pitch, Score, ScoreParts, WrittenNote};
use music_trainer::practice::ladder::LadderPlan;
use music_trainer::practice::{Mode, PracticeSettings, VerdictKind};
use music_trainer::time::{Frames, ManualClock, Micros, Rate, Stamp, StreamId, Ticks, WallMillis};

const WAIT: Duration = Duration::from_secs(30);
const RATE: Rate = Rate(48_000);
const TAKE: TakeId = TakeId(7);

fn bus() -> BusHandle<Trainer> {
    start(Config::default(), Arc::new(ManualClock::default()), Box::new(MemoryStorage::new())).expect("a bus")
}

/// The stream began half a second after the monotonic clock.
fn stamp(at: Micros) -> Stamp {
    let mono = at + Micros::from_millis(500);
    Stamp { driver: mono, mono, frame: Some(RATE.frames(at)), stream: StreamId(1) }
}

fn key(at: Micros, down: bool, pitch: Pitch) -> (Micros, Event) {
    let data = [if down { 0x90 } else { 0x80 }, pitch.key(), 70];
    (at, Event::NotePlayed(Played { source: 1, data }))
}

fn practice(mode: Mode) -> PracticeSettings {
    PracticeSettings { mode, practise: Hands::BOTH, count_in_bars: 0, ..PracticeSettings::default() }
}

/// Someone plays a piece a little unevenly, leaves a note out here and there, and touches wrong keys.
fn performance(score: &Score, practice: &PracticeSettings) -> Vec<(Micros, Event)> {
    let place = score.tempo().exact(Ticks::ZERO);
    let runs = TransportMoved { change: TransportChange::Runs { place, speed: Percent::FULL }, rate: RATE };
    let mut events = vec![(Micros::ZERO, Event::TransportMoved(runs))];
    let beat = Micros::from_millis(100);
    for (index, group) in score.onset_groups(practice.practise, Ticks::ZERO, score.end()).iter().enumerate() {
        let due = beat + score.tempo().micros(group.tick, Percent::FULL) - beat;
        let late = Micros((index as i64 * 37 % 90 - 45) * 1_000).max(Micros::ZERO - due);
        for (voice, id) in group.notes.iter().enumerate() {
            let at = due + late + Micros(voice as i64 * 9_000);
            let pitch = score.note(*id).pitch;
            if index % 17 == 9 && practice.mode != Mode::Wait {
                continue;
            }
            events.push(key(at, true, pitch));
            events.push(key(at + Micros::from_millis(120), false, pitch));
        }
        if index % 11 == 5 {
            let wrong = Pitch::from_data_byte(23);
            events.push(key(due + late + Micros::from_millis(60), true, wrong));
            events.push(key(due + late + Micros::from_millis(90), false, wrong));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

fn record(bus: &BusHandle<Trainer>, start: &TakeStart, events: &[(Micros, Event)], end: Option<TakeEnd>) {
    let of = |event| Publish::<Trainer>::new(TAKE.entity(), event);
    bus.publish(of(Event::TakeStarted(start.clone())));
    for (at, event) in events {
        bus.publish(of(event.clone()).stamp(stamp(*at)));
    }
    let over = events.last().map_or(Micros::ZERO, |(at, _)| *at) + Micros::from_millis(900);
    if let Some(end) = end {
        bus.publish(of(Event::TakeEnded(end)).stamp(stamp(over)));
    }
    // An edit is on disk at once, and everything before it.
    bus.publish(of(Event::TakeNamed { name: "n".to_owned(), seen: Vec::new() })).durable().expect("durable");
}

fn travel(bus: &BusHandle<Trainer>, start: &TakeStart, piece: Option<(Arc<Score>, PracticeSettings)>) -> Travel {
    let events = bus.entity_events(&TAKE.entity(), 1, usize::MAX).expect("readable");
    Travel::new(start, piece, events)
}

#[test]
fn at_the_end_the_judge_stands_where_the_result_that_is_kept_stands() {
    for mode in [Mode::Wait, Mode::Tempo, Mode::Rhythm, Mode::Follow] {
        for end in [Some(TakeEnd::Completed), Some(TakeEnd::Stopped), None] {
            let bus = bus();
            let built_in = pieces::find("lightly-row").expect("a built-in piece");
            let practice = practice(mode);
            let piece = Some(PieceId::builtin("lightly-row"));
            let begin = TakeStart { piece, practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
            let ended = bus.subscribe_live(Filter::topic("result.recorded"), 16);
            bus.run(Box::new(Results::default())).expect("a thread");
            let (title, composer) = (built_in.title.clone(), built_in.composer.clone());
            let info = PieceInfo { title, composer, path: None, opened: WallMillis(0) };
            let opened = Publish::new(PieceId::builtin("lightly-row").entity(), Event::PieceOpened(info));
            bus.publish(opened).applied().expect("applied");
            let score = Arc::new(built_in.score.clone());
            record(&bus, &begin, &performance(&score, &practice), end);
            let judged = results::judge(&bus, &bus.snapshot(), &mut Library::default(), TAKE).expect("judged");
            assert!(judged.result.counts.right() > 10, "{mode:?}: {:?}", judged.result.counts);
            let mut travel = travel(&bus, &begin, Some((score, practice)));
            let (first, last) = travel.span();
            // There and back again, and once more to the end.
            for at in [last, first, Micros((first.0 + last.0) / 2), last] {
                travel.go(travel.instant_at(at));
            }
            let found = travel.now().result().expect("judged");
            assert_eq!(*found, judged.result, "{mode:?}, {end:?}");
            if end.is_some() {
                let LiveItem::Event(_) = ended.channel().recv_timeout(WAIT).expect("a result") else { panic!("lost") };
                let snapshot = bus.snapshot();
                let Some(Entity::Result(kept)) = snapshot.state.value(TAKE.result_entity().as_str()) else {
                    panic!("a result")
                };
                assert_eq!(ResultSummary::of(found), ***kept, "{mode:?}, {end:?}");
            }
            assert!(bus.shutdown(WAIT));
        }
    }
}

#[test]
fn at_every_instant_the_keys_and_marks_are_what_the_events_up_to_it_make_them() {
    let bus = bus();
    let built_in = pieces::find("lightly-row").expect("a built-in piece");
    let (practice, score) = (practice(Mode::Tempo), Arc::new(built_in.score.clone()));
    let begin = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
    record(&bus, &begin, &performance(&score, &practice), Some(TakeEnd::Completed));
    let events = bus.entity_events(&TAKE.entity(), 1, usize::MAX).expect("readable");
    let mut travel = travel(&bus, &begin, Some((score.clone(), practice)));
    let count = events.len();
    // In an order that goes to and fro; 37 and the count have no common divisor.
    let count_odd = count + usize::from(count.is_multiple_of(37));
    for index in (0..count_odd).map(|n| n * 37 % count_odd).filter(|n| *n < count) {
        let standing = travel.go(travel.instant_after(index));
        let mut judge = TakeJudge::new(score.clone(), practice, Micros::ZERO);
        let mut keys = 0_u128;
        for envelope in &events[..index] {
            if let Some(Event::NotePlayed(played)) = envelope.event() {
                if let Some((pitch, _)) = played.note_on() {
                    keys |= 1 << pitch.key();
                }
                if let Some(pitch) = played.note_off() {
                    keys &= !(1 << pitch.key());
                }
            }
            if let Some(stamp) = envelope.stamp {
                judge.time_passes(stamp.mono);
            }
            judge.event(envelope.version, envelope.event().expect("known"), envelope.stamp.as_ref());
        }
        assert_eq!(standing.keys, keys, "after {index} events");
        let found = standing.result().expect("judged");
        assert_eq!(found.counts, judge.result().counts, "after {index} events");
    }
}

#[test]
fn a_first_impression_is_seen_as_it_was_before_it_was_revised() {
    let notes = [(0, 60), (960, 62)].map(|(onset, key)| WrittenNote {
        onset: Ticks(onset),
        end: Ticks(onset + 480),
        pitch: Pitch::from_data_byte(key),
        hand: Hand::Right,
        velocity: 80,
    });
    let score = Arc::new(Score::new(ScoreParts { resolution: 480, notes: notes.to_vec(), ..ScoreParts::default() }));
    let practice = practice(Mode::Tempo);
    let begin = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
    let bus = bus();
    // The music begins a second later.
    let place = score.tempo().exact(Ticks::ZERO) - 1_000_000 * 480;
    let runs = TransportMoved { change: TransportChange::Runs { place, speed: Percent::FULL }, rate: RATE };
    let millis = Micros::from_millis;
    let c = Pitch::MIDDLE_C;
    // Struck early, and once more so much nearer that the first one was none.
    let events = [(Micros::ZERO, Event::TransportMoved(runs)), key(millis(860), true, c), key(millis(1_010), true, c)];
    record(&bus, &begin, &events, Some(TakeEnd::Stopped));
    let mut travel = travel(&bus, &begin, Some((score, practice)));
    let kinds: Vec<Option<VerdictKind>> = (0..=travel.steps().len())
        .map(|n| travel.go(travel.instant_after(n)).marks.notes[0].map(|mark| mark.kind))
        .collect();
    // After the take's beginning, the music's and the first key.
    assert_eq!(kinds[..4], [None, None, None, Some(VerdictKind::Early)], "{kinds:?}");
    assert_eq!(kinds.last().copied().flatten(), Some(VerdictKind::OnTime), "{kinds:?}");
    // And on the way back it is not known again.
    assert_eq!(travel.go(travel.instant_after(1)).marks.notes[0], None);
}

/// What comes next in a practice.
#[derive(Clone)]
enum Next {
    Event(Event),
    /// A person goes elsewhere; the event that says so comes later.
    Seeks(Ticks),
}

/// Practises as told, and looks back at each event: on the screen stood what one sees then. The marks after each event.
fn shown_as_it_was(
    score: &Arc<Score>,
    practice: PracticeSettings,
    script: &[(i64, Next)],
) -> Vec<Vec<Option<VerdictKind>>> {
    let (bus, begin) = (bus(), TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) });
    let millis = |(at, next): &(i64, Next)| match next {
        Next::Event(event) => Some((Micros::from_millis(*at), event.clone())),
        Next::Seeks(_) => None,
    };
    record(&bus, &begin, &script.iter().filter_map(millis).collect::<Vec<_>>(), None);
    let envelopes = bus.entity_events(&TAKE.entity(), 1, usize::MAX).expect("readable");
    let mut travel = travel(&bus, &begin, Some((score.clone(), practice)));
    let mut takes = TAKE.0..;
    let mut ids = || Fresh { take: TakeId(takes.next().expect("one")), wall: WallMillis(0), now: Micros::ZERO };
    let mut session = Session::new(TakeId(1));
    let stand = OnStand { id: PieceId("p".into()), score: score.clone(), hands: HandEdits::default() };
    session.open(stand, practice, &mut ids);
    session.play(&mut ids);
    assert_eq!(session.current_take(), TAKE);
    let mut shown = Vec::new();
    // Behind the start of the take.
    let mut events = envelopes.iter().enumerate().skip(1);
    for (_, next) in script {
        if let Next::Seeks(tick) = next {
            session.seek(*tick);
            continue;
        }
        let (index, envelope) = events.next().expect("an event each");
        let now = envelope.stamp.expect("a stamp").mono;
        session.time_passes(now, now, &mut ids);
        session.event(envelope, now, &mut ids);
        assert_eq!(session.current_take(), TAKE, "the practice goes on");
        let then = &travel.go(travel.instant_after(index + 1)).marks;
        let view = session.view();
        assert_eq!((&then.notes, &then.extras), (&view.marks, &view.extras), "after {index} events, {practice:?}");
        shown.push(then.notes.iter().map(|mark| mark.map(|mark| mark.kind)).collect());
    }
    assert!(bus.shutdown(WAIT));
    shown
}

/// Two bars of four quarters, half a second each.
fn scale() -> Arc<Score> {
    let note = |n: i64| WrittenNote {
        onset: Ticks(n * 480),
        end: Ticks(n * 480 + 400),
        pitch: Pitch::from_data_byte(60 + n as u8),
        hand: Hand::Right,
        velocity: 80,
    };
    Arc::new(Score::new(ScoreParts { resolution: 480, notes: (0..8).map(note).collect(), ..ScoreParts::default() }))
}

fn strikes(n: u8) -> Next {
    Next::Event(key(Micros::ZERO, true, Pitch::from_data_byte(60 + n)).1)
}

fn moves(change: TransportChange) -> Next {
    Next::Event(Event::TransportMoved(TransportMoved { change, rate: RATE }))
}

fn runs(score: &Score, tick: Ticks, speed: Percent) -> Next {
    moves(TransportChange::Runs { place: score.tempo().exact(tick), speed })
}

#[test]
fn in_a_loop_that_waits_what_is_played_early_for_the_next_pass_is_seen_in_it() {
    let score = scale();
    let practice = PracticeSettings { looping: true, ..practice(Mode::Wait) };
    let first = (0..8).map(|n| (i64::from(n) * 500, strikes(n)));
    // The next pass begins before the music has gone back.
    let back = [(4_000, strikes(0)), (4_050, moves(TransportChange::Looped { pass: 1 })), (4_500, strikes(1))];
    let wrong = [(4_600, strikes(7)), (4_700, strikes(2))];
    let shown = shown_as_it_was(&score, practice, &first.chain(back).chain(wrong).collect::<Vec<_>>());
    let marks = |after: usize| shown[after].iter().filter(|mark| mark.is_some()).count();
    assert_eq!((marks(7), marks(9), marks(10), marks(12)), (8, 1, 2, 3), "{shown:?}");
}

#[test]
fn whoever_goes_elsewhere_sees_no_marks_of_before() {
    let score = scale();
    for mode in [Mode::Tempo, Mode::Wait, Mode::Follow] {
        let on_course = [(0, runs(&score, Ticks::ZERO, Percent::FULL)), (10, strikes(0)), (490, strikes(1))];
        let elsewhere = [
            (900, Next::Seeks(Ticks(4 * 480))),
            // Before the music is there.
            (905, strikes(2)),
            (910, moves(TransportChange::Sought { tick: Ticks(4 * 480) })),
            (920, runs(&score, Ticks(4 * 480), Percent::FULL)),
            (925, strikes(4)),
            (1_425, strikes(5)),
            (2_200, strikes(0)),
            (2_300, moves(TransportChange::Bar)),
        ];
        let script: Vec<_> = on_course.into_iter().chain(elsewhere).collect();
        let shown = shown_as_it_was(&score, practice(mode), &script);
        assert!(shown[2].iter().any(Option::is_some), "{mode:?}: {shown:?}");
        assert!(shown[4].iter().all(Option::is_none), "{mode:?}: {shown:?}");
        let last = shown.last().expect("marks");
        assert!(last[0..3].iter().all(Option::is_none) && last[4].is_some(), "{mode:?}: {shown:?}");
    }
}

#[test]
fn on_a_ladder_each_pass_has_marks_of_its_own() {
    let score = scale();
    let (half, full) = (Percent::new(50), Percent::FULL);
    let ladder = LadderPlan { on: true, start: half, step: 50, goal: full, up: 1, down: 0 };
    let practice = PracticeSettings { ladder, tempo: half, ..practice(Mode::Tempo) };
    let mut script = vec![(0, runs(&score, Ticks::ZERO, half))];
    script.extend((0..8).map(|n| (i64::from(n) * 1_000 + 5, strikes(n))));
    script.extend([(8_000, moves(TransportChange::Ended)), (8_010, moves(TransportChange::Stopped))]);
    script.extend([
        (9_500, moves(TransportChange::Sought { tick: Ticks::ZERO })),
        (9_510, runs(&score, Ticks::ZERO, full)),
    ]);
    script.extend((0..3).map(|n| (9_515 + i64::from(n) * 500, strikes(n))));
    script.push((11_800, moves(TransportChange::Bar)));
    let shown = shown_as_it_was(&score, practice, &script);
    let right = |after: usize| shown[after].iter().flatten().filter(|kind| kind.is_right()).count();
    assert_eq!((right(10), right(11), right(15), right(16)), (8, 0, 3, 3), "{shown:?}");
    assert_eq!(shown[16][3], Some(VerdictKind::Missed), "{shown:?}");
}

/// A take of ten thousand notes.
fn long_take() -> (Arc<Score>, PracticeSettings, Vec<Envelope<Trainer>>) {
    let note = |n: i64| WrittenNote {
        onset: Ticks(n * 240),
        end: Ticks(n * 240 + 200),
        pitch: Pitch::from_data_byte(48 + (n * 7 % 36) as u8),
        hand: Hand::Right,
        velocity: 80,
    };
    let notes: Vec<WrittenNote> = (0..10_000).map(note).collect();
    let score = Arc::new(Score::new(ScoreParts { resolution: 480, notes, ..ScoreParts::default() }));
    let practice = practice(Mode::Tempo);
    let bus = bus();
    let begin = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
    record(&bus, &begin, &performance(&score, &practice), Some(TakeEnd::Completed));
    let events = bus.entity_events(&TAKE.entity(), 1, usize::MAX).expect("readable");
    assert!(bus.shutdown(WAIT));
    (score, practice, events)
}

#[test]
fn from_anywhere_to_anywhere_in_a_take_of_ten_thousand_notes_few_events_are_fed() {
    let (score, practice, events) = long_take();
    let begin = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
    let mut travel = Travel::new(&begin, Some((score, practice)), events);
    let count = travel.steps().len();
    assert!(count > 18_000, "{count}");
    let most = (count / 32).max(256) as u64;
    assert_eq!(travel.fed(), 0, "what was fed to lay checkpoints is not a journey");
    for n in 0..500_usize {
        let before = travel.fed();
        travel.go(travel.instant_after(n * 7_919 % (count + 1)));
        assert!(travel.fed() - before <= most, "{} events for one journey", travel.fed() - before);
    }
    travel.go(travel.instant_after(1_000));
    let before = travel.fed();
    for n in 1_001..=1_500 {
        travel.go(travel.instant_after(n));
    }
    assert!(travel.fed() - before <= 500, "a step forward is one event, or none where there is a checkpoint");
}

#[test]
fn a_take_that_was_not_ended_is_finished_once_and_then_known() {
    let score = scale();
    for mode in [Mode::Follow, Mode::Wait, Mode::Tempo] {
        let practice = practice(mode);
        let begin = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
        let bus = bus();
        record(&bus, &begin, &performance(&score, &practice), None);
        let mut travel = travel(&bus, &begin, Some((score.clone(), practice)));
        let last = travel.span().1;
        let first = travel.go(travel.instant_at(last)).result().cloned();
        assert!(first.as_ref().is_some_and(|result| result.counts.right() > 3), "{mode:?}: {first:?}");
        assert_eq!(travel.fed(), 1, "that nothing more comes");
        for to in [0, usize::MAX, 3, usize::MAX, usize::MAX] {
            let standing = travel.go(travel.instant_after(to));
            assert_eq!(to == usize::MAX, standing.result() == first.as_ref(), "{mode:?}, {to}");
        }
        assert!(travel.fed() <= 1 + 3, "{mode:?}: {} events", travel.fed());
        assert!(bus.shutdown(WAIT));
    }
}

#[test]
fn what_was_erased_is_there_as_erased_and_what_follows_stands() {
    let bus = bus();
    let c = Pitch::MIDDLE_C;
    let millis = Micros::from_millis;
    let events = [key(millis(0), true, c), key(millis(300), false, c), key(millis(600), true, c)];
    let begin = TakeStart::free(WallMillis(0));
    record(&bus, &begin, &events, Some(TakeEnd::Stopped));
    let entity = TAKE.entity().as_str().into();
    assert_eq!(bus.erase(Erasure::Entity { entity, versions: 2..4 }).expect("erased"), 2);
    let mut travel = travel(&bus, &begin, None);
    let erased: Vec<bool> = travel.steps().iter().map(|step| step.erased).collect();
    assert_eq!(erased, [false, true, true, false, false, false]);
    let standing = travel.go(travel.instant_after(3));
    assert_eq!((standing.keys, standing.erased), (0, 2));
    assert!(travel.event().is_some_and(|step| step.erased && step.event.is_none() && &*step.topic == "note.played"));
    let standing = travel.go(travel.instant_after(4));
    assert_eq!((standing.keys, standing.result()), (1 << c.key(), None));
    assert_eq!(travel.go(travel.instant_after(usize::MAX)).instant().events, 6);
    assert_eq!(RATE.frames(millis(1_000)), Frames(48_000));
}
