//! The program's window without a screen, over a bus, a log and a silent device, driven by its accessibility tree.
#![cfg(feature = "inspection")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use music_trainer::app::boot::{Program, boot};
use music_trainer::app::clock::SystemClock;
use music_trainer::app::window::Window;
use music_trainer::bus::{BusHandle, Config, EventId, Publish, start};
use music_trainer::cli::WindowArgs;
use music_trainer::formats::{pieces, smf};
use music_trainer::model::{
    Entity, Event, FolderChoice, PieceId, PieceInfo, Setting, TakeOrigin, ThemeChoice, Trainer,
};
use music_trainer::music::{Hand, HandEdit, HandEdits};
use music_trainer::store::{OpenOptions, backup, open};
use music_trainer::time::WallMillis;
use music_trainer::ui;

/// Frames until something asked for is missing.
const FRAMES_MAX: usize = 20_000;

fn program(data: &Path) -> Program {
    let args = WindowArgs { data_dir: Some(data.to_owned()), safe: true, ..WindowArgs::default() };
    boot(&args, Arc::new(|| {})).expect("the program starts")
}

fn choose(bus: &BusHandle<Trainer>, theme: ThemeChoice) -> u64 {
    let setting = Setting::Theme(theme);
    bus.publish(Publish::new(setting.entity(), Event::SettingChanged(setting))).durable().expect("durable")
}

struct Bench {
    harness: Harness<'static, Window>,
    bus: BusHandle<Trainer>,
}

impl Bench {
    fn open(data: &Path) -> Self {
        let first = program(data);
        let bus = first.bus.clone();
        let data = data.to_owned();
        let again = Arc::new(move || Ok(program(&data)));
        let harness = Harness::builder().with_size([1280.0, 800.0]).with_context_setup(ui::install).build_ui_state(
            |ui, window: &mut Window| window.draw_frame(ui),
            Window::new(first, again, Arc::new(AtomicBool::new(true))),
        );
        Self { harness, bus }
    }

    /// Draws until it is there. Each frame waits for a round of the bus.
    fn until(&mut self, what: &str, is: impl Fn(&Harness<'static, Window>) -> bool) {
        let found = (0..FRAMES_MAX).any(|_| {
            self.harness.step();
            if self.bus.inspect_now().is_none() {
                // The program behind the window has ended; the one that follows is not ours to ask.
                std::thread::park_timeout(Duration::from_millis(1));
            }
            is(&self.harness)
        });
        assert!(found, "{what}");
    }

    /// Plays a key of the computer keyboard so many times into the take that is recorded from the start.
    fn play(&mut self, times: u32) {
        let bus = self.bus.clone();
        // Letters are music where the keys are shown.
        self.click("Play");
        for (count, pressed) in (1..=times).flat_map(|count| [(count, true), (count, false)]) {
            let (key, modifiers) = (egui::Key::A, egui::Modifiers::NONE);
            self.harness.event(egui::Event::Key { key, physical_key: Some(key), pressed, repeat: false, modifiers });
            self.until("the key is recorded", |_| notes(&bus) == [(TakeOrigin::Played, count)]);
        }
    }

    fn click(&mut self, name: &str) {
        self.until(name, |harness| harness.query_by_label(name).is_some());
        self.harness.get_by_label(name).click();
        self.harness.step();
        self.harness.step();
    }
}

/// The notes of every take.
fn notes(bus: &BusHandle<Trainer>) -> Vec<(TakeOrigin, u32)> {
    let snapshot = bus.snapshot();
    let takes = snapshot.state.iter_prefix("take/").filter_map(|(_, take)| match &take.value {
        Some(Entity::Take(take)) => Some((take.start.origin, take.notes)),
        _ => None,
    });
    takes.collect()
}

fn says(text: &str) -> impl Fn(&Harness<'static, Window>) -> bool {
    move |harness| harness.query_all_by_label_contains(text).next().is_some()
}

#[test]
fn the_log_of_earlier_runs_is_there_new_events_join_it_and_each_tells_its_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let opened = open(&dir.path().join("first"), OpenOptions::default()).expect("a fresh folder opens");
    let reader = opened.storage.lmdb_reader();
    let first = start(Config::default(), Arc::new(SystemClock::start()), Box::new(opened.storage)).expect("a bus");
    let of_old = choose(&first, ThemeChoice::Dark);
    let first_id = EventId { device: first.device(), device_seq: of_old };
    let changed = choose(&first, ThemeChoice::Light);
    // No folder is opened twice in one process.
    let data = dir.path().join("data");
    backup(&reader, &data).expect("a copy");
    assert!(first.shutdown(Duration::from_secs(30)));

    let mut bench = Bench::open(&data);
    bench.click("Inspector");
    bench.until("the log is read without a new event", says(&format!("Event {of_old}, setting.changed")));
    bench.click(&format!("Event {changed}, setting.changed, settings/theme"));
    for value in ["\"dark\"", "\"light\""] {
        bench.until("before and after", |harness| harness.query_all_by_label(value).next().is_some());
    }
    assert!(says("known of this run's last events only")(&bench.harness), "its moments are by another clock");

    let new = choose(&bench.bus, ThemeChoice::HighContrast);
    bench.click(&format!("Event {new}, setting.changed, settings/theme"));
    for hop in ["taken by the bus: ", "applied: ", "visible to all: ", "drawn: ", "on disk: "] {
        bench.until(hop, says(hop));
    }
    // One that is far from what is shown, by a click on what led to it.
    let cause = Publish::new(Setting::TextPercent(120).entity(), Event::SettingChanged(Setting::TextPercent(120)));
    let cause = bench.bus.publish(cause.cause(first_id)).durable().expect("durable");
    bench.click(&format!("Event {cause}, setting.changed, settings/text-percent"));
    bench.click(&format!("Go to event {of_old}"));
    bench.until("the cause is shown", says(&format!("Event {of_old} · setting.changed")));
    bench.harness.get_by_role_and_label(Role::TextInput, "Filter").focus();
    bench.harness.step();
    bench.harness.event(egui::Event::Text("dark".to_owned()));
    bench.until("a word in a payload is found", move |harness| {
        says(&format!("Event {of_old}, "))(harness) && !says(&format!("Event {changed}, "))(harness)
    });
    assert!(bench.harness.state_mut().stop());
}

#[test]
fn a_lane_that_overflows_shows_what_it_lost_and_the_store_its_tables() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::open(dir.path());
    bench.click("Inspector");
    bench.click("Laboratory");
    bench.click("Lanes not drained");
    bench.until("it is told on every screen", says("Laboratory is on: Lanes not drained"));
    bench.click("Fill a lane");
    bench.click("Heal");
    bench.until("all is well", |harness| !says("Laboratory is on")(harness));
    bench.click("Real time");
    bench.until("the lane tells of it", says("has lost events"));
    bench.until("blocks are measured", says(" blocks · worst "));
    bench.click("Flow");
    bench.until("and so does the log", says(", notes.lost, take/"));
    bench.click("Store");
    bench.until("its tables", says("by_entity"));
    assert!(bench.harness.state_mut().stop());
}

#[test]
fn a_damaged_folder_is_brought_back_and_the_program_goes_on_with_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let opened = open(&dir.path().join("first"), OpenOptions::default()).expect("a fresh folder opens");
    let reader = opened.storage.lmdb_reader();
    let first = start(Config::default(), Arc::new(SystemClock::start()), Box::new(opened.storage)).expect("a bus");
    for theme in [ThemeChoice::Light, ThemeChoice::HighContrast] {
        choose(&first, theme);
    }
    backup(&reader, &data).expect("a copy");
    assert!(first.shutdown(Duration::from_secs(30)));
    let file = data.join("data.mdb");
    let mut bytes = std::fs::read(&file).expect("a file");
    // The state's row: its value no longer fits its check.
    let at = bytes.windows(14).rposition(|w| w == b"settings/theme").expect("a row");
    let row = bytes[..at].windows(14).rposition(|w| w == b"settings/theme").unwrap_or(at);
    for at in [at, row] {
        bytes[at + 15] ^= 0x40;
    }
    std::fs::write(&file, &bytes).expect("a file");

    let mut bench = Bench::open(&data);
    bench.until("it is told", says("Some of your data cannot be read"));
    let log = music_trainer::store::diagnose(&data).expect("readable").offers;
    bench.click("Not now");
    bench.click("What can be done…");
    let ways = ["Make it anew", "Leave out what is damaged"];
    let way = ways.into_iter().find(|way| bench.harness.query_by_label(way).is_some());
    bench.click(way.unwrap_or_else(|| panic!("one of {log:?}")));
    bench.until("it is done", says("Your data is back"));
    assert!(dir.path().join("data.before-restore/data.mdb").exists());
    let kept = std::fs::read(dir.path().join("data.before-restore/data.mdb")).expect("a file");
    assert!(kept == bytes, "what was damaged is kept as it was");
    bench.click("Inspector");
    bench.until("the log goes on", says("setting.changed, settings/theme"));
}

#[test]
fn a_setting_that_another_component_changes_is_in_force_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::open(dir.path());
    bench.click("Settings");
    for percent in [125, 150] {
        let setting = Setting::TextPercent(percent);
        let publish = Publish::new(setting.entity(), Event::SettingChanged(setting)).actor("importer");
        bench.bus.publish(publish).durable().expect("durable");
        let chosen = move |harness: &Harness<'static, Window>| {
            let body = harness.ctx.style_of(egui::Theme::Dark).text_styles[&egui::TextStyle::Body].size;
            (body / ui::theme::size::BODY * 100.0).round() as u16 == percent
        };
        bench.until("it is shown so", chosen);
    }
}

#[test]
fn a_folder_of_music_fills_the_library_and_its_pieces_are_tagged_filtered_and_found() {
    let dir = tempfile::tempdir().expect("a folder");
    let music = dir.path().join("music");
    std::fs::create_dir(&music).expect("a folder");
    for (name, title) in [("Antonín Dvořák - a.mid", "Humoresque"), ("Erik Satie - b.mid", "Gnossienne")] {
        let score = pieces::find("lightly-row").expect("a piece").score.clone().with_title(title);
        std::fs::write(music.join(name), smf::write_score(&score)).expect("a file");
    }
    std::fs::write(music.join("broken.mid"), b"no music").expect("a file");
    let mut bench = Bench::open(&dir.path().join("data"));
    let path = music.to_str().expect("text").to_owned();
    let chosen = Event::FolderChosen(FolderChoice { path: path.clone(), watched: true });
    bench.bus.publish(Publish::new(FolderChoice::entity(&path), chosen)).durable().expect("durable");
    bench.until("both are there", says("From your folders · 2"));
    bench.click("Folders");
    bench.until("what is no music is told", says("neither a MIDI file nor MusicXML"));
    bench.click("Close");

    bench.click("Tags and progress: Humoresque");
    bench.until("the dialog", |harness| harness.query_by_label("Add a tag").is_some());
    bench.harness.get_by_label("Add a tag").focus();
    bench.harness.step();
    bench.harness.event(egui::Event::Text("encore".to_owned()));
    bench.harness.step();
    bench.click("Add");
    bench.until("it has the tag", says("Take this tag off: encore"));
    bench.click("Close");
    bench.click("Any tag");
    bench.click("encore · 1");
    let shows = |title: &'static str, yes: bool| {
        move |harness: &Harness<'static, Window>| {
            harness.query_all_by_label_contains(&format!("Open {title}")).next().is_some() == yes
        }
    };
    bench.until("only what is tagged so", shows("Gnossienne", false));
    bench.until("that is", shows("Humoresque", true));
    bench.click("Show all");
    bench.until("all of them", shows("Gnossienne", true));
    bench.harness.get_by_role_and_label(Role::TextInput, "Search").focus();
    bench.harness.step();
    bench.harness.event(egui::Event::Text("DVORAK".to_owned()));
    bench.until("whatever its accents", shows("Gnossienne", false));
    bench.until("it is found", shows("Humoresque", true));
    std::fs::remove_file(music.join("Antonín Dvořák - a.mid")).expect("removed");
    bench.until("the piece stays", shows("Humoresque", true));
    assert!(bench.harness.state_mut().stop());
}

#[test]
fn what_was_just_played_is_kept_shown_and_looked_back_at_down_to_the_bus() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::open(&dir.path().join("data"));
    bench.click("Play");
    let bus = bench.bus.clone();
    bench.play(2);
    bench.click("Keep the last 5 minutes");
    bench.until("it is kept", says("The last five minutes are kept as a take of their own: 2 notes"));
    assert_eq!(notes(&bus), [(TakeOrigin::Played, 2), (TakeOrigin::Kept, 2)]);
    bench.click("Show it");
    bench.until("the take is shown", says("Piano roll: 2 notes"));
    bench.click("Look back");
    bench.until("the first key is down", says("C4"));
    bench.until("its event is named", says("event 2 of 7 · note.played"));
    bench.click("Event forward");
    bench.until("it is up again", says("no key down"));
    bench.click("See the bus");
    bench.until("the inspector shows that event", says("· note.played"));
    // Undo takes the new take off the list, and leaves what was recorded.
    bench.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    bench.until("it is off the list", |_| {
        let snapshot = bus.snapshot();
        let gone = snapshot.state.iter_prefix("take/").filter(|(_, take)| {
            matches!(&take.value, Some(Entity::Take(take)) if *take.discarded && take.start.origin == TakeOrigin::Kept)
        });
        gone.count() == 1
    });
}

/// What was said about the hands of a piece, as the state has it.
fn hands(bus: &BusHandle<Trainer>, piece: &PieceId) -> HandEdits {
    match bus.snapshot().state.value(piece.entity().as_str()) {
        Some(Entity::Piece(piece)) => (*piece.hands).clone(),
        _ => HandEdits::default(),
    }
}

#[test]
fn the_hands_of_a_piece_are_edited_taken_back_and_known_at_the_next_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let piece = PieceId::builtin("lightly-row");
    let data = dir.path().join("data");
    let opened = open(&dir.path().join("first"), OpenOptions::default()).expect("a fresh folder opens");
    let reader = opened.storage.lmdb_reader();
    let first: BusHandle<Trainer> =
        start(Config::default(), Arc::new(SystemClock::start()), Box::new(opened.storage)).expect("a bus");
    let info = PieceInfo { title: "Lightly Row".into(), composer: String::new(), path: None, opened: WallMillis(1) };
    let said = HandEdits::new([HandEdit::Part { part: 1, bars: None, hand: Hand::Neither }]);
    for event in [Event::PieceOpened(info), Event::HandsChosen(said.clone())] {
        first.publish(Publish::new(piece.entity(), event)).durable().expect("durable");
    }
    backup(&reader, &data).expect("a copy");
    assert!(first.shutdown(Duration::from_secs(30)));

    let mut bench = Bench::open(&data);
    let row =
        |harness: &Harness<'static, Window>| harness.query_all_by_label_contains("Open Lightly Row").next().is_some();
    bench.until("the library", row);
    bench.harness.query_all_by_label_contains("Open Lightly Row").next().expect("a row").click();
    bench.click("Hands");
    let bus = bench.bus.clone();
    bench.until("what was said is there", |harness| {
        harness.query_by_label("As found").is_some_and(|found| !found.accesskit_node().is_disabled())
    });
    bench.click("Parts");
    bench.click("Lower staff: Right");
    bench.until("it is said", |_| hands(&bus, &piece) != said);
    let after = HandEdits::new([HandEdit::Part { part: 1, bars: None, hand: Hand::Right }]);
    assert_eq!(hands(&bus, &piece), after, "the later word counts");
    let undo = |bench: &mut Bench| bench.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    undo(&mut bench);
    bench.until("it is taken back", |_| hands(&bus, &piece) == said);
    bench.click("As found");
    bench.until("as it was found", |_| hands(&bus, &piece).is_empty());
    undo(&mut bench);
    bench.until("that too", |_| hands(&bus, &piece) == said);
    assert!(bench.harness.state_mut().stop());
}

#[test]
fn a_take_is_deleted_for_ever_and_that_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::open(&dir.path().join("data"));
    bench.click("Play");
    bench.play(1);
    bench.click("Keep the last 5 minutes");
    bench.until("it is kept", says("The last five minutes are kept as a take of their own"));
    bench.click("Takes");
    bench.until("the list", says("Delete: "));
    bench.harness.get_by_label_contains("Delete: ").click();
    bench.click("Delete for ever…");
    bench.click("Delete for ever");
    bench.until("it is told, once it is so", says("The take is deleted for ever: Free play"));
    bench.until("it is off the list", |harness| !says("Delete: ")(harness));
    assert!(bench.harness.state_mut().stop());
}

#[test]
#[cfg(unix)]
fn a_file_that_another_start_brings_is_opened() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let score = pieces::find("lightly-row").expect("a piece").score.clone().with_title("Humoresque");
    let file = dir.path().join("piece.mid");
    std::fs::write(&file, smf::write_score(&score)).expect("a file");
    let mut bench = Bench::open(&data);
    bench.harness.step();
    assert!(!says("Humoresque")(&bench.harness));
    music_trainer::app::door::hand_over(&data, &file).expect("taken");
    bench.until("it is on the stand", says("Humoresque"));
    assert!(bench.harness.state_mut().stop());
}
