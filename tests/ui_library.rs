//! The library's screen: thousands of pieces of which only those in sight are drawn, filters, several pieces at a time,
//! folders and tags.
#![cfg(feature = "inspection")]

#[allow(dead_code)]
#[path = "ui_support/bench.rs"]
mod bench;
#[allow(dead_code)]
mod ui_support;

use std::path::PathBuf;
use std::sync::Arc;

use bench::Bench;
use egui_kittest::kittest::Queryable as _;
use music_trainer::model::FAVOURITE;
use music_trainer::ui::query::{Practised, Sort, searched};
use music_trainer::ui::view::PieceRow;
use music_trainer::ui::{Command, Dialog, FilePurpose, Screen, State, text};
use ui_support::Sample;

fn library(sample: Sample, size: [f32; 2]) -> Bench {
    Bench::open(sample, size, |_, state| state.screen = Screen::Library)
}

impl Bench {
    fn state(&mut self) -> &mut State {
        &mut self.harness.state_mut().1
    }

    fn shown(&self, title: &str) -> usize {
        self.harness.query_all_by_label_contains(title).count()
    }
}

fn thousands() -> Sample {
    let row = |number: usize| {
        let title = format!("Study {number:05}");
        let row = PieceRow {
            id: format!("{number}"),
            sort: (text::fold(&title), String::new()),
            title,
            ..PieceRow::default()
        };
        Arc::new(PieceRow { search: searched(&row), ..row })
    };
    Sample { pieces: (0..10_000).map(row).collect(), import: None, ..Sample::full() }
}

#[test]
fn of_ten_thousand_pieces_those_in_sight_are_drawn() {
    let mut bench = library(thousands(), [1280.0, 800.0]);
    let few = bench.shown("Open Study");
    assert!((12..=32).contains(&few), "{few} cards in a window for four columns and five rows");
    assert_eq!(bench.shown("Open Study 00000"), 1);
    let scroll = bench.harness.get_by_label("Open Study 00000").rect().center();
    bench.harness.event(egui::Event::PointerMoved(scroll));
    bench.harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -66_000.0),
        modifiers: egui::Modifiers::NONE,
        source: egui::MouseWheelSource::Unknown,
        phase: egui::TouchPhase::Move,
    });
    for _ in 0..200 {
        bench.harness.step();
    }
    assert_eq!(bench.shown("Open Study 00000"), 0, "the first ones are out of sight");
    let later = bench.shown("Open Study");
    assert!((12..=32).contains(&later), "{later} cards further down");
    bench.state().query.search = "study 09999".to_owned();
    bench.harness.run();
    assert_eq!((bench.shown("Open Study"), bench.shown("Open Study 09999")), (1, 1));
}

#[test]
fn chips_ask_for_what_they_say() {
    let mut bench = library(Sample::full(), [1280.0, 800.0]);
    bench.click("Favourites");
    assert!(bench.state().query.favourites);
    assert_eq!(bench.shown("Open Musette"), 0);
    bench.click("Show all");
    bench.click("Practised or new");
    bench.click("New");
    assert_eq!(bench.state().query.practised, Practised::No);
    bench.click("Show all");
    bench.click("Any grade");
    bench.click("From: Harder");
    bench.click("From: Harder");
    bench.click("to: Easier");
    assert_eq!(bench.state().query.grades, (3, 8));
    bench.click("Grades 3 to 8");
    bench.click("Show all");
    bench.click("Any composer");
    bench.click("E. Satie · 1");
    assert_eq!(bench.state().query.composer.as_deref(), Some("E. Satie"));
    assert_eq!((bench.shown("Open Gymnop"), bench.shown("Open Musette")), (1, 0));
    bench.click("Show all");
    bench.click("As on a shelf");
    bench.click("Easiest first");
    assert_eq!(bench.state().query.sort, Sort::Grade);
    assert!(bench.harness.query_by_label("10 pieces").is_some());
    bench.state().query.search = "nothing of this name".to_owned();
    bench.harness.run();
    bench.click("Clear the search");
    let query = bench.state().query.clone();
    assert_eq!((query.search.as_str(), query.sort), ("", Sort::Grade));
}

#[test]
fn several_pieces_are_chosen_tagged_and_made_favourites() {
    let mut bench = library(Sample::full(), [1280.0, 800.0]);
    bench.click("Choose several");
    assert_eq!(bench.click("Choose Musette"), [], "a piece is chosen and not opened");
    bench.click("Choose Ode to Joy");
    bench.click("Choose waltz");
    bench.click("Choose waltz");
    assert!(bench.harness.query_by_label("2 pieces chosen").is_some());
    let pieces = || vec!["a".to_owned(), "g".to_owned()];
    let favourites = bench.click("Make it a favourite");
    assert_eq!(favourites, [Command::Tag { pieces: pieces(), tag: FAVOURITE.to_owned(), on: true }]);
    bench.click("Tags");
    bench.state().library.dialog = Some(Dialog::Pieces(pieces()));
    bench.harness.run();
    bench.harness.get_by_label("Add a tag").focus();
    bench.harness.run();
    bench.harness.event(egui::Event::Text(" recital ".to_owned()));
    bench.harness.run();
    assert_eq!(bench.click("Add"), [Command::Tag { pieces: pieces(), tag: "recital".to_owned(), on: true }]);
    bench.click("Close");
    bench.click("Done");
    assert!(bench.state().library.chosen.is_none());
}

#[test]
fn a_piece_tells_its_progress_and_loses_a_tag() {
    let mut bench = library(Sample::full(), [1280.0, 800.0]);
    bench.click("Tags and progress: Nocturne in E♭");
    for words in ["Tempo reached", "85 %", "Passes", "31", "Last results: 40 %, 55 %, 50 %, 70 %, 82 %, 80 %, 93 %"] {
        assert!(bench.harness.query_by_label(words).is_some(), "{words}");
    }
    let off = Command::Tag { pieces: vec!["i".to_owned()], tag: "slow".to_owned(), on: false };
    assert_eq!(bench.click("Take this tag off: slow"), [off]);
    assert_eq!(bench.click("Open"), [Command::OpenPiece("i".to_owned())]);
    assert_eq!(bench.state().library.dialog, None);
}

#[test]
fn a_tag_is_renamed_on_every_piece() {
    let mut bench = library(Sample::full(), [1280.0, 800.0]);
    bench.click("Any tag");
    bench.click("exam · 1");
    bench.click("exam");
    bench.click("Rename this tag: exam");
    bench.state().library.dialog = Some(Dialog::RenameTag("exam".to_owned()));
    bench.harness.run();
    bench.harness.get_by_label("Rename this tag").focus();
    bench.harness.run();
    bench.harness.event(egui::Event::Text("ination".to_owned()));
    bench.harness.run();
    let renamed = Command::RenameTag { from: "exam".to_owned(), to: "examination".to_owned() };
    assert_eq!(bench.click("Save"), [renamed]);
    assert_eq!(bench.state().query.tag.as_deref(), Some("examination"), "what was asked for stays asked for");
}

#[test]
fn folders_are_added_looked_at_and_left_and_an_import_is_broken_off() {
    let mut bench = library(Sample::full(), [1280.0, 800.0]);
    assert_eq!(bench.click("Stop"), [Command::CancelImport]);
    bench.harness.state_mut().0.import = None;
    bench.harness.state_mut().0.tally.left = 872;
    bench.harness.run();
    assert!(bench.harness.query_by_label_contains("872 files not read yet").is_some());
    assert_eq!(bench.click("Go on"), [Command::LookThroughFolders]);
    bench.harness.state_mut().0.tally.left = 0;
    bench.click("Folders");
    assert!(bench.harness.query_by_label_contains("not there now").is_some());
    assert!(bench.harness.query_by_label("you are not allowed to read it").is_some());
    assert_eq!(bench.click("Look now"), [Command::LookThroughFolders]);
    let left = Command::WatchFolder(PathBuf::from("/home/ada/music"), false);
    assert_eq!(bench.click("No longer look here: /home/ada/music"), [left]);
    let dir = tempfile::tempdir().expect("a folder");
    bench.state().open_browser_at(FilePurpose::Folder, dir.path());
    bench.harness.run();
    assert_eq!(bench.click("Use this folder"), [Command::WatchFolder(dir.path().to_owned(), true)]);
    assert!(bench.harness.query_by_label("Folders of music").is_some(), "the folders are shown again");
    bench.click("Close");
    assert_eq!(bench.state().library.dialog, None);
}

#[test]
fn a_folder_is_asked_for_with_what_lies_below_it() {
    let mut bench = library(Sample::full(), [1280.0, 800.0]);
    bench.click("Any folder");
    let places: Vec<f32> = ["music · 3", "bach · 1", "chopin · 1", "scans · 1"]
        .map(|name| bench.harness.get_by_label(name).rect().left())
        .into();
    assert!(places[0] < places[1] && places[1] == places[3], "those below stand further in: {places:?}");
    bench.click("chopin · 1");
    assert_eq!(bench.state().query.folder, Some(PathBuf::from("/home/ada/music/chopin")));
    assert_eq!((bench.shown("Open Nocturne"), bench.shown("Open Invention"), bench.shown("Open Musette")), (1, 0, 0));
    bench.click("chopin");
    bench.click("music · 3");
    assert_eq!((bench.shown("Open Nocturne"), bench.shown("Open Invention"), bench.shown("Open Musette")), (1, 1, 0));
    bench.state().query.search = "bach".to_owned();
    bench.harness.run();
    assert_eq!((bench.shown("Open Nocturne"), bench.shown("Open Invention")), (0, 1), "with the other filters");
    bench.click("Show all");
    assert_eq!(bench.state().query.folder, None);
}

/// Pieces of a hundred composers, in as many folders.
fn composers() -> Sample {
    let row = |number: usize| {
        let (title, composer) = (format!("Study {number:03}"), format!("Composer {number:03}"));
        let row = PieceRow {
            id: format!("{number}"),
            sort: (text::fold(&title), text::fold(&composer)),
            path: Some(format!("/home/ada/music/{composer}/{title}.mid").into()),
            title,
            composer,
            ..PieceRow::default()
        };
        Arc::new(PieceRow { search: searched(&row), ..row })
    };
    Sample { pieces: (0..100).map(row).collect(), import: None, ..Sample::full() }
}

#[test]
fn of_many_names_one_is_found_by_a_few_letters_or_by_the_arrows() {
    let mut bench = library(composers(), [1280.0, 800.0]);
    let shown = |bench: &Bench| bench.harness.query_all_by_label_contains("Composer 0").count();
    let cards = shown(&bench);
    bench.click("Any composer");
    let all = shown(&bench) - cards;
    assert!((5..30).contains(&all), "{all} names are drawn: those in sight");
    bench.harness.event(egui::Event::Text("042".to_owned()));
    bench.harness.run();
    assert!(bench.harness.query_by_label("Composer 042 · 1").is_some(), "the line has the keyboard from the start");
    assert!(bench.harness.query_by_label("Composer 043 · 1").is_none());
    bench.harness.key_press(egui::Key::Enter);
    bench.harness.run();
    assert_eq!(bench.state().query.composer.as_deref(), Some("Composer 042"));
    assert_eq!(bench.shown("Open Study"), 1);
    bench.click("Show all");
    bench.click("Any composer");
    for _ in 0..41 {
        bench.harness.key_press(egui::Key::ArrowDown);
        bench.harness.run();
    }
    bench.harness.key_press(egui::Key::ArrowUp);
    bench.harness.run();
    bench.harness.key_press(egui::Key::Enter);
    bench.harness.run();
    assert_eq!(bench.state().query.composer.as_deref(), Some("Composer 039"), "what was sought before is forgotten");
    bench.click("Show all");
    bench.click("Any folder");
    for key in [egui::Key::ArrowDown, egui::Key::ArrowUp] {
        bench.harness.key_press(key);
        bench.harness.run();
    }
    bench.harness.event(egui::Event::Text("mposer 007".to_owned()));
    bench.harness.run();
    bench.click("music/Composer 007 · 1");
    assert_eq!(bench.state().query.folder, Some(PathBuf::from("/home/ada/music/Composer 007")));
    assert!(bench.harness.query_by_label("Search these names").is_none(), "the menu has closed");
}

#[test]
fn without_a_whole_pass_the_best_says_so() {
    let mut sample = Sample::full();
    let row = sample.pieces.iter_mut().find(|row| row.id == "i").expect("the nocturne");
    let changed = PieceRow { best: None, other_bests: Vec::new(), passes: 12, ..PieceRow::clone(row) };
    *row = Arc::new(changed);
    let mut bench = library(sample, [1280.0, 800.0]);
    bench.click("Tags and progress: Nocturne in E♭");
    assert!(bench.harness.query_by_label("the whole piece not yet").is_some());
    assert!(bench.harness.query_by_label("Keep tempo · right hand · the same 4 bars").is_some(), "whose curve it is");
}
