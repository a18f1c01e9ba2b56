//! One clock for a take: when the sound stands still for a moment, or the computer's clock jumps, the verdicts, the picture,
//! the way back, the files and the copy that is kept all tell the same times.

mod audio_support;

use std::sync::Arc;
use std::time::Duration;

use music_trainer::bus::{BusHandle, Config, MemoryStorage, Publish, start};
use music_trainer::components::judging::TakeJudge;
use music_trainer::components::keeper::{Wanted, keep};
use music_trainer::components::performed::Performed;
use music_trainer::components::sound_file::{self, RATE};
use music_trainer::components::travel::Travel;
use music_trainer::formats::notation;
use music_trainer::formats::smf::read_performance;
use music_trainer::model::{Event, Played, TakeEnd, TakeId, TakeStart, Trainer, TransportChange, TransportMoved};
use music_trainer::music::{Percent, Score};
use music_trainer::practice::{Mode, PracticeSettings};
use music_trainer::time::{Frames, ManualClock, Micros, Stamp, StreamId, Ticks, WallMillis};

const WAIT: Duration = Duration::from_secs(30);
const TAKE: TakeId = TakeId(7);
const KEPT: TakeId = TakeId(8);
/// Four quarters a bar at 120 a minute: a quarter is half a second.
const FOUR: &str = "tempo: 120\nR: c4 d e f | g a b c5";
const KEYS: [u8; 8] = [60, 62, 64, 65, 67, 69, 71, 72];
/// How late each key is.
const LATE: [i64; 8] = [0, 20_000, -15_000, 5_000, 30_000, -40_000, 0, 10_000];
/// The monotonic clock at frame 0.
const BEGAN: i64 = 3_000_000;

/// What lies between the clock and the frames from the second bar on, and whether the driver of the keys knows frames.
#[derive(Clone, Copy, Debug)]
struct Fault {
    jump: i64,
    frames: bool,
}

fn stamp(at: i64, jump: i64, frames: bool) -> Stamp {
    let mono = Micros(BEGAN + at + jump);
    let frame = frames.then(|| RATE.frames(Micros(at)));
    Stamp { driver: mono, mono, frame, stream: StreamId(u32::from(frames)) }
}

/// The events of the take: each bar in the music's own time, keys late as they are.
fn events(score: &Score, fault: Fault) -> Vec<(Event, Stamp)> {
    let moved = |change| Event::TransportMoved(TransportMoved { change, rate: RATE });
    let place = score.tempo().exact(Ticks::ZERO);
    let runs = TransportChange::Runs { place, speed: Percent::FULL };
    let mut events = vec![(moved(runs), stamp(0, 0, true))];
    for (index, (key, late)) in KEYS.into_iter().zip(LATE).enumerate() {
        let jump = if index < 4 { 0 } else { fault.jump };
        let due = index as i64 * 500_000;
        if index == 4 {
            events.push((moved(TransportChange::Bar), stamp(due - 60_000, jump, true)));
        }
        let played = |data| Event::NotePlayed(Played { source: 1, data });
        events.push((played([0x90, key, 80]), stamp(due + late, jump, fault.frames)));
        events.push((played([0x80, key, 64]), stamp(due + late + 200_000, jump, fault.frames)));
    }
    events.push((moved(TransportChange::Ended), stamp(4_000_000, fault.jump, true)));
    events
}

fn bus() -> BusHandle<Trainer> {
    start(Config::default(), Arc::new(ManualClock::default()), Box::new(MemoryStorage::new())).expect("a bus")
}

/// Times from the first key on, in microseconds.
fn from_first(times: impl IntoIterator<Item = Micros>) -> Vec<i64> {
    let times: Vec<Micros> = times.into_iter().collect();
    times.iter().map(|at| (*at - times[0]).0).collect()
}

fn near(found: &[i64], expected: &[i64], by: i64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: {found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= by, "{what}: {found} beside {expected}");
    }
}

fn check(fault: Fault) {
    let bus = bus();
    let score = Arc::new(notation::score(FOUR).expect("the notes are written right"));
    let practice = PracticeSettings { mode: Mode::Tempo, count_in_bars: 0, ..PracticeSettings::default() };
    let begin = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
    let of = |event| Publish::<Trainer>::new(TAKE.entity(), event);
    bus.publish(of(Event::TakeStarted(begin.clone())));
    for (event, stamp) in events(&score, fault) {
        bus.publish(of(event).stamp(stamp));
    }
    bus.publish(of(Event::TakeEnded(TakeEnd::Completed))).durable().expect("durable");
    let read = |entity: &_, from, max| bus.entity_events(entity, from, max);
    let played: Vec<i64> = (0..8).map(|i| i as i64 * 500_000 + LATE[i]).collect();

    let mut judge = TakeJudge::new(score.clone(), practice, Micros::ZERO);
    let log = bus.entity_events(&TAKE.entity(), 1, usize::MAX).expect("readable");
    let mut verdicts = Vec::new();
    for envelope in &log {
        let event = envelope.event().expect("known");
        verdicts.extend(judge.event(envelope.version, event, envelope.stamp.as_ref()).verdicts);
    }
    verdicts.sort_by_key(|verdict| verdict.written);
    let deviations: Vec<i64> = verdicts.iter().filter_map(|v| v.deviation).map(|d| d.0).collect();
    near(&deviations, &LATE, 20, "verdicts");

    let performed = Performed::read(TAKE, read).expect("readable");
    let notes = performed.notes();
    near(&from_first(notes.iter().map(|note| note.at)), &played, 20, "the picture");
    assert!(notes.iter().all(|note| (note.duration.0 - 200_000).abs() <= 20), "{notes:?}");

    let file = read_performance(&performed.to_midi("One clock", None)).expect("what was written");
    near(&from_first(file.notes.iter().map(|note| note.at)), &played, 30, "the MIDI file");
    let file = performed.to_midi("One clock", Some((&score, Micros::ZERO)));
    let in_bars = read_performance(&file).expect("what was written");
    near(&from_first(in_bars.notes.iter().map(|note| note.at)), &played, 40, "the MIDI file in bars");

    let mut needles = Vec::new();
    let sound = sound_file::take(TAKE, Box::new(audio_support::Pulse::default()), read).expect("it was played");
    for (frame, sample) in sound.flat_map(|[left, _]| left).enumerate() {
        if sample > 0.1 {
            needles.push(RATE.micros(Frames(frame as i64)));
        }
    }
    near(&from_first(needles), &played, 60, "the sound file");

    let travel = Travel::new(&begin, Some((score, practice)), log);
    let is_key = |event: &Option<Event>| matches!(event, Some(Event::NotePlayed(p)) if p.note_on().is_some());
    let steps = travel.steps().iter().filter(|step| is_key(&step.event));
    near(&from_first(steps.map(|step| step.at)), &played, 20, "the way back");

    let wanted = Wanted { take: KEPT, until: Micros(BEGAN + 6_000_000), before: 0 };
    keep(&bus, wanted, |_| "kept".to_owned()).expect("kept");
    let kept = Performed::read(KEPT, read).expect("readable").notes();
    near(&from_first(kept.iter().map(|note| note.at)), &played, 20, "what is kept");
    assert!(bus.shutdown(WAIT));
}

#[test]
fn the_clock_jumps_while_the_frames_run_on() {
    check(Fault { jump: 300_000, frames: true });
    check(Fault { jump: 300_000, frames: false });
}

#[test]
fn the_frames_run_on_while_the_clock_stands() {
    check(Fault { jump: -300_000, frames: true });
    check(Fault { jump: -300_000, frames: false });
}

#[test]
fn without_a_fault_all_tell_the_same_too() {
    check(Fault { jump: 0, frames: true });
}
