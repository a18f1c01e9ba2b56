//! What judging costs: one key-down while it is played, in each mode, and a take of ten thousand notes afterwards; and what
//! it costs to look back at an instant of that take.
//!
//! Run with `cargo bench --bench practice`.

mod support;

use std::borrow::Cow;
use std::sync::Arc;

use music_trainer::bus::{Body, DeviceId, Envelope, EventId};
use music_trainer::components::travel::Travel;
use music_trainer::model::{Event, Played, TakeId, TakeStart, Trainer, TransportChange, TransportMoved};
use music_trainer::music::{Hand, Hands, Percent, Pitch, Score, ScoreParts, WrittenNote};
use music_trainer::practice::follow::{self, FollowPlan, Follower};
use music_trainer::practice::story::stories;
use music_trainer::practice::tempo::{self, TempoJudge, TempoPlan};
use music_trainer::practice::wait::{WaitMatcher, WaitOptions};
use music_trainer::practice::{Mode, PlayedId, PlayedNote, PracticeSettings};
use music_trainer::time::{Micros, Rate, Stamp, StreamId, Ticks, WallMillis};
use support::{Samples, machine, now, time};

const NOTES: i64 = 10_000;
/// Microseconds for one key-down, at the 99th percentile.
const LIVE_AIM: f64 = 20.0;
/// Milliseconds for a take.
const TAKE_AIM: f64 = 50.0;
/// Milliseconds to an instant of a take, at the 99th percentile: half a frame of the screen.
const LOOK_AIM: f64 = 8.0;

/// Chords of one to three notes, eight onsets a bar, and a performance of them a little uneven.
fn piece() -> (Score, Vec<PlayedNote>) {
    let mut notes = Vec::new();
    let mut onset = 0;
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    let mut roll = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    while (notes.len() as i64) < NOTES {
        for voice in 0..=roll(3) {
            let (hand, low) = if voice == 0 { (Hand::Right, 64) } else { (Hand::Left, 40) };
            let pitch = Pitch::from_data_byte((low + roll(20)) as u8);
            notes.push(WrittenNote { onset: Ticks(onset), end: Ticks(onset + 230), pitch, hand, velocity: 80 });
        }
        onset += 240;
    }
    let score = Score::new(ScoreParts { resolution: 480, notes, ..Default::default() });
    let played = score.iter().map(|(id, note)| {
        let late = Micros(roll(60_000) as i64 - 30_000);
        let at = score.tempo().micros(note.onset, Percent::FULL) + late;
        PlayedNote { id: PlayedId(id.0.into()), at, pitch: note.pitch, velocity: 80 }
    });
    let mut played: Vec<_> = played.collect();
    played.sort_by_key(|note| note.at);
    (score, played)
}

fn live(name: &str, notes: &[PlayedNote], mut key_down: impl FnMut(PlayedNote)) {
    let mut samples = Samples::default();
    for note in notes {
        let start = now();
        key_down(*note);
        samples.add(start.elapsed().as_secs_f64() * 1e6);
    }
    let p99 = samples.percentile(0.99);
    println!("{name}, one key-down: {samples} µs; aim p99 {LIVE_AIM}: {}", met(p99 <= LIVE_AIM));
}

fn take(name: &str, mut grade: impl FnMut() -> usize) {
    let mut samples = Samples::default();
    let mut verdicts = 0;
    for _ in 0..5 {
        samples.add(time(|| verdicts = grade()).as_secs_f64() * 1e3);
    }
    let median = samples.median();
    println!("{name}, {verdicts} verdicts: {samples} ms; aim {TAKE_AIM}: {}", met(median <= TAKE_AIM));
}

/// The take as it stands in the log: where the music runs, and each key down and up.
fn log(score: &Score, played: &[PlayedNote]) -> Vec<Envelope<Trainer>> {
    let place = score.tempo().exact(Ticks::ZERO);
    let moved = TransportMoved { change: TransportChange::Runs { place, speed: Percent::FULL }, rate: Rate::DEFAULT };
    let mut events = vec![(Micros::ZERO, Event::TransportMoved(moved))];
    for note in played {
        let key = |status| Event::NotePlayed(Played { source: 1, data: [status, note.pitch.key(), 80] });
        events.push((note.at.max(Micros::ZERO), key(0x90)));
        events.push((note.at.max(Micros::ZERO) + Micros::from_millis(150), key(0x80)));
    }
    events.sort_by_key(|(at, _)| *at);
    let envelope = |(index, (at, event)): (u64, (Micros, Event))| Envelope {
        seq: index,
        id: EventId { device: DeviceId(1), device_seq: index },
        topic: Cow::Borrowed("any"),
        entity: TakeId(1).entity(),
        version: index,
        base: None,
        hlc: 0,
        stamp: Some(Stamp { driver: at, mono: at, frame: Some(Rate::DEFAULT.frames(at)), stream: StreamId(1) }),
        cause: None,
        actor: Cow::Borrowed("bench"),
        schema: Cow::Borrowed("any"),
        schema_version: 1,
        body: Body::Known { event, encoded: None },
    };
    (1..).zip(events).map(envelope).collect()
}

/// Looking back: to instants anywhere, and event by event both ways.
fn look_back(name: &str, mode: Mode, score: &Arc<Score>, events: &[Envelope<Trainer>]) {
    let practice = PracticeSettings { mode, practise: Hands::BOTH, count_in_bars: 0, ..PracticeSettings::default() };
    let begin = TakeStart { practice: Some(practice), ..TakeStart::free(WallMillis(0)) };
    let mut made = None;
    let took = time(|| made = Some(Travel::new(&begin, Some((score.clone(), practice)), events.iter().cloned())));
    let Some(mut travel) = made else { return };
    let count = travel.steps().len();
    let (mut anywhere, mut forward, mut back) = (Samples::default(), Samples::default(), Samples::default());
    let mut go = |samples: &mut Samples, after: usize| {
        let start = now();
        travel.go(travel.instant_after(after));
        samples.add(start.elapsed().as_secs_f64() * 1e3);
    };
    (0..300).for_each(|n| go(&mut anywhere, n * 7_919 % (count + 1)));
    (0..300).for_each(|n| go(&mut forward, count / 2 + n));
    (0..300).for_each(|n| go(&mut back, count / 2 + 300 - n));
    let p99 = anywhere.percentile(0.99);
    println!("Looking back, {name}, {count} events, made in {:.1} ms:", took.as_secs_f64() * 1e3);
    println!("  anywhere: {anywhere} ms; aim p99 {LOOK_AIM}: {}", met(p99 <= LOOK_AIM));
    println!("  an event forward: {forward} ms; an event back: {back} ms");
}

fn met(yes: bool) -> &'static str {
    if yes { "met" } else { "missed" }
}

fn main() {
    machine();
    let (score, played) = piece();
    let whole = (Ticks::ZERO, score.end());
    let plan = TempoPlan::whole(&score);
    let rhythm = TempoPlan { any_key: true, ..plan };
    let mut waits = WaitMatcher::new(&score, Hands::BOTH, whole.0, whole.1, WaitOptions::default());
    live("Wait for me", &played, |note| drop(waits.key_down(note)));
    let mut follower = Follower::new(&score, &FollowPlan::whole(&score), Percent::FULL);
    live("Follow me", &played, |note| {
        follower.key_down(note);
    });
    for (name, plan) in [("Keep tempo", plan), ("Rhythm only", rhythm)] {
        let mut judge = TempoJudge::new(&score, plan);
        judge.begin_pass(Micros::ZERO);
        live(name, &played, |note| {
            judge.play(note);
            judge.advance(note.at);
        });
    }
    let events = log(&score, &played);
    let shared = Arc::new(score.clone());
    for (name, mode) in [("Wait for me", Mode::Wait), ("Keep tempo", Mode::Tempo), ("Follow me", Mode::Follow)] {
        look_back(name, mode, &shared, &events);
    }
    take("Follow me, a take", || follow::pair(&score, &FollowPlan::whole(&score), &played).len());
    let wrong: Vec<PlayedNote> = (played.iter().enumerate())
        .map(|(i, note)| PlayedNote {
            pitch: if i % 20 == 7 { Pitch::from_data_byte(30) } else { note.pitch },
            ..*note
        })
        .collect();
    let verdicts = tempo::judge(&score, plan, &[Micros::ZERO], &wrong);
    let settings = PracticeSettings { mode: Mode::Tempo, ..PracticeSettings::default() };
    take("Why each note of a take was judged so", || stories(&score, &settings, &verdicts, &wrong).len());
    take("Keep tempo, a take", || tempo::judge(&score, plan, &[Micros::ZERO], &played).len());
    take("Wait for me, a take", || {
        let mut matcher = WaitMatcher::new(&score, Hands::BOTH, whole.0, whole.1, WaitOptions::default());
        played.iter().map(|note| matcher.key_down(*note).verdicts.len()).sum::<usize>() + matcher.finish().len()
    });
}
