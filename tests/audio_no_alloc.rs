//! The whole callback under an allocator that aborts on every allocation and every release of memory.

mod audio_support;
#[path = "audio_support/sf2.rs"]
mod sf2;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use audio_support::{Rig, score};
use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::soundfont::Font;
use music_trainer::audio::{Bus, Command, LiveEvent, LoopRange, Played, SourceId, TimedMidi};
use music_trainer::music::{Hand, Hands, Percent, Pitch};
use music_trainer::time::{Micros, Rate, Stamp, Ticks};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const SIZES: [usize; 12] = [128, 1, 2, 17, 64, 256, 8192, 255, 1000, 4096, 3, 511];

fn soundfont() -> Box<dyn Instrument> {
    font(&sf2::tiny())
}

fn font(bytes: &[u8]) -> Box<dyn Instrument> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tiny.sf2");
    std::fs::write(&path, bytes).expect("written");
    Box::new(Font::load(&path).expect("valid").instrument(Rate::DEFAULT, 0, 440.0).expect("a piano"))
}

fn piece() -> music_trainer::music::Score {
    let notes: Vec<_> = (0..400_i64)
        .map(|i| {
            let hand = if i % 3 == 0 { Hand::Left } else { Hand::Right };
            (i * 60, i * 60 + 300, (36 + i * 7 % 60) as u8, hand)
        })
        .collect();
    score(&notes)
}

/// What a control thread might do around one block.
fn command(round: usize) -> Option<Command> {
    let range = LoopRange { from: Ticks(960), to: Ticks(1920), count_in: 1, hold: None };
    Some(match round % 24 {
        0 => Command::Load(Box::new(music_trainer::audio::Schedule::of_score(&piece()))),
        1 => Command::SetMetronome(true),
        2 => Command::Play { count_in: (round % 2) as u8 },
        4 => Command::SetSpeed(Percent::new(200)),
        5 => Command::SetInstrument(soundfont()),
        6 => Command::SetLoop(Some(range)),
        8 => Command::Seek(Ticks(1900)),
        9 => Command::SetHands(Hands::LEFT),
        10 => Command::SetInstrument(Box::new(Piano::new(Rate::DEFAULT))),
        11 => Command::SetVolume(Bus::Master, 0.5),
        12 => Command::SetVolume(Bus::Accompaniment, 0.3),
        13 => Command::SetLoop(None),
        14 => Command::Hold(Some(Ticks(4_000))),
        16 => Command::AdvanceTo { tick: Ticks(6_000), hold: Some(Ticks(9_000)) },
        17 => Command::SetHands(Hands::BOTH),
        18 => Command::RemoveSource(SourceId(16)),
        20 => Command::SetVolume(Bus::Master, 1.0),
        21 => Command::Stop,
        22 => Command::Panic,
        _ => return None,
    })
}

fn midi(round: usize, frames: usize) -> Vec<TimedMidi> {
    let pitch = Pitch::from_data_byte((30 + round * 5 % 70) as u8);
    let played = [
        Played::On { pitch, velocity: 100 },
        Played::Pedal(Pedal::Sustain(if round % 7 < 4 { 127 } else { 0 })),
        Played::Off { pitch: Pitch::from_data_byte((30 + round * 5 % 70 + 5) as u8) },
    ];
    let offset = |i: usize| (frames * i / 3) as u32;
    played.iter().enumerate().map(|(i, &played)| TimedMidi { offset: offset(i), driver: Micros(0), played }).collect()
}

/// Drives a callback through everything; the guard is on inside of it only.
fn drive(instrument: Box<dyn Instrument>, rounds: usize, drain: bool) -> f32 {
    let mut rig = Rig::new(instrument, 256);
    let (mut left, mut right) = (vec![0.0; 8192], vec![0.0; 8192]);
    let (mut keys, mut peak) = (None, 0.0_f32);
    for round in 0..rounds {
        if let Some(command) = command(round) {
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
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        let ran = assert_no_alloc(|| driver.step_into(&midi, left, right));
        assert!(ran);
        peak = left.iter().fold(peak, |peak, s| peak.max(s.abs()));
        if drain {
            rig.engine.poll();
            rig.reports.events.drain(usize::MAX, |_| {});
        }
    }
    let head = rig.reports.playhead.read();
    assert_eq!(head.faults, 0);
    // The last block's load is told with the next one.
    assert_eq!(head.loads.buckets.iter().sum::<u32>() as usize, rounds - 1);
    assert_eq!(head.loads.worst, (rounds - 2) as f32 / 100.0);
    peak
}

#[test]
fn the_callback_takes_and_frees_no_memory() {
    assert!(drive(Box::new(Piano::new(Rate::DEFAULT)), 240, true) > 0.01);
    assert!(drive(soundfont(), 120, true) > 0.001);
}

#[test]
fn full_rings_and_lanes_change_nothing_about_that() {
    assert!(drive(Box::new(Piano::new(Rate::DEFAULT)), 240, false) > 0.01);
}

/// Everything an instrument may be told, more notes than it has voices among it.
fn tell_everything(instrument: &mut dyn Instrument, left: &mut [f32], right: &mut [f32]) {
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

#[test]
fn no_instrument_takes_memory_whatever_it_is_told() {
    let (mut left, mut right) = (vec![0.0; 8192], vec![0.0; 8192]);
    for mut instrument in
        [Box::new(Piano::new(Rate::DEFAULT)) as Box<dyn Instrument>, soundfont(), font(&sf2::compressed())]
    {
        assert_no_alloc(|| tell_everything(&mut *instrument, &mut left, &mut right));
        assert!(left.iter().chain(&right).all(|s| s.is_finite()) && instrument.voices() > 0);
    }
}
