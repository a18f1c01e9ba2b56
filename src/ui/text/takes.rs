//! Words about takes: what is kept, heard and looked back at.

use super::{DOT, note_octave, notes, tr};
use crate::practice::recital::Voice;
use crate::time::Micros;
use crate::ui::view::{LocalTime, NoteNames, PastInstant};

/// The name of a take that was kept: `kept 14:03–14:08`.
pub fn kept_name(first: LocalTime, last: LocalTime) -> String {
    let clock = |at: LocalTime| format!("{:02}:{:02}", at.hour, at.minute);
    match clock(first) == clock(last) {
        true => format!("kept {}", clock(first)),
        false => format!("kept {}–{}", clock(first), clock(last)),
    }
}

/// What was kept of the last five minutes.
pub fn kept(n: usize) -> String {
    format!("the last five minutes are kept as a take of their own: {}", notes(n))
}

/// What is heard of a take.
pub fn voice(voice: Voice) -> (&'static str, &'static str) {
    let t = tr();
    match voice {
        Voice::Mine => (t.voice_mine, t.voice_mine_tip),
        Voice::InMyTempo => (t.voice_warped, t.voice_warped_tip),
        Voice::AsWritten => (t.voice_written, t.voice_written_tip),
        Voice::Both => (t.voice_both, t.voice_both_tip),
    }
}

/// Where one looks back at: `0:12.340`, and the event nearest before it.
pub fn past_event(past: &PastInstant) -> String {
    let of = format!("event {} of {}", super::count(past.events as u64), super::count(past.of as u64));
    let Some((seq, topic)) = &past.event else { return of };
    let erased = if past.erased { ", erased" } else { "" };
    [of, format!("{topic}{erased}"), format!("seq {}", super::count(*seq))].join(DOT)
}

/// Keys that were down, and the pedal: `C4 E4 · pedal down`.
pub fn past_keys(past: &PastInstant, names: NoteNames) -> String {
    let down = crate::music::Pitch::from_data_byte;
    let keys: Vec<String> =
        (0..128).filter(|key| past.keys >> key & 1 == 1).map(|key| note_octave(down(key), names)).collect();
    let keys = if keys.is_empty() { tr().no_key_down.to_owned() } else { keys.join(" ") };
    let pedal = match past.pedal {
        0 => String::new(),
        1..64 => format!("pedal at {}", past.pedal),
        64.. => tr().pedal_down.to_owned(),
    };
    [keys, pedal].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(DOT)
}

/// What the judge knew: `12 of 14 right · 1 wrong key · next C4`.
pub fn past_judge(past: &PastInstant, score: Option<&crate::music::Score>, names: NoteNames) -> String {
    let Some((right, of, extra)) = past.counts else { return String::new() };
    let next: Vec<String> = (past.next.iter())
        .filter_map(|id| score?.notes().get(id.0 as usize))
        .map(|note| note_octave(note.pitch, names))
        .collect();
    let parts = [
        format!("{right} of {of} right"),
        match extra {
            0 => String::new(),
            1 => "1 wrong key".to_owned(),
            n => format!("{n} wrong keys"),
        },
        if next.is_empty() { String::new() } else { format!("next {}", next.join(" ")) },
        match past.erased_so_far {
            0 => String::new(),
            n => format!("{} erased", super::count(n as u64)),
        },
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(DOT)
}

/// What the page of a free take rests on.
pub fn page_of_free_play(beat: Option<Micros>) -> String {
    match beat.map(|beat| (60_000_000.0 / beat.0.max(1) as f64).round()) {
        Some(beats) => format!("Written down from what you played, with the beat heard in it: {beats} a minute"),
        None => tr().page_without_beat.to_owned(),
    }
}

/// A take's page for screen readers.
pub fn page_in_words(n: usize, length: Micros) -> String {
    format!("Page: {}, {}", notes(n), super::duration(length))
}
