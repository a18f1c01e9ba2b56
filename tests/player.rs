//! A take that is played again reaches the instrument note by note, at its times, and is silent when it is stopped.

mod audio_support;

use std::sync::Arc;

use audio_support::{Call, Log, Rig};
use music_trainer::audio::instrument::Part;
use music_trainer::components::player::{Player, Tape};
use music_trainer::model::TakeId;
use music_trainer::time::Micros;

const PERIOD: usize = 480;

fn tape(from: i64) -> Tape {
    let millis = Micros::from_millis;
    let messages = [
        (millis(0), [0x90, 60, 80]),
        (millis(200), [0x80, 60, 64]),
        (millis(500), [0x90, 64, 70]),
        (millis(700), [0x80, 64, 64]),
        (millis(900), [0x90, 67, 60]),
    ];
    Tape { take: TakeId(7), messages: Arc::from(messages), from: millis(from), until: None }
}

/// Runs so many blocks of 10 ms, with the player looked after before each.
fn run(rig: &mut Rig, player: &mut Player, blocks: usize) {
    for _ in 0..blocks {
        player.poll(rig.driver.mono(), &mut rig.engine);
        rig.engine.poll();
        rig.driver.run(PERIOD, PERIOD);
    }
}

/// The onsets, and how many keys came up.
fn heard(log: &mut Log) -> (Vec<(i64, u8)>, usize) {
    let calls = log.of(Part::LIVE);
    let on = calls.iter().filter_map(|(frame, call)| match call {
        Call::On(key, _) => Some((*frame, *key)),
        _ => None,
    });
    (on.collect(), calls.iter().filter(|(_, call)| matches!(call, Call::Off(_))).count())
}

#[test]
fn a_take_sounds_at_its_times_and_ends_with_every_key_up() {
    let (mut rig, mut log) = Rig::recorded(PERIOD as u32);
    let mut player = Player::default();
    run(&mut rig, &mut player, 5);
    player.play(tape(0), rig.driver.mono(), &mut rig.engine);
    run(&mut rig, &mut player, 300);
    let (on, offs) = heard(&mut log);
    assert_eq!(on.iter().map(|(_, key)| *key).collect::<Vec<_>>(), [60, 64, 67]);
    for (pair, millis) in on.windows(2).zip([500, 400]) {
        let apart = pair[1].0 - pair[0].0;
        assert!((apart - millis * 48).abs() <= 48, "{apart} frames for {millis} ms");
    }
    assert_eq!(player.playing(), None, "it has ended");
    assert_eq!(offs, 3, "the key that was held at the end too");
}

#[test]
fn it_begins_where_one_likes_and_is_silent_at_once_when_stopped() {
    let (mut rig, mut log) = Rig::recorded(PERIOD as u32);
    let mut player = Player::default();
    run(&mut rig, &mut player, 5);
    player.play(tape(450), rig.driver.mono(), &mut rig.engine);
    assert_eq!(player.playing().map(|(take, _)| take), Some(TakeId(7)));
    run(&mut rig, &mut player, 30);
    assert!(player.stop(&mut rig.engine));
    assert!(!player.stop(&mut rig.engine));
    run(&mut rig, &mut player, 100);
    let (on, offs) = heard(&mut log);
    assert_eq!(on.iter().map(|(_, key)| *key).collect::<Vec<_>>(), [64], "no note after it was stopped");
    assert_eq!(offs, 1);
}

#[test]
fn a_part_of_a_take_ends_where_it_is_cut_with_every_key_up() {
    let (mut rig, mut log) = Rig::recorded(PERIOD as u32);
    let mut player = Player::default();
    run(&mut rig, &mut player, 5);
    let part = Tape { until: Some(Micros::from_millis(600)), ..tape(0) };
    player.play(part, rig.driver.mono(), &mut rig.engine);
    run(&mut rig, &mut player, 120);
    let (on, offs) = heard(&mut log);
    assert_eq!(on.iter().map(|(_, key)| *key).collect::<Vec<_>>(), [60, 64], "what comes later is not heard");
    assert_eq!((player.playing(), offs), (None, 2));
}
