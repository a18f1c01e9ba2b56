//! The characters of an XML file: UTF-8, UTF-16 with its mark or without, and the Latin encodings that files declare.

use super::super::FormatError;

/// As text. A declared encoding is believed where the bytes do not contradict it.
pub(super) fn decode(bytes: &[u8]) -> Result<String, FormatError> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0, b'<', 0, ..] => utf16(bytes, u16::from_be_bytes),
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes),
        _ => match declared(bytes).as_deref() {
            Some("iso-8859-1" | "latin1" | "windows-1252" | "us-ascii" | "iso-8859-15") => {
                Ok(bytes.iter().copied().map(char::from).collect())
            }
            _ => utf8(bytes),
        },
    }
}

/// Whether the bytes begin as XML does.
pub(super) fn is_xml(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes {
        [0xfe, 0xff, 0, b'<', ..] | [0xff, 0xfe, b'<', 0, ..] | [0, b'<', 0, ..] | [b'<', 0, ..] => true,
        _ => bytes.trim_ascii_start().starts_with(b"<"),
    }
}

/// The name that the first line declares, in lower case.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(200)];
    let line = String::from_utf8_lossy(head.split(|byte| *byte == b'>').next()?).to_lowercase();
    let rest = line.strip_prefix("<?xml")?.split_once("encoding")?.1;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next().map(str::to_owned)
}

fn utf8(bytes: &[u8]) -> Result<String, FormatError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        FormatError::Notation { line, column, problem: "bytes that are no UTF-8 text".into() }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, FormatError> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let (mut line, mut column) = (1, 1);
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let Ok(c) = c else {
            return Err(FormatError::Notation { line, column, problem: "bytes that are no UTF-16 text".into() });
        };
        text.push(c);
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_gives_the_same_text() {
        let text = "<?xml version='1.0' encoding='ISO-8859-1'?><a>\u{fc}</a>";
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        assert_eq!(decode(&latin).as_deref(), Ok(text));
        let plain = "<a>\u{fc}\u{1d15d}</a>";
        let units: Vec<u16> = plain.encode_utf16().collect();
        let big: Vec<u8> = units.iter().flat_map(|u| u.to_be_bytes()).collect();
        let little: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
        let marked = [&[0xff, 0xfe], &little[..]].concat();
        for bytes in [plain.as_bytes(), &big, &little, &marked, &[b"\xef\xbb\xbf", plain.as_bytes()].concat()] {
            assert!(is_xml(bytes));
            assert_eq!(decode(bytes).as_deref(), Ok(plain));
        }
        assert!(!is_xml(b"MThd") && !is_xml(b""));
        assert!(decode("<?xml encoding=\u{fc}?><a/>".as_bytes()).is_ok(), "no quotes");
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let error = decode(b"<a>\n x\xff</a>").expect_err("no UTF-8");
        assert_eq!(error.to_string(), "line 2, column 3: bytes that are no UTF-8 text");
        assert!(decode(&[0xfe, 0xff, 0, b'<', 0xd8, 0]).is_err());
    }
}
