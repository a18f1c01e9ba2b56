//! Title and composer where a file does not say them outright: in its name, and in texts that say who composed it.

use super::text::tidy;

/// A longer first part of a file's name is no composer.
const COMPOSER_CHARS_MAX: usize = 48;

/// Names of tracks that programs write by themselves, in lower case; numbers after them are left out.
const PROGRAMS_WRITE: [&str; 18] = [
    "untitled",
    "no title",
    "new song",
    "track",
    "piano",
    "grand piano",
    "acoustic grand piano",
    "keyboard",
    "keys",
    "instrument",
    "conductor",
    "conductor track",
    "control track",
    "master track",
    "tempo",
    "tempo track",
    "seq",
    "midi",
];

/// Phrases that a composer's name comes after, in lower case.
const COMPOSED_BY: [&str; 5] = ["composer:", "composer -", "composed by", "music by", "by "];

/// Title and composer from a file's name: `Bach - Invention 1.mid` is the Invention 1 by Bach, and any other name is a
/// title.
pub(super) fn from_name(name: &str) -> (String, String) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let spaced = if stem.contains(' ') { stem.to_owned() } else { stem.replace('_', " ") };
    let whole = tidy(&spaced);
    // A number in front counts the files of a folder.
    let rest = whole.split_once(" - ").filter(|(first, _)| first.trim().parse::<u16>().is_ok());
    let rest = rest.map_or(whole.as_str(), |(_, rest)| rest);
    match rest.split_once(" - ") {
        Some((composer, title)) if is_person(composer) && !title.trim().is_empty() => {
            (title.trim().to_owned(), composer.trim().to_owned())
        }
        _ => (rest.trim().to_owned(), String::new()),
    }
}

/// A title that is a file's name, without its ending: programs write these where nobody gave a title.
pub(super) fn without_ending(title: &str) -> Option<&str> {
    let (stem, ending) = title.rsplit_once('.')?;
    ["mid", "midi", "xml", "mxl", "musicxml"].iter().any(|known| ending.eq_ignore_ascii_case(known)).then_some(stem)
}

/// Whether words may be somebody's name: letters and what stands between those of names.
fn is_person(words: &str) -> bool {
    let is_name = |c: char| c.is_alphabetic() || " .,'’&-".contains(c);
    let letters = words.chars().filter(|c| c.is_alphabetic()).count();
    letters > 1 && words.chars().count() <= COMPOSER_CHARS_MAX && words.chars().all(is_name)
}

/// Who a text says composed the piece: `Composed by Clara Wieck (1819-1896)`.
pub(super) fn composer_in(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    // Lower case of other lengths would put the cut in another place.
    let same = lower.len() == text.len();
    let (at, phrase) = COMPOSED_BY.iter().filter(|_| same).find_map(|phrase| {
        let at = lower.find(phrase)?;
        // A mere "by" counts at the beginning only: "sequenced by" is somebody else.
        (at == 0 || *phrase != "by ").then_some((at, phrase))
    })?;
    let after = text.get(at + phrase.len()..)?;
    let end = after.find(['(', ',', ';', '/', '\n', '\r']).unwrap_or(after.len());
    let name = after[..end].split(char::is_numeric).next().unwrap_or_default();
    let name = tidy(name).trim_matches(|c: char| !c.is_alphabetic() && c != '.').to_owned();
    is_person(&name).then_some(name)
}

/// Whether the name of a track may be the title of the piece.
pub(super) fn is_title(name: &str) -> bool {
    let plain = name.to_lowercase();
    let plain = plain.trim_end_matches(|c: char| !c.is_alphabetic()).trim();
    !plain.is_empty() && !PROGRAMS_WRITE.contains(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_titles_and_perhaps_composers() {
        for (name, title, composer) in [
            ("Bach - Invention 1.mid", "Invention 1", "Bach"),
            ("J. S. Bach - Prelude - in C.mxl", "Prelude - in C", "J. S. Bach"),
            ("03 - Saint-Saëns - The Swan.mid", "The Swan", "Saint-Saëns"),
            ("03 - The Swan.mid", "The Swan", ""),
            ("fur_elise.mid", "fur elise", ""),
            ("Waltz no. 1.mid", "Waltz no. 1", ""),
            ("BWV 772 - Invention.mid", "BWV 772 - Invention", ""),
            ("waltz", "waltz", ""),
            (" - .mid", "-", ""),
            ("", "", ""),
        ] {
            assert_eq!(from_name(name), (title.to_owned(), composer.to_owned()), "{name}");
        }
    }

    #[test]
    fn texts_tell_who_composed_a_piece_and_not_who_typed_it() {
        for (text, composer) in [
            ("Composer: Clara Wieck", Some("Clara Wieck")),
            ("Composed by Clara Wieck (1819-1896)", Some("Clara Wieck")),
            ("by F. Chopin", Some("F. Chopin")),
            ("Words and music by A. Sullivan, 1877", Some("A. Sullivan")),
            ("Sequenced by Somebody", None),
            ("Copyright © 1997 by Somebody", None),
            ("by 1234", None),
            ("İ by Somebody", None),
        ] {
            assert_eq!(composer_in(text).as_deref(), composer, "{text}");
        }
    }

    #[test]
    fn titles_lose_the_endings_of_files() {
        assert_eq!(without_ending("bwv327.mxl"), Some("bwv327"));
        assert_eq!((without_ending("Op. 9 No. 2"), without_ending("mxl")), (None, None));
    }

    #[test]
    fn names_that_programs_write_are_no_titles() {
        for (name, expected) in [
            ("Für Elise", true),
            ("Piano", false),
            ("Track 1", false),
            ("untitled", false),
            ("  ", false),
            ("Seq-1", false),
        ] {
            assert_eq!(is_title(name), expected, "{name}");
        }
    }
}
