//! A look at the data file before LMDB maps it: is it one, is it whole, do its pages hold together ([`super::pages`])?
//! A page that is missing would not be an error to LMDB but a SIGBUS, a page changed in its structure a SIGSEGV. Reads
//! LMDB's two meta pages, format version 1, in the byte order and for the 64-bit addresses of the machine that wrote
//! them.
//!
//! | offset in a meta page | bytes | what |
//! | ---: | ---: | --- |
//! | 10 | 2 | page flags, 8 for a meta page |
//! | 16 | 4 | magic, 0xBEEFC0DE |
//! | 20 | 4 | version, 1 |
//! | 32 | 8 | size of the map |
//! | 40 | 96 | descriptions of two tables, of free pages and of all others; the first begins with the page size, u32 |
//! | 136 | 8 | last page used |
//! | 144 | 8 | transaction that wrote this page; the higher of the two counts |

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::pages::{self, Depth};

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Bytes up to the end of the last page used.
    pub(super) used: usize,
    /// Bytes of the map when it was last written.
    pub(super) map_size: usize,
}

/// The newer of the two meta pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// Bytes of a page.
    pub(super) page: usize,
    /// The descriptions of the two tables.
    pub(super) tables: [u8; 96],
    pub(super) last_page: u64,
    map_size: u64,
    transaction: u64,
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
    #[error("page {page}: {what}")]
    Damaged { page: u64, what: String },
}

const META: usize = 152;
/// Pages that a file may lack at its end: a transaction that takes pages and gives them back does not write them.
const TAIL_PAGES: u64 = 4_096;
/// No data file, and no map, is larger than this: 16 TiB.
const SIZE_MAX: u64 = 1 << 44;
/// Files up to this size are always looked at whole: 32 MiB, 100 000 events, about 25 ms.
const WHOLE_MAX: u64 = 32 << 20;
/// Walks begun again because a program at work changed the file meanwhile.
const WALKS: usize = 3;

/// Checks the data file. `None` for a file that is absent or empty: a new store.
///
/// A program may be at work on the file: what one commit leaves is overwritten by the next but one at the earliest, so
/// that a walk counts if no commit came between its begin and its end.
pub(super) fn check(path: &Path, depth: Depth) -> Result<Option<Image>, ImageError> {
    if !cfg!(target_pointer_width = "64") {
        // LMDB writes another layout there, and nobody has tried it.
        return Ok(None);
    }
    let mut file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    let mut meta = newest_meta(&mut file)?;
    for _ in 0..WALKS {
        let have = file.metadata()?.len();
        let need = (meta.last_page + 1) * meta.page as u64;
        let walked = match depth {
            _ if have + TAIL_PAGES * (meta.page as u64) < need => return Err(ImageError::CutShort { have, need }),
            _ if have < need => {
                let whole = pages::walk(&mut file, &meta, Depth::All);
                whole.map_err(|_| ImageError::CutShort { have, need })
            }
            _ if need <= WHOLE_MAX => pages::walk(&mut file, &meta, Depth::All),
            _ => pages::walk(&mut file, &meta, depth),
        };
        let after = newest_meta(&mut file)?;
        if after == meta {
            walked?;
            break;
        }
        meta = after;
    }
    let size = |bytes: u64| usize::try_from(bytes).map_err(|_| ImageError::Foreign("too large for this machine"));
    Ok(Some(Image { used: size((meta.last_page + 1) * meta.page as u64)?, map_size: size(meta.map_size)? }))
}

pub(super) fn newest_meta(file: &mut File) -> Result<Meta, ImageError> {
    let have = file.metadata()?.len();
    let first = read_meta(file, 0, have)?;
    let second = read_meta(file, first.page as u64, have)?;
    Ok(if second.transaction > first.transaction { second } else { first })
}

/// The meta pages that can be read, the newer one first; at least one.
pub(super) fn metas(file: &mut File) -> Result<Vec<Meta>, ImageError> {
    let have = file.metadata()?.len();
    let first = read_meta(file, 0, have);
    let sizes: Vec<u64> = match &first {
        Ok(meta) => vec![meta.page as u64],
        Err(_) => (9..=15).map(|shift| 1 << shift).collect(),
    };
    let second = sizes.into_iter().find_map(|page| read_meta(file, page, have).ok().filter(|m| m.page as u64 == page));
    let mut metas: Vec<Meta> = second.into_iter().collect();
    match first {
        Ok(meta) => metas.push(meta),
        Err(error) if metas.is_empty() => return Err(error),
        Err(_) => {}
    }
    metas.sort_by_key(|meta| std::cmp::Reverse(meta.transaction));
    Ok(metas)
}

fn read_meta(file: &mut File, at: u64, have: u64) -> Result<Meta, ImageError> {
    let mut bytes = [0; META];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof if at == 0 => ImageError::Foreign("too short"),
        ErrorKind::UnexpectedEof => ImageError::CutShort { have, need: at * 2 },
        _ => ImageError::Io(e),
    })?;
    let half = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_ne_bytes(word)
    };
    if u16::from_ne_bytes([bytes[10], bytes[11]]) & 8 == 0 || half(16) != 0xBEEF_C0DE {
        return Err(ImageError::Foreign("no LMDB header"));
    }
    if half(20) != 1 {
        return Err(ImageError::Foreign("another version of LMDB"));
    }
    let page = match half(40) {
        page @ 512..=32_768 if page.is_power_of_two() => page as usize,
        _ => return Err(ImageError::Foreign("an impossible page size")),
    };
    let mut tables = [0; 96];
    tables.copy_from_slice(&bytes[40..136]);
    // The page size stands where a table has its padding.
    tables[..4].fill(0);
    let meta = Meta { page, tables, last_page: word(136), map_size: word(32), transaction: word(144) };
    match meta.last_page >= 1 && meta.last_page < SIZE_MAX / page as u64 && meta.map_size <= SIZE_MAX {
        true => Ok(meta),
        false => Err(ImageError::Foreign("an impossible size")),
    }
}
