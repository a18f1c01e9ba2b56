//! Words about what came out: shares, timing, bars to look at.

use super::{DOT, NONE, bar_count, moment, note_octave, tr, written_octave};
use crate::music::{BarNumber, Hand, Score};
use crate::practice::expression::{BARS_ENOUGH, Expression, PROFESSIONAL_CHORD_MILLIS};
use crate::practice::ladder::Rung;
use crate::practice::pass::PassResult;
use crate::practice::result::ENOUGH;
use crate::practice::result::{BarResult, Counts, Timing};
use crate::practice::story::{Story, Weighed};
use crate::practice::{Mode, VerdictKind};
use crate::time::Micros;
use crate::ui::view::{LastResult, Measure, NoteNames, RollNote};

/// A mean deviation that may be off by more milliseconds tells nobody whether they play on time.
const BIAS_UNSURE: f64 = 20.0;
/// Whoever has this share right is told no more what professionals reach.
const PROFESSIONAL_RIGHT: f64 = 0.98;

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

/// The same in a mode: where any key will do, none is wrong.
pub fn verdict_in(kind: VerdictKind, mode: Option<Mode>) -> &'static str {
    match (kind, mode) {
        (VerdictKind::Extra, Some(Mode::Rhythm)) => "tap too many",
        _ => verdict(kind),
    }
}

/// Keys or taps that were not written, so many of them.
fn extras(n: u32, mode: Mode) -> String {
    match (n, mode) {
        (1, Mode::Rhythm) => "1 tap too many".to_owned(),
        (_, Mode::Rhythm) => format!("{n} taps too many"),
        (1, _) => "1 wrong key".to_owned(),
        _ => format!("{n} wrong keys"),
    }
}

/// The same where it is told with its reason: nothing is on time that was to come at no time.
pub fn story(story: &Story, mode: Option<Mode>) -> &'static str {
    match story.verdict.kind {
        VerdictKind::OnTime if !story.is_timed => "right",
        VerdictKind::Late if !story.is_timed => "chord spread",
        kind => verdict_in(kind, mode),
    }
}

/// A share as a percentage, `94 %`.
pub fn share(right: u32, of: u32) -> String {
    if of == 0 { NONE.to_owned() } else { format!("{:.0} %", f64::from(right) * 100.0 / f64::from(of)) }
}

/// `92 % · today 12:04`; of a part of the piece, where it was waited, with one hand `92 % of 4 bars waiting, left hand ·
/// today 12:04`.
pub fn last_result(last: &LastResult, part: Option<u32>) -> String {
    let of = part.map(|bars| format!(" of {}", bar_count(bars))).unwrap_or_default();
    format!("{}{of}{}{DOT}{}", share(last.right, last.of), kind(last), moment(last.at))
}

/// `98 % · yesterday 12:04 · last 40 %`.
pub fn best_and_last(best: &LastResult, last: &LastResult) -> String {
    let (best_kind, last_kind) = (kind(best), kind(last));
    let last_kind = if last_kind == best_kind { String::new() } else { last_kind };
    let (best_share, last_share) = (share(best.right, best.of), share(last.right, last.of));
    format!("{best_share}{best_kind}{DOT}{}{DOT}last {last_share}{last_kind}", moment(best.at))
}

/// What must be said of a result beside its share: ` waiting, left hand`; nothing where the whole is played in time.
fn kind(result: &LastResult) -> String {
    let measure = match result.measure {
        Measure::Timed => None,
        Measure::Untimed => Some("waiting"),
        Measure::Rhythm => Some("rhythm"),
    };
    let hand = result.hand.map(hand_alone);
    let words: Vec<&str> = measure.into_iter().chain(hand).collect();
    if words.is_empty() { String::new() } else { format!(" {}", words.join(", ")) }
}

/// A hand that is practised alone.
pub fn hand_alone(hand: Hand) -> &'static str {
    if hand == Hand::Left { "left hand" } else { "right hand" }
}

/// A signed number with a true minus sign.
pub fn signed(value: f64) -> String {
    let rounded = value.round();
    if rounded < 0.0 { format!("−{:.0}", -rounded) } else { format!("{:.0}", rounded.abs()) }
}

/// `≤ −250`.
pub fn or_less(value: f64) -> String {
    format!("≤ {}", signed(value))
}

/// `≥ 250`.
pub fn or_more(value: f64) -> String {
    format!("≥ {}", signed(value))
}

/// The tempos of a ladder's passes, `60–70 %`; `None` without a ladder.
pub fn tempos(rungs: &[Rung]) -> Option<String> {
    let speeds = || rungs.iter().map(|rung| rung.speed.get());
    let (low, high) = (speeds().min()?, speeds().max()?);
    Some(if low == high { super::percent(low) } else { format!("{low}–{high} %") })
}

/// `Practise bars 11–12`.
pub fn practise_bars(first: BarNumber, last: BarNumber) -> String {
    match first == last {
        true => format!("Practise bar {first}"),
        false => format!("Practise bars {}", super::bar_range(first, last)),
    }
}

/// A bar for screen readers and tips.
pub fn bar_in_words(bar: &BarResult, mode: Mode) -> String {
    match bar.counts.accuracy() {
        None => format!("Bar {}: nothing to play", bar.number),
        Some(share) => format!("Bar {}: {:.0} % right, {}", bar.number, share * 100.0, remarks(&bar.counts, mode)),
    }
}

/// What there is to say about some notes.
pub fn remarks(counts: &Counts, mode: Mode) -> String {
    let parts: Vec<String> = [
        (counts.missed, VerdictKind::Missed),
        (counts.extra, VerdictKind::Extra),
        (counts.wrong_octave, VerdictKind::WrongOctave),
        (counts.early, VerdictKind::Early),
        (counts.late, VerdictKind::Late),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, kind)| match kind {
        VerdictKind::Extra => extras(*n, mode),
        kind => format!("{n} {}", verdict(*kind)),
    })
    .collect();
    if parts.is_empty() { "nothing to mend".to_owned() } else { parts.join(DOT) }
}

/// A curve for screen readers.
pub fn curve_in_words(name: &str, n: usize, low: f64, high: f64) -> String {
    if n == 0 { format!("{name}: nothing") } else { format!("{name}: {n} values from {low:.0} to {high:.0}") }
}

/// `bars 1 to 32 · 88 to 97 bpm`.
pub fn tempo_range(tempo: &[crate::practice::expression::BarTempo]) -> String {
    let (Some(first), Some(last)) = (tempo.first(), tempo.last()) else { return String::new() };
    let (low, high) = tempo.iter().fold((f64::MAX, f64::MIN), |(l, h), bar| (l.min(bar.played), h.max(bar.played)));
    format!("bars {} to {}{DOT}{low:.0} to {high:.0} bpm, grey as written", first.number, last.number)
}

/// A histogram for screen readers.
pub fn histogram_in_words(name: &str, counts: &[u32]) -> String {
    format!("{name}: {} values", counts.iter().sum::<u32>())
}

/// The plain word for a mean deviation. One that is less than what it may be off by says nothing, unless that is little.
pub fn bias_word(timing: &Timing) -> &'static str {
    let t = tr();
    if timing.bias_millis.abs() <= timing.bias_interval_millis.max(3.0) {
        if timing.bias_interval_millis <= BIAS_UNSURE { t.on_average } else { t.bias_unsure }
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

/// What was asked beside a tempo that was held: `asked: 72 bpm`.
pub fn tempo_asked(goal: f64, unit: u8) -> String {
    format!("asked: {}", super::tempo(goal, unit))
}

/// That the sound stopped short in a take.
pub fn interruptions(times: u64) -> String {
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    format!("The sound was interrupted {times} during this take: do not take its timing too seriously.")
}

/// What a share of notes rests on.
pub fn right_basis(counts: &Counts, mode: Mode) -> String {
    let (right, of) = (counts.right(), counts.written());
    let mut parts = vec![format!("{right} of {of}")];
    if counts.extra > 0 {
        parts.push(extras(counts.extra, mode));
    }
    if counts.wrong_octave > 0 {
        parts.push(format!("{} in another octave", counts.wrong_octave));
    }
    let reaches = counts.accuracy().is_some_and(|share| share >= PROFESSIONAL_RIGHT);
    if parts.len() == 1 && of as usize >= ENOUGH && !reaches {
        parts.push("professionals reach 98–99".to_owned());
    }
    parts.join(DOT)
}

/// Below the number of notes that says anything.
pub fn too_few(what: &str, n: usize, enough: usize) -> String {
    format!("{}: {n} of {enough} {what}", tr().not_enough)
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

/// `3 passes`: each loop, and each going back.
pub fn passes(passes: u32) -> String {
    if passes <= 1 { "1 pass".to_owned() } else { format!("{passes} passes") }
}

/// `pass 3`, counted from 0.
pub fn pass(pass: u32) -> String {
    format!("pass {}", pass + 1)
}

/// A pass for screen readers and tips, with what is known of it.
pub fn pass_in_words(number: u32, told: impl Iterator<Item = String>) -> String {
    let told: Vec<String> = told.collect();
    format!("Pass {}: {}", number + 1, told.join(DOT))
}

/// A value with its name.
pub fn named(name: &str, value: &str) -> String {
    format!("{name} {value}")
}

/// How something went from the first pass to the last.
pub fn from_to(first: &str, last: &str) -> String {
    format!("{first} → {last}")
}

/// How much of the passes was right, first and last.
pub fn passes_trend(passes: &[PassResult]) -> String {
    let share = |pass: Option<&PassResult>| pass.and_then(|p| p.result.counts.accuracy()).unwrap_or(0.0) * 100.0;
    let (first, last) = (share(passes.first()), share(passes.last()));
    format!("{}{DOT}{first:.0} % right in the first, {last:.0} % in the last", self::passes(passes.len() as u32))
}

/// Below the number of onsets that says anything of a pass.
pub fn too_few_a_pass(n: usize, enough: usize) -> String {
    format!("{n} of {enough} onsets a pass")
}

/// The heading of the bars to look at, with how many they are.
pub fn bars_to_look_at(n: usize) -> &'static str {
    match n {
        0 => "Bars to look at",
        1 => "One bar to look at",
        2 => "Two bars to look at",
        3 => "Three bars to look at",
        4 => "Four bars to look at",
        _ => "Five bars to look at",
    }
}

/// `Again at 80 %`.
pub fn again_at(percent: u16) -> String {
    format!("Again at {percent} %")
}

/// That what is kept of a take is not what today's rules find.
pub fn judged_otherwise(right: u32, of: u32) -> String {
    format!("Judged by today's rules; the result that is kept says {} ({right} of {of}).", share(right, of))
}

/// `216 notes`.
pub fn notes(n: usize) -> String {
    if n == 1 { "1 note".to_owned() } else { format!("{} notes", super::count(n as u64)) }
}

/// The piano roll for screen readers.
pub fn roll_in_words(n: usize, length: Micros) -> String {
    format!("Piano roll: {}, {}", notes(n), super::duration(length))
}

/// A played note: `F♯4 · velocity 64 · 0.25 s`.
pub fn played_note(note: &RollNote, mode: Option<Mode>, names: NoteNames) -> String {
    let kind = note.kind.map(|kind| verdict_in(kind, mode)).unwrap_or_default();
    let seconds = format!("{:.2} s", note.duration.0 as f64 / 1e6);
    let parts = [note_octave(note.pitch, names), format!("velocity {}", note.velocity), seconds, kind.to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(DOT)
}

/// How far from its moment: `120 ms late`.
fn off(deviation: Micros) -> String {
    let millis = deviation.as_millis_f64().round();
    match millis {
        m if m < 0.0 => format!("{:.0} ms early", -m),
        m if m > 0.0 => format!("{m:.0} ms late"),
        _ => "on the dot".to_owned(),
    }
}

/// A place in a bar: `beat 2`, `beat 2.5`.
pub fn beat(beat: f64) -> String {
    let number = format!("{beat:.2}");
    format!("beat {}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// Why a note of a score was judged so, in one line.
pub fn why(story: &Story, score: Option<&Score>, names: NoteNames) -> String {
    let name = |pitch| written_octave(score, story.bar, pitch, names);
    let list = |keys: &[crate::music::Pitch]| keys.iter().map(|k| name(*k)).collect::<Vec<_>>().join(" ");
    let others: Vec<&Weighed> = story.weighed.iter().filter(|w| !w.chosen).take(2).collect();
    let told = |what: &str| others.iter().map(|w| format!("{} {what} {}", name(w.pitch), off(w.deviation))).collect();
    let others: Vec<String> = match story.verdict.kind {
        VerdictKind::Extra if let Some(meant) = story.instead => vec![format!("instead of {}", name(meant))],
        VerdictKind::Missed if let Some(key) = story.instead => vec![format!("{} was pressed instead", name(key))],
        VerdictKind::Extra | VerdictKind::WrongOctave if !story.needed.is_empty() => {
            vec![format!("needed then: {}", list(&story.needed))]
        }
        VerdictKind::Extra if others.is_empty() => vec!["nothing of this name is written near it".to_owned()],
        VerdictKind::Extra => told("is written, this would be"),
        VerdictKind::Missed if others.is_empty() => vec!["no key of this name was pressed near it".to_owned()],
        _ => told("was pressed"),
    };
    let own = match (story.verdict.kind, story.verdict.deviation) {
        (VerdictKind::WrongOctave, Some(deviation)) => {
            let chosen = story.weighed.iter().find(|w| w.chosen).map(|w| format!("{} instead, ", name(w.pitch)));
            Some(format!("{}{}", chosen.unwrap_or_default(), off(deviation)))
        }
        (_, Some(Micros::ZERO)) if !story.is_timed => None,
        (_, Some(deviation)) if !story.is_timed => {
            Some(format!("{:.0} ms after the first of its chord", deviation.as_millis_f64()))
        }
        (_, Some(deviation)) => Some(off(deviation)),
        _ => None,
    };
    own.into_iter().chain(others).collect::<Vec<_>>().join(DOT)
}

/// Number, plain word and basis of each thing that tells how a take was played.
pub fn expression_cards(e: &Expression) -> [(String, String, String); 6] {
    let t = tr();
    let few = |name: &str, what: &str, n: usize| (NONE.to_owned(), name.to_owned(), too_few(what, n, ENOUGH));
    let struck = |name: &str, what: &str, n: usize| match e.waited {
        true => (NONE.to_owned(), name.to_owned(), t.wait_has_no_time.to_owned()),
        false => few(name, what, n),
    };
    let (half, most) = PROFESSIONAL_CHORD_MILLIS;
    let chords = e.chords.map_or_else(
        || struck(t.chords_name, "chords", e.chord_count),
        |c| {
            let (low, high) = c.p50_interval;
            let basis = format!("{low:.0}–{high:.0}, n = {}{DOT}95 % within {:.0} ({most:.0})", c.n, c.p95);
            let word = format!("{} {half:.0}", t.chords_word);
            (format!("{:.0} ms", c.p50), word, basis)
        },
    );
    let hands = e.asynchrony.map_or_else(
        || struck(t.hands_name, "onsets of both hands", e.together_count),
        |a| {
            let word = match a.value {
                v if v.abs() <= a.interval => t.hands_together,
                v if v < 0.0 => t.right_first,
                _ => t.left_first,
            };
            (format!("{:.0} ms", a.value.abs()), word.to_owned(), basis(a.interval, a.n))
        },
    );
    let steady = e.steadiness().map_or_else(
        || (NONE.to_owned(), t.steady_word.to_owned(), too_few("bars", e.tempo.len(), BARS_ENOUGH)),
        |s| {
            let (low, high) = s.spread_interval;
            let mean = format!("{:.0} ± {:.0} % of written", s.value * 100.0, s.interval * 100.0);
            let basis = format!("{:.0}–{:.0} %, n = {}{DOT}{mean}", low * 100.0, high * 100.0, s.n);
            (format!("± {:.0} %", s.spread * 100.0), t.steady_word.to_owned(), basis)
        },
    );
    let loud = match (e.right, e.left) {
        (None, None) => few(t.loud_word, "notes of one hand", e.hand_counts.0.max(e.hand_counts.1)),
        (right, left) => {
            let number =
                |m: Option<crate::practice::expression::Mean>| m.map_or(NONE.to_owned(), |m| format!("{:.0}", m.value));
            let basis = |m: Option<crate::practice::expression::Mean>, n: usize| {
                m.map_or(format!("n = {n}"), |m| format!("± {:.0}, n = {}", m.interval, m.n))
            };
            let basis = [basis(right, e.hand_counts.0), basis(left, e.hand_counts.1)].join(DOT);
            (format!("{} / {}", number(right), number(left)), t.loud_word.to_owned(), basis)
        }
    };
    let held = &e.articulation;
    let joined = held.joined.map_or_else(
        || struck(t.joined_name, "joined notes", held.joined_count),
        |j| {
            let word = if j.p50 < 0.0 { t.joined_gap } else { t.joined_overlap };
            let interval = gap_or_overlap(j.p50_interval);
            let basis = format!("{interval} of the time to the next, n = {}", j.n);
            (format!("{:.0} %", j.p50.abs()), word.to_owned(), basis)
        },
    );
    let apart = held.apart.map_or_else(
        || struck(t.apart_word, "notes written apart", held.apart_count),
        |a| {
            let (low, high) = a.p50_interval;
            let basis = format!("{low:.0}–{high:.0}, n = {}{DOT}written {:.0} %", a.n, held.apart_written);
            (format!("{:.0} %", a.p50), t.apart_word.to_owned(), basis)
        },
    );
    [chords, hands, steady, loud, joined, apart]
}

/// From where to where a share of the time to the next note lies, positive where notes overlap: told without signs, for the
/// word beside it says which of the two it is.
fn gap_or_overlap((low, high): (f64, f64)) -> String {
    match (low.round(), high.round()) {
        (low, high) if low >= 0.0 => format!("{low:.0}–{high:.0} %"),
        (low, high) if high <= 0.0 => format!("{:.0}–{:.0} %", -high, -low),
        (low, high) => format!("gap of {:.0} to overlap of {high:.0} %", -low),
    }
}

/// Lost notes of a take.
pub fn incomplete(lost: u64) -> String {
    format!("incomplete: {lost} lost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_says_what_it_is_made_of() {
        let check = |missed: u32, extra: u32, wrong_octave: u32, expected: &str| {
            let counts = Counts { on_time: 64 - missed, missed, extra, wrong_octave, ..Counts::default() };
            assert_eq!(right_basis(&counts, Mode::Wait), expected);
        };
        check(0, 0, 0, "64 of 64");
        check(0, 4, 1, "64 of 65 · 4 wrong keys · 1 in another octave");
        check(10, 0, 0, "54 of 64 · professionals reach 98–99");
        check(10, 1, 0, "54 of 64 · 1 wrong key");
    }

    #[test]
    fn gaps_and_overlaps_have_no_signs() {
        assert_eq!(gap_or_overlap((-21.0, -19.0)), "19–21 %");
        assert_eq!(gap_or_overlap((5.0, 8.4)), "5–8 %");
        assert_eq!(gap_or_overlap((-3.0, 4.0)), "gap of 3 to overlap of 4 %");
    }

    #[test]
    fn a_mean_that_may_be_anything_is_called_neither_early_nor_on_time() {
        let word = |bias_millis, bias_interval_millis| {
            let timing =
                Timing { bias_millis, bias_interval_millis, n: 30, spread_millis: 40.0, spread_interval_millis: 5.0 };
            bias_word(&timing)
        };
        assert_eq!(word(-92.0, 97.0), tr().bias_unsure);
        assert_eq!(word(-4.0, 9.0), tr().on_average);
        assert_eq!(word(-92.0, 20.0), tr().early_word);
    }
}
