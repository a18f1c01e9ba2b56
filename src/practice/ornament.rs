//! Trills and their like: while one lasts its keys are neither right nor wrong, however often they are struck.

use super::story::courses;
use super::types::{Mode, PlayedNote, Verdict, VerdictKind};
use crate::music::{OrnamentSpan, Percent, Pitch, Score};
use crate::time::{Micros, Ticks};

/// How much earlier or later than written an ornament may begin or end: as much as a note may be off and be called
/// relaxed.
pub const SLACK: Micros = Micros::from_millis(150);

/// Whether any of the ornaments, in order, that is written between two ticks has a key; `None` is any key.
pub fn permits(ornaments: &[OrnamentSpan], pitch: Option<Pitch>, (from, to): (Ticks, Ticks)) -> bool {
    let begun = ornaments.iter().take_while(|ornament| ornament.from <= to);
    begun.filter(|ornament| from <= ornament.to).any(|ornament| pitch.is_none_or(|pitch| ornament.permits(pitch)))
}

/// Takes wrong keys of a whole take for neutral that belong to an ornament, by when what is written around it was
/// played. `played` are the key-downs by time.
pub fn settle(score: &Score, mode: Mode, verdicts: &mut [Verdict], played: &[PlayedNote]) {
    if score.ornaments().is_empty() {
        return;
    }
    let by_id = played.iter().map(|note| (note.id, *note)).collect();
    let courses = courses(score, mode, verdicts, &by_id);
    let time = |tick: Ticks| score.tempo().micros(tick, Percent::FULL).0;
    let during = |note: &PlayedNote, pass: u32, ornament: &OrnamentSpan| {
        let course = courses.get(&pass)?;
        let (from, to) = (course.at(time(ornament.from))?, course.at(time(ornament.to))?);
        Some((from - SLACK..=to + SLACK).contains(&note.at))
    };
    for verdict in verdicts.iter_mut().filter(|v| v.kind == VerdictKind::Extra) {
        let Some(note) = verdict.played.and_then(|id| by_id.get(&id)) else { continue };
        let permitted = score.ornaments().iter().filter(|ornament| ornament.permits(note.pitch));
        if permitted.into_iter().any(|ornament| during(note, verdict.pass, ornament) == Some(true)) {
            verdict.kind = VerdictKind::Neutral;
        }
    }
}
