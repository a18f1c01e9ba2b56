//! What a microphone hears of the program itself, mixed at several levels into recordings of a person's notes: how much
//! of it counts as playing, before and after the program's own notes are told apart.

mod audio_support;
mod listen_support;

use audio_support::Rig;
use listen_support::{Recording, piano, recordings};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::{Command, OwnSound, Schedule};
use music_trainer::listen::{Awaited, Echo, Hearing, NoteEvent, Written};
use music_trainer::music::{ClickSound, ClickStyle, Meter, Pitch};
use music_trainer::time::{Frames, Micros, Rate, Ticks};

/// Second, key, velocity.
type Note = (f64, u8, u8);

const SECONDS: f64 = 10.5;
/// How much later than it is due the microphone hears the program, of which the program knows half.
const DELAY: f64 = 0.040;
const KNOWN: Micros = Micros::from_millis(20);

/// A waltz, broken chords, and chords, below middle C.
fn accompaniments() -> [(&'static str, Vec<Note>); 3] {
    let waltz = |bar: usize| {
        let (begin, bass) = (0.5 + bar as f64 * 1.2, [36, 43, 41, 43][bar % 4]);
        let chord = |beat: f64| [16, 19].map(|up| (begin + 0.4 * beat, bass + up, 60));
        std::iter::once((begin, bass, 70)).chain(chord(1.0)).chain(chord(2.0))
    };
    let broken = |i: usize| (0.5 + i as f64 * 0.25, [48, 55, 52, 55][i % 4], 64);
    let chord = |bar: usize| [48, 52, 55].map(|key| (0.5 + bar as f64, key + [0, 5, 7, 0][bar % 4], 70));
    [
        ("waltz", (0..8).flat_map(waltz).collect()),
        ("broken chords", (0..36).map(broken).collect()),
        ("chords", (0..9).flat_map(chord).collect()),
    ]
}

/// What was heard: key and second.
fn heard(sound: &[f32], rate: Rate) -> Vec<(Pitch, f64)> {
    let mut hearing = Hearing::new(rate, 440.0, Frames::ZERO);
    let mut told = Vec::new();
    for block in sound.chunks(240) {
        hearing.await_keys(Awaited::default());
        hearing.push(block, &mut |event| {
            if let NoteEvent::On { pitch, at, .. } = event {
                told.push((pitch, at.0 as f64 / f64::from(rate.0)));
            }
        });
    }
    told
}

fn micros(seconds: f64) -> Micros {
    Micros((seconds * 1e6) as i64)
}

/// The program's notes as the control thread passes them on, with what a person has to play around each.
fn echo(own: &[Note], person: &[(f64, u8)]) -> Echo {
    let mut echo = Echo::default();
    for (at, key, _) in own {
        let keys = |to: f64| {
            let near = person.iter().filter(|(begin, _)| (-0.25..=to).contains(&(begin - at)));
            near.fold(0, |keys, (_, key)| keys | 1 << key)
        };
        echo.note(micros(*at), Pitch::new(*key).expect("a key"), Written { now: keys(0.25), soon: keys(2.0) });
    }
    echo
}

/// What counts of it.
fn counted(mut echo: Echo, told: &[(Pitch, f64)], delay: Micros) -> Vec<(Pitch, f64)> {
    let mut counts = told.to_vec();
    counts.retain(|(pitch, at)| {
        let own = echo.is_own(*pitch, micros(*at), delay);
        if !own {
            echo.played(micros(*at), *pitch);
        }
        !own
    });
    counts
}

/// Of a person's notes, those that were told; and what else was told.
fn judged(told: &[(Pitch, f64)], person: &[(f64, u8)]) -> (usize, usize) {
    let is = |(pitch, at): &(Pitch, f64), (begin, key): &(f64, u8)| pitch.key() == *key && (at - begin).abs() < 0.1;
    let right = person.iter().filter(|note| told.iter().any(|told| is(told, note))).count();
    (right, told.iter().filter(|told| !person.iter().any(|note| is(told, note))).count())
}

/// Recordings of one instrument one after the other, and what they are.
fn melody(all: &[Recording], family: &str) -> (Rate, Vec<(f64, u8)>, Vec<f32>) {
    let notes: Vec<&Recording> =
        all.iter().filter(|r| r.family == family && r.key >= 60 && r.name.contains("mf")).collect();
    let rate = notes[0].rate;
    let frames = |seconds: f64| (seconds * f64::from(rate.0)) as usize;
    let (mut person, mut samples) = (Vec::new(), vec![0.0; frames(SECONDS)]);
    // Between the beats of the accompaniment and on them.
    for (place, note) in (0..13).map(|i| (0.5 + 0.75 * f64::from(i), notes[(i as usize * 3) % notes.len()])) {
        person.push((place, note.key));
        let loudest = note.samples.iter().fold(0.0_f32, |top, s| top.max(s.abs()));
        let length = frames(0.7);
        for (i, sample) in note.samples[note.begins..].iter().take(length).enumerate() {
            let fade = ((length - i) as f32 / 1_000.0).min(1.0);
            if let Some(to) = samples.get_mut(frames(place) + i) {
                *to += 0.4 / loudest * fade * sample;
            }
        }
    }
    (rate, person, samples)
}

#[test]
fn the_programs_notes_in_a_mixture_do_not_count_and_a_persons_do() {
    let all = recordings();
    println!("accompaniment  level   person's notes told   others told");
    println!("                       before    after       before  after");
    let (mut before, mut after) = (0, 0);
    for family in ["steinwayb", "kawai"] {
        let (rate, person, played) = melody(&all, family);
        for (name, own) in accompaniments() {
            let late: Vec<Note> = own.iter().map(|(at, key, velocity)| (at + DELAY, *key, *velocity)).collect();
            let sound = piano(rate, &late, SECONDS);
            let top = |samples: &[f32]| samples.iter().fold(0.0_f32, |top, s| top.max(s.abs()));
            let level = top(&played) / top(&sound);
            for db in [f32::NEG_INFINITY, -30.0, -20.0, -12.0, -6.0, 0.0] {
                let gain = level * 10_f32.powf(db / 20.0);
                let mixture: Vec<f32> = played.iter().zip(&sound).map(|(p, s)| p + gain * s).collect();
                let told = heard(&mixture, rate);
                let counts = counted(echo(&own, &person), &told, KNOWN);
                let ((right, others), (kept, left)) = (judged(&told, &person), judged(&counts, &person));
                println!("{name:14} {db:5} dB  {right:2}/13    {kept:2}/13     {others:6} {left:6}  {family}");
                assert_eq!(kept, right, "no note of the person's is taken for the program's");
                assert!(db > -30.0 || (kept, left) == (13, 0), "headphones and a little leakage change nothing");
                (before, after) = (before + others, after + left);
            }
            let told = heard(&sound.iter().map(|s| level * s).collect::<Vec<_>>(), rate);
            let counts = counted(echo(&own, &person), &told, KNOWN);
            println!("{name:14} alone                         {:6} {:6}  {family}", told.len(), counts.len());
            assert!(told.len() >= 9 && counts.len() <= 1, "nobody plays, and {counts:?} counts");
        }
    }
    println!("all mixtures: {before} others told, {after} of them count");
    assert!(before > 200 && 3 * after < before, "{after} of {before}");
}

#[test]
fn clicks_that_have_a_pitch_do_not_count() {
    for sound in ClickSound::ALL {
        let mut rig = Rig::new(Box::new(Piano::new(Rate::DEFAULT)), 256);
        let meter = Meter { tick: Ticks::ZERO, beats: 6, unit: 8 };
        rig.engine.send(Command::Load(Box::new(Schedule::of_beat(400_000, meter))));
        rig.engine.send(Command::SetMetronome(true));
        rig.engine.send(Command::SetClicks(ClickStyle { sound, ..ClickStyle::default() }));
        rig.engine.send(Command::Play { count_in: 0 });
        let (left, _) = rig.driver.run(48_000 * 8, 256);
        let mut clicks = Vec::new();
        while let Ok((stamp, OwnSound::Click { hertz, .. })) = rig.reports.own_sounds.pop() {
            clicks.push((Rate::DEFAULT.micros(stamp.frame.expect("a frame")), f64::from(hertz)));
        }
        for gain in [1.0, 0.3, 0.1] {
            let told = heard(&left.iter().map(|s| gain * s).collect::<Vec<_>>(), Rate::DEFAULT);
            let mut echo = Echo::default();
            clicks.iter().for_each(|(at, hertz)| echo.click(*at, *hertz, 440.0, Written::default()));
            let counts = counted(echo, &told, Micros::ZERO);
            println!("{sound:?} at {gain}: {} with a pitch, {} told, {} count", clicks.len(), told.len(), counts.len());
            assert!(counts.is_empty() && (gain < 1.0 || told.len() == clicks.len()), "{counts:?} of {told:?}");
        }
    }
}
