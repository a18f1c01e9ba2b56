//! A store as JSON lines and back: nothing is lost, and no text takes the program down.
//! `LINES_MUTATIONS` sets how many damaged texts (5 000), `LINES_SEED` repeats a run.

use std::hash::{BuildHasher, RandomState};
use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use music_trainer::bus::lines::{self, LinesError};
use music_trainer::bus::storage::{Erasure, Storage, Table};
use music_trainer::bus::testing::{Event, Random, Test, check_fold};
use music_trainer::bus::{
    BusHandle, Config, DeviceId, Filter, MemoryStorage, Outcome, Publish, Start, State, load, start,
};
use music_trainer::time::{ManualClock, Micros, Stamp};

const WAIT: Duration = Duration::from_secs(30);

/// A store with events of every kind, an erased one, and rows of a subscriber.
fn filled() -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    let bus: BusHandle<Test> =
        start(Config::default(), Arc::new(ManualClock::default()), Box::new(storage.clone())).expect("a bus");
    let mut last = None;
    for at in 0..1_500 {
        let event = match at % 4 {
            0 => Event::Title(format!("line {at}\nwith a \"quote\" and ♯")),
            1 => Event::Tag(format!("tag {at}")),
            _ => Event::Note { pitch: at },
        };
        let mut publish = Publish::new(format!("book/{}", at % 7), event).stamp(Stamp::at(Micros(i64::from(at))));
        publish = last.map_or(publish.clone(), |id| publish.base(id).cause(id));
        last = Some(bus.publish(publish).applied().expect("applied").id);
    }
    let subscription = bus.subscribe_durable("reader", Filter::topic("book.tag"), Start::Beginning);
    bus.publish(Publish::new("book/1", Event::Best(3))).durable().expect("durable");
    for _ in 0..3 {
        let delivery = subscription.recv(WAIT).expect("the bus runs").expect("a delivery");
        subscription.settle(&delivery, Outcome::Term("no".to_owned())).applied().expect("applied");
    }
    assert!(bus.shutdown(WAIT));
    let what = Erasure::Entity { entity: "book/3".into(), versions: 2..4 };
    storage.erase(&what, 2).expect("an erasure");
    storage
}

fn text(storage: &MemoryStorage) -> Vec<u8> {
    let mut text = Vec::new();
    lines::export(&*storage.reader(), DeviceId(77), &mut text).expect("an export");
    text
}

fn read(text: &[u8]) -> Result<MemoryStorage, LinesError> {
    let mut input = BufReader::new(text);
    lines::device(&mut input)?;
    let mut storage = MemoryStorage::new();
    lines::import::<Test>(&mut input, &mut storage)?;
    Ok(storage)
}

#[test]
fn what_is_written_is_read_and_written_again_the_same() {
    let storage = filled();
    let first = text(&storage);
    let mut input = BufReader::new(&*first);
    assert_eq!(lines::device(&mut input).expect("a beginning"), DeviceId(77));
    let again = read(&first).expect("an import");
    assert_eq!(text(&again), first);
    let (before, after) = (storage.reader(), again.reader());
    assert_eq!(before.events(1, usize::MAX), after.events(1, usize::MAX));
    for table in Table::ALL {
        assert_eq!(before.rows(table, &[]), after.rows(table, &[]), "{table:?}");
    }
    assert_eq!(before.rows(Table::DeadLetters, &[]).expect("readable").len(), 3);
    let folded = load::fold_log::<Test>(&*after).expect("it folds");
    check_fold(&*after, &State::from_entities(&folded.entities)).expect("state and log fit");
}

#[test]
fn a_wrong_line_is_named_with_its_number() {
    let whole = String::from_utf8(text(&filled())).expect("text");
    let lines: Vec<&str> = whole.lines().collect();
    let refused = |lines: &[&str], expected: &str| {
        let error = read(lines.join("\n").as_bytes()).err().expect(expected).to_string();
        assert!(error.contains(expected), "{error} instead of {expected}");
    };
    refused(&[], "line 1: the file is empty");
    refused(&["{\"format\":\"notes\",\"version\":1,\"device\":1}"], "line 1: this is no export");
    refused(&["{\"format\":\"music-trainer\",\"version\":2,\"device\":1}"], "line 1: version 2");
    refused(&[lines[0], lines[1], "{"], "line 3: EOF");
    refused(&[lines[0], lines[2]], "line 2: event 2 follows 0");
    refused(&[lines[0], lines[1], lines[1]], "line 3: event 1 follows 1");
    refused(&[lines[0], lines[1], lines[0]], "line 3: another beginning");
    refused(
        &[lines[0], "{\"row\":{\"table\":\"drinks\",\"key\":\"00\",\"value\":\"\"}}"],
        "line 2: no table is called",
    );
    refused(&[lines[0], "{\"row\":{\"table\":\"private\",\"key\":\"0g\",\"value\":\"\"}}"], "line 2: not hexadecimal");
    let long = "x".repeat(lines::LINE_BYTES_MAX + 1);
    refused(&[lines[0], &long], "line 2: more than");
}

#[test]
fn a_damaged_text_is_refused_or_read_and_never_a_panic() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seed = number("LINES_SEED").unwrap_or_else(|| RandomState::new().hash_one("seed"));
    let count = number("LINES_MUTATIONS").unwrap_or(5_000);
    println!("LINES_SEED={seed}");
    let whole = text(&filled());
    // A short text, so that the damage is where something is.
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    let short = &whole[..ends[20]];
    let mut random = Random(seed);
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..count {
        let mut text = short.to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(text.len() as u64) as usize;
            match random.below(5) {
                0 => text[at] = random.below(256) as u8,
                1 => drop(text.remove(at)),
                2 => text.insert(at, b"{}[]\",:0-9eE\\"[random.below(13) as usize]),
                3 => text.truncate(at.max(1)),
                _ => {
                    let from = random.below(text.len() as u64) as usize;
                    let part = text[from..(from + 30).min(text.len())].to_vec();
                    text.splice(at..at, part);
                }
            }
        }
        match read(&text) {
            Ok(_) => taken += 1,
            Err(_) => refused += 1,
        }
    }
    println!("{refused} refused, {taken} read");
    assert!(count < 100 || (refused > 0 && taken > 0));
}
