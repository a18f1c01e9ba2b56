//! Where a key that is not written belongs.

use super::options::PracticeSettings;
use crate::music::{NoteId, Score};
use crate::time::Ticks;

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
