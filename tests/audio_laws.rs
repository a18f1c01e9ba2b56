//! Laws that hold whatever a person does, in any order, with any blocks.

mod audio_support;

use audio_support::{Call, Rig, score};
use music_trainer::audio::instrument::{Part, Pedal};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::{Bus, Command, LoopRange, Played, Schedule, TimedMidi};
use music_trainer::music::{Hand, Hands, Percent, Pitch, Score};
use music_trainer::time::{Frames, Micros, Rate, Ticks};
use proptest::prelude::*;

/// What may be done; values as they come.
#[derive(Clone, Debug)]
enum Deed {
    Play(u8),
    Stop,
    Seek(i64),
    Speed(u16),
    Loop(Option<(i64, i64, u8, Option<i64>)>),
    Hold(Option<i64>),
    Advance(i64, Option<i64>),
    Hands(bool, bool),
    Metronome(bool),
    Volume(u8, f32),
    Load,
    Panic,
    Key(u8, u8),
    Pedal(u8),
    Xrun(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let tick = || -500_i64..12_000;
    prop_oneof![
        3 => (0_u8..3).prop_map(Deed::Play),
        1 => Just(Deed::Stop),
        1 => tick().prop_map(Deed::Seek),
        1 => (0_u16..300).prop_map(Deed::Speed),
        1 => prop::option::of((tick(), tick(), 0_u8..3, prop::option::of(tick()))).prop_map(Deed::Loop),
        1 => prop::option::of(tick()).prop_map(Deed::Hold),
        2 => (tick(), prop::option::of(tick())).prop_map(|(tick, hold)| Deed::Advance(tick, hold)),
        1 => any::<(bool, bool)>().prop_map(|(right, left)| Deed::Hands(right, left)),
        1 => any::<bool>().prop_map(Deed::Metronome),
        1 => (0_u8..4, prop_oneof![-1.0_f32..9.0, Just(f32::NAN)]).prop_map(|(bus, gain)| Deed::Volume(bus, gain)),
        1 => Just(Deed::Load),
        1 => Just(Deed::Panic),
        4 => (0_u8..128, 0_u8..128).prop_map(|(key, velocity)| Deed::Key(key, velocity)),
        2 => (0_u8..128).prop_map(Deed::Pedal),
        1 => (0_i64..100_000).prop_map(Deed::Xrun),
    ]
}

fn piece() -> Score {
    let notes: Vec<_> = (0..60_i64)
        .map(|i| {
            let hand = if i % 2 == 0 { Hand::Left } else { Hand::Right };
            (i * 130, i * 130 + 90 + i % 7 * 100, (40 + i % 30) as u8, hand)
        })
        .collect();
    score(&notes)
}

fn command(deed: &Deed) -> Option<Command> {
    Some(match *deed {
        Deed::Play(count_in) => Command::Play { count_in },
        Deed::Stop => Command::Stop,
        Deed::Seek(tick) => Command::Seek(Ticks(tick)),
        Deed::Speed(percent) => Command::SetSpeed(Percent::new(percent)),
        Deed::Loop(range) => Command::SetLoop(range.map(|(from, to, count_in, hold)| LoopRange {
            from: Ticks(from),
            to: Ticks(to),
            count_in,
            hold: hold.map(Ticks),
        })),
        Deed::Hold(tick) => Command::Hold(tick.map(Ticks)),
        Deed::Advance(tick, hold) => Command::AdvanceTo { tick: Ticks(tick), hold: hold.map(Ticks) },
        Deed::Hands(right, left) => Command::SetHands(Hands { right, left }),
        Deed::Metronome(on) => Command::SetMetronome(on),
        Deed::Volume(bus, gain) => {
            let bus = [Bus::Live, Bus::Accompaniment, Bus::Metronome, Bus::Master][usize::from(bus)];
            Command::SetVolume(bus, gain)
        }
        Deed::Load => Command::Load(Box::new(Schedule::of_score(&piece()))),
        Deed::Panic => Command::Panic,
        Deed::Key(..) | Deed::Pedal(_) | Deed::Xrun(_) => return None,
    })
}

fn midi(deed: &Deed, frames: usize) -> Option<TimedMidi> {
    let played = match *deed {
        Deed::Key(key, 0) => Played::Off { pitch: Pitch::new(key)? },
        Deed::Key(key, velocity) => Played::On { pitch: Pitch::new(key)?, velocity },
        Deed::Pedal(value) => Played::Pedal(Pedal::Sustain(value)),
        _ => return None,
    };
    Some(TimedMidi::new((frames / 2) as u32, Micros(0), played))
}

/// Does the deeds, one a block.
fn live_through(rig: &mut Rig, deeds: &[(Deed, usize)]) -> Vec<f32> {
    let mut sound = Vec::new();
    rig.load(&piece());
    for (deed, frames) in deeds {
        if let Deed::Xrun(micros) = deed {
            rig.driver.xrun(Micros(*micros));
        }
        if let Some(command) = command(deed) {
            rig.engine.send(command);
        }
        let (mut left, mut right) = (vec![0.0; *frames], vec![0.0; *frames]);
        assert!(rig.driver.step_into(midi(deed, *frames).as_slice(), &mut left, &mut right));
        rig.engine.poll();
        sound.extend(left);
        sound.extend(right);
    }
    sound
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_faults_and_nothing_hangs_after_a_stop(
        deeds in prop::collection::vec((deed(), 0_usize..6_000), 1..60)
    ) {
        let (mut rig, mut log) = Rig::recorded(256);
        live_through(&mut rig, &deeds);
        rig.engine.send(Command::Stop);
        rig.driver.run(10, 10);
        let playhead = rig.reports.playhead.read();
        prop_assert_eq!(playhead.faults, 0);
        prop_assert!(!playhead.playing && !playhead.waiting && !playhead.counting_in);
        prop_assert_eq!(playhead.frame, rig.driver.frame());
        let mut down = [false; 128];
        let mut pedal = 0;
        for (_, call) in log.of(Part::ACCOMPANIMENT) {
            match call {
                Call::On(key, _) => down[usize::from(key)] = true,
                Call::Off(key) => down[usize::from(key)] = false,
                Call::Silence => down = [false; 128],
                Call::Pedal(value) => pedal = value,
                Call::Bend(_) | Call::Pressure(_) => {}
            }
        }
        prop_assert!(down.iter().all(|d| !d), "keys left down");
        prop_assert_eq!(pedal, 0);
    }

    #[test]
    fn the_course_reported_last_agrees_with_the_place(
        deeds in prop::collection::vec((deed(), 1_usize..6_000), 1..60)
    ) {
        let (mut rig, _log) = Rig::recorded(256);
        live_through(&mut rig, &deeds);
        let playhead = rig.reports.playhead.read();
        let mut course = None;
        for (stamp, event) in rig.events() {
            if let music_trainer::audio::AudioEvent::Transport(event) = event {
                course = event.anchor(&stamp, Rate::DEFAULT).or(course);
            }
        }
        if let (true, false, Some(course)) = (playhead.moves(), playhead.counting_in, course) {
            let piece = piece();
            let tick = course.tick_at(piece.tempo(), playhead.frame);
            prop_assert!((tick - playhead.tick).abs() < 0.05, "{} is not {}", tick, playhead.tick);
        }
        prop_assert!(playhead.tick <= piece().bars().get(usize::MAX).end.0 as f64 + 1.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_sample_exceeds_full_scale(deeds in prop::collection::vec((deed(), 0_usize..3_000), 1..40)) {
        let mut rig = Rig::new(Box::new(Piano::new(Rate::DEFAULT)), 256);
        let sound = live_through(&mut rig, &deeds);
        prop_assert!(sound.iter().all(|s| s.is_finite() && s.abs() <= 1.0));
    }
}

#[test]
fn an_empty_block_passes_no_time_and_takes_commands() {
    let (mut rig, _log) = Rig::recorded(256);
    rig.engine.send(Command::Play { count_in: 0 });
    assert!(rig.driver.step_into(&[], &mut [], &mut []));
    let playhead = rig.reports.playhead.read();
    assert!(playhead.playing);
    assert_eq!(playhead.frame, Frames(0));
}
