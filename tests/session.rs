//! The practice session as a state machine: what the engine is told, in which order, and which take records what.

use std::borrow::Cow;
use std::sync::Arc;

use music_trainer::audio::{Command, MusicTime};
use music_trainer::bus::{Body, DeviceId, Envelope, EventId};
use music_trainer::components::session::{Effect, Fresh, OnStand, Session, first_settings};
use music_trainer::formats::notation;
use music_trainer::model::{Event, PieceId, Played, TakeId, Trainer, TransportChange, TransportMoved};
use music_trainer::music::{HandEdits, Hands, Percent, Pitch};
use music_trainer::practice::ladder::{Climb, LadderPlan};
use music_trainer::practice::{BarRange, Heard, KeyRange, Mode, PracticeSettings, VerdictKind};
use music_trainer::time::{Frames, Micros, Rate, Stamp, StreamId, Ticks, WallMillis};

const RATE: Rate = Rate(48_000);
/// Two bars of four quarters, a quarter is 480 ticks, or half a second.
const NOTES: &str = "tempo: 120\nR: c4 d e f | g f e d";

/// A session with a clock in the hand.
struct Room {
    session: Session,
    now: Micros,
    takes: u64,
    version: u64,
    told: Vec<String>,
    /// The speeds that the engine was told.
    speeds: Vec<u16>,
    /// For which hands it was told to play which keys that lack.
    fills: Vec<(Hands, u128)>,
    goes_on: Option<Frames>,
}

impl Room {
    fn new(settings: PracticeSettings) -> Self {
        Self::with_notes(NOTES, settings)
    }

    fn with_notes(notes: &str, settings: PracticeSettings) -> Self {
        let session = Session::new(TakeId(1));
        let (told, speeds, fills, goes_on) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut room = Self { session, now: Micros(1_000_000), takes: 1, version: 0, told, speeds, fills, goes_on };
        let score = Arc::new(notation::score(notes).expect("the notes are written right"));
        let stand = OnStand { id: PieceId::builtin("test"), score, hands: HandEdits::default() };
        room.with(|session, ids| session.open(stand, settings, ids));
        room.told.clear();
        room
    }

    fn with(&mut self, act: impl FnOnce(&mut Session, &mut dyn FnMut() -> Fresh)) {
        let (takes, now) = (&mut self.takes, self.now);
        let mut ids = || {
            *takes += 1;
            Fresh { take: TakeId(*takes), wall: WallMillis(0), now }
        };
        act(&mut self.session, &mut ids);
        for effect in self.session.take_effects() {
            if let Effect::Engine(Command::SetSpeed(speed)) = &effect {
                self.speeds.push(speed.get());
            }
            if let Effect::Engine(Command::PlayAt { frame, .. }) = &effect {
                self.goes_on = Some(*frame);
            }
            if let Effect::Engine(Command::Fill(hands, keys)) = &effect {
                self.fills.push((*hands, *keys));
            }
            if let Effect::Settle(settling) = effect {
                let settled = settling.settle();
                let verdicts = settled.verdicts().map(|(take, event)| Effect::Publish(take, event, None));
                self.told.extend(verdicts.filter_map(|verdict| tell(&verdict)));
                self.session.settled(settled);
                continue;
            }
            self.told.extend(tell(&effect));
        }
    }

    /// What was told since last asked.
    fn told(&mut self) -> String {
        std::mem::take(&mut self.told).join(" · ")
    }

    fn happens(&mut self, event: Event) {
        self.version += 1;
        let frame = RATE.frames(self.now);
        let stamp = Stamp { driver: self.now, mono: self.now, frame: Some(frame), stream: StreamId(1) };
        let take = self.session.current_take();
        let envelope = Envelope::<Trainer> {
            seq: self.version,
            id: EventId { device: DeviceId(1), device_seq: self.version },
            topic: Cow::Borrowed("any"),
            entity: take.entity(),
            version: self.version,
            base: None,
            hlc: 0,
            stamp: Some(stamp),
            cause: None,
            actor: Cow::Borrowed("test"),
            schema: Cow::Borrowed("any"),
            schema_version: 1,
            body: Body::Known { event, encoded: None },
        };
        let now = self.now;
        self.with(|session, ids| session.event(&envelope, now, ids));
    }

    fn key(&mut self, key: u8) {
        self.happens(Event::NotePlayed(Played { source: 0, data: [0x90, key, 80] }));
    }

    fn moved(&mut self, change: TransportChange) {
        self.happens(Event::TransportMoved(TransportMoved { change, rate: RATE }));
    }
}

fn tell(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::Engine(Command::Play { count_in }) => format!("play after {count_in}"),
        Effect::Engine(Command::PlayAt { count_in, .. }) => format!("go on after {count_in}"),
        Effect::Engine(Command::Stop) => "stop".to_owned(),
        Effect::Engine(Command::Seek(tick)) => format!("seek {tick}"),
        Effect::Engine(Command::Hold(Some(tick))) => format!("hold {tick}"),
        Effect::Engine(Command::Hold(None)) => "hold none".to_owned(),
        Effect::Engine(Command::AdvanceTo { tick, hold }) => match hold {
            Some(hold) => format!("advance {tick} hold {hold}"),
            None => format!("advance {tick}"),
        },
        Effect::Engine(Command::Prompt { pitch, hold, .. }) => format!("prompt {pitch} for {}", hold.0 / 1_000),
        Effect::Engine(_) | Effect::Settle(_) => return None,
        Effect::Switch { events, .. } => {
            let told = events.iter().map(|(take, event)| match event {
                Event::TakeEnded(end) => format!("end {} {end:?}", take.0),
                Event::TakeStarted(start) => {
                    format!("begin {} {}", take.0, if start.piece.is_some() { "piece" } else { "free" })
                }
                _ => format!("record {}", take.0),
            });
            told.collect::<Vec<_>>().join(", ")
        }
        Effect::Publish(take, Event::VerdictGiven(verdict), _) => {
            format!("{} {:?}", take.0, verdict.kind).to_lowercase()
        }
        Effect::Publish(take, Event::LatencyChanged(latency), Some(at)) => {
            format!("{} latency {latency} at {at}", take.0)
        }
        Effect::Publish(..) => return None,
    })
}

fn wait() -> PracticeSettings {
    first_settings(Mode::Wait)
}

#[test]
fn waiting_begins_a_take_before_the_music_and_holds_at_the_first_note() {
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    assert_eq!(room.told(), "end 1 Stopped, begin 2 piece, record 2 · seek 0 · hold 0 · play after 0");
}

#[test]
fn a_piece_that_is_opened_waits_for_its_first_note_unless_something_sounds_before() {
    let mut room = Room::new(wait());
    room.with(|session, ids| session.await_person(ids));
    assert_eq!(room.told(), "end 1 Stopped, begin 2 piece, record 2 · seek 0 · hold 0 · play after 0");
    let keep = PracticeSettings { mode: Mode::Tempo, ..wait() };
    room.with(|session, ids| session.choose(keep, None, ids));
    room.told();
    room.with(|session, ids| session.await_person(ids));
    assert_eq!(room.told(), "", "keeping tempo begins when the person says so");
    let right_hand = PracticeSettings { practise: Hands { right: true, left: false }, ..wait() };
    for (heard_left, begins) in [(Heard::Muted, true), (Heard::Always, false)] {
        let settings = PracticeSettings { heard_left, ..right_hand };
        let mut room = Room::with_notes("tempo: 120\nR: r/4 d e f\nL: c3/4 e g e", settings);
        room.with(|session, ids| session.await_person(ids));
        assert_eq!(room.session.is_playing(), begins, "left hand {heard_left:?}");
    }
}

#[test]
fn each_group_that_is_done_turns_the_page_to_the_next() {
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    room.told();
    room.key(60);
    assert_eq!(room.told(), "2 ontime · advance 0 hold 480");
    room.key(61);
    assert_eq!(room.told(), "2 extra");
    room.key(62);
    assert_eq!(room.told(), "2 ontime · advance 480 hold 960");
}

#[test]
fn the_last_note_ends_the_take_and_the_free_one_goes_on() {
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    for key in [60, 62, 64, 65, 67, 65, 64] {
        room.key(key);
    }
    room.told();
    room.key(62);
    assert_eq!(room.told(), "2 ontime · advance 3360 · end 2 Completed, begin 3 free, record 3");
    let view = room.session.view();
    let finished = view.finished.expect("the take has ended");
    assert!(finished.completed && !view.judging);
    assert_eq!((finished.take, finished.start.practice), (TakeId(2), Some(wait())));
    assert_eq!(view.result.map(|r| r.counts.right()), Some(8));
}

#[test]
fn a_loop_goes_on_after_its_last_note() {
    let range = Some(BarRange::new(1, 1));
    let mut room = Room::new(PracticeSettings { range, looping: true, ..wait() });
    room.with(|session, ids| session.play(ids));
    for key in [67, 65, 64] {
        room.key(key);
    }
    room.told();
    room.key(62);
    assert_eq!(room.told(), "2 ontime · advance 3360");
    room.moved(TransportChange::Looped { pass: 1 });
    room.key(67);
    assert_eq!(room.told(), "2 ontime · advance 1920 hold 2400");
}

#[test]
fn stopping_ends_the_take_and_what_was_not_reached_is_not_held_against_the_person() {
    let mut room = Room::new(PracticeSettings { mode: Mode::Tempo, count_in_bars: 1, ..wait() });
    room.with(|session, ids| session.play(ids));
    assert!(room.told().ends_with("hold none · play after 1"));
    room.moved(TransportChange::Runs { place: 0, speed: Percent::FULL });
    room.key(60);
    room.now += Micros(600_000);
    room.with(|session, ids| session.stop(ids));
    assert_eq!(room.told(), "stop · 2 ontime · end 2 Stopped, begin 3 free, record 3");
}

#[test]
fn the_end_of_the_music_ends_the_take_once_late_notes_have_had_their_time() {
    let mut room = Room::new(PracticeSettings { mode: Mode::Tempo, ..wait() });
    room.with(|session, ids| session.play(ids));
    room.moved(TransportChange::Runs { place: 0, speed: Percent::FULL });
    room.told();
    room.now += RATE.micros(Frames(8 * 24_000));
    room.moved(TransportChange::Ended);
    assert_eq!(room.told(), "");
    let now = room.now + Micros::SECOND;
    room.now = now;
    room.with(|session, ids| session.time_passes(now, now, ids));
    assert!(room.told().ends_with("end 2 Completed, begin 3 free, record 3"));
}

#[test]
fn another_mode_ends_the_take_and_another_tempo_does_not() {
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    room.told();
    room.with(|session, ids| session.choose(PracticeSettings { tempo: Percent::new(50), ..wait() }, None, ids));
    assert_eq!(room.told(), "");
    room.with(|session, ids| session.choose(PracticeSettings { mode: Mode::Listen, ..wait() }, None, ids));
    assert!(room.told().starts_with("stop · "));
    assert!(!room.session.view().playing);
}

#[test]
fn a_take_is_told_when_the_latency_of_the_devices_changes_and_time_waits_for_it() {
    let millis = |millis| Micros::from_millis(millis);
    let mut room = Room::new(PracticeSettings { mode: Mode::Tempo, count_in_bars: 0, ..wait() });
    room.with(|session, _| session.set_latency(millis(5), millis(900)));
    assert_eq!(room.told(), "", "the free take is not judged");
    room.with(|session, ids| session.play(ids));
    let score = room.session.stand().expect("it is open").score.clone();
    room.moved(TransportChange::Runs { place: score.tempo().exact(Ticks(0)), speed: Percent::FULL });
    room.told();
    room.now += millis(100);
    let now = room.now;
    room.with(|session, _| session.set_latency(millis(5), now));
    assert_eq!(room.told(), "", "it is the same");
    room.with(|session, _| session.set_latency(millis(30), now));
    assert_eq!(room.told(), "2 latency 30000 at 1100000");
    // The change has not come back from the bus: nothing after it is decided.
    room.now += millis(1_300);
    let now = room.now;
    let missed = |room: &Room| {
        let view = room.session.view();
        view.marks.iter().flatten().filter(|mark| mark.kind == VerdictKind::Missed).count()
    };
    room.with(|session, ids| session.time_passes(now, now, ids));
    assert_eq!(missed(&room), 0);
    room.now = millis(1_100);
    room.happens(Event::LatencyChanged(millis(30)));
    room.now = now;
    room.with(|session, ids| session.time_passes(now, now, ids));
    assert_eq!((missed(&room), room.told().as_str()), (2, ""), "they are shown, and judged once something is played");
    room.with(|session, ids| session.stop(ids));
    room.with(|session, ids| session.play(ids));
    room.told();
    room.with(|session, _| session.set_latency(millis(30), now));
    assert_eq!(room.told(), "", "the next take began with it");
}

#[test]
fn the_next_keys_are_known_while_the_music_runs_in_its_own_time() {
    for mode in [Mode::Tempo, Mode::Listen] {
        let mut room = Room::new(PracticeSettings { mode, count_in_bars: 0, ..wait() });
        let next = |room: &Room| room.session.next_keys(room.now);
        assert_eq!(next(&room), None, "nothing plays");
        room.with(|session, ids| session.play(ids));
        assert_eq!((next(&room), room.session.wants_time()), (Some(0), mode == Mode::Tempo));
        room.moved(TransportChange::Runs { place: 0, speed: Percent::FULL });
        assert!(room.session.wants_time(), "keys go out in time");
        room.now += Micros::from_millis(200);
        assert_eq!(next(&room), Some(1 << 62), "D is the second");
        room.now += Micros::from_millis(500);
        assert_eq!(next(&room), Some(1 << 64), "E is the third");
        room.with(|session, ids| session.stop(ids));
        assert_eq!(next(&room), None);
        room.with(|session, ids| session.play(ids));
        assert_eq!(next(&room), Some(0), "the course of the music before does not hold");
    }
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    assert_eq!(room.session.next_keys(room.now), None, "it waits for them");
    assert_eq!(room.session.view().awaited.keys, 1 << 60);
}

#[test]
fn seeking_while_it_waits_holds_at_the_next_note_there() {
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    room.told();
    room.with(|session, _| session.seek(Ticks(2_000)));
    assert_eq!(room.told(), "seek 1920 · hold 1920");
    room.moved(TransportChange::Sought { tick: Ticks(1_920) });
    room.key(67);
    assert_eq!(room.told(), "2 ontime · advance 1920 hold 2400");
}

#[test]
fn a_key_that_comes_before_the_music_is_where_i_clicked_does_not_pull_it_back() {
    for mode in [Mode::Wait, Mode::Follow] {
        let mut room = Room::new(first_settings(mode));
        room.with(|session, ids| session.play(ids));
        room.key(60);
        room.told();
        room.with(|session, _| session.seek(Ticks(1_920)));
        room.key(62);
        let told = room.told();
        assert!(told.starts_with("seek 1920 · hold 1920") && !told.contains("advance"), "{mode:?}: {told}");
        room.moved(TransportChange::Sought { tick: Ticks(1_920) });
        room.key(67);
        let told = room.told();
        assert!(told.ends_with("advance 1920 hold 2400"), "{mode:?}: {told}");
        // Nor does the last one of the piece end the take, when one has clicked to go on elsewhere.
        [65, 64].into_iter().for_each(|key| room.key(key));
        room.told();
        room.with(|session, _| session.seek(Ticks(0)));
        room.key(62);
        assert!(room.session.is_playing(), "{mode:?}");
        room.moved(TransportChange::Sought { tick: Ticks(0) });
        room.told();
        room.key(60);
        let told = room.told();
        assert!(told.ends_with("advance 0 hold 480"), "{mode:?}: {told}");
    }
}

#[test]
fn a_pause_keeps_the_place() {
    let mut room = Room::new(PracticeSettings { mode: Mode::Listen, ..wait() });
    room.with(|session, ids| session.play(ids));
    room.told();
    room.with(|session, ids| session.pause(Some(Ticks(2_500)), ids));
    assert_eq!(room.told(), "stop · seek 2500");
    room.with(|session, ids| session.play(ids));
    assert_eq!(room.told(), "seek 2500 · hold none · play after 0");
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    room.with(|session, ids| session.pause(Some(Ticks(2_500)), ids));
    room.told();
    room.with(|session, ids| session.play(ids));
    assert!(room.told().contains("seek 1920 · hold 1920"), "what is judged begins with a bar");
}

#[test]
fn who_is_waited_for_begins_with_the_first_key_unless_something_sounds_before() {
    let armed = |room: &Room| room.session.view().armed;
    let mut room = Room::new(wait());
    assert!(!armed(&room));
    room.with(|session, ids| session.await_person(ids));
    assert!(armed(&room));
    room.with(|session, _| session.seek(Ticks(1_920)));
    assert!(armed(&room), "still nothing was played");
    room.moved(TransportChange::Sought { tick: Ticks(1_920) });
    room.key(60);
    assert!(!armed(&room) && room.session.is_playing());
    room.with(|session, _| session.seek(Ticks(0)));
    room.moved(TransportChange::Sought { tick: Ticks(0) });
    assert!(!armed(&room), "the practice has begun long ago");
    let introduced = PracticeSettings { practise: Hands::RIGHT, heard_left: Heard::Always, ..wait() };
    let mut room = Room::with_notes("tempo: 120\nR: r/1 | c/4 d e f\nL: c3/1 | c", introduced);
    room.with(|session, ids| session.play(ids));
    assert!(!armed(&room) && room.session.is_playing(), "the left hand is heard before");
}

#[test]
fn another_mode_or_hand_goes_on_at_the_place_where_the_music_is_and_another_range_at_its_start() {
    let keep = PracticeSettings { mode: Mode::Tempo, count_in_bars: 0, ..wait() };
    let mut room = Room::new(keep);
    room.with(|session, ids| session.play(ids));
    let right = PracticeSettings { practise: Hands::RIGHT, ..keep };
    room.with(|session, ids| session.choose(right, Some(Ticks(2_500)), ids));
    room.told();
    room.with(|session, ids| session.play(ids));
    assert!(room.told().contains("seek 1920"), "the bar that was played");
    let follow = PracticeSettings { mode: Mode::Follow, ..right };
    room.with(|session, ids| session.choose(follow, None, ids));
    room.told();
    room.with(|session, ids| session.play(ids));
    assert!(room.told().contains("seek 1920"), "where it was begun, while the place is not known");
    // Paused in the middle of a bar while listening.
    room.with(|session, ids| session.choose(PracticeSettings { mode: Mode::Listen, ..right }, None, ids));
    room.with(|session, ids| session.play(ids));
    room.with(|session, ids| session.pause(Some(Ticks(2_500)), ids));
    room.with(|session, ids| session.choose(follow, None, ids));
    room.told();
    room.with(|session, ids| session.play(ids));
    assert!(room.told().contains("seek 1920"), "what is judged begins with a bar");
    let first_bar = PracticeSettings { range: Some(BarRange::new(0, 0)), ..follow };
    room.with(|session, ids| session.choose(first_bar, Some(Ticks(2_500)), ids));
    room.told();
    room.with(|session, ids| session.play(ids));
    assert!(room.told().contains("seek 0"));
}

#[test]
fn a_change_of_takes_that_was_refused_leaves_the_old_one() {
    let mut room = Room::new(wait());
    room.with(|session, ids| session.play(ids));
    room.told();
    room.with(|session, _| session.switch_failed(TakeId(1)));
    assert_eq!(room.told(), "stop");
    assert_eq!(room.session.current_take(), TakeId(1));
    room.with(|session, ids| session.play(ids));
    assert!(room.told().starts_with("end 1 Stopped, begin 3 piece"));
}

#[test]
fn a_range_ends_where_it_ends() {
    let range = Some(BarRange::new(0, 0));
    let mut room = Room::new(PracticeSettings { mode: Mode::Tempo, range, ..wait() });
    room.with(|session, ids| session.play(ids));
    assert!(room.told().contains("hold 1920"));
    room.moved(TransportChange::Waits { tick: Ticks(1_920) });
    assert_eq!(room.told(), "stop");
}

#[test]
fn what_a_person_has_to_play_around_a_sound_of_the_program_is_told() {
    let mut settings = first_settings(Mode::Tempo);
    settings.practise = Hands::RIGHT;
    let room = Room::with_notes("tempo: 120\nR: c4 d e f | g a b c5\nL: c3/1 | g2", settings);
    let score = room.session.stand().expect("a piece").score.clone();
    let around = |tick: i64| {
        let written = room.session.written_around(MusicTime::of(score.tempo(), Ticks(tick)));
        let keys = |bits: u128| (0..128).filter(|key| bits >> key & 1 == 1).collect::<Vec<u8>>();
        (keys(written.now), keys(written.soon))
    };
    let quarter = i64::from(score.resolution());
    assert_eq!(around(0), (vec![60], vec![60, 62, 64, 65, 67]));
    // A quarter is half a second: between two of them both are near.
    assert_eq!(around(quarter + quarter / 2), (vec![62, 64], vec![62, 64, 65, 67, 69]));
    assert_eq!(around(40 * quarter), (vec![], vec![]));
}

/// Presses these keys, so many milliseconds apart.
fn press(room: &mut Room, keys: &[u8], apart: i64) {
    for key in keys {
        room.now += Micros::from_millis(apart);
        room.key(*key);
    }
}

#[test]
fn following_goes_along_with_the_person_and_their_tempo() {
    let mut room = Room::new(first_settings(Mode::Follow));
    room.with(|session, ids| session.play(ids));
    assert_eq!(room.told(), "end 1 Stopped, begin 2 piece, record 2 · seek 0 · hold 0 · play after 0");
    assert_eq!(room.session.view().needed.len(), 1);
    room.speeds.clear();
    // Twice as slow as written, with a wrong key for the third.
    press(&mut room, &[60, 62, 61, 65], 1_000);
    assert_eq!(
        room.told(),
        "advance 0 hold 480 · advance 480 hold 960 · advance 960 hold 1440 · advance 1440 hold 1920"
    );
    assert_eq!(room.speeds, [50]);
    press(&mut room, &[67, 65, 64, 62], 1_000);
    let told = room.told();
    let end = "2 ontime · 2 ontime · 2 missed · 2 ontime · 2 ontime · 2 ontime · 2 ontime · 2 ontime · 2 extra";
    assert!(told.ends_with(&format!("advance 3360 · {end} · end 2 Completed, begin 3 free, record 3")), "{told}");
    assert_eq!(room.speeds, [50], "the same tempo");
    assert_eq!(room.session.view().extras.len(), 1, "told at once and in the end, shown once");
}

#[test]
fn following_ends_with_the_last_chord_whole_or_not() {
    let notes = "tempo: 120\nR: c4 d e f | g <a c5>/2.";
    for (keys, ends_at_once) in [(&[60, 62, 64, 65, 67, 69, 72][..], true), (&[60, 62, 64, 65, 67, 69], false)] {
        let mut room = Room::with_notes(notes, first_settings(Mode::Follow));
        room.with(|session, ids| session.play(ids));
        press(&mut room, keys, 500);
        let told = room.told();
        assert_eq!(told.ends_with("end 2 Completed, begin 3 free, record 3"), ends_at_once, "{told}");
        if ends_at_once {
            continue;
        }
        let end = room.session.stand().expect("a piece").score.end();
        room.moved(TransportChange::Waits { tick: end });
        room.now += Micros::from_millis(3_000);
        let now = room.now;
        room.with(|session, ids| session.time_passes(now, now, ids));
        let told = room.told();
        assert!(told.ends_with("2 missed · end 2 Completed, begin 3 free, record 3"), "{told}");
    }
}

#[test]
fn following_finds_the_person_again_where_they_went() {
    let notes = "tempo: 120\nR: c4 d e f | g a b c5 | d5 e f g | a5 g f e | d5 c b4 a | g4 f e d";
    let mut room = Room::with_notes(notes, first_settings(Mode::Follow));
    room.with(|session, ids| session.play(ids));
    press(&mut room, &[60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81], 500);
    room.told();
    // Back to the second bar.
    press(&mut room, &[67, 69, 71, 72, 74, 76, 77], 500);
    let told = room.told();
    let seeks: Vec<&str> = told.split(" · ").filter(|told| told.starts_with("seek")).collect();
    assert_eq!(seeks.len(), 1, "{told}");
    assert!(told.ends_with("advance 4800 hold 5280"), "{told}");
}

#[test]
fn rhythm_keeps_its_time_and_counts_in() {
    let mut room = Room::new(PracticeSettings { count_in_bars: 1, ..first_settings(Mode::Rhythm) });
    room.with(|session, ids| session.play(ids));
    assert_eq!(room.told(), "end 1 Stopped, begin 2 piece, record 2 · seek 0 · hold none · play after 1");
    let tempo = room.session.stand().expect("a piece").score.tempo().exact(Ticks(0));
    room.moved(TransportChange::Runs { place: tempo, speed: Percent::FULL });
    for _ in 0..8 {
        room.key(99);
        room.now += Micros::from_millis(500);
    }
    room.now += Micros::from_millis(1_500);
    let now = room.now;
    room.with(|session, ids| session.time_passes(now, now, ids));
    assert_eq!(room.told(), ["2 ontime"; 8].join(" · "));
}

/// The first bar, at half the tempo; one clean pass goes ten percent up, one failed pass down, 60 % is the goal.
fn climbing(mode: Mode) -> PracticeSettings {
    let speed = Percent::new;
    let ladder = LadderPlan { on: true, start: speed(50), step: 10, goal: speed(60), up: 1, down: 1 };
    let range = Some(BarRange::new(0, 0));
    PracticeSettings { mode, range, looping: true, ladder, tempo: ladder.start, ..wait() }
}

/// One pass in the music's own time: these keys on the beats, and what was told once late notes had their time.
fn pass(room: &mut Room, speed: u16, keys: &[u8]) -> String {
    room.told();
    let place = room.session.stand().expect("a piece").score.tempo().exact(Ticks(0));
    room.moved(TransportChange::Runs { place, speed: Percent::new(speed) });
    let beat = Micros(500_000 * 100 / i64::from(speed));
    for beat_at in 0..4 {
        if let Some(key) = keys.get(beat_at) {
            room.key(*key);
        }
        room.now += beat;
        let now = room.now;
        room.with(|session, ids| session.time_passes(now, now, ids));
    }
    room.moved(TransportChange::Waits { tick: Ticks(1_920) });
    let told = room.told();
    assert!(told.contains("stop") && !told.contains("seek"), "late notes have their time: {told}");
    let end = RATE.frames(room.now);
    room.key(keys[0]);
    room.now += Micros(700_000 * 100 / i64::from(speed));
    let now = room.now;
    room.with(|session, ids| session.time_passes(now, now, ids));
    if let Some(frame) = room.goes_on.take() {
        assert_eq!(frame - end, RATE.frames(beat + beat), "the beat of before goes on");
    }
    room.told()
}

const AGAIN: &str = "seek 0 · hold 1920 · go on after 1";

#[test]
fn on_a_ladder_each_pass_is_begun_anew_at_its_own_tempo_with_its_count_in() {
    for mode in [Mode::Tempo, Mode::Rhythm] {
        let mut room = Room::new(climbing(mode));
        room.with(|session, ids| session.play(ids));
        assert_eq!(room.told(), "end 1 Stopped, begin 2 piece, record 2 · seek 0 · hold 1920 · play after 1");
        let right = [60, 62, 64, 65];
        let mut tempos = Vec::new();
        for (speed, keys) in [(50, &right[..]), (60, &right[..1]), (50, &right), (60, &right)] {
            let told = pass(&mut room, speed, keys);
            let last = tempos.len() == 3;
            let end = if last { "end 2 Completed, begin 3 free, record 3" } else { AGAIN };
            assert!(told.ends_with(end), "{mode:?} at {speed}: {told}");
            tempos.push(room.session.settings().tempo.get());
        }
        assert_eq!(tempos, [60, 50, 60, 60]);
        assert_eq!(*room.speeds.last().expect("it was told"), 60);
        assert!(room.session.take_climbed(), "the tempo is to be kept");
        let result = room.session.view().result.expect("a result");
        let rungs: Vec<_> = result.ladder.iter().map(|rung| (rung.speed.get(), rung.clean, rung.climb)).collect();
        use Climb::{Done, Down, Up};
        assert_eq!(rungs, [(50, true, Up), (60, false, Down), (50, true, Up), (60, true, Done)]);
        assert_eq!((result.passes, result.counts.right(), result.counts.missed), (4, 13, 3));
    }
}

#[test]
fn the_ladder_works_with_the_whole_piece_and_goes_no_further_when_nobody_plays() {
    let mut room = Room::new(PracticeSettings { range: None, looping: false, ..climbing(Mode::Tempo) });
    room.with(|session, ids| session.play(ids));
    let place = 0;
    for key in [Some(60), None] {
        room.told();
        room.moved(TransportChange::Runs { place, speed: room.session.settings().tempo });
        key.into_iter().for_each(|key| room.key(key));
        room.now += Micros::from_millis(8_000);
        room.moved(TransportChange::Ended);
        assert!(room.session.is_playing(), "the next pass follows");
        room.now += Micros::from_millis(1_400);
        let now = room.now;
        room.with(|session, ids| session.time_passes(now, now, ids));
        let told = room.told();
        match key {
            Some(_) => assert!(told.ends_with("seek 0 · hold none · go on after 1"), "{told}"),
            None => assert!(told.ends_with("stop · end 2 Stopped, begin 3 free, record 3"), "{told}"),
        }
    }
    assert_eq!(room.session.view().result.map(|result| result.ladder.len()), Some(1), "silence is no pass");
}

#[test]
fn where_nobody_keeps_the_time_there_is_no_ladder_and_a_pass_begun_in_the_middle_does_not_count() {
    for mode in [Mode::Wait, Mode::Follow] {
        let mut room = Room::new(climbing(mode));
        room.with(|session, ids| session.play(ids));
        assert!(room.session.view().ladder.is_none(), "{mode:?}");
    }
    let mut room = Room::new(PracticeSettings { range: None, looping: false, ..climbing(Mode::Tempo) });
    room.with(|session, ids| session.play(ids));
    room.moved(TransportChange::Runs { place: 0, speed: Percent::new(50) });
    room.with(|session, _| session.seek(Ticks(1_920)));
    room.moved(TransportChange::Sought { tick: Ticks(1_920) });
    let place = room.session.stand().expect("a piece").score.tempo().exact(Ticks(1_920));
    room.moved(TransportChange::Runs { place, speed: Percent::new(50) });
    for key in [67, 69, 71, 72] {
        room.key(key);
        room.now += Micros::from_millis(1_000);
    }
    room.moved(TransportChange::Ended);
    room.now += Micros::from_millis(1_400);
    let now = room.now;
    room.with(|session, ids| session.time_passes(now, now, ids));
    let ladder = room.session.view().ladder.expect("a ladder");
    assert_eq!((ladder.speed().get(), ladder.clean(), ladder.is_done()), (50, 0, false));
}

#[test]
fn a_note_that_i_miss_sounds_once_as_soon_as_it_is_later_than_on_time() {
    let heard_right = Heard::WhenMissed;
    let mut room = Room::new(PracticeSettings { heard_right, count_in_bars: 0, mode: Mode::Tempo, ..wait() });
    room.with(|session, ids| session.play(ids));
    room.moved(TransportChange::Runs { place: 0, speed: Percent::FULL });
    room.key(60);
    let heard_at = |room: &mut Room, millis: i64| {
        room.now = Micros::from_millis(1_000 + millis);
        let now = room.now;
        room.told();
        room.with(|session, ids| session.time_passes(now, now, ids));
        room.told().split(" · ").filter(|told| told.starts_with("prompt")).collect::<Vec<_>>().join(", ")
    };
    // D is due after half a second; on time is a tenth, and arriving takes up to 50 ms.
    assert_eq!(heard_at(&mut room, 649), "");
    assert_eq!(heard_at(&mut room, 651), "prompt D4 for 500");
    assert_eq!(heard_at(&mut room, 660), "", "once");
    room.now = Micros::from_millis(1_900);
    room.key(64);
    assert_eq!(heard_at(&mut room, 1_400), "", "E was played");
    assert_eq!(heard_at(&mut room, 1_700), "prompt F4 for 500");
    let mut room = Room::new(PracticeSettings { heard_right, go_on_after_error: true, ..wait() });
    room.with(|session, ids| session.play(ids));
    room.told();
    room.key(61);
    let told = room.told();
    assert!(told.starts_with("prompt C4 for 500"), "{told}");
    let mut room = Room::new(PracticeSettings { heard_right, ..first_settings(Mode::Follow) });
    room.with(|session, ids| session.play(ids));
    press(&mut room, &[60, 62, 65, 67, 65], 500);
    let told = room.told();
    assert_eq!(told.matches("prompt").count(), 1, "{told}");
    assert!(told.contains("prompt E4 for 500"), "the person went past it: {told}");
}

#[test]
fn what_the_keyboard_lacks_is_played_by_the_program_and_never_waited_for() {
    let key = |key| Pitch::new(key).expect("a key");
    let keyboard = KeyRange { low: key(62), high: key(96) };
    let mut room = Room::new(PracticeSettings { keyboard, ..wait() });
    room.with(|session, ids| session.await_person(ids));
    assert!(!room.session.is_playing(), "C sounds before the person's first note");
    room.with(|session, ids| session.play(ids));
    assert!(room.told().ends_with("seek 0 · hold 480 · play after 0"), "C is not waited for");
    assert_eq!(room.session.view().awaited.keys, 1 << 62);
    let (hands, keys) = room.fills.last().copied().expect("it was told");
    assert_eq!((hands, keys >> 61 & 1, keys >> 62 & 1, keys >> 97 & 1), (Hands::BOTH, 1, 0, 1));
    room.key(62);
    assert_eq!(room.told(), "2 ontime · advance 480 hold 960");
    let mut room = Room::new(PracticeSettings { keyboard, ..first_settings(Mode::Rhythm) });
    room.with(|session, ids| session.play(ids));
    assert_eq!(room.fills.last().map(|(hands, _)| *hands), Some(Hands::NONE), "any key will do");
}

#[test]
fn a_hand_or_bars_without_notes_have_nothing_to_play() {
    let notes = "tempo: 120\nR: c4 d e f | g f e d\nL: r/1 | c3/4 d e f";
    let mut room = Room::with_notes(notes, first_settings(Mode::Tempo));
    let first_bar = Some(BarRange::new(0, 0));
    for (mode, practise, range, plays) in [
        (Mode::Tempo, Hands::LEFT, None, true),
        (Mode::Tempo, Hands::LEFT, first_bar, false),
        (Mode::Wait, Hands::LEFT, first_bar, false),
        (Mode::Wait, Hands::RIGHT, first_bar, true),
        (Mode::Follow, Hands::NONE, None, false),
        (Mode::Listen, Hands::NONE, None, true),
    ] {
        let settings = PracticeSettings { mode, practise, range, ..*room.session.settings() };
        room.with(|session, ids| session.choose(settings, None, ids));
        assert_eq!(room.session.has_something_to_play(), plays, "{mode:?}, {practise:?}, {range:?}");
    }
}
