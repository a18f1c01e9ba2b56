//! What a person takes for granted of the window: nothing moves for a notice, letters are letters where no keys are, what
//! one leaves is paused, arrows go through lists, and passes are looked at one by one.
#![cfg(feature = "inspection")]

#[allow(dead_code)]
#[path = "ui_support/bench.rs"]
mod bench;
#[allow(dead_code)]
mod ui_support;

use std::path::PathBuf;
use std::sync::Arc;

use bench::Bench;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use music_trainer::practice::Mode;
use music_trainer::ui::query::searched;
use music_trainer::ui::view::{Banner, CalibrationStand, JoinedPort, Level, PieceRow};
use music_trainer::ui::{Command, Screen, text};
use ui_support::Sample;

fn still() -> Sample {
    Sample { moving: false, ..Sample::full() }
}

fn window(sample: Sample, screen: Screen) -> Bench {
    // The first frame shows the piece; the screen asked for comes after it.
    let mut bench = Bench::open(sample, [1280.0, 800.0], |_, _| {});
    bench.screen(screen);
    bench
}

impl Bench {
    fn key(&mut self, key: Key) -> Vec<Command> {
        self.harness.key_press(key);
        self.harness.run();
        self.sent()
    }

    /// A letter as the system sends it: the physical key, and the text.
    fn letter(&mut self, key: Key, text: &str) -> Vec<Command> {
        for pressed in [true, false] {
            let modifiers = Modifiers::NONE;
            self.harness.event(Event::Key { key, physical_key: Some(key), pressed, repeat: false, modifiers });
            if pressed {
                self.harness.event(Event::Text(text.to_owned()));
            }
            self.harness.run();
        }
        self.sent()
    }

    fn screen(&mut self, screen: Screen) -> Vec<Command> {
        self.harness.state_mut().1.screen = screen;
        self.harness.run();
        self.sent()
    }

    fn has_focus(&self, name: &str) -> bool {
        self.harness.query_by_label(name).is_some_and(|node| node.accesskit_node().is_focused())
    }
}

#[test]
fn a_notice_moves_nothing() {
    for screen in [Screen::Play, Screen::Library, Screen::Takes] {
        let label = |bench: &Bench| match screen {
            Screen::Library => bench.harness.get_by_label("Search").rect(),
            Screen::Takes => bench.harness.get_by_label(&text::name_take(&bench.harness.state().0.takes[1])).rect(),
            _ => bench.harness.get_by_label_contains("Keyboard, next").rect(),
        };
        let banners = Sample::empty().banners;
        assert!(!banners.is_empty());
        let without = window(Sample { banners: Vec::new(), ..still() }, screen);
        let with = window(Sample { banners, ..still() }, screen);
        assert_eq!(label(&without), label(&with), "{screen:?}");
        assert!(with.harness.query_by_label("Dismiss").is_some());
    }
}

#[test]
fn letters_are_a_search_in_the_library_and_music_where_keys_are() {
    let mut bench = window(still(), Screen::Library);
    assert_eq!(bench.letter(Key::F, "f"), [], "no music");
    assert_eq!(bench.letter(Key::U, "u"), [], "and none while it is typed");
    assert_eq!(bench.harness.state().1.query.search, "fu");
    for screen in [Screen::Takes, Screen::Inspector, Screen::Settings, Screen::Results, Screen::Take] {
        let mut bench = window(still(), screen);
        assert_eq!(bench.letter(Key::F, "f"), [], "{screen:?}");
    }
    for screen in [Screen::Play, Screen::Devices] {
        let mut bench = window(still(), screen);
        let sent = bench.letter(Key::F, "f");
        assert!(matches!(sent[..], [Command::KeyDown(..), Command::KeyUp(_)]), "{screen:?}: {sent:?}");
    }
}

#[test]
fn what_changes_the_music_is_done_where_the_music_is() {
    for screen in [Screen::Library, Screen::Settings] {
        let mut bench = window(still(), screen);
        for key in [Key::Num3, Key::Plus, Key::OpenBracket] {
            assert_eq!(bench.key(key), [], "{key:?} on {screen:?}");
        }
    }
}

#[test]
fn whoever_leaves_the_music_leaves_it_where_it_was() {
    let mut bench = window(still(), Screen::Play);
    assert!(bench.harness.state().0.transport.playing);
    assert_eq!(bench.screen(Screen::Settings), [Command::Pause]);
    assert_eq!(bench.screen(Screen::Library), [], "once is enough");
    bench.harness.state_mut().0.transport.playing = false;
    assert_eq!(bench.screen(Screen::Play), []);
    assert_eq!(bench.screen(Screen::Takes), [], "what stands still is left alone");
}

#[test]
fn a_calibration_gives_the_piece_back_and_stays_where_it_is() {
    let mut sample = still();
    sample.devices.audio.calibration.stand = CalibrationStand::Idle;
    let mut bench = window(sample, Screen::Devices);
    let score = bench.harness.state_mut().0.score.take();
    bench.harness.state_mut().0.devices.audio.calibration.stand = CalibrationStand::Tapping { done: 0, of: 24 };
    bench.harness.run();
    assert_eq!(bench.harness.state().1.screen, Screen::Devices);
    let sample = &mut bench.harness.state_mut().0;
    sample.devices.audio.calibration.stand = CalibrationStand::Scattered;
    sample.score = score;
    bench.harness.run();
    assert_eq!(bench.harness.state().1.screen, Screen::Devices);
}

#[test]
fn arrows_and_enter_go_through_the_library() {
    let row = |number: usize| {
        let title = format!("Study {number:02}");
        let sort = (text::fold(&title), String::new());
        let row = PieceRow { id: format!("{number}"), sort, title, ..PieceRow::default() };
        Arc::new(PieceRow { search: searched(&row), ..row })
    };
    let mut bench = window(Sample { pieces: (0..60).map(row).collect(), import: None, ..still() }, Screen::Library);
    bench.key(Key::ArrowDown);
    assert!(bench.has_focus("Open Study 00"));
    bench.key(Key::ArrowRight);
    bench.key(Key::ArrowDown);
    assert!(bench.has_focus("Open Study 05"), "a row of four further down");
    bench.key(Key::End);
    assert!(bench.has_focus("Open Study 59"), "far below what was in sight");
    bench.key(Key::ArrowLeft);
    assert_eq!(bench.key(Key::Enter), [Command::OpenPiece("58".into())]);
}

#[test]
fn two_pieces_of_one_title_are_told_apart_by_their_files() {
    let row = |id: &str, path: &str| {
        let (title, sort) = ("Aria".to_owned(), ("aria".to_owned(), String::new()));
        Arc::new(PieceRow { id: id.into(), title, sort, path: Some(PathBuf::from(path)), ..PieceRow::default() })
    };
    let pieces = vec![row("1", "/music/bach/aria.mid"), row("2", "/music/handel/aria.mid")];
    let bench = window(Sample { pieces, import: None, ..still() }, Screen::Library);
    for file in ["bach/aria.mid", "handel/aria.mid"] {
        assert_eq!(bench.harness.query_all_by_label_contains(file).count(), 1, "{file}");
    }
}

#[test]
fn arrows_enter_and_delete_go_through_the_takes() {
    let mut bench = window(still(), Screen::Takes);
    bench.key(Key::ArrowDown);
    let first = bench.harness.state().0.takes[1].clone();
    assert!(bench.has_focus(&text::take_in_words(&first)), "the one that is being played is no row to press");
    bench.key(Key::ArrowDown);
    bench.key(Key::ArrowUp);
    assert!(bench.has_focus(&text::take_in_words(&first)));
    assert_eq!(bench.key(Key::Delete), []);
    assert_eq!(bench.harness.state().1.confirm_delete.as_ref(), Some(&first.id));
    bench.harness.run();
    assert_eq!(bench.key(Key::Enter), [Command::DeleteTake(first.id)], "what can be taken back comes first");
}

#[test]
fn passes_are_looked_at_one_by_one() {
    let mut sample = still();
    let (score, take) = (sample.score.clone().expect("a score"), sample.take.as_mut().expect("a take"));
    take.passes = ui_support::ten_passes(&score, take);
    let (second, last) = (take.passes[1].clone(), take.passes[9].clone());
    assert!(last.result.counts.accuracy() > second.result.counts.accuracy(), "it got better");
    let mut bench = window(sample, Screen::Results);
    let name = |pass: &music_trainer::practice::pass::PassResult| format!("Pass {}: ", pass.pass + 1);
    bench.harness.get_by_label_contains(&name(&second)).click();
    bench.harness.run();
    assert_eq!(bench.harness.state().1.pass, Some(("8f2b".to_owned(), 1)));
    let cells = bench.harness.query_all_by_label_contains("% right, ").count();
    assert_eq!(cells, second.result.bars().count(), "the bars of that pass and no others");
    bench.click("All passes together");
    assert_eq!(bench.harness.state().1.pass, None);
}

#[test]
fn what_is_no_key_is_not_called_one() {
    let mut sample = still();
    let shown = sample.shown.as_mut().expect("a result");
    shown.chosen.mode = Mode::Rhythm;
    let bench = window(sample, Screen::Results);
    assert_eq!(bench.harness.query_all_by_label_contains("wrong key").count(), 0);
}

#[test]
fn the_input_that_anyone_may_be_joined_to_is_listed_with_who_is() {
    let mut sample = still();
    sample.devices.midi.clear();
    sample.devices.midi_in =
        Some(JoinedPort { sources: vec!["vmpk:output".into()], awaited: vec!["Piano:out".into()], messages: 12 });
    let bench = window(sample, Screen::Devices);
    bench.harness.get_by_label("JACK midi_in: vmpk:output · waits for Piano:out · 12 messages");
    assert_eq!(bench.harness.query_all_by_label_contains("No MIDI keyboard yet").count(), 0);
}

#[test]
fn a_take_is_deleted_for_ever_only_after_a_second_question() {
    let mut bench = window(still(), Screen::Takes);
    let id = bench.harness.state().0.takes[1].id.clone();
    let ask = |bench: &mut Bench| {
        bench.harness.state_mut().1.confirm_delete = Some(id.clone());
        bench.harness.run();
    };
    ask(&mut bench);
    let all = "Undo brings it back. A take that was kept from it is another one and stays.";
    assert!(bench.harness.get_by_label(all).rect().height() > 20.0, "it takes a second line instead of being cut");
    assert_eq!(bench.click("Delete for ever…"), []);
    assert_eq!(bench.key(Key::Enter), [], "no key that was pressed too often deletes for ever");
    bench.click("Keep it");
    assert_eq!(bench.harness.state().1.confirm_delete, None);
    ask(&mut bench);
    assert!(bench.harness.query_by_label("Delete this take?").is_some(), "it begins with the first question again");
    bench.click("Delete for ever…");
    assert_eq!(bench.click("Delete for ever"), [Command::EraseTake(id.clone())]);
    assert_eq!(bench.harness.state().1.confirm_delete, None);
}

#[test]
fn a_notice_that_is_taken_up_goes_and_has_all_its_ways() {
    let mut sample = still();
    let actions = vec![
        ("Look".to_owned(), Command::OpenTake("8f2b".to_owned())),
        ("Go on".to_owned(), Command::OpenPiece("a".to_owned())),
    ];
    let text = "The program ended while you played".to_owned();
    sample.banners = vec![Banner { id: 7, level: Level::Info, text, actions }];
    let mut bench = window(sample, Screen::Takes);
    let left = |bench: &Bench, name| bench.harness.get_by_label(name).rect().left();
    assert!(left(&bench, "Look") < left(&bench, "Go on"), "the best one first");
    assert_eq!(bench.click("Look"), [Command::OpenTake("8f2b".to_owned()), Command::DismissBanner(7)]);
    assert_eq!(bench.click("Go on"), [Command::OpenPiece("a".to_owned()), Command::DismissBanner(7)]);
}

#[test]
fn where_columns_have_no_room_the_row_tells_what_they_would() {
    let told = |size: [f32; 2]| {
        let mut sample = still();
        sample.settings.text_percent = 150;
        let mut bench = Bench::open(sample, size, |_, state| state.screen = Screen::Takes);
        bench.screen(Screen::Takes);
        let take = bench.harness.state().0.takes[3].clone();
        let row = bench.harness.get_by_label(&text::take_in_words(&take)).rect();
        bench.harness.event(Event::PointerMoved(row.left_center() + egui::vec2(4.0, 0.0)));
        for _ in 0..60 {
            bench.harness.step();
        }
        let words = text::take_in_full(&take);
        assert!(words.contains("120 notes") && words.contains("0:50") && words.contains("Wait for me"), "{words}");
        bench.harness.query_by_label(&words).is_some()
    };
    assert!(told([900.0, 600.0]));
    assert!(!told([1800.0, 900.0]), "what is seen need not be told");
}
