//! The outer layer of a Standard MIDI File: its header and where its tracks lie.

use super::super::FormatError;
use super::super::text::beginning;
use super::TRACKS_MAX;

/// How a file counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Division {
    /// Ticks to the quarter note, at least 1; with SMPTE, ticks to the second.
    pub(super) resolution: u16,
    /// Microseconds of a quarter note that no tempo event can change: set by SMPTE.
    pub(super) fixed_quarter: Option<u32>,
}

/// One track chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrackBytes<'a> {
    /// Counted from 1, as people do.
    pub(super) number: usize,
    /// Where its events begin in the file.
    pub(super) offset: usize,
    /// Its events.
    pub(super) bytes: &'a [u8],
    /// Whether the file ends before the length the chunk gives.
    pub(super) cut: bool,
}

/// Header and tracks.
#[derive(Debug)]
pub(super) struct Chunks<'a> {
    /// 0: one track; 1: tracks together; 2: sequences one after another.
    pub(super) format: u16,
    pub(super) division: Division,
    pub(super) tracks: Vec<TrackBytes<'a>>,
    pub(super) warnings: Vec<String>,
}

/// Finds the chunks, also within an RIFF envelope.
pub(super) fn split(file: &[u8]) -> Result<Chunks<'_>, FormatError> {
    super::super::check_len(file.len() as u64)?;
    let start = midi_start(file).ok_or_else(|| FormatError::Unknown { begins: beginning(file) })?;
    let header = |problem| FormatError::Header { offset: start, problem };
    let length = be32(file, start + 4).ok_or_else(|| header("is cut off"))?;
    if length < 6 {
        return Err(header("is too short"));
    }
    let field = |at: usize| be16(file, start + 8 + at).ok_or_else(|| header("is cut off"));
    let (format, declared) = (field(0)?, usize::from(field(2)?));
    let division = division(field(4)?).ok_or_else(|| header("gives an impossible time division"))?;
    if format > 2 {
        return Err(header("gives a type other than 0, 1 and 2"));
    }
    let mut chunks = Chunks { format, division, tracks: Vec::new(), warnings: Vec::new() };
    collect_tracks(file, start.saturating_add(8).saturating_add(length), &mut chunks);
    if chunks.tracks.len() < declared {
        chunks.warnings.push(format!("the file announces {declared} tracks and has {}", chunks.tracks.len()));
    }
    Ok(chunks)
}

fn collect_tracks<'a>(file: &'a [u8], mut at: usize, chunks: &mut Chunks<'a>) {
    while let (Some(id), Some(length)) = (file.get(at..at.saturating_add(4)), be32(file, at.saturating_add(4))) {
        let offset = at + 8;
        let end = offset.saturating_add(length);
        if id == b"MTrk" {
            if chunks.tracks.len() == TRACKS_MAX {
                chunks.warnings.push(format!("more than {TRACKS_MAX} tracks: those from byte {at} on are left out"));
                return;
            }
            let bytes = &file[offset..end.min(file.len())];
            chunks.tracks.push(TrackBytes { number: chunks.tracks.len() + 1, offset, bytes, cut: end > file.len() });
        }
        at = end;
    }
}

/// Where `MThd` is: at the start, or in the data chunk of an RIFF file of kind RMID.
fn midi_start(file: &[u8]) -> Option<usize> {
    if file.starts_with(b"MThd") {
        return Some(0);
    }
    if !file.starts_with(b"RIFF") || file.get(8..12) != Some(b"RMID") {
        return None;
    }
    let mut at = 12usize;
    while let Some(id) = file.get(at..at.saturating_add(4)) {
        let length = u32::from_le_bytes(file.get(at + 4..at + 8)?.try_into().ok()?) as usize;
        if id == b"data" {
            return (file.get(at + 8..at + 12) == Some(b"MThd")).then_some(at + 8);
        }
        at = at.saturating_add(8).saturating_add(length).saturating_add(length % 2);
    }
    None
}

/// Ticks per quarter, or SMPTE frames per second times ticks per frame. 29.97 frames are 30 to 1.001 seconds.
fn division(field: u16) -> Option<Division> {
    let [high, low] = field.to_be_bytes();
    if high < 0x80 {
        return (field > 0).then_some(Division { resolution: field, fixed_quarter: None });
    }
    let (frames, quarter) = match high.wrapping_neg() {
        fps @ (24 | 25 | 30) => (u16::from(fps), 1_000_000),
        29 => (30, 1_001_000),
        _ => return None,
    };
    (low > 0).then(|| Division { resolution: frames * u16::from(low), fixed_quarter: Some(quarter) })
}

fn be16(file: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(file.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn be32(file: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(file.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_are_quarters_or_seconds() {
        let check = |field: u16, expected: Option<(u16, Option<u32>)>| {
            assert_eq!(division(field).map(|d| (d.resolution, d.fixed_quarter)), expected, "{field:04x}");
        };
        check(480, Some((480, None)));
        check(8, Some((8, None)));
        check(0, None);
        check(0xe728, Some((1_000, Some(1_000_000))));
        check(0xe350, Some((2_400, Some(1_001_000))));
        check(0x8001, None);
        check(0xe700, None);
    }
}
