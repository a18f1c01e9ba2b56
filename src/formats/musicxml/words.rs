//! Words and names that mean something: jumps, tempo words, dynamics, chord symbols.

use crate::music::notation::{Dynamic, Jump};

/// The jump that words ask for: "D.C. al Fine", "Da Capo", "To Coda" and so on.
pub(super) fn jump_in(words: &str) -> Option<Jump> {
    let plain: String = words.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.replace("dacapo", "dc").replace("dalsegno", "ds").replace("delsegno", "ds");
    let begins = |start: &str| plain.starts_with(start);
    Some(match plain.as_str() {
        "fine" => Jump::Fine,
        "tocoda" | "allacoda" | "alcoda" => Jump::ToCoda,
        "dc" => Jump::DaCapo,
        "ds" => Jump::DalSegno,
        _ if begins("dcalfine") || begins("dcalfin") => Jump::DaCapoAlFine,
        _ if begins("dcalcoda") || begins("dcallacoda") || begins("dcetpoilacoda") => Jump::DaCapoAlCoda,
        _ if begins("dsalfine") => Jump::DalSegnoAlFine,
        _ if begins("dsalcoda") || begins("dsallacoda") => Jump::DalSegnoAlCoda,
        _ => return None,
    })
}

pub(super) fn dynamic(name: &str) -> Option<Dynamic> {
    Some(match name {
        "pppp" | "ppppp" | "pppppp" => Dynamic::Pppp,
        "ppp" => Dynamic::Ppp,
        "pp" => Dynamic::Pp,
        "p" => Dynamic::P,
        "mp" => Dynamic::Mp,
        "mf" => Dynamic::Mf,
        "f" | "pf" => Dynamic::F,
        "ff" => Dynamic::Ff,
        "fff" => Dynamic::Fff,
        "ffff" | "fffff" | "ffffff" => Dynamic::Ffff,
        "fp" | "sfp" | "sfpp" | "sfzp" => Dynamic::Fp,
        "sf" => Dynamic::Sf,
        "sfz" => Dynamic::Sfz,
        "sffz" => Dynamic::Sffz,
        "fz" => Dynamic::Fz,
        "rf" => Dynamic::Rf,
        "rfz" => Dynamic::Rfz,
        _ => return None,
    })
}

/// The usual ending of a chord symbol.
pub(super) fn kind_name(kind: &str) -> &'static str {
    match kind {
        "minor" => "m",
        "augmented" => "+",
        "diminished" => "°",
        "dominant" => "7",
        "major-seventh" => "maj7",
        "minor-seventh" => "m7",
        "diminished-seventh" => "°7",
        "augmented-seventh" => "+7",
        "half-diminished" => "ø",
        "major-minor" => "m(maj7)",
        "major-sixth" => "6",
        "minor-sixth" => "m6",
        "dominant-ninth" => "9",
        "major-ninth" => "maj9",
        "minor-ninth" => "m9",
        "suspended-second" => "sus2",
        "suspended-fourth" => "sus4",
        "power" => "5",
        _ => "",
    }
}

/// Quarters a minute of a tempo word at the beginning, in the middle of what metronomes print for it.
pub(super) fn tempo_of(words: &str) -> Option<f64> {
    const TEMPOS: [(&str, f64); 14] = [
        ("grave", 40.0),
        ("largo", 50.0),
        ("larghetto", 63.0),
        ("lento", 54.0),
        ("adagio", 66.0),
        ("andantino", 84.0),
        ("andante", 76.0),
        ("moderato", 100.0),
        ("allegretto", 112.0),
        ("allegro", 132.0),
        ("vivace", 160.0),
        ("prestissimo", 200.0),
        ("presto", 184.0),
        ("maestoso", 84.0),
    ];
    let first = words.split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty())?.to_lowercase();
    TEMPOS.iter().find(|(word, _)| *word == first).map(|(_, tempo)| *tempo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_jump_are_known_in_their_forms() {
        let check = |words: &str, expected| assert_eq!(jump_in(words), expected, "{words}");
        check("D.C. al Fine", Some(Jump::DaCapoAlFine));
        check("Da Capo", Some(Jump::DaCapo));
        check("D.S. al Coda", Some(Jump::DalSegnoAlCoda));
        check("dal segno al fine", Some(Jump::DalSegnoAlFine));
        check("To Coda", Some(Jump::ToCoda));
        check("Fine", Some(Jump::Fine));
        check("finely", None);
        check("dolce", None);
        check("", None);
    }

    #[test]
    fn tempo_words_have_a_number() {
        assert_eq!(tempo_of("Allegro con brio"), Some(132.0));
        assert_eq!(tempo_of("ANDANTE."), Some(76.0));
        assert_eq!((tempo_of("dolce"), tempo_of("")), (None, None));
    }
}
