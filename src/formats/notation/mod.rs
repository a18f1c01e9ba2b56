//! A small text notation for pieces and tests: readable, checked bar by bar, everything on the page explicit.
//!
//! ```text
//! title: Morning song
//! composer: Anon.
//! grade: 1
//! key: G major
//! meter: 3/4
//! tempo: 96
//! pickup: 1/4
//!
//! % the right hand, then the left
//! R: d4 |: g4/2 b/4 | <g4 b d5>/2. |1 a4/2 d4/4 :|2 g4/2. |
//! L: r/4 |: g3/2.   | {b3/2. ; g3/4 g g} |1 f#3/2 r/4 :|2 g3/2. |
//! ```
//!
//! - **Header**: lines `name: value` before the music, each optional. `tempo` is in quarter notes a minute (default
//!   100), `marking` the tempo word above the first bar, `meter` 4/4 by default, `pickup` the length of an incomplete first bar as a fraction of a whole note,
//!   `grade` 1 to 9. `key` is shown only: accidentals are always written at the note.
//! - **Hands**: `R:` and `L:` say whose music follows, from wherever that hand stopped; at first it is the right.
//! - **Notes**: letter, accidentals (`#`, `b`, doubled for double), octave (middle C is `c4`), `/` and the note value
//!   with dots. Octave and value hold until changed: `c4/8 d e f g/4.`. At first they are 4 and a quarter.
//! - **Rests**: `r`, with a value like notes.
//! - **Chords**: `<c4 e g>/2`.
//! - **Ties**: `~` after a note or chord, `c4/2~ c/4`; each tied key must be struck again where the note ends.
//! - **Triplets** and so on: `3(c4/8 d e)` fits three in the time of two; any number up to 15 fits into the next lower
//!   power of two.
//! - **Voices**: `{ … ; … }` begins two or more voices together; all must last equally long.
//! - **Bars**: `|` ends a bar, which must be full; the last may be left open, or end with `||`, and be short.
//! - **Repeats**: `|:` and `:|`, endings `|1 … :|2 …`. A bar may be divided by a repeat sign. The page has
//!   them as they stand; what is played is unfolded.
//! - **Loudness**: `!pp !p !mp !mf !f !ff` for the hand from there on; at first `!mf`. Hairpins reach from `!<` or `!>`
//!   to `!.`, the pedal is down from `!ped` to `!*`, and words stand in quotation marks: `"dolce"`.
//! - **At a note**: a finger `c4@1/8` behind its pitch, and behind the value, without a blank, slurs from `c4/8[` to
//!   `e]`, `'` staccato, `-` tenuto, `^` accent, `*` a fermata.
//! - **Comments**: `%` to the end of the line.

mod beside;
mod body;
mod page;
mod unfold;

use super::text::tidy;
use super::{FormatError, notate};
use crate::music::{Hand, KeySignature, Meter, Score, ScoreParts, Tempo};
use crate::time::Ticks;

/// Ticks to the quarter note of every score from this notation.
pub const RESOLUTION: u16 = 480;

/// The longest text that is read, in bytes; the longest piece for two hands has a tenth of it.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// A piece as the text gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// 1, the easiest, to 9; `None` when the text does not say.
    pub grade: Option<u8>,
    /// The key's name as written, such as `G minor`; perhaps empty.
    pub key: String,
    /// The music, repeats unfolded.
    pub score: Score,
}

/// Whether a text is in this notation: its first line that is no comment is a header line.
pub fn is_notation(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('%'));
    first.and_then(|l| l.split_once(':')).is_some_and(|(name, _)| HEADERS.contains(&name.trim()) || name == "R")
}

/// Reads a text.
///
/// # Errors
/// [`FormatError::Notation`] with line and column, both counted from 1; [`FormatError::Empty`] without a note.
pub fn read(text: &str) -> Result<Sheet, FormatError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(FormatError::TooLong { bytes: text.len() as u64 });
    }
    let (header, lines) = header(text)?;
    let hands = body::parse(text, lines, header.bar_ticks(), header.pickup)?;
    let mut notes = unfold::unfold(&hands[0], Hand::Right);
    notes.extend(unfold::unfold(&hands[1], Hand::Left));
    if notes.is_empty() {
        return Err(FormatError::Empty);
    }
    if notes.len() > super::NOTES_MAX {
        return Err(FormatError::TooManyNotes { track: 1, offset: 0 });
    }
    let page = page::page(&hands, &header);
    let keys = key_signature(&header.key).map(|(fifths, minor)| KeySignature { tick: Ticks(0), fifths, minor });
    let score = Score::new(ScoreParts {
        title: header.title,
        composer: header.composer,
        resolution: RESOLUTION,
        notes,
        tempos: vec![Tempo { tick: Ticks(0), micros_per_quarter: (60_000_000 + header.tempo / 2) / header.tempo }],
        meters: vec![Meter { tick: Ticks(0), beats: header.meter.0, unit: header.meter.1 }],
        keys: keys.into_iter().collect(),
        pedals: hands.iter().flat_map(unfold::pedals).collect(),
        pickup: Ticks(header.pickup),
        notation: page,
        part_names: Vec::new(),
        note_parts: Vec::new(),
        displaced: Vec::new(),
        ornaments: Vec::new(),
    });
    let score = if score.notation().is_some() { score } else { automatic(score) };
    Ok(Sheet { grade: header.grade, key: header.key, score })
}

/// Where the text is no page, such as a tune without bar lines, one is made from the notes.
fn automatic(score: Score) -> Score {
    let page = notate::notate(&score);
    score.with_notation(page)
}

/// Only the music of a text; for tests and one-liners such as `score("R: c4 d e f L: c3/1")`.
///
/// # Errors
/// As [`read`].
pub fn score(text: &str) -> Result<Score, FormatError> {
    read(text).map(|sheet| sheet.score)
}

const HEADERS: [&str; 8] = ["title", "composer", "grade", "key", "meter", "tempo", "marking", "pickup"];

struct Header {
    title: String,
    composer: String,
    grade: Option<u8>,
    key: String,
    meter: (u8, u8),
    tempo: u32,
    marking: String,
    pickup: i64,
}

impl Header {
    fn bar_ticks(&self) -> i64 {
        i64::from(RESOLUTION) * 4 * i64::from(self.meter.0) / i64::from(self.meter.1)
    }
}

/// The header and the number of lines it takes.
fn header(text: &str) -> Result<(Header, usize), FormatError> {
    let mut header = Header {
        title: String::new(),
        composer: String::new(),
        grade: None,
        key: String::new(),
        meter: (4, 4),
        tempo: 100,
        marking: String::new(),
        pickup: 0,
    };
    let mut lines = 0;
    for (number, line) in text.lines().enumerate() {
        let bare = line.split('%').next().unwrap_or_default().trim();
        if !bare.is_empty() {
            let Some((name, value)) = bare.split_once(':').filter(|(n, _)| HEADERS.contains(n)) else { break };
            let column = line.find(':').map_or(1, |at| line[..at].chars().count() + 2);
            field(&mut header, name, value.trim()).map_err(|problem| FormatError::Notation {
                line: number + 1,
                column,
                problem,
            })?;
        }
        lines = number + 1;
    }
    if header.pickup >= header.bar_ticks() {
        let problem = "the pick-up is as long as a bar or longer".into();
        return Err(FormatError::Notation { line: 1, column: 1, problem });
    }
    Ok((header, lines))
}

fn field(header: &mut Header, name: &str, value: &str) -> Result<(), String> {
    match name {
        "title" => header.title = tidy(value),
        "composer" => header.composer = tidy(value),
        "marking" => header.marking = tidy(value),
        "grade" => match value.parse() {
            Ok(grade @ 1..=9) => header.grade = Some(grade),
            _ => return Err("a grade is a number from 1 to 9".into()),
        },
        "key" => match key_signature(value) {
            Some(_) => header.key = value.to_owned(),
            None => return Err(format!("\"{}\" is no key such as \"B flat major\"", tidy(value))),
        },
        "meter" => header.meter = fraction(value).ok_or("a metre is such as 3/4")?,
        "tempo" => match value.parse() {
            Ok(tempo @ 10..=400) => header.tempo = tempo,
            _ => return Err("a tempo is a number of quarter notes a minute from 10 to 400".into()),
        },
        _ => {
            let (beats, unit) = fraction(value).ok_or("a pick-up is such as 1/4")?;
            header.pickup = i64::from(RESOLUTION) * 4 * i64::from(beats) / i64::from(unit);
        }
    }
    Ok(())
}

/// Such as `3/4`: at least 1, over a power of two up to 32.
fn fraction(value: &str) -> Option<(u8, u8)> {
    let (beats, unit) = value.split_once('/')?;
    let (beats, unit) = (beats.trim().parse().ok()?, unit.trim().parse::<u8>().ok()?);
    (beats > 0 && unit.is_power_of_two() && unit <= 32).then_some((beats, unit))
}

/// Sharps (negative: flats) and whether minor, from a name such as `F# minor` or `E flat major`.
fn key_signature(name: &str) -> Option<(i8, bool)> {
    let mut words = name.split_whitespace();
    let mut tonic = words.next()?.to_owned();
    let mut mode = words.next()?;
    if let "flat" | "sharp" = mode {
        tonic.push(if mode == "flat" { 'b' } else { '#' });
        mode = words.next()?;
    }
    const CIRCLE: [&str; 17] =
        ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#"];
    let place = CIRCLE.iter().position(|t| *t == tonic)? as i8 - 7;
    let (fifths, minor) = match mode {
        "major" => (place, false),
        "minor" => (place - 3, true),
        _ => return None,
    };
    (fifths.abs() <= 7 && words.next().is_none()).then_some((fifths, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_above_is_a_piece() {
        let page: Vec<&str> = include_str!("mod.rs").lines().map_while(|l| l.strip_prefix("//!")).collect();
        let example: Vec<&str> = page.split(|l| l.trim().starts_with("```")).nth(1).unwrap().to_vec();
        let sheet = read(&example.iter().map(|l| format!("{}\n", l.trim())).collect::<String>()).unwrap();
        assert_eq!((sheet.grade, sheet.key.as_str(), sheet.score.title()), (Some(1), "G major", "Morning song"));
        assert_eq!(sheet.score.end().0, 480 * (1 + 9 + 9), "a pick-up and twice three bars");
        assert_eq!(sheet.score.notes().len(), (1 + 7 + 6) + (6 + 6));
    }

    #[test]
    fn keys_are_named_in_words() {
        let check = |name: &str, expected| assert_eq!(key_signature(name), expected, "{name}");
        check("C major", Some((0, false)));
        check("G minor", Some((-2, true)));
        check("B flat major", Some((-2, false)));
        check("F# minor", Some((3, true)));
        check("D# major", None);
        check("H major", None);
        check("C", None);
    }
}
