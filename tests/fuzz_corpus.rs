//! The bodies of the fuzz targets on their corpus, and on damaged copies of it: what a fuzzer once found stays found.
//! `FUZZ_MUTATIONS` sets how many copies of each file (100), `FUZZ_SEED` how they are damaged.

#[path = "../fuzz/bodies.rs"]
mod bodies;
#[path = "audio_support/sf2.rs"]
#[allow(dead_code, reason = "each test uses some of the fonts")]
mod sf2;

use std::path::{Path, PathBuf};

use music_trainer::bus::Model;
use music_trainer::bus::testing::Random;
use music_trainer::cli::store::import;
use music_trainer::model::Trainer;

/// Whether the bytes were read.
type Body = fn(&[u8]) -> bool;

const TARGETS: [(&str, Body); 7] = [
    ("record", bodies::record),
    ("rows", bodies::rows),
    ("events", bodies::events),
    ("lines", bodies::lines),
    ("score", bodies::score),
    ("font", bodies::font),
    ("musicxml", bodies::musicxml),
];

/// The files of a target, by name.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).expect("a corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("readable"))).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

/// A copy with a few bytes changed, removed, doubled, or its end cut off.
fn damage(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] = random.bits() as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.truncate(at),
            _ => {
                let part = bytes[at..bytes.len().min(at + random.below(30) as usize)].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

#[test]
fn the_corpus_and_damaged_copies_of_it_are_read_or_refused() {
    let (seed, copies) = (number("FUZZ_SEED", 1), number("FUZZ_MUTATIONS", 100));
    let mut random = Random(seed);
    for (target, body) in TARGETS {
        let files = corpus(target);
        let (mut whole, mut damaged) = (0, 0);
        for (path, bytes) in &files {
            println!("{} with FUZZ_SEED={seed}", path.display());
            whole += usize::from(body(bytes));
            for _ in 0..copies {
                damaged += u64::from(body(&damage(bytes, &mut random)));
            }
        }
        println!("{target}: of {} files {whole} are read, and {damaged} damaged copies", files.len());
        assert!(whole * 2 > files.len(), "{target}: most files say something");
        assert!(damaged < copies * files.len() as u64 || copies < 10, "{target}: damage is noticed");
    }
}

#[test]
fn every_topic_has_its_place_in_the_corpus() {
    let mut names: Vec<&str> = Trainer::topics().iter().map(|topic| topic.name).collect();
    let mut places = bodies::TOPICS.to_vec();
    names.sort_unstable();
    places.sort_unstable();
    assert_eq!(places, names);
}

#[test]
fn the_fonts_of_the_corpus_are_those_that_are_written_here() {
    let files = corpus("font");
    let bytes = |name: &str| &files.iter().find(|(path, _)| path.ends_with(name)).expect("there").1;
    let written = [("tiny.sf2", sf2::tiny()), ("compressed.sf3", sf2::compressed()), ("programs.sf2", sf2::programs())];
    for (name, font) in written {
        assert!(*bytes(name) == font, "{name}");
        assert!(bodies::font(&font), "{name} is read and played");
    }
}

#[test]
fn an_import_of_a_damaged_text_leaves_a_whole_folder_or_none() {
    let (seed, copies) = (number("FUZZ_SEED", 1), number("FUZZ_MUTATIONS", 100) / 10);
    println!("FUZZ_SEED={seed}");
    let mut random = Random(seed);
    let place = tempfile::tempdir().expect("a temporary folder");
    let (text, folder) = (place.path().join("text"), place.path().join("folder"));
    let (mut made, mut refused) = (0, 0);
    for (_, whole) in corpus("lines") {
        for copy in 0..=copies {
            let bytes = if copy == 0 { whole.clone() } else { damage(&whole, &mut random) };
            std::fs::write(&text, &bytes).expect("a file");
            match import(&text, &folder, &mut Vec::new()) {
                Ok(()) => {
                    made += 1;
                    music_trainer::cli::store::verify(&folder, &mut Vec::new()).expect("the folder is whole");
                    std::fs::remove_dir_all(&folder).expect("a folder");
                }
                Err(_) => refused += 1,
            }
            assert!(!folder.exists(), "nothing is left of what was refused");
        }
    }
    println!("{made} made, {refused} refused");
    assert!(made > 0 && (refused > 0 || copies == 0));
}
