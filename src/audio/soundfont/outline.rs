//! A look at the outline of a SoundFont before it is read: every size lies within what is there, every index grows, and
//! the whole asks for no more memory and no more work per note than is bounded here. A file that lies about its sizes is
//! refused before anything is reserved for it. After the SoundFont specification 2.04, sections 4 to 7.

use std::io::{Read, Seek, SeekFrom};

/// Frames of all samples of a compressed font once they are unpacked: a gibibyte.
const FRAMES_MAX: u64 = 1 << 29;
/// Zones that one key may have to look at: the largest pianos have some thousand.
const ZONES_PER_PRESET_MAX: usize = 1 << 14;
/// Tables larger than this are refused: indices have 16 bits, records up to 46 bytes.
const TABLE_MAX: u64 = 65_536 * 46;

/// What is wrong, in a few words; or that the file could not be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// The font contradicts itself or breaks off.
    Damaged(String),
    /// The system's words.
    Unreadable(std::io::Error),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            damaged("it breaks off")
        } else {
            Self::Unreadable(error)
        }
    }
}

fn damaged(what: impl Into<String>) -> Fault {
    Fault::Damaged(what.into())
}

/// A stretch of the file.
#[derive(Clone, Copy)]
struct Chunk {
    id: [u8; 4],
    start: u64,
    end: u64,
}

impl Chunk {
    fn name(&self) -> String {
        String::from_utf8_lossy(&self.id).into_owned()
    }

    fn bytes(&self, file: &mut (impl Read + Seek), most: u64) -> Result<Vec<u8>, Fault> {
        if self.end - self.start > most {
            return Err(damaged(format!("its table {} has {} bytes", self.name(), self.end - self.start)));
        }
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = vec![0; (self.end - self.start) as usize];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// The chunks between two places of the file. Within a list a byte of padding follows an odd one; between the lists
/// MuseScore's fonts have none, and rustysynth expects none.
fn chunks(file: &mut (impl Read + Seek), start: u64, end: u64, padded: bool) -> Result<Vec<Chunk>, Fault> {
    const CHUNKS_MAX: usize = 64;
    let (mut at, mut found) = (start, Vec::new());
    // A byte of padding may stand at the end.
    while at + 1 < end {
        let mut head = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head)?;
        let [a, b, c, d, size @ ..] = head;
        let (id, start) = ([a, b, c, d], at + 8);
        let chunk = Chunk { id, start, end: start + u64::from(u32::from_le_bytes(size)) };
        if chunk.end > end {
            return Err(damaged(format!("its part {} ends behind the end", chunk.name())));
        }
        if found.len() == CHUNKS_MAX {
            return Err(damaged("it has too many parts"));
        }
        at = chunk.end + u64::from(padded) * ((chunk.end - start) % 2);
        found.push(chunk);
    }
    Ok(found)
}

/// Checks a file of `length` bytes that begins with `RIFF`, size and `sfbk`.
pub(super) fn check(file: &mut (impl Read + Seek), length: u64) -> Result<(), Fault> {
    let mut tables = Vec::new();
    let mut samples = None;
    for list in chunks(file, 12, length, false)?.iter().filter(|c| &c.id == b"LIST") {
        if list.end - list.start < 4 {
            return Err(damaged("it has an empty list"));
        }
        for chunk in chunks(file, list.start + 4, list.end, true)? {
            match &chunk.id {
                b"smpl" => samples = Some(chunk),
                b"phdr" | b"pbag" | b"pgen" | b"inst" | b"ibag" | b"igen" | b"shdr" => tables.push(chunk),
                _ => {}
            }
        }
    }
    let mut table = |id: &[u8; 4], size: usize| {
        let chunk = tables.iter().find(|c| &c.id == id);
        let chunk = chunk.ok_or_else(|| damaged(format!("it has no {}", String::from_utf8_lossy(id))))?;
        let bytes = chunk.bytes(file, TABLE_MAX)?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(size) {
            return Err(damaged(format!("its table {} is not of whole records", chunk.name())));
        }
        Ok(bytes)
    };
    let [presets, preset_zones, preset_generators] = [table(b"phdr", 38)?, table(b"pbag", 4)?, table(b"pgen", 4)?];
    let [instruments, zones, generators] = [table(b"inst", 22)?, table(b"ibag", 4)?, table(b"igen", 4)?];
    let headers = table(b"shdr", 46)?;
    grows("presets", &presets, 38, 24, preset_zones.len() / 4)?;
    grows("preset zones", &preset_zones, 4, 0, preset_generators.len() / 4)?;
    grows("instruments", &instruments, 22, 20, zones.len() / 4)?;
    grows("zones", &zones, 4, 0, generators.len() / 4)?;
    match samples {
        Some(chunk) => unpacked(file, chunk, &headers),
        None => Err(damaged("it has no samples")),
    }
}

/// Each record of a table of `size` bytes each points, with the two bytes at `offset`, into another table with `limit`
/// records: never backwards and never behind its end.
fn grows(name: &str, table: &[u8], size: usize, offset: usize, limit: usize) -> Result<(), Fault> {
    let mut before = 0;
    for (number, record) in table.chunks_exact(size).enumerate() {
        let index = usize::from(u16::from_le_bytes([record[offset], record[offset + 1]]));
        if index < before || index >= limit {
            return Err(damaged(format!("number {} of its {name} points to {index}", number + 1)));
        }
        before = index;
    }
    Ok(())
}

/// Bounds what a compressed font unpacks to: no sample longer than its packets allow, no stream counted too often.
fn unpacked(file: &mut (impl Read + Seek), samples: Chunk, headers: &[u8]) -> Result<(), Fault> {
    let mut head = [0; 4];
    file.seek(SeekFrom::Start(samples.start))?;
    if samples.end - samples.start < 4 {
        return Err(damaged("it has no samples"));
    }
    file.read_exact(&mut head)?;
    if &head != b"OggS" {
        return Ok(());
    }
    let bytes = samples.bytes(file, super::BYTES_MAX)?;
    let asked: u64 = headers
        .chunks_exact(46)
        .map(|h| [20, 24].map(|at| u32::from_le_bytes([h[at], h[at + 1], h[at + 2], h[at + 3]])))
        .map(|[start, end]| u64::from(end.saturating_sub(start)))
        .sum();
    // Two channels may share a stream.
    if asked > 2 * bytes.len() as u64 {
        return Err(damaged("its samples are larger than the file"));
    }
    let frames = 2 * packets(&bytes) * block_max(&bytes) / 2;
    if frames > FRAMES_MAX {
        return Err(damaged(format!("its samples would unpack to {frames} frames")));
    }
    Ok(())
}

/// Packets of all Ogg pages that could be found in `bytes` (RFC 3533, section 6).
fn packets(bytes: &[u8]) -> u64 {
    let pages = bytes.windows(27).enumerate().filter(|(_, w)| w.starts_with(b"OggS"));
    let ends = |(at, page): (usize, &[u8])| {
        let lacing = bytes[at + 27..].iter().take(usize::from(page[26]));
        lacing.filter(|&&size| size < 255).count() as u64
    };
    pages.map(ends).sum()
}

/// The longest Vorbis block that a header among `bytes` announces, in frames (Vorbis I, section 4.2.2).
fn block_max(bytes: &[u8]) -> u64 {
    let headers = bytes.windows(30).filter(|w| w.starts_with(b"\x01vorbis"));
    headers.map(|w| 1 << (w[28] >> 4).min(13)).max().unwrap_or(8_192)
}

/// Refuses a font in which a key would have to look through too many zones, or an instrument refers to what is not
/// there.
pub(super) fn check_zones(font: &rustysynth::SoundFont) -> Result<(), String> {
    for preset in font.get_presets() {
        let zones: Option<usize> = preset
            .get_regions()
            .iter()
            .map(|region| font.get_instruments().get(region.get_instrument_id()).map(|i| 1 + i.get_regions().len()))
            .sum();
        match zones {
            None => return Err(format!("{} refers to an instrument that is not there", preset.get_name())),
            Some(zones) if zones > ZONES_PER_PRESET_MAX => {
                return Err(format!("{} has {zones} zones", preset.get_name()));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
