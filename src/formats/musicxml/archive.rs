//! Compressed MusicXML: a zip archive with a `META-INF/container.xml` that names the score within.
//! Only what such archives need is read: stored and deflated members of an archive in one part, without encryption.
//! The layout is that of PKWARE's APPNOTE.TXT, §4.3.

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use super::super::FormatError;
use super::TEXT_BYTES_MAX;

/// What a zip archive begins with: the header of its first member.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

const CONTAINER: &str = "META-INF/container.xml";
/// The longest container file: it holds a few lines.
const CONTAINER_BYTES_MAX: usize = 64 * 1024;
/// A member may be so many times as long as what it was packed into, beyond the first megabyte. DEFLATE packs scores,
/// which repeat themselves, up to forty times.
const RATIO_MAX: usize = 200;
const RATIO_FREE: usize = 1024 * 1024;
/// Members that are looked at; archives of one score hold a handful.
const MEMBERS_MAX: usize = 1_000;

/// A member as the directory lists it.
#[derive(Debug)]
struct Member<'a> {
    name: &'a [u8],
    method: u16,
    flags: u16,
    crc: u32,
    packed: usize,
    length: usize,
    /// Where its local header is.
    at: usize,
}

fn fail<T>(offset: usize, problem: impl Into<String>) -> Result<T, FormatError> {
    Err(FormatError::Archive { offset, problem: problem.into() })
}

/// The score that an archive holds, unpacked.
pub(super) fn score(file: &[u8]) -> Result<Vec<u8>, FormatError> {
    let members = directory(file)?;
    let named = match members.iter().find(|member| member.name == CONTAINER.as_bytes()) {
        Some(container) => root_file(&unpack(file, container, CONTAINER_BYTES_MAX)?),
        None => None,
    };
    let is_score = |member: &&Member<'_>| {
        let name = String::from_utf8_lossy(member.name).to_lowercase();
        !name.starts_with("meta-inf/") && (name.ends_with(".xml") || name.ends_with(".musicxml"))
    };
    let found = match &named {
        Some(path) => members.iter().find(|member| member.name == path.as_bytes()),
        None => None,
    };
    match found.or_else(|| members.iter().find(is_score)) {
        Some(member) => unpack(file, member, TEXT_BYTES_MAX),
        None => fail(0, "holds no MusicXML score"),
    }
}

/// The path that a container names: the first, or the one that says it is MusicXML.
fn root_file(bytes: &[u8]) -> Option<String> {
    let text = super::encoding::decode(bytes).ok()?;
    let document = super::tree::parse(&text).ok()?;
    let mut roots = document.descendants().filter(|node| node.has_tag_name("rootfile")).peekable();
    let first = roots.peek().and_then(|node| node.attribute("full-path"));
    let typed = roots.find(|node| node.attribute("media-type").is_some_and(|kind| kind.contains("musicxml")));
    typed.and_then(|node| node.attribute("full-path")).or(first).map(str::to_owned)
}

/// The members, from the central directory at the archive's end.
fn directory(file: &[u8]) -> Result<Vec<Member<'_>>, FormatError> {
    // The record at the end is 22 bytes long, and a comment of up to 65 535 may follow.
    let earliest = file.len().saturating_sub(22 + 65_535);
    let Some(end) = (earliest..file.len()).rev().find(|at| file[*at..].starts_with(b"PK\x05\x06")) else {
        return fail(file.len(), "is cut off: its directory is missing");
    };
    let (Some(count), Some(start)) = (le16(file, end + 10), le32(file, end + 16)) else {
        return fail(end, "has a damaged directory");
    };
    let mut members = Vec::new();
    let mut at = start;
    for _ in 0..usize::from(count).min(MEMBERS_MAX) {
        let Some((member, next)) = member(file, at) else {
            return fail(at, "has a damaged directory");
        };
        members.push(member);
        at = next;
    }
    Ok(members)
}

/// A directory entry, and where the next one is.
fn member(file: &[u8], at: usize) -> Option<(Member<'_>, usize)> {
    let entry = file.get(at..at.checked_add(46)?)?;
    if !entry.starts_with(b"PK\x01\x02") {
        return None;
    }
    let [name, extra, comment] = [28, 30, 32].map(|field| usize::from(le16(entry, field).unwrap_or(0)));
    let member = Member {
        name: file.get(at + 46..at + 46 + name)?,
        flags: le16(entry, 8)?,
        method: le16(entry, 10)?,
        crc: le32(entry, 16)? as u32,
        packed: le32(entry, 20)?,
        length: le32(entry, 24)?,
        at: le32(entry, 42)?,
    };
    Some((member, at + 46 + name + extra + comment))
}

fn unpack(file: &[u8], member: &Member<'_>, limit: usize) -> Result<Vec<u8>, FormatError> {
    let name = super::super::text::decode(member.name);
    let about = |problem: &str| fail(member.at, format!("{problem} (its member {name})"));
    let header = file.get(member.at..).filter(|rest| rest.starts_with(MAGIC));
    let lengths = header.and_then(|header| Some((le16(header, 26)?, le16(header, 28)?)));
    let start = lengths.map(|(name, extra)| member.at + 30 + usize::from(name) + usize::from(extra));
    let packed = start.and_then(|start| file.get(start..start.checked_add(member.packed)?));
    let Some(packed) = packed else {
        return about("is cut off or damaged");
    };
    if member.flags & 1 != 0 {
        return about("is encrypted");
    }
    let limit = limit.min(RATIO_FREE.max(packed.len().saturating_mul(RATIO_MAX)));
    if member.length > limit {
        return about("would unpack to more than a score has");
    }
    let bytes = match member.method {
        0 => packed.to_vec(),
        8 => match decompress_to_vec_with_limit(packed, limit) {
            Ok(bytes) => bytes,
            Err(error) if error.status == TINFLStatus::HasMoreOutput => {
                return about("would unpack to more than a score has");
            }
            Err(_) => return about("is damaged: it cannot be unpacked"),
        },
        _ => return about("is packed in a way that MusicXML does not use"),
    };
    if crc32(&bytes) != member.crc {
        return about("is damaged: its check sum is wrong");
    }
    Ok(bytes)
}

/// The check sum of zip: CRC-32 of IEEE 802.3, reflected, four bits at a time.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut i = 0;
        while i < 16 {
            let (mut value, mut bit) = (i as u32, 0);
            while bit < 4 {
                value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[i] = value;
            i += 1;
        }
        table
    };
    let nibble = |sum: u32, low: u32| TABLE[((sum ^ low) & 15) as usize] ^ (sum >> 4);
    !bytes.iter().fold(!0, |sum, byte| nibble(nibble(sum, u32::from(*byte)), u32::from(*byte >> 4)))
}

fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of the standard");
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        assert!(score(b"PK\x03\x04").is_err());
        assert!(score(b"PK\x05\x06 and nothing more").is_err());
    }
}
