//! The transport over hours, computed and not rendered.

use super::schedule::{Click, EventKind, Schedule};
use super::transport::{Due, LoopRange, Transport};
use crate::music::{Hand, Meter, Percent, Pitch, Score, ScoreParts, Tempo, WrittenNote};
use crate::time::{Frames, Rate, Ticks};

const HOUR: i64 = 3_600 * 48_000;

/// A score in 4/4 at 480 ticks, a note on each tick given.
fn score(onsets: &[i64], micros_per_quarter: u32) -> Score {
    let notes = onsets
        .iter()
        .map(|&onset| WrittenNote {
            onset: Ticks(onset),
            end: Ticks(onset + 200),
            pitch: Pitch::MIDDLE_C,
            hand: Hand::Right,
            velocity: 80,
        })
        .collect();
    let tempos = vec![Tempo { tick: Ticks(0), micros_per_quarter }];
    Score::new(ScoreParts { resolution: 480, notes, tempos, ..Default::default() })
}

fn of_score(score: &Score) -> Transport {
    Transport::new(Box::new(Schedule::of_score(score)), Rate::DEFAULT)
}

/// Takes everything due before `end`, handing each thing over with its frame. Blocks are 977 frames long, so that
/// nothing can fall on their edges for long.
fn run(transport: &mut Transport, from: i64, end: i64, mut each: impl FnMut(i64, Due)) {
    let mut now = from;
    while let Some(frame) = transport.next_frame(Frames(now)).filter(|f| f.0 < end) {
        now = frame.0;
        if let Some(due) = transport.take(frame) {
            each(now, due);
        }
    }
}

#[test]
fn every_click_of_ten_hours_falls_on_its_frame_at_every_speed() {
    for (micros_per_quarter, speed) in [(500_000, 100), (333_333, 73), (612_345, 10), (428_571, 200), (500_000, 151)] {
        let speed = Percent::new(speed);
        let schedule = Schedule::of_beat(micros_per_quarter, Meter { tick: Ticks(0), beats: 4, unit: 4 });
        let map = schedule.map().clone();
        let mut transport = Transport::new(Box::new(schedule), Rate::DEFAULT);
        transport.set_speed(Frames(0), speed);
        assert!(transport.play(Frames(0), 0, Frames(0)));
        let mut clicks = 0;
        run(&mut transport, 0, 10 * HOUR, |frame, due| {
            let Due::Click(Click { tick, beat, .. }) = due else { panic!("a mere beat has clicks only, not {due:?}") };
            assert_eq!(tick.0, clicks * 960, "no click is left out");
            assert_eq!(i64::from(beat), clicks % 4);
            assert_eq!(Frames(frame), map.frames(tick, speed, Rate::DEFAULT), "click {clicks} at {speed:?}");
            clicks += 1;
        });
        let expected = i128::from(10 * HOUR) * i128::from(speed.get()) * 1_000_000
            / (i128::from(micros_per_quarter) * 100 * 48_000);
        assert!((i128::from(clicks) - expected).abs() <= 1, "{clicks} clicks, not {expected}");
    }
}

#[test]
fn clicks_keep_their_grid_over_a_thousand_changes_of_speed() {
    let schedule = Schedule::of_beat(500_000, Meter { tick: Ticks(0), beats: 4, unit: 4 });
    let mut transport = Transport::new(Box::new(schedule), Rate::DEFAULT);
    assert!(transport.play(Frames(0), 0, Frames(0)));
    let (mut now, mut exact, mut last) = (0_i64, 0.0_f64, Ticks(-960));
    for change in 0..1_000_i64 {
        let speed = Percent::new((10 + change * 37 % 191) as u16);
        transport.set_speed(Frames(now), speed);
        let length = 1_000 + change * 7_919 % 40_000;
        run(&mut transport, now, now + length, |_, due| {
            let Due::Click(click) = due else { panic!("{due:?}") };
            assert_eq!(click.tick, last + Ticks(960));
            last = click.tick;
        });
        now += length;
        exact += length as f64 * f64::from(speed.get()) / 100.0 * 960.0 / 24_000.0;
    }
    let drift = transport.tick(Frames(now)) - exact;
    assert!(drift.abs() < 0.001, "the place drifted by {drift} ticks");
}

#[test]
fn a_loop_is_as_long_after_a_thousand_passes_as_after_one() {
    // 479 999 ticks of 333 333 µs: no pass is a whole number of frames long.
    let score = score(&[0, 480, 960, 1440, 1920], 333_333);
    let mut transport = of_score(&score);
    transport.set_loop(Frames(0), Some(LoopRange { from: Ticks(0), to: Ticks(1920), count_in: 0, hold: None }));
    assert!(transport.play(Frames(0), 0, Frames(0)));
    let mut starts = Vec::new();
    run(&mut transport, 0, 10 * HOUR, |frame, due| {
        if matches!(due, Due::Click(click) if click.tick == Ticks(0)) {
            starts.push(frame);
        }
        assert!(!matches!(due, Due::Click(click) if click.tick >= Ticks(1920)), "a click of the next bar");
    });
    assert!(starts.len() > 20_000);
    for (pass, start) in starts.iter().enumerate() {
        let exact = pass as f64 * 4.0 * 333_333.0 * 48_000.0 / 1e6;
        assert!((*start as f64 - exact).abs() <= 1.0, "pass {pass} begins at {start}, not {exact}");
    }
}

#[test]
fn a_stop_loses_and_repeats_no_note_wherever_it_falls() {
    let onsets: Vec<i64> = (0..200).map(|i| i * 37).collect();
    for step in [1, 3, 977, 1_801] {
        let mut transport = of_score(&score(&onsets, 333_333));
        let (mut now, mut sounded) = (0, 0);
        while now < 400_000 {
            transport.play(Frames(now), 0, Frames(now));
            run(&mut transport, now, now + step, |_, due| {
                sounded += usize::from(matches!(due, Due::Event(e) if matches!(e.kind, EventKind::On { .. })));
            });
            now += step;
            transport.stop(Frames(now));
            if sounded == onsets.len() {
                break;
            }
        }
        assert_eq!(sounded, onsets.len(), "stopped every {step} frames");
    }
}

#[test]
fn a_count_in_leads_to_the_start_and_shows_where_it_is() {
    let mut transport = of_score(&score(&[0, 960], 500_000));
    transport.seek(Frames(0), Ticks(480));
    assert!(transport.play(Frames(0), 1, Frames(0)));
    assert!(transport.counting_in(Frames(0)));
    assert_eq!(transport.tick(Frames(0)), 480.0 - 1920.0);
    let mut seen = Vec::new();
    run(&mut transport, 0, 96_000 + 30_000, |frame, due| {
        seen.push(match due {
            Due::Count(_) => format!("count {frame}"),
            Due::Click(click) => format!("click {frame} on {}", click.tick),
            Due::Event(e) if matches!(e.kind, EventKind::On { .. }) => format!("note {frame}"),
            _ => String::new(),
        });
    });
    seen.retain(|s| !s.is_empty());
    let expected = [
        "count 0",
        "count 24000",
        "count 48000",
        "count 72000",
        "click 96000 on 480",
        "click 120000 on 960",
        "note 120000",
    ];
    assert_eq!(seen, expected);
    assert!(!transport.counting_in(Frames(96_000)));
}

#[test]
fn what_is_to_begin_on_a_frame_begins_there_and_what_is_too_late_or_too_far_at_once() {
    for (at, first, bars) in [(31_000, 31_000, 1), (31_000, 31_000, 0), (900, 1_000, 1), (48_000 * 60, 1_000, 1)] {
        let mut transport = of_score(&score(&[0, 960, 2_400], 500_000));
        assert!(transport.play(Frames(1_000), bars, Frames(at)));
        let mut frames = Vec::new();
        run(&mut transport, 1_000, first + 24_000 * 4 + 1, |frame, due| {
            if matches!(due, Due::Count(_) | Due::Click(_)) {
                frames.push(frame);
            }
        });
        frames.dedup();
        assert_eq!(frames, (0..5).map(|beat| first + beat * 24_000).collect::<Vec<_>>(), "{bars} bars, told {at}");
    }
}
