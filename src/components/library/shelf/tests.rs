//! How long the folders rest, and what is said while they are gone through.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::bus::{Config, MemoryStorage, start};
use crate::formats::{pieces, smf};
use crate::model::FolderChoice;
use crate::time::ManualClock;

const FILES: usize = 3;
/// Far longer than a look is.
const HOUR: Micros = Micros(3_600 * Micros::SECOND.0);

/// The thread's side alone, on a folder of [`FILES`] pieces; an hour passes whenever it shows something.
struct Bench {
    work: Work,
    words: Sender<Word>,
    shown: Arc<AtomicUsize>,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        (0..FILES).for_each(|number| put(dir.path(), number));
        let clock = Arc::new(ManualClock::default());
        let bus = start(Config::default(), clock.clone(), Box::new(MemoryStorage::new())).expect("a bus");
        let path = dir.path().to_str().expect("text").to_owned();
        let choice = FolderChoice { path, watched: true };
        let chosen = Publish::new(FolderChoice::entity(&choice.path), Event::FolderChosen(choice));
        bus.publish(chosen).applied().expect("applied");
        let (words, heard) = bounded(WORDS);
        let shown = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&shown);
        let wake = move || {
            count.fetch_add(1, Ordering::Relaxed);
            clock.advance(HOUR);
        };
        let report = Arc::new(ArcSwap::from_pointee(ShelfReport::default()));
        Self { work: Work::new(bus, heard, report, Box::new(wake)), words, shown, dir }
    }

    fn say(&self, word: Word) {
        self.words.try_send(word).expect("room");
    }
}

fn put(dir: &Path, number: usize) {
    let score = pieces::find("lightly-row").expect("a piece").score.clone();
    let bytes = smf::write_score(&score.with_title(&format!("Piece {number}")));
    std::fs::write(dir.join(format!("{number}.mid")), bytes).expect("a file");
}

#[test]
fn the_folders_rest_by_how_long_it_took_to_go_through_them_not_by_how_long_their_files_were_read() {
    let mut bench = Bench::new();
    let took = bench.work.look();
    assert_eq!(bench.work.report.found, FILES);
    assert!(bench.shown.load(Ordering::Relaxed) > 0, "time has passed while they were read");
    assert!(bench.work.bus.clock().now() >= HOUR);
    assert_eq!((took, rest_after(took)), (Micros::ZERO, AGAIN));
    assert_eq!(rest_after(Micros::SECOND), Duration::from_secs(100));
}

#[test]
fn what_is_said_while_the_folders_are_gone_through_is_done() {
    let mut bench = Bench::new();
    bench.say(Word::Cancel);
    bench.work.look();
    assert_eq!((bench.work.report.found, bench.work.report.left), (0, FILES));
    assert!(bench.work.course == Course::Cancelled && !bench.work.again);
    bench.say(Word::Look);
    bench.work.look();
    assert_eq!((bench.work.report.found, bench.work.report.left), (FILES, 0));
    assert!(bench.work.again, "what was passed before it was asked for is looked at once more");
    // Where nothing is there to be broken off, what comes later is read all the same.
    bench.say(Word::Cancel);
    bench.work.look();
    put(bench.dir.path(), FILES);
    bench.work.look();
    assert_eq!((bench.work.report.found, bench.work.report.left), (FILES + 1, 0));
}
