//! Where a key that is not written belongs.

use std::collections::HashMap;

use super::options::PracticeSettings;
use super::story::courses;
use super::types::{Mode, PlayedId, PlayedNote, Verdict, VerdictKind};
use crate::music::{NoteId, Percent, Score};
use crate::time::{Micros, Ticks};

/// The bars of the wrong keys of a take that is judged as a whole: of each the bar of where the music stood when it was
/// struck, by when what is written around it was due. Not for *Wait for me*, where the music stands at what is needed.
pub fn bars_of_wrong_keys(
    score: &Score,
    settings: &PracticeSettings,
    verdicts: &[Verdict],
    played: &[PlayedNote],
) -> HashMap<PlayedId, usize> {
    let by_id: HashMap<PlayedId, PlayedNote> = played.iter().map(|note| (note.id, *note)).collect();
    let courses = courses(score, settings.mode, verdicts, &by_id);
    let is_wrong = |v: &&Verdict| v.written.is_none() && v.kind != VerdictKind::Neutral && settings.mode != Mode::Wait;
    let bar = |verdict: &Verdict| {
        let note = by_id.get(&verdict.played?)?;
        let written = courses.get(&verdict.pass).and_then(|course| course.written(note.at));
        let tick = |time: i64| Ticks(score.tempo().ticks_f64(Micros(time), Percent::FULL).round() as i64);
        let (range_start, _) = settings.ticks(score.bars());
        Some((note.id, bar_of_wrong_key(score, settings, written.map_or(range_start, tick))))
    };
    verdicts.iter().filter(is_wrong).filter_map(bar).collect()
}

/// The index of the bar of a wrong key, struck while the music stood at a tick: that of the practised note written
/// nearest to it, as one just before a bar line was meant for the bar to come.
pub fn bar_of_wrong_key(score: &Score, settings: &PracticeSettings, tick: Ticks) -> usize {
    let (from, to) = settings.ticks(score.bars());
    let notes = score.notes();
    let after = notes.partition_point(|note| note.onset < tick);
    let beat = |index: usize| {
        let beat = score.beat(NoteId(index as u32));
        (settings.practise.contains(notes[index].hand) && (from..to).contains(&beat)).then_some(beat)
    };
    let last = (0..after).rev().find_map(beat);
    let next = (after..notes.len()).find_map(beat);
    let nearest = last.into_iter().chain(next).min_by_key(|beat| (beat.0 - tick.0).abs());
    score.bars().index_at(nearest.unwrap_or(tick))
}
