//! A take as a table for spreadsheets: comma-separated values as RFC 4180 has them, in UTF-8, a line a note.

use std::fmt::Write as _;

use crate::music::{BarNumber, Pitch};
use crate::time::Micros;

/// The columns.
pub const HEADER: &str = "time s,key,name,velocity,duration s,hand,bar,beat,verdict,deviation ms";

/// A line of the table: a played note, or a written one that was not played.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// When it was played, from the first message on; `None` if it was not.
    pub at: Option<Micros>,
    /// The key.
    pub pitch: Pitch,
    /// What the key is called.
    pub name: &'a str,
    /// How hard, 1 to 127.
    pub velocity: Option<u8>,
    /// How long the key was down.
    pub duration: Option<Micros>,
    /// Whose hand the written note is, in a word.
    pub hand: &'a str,
    /// The number of the bar of the written note.
    pub bar: Option<BarNumber>,
    /// Its beat in the bar, counted from 1; between two beats a fraction.
    pub beat: Option<f64>,
    /// What was found of it.
    pub verdict: &'a str,
    /// How far from its moment; positive is late.
    pub deviation: Option<Micros>,
}

/// The table, with its heading.
pub fn write<'a>(rows: impl IntoIterator<Item = Row<'a>>) -> String {
    let mut out = format!("{HEADER}\r\n");
    for row in rows {
        let seconds = |at: Option<Micros>| at.map(|at| format!("{:.4}", at.0 as f64 / 1e6)).unwrap_or_default();
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let deviation = row.deviation.map(|d| format!("{:.1}", d.as_millis_f64())).unwrap_or_default();
        let (time, duration) = (seconds(row.at), seconds(row.duration));
        let (velocity, bar) =
            (number(row.velocity.map(u32::from)), row.bar.map_or_else(String::new, |bar| bar.to_string()));
        let beat = row.beat.map(|beat| format!("{beat:.3}")).unwrap_or_default();
        let beat = if beat.contains('.') { beat.trim_end_matches('0').trim_end_matches('.') } else { &beat };
        let (name, hand, verdict) = (field(row.name), field(row.hand), field(row.verdict));
        let key = row.pitch.key();
        // Writing to memory cannot fail.
        let _ = write!(out, "{time},{key},{name},{velocity},{duration},{hand},{bar},{beat},{verdict},{deviation}\r\n");
    }
    out
}

/// A text as a field: in quotes where it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_field_for_each_column_and_quotes_what_must_be_quoted() {
        let played = Row {
            at: Some(Micros(1_234_560)),
            pitch: Pitch::MIDDLE_C,
            name: "C4",
            velocity: Some(71),
            duration: Some(Micros(250_000)),
            hand: "left",
            bar: Some(3.into()),
            beat: Some(2.5),
            verdict: "a \"little\", late",
            deviation: Some(Micros(-12_345)),
        };
        let (at, velocity, duration, deviation) = (None, None, None, None);
        let missed = Row { at, velocity, duration, deviation, beat: Some(10.0), verdict: "missed", ..played };
        let text = write([played, missed]);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], HEADER);
        assert_eq!(lines[1], "1.2346,60,C4,71,0.2500,left,3,2.5,\"a \"\"little\"\", late\",-12.3");
        assert_eq!(lines[2], ",60,C4,,,left,3,10,missed,");
        assert_eq!((lines[3], lines.len()), ("", 4));
        assert_eq!(lines[2].matches(',').count(), HEADER.matches(',').count());
    }
}
