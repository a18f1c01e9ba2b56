//! The data folder's caretaker: backups that hold nothing that was deleted for ever.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use music_trainer::app::caretaker::{Caretaker, Copies, News, Place};
use music_trainer::bus::{BusHandle, Config, Publish, start};
use music_trainer::components::eraser::Eraser;
use music_trainer::model::{Event, TakeEnd, TakeId, TakeStart, Trainer};
use music_trainer::store::{BACKUPS, InstanceLock, OpenOptions, Opened, backups_in, open};
use music_trainer::time::{ManualClock, WallMillis};

const WAIT: Duration = Duration::from_secs(30);

struct Bench {
    dir: tempfile::TempDir,
    bus: BusHandle<Trainer>,
    caretaker: Caretaker,
    copies: Copies,
    news: Receiver<News>,
    _lock: InstanceLock,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let Opened { storage, clean, lock, .. } = open(dir.path(), OpenOptions::default()).expect("it opens");
    let place = Place { dir: dir.path().to_owned(), reader: storage.lmdb_reader(), clean, whole: lock.whole() };
    let clock = Arc::new(ManualClock::default());
    let bus = start::<Trainer>(Config::default(), clock.clone(), Box::new(storage)).expect("a bus");
    let (told, news) = channel();
    let tell = Box::new(move |news| told.send(news).expect("the test listens"));
    let (caretaker, copies) = Caretaker::start(place, bus.clone(), clock, tell).expect("a thread");
    Bench { dir, bus, caretaker, copies, news, _lock: lock }
}

fn contains(dir: &Path, text: &str) -> bool {
    let mut files = backups_in(dir).into_iter().map(|(path, ..)| fs::read(path.join("data.mdb")).expect("a copy"));
    files.any(|bytes| bytes.windows(text.len()).any(|w| w == text.as_bytes()))
}

#[test]
fn what_is_deleted_for_ever_goes_from_the_backups_too() {
    let bench = bench();
    let take = TakeId(1);
    let begin = TakeStart::free(WallMillis(0));
    let named = Event::TakeNamed { name: "never to be seen again".to_owned(), seen: Vec::new() };
    for event in [Event::TakeStarted(begin), named, Event::TakeEnded(TakeEnd::Stopped)] {
        bench.bus.publish(Publish::new(take.entity(), event)).durable().expect("durable");
    }
    let copies = bench.copies.clone();
    let eraser = Eraser::start(&bench.bus, &Arc::default(), Box::new(move || copies.are_stale())).expect("a thread");
    bench.copies.are_stale().expect("nothing to say");
    assert!(!bench.dir.path().join(BACKUPS).exists(), "there are no backups yet, and none is stale");
    fs::create_dir(bench.dir.path().join(BACKUPS)).expect("a folder");
    bench.copies.are_stale().expect("written down");
    assert_eq!(bench.news.recv_timeout(WAIT), Ok(News::BackedUp));
    assert!(contains(bench.dir.path(), "never to be seen again"));
    // As if it were of an earlier day.
    let first = backups_in(bench.dir.path());
    fs::rename(&first[0].0, bench.dir.path().join(BACKUPS).join("1969-12-31T00-00-00.000Z")).expect("another name");

    bench.bus.publish(Publish::new(take.entity(), Event::Erased)).durable().expect("durable");
    assert_eq!(bench.news.recv_timeout(WAIT), Ok(News::BackedUp));
    assert!(!contains(bench.dir.path(), "never to be seen again"));
    assert_eq!(backups_in(bench.dir.path()).len(), 1, "the older one is gone");
    assert_eq!(fs::read_dir(bench.dir.path().join(BACKUPS)).expect("a folder").count(), 1, "nothing else is left");
    assert!(bench.bus.shutdown(WAIT));
    eraser.join().expect("it ends with the bus");
    drop(bench.caretaker);
}
