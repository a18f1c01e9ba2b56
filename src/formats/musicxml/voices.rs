//! From notes as read to chords of the page: voices, the hand that plays each, octaves as written, courtesy accidentals.

use std::collections::{HashMap, HashSet};

use super::super::voices::heights;
use super::outline::STAVES_MAX;
use super::page::{Bar, Strike, Struck};
use crate::music::Hand;
use crate::music::notation::{BeamHint, Direction, DirectionKind, NoteValue, Rest, Span, SpanKind, Step};
use crate::time::Ticks;

/// More voices of one measure share the last number.
const VOICES_MAX: usize = 64;

/// Gives each note its voice and its hand, and sorts those of each measure by onset, staff and voice. A voice that
/// crosses the staves belongs to the staff where it is at home; of a staff the voices are numbered from above. Returns
/// the voice of each note by its running number.
pub(super) fn assign(bars: &mut [Bar], notes: usize, hands: &[Hand]) -> Vec<u8> {
    find_homes(bars);
    let ranks = ranks(bars);
    let mut voices = vec![0; notes];
    for bar in bars {
        let mut lanes: Vec<Lane> = Vec::new();
        for strike in &mut bar.strikes {
            let home = strike.chord.staff;
            let lane = lane(&mut lanes, strike, home);
            strike.chord.voice = lane as u8;
            strike.chord.hand = hands.get(usize::from(home)).copied().unwrap_or(Hand::Left);
            for struck in &mut strike.heads {
                struck.head.staff = struck.head.staff.filter(|staff| *staff != home);
            }
        }
        let mut order: Vec<usize> = (0..lanes.len()).collect();
        order.sort_by_cached_key(|lane| {
            let Lane { home, label, .. } = &lanes[*lane];
            (*home, ranks.get(&(*home, label.clone())).copied())
        });
        let mut number = vec![0u8; lanes.len()];
        order.iter().enumerate().for_each(|(place, lane)| number[*lane] = place as u8);
        for strike in &mut bar.strikes {
            strike.chord.voice = number[usize::from(strike.chord.voice)];
            voices[strike.id as usize] = strike.chord.voice;
        }
        bar.strikes.sort_by_key(|strike| (strike.chord.at, strike.chord.staff, strike.chord.voice));
    }
    voices
}

/// Moves each note to the staff where its voice is at home; its head keeps the staff where it is printed.
fn find_homes(bars: &mut [Bar]) {
    let homes = homes(bars);
    for bar in bars {
        let split = split_labels(bar);
        for strike in bar.strikes.iter_mut().filter(|strike| !split.contains(&strike.label)) {
            strike.chord.staff = homes.get(&strike.label).copied().unwrap_or(strike.chord.staff);
        }
    }
}

/// For each staff and voice of the file its place among those of the staff: where the file turns stems, from stems that
/// go up to stems that go down, else from above. Of equals the first in the file is the first.
fn ranks(bars: &[Bar]) -> HashMap<(u8, String), usize> {
    let strikes = || bars.iter().enumerate().flat_map(|(index, bar)| bar.strikes.iter().map(move |s| (index, s)));
    let heights = heights(strikes().flat_map(|(index, s)| {
        let place = move |struck: &Struck| (index, s.chord.staff, s.label.as_str(), struck.head.pitch.diatonic());
        s.heads.iter().map(place)
    }));
    let mut order: Vec<(u8, &str)> = Vec::new();
    let mut stems: HashMap<(u8, &str), i64> = HashMap::new();
    for bar in bars {
        let mut beside: HashMap<u8, HashSet<&str>> = HashMap::new();
        for strike in bar.strikes.iter().filter(|strike| !strike.heads.is_empty()) {
            beside.entry(strike.chord.staff).or_default().insert(&strike.label);
        }
        for strike in &bar.strikes {
            let voice = (strike.chord.staff, strike.label.as_str());
            let up = stems.entry(voice).or_insert_with(|| {
                order.push(voice);
                0
            });
            let shares = beside.get(&voice.0).is_some_and(|labels| labels.len() > 1);
            *up += strike.chord.stem_up.filter(|_| shares).map_or(0, |is_up| if is_up { 1 } else { -1 });
        }
    }
    let height = |voice: &(u8, &str)| heights.get(voice).copied().unwrap_or(0.0);
    order.sort_by(|a, b| {
        let by_stem = stems[b].signum().cmp(&stems[a].signum());
        by_stem.then(height(b).total_cmp(&height(a)))
    });
    order.into_iter().enumerate().map(|(rank, (staff, label))| ((staff, label.to_owned()), rank)).collect()
}

/// Notes of one voice in one measure that follow one another.
struct Lane {
    label: String,
    home: u8,
    end: Ticks,
}

/// The voice that a note goes on with, or a new one.
fn lane(lanes: &mut Vec<Lane>, strike: &Strike, home: u8) -> usize {
    let end = strike.chord.at + strike.length;
    let fits = |lane: &Lane| lane.label == strike.label && lane.home == home && lane.end <= strike.chord.at;
    if let Some(found) = lanes.iter().position(fits) {
        lanes[found].end = end;
        return found;
    }
    if lanes.len() < VOICES_MAX {
        lanes.push(Lane { label: strike.label.clone(), home, end });
    }
    lanes.len() - 1
}

/// The staff at which each voice of the file is at home: where it has four of five notes or more.
fn homes(bars: &[Bar]) -> HashMap<String, u8> {
    let mut counts: HashMap<&str, [usize; STAVES_MAX as usize]> = HashMap::new();
    for strike in bars.iter().flat_map(|bar| &bar.strikes) {
        let staff = usize::from(strike.chord.staff).min(usize::from(STAVES_MAX) - 1);
        counts.entry(strike.label.as_str()).or_default()[staff] += 1;
    }
    let home = |counts: [usize; STAVES_MAX as usize]| {
        let most = (0..counts.len()).max_by_key(|staff| counts[*staff])?;
        (counts[most] * 5 >= counts.iter().sum::<usize>() * 4).then_some(most as u8)
    };
    counts.into_iter().filter_map(|(label, counts)| Some((label.to_owned(), home(counts)?))).collect()
}

/// Names of voices that go on at two staves at once in this measure: each staff has a voice of its own.
fn split_labels(bar: &Bar) -> HashSet<String> {
    let mut ends: HashMap<&str, (Ticks, u8)> = HashMap::new();
    let mut split = HashSet::new();
    for strike in &bar.strikes {
        let (end, staff) = ends.entry(&strike.label).or_insert((Ticks::ZERO, strike.chord.staff));
        if strike.chord.at < *end && strike.chord.staff != *staff {
            split.insert(strike.label.clone());
        }
        (*end, *staff) = ((*end).max(strike.chord.at + strike.length), strike.chord.staff);
    }
    split
}

/// What stands in an octava is written where one reads it.
pub(super) fn write_octaves(bars: &mut [Bar], spans: &[Span]) {
    for span in spans {
        let SpanKind::Octave(octaves) = span.kind else { continue };
        let (first, last) = (span.from.0 as usize, (span.to.0 as usize).min(bars.len().saturating_sub(1)));
        for (index, bar) in bars.iter_mut().enumerate().take(last + 1).skip(first) {
            let place = |strike: &Strike| (index as u32, strike.chord.at);
            let begin = bar.strikes.partition_point(|strike| place(strike) < span.from);
            let end = bar.strikes.partition_point(|strike| place(strike) < span.to).max(begin);
            for strike in &mut bar.strikes[begin..end] {
                let home = strike.chord.staff;
                for struck in strike.heads.iter_mut().filter(|s| s.head.staff.unwrap_or(home) == span.staff) {
                    let octave = &mut struck.head.pitch.octave;
                    *octave = octave.saturating_sub(octaves).clamp(-2, 12);
                }
            }
        }
    }
}

/// Where several parts share a staff, words stand once: a syllable that a part before has at the same place is left out,
/// and what is left of a second part of a staff stands on lines of its own. `parts` has each part's staff.
pub(super) fn write_words_once(bars: &mut [Bar], parts: &[(usize, u8)]) {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let mut lines = vec![0u8; parts.len()];
    for bar in &mut *bars {
        let mut said: HashSet<(Ticks, u8, String)> = HashSet::new();
        for (part, lines) in (0u16..).zip(&mut lines) {
            let mut own = Vec::new();
            for strike in bar.strikes.iter_mut().filter(|strike| strike.part == part) {
                let at = strike.chord.at;
                own.extend(strike.chord.lyrics.iter().map(|lyric| (at, lyric.verse, plain(&lyric.text))));
                strike.chord.lyrics.retain(|lyric| !said.contains(&(at, lyric.verse, plain(&lyric.text))));
                let verses = strike.chord.lyrics.iter().map(|lyric| lyric.verse.saturating_add(1));
                *lines = verses.fold(*lines, u8::max);
            }
            said.extend(own);
        }
    }
    let above = |part: usize| {
        let before = parts[..part].iter().zip(&lines).filter(|((_, staff), _)| *staff == parts[part].1);
        before.fold(0u8, |sum, (_, lines)| sum.saturating_add(*lines))
    };
    let moved: Vec<u8> = (0..parts.len()).map(above).collect();
    for strike in bars.iter_mut().flat_map(|bar| &mut bar.strikes) {
        let by = moved.get(usize::from(strike.part)).copied().unwrap_or(0);
        strike.chord.lyrics.iter_mut().for_each(|lyric| lyric.verse = lyric.verse.saturating_add(by));
    }
}

/// What several parts of one staff say at one place stands once. Where they say different loudness, that of the first
/// stands above.
pub(super) fn write_signs_once(bars: &mut [Bar], spans: &mut Vec<(Span, Option<u32>)>, shared: &[u8]) {
    for bar in bars {
        let mut said: HashSet<(Ticks, u8, String)> = HashSet::new();
        let directions = &mut bar.page.directions;
        directions.retain(|d| !shared.contains(&d.staff) || said.insert((d.at, d.staff, format!("{:?}", d.kind))));
        let mut loud: HashMap<(Ticks, u8), usize> = HashMap::new();
        for index in 0..directions.len() {
            let Direction { at, staff, ref kind, .. } = directions[index];
            if matches!(kind, DirectionKind::Dynamic(_)) && shared.contains(&staff) {
                match loud.get(&(at, staff)) {
                    Some(first) => directions[*first].above = Some(true),
                    None => drop(loud.insert((at, staff), index)),
                }
            }
        }
    }
    let mut drawn = HashSet::new();
    spans.retain(|(span, _)| {
        let key = || (span.staff, span.from, span.to, format!("{:?}", span.kind));
        span.kind == SpanKind::Slur || !shared.contains(&span.staff) || drawn.insert(key())
    });
}

/// Accidentals that are printed where the bar's rules want none.
pub(super) fn mark_courtesies(bars: &mut [Bar]) {
    let mut fifths = 0;
    for bar in bars {
        fifths = bar.page.fifths.unwrap_or(fifths);
        let mut altered: HashMap<(u8, i32), i8> = HashMap::new();
        // Who has said what at which tick: two voices on one note say it once.
        let mut said: HashSet<(Ticks, u8, i32, i8)> = HashSet::new();
        for strike in &mut bar.strikes {
            for struck in &mut strike.heads {
                let head = &mut struck.head;
                let place = (head.staff.unwrap_or(strike.chord.staff), head.pitch.diatonic());
                let step: Step = head.pitch.step;
                let usual = altered.get(&place).copied().unwrap_or_else(|| step.alter_in(fifths));
                let needed = usual != head.pitch.alter && !struck.goes_on;
                let (tick, is_main) = (strike.chord.at, strike.chord.grace.is_none());
                let prints = needed || head.courtesy;
                let first = !(is_main && prints) || said.insert((tick, place.0, place.1, head.pitch.alter));
                head.courtesy = head.courtesy && !needed && first;
                if !struck.goes_on {
                    altered.insert(place, head.pitch.alter);
                }
            }
        }
    }
}

/// Puts the notes onto the page. `beams` says whether the file draws beams itself.
pub(super) fn write_chords(bars: &mut [Bar], resolution: u16, beams: bool) {
    for bar in bars {
        let length = bar.page.length;
        for mut strike in bar.strikes.drain(..).filter(|strike| strike.printed) {
            strike.heads.sort_by_key(|struck| (struck.head.pitch.diatonic(), struck.head.pitch.alter));
            let mut chord = strike.chord;
            chord.heads = strike.heads.iter().map(|struck| struck.head).collect();
            if chord.heads.is_empty() && chord.rest != Rest::Hidden {
                let is_whole = chord.at.0 == 0 && strike.length >= length && chord.value.ticks(resolution) != length;
                if is_whole || chord.rest == Rest::WholeMeasure {
                    chord.rest = Rest::WholeMeasure;
                    chord.value = NoteValue::of_ticks(length, resolution).unwrap_or(chord.value);
                }
            }
            if beams && chord.value.base.flags() > 0 && chord.beam == BeamHint::ByMeter {
                chord.beam = BeamHint::Ends;
            }
            bar.page.chords.push(chord);
        }
    }
}
