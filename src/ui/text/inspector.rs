//! The inspector's words that have a number, a name or a moment in them.

use crate::bus::inspect::{
    Counts, DeadLetter, EventId, Fill, Histogram, LaneReport, Report, StoreSize, SubscriberReport,
};
use crate::music::Pitch;
use crate::time::Micros;

use super::super::view::{Callback, Failure, Lab, LocalTime, MidiView, NoteNames, Side};
use super::{DOT, NONE, count, midi, moment, tr};

/// Who made an edit, and when.
pub fn side(side: &Side) -> String {
    let at = side.at.map_or_else(|| NONE.to_owned(), moment);
    format!("{}{DOT}{at}{DOT}{:x}:{}", side.actor, side.device & 0xffff, side.number)
}

/// What a failure is called, and what it does.
pub fn failure(failure: Failure) -> (&'static str, &'static str) {
    match failure {
        Failure::Frozen => ("Frozen disk", "No commit comes back; what is played waits in memory."),
        Failure::Full => ("Full disk", "Every commit is refused for want of room, and tried again."),
        Failure::Failing => ("Failing disk", "Every commit fails, and is tried again with a growing wait."),
        Failure::Slow => ("Slow components", "Each event takes a second to handle; nobody else waits."),
        Failure::Deaf => ("Lost acknowledgements", "What components acknowledge is lost; after 5 s events come again."),
        Failure::Stuck => {
            ("Lanes not drained", "The bus takes nothing that is played; the lanes fill until this is off.")
        }
        Failure::Behind => ("Clock behind", "The wall clock goes back an hour; stamps still only grow."),
        Failure::Ahead => ("Clock ahead", "The wall clock leaps a day ahead."),
    }
}

/// What of the laboratory is on; `None` if nothing is.
pub fn laboratory_on(lab: &Lab) -> Option<String> {
    let on: Vec<&str> = Failure::ALL.into_iter().filter(|f| lab.is_on(*f)).map(|f| failure(f).0).collect();
    (!on.is_empty()).then(|| format!("{} is on: {}", tr().laboratory, on.join(", ")))
}

/// As of which event, and when that was.
pub fn as_of(seq: u64, at: Option<LocalTime>) -> String {
    let at = at.map_or_else(|| "…".to_owned(), moment);
    format!("as of event {}{DOT}{at}", count(seq))
}

/// The name of a row that shows an entity's history.
pub fn history_of(entity: &str) -> String {
    format!("{} of {entity}", tr().history)
}

/// The name of the button that does again what lost a conflict.
pub fn bring_back(entity: &str, number: u64) -> String {
    format!("{} edit {number} of {entity}", tr().bring_back)
}

/// What a button of a dead letter does, in full.
pub fn letter_action(action: &str, letter: &DeadLetter) -> String {
    format!("{action} event {} for {}", letter.seq, letter.subscriber)
}

/// Under the inspector's title.
pub fn bus_context(report: &Report) -> String {
    let parts = [format!("{} topics", report.topics.len()), format!("{} entities", count(report.entities as u64))];
    parts.join(DOT)
}

/// `3 of 8 192 · high 41`.
pub fn fill(fill: Fill) -> String {
    let (used, capacity) = (count(fill.used as u64), count(fill.capacity as u64));
    format!("{used} of {capacity}{DOT}high {}", count(fill.high_water as u64))
}

/// How often a second: `1 240/s`, `4.9/s`.
pub fn per_second(rate: f32) -> String {
    match rate {
        slow if slow > 0.0 && slow < 10.0 => format!("{slow:.1}/s"),
        fast => format!("{}/s", count(fast.round() as u64)),
    }
}

/// How full a lane is, and what it lost.
pub fn lane(lane: &LaneReport) -> String {
    let gaps = if lane.gaps > 0 { format!("{DOT}{} lost", count(lane.lost)) } else { String::new() };
    let closed = if lane.closed { format!("{DOT}closed") } else { String::new() };
    format!("{}{gaps}{closed}", fill(lane.fill))
}

/// The bus thread in a line.
pub fn bus_line(report: &Report) -> String {
    let p99 = report.step.quantile(0.99);
    format!("applied {}{DOT}step p99 {}", count(report.applied), short_micros(p99.0 as u64))
}

/// The persister in a line.
pub fn persister_line(report: &Report) -> String {
    format!("durable {}{DOT}{} to write", count(report.durable), count(report.undurable.used as u64))
}

/// Snapshots in a line.
pub fn snapshot_line(report: &Report, lost: u64) -> String {
    let tail = if lost > 0 { format!("{DOT}{} lost", count(lost)) } else { String::new() };
    format!("{} stored{tail}", count(report.counts.snapshots))
}

/// Components in a line.
pub fn components_line(running: usize, parked: usize) -> String {
    let tail = if parked > 0 { format!("{DOT}{parked} parked") } else { String::new() };
    format!("{running} running{tail}")
}

/// Bytes in as few signs as it takes: `312 MB`.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{} B", count(bytes)),
        10_000..=9_999_999 => format!("{} kB", count(bytes / 1_000)),
        10_000_000..=9_999_999_999 => format!("{} MB", count(bytes / 1_000_000)),
        _ => format!("{} GB", count(bytes / 1_000_000_000)),
    }
}

/// A part of a whole.
pub fn part(part: u64, whole: u64) -> String {
    match (part * 100).checked_div(whole) {
        None => NONE.to_owned(),
        Some(0) if part > 0 => "< 1 %".to_owned(),
        Some(share) => format!("{share} %"),
    }
}

/// Pages of the map that no table uses.
pub fn free(bytes_free: u64) -> String {
    format!("{} free in it", bytes(bytes_free))
}

/// `of 42 entities`.
pub fn entities(n: u64) -> String {
    format!("of {} entities", count(n))
}

/// What an event takes in the log.
pub fn bytes_each(store: &StoreSize) -> String {
    let log = store.tables.iter().find(|table| table.name == "log");
    let each = log.and_then(|log| log.bytes.checked_div(log.entries));
    each.map_or_else(|| NONE.to_owned(), bytes)
}

/// What was handed to the database for each event applied since the start.
pub fn written_each(report: &Report) -> String {
    let each = report.counts.bytes_committed.checked_div(report.counts.applied);
    each.map_or_else(|| "nothing written yet".to_owned(), |each| format!("{} handed over for each", bytes(each)))
}

/// Commits, and how many events each took.
pub fn batches(counts: &Counts) -> String {
    let each = counts.applied as f64 / counts.commits.max(1) as f64;
    format!("{}{DOT}{each:.1} events each", count(counts.commits))
}

/// What would be lost if the machine stopped now.
pub fn undurable(report: &Report) -> String {
    format!("{}{DOT}{}", count(report.undurable.used as u64), bytes(report.undurable_bytes as u64))
}

/// Blocks that were measured, and the worst of them.
pub fn callback(callback: &Callback) -> String {
    let blocks: u64 = callback.loads.iter().map(|count| u64::from(*count)).sum();
    format!("{} blocks{DOT}worst {:.0} %", count(blocks), callback.worst * 100.0)
}

/// The backend and the number of its stream.
pub fn backend_stream(backend: &str, stream: u32) -> String {
    format!("{backend}{DOT}stream {stream}")
}

/// How long until a retry, seen from `now`.
pub fn due_in(due: Option<Micros>, now: Micros) -> String {
    match due {
        Some(due) if due > now => format!("in {:.1} s", (due - now).0 as f64 / 1e6),
        Some(_) => "now".to_owned(),
        None => NONE.to_owned(),
    }
}

/// The store in a line.
pub fn store_line(store: &StoreSize) -> String {
    let share = (store.map_used * 100).checked_div(store.map_size).unwrap_or(0);
    format!("{}{DOT}map {share} %", bytes(store.bytes))
}

/// A duration in as few signs as it takes: `64 µs`, `4 ms`, `2 s`.
pub fn short_micros(micros: u64) -> String {
    match micros {
        0..=999 => format!("{micros} µs"),
        1_000..=999_999 => format!("{:.0} ms", micros as f64 / 1e3),
        _ => format!("{:.0} s", micros as f64 / 1e6),
    }
}

/// `p50 1 ms · p99 8 ms`.
pub fn quantiles(histogram: &Histogram) -> String {
    let at = |q| short_micros(histogram.quantile(q).0.max(0) as u64);
    format!("p50 {}{DOT}p99 {}", at(0.5), at(0.99))
}

/// How a subscriber stands.
pub fn subscriber_state(s: &SubscriberReport) -> String {
    if s.parked {
        format!("parked: {} panics", s.panics)
    } else if !s.attached {
        "away".to_owned()
    } else if s.held > 0 {
        format!("{} held for a retry", s.held)
    } else if s.pending > 0 {
        "at work".to_owned()
    } else {
        "waiting".to_owned()
    }
}

/// How many are listed: `Entities · 208`.
pub fn listed(what: &str, n: usize) -> String {
    format!("{what}{DOT}{n}")
}

/// Down to where a search has come: `searched down to event 1 280 000`.
pub fn searched_to(low: u64) -> String {
    format!("searched down to event {}", count(low))
}

/// `1 284 907 of 1 284 907`.
pub fn place_of(seq: u64, end: u64) -> String {
    format!("{} of {}", count(seq), count(end))
}

/// The title of an event's details.
pub fn event_title(seq: u64, topic: &str) -> String {
    format!("{} {}{DOT}{topic}", tr().event, count(seq))
}

/// An event's name for ever: machine and number.
pub fn event_id(id: EventId) -> String {
    format!("{:016x}:{}", id.device.0, id.device_seq)
}

/// A hybrid stamp: its wall time and its counter.
pub fn hybrid(hlc: u64, offset: i32, at: Option<LocalTime>) -> String {
    let day = at.map_or_else(String::new, |at| format!("{:04}-{:02}-{:02} ", at.year, at.month, at.day));
    format!("{day}{}{DOT}counter {}", wall_clock(hlc, offset), hlc & 0xffff)
}

/// Microseconds of some clock.
pub fn micros(at: Micros) -> String {
    format!("{} µs", count(at.0.unsigned_abs()))
}

/// A frame and its stream.
pub fn frame(frame: i64, stream: u32) -> String {
    format!("{} of stream {stream}", count(frame.unsigned_abs()))
}

/// A schema with its version.
pub fn schema(name: &str, version: u16) -> String {
    format!("{name} {version}")
}

/// The name of a row that leads to another event.
pub fn go_to_event(seq: u64) -> String {
    format!("Go to event {seq}")
}

/// A hop: how long it took, and how long after the first that was.
pub fn hop(took: Micros, since: Micros) -> String {
    let fine = |micros: Micros| {
        // A moment may lie ahead: the music was told when to begin.
        let sign = if micros.0 < 0 { "−" } else { "" };
        match micros.0.unsigned_abs() {
            short @ 1_000..=99_999 => format!("{sign}{:.1} ms", short as f64 / 1e3),
            other => format!("{sign}{}", short_micros(other)),
        }
    };
    format!("{}{DOT}at {}", fine(took), fine(since))
}

/// Milliseconds until an event was applied, and from there to the disk if it is there.
pub fn delays(applied: Micros, durable: Option<Micros>) -> String {
    let millis = |micros: Micros| format!("{:.1}", micros.as_millis_f64());
    format!("{}{DOT}{}", millis(applied), durable.map_or_else(|| "…".to_owned(), millis))
}

/// A hop for screen readers.
pub fn hop_in_words(name: &str, hop: &str) -> String {
    format!("{name}: {hop}")
}

/// An event for screen readers.
pub fn event_in_words(seq: u64, topic: &str, entity: &str) -> String {
    format!("Event {seq}, {topic}, {entity}")
}

/// The time of day of a hybrid stamp, so many minutes east of Greenwich, to the millisecond.
pub fn wall_clock(hlc: u64, offset: i32) -> String {
    let millis = ((hlc >> 16) as i64 + i64::from(offset) * 60_000).rem_euclid(86_400_000);
    let (seconds, rest) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// An event in a line: a MIDI message as people read it, else the payload.
pub fn event_line(payload: &serde_json::Value, names: NoteNames) -> String {
    midi_message(payload).map_or_else(|| payload_line(payload), |message| midi(&message, names))
}

/// What was played, if that is what a payload tells.
fn midi_message(payload: &serde_json::Value) -> Option<MidiView> {
    let byte = |name: &str| u8::try_from(payload.get(name)?.as_u64()?).ok();
    let (status, first, second) = (byte("status")?, byte("data1")?, byte("data2")?);
    match (status & 0xf0, second) {
        (0x90, 1..) => Some(MidiView::On(Pitch::new(first)?, second)),
        (0x80 | 0x90, _) => Some(MidiView::Off(Pitch::new(first)?)),
        (0xb0, _) => Some(MidiView::Control(first, second)),
        _ => None,
    }
}

/// A payload in a line: its fields without braces.
pub fn payload_line(payload: &serde_json::Value) -> String {
    match payload {
        serde_json::Value::Object(fields) => {
            fields.iter().map(|(k, v)| format!("{k} {v}")).collect::<Vec<_>>().join(DOT)
        }
        serde_json::Value::Null => NONE.to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_played_reads_as_music_and_the_rest_as_fields() {
        let check = |payload: serde_json::Value, expected: &str| {
            assert_eq!(event_line(&payload, NoteNames::English), expected);
        };
        check(json!({"status": 0x90, "data1": 60, "data2": 71}), "C4 on, velocity 71");
        check(json!({"status": 0x93, "data1": 60, "data2": 0}), "C4 off");
        check(json!({"status": 0xb0, "data1": 64, "data2": 127}), "sustain pedal 127");
        check(json!({"status": 0xe0, "data1": 1, "data2": 2}), "data1 1 · data2 2 · status 224");
        check(json!({"status": 0x90, "data1": 200, "data2": 71}), "data1 200 · data2 71 · status 144");
        check(json!(null), NONE);
    }

    #[test]
    fn sizes_and_shares_stay_short() {
        let sizes = [812, 4_300_000, 312_000_000, 20_000_000_000].map(bytes);
        assert_eq!(sizes, ["812 B", "4\u{2009}300 kB", "312 MB", "20 GB"]);
        assert_eq!([part(1, 4), part(1, 1_000), part(0, 9), part(1, 0)], ["25 %", "< 1 %", "0 %", NONE]);
    }

    #[test]
    fn a_retry_is_due_in_so_many_seconds_or_now() {
        let due = |due: i64| due_in(Some(Micros(due)), Micros(1_000_000));
        assert_eq!([due(5_800_000), due(1_000_000), due_in(None, Micros::ZERO)], ["in 4.8 s", "now", NONE]);
    }
}
