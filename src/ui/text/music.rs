//! Words about music: notes, keys, metres, hands, places.

use super::{NONE, tr};
use crate::music::notation::{SpelledPitch, Step};
use crate::music::{BarNumber, Hand, Hands, KeySignature, Pitch, Score, Spelling};
use crate::practice::{BarRange, Heard};
use crate::time::Micros;
use crate::ui::view::{NoteNames, Tuner};

/// When a hand is heard.
pub fn heard(hand: Hand, heard: Heard) -> String {
    let when = match heard {
        Heard::Always => "always",
        Heard::Muted => "never",
        Heard::WhenMissed => "only what I miss",
    };
    let name = match hand {
        Hand::Right => tr().right_hear,
        Hand::Left => tr().left_hear,
        Hand::Neither => tr().heard_only,
    };
    format!("{name}: {when}")
}

/// The name of a key, without its octave.
pub fn note(pitch: Pitch, names: NoteNames, spelling: Spelling) -> &'static str {
    const GERMAN_SHARP: [&str; 12] = ["C", "Cis", "D", "Dis", "E", "F", "Fis", "G", "Gis", "A", "Ais", "H"];
    const GERMAN_FLAT: [&str; 12] = ["C", "Des", "D", "Es", "E", "F", "Ges", "G", "As", "A", "B", "H"];
    const DO_SHARP: [&str; 12] = ["do", "do♯", "re", "re♯", "mi", "fa", "fa♯", "sol", "sol♯", "la", "la♯", "si"];
    const DO_FLAT: [&str; 12] = ["do", "re♭", "re", "mi♭", "mi", "fa", "sol♭", "sol", "la♭", "la", "si♭", "si"];
    let table = match (names, spelling) {
        (NoteNames::English, _) => return pitch.name(spelling),
        (NoteNames::German, Spelling::Sharp) => &GERMAN_SHARP,
        (NoteNames::German, Spelling::Flat) => &GERMAN_FLAT,
        (NoteNames::FixedDo, Spelling::Sharp) => &DO_SHARP,
        (NoteNames::FixedDo, Spelling::Flat) => &DO_FLAT,
    };
    table[usize::from(pitch.class())]
}

/// The name of a key with its octave, in which middle C is C4.
pub fn note_octave(pitch: Pitch, names: NoteNames) -> String {
    format!("{}{}", note(pitch, names, Spelling::Sharp), pitch.octave())
}

/// The name of a key in a bar, by its index, with its octave, as the score spells it, if there is one.
pub fn written_octave(score: Option<&Score>, bar: usize, pitch: Pitch, names: NoteNames) -> String {
    let Some(score) = score else { return note_octave(pitch, names) };
    let spelled = score.spelled(pitch, bar);
    format!("{}{}", spelled_note(spelled, names), spelled.octave)
}

/// The same without its octave.
pub fn written_note(score: &Score, bar: usize, pitch: Pitch, names: NoteNames) -> String {
    spelled_note(score.spelled(pitch, bar), names)
}

/// A spelled note. Double signs are two signs, which every font has.
fn spelled_note(spelled: SpelledPitch, names: NoteNames) -> String {
    let (sharps, flats) = (spelled.alter.max(0) as usize, (-spelled.alter).max(0) as usize);
    let signs = "♯".repeat(sharps) + &"♭".repeat(flats);
    let step = spelled.step as usize;
    match (names, flats) {
        (NoteNames::English, _) => format!("{:?}{signs}", spelled.step),
        (NoteNames::FixedDo, _) => format!("{}{signs}", ["do", "re", "mi", "fa", "sol", "la", "si"][step]),
        (NoteNames::German, 0) => format!("{}{}", GERMAN[step], "is".repeat(sharps)),
        (NoteNames::German, 1) if spelled.step == Step::B => "B".to_owned(),
        // A and E drop the vowel of the first syllable.
        (NoteNames::German, _) if matches!(spelled.step, Step::A | Step::E) => {
            format!("{}s{}", GERMAN[step], "es".repeat(flats - 1))
        }
        (NoteNames::German, _) => format!("{}{}", GERMAN[step], "es".repeat(flats)),
    }
}

/// The German letters.
const GERMAN: [&str; 7] = ["C", "D", "E", "F", "G", "A", "H"];

/// How far a note is from true: `8 cents low`, or that it is not sure.
pub fn cents(tuner: Tuner) -> String {
    let cents = tuner.cents.round();
    match (tuner.steady, cents as i64) {
        (false, _) => tr().not_sure.to_owned(),
        (true, 0) => tr().in_tune.to_owned(),
        (true, off) => {
            let side = if off < 0 { "low" } else { "high" };
            let unit = if off.abs() == 1 { "cent" } else { "cents" };
            format!("{} {unit} {side}", off.abs())
        }
    }
}

/// A mark of the tuner's scale: `−20`, `0`, `+20`.
pub fn signed_cents(cents: f32) -> String {
    let whole = cents.round() as i32;
    match whole {
        0 => "0".to_owned(),
        1.. => format!("+{whole}"),
        _ => format!("−{}", whole.abs()),
    }
}

/// The tuner for a screen reader.
pub fn tuner_in_words(tuner: Option<Tuner>, names: NoteNames) -> String {
    match tuner {
        Some(tuner) => format!("Tuner: {}, {}", note_octave(tuner.pitch, names), cents(tuner)),
        None => format!("Tuner: {}", tr().tuner_waits),
    }
}

/// A level: `−21 dB`, or that there is none.
pub fn decibels(level: f32) -> String {
    if level <= -100.0 { NONE.to_owned() } else { format!("−{:.0} dB", level.abs()) }
}

/// A key signature in words: `G major`.
pub fn key(key: KeySignature, names: NoteNames) -> String {
    let fifths = i32::from(key.fifths);
    let class = (fifths * 7 + if key.minor { 9 } else { 0 }).rem_euclid(12) as u8;
    let spelling = if fifths < 0 { Spelling::Flat } else { Spelling::Sharp };
    let pitch = Pitch::from_data_byte(60 + class);
    // C♭ major and F♯/G♭ have names of their own.
    let name = match (key.fifths, key.minor, names) {
        (-7, false, NoteNames::English) => "C♭",
        (7, false, NoteNames::English) => "C♯",
        _ => note(pitch, names, spelling),
    };
    format!("{name} {}", if key.minor { "minor" } else { "major" })
}

/// A time signature: `3/4`.
pub fn meter((beats, unit): (u8, u8)) -> String {
    format!("{beats}/{unit}")
}

/// A length: `2:05`.
pub fn duration(length: Micros) -> String {
    let seconds = (length.0.max(0) + 500_000) / 1_000_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `Bars 5–8`, by the numbers of musicians.
pub fn bars(first: BarNumber, last: BarNumber) -> String {
    if first == last { format!("Bar {first}") } else { format!("Bars {}", bar_range(first, last)) }
}

/// `5–8`; which time they are played is said once.
pub fn bar_range(first: BarNumber, last: BarNumber) -> String {
    if first.time == last.time { format!("{}–{last}", first.printed()) } else { format!("{first}–{last}") }
}

/// The loop chip.
pub fn loop_label(range: Option<BarRange>, number: impl Fn(usize) -> BarNumber) -> String {
    range.map_or_else(|| tr().loop_off.to_owned(), |r| bars(number(r.first()), number(r.last())))
}

/// The tempo beside its slider, the number that is heard first: `72`, then ` of 96 bpm · 75 %`; where the metre does not
/// count quarters, what it counts: ` of 168 eighths · 75 %`.
pub fn tempo_line((now, written): (f64, f64), percent: u16, unit: u8) -> (String, String) {
    (format!("{now:.0}"), format!(" of {} · {percent} %", tempo(written, unit)))
}

/// A tempo in units of the metre: `74 bpm`, `144 eighths`.
pub fn tempo(beats: f64, unit: u8) -> String {
    let units = match unit {
        2 => "halves",
        8 => "eighths",
        16 => "16ths",
        _ => "bpm",
    };
    format!("{beats:.0} {units}")
}

/// Which hands: `both hands`.
pub fn hands(hands: Hands) -> &'static str {
    match (hands.right, hands.left) {
        (true, true) => "both hands",
        (true, false) => "right hand",
        (false, true) => "left hand",
        (false, false) => "no hand",
    }
}

/// The place in the piece, for screen readers.
pub fn place(title: &str, bar: BarNumber, bars: BarNumber, next: &str) -> String {
    if next.is_empty() {
        format!("{title}, bar {bar} of {}", bars.printed())
    } else {
        format!("{title}, bar {bar} of {}, next: {next}", bars.printed())
    }
}

/// The bar ruler, for screen readers.
pub fn bar_ruler(name: &str, bar: BarNumber, bars: BarNumber) -> String {
    format!("{name}, at bar {bar} of {}", bars.printed())
}

/// `32 bars`.
pub fn bar_count(bars: u32) -> String {
    if bars == 1 { "1 bar".to_owned() } else { format!("{bars} bars") }
}

/// `about grade 2`, where it is estimated.
pub fn about_grade(grade: u8) -> String {
    format!("about grade {grade}")
}

/// `grade 2`.
pub fn grade(grade: u8) -> String {
    format!("grade {grade}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Ticks;

    #[test]
    fn keys_have_their_usual_names() {
        let check = |fifths, minor, expected: &str| {
            let signature = KeySignature { tick: Ticks(0), fifths, minor };
            assert_eq!(key(signature, NoteNames::English), expected);
        };
        check(0, false, "C major");
        check(1, false, "G major");
        check(-2, false, "B♭ major");
        check(0, true, "A minor");
        check(-3, true, "C minor");
        check(3, true, "F♯ minor");
        check(-7, false, "C♭ major");
        check(7, false, "C♯ major");
    }

    #[test]
    fn german_h_is_b_natural() {
        let b = Pitch::new(71).expect("a MIDI key");
        assert_eq!(note(b, NoteNames::German, Spelling::Sharp), "H");
        assert_eq!(note(b.transposed(-1).expect("a MIDI key"), NoteNames::German, Spelling::Flat), "B");
    }
}
