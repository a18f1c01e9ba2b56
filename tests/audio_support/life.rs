//! A callback's whole life, for those who watch it: every command, key, pedal and wheel, instruments exchanged while
//! they sound, streams of other rates and periods, full rings, late callbacks, blocks of 1 to 8 192 frames.
#![allow(dead_code, unreachable_pub)]

use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::soundfont::Font;
use music_trainer::audio::{Bus, Command, LiveEvent, LoopRange, Played, SourceId, TimedMidi};
use music_trainer::music::{ClickRoute, ClickSound, ClickStyle, Division, Hand, Hands, Percent, Pitch, Score};
use music_trainer::time::{Micros, Rate, Stamp, Ticks};

use crate::audio_support::{Rig, score};
use crate::sf2;

/// From the shortest to the longest block, so that each follows upon each.
const SIZES: [usize; 13] = [128, 1, 2, 17, 64, 256, 8_192, 255, 1_000, 4_096, 3, 511, 0];
/// Rounds after which the stream is another one.
const STREAM_ROUNDS: usize = 61;

/// A small SoundFont at a rate.
pub fn soundfont(rate: Rate) -> Box<dyn Instrument> {
    font(&sf2::tiny(), rate)
}

fn font(bytes: &[u8], rate: Rate) -> Box<dyn Instrument> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tiny.sf2");
    std::fs::write(&path, bytes).expect("written");
    Box::new(Font::load(&path).expect("valid").instrument(rate, 0, 440.0).expect("a piano"))
}

fn piece() -> Score {
    let notes: Vec<_> = (0..400_i64)
        .map(|i| {
            let hand = if i % 3 == 0 { Hand::Left } else { Hand::Right };
            (i * 60, i * 60 + 300, (36 + i * 7 % 60) as u8, hand)
        })
        .collect();
    score(&notes)
}

/// What a control thread might do around one block.
fn command(round: usize, rate: Rate) -> Option<Command> {
    let range = LoopRange { from: Ticks(960), to: Ticks(1920), count_in: 1, hold: None };
    let clicks = ClickStyle {
        sound: ClickSound::ALL[round % ClickSound::ALL.len()],
        route: ClickRoute::ALL[round / 3 % ClickRoute::ALL.len()],
        division: Division::new((round % 9) as u8),
    };
    Some(match round % 24 {
        0 => Command::Load(Box::new(music_trainer::audio::Schedule::of_score(&piece()))),
        1 => Command::SetMetronome(true),
        2 => Command::Play { count_in: (round % 2) as u8 },
        3 => Command::SetClicks(clicks),
        4 => Command::SetSpeed(Percent::new(200)),
        5 => Command::SetInstrument(soundfont(rate)),
        6 => Command::SetLoop(Some(range)),
        7 => Command::Audition(Played::On { pitch: Pitch::MIDDLE_C, velocity: 70 }),
        8 => Command::Seek(Ticks(1900)),
        9 => Command::SetHands(Hands::LEFT),
        10 => Command::SetInstrument(Box::new(Piano::new(rate))),
        11 => Command::SetVolume(Bus::Master, 0.5),
        12 => Command::SetVolume(Bus::Accompaniment, 0.3),
        13 => Command::SetLoop(None),
        14 => Command::Hold(Some(Ticks(4_000))),
        15 => Command::SetInstrument(Box::new(Piano::new(rate))),
        16 => Command::AdvanceTo { tick: Ticks(6_000), hold: Some(Ticks(9_000)) },
        17 => Command::SetHands(Hands::BOTH),
        18 => Command::RemoveSource(SourceId(16)),
        19 => Command::SetProgram((round % 128) as u8),
        20 => Command::SetVolume(Bus::Master, 1.0),
        21 => Command::Stop,
        22 => Command::Panic,
        _ => return None,
    })
}

/// What a driver might hand over with one block.
fn midi(round: usize, frames: usize) -> Vec<TimedMidi> {
    let pitch = Pitch::from_data_byte((30 + round * 5 % 70) as u8);
    let played = [
        Played::On { pitch, velocity: 100 },
        Played::Pedal(Pedal::Sustain(if round % 7 < 4 { 127 } else { 0 })),
        match round % 6 {
            0 => Played::Bend((round * 977 % 8_192) as i16),
            1 => Played::Pressure((round % 128) as u8),
            2 => Played::Pedal(Pedal::Sostenuto((round % 2 * 127) as u8)),
            3 => Played::Pedal(Pedal::Soft((round % 128) as u8)),
            4 if round.is_multiple_of(5) => Played::AllNotesOff,
            4 if round.is_multiple_of(7) => Played::Reset,
            4 if round.is_multiple_of(11) => Played::Controllers,
            _ => Played::Off { pitch: Pitch::from_data_byte((30 + round * 5 % 70 + 5) as u8) },
        },
    ];
    let offset = |i: usize| (frames * i / 3) as u32;
    let mut midi: Vec<_> =
        played.iter().enumerate().map(|(i, &played)| TimedMidi::new(offset(i), Micros(0), played)).collect();
    // What says nothing to the sound, and goes into the take all the same.
    midi.extend(TimedMidi::read(0, Micros(0), &[0xc0, (round % 128) as u8]));
    midi.sort_by_key(|midi| midi.offset);
    midi
}

/// Leads a callback through everything; `guard` runs what it is given while it watches. With `drain` somebody reads
/// what the callback says. Returns the largest sample.
pub fn drive(
    instrument: Box<dyn Instrument>,
    rounds: usize,
    drain: bool,
    guard: &mut dyn FnMut(&mut dyn FnMut()),
) -> f32 {
    let mut rig = Rig::new(instrument, 256);
    let (mut left, mut right) = (vec![0.0; 8192], vec![0.0; 8192]);
    let (mut keys, mut peak, mut rate) = (None, 0.0_f32, Rate::DEFAULT);
    let mut blocks = 0;
    for round in 0..rounds {
        if round % STREAM_ROUNDS == STREAM_ROUNDS - 1 {
            rate = [Rate(44_100), Rate(48_000), Rate(96_000)][round / STREAM_ROUNDS % 3];
            rig.restart(rate, [64, 2_048, 256][round / STREAM_ROUNDS % 3]);
            blocks = 0;
        }
        if let Some(command) = command(round, rate) {
            rig.engine.send(command);
        }
        if round % 24 == 3 {
            let (producer, ring) = rtrb::RingBuffer::<LiveEvent>::new(8);
            rig.engine.add_source(SourceId(16), ring);
            keys = Some(producer);
        }
        if let Some(keys) = &mut keys {
            let pitch = Pitch::from_data_byte((40 + round % 40) as u8);
            let stamp = Stamp::at(rig.driver.mono());
            // Full at times, as a ring may be.
            for velocity in [90, 80, 0] {
                let played = if velocity > 0 { Played::On { pitch, velocity } } else { Played::Off { pitch } };
                let _full = keys.push(LiveEvent { stamp, played });
            }
        }
        let frames = SIZES[round % SIZES.len()];
        let midi = midi(round, frames);
        let driver = rig.driver.clone();
        driver.set_load(round as f32 / 100.0);
        driver.set_lateness(Micros((round * 131 % 900) as i64));
        if round % 50 == 49 {
            driver.xrun(Micros(70_000));
        }
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        let mut ran = false;
        guard(&mut || ran = driver.step_into(&midi, left, right));
        assert!(ran);
        blocks += 1;
        peak = left.iter().fold(peak, |peak, s| peak.max(s.abs()));
        if drain {
            rig.engine.poll();
            rig.reports.events.drain(usize::MAX, |_| {});
        }
    }
    let head = rig.reports.playhead.read();
    assert_eq!(head.faults, 0);
    // The last block's load is told with the next one.
    assert_eq!(head.loads.buckets.iter().sum::<u32>() as usize, blocks - 1);
    assert_eq!(head.loads.worst, (rounds - 2) as f32 / 100.0);
    peak
}

/// Everything an instrument may be told, more notes than it has voices among it.
fn tell_everything_to(instrument: &mut dyn Instrument, left: &mut [f32], right: &mut [f32]) {
    for round in 0..40_u8 {
        let part = if round % 3 == 0 { Part::ACCOMPANIMENT } else { Part::LIVE };
        for key in 0..128 {
            instrument.note_on(part, Pitch::from_data_byte(key), round * 3 + 1);
        }
        instrument.bend(part, f32::from(round) * 90.0 - 1_800.0);
        instrument.pressure(part, round * 3);
        instrument.program(part, round);
        instrument.set_gain(part, f32::from(round) / 40.0);
        for pedal in [Pedal::Sustain(round * 3), Pedal::Sostenuto(round.wrapping_mul(13) % 128), Pedal::Soft(round * 3)]
        {
            instrument.pedal(part, pedal);
        }
        let frames = SIZES[usize::from(round) % SIZES.len()];
        instrument.render(&mut left[..frames], &mut right[..frames]);
        for key in (round % 2..128).step_by(2) {
            instrument.note_off(part, Pitch::from_data_byte(key));
        }
        if round % 11 == 10 {
            instrument.silence(part);
        }
    }
}

/// Tells every instrument there is everything, under a guard.
pub fn tell_everything(guard: &mut dyn FnMut(&mut dyn FnMut())) {
    let (mut left, mut right) = (vec![0.0; 8192], vec![0.0; 8192]);
    let rate = Rate::DEFAULT;
    for mut instrument in
        [Box::new(Piano::new(rate)) as Box<dyn Instrument>, soundfont(rate), font(&sf2::compressed(), rate)]
    {
        guard(&mut || tell_everything_to(&mut *instrument, &mut left, &mut right));
        assert!(left.iter().chain(&right).all(|s| s.is_finite()) && instrument.voices() > 0);
    }
}
