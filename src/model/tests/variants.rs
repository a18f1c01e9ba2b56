//! Every word and every optional part of what is stored that the first list of events leaves out: each has its golden
//! line too, since a word that is spelled otherwise one day is a word that nobody can read any more.

use super::*;
use crate::model::{BarSummary, Tally, TimingSummary};
use crate::practice::{BarRange, ChordWindow, Heard, Mode};

/// Every setting, and every word that one can be.
pub(super) fn settings() -> Vec<Event> {
    let words = [
        ThemeChoice::ALL.map(Setting::Theme).to_vec(),
        NoteNames::ALL.map(Setting::Names).to_vec(),
        PlayView::ALL.map(Setting::PlayView).to_vec(),
        [StaffLayout::Line, StaffLayout::Page].map(Setting::StaffLayout).to_vec(),
        Preset::ALL.map(Setting::Preset).to_vec(),
        ClickSound::ALL.map(Setting::ClickSound).to_vec(),
        ClickRoute::ALL.map(Setting::ClickRoute).to_vec(),
        ["auto", "cpal", "jack", "null"].map(|name| Setting::Backend(name.to_owned())).to_vec(),
    ];
    let values = [
        Setting::TextPercent(125),
        Setting::NoteLabels(false),
        Setting::Keyboard(KeyRange { low: Pitch::from_data_byte(36), high: Pitch::from_data_byte(96) }),
        Setting::VolumePiano(3),
        Setting::VolumeAccompaniment(4),
        Setting::VolumeMetronome(5),
        Setting::SoundFont(Some("/x.sf2".into())),
        Setting::SoundFont(None),
        Setting::ClickDivision(Division::new(3)),
        Setting::Tuning(4_150),
        Setting::ReducedMotion(true),
        Setting::OutputDevice(Some("alsa:default".to_owned())),
        Setting::OutputDevice(None),
        Setting::InputDevice(Some("in".to_owned())),
        Setting::InputDevice(None),
        Setting::MicrophonePlays(true),
        Setting::Program(4),
        Setting::Period(64),
    ];
    words.into_iter().flatten().chain(values).map(Event::SettingChanged).collect()
}

/// How a piece is practised, in every word.
fn practice() -> Vec<Event> {
    let usual = PracticeSettings::default();
    let mut all: Vec<_> = Mode::ALL.map(|mode| PracticeSettings { mode, ..usual }).to_vec();
    all.extend(Preset::ALL.map(|preset| PracticeSettings { preset, ..usual }));
    let windows = [ChordWindow::Tight, ChordWindow::Normal, ChordWindow::Rolled, ChordWindow::None];
    all.extend(windows.map(|chord_window| PracticeSettings { chord_window, ..usual }));
    let heard = [Heard::Always, Heard::Muted, Heard::WhenMissed];
    all.extend(heard.map(|heard| PracticeSettings { heard_right: heard, heard_left: heard, ..usual }));
    all.push(PracticeSettings { range: Some(BarRange::new(3, 9)), looping: true, ..usual });
    all.into_iter().map(Event::PracticeChosen).collect()
}

fn results() -> Vec<Event> {
    let tally = Tally { on_time: 1, early: 2, late: 3, missed: 4, extra: 5, wrong_octave: 6 };
    let timing = TimingSummary {
        n: 20,
        bias_millis: -12.5,
        bias_interval_millis: 3.25,
        spread_millis: 31.0,
        spread_interval_millis: 5.0,
    };
    let kept = ResultSummary {
        all: tally,
        right_hand: tally,
        left_hand: tally,
        timing: Some(timing),
        histogram: vec![7, 8],
        bars: vec![BarSummary { index: 11, tally }],
        passes: 2,
        completed: true,
        incomplete: true,
        tempo_kept: Some(Percent::new(70)),
    };
    vec![Event::ResultRecorded(Box::new(kept))]
}

/// The rest: words of verdicts, of hands, of outputs, and what may be left out.
pub(super) fn others() -> Vec<Event> {
    use VerdictKind::{Early, Extra, Late, Missed, Neutral, OnTime, WrongOctave};
    let judged = |kind| {
        let (played, written) = (Some(PlayedId(7)), Some(NoteId(3)));
        Event::VerdictGiven(Verdict { pass: 2, played, written, kind, deviation: Some(Micros(101_500)) })
    };
    let extra = Verdict { pass: 1, played: Some(PlayedId(8)), written: None, kind: Extra, deviation: None };
    let hand = |hand| Event::HandsChosen(HandEdits::new([HandEdit::Part { part: 1, bars: None, hand }]));
    let used =
        |keys| Event::OutputChosen { name: "Piano".to_owned(), usage: OutputUse { keys, lights: None, ..usage() } };
    let (name, loopback, tapped) = ("Interface".to_owned(), None, Some(Micros(9_000)));
    let info = |path| PieceInfo { title: "T".to_owned(), composer: "C".to_owned(), path, opened: WallMillis(5) };
    let mut all = vec![
        Event::PieceOpened(info(None)),
        Event::VerdictGiven(extra),
        Event::DeviceCalibrated(Calibration { name, loopback, tapped }),
        Event::PieceFound(Box::new(Found { key: None, grade: None, ..*found("T", "/b.mid") })),
        Event::ConnectionChosen(connection(false)),
    ];
    all.extend([OnTime, Early, Late, Missed, Extra, WrongOctave, Neutral].map(judged));
    all.extend([TakeEnd::Interrupted, TakeEnd::Stopped, TakeEnd::Completed].map(Event::TakeEnded));
    all.extend([Hand::Right, Hand::Left, Hand::Neither].map(hand));
    all.extend(OutputKeys::ALL.map(used));
    [all, practice(), results()].concat()
}
