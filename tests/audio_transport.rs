//! The transport as it is heard: every note at its frame, loops, waiting, hands, speed.

mod audio_support;

use audio_support::{Act, Call, Rig, perform, score};
use music_trainer::audio::instrument::Part;
use music_trainer::audio::{Command, LoopRange, TransportEvent};
use music_trainer::music::{Hand, Hands, Meter, Percent, Score, ScoreParts, Tempo};
use music_trainer::time::{Frames, Ticks};

use Hand::{Left, Right};

const SIZES: [&[usize]; 5] = [&[1], &[128], &[8192], &[1, 7, 64, 1000, 3, 8192, 255], &[977]];

/// Plays a script over a score, in blocks of every kind, and returns what the accompaniment did, which is always the
/// same.
fn accompany(
    notes: &[(i64, i64, u8, Hand)],
    script: impl Fn() -> Vec<(i64, Command)>,
    frames: usize,
) -> Vec<(i64, Call)> {
    let mut first: Option<Vec<(i64, Call)>> = None;
    for sizes in SIZES {
        let (mut rig, mut log) = Rig::recorded(256);
        rig.load(&score(notes));
        let script = script().into_iter().map(|(frame, command)| (frame, Act::Do(command))).collect();
        perform(&mut rig, script, frames, sizes);
        let calls = log.of(Part::ACCOMPANIMENT);
        match &first {
            None => first = Some(calls),
            Some(first) => assert_eq!(&calls, first, "blocks of {sizes:?}"),
        }
    }
    first.expect("there are sizes")
}

fn play() -> Command {
    Command::Play { count_in: 0 }
}

#[test]
fn written_notes_sound_at_their_exact_frames() {
    let notes = [(0, 240, 60, Right), (1, 239, 48, Left), (481, 960, 62, Right)];
    let calls = accompany(&notes, || vec![(0, play())], 60_000);
    let expected = [
        (0, Call::On(60, 80)),
        (50, Call::On(48, 80)),
        (11_950, Call::Off(48)),
        (12_000, Call::Off(60)),
        (24_050, Call::On(62, 80)),
        (48_000, Call::Off(62)),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn a_loop_ends_exactly_counts_in_and_never_sounds_the_next_bar() {
    let notes = [(0, 480, 60, Right), (1440, 2400, 64, Right), (1920, 2400, 72, Right)];
    let range = LoopRange { from: Ticks(0), to: Ticks(1920), count_in: 1, hold: None };
    let calls = accompany(&notes, || vec![(0, Command::SetLoop(Some(range))), (0, play())], 300_000);
    let pass = |start: i64| {
        [
            (start, Call::On(60, 80)),
            (start + 24_000, Call::Off(60)),
            (start + 72_000, Call::On(64, 80)),
            (start + 96_000, Call::Off(64)),
        ]
    };
    assert_eq!(calls, [pass(0), pass(192_000)].concat(), "a bar of music, a bar of count-in, and again");
}

#[test]
fn a_loop_reports_its_passes_and_its_clicks() {
    let (mut rig, _log) = Rig::recorded(256);
    rig.load(&score(&[(0, 480, 60, Right), (1920, 2400, 72, Right)]));
    let range = LoopRange { from: Ticks(0), to: Ticks(1920), count_in: 1, hold: None };
    let script = vec![(0, Act::Do(Command::SetLoop(Some(range)))), (0, Act::Do(play()))];
    perform(&mut rig, script, 200_000, &[500]);
    let events = rig.transport_events();
    let looped = events.iter().filter(|(_, e)| matches!(e, TransportEvent::Looped { .. })).collect::<Vec<_>>();
    assert_eq!(looped, [&(96_000, TransportEvent::Looped { pass: 1 })]);
    let clicks: Vec<_> = events
        .iter()
        .filter_map(|(frame, e)| match e {
            TransportEvent::ClickAt { beat, count_in, .. } => Some((*frame, *beat, *count_in)),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = (0..9).map(|k| (k * 24_000, (k % 4) as u8, (4..8).contains(&k))).collect();
    assert_eq!(clicks, expected);
}

#[test]
fn before_an_upbeat_its_bar_is_counted_in_too() {
    let (mut rig, _log) = Rig::recorded(256);
    let parts = ScoreParts { resolution: 480, pickup: Ticks(480), ..Default::default() };
    let meter = Meter { tick: Ticks(0), beats: 3, unit: 4 };
    let notes = score(&[(0, 480, 60, Right), (480, 1920, 72, Right)]).notes().to_vec();
    rig.load(&Score::new(ScoreParts { notes, meters: vec![meter], ..parts }));
    perform(&mut rig, vec![(0, Act::Do(Command::Play { count_in: 1 }))], 220_000, &[500]);
    let beats: Vec<_> = (rig.transport_events().iter())
        .filter_map(|(_, event)| match event {
            TransportEvent::ClickAt { beat, count_in, .. } => Some((*beat, *count_in)),
            _ => None,
        })
        .take(7)
        .collect();
    assert_eq!(beats, [(0, true), (1, true), (2, true), (0, true), (1, true), (2, false), (0, false)]);
}

#[test]
fn the_music_waits_for_the_person_and_goes_on_with_them() {
    let notes =
        [(0, 400, 60, Right), (0, 480, 48, Left), (480, 900, 62, Right), (480, 960, 50, Left), (960, 1400, 52, Left)];
    let script = || {
        vec![
            (0, Command::SetHands(Hands::LEFT)),
            (0, Command::Hold(Some(Ticks(0)))),
            (0, play()),
            (10_000, Command::AdvanceTo { tick: Ticks(0), hold: Some(Ticks(480)) }),
            (60_000, Command::AdvanceTo { tick: Ticks(480), hold: Some(Ticks(1920)) }),
        ]
    };
    let calls = accompany(&notes, script, 120_000);
    let expected = [
        (10_000, Call::On(48, 80)),
        (60_000, Call::Off(48)),
        (60_000, Call::On(50, 80)),
        (84_000, Call::Off(50)),
        (84_000, Call::On(52, 80)),
        (106_000, Call::Off(52)),
    ];
    assert_eq!(calls, expected, "nothing sounds before the first note is played, and each stretch runs at tempo");
}

#[test]
fn what_the_person_overtakes_is_not_sounded_afterwards() {
    let notes = [(0, 480, 48, Left), (480, 960, 50, Left), (960, 1440, 52, Left)];
    let script = || vec![(0, play()), (12_000, Command::AdvanceTo { tick: Ticks(960), hold: None })];
    let calls = accompany(&notes, script, 60_000);
    let expected =
        [(0, Call::On(48, 80)), (12_000, Call::Off(48)), (12_000, Call::On(52, 80)), (36_000, Call::Off(52))];
    assert_eq!(calls, expected);
}

#[test]
fn hands_come_and_go_while_the_music_plays() {
    let notes = [(0, 960, 60, Right), (0, 960, 48, Left), (480, 960, 64, Right), (960, 1440, 65, Right)];
    let script =
        || vec![(0, play()), (12_000, Command::SetHands(Hands::LEFT)), (36_000, Command::SetHands(Hands::RIGHT))];
    let calls = accompany(&notes, script, 60_000);
    let expected = [
        (0, Call::On(48, 80)),
        (0, Call::On(60, 80)),
        (12_000, Call::Off(60)),
        (36_000, Call::Off(48)),
        (48_000, Call::On(65, 80)),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn a_change_of_speed_keeps_the_place() {
    let notes = [(480, 490, 60, Right), (960, 970, 62, Right)];
    let script = || {
        vec![(0, play()), (12_000, Command::SetSpeed(Percent::new(50))), (36_000, Command::SetSpeed(Percent::new(200)))]
    };
    let calls = accompany(&notes, script, 60_000);
    let onsets: Vec<_> = calls.iter().filter(|(_, c)| matches!(c, Call::On(..))).collect();
    // 240 ticks at full speed, 240 at half speed; then double.
    assert_eq!(onsets, [&(36_000, Call::On(60, 80)), &(48_000, Call::On(62, 80))]);
}

#[test]
fn stop_and_seek_release_what_sounds() {
    let notes = [(0, 1920, 60, Right), (960, 1920, 64, Right)];
    let script = || vec![(0, play()), (10_000, Command::Seek(Ticks(960))), (20_000, Command::Stop)];
    let calls = accompany(&notes, script, 60_000);
    let expected =
        [(0, Call::On(60, 80)), (10_000, Call::Off(60)), (10_000, Call::On(64, 80)), (20_000, Call::Off(64))];
    assert_eq!(calls, expected);
}

#[test]
fn the_end_of_the_last_bar_ends_the_music() {
    let (mut rig, _log) = Rig::recorded(256);
    rig.load(&score(&[(0, 480, 60, Right)]));
    perform(&mut rig, vec![(0, Act::Do(play()))], 200_000, &[256]);
    let events = rig.transport_events();
    assert_eq!(events.last(), Some(&(96_000, TransportEvent::ReachedEnd)));
    assert!(!rig.reports.playhead.read().playing);
}

#[test]
fn the_course_that_is_reported_maps_every_click_to_its_frame() {
    let (mut rig, _log) = Rig::recorded(256);
    let score = score(&[(0, 480, 60, Right), (9000, 9600, 60, Right)]);
    rig.load(&score);
    let script = vec![
        (1_000, Act::Do(Command::SetSpeed(Percent::new(87)))),
        (1_234, Act::Do(Command::Play { count_in: 1 })),
        (200_000, Act::Do(Command::SetSpeed(Percent::new(133)))),
        (300_001, Act::Do(Command::Seek(Ticks(480)))),
    ];
    perform(&mut rig, script, 500_000, &[333]);
    let mut anchor = None;
    let mut compared = 0;
    for (stamp, event) in rig.events() {
        let music_trainer::audio::AudioEvent::Transport(event) = event else { continue };
        if let Some(course) = event.anchor(&stamp, music_trainer::time::Rate::DEFAULT) {
            anchor = Some(course);
        }
        if let (TransportEvent::ClickAt { tick, count_in: false, .. }, Some(anchor)) = (event, anchor) {
            let expected = anchor.frame_of(score.tempo(), tick);
            assert_eq!(stamp.frame, Some(expected), "{event:?}");
            compared += 1;
        }
    }
    assert!(compared > 8, "{compared} clicks");
}

#[test]
fn a_loop_shorter_than_a_frame_does_not_hold_up_the_callback() {
    let (mut rig, _log) = Rig::recorded(256);
    let tempos = vec![Tempo { tick: Ticks(0), micros_per_quarter: 1 }];
    let meters = vec![Meter { tick: Ticks(0), beats: 255, unit: 1 }];
    rig.load(&Score::new(ScoreParts { resolution: 480, tempos, meters, ..Default::default() }));
    rig.engine.send(Command::SetLoop(Some(LoopRange { from: Ticks(0), to: Ticks(1), count_in: 0, hold: None })));
    rig.engine.send(play());
    rig.driver.run(64, 32);
    let playhead = rig.reports.playhead.read();
    assert_eq!(playhead.frame, Frames(64));
    assert!(playhead.pass > 64, "it was busy, not hanging");
}
