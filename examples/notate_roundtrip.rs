//! How well the page of a MIDI file is found again: `cargo run --example notate_roundtrip -- FILE.musicxml ...`.
//!
//! Each score is written as a MIDI file, read back, and its found page compared with the one it had: of all notes the share
//! with the same value, the same spelling; and how many ties, rests, notes in tuplets and ledger lines each page has. Then the values
//! that became others most often.

use std::collections::HashMap;

use music_trainer::formats::{read, smf};
use music_trainer::music::notation::{Clef, Notation, NoteValue, Rest, SpelledPitch};
use music_trainer::music::{Hand, Score};

/// What is compared of a note: found by onset, key and hand.
struct Written {
    value: NoteValue,
    pitch: SpelledPitch,
    tied: bool,
}

#[derive(Default)]
struct Sums {
    notes: usize,
    found: usize,
    values: usize,
    spelled: usize,
    ties: [usize; 2],
    rests: [usize; 2],
    ledgers: [usize; 2],
    tuplets: [usize; 2],
    /// Values that became others, and how often.
    changed: HashMap<(String, String), usize>,
}

fn main() {
    let mut all = Sums::default();
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).expect("a file");
        let Ok(reading) = read(&path, &bytes) else { continue };
        let midi = smf::write_score(&reading.score);
        let Ok(again) = read("again.mid", &midi) else { continue };
        let mut own = Sums::default();
        compare(&mut own, &reading.score, &again.score);
        tell(path.rsplit('/').next().unwrap_or(&path), &own);
        all.add(&own);
    }
    tell("all", &all);
    let mut changed: Vec<_> = all.changed.iter().collect();
    changed.sort_by_key(|(names, count)| (std::cmp::Reverse(**count), (*names).clone()));
    for ((from, to), count) in changed.into_iter().take(20) {
        println!("{count} times {from} became {to}");
    }
}

fn tell(name: &str, sums: &Sums) {
    let share = |n: usize| 100.0 * n as f64 / sums.notes.max(1) as f64;
    println!(
        "{name}: {} notes, found {:.1} %, value {:.1} %, spelling {:.1} %; ties {:?}, rests {:?}, tuplets {:?}, ledger lines {:?}",
        sums.notes,
        share(sums.found),
        share(sums.values),
        share(sums.spelled),
        sums.ties,
        sums.rests,
        sums.tuplets,
        sums.ledgers,
    );
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.notes += other.notes;
        self.found += other.found;
        self.values += other.values;
        self.spelled += other.spelled;
        for (names, count) in &other.changed {
            *self.changed.entry(names.clone()).or_default() += count;
        }
        for side in 0..2 {
            self.ties[side] += other.ties[side];
            self.rests[side] += other.rests[side];
            self.ledgers[side] += other.ledgers[side];
            self.tuplets[side] += other.tuplets[side];
        }
    }
}

/// Such as `Quarter.` or `Eighth 3:2 tied`.
fn name(written: &Written) -> String {
    let NoteValue { base, dots, ratio } = written.value;
    let ratio = ratio.map_or(String::new(), |r| format!(" {}:{}", r.actual, r.normal));
    format!("{base:?}{}{ratio}{}", ".".repeat(usize::from(dots)), if written.tied { " tied" } else { "" })
}

fn compare(sums: &mut Sums, before: &Score, after: &Score) {
    let (old, new) = (notes(before), notes(after));
    for (key, written) in &old {
        sums.notes += 1;
        let Some(again) = new.get(key) else { continue };
        sums.found += 1;
        let same = again.value == written.value && again.tied == written.tied;
        sums.values += usize::from(same);
        if !same {
            *sums.changed.entry((name(written), name(again))).or_default() += 1;
        }
        // An octave line moves the one and not the other.
        let name = |pitch: SpelledPitch| (pitch.step, pitch.alter);
        sums.spelled += usize::from(name(again.pitch) == name(written.pitch));
    }
    for (side, score) in [before, after].into_iter().enumerate() {
        let Some(page) = score.notation() else { continue };
        // As played: the page of a MIDI file has no repeats.
        for chord in page.passages.iter().flat_map(|p| &page.measures[p.measure as usize].chords) {
            let rest = chord.heads.is_empty() && chord.rest == Rest::Printed;
            sums.rests[side] += usize::from(rest);
            sums.ties[side] += chord.heads.iter().filter(|h| h.tied).count();
            sums.tuplets[side] += chord.heads.len() * usize::from(chord.value.ratio.is_some());
        }
        let ledgers = ledgers(page);
        sums.ledgers[side] += page.passages.iter().map(|p| ledgers[p.measure as usize]).sum::<usize>();
    }
}

/// The notes of a score by onset in 960ths of a quarter, key and hand, as they are first written.
fn notes(score: &Score) -> HashMap<(i64, u8, Hand), Written> {
    let mut found = HashMap::new();
    let own = score.on_page();
    let Some(page) = own.notation() else { return found };
    for passage in &page.passages {
        for chord in &page.measures[passage.measure as usize].chords {
            if chord.grace.is_some() {
                continue;
            }
            for head in &chord.heads {
                let Some((at, pitch)) = head.sounds else { continue };
                let onset = (passage.start + at).0 * 960 / i64::from(own.resolution());
                let written = Written { value: chord.value, pitch: head.pitch, tied: head.tied };
                found.insert((onset, pitch.key(), chord.hand), written);
            }
        }
    }
    found
}

/// Ledger lines by printed measure.
fn ledgers(page: &Notation) -> Vec<usize> {
    let mut clefs: Vec<Clef> = page.staves.iter().map(|s| s.clef).collect();
    let mut counts = Vec::with_capacity(page.measures.len());
    for measure in &page.measures {
        let mut count = 0;
        for chord in &measure.chords {
            for (staff, at, clef) in &measure.clefs {
                if *at <= chord.at {
                    clefs[usize::from(*staff)] = *clef;
                }
            }
            for head in &chord.heads {
                let staff = usize::from(head.staff.unwrap_or(chord.staff));
                let step = head.pitch.diatonic() - clefs[staff].bottom_line();
                count += ((-step).max(step - 8) / 2).max(0) as usize;
            }
        }
        counts.push(count);
    }
    counts
}
