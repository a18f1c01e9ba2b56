//! Judging a take from its events: exact by frames, the same live and from the log, whatever the course of the music.

use std::sync::Arc;

use music_trainer::components::judging::TakeJudge;
use music_trainer::formats::notation;
use music_trainer::model::{Event, Played, TakeEnd, TransportChange, TransportMoved};
use music_trainer::music::{Percent, Score};
use music_trainer::practice::ladder::LadderPlan;
use music_trainer::practice::{BarRange, Mode, PracticeSettings, Verdict, VerdictKind};
use music_trainer::time::{Frames, Micros, Rate, Stamp, StreamId, Ticks};

const RATE: Rate = Rate(48_000);

/// A story of one take: events with their stamps, in the order of the log.
struct Story {
    score: Arc<Score>,
    settings: PracticeSettings,
    latency: Micros,
    events: Vec<(Event, Stamp)>,
}

impl Story {
    fn new(notes: &str, settings: PracticeSettings) -> Self {
        let score = notation::score(notes).expect("the notes are written right");
        Self { score: Arc::new(score), settings, latency: Micros::ZERO, events: Vec::new() }
    }

    /// What happens at a frame; the monotonic clock runs 50 ms ahead of the stream.
    fn at(mut self, frame: i64, event: Event) -> Self {
        let mono = RATE.micros(Frames(frame)) + Micros(50_000);
        self.events.push((event, Stamp { driver: mono, mono, frame: Some(Frames(frame)), stream: StreamId(1) }));
        self
    }

    fn moved(self, frame: i64, change: TransportChange) -> Self {
        self.at(frame, Event::TransportMoved(TransportMoved { change, rate: RATE }))
    }

    fn runs(self, frame: i64, tick: i64, percent: u16) -> Self {
        let place = self.score.tempo().exact(Ticks(tick));
        self.moved(frame, TransportChange::Runs { place, speed: Percent::new(percent) })
    }

    fn note(self, frame: i64, key: u8) -> Self {
        self.at(frame, Event::NotePlayed(Played { source: 1, data: [0x90, key, 80] }))
    }

    /// The verdicts, judged as from the log, and again with time passing after every event: both must agree.
    fn verdicts(&self) -> Vec<Verdict> {
        let judge = |live: bool| {
            let mut judge = TakeJudge::new(self.score.clone(), self.settings, self.latency);
            let mut verdicts = Vec::new();
            let mut ended: Option<Micros> = None;
            for (version, (event, stamp)) in self.events.iter().enumerate() {
                if live {
                    verdicts.extend(judge.time_passes(stamp.mono).verdicts);
                    // As the session does, once late notes have had their time.
                    if ended.take_if(|end| stamp.mono - *end >= Micros::from_millis(700)).is_some() {
                        verdicts.extend(judge.close_pass().verdicts);
                    }
                }
                if let Event::TransportMoved(TransportMoved { change: TransportChange::Ended, .. }) = event {
                    ended = Some(stamp.mono);
                }
                verdicts.extend(judge.event(version as u64 + 1, event, Some(stamp)).verdicts);
            }
            verdicts.extend(judge.finish().verdicts);
            verdicts.sort_by_key(|v| (v.pass, v.written, v.played));
            (verdicts, judge.result().clone())
        };
        let (from_log, result) = judge(false);
        let (as_played, live_result) = judge(true);
        assert_eq!(from_log, as_played);
        assert_eq!(result.counts, live_result.counts);
        assert_eq!(result.ladder, live_result.ladder);
        from_log
    }

    fn check(&self, expected: &str) {
        let told: Vec<String> = self.verdicts().iter().map(tell).collect();
        assert_eq!(told.join(", "), expected);
    }
}

fn tell(verdict: &Verdict) -> String {
    let kind = format!("{:?}", verdict.kind).to_lowercase();
    let note = verdict.written.map_or("-".to_owned(), |id| id.0.to_string());
    let deviation = verdict.deviation.map_or(String::new(), |d| format!(" {:+}", d.0));
    format!("{}:{note} {kind}{deviation}", verdict.pass)
}

fn tempo() -> PracticeSettings {
    PracticeSettings { mode: Mode::Tempo, count_in_bars: 0, ..PracticeSettings::default() }
}

/// Four quarters a bar at 120 a minute: a quarter is 24 000 frames.
const FOUR: &str = "tempo: 120\nR: c4 d e f";

#[test]
fn keep_tempo_is_exact_to_the_frame() {
    Story::new(FOUR, tempo())
        .runs(1_000, 0, 100)
        .note(1_000, 60)
        .note(25_000 + 48, 62)
        .note(49_000 - 480, 64)
        .note(73_000 + 9_600, 65)
        .moved(97_000, TransportChange::Ended)
        .check("0:0 ontime +0, 0:1 ontime +1000, 0:2 ontime -10000, 0:3 late +200000");
}

#[test]
fn a_count_in_comes_before_the_first_note_is_due_and_what_is_touched_meanwhile_is_no_mistake() {
    let story = Story::new(FOUR, PracticeSettings { count_in_bars: 1, ..tempo() });
    let before = -story.score.tempo().exact(Ticks(i64::from(story.score.resolution()) * 4));
    story
        .moved(0, TransportChange::Runs { place: before, speed: Percent::FULL })
        .note(20_000, 61)
        .note(96_000, 60)
        .note(120_000 - 96, 62)
        .moved(192_000, TransportChange::Ended)
        .check("0:- neutral, 0:0 ontime +0, 0:1 ontime -2000, 0:2 missed, 0:3 missed");
}

#[test]
fn a_change_of_speed_goes_on_from_where_the_music_is() {
    let quarter = i64::from(Story::new(FOUR, tempo()).score.resolution());
    Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(0, 60)
        .note(24_000, 62)
        .runs(36_000, quarter + quarter / 2, 50)
        .note(60_000 + 480, 64)
        .note(108_000, 65)
        .moved(156_000, TransportChange::Ended)
        .check("0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +10000, 0:3 ontime +0");
}

#[test]
fn a_note_played_early_for_the_next_pass_counts_there() {
    let looping = PracticeSettings { looping: true, range: Some(BarRange::new(0, 0)), ..tempo() };
    let mut story = Story::new(FOUR, looping).runs(0, 0, 100);
    for (frame, key) in [(0, 60), (24_000, 62), (48_000, 64), (72_000, 65), (96_000 - 960, 60)] {
        story = story.note(frame, key);
    }
    story
        .moved(96_000, TransportChange::Looped { pass: 1 })
        .runs(96_000, 0, 100)
        .note(120_000, 62)
        .moved(130_000, TransportChange::Stopped)
        .check("0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 ontime +0, 1:0 ontime -20000, 1:1 ontime +0");
}

#[test]
fn a_note_that_is_due_when_the_speed_changes_may_still_come() {
    // Due at 0.5 s; the speed changes 10 ms later, and the key comes 20 ms after that.
    Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(0, 60)
        .runs(24_480, i64::from(Story::new(FOUR, tempo()).score.resolution()) * 102 / 100, 80)
        .note(25_440, 62)
        .at(26_000, Event::TakeEnded(TakeEnd::Stopped))
        .check("0:0 ontime +0, 0:1 ontime +30000");
}

#[test]
fn dragging_the_speed_begins_no_pass_and_loses_no_note() {
    let mut story = Story::new(FOUR, tempo()).runs(0, 0, 100).note(0, 60);
    let map = story.score.tempo().clone();
    let quarter = map.exact(Ticks(i64::from(story.score.resolution())));
    // From 100 to 80 % in steps of 1, a step every 10 ms, around the second note.
    let (mut place, mut frame, mut next) = (0, 0_i64, 1);
    for percent in (80..=100_u16).rev().chain([80; 200]) {
        let after = place + quarter * 480 * i64::from(percent) / 100 / 24_000;
        if after >= quarter * next && next < 4 {
            let until = (quarter * next - place) * 24_000 * 100 / i64::from(percent) / quarter;
            story = story.note(frame + until, [60, 62, 64, 65][next as usize]);
            next += 1;
        }
        (place, frame) = (after, frame + 480);
        let change = TransportChange::Runs { place, speed: Percent::new(percent.saturating_sub(1).max(80)) };
        story = story.moved(frame, change);
    }
    let verdicts = story.moved(frame + 1, TransportChange::Ended).verdicts();
    let near =
        |v: &&Verdict| v.kind == VerdictKind::OnTime && v.pass == 0 && v.deviation.is_some_and(|d| d.0.abs() < 500);
    assert_eq!((verdicts.iter().filter(near).count(), verdicts.len()), (4, 4), "{verdicts:?}");
}

#[test]
fn when_the_sound_comes_back_a_pass_of_its_own_begins_and_every_key_has_a_verdict() {
    let quarter = i64::from(Story::new(FOUR, tempo()).score.resolution());
    let story = Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(0, 60)
        .note(24_000, 62)
        .moved(30_000, TransportChange::Stopped)
        .note(40_000, 61)
        .note(95_000, 64)
        .runs(96_000, quarter * 2, 100)
        .note(120_000, 65)
        .moved(140_000, TransportChange::Ended);
    story.check("0:- neutral, 0:0 ontime +0, 0:1 ontime +0, 1:2 ontime -20833, 1:3 ontime +0");
}

#[test]
fn the_end_of_a_range_completes_the_take_and_its_last_note_may_come_late() {
    let range = PracticeSettings { range: Some(BarRange::new(0, 0)), ..tempo() };
    let story = Story::new("tempo: 120\nR: c4 d e f | g a b c5 |", range)
        .runs(0, 0, 100)
        .note(0, 60)
        .note(24_000, 62)
        .note(48_000, 64)
        .moved(79_000, TransportChange::Waits { tick: Ticks(0) })
        .moved(79_100, TransportChange::Stopped)
        .note(81_600, 65)
        .at(120_000, Event::TakeEnded(TakeEnd::Completed));
    story.check("0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 late +200000");
    let mut judge = TakeJudge::new(story.score.clone(), story.settings, Micros::ZERO);
    for (version, (event, stamp)) in story.events.iter().enumerate() {
        judge.event(version as u64 + 1, event, Some(stamp));
    }
    assert!(judge.result().completed);
}

#[test]
fn in_a_loop_that_waits_the_next_pass_may_be_begun_before_the_music_goes_back() {
    let settings = PracticeSettings {
        mode: Mode::Wait,
        looping: true,
        range: Some(BarRange::new(0, 0)),
        ..PracticeSettings::default()
    };
    let mut story = Story::new(FOUR, settings).runs(0, 0, 100);
    for (frame, key) in [(0, 60), (20_000, 62), (40_000, 64), (60_000, 65), (80_000, 60), (81_000, 62)] {
        story = story.note(frame, key);
    }
    let mut judge = TakeJudge::new(story.score.clone(), settings, Micros::ZERO);
    let mut last = None;
    for (version, (event, stamp)) in story.events.iter().enumerate() {
        last = Some(judge.event(version as u64 + 1, event, Some(stamp)));
    }
    let last = last.expect("events");
    let (_, end) = settings.ticks(story.score.bars());
    assert_eq!((last.done, last.finished), (Some(end), true), "the music goes to its end, and so back, at once");
    let story = story.moved(82_000, TransportChange::Looped { pass: 1 }).note(100_000, 64);
    story.check(
        "0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 ontime +0, 1:0 ontime +0, 1:1 ontime +0, 1:2 ontime +0",
    );
}

#[test]
fn after_a_change_of_speed_the_next_pass_is_judged_whole() {
    let quarter = i64::from(Story::new(FOUR, tempo()).score.resolution());
    let looping = PracticeSettings { looping: true, range: Some(BarRange::new(0, 0)), ..tempo() };
    Story::new(FOUR, looping)
        .runs(0, 0, 100)
        .note(0, 60)
        .runs(12_000, quarter / 2, 50)
        .note(36_000, 62)
        .note(84_000, 64)
        .note(132_000, 65)
        .moved(180_000, TransportChange::Looped { pass: 1 })
        .runs(180_000, 0, 50)
        .note(180_000, 60)
        .moved(190_000, TransportChange::Stopped)
        .check("0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 ontime +0, 1:0 ontime +0");
}

#[test]
fn being_told_the_same_course_again_changes_nothing() {
    let quarter = i64::from(Story::new(FOUR, tempo()).score.resolution());
    Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(0, 60)
        .runs(24_000, quarter, 100)
        .note(24_480, 62)
        .note(47_520, 64)
        .runs(48_000, quarter * 2, 100)
        .note(72_000, 65)
        .moved(97_000, TransportChange::Ended)
        .check("0:0 ontime +0, 0:1 ontime +10000, 0:2 ontime -10000, 0:3 ontime +0");
}

#[test]
fn notes_without_a_frame_are_mapped_by_the_transport_s_own_clock() {
    let mut story = Story::new(FOUR, tempo()).runs(1_000, 0, 100);
    for (quarter, key, late) in [(0, 60, 0), (1, 62, 5_000), (2, 64, -7_000), (3, 65, 0)] {
        let mono = RATE.micros(Frames(1_000 + quarter * 24_000)) + Micros(50_000 + late);
        let played = Event::NotePlayed(Played { source: 16, data: [0x90, key, 80] });
        story.events.push((played, Stamp::at(mono)));
    }
    story
        .moved(97_000, TransportChange::Ended)
        .check("0:0 ontime +0, 0:1 ontime +5000, 0:2 ontime -7000, 0:3 ontime +0");
}

#[test]
fn another_stream_restarts_the_frames_and_not_the_take() {
    let story = Story::new(FOUR, tempo()).runs(500_000, 0, 100).note(500_000, 60).note(524_000, 62);
    let quarter = i64::from(story.score.resolution());
    let place = story.score.tempo().exact(Ticks(quarter * 2));
    let mut story = story;
    let change = TransportChange::Runs { place, speed: Percent::FULL };
    let again = |frame: i64| Stamp {
        driver: Micros(0),
        mono: Micros(11_100_000) + RATE.micros(Frames(frame)),
        frame: Some(Frames(frame)),
        stream: StreamId(2),
    };
    let moved = Event::TransportMoved(TransportMoved { change, rate: RATE });
    let played = |key| Event::NotePlayed(Played { source: 1, data: [0x90, key, 80] });
    let ended = Event::TransportMoved(TransportMoved { change: TransportChange::Ended, rate: RATE });
    story.events.extend([
        (moved, again(0)),
        (played(64), again(48)),
        (played(65), again(24_000)),
        (ended, again(48_000)),
    ]);
    story.check("0:0 ontime +0, 0:1 ontime +0, 1:2 ontime +1000, 1:3 ontime +0");
}

#[test]
fn wait_for_me_follows_the_person_and_knows_where_a_wrong_key_was() {
    let settings = PracticeSettings { mode: Mode::Wait, ..PracticeSettings::default() };
    let story = Story::new(FOUR, settings)
        .moved(0, TransportChange::Sought { tick: Ticks(0) })
        .runs(0, 0, 100)
        .note(1_000, 60)
        .note(9_000, 61)
        .note(10_000, 62)
        .note(400_000, 64)
        .note(900_000, 65);
    story.check("0:- extra, 0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 ontime +0");
    let mut judge = TakeJudge::new(story.score.clone(), settings, Micros::ZERO);
    let mut extras = Vec::new();
    for (version, (event, stamp)) in story.events.iter().enumerate() {
        extras.extend(judge.event(version as u64, event, Some(stamp)).extras);
    }
    let quarter = i64::from(story.score.resolution());
    assert_eq!(extras.iter().map(|(p, t)| (p.key(), t.0)).collect::<Vec<_>>(), [(61, quarter)]);
    assert!(judge.result().completed);
}

#[test]
fn a_wrong_key_just_before_the_bar_line_was_meant_for_the_bar_to_come() {
    let two_bars = "tempo: 120\nR: c4 d e f | g a b c5 |";
    let story = Story::new(two_bars, tempo()).runs(0, 0, 100).note(96_000 - 500, 61).note(96_000 - 13_000, 63);
    let mut judge = TakeJudge::new(story.score.clone(), story.settings, story.latency);
    for (version, (event, stamp)) in story.events.iter().enumerate() {
        judge.event(version as u64 + 1, event, Some(stamp));
    }
    judge.finish();
    let extras: Vec<_> = judge.result().bars().map(|bar| (bar.index, bar.counts.extra)).collect();
    assert_eq!(extras, [(0, 1), (1, 1)]);
}

#[test]
fn a_gap_marks_the_result_and_an_end_without_music_is_no_error() {
    let story = Story::new(FOUR, tempo()).runs(0, 0, 100).at(10, Event::NotesLost(3));
    let story = story.at(20, Event::TakeEnded(TakeEnd::Stopped));
    let mut judge = TakeJudge::new(story.score.clone(), story.settings, Micros::ZERO);
    for (event, stamp) in &story.events {
        judge.event(1, event, Some(stamp));
    }
    assert!(judge.result().incomplete);
    assert_eq!(story.verdicts(), [], "no note could have come yet");
}

#[test]
fn the_latency_of_the_devices_is_taken_off_before_a_note_is_judged() {
    // Ten milliseconds are 480 frames.
    let late = |frames: i64, millis| {
        let story = Story::new(FOUR, tempo()).runs(0, 0, 100).note(frames, 60).note(24_000 + frames, 62);
        Story { latency: Micros::from_millis(millis), ..story.at(40_000, Event::TakeEnded(TakeEnd::Stopped)) }
    };
    late(960, 0).check("0:0 ontime +20000, 0:1 ontime +20000");
    late(960, 20).check("0:0 ontime +0, 0:1 ontime +0");
    late(-480, 0).check("0:0 ontime -10000, 0:1 ontime -10000");
    late(-480, -10).check("0:0 ontime +0, 0:1 ontime +0");
}

#[test]
fn a_latency_that_changes_in_the_middle_of_a_take_holds_from_there_on() {
    let changed = |millis| Event::LatencyChanged(Micros::from_millis(millis));
    let story = Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(960, 60)
        .at(12_000, changed(50))
        .note(24_000 + 2_400, 62)
        .at(40_000, changed(-10))
        .note(48_000 - 480, 64)
        .moved(96_000, TransportChange::Ended);
    let story = Story { latency: Micros::from_millis(20), ..story };
    story.check("0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 missed");
}

#[test]
fn what_was_decided_before_the_latency_grew_stays_decided_live_and_from_the_log() {
    // At 1.875 s the third note, of 1 s, has been given up; with 900 ms of latency it would come 23 ms early.
    Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(0, 60)
        .note(24_000, 62)
        .at(90_000, Event::LatencyChanged(Micros::from_millis(900)))
        .note(90_100, 64)
        .moved(96_000, TransportChange::Ended)
        .check("0:- extra, 0:0 ontime +0, 0:1 ontime +0, 0:2 missed, 0:3 missed");
}

#[test]
fn what_is_written_after_the_person_stopped_is_not_missed() {
    Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(0, 60)
        .at(30_000, Event::TakeEnded(TakeEnd::Stopped))
        .check("0:0 ontime +0");
    // The second note, due at half a second, can no longer come at nine tenths; but nothing tells that the person still
    // played then.
    Story::new(FOUR, tempo())
        .runs(0, 0, 100)
        .note(0, 60)
        .at(43_200, Event::TakeEnded(TakeEnd::Stopped))
        .check("0:0 ontime +0");
}

#[test]
fn what_is_left_out_counts_once_something_is_played_after_it_or_the_music_has_come_to_its_end() {
    let third = || Story::new(FOUR, tempo()).runs(0, 0, 100).note(0, 60).note(48_000, 64);
    third().at(60_000, Event::TakeEnded(TakeEnd::Stopped)).check("0:0 ontime +0, 0:1 missed, 0:2 ontime +0");
    let missed = "0:0 ontime +0, 0:1 missed, 0:2 ontime +0, 0:3 missed";
    third().moved(96_000, TransportChange::Ended).at(130_000, Event::TakeEnded(TakeEnd::Completed)).check(missed);
    // Going elsewhere is stopping, too.
    third()
        .moved(94_000, TransportChange::Sought { tick: Ticks(0) })
        .runs(94_000, 0, 100)
        .note(94_000, 60)
        .at(100_000, Event::TakeEnded(TakeEnd::Stopped))
        .check("0:0 ontime +0, 0:1 missed, 0:2 ontime +0, 1:0 ontime +0");
}

#[test]
fn passes_of_a_loop_in_which_nothing_more_is_played_are_not_judged() {
    let bar = Some(BarRange::new(0, 0));
    let looping = PracticeSettings { range: bar, looping: true, ..tempo() };
    let pass = |story: Story, start: i64, keys: &[u8]| {
        let story = match start {
            0 => story.runs(0, 0, 100),
            _ => {
                let looped = TransportChange::Looped { pass: (start / 96_000) as u32 };
                story.moved(start, looped).runs(start, 0, 100)
            }
        };
        keys.iter().zip(0..).fold(story, |story, (key, n)| story.note(start + n * 24_000, *key))
    };
    let whole = [60, 62, 64, 65];
    let first = "0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 ontime +0";
    let silent = pass(pass(pass(Story::new(FOUR, looping), 0, &whole), 96_000, &[]), 192_000, &[]);
    silent.at(250_000, Event::TakeEnded(TakeEnd::Stopped)).check(first);
    // Whoever comes in again has rested for a pass.
    let again = pass(pass(pass(Story::new(FOUR, looping), 0, &whole), 96_000, &[]), 192_000, &whole[..1]);
    again.at(210_000, Event::TakeEnded(TakeEnd::Stopped)).check(&format!("{first}, 2:0 ontime +0"));
    // Of a pass in which something was struck all counts once it is over.
    let begun = pass(pass(Story::new(FOUR, looping), 0, &whole[..1]), 96_000, &[]);
    let rest = "0:0 ontime +0, 0:1 missed, 0:2 missed, 0:3 missed";
    begun.at(120_000, Event::TakeEnded(TakeEnd::Stopped)).check(rest);
}

#[test]
fn the_same_music_told_again_forgives_nothing_and_a_key_touched_in_the_count_in_tells_nothing() {
    let story = Story::new(FOUR, tempo()).runs(0, 0, 100).note(0, 60);
    let quarter = i64::from(story.score.resolution());
    let shifted = story.runs(48_000 + 240, 2 * quarter, 100).note(72_000 + 240, 65);
    let counts = shifted.at(80_000, Event::TakeEnded(TakeEnd::Stopped)).verdicts();
    let left_out = counts.iter().filter(|verdict| verdict.kind == VerdictKind::Missed).count();
    assert_eq!((counts.len(), left_out), (4, 2), "{counts:?}");

    let story = Story::new(FOUR, PracticeSettings { count_in_bars: 1, ..tempo() });
    let before = -story.score.tempo().exact(Ticks(i64::from(story.score.resolution()) * 4));
    let touched = story.moved(0, TransportChange::Runs { place: before, speed: Percent::FULL }).note(20_000, 61);
    touched.at(140_000, Event::TakeEnded(TakeEnd::Stopped)).check("0:- neutral");
}

#[test]
fn a_pass_of_a_ladder_in_which_nothing_is_played_is_not_judged_live_or_from_the_log() {
    let ladder = LadderPlan { on: true, start: Percent::FULL, step: 5, goal: Percent::new(120), up: 2, down: 0 };
    let story = Story::new(FOUR, PracticeSettings { ladder, tempo: ladder.start, ..tempo() });
    let played =
        [60, 62, 64, 65].iter().zip(0..).fold(story.runs(0, 0, 100), |story, (key, n)| story.note(n * 24_000, *key));
    let silent = played
        .moved(96_000, TransportChange::Ended)
        .moved(144_000, TransportChange::Sought { tick: Ticks(0) })
        .runs(144_000, 0, 100)
        .moved(240_000, TransportChange::Ended);
    let first = "0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 ontime +0";
    silent.at(280_000, Event::TakeEnded(TakeEnd::Stopped)).check(first);
}

#[test]
fn a_take_that_was_cut_off_is_judged_as_far_as_it_went() {
    let mut story = Story::new(FOUR, tempo()).runs(0, 0, 100).note(0, 60).note(24_000, 62);
    story = story.at(24_100, Event::NotePlayed(Played { source: 1, data: [0x80, 62, 64] }));
    let mut judge = TakeJudge::new(story.score.clone(), story.settings, Micros::ZERO);
    for (version, (event, stamp)) in story.events.iter().enumerate() {
        judge.event(version as u64, event, Some(stamp));
    }
    judge.event(9, &Event::TakeEnded(TakeEnd::Interrupted), None);
    assert_eq!((judge.result().counts.right(), judge.result().counts.missed), (2, 0));
}

#[test]
fn waiting_tells_the_tempo_that_was_held_without_the_search_for_a_note() {
    let notes = format!("tempo: 120\nR: {}", ["c4 d e f"; 6].join(" | "));
    let mut story = Story::new(&notes, PracticeSettings { mode: Mode::Wait, ..PracticeSettings::default() });
    let mut frame = 0;
    for (step, key) in [60, 62, 64, 65].into_iter().cycle().take(24).enumerate() {
        // A quarter is 24 000 frames; this one plays at 80 % and searches for the eleventh note.
        frame += if step == 10 { 480_000 } else { 30_000 };
        story = story.note(frame, key);
    }
    let mut judge = TakeJudge::new(story.score.clone(), story.settings, Micros::ZERO);
    for (version, (event, stamp)) in story.events.iter().enumerate() {
        judge.event(version as u64 + 1, event, Some(stamp));
    }
    let held = judge.result().tempo_held().expect("23 steps are enough");
    assert!((held - 0.8).abs() < 1e-6, "{held}");
    assert_eq!((judge.result().counts.right(), judge.result().timing()), (24, None));
}

#[test]
fn the_passes_of_a_ladder_are_the_same_from_the_log_each_judged_at_its_own_speed() {
    let ladder = LadderPlan { on: true, start: Percent::new(50), step: 50, goal: Percent::FULL, up: 1, down: 0 };
    let settings = PracticeSettings { ladder, tempo: ladder.start, ..tempo() };
    let end = |story: Story, frame| {
        let story = story.moved(frame, TransportChange::Ended);
        story.moved(frame + 70_000, TransportChange::Sought { tick: Ticks(0) })
    };
    let story = Story::new(FOUR, settings).runs(0, 0, 50);
    // Half the tempo: a quarter is 48 000 frames. The last note comes late.
    let story = story.note(0, 60).note(48_000, 62).note(96_000, 64).note(144_000 + 30_000, 65);
    let story = end(story, 192_000).runs(300_000, 0, 100).note(300_000, 60).note(324_000, 62);
    let story = end(story, 396_000);
    story.check(
        "0:0 ontime +0, 0:1 ontime +0, 0:2 ontime +0, 0:3 late +625000, \
         1:0 ontime +0, 1:1 ontime +0, 1:2 missed, 1:3 missed",
    );
    let mut judge = TakeJudge::new(story.score.clone(), settings, Micros::ZERO);
    for (version, (event, stamp)) in story.events.iter().enumerate() {
        judge.event(version as u64 + 1, event, Some(stamp));
    }
    let rungs: Vec<_> = judge.result().ladder.iter().map(|rung| (rung.speed.get(), rung.clean)).collect();
    assert_eq!(rungs, [(50, true), (100, false)]);
}

#[test]
fn following_a_loop_counts_what_is_struck_just_before_it_goes_round_in_the_pass_to_come() {
    let settings = PracticeSettings {
        mode: Mode::Follow,
        looping: true,
        range: Some(BarRange::new(0, 0)),
        ..PracticeSettings::default()
    };
    let story = Story::new(FOUR, settings).runs(0, 0, 100);
    let pass = |story: Story, from: i64| {
        (0..4).zip([60, 62, 64, 65]).fold(story, |story, (beat, key)| story.note(from + beat * 24_000, key))
    };
    let mut story = pass(story, 0).note(96_000 - 1_500, 60).moved(96_000, TransportChange::Looped { pass: 1 });
    for (beat, key) in [(1, 62), (2, 64), (3, 65)] {
        story = story.note(96_000 + beat * 24_000, key);
    }
    let verdicts = story.verdicts();
    let right = |pass: u32| verdicts.iter().filter(|v| v.pass == pass && v.kind.is_right()).count();
    assert_eq!((right(0), right(1), verdicts.len()), (4, 4, 8), "{verdicts:?}");
}

#[test]
fn what_one_goes_past_on_purpose_is_not_judged_in_follow_me() {
    let settings = PracticeSettings { mode: Mode::Follow, ..PracticeSettings::default() };
    let bars = "c4 d e f | c5 e g c6 | ".repeat(8);
    let story = Story::new(&format!("tempo: 120\nR: {}", bars.trim_end_matches(" | ")), settings).runs(0, 0, 100);
    let bar = |story: Story, from: i64, keys: [u8; 4]| {
        (0..4).zip(keys).fold(story, |story, (beat, key)| story.note(from + beat * 24_000, key))
    };
    let story = bar(story, 0, [60, 62, 64, 65]);
    let tick = story.score.bars().get(13).start;
    let story = bar(story.moved(110_000, TransportChange::Sought { tick }), 120_000, [72, 76, 79, 84]);
    let story = story.at(230_000, Event::TakeEnded(TakeEnd::Stopped));
    let verdicts = story.verdicts();
    assert!(verdicts.iter().all(|v| v.kind.is_right()), "{verdicts:?}");
    assert_eq!(
        verdicts.iter().map(|v| (v.pass, story.score.bar_of(v.written.expect("written")))).collect::<Vec<_>>(),
        [(0, 0), (0, 0), (0, 0), (0, 0), (1, 13), (1, 13), (1, 13), (1, 13)]
    );
}

#[test]
fn whoever_looks_about_before_the_first_key_is_judged_where_they_are_and_has_begun_nothing() {
    let settings = PracticeSettings { mode: Mode::Wait, ..PracticeSettings::default() };
    let story = Story::new("tempo: 120\nR: c4 d e f | g a b c5", settings);
    let second = story.score.bars().get(1).start;
    let sought = |story: Story, frame: i64, tick: Ticks| story.moved(frame, TransportChange::Sought { tick });
    let story = sought(sought(sought(story, 0, Ticks::ZERO), 1_000, second), 2_000, Ticks::ZERO);
    story.note(24_000, 60).note(48_000, 62).check("0:0 ontime +0, 0:1 ontime +0");
}
