//! What is sung: the lyric events of a file, or the texts of a karaoke file, as syllables under the notes of its page.
//!
//! A karaoke file begins lines with `/` and paragraphs with `\\`, its heading with `@`; a syllable that goes on with the
//! next one has no space between (Recommended Practice RP-026, and the conventions of Tune 1000's .KAR files).

use super::track::{Track, Words};
use crate::music::notation::{Lyric, Notation};

/// Longer words than this are not put together under one note.
const CHARS_MAX: usize = 60;
/// A syllable belongs to a note that is not further away than this share of a quarter; else it joins the one before it.
const NEAR: i64 = 4;

/// Part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Syllable {
    tick: i64,
    text: String,
    /// Whether the word goes on.
    hyphen: bool,
}

/// The syllables of a file: of all tracks' lyric events and karaoke texts those that are most.
pub(super) fn syllables(tracks: &[Track]) -> Vec<Syllable> {
    let is_mark = |words: &Words| words.text.starts_with(['@', '\\', '/']);
    let karaoke = tracks.iter().flat_map(|t| &t.texts).any(is_mark) || tracks.iter().any(|t| !t.headings.is_empty());
    let lyrics = tracks.iter().map(|t| read(&t.lyrics));
    let texts = tracks.iter().filter(|_| karaoke).map(|t| read(&t.texts));
    // Of equally many the first: lyric events are nothing but words.
    lyrics.chain(texts).reduce(|a, b| if b.len() > a.len() { b } else { a }).unwrap_or_default()
}

fn read(words: &[Words]) -> Vec<Syllable> {
    const EDGES: [char; 4] = ['\\', '/', '\r', '\n'];
    let parts = |text: &str| text.starts_with(EDGES) || text.contains([' ', '\r', '\n']) || text.ends_with('-');
    let sung = || words.iter().filter(|w| !w.text.starts_with('@'));
    // A file without any space or mark has whole words.
    let has_marks = sung().any(|w| parts(&w.text));
    let mut found: Vec<Syllable> = Vec::new();
    let mut begins = true;
    for Words { tick, text } in sung() {
        begins |= text.starts_with(EDGES) || text.starts_with(char::is_whitespace);
        let bare = text.trim_matches(|c: char| EDGES.contains(&c) || c.is_whitespace());
        let (bare, dash) = match bare.strip_suffix('-') {
            Some(rest) if !rest.is_empty() => (rest, true),
            _ => (bare, false),
        };
        if let (Some(last), false) = (found.last_mut(), bare.is_empty()) {
            last.hyphen |= !begins && has_marks;
        }
        let ends = text.ends_with(['\r', '\n']) || text.ends_with(char::is_whitespace);
        if bare.is_empty() {
            begins |= ends;
            continue;
        }
        found.push(Syllable { tick: *tick, text: bare.to_owned(), hyphen: dash });
        begins = ends || dash;
    }
    found
}

/// A note that can be sung: where, and which measure and chord of the page.
struct Place {
    tick: i64,
    measure: usize,
    chord: usize,
}

/// Puts syllables under the notes of the staff whose onsets they meet most often. `from` is the resolution of their ticks,
/// `to` that of the page.
pub(super) fn write(page: &mut Notation, syllables: &[Syllable], (from, to): (u16, u16)) {
    if syllables.is_empty() {
        return;
    }
    let (from, to) = (i64::from(from.max(1)), i64::from(to.max(1)));
    let ticks: Vec<i64> = syllables.iter().map(|s| (s.tick * to + from / 2) / from).collect();
    let near = to / NEAR;
    let staves = (0..page.staves.len() as u8).map(|staff| places(page, staff));
    let met = |places: &Vec<Place>| {
        ticks
            .iter()
            .filter(|tick| nearest(places, **tick).is_some_and(|i| (places[i].tick - *tick).abs() <= near))
            .count()
    };
    let best = staves.map(|places| (met(&places), places)).reduce(|a, b| if b.0 > a.0 { b } else { a });
    let Some((_, places)) = best.filter(|(_, places)| !places.is_empty()) else { return };
    let mut last = 0;
    for (syllable, tick) in syllables.iter().zip(&ticks) {
        let own = nearest(&places, *tick).filter(|i| (places[*i].tick - tick).abs() <= near).unwrap_or(last).max(last);
        last = own;
        let Place { measure, chord, .. } = places[own];
        put(&mut page.measures[measure].chords[chord].lyrics, syllable);
    }
}

fn put(lyrics: &mut Vec<Lyric>, syllable: &Syllable) {
    let Some(former) = lyrics.first_mut() else {
        let Syllable { text, hyphen, .. } = syllable.clone();
        lyrics.push(Lyric { verse: 0, text: text.chars().take(CHARS_MAX).collect(), hyphen, extends: false });
        return;
    };
    let between = if former.hyphen { "" } else { " " };
    if former.text.chars().count() + syllable.text.chars().count() < CHARS_MAX {
        former.text = format!("{}{between}{}", former.text, syllable.text);
    }
    former.hyphen = syllable.hyphen;
}

/// The notes of a staff that are struck, the upper voice's where two are.
fn places(page: &Notation, staff: u8) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    for passage in &page.passages {
        let measure = passage.measure as usize;
        let Some(printed) = page.measures.get(measure) else { continue };
        for (chord, written) in printed.chords.iter().enumerate() {
            let struck = written.heads.iter().any(|head| head.sounds.is_some());
            let tick = (passage.start + written.at).0;
            if written.staff != staff || written.grace.is_some() || !struck {
                continue;
            }
            // Chords of one tick follow each other by voice.
            if found.last().is_none_or(|last| last.tick < tick) {
                found.push(Place { tick, measure, chord });
            }
        }
    }
    found
}

fn nearest(places: &[Place], tick: i64) -> Option<usize> {
    let after = places.partition_point(|p| p.tick <= tick);
    let near = [after.checked_sub(1), (after < places.len()).then_some(after)];
    near.into_iter().flatten().min_by_key(|i| (places[*i].tick - tick).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[&str], expected: &str) {
        let words: Vec<Words> =
            texts.iter().enumerate().map(|(i, t)| Words { tick: i as i64, text: (*t).to_owned() }).collect();
        let found = read(&words).into_iter().map(|s| s.text + if s.hyphen { "-" } else { "" });
        assert_eq!(found.collect::<Vec<_>>().join(" "), expected, "{texts:?}");
    }

    #[test]
    fn spaces_and_marks_part_words() {
        check(
            &["@LENGL", "\\Twin", "kle ", "twin", "kle", "/lit", "tle ", "star"],
            "Twin- kle twin- kle lit- tle star",
        );
        check(&["Twin", "kle", " twin", "kle", "\r", "lit", "tle", " star"], "Twin- kle twin- kle lit- tle star");
        check(&["A", "ma", "zing", "grace"], "A ma zing grace");
        check(&["A-", "ma-", "zing", "grace"], "A- ma- zing- grace");
        check(&["A-", "ma-", "zing ", "grace", "", " "], "A- ma- zing grace");
        check(&["one line of words\n", "another"], "one line of words another");
        check(&["-", "/", "\\"], "-");
        check(&[], "");
    }
}
