//! Folders of music: what is found in them, what is known again, what is missing, what is refused, and what a person
//! or a kill breaks off.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use music_trainer::app::clock::SystemClock;
use music_trainer::bus::{BusHandle, Config, MemoryStorage, Publish, start};
use music_trainer::components::library::shelf::{Shelf, ShelfReport};
use music_trainer::components::library::{self, Library, Source};
use music_trainer::formats::{pieces, smf};
use music_trainer::model::{Entity, Event, FolderChoice, Piece, PieceId, TakeId, TakeStart, Trainer};
use music_trainer::time::WallMillis;

const WAIT: Duration = Duration::from_secs(60);
/// Looks at the report, a millisecond apart at least, until something that must come is missing.
const POLLS_MAX: usize = 60_000;

struct Bench {
    bus: BusHandle<Trainer>,
    shelf: Shelf,
    woken: Receiver<()>,
    music: PathBuf,
}

impl Bench {
    fn new(music: &Path) -> Self {
        let bus =
            start(Config::default(), Arc::new(SystemClock::start()), Box::new(MemoryStorage::new())).expect("a bus");
        Self::on(bus, music)
    }

    fn on(bus: BusHandle<Trainer>, music: &Path) -> Self {
        let (wake, woken) = unbounded();
        let shelf = Shelf::start(bus.clone(), Box::new(move || _ = wake.send(()))).expect("a thread");
        Self { bus, shelf, woken, music: music.to_owned() }
    }

    fn watch(&self, watched: bool) {
        let path = self.music.to_str().expect("text").to_owned();
        let choice = Publish::new(FolderChoice::entity(&path), Event::FolderChosen(FolderChoice { path, watched }));
        self.bus.publish(choice).durable().expect("durable");
    }

    /// Looks again and waits until it was seen so; each report that says something new wakes.
    fn until(&self, what: &str, is: impl Fn(&ShelfReport) -> bool) -> Arc<ShelfReport> {
        self.shelf.look();
        loop {
            let report = self.shelf.report();
            if report.progress.is_none() && is(&report) {
                return report;
            }
            if self.woken.recv_timeout(WAIT).is_err() {
                panic!("{what}: {report:?}");
            }
        }
    }

    /// Waits for a report without asking for a look.
    fn wait(&self, what: &str, is: impl Fn(&ShelfReport) -> bool) -> Arc<ShelfReport> {
        for _ in 0..POLLS_MAX {
            let report = self.shelf.report();
            if is(&report) {
                return report;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        panic!("{what}: {:?}", self.shelf.report());
    }

    fn pieces(&self) -> Vec<(PieceId, Piece)> {
        let snapshot = self.bus.snapshot();
        let found = snapshot.state.iter_prefix("piece/").filter_map(|(key, versioned)| match &versioned.value {
            Some(Entity::Piece(piece)) => Some((PieceId(key.id().into()), piece.clone())),
            _ => None,
        });
        found.collect()
    }

    fn events(&self) -> u64 {
        self.bus.snapshot().applied
    }
}

/// A small piece that is like no other.
fn music(number: usize) -> Vec<u8> {
    let score = pieces::find("lightly-row").expect("a piece").score.clone();
    smf::write_score(&score.with_title(&format!("Piece {number}")))
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}

#[test]
fn what_is_in_a_folder_is_found_and_what_is_no_music_is_told_with_its_reason() {
    let dir = tempfile::tempdir().expect("a folder");
    for number in 0..150 {
        put(dir.path(), &format!("a/{number:03}.mid"), &music(number));
    }
    put(dir.path(), "twin.mid", &music(7));
    put(dir.path(), "broken.mid", b"Dear Clara");
    put(dir.path(), "empty.mxl", b"");
    let bench = Bench::new(dir.path());
    bench.watch(true);
    let report = bench.until("all are read", |report| report.found == 150);
    assert_eq!(report.refused_count, 2, "{:?}", report.refused);
    let reason = |name: &str| report.refused.iter().find(|(path, _)| path.ends_with(name)).map(|(_, why)| why.clone());
    assert!(reason("broken.mid").is_some_and(|why| why.contains("neither a MIDI file")), "{:?}", report.refused);
    assert_eq!(reason("empty.mxl").as_deref(), Some("the file is empty"));
    assert_eq!((report.folders[0].files, report.left, report.missing.len()), (153, 0, 0));
    let pieces = bench.pieces();
    assert_eq!(pieces.len(), 150);
    let known =
        pieces.iter().find(|(_, piece)| piece.title() == "Piece 42").map(|(_, piece)| piece).expect("it is there");
    assert_eq!(known.path(), dir.path().join("a/042.mid").to_str());
    let found = known.found.as_ref().expect("its facts");
    assert!(found.bars > 0 && found.duration.0 > 0 && found.grade.is_some() && !*known.recent);

    // Nothing is read or written again that has not changed.
    let events = bench.events();
    bench.shelf.look();
    let again = bench.wait("a look again", |again| again.looks > report.looks);
    assert_eq!((again.known, again.found, bench.events()), (151, 150, events));
}

#[test]
fn what_moves_is_known_again_and_what_vanishes_is_missing_until_it_is_back() {
    let dir = tempfile::tempdir().expect("a folder");
    put(dir.path(), "a/x.mid", &music(1));
    put(dir.path(), "y.mid", &music(2));
    let bench = Bench::new(dir.path());
    bench.watch(true);
    bench.until("both are found", |report| report.found == 2);
    let (id, _) = bench.pieces().into_iter().find(|(_, piece)| piece.title() == "Piece 1").expect("there");
    let tagged = Publish::new(id.entity(), Event::PieceTagged("slow".to_owned()));
    bench.bus.publish(tagged).durable().expect("durable");

    std::fs::rename(dir.path().join("a/x.mid"), dir.path().join("moved.mid")).expect("moved");
    bench.until("it is found at its new place", |report| report.found == 3 && report.missing.is_empty());
    let find = || bench.pieces().into_iter().find(|(known, _)| *known == id).map(|(_, piece)| piece).expect("there");
    assert_eq!(find().path(), dir.path().join("moved.mid").to_str());
    assert_eq!(find().tagged_by("slow").len(), 1, "what a person said of it stays");
    assert_eq!(bench.pieces().len(), 2);

    std::fs::remove_file(dir.path().join("moved.mid")).expect("removed");
    let gone = bench.until("it is missing", |report| !report.missing.is_empty());
    assert_eq!(gone.missing.iter().collect::<Vec<_>>(), [&id]);
    let events = bench.events();
    put(dir.path(), "back.mid", &music(1));
    bench.until("it is back", |report| report.missing.is_empty());
    assert_eq!(bench.events(), events + 1, "one event says where");

    // Another content under the same name is another piece, and the old one is missing.
    put(dir.path(), "y.mid", &[&music(3)[..], &[0; 5]].concat());
    bench.until("the changed file is another piece", |report| report.missing.len() == 1);
    assert_eq!(bench.pieces().len(), 3);
}

#[test]
fn a_folder_that_is_away_makes_no_noise_and_what_is_no_longer_watched_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let stick = dir.path().join("stick");
    put(&stick, "x.mid", &music(1));
    let bench = Bench::new(&stick);
    bench.watch(true);
    bench.until("it is found", |report| report.found == 1);
    let events = bench.events();
    std::fs::rename(&stick, dir.path().join("unplugged")).expect("moved");
    let away = bench.until("it is away", |report| report.folders[0].away.is_some());
    assert_eq!((away.missing.len(), away.refused_count, bench.events()), (1, 0, events));
    std::fs::rename(dir.path().join("unplugged"), &stick).expect("moved");
    bench.until("it is back", |report| report.folders[0].away.is_none() && report.missing.is_empty());
    assert_eq!(bench.events(), events, "and nothing was read again");
    bench.watch(false);
    let none = bench.until("it is no longer watched", |report| report.folders.is_empty());
    assert_eq!((none.missing.len(), bench.pieces().len()), (0, 1));
}

#[test]
fn a_folder_that_was_renamed_or_removed_is_named_with_its_pieces_and_these_keep_their_history() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("music");
    put(&folder, "x.mid", &music(1));
    put(&folder, "deep/y.mid", &music(2));
    let bench = Bench::new(&folder);
    bench.watch(true);
    bench.until("both are found", |report| report.found == 2);
    let (id, before) = bench.pieces().into_iter().find(|(_, piece)| piece.title() == "Piece 1").expect("there");
    let take = TakeId(7);
    let history = vec![
        Publish::new(id.entity(), Event::PieceTagged("slow".to_owned())),
        Publish::new(id.entity(), Event::PractiseCounted(60_000)),
        Publish::new(
            take.entity(),
            Event::TakeStarted(TakeStart { piece: Some(id.clone()), ..TakeStart::free(WallMillis(5)) }),
        ),
        Publish::new(take.result_entity(), Event::ResultRecorded(Box::default())),
    ];
    bench.bus.transact(history).durable().expect("durable");
    let events = bench.events();

    let away = |report: &ShelfReport| report.folders[0].away.is_some() && report.folders[0].missing == 2;
    let asked = bench.shelf.report().answers;
    std::fs::rename(&folder, dir.path().join("renamed")).expect("renamed");
    let named = bench.until("it is named as missing", |report| away(report) && report.answers > asked);
    assert_eq!((&*named.folders[0].path, named.missing.len()), (folder.to_str().expect("text"), 2));
    // Asked again, it is told again.
    bench.until("whoever asks is answered", |report| away(report) && report.answers > named.answers);

    // What is not a folder any more is missing too, and nothing was taken away for it.
    put(dir.path(), "music", b"a letter");
    bench.until("a file is no folder", |report| away(report) && report.answers > named.answers + 1);
    std::fs::remove_file(dir.path().join("music")).expect("removed");
    let find = || bench.pieces().into_iter().find(|(known, _)| *known == id).map(|(_, piece)| piece).expect("there");
    assert_eq!((bench.pieces().len(), bench.events(), find().path()), (2, events, before.path()));
    assert_eq!((find().tagged_by("slow").len(), find().practised.sum()), (1, 60_000));
    let result = take.result_entity();
    assert!(bench.bus.snapshot().state.value(result.as_str()).is_some());

    std::fs::rename(dir.path().join("renamed"), &folder).expect("renamed");
    let back = bench.until("it is back", |report| report.folders[0].away.is_none());
    assert_eq!((back.missing.len(), back.folders[0].missing, back.folders[0].files), (0, 0, 2));
    assert_eq!(bench.events(), events, "and nothing was read again");
    // Removed for good and watched under its new name, the pieces are the same ones.
    std::fs::rename(&folder, dir.path().join("elsewhere")).expect("renamed");
    bench.until("it is away", away);
    bench.watch(false);
    let bench = Bench { music: dir.path().join("elsewhere"), ..bench };
    bench.watch(true);
    bench.until("they are found there", |report| {
        report.folders.len() == 1 && report.missing.is_empty() && report.found == 4
    });
    let piece = bench.pieces().into_iter().find(|(known, _)| *known == id).map(|(_, piece)| piece).expect("there");
    assert_eq!(piece.path(), dir.path().join("elsewhere/x.mid").to_str());
    assert_eq!((bench.pieces().len(), piece.tagged_by("slow").len(), piece.practised.sum()), (2, 1, 60_000));
}

#[test]
fn a_found_piece_is_opened_from_its_file_and_kept_from_then_on() {
    let dir = tempfile::tempdir().expect("a folder");
    put(dir.path(), "x.mid", &music(1));
    let bench = Bench::new(dir.path());
    bench.watch(true);
    bench.until("it is found", |report| report.found == 1);
    let (id, _) = bench.pieces().remove(0);
    let open = |at| {
        let read = library::read(&bench.bus.snapshot(), &Source::Piece(id.clone())).expect("its content is there");
        Library::default().enter(&bench.bus, read, at)
    };
    open(WallMillis(9));
    bench.wait("the bus has it", |_| bench.pieces()[0].1.is_opened());
    std::fs::remove_file(dir.path().join("x.mid")).expect("removed");
    // From the log.
    let opened = open(WallMillis(10));
    assert_eq!(opened.score.title(), "Piece 1");
}

#[test]
fn what_was_found_before_a_stop_is_kept_and_the_rest_is_found_afterwards() {
    let dir = tempfile::tempdir().expect("a folder");
    const FILES: usize = 400;
    for number in 0..FILES {
        put(dir.path(), &format!("{number:03}.mid"), &music(number));
    }
    let bench = Bench::new(dir.path());
    bench.watch(true);
    // Breaks off as soon as something is kept.
    let live = bench.wait("something is found", |report| report.found > 0).found;
    bench.shelf.cancel();
    let report = bench.wait("it ends", |report| report.progress.is_none() && report.looks > 1);
    assert!(report.found >= live && report.found + report.left == FILES, "{report:?}");
    assert_eq!(bench.pieces().len(), report.found, "what was found is kept");
    let all = bench.until("the rest is found", |report| report.left == 0);
    assert_eq!((all.found, bench.pieces().len()), (FILES, FILES));
}

/// The program itself, killed in the middle of an import: what it has told of is there, and the next run goes on.
#[test]
fn a_kill_loses_nothing_that_was_on_disk_and_the_next_run_goes_on() {
    const FILES: usize = 600;
    const PROGRAM: &str = env!("CARGO_BIN_EXE_music-trainer");
    let dir = tempfile::tempdir().expect("a folder");
    let (music_dir, data) = (dir.path().join("music"), dir.path().join("data"));
    for number in 0..FILES {
        put(&music_dir, &format!("{number:03}.mid"), &music(number));
    }
    let scan = || {
        let mut scan = Command::new(PROGRAM);
        scan.arg("scan").arg(&music_dir).arg(&data);
        scan
    };
    let mut killed = scan().stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut first = String::new();
    BufReader::new(killed.stdout.take().expect("its output")).read_line(&mut first).expect("a line");
    killed.kill().expect("it is there");
    killed.wait().expect("it has ended");
    assert!(first.ends_with("found\n"), "{first}");
    let verified = Command::new(PROGRAM).arg("verify").arg(&data).output().expect("the program starts");
    assert!(verified.status.success(), "{verified:?}");
    let again = scan().output().expect("the program starts");
    let text = String::from_utf8(again.stdout).expect("text");
    let sums = text.lines().last().expect("the sums");
    let number = |after: &str| -> usize {
        let before = sums.split(after).next().expect("the words before it");
        before.rsplit([' ', ',']).find(|word| !word.is_empty()).expect("a number").parse().expect("a number")
    };
    let (found, known) = (number(" new"), number(" known already"));
    assert_eq!(found + known, FILES, "{text}");
    let last = scan().output().expect("the program starts");
    let text = String::from_utf8(last.stdout).expect("text");
    assert!(text.ends_with(&format!("0 new, {FILES} known already, 0 that cannot be read\n")), "{text}");
}
