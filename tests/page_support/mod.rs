//! Pages for tests and pictures, written in a line a voice.
//!
//! Words of a voice: `c4q` a quarter, `f#5+a5e.` a chord of dotted eighths, `rq` a rest, `R` a rest of a whole measure, `yh`
//! a hidden rest, `|` a bar line, `c4q~` tied, `'d5e` a grace note, `(3:2` begins a triplet, `)` ends it, `^` and `v` before a
//! note turn its stem, `_` after it joins its beam to the next, `/` ends the beam, `?` asks for a courtesy accidental.
//! Values: b w h q e s t x are breve to sixty-fourth. Accidentals: # b x (double sharp) & (double flat).

use music_trainer::music::Hand;
use music_trainer::music::notation::{
    Base, BeamHint, Chord, Clef, Grace, Head, Measure, Notation, NoteValue, Passage, Ratio, Rest, SpelledPitch, Staff,
    Step, TupletMark,
};
use music_trainer::time::Ticks;

/// Ticks to the quarter.
pub(crate) const RESOLUTION: u16 = 480;

/// A page of two staves, treble and bass: metre, key, and voices, each with its staff.
pub(crate) fn page(meter: (u8, u8), fifths: i8, voices: &[(u8, &str)]) -> Notation {
    let staff = |hand, clef| Staff { hand, clef };
    let mut page = Notation {
        staves: vec![staff(Hand::Right, Clef::Treble), staff(Hand::Left, Clef::Bass)],
        ..Notation::default()
    };
    let bar = i64::from(RESOLUTION) * 4 / i64::from(meter.1) * i64::from(meter.0);
    for (voice, (staff, text)) in voices.iter().enumerate() {
        for (index, words) in text.split('|').enumerate() {
            while page.measures.len() <= index {
                let number = (page.measures.len() + 1).to_string();
                page.measures.push(Measure { number, length: Ticks(bar), ..Measure::default() });
            }
            measure(&mut page.measures[index], words, *staff, voice as u8);
        }
    }
    page.measures[0].meter = Some(meter);
    page.measures[0].fifths = Some(fifths);
    for measure in &mut page.measures {
        measure.chords.sort_by_key(|c| (c.at, c.staff, c.voice, c.grace.is_none()));
    }
    unfold(&mut page);
    page
}

/// Plays every measure once, in order.
pub(crate) fn unfold(page: &mut Notation) {
    let mut start = Ticks(0);
    page.passages.clear();
    for (index, measure) in page.measures.iter().enumerate() {
        page.passages.push(Passage { measure: index as u32, start });
        start += measure.length;
    }
}

fn measure(measure: &mut Measure, words: &str, staff: u8, voice: u8) {
    let hand = if staff == 0 { Hand::Right } else { Hand::Left };
    let (mut at, mut ratio, mut starts) = (Ticks(0), None, false);
    for word in words.split_whitespace() {
        if let Some(rest) = word.strip_prefix('(') {
            let (actual, normal) = rest.split_once(':').expect("a ratio");
            ratio =
                Some(Ratio { actual: actual.parse().expect("a number"), normal: normal.parse().expect("a number") });
            starts = true;
            continue;
        }
        if word == ")" {
            measure.chords.last_mut().expect("a note").tuplet = TupletMark::Ends;
            ratio = None;
            continue;
        }
        let mut chord = chord(word, ratio, (staff, voice, hand));
        chord.at = at;
        if starts {
            chord.tuplet = TupletMark::Starts { number: ratio.map(|ratio: Ratio| ratio.actual), bracket: None };
            starts = false;
        }
        for head in chord.heads.iter_mut() {
            head.sounds = head.pitch.pitch().map(|pitch| (at, pitch));
        }
        at = if chord.rest == Rest::WholeMeasure { measure.length } else { at + chord.ticks(RESOLUTION) };
        measure.chords.push(chord);
    }
}

fn chord(word: &str, ratio: Option<Ratio>, place: (u8, u8, Hand)) -> Chord {
    let up = match word.chars().next() {
        Some('^') => Some(true),
        Some('v') => Some(false),
        _ => None,
    };
    let word = word.trim_start_matches(['^', 'v']);
    let grace = word.starts_with('\'').then_some(Grace { slash: true });
    let word = word.trim_start_matches('\'');
    let body = word.trim_end_matches(['~', '_', '/', '?']);
    let marks = &word[body.len()..];
    let dots = body.len() - body.trim_end_matches('.').len();
    let body = body.trim_end_matches('.');
    if body == "R" {
        let mut chord = Chord::plain(Ticks(0), NoteValue::plain(Base::Whole), place, Vec::new());
        chord.rest = Rest::WholeMeasure;
        return chord;
    }
    let (names, value) = body.split_at(body.len() - 1);
    let base = Base::ALL["bwhqestx".find(value).expect("a value")];
    let value = NoteValue { base, dots: dots as u8, ratio };
    let tied = marks.contains('~');
    let courtesy = marks.contains('?');
    let heads = match names {
        "r" | "y" => Vec::new(),
        names => names.split('+').map(|name| head(name, tied, courtesy)).collect(),
    };
    let mut chord = Chord::plain(Ticks(0), value, place, heads);
    chord.stem_up = up;
    chord.grace = grace;
    if names == "y" {
        chord.rest = Rest::Hidden;
    }
    chord.beam = match () {
        () if marks.contains('_') => BeamHint::Joined,
        () if marks.contains('/') => BeamHint::Ends,
        () => BeamHint::ByMeter,
    };
    chord
}

fn head(name: &str, tied: bool, courtesy: bool) -> Head {
    let mut letters = name.chars();
    let letter = letters.next().expect("a letter");
    let step = Step::ALL["cdefgab".find(letter).expect("a letter name")];
    let rest = letters.as_str();
    let digits = rest.trim_start_matches(['#', 'b', 'x', '&']);
    let alter = match &rest[..rest.len() - digits.len()] {
        "" => 0,
        "#" => 1,
        "b" => -1,
        "x" => 2,
        "&" => -2,
        other => panic!("{other} is no accidental"),
    };
    let pitch = SpelledPitch { step, alter, octave: digits.parse().expect("an octave") };
    Head { pitch, courtesy, tied, staff: None, finger: None, sounds: None }
}
