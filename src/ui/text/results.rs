//! Words about what came out: shares, timing, bars to look at.

use super::{DOT, NONE, bar_count, moment, tr};
use crate::practice::VerdictKind;
use crate::practice::result::{BarResult, Counts, Timing, Trouble};
use crate::time::Micros;
use crate::ui::view::LastResult;

/// What a verdict is called.
pub fn verdict(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::OnTime => "on time",
        VerdictKind::Early => "early",
        VerdictKind::Late => "late",
        VerdictKind::Missed => "missed",
        VerdictKind::Extra => "wrong key",
        VerdictKind::WrongOctave => "wrong octave",
        VerdictKind::Neutral => "",
    }
}

/// A share as a percentage, `94 %`.
pub fn share(right: u32, of: u32) -> String {
    if of == 0 { NONE.to_owned() } else { format!("{:.0} %", f64::from(right) * 100.0 / f64::from(of)) }
}

/// `92 % · today 12:04`; of a part of the piece `92 % of 4 bars · today 12:04`.
pub fn last_result(last: &LastResult, part: Option<u32>) -> String {
    let of = part.map(|bars| format!(" of {}", bar_count(bars))).unwrap_or_default();
    format!("{}{of}{DOT}{}", share(last.right, last.of), moment(last.at))
}

/// A signed number with a true minus sign.
pub fn signed(value: f64) -> String {
    let rounded = value.round();
    if rounded < 0.0 { format!("−{:.0}", -rounded) } else { format!("{:.0}", rounded.abs()) }
}

/// `Practise bars 11–12`.
pub fn practise_bars(first: u32, last: u32) -> String {
    if first == last { format!("Practise bar {first}") } else { format!("Practise bars {first}–{last}") }
}

/// A bar for screen readers and tips.
pub fn bar_in_words(bar: &BarResult) -> String {
    match bar.counts.accuracy() {
        None => format!("Bar {}: nothing to play", bar.number),
        Some(share) => format!("Bar {}: {:.0} % right, {}", bar.number, share * 100.0, remarks(&bar.counts)),
    }
}

/// What there is to say about some notes.
pub fn remarks(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.missed, VerdictKind::Missed),
        (counts.extra, VerdictKind::Extra),
        (counts.wrong_octave, VerdictKind::WrongOctave),
        (counts.early, VerdictKind::Early),
        (counts.late, VerdictKind::Late),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, kind)| format!("{n} {}", verdict(*kind)))
    .collect();
    if parts.is_empty() { "nothing to mend".to_owned() } else { parts.join(DOT) }
}

/// A histogram for screen readers.
pub fn histogram_in_words(name: &str, counts: &[u32]) -> String {
    format!("{name}: {} values", counts.iter().sum::<u32>())
}

/// The plain word for a mean deviation.
pub fn bias_word(timing: &Timing) -> &'static str {
    let t = tr();
    if timing.bias_millis.abs() <= timing.bias_interval_millis.max(3.0) {
        t.on_average
    } else if timing.bias_millis < -40.0 {
        t.early_word
    } else if timing.bias_millis < 0.0 {
        t.little_early
    } else if timing.bias_millis <= 40.0 {
        t.little_late
    } else {
        t.late_word
    }
}

/// What a number of milliseconds rests on: `± 3 ms, n = 203`.
pub fn basis(half_width: f64, n: usize) -> String {
    format!("± {half_width:.0} ms, n = {n}")
}

/// `−12 ms`.
pub fn millis(value: f64) -> String {
    format!("{} ms", signed(value))
}

/// `74 bpm`.
pub fn bpm(value: f64) -> String {
    format!("{value:.0} bpm")
}

/// `goal 72 · 75 %`.
pub fn tempo_goal(goal: f64, percent: u16) -> String {
    format!("goal {goal:.0}{DOT}{percent} % of written")
}

/// What a share of notes rests on.
pub fn right_basis(right: u32, of: u32, extra: u32) -> String {
    match extra {
        0 => format!("{right} of {of}{DOT}professionals reach 98–99"),
        1 => format!("{right} of {of}{DOT}1 wrong key"),
        _ => format!("{right} of {of}{DOT}{extra} wrong keys"),
    }
}

/// Below the number of notes that says anything.
pub fn too_few(n: usize, enough: usize) -> String {
    format!("{n} notes, {enough} are needed")
}

/// The plain word for a spread. Professionals keep within 60 ms of their own tempo.
pub fn spread_word(timing: &Timing) -> &'static str {
    if timing.spread_millis < 30.0 {
        tr().spread_even
    } else if timing.spread_millis <= 60.0 {
        tr().spread_usual
    } else {
        tr().spread_wide
    }
}

/// What a spread rests on.
pub fn spread_basis(timing: &Timing, preset: &str, window: Micros) -> String {
    let interval = basis(timing.spread_interval_millis, timing.n);
    format!("{interval}{DOT}{} ± {:.0}", preset.to_lowercase(), window.as_millis_f64())
}

/// `begun 3 times`: each loop, and each going back.
pub fn passes(passes: u32) -> String {
    if passes <= 1 { "begun once".to_owned() } else { format!("begun {passes} times") }
}

/// Why a bar is among the worst.
pub fn trouble(trouble: Trouble) -> String {
    let notes = |n: u32, what: &str| if n == 1 { format!("one note {what}") } else { format!("{n} notes {what}") };
    match trouble {
        Trouble::Missed(n) => notes(n, "missed"),
        Trouble::Extra(1) => "one wrong key".to_owned(),
        Trouble::Extra(n) => format!("{n} wrong keys"),
        Trouble::WrongOctave(n) => notes(n, "in another octave"),
        Trouble::Early(n) => notes(n, "early"),
        Trouble::Late(n) => notes(n, "late"),
    }
}

/// Lost notes of a take.
pub fn incomplete(lost: u64) -> String {
    format!("incomplete: {lost} lost")
}
