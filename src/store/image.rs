//! A look at the data file before LMDB maps it: a file that ends before the last page its header speaks of would not
//! be an error to LMDB but a SIGBUS. Reads LMDB's two meta pages, format version 1, as the machine that wrote them did.
//!
//! | offset in a meta page | bytes | what |
//! | ---: | ---: | --- |
//! | 10 | 2 | page flags, 8 for a meta page |
//! | 16 | 4 | magic, 0xBEEFC0DE |
//! | 20 | 4 | version, 1 |
//! | 32 | 8 | size of the map |
//! | 40 | 4 | page size (in the first of two table descriptions of 48 bytes) |
//! | 136 | 8 | last page used |
//! | 144 | 8 | transaction that wrote this page; the higher of the two counts |

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Bytes up to the end of the last page used.
    pub(super) used: usize,
    /// Bytes of the map when it was last written.
    pub(super) map_size: usize,
}

/// Why the file should not be mapped.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImageError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("it is not a data file of this program ({0})")]
    Foreign(&'static str),
    #[error("it has {have} bytes and should have {need}")]
    CutShort { have: u64, need: u64 },
}

const META: usize = 152;

/// Reads the header and compares it with the file's length. `None` for a file that is absent or empty: a new store.
pub(super) fn check(path: &Path) -> Result<Option<Image>, ImageError> {
    let mut file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let have = file.metadata()?.len();
    if have == 0 {
        return Ok(None);
    }
    let mut meta = [[0; META]; 2];
    read_at(&mut file, 0, &mut meta[0], have)?;
    let page = page_size(&meta[0])?;
    read_at(&mut file, page, &mut meta[1], have)?;
    page_size(&meta[1])?;
    let newest = if word(&meta[1], 144) > word(&meta[0], 144) { &meta[1] } else { &meta[0] };
    let need = word(newest, 136).checked_add(1).and_then(|pages| pages.checked_mul(page));
    let need = need.filter(|n| *n < 1 << 48).ok_or(ImageError::Foreign("an impossible size"))?;
    if have < need {
        return Err(ImageError::CutShort { have, need });
    }
    let size = |n: u64| usize::try_from(n).map_err(|_| ImageError::Foreign("too large for this machine"));
    Ok(Some(Image { used: size(need)?, map_size: size(word(newest, 32).min(1 << 47))? }))
}

fn read_at(file: &mut File, at: u64, out: &mut [u8; META], have: u64) -> Result<(), ImageError> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(out).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof if at == 0 => ImageError::Foreign("too short"),
        ErrorKind::UnexpectedEof => ImageError::CutShort { have, need: at * 2 },
        _ => ImageError::Io(e),
    })
}

/// Checks that this is a meta page; gives its page size.
fn page_size(meta: &[u8; META]) -> Result<u64, ImageError> {
    let half = |at: usize| u32::from_ne_bytes([meta[at], meta[at + 1], meta[at + 2], meta[at + 3]]);
    if u16::from_ne_bytes([meta[10], meta[11]]) & 8 == 0 || half(16) != 0xBEEF_C0DE {
        return Err(ImageError::Foreign("no LMDB header"));
    }
    if half(20) != 1 {
        return Err(ImageError::Foreign("another version of LMDB"));
    }
    match half(40) {
        page @ 512..=65_536 if page.is_power_of_two() => Ok(page.into()),
        _ => Err(ImageError::Foreign("an impossible page size")),
    }
}

fn word(meta: &[u8; META], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&meta[at..at + 8]);
    u64::from_ne_bytes(bytes)
}
