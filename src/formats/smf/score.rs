//! A MIDI file as a score: what is to be played, by which hand, and how it is written.

use super::super::hands::{self, Assigned, Part};
use super::super::heading::is_title;
use super::super::notate;
use super::super::{FormatError, Reading};
use super::chunks::{Chunks, Division, TrackBytes, split};
use super::lyrics;
use super::performance::Performance;
use super::track::{self, RawNote, Track};
use super::{DURATION_MICROS_MAX, TICKS_MAX};
use crate::music::{Meter, Percent, Score, ScoreParts, Tempo, TempoMap};
use crate::time::{Micros, Ticks};

/// Reads a Standard MIDI File as a score. Hands come from the tracks' names and pitches, else from channels, else from
/// a split that follows the hands ([`hands::assign`]).
///
/// # Errors
/// Any [`FormatError`] but [`FormatError::Notation`].
pub fn read(bytes: &[u8]) -> Result<Reading, FormatError> {
    let Chunks { format, division, tracks: raw, warnings } = split(bytes)?;
    let mut tracks = tracks(&raw, format)?;
    let mut warnings = notices(warnings, &tracks, format);
    let map = tempo_map(division, &tracks);
    let latest = latest_tick(&map);
    let mut late = 0;
    for track in &mut tracks {
        let before = track.notes.len();
        track.notes.retain(|n| n.onset <= latest);
        late += before - track.notes.len();
        track.pedals.retain(|p| p.tick.0 <= latest);
    }
    if late > 0 {
        warnings.push(format!("{late} notes more than a day into the piece are left out"));
    }
    if tracks.iter().all(|t| t.notes.is_empty()) {
        return Err(FormatError::NoNotes { drums: tracks.iter().map(|t| t.drums).sum() });
    }
    let (title, composer) = heading(&tracks, format);
    let mut meters: Vec<Meter> = tracks.iter().flat_map(|t| t.meters.iter().copied()).collect();
    let pickup = pickup(&mut meters, division.resolution);
    let Assigned { notes, of } = written(&tracks, format, latest);
    let parts = ScoreParts {
        title,
        composer,
        resolution: division.resolution,
        notes,
        tempos: map.changes().collect(),
        meters,
        keys: tracks.iter().flat_map(|t| t.keys.iter().copied()).collect(),
        pedals: tracks.iter().flat_map(|t| t.pedals.iter().copied()).collect(),
        pickup,
        notation: None,
        part_names: part_names(&tracks, format),
        note_parts: of,
        displaced: Vec::new(),
        ornaments: Vec::new(),
    };
    let fine = Score::new(notate::finer(parts.clone()));
    let mut page = notate::notate(&fine);
    if let Some(page) = &mut page {
        lyrics::write(page, &lyrics::syllables(&tracks), (parts.resolution, fine.resolution()));
    }
    let fine = fine.with_notation(page);
    // The score's ticks stay the file's own: takes and graders refer to them.
    let is_fine = fine.resolution() == parts.resolution.max(1);
    let score = if is_fine { fine } else { Score::new(parts).with_page_of(fine) };
    Ok(Reading { score, warnings })
}

/// The tracks' events; in type 2 each track begins where the one before it ended.
pub(super) fn tracks(raw: &[TrackBytes<'_>], format: u16) -> Result<Vec<Track>, FormatError> {
    let mut tracks: Vec<Track> = Vec::with_capacity(raw.len());
    let mut notes = 0;
    for bytes in raw {
        let mut track = track::read(*bytes, notes)?;
        notes += track.notes.len();
        if format == 2 {
            shift(&mut track, tracks.last().map_or(0, |t| t.end));
        }
        tracks.push(track);
    }
    Ok(tracks)
}

fn shift(track: &mut Track, by: i64) {
    let by = by.min(TICKS_MAX);
    for note in track.notes.iter_mut().chain(&mut track.drum_notes) {
        note.onset += by;
        note.end += by;
    }
    // Without a tempo of its own a sequence goes at 120 quarters a minute, not at its forerunner's tempo.
    if by > 0 && !track.tempos.iter().any(|t| t.tick.0 == 0) {
        track.tempos.insert(0, Tempo { tick: Ticks(0), micros_per_quarter: 500_000 });
    }
    track.tempos.iter_mut().for_each(|t| t.tick.0 += by);
    track.meters.iter_mut().for_each(|m| m.tick.0 += by);
    track.keys.iter_mut().for_each(|k| k.tick.0 += by);
    track.pedals.iter_mut().for_each(|p| p.tick.0 += by);
    track.lyrics.iter_mut().chain(&mut track.texts).for_each(|w| w.tick += by);
    track.end += by;
}

/// Ticks to time for a whole file.
pub(super) fn tempo_map(division: Division, tracks: &[Track]) -> TempoMap {
    let changes: Vec<Tempo> = match division.fixed_quarter {
        Some(micros_per_quarter) => vec![Tempo { tick: Ticks(0), micros_per_quarter }],
        None => tracks.iter().flat_map(|t| t.tempos.iter().copied()).collect(),
    };
    TempoMap::new(division.resolution, &changes)
}

/// All that a person should know.
pub(super) fn notices(mut warnings: Vec<String>, tracks: &[Track], format: u16) -> Vec<String> {
    warnings.extend(tracks.iter().flat_map(|t| t.warnings.iter().cloned()));
    let drums: usize = tracks.iter().map(|t| t.drums).sum();
    if drums > 0 {
        warnings.push(format!("{drums} drum notes (channel 10) are left out"));
    }
    if format == 2 && tracks.len() > 1 {
        warnings.push(format!("{} sequences are played one after another", tracks.len()));
    }
    warnings
}

/// Leaves out what lies beyond the longest time that is read.
pub(super) fn drop_late(take: &mut Performance) {
    let before = take.notes.len();
    take.notes.retain(|n| n.at.0 <= DURATION_MICROS_MAX);
    take.pedals.retain(|p| p.at.0 <= DURATION_MICROS_MAX);
    for note in &mut take.notes {
        note.duration = note.duration.min(Micros(DURATION_MICROS_MAX));
    }
    let late = before - take.notes.len();
    if late > 0 {
        take.warnings.push(format!("{late} notes more than a day into the take are left out"));
    }
}

/// The last tick within the longest time that is read.
fn latest_tick(map: &TempoMap) -> i64 {
    (map.ticks_f64(Micros(DURATION_MICROS_MAX), Percent::FULL) as i64).clamp(0, 2 * TICKS_MAX)
}

fn sounding(tracks: &[Track]) -> Vec<&Track> {
    tracks.iter().filter(|t| !t.notes.is_empty()).collect()
}

/// Whether the parts are channels rather than tracks.
fn by_channel(tracks: &[Track], format: u16) -> bool {
    format == 2 || sounding(tracks).len() == 1
}

/// The channels that have notes, ascending.
fn channels(tracks: &[Track]) -> Vec<u8> {
    let mut channels: Vec<u8> = tracks.iter().flat_map(|t| t.notes.iter().map(|n| n.channel)).collect();
    channels.sort_unstable();
    channels.dedup();
    channels
}

/// What the parts are called: tracks by their names, channels by their numbers.
fn part_names(tracks: &[Track], format: u16) -> Vec<String> {
    if by_channel(tracks, format) {
        return channels(tracks).iter().map(|channel| format!("Channel {}", channel + 1)).collect();
    }
    sounding(tracks).iter().map(|track| track.name.clone()).collect()
}

fn written(tracks: &[Track], format: u16, latest: i64) -> Assigned {
    let sounding = sounding(tracks);
    let mut parts: Vec<Part> = Vec::new();
    if by_channel(tracks, format) {
        for channel in channels(tracks) {
            let of = sounding.iter().flat_map(|t| t.notes.iter()).filter(|n| n.channel == channel);
            parts.push(Part { name: String::new(), notes: of.map(|n| note(n, latest)).collect() });
        }
    } else {
        for track in sounding {
            let notes = track.notes.iter().map(|n| note(n, latest)).collect();
            parts.push(Part { name: track.name.clone(), notes });
        }
    }
    hands::assign(parts)
}

fn note(raw: &RawNote, latest: i64) -> hands::PartNote {
    hands::PartNote {
        onset: Ticks(raw.onset),
        end: Ticks(raw.end.min(latest.max(raw.onset + 1))),
        pitch: raw.pitch,
        velocity: raw.velocity,
    }
}

/// Title and composer: the headings of a karaoke file, else the name of a first track without notes, else the name of
/// the only track, unless it names a hand or is one that programs write; and who a text says composed it.
fn heading(tracks: &[Track], format: u16) -> (String, String) {
    let mut headings = tracks.iter().flat_map(|t| t.headings.iter());
    if let Some(title) = headings.next() {
        return (title.clone(), headings.next().cloned().unwrap_or_default());
    }
    let sounding = tracks.iter().filter(|t| !t.notes.is_empty()).count();
    let composer = tracks.iter().find_map(|t| t.composer.clone()).unwrap_or_default();
    match tracks.first() {
        Some(first) if first.notes.is_empty() || (format != 2 && sounding == 1) => {
            let is_title = hands::named_hand(&first.name).is_none() && is_title(&first.name);
            (if is_title { first.name.clone() } else { String::new() }, composer)
        }
        _ => (String::new(), composer),
    }
}

/// A first bar that is shorter than the next and is its only bar is a pick-up, as notation programs write it.
/// Its metre becomes the next one's.
fn pickup(meters: &mut Vec<Meter>, resolution: u16) -> Ticks {
    meters.sort_by_key(|m| m.tick);
    meters.dedup_by_key(|m| m.tick);
    if let [first, second, ..] = meters[..] {
        let short = second.tick.0 > 0 && first.tick.0 == 0 && first.bar_ticks(resolution) == second.tick.0;
        if short && first.bar_ticks(resolution) < second.bar_ticks(resolution) {
            meters.remove(0);
            meters[0].tick = Ticks(0);
            return second.tick;
        }
    }
    Ticks::ZERO
}
