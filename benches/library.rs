//! The library with ten thousand pieces: how fast a folder is read, how fast the bus is ready with all of them, what a
//! look that finds nothing new costs, how long a key of the search takes, and a pass of the window.
//!
//! `cargo bench --bench library`; `LIBRARY_PIECES` sets another number, `LIBRARY_FOLDER` tells what is in a real folder
//! and how difficult it is instead.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use egui::{Context, Event, MouseWheelUnit, Pos2, RawInput, Rect, vec2};
use music_trainer::app::catalogue::{Asked, Catalogue, Shown};
use music_trainer::app::clock::SystemClock;
use music_trainer::app::rows::Wall;
use music_trainer::bus::{BusHandle, Config, Publish, start};
use music_trainer::components::library::shelf::{Shelf, ShelfReport};
use music_trainer::formats::{pieces, smf};
use music_trainer::model::{Entity, Event as Happened, FolderChoice, PieceId, Trainer};
use music_trainer::store;
use music_trainer::time::{Clock, WallMillis};
use music_trainer::ui::query::{Query, Sort};
use music_trainer::ui::view::{Devices, Library, Settings, Tally, View};
use music_trainer::ui::{self, State};
use support::Samples;

mod support;

const PASSES: usize = 1_000;
const STARTS: usize = 5;
const EDITS: usize = 300;
const COMPOSERS: [&str; 8] = ["Bach", "Chopin", "Dvořák", "Satie", "Schumann", "Mozart", "Clara Wieck", "Fauré"];
const FORMS: [&str; 6] = ["Prelude", "Nocturne", "Invention", "Minuet", "Étude", "Waltz"];

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    support::machine();
    let root = tempfile::tempdir()?;
    if let Some(folder) = std::env::var_os("LIBRARY_FOLDER") {
        return tell(Path::new(&folder), root.path());
    }
    let count = std::env::var("LIBRARY_PIECES").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let music = root.path().join("music");
    fill(&music, count)?;
    let opened = store::open(&root.path().join("data"), store::OpenOptions::default())?;
    let reader = opened.storage.lmdb_reader();
    let bus = run(opened.storage)?;
    import(&bus, &music, count)?;
    edits(&bus)?;
    search(&bus, count)?;
    let copies: Vec<_> = (0..STARTS).map(|n| root.path().join(format!("copy {n}"))).collect();
    let bytes = copies.iter().map(|copy| store::backup(&reader, copy)).collect::<Result<Vec<_>, _>>()?;
    println!("compact copy of the folder: {} KiB, {} bytes a piece", bytes[0] / 1024, bytes[0] / count as u64);
    starts(&copies, &music, count)
}

/// Files like the built-in pieces, each with a title of its own, a hundred in a folder.
fn fill(music: &Path, count: usize) -> Result<(), Fault> {
    let builtin = pieces::builtin();
    for number in 0..count {
        let folder = music.join(format!("{:03}", number / 100));
        if number % 100 == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        let (composer, form) = (COMPOSERS[number % COMPOSERS.len()], FORMS[number % FORMS.len()]);
        let score = builtin[number % builtin.len()].score.clone().with_title(&format!("{form} {number}"));
        std::fs::write(folder.join(format!("{composer} - {form} {number}.mid")), smf::write_score(&score))?;
    }
    Ok(())
}

fn run(storage: store::LmdbStorage) -> Result<BusHandle<Trainer>, Fault> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    Ok(start(Config::default(), clock, Box::new(storage))?)
}

/// Starts a look and waits for its end.
fn look(bus: &BusHandle<Trainer>) -> Result<(Shelf, Arc<ShelfReport>), Fault> {
    let (wake, woken) = crossbeam_channel::bounded(1);
    let shelf = Shelf::start(bus.clone(), Box::new(move || _ = wake.try_send(())))?;
    loop {
        woken.recv()?;
        let report = shelf.report();
        if report.looks > 0 && report.progress.is_none() {
            return Ok((shelf, report));
        }
    }
}

fn watch(bus: &BusHandle<Trainer>, music: &Path) -> Result<(), Fault> {
    let path = music.to_str().ok_or("no text")?.to_owned();
    let chosen = Happened::FolderChosen(FolderChoice { path: path.clone(), watched: true });
    bus.publish(Publish::new(FolderChoice::entity(&path), chosen)).durable()?;
    Ok(())
}

fn import(bus: &BusHandle<Trainer>, music: &Path, count: usize) -> Result<(), Fault> {
    watch(bus, music)?;
    let before = support::anonymous_kib();
    let began = support::now();
    let (_shelf, report) = look(bus)?;
    let took = began.elapsed().as_secs_f64();
    if report.found != count {
        return Err(format!("{} of {count} were found", report.found).into());
    }
    let grown = support::anonymous_kib().saturating_sub(before);
    println!("import: {count} files in {took:.2} s, {:.0} a second; memory grew by {grown} KiB", count as f64 / took);
    Ok(())
}

/// One edit among all these entities, and a snapshot of them.
fn edits(bus: &BusHandle<Trainer>) -> Result<(), Fault> {
    let snapshot = bus.snapshot();
    let ids: Vec<PieceId> =
        snapshot.state.iter_prefix("piece/").map(|(key, _)| PieceId(key.id().into())).take(EDITS).collect();
    let (mut edits, mut clones) = (Samples::default(), Samples::default());
    for id in &ids {
        let tagged = Publish::new(id.entity(), Happened::PieceTagged("slow".to_owned()));
        let began = support::now();
        bus.publish(tagged).applied()?;
        edits.add(began.elapsed().as_secs_f64() * 1e6);
        let took = support::time(|| drop(std::hint::black_box(bus.snapshot().state.clone())));
        clones.add(took.as_secs_f64() * 1e6);
    }
    println!("an edit until it is applied, {} entities: {edits} µs", bus.snapshot().state.len());
    println!("a clone of the state: {clones} µs");
    Ok(())
}

fn wait_for(catalogue: &Catalogue, is: impl Fn(&Shown) -> bool) -> Arc<Shown> {
    loop {
        let shown = catalogue.shown();
        if is(&shown) {
            return shown;
        }
        std::thread::park_timeout(Duration::from_micros(100));
    }
}

/// Typing, letter by letter, each until its selection is there; then the window over all pieces.
fn search(bus: &BusHandle<Trainer>, count: usize) -> Result<(), Fault> {
    let mut catalogue = Catalogue::start(bus.clone(), Box::new(|| {}))?;
    let wall = Wall { now: WallMillis(1_800_000_000_000), offset: 0 };
    let began = support::now();
    catalogue.ask(Asked { query: Query::default(), wall });
    let shown = wait_for(&catalogue, |shown| shown.list.is_some());
    println!("{} rows made for the first time: {:.1} ms", shown.made, began.elapsed().as_secs_f64() * 1e3);
    let mut keys = Samples::default();
    for (sort, words) in [(Sort::Shelf, "dvorak nocturne 1"), (Sort::Composer, "etude faure"), (Sort::Best, "wieck 77")]
    {
        for end in 1..=words.len() {
            let query = Query { search: words[..end].to_owned(), sort, ..Query::default() };
            let began = support::now();
            catalogue.ask(Asked { query: query.clone(), wall });
            let is_it = |shown: &Shown| shown.list.as_ref().is_some_and(|list| list.query == query);
            wait_for(&catalogue, is_it);
            keys.add(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    println!("a key of the search over {count} pieces, asked and answered: {keys} ms; aim 16");
    let mut folders = Samples::default();
    let choices = shown.list.as_ref().map(|list| Arc::clone(&list.choices)).unwrap_or_default();
    for folder in choices.folders.iter().take(EDITS) {
        let query = Query { folder: Some(folder.path.clone()), ..Query::default() };
        let began = support::now();
        catalogue.ask(Asked { query: query.clone(), wall });
        let is_it = |shown: &Shown| shown.list.as_ref().is_some_and(|list| list.query == query);
        let found = wait_for(&catalogue, is_it).list.as_ref().map_or(0, |list| list.len());
        folders.add(began.elapsed().as_secs_f64() * 1e3);
        if found != folder.pieces {
            return Err(format!("{} of {} pieces in {}", found, folder.pieces, folder.path.display()).into());
        }
    }
    println!("one of {} folders, asked and answered: {folders} ms; aim 16", choices.folders.len());
    let id = shown.rows.iter().find(|row| !row.builtin).map(|row| PieceId(row.id.as_str().into())).ok_or("no piece")?;
    let mut changes = Samples::default();
    for number in 0..20 {
        let made = catalogue.shown().made;
        let began = support::now();
        bus.publish(Publish::new(id.entity(), Happened::PieceTagged(format!("tag {number}")))).applied()?;
        wait_for(&catalogue, |shown| shown.made > made);
        changes.add(began.elapsed().as_secs_f64() * 1e3);
    }
    println!("an edit until its row is made anew: {changes} ms");
    catalogue.ask(Asked { query: Query::default(), wall });
    window(&wait_for(&catalogue, |shown| shown.list.as_ref().is_some_and(|list| list.query == Query::default())));
    Ok(())
}

/// The library's screen while it is scrolled.
fn window(shown: &Shown) {
    let ctx = Context::default();
    ui::install(&ctx);
    let (devices, settings) = (Devices::default(), Settings::default());
    let (mut state, mut send) = (State::new(), Vec::new());
    let mut passes = Samples::default();
    for pass in 0..PASSES + 50 {
        let wheel = Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, -120.0),
            modifiers: egui::Modifiers::NONE,
            source: egui::MouseWheelSource::Unknown,
            phase: egui::TouchPhase::Move,
        };
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0))),
            time: Some(pass as f64 / 60.0),
            events: vec![Event::PointerMoved(egui::pos2(640.0, 500.0)), wheel],
            ..RawInput::default()
        };
        let library =
            Library { rows: &shown.rows, list: shown.list.as_deref(), tally: Tally::default(), ..Library::default() };
        let view = View { library, ..View::new(&devices, &settings) };
        let began = support::now();
        let mut out = ctx.run_ui(input, |ui| ui::frame(ui, &view, &mut state, &mut send));
        let shapes = std::mem::take(&mut out.shapes);
        std::hint::black_box(ctx.tessellate(shapes, out.pixels_per_point));
        let took = began.elapsed().as_secs_f64() * 1e3;
        out.textures_delta.clear();
        if pass >= 50 {
            passes.add(took);
        }
    }
    println!("a pass of the library's screen, scrolled, {} pieces: {passes} ms; aim p99 4", shown.rows.len());
}

/// From nothing to a bus with all pieces, and a look that finds nothing new.
fn starts(copies: &[std::path::PathBuf], music: &Path, count: usize) -> Result<(), Fault> {
    let (mut ready, mut looks) = (Samples::default(), Samples::default());
    for copy in copies {
        let began = support::now();
        let bus = run(store::open(copy, store::OpenOptions::default())?.storage)?;
        let known = bus.snapshot().state.iter_prefix("piece/").count();
        ready.add(began.elapsed().as_secs_f64() * 1e3);
        watch(&bus, music)?;
        let began = support::now();
        let (_shelf, report) = look(&bus)?;
        looks.add(began.elapsed().as_secs_f64() * 1e3);
        if (known, report.known, report.found) != (count, count, 0) {
            return Err(format!("{known} known at the start, then {report:?}").into());
        }
    }
    println!("ready with {count} known pieces: {ready} ms");
    println!("a look that finds nothing new: {looks} ms");
    Ok(())
}

/// What is in a real folder, and how its estimated grades lie.
fn tell(folder: &Path, root: &Path) -> Result<(), Fault> {
    let bus = run(store::open(&root.join("data"), store::OpenOptions::default())?.storage)?;
    watch(&bus, folder)?;
    let began = support::now();
    let (_shelf, report) = look(&bus)?;
    println!(
        "{} found, {} known, {} refused in {:.1?}",
        report.found,
        report.known,
        report.refused_count,
        began.elapsed()
    );
    for (path, why) in report.refused.iter() {
        println!("  {path}: {why}");
    }
    let mut groups: BTreeMap<String, [usize; 10]> = BTreeMap::new();
    for (_, versioned) in bus.snapshot().state.iter_prefix("piece/") {
        let Some(Entity::Piece(piece)) = &versioned.value else { continue };
        let Some(found) = piece.found.as_ref() else { continue };
        let group = Path::new(&found.path).strip_prefix(folder).ok().and_then(|path| path.iter().next());
        let group = group.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        groups.entry(group).or_default()[usize::from(found.grade.unwrap_or(0))] += 1;
        if std::env::var_os("LIBRARY_ALL").is_some() {
            println!("{:?}\t{}\t{}\t{}", found.grade, piece.composer(), piece.title(), found.path);
        }
    }
    for (group, grades) in groups {
        let n: usize = grades[1..].iter().sum();
        let sum: usize = grades.iter().enumerate().map(|(grade, n)| grade * n).sum();
        println!(
            "{group:>24}: mean {:.1}, by grade {:?}, too short to tell {}",
            sum as f64 / n.max(1) as f64,
            &grades[1..],
            grades[0]
        );
    }
    Ok(())
}
