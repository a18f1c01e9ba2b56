//! Text inside files whose encoding nobody declared.

/// Longer names are cut: they are shown on one line.
const NAME_CHARS_MAX: usize = 120;

/// UTF-8 where it is, else Latin-1; tidied by [`tidy`]. Empty where control characters within show that it is no text.
pub(super) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => tidy(text),
        Err(_) if bytes.trim_ascii().iter().any(|byte| (1..32).contains(byte) && !byte.is_ascii_whitespace()) => {
            String::new()
        }
        Err(_) => tidy(&bytes.iter().copied().map(char::from).collect::<String>()),
    }
}

/// A syllable: UTF-8 where it is, else Latin-1; its spaces are kept, for they part words, and so are the ends of lines.
pub(super) fn syllable(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    let clean = text.chars().filter(|c| !c.is_control() || matches!(c, '\r' | '\n'));
    clean.take(NAME_CHARS_MAX).collect()
}

/// Without control characters and outer spaces, at most 120 characters.
pub(super) fn tidy(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.trim().chars().take(NAME_CHARS_MAX).collect()
}

/// The first bytes of a file as a person can read them: `"%PDF"` or `00 00 00 00`.
pub(super) fn beginning(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(8)];
    if head.iter().all(|b| b.is_ascii_graphic() || *b == b' ') {
        format!("\"{}\"", String::from_utf8_lossy(head))
    } else {
        let hex: Vec<String> = head.iter().map(|b| format!("{b:02x}")).collect();
        hex.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_utf8_or_latin1_without_control_characters() {
        assert_eq!(decode("Für Elise\0".as_bytes()), "Für Elise");
        assert_eq!(decode(b"F\xfcr Elise\r\n"), "Für Elise");
        assert_eq!(decode(b"x\x1b[\x04\xf0\xbf"), "", "settings of a sequencer");
        assert_eq!(decode(&[b'x'; 500]).len(), NAME_CHARS_MAX);
    }

    #[test]
    fn beginnings_are_readable() {
        assert_eq!(beginning(b"%PDF-1.7 and so on"), "\"%PDF-1.7\"");
        assert_eq!(beginning(&[0, 0xff, 1]), "00 ff 01");
    }
}
